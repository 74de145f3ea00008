"""LSTM, GRU and RNN as loops over time: onnx-tf's own need cells that Keras 3 no longer has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from inspector.engines.convert.onnx_tf_pack.handlers._registry import Inputs, Node, Outputs, given, handles, text
from inspector.errors import ConversionError

UNROLLED = 64
"""Steps up to which a loop over time is written out."""
Cell = Callable[[Any, tuple[Any, ...]], tuple[Any, ...]]
"""Gives the next state, h first, from this moment's input and the state before."""


@dataclass(frozen=True, slots=True)
class _Layer:
    """One direction of a layer."""

    w: Any
    r: Any
    w_bias: Any
    r_bias: Any
    peepholes: Any
    functions: tuple[Callable[[Any], Any], ...]
    clip: float
    node: Node

    def act(self, place: int, x: Any) -> Any:
        """An activation of the cell, after clipping its input."""
        import tensorflow as tf

        return self.functions[place](tf.clip_by_value(x, -self.clip, self.clip) if self.clip else x)


def _activation(name: str, alpha: float | None, beta: float | None) -> Callable[[Any], Any]:
    import tensorflow as tf

    def or_else(value: float | None, default: float) -> float:
        return default if value is None else value

    table: dict[str, Callable[[Any], Any]] = {
        "sigmoid": tf.sigmoid,
        "tanh": tf.tanh,
        "relu": tf.nn.relu,
        "softsign": tf.nn.softsign,
        "softplus": tf.math.softplus,
        "leakyrelu": lambda x: tf.nn.leaky_relu(x, or_else(alpha, 0.01)),
        "elu": lambda x: tf.where(x >= 0, x, or_else(alpha, 1.0) * tf.math.expm1(x)),
        "hardsigmoid": lambda x: tf.clip_by_value(or_else(alpha, 0.2) * x + or_else(beta, 0.5), 0.0, 1.0),
        "affine": lambda x: or_else(alpha, 1.0) * x + or_else(beta, 0.0),
        "scaledtanh": lambda x: or_else(alpha, 1.0) * tf.tanh(or_else(beta, 1.0) * x),
        "thresholdedrelu": lambda x: tf.where(x > or_else(alpha, 1.0), x, tf.zeros_like(x)),
    }
    if name.lower() not in table:
        raise ConversionError(f"The activation {name} of a recurrent layer is not known.", "Use a common one.")
    return table[name.lower()]


def _functions(node: Node, defaults: tuple[str, ...], direction: int) -> tuple[Callable[[Any], Any], ...]:
    count = len(defaults)
    names = [text(name) for name in node.attrs.get("activations", [])] or list(defaults) * 2
    alphas = list(node.attrs.get("activation_alpha", []))
    betas = list(node.attrs.get("activation_beta", []))
    start = direction * count
    return tuple(
        _activation(
            names[place], alphas[place] if place < len(alphas) else None, betas[place] if place < len(betas) else None
        )
        for place in range(start, start + count)
    )


def _layer(node: Node, inputs: Inputs, gates: int, defaults: tuple[str, ...], direction: int) -> _Layer:
    import tensorflow as tf

    w, r = inputs[1][direction], inputs[2][direction]
    hidden = r.shape[-1]
    bias = given(inputs, 3)
    both = tf.zeros([2 * gates * hidden], w.dtype) if bias is None else bias[direction]
    peepholes = given(inputs, 7) if node.op_type == "LSTM" else None
    return _Layer(
        w,
        r,
        both[: gates * hidden],
        both[gates * hidden :],
        None if peepholes is None else tf.split(peepholes[direction], 3),
        _functions(node, defaults, direction),
        float(node.attrs.get("clip", 0.0)),
        node,
    )


def _lstm_cell(layer: _Layer) -> Cell:
    """Gates in ONNX's order: input, output, forget, cell."""
    import tensorflow as tf

    if layer.node.attrs.get("input_forget", 0):
        raise ConversionError("An LSTM couples its input and forget gates.", "Export it without input_forget.")
    p = layer.peepholes or (0.0, 0.0, 0.0)

    def cell(x: Any, state: tuple[Any, ...]) -> tuple[Any, ...]:
        h, c = state
        gates = tf.matmul(x, layer.w, transpose_b=True) + tf.matmul(h, layer.r, transpose_b=True)
        i, o, f, g = tf.split(gates + layer.w_bias + layer.r_bias, 4, axis=-1)
        c_next = layer.act(0, f + p[2] * c) * c + layer.act(0, i + p[0] * c) * layer.act(1, g)
        return layer.act(0, o + p[1] * c_next) * layer.functions[2](c_next), c_next

    return cell


def _gru_cell(layer: _Layer) -> Cell:
    """Gates in ONNX's order: update, reset, hidden."""
    import tensorflow as tf

    before = layer.node.attrs.get("linear_before_reset", 0)

    def cell(x: Any, state: tuple[Any, ...]) -> tuple[Any, ...]:
        (h,) = state
        xz, xr, xh = tf.split(tf.matmul(x, layer.w, transpose_b=True) + layer.w_bias, 3, axis=-1)
        rz, rr, rh = tf.split(layer.r, 3)
        bz, br, bh = tf.split(layer.r_bias, 3)
        z = layer.act(0, xz + tf.matmul(h, rz, transpose_b=True) + bz)
        reset = layer.act(0, xr + tf.matmul(h, rr, transpose_b=True) + br)
        if before:
            fresh = reset * (tf.matmul(h, rh, transpose_b=True) + bh)
        else:
            fresh = tf.matmul(reset * h, rh, transpose_b=True) + bh
        return ((1 - z) * layer.act(1, xh + fresh) + z * h,)

    return cell


