"""Quantized tensors of ONNX and torch: scales are found, and the numbers are those that the frameworks compute with."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import helper, numpy_helper
from tensor_asks import drawn, mean_of, onnx_model, opened, saved, view


def test_onnx_scales_are_found_through_the_graph(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    stored = rng.integers(-128, 128, (4, 6), dtype=np.int8)
    scales = rng.uniform(0.01, 0.1, 4).astype(np.float32)
    zeros = np.array([0, 1, 2, 3], np.int8)
    blocks = rng.uniform(0.01, 0.1, (4, 2)).astype(np.float32)  # 4 and 2 elements: the last block is short
    small = rng.integers(-8, 8, (4, 6)).astype(ml_dtypes.int4)
    nodes = [
        helper.make_node("DequantizeLinear", ["w", "s", "z"], ["a"], "dq", axis=0),
        helper.make_node("DequantizeLinear", ["v", "b"], ["c"], "dqb", axis=1, block_size=4),
        helper.make_node("QLinearMatMul", ["x", "one", "zero", "q", "one", "zero", "one", "zero"], ["y"], "qm"),
        helper.make_node("DequantizeLinear", ["lost", "made"], ["e"], "unknown"),
        helper.make_node("Identity", ["one"], ["made"]),
    ]
    tensors = {"w": stored, "s": scales, "z": zeros, "v": small, "b": blocks, "q": stored, "lost": stored,
               "one": np.float32(0.5), "zero": np.int8(2), "plain": stored}  # fmt: skip
    context = opened(onnx_model(tmp_path / "q.onnx", nodes, tensors))
    want = (stored.astype(np.float32) - zeros[:, None]) * scales[:, None]
    assert np.array_equal(saved(context, "w", real=True), want)
    assert np.array_equal(saved(context, "w"), stored)
    spread = np.repeat(blocks, 4, axis=1)[:, :6]
    assert np.array_equal(saved(context, "v", real=True), small.astype(np.float32) * spread)
    assert np.array_equal(saved(context, "q", real=True), (stored.astype(np.float32) - 2) * np.float32(0.5))
    seen = view(context, "w")
    assert seen.quantized is not None
    assert (seen.real, seen.shown, seen.quantized.how) == (False, "int8", "per axis 0")
    assert (seen.quantized.count, seen.quantized.source) == (4, "DequantizeLinear dq")
    assert seen.quantized.zero_points == (0, 1, 2, 3)
    real = view(context, "w", real=True)
    assert (real.real, real.shown) == (True, "float32")
    assert real.statistics["max"] == pytest.approx(float(want.max()))
    assert np.allclose(mean_of(drawn(context, "w", real=True)), want)
    blocked = view(context, "v").quantized
    assert blocked is not None
    assert blocked.how == "in blocks of 4 along axis 1"
    assert view(context, "plain").quantized is view(context, "lost").quantized is None


@pytest.mark.parametrize("zeros", [False, True])
def test_weights_of_four_bits_are_what_onnx_runtime_multiplies_with(tmp_path: Path, zeros: bool) -> None:
    rng = np.random.default_rng(7)
    rows, columns, block = 6, 80, 32  # three blocks, the last of which is half empty
    stored = rng.integers(0, 256, (rows, 3, 16), dtype=np.uint8)
    scales = rng.uniform(0.01, 0.1, rows * 3).astype(np.float32)
    tensors: dict[str, Any] = {"w": stored, "s": scales, "z": rng.integers(0, 256, rows * 2, dtype=np.uint8)}
    node = helper.make_node("MatMulNBits", ["x", "w", "s", *(["z"] if zeros else [])], ["y"], "nb",
                            domain="com.microsoft", N=rows, K=columns, bits=4, block_size=block)  # fmt: skip
    ends = [helper.make_tensor_value_info("x", 1, [columns, columns]), helper.make_tensor_value_info("y", 1, None)]
    protos = [numpy_helper.from_array(array, name) for name, array in tensors.items()]
    graph = helper.make_graph([node], "g", ends[:1], ends[1:], protos)
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), tmp_path / "n.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "n.onnx", providers=["CPUExecutionProvider"])
    (want,) = session.run(None, {"x": np.eye(columns, dtype=np.float32)})
    context = opened(tmp_path / "n.onnx")
    assert np.array_equal(saved(context, "w"), stored)
    assert np.allclose(saved(context, "w", real=True), want.T, atol=1e-5)
    seen = view(context, "w", real=True, start=columns, count=3)
    assert (seen.shape, seen.total) == ((rows, columns), rows * columns)
    assert np.allclose([float(value) for value in seen.values], want.T[1, :3], atol=1e-5)
    assert np.allclose(mean_of(drawn(context, "w", real=True)), want.T, atol=1e-5)
    assert seen.quantized is not None
    assert seen.quantized.source == "MatMulNBits nb"


@pytest.mark.filterwarnings("ignore:torch.quantize_per_tensor:UserWarning")
def test_torch_tensors_with_their_quantizers(tmp_path: Path) -> None:
    weights = torch.arange(12.0).reshape(3, 4)
    one = torch.quantize_per_tensor(weights, 0.1, 3, torch.qint8)
    many = torch.quantize_per_channel(weights, torch.tensor([0.1, 0.2, 0.3]), torch.tensor([0, 1, 2]), 0, torch.quint8)
    torch.save({"one": one, "many": many}, tmp_path / "q.pt")
    context = opened(tmp_path / "q.pt")
    assert np.array_equal(saved(context, "one"), one.int_repr().numpy())
    assert np.array_equal(saved(context, "one", real=True), one.dequantize().numpy())
    assert np.allclose(saved(context, "many", real=True), many.dequantize().numpy(), rtol=1e-7)
    quantized = view(context, "many").quantized
    assert quantized is not None
    assert (quantized.how, quantized.zero_points) == ("per axis 0", (0, 1, 2))


class Decomposed(torch.nn.Module):
    """A layer as quantized exports have it: integers, and operators that turn them into real numbers."""

    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        for name, shape in {"many": (4, 6), "one": (6, 6)}.items():
            stored = torch.randint(-128, 127, shape, dtype=torch.int8, generator=generator)
            self.register_buffer(name, stored)
        self.register_buffer("scales", torch.rand(4, generator=generator) + 0.01)
        self.register_buffer("zeros", torch.arange(4))

    def real(self) -> tuple[torch.Tensor, torch.Tensor]:
        """The weights that the layer computes with."""
        space = torch.ops.quantized_decomposed
        many = space.dequantize_per_channel(self.many, self.scales, self.zeros, 0, -128, 127, torch.int8)
        return many, space.dequantize_per_tensor(self.one, 0.05, 3, -128, 127, torch.int8)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        many, one = self.real()
        return torch.nn.functional.linear(x @ one, many)


def test_quantized_exports_of_torch(tmp_path: Path) -> None:
    importlib.import_module("torch.ao.quantization.fx._decomposed")  # it registers the operators
    module = Decomposed()
    torch.export.save(torch.export.export(module, (torch.randn(2, 6),)), tmp_path / "q.pt2")
    context = opened(tmp_path / "q.pt2")
    for name, want in zip(("many", "one"), module.real(), strict=True):
        assert np.allclose(saved(context, name, real=True), want.numpy(), rtol=1e-6)
        assert np.array_equal(saved(context, name), getattr(module, name).numpy())
    quantized = view(context, "many").quantized
    assert quantized is not None
    assert (quantized.how, quantized.zero_points) == ("per axis 0", (0, 1, 2, 3))
    assert quantized.source.startswith("dequantize_per_channel ")
    assert view(context, "scales").quantized is None
