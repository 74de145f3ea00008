"""The ONNX reader against onnx itself, on the samples, on the models of onnx's wheel and on models made here."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx_models import ONNX, external, read, save, values

from inspector.engines.summary.parameters import is_parameter, parameters_in
from inspector.engines.summary.summary import Summary
from inspector.errors import FormatError
from inspector.formats import Source
from inspector.ir import Role
from inspector.jobs.terminal import ask_document
from inspector.worker.tasks.open import OpenArgs
from inspector.worker.tasks.rows import TASK as ROWS
from inspector.worker.tasks.rows import RowsArgs


def test_the_sample_reads_as_torch_wrote_it(samples: Path) -> None:
    model = read(samples / "digits_mlp.onnx")
    weights = [tensor for tensor in model.tensors.values() if tensor.role is Role.WEIGHT]
    assert sum(tensor.count for tensor in weights) == 669_706
    (signature,) = model.signatures
    assert [(v.name, v.dtype, v.shape) for v in signature.inputs] == [("input", "float32", ("batch", 1, 28, 28))]
    assert [(v.name, v.dtype, v.shape) for v in signature.outputs] == [("output", "float32", ("batch", 10))]
    assert model.producer.startswith("pytorch")
    assert model.main is not None
    last = model.main.nodes[-1]
    assert (last.op, last.module) == ("Gemm", "linear_relu_stack.4")
    assert last.source.partition(":")[0].endswith(".py")
    assert {m.path: m.type for m in model.modules}["linear_relu_stack.4"] == "Linear"
    assert all(model.main.values[name].shape is not None for node in model.main.nodes for name in node.outputs)


def test_every_model_of_the_onnx_wheel_opens_with_its_own_tensors() -> None:
    import onnx

    files = sorted((Path(onnx.__file__).parent / "backend" / "test" / "data").rglob("*.onnx"))
    assert len(files) > 100
    for file in files:
        model, proto = read(file), onnx.load(file)
        assert not model.notes, file
        assert model.main is not None
        constants = sum(node.op_type == "Constant" for node in proto.graph.node)
        assert len(model.main.nodes) == len(proto.graph.node) - constants, file
        own = [t for t in model.tensors.values() if t.place.member.startswith("graph.initializer")]
        assert len(own) == len(proto.graph.initializer), file
        for tensor, stored in zip(own, proto.graph.initializer, strict=True):
            want = onnx.numpy_helper.to_array(stored)
            got = ONNX.fetch(Source(file), tensor)
            assert (tensor.name, got.shape) == (stored.name, want.shape)
            if tensor.dtype != "string":
                assert got.dtype.name == tensor.dtype
                assert got.tobytes() == want.tobytes(), file


@pytest.mark.parametrize(
    "dtype", ["float32", "float64", "float16", "bfloat16", "float8_e4m3fn", "int8", "uint8", "int32", "int64", "uint64",
              "bool", "complex64", "int4", "uint4"],
)  # fmt: skip
@pytest.mark.parametrize("raw", [True, False])
@pytest.mark.parametrize("size", [3, 5000])
def test_values_of_every_dtype_and_field(tmp_path: Path, dtype: str, raw: bool, size: int) -> None:
    from onnx import helper, numpy_helper

    from inspector.formats._tensors import numpy_dtype

    array = np.arange(size).astype("float32").astype(numpy_dtype(dtype)) % 2 if dtype == "bool" else (
        (np.arange(size) % 7).astype("float32").astype(numpy_dtype(dtype))
    )  # fmt: skip
    array = array.astype(numpy_dtype(dtype))
    if raw:
        tensor = numpy_helper.from_array(array, "w")
    else:
        kind = helper.np_dtype_to_tensor_dtype(array.dtype)
        tensor = helper.make_tensor("w", kind, array.shape, array)
    path = save(tmp_path / "m.onnx", [helper.make_node("Identity", ["x"], ["y"])], initializer=[tensor])
    model = read(path)
    assert (model.tensors["w"].dtype, model.tensors["w"].shape) == (dtype, (size,))
    got = values(path, model, "w")
    assert got.dtype.name == dtype
    assert np.array_equal(got.astype("complex64"), array.astype("complex64"))


def test_constant_nodes_are_tensors(tmp_path: Path) -> None:
    from onnx import helper, numpy_helper

    big = np.arange(2000, dtype=np.float32)
    nodes = [
        helper.make_node("Constant", [], ["big"], value=numpy_helper.from_array(big)),
        helper.make_node("Constant", [], ["one"], value_float=2.5),
        helper.make_node("Constant", [], ["axes"], value_ints=[0, 1]),
        helper.make_node("Constant", [], ["words"], value_strings=[b"a", b"\xffb"]),
        helper.make_node("Mul", ["big", "one"], ["y"]),
        helper.make_node("Unsqueeze", ["x", "axes"], ["z"]),
    ]
    path = save(tmp_path / "m.onnx", nodes, outputs="y z")
    model = read(path)
    assert model.main is not None
    assert [node.op for node in model.main.nodes] == ["Mul", "Unsqueeze"]
    assert {name: (t.dtype, t.shape, t.role) for name, t in model.tensors.items()} == {
        "big": ("float32", (2000,), Role.WEIGHT),
        "one": ("float32", (), Role.CONSTANT),
        "axes": ("int64", (2,), Role.CONSTANT),
        "words": ("string", (2,), Role.CONSTANT),
    }
    assert np.array_equal(values(path, model, "big"), big)
    assert values(path, model, "one") == 2.5
    assert values(path, model, "axes").tolist() == [0, 1]
    assert values(path, model, "words").tolist() == ["a", "\\xffb"]
    assert model.main.values["z"].shape == (1, 1, 2, 3)


def test_sparse_tensors_are_made_dense_when_asked_for(tmp_path: Path) -> None:
    from onnx import helper, numpy_helper

    sparse = helper.make_sparse_tensor(
        numpy_helper.from_array(np.array([5, 6], np.float32), "s"), numpy_helper.from_array(np.array([1, 3])), [2, 3]
    )
    nodes = [helper.make_node("Relu", ["s"], ["z"]), helper.make_node("Add", ["x", "z"], ["y"])]
    path = save(tmp_path / "m.onnx", nodes, sparse_initializer=[sparse])
    model = read(path)
    assert model.main is not None
    assert model.main.values["z"].shape == (2, 3)
    assert model.tensors["s"].shape == (2, 3)
    assert values(path, model, "s").tolist() == [[0, 5, 0], [6, 0, 0]]


def test_roles_tell_weights_from_settings(tmp_path: Path) -> None:
    from onnx import helper, numpy_helper

    def tensor(name: str, array: Any) -> Any:
        return numpy_helper.from_array(np.asarray(array), name)

    ones = np.ones(3, np.float32)
    stored = [tensor(name, ones) for name in ("scale", "shift", "mean", "var", "weight")]
    stored += [tensor("shape", [3, 2]), tensor("factor", np.float32(2)), tensor("index", [0])]
    stored += [tensor("packed", np.ones((3, 3), np.int8)), tensor("step", np.float32(0.1)), tensor("sizes", ones)]
    stored += [tensor("val_3", [np.float32(0.5)]), tensor("dense/bias", [np.float32(0.5)])]
    nodes = [
        helper.make_node("BatchNormalization", ["x", "scale", "shift", "mean", "var"], ["a"]),
        helper.make_node("Mul", ["a", "weight"], ["b"]),
        helper.make_node("Reshape", ["b", "shape"], ["c"]),
        helper.make_node("Mul", ["c", "factor"], ["d"]),
        helper.make_node("Gather", ["d", "index"], ["e"]),
        helper.make_node("DequantizeLinear", ["packed", "step"], ["f"]),
        helper.make_node("Mul", ["f", "val_3"], ["g"]),
        helper.make_node("Add", ["g", "dense/bias"], ["h"]),
        helper.make_node("Resize", ["h", "", "sizes"], ["y"]),
    ]
    model = read(save(tmp_path / "m.onnx", nodes, initializer=stored))
    roles = {name: tensor.role.value for name, tensor in model.tensors.items()}
    assert [name for name, role in roles.items() if role == "weight"] == [
        "scale", "shift", "weight", "packed", "dense/bias"
    ]  # fmt: skip
    assert [name for name, role in roles.items() if role == "buffer"] == ["mean", "var"]


def test_inner_graphs_see_outer_values_and_keep_their_own_tensors(tmp_path: Path) -> None:
    from onnx import TensorProto, helper, numpy_helper

    def branch(name: str, scale: float) -> Any:
        weight = helper.make_node("Constant", [], ["w"], value=numpy_helper.from_array(np.full(3, scale, np.float32)))
        nodes = [weight, helper.make_node("Mul", ["h", "w"], ["out"], name="mul")]
        return helper.make_graph(nodes, name, [], [helper.make_tensor_value_info("out", TensorProto.FLOAT, [2, 3])])

    nodes = [
        helper.make_node("Relu", ["x"], ["h"]),
        helper.make_node("If", ["c"], ["y"], name="pick", then_branch=branch("t", 1), else_branch=branch("e", 2)),
    ]
    path = save(tmp_path / "m.onnx", nodes, initializer=[numpy_helper.from_array(np.array(True), "c")])
    model = read(path)
    assert {graph.name for graph in model.graphs} == {"main", "pick/then_branch", "pick/else_branch"}
    second, first = model.graphs[1:]  # in the order of the file
    assert first.name == "pick/then_branch"
    assert first.values["h"].shape == (2, 3)
    weights = [graph.nodes[0].inputs[1] for graph in (first, second)]
    assert weights == ["pick/then_branch/w", "pick/else_branch/w"]
    assert [values(path, model, name).tolist() for name in weights] == [[1, 1, 1], [2, 2, 2]]


def test_functions_are_graphs_and_recursion_is_told(tmp_path: Path) -> None:
    from onnx import helper

    imports = [helper.make_opsetid("", 21), helper.make_opsetid("mine", 1)]
    twice = helper.make_function("mine", "Twice", ["a"], ["b"], [helper.make_node("Add", ["a", "a"], ["b"])], imports)
    loop = helper.make_function(
        "mine", "Loop", ["a"], ["b"], [helper.make_node("Loop", ["a"], ["b"], domain="mine")], imports
    )
    nodes = [
        helper.make_node("Twice", ["x"], ["h"], domain="mine"),
        helper.make_node("Loop", ["h"], ["y"], domain="mine"),
    ]
    model = read(save(tmp_path / "m.onnx", nodes, functions=[twice, loop], imports=imports))
    assert [graph.name for graph in model.graphs] == ["main", "mine:Twice", "mine:Loop"]
    assert model.graphs[0].nodes[0].graphs == ("mine:Twice",)
    assert [node.op for node in model.graphs[1].nodes] == ["Add"]
    assert any("calls itself" in note.text for note in model.notes)


def test_graphs_that_train_the_model_are_shown_and_not_counted(tmp_path: Path) -> None:
    import onnx
    from onnx import helper, numpy_helper

    path = save(tmp_path / "m.onnx", [helper.make_node("Relu", ["x"], ["y"])])
    proto = onnx.load(path)
    state = numpy_helper.from_array(np.full(2000, 3, np.float32), "momentum")
    step = helper.make_node("Mul", ["g", "momentum"], ["new"])
    ends = [helper.make_tensor_value_info(name, 1, [2000]) for name in ("g", "new")]
    proto.training_info.add().algorithm.CopyFrom(helper.make_graph([step], "step", ends[:1], ends[1:], [state]))
    onnx.save(proto, path)
    model = read(path)
    assert [graph.name for graph in model.graphs[1:]] == ["training: algorithm"]
    assert [node.op for node in model.graphs[1].nodes] == ["Mul"]
    (tensor,) = model.tensors.values()
    assert (tensor.role, tensor.count) == (Role.OPTIMIZER, 2000)
    assert values(path, model, tensor.name).tolist() == [3] * 2000
    assert "The file also holds graphs that train the model." in [note.text for note in model.notes]


def test_external_data_is_read_from_its_place(tmp_path: Path) -> None:
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    (tmp_path / "m.data").write_bytes(bytes(64) + array.tobytes())
    path = external(tmp_path, "m.data", offset=64, length=24)
    model = read(path)
    assert model.notes == ()
    assert (model.tensors["w"].place.file, model.tensors["w"].place.offset) == ("m.data", 64)
    assert np.array_equal(values(path, model, "w"), array)


def test_a_model_in_a_hugging_face_cache_opens_through_its_links(tmp_path: Path) -> None:
    blobs, snapshot = tmp_path / "blobs", tmp_path / "snapshots" / "abc"
    blobs.mkdir()
    snapshot.mkdir(parents=True)
    external(blobs, "m.data", length=24).rename(blobs / "111")
    (blobs / "222").write_bytes(np.ones(6, np.float32).tobytes())
    (snapshot / "m.onnx").symlink_to("../../blobs/111")
    (snapshot / "m.data").symlink_to("../../blobs/222")
    model = read(snapshot / "m.onnx")
    assert model.notes == ()
    assert values(snapshot / "m.onnx", model, "w").sum() == 6


def test_opening_reads_no_weight(tmp_path: Path) -> None:
    from onnx import helper, numpy_helper

    weight = numpy_helper.from_array(np.ones((4096, 4096), np.float32), "w")
    path = save(
        tmp_path / "m.onnx", [helper.make_node("MatMul", ["x", "w"], ["y"])], initializer=[weight], shape=[1, 4096]
    )
    tracemalloc.start()
    model = ONNX.read(Source(path))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 << 20
    assert model.main is not None
    assert model.main.values["y"].shape == (1, 4096)
    assert model.tensors["w"].place.size == 64 << 20
    assert values(path, model, "w").sum() == 4096 * 4096


def test_module_paths_come_from_node_names_where_nothing_better_is_there(tmp_path: Path) -> None:
    from onnx import helper

    names = ["/stack/stack.0/Gemm", "/encoder/layer.1/attention/self/MatMul", "/layer1/layer1.0/conv1/Conv", "plain"]
    nodes = [helper.make_node("Relu", ["x"], [f"y{i}"], name=name) for i, name in enumerate(names)]
    model = read(save(tmp_path / "m.onnx", nodes, outputs="y0"))
    assert model.main is not None
    modules = [node.module for node in model.main.nodes]
    assert modules == ["stack.0", "encoder.layer.1.attention.self", "layer1.0.conv1", ""]
    paths = [module.path for module in model.modules]
    assert paths[:3] == ["", "stack", "stack.0"]
    assert "encoder.layer" in paths


def test_sizes_that_the_user_fixes_tell_the_shapes_behind_them(tmp_path: Path) -> None:
    from onnx import helper, numpy_helper

    kernel = numpy_helper.from_array(np.ones((4, 3, 3, 3), np.float32), "k")
    nodes = [
        helper.make_node("Conv", ["x", "k"], ["h"], strides=[2, 2]),
        helper.make_node("MaxPool", ["h"], ["y"], kernel_shape=[2, 2]),
    ]
    path = save(tmp_path / "m.onnx", nodes, initializer=[kernel], shape=[None, 3, "height", 64])
    model = read(path)
    assert model.main is not None
    height = model.main.values["y"].shape[2]  # type: ignore[index]
    assert not isinstance(height, int)
    assert ONNX.resize is not None
    fixed = ONNX.resize(Source(path), {"batch": 2, "height": 33})
    assert fixed.main is not None
    assert fixed.main.values["h"].shape == (2, 4, 16, 31)
    assert fixed.signatures[0].outputs[0].shape == (2, 4, 15, 30)
    with pytest.raises(FormatError, match="cannot be"):
        ONNX.resize(Source(path), {"batch": -1})


def test_operators_are_documented() -> None:
    text = ONNX.document("Conv", "")
    assert text.startswith("Conv, since version")
    assert "Inputs\nX (T):" in text
    assert "dilations:" in text
    assert ONNX.document("NoSuchOperator", "") == ""
    assert ONNX.document("TreeEnsemble", "ai.onnx.ml").startswith("TreeEnsemble")


@pytest.mark.parametrize("stored", ["inline", "raw", "constant"])
@pytest.mark.parametrize("begin", [0.0, 0.5])
def test_a_recurrent_layer_that_begins_with_zeros_did_not_learn_them(tmp_path: Path, stored: str, begin: float) -> None:
    from onnx import helper, numpy_helper

    size = 400 if stored == "raw" else 4
    state = numpy_helper.from_array(np.full((1, 1, size), begin, np.float32), "h0")
    weights = {"w": (1, 4 * size, 3), "r": (1, 4 * size, size), "c0": (1, 1, size)}
    initializers = [numpy_helper.from_array(np.zeros(shape, np.float32), name) for name, shape in weights.items()]
    nodes = [helper.make_node("LSTM", ["x", "w", "r", "", "", "h0", "c0"], ["y"], hidden_size=size)]
    if stored == "constant":
        nodes.insert(0, helper.make_node("Constant", [], ["h0"], value=state))
    else:
        initializers.append(state)
    model = read(save(tmp_path / "m.onnx", nodes, initializer=initializers))
    assert model.tensors["h0"].role is (Role.WEIGHT if begin else Role.CONSTANT)
    assert model.tensors["c0"].role is Role.CONSTANT
    assert {model.tensors[name].role for name in "wr"} == {Role.WEIGHT}


@pytest.mark.parametrize("stored", ["inline", "external"])
def test_a_mask_is_no_parameter_and_a_learned_table_of_its_shape_is(tmp_path: Path, stored: str) -> None:
    import onnx
    from onnx import helper, numpy_helper

    never = np.triu(np.full((4, 4), -np.inf, np.float32), 1)
    table = np.linspace(-1, 1, 16, dtype=np.float32).reshape(4, 4)
    nodes = [helper.make_node("Add", ["x", "mask"], ["a"]), helper.make_node("Add", ["table", "a"], ["y"])]
    parts = [numpy_helper.from_array(never, "mask"), numpy_helper.from_array(table, "table")]
    path = save(tmp_path / "masked.onnx", nodes, initializer=parts, shape=[4, 4])
    if stored == "external":
        onnx.save(onnx.load(path), path, save_as_external_data=True, location="masked.bin", size_threshold=0)
    model = read(path)
    assert {name: tensor.role for name, tensor in model.tensors.items()} == {
        "mask": Role.CONSTANT,
        "table": Role.WEIGHT,
    }
    assert Summary(model).totals.parameters == 16


def test_weights_packed_into_bytes_count_and_not_the_bytes(tmp_path: Path) -> None:
    """Operators of few bits: K × N and not half of it; what says how to take them is no parameter."""
    from onnx import helper, numpy_helper

    def quantized(op: str, inputs: str, **settings: int) -> Any:
        return helper.make_node(op, inputs.split(" "), [f"y{op}"], domain="com.microsoft", **settings)

    nodes = [
        quantized("MatMulNBits", "x q s z", K=40, N=48, block_size=32),  # the second block of a row is filled up
        quantized("MatMulBnb4", "x h m", K=40, N=6, block_size=16, quant_type=1),
        quantized("GatherBlockQuantized", "t i ts tz", block_size=16, bits=4),
        quantized("QMoE", "x r e1 es1  e2 es2", expert_weight_bits=4, k=1),
        helper.make_node("DequantizeLinear", ["n", "ns", "nz"], ["yDq"], block_size=16),
    ]
    stored = {
        "q": ((48, 2, 16), np.uint8), "s": ((96,), np.float32), "z": ((48,), np.uint8),
        "h": ((120, 1), np.uint8), "m": ((15,), np.float32), "i": ((3,), np.int64), "t": ((10, 16), np.uint8),
        "ts": ((10, 2), np.float32), "tz": ((10, 1), np.uint8), "r": ((2, 4), np.float32),
        "e1": ((4, 8, 20), np.uint8), "es1": ((4, 8), np.float32), "e2": ((4, 40, 4), np.uint8),
        "es2": ((4, 40), np.float32), "ns": ((2, 6), np.float32),
    }  # fmt: skip
    inits = [numpy_helper.from_array(np.ones(shape, kind), name) for name, (shape, kind) in stored.items()]
    inits += [
        helper.make_tensor("n", 22, [32, 6], bytes(96), raw=True),
        helper.make_tensor("nz", 22, [2, 6], bytes(6), raw=True),
    ]
    imports = [helper.make_opsetid("", 21), helper.make_opsetid("com.microsoft", 1)]
    outputs = " ".join(node.output[0] for node in nodes)
    path = save(tmp_path / "m.onnx", nodes, outputs=outputs, initializer=inits, imports=imports, shape=[2, 40])
    model = read(path)
    counted = {"q": 48 * 40, "h": 40 * 6, "t": 10 * 32, "e1": 4 * 8 * 40, "e2": 4 * 40 * 8, "n": 32 * 6, "r": 8}
    assert {name for name, tensor in model.tensors.items() if is_parameter(tensor)} == set(counted)
    assert {name: parameters_in(model.tensors[name]) for name in counted} == counted
    totals = Summary(model).totals
    assert totals.parameters == sum(counted.values())
    assert totals.parameter_bytes == 48 * 32 + 120 + 160 + 640 + 640 + 96 + 32
    odd = quantized("MatMulNBits", "x q s z", K=41, N=7, block_size=32)  # does not fit: what is stored is counted
    model = read(save(path, [odd], outputs="yMatMulNBits", initializer=inits, imports=imports, shape=[2, 41]))
    assert parameters_in(model.tensors["q"]) == 48 * 32


def test_what_nobody_knows_is_not_counted_as_nothing(tmp_path: Path) -> None:
    """Packed weights are counted by what they stand for; an operator of other people has no figures."""
    from onnx import helper, numpy_helper

    packed = helper.make_node("MatMulNBits", ["x", "q", "s"], ["h"], domain="com.microsoft", K=32, N=48, block_size=16)
    tensors = {"q": np.zeros((48, 2, 8), np.uint8), "s": np.ones(96, np.float32), "w": np.ones((32, 8), np.float32)}
    inits = [numpy_helper.from_array(value, name) for name, value in tensors.items()]
    imports = [
        helper.make_opsetid(domain, 1 + 20 * (not domain)) for domain in ("", "com.microsoft", "ours", "ai.onnx.ml")
    ]
    for name, last in (
        ("known", helper.make_node("MatMul", ["x", "w"], ["y"])),
        ("own", helper.make_node("Blend", ["x"], ["y"], domain="ours")),
        ("vectors", helper.make_node("SVMRegressor", ["x"], ["y"], domain="ai.onnx.ml")),
        ("matrix", helper.make_node("NewMoE", ["x", "w"], ["y"], domain="com.microsoft")),
    ):
        path = save(tmp_path / f"{name}.onnx", [packed, last], initializer=inits, imports=imports, shape=[2, 32])
        overview, page = ask_document(path, [(ROWS, RowsArgs())], OpenArgs(path=str(path)))
        texts = [note.text for note in overview.notes]
        assert page.rows[0].macs == 2 * 32 * 48
        assert page.rows[1].macs == (2 * 32 * 8 if name == "known" else None)
        assert page.rows[1].flops == (4 * 32 * 8 if name == "known" else None)
        assert any(text.endswith(f"not known here: {last.op_type}.") for text in texts) is (name != "known")
        assert overview.totals.complete is (name == "known")
