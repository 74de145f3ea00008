"""The window without a mouse: panes, filter, table, tree; and what is greyed says why."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLineEdit,
    QTabBar,
    QTreeView,
    QWidget,
)
from pytestqt.qtbot import QtBot

from inspector.jobs.job import Outcome
from tests.rest import rest

if TYPE_CHECKING:
    from inspector.app.window import MainWindow
    from inspector.viewmodels.document import DocumentModel

Opened = Callable[..., "DocumentModel"]
PAGES = ("overview", "layers", "graph", "compare")


def press(window: MainWindow, keys: str) -> None:
    """Run what has these keys, as Qt would."""
    [action] = [each for each in window.findChildren(QAction) if each.shortcut() == QKeySequence(keys)]
    assert action.isEnabled()
    action.trigger()


def where(window: MainWindow) -> str:
    """The pane that has the focus."""
    focus = QApplication.focusWidget()
    assert focus is not None
    page = window.page
    panes = {
        "tabs": window.tabs.tabBar(), "pages": page.pages.tabBar(), "page": page.pages.currentWidget(),
        "convert": page.convert, **{key: dock.widget() for key, dock in window.docks.docks.items()},
    }  # fmt: skip
    return next(name for name, pane in panes.items() if pane is focus or pane.isAncestorOf(focus))


def test_f6_goes_round_the_panes_and_back(window: MainWindow, opened: Opened, qtbot: QtBot) -> None:
    document = opened("digits_cnn.onnx")
    window.activateWindow()
    window.show_page("layers")
    document.selection.select(document.target_of(document.layers.row(1)))
    qtbot.waitUntil(lambda: "Figures" in window.docks.node.text.toPlainText())
    qtbot.waitUntil(lambda: window.page.convert.page is not None, timeout=30_000)
    rest(qtbot)
    window.tabs.tabBar().setFocus()
    seen = []
    for _ in range(6):
        seen.append(where(window))
        press(window, "F6")
    assert seen == ["tabs", "pages", "page", "convert", "modules", "node"]
    assert where(window) == "tabs"
    press(window, "Shift+F6")
    assert where(window) == "node"
    window.page.layers.table.setFocus()
    press(window, "F6")
    press(window, "Shift+F6")
    assert QApplication.focusWidget() is window.page.layers.table, "where it was last"


def test_filter_table_and_tree_by_keys(window: MainWindow, opened: Opened, qtbot: QtBot) -> None:
    document = opened("digits_cnn.onnx")
    window.activateWindow()
    press(window, "Ctrl+F")
    field, table = window.page.layers.filter, window.page.layers.table
    qtbot.waitUntil(field.hasFocus)
    qtbot.keyClicks(field, "head")
    assert document.layers.rowCount() == 1
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert table.hasFocus()
    assert document.selection.target.name == "head"
    press(window, "Ctrl+F")
    qtbot.waitUntil(field.hasFocus)
    qtbot.keyClick(field, Qt.Key.Key_Escape)
    assert field.text() == ""
    assert field.hasFocus()
    qtbot.keyClick(field, Qt.Key.Key_Escape)
    assert table.hasFocus()
    tree = window.findChild(QTreeView, "moduleTree")
    tree.setFocus()
    tree.setCurrentIndex(tree.model().index(0, 0))
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Left, Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Down):
        QTest.keyClick(tree, key)
    assert document.selection.target is not None
    assert document.selection.target.kind == "module"
    assert document.selection.target.name == window.docks.modules.model.module(tree.currentIndex()).path


def silent(window: MainWindow) -> list[str]:
    """What is greyed and does not say why."""
    kinds = QAbstractButton | QLineEdit | QComboBox | QAbstractSpinBox
    found = []
    for widget in window.findChildren(QWidget):
        inner = isinstance(widget.parentWidget(), QAbstractSpinBox | QComboBox | QLineEdit | QTabBar)
        if isinstance(widget, kinds) and widget.isVisible() and not widget.isEnabled() and not inner:
            around = widget
            while around is not None and not around.toolTip():
                around = around.parentWidget()
            if around is None:
                found.append(widget.objectName() or widget.accessibleName() or type(widget).__name__)
    return found


def test_everything_greyed_says_why_also_while_a_job_runs(window: MainWindow, opened: Opened, qtbot: QtBot) -> None:
    opened("digits_keras.keras")
    opened("digits_cnn.onnx")
    page = window.page
    qtbot.waitUntil(lambda: page.convert.page is not None, timeout=30_000)
    for key in PAGES:
        window.show_page(key)
        rest(qtbot)
        assert silent(window) == [], key
    panel, compare = page.convert.page, page.show_page("compare")
    browse, seed = panel.browse.toolTip(), compare.seed.toolTip()
    for model in (panel.model, compare.model):
        model.running.job = "job-x"  # as if one ran
        model.running.changed.emit()
    rest(qtbot)
    assert silent(window) == []
    assert "on its way" in compare.run_button.toolTip()
    window.show_page("overview")
    rest(qtbot)
    assert not panel.browse.isEnabled()
    assert "on its way" in panel.browse.toolTip()
    assert silent(window) == []
    for model in (panel.model, compare.model):
        model.running._on_ended("job-x", Outcome("cancelled"))
    assert (panel.browse.toolTip(), compare.seed.toolTip()) == (browse, seed)
    assert panel.browse.isEnabled()
