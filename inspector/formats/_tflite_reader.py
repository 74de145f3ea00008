"""Walks one TensorFlow Lite model: its graphs, tensors as places, signatures, and what its metadata say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import prod
from typing import Any

from inspector.errors import FormatError
from inspector.formats._calls import circular
from inspector.formats._flat import DTYPES, RANK, count, ints, items, names, options, text
from inspector.formats._tensors import decode, is_floating
from inspector.formats._tf_names import FILES
from inspector.formats._tf_proto import SMALL
from inspector.formats._tflite_flex import FLEX, PREFIX, flex_settings, is_flex, named
from inspector.formats._tflite_metadata import Told, told
from inspector.ir import Attribute, Graph, Model, Module, Node, Note, Place, Role, Shape, Signature, Tensor, Value

BRANCHES = tuple(f"{word}SubgraphIndex" for word in ("Then", "Else", "Cond", "Body", "Init"))
Code = tuple[str, str, int]
"""Name, domain and version of an operator."""


NUMBERS = frozenset({"int32", "int64"})
"""dtypes of the constants that shapes are made of."""


@dataclass(slots=True)
class _Flat:
    """One tensor of a subgraph."""

    name: str
    dtype: str
    shape: Shape | None
    stored: tuple[int, ...]
    buffer: int
    quantization: dict[str, Attribute]
    variable: bool
    sparse: bool

    @property
    def axis(self) -> int:
        """Which dimension has a scale for each of its indices."""
        found = self.quantization.get("dimension")
        return found if isinstance(found, int) else 0


@dataclass(slots=True)
class Reader:
    """Walks one model.

    Attributes:
        root: The flatbuffer's root table.
        data: Its bytes.
        member: Name of the archive's member that it is; empty for a file of its own.
        prefix: What the names of its graphs and tensors begin with, where there are several models.
    """

    root: Any
    data: Any
    member: str = ""
    prefix: str = ""
    tensors: dict[str, Tensor] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)
    missing: list[str] = field(default_factory=list)
    vast: list[tuple[str, int]] = field(default_factory=list)
    """Tensors of more dimensions than are read."""
    first: dict[int, str] = field(default_factory=dict)
    ranked: bool = False
    """Whether the file tells scalars from tensors of any rank, as converters since 2023 do."""

    def model(self) -> Model:
        """All subgraphs, the main one first."""
        buffers = [self._range(buffer) for buffer in items(self.root, "Buffers")]
        codes = [self._code(code) for code in items(self.root, "OperatorCodes")]
        kinds = names("TensorType")
        subgraphs = list(items(self.root, "Subgraphs"))
        self.ranked = any(item.HasRank() for graph in subgraphs for item in items(graph, "Tensors"))
        if not subgraphs:
            raise FormatError("The model has no graph in it.", hint="Fetch or copy the file again.")
        tables = [[self._tensor(item, kinds) for item in items(graph, "Tensors")] for graph in subgraphs]
        titles = self._titles()
        graphs = []
        for at, graph in enumerate(subgraphs):
            local = self._names(tables[at], titles[at] if at else self.prefix.removesuffix("/"))
            self._stored(tables[at], local, buffers, at)
            graphs.append(self._graph(graph, titles, titles[at], tables[at], local, codes))
        modules = sorted({node.module for graph in graphs for node in graph.nodes} - {""})
        about = self._told(buffers)
        return Model(
            format="tflite",
            producer="TensorFlow Lite",
            graphs=tuple(graphs),
            tensors=self.tensors,
            modules=tuple(_tree(modules)),
            signatures=tuple(self._signatures(tables, graphs)),
            metadata=self._metadata(buffers) | about.facts,
            texts=about.texts,
            notes=tuple(self._notes(graphs)),
        )

    def _range(self, buffer: Any) -> tuple[int, int]:
        """Where a buffer's bytes lie: inside the flatbuffer, or behind it in models of more than 2 GB."""
        far = getattr(buffer, "Offset", lambda: 0)()
        if far > 1:
            return int(far), int(buffer.Size())
        length = buffer.DataLength()
        return (int(buffer._tab.Vector(buffer._tab.Offset(4))), int(length)) if length else (0, 0)

    def _code(self, code: Any) -> tuple[str, str, int]:
        """Name, domain and version of an operator."""
        number = max(code.DeprecatedBuiltinCode(), code.BuiltinCode())
        name = names("BuiltinOperator").get(number, f"BUILTIN_{number}")
        if name == "CUSTOM":
            own = text(code.CustomCode()) or "CUSTOM"
            return own, FLEX if is_flex(own) else "custom", code.Version()
        return name, "", code.Version()

    def _tensor(self, item: Any, kinds: dict[int, str]) -> _Flat:
        rank = max(item.ShapeLength(), item.ShapeSignatureLength())
        if rank > RANK:
            self.vast.append((text(item.Name()), rank))
        stored = tuple(ints(item, "Shape")) if rank <= RANK else (0,)
        signature = ints(item, "ShapeSignature") if rank <= RANK else []
        shape: Shape | None = tuple(None if size < 0 else size for size in (signature or stored))
        kind = kinds.get(item.Type(), "")
        if not shape and self.ranked and not item.HasRank() and kind != "RESOURCE":
            shape = None
        return _Flat(
            text(item.Name()),
            DTYPES.get(kind, kind.lower()),
            shape,
            tuple(max(size, 0) for size in stored),
            item.Buffer(),
            _quantization(item.Quantization()),
            bool(item.IsVariable()),
            item.Sparsity() is not None,
        )

    def _titles(self) -> list[str]:
        titles: dict[str, None] = {}
        for at, graph in enumerate(items(self.root, "Subgraphs")):
            title = self.prefix + (text(graph.Name()) or ("main" if not at else f"subgraph_{at}"))
            titles.setdefault(title if title not in titles else f"{title}#{at}")
        return list(titles)

    def _names(self, table: list[_Flat], prefix: str) -> list[str]:
        """A name for each tensor that is unique in the model."""
        found = []
        for at, item in enumerate(table):
            name = f"{prefix}/{item.name}" if prefix and item.name else item.name or f"{prefix or 'tensor'}_{at}"
            while name in self.taken:
                name = f"{name}#{at}"
            self.taken.add(name)
            found.append(name)
        return found

    def _stored(self, table: list[_Flat], local: list[str], buffers: list[tuple[int, int]], graph: int) -> None:
        for index, (name, item) in enumerate(zip(local, table, strict=True)):
            if not 0 < item.buffer < len(buffers):
                continue
            offset, size = buffers[item.buffer]
            if not size or item.variable:
                continue
            if offset + size > len(self.data):
                self.missing.append(name)
            layout: dict[str, Attribute] = dict(item.quantization)
            if item.sparse:
                layout["sparse"] = (graph, index)
            elif item.dtype in NUMBERS and prod(item.stored) <= SMALL:
                layout.update(_numbers(self.data[offset : offset + size], item))
            twin = self.first.setdefault(item.buffer, name)
            self.tensors[name] = Tensor(
                name,
                item.dtype,
                item.stored,
                Place("", self.member, offset, size, layout),
                _role(item),
                None,
                "" if twin == name else twin,
            )

    def _graph(
        self, graph: Any, titles: list[str], title: str, table: list[_Flat], local: list[str], codes: list[Code]
    ) -> Graph:
        values = {name: _value(name, item) for name, item in zip(local, table, strict=True)}
        short = {name: item.name for name, item in zip(local, table, strict=True)}
        nodes = [self._node(item, at, local, short, titles, codes) for at, item in enumerate(items(graph, "Operators"))]
        inputs, outputs = (
            tuple(values[local[index]] for index in _within(ints(graph, key), local)) for key in ("Inputs", "Outputs")
        )
        flowing = {name: value for name, value in values.items() if name not in self.tensors}
        return Graph(title, inputs, outputs, tuple(nodes), flowing)

    def _node(
        self, item: Any, number: int, local: list[str], short: dict[str, str], titles: list[str], codes: list[Code]
    ) -> Node:
        code = item.OpcodeIndex()
        op, domain, version = codes[code] if 0 <= code < len(codes) else (f"UNKNOWN_{code}", "", 0)
        outputs = tuple(local[index] for index in _within(ints(item, "Outputs"), local))
        attributes = options(item) if not domain else flex_settings(op, item) if domain == FLEX else {}
        if domain and not attributes:
            attributes["custom_options"] = f"{item.CustomOptionsLength()} bytes"
        inputs = tuple(local[index] if 0 <= index < len(local) else "" for index in ints(item, "Inputs"))
        hints = [*outputs[:1], *(name for name in inputs if name in self.tensors)]
        inner = [attributes.pop(key) for key in BRANCHES if isinstance(attributes.get(key), int)]
        attributes["version"] = version
        return Node(
            f"{op.lower()}_{number}",
            op,
            inputs,
            outputs,
            attributes,
            domain=domain,
            module=_module([short[name] for name in hints]),
            graphs=tuple(titles[index] for index in inner if isinstance(index, int) and 0 <= index < len(titles)),
        )

    def _signatures(self, tables: list[list[_Flat]], graphs: list[Graph]) -> Iterator[Signature]:
        found = False
        for item in items(self.root, "SignatureDefs"):
            at = item.SubgraphIndex()
            if 0 <= at < len(tables):
                found = True
                ends = [tuple(_named(items(item, key), tables[at])) for key in ("Inputs", "Outputs")]
                yield Signature(text(item.SignatureKey()) or "signature", ends[0], ends[1])
        if not found:
            yield Signature("main", graphs[0].inputs, graphs[0].outputs)

    def _metadata(self, buffers: list[tuple[int, int]]) -> dict[str, str]:
        found = {"schema version": str(self.root.Version()), "description": text(self.root.Description())}
        for item in items(self.root, "Metadata"):
            at = item.Buffer()
            size = buffers[at][1] if 0 <= at < len(buffers) else 0
            found[text(item.Name()) or "metadata"] = f"{size:,} bytes"
        return {key: value for key, value in found.items() if value}

    def _told(self, buffers: list[tuple[int, int]]) -> Told:
        """What the author says of the model, its inputs and outputs."""
        for item in items(self.root, "Metadata"):
            at = item.Buffer()
            if text(item.Name()) == "TFLITE_METADATA" and 0 <= at < len(buffers):
                offset, size = buffers[at]
                return told(bytes(self.data[offset : offset + size]))
        return Told()

    def _notes(self, graphs: list[Graph]) -> Iterator[Note]:
        own = sorted({node.op for graph in graphs for node in graph.nodes if node.domain == "custom"})
        flex = sorted({op for graph in graphs for node in graph.nodes if node.domain == FLEX for op in named(node)})
        if flex:
            reaching = {op: FILES[op.removeprefix(PREFIX)] for op in flex if op.removeprefix(PREFIX) in FILES}
            words = ", ".join(f"{op} ({reaching[op]})" if op in reaching else op for op in flex)
            what = f"The model uses TensorFlow's own operators: {words[:500]}."
            yield Note("danger" if reaching else "warning", what, "It runs only where the Flex delegate is.")
        if own:
            what = f"The model uses custom operators: {', '.join(own)[:300]}."
            yield Note("warning", what, "It runs only where they are registered.")
        for name in circular(graphs)[:5]:
            yield Note("warning", f"The graph {name[:100]!r} runs itself.", "It may never end, or cannot run.")
        if self.vast:
            name, rank = self.vast[0]
            yield Note("warning", f"The tensor {name[:100]!r} has {rank:,} dimensions.", "Its shape was not read.")
        if self.missing:
            what = (
                f"The values of {len(self.missing):,} tensors are not in the file, such as {self.missing[0][:100]!r}."
            )
            yield Note("warning", what, "Fetch or copy it again.")


