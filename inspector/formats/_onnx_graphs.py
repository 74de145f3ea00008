"""Graphs of an ONNX model as the IR's graphs: the main one, bodies of If, Loop and Scan, functions."""

from __future__ import annotations

import re
from collections import ChainMap, Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

from inspector.formats._calls import circular
from inspector.formats._modules import author_line, from_scopes
from inspector.formats._onnx_functions import Key, called_by, key_of
from inspector.formats._onnx_names import KIND, Names, says
from inspector.formats._onnx_tensors import LITERALS, Shelf
from inspector.formats._onnx_types import Attributes, Types, Words, text
from inspector.formats._onnx_wire import Stripped, check_depth
from inspector.ir import Graph, Node, Note, Value

DEFAULT = ("", "ai.onnx")
GRAPHS = (5, 10)
SCOPES, CLASSES = "pkg.torch.onnx.name_scopes", "pkg.torch.onnx.class_hierarchy"
TRACE = "pkg.torch.onnx.stack_trace"
QUOTED = re.compile(r"'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\"")
NO_STACK = "_empty_nn_module_stack_from_metadata_hook"


@dataclass(frozen=True, slots=True)
class Frame:
    """Where a graph stands while it is read.

    Attributes:
        graph: Its name.
        path: Of its message in the file.
        scope: Key of the tensor that a name means, where it means one; inner graphs see the outer ones.
        known: What is known of values, outer ones included.
        values: What is known of values, to be kept with this graph.
    """

    graph: str
    path: str
    scope: ChainMap[str, str]
    known: ChainMap[str, Value]
    values: dict[str, Value]
    function: str = ""
    """Name of the graph of the function that it is, or is in."""


