"""What the models have by arithmetic alone: written from the papers' tables, without any framework.

He et al. 2015 (ResNet-50; torchvision strides in the 3×3 convolution, Keras in the first 1×1, and gives every
convolution a bias), Sandler et al. 2018 (MobileNetV2), Dosovitskiy et al. 2020 (ViT-B/16), Devlin et al. 2018
(BERT-base), Hochreiter & Schmidhuber 1997 (LSTM; torch has two biases a gate, Keras one).
"""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass
class Reference:
    """Counted while the architecture is walked.

    Attributes:
        weights: What training changes.
        buffers: Running means and variances.
        channels: Channels of all batch normalisations.
        kept: Channels of those that follow a convolution with a bias.
        depthwise: Channels of those that follow a convolution of one channel each.
        macs: Multiply-adds for one input.
    """

    weights: int = 0
    buffers: int = 0
    channels: int = 0
    kept: int = 0
    depthwise: int = 0
    macs: int = 0

    @property
    def parameters(self) -> int:
        return self.weights + self.buffers

    @property
    def folded(self) -> int:
        """Parameters when every batch normalisation has gone into its convolution, which has a bias then."""
        return self.weights - 2 * self.channels + self.channels - self.kept

    def conv(self, size: int, inner: int, outer: int, kernel: int, *, bias: bool, norm: bool = True) -> None:
        """A convolution with `size`×`size` outputs, and a normalisation."""
        self.weights += inner * outer * kernel**2 + outer * bias
        self.macs += size**2 * inner * outer * kernel**2
        if norm:
            self.weights += 2 * outer
            self.buffers += 2 * outer
            self.channels += outer
            self.kept += outer * bias
            self.depthwise += outer * (inner == 1)

    def linear(self, rows: int, inner: int, outer: int) -> None:
        self.weights += (inner + 1) * outer
        self.macs += rows * inner * outer

    def attention(self, length: int, width: int) -> None:
        """Projections of query, key, value and output, scores, and their weighted sum."""
        for _ in range(4):
            self.linear(length, width, width)
        self.macs += 2 * length * length * width

    def norm(self, width: int) -> None:
        self.weights += 2 * width


@dataclass(frozen=True)
class Sizes:
    """How large each model is built."""

    image: int = 224
    classes: int = 1000
    width: int = 64
    blocks: tuple[int, ...] = (3, 4, 6, 3)
    alpha: float = 1.0
    hidden: int = 768
    heads: int = 12
    inner: int = 3072
    layers: int = 12
    words: int = 30522
    places: int = 512
    length: int = 128
    steps: int = 64
    embedded: int = 128
    cells: int = 256


FULL = Sizes()
SMALL = Sizes(
    image=64, classes=10, width=8, blocks=(1, 2, 1, 1), alpha=0.35, hidden=32, heads=2, inner=64, layers=2, words=97,
    places=40, length=16, steps=7, embedded=6, cells=5,
)  # fmt: skip

MOBILE = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
"""Expansion, channels, repetitions and stride of MobileNetV2's stages."""


def divisible(channels: float) -> int:
    """The paper's rounding of channels: to eights, never by more than a tenth."""
    rounded = max(8, int(channels + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * channels else rounded


def resnet50(s: Sizes, keras: bool) -> Reference:
    if keras:  # that of keras.applications has one width and depth
        s = replace(s, width=FULL.width, blocks=FULL.blocks)
    total, size, inner = Reference(), s.image // 2, s.width
    total.conv(size, 3, s.width, 7, bias=keras)
    size //= 2
    for stage, blocks in enumerate(s.blocks):
        middle = s.width * 2**stage
        for block in range(blocks):
            smaller = size // 2 if block == 0 and stage else size
            total.conv(smaller if keras else size, inner, middle, 1, bias=keras)
            total.conv(smaller, middle, middle, 3, bias=keras)
            total.conv(smaller, middle, 4 * middle, 1, bias=keras)
            if block == 0:
                total.conv(smaller, inner, 4 * middle, 1, bias=keras)
            size, inner = smaller, 4 * middle
    total.linear(1, inner, s.classes)
    return total


def mobilenet_v2(s: Sizes, keras: bool) -> Reference:
    total, size = Reference(), s.image // 2
    inner = divisible(32 * s.alpha)
    total.conv(size, 3, inner, 3, bias=False)
    for expansion, channels, repetitions, stride in MOBILE:
        outer = divisible(channels * s.alpha)
        for number in range(repetitions):
            middle = inner * expansion
            if expansion > 1:
                total.conv(size, inner, middle, 1, bias=False)
            size = -(-size // (stride if number == 0 else 1))
            total.conv(size, 1, middle, 3, bias=False)
            total.conv(size, middle, outer, 1, bias=False)
            inner = outer
    last = divisible(1280 * s.alpha) if s.alpha > 1 else 1280
    total.conv(size, inner, last, 1, bias=False)
    total.linear(1, last, s.classes)
    return total


def vit_b16(s: Sizes, keras: bool) -> Reference:
    total, patches = Reference(), (s.image // 16) ** 2
    length = patches + 1
    total.conv(s.image // 16, 3, s.hidden, 16, bias=True, norm=False)
    total.weights += s.hidden + length * s.hidden
    _encoder(total, s, length)
    total.norm(s.hidden)
    total.linear(1, s.hidden, s.classes)
    return total


def bert_base(s: Sizes, keras: bool) -> Reference:
    total = Reference()
    total.weights += (s.words + s.places + 2) * s.hidden
    total.norm(s.hidden)
    _encoder(total, s, s.length)
    total.linear(1, s.hidden, s.hidden)
    return total


def _encoder(total: Reference, s: Sizes, length: int) -> None:
    for _ in range(s.layers):
        total.attention(length, s.hidden)
        total.linear(length, s.hidden, s.inner)
        total.linear(length, s.inner, s.hidden)
        total.norm(s.hidden)
        total.norm(s.hidden)


def lstm(s: Sizes, keras: bool) -> Reference:
    total = Reference(weights=s.words * s.embedded)
    for inner in (s.embedded, s.cells):
        total.weights += 4 * s.cells * (inner + s.cells + (1 if keras else 2))
        total.macs += s.steps * 4 * s.cells * (inner + s.cells)
    total.linear(1, s.cells, s.classes)
    return total


MODELS = {
    "ResNet-50": resnet50,
    "MobileNetV2": mobilenet_v2,
    "ViT-B/16": vit_b16,
    "BERT-base": bert_base,
    "LSTM": lstm,
}
