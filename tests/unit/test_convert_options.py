"""Options as they come from a form or a command line."""

from __future__ import annotations

from typing import Annotated, Literal

import pytest
from msgspec import Meta

from inspector.engines.convert.edge import Edge, Options, Step
from inspector.engines.convert.options import decode
from inspector.engines.convert.shapes import parse_shapes
from inspector.errors import ConversionError


class Choices(Options, frozen=True):
    """For the tests."""

    opset: Annotated[int, Meta(ge=11, le=18)] = 18
    level: Literal[1, 2] = 1
    precision: Annotated[Literal["f32", "f16"], Meta(title="Precision")] = "f32"
    names: tuple[str, ...] = ()
    axes: dict[str, dict[int, str]] = {}  # noqa: RUF012
    fast: bool = True


def run(step: Step) -> dict[str, str]:
    return {}


EDGE = Edge("a_to_b", "a", "b", "tool", run, options=Choices)


def test_texts_are_read_as_what_the_field_wants() -> None:
    plain = {"opset": "13", "level": "2", "names": "x, y", "fast": "false", "axes": '{"x": {"2": "height"}}'}
    options = decode(EDGE, plain)
    assert options == Choices(opset=13, level=2, names=("x", "y"), fast=False, axes={"x": {2: "height"}})


def test_plain_data_stays_as_it_is() -> None:
    assert decode(EDGE, {"opset": 11, "names": ["x"]}) == Choices(opset=11, names=("x",))
    assert decode(EDGE, {}) == Choices()


@pytest.mark.parametrize(
    ("plain", "what", "hint"),
    [
        ({"opsett": 3}, "a_to_b has no option 'opsett'.", "It takes opset, level, precision, names, axes, fast."),
        ({"opset": 9}, "The option opset of a_to_b does not fit: Expected `int` >= 11.", "at least 11 and at most 18"),
        ({"precision": "f64"}, "The option precision of a_to_b does not fit: Invalid enum value 'f64'.", "f32"),
        ({"opset": "many"}, "The option opset of a_to_b does not fit: Expected `int`, got `str`.", "at least 11"),
    ],
)
def test_what_does_not_fit_is_said_with_what_would(plain: dict[str, object], what: str, hint: str) -> None:
    with pytest.raises(ConversionError) as caught:
        decode(EDGE, plain)
    assert caught.value.what == what
    assert hint in caught.value.hint


def test_shapes_as_people_type_them() -> None:
    assert parse_shapes("input=1x1x28x28; mask=batch,16") == {"input": (1, 1, 28, 28), "mask": ("batch", 16)}
    assert parse_shapes("1×3×224×224") == {"0": (1, 3, 224, 224)}
    assert parse_shapes("") == {}
    assert parse_shapes("x=f32[batch,1,max_len]; (2,3)") == {"x": ("batch", 1, "max_len"), "1": (2, 3)}


@pytest.mark.parametrize("typed", ["input=1x-3", "input=1x0", "input=[a b,2]", "input=[?,2]", "input=1x²"])
def test_what_is_no_shape_is_said(typed: str) -> None:
    with pytest.raises(ConversionError, match=r"is not an input shape\.$|not clear"):
        parse_shapes(typed)


def test_a_name_is_never_torn_at_its_x() -> None:
    with pytest.raises(ConversionError, match="not clear which x is a letter") as caught:
        parse_shapes("input=1xmax_len")
    assert "input=[batch,3,224,224]" in caught.value.hint
