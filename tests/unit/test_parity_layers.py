"""Pairing of values inside two models, and the first pair that is off; models are made of arrays here."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from inspector.cli.compare_command import layers as layers_in_words
from inspector.engines.parity.layers import Layers, judge_layers
from inspector.engines.parity.pairing import Match, distance, in_order
from inspector.engines.parity.taps import Tap, taps
from inspector.engines.parity.verdict import OutputVerdict, Parity, Verdict
from inspector.errors import RuntimeFailure
from inspector.ir import Graph, Model, Node, Place, Tensor, Value
from inspector.jobs.compare import compare
from inspector.jobs.recipe import Ask, Folder, Worker
from inspector.jobs.requests import CompareRequest
from inspector.runtimes import Device, Runtime, Spec
from inspector.worker.tasks.devices import DevicesFound
from inspector.worker.tasks.feeds import FeedsMade
from inspector.worker.tasks.session_open import SessionOpened
from inspector.worker.tasks.session_run import SessionRan

Array = NDArray[Any]


@dataclass
class Made:
    """A model's values, one computed from the one before."""

    folder: Path
    taps: list[Tap] = field(default_factory=list)

    def add(self, value: str, array: Array, op: str = "Conv", module: str = "", inputs: tuple[str, ...] = ()) -> Array:
        file = self.folder / f"{len(self.taps)}.npy"
        np.save(file, array)
        inputs = inputs or ((self.taps[-1].value,) if self.taps else ("x",))
        self.taps.append(Tap(value=value, node=f"n_{value}", op=op, module=module, inputs=inputs, file=str(file)))
        return array


@pytest.fixture
def pair_of(tmp_path: Path) -> tuple[Made, Made]:
    for name in "ab":
        (tmp_path / name).mkdir()
    return Made(tmp_path / "a"), Made(tmp_path / "b")


def random(seed: int, *shape: int) -> Array:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def found(layers: Layers) -> dict[str, tuple[str, str]]:
    return {layer.a: (layer.b, layer.paired_by) for layer in layers.layers}


def test_contents_are_found_in_any_layout(pair_of: tuple[Made, Made]) -> None:
    a, b = pair_of
    first = a.add("conv", random(0, 1, 8, 5, 5))
    heads = a.add("heads", random(1, 1, 4, 6, 3), op="MatMul")
    flat = a.add("flat", random(2, 1, 40), op="Flatten")
    b.add("t1", first.transpose(0, 2, 3, 1))
    b.add("t2", heads.transpose(0, 2, 1, 3))
    b.add("t3", flat.reshape(1, 2, 20))
    layers = judge_layers(a.taps, b.taps)
    assert found(layers) == {"conv": ("t1", "content"), "heads": ("t2", "content"), "flat": ("t3", "content")}
    assert [layer.layout for layer in layers.layers] == ["NHWC→NCHW", "axes 0 2 1 3", "1×2×20→1×40"]
    assert {layer.verdict for layer in layers.layers} == {OutputVerdict.IDENTICAL}
    assert layers.first_divergence is None


def test_a_name_that_repeats_by_accident_does_not_count(pair_of: tuple[Made, Made]) -> None:
    """The second exporter fused the first rectifier away, so its names are one behind."""
    a, b = pair_of
    values = [np.maximum(random(k, 1, 30), 0) for k in range(3)]
    for k, value in enumerate(values):
        a.add(f"relu_{k}", value, op="Relu")
    for k, value in enumerate(values[1:]):
        b.add(f"relu_{k}", value, op="Relu")
    assert found(judge_layers(a.taps, b.taps)) == {"relu_1": ("relu_0", "content"), "relu_2": ("relu_1", "content")}


def test_a_fused_convolution_under_its_old_name_is_no_divergence(pair_of: tuple[Made, Made]) -> None:
    a, b = pair_of
    conv, norm, last = random(0, 1, 4, 6, 6), random(1, 1, 4, 6, 6), random(2, 1, 9)
    a.add("conv", conv)
    a.add("norm", norm, op="BatchNormalization")
    a.add("last", last, op="Gemm")
    b.add("conv", conv * 0.5 + 3)  # neither one nor the other of a, under the name of one
    b.add("fused", norm)
    b.add("last", last, op="Gemm")
    layers = judge_layers(a.taps, b.taps)
    assert found(layers) == {"norm": ("fused", "content"), "last": ("last", "name")}
    assert layers.first_divergence is None


