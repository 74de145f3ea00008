"""Looking inside models of PyTorch: exported graphs node by node, TorchScript by a copy with more outputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from inspector.errors import RuntimeFailure

if TYPE_CHECKING:
    import torch


def recorded(
    module: torch.nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], wanted: frozenset[str]
) -> tuple[Any, dict[str, torch.Tensor]]:
    """What a graph module returns as leaves, and copies of the tensors that the wanted nodes gave."""
    import torch
    from torch.utils import _pytree as pytree

    found: dict[str, torch.Tensor] = {}

    class Recorder(torch.fx.Interpreter):  # type: ignore[misc]  # mypy does not look into torch
        def run_node(self, n: torch.fx.Node) -> Any:
            result = super().run_node(n)
            if n.name in wanted and isinstance(result, torch.Tensor):
                found[n.name] = result.clone()  # a later node may write into it
            return result

    assert isinstance(module, torch.fx.GraphModule)
    return Recorder(module).run(*pytree.tree_leaves((args, kwargs)), enable_io_processing=False), found


def scripted(
    module: torch.nn.Module, args: tuple[Any, ...], reading: Sequence[tuple[str, str]], wanted: frozenset[str]
) -> tuple[Any, dict[str, torch.Tensor]]:
    """Nothing, and the wanted values of a TorchScript program.

    Its values have no names that last, so they are known by their place: its operators that give tensors must be those
    that our reader found, in its order.
    """
    import torch

    graph: Any = module.inlined_graph.copy()
    given = [(node.kind(), node.outputsAt(0)) for node in graph.nodes() if node.outputsSize()]
    given = [(kind, value) for kind, value in given if kind[:6] == "aten::" and value.type().kind() == "TensorType"]
    kinds = {kind for kind, _ in given}
    named = [(name, op) for name, op in reading if op in kinds]
    if [op for _, op in named] != [kind for kind, _ in given]:
        raise RuntimeFailure(
            "The values inside this TorchScript program cannot be told apart: it has branches or loops.",
            hint="Save the model with torch.export, or convert it to ONNX, and compare that layer by layer.",
        )
    chosen = {name: value for (name, _), (_, value) in zip(named, given, strict=True) if name in wanted}
    before = len(list(graph.outputs()))
    for value in chosen.values():
        graph.registerOutput(value)
    for _ in range(before):
        graph.eraseOutput(0)
    if len(chosen) > 1:
        graph.makeMultiOutputIntoTuple()
    result = torch._C._create_function_from_graph("inside", graph)(module, *args) if chosen else ()
    return (), dict(zip(chosen, (result,) if len(chosen) == 1 else result, strict=True))
