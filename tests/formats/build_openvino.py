"""Write `openvino/*.xml`: networks with open sizes as OpenVINO saves them, and the shapes that OpenVINO gives them.

Run by hand with `openvino` installed beside torch and onnx: `python tests/formats/build_openvino.py`.
"""

from __future__ import annotations

import json
import tempfile
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import openvino
import torch
from torch import Tensor, nn

HERE = Path(__file__).with_name("openvino")


class Windows(nn.Module):
    """Attention in windows of 4×4, so that the first size of what is inside is a multiple of the batch."""

    def __init__(self) -> None:
        super().__init__()
        self.qkv, self.out = nn.Linear(16, 48), nn.Linear(16, 16)

    def forward(self, x: Tensor) -> Tensor:
        b, h, w, c = x.shape
        y = x.view(b, h // 4, 4, w // 4, 4, c).permute(0, 1, 3, 2, 4, 5).reshape(-1, 16, c)
        q, k, v = self.qkv(y).reshape(-1, 16, 3, 2, 8).permute(2, 0, 3, 1, 4)
        y = self.out(((q @ k.transpose(-1, -2)).softmax(-1) @ v).transpose(1, 2).reshape(-1, 16, c))
        return y.view(b, h // 4, w // 4, 4, 4, c).permute(0, 1, 3, 2, 4, 5).reshape(b, h, w, c)


class Resized(nn.Module):
    """Convolutions plain, with groups and transposed, resizes, pads, slices, the largest."""

    def __init__(self) -> None:
        super().__init__()
        self.down, self.up = nn.Conv2d(3, 8, 3, 2, 1), nn.ConvTranspose2d(8, 4, 2, 2)
        self.apart = nn.Conv2d(4, 8, 3, groups=4, padding=1)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        y = nn.functional.interpolate(self.apart(self.up(self.down(x))), scale_factor=2.0, mode="bilinear")
        z = torch.cat([nn.functional.interpolate(y, size=x.shape[2:]), x], 1)
        z = nn.functional.max_pool2d(z, 3, 2, ceil_mode=True).mean((2, 3))
        best, _ = z.topk(3, 1)
        return best, z.split([4, 7], 1)[1], nn.functional.pad(x, (1, 2, 3, 4)).mean((2, 3)), y[:, :, ::2, 1:-1]


class Sequence(nn.Module):
    """Recurrent layers over words."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(20, 8)
        self.first = nn.LSTM(8, 6, 2, batch_first=True, bidirectional=True)
        self.second = nn.GRU(12, 5, batch_first=True)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        y, end = self.second(self.first(self.words(x))[0])
        return y, end, nn.functional.one_hot(x, 20).float().sum(1)


class Layers(nn.Module):
    """A transformer's encoder behind a mask that is made as long as the sequence."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(20, 16)
        layer = nn.TransformerEncoderLayer(16, 2, 16, batch_first=True)
        self.layers = nn.TransformerEncoder(layer, 1, enable_nested_tensor=False)

    def forward(self, x: Tensor) -> Tensor:
        mask = torch.ones(x.shape[1], x.shape[1]).triu(1).bool()
        places = torch.arange(x.shape[1]).float()[None, :, None]
        found: Tensor = self.layers(self.words(x) + places, mask=mask)
        return found[:, -1]


def write(name: str, module: nn.Module, example: Tensor, open_axes: tuple[int, ...], shape: list[int]) -> None:
    """One network, and the shape of every value when its input has this shape."""
    with tempfile.TemporaryDirectory() as folder:
        file = f"{folder}/{name}.onnx"
        axes = {"x": {at: f"open{at}" for at in open_axes}}
        torch.onnx.export(
            module.eval(), (example,), file, input_names=["x"], dynamic_axes=axes, dynamo=False, opset_version=18
        )
        target = HERE / f"{name}.xml"
        openvino.save_model(openvino.convert_model(file), target, compress_to_fp16=False)
    tree = ET.parse(target)
    for parent in list(tree.iter()):
        for notes in parent.findall("rt_info"):
            parent.remove(notes)
    tree.write(target)
    model = openvino.Core().read_model(target)
    model.reshape(shape)
    found: dict[str, Any] = {"input": shape, "values": {}}
    for layer in model.get_ops():
        for at, port in enumerate(layer.outputs()):
            found["values"][f"{layer.get_friendly_name()}|{at}"] = list(port.shape)
    target.with_suffix(".json").write_text(json.dumps(found, indent=0) + "\n")


if __name__ == "__main__":
    HERE.mkdir(exist_ok=True)
    torch.manual_seed(0)
    write("windows", Windows(), torch.randn(2, 8, 8, 16), (0, 1, 2), [3, 16, 8, 16])
    write("resized", Resized(), torch.randn(2, 3, 32, 32), (0, 2, 3), [2, 3, 50, 64])
    write("sequence", Sequence(), torch.randint(0, 9, (2, 7)), (0, 1), [3, 11])
    write("layers", Layers(), torch.randint(0, 9, (2, 7)), (0, 1), [4, 7])
