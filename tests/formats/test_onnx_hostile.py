"""ONNX files that are damaged, deep, oddly named or meant to harm: an error in words or a remark, nothing else."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from onnx_models import ONNX, branching, external, read, save, values

from inspector.errors import FormatError
from inspector.formats import Source, Support, identify


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
