"""The graph as the user steers it.

Wheel zooms at the cursor, dragging pans, Shift+wheel and two fingers pan; the keyboard does everything the mouse can.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QHelpEvent, QInputDevice, QKeyEvent, QMouseEvent, QNativeGestureEvent, QWheelEvent
from PySide6.QtWidgets import QToolTip, QWidget

from inspector.views.graph_surface import NOTCH, GraphSurface
from inspector.views.graph_words import tooltip

DRAG = 4
"""Pixels of a press that are still a click."""
ARROWS = {
    Qt.Key.Key_Left: "left", Qt.Key.Key_Right: "right", Qt.Key.Key_Up: "up", Qt.Key.Key_Down: "down",
}  # fmt: skip


class GraphView(GraphSurface):
    """Shows a scene and says what the user points at."""

    toggled = Signal(str)
    """Key of the module that the user wants opened or closed."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("graphView")
        self.setAccessibleName("Graph")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self._pressed: QPointF | None = None
        self._dragging = self._on_map = False

    # Mouse

    def box_at(self, point: QPointF) -> int:
        """The innermost box under a point of the widget; -1 where there is none."""
        return self.scene.at(*self.camera.to_scene(point.x(), point.y())) if self.scene is not None else -1

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin a click or a drag; on the map, go there."""
        if event.button() not in (Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton):
            super().mousePressEvent(event)
            return
        self._pressed = event.position()
        self._dragging = False
        shown = self._map is not None and self._map.shown(self.camera)
        self._on_map = shown and self._map is not None and self._map.place(self.camera).contains(event.position())
        if self._on_map:
            self._go(event.position())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Drag, or light up what is under the cursor."""
        at = event.position()
        if self._pressed is None:
            self._hover(self.box_at(at))
            return
        if self._on_map:
            self._go(at)
            return
        step = at - self._pressed
        if self._dragging or step.manhattanLength() > DRAG:
            self._dragging = True
            self.setCursor(Qt.CursorShape.ClosedHandCursor)
            self._pan(step.x(), step.y())
            self._pressed = at

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """A press without a drag is a click."""
        clicked = self._pressed is not None and not self._dragging and not self._on_map
        self._pressed, self._dragging, self._on_map = None, False, False
        self.unsetCursor()
        if clicked and event.button() == Qt.MouseButton.LeftButton:
            box = self.box_at(event.position())
            self._choose(box)
            if box >= 0 and self._on_sign(box, event.position()):
                self._toggle(box)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Open or close a module; go from a stub to where its value is made."""
        box = self.box_at(event.position())
        if box >= 0 and event.button() == Qt.MouseButton.LeftButton and not self._on_sign(box, event.position()):
            self._enter(box)

    def leaveEvent(self, event: QEvent) -> None:
        """Nothing is under the cursor any more."""
        self._hover(-1)

    def _go(self, at: QPointF) -> None:
        assert self._map is not None
        self._touched = True
        self.camera.centre(*self._map.scene_point(self.camera, at))
        self._moved()

    def _hover(self, box: int) -> None:
        if self.scene is not None and box >= 0 and self.scene.boxes[box].open:
            box = -1
        if box != self._hovered:
            self._hovered = box
            self.update()

    def _on_sign(self, box: int, at: QPointF) -> bool:
        """Whether a point is on the plus or minus of a module."""
        assert self.scene is not None
        if self.scene.boxes[box].kind not in ("module", "repeat") or self.camera.zoom < 0.3:
            return False
        x, y = self.camera.to_scene(at.x(), at.y())
        left, top, width, height = self.scene.area(box)
        if self.scene.boxes[box].open:
            return QRectF(left + 4, top + 4, 20, 22).contains(x, y)
        return QRectF(left + width - 26, top, 26, height).contains(x, y)

    def _enter(self, box: int) -> None:
        assert self.scene is not None
        if self.scene.boxes[box].kind in ("module", "repeat"):
            self._toggle(box)
        elif self.scene.boxes[box].kind == "stub":
            self._follow(box)

    def _toggle(self, box: int) -> None:
        assert self.scene is not None
        key = self.scene.boxes[box].key
        x, y = self.camera.to_view(*self.scene.area(box)[:2])
        self._anchor = key, QPointF(max(x, 12.0), max(y, 12.0))
        self._touched = True
        self.toggled.emit(key)

    def _follow(self, box: int) -> None:
        """From a stub to the other end of its value."""
        assert self.scene is not None
        name = self.scene.boxes[box].text
        first = self.scene.index.get(f"s:{name}", -1)
        there = [self.scene.links[i].source for i in self.scene.incoming(first)] if first >= 0 else []
        if there:
            self._choose(there[0])
            self._reveal(there[0])

    # Wheel, gestures, keys, tips

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom at the cursor; with Shift, or two fingers on a pad, pan."""
        pad = event.device().type() == QInputDevice.DeviceType.TouchPad
        control = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        step = event.angleDelta()
        if pad and not control and not event.pixelDelta().isNull():
            self._pan(event.pixelDelta().x(), event.pixelDelta().y())
        elif event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self._pan(step.x() or step.y(), 0.0) if self._wide() else self._pan(step.x(), step.y())
        else:
            self._zoom_to(self.camera.zoom * NOTCH ** ((step.y() or step.x()) / 120), event.position())
        event.accept()

    def _wide(self) -> bool:
        return self.scene is not None and self.scene.width > self.scene.height

    def event(self, event: QEvent) -> bool:
        """Tips and pinches."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            self._tip(event)
            return True
        if isinstance(event, QNativeGestureEvent) and event.gestureType() == Qt.NativeGestureType.ZoomNativeGesture:
            self._zoom_to(self.camera.zoom * (1 + event.value()), event.position())
            return True
        return super().event(event)

    def _tip(self, event: QHelpEvent) -> None:
        box = self.box_at(QPointF(event.pos()))
        if self.scene is None or box < 0 or self.scene.boxes[box].open:
            QToolTip.hideText()
            return
        left, top, width, height = self.scene.area(box)
        corner = self.camera.to_view(left, top)
        around = QRectF(*corner, width * self.camera.zoom, height * self.camera.zoom).toAlignedRect()
        QToolTip.showText(event.globalPos(), tooltip(self.scene, box), self, around)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows follow links, Enter opens and closes, F fits, + and - zoom, Ctrl+0 is 100 %."""
        key, control = Qt.Key(event.key()), bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        if self.scene is None:
            super().keyPressEvent(event)
        elif key in ARROWS:
            self._step(ARROWS[key], pan=bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier))
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space) and self._selected >= 0:
            self._enter(self._selected)
        elif key == Qt.Key.Key_F and not control:
            self.fit()
        elif key == Qt.Key.Key_0 and control:
            self.actual_size()
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self.zoom_in()
        elif key == Qt.Key.Key_Minus:
            self.zoom_out()
        elif key == Qt.Key.Key_Escape and self._selected >= 0:
            self._choose(-1)
        elif key in (Qt.Key.Key_Home, Qt.Key.Key_End) and self.scene.boxes:
            self._land(0 if key == Qt.Key.Key_Home else len(self.scene.boxes) - 1)
        else:
            super().keyPressEvent(event)

    def _step(self, direction: str, *, pan: bool) -> None:
        assert self.scene is not None
        if pan:
            dx, dy = {"left": (80, 0), "right": (-80, 0), "up": (0, 80), "down": (0, -80)}[direction]
            self._pan(dx, dy)
        elif self._selected < 0 and self.scene.boxes:
            self._land(0)
        elif self._selected >= 0:
            self._land(self.scene.neighbour(self._selected, direction))

    def _land(self, box: int) -> None:
        self._choose(box)
        self._reveal(box)
