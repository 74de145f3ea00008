"""Manners of the window: names, tips, the way of the Tab key, room for what matters, and a way back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QFont, QFontInfo
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QLabel,
    QLineEdit,
    QPushButton,
    QStyle,
    QStyleOptionComboBox,
    QTabBar,
    QTreeView,
    QWidget,
)
from pytestqt.qtbot import QtBot

from inspector.jobs.job import Outcome
from inspector.settings import Settings
from inspector.viewmodels.columns import column_number
from inspector.viewmodels.jobs import JobsModel
from inspector.viewmodels.workspace import Workspace
from inspector.views import look
from inspector.views.job_strip import JobStrip
from inspector.views.layer_cells import indent
from inspector.views.pieces import Elided, Wrapped
from inspector.views.tensor_panel import Statistics
from tests.rest import rest

if TYPE_CHECKING:
    from inspector.app.window import MainWindow
    from inspector.viewmodels.document import DocumentModel

Opened = Callable[..., "DocumentModel"]
PAGES = ("overview", "layers", "graph", "compare")


def stops(window: QWidget) -> list[QWidget]:
    """Where Tab stops, in its order."""
    found, widget = [], window.nextInFocusChain()
    while widget is not window:
        if widget.focusPolicy() & Qt.FocusPolicy.TabFocus and widget.isVisible() and widget.isEnabled():
            found.append(widget)
        widget = widget.nextInFocusChain()
    return found


@pytest.mark.parametrize("key", PAGES)
def test_tab_goes_from_models_to_page_to_docks(window: MainWindow, opened: Opened, qtbot: QtBot, key: str) -> None:
    opened("digits_mlp.pt2")
    for each in PAGES:  # pages are made when looked at: the order must not be that
        window.show_page(each)
    window.show_page(key)
    rest(qtbot)
    found = stops(window)
    assert window.page is not None
    inside = {"overview": "dim_s31", "layers": "layerFilter", "graph": "graphSearch", "compare": "compareOther"}
    below = [] if key == "compare" else ["convertTarget", "convertButton"]
    places = [
        found.index(window.tabs.tabBar()), found.index(window.page.pages.tabBar()),
        *(found.index(window.page.findChild(QWidget, name)) for name in (inside[key], *below)),
        found.index(window.findChild(QTreeView, "moduleTree")), found.index(window.strip.open_button),
    ]  # fmt: skip
    assert places == sorted(places)
    assert not [widget for widget in found if widget.height() < 8]  # nothing that nobody sees


def test_every_button_says_what_it_does(window: MainWindow, opened: Opened, qtbot: QtBot) -> None:
    opened("digits_mlp.pt2")
    window.toggle_dock("jobs")
    nameless, silent = [], []
    for key in PAGES:
        window.show_page(key)
        rest(qtbot)
        for widget in stops(window):
            words = widget.text() if isinstance(widget, QAbstractButton | QLabel) else ""
            if not (words or widget.accessibleName()):
                nameless.append((key, widget))
        for button in window.findChildren(QAbstractButton):
            hidden = not button.isVisible() or isinstance(button.parent(), QLineEdit | QTabBar)
            if not hidden and not button.toolTip() and (not button.text() or not button.isEnabled()):
                silent.append((key, button))
    assert nameless == []
    assert silent == []


def widths(window: MainWindow) -> list[int]:
    assert window.docks is not None
    return [dock.width() for dock in window.docks.docks.values()]


def test_a_narrow_window_cuts_no_name_to_nothing_and_moves_no_dock(
    window: MainWindow, opened: Opened, qtbot: QtBot, tmp_path: Path
) -> None:
    document = opened("digits_cnn.onnx")
    window.resize(1000, 650)
    page = window.page.show_page("layers")
    with qtbot.waitSignal(document.rows_changed, timeout=20_000):
        page.set_grouping("modules")
    metrics, number = page.table.fontMetrics(), column_number("name")
    shown = [(row.level, row.name.rpartition(".")[2]) for row in document.layers.all_rows()]
    widest = max(indent(level) + metrics.horizontalAdvance(name) for level, name in shown)
    qtbot.waitUntil(lambda: page.table.columnWidth(number) >= widest, timeout=20_000)
    assert page.levels.isVisible()
    option, part = QStyleOptionComboBox(), QStyle.SubControl.SC_ComboBoxEditField
    page.levels.initStyleOption(option)
    field = page.levels.style().subControlRect(QStyle.ComplexControl.CC_ComboBox, option, part, page.levels)
    assert field.width() >= page.levels.fontMetrics().horizontalAdvance("All levels")
    rest(qtbot)
    before = widths(window)
    file = tmp_path / "text.pt"
    file.write_text("no model")
    broken = window.workspace.open(file)
    qtbot.waitUntil(lambda: broken.error is not None, timeout=20_000)
    qtbot.waitUntil(lambda: window.page.findChild(QWidget, "errorBox").isVisible(), timeout=20_000)
    rest(qtbot)
    assert widths(window) == before


def test_the_window_fits_a_small_screen(window: MainWindow, opened: Opened, qtbot: QtBot) -> None:
    assert window.minimumSizeHint().width() <= 720  # the welcome page
    document = opened("digits_cnn.onnx")
    window.resize(900, 600)
    assert window.page is not None
    window.page.layers.set_grouping("modules")
    for key in (*PAGES, "layers"):
        window.show_page(key)
        rest(qtbot)
        assert (window.width(), window.height()) == (900, 600), key
    document.selection.look_at(document.layers.row(1).weights[0])
    assert window.docks is not None
    area = window.docks.tensor.area
    qtbot.waitUntil(lambda: window.docks.tensor._model.view is not None, timeout=30_000)
    rest(qtbot)
    assert area.widget().width() <= area.viewport().width(), "nothing of it is cut off at the right"


def test_letters_half_as_large_again(qtbot: QtBot, samples: Path) -> None:
    """Texts that have a width of their own are not cut where the desktop's letters are large."""
    from inspector.app.window import MainWindow

    app = QApplication.instance()
    assert isinstance(app, QApplication)
    before = app.font()
    large = QFont(before)
    large.setPixelSize(round(QFontInfo(before).pixelSize() * 1.5))
    app.setFont(large)
    look.apply(app, "light")
    window = MainWindow(Workspace(Settings()))
    try:
        window.resize(1400, 900)
        window.show()
        document = window.workspace.open(samples / "digits_cnn.onnx")
        qtbot.waitUntil(lambda: document.complete and window.page.convert.page is not None, timeout=20_000)
        for key in (*PAGES, "graph"):
            window.show_page(key)
        rest(qtbot)
        texts = [*window.welcome.findChildren(QLabel), *window.page.convert.findChildren(QLabel)]
        buttons = window.page.lazy["graph"].findChildren(QPushButton)
        cut = [
            each.text()
            for each in (*texts, *buttons)
            if each.text() and not isinstance(each, Elided | Wrapped) and each.width() < each.sizeHint().width()
        ]
        assert cut == []
        assert window.minimumSizeHint().width() <= 1200
    finally:
        window.close()
        window.workspace.deleteLater()
        window.deleteLater()
        app.setFont(before)
        look.apply(app, "light")
        rest(qtbot)


