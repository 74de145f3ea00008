"""Builds traced TorchScript files of as many operators as torch has, and `facts.json` with what a run of each gives."""

from __future__ import annotations

import json
import re
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

warnings.simplefilter("ignore")
torch.manual_seed(0)

INPUTS = {
    "v3": torch.randn(3), "v4": torch.randn(4).sort()[0], "m34": torch.randn(3, 4), "m35": torch.randn(3, 5),
    "m45": torch.randn(4, 5), "m43": torch.randn(4, 3), "m53": torch.randn(5, 3), "m42": torch.randn(4, 2),
    "m33": torch.randn(3, 3), "s33": torch.randn(3, 3) + 3 * torch.eye(3), "spd": torch.eye(3) * 2,
    "b234": torch.randn(2, 3, 4), "b245": torch.randn(2, 4, 5), "b235": torch.randn(2, 3, 5),
    "b264": torch.randn(2, 6, 4), "b423": torch.randn(4, 2, 3), "b232": torch.randn(2, 3, 2),
    "t4": torch.eye(6).reshape(2, 3, 2, 3), "img": torch.randn(1, 4, 8, 8), "vol": torch.randn(1, 2, 4, 6, 6),
    "sig": torch.randn(2, 400), "c34": torch.randn(3, 4, dtype=torch.complex64), "grid": torch.rand(1, 5, 6, 2),
    "theta": torch.randn(1, 2, 3), "i3": torch.tensor([1, 2, 3]), "i2": torch.tensor([0, 2]),
    "i34": torch.randint(0, 3, (3, 4)), "s0": torch.tensor(1.5), "q": torch.randn(2, 4, 8, 16),
    "k2": torch.randn(2, 2, 8, 16),
}  # fmt: skip
"""By names that say their shapes."""

