"""TFLite: what is read from the bytes is what the interpreter says."""

from __future__ import annotations

import io
import random
import struct
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tflite_files
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from built import Built, dangling
from tflite_files import level
from tflite_files import tensor as entry

from inspector.engines.summary.summary import Summary
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


SPARSE = {
    "rows": tflite_files.sparse([3, 4], [0, 1], [], [level(3), level(0, [0, 2, 2, 3], [1, 3, 0])], [1, 2, 3]),
    "columns": tflite_files.sparse([3, 4], [1, 0], [], [level(4), level(0, [0, 1, 1, 3, 3], [2, 0, 1])], [5, 6, 7]),
    "blocks": tflite_files.sparse(
        [4, 4], [0, 1, 2, 3], [0, 1], [level(2), level(0, [0, 1, 2], [1, 0]), level(2), level(2)], range(8)
    ),
}


@pytest.mark.parametrize("name", SPARSE)
def test_sparse_constants_are_what_the_interpreter_makes_of_them(tmp_path: Path, name: str) -> None:
    path = tmp_path / "a.tflite"
    path.write_bytes(SPARSE[name])
    kind = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    interpreter = Interpreter(str(path), experimental_op_resolver_type=kind)
    interpreter.allocate_tensors()
    interpreter.invoke()
    want = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    model = FORMAT.read(Source(path))
    assert want.any()
    assert FORMAT.fetch(Source(path), model.tensors["w"]).tolist() == want.tolist()


@pytest.mark.parametrize(
    ("levels", "values", "what"),
    [
        ([level(3), level(0, [0, 2, 2, 9], [1, 3, 0])], 3, "its segments do not fit."),
        ([level(3), level(0, [0, 2], [1, 3])], 2, "its segments do not fit."),
        ([level(3), level(0, [0, 2, 2, 3], [1, 9, 0])], 3, "an index lies outside its shape."),
        ([level(1 << 30), level(0, [0], [])], 3, "it has more values than its shape."),
        ([level(3)], 3, "its dimensions do not fit."),
    ],
)
def test_sparse_constants_that_lie_are_refused(tmp_path: Path, levels: list[Any], values: int, what: str) -> None:
    path = tmp_path / "a.tflite"
    path.write_bytes(tflite_files.sparse([3, 4], list(range(len(levels))), [], levels, range(values)))
    with pytest.raises(FormatError, match=f"^A sparse tensor is damaged: {what}$"):
        FORMAT.fetch(Source(path), FORMAT.read(Source(path)).tensors["w"])


def test_metadata_and_the_files_behind_the_model_are_told(tmp_path: Path) -> None:
    path, behind = tmp_path / "a.tflite", io.BytesIO()
    with zipfile.ZipFile(behind, "w") as archive:
        archive.writestr("labels.txt", "cat\ndog\n")
    metadata = {"TFLITE_METADATA": tflite_files.METADATA}
    plain = tflite_files.model(tflite_files.RELU, [entry("x", [1, 4]), entry("y", [1, 4])], [], metadata)
    path.write_bytes(plain + behind.getvalue())
    assert identify(Source(path)) is FORMAT
    model = FORMAT.read(Source(path))
    assert model.metadata["licence"] == "Apache-2.0"
    assert model.metadata["files with it"] == "vocab.txt (vocabulary)"
    assert model.metadata["input 1"] == (
        "image: Input image · batch, y, x, c · RGB picture 32×24 · normalised by mean 127.5 and deviation 128"
        " · from -1 to 1"
    )
    assert model.metadata["input 2"] == "sound · sound of 16,000 Hz in 1 channels"
    assert model.metadata["output 1"] == "probability · scores from 0.25 up · labels.txt (labels of values)"
    assert model.texts == {"description": "A model for tests.\nTwo lines.", "labels.txt": "cat\ndog\n"}
    damaged = metadata["TFLITE_METADATA"][:300]
    path.write_bytes(tflite_files.model(tflite_files.RELU, [entry("x", [1])], [], {"TFLITE_METADATA": damaged}))
    assert FORMAT.read(Source(path)).metadata["metadata"] == "damaged"


