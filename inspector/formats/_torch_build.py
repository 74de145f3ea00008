"""A graph under construction: nodes hold objects, so that values can still be renamed or dropped; then it is frozen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from inspector.formats._torch_schemas import argument_names
from inspector.formats._torch_tree import Opaque, plain
from inspector.ir import Attribute, Graph, Node, Value

NODES = 100_000

SCALAR_TYPES = (
    "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64", "complex32", "complex64",
    "complex128", "bool", "qint8", "quint8", "qint32", "bfloat16", "uint4", "uint2", "bits1x8", "bits2x4", "bits4x2",
    "bits8", "bits16", "float8_e5m2", "float8_e4m3fn", "float8_e5m2fnuz", "float8_e4m3fnuz", "uint16", "uint32",
    "uint64",
)  # fmt: skip
"""Torch's numbers of dtypes."""

TENSOR_LISTS = frozenset({"tensors", "params", "hx", "batch_sizes"})
EFFECTS = frozenset({"aten::copy_", "aten::append", "aten::_set_item", "aten::extend", "aten::index_put_"})


class TooLargeError(Exception):
    """The program is larger than we follow."""


@dataclass(eq=False, slots=True)
class Sym:
    """A value that is not known before the model runs: a tensor, or a number that depends on one.

    Attributes:
        name: Its name in the graph, or the tensor's where it is stored in the file.
        scalar: Whether it is a number of the program rather than a tensor.
        dtype: Of a stored tensor.
    """

    name: str
    stored: bool = False
    scalar: bool = False
    dtype: str = ""


@dataclass(frozen=True, slots=True)
class TypeOf(Opaque):
    """The dtype that a value will have."""

    of: Sym


def type_of(value: Any) -> Any:
    """The dtype of a value as TorchScript has it: a number where it is known."""
    if not isinstance(value, Sym):
        return Opaque("dtype")
    return SCALAR_TYPES.index(value.dtype) if value.dtype in SCALAR_TYPES else TypeOf("dtype", value)


@dataclass(eq=False, slots=True)
class Draft:
    """A node that may still change."""

    name: str
    op: str
    inputs: list[Sym | None]
    outputs: list[Sym]
    attributes: dict[str, Any] = field(default_factory=dict)
    module: str = ""
    source: str = ""
    bodies: list[Body] = field(default_factory=list)


@dataclass(eq=False, slots=True)
class Body:
    """The nodes of the graph itself or of a branch."""

    name: str
    drafts: list[Draft] = field(default_factory=list)
    inputs: list[Sym] = field(default_factory=list)
    outputs: list[Sym] = field(default_factory=list)


