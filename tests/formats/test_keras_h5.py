"""Keras in HDF5: the same model as its `.keras` file, and links that are not followed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from built import Built

from inspector.errors import FormatError
from inspector.formats import Source, identify
from inspector.ir import Model, Role

NAMES = ("functional", "sequential")


def counted(model: Model, *roles: Role) -> int:
    return sum(t.count for t in model.tensors.values() if t.role in roles and not t.same_as)


@pytest.mark.parametrize("name", NAMES)
def test_it_is_the_model_of_the_keras_file(tf_graphs: Built, name: str) -> None:
    model, keras = tf_graphs.read(f"{name}.h5"), tf_graphs.read(f"{name}.keras")
    facts = tf_graphs.facts[name]
    assert model.format == "keras.h5"
    assert counted(model, Role.WEIGHT, Role.BUFFER) == facts["parameters"]
    assert sum(t.count for t in model.tensors.values() if t.trainable) == facts["trainable"]
    assert model.main is not None
    assert keras.main is not None
    assert model.main.inputs == keras.main.inputs
    assert model.main.outputs == keras.main.outputs
    assert [(n.name, n.op, sorted(n.tensors)) for n in model.main.nodes] == [
        (n.name, n.op, sorted(n.tensors)) for n in keras.main.nodes
    ]
    weights = [t for t in keras.tensors.values() if t.role is not Role.OPTIMIZER]
    for tensor in weights:
        mine = model.tensors[tensor.name]
        assert (mine.shape, mine.role, mine.trainable) == (tensor.shape, tensor.role, tensor.trainable)
        got = tf_graphs.values(f"{name}.h5", mine)
        assert np.array_equal(got, tf_graphs.values(f"{name}.keras", tensor))
    assert model.metadata["optimizer"] == "Adam"


@pytest.mark.parametrize("name", [*NAMES, "own"])
def test_weights_alone_are_all_there(tf_graphs: Built, name: str) -> None:
    model = tf_graphs.read(f"{name}.weights.h5")
    assert not model.graphs
    assert counted(model, Role.WEIGHT, Role.BUFFER) == tf_graphs.facts[name]["parameters"]
    assert all(tensor.trainable is not True for tensor in model.tensors.values())
    assert model.notes[0].text.startswith("The file holds weights only")
    with np.load(tf_graphs.folder / f"{name}.npz") as want:
        stored = sorted(float(array.sum()) for array in want.values())
    found = [t for t in model.tensors.values() if t.role in (Role.WEIGHT, Role.BUFFER)]
    assert sorted(float(tf_graphs.values(f"{name}.weights.h5", t).sum()) for t in found) == stored


def older(path: Path, config: dict[str, Any], weights: dict[str, np.ndarray[Any, Any]], version: str) -> Model:
    """A file as Keras 1 and 2 wrote it."""
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps(config).encode()
        file.attrs["keras_version"] = version.encode()
        group = file.create_group("model_weights")
        layers = sorted({name.split("/")[0] for name in weights})
        group.attrs["layer_names"] = [name.encode() for name in layers]
        for layer in layers:
            inner = group.create_group(layer)
            own = {n.partition("/")[2]: array for n, array in weights.items() if n.startswith(f"{layer}/")}
            inner.attrs["weight_names"] = [name.encode() for name in own]
            for name, array in own.items():
                inner[name] = array
    source = Source(path)
    return identify(source).read(source)


def test_a_sequential_of_keras_1_has_its_shapes(tmp_path: Path) -> None:
    conv = {
        "name": "convolution2d_1", "nb_filter": 8, "nb_row": 3, "nb_col": 3, "border_mode": "valid",
        "subsample": [1, 1], "dim_ordering": "tf", "bias": True, "batch_input_shape": [None, 28, 28, 1],
    }  # fmt: skip
    layers = [
        {"class_name": "Convolution2D", "config": conv},
        {"class_name": "Flatten", "config": {"name": "flatten_1"}},
        {"class_name": "Dense", "config": {"name": "dense_1", "output_dim": 10, "bias": True}},
    ]
    weights = {
        "convolution2d_1/convolution2d_1_W:0": np.zeros((3, 3, 1, 8), np.float32),
        "convolution2d_1/convolution2d_1_b:0": np.zeros(8, np.float32),
        "dense_1/dense_1_W:0": np.zeros((5408, 10), np.float32),
        "dense_1/dense_1_b:0": np.zeros(10, np.float32),
    }
    model = older(tmp_path / "old.h5", {"class_name": "Sequential", "config": layers}, weights, "1.2.2")
    assert model.producer == "Keras 1.2.2"
    assert model.main is not None
    assert [(node.op, model.main.values[node.outputs[0]].shape) for node in model.main.nodes] == [
        ("Conv2D", (None, 26, 26, 8)),
        ("Flatten", (None, 5408)),
        ("Dense", (None, 10)),
    ]
    assert model.main.nodes[2].tensors == ("dense_1/dense_1_W", "dense_1/dense_1_b")


def test_a_functional_of_keras_2_calls_its_inner_model_by_its_own_numbers(tmp_path: Path) -> None:
    """As Keras 2.21 wrote it: call 0 of an inner model is its own making; operations have arguments beside tensors."""

    def layer(kind: str, name: str, calls: Any, **config: Any) -> dict[str, Any]:
        return {"class_name": kind, "name": name, "config": {"name": name, **config}, "inbound_nodes": calls}

    inner = [
        layer("InputLayer", "i", [], batch_input_shape=[None, 12]),
        layer("Dense", "d", [], units=5),
    ]
    two = ["mul", 0, 0, {"y": ["a", 0, 0], "name": None}]
    layers = [
        layer("InputLayer", "a", [], batch_input_shape=[None, 12]),
        layer("TFOpLambda", "mul", [["a", 0, 0, {"y": ["_CONSTANT_VALUE", -1, 2]}]], function="math.multiply"),
        layer("TFOpLambda", "add", [two], function="__operators__.add"),
        layer("Sequential", "inner", [[["a", 0, 0, {}]], [["add", 0, 0, {}]]], layers=inner),
        layer("Dense", "out", [[["inner", 1, 0, {}]]], units=3),
        layer("TFOpLambda", "mean", [["inner", 2, 0, {"axis": [-1], "keepdims": True}]], function="math.reduce_mean"),
        layer("TFOpLambda", "view", [["mean", 0, 0, {"shape": [-1, 1, 1]}]], function="reshape"),
        layer("TFOpLambda", "odd", [["view", 0, 0, {}]], function="linalg.inv"),
    ]
    ends = {"input_layers": [["a", 0, 0]], "output_layers": [["out", 0, 0], ["odd", 0, 0]]}
    config = {"class_name": "Functional", "config": {"name": "m", "layers": layers, **ends}}
    weights = {"inner/d/kernel:0": np.zeros((12, 5), np.float32), "out/out/kernel:0": np.zeros((5, 3), np.float32)}
    model = older(tmp_path / "two.h5", config, weights, "2.21.0")
    assert model.main is not None
    shapes = {node.name: model.main.values[node.outputs[0]].shape for node in model.main.nodes}
    assert shapes == {
        "mul": (None, 12), "add": (None, 12), "inner/d": (None, 5), "inner/d#2": (None, 5), "out": (None, 3),
        "mean": (None, 1), "view": (None, 1, 1), "odd": None,
    }  # fmt: skip
    nodes = {node.name: node for node in model.main.nodes}
    assert nodes["add"].inputs == ("mul", "a")
    assert nodes["inner/d"].inputs == ("a",)
    assert nodes["inner/d#2"].inputs == ("add",)
    assert nodes["out"].inputs == ("inner/d",)
    assert nodes["view"].attributes["shape"] == (-1, 1, 1)
    assert [value.name for value in model.main.outputs] == ["out", "odd"]


def test_names_that_tensorflow_numbered_twice(tmp_path: Path) -> None:
    config = {"name": "norm", "batch_input_shape": [None, 4]}
    layers = {"class_name": "Sequential", "config": [{"class_name": "BatchNormalization", "config": config}]}
    arrays = {f"norm/norm_3/{n}:0": np.zeros(4, np.float32) for n in ("gamma", "moving_mean")}
    model = older(tmp_path / "x.h5", layers, arrays, "2.0.5")
    assert {t.name: (t.role, t.trainable) for t in model.tensors.values()} == {
        "norm/gamma": (Role.WEIGHT, True),
        "norm/moving_mean": (Role.BUFFER, False),
    }


def test_code_in_a_configuration_is_named_and_not_run(tmp_path: Path) -> None:
    layers = [
        {"class_name": "Lambda", "config": {"name": "trick", "function": ["4wEAAAA=", None, None]}},
        {"class_name": "system", "module": "os", "config": {"name": "shell"}},
    ]
    weights = {"trick/w:0": np.zeros(1, np.float32)}
    model = older(tmp_path / "x.h5", {"class_name": "Sequential", "config": {"layers": layers}}, weights, "2.4.0")
    assert [note.text for note in model.notes if note.level == "danger"] == [
        "The layer 'trick' (Lambda) contains Python bytecode.",
        "The configuration names os.system, which is not a part of Keras.",
    ]


def test_links_and_foreign_storage_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"s" * 64)
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["x"] = np.ones(4)
    path = tmp_path / "x.h5"
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [b"a"]
        group = file.create_group("a")
        group["own"] = np.zeros(3, np.float32)
        group["external"] = h5py.ExternalLink("other.h5", "/x")
        group["soft"] = h5py.SoftLink("/a/own")
        group.create_dataset("raw", (8,), "f4", external=[(str(tmp_path / "secret"), 0, 32)])
        layout = h5py.VirtualLayout((4,), "f8")
        layout[:] = h5py.VirtualSource(str(tmp_path / "other.h5"), "x", (4,))
        group.create_virtual_dataset("virtual", layout)
        group["again"] = group
        group.create_dataset("huge", (1 << 40,), "f4", chunks=(1 << 20,))
    source = Source(path)
    model = identify(source).read(source)
    assert list(model.tensors) == ["a/own"]
    (note,) = [note for note in model.notes if note.level == "danger"]
    assert note.text.startswith("5 parts of the weights were not read, such as a/")


def test_hdf5_without_keras_is_named(tmp_path: Path) -> None:
    path = tmp_path / "x.h5"
    with h5py.File(path, "w") as file:
        file["data"] = np.zeros(4)
    with pytest.raises(FormatError) as caught:
        identify(Source(path))
    assert str(caught.value) == "x.h5 is an HDF5 file without a Keras model."


def test_cut_off_files_are_refused(tf_graphs: Built, tmp_path: Path) -> None:
    data = (tf_graphs.folder / "sequential.h5").read_bytes()
    path = tmp_path / "x.h5"
    for size in range(8, len(data), len(data) // 25):
        path.write_bytes(data[:size])
        source = Source(path)
        try:
            model = identify(source).read(source)
        except FormatError as error:
            assert error.what  # noqa: PT017 - the loop goes on
            continue
        assert any(note.level in ("warning", "danger") for note in model.notes), size


@pytest.mark.parametrize("config", [b"{", b"[]", b'{"class_name": "Sequential"}' * 2, b'{"a":' * 50_000])
def test_a_damaged_configuration_is_refused(tmp_path: Path, config: bytes) -> None:
    path = tmp_path / "x.h5"
    with h5py.File(path, "w", libver="latest") as file:
        file.attrs.create("model_config", np.bytes_(config))
    with pytest.raises(FormatError, match="configuration"):
        identify(Source(path)).read(Source(path))
