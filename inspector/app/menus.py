"""Menus, keys and the palette's entries, made from the table of commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu

from inspector.app.commands import COMMANDS, MENUS, Command

if TYPE_CHECKING:
    from inspector.app.window import MainWindow
    from inspector.views.command_palette import Entry

RECENT_SHOWN = 10


class Menus(QObject):
    """The menu bar of one window; what cannot be done now is greyed and its tooltip says why."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self.actions: dict[str, QAction] = {}
        self.menus: dict[str, QMenu] = {}
        for title in MENUS:
            self.menus[title] = self._menu(title)
        self.recent = QMenu("Open Recent", window)
        self.recent.setToolTipsVisible(True)
        self.menus["File"].insertMenu(self.actions["file.sample"], self.recent)
        self.recent.aboutToShow.connect(self.fill_recent)

    def _menu(self, title: str) -> QMenu:
        menu = self._window.menuBar().addMenu(f"&{title}")
        menu.setToolTipsVisible(True)
        section = 0
        for command in COMMANDS:
            if command.menu != title:
                continue
            if command.section != section:
                menu.addSeparator()
                section = command.section
            menu.addAction(self._action(command))
        menu.aboutToShow.connect(self.refresh)
        return menu

    def _action(self, command: Command) -> QAction:
        action = QAction(command.title, self._window)
        action.setObjectName(command.id)
        action.setCheckable(command.checked is not None)
        if command.keys:
            action.setShortcut(QKeySequence(command.keys))
        action.triggered.connect(lambda: self.run(command))
        self.actions[command.id] = action
        return action

    def run(self, command: Command) -> None:
        """Do it when it can be done, else say why not."""
        reason = command.reason(self._window)
        if reason:
            self._window.tell(reason)
        else:
            command.run(self._window)
        self.refresh()

    def refresh(self) -> None:
        """Grey what cannot be done now, with the reason in its tooltip; called whenever that may have changed."""
        for command in COMMANDS:
            action = self.actions[command.id]
            reason = command.reason(self._window)
            action.setEnabled(not reason)
            action.setToolTip(reason or command.title.rstrip("…"))
            if command.checked is not None:
                action.setChecked(command.checked(self._window))

    def entries(self) -> list[Entry]:
        """Every command for the palette, and the recent files."""
        from inspector.views.command_palette import Entry

        window = self._window
        made = [
            Entry(
                f"{command.menu}: {command.title}",
                QKeySequence(command.keys).toString(QKeySequence.SequenceFormat.NativeText),
                lambda command=command: self.run(command),  # type: ignore[misc]
                command.reason(window),
            )
            for command in COMMANDS
            if command.id != "view.palette"
        ]
        recent = window.workspace.recent()[:RECENT_SHOWN]
        made += [Entry(f"Open {file}", "", lambda file=file: window.open_files([file])) for file in recent]  # type: ignore[misc]
        return made

    def fill_recent(self) -> None:
        """List the recent files."""
        self.recent.clear()
        files = self._window.workspace.recent()
        for file in files[:RECENT_SHOWN]:
            shown = file.replace("&", "&&")
            self.recent.addAction(shown, lambda file=file: self._window.open_files([file]))  # type: ignore[misc]
        workspace = self._window.workspace
        if not files:
            self.recent.addAction("Nothing yet").setEnabled(False)
        self.recent.addSeparator()
        if files:
            self.recent.addAction("Forget Them", workspace.forget_recent)
        if workspace.can_remember_recent():
            self.recent.addAction("Undo Forgetting", workspace.remember_recent)
