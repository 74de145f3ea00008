"""Build the samples: small networks, really trained, so that their outputs move with the input.

    python resources/samples/build.py

Needs the extras `all` and `test`. The data are scikit-learn's digits scaled to 28×28. Exporters embed the absolute path
of the script in stack traces; `scrub` takes every path of this machine out again, and the build fails if one is left.
"""

from __future__ import annotations

import io
import os
import re
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn

HERE = Path(__file__).resolve().parent
EPOCHS = 40
LEAST_ACCURACY = 0.95
HELD_BACK = 100
"""Images that lie beside the samples."""


class SimpleNN(nn.Module):
    """The tutorial's network: Flatten, 784-512-512-10, ReLU."""

    def __init__(self) -> None:
        super().__init__()
        self.flatten = nn.Flatten()
        self.linear_relu_stack = nn.Sequential(
            nn.Linear(28 * 28, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 10)
        )

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        """Logits [batch, 10] of images [batch, 1, 28, 28]."""
        return self.linear_relu_stack(self.flatten(input))


class Block(nn.Module):
    """Two convolutions with BatchNorm and a skip connection."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(channels)
        self.act = nn.ReLU()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Same shape as `x`."""
        return self.act(x + self.norm2(self.conv2(self.act(self.norm1(self.conv1(x))))))


class SmallCNN(nn.Module):
    """A small residual network for 28×28 grey images."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(1, 16, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU())
        self.blocks = nn.Sequential(Block(16), Block(16))
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.head = nn.Linear(16, 10)

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        """Logits [batch, 10] of images [batch, 1, 28, 28]."""
        return self.head(self.pool(self.blocks(self.stem(input))).flatten(1))


def digits() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Training and held-back images [n, 1, 28, 28] float32 in 0..1, and their labels."""
    data = load_digits()
    images = torch.tensor(data.images, dtype=torch.float32).unsqueeze(1) / 16.0
    scaled = nn.functional.interpolate(images, size=(28, 28), mode="bilinear", align_corners=False).numpy()
    x, x_test, y, y_test = train_test_split(scaled, data.target, test_size=0.2, random_state=0, stratify=data.target)
    return x, y, x_test, y_test


def train(model: nn.Module, x: np.ndarray, y: np.ndarray) -> nn.Module:
    """The model after some epochs of Adam, in evaluation mode."""
    inputs, labels = torch.tensor(x), torch.tensor(y)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    model.train()
    for _ in range(EPOCHS):
        for index in torch.randperm(len(inputs)).split(64):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(inputs[index]), labels[index]).backward()
            optimizer.step()
    round_weights(model)
    return model.eval()


def round_weights(model: nn.Module) -> None:
    """Round weights to what bfloat16 can hold, so that the archives of the samples compress to half."""
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(parameter.bfloat16().float())


def accuracy(logits: np.ndarray, labels: np.ndarray) -> float:
    """Share of rows whose largest logit is at the label."""
    share = float((logits.argmax(1) == labels).mean())
    if share < LEAST_ACCURACY:
        raise SystemExit(f"A sample reaches an accuracy of {share:.3f} only.")
    return share


def torch_samples(name: str, model: nn.Module, x: np.ndarray, script: bool) -> None:
    """Write the .pt2, the ONNX and, where asked, the TorchScript file of a model."""
    example = torch.tensor(x[:2])
    batch = torch.export.Dim("batch", min=1, max=4096)
    program = torch.export.export(model, (example,), dynamic_shapes={"input": {0: batch}})
    torch.export.save(program, HERE / f"{name}.pt2")
    onnx = torch.onnx.export(
        program, dynamo=True, opset_version=18, input_names=["input"], output_names=["output"], external_data=False
    )
    onnx.save(HERE / f"{name}.onnx")
    if script:
        with torch.no_grad():
            traced = torch.jit.trace(model, example[:1])
        traced.save(str(HERE / f"{name}.torchscript.pt"))


def keras_sample(x: np.ndarray, y: np.ndarray, x_test: np.ndarray, y_test: np.ndarray) -> float:
    """Train and write the Keras sample; gives its accuracy."""
    import keras

    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((28, 28), name="input"),
            keras.layers.Flatten(name="flatten"),
            keras.layers.Dense(128, activation="relu", name="dense"),
            keras.layers.Dropout(0.2, name="dropout"),
            keras.layers.Dense(10, name="logits"),
        ],
        name="digits_keras",
    )
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(x[:, 0], y, epochs=EPOCHS, verbose=0)
    share = accuracy(model.predict(x_test[:, 0], verbose=0), y_test)
    model.optimizer = None  # its slots would double the file
    model.save(HERE / "digits_keras.keras")
    return share


