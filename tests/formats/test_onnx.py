"""The ONNX reader against onnx itself, on the samples, on the models of onnx's wheel and on models made here."""

from __future__ import annotations

import os
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inspector.errors import FormatError
from inspector.formats import Source, Support, formats, identify
from inspector.ir import Model, Role

ONNX = formats()["onnx"]


def read(path: Path) -> Model:
    source = Source(path)
    assert identify(source).id == "onnx"
    return ONNX.read(source)


def values(path: Path, model: Model, name: str) -> Any:
    return ONNX.fetch(Source(path), model.tensors[name])


def save(path: Path, nodes: list[Any], *, inputs: str = "x", outputs: str = "y", **parts: Any) -> Path:
    """A float model of one input and one output."""
    from onnx import TensorProto, helper

    flat = parts.pop("shape", [2, 3])
    functions, imports = parts.pop("functions", []), parts.pop("imports", [helper.make_opsetid("", 21)])
    graph = helper.make_graph(
        nodes,
        parts.pop("name", "main"),
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, flat) for name in inputs.split()],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs.split()],
        **parts,
    )
    model = helper.make_model(graph, opset_imports=imports, functions=functions, ir_version=10)
    path.write_bytes(model.SerializeToString())
    return path


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
    path = save(tmp_path / "m.onnx", [helper.make_node("Add", ["x", "s"], ["y"])], sparse_initializer=[sparse])
    model = read(path)
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


def branching(tmp_path: Path, depth: int) -> Path:
    """If nodes, each in a branch of the one around it; written by hand because protobuf refuses deep messages."""

    def field(number: int, data: bytes) -> bytes:
        size, head = len(data), bytearray([number << 3 | 2])
        while size >= 0x80:
            head.append(size & 0x7F | 0x80)
            size >>= 7
        return bytes(head) + bytes([size]) + data

    leaf = field(
        1, field(2, b"y") + field(4, b"Constant") + field(5, field(1, b"value_float") + b"\x15\0\0\x80?\xa0\x01\x01")
    )
    graph = leaf + field(12, field(1, b"y"))
    for level in range(depth):
        branch = field(5, field(1, b"then_branch") + field(6, graph) + b"\xa0\x01\x05")
        graph = field(1, field(1, b"c") + field(2, b"y") + field(3, f"if{level}".encode()) + field(4, b"If") + branch)
        graph += field(2, b"g") + field(12, field(1, b"y"))
    path = tmp_path / f"deep{depth}.onnx"
    path.write_bytes(b"\x08\x0a" + field(7, graph) + field(8, b"\x10\x15"))
    return path


@pytest.mark.parametrize("depth", [1, 19, 20, 21, 60, 100])
def test_nested_graphs_are_read_to_a_hundred_levels(tmp_path: Path, depth: int) -> None:
    model = read(branching(tmp_path, depth))
    assert len(model.graphs) == depth + 1
    assert len(model.tensors) == 1
    assert model.main is not None
    assert model.main.nodes[0].graphs == (f"if{depth - 1}/then_branch",)
    assert model.main.nodes[0].attributes["then_branch"] == f"graph:if{depth - 1}/then_branch"


@pytest.mark.parametrize("depth", [101, 10_000])
def test_deeper_graphs_are_refused_in_words(tmp_path: Path, depth: int) -> None:
    path = branching(tmp_path, depth)
    with pytest.raises(FormatError, match=r"nested too deep \(limit 100\)"):
        ONNX.read(Source(path))


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


