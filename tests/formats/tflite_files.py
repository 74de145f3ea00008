"""TensorFlow Lite files written with the schema's own objects: sparse constants, metadata, archives."""

from __future__ import annotations

import base64
import zlib
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

DENSIFY, RELU = 124, 19
FLOAT32 = 0


def packed(item: Any, mark: bytes = b"TFL3") -> bytes:
    """A root table as bytes."""
    builder = flatbuffers.Builder(1024)
    builder.Finish(item.Pack(builder), file_identifier=mark)
    return bytes(builder.Output())


def tensor(name: str, shape: list[int], buffer: int = 0, sparsity: Any = None) -> Any:
    made = schema.TensorT()
    made.name, made.shape, made.buffer, made.type, made.sparsity = name.encode(), shape, buffer, FLOAT32, sparsity
    return made


def model(code: int, tensors: list[Any], buffers: list[bytes], metadata: dict[str, bytes] | None = None) -> bytes:
    """One operator that takes the first tensor and gives the last one."""
    op, made, graph, call = schema.OperatorCodeT(), schema.ModelT(), schema.SubGraphT(), schema.OperatorT()
    op.builtinCode, op.deprecatedBuiltinCode = code, min(code, 127)
    op.version = 1
    call.opcodeIndex, call.inputs, call.outputs = 0, [0], [len(tensors) - 1]
    graph.tensors, graph.operators, graph.outputs = tensors, [call], [len(tensors) - 1]
    graph.inputs = [] if buffers else [0]
    made.version, made.operatorCodes, made.subgraphs, made.description = 3, [op], [graph], b"made by a test"
    made.buffers = [schema.BufferT() for _ in range(1 + len(buffers))]
    for at, data in enumerate(buffers, 1):
        made.buffers[at].data = np.frombuffer(data, np.uint8)
    made.metadata = []
    for name, data in (metadata or {}).items():
        entry = schema.MetadataT()
        entry.name, entry.buffer = name.encode(), len(made.buffers)
        made.metadata.append(entry)
        made.buffers.append(schema.BufferT())
        made.buffers[-1].data = np.frombuffer(data, np.uint8)
    return packed(made)


def recurrence(code: int, option: str, shapes: dict[int, list[int]], states: dict[int, list[int]]) -> bytes:
    """A recurrent operator: its inputs by position, those of `shapes` stored but the first; one that gives all steps.

    Args:
        code: Of the operator.
        option: Name of the table of its settings.
        shapes: Of the data, whose batch is open, and of the matrices.
        states: Shapes of the variables.
    """
    op, made, graph, call = schema.OperatorCodeT(), schema.ModelT(), schema.SubGraphT(), schema.OperatorT()
    op.builtinCode, op.deprecatedBuiltinCode, op.version = code, code, 1
    call.builtinOptionsType, call.builtinOptions = (
        getattr(schema.BuiltinOptions, option),
        getattr(schema, option + "T")(),
    )
    call.opcodeIndex, call.inputs, call.outputs = 0, [-1] * (1 + max({**shapes, **states})), [0]
    result = tensor("result", [1, 1, 1])
    result.shapeSignature = [-1, -1, -1]
    graph.tensors, made.buffers = [result], [schema.BufferT()]
    for at, shape in {**shapes, **states}.items():
        call.inputs[at] = len(graph.tensors)
        item = tensor(f"input{at}", shape)
        item.isVariable = at in states
        if not at:
            item.shapeSignature = [-1, *shape[1:]]
        elif at in shapes:
            item.buffer = len(made.buffers)
            made.buffers.append(schema.BufferT())
            made.buffers[-1].data = np.zeros(4 * int(np.prod(shape)), np.uint8)
        graph.tensors.append(item)
    graph.operators, graph.inputs, graph.outputs = [call], [call.inputs[0]], [0]
    made.version, made.operatorCodes, made.subgraphs = 3, [op], [graph]
    return packed(made)


def level(size: int = 0, segments: list[int] | None = None, indices: list[int] | None = None) -> Any:
    """A level of a sparse tensor: dense with a size, or sparse."""
    made = schema.DimensionMetadataT()
    made.format, made.denseSize = int(segments is not None), size
    if segments is not None:
        made.arraySegmentsType, made.arrayIndicesType = 1, 3
        made.arraySegments, made.arrayIndices = schema.Int32VectorT(), schema.Uint8VectorT()
        made.arraySegments.values, made.arrayIndices.values = segments, indices
    return made


def sparse(shape: list[int], order: list[int], blocks: list[int], levels: list[Any], values: Any) -> bytes:
    """A sparse constant that `DENSIFY` makes dense."""
    made = schema.SparsityParametersT()
    made.traversalOrder, made.blockMap, made.dimMetadata = order, blocks, levels
    data = np.asarray(values, "<f4").tobytes()
    return model(DENSIFY, [tensor("w", shape, 1, made), tensor("dense", shape)], [data])


METADATA = zlib.decompress(base64.b85decode(
    'c-m!BJ5Iwu5FIBWIEf1@qDT=Wmo!*`1AzDxP#__Zf&w9I#}G?)Hi{icIu1Zd!4bFx6qGp%CB1pGI}koAy`A0J*|%?Iwo61Oz1|j4'
    'n>^}Lht|j?hit0BL+}tC0e#>KC@MrV;0ds>uK|~3S;DN?m>gP;25_sQAoPn_fprtu8wb%a-rV+kL>zynvN%+OIma`ft2tcF!x|jn'
    'd<Nbv6VuV`ZHXc>Ohzwz4uRnhK7QHcw5l~=RR3yae;R~wnj5i}oZC2QfcrbXTGzVj`quqU3-frQ!XQl2q?l7hYGv|p^gWV1Y^mot'
    '>Sg>?JH^`4Oei31uBM}bzW=)yuH=of(FO1TyaEg0QTQCm8Eh|NcfWeHSiWh!{fnmqW6S*yoSB+Y#YRL+au=Uviym9_c*4ISxw*1u'
    'zDVp$EH{~R41*%#{&4M%N8@SXC0TG2>oc=599fWzv=IJB_@V3kf4oc$;?%oV6R(K#BKMp9JLRRxD9(Lu57%GK=@VdTSJ4'
))  # fmt: skip
"""Written by TensorFlow Lite Support 0.4.4's own objects: a picture and a sound in, labels out."""
