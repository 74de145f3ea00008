"""Functions of an ONNX model, worked out for each way in which they are called.

A function says nothing of the shapes of its values: those are its callers'. Here each call gives it a *body*, a copy
with the attributes of the call filled in and all shapes that follow from what the call hands over. Calls that hand over
the same share one, and so do those whose bodies turn out to be equal. The calling node is marked with the body's name
(its `overload`), by which a reader finds from each call what runs in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from inspector.formats import _onnx_mistakes as mistakes
from inspector.formats import _onnx_sizes as sizes
from inspector.formats._onnx_functions import Key, called_by, expanded, key_of
from inspector.formats._onnx_moves import as_tensor
from inspector.formats._onnx_open import DEEPEST, STEPS, UNKNOWN, dims, every_dim
from inspector.formats._onnx_scope import Scope
from inspector.formats._onnx_sizes import Open
from inspector.formats._onnx_steps import inferred
from inspector.formats._onnx_types import text
from inspector.formats._onnx_values import Array
from inspector.ir import Dim, Note, Shape

EFFORT = 200_000
"""Most nodes that are gone into for bodies, those of the functions that they call included."""

FRACTIONS = 8
"""Fractions make calls differ where there are at most so many: the scales of a Resize, no weights."""

GRAPH_KINDS = (5, 10)

SHORT = Note(
    "info", "Shapes in functions are those of the calls that came first.", "There are too many to go into all of them."
)

Held = Mapping[str, Array]
Walk = Callable[[Any, Held, int], Scope]
"""Walks over an inferred model, given values of its inputs, so many graphs deep; gives what is known of its values."""


@dataclass(frozen=True, slots=True)
class Body:
    """What runs in a call.

    Attributes:
        overload: By which it is found.
        ends: Of each output the element type, the shape and the value, as far as they are known.
    """

    overload: str
    ends: tuple[tuple[int, Shape | None, Array | None], ...]


class Calls:
    """The bodies of a model's functions."""

    def __init__(self) -> None:
        self.bodies: dict[int, list[Any]] = {}
        """FunctionProtos with shapes, by the position of the function in the file."""
        self.meant: dict[str, Dim] = {}
        """What names of unknown sizes turned out to be."""
        self.short = False
        """Whether some calls were not gone into."""
        self._functions: dict[Key, tuple[int, Any]] = {}
        self._known: dict[object, Body | None] = {}
        self._equal: dict[bytes, str] = {}

    def begin(self, model: Any, *, follows: bool) -> None:
        """Take up a model.

        Args:
            model: The ModelProto as inferred; its functions do not call themselves.
            follows: Whether inference may follow values.
        """
        self._model, self._follows = model, follows
        self._sizes = expanded(model) or {}
        self._functions = {key_of(each): (index, each) for index, each in enumerate(model.functions)}
        found = (UNKNOWN.fullmatch(text(dim.dim_param)) for dim in every_dim(model.graph))
        self._fresh = max((int(match[1]) for match in found if match), default=-1)
        self._left = EFFORT

    def clear(self) -> None:
        """Forget everything: it was no model to work with."""
        self.bodies.clear()

    def finish(self) -> None:
        """Put into the bodies what names turned out to be after they were made."""
        for function in (each for bodies in self.bodies.values() for each in bodies) if self.meant else ():
            for dim in every_dim(function):
                found: Dim = text(dim.dim_param)
                for _ in range(STEPS):
                    found = self.meant.get(found, found) if isinstance(found, str) else found
                if isinstance(found, int):
                    dim.dim_value = found
                elif found and found != dim.dim_param:
                    dim.dim_param = found

    def named(self) -> str:
        """A name for a size of which nothing is known, unlike all others."""
        self._fresh += 1
        return f"unk__{self._fresh}"

    def has(self, node: Any) -> bool:
        """Whether a node calls a function."""
        return bool(self._functions) and called_by(node) in self._functions

    def body(
        self, node: Any, types: Sequence[Any], values: Sequence[Array | None], depth: int, walk: Walk
    ) -> Body | None:
        """What runs in a call; None where it cannot be told.

        Args:
            node: That calls a function.
            types: TypeProtos of its inputs; None where nothing is known.
            values: Of its inputs.
            depth: How many graphs and calls there are around it.
            walk: How to go over its nodes.
        """
        key = called_by(node)
        index, function = self._functions[key]
        if len(node.input) > len(function.input):
            return None
        settings = {item.name: item for item in function.attribute_proto}
        settings |= {item.name: item for item in node.attribute if item.name in {*function.attribute, *settings}}
        asked = (
            key,
            tuple(None if each is None else each.SerializeToString() for each in types),
            tuple(map(bool, node.input)),
            tuple(map(_telling, values)),
            tuple(sorted((name, item.SerializeToString()) for name, item in settings.items())),
        )
        if asked not in self._known:
            self._left -= self._sizes.get(key, EFFORT)
            if depth >= DEEPEST or self._left < 0:
                self.short = True
                return None
            self._known[asked] = None
            given = [(name, kind, value) for name, kind, value in zip(node.input, types, values, strict=True)]
            self._known[asked] = self._made(key, index, given, settings, depth, walk)
        return self._known[asked]

    def _made(
        self, key: Key, index: int, given: list[tuple[str, Any, Any]], settings: dict[str, Any], depth: int, walk: Walk
    ) -> Body | None:
        """The body of a call, put with the others."""
        import onnx

        function = self._model.functions[index]
        formal = list(function.input)
        omitted = {name for at, name in enumerate(formal) if at >= len(given) or not given[at][0]}
        model = self._alone(function)
        graph = model.graph
        graph.node.extend(_bound(node, settings, omitted) for node in function.node)
        held: dict[str, Array] = {}
        said = dict[str, Any]()
        for name, (actual, kind, value) in zip(formal, given, strict=False):
            if not actual:
                continue
            tensor = None if value is None or kind is None else as_tensor(value, kind.tensor_type.elem_type, name)
            if value is not None:
                held[name] = value
            if kind is not None:
                said[name] = kind
            if tensor is not None:
                graph.initializer.append(tensor)
            else:
                graph.input.add(name=name).MergeFrom(onnx.ValueInfoProto(name=name, type=kind))
        for name in function.output:
            graph.output.add(name=name)
        mistakes.hide(model)
        told = inferred(model, follows=self._follows)
        if told is None:
            return None
        mistakes.show(told)
        allowed = {name for kind in said.values() for dim in dims(kind) for name in _names(text(dim.dim_param))}
        allowed |= {name for value in held.values() for item in value.flat for name in getattr(item, "names", ())}
        self._rename(told.graph, allowed)
        scope = walk(told, held, depth + 1)
        ends = tuple((scope.kind(name), _shape(scope.shape(name), allowed), _value(scope.value(name), allowed))
                     for name in function.output)  # fmt: skip
        return Body(self._put(key, index, told.graph, said), ends)

    def _alone(self, function: Any) -> Any:
        """A model of a function with nothing in it, and all functions that it calls."""
        import onnx

        model = onnx.ModelProto(ir_version=max(self._model.ir_version, 8))
        own = {item.domain for item in function.opset_import}
        model.opset_import.extend(function.opset_import)
        model.opset_import.extend(item for item in self._model.opset_import if item.domain not in own)
        model.graph.name = "body"
        for info in function.value_info:
            if info.name not in function.input:
                model.graph.value_info.append(info)
        for dim in every_dim(model.graph):  # a name there is none of the model's
            dim.ClearField("dim_param")
        seen, waiting = set[Key](), [function.node]
        while waiting:
            for node in waiting.pop():
                key = called_by(node)
                if key in self._functions and key not in seen:
                    seen.add(key)
                    waiting.append(self._functions[key][1].node)
                waiting += [graph.node for item in node.attribute for graph in (item.g, *item.graphs) if graph.node]
        model.functions.extend(self._functions[key][1] for key in sorted(seen))
        return model

    def _rename(self, graph: Any, allowed: set[str]) -> None:
        """Give names of unknown sizes that begin in a body others that nothing else in the model has."""
        new: dict[str, str] = {}
        for dim in every_dim(graph):
            name = text(dim.dim_param)
            if name not in allowed and UNKNOWN.fullmatch(name):
                dim.dim_param = new.setdefault(name, "") or self.named()
                new[name] = dim.dim_param

    def _put(self, key: Key, index: int, graph: Any, said: Mapping[str, Any]) -> str:
        """Keep a body, unless there is an equal one; its name."""
        import onnx

        function = self._model.functions[index]
        body = onnx.FunctionProto(name=function.name, domain=function.domain, doc_string=function.doc_string)
        body.input.extend(function.input)
        body.output.extend(function.output)
        body.node.extend(graph.node)
        _mark(function.node, body.node)
        for name, kind in said.items():
            body.value_info.append(onnx.ValueInfoProto(name=name, type=kind))
        body.value_info.extend(info for info in (*graph.value_info, *graph.output) if info.name not in said)
        raw = body.SerializeToString(deterministic=True)
        if raw not in self._equal:
            bodies = self.bodies.setdefault(index, [])
            number = len(bodies) + 1
            while (*key[:2], f"{key[2]}#{number}") in self._functions:
                number += 1000
            body.overload = self._equal[raw] = f"{key[2]}#{number}"
            bodies.append(body)
        return self._equal[raw]


