"""Drives the real window through every page and writes pictures of each, light and dark (`make screenshots`).

All go to build/screenshots; those that README shows are copied to resources/screenshots. Names given as arguments
keep to the pictures that begin with them: `python packaging/screenshots.py layers graph`.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QWidget

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(Path(__file__).resolve().parent))

import hostile  # noqa: E402 - beside this file
import pictures  # noqa: E402
from tour import SIZE, Tour, new_window  # noqa: E402

from inspector.assets import resources  # noqa: E402
from inspector.engines.summary.rows import Row  # noqa: E402
from inspector.errors import InspectorError  # noqa: E402
from inspector.settings import Settings  # noqa: E402
from inspector.viewmodels.document import DocumentModel  # noqa: E402
from inspector.worker.tasks.details import TASK as DETAILS  # noqa: E402
from inspector.worker.tasks.details import Details, DetailsArgs  # noqa: E402

ALL, SHOWN = ROOT / "build" / "screenshots", ROOT / "resources" / "screenshots"
README = ROOT / "README.md"
LIMIT, TOGETHER = 250_000, 3_000_000
"""Bytes that one committed picture, and all of them, may have."""
FOLDER = Path(tempfile.gettempdir()) / "models"
"""Where the models of the pictures lie: a path that everybody could have."""
THEMES = ("light", "dark")


class Album:
    """Takes each picture light and dark, and keeps what README shows."""

    def __init__(self, tour: Tour, wanted: tuple[str, ...]) -> None:
        self.tour, self._wanted = tour, wanted
        self._shown = set(re.findall(r"resources/screenshots/([\w-]+\.png)", README.read_text(encoding="utf-8")))

    def wants(self, *names: str) -> bool:
        """Whether any picture of these names is asked for."""
        return not self._wanted or any(name.startswith(self._wanted) for name in names)

    def take(self, name: str, *above: QWidget, rest: float = 0.0) -> None:
        """Take the window as it stands, with dialogs above it."""
        if not self.wants(name):
            return
        for theme in THEMES:
            self.tour.window.set_theme(theme)
            self.tour.rest(rest)
            self.keep(f"{name}-{theme}.png", self.tour.picture(*above))
        self.tour.window.set_theme(THEMES[0])

    def keep(self, name: str, picture: QPixmap) -> None:
        """Write it, and for README as well."""
        size = pictures.save(picture, ALL / name)
        if size > LIMIT:
            raise ValueError(f"{name} has {size:,} bytes; {LIMIT:,} are allowed.")
        if name in self._shown:
            SHOWN.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ALL / name, SHOWN / name)
        print(f"{name}  {size / 1000:.0f} kB{'  (README)' if name in self._shown else ''}", flush=True)


def main(wanted: tuple[str, ...]) -> int:
    """Take the pictures."""
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    os.environ.setdefault("QTWEBENGINE_DISABLE_SANDBOX", "1")
    shutil.rmtree(FOLDER, ignore_errors=True)
    shutil.copytree(resources() / "samples", FOLDER, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    with tempfile.TemporaryDirectory() as home:
        os.environ["INSPECTOR_SETTINGS"] = str(Path(home, "settings.json"))
        Settings().recent = [str(FOLDER / name) for name in ("digits_cnn.onnx", "digits_mlp.pt2", "digits_keras.keras")]
        tour = Tour(new_window(), print)
        tour.window.resize(*SIZE)
        try:
            everything(Album(tour, wanted))
        finally:
            tour.close()
            shutil.rmtree(FOLDER, ignore_errors=True)
    together = sum(file.stat().st_size for file in SHOWN.glob("*.png"))
    print(f"resources/screenshots: {together / 1000:.0f} kB of {TOGETHER / 1000:.0f} kB")
    return 0 if together <= TOGETHER else 1


def everything(album: Album) -> None:
    """Every page, in the order a user meets them."""
    album.take("welcome")
    if album.wants(
        "overview", "layers", "node", "tensor", "graph", "netron", "palette", "preferences", "about", "error"
    ):
        looking(album)
    if album.wants("modules", "dims", "writing", "hostile", "hostile-details"):
        trusting(album)
    if album.wants("convert", "compare", "scatter", "histogram", "cumulative"):
        converting(album)


def looking(album: Album) -> None:
    """What a model is."""
    tour, window = album.tour, album.tour.window
    document = tour.open(FOLDER / "digits_cnn.onnx")
    album.take("overview")
    page: Any = tour.show("layers")
    weighty = max(document.layers.all_rows(), key=lambda row: row.parameters)
    document.selection.select(document.target_of(weighty))
    page.table.setFocus(Qt.FocusReason.OtherFocusReason)
    tour.rest(0.5)
    album.take("layers")
    assert window.docks is not None
    document.selection.look_at(first_weight(tour, document, weighty))
    tour.rest(1.0)
    album.take("tensor")
    window.docks.bring("node")
    tour.graph()
    album.take("graph")
    if album.wants("netron"):
        netron: Any = tour.show("netron")
        tour.wait(lambda: netron.is_rendered, 60, "Netron")
        tour.rest(1.0)
        album.take("netron", rest=1.0)
    dialogs(album)


def trusting(album: Album) -> None:
    """What a table says and follows, and what is said of files that are not what they should be."""
    tour, window = album.tour, album.tour.window
    file = FOLDER / "digits_cnn.onnx"
    document = tour.open(file)
    page: Any = tour.show("layers")
    page.set_grouping("modules")
    tour.wait(lambda: document.complete and document.layers.is_tree, 30, "the table by module")
    document.set_depth(0)
    blocks = next(row for row in document.layers.all_rows() if row.name == "blocks.1")
    document.layers.toggle(document.layers.position(blocks.index) or 0)
    document.selection.select(document.target_of(next(r for r in document.layers.all_rows() if r.name == "blocks.0")))
    page.table.setFocus(Qt.FocusReason.OtherFocusReason)
    tour.rest(0.5)
    album.take("modules")
    page.set_grouping("layers")
    tour.wait(lambda: document.complete and not document.layers.is_tree, 30, "the table by layer")
    overview: Any = tour.show("overview")
    field = next(iter(overview.dims.fields.values()))
    field.setFocus(Qt.FocusReason.OtherFocusReason)
    field.setText("32")
    field.editingFinished.emit()
    tour.wait(lambda: document.complete and document.layers.row(0).inputs[0].shape[0] == 32, 30, "the sizes")
    album.take("dims")
    document.set_dims({})
    tour.wait(lambda: document.complete and not document.dims, 30, "the sizes as they were")
    if album.wants("writing"):
        unfinished(album, file)
    if album.wants("hostile", "hostile-details"):
        hostile.write(FOLDER / "checkpoint.pt")
        document = tour.open(FOLDER / "checkpoint.pt")
        tour.show("layers")
        document.selection.select(document.target_of(document.layers.largest[0]))
        tour.rest(0.5)
        album.take("hostile")
        assert window.page is not None
        window.page.remarks.details.click()
        box = tour.find(QWidget, "remarkBox", window)
        box.move(window.mapToGlobal(window.rect().center()) - box.rect().center())
        album.take("hostile-details", box)
        box.close()
        window.close_tab()


def unfinished(album: Album, file: Path) -> None:
    """The open file while somebody writes it anew, half of it so far."""
    tour, whole = album.tour, file.read_bytes()
    document = next(each for each in tour.window.workspace.documents if each.path == file)
    file.write_bytes(whole[:9000])
    tour.wait(lambda: document.freshness.state == "incomplete", 30, "word that the file is not complete")
    album.take("writing")
    file.write_bytes(whole)
    tour.wait(lambda: document.freshness.reloaded and document.complete, 30, "the file, read again")


def first_weight(tour: Tour, document: DocumentModel, row: Row) -> str:
    """Name of the first tensor that the details of a row lead to."""
    answers: list[Details] = []
    failed: list[InspectorError] = []
    args = DetailsArgs(kind="row", name=row.name, graph=row.graph)
    document.ask(DETAILS, args, answers.append, failed.append)
    tour.wait(lambda: answers or failed, 30, "the details of a layer")
    return next(fact.tensor for section in answers[0].sections for fact in section.facts if fact.tensor)


def dialogs(album: Album) -> None:
    """What stands above the window."""
    from inspector.views.command_palette import CommandPalette

    tour, window = album.tour, album.tour.window
    tour.show("layers")
    window.show_palette()
    palette = tour.find(CommandPalette, "commandPalette", window)
    album.take("palette", palette)
    palette.close()
    for name, show in (("preferences", window.show_preferences), ("about", window.show_about)):
        show()
        dialog = tour.find(QWidget, name, window)
        album.take(name, dialog)
        dialog.close()
    window.show_error(
        "The worker process crashed with a segmentation fault.", "Try again; the details hold the end of its log.",
        "Thread 0x7f3c (most recent call first):\n  File convert_step.py, line 41 in run",
    )  # fmt: skip
    box = tour.find(QWidget, "errorBox", window)
    album.take("error-box", box)
    box.close()
    if album.wants("error-page"):
        broken = FOLDER / "unfinished.onnx"
        broken.write_bytes((FOLDER / "digits_cnn.onnx").read_bytes()[:9000])
        window.open_files([str(broken)])
        tour.wait(lambda: window.page is not None and window.page.document.error is not None, 30, "the error")
        album.take("error-page")
        window.close_tab()


def converting(album: Album) -> None:
    """To another framework, and what came of it."""
    tour = album.tour
    tour.open(FOLDER / "digits_mlp.pt2")
    tour.show("graph")
    panel = tour.set_conversion("tf.saved_model", FOLDER / "digits_mlp_saved_model")
    panel.options_button.click()
    album.take("convert-options")
    panel.options_button.click()
    tour.press(panel.start_button)
    tour.wait(lambda: (panel.model.running.fraction or 0) > 0.15, 120, "the conversion's progress")
    album.take("convert-running")
    tour.converted(panel)
    album.take("convert-done")
    page, _ = tour.compared()
    album.take("compare")
    page.parity_plot.show_chart(1)
    page.latency_plot.show_chart(1)
    album.take("compare-scatter")
    page.parity_plot.show_chart(2)
    album.take("compare-histogram")


if __name__ == "__main__":
    sys.exit(main(tuple(sys.argv[1:])))
