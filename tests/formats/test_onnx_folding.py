"""Shapes behind sizes that a model works out at run time, against those that ONNX Runtime gives the values."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx_models import ONNX, read

from inspector.engines.summary.sizes import Sizes
from inspector.engines.summary.summary import Summary
from inspector.formats import Source, _onnx_folding
from inspector.ir import Model, Shape

BATCH = 5
HEAD = '<ir_version: 9, opset_import: ["": 18, "mine": 1]> main (float[batch, 3, 4] x, float[n, m] z) => (y)'
FEEDS = {"x": np.ones((BATCH, 3, 4), "f4"), "z": np.ones((2, 6), "f4")}
DIMS = {"batch": BATCH, "n": 2, "m": 6}


def written(path: Path, body: str, head: str = HEAD) -> Path:
    """A model from ONNX's text form; as an input, `[1, 2]` is a constant of two numbers and `[=1]` a scalar."""
    constants: list[str] = []

    def constant(match: re.Match[str]) -> str:
        inside = match[1].removeprefix("=")
        kind = "int64" if match[1] != inside else f"int64[{len(inside.split(','))}]"
        constants.append(f"c{len(constants)} = Constant<value = {kind} {{{inside}}}>()")
        return f"{match[0][0]}c{len(constants) - 1}"

    lines = re.sub(r"[( ]\[(=?-?\d[-\d, ]*)\]", constant, body)
    model = onnx.parser.parse_model(f"{head} {{\n" + "\n".join([*constants, lines]) + "\n}")
    path.write_bytes(model.SerializeToString())
    return path


def ran(path: Path, feeds: dict[str, Any] = FEEDS) -> dict[str, tuple[int, ...]]:
    """The shapes that all values of the main graph have when it runs."""
    model = onnx.load(path)
    have = {info.name for info in model.graph.output}
    made = [name for node in model.graph.node for name in node.output if name and name not in have]
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in made)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    taken = {each.name for each in session.get_inputs()}
    names = [each.name for each in session.get_outputs()]
    values = session.run(names, {name: value for name, value in feeds.items() if name in taken})
    return {name: value.shape for name, value in zip(names, values, strict=True) if hasattr(value, "shape")}


def held(model: Model, real: dict[str, tuple[int, ...]], dims: dict[str, int] = DIMS) -> None:
    """Every value has in the model the shape that it has when it runs; names stand for the sizes that were fed."""
    assert model.main is not None
    sizes = Sizes(dims)
    for name, shape in real.items():
        if name not in model.tensors:
            assert sizes.shown(model.main.values[name].shape) == shape, (name, model.main.values[name])


def shape(model: Model, name: str) -> Shape | None:
    assert model.main is not None
    return model.main.values[name].shape