SHAPED = r"""
torch.addmv(v3, m34, v4) ; torch.addmm(m35, m34, m45) ; torch.addr(m34, v3, v4) ; torch.ger(v3, v4) ;
torch.outer(v3, v4) ; torch.inner(m34, m34) ; torch.inner(v4, v4) ; torch.inner(b234, m34) ; torch.dot(v4, v4) ;
torch.vdot(v4, v4) ; torch.mv(m34, v4) ; L.vecdot(m34, m34) ; L.matmul(b234, b245) ; L.multi_dot([m34, m45, m53]) ;
torch.chain_matmul(m34, m45, m53) ; torch.tensordot(b234, b423, ([1,2],[2,0])) ; torch.tensordot(b234, b423, dims=1) ;
torch.tensordot(m34, m45, 1) ; torch.einsum('bij,bjk->bik', b234, b245) ; torch.einsum('bij,jk', b234, m45) ;
torch.einsum('ii->i', s33) ; torch.einsum('...ij->...ji', b234) ; torch.baddbmm(b235, b234, b245) ;
torch.addbmm(m35, b234, b245) ; torch.bmm(b234, b245) ; torch.cdist(b234, b264) ; torch.cdist(m34, m34, p=1.0) ;
torch.pdist(m34) ; F.pdist(m34) ; torch.kron(m34, s33) ; torch.cross(m43, m43, dim=1) ; L.cross(m43, m43) ;
torch.trace(s33) ; L.norm(m34) ; L.norm(m34, dim=1) ; L.vector_norm(b234, dim=(1,2), keepdim=True) ;
L.matrix_norm(b234) ; torch.norm(m34, dim=1, keepdim=True) ; torch.norm(m34) ; F.normalize(m34) ; L.inv(s33) ;
torch.inverse(s33) ; L.det(s33) ; torch.det(s33) ; L.slogdet(s33) ; L.solve(s33, m34) ; L.solve(s33, v3) ; L.qr(m43) ;
L.qr(m43, mode='complete') ; L.svd(m34, full_matrices=False) ; L.svd(m34) ; torch.svd(m34) ; L.svdvals(m34) ;
L.eigh(spd) ; L.eigvalsh(spd) ; L.eig(s33) ; L.cholesky(spd) ; torch.cholesky_solve(m34, spd) ; L.pinv(m34) ;
L.lstsq(m43, m42)[0] ; L.matrix_power(s33, 3) ; torch.matrix_power(s33, 2) ; torch.matrix_exp(s33) ;
L.solve_triangular(s33, m34, upper=True) ; L.matrix_rank(m34) ; L.cond(s33) ; L.lu(s33) ; L.diagonal(b234) ;
L.vander(v4) ; L.tensorinv(t4) ; torch.triangular_solve(m34, s33)[0] ; T.fft(m34) ; T.ifft(m34) ; T.rfft(m34) ;
T.irfft(c34) ; T.fft2(b234) ; T.ifft2(b234) ; T.rfft2(b234) ; T.irfft2(T.rfft2(b234)) ; T.fftn(b234) ; T.ifftn(b234) ;
T.rfftn(b234) ; T.irfftn(T.rfftn(b234)) ; T.rfft2(b234, norm='ortho') ; T.irfft2(T.rfft2(img), s=(8,8), norm='ortho') ;
T.hfft(m34) ; T.ihfft(m34) ; T.fftshift(m34) ; T.ifftshift(m34, dim=1) ; T.fftfreq(8) ; T.rfftfreq(8) ;
torch.stft(sig, 64, 16, window=torch.hann_window(64), return_complex=True) ;
torch.stft(sig, 64, return_complex=True, center=False) ;
torch.abs(c34) ; torch.angle(c34) ; torch.real(c34) ; torch.imag(c34) ; torch.conj(c34) ; torch.conj_physical(c34) ;
torch.polar(m34, m34) ; torch.complex(m34, m34) ; torch.view_as_real(c34) ; torch.view_as_complex(b232) ; c34 * c34 ;
c34.abs().pow(2) ; torch.resolve_conj(c34) ; F.pixel_shuffle(img, 2) ; F.pixel_unshuffle(img, 2) ;
F.channel_shuffle(img, 2) ; torch.native_channel_shuffle(img, 2) ; F.unfold(img, 3) ;
F.unfold(img, 3, padding=1, stride=2) ; F.fold(torch.randn(1, 36, 64), (8, 8), 3, padding=1) ;
F.fold(F.unfold(img, 3, padding=1), (8, 8), 3, padding=1) ; img.unfold(2, 3, 1) ; img.unfold(3, 4, 2) ;
F.grid_sample(img, grid, align_corners=False) ; F.affine_grid(theta, [1, 4, 8, 8], align_corners=False) ;
F.grid_sample(img, F.affine_grid(theta, [1, 4, 8, 8], align_corners=False), align_corners=False) ; torch.roll(m34, 1) ;
torch.roll(m34, (1, 1), (0, 1)) ; torch.flip(m34, (0, 1)) ; torch.fliplr(m34) ; torch.flipud(m34) ; torch.rot90(m34) ;
torch.rot90(b234, 1, (1, 2)) ; m34.mT ; b234.mT ; m34.T ; m34.H ; b234.mH ; m34.t() ; torch.adjoint(b234) ;
torch.swapaxes(b234, 0, 1) ; torch.swapdims(b234, 0, 1) ; torch.moveaxis(b234, 0, 2) ;
torch.movedim(b234, (0, 1), (1, 2)) ; torch.unflatten(m34, 1, (2, 2)) ; torch.ravel(m34) ; torch.atleast_1d(s0) ;
torch.atleast_2d(v3) ; torch.atleast_3d(m34) ; torch.broadcast_to(v4, (3, 4)) ; torch.broadcast_tensors(v4, m34) ;
torch.tile(m34, (2, 3)) ; torch.tile(v3, (2, 2)) ; torch.repeat_interleave(m34, 2, dim=1) ;
torch.repeat_interleave(m34, 2) ; torch.hstack([m34, m34]) ; torch.hstack([v3, v3]) ; torch.vstack([m34, m34]) ;
torch.vstack([v3, v3]) ; torch.dstack([m34, m34]) ; torch.column_stack([v3, v3]) ; torch.row_stack([v3, v3]) ;
torch.cat([m34, m34], 1) ; torch.concat([m34, m34], 1) ; torch.concatenate([m34, m34], 1) ;
torch.stack([m34, m34], -1) ; torch.block_diag(m34, s33) ; torch.cartesian_prod(v3, v4) ; torch.combinations(v3) ;
torch.meshgrid(v3, v4, indexing='ij') ; torch.hsplit(m34, 2) ; torch.vsplit(m42, 2) ; torch.dsplit(b234, 2) ;
torch.split(m34, [1, 3], 1) ; torch.tensor_split(v4, 3) ; torch.tensor_split(m34, (1, 2), 1) ; torch.chunk(m34, 2, 1) ;
torch.unbind(m34) ; torch.unsafe_chunk(m34, 2, 1) ; torch.diag(v3) ; torch.diag(s33) ; torch.diag(m34, 1) ;
torch.diag_embed(m34) ; torch.diagflat(v3) ; torch.diagonal(b234, dim1=1, dim2=2) ; torch.diagonal_scatter(s33, v3) ;
torch.select_scatter(m34, v4, 0, 1) ; torch.slice_scatter(m34, torch.ones(3, 2), 1, 0, 2) ; torch.tril(m34) ;
torch.triu(m34) ; torch.tril_indices(3, 3) ; torch.triu_indices(3, 3) ; torch.narrow(m34, 1, 0, 2) ;
torch.narrow_copy(m34, 1, 0, 2) ; torch.take(m34, i3) ; torch.take_along_dim(m34, i34, 1) ; torch.gather(m34, 1, i34) ;
torch.scatter(m34, 1, i34, 1.0) ; torch.scatter_add(m34, 1, i34, m34) ; torch.scatter_reduce(m34, 1, i34, m34, 'sum') ;
torch.index_select(m34, 1, i3) ; torch.index_add(m34, 1, i3, m33) ; torch.index_copy(m34, 1, i3, m33) ;
torch.index_fill(m34, 1, i3, 1.0) ; torch.index_put(m34, (i2,), v4) ; torch.masked_scatter(m34, m34 > 0, m34) ;
torch.masked_fill(m34, m34 > 0, 1.0) ; torch.where(m34 > 0, m34, 0.0) ; m34[i2] ; m34[:, i2] ; m34[None, :, 1] ;
b234[..., 0] ; b234[:, i2, :2] ; torch.cumsum(m34, 1) ; torch.cumprod(m34, 1) ; torch.cummax(m34, 1) ;
torch.cummin(m34, 1) ; torch.logcumsumexp(m34, 1) ; torch.diff(m34) ; torch.diff(m34, n=2) ; torch.trapezoid(m34) ;
torch.trapz(m34) ; torch.cumulative_trapezoid(m34) ; torch.sum(m34, 1) ; torch.sum(i34) ; torch.nansum(m34, 1) ;
torch.nanmean(m34, 1) ; torch.mean(m34, (0, 1)) ; torch.median(m34) ; torch.median(m34, 1) ; torch.nanmedian(m34, 1) ;
torch.mode(m34, 1) ; torch.kthvalue(m34, 2) ; torch.quantile(m34, 0.5, dim=1) ;
torch.quantile(m34, torch.tensor([0.1, 0.5]), dim=1) ; torch.nanquantile(m34, 0.5) ; torch.var(m34, 1) ;
torch.var(m34) ; torch.std(m34, 1, keepdim=True) ; torch.var_mean(m34, 1) ; torch.std_mean(m34, 1) ;
torch.prod(m34, 1) ; torch.amax(m34, 1) ; torch.amin(m34) ; torch.aminmax(m34, dim=1) ; torch.max(m34) ;
torch.max(m34, 1) ; torch.min(m34, m34) ; torch.argmax(m34, 1) ; torch.argmin(m34) ; torch.argsort(m34) ;
torch.sort(m34) ; torch.msort(m34) ; torch.topk(m34, 2) ; torch.histc(m34, 10) ; torch.bucketize(m34, v3) ;
torch.searchsorted(v4, m34) ; torch.count_nonzero(m34) ; torch.count_nonzero(m34, dim=1) ; torch.logsumexp(m34, 1) ;
torch.logaddexp(m34, m34) ; torch.logaddexp2(m34, m34) ; torch.logdet(spd) ; torch.dist(m34, m34) ;
torch.renorm(m34, 2, 0, 1.0) ; torch.cov(m34) ; torch.corrcoef(m34) ; torch.all(m34 > 0, 1) ; torch.any(m34 > 0) ;
torch.isclose(m34, m34) ; torch.isin(i34, i3) ; torch.isfinite(m34) ; torch.isinf(m34) ; torch.isneginf(m34) ;
torch.isposinf(m34) ; torch.isreal(m34) ; torch.signbit(m34) ; torch.sgn(m34) ; torch.sign(m34) ; torch.sinh(m34) ;
torch.cosh(m34) ; torch.tan(m34) ; torch.asin(m34) ; torch.acos(m34) ; torch.atan(m34) ; torch.asinh(m34) ;
torch.acosh(m34) ; torch.atanh(m34) ; torch.arctan2(m34, m34) ; torch.sinc(m34) ; torch.exp2(m34) ; torch.log2(m34) ;
torch.log10(m34) ; torch.erfc(m34) ; torch.erfinv(m34) ; torch.lgamma(m34) ; torch.digamma(m34) ;
torch.polygamma(1, m34) ; torch.mvlgamma(m34.abs()+5, 2) ; torch.i0(m34) ; S.i1(m34) ; S.entr(m34) ;
S.xlog1py(m34, m34) ; S.zeta(m34, m34) ; S.expit(m34) ; S.ndtri(m34) ; S.gammaln(m34) ;
S.gammainc(m34.abs(), m34.abs()) ; S.logit(m34) ; S.softmax(m34, 1) ; S.log_softmax(m34, 1) ; S.round(m34) ;
S.sinc(m34) ; torch.xlogy(m34, m34) ; torch.hypot(m34, m34) ; torch.heaviside(m34, m34) ; torch.copysign(m34, m34) ;
torch.nextafter(m34, m34) ; torch.ldexp(m34, m34) ; torch.frexp(m34) ; torch.float_power(m34, 2) ;
torch.fmax(m34, m34) ; torch.fmin(m34, m34) ; torch.fmod(m34, 2) ; torch.trunc(m34) ; torch.fix(m34) ; torch.frac(m34) ;
torch.positive(m34) ; torch.rad2deg(m34) ; torch.deg2rad(m34) ; torch.gcd(i3, i3) ; torch.lcm(i3, i3) ;
torch.bitwise_and(i3, i3) ; torch.bitwise_or(i3, 1) ; torch.bitwise_xor(i3, i3) ; torch.bitwise_left_shift(i3, 1) ;
i3 >> 1 ; i3 << 1 ; i3 & 1 ; i3 | i3 ; i3 ^ 3 ; ~i3 ; i3 // 2 ; i3 / 2 ; m34 // 2 ; m34 % 2 ; -m34 ; 1 / m34 ; 2 - m34 ;
m34 ** 2 ; 2 ** m34 ; m34 @ m45 ; m34 * 2 ; i3 * 2.5 ; i3 + m34[0, :3] ; torch.true_divide(i3, 2) ;
torch.divide(m34, m34, rounding_mode='floor') ; torch.multiply(m34, m34) ; torch.subtract(m34, m34) ;
torch.negative(m34) ; torch.absolute(m34) ; torch.arccos(m34) ; torch.greater(m34, m34) ; torch.less_equal(m34, m34) ;
torch.not_equal(m34, m34) ; torch.clip(m34, 0, 1) ; torch.clamp(m34, max=1) ; torch.addcmul(m34, m34, m34) ;
torch.addcdiv(m34, m34, m34, value=0.1) ; torch.lerp(m34, m34, 0.5) ; torch.dropout(m34, 0.5, False) ;
torch.alpha_dropout(m34, 0.5, False) ; F.feature_alpha_dropout(m34, 0.5, False) ; torch.rrelu(m34) ; F.celu(m34) ;
F.hardshrink(m34) ; F.softshrink(m34) ; F.tanhshrink(m34) ; F.softsign(m34) ; F.logsigmoid(m34) ; F.softmin(m34, 1) ;
F.threshold(m34, 0.1, 0.2) ; F.gumbel_softmax(m34) ; F.glu(m34) ; F.prelu(m34, torch.ones(1)) ; F.hardswish(m34) ;
F.mish(m34) ; F.silu(m34) ; F.relu6(m34) ; F.rms_norm(m34, (4,)) ; F.local_response_norm(img, 2) ;
F.batch_norm(img, torch.zeros(4), torch.ones(4)) ; F.group_norm(img, 2) ; F.instance_norm(img) ;
F.layer_norm(m34, (4,)) ; F.lp_pool2d(img, 2, 2) ; F.lp_pool1d(b234, 2, 2) ;
F.adaptive_max_pool2d(img, 2, return_indices=True) ; F.adaptive_max_pool1d(b234, 2) ;
F.adaptive_avg_pool2d(img, (None, 2)) ; F.adaptive_avg_pool3d(vol, 2) ; F.adaptive_max_pool3d(vol, 2) ;
F.max_pool2d(img, 2, return_indices=True) ; F.max_pool3d(vol, 2) ; F.fractional_max_pool2d(img, 2, output_size=3) ;
F.avg_pool3d(vol, 2) ; F.avg_pool2d(img, 3, stride=2, ceil_mode=True) ; F.interpolate(img, scale_factor=2) ;
F.interpolate(img, size=(5, 7), mode='bilinear') ; F.interpolate(img, scale_factor=0.5, mode='bicubic') ;
F.interpolate(img, scale_factor=1.5, mode='bilinear', antialias=True) ;
F.interpolate(img, scale_factor=2, mode='nearest-exact') ; F.interpolate(img, size=5, mode='area') ;
F.interpolate(b234, scale_factor=2, mode='linear') ; F.interpolate(b234, scale_factor=2) ;
F.interpolate(b234, scale_factor=2, mode='nearest-exact') ; F.interpolate(vol, scale_factor=2, mode='trilinear') ;
F.interpolate(vol, scale_factor=2) ; F.upsample(img, scale_factor=2) ; F.pad(img, (1, 1, 2, 2)) ;
F.pad(img, (1, 1, 2, 2), mode='reflect') ; F.pad(img, (1, 1, 2, 2), mode='replicate') ;
F.pad(img, (1, 1, 2, 2), mode='circular') ; F.pad(b234, (1, 1), mode='circular') ;
F.pad(vol, (1, 1, 1, 1, 1, 1), mode='reflect') ; F.pad(vol, (1, 1, 1, 1, 1, 1), mode='replicate') ;
F.conv1d(b234, torch.randn(5, 3, 2)) ; F.conv2d(img, torch.randn(8, 4, 3, 3), padding='same') ;
F.conv2d(img, torch.randn(8, 4, 3, 3), padding='valid') ;
F.conv2d(img, torch.randn(8, 2, 3, 3), groups=2, stride=2, padding=1, dilation=2) ;
F.conv3d(vol, torch.randn(8, 2, 3, 3, 3)) ; F.conv_transpose1d(b234, torch.randn(3, 5, 2)) ;
F.conv_transpose2d(img, torch.randn(4, 6, 3, 3), stride=2, output_padding=1, padding=1) ;
F.conv_transpose3d(vol, torch.randn(2, 6, 3, 3, 3)) ; torch.conv_tbc(b234, torch.randn(2, 4, 5), torch.zeros(5)) ;
F.linear(b234, torch.randn(5, 4), torch.zeros(5)) ; F.linear(v4, torch.randn(5, 4)) ;
F.bilinear(m34, m35, torch.randn(6, 4, 5)) ; F.embedding(i34, torch.randn(10, 5)) ;
F.embedding_bag(i34, torch.randn(10, 5)) ; F.embedding_bag(i3, torch.randn(10, 5), i2, mode='sum') ; F.one_hot(i3, 12) ;
F.cosine_similarity(m34, m34) ; F.pairwise_distance(m34, m34) ; F.cross_entropy(m34, i3) ; F.nll_loss(m34, i3) ;
F.mse_loss(m34, m34) ; F.mse_loss(m34, m34, reduction='none') ; F.l1_loss(m34, m34) ; F.smooth_l1_loss(m34, m34) ;
F.huber_loss(m34, m34) ; F.kl_div(m34, m34) ; F.binary_cross_entropy(m34.sigmoid(), m34.sigmoid()) ;
F.binary_cross_entropy_with_logits(m34, m34) ; F.margin_ranking_loss(v3, v3, v3) ;
F.cosine_embedding_loss(m34, m34, v3) ; F.triplet_margin_loss(m34, m34, m34) ;
F.scaled_dot_product_attention(q, q, q) ; F.scaled_dot_product_attention(q, q, q, is_causal=True) ;
F.scaled_dot_product_attention(q, k2, k2, enable_gqa=True) ;
torch.lstm_cell(m34, (m34, m34), torch.randn(16, 4), torch.randn(16, 4), torch.zeros(16), torch.zeros(16)) ;
torch.gru_cell(m34, m34, torch.randn(12, 4), torch.randn(12, 4)) ;
torch.rnn_tanh_cell(m34, m34, torch.randn(4, 4), torch.randn(4, 4)) ; torch._weight_norm(m34, torch.ones(3, 1)) ;
torch.zeros(3, 4) ; torch.ones_like(m34) ; torch.full((2, 3), 1.5) ; torch.full((2, 3), 1) ; torch.full_like(m34, 1) ;
torch.zeros_like(m34, dtype=torch.int64) ; m34.new_zeros(2, 3) ; m34.new_full((2, 3), 1) ; m34.new_empty((2, 3)) ;
m34.new_ones((2,)) ; torch.arange(10) ; torch.arange(2, 10, 2) ; torch.arange(0.0, 1.0, 0.1) ; torch.linspace(0, 1, 5) ;
torch.logspace(0, 1, 5) ; torch.eye(3) ; torch.eye(3, 4) ; torch.rand(3) ; torch.randn(3, 4) ;
torch.randint(0, 10, (3,)) ; torch.randint_like(m34, 10) ; torch.randn_like(m34) ; torch.randperm(5) ;
torch.normal(m34, 1.0) ; torch.normal(0.0, 1.0, (2, 3)) ; torch.multinomial(m34.softmax(1), 2) ;
torch.bernoulli(m34.sigmoid()) ; torch.poisson(m34.abs()) ; torch.hann_window(16) ; torch.hamming_window(16) ;
torch.blackman_window(16) ; torch.bartlett_window(16) ; torch.kaiser_window(16) ; torch.empty_strided((2, 3), (3, 1)) ;
torch.as_strided(m34, (2, 2), (1, 2)) ; m34.as_strided_((2, 2), (1, 2)) ; m34.expand(2, 3, 4) ; m34.expand_as(b234) ;
m34.repeat(2, 1) ; m34.view(-1) ; m34.view_as(m34) ; m34.reshape(2, -1) ; m34.reshape_as(m34) ; m34.flatten() ;
m34.squeeze(0) ; m34.unsqueeze(-1) ; m34.contiguous() ; m34.clone() ; m34.detach() ; m34.to(torch.float16) ;
m34.half() ; m34.double() ; m34.bfloat16() ; m34.int() ; m34.long() ; m34.bool() ; m34.float() ;
m34.type(torch.float64) ; m34.type_as(i3) ; m34.cpu() ; m34.fill_(1.0) ; m34.zero_() ; m34.copy_(m34) ; m34.add_(1.0) ;
m34.mul_(2) ; m34.masked_fill_(m34 > 0, 0.0) ; m34.uniform_() ; m34.normal_() ; m34.index_fill_(0, i2, 0.0) ;
m34.sum_to_size(1, 4) ; m34.movedim(0, 1) ; m34.diff() ; m34.logit() ; m34.sigmoid_() ; m34.ne(0) ; m34.permute(1, 0) ;
m34.transpose(0, 1) ; m34.amax((0, 1)) ; m34.nan_to_num() ; m34.softmax(-1) ; m34.log_softmax(-1) ;
m34.softmax(-1, dtype=torch.float64) ; m34.sum(dtype=torch.float64) ; m34.mean(1, dtype=torch.float64) ;
i34.float().mean() ; i34.sum(1) ; (m34 > 0).sum(1) ; (m34 > 0).float().mean(1) ; torch.logical_and(m34, m34) ;
torch.cosine_similarity(m34, m34) ; torch.pixel_shuffle(img, 2) ; torch.squeeze(b234[:, :1]) ;
F.unfold(img, (3, 3), dilation=2) ; torch.ops.aten.upsample_bilinear2d(img, [5, 5], False) ;
torch.ops.aten._softmax(m34, 1, False) ; torch.ops.aten.native_group_norm(img, None, None, 1, 4, 64, 2, 1e-5) ;
torch.ops.aten._adaptive_avg_pool2d(img, [2, 2]) ; torch.ops.aten._to_copy(m34, dtype=torch.float16) ;
torch.ops.aten._unsafe_view(m34, [12]) ; torch.ops.aten._log_softmax(m34, 1, False) ;
torch.ops.aten.reflection_pad2d(img, [1, 1, 1, 1]) ; torch.ops.aten.scalar_tensor(1.0) ;
torch.ops.aten._fused_rms_norm(m34, [4], None, 1e-5) ;
torch.ops.aten._scaled_dot_product_flash_attention_for_cpu(q, q, q) ;
torch.ops.aten._scaled_dot_product_attention_math(q, q, q) ; torch.vander(v4) ; torch.bitwise_right_shift(i3, 1) ;
torch.cumulative_trapezoid(v4) ; F.rrelu(m34) ; torch.fake_quantize_per_tensor_affine(m34, 0.1, 0, 0, 255) ;
torch.fake_quantize_per_channel_affine(m34, torch.ones(3), torch.zeros(3).int(), 0, 0, 255) ;
L.householder_product(m43, v3) ; torch.geqrf(m43) ; torch.lu_solve(m34, *L.lu_factor(s33)) ; L.ldl_factor(spd) ;
L.inv_ex(s33) ; L.cholesky_ex(spd) ; L.lu_factor(s33) ; torch.sparse.mm(m34.to_sparse(), m45) ;
F.scaled_dot_product_attention(q, q, q, attn_mask=torch.zeros(8, 8)) ; torch.matmul(v4, m45) ; torch.matmul(b234, v4) ;
torch.matmul(v4, b245) ; torch.matmul(q, q.transpose(-1, -2)) ; torch.mm(m34, m45) ; F.softplus(m34) ;
torch.bmm(b234.half(), b245.half()) ; torch.prod(m34) ; torch.unsqueeze(m34, 0).expand(5, -1, -1).matmul(m45) ;
torch._C._nn.gelu(m34) ; torch.var(m34, dim=1, unbiased=False) ; torch.var(m34, dim=1, correction=0) ;
torch.std(m34, dim=1, correction=0, keepdim=True) ;
F.grid_sample(vol, torch.zeros(1, 3, 3, 3, 3), align_corners=False) ;
F.affine_grid(torch.randn(1, 3, 4), [1, 2, 3, 4, 5]) ; T.fft(m34, n=8) ; T.rfft(m34, n=8, dim=0) ;
T.fftn(b234, s=(4, 4), dim=(1, 2)) ; torch.sum(m34, dim=()) ; torch.unflatten(b234, -1, (2, -1)) ;
torch.cummax(b234, -1)[1] ; F.multi_margin_loss(m34, i3) ; F.soft_margin_loss(m34, m34) ;
F.gaussian_nll_loss(m34, m34, m34.abs()) ; F.poisson_nll_loss(m34, m34) ; F.hinge_embedding_loss(m34, m34) ;
F.multilabel_margin_loss(m34, i34) ; F.multilabel_soft_margin_loss(m34, m34) ; torch.channel_shuffle(img, 2) ;
torch.as_tensor(m34) ; torch.square(m34).sum().sqrt() ; F.normalize(b234, dim=1) ;
torch.dequantize(torch.quantize_per_tensor(m34, 0.1, 0, torch.quint8)) ;
torch.cdist(torch.ones(1,30,6)*s0, torch.ones(1,7,6)) ; torch.cdist(torch.ones(1,30,6)*s0, torch.ones(1,7,6), p=1.0) ;
torch.cdist(b234, b264, compute_mode='use_mm_for_euclid_dist') ;
torch.cdist(torch.ones(1,30,6)*s0, torch.ones(1,7,6), compute_mode='donot_use_mm_for_euclid_dist') ;
torch.matrix_power(s33, 7) ; torch.matrix_power(s33, 0)
"""
"""Expressions whose results have the shapes and types that their inputs imply."""

