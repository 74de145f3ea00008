"""Builds checkpoints, whole modules and safetensors into the folder given, and `facts.json` with what torch says."""

from __future__ import annotations

import argparse
import io
import json
import pickle
import struct
import sys
import tarfile
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


def before_archives(state: dict[str, torch.Tensor], path: Path) -> None:
    """A checkpoint as PyTorch 0.1 wrote it, which `torch.load` still reads: four pickles in a tar archive."""
    tensors: dict[str, torch.Tensor] = {}

    class Pickler(pickle.Pickler):
        def persistent_id(self, item: Any) -> str | None:
            if isinstance(item, torch.Tensor):
                tensors[str(id(item))] = item
                return str(id(item))
            return None

    whole, listed, stored, about = (io.BytesIO() for _ in range(4))
    Pickler(whole, protocol=2).dump(state)
    pickle.dump(len(tensors), listed, protocol=2)
    roots: dict[int, torch.Tensor] = {}
    for key, tensor in tensors.items():
        root = tensor.untyped_storage().data_ptr()
        roots.setdefault(root, tensor)
        pickle.dump((int(key), root, type(tensor)), listed, protocol=2)
        shape = (*tensor.shape, *tensor.stride(), tensor.storage_offset())
        listed.write(struct.pack(f"<ii{len(shape)}q", tensor.ndim, 0, *shape))
    pickle.dump(len(roots), stored, protocol=2)
    for root, tensor in roots.items():
        kind = {torch.float32: torch.FloatStorage, torch.int64: torch.LongStorage}[tensor.dtype]
        pickle.dump((root, "cpu", kind), stored, protocol=2)
        data = bytes(tensor.untyped_storage())
        stored.write(struct.pack("<q", len(data) // tensor.itemsize) + data)
    pickle.dump([], stored, protocol=2)
    pickle.dump({"protocol_version": 1000, "little_endian": True}, about, protocol=2)
    with tarfile.open(path, "w:", format=tarfile.PAX_FORMAT) as archive:
        for name, part in (("sys_info", about), ("pickle", whole), ("tensors", listed), ("storages", stored)):
            entry = tarfile.TarInfo(name)
            entry.size = part.tell()
            archive.addfile(entry, io.BytesIO(part.getvalue()))
    for key, value in torch.load(path, weights_only=False).items():
        assert torch.equal(value, state[key])


def in_several_files(state: dict[str, torch.Tensor], folder: Path) -> None:
    where = {}
    for at in (1, 2):
        tied = {key for key in state if key.startswith(("embed", "head"))}
        part = {key: value for key, value in state.items() if (key in tied) == (at == 1)}
        torch.save(part, folder / f"pytorch_model-{at:05d}-of-00002.bin")
        where.update(dict.fromkeys(part, f"pytorch_model-{at:05d}-of-00002.bin"))
    index = {"metadata": {"total_size": 1234}, "weight_map": where}
    (folder / "pytorch_model.bin.index.json").write_text(json.dumps(index))


def copies(net: nn.Module, state: dict[str, torch.Tensor], folder: Path) -> None:
    """Averages of weights in the places where trainers keep them."""
    shadow = {f"model_ema.{key.replace('.', '')}": value.clone() for key, value in state.items()}
    torch.save({**state, **shadow}, folder / "ema_inside.pt")
    torch.save({"model": state, "ema_state": {"shadow_params": list(net.parameters())}}, folder / "ema_list.pt")
    lightning = {"state_dict": state, "current_model_state": state, "averaging_state": {"n_averaged": torch.tensor(3)}}
    torch.save({**lightning, "pytorch-lightning_version": "2.6.6", "epoch": 1}, folder / "averaging.ckpt")
    torch.save(torch.optim.swa_utils.AveragedModel(net).state_dict(), folder / "averaged.pt")


def small_types() -> dict[str, torch.Tensor]:
    names = ("float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz", "float8_e8m0fnu", "float4_e2m1fn_x2", "uint16")
    codes = torch.tensor([0x12, 0x34, 0x56, 0x78], dtype=torch.uint8)
    made = {name: codes.view(getattr(torch, name)) for name in names}
    return {**made, "complex32": torch.tensor([1.5, -2.0]).half().view(torch.complex32)}


def main(folder: Path) -> None:
    torch.manual_seed(1)
    net = Net()
    optimizer = trained(net)
    state = net.state_dict()
    np.savez(folder / "state.npz", **{key: value.float().numpy() for key, value in state.items()})
    torch.save(state, folder / "state.pt")
    torch.save(state, folder / "legacy.pth", _use_new_zipfile_serialization=False)
    torch.save(state, folder / "zip.pth.tar")
    before_archives(state, folder / "before_archives.pth")
    in_several_files(state, folder)
    copies(net, state, folder)
    torch.save(small_types(), folder / "small.pt")
    torch.save(OrderedDict((f"module.{k}", v) for k, v in state.items()), folder / "ddp.pt")
    copy = {key: value.clone() for key, value in state.items()}
    training = {"epoch": 7, "arch": "net", "model": state, "ema": copy, "optimizer": optimizer.state_dict()}
    torch.save({**training, "best": torch.tensor(0.9), "args": argparse.Namespace(lr=0.1)}, folder / "training.bin")
    torch.save({"generator": state, "discriminator": {"w.weight": torch.ones(3)}}, folder / "gan.pt")
    listed = {"params": [torch.ones(3, 4), torch.ones(4)], "rng_states": [torch.zeros(5)], "epoch": 3}
    torch.save(listed, folder / "listed.pt")
    torch.save({**listed, "state_dict": {"w.weight": torch.ones(3)}}, folder / "listed_beside.pt")
    lazy = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.LazyLinear(3))
    torch.save({**lazy.state_dict(), "far": torch.empty(3, device="meta")}, folder / "lazy.pt")
    torch.save(lazy, folder / "lazy_module.pt")
    torch.save({"layers": {("block", 1): torch.ones(2, 2), 10**5000: torch.ones(3)}}, folder / "odd_keys.pt")
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
