"""TorchScript: what is read without torch is what torch says."""

from __future__ import annotations

from math import prod
from pathlib import Path

import numpy as np
import pytest
from built import Built, dangling

from inspector.errors import FormatError
from inspector.formats import Source, Support, identify
from inspector.formats._torch_shapes import propagate
from inspector.formats.torch_script import FORMAT
from inspector.ir import Model, Role

KINDS = tuple(f"{name}_{way}" for name in ("simple", "mixed", "attention", "odd") for way in ("script", "trace"))


def counted(model: Model, *roles: Role) -> int:
    return sum(tensor.count for tensor in model.tensors.values() if tensor.role in roles and not tensor.same_as)


def shaped(model: Model, facts: dict[str, object]) -> Model:
    """The model under the shapes that torch ran it with."""
    main = model.main
    assert main is not None
    shapes = facts["inputs"]
    assert isinstance(shapes, list)
    return propagate(model, {value.name: tuple(shape) for value, shape in zip(main.inputs, shapes, strict=True)})


@pytest.mark.parametrize("kind", KINDS)
def test_parameters_are_torchs_own(torchscripts: Built, kind: str) -> None:
    model, facts = torchscripts.read(f"{kind}.pt"), torchscripts.facts[kind.split("_")[0]]
    assert counted(model, Role.WEIGHT) == facts["parameters"]
    assert sum(t.count for t in model.tensors.values() if t.trainable and not t.same_as) == facts["trainable"]
    assert counted(model, Role.BUFFER) == facts["buffers"]
    assert sorted(name for name in model.tensors if not name.startswith("CONSTANTS")) == facts["names"]


@pytest.mark.parametrize("kind", KINDS)
def test_values_are_torchs_own(torchscripts: Built, kind: str) -> None:
    model = torchscripts.read(f"{kind}.pt")
    with np.load(torchscripts.folder / f"{kind.split('_')[0]}.npz") as want:
        for name in want.files:
            got = torchscripts.values(f"{kind}.pt", model.tensors[name])
            assert got.shape == model.tensors[name].shape
            assert got.flags.c_contiguous
            assert np.array_equal(np.asarray(got, np.float32), want[name]), name


@pytest.mark.parametrize("kind", KINDS)
def test_shapes_are_those_of_a_run(torchscripts: Built, kind: str) -> None:
    facts = torchscripts.facts[kind.split("_")[0]]
    model = shaped(torchscripts.read(f"{kind}.pt"), facts)
    main = model.main
    assert main is not None
    assert [list(value.shape or ()) for value in main.outputs] == facts["outputs"]
    assert all(value.dtype == "float32" for value in main.outputs)
    last = {node.module: node for node in main.nodes}
    for module, shape in facts["shapes"].items():
        if module in last:
            value = main.values[last[module].outputs[0]]
            assert list(value.shape or ()) == shape, module
    assert len(set(facts["shapes"]) & set(last)) >= len(facts["shapes"]) * 0.8


def test_traced_files_carry_their_shapes(torchscripts: Built) -> None:
    model = torchscripts.read("mixed_trace.pt")
    assert model.metadata["traced with"] == "float32[2, 1, 28, 28]"
    assert [value.shape for value in model.signatures[0].outputs] == [(2, 8), (2, 4, 16, 16), (2, 28, 32)]
    main = model.main
    assert main is not None
    assert main.inputs[0].dtype == "float32"
    unknown = [node.name for node in main.nodes if main.values.get(node.outputs[0]) is None]
    assert unknown == []


def test_scripted_files_have_no_shapes_until_told(torchscripts: Built) -> None:
    model = torchscripts.read("mixed_script.pt")
    assert [value.shape for value in model.signatures[0].inputs] == [None]
    assert "prim::If" in {node.op for node in model.main.nodes}  # type: ignore[union-attr]
    told = FORMAT.reshape(model, {"x": ("batch", 1, 28, 28)})  # type: ignore[misc]
    assert [value.shape for value in told.signatures[0].outputs] == [
        ("batch", 8),
        ("batch", 4, 16, 16),
        ("batch", 28, 32),
    ]
    assert "prim::If" not in {node.op for node in told.main.nodes}  # type: ignore[union-attr]
    assert [graph.name for graph in told.graphs] == ["forward"]


def test_shapes_that_do_not_fit_are_said_in_words(torchscripts: Built) -> None:
    model = torchscripts.read("simple_script.pt")
    with pytest.raises(FormatError) as error:
        propagate(model, {"x": (1, 3, 28, 28)})
    assert str(error.value) == (
        "These shapes do not fit the model: stack.0/linear takes 784 features and would get 2352."
    )


def test_the_graph_is_torchs_operators_with_module_paths(torchscripts: Built) -> None:
    for kind in ("simple_script", "simple_trace"):
        main = torchscripts.read(f"{kind}.pt").main
        assert main is not None
        assert [(node.name, node.op, node.module) for node in main.nodes] == [
            ("flatten/flatten", "aten::flatten", "flatten"),
            ("stack.0/linear", "aten::linear", "stack.0"),
            ("stack.1/relu", "aten::relu", "stack.1"),
            ("stack.2/linear", "aten::linear", "stack.2"),
            ("stack.3/relu", "aten::relu", "stack.3"),
            ("stack.4/linear", "aten::linear", "stack.4"),
        ]
        assert main.nodes[1].inputs == ("flatten/flatten", "stack.0.weight", "stack.0.bias")
        assert main.nodes[0].attributes == {"start_dim": 1}


