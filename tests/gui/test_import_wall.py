"""The wall between window and frameworks as it is, not as it is drawn: what a process that shows a model imported."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

FRAMEWORKS = {
    "torch", "tensorflow", "keras", "onnx", "onnxruntime", "h5py", "ai_edge_litert", "tf2onnx", "onnx_tf", "onnxscript",
    "safetensors",
}  # fmt: skip


@pytest.mark.parametrize("sample", ["digits_mlp.pt2", "digits_cnn.onnx", "digits_keras.keras"])
def test_the_window_process_loads_no_framework(samples: Path, sample: str) -> None:
    code = (
        "import sys; from tests.smoke import open_and_close; "
        f"print(open_and_close({str(samples / sample)!r}), *sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], text=True, capture_output=True, env=os.environ, timeout=120)
    assert done.returncode == 0, done.stderr
    rows, *modules = done.stdout.split()
    assert int(rows) > 3
    assert "inspector.views.layer_page" in modules
    assert not FRAMEWORKS & {name.partition(".")[0] for name in modules}


def test_nothing_heavy_is_imported_before_the_window_shows() -> None:
    code = (
        "import sys; from PySide6.QtWidgets import QApplication; app = QApplication([]); "
        "from inspector.app.window import MainWindow; from inspector.settings import Settings; "
        "from inspector.viewmodels.workspace import Workspace; from inspector.views import look; "
        "look.apply(app); window = MainWindow(Workspace(Settings())); window.show(); app.processEvents(); "
        "print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], text=True, capture_output=True, env=os.environ, timeout=120)
    assert done.returncode == 0, done.stderr
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert not loaded & (FRAMEWORKS | {"numpy", "pyqtgraph", "qtawesome", "netron"})