def _telling(value: Array | None) -> object:
    """What of a value makes two calls differ: whole numbers, and fractions where they may be scales."""
    if value is None or (value.size > FRACTIONS and any(isinstance(item, float) for item in value.flat)):
        return None
    return None if value.size == 1 and isinstance(value.flat[0], float) else (value.shape, tuple(value.flat))


def _bound(node: Any, settings: Mapping[str, Any], omitted: set[str]) -> Any:
    """A copy of a node with the attributes of the call, and without what the call leaves out."""
    new = type(node)()
    new.CopyFrom(node)
    for at, name in enumerate(new.input):
        if name in omitted:
            new.input[at] = ""
    kept = []
    for item in new.attribute:
        given = settings.get(item.ref_attr_name) if item.ref_attr_name else None
        if item.ref_attr_name and given is None:
            continue
        if given is not None and given.type not in GRAPH_KINDS:
            name = item.name
            item.CopyFrom(given)
            item.name = name
        for graph in (*([item.g] if item.HasField("g") else []), *item.graphs):
            bound = [_bound(inner, settings, omitted) for inner in graph.node]
            del graph.node[:]
            graph.node.extend(bound)
        kept.append(item)
    if len(kept) < len(new.attribute):
        kept = [type(item).FromString(item.SerializeToString()) for item in kept]
        del new.attribute[:]
        new.attribute.extend(kept)
    return new


