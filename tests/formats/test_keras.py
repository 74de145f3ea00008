"""Keras archives: what is read without Keras is what Keras says."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from built import Built, dangling

from inspector.engines.summary.summary import Summary
from inspector.errors import FormatError
from inspector.formats import Source, identify
from inspector.formats.keras import FORMAT
from inspector.ir import Model, Role

KINDS = ("sequential", "functional", "many", "unsafe")


def counted(model: Model) -> int:
    return sum(t.count for t in model.tensors.values() if t.role in (Role.WEIGHT, Role.BUFFER) and not t.same_as)


def rewritten(path: Path, target: Path, change: Any) -> Path:
    """A copy of an archive with its configuration changed."""
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            new.writestr(name, json.dumps(change(json.loads(data))) if name == "config.json" else data)
    return target


@pytest.mark.parametrize("kind", KINDS)
def test_parameters_are_those_of_the_summary(tensorflows: Built, kind: str) -> None:
    model, facts = tensorflows.read(f"{kind}.keras"), tensorflows.facts[kind]
    assert counted(model) == facts["parameters"]
    assert sum(t.count for t in model.tensors.values() if t.trainable) == facts["trainable"]


@pytest.mark.parametrize("kind", KINDS[:3])
def test_shapes_are_those_of_the_summary(tensorflows: Built, kind: str) -> None:
    model, facts = tensorflows.read(f"{kind}.keras"), tensorflows.facts[kind]
    main = model.main
    assert main is not None
    shapes = {node.name: main.values[node.outputs[0]].shape for node in main.nodes}
    told = {name: shape for name, shape in facts["shapes"].items() if name in shapes}
    assert len(told) >= len(facts["shapes"]) - len(main.inputs)
    assert {name: list(shapes[name] or ()) for name in told} == told
    assert [list(value.shape or ()) for value in main.outputs] == facts["outputs"]


@pytest.mark.parametrize("kind", ["sequential", "functional"])
def test_weights_have_keras_names_shapes_and_values(tensorflows: Built, kind: str) -> None:
    model = tensorflows.read(f"{kind}.keras")
    weights = {n: t for n, t in model.tensors.items() if t.role in (Role.WEIGHT, Role.BUFFER)}
    # A Sequential that was built as it was made has its own name in front of its layers'.
    wanted = {name.removeprefix("mlp/"): shape for name, shape in tensorflows.facts[kind]["weights"].items()}
    assert {name: list(t.shape) for name, t in weights.items()} == wanted
    with np.load(tensorflows.folder / f"{kind}.npz") as want:
        for name, tensor in weights.items():
            assert np.array_equal(
                tensorflows.values(f"{kind}.keras", tensor), want[f"mlp/{name}" if kind == "sequential" else name]
            ), name


def test_roles(tensorflows: Built) -> None:
    tensors = tensorflows.read("functional.keras").tensors
    assert tensors["batch_normalization/moving_mean"].role is Role.BUFFER
    assert tensors["batch_normalization/gamma"].trainable is True
    assert tensors["embedding/embeddings"].role is Role.WEIGHT
    assert tensors["embedding/embeddings"].trainable is False
    slots = [t for t in tensorflows.read("sequential.keras").tensors.values() if t.role is Role.OPTIMIZER]
    assert len(slots) == 10  # iterations, learning rate, two slots for each of four weights


def test_shared_layers_and_nested_models(tensorflows: Built) -> None:
    main = tensorflows.read("functional.keras").main
    assert main is not None
    nodes = {node.name: node for node in main.nodes}
    assert nodes["shared"].tensors == nodes["shared#2"].tensors == ("shared/kernel", "shared/bias")
    assert nodes["shared"].module == nodes["shared#2"].module == "shared"
    inner = [node for node in main.nodes if node.module.startswith("inner.")]
    assert [node.op for node in inner].count("Dense") == 2
    assert nodes["concatenate"].inputs == tuple(node.outputs[0] for node in inner if node.op == "LeakyReLU")
    assert [value.name for value in main.outputs] == ["kind", "size"]
    assert [(value.name, value.dtype) for value in main.inputs] == [("image", "float32"), ("tokens", "int32")]


def test_nodes_come_after_what_they_need(tensorflows: Built) -> None:
    for kind in KINDS:
        assert dangling(tensorflows.read(f"{kind}.keras")) == []


def test_lambda_is_shown_as_a_danger_and_not_run(tensorflows: Built) -> None:
    notes = tensorflows.read("unsafe.keras").notes
    assert [(note.level, note.text) for note in notes] == [
        ("danger", "The layer 'twice' (Lambda) contains Python bytecode.")
    ]


def test_foreign_code_is_named(tensorflows: Built, tmp_path: Path) -> None:
    def change(config: dict[str, Any]) -> dict[str, Any]:
        config["config"]["layers"][2]["config"]["activation"] = {"module": "os", "class_name": "system", "config": "id"}
        return config

    path = rewritten(tensorflows.folder / "sequential.keras", tmp_path / "a.keras", change)
    notes = FORMAT.read(Source(path)).notes
    assert [(note.level, note.text) for note in notes] == [
        ("danger", "The configuration names os.system, which is not a part of Keras.")
    ]


def test_a_class_of_the_authors_own_shows_its_weights(tensorflows: Built, tmp_path: Path) -> None:
    def change(config: dict[str, Any]) -> dict[str, Any]:
        return {"module": "mine", "class_name": "Net", "config": {}, "registered_name": "mine>Net"}

    path = rewritten(tensorflows.folder / "sequential.keras", tmp_path / "a.keras", change)
    model = FORMAT.read(Source(path))
    assert model.graphs == ()
    assert counted(model) == 101_770
    assert {note.level for note in model.notes} == {"warning", "info"}


@pytest.mark.parametrize(
    ("named", "shown"),
    [
        ({"module": None, "registered_name": "mine>Dense"}, "mine>Dense"),
        ({"module": None, "registered_name": "Dense"}, "Custom>Dense"),
        ({"module": "mine.layers", "registered_name": "Dense"}, "mine>Dense"),
    ],
)
def test_a_class_that_only_bears_a_name_of_keras_is_none_of_keras(
    tensorflows: Built, tmp_path: Path, named: dict[str, Any], shown: str
) -> None:
    def change(config: dict[str, Any]) -> dict[str, Any]:
        layer = next(each for each in config["config"]["layers"] if each["class_name"] == "Dense")
        layer.update(named)
        return config

    before = FORMAT.read(Source(tensorflows.folder / "sequential.keras"))
    model = FORMAT.read(Source(rewritten(tensorflows.folder / "sequential.keras", tmp_path / "a.keras", change)))
    assert shown in {node.op for node in model.graphs[0].nodes}
    assert counted(model) == counted(before), "its weights are found as before"
    (note,) = [note for note in model.notes if note.level == "warning"]
    assert "Dense, which is not a part of Keras" in note.text
    summary = Summary(model)
    assert not summary.totals.complete
    (row,) = [row for row in summary.rows("layers") if row.type == shown]
    assert row.macs is None


def test_the_sample(samples: Path) -> None:
    source = Source(samples / "digits_keras.keras")
    assert identify(source) is FORMAT
    model = FORMAT.read(source)
    assert counted(model) == 101_770
    assert model.producer.startswith("Keras 3.")
    assert [(v.name, v.shape) for v in model.signatures[0].inputs] == [("input", (None, 28, 28))]


NESTED = '{"class_name":"Sequential","config":{"layers":['
LOOP = {"args": [{"class_name": "__keras_tensor__", "config": {"keras_history": ["a", 0, 0]}}]}
LOOPED = {"class_name": "Dense", "config": {"name": "a", "units": "x"}, "inbound_nodes": [LOOP]}
HOSTILE = {
    "a list": "[]",
    "nothing": "{}",
    "text": "not json",
    "a number for a layer": '{"class_name": "Functional", "config": {"layers": [{"class_name": "Dense"}, 3]}}',
    "deep models": NESTED * 200 + '{"class_name":"Dense"}' + "]}}" * 200,
    "deep lists": "[" * 100_000,
    "a layer that needs itself": json.dumps(
        {"class_name": "Functional", "config": {"layers": [LOOPED], "output_layers": [["a", 0, 0]]}}
    ),
    "sizes that make no sense": NESTED
    + '{"class_name": "InputLayer", "config": {"batch_shape": [null, -4, 1e400]}},'
    + '{"class_name": "Conv2D", "config": {"filters": -1, "kernel_size": "abc"}}]}}',
}


@pytest.mark.parametrize("config", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_configurations(tmp_path: Path, config: str) -> None:
    path = tmp_path / "a.keras"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", config)
        archive.writestr("metadata.json", "{}")
    tensors, what = {}, "fine"
    try:
        tensors = FORMAT.read(Source(path)).tensors
    except FormatError as error:
        what = error.what
    assert what
    assert tensors == {}


def hostile(folder: Path, write: Any) -> Path:
    """An archive whose weights file is written by `write`."""
    import h5py

    with h5py.File(folder / "w.h5", "w") as file:
        write(file, h5py)
    config = {"class_name": "Sequential", "config": {"layers": [{"class_name": "Dense", "config": {"name": "dense"}}]}}
    with zipfile.ZipFile(folder / "a.keras", "w") as archive:
        archive.writestr("config.json", json.dumps(config))
        archive.write(folder / "w.h5", "model.weights.h5")
    return folder / "a.keras"


def test_links_that_leave_the_weights_are_not_followed(tmp_path: Path) -> None:
    import h5py

    secret = tmp_path / "secret.h5"
    with h5py.File(secret, "w") as file:
        file["0"] = np.ones(3)
    (tmp_path / "secret.txt").write_bytes(b"x" * 64)

    def write(file: Any, h5: Any) -> None:
        group = file.create_group("layers/dense/vars")
        group["0"] = h5.ExternalLink(str(secret), "0")
        group["1"] = h5.SoftLink("/layers")
        group.create_dataset("2", (16,), "float32", external=[(str(tmp_path / "secret.txt"), 0, 64)])
        layout = h5.VirtualLayout((3,), "float64")
        layout[:] = h5.VirtualSource(str(secret), "0", shape=(3,))
        group.create_virtual_dataset("3", layout)
        group["4"] = np.arange(3.0)
        file["layers/again"] = file["layers"]  # a cycle of hard links

    path = hostile(tmp_path, write)
    source = Source(path)
    model = FORMAT.read(source)
    assert [tensor.place.layout["path"] for tensor in model.tensors.values()] == ["layers/dense/vars/4"]
    assert [note.level for note in model.notes] == ["danger"]
    kept = next(iter(model.tensors.values()))
    for key in "0123":
        with pytest.raises(FormatError):
            FORMAT.fetch(
                source,
                kept.__class__("x", "float32", (3,), kept.place.__class__(layout={"path": f"layers/dense/vars/{key}"})),
            )


def test_a_dataset_that_claims_terabytes_is_refused(tmp_path: Path) -> None:
    def write(file: Any, _h5: Any) -> None:
        file.create_dataset("layers/dense/vars/0", (1 << 20, 1 << 20), "float32", chunks=(64, 64), compression="gzip")

    model = FORMAT.read(Source(hostile(tmp_path, write)))
    assert model.tensors == {}
    assert "claims 4,398,046,511,104 bytes" in model.notes[0].text


def test_the_state_of_a_seed_is_no_parameter(tmp_path: Path) -> None:
    def write(file: Any, _h5: Any) -> None:
        file["layers/dense/seed_generator/vars/0"] = np.zeros(2, np.uint32)
        file["layers/dense/vars/0"] = np.zeros((2, 3), np.float32)

    tensors = FORMAT.read(Source(hostile(tmp_path, write))).tensors
    assert {name: t.role for name, t in tensors.items()} == {
        "dense/seed_generator/seed_generator_state": Role.CONSTANT,
        "dense/kernel": Role.WEIGHT,
    }
