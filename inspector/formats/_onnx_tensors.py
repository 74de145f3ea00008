"""Tensors of an ONNX model: where each lies, what it is for, and its values on demand."""

from __future__ import annotations

import mmap
import re
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np

from inspector.errors import FormatError
from inspector.formats._onnx_types import RANK, dtype_name, text
from inspector.formats._onnx_wire import Stripped, locate
from inspector.formats._raw import fetch_raw_part
from inspector.formats._source import Source
from inspector.formats._tensors import LARGEST, Array, dense, is_floating, state_role
from inspector.formats._unique import Numbered
from inspector.ir import Attribute, Note, Place, Role, Tensor
from inspector.ir.model import bytes_of

DIRECT = {
    "raw_data": None,
    "float_data": ("float32", "complex64"),
    "double_data": ("float64", "complex128"),
}
"""Fields whose bytes are the array itself, and for which dtypes (None: all)."""

LITERALS = {
    "value_float": "float32",
    "value_int": "int64",
    "value_string": "string",
    "value_floats": "float32",
    "value_ints": "int64",
    "value_strings": "string",
}
"""Attributes of a Constant node that hold its value without a tensor, and its dtype."""

BUFFERS = {"BatchNormalization": (3, 4)}
"""Inputs that hold running statistics."""

INTEGER_WEIGHTS = {
    "DequantizeLinear": (0,), "ConvInteger": (1,), "MatMulInteger": (1,), "QLinearConv": (3, 8), "QLinearMatMul": (3,),
    "DynamicQuantizeMatMul": (1,), "MatMulIntegerToFloat": (1,), "QGemm": (3, 6), "QAttention": (1,),
    "DynamicQuantizeLSTM": (1, 2), "QEmbedLayerNormalization": (2, 3, 4, 5, 6, 7), "MatMulNBits": (1,),
    "MatMulBnb4": (1,), "GatherBlockQuantized": (0,), "QMoE": (2, 5, 8), "QLinearAdd": (0, 3), "QLinearMul": (0, 3),
}  # fmt: skip
"""Inputs by which integers are learned weights."""

SETTINGS = {
    "DequantizeLinear": (1, 2), "QuantizeLinear": (1, 2), "QLinearConv": (1, 2, 4, 5, 6, 7),
    "QLinearMatMul": (1, 2, 4, 5, 6, 7), "ConvInteger": (2, 3), "MatMulInteger": (2, 3), "Resize": (1, 2, 3),
    "Upsample": (1,), "Clip": (1, 2), "Pad": (1, 2), "OneHot": (1, 2), "Range": (0, 1, 2), "Dropout": (1,),
    "NonMaxSuppression": (2, 3, 4), "Loop": (0, 1), "If": (0,), "MatMulNBits": (2, 3), "DynamicQuantizeMatMul": (2, 3),
    "MatMulIntegerToFloat": (2, 3, 4, 5), "Bernoulli": (0,), "ConstantOfShape": (0,), "GatherBlockQuantized": (2, 3),
    "MatMulBnb4": (2,), "QMoE": (3, 6, 9, 11, 12, 13, 15, 16, 17, 18, 19), "QAttention": (3, 4, 6, 7),
    "QGemm": (1, 2, 4, 5, 7, 8), "DynamicQuantizeLSTM": (8, 9, 10, 11), "QLinearAdd": (1, 2, 4, 5, 6, 7),
    "QLinearMul": (1, 2, 4, 5, 6, 7), "QEmbedLayerNormalization": tuple(range(8, 18)),
}  # fmt: skip
"""Inputs that say how to compute rather than what was learned: scales of a resize, bounds, quantization."""


def _pairs(table: Mapping[str, tuple[int, ...]]) -> frozenset[tuple[str, int]]:
    return frozenset((op, index) for op, indices in table.items() for index in indices)


RUNNING, LEARNED_INTEGERS, SETTING = _pairs(BUFFERS), _pairs(INTEGER_WEIGHTS), _pairs(SETTINGS)
STATES = _pairs({"LSTM": (5, 6), "GRU": (5,), "RNN": (5,), "DynamicQuantizeLSTM": (5, 6)})
"""Inputs that take the state before the first step: zeros there were not learned."""

MASKS = _pairs({"Add": (0, 1), "Where": (1, 2)})
"""Inputs that take what is added to the scores of attention: a square of zeros and of hardly any likelihood."""
IMPOSSIBLE = -1e4
"""Added to a score, this leaves nothing of it, also in half precision."""

BLANKS_READ = 1 << 25
"""Bytes of such states and masks that are looked at in one model."""

