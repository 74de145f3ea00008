"""Running an exported graph node by node and keeping what its nodes give."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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