class Reader:
    """Turns protobuf graphs into the IR's.

    Args:
        stripped: The model's bytes without bulky data.
        shelf: Where tensors go.
        told: Whether torch's exporter says what a tensor is, where that is known.
        bodies: FunctionProtos with shapes that stand for the function at a position, one for each way to call it.
    """

    def __init__(
        self,
        stripped: Stripped,
        shelf: Shelf,
        *,
        told: bool | None = None,
        bodies: Mapping[int, list[Any]] | None = None,
    ) -> None:
        self._stripped = stripped
        self._shelf = shelf
        self._told = any(map(says, (stripped.data, *stripped.loose.values()))) if told is None else told
        self._names = Names()
        self._words = Words()
        self._types = Types()
        self._attributes = Attributes()
        self._functions: dict[Key, str] = {}
        self._bodies = bodies or {}
        self._handed: list[tuple[str, tuple[str, str], tuple[str, int]]] = []
        """What functions take and what is taken in them: the function, by its graph; the name of a tensor, or of a
        value in a function with that; operator and position."""
        self._placed: dict[str, str] = {}
        """Keys of the tensors in functions by their place: each body has them."""
        self.graphs: dict[str, Graph] = {}
        self.classes: dict[str, str] = {}
        self._modules: dict[str, str] = {}
        """Module paths by what stands before the last slash of a node's name."""
        self.training: list[str] = []
        """Names of graphs that train the model and are no part of it."""
        self.constants: list[str] = []
        """Names of the main graph's literals, as they stand in the file."""
        self._kinds: dict[str, tuple[str, tuple[int, ...]]] = {}
        """dtypes and shapes of tensors by the bytes that say them."""

    @property
    def shelf(self) -> Shelf:
        """Its tensors."""
        return self._shelf

    def model(self, proto: Any) -> None:
        """Read every graph of a ModelProto, the main one first."""
        main = self._shelf.main = self._names.unique(text(proto.graph.name) or "main")
        functions = self._shown(proto)
        for _, function in functions:
            domain, name = text(function.domain), text(function.name)
            self._functions[key_of(function)] = self._names.unique(f"{domain}:{name}" if domain else name)
        self._graph(proto.graph, main, "graph", ChainMap(), ChainMap())
        for index, function in functions:
            self._function(function, f"functions[{index}]")
        for index, info in enumerate(proto.training_info):
            for part in ("initialization", "algorithm"):
                if info.HasField(part):
                    name = self._names.unique(f"training: {part}")
                    self.training.append(name)
                    self._graph(getattr(info, part), name, f"training_info[{index}].{part}", ChainMap(), ChainMap())
        self._hand_on()
        own = set(self._functions.values())
        for name in [name for name in circular(self.graphs.values()) if name in own][:20] if own else ():
            self._shelf.notes.append(Note("warning", f"The function {name[:100]!r} calls itself.", "It cannot run."))

    def _shown(self, proto: Any) -> list[tuple[int, Any]]:
        """The functions with their positions: for each its bodies, and itself where something else calls it."""
        if not self._bodies:
            return list(enumerate(proto.functions))
        bodies = {key_of(each): each for one in self._bodies.values() for each in one}
        called, waiting = set[Key](), [proto.graph.node]
        waiting += [each.node for index, each in enumerate(proto.functions) if index not in self._bodies]
        while waiting:
            for node in waiting.pop():
                key = called_by(node)
                if key in bodies and key not in called:
                    waiting.append(bodies[key].node)
                called.add(key)
                waiting += [graph.node for item in node.attribute for graph in (item.g, *item.graphs) if graph.node]
        found: list[tuple[int, Any]] = []
        for index, function in enumerate(proto.functions):
            used = [(index, body) for body in self._bodies.get(index, []) if key_of(body) in called]
            found += used
            if not used or key_of(function) in called:
                found.append((index, function))
        return found

    def _graph(
        self,
        proto: Any,
        name: str,
        path: str,
        scope: ChainMap[str, str],
        outer: ChainMap[str, Value],
        function: str = "",
    ) -> None:
        check_depth(len(scope.maps))
        self.graphs[name] = Graph(name)  # takes its place before the graphs inside it
        values = self._values(proto.value_info, proto.output, proto.input)
        stored = self._initializers(proto, name, path, scope)
        frame = Frame(name, path, scope, outer.new_child(values), values, function)
        items = [item for item in (self._words[info.name] for info in proto.input) if item not in stored]
        self._finish(frame, items, proto.node, [self._words[info.name] for info in proto.output])

    def _function(self, proto: Any, path: str) -> None:
        name = self._functions[key_of(proto)]
        values = self._values(proto.value_info)
        frame = Frame(name, path, ChainMap(), ChainMap(values), values, name)
        find = self._words.__getitem__
        self._finish(frame, [*map(find, proto.input)], proto.node, [*map(find, proto.output)])

    def _finish(self, frame: Frame, inputs: list[str], nodes: Iterable[Any], outputs: list[str]) -> None:
        """Read what a graph does, and put it with the others."""
        takes = self._written(inputs, frame)
        read = self._nodes(nodes, frame)
        values, scope = frame.values, frame.scope
        self.graphs[frame.graph] = Graph(
            frame.graph,
            tuple(values.get(item) or Value(item) for item in takes),
            tuple(values.get(item) or Value(item) for item in (scope.get(item, item) for item in outputs)),
            read,
            values,
        )

    def _written(self, names: Iterable[str], frame: Frame) -> tuple[str, ...]:
        """Names of values that begin here; one that is a tensor's elsewhere goes with the graph's name."""
        names = tuple(names)
        if frame.graph == self._shelf.main:
            return names
        for name in names:
            if name in self._shelf.tensors:
                frame.scope[name] = new = f"{frame.graph}/{name}"
                if name in frame.values:
                    frame.values[new] = replace(frame.values.pop(name), name=new)
            elif name in frame.scope:  # an inner graph reuses a name of an outer one
                frame.scope[name] = name
        return tuple(frame.scope.get(name, name) for name in names)

    def _values(self, infos: Iterable[Any], *ends: Iterable[Any]) -> dict[str, Value]:
        """Values by name; on the way, what torch's exporter says of each tensor: parameter, buffer or constant."""
        values: dict[str, Value] = {}
        for info in infos:
            value = self._types.value_of(info, self._words)
            values[value.name] = value
            for entry in info.metadata_props if self._told else ():
                if entry.key == KIND:
                    self._shelf.kinds[value.name] = text(entry.value)
        for info in chain.from_iterable(ends):
            value = self._types.value_of(info, self._words)
            values[value.name] = value
        return values

    def _initializers(self, proto: Any, graph: str, path: str, scope: ChainMap[str, str]) -> set[str]:
        stored = set()
        for index, tensor in enumerate(proto.initializer):
            name = self._words[tensor.name]
            place = f"{path}.initializer[{index}]"
            scope[name] = self._placed.get(place) or self._shelf.dense(tensor, name, graph, place)
            self._place(place, scope[name])
            stored.add(name)
        for index, sparse in enumerate(proto.sparse_initializer):
            name = text(sparse.values.name)
            place = f"{path}.sparse_initializer[{index}]"
            scope[name] = self._placed.get(place) or self._shelf.sparse(sparse, name, graph, place)
            self._place(place, scope[name])
            stored.add(name)
        return stored

    def _place(self, path: str, key: str) -> None:
        if path.startswith("functions["):
            self._placed[path] = key

    def _nodes(self, protos: Iterable[Any], frame: Frame) -> tuple[Node, ...]:
        names, words = Names(), self._words
        nodes: list[Node] = []
        for index, proto in enumerate(protos):
            op = words[proto.op_type]
            if op == "Constant" and proto.domain in DEFAULT and self._constant(proto, frame, index):
                continue
            name = names.unique(text(proto.name) or f"{op}_{index}")
            nodes.append(self._node(proto, op, name, index, frame))
        return tuple(nodes)

    def _constant(self, proto: Any, frame: Frame, index: int) -> bool:
        """Keep a Constant node's value as a tensor; False where it is no literal."""
        if len(proto.attribute) != 1 or len(proto.output) != 1 or proto.attribute[0].ref_attr_name:
            return False
        attribute, name = proto.attribute[0], self._words[proto.output[0]]
        path, kind = f"{frame.path}.node[{index}].attribute[0]", self._words[attribute.name]
        if path in self._placed:
            key = self._placed[path]
        elif kind == "value" and attribute.HasField("t"):
            key = self._shelf.dense(attribute.t, name, frame.graph, f"{path}.t")
        elif kind == "sparse_value":
            key = self._shelf.sparse(attribute.sparse_tensor, name, frame.graph, f"{path}.sparse_tensor")
        elif kind in LITERALS:
            key = self._shelf.literal(attribute, name, frame.graph, path)
        else:
            return False
        frame.scope[name] = key
        self._place(path, key)
        if frame.graph == self._shelf.main:
            self.constants.append(name)
        return True

    def _node(self, proto: Any, op: str, name: str, index: int, frame: Frame) -> Node:
        words, domain, attributes = self._words, self._words[proto.domain], proto.attribute
        inputs = self._inputs(proto, op, frame)
        outputs = tuple([words[raw] for raw in proto.output])
        if frame.graph != self._shelf.main:
            outputs = self._written(outputs, frame)
        graphs = self._inner(attributes, name, index, frame) if attributes else {}
        inner = tuple(graph for found in graphs.values() for graph in found) if graphs else ()
        called = self._functions.get(called_by(proto)) if self._functions else None
        module, source = self._origin(proto, name)
        owned = self._owned(attributes, name, index, frame) if called and attributes else ()
        return Node(
            name, op, inputs, outputs, self._attributes.of(attributes, graphs), domain, module, owned,
            (*inner, called) if called else inner, source, words[proto.doc_string],
        )  # fmt: skip

    def _owned(self, attributes: Iterable[Any], name: str, node: int, frame: Frame) -> tuple[str, ...]:
        """Keep the tensors that a call hands over in attributes; those that it has from another call are that one's."""
        found = []
        for index, item in enumerate(attributes):
            if item.HasField("t") and not item.ref_attr_name:
                path = f"{frame.path}.node[{node}].attribute[{index}].t"
                key = self._placed.get(path) or self._shelf.dense(
                    item.t, f"{name}/{text(item.name)}", frame.graph, path
                )
                self._place(path, key)
                found.append(key)
        return tuple(found)

    def _inputs(self, proto: Any, op: str, frame: Frame) -> tuple[str, ...]:
        """What a node takes; notes how tensors are used and what is known of values from graphs around this one."""
        uses, words = self._shelf.uses, self._words
        nested = len(frame.scope.maps) > 1
        find = frame.scope.get if nested else frame.scope.maps[0].get
        inputs = []
        called = self._functions.get(called_by(proto), "") if self._functions else ""
        for index, raw in enumerate(proto.input):
            item = words[raw]
            item = find(item, item)
            stored = item in uses
            if (called and stored) or (frame.function and not stored):
                self._handed.append((called, ("" if stored else frame.function, item), (op, index)))
            if stored and not called:
                self._shelf.use(item, op, index)
            elif nested and not stored and item not in frame.values and item in frame.known:
                frame.values[item] = frame.known[item]
            inputs.append(item)
        return tuple(inputs)

    def _hand_on(self) -> None:
        """Note of the tensors that functions take how those use them."""
        uses: dict[tuple[str, str], set[tuple[str, int]]] = {}
        passed: dict[tuple[str, str], list[tuple[str, str]]] = {}
        for called, key, (op, index) in self._handed:
            takes = self.graphs[called].inputs if called in self.graphs else ()
            if not called:
                uses.setdefault(key, set()).add((op, index))
            elif index < len(takes):
                passed.setdefault(key, []).append((called, takes[index].name))
        for graph, name in {key for key in (*uses, *passed) if not key[0]}:
            seen, waiting = set[tuple[str, str]](), [(graph, name)]
            while waiting:
                here = waiting.pop()
                if here not in seen:
                    seen.add(here)
                    waiting += passed.get(here, ())
                    for op, index in uses.get(here, ()):
                        self._shelf.use(name, op, index)
        self._handed.clear()

    def _inner(self, attributes: Iterable[Any], name: str, node: int, frame: Frame) -> dict[str, list[str]]:
        """Read the graphs inside a node's attributes; their names by attribute."""
        found: dict[str, list[str]] = {}
        for index, attribute in enumerate(attributes):
            if attribute.type not in GRAPHS:
                continue
            label, here = text(attribute.name), f"{frame.path}.node[{node}].attribute[{index}]"
            bodies = [(f"{here}.g", attribute.g)] if attribute.HasField("g") else []
            bodies += [(f"{here}.graphs[{item}]", body) for item, body in enumerate(attribute.graphs)]
            for place, body in bodies:
                inner = self._names.unique(f"{name}/{label}")
                found.setdefault(label, []).append(inner)
                scope = frame.scope.new_child()
                self._graph(self._whole(place, body), inner, place, scope, frame.known, frame.function)
        return found

    def _whole(self, path: str, proto: Any) -> Any:
        """A graph that was cut loose because it is nested deeply, else the graph itself."""
        if path not in self._stripped.loose:
            return proto
        return type(proto).FromString(self._stripped.loose[path])

    def _origin(self, proto: Any, name: str) -> tuple[str, str]:
        """Module path and source line of a node."""
        if not proto.metadata_props:
            prefix, slash, last = name.rpartition("/")
            if not slash:
                return "", ""
            key = prefix if last else name
            module = self._modules.get(key)
            if module is None:
                module = self._modules[key] = from_scopes(name)
            return module, ""
        props = {text(entry.key): text(entry.value) for entry in proto.metadata_props}
        scopes, classes = _quoted(props.get(SCOPES, "")), _quoted(props.get(CLASSES, ""))
        if not scopes and "namespace" in props:
            pairs = [step.partition(": ") for step in props["namespace"].split("/")]
            scopes, classes = [pair[0] for pair in pairs], [pair[2] for pair in pairs]
        steps = [(scope, kind) for scope, kind in zip(scopes[:-1], classes[:-1], strict=False) if scope != NO_STACK]
        for scope, kind in steps:
            self.classes.setdefault(_plain(scope), kind)
        module = _plain(steps[-1][0]) if steps else ""
        return module, author_line(props.get(TRACE, ""))


def twice(graph: Graph, literals: Iterable[str]) -> str:
    """A value of a graph that is written twice, or written by a node and a literal; empty where there is none."""
    names = [*literals, *(name for node in graph.nodes for name in node.outputs)]
    if len(set(names)) == len(names):
        return ""
    return next((name for name, count in Counter(names).items() if name and count > 1), "")


def _plain(scope: str) -> str:
    """A scope without the mark of a second call."""
    return scope.partition("@")[0]


def _quoted(words: str) -> list[str]:
    """The strings of a Python list, read without Python."""
    return [match[1] or match[2] or "" for match in QUOTED.finditer(words)]
