"""TensorFlow.js: graph-models and layers-models, shards, quantized weights, and paths that lead outside."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from built import Built, dangling

from inspector.errors import FormatError
from inspector.formats import Source, identify
from inspector.formats.tfjs import FORMAT
from inspector.ir import Model, Role


def counted(model: Model, *roles: Role) -> int:
    return sum(t.count for t in model.tensors.values() if t.role in roles and not t.same_as)


def read(folder: Path, fields: dict[str, Any]) -> Model:
    path = folder / "model.json"
    path.write_text(json.dumps(fields))
    source = Source(path)
    return identify(source).read(source)


def test_a_graph_model_is_the_graph_it_was_made_from(tf_graphs: Built) -> None:
    model, frozen = tf_graphs.read("js_graph/model.json"), tf_graphs.read("frozen.pb")
    assert (model.format, model.metadata["kind"]) == ("tfjs", "graph model")
    assert counted(model, Role.WEIGHT, Role.BUFFER) == tf_graphs.facts["frozen"]["parameters"]
    (image,), (scores,) = model.signatures[0].inputs, model.signatures[0].outputs
    assert (image.name, image.dtype, image.shape) == ("image", "float32", (None, 28, 28, 1))
    assert (scores.name, scores.dtype) == ("scores", "float32")
    assert [[node.op for node in graph.nodes] for graph in model.graphs] == [
        [node.op for node in graph.nodes] for graph in frozen.graphs
    ]
    assert not dangling(model)


def test_values_reach_over_shards_and_are_dequantized(tf_graphs: Built) -> None:
    name = "js_graph/model.json"
    model = tf_graphs.read(name)
    with np.load(tf_graphs.folder / "frozen.npz") as want:
        arrays = {array.shape: array for array in want.values()}
    for tensor in model.tensors.values():
        got = tf_graphs.values(name, tensor)
        assert got.shape == tensor.shape
        if tensor.role is Role.WEIGHT:
            want_array = arrays[tensor.shape]
            step = tensor.place.layout.get("scale", 0)
            assert isinstance(step, float | int)
            assert np.abs(got - want_array).max() <= step * 0.51
    (quantized,) = [t for t in model.tensors.values() if "stored" in t.place.layout]
    assert (quantized.dtype, quantized.place.layout["stored"], quantized.place.size) == ("float32", "uint8", 72)
    assert list(tf_graphs.values(name, model.tensors["words"])) == ["héllo", "", "x"]


@pytest.mark.parametrize("name", ["functional", "sequential"])
def test_a_layers_model_is_the_keras_model(tf_graphs: Built, name: str) -> None:
    model, keras = tf_graphs.read(f"js_{name}/model.json"), tf_graphs.read(f"{name}.keras")
    facts = tf_graphs.facts[name]
    assert counted(model, Role.WEIGHT, Role.BUFFER) == facts["parameters"]
    assert sum(t.count for t in model.tensors.values() if t.trainable) == facts["trainable"]
    assert [list(value.shape or ()) for value in model.signatures[0].outputs] == facts["outputs"]
    assert model.main is not None
    assert keras.main is not None
    assert [(node.name, node.op) for node in model.main.nodes] == [(node.name, node.op) for node in keras.main.nodes]
    for node in keras.main.nodes:
        (mine,) = [other for other in model.main.nodes if other.name == node.name]
        assert sorted(mine.tensors) == sorted(node.tensors)
    for tensor in model.tensors.values():
        want = tf_graphs.values(f"{name}.keras", keras.tensors[tensor.name])
        assert np.array_equal(tf_graphs.values(f"js_{name}/model.json", tensor), want)


TOPOLOGY = {"node": [{"name": "a", "op": "Placeholder"}, {"name": "b", "op": "Relu", "input": ["a"]}]}


@pytest.mark.parametrize(
    "path", ["../w.bin", "/etc/passwd", "C:\\w.bin", "a/../../w.bin", "http://a.b/w.bin", "w\0.bin", ""]
)
def test_shards_outside_the_folder_are_refused(tmp_path: Path, path: str) -> None:
    weights = [{"name": "w", "shape": [1], "dtype": "float32"}]
    with pytest.raises(FormatError, match=r"^The model names a side file outside its folder: "):
        read(tmp_path, {"modelTopology": TOPOLOGY, "weightsManifest": [{"paths": [path], "weights": weights}]})


def test_a_link_that_leads_outside_is_refused(tmp_path: Path) -> None:
    inside = tmp_path / "model"
    inside.mkdir()
    (tmp_path / "secret").write_bytes(bytes(4))
    (inside / "w.bin").symlink_to(tmp_path / "secret")
    weights = [{"name": "w", "shape": [1], "dtype": "float32"}]
    with pytest.raises(FormatError, match="is a link that leaves the model's folder"):
        read(inside, {"modelTopology": TOPOLOGY, "weightsManifest": [{"paths": ["w.bin"], "weights": weights}]})


def test_missing_and_short_shards_are_said_to_be(tf_graphs: Built, tmp_path: Path) -> None:
    folder = shutil.copytree(tf_graphs.folder / "js_functional", tmp_path / "m")
    shard = folder / "group1-shard1of1.bin"
    shard.write_bytes(shard.read_bytes()[:100])
    source = Source(folder / "model.json")
    model = FORMAT.read(source)
    total = sum(tensor.place.size for tensor in model.tensors.values())
    assert model.notes[0].text == f"The files with weights have 100 bytes of {total:,}."
    last = max(model.tensors.values(), key=lambda tensor: tensor.place.offset)
    with pytest.raises(FormatError, match="The files end inside the tensor"):
        FORMAT.fetch(source, last)
    shard.unlink()
    model = FORMAT.read(source)
    assert model.notes[0].text == ("The file 'group1-shard1of1.bin' with weights is missing: values cannot be shown.")
    with pytest.raises(FormatError):
        FORMAT.fetch(source, last)


@pytest.mark.parametrize(
    ("weight", "what"),
    [
        ({"name": "w", "shape": [-1], "dtype": "float32"}, "The weight 'w' has an impossible shape."),
        ({"name": "w", "shape": [2**70], "dtype": "float32"}, "The weight 'w' has an impossible shape."),
        ({"name": "w", "shape": [1], "dtype": "float31"}, "The manifest has a weight that makes no sense: "),
        ({"name": 1, "shape": [1], "dtype": "float32"}, "The manifest has a weight that makes no sense: "),
        (
            {"name": "w", "shape": [1], "dtype": "float32", "quantization": {"dtype": "x"}},
            "The weight 'w' is quantized in a way that is not known.",
        ),
    ],
)
def test_weights_that_make_no_sense_are_refused(tmp_path: Path, weight: dict[str, Any], what: str) -> None:
    (tmp_path / "w.bin").write_bytes(bytes(64))
    with pytest.raises(FormatError) as caught:
        read(tmp_path, {"modelTopology": TOPOLOGY, "weightsManifest": [{"paths": ["w.bin"], "weights": [weight]}]})
    assert caught.value.what.startswith(what)


def test_strings_that_claim_too_much_are_not_believed(tmp_path: Path) -> None:
    (tmp_path / "w.bin").write_bytes(b"\xff\xff\xff\xff" * 4)
    weights = [{"name": "w", "shape": [3], "dtype": "string"}, {"name": "v", "shape": [2**40], "dtype": "string"}]
    model = read(tmp_path, {"modelTopology": TOPOLOGY, "weightsManifest": [{"paths": ["w.bin"], "weights": weights}]})
    assert any("bytes of" in note.text for note in model.notes)
    for tensor in model.tensors.values():
        with pytest.raises(FormatError):
            FORMAT.fetch(Source(tmp_path / "model.json"), tensor)


@pytest.mark.parametrize(
    "topology",
    [
        {"node": 5},
        {"node": [{"name": 5}]},
        {"class_name": 5},
        {"node": [], "library": {"function": 1}},
    ],
)
def test_topologies_that_make_no_sense_are_refused(tmp_path: Path, topology: dict[str, Any]) -> None:
    with pytest.raises(FormatError):
        read(tmp_path, {"modelTopology": topology, "weightsManifest": []})


def test_a_topology_still_being_written_is_said_to_be_incomplete(tf_graphs: Built, tmp_path: Path) -> None:
    text = (tf_graphs.folder / "js_graph" / "model.json").read_text()
    for size in range(len(text) // 3, len(text) - 3, len(text) // 7):
        (tmp_path / "model.json").write_text(text[:size])
        with pytest.raises(
            FormatError, match=r"^model\.json (ends too early: it is incomplete|is damaged .*)\.$"
        ) as caught:
            FORMAT.read(Source(tmp_path / "model.json"))
        assert "fetch" in caught.value.hint.lower()
    (tmp_path / "model.json").write_text(text[: text.rindex('"') + 1])
    with pytest.raises(FormatError, match=r"^model\.json ends too early: it is incomplete\.$"):
        FORMAT.read(Source(tmp_path / "model.json"))