def _rnn_cell(layer: _Layer) -> Cell:
    import tensorflow as tf

    def cell(x: Any, state: tuple[Any, ...]) -> tuple[Any, ...]:
        summed = tf.matmul(x, layer.w, transpose_b=True) + tf.matmul(state[0], layer.r, transpose_b=True)
        return (layer.act(0, summed + layer.w_bias + layer.r_bias),)

    return cell


def _loop(cell: Cell, x: Any, state: tuple[Any, ...], lengths: Any) -> tuple[Any, tuple[Any, ...]]:
    """Run the cell over the first dimension; beyond a sequence's length its state stays and its output is zero."""
    import tensorflow as tf

    if lengths is None and x.shape[0] is not None and x.shape[0] <= UNROLLED:
        return _unrolled(cell, x, state)
    steps = tf.shape(x)[0]
    collected = tf.TensorArray(x.dtype, size=steps, element_shape=state[0].shape)

    def body(step: Any, state: tuple[Any, ...], collected: Any) -> Any:
        after = cell(x[step], state)
        shown = after[0]
        if lengths is not None:
            alive = (step < lengths)[:, None]
            after = tuple(tf.where(alive, new, old) for new, old in zip(after, state, strict=True))
            shown = tf.where(alive, shown, tf.zeros_like(shown))
        after = tuple(tf.ensure_shape(new, old.shape) for new, old in zip(after, state, strict=True))
        return step + 1, after, collected.write(step, shown)

    _, state, collected = tf.while_loop(
        lambda step, *_: step < steps, body, (tf.constant(0), state, collected), maximum_iterations=steps
    )
    return collected.stack(), state


def _unrolled(cell: Cell, x: Any, state: tuple[Any, ...]) -> tuple[Any, tuple[Any, ...]]:
    """The same without a loop, for few steps: faster, and TFLite takes it with a dynamic batch."""
    import tensorflow as tf

    outputs = []
    for moment in tf.unstack(x):
        state = cell(moment, state)
        outputs.append(state[0])
    return tf.stack(outputs), state


def _run(
    node: Node, inputs: Inputs, gates: int, defaults: tuple[str, ...], make: Callable[[_Layer], Cell], states: int
) -> Outputs:
    import tensorflow as tf

    batch_first = bool(node.attrs.get("layout", 0))
    x = tf.transpose(inputs[0], [1, 0, 2]) if batch_first else inputs[0]
    lengths = given(inputs, 4)
    direction = text(node.attrs.get("direction", "forward"))
    ways = [False, True] if direction == "bidirectional" else [direction == "reverse"]
    outputs, ends = [], []
    for place, backwards in enumerate(ways):
        layer = _layer(node, inputs, gates, defaults, place)
        state = tuple(_start(given(inputs, 5 + n), place, x, layer, batch_first) for n in range(states))
        y, end = _loop(make(layer), _flip(x, lengths) if backwards else x, state, lengths)
        outputs.append(_flip(y, lengths) if backwards else y)
        ends.append(end)
    y = tf.stack(outputs, axis=1)
    last = [tf.stack([end[n] for end in ends]) for n in range(states)]
    if batch_first:
        return [tf.transpose(y, [2, 0, 1, 3]), *(tf.transpose(state, [1, 0, 2]) for state in last)]
    return [y, *last]


def _start(given_state: Any, place: int, x: Any, layer: _Layer, batch_first: bool) -> Any:
    """The state before the first moment, of a shape whose last size is known."""
    import tensorflow as tf

    hidden = layer.r.shape[-1]
    if given_state is None:
        state = tf.zeros([tf.shape(x)[1], hidden], x.dtype)
    else:
        state = given_state[:, place] if batch_first else given_state[place]
    return tf.ensure_shape(state, [x.shape[1], hidden])


def _flip(x: Any, lengths: Any) -> Any:
    """Time reversed: of each sequence only as far as it goes."""
    import tensorflow as tf

    return tf.reverse(x, [0]) if lengths is None else tf.reverse_sequence(x, lengths, seq_axis=0, batch_axis=1)


@handles("LSTM", 7, 14, 22, anew=True)
def lstm(node: Node, inputs: Inputs) -> Outputs:
    """Outputs, last h, last c."""
    return _run(node, inputs, 4, ("Sigmoid", "Tanh", "Tanh"), _lstm_cell, 2)


@handles("GRU", 7, 14, 22, anew=True)
def gru(node: Node, inputs: Inputs) -> Outputs:
    """Outputs, last h."""
    return _run(node, inputs, 3, ("Sigmoid", "Tanh"), _gru_cell, 1)


@handles("RNN", 7, 14, 22, anew=True)
def rnn(node: Node, inputs: Inputs) -> Outputs:
    """Outputs, last h."""
    return _run(node, inputs, 1, ("Tanh",), _rnn_cell, 1)
