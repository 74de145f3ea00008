"""Quantized models of torch in every clothing: parameters and multiply-adds of the models they were made of."""

from __future__ import annotations

import copy
import importlib
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
import torch.ao.quantization as tq
from torch import nn
from torch.ao.quantization.quantize_fx import convert_fx, prepare_fx
from torch.utils.flop_counter import FlopCounterMode

from inspector.engines.summary.rows import Overview, Row
from inspector.jobs.terminal import ask_document
from inspector.worker.tasks.open import OpenArgs
from inspector.worker.tasks.rows import TASK as ROWS
from inspector.worker.tasks.rows import RowsArgs
from inspector.worker.tasks.tensor import TASK as TENSOR
from inspector.worker.tasks.tensor import TensorArgs, TensorView

pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning", "ignore::torch.jit.TracerWarning"
)


@dataclass
class Seen:
    """What somebody sees who opens a file: the table, and the tensor panel by name."""

    overview: Overview
    rows: list[Row]
    panels: dict[str, TensorView]

    def real(self, name: str) -> torch.Tensor:
        """The real numbers in a panel."""
        return torch.tensor([float(value) for value in self.panels[name].values])

    @property
    def names(self) -> set[str]:
        """Tensors that have a row."""
        return {name for row in self.rows for name in row.weights}


def look(path: Path, *names: str, **shapes: tuple[int | str, ...]) -> Seen:
    """Open a file, with shapes of inputs as they may be typed, and the panels of tensors."""
    asked = [(TENSOR, TensorArgs(name, count=10_000, real=True)) for name in names]
    found, page, *views = ask_document(path, [(ROWS, RowsArgs()), *asked], OpenArgs(str(path), shapes=dict(shapes)))
    return Seen(found, list(page.rows), dict(zip(names, views, strict=True)))


def cost(model: nn.Module, *inputs: torch.Tensor) -> tuple[int, int]:
    """Parameters and multiply-adds of the float model, as torch counts them."""
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(*inputs)
    return sum(weight.numel() for weight in model.parameters()), counter.get_total_flops() // 2


class Static(nn.Module):
    """Layers as static quantization takes them: a fused convolution, groups, a linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.quant, self.dequant = tq.QuantStub(), tq.DeQuantStub()
        self.conv, self.relu = nn.Conv2d(3, 8, 3, padding=1), nn.ReLU()
        self.second = nn.Conv2d(8, 8, 3, stride=2, groups=2)
        self.head = nn.Linear(8, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.relu(self.conv(self.quant(x)))
        return self.dequant(self.head(self.second(x).mean((2, 3))))


class Dynamic(nn.Module):
    """Layers as dynamic quantization takes them."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(20, 16)
        self.lstm = nn.LSTM(16, 12, 2, batch_first=True, bidirectional=True)
        self.gru = nn.GRU(24, 8, batch_first=True)
        self.cell = nn.LSTMCell(8, 8)
        self.head = nn.Linear(8, 5)

    def forward(self, index: torch.Tensor) -> torch.Tensor:
        steps, _ = self.gru(self.lstm(self.table(index))[0])
        last, _ = self.cell(steps[:, -1])
        return self.head(last)


PICTURE = torch.randn(1, 3, 16, 16)
WORDS = torch.randint(0, 20, (2, 7))


@contextmanager
def engine(name: str) -> Iterator[None]:
    """Kernels of this kind, without their warnings."""
    before, torch.backends.quantized.engine = torch.backends.quantized.engine, name
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        torch.backends.quantized.engine = before


@pytest.fixture(scope="module", params=["fbgemm", "qnnpack"])
def static(request: pytest.FixtureRequest) -> Iterator[tuple[nn.Module, nn.Module]]:
    """A model and its quantized twin: a scale for each channel (fbgemm) or for all of a weight (qnnpack)."""
    with engine(request.param):
        model = Static().eval()
        ready = tq.fuse_modules(copy.deepcopy(model), [["conv", "relu"]])
        ready.qconfig = tq.get_default_qconfig(request.param)
        ready = tq.prepare(ready)
        ready(PICTURE)
        yield model, tq.convert(ready)


@pytest.fixture(scope="module")
def dynamic() -> tuple[nn.Module, nn.Module]:
    with engine("fbgemm"):
        model = Dynamic().eval()
        kinds = {nn.Linear, nn.LSTM, nn.GRU, nn.LSTMCell}
        return model, tq.quantize_dynamic(model, kinds, dtype=torch.qint8)


