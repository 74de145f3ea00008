"""Multiply-adds of one operation, from shapes and a few attributes.

**Multiply-adds** (MACs) are the scalar multiplications of convolutions, linear layers, matrix products, attention and
recurrent layers: half of what `torch.utils.flop_counter` calls FLOPs. A bias, an activation, a normalisation, pooling
and everything elementwise count 0: they are bound by memory, not by arithmetic, and every tool counts them otherwise.
Attention counts the whole score matrix, masked or not. A recurrent layer counts its matrix products over all steps.

One function for each canonical operator; formats differ only in where a weight stands among the inputs and in which
axis holds the channels, and both are worked out here from shapes where they can be.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import prod

from inspector.engines.summary import products
from inspector.engines.summary.call import Call, Numbers
from inspector.engines.summary.keras_calls import inside, reversible, with_constants
from inspector.engines.summary.sizes import LARGEST
from inspector.ir.operators import canonical, category


def macs(call: Call) -> int | None:
    """Multiply-adds of one call; 0 for operators that have none; None where shapes are not known."""
    count = _COUNTS.get(call.name)
    if count is None:
        return 0
    try:
        found = count(with_constants(call) if "constants" in call.attributes else call)
    except (IndexError, ValueError, ZeroDivisionError):  # shapes that do not fit the operator: a wrong file
        return None
    return None if found is None else min(found, LARGEST)


def counts(name: str) -> bool:
    """Whether a canonical operator has multiply-adds at all."""
    return name in _COUNTS


def _conv(call: Call) -> int | None:
    """Each output position applies each kernel element once; each input position, when transposed."""
    transposed = call.name == "conv_transpose" or call.flag("transposed")
    data_last = transposed and call.op.upper().endswith(_DATA_LAST)
    if call.owned:
        kernels = call.kernels(3)
    else:
        kernel = call.input(3 if call.op.startswith("QLinear") else 1)
        kernels = [] if kernel is None else [kernel]
        second = call.input(2) if call.op == "SeparableConv" else None  # Keras' operation
        kernels += [] if second is None else [second]
    where = call.input(2 if data_last else 0) if transposed else call.output
    if not kernels or where is None:
        return None
    rank = len(kernels[0]) - call.op.startswith("GroupConvolution")  # OpenVINO's have an axis of groups in front
    axis = len(where) - 1 if _channels_last(call) else len(where) - rank + 1
    return prod(size for place, size in enumerate(where) if place != axis) * sum(map(prod, kernels))


_DATA_LAST = ("BACKPROPINPUT", "BACKPROPINPUTV2", "TRANSPOSE_CONV", "CONV_3D_TRANSPOSE")
"""Transposed convolutions of TensorFlow and TFLite, which take the size to give first and the data last."""


def _channels_last(call: Call) -> bool:
    words = call.attributes.get("data_format")
    if isinstance(words, str) and words:
        return words.endswith(("last", "C"))
    return call.channels_last


def _linear(call: Call) -> int | None:
    if isinstance(call.attributes.get("equation"), str):
        return _einsum(call)
    kernels = call.kernels(2)
    if kernels:
        inner, outer = kernels[0][0], kernels[0][-1]
    elif call.op.split(".")[-2:-1] == ["addmm"] or call.op.endswith("addmm"):
        a, b = call.input(1), call.input(2)
        if a is None:
            return None
        inner, outer = a[-1], b[-1] if b else 0
    else:
        weight, data = call.input(1), call.input(0)
        if call.op == "Gemm":
            if weight is not None:
                inner, outer = (weight[1], weight[0]) if call.flag("transB") else (weight[0], weight[1])
            elif data is not None:
                inner, outer = data[0] if call.flag("transA") else data[1], 0
            else:
                return None
        elif weight is not None and len(weight) > 1:
            inner, outer = weight[-1], weight[0]
        elif data is not None:
            inner, outer = data[-1], 0
        else:
            return None
    return _rows_times(call, inner, outer)


def _rows_times(call: Call, inner: int, outer: int) -> int | None:
    if call.output is not None:
        return prod(call.output) * inner
    data = call.input(0)
    return prod(data) * outer if data is not None and outer else None


def _matmul(call: Call) -> int | None:
    if call.op in {"MatMulNBits", "MatMulBnb4"}:  # packed, the weight has a shape of its own
        rows = call.input(0)
        return None if rows is None else prod(rows[:-1]) * call.number("K") * call.number("N")
    short = call.op.rpartition("::")[2].split(".")
    shifted = any(name in {"baddbmm", "addbmm", "addmv"} for name in short)
    a, b = call.input(int(shifted)), call.input(3 if call.op.startswith("QLinear") else int(shifted) + 1)
    if a is None:
        if b is None or call.output is None:
            return None
        return prod(call.output) * (b[-2] if len(b) > 1 and not _turned_weight(call) else b[-1])
    if not a:
        return 0
    if "grouped" in call.op and b is not None and len(a) == len(b) == 2:  # groups along what is summed over
        return prod(a) * b[-1]
    if "addbmm" in short:
        return None if b is None else prod(a) * b[-1]
    said = call.attributes.get("axes")  # Keras' Dot names those it sums over
    along = said[0] if call.op == "Dot" and isinstance(said, tuple) and said else said
    if call.op == "Dot" and isinstance(along, int) and call.output is not None:
        return prod(call.output) * a[along]
    turned = call.flag("transA", "adj_x", "adjX", "AdjX", "adjoint_a", "transpose_a", "transpose_x") and len(a) > 1
    if call.output is not None:
        return prod(call.output) * (a[-2] if turned else a[-1])
    if b is None:
        return None
    return prod(a) * (1 if len(b) < 2 else b[-2] if _turned_weight(call) else b[-1])


def _turned_weight(call: Call) -> bool:
    return call.flag("transB", "adj_y", "adjY", "AdjY", "adjoint_b", "transpose_b", "transpose_y")


def _bilinear(call: Call) -> int | None:
    weight, output = call.input(2), call.output
    return None if weight is None or output is None else prod(output) * prod(weight[1:])


def _outer(call: Call) -> int | None:
    return None if call.output is None else prod(call.output)


def _einsum(call: Call) -> int | None:
    kernels = call.kernels(1)
    shapes = [call.input(0), kernels[0]] if kernels else list(call.inputs)
    known = [shape for shape in shapes if shape is not None]
    equation = call.attributes.get(
        "equation", call.attributes.get("subscripts", "")
    )  # Keras' operation says the latter
    return products.einsum(str(equation), known)


def _tensordot(call: Call) -> int | None:
    a, b, output = call.input(0), call.input(1), call.output
    return None if a is None or b is None or output is None else products.tensordot(a, b, output)


def _chain(call: Call) -> int | None:
    known = [shape for shape in call.inputs if shape is not None]
    return products.chain(known) if len(known) == len(call.inputs) else None


def _matrix_power(call: Call) -> int | None:
    x, times = call.input(0), call.attributes.get("n")
    return products.power(x, times) if x is not None and isinstance(times, int) else None


def _distances(call: Call) -> int | None:
    a, b, output = call.input(0), call.input(1), call.output
    kind, mode = call.attributes.get("p", 2), call.attributes.get("compute_mode") or 0
    return None if a is None or b is None or output is None else products.distances(a, b, output, kind, mode)


def _scores(q: Numbers, k: Numbers, v: Numbers, past: int = 0) -> int:
    """Scores and their weighted sum for batched heads: (…, L, E) × (…, S, E) × (…, S, Ev)."""
    return prod(q[:-1]) * (k[-2] + past) * (q[-1] + v[-1])


def _sdpa(call: Call) -> int | None:
    q, k, v = call.input(0), call.input(1), call.input(2)
    if q is None or k is None or v is None:
        return None
    if call.op == "DotProductAttention" and len(q) == len(k) == 4:  # Keras' operation has the heads third
        return prod(q[:-1]) * k[1] * (q[-1] + v[-1])
    return _scores(q, k, v)


_PAST = {"GroupQueryAttention": 3, "DecoderMaskedMultiHeadAttention": 5}
"""Which input of a contributed operator holds the keys of earlier steps; of the others it is the seventh."""


def _past(keys: Numbers | None) -> int:
    """Length of what was computed in earlier steps: (batch, heads, length, size)."""
    return keys[-2] if keys is not None and len(keys) >= 4 else 0


def _packed(call: Call, q: Numbers) -> int:
    """Query, key and value in one tensor: (…, L, heads, 3, size), or (…, L, (heads + 2 shared) · size)."""
    if len(q) == 5:
        return prod(q[:2]) * q[1] * 2 * q[2] * q[4]
    heads = call.number("num_heads") or 1
    size = q[-1] // (heads + 2 * (call.number("kv_num_heads") or heads))
    return prod(q[:-1]) * (q[-2] + _past(call.input(_PAST.get(call.op, 6)))) * 2 * heads * size


def _attention(call: Call) -> int | None:
    """ONNX `Attention` and its contributed kin, Keras `Attention`."""
    q, second, third = call.input(0), call.input(1), call.input(2)
    if q is None:
        return None
    if call.owned and _projections(call):
        return _multi_head(call)
    if call.op == "AdditiveAttention" and second is not None:  # its scores are sums of elements, not products
        return prod(q[:-1]) * second[-2] * second[-1]
    if second is None:
        alone = call.domain == "com.microsoft" and not any(call.inputs[1:3])
        return _packed(call, q) if alone and "Attention" in call.op and len(q) > 1 else None
    if call.domain == "com.microsoft" and call.op in {"Attention", "QAttention"}:
        width = second[-1] // 3
        past = call.input(8 if call.op == "QAttention" else 4)
        return prod(q) * second[-1] + prod(q[:-1]) * (q[-2] + _past(past)) * 2 * width
    if call.channels_last:  # Keras: query, value and, optionally, key
        return _scores(q, third or second, second)
    if third is None:
        return None
    extra = _past(call.input(_PAST.get(call.op, 6) if call.domain == "com.microsoft" else 4))
    if len(q) == 4:
        return _scores(q, second, third, extra)
    heads = call.number("q_num_heads", "num_heads") or 1
    shared = call.number("kv_num_heads") or heads
    return prod(q[:-1]) * (second[-2] + extra) * (q[-1] + heads * (third[-1] // shared))


def _multi_head(call: Call) -> int | None:
    q = call.input(0)
    if q is None:
        return None
    kernels = _projections(call)
    if kernels:
        value = call.input(1) or q
        key = call.input(2) or value
        if key[-2:] != (value[-2], kernels["key"][0]):  # a mask, which stands third where the key is the value
            key = value
        (_, heads, size), (_, _, wide) = kernels["query"], kernels["value"]
        projections = prod(q[:-1]) * (prod(kernels["query"]) + prod(kernels["output"]) + _gate(call))
        projections += prod(key[:-1]) * prod(kernels["key"]) + prod(value[:-1]) * prod(kernels["value"])
        return projections + prod(q[:-1]) * _attended(call, value) * heads * (size + wide)
    if call.domain == "com.microsoft":
        return _attention(call)
    return _composite(call)


def _attended(call: Call, value: Numbers) -> int:
    """Places that every query of Keras' layer looks at: all between the batch and the features, or those it names."""
    said = call.attributes.get("attention_axes")
    axes = said if isinstance(said, tuple) else (said,) if isinstance(said, int) else range(1, len(value) - 1)
    return prod(value[axis] for axis in axes if isinstance(axis, int))