VALUES = {
    "products of a shape": "s = Shape(x)\n f = Slice(s, [0], [2])\n v = ReduceProd<keepdims=1>(f)",
    "sums and extremes": """s = Shape(x)\n f = Slice(s, [1], [9223372036854775807])
        a = ReduceSum(f, [0])\n b = ReduceMin(f, [0])\n c = ReduceMax(f, [0])
        v = Concat<axis=0>(a, b, c)""",
    "arithmetic": """s = Shape(x)\n a = Mul(s, [2, 1, 3])\n b = Add(a, [1, 2, 3])\n c = Sub(b, [1, 2, 3])
        v = Div(c, [2, 1, 3])""",
    "division that leaves nothing over": "s = Shape(x)\n p = ReduceProd<keepdims=1>(s)\n v = Div(p, s)",
    "the last place": "s = Shape<end=1>(x)\n m = Mod([-1], s)\n v = Add(m, [3])",
    "division of numbers": "s = Shape<start=1>(x)\n n = Neg(s)\n d = Div(n, [2, 3])\n v = Abs(d)",
    "remainders": "s = Shape<start=1>(x)\n a = Add(s, [10, 10])\n v = Mod(a, [7, 5])",
    "powers": "s = Shape<start=1>(x)\n v = Pow(s, [2, 2])",
    "fractions": """s = Shape<start=1>(x)\n f = Cast<to=1>(s)\n h = Constant<value = float {0.4}>()\n g = Mul(f, h)
        c = Ceil(g)\n d = Floor(g)\n e = Concat<axis=0>(c, d)\n r = Round(e)\n v = Cast<to=7>(r)""",
    "halves of a named size": """s = Shape(z)\n f = Cast<to=1>(s)\n t = Constant<value = float {2}>()\n g = Mul(f, t)
        h = Floor(g)\n v = Cast<to=7>(h)""",
    "smaller and larger": """s = Shape(x)\n a = Add(s, [2, 2, 2])
        b = Min(a, s)\n c = Max(a, s)\n d = Max(s, [0, 0, 0])
        v = Concat<axis=0>(b, c, d)""",
    "comparisons choose": """s = Shape(x)\n e = Equal(s, [-1, 3, 5])\n v = Where(e, [7, 8, 9], s)""",
    "orders choose": """s = Shape<start=1>(x)\n l = Less(s, [4, 4])\n g = Greater(s, [3, 3])\n a = And(l, g)
        o = Or(l, g)\n        n = Not(a)\n b = And(n, o)\n v = Where(b, [2, 3], [4, 5])""",
    "whatever the names are": """s = Shape(x)\n a = Add(s, [1, 1, 1])\n l = LessOrEqual(s, a)\n g = GreaterOrEqual(s, a)
        b = Where(l, a, s)\n v = Where(g, [9, 9, 9], b)""",
    "picked": """s = Shape(x)\n a = Gather(s, [2, 0])\n b = GatherND(s, [1])\n u = Unsqueeze(b, [0])
        v = Concat<axis=0>(a, u)""",
    "picked by places": """s = Shape(x)\n i = Unsqueeze([2, 0], [1])\n a = GatherND(s, i)
        v = GatherElements(a, [1, 0])""",
    "written into": """s = Shape(x)\n i = Unsqueeze([1], [1])\n u = ScatterND(s, i, [8])
        v = ScatterElements(u, [2], [6])""",
    "a scalar and back": """s = Shape(x)\n a = Gather(s, [=1])\n q = Size(x)\n d = Div(q, a)\n u = Unsqueeze(d, [0])
        w = Squeeze(u, [0])\n v = Reshape(w, [1])""",
    "tables": """s = Shape(x)\n u = Unsqueeze(s, [0])\n t = Tile(u, [2, 1])\n r = Transpose<perm=[1, 0]>(t)
        g = Gather<axis=1>(r, [=1])\n v = Identity(g)""",
    "spread": "s = Shape<end=1>(x)\n e = Expand(s, [3])\n v = Mul(e, [1, 2, 3])",
    "counted": "r = Range([=1], [=7], [=2])\n v = Add(r, [0, 1, 2])",
    "filled": "f = ConstantOfShape<value = int64[1] {2}>([3])\n s = Shape(x)\n v = Mul(f, s)",
    "split": "s = Shape(x)\n a, b = Split<axis=0>(s, [1, 2])\n v = Concat<axis=0>(b, a)",
    "where it is not zero": """n = NonZero([0, 3, 0, 2])\n q = Squeeze(n, [0])\n s = Shape(x)
        t = Concat<axis=0>(s, [4])\n        v = Gather(t, q)""",
    "steps that onnx's own inference does not outlive": """s = Shape(x)
        a = Slice(s, [-1], [-9223372036854775807], [0], [-24964497409])
        b = Slice(s, [1], [9223372036854775807], [0], [9223372036854775807])\n v = Concat<axis=0>(a, b)""",
    "backwards": "s = Shape(x)\n v = Slice(s, [-1], [-9223372036854775807], [0], [-1])",
}


