"""Output shapes of Keras' attention, contraction and preprocessing layers."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from inspector.formats._keras_config import Layer, shape_of
from inspector.formats._keras_sizes import channels, joined, many, whole
from inspector.ir import Dim, Shape

Shapes = Sequence[Shape | None]
Rule = Callable[[Layer, Shape, Shapes], Shape | list[Shape | None] | None]


def _heads(key: str) -> Rule:
    """Attention of several heads: the query with another width, and what each head looks at."""

    def rule(layer: Layer, first: Shape, inputs: Shapes) -> list[Shape | None]:
        given = layer.config.get("output_shape")
        wide = (given,) if isinstance(given, int) else shape_of(given)
        value = inputs[1] if len(inputs) > 1 else None
        scores = (first[0], whole(layer, key), *first[1:-1], *value[1:-1]) if value else None
        return [(*first[:-1], *wide) if wide else first, scores]

    return rule


def _attention(layer: Layer, first: Shape, inputs: Shapes) -> list[Shape | None]:
    """Attention of one head: query, value and, where it is another one, key."""
    value = inputs[1] if len(inputs) > 1 else None
    if value is None:
        return [None]
    return [(*first[:-1], value[-1]), (*first[:-1], value[-2])]


def _contracted(layer: Layer, first: Shape, inputs: Shapes) -> Shape | None:
    """EinsumDense: sizes of its input by letter, the others as its settings say."""
    left, _, right = str(layer.config.get("equation", "")).replace(" ", "").partition("->")
    given = layer.config.get("output_shape")
    told = list(given) if isinstance(given, list | tuple) else [given]
    head, dots, tail = left.partition(",")[0].partition("...")
    spread = len(first) - len(head) - len(tail)
    if not right or spread < 0 or (spread and not dots):
        return None
    sizes = dict(zip(head + tail, (*first[: len(head)], *first[len(head) + spread :]), strict=True))
    letters = right.replace("...", "")

    def size(at: int) -> Dim:
        place = len(told) - (len(letters) - at)
        known = sizes.get(letters[at])
        return told[place] if known is None and place >= 0 and (at or letters[at] not in sizes) else known

    found = [size(at) for at in range(len(letters))]
    before = len(right.partition("...")[0]) if "..." in right else 0
    middle = first[len(head) : len(head) + spread] if "..." in right else ()
    return (*found[:before], *middle, *found[before:])


def _encoded(layer: Layer, first: Shape, inputs: Shapes) -> Shape | None:
    """CategoryEncoding and Hashing: numbers, or a place for each of so many categories."""
    mode = str(layer.config.get("output_mode", "int" if layer.type != "CategoryEncoding" else "multi_hot"))
    if mode == "int":
        return first
    key = next(key for key in ("num_tokens", "num_bins", "max_tokens") if key in layer.config)
    count = layer.config.get(key)
    size = count if isinstance(count, int) else None
    return _placed_in(mode, first, size)


def backwards(layer: Layer) -> bool:
    """Whether a call of a ReversibleEmbedding gives scores of rows instead of rows."""
    named = layer.given.get("kwargs") if isinstance(layer.given, dict) else None
    return layer.config.get("reverse") is True or (isinstance(named, dict) and named.get("reverse") is True)


def _reversible(layer: Layer, first: Shape, inputs: Shapes) -> Shape | None:
    return (*first[:-1], whole(layer, "input_dim")) if backwards(layer) else (*first, whole(layer, "output_dim"))


def _looked_up(layer: Layer, first: Shape, inputs: Shapes) -> Shape | None:
    mode = layer.config.get("output_mode", "int")
    if layer.type == "TextVectorization":
        length = layer.config.get("output_sequence_length")
        return (first[0], length if isinstance(length, int) else None) if mode == "int" else None
    most, known = layer.config.get("max_tokens"), layer.config.get("vocabulary_size")
    count = most if layer.config.get("pad_to_max_tokens") is True else known
    return first if mode == "int" else _placed_in(mode, first, count if isinstance(count, int) else None)


def _placed_in(mode: object, first: Shape, count: Dim) -> Shape | None:
    """A place for each of so many categories: of each word, or of all words of a sample."""
    if mode == "one_hot":
        return (*first[:-1], count) if first and first[-1] == 1 else (*first, count)
    return (*first[:-1], count) if len(first) > 1 else (count,)


def _framed(layer: Layer, first: Shape, inputs: Shapes) -> Shape | None:
    """Resizing and cropping to a height and a width."""
    sizes: list[Dim] = [whole(layer, "height"), whole(layer, "width")]
    if len(first) == 3:  # one image
        return (sizes[0], sizes[1], first[2])
    return joined(layer, first, sizes, channels(layer, first))


def _adaptive(layer: Layer, first: Shape, inputs: Shapes) -> Shape | None:
    sizes: list[Dim] = list(many(layer.config.get("output_size"), len(first) - 2))
    return joined(layer, first, sizes, channels(layer, first))


def _placed(layer: Layer, first: Shape, inputs: Shapes) -> Shape | None:
    return first


def _binned(layer: Layer, first: Shape, inputs: Shapes) -> Shape | None:
    mode, bounds = layer.config.get("output_mode", "int"), layer.config.get("bin_boundaries")
    return first if mode == "int" else _placed_in(mode, first, len(bounds) + 1) if isinstance(bounds, list) else None


def _bands(layer: Layer, first: Shape, inputs: Shapes) -> Shape | None:
    """MelSpectrogram: bands of the spectrum of frames around every so many samples."""
    size = first[-1]
    frames = 1 + size // whole(layer, "sequence_stride") if isinstance(size, int) else None
    return (*first[:-1], whole(layer, "num_mel_bins"), frames)


AUGMENTS = (
    "RandomHue RandomSaturation RandomSharpness RandomGrayscale RandomColorJitter RandomInvert RandomPosterization "
    "RandomErasing RandomGaussianBlur RandomShear RandomPerspective RandomColorDegeneration RandomElasticTransform "
    "Solarization Equalization AutoContrast RandAugment AugMix ContrastLimitedAdaptiveHistogramEqualization"
)
"""Layers that change pictures and keep their size."""

MORE: dict[str, Rule] = {
    "MultiHeadAttention": _heads("num_heads"),
    **dict.fromkeys(("GroupedQueryAttention", "GroupQueryAttention"), _heads("num_query_heads")),
    **dict.fromkeys(("Attention", "AdditiveAttention"), _attention),
    "EinsumDense": _contracted,
    **dict.fromkeys(("CategoryEncoding", "Hashing", "HashedCrossing"), _encoded),
    **dict.fromkeys(("IntegerLookup", "StringLookup", "TextVectorization"), _looked_up),
    **dict.fromkeys(("Resizing", "CenterCrop", "RandomCrop"), _framed),
    **{f"Adaptive{kind}Pooling{n}D": _adaptive for kind in ("Average", "Max") for n in (1, 2, 3)},
    "Discretization": _binned,
    "MelSpectrogram": _bands,
    "ReversibleEmbedding": _reversible,
    **dict.fromkeys(AUGMENTS.split(), _placed),
}
