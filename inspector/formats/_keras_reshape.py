"""A drawn Keras model with the shapes that follow from other sizes of its inputs, where the file leaves them open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from inspector.errors import FormatError
from inspector.formats._keras_config import Layer
from inspector.formats._keras_shapes import both, output_shapes
from inspector.ir import Graph, Model, Node, Shape, Value

SERIALIZED = frozenset({"layer", "cell", "cells"})
"""Settings that are layers themselves."""


def reshape(model: Model, shapes: Mapping[str, tuple[int | str, ...]]) -> Model:
    """The model under these shapes of its inputs; what the file says of sizes stays.

    Raises:
        FormatError: The file does not allow one of the shapes.
    """
    main = model.main
    if main is None:
        return model
    inputs = tuple(_typed(value, shapes.get(value.name)) for value in main.inputs)
    values = {**main.values, **{value.name: value for value in inputs}}
    changed = {value.name for value, old in zip(inputs, main.inputs, strict=True) if value != old}
    for node in main.nodes:
        if changed.isdisjoint(node.inputs):
            continue
        found = output_shapes(_layer(node), [_shape(model, values, name) for name in node.inputs], len(node.outputs))
        for name, shape in zip(node.outputs, found, strict=True):
            old = values.get(name, Value(name))
            values[name] = replace(old, shape=both(old.shape, shape))
            changed.add(name)
    outputs = tuple(values.get(value.name, value) for value in main.outputs)
    graph = Graph(main.name, inputs, outputs, main.nodes, values)
    signatures = tuple(
        replace(each, inputs=inputs, outputs=outputs) if not at else each for at, each in enumerate(model.signatures)
    )
    return replace(model, graphs=(graph, *model.graphs[1:]), signatures=signatures)


def _typed(value: Value, given: Shape | None) -> Value:
    """An input with the shape that was typed for it."""
    if given is None:
        return value
    said = value.shape if value.shape is not None else given
    fits = len(said) == len(given) and all(
        not isinstance(a, int) or not isinstance(b, int) or a == b for a, b in zip(said, given, strict=True)
    )
    if not fits:
        words = "×".join("?" if size is None else str(size) for size in said) or "a scalar"
        raise FormatError(f"The input {value.name[:100]!r} cannot have this shape.", hint=f"The file says {words}.")
    return replace(value, shape=tuple(a if isinstance(a, int) else b for a, b in zip(said, given, strict=True)))


def _shape(model: Model, values: Mapping[str, Value], name: str) -> Shape | None:
    value, tensor = values.get(name), model.tensors.get(name)
    return value.shape if value is not None else tensor.shape if tensor is not None else None


def _layer(node: Node) -> Layer:
    """The layer that a node was drawn from, as far as its attributes say."""
    config: dict[str, Any] = {
        key: _serialized(value) if key in SERIALIZED else value for key, value in node.attributes.items()
    }
    config.setdefault("merge_mode", None)  # what is not set is not among the attributes
    given = {"args": [None, _key(config["key"])]} if "key" in config else None
    return Layer(node.name, node.op, config, said=config, given=given)


def _serialized(value: Any) -> Any:
    """A layer in a setting, as `_keras_config.plain` shrank it: `{class: settings}`, or the class alone."""
    if isinstance(value, tuple):
        return [_serialized(part) for part in value]
    if isinstance(value, str):
        return {"class_name": value, "config": {}}
    if not isinstance(value, dict) or len(value) != 1:
        return value
    ((name, settings),) = value.items()
    if not isinstance(settings, dict):
        return value
    config = {key: _serialized(part) if key in SERIALIZED else part for key, part in settings.items()}
    return {"class_name": name, "config": config}


def _key(value: Any) -> Any:
    """What an indexing takes, as the file writes it."""
    if isinstance(value, tuple):
        return [_key(part) for part in value]
    if value in ("__slice__", "__ellipsis__"):
        return {"class_name": value, "config": {}}
    if isinstance(value, dict) and set(value) == {"__slice__"}:
        return {"class_name": "__slice__", "config": value["__slice__"]}
    return value
