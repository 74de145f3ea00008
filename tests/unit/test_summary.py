"""Rows, totals and the module tree of hand-built models."""

from __future__ import annotations

from time import process_time

import pytest

from inspector.engines.summary.overview import overview
from inspector.engines.summary.rows import Row
from inspector.engines.summary.summary import LAYERS, OPERATORS, Summary
from inspector.ir import Graph, Model, Module, Node, Note, Place, Role, Shape, Tensor, Value


class Builder:
    """Builds a model node by node, each taking what the last one gave unless it says otherwise."""

    def __init__(self, shape: Shape = ("batch", 1, 28, 28), **more: object) -> None:
        self.values = {"x": Value("x", "float32", shape)}
        self.nodes: list[Node] = []
        self.tensors: dict[str, Tensor] = {}
        self.modules: list[Module] = []
        self.last = "x"
        self.more = more

    def tensor(self, name: str, shape: tuple[int, ...], **more: object) -> str:
        more.setdefault("place", Place())
        self.tensors[name] = Tensor(name, str(more.pop("dtype", "float32")), shape, **more)  # type: ignore[arg-type]
        return name

    def module(self, path: str, kind: str) -> None:
        self.modules.append(Module(path, kind))

    def node(
        self, op: str, shape: Shape | None, *weights: str, inputs: tuple[str, ...] | None = None, **more: str
    ) -> str:
        name = f"n{len(self.nodes)}"
        taken = (self.last,) if inputs is None else inputs
        self.nodes.append(Node(name, op, (*taken, *weights), (f"{name}.out",), **more))  # type: ignore[arg-type]
        if shape is not None:
            self.values[f"{name}.out"] = Value(f"{name}.out", "float32", shape)
        self.last = f"{name}.out"
        return self.last

    def linear(self, path: str, size: int, out: int) -> None:
        weight, bias = self.tensor(f"{path}.weight", (out, size)), self.tensor(f"{path}.bias", (out,))
        self.node("aten.linear.default", ("batch", out), weight, bias, module=path)

    def model(self) -> Model:
        outputs = (self.values.get(self.last) or Value(self.last),)
        graph = Graph("main", (self.values["x"],), outputs, tuple(self.nodes), self.values)
        return Model(
            "torch.export", graphs=(graph,), tensors=self.tensors, modules=tuple(self.modules), **self.more  # type: ignore[arg-type]
        )  # fmt: skip


def simple_nn() -> Model:
    built = Builder()
    for path, kind in (("", "SimpleNN"), ("flatten", "torch.nn.modules.flatten.Flatten"), ("stack", "Sequential")):
        built.module(path, kind)
    for number, kind in enumerate(("Linear", "ReLU", "Linear", "ReLU", "Linear")):
        built.module(f"stack.{number}", kind)
    built.node("aten.view.default", ("batch", 784), module="flatten")
    built.linear("stack.0", 784, 512)
    built.node("aten.relu.default", ("batch", 512), module="stack.1")
    built.linear("stack.2", 512, 512)
    built.node("aten.relu.default", ("batch", 512), module="stack.3")
    built.linear("stack.4", 512, 10)
    return built.model()


def check_sums(model: Model, dims: dict[str, int] | None = None) -> Summary:
    """Totals are the sums of the rows of either grouping and of the module tree."""
    summary = Summary(model, dims)
    for grouping, depth in ((LAYERS, -1), (OPERATORS, -1), (LAYERS, 0), (LAYERS, 1), (LAYERS, 2)):
        rows = summary.rows(grouping, depth)
        assert [row.index for row in rows] == list(range(len(rows)))
        for figure in (
            "parameters",
            "trainable",
            "parameter_bytes",
            "macs",
            "flops",
            "activation_bytes",
            "moved_bytes",
        ):
            assert sum(getattr(row, figure) or 0 for row in rows if row.runs or "param" in figure) == getattr(
                summary.totals, figure
            ), (grouping, figure)
    assert summary.totals.layers == len(summary.rows())
    if summary.modules:
        assert summary.modules[0].parameters == summary.totals.parameters
        assert (summary.modules[0].macs or 0) == summary.totals.macs
        assert (summary.modules[0].flops or 0) == summary.totals.flops
        assert summary.modules[0].layers == summary.totals.layers
    return summary


