"""Which colour a box has: by its category, by a number, or by a word; and the legend that says so."""

from __future__ import annotations

from math import inf

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QLinearGradient, QPainter, QPen

from inspector.engines.layout.colour import CATEGORY, DTYPE
from inspector.engines.layout.scene import Box
from inspector.viewmodels import words
from inspector.viewmodels.graph_scene import Scene
from inspector.views.graph_style import Style, Tint

TITLES = {
    CATEGORY: "Category", "parameters": "Parameters", "macs": "Multiply-adds", "memory": "Memory", DTYPE: "Data type",
}  # fmt: skip
TONES = {
    "float32": "linear", "float16": "embedding", "bfloat16": "pooling", "float64": "recurrent", "int8": "activation",
    "uint8": "attention", "int64": "elementwise", "int32": "normalisation", "bool": "control",
}  # fmt: skip
"""Data types and the categories whose colours they borrow; others get that of `other`."""

ENTRIES = 7
HEIGHT, BAR, SQUARE, GAP = 32.0, 160.0, 10.0, 16.0
MIDDLE = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft


def position(measure: float, largest: float) -> float:
    """Where a number stands on the scale, 0 to 1: by its root, for a few layers hold most of everything."""
    return (max(0.0, measure) / largest) ** 0.5 if largest > 0 else 0.0


def in_words(colour: str, measure: float) -> str:
    """A number as people read it."""
    return words.size(round(measure)) if colour == "memory" else words.short(round(measure))


def tint(scene: Scene, style: Style, box: Box) -> Tint:
    """The colours of a box."""
    if scene.colour in ("", CATEGORY):
        return style.tint(box.category)
    if scene.colour == DTYPE:
        return style.tint(TONES.get(box.tone, "other")) if box.tone else style.heat(None)
    return style.heat(None if box.measure is None else position(box.measure, scene.largest))


def in_text(scene: Scene) -> str:
    """The legend for a screen reader."""
    title = TITLES.get(scene.colour, TITLES[CATEGORY])
    if scene.colour in ("", CATEGORY, DTYPE):
        return f"Colours: {title}: {', '.join(scene.tones if scene.colour == DTYPE else scene.categories)}"
    return f"Colours: {title}: 0 to {in_words(scene.colour, scene.largest)}"


def paint_legend(
    painter: QPainter, scene: Scene, style: Style, left: float, top: float, *, title: bool = True, right: float = inf
) -> float:
    """Paint what the colours mean in a strip of HEIGHT; gives where it ends on the right.

    Names that do not fit before `right` are counted behind those that do: `+2`.
    """
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    x = left
    if title:
        painter.setFont(style.title)
        x = _text(painter, style, TITLES.get(scene.colour, TITLES[CATEGORY]), x, top) + GAP
    painter.setFont(style.body)
    if scene.colour in ("", CATEGORY, DTYPE):
        names = scene.tones if scene.colour == DTYPE else scene.categories
        for at, name in enumerate(names):
            room = right - (_more(painter, len(names) - at - 1) if at + 1 < len(names) else 0.0)
            if at == ENTRIES or x + SQUARE + 6 + _wide(painter, name) > room:
                return _text(painter, style, f"+{len(names) - at}", x, top) + GAP
            shown = style.tint(TONES.get(name, "other") if scene.colour == DTYPE else name)
            x = _entry(painter, style, shown, name, x, top)
        return x
    x = _scale(painter, scene, style, x, top)
    return _entry(painter, style, style.heat(None), "unknown", x, top) if scene.has_unknown else x


def _scale(painter: QPainter, scene: Scene, style: Style, x: float, top: float) -> float:
    """The bar with 0, a quarter of the largest in the middle, and the largest: roots."""
    if not scene.largest:
        return _text(painter, style, "nothing on view has any", x, top) + GAP
    x = _text(painter, style, "0", x, top) + 6
    bar = QRectF(x, top + HEIGHT / 2 - SQUARE / 2, BAR, SQUARE)
    colours = QLinearGradient(bar.topLeft(), bar.topRight())
    for k in range(9):
        colours.setColorAt(k / 8, style.heat(k / 8).fill)
    painter.setPen(QPen(style.heat(0.5).border, 1.0))
    painter.setBrush(colours)
    painter.drawRect(bar)
    half = bar.center().x()
    painter.drawLine(QPointF(half, bar.top()), QPointF(half, bar.bottom()))
    quarter, largest = (in_words(scene.colour, part * scene.largest) for part in (0.25, 1.0))
    painter.setPen(style.muted)
    wide = style.body_metrics().horizontalAdvance(quarter)
    painter.drawText(QPointF(half - wide / 2, bar.top() - 2), quarter)
    return _text(painter, style, largest, bar.right() + 6, top) + GAP


def _entry(painter: QPainter, style: Style, shown: Tint, name: str, x: float, top: float) -> float:
    painter.setPen(QPen(shown.border, 1.0))
    painter.setBrush(shown.solid if shown is not style.heat(None) else shown.fill)
    painter.drawRoundedRect(QRectF(x, top + HEIGHT / 2 - SQUARE / 2, SQUARE, SQUARE), 2, 2)
    return _text(painter, style, name, x + SQUARE + 6, top) + GAP


def _more(painter: QPainter, count: int) -> float:
    """Room that the count of names takes which are not shown."""
    return GAP + _wide(painter, f"+{count}")


def _wide(painter: QPainter, text: str) -> float:
    return painter.fontMetrics().horizontalAdvance(text) + 1.0


def _text(painter: QPainter, style: Style, text: str, x: float, top: float) -> float:
    painter.setPen(style.text)
    wide = _wide(painter, text)
    painter.drawText(QRectF(x, top, wide + 4, HEIGHT), MIDDLE, text)
    return x + wide
