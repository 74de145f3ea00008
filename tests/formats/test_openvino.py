"""OpenVINO: files written as its document of the format says; values of the packed types are those that it gives."""

from __future__ import annotations

import json
from pathlib import Path
from xml.sax.saxutils import quoteattr

import numpy as np
import pytest
from built import dangling

from inspector.engines.summary.summary import Summary
from inspector.errors import FormatError
from inspector.formats import Source, identify
from inspector.formats.openvino import FORMAT, reshape
from inspector.ir import Model, Role
from inspector.jobs.terminal import ask_document
from inspector.worker.tasks.rows import TASK as ROWS
from inspector.worker.tasks.rows import RowsArgs
from inspector.worker.tasks.tensor import TASK as TENSOR
from inspector.worker.tasks.tensor import TensorArgs

Dims = tuple[int, ...]


class Writer:
    """Writes networks: layers by number, each with the shapes of its ports."""

    def __init__(self) -> None:
        self.layers: list[str] = []
        self.edges: list[str] = []
        self.data = b""
        self.ports: dict[int, int] = {}

    def layer(self, kind: str, name: str, takes: tuple[int, ...], gives: Dims | None, **data: str) -> int:
        number = len(self.layers)
        inner = data.pop("inner", "")
        words = " ".join(f"{key}={quoteattr(text)}" for key, text in data.items())
        text = f'<layer id="{number}" name={quoteattr(name)} type="{kind}" version="opset8">'
        text += f"<data {words}/>" if words else ""
        if takes:
            text += "<input>" + "".join(f'<port id="{at}"><dim>1</dim></port>' for at in range(len(takes))) + "</input>"
            for at, origin in enumerate(takes):
                edge = (
                    f'<edge from-layer="{origin}" from-port="{self.ports[origin]}" to-layer="{number}" to-port="{at}"/>'
                )
                self.edges.append(edge)
        if gives is not None:
            self.ports[number] = len(takes)
            dims = "".join(f"<dim>{size}</dim>" for size in gives)
            names = f" names={quoteattr('called ' + name)}"
            text += f'<output><port id="{len(takes)}" precision="FP32"{names}>{dims}</port></output>'
        self.layers.append(f"{text}{inner}</layer>")
        return number

    def constant(self, name: str, kind: str, shape: Dims, data: bytes) -> int:
        offset = len(self.data)
        self.data += data
        sizes = ", ".join(map(str, shape))
        facts = {"element_type": kind, "shape": sizes, "offset": str(offset), "size": str(len(data))}
        return self.layer("Const", name, (), shape, **facts)

    def body(self) -> str:
        return f"<layers>{''.join(self.layers)}</layers><edges>{''.join(self.edges)}</edges>"

    def write(self, path: Path, facts: str = "") -> Path:
        path.write_text(f'<?xml version="1.0"?>\n<net name="toy" version="11">{self.body()}{facts}</net>', "utf-8")
        path.with_suffix(".bin").write_bytes(self.data)
        return path


def read(path: Path) -> Model:
    return FORMAT.read(Source(path))


def floats(*shape: int) -> bytes:
    return np.arange(np.prod(shape), dtype="<f4").tobytes()


def toy() -> Writer:
    """A grouped convolution and a linear layer of four bits."""
    w = Writer()
    x = w.layer("Parameter", "x", (), (-1, 4, 6, 6), shape="?,4,6,6", element_type="f32")
    kernel = w.constant("conv.weight", "f32", (2, 3, 2, 3, 3), floats(2, 3, 2, 3, 3))
    conv = w.layer("GroupConvolution", "__module.net.conv/aten::conv/x", (x, kernel), (-1, 6, 6, 6), strides="1, 1")
    bias = w.constant("bias", "f16", (1, 6, 1, 1), np.ones(6, "<f2").tobytes())
    added = w.layer("Add", "add", (conv, w.layer("Convert", "wide", (bias,), (1, 6, 1, 1))), (-1, 6, 6, 6))
    flat = w.layer("Reshape", "flat", (added, w.constant("to", "i64", (2,), bytes(16))), (-1, 216), special_zero="true")
    few = w.layer("Convert", "c1", (w.constant("fc.weight", "u4", (8, 216), bytes([0x73]) * 864),), (8, 216))
    zero = w.layer("Convert", "c2", (w.constant("fc.zero", "u4", (8, 1), bytes([0x88]) * 4),), (8, 1))
    less = w.layer("Subtract", "less", (few, zero), (8, 216))
    scaled = w.layer("Multiply", "scaled", (less, w.constant("fc.scale", "f32", (8, 1), floats(8, 1))), (8, 216))
    out = w.layer("MatMul", "fc", (flat, scaled), (-1, 8), transpose_a="false", transpose_b="true")
    w.layer("Result", "out", (out,), None)
    return w


