"""Shapes through models of other frameworks whose operators are TensorFlow's under other names.

What such a file says of a value stays; only sizes that it leaves open are worked out, and its nodes are shown as they
are. An operator that has no counterpart gets a rule of its own, or what it gives stays unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from inspector.formats._tf_shapes import RULES, Rule, propagate
from inspector.formats._tf_shapes_words import RENAMED
from inspector.ir import Attribute, Graph, Model, Node, Place, Shape, Tensor, Value


@dataclass(slots=True)
class Constants:
    """Tensors that TensorFlow's operators need beside those of the file."""

    tensors: dict[str, Tensor] = field(default_factory=dict)

    def number(self, value: int) -> str:
        """A scalar."""
        return self.numbers((value,), ())

    def numbers(self, values: tuple[int, ...], shape: tuple[int, ...] | None = None) -> str:
        """A vector, or what has this shape."""
        shape = (len(values),) if shape is None else shape
        name = f"\0{values}{shape}"
        self.tensors[name] = Tensor(name, "int32", shape, Place(layout={"numbers": values}))
        return name


BROKEN = (ValueError, IndexError, TypeError, ZeroDivisionError, OverflowError)
"""What a node with fewer inputs than its operator has, or with settings that make no sense, gives: nothing known."""

Translated = tuple[str, list[str], dict[str, Attribute]]
"""TensorFlow's operator, what enters it, and its attributes."""
Translate = Callable[[Node, Constants], Translated]


def is_open(graph: Graph) -> bool:
    """Whether a graph has values whose size or rank the file does not say."""
    return any(value.shape is None or None in value.shape for value in graph.values.values())


def through(
    model: Model,
    translate: Translate,
    shapes: Mapping[str, Shape | None],
    rules: Mapping[str, Rule] = RULES,
) -> Model:
    """The model under these shapes of the main graph's inputs, by the names of their values.

    Args:
        model: As its reader gives it.
        translate: A node as TensorFlow's.
        shapes: Shapes of inputs; one that is not named keeps what the file says.
        rules: Rules by operator, those of TensorFlow and others.

    Raises:
        FormatError: The file does not allow one of the shapes, or an operator cannot take what would reach it.
    """
    made = Constants(dict(model.tensors))

    def turned(node: Node) -> Node:
        try:
            op, inputs, attributes = translate(node, made)
        except BROKEN:
            op, inputs, attributes = "", list(node.inputs), {}
        names = {RENAMED: tuple(f"{node.name}:{at}" for at in range(len(node.outputs)))}
        return replace(node, op=op, inputs=tuple(inputs), attributes={**attributes, **names})

    graphs = tuple(replace(graph, nodes=tuple(map(turned, graph.nodes))) for graph in model.graphs)
    found = propagate(replace(model, graphs=graphs, tensors=made.tensors), shapes, rules)
    told = tuple(_told(old, new) for old, new in zip(model.graphs, found.graphs, strict=True))
    return replace(model, graphs=told, signatures=found.signatures)


def _told(old: Graph, new: Graph) -> Graph:
    """The graph of the file with the shapes that were found; dtypes are those of the file."""

    def sized(value: Value, found: Value | None) -> Value:
        return value if found is None or found.shape is None else replace(value, shape=found.shape)

    outputs = tuple(sized(a, b) for a, b in zip(old.outputs, new.outputs, strict=True))
    values = {name: sized(value, new.values.get(name)) for name, value in old.values.items()}
    return Graph(old.name, new.inputs, outputs, old.nodes, values)
