"""The table's model alone: order, filter, exports, and that it stays quick."""

from __future__ import annotations

import csv
import io
import time

import msgspec
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QAbstractItemModelTester
from pytestqt.qtbot import QtBot

from inspector.engines.summary.rows import Port, Row, Totals
from inspector.viewmodels.columns import COLUMNS, KEYS, column_number, haystack
from inspector.viewmodels.layer_export import to_csv, to_json, to_markdown, to_tsv
from inspector.viewmodels.layers import LayerRole, LayerTable

NAME, PARAMETERS, MACS = column_number("name"), column_number("parameters"), column_number("macs")
UP, DOWN = Qt.SortOrder.AscendingOrder, Qt.SortOrder.DescendingOrder


def row(index: int, name: str, parameters: int = 0, macs: int | None = 0, type: str = "Linear") -> Row:
    return Row(
        index=index,
        name=name,
        type=type,
        inputs=(Port("x", "float32", (1, 8 + index)),),
        outputs=(Port("y", "float16", ("batch", 4)),),
        dtype="float32",
        parameters=parameters,
        trainable=parameters,
        macs=macs,
    )


ROWS = (row(0, "stem", 10, 5), row(1, "act", 0, None, "ReLU"), row(2, "head", 30, 7), row(3, "pool", 0, 2, "MaxPool"))


@pytest.fixture
def layers(qtbot: QtBot) -> LayerTable:
    made = LayerTable()
    made.replace(ROWS, Totals(layers=4, parameters=40, trainable=40, macs=14, complete=False))
    return made


def names(layers: LayerTable) -> list[str]:
    return [layers.index(position, NAME).data() for position in range(layers.rowCount())]


def test_qt_finds_nothing_wrong_with_it(layers: LayerTable) -> None:
    QAbstractItemModelTester(layers, QAbstractItemModelTester.FailureReportingMode.Fatal)
    layers.sort(PARAMETERS, DOWN)
    layers.set_filter("linear")
    layers.set_filter("")
    layers.sort(-1)
    layers.extend([row(4, "more")])
    assert names(layers) == ["stem", "act", "head", "pool", "more"]


def test_numbers_sort_as_numbers_and_the_unknown_stand_last(layers: LayerTable) -> None:
    layers.sort(MACS, DOWN)
    assert names(layers) == ["head", "stem", "pool", "act"]
    layers.sort(MACS, UP)
    assert names(layers) == ["pool", "stem", "head", "act"]


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("", ["stem", "act", "head", "pool"]),
        ("LINEAR", ["stem", "head"]),
        ("linear 1x10", ["head"]),
        ("1×9", ["act"]),
        ("f16 pool", ["pool"]),
        ("linear relu", []),
    ],
)
def test_every_word_must_occur(layers: LayerTable, typed: str, found: list[str]) -> None:
    layers.set_filter(typed)
    assert names(layers) == found


def test_a_selected_row_stays_itself_while_sorting(layers: LayerTable) -> None:
    from PySide6.QtCore import QPersistentModelIndex

    kept = QPersistentModelIndex(layers.index(2, NAME))
    layers.sort(NAME, DOWN)
    assert kept.data() == "head"
    layers.set_filter("stem")
    assert not kept.isValid()


def test_cells(layers: LayerTable) -> None:
    head = {key: layers.index(2, column_number(key)) for key in KEYS}
    assert head["input_shapes"].data() == "1×10"
    assert head["output_shapes"].data() == "batch×4"
    assert head["dtype"].data() == "f32"
    assert head["share"].data() == "75 %"
    assert head["share"].data(LayerRole.SHARE) == 0.75
    assert head["parameters"].data(Qt.ItemDataRole.TextAlignmentRole) & int(Qt.AlignmentFlag.AlignRight)
    assert layers.index(1, MACS).data() == "–"