def test_layers_constants_and_figures(tmp_path: Path) -> None:
    facts = (
        '<rt_info><Runtime_version value="2026.4.1-22982"/><conversion><is_fast value="yes"/></conversion></rt_info>'
    )
    path = toy().write(tmp_path / "m.xml", facts)
    assert identify(Source(path)) is FORMAT
    model = read(path)
    assert not model.notes
    assert dangling(model) == []
    assert model.producer == "OpenVINO 2026.4.1"
    assert model.metadata["conversion.is_fast"] == "yes"
    assert model.metadata["operators of opset8"] == "9"
    (signature,) = model.signatures
    assert [(v.name, v.dtype, v.shape) for v in signature.inputs] == [("called x", "float32", (None, 4, 6, 6))]
    assert [(v.name, v.shape) for v in signature.outputs] == [("called fc", (None, 8))]
    roles = {name: tensor.role for name, tensor in model.tensors.items()}
    weights = ("conv.weight", "bias", "fc.weight")
    assert {name for name, role in roles.items() if role is Role.WEIGHT} == set(weights)
    assert {roles[name] for name in ("to", "fc.zero", "fc.scale")} == {Role.CONSTANT}
    assert model.graphs[0].nodes[0].module == "net.conv"
    last = model.graphs[0].nodes[-1]
    assert (last.op, last.attributes) == ("MatMul", {"transpose_a": False, "transpose_b": True})
    totals = Summary(model).totals
    assert (totals.parameters, totals.parameter_bytes) == (108 + 6 + 1728, 432 + 12 + 864)
    assert totals.macs == 108 * 36 + 216 * 8  # the kernel at each of 6 by 6 places, then the matrix
    assert FORMAT.fetch(Source(path), model.tensors["conv.weight"]).reshape(-1).tolist() == list(range(108))
    assert FORMAT.fetch(Source(path), model.tensors["fc.weight"])[0, :2].tolist() == [3, 7]


def test_a_document_worker_shows_the_table_and_values_of_the_bin(tmp_path: Path) -> None:
    path = toy().write(tmp_path / "m.xml")
    asked = [(TENSOR, TensorArgs("conv.weight")), (ROWS, RowsArgs())]
    overview, tensor, page = ask_document(path, asked)
    assert (overview.title, overview.totals.parameters) == ("OpenVINO", 1842)
    assert tensor.values[:3] == ("0", "1", "2")
    assert [(row.type, row.macs) for row in page.rows if row.macs] == [("GroupConvolution", 3888), ("MatMul", 1728)]


@pytest.mark.parametrize(
    ("kind", "shape", "data", "want"),
    [  # bytes and what OpenVINO 2026.4 makes of them
        ("u1", (2, 4), "12", [[0, 0, 0, 1], [0, 0, 1, 0]]),
        ("u2", (2, 4), "1234", [[2, 0, 1, 0], [0, 1, 3, 0]]),
        ("u3", (2, 4), "123456", [[0, 5, 0, 6], [0, 7, 5, 0]]),
        ("u6", (2, 4), "123456781234", [[17, 18, 19, 36], [7, 56, 17, 2]]),
        ("i4", (2, 4), "12345678", [[2, 1, 4, 3], [6, 5, -8, 7]]),
        ("nf4", (1, 2), "12", [[-0.5250730514526367, -0.6961928009986877]]),
        ("f4e2m1", (2, 4), "12345678", [[1, 0.5, 2, 1.5], [4, 3, 0, 6]]),
        ("f8e4m3", (1, 4), "12345678", [[0.0390625, 0.75, 14, 256]]),
        ("bf16", (1, 2), "803f0040", [[1, 2]]),
        ("boolean", (1, 2), "0001", [[0, 1]]),
    ],
)
def test_packed_types(tmp_path: Path, kind: str, shape: Dims, data: str, want: list[list[float]]) -> None:
    w = Writer()
    w.layer("Result", "out", (w.constant("c", kind, shape, bytes.fromhex(data)),), None)
    path = w.write(tmp_path / "m.xml")
    model = read(path)
    assert model.graphs[0].outputs[0].name == "c"
    assert FORMAT.fetch(Source(path), model.tensors["c"]).astype(float).tolist() == want


