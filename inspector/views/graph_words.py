"""What a graph says in words: tips of boxes, for the eye and for a screen reader."""

from __future__ import annotations

from html import escape

from inspector.engines.layout.scene import Box
from inspector.viewmodels.graph_scene import Scene
from inspector.views.graph_colours import TITLES, in_words

LINES = 6
KINDS = {
    "input": "Input", "output": "Output", "stub": "Value from afar", "repeat": "Repeated module", "module": "Module",
}  # fmt: skip


def name_of(box: Box) -> str:
    """The full name behind a box."""
    if box.kind == "stub":
        return box.text
    return box.key.partition(":")[2].partition("#")[0]


def tooltip(scene: Scene, number: int, *, plain: bool = False) -> str:
    """Operator or class, name, and what flows in and out; names come from a file and are shown as plain text."""
    box = scene.boxes[number]
    kind = KINDS.get(box.kind, "")
    head = f"{kind} {box.title}" if kind else box.title
    lines = [name_of(box)] if name_of(box) and name_of(box) != box.title else []
    if box.kind in ("module", "repeat"):
        lines.append(f"{box.text} · {box.nodes:,} nodes" if box.kind == "module" else box.text)
    if box.measure is not None:
        lines.append(f"{TITLES[scene.colour]}  {in_words(scene.colour, box.measure)}")
    if box.tone:
        lines.append(f"{TITLES[scene.colour]}  {box.tone}")
    for word, links in (("in", scene.incoming(number)), ("out", scene.outgoing(number))):
        labels = dict.fromkeys(
            f"{word}  {scene.links[i].label or 'shape unknown'}  {scene.links[i].value}".rstrip() for i in links
        )
        lines += list(labels)[:LINES]
        if len(labels) > LINES:
            lines.append(f"{word}  {len(labels) - LINES} more")
    if plain:
        return ", ".join([head, *lines])
    rest = "".join(f"<br>{escape(line[:200])}" for line in lines)
    return f"<p style='white-space:pre'><b>{escape(head[:200])}</b>{rest}</p>"
