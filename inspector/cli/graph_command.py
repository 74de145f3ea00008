"""`inspector graph FILE -o OUT`: the graph as a picture of any size."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Literal

from inspector.cli.words import as_whole
from inspector.errors import InspectorError

SUFFIXES = (".svg", ".png", ".pdf")
COLOURS = ("category", "parameters", "macs", "memory", "dtype")


def add(parser: argparse.ArgumentParser) -> None:
    """Add its arguments."""
    parser.add_argument("file", type=Path, metavar="FILE")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="OUT", help="a .svg, .png or .pdf file")
    parser.add_argument("--expand", default="", metavar="all|N", help="open all modules, or those down to depth N")
    parser.add_argument("--graph", default="", metavar="NAME", help="a function or subgraph instead of the main graph")
    parser.add_argument(
        "--color-by",
        default=COLOURS[0],
        choices=COLOURS,
        metavar="KEY",
        help=f"what colours mean: {', '.join(COLOURS)}; modules that are closed add up what is in them",
    )
    parser.add_argument("--horizontal", action="store_true", help="from left to right")
    parser.add_argument("--dark", action="store_true", help="dark colours")
    parser.add_argument("--overwrite", action="store_true", help="replace OUT where it exists")


def run(args: argparse.Namespace) -> int:
    """Draw it."""
    import os

    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")  # drawing needs fonts, not a screen
    from PySide6.QtGui import QGuiApplication

    from inspector.jobs.terminal import ask_document, ask_worker
    from inspector.viewmodels.graph_scene import Scene
    from inspector.views.graph_export import export
    from inspector.worker.tasks.fold import TASK as FOLD
    from inspector.worker.tasks.fold import FoldArgs
    from inspector.worker.tasks.place import TASK as PLACE
    from inspector.worker.tasks.place import PlaceArgs

    check(args.output, args.overwrite)
    everything = args.expand == "all"
    depth = as_whole(args.expand) or 0
    if args.expand and not everything and as_whole(args.expand) is None:
        raise InspectorError(f"{args.expand!r} is not a depth.", "Write --expand all, or a whole number.")
    application = QGuiApplication.instance() or QGuiApplication([])
    fold = FoldArgs(graph=args.graph, everything=everything, depth=depth, colour=args.color_by)
    _, folded = ask_document(args.file, [(FOLD, fold)])
    orientation: Literal["vertical", "horizontal"] = "horizontal" if args.horizontal else "vertical"
    (placed,) = ask_worker("layout", [(PLACE, PlaceArgs(folded=folded, orientation=orientation))])
    export(Scene(folded, placed), args.output, args.dark)
    print(f"{args.output}: {len(folded.boxes):,} boxes for {folded.nodes:,} nodes")
    del application
    return 0


def check(output: Path, overwrite: bool) -> None:
    """Whether the picture may be written there."""
    if output.suffix.lower() not in SUFFIXES:
        raise InspectorError(f"A graph cannot be saved as {output.name}.", f"Use one of {', '.join(SUFFIXES)}.")
    if not output.absolute().parent.is_dir():
        raise InspectorError(f"There is no folder {output.parent}.", "Make it first, or choose another place.")
    if output.exists() and not overwrite:
        raise InspectorError(f"{output} exists.", "Choose another name, or add --overwrite.")
