"""SavedModels: what is read without TensorFlow is what TensorFlow says."""

from __future__ import annotations

import random
import shutil
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from built import Built, dangling

from inspector.errors import FormatError
from inspector.formats import Source, identify
from inspector.formats._bundle import fields, read_bundle, varint
from inspector.formats.tf_saved_model import FORMAT
from inspector.ir import Role


@pytest.fixture
def copied(tensorflows: Built, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tensorflows.folder / "exported", tmp_path / "model"))


def test_signatures_have_names_types_and_shapes(tensorflows: Built) -> None:
    first, *others = tensorflows.read("program").signatures
    assert (first.name, [other.name for other in others]) == ("serving_default", ["look", "open"])
    assert [(v.name, v.dtype, v.shape) for v in first.inputs] == [("x", "float32", (None, 4)), ("flag", "bool", ())]
    assert [(v.name, v.dtype, v.shape) for v in first.outputs] == [
        ("y", "float32", (None, 3)),
        ("z", "float32", (None, 3)),
    ]
    assert [(v.name, v.dtype) for v in others[0].inputs] == [("words", "string")]


def test_parameters_and_values_are_those_of_the_keras_model(tensorflows: Built) -> None:
    model = tensorflows.read("exported")
    weights = {n: t for n, t in model.tensors.items() if t.role is Role.WEIGHT and not t.same_as}
    assert sum(tensor.count for tensor in weights.values()) == tensorflows.facts["sequential"]["parameters"]
    assert model.metadata["variables stored twice"] == "4"
    assert not [name for name, tensor in model.tensors.items() if tensor.same_as or "#" in name]
    assert set(weights) == {f"mlp/{layer}/{part}" for layer in ("dense", "dense_1") for part in ("kernel", "bias")}
    with np.load(tensorflows.folder / "sequential.npz") as want:
        for name, tensor in weights.items():
            assert tensor.trainable is True
            assert np.array_equal(tensorflows.values("exported", tensor), want[name])


def test_weights_are_inputs_of_the_operators_that_use_them(tensorflows: Built) -> None:
    main = tensorflows.read("exported").main
    assert main is not None
    dense = [node for node in main.nodes if node.op in ("MatMul", "BiasAdd")]
    assert [node.inputs[1] for node in dense] == [
        f"mlp/{name}" for name in ("dense/kernel", "dense/bias", "dense_1/kernel", "dense_1/bias")
    ]
    assert [main.values[node.outputs[0]].shape for node in dense] == [(None, 128)] * 2 + [(None, 10)] * 2
    assert dense[0].module.endswith(".dense_1")
    assert [value.name for value in main.inputs] == ["digits"]
    assert main.outputs[0].name == "output_0"
    assert not {node.op for node in main.nodes} & {"ReadVariableOp", "Identity", "Const", "StatefulPartitionedCall"}


def test_variables_without_names_of_their_own_stay_with_their_operators(tensorflows: Built) -> None:
    model = tensorflows.read("nameless")
    assert model.main is not None
    products = [node for node in model.main.nodes if node.op == "MatMul"]
    assert [model.tensors[node.inputs[1]].shape for node in products] == [(3, 4), (4, 2)]


def test_functions_are_graphs(tensorflows: Built) -> None:
    model = tensorflows.read("program")
    main = model.main
    assert main is not None
    inner = {node.op: node.graphs for node in main.nodes if node.graphs}
    assert set(inner) == {"StatelessIf", "StatelessWhile"}
    body = next(model.graph(name) for name in inner["StatelessWhile"] if "body" in name)
    assert body is not None
    assert "Mul" in {node.op for node in body.nodes}
    assert len(body.inputs) == len(body.outputs) == 4


def test_every_name_in_a_graph_is_made_or_stored(tensorflows: Built) -> None:
    for name in ("program", "exported"):
        assert dangling(tensorflows.read(name)) == []


