"""Shapes behind sizes that an ONNX model works out at run time: found in one walk over what onnx's inference left open.

Many exporters write `Reshape(x, Concat(Gather(Shape(y), …), ReduceProd(…)))` where they could have written a number.
onnx's inference follows some of the operators of such chains and no sums or products of named sizes. Here the chains
are worked out in the order of the nodes, and what a shape tells about the next is asked of onnx, a node at a time.
The graph stays as it is; only what is known of its values grows. Where nothing is left open nothing is done.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from inspector.formats import _onnx_contributed as contributed
from inspector.formats import _onnx_early as early
from inspector.formats import _onnx_mistakes as mistakes
from inspector.formats import _onnx_sizes as sizes
from inspector.formats._onnx_asked import Asked
from inspector.formats._onnx_calls import Calls, Held
from inspector.formats._onnx_carried import carry
from inspector.formats._onnx_computed import SHAPES, clearer, common, plain
from inspector.formats._onnx_loops import goes_on, runs, steady
from inspector.formats._onnx_moves import KNOWN, NONSENSE, ROOTS, constant, valued
from inspector.formats._onnx_open import (
    COMPUTED,
    DEEPEST,
    FRESH,
    GRAPHS,
    OTHERS,
    UNKNOWN,
    dims,
    every_dim,
    rename,
    worthwhile,
)  # fmt: skip
from inspector.formats._onnx_scope import Scope, shape_of
from inspector.formats._onnx_sizes import Open
from inspector.formats._onnx_types import RANK, text
from inspector.formats._onnx_values import Call, array
from inspector.ir import Dim, Shape

NONE: frozenset[str] = frozenset()
TRUE = array([1], ())

DEFAULT = ("", "ai.onnx")
TRIALS = 100
"""How often bodies of loops are worked out on trial in one model."""

WORK = 4_000_000
"""What values, and sizes that turn out to be others, may cost in one model; what comes after is left open."""


def refine(model: Any, names: Iterable[str] = (), calls: Calls | None = None) -> None:
    """Write into an inferred ModelProto what follows from the values of small tensors; nothing that is known changes.

    Args:
        model: What `onnx.shape_inference.infer_shapes` gave.
        names: Names of dimensions that stand for themselves, beside those of its inputs.
        calls: Where the bodies of its functions go.
    """
    known = {text(dim.dim_param) for info in model.graph.input for dim in dims(info.type) if dim.HasField("dim_param")}
    known.update(names)
    known.discard("")
    if calls is not None or early.used(model) or worthwhile(model.graph, known):
        walk = _Walk(model, frozenset(known), calls)
        walk.graph(model.graph)
        walk.finish()
    if calls is not None:
        calls.finish()


class _Walk:
    """One walk over a model.

    Args:
        model: The ModelProto.
        grounded: Names of dimensions of its inputs.
        calls: Where the bodies of its functions go.
    """

    def __init__(self, model: Any, grounded: frozenset[str], calls: Calls | None = None) -> None:
        import onnx

        self._onnx = onnx
        self._grounded = grounded
        self._functions = {(function.domain, function.name) for function in model.functions}
        self._calls = calls
        self._version = next((item.version for item in model.opset_import if item.domain in DEFAULT), 1)
        self._early = early.used(model)
        self._asked = Asked(self._version)
        self._settable = model.ir_version >= 4
        self._changed: set[str] = set()
        """Names of values of which more is known than before."""
        self.meant: dict[str, Dim] = {}
        """What inference's names for unknown sizes turned out to be."""
        self._work, self._trials = WORK, TRIALS
        self._fresh = -1
        self._model = model

    def finish(self) -> None:
        """Put what names turned out to be in the graphs inside, and tell it to those who wait for it."""
        if self.meant:
            rename(self._model.graph, self.meant)
            if self._calls is not None:
                self._calls.meant.update(self.meant)

    def graph(
        self, graph: Any, around: Scope | None = None, depth: int = 0, true: str = "", held: Held | None = None
    ) -> Scope:
        """Walk over one graph.

        Args:
            graph: The GraphProto.
            around: The graph around it.
            depth: How many there are.
            true: Name of a value in it that is known to be true.
            held: Values in it that are known.
        """
        here = Scope(graph, around, self.meant, settable=self._settable)
        for name, value in (held or {}).items():
            here.hold(name, value)
        here.hold(true, TRUE)
        for node in graph.node:
            self._node(node, here, depth)
        here.close()
        return here

    def _node(self, node: Any, here: Scope, depth: int) -> None:
        op = node.op_type
        if (node.domain, op) in self._functions:
            if self._calls is not None and self._calls.has(node):
                self._called(node, here, depth, self._calls)
            return
        if node.domain in contributed.DOMAINS or op in contributed.OWN:
            self._contributed(node, op, here)
        if node.domain not in DEFAULT or op in contributed.OWN:
            return
        if op == "Constant":
            if len(node.output) == 1:
                here.hold(node.output[0], constant(node))
            return
        moved = self._changed and not self._changed.isdisjoint(node.input)
        if op in GRAPHS:
            self._inner(node, here, depth)
        elif moved or (
            (op in COMPUTED or here.ends(node.output) or self._early) and here.vague(node.output, self._grounded)
        ):
            self._shapes(node, op, here)
        if op in KNOWN and self._work > 0 and (op in ROOTS or any(here.value(name) is not None for name in node.input)):
            found = valued(self._call(node, here))
            self._work -= sum(16 if each is None else 16 + 8 * each.size for each in found)
            for name, value in zip(node.output, found, strict=False):
                here.hold(name, value)
                if value is not None and here.vague((name,), NONE):
                    self._keep(here, name, here.kind(name), value.shape)

    def _called(self, node: Any, here: Scope, depth: int, calls: Calls) -> None:
        """Go into the function that a node calls."""
        types = [here.type(name) if name else None for name in node.input]
        values = [here.value(name) if name else None for name in node.input]
        body = calls.body(node, types, values, depth, self._enter)
        if body is not None:
            node.overload = body.overload
            for name, (kind, shape, value) in zip(node.output, body.ends, strict=False):
                if name:
                    self._keep(here, name, kind, shape)
                    here.hold(name, value)

    def _enter(self, model: Any, held: Held, depth: int) -> Scope:
        """Walk over the body of a call, whose inputs' names stand for themselves in it."""
        names = {text(dim.dim_param) for info in model.graph.input for dim in dims(info.type)} - {""}
        walk = _Walk(model, frozenset(names), self._calls)
        walk._work, walk._trials = self._work, self._trials
        scope = walk.graph(model.graph, None, depth, held=held)
        walk.finish()
        self._work, self._trials = walk._work, walk._trials
        return scope

    def _call(self, node: Any, here: Scope) -> Call:
        return Call(node, [here.value(name) for name in node.input], [here.shape(name) for name in node.input],
                    here.kind(node.output[0]) if node.output else 0)  # fmt: skip

    def _shapes(self, node: Any, op: str, here: Scope) -> None:
        """Find the shapes of a node's outputs anew: as onnx tells them, and as open values do."""
        if self._work <= 0:
            return
        self._work -= sum(16 + 16 * len(here.shape(name) or ()) for name in node.output)
        if len(node.output) == 1 and here.kind(node.output[0]):
            shape = plain(op, self._version, [here.shape(name) for name in node.input])
            if shape is not None:
                self._keep(here, node.output[0], 0, shape)
                return
        call = self._call(node, here)
        own: Shape | None = None
        sure = mistakes.rule(node, self._version)
        rule = sure or (early.RULES.get(op) if self._early else SHAPES.get(op))
        if rule is not None:
            try:
                own = rule(call)
            except NONSENSE:
                own = None
        asked = sure is None and (own is None or None in own or not call.kind)
        told = self._asked.of(node, call, here) if asked else {}
        for index, name in enumerate(node.output):
            if not name:
                continue
            kind, shape = told.get(name, (0, None))
            if index == 0 and own is not None and len(own) <= RANK:
                kind = kind or (
                    early.kind(node, here.kind(node.input[0])) if (self._early or sure) and node.input else 0
                )
                shape = own if shape is None or len(shape) != len(own) else tuple(map(clearer, shape, own))
            self._keep(here, name, kind, shape)

    def _contributed(self, node: Any, op: str, here: Scope) -> None:
        """Find the shape of the outputs of an operator that is ONNX Runtime's own."""
        if op not in OTHERS or self._work <= 0 or not here.vague(node.output, NONE):
            return
        if op in contributed.FUSED:
            name, places = contributed.FUSED[op]
            if not any(item.name == "channels_last" and item.i for item in node.attribute):
                taken = [node.input[at] for at in places if at < len(node.input)]
                known = self._onnx.NodeProto(op_type=name, input=taken, output=node.output)
                known.attribute.extend(item for item in node.attribute if not item.name.startswith(contributed.ASIDE))
                self._shapes(known, name, here)
            return
        self._work -= 64
        call, kinds = self._call(node, here), [here.kind(name) for name in node.input]
        if op == "GatherBlockQuantized":
            call.shapes[0] = contributed.packed(node, kinds, call.shape())
        try:
            shape = contributed.RULES[op](call)
        except NONSENSE:
            return
        kind = contributed.kind(call, kinds)
        for at in (0, contributed.SUMS.get(op, 0)):
            if at < len(node.output) and node.output[at]:
                self._keep(here, node.output[at], kind, shape)

    def _inner(self, node: Any, here: Scope, depth: int) -> None:
        """Walk over the graphs that a node runs."""
        if depth >= DEEPEST:
            return
        loop, sure = node.op_type == "Loop", False
        done = {}
        for item in node.attribute:
            if item.HasField("g"):
                sure = loop and carry(node, item.g, here, self._model, self._named, lambda told: self._try(told, depth))
                true = item.g.input[1].name if loop and len(item.g.input) > 1 and goes_on(node, here) else ""
                done[item.name] = item.g, self.graph(item.g, here, depth + 1, true)
        if node.op_type == "If" and len(done) == 2 and node.input:
            self._branch(node, here, done)
        elif loop and "body" in done and node.input:
            self._loop(node, here, *done["body"], sure=sure)

    def _try(self, told: Any, depth: int) -> bool:
        """Work out the body of a loop on trial; False where that was done too often."""
        self._trials -= 1
        if self._trials >= 0:
            self._enter(told, {}, depth + 1)
        return self._trials >= 0

    def _branch(self, node: Any, here: Scope, done: dict[str, tuple[Any, Scope]]) -> None:
        """The outputs of an If are those of the branch that is run, or what both have in common."""
        which = here.value(node.input[0])
        sure = None if which is None or which.size != 1 else which.reshape(-1)[0]
        names = ["else_branch", "then_branch"] if sure is None else ["then_branch" if sure else "else_branch"]
        if any(name not in done or len(done[name][0].output) != len(node.output) for name in names):
            return
        for index, name in enumerate(node.output):
            ends = [done[branch][0].output[index] for branch in names]
            kinds, shapes = {end.type.tensor_type.elem_type for end in ends}, [shape_of(end.type) for end in ends]
            shape = shapes[0] if len(shapes) == 1 else common(shapes)
            if name and shape is not None and len(kinds) == 1:
                self._keep(here, name, kinds.pop(), shape)
            if sure is not None:
                here.hold(name, done[names[0]][1].value(ends[0].name))

    def _loop(self, node: Any, here: Scope, body: Any, inside: Scope, *, sure: bool) -> None:
        """What a Loop carries keeps its shape where one time does; what it collects has a row for each time.

        The latter is said where nothing ends it before.
        """
        times, states = here.value(node.input[0]), len(body.input) - 2
        if len(body.output) != len(node.output) + 1:
            return
        for unknown, dim in steady(node, body, here, self._grounded).items():
            self._settle(here, unknown, dim, "")
        for name, first, taken, given in zip(
            node.output, node.input[2:], body.input[2:], body.output[1:], strict=False
        ):
            if sure or here.shape(first) == shape_of(taken.type) == shape_of(given.type):
                self._keep(here, name, given.type.tensor_type.elem_type, shape_of(taken.type))
        if times is None or times.size != 1 or not goes_on(node, here):
            return
        after = inside.value(body.output[0].name)
        count = times.reshape(-1)[0]
        if after is not None and after.size == 1 and after.flat[0] == 0:
            return
        if (after is None or after.size != 1 or after.flat[0] is None) and type(count) is int:
            first = [array([0], ()), TRUE, *(here.value(name) for name in node.input[2:])]
            count = runs(body, inside, first, count, self._spend)
        elif after is None or after.size != 1 or after.flat[0] is None:
            return
        if count is None or not sizes.never_negative(count):
            return
        for name, end in zip(node.output[states:], body.output[1 + states :], strict=True):
            row = shape_of(end.type)
            if row is not None:
                self._keep(here, name, end.type.tensor_type.elem_type, (sizes.written(count), *row))

    def _spend(self, work: int) -> bool:
        self._work -= work
        return self._work > 0

    def _keep(self, here: Scope, name: str, kind: int, shape: Shape | None) -> None:
        """Take what says more than is known so far; what is known stays."""
        old = here.shape(name)
        if shape is None or len(shape) > RANK or self._work <= 0 or (old is not None and len(old) != len(shape)):
            return
        kind = here.kind(name) or kind
        if not kind:
            return
        shape = tuple(self.meant.get(dim, dim) if isinstance(dim, str) else dim for dim in shape)
        end = here.ends((name,))
        new = shape if old is None else tuple(self._better(a, b, end) for a, b in zip(old, shape, strict=True))
        for unknown, dim in zip(old or (), new, strict=False):
            if unknown != dim and isinstance(unknown, str) and UNKNOWN.fullmatch(unknown):
                self._settle(here, unknown, dim, name)
        if old is None or not end:  # what the file leaves open of an output gets no name of ours
            new = tuple(self._named() if dim is None else dim for dim in new)
        if new != old:
            here.put(name, kind, new)
            self._changed.add(name)

    def _settle(self, here: Scope, unknown: str, dim: Dim, name: str) -> None:
        """Put what an unknown size of a value turned out to be wherever it stands.

        What a branch would do with a value from around it proves nothing: it may not be run.
        """
        if unknown in self.meant or unknown in self._grounded or here.foreign(unknown):
            return
        if isinstance(dim, str) and unknown in dim:
            return
        if self._work > 0:
            self.meant[unknown] = dim
            found = list(here.settle(unknown, dim, name))
            self._changed.update(found)
            self._work -= 16 * len(found)

    def _better(self, old: Dim, new: Dim, declared: bool) -> Dim:
        """The one of two that says more; a name that the file gives to a part of its output stays."""
        if new is None or old == new or isinstance(old, int):
            return old
        if old is None:
            made_up = isinstance(new, str) and UNKNOWN.fullmatch(new) and new not in self._grounded
            return None if declared and made_up else new
        if len(old) <= sizes.LONGEST and FRESH.fullmatch(old) and old not in self._grounded:
            return new
        if isinstance(new, int):
            return new
        size = sizes.of(new)
        grounded = isinstance(size, Open) and size.names <= self._grounded
        return new if grounded and not declared and old not in self._grounded else old

    def _named(self) -> str:
        """A name for a size of which nothing is known."""
        if self._calls is not None:
            return self._calls.named()
        if self._fresh < 0:
            found = (UNKNOWN.fullmatch(text(dim.dim_param)) for dim in every_dim(self._model.graph))
            self._fresh = max((int(match[1]) for match in found if match), default=-1)
        self._fresh += 1
        return f"unk__{self._fresh}"
