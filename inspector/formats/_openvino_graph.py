"""The layers of an OpenVINO network as a graph, and its constants as tensors with places in the .bin file."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush

from inspector.errors import FormatError
from inspector.formats._modules import from_scopes
from inspector.formats._openvino_roles import Uses
from inspector.formats._openvino_xml import AGAIN, Layer, Net, Port
from inspector.ir import Attribute, Graph, Node, Place, Shape, Tensor, Value
from inspector.ir.model import bytes_of

DTYPES = {
    "f64": "float64", "f32": "float32", "f16": "float16", "bf16": "bfloat16", "i64": "int64", "i32": "int32",
    "i16": "int16", "i8": "int8", "i4": "int4", "u64": "uint64", "u32": "uint32", "u16": "uint16", "u8": "uint8",
    "u6": "uint6", "u4": "uint4", "u3": "uint3", "u2": "uint2", "u1": "uint1", "boolean": "bool", "bool": "bool",
    "nf4": "nf4", "f8e4m3": "float8_e4m3fn", "f8e5m2": "float8_e5m2", "f8e8m0": "float8_e8m0fnu",
    "f4e2m1": "float4_e2m1fn", "string": "string", "fp64": "float64", "fp32": "float32", "fp16": "float16",
    "bin": "uint1",
}  # fmt: skip
"""Our dtype name by OpenVINO's, in small letters; ports and older versions write `FP32`."""

NUMBER = re.compile(r"[-+]?\d{1,18}")
REAL = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d{1,4})?")
LONG = 4096
End = tuple[str, str]
"""A layer and one of its ports, by their numbers."""


def dtype_of(word: str) -> str:
    """Our name of a type; the file's own where we have none."""
    return DTYPES.get(word.lower(), "" if word.lower() in ("dynamic", "undefined", "unspecified", "") else word.lower())


def plain(text: str) -> Attribute:
    """An attribute's text as what it says: a truth, numbers, or itself."""
    if text in ("true", "True", "false", "False"):
        return text in ("true", "True")
    words = text.split(",") if "," in text else [text]
    if len(words) <= LONG and all(NUMBER.fullmatch(word.strip()) for word in words):
        numbers: tuple[Attribute, ...] = tuple(int(word) for word in words)
        return numbers if "," in text else numbers[0]
    if len(words) <= LONG and all(REAL.fullmatch(word.strip()) for word in words):
        reals: tuple[Attribute, ...] = tuple(float(word) for word in words)
        return reals if "," in text else reals[0]
    return text[:LONG]


def shape_of(port: Port) -> Shape:
    """A port's shape; None where a size is not known."""
    return tuple(int(word) if word.isdecimal() and len(word) < 19 else None for word in port.dims)


def sizes(text: str) -> tuple[int, ...] | None:
    """A constant's shape; None where it is none."""
    words = [word.strip() for word in text.split(",")] if text.strip() else []
    return tuple(map(int, words)) if all(word.isdecimal() and len(word) < 19 for word in words) else None


def module_of(name: str) -> str:
    """The path that converters leave in a layer's name: `__module.layer1.0.conv/aten::_convolution/Convolution`."""
    if name.startswith("__module."):
        return name.removeprefix("__module.").partition("/")[0]
    return from_scopes(name)


@dataclass(slots=True)
class Weights:
    """The tensors of a model, and how they are used."""

    file: str
    tensors: dict[str, Tensor] = field(default_factory=dict)
    uses: Uses = field(default_factory=Uses)

    def put(self, name: str, dtype: str, shape: tuple[int, ...], offset: int, size: int) -> str:
        """Keep a constant; the name it goes by."""
        key, number = name or "constant", 2
        while key in self.tensors:
            key, number = f"{name}#{number}", number + 1
        self.tensors[key] = Tensor(key, dtype, shape, Place(self.file, "", offset, size))
        return key