COUNTED = """
torch.addmm(m35, m34, m45) ; torch.inner(m34, m34) ; torch.inner(b234, m34) ; b234 @ b245 ; torch.bmm(b234, b245)
torch.baddbmm(b235, b234, b245) ; L.multi_dot([m34, m45, m53]) ; torch.tensordot(b234, b423, dims=1)
torch.tensordot(b234, b423, ([1, 2], [2, 0])) ; torch.einsum('bij,bjk->bik', b234, b245) ; q @ q.mT
torch.einsum('bij,jk', b234, m45) ; L.matrix_power(s33, 3) ; torch.matrix_power(s33, 7) ; torch.matrix_power(s33, 0)
F.conv1d(b234, torch.randn(5, 3, 2)) ; F.conv2d(img, torch.randn(8, 4, 3, 3), padding='same')
F.conv2d(img, torch.randn(8, 2, 3, 3), groups=2, stride=2, padding=1, dilation=2) ; F.linear(b234, m34)
F.conv_transpose2d(img, torch.randn(4, 6, 3, 3), stride=2, output_padding=1, padding=1) ; torch.cdist(m34, m34, p=1.0)
F.conv_transpose3d(vol, torch.randn(2, 6, 3, 3, 3)) ; torch.gru_cell(m34, m34, torch.randn(12, 4), torch.randn(12, 4))
F.conv3d(vol, torch.randn(8, 2, 3, 3, 3)) ; torch.rnn_tanh_cell(m34, m34, torch.randn(4, 4), torch.randn(4, 4))
"""
"""Expressions whose multiply-adds torch counts as we do; it counts no product of vectors."""