def test_variables_of_all_kinds(tensorflows: Built) -> None:
    tensors = tensorflows.read("program").tensors
    stored = {name: tensor for name, tensor in tensors.items() if tensor.place.file}
    assert {name: (t.dtype, t.shape, t.role) for name, t in stored.items()} == {
        "v": ("float32", (4, 3), Role.WEIGHT),
        "count": ("int32", (), Role.CONSTANT),
        "words": ("string", (2,), Role.CONSTANT),
    }
    assert np.array_equal(tensorflows.values("program", stored["v"]), np.arange(12.0).reshape(4, 3))
    assert tensorflows.values("program", stored["count"]) == 7
    assert tensorflows.values("program", stored["words"]).tolist() == ["a", "bc"]


def test_constants_have_values(tensorflows: Built) -> None:
    tensors = tensorflows.read("program").tensors
    constants = {n: tensorflows.values("program", t).tolist() for n, t in tensors.items() if not t.place.file}
    assert 2.0 in constants.values()  # y * 2.0 in the body of the loop
    assert all(tensor.role is Role.CONSTANT for tensor in tensors.values() if not tensor.shape)


def test_files_are_a_danger_that_is_named(tensorflows: Built) -> None:
    notes = tensorflows.read("program").notes
    assert [(note.level, note.text) for note in notes] == [
        ("danger", "The model has operators that reach outside of it: ReadFile (reads files).")
    ]
    assert tensorflows.read("exported").notes == ()


def test_the_file_inside_opens_the_same_model(tensorflows: Built) -> None:
    source = tensorflows.source("exported/saved_model.pb")
    assert identify(source) is FORMAT
    model = FORMAT.read(source)
    assert model.tensors == tensorflows.read("exported").tensors
    assert FORMAT.fetch(source, model.tensors["mlp/dense/bias"]).shape == (128,)


def test_a_missing_folder_of_variables_is_said(copied: Path) -> None:
    shutil.rmtree(copied / "variables")
    model = FORMAT.read(Source(copied))
    assert [note.text for note in model.notes] == ["The folder variables is missing."]
    assert model.main is not None


def test_missing_values_are_an_error_in_words(copied: Path) -> None:
    model = FORMAT.read(Source(copied))
    (copied / "variables" / "variables.data-00000-of-00001").write_bytes(b"")
    with pytest.raises(FormatError, match="ends inside the tensor 'mlp/dense/kernel'"):
        FORMAT.fetch(Source(copied), model.tensors["mlp/dense/kernel"])


def test_variables_behind_a_link_are_refused(copied: Path, tmp_path: Path) -> None:
    model = FORMAT.read(Source(copied))
    shutil.move(copied / "variables", tmp_path / "elsewhere")
    (copied / "variables").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FormatError, match="is a link that leaves the model's folder"):
        FORMAT.read(Source(copied))
    with pytest.raises(FormatError, match="is a link that leaves the model's folder"):
        FORMAT.fetch(Source(copied), model.tensors["mlp/dense/kernel"])


@pytest.mark.parametrize("part", ["saved_model.pb", "variables/variables.index"])
def test_damage_is_a_model_or_an_error(copied: Path, part: str) -> None:
    data, chance = (copied / part).read_bytes(), random.Random(part)
    refused = 0
    for round_ in range(120):
        new = bytearray(data[: chance.randrange(len(data))] if round_ % 2 else data)
        for _ in range(chance.choice([0, 1, 8]) if new else 0):
            new[chance.randrange(len(new))] = chance.randrange(256)
        (copied / part).write_bytes(new)
        with suppress(FormatError):
            FORMAT.read(Source(copied))
            continue
        refused += 1
    assert refused > 30


@pytest.mark.parametrize(
    "data", [b"", b"\x08\x01\x12\xff\xff\xff\xff\x7f\n", b"\x08\x01\x12\x03\n\xff\x01", b"\x00" * 50]
)
def test_hostile_bytes(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "saved_model.pb").write_bytes(data)
    for path in (tmp_path, tmp_path / "saved_model.pb"):
        with pytest.raises(FormatError):
            FORMAT.read(Source(path))


def test_the_table_of_variables_is_bounded(copied: Path) -> None:
    bundle = read_bundle(Source(copied), "variables/variables")
    assert bundle.shards == 1
    assert "_CHECKPOINTABLE_OBJECT_GRAPH" in bundle.entries
    with pytest.raises(FormatError):
        varint(b"\xff" * 20, 0)
    with pytest.raises(FormatError):
        list(fields(b"\x0a\x7fabc"))