@pytest.mark.parametrize("body", VALUES.values(), ids=VALUES)
def test_values_of_small_tensors_are_what_they_are_when_it_runs(tmp_path: Path, body: str) -> None:
    path = written(tmp_path / "m.onnx", body + "\n y = ConstantOfShape(v)")
    model = read(path)
    held(model, ran(path))
    assert all(isinstance(size, int) or "unk" not in str(size) for size in shape(model, "y") or ("unk",))


EINSUM = """s = Shape(x)
    lead = Slice(s, [0], [2])
    rows = ReduceProd<keepdims=1>(lead)
    last = Slice(s, [2], [3])
    two = Concat<axis=0>(rows, last)
    flat = Reshape(x, two)
    turned = Transpose<perm=[1, 0]>(flat)
    product = MatMul(flat, turned)
    width = Gather(s, [1])
    other = Concat<axis=0>(lead, lead)
    parts = Reshape(product, other)
    soft = Softmax(parts)
    back = Reshape(soft, two2)
    y = Relu(back)"""


def test_an_einsum_that_is_written_as_reshapes_is_known(tmp_path: Path) -> None:
    body = EINSUM.replace("back = ", "r2 = Mul(rows, rows)\n two2 = Concat<axis=0>(r2, [-1])\n back = ")
    path = written(tmp_path / "m.onnx", body)
    model = read(path)
    held(model, ran(path))
    assert shape(model, "flat") == ("3*batch", 4)
    assert shape(model, "parts") == ("batch", 3, "batch", 3)
    assert shape(model, "y") == ("9*batch*batch", 1)
    assert Summary(model, {}).totals.macs == 3 * 4 * 3
    assert ONNX.resize is not None
    fixed = ONNX.resize(Source(path), {"batch": BATCH, "n": 2, "m": 6})
    held(fixed, ran(path))
    assert Summary(fixed, {}).totals.macs == (3 * BATCH) * 4 * (3 * BATCH)
    static = read(written(tmp_path / "s.onnx", body, HEAD.replace("batch", str(BATCH))))
    assert Summary(static, {}).totals.macs == (3 * BATCH) * 4 * (3 * BATCH)
    assert shape(static, "y") == (9 * BATCH * BATCH, 1)