class Steps(nn.Module):
    """A cell in a loop over as many steps as the input has."""

    def __init__(self) -> None:
        super().__init__()
        self.cell, self.last = nn.GRUCell(8, 6), nn.Linear(6, 3)

    def forward(self, x: Tensor) -> Tensor:
        state = self.last.weight.new_zeros(x.size(0), 6)
        found: list[Tensor] = []
        for step in range(x.size(1)):
            state = self.cell(x[:, step], state)
            found.append(self.last(state))
        return torch.stack(found, 1)


class Filled(nn.Module):
    """A loop that nothing takes from, but that fills a tensor around it."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(8, 6)

    def forward(self, x: Tensor) -> Tensor:
        found = torch.zeros(x.shape[0], x.shape[1], 6)
        for step in range(x.shape[1]):
            found[:, step] = self.linear(x[:, step])
        return found


class Heads(nn.Module):
    """Sizes that a trace works out as numbers: what is divided, and a scale in reals."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(32, 96)

    def forward(self, x: Tensor) -> Tensor:
        batch, length, width = x.shape
        q, k, v = self.linear(x).reshape(batch, length, 3, 4, width // 4).permute(2, 0, 3, 1, 4).unbind(0)
        scores = (q @ k.transpose(-2, -1)) * (width // 4) ** -0.5
        out = (scores.softmax(-1) @ v).transpose(1, 2).reshape(batch, length, width)
        return functional.interpolate(out.transpose(1, 2)[:, :, None], scale_factor=(1.0, 0.5), mode="area")


class Spectrogram(nn.Module):
    """A transform whose padding the code works out from a list of sizes, and a product of complex weights."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("window", torch.hann_window(64))
        self.bank, self.mix = nn.Parameter(torch.randn(10, 33)), nn.Parameter(torch.randn(26, 4, dtype=torch.cfloat))

    def forward(self, x: Tensor) -> Tensor:
        z = torch.stft(x, 64, 16, window=self.window, return_complex=True)
        y = torch.einsum("bft,to->bfo", z, self.mix)
        return torch.cat(
            [(self.bank @ y.abs().pow(2)).clamp(min=1e-5).log10(), torch.fft.irfft(y, n=12).mean(-2, True)[..., :4]], 1
        )


class Masked(nn.Module):
    """Numbers written in the code, and places of their own."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(8, 8)

    def forward(self, x: Tensor) -> Tensor:
        mask = torch.arange(6)[None, :] < torch.tensor([3, 5])[:, None]
        y = torch.where(mask[..., None], self.linear(x), 0.0)
        y[:, 0] += 1
        return y.sum(1) / mask.sum(1, keepdim=True).clamp(min=1)


ODD = {
    "steps": (Steps, (2, 5, 8)), "filled": (Filled, (2, 5, 8)), "heads": (Heads, (2, 10, 32)),
    "spectrogram": (Spectrogram, (2, 400)), "masked": (Masked, (2, 6, 8)),
}  # fmt: skip


def odd(folder: Path, name: str) -> dict[str, Any]:
    """Trace and script one module; what a run of it gives."""
    made, shape = ODD[name]
    model, x = made().eval(), torch.randn(shape)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        result = model(x)
    torch.jit.script(model).save(str(folder / f"{name}_script.pt"))
    torch.jit.trace(model, x, check_trace=False).save(str(folder / f"{name}_trace.pt"))
    return {"input": list(shape), "output": list(result.shape), "macs": counter.get_total_flops() // 2}


def flat(item: Any) -> Iterator[torch.Tensor]:
    """The tensors in tuples and lists."""
    for part in item if isinstance(item, tuple | list) else ():
        yield from flat(part)
    if isinstance(item, torch.Tensor):
        yield item


def build(folder: Path, name: str, text: str) -> dict[str, Any]:
    """Trace all expressions as one module; what each gives."""
    expressions = [each.strip(" ;") for each in text.replace("\n", " ; ").split(" ; ") if each.strip(" ;")]
    space = {"torch": torch, "F": functional, "L": torch.linalg, "S": torch.special, "T": torch.fft}
    used = [key for key in INPUTS if re.search(rf"\b{key}\b", text)]
    # What works in place gets a copy: all take the same inputs.
    parts = [each.replace("m34", "m34.clone()", 1) if "_(" in each else each for each in expressions]
    returned = ", ".join(f"({part},)" for part in parts)
    head = f"class Model(torch.nn.Module):\n    def forward(self, {', '.join(used)}):\n"
    exec(f"{head}        return ({returned})", space)
    model = space["Model"]()
    model.__class__.__module__ = __name__
    args = tuple(INPUTS[key] for key in used)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        results = model(*args)
    torch.jit.trace(model, args, check_trace=False).save(str(folder / f"{name}.pt"))
    outputs = [
        [expression, list(tensor.shape), str(tensor.dtype).removeprefix("torch.")]
        for expression, result in zip(expressions, results, strict=True)
        for tensor in flat(result)
    ]
    return {"outputs": outputs, "macs": counter.get_total_flops() // 2}


def main() -> None:
    folder = Path(sys.argv[1])
    facts = {name: build(folder, name, text) for name, text in (("shaped", SHAPED), ("counted", COUNTED))}
    facts["odd"] = {name: odd(folder, name) for name in ODD}
    (folder / "facts.json").write_text(json.dumps(facts))


main()