def _gate(call: Call) -> int:
    """Multiply-adds of the gate on what Keras' attention gives, for each query (`use_gate`)."""
    gates = (shape for name, shape in call.owned if name.split("/")[-2:][0] == "gate" and len(shape) == 3)
    return sum(map(prod, gates))


def _projections(call: Call) -> dict[str, Numbers]:
    """The four kernels of Keras' layer by what they project; H5 files have them in the order of the alphabet."""
    found: dict[str, Numbers] = {}
    for name, shape in call.owned:
        for word in ("query", "key", "value", "output"):
            if len(shape) == 3 and "bias" not in name.rpartition("/")[2] and word in name.split("/")[-2:][0]:
                found[word] = shape
    return found if len(found) == 4 else {}


def _composite(call: Call) -> int | None:
    """torch's fused multi-head attention and encoder layer: every matrix once, and self-attention."""
    q, matrices = call.input(0), _matrices(call)
    return None if q is None or not matrices else prod(q[:-1]) * (sum(map(prod, matrices)) + 2 * q[-2] * q[-1])


def _recurrent(call: Call) -> int | None:
    """Every weight matrix once for each step of each sequence; every kernel at each place of it, where it convolves."""
    data = call.input(1 if call.op.startswith("BlockLSTM") else 0)
    matrices = call.kernels(2) if call.owned else _matrices(call)
    if data is None or not matrices:
        return None
    wrapped = call.attributes.get("layer") if call.op == "Bidirectional" else None
    settings = next(iter(wrapped.values())) if isinstance(wrapped, dict) and wrapped else None
    if "conv" in (next(iter(wrapped)) if isinstance(wrapped, dict) and wrapped else call.op).lower():
        call = replace(call, attributes=settings) if isinstance(settings, dict) else call
        rank = len(matrices[0]) - 2
        where, last = call.output, _channels_last(call)
        if where is None:
            return None
        return prod(data[:2]) * prod(where[-rank - 1 : -1] if last else where[-rank:]) * sum(map(prod, matrices))
    return None if any(len(matrix) > 3 for matrix in matrices) else prod(data[:-1]) * sum(map(prod, matrices))