def test_bodies_are_graphs(tmp_path: Path) -> None:
    inner = Writer()
    p = inner.layer("Parameter", "p", (), (2,), element_type="f32", shape="2")
    inner.layer("Result", "r", (inner.layer("Relu", "act", (p,), (2,)),), None)
    w = Writer()
    cond = w.layer("Parameter", "cond", (), (), element_type="boolean", shape="")
    x = w.layer("Parameter", "x", (), (2,), element_type="f32", shape="2")
    maps = '<then_port_map><input external_port_id="1" internal_layer_id="0"/></then_port_map>'
    branches = f"<then_body>{inner.body()}</then_body><else_body>{inner.body()}</else_body>{maps}"
    w.layer("Result", "out", (w.layer("If", "choose", (cond, x), (2,), inner=branches),), None)
    model = read(w.write(tmp_path / "m.xml"))
    assert [graph.name for graph in model.graphs] == ["main", "choose/then", "choose/else"]
    (node,) = model.graphs[0].nodes
    assert node.graphs == ("choose/then", "choose/else")
    assert node.attributes["ports"] == ("input: external port id 1, internal layer id 0",)
    assert [n.op for n in model.graphs[1].nodes] == ["Relu"]
    assert dangling(model) == []


def test_layers_of_old_versions_own_their_weights(tmp_path: Path) -> None:
    path = tmp_path / "m.xml"
    ports = '<output><port id="0"><dim>1</dim><dim>3</dim></port></output>'
    path.write_text(
        f'<net name="old" version="7"><layers><layer id="0" name="x" type="Input" precision="FP32">{ports}</layer>'
        '<layer id="1" name="fc" type="FullyConnected" precision="FP32"><data out-size="2"/>'
        '<input><port id="0"/></input><output><port id="3"><dim>1</dim><dim>2</dim></port></output>'
        '<blobs><weights offset="0" size="24"/><biases offset="24" size="8"/></blobs></layer></layers>'
        '<edges><edge from-layer="0" from-port="0" to-layer="1" to-port="0"/></edges></net>'
    )
    path.with_suffix(".bin").write_bytes(floats(8))
    model = read(path)
    assert {name: tensor.count for name, tensor in model.tensors.items()} == {"fc/weights": 6, "fc/biases": 2}
    assert [value.name for value in model.graphs[0].outputs] == ["fc"]
    assert model.notes[0].text == "The file is of version 7, which OpenVINO reads no more since 2024."


def test_missing_and_cut_off_files_are_said(tmp_path: Path) -> None:
    path = toy().write(tmp_path / "m.xml")
    whole = path.read_text()
    data = path.with_suffix(".bin").read_bytes()
    path.with_suffix(".bin").write_bytes(data[:-4])
    (note,) = read(path).notes
    assert note.text == "The values of 1 constants are not in m.bin, such as 'fc.scale'."
    path.with_suffix(".bin").unlink()
    (note,) = read(path).notes
    assert note.text == "The weights cannot be read: The side file 'm.bin' is missing."
    for at in range(60, len(whole) - 1, 97):
        path.write_text(whole[:at])
        with pytest.raises(FormatError) as caught:
            read(path)
        assert caught.value.what == "m.xml ends in the midst of the network: it is incomplete."


