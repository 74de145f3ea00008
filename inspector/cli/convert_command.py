"""`inspector convert SRC DST`: convert, and prove."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args, get_origin

import msgspec

from inspector.cli.words import Progress, add_inputs, dims, options, print_json, whole
from inspector.errors import InspectorError

if TYPE_CHECKING:
    from inspector.engines.convert import Edge


def add(parser: argparse.ArgumentParser) -> None:
    """Add its arguments."""
    parser.add_argument("source", type=Path, metavar="SRC")
    parser.add_argument("target", type=Path, metavar="DST")
    parser.add_argument(
        "--to", metavar="FORMAT", default="", help="target format; by default what the suffix of DST says"
    )
    parser.add_argument("--via", metavar="EDGE,EDGE", default="", help="the converters to use, in order")
    parser.add_argument(
        "--option", action="append", default=[], metavar="NAME=VALUE", help="option of a converter, or EDGE.NAME=VALUE"
    )
    add_inputs(parser)
    parser.add_argument("--no-proof", action="store_true", help="do not run source and result")
    parser.add_argument("--require-proof", action="store_true", help="discard the result unless it is proved")
    parser.add_argument("--overwrite", action="store_true", help="replace DST where it exists")
    parser.add_argument("--seed", type=whole(), default=0, help="seed of the inputs")
    parser.add_argument("--json", action="store_true", help="one JSON object")


def run(args: argparse.Namespace) -> int:
    """Convert."""
    from inspector.engines.parity.verdict import Verdict
    from inspector.formats import Source, identify
    from inspector.jobs.convert import convert
    from inspector.jobs.inputs import parse
    from inspector.jobs.requests import ConvertRequest
    from inspector.jobs.terminal import run as run_job

    source_format = identify(Source(args.source)).id
    to = target_format(args.to, args.target, source_format)
    via = tuple(filter(None, args.via.split(",")))
    request = ConvertRequest(
        source=str(args.source.absolute()),
        target=str(args.target.absolute()),
        to=to,
        via=via,
        options=options_by_edge(options(args.option), source_format, to, via),
        shapes=parse(args.input),
        dims=dims(args.dim),
        prove=not args.no_proof,
        require_proof=args.require_proof,
        overwrite=args.overwrite,
        seed=args.seed,
    )
    with Progress(args.json) as progress:
        done = run_job(convert(request), progress)
    if args.json:
        print_json(done)
    else:
        chain = " → ".join(f"{step.tool} {step.version} ({step.seconds:.1f} s)" for step in done.route)
        print(f"{args.source.name} → {chain} → {done.target}")
        print(done.proof.sentence if done.proof is not None else f"Not proved: {done.proof_note}")
        for output in done.proof.outputs if done.proof is not None else ():
            print(f"  {output.a} ~ {output.b}: {output.verdict.value}, max abs {output.max_abs:.3g} ({output.why})")
    if done.proof is None:
        return 0 if args.no_proof else Verdict.NOTHING_PROVED.exit_code
    return done.proof.verdict.exit_code


def target_format(to: str, target: Path, source: str) -> str:
    """The format to write: as asked, else by suffix; a path without suffix is a folder."""
    from inspector.engines.convert.plan import reachable
    from inspector.formats import formats

    known = formats()
    if to:
        if to not in known:
            raise InspectorError(f"There is no format {to!r}.", f"Known: {', '.join(sorted(known))}.")
        return to
    fits = [f.id for f in known.values() if f.suffixes and f.suffixes[0] == target.suffix.lower()]
    if len(fits) == 1:
        return fits[0]
    there = [to for to, answer in reachable(source).items() if not isinstance(answer, str)]
    raise InspectorError(
        f"{target.name} does not say which format to write.",
        f"Add --to with one of: {', '.join(sorted(there))}." if there else f"Nothing converts {known[source].title}.",
    )


def options_by_edge(given: dict[str, str], source: str, to: str, via: tuple[str, ...]) -> dict[str, dict[str, object]]:
    """Options sorted to the edges of the cheapest route that has them all; a bare name goes to each that has it."""
    from inspector.engines.convert.edge import edges
    from inspector.engines.convert.plan import plan

    known = edges()
    routes = [route.edges for route in plan(known.values(), source, to, via)]
    route = next((one for one in routes if all(_takers(one, name) for name in given)), routes[0])
    result: dict[str, dict[str, object]] = {}
    for name, value in given.items():
        field = name.rpartition(".")[2]
        takers = _takers(route, name)
        if not takers:
            has = sorted({f"{e.id}.{f}" for e in route for f in e.options.__struct_fields__})
            raise InspectorError(
                f"No converter of this route has the option {name!r}.", f"There are: {', '.join(has) or 'none'}."
            )
        for edge in takers:
            result.setdefault(edge.id, {})[field] = typed(edge, field, value)
    return result


def _takers(route: tuple[Edge, ...], name: str) -> list[Edge]:
    """The edges that an option is meant for."""
    edge_name, _, field = name.rpartition(".")
    return [edge for edge in route if field in edge.options.__struct_fields__ and edge_name in ("", edge.id)]


def typed(edge: Edge, field: str, text: str) -> object:
    """A value as the option's type has it: sequences are written a,b and tables as JSON."""
    kind = next(f.type for f in msgspec.structs.fields(edge.options) if f.name == field)
    plain = get_args(kind)[0] if get_origin(kind) is Annotated else kind
    try:
        if get_origin(plain) is tuple:
            value: object = [part.strip() for part in text.split(",") if part.strip()]
        elif get_origin(plain) is dict:
            value = msgspec.json.decode(text)
        else:
            value = text
        return msgspec.to_builtins(msgspec.convert(value, kind, strict=False))
    except msgspec.MsgspecError as error:
        raise InspectorError(f"{text!r} does not fit the option {edge.id}.{field}.", f"{error}.") from error
