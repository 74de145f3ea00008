"""The XML of an OpenVINO model as plain records, read without documents, entities or anything else that XML can do.

Expat is driven directly: a declaration of a document type or an entity ends the reading, and so do depth and counts
that no model has. Elements that say nothing about the model are passed over.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, BinaryIO
from xml.parsers import expat

from inspector.errors import FormatError

LARGEST = 1 << 30
ELEMENTS = 8_000_000
LAYERS = 400_000
DEPTH = 100
FACTS = 2_000
PIECE = 1 << 20
AGAIN = "Fetch or copy the file again."
ENDS = frozenset({3, 5, 6})
"""What expat says where a file ends too early: no element found, unclosed token, partial character."""
BODIES = frozenset({"body", "then_body", "else_body"})


@dataclass(slots=True)
class Port:
    """An input or output of a layer; a size of -1 is dynamic."""

    number: str
    precision: str
    names: str
    dims: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Layer:
    """A layer as it stands in the file.

    Attributes:
        blobs: Of versions before 10: what each is for, and its attributes.
        bodies: Nets that it runs, by the name of their element.
        maps: How its ports are tied to the layers of a body, as words.
    """

    number: str
    name: str
    type: str
    version: str
    precision: str = ""
    data: dict[str, str] = field(default_factory=dict)
    inputs: list[Port] = field(default_factory=list)
    outputs: list[Port] = field(default_factory=list)
    blobs: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    bodies: list[tuple[str, Net]] = field(default_factory=list)
    maps: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Net:
    """A network, or the body of a layer; `edges` lead from (layer, port) to (layer, port)."""

    name: str = ""
    version: str = ""
    layers: list[Layer] = field(default_factory=list)
    edges: list[tuple[str, str, str, str]] = field(default_factory=list)
    facts: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class _Facts:
    """A branch of remarks: where they go, and the names that lead here."""

    facts: dict[str, str]
    path: str = ""


def parse(file: BinaryIO, name: str) -> Net:
    """The network of an open file.

    Raises:
        FormatError: It is damaged, cut off, larger than any model, or uses what models do not need.
    """
    reader = _Reader(name)
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.words
    parser.StartDoctypeDeclHandler = reader.refuse
    parser.EntityDeclHandler = reader.refuse
    parser.ExternalEntityRefHandler = reader.refuse
    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
    read = 0
    try:
        while piece := file.read(PIECE):
            read += len(piece)
            if read > LARGEST:
                raise FormatError(f"{name} is longer than {LARGEST:,} bytes, too long for a network.")
            parser.Parse(piece, False)
        parser.Parse(b"", True)
    except (expat.ExpatError, ValueError, UnicodeError) as error:
        if getattr(error, "code", 0) in ENDS and reader.open:
            raise FormatError(
                f"{name} ends in the midst of the network: it is incomplete.",
                hint="Wait until it is written, or fetch it again.",
            ) from error
        raise FormatError(f"{name} is damaged ({str(error)[:100]}).", hint=AGAIN) from error
    return reader.net


class _Reader:
    """Turns elements into records; the stack holds what each open element adds to."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.net = Net()
        self.stack: list[Any] = []
        self.count = self.layers = 0
        self.text: list[str] | None = None

    @property
    def open(self) -> bool:
        """Whether an element is not yet closed."""
        return bool(self.stack)

    def refuse(self, *_: object) -> int:
        """Models declare no document type and no entities."""
        raise FormatError(
            f"{self.name} declares a document type or entities.",
            hint="No OpenVINO model does; it may be made to do harm and was not read.",
        )

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """An element begins."""
        self.count += 1
        if self.count > ELEMENTS or len(self.stack) > DEPTH:
            raise FormatError(f"{self.name} is nested too deeply or has too many elements.", hint=AGAIN)
        if not self.stack:
            if tag != "net":
                raise FormatError(f"{self.name} is XML, but not a network of OpenVINO.")
            self.net.name, self.net.version = attributes.get("name", ""), attributes.get("version", "")
            self.stack.append(self.net)
            return
        self.text = None
        top = self.stack[-1]
        handle = _HANDLERS.get(type(top))
        self.stack.append(handle(self, top, tag, attributes) if handle else None)

    def in_net(self, net: Net, tag: str, attributes: dict[str, str]) -> Any:
        """An element of a network; layers and edges stand one level below it."""
        if tag == "layers":
            return tag, net.layers
        if tag == "edges":
            return tag, net.edges
        if tag in ("rt_info", "meta_data"):
            return _Facts(net.facts)
        return None

    def in_holder(self, pair: tuple[str, list[Any]], tag: str, attributes: dict[str, str]) -> Any:
        """Inside the layers or edges of a network, or the ports, blobs or port map of a layer."""
        kind, holder = pair
        get = attributes.get
        if kind == "layers":
            if tag != "layer":
                return None
            self.layers += 1
            if self.layers > LAYERS:
                raise FormatError(f"{self.name} has more than {LAYERS:,} layers.", hint=AGAIN)
            layer = Layer(get("id", ""), get("name", ""), get("type", ""), get("version", ""), get("precision", ""))
            holder.append(layer)
            return layer
        if kind == "edges" and tag == "edge":
            holder.append(tuple(get(key, "") for key in ("from-layer", "from-port", "to-layer", "to-port")))
        elif kind == "ports" and tag == "port":
            port = Port(get("id", ""), get("precision", ""), get("names", ""))
            holder.append(port)
            return port
        elif kind == "blobs":
            holder.append((tag, attributes))
        elif kind == "maps" and len(holder) < FACTS:
            words = ", ".join(f"{key.replace('_', ' ')} {text}" for key, text in attributes.items())
            holder.append(f"{tag.replace('_', ' ')}: {words}"[:500])
        return None

    def in_layer(self, layer: Layer, tag: str, attributes: dict[str, str]) -> Any:
        """Settings, ports, blobs and bodies of a layer."""
        if tag == "data" or tag.endswith("_data"):
            layer.data.update(attributes)
        elif tag in ("input", "output"):
            return "ports", (layer.inputs if tag == "input" else layer.outputs)
        elif tag == "blobs":
            return "blobs", layer.blobs
        elif tag in ("biases", "weights"):
            layer.blobs.append((tag, attributes))
        elif tag in BODIES:
            body = Net()
            layer.bodies.append((tag, body))
            return body
        elif tag.endswith("port_map") or tag == "back_edges":
            return "maps", layer.maps
        return None

    def in_port(self, _: Port, tag: str, attributes: dict[str, str]) -> Any:
        """A size, whose text counts."""
        if tag == "dim":
            self.text = []
        return None

    def in_facts(self, here: _Facts, tag: str, attributes: dict[str, str]) -> Any:
        """A remark, and those beneath it."""
        key = attributes.get("name", tag) if tag in ("attribute", "info") else tag
        path = f"{here.path}.{key}" if here.path else key
        if "value" in attributes and len(here.facts) < FACTS:
            here.facts.setdefault(path[:200], attributes["value"])
        return _Facts(here.facts, path)

    def words(self, text: str) -> None:
        """Text matters only in sizes."""
        if self.text is not None and len(self.text) < 100:
            self.text.append(text)

    def end(self, _: str) -> None:
        """An element ends."""
        self.stack.pop()
        if self.text is not None:
            self.stack[-1].dims.append("".join(self.text).strip()[:100])
            self.text = None


_HANDLERS: dict[type, Callable[[_Reader, Any, str, dict[str, str]], Any]] = {
    Net: _Reader.in_net,
    tuple: _Reader.in_holder,
    Layer: _Reader.in_layer,
    Port: _Reader.in_port,
    _Facts: _Reader.in_facts,
}
