"""The main graph of a TorchScript archive: its `forward`, followed from the root."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from typing import Any

from inspector.formats._torch_build import Builder, Sym, TooLargeError, freeze, prune
from inspector.formats._torch_code import Code, annotation
from inspector.formats._torch_graph import Interpreter, defaults
from inspector.formats._torch_tree import Instance
from inspector.formats._torch_values import RaisesError, Record, UnreadableError
from inspector.ir import Graph, Note, Value

SCALARS = {"int": "int64", "float": "float64", "bool": "bool", "str": "string"}
OPTIONAL = re.compile(r"^Optional\[(.*)\]$")


@dataclass(eq=False, slots=True)
class Program:
    """What following `forward` gave; without graphs where it could not be followed."""

    graphs: tuple[Graph, ...] = ()
    notes: list[Note] = field(default_factory=list)


def follow(root: Instance, code: Code, constants: list[Any]) -> Program:
    """Follow the root's `forward`."""
    found = code.classes.get(root.type)
    function = found.methods.get("forward") if found else None
    if function is None:
        return Program(notes=[Note("info", "The model has no forward method, so it has no graph.")])
    builder = Builder("forward")
    run = Interpreter(code, constants, builder)
    program = Program()
    try:
        inputs, arguments = _inputs(function, builder, program)
        result = run.call(function, [root, *arguments], {}, "")
        known = {symbol.name: value for symbol, value in inputs}
        builder.body.inputs = [symbol for symbol, _ in inputs]
        builder.body.outputs = _outputs(run.latest(result), builder)
        prune(builder.body)
        program.graphs = tuple(freeze(builder.body, known))
    except (UnreadableError, TooLargeError, RaisesError, RecursionError) as error:
        reason = str(error) or "it is too large" if not isinstance(error, RaisesError) else "it always raises"
        text = f"The graph could not be worked out from the code: {reason[:200]}."
        program.notes.append(
            Note("warning", text, "Modules, tensors and code are shown; convert the model to see its graph.")
        )
    return program


def _inputs(function: ast.FunctionDef, builder: Builder, program: Program) -> tuple[list[tuple[Sym, Value]], list[Any]]:
    """Graph inputs, and what `forward` is called with; arguments with a default keep it."""
    inputs: list[tuple[Sym, Value]] = []
    arguments: list[Any] = []
    kept = defaults(function)
    for arg in function.args.args[1:]:
        kind = annotation(arg.annotation)
        if arg.arg in kept:
            break  # `call` fills the rest in
        arguments.append(_input(builder.unique(arg.arg), kind, inputs))
    if kept:
        words = ", ".join(f"{name} = {annotation(value)}" for name, value in kept.items())
        program.notes.append(Note("info", f"The graph is that of a call with {words[:300]}."))
    return inputs, arguments


def _input(name: str, kind: str, inputs: list[tuple[Sym, Value]]) -> Any:
    """One argument; a tuple is an input per part."""
    optional = OPTIONAL.match(kind)
    kind = optional.group(1) if optional else kind
    if kind.startswith("Tuple[") and kind.endswith("]"):
        parts = _split(kind[6:-1])
        return tuple(_input(f"{name}.{at}", part, inputs) for at, part in enumerate(parts))
    scalar = kind in SCALARS
    symbol = Sym(name, scalar=scalar)
    doc = "" if kind == "Tensor" else kind
    inputs.append((symbol, Value(name, SCALARS.get(kind, ""), () if scalar else None, doc)))
    return symbol


def _split(text: str) -> list[str]:
    """Types separated by commas, brackets respected."""
    parts, depth, start = [], 0, 0
    for at, char in enumerate(text):
        depth += (char == "[") - (char == "]")
        if char == "," and depth == 0:
            parts.append(text[start:at].strip())
            start = at + 1
    return [part for part in [*parts, text[start:].strip()] if part]


def _outputs(result: Any, builder: Builder) -> list[Sym]:
    """The tensors that `forward` returns, named: `output`, or `output_0`, `output_1`, …, or by key."""
    found = list(_leaves(result, ""))
    outputs: list[Sym] = []
    for path, value in found:
        name = path.strip("_") or "output"
        if path and not path.strip("_0123456789"):
            name = f"output{path}"
        symbol = builder.named(value, "")
        if symbol.stored or symbol in builder.body.inputs or symbol in outputs:
            outputs.append(symbol)
            continue
        symbol.name = builder.unique(name)
        outputs.append(symbol)
    return outputs


def _leaves(value: Any, path: str) -> list[tuple[str, Any]]:
    """Values inside tuples, lists and dictionaries, with a name made of their places."""
    if isinstance(value, Sym):
        return [(path, value)]
    if isinstance(value, Record):
        parts = [(f"{path}_{name}", part) for name, part in zip(value.names, value, strict=False)]
    elif isinstance(value, list | tuple):
        parts = [(f"{path}_{at}", part) for at, part in enumerate(value)]
    elif isinstance(value, dict):
        parts = [(f"{path}_{key}", part) for key, part in value.items()]
    else:
        return []
    return [leaf for name, part in parts for leaf in _leaves(part, name)]
