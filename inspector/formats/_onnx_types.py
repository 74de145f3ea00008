"""ONNX's types, names and attributes in the IR's words."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from inspector.formats._onnx_wire import damaged
from inspector.ir import Attribute, Shape, Value

DTYPES = (
    "", "float32", "uint8", "int8", "uint16", "int16", "int32", "int64", "string", "bool", "float16", "float64",
    "uint32", "uint64", "complex64", "complex128", "bfloat16", "float8_e4m3fn", "float8_e4m3fnuz", "float8_e5m2",
    "float8_e5m2fnuz", "uint4", "int4", "float4_e2m1fn", "float8_e8m0fnu", "uint2", "int2",
)  # fmt: skip
"""IR dtype names by the numbers of TensorProto.DataType."""

LONGEST = 1000
"""Lists of an attribute longer than this are shown by their beginning."""


RANK = 64
"""Shapes of more dimensions are not known: numpy has none, and working with them can take for ever."""

SHARED = 512
"""Attributes of at most so many bytes are looked up, lest several nodes have the same."""


def text(value: str | bytes) -> str:
    """A name of the file; protobuf gives bytes where it is not UTF-8."""
    return value if isinstance(value, str) else value.decode("utf-8", "backslashreplace")


def decoded(kind: Any, data: bytes, offset: int = 0) -> Any:
    """A protobuf message of a class from its bytes.

    Raises:
        FormatError: They are none; it names the offset in the file.
    """
    from google.protobuf.message import DecodeError

    try:
        return kind.FromString(data)
    except DecodeError as error:
        raise damaged(offset) from error


def dtype_name(number: int) -> str:
    """IR name of a TensorProto.DataType; empty where it is unknown."""
    return DTYPES[number] if 0 <= number < len(DTYPES) else ""


class Words(dict[str | bytes, str]):
    """Each text of the file as one string, however often it stands there: at who makes a value and at all who take it.

    A large model has few texts, many times each.
    """

    def __missing__(self, raw: str | bytes) -> str:
        word = self[raw] = text(raw)
        return word


class Types(dict[bytes, tuple[str, Shape | None]]):
    """dtype and shape by serialised TypeProto: a large model has few, many times each."""

    def value_of(self, info: Any, words: Words) -> Value:
        """A ValueInfoProto as a Value."""
        raw = info.type.SerializePartialToString()
        known = self.get(raw)
        if known is None:
            known = self[raw] = type_of(info.type)
        name = info.name
        return Value(words.setdefault(name, name) if type(name) is str else words[name], *known, words[info.doc_string])


def type_of(proto: Any) -> tuple[str, Shape | None]:
    """dtype and shape of a TypeProto; containers name what they hold: `sequence(float32)`."""
    kind = proto.WhichOneof("value")
    if kind in ("tensor_type", "sparse_tensor_type"):
        tensor = getattr(proto, kind)
        known = tensor.HasField("shape") and len(tensor.shape.dim) <= RANK
        shape = tuple(map(_dim, tensor.shape.dim)) if known else None
        return dtype_name(tensor.elem_type), shape
    if kind in ("sequence_type", "optional_type"):
        return f"{kind.partition('_')[0]}({type_of(getattr(proto, kind).elem_type)[0]})", None
    if kind == "map_type":
        return f"map({dtype_name(proto.map_type.key_type)}, {type_of(proto.map_type.value_type)[0]})", None
    return "", None


def _dim(dim: Any) -> int | str | None:
    kind = dim.WhichOneof("value")
    if kind == "dim_value":
        return int(dim.dim_value) if dim.dim_value >= 0 else None
    name = text(dim.dim_param) if kind == "dim_param" else ""
    return None if name in ("", "?", "None", "-1") else name  # Paddle calls every unknown size "?"


def attribute_of(proto: Any, graphs: dict[str, list[str]]) -> Attribute:
    """An AttributeProto as plain data.

    Args:
        proto: The attribute.
        graphs: Names that the graphs inside attributes were given, by attribute name.
    """
    if (
        proto.ref_attr_name
        and not any(proto.HasField(name) for name in ("f", "i", "s", "t"))
        and not (proto.floats or proto.ints or proto.strings)
    ):
        return f"@{text(proto.ref_attr_name)}"
    name, kind = text(proto.name), proto.type
    if kind in (5, 10):
        names = tuple(f"graph:{graph}" for graph in graphs.get(name, ()))
        return names[0] if kind == 5 and names else names
    if kind in _SINGLE:
        single: Attribute = _SINGLE[kind](proto)
        return single
    if kind in _MANY:
        field, convert = _MANY[kind]
        values = getattr(proto, field)
        listed = tuple(convert(value) for value in values[:LONGEST])
        return listed if len(values) <= LONGEST else (*listed, f"… {len(values) - LONGEST:,} more")
    return None


class Attributes:
    """Attributes of nodes as plain data; nodes whose attributes are the same bytes share them."""

    def __init__(self) -> None:
        self._known: dict[tuple[bytes, ...], dict[str, Attribute]] = {}
        self.none: dict[str, Attribute] = {}
        """Of nodes that have none."""
        self._texts: dict[str, dict[str, Attribute] | None] = {}

    def read(self, fields: str) -> dict[str, Attribute] | None:
        """Those of one node that is not decoded; None where they hold graphs, which have to be read with the node.

        Args:
            fields: The bytes of a NodeProto's attributes, each as the character of its number.
        """
        if fields in self._texts:
            return self._texts[fields]
        import onnx

        protos = decoded(onnx.NodeProto, fields.encode("latin-1")).attribute
        inner = any(proto.type in (5, 10) or proto.HasField("g") or proto.graphs for proto in protos)
        found = None if inner else _listed(protos, {})
        if len(fields) <= SHARED:
            self._texts[fields] = found
        return found

    def of(self, protos: Collection[Any], graphs: dict[str, list[str]]) -> dict[str, Attribute]:
        """Those of one node.

        Args:
            protos: Its attributes.
            graphs: Names that the graphs inside them were given, by attribute name.
        """
        if not protos:
            return self.none
        if graphs:
            return _listed(protos, graphs)
        key = tuple([proto.SerializePartialToString() for proto in protos])
        found = self._known.get(key)
        if found is None:
            found = _listed(protos, graphs)
            if sum(map(len, key)) <= SHARED:
                self._known[key] = found
        return found


def _listed(protos: Iterable[Any], graphs: dict[str, list[str]]) -> dict[str, Attribute]:
    return {text(proto.name): attribute_of(proto, graphs) for proto in protos}


def tensor_text(proto: Any) -> str:
    """A tensor attribute in words: its type, shape and, where they are few, values."""
    words = f"{dtype_name(proto.data_type) or 'unknown'}[{','.join(map(str, proto.dims))}]"
    values = list(proto.float_data or proto.int64_data or proto.double_data)
    return f"{words} {values}" if 0 < len(values) <= 8 else words


def _string(value: bytes) -> Attribute:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value


def _type_words(proto: Any) -> str:
    dtype, shape = type_of(proto)
    return dtype if shape is None else f"{dtype}[{','.join('?' if dim is None else str(dim) for dim in shape)}]"


_SINGLE: dict[int, Any] = {
    1: lambda proto: float(proto.f),
    2: lambda proto: int(proto.i),
    3: lambda proto: _string(proto.s),
    4: lambda proto: tensor_text(proto.t),
    11: lambda proto: tensor_text(proto.sparse_tensor.values),
    13: lambda proto: _type_words(proto.tp),
}
_MANY: dict[int, tuple[str, Any]] = {
    6: ("floats", float),
    7: ("ints", int),
    8: ("strings", _string),
    9: ("tensors", tensor_text),
    12: ("sparse_tensors", lambda sparse: tensor_text(sparse.values)),
    14: ("type_protos", _type_words),
}