def _mark(old: Iterable[Any], new: Iterable[Any]) -> None:
    """Say of constants that they stand at the call, and not where the function is written."""
    for before, after in zip(old, new, strict=True):
        made = {item.name: item for item in after.attribute}
        for item in before.attribute:
            if item.name not in made:
                continue
            if item.ref_attr_name and (before.op_type == "Constant" or made[item.name].HasField("t")):
                made[item.name].ref_attr_name = item.ref_attr_name
            if item.HasField("g"):
                _mark(item.g.node, made[item.name].g.node)


def _names(dim: str) -> frozenset[str]:
    """The names that a dimension depends on."""
    size = sizes.of(dim) if dim else None
    return size.names if isinstance(size, Open) else frozenset()


def _shape(shape: Shape | None, allowed: set[str]) -> Shape | None:
    """A shape without names that begin in the body: another call has others."""
    if shape is None:
        return None
    return tuple(None if isinstance(dim, str) and not _names(dim) <= allowed else dim for dim in shape)


def _value(value: Array | None, allowed: set[str]) -> Array | None:
    """Likewise."""
    if value is None or not any(isinstance(item, Open) and not item.names <= allowed for item in value.flat):
        return value
    new = value.copy()
    for at, item in enumerate(value.flat):
        if isinstance(item, Open) and not item.names <= allowed:
            new.flat[at] = None
    return new
