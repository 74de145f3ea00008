"""Names of the arguments of torch's less common operators, in the notation of `_torch_schemas`."""

from __future__ import annotations

MORE = """
__and__ self:T other:S | self:T other:T | a:B b:B | a:I b:I
__lshift__ self:T other:T | self:T other:S | a:I b:I
__or__ self:T other:T | self:T other:S | a:B b:B | a:I b:I
__rshift__ self:T other:T | self:T other:S | a:I b:I
__xor__ self:T other:T | self:T other:S | a:B b:B | a:I b:I
_adaptive_avg_pool2d self:T output_size:L
_adaptive_avg_pool3d self:T output_size:L
_aminmax self:T dim:I keepdim:B
_conj self:T
_fused_rms_norm input:T normalized_shape:L weight:t eps:f
_log_softmax self:T dim:I half_to_float:B
_pack_padded_sequence input:T lengths:T batch_first:B
_pad_packed_sequence data:T batch_sizes:T batch_first:B padding_value:S total_length:I
_reshape_alias self:T size:L stride:L
_safe_softmax self:T dim:I dtype:i
_scaled_dot_product_attention_math query:T key:T value:T attn_mask:t dropout_p:F is_causal:B dropout_mask:t
_scaled_dot_product_cudnn_attention query:T key:T value:T attn_bias:t compute_log_sumexp:B dropout_p:F is_causal:B
  return_debug_mask:B
_scaled_dot_product_efficient_attention query:T key:T value:T attn_bias:t compute_log_sumexp:B dropout_p:F
  is_causal:B
_scaled_dot_product_flash_attention query:T key:T value:T dropout_p:F is_causal:B return_debug_mask:B | query:T
  key:T value:T q_descale:t k_descale:t v_descale:t dropout_p:F is_causal:B return_debug_mask:B
_scaled_dot_product_flash_attention_for_cpu query:T key:T value:T dropout_p:F is_causal:B
_softmax self:T dim:I half_to_float:B
_sparse_mm sparse:T dense:T reduce:W
_to_copy self:T
_unique self:T sorted:B return_inverse:B
_unique2 self:T sorted:B return_inverse:B return_counts:B
_unsafe_view self:T size:L
_upsample_bicubic2d_aa self:T output_size:L align_corners:B scales_h:f scales_w:f | input:T output_size:l
  align_corners:B scale_factors:l
_upsample_bilinear2d_aa self:T output_size:L align_corners:B scales_h:f scales_w:f | input:T output_size:l
  align_corners:B scale_factors:l
_upsample_nearest_exact1d self:T output_size:L scales:f | input:T output_size:l scale_factors:l
_upsample_nearest_exact2d self:T output_size:L scales_h:f scales_w:f | input:T output_size:l scale_factors:l
_upsample_nearest_exact3d self:T output_size:L scales_d:f scales_h:f scales_w:f | input:T output_size:l
  scale_factors:l
acos self:T | a:I | a:F | a:S
acosh self:T | a:I | a:F | a:S
addr self:T vec1:T vec2:T
adjoint self:T
alpha_dropout input:T p:F train:B
angle self:T | a:I | a:F | a:S
argwhere self:T
as_strided self:T size:L stride:L storage_offset:i
as_strided_copy self:T size:L stride:L storage_offset:i
as_strided_scatter self:T src:T size:L stride:L storage_offset:i
asin self:T | a:I | a:F | a:S
asinh self:T | a:I | a:F | a:S
atan self:T | a:I | a:F | a:S
atan2 self:T other:T | a:I b:I | a:F b:F | a:I b:F | a:F b:I | a:S b:S
atanh self:T | a:I | a:F | a:S
atleast_1d self:T | tensors:M
atleast_2d self:T | tensors:M
atleast_3d self:T | tensors:M
bartlett_window window_length:I periodic:B
binary_cross_entropy self:T target:T weight:t reduction:I
binary_cross_entropy_with_logits self:T target:T weight:t pos_weight:t reduction:I
bincount self:T weights:t minlength:I
bitwise_and self:T other:T | self:T other:S | self:S other:T
bitwise_left_shift self:T other:T | self:T other:S | self:S other:T
bitwise_or self:T other:T | self:T other:S | self:S other:T
bitwise_right_shift self:T other:T | self:T other:S | self:S other:T
bitwise_xor self:T other:T | self:T other:S | self:S other:T
blackman_window window_length:I periodic:B
block_diag tensors:M
broadcast_tensors tensors:M
cartesian_prod tensors:M
cauchy self:T median:F sigma:F
cholesky self:T upper:B
cholesky_inverse self:T upper:B
cholesky_solve self:T input2:T upper:B
combinations self:T r:I with_replacement:B
complex real:T imag:T
concat tensors:M dim:I
concatenate tensors:M dim:I
conj self:T
conj_physical self:T
conv_tbc self:T weight:T bias:T pad:I
copy self:T src:T non_blocking:B | self:L | self:W
copysign self:T other:T | self:T other:S | a:I b:I | a:F b:F | a:I b:F | a:F b:I | a:S b:S
corrcoef self:T
cosh self:T | a:I | a:F | a:S
cosine_embedding_loss input1:T input2:T target:T margin:F reduction:I
count_nonzero self:T dim:i | self:T dim:L
cov self:T
cross_entropy_loss self:T target:T weight:t reduction:I ignore_index:I label_smoothing:F
ctc_loss log_probs:T targets:T input_lengths:L target_lengths:L blank:I reduction:I zero_infinity:B | log_probs:T
  targets:T input_lengths:T target_lengths:T blank:I reduction:I zero_infinity:B
cummin self:T dim:I
cumulative_trapezoid y:T x:T
deg2rad self:T
det self:T
diag self:T diagonal:I
diag_embed self:T offset:I dim1:I dim2:I
diagflat self:T offset:I
diagonal_scatter self:T src:T offset:I dim1:I dim2:I
diff self:T n:I dim:I prepend:t append:t
digamma self:T
dist self:T other:T p:S
divide self:T other:T | self:T other:S
dsplit self:T sections:I | self:T indices:L
dstack tensors:M
empty_strided size:L stride:L
erfc self:T | a:I | a:F | a:S
erfinv self:T
exp2 self:T
exponential self:T lambd:F
fake_quantize_per_channel_affine self:T scale:T zero_point:T axis:I quant_min:I quant_max:I
fake_quantize_per_tensor_affine self:T scale:F zero_point:I quant_min:I quant_max:I | self:T scale:T zero_point:T
  quant_min:I quant_max:I
feature_alpha_dropout input:T p:F train:B
fft_fft2 self:T s:l dim:L norm:w
fft_fftfreq n:I d:F
fft_fftn self:T s:l dim:l norm:w
fft_fftshift self:T dim:l
fft_hfft self:T n:i dim:I norm:w
fft_hfft2 self:T s:l dim:L norm:w
fft_hfftn self:T s:l dim:l norm:w
fft_ifft2 self:T s:l dim:L norm:w
fft_ifftn self:T s:l dim:l norm:w
fft_ifftshift self:T dim:l
fft_ihfft self:T n:i dim:I norm:w
fft_ihfft2 self:T s:l dim:L norm:w
fft_ihfftn self:T s:l dim:l norm:w
fft_irfft2 self:T s:l dim:L norm:w
fft_irfftn self:T s:l dim:l norm:w
fft_rfft2 self:T s:l dim:L norm:w
fft_rfftfreq n:I d:F
fft_rfftn self:T s:l dim:l norm:w
fill self:T value:S | self:T value:T
fix self:T
fliplr self:T
flipud self:T
float_power self:T exponent:T | self:T exponent:S | self:S exponent:T
fmax self:T other:T
fmin self:T other:T
fmod self:T other:T | self:T other:S | a:I b:I | a:F b:F | a:I b:F | a:F b:I | a:S b:S
frac self:T
fractional_max_pool2d self:T kernel_size:L output_size:L random_samples:T
fractional_max_pool3d self:T kernel_size:L output_size:L random_samples:T
frexp self:T | a:F
frobenius_norm self:T dim:L keepdim:B
gcd self:T other:T | a:I b:I
geometric self:T p:F
geqrf self:T
ger self:T vec2:T
gradient self:T
hamming_window window_length:I periodic:B alpha:F beta:F
hann_window window_length:I periodic:B
hardshrink self:T lambd:S
heaviside self:T values:T
hinge_embedding_loss self:T target:T margin:F reduction:I
histc self:T bins:I min:S max:S
hsplit self:T sections:I | self:T indices:L
huber_loss self:T target:T reduction:I delta:F
hypot self:T other:T
i0 self:T
igamma self:T other:T
igammac self:T other:T
imag self:T
inner self:T other:T
inverse self:T
isclose self:T other:T rtol:F atol:F equal_nan:B
isfinite self:T | a:F | a:S
isin elements:T test_elements:T | elements:T test_element:S | element:S test_elements:T
isinf self:T | a:F | a:S
isneginf self:T
isposinf self:T
isreal self:T
istft self:T n_fft:I hop_length:i win_length:i window:t center:B normalized:B onesided:b length:i return_complex:B
kaiser_window window_length:I periodic:B beta:F
kl_div self:T target:T reduction:I
kthvalue self:T k:I dim:I keepdim:B
l1_loss self:T target:T reduction:I
lcm self:T other:T
ldexp self:T other:T | x:F i:I
lerp self:T end:T weight:S | self:T end:T weight:T
lgamma self:T | a:I | a:F | a:S
lift_fresh_copy self:T
linalg_cholesky self:T
linalg_cholesky_ex self:T
linalg_cond self:T p:s | self:T p:W
linalg_cross self:T other:T
linalg_det A:T
linalg_diagonal A:T
linalg_eig self:T
linalg_eigh self:T UPLO:W
linalg_eigvals self:T
linalg_eigvalsh self:T UPLO:W
linalg_householder_product input:T tau:T
linalg_inv A:T
linalg_inv_ex A:T
linalg_ldl_factor self:T
linalg_ldl_factor_ex self:T
linalg_lstsq self:T b:T rcond:f
linalg_lu A:T
linalg_lu_factor A:T
linalg_lu_factor_ex A:T
linalg_matmul self:T other:T
linalg_matrix_exp self:T
linalg_matrix_norm self:T ord:S dim:L keepdim:B | self:T ord:W dim:L keepdim:B
linalg_matrix_power self:T n:I
linalg_matrix_rank self:T tol:F hermitian:B | input:T tol:T hermitian:B
linalg_norm self:T ord:s dim:l keepdim:B | self:T ord:W dim:l keepdim:B
linalg_pinv self:T rcond:F hermitian:B | self:T rcond:T hermitian:B
linalg_qr A:T mode:W
linalg_slogdet A:T
linalg_solve A:T B:T
linalg_solve_triangular self:T B:T
linalg_svd A:T full_matrices:B
linalg_svdvals A:T
linalg_tensorinv self:T ind:I
linalg_vander x:T
linalg_vecdot x:T y:T
log10 self:T | a:I | a:F | a:S
log2 self:T
log_normal self:T mean:F std:F
logaddexp2 self:T other:T
logcumsumexp self:T dim:I
logdet self:T
logical_xor self:T other:T
logit self:T eps:f
logspace start:T end:T steps:I base:F | start:T end:S steps:I base:F | start:S end:T steps:I base:F | start:S end:S
  steps:I base:F
lu_solve self:T LU_data:T LU_pivots:T
mH self:T
mT self:T
margin_ranking_loss input1:T input2:T target:T margin:F reduction:I
masked_scatter self:T mask:T source:T
matrix_H self:T
matrix_exp self:T
matrix_power self:T n:I
max_unpool2d self:T indices:T output_size:L
max_unpool3d self:T indices:T output_size:L stride:L padding:L
mkldnn_convolution self:T weight:T bias:t padding:L stride:L dilation:L groups:I
mse_loss self:T target:T reduction:I
msort self:T
multi_margin_loss self:T target:T p:S margin:S weight:t reduction:I
multilabel_margin_loss self:T target:T reduction:I
multinomial self:T num_samples:I replacement:B
multiply self:T other:T | self:T other:S
mvlgamma self:T p:I
nanmean self:T dim:l keepdim:B
nanmedian self:T dim:I keepdim:B
nanquantile self:T q:T dim:i keepdim:B | self:T q:F dim:i keepdim:B
nansum self:T dim:l keepdim:B
narrow_copy self:T dim:I start:I length:I
native_batch_norm input:T weight:t bias:t running_mean:t running_var:t training:B momentum:F eps:F
native_channel_shuffle self:T groups:I
nextafter self:T other:T
nll_loss self:T target:T weight:t reduction:I ignore_index:I
nll_loss2d self:T target:T weight:t reduction:I ignore_index:I
nll_loss_nd self:T target:T weight:t reduction:I ignore_index:I
normal mean:T std:F | mean:F std:T | mean:T std:T | mean:F std:F size:L
nuclear_norm self:T keepdim:B | self:T dim:L keepdim:B
numpy_T self:T
pdist self:T p:F
pinverse self:T rcond:F
poisson_nll_loss input:T target:T log_input:B full:B eps:F reduction:I
polar abs:T angle:T | a:I b:I | a:F b:F | a:I b:F | a:F b:I | a:S b:S
polygamma n:I self:T
positive self:T
qr self:T some:B
quantile self:T q:T dim:i keepdim:B | self:T q:F dim:i keepdim:B
rad2deg self:T
randint_like self:T high:I | self:T high:T | self:T low:I high:I
random self:T from:I to:i | self:T to:I
randperm n:I
ravel self:T
real self:T
renorm self:T p:S dim:I maxnorm:S
resolve_conj self:T
resolve_neg self:T
rot90 self:T k:I dims:L
row_stack tensors:M
scalar_tensor s:S
scatter_reduce self:T dim:I index:T src:T reduce:W
select_scatter self:T src:T dim:I index:I
sgn self:T
sign self:T
signbit self:T
sinc self:T
sinh self:T | a:I | a:F | a:S
slice_scatter self:T src:T dim:I start:i end:i step:I
slogdet self:T
smooth_l1_loss self:T target:T reduction:I beta:F
soft_margin_loss self:T target:T reduction:I
softshrink self:T lambd:S
special_bessel_j0 self:T
special_bessel_j1 self:T
special_bessel_y0 self:T
special_bessel_y1 self:T
special_digamma self:T
special_entr self:T
special_erf self:T
special_erfc self:T
special_erfcx self:T
special_erfinv self:T
special_exp2 self:T
special_expit self:T
special_expm1 self:T
special_gammainc self:T other:T
special_gammaincc self:T other:T
special_gammaln self:T
special_i0e self:T
special_i1 self:T
special_i1e self:T
special_log1p self:T
special_log_ndtr self:T
special_log_softmax self:T dim:I
special_logit self:T eps:f
special_logsumexp self:T dim:L keepdim:B
special_multigammaln self:T p:I
special_ndtr self:T
special_ndtri self:T
special_polygamma n:I self:T
special_psi self:T
special_round self:T
special_sinc self:T
special_softmax self:T dim:I dtype:i
special_xlog1py self:T other:T | self:T other:S | self:S other:T
special_xlogy self:T other:T | self:T other:S | self:S other:T
special_zeta self:T other:T | self:T other:S | self:S other:T
subtract self:T other:T | self:T other:S alpha:S
sum_to_size self:T size:L
svd self:T some:B compute_uv:B
take self:T index:T
tan self:T | a:I | a:F | a:S
threshold self:T threshold:S value:S
to_dense self:T dtype:i
to_mkldnn self:T dtype:i
to_sparse self:T sparse_dim:I
trace self:T
trapezoid y:T x:T
trapz y:T x:T
triangular_solve self:T A:T upper:B transpose:B unitriangular:B
tril_indices row:I col:I offset:I
triplet_margin_loss anchor:T positive:T negative:T margin:F p:F eps:F swap:B reduction:I
triu_indices row:I col:I offset:I
true_divide self:T other:T | self:T other:S
trunc self:T
uniform self:T from:F to:F
unique_consecutive self:T return_inverse:B return_counts:B dim:i
unique_dim self:T dim:I sorted:B return_inverse:B return_counts:B
vander x:T N:i increasing:B
vsplit self:T sections:I | self:T indices:L
xlogy self:T other:T | self:T other:S | self:S other:T
zero self:T
"""
