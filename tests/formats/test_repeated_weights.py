"""Weights stored twice in real files of every kind: the same distinct number, whatever a format does with them."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import onnx
import pytest
from built import Built, build
from onnx import helper, numpy_helper
from safetensors.numpy import save_file
from test_gguf import Q4_0, Writer
from tflite_files import RELU, model, tensor

from inspector.jobs.terminal import ask_document
from inspector.worker.tasks.repeats import TASK as REPEATS
from inspector.worker.tasks.repeats import Repeated, RepeatsArgs

RNG = np.random.default_rng(0)
WTE, HIDDEN = RNG.normal(size=(500, 32)).astype("f4"), RNG.normal(size=(64, 64)).astype("f4")
BIAS = RNG.normal(size=2048).astype("f4")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Checkpoints and Keras files of `build_repeats.py`."""
    return build("build_repeats.py", tmp_path_factory.mktemp("repeats"))


def look(path: Path) -> tuple[int, int, dict[str, str]]:
    """Parameters, distinct ones, and the repeats, as a real worker says them."""
    overview, answer = ask_document(path, [(REPEATS, RepeatsArgs(begin=True, step=60.0))])
    assert isinstance(answer, Repeated)
    assert answer.done
    assert answer.found.beyond == answer.found.unread == 0
    return overview.totals.parameters, overview.totals.parameters - answer.found.parameters, answer.found.pairs


def test_safetensors(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    save_file({"wte.weight": WTE, "x": HIDDEN, "lm_head.weight": WTE.copy(), "b1": BIAS, "b2": BIAS.copy()}, path)
    every = 2 * WTE.size + HIDDEN.size + 2 * BIAS.size
    assert look(path) == (every, every - WTE.size, {"wte.weight": "lm_head.weight"})


def test_an_embedding_that_an_exporter_transposed_for_the_head(tmp_path: Path) -> None:
    nodes = [helper.make_node("Gather", ["wte", "ids"], ["x"]), helper.make_node("MatMul", ["x", "head"], ["out"])]
    ends = [helper.make_tensor_value_info("ids", 7, (4,)), helper.make_tensor_value_info("out", 1, (4, 500))]
    weights = [numpy_helper.from_array(WTE, "wte"), numpy_helper.from_array(np.ascontiguousarray(WTE.T), "head")]
    onnx.save(helper.make_model(helper.make_graph(nodes, "g", ends[:1], ends[1:], weights)), tmp_path / "m.onnx")
    assert look(tmp_path / "m.onnx") == (2 * WTE.size, WTE.size, {"head": "wte"})


def test_onnx_initializers_written_in_different_ways(tmp_path: Path) -> None:
    raw, listed = numpy_helper.from_array(HIDDEN, "raw"), onnx.TensorProto(name="listed", data_type=1, dims=(64, 64))
    listed.float_data.extend(HIDDEN.reshape(-1).tolist())
    beside = numpy_helper.from_array(HIDDEN, "beside")
    onnx.external_data_helper.set_external_data(beside, "w.bin")
    nodes = [helper.make_node("MatMul", [a, b], [c]) for a, b, c in
             (("x", "listed", "y"), ("y", "raw", "z"), ("z", "beside", "out"))]  # fmt: skip
    ends = [helper.make_tensor_value_info(name, 1, (1, 64)) for name in ("x", "out")]
    graph = helper.make_graph(nodes, "g", ends[:1], ends[1:], [raw, listed, beside])
    onnx.save(helper.make_model(graph), tmp_path / "m.onnx")
    assert (tmp_path / "w.bin").stat().st_size == HIDDEN.nbytes
    assert look(tmp_path / "m.onnx") == (3 * 4096, 4096, {"raw": "listed", "beside": "listed"})


@pytest.mark.parametrize("suffix", [".pt", "_legacy.pt"])
def test_a_tied_and_a_cloned_weight_give_one_distinct_number(files: Built, suffix: str) -> None:
    layers = {"layers.1.weight": "layers.0.weight", "layers.2.weight": "layers.0.weight"}
    parameters, distinct, pairs = look(files.folder / f"twice{suffix}")
    assert (parameters, pairs) == (files.facts["torch"], {"head.weight": "wte.weight", **layers})
    assert look(files.folder / f"tied{suffix}") == (parameters - 500 * 32, distinct, layers)


def test_a_whole_module(files: Built) -> None:
    assert look(files.folder / "twice_module.pt")[2]["head.weight"] == "wte.weight"


@pytest.mark.parametrize("name", ["twice.keras", "twice.h5"])
def test_keras(files: Built, name: str) -> None:
    every = files.facts["keras"]
    assert look(files.folder / name) == (every, every - 4096, {"second/kernel": "first/kernel"})


@pytest.mark.parametrize("packed", [None, "gzip"])
def test_hdf5_in_chunks_which_have_no_place_of_their_own(tmp_path: Path, packed: str | None) -> None:
    with h5py.File(tmp_path / "w.h5", "w") as file:
        for name, values in (("a", WTE), ("b", WTE), ("c", WTE + 1)):
            group = file.create_group(name)
            group.create_dataset("kernel:0", data=values, chunks=(7, 32), compression=packed)
            group.attrs["weight_names"] = [b"kernel:0"]
        file.attrs["layer_names"] = [b"a", b"b", b"c"]
    assert look(tmp_path / "w.h5") == (3 * WTE.size, 2 * WTE.size, {"b/kernel": "a/kernel"})


def test_tflite_with_equal_buffers(tmp_path: Path) -> None:
    tensors = [tensor("a", [64, 64], 1), tensor("b", [64, 64], 2), tensor("out", [64, 64])]
    path = tmp_path / "m.tflite"
    path.write_bytes(model(RELU, tensors, [HIDDEN.tobytes(), HIDDEN.tobytes()]))
    assert look(path) == (2 * 4096, 4096, {"b": "a"})


def test_gguf_blocks(tmp_path: Path) -> None:
    made = Writer()
    block = RNG.integers(0, 100, (64 * 2, 18), dtype=np.uint8).tobytes()
    made.tensor("token_embd.weight", Q4_0, (64, 64), block)
    made.tensor("output.weight", Q4_0, (64, 64), block)
    assert look(made.write(tmp_path / "m.gguf")) == (2 * 4096, 4096, {"output.weight": "token_embd.weight"})
