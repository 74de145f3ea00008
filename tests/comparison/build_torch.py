"""Writes a torch model in all formats of torch, and facts.json: `build_torch.py NAME FOLDER [--small] [FORMAT …]`."""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from tests.comparison.reference import FULL, SMALL
from tests.comparison.torch_models import made


def counted(model: Any, inputs: tuple[Any, ...]) -> int:
    """Half of what torch's counter calls FLOPs, on kernels that it knows."""
    slow = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    with (
        torch.no_grad(),
        sdpa_kernel(SDPBackend.MATH),
        torch.backends.mkldnn.flags(enabled=False),
        FlopCounterMode(display=False) as counter,
    ):
        model(*inputs)
    torch.backends.mha.set_fastpath_enabled(slow)
    return int(counter.get_total_flops()) // 2


def writers(model: Any, inputs: tuple[Any, ...]) -> dict[str, tuple[str, Callable[[Path], object]]]:
    """File names and what writes them, by the words of the table."""

    def onnx(path: Path, **options: Any) -> None:
        program = torch.onnx.export(model, inputs, dynamo=True, verbose=False, **options)
        assert program is not None
        program.save(path, external_data=False)

    def script(path: Path) -> None:
        with torch.no_grad():
            torch.jit.save(torch.jit.trace(model, inputs), path)

    def legacy(path: Path) -> None:
        torch.onnx.export(model, inputs, path, dynamo=False, opset_version=17)

    state = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
    return {
        "torch.export": ("model.pt2", lambda path: torch.export.save(torch.export.export(model, inputs), path)),
        "torch.script": ("traced.pt", script),
        "onnx, dynamo": ("dynamo.onnx", onnx),
        "onnx, not optimised": ("plain.onnx", lambda path: onnx(path, optimize=False)),
        "onnx, TorchScript exporter": ("legacy.onnx", legacy),
        "torch.state_dict": ("state.pth", lambda path: torch.save(model.state_dict(), path)),
        "safetensors": ("model.safetensors", lambda path: save_file(state, path)),
        "torch.module": ("whole.pt", lambda path: torch.save(model, path)),
    }


def main(name: str, folder: Path, small: bool, only: list[str]) -> None:
    """Write all files, or those of some formats."""
    warnings.simplefilter("ignore")
    model, inputs = made(name, SMALL if small else FULL)
    facts: dict[str, Any] = {
        "library": counted(model, inputs),
        "parameters": sum(t.numel() for t in model.state_dict().values() if t.is_floating_point()),
        "files": {},
    }
    for words, (file, write) in writers(model, inputs).items():
        if not only or words in only:
            write(folder / file)
            facts["files"][words] = file
    (folder / "facts.json").write_text(json.dumps(facts))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), "--small" in sys.argv, [each for each in sys.argv[3:] if each != "--small"])
