"""`inspector compare A B`: is it still the same model?"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from inspector.cli.words import LARGEST, Progress, add_inputs, as_whole, dims, print_json, table
from inspector.errors import InspectorError

if TYPE_CHECKING:
    from inspector.engines.parity.verdict import Parity

WIDE = 36


def add(parser: argparse.ArgumentParser) -> None:
    """Add its arguments."""
    parser.add_argument("a", type=Path, metavar="A")
    parser.add_argument("b", type=Path, metavar="B")
    parser.add_argument(
        "--device",
        action="append",
        default=[],
        metavar="D",
        help="one for both, or one of A and then one of B; see inspector devices",
    )
    parser.add_argument(
        "--feeds", default="seed:0", metavar="seed:N|FILE.npz", help="made from a seed, or read from a file"
    )
    parser.add_argument("--batches", default="1,5", metavar="N,N", help="sizes of the batch dimension")
    parser.add_argument("--rtol", type=float, help="relative tolerance; by default the noise floor decides")
    parser.add_argument("--atol", type=float, help="absolute tolerance")
    parser.add_argument(
        "--layers", action="store_true", help="compare what is computed inside, and find the first divergence"
    )
    add_inputs(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object")


def run(args: argparse.Namespace) -> int:
    """Compare."""
    from inspector.jobs.compare import compare
    from inspector.jobs.inputs import parse
    from inspector.jobs.requests import CompareRequest
    from inspector.jobs.terminal import run as run_job

    seed, file = feeds(args.feeds)
    devices = [*args.device, "", ""] if len(args.device) != 1 else args.device * 2
    if len(args.device) > 2:
        raise InspectorError("compare takes at most two devices.", "Give one for A and one for B.")
    if any(given is not None and not 0 <= given < float("inf") for given in (args.rtol, args.atol)):
        raise InspectorError("A tolerance is a number that is not below 0.", "Write --rtol 1e-3 or --atol 1e-5.")
    request = CompareRequest(
        a=str(args.a.absolute()),
        b=str(args.b.absolute()),
        device_a=devices[0],
        device_b=devices[1],
        feeds=file,
        dims=dims(args.dim),
        shapes=parse(args.input),
        batches=batches(args.batches),
        seed=seed,
        rtol=args.rtol,
        atol=args.atol,
        layers=args.layers,
    )
    with Progress(args.json) as progress:
        parity = run_job(compare(request), progress)
    if args.json:
        print_json(parity)
    else:
        print(parity.sentence)
        rows = [
            (o.a, o.b, f"{o.max_abs:.3g}", f"{o.mean_abs:.3g}", f"{o.tolerance:.3g}", o.verdict.value, o.sentence)
            for o in parity.outputs
        ]
        print(table(("a", "b", "max abs", "mean abs", "tolerance", "verdict", ""), rows, right=(2, 3, 4)))
        if args.layers:
            print(layers(parity))
    return parity.verdict.exit_code


def layers(parity: Parity) -> str:
    """The layers as a table, the first that is off marked, and what it means."""
    first = parity.first_divergence
    rows = [
        (
            "▶" if layer == first else "",
            short(layer.module or layer.node_a),
            short(layer.op_a),
            short(layer.a),
            short(layer.b),
            layer.paired_by,
            f"{layer.max_abs:.3g}",
            f"{layer.tolerance:.3g}",
            layer.verdict.value,
        )
        for layer in parity.layers
    ]
    parts = ["", table(("", "layer", "type", "a", "b", "paired by", "max abs", "tolerance", "verdict"), rows, (6, 7))]
    if first is not None:
        parts.append(
            f"First divergence: {first.a} ({first.op_a}, node {first.node_a}) and {first.b} ({first.op_b}, node"
            f" {first.node_b}) are {first.max_abs:.3g} apart, up to {first.tolerance:.3g} is noise."
        )
    elif parity.layers:
        parts.append(f"No divergence: all {len(parity.layers)} pairs of values inside agree.")
    parts += [parity.layers_note] if parity.layers_note else []
    return "\n".join(parts if parity.layers else parts[2:])


def short(text: str) -> str:
    """A name that fits into a column; its end says more than its beginning."""
    return text if len(text) <= WIDE else f"…{text[1 - WIDE :]}"


def feeds(text: str) -> tuple[int, str]:
    """Seed and file: one of them counts."""
    if text.startswith("seed:"):
        seed = as_whole(text[5:])
        if seed is None or seed > LARGEST:
            raise InspectorError(f"{text!r} is not a seed.", "Write seed:0 or name a .npz file.")
        return seed, ""
    path = Path(text)
    if not path.is_file():
        raise InspectorError(f"There is no file {text}.", "Write seed:0 or name a .npz file.")
    return 0, str(path.absolute())


def batches(text: str) -> tuple[int, ...]:
    """Sizes of the batch dimension."""
    sizes = tuple(as_whole(part) or 0 for part in text.split(","))
    if not all(0 < size <= LARGEST for size in sizes):
        raise InspectorError(f"{text!r} is not a list of batch sizes.", "Write whole numbers: 1,5")
    return sizes