def test_a_value_of_a_function_is_not_taken_for_a_tensor_of_the_same_name(tmp_path: Path) -> None:
    from onnx import helper, numpy_helper

    imports = [helper.make_opsetid("", 21), helper.make_opsetid("mine", 1)]
    nodes = [helper.make_node("Relu", ["w"], ["h"]), helper.make_node("Neg", ["h"], ["b"])]
    function = helper.make_function("mine", "F", ["w"], ["b"], nodes, imports)
    weight = numpy_helper.from_array(np.ones((2, 3), np.float32), "w")
    main = [helper.make_node("Add", ["x", "w"], ["h"]), helper.make_node("F", ["h"], ["y"], domain="mine")]
    model = read(save(tmp_path / "m.onnx", main, initializer=[weight], functions=[function], imports=imports))
    inner = model.graphs[1]
    assert [value.name for value in inner.inputs] == ["mine:F/w"]
    assert [node.inputs for node in inner.nodes] == [("mine:F/w",), ("h",)]
    assert set(model.tensors) == {"w"}


def test_names_of_any_kind_are_kept_apart(tmp_path: Path) -> None:
    from onnx import helper

    nodes = [
        helper.make_node("Relu", ["x"], ["a"], name="same"),
        helper.make_node("Relu", ["a"], ["BADBAD"], name="same"),
        helper.make_node("Relu", ["BADBAD"], ["\u202e<b>\0"]),
        helper.make_node("Relu", ["\u202e<b>\0"], ["y"]),
    ]
    path = save(tmp_path / "m.onnx", nodes)
    path.write_bytes(path.read_bytes().replace(b"BADBAD", b"B\xff\xfeBAD"))
    model = read(path)
    assert model.main is not None
    assert [node.name for node in model.main.nodes] == ["same", "same#2", "Relu_2", "Relu_3"]
    assert model.main.nodes[2].inputs == ("B\\xff\\xfeBAD",)
    assert model.main.nodes[2].outputs == ("\u202e<b>\0",)


def test_graphs_that_make_no_sense_are_shown_with_a_remark(tmp_path: Path) -> None:
    from onnx import helper

    nodes = [
        helper.make_node("Relu", ["b"], ["a"]),
        helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node("Relu", ["nowhere"], ["b"]),
        helper.make_node("Frobnicate", ["b"], ["y"], domain="no.such.domain", big="x" * 10_000, many=list(range(5000))),
    ]
    model = read(save(tmp_path / "m.onnx", nodes))
    assert model.main is not None
    assert len(model.main.nodes) == 4
    attributes = model.main.nodes[3].attributes
    assert attributes["big"] == "x" * 4096
    assert isinstance(attributes["many"], tuple)
    assert attributes["many"][-1] == "… 4,000 more"
    assert any("written twice" in note.text for note in model.notes)


def external(tmp_path: Path, location: str, **facts: object) -> Path:
    from onnx import TensorProto, helper

    tensor = TensorProto(name="w", data_type=1, dims=[2, 3], data_location=TensorProto.EXTERNAL)
    for key, value in {"location": location, **facts}.items():
        tensor.external_data.add(key=key, value=str(value))
    return save(tmp_path / "m.onnx", [helper.make_node("Add", ["x", "w"], ["y"])], initializer=[tensor])


def test_external_data_is_read_from_its_place(tmp_path: Path) -> None:
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    (tmp_path / "m.data").write_bytes(bytes(64) + array.tobytes())
    path = external(tmp_path, "m.data", offset=64, length=24)
    model = read(path)
    assert model.notes == ()
    assert (model.tensors["w"].place.file, model.tensors["w"].place.offset) == ("m.data", 64)
    assert np.array_equal(values(path, model, "w"), array)


@pytest.mark.parametrize(
    ("location", "facts", "words"),
    [
        ("../m.data", {}, "outside its folder"),
        ("a/../../m.data", {}, "outside its folder"),
        ("/etc/hostname", {}, "outside its folder"),
        ("C:\\m.data", {}, "outside its folder"),
        ("https://example.org/m.data", {}, "outside its folder"),
        ("", {}, "outside its folder"),
        ("missing.data", {}, "is missing"),
        ("hard.data", {}, "hard link"),
        ("link.data", {}, "leaves the model's folder"),
        ("folder", {}, "not a regular file"),
        ("m.data", {"offset": 8}, "has 24 bytes; the model needs 32"),
        ("m.data", {"length": 10**15}, "has 24 bytes"),
        ("m.data", {"offset": -4}, "impossible place"),
        ("m.data", {"offset": "nonsense"}, "impossible place"),
    ],
)
def test_external_data_that_must_not_or_cannot_be_read(
    tmp_path: Path, location: str, facts: dict[str, object], words: str
) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (tmp_path / "m.data").write_bytes(bytes(24))
    (folder / "m.data").write_bytes(bytes(24))
    (folder / "folder").mkdir()
    os.link(tmp_path / "m.data", folder / "hard.data")
    (folder / "link.data").symlink_to(tmp_path / "m.data")
    path = external(folder, location, **facts)
    model = read(path)  # the structure opens all the same
    assert any(words in note.text for note in model.notes), model.notes
    with pytest.raises(FormatError):
        values(path, model, "w")


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


