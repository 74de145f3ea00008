"""The table by module: it adds up at every depth, and each row stands beneath its module."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

from inspector.engines.summary.rows import Row
from inspector.engines.summary.summary import Summary
from inspector.formats import Source, identify

FIGURES = ("parameters", "trainable", "parameter_bytes", "macs", "flops", "activation_bytes", "moved_bytes")


def summary(path: Path) -> Summary:
    source = Source(path)
    return Summary(identify(source).read(source), {})


@pytest.mark.parametrize(
    "name",
    [
        "digits_cnn.onnx",
        "digits_cnn.pt2",
        "digits_mlp.pt2",
        "digits_mlp.onnx",
        "digits_mlp.torchscript.pt",
        "digits_keras.keras",
    ],
)
def test_every_depth_adds_up_to_the_totals(samples: Path, name: str) -> None:
    made = summary(samples / name)
    rows, layers = made.rows("modules"), made.rows("layers")
    assert [row.index for row in rows] == list(range(len(rows)))
    assert sorted(row.name for row in rows if not row.layers) == sorted(row.name for row in layers)
    for figure in FIGURES:
        top = sum(getattr(row, figure) or 0 for row in rows if row.level == 0)
        assert top == sum(getattr(row, figure) or 0 for row in layers), figure
    for position, row in enumerate(rows):
        if row.layers:
            beneath = inside(rows, position)
            assert row.layers == sum(1 for each in beneath if not each.layers)
            assert row.parameters == sum(each.parameters for each in beneath if not each.layers)
            assert all(each.module == row.name or each.module.startswith(f"{row.name}.") for each in beneath)
    assert rows[3:7] == made.page("modules", -1, 3, 7)


def inside(rows: tuple[Row, ...], position: int) -> list[Row]:
    found = []
    for row in rows[position + 1 :]:
        if row.level <= rows[position].level:
            break
        found.append(row)
    return found


def test_a_module_says_what_enters_and_leaves_it(samples: Path) -> None:
    rows = {row.name: row for row in summary(samples / "digits_cnn.onnx").rows("modules")}
    block = rows["blocks.0"]
    assert (block.level, block.layers, block.type, block.dtype) == (1, 5, "Block", "float32")
    assert [port.shape for port in (*block.inputs, *block.outputs)] == [("batch", 16, 14, 14)] * 2
    assert rows["node_add_40"].level == 2, "what a module does itself stands beneath it"
    assert rows["blocks"].macs == 2 * (block.macs or 0)


def test_tied_weights_say_with_whom(tmp_path: Path) -> None:
    weight = helper.make_tensor("embed.weight", TensorProto.FLOAT, [4, 4], [0.5] * 16)
    nodes = [
        helper.make_node("MatMul", ["x", "embed.weight"], ["a"], name="first"),
        helper.make_node("Relu", ["a"], ["b"], name="act"),
        helper.make_node("MatMul", ["b", "embed.weight"], ["y"], name="second"),
    ]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 4]) for name in ("x", "y")]
    opset = [helper.make_opsetid("", 18)]
    graph = helper.make_graph(nodes, "g", ends[:1], ends[1:], [weight])
    onnx.save(helper.make_model(graph, opset_imports=opset), tmp_path / "tied.onnx")
    rows = {row.name: row for row in summary(tmp_path / "tied.onnx").rows()}
    assert rows["first"].shares == ()
    assert rows["second"].shares == ("embed.weight",)
    assert (rows["first"].parameters, rows["second"].parameters) == (16, 0)