class Builder:
    """Makes nodes in the innermost body, and names that are unique in the whole model."""

    def __init__(self, name: str) -> None:
        self.body = Body(name)
        self.source = ""
        self._names: dict[str, int] = {}
        self._count = 0
        self._makers: dict[Sym, Draft] = {}
        self._used: set[Sym] = set()
        self._parts: dict[Sym, list[Sym]] = {}

    def unique(self, name: str) -> str:
        """This name, or with a number where it is taken."""
        number = self._names.get(name, 0)
        self._names[name] = number + 1
        return name if not number else self.unique(f"{name}_{number}")

    def emit(self, op: str, args: Sequence[Any], named: dict[str, Any], module: str) -> Sym:
        """A node with one output."""
        self._count += 1
        if self._count > NODES:
            raise TooLargeError
        short = op.rpartition("::")[2].strip("_") or op
        name = self.unique(f"{module}/{short}" if module else short)
        inputs, attributes = arguments(op, [self._whole(arg, module) for arg in args], named)
        output = Sym(name, scalar=op in SCALARS and _scalars(inputs, op, args))
        return self.add(Draft(name, op, inputs, [output], attributes, module, self.source)).outputs[0]

    def add(self, draft: Draft) -> Draft:
        """A node as it is."""
        self._used.update(part for part in draft.inputs if part is not None)
        self._makers.update(dict.fromkeys(draft.outputs, draft))
        self.body.drafts.append(draft)
        return draft

    def _whole(self, value: Any, module: str) -> Any:
        """A value that was taken apart and is used whole after all."""
        if isinstance(value, Sym) and value in self._parts:
            return self.emit("prim::TupleConstruct", self._parts[value], {}, module)
        return value

    def unpack(self, value: Sym, count: int, module: str) -> list[Sym]:
        """The parts of a value: as outputs of the node that makes it, where nobody used it whole."""
        if len(self._parts.get(value, ())) == count:
            return self._parts[value]
        maker = self._makers.get(value)
        if maker is None or value in self._used or len(maker.outputs) != 1 or maker.bodies:
            parts = [Sym(self.unique(f"{value.name}.{at}")) for at in range(count)]
            name = self.unique(f"{module}/unpack" if module else "unpack")
            return self.add(Draft(name, "prim::TupleUnpack", [value], parts, {}, module)).outputs
        scalar = maker.op == "aten::size"
        maker.outputs = [Sym(f"{maker.name}:{at}", scalar=scalar) for at in range(count)]
        self._makers.update(dict.fromkeys(maker.outputs, maker))
        self._parts[value] = maker.outputs
        return maker.outputs

    def named(self, value: Any, module: str) -> Sym:
        """A value as one that has a name: constants and lists get a node of their own."""
        if isinstance(value, Sym):
            return value
        if isinstance(value, list | tuple) and any(isinstance(part, Sym) for part in value):
            return self.emit(
                "prim::ListConstruct" if isinstance(value, list) else "prim::TupleConstruct", value, {}, module
            )
        return self.emit("prim::Constant", (), {"value": value}, module)


SCALARS = frozenset(
    f"aten::{name}"
    for name in (
        *("size", "dim", "len", "numel", "Int", "Float", "Bool", "add", "sub", "mul", "div", "floordiv", "neg", "eq"),
        *("ne", "lt", "le", "gt", "ge", "__not__", "__and__", "__or__", "__getitem__", "item", "remainder", "ceil"),
        *("floor", "ScalarImplicit", "IntImplicit", "floor_divide", "sqrt", "pow", "__contains__", "min", "max"),
    )
)
"""Operators whose result is a number where their inputs are numbers."""

NUMBERS = frozenset(
    {
        *(
            "start",
            "end",
            "step",
            "dim",
            "index",
            "k",
            "size",
            "length",
            "output_size",
            "chunks",
            "split_size",
            "steps",
        ),
        *("num_classes", "diagonal", "repeats", "n", "dim0", "dim1", "start_dim", "end_dim", "dimension"),
        *("normalized_shape", "upscale_factor", "downscale_factor"),
    }
)
"""Arguments that are numbers: where one is a value of the program, an attribute says which."""

MEASURES = frozenset({"aten::size", "aten::dim", "aten::len", "aten::numel", "aten::Int", "aten::Float", "aten::Bool"})


def _scalars(inputs: list[Sym | None], op: str, args: Sequence[Any]) -> bool:
    if op in MEASURES or op in ("aten::item", "aten::ScalarImplicit", "aten::IntImplicit"):
        return op != "aten::size" or len(args) > 1
    return all(part is None or part.scalar for part in inputs) and all(
        isinstance(arg, Sym | int | float) for arg in args
    )


def arguments(op: str, args: Sequence[Any], named: dict[str, Any]) -> tuple[list[Sym | None], dict[str, Any]]:
    """What enters a node as a value, and what as an attribute."""
    names = argument_names(op, "".join(map(_kind, args)))
    inputs: list[Sym | None] = []
    attributes: dict[str, Any] = {}
    for name, arg in [*zip(names, args, strict=True), *named.items()]:
        if isinstance(arg, Sym):
            inputs.append(arg)
            if (arg.scalar and name in NUMBERS) or name == "tensors":  # a list that is a value itself
                attributes[name] = arg
        elif isinstance(arg, TypeOf) and name == "dtype":
            attributes[name] = arg.of
        elif arg is None or (name in named and isinstance(arg, Opaque)):
            if name not in named:
                inputs.append(None)
        elif isinstance(arg, list | tuple) and any(isinstance(part, Sym) for part in arg):
            inputs.extend(part for part in arg if isinstance(part, Sym))
            if name not in TENSOR_LISTS and not all(isinstance(p, Sym) and not p.scalar for p in arg):
                attributes[name] = tuple(arg)
        else:
            attributes[name] = _dtype(arg) if name == "dtype" else arg
    while inputs and inputs[-1] is None:
        inputs.pop()
    return inputs, attributes


