"""A Keras configuration as a graph: one node a call of a layer, nested models written out in their place."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from typing import Any

from inspector.formats._keras_config import Argument, Layer, Reference, dtype_of, plain, shape_of
from inspector.formats._keras_dtypes import dtype_given
from inspector.formats._keras_operands import constants_of
from inspector.formats._keras_shapes import both, inside, output_shapes
from inspector.formats._keras_shapes_more import backwards
from inspector.formats._keras_weights import Weights
from inspector.ir import Graph, Module, Node, Shape, Value

NODES = 200_000
LARGEST = 1 << 62
HIDDEN = frozenset({"name", "trainable", "dtype", "layers", "input_layers", "output_layers"})


@dataclass(slots=True)
class Drawing:
    """The graph as far as it is drawn."""

    weights: Weights
    nodes: list[Node] = field(default_factory=list)
    values: dict[str, Value] = field(default_factory=dict)
    inputs: list[Value] = field(default_factory=list)
    names: dict[str, int] = field(default_factory=dict)
    complete: bool = True

    def unique(self, name: str) -> str:
        """A name that no other node has: the second call of a layer is `name#2`."""
        count = self.names.get(name, 0) + 1
        self.names[name] = count
        return name if count == 1 else self.unique(f"{name}#{count}")

    def value(self, name: str, dtype: str, shape: Shape | None) -> str:
        """Note down a value; a size that no array has is not known."""
        if shape is not None:
            shape = tuple(None if isinstance(dim, int) and not 0 <= dim < LARGEST else dim for dim in shape)
        self.values[name] = Value(name, dtype, shape)
        return name

    def shape(self, name: str) -> Shape | None:
        """Shape of a value."""
        found = self.values.get(name)
        return found.shape if found else None


def draw(root: Layer, weights: Weights) -> tuple[Graph | None, bool]:
    """The main graph, and whether all of it could be drawn."""
    if not root.layers:
        return None, True
    drawing = Drawing(weights)
    ends = _container(drawing, root, "", [])
    outputs = []
    for key, name in ends:
        outputs.append(_output(drawing, key, name))
    graph = Graph("main", tuple(drawing.inputs), tuple(outputs), tuple(drawing.nodes), drawing.values)
    return (graph if drawing.nodes else None), drawing.complete


def _output(drawing: Drawing, key: str, name: str) -> Value:
    """An output under the name that the model gives it, where that name is free."""
    value = drawing.values.get(name, Value(name))
    if not key or key == name or key in drawing.values or any(name == entry.name for entry in drawing.inputs):
        return value
    for at, node in enumerate(drawing.nodes):
        if name in node.inputs or name in node.outputs:
            drawing.nodes[at] = Node(
                node.name,
                node.op,
                tuple(key if part == name else part for part in node.inputs),
                tuple(key if part == name else part for part in node.outputs),
                node.attributes,
                module=node.module,
                tensors=node.tensors,
            )
    renamed = Value(key, value.dtype, value.shape)
    drawing.values.pop(name, None)
    drawing.values[key] = renamed
    return renamed


def _container(drawing: Drawing, model: Layer, path: str, given: list[str]) -> list[tuple[str, str]]:
    """Draw a model's layers; its outputs as (key, value)."""
    if model.outputs:
        return _functional(drawing, model, path, given)
    return _sequential(drawing, model, path, given)


def _sequential(drawing: Drawing, model: Layer, path: str, given: list[str]) -> list[tuple[str, str]]:
    current = given[:1]
    shape = _built(model)
    for layer in model.layers:
        if layer.type == "InputLayer":
            current = current or [_input(drawing, layer)]
            continue
        if not current:
            start = shape or _built(layer)
            name = drawing.unique(f"{layer.name}_input")
            drawing.inputs.append(Value(name, "float32" if start else "", start))
            drawing.values[name] = drawing.inputs[-1]
            current = [name]
        current = _apply(drawing, layer, path, current, {})
    return [("", name) for name in current[:1]]


def _built(layer: Layer) -> Shape | None:
    """Input shape that a layer was built with."""
    for source in (layer.config.get("build_input_shape"), layer.built, layer.config.get("batch_input_shape")):
        found = shape_of(source.get("input_shape")) if isinstance(source, dict) else shape_of(source)
        if found is not None:
            return found
    return None


def _input(drawing: Drawing, layer: Layer) -> str:
    """An input of the whole model."""
    shape = shape_of(layer.config.get("batch_shape", layer.config.get("batch_input_shape")))
    value = Value(drawing.unique(layer.name), dtype_of(layer.config), shape)
    drawing.inputs.append(value)
    drawing.values[value.name] = value
    return value.name