@pytest.mark.parametrize("kind", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_models_in_an_archive_open_as_one(tensorflows: Built, tmp_path: Path, kind: int) -> None:
    path = tmp_path / "hand.task"
    alone = FORMAT.read(tensorflows.source("plain.tflite"))
    with zipfile.ZipFile(path, "w", kind) as archive:
        archive.write(tensorflows.folder / "plain.tflite", "detector.tflite")
        archive.writestr("landmarks/model.tflite", SPARSE["rows"])
        archive.writestr("notes.txt", "no model")
    source = Source(path)
    assert identify(source) is FORMAT
    model = FORMAT.read(source)
    assert dangling(model) == []
    assert [node.graphs for node in model.graphs[0].nodes] == [(f"detector/{alone.graphs[0].name}",), ("model/main",)]
    assert [value.shape for value in model.graphs[0].inputs] == [value.shape for value in alone.graphs[0].inputs]
    assert Summary(model).totals.parameters == Summary(alone).totals.parameters + 12
    for name, tensor in alone.tensors.items():
        assert np.array_equal(
            FORMAT.fetch(source, model.tensors[f"detector/{name}"]), tensorflows.values("plain.tflite", tensor)
        )
    assert FORMAT.fetch(source, model.tensors["model/w"])[0].tolist() == [0, 1, 0, 2]
    with zipfile.ZipFile(path, "w", kind) as archive:
        archive.writestr("only.tflite", SPARSE["rows"])
    model = FORMAT.read(source)
    assert (model.metadata["member"], list(model.tensors)) == ("only.tflite", ["w"])
    with zipfile.ZipFile(path, "w", kind) as archive:
        archive.writestr("only.tflite", b"no such thing")
    with pytest.raises(FormatError, match=r"^hand.task is an archive without a TensorFlow Lite model\.$"):
        FORMAT.read(source)


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


@pytest.mark.parametrize(
    "data",
    [b"\xff\xff\xff\xffTFL3" + bytes(16), b"\x08\0\0\0TFL3" + b"\xff" * 64, b"\x1c\0\0\0TFL3" + bytes(64), b"TFL3TFL3"],
)
def test_hostile_bytes(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a.tflite"
    path.write_bytes(data)
    with pytest.raises(FormatError):
        FORMAT.read(Source(path))


MATRICES = {**{at: [5, 6] for at in (1, 2, 3, 4)}, **{at: [5, 3] for at in (5, 6, 7, 8)}}
FORWARD = {**MATRICES, **{at: [5] for at in (12, 13, 14, 15)}, 16: [3, 5]}
BOTH = {**FORWARD, **{at + 17: shape for at, shape in FORWARD.items()}}
RECURRENT: dict[str, tuple[int, str, dict[int, list[int]], dict[int, list[int]], int]] = {
    "projected": (44, "UnidirectionalSequenceLSTMOptions", FORWARD, {18: [2, 3], 19: [2, 5]}, 3),
    "both ways": (52, "BidirectionalSequenceLSTMOptions", BOTH, {35: [2, 3], 36: [2, 5], 37: [2, 3], 38: [2, 5]}, 3),
    "plain": (35, "SequenceRNNOptions", {1: [4, 6], 2: [4, 4], 3: [4]}, {4: [2, 4]}, 4),
}


@pytest.mark.parametrize("kind", RECURRENT)
def test_recurrent_operators_follow_the_batch_as_the_interpreter_does(tmp_path: Path, kind: str) -> None:
    code, option, stored, states, wide = RECURRENT[kind]
    path = tmp_path / "model.tflite"
    path.write_bytes(tflite_files.recurrence(code, option, {0: [2, 7, 6], **stored}, states))
    model = FORMAT.read(Source(path))
    assert model.signatures[0].outputs[0].shape == (None, 7, wide)
    if kind != "both ways":  # this one has two outputs, and the file only one
        reader = Interpreter(model_path=str(path))
        reader.resize_tensor_input(reader.get_input_details()[0]["index"], [2, 7, 6])
        reader.allocate_tensors()
        assert reader.get_output_details()[0]["shape"].tolist() == [2, 7, wide]
    figures = Summary(model, {"batch": 2}).totals
    assert figures.complete
    assert figures.macs == 2 * 7 * sum(a * b for a, b in (shape for shape in stored.values() if len(shape) == 2))


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
