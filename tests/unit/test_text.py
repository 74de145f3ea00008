"""Text of a file cannot do anything when it is shown."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.ir.text import in_markdown, inert


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("encoder.layer.0/MatMul:0", "encoder.layer.0/MatMul:0"),
        ("Größe 層 🙂", "Größe 層 🙂"),
        ("a\0b", "ab"),
        ("\x1b[2Jgone", "[2Jgone"),
        ("safe\u202efdp.exe", "safefdp.exe"),
        ("two\r\nlines\there", "two lines here"),
        ("lone \ud800 surrogate", "lone \ufffd surrogate"),
        ("in\u200bvisible\ufeff\U000e0041", "invisible"),
        ("x" * 600, "x" * 499 + "…"),
    ],
)
def test_names(text: str, shown: str) -> None:
    assert inert(text) == shown


def test_texts_keep_their_lines() -> None:
    assert inert("def f():\r\n\treturn 1\0", lines=True) == "def f():\n\treturn 1"


@given(st.text(st.characters(codec=None), max_size=80))
def test_whatever_comes_out_can_travel_and_is_stable(text: str) -> None:
    shown = inert(text, 40)
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(shown)) == shown
    assert inert(shown, 40) == shown
    assert "\n" not in shown
    assert len(shown) <= 40


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("linear_relu_stack.0", "linear_relu_stack.0"), ("__init__", r"\_\_init\_\_"), ("a _b_ c", r"a \_b\_ c"),
        ("[x](javascript:y)", r"\[x\]\(javascript:y\)"), ("batch×3", "batch×3"), ("a\nb|c", r"a b\|c"),
    ],
)  # fmt: skip
def test_markdown_is_escaped_where_it_marks_up(text: str, written: str) -> None:
    assert in_markdown(text) == written