@dataclass(slots=True)
class Build:
    """One network while it becomes a graph."""

    weights: Weights
    graphs: list[Graph]
    taken: set[str] = field(default_factory=set)
    """Names of graphs."""

    def graph(self, net: Net, title: str, prefix: str = "") -> Graph:
        """The graph of a network; those of bodies are put after it."""
        while title in self.taken:
            title += "'"
        self.taken.add(title)
        place = len(self.graphs)
        self.graphs.append(Graph(title))
        feeds = {(to, port): (origin, out) for origin, out, to, port in net.edges}
        layers = ordered(net.layers, net.edges)
        made = self._names(layers, prefix)
        values: dict[str, Value] = {}
        inputs, outputs, nodes = [], [], []
        for layer in layers:
            taken = tuple(made.get(feeds.get((layer.number, port.number), ("", "")), "") for port in layer.inputs)
            if is_constant(layer):
                continue
            for port in layer.outputs:
                name = made[layer.number, port.number]
                values[name] = Value(name, dtype_of(port.precision), shape_of(port), port.names[:LONG])
            if layer.type in ("Parameter", "Input"):
                inputs += [values[made[layer.number, port.number]] for port in layer.outputs]
            elif layer.type == "Result":
                outputs += [self._result(layer, name, values) for name in taken if name]
            else:
                nodes.append(
                    self._node(layer, taken, tuple(made[layer.number, p.number] for p in layer.outputs), title)
                )
        self.weights.uses.see(nodes, self.weights.tensors)
        if not any(layer.type == "Result" for layer in layers):  # before version 10 what nobody takes is the result
            used = {name for node in nodes for name in node.inputs}
            outputs = [values[name] for node in nodes for name in node.outputs if name not in used]
        self.graphs[place] = Graph(title, tuple(inputs), tuple(outputs), tuple(nodes), values)
        return self.graphs[place]

    def _names(self, layers: list[Layer], prefix: str) -> dict[End, str]:
        """Names of values and tensors by the port that gives them."""
        made: dict[End, str] = {}
        taken: set[str] = set()
        for layer in layers:
            name = layer.name or f"{layer.type}_{layer.number}"
            while name in taken:
                name = f"{name}#{layer.number}"
            taken.add(name)
            layer.name = name
            if is_constant(layer) and layer.outputs:
                made[layer.number, layer.outputs[0].number] = self._constant(layer, f"{prefix}{name}")
                continue
            single = len(layer.outputs) == 1
            for at, port in enumerate(layer.outputs):
                made[layer.number, port.number] = name if single else f"{name}:{at}"
        return made

    def _constant(self, layer: Layer, name: str) -> str:
        """A constant's name among the tensors."""
        data = layer.data
        if "offset" in data:
            dtype, shape = dtype_of(data.get("element_type", "")), sizes(data.get("shape", ""))
            offset, size = data.get("offset", ""), data.get("size", "")
        else:
            blob = next((attributes for _, attributes in layer.blobs), {})
            dtype = dtype_of(blob.get("precision") or layer.outputs[0].precision or layer.precision)
            known = shape_of(layer.outputs[0])
            shape = tuple(dim for dim in known if isinstance(dim, int))
            offset, size = blob.get("offset", "0"), blob.get("size", "0")
        if shape is None or not offset.isdecimal() or not size.isdecimal() or len(offset) > 18 or len(size) > 18:
            raise FormatError(f"The constant {name[:200]!r} has an impossible shape or place.", hint=AGAIN)
        want = bytes_of(dtype, shape)
        if want is not None and dtype not in ("string", "") and want != int(size):
            raise FormatError(
                f"The constant {name[:200]!r} has {int(size):,} bytes where its type and shape need {want:,}.",
                hint=AGAIN,
            )
        return self.weights.put(name, dtype, shape, int(offset), int(size))

    def _result(self, layer: Layer, name: str, values: dict[str, Value]) -> Value:
        """What the network gives: a value, or a constant as it is."""
        if name in values:
            return values[name]
        tensor = self.weights.tensors[name]
        return Value(name, tensor.dtype, tensor.shape)

    def _node(self, layer: Layer, taken: tuple[str, ...], given: tuple[str, ...], title: str) -> Node:
        attributes = {key[:200]: plain(text) for key, text in layer.data.items()}
        if layer.maps:
            attributes["ports"] = tuple(layer.maps)
        graphs = []
        for word, body in layer.bodies:
            inner = f"{title}/{layer.name}" if title != "main" else layer.name
            inner = f"{inner}/{word.removesuffix('_body')}" if word != "body" else inner
            graphs.append(self.graph(body, inner, f"{inner}/").name)
        return Node(
            layer.name,
            layer.type,
            taken,
            given,
            attributes,
            domain=layer.version,
            module=module_of(layer.name),
            tensors=tuple(self._blobs(layer)),
            graphs=tuple(graphs),
        )

    def _blobs(self, layer: Layer) -> Iterable[str]:
        """Weights that a layer of a version before 10 owns; the file says their bytes, not their shape."""
        for word, blob in layer.blobs:
            dtype = dtype_of(blob.get("precision") or layer.precision)
            offset, size = blob.get("offset", ""), blob.get("size", "")
            width = bytes_of(dtype, (1,)) or 1
            if offset.isdecimal() and size.isdecimal() and len(offset) < 19 and len(size) < 19:
                yield self.weights.put(f"{layer.name}/{word}", dtype, (int(size) // width,), int(offset), int(size))


def is_constant(layer: Layer) -> bool:
    """Whether a layer is a stored tensor."""
    return layer.type in ("Const", "Constant")


def ordered(layers: list[Layer], edges: list[tuple[str, str, str, str]]) -> list[Layer]:
    """Layers so that each comes after what it takes; else in the order of the file.

    Raises:
        FormatError: They go round in a circle, or two have one number.
    """
    rank = {layer.number: at for at, layer in enumerate(layers)}
    if len(rank) != len(layers):
        raise FormatError("Two layers of the network have the same number.", hint=AGAIN)
    takers: dict[int, list[int]] = defaultdict(list)
    waits = [0] * len(layers)
    for origin, _, to, _ in edges:
        if origin in rank and to in rank:
            takers[rank[origin]].append(rank[to])
            waits[rank[to]] += 1
    ready = [at for at, count in enumerate(waits) if not count]
    heapify(ready)
    order = []
    while ready:
        at = heappop(ready)
        order.append(layers[at])
        for next_ in takers[at]:
            waits[next_] -= 1
            if not waits[next_]:
                heappush(ready, next_)
    if len(order) != len(layers):
        raise FormatError("The layers of the network go round in a circle.", hint=AGAIN)
    return order
