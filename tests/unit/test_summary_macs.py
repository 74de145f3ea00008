"""Multiply-adds against torch's own counter where it counts, and against the arithmetic where it does not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from inspector.engines.summary.call import Call
from inspector.engines.summary.macs import counts, macs
from inspector.ir.operators import canonical


def shapes(*items: Any) -> tuple[tuple[int, ...], ...]:
    return tuple(tuple(item.shape) for item in items)


def flops(run: Callable[[], torch.Tensor]) -> tuple[int, torch.Tensor]:
    with FlopCounterMode(display=False) as counter:
        out = run()
    return counter.get_total_flops(), out


def call(op: str, inputs: tuple[Any, ...], output: Any, **more: Any) -> Call:
    stored = more.pop("stored", (False,) * len(inputs))
    return Call(canonical(op), op, inputs, (output,), stored, **more)


def attention(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    with sdpa_kernel(SDPBackend.MATH):  # the counter does not know the kernels of the CPU
        return F.scaled_dot_product_attention(q, k, v)


r = torch.randn

CASES: dict[str, tuple[str, Callable[..., torch.Tensor], tuple[torch.Tensor, ...]]] = {
    "conv": (
        "aten.conv2d.default",
        lambda x, w: F.conv2d(x, w, stride=2, padding=3),
        (r(2, 3, 32, 32), r(64, 3, 7, 7)),
    ),
    "mode": (
        "aten::_convolution_mode",
        lambda x, w: F.conv3d(x, w, padding="same"),
        (r(1, 2, 5, 6, 7), r(4, 2, 3, 3, 3)),
    ),
    "tensordot": ("aten.tensordot.default", lambda x, w: torch.tensordot(x, w, 2), (r(3, 4, 5), r(4, 5, 6))),
    "chain": (
        "aten.linalg_multi_dot.default",
        lambda *matrices: torch.linalg.multi_dot(matrices),
        (r(4, 50), r(50, 3), r(3, 7), r(7, 60), r(60)),
    ),
    "groups": ("aten.conv2d.default", lambda x, w: F.conv2d(x, w, groups=4), (r(2, 8, 9, 9), r(16, 2, 3, 3))),
    "depthwise": ("aten.conv2d.default", lambda x, w: F.conv2d(x, w, groups=8), (r(1, 8, 9, 9), r(8, 1, 3, 3))),
    "dilated": ("aten.conv2d.default", lambda x, w: F.conv2d(x, w, dilation=2), (r(1, 4, 9, 9), r(6, 4, 3, 3))),
    "conv1d": ("aten.conv1d.default", F.conv1d, (r(2, 5, 11), r(7, 5, 3))),
    "conv3d": ("aten.conv3d.default", F.conv3d, (r(2, 5, 6, 7, 8), r(7, 5, 3, 3, 3))),
    "transposed": (
        "aten.conv_transpose2d.input",
        lambda x, w: F.conv_transpose2d(x, w, stride=2),
        (r(2, 6, 5, 5), r(6, 4, 3, 3)),
    ),
    "transposed groups": (
        "ConvTranspose",
        lambda x, w: F.conv_transpose2d(x, w, stride=2, groups=3),
        (r(2, 6, 5, 5), r(6, 4, 3, 3)),
    ),
    "linear": ("aten.linear.default", F.linear, (r(5, 7, 12), r(3, 12))),
    "matmul": ("MatMul", torch.matmul, (r(2, 4, 7, 12), r(2, 4, 12, 5))),
    "broadcast matmul": ("aten.matmul.default", torch.matmul, (r(2, 4, 7, 12), r(12, 5))),
    "mm": ("aten.mm.default", torch.mm, (r(7, 12), r(12, 5))),
    "baddbmm": ("aten.baddbmm.default", torch.baddbmm, (r(3, 7, 5), r(3, 7, 12), r(3, 12, 5))),
    "addmm": ("aten.addmm.default", torch.addmm, (r(5), r(7, 12), r(12, 5))),
    "attention": (
        "aten.scaled_dot_product_attention.default",
        attention,
        (r(2, 4, 10, 16), r(2, 4, 14, 16), r(2, 4, 14, 16)),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_against_torch(case: str) -> None:
    op, run, inputs = CASES[case]
    counted, out = flops(lambda: run(*inputs))
    assert counted > 0
    assert 2 * (macs(call(op, shapes(*inputs), tuple(out.shape))) or 0) == counted


@pytest.mark.parametrize(
    ("op", "inputs", "output", "attributes", "want"),
    [
        ("aten.addmv.default", ((3,), (3, 4), (4,)), (3,), {}, 12),
        ("aten.addbmm.default", ((3, 5), (2, 3, 4), (2, 4, 5)), (3, 5), {}, 120),
        ("aten.inner.default", ((2, 3, 4), (3, 4)), (2, 3, 3), {}, 72),
        ("aten::linalg_vecdot", ((3, 4), (3, 4)), (3,), {}, 12),
        ("aten._grouped_mm.default", ((9, 4), (3, 4, 5)), (9, 5), {}, 9 * 4 * 5),  # the rows of each expert
        ("aten._grouped_mm.default", ((4, 9), (9, 5)), (3, 4, 5), {}, 4 * 9 * 5),  # as for the gradient of its weight
        ("aten._weight_int4pack_mm_for_cpu.default", ((7, 64), (16, 32), (2, 16, 2)), (7, 16), {}, 7 * 64 * 16),
        ("aten.linalg_matrix_power.default", ((2, 3, 3),), (2, 3, 3), {"n": 7}, 4 * 2 * 27),
        ("aten.linalg_matrix_power.default", ((2, 3, 3),), (2, 3, 3), {"n": 0}, 0),
        ("aten.linalg_matrix_power.default", ((2, 3, 3),), (2, 3, 3), {"n": -2}, None),  # an inverse first
        ("aten.cdist.default", ((1, 30, 6), (1, 7, 6)), (1, 30, 7), {}, 30 * 7 * 8),
        ("aten.cdist.default", ((1, 30, 6), (1, 7, 6)), (1, 30, 7), {"p": 1.0}, 0),
        ("aten.cdist.default", ((1, 5, 6), (1, 7, 6)), (1, 5, 7), {}, 0),
        ("aten._cdist_forward.default", ((5, 6), (7, 6)), (5, 7), {"p": 2.0, "compute_mode": 1}, 5 * 7 * 8),
    ],
)
def test_less_common_products(
    op: str, inputs: tuple[Any, ...], output: tuple[int, ...], attributes: dict[str, Any], want: int | None
) -> None:
    assert macs(call(op, inputs, output, attributes=attributes)) == want


def test_unbatched_convolution() -> None:
    assert macs(call("aten.conv2d.default", ((3, 8, 8), (4, 3, 3, 3)), (4, 6, 6))) == 4 * 6 * 6 * 3 * 9


def test_channels_last_formats_count_the_same() -> None:
    torch_way = macs(call("Conv", ((2, 3, 32, 32), (8, 3, 5, 5)), (2, 8, 28, 28)))
    tflite = macs(call("CONV_2D", ((2, 32, 32, 3), (8, 5, 5, 3)), (2, 28, 28, 8), channels_last=True))
    tf = macs(call("Conv2D", ((2, 32, 32, 3), (5, 5, 3, 8)), (2, 28, 28, 8), channels_last=True))
    keras = macs(
        call("Conv2D", ((2, 32, 32, 3),), (2, 28, 28, 8), owned=(("c/kernel", (5, 5, 3, 8)), ("c/bias", (8,))),
             channels_last=True)
    )  # fmt: skip
    first = macs(
        call("Conv2D", ((2, 3, 32, 32), (5, 5, 3, 8)), (2, 8, 28, 28), channels_last=True,
             attributes={"data_format": "NCHW"})
    )  # fmt: skip
    assert torch_way == tflite == tf == keras == first == 2 * 28 * 28 * 8 * 3 * 25


def test_depthwise_and_separable_of_keras() -> None:
    size = (1, 10, 10, 4)
    depthwise = (("d/kernel", (3, 3, 4, 2)),)
    assert macs(call("DepthwiseConv2D", (size,), (1, 8, 8, 8), owned=depthwise, channels_last=True)) == 64 * 8 * 9
    separable = (("s/depthwise_kernel", (3, 3, 4, 1)), ("s/pointwise_kernel", (1, 1, 4, 6)), ("s/bias", (6,)))
    expected = 64 * (4 * 9 + 4 * 6)
    assert macs(call("SeparableConv2D", (size,), (1, 8, 8, 6), owned=separable, channels_last=True)) == expected


def test_transposed_convolutions_of_tensorflow_take_their_data_last() -> None:
    expected = 2 * 5 * 5 * 6 * 4 * 9
    for op, kernel in (("Conv2DBackpropInput", (3, 3, 4, 6)), ("TRANSPOSE_CONV", (4, 3, 3, 6))):
        inputs = ((4,), kernel, (2, 5, 5, 6))
        assert macs(call(op, inputs, (2, 11, 11, 4), channels_last=True)) == expected


@pytest.mark.parametrize("turned", [False, True])
def test_gemm(turned: bool) -> None:
    weight = (5, 12) if turned else (12, 5)
    made = call("Gemm", ((7, 12), weight, (5,)), (7, 5), attributes={"transB": int(turned)})
    assert macs(made) == 7 * 12 * 5
    unknown = Call(made.name, made.op, made.inputs, (None,), made.stored, attributes=made.attributes)
    assert macs(unknown) == 7 * 12 * 5


def test_fully_connected_and_dense() -> None:
    assert macs(call("FULLY_CONNECTED", ((3, 4, 12), (5, 12), (5,)), (12, 5))) == 12 * 60
    assert macs(call("Dense", ((3, 12),), (3, 5), owned=(("d/kernel", (12, 5)), ("d/bias", (5,))))) == 180


@pytest.mark.parametrize(
    ("equation", "inputs", "expected"),
    [
        ("ij,jk->ik", ((3, 4), (4, 5)), 60),
        ("bhqd,bhkd->bhqk", ((2, 3, 5, 7), (2, 3, 11, 7)), 2 * 3 * 5 * 11 * 7),
        ("...ij,...jk->...ik", ((2, 3, 4), (2, 4, 5)), 2 * 60),
        ("ij,jk,kl->il", ((3, 4), (4, 5), (5, 6)), 60 + 90),
        ("ii->i", ((3, 3),), 0),
    ],
)
def test_einsum(equation: str, inputs: tuple[tuple[int, ...], ...], expected: int) -> None:
    assert macs(call("Einsum", inputs, None, attributes={"equation": equation})) == expected


def test_an_equation_for_other_dimensions_has_no_figures() -> None:
    """Found by fuzzing: a term of two labels, and an operand of one dimension."""
    assert macs(call("Einsum", ((3,), (3, 4)), None, attributes={"equation": "ij,jk->ik"})) is None


@pytest.mark.parametrize(("size", "expected"), [(7, 2 * 5 * 7 * 4 * 3), (-7, None)])
def test_a_model_in_a_wrapper_over_time(size: int, expected: int | None) -> None:
    """A file may say of a layer inside that its output has less than nothing; found by fuzzing."""
    inner = {"op": "Dense", "layer": "d", "inputs": ((1, size, 4),), "output": (1, size, 3)}
    owned = (("time/model/d/kernel", (4, 3)),)
    made = call("TimeDistributed", ((2, 5, 7, 4),), (2, 5, 7, 3), owned=owned, attributes={"inside": (inner,)})
    assert macs(made) == expected


def test_einsum_layer_of_keras() -> None:
    made = call("EinsumDense", ((2, 9, 16),), (2, 9, 4, 8), owned=(("q/kernel", (16, 4, 8)), ("q/bias", (4, 8))),
                attributes={"equation": "abc,cde->abde"})  # fmt: skip
    assert macs(made) == 2 * 9 * 16 * 32


@pytest.mark.parametrize(("name", "gates"), [("LSTM", 4), ("GRU", 3), ("RNN", 1)])
def test_recurrent_layers(name: str, gates: int) -> None:
    steps, batch, size, hidden = 6, 2, 10, 16
    one = steps * batch * gates * hidden * (size + hidden)
    onnx = ((steps, batch, size), (1, gates * hidden, size), (1, gates * hidden, hidden), (1, 2 * gates * hidden))
    assert macs(call(name, onnx, None, stored=(False, True, True, True))) == one
    both = ((steps, batch, size), (2, gates * hidden, size), (2, gates * hidden, hidden))
    assert macs(call(name, both, None, stored=(False, True, True))) == 2 * one
    aten = (
        (batch, steps, size),
        (1, batch, hidden),
        (gates * hidden, size),
        (gates * hidden, hidden),
        (gates * hidden,),
    )
    assert macs(call(f"aten.{name.lower()}.input", aten, None, stored=(False, False, True, True, True))) == one


def test_recurrent_layers_of_keras() -> None:
    owned = (("gru/kernel", (10, 48)), ("gru/recurrent_kernel", (16, 48)), ("gru/bias", (2, 48)))
    assert macs(call("GRU", ((2, 6, 10),), (2, 16), owned=owned, channels_last=True)) == 2 * 6 * 48 * 26


def test_attention_of_onnx() -> None:
    q, kv = (2, 4, 10, 16), (2, 4, 14, 16)
    expected = 2 * 4 * 10 * 14 * 32
    assert macs(call("Attention", (q, kv, kv), q)) == expected
    flat = call("Attention", ((2, 10, 64), (2, 14, 64), (2, 14, 64)), (2, 10, 64),
                attributes={"q_num_heads": 4, "kv_num_heads": 4})  # fmt: skip
    assert macs(flat) == expected
    grouped = call("Attention", ((2, 10, 64), (2, 14, 32), (2, 14, 32)), (2, 10, 64),
                   attributes={"q_num_heads": 4, "kv_num_heads": 2})  # fmt: skip
    assert macs(grouped) == expected


def test_multi_head_attention_of_keras() -> None:
    owned = (
        ("mha/query/kernel", (32, 4, 8)), ("mha/query/bias", (4, 8)), ("mha/key/kernel", (32, 4, 8)),
        ("mha/key/bias", (4, 8)), ("mha/value/kernel", (32, 4, 8)), ("mha/value/bias", (4, 8)),
        ("mha/attention_output/kernel", (4, 8, 32)), ("mha/attention_output/bias", (32,)),
    )  # fmt: skip
    made = call("MultiHeadAttention", ((2, 10, 32), (2, 14, 32)), (2, 10, 32), owned=owned, channels_last=True)
    projections = 2 * (10 + 14 + 14 + 10) * 32 * 32
    assert macs(made) == projections + 2 * 4 * 10 * 14 * 16


def test_the_order_of_the_kernels_of_an_attention_does_not_matter() -> None:
    """Keras' archive has query first, its H5 file the output: as the alphabet has them."""
    sizes = {"query": (32, 4, 8), "key": (32, 4, 8), "value": (32, 4, 6), "attention_output": (4, 6, 32)}
    expected = 2 * 10 * (32 * 32 + 32 * 32 + 32 * 24 + 24 * 32) + 2 * 4 * 10 * 10 * (8 + 6)
    for names in (list(sizes), sorted(sizes)):
        owned = tuple((f"mha/{name}/{part}", sizes[name]) for name in names for part in ("bias", "kernel"))
        made = call("MultiHeadAttention", ((2, 10, 32),), (2, 10, 32), owned=owned, channels_last=True)
        assert macs(made) == expected


