"""What is wrong with an ONNX model that can be drawn all the same: said in remarks, for no runtime will take it."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Iterator
from itertools import pairwise
from typing import Any

from inspector.ir import Graph, Node, Note, Tensor

SETTINGS = frozenset({"location", "offset", "length", "checksum", "basepath"})
"""What ONNX says of data in another file; ONNX Runtime adds some that begin with `prepacked`."""

DOMAINS = frozenset({"", "ai.onnx", "ai.onnx.ml", "ai.onnx.training", "ai.onnx.preview", "ai.onnx.preview.training"})
MICROSOFT = "com.microsoft"
"""ONNX Runtime's own operators are always there."""

PROTOBUF = (2 << 30) - 1
"""Most bytes of a protocol buffer."""

REFUSED = "Runtimes will refuse it."


def strange_settings(names: Iterable[str]) -> Iterator[Note]:
    """A note where data in other files has settings that ONNX does not have: programs took some for their own."""
    strange = sorted(name for name in names if name not in SETTINGS and not name.startswith("prepacked"))
    if strange:
        words = ", ".join(name[:100] for name in strange[:5])
        yield Note("warning", f"Settings of data in other files are not known to ONNX: {words}.", "They were ignored.")


def beyond(proto: Any, size: int) -> Iterator[Note]:
    """Notes on versions that are newer than what is known, and on a file that is larger than it may be.

    Args:
        proto: The ModelProto.
        size: Bytes of its file.
    """
    import onnx

    newest = onnx.defs.onnx_opset_version()
    for item in proto.opset_import:
        if item.domain in ("", "ai.onnx") and item.version > newest:
            words = f"The file uses operator set {item.version:,} of ONNX; the newest that we know is {newest}."
            yield Note("warning", words, "Shapes between the layers may be missing or wrong.")
            break
    if proto.ir_version > onnx.IR_VERSION:
        words = f"The file is of IR version {proto.ir_version:,}; the newest that we know is {int(onnx.IR_VERSION)}."
        yield Note("warning", words, "Some of it may be missing here.")
    if size > PROTOBUF:
        words = "The file is larger than 2 GB, which a protocol buffer must not be."
        yield Note("warning", words, f"{REFUSED[:-1]}; weights of that size belong in a file beside the model.")


def foreign(graphs: Iterable[Graph]) -> Iterator[Note]:
    """A note on operators that neither ONNX nor the file itself defines."""
    found = {
        (node.domain, node.op)
        for graph in graphs
        for node in graph.nodes
        if node.domain not in DOMAINS and not node.graphs and not node.domain.startswith(MICROSOFT)
    }
    if found:
        words = ", ".join(f"{domain[:100]}.{op[:100]}" for domain, op in sorted(found)[:5])
        words += f" and {len(found) - 5:,} more" if len(found) > 5 else ""
        yield Note(
            "warning",
            f"The model uses operators that are not ONNX's own: {words}.",
            "It runs only where they are registered.",
        )


def overlaps(tensors: Iterable[Tensor]) -> Iterator[Note]:
    """A note where tensors share a part of a side file; the same part may be shared, for weights may be tied."""
    spans: dict[str, list[tuple[int, int, str]]] = {}
    for tensor in tensors:
        place = tensor.place
        if place.size > 0 and place.layout.get("field") == "external":
            spans.setdefault(place.file, []).append((place.offset, place.offset + place.size, tensor.name))
    for file, found in spans.items():
        for (start, end, name), (after, stop, other) in pairwise(sorted(found)):
            if after < end and (start, end) != (after, stop):
                words = f"The tensors {name[:100]!r} and {other[:100]!r} share a part of the side file {file[:100]!r}."
                yield Note("warning", words, "The file may be damaged, or made to hide something.")
                break


def disorder(graph: Graph, stored: Collection[str]) -> Iterator[Note]:
    """Notes on values that nothing makes, or that are made later than they are taken.

    Args:
        graph: The main graph; graphs inside of it may take what is around them.
        stored: Names of tensors.
    """
    made = {"", *(value.name for value in graph.inputs)}
    early: list[str] = []
    for node in graph.nodes:
        early += [name for name in node.inputs if name not in made and name not in stored]
        made.update(node.outputs)
    lost = list(dict.fromkeys(name for name in early if name not in made))
    if lost:
        count = f" So are {len(lost) - 1:,} more." if len(lost) > 1 else ""
        yield Note("warning", f"The value {lost[0][:100]!r} is taken by nodes, but nothing makes it.{count}", REFUSED)
    missing = [value.name for value in graph.outputs if value.name not in made and value.name not in stored]
    if missing:
        yield Note("warning", f"The output {missing[0][:100]!r} is made by nothing.", REFUSED)
    if len(lost) < len(set(early)):
        yield _circle(graph, made.difference(lost))


def _circle(graph: Graph, made: set[str]) -> Note:
    """Which nodes wait for each other; only their order is wrong where none do."""
    makers = {name: at for at, node in enumerate(graph.nodes) for name in node.outputs if name in made}
    waiting = [{makers[name] for name in node.inputs if name in makers} for node in graph.nodes]
    after: dict[int, list[int]] = {}
    for at, needs in enumerate(waiting):
        for need in needs:
            after.setdefault(need, []).append(at)
    left = [len(needs) for needs in waiting]
    ready = deque(at for at, count in enumerate(left) if not count)
    while ready:
        for at in after.get(ready.popleft(), ()):
            left[at] -= 1
            if not left[at]:
                ready.append(at)
    if not any(left):
        return Note("warning", "The nodes do not stand in the order in which they can run.", REFUSED)
    names = _round(graph.nodes, waiting, left)
    words = " and ".join(repr(name[:100]) for name in names[:3]) + (" and others" if len(names) > 3 else "")
    waits = "waits for itself" if len(names) == 1 else "wait for each other"
    return Note("warning", f"The graph runs in a circle: {words} {waits}.", REFUSED)


def _round(nodes: tuple[Node, ...], waiting: list[set[int]], left: list[int]) -> list[str]:
    """Names of the nodes of one circle; each node that is left waits for another one that is."""
    path: dict[int, None] = {}
    at = next(at for at, count in enumerate(left) if count)
    while at not in path:
        path[at] = None
        at = next(need for need in sorted(waiting[at]) if left[need])
    steps = list(path)
    return [nodes[step].name for step in sorted(steps[steps.index(at) :])]