def _functional(drawing: Drawing, model: Layer, path: str, given: list[str]) -> list[tuple[str, str]]:
    """Draw calls as soon as all that enters them is there."""
    ends = _ends(model)
    known: dict[Reference, str] = {}
    for at, (name, _, _) in enumerate(model.inputs):
        layer = next((layer for layer in model.layers if layer.name == name), None)
        if at < len(given):
            known[(name, 0, 0)] = given[at]
        elif layer is not None:
            known[(name, 0, 0)] = _input(drawing, layer)
    told = {argument.reference: argument for layer in model.layers for call in layer.calls for argument in call}
    starts = _starts(model, [*told, *(reference for _, reference in ends)])
    waiting: dict[tuple[str, int], int] = {}
    after: dict[tuple[str, int], list[tuple[Layer, int]]] = {}
    ready: deque[tuple[Layer, int]] = deque()
    for layer in model.layers:
        for index, call in enumerate(layer.calls, starts.get(layer.name, 0)):
            needs = {argument.reference[:2] for argument in call if argument.reference not in known}
            waiting[layer.name, index] = len(needs)
            for need in needs:
                after.setdefault(need, []).append((layer, index))
            if not needs:
                ready.append((layer, index))
    counts = _counts(told, ends)
    while ready:
        layer, index = ready.popleft()
        at = index - starts.get(layer.name, 0)
        this = replace(layer, given=layer.nodes[at]) if at else layer
        _call(drawing, path, this, (index, layer.calls[at]), known, told, counts)
        for follower, at in after.get((layer.name, index), ()):
            waiting[follower.name, at] -= 1
            if not waiting[follower.name, at]:
                ready.append((follower, at))
    if any(waiting.values()):
        drawing.complete = False
    return [(key, known[reference]) for key, reference in ends if reference in known]


def _ends(model: Layer) -> list[tuple[str, Reference]]:
    """Outputs of a model, with calls of nested models numbered as arguments number them.

    Keras 3 counts the making of a functional model as a call where it names outputs, and not where it names arguments.
    """
    inner = {
        layer.name for layer in model.layers if layer.outputs and any(a.shape for call in layer.calls for a in call)
    }
    return [(key, (name, at - (name in inner), number)) for key, (name, at, number) in model.outputs]


def _starts(model: Layer, references: list[Reference]) -> dict[str, int]:
    """Number of the first call: 1 for nested models of Keras 2, whose call 0 is their own making."""
    nested = {layer.name for layer in model.layers if layer.layers and layer.calls}
    used: dict[str, set[int]] = {}
    for name, call, _ in references:
        if name in nested:
            used.setdefault(name, set()).add(call)
    return {name: 1 for name, calls in used.items() if 0 not in calls}


def _counts(told: dict[Reference, Argument], ends: list[tuple[str, Reference]]) -> dict[tuple[str, int], int]:
    """How many outputs of each call are used."""
    counts: dict[tuple[str, int], int] = {}
    for name, call, output in [*told, *(reference for _, reference in ends)]:
        counts[name, call] = min(max(counts.get((name, call), 1), output + 1), 1000)
    return counts


def _call(
    drawing: Drawing,
    path: str,
    layer: Layer,
    numbered: tuple[int, list[Argument]],
    known: dict[Reference, str],
    told: dict[Reference, Argument],
    counts: dict[tuple[str, int], int],
) -> None:
    """Draw one call, by its number and what enters it, and note its outputs."""
    index, call = numbered
    arguments = [known[argument.reference] for argument in call if argument.reference in known]
    count = counts.get((layer.name, index), 1)
    said = {at: told[layer.name, index, at] for at in range(count) if (layer.name, index, at) in told}
    for at, name in enumerate(_apply(drawing, layer, path, arguments, said, count)):
        known[layer.name, index, at] = name


def _apply(
    drawing: Drawing, layer: Layer, path: str, arguments: list[str], said: dict[int, Argument], count: int = 1
) -> list[str]:
    """A node for a layer, or the layers of a nested model; names of the outputs."""
    if len(drawing.nodes) >= NODES:
        drawing.complete = False
        return []
    full = f"{path}/{layer.name}" if path else layer.name
    if layer.layers:
        return [name for _, name in _container(drawing, layer, full, arguments)]
    given = [drawing.shape(name) for name in arguments]
    shapes = output_shapes(layer, given, count)
    entering = [drawing.values[name].dtype if name in drawing.values else "" for name in arguments]
    name = drawing.unique(full)
    outputs = []
    for at in range(count):
        told = said.get(at)
        shape = both(told.shape, shapes[at]) if told else shapes[at]
        dtype = told.dtype if told and told.dtype else dtype_given(layer, entering, at)
        outputs.append(drawing.value(name if not at else f"{name}:{at}", dtype, shape))
    drawing.nodes.append(
        Node(
            name,
            layer.type,
            tuple(arguments),
            tuple(outputs),
            {
                key: plain(value)
                for key, value in {
                    **layer.said,
                    **_indexed(layer),
                    **constants_of(layer),
                    **inside(layer, given),
                    **layer.config,
                }.items()
                if key not in HIDDEN and value is not None
            },
            module=full.replace("/", "."),
            tensors=tuple(drawing.weights.owned.get(full, ())),
        )
    )
    return outputs


def _indexed(layer: Layer) -> dict[str, Any]:
    """What an operation takes of a tensor, and which way a layer runs: no settings of theirs (Keras 3)."""
    if layer.type == "ReversibleEmbedding":
        return {"reverse": True} if backwards(layer) else {}
    args = layer.given.get("args") if isinstance(layer.given, dict) and layer.type in ("GetItem", "Take") else None
    return {"key": args[1]} if isinstance(args, list) and len(args) == 2 and _plain_key(args[1]) else {}


def _plain_key(key: Any) -> bool:
    """Whether it holds no tensor, whose place would be among the inputs."""
    return "__keras_tensor__" not in str(key)[:10_000]


def modules(root: Layer, path: str = "") -> list[Module]:
    """The tree of models and layers, parents before children."""
    found = [Module(path, root.type, {key: plain(value) for key, value in root.config.items() if key not in HIDDEN})]
    for layer in root.layers:
        if layer.type != "InputLayer":
            found += modules(layer, f"{path}.{layer.name}" if path else layer.name)
    return found