def test_attention_of_onnx_runtime() -> None:
    q, kv = (2, 10, 64), (2, 14, 64)
    scores = 2 * 4 * 10 * 14 * (16 + 16)
    own = {"domain": "com.microsoft", "attributes": {"num_heads": 4}}
    assert macs(call("MultiHeadAttention", (q, kv, kv), q, **own)) == scores
    packed = 2 * 4 * 10 * 10 * (16 + 16)
    assert macs(call("MultiHeadAttention", ((2, 10, 4, 3, 16), None, None), q, **own)) == packed
    past = (None, None, None, (2, 4, 5, 16), (2, 4, 5, 16))
    assert macs(call("MultiHeadAttention", (q, q, q, *past), q, **own)) == 2 * 4 * 10 * 15 * 32
    assert macs(call("Attention", (q, (64, 192), (192,)), q, **own)) == 2 * 10 * 64 * 192 + packed
    assert macs(call("Attention", (q, (64, 192), (192,), None, (2, 2, 4, 5, 16)), q, **own)) == (
        2 * 10 * 64 * 192 + 2 * 4 * 10 * 15 * 32
    )
    shared = {"domain": "com.microsoft", "attributes": {"num_heads": 4, "kv_num_heads": 2}}
    group = (q, (2, 10, 32), (2, 10, 32), (2, 2, 5, 16), (2, 2, 5, 16))
    assert macs(call("GroupQueryAttention", group, q, **shared)) == 2 * 4 * 10 * 15 * 32
    together = ((2, 10, 128), None, None, (2, 2, 5, 16), (2, 2, 5, 16))
    assert macs(call("GroupQueryAttention", together, q, **shared)) == 2 * 4 * 10 * 15 * 32


