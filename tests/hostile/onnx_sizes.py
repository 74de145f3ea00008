"""ONNX files, cases 46 to 48: texts and weights of any size, what running a model may cost, models written as text."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from time import monotonic

import numpy as np
import pytest
from case import Case, Loop
from onnx_files import save
from onnx_graphs import field, model, value, varint
from PySide6.QtCore import QEventLoop, QTimer
from witness import Seen

from inspector.errors import InspectorError
from inspector.jobs.desk import Desk
from inspector.jobs.recipe import Ask, Folder, Recipe
from inspector.jobs.sessions import open_session
from inspector.jobs.terminal import application, run
from inspector.worker.tasks.details import TASK as DETAILS
from inspector.worker.tasks.details import DetailsArgs
from inspector.worker.tasks.session_run import TASK as SESSION_RUN
from inspector.worker.tasks.session_run import SessionRan, SessionRunArgs


def long(folder: Path, size: int) -> Path:
    """An attribute, documentation and metadata of so many bytes each."""
    words = b"lorem ipsum " * (size // 12)
    attribute = field(5, field(1, b"note") + field(4, words) + b"\xa0\x01\x03")
    node = field(1, b"x") + field(2, b"y") + field(3, b"talker") + field(4, b"Relu") + attribute
    graph = field(1, node) + field(10, words) + field(11, value(b"x")) + field(12, value(b"y"))
    path = folder / "m.onnx"
    path.write_bytes(model(graph))
    return path


def short(seen: Seen) -> None:
    """What is shown of a long text is its beginning."""
    facts = {fact.name: fact.text for section in seen.answers["details"].sections for fact in section.facts}
    assert facts["note"].startswith("lorem ipsum")
    assert len(facts["note"]) <= 4096


def text(data: bytes, name: str) -> Callable[[Path], Path]:
    def build(folder: Path) -> Path:
        path = folder / name
        path.write_bytes(data)
        return path

    return build


def huge(folder: Path) -> Path:
    """A weight of 2.5 GB inside the protocol buffer; the file has holes and takes no room on disk."""
    size = 5 << 29
    head = b"\x08\x04\x08" + varint(size // 16) + b"\x10\x01" + field(8, b"w")
    tensor = len(head) + 1 + len(varint(size)) + size
    node = field(1, field(1, b"x") + field(1, b"w") + field(2, b"y") + field(4, b"Add"))
    node += field(11, value(b"x", [4, size // 16])) + field(12, value(b"y", []))
    graph = len(node) + 1 + len(varint(tensor)) + tensor
    path = folder / "m.onnx"
    with path.open("wb") as file:
        file.write(b"\x08\x0a" + field(8, b"\x10\x15") + b"\x3a" + varint(graph) + node + b"\x2a" + varint(tensor))
        file.write(head + b"\x4a" + varint(size))
        file.flush()
        os.truncate(file.fileno(), file.tell() + size)
    return path


def running(path: Path, **feeds: object) -> Recipe[SessionRan]:
    """Run a model once in a worker of its own, as comparisons and measurements do."""
    folder = yield Folder()
    np.savez(folder / "feeds.npz", **{name: np.asarray(array) for name, array in feeds.items()})
    opened = yield from open_session(path, "onnxruntime:cpu")
    args = SessionRunArgs(feeds=str(folder / "feeds.npz"), result=str(folder / "result.npz"))
    ran: SessionRan = yield Ask(opened.worker, SESSION_RUN, args)
    return ran


def asking(op: str) -> Callable[[Path], Path]:
    """A model that makes 2^40 numbers of the number that it is given."""

    def build(folder: Path) -> Path:
        from onnx import TensorProto, helper

        graph = helper.make_graph(
            [helper.make_node(op, ["one", "sizes"] if op == "Expand" else ["sizes"], ["y"])],
            "main",
            [
                helper.make_tensor_value_info("one", TensorProto.FLOAT, [1]),
                helper.make_tensor_value_info("sizes", TensorProto.INT64, [1]),
            ],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, [None])],
        )
        made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
        path = folder / "m.onnx"
        path.write_bytes(made.SerializeToString())
        return path

    return build


def exhausted(folder: Path, op: str) -> str:
    """Running it ends with a word about memory."""
    path = asking(op)(folder)
    assert len(run(running(path, one=np.ones(1, np.float32), sizes=[3]), memory=4 << 30).outputs) == 1
    with pytest.raises(
        InspectorError, match=r"^There is not enough memory to run it: it asked for 4,398,046,511,104 bytes at once\.$"
    ) as caught:
        run(running(path, one=np.ones(1, np.float32), sizes=[2**40]), memory=4 << 30)
    assert caught.value.hint
    return f"{caught.value.what} {caught.value.hint}"


def endless(folder: Path) -> Path:
    """A loop of 2^62 rounds."""
    from onnx import TensorProto, helper

    number = helper.make_tensor_value_info("i", TensorProto.INT64, [])
    going, gone = (helper.make_tensor_value_info(name, TensorProto.BOOL, []) for name in ("go", "gone"))
    before, after = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in ("v", "w"))
    nodes = [helper.make_node("Identity", ["go"], ["gone"]), helper.make_node("Sqrt", ["v"], ["w"])]
    body = helper.make_graph(nodes, "body", [number, going, before], [gone, after])
    rounds, true = helper.make_tensor("m", 7, [], [2**62]), helper.make_tensor("c", 9, [], [True])
    loop = helper.make_node("Loop", ["m", "c", "x"], ["y"], body=body)
    return save(folder / "m.onnx", [loop], initializer=[rounds, true], dims=[1])


def stopped(folder: Path) -> str:
    """A model that never ends ends when it is cancelled, within a second and a half."""
    application()
    desk, loop = Desk(spares=False), QEventLoop()
    ends: list[tuple[str, float]] = []
    asked: list[float] = []

    def cancel() -> None:
        asked.append(monotonic())
        desk.cancel(job)

    def end(_: str, outcome: object) -> None:
        ends.append((outcome.state, monotonic()))  # type: ignore[attr-defined]
        loop.quit()

    desk.ended.connect(end)
    job = desk.submit("Endless", running(endless(folder), x=np.ones(1, np.float32)))
    QTimer.singleShot(5000, loop, cancel)
    QTimer.singleShot(20_000, loop, loop.quit)
    loop.exec()
    desk.close()
    assert [state for state, _ in ends] == ["cancelled"], ends
    assert asked, "it ended by itself"
    assert ends[0][1] - asked[0] < 1.5
    return "It was cancelled while it ran, and ended."


CASES = [
    Case(47, "ConstantOfShape of 2^40 numbers, opened", asking("ConstantOfShape"), "opened", "ConstantOfShape"),
    Case(47, "a loop of 2^62 rounds, opened", endless, "opened", "Loop"),
    Case(
        46, "texts of 50 MB", partial(long, size=50_000_000), "opened", "lorem ipsum", check=short,
        then=((DETAILS, DetailsArgs("node", "talker")),), memory_mb=600,
    ),
    Case(
        46, "texts of 500 MB", partial(long, size=500_000_000), "opened", "lorem ipsum", check=short,
        then=((DETAILS, DetailsArgs("node", "talker")),), memory_mb=3000, slow=True,
    ),
    Case(
        48, "an ONNX model as text of protocol buffers",
        text(b'ir_version: 10\nopset_import { version: 21 }\ngraph {\n  node { op_type: "Relu" }\n}\n', "m.textproto"),
        "refused", "m.textproto is an ONNX model written as text. Save it in its binary form:",
    ),
    Case(
        48, "an ONNX model in ONNX's own text form",
        text(b'<ir_version: 10, opset_import: ["": 21]>\nmain (float[N] x) => (float[N] y) {}', "x.onnxtxt"),
        "refused", "x.onnxtxt is an ONNX model written as text. Save it in its binary form:",
    ),
    Case(
        48, "an ONNX model as JSON",
        text(b'{"irVersion": "10", "opsetImport": [{"version": "21"}], "graph": {"node": []}}', "m.json"),
        "refused", "m.json is an ONNX model written as text. Save it in its binary form:",
    ),
    Case(
        48, "a protocol buffer of more than 2 GB", huge, "opened",
        "The file is larger than 2 GB, which a protocol buffer must not be.", "warning",
    ),
]  # fmt: skip

LOOPS = [
    Loop(47, "ConstantOfShape of 2^40 numbers, run", partial(exhausted, op="ConstantOfShape"), "a word about memory"),
    Loop(47, "Expand to 2^40 numbers, run", partial(exhausted, op="Expand"), "a word about memory"),
    Loop(47, "a loop of 2^62 rounds, run", stopped, "ends when cancelled"),
]
