"""Small torch models of the usual kinds, exported to ONNX and converted with the pack; run as a script.

    python tests/worker/torch_zoo.py FOLDER NAME:EXPORTER:OPSET …

Prints, for each, the largest difference to ONNX Runtime at batch 1 and 5, relative to the largest output.
"""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np


def models() -> dict[str, tuple[Any, Any]]:
    """Model and an input of batch 2, by name."""
    import torch
    from torch import nn

    class Cnn(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = nn.Sequential(nn.Conv2d(3, 8, 3, stride=2, padding=1), nn.BatchNorm2d(8), nn.SiLU())
            self.deep = nn.Sequential(nn.Conv2d(8, 8, 3, padding=1, groups=8), nn.GroupNorm(2, 8), nn.Hardswish())
            self.last = nn.Linear(8, 5)

        def forward(self, input: Any) -> Any:
            x = nn.functional.max_pool2d(self.first(input), 3, 2, 1, ceil_mode=True)
            x = x + self.deep(x)
            x = nn.functional.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)
            x = nn.functional.avg_pool2d(nn.functional.pad(x, (1, 0, 1, 0), mode="reflect"), 2, padding=1)
            return self.last(nn.functional.adaptive_avg_pool2d(x, 1).flatten(1))

    class Recurrent(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.lstm = nn.LSTM(6, 8, 2, batch_first=True, bidirectional=True)
            self.gru = nn.GRU(16, 8, batch_first=True)
            self.last = nn.Linear(8, 5)

        def forward(self, input: Any) -> Any:
            return self.last(self.gru(self.lstm(input)[0])[0][:, -1])

    class Attention(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embed = nn.Embedding(50, 16)
            layer = nn.TransformerEncoderLayer(16, 2, 32, activation="gelu", batch_first=True)
            self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
            self.last = nn.Linear(16, 5)

        def forward(self, input: Any) -> Any:
            return self.last(self.encoder(self.embed(input)).mean(1))

    class Dense(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = nn.Sequential(nn.Linear(12, 16), nn.GELU(), nn.Dropout(0.5), nn.LayerNorm(16))

        def forward(self, input: Any) -> Any:
            x = self.layers(input.flatten(1))
            one, two = x.chunk(2, 1)
            return torch.softmax(torch.cat([one * two, x.clamp(-1, 1)], 1), 1)

    torch.manual_seed(0)
    return {
        "cnn": (Cnn(), torch.randn(2, 3, 21, 21)),
        "recurrent": (Recurrent(), torch.randn(2, 7, 6)),
        "attention": (Attention(), torch.randint(0, 50, (2, 9))),
        "dense": (Dense(), torch.randn(2, 3, 4)),
    }


def exported(model: Any, x: Any, exporter: str, opset: int, target: Path) -> None:
    """Write ONNX with a dynamic batch."""
    import torch

    model.eval()
    if exporter == "dynamo":
        batch = torch.export.Dim("batch", min=1, max=64)
        program = torch.onnx.export(
            model, (x,), dynamo=True, opset_version=opset, dynamic_shapes={"input": {0: batch}}, verbose=False
        )
        assert program is not None
        program.save(target)
    else:
        torch.onnx.export(
            model, (x,), target, dynamo=False, opset_version=opset, input_names=["input"],
            dynamic_axes={"input": {0: "batch"}},
        )  # fmt: skip


def difference(source: Path, folder: Path) -> float:
    """Convert and compare with ONNX Runtime."""
    import onnx
    import onnxruntime
    import tensorflow as tf

    from inspector.engines.convert.onnx_tf_pack import build, prepare

    model = prepare.prepared(onnx.load(source))
    assert prepare.obstacles(model) == ()
    assert not any(node.op_type in ("Dropout", "Erf") for node in model.graph.node)
    build.save(model, folder)
    serve = tf.saved_model.load(str(folder)).signatures["serving_default"]
    session = onnxruntime.InferenceSession(source)
    (described,) = session.get_inputs()
    worst = 0.0
    for batch in (1, 5):
        shape = (batch, *described.shape[1:])
        random = np.random.default_rng(batch)
        whole = "int" in described.type
        x = random.integers(0, 50, shape) if whole else random.standard_normal(shape).astype(np.float32)
        wanted = session.run(None, {"input": x})[0]
        got = next(iter(serve(input=tf.constant(x)).values())).numpy()
        worst = max(worst, float(np.abs(wanted - got).max() / np.abs(wanted).max()))
    return worst


def main(folder: Path, names: list[str]) -> None:
    """Export, convert and compare each."""
    from inspector.engines.convert.quiet import quiet_tensorflow

    quiet_tensorflow()
    warnings.simplefilter("ignore")
    found = {}
    for name in names:
        kind, exporter, opset = name.split(":")
        source = folder / f"{name.replace(':', '_')}.onnx"
        exported(*models()[kind], exporter, int(opset), source)
        found[name] = difference(source, source.with_suffix(""))
    print(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
