"""Quantized models of torch in every clothing: parameters and multiply-adds of the models they were made of."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from inspector.engines.summary.rows import Overview
from inspector.jobs.terminal import ask_document
from inspector.worker.tasks.open import OpenArgs
from inspector.worker.tasks.tensor import TASK as TENSOR
from inspector.worker.tasks.tensor import TensorArgs, TensorView

pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning", "ignore::torch.jit.TracerWarning"
)


def overview(path: Path, **shapes: tuple[int | str, ...]) -> Overview:
    """What somebody sees who opens the file, and types the shapes of its inputs."""
    [found] = ask_document(path, [], OpenArgs(str(path), shapes=dict(shapes)))
    assert isinstance(found, Overview)
    return found


def panel(path: Path, name: str) -> tuple[TensorView, torch.Tensor]:
    """What the tensor panel shows of a quantized tensor, and the real numbers in it."""
    _, found = ask_document(path, [(TENSOR, TensorArgs(name, count=10_000, real=True))])
    assert isinstance(found, TensorView)
    return found, torch.tensor([float(value) for value in found.values])


def cost(model: nn.Module, *inputs: torch.Tensor) -> tuple[int, int]:
    """Parameters and multiply-adds of the float model, as torch counts them."""
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(*inputs)
    return sum(weight.numel() for weight in model.parameters()), counter.get_total_flops() // 2


class Exported(nn.Module):
    """What PT2E makes of two layers: frozen integers beside the weights of before, which stay; a bias in 32 bits."""

    def __init__(self, conv: nn.Conv2d, head: nn.Linear) -> None:
        super().__init__()
        self.conv, self.head = conv, head
        generator = torch.Generator().manual_seed(0)
        for at, layer in enumerate((conv, head)):
            frozen = torch.randint(-128, 127, layer.weight.shape, dtype=torch.int8, generator=generator)
            self.register_buffer(f"_frozen_param{at}", frozen)
            self.register_buffer(f"_scale_{at}", torch.rand(len(frozen), generator=generator) + 0.01)
            self.register_buffer(f"_zero_point_{at}", torch.zeros(len(frozen), dtype=torch.int64))
        self.register_buffer("_frozen_bias", torch.arange(10, dtype=torch.int32))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        space = torch.ops.quantized_decomposed
        many = space.dequantize_per_channel
        first = many(self._frozen_param0, self._scale_0, self._zero_point_0, 0, -128, 127, torch.int8)
        second = many(self._frozen_param1, self._scale_1, self._zero_point_1, 0, -128, 127, torch.int8)
        bias = space.dequantize_per_tensor(self._frozen_bias, 0.001, 0, -(2**31), 2**31 - 1, torch.int32)
        x = space.dequantize_per_tensor(
            space.quantize_per_tensor(x, 0.1, 3, 0, 255, torch.uint8), 0.1, 3, 0, 255, torch.uint8
        )
        h = nn.functional.conv2d(x, first, self.conv.bias, stride=2, groups=2).relu().mean((2, 3))
        return nn.functional.linear(h, second, bias)


def test_an_export_quantized_by_pt2e_has_the_parameters_of_the_float_model(tmp_path: Path) -> None:
    importlib.import_module("torch.ao.quantization.fx._decomposed")  # it registers the operators
    conv, head = nn.Conv2d(4, 8, 3, stride=2, groups=2), nn.Linear(8, 10)
    flat = nn.Sequential(conv, nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), head)
    example = torch.randn(1, 4, 16, 16)
    want = cost(flat, example)
    path = tmp_path / "pt2e.pt2"
    torch.export.save(torch.export.export(Exported(conv, head), (example,)), path)
    seen = overview(path)
    assert (seen.totals.parameters, seen.totals.macs) == want
    [note] = [note.text for note in seen.notes if "before" in note.text]
    assert note == "3 weights of before the model was quantized are still in the file, such as 'conv.weight'."
    seen_bias, reals = panel(path, "_frozen_bias")
    assert seen_bias.quantized is not None
    assert torch.allclose(reals, 0.001 * torch.arange(10))


class ByHand(nn.Module):
    """Integers that the author's own arithmetic turns into weights."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("qdata", torch.randint(-128, 127, (6, 4), dtype=torch.int8))
        self.register_buffer("scale", torch.rand(6, 1))
        self.register_buffer("order", torch.tensor([1, 0], dtype=torch.int8))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (x @ (self.qdata.to(torch.float32) * self.scale).t())[:, self.order.long()]


def test_integers_that_a_product_takes_are_weights_and_indices_are_not(tmp_path: Path) -> None:
    path = tmp_path / "hand.pt2"
    torch.export.save(torch.export.export(ByHand(), (torch.randn(2, 4),)), path)
    seen = overview(path)
    assert (seen.totals.parameters, seen.totals.macs) == (6 * 4 + 6, 2 * 4 * 6)
