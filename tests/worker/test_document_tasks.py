"""The document worker's tasks: on the samples, on a model made by hand, and once through a real process."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any, TypeVar

import ml_dtypes
import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from inspector.engines.summary.rows import Overview
from inspector.errors import InspectorError
from inspector.formats import Format, Source, Support
from inspector.ir import Graph, Model, Module, Node, Place, Role, Signature, Tensor, Value
from inspector.jobs.terminal import ask_document
from inspector.worker.tasks import Context, Task
from inspector.worker.tasks._document import KEY, Document
from inspector.worker.tasks.details import TASK as DETAILS
from inspector.worker.tasks.details import Details, DetailsArgs, Kind
from inspector.worker.tasks.open import TASK as OPEN
from inspector.worker.tasks.open import OpenArgs
from inspector.worker.tasks.rows import TASK as ROWS
from inspector.worker.tasks.rows import RowsArgs
from inspector.worker.tasks.search import TASK as SEARCH
from inspector.worker.tasks.search import SearchArgs
from inspector.worker.tasks.tensor import TASK as TENSOR
from inspector.worker.tasks.tensor import TensorArgs, TensorView
from inspector.worker.tasks.tensor_bytes import TASK as TENSOR_BYTES
from inspector.worker.tasks.tensor_bytes import TensorBytesArgs
from inspector.worker.tasks.text import TASK as TEXT
from inspector.worker.tasks.text import TextArgs

A = TypeVar("A", bound=msgspec.Struct)
R = TypeVar("R", bound=msgspec.Struct)

SIMPLE_NN = ("digits_mlp.pt2", "digits_mlp.torchscript.pt", "digits_mlp.onnx")
SAMPLES = (*SIMPLE_NN, "digits_cnn.pt2", "digits_cnn.onnx", "digits_keras.keras")


def ask(task: Task[A, R], args: A, context: Context) -> R:
    """Ask as the wire does: arguments and result travel as MessagePack."""
    travelled = msgspec.msgpack.decode(msgspec.msgpack.encode(args), type=task.args)
    return msgspec.msgpack.decode(msgspec.msgpack.encode(task.run(travelled, context)), type=task.result)


def opened(path: Path, **more: Any) -> tuple[Overview, Context]:
    context = Context()
    return ask(OPEN, OpenArgs(str(path), **more), context), context


def test_a_size_for_a_name_that_no_dimension_has_is_said(samples: Path) -> None:
    for name, own, other in (("digits_mlp.onnx", "batch", "N"), ("digits_keras.keras", "batch", "batch_size")):
        ours, _ = opened(samples / name, dims={own: 4})
        theirs, _ = opened(samples / name, dims={other: 4})
        texts = [[note.text for note in overview.notes if "is called" in note.text] for overview in (ours, theirs)]
        assert texts == [[], [f"No dimension of the model is called {other!r}."]]
        assert ours.totals.macs == 4 * theirs.totals.macs


def text_of(details: Details, title: str) -> str:
    """All that one section says."""
    facts = next(section.facts for section in details.sections if section.title == title)
    return "; ".join(f"{fact.name}: {fact.text}" for fact in facts)


ARRAYS: dict[str, NDArray[Any]] = {
    "w": np.arange(12, dtype=np.float32).reshape(3, 4),
    "odd": np.array([0.0, np.nan, np.inf, -np.inf, -2.0, 0.0], np.float32),
    "all nan": np.full(3, np.nan, np.float64),
    "empty": np.zeros((0, 4), np.float32),
    "scalar": np.array(7, np.int64),
    "large": np.array([2**63 - 1, -(2**63)], np.int64),
    "wide": np.array([-1.7e308, 1.7e308]),
    "brain": np.array([1.5, -2.0, 0.0], ml_dtypes.bfloat16),
    "tiny": np.array([-8, 7, 0], ml_dtypes.int4),
    "eight": np.array([0.5, 448.0], ml_dtypes.float8_e4m3fn),
    "flags": np.array([True, False, True]),
    "complex": np.array([3 + 4j, 0], np.complex64),
    "words": np.array(["a", "lo\0ng", "ünï"], object),
    "bad\u202ename": np.ones(2, np.float32),
}


def by_hand(**more: Any) -> Context:
    """A worker with a small model open that has one of everything."""
    values = {name: Value(name, "float32", shape) for name, shape in {"x": ("batch", 3), "h": ("batch", 4)}.items()}
    tensors = {
        name: Tensor(name, array.dtype.name, array.shape, Place(member=f"data/{name}"), trainable=True)
        for name, array in ARRAYS.items()
    }
    nodes = (
        Node("fc/mm", "MatMul", ("x", "w"), ("h",), {"alpha": 1.0, "text": "a\nb"}, module="enc.fc", source="net.py:3"),
        Node("act", "Relu", ("h", ""), ("y",), module="enc"),
        Node("relu_last", "If", ("y",), ("z",), graphs=("body",), domain="my"),
    )
    body = Graph("body", nodes=(Node("inner", "Relu", ("y",), ("r",)),))
    graph = Graph("main", (values["x"],), (Value("z"),), nodes, values)
    model = Model(
        "toy",
        graphs=(graph, body),
        tensors=tensors,
        modules=(Module("", "Net"), Module("enc", "Encoder", {"layers": (1, 2)}), Module("enc.fc", "Linear")),
        signatures=(Signature("s", (values["x"],), (Value("z"),)),),
        texts={"code\0.py": "def f():\r\n\treturn 1\x1b"},
    )

    def fetch(source: Source, tensor: Tensor) -> NDArray[Any]:
        fetched.append(tensor.name)
        return ARRAYS[tensor.name]

    def document(op: str, domain: str) -> str:
        return f"{op} of {domain or 'nobody'}\n  twice" if op == "Relu" else ""

    fetched: list[str] = more.pop("fetched", [])
    fmt = Format("toy", "Toy", (".toy",), lambda _: Support.NO, lambda _: model, more.pop("fetch", fetch),
                 document=document)  # fmt: skip
    return Context(state={KEY: Document(Source(Path(__file__)), fmt, model, 0.0)})


def details(context: Context, kind: Kind, name: str, graph: str = "") -> Details:
    return ask(DETAILS, DetailsArgs(kind, name, graph), context)


def facts(seen: Details, title: str) -> dict[str, str]:
    return {fact.name: fact.text for section in seen.sections if section.title == title for fact in section.facts}


# The samples


@pytest.mark.parametrize("name", SIMPLE_NN)
def test_simple_nn_has_one_number_of_parameters_in_every_format(samples: Path, name: str) -> None:
    overview, context = opened(samples / name)
    page = ask(ROWS, RowsArgs(), context)
    assert overview.totals.parameters == overview.totals.trainable == 669_706
    assert overview.totals.parameters == sum(row.parameters for row in page.rows)
    assert overview.totals.macs == 784 * 512 + 512 * 512 + 512 * 10
    assert [row.type for row in page.rows] == ["Flatten", "Linear", "ReLU", "Linear", "ReLU", "Linear"]
    assert [port.name for port in overview.signatures[0].inputs] == ["input"]


@pytest.mark.parametrize("name", SAMPLES)
def test_every_sample_adds_up(samples: Path, name: str) -> None:
    overview, context = opened(samples / name)
    layers, operators = (ask(ROWS, RowsArgs(grouping), context) for grouping in ("layers", "operators"))
    for figure in ("parameters", "trainable", "parameter_bytes", "macs", "activation_bytes"):
        for page in (layers, operators):
            assert sum(getattr(row, figure) or 0 for row in page.rows) == getattr(overview.totals, figure)
    assert overview.totals.complete
    assert layers.totals == operators.totals == overview.totals
    assert operators.total == overview.totals.nodes
    assert 0 < overview.seconds < 5


@pytest.mark.parametrize("name", SAMPLES)
def test_everything_in_a_sample_has_details(samples: Path, name: str) -> None:
    overview, context = opened(samples / name)
    page = ask(ROWS, RowsArgs(), context)
    for row in page.rows:
        seen = details(context, "row", row.name, row.graph)
        assert facts(seen, "About")["Name"] == row.name
        for node in row.nodes:
            assert details(context, "node", node, row.graph).title
        for weight in row.weights:
            assert facts(details(context, "tensor", weight), "About")["Role"] in {"weight", "buffer"}
        for port in (*row.inputs, *row.outputs):
            assert details(context, "value", port.name, row.graph).sections
    for module in overview.modules:
        assert details(context, "module", module.path).sections


@pytest.mark.parametrize("name", SAMPLES)
def test_weights_of_a_sample_are_read(samples: Path, name: str) -> None:
    _, context = opened(samples / name)
    row = next(row for row in ask(ROWS, RowsArgs(), context).rows if row.parameters)
    view = ask(TENSOR, TensorArgs(row.weights[0], count=10), context)
    piece = ask(TENSOR_BYTES, TensorBytesArgs(row.weights[0]), context)
    array = np.load(BytesIO(piece.header + piece.data))
    assert array.shape == view.shape
    assert array.size == view.total == sum(view.histogram.counts)
    assert view.statistics["mean"] == pytest.approx(float(array.mean(dtype=np.float64)))
    assert view.statistics["std"] == pytest.approx(float(array.std(dtype=np.float64)))
    assert [array.dtype.type(text) for text in view.values] == array.reshape(-1)[:10].tolist()


def test_the_keras_sample_counts_as_its_summary_does(samples: Path) -> None:
    overview, _ = opened(samples / "digits_keras.keras")
    assert overview.totals.parameters == 784 * 128 + 128 + 128 * 10 + 10


def test_the_cnn_counts_as_torch_does(samples: Path) -> None:
    import torch

    overview, context = opened(samples / "digits_cnn.pt2")
    program = torch.export.load(samples / "digits_cnn.pt2")
    trained = sum(parameter.numel() for parameter in program.parameters())
    state = sum(buffer.numel() for buffer in program.buffers() if buffer.is_floating_point())
    assert (overview.totals.trainable, overview.totals.parameters) == (trained, trained + state)
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter, torch.no_grad():
        program.module()(torch.zeros(2, 1, 28, 28))
    sizes = {overview.dims[0]: 2}
    assert 2 * ask(ROWS, RowsArgs(dims=sizes), context).totals.macs == counter.get_total_flops()


# Opening


@pytest.mark.parametrize("name", ["digits_mlp.onnx", "digits_mlp.torchscript.pt", "digits_keras.keras"])
def test_shapes_that_the_user_types(samples: Path, name: str) -> None:
    plain, _ = opened(samples / name)
    port = plain.signatures[0].inputs[0]
    shape = (3, *[size for size in port.shape or () if isinstance(size, int)][-3:])
    shape = shape if len(shape) == len(port.shape or ()) else (3, *shape[2:])
    typed, context = opened(samples / name, shapes={port.name: shape})
    assert typed.totals.macs == 3 * plain.totals.macs
    assert ask(ROWS, RowsArgs(), context).totals == typed.totals
    assert typed.signatures[0].outputs[0].shape == (3, 10)


@pytest.mark.parametrize("name", ["digits_mlp.onnx", "digits_mlp.pt2", "digits_keras.keras"])
def test_details_follow_the_sizes_that_were_asked_for_last(samples: Path, name: str) -> None:
    overview, context = opened(samples / name)
    node = ask(ROWS, RowsArgs(grouping="operators"), context).rows[-1].nodes[0]
    output = overview.signatures[0].outputs[0].name
    before = text_of(details(context, "node", node), "Outputs")
    memory = set()
    for size in (1, 7):
        row = ask(ROWS, RowsArgs(dims={overview.dims[0]: size}), context).rows[-1]
        assert f" {size}×10" in text_of(details(context, "node", node), "Outputs")
        assert f" {size}×10" in text_of(details(context, "output", output), "About")
        memory.add(details(context, "row", row.name).figures.row.activation_bytes)
    assert len(memory) == 2
    ask(ROWS, RowsArgs(), context)
    assert text_of(details(context, "node", node), "Outputs") == before


@pytest.mark.parametrize(
    ("shapes", "what", "hint"),
    [
        ({"image": (1, 1, 28, 28)}, "The model has no input 'image'.", "Its inputs: input."),
        ({"input": (1, 28, 28)}, "The input 'input' does not have the shape 1×28×28.", "The file says batch×1×28×28."),
        (
            {"input": (1, 3, 28, 28)},
            "The input 'input' does not have the shape 1×3×28×28.",
            "The file says batch×1×28×28.",
        ),
    ],
)
def test_shapes_that_do_not_fit(samples: Path, shapes: dict[str, tuple[int, ...]], what: str, hint: str) -> None:
    with pytest.raises(InspectorError) as caught:
        opened(samples / "digits_mlp.onnx", shapes=shapes)
    assert (caught.value.what, caught.value.hint) == (what, hint)


def test_a_file_that_fails_leaves_no_model_open(samples: Path, tmp_path: Path) -> None:
    _, context = opened(samples / "digits_mlp.onnx")
    (tmp_path / "empty.onnx").touch()
    with pytest.raises(InspectorError, match="is empty"):
        ask(OPEN, OpenArgs(str(tmp_path / "empty.onnx")), context)
    with pytest.raises(InspectorError, match="No model is open"):
        ask(ROWS, RowsArgs(), context)


def test_a_real_worker_answers(samples: Path) -> None:
    overview, page, hits = ask_document(
        samples / "digits_mlp.onnx", [(ROWS, RowsArgs(start=1, count=2)), (SEARCH, SearchArgs("relu"))]
    )
    assert overview.totals.parameters == 669_706
    assert [row.index for row in page.rows] == [1, 2]
    assert (page.total, page.modules) == (6, ())
    assert hits.total > 0


# Rows


def test_pages(samples: Path) -> None:
    _, context = opened(samples / "digits_cnn.onnx")
    whole = ask(ROWS, RowsArgs(), context)
    parts = [ask(ROWS, RowsArgs(start=start, count=4), context) for start in range(0, whole.total, 4)]
    assert tuple(row for part in parts for row in part.rows) == whole.rows
    assert ask(ROWS, RowsArgs(start=whole.total + 5), context).rows == ()


def test_the_module_tree_comes_again_when_its_figures_change(samples: Path) -> None:
    overview, context = opened(samples / "digits_cnn.onnx")
    assert ask(ROWS, RowsArgs(), context).modules == ()
    four = ask(ROWS, RowsArgs(dims={"batch": 4}), context)
    assert four.modules[0].macs == 4 * (overview.modules[0].macs or 0)
    assert ask(ROWS, RowsArgs(dims={"batch": 4}, start=3), context).modules == ()
    assert ask(ROWS, RowsArgs(), context).modules == overview.modules
    assert ask(ROWS, RowsArgs(), context).modules == overview.modules, "who knows whether the last one was seen"


def test_a_page_fits_into_a_frame(monkeypatch: pytest.MonkeyPatch, samples: Path) -> None:
    monkeypatch.setattr("inspector.worker.tasks.rows.LIMIT", 2000)
    _, context = opened(samples / "digits_cnn.onnx")
    page = ask(ROWS, RowsArgs(), context)
    assert 1 <= len(page.rows) < page.total


def test_unknown_grouping_is_refused_by_its_type() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.msgpack.decode(msgspec.msgpack.encode({"grouping": "colours"}), type=RowsArgs)


# Details


def test_details_of_a_node() -> None:
    context = by_hand()
    seen = details(context, "node", "fc/mm")
    assert (seen.title, seen.subtitle, seen.source) == ("MatMul", "fc/mm, in enc.fc", "net.py:3")
    assert facts(seen, "About")["Module"] == "enc.fc (Linear)"
    assert (seen.figures.row.macs, seen.figures.row.flops) == (12, 24)
    assert "live_bytes" in seen.figures.columns
    assert facts(seen, "Attributes") == {"alpha": "1", "text": "a b"}
    assert facts(seen, "Inputs") == {"x": "float32 batch×3", "w": "float32 3×4"}
    leads = {fact.name: (fact.tensor, fact.node) for section in seen.sections for fact in section.facts}
    assert leads["w"] == ("w", "")
    assert leads["h"] == ("", "act")
    act = details(context, "node", "act")
    assert facts(act, "Inputs") == {"h": "float32 batch×4", "(omitted)": ""}
    assert act.doc == "Relu of nobody\n  twice"
    assert facts(details(context, "node", "relu_last"), "About")["Runs"] == "body"
    assert facts(details(context, "node", "inner", "body"), "About")["Graph"] == "body"


def test_details_of_other_things() -> None:
    context = by_hand()
    module = details(context, "module", "enc")
    assert facts(module, "Settings") == {"layers": "[1, 2]"}
    assert facts(module, "Contains") == {"fc": "Linear"}
    assert details(context, "module", "").title == "Net"
    value = details(context, "value", "h")
    assert (facts(value, "Made by"), facts(value, "Used by")) == ({"MatMul": "fc/mm"}, {"Relu": "act"})
    assert facts(details(context, "input", "x"), "Used by") == {"MatMul": "fc/mm"}
    assert facts(details(context, "output", "z"), "Made by") == {"If": "relu_last"}
    tensor = details(context, "tensor", "w")
    assert facts(tensor, "Used by") == {"MatMul": "fc/mm"}
    assert facts(tensor, "About")["Stored in"] == "data/w"
    assert details(context, "row", "enc.fc", "main").title == "Linear"
    assert details(context, "row", "act", "main").title == "Relu"


@pytest.mark.parametrize("kind", ["node", "module", "row", "value", "tensor", "input", "output"])
def test_what_is_not_there_is_said(kind: Kind) -> None:
    with pytest.raises(InspectorError, match=f"There is no {kind} 'no.such'"):
        details(by_hand(), kind, "no.such")


def test_a_file_with_weights_only_has_details_of_rows() -> None:
    model = Model("toy", tensors={"enc.w": Tensor("enc.w", "float32", (2,), Place(), Role.WEIGHT)})
    fmt = Format("toy", "Toy", (".toy",), lambda _: Support.NO, lambda _: model, lambda *_: np.zeros(2, np.float32))
    context = Context(state={KEY: Document(Source(Path(__file__)), fmt, model, 0.0)})
    assert facts(details(context, "row", "enc"), "Weights") == {"enc.w": "float32 2"}
    with pytest.raises(InspectorError, match="It has no graph"):
        details(context, "node", "x")


# Tensors


def look(name: str, **more: Any) -> TensorView:
    return ask(TENSOR, TensorArgs(name, **more), by_hand())


def test_statistics() -> None:
    view = look("w")
    assert view.statistics == {
        "min": 0.0, "max": 11.0, "mean": 5.5, "std": pytest.approx(np.std(ARRAYS["w"])), "sparsity": 1 / 12,
        "nan": 0, "inf": 0, "distinct": 12,
    }  # fmt: skip
    assert (len(view.histogram.edges), sum(view.histogram.counts)) == (65, 12)
    odd = look("odd")
    assert (odd.statistics["min"], odd.statistics["max"], odd.statistics["nan"], odd.statistics["inf"]) == (-2, 0, 1, 2)
    assert odd.statistics["sparsity"] == 2 / 6
    assert odd.values == ("0", "nan", "inf", "-inf", "-2", "0")


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("scalar", ("7",)),
        ("large", ("9223372036854775807", "-9223372036854775808")),
        ("brain", ("1.5", "-2", "0")),
        ("tiny", ("-8", "7", "0")),
        ("eight", ("0.5", "448")),
        ("flags", ("true", "false", "true")),
        ("complex", ("3+4i", "0+0i")),
        ("words", ("a", "long", "ünï")),
        ("empty", ()),
        ("all nan", ("nan", "nan", "nan")),
    ],
)
def test_values_of_every_kind(name: str, values: tuple[str, ...]) -> None:
    view = look(name)
    assert view.values == values
    assert view.total == ARRAYS[name].size
    finite = name not in {"words", "empty", "all nan"}
    assert (view.statistics.get("mean") is not None) == finite


def test_a_spread_that_has_no_histogram() -> None:
    view = look("wide")
    assert view.histogram.counts == ()
    assert view.statistics["std"] == float("inf") or view.statistics["std"] == pytest.approx(1.7e308)


def test_the_page_of_values_and_one_reading() -> None:
    fetched: list[str] = []
    context = by_hand(fetched=fetched)
    assert fetched == []
    assert ask(TENSOR, TensorArgs("w", start=5, count=3), context).values == ("5", "6", "7")
    assert ask(TENSOR, TensorArgs("w", start=99), context).values == ()
    assert ask(TENSOR, TensorArgs("w", start=-4, count=1), context).values == ("0",)
    ask(TENSOR_BYTES, TensorBytesArgs("w"), context)
    assert fetched == ["w"]
    ask(TENSOR, TensorArgs("odd"), context)
    assert fetched == ["w", "odd"]


def test_a_name_that_had_to_be_changed_to_be_shown_still_leads_to_its_tensor() -> None:
    assert look("badname").values == ("1", "1")
    assert look("bad\u202ename").name == "badname"


@pytest.mark.parametrize("error", [ValueError("x" * 2000), KeyError("k"), OSError("gone"), EOFError()])
def test_bytes_that_cannot_be_read(error: Exception) -> None:
    def broken(source: Source, tensor: Tensor) -> NDArray[Any]:
        raise error

    with pytest.raises(InspectorError, match="The values of 'w' cannot be read") as caught:
        ask(TENSOR, TensorArgs("w"), by_hand(fetch=broken))
    assert len(caught.value.what) < 700


@pytest.mark.parametrize("name", ARRAYS)
@pytest.mark.parametrize("size", [3, 1 << 30])
def test_pieces_make_a_npy_file_with_the_same_values(name: str, size: int) -> None:
    context, out, offset = by_hand(), BytesIO(), 0
    while True:
        piece = ask(TENSOR_BYTES, TensorBytesArgs(name, offset, size), context)
        assert bool(piece.header) == (offset == 0)
        out.write(piece.header + piece.data)
        offset += len(piece.data)
        if offset >= piece.total:
            break
    out.seek(0)
    loaded, array = np.load(out, allow_pickle=False), ARRAYS[name]
    assert loaded.shape == array.shape
    same = loaded.tolist() == array.astype(loaded.dtype).tolist()
    assert same or np.array_equal(loaded, array.astype(loaded.dtype), equal_nan=True)


# Search and texts


def test_search_ranks_names_before_types_before_modules() -> None:
    context = by_hand()
    hits = ask(SEARCH, SearchArgs("relu"), context)
    assert [(hit.key, hit.graph) for hit in hits.hits] == [
        ("n:relu_last", "main"),
        ("n:act", "main"),
        ("n:inner", "body"),
    ]
    assert hits.total == 3
    found = ask(SEARCH, SearchArgs("FC"), context).hits
    assert [hit.key for hit in found] == ["m:enc.fc", "n:fc/mm"]
    assert found[1].open == ("m:enc", "m:enc.fc")
    assert found[0].open == ("m:enc",)
    assert [hit.key for hit in ask(SEARCH, SearchArgs("matmul enc"), context).hits] == ["n:fc/mm"]
    assert ask(SEARCH, SearchArgs("inner", graph="main"), context).total == 0
    assert len(ask(SEARCH, SearchArgs("e", limit=1), context).hits) == 1
    assert ask(SEARCH, SearchArgs("  "), context).total == 0
    assert ask(SEARCH, SearchArgs("x"), context).hits[0].key == "i:x"


def test_texts() -> None:
    text = ask(TEXT, TextArgs("code.py"), by_hand())
    assert (text.name, text.text) == ("code.py", "def f():\n\treturn 1")
    with pytest.raises(InspectorError, match="There is no text 'other'"):
        ask(TEXT, TextArgs("other"), by_hand())