def test_attributes_have_the_names_of_the_schema(torchscripts: Built) -> None:
    main = torchscripts.read("mixed_trace.pt").main
    assert main is not None
    conv = next(node for node in main.nodes if node.module == "conv")
    assert conv.op == "aten::_convolution"
    assert {key: conv.attributes[key] for key in ("stride", "padding", "groups", "transposed")} == {
        "stride": (2, 2),
        "padding": (1, 1),
        "groups": 1,
        "transposed": False,
    }
    assert next(node for node in main.nodes if node.op == "aten::cat").inputs == ("split:1", "split:0")


def test_the_module_tree_has_classes_and_settings(torchscripts: Built) -> None:
    modules = {module.path: module for module in torchscripts.read("mixed_script.pt").modules}
    assert list(modules) == ["", "conv", "norm", "pool", "up", "lstm", "drop"]
    assert modules[""].type == "Mixed"
    assert modules["conv"].type == "torch.nn.modules.conv.Conv2d"
    assert modules["conv"].attributes["out_channels"] == 8
    assert modules["drop"].attributes["p"] == 0.1
    assert modules["norm"].attributes["training"] is False


def test_conditions_and_loops_are_nodes_with_graphs(torchscripts: Built) -> None:
    model = torchscripts.read("looping_script.pt")
    main = model.main
    assert main is not None
    inner = {node.op: node.graphs for node in main.nodes if node.graphs}
    assert inner == {"prim::Loop": ("loop/body",), "prim::If": ("if/then", "if/else")}
    assert [node.op for node in model.graph("if/then").nodes] == ["aten::relu"]  # type: ignore[union-attr]
    assert [value.name for value in main.outputs] == ["looped", "chosen"]
    assert [value.name for value in torchscripts.read("named_script.pt").signatures[0].outputs] == ["first", "second"]


def test_every_name_in_a_graph_is_made_or_stored(torchscripts: Built) -> None:
    for path in sorted(torchscripts.folder.glob("*_*.pt")):
        model = torchscripts.read(path.name)
        assert dangling(model) == [], path.name
        names = [node.name for graph in model.graphs for node in graph.nodes]
        assert len(names) == len(set(names))


def test_frozen_weights_are_weights_although_they_are_constants(torchscripts: Built) -> None:
    model = torchscripts.read("mixed_frozen.pt")
    facts = torchscripts.facts["mixed"]
    folded = 2 * 8  # freezing folds the normalisation into the convolution
    assert counted(model, Role.WEIGHT, Role.BUFFER) == facts["parameters"] + facts["buffers"] - 2 * folded


def test_tied_weights_are_named_twice_and_counted_once(torchscripts: Built) -> None:
    tensors = torchscripts.read("attention_trace.pt").tensors
    assert {tensors["embed.weight"].same_as, tensors["head.weight"].same_as} == {"", "embed.weight"}


def test_a_model_saved_in_training_says_so(torchscripts: Built) -> None:
    model = torchscripts.read("training.pt")
    assert model.metadata["saved in mode"] == "training"
    drop = next(node for node in model.main.nodes if node.op == "aten::dropout")  # type: ignore[union-attr]
    assert drop.attributes["train"] is True


def test_code_is_there_as_text(torchscripts: Built) -> None:
    texts = torchscripts.read("simple_trace.pt").texts
    assert any("torch.linear(" in text for text in texts.values())


def test_defaults_of_forward_are_said(torchscripts: Built) -> None:
    notes = [note.text for note in torchscripts.read("mixed_script.pt").notes]
    assert notes == ["The graph is that of a call with flag = False."]


def test_the_sample(samples: Path) -> None:
    source = Source(samples / "digits_mlp.torchscript.pt")
    assert identify(source) is FORMAT
    model = FORMAT.read(source)
    assert counted(model, Role.WEIGHT, Role.BUFFER) == 669_706
    assert [(v.name, v.shape) for v in model.signatures[0].inputs] == [("input", (1, 1, 28, 28))]
    assert [(v.name, v.shape) for v in model.signatures[0].outputs] == [("output", (1, 10))]
    assert all(prod(FORMAT.fetch(source, t).shape) == t.count for t in model.tensors.values())


def test_a_state_dict_is_not_torchscript(torchscripts: Built) -> None:
    assert FORMAT.sniff(torchscripts.source("state.pt").glimpse()) is Support.NO
    assert FORMAT.sniff(torchscripts.source("simple_trace.pt").glimpse()) is Support.YES


@pytest.mark.parametrize("kind", ["mixed_script", "mixed_trace"])
def test_nodes_say_where_they_were_written(torchscripts: Built, kind: str) -> None:
    text = Path(__file__).with_name("build_torch_script.py").read_text().splitlines()
    main = torchscripts.read(f"{kind}.pt").main
    assert main is not None
    for op, words in (("relu", "torch.relu(self.norm(self.conv(x)))"), ("cat", "torch.cat([b, a], 1)")):
        file, _, line = next(node.source for node in main.nodes if node.op == f"aten::{op}").rpartition(":")
        assert Path(file).name == "build_torch_script.py"
        assert words in text[int(line) - 1]


def test_names_of_sizes_reach_the_outputs(torchscripts: Built) -> None:
    model = propagate(torchscripts.read("attention_script.pt"), {"ids": ("batch", "time")})
    assert [(value.dtype, value.shape) for value in model.signatures[0].outputs] == [("float32", ("batch", "time", 50))]
    attention = [node for node in model.main.nodes if node.op.endswith("scaled_dot_product_attention")]  # type: ignore[union-attr]
    assert [model.main.values[node.outputs[0]].shape for node in attention] == [("batch", 2, "time", 8)] * 2  # type: ignore[union-attr]
