"""Every file is recognised as itself and by no other format; strangers are named for what they are."""

from __future__ import annotations

import gzip
import io
import json
import lzma
import pickle
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
import test_gguf
import test_openvino
from built import Built

from inspector.errors import FormatError
from inspector.formats import Source, formats, identify
from inspector.formats._format import Support

SAMPLES = {
    "digits_mlp.onnx": "onnx",
    "digits_cnn.onnx": "onnx",
    "digits_mlp.pt2": "torch.export",
    "digits_cnn.pt2": "torch.export",
    "digits_mlp.torchscript.pt": "torch.script",
    "digits_keras.keras": "keras",
}
WEIGHTS = {
    "state.pt": "torch.state_dict",
    "legacy.pth": "torch.state_dict",
    "zip.pth.tar": "torch.state_dict",
    "training.bin": "torch.state_dict",
    "lightning.ckpt": "torch.state_dict",
    "tensor.pt": "torch.state_dict",
    "before_archives.pth": "torch.state_dict",
    "pytorch_model.bin.index.json": "torch.state_dict",
    "module.pt": "torch.module",
    "module_legacy.pt": "torch.module",
    "wrapped.pt": "torch.module",
    "plain_module.pt": "torch.module",
    "one.safetensors": "safetensors",
    "m.safetensors.index.json": "safetensors",
}
GRAPHS = {
    "frozen.pb": "tf.graph_def",
    "frozen.pbtxt": "tf.graph_def",
    "functional.h5": "keras.h5",
    "functional.weights.h5": "keras.h5",
    "functional.keras": "keras",
    "js_graph/model.json": "tfjs",
    "js_functional/model.json": "tfjs",
}


MADE = {"toy.gguf": "gguf", "toy.xml": "openvino"}


def claims(path: Path) -> list[str]:
    glimpse = Source(path).glimpse()
    return [fmt.id for fmt in formats().values() if fmt.sniff(glimpse) is not Support.NO]


def check(path: Path, want: str, scratch: Path) -> None:
    assert claims(path) == [want]
    assert identify(Source(path)).id == want
    wrong = scratch / "file.wrong"  # the bytes decide, whatever the name
    wrong.write_bytes(path.read_bytes())
    assert claims(wrong) == [want]


@pytest.mark.parametrize("name", SAMPLES)
def test_samples(samples: Path, tmp_path: Path, name: str) -> None:
    check(samples / name, SAMPLES[name], tmp_path)


@pytest.mark.parametrize("name", WEIGHTS)
def test_weights(torch_weights: Built, tmp_path: Path, name: str) -> None:
    check(torch_weights.folder / name, WEIGHTS[name], tmp_path)


@pytest.mark.parametrize("name", GRAPHS)
def test_graphs(tf_graphs: Built, tmp_path: Path, name: str) -> None:
    check(tf_graphs.folder / name, GRAPHS[name], tmp_path)


@pytest.mark.parametrize("name", MADE)
def test_files_of_other_tools(tmp_path: Path, name: str) -> None:
    {"toy.gguf": test_gguf.toy, "toy.xml": test_openvino.toy}[name]().write(tmp_path / name)
    check(tmp_path / name, MADE[name], tmp_path)


def test_a_saved_model_and_a_tflite_file(tensorflows: Built) -> None:
    folders = [path for path in tensorflows.folder.iterdir() if (path / "saved_model.pb").exists()]
    assert folders
    for path in folders:
        assert claims(path) == ["tf.saved_model"]
        assert claims(path / "saved_model.pb") == ["tf.saved_model"]
    files = list(tensorflows.folder.glob("*.tflite"))
    assert files
    for path in files:
        assert claims(path) == ["tflite"]


def test_every_format_is_in_the_matrix() -> None:
    seen = {*SAMPLES.values(), *WEIGHTS.values(), *GRAPHS.values(), *MADE.values(), "tf.saved_model", "tflite"}
    assert seen == set(formats())