def names(rows: tuple[Row, ...]) -> list[str]:
    return [row.name for row in rows]


def test_simple_nn() -> None:
    summary = check_sums(simple_nn())
    totals = summary.totals
    assert (totals.layers, totals.nodes, totals.parameters, totals.trainable) == (6, 6, 669_706, 669_706)
    assert totals.macs == 784 * 512 + 512 * 512 + 512 * 10
    assert totals.parameter_bytes == 4 * 669_706
    assert totals.activation_bytes == 4 * (784 + 4 * 512 + 10)
    assert totals.flops == 2 * totals.macs + 2 * 512
    assert totals.moved_bytes == 4 * (784 + 512 + 2 * 1024 + 1024 + 512 + 10 + 669_706)
    assert totals.peak_bytes == 4 * (784 + 512)
    assert totals.complete
    rows = summary.rows()
    assert [row.live_bytes for row in rows[:3]] == [4 * 784, 4 * (784 + 512), 4 * 1024]
    assert rows[2].intensity == 2 * 512 / 4096 / 2
    assert [row.type for row in rows] == ["Flatten", "Linear", "ReLU", "Linear", "ReLU", "Linear"]
    assert names(rows) == ["flatten", "stack.0", "stack.1", "stack.2", "stack.3", "stack.4"]
    assert rows[1].weights == ("stack.0.weight", "stack.0.bias")
    assert rows[1].inputs[0].shape == ("batch", 784)
    assert [row.category for row in rows[:3]] == ["shape", "linear", "activation"]
    assert [row.path for row in summary.modules] == ["", "flatten", "stack", *(f"stack.{n}" for n in range(5))]


def test_sizes_scale_what_depends_on_them() -> None:
    one, four = check_sums(simple_nn()).totals, check_sums(simple_nn(), {"batch": 4}).totals
    assert four.macs == 4 * one.macs
    assert four.activation_bytes == 4 * one.activation_bytes
    assert four.parameters == one.parameters
    assert check_sums(simple_nn(), {"batch": 4}).rows()[1].outputs[0].shape == (4, 512)


def test_depth_merges_modules() -> None:
    summary = check_sums(simple_nn())
    assert [(row.name, row.type, row.parameters) for row in summary.rows(depth=1)] == [
        ("flatten", "Flatten", 0),
        ("stack", "Sequential", 669_706),
    ]
    assert [(row.name, row.type) for row in summary.rows(depth=0)] == [("(model)", "SimpleNN")]
    assert summary.rows(depth=1)[1].nodes == ("n1", "n2", "n3", "n4", "n5")


def test_a_module_called_again_is_a_row_of_its_own_and_its_weights_count_once() -> None:
    built = Builder(("batch", 8))
    built.module("act", "ReLU")
    built.linear("fc", 8, 8)
    built.node("aten.relu.default", ("batch", 8), module="act")
    again = ("fc.weight", "fc.bias")
    built.node("aten.linear.default", ("batch", 8), *again, module="fc")
    built.node("aten.relu.default", ("batch", 8), module="act")
    built.node("aten.linear.default", ("batch", 8), *again, module="fc")
    built.node("aten.linear.default", ("batch", 8), *again, module="fc")
    rows = check_sums(built.model()).rows()
    assert names(rows) == ["fc", "act", "fc (2)", "act (2)", "fc (3)", "fc (4)"]
    assert [row.parameters for row in rows] == [72, 0, 0, 0, 0, 0]
    assert [row.macs for row in rows] == [64, 0, 64, 0, 64, 64]
    assert rows[2].weights == again


