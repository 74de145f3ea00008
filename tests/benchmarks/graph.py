"""Folding and placing, and the time of a frame of panning and zooming, beside a QGraphicsView of plain rectangles."""

from __future__ import annotations

from tests.benchmarks import models
from tests.benchmarks.harness import Figure, fresh

LAYOUT = """
import json, sys, time
from pathlib import Path
from inspector.engines.layout.fold import first_view, fold
from inspector.engines.layout.grouping import hierarchy
from inspector.engines.layout.place import place
from inspector.formats import Source, identify

source = Source(Path(sys.argv[1]))
model = identify(source).read(source)
graph = model.graphs[0]
place(fold(model, graph, set()))  # what is imported once
told = {"nodes": len(graph.nodes)}

def timed(name, work):
    began = time.perf_counter()
    result = work()
    told[name] = time.perf_counter() - began
    return result

tree = timed("hierarchy", lambda: hierarchy(model, graph))
first = timed("fold", lambda: fold(model, graph, first_view(tree), known=tree))
timed("place", lambda: place(first))
told["boxes"] = len(first.boxes)
if sys.argv[2] == "all":
    every = timed("fold_all", lambda: fold(model, graph, set(), everything=True, known=tree))
    timed("place_all", lambda: place(every))
print(json.dumps(told))
"""
FRAMES = """
import json, sys, time
import numpy as np
from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QPen, QTransform, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QGraphicsScene, QGraphicsView

count, ours = int(sys.argv[1]), sys.argv[2] == "ours"
app = QApplication([])
COLUMNS, WIDTH, HEIGHT = 40, 180.0, 64.0
places = np.array([(i % COLUMNS * WIDTH, i // COLUMNS * HEIGHT, 120.0, 36.0) for i in range(count)], "<f4")
size = float(COLUMNS * WIDTH), float(count // COLUMNS * HEIGHT)

def scene():
    from inspector.engines.layout.scene import Box, Folded, Link, Placed
    from inspector.viewmodels.graph_scene import Scene

    kinds = ("linear", "activation", "elementwise", "shape", "normalisation")
    boxes = tuple(
        Box(key=f"n:{i}", kind="node", title="MatMul", text=f"/layer/{i}", category=kinds[i % 5]) for i in range(count)
    )
    links = tuple(Link(i, i + COLUMNS) for i in range(count - COLUMNS))
    ends = places[:, :2] + (60.0, 36.0)
    routes = np.stack([ends[: len(links)], places[COLUMNS:, :2] + (60.0, 0.0)], axis=1).astype("<f4")
    placed = Placed(
        rects=places.tobytes(), points=routes.tobytes(), starts=np.arange(0, 2 * len(links) + 1, 2, "<i4").tobytes(),
        width=size[0], height=size[1], engine="grid", seconds=0.0,
    )
    return Scene(Folded(graph="g", boxes=boxes, links=links, nodes=count), placed)

class Ours:
    def __init__(self):
        from inspector.views import look
        from inspector.views.graph import GraphView

        look.apply(app, "light")
        self.view = GraphView()
        self.view.resize(1400, 900)
        self.view.show()
        self.view.set_scene(scene(), fit=True)
        self.view.fit()
    def pan(self, number):
        key = (Qt.Key.Key_Right, Qt.Key.Key_Down)[number % 2]
        QTest.keyClick(self.view, key, Qt.KeyboardModifier.ShiftModifier)
        self.view.repaint()
    def zoom(self, number):
        at = QPointF(700, 450)
        none = Qt.KeyboardModifier.NoModifier
        wheel = QWheelEvent(
            at, at, QPoint(), QPoint(0, 60), Qt.MouseButton.NoButton, none, Qt.ScrollPhase.NoScrollPhase, False
        )
        app.sendEvent(self.view, wheel)
        self.view.repaint()
    def actual(self):
        self.view.actual_size()
    def fit(self):
        self.view.fit()

class Plain:
    def __init__(self):
        made = QGraphicsScene()
        brush, pen = QBrush(QColor("#dde7f3")), QPen(QColor("#7a8aa0"))
        for x, y, w, h in places.tolist():
            made.addRect(x, y, w, h, pen, brush)
        for x, y, _w, _h in places[: count - COLUMNS].tolist():
            made.addLine(x + 60, y + 36, x + 60, y + HEIGHT, pen)
        self.scene, self.view = made, QGraphicsView(made)
        self.view.resize(1400, 900)
        self.view.show()
        self.fit()
    def pan(self, number):
        bar = (self.view.horizontalScrollBar(), self.view.verticalScrollBar())[number % 2]
        bar.setValue(bar.value() + 80)
        self.view.viewport().repaint()
    def zoom(self, number):
        self.view.scale(2**0.125, 2**0.125)
        self.view.viewport().repaint()
    def actual(self):
        self.view.setTransform(QTransform())
    def fit(self):
        self.view.fitInView(QRectF(0, 0, *size), Qt.AspectRatioMode.KeepAspectRatio)

began = time.perf_counter()
user = Ours() if ours else Plain()
app.processEvents()
told = {"build": time.perf_counter() - began}

def frames(name, move, times=40):
    spent = []
    for number in range(times):
        began = time.perf_counter()
        move(number)
        spent.append((time.perf_counter() - began) * 1000)
        app.processEvents()
    told[name] = float(np.median(spent)), float(np.percentile(spent, 95))

frames("pan, all in sight", user.pan)
user.fit()
app.processEvents()
frames("zoom in", user.zoom)
user.actual()
app.processEvents()
frames("pan at 100 %", user.pan)
print(json.dumps(told))
"""


def figures() -> list[Figure]:
    """Layout of 5,000 and 20,000 nodes, frames of 5,000 and 50,000 boxes."""
    found = []
    for count in (5000, 20_000):
        found += layout(count)
    for count in (5000, 50_000):
        found += frames(count)
    return found


def layout(count: int) -> list[Figure]:
    """Folding and placing one generated model, the first view and everything opened."""
    told = fresh(LAYOUT, str(models.deep(count)), "all" if count <= 5000 else "first")
    first = told["hierarchy"] + told["fold"] + told["place"]
    name = f"{told['nodes']:,} nodes"
    found = [
        Figure(f"{name}: fold and place the first view ({told['boxes']} boxes)", first * 1000, "ms", "≤ 1000 ms"),
        Figure(f"{name}: fold and place again, modules known", (told["fold"] + told["place"]) * 1000, "ms"),
    ]
    if "place_all" in told:
        found.append(Figure(f"{name}: everything opened", (told["fold_all"] + told["place_all"]) * 1000, "ms"))
    return found


def frames(count: int) -> list[Figure]:
    """The slowest of twenty frames of each movement."""
    ours, plain = fresh(FRAMES, str(count), "ours"), fresh(FRAMES, str(count), "plain")
    return [
        Figure(f"{count:,} boxes: {what}, p95", ours[what][1], "ms", "≤ 16.7 ms", "QGraphicsView", plain[what][1])
        for what in ("pan, all in sight", "zoom in", "pan at 100 %")
    ]