def _matrices(call: Call) -> list[Numbers]:
    """The weight matrices among the inputs: by the definition in ONNX, by being stored elsewhere."""
    if call.op in _GATES and not call.owned:
        data, hidden = call.input(0), call.number("hidden_size")
        if None in (call.input(1), call.input(2)):  # put together by nodes whose shapes nobody knows
            whole = [shape for shape in call.parts if len(shape) > 1]
            if whole:
                return whole
        if data is not None and hidden:
            ways = 2 if call.attributes.get("direction") == "bidirectional" else 1
            size = max(data[-1], _last(call.input(1)))
            return [(ways * _GATES[call.op] * hidden, size + hidden)]
        return [shape for shape in (call.input(1), call.input(2)) if shape is not None]
    if call.domain.startswith("opset") and call.op in _OPENVINO:
        return [shape for shape in map(call.input, _OPENVINO[call.op]) if shape is not None]
    found: list[Numbers] = [
        shape for shape, stored in zip(call.inputs, call.stored, strict=True) if stored and shape and len(shape) == 2
    ]
    return found[-2:] if "cell" in call.op.lower() else found  # before them may stand states, which are made of zeros


_OPENVINO = {
    "LSTMSequence": (4, 5), "GRUSequence": (3, 4), "RNNSequence": (3, 4), "LSTMCell": (3, 4), "GRUCell": (2, 3),
    "RNNCell": (2, 3),
}  # fmt: skip
"""Where OpenVINO's recurrent operators have their weight matrices among the inputs."""


