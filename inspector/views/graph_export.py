"""Save a graph as a picture: SVG and PDF as vectors, PNG in pixels, by the painter of the window. No screen needed."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QMarginsF, QPointF, QRectF, QSize, QSizeF
from PySide6.QtGui import QImage, QPageLayout, QPageSize, QPainter, QPdfWriter

from inspector.engines.layout.colour import CATEGORY
from inspector.errors import InspectorError
from inspector.viewmodels.graph_scene import Scene
from inspector.views.graph_colours import HEIGHT, paint_legend
from inspector.views.graph_paint import GraphPainter
from inspector.views.graph_style import Style

BORDER = 24.0
LEGEND = 420.0
"""Room for a legend below a narrow graph."""
PIXELS = 200_000_000
"""Of a PNG at most: 800 MB while it is painted."""
SIDE = 30_000
"""Qt cannot paint wider or higher pictures of pixels."""


def export(scene: Scene, path: Path, dark: bool = False) -> None:
    """Write the whole scene; the kind of picture is told by the suffix.

    Raises:
        InspectorError: The suffix is of no known kind, or the file cannot be written.
    """
    writers = {".svg": _svg, ".pdf": _pdf, ".png": _png}
    writer = writers.get(path.suffix.lower())
    if writer is None:
        raise InspectorError(
            f"A graph cannot be saved as {path.suffix or 'a file without suffix'}.", "Use .svg, .png or .pdf."
        )
    if not path.parent.is_dir():
        raise InspectorError(f"There is no folder {path.parent}.", "Choose another place.")
    writer(scene, path, GraphPainter(scene, Style.of(dark)))


def _size(scene: Scene) -> QSizeF:
    """Of the picture: with a border, and a legend below where the colours are not those of the window's first view."""
    if scene.colour in ("", CATEGORY):
        return QSizeF(scene.width + 2 * BORDER, scene.height + 2 * BORDER)
    return QSizeF(max(scene.width, LEGEND) + 2 * BORDER, scene.height + 2 * BORDER + HEIGHT)


def _paint(painter: QPainter, scene: Scene, graph: GraphPainter, scale: float) -> None:
    painter.scale(scale, scale)
    painter.fillRect(QRectF(QPointF(0, 0), _size(scene)), graph.style.ground)
    painter.translate(BORDER, BORDER)
    graph.paint(painter, (0.0, 0.0, scene.width, scene.height), scale)
    if scene.colour not in ("", CATEGORY):
        paint_legend(painter, scene, graph.style, 0.0, scene.height + BORDER / 2)


def _begun(painter: QPainter, path: Path) -> None:
    if not painter.isActive():
        raise InspectorError(f"{path.name} cannot be written.", "Choose a folder where you may write.")


def _svg(scene: Scene, path: Path, graph: GraphPainter) -> None:
    from PySide6.QtSvg import QSvgGenerator

    size = _size(scene)
    generator = QSvgGenerator()
    generator.setFileName(str(path))
    generator.setResolution(96)  # one unit is one pixel
    generator.setSize(QSize(round(size.width()), round(size.height())))
    generator.setViewBox(QRectF(0, 0, size.width(), size.height()))
    generator.setTitle(scene.graph)
    painter = QPainter()
    painter.begin(generator)
    _begun(painter, path)
    _paint(painter, scene, graph, 1.0)
    painter.end()


def _pdf(scene: Scene, path: Path, graph: GraphPainter) -> None:
    writer = QPdfWriter(str(path))
    writer.setResolution(96)
    points = _size(scene) * 0.75
    writer.setPageSize(QPageSize(points, QPageSize.Unit.Point))
    writer.setPageMargins(QMarginsF(0, 0, 0, 0), QPageLayout.Unit.Point)
    writer.setTitle(scene.graph)
    painter = QPainter()
    painter.begin(writer)
    _begun(painter, path)
    _paint(painter, scene, graph, 1.0)
    painter.end()


def _png(scene: Scene, path: Path, graph: GraphPainter) -> None:
    size = _size(scene)
    width, height = size.width(), size.height()
    scale = min(2.0, SIDE / width, SIDE / height, (PIXELS / (width * height)) ** 0.5)
    image = QImage(max(1, int(width * scale)), max(1, int(height * scale)), QImage.Format.Format_RGB32)
    if image.isNull():
        raise InspectorError("There is not enough memory for a picture of this size.", "Save it as .svg or .pdf.")
    image.fill(graph.style.ground)
    with QPainter(image) as painter:
        _paint(painter, scene, graph, scale)
    if not image.save(str(path)):
        raise InspectorError(f"{path.name} cannot be written.", "Choose a folder where you may write.")
