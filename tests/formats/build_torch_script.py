"""Builds TorchScript files of several kinds into the folder given, and `facts.json` with what torch says of them."""

from __future__ import annotations

import json
import sys
from collections import namedtuple
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

Pair = namedtuple("Pair", ["first", "second"])


class SimpleNN(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.flatten = nn.Flatten()
        self.stack = nn.Sequential(nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 10))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.stack(self.flatten(x))


class Mixed(nn.Module):
    """Convolutions, recurrence, conditions and loops."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 8, 3, padding=1, stride=2)
        self.norm = nn.BatchNorm2d(8)
        self.pool = nn.MaxPool2d(3, stride=2, padding=1, ceil_mode=True)
        self.up = nn.ConvTranspose2d(8, 4, 4, stride=2, padding=1)
        self.lstm = nn.LSTM(28, 16, batch_first=True, bidirectional=True)
        self.drop = nn.Dropout(0.1)

    def forward(self, x: torch.Tensor, flag: bool = False) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        y = torch.relu(self.norm(self.conv(x)))
        if flag:
            y = y + 1
        else:
            y = y * 2
        for i in range(3):
            y = y + i
        z = self.up(self.pool(y))
        y = nn.functional.adaptive_avg_pool2d(y, 1).flatten(1)
        a, b = torch.split(y, 4, 1)
        w, _ = self.lstm(x[:, 0])
        return torch.cat([b, a], 1), z, self.drop(w)


class Attention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(50, 16)
        self.layers = nn.ModuleList([nn.TransformerEncoderLayer(16, 2, 32, batch_first=True) for _ in range(2)])
        self.head = nn.Linear(16, 50, bias=False)
        self.head.weight = self.embed.weight

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        x = self.embed(ids)
        for layer in self.layers:
            x = layer(x)
        return self.head(x)


class Looping(nn.Module):
    """A loop that depends on a tensor, a condition that does, and a dictionary as result."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(4, 4)

    def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        while bool(x.sum() < 100):
            x = self.linear(x) + 1
        if bool(x.max() > 5):
            y = torch.relu(x)
        else:
            y = x.unsqueeze(0).squeeze(0)
        return {"looped": x, "chosen": y}


class Odd(nn.Module):
    """Types and layouts that are not the common ones."""

    def __init__(self) -> None:
        super().__init__()
        self.brief = nn.Parameter(torch.randn(3, 4).to(torch.bfloat16), requires_grad=False)
        self.turned = nn.Parameter(torch.randn(4, 3).t())
        self.register_buffer("steps", torch.arange(5))
        self.register_buffer("scale", torch.rand(7))
        self.register_buffer("part", torch.arange(24.0).reshape(4, 6)[1:3, ::2])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (
            (x @ self.turned.t()).sum(-1, keepdim=True) + self.scale.sum() + self.brief.float().sum() + self.part.mean()
        )


class Named(nn.Module):
    def forward(self, x: torch.Tensor) -> Pair:
        return Pair(x + 1, x * 2)


def shapes(model: nn.Module, inputs: tuple[Any, ...]) -> dict[str, list[int]]:
    """Shapes of the outputs of leaf modules, from a run."""
    found: dict[str, list[int]] = {}

    def hook(name: str) -> Any:
        def note(_module: nn.Module, _inputs: Any, output: Any) -> None:
            if isinstance(output, torch.Tensor):
                found[name] = list(output.shape)

        return note

    handles = [
        part.register_forward_hook(hook(name))
        for name, part in model.named_modules()
        if not list(part.children()) and "attn" not in name
    ]
    with torch.no_grad():
        model(*inputs)
    for handle in handles:
        handle.remove()
    return found


def outputs(result: Any) -> list[list[int]]:
    if isinstance(result, torch.Tensor):
        return [list(result.shape)]
    parts = result.values() if isinstance(result, dict) else result
    return [list(part.shape) for part in parts]


def note(model: nn.Module, inputs: tuple[Any, ...]) -> dict[str, Any]:
    with torch.no_grad():
        result = model(*inputs)
    return {
        "parameters": sum(p.numel() for p in model.parameters()),
        "trainable": sum(p.numel() for p in model.parameters() if p.requires_grad),
        "buffers": sum(b.numel() for b in model.buffers() if b.is_floating_point() and b.ndim),
        "names": sorted(model.state_dict()),
        "shapes": shapes(model, inputs),
        "outputs": outputs(result),
        "inputs": [list(item.shape) for item in inputs],
    }


def main(folder: Path) -> None:
    torch.manual_seed(1)
    facts: dict[str, Any] = {}
    image = (torch.rand(2, 1, 28, 28),)
    models = {
        "simple": (SimpleNN().eval(), image),
        "mixed": (Mixed().eval(), image),
        "attention": (Attention().eval(), (torch.randint(0, 50, (3, 7)),)),
        "looping": (Looping().eval(), (torch.ones(2, 4) * 100,)),
        "odd": (Odd().eval(), (torch.rand(2, 4),)),
        "named": (Named().eval(), (torch.rand(2, 4),)),
    }
    for name, (model, inputs) in models.items():
        facts[name] = note(model, inputs)
        state = {key: value.float().numpy() for key, value in model.state_dict().items()}
        np.savez(folder / f"{name}.npz", **state)
        torch.jit.save(torch.jit.script(model), folder / f"{name}_script.pt")
        if name not in ("looping", "named"):
            torch.jit.save(torch.jit.trace(model, inputs, check_trace=False), folder / f"{name}_trace.pt")
    frozen = torch.jit.freeze(torch.jit.script(models["mixed"][0]))
    torch.jit.save(frozen, folder / "mixed_frozen.pt")
    torch.jit.save(torch.jit.script(Mixed().train()), folder / "training.pt")
    torch.save(models["simple"][0].state_dict(), folder / "state.pt")
    (folder / "facts.json").write_text(json.dumps(facts))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
