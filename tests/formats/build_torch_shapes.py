"""Builds TorchScript files of well-known architectures, traced and scripted, into the folder given, and `facts.json`
with the shapes that torch noted for every operator while it traced."""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

warnings.simplefilter("ignore")

Made = tuple[nn.Module, tuple[Tensor, ...]]


class Bottleneck(nn.Module):
    def __init__(self, width: int, inner: int, stride: int) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(width, inner, 1, bias=False), nn.BatchNorm2d(inner)
        self.conv2 = nn.Conv2d(inner, inner, 3, stride, 1, bias=False)
        self.bn2, self.bn3 = nn.BatchNorm2d(inner), nn.BatchNorm2d(inner * 4)
        self.conv3 = nn.Conv2d(inner, inner * 4, 1, bias=False)
        self.relu = nn.ReLU(inplace=True)
        plain = stride == 1 and width == inner * 4
        self.down = nn.Identity() if plain else nn.Sequential(
            nn.Conv2d(width, inner * 4, 1, stride, bias=False), nn.BatchNorm2d(inner * 4)
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.bn3(self.conv3(self.relu(self.bn2(self.conv2(y)))))
        y += self.down(x)
        return self.relu(y)


class ResNet(nn.Module):
    """ResNet-50 as torchvision has it, a quarter as wide."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 7, 2, 3, bias=False)
        self.bn1, self.relu, self.maxpool = nn.BatchNorm2d(16), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, 1)
        width, stages = 16, []
        for inner, count, stride in ((16, 3, 1), (32, 4, 2), (64, 6, 2), (128, 3, 2)):
            blocks = []
            for at in range(count):
                blocks.append(Bottleneck(width, inner, stride if at == 0 else 1))
                width = inner * 4
            stages.append(nn.Sequential(*blocks))
        self.layers = nn.Sequential(*stages)
        self.avgpool, self.fc = nn.AdaptiveAvgPool2d((1, 1)), nn.Linear(512, 1000)

    def forward(self, x: Tensor) -> Tensor:
        x = self.layers(self.maxpool(self.relu(self.bn1(self.conv1(x)))))
        return self.fc(torch.flatten(self.avgpool(x), 1))


class Inverted(nn.Module):
    def __init__(self, width: int, out: int, stride: int, grow: int) -> None:
        super().__init__()
        inner = width * grow
        self.same = stride == 1 and width == out
        steps = [] if grow == 1 else [nn.Conv2d(width, inner, 1, bias=False), nn.BatchNorm2d(inner), nn.ReLU6()]
        steps += [nn.Conv2d(inner, inner, 3, stride, 1, groups=inner, bias=False), nn.BatchNorm2d(inner), nn.ReLU6()]
        self.conv = nn.Sequential(*steps, nn.Conv2d(inner, out, 1, bias=False), nn.BatchNorm2d(out))

    def forward(self, x: Tensor) -> Tensor:
        if self.same:
            return x + self.conv(x)
        return self.conv(x)


class MobileNet(nn.Module):
    """MobileNetV2 as torchvision has it."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(3, 32, 3, 2, 1, bias=False), nn.BatchNorm2d(32), nn.ReLU6()]
        width = 32
        table = (
            (1, 16, 1, 1),
            (6, 24, 2, 2),
            (6, 32, 3, 2),
            (6, 64, 4, 2),
            (6, 96, 3, 1),
            (6, 160, 3, 2),
            (6, 320, 1, 1),
        )
        for grow, out, count, stride in table:
            for at in range(count):
                layers.append(Inverted(width, out, stride if at == 0 else 1, grow))
                width = out
        layers += [nn.Conv2d(320, 1280, 1, bias=False), nn.BatchNorm2d(1280), nn.ReLU6()]
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(nn.Dropout(0.2), nn.Linear(1280, 1000))

    def forward(self, x: Tensor) -> Tensor:
        x = functional.adaptive_avg_pool2d(self.features(x), (1, 1))
        return self.classifier(torch.flatten(x, 1))


class Encoder(nn.Module):
    """A block of torchvision's ViT."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.ln_1, self.ln_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = nn.MultiheadAttention(width, heads, batch_first=True)
        self.mlp = nn.Sequential(nn.Linear(width, width * 4), nn.GELU(), nn.Linear(width * 4, width))

    def forward(self, x: Tensor) -> Tensor:
        y = self.ln_1(x)
        y, _ = self.attention(y, y, y, need_weights=False)
        x = x + y
        return x + self.mlp(self.ln_2(x))


class ViT(nn.Module):
    """ViT with patches of 16, as torchvision has it; `depth` blocks of the width of the smallest."""

    def __init__(self, depth: int = 2, width: int = 192) -> None:
        super().__init__()
        self.conv_proj = nn.Conv2d(3, width, 16, 16)
        self.class_token = nn.Parameter(torch.zeros(1, 1, width))
        self.pos_embedding = nn.Parameter(torch.zeros(1, 197, width))
        self.layers = nn.Sequential(*(Encoder(width, 3) for _ in range(depth)))
        self.ln, self.head = nn.LayerNorm(width), nn.Linear(width, 1000)

    def forward(self, x: Tensor) -> Tensor:
        n = x.shape[0]
        x = self.conv_proj(x).reshape(n, self.class_token.shape[-1], -1).permute(0, 2, 1)
        x = torch.cat([self.class_token.expand(n, -1, -1), x], dim=1) + self.pos_embedding
        return self.head(self.ln(self.layers(x))[:, 0])


class Heads(nn.Module):
    """Attention as BERT's authors write it."""

    def __init__(self, width: int = 64, heads: int = 4) -> None:
        super().__init__()
        self.heads, self.size = heads, width // heads
        self.query, self.key, self.value = nn.Linear(width, width), nn.Linear(width, width), nn.Linear(width, width)
        self.out, self.norm = nn.Linear(width, width), nn.LayerNorm(width)

    def split(self, x: Tensor) -> Tensor:
        return x.view(x.size(0), x.size(1), self.heads, self.size).permute(0, 2, 1, 3)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        q, k, v = self.split(self.query(x)), self.split(self.key(x)), self.split(self.value(x))
        scores = torch.matmul(q, k.transpose(-1, -2)) / self.size**0.5 + mask
        y = torch.matmul(torch.softmax(scores, dim=-1), v).permute(0, 2, 1, 3).contiguous()
        y = y.flatten(2)
        return self.norm(self.out(y) + x)


class Bert(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.words, self.places, self.kinds = nn.Embedding(100, 64), nn.Embedding(32, 64), nn.Embedding(2, 64)
        self.norm, self.layers = nn.LayerNorm(64), nn.ModuleList([Heads() for _ in range(2)])
        self.pooler, self.drop = nn.Linear(64, 64), nn.Dropout(0.1)
        self.register_buffer("position_ids", torch.arange(32).expand((1, -1)))

    def forward(self, ids: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        places = self.position_ids[:, : ids.shape[1]]
        x = self.words(ids) + self.places(places) + self.kinds(torch.zeros_like(ids))
        x = self.drop(self.norm(x))
        far = (1.0 - mask[:, None, None, :].to(x.dtype)) * -10000.0
        for layer in self.layers:
            x = layer(x, far)
        return x, torch.tanh(self.pooler(x[:, 0]))


class Recurrent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(30, 12)
        self.lstm = nn.LSTM(12, 10, 2, batch_first=True, bidirectional=True)
        self.gru, self.rnn = nn.GRU(20, 7), nn.RNN(7, 6, nonlinearity="relu")
        self.projected = nn.LSTM(6, 8, proj_size=3, batch_first=True)
        self.cell, self.gates, self.plain = nn.LSTMCell(3, 5), nn.GRUCell(5, 4), nn.RNNCell(4, 2)

    def forward(self, ids: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        y, (h, _) = self.lstm(self.embed(ids))
        z, _ = self.gru(y)
        z, last = self.rnn(z)
        z, _ = self.projected(z)
        hidden, _ = self.cell(z[:, -1])
        return y, h, self.plain(self.gates(hidden)) + last.sum()


class Attention(nn.Module):
    """The fused paths of torch's own modules, and attention by name."""

    def __init__(self) -> None:
        super().__init__()
        self.mha = nn.MultiheadAttention(24, 3, kdim=10, vdim=11, batch_first=True)
        self.first = nn.MultiheadAttention(24, 4)
        self.encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(24, 4, 48, batch_first=True), 1)
        self.decoder = nn.TransformerDecoderLayer(24, 4, 48, batch_first=True)

    def forward(self, x: Tensor, memory: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        y, weights = self.mha(
            x, memory, memory[:, :, :11] if memory.size(2) > 11 else torch.cat([memory, memory[:, :, :1]], 2)
        )
        z, _ = self.first(y, x, x)
        q = z.unflatten(-1, (4, 6)).transpose(1, 2)
        s = functional.scaled_dot_product_attention(q, q, q[..., :5], is_causal=True)
        assert weights is not None
        return self.decoder(self.encoder(z), x), weights, s


class Scripted(nn.Module):
    """A recurrence written by hand: a loop over time, whose results are gathered in a list; and one that goes on."""

    def __init__(self) -> None:
        super().__init__()
        self.cell, self.out = nn.GRUCell(4, 6), nn.Linear(6, 3)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        h = torch.zeros(x.size(1), 6)
        found: list[Tensor] = []
        for step in x.unbind(0):
            h = self.cell(step, h)
            found.append(self.out(h))
        return torch.stack(found), torch.cat(found, 1)


class Many(nn.Module):
    """Operators that change shapes in ways of their own."""

    def __init__(self) -> None:
        super().__init__()
        self.up1, self.up3 = nn.ConvTranspose1d(6, 4, 5, 3, 2, 1), nn.ConvTranspose3d(2, 3, 3, 2, dilation=2)
        self.up2 = nn.ConvTranspose2d(6, 4, 3, 2, 1, 1, groups=2)
        self.same = nn.Conv2d(6, 5, (3, 4), padding="same", dilation=2)
        self.shuffle, self.unshuffle = nn.PixelShuffle(2), nn.PixelUnshuffle(2)
        self.bag, self.bilinear = nn.EmbeddingBag(9, 5), nn.Bilinear(6, 6, 3)
        self.prelu, self.norm = nn.PReLU(), nn.InstanceNorm2d(6, affine=True)
        self.pool, self.adaptive = nn.LPPool2d(2, 2), nn.AdaptiveAvgPool2d((3, 4))

    def forward(self, x: Tensor, ids: Tensor) -> list[Tensor]:
        n, h, w = x.size(0), x.size(2), x.size(3)
        top = torch.topk(x, 3, dim=1)
        low, where = x.min(dim=2)
        pooled, _ = functional.max_pool2d(x, 2, return_indices=True)
        return [
            self.up1(x[:, :, 0]), self.up2(x), self.up3(x.view(n, 2, 3, h, w)), self.same(x),
            self.unshuffle(x[:, :, :4, :4]), self.shuffle(torch.cat([x, x[:, :2]], 1)), self.bag(ids),
            self.bilinear(x[:, :, 0, :6], x[:, :, 1, :6]), self.prelu(x), self.norm(x), self.pool(x), pooled,
            self.adaptive(x), functional.adaptive_max_pool1d(x[:, 0], 4), functional.interpolate(x, scale_factor=2.0),
            functional.interpolate(x, size=(5, 9), mode="bilinear"),
            functional.interpolate(x, scale_factor=(0.5, 1.5), mode="bicubic"), functional.interpolate(x[0], size=7),
            functional.unfold(x, (2, 3), stride=2, padding=1), x.unfold(3, 4, 2),
            torch.einsum("bchw,bcxw->bhx", x, x),
            functional.fold(functional.unfold(x, 2, stride=2), (8, 10), 2, stride=2), functional.glu(x, 1),
            functional.pad(x, [1, 2, 0, 3]), functional.pad(x[0], [1, 1], mode="reflect"), functional.one_hot(ids, 9),
            functional.grid_sample(x, torch.zeros(n, 3, 4, 2)), functional.pixel_shuffle(x[:, :4], 2), x.cumsum(1),
            *top, low, where, *torch.sort(x, 1), x.argmax(1), x.roll(1, 0),
            torch.stft(x[:, 0, 0], 8, 4, return_complex=False, center=False), torch.cdist(x, x),
            torch.outer(x[0, 0, 0], x[0, 0, 0]), x.diagonal(0, 2, 3), torch.tril(x), x.repeat(1, 2, 1, 1),
            x.repeat_interleave(2, 1), torch.gather(x, 1, where.unsqueeze(2)[:, :2]), x.index_select(1, ids[0]),
            x[:, ids[0]], torch.meshgrid(x[0, 0, 0], x[0, 0, 1], indexing="ij")[0], torch.arange(h),
            torch.linspace(0, 1, w), x.mean((2, 3), keepdim=True), x.var(1), torch.linalg.vector_norm(x, dim=1),
            x.amax((1, 2)), x.logsumexp(1), x.flatten(1).chunk(3, 1)[2], x.movedim(1, 3), x.narrow(1, 2, 3),
            x.swapaxes(1, 2), torch.bmm(x[:, 0], x[:, 1].transpose(1, 2)),
            torch.addmm(x[0, 0], x[0, 0], torch.eye(w)), x.new_zeros(n, 4), torch.full((h, 2), 1.0),
            torch.scatter(x, 1, where.unsqueeze(2), 1.0), x.masked_fill(x > 0, 0.0), torch.where(x > 0, x, 0.0),
            x.square().clamp(0, 1), torch.tensor_split(x, 2, 1)[0], x.flip(2), torch.kron(x[0, 0], x[0, 0]),
            torch.tensordot(x, x, ([1, 2], [1, 2])),
            torch.linalg.multi_dot([x[0, 0], x[0, 0].t(), x[0, 1], x[0, 0, 0]]),
        ]  # fmt: skip


def image(model: nn.Module, size: int = 224) -> Made:
    return model, (torch.zeros(2, 3, size, size),)


MODELS: dict[str, Callable[[], Made]] = {
    "resnet": lambda: image(ResNet()),
    "mobilenet": lambda: image(MobileNet()),
    "vit": lambda: image(ViT()),
    "bert": lambda: (Bert(), (torch.zeros(2, 9, dtype=torch.int64), torch.ones(2, 9, dtype=torch.int64))),
    "recurrent": lambda: (Recurrent(), (torch.zeros(3, 9, dtype=torch.int64),)),
    "attention": lambda: (Attention(), (torch.zeros(2, 5, 24), torch.zeros(2, 7, 10))),
    "scripted": lambda: (Scripted(), (torch.zeros(5, 2, 4),)),
    "many": lambda: (Many(), (torch.zeros(2, 6, 8, 10), torch.zeros(2, 3, dtype=torch.int64))),
}


def noted(module: Any) -> dict[str, list[list[int]]]:
    """Shapes of what each operator gave while it was traced, by operator, in order."""
    found: dict[str, list[list[int]]] = {}
    for node in module.inlined_graph.nodes():
        for output in node.outputs():
            kind = output.type()
            if node.kind().startswith("aten::") and isinstance(kind, torch._C.TensorType) and kind.sizes() is not None:
                found.setdefault(node.kind(), []).append(list(kind.sizes()))
    return found


def flat(result: Any) -> list[list[int]]:
    """Shapes of all tensors of a result."""
    if isinstance(result, Tensor):
        return [list(result.shape)]
    return [shape for part in result for shape in flat(part)]


def main(folder: Path) -> None:
    torch.manual_seed(0)
    facts = {}
    for name, make in MODELS.items():
        model, inputs = make()
        model.eval()
        with torch.no_grad():
            outputs = flat(model(*inputs))
            traced, scripted = torch.jit.trace(model, inputs, check_trace=False), torch.jit.script(model)
        traced.save(str(folder / f"{name}_trace.pt"))
        scripted.save(str(folder / f"{name}_script.pt"))
        shapes = [list(item.shape) for item in inputs]
        facts[name] = {"inputs": shapes, "outputs": outputs, "operators": noted(traced)}
    (folder / "facts.json").write_text(json.dumps(facts))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
