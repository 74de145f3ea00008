"""A pane with charts behind a switch. pyqtgraph is loaded when the first data is shown, by a thread of its own.

Importing it takes 0.3 s, which the window's thread would feel; the charts themselves are made in the window's thread.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from importlib import import_module
from threading import Thread
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QButtonGroup, QStackedLayout, QWidget

from inspector.views.export import ExportButton, Texts
from inspector.views.pieces import EmptyPane, button, column, label, row

if TYPE_CHECKING:
    from inspector.views.plots import Chart

LOOK_MS = 15
_loading: list[Thread] = []


def preload() -> None:
    """Begin to load pyqtgraph in the background."""
    if not _loading and "pyqtgraph" not in sys.modules:
        _loading.append(Thread(target=import_module, args=("inspector.views.plots",), name="pyqtgraph", daemon=True))
        _loading[0].start()


def loaded() -> bool:
    """Whether charts can be made at once."""
    return (not _loading or not _loading[0].is_alive()) and "inspector.views.plots" in sys.modules


class PlotPane(QWidget):
    """Charts of one kind of result.

    Args:
        title: Heading of the pane.
        empty: What stands there before there is a result.
        names: What the switch says, one a chart.
        make: Makes the charts, in the order of the names; called once pyqtgraph is there.
        texts: What the export menu offers beside pictures, for the chart of this number.

    Signals:
        turned: The switch was turned; number of the chart.
    """

    turned = Signal(int)

    def __init__(
        self,
        title: str,
        empty: EmptyPane,
        names: tuple[str, ...],
        make: Callable[[], list[Chart]],
        texts: Callable[[int], Texts],
    ) -> None:
        super().__init__()
        self._make, self._texts, self._title = make, texts, title
        self.charts: list[Chart] = []
        self._pending: Callable[[], None] | None = None
        self._switch = QButtonGroup(self)
        self._switch.setExclusive(True)
        self.buttons = []
        for number, name in enumerate(names):
            made = button(name, partial(self.show_chart, number), quiet=True)
            made.setCheckable(True)
            made.setChecked(number == 0)
            self._switch.addButton(made, number)
            self.buttons.append(made)
        self.extra = row(spacing=8)
        self.export_button = ExportButton(self._exported)
        self._bar = QWidget()
        head = row(label(title, "heading"), 8, *self.buttons, 0, self.extra, self.export_button, spacing=4)
        self._bar.setLayout(head)
        self.empty = empty
        self._stack = QStackedLayout()
        self._stack.addWidget(empty)
        layout = column(self._bar, self._stack, spacing=8)
        layout.setStretch(1, 1)
        self.setLayout(layout)
        self._set_filled(False)

    def show_data(self, fill: Callable[[], None] | None) -> None:
        """Show a result: `fill` hands it to the charts once they are there; None empties the pane."""
        self._pending = fill
        if fill is None:
            self._set_filled(False)
        elif self.charts or loaded():
            self._fill()
        else:
            preload()
            QTimer.singleShot(LOOK_MS, self, self._look)

    def show_chart(self, number: int) -> None:
        """Turn the switch."""
        self.buttons[number].setChecked(True)
        self.turned.emit(number)
        if self.charts and self._bar.isEnabled():
            self._stack.setCurrentWidget(self.charts[number])

    @property
    def number(self) -> int:
        """Which chart is shown."""
        return self._switch.checkedId()

    def series(self) -> dict[str, Any]:
        """The data of every chart by its name; empty before there is a result."""
        if not self.charts or not self._bar.isEnabled():
            return {}
        return {name.text(): chart.series() for name, chart in zip(self.buttons, self.charts, strict=True)}

    def _look(self) -> None:
        if self._pending is None:
            return
        if loaded():
            self._fill()
        else:
            QTimer.singleShot(LOOK_MS, self, self._look)

    def _fill(self) -> None:
        assert self._pending is not None
        if not self.charts:
            self.charts = self._make()
            for chart in self.charts:
                self._stack.addWidget(chart)
        fill, self._pending = self._pending, None
        fill()
        self._set_filled(True)
        self.show_chart(self.number)

    def _set_filled(self, filled: bool) -> None:
        self._bar.setEnabled(filled)
        for widget in (*self.buttons, self.export_button):
            widget.setVisible(filled)
        if not filled:
            self._stack.setCurrentWidget(self.empty)

    def _exported(self) -> tuple[QWidget | None, str, Texts]:
        if not self.charts or not self._bar.isEnabled():
            return None, self._title, {}
        chart = self.charts[self.number]
        return chart, chart.name.replace(" ", "_").lower(), self._texts(self.number)