@pytest.mark.parametrize("whole", [False, True])
def test_checkpoints_of_quantized_models(
    static: tuple[nn.Module, nn.Module], dynamic: tuple[nn.Module, nn.Module], whole: bool, tmp_path: Path
) -> None:
    for model, quantized in (static, dynamic):
        torch.save(quantized if whole else quantized.state_dict(), tmp_path / "saved.pt")
        seen = look(tmp_path / "saved.pt", "head.weight", *(["second.weight"] if model is static[0] else []))
        assert seen.overview.totals.parameters == sum(weight.numel() for weight in model.parameters())
        assert {"head.weight", "head.bias"} <= seen.names
        for name, view in seen.panels.items():
            weight = getattr(quantized, name.partition(".")[0]).weight()
            assert view.dtype == "qint8"
            assert torch.allclose(seen.real(name), weight.dequantize().flatten(), rtol=1e-6)
            assert view.quantized is not None
            assert view.quantized.count == (len(weight) if weight.qscheme() == torch.per_channel_affine else 1)
    if whole:
        modules = {(module.path, module.type) for module in seen.overview.modules}
        assert ("lstm._all_weight_values.0", "PackedParameter") in modules


@pytest.mark.parametrize("how", ["scripted", "traced", "frozen"])
def test_packed_parameters_of_torchscript_are_those_of_their_layers(
    static: tuple[nn.Module, nn.Module], how: str, tmp_path: Path
) -> None:
    model, quantized = static
    made = torch.jit.trace(quantized, PICTURE) if how == "traced" else torch.jit.script(quantized)
    (torch.jit.freeze(made) if how == "frozen" else made).save(tmp_path / "q.pt")
    weight = "CONSTANTS.c1.weight" if how == "frozen" else "second.weight"
    seen = look(tmp_path / "q.pt", weight, x=tuple(PICTURE.shape))
    totals = seen.overview.totals
    assert (totals.parameters, totals.macs) == cost(model, PICTURE)
    assert totals.complete
    assert totals.trainable == 0
    assert torch.allclose(seen.real(weight), quantized.second.weight().dequantize().flatten(), rtol=1e-6)
    if how != "frozen":  # which has no layers any more
        rows = {row.name: row for row in seen.rows}
        assert (rows["head"].type, rows["head"].weights) == ("Linear", ("head.weight", "head.bias"))
        assert (rows["second"].macs, rows["second"].outputs[0].shape) == (8 * 7 * 7 * 4 * 9, (1, 8, 7, 7))
        assert [rows[name].outputs[0].dtype for name in ("conv", "dequant")] == ["quint8", "float32"]


@pytest.mark.parametrize("how", ["scripted", "traced"])
def test_dynamically_quantized_recurrences(dynamic: tuple[nn.Module, nn.Module], how: str, tmp_path: Path) -> None:
    model, quantized = dynamic
    made = torch.jit.trace(quantized, WORDS) if how == "traced" else torch.jit.script(quantized)
    made.save(tmp_path / "q.pt")
    seen = look(tmp_path / "q.pt", "lstm.3.weight_ih", index=tuple(WORDS.shape))
    totals, rows = seen.overview.totals, {row.name: row for row in seen.rows}
    assert totals.parameters == sum(weight.numel() for weight in model.parameters())
    steps = WORDS.numel()  # torch's counter leaves recurrences out: every matrix once a step
    assert rows["lstm"].macs == steps * sum(weight.numel() for weight in model.lstm.parameters() if weight.ndim == 2)
    assert rows["gru"].macs == steps * (24 * 24 + 24 * 8)
    assert rows["cell"].macs == len(WORDS) * (32 * 8 + 32 * 8)
    assert rows["head"].macs == len(WORDS) * 8 * 5
    assert totals.macs == sum(rows[name].macs or 0 for name in ("lstm", "gru", "cell", "head"))
    assert [rows[name].outputs[0].shape for name in ("lstm", "cell")] == [(2, 7, 24), (2, 8)]
    assert torch.allclose(seen.real("lstm.3.weight_ih"), model.lstm.weight_ih_l1_reverse.flatten(), atol=0.002)


