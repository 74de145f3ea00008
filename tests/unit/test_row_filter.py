"""What may be typed to find rows."""

from __future__ import annotations

import pytest

from inspector.engines.summary.rows import Port, Row
from inspector.viewmodels.columns import haystack
from inspector.viewmodels.row_filter import conditions, unread

ROWS = (
    Row(
        index=0, name="stem.conv", type="Conv2d", module="stem.conv", dtype="float16", parameters=2_000_000, macs=10**7,
        flops=2 * 10**7, moved_bytes=10**6, inputs=(Port("x", "float16", ("batch", 3, 28, 28)),),
        outputs=(Port("y", "float16", ("batch", 64, 14, 14)),), activation_bytes=25_088,
        weight_shapes=((64, 3, 3, 3), (64,)),
    ),
    Row(
        index=1, name="stem.act", type="ReLU", module="stem", dtype="bfloat16", macs=0,
        inputs=(Port("y", "bfloat16", (1, 64, 14, 14)),), outputs=(Port("z", "bfloat16", (1, 64, 14, 14)),),
    ),
    Row(
        index=2, name="head fc", type="Linear", module="head", dtype="float32", parameters=5130, macs=None,
        inputs=(Port("z", "float32", (1, 128)),), outputs=(Port("w", "float32", None),), source="model.py:12",
    ),
    Row(index=3, name="aten::mm", type="MatMul", dtype="int8", parameters=7, outputs=(Port("w", "int8", (11, 280)),)),
)  # fmt: skip


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("", "0123"),
        ("conv", "0"),
        ("STEM relu", "1"),
        ("type:conv", "0"),
        ("type:Linear name:head", "2"),
        ('name:"head fc"', "2"),
        ("module:stem", "01"),
        ("source:model.py", "2"),
        ("dtype:float16", "0"),
        ("dtype:f16", "0"),
        ("dtype:float", "02"),
        ("dtype:bf16", "1"),
        ("shape:1,28", ""),
        ("shape:28,28", "0"),
        ("shape:14x14", "01"),
        ("shape:64×14×14", "01"),
        ("shape:batch,?,28", "0"),
        ("shape:batch,*,14", "0"),
        ("in:1,128", "2"),
        ("out:1,128", ""),
        ("shape:280", "3"),
        ("shape:3,3", "0"),
        ("weight:64,3", "0"),
        ("in:64,3", ""),
        ("64x3x3", "0"),
        ("params>1M", "0"),
        ("params>=5130 params<1e6", "2"),
        ("parameters=7", "3"),
        ("macs>0", "0"),
        ("macs=0", "1"),
        ("memory>25kB", "0"),
        ("intensity>19.5", "0"),
        ("-type:ReLU", "023"),
        ("-conv -relu", "23"),
        ("aten::mm", "3"),
        ("aten::mm type:", ""),
        ("params>many", ""),
        ("conv*f16", "0"),
        ('"', "0123"),
    ],
)
def test_typed(typed: str, found: str) -> None:
    fits = conditions(typed)
    assert "".join(str(row.index) for row in ROWS if all(test(row, haystack(row)) for test in fits)) == found


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "type:Conv params>1M -name:a aten::mm",
            "aten::mm is looked for as it stands: there is no aten, but name, type",
        ),
        ("params>abc", "params>abc is looked for as it stands: abc is no number, such as 1M."),
        ("type=Conv", "type=Conv is looked for as it stands: write type:Conv."),
        ("params:5", "params:5 is looked for as it stands: write params>1M."),
        ("conv shape:1,28", ""),
    ],
)
def test_a_key_that_is_none_is_said_to_be_a_word(text: str, says: str) -> None:
    assert unread(text).startswith(says)
    assert bool(unread(text)) is bool(says)
