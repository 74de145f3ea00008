"""Tensors that are known by name only: the module tree and the roles that follow from the names.

A file of weights says nothing of what is trained; the names of PyTorch's buffers and of quantized weights are known.
"""

from __future__ import annotations

from collections.abc import Container, Iterable

from inspector.formats._modules import tree
from inspector.formats._tensors import QUANTIZED, is_floating, state_role
from inspector.ir import Module, Note, Role

BUFFERS = frozenset(
    {"running_mean", "running_var", "num_batches_tracked", "inv_freq", "position_ids", "attn_mask", "causal_mask"}
)
WEIGHTS = frozenset({"weight", "qweight", "weight_packed", "blocks", "kernel", "W_q", "qdata", "int_data"})
"""Names under which weights are stored as integers."""

SCALES = frozenset(
    {"weight_scale", "weight_scale_inv", "weight_scale_2", "weight_global_scale", "input_scale", "input_global_scale",
     "output_scale", "k_scale", "v_scale", "q_scale", "absmax", "quant_map", "nested_absmax", "nested_quant_map", "SCB"}
)  # fmt: skip
"""How numbers of few bits are to be taken: names that GPTQ, AWQ, bitsandbytes and compressed-tensors give to that."""

BESIDE = {"scales": "qweight", "bias_scale": "weight_scale"}
"""Such names that mean it only beside another."""

STEPS = 64
"""Module paths deeper than this are not split; no author nests so deep."""

PATHS = 200_000
"""With more modules than this there is no tree."""

COPIES = ("module.", "_orig_mod.", "module._orig_mod.", "_orig_mod.module.")
"""What wrappers put before every name."""


def role_of(
    name: str, dtype: str, shape: tuple[int, ...], names: Container[str] = frozenset()
) -> tuple[Role, bool | None]:
    """What a tensor is for, and whether it is trained, from its name and those beside it."""
    path, _, last = name.rpartition(".")
    if last in BUFFERS:
        return state_role(dtype, shape), False
    if last in SCALES or (last in BESIDE and f"{path}.{BESIDE[last]}" in names):
        return Role.CONSTANT, False
    if is_floating(dtype) or dtype in QUANTIZED or (last in WEIGHTS and shape):
        return Role.WEIGHT, None
    return Role.CONSTANT, False


def module_tree(names: Iterable[str]) -> tuple[Module, ...]:
    """The modules that the names imply: every path before a last dot."""
    paths: dict[str, str] = {}
    for name in names:
        path = name.rpartition(".")[0]
        if path and path.count(".") < STEPS and "" not in path.split("."):
            paths.setdefault(path, "")
        if len(paths) > PATHS:
            return ()
    return tree(paths)


def wrapper_note(names: Iterable[str]) -> list[Note]:
    """A note where every name begins as wrappers of PyTorch make it."""
    found = list(names)
    if "n_averaged" in found and len(found) > 1 and all(n.startswith("module.") for n in found if n != "n_averaged"):
        text = "These are averaged weights (SWA or EMA): the state of torch.optim.swa_utils.AveragedModel."
        return [Note("info", text, "Take 'module.' off the names to load them into the model itself.")]
    for start in reversed(COPIES):
        if found and all(name.startswith(start) for name in found):
            who = "torch.compile" if start.startswith("_orig_mod") else "DataParallel or DistributedDataParallel"
            text = f"All names begin with {start!r}: the model was saved while it was wrapped by {who}."
            return [Note("info", text, f"Take {start!r} off the names to load them into the model itself.")]
    return []
