"""Open dimensions: named, unnamed, expressions, hostile."""

from __future__ import annotations

import pytest

from inspector.engines.summary.sizes import Sizes


@pytest.mark.parametrize(
    ("dim", "dims", "number", "shown"),
    [
        (7, {}, 7, 7),
        ("batch", {}, 1, "batch"),
        ("batch", {"batch": 4}, 4, 4),
        ("2*s0 + 1", {"s0": 5}, 11, 11),
        ("2*s0 + 1", {}, 3, "2*s0 + 1"),
        ("s0*s1", {"s0": 5}, 5, "s0*s1"),
        ("(s0 - 1)//2", {"s0": 9}, 4, 4),
        ("Max(1, s0)", {"s0": 9}, 9, 9),
        ("unk__749", {"unk__749": 3}, 3, 3),
        ("p2o.DynamicDimension.0", {}, 1, "p2o.DynamicDimension.0"),
        ("p2o.DynamicDimension.0", {"p2o.DynamicDimension.0": 8}, 8, 8),
        ("?", {}, 1, "?"),
        ("s0//0", {"s0": 9}, 1, "s0//0"),
        ("__import__('os').getcwd()", {}, 1, "__import__('os').getcwd()"),
        ("9**9**9**9", {}, 1, "9**9**9**9"),
        ("(" * 250 + "1" + ")" * 250, {}, 1, "(" * 250 + "1" + ")" * 250),
    ],
)
def test_dimensions(dim: int | str, dims: dict[str, int], number: int, shown: int | str) -> None:
    sizes = Sizes(dims)
    assert sizes.counted((dim,)) == (number,)
    assert sizes.shown((dim,)) == (shown,)


def test_an_unnamed_first_dimension_is_the_batch() -> None:
    assert Sizes({"batch": 4}).counted((None, 3, None)) == (4, 3, 1)
    assert Sizes({"batch": 4}).shown((None, 3, None)) == (4, 3, None)
    assert Sizes({}).shown((None, 3)) == (None, 3)
    assert Sizes({}).counted(None) is None


def test_what_is_open_is_remembered() -> None:
    sizes = Sizes({"h": 2})
    sizes.counted(("batch", "h", "w", None))
    assert sizes.open == {"batch", "w", "?"}
