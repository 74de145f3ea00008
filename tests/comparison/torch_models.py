"""The models in torch, written from the papers with torchvision's and transformers' choices; weights are random."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from tests.comparison.reference import MOBILE, Sizes, divisible


class Bottleneck(nn.Module):
    def __init__(self, inner: int, middle: int, stride: int, down: bool) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inner, middle, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(middle)
        self.conv2 = nn.Conv2d(middle, middle, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(middle)
        self.conv3 = nn.Conv2d(middle, 4 * middle, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(4 * middle)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = (
            nn.Sequential(nn.Conv2d(inner, 4 * middle, 1, stride, bias=False), nn.BatchNorm2d(4 * middle))
            if down
            else None
        )

    def forward(self, x: Any) -> Any:
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.bn3(self.conv3(self.relu(self.bn2(self.conv2(y)))))
        return self.relu(y + (x if self.downsample is None else self.downsample(x)))


class ResNet(nn.Module):
    def __init__(self, s: Sizes) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, s.width, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(s.width)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        inner, stages = s.width, []
        for stage, blocks in enumerate(s.blocks):
            middle, made = s.width * 2**stage, []
            for block in range(blocks):
                first = block == 0
                made.append(Bottleneck(inner, middle, 2 if first and stage else 1, first))
                inner = 4 * middle
            stages.append(nn.Sequential(*made))
        self.layers = nn.Sequential(*stages)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(inner, s.classes)

    def forward(self, x: Any) -> Any:
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        return self.fc(self.avgpool(self.layers(x)).flatten(1))


def _unit(inner: int, outer: int, kernel: int, stride: int = 1, groups: int = 1, act: bool = True) -> nn.Sequential:
    conv = nn.Conv2d(inner, outer, kernel, stride, kernel // 2, groups=groups, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(outer), *([nn.ReLU6(inplace=True)] if act else []))


class Inverted(nn.Module):
    def __init__(self, inner: int, outer: int, stride: int, expansion: int) -> None:
        super().__init__()
        middle = inner * expansion
        first = [_unit(inner, middle, 1)] if expansion > 1 else []
        rest = [_unit(middle, middle, 3, stride, middle), _unit(middle, outer, 1, act=False)]
        self.conv = nn.Sequential(*first, *rest)
        self.skips = stride == 1 and inner == outer

    def forward(self, x: Any) -> Any:
        return x + self.conv(x) if self.skips else self.conv(x)


class MobileNetV2(nn.Module):
    def __init__(self, s: Sizes) -> None:
        super().__init__()
        inner = divisible(32 * s.alpha)
        made: list[nn.Module] = [_unit(3, inner, 3, 2)]
        for expansion, channels, repetitions, stride in MOBILE:
            outer = divisible(channels * s.alpha)
            for number in range(repetitions):
                made.append(Inverted(inner, outer, stride if number == 0 else 1, expansion))
                inner = outer
        made.append(_unit(inner, 1280, 1))
        self.features = nn.Sequential(*made)
        self.classifier = nn.Sequential(nn.Dropout(0.2), nn.Linear(1280, s.classes))

    def forward(self, x: Any) -> Any:
        return self.classifier(nn.functional.adaptive_avg_pool2d(self.features(x), (1, 1)).flatten(1))


class EncoderBlock(nn.Module):
    def __init__(self, s: Sizes) -> None:
        super().__init__()
        self.ln_1 = nn.LayerNorm(s.hidden, eps=1e-6)
        self.self_attention = nn.MultiheadAttention(s.hidden, s.heads, batch_first=True)
        self.ln_2 = nn.LayerNorm(s.hidden, eps=1e-6)
        self.mlp = nn.Sequential(nn.Linear(s.hidden, s.inner), nn.GELU(), nn.Linear(s.inner, s.hidden))

    def forward(self, x: Any) -> Any:
        y = self.ln_1(x)
        y, _ = self.self_attention(y, y, y, need_weights=False)
        x = x + y
        return x + self.mlp(self.ln_2(x))


class VisionTransformer(nn.Module):
    """torch's own MultiheadAttention, as in torchvision."""

    def __init__(self, s: Sizes) -> None:
        super().__init__()
        self.conv_proj = nn.Conv2d(3, s.hidden, 16, 16)
        self.class_token = nn.Parameter(torch.randn(1, 1, s.hidden))
        self.pos_embedding = nn.Parameter(torch.randn(1, (s.image // 16) ** 2 + 1, s.hidden))
        self.layers = nn.Sequential(*[EncoderBlock(s) for _ in range(s.layers)])
        self.ln = nn.LayerNorm(s.hidden, eps=1e-6)
        self.head = nn.Linear(s.hidden, s.classes)

    def forward(self, x: Any) -> Any:
        x = self.conv_proj(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.class_token.expand(x.shape[0], -1, -1), x], 1) + self.pos_embedding
        return self.head(self.ln(self.layers(x))[:, 0])


class BertLayer(nn.Module):
    """Attention spelled out: matmul, softmax, matmul."""

    def __init__(self, s: Sizes) -> None:
        super().__init__()
        self.heads, self.size = s.heads, s.hidden // s.heads
        self.query, self.key = nn.Linear(s.hidden, s.hidden), nn.Linear(s.hidden, s.hidden)
        self.value, self.dense = nn.Linear(s.hidden, s.hidden), nn.Linear(s.hidden, s.hidden)
        self.norm1, self.norm2 = nn.LayerNorm(s.hidden, eps=1e-12), nn.LayerNorm(s.hidden, eps=1e-12)
        self.up, self.down = nn.Linear(s.hidden, s.inner), nn.Linear(s.inner, s.hidden)

    def forward(self, x: Any) -> Any:
        q, k, v = (
            part(x).view(x.shape[0], x.shape[1], self.heads, self.size).transpose(1, 2)
            for part in (self.query, self.key, self.value)
        )
        scores = torch.softmax(torch.matmul(q, k.transpose(-1, -2)) / self.size**0.5, -1)
        y = torch.matmul(scores, v).transpose(1, 2).flatten(2)
        x = self.norm1(x + self.dense(y))
        return self.norm2(x + self.down(nn.functional.gelu(self.up(x))))


class Bert(nn.Module):
    def __init__(self, s: Sizes) -> None:
        super().__init__()
        self.words, self.places = nn.Embedding(s.words, s.hidden), nn.Embedding(s.places, s.hidden)
        self.types = nn.Embedding(2, s.hidden)
        self.norm = nn.LayerNorm(s.hidden, eps=1e-12)
        self.layers = nn.Sequential(*[BertLayer(s) for _ in range(s.layers)])
        self.pooler = nn.Linear(s.hidden, s.hidden)

    def forward(self, ids: Any, places: Any, types: Any) -> Any:
        x = self.layers(self.norm(self.words(ids) + self.places(places) + self.types(types)))
        return x, torch.tanh(self.pooler(x[:, 0]))


class Recurrent(nn.Module):
    def __init__(self, s: Sizes) -> None:
        super().__init__()
        self.words = nn.Embedding(s.words, s.embedded)
        self.lstm = nn.LSTM(s.embedded, s.cells, 2, batch_first=True)
        self.head = nn.Linear(s.cells, s.classes)

    def forward(self, ids: Any) -> Any:
        return self.head(self.lstm(self.words(ids))[0][:, -1])


def made(name: str, s: Sizes) -> tuple[nn.Module, tuple[Any, ...]]:
    """A model ready for inference, and inputs of one sample."""
    torch.manual_seed(0)
    image = torch.randn(1, 3, s.image, s.image)
    ids = torch.randint(0, s.words, (1, s.length))
    places = torch.arange(s.length)[None]
    models: dict[str, tuple[Any, tuple[Any, ...]]] = {
        "ResNet-50": (ResNet, (image,)),
        "MobileNetV2": (MobileNetV2, (image,)),
        "ViT-B/16": (VisionTransformer, (image,)),
        "BERT-base": (Bert, (ids, places, torch.zeros_like(ids))),
        "LSTM": (Recurrent, (torch.randint(0, s.words, (1, s.steps)),)),
    }
    kind, inputs = models[name]
    model = kind(s).eval()
    with torch.no_grad():  # no two weights alike: exporters store equal ones once
        for tensor in (*model.parameters(), *model.buffers()):
            if tensor.is_floating_point():
                tensor.uniform_(0.01, 0.1)
    return model, inputs