def test_convolutional_recurrence() -> None:
    owned = (("c/kernel", (3, 3, 2, 20)), ("c/recurrent_kernel", (3, 3, 5, 20)), ("c/bias", (20,)))
    expected = 1 * 4 * 6 * 6 * (9 * 2 * 20 + 9 * 5 * 20)
    for output in ((1, 4, 6, 6, 5), (1, 6, 6, 5)):
        assert macs(call("ConvLSTM2D", ((1, 4, 8, 8, 2),), output, owned=owned, channels_last=True)) == expected
    first = {"data_format": "channels_first"}
    inputs, output = ((1, 4, 2, 8, 8),), (1, 5, 6, 6)
    assert macs(call("ConvLSTM2D", inputs, output, owned=owned, channels_last=True, attributes=first)) == expected


def test_recurrence_whose_weights_are_put_together_by_nodes() -> None:
    """torch.onnx slices and joins them; nobody knows the shapes of the pieces."""
    unknown = ((6, 2, 10), (1, 1, 1), (1, 1, 1), (1, 1))
    made = call("LSTM", unknown, None, attributes={"hidden_size": 16})
    assert macs(made) == 6 * 2 * 4 * 16 * (10 + 16)
    pieces = (None, None, None, None)
    whole = call("LSTM", ((6, 2, 1), *pieces[1:]), None, attributes={"hidden_size": 16},
                 parts=((64, 10), (64, 16), (64,)))  # fmt: skip
    assert macs(whole) == macs(made)
    both = call("GRU", unknown, None, attributes={"hidden_size": 16, "direction": "bidirectional"})
    assert macs(both) == 2 * 6 * 2 * 3 * 16 * (10 + 16)


