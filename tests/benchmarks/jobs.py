"""How long a job takes to start, and what our way of converting costs over calling the tool by hand."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QEventLoop, QTimer

from inspector.jobs.convert import convert
from inspector.jobs.desk import Desk
from inspector.jobs.job import Outcome
from inspector.jobs.recipe import Recipe, Start
from inspector.jobs.requests import ConvertRequest
from inspector.jobs.terminal import run
from tests.benchmarks.harness import ROOT, Figure

SAMPLES = ROOT / "resources" / "samples"
WARM_STARTS, PATIENCE_MS = 5, 60_000
BY_HAND = {
    "onnx": """
import sys, warnings, torch
warnings.simplefilter("ignore")
program = torch.export.load(sys.argv[1])
torch.onnx.export(program, dynamo=True, opset_version=18, external_data=False).save(sys.argv[2])
""",
    "tflite": """
import sys, os
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"
import keras, tempfile, tensorflow as tf
model = keras.models.load_model(sys.argv[1])
folder = tempfile.mkdtemp()
model.export(folder, verbose=False)
open(sys.argv[2], "wb").write(tf.lite.TFLiteConverter.from_saved_model(folder).convert())
""",
}


def figures() -> list[Figure]:
    """Start and conversion."""
    application = QCoreApplication.instance() or QCoreApplication([])
    found = [*starts("torch"), *starts("tensorflow")]
    for source, suffix, to in (("digits_mlp.pt2", ".onnx", "onnx"), ("digits_keras.keras", ".tflite", "tflite")):
        found.append(conversion(SAMPLES / source, suffix, to))
    del application
    return found


def starts(framework: str) -> list[Figure]:
    """From handing in a job to its worker being ready with the framework imported: cold, and with a spare."""
    desk = Desk(spares=True)
    cold = start_once(desk, framework)
    warm = []
    for _ in range(WARM_STARTS):
        wait_for_spare(desk, framework)
        warm.append(start_once(desk, framework))
    desk.close()
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", f"import {framework}"], check=True, capture_output=True)
    imported = (time.perf_counter() - began) * 1000
    return [
        Figure(f"job start, {framework}, cold", cold * 1000, "ms", "", f"python -c 'import {framework}'", imported),
        Figure(f"job start, {framework}, warm", statistics.median(warm) * 1000, "ms", "≤ 50 ms", "cold", cold * 1000),
    ]


def start_once(desk: Desk, framework: str) -> float:
    """Seconds until the worker of a job is ready."""
    loop, seconds = QEventLoop(), []

    def recipe() -> Recipe[None]:
        yield Start("Measuring", framework)
        seconds.append(time.perf_counter() - began)

    def ended(_id: str, _outcome: Outcome) -> None:
        loop.quit()

    desk.ended.connect(ended)
    began = time.perf_counter()
    desk.submit("Measuring", recipe())
    loop.exec()
    desk.ended.disconnect(ended)
    return seconds[0]


def wait_for_spare(desk: Desk, framework: str) -> None:
    """Let the event loop run until the next spare worker is up, as it is when a user thinks a moment."""
    loop, timer = QEventLoop(), QTimer(interval=50)

    def look() -> None:
        process, _ = desk._floor._spares.get(framework, (None, None))
        if process is not None and process.protection:
            loop.quit()

    timer.timeout.connect(look)
    timer.start()
    QTimer.singleShot(PATIENCE_MS, loop, loop.quit)
    loop.exec()
    timer.stop()


def conversion(source: Path, suffix: str, to: str) -> Figure:
    """Our conversion without its proof, and the same tool called by hand in a fresh process, in turn."""
    ours, theirs = [], []
    with tempfile.TemporaryDirectory() as folder:
        for i in range(3):
            began = time.perf_counter()
            run(convert(ConvertRequest(source=str(source), target=f"{folder}/ours{i}{suffix}", to=to, prove=False)))
            ours.append(time.perf_counter() - began)
            began = time.perf_counter()
            command = [sys.executable, "-c", BY_HAND[to], str(source), f"{folder}/theirs{i}{suffix}"]
            subprocess.run(command, check=True, capture_output=True)
            theirs.append(time.perf_counter() - began)
    name = f"convert {source.name} → {to}, cold"
    return Figure(name, statistics.median(ours), "s", "≤ 1.05×", "by hand", statistics.median(theirs))