def test_names_of_modules_come_before_their_classes(window: MainWindow, opened: Opened, qtbot: QtBot) -> None:
    opened("digits_mlp.pt2")
    tree = window.findChild(QTreeView, "moduleTree")
    qtbot.waitUntil(lambda: tree.width() >= 220, timeout=30_000)
    assert not tree.isColumnHidden(1)
    longest = tree.fontMetrics().horizontalAdvance("linear_relu_stack")
    assert tree.columnWidth(0) - 2 * tree.indentation() >= longest + 12
    assert window.docks is not None
    window.resizeDocks([window.docks.docks["modules"]], [160], Qt.Orientation.Horizontal)
    qtbot.waitUntil(lambda: tree.isColumnHidden(1), timeout=30_000)  # figures give way to names
    assert tree.columnWidth(0) - 2 * tree.indentation() >= longest + 12


@pytest.mark.parametrize(("width", "beside"), [(420, 2), (208, 1)])
def test_statistics_are_whole_at_every_width(qtbot: QtBot, width: int, beside: int) -> None:
    shown = Statistics()
    qtbot.addWidget(shown)
    shown.resize(width, 200)
    shown.show()
    shown.show_figures({"min": -0.0001234567, "max": 0.562196, "mean": -1.234567e-05, "std": 0.1485, "sparsity": 0.5})
    rest(qtbot)
    assert shown.beside == beside
    for pair in shown.pairs:
        for text in pair:
            assert text.width() >= text.fontMetrics().horizontalAdvance(text.text())
            assert shown.rect().contains(text.geometry())


def test_columns_are_fitted_again_when_there_is_room_again(window: MainWindow, opened: Opened, qtbot: QtBot) -> None:
    opened("digits_mlp.pt2")
    window.show_page("layers")
    assert window.page is not None
    table = window.page.layers.table
    rest(qtbot)
    window.resize(1400, 900)
    rest(qtbot)
    wide = [table.columnWidth(number) for number in range(3)]
    window.resize(QSize(1140, 700))
    rest(qtbot)
    window.resize(1400, 900)
    qtbot.waitUntil(lambda: [table.columnWidth(number) for number in range(3)] == wide, timeout=30_000)


def test_forgetting_the_recent_files_can_be_taken_back(window: MainWindow) -> None:
    workspace = window.workspace
    workspace.settings.recent = ["/a.onnx", "/b.onnx"]
    workspace.forget_recent()
    window.menus.fill_recent()
    titles = {action.text(): action for action in window.menus.recent.actions()}
    assert "Forget Them" not in titles
    workspace.settings.recent = ["/c.onnx"]
    titles["Undo Forgetting"].trigger()
    assert workspace.recent() == ["/c.onnx", "/a.onnx", "/b.onnx"]
    assert not workspace.can_remember_recent()
    assert len([b for b in window.welcome.findChildren(QPushButton) if b.accessibleName().startswith("Open ")]) == 3


def test_found_devices_are_no_news(qtbot: QtBot, desk: Any) -> None:
    jobs = JobsModel(desk)
    strip = JobStrip()
    qtbot.addWidget(strip)
    strip.set_jobs(jobs)
    desk.submit("Looking for devices", None)
    assert strip.words.text().startswith("Looking for devices")
    desk.ended.emit(desk.last, Outcome("done"))
    assert strip.words.text() == ""
    desk.submit("a → b", None)
    desk.ended.emit(desk.last, Outcome("done"))
    assert strip.words.text() == "a → b: Done"


def test_sizes_typed_on_the_overview_stand_in_the_convert_panel(
    window: MainWindow, opened: Opened, qtbot: QtBot
) -> None:
    document = opened("digits_mlp.pt2")
    assert window.page is not None
    page = window.page
    qtbot.waitUntil(lambda: page.findChild(QLineEdit, "convertInputs") is not None, timeout=30_000)
    field = page.findChild(QLineEdit, "convertInputs")
    assert field.placeholderText() == "input=1x1x28x28"
    document.set_dims({"s31": 7})
    assert field.placeholderText() == "input=7x1x28x28"


def test_a_workspace_forgets_nothing_that_was_not_there() -> None:
    assert not Workspace(Settings()).can_remember_recent()