def test_a_product_with_one_unknown_side() -> None:
    assert macs(call("MatMul", (None, (12, 5)), (7, 5))) == 7 * 5 * 12
    assert macs(call("MatMul", (None, (5, 12)), (7, 5), attributes={"transpose_b": True})) == 7 * 5 * 12
    assert macs(call("MatMul", (None, (12, 5)), None)) is None


@pytest.mark.parametrize(
    "op", ["Relu", "Add", "BatchNormalization", "MaxPool", "LayerNormalization", "Softmax", "Strange"]
)
def test_what_is_not_a_product_counts_nothing(op: str) -> None:
    assert macs(call(op, ((2, 3),), (2, 3))) == 0
    assert not counts(canonical(op))


@pytest.mark.parametrize("op", ["Conv", "Gemm", "MatMul", "LSTM", "Einsum", "Attention", "ConvTranspose", "SVDF"])
def test_unknown_shapes_give_no_number(op: str) -> None:
    assert macs(call(op, (None, None, None), None)) is None


@pytest.mark.parametrize("op", ["Conv", "Gemm", "MatMul", "LSTM", "Attention", "aten.addmm.default", "Bilinear", "GRU"])
@pytest.mark.parametrize("shape", [(), (0,), (2**62, 2**62, 2**62, 2**62)])
def test_shapes_that_do_not_fit_neither_raise_nor_overflow(op: str, shape: tuple[int, ...]) -> None:
    found = macs(call(op, (shape, shape, shape), shape, stored=(True, True, True)))
    assert found is None or 0 <= found < 2**63


def test_a_layer_run_once_a_step_counts_every_step() -> None:
    kernel = (("td/conv/kernel", (3, 3, 3, 4)), ("td/conv/bias", (4,)))
    config = {"layer": {"Conv2D": {"strides": (1, 1)}}}
    done = call(
        "TimeDistributed", ((2, 5, 8, 8, 3),), (2, 5, 6, 6, 4), owned=kernel, channels_last=True, attributes=config
    )
    assert macs(done) == 2 * 5 * 36 * 108
    nested = {"layer": {"Sequential": {"layers": ()}}}
    assert macs(call("TimeDistributed", ((2, 5, 8),), (2, 5, 4), owned=kernel, attributes=nested)) is None
    assert macs(call("TimeDistributed", ((2, 5, 8),), (2, 5, 8), attributes={"layer": {"Flatten": {}}})) == 0