ARITHMETIC = frozenset(
    {"Add", "Sub", "Mul", "Div", "Pow", "Max", "Min", "Equal", "Greater", "Less", "Where", "Sqrt", "Expand"}
)
DATA = frozenset({"raw_data", "float_data", "double_data", "int32_data", "int64_data", "uint64_data"})
MADE_UP = re.compile(r"(?i)const|^val_\d+$|^onnx::|^_|^\d+$")
"""Names that exporters give to numbers of an expression."""


Uses = frozenset[tuple[str, int]]
UNUSED: Uses = frozenset()


@dataclass(slots=True)
class Shelf:
    """The tensors found so far, how they are used, and what is odd about them."""

    stripped: Stripped
    main: str = ""
    """Name of the main graph."""
    tensors: dict[str, Tensor] = field(default_factory=dict)
    uses: dict[str, Uses] = field(default_factory=dict)
    """Operators that take a tensor, and as which of their inputs."""
    kinds: dict[str, str] = field(default_factory=dict)
    """What torch's exporter says a tensor is, by name."""
    notes: list[Note] = field(default_factory=list)
    names: Numbered = field(default_factory=Numbered)
    settings: set[str] = field(default_factory=set)
    """What is said of data in other files, by name."""
    _unions: dict[tuple[Uses, str, int], Uses] = field(default_factory=dict)
    """Few sets of uses are different, also of a million tensors."""
    _layouts: dict[str, dict[str, Attribute]] = field(default_factory=lambda: {"message": {"field": "message"}})
    """One for all tensors that are stored alike."""

    def put(self, name: str, graph: str, dtype: str, shape: tuple[int, ...], place: Place) -> str:
        """Keep a tensor; the name it goes by: that of an inner graph goes with the graph's, for others may have it."""
        plain = name if graph == self.main else f"{graph}/{name}"
        key = self.names.free(plain, self.tensors)
        self.tensors[key] = Tensor(key, dtype, shape, place)
        self.uses[key] = UNUSED
        return key

    def use(self, key: str, op: str, index: int) -> None:
        """Note that an operator takes a tensor."""
        step = self.uses[key], op, index
        found = self._unions.get(step)
        if found is None:
            found = self._unions[step] = step[0] | {(op, index)}
        self.uses[key] = found

    def taken_by(self, ops: Container[str]) -> bool:
        """Whether one of these operators takes a tensor."""
        return any(op in ops for _, op, _ in self._unions)

    def dense(self, proto: Any, name: str, graph: str, path: str) -> str:
        """Keep a TensorProto."""
        dtype, shape = dtype_name(proto.data_type), self._sizes(proto, name)
        if shape and min(shape) < 0:
            shape = tuple(max(0, size) for size in shape)
            self.notes.append(Note("warning", f"The tensor {name[:100]!r} has a negative size."))
        return self.put(name, graph, dtype, shape, self._place(proto, dtype, shape, path))

    def sparse(self, proto: Any, name: str, graph: str, path: str) -> str:
        """Keep a SparseTensorProto."""
        shape = tuple(max(0, size) for size in self._sizes(proto, name))
        place = Place(member=path, size=proto.ByteSize(), layout={"field": "sparse"})
        return self.put(name, graph, dtype_name(proto.values.data_type), shape, place)

    def literal(self, proto: Any, name: str, graph: str, path: str) -> str:
        """Keep the value of a Constant node that stands in an attribute without a tensor."""
        kind = text(proto.name)
        shape = (len(getattr(proto, kind.removeprefix("value_"))),) if kind.endswith("s") else ()
        place = Place(member=path, size=proto.ByteSize(), layout={"field": kind})
        return self.put(name, graph, LITERALS[kind], shape, place)

    def _sizes(self, proto: Any, name: str) -> tuple[int, ...]:
        if len(proto.dims) <= RANK:
            return tuple(proto.dims)
        self.notes.append(Note("warning", f"The tensor {name[:100]!r} has {len(proto.dims):,} dimensions."))
        return (0,)

    def _place(self, proto: Any, dtype: str, shape: tuple[int, ...], path: str) -> Place:
        if proto.data_location == 1:
            facts = {text(entry.key): text(entry.value) for entry in proto.external_data}
            self.settings.update(facts)
            offset, size = _number(facts.get("offset", "0")), _number(facts.get("length", "-1"))
            if offset < 0 or (size < 0 and "length" in facts):
                self.notes.append(Note("warning", f"The tensor {text(proto.name)[:100]!r} has an impossible place."))
            size = size if size >= 0 else bytes_of(dtype, shape) or 0
            return Place(facts.get("location", ""), path, offset, size, {"field": "external"})
        spans = self.stripped.spans.get(path, [])
        if len(spans) == 1:
            name, offset, size = spans[0]
            return Place("", path, offset, size, self._layouts.setdefault(name, {"field": name}))
        size = sum(span[2] for span in spans) or proto.ByteSize()
        return Place("", path, 0, size, self._layouts["message"])

    def settled(self, is_blank: Callable[[Tensor, bool], bool]) -> dict[str, Tensor]:
        """Every tensor with its role, now that all uses are known.

        Args:
            is_blank: Whether a tensor is known to be all zeros or, with the second argument, a mask; asked of few.
        """
        left = BLANKS_READ
        known: dict[tuple[str, tuple[int, ...], Uses], Role] = {}
        for key, tensor in self.tensors.items():
            like = tensor.dtype, tensor.shape, self.uses[key]
            role = known.get(like)
            if role is None:
                role = self._role(tensor, like[2])
                if not self.kinds and tensor.count != 1:  # nothing is asked of its name
                    known[like] = role
            if role is Role.WEIGHT and tensor.nbytes <= left and (taken := self._taken_as_blank(tensor)):
                left -= tensor.nbytes
                role = Role.CONSTANT if is_blank(tensor, taken is MASKS) else role
            if role is not tensor.role:
                self.tensors[key] = Tensor(key, tensor.dtype, tensor.shape, tensor.place, role)
        return self.tensors

    def _taken_as_blank(self, tensor: Tensor) -> Uses:
        """The uses of a tensor that may be the state a recurrent layer begins with, or a mask, and nothing else."""
        uses, shape = self.uses[tensor.name], tensor.shape
        if not uses or len(shape) < 2 or self.kinds.get(tensor.name) == "PARAMETER" or not is_floating(tensor.dtype):
            return UNUSED
        if uses <= STATES:
            return STATES
        return MASKS if uses <= MASKS and shape[-1] == shape[-2] > 1 == prod(shape[:-2]) else UNUSED

    def _role(self, tensor: Tensor, uses: Uses) -> Role:
        kind = self.kinds.get(tensor.name)
        if kind == "PARAMETER":
            return Role.WEIGHT
        if kind in ("BUFFER", "CONSTANT_TENSOR") or uses & RUNNING:
            return state_role(tensor.dtype, tensor.shape)
        if not tensor.shape or (uses and uses <= SETTING):
            return Role.CONSTANT
        if tensor.count == 1 and MADE_UP.search(tensor.name) and {op for op, _ in uses} <= ARITHMETIC:
            return Role.CONSTANT
        if is_floating(tensor.dtype) or uses & LEARNED_INTEGERS:
            return Role.WEIGHT
        return Role.CONSTANT


