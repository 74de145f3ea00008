"""Frozen graphs: binary and text are the same model, with the values that TensorFlow froze."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from built import Built, dangling

from inspector.errors import FormatError
from inspector.formats import Source, identify
from inspector.formats.tf_graph_def import FORMAT
from inspector.ir import Model, Role
from inspector.jobs.terminal import ask_document

FILES = ("frozen.pb", "frozen.pbtxt")


def counted(model: Model, *roles: Role) -> int:
    return sum(t.count for t in model.tensors.values() if t.role in roles and not t.same_as)


@pytest.mark.parametrize("name", FILES)
def test_the_graph_is_that_of_the_file(tf_graphs: Built, name: str) -> None:
    model = tf_graphs.read(name)
    assert model.format == "tf.graph_def"
    assert counted(model, Role.WEIGHT, Role.BUFFER) == tf_graphs.facts["frozen"]["parameters"]
    (image,), (out,) = model.signatures[0].inputs, model.signatures[0].outputs
    assert (image.name, image.dtype, image.shape) == ("image", "float32", (None, 28, 28, 1))
    assert (out.name, out.dtype, out.shape) == ("Identity", "float32", (None, 16))
    main = model.main
    assert main is not None
    assert {"Conv2D", "Relu", "MatMul", "BiasAdd"} < {node.op for node in main.nodes}
    (loop,) = [node for node in main.nodes if "While" in node.op]
    assert len(loop.graphs) == 2
    assert not dangling(model)


@pytest.mark.parametrize("name", FILES)
def test_values_are_those_that_were_frozen(tf_graphs: Built, name: str) -> None:
    model = tf_graphs.read(name)
    with np.load(tf_graphs.folder / "frozen.npz") as want:
        arrays = {array.shape: array for array in want.values()}
    found = [t for t in model.tensors.values() if t.role is Role.WEIGHT]
    assert {tensor.shape for tensor in found} == set(arrays)
    for tensor in found:
        assert np.array_equal(tf_graphs.values(name, tensor), arrays[tensor.shape])
    for tensor in model.tensors.values():
        assert tf_graphs.values(name, tensor).shape == tensor.shape


def test_places_are_ranges_of_the_file(tf_graphs: Built) -> None:
    data = (tf_graphs.folder / "frozen.pb").read_bytes()
    with np.load(tf_graphs.folder / "frozen.npz") as want:
        kernel = want["dense"]
    (tensor,) = [t for t in tf_graphs.read("frozen.pb").tensors.values() if t.shape == kernel.shape]
    inside = data[tensor.place.offset : tensor.place.offset + tensor.place.size]
    assert kernel.tobytes() in inside
    assert len(inside) < kernel.nbytes + 40


@pytest.mark.parametrize("name", FILES)
def test_cut_off_files_are_refused(tf_graphs: Built, tmp_path: Path, name: str) -> None:
    data, refused = (tf_graphs.folder / name).read_bytes(), 0
    path = tmp_path / name
    for size in range(1, len(data), max(1, len(data) // 80)):
        path.write_bytes(data[:size])
        try:
            FORMAT.read(Source(path))
        except FormatError as error:
            assert "damaged" in error.what  # noqa: PT017 - the loop goes on
            refused += 1
    assert refused > 60  # a cut between two nodes leaves a graph that is whole


def test_operators_that_reach_outside_are_named(tmp_path: Path) -> None:
    path = tmp_path / "x.pbtxt"
    whole = (
        'node { name: "a" op: "Placeholder" }\nnode { name: "b" op: "ReadFile" input: "a" }\nversions { producer: 1 }\n'
    )
    path.write_text(whole)
    source = Source(path)
    model = identify(source).read(source)
    assert [(note.level, note.text) for note in model.notes] == [
        ("danger", "The model has operators that reach outside of it: ReadFile (reads files).")
    ]
    path.write_text(whole.partition("versions")[0])  # cut off between two parts, which nothing else shows
    assert [note.level for note in identify(Source(path)).read(Source(path)).notes] == ["danger", "warning"]


def test_cycles_and_strange_references_end(tmp_path: Path) -> None:
    path = tmp_path / "x.pbtxt"
    lines = [f'node {{ name: "n{at}" op: "Identity" input: "n{(at + 1) % 5}" }}' for at in range(5)]
    strange = "".join(f' input: "{name}"' for name in ("gone:99999999999", "n0:²", ":", "^n1"))
    lines.append(f'node {{ name: "e" op: "Add" input: "n0"{strange} }}')
    path.write_text("\n".join(lines))
    model = FORMAT.read(Source(path))
    assert [node.name for node in model.graphs[0].nodes] == ["e"]


@pytest.mark.parametrize("content", ["node {", 'node {\n  name: "a', 'node {\n  attr {\n    key: "x"\n'])
def test_text_still_being_written_is_said_to_be_incomplete(tmp_path: Path, content: str) -> None:
    path = tmp_path / "x.pbtxt"
    path.write_text('node { name: "a" op: "B" }\n' + content)
    with pytest.raises(FormatError, match=r"^x\.pbtxt ends too early: it is incomplete or damaged\.$"):
        FORMAT.read(Source(path))


@pytest.mark.parametrize(
    "content", ["node {" * 5000, 'node { name: "a" op: "B" attr { key: "x" value { i: 9e999 } } }']
)
def test_text_that_breaks_parsers_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "x.pbtxt"
    path.write_text('node { name: "a" op: "B" }' + content)
    with pytest.raises(FormatError, match="is damaged"):
        FORMAT.read(Source(path))


def test_a_matrix_of_small_integers_is_a_weight_and_its_paddings_are_none(tmp_path: Path) -> None:
    """What Keras quantized and TensorFlow froze: the kernel stands as 8-bit numbers in the graph."""
    path = tmp_path / "small.pbtxt"
    path.write_text(
        'node { name: "x" op: "Placeholder" attr { key: "dtype" value { type: DT_FLOAT } } '
        'attr { key: "shape" value { shape { dim { size: 2 } dim { size: 3 } } } } }'
        'node { name: "kernel" op: "Const" attr { key: "dtype" value { type: DT_INT8 } } attr { key: "value" value { '
        "tensor { dtype: DT_INT8 tensor_shape { dim { size: 3 } dim { size: 2 } } int_val: [1, 2, 3, 4, 5, 6] } } } }"
        'node { name: "wide" op: "Cast" input: "kernel" attr { key: "DstT" value { type: DT_FLOAT } } '
        'attr { key: "SrcT" value { type: DT_INT8 } } }'
        'node { name: "y" op: "MatMul" input: "x" input: "wide" attr { key: "T" value { type: DT_FLOAT } } }'
        'node { name: "pad" op: "Const" attr { key: "dtype" value { type: DT_INT32 } } attr { key: "value" value { '
        "tensor { dtype: DT_INT32 tensor_shape { dim { size: 2 } dim { size: 2 } } int_val: [0, 0, 1, 1] } } } }"
        'node { name: "z" op: "Pad" input: "y" input: "pad" attr { key: "T" value { type: DT_FLOAT } } }'
    )
    (overview,) = ask_document(path, [])
    assert (overview.totals.parameters, overview.totals.trainable, overview.totals.macs) == (6, 0, 2 * 3 * 2)
    assert overview.totals.complete