def test_a_leaf_of_many_operators_is_one_row() -> None:
    built = Builder(("batch", 5, 8))
    built.module("attn", "SelfAttention")
    for part in "qkv":
        weight = built.tensor(f"attn.{part}.w", (8, 8))
        built.node("aten.linear.default", ("batch", 5, 8), weight, inputs=("x",), module="attn")
    built.node(
        "aten.scaled_dot_product_attention.default",
        ("batch", 5, 8),
        inputs=("n0.out", "n1.out", "n2.out"),
        module="attn",
    )
    built.node("aten.relu.default", ("batch", 5, 8))
    rows = check_sums(built.model()).rows()
    assert names(rows) == ["attn", "n4"]
    assert rows[0].nodes == ("n0", "n1", "n2", "n3")
    assert rows[0].macs == 3 * 5 * 64 + 5 * 5 * 16
    assert [port.name for port in rows[0].inputs] == ["x"]
    assert [port.name for port in rows[0].outputs] == ["n3.out"]


def test_cross_attention_is_put_together_by_what_follows() -> None:
    built = Builder(("batch", 5, 8))
    built.module("attn", "MultiheadAttention")
    other = built.node("aten.relu.default", ("batch", 7, 8), inputs=("x",))
    for part, source in (("q", "x"), ("k", other)):
        weight = built.tensor(f"attn.{part}.w", (8, 8))
        built.node("aten.linear.default", ("batch", 5, 8), weight, inputs=(source,), module="attn")
    built.node("aten.matmul.default", ("batch", 5, 5), inputs=("n1.out", "n2.out"), module="attn")
    assert names(check_sums(built.model()).rows()) == ["n0", "attn"]


def test_a_fused_convolution_is_not_called_a_normalisation() -> None:
    built = Builder(("batch", 3, 8, 8))
    built.module("norm", "BatchNorm2d")
    built.node("Conv", ("batch", 4, 6, 6), built.tensor("w", (4, 3, 3, 3)), module="norm")
    (row,) = check_sums(built.model()).rows()
    assert (row.name, row.type, row.category, row.macs) == ("norm", "Conv", "convolution", 36 * 4 * 27)


def test_what_counts_as_a_parameter() -> None:
    built = Builder(("batch", 4))
    spec = {
        "w": {"shape": (4, 4)},
        "frozen": {"shape": (4,), "trainable": False},
        "mean": {"shape": (4,), "role": Role.BUFFER},
        "counter": {"shape": (), "role": Role.BUFFER, "dtype": "int64"},
        "quantized": {"shape": (6,), "dtype": "int8"},
        "shape": {"shape": (2,), "role": Role.CONSTANT, "dtype": "int64"},
        "momentum": {"shape": (4, 4), "role": Role.OPTIMIZER},
    }
    for name, more in spec.items():
        built.tensor(name, more.pop("shape"), **more)  # type: ignore[arg-type]
    built.node("Strange", ("batch", 4), *spec)
    totals = check_sums(built.model()).totals
    assert totals.parameters == 16 + 4 + 4 + 6
    assert totals.trainable == 16 + 6
    assert totals.parameter_bytes == 4 * 24 + 6


def test_a_distinct_tensor_counts_once() -> None:
    built = Builder(("batch", 4))
    built.tensor("a", (4, 4), place=Place(member="data/0", size=64))
    built.tensor("b", (4, 4), place=Place(member="data/0", size=64))
    built.tensor("c", (4, 4), place=Place(member="data/1", size=64))
    built.tensor("d", (4, 4), same_as="c")
    built.tensor("e", (4, 4), same_as="d")
    built.tensor("loop", (4, 4), same_as="loop")
    built.tensor("half", (2, 4), place=Place(member="data/0", offset=32, size=32))
    for name in built.tensors:
        built.node("MatMul", ("batch", 4), name)
    assert check_sums(built.model()).totals.parameters == 16 + 16 + 16 + 8