def _number(words: str) -> int:
    return int(words) if words.isascii() and words.isdigit() and len(words) < 20 else -1


def blanks(source: Source, data: memoryview, proto: Any) -> Callable[[Tensor, bool], bool]:
    """A function that tells whether a tensor is all zeros, or a mask, as far as that is known without much reading.

    Args:
        source: The model.
        data: The bytes of its file.
        proto: What was decoded of it.
    """

    def known(tensor: Tensor, mask: bool) -> bool:
        place, stored = tensor.place, tensor.place.layout.get("field")
        try:
            if mask:
                values = fetch(source, tensor).astype(np.float32)
                return bool(((values == 0) | (values <= IMPOSSIBLE)).all() and (values < 0).any())
            if stored == "external":
                return not fetch(source, tensor).any()
            if stored in DATA:  # in each of these fields bytes of zero mean values of zero
                return not np.frombuffer(data[place.offset : place.offset + place.size], np.uint8).any()
            message = _inside(proto, place.member) if stored == "message" else None
            return message is not None and not _decoded(message.SerializeToString(), "message", tensor).any()
        except FormatError:
            return False

    return known


def _inside(proto: Any, path: str) -> Any:
    """The message at a path; None where it was cut out."""
    for step in path.split("."):
        name, _, index = step.partition("[")
        proto = getattr(proto, name)
        if index:
            if int(index[:-1]) >= len(proto):
                return None
            proto = proto[int(index[:-1])]
    return proto