def zipped(*names: str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name in names:
            archive.writestr(name, b"x" * 8)
    return made.getvalue()


def tarred(*names: str) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for name in names:
            archive.addfile(tarfile.TarInfo(name), io.BytesIO())
    return made.getvalue()


def array() -> bytes:
    made = io.BytesIO()
    np.savez(made, x=np.zeros(2), y=np.ones(2))
    return made.getvalue()


ENGINE = "It is compiled for one graphics card; open the model that it was made from."
PAGE = "The download gave an error page; fetch it again."
MADE_FROM = "Open the model that it was made from."
NUMBERS = "It holds numbers, not a model; use it as input for a model."
SKLEARN = b"\x80\x04\x95\x00\x00\x00\x00\x00\x00\x00\x00\x8c\x0fsklearn.svm._ba" + bytes(40)
STRANGERS: dict[str, tuple[bytes, str, str]] = {
    "x.npz": (array(), "x.npz is a NumPy archive of 2 arrays.", NUMBERS),
    "x.npy": (b"\x93NUMPY\x01\x00" + bytes(90), "x.npy is a NumPy array.", NUMBERS),
    "x.mlmodel": (b"\x08\x04\x12\x10" + bytes(90), "x.mlmodel is a CoreML model.", MADE_FROM),
    "one.mlmodel": (  # CoreML's first version begins as a SavedModel does
        bytes.fromhex("080112200a0e0a01781a092a070a010310c08004520e0a01791a092a070a010210c08004a21f3f0a3d"),
        "one.mlmodel is a CoreML model.",
        MADE_FROM,
    ),
    "x.ubj": (
        b"{L" + bytes(7) + b"\x07learner{L" + bytes(40),
        "x.ubj is an XGBoost model.",
        "Convert it with onnxmltools, then open that.",
    ),
    "x.param": (b"7767517\n3 3\nInput in 0 1 data\n", "x.param is an NCNN model.", MADE_FROM),
    "x.joblib": (
        SKLEARN,
        "x.joblib is a scikit-learn model: a pickle, which runs what it names when it is loaded.",
        "Export the model to ONNX with skl2onnx, then open that.",
    ),
    "x.pkl": (
        pickle.dumps({"a": 1}),
        "x.pkl is a Python pickle without a model that we know.",
        "Loading a pickle runs what it names; export the model to another format.",
    ),
    "x.zip": (
        zipped("readme.txt", "net/model.onnx"),
        "x.zip is a zip archive with a model inside.",
        "Unpack it, then open net/model.onnx.",
    ),
    "x.mar": (
        zipped("MAR-INF/MANIFEST.json", "model.pth"),
        "x.mar is an archive for TorchServe.",
        "Unpack it, then open the model that is in it.",
    ),
    "y.zip": (
        zipped("readme.txt"),
        "y.zip is a zip archive without a model that we know.",
        "Unpack it, then open what is in it.",
    ),
    "x.tar": (
        tarred("a/model.safetensors", "a/b.txt"),
        "x.tar is a tar archive with a model inside.",
        "Unpack it, then open a/model.safetensors.",
    ),
    "y.tar": (
        tarred("sys_info", "pickle", "storages", "tensors"),
        "y.tar is a checkpoint of PyTorch before 0.1.10 that is cut off or damaged.",
        "Fetch or copy it again.",
    ),
    "z.tar": (tarred("a.txt"), "z.tar is a tar archive.", "Unpack it, then open what is in it."),
    "x.pt": (
        b"7z\xbc\xaf\x27\x1c" + bytes(90),
        "x.pt is a 7-Zip archive, not a model.",
        "Unpack it, then open what is in it.",
    ),
    "x.pte": (
        b"\x18\x00\x00\x00ET12" + bytes(90),
        "x.pte is an ExecuTorch program.",
        "Open the .pt2 file that it was made from.",
    ),
    "model.onnx.part": (
        b"\x08\x07" + bytes(90),
        "model.onnx.part is an unfinished download.",
        "Wait until it is done, then open the whole file.",
    ),
    "flax_model.msgpack.index.json": (
        json.dumps({"metadata": {}, "weight_map": {"a": "flax_model-00001-of-00002.msgpack"}}).encode(),
        "flax_model.msgpack.index.json is the index of a checkpoint in files that we do not read.",
        "Open one of the files that it names.",
    ),
    "x.onnx.gz": (
        gzip.compress(b"\x08\x07" + bytes(90)),
        "x.onnx.gz is a gzip file with a model inside.",
        "Unpack it, then open x.onnx.",
    ),
    "z.tar.xz": (
        lzma.compress(tarred("a/model.gguf")),
        "z.tar.xz is an xz file with a model inside.",
        "Unpack it, then open a/model.gguf.",
    ),
    "z.tgz": (gzip.compress(tarred("a")), "z.tgz is a gzip file, not a model.", "Unpack it, then open what is in it."),
    "x.llamafile": (
        b"MZqFpD='\n" + bytes(90) + zipped("model.gguf"),
        "x.llamafile is a llamafile: a program with a model inside, which was not run.",
        "Unpack model.gguf with unzip and open that.",
    ),
    "x-symbol.json": (
        b'{"nodes": [{"op": "null", "name": "data"}], "arg_nodes": [0]}',
        "x-symbol.json is the graph of an MXNet model.",
        "Export it to ONNX with MXNet, then open that.",
    ),
    "x.params": (
        b"\x12\x01" + bytes(100),
        "x.params holds the weights of an MXNet model.",
        "Export the model to ONNX with MXNet.",
    ),
    "x.pdmodel": (
        b"\n\x80\x01\x08\x00" + bytes(90),
        "x.pdmodel is a PaddlePaddle model.",
        "Convert it with paddle2onnx, then open that.",
    ),
    "x.caffemodel": (
        b"\n\x05lenet\xa2\x06" + bytes(90),
        "x.caffemodel holds the weights of a Caffe model.",
        "Convert it to ONNX, then open that.",
    ),
    "x.prototxt": (
        b'name: "LeNet"\nlayer {\n  type: "Input"\n}\n',
        "x.prototxt is a Caffe model.",
        "Convert it to ONNX, then open that.",
    ),
    "x.engine": (b"ftrt" + bytes(90), "x.engine is a TensorRT engine.", ENGINE),
    "x.plan": (b"\x01\x02" + bytes(90), "x.plan is an engine that was compiled for one device.", MADE_FROM),
    "m.ckpt.data-00000-of-00001": (
        bytes(100),
        "m.ckpt.data-00000-of-00001 holds the weights of a TensorFlow checkpoint.",
        "Open the SavedModel, or export one from the checkpoint.",
    ),
    "config.json": (
        b'{"architectures": ["BertModel"], "hidden_size": 8}',
        "config.json is a configuration without weights.",
        "Open the weights beside it.",
    ),
    "page.onnx": (b"<!DOCTYPE html><html>", "page.onnx is a web page, not a model.", PAGE),
    "refused.gguf": (
        b"Entry not found",
        "refused.gguf is the answer of a server that refused, not a model.",
        "Fetch it again; you may have to log in.",
    ),
    "pointer.gguf": (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n",
        "pointer.gguf is a Git-LFS pointer, not the model.",
        "Run: git lfs pull",
    ),
    "x.cbm": (b"CBM1" + bytes(90), "x.cbm is a CatBoost model.", "Export it to ONNX with CatBoost, then open that."),
}  # fmt: skip


@pytest.mark.parametrize("name", STRANGERS)
def test_strangers_are_named(tmp_path: Path, name: str) -> None:
    data, what, hint = STRANGERS[name]
    (tmp_path / name).write_bytes(data)
    with pytest.raises(FormatError) as caught:
        identify(Source(tmp_path / name))
    assert (caught.value.what, caught.value.hint) == (what, hint)


def test_numbers_beside_the_file_that_says_what_they_are(tmp_path: Path) -> None:
    path = test_openvino.toy().write(tmp_path / "m.xml")
    with pytest.raises(FormatError) as caught:
        identify(Source(path.with_suffix(".bin")))
    assert (caught.value.what, caught.value.hint) == (
        "m.bin holds the weights of the OpenVINO model m.xml.",
        "Open m.xml.",
    )


def test_folders_are_named(tmp_path: Path) -> None:
    package = tmp_path / "x.mlpackage"
    (package / "Data").mkdir(parents=True)
    (package / "Manifest.json").write_text("{}")
    with pytest.raises(FormatError, match=r"^x\.mlpackage is a CoreML package\.$"):
        identify(Source(package))
    (tmp_path / "model.onnx").write_bytes(b"")
    with pytest.raises(FormatError) as caught:
        identify(Source(tmp_path))
    assert caught.value.hint == "Open the model in it: model.onnx."


@pytest.mark.parametrize("suffix", sorted({s for fmt in formats().values() for s in fmt.suffixes if s}))
@pytest.mark.parametrize("data", [b"", bytes(range(256)), b"hello, world\n" * 20, b"\x80\x02", b"(", b"{}", b"\n\n"])
def test_nonsense_is_refused_whatever_its_name(tmp_path: Path, suffix: str, data: bytes) -> None:
    path = tmp_path / f"x{suffix}"
    path.write_bytes(data)
    with pytest.raises(FormatError):
        identify(Source(path)).read(Source(path))
