"""Names of the arguments of torch's common operators, so that a node's attributes have names.

One operator per entry: its overloads, each argument as `name:kind`. Kinds: T tensor, M list of tensors, I int, L list
of numbers, F float, S number, B bool, W word; in lower case where it may be None. Taken from torch's own schemas
(`torch._C._jit_get_all_schemas`); an operator that is not here shows its arguments by position.
"""

from __future__ import annotations

from functools import cache

from inspector.formats._torch_schemas_more import MORE
from inspector.formats._torch_schemas_quantized import QUANTIZED

_SCHEMAS = """
linear input:T weight:T bias:t
matmul self:T other:T
mm self:T mat2:T | self:T mat2:T out_dtype:I
bmm self:T mat2:T | self:T mat2:T out_dtype:I
addmm self:T mat1:T mat2:T | self:T mat1:T mat2:T out_dtype:I
baddbmm self:T batch1:T batch2:T | self:T batch1:T batch2:T out_dtype:I
conv1d input:T weight:T bias:t stride:L padding:L dilation:L groups:I | input:T weight:T bias:t stride:L padding:W
  dilation:L groups:I
conv2d input:T weight:T bias:t stride:L padding:L dilation:L groups:I | input:T weight:T bias:t stride:L padding:W
  dilation:L groups:I
conv3d input:T weight:T bias:t stride:L padding:L dilation:L groups:I | input:T weight:T bias:t stride:L padding:W
  dilation:L groups:I
conv_transpose1d input:T weight:T bias:t stride:L padding:L output_padding:L groups:I dilation:L
conv_transpose2d input:T weight:T bias:t stride:L padding:L output_padding:L groups:I dilation:L
conv_transpose3d input:T weight:T bias:t stride:L padding:L output_padding:L groups:I dilation:L
_convolution input:T weight:T bias:t stride:L padding:L dilation:L transposed:B output_padding:L groups:I
  benchmark:B deterministic:B cudnn_enabled:B | input:T weight:T bias:t stride:L padding:L dilation:L transposed:B
  output_padding:L groups:I benchmark:B deterministic:B cudnn_enabled:B allow_tf32:B
convolution input:T weight:T bias:t stride:L padding:L dilation:L transposed:B output_padding:L groups:I
batch_norm input:T weight:t bias:t running_mean:t running_var:t training:B momentum:F eps:F cudnn_enabled:B
layer_norm input:T normalized_shape:L weight:t bias:t eps:F cudnn_enable:B
group_norm input:T num_groups:I weight:t bias:t eps:F cudnn_enabled:B
instance_norm input:T weight:t bias:t running_mean:t running_var:t use_input_stats:B momentum:F eps:F
  cudnn_enabled:B
relu self:T
relu6 self:T
leaky_relu self:T negative_slope:S
elu self:T alpha:S scale:S input_scale:S
selu self:T
celu self:T alpha:S
gelu self:T
silu self:T
mish self:T
hardswish self:T
hardsigmoid self:T
hardtanh self:T min_val:S max_val:S
sigmoid self:T
tanh self:T
softplus self:T beta:S threshold:S
log_sigmoid self:T
prelu self:T weight:T
softmax self:T dim:I dtype:i
log_softmax self:T dim:I dtype:i
dropout input:T p:F train:B
feature_dropout input:T p:F train:B
max_pool1d self:T kernel_size:L stride:L padding:L dilation:L ceil_mode:B
max_pool2d self:T kernel_size:L stride:L padding:L dilation:L ceil_mode:B
max_pool3d self:T kernel_size:L stride:L padding:L dilation:L ceil_mode:B
avg_pool1d self:T kernel_size:L stride:L padding:L ceil_mode:B count_include_pad:B
avg_pool2d self:T kernel_size:L stride:L padding:L ceil_mode:B count_include_pad:B divisor_override:i
avg_pool3d self:T kernel_size:L stride:L padding:L ceil_mode:B count_include_pad:B divisor_override:i
adaptive_avg_pool1d self:T output_size:L
adaptive_avg_pool2d self:T output_size:L
adaptive_avg_pool3d self:T output_size:L
adaptive_max_pool2d self:T output_size:L
flatten self:T start_dim:I end_dim:I
unflatten self:T dim:I sizes:L
view self:T size:L | self:T dtype:I
reshape self:T shape:L
permute self:T dims:L
transpose self:T dim0:I dim1:I
t self:T
contiguous self:T
squeeze self:T | self:T dim:I | self:T dim:L
unsqueeze self:T dim:I
expand self:T size:L
expand_as self:T other:T
repeat self:T repeats:L
cat tensors:M dim:I
stack tensors:M dim:I
split self:T split_size:I dim:I | self:T split_size:L dim:I | self:T split_sizes:L dim:I
split_with_sizes self:T split_sizes:L dim:I
chunk self:T chunks:I dim:I
unbind self:T dim:I
select self:T dim:I index:I
slice self:T dim:I start:i end:i step:I
narrow self:T dim:I start:I length:I | self:T dim:I start:T length:I
index_select self:T dim:I index:T
gather self:T dim:I index:T
index self:T indices:M | self:M el:T
roll self:T shifts:L dims:L
flip self:T dims:L
add self:T other:T | self:T other:S alpha:S
sub self:T other:T | self:T other:S alpha:S
rsub self:T other:T | self:T other:S alpha:S
mul self:T other:T | self:T other:S
div self:T other:T | self:T other:S
pow self:T exponent:T | self:T exponent:S | self:S exponent:T
sqrt self:T
rsqrt self:T
exp self:T
log self:T
abs self:T
neg self:T
clamp self:T min:s max:s | self:T min:t max:t
clamp_min self:T min:S | self:T min:T
clamp_max self:T max:S | self:T max:T
maximum self:T other:T
minimum self:T other:T
where condition:T self:T other:T | condition:T self:T other:S | condition:T self:S other:T | condition:T self:S
  other:S | condition:T
masked_fill self:T mask:T value:S | self:T mask:T value:T
floor self:T
ceil self:T
round self:T
sin self:T
cos self:T
erf self:T
reciprocal self:T
floor_divide self:T other:T | self:T other:S
remainder self:T other:T | self:T other:S | self:S other:T
mean self:T | self:T dim:l keepdim:B
sum self:T dim:l keepdim:B | self:T
prod self:T | self:T dim:I keepdim:B
max self:T other:T | self:T | self:T dim:I keepdim:B
min self:T other:T | self:T | self:T dim:I keepdim:B
amax self:T dim:L keepdim:B
amin self:T dim:L keepdim:B
argmax self:T dim:i keepdim:B
argmin self:T dim:i keepdim:B
std self:T unbiased:B | self:T dim:l unbiased:B keepdim:B | self:T dim:l
var self:T unbiased:B | self:T dim:l unbiased:B keepdim:B | self:T dim:l
norm self:T p:S | self:T p:s dim:L keepdim:B | self:T p:s
cumsum self:T dim:I
topk self:T k:I dim:I largest:B sorted:B
sort self:T dim:I descending:B | self:T | self:M reverse:B
embedding weight:T indices:T padding_idx:I scale_grad_by_freq:B sparse:B
lstm input:T hx:M params:M has_biases:B num_layers:I dropout:F train:B bidirectional:B batch_first:B | data:T
  batch_sizes:T hx:M params:M has_biases:B num_layers:I dropout:F train:B bidirectional:B
gru input:T hx:T params:M has_biases:B num_layers:I dropout:F train:B bidirectional:B batch_first:B | data:T
  batch_sizes:T hx:T params:M has_biases:B num_layers:I dropout:F train:B bidirectional:B
rnn_tanh input:T hx:T params:M has_biases:B num_layers:I dropout:F train:B bidirectional:B batch_first:B | data:T
  batch_sizes:T hx:T params:M has_biases:B num_layers:I dropout:F train:B bidirectional:B
scaled_dot_product_attention query:T key:T value:T attn_mask:t dropout_p:F is_causal:B
upsample_nearest2d self:T output_size:L scales_h:f scales_w:f | input:T output_size:l scale_factors:l
upsample_bilinear2d self:T output_size:L align_corners:B scales_h:f scales_w:f | input:T output_size:l
  align_corners:B scale_factors:l
__interpolate input:T size:i scale_factor:l mode:W align_corners:b recompute_scale_factor:b antialias:B | input:T
  size:l scale_factor:l mode:W align_corners:b recompute_scale_factor:b antialias:B | input:T size:i
  scale_factor:f mode:W align_corners:b recompute_scale_factor:b antialias:B | input:T size:l scale_factor:f
  mode:W align_corners:b recompute_scale_factor:b antialias:B
grid_sampler input:T grid:T interpolation_mode:I padding_mode:I align_corners:B
pad self:T pad:L mode:W value:f
constant_pad_nd self:T pad:L value:S
reflection_pad1d self:T padding:L
reflection_pad2d self:T padding:L
replication_pad2d self:T padding:L
pixel_shuffle self:T upscale_factor:I
einsum equation:W tensors:M | a:T
outer self:T vec2:T
dot self:T tensor:T
zeros size:L
ones size:L
full size:L fill_value:S
zeros_like self:T
ones_like self:T
full_like self:T fill_value:S
empty size:L
arange end:S | start:S end:S | start:S end:S step:S
tensor t:B | t:F | t:I | data:L
to self:T device:W dtype:I non_blocking:B copy:B memory_format:i | self:T dtype:I non_blocking:B copy:B
  memory_format:i | self:T other:T non_blocking:B copy:B memory_format:i | self:T | self:T device:w dtype:i
  non_blocking:B copy:B | self:T dtype:i non_blocking:B copy:B | self:T non_blocking:B copy:B
type_as self:T other:T
size self:T dim:I | self:T
dim self:T
numel self:T
detach self:T
clone self:T
eq self:T other:T | self:T other:S | a:M b:M
ne self:T other:T | self:T other:S | a:M b:M
lt self:T other:T | self:T other:S
le self:T other:T | self:T other:S
gt self:T other:T | self:T other:S
ge self:T other:T | self:T other:S
logical_and self:T other:T
logical_or self:T other:T
logical_not self:T
tril self:T diagonal:I
triu self:T diagonal:I
stft self:T n_fft:I hop_length:i win_length:i window:t normalized:B onesided:b return_complex:b align_to_window:b
  | self:T n_fft:I hop_length:i win_length:i window:t center:B pad_mode:W normalized:B onesided:b return_complex:b
  align_to_window:b
channel_shuffle self:T groups:I
movedim self:T source:I destination:I | self:T source:L destination:L
swapaxes self:T axis0:I axis1:I
meshgrid tensors:M
one_hot self:T num_classes:I
quantize_per_tensor self:T scale:F zero_point:I dtype:I | self:T scale:T zero_point:T dtype:I | tensors:M scales:T
  zero_points:T dtype:I
dequantize self:T | tensors:M | qtensor:T | qtensors:M
len t:T
item self:T
Int a:T
Float a:T
Bool a:T
ScalarImplicit a:T
IntImplicit a:T
lift_fresh self:T
alias self:T
bitwise_not self:T
argsort self:T dim:I descending:B | self:T
all self:T | self:T dim:I keepdim:B | self:T dim:l keepdim:B
any self:T | self:T dim:I keepdim:B | self:T dim:l keepdim:B
isnan self:T
nan_to_num self:T nan:f posinf:f neginf:f
addcmul self:T tensor1:T tensor2:T
addcdiv self:T tensor1:T tensor2:T
square self:T
log1p self:T
expm1 self:T
unfold self:T dimension:I size:I step:I
im2col self:T kernel_size:L dilation:L padding:L stride:L
col2im self:T output_size:L kernel_size:L dilation:L padding:L stride:L
affine_grid_generator theta:T size:L align_corners:B
unsafe_chunk self:T chunks:I dim:I
unsafe_split self:T split_size:I dim:I
unsafe_split_with_sizes self:T split_sizes:L dim:I
tensor_split self:T sections:I dim:I | self:T indices:L dim:I | self:T tensor_indices_or_sections:T dim:I
lstm_cell input:T hx:M w_ih:T w_hh:T b_ih:t b_hh:t
gru_cell input:T hx:T w_ih:T w_hh:T b_ih:t b_hh:t
rnn_tanh_cell input:T hx:T w_ih:T w_hh:T b_ih:t b_hh:t
rnn_relu_cell input:T hx:T w_ih:T w_hh:T b_ih:t b_hh:t
rnn_relu input:T hx:T params:M has_biases:B num_layers:I dropout:F train:B bidirectional:B batch_first:B | data:T
  batch_sizes:T hx:T params:M has_biases:B num_layers:I dropout:F train:B bidirectional:B
glu self:T dim:I
pixel_unshuffle self:T downscale_factor:I
bilinear input1:T input2:T weight:T bias:t
embedding_bag weight:T indices:T offsets:T scale_grad_by_freq:B mode:I sparse:B per_sample_weights:t
  include_last_offset:B | weight:T indices:T offsets:T scale_grad_by_freq:B mode:I sparse:B per_sample_weights:t
  include_last_offset:B padding_idx:i
index_put self:T indices:M values:T accumulate:B
masked_select self:T mask:T
nonzero self:T
repeat_interleave repeats:T | self:T repeats:T dim:i | self:T repeats:I dim:i
linspace start:T end:T steps:I | start:T end:S steps:I | start:S end:T steps:I | start:S end:S steps:I
eye n:I | n:I m:I
diagonal self:T offset:I dim1:I dim2:I
cdist x1:T x2:T p:F compute_mode:i
kron self:T other:T
scatter self:T dim:I index:T value:S | self:T dim:I index:T src:T
scatter_add self:T dim:I index:T src:T
new_zeros self:T size:L
new_ones self:T size:L
new_full self:T size:L fill_value:S
new_empty self:T size:L
rand size:L
randn size:L
randint high:I size:L | low:I high:I size:L
bernoulli self:T | self:T p:F | self:T p:T
cumprod self:T dim:I
addbmm self:T batch1:T batch2:T
addmv self:T mat:T vec:T
cross self:T other:T dim:i
tensordot self:T other:T dims_self:L dims_other:L
linalg_multi_dot tensors:M
chain_matmul matrices:M
_weight_norm v:T g:T dim:I
logsumexp self:T dim:L keepdim:B
linalg_vector_norm self:T ord:S dim:l keepdim:B
var_mean self:T unbiased:B | self:T dim:l unbiased:B keepdim:B | self:T dim:l
std_mean self:T unbiased:B | self:T dim:l unbiased:B keepdim:B | self:T dim:l
native_layer_norm input:T normalized_shape:L weight:t bias:t eps:F
native_group_norm input:T weight:t bias:t N:I C:I HxW:I group:I eps:F
_transformer_encoder_layer_fwd src:T embed_dim:I num_heads:I qkv_weight:T qkv_bias:T proj_weight:T proj_bias:T
  use_gelu:B norm_first:B eps:F norm_weight_1:T norm_bias_1:T norm_weight_2:T norm_bias_2:T ffn_weight_1:T
  ffn_bias_1:T ffn_weight_2:T ffn_bias_2:T mask:t mask_type:i
_native_multi_head_attention query:T key:T value:T embed_dim:I num_head:I qkv_weight:T qkv_bias:T proj_weight:T
  proj_bias:T mask:t need_weights:B average_attn_weights:B mask_type:i
upsample_nearest1d self:T output_size:L scales:f | input:T output_size:l scale_factors:l
upsample_linear1d self:T output_size:L align_corners:B scales:f | input:T output_size:l align_corners:B
  scale_factors:l
upsample_bicubic2d self:T output_size:L align_corners:B scales_h:f scales_w:f | input:T output_size:l align_corners:B
  scale_factors:l
upsample_nearest3d self:T output_size:L scales_d:f scales_h:f scales_w:f | input:T output_size:l scale_factors:l
upsample_trilinear3d self:T output_size:L align_corners:B scales_d:f scales_h:f scales_w:f | input:T output_size:l
  align_corners:B scale_factors:l
adaptive_max_pool1d self:T output_size:L
adaptive_max_pool3d self:T output_size:L
max_pool2d_with_indices self:T kernel_size:L stride:L padding:L dilation:L ceil_mode:B
max_pool1d_with_indices self:T kernel_size:L stride:L padding:L dilation:L ceil_mode:B
max_pool3d_with_indices self:T kernel_size:L stride:L padding:L dilation:L ceil_mode:B
fft_rfft self:T n:i dim:I norm:w
fft_irfft self:T n:i dim:I norm:w
fft_fft self:T n:i dim:I norm:w
fft_ifft self:T n:i dim:I norm:w
bucketize self:T boundaries:T | self:S boundaries:T
searchsorted sorted_sequence:T self:T | sorted_sequence:T self:S
view_as self:T other:T
reshape_as self:T other:T
reflection_pad3d self:T padding:L
replication_pad1d self:T padding:L
replication_pad3d self:T padding:L
rms_norm input:T normalized_shape:L weight:t eps:f
view_as_real self:T
view_as_complex self:T
median self:T | self:T dim:I keepdim:B
mode self:T dim:I keepdim:B
take_along_dim self:T indices:T dim:i
mv self:T vec:T
vdot self:T other:T
logaddexp self:T other:T
native_dropout input:T p:F train:b
cosine_similarity x1:T x2:T dim:I eps:F
pairwise_distance x1:T x2:T p:F eps:F keepdim:B
swapdims self:T dim0:I dim1:I
moveaxis self:T source:L destination:L | self:T source:I destination:I
broadcast_to self:T size:L
tile self:T dims:L
hstack tensors:M
vstack tensors:M
column_stack tensors:M
randn_like self:T
rand_like self:T
empty_like self:T
cummax self:T dim:I
aminmax self:T
index_add self:T dim:I index:T source:T
index_copy self:T dim:I index:T source:T
index_fill self:T dim:I index:T value:T | self:T dim:I index:T value:S
_convolution_mode input:T weight:T bias:t stride:L padding:W dilation:L groups:I
adaptive_max_pool1d_with_indices self:T output_size:L
"""