def _dtype(arg: Any) -> Any:
    known = isinstance(arg, int) and not isinstance(arg, bool) and 0 <= arg < len(SCALAR_TYPES)
    return SCALAR_TYPES[arg] if known else arg


def _kind(arg: Any) -> str:
    if arg is None:
        return "N"
    if isinstance(arg, bool):
        return "B"
    if isinstance(arg, TypeOf):
        return "I"
    for kind, letter in ((int, "I"), (float, "F"), (str, "W"), (Opaque, "W"), (list, "M"), (tuple, "M")):
        if isinstance(arg, kind):
            return letter
    return "T"


def _changes(draft: Draft) -> bool:
    """Whether a node changes what it is given, itself or in its bodies."""
    return draft.op in EFFECTS or any(_changes(inner) for body in draft.bodies for inner in body.drafts)


def prune(body: Body) -> None:
    """Drop nodes whose results nobody uses, branches first."""
    needed = set(body.outputs)
    kept: list[Draft] = []
    for draft in reversed(body.drafts):
        if needed.isdisjoint(draft.outputs) and not _changes(draft):
            continue
        needed.update(part for part in draft.inputs if part is not None)
        if draft.op == "prim::If":
            _narrow(draft, needed)
        for inner in draft.bodies:
            prune(inner)
            captured = captures(inner)
            draft.inputs.extend(part for part in captured if part not in draft.inputs)
            needed.update(captured)
        kept.append(draft)
    body.drafts = kept[::-1]


def _narrow(draft: Draft, needed: set[Sym]) -> None:
    """Leave out what a condition's branches work out for nobody."""
    used = [at for at, output in enumerate(draft.outputs) if output in needed]
    draft.outputs = [draft.outputs[at] for at in used]
    for inner in draft.bodies:
        inner.outputs = [inner.outputs[at] for at in used]


def captures(body: Body) -> list[Sym]:
    """Values of the graph around it that a branch uses."""
    made = {*body.inputs, *(output for draft in body.drafts for output in draft.outputs)}
    used = [part for draft in body.drafts for part in draft.inputs if part is not None]
    return list(dict.fromkeys(part for part in [*used, *body.outputs] if part not in made))


def freeze(body: Body, known: dict[str, Value]) -> list[Graph]:
    """The graph, then those of its branches.

    Args:
        body: What was built.
        known: Values whose type is known, by name.
    """
    graphs: list[Graph] = []
    nodes = []
    for draft in body.drafts:
        inner = [graph for part in draft.bodies for graph in freeze(part, known)]
        graphs += inner
        nodes.append(
            Node(
                draft.name,
                draft.op,
                tuple(part.name if part else "" for part in draft.inputs),
                tuple(part.name for part in draft.outputs),
                {name: _attribute(value) for name, value in draft.attributes.items()},
                module=draft.module,
                graphs=tuple(part.name for part in draft.bodies),
                source=draft.source,
            )
        )
    inputs, outputs = _values(body.inputs, known), _values(body.outputs, known)
    values = {value.name: value for value in (*inputs, *outputs)}
    return [Graph(body.name, inputs, outputs, tuple(nodes), values), *graphs]


def _values(symbols: Iterable[Sym], known: dict[str, Value]) -> tuple[Value, ...]:
    return tuple(known.get(part.name, Value(part.name)) for part in symbols)


def _attribute(value: Any) -> Attribute:
    if isinstance(value, Sym):
        return value.name
    if isinstance(value, list | tuple):
        return tuple(_attribute(part) for part in value[:1000])
    return plain(value)
