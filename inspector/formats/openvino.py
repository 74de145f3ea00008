"""OpenVINO's own form (IR): the network as XML, the constants as ranges of bytes of the .bin file beside it.

Versions 10 and 11 are read in full; of older ones the layers, shapes and the bytes of weights. The XML is read without
document types and entities; the .bin is looked for beneath the model's folder only.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from math import prod
from pathlib import PurePath

import numpy as np

from inspector.errors import FormatError
from inspector.formats._documents import documented
from inspector.formats._format import Format, Glimpse, Support
from inspector.formats._modules import tree
from inspector.formats._openvino_graph import Build, Weights
from inspector.formats._openvino_roles import NARROW, settled
from inspector.formats._openvino_shapes import reshape as propagated
from inspector.formats._openvino_xml import Net, parse
from inspector.formats._raw import fetch_raw, fetch_raw_part, read_at
from inspector.formats._source import Source
from inspector.formats._tensors import Array
from inspector.formats._tf_translated import is_open
from inspector.ir import Graph, Model, Note, Shape, Signature, Tensor, Value

NET = re.compile(rb"<net\b[^>]*\sversion\s*=\s*[\"']\d+[\"'][^>]*>", re.IGNORECASE)
LONG = 200
STATE = 1 << 20
"""Bytes of an initial state that is looked at to see whether it is zero."""

NUMBERS = {"int64": "<i8", "int32": "<i4", "float32": "<f4"}
MOST_NUMBERS, MOST_CONSTANTS = 64, 50_000
"""Constants that shapes may be made of: their types, elements of one, and how many are looked at."""

NF4 = np.array([
    -1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635, -0.18477343022823334,
    -0.09105003625154495, 0.0, 0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224,
    0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1.0,
], np.float32)  # fmt: skip
"""The sixteen values of a normal float of four bits (QLoRA, appendix E)."""


def sniff(glimpse: Glimpse) -> Support:
    """XML whose outermost element is a network with a version."""
    head = glimpse.head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not head.startswith(b"<"):
        return Support.NO
    return Support.YES if NET.search(head) else Support.NO


def read(source: Source) -> Model:
    """The whole structure; weights as places in the .bin file."""
    with source.open() as file:
        net = parse(file, source.name)
    weights = Weights(f"{PurePath(source.name).stem}.bin")
    graphs: list[Graph] = []
    main = Build(weights, graphs).graph(net, "main")
    notes, size = _weights_there(source, weights)
    tensors = settled(weights.tensors, weights.uses, lambda tensor: _is_zero(source, tensor, size))
    if is_open(main):
        tensors = _known(source, tensors, size)
    facts = {"IR version": net.version, "network": net.name, **_opsets(graphs), **net.facts}
    runtime = net.facts.get("Runtime_version") or net.facts.get("MO_version", "")
    made = Model(
        format="openvino",
        producer=f"OpenVINO {runtime.partition('-')[0]}"[:LONG].strip(),
        graphs=tuple(graphs),
        tensors=tensors,
        modules=tree({node.module: "" for graph in graphs for node in graph.nodes if node.module}),
        signatures=(_signature(main),),
        metadata={key: text for key, text in facts.items() if text and len(text) <= LONG and "\n" not in text},
        texts={key: text for key, text in facts.items() if len(text) > LONG or "\n" in text},
        notes=(*notes, *_remarks(net, graphs)),
    )
    return reshape(made, {})


def reshape(model: Model, shapes: Mapping[str, Shape | None]) -> Model:
    """The model under these shapes of its inputs, by their names in the signature.

    Raises:
        FormatError: The file does not allow one of the shapes, or an operator cannot take what would reach it.
    """
    made = propagated(model, shapes)
    return replace(made, signatures=(_signature(made.graphs[0]),))


def _known(source: Source, tensors: dict[str, Tensor], size: int) -> dict[str, Tensor]:
    """The tensors, with the numbers of small ones that shapes may be made of."""
    small = [
        tensor
        for tensor in tensors.values()
        if tensor.dtype in NUMBERS
        and tensor.count <= MOST_NUMBERS
        and tensor.place.offset + tensor.place.size <= size
        and not tensor.place.layout
    ][:MOST_CONSTANTS]
    if not small:
        return tensors
    found = dict(tensors)
    with source.open(small[0].place.file) as file:
        for tensor in small:
            data = read_at(file, tensor.place.offset, tensor.place.size, f"tensor {tensor.name[:100]!r}")
            numbers = tuple(np.frombuffer(data, NUMBERS[tensor.dtype]).tolist())
            found[tensor.name] = replace(tensor, place=replace(tensor.place, layout={"numbers": numbers}))
    return found


def _weights_there(source: Source, weights: Weights) -> tuple[list[Note], int]:
    """What is to be said of the .bin file, and its size; -1 where it cannot be read."""
    if not weights.tensors:
        return [], -1
    try:
        with source.open(weights.file) as file:
            size = file.seek(0, 2)
    except FormatError as error:
        text = f"The weights cannot be read: {error.what}"
        return [Note("warning", text, error.hint or f"Put {weights.file} beside the .xml file.")], -1
    lost = [t.name for t in weights.tensors.values() if t.place.offset + t.place.size > size]
    if not lost:
        return [], size
    text = f"The values of {len(lost):,} constants are not in {weights.file}, such as {lost[0][:100]!r}."
    return [Note("warning", text, "It is incomplete or of another model; fetch it again.")], size


def _is_zero(source: Source, tensor: Tensor, size: int) -> bool:
    place = tensor.place
    if place.size > STATE or place.offset + place.size > size:
        return False
    with source.open(place.file) as file:
        return not any(read_at(file, place.offset, place.size, "initial state"))


def _opsets(graphs: list[Graph]) -> dict[str, str]:
    """How many layers are of each operator set."""
    count: dict[str, int] = {}
    for graph in graphs:
        for node in graph.nodes:
            count[node.domain] = count.get(node.domain, 0) + 1
    return {
        f"operators of {name[:LONG]}": f"{number:,}" for name, number in sorted(count.items(), key=_natural) if name
    }


def _natural(pair: tuple[str, int]) -> tuple[str, int]:
    digits = pair[0].removeprefix("opset")
    return ("opset", int(digits)) if digits.isdecimal() and len(digits) < 9 else (pair[0], 0)


def _signature(main: Graph) -> Signature:
    return Signature("main", tuple(map(_called, main.inputs)), tuple(map(_called, main.outputs)))


def _called(value: Value) -> Value:
    """A value under the first name that the model's author knows it by."""
    name = value.doc.partition(",")[0]
    return replace(value, name=name) if name else value


