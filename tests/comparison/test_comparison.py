"""Parameters and multiply-adds of known models in every format, against torch, Keras and arithmetic."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def compare(*arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.comparison", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    assert "WRONG" not in done.stdout
    assert done.stdout.count("  ok") > 1


def test_an_lstm_of_torch() -> None:
    formats = ("torch.export", "torch.script", "torch.state_dict")
    compare("LSTM", "--small", "--framework", "torch", *(word for each in formats for word in ("--only", each)))


@pytest.mark.slow
def test_a_transformer_of_keras() -> None:
    compare("BERT-base", "--small", "--framework", "keras", "--only", "keras")


@pytest.mark.slow
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("framework", ["torch", "keras"])
@pytest.mark.parametrize("model", ["ResNet-50", "MobileNetV2", "ViT-B/16", "BERT-base", "LSTM"])
def test_nothing_is_shrunk(model: str, framework: str) -> None:
    compare(model, "--framework", framework)