def test_a_weight_that_is_transposed_first_belongs_to_who_multiplies_with_it() -> None:
    built = Builder(("batch", 4))
    built.tensor("w", (6, 4))
    built.values["wt"] = Value("wt", "float32", (4, 6))
    built.nodes.append(Node("turn", "Transpose", ("w",), ("wt",)))
    built.nodes.append(Node("fixed", "Constant", (), ("c",)))
    built.node("MatMul", ("batch", 6), inputs=("x", "wt"))
    built.node("Add", ("batch", 6), "c")
    summary = check_sums(built.model())
    layers, operators = summary.rows(), summary.rows(OPERATORS)
    assert names(layers) == ["n2", "n3"]
    assert layers[0].nodes == ("turn", "n2")
    assert layers[0].inputs[0].name == "x"
    assert len(layers[0].inputs) == 1
    assert (layers[0].parameters, layers[0].macs) == (24, 24)
    assert [(row.name, row.parameters) for row in operators] == [("turn", 0), ("fixed", 0), ("n2", 24), ("n3", 0)]
    assert summary.totals.activation_bytes == 2 * 6 * 4


def test_tensors_that_no_node_uses_still_count() -> None:
    built = Builder(("batch", 4))
    built.linear("fc", 4, 4)
    built.tensor("fc.scale", (3,), role=Role.BUFFER)
    built.tensor("head.weight", (5, 4))
    summary = check_sums(built.model())
    assert [(row.name, row.parameters, row.macs) for row in summary.rows()] == [("fc", 23, 16), ("head", 20, 0)]


def test_a_file_with_weights_only() -> None:
    tensors = {
        name: Tensor(name, "float32", shape, Place())
        for name, shape in {"enc.0.weight": (4, 4), "enc.0.bias": (4,), "enc.1.weight": (2, 4), "scale": (1,)}.items()
    }
    summary = check_sums(Model("torch.state_dict", tensors=tensors))
    rows = summary.rows()
    assert [(row.name, row.parameters, row.macs) for row in rows] == [
        ("enc.0", 20, None), ("enc.1", 8, None), ("scale", 1, None)
    ]  # fmt: skip
    assert not summary.totals.complete
    assert [(row.path, row.parameters, row.macs) for row in summary.modules] == [
        ("", 29, None), ("enc", 28, None), ("enc.0", 20, None), ("enc.1", 8, None)
    ]  # fmt: skip


def test_unknown_shapes_are_said() -> None:
    built = Builder(("batch", 4))
    built.linear("fc", 4, 4)
    built.node("MatMul", None, inputs=(built.last, "nowhere"))
    summary = check_sums(built.model())
    assert [row.macs for row in summary.rows()] == [16, None]
    assert summary.rows()[1].activation_bytes is None
    assert not summary.totals.complete


def test_what_nothing_takes_and_plain_numbers_are_not_missed() -> None:
    built = Builder(("batch", 4))
    built.values["size"] = Value("size", "", ())
    built.nodes.append(Node("count", "aten::Int", ("x",), ("size",)))
    built.nodes.append(Node("drop", "Dropout", ("x", "size"), ("kept", "mask")))
    built.values["kept"] = Value("kept", "float32", ("batch", 4))
    built.last = "kept"
    totals = check_sums(built.model()).totals
    assert (totals.activation_bytes, totals.complete) == (16, True)


def test_subgraphs_that_are_run_count_and_others_do_not() -> None:
    weights = {name: Tensor(name, "float32", (4, 4), Place()) for name in ("w", "v", "u")}
    values = {name: Value(name, "float32", (2, 4)) for name in ("x", "y", "z")}
    inner = Graph(
        "branch", nodes=(Node("mm", "MatMul", ("x", "v"), ("z",)),), outputs=(values["z"],), values={"z": values["z"]}
    )
    dead = Graph("dead", nodes=(Node("mm", "MatMul", ("x", "u"), ("z",)),), values=values)
    main = Graph(
        "main",
        (values["x"],),
        (values["y"],),
        (Node("choice", "If", ("x",), ("y",), graphs=("branch",)),),
        {name: values[name] for name in "xy"},
    )
    summary = check_sums(Model("onnx", graphs=(main, inner, dead), tensors=weights))
    assert [(row.graph, row.name, row.macs, row.parameters) for row in summary.rows()] == [
        ("main", "choice", 0, 0),
        ("branch", "mm", 32, 16),
        ("", "w", 0, 16),
        ("", "u", 0, 16),
    ]
    assert summary.totals.nodes == 2


