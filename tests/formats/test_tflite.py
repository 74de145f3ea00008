"""TFLite: what is read from the bytes is what the interpreter says."""

from __future__ import annotations

import random
import struct
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from built import Built, dangling

from inspector.errors import FormatError
from inspector.formats import Source, identify
from inspector.formats.tflite import FORMAT
from inspector.ir import Place, Role, Tensor

KINDS = ("plain", "quantized", "control")


@pytest.mark.parametrize("kind", KINDS)
def test_inputs_outputs_and_operators_are_the_interpreters(tensorflows: Built, kind: str) -> None:
    model, facts = tensorflows.read(f"{kind}.tflite"), tensorflows.facts[kind]
    main = model.main
    assert main is not None
    for values, told in ((main.inputs, facts["inputs"]), (main.outputs, facts["outputs"])):
        assert [[v.name, [-1 if size is None else size for size in v.shape or ()]] for v in values] == told
    assert [node.op for node in main.nodes] == [op for op in facts["ops"] if op != "DELEGATE"]
    signature = model.signatures[0]
    assert signature.name in facts["signatures"]
    for side, names in zip((signature.inputs, signature.outputs), facts["signatures"][signature.name], strict=True):
        assert sorted(value.name for value in side) == sorted(names)


@pytest.mark.parametrize("kind", KINDS)
def test_tensors_are_the_interpreters(tensorflows: Built, kind: str) -> None:
    model, facts = tensorflows.read(f"{kind}.tflite"), tensorflows.facts[kind]
    known = {name: tensor for name, tensor in model.tensors.items() if name in facts["tensors"]}
    assert len(known) >= 2
    for name, tensor in known.items():
        assert [list(tensor.shape), tensor.dtype] == facts["tensors"][name]


@pytest.mark.parametrize("kind", ["plain", "quantized"])
def test_weights_are_those_of_the_keras_model(tensorflows: Built, kind: str) -> None:
    model = tensorflows.read(f"{kind}.tflite")
    weights = [t for t in model.tensors.values() if t.role is Role.WEIGHT and len(t.shape) == 2]
    with np.load(tensorflows.folder / "sequential.npz") as want:
        for name, shape in (("mlp/dense/kernel", (128, 784)), ("mlp/dense_1/kernel", (10, 128))):
            tensor = next(t for t in weights if t.shape == shape)
            values = tensorflows.values(f"{kind}.tflite", tensor).astype("float32")
            scale = tensor.place.layout.get("scale", (1.0,))
            assert isinstance(scale, tuple)
            scales = np.array(scale, "float32").reshape(-1, 1)
            assert np.allclose((values * scales).T, want[name], atol=scales.max() if kind == "quantized" else 0)


def test_quantization_is_told(tensorflows: Built) -> None:
    tensors = tensorflows.read("quantized.tflite").tensors.values()
    weight = next(tensor for tensor in tensors if tensor.shape == (128, 784))
    assert weight.dtype == "int8"
    assert {"scale", "zero_point"} <= weight.place.layout.keys()


def test_options_have_names(tensorflows: Built) -> None:
    nodes = tensorflows.read("plain.tflite").main.nodes  # type: ignore[union-attr]
    dense = [node for node in nodes if node.op == "FULLY_CONNECTED"]
    assert [node.attributes["FusedActivationFunction"] for node in dense] == ["RELU", "NONE"]
    assert len({node.module for node in dense}) == 2
    assert dense[0].module.endswith(".dense_1")


def test_branches_and_loops_are_graphs(tensorflows: Built) -> None:
    model = tensorflows.read("control.tflite")
    inner = {node.op: len(node.graphs) for node in model.main.nodes if node.graphs}  # type: ignore[union-attr]
    assert inner == {"IF": 2, "WHILE": 2}
    names = {graph.name for graph in model.graphs}
    assert all(set(node.graphs) <= names for graph in model.graphs for node in graph.nodes)


def test_every_name_in_a_graph_is_made_or_stored(tensorflows: Built) -> None:
    for kind in KINDS:
        assert dangling(tensorflows.read(f"{kind}.tflite")) == []


def test_cut_off_anywhere_is_an_error_or_says_so(tensorflows: Built, tmp_path: Path) -> None:
    data = (tensorflows.folder / "plain.tflite").read_bytes()
    path = tmp_path / "a.tflite"
    for at in [*range(0, 64, 3), *random.Random(1).sample(range(64, len(data) - 1), 150)]:
        path.write_bytes(data[:at])
        source = Source(path)
        with suppress(FormatError):
            model = FORMAT.read(source)
            missing = []
            for tensor in model.tensors.values():
                try:
                    FORMAT.fetch(source, tensor)
                except FormatError:
                    missing.append(tensor.name)
            lost = at < max(t.place.offset + t.place.size for t in model.tensors.values())
            assert bool(missing) == lost
            assert not lost or any("not in the file" in note.text for note in model.notes)


def test_mutants_are_a_model_or_an_error(tensorflows: Built, tmp_path: Path) -> None:
    data = (tensorflows.folder / "control.tflite").read_bytes()
    chance, path, refused = random.Random(7), tmp_path / "a.tflite", 0
    for _ in range(200):
        new = bytearray(data)
        for _ in range(chance.choice([1, 3, 20])):
            new[chance.randrange(len(new))] = chance.randrange(256)
        path.write_bytes(new)
        try:
            FORMAT.read(Source(path))
        except FormatError as error:
            refused += 1
            assert error.what.endswith(".")  # noqa: PT017 - the loop goes on
    assert refused


@pytest.mark.parametrize(
    "data",
    [b"\xff\xff\xff\xffTFL3" + bytes(16), b"\x08\0\0\0TFL3" + b"\xff" * 64, b"\x1c\0\0\0TFL3" + bytes(64), b"TFL3TFL3"],
)
def test_hostile_bytes(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a.tflite"
    path.write_bytes(data)
    with pytest.raises(FormatError):
        FORMAT.read(Source(path))


def test_strings(tmp_path: Path) -> None:
    words = [b"a", "ü".encode(), b""]
    start = 4 * (len(words) + 2)
    bounds = [start, start + 1, start + 3, start + 3]
    path = tmp_path / "a.tflite"
    path.write_bytes(b"TFL3" + struct.pack("<i4i", 3, *bounds) + b"".join(words))
    tensor = Tensor("words", "string", (3,), Place(offset=4, size=start + 3))
    assert FORMAT.fetch(Source(path), tensor).tolist() == ["a", "ü", ""]
    with pytest.raises(FormatError):
        FORMAT.fetch(Source(path), Tensor("words", "string", (3,), Place(offset=5, size=start + 2)))


def test_recognised_by_its_bytes(tensorflows: Built, tmp_path: Path) -> None:
    path = tmp_path / "model.bin"
    path.write_bytes((tensorflows.folder / "plain.tflite").read_bytes())
    assert identify(Source(path)) is FORMAT