class Tables(nn.Module):
    """What is quantized in other ways: tables, a convolution along one axis, one without a bias."""

    def __init__(self) -> None:
        super().__init__()
        self.bag, self.table = nn.EmbeddingBag(20, 16, mode="sum"), nn.Embedding(20, 16)
        self.quant, self.dequant = tq.QuantStub(), tq.DeQuantStub()
        self.along = nn.Conv1d(16, 6, 3, stride=2, bias=False)

    def forward(self, index: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        found = self.quant(self.table(index).transpose(1, 2))
        return self.bag(index), self.dequant(self.along(found))


def test_tables_and_convolutions_along_one_axis(tmp_path: Path) -> None:
    with engine("x86"):  # QNNPACK would pack zeros as the bias that is not there, and they would count
        model = Tables().eval()
        ready = copy.deepcopy(model)
        ready.qconfig = tq.get_default_qconfig("x86")
        ready.bag.qconfig = ready.table.qconfig = tq.float_qparams_weight_only_qconfig
        ready = tq.prepare(ready)
        ready(WORDS)
        quantized = tq.convert(ready)
        torch.jit.script(quantized).save(tmp_path / "script.pt")
        torch.jit.freeze(torch.jit.script(quantized)).save(tmp_path / "frozen.pt")
    for name in ("script.pt", "frozen.pt"):
        seen = look(tmp_path / name, index=tuple(WORDS.shape))
        totals = seen.overview.totals
        assert (totals.parameters, totals.macs) == cost(model, WORDS), name
        assert [port.shape for port in seen.overview.signatures[0].outputs] == [(2, 16), (2, 6, 3)]


def test_a_table_in_four_bits(tmp_path: Path) -> None:
    with engine("fbgemm"):
        ready = nn.Sequential(nn.EmbeddingBag(20, 16, mode="sum")).eval()
        ready[0].qconfig = tq.float_qparams_weight_only_qconfig_4bit
        quantized = tq.convert(tq.prepare(ready))
    torch.save(quantized.state_dict(), tmp_path / "four.pt")
    seen = look(tmp_path / "four.pt", "0.weight")
    assert (seen.overview.totals.parameters, seen.panels["0.weight"].dtype) == (320, "uint4")
    assert torch.allclose(seen.real("0.weight"), quantized[0].weight().dequantize().flatten(), atol=1e-6)


class Residual(nn.Module):
    """What torch.fx quantizes: a norm that is folded, a sum, a join, a transposed convolution, functions."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.norm = nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8)
        self.second, self.act = nn.Conv2d(8, 8, 3, padding=1), nn.Hardswish()
        self.pool, self.up = nn.MaxPool2d(2), nn.ConvTranspose2d(8, 4, 2, stride=2)
        self.head, self.last = nn.Linear(12, 5), nn.LayerNorm(5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = torch.relu(self.norm(self.first(x)))
        y = self.act(self.second(y) + y)
        y = torch.cat([y, self.up(self.pool(y))], 1)
        return torch.sigmoid(self.last(self.head(y.mean((2, 3)))))


def test_models_that_torch_fx_quantized(tmp_path: Path) -> None:
    """The norm is folded, which gives its convolution a bias."""
    Residual.forward.__annotations__.clear()  # torch.fx takes annotations for code, and these are text
    model = Residual().eval()
    with engine("x86"):
        ready = prepare_fx(copy.deepcopy(model), tq.get_default_qconfig_mapping("x86"), (PICTURE,))
        ready(PICTURE)
        quantized = convert_fx(ready)
        torch.jit.trace(quantized, PICTURE).save(tmp_path / "traced.pt")
        torch.save(quantized, tmp_path / "whole.pt")
    want = cost(tq.fuse_modules(model, [["first", "norm"]]), PICTURE)
    totals = look(tmp_path / "traced.pt").overview.totals
    assert (totals.parameters, totals.macs, totals.complete) == (*want, True)
    seen = look(tmp_path / "whole.pt")
    assert seen.overview.totals.parameters == want[0]
    assert [row.name for row in seen.rows] == ["first", "second", "up", "head", "last"]


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
    seen = look(path, "_frozen_bias")
    totals = seen.overview.totals
    assert (totals.parameters, totals.macs) == want
    [note] = [note.text for note in seen.overview.notes if "before" in note.text]
    assert note == "3 weights of before the model was quantized are still in the file, such as 'conv.weight'."
    assert torch.allclose(seen.real("_frozen_bias"), 0.001 * torch.arange(10))


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
    totals = look(path).overview.totals
    assert (totals.parameters, totals.macs) == (6 * 4 + 6, 2 * 4 * 6)
