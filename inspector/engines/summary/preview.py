"""What is shown of a very large model before its figures are known: its first rows, and what can be counted at once.

Looking at every node of a million takes a minute; nobody should look at an empty window for so long. The rows are those
of the graph's beginning, worked out as ever, with the shapes that the file itself says. Everything is replaced by the
true `Summary` when that is done, and until then it is said that it will be.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property

from inspector.engines.summary.parameters import Identity, identity, is_parameter, is_trainable, parameters_in
from inspector.engines.summary.rows import ModuleRow, Totals
from inspector.engines.summary.sizes import LARGEST
from inspector.engines.summary.summary import LAYERS, Summary
from inspector.ir import Model

FIRST = 1000
"""Nodes that are looked at."""


class Preview(Summary):
    """The beginning of a very large model."""

    def __init__(self, model: Model) -> None:
        self._whole = model
        super().__init__(beginning(model))

    @cached_property
    def totals(self) -> Totals:
        """What is known already: nodes and parameters of the whole model; the rows are those that are shown."""
        parameters = trainable = size = 0
        counted: set[Identity] = set()
        alike: dict[tuple[object, ...], tuple[int, int, int]] = {}
        tensors = self._whole.tensors
        for tensor in tensors.values():
            kind = tensor.dtype, tensor.shape, tensor.role, tensor.trainable, tensor.holds
            numbers = alike.get(kind)
            if numbers is None:
                counts = parameters_in(tensor) if is_parameter(tensor) else 0
                learned = counts if is_trainable(tensor) else 0
                numbers = alike[kind] = counts, learned, tensor.nbytes if is_parameter(tensor) else 0
            if not numbers[0]:
                continue
            if tensor.same_as or not tensor.place.member:  # what has a place of its own in the file is no other tensor
                key = identity(tensor, tensors)
                if key in counted:
                    continue
                counted.add(key)
            parameters += numbers[0]
            trainable += numbers[1]
            size += numbers[2]
        return Totals(
            layers=self.count(LAYERS),
            nodes=sum(len(graph.nodes) for graph in self._whole.graphs),
            parameters=min(parameters, LARGEST),
            trainable=min(trainable, LARGEST),
            parameter_bytes=min(size, LARGEST),
            complete=False,
        )

    @cached_property
    def modules(self) -> tuple[ModuleRow, ...]:
        """None: their sums are not known yet."""
        return ()


def beginning(model: Model) -> Model:
    """The model with the first nodes of its main graph, and with what those need."""
    main = model.graphs[0]
    nodes = main.nodes[:FIRST]
    taken = {name for node in nodes for name in (*node.inputs, *node.tensors)}
    paths = {node.module for node in nodes}
    return replace(
        model,
        graphs=(replace(main, nodes=nodes), *model.graphs[1:]),
        tensors={name: model.tensors[name] for name in taken if name in model.tensors},
        modules=tuple(module for module in model.modules if module.path in paths),
    )