def check_external(source: Source, tensors: dict[str, Tensor]) -> list[Note]:
    """What is wrong with the side files, without reading them."""
    ends: dict[str, int] = {}
    for tensor in tensors.values():
        place = tensor.place
        if place.layout.get("field") == "external":
            ends[place.file] = max(ends.get(place.file, 0), place.offset + place.size)
    notes = []
    for name, end in ends.items():
        try:
            source.side(name)  # refuses an empty name, which would be the model file itself
            with source.open(name) as file:
                size = file.seek(0, 2)
        except FormatError as error:
            notes.append(Note("warning", error.what, error.hint))
            continue
        if size < end:
            words = f"The side file {name!r} has {size:,} bytes; the model needs {end:,}."
            notes.append(Note("warning", words, "It is incomplete; fetch or copy it again."))
    return notes


def mapped(source: Source) -> memoryview:
    """The model file as memory; it is closed when the last view of it goes.

    Raises:
        FormatError: It is empty.
    """
    with source.open() as file:
        try:
            return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        except ValueError as error:
            raise FormatError(
                f"{source.name} is empty.", hint="The download or copy failed; fetch it again."
            ) from error


def fetch(source: Source, tensor: Tensor) -> Array:
    """The values of one tensor; reads only its bytes.

    Raises:
        FormatError: They are missing or are not what the model says.
    """
    place, stored = tensor.place, str(tensor.place.layout.get("field", ""))
    if tensor.nbytes > LARGEST:
        raise FormatError(f"The tensor {tensor.name[:100]!r} is too large to show ({tensor.nbytes:,} bytes).")
    if stored == "external" or (stored in DIRECT and tensor.dtype in (DIRECT[stored] or (tensor.dtype,))):
        if place.offset < 0 or (stored == "external" and not place.file):
            raise FormatError(f"The tensor {tensor.name[:100]!r} has an impossible place.", hint="The file is damaged.")
        with source.open(place.file) as file:
            if place.offset + place.size > file.seek(0, 2):
                raise FormatError(
                    f"The file ends inside the tensor {tensor.name[:100]!r}.",
                    hint="It is incomplete; fetch or copy it again.",
                )
            file.seek(place.offset)
            return dense(file.read(place.size), tensor.dtype, tensor.shape)
    buffer = mapped(source)
    start, end = locate(buffer, place.member)
    return _decoded(bytes(buffer[start:end]), stored, tensor)


def fetch_part(source: Source, tensor: Tensor, start: int, count: int) -> Array | None:
    """Some values of one tensor; see `Format.fetch_part`."""
    place, stored = tensor.place, str(tensor.place.layout.get("field", ""))
    direct = stored in DIRECT and tensor.dtype in (DIRECT[stored] or (tensor.dtype,))
    plain = direct or (stored == "external" and bool(place.file))
    return fetch_raw_part(source, tensor, start, count) if plain and place.offset >= 0 else None


def _decoded(data: bytes, stored: str, tensor: Tensor) -> Array:
    """An array from a serialised TensorProto, SparseTensorProto or AttributeProto."""
    import onnx
    from google.protobuf.message import DecodeError

    try:
        if stored == "sparse":
            array = _densified(onnx.SparseTensorProto.FromString(data), tensor)
        elif stored.startswith("value"):
            array = _attribute_values(onnx.AttributeProto.FromString(data), stored)
        else:
            array = onnx.numpy_helper.to_array(onnx.TensorProto.FromString(data))
        if tensor.dtype == "string":
            words = [text(item) for item in array.reshape(-1)]
            array = np.array(words, dtype=object)
        return np.array(array.reshape(tensor.shape), order="C")
    except (DecodeError, ValueError, TypeError, IndexError, KeyError, OverflowError) as error:
        raise FormatError(
            f"The values of {tensor.name[:100]!r} cannot be read: {str(error)[:200]}", hint="The file may be damaged."
        ) from error


def _attribute_values(proto: Any, stored: str) -> Array:
    values: dict[str, Callable[[], Array]] = {
        "value_float": lambda: np.array(proto.f, np.float32),
        "value_int": lambda: np.array(proto.i, np.int64),
        "value_string": lambda: np.array(proto.s, object),
        "value_floats": lambda: np.array(proto.floats, np.float32),
        "value_ints": lambda: np.array(proto.ints, np.int64),
        "value_strings": lambda: np.array(list(proto.strings), object),
    }
    return values[stored]()


def _densified(proto: Any, tensor: Tensor) -> Array:
    import onnx

    values = onnx.numpy_helper.to_array(proto.values)
    indices = onnx.numpy_helper.to_array(proto.indices)
    array = np.zeros(tensor.shape, values.dtype)
    if indices.ndim == 1:
        array.reshape(-1)[indices] = values
    else:
        array[tuple(indices.T)] = values
    return array