def test_equal_values_keep_the_order_of_both(pair_of: tuple[Made, Made]) -> None:
    a, b = pair_of
    same, other = np.abs(random(0, 1, 20)), random(1, 1, 20)
    for name, value, op in (("add", same, "Add"), ("relu", same, "Relu"), ("end", other, "Gemm")):
        a.add(name, value, op=op)
        b.add(f"b_{name}", value, op=op)
    assert {a: b for a, (b, _) in found(judge_layers(a.taps, b.taps)).items()} == {
        "add": "b_add", "relu": "b_relu", "end": "b_end",
    }  # fmt: skip


@pytest.mark.parametrize("named", ["name", "module", "content"])
def test_the_first_divergence_is_where_the_error_begins(pair_of: tuple[Made, Made], named: str) -> None:
    a, b = pair_of
    value = random(0, 1, 4, 6, 6)
    for k in range(6):
        value = np.tanh(value * 1.1 + random(k + 1, 1, 4, 6, 6))
        error = 0 if k < 3 else 0.05 * random(50 + k, 1, 4, 6, 6)
        module = f"block.{k}" if named == "module" else ""
        a.add(f"v{k}", value, module=module)
        b.add(f"v{k}" if named == "name" else f"w{k}", value + error, module=module)
    layers = judge_layers(a.taps, b.taps)
    first = layers.first_divergence
    assert first is not None
    assert (first.a, first.b, first.paired_by) == ("v3", "v3" if named == "name" else "w3", named)
    assert (first.node_a, first.verdict) == ("n_v3", OutputVerdict.DIFFERENT)
    assert first.max_abs > first.tolerance > 0
    assert [layer.a for layer in layers.layers] == [f"v{k}" for k in range(6)]


def test_branches_may_stand_in_another_order(pair_of: tuple[Made, Made]) -> None:
    """Query, key and value of an attention: the second model computes the value first, and wrong."""
    a, b = pair_of
    norm, q, k, v = (random(seed, 1, 12, 16) for seed in range(4))
    a.add("norm", norm)
    b.add("n", norm)
    for name, value in (("q", q), ("k", k), ("v", v)):
        a.add(name, value, op="Gemm", inputs=("norm",))
    wrong = v + 0.1 * random(9, 1, 12, 16)
    for name, value in (("f0", wrong), ("f1", q), ("f2", k)):
        b.add(name, value, op="FULLY_CONNECTED", inputs=("n",))
    layers = judge_layers(a.taps, b.taps)
    assert {a: b for a, (b, _) in found(layers).items()} == {"norm": "n", "q": "f1", "k": "f2", "v": "f0"}
    assert layers.first_divergence is not None
    assert layers.first_divergence.a == "v"


def test_noise_that_has_grown_on_its_way_is_no_divergence(pair_of: tuple[Made, Made], tmp_path: Path) -> None:
    a, b = pair_of
    (tmp_path / "moved").mkdir()
    moved = Made(tmp_path / "moved")
    for k in range(4):
        value = random(k, 1, 50)
        a.add(f"v{k}", value)
        b.add(f"v{k}", value + np.float32(1e-5 * 4**k))
        moved.add(f"v{k}", value + np.float32(1e-5 * 4**k / 4))
    assert judge_layers(a.taps, b.taps, moved.taps).first_divergence is None
    calm = judge_layers(a.taps, b.taps).first_divergence
    assert calm is not None  # without knowing how noise grows it would be taken for an error
    assert judge_layers(a.taps, b.taps, atol=0.01).first_divergence is None


def test_coarse_weights_are_precision_and_no_divergence(pair_of: tuple[Made, Made]) -> None:
    a, b = pair_of
    for k in range(3):
        value = random(k, 1, 200)
        a.add(f"a{k}", value)
        b.add(f"b{k}", value + np.float32(0.02) * random(k + 9, 1, 200))
    layers = judge_layers(a.taps, b.taps, numbers=("float32", "int8"))
    assert [layer.verdict for layer in layers.layers] == [OutputVerdict.PRECISION] * 3
    assert layers.first_divergence is None


