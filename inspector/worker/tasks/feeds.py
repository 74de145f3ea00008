"""Make the inputs once, for all models that are to get the same ones."""

from __future__ import annotations

from pathlib import Path

import msgspec

from inspector.engines.parity.bundle import save
from inspector.engines.parity.feeds import from_file, make, nudged
from inspector.runtimes import Spec
from inspector.worker.tasks._task import Context, Task


class FeedsArgs(msgspec.Struct, frozen=True, kw_only=True):
    """What to make.

    Attributes:
        inputs: What the model takes.
        folder: Where the files go: a folder that exists.
        file: A .npz of the user's; empty makes seeded feeds.
        nudge: Whether to write each feed a second time with every float moved by its last bit.
    """

    inputs: tuple[Spec, ...]
    folder: str
    dims: dict[str, int] = {}
    shapes: dict[str, tuple[int | str, ...]] = {}
    batches: tuple[int, ...] = (1, 5)
    seed: int = 0
    file: str = ""
    nudge: bool = False


class FeedsMade(msgspec.Struct, frozen=True, kw_only=True):
    """One file for each feed.

    Attributes:
        moved: The same feeds with every float moved by its last bit; empty when not asked for or nothing is a float.
        words: What is fed, for people.
        shapes: Shapes of the inputs, by feed.
    """

    files: tuple[str, ...]
    moved: tuple[str, ...] = ()
    words: str = ""
    shapes: tuple[dict[str, tuple[int, ...]], ...] = ()


def run(args: FeedsArgs, context: Context) -> FeedsMade:
    """Make them and write them."""
    context.report(None, "Making the inputs")
    if args.file:
        fed = from_file(Path(args.file), args.inputs, batches=args.batches)
    else:
        fed = make(args.inputs, batches=args.batches, dims=args.dims, shapes=args.shapes, seed=args.seed)
    files, moved = [], []
    for i, feeds in enumerate(fed.feeds):
        files.append(str(Path(args.folder, f"feeds-{i}.npz")))
        save(Path(files[-1]), feeds)
        other = nudged(feeds, args.seed) if args.nudge else None
        if other is not None:
            moved.append(str(Path(args.folder, f"feeds-{i}-moved.npz")))
            save(Path(moved[-1]), other)
    return FeedsMade(
        files=tuple(files),
        moved=tuple(moved),
        words=fed.words,
        shapes=tuple({name: tuple(array.shape) for name, array in feeds.items()} for feeds in fed.feeds),
    )


TASK = Task("feeds", FeedsArgs, FeedsMade, run)
