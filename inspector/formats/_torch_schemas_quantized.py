"""Names of the arguments of torch's quantized operators, as `_torch_schemas` has those of the others.

Where a packed object stands in torch's schema (`torch._C._jit_get_all_schemas`), the weight and the bias stand here
that the node is shown with (`_torch_kernels`).
"""

from __future__ import annotations

_LINEAR = "input:T weight:T bias:t output_scale:F output_zero_point:I"
_DYNAMIC = "input:T weight:T bias:t reduce_range:B | input:T weight:T bias:t"
_CONV = f"{_LINEAR} | input:T weight:T bias:t stride:L padding:L dilation:L groups:I output_scale:F output_zero_point:I"
_SUM = "self:T other:T output_scale:F output_zero_point:I | self:T other:S | self:S other:T"
_NORM = "input:T weight:t bias:t mean:T var:T eps:F output_scale:F output_zero_point:I"
_BAG = (
    "weight:T indices:T offsets:t scale_grad_by_freq:B mode:I pruned_weights:B per_sample_weights:t "
    "compressed_indices_mapping:t include_last_offset:B"
)
_LSTM = (
    "input:T hx:M params:M has_biases:B num_layers:I dropout:F train:B bidirectional:B batch_first:B | data:T "
    "batch_sizes:T hx:M params:M has_biases:B num_layers:I dropout:F train:B bidirectional:B"
)
_CELL = "input:T hx:T w_ih:T packed_b_ih:t w_hh:T packed_b_hh:t b_ih:T b_hh:T"
_CAT = "tensors:M dim:I output_scale:f output_zero_point:i"
_POOL = "self:T kernel_size:L stride:L padding:L dilation:L ceil_mode:B"
_TO = "output_scale:F output_zero_point:I"

_FAMILIES = {
    _LINEAR: "linear linear_relu linear_tanh",
    f"{_LINEAR} negative_slope:F": "linear_leaky_relu",
    _DYNAMIC: (
        "linear_dynamic linear_relu_dynamic linear_dynamic_fp16 linear_relu_dynamic_fp16 conv1d_dynamic conv2d_dynamic "
        "conv3d_dynamic conv_transpose1d_dynamic conv_transpose2d_dynamic conv_transpose3d_dynamic"
    ),
    "input:T input_scale:F input_zero_point:I weight:T bias:t": (
        "linear_with_input_q_dq_qweight_dq_output_fp32 linear_with_input_q_dq_qweight_dq_relu_output_fp32"
    ),
    _CONV: (
        "conv1d conv2d conv3d conv1d_relu conv2d_relu conv3d_relu conv_transpose1d conv_transpose2d conv_transpose3d"
    ),
    f"input:T weight:T bias:t accumulated:T {_TO}": "conv2d_add conv2d_add_relu",
    _SUM: "add add_relu mul mul_relu matmul",
    "self:T other:S | self:T other:T": "add_scalar add_scalar_relu mul_scalar mul_scalar_relu",
    _NORM: (
        "batch_norm batch_norm1d batch_norm2d batch_norm3d batch_norm_relu batch_norm1d_relu batch_norm2d_relu "
        "batch_norm3d_relu"
    ),
    "weight:T indices:T pruned_weights:B": "embedding_byte embedding_2bit embedding_4bit",
    _BAG: "embedding_bag_byte embedding_bag_2bit embedding_bag_4bit",
    _CAT: "cat cat_relu",
    _POOL: "max_pool1d max_pool2d",
    f"self:T {_TO}": "sigmoid hardswish",
    f"self:T dim:I {_TO}": "softmax",
    f"self:T negative_slope:S inplace:B {_TO}": "leaky_relu",
    f"self:T weight:T {_TO}": "prelu",
    f"self:T {_TO} alpha:S scale:S input_scale:S": "elu celu",
    f"self:T {_TO} p:S training:B": "dropout",
    f"input:T normalized_shape:L weight:t bias:t eps:F {_TO}": "layer_norm",
    f"input:T num_groups:I weight:t bias:t eps:F {_TO}": "group_norm",
    f"input:T weight:t bias:t eps:F {_TO}": "instance_norm",
    "self:T inplace:B": "relu6",
    "self:T min:s max:s": "clamp",
    "self:T threshold:S value:S": "threshold",
    _CELL.replace("hx:T", "hx:M"): "quantized_lstm_cell_dynamic",
    _CELL: "quantized_gru_cell_dynamic quantized_rnn_tanh_cell_dynamic quantized_rnn_relu_cell_dynamic",
}
_RUNS = "input:T weight:T bias:t"

QUANTIZED = "\n".join(
    [
        *(f"quantized::{name} {schema}" for schema, names in _FAMILIES.items() for name in names.split()),
        *(f"prepacked::{name}_clamp_run {_RUNS}" for name in ("linear", "conv2d", "conv2d_transpose")),
        f"quantized_lstm {_LSTM}",
        f"quantized_gru {_LSTM.replace('hx:M', 'hx:T')}",
        "quantize_per_channel self:T scales:T zero_points:T axis:I dtype:I",
        "quantize_per_tensor_dynamic self:T dtype:I reduce_range:B",
        "fake_quantize_per_tensor_affine self:T scale:F zero_point:I quant_min:I quant_max:I | self:T scale:T "
        "zero_point:T quant_min:I quant_max:I",
        "fake_quantize_per_channel_affine self:T scale:T zero_point:T axis:I quant_min:I quant_max:I",
        "int_repr self:T",
    ]
)
"""One operator a line; those of other namespaces than `aten` with it."""