NET = '<net name="a" version="11">'
LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
HOSTILE = {
    "entities": (
        f'<?xml version="1.0"?><!DOCTYPE net [<!ENTITY l0 "ha">{LAUGHS}]>{NET}&l9;</net>',
        "m.xml declares a document type or entities.",
    ),
    "outside": (
        f'<!DOCTYPE net SYSTEM "file:///etc/passwd">{NET}</net>',
        "m.xml declares a document type or entities.",
    ),
    "deep": (NET + "<a>" * 1000, "m.xml is nested too deeply or has too many elements."),
    "circle": (
        f'{NET}<layers><layer id="0" type="A"/><layer id="1" type="B"/></layers><edges>'
        '<edge from-layer="0" from-port="0" to-layer="1" to-port="0"/>'
        '<edge from-layer="1" from-port="0" to-layer="0" to-port="0"/></edges></net>',
        "The layers of the network go round in a circle.",
    ),
    "twins": (
        f'{NET}<layers><layer id="0" type="A"/><layer id="0" type="B"/></layers></net>',
        "Two layers of the network have the same number.",
    ),
    "size": (
        f'{NET}<layers><layer id="0" name="w" type="Const"><data element_type="f32" shape="9" offset="0" size="4"/>'
        '<output><port id="0"><dim>9</dim></port></output></layer></layers></net>',
        "The constant 'w' has 4 bytes where its type and shape need 36.",
    ),
    "place": (
        f'{NET}<layers><layer id="0" name="w" type="Const"><data element_type="f32" shape="1" offset="-4" size="4"/>'
        '<output><port id="0"><dim>1</dim></port></output></layer></layers></net>',
        "The constant 'w' has an impossible shape or place.",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_networks_are_refused(tmp_path: Path, name: str) -> None:
    text, what = HOSTILE[name]
    (tmp_path / "m.xml").write_text(text)
    with pytest.raises(FormatError) as caught:
        read(tmp_path / "m.xml")
    assert caught.value.what == what


def test_the_bin_is_not_followed_out_of_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    path = toy().write(folder / "m.xml")
    (folder / "m.bin").rename(tmp_path / "secret.bin")
    (folder / "m.bin").symlink_to(tmp_path / "secret.bin")
    (note,) = read(path).notes
    assert note.text == "The weights cannot be read: The side file 'm.bin' is a link that leaves the model's folder."


NETWORKS = Path(__file__).with_name("openvino")
"""Written by OpenVINO, with the shapes that it gives their values: `build_openvino.py`."""


@pytest.mark.parametrize("name", ["windows", "resized", "sequence", "layers"])
def test_shapes_that_are_typed_flow_as_they_do_in_openvino(name: str) -> None:
    told = json.loads((NETWORKS / f"{name}.json").read_text())
    model = read(NETWORKS / f"{name}.xml")
    sized = reshape(model, {"x": tuple(told["input"])})
    found = {
        f"{node.name}|{at}": list(sized.main.values[value].shape or ())
        for node in sized.main.nodes
        for at, value in enumerate(node.outputs)
    }
    assert found == {key: shape for key, shape in told["values"].items() if key in found}
    assert sized.signatures[0].inputs[0].shape == tuple(told["input"])
    assert all(isinstance(size, int) for value in sized.signatures[0].outputs for size in value.shape or (None,))
    totals = Summary(sized).totals
    assert totals.complete
    assert totals.macs > Summary(model).totals.macs


def test_a_first_size_that_is_a_multiple_of_the_batch_is_not_taken_for_it() -> None:
    """16 windows an image: a file says only -1 where the batch and the windows are one dimension."""
    model = read(NETWORKS / "windows.xml")
    assert not Summary(model).totals.complete
    sized = reshape(model, {"x": ("batch", 16, 16, 16)})
    product = next(node for node in sized.main.nodes if node.op == "MatMul")
    assert sized.main.values[product.outputs[0]].shape == ("16*batch", 16, 48)
    one, four = (Summary(sized, {"batch": size}).totals for size in (1, 4))
    assert four.macs == 4 * one.macs == 4 * 16 * 16 * 16 * (48 + 16 + 2 * 16)


def test_an_input_that_cannot_have_a_shape_is_named() -> None:
    model = read(NETWORKS / "resized.xml")
    with pytest.raises(FormatError, match="cannot have this shape"):
        reshape(model, {"x": (1, 4, 32, 32)})
    with pytest.raises(FormatError, match="do not fit the model"):
        reshape(read(NETWORKS / "windows.xml"), {"x": (1, 9, 8, 16)})
