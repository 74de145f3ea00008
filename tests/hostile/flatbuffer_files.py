"""TensorFlow Lite, case 63: offsets that lead out of the file, calls in a circle, counts that no file has."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

from case import Case, plain
from witness import Seen

from inspector.worker.tasks.tensor import TASK as TENSOR
from inspector.worker.tasks.tensor import TensorArgs

CUSTOM, RESHAPE, ADD, WHILE = 32, 22, 0, 119
CUT_OFF = "m.tflite is cut off or no TensorFlow Lite model."


def vector(builder: Any, items: list[Any], kind: str = "UOffsetTRelative") -> int:
    """A vector of offsets or of numbers."""
    size = 8 if kind in ("Int64", "Uint64") else 4
    builder.StartVector(size, len(items), size)
    for item in reversed(items):
        getattr(builder, f"Prepend{kind}")(item)
    made: int = builder.EndVector()
    return made


def table(builder: Any, kind: str, **fields: Any) -> int:
    """A table of the schema; fields by the names of its `Add` functions."""
    import tflite

    getattr(tflite, f"{kind}Start")(builder)
    for name, value in fields.items():
        getattr(tflite, f"{kind}Add{name}")(builder, value)
    made: int = getattr(tflite, f"{kind}End")(builder)
    return made


def model(
    code: dict[str, Any] | None = None,
    options: Callable[[Any], tuple[int, int]] | None = None,
    buffer: dict[str, Any] | None = None,
    dims: tuple[int, ...] = (2, 3),
    **more: Any,
) -> Callable[[Path], Path]:
    """A model of one operator that takes an input and a weight.

    Args:
        code: Of the operator code; `CustomCode` as text.
        options: Gives the type of the operator's options and the options.
        buffer: Of the weight's buffer.
        dims: Of the weight.
        more: How many `tensors` and `graphs` there are; `own`, the settings of a custom operator.
    """

    def build(folder: Path) -> Path:
        import flatbuffers

        b = flatbuffers.Builder(1024)
        names = [b.CreateString(text) for text in ("x", "w", "y")]
        shapes = [vector(b, list(sizes), "Int32") for sizes in ((2, 3), dims, (2, 3))]
        tensors = [
            table(b, "Tensor", Name=name, Shape=shape, Buffer=at, Type=0)
            for name, shape, at in zip(names, shapes, (0, 1, 0), strict=True)
        ]
        kind = dict(code or {"DeprecatedBuiltinCode": ADD, "BuiltinCode": ADD})
        if "CustomCode" in kind:
            kind["CustomCode"] = b.CreateString(kind["CustomCode"])
        codes = vector(b, [table(b, "OperatorCode", **kind)])
        ends = [vector(b, numbers, "Int32") for numbers in ([0, 1], [2], [0])]
        number, made = options(b) if options else (0, 0)
        extra = {"BuiltinOptionsType": number, "BuiltinOptions": made} if options else {}
        if "own" in more:
            extra["CustomOptions"] = b.CreateByteVector(more["own"])
        operators = vector(b, [table(b, "Operator", OpcodeIndex=0, Inputs=ends[0], Outputs=ends[1], **extra)])
        held = vector(b, tensors * more.get("tensors", 1))
        graph = table(b, "SubGraph", Tensors=held, Inputs=ends[2], Outputs=ends[1], Operators=operators)
        graphs = vector(b, [graph] * more.get("graphs", 1))
        data = b.CreateByteVector(bytes(24))
        filled = table(b, "Buffer", **({"Data": data} if buffer is None else buffer))
        buffers = vector(b, [table(b, "Buffer"), filled])
        b.Finish(table(b, "Model", Version=3, OperatorCodes=codes, Subgraphs=graphs, Buffers=buffers), b"TFL3")
        path = folder / "m.tflite"
        path.write_bytes(bytes(b.Output()))
        return path

    return build


def another(op: str) -> bytes:
    """The settings of a TensorFlow operator, which may not be the one that the custom operator is called after."""
    from flatbuffers import flexbuffers
    from tensorboard.compat.proto.node_def_pb2 import NodeDef

    b = flexbuffers.Builder()
    with b.Vector():
        b.String(op)
        b.String(NodeDef(name="n", op=op).SerializeToString().decode("ascii"))
    return bytes(b.Finish())


def looping(builder: Any) -> tuple[int, int]:
    """A loop whose condition and body are the graph that it stands in."""
    import tflite

    options = table(builder, "WhileOptions", CondSubgraphIndex=0, BodySubgraphIndex=0)
    return tflite.BuiltinOptions.WhileOptions, options


def reshaping(builder: Any) -> tuple[int, int]:
    """A new shape of 500,000 sizes."""
    import tflite

    return tflite.BuiltinOptions.ReshapeOptions, table(
        builder, "ReshapeOptions", NewShape=vector(builder, [2**31 - 1] * 500_000, "Int32")
    )


def withheld(seen: Seen) -> None:
    """The values of the weight are refused in words."""
    said = seen.answers["tensor"]
    assert isinstance(said, str), said
    assert "'w'" in said or "A tensor of" in said, said


def turned(path: Path, at: int, value: int) -> Path:
    """A number of 32 bits in the file replaced."""
    data = bytearray(path.read_bytes())
    struct.pack_into("<I", data, at, value)
    path.write_bytes(data)
    return path


def rooted(offset: int) -> Callable[[Path], Path]:
    """A whole model whose root lies elsewhere."""
    return lambda folder: turned(model()(folder), 0, offset)


VALUES = ((TENSOR, TensorArgs("w")),)
RING = {"DeprecatedBuiltinCode": WHILE, "BuiltinCode": WHILE}

CASES = [
    Case(63, "8 bytes whose root lies 2 GB away", plain(b"\xff\xff\xff\x7fTFL3", "m.tflite"), "refused", CUT_OFF),
    Case(63, "a root at the last byte", rooted(0xFFFFFFFF), "refused", CUT_OFF),
    Case(63, "a root in the middle of nothing", rooted(200), "either"),
    *(
        Case(
            63, f"a buffer at 2^64 - {2**64 - offset}", model(buffer={"Offset": offset, "Size": 24}), "opened",
            "The values of 1 tensors are not in the file, such as 'w'.", "warning", check=withheld, then=VALUES,
        )
        for offset in (2**64 - 8, 2**64 - 24, 2**63)
    ),
    Case(
        63, "a buffer of 2^64 - 1 bytes", model(buffer={"Offset": 16, "Size": 2**64 - 1}), "opened",
        "The values of 1 tensors are not in the file, such as 'w'.", "warning", check=withheld, then=VALUES,
    ),
    Case(63, "a graph that runs itself", model(RING, looping), "opened", "The graph 'main' runs itself.", "warning"),
    Case(
        63, "a Reshape to 500,000 dimensions",
        model({"DeprecatedBuiltinCode": RESHAPE, "BuiltinCode": RESHAPE}, reshaping), "opened", "RESHAPE",
    ),
    Case(
        63, "a weight of 500,000 dimensions", model(dims=(2**31 - 1,) * 500_000), "opened",
        "The tensor 'w' has 500,000 dimensions.", "warning", seconds=5,
    ),
    Case(
        63, "a weight of (2^31 - 1)^4", model(dims=(2**31 - 1,) * 4), "opened", "w", check=withheld, then=VALUES,
    ),
    Case(
        63, "an operator of somebody's own", model({"DeprecatedBuiltinCode": CUSTOM, "BuiltinCode": CUSTOM,
        "CustomCode": "Evil\u202e<b>"}), "opened", "The model uses custom operators: Evil<b>.", "warning",
    ),
    Case(
        63, "an operator of TensorFlow", model({"DeprecatedBuiltinCode": CUSTOM, "BuiltinCode": CUSTOM,
        "CustomCode": "FlexReadFile"}), "opened",
        "The model uses TensorFlow's own operators: FlexReadFile (reads files).", "danger",
    ),
    Case(
        63, "an operator of TensorFlow by the name of another", model({"DeprecatedBuiltinCode": CUSTOM,
        "BuiltinCode": CUSTOM, "CustomCode": "FlexAddV2"}, own=another("WriteFile")), "opened",
        "The model uses TensorFlow's own operators: FlexAddV2, FlexWriteFile (writes files).", "danger",
    ),
    Case(
        63, "10,000 times the same graph of 10,000 times the same tensors", model(graphs=10_000, tensors=10_000),
        "refused", "The model claims more parts than its file can hold.",
    ),
]  # fmt: skip