SHAPES = {
    "what is left over": "s = Shape(x)\n b = Gather(s, [0])\n t = Concat<axis=0>(b, [-1])\n y = Reshape(x, t)",
    "copied and left over": "t = Identity([0, 2, -1])\n y = Reshape(x, t)",
    "a size that cancels out": "s = Shape(z)\n n = Gather(s, [0])\n t = Concat<axis=0>([-1], n)\n y = Reshape(z, t)",
    "torch's expand": """s = Shape(z)\n n = Slice(s, [0], [1])\n t = Concat<axis=0>(n, [-1, -1])\n h = Shape(t)
        o = ConstantOfShape<value = int64[1] {1}>(h)\n m = Mul(o, [=-1])\n e = Equal(t, m)\n w = Where(e, o, t)
        one = ConstantOfShape([1, 3, 4])\n y = Expand(one, w)""",
    "a row of positions": "s = Shape(z)\n n = Gather(s, [=1])\n y = Range([=0], n, [=1])",
    "joined": "s = Shape(x)\n o = ConstantOfShape([1, 3, 4])\n y = Concat<axis=0>(x, o, x)",
    "flattened": "y = Flatten<axis=2>(x)",
    "repeated": "s = Shape(z)\n n = Slice(s, [0], [1])\n t = Concat<axis=0>(n, [1, 2])\n y = Tile(x, t)",
    "all but the last": "y = Slice(x, [0], [-1], [0])",
    "up to a size": "s = Shape(x)\n b = Slice(s, [0], [1])\n y = Slice(x, [1], b, [0])",
    "padded": "y = Pad(x, [1, 0, 0, 2, 0, 0])",
    "enlarged": """s = Shape<start=1>(x)\n d = Mul(s, [2, 3])\n b = Shape<end=1>(x)\n t = Concat<axis=0>(b, d)
        y = Resize<mode="nearest">(x, , , t)""",
    "enlarged by factors": """f = Constant<value = float[3] {2, 1, 1.5}>()\n y = Resize<mode="nearest">(x, , f)""",
    "the branch that is run": """s = Shape(x)\n c = Gather(s, [=1])\n t = Equal(c, [=3])
        u = If(t) <then_branch = a () => (p) { p = Transpose<perm=[2, 1, 0]>(x) },
                   else_branch = b () => (q) { q = Flatten(x) }>
        y = Relu(u)""",
    "a loop that runs so often": """s = Shape(z)\n n = Gather(s, [=1])
        c = Constant<value = bool {1}>()\n start = Identity(z)
        w, u = Loop(n, c, start) <body = b (int64 i, bool go, float[n, m] a) => (on, e, r) {
            on = Identity(go)\n e = Relu(a)\n r = Transpose(a) }>
        y = Relu(u)""",
    "a loop that nothing ends": """n = Identity([=4])
        w, u = Loop(n, , x) <body = b (int64 i, bool go, float[batch, 3, 4] a) => (on, e, r) {
            on = And(go, go)\n e = Neg(a)\n r = Flatten(a) }>
        y = Relu(u)""",
    "a loop that counters end, as tf2onnx writes a while": """n = Identity([=40])\n two = Identity([=2])
        c = Less(two, [=11])
        at, w, u = Loop(n, c, two, z) <body = b (int64 i, bool go, int64 at, float[n, m] a) => (on, next, e, r) {
            three = Constant<value = int64 {3}>()\n limit = Constant<value = int64 {11}>()
            most = Constant<value = float {30}>()\n next = Add(at, three)\n less = Less(next, limit)
            f = Cast<to=1>(i)\n few = LessOrEqual(f, most)\n on = And(few, less)
            e = Relu(a)\n r = Transpose(a) }>
        y = Relu(u)""",
    "a loop whose body leaves open what it carries": """c = Constant<value = bool {1}>()
        w, v, u = Loop([=4], c, z, z) <body = b (int64 i, bool go, float[unk__9, m] a, float[n, unk__7] t) =>
            (on, e, f, r) { on = Identity(go)\n e = Relu(a)\n f = Neg(t)\n r = Transpose(a) }>
        p, q = Loop([=4], c, z) <body = d (int64 i, bool go, float[unk__8, m] a) => (on, e, r) {
            on = Identity(go)\n e = Relu(a)\n r = Transpose(e) }>
        y = Relu(q)""",
    "both branches": """r = ReduceSum<keepdims=0>(x)\n k = Constant<value = float {0}>()\n t = Greater(r, k)
        u = If(t) <then_branch = a () => (p) { i = Identity(x)\n p = Relu(i) },
                   else_branch = b () => (q) { q = Neg(x) }>
        y = Relu(u)""",
}


@pytest.mark.parametrize("body", SHAPES.values(), ids=SHAPES)
def test_shapes_behind_open_sizes_are_what_they_are_when_it_runs(tmp_path: Path, body: str) -> None:
    path = written(tmp_path / "m.onnx", body)
    model = read(path)
    held(model, ran(path))
    assert ONNX.resize is not None
    held(ONNX.resize(Source(path), DIMS), ran(path))


