"""One model in a tab: its pages, and the strip below them that converts it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QStackedLayout, QTabWidget, QVBoxLayout, QWidget

from inspector.errors import InspectorError
from inspector.viewmodels.document import DocumentModel, State
from inspector.viewmodels.words import brief
from inspector.views.banners import FreshBanner, RemarkBanner, SizingBanner, reloaded_label
from inspector.views.error_box import ErrorCard
from inspector.views.layer_page import LayerPage
from inspector.views.overview_page import OverviewPage
from inspector.views.pieces import EmptyPane, bar_alone, button, column, label, repolish, row

PAGES = ("overview", "layers", "graph", "netron", "compare")
STRIP = 80
"""Room that is kept for the strip below, so that nothing jumps when it comes."""
TITLES = {"overview": "Overview", "layers": "Layers", "graph": "Graph", "netron": "Netron", "compare": "Compare"}
TIPS = {
    "overview": "What the model is, on one page",
    "layers": "Every layer with its figures",
    "graph": "How values flow, folded by module",
    "netron": "The same file in Netron",
    "compare": "The same inputs through two models",
}
Maker = Callable[[], QWidget]


class LazyPage(QWidget):
    """Holds the place of a page until somebody looks at it."""

    made = Signal()

    def __init__(self, make: Maker) -> None:
        super().__init__()
        self._make: Maker | None = make
        self.page: QWidget | None = None
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)

    def ensure(self) -> QWidget:
        """The page itself, made now if need be."""
        if self.page is None:
            assert self._make is not None
            self.page = self._make()
            self._make = None
            self._layout.addWidget(self.page)
            self.made.emit()
        return self.page


class ModelPage(QWidget):
    """The pages of one document.

    Args:
        document: The model.
        makers: How the pages that are made when first looked at are made: graph, netron, compare; and `convert`, the
            strip below all of them. They are handed in, because each needs more than the document.
    """

    open_other = Signal()
    page_changed = Signal(str)
    furnished = Signal()
    """A page was made that was not there before."""

    def __init__(self, document: DocumentModel, makers: dict[str, Maker], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.document = document
        self._makers = makers
        self.overview = OverviewPage(document)
        self.layers = LayerPage(document)
        self.pages = QTabWidget()
        self.pages.setObjectName("modelPages")
        self.pages.setDocumentMode(True)
        self.pages.setAccessibleName("Pages of the model")
        self.lazy = {key: LazyPage(makers[key]) for key in PAGES[2:] if key in makers}
        self._keys = [key for key in PAGES if key in {"overview", "layers"} or key in self.lazy]
        for key in self._keys:
            page = {"overview": self.overview, "layers": self.layers}.get(key) or self.lazy[key]
            self.pages.setTabToolTip(self.pages.addTab(page, TITLES[key]), TIPS[key])
        self.pages.currentChanged.connect(self._on_page)
        self.convert = LazyPage(makers["convert"]) if "convert" in makers else None
        if self.convert is not None:
            self.convert.setMinimumHeight(STRIP)
        for lazy in (*self.lazy.values(), *((self.convert,) if self.convert else ())):
            lazy.made.connect(self.furnished)
        self.pages.tabBar().setAccessibleName("Pages of the model")
        bar_alone(self.pages)
        self.pages.setCornerWidget(reloaded_label(document))
        self.fresh, self.remarks = FreshBanner(document), RemarkBanner(document)
        self.sizing = SizingBanner(document)
        self.remarks.told.connect(self.overview.leave_out)
        self._died = self._died_line()
        self._opening = EmptyPane("loading", f"Opening {brief(document.name)}", "")
        self._content = QWidget()
        content = QVBoxLayout(self._content)
        content.setContentsMargins(0, 0, 0, 0)
        content.setSpacing(0)
        content.addWidget(self._died)
        content.addWidget(self.sizing)
        content.addWidget(self.remarks)
        content.addWidget(self.pages, 1)
        if self.convert is not None:
            content.addWidget(self.convert)
        self._error: QWidget | None = None
        self._stack = QStackedLayout()
        self._stack.addWidget(self._opening)
        self._stack.addWidget(self._content)
        self.setLayout(column(self.fresh, self._stack, spacing=0))
        self.overview.layers_wanted.connect(lambda: self.show_page("layers"))
        document.state_changed.connect(self._on_state)
        document.progressed.connect(lambda words: self._opening.say(f"Opening {brief(document.name)}", words))
        self._on_state()

    # Pages

    def parts(self) -> list[QWidget]:
        """What Tab goes through, from the top to the bottom."""
        below = [self.convert] if self.convert is not None else []
        return [
            self.fresh,
            self._died,
            self.sizing,
            self.remarks,
            self.pages.tabBar(),
            self.overview,
            self.layers,
            *self.lazy.values(),
            *below,
        ]

    @property
    def current(self) -> str:
        """Key of the page that is shown."""
        return self._keys[self.pages.currentIndex()]

    def has(self, key: str) -> bool:
        """Whether there is such a page."""
        return key in self._keys

    def show_page(self, key: str) -> QWidget:
        """Show a page; gives it, made if need be."""
        self.pages.setCurrentIndex(self._keys.index(key))
        if key in self.lazy:
            return self.lazy[key].ensure()
        return self.overview if key == "overview" else self.layers

    def _on_page(self, _number: int) -> None:
        if self.current in self.lazy and self.document.overview is not None:
            self.lazy[self.current].ensure()
        if self.convert is not None:
            self.convert.setVisible(self.current != "compare")  # its plots need the room
        self.page_changed.emit(self.current)

    # States

    def _on_state(self) -> None:
        document = self.document
        if self._error is not None:
            self._error.deleteLater()
            self._error = None
        self._died.setVisible(document.state is State.DIED and document.overview is not None)
        if document.state is State.FAILED or (document.state is State.DIED and document.overview is None):
            self._show_error(document.error or InspectorError("The file cannot be read."))
        elif document.overview is None:
            self._stack.setCurrentWidget(self._opening)
        else:
            self._stack.setCurrentWidget(self._content)
            if self.convert is not None:
                QTimer.singleShot(0, self.convert, self.convert.ensure)  # the overview is painted first
            if self.current in self.lazy:
                self.lazy[self.current].ensure()

    def _show_error(self, error: InspectorError) -> None:
        actions: list[tuple[str, Callable[[], object]]] = [
            ("Try again", self.document.retry),
            ("Open another…", self.open_other.emit),
        ]
        if self.document.shapes:  # they may be what does not fit
            actions.insert(0, ("Forget the typed shapes", lambda: self.document.set_shapes({})))
        self._error = ErrorCard(error, "Cannot open this file", actions)
        self._stack.addWidget(self._error)
        self._stack.setCurrentWidget(self._error)

    def _died_line(self) -> QWidget:
        made = QWidget()
        words = label("The process that read this file has ended. What is shown here is from before.", wrap=True)
        retry = button("Open again", self.document.retry)
        made.setLayout(row(words, 0, retry, margins=(16, 8, 16, 8)))
        repolish(made, "surface", "window")
        return made
