"""The summary in a terminal: exact text, keys of the contract, harmless CSV."""

from __future__ import annotations

import csv
from io import StringIO

import msgspec

from inspector.engines.summary import render
from inspector.engines.summary.rows import Overview, Port, Remark, Row, Signature, Totals

ROWS = (
    Row(index=0, name="flat", type="View", inputs=(Port("x", "float32", ("batch", 4, 4)),),
        outputs=(Port("f", "float32", ("batch", 16)),), macs=0, activation_bytes=64, flops=16, moved_bytes=128,
        live_bytes=130),
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
        layers=2, nodes=3, parameters=1700, trainable=1700, parameter_bytes=6800, activation_bytes=64, complete=False,
        flops=64, moved_bytes=128, peak_bytes=130,
    ),
    notes=(Remark("info", "Something.", "Do it."),),
)  # fmt: skip


RULE = "─" * 109


def test_text() -> None:
    assert render.as_text(OVERVIEW, ROWS).splitlines() == [
        "m.onnx · ONNX · 7 kB · hand 1",
        "  in   x  float32 batch×4×4",
        "  out  y  float32 ?",
        RULE,
        "Layer   Type    Input      Output    Parameters  Multiply-adds  FLOPs    Memory       Live  FLOPs/byte  Share",
        RULE,
        "flat    View    batch×4×4  batch×16           0              0     16  64 bytes  130 bytes       0.125  25.0%",
        "=cmd()  Linear  batch×16   ?              1,700              ?      ?         ?",
        RULE,
        "Layers              2 of 3 nodes",
        "Parameters          1,700, 6.8 kB",
        "Trainable           1,700",
        "Multiply-adds       0 (of what is known)",
        "FLOPs               64 (of what is known)",
        "Activation memory   64 bytes (of what is known)",
        "Peak live memory    130 bytes (of what is known)",
        "Intensity           0.5 FLOPs a byte, 128 bytes moved (of what is known)",
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
    assert (data["rows"][0]["flops"], data["rows"][0]["intensity"], data["rows"][0]["share"]) == (16, 0.125, 0.25)
    assert (data["totals"]["flops"], data["totals"]["intensity"], data["totals"]["peak_bytes"]) == (64, 0.5, 130)


def test_csv_gives_no_formula_to_a_spreadsheet() -> None:
    lines = list(csv.DictReader(StringIO(render.as_csv(ROWS, OVERVIEW.totals))))
    assert [line["name"] for line in lines] == ["flat", "'=cmd()"]
    assert lines[0]["input_shapes"] == "batch×4×4"
    assert (lines[0]["share"], lines[1]["share"]) == ("0.25", "")
    assert lines[1]["macs"] == ""
    assert lines[1]["parameters"] == "1700"


def test_markdown_shows_names_as_they_are() -> None:
    lines = render.as_markdown(OVERVIEW, ROWS).splitlines()
    assert lines[0] == "### m.onnx"
    assert lines[2].count("|") == lines[3].count("|") == lines[4].count("|") == 12
    assert lines[5].startswith(r"| =cmd\(\) | Linear | batch×16 | ? | 1,700 |")
    marked = Row(index=0, name="a|b](x)<img>`_*", type="t")
    assert r"| a\|b\]\(x\)\<img\>\`\_\* | t |" in render.as_markdown(OVERVIEW, [marked])


def test_bytes_in_words() -> None:
    assert [render.bytes_in_words(n) for n in (0, 999, 1000, 2_678_824, 3_094_462_464, 10**16)] == [
        "0 bytes", "999 bytes", "1 kB", "2.68 MB", "3.09 GB", "1e+04 TB",
    ]  # fmt: skip
