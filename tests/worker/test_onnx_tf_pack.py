"""The onnx-tf pack against ONNX's own backend cases: right, or refused, and never silently wrong."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

FAST = (
    "^test_(?:unsqueeze|squeeze|reduce_(?:mean|sum|max|l2|log_sum_exp)|layer_normalization|gelu|lstm|gru|rnn|simple_rnn|"
    "dropout|shape|split_(?:equal|variable|1d|2d)|reshape|averagepool|maxpool|resize|constant_pad|edge_pad|reflect_pad|"
    "wrap_pad|gemm|matmul|clip|trilu|tril|triu|onehot|hardmax|cast_FLOAT_to|scatter|quantizelinear|dequantizelinear|"
    "attention_4d|group_normalization|rms_normalization|rotary|sum|nonmaxsuppression|l2normalization|softmax|conv|"
    "batchnorm|flatten|relu|gather|transpose|concat|slice|where|expand)"
)

OURS = {
    "unsqueeze": 7, "squeeze": 2, "reduce_": 67, "layer_normalization": 57, "gelu": 8, "lstm": 6, "gru": 6,
    "simple_rnn": 5, "averagepool": 20, "maxpool": 18, "resize_": 35, "pad": 26, "gemm": 11, "matmul": 8, "clip": 24,
    "tril|triu": 18, "hardmax": 7, "rotary": 14, "nonmaxsuppression": 10, "attention_4d": 90,
}  # fmt: skip
"""At least so many cases must come out right, by what their names begin with."""


@cache
def outcomes(pattern: str) -> dict[str, tuple[str, str]]:
    """What came of the cases, from one process."""
    script = Path(__file__).with_name("onnx_cases.py")
    command = [sys.executable, "-W", "ignore", str(script), pattern]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, tuple[str, str]] = json.loads(done.stdout.splitlines()[-1])
    return found


def of(kind: str, found: dict[str, tuple[str, str]]) -> dict[str, str]:
    return {name: why for name, (word, why) in found.items() if word == kind}


def test_none_of_the_common_cases_is_wrong() -> None:
    found = outcomes(FAST)
    assert of("wrong", found) == {}
    assert of("broken", found) == {}
    assert len(of("ok", found)) >= 600


@pytest.mark.parametrize(("begins", "count"), OURS.items())
def test_what_we_teach_it_is_right(begins: str, count: int) -> None:
    right = [
        name
        for name in of("ok", outcomes(FAST))
        if re.match(f"test_(?:{begins})", name) or (begins == "pad" and "_pad" in name)
    ]
    assert len(right) >= count, sorted(right)


@pytest.mark.slow
def test_none_of_all_cases_is_wrong() -> None:
    found = outcomes("")
    assert of("wrong", found) == {}
    assert of("broken", found) == {}
    assert len(of("ok", found)) >= 1300


USUAL = ("cnn:dynamo:18", "recurrent:dynamo:18", "attention:dynamo:18", "dense:dynamo:18")
OTHERS = tuple(
    f"{kind}:{exporter}:{opset}"
    for kind in ("cnn", "recurrent", "attention", "dense")
    for exporter, opsets in (("legacy", (11, 14, 17, 20)), ("dynamo", (20, 23)))
    for opset in opsets
    if not (kind == "attention" and exporter == "legacy" and opset < 14)
)


def differences(folder: Path, names: tuple[str, ...]) -> dict[str, float]:
    script = Path(__file__).with_name("torch_zoo.py")
    command = [sys.executable, "-W", "ignore", str(script), str(folder), *names]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_what_torch_exports_comes_out_the_same(tmp_path: Path) -> None:
    found = differences(tmp_path, USUAL)
    assert set(found) == set(USUAL)
    assert max(found.values()) < 1e-5, found


@pytest.mark.slow
@pytest.mark.parametrize("name", OTHERS)
def test_other_exporters_and_opsets_come_out_the_same(tmp_path: Path, name: str) -> None:
    assert differences(tmp_path, (name,))[name] < 1e-5