INSTALLED = re.compile(rb'(?<=")(?:/[\w.+\-]+)+?/site-packages/')
"""Folders before an installed package."""
OWN = re.compile(rb'(?<=")(?:/[\w.+\-]+)*/(?=[\w.+\-]+\.py)')
"""Folders before the author's own file."""


def without_folders(data: bytes) -> bytes:
    """Text with the folders of this machine taken out of the paths of Python files."""
    return OWN.sub(b"", INSTALLED.sub(b"", data))


def scrub(path: Path) -> None:
    """Take the folders of this machine out of a sample, in every member of an archive, and prove that none is left."""
    if zipfile.is_zipfile(path):
        rewrite_zip(path, without_folders)
    elif path.suffix == ".onnx":
        scrub_onnx(path)
    data = path.read_bytes()
    members = [data]
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            members += [archive.read(name) for name in archive.namelist()]
    for needle in (str(HERE).encode(), str(Path.home()).encode() + b"/", b"site-packages", b"/tmp/"):
        if any(needle in member for member in members):
            raise SystemExit(f"{path.name} still names {needle.decode()}")


def rewrite_zip(path: Path, change: Callable[[bytes], bytes]) -> None:
    """Rewrite text-like members; tensors keep the 64-byte alignment that torch's archives have."""
    out = io.BytesIO()
    with zipfile.ZipFile(path) as archive, zipfile.ZipFile(out, "w", compresslevel=9) as new:
        for item in archive.infolist():
            data = archive.read(item)
            if item.filename.endswith((".json", ".py", ".debug_pkl")) or "/code/" in item.filename:
                if item.filename.endswith(".debug_pkl"):
                    continue  # call stacks of the tracing run, pickled with lengths: not needed to run or to read
                data = change(data)
            info = zipfile.ZipInfo(item.filename, (1980, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED if path.suffix == ".pt2" else item.compress_type
            if info.compress_type == zipfile.ZIP_STORED:
                start = out.tell() + 30 + len(item.filename.encode())
                padding = -(start + 4) % 64
                info.extra = b"FB" + padding.to_bytes(2, "little") + b"Z" * padding
            new.writestr(info, data)
    path.write_bytes(out.getvalue())


def scrub_onnx(path: Path) -> None:
    """Shorten the stack traces in node metadata to file names, and call the batch dimension by its name."""
    import onnx

    model = onnx.load(path)
    batch = model.graph.input[0].type.tensor_type.shape.dim[0].dim_param
    for value in [*model.graph.input, *model.graph.output, *model.graph.value_info]:
        for dim in value.type.tensor_type.shape.dim:
            if dim.dim_param == batch:
                dim.dim_param = "batch"
    for node in [*model.graph.node, *(n for f in model.functions for n in f.node)]:
        for item in node.metadata_props:
            item.value = without_folders(item.value.encode()).decode()
    onnx.save(model, path)


def main() -> None:
    """Build all samples."""
    warnings.simplefilter("ignore")
    torch.manual_seed(0)
    x, y, x_test, y_test = digits()
    np.savez_compressed(HERE / "digits.npz", x=x_test[:HELD_BACK], y=y_test[:HELD_BACK].astype(np.int64))
    for name, model, script in (("digits_mlp", SimpleNN(), True), ("digits_cnn", SmallCNN(), False)):
        train(model, x, y)
        with torch.no_grad():
            share = accuracy(model(torch.tensor(x_test)).numpy(), y_test)
        torch_samples(name, model, x, script)
        print(f"{name}: accuracy {share:.3f}, {sum(p.numel() for p in model.parameters()):,} parameters")
    print(f"digits_keras: accuracy {keras_sample(x, y, x_test, y_test):.3f}")
    for path in sorted(HERE.iterdir()):
        if path.suffix in {".pt2", ".pt", ".onnx", ".keras"}:
            scrub(path)
    print(f"{sum(p.stat().st_size for p in HERE.iterdir()) / 1e6:.1f} MB together")


if __name__ == "__main__":
    main()