def test_a_row_says_whose_weights_it_uses(qtbot: QtBot) -> None:
    layers = LayerTable()
    tied = msgspec.structs.replace(row(1, "lm_head"), shares=("embed.weight",))
    layers.replace([row(0, "embed", 40), tied], Totals(parameters=40))
    assert layers.index(1, NAME).data(Qt.ItemDataRole.ToolTipRole) == "lm_head\nshares embed.weight, counted there"
    assert layers.index(1, column_number("shares")).data() == "embed.weight"
    assert "embed.weight" in to_csv(layers.shown(), ["name", "shares"])
    evil = msgspec.structs.replace(row(0, "<b>x</b>"))
    layers.replace([evil], Totals())
    assert layers.index(0, NAME).data(Qt.ItemDataRole.ToolTipRole) == "<qt>&lt;b&gt;x&lt;/b&gt;</qt>"


def test_totals_are_of_what_is_shown(layers: LayerTable) -> None:
    assert layers.summary().startswith("4 rows   ·   40 parameters   ·   40 trainable   ·   at least 14 multiply-adds")
    layers.set_filter("head")
    assert layers.summary().startswith("1 of 4 rows   ·   30 parameters   ·   30 trainable   ·   7 multiply-adds")


def test_exports_agree(layers: LayerTable) -> None:
    rows, keys = layers.shown(), KEYS
    by_csv = list(csv.DictReader(io.StringIO(to_csv(rows, keys))))
    by_json = msgspec.json.decode(to_json(rows, keys))
    assert [line["name"] for line in by_csv] == [line["name"] for line in by_json] == ["stem", "act", "head", "pool"]
    assert by_csv[2]["parameters"] == str(by_json[2]["parameters"]) == "30"
    assert by_csv[1]["macs"] == ""
    assert by_json[1]["macs"] is None
    assert len(to_tsv(rows, keys).splitlines()) == 5
    assert len(to_markdown(rows, keys).splitlines()) == 6


def test_a_spreadsheet_runs_nothing() -> None:
    evil = row(0, "=cmd|' /C calc'!A0")
    assert "'=cmd" in to_csv([evil], ["name"])
    assert "'=cmd" in to_tsv([evil], ["name"]), "the clipboard ends in a spreadsheet as well"


def test_markdown_marks_nothing_up() -> None:
    evil = row(0, "a|b](http://x) <img src=x> `_*")
    assert to_markdown([evil], ["name"]).splitlines()[2] == r"| a\|b\]\(http://x\) \<img src=x\> \`\_\* |"


def test_columns_are_declared_once() -> None:
    assert len(set(KEYS)) == len(COLUMNS)
    wanted = "name type input_shapes output_shapes dtype parameters macs activation_bytes share"
    assert [column.key for column in COLUMNS if column.shown] == wanted.split()


def test_a_hundred_thousand_rows_stay_quick(qtbot: QtBot) -> None:
    """Against the least that Python must do: sort the numbers, look for a word in each text."""
    rows = [row(number, f"layer.{number}", (number * 7919) % 100_003) for number in range(100_000)]
    texts = [haystack(each) for each in rows]
    layers = LayerTable()

    def least() -> None:
        sorted((each.parameters, number) for number, each in enumerate(rows))
        [text for text in texts if "99" in text]

    def ours() -> None:
        layers.sort(PARAMETERS, DOWN)
        layers.set_filter("99" if not layers.filter else "")

    layers.replace(rows, Totals(parameters=1))
    layers.set_filter("layer")
    layers.replace(rows, Totals(parameters=1))
    assert layers.count() == len([text for text in texts if "layer" in text]) == 100_000
    # About eight times the least; something that looks at every row for each row would be thousands of times.
    assert min(cpu(ours) for _ in range(4)) < 200 * min(cpu(least) for _ in range(4))


def cpu(work: object) -> float:
    start = time.process_time()
    work()  # type: ignore[operator]
    return time.process_time() - start
