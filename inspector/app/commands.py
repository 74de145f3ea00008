"""Every command of the window, declared once: menus, keys and the command palette are made from this table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from inspector.app.panes import step

if TYPE_CHECKING:
    from inspector.app.window import MainWindow
    from inspector.views.model_page import ModelPage

MENUS = ("File", "View", "Model", "Compare", "Help")


def always(window: MainWindow) -> str:
    """Nothing stands in the way."""
    return ""


def needs_model(window: MainWindow) -> str:
    """A model must be open."""
    page = window.page
    if page is None:
        return "Open a model first"
    return "" if page.document.overview is not None else "The model is not read yet"


def needs_tab(window: MainWindow) -> str:
    """A tab must be there, whatever is in it."""
    return "" if window.page is not None else "No tab is open"


def needs_shut(window: MainWindow) -> str:
    """A tab must have been closed."""
    return "" if window.workspace.can_reopen() else "No tab was closed"


def needs_undo(window: MainWindow) -> str:
    """A size must have been changed."""
    return "" if window.page is not None and window.page.document.sizing.can_undo() else "No size was changed"


def needs_redo(window: MainWindow) -> str:
    """A change must have been taken back."""
    return "" if window.page is not None and window.page.document.sizing.can_redo() else "Nothing was taken back"


def needs_tensor(window: MainWindow) -> str:
    """A tensor must be on show."""
    shown = window.page is not None and window.page.document.selection.tensor
    return needs_model(window) or ("" if shown else "Click a weight in the node panel first")


def needs_page(key: str) -> Callable[[MainWindow], str]:
    """The model must have this page."""
    return lambda window: needs_model(window)


def search(window: MainWindow) -> None:
    """Put the cursor where this page is searched."""
    page = window.page
    if page is None:
        return
    key, field_name = ("graph", "graphSearch") if page.current == "graph" else ("layers", "layerFilter")
    field = page.show_page(key).findChild(QWidget, field_name)
    if field is not None:
        field.setFocus(Qt.FocusReason.ShortcutFocusReason)


def convert(window: MainWindow) -> None:
    """Go to the strip that converts."""
    target = window.page.findChild(QWidget, "convertTarget") if window.page is not None else None
    if target is not None:
        target.setFocus(Qt.FocusReason.ShortcutFocusReason)


def copy_layers(window: MainWindow) -> None:
    """Copy the layer table."""
    if window.page is not None:
        window.page.layers.table.copy()
        window.tell("Copied")


def save_tensor(window: MainWindow) -> None:
    """Save the tensor on show."""
    if window.docks is not None:
        window.docks.tensor.ask_save()


def on_page(deed: Callable[[ModelPage], object]) -> Callable[[MainWindow], object]:
    """Something that is done to the page in front."""
    return lambda window: deed(window.page) if window.page is not None else None


export = on_page(lambda page: page.layers.ask_export())
undo = on_page(lambda page: page.document.sizing.undo())
redo = on_page(lambda page: page.document.sizing.redo())
reload = on_page(lambda page: page.document.retry())


def follows(window: MainWindow) -> bool:
    """Whether files that change on disk are read again by themselves."""
    return window.workspace.settings.follow


def follow(window: MainWindow) -> None:
    """Read files that change by themselves, or no longer; files that have changed are read now."""
    settings = window.workspace.settings
    settings.follow = not settings.follow
    for document in window.workspace.documents:
        document.freshness.set_following(settings.follow)


@dataclass(frozen=True, slots=True)
class Command:
    """Something the user can do.

    Attributes:
        id: Its name for tests.
        title: What menus and the palette say.
        menu: Title of its menu.
        run: What it does.
        keys: Its keys, as QKeySequence reads them.
        reason: Why it cannot be done now; an empty text when it can.
        section: A line separates sections of a menu.
        checked: For a command that is on or off: whether it is on.
    """

    id: str
    title: str
    menu: str
    run: Callable[[MainWindow], object]
    keys: str = ""
    reason: Callable[[MainWindow], str] = always
    section: int = 0
    checked: Callable[[MainWindow], bool] | None = None


def _page(key: str, title: str, number: int) -> Command:
    return Command(
        f"view.{key}", title, "View", lambda window: window.show_page(key), f"Ctrl+{number}", needs_page(key), 1
    )


def _dock(key: str, title: str, keys: str) -> Command:
    return Command(
        f"view.dock.{key}", title, "View", lambda window: window.toggle_dock(key), keys, needs_tab, 3,
        lambda window: window.is_dock_shown(key),
    )  # fmt: skip


def _theme(key: str, title: str) -> Command:
    return Command(
        f"view.theme.{key}", title, "View", lambda window: window.set_theme(key), section=4,
        checked=lambda window: window.workspace.settings.theme == key,
    )  # fmt: skip


def _grouping(key: Literal["layers", "operators", "modules"], title: str) -> Command:
    return Command(
        f"model.group.{key}", title, "Model", on_page(lambda page: page.layers.set_grouping(key)),
        reason=needs_model, section=0,
        checked=lambda window: window.page is not None and window.page.document.grouping == key,
    )  # fmt: skip


COMMANDS: tuple[Command, ...] = (
    Command("file.open", "Open…", "File", lambda w: w.ask_open(), "Ctrl+O"),
    Command("file.open_folder", "Open Folder…", "File", lambda w: w.ask_open_folder(), "Ctrl+Shift+O"),
    Command("file.sample", "Open the Sample", "File", lambda w: w.open_sample()),
    Command("file.reopen", "Reopen Closed Tab", "File", lambda w: w.workspace.reopen(), "Ctrl+Shift+T", needs_shut),
    Command("file.export", "Export Layer Table…", "File", export, "Ctrl+Shift+E", needs_model, 1),
    Command("file.save_tensor", "Save Tensor…", "File", save_tensor, "Ctrl+S", needs_tensor, 1),
    Command("file.preferences", "Preferences…", "File", lambda w: w.show_preferences(), "Ctrl+,", section=2),
    Command("file.close", "Close Tab", "File", lambda w: w.close_tab(), "Ctrl+W", needs_tab, 3),
    Command("file.quit", "Quit", "File", lambda w: w.close(), "Ctrl+Q", section=3),
    Command("view.palette", "Commands…", "View", lambda w: w.show_palette(), "Ctrl+K"),
    _page("overview", "Overview", 1),
    _page("layers", "Layers", 2),
    _page("graph", "Graph", 3),
    _page("netron", "Netron", 4),
    _page("compare", "Compare", 5),
    Command("view.find", "Find in Layers or Graph", "View", search, "Ctrl+F", needs_model, 2),
    Command("view.next", "Next Tab", "View", lambda w: w.step_tab(1), "Ctrl+PgDown", needs_tab, 2),
    Command("view.previous", "Previous Tab", "View", lambda w: w.step_tab(-1), "Ctrl+PgUp", needs_tab, 2),
    Command("view.pane_next", "Next Pane", "View", lambda w: step(w, 1), "F6", needs_tab, 2),
    Command("view.pane_previous", "Previous Pane", "View", lambda w: step(w, -1), "Shift+F6", needs_tab, 2),
    _dock("modules", "Modules", "Ctrl+B"),
    _dock("node", "Node", "Ctrl+Shift+N"),
    _dock("tensor", "Tensor", "Ctrl+Shift+V"),
    _dock("jobs", "Jobs", "Ctrl+J"),
    _theme("system", "Theme: as the System"),
    _theme("light", "Theme: Light"),
    _theme("dark", "Theme: Dark"),
    _grouping("layers", "Group by Layers"),
    _grouping("operators", "Group by Operators"),
    _grouping("modules", "Group by Modules"),
    Command("model.undo", "Undo Change of Sizes", "Model", undo, "Ctrl+Z", needs_undo, 1),
    Command("model.redo", "Redo Change of Sizes", "Model", redo, "Ctrl+Shift+Z", needs_redo, 1),
    Command("model.copy", "Copy Layer Table", "Model", copy_layers, "Ctrl+Shift+C", needs_model, 2),
    Command("model.convert", "Convert…", "Model", convert, "Ctrl+E", needs_model, 3),
    Command("model.reload", "Read Again", "Model", reload, "F5", needs_tab, 4),
    Command("model.follow", "Reload When the File Changes", "Model", follow, section=4, checked=follows),
    Command("compare.open", "Compare With…", "Compare", lambda w: w.show_page("compare"), "Ctrl+D", needs_model),
    Command("help.about", "About Inspector", "Help", lambda w: w.show_about()),
)  # fmt: skip
