"""The tutorial, literally: SimpleNN → ONNX of opset 11 → onnx-tf → SavedModel → its `serving_default` signature.

The frameworks run in processes of their own, as users run them; this one only reads what they say.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from inspector.engines.parity.verdict import Verdict
from inspector.jobs.convert import convert
from inspector.jobs.requests import Conversion, ConvertRequest
from inspector.jobs.terminal import run

OPTIONS = {"opset": 11, "input_names": ["input"], "output_names": ["output"], "batch": "batch_size"}

WITH_ONNX = """
import json, sys
import numpy as np, onnx, onnxruntime
model = onnx.load(sys.argv[1])
onnx.checker.check_model(model, full_check=True)
def dims(value): return [d.dim_param or d.dim_value for d in value.type.tensor_type.shape.dim]
session = onnxruntime.InferenceSession(sys.argv[1])
x = np.load(sys.argv[2])["x"]
print(json.dumps({
    "opsets": {o.domain: o.version for o in model.opset_import},
    "inputs": {v.name: dims(v) for v in model.graph.input},
    "outputs": {v.name: dims(v) for v in model.graph.output},
    "digits": {str(n): np.concatenate([session.run(["output"], {"input": x[i:i + n]})[0].argmax(1)
               for i in range(0, len(x), n)]).tolist() for n in (1, 5)},
}))
"""

WITH_TENSORFLOW = """
import json, sys
import numpy as np, tensorflow as tf
serve = tf.saved_model.load(sys.argv[1]).signatures["serving_default"]
x = np.load(sys.argv[2])["x"]
print(json.dumps({
    "inputs": {name: spec.shape.as_list() for name, spec in serve.structured_input_signature[1].items()},
    "outputs": {name: spec.shape.as_list() for name, spec in serve.structured_outputs.items()},
    "digits": {str(n): np.concatenate([serve(input=tf.constant(x[i:i + n]))["output"].numpy().argmax(1)
               for i in range(0, len(x), n)]).tolist() for n in (1, 5)},
}))
"""

WITH_TORCH = """
import json, sys
import numpy as np, torch
model = torch.jit.load(sys.argv[1])
data = np.load(sys.argv[2])
with torch.no_grad():
    digits = model(torch.from_numpy(data["x"])).argmax(1).tolist()
print(json.dumps({"digits": digits, "labels": data["y"].tolist()}))
"""


def asked(script: str, *arguments: Path) -> Any:
    """What a script prints, as JSON."""
    command = [sys.executable, "-W", "ignore", "-c", script, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def source(samples: Path) -> Path:
    return samples / "digits_mlp.torchscript.pt"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tutorial")


@pytest.fixture
def as_onnx(source: Path, folder: Path) -> Path:
    """The tutorial's ONNX file, made once."""
    target = folder / "simple_nn.onnx"
    if not target.exists():
        done = converted(source, target, "onnx", {"torch_script_to_onnx": OPTIONS})
        assert done.route[0].facts["opset"] == "11"
    return target


@pytest.fixture
def as_saved_model(as_onnx: Path, folder: Path) -> Path:
    """The tutorial's SavedModel, made once."""
    target = folder / "simple_nn"
    if not target.exists():
        done = converted(as_onnx, target, "tf.saved_model", {})
        assert [step.tool for step in done.route] == ["onnx-tf"]
    return target


def converted(source: Path, target: Path, to: str, options: dict[str, dict[str, Any]]) -> Conversion:
    request = ConvertRequest(
        source=str(source), target=str(target), to=to, options=options, shapes={"input": (1, 1, 28, 28)}
    )
    done = run(convert(request))
    assert done.proof is not None, done.proof_note
    assert done.proof.verdict is Verdict.SAME, done.proof.sentence
    return done


def test_the_onnx_file_is_what_the_tutorial_asks_for(as_onnx: Path, samples: Path) -> None:
    said = asked(WITH_ONNX, as_onnx, samples / "digits.npz")
    assert said["opsets"] == {"": 11}
    assert said["inputs"] == {"input": ["batch_size", 1, 28, 28]}
    assert said["outputs"] == {"output": ["batch_size", 10]}


def test_the_signature_keeps_names_layout_and_dynamic_batch(as_saved_model: Path, samples: Path) -> None:
    said = asked(WITH_TENSORFLOW, as_saved_model, samples / "digits.npz")
    assert said["inputs"] == {"input": [None, 1, 28, 28]}
    assert said["outputs"] == {"output": [None, 10]}


def test_all_of_them_read_the_same_digits(source: Path, as_onnx: Path, as_saved_model: Path, samples: Path) -> None:
    data = samples / "digits.npz"
    torch, onnx, tensorflow = (
        asked(WITH_TORCH, source, data),
        asked(WITH_ONNX, as_onnx, data),
        asked(WITH_TENSORFLOW, as_saved_model, data),
    )
    wanted = torch["digits"]
    assert onnx["digits"] == {"1": wanted, "5": wanted}
    assert tensorflow["digits"] == {"1": wanted, "5": wanted}
    right = sum(a == b for a, b in zip(wanted, torch["labels"], strict=True))
    assert right >= 0.9 * len(wanted)
