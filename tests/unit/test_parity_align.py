"""Which input and which output is which: renamed, reordered, transposed."""

from __future__ import annotations

import numpy as np
import pytest

from inspector.engines.parity.align import pair_inputs, pair_outputs, plain
from inspector.errors import InspectorError
from inspector.runtimes import Spec


def arrays(seed: int, *shape: int):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


@pytest.mark.parametrize(
    ("name", "author"),
    [
        ("serving_default_input_2:0", "input_2"),
        ("StatefulPartitionedCall:1", ""),
        ("StatefulPartitionedCall_1:0", "1"),
        ("Identity_3", ""),
        ("x.1", "x_1"),
        ("dense/BiasAdd:0", "dense_biasadd"),
    ],
)
def test_names_without_what_frameworks_add(name, author):
    assert plain(name) == author


def test_inputs_pair_by_name_whatever_their_order():
    a = (Spec("ids", "int64", ("n", 16)), Spec("mask", "int64", ("n", 16)))
    pairs = pair_inputs(a, (Spec("serving_default_mask:0", "int64", (None, 16)), Spec("ids", "int64", (None, 16))))
    assert [(fit.b, fit.a) for fit in pairs.fits] == [("serving_default_mask:0", "mask"), ("ids", "ids")]
    assert pairs.renamed == (("mask", "serving_default_mask:0"),)


def test_inputs_pair_by_order_and_fixed_sizes_win():
    pairs = pair_inputs((Spec("x", "float32", ("batch", 3, 8, 8)),), (Spec("args_0", "float32", (1, 3, 8, 8)),))
    assert pairs.fits[0].a == "x"
    assert pairs.specs[0].shape == (1, 3, 8, 8)


def test_a_change_of_layout_is_found_and_named():
    pairs = pair_inputs((Spec("x", "float32", ("n", 3, 8, 9)),), (Spec("x", "float32", (1, 8, 9, 3)),))
    (fit,) = pairs.fits
    assert (fit.axes, fit.layout) == ((0, 2, 3, 1), "NCHW→NHWC")
    assert pairs.specs[0].shape == (1, 3, 8, 9)
    assert arrays(0, 1, 3, 8, 9).transpose(fit.axes).shape == (1, 8, 9, 3)


def test_an_input_that_only_the_first_has_is_left_out():
    pairs = pair_inputs((Spec("x", "float32", (1, 4)), Spec("unused", "int64", ())), (Spec("x", "float32", (1, 4)),))
    assert [fit.a for fit in pairs.fits] == ["x"]


def test_an_input_that_nothing_fits_is_an_error_with_names():
    with pytest.raises(InspectorError, match=r"input 'z' .*5") as error:
        pair_inputs((Spec("x", "float32", (1, 4)),), (Spec("z", "float32", (1, 5)),))
    assert "x" in error.value.hint


def test_a_quantised_input_is_fed_floats_on_both_sides():
    quantised, plain_one = Spec("x", "int8", (None, 4), (-1.0, 1.0)), Spec("x", "float32", (None, 4))
    for a, b in ((quantised, plain_one), (plain_one, quantised), (quantised, quantised)):
        assert pair_inputs((a,), (b,)).specs == (Spec("x", "float32", (None, 4), (-1.0, 1.0)),)
    with pytest.raises(InspectorError):
        pair_inputs((Spec("x", "int8", (None, 4)),), (plain_one,))


def test_unknown_shapes_take_those_of_the_other():
    pairs = pair_inputs((Spec("x", "", None),), (Spec("input", "float32", ("n", 4)),))
    assert pairs.specs[0] == Spec("x", "float32", ("n", 4))


def test_outputs_pair_by_name():
    a = [{"p": arrays(0, 2, 4), "q": arrays(1, 2, 4)}]
    pairs, _, _ = pair_outputs(a, [{"q": a[0]["q"], "p": a[0]["p"]}])
    assert [(pair.a, pair.b, pair.by) for pair in pairs] == [("p", "p", "name"), ("q", "q", "name")]


def test_outputs_of_different_shapes_find_each_other():
    a = [{"p": arrays(0, 2, 4), "q": arrays(1, 2, 5), "r": arrays(2, 2)}]
    b = [{"b0": a[0]["r"], "b1": a[0]["p"], "b2": a[0]["q"]}]
    pairs, only_a, only_b = pair_outputs(a, b)
    assert {pair.a: (pair.b, pair.by) for pair in pairs} == {
        "p": ("b1", "shape"),
        "q": ("b2", "shape"),
        "r": ("b0", "shape"),
    }
    assert (only_a, only_b) == ((), ())


def test_swapped_outputs_of_one_shape_are_told_apart_by_content():
    a = [{"p": arrays(0, 2, 4), "q": arrays(1, 2, 4)}]
    pairs, _, _ = pair_outputs(a, [{"Identity": a[0]["q"] + 1e-6, "Identity_1": a[0]["p"]}])
    assert [(pair.a, pair.b, pair.by) for pair in pairs] == [
        ("p", "Identity_1", "content"),
        ("q", "Identity", "content"),
    ]


def test_order_holds_where_content_says_nothing():
    a, b = [{"p": arrays(0, 2, 4), "q": arrays(1, 2, 4)}], [{"s": arrays(2, 2, 4), "t": arrays(3, 2, 4)}]
    pairs, _, _ = pair_outputs(a, b)
    assert [(pair.a, pair.b, pair.by) for pair in pairs] == [("p", "s", "order"), ("q", "t", "order")]


def test_an_output_in_another_layout_is_turned():
    a = [{"y": arrays(0, 1, 3, 8, 9)}]
    b = [{"y": a[0]["y"].transpose(0, 2, 3, 1)}]
    (pair,), _, _ = pair_outputs(a, b)
    assert pair.layout == "NHWC→NCHW"
    np.testing.assert_array_equal(pair.turned(b[0]["y"], a[0]["y"]), a[0]["y"])


def test_a_layout_that_the_shape_does_not_show_is_found_by_content():
    a = [{"y": arrays(0, 1, 8, 8, 8)}]
    b = [{"y": a[0]["y"].transpose(0, 2, 3, 1)}]
    (pair,), _, _ = pair_outputs(a, b)
    assert pair.layout == "NHWC→NCHW"
    np.testing.assert_array_equal(pair.turned(b[0]["y"], a[0]["y"]), a[0]["y"])


def test_dims_of_one_do_not_matter():
    a = [{"y": arrays(0, 2, 10)}]
    (pair,), _, _ = pair_outputs(a, [{"y": a[0]["y"][:, :, None, None]}])
    assert pair.layout == "2×10×1×1→2×10"


def test_outputs_that_do_not_fit_are_left_over():
    pairs, only_a, only_b = pair_outputs([{"y": arrays(0, 2, 10)}], [{"y": arrays(0, 2, 11)}])
    assert (pairs, only_a, only_b) == ((), ("y",), ("y",))