OPTIMISED = """
    w = ConstantOfShape([8, 24])
    b = ConstantOfShape([24])
    eight = ConstantOfShape([8])
    a = com.microsoft.Attention<num_heads=2>(t, w, b)
    n, , , s = com.microsoft.SkipLayerNormalization(a, t, eight, eight, eight)
    g = com.microsoft.FastGelu(s)
    i = com.microsoft.BiasGelu(g, eight)
    q = com.microsoft.QuickGelu(i)
    f = com.microsoft.FusedMatMul<transB=1, alpha=0.5>(q, n)
    k = com.microsoft.FusedMatMul<transA=1>(t, n)
    m = com.microsoft.MultiHeadAttention<num_heads=2>(q, n, i)
    bits = ConstantOfShape<value = uint8[1] {0}>([6, 1, 8])
    six = ConstantOfShape([6])
    nb = com.microsoft.MatMulNBits<K=8, N=6, bits=4, block_size=16>(t, bits, six)
    scale = Constant<value = float {0.1}>()
    zero = Constant<value = uint8 {3}>()
    qu = com.microsoft.QuantizeLinear(t, scale, zero)
    qa = com.microsoft.QLinearAdd(qu, scale, zero, qu, scale, zero, scale, zero)
    de = com.microsoft.DequantizeLinear(qa, scale, zero)
    bytes = ConstantOfShape<value = uint8[1] {1}>([8, 6])
    dq = com.microsoft.DynamicQuantizeMatMul(de, bytes, scale)
    lead = Shape<end=1>(t)
    lengths = ConstantOfShape<value = int32[1] {6}>(lead)
    total = Constant<value = int32 {7}>()
    t2 = Concat<axis=2>(t, t)
    gq, pk, pv = com.microsoft.GroupQueryAttention<num_heads=2, kv_num_heads=1>(t2, t, t, , , lengths, total)
    both = Concat<axis=2>(t2, t2)
    gp, pk2, pv2 = com.microsoft.GroupQueryAttention<num_heads=2, kv_num_heads=1>(both, , , , , lengths, total)
    kernel = ConstantOfShape([6, 3, 3])
    c = com.microsoft.FusedConv<activation="Relu", pads=[1, 1]>(x, kernel)
    u = Cast<to=6>(c)
    table = ConstantOfShape([10, 8])
    rows = Gather<axis=1>(u, [=0])
    e, mask = com.microsoft.EmbedLayerNormalization(rows, , table, table, , eight, eight)
    h = com.microsoft.FusedGemm<activation="Relu">(eight1, w)
    r = SimplifiedLayerNormalization<axis=-1>(m, eight)
    four = Unsqueeze(qa, [2])
    joined = com.microsoft.QLinearConcat<axis=1>(scale, zero, four, scale, zero, four, scale, zero)
    pooled = com.microsoft.QLinearAveragePool<kernel_shape=[1, 2], strides=[1, 2], count_include_pad=0>(joined, scale,
        zero, scale, zero)
    mean = com.microsoft.QLinearGlobalAveragePool<channels_last=0>(pooled, scale, zero, scale, zero)
    codes = ConstantOfShape<value = uint8[1] {1}>([10, 8])
    codescales = ConstantOfShape([10, 1])
    looked = com.microsoft.GatherBlockQuantized<gather_axis=0, quantize_axis=1, block_size=16, bits=4>(codes,
        rows, codescales)
    wq = ConstantOfShape<value = uint8[1] {1}>([1, 8, 20])
    rq = ConstantOfShape<value = uint8[1] {1}>([1, 5, 20])
    some = Constant<value = float[1] {0.1}>()
    none = Constant<value = uint8[1] {0}>()
    l, lh, lc = com.microsoft.DynamicQuantizeLSTM<hidden_size=5>(t, wq, rq, , , , , , some, none, some, none)
    y = Relu(r)"""


