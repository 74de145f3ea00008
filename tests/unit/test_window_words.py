"""Numbers, shapes and searches in the words of the window."""

from __future__ import annotations

import pytest

from inspector.engines.summary.rows import ModuleRow, Port, Totals
from inspector.viewmodels import words
from inspector.viewmodels.details import flowing
from inspector.viewmodels.fuzzy import best, score
from inspector.viewmodels.modules import ModuleTree
from inspector.viewmodels.overview import figures
from inspector.viewmodels.sizes import parse_shape


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (None, "–"),
        (0, "0"),
        (999, "999"),
        (1000, "1.00 K"),
        (669_706, "670 K"),
        (9_995, "10.0 K"),
        (1_234_567, "1.23 M"),
    ],
)
def test_short_counts(number: int | None, text: str) -> None:
    assert words.short(number) == text


@pytest.mark.parametrize(("number", "text"), [(0, "0 B"), (999, "999 B"), (2_678_824, "2.68 MB"), (10**10, "10.0 GB")])
def test_sizes(number: int, text: str) -> None:
    assert words.size(number) == text


@pytest.mark.parametrize(
    ("shape", "text"), [(None, "?"), ((), "scalar"), ((1, 3, 224), "1×3×224"), (("batch", None, 4), "batch×?×4")]
)
def test_shapes(shape: tuple[int | str | None, ...] | None, text: str) -> None:
    assert words.shape(shape) == text
    assert words.port(Port("x", "float32", shape)) == f"{text} f32"


@pytest.mark.parametrize(
    ("part", "text"), [(0, "0 %"), (0.0004, "< 0.1 %"), (0.0077, "0.8 %"), (0.6, "60 %"), (1, "100 %")]
)
def test_percents(part: float, text: str) -> None:
    assert words.percent(part) == text


@pytest.mark.parametrize(("value", "text"), [(None, "–"), (3, "3"), (12345.0, "12,345"), (0.123456, "0.1235")])
def test_figures(value: float | None, text: str) -> None:
    assert words.figure(value) == text


@pytest.mark.parametrize(("value", "text"), [(0.012, "12 ms"), (3.44, "3.4 s"), (125, "2 min 5 s")])
def test_seconds(value: float, text: str) -> None:
    assert words.seconds(value) == text


@pytest.mark.parametrize(
    ("typed", "shape"),
    [
        ("1x3x224x224", (1, 3, 224, 224)),
        ("1×1×28×28", (1, 1, 28, 28)),
        ("[batch, 3, 224, 224]", ("batch", 3, 224, 224)),
        ("8 10", (8, 10)),
        ("7", (7,)),
        ("scalar", ()),
        ("", None),
        ("1x0x3", None),
        ("1x-3", None),
        ("99999999999x1", None),
        ("a b!", None),
    ],
)
def test_typed_shapes(typed: str, shape: tuple[int | str, ...] | None) -> None:
    assert parse_shape(typed) == shape


def test_initials_find_a_command() -> None:
    titles = ["File: Open…", "View: Overview", "View: Layers", "File: Export Layer Table…"]
    assert titles[best("vl", titles)[0]] == "View: Layers"
    assert titles[best("elt", titles)[0]] == "File: Export Layer Table…"
    assert best("", titles) == [0, 1, 2, 3]
    assert best("zzz", titles) == []
    assert score("abc", "acb") is None


def test_documentation_flows_but_lists_stay() -> None:
    text = "A sentence that was broken for its width, which goes on\nhere.\n\n- one\n- two\n\nShort:\nline"
    assert flowing(text) == (
        "A sentence that was broken for its width, which goes on here.\n\n- one\n- two\n\nShort:\nline"
    )


def test_the_figures_of_an_overview() -> None:
    totals = Totals(parameters=12, trainable=10, macs=5, nodes=3, complete=False)
    texts = {f.title: (f.number, f.words) for f in figures(totals)}
    assert texts["Parameters"] == ("12", "2 not trainable")
    assert texts["Multiply-adds"] == ("5", "of what is known")
    assert all(figure.tip for figure in figures(totals)), "every word of the trade is explained"
    texts = {f.title: (f.number, f.words) for f in figures(Totals(parameters=12, trainable=12, complete=False))}
    assert texts["Multiply-adds"] == ("–", "no graph in the file")
    assert [words.ratio(value) for value in (None, 0.08333, 26.28, 12345.6)] == ["–", "0.0833", "26.3", "12,346"]


def test_a_flat_list_becomes_a_tree() -> None:
    tree = ModuleTree()
    paths = ["", "a", "a.b", "a.b.c", "d", "x.y"]
    tree.replace([ModuleRow(path, "T", 1, None, 1) for path in paths])
    root = tree.index(0, 0)
    assert tree.rowCount() == 1
    assert [tree.index(n, 0, root).data() for n in range(tree.rowCount(root))] == ["a", "d", "y"]
    deep = tree.index_of("a.b.c.nothing.here")
    assert tree.module(deep).path == "a.b.c"
    assert tree.module(tree.parent(deep)).path == "a.b"
