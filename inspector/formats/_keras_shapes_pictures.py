"""Output shapes of `keras.ops` for pictures and signals."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from inspector.formats._keras_config import Layer
from inspector.formats._keras_sizes import channels, first_channels, joined, many, slide, spatial, whole
from inspector.formats._rules import named
from inspector.formats._tf_shapes_dims import over, plus, times
from inspector.ir import Dim, Shape

Shapes = Sequence[Shape | None]
Result = Shape | list[Shape | None] | None
Rule = Callable[[Layer, Shape, Shapes], Result]


def _framed(layer: Layer, first: Shape, inputs: Shapes) -> Result:
    """A picture cut or padded by so much at each edge, or to a size."""
    space = spatial(layer, first) if len(first) > 3 else first[:2]
    names = ("target_height", "top", "bottom"), ("target_width", "left", "right")
    found = [_side(layer, size, *keys) for size, keys in zip(space, names, strict=True)]
    return joined(layer, first, found, channels(layer, first)) if len(first) > 3 else (*found, first[2])


def _side(layer: Layer, size: Dim, target: str, low: str, high: str) -> Dim:
    said = layer.config.get(target)
    if isinstance(said, int):
        return said
    word, sign = ("cropping", -1) if layer.type == "CropImages" else ("padding", 1)
    edges = whole(layer, f"{low}_{word}") + whole(layer, f"{high}_{word}")
    return size + sign * edges if isinstance(size, int) else None


def _gray(layer: Layer, first: Shape, inputs: Shapes) -> Result:
    return (*first[:-3], 1, *first[-2:]) if first_channels(layer) else (*first[:-1], 1)


def _blocks(layer: Layer, first: Shape, inputs: Shapes) -> Result:
    """Channels spread over blocks of the picture, or gathered from them."""
    size = whole(layer, "block_size")
    wide = layer.type == "DepthToSpace"
    change: Callable[[Dim, int], Dim] = times if wide else over
    area: Dim = over(channels(layer, first), size * size) if wide else times(channels(layer, first), size * size)
    return joined(layer, first, [change(side, size) for side in spatial(layer, first)], area)


def _patches(layer: Layer, first: Shape, inputs: Shapes) -> Result:
    space = spatial(layer, first)
    sizes = many(layer.config.get("size"), len(space))
    steps = many(layer.config.get("strides") or sizes, len(space))
    rates = many(layer.config.get("dilation_rate") or 1, len(space))
    padding = str(layer.config.get("padding", "valid"))
    found = [slide(side, k, t, padding, r) for side, k, t, r in zip(space, sizes, steps, rates, strict=True)]
    return joined(layer, first, found, times(channels(layer, first), *sizes))


def _columns(layer: Layer, first: Shape, inputs: Shapes) -> Result:
    """Windows of a picture as columns, and back; channels come first."""
    kernel = many(layer.config.get("kernel_size"), 2)
    if layer.type == "Fold":
        return (first[0], over(first[1], kernel[0] * kernel[1]), *many(layer.config.get("output_size"), 2))
    settings = [many(layer.config.get(key), 2) for key in ("padding", "stride", "dilation")]
    sides = [
        slide(size + 2 * pad, width, step, "valid", rate) if isinstance(size, int) else None
        for size, width, pad, step, rate in zip(first[2:], kernel, *settings, strict=True)
    ]
    return first[0], times(first[1], *kernel), times(*sides)


def _frames(layer: Layer, first: Shape, inputs: Shapes) -> Result:
    """Pieces of a signal, and their spectrum; or a signal out of them."""
    length, step = whole(layer, "sequence_length"), whole(layer, "sequence_stride")
    if layer.type == "ExtractSequences":
        return (*first[:-1], slide(first[-1], length, step, "valid"), length)
    window = whole(layer, "fft_length")
    edges = 2 * (window // 2) if layer.config.get("center") is not False else 0
    if layer.type == "ISTFT":
        said, count = layer.config.get("length"), first[-2]
        size: Dim = (count - 1) * step + window - edges if isinstance(count, int) else None
        return (*first[:-2], said if isinstance(said, int) else size)
    found = (*first[:-1], slide(plus(first[-1], edges), window, step, "valid"), window // 2 + 1)
    return [found, found]


def _spectrum(layer: Layer, first: Shape, inputs: Shapes) -> Result:
    said, last = layer.config.get("fft_length"), first[-1]
    if layer.type == "IRFFT":
        size: Dim = said if isinstance(said, int) else 2 * (last - 1) if isinstance(last, int) else None
        return (*first[:-1], size)
    size = said if isinstance(said, int) else last
    found = (*first[:-1], size // 2 + 1 if isinstance(size, int) else None)
    return [found, found]


PICTURES: dict[str, Rule] = {
    **named(_framed, "CropImages PadImages"),
    "RGBToGrayscale": _gray,
    **named(_blocks, "DepthToSpace SpaceToDepth"),
    "ExtractPatches": _patches,
    **named(_columns, "Fold Unfold"),
    **named(_frames, "ExtractSequences STFT ISTFT"),
    **named(_spectrum, "RFFT IRFFT"),
    "SobelEdges": lambda layer, first, inputs: (*first, 2),
    "SSIM": lambda layer, first, inputs: first[:-3],
}