def test_overview() -> None:
    model = simple_nn()
    seen = overview(Summary(model), file="m.pt2", size=10, title="PyTorch", seconds=0.5)
    assert seen.dims == ("batch",)
    assert seen.totals.parameters == 669_706
    assert [port.shape for port in seen.signatures[0].inputs] == [("batch", 1, 28, 28)]
    assert [note.text for note in seen.notes] == ["Multiply-adds and memory are those of batch = 1."]
    fixed = overview(Summary(model, {"batch": 2}), file="m.pt2", size=10, title="PyTorch")
    assert fixed.notes == ()
    assert fixed.signatures[0].outputs[0].shape == (2, 10)


def test_open_sizes_beside_the_batch_make_totals_incomplete() -> None:
    built = Builder((None, "time", 4), notes=(Note("warning", "old\0 file", "care"),))
    built.node("Relu", (None, "time", 4))
    model = built.model()
    seen = overview(Summary(model), file="m", size=1, title="t")
    assert seen.dims == ("batch", "time")
    assert not seen.totals.complete
    assert [note.text for note in seen.notes] == [
        "old file",
        "Multiply-adds and memory are those of batch = 1.",
        "Sizes that are not known count as 1: time.",
    ]
    assert overview(Summary(model, {"time": 3}), file="m", size=1, title="t").totals.complete


def test_names_of_a_hostile_file_are_inert_and_figures_can_travel() -> None:
    built = Builder((2**62, 2**62))
    built.module("a\u202eb", "Lin\0ear")
    built.node("Gemm", (2**62, 2**62), built.tensor("w\x1b", (2**62, 2**62)), module="a\u202eb")
    built.node("Relu", (2**62,), module="." * 500)
    summary = Summary(built.model())
    row = summary.rows()[0]
    assert (row.name, row.type, row.weights) == ("ab", "Linear", ("w",))
    assert row.macs == row.parameters == summary.totals.macs == 2**63 - 1


@pytest.mark.parametrize("kind", ["chain", "modules", "one module", "constants", "deep paths"])
def test_large_models_take_time_in_proportion(kind: str) -> None:
    count = 100_000
    values = {"x": Value("x", "float32", ("batch", 8))}
    tensors: dict[str, Tensor] = {}
    nodes = []
    last = "x"
    for number in range(count):
        out = f"v{number}"
        module = {
            "modules": f"block.{number // 10}.layer.{number % 10}",
            "one module": "block",
            "deep paths": ".".join("abcdefgh") + f".{number}",
        }.get(kind, "")
        inputs: tuple[str, ...] = () if kind == "constants" and number % 2 else (last,)
        if number % 4 == 0:
            tensors[f"w{number}"] = Tensor(f"w{number}", "float32", (8, 8), Place(offset=number * 256, size=256))
            inputs = (*inputs, f"w{number}")
        op = "Constant" if not inputs else "MatMul" if number % 4 == 0 else "Relu"
        nodes.append(Node(f"n{number}", op, inputs, (out,), module=module))
        values[out] = Value(out, "float32", ("batch", 8))
        last = out if inputs else last
    model = Model("onnx", graphs=(Graph("g", (values["x"],), (values[last],), tuple(nodes), values),), tensors=tensors)
    start = process_time()
    summary = Summary(model)
    assert summary.totals.nodes == count
    assert summary.totals.macs == count // 4 * 64
    assert summary.modules or kind in {"chain", "constants"}
    seconds = process_time() - start
    print(f"{kind}: {seconds:.2f} s")
    assert seconds < 60, "rows of 100,000 nodes take 2 s on an idle machine; in square time they would take hours"
