"""The main window: tabs, docks, menus, status bar, and the wiring between them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

from PySide6.QtCore import QByteArray, QSize, Qt, QUrl, Signal
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDragLeaveEvent, QDragMoveEvent, QDropEvent, QIcon
from PySide6.QtWidgets import (
    QApplication,
    QFileDialog,
    QLabel,
    QMainWindow,
    QStackedWidget,
    QTabBar,
    QTabWidget,
    QWidget,
)

from inspector.app.menus import Menus
from inspector.assets import resource
from inspector.viewmodels import words
from inspector.viewmodels.workspace import Workspace
from inspector.views import look
from inspector.views.pieces import bar_alone, button, chain, tool
from inspector.views.welcome_page import WelcomePage

if TYPE_CHECKING:
    from inspector.app.docks import Docks
    from inspector.errors import InspectorError
    from inspector.viewmodels.document import DocumentModel
    from inspector.viewmodels.jobs import JobsModel
    from inspector.views.model_page import ModelPage

SAMPLE = ("samples", "digits_mlp.pt2")
SIZE = QSize(1400, 900)
TOLD_MS = 6000
LONGEST_TAB = 32
"""Characters of a name in its tab."""


class MainWindow(QMainWindow):
    """One window with a tab a model. What costs time is imported when the first model is opened."""

    closing = Signal()
    """It is about to be gone: files of later starts are to be handed to somebody else."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("mainWindow")
        self.setAccessibleName("Inspector")
        self.setWindowTitle("Inspector")
        QApplication.setWindowIcon(QIcon(str(resource("icons", "inspector.svg"))))
        self.setAcceptDrops(True)
        self.setDockNestingEnabled(True)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)
        self.workspace: Workspace = workspace
        self.docks: Docks | None = None
        self.welcome = WelcomePage()
        self.tabs = self._tab_widget()
        self._waiting = QWidget()
        self._waiting.setProperty("surface", "base")
        self._stack = QStackedWidget()
        for page in (self.welcome, self.tabs, self._waiting):
            self._stack.addWidget(page)
        self.setCentralWidget(self._stack)
        self._protection = QLabel()
        self._protection.setObjectName("protection")
        self._protection.setTextFormat(Qt.TextFormat.PlainText)
        self._fill_status_bar()
        self.menus = Menus(self)
        self._corner = self._palette_button()
        self.menuBar().setCornerWidget(self._corner)
        self._connect()
        self.welcome.setFocus()
        self.resize(SIZE)
        if workspace.settings.geometry:
            self.restoreGeometry(QByteArray.fromBase64(workspace.settings.geometry.encode()))
        self.menus.refresh()

    def _connect(self) -> None:
        self.welcome.open_wanted.connect(self.ask_open)
        self.welcome.sample_wanted.connect(self.open_sample)
        self.welcome.file_wanted.connect(lambda file: self.open_files([file]))
        self.workspace.opened.connect(self._on_opened)
        self.workspace.shown.connect(self._on_shown)
        self.workspace.closed.connect(self._on_closed)
        self.workspace.recent_changed.connect(self._on_recent)
        self.workspace.jobs_made.connect(self._on_jobs)
        self._on_recent()

    def _tab_widget(self) -> QTabWidget:
        tabs = QTabWidget()
        tabs.setObjectName("modelTabs")
        tabs.setAccessibleName("Open models")
        tabs.tabBar().setAccessibleName("Open models")
        bar_alone(tabs)
        tabs.setDocumentMode(True)
        tabs.setMovable(True)
        tabs.setElideMode(Qt.TextElideMode.ElideNone)  # squeezed to `d…x` a name says nothing: they are scrolled
        tabs.setUsesScrollButtons(True)
        tabs.setCornerWidget(tool("add", "Open another model (Ctrl+O)", self.ask_open))
        tabs.currentChanged.connect(self._on_tab)
        tabs.tabBar().tabMoved.connect(lambda source, target: self.workspace.move(source, target))
        return tabs

    def _palette_button(self) -> QWidget:
        made = button("Ctrl+K", self.show_palette, quiet=True, icon="search")
        made.setToolTip("Every command by a few letters")
        made.setAccessibleName("Commands")
        made.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        made.setProperty("role", "corner")
        return made

    def _fill_status_bar(self) -> None:
        from inspector.views.job_strip import JobStrip

        self.strip = JobStrip()
        self.strip.opened.connect(lambda: self.toggle_dock("jobs"))
        self.strip.hide()
        self.statusBar().setSizeGripEnabled(False)
        self.statusBar().addWidget(self.strip, 1)
        self.statusBar().addPermanentWidget(self._protection)

    # What is in front

    @property
    def page(self) -> ModelPage | None:
        """The page of the tab in front."""
        return cast("ModelPage | None", self.tabs.currentWidget())

    def page_of(self, document: DocumentModel) -> ModelPage | None:
        """The page of a document."""
        for number in range(self.tabs.count()):
            page = cast("ModelPage", self.tabs.widget(number))
            if page.document is document:
                return page
        return None

    def tell(self, sentence: str) -> None:
        """Say something for a moment in the status bar."""
        self.statusBar().showMessage(sentence, TOLD_MS)

    def show_error(self, error: InspectorError | str, hint: str = "", details: str = "") -> None:
        """Show an error that belongs to no page."""
        from inspector.views.error_box import ErrorBox, details_of

        if isinstance(error, str):
            box = ErrorBox(error, hint, details, self)
        else:
            box = ErrorBox(error.what, error.hint, details_of(error), self)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.open()

    # Opening and closing

    def expect(self) -> None:
        """Files are about to be opened: do not flash the welcome page."""
        self._stack.setCurrentWidget(self._waiting)

    def open_files(self, files: list[str]) -> None:
        """Open each in a tab."""
        for file in files:
            self.workspace.open(Path(file))

    def come_forward(self, files: list[str]) -> None:
        """Another start has handed its files over."""
        self.open_files(files)
        self.setWindowState(self.windowState() & ~Qt.WindowState.WindowMinimized)
        self.raise_()
        self.activateWindow()

    def ask_open(self) -> None:
        """Ask for files."""
        files, _filter = QFileDialog.getOpenFileNames(self, "Open models", self._last_folder())
        self.open_files(files)

    def ask_open_folder(self) -> None:
        """Ask for a folder: a SavedModel is one."""
        folder = QFileDialog.getExistingDirectory(self, "Open a model folder", self._last_folder())
        self.open_files([folder] if folder else [])

    def open_sample(self) -> None:
        """Open the sample that comes with the program."""
        self.workspace.open(resource(*SAMPLE))

    def close_tab(self, number: int = -1) -> None:
        """Close a tab, the one in front by default."""
        page = cast("ModelPage | None", self.tabs.widget(number)) if number >= 0 else self.page
        if page is not None:
            self.workspace.close(page.document)

    def _last_folder(self) -> str:
        recent = self.workspace.recent()
        return str(Path(recent[0]).parent) if recent else str(Path.home())

    # What the workspace says

    def _on_opened(self, document: DocumentModel) -> None:
        from inspector.app.pages import Pages
        from inspector.views.model_page import ModelPage

        docks = self._furnish()
        docks.add(document)
        pages = Pages(document, self.workspace, lambda key: page.show_page(key), self.show_error)
        page = ModelPage(document, pages.makers())
        page.open_other.connect(self.ask_open)
        page.layers.export_failed.connect(self.show_error)
        page.furnished.connect(self._order_tabs)
        document.state_changed.connect(self._on_state)
        document.overview_changed.connect(self.menus.refresh)
        document.worker.protected.connect(lambda _level: self._show_protection())
        shown = words.brief(document.name, LONGEST_TAB).replace("&", "&&")
        number = self.tabs.addTab(page, look.icon("file"), shown)
        self.tabs.setTabToolTip(number, words.tip(str(document.path)))
        close = tool("close", f"Close {document.name}", lambda: self.workspace.close(document))
        self.tabs.tabBar().setTabButton(number, QTabBar.ButtonPosition.RightSide, close)
        self.tabs.setCurrentIndex(number)
        self._stack.setCurrentWidget(self.tabs)
        self._order_tabs()
        self.menus.refresh()

    def _order_tabs(self) -> None:
        """Tab goes from the models to their pages, the strip that converts, the docks, the status bar."""
        corner = self.tabs.cornerWidget()
        pages = [cast("ModelPage", self.tabs.widget(number)) for number in range(self.tabs.count())]
        docks = list(self.docks.docks.values()) if self.docks is not None else []
        bars = self.findChildren(QTabBar, options=Qt.FindChildOption.FindDirectChildrenOnly)
        parts = [part for page in pages for part in page.parts()]
        chain(
            self.tabs.tabBar(), *([corner] if corner else []), *parts, *docks[:1], *bars, *docks[1:], self.statusBar()
        )

    def prepare(self) -> None:
        """Make the docks while nobody waits, so that the first model need not; they show with its tab."""
        if self.docks is None:
            self._furnish().hide_all()

    def _furnish(self) -> Docks:
        """The docks, made at the latest when the first tab needs them."""
        if self.docks is None:
            from inspector.app.docks import Docks

            assert self.workspace.desk is not None
            assert self.workspace.jobs is not None
            self.docks = Docks(self, self.workspace.jobs)
            self.docks.restore(self.workspace.settings.docks)
            self.docks.tensor.told.connect(self.tell)
            self.docks.tensor.failed.connect(self.show_error)
        elif self.tabs.count() == 0:
            self.docks.show_again()
        return self.docks

    def _on_shown(self, document: DocumentModel) -> None:
        page = self.page_of(document)
        if page is not None:
            self.tabs.setCurrentWidget(page)

    def _on_closed(self, document: DocumentModel) -> None:
        page = self.page_of(document)
        if page is None or self.docks is None:
            return
        last = self.tabs.count() == 1
        self.tabs.removeTab(self.tabs.indexOf(page))
        self.docks.remove(document)
        page.deleteLater()
        if last:
            self.docks.hide_all()
            self._stack.setCurrentWidget(self.welcome)
        self.menus.refresh()

    def _on_recent(self) -> None:
        self.welcome.show_recent(self.workspace.recent())

    def _on_jobs(self, jobs: JobsModel) -> None:
        self.strip.set_jobs(jobs)
        self.strip.show()

    def _on_tab(self, _number: int) -> None:
        page = self.page
        if self.docks is not None:
            self.docks.follow(page.document if page is not None else None)
        self.setWindowTitle(f"{page.document.name} – Inspector" if page is not None else "Inspector")
        self.setWindowFilePath(str(page.document.path) if page is not None else "")
        self._show_protection()
        self.menus.refresh()

    def _on_state(self) -> None:
        self._show_protection()
        self.menus.refresh()

    def _show_protection(self) -> None:
        level = self.page.document.protection if self.page is not None else ""
        self._protection.setText(f"Protection: {level}" if level else "")
        self._protection.setToolTip("How well the process that reads the file is fenced in" if level else "")

    # Commands

    def show_page(self, key: str) -> None:
        """Show a page of the model in front."""
        if self.page is not None and self.page.has(key):
            self.page.show_page(key)

    def step_tab(self, step: int) -> None:
        """Go to the next tab, or the one before."""
        self.tabs.setCurrentIndex((self.tabs.currentIndex() + step) % max(1, self.tabs.count()))

    def toggle_dock(self, key: str) -> None:
        """Show or hide a dock."""
        if self.docks is not None:
            self.docks.toggle(key)

    def is_dock_shown(self, key: str) -> bool:
        """Whether a dock is there."""
        return self.docks is not None and self.docks.is_shown(key)

    def set_theme(self, theme: str) -> None:
        """Change the colours and remember the choice."""
        self.workspace.settings.theme = theme
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        look.apply(app, theme)

    def show_palette(self) -> None:
        """Every command by a few letters."""
        from inspector.views.command_palette import CommandPalette

        palette = self.findChild(CommandPalette) or CommandPalette(self)
        palette.open(self.menus.entries())

    def show_preferences(self) -> None:
        """What may be chosen once for all models."""
        from inspector.views.dialogs import Preferences

        dialog = Preferences(self.workspace.settings, self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.theme.activated.connect(lambda: self.set_theme(dialog.theme.currentData()))
        dialog.open()

    def show_about(self) -> None:
        """What this is."""
        from inspector.views.dialogs import About

        dialog = About(self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()

    # Qt's events

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Files and folders are welcome anywhere."""
        if dropped(event.mimeData().urls()):
            event.acceptProposedAction()
            self.welcome.set_over(True)

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        """They stay welcome."""
        if dropped(event.mimeData().urls()):
            event.acceptProposedAction()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        """They went on."""
        self.welcome.set_over(False)

    def dropEvent(self, event: QDropEvent) -> None:
        """Open what was dropped."""
        self.welcome.set_over(False)
        event.acceptProposedAction()
        self.open_files(dropped(event.mimeData().urls()))

    def closeEvent(self, event: QCloseEvent) -> None:
        """Remember what is open and how it lies, be gone, then end every process."""
        settings = self.workspace.settings
        settings.geometry = bytes(self.saveGeometry().toBase64().data()).decode()
        if self.docks is not None and self.tabs.count():
            settings.docks = self.docks.state()
        self.workspace.remember_session()
        self.closing.emit()
        self.hide()
        self.workspace.shut_down()
        event.accept()


def dropped(urls: list[QUrl]) -> list[str]:
    """The local files among what is dragged."""
    return [url.toLocalFile() for url in urls if url.isLocalFile()]