@cache
def _schemas() -> dict[str, tuple[tuple[tuple[str, str], ...], ...]]:
    found = {}
    for entry in [*(_SCHEMAS + MORE).replace("\n  ", " ").strip().splitlines(), *QUANTIZED.splitlines()]:
        name, _, rest = entry.partition(" ")
        overloads = (tuple(tuple(arg.split(":")) for arg in text.split()) for text in rest.split("|"))
        found[name] = tuple(tuple((arg[0], arg[1]) for arg in overload) for overload in overloads)
    return found


def argument_names(op: str, kinds: str) -> tuple[str, ...]:
    """Names of the positional arguments of an operator, for arguments of these kinds.

    Args:
        op: With its namespace; a trailing underscore (in place) does not matter.
        kinds: A letter an argument: T tensor or unknown, M list, I int, F float, B bool, W string, N None.
    """
    space, _, name = op.rpartition("::")
    key = op if space in ("quantized", "prepacked") else name if name.startswith("__") else name.rstrip("_")
    for overload in _schemas().get(key, ()):
        if len(kinds) <= len(overload) and all(
            _suits(given, kind) for given, (_, kind) in zip(kinds, overload, strict=False)
        ):
            return tuple(name for name, _ in overload[: len(kinds)])
    return tuple(f"arg{at}" for at in range(len(kinds)))


def _suits(given: str, kind: str) -> bool:
    if given == "N":
        return kind.islower()
    return kind.upper() in {"T": "TMILSFB", "M": "ML", "I": "IFSL", "F": "FS", "B": "B", "W": "W"}[given]
