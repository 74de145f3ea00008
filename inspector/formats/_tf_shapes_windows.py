"""Shapes of TensorFlow's convolutions, pools, resizes and transforms.

Sizes follow `tensorflow/core/framework/common_shape_fns.cc`: SAME gives ⌈size / stride⌉, VALID
⌈(size − reach + 1) / stride⌉ with reach = (kernel − 1) · dilation + 1, EXPLICIT is VALID on the padded size.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from inspector.formats._rules import named
from inspector.formats._tf_shapes_dims import NOTHING, Fact, MisfitError, Step, over, plus, same, times
from inspector.ir import Dim, Shape

Rule = Callable[[Step], Any]


def _layout(step: Step, rank: int) -> tuple[int, range] | None:
    """Where the channels are and where the space begins; None for layouts of devices."""
    words = step.text("data_format", "NHWC")
    if words in ("NHWC", "NDHWC", "NWC"):
        return rank - 1, range(1, rank - 1)
    return (1, range(2, rank)) if words in ("NCHW", "NCDHW", "NCW") else None


def slide(size: Dim, kernel: Dim, stride: int, padding: str, dilation: int = 1, pads: Sequence[int] = (0, 0)) -> Dim:
    """Length after a window slid over it."""
    if stride < 1 or dilation < 1:
        return None
    if padding == "SAME":
        return size if stride == 1 else -(-size // stride) if isinstance(size, int) else over(size, stride)
    if padding == "EXPLICIT":
        size = size + sum(pads) if isinstance(size, int) else size if not any(pads) else None
    if kernel == 1:
        return size if stride == 1 else -(-size // stride) if isinstance(size, int) else None
    if not isinstance(size, int) or not isinstance(kernel, int):
        return None
    reach = (kernel - 1) * dilation + 1
    if size < reach:
        raise MisfitError(f"has a window of {reach} and would get {size}")
    return -(-(size - reach + 1) // stride)


def _slid(step: Step, x: Shape, kernel: Sequence[Dim], space: range) -> list[Dim]:
    """Sizes of the space after the window."""
    strides, dilations = step.integers("strides"), step.integers("dilations")
    pads, padding = step.integers("explicit_paddings"), step.text("padding", "VALID")
    found = []
    for at, size in zip(space, kernel, strict=True):
        stride = strides[at] if len(strides) == len(x) else strides[at - space.start] if strides else 1
        dilation = dilations[at] if len(dilations) == len(x) else 1
        edges = pads[2 * at : 2 * at + 2] if len(pads) == 2 * len(x) else (0, 0)
        found.append(slide(x[at], size, stride, padding, dilation, edges))
    return found


def _built(x: Shape, channel: int, space: range, sizes: Sequence[Dim], width: Dim) -> Shape:
    shape = list(x)
    shape[channel] = width
    for at, size in zip(space, sizes, strict=True):
        shape[at] = size
    return tuple(shape)


def _conv(*, deep: bool = False) -> Rule:
    """A convolution; `deep` for one whose filter has a multiplier in the last place."""

    def rule(step: Step) -> Fact:
        x, kernel = step.shape(0), step.shape(1)
        rank = len(x) if x is not None else len(kernel) if kernel is not None else 0
        found = _layout(step, rank)
        if rank < 3 or found is None or (kernel is not None and len(kernel) != rank):
            return Fact(step.dtype)
        channel, space = found
        x = x if x is not None else (None,) * rank
        if kernel is None:
            return Fact(step.dtype, _built(x, channel, space, [None] * len(space), None))
        if deep:
            width = times(same(x[channel], kernel[-2]), kernel[-1])
        else:
            width, wanted, got = kernel[-1], kernel[-2], x[channel]
            if isinstance(wanted, int) and isinstance(got, int) and (not wanted or got % wanted):
                raise MisfitError(f"takes {wanted} channels and would get {got}")
        return Fact(step.dtype, _built(x, channel, space, _slid(step, x, kernel[:-2], space), width))

    return rule


def _conv_back(step: Step) -> Fact:
    """The gradient of a convolution, which is how TensorFlow spells a transposed one."""
    sizes, kernel, y = step.at(0).sizes, step.shape(1), step.shape(2)
    dtype = step.at(2).dtype or step.at(1).dtype
    rank = len(kernel) if kernel else len(y) if y else 4
    found = _layout(step, rank)
    if found is None:
        return Fact(dtype)
    channel, space = found
    shape: list[Dim] = [None] * rank
    if sizes is not None and len(sizes) == rank:
        shape = list(sizes)
    elif sizes is not None and len(sizes) == len(space):  # TensorFlow also takes the space alone
        for at, size in zip(space, sizes, strict=True):
            shape[at] = size
    if kernel and shape[channel] is None and step.node.op != "DepthwiseConv2dNativeBackpropInput":
        shape[channel] = kernel[-2]
    if y is not None and len(y) == rank and shape[0] is None:
        shape[0] = y[0]
    return Fact(dtype, tuple(shape))


def _pool(outputs: int = 1) -> Rule:
    def rule(step: Step) -> Any:
        x = step.shape()
        found = None if x is None else _layout(step, len(x))
        kernel: Sequence[Dim] = step.integers("ksize") or step.at(1).sizes or ()
        if x is None or found is None or len(kernel) != len(x):
            rank = len(kernel) if kernel else None
            return [Fact(step.dtype, (None,) * rank if rank else None)] * outputs
        channel, space = found
        strides = step.integers("strides") or tuple(n if isinstance(n, int) else 0 for n in step.at(2).sizes or ())
        if len(strides) != len(x):
            return [Fact(step.dtype, (None,) * len(x))] * outputs
        shape = list(x)
        padding, pads = step.text("padding", "VALID"), step.integers("explicit_paddings")
        for at in [*space, channel]:
            edges = pads[2 * at : 2 * at + 2] if len(pads) == 2 * len(x) else (0, 0)
            shape[at] = slide(x[at], kernel[at], strides[at], padding, 1, edges)
        kinds = (step.dtype, step.text("Targmax", "int64"))
        return [Fact(kind, tuple(shape)) for kind in kinds[:outputs]]

    return rule


def _resize(step: Step) -> Fact:
    """Images resized to sizes that are given."""
    x, sizes = step.shape(), step.at(1).sizes
    if x is not None and len(x) != 4:
        return NOTHING
    x = x if x is not None else (None,) * 4
    sizes = sizes if sizes is not None else (None, None)
    dtype = "float32" if step.node.op in ("ResizeBilinear", "ResizeBicubic", "ResizeArea") else step.dtype
    return Fact(dtype, (x[0], *sizes, x[3]) if len(sizes) == 2 else None)


def _crops(step: Step) -> Fact:
    """CropAndResize: image, boxes, places, size."""
    x, boxes, sizes = step.shape(0) or (None,), step.shape(1) or (None,), step.at(3).sizes or (None, None)
    return Fact("float32", (boxes[0], *sizes, x[-1]) if len(sizes) == 2 else None)


def _blocks(to_depth: bool) -> Rule:
    def rule(step: Step) -> Fact:
        x, size = step.shape(), step.integer("block_size")
        found = None if x is None else _layout(step, len(x))
        if x is None or found is None or len(x) != 4 or size < 1:
            return Fact(step.dtype)
        channel, space = found
        sizes = [over(x[at], size) if to_depth else times(x[at], size) for at in space]
        area = size * size
        width = times(x[channel], area) if to_depth else over(x[channel], area)
        return Fact(step.dtype, _built(x, channel, space, sizes, width))

    return rule


def _batches(to_batch: bool) -> Rule:
    """SpaceToBatchND and BatchToSpaceND: data, block sizes, pads or crops."""

    def rule(step: Step) -> Fact:
        x, blocks, edges = step.shape(), step.at(1).sizes, step.at(2).array
        if step.node.op in ("SpaceToBatch", "BatchToSpace"):
            blocks, edges = (step.integer("block_size"),) * 2, step.at(1).array
        if x is None or blocks is None or len(x) <= len(blocks):
            return Fact(step.dtype, None if x is None else (None,) * len(x))
        known = edges is not None and edges.shape == (len(blocks), 2)
        pads = [list(row) for row in edges] if known and edges is not None else [[None, None]] * len(blocks)
        shape: list[Dim] = list(x)
        block = times(*blocks)
        shape[0] = times(x[0], block) if to_batch else over(x[0], block)
        for at, (size, (low, high)) in enumerate(zip(blocks, pads, strict=True), 1):
            edge: Dim = low + high if isinstance(low, int) and isinstance(high, int) else None
            if to_batch:
                shape[at] = None if edge is None else over(plus(x[at], edge), size)
            else:
                grown = times(x[at], size)
                shape[at] = (
                    grown if edge == 0 else grown - edge if isinstance(grown, int) and isinstance(edge, int) else None
                )
        return Fact(step.dtype, tuple(shape))

    return rule


def _fourier(kind: str, rank: int) -> Rule:
    """FFTs over the last dimensions; RFFT and IRFFT take lengths as a second input."""

    def rule(step: Step) -> Fact:
        x, lengths = step.shape(), step.at(1).sizes
        dtype = step.text("Treal", "float32") if kind == "back" else step.text("Tcomplex", "complex64")
        if x is None or len(x) < rank:
            return Fact(dtype)
        if kind == "whole":
            return Fact(step.dtype or dtype, x)
        last: list[Dim] = list(lengths) if lengths is not None and len(lengths) == rank else [None] * rank
        if kind == "real":
            last[-1] = last[-1] // 2 + 1 if isinstance(last[-1], int) else None
        return Fact(dtype, (*x[:-rank], *last))

    return rule


def _normed(step: Step) -> list[Fact]:
    """A batch normalisation with its statistics."""
    x = step.shape()
    found = _layout(step, len(x)) if x and len(x) > 2 else None
    scale = step.shape(1)
    width: Shape = (x[found[0]],) if x and found else (None,)
    width = scale if scale and isinstance(scale[0], int) else width
    said = step.at(1).dtype or "float32"
    return [Fact(step.dtype, x), *[Fact(said, width)] * 4]


def _pictures(step: Step) -> Fact:
    """An image that is decoded: as many channels as are asked for."""
    width: Dim = step.integer("channels") or None
    return Fact(step.text("dtype", "uint8"), (None, None, width))


WINDOWS: dict[str, Rule] = {
    **named(_conv(), "Conv2D Conv3D _FusedConv2D FusedConv2D _FusedConv3D"),
    **named(_conv(deep=True), "DepthwiseConv2dNative FusedDepthwiseConv2dNative _FusedDepthwiseConv2dNative"),
    **named(
        _conv_back,
        "Conv2DBackpropInput Conv3DBackpropInputV2 DepthwiseConv2dNativeBackpropInput",
    ),
    **named(_pool(), "MaxPool MaxPoolV2 AvgPool MaxPool3D AvgPool3D"),
    "MaxPoolWithArgmax": _pool(2),
    **named(_resize, "ResizeBilinear ResizeNearestNeighbor ResizeBicubic ResizeArea"),
    "CropAndResize": _crops,
    "SpaceToDepth": _blocks(to_depth=True),
    "DepthToSpace": _blocks(to_depth=False),
    **named(_batches(to_batch=True), "SpaceToBatchND SpaceToBatch"),
    **named(_batches(to_batch=False), "BatchToSpaceND BatchToSpace"),
    **{
        f"{name}{tail}": _fourier("whole", rank)
        for name in ("FFT", "IFFT")
        for tail, rank in (("", 1), ("2D", 2), ("3D", 3))
    },
    **{f"RFFT{tail}": _fourier("real", rank) for tail, rank in (("", 1), ("2D", 2), ("3D", 3))},
    **{f"IRFFT{tail}": _fourier("back", rank) for tail, rank in (("", 1), ("2D", 2), ("3D", 3))},
    **named(_normed, "FusedBatchNorm FusedBatchNormV2 FusedBatchNormV3 _FusedBatchNormEx"),
    **named(_pictures, "DecodeJpeg DecodePng"),
}
