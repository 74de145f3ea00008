"""Opens a hostile file as the program does, in a document worker of its own, and says what was seen."""

from __future__ import annotations

import json
import os
import re
import signal
import stat
import subprocess
import sys
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

import msgspec
from case import MARKER, PATIENCE, SECRET, Case, Loop
from PySide6.QtCore import QEventLoop, QTimer

from inspector.errors import InspectorError
from inspector.jobs.discard import discard
from inspector.jobs.document import MEMORY, roots
from inspector.jobs.process import WorkerProcess
from inspector.jobs.terminal import application
from inspector.worker import wire
from inspector.worker.tasks.fold import TASK as FOLD
from inspector.worker.tasks.fold import FoldArgs
from inspector.worker.tasks.open import TASK as OPEN
from inspector.worker.tasks.open import OpenArgs
from inspector.worker.tasks.rows import TASK as ROWS
from inspector.worker.tasks.rows import RowsArgs

INSIDE = re.compile(r"Traceback|<class |object at 0x|0x[0-9a-f]{9}|Errno|NoneType")
BIDI = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


@dataclass
class Seen:
    """What came of opening a file.

    Attributes:
        outcome: refused, opened, bug (an exception nobody meant), died (the worker ended), hung (it took too long).
        text: The error and its hint; what is shown of an opened file.
        notes: Level, text and hint of each remark.
        answers: By the name of the task: its result, or the error of one that was refused.
        seconds: From the first question to the last answer, by the clock.
        busy: Seconds of processor time that the worker took for it, which do not depend on what else runs.
        memory_mb: The most memory that the worker took; 0 where the system does not say.
    """

    outcome: str = "hung"
    what: str = ""
    hint: str = ""
    details: str = ""
    notes: list[tuple[str, str, str]] = field(default_factory=list)
    answers: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    busy: float = 0.0
    memory_mb: int = 0
    trouble: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """All that can be read of it."""
        if self.outcome != "opened":
            return f"{self.what} {self.hint}"
        return "\n".join([*(" ".join(note[1:]) for note in self.notes), *strings(self.answers)])


class Witness:
    """Opens files one after another; the next worker starts while this one reads.

    Args:
        patience: By how much a case may overrun its seconds. The table is strict, the suite is not: a slower machine
            must not fail it, and what the limits are for (squares, bombs, endless loops) overruns them a thousandfold.
    """

    def __init__(self, patience: float = 1) -> None:
        application()
        self.patience = patience
        self._spare: WorkerProcess | None = None

    def close(self) -> None:
        """Stop the spare worker."""
        if self._spare is not None:
            _end(self._spare)
            self._spare = None

    def open(self, path: Path, case: Case) -> Seen:
        """Open, show the first rows and the graph, ask what the case asks."""
        process = self._spare if self._spare is not None and not self._spare.finished else _worker()
        opening = OpenArgs(path=str(path))
        questions = [(OPEN, opening), (ROWS, RowsArgs(count=200)), (FOLD, FoldArgs()), *case.then]
        seen, loop = Seen(), QEventLoop()
        start = busy = 0.0
        asked = iter(questions)
        task: Any = OPEN

        def begin() -> None:
            nonlocal start, busy
            start, busy = perf_counter(), _busy(process.pid)
            ask(*next(asked))

        def ask(one: Any, args: Any) -> None:
            nonlocal task
            task = one
            try:
                process.ask(1, one.id, args)
            except InspectorError as error:  # a name that is no text cannot be sent
                take(wire.Failed(1, error.what, error.hint, known=True))

        def take(reply: Any) -> None:
            if isinstance(reply, wire.Progress):
                return
            _note(seen, task, reply)
            if seen.outcome == "opened" and (question := next(asked, None)) is not None:
                ask(*question)
            else:
                loop.quit()

        def end(what: str, hint: str) -> None:
            seen.outcome, seen.what, seen.hint = "died", what, hint
            loop.quit()

        process.replied.connect(take)
        process.ended.connect(end)
        process.ready.connect(begin)
        process.grant(roots(opening))
        QTimer.singleShot(int(case.seconds * self.patience * 3000) + 5000, loop, loop.quit)
        self._spare = _worker()
        loop.exec()
        seen.seconds = perf_counter() - start if start else 0.0
        seen.busy = max(0.0, _busy(process.pid) - busy)
        seen.memory_mb = _peak(process.pid)
        process.replied.disconnect(take)
        process.ended.disconnect(end)
        process.ready.disconnect(begin)
        _end(process)
        return seen


def _worker() -> WorkerProcess:
    process = WorkerProcess("document", None, memory=MEMORY["document"])
    process.start()
    return process


def _end(process: WorkerProcess) -> None:
    process.stop()
    process.wait(2000)
    process.kill()
    discard(process)


def _note(seen: Seen, task: Any, reply: Any) -> None:
    """What one answer says of the file."""
    if isinstance(reply, wire.Failed):
        if task is OPEN or not reply.known:
            seen.outcome = "refused" if reply.known else "bug"
            seen.what, seen.hint, seen.details = reply.what, reply.hint, reply.details
        else:
            seen.answers[task.id] = f"{reply.what} {reply.hint}"
        return
    seen.outcome = "opened"
    seen.answers[task.id] = answer = msgspec.msgpack.decode(reply.result, type=task.result)
    if task is OPEN:
        seen.notes = [(note.level, note.text, note.hint) for note in answer.notes]


