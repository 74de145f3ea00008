"""Builds checkpoints, whole modules and safetensors into the folder given, and `facts.json` with what torch says."""

from __future__ import annotations

import argparse
import json
import pickle
import sys
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn


class Block(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = width
        self.conv = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(width)
        self.act = nn.ReLU(inplace=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.act(self.norm(self.conv(x)))


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.note = "for the tests"
        self.sizes = [1, 2, (3, 4)]
        self.stem = nn.Conv2d(3, 8, 3)
        self.blocks = nn.Sequential(Block(8), Block(8))
        self.embed = nn.Embedding(20, 8)
        self.head = nn.Linear(8, 20, bias=False)
        self.head.weight = self.embed.weight
        self.scale = nn.Parameter(torch.ones(8), requires_grad=False)
        self.register_buffer("steps", torch.arange(5))
        self.register_buffer("part", torch.arange(24.0).reshape(4, 6)[1:3, ::2])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.blocks(self.stem(x)).mean((2, 3)) * self.scale)


def trained(net: nn.Module) -> torch.optim.Optimizer:
    optimizer = torch.optim.Adam([p for p in net.parameters() if p.requires_grad], lr=0.01)
    net(torch.rand(1, 3, 8, 8)).sum().backward()
    optimizer.step()
    return optimizer


def lightning(net: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    return {
        "epoch": 3,
        "global_step": 42,
        "pytorch-lightning_version": "2.4.0",
        "state_dict": net.state_dict(),
        "loops": {"fit_loop": {"state_dict": {}, "epoch_progress": {"total": {"ready": 3}}}},
        "callbacks": {"ModelCheckpoint{'monitor': None}": {"best_model_score": torch.tensor(0.5), "dirpath": "/x"}},
        "optimizer_states": [optimizer.state_dict()],
        "lr_schedulers": [{"last_epoch": 3}],
        "hparams_name": "kwargs",
        "hyper_parameters": {"learning_rate": 0.01, "layers": [1, 2], "args": argparse.Namespace(width=8)},
    }


def main(folder: Path) -> None:
    torch.manual_seed(1)
    net = Net()
    optimizer = trained(net)
    state = net.state_dict()
    np.savez(folder / "state.npz", **{key: value.float().numpy() for key, value in state.items()})
    torch.save(state, folder / "state.pt")
    torch.save(state, folder / "legacy.pth", _use_new_zipfile_serialization=False)
    torch.save(state, folder / "zip.pth.tar")
    torch.save(OrderedDict((f"module.{k}", v) for k, v in state.items()), folder / "ddp.pt")
    copy = {key: value.clone() for key, value in state.items()}
    training = {"epoch": 7, "arch": "net", "model": state, "ema": copy, "optimizer": optimizer.state_dict()}
    torch.save({**training, "best": torch.tensor(0.9), "args": argparse.Namespace(lr=0.1)}, folder / "training.bin")
    torch.save({"generator": state, "discriminator": {"w.weight": torch.ones(3)}}, folder / "gan.pt")
    torch.save(lightning(net, optimizer), folder / "lightning.ckpt")
    torch.save(net, folder / "module.pt")
    torch.save(net, folder / "module_legacy.pt", _use_new_zipfile_serialization=False)
    torch.save({"epoch": 1, "model": net, "ema": None}, folder / "wrapped.pt")
    torch.save(nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.LSTM(4, 5)), folder / "plain_module.pt")
    torch.save(torch.arange(6.0).reshape(2, 3).t(), folder / "tensor.pt")
    odd = {"b": torch.ones(3).bfloat16(), "q": torch.ones(2, 2).to(torch.float8_e4m3fn), "e": torch.zeros(0, 3)}
    torch.save({**odd, "c": torch.ones(2, dtype=torch.complex64), "h": torch.ones(2).half()}, folder / "odd.pt")
    (folder / "pickled.pkl").write_bytes(pickle.dumps({"a": 1, "b": [1, 2]}))
    plain = {key: value.contiguous().clone() for key, value in state.items()}
    save_file(plain, folder / "one.safetensors", metadata={"format": "pt", "long": "x" * 300})
    where = {}
    for at in (1, 2):
        part = dict(list(plain.items())[at - 1 :: 2])
        save_file(part, folder / f"m-{at:05d}-of-00002.safetensors", metadata={"format": "pt"})
        where.update(dict.fromkeys(part, f"m-{at:05d}-of-00002.safetensors"))
    index = {"metadata": {"total_size": 1}, "weight_map": where}
    (folder / "m.safetensors.index.json").write_text(json.dumps(index))
    facts = {
        "parameters": sum(p.numel() for p in net.parameters()),
        "trainable": sum(p.numel() for p in net.parameters() if p.requires_grad),
        "buffers": sum(b.numel() for b in net.buffers() if b.is_floating_point() and b.ndim),
        "tied": net.head.weight.numel(),
        "slots": sum(v.numel() for s in optimizer.state.values() for v in s.values()),
        "names": list(state),
        "modules": [name for name, _ in net.named_modules()],
        "classes": {name: type(part).__name__ for name, part in net.named_modules()},
    }
    (folder / "facts.json").write_text(json.dumps(facts))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
