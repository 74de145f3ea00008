"""What the Netron pane serves, worked out: Netron's own files and one model, nothing else of the disk.

Netron is a page of scripts. Its Python server keeps one model per process and answers on a local port that every user
of the machine can read, so the pane answers itself, through a URL scheme that exists only inside the pane.
`NetronModel.answer` says what is behind each path; it knows no web engine and is tested without one.

The package is found by location and never imported: its readers import frameworks.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.util import find_spec
from pathlib import Path, PurePosixPath
from urllib.parse import quote

from PySide6.QtCore import QObject, Signal

from inspector.needs import NETRON, WEBENGINE, version_of

HEAVY = 5000
"""Nodes from which Netron takes many seconds and about a gigabyte: it keeps every node as an element of the page."""

MIME = {
    ".html": "text/html",
    ".js": "text/javascript",
    ".css": "text/css",
    ".json": "application/json",
    ".png": "image/png",
    ".ico": "image/x-icon",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What is behind a path: bytes or a file."""

    mime: str
    data: bytes = b""
    file: Path | None = None


@dataclass(frozen=True, slots=True)
class Alike:
    """A node that has no name in Netron: its type, its place among those of the type, and how many those are."""

    type: str
    place: int
    count: int


@cache
def netron_folder() -> Path | None:
    """Where Netron's page lies, or None where it is not installed."""
    spec = find_spec("netron")
    places = spec.submodule_search_locations if spec else None
    return Path(next(iter(places))) if places else None


class NetronModel(QObject):
    """One model as Netron sees it.

    Args:
        path: The model file or folder.
        nodes: How many nodes it has, where known: from `HEAVY` on the pane asks before it loads.
        name: Node to select once the page is there.

    Signals:
        node_selected: The user clicked a node in Netron; its name.
    """

    node_selected = Signal(str)

    def __init__(self, path: Path, nodes: int = 0, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.path = path
        self.nodes = nodes

    @property
    def missing(self) -> str:
        """Why there is no Netron here, or an empty string."""
        return WEBENGINE.missing() or NETRON.missing()

    @property
    def install_command(self) -> str:
        """What to type to get it."""
        return "pip install 'inspector[web]'"

    @property
    def warning(self) -> str:
        """What to expect of a large graph, or an empty string."""
        if self.nodes < HEAVY:
            return ""
        seconds, gigabytes = self.nodes / 700, self.nodes / 6500
        return (
            f"This graph has {self.nodes:,} nodes. Netron keeps each of them on its page: expect about "
            f"{seconds:.0f} seconds and {gigabytes:.1f} GB of memory. The Graph tab shows it at once."
        )

    @property
    def model_file(self) -> Path:
        """The file that Netron opens: the model, or the graph inside a SavedModel folder."""
        if self.path.is_dir():
            inner = [self.path / name for name in ("saved_model.pb", "saved_model.pbtxt", "model.json")]
            return next((file for file in inner if file.is_file()), self.path / "saved_model.pb")
        return self.path

    def answer(self, path: str) -> Answer | None:
        """What is behind a path of the page's own scheme, or None where there is nothing to give."""
        path = path.lstrip("/") or "index.html"
        if path.startswith("data/"):
            return self._side_file(path.removeprefix("data/"))
        folder = netron_folder()
        mime = MIME.get(PurePosixPath(path).suffix)
        if folder is None or mime is None or "/" in path or not (folder / path).is_file():
            return None
        if path == "index.html":
            return Answer(mime, self._index(folder / path))
        return Answer(mime, file=folder / path)

    def _side_file(self, name: str) -> Answer | None:
        """The model, or a file beside it that it names; nothing above or outside its folder."""
        model = self.model_file
        if name == model.name:
            return Answer("application/octet-stream", file=model) if model.is_file() else None
        root = model.parent.resolve()
        file = (root / name).resolve()
        if not file.is_relative_to(root) or not file.is_file():
            return None
        return Answer("application/octet-stream", file=file)

    def _index(self, file: Path) -> bytes:
        """Netron's page, told which model to open, with a date that keeps it from asking for an update."""
        name = self.model_file.name
        shown = self.path.name if self.path.is_dir() else name
        metas = (
            '<meta name="type" content="Python">'
            f'<meta name="version" content="{html.escape(version_of("netron") or "0.0.0")}">'
            f'<meta name="file" content="/data/{quote(name)}">'
            f'<meta name="name" content="{html.escape(shown)}">'
            f'<meta name="identifier" content="{html.escape(name)}">'
        )
        text = file.read_text("utf-8")
        text = re.sub(r'<meta name="version" content=".*?">', lambda _: metas, text, count=1)
        today = f'<meta name="date" content="{datetime.now(UTC):%Y-%m-%d %H:%M:%S}">'
        return re.sub(r'<meta name="date" content=".*?">', today, text, count=1).encode()