def _remarks(net: Net, graphs: list[Graph]) -> list[Note]:
    notes = []
    if net.version.isdecimal() and int(net.version[:9]) < 10:
        text = f"The file is of version {net.version[:9]}, which OpenVINO reads no more since 2024."
        notes.append(Note("info", text, "Shapes of its weights are not in it; convert the original model again."))
    if net.version.isdecimal() and int(net.version[:9]) > 11:
        notes.append(Note("warning", f"The file is of version {net.version[:9]}; versions up to 11 are known."))
    own = sorted({n.op for g in graphs for n in g.nodes if not n.domain.startswith("opset") and n.domain})
    if own:
        notes.append(Note("warning", f"The model uses operators of no operator set: {', '.join(own)[:300]}."))
    return notes


def fetch(source: Source, tensor: Tensor) -> Array:
    """The values of one constant; those of types that numpy does not have as the smallest that holds them."""
    if tensor.dtype not in NARROW and tensor.dtype != "string":
        return fetch_raw(source, tensor)
    place = tensor.place
    with source.open(place.file) as file:
        data = read_at(file, place.offset, place.size, f"tensor {tensor.name[:100]!r}")
    if tensor.dtype == "string":
        return _strings(data, tensor.shape)
    count = prod(tensor.shape)
    if len(data) * 8 < count * {"uint1": 1, "uint3": 3, "uint6": 6, "nf4": 4}[tensor.dtype]:
        raise FormatError(f"{tensor.name[:100]!r} has fewer bytes than its shape needs.", hint="The file is damaged.")
    return _narrow(np.frombuffer(data, np.uint8), tensor.dtype, count).reshape(tensor.shape)


def _narrow(packed: Array, dtype: str, count: int) -> Array:
    """Numbers of few bits. Of three and six bits the low ones of several stand first, then all the high ones."""
    if dtype == "uint1":
        bits: Array = np.unpackbits(packed)[:count]
        return bits
    if dtype == "nf4":
        values: Array = NF4[np.stack([packed & 15, packed >> 4], axis=1).reshape(-1)[:count]]
        return values
    low, high = (2, 1) if dtype == "uint3" else (4, 2)
    whole = np.zeros((-(-packed.size // 3), 3), np.uint8)
    whole.reshape(-1)[: packed.size] = packed
    parts = [_from_the_left(whole[:, :2], low), _from_the_left(whole[:, 2:], high) << np.uint8(low)]
    made: Array = parts[0] | parts[1]
    return made.reshape(-1)[:count]


def _from_the_left(part: Array, bits: int) -> Array:
    """Numbers of so many bits, the highest bits of a byte first."""
    shifts = np.arange(8 - bits, -1, -bits, dtype=np.uint8)
    values: Array = (part[:, :, None] >> shifts) & np.uint8((1 << bits) - 1)
    return values.reshape(len(part), -1)


def _strings(data: bytes, shape: tuple[int, ...]) -> Array:
    """Strings: their number, where each begins and the last one ends, then their bytes."""
    try:
        (length,) = struct.unpack_from("<i", data)
        if length != prod(shape) or length > len(data) // 4:
            raise FormatError("A constant of strings is damaged.", hint="Fetch or copy the file again.")
        bounds = struct.unpack_from(f"<{length + 1}i", data, 4)
        words = data[8 + 4 * length :]
        made = [words[a:b].decode("utf-8", "backslashreplace") for a, b in pairwise(bounds)]
        return np.array(made, dtype=object).reshape(shape)
    except (struct.error, ValueError) as error:
        raise FormatError("A constant of strings is damaged.", hint="Fetch or copy the file again.") from error


def fetch_part(source: Source, tensor: Tensor, start: int, count: int) -> Array | None:
    """Some values in C order; None where several share a byte."""
    return None if tensor.dtype in NARROW else fetch_raw_part(source, tensor, start, count)


FORMAT = Format(
    id="openvino",
    title="OpenVINO",
    suffixes=(".xml",),
    sniff=sniff,
    read=read,
    fetch=fetch,
    mime="",  # the desktop knows types by suffix before it looks inside, and .xml is everybody's
    fetch_part=fetch_part,
    document=documented("openvino"),
    reshape=reshape,
)