def test_what_has_no_file_and_whole_numbers_are_left_out(pair_of: tuple[Made, Made]) -> None:
    a, b = pair_of
    for made in (a, b):
        made.add("ids", np.arange(6).reshape(1, 6))
        made.add("v", random(0, 1, 6))
        made.taps.append(Tap(value="w", node="n", op="Conv", inputs=("v",)))
    assert found(judge_layers(a.taps, b.taps)) == {"v": ("v", "name")}
    assert judge_layers((), ()) == Layers()


def test_a_nan_is_a_divergence(pair_of: tuple[Made, Made]) -> None:
    a, b = pair_of
    value = random(0, 1, 30)
    broken = value.copy()
    broken[0, 3] = np.nan
    a.add("v", value)
    b.add("v", broken)
    first = judge_layers(a.taps, b.taps).first_divergence
    assert first is not None
    assert first.a == "v"


def test_the_heaviest_chain_goes_forward_in_both() -> None:
    matches = [Match(a, b, "", 0.0) for a, b in ((0, 3), (1, 0), (2, 1), (2, 2), (3, 2), (4, 0))]
    chain = in_order(matches, lambda match: 1.0)
    assert [(match.a, match.b) for match in chain] == [(1, 0), (2, 1), (3, 2)]
    heavy = in_order(matches, lambda match: 5.0 if match.b == 3 else 1.0)
    assert [(match.a, match.b) for match in heavy] == [(0, 3)]
    assert in_order([], lambda match: 1.0) == []


def test_distance_is_between_nothing_and_one() -> None:
    x = random(0, 100)
    assert distance(x, x) == 0
    assert distance(x, -x) == 1
    assert distance(np.zeros(3), np.zeros(3)) == 0


def test_values_worth_looking_at_depend_on_inputs_and_are_used() -> None:
    nodes = (
        Node("t", "Transpose", ("w",), ("wt",)),
        Node("m", "MatMul", ("x", "wt"), ("y", "mask")),
        Node("r", "Relu", ("y",), ("z",)),
    )
    graph = Graph("g", (Value("x"),), (Value("z"),), nodes)
    model = Model("onnx", graphs=(graph,), tensors={"w": Tensor("w", "float32", (2, 2), Place())})
    assert [(tap.value, tap.inputs) for tap in taps(model)] == [("y", ("x",)), ("z", ("y",))]
    assert taps(Model("onnx")) == ()


def test_where_a_model_cannot_be_looked_into_the_verdict_stands_and_says_why(samples: Path, tmp_path: Path) -> None:
    spec = (Spec("x", "float32", (1, 3)),)
    answers = {
        "devices": DevicesFound((Device(id="onnxruntime:cpu", runtime="onnxruntime", title="CPU"),)),
        "session_open": SessionOpened(spec, spec, {}, 1.0, "onnx"),
        "feeds": FeedsMade(files=("feeds.npz",), shapes=({"x": (1, 3)},)),
        "session_run": SessionRan((), 0.1),
        "judge": Parity(verdict=Verdict.SAME, sentence="It is the same model."),
    }
    model = str(samples / "digits_mlp.onnx")
    recipe = compare(CompareRequest(a=model, b=model, layers=True))
    asked: list[str] = []
    step = next(recipe)
    try:
        while True:
            if isinstance(step, Ask):
                asked.append(step.task.id)
                answer = answers.get(step.task.id)
                step = recipe.send(answer) if answer else recipe.throw(RuntimeFailure("It shows nothing."))
            else:
                step = recipe.send(tmp_path if isinstance(step, Folder) else Worker(len(asked), "worker"))
    except StopIteration as end:
        parity: Parity = end.value
    assert asked[-1] == "session_values"
    assert (parity.verdict, parity.layers, parity.first_divergence) == (Verdict.SAME, (), None)
    assert parity.layers_note == "The layers were not compared: It shows nothing."
    assert layers_in_words(parity) == parity.layers_note


def test_a_runtime_that_runs_the_whole_says_so() -> None:
    class Whole(Runtime):
        id, title, accepts, needs = "whole", "Whole", ("onnx",), ()
        devices = classmethod(lambda cls: ())
        open = run = lambda self, *args: {}

    with pytest.raises(RuntimeFailure, match=r"^Whole does not show what is computed inside m\.onnx\.$"):
        Whole(Path("m.onnx"), "whole:cpu").values({}, ["v"])
