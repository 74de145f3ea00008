"""The summary in a terminal: exact text, keys of the contract, harmless CSV."""

from __future__ import annotations

import csv
from io import StringIO

import msgspec

from inspector.engines.summary import render
from inspector.engines.summary.rows import Overview, Port, Remark, Row, Signature, Totals

ROWS = (
    Row(index=0, name="flatten", type="Flatten", inputs=(Port("x", "float32", ("batch", 4, 4)),),
        outputs=(Port("f", "float32", ("batch", 16)),), macs=0, activation_bytes=64),
    Row(index=1, name="=cmd()", type="Linear", inputs=(Port("f", "float32", ("batch", 16)),),
        outputs=(Port("y", "float32", None),), parameters=1700, trainable=1700, parameter_bytes=6800),
)  # fmt: skip
OVERVIEW = Overview(
    file="m.onnx",
    size=7000,
    format="onnx",
    title="ONNX",
    producer="hand 1",
    signatures=(Signature("", (Port("x", "float32", ("batch", 4, 4)),), (Port("y", "float32", (None,)),)),),
    totals=Totals(
        layers=2, nodes=3, parameters=1700, trainable=1700, parameter_bytes=6800, activation_bytes=64, complete=False
    ),
    notes=(Remark("info", "Something.", "Do it."),),
)  # fmt: skip


def test_text() -> None:
    assert render.as_text(OVERVIEW, ROWS).splitlines() == [
        "m.onnx · ONNX · 7 kB · hand 1",
        "  in   x  float32 batch×4×4",
        "  out  y  float32 ?",
        "────────────────────────────────────────────────────────────────",
        "Layer    Type     Input      Output    Parameters  Multiply-adds",
        "────────────────────────────────────────────────────────────────",
        "flatten  Flatten  batch×4×4  batch×16           0              0",
        "=cmd()   Linear   batch×16   ?              1,700              ?",
        "────────────────────────────────────────────────────────────────",
        "Layers              2 of 3 nodes",
        "Parameters          1,700, 6.8 kB",
        "Trainable           1,700",
        "Multiply-adds       0 (of what is known)",
        "Activation memory   64 bytes (of what is known)",
        "Info: Something. Do it.",
    ]


def test_json_has_the_keys_of_the_contract() -> None:
    data = msgspec.json.decode(msgspec.json.encode(render.as_json(OVERVIEW, ROWS)))
    assert {"file", "format", "inputs", "outputs", "totals", "rows"} <= data.keys()
    assert {"layers", "nodes", "parameters", "trainable", "macs", "parameter_bytes"} <= data["totals"].keys()
    assert {"name", "type", "input_shapes", "output_shapes", "parameters", "macs"} <= data["rows"][1].keys()
    assert data["inputs"] == [{"name": "x", "dtype": "float32", "shape": ["batch", 4, 4]}]
    assert data["rows"][1]["output_shapes"] == [None]
    assert data["rows"][1]["macs"] is None


def test_csv_gives_no_formula_to_a_spreadsheet() -> None:
    lines = list(csv.DictReader(StringIO(render.as_csv(ROWS))))
    assert [line["name"] for line in lines] == ["flatten", "'=cmd()"]
    assert lines[0]["input_shapes"] == "batch×4×4"
    assert lines[1]["macs"] == ""
    assert lines[1]["parameters"] == "1700"


def test_bytes_in_words() -> None:
    assert [render.bytes_in_words(n) for n in (0, 999, 1000, 2_678_824, 3_094_462_464, 10**16)] == [
        "0 bytes", "999 bytes", "1 kB", "2.68 MB", "3.09 GB", "1e+04 TB",
    ]  # fmt: skip