def _within(indices: list[int], local: list[str]) -> list[int]:
    return [index for index in indices if 0 <= index < len(local)]


def _named(maps: Iterator[Any], table: list[_Flat]) -> Iterator[Value]:
    for entry in maps:
        index = entry.TensorIndex()
        if 0 <= index < len(table):
            yield _value(text(entry.Name()), table[index])


def _value(name: str, item: _Flat) -> Value:
    scale, zero = item.quantization.get("scale"), item.quantization.get("zero_point")
    if not isinstance(scale, tuple) or not isinstance(zero, tuple):
        return Value(name, item.dtype, item.shape)
    if len(scale) > 1:
        return Value(name, item.dtype, item.shape, f"{len(scale)} scales along axis {item.axis}")
    step, start = (side[0] if side and isinstance(side[0], int | float) else 0 for side in (scale, zero))
    return Value(name, item.dtype, item.shape, f"scale {step:.6g}, zero point {start}")


def _quantization(item: Any) -> dict[str, Attribute]:
    if item is None or not item.ScaleLength():
        return {}
    scales = [float(item.Scale(at)) for at in range(count(min(item.ScaleLength(), 100_000), "scales"))]
    zeros = [int(item.ZeroPoint(at)) for at in range(count(min(item.ZeroPointLength(), 100_000), "zero points"))]
    found: dict[str, Attribute] = {"scale": tuple(scales), "zero_point": tuple(zeros)}
    if len(scales) > 1:
        found["dimension"] = item.QuantizedDimension()
    return found


def _role(item: _Flat) -> Role:
    """Floating and quantized arrays are weights; integers without a scale are shapes and indices."""
    real = is_floating(item.dtype) or bool(item.quantization)
    return Role.WEIGHT if real and item.stored else Role.CONSTANT


def _module(hints: list[str]) -> str:
    """The path that TensorFlow leaves in the name of a result; of a weight where the result's name has none."""
    for name in hints:
        first = name.split(";")[0].strip("/")
        if "/" in first:
            return ".".join(first.split("/")[:-1][:20])
    return ""


def _tree(paths: list[str]) -> Iterator[Module]:
    found: dict[str, None] = {"": None}
    for path in paths:
        parts = path.split(".")
        found.update(dict.fromkeys(".".join(parts[:at]) for at in range(1, len(parts) + 1)))
    if len(found) > 1:
        yield from (Module(path, "") for path in found)


def _numbers(data: Any, item: _Flat) -> dict[str, Attribute]:
    """The values of a small constant, where the file has them all."""
    try:
        return {"numbers": tuple(decode(bytes(data), item.dtype, item.stored).reshape(-1).tolist())}
    except (FormatError, ValueError):
        return {}