def test_what_onnx_runtime_optimised_is_known(tmp_path: Path) -> None:
    """Its own operators, of which onnx's inference knows nothing."""
    body = OPTIMISED.replace("h = com", "eight1 = ConstantOfShape([2, 8])\n    h = com")
    head = HEAD.replace('"mine": 1', '"com.microsoft": 1').replace("float[n, m] z", "float[batch, length, 8] t")
    path, feeds = written(tmp_path / "m.onnx", body, head), {**FEEDS, "t": np.ones((BATCH, 7, 8), "f4")}
    model, dims = read(path), {"batch": BATCH, "length": 7}
    real = {name: size for name, size in ran(path, feeds).items() if name[:2] not in {"pk", "pv", "ma"}}
    held(model, real, dims)
    assert ONNX.resize is not None
    held(ONNX.resize(Source(path), dims), real, dims)
    assert shape(model, "y") == ("batch", "length", 8)
    assert shape(model, "f") == ("batch", "length", "length")


def test_what_cannot_be_known_stays_open(tmp_path: Path) -> None:
    body = """i = Cast<to=7>(z)\n r = ReduceMax<keepdims=0>(i)\n k = Unsqueeze(r, [0])\n t = Concat<axis=0>(k, [-1])
        u = Reshape(x, t)\n half = Slice(x, [0], [3], [0])\n s = Shape(x)\n b = Slice(s, [0], [1])\n d = Div(b, [2])
        w = ConstantOfShape(d)\n v = NonZero(z)\n y = Relu(u)"""
    model = read(written(tmp_path / "m.onnx", body))
    for name, rank in {"u": 2, "y": 2, "half": 3, "w": 1, "v": 2}.items():
        found = shape(model, name)
        assert found is not None, name
        assert len(found) == rank
    assert (
        len({dim for name in ("u", "w", "v", "half") for dim in shape(model, name) or () if str(dim)[:3] == "unk"}) == 5
    )
    assert shape(model, "y") == shape(model, "u")


def test_a_loop_that_changes_what_it_carries_proves_nothing(tmp_path: Path) -> None:
    """Neither one that grows, nor one whose body calls a size of its state like another size of what it takes."""
    body = """c = Constant<value = bool {1}>()\n one = Slice(z, [0], [1], [0])\n i = Cast<to=9>(z)\n k = NonZero(i)
        g = Loop([=4], c, z) <body = b (int64 i, bool go, float[unk__5, m] a) => (on, e) {
            on = Identity(go)\n e = Concat<axis=0>(a, a) }>
        s, u = Loop([=4], c, z, z) <body = d (int64 i, bool go, float[unk__6, m] a, float[n, unk__6] t) => (on, e, f) {
            on = Identity(go)\n e = Relu(a)\n f = Relu(t) }>
        y = Relu(g)"""
    path = written(tmp_path / "m.onnx", body)
    real = {name: size for name, size in ran(path).items() if name in "gsuy"}
    assert real["g"] == (32, 6)
    model = read(path)
    assert model.main is not None
    for name, size in real.items():
        found = Sizes(DIMS).shown(model.main.values[name].shape)
        known = [] if found is None else [dim for dim in zip(found, size, strict=True) if isinstance(dim[0], int)]
        assert all(mine == other for mine, other in known), name


def test_a_branch_that_may_not_run_proves_nothing_about_what_is_around_it(tmp_path: Path) -> None:
    body = """i = Cast<to=9>(z)\n n = NonZero(i)\n h = Shape(x)\n l = Slice(h, [1], [3])\n g = ReduceProd<keepdims=1>(l)
        v = Concat<axis=0>([1], g)\n w = ConstantOfShape<value = int64[1] {0}>(v)\n r = ReduceSum<keepdims=0>(z)
        k = Constant<value = float {100}>()\n t = Greater(r, k)\n m = Unsqueeze(n, [0])
        u = If(t) <then_branch = a () => (p) { p = Concat<axis=0>(n, w) }, else_branch = b () => (q) { q = Neg(n) }>
        y = Abs(u)"""
    model = read(written(tmp_path / "m.onnx", body))
    assert str((shape(model, "n") or ())[1]).startswith("unk")
    assert shape(model, "m") == (1, *(shape(model, "n") or ()))


