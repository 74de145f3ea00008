"""Shapes and dtypes of torch's quantized operators: those of the plain ones, in the type of their input.

What is quantized dynamically gives real numbers, as the tables of embeddings do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from inspector.formats._rules import named
from inspector.formats._torch_facts import Fact, Step
from inspector.formats._torch_rules import RULES
from inspector.formats._torch_sizes import minus
from inspector.ir import Dim

Rule = Callable[[Step], Any]
REAL = "float32"


def _as(dtype: str, rule: Rule) -> Rule:
    """A rule whose results have a dtype, or that of the first input."""

    def given(step: Step) -> list[Fact]:
        found = rule(step)
        kind = dtype or step.at(0).dtype
        return [replace(fact, dtype=kind) for fact in (found if isinstance(found, list) else [found])]

    return given


def _cell(states: int) -> Rule:
    """One step of a recurrence: as wide as the state, or as the matrix that takes it."""

    def rule(step: Step) -> list[Fact]:
        x, state, matrix = step.shape(0), step.shape(1), step.shape(1 + states + 2)
        wide: Dim = state[-1] if state else matrix[-1] if matrix else None
        return [Fact(step.at(0).dtype, (*x[:-1], wide) if x else None)] * states

    return rule


def _bag(step: Step) -> Fact:
    """Sums of rows: one for each offset, or for each row of indices where there are no offsets."""
    weight, indices, offsets = step.shape(0), step.shape(1), step.shape(2)
    count = indices[0] if indices and len(indices) == 2 else offsets[0] if offsets else None
    if step.attribute("include_last_offset") is True and not (indices and len(indices) == 2):
        count = minus(count, 1)
    return Fact(REAL, (count, weight[-1]) if weight and indices else None)


def _typed(step: Step) -> Fact:
    return Fact(step.dtype(), step.shape())


def _whole(step: Step) -> Fact:
    """The integers themselves."""
    return Fact(step.at(0).dtype.removeprefix("q").replace("uint4x2", "uint4"), step.shape())


_CONVS = "conv1d conv2d conv3d conv1d_relu conv2d_relu conv3d_relu conv2d_add conv2d_add_relu"
_TRANSPOSED = "conv_transpose1d conv_transpose2d conv_transpose3d"
_CELLS = "quantized_gru_cell_dynamic quantized_rnn_tanh_cell_dynamic quantized_rnn_relu_cell_dynamic"
_NORMS = "batch_norm batch_norm1d batch_norm2d batch_norm3d batch_norm_relu batch_norm1d_relu batch_norm2d_relu"


def _plain(name: str, dtype: str = "") -> Rule:
    return _as(dtype, RULES[name])


_BY_NAME: dict[str, Rule] = {
    **named(_plain("linear"), "linear linear_relu linear_leaky_relu linear_tanh"),
    **named(
        _plain("linear", REAL),
        "linear_dynamic linear_relu_dynamic linear_dynamic_fp16 linear_relu_dynamic_fp16 "
        "linear_with_input_q_dq_qweight_dq_output_fp32 linear_with_input_q_dq_qweight_dq_relu_output_fp32",
    ),
    **named(_plain("conv2d"), _CONVS),
    **named(_plain("conv_transpose2d"), _TRANSPOSED),
    **named(_plain("conv2d", REAL), "conv1d_dynamic conv2d_dynamic conv3d_dynamic"),
    **named(_plain("conv_transpose2d", REAL), " ".join(f"{name}_dynamic" for name in _TRANSPOSED.split())),
    **named(_plain("add"), "add add_relu mul mul_relu add_scalar add_scalar_relu mul_scalar mul_scalar_relu"),
    **named(_plain("matmul"), "matmul"),
    **named(_plain("cat"), "cat cat_relu"),
    **named(_plain("relu"), f"{_NORMS} batch_norm3d_relu"),
    **named(_plain("embedding", REAL), "embedding_byte embedding_2bit embedding_4bit"),
    **named(_bag, "embedding_bag_byte embedding_bag_2bit embedding_bag_4bit"),
    "quantized_lstm_cell_dynamic": _cell(2),
    **named(_cell(1), _CELLS),
}

QUANTIZED: dict[str, Rule] = {
    **{f"quantized::{name}": rule for name, rule in _BY_NAME.items()},
    "prepacked::linear_clamp_run": _plain("linear"),
    "prepacked::conv2d_clamp_run": _plain("conv2d"),
    "prepacked::conv2d_transpose_clamp_run": _plain("conv_transpose2d"),
    "aten::quantized_lstm": _plain("lstm"),
    "aten::quantized_gru": _plain("gru"),
    **named(_typed, "aten::quantize_per_tensor aten::quantize_per_channel aten::quantize_per_tensor_dynamic"),
    "aten::dequantize": _plain("relu", REAL),
    **named(_plain("relu"), "aten::fake_quantize_per_tensor_affine aten::fake_quantize_per_channel_affine"),
    "aten::int_repr": _whole,
}
"""By whole name."""
