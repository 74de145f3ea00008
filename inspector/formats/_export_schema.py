"""The JSON of torch.export, as far as it is read: types that check what the file says while it is decoded.

Unknown keys are ignored, so that newer versions of the schema open; unions stand as a mapping with one key.
"""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

import msgspec

from inspector.errors import FormatError
from inspector.formats._export_symbols import plain
from inspector.ir import Shape

T = TypeVar("T")
Int64 = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
Union = dict[str, Any]
"""One key says what it is: `{"as_tensor": {"name": "x"}}`."""

DTYPES = {
    1: "uint8", 2: "int8", 3: "int16", 4: "int32", 5: "int64", 6: "float16", 7: "float32", 8: "float64",
    10: "complex64", 11: "complex128", 12: "bool", 13: "bfloat16", 28: "uint16", 29: "float8_e4m3fn",
    30: "float8_e5m2", 31: "float8_e4m3fnuz", 32: "float8_e5m2fnuz", 33: "float8_e8m0fnu", 34: "uint32", 35: "uint64",
}  # fmt: skip
LAYOUTS = ("", "sparse_coo", "sparse_csr", "sparse_csc", "sparse_bsr", "sparse_bsc", "mkldnn", "strided")
STRIDED = 7
MEMORY = ("", "contiguous_format", "channels_last", "channels_last_3d", "preserve_format")


class Expression(msgspec.Struct):
    """A symbolic expression."""

    expr_str: str


class Size(msgspec.Struct):
    """A size: a number or an expression."""

    as_expr: Expression | None = None
    as_int: Int64 | None = None

    def dim(self) -> int | str | None:
        """As the IR has it."""
        return plain(self.as_expr.expr_str) if self.as_expr else self.as_int


class TensorMeta(msgspec.Struct):
    """What a tensor looks like."""

    dtype: int
    sizes: list[Size]
    requires_grad: bool = False
    strides: list[Size] = []
    storage_offset: Size | None = None
    layout: int = STRIDED

    def dtype_name(self) -> str:
        """As the IR has it."""
        return DTYPES.get(self.dtype, "")

    def shape(self) -> Shape:
        """As the IR has it; a size that no array has is not known."""
        sizes = [size.dim() for size in self.sizes]
        return tuple(None if isinstance(size, int) and not 0 <= size < 1 << 62 else size for size in sizes)


class NamedArgument(msgspec.Struct):
    """An argument of a call."""

    name: str
    arg: Union


class Node(msgspec.Struct):
    """A call of an operator."""

    target: str
    inputs: list[NamedArgument]
    outputs: list[Union]
    metadata: dict[str, Any] = {}
    name: str | None = None


class Graph(msgspec.Struct):
    """A graph of calls."""

    inputs: list[Union]
    outputs: list[Union]
    nodes: list[Node]
    tensor_values: dict[str, TensorMeta] = {}
    sym_int_values: dict[str, Size] = {}


class Signature(msgspec.Struct):
    """What each input and output of the graph is for."""

    input_specs: list[Union] = []
    output_specs: list[Union] = []


class CallSignature(msgspec.Struct):
    """How a module is called; the specs are JSON in a string."""

    in_spec: str = ""
    out_spec: str = ""
    forward_arg_names: list[str] | None = None


class CallEntry(msgspec.Struct):
    """A module of the author's program."""

    fqn: str
    signature: CallSignature | None = None


class GraphModule(msgspec.Struct):
    """A graph with its signature."""

    graph: Graph
    signature: Signature
    module_call_graph: list[CallEntry] = []


class Range(msgspec.Struct):
    """Limits of a symbolic size."""

    min_val: int | float | None = None
    max_val: int | float | None = None


class Version(msgspec.Struct):
    """Of the schema."""

    major: int = 0
    minor: int = 0


class Program(msgspec.Struct):
    """An exported program."""

    graph_module: GraphModule
    opset_version: dict[str, int] = {}
    range_constraints: dict[str, Range] = {}
    schema_version: Version = msgspec.field(default_factory=Version)
    torch_version: str = ""
    guards_code: list[str] = []


class Payload(msgspec.Struct):
    """Where a weight lies in the archive."""

    path_name: str
    is_param: bool = False
    use_pickle: bool = False
    tensor_meta: TensorMeta | None = None


class Payloads(msgspec.Struct):
    """The weights or the constants of a program."""

    config: dict[str, Payload] = {}


def decoded(data: bytes, kind: type[T], what: str) -> T:
    """A part of the archive as its type.

    Raises:
        FormatError: It is not JSON or not of this type.
    """
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise strange(what, str(error)) from error


def converted(item: object, kind: type[T], what: str) -> T:
    """A part of a union as its type.

    Raises:
        FormatError: It is not of this type.
    """
    try:
        return msgspec.convert(item, kind)
    except (msgspec.ValidationError, RecursionError) as error:
        raise strange(what, str(error)) from error


def strange(what: str, why: str) -> FormatError:
    """The error for a program that does not say what it should."""
    return FormatError(f"The {what} of this file cannot be understood: {why[:200]}.", hint="The file may be damaged.")
