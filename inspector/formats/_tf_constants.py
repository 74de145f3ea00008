"""Which constants of a SavedModel are weights.

A model that keeps its weights in variables has constants beside them that were never learned: the zeros that a
recurrence starts with, the numbers that a normalisation was given, angles of positions. They are no parameters, as they
are none in a `.keras` file of the same model. A constant that enters a product or is looked up in is a weight that was
frozen, and where most of the model was, every constant may be one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import prod

from inspector.ir import Model, Node, Role, Tensor
from inspector.ir.operators import canonical, category

BESIDE = frozenset({"elementwise", "activation", "normalisation", "pooling", "constant"})
"""Categories of operators whose constants beside variables are settings."""


def with_roles(model: Model) -> Model:
    """The model with constants that are no weights told apart."""
    variables = [tensor for tensor in model.tensors.values() if tensor.place.file and tensor.role is not Role.OPTIMIZER]
    constants = {
        name: tensor
        for name, tensor in model.tensors.items()
        if tensor.role is Role.WEIGHT and not tensor.place.file and tensor.place.member
    }
    if not variables or not constants:
        return model
    frozen = set(_frozen(model, constants))
    if sum(_count(constants[name]) for name in frozen) > sum(map(_count, variables)):
        return model
    plain = {name: replace(tensor, role=Role.CONSTANT) for name, tensor in constants.items() if name not in frozen}
    return replace(model, tensors={**model.tensors, **plain})


def _count(tensor: Tensor) -> int:
    return prod(tensor.shape)


def _frozen(model: Model, constants: dict[str, Tensor]) -> Iterator[str]:
    """Names of the constants that some node may use as a weight."""
    for graph in model.graphs:
        for node in graph.nodes:
            for name in node.inputs:
                if name in constants and _learned(node, constants[name]):
                    yield name


def _learned(node: Node, tensor: Tensor) -> bool:
    """Whether what a node takes may be a weight; what goes into a function is none where it is one number repeated."""
    if node.graphs:
        return not tensor.place.layout.get("repeated")
    return category(canonical(node.op, "tf.saved_model")) not in BESIDE