def test_an_empty_file_is_no_empty_model(tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(b"")
    with pytest.raises(FormatError, match="is empty"):
        identify(Source(path))
    with pytest.raises(FormatError, match="is empty"):
        ONNX.read(Source(path))


def test_a_truncated_file_is_an_error_or_a_shorter_model_and_nothing_else(tmp_path: Path) -> None:
    from onnx import helper, numpy_helper

    weight = numpy_helper.from_array(np.ones((3, 3), np.float32), "w")
    whole = save(
        tmp_path / "m.onnx", [helper.make_node("MatMul", ["x", "w"], ["y"])], initializer=[weight]
    ).read_bytes()
    path, opened = tmp_path / "cut.onnx", 0
    for size in range(1, len(whole)):
        path.write_bytes(whole[:size])
        try:
            model = ONNX.read(Source(path))
        except FormatError:
            continue
        else:
            opened += 1
            assert model.main is not None
    assert 0 < opened < 10  # cut between two fields, after the graph


def test_two_graphs_in_one_file_are_refused(tmp_path: Path) -> None:
    from onnx import helper

    path = save(tmp_path / "m.onnx", [helper.make_node("Relu", ["x"], ["y"])])
    path.write_bytes(path.read_bytes() * 2)
    with pytest.raises(FormatError, match="two graphs"):
        ONNX.read(Source(path))


def test_impossible_sizes_do_not_need_memory(tmp_path: Path) -> None:
    from onnx import TensorProto, helper

    stored = [
        TensorProto(name="huge", data_type=1, dims=[10**6, 10**6], raw_data=bytes(16)),
        TensorProto(name="wrapped", data_type=1, dims=[2**62, 2**62], raw_data=bytes(16)),
        TensorProto(name="negative", data_type=1, dims=[-1], raw_data=bytes(16)),
    ]
    path = save(tmp_path / "m.onnx", [helper.make_node("Relu", ["x"], ["y"])], initializer=stored)
    model = read(path)
    assert any("negative size" in note.text for note in model.notes)
    for name in ("huge", "wrapped"):
        with pytest.raises(FormatError):
            values(path, model, name)


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


@pytest.mark.parametrize(
    ("head", "support"),
    [
        (b"", Support.NO),
        (b"\x08\x01\x12\x04\x0a\x02\x08\x01", Support.NO),  # a SavedModel
        (b"\x0a\x05\x0a\x01x\x12\x00", Support.NO),  # a GraphDef
        (b"Hello, this is text", Support.NO),
        (b"PK\x03\x04 and so on", Support.NO),
        (b"\x08\x0a\x3a\x02\x0a\x00\x42\x02\x10\x15", Support.YES),
        (b"\x08\x0a\x32\x88\x27" + b"d" * 5000 + b"\x3a\x02\x0a\x00", Support.MAYBE),  # long documentation
        (b"\x08\x01\x12\x88\x27" + b"\x0a" * 5000, Support.NO),  # a long SavedModel
    ],
)
def test_onnx_is_told_from_other_bytes(tmp_path: Path, head: bytes, support: Support) -> None:
    path = tmp_path / "model.bin"
    path.write_bytes(head)
    assert ONNX.sniff(Source(path).glimpse()) is support


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