def _busy(pid: int) -> float:
    """Seconds of processor time that a process has taken; 0 where the system does not say."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    except (OSError, IndexError):
        return 0.0


def _peak(pid: int) -> int:
    """MB of memory at the highest."""
    try:
        text = Path(f"/proc/{pid}/status").read_text()
        return int(re.findall(r"VmHWM:\s+(\d+)", text)[0]) >> 10
    except (OSError, IndexError):
        return 0


def strings(thing: Any) -> Iterator[str]:
    """Every text in some answers."""
    waiting = [thing]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, dict):
            waiting += [*item.keys(), *item.values()]
        elif isinstance(item, list | tuple):
            waiting += item
        elif isinstance(item, msgspec.Struct):
            waiting += [getattr(item, name) for name in item.__struct_fields__]


def listing(folder: Path) -> dict[str, tuple[int, int, int]]:
    """Everything beneath a folder: its kind, its size and when it was changed."""
    found = {}
    for top, folders, files in os.walk(os.fsencode(folder)):
        for name in (*folders, *files):
            status = os.lstat(os.path.join(top, name))  # noqa: PTH118 - names may be no text
            mode = stat.S_IFMT(status.st_mode)
            found[repr(os.path.join(top, name))] = (mode, status.st_size, status.st_mtime_ns)  # noqa: PTH118
    return found


def tried(label: str, case: Case | Loop, base: Path, witness: Witness) -> tuple[Seen, str]:
    """Run a case in an empty folder; what was seen, and what is wrong with it (nothing when it is as expected)."""
    folder = base / "model"
    folder.mkdir(parents=True)
    if isinstance(case, Loop):
        return _looped(case, label, folder, witness.patience)
    (base / "secret.txt").write_bytes(SECRET)
    path = case.build(folder)
    before = listing(base)
    seen = witness.open(path, case)
    wrong = [*_judged(case, seen, witness.patience), *_left(base, before)]
    for extra, argument in ((case.check, seen), (case.after, folder)):
        if extra is not None and not wrong:
            try:
                extra(argument)  # type: ignore[operator]
            except AssertionError as error:
                wrong.append(str(error) or "a further check failed")
    return seen, "; ".join(wrong)


def _looped(case: Loop, label: str, folder: Path, patience: float) -> tuple[Seen, str]:
    start, seen = perf_counter(), Seen("as said")
    command = [sys.executable, str(Path(__file__).with_name("loop.py")), label, str(folder)]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=5 * case.seconds,
            env=os.environ | {PATIENCE: str(patience)},
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        seen.outcome = "hung"
        return seen, f"took more than {5 * case.seconds} s"
    seen.seconds = perf_counter() - start
    lines = done.stdout.splitlines()
    if done.returncode or not lines:
        seen.outcome = "died"
        return seen, f"status {done.returncode}: {done.stderr[-2000:]}"
    told = json.loads(lines[-1])
    seen.what, seen.outcome = told["seen"], "wrong" if told["wrong"] else seen.outcome
    return seen, told["wrong"]


def _judged(case: Case, seen: Seen, patience: float) -> Iterator[str]:
    if seen.outcome not in ((case.outcome,) if case.outcome != "either" else ("refused", "opened")):
        where = seen.details[-1500:] if seen.outcome == "bug" else ""
        yield f"{seen.outcome} instead of {case.outcome}: {seen.what} {seen.hint} {where}"
        return
    if case.says not in seen.text:
        yield f"does not say {case.says!r} but {seen.text[:1500]!r}"
    elif case.level and not any(level == case.level and case.says in f"{t} {h}" for level, t, h in seen.notes):
        yield f"says it not as {case.level}: {seen.notes}"
    if (seen.busy or seen.seconds) > case.seconds * patience:
        yield f"took {seen.busy:.1f} s of the processor, {seen.seconds:.1f} s of the clock; limit {case.seconds} s"
    if seen.memory_mb > case.memory_mb:
        yield f"took {seen.memory_mb} MB; limit {case.memory_mb} MB"
    yield from _words(seen)


def _words(seen: Seen) -> Iterator[str]:
    """Guarantees that hold for every file: refusals are a sentence with a hint, what is shown is inert."""
    sentence = seen.hint and seen.what.endswith((".", "…")) and len(seen.what) <= 3000
    if seen.outcome == "refused" and (not sentence or INSIDE.search(seen.what)):
        yield f"the refusal is no sentence with a hint: {seen.what[:500]!r} {seen.hint[:200]!r}"
    for text in strings([seen.what, seen.hint, seen.answers]):
        bad = {c for c in text if (unicodedata.category(c) in ("Cc", "Cs") and c not in "\n\t")}
        bad |= {c for c in text if unicodedata.bidirectional(c) in BIDI}
        if bad:
            yield f"a text that is shown holds {sorted(bad)!r}: {text[:200]!r}"
            return


def _left(base: Path, before: dict[str, tuple[int, int, int]]) -> Iterator[str]:
    if (base / MARKER).exists():
        yield "THE PAYLOAD RAN"
    if (after := listing(base)) != before:
        yield f"files changed: {sorted(set(after.items()) ^ set(before.items()))[:5]}"


def interrupt_as_always() -> None:
    """Ctrl+C ends a table at once."""
    if sys.platform != "win32":
        signal.signal(signal.SIGINT, signal.SIG_DFL)
