"""The graph on the screen: it paints, it can be steered, and its model keeps to the newest wish."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from graphs import field, first_scene, transformer
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QWheelEvent
from PySide6.QtWidgets import QApplication, QComboBox
from pytestqt.qtbot import QtBot

from inspector.engines.layout.place import place
from inspector.engines.layout.scene import Folded
from inspector.errors import InspectorError
from inspector.ir.model import Model
from inspector.viewmodels import graph as graph_model
from inspector.viewmodels.graph import GraphModel
from inspector.viewmodels.graph_scene import Scene
from inspector.views import look
from inspector.views.graph import GraphView
from inspector.views.graph_colours import GAP, paint_legend
from inspector.views.graph_export import export
from inspector.views.graph_page import GraphPage, Legend
from inspector.views.graph_style import Style
from inspector.views.graph_words import tooltip
from inspector.views.model_page import ModelPage
from inspector.worker.tasks import Context, Task
from inspector.worker.tasks._document import Document

NO_BUTTON, LEFT = Qt.MouseButton.NoButton, Qt.MouseButton.LeftButton


class Worker:
    """Answers as a worker would, in this process: at once, or when the test says so."""

    def __init__(self, model: Model | None = None) -> None:
        self.context = Context()
        if model is not None:
            self.context.state["document"] = Document(None, None, model, 0.0)  # type: ignore[arg-type]
        self.held: list[Callable[[], None]] = []
        self.hold = False
        self.dropped: list[int] = []
        self.restarts = 0
        self.asked: list[Any] = []

    def ask(self, task: Task[Any, Any], args: Any, done: Callable[[Any], None], failed: Callable[..., None]) -> int:
        id = len(self.asked) + 1
        self.asked.append(args)

        def answer() -> None:
            if id in self.dropped:
                return
            try:
                result = task.run(args, self.context)
            except InspectorError as error:
                failed(error)
                return
            done(result)

        if self.hold:
            self.held.append(answer)
        else:
            from PySide6.QtCore import QTimer

            QTimer.singleShot(0, answer)
        return id

    def drop(self, ask: int) -> None:
        self.dropped.append(ask)

    def restart(self) -> None:
        self.restarts += 1
        self.held.clear()


@pytest.fixture
def view(qtbot: QtBot) -> GraphView:
    look.apply(QApplication.instance(), "light")
    made = GraphView()
    qtbot.addWidget(made)
    made.resize(900, 700)
    made.show()
    qtbot.waitExposed(made)
    return made


@pytest.fixture
def page(qtbot: QtBot) -> GraphPage:
    look.apply(QApplication.instance(), "light")
    model = GraphModel(Worker(transformer()), Worker())
    made = GraphPage(model)
    qtbot.addWidget(made)
    made.resize(1000, 700)
    made.show()
    qtbot.waitUntil(lambda: model.scene is not None)
    return made


def settled(view: GraphView, qtbot: QtBot) -> QImage:
    """What is on the screen once all tiles are there."""
    qtbot.waitUntil(lambda: not view._rest.isActive(), timeout=30_000)
    shown = QImage()
    while shown != (shown := view.grab().toImage()):
        qtbot.wait(100)
    return shown


def spot(view: GraphView, key: str) -> QPoint:
    """The middle of a box on the screen; of an open one, its title."""
    assert view.scene is not None
    number = view.scene.index[key]
    x, y, width, height = view.scene.area(number)
    if view.scene.boxes[number].open:
        return QPointF(*view.camera.to_view(x + 60, y + 14)).toPoint()
    return QPointF(*view.camera.to_view(x + width / 2, y + height / 2)).toPoint()


def wheel(
    view: GraphView, at: QPoint, notches: int, modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier
) -> None:
    position = QPointF(at)
    event = QWheelEvent(
        position, QPointF(view.mapToGlobal(at)), QPoint(), QPoint(0, 120 * notches), NO_BUTTON, modifiers,
        Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(view, event)


def test_every_box_of_the_first_view_is_painted(view: GraphView, qtbot: QtBot) -> None:
    scene = first_scene(transformer())
    view.set_scene(scene)
    view.fit()
    image = settled(view, qtbot)
    ground = look.colour("base").rgb()
    for i, box in enumerate(scene.boxes):
        x, y, width, _ = scene.area(i)
        inside = QPointF(*view.camera.to_view(x + width / 2, y + 3)).toPoint()
        assert image.pixel(inside) != ground, box.key
    assert image.pixel(3, 3) == ground


def test_boxes_have_the_colour_of_their_category(view: GraphView, qtbot: QtBot) -> None:
    scene = first_scene(transformer())
    view.set_scene(scene)
    image = settled(view, qtbot)
    for i, box in enumerate(scene.boxes):
        if box.kind == "node":
            x, y, _, height = scene.area(i)
            at = QPointF(*view.camera.to_view(x + 4.5, y + height / 2)).toPoint()
            strip, want = QColor(image.pixel(at)), look.category_colour(box.category)
            assert abs(strip.hue() - want.hue()) < 20 or want.saturation() < 60, box.key


def test_links_are_painted_with_arrows(view: GraphView, qtbot: QtBot) -> None:
    scene = first_scene(transformer())
    view.set_scene(scene)
    image = settled(view, qtbot)
    edge = look.colour("edge")
    for k in range(len(scene.links)):
        x, y = view.camera.to_view(*scene.route(k)[-1].tolist())
        found = QColor(image.pixel(round(x), round(y) - 3))
        assert abs(found.lightness() - edge.lightness()) < 40, scene.links[k]


def test_a_dark_theme_repaints(view: GraphView, qtbot: QtBot) -> None:
    view.set_scene(first_scene(transformer()))
    light = settled(view, qtbot).pixel(3, 3)
    look.apply(QApplication.instance(), "dark")
    dark = settled(view, qtbot).pixel(3, 3)
    assert QColor(dark).lightness() < 60 < QColor(light).lightness()


def test_a_click_selects_and_empty_ground_deselects(view: GraphView, qtbot: QtBot) -> None:
    view.set_scene(first_scene(transformer()))
    with qtbot.waitSignal(view.selected) as said:
        qtbot.mouseClick(view, LEFT, pos=spot(view, "n:node1"))
    assert said.args == ["n:node1"]
    assert "Embedding" in view.accessibleDescription()
    with qtbot.waitSignal(view.selected) as said:
        qtbot.mouseClick(view, LEFT, pos=QPoint(2, 2))
    assert said.args == [""]


def test_a_selected_box_has_a_frame_of_the_accent(view: GraphView, qtbot: QtBot) -> None:
    scene = first_scene(transformer())
    view.set_scene(scene)
    assert view.select("n:node1")
    x, y, width, height = scene.area(scene.index["n:node1"])
    at = QPointF(*view.camera.to_view(x + width / 2, y + height + 1)).toPoint()
    image = settled(view, qtbot)
    near = {QColor(image.pixel(at.x() + 12, at.y() + k)).name() for k in (-1, 0, 1)}
    assert look.colour("accent").name() in near


def test_select_says_nothing_and_knows_what_is_not_there(view: GraphView, qtbot: QtBot) -> None:
    view.set_scene(first_scene(transformer()))
    with qtbot.assertNotEmitted(view.selected):
        assert view.select("n:node1")
        assert not view.select("n:nowhere")
    assert view.selected_key == ""


def test_a_box_out_of_sight_is_brought_into_it(view: GraphView, qtbot: QtBot) -> None:
    view.set_scene(field(2000))
    view.select("n:1999")
    assert view.rect().contains(spot(view, "n:1999"))


def test_the_wheel_zooms_at_the_cursor(view: GraphView) -> None:
    view.set_scene(field(2000))
    at, zoom = QPoint(300, 200), view.camera.zoom
    before = view.camera.to_scene(300, 200)
    wheel(view, at, 3)
    after = view.camera.to_scene(300, 200)
    assert view.camera.zoom == pytest.approx(zoom * 2**0.75)
    assert after == pytest.approx(before, abs=1.5)


def test_shift_and_wheel_pan(view: GraphView) -> None:
    view.set_scene(field(2000))
    zoom, x = view.camera.zoom, view.camera.x
    wheel(view, QPoint(300, 200), -2, Qt.KeyboardModifier.ShiftModifier)
    assert view.camera.zoom == zoom
    assert view.camera.x > x


def test_dragging_pans_and_selects_nothing(view: GraphView, qtbot: QtBot) -> None:
    view.set_scene(field(2000))
    before = view.camera.to_scene(200, 200)
    with qtbot.assertNotEmitted(view.selected):
        qtbot.mousePress(view, LEFT, pos=QPoint(200, 200))
        for x in range(200, 100, -10):
            qtbot.mouseMove(view, QPoint(x, 200))
        qtbot.mouseRelease(view, LEFT, pos=QPoint(110, 200))
    assert view.camera.to_scene(110, 200)[0] == pytest.approx(before[0], abs=2)


def test_a_double_click_and_enter_ask_to_open_a_module(view: GraphView, qtbot: QtBot) -> None:
    view.set_scene(first_scene(transformer()))
    repeat = "m:net.layers#0"
    with qtbot.waitSignal(view.toggled) as said:
        qtbot.mouseDClick(view, LEFT, pos=spot(view, repeat))
    assert said.args == [repeat]
    view.select(repeat)
    with qtbot.waitSignal(view.toggled) as said:
        qtbot.keyClick(view, Qt.Key.Key_Return)
    assert said.args == [repeat]


def test_one_click_on_the_plus_is_enough(view: GraphView, qtbot: QtBot) -> None:
    scene = first_scene(transformer())
    view.set_scene(scene)
    x, y, width, height = scene.area(scene.index["m:net.layers#0"])
    at = QPointF(*view.camera.to_view(x + width - 14, y + height / 2)).toPoint()
    with qtbot.waitSignal(view.toggled) as said:
        qtbot.mouseClick(view, LEFT, pos=at)
    assert said.args == ["m:net.layers#0"]


def test_arrows_follow_the_links(view: GraphView, qtbot: QtBot) -> None:
    view.set_scene(first_scene(transformer()))
    view.select("i:ids")
    qtbot.keyClick(view, Qt.Key.Key_Down)
    assert view.selected_key == "n:node1"
    qtbot.keyClick(view, Qt.Key.Key_Up)
    assert view.selected_key == "i:ids"


def test_keys_zoom_and_fit(view: GraphView, qtbot: QtBot) -> None:
    view.set_scene(first_scene(transformer()))
    qtbot.keyClick(view, Qt.Key.Key_Plus)
    qtbot.keyClick(view, Qt.Key.Key_Plus)
    assert view.camera.zoom > 1
    qtbot.keyClick(view, Qt.Key.Key_0, Qt.KeyboardModifier.ControlModifier)
    assert view.camera.zoom == 1
    qtbot.keyClick(view, Qt.Key.Key_F)
    assert view.scene is not None
    assert view.camera.shows_all(view.scene)


def test_the_map_appears_when_needed_and_takes_one_there(view: GraphView, qtbot: QtBot) -> None:
    view.set_scene(field(5000))
    view.actual_size()
    settled(view, qtbot)
    assert view._map is not None
    place = view._map.place(view.camera)
    before = view.camera.y
    qtbot.mouseClick(view, LEFT, pos=place.center().toPoint())
    assert view.camera.y > before
    view.fit()
    assert view.scene is not None
    assert view._map.shown(view.camera) != view.camera.shows_all(view.scene)


def test_fifty_thousand_boxes_can_be_flown_over(view: GraphView, qtbot: QtBot) -> None:
    view.set_scene(field(50_000))
    for k in range(60):
        wheel(view, QPoint(400, 300), 1 if k < 20 else -1 if k < 50 else 1)
        view.camera.pan(-37.0, -23.0)
        view.repaint()
    image = settled(view, qtbot)
    assert len({image.pixel(x, y) for x in range(0, 900, 30) for y in range(0, 700, 30)}) > 3


def test_tips_say_what_flows_and_are_plain_text(view: GraphView) -> None:
    scene = first_scene(transformer())
    view.set_scene(scene)
    words = tooltip(scene, scene.index["n:node1"])
    assert "Embedding" in words
    assert "1×8 f32" in words
    assert "&lt;b&gt;" in tooltip(_named(scene, "<b>"), 0)


def _named(scene: Scene, title: str) -> Scene:
    import msgspec

    scene.boxes = (msgspec.structs.replace(scene.boxes[0], title=title), *scene.boxes[1:])
    return scene


# The page and its model


def test_opening_a_module_keeps_it_where_it_was(page: GraphPage, qtbot: QtBot) -> None:
    view, key = page.view, "m:net.layers#0"
    assert view.scene is not None
    before = view.camera.to_view(*view.scene.area(view.scene.index[key])[:2])
    with qtbot.waitSignal(page.model.changed):
        qtbot.mouseDClick(view, LEFT, pos=spot(view, key))
    assert view.scene is page.model.scene
    number = view.scene.index[key]
    assert view.scene.boxes[number].open
    assert view.camera.to_view(*view.scene.area(number)[:2]) == pytest.approx(before, abs=2)


def test_what_was_open_inside_comes_back(page: GraphPage, qtbot: QtBot) -> None:
    model = page.model
    for key in ("m:net.layers#0", "m:net.layers.4", "m:net.layers#0", "m:net.layers#0"):
        with qtbot.waitSignal(model.changed):
            model.toggle(key)
    assert model.scene is not None
    assert model.scene.boxes[model.scene.index["m:net.layers.4"]].open


def test_expand_collapse_turn(page: GraphPage, qtbot: QtBot) -> None:
    model = page.model
    with qtbot.waitSignal(model.changed):
        model.expand_all()
    assert model.scene is not None
    assert sum(box.kind == "node" for box in model.scene.boxes) == 111
    with qtbot.waitSignal(model.changed):
        model.collapse_all()
    assert not any(box.open for box in model.scene.boxes)
    tall = model.scene.height > model.scene.width
    with qtbot.waitSignal(model.changed):
        model.set_orientation("horizontal")
    assert tall
    assert model.scene.width > model.scene.height


def test_the_colours_can_mean_a_figure(page: GraphPage, qtbot: QtBot) -> None:
    colours, legend = page.findChild(QComboBox, "graphColours"), page.findChild(Legend, "graphLegend")
    keys = [colours.itemData(k) for k in range(colours.count())]
    assert keys == ["category", "parameters", "macs", "memory", "dtype"]
    assert legend.accessibleName().startswith("Colours: Category: ")
    before = settled(page.view, qtbot)
    with qtbot.waitSignal(page.model.changed):
        qtbot.keyClicks(colours, "Parameters")
        colours.activated.emit(colours.currentIndex())
    scene = page.model.scene
    assert scene is not None
    assert (scene.colour, scene.largest) == ("parameters", 12 * (8 * 8 + 8 * 32 + 32 * 8 + 8))
    assert legend.accessibleName() == "Colours: Parameters: 0 to 7.01 K"
    assert settled(page.view, qtbot) != before
    assert "Parameters  7.01 K" in tooltip(scene, scene.index["m:net.layers"], plain=True)
    with qtbot.waitSignal(page.model.changed):
        page.model.toggle("m:net.layers")
    assert page.model.scene is not None
    assert page.model.scene.colour == "parameters"  # it stays on while modules are opened


def test_a_legend_without_room_counts_what_it_leaves_out(page: GraphPage, monkeypatch: pytest.MonkeyPatch) -> None:
    scene, style = page.model.scene, Style.of(False)
    assert scene is not None
    monkeypatch.setattr(scene, "categories", ["convolution", "activation", "pooling", "linear"])
    picture = QImage(800, 32, QImage.Format.Format_RGB32)
    with QPainter(picture) as painter:
        whole = paint_legend(painter, scene, style, 16.0, 0.0, title=False)
        ends = [paint_legend(painter, scene, style, 16.0, 0.0, title=False, right=right) for right in range(60, 500, 5)]
    assert ends[-1] == whole
    assert len(set(ends)) == 5  # none to four names
    assert all(end - GAP <= right for end, right in zip(ends, range(60, 500, 5), strict=True))
    legend = page.findChild(Legend, "graphLegend")
    assert legend.toolTip() == legend.accessibleName()


def test_search_finds_goes_there_and_opens_what_hides_it(page: GraphPage, qtbot: QtBot) -> None:
    with qtbot.waitSignal(page.model.found):
        qtbot.keyClicks(page.search, "node30")
    assert page._count.text() == "1 found"
    with qtbot.waitSignal(page.model.revealed) as said:
        qtbot.keyClick(page.search, Qt.Key.Key_Return)
    assert said.args == ["n:node30"]
    assert page.view.selected_key == "n:node30"
    assert page._count.text() == "1 of 1"
    assert page.view.rect().contains(spot(page.view, "n:node30"))


def test_a_search_without_hits_says_so(page: GraphPage, qtbot: QtBot) -> None:
    with qtbot.waitSignal(page.model.found):
        page.search.setText("zzz")
    assert page._count.text() == "none"
    assert not page._next.isEnabled()


def test_selecting_from_outside_reveals(page: GraphPage, qtbot: QtBot) -> None:
    with qtbot.waitSignal(page.model.revealed):
        page.select("m:net.layers.7.norm")
    assert page.view.selected_key == "n:node73"


def test_only_the_newest_wish_is_shown(qtbot: QtBot) -> None:
    document, layout = Worker(transformer()), Worker()
    document.hold = True
    model = GraphModel(document, layout)
    shown: list[Scene] = []
    model.changed.connect(lambda scene, fit: shown.append(scene))
    model.load()
    model.expand_all()
    model.collapse_all()
    for answer in document.held:
        answer()
    qtbot.waitUntil(lambda: bool(shown))
    qtbot.wait(20)
    assert len(shown) == 1
    assert not any(box.open for box in shown[0].boxes)


def test_a_layout_that_hangs_is_ended_and_the_folded_view_comes(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graph_model, "LIMIT_MS", 50)
    layout = Worker()
    layout.hold = True
    model = GraphModel(Worker(transformer()), layout)
    with qtbot.waitSignal(model.failed) as said:
        model.load()
    assert said.args[1] == "Open fewer modules at once."
    assert layout.restarts == 1
    layout.hold = False
    with qtbot.waitSignal(model.changed) as shown:
        qtbot.wait(1)
    assert not any(box.open for box in shown.args[0].boxes)


def test_cancel_keeps_what_was_shown(page: GraphPage, qtbot: QtBot) -> None:
    layout = page.model._layout
    assert isinstance(layout, Worker)
    layout.hold = True
    before = page.model.scene
    page.model.expand_all()
    qtbot.waitUntil(lambda: bool(layout.held))
    qtbot.waitUntil(page._strip.isVisible)
    qtbot.mouseClick(page._cancel, LEFT)
    assert page._strip.isHidden()
    assert layout.restarts == 1
    assert page.model.scene is before
    layout.hold = False
    with qtbot.waitSignal(page.model.changed):
        page.model.toggle("m:net.layers#0")
    assert sum(box.open for box in page.model.scene.boxes) == 2


def test_a_file_without_a_graph_says_so(qtbot: QtBot) -> None:
    page = GraphPage(GraphModel(Worker(Model("x")), Worker()))
    qtbot.addWidget(page)
    page.show()
    qtbot.waitUntil(lambda: "no graph" in page._pane.title.text())


def test_a_picture_that_does_not_fit_its_graph_is_refused(qtbot: QtBot) -> None:
    class Liar(Worker):
        def ask(self, task: Any, args: Any, done: Callable[[Any], None], failed: Callable[..., None]) -> int:
            done(place(Folded(graph="g", boxes=(), links=(), nodes=0)))
            return 1

    model = GraphModel(Worker(transformer()), Liar())
    with qtbot.waitSignal(model.failed) as said:
        model.load()
    assert said.args[0] == "The picture does not fit its graph."


# Pictures


@pytest.mark.parametrize("suffix", [".svg", ".pdf", ".png"])
def test_pictures_are_saved(suffix: str, tmp_path: Path, qtbot: QtBot) -> None:
    file = tmp_path / f"graph{suffix}"
    export(first_scene(transformer()), file)
    data = file.read_bytes()
    assert data.startswith({".svg": b"<?xml", ".pdf": b"%PDF", ".png": b"\x89PNG"}[suffix])
    if suffix == ".svg":
        assert b"Embedding" in data


def test_a_dark_picture_is_dark(tmp_path: Path, qtbot: QtBot) -> None:
    file = tmp_path / "graph.png"
    export(first_scene(transformer()), file, dark=True)
    assert QColor(QImage(str(file)).pixel(2, 2)).lightness() < 60


def test_other_suffixes_and_missing_folders_are_refused(tmp_path: Path) -> None:
    scene = first_scene(transformer())
    with pytest.raises(InspectorError, match=r"cannot be saved as \.bmp"):
        export(scene, tmp_path / "graph.bmp")
    with pytest.raises(InspectorError, match="There is no folder"):
        export(scene, tmp_path / "nowhere" / "graph.svg")


# In the window


def test_in_the_window_graph_table_and_panels_share_one_selection(
    window: Any, opened: Callable[..., Any], qtbot: QtBot
) -> None:
    document = opened("digits_cnn.pt2")
    page = window.findChild(ModelPage).show_page("graph")
    assert isinstance(page, GraphPage)
    qtbot.waitUntil(lambda: page.model.scene is not None, timeout=30_000)
    scene = page.model.scene
    key = next(box.key for box in scene.boxes if box.title == "Linear")
    page.view.fit()
    qtbot.mouseClick(page.view, LEFT, pos=spot(page.view, key))
    assert document.selection.target.name == key[2:]
    row = next(row for row in document.layers.all_rows() if "Conv2d" in row.type)
    document.selection.select(document.target_of(row))
    qtbot.waitUntil(lambda: page.view.selected_key == f"n:{row.nodes[0]}")