def _last(shape: Numbers | None) -> int:
    return shape[-1] if shape else 0


_GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}
"""Of ONNX's recurrent operators, which compute this many products a step."""


def _wrapped(call: Call) -> int | None:
    """Keras' wrappers: the layer inside, which `TimeDistributed` runs once a step, as on a batch of all steps."""
    said = call.attributes.get("layer")
    op, config = next(iter(said.items())) if isinstance(said, dict) and len(said) == 1 else ("", {})
    name = canonical(op, "keras")
    steps = call.attributes.get("inside")
    if isinstance(steps, tuple) and call.name == "time_distributed":
        return inside(call, steps, macs)
    if not counts(name):
        return None if call.owned and category(name) in {"control", "other"} else 0  # a model inside is not looked into

    attributes = config if isinstance(config, dict) else {}
    inner = replace(call, name=name, op=op, attributes=attributes)
    if call.name == "time_distributed":
        inner = replace(inner, inputs=tuple(map(_steps, call.inputs)), outputs=tuple(map(_steps, call.outputs)))
    else:  # a normalisation keeps a second copy of the kernel and a vector of its own
        inner = replace(inner, owned=tuple(item for item in call.owned if item[0].count("/") > _shallowest(call)))
    return _COUNTS[name](inner)


def _steps(shape: Numbers | None) -> Numbers | None:
    """A shape whose batch and steps are one dimension."""
    return shape if shape is None else (shape[0] * shape[1], *shape[2:])


def _shallowest(call: Call) -> int:
    return min((name.count("/") for name, _ in call.owned), default=0)


_COUNTS: dict[str, Callable[[Call], int | None]] = {
    "time_distributed": _wrapped,
    "wrapped": _wrapped,
    "conv": _conv,
    "conv_transpose": _conv,
    "deform_conv": _conv,
    "linear": _linear,
    "matmul": _matmul,
    "bilinear": _bilinear,
    "outer": _outer,
    "einsum": _einsum,
    "tensordot": _tensordot,
    "reversible_embedding": reversible,
    "matrix_chain": _chain,
    "matrix_power": _matrix_power,
    "distances": _distances,
    "sdpa": _sdpa,
    "attention": _attention,
    "multi_head_attention": _multi_head,
    "transformer": _composite,
    "lstm": _recurrent,
    "gru": _recurrent,
    "rnn": _recurrent,
    "bidirectional": _recurrent,
    "svdf": _recurrent,
}