def test_what_a_file_says_of_its_values_stays_unless_it_is_only_a_makeshift(tmp_path: Path) -> None:
    body = "s = Shape(x)\n b = Gather(s, [0])\n t = Concat<axis=0>(b, [-1])\n u = Reshape(x, t)\n y = Relu(u)"
    for declared, wanted in {"rows": "rows", "Relu_9_dim_0": "batch", "batch": "batch"}.items():
        head = HEAD.replace("(y)", f"(float[{declared}, 12] y)")
        assert shape(read(written(tmp_path / "m.onnx", body, head)), "y") == (wanted, 12)
    wrong = HEAD.replace("(y)", "(float[7, 12] y)")  # the file contradicts itself: what it says is shown
    assert shape(read(written(tmp_path / "m.onnx", body, wrong)), "y") == (7, 12)


def test_what_a_file_leaves_open_of_its_output_gets_no_made_up_name(tmp_path: Path) -> None:
    body = "i = Cast<to=7>(z)\n n = NonZero(i)\n p = Neg(n)\n t = Transpose(p)\n f = Flatten<axis=2>(x)\n y = Neg(t)"
    path = written(tmp_path / "m.onnx", body, HEAD.replace("(y)", "(int64[rows, columns] y)"))
    model = onnx.load(path)
    model.graph.output[0].type.tensor_type.shape.dim[0].dim_value = -1  # as Paddle writes it
    path.write_bytes(model.SerializeToString())
    assert shape(read(path), "y") == (None, 2)
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_param = "unk__7"  # as tf2onnx calls a batch
    model.graph.output[0].name = model.graph.node[-1].output[0] = "other"
    model.graph.output[0].type.tensor_type.elem_type = 1
    model.graph.node[-1].input[0] = "f"
    path.write_bytes(model.SerializeToString())
    assert shape(read(path), "other") == ("3*unk__7", 4)


def test_a_size_whose_name_is_no_text_is_followed_like_any_other(tmp_path: Path) -> None:
    path = written(tmp_path / "m.onnx", "s = Shape(x)\n f = Flatten<axis=2>(x)\n y = Reshape(f, s)")
    path.write_bytes(path.read_bytes().replace(b"batch", b"b\xfft\xc3h"))
    model = read(path)
    assert shape(model, "y") == ("b\\xfft\\xc3h", 3, 4)
    assert not model.notes


def test_operators_that_are_not_onnxs_own_are_left_alone(tmp_path: Path) -> None:
    body = "s = Shape(x)\n t = mine.Reshape(x, s)\n u = mine.Shape(x)\n y = Reshape(x, u)"
    model = read(written(tmp_path / "m.onnx", body))
    assert model.main is not None
    assert model.main.values.get("t") is None
    assert shape(model, "y") is None


def test_nothing_is_walked_where_every_shape_is_known(samples: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def walk(*arguments: object) -> None:
        raise AssertionError("walked")

    monkeypatch.setattr(_onnx_folding, "_Walk", walk)
    for file in ("digits_mlp.onnx", "digits_cnn.onnx"):
        assert read(samples / file).main is not None


def test_chains_that_grow_without_an_end_are_given_up(tmp_path: Path) -> None:
    lines = ["s = Shape(x)", "v0 = Add(s, [2, 2, 2])"]
    lines += [f"v{i + 1} = Mul(v{i}, v{i})" for i in range(3000)]
    lines += ["w0 = Gather(s, [0])"] + [f"w{i + 1} = Concat<axis=0>(w{i}, w{i})" for i in range(12)]
    lines += [f"e{i} = Expand(w0, [{1 << i}])" for i in range(1, 60)]
    model = read(written(tmp_path / "m.onnx", "\n".join(lines) + "\n y = Reshape(x, v3000)\n q = Reshape(x, w12)"))
    assert len(shape(model, "y") or ()) == 3
    assert not [note for note in model.notes if "Shapes" in note.text]
