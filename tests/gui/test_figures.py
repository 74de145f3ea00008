"""The figures of what is selected: as the table says them, and why one is not known."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from pytestqt.qtbot import QtBot

from inspector.engines.summary.rows import Port, Row
from inspector.viewmodels.columns import COLUMNS, column_number
from inspector.viewmodels.figures import figures_of
from inspector.viewmodels.selection import Target
from inspector.viewmodels.unknown import why_unknown
from inspector.views.node_panel import NodePanel

if TYPE_CHECKING:
    from inspector.app.window import MainWindow
    from inspector.viewmodels.document import DocumentModel

Opened = Callable[..., "DocumentModel"]


def mysterious(folder: Path) -> Path:
    """x → Gemm → an operator that nobody knows → MatMul."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    graph = helper.make_graph(
        [
            helper.make_node("MatMul", ["x", "w"], ["h"], name="first"),
            helper.make_node("Mystery", ["h"], ["m"], name="mystery", domain="acme"),
            helper.make_node("MatMul", ["m", "v"], ["y"], name="second"),
            helper.make_node("Reshape", ["h", "to"], ["r"], name="view"),
        ],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [2, 800])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in ("y", "r")],
        [
            numpy_helper.from_array(np.ones((800, 4), np.float32), "w"),
            numpy_helper.from_array(np.ones((4, 3), np.float32), "v"),
            numpy_helper.from_array(np.array([-1], np.int64), "to"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18), helper.make_opsetid("acme", 1)])
    onnx.save(model, folder / "mystery.onnx")
    return folder / "mystery.onnx"


def test_the_panel_says_what_the_table_says(window: MainWindow, opened: Opened, qtbot: QtBot, tmp_path: Path) -> None:
    document = opened(mysterious(tmp_path))
    with qtbot.waitSignal(document.rows_changed):
        document.set_grouping("operators")
    panel = window.findChild(NodePanel, "nodePanel")
    seen: dict[str, dict[str, tuple[str, str]]] = {}
    for index, row in enumerate(document.layers.all_rows()):
        document.selection.select(Target("node", row.name, nodes=(row.name,)))
        qtbot.waitUntil(lambda name=row.name: getattr(panel._model.details, "subtitle", "") == name)
        section = figures_of(panel._model.details)
        assert section.facts
        for fact in section.facts:
            column = next(column for column in COLUMNS if column.title == fact.name)
            cell = document.layers.index(document.layers.position(index), column_number(column.key))
            assert fact.text == cell.data() == column.text(row), (row.name, column.key)
            assert column.tip in fact.tip
        seen[row.name] = {fact.name: (fact.text, fact.tip.partition("\n")[2]) for fact in section.facts}
        text = panel.text.toPlainText()
        assert "Figures" in text
        assert "FLOPs/byte" in text
    assert seen["first"]["MACs"] == ("6,400", "")
    assert seen["first"]["Live"] == ("6.43 kB", "6,432 bytes")
    assert seen["second"]["MACs"][0] == "?"
    assert "shapes of y, m" in seen["second"]["MACs"][1]
    assert seen["mystery"]["Memory"] == (
        "?", "The file does not say the shape of m, and it does not follow from what it says."
    )  # fmt: skip
    assert seen["view"]["FLOPs/byte"] == ("–", "It moves no bytes.")


def test_a_module_has_the_sums_of_the_table_by_module(window: MainWindow, opened: Opened, qtbot: QtBot) -> None:
    document = opened("digits_mlp.pt2")
    with qtbot.waitSignal(document.rows_changed):
        document.set_grouping("modules")
    whole = next(row for row in document.layers.all_rows() if row.layers)
    document.selection.select(document.target_of(whole))
    panel = window.findChild(NodePanel, "nodePanel")
    qtbot.waitUntil(lambda: getattr(panel._model.details, "kind", "") == "module")
    facts = {fact.name: fact.text for fact in figures_of(panel._model.details).facts}
    assert facts == {title: column.text(whole) for column in COLUMNS if (title := column.title) in facts}
    assert facts["MACs"] == "668,672"
    assert facts["Parameters"] == "669,706"


def test_a_tip_stands_at_the_figure(window: MainWindow, opened: Opened, qtbot: QtBot, tmp_path: Path) -> None:
    document = opened(mysterious(tmp_path))
    document.selection.select(Target("node", "second", nodes=("second",)))
    panel = window.findChild(NodePanel, "nodePanel")
    qtbot.waitUntil(lambda: "second" in panel.text.toPlainText())
    cursor = panel.text.document().find("MACs")
    assert cursor.charFormat().toolTip().startswith("Multiply-adds of one call")
    marks = []
    cursor = panel.text.document().find("?")
    while not cursor.isNull():
        marks.append(cursor.charFormat().toolTip())
        cursor = panel.text.document().find("?", cursor)
    assert any("does not follow" in mark for mark in marks)


def test_reasons() -> None:
    row = Row(index=0, name="a", type="Linear", nodes=("a",), outputs=(Port("y", "", (1,)),))
    assert why_unknown(row, "activation_bytes") == "The file does not say the type of y."
    assert why_unknown(row, "macs") == "It does not follow from the shapes, as far as Linear is known here."
    assert why_unknown(row, "parameters") == why_unknown(row, "name") == ""
    assert why_unknown(Row(index=0, name="w", type="Tensor"), "macs") == "No operation in the file uses these weights."
    many = tuple(Port(f"i{number}", "float32") for number in range(5))
    assert "shapes of i0, i1, i2 and 2 more" in why_unknown(
        Row(index=0, name="a", type="X", nodes=("a",), inputs=many), "macs"
    )
    assert "any layer" in why_unknown(Row(index=0, name="a", type="X", layers=3), "flops")
