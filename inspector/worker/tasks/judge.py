"""Compare what two models gave for the same feeds."""

from __future__ import annotations

from pathlib import Path

import msgspec

from inspector.engines.parity.bundle import Arrays, load
from inspector.engines.parity.judge import About, Runs, judge
from inspector.engines.parity.verdict import Parity
from inspector.worker.tasks._task import Context, Task


class JudgeArgs(msgspec.Struct, frozen=True, kw_only=True):
    """Files of results, one a feed; the fields are those of `Runs` and `About` in engines/parity/judge."""

    a: tuple[str, ...]
    b: tuple[str, ...]
    feeds: tuple[str, ...] = ()
    again: tuple[str, ...] = ()
    exact: tuple[str, ...] = ()
    moved: tuple[str, ...] = ()
    numbers_a: str = ""
    numbers_b: str = ""
    rtol: float | None = None
    atol: float | None = None
    words: str = ""
    title_a: str = ""
    title_b: str = ""
    device_a: str = ""
    device_b: str = ""
    renamed: tuple[tuple[str, str], ...] = ()
    failed: str = ""


def run(args: JudgeArgs, context: Context) -> Parity:
    """Read the results and judge."""
    context.report(None, "Comparing the outputs")
    runs = Runs(
        _loaded(args.a),
        _loaded(args.b),
        _loaded(args.feeds),
        _loaded(args.again),
        _loaded(args.exact),
        _loaded(args.moved),
        args.numbers_a,
        args.numbers_b,
    )
    about = About(args.words, args.title_a, args.title_b, args.device_a, args.device_b, args.renamed, args.failed)
    return judge(runs, args.rtol, args.atol, about)


def _loaded(files: tuple[str, ...]) -> list[Arrays]:
    return [load(Path(file)) for file in files]


TASK = Task("judge", JudgeArgs, Parity, run)
