"""Nodes, initializers and value infos of a very large ONNX graph as the IR's, straight from columns.

What is plain is cut out of the bytes; what is not is decoded and read as in any other graph (`_onnx_graphs`), with the
same result. Plain is a node whose texts are ASCII and whose attributes hold no graph, and which is no Constant.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inspector.formats._modules import from_scopes
from inspector.formats._onnx_columns import Columns, Spans, columns
from inspector.formats._onnx_graphs import DEFAULT, Frame, Reader
from inspector.formats._onnx_names import Names
from inspector.formats._onnx_tensors import UNUSED
from inspector.formats._onnx_types import decoded, dtype_name, type_of
from inspector.formats._onnx_vast import Many
from inspector.ir import Attribute, Node, Place, Tensor, Value

INPUT, OUTPUT, NAME, OP, ATTRIBUTE, DOMAIN = 1, 2, 3, 4, 5, 7
DIMS, DTYPE, TENSOR_NAME, RAW = 1, 2, 8, 9
VALUE_NAME, VALUE_TYPE = 1, 2

Flags = NDArray[np.bool_]


@dataclass(slots=True)
class Block:
    """Nodes of one block: columns of those that are plain, and the positions of the others.

    Inputs and outputs are flat, with the number of them for each node; `stored` are the places of the inputs that are
    tensors.
    """

    plain: list[int]
    odd: list[int]
    names: list[str] = field(default_factory=list)
    ops: list[str] = field(default_factory=list)
    domains: dict[int, str] = field(default_factory=dict)
    inputs: list[str] = field(default_factory=list)
    takes: list[int] = field(default_factory=list)
    stored: list[int] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    gives: list[int] = field(default_factory=list)
    attributes: list[dict[str, Attribute]] = field(default_factory=list)

    def modules(self, names: list[str]) -> list[str]:
        """Module paths of the plain nodes; nodes of one module stand near each other."""
        known: dict[str, str] = {}
        get = known.get
        found = []
        for index in self.plain:
            name = names[index]
            end = name.rfind("/")
            if end < 0 or end == len(name) - 1:
                found.append(from_scopes(name) if end >= 0 else "")
                continue
            prefix = name[:end]
            module = get(prefix)
            if module is None:
                begin = prefix.rfind("/")
                scope = prefix[begin + 1 :]
                around = get(prefix[:begin]) if begin > 0 else ""
                if around and around != scope and scope and "." not in scope and ";" not in scope:
                    module = f"{around}.{scope}"  # what `from_scopes` gives in the plain case
                else:
                    module = from_scopes(name)
                    if begin > 0:
                        known[prefix[:begin]] = from_scopes(prefix)
                known[prefix] = module
            found.append(module)
        return found


class VastReader(Reader):
    """Reads a `VastModel`; inner graphs and functions as ever."""

    def _nodes(self, protos: Iterable[Any], frame: Frame) -> tuple[Node, ...]:
        if not isinstance(protos, Many):
            return super()._nodes(protos, frame)
        blocks = [_Cut(self, *block).nodes(protos) for block in protos.blocks()]
        odd = {index: protos[index] for block in blocks for index in block.odd}
        ops = {index: self._words[proto.op_type] for index, proto in odd.items()}
        for index, proto in list(odd.items()):
            if ops[index] == "Constant" and proto.domain in DEFAULT and self._constant(proto, frame, index):
                del odd[index]
        names = self._named(len(protos), blocks, odd, ops)
        nodes: list[Node | None] = [None] * len(protos)
        for block in blocks:
            self._plain(block, names, frame, nodes)
        for index, proto in odd.items():
            nodes[index] = self._node(proto, ops[index], names[index], index, frame)
        return tuple(node for node in nodes if node is not None)

    def _named(self, count: int, blocks: list[Block], odd: dict[int, Any], ops: dict[int, str]) -> list[str]:
        """A name for each node, of which none is given twice."""
        found = [""] * count
        for block in blocks:
            for index, name in zip(block.plain, block.names, strict=True):
                found[index] = name
            block.names = []
        for index, proto in odd.items():
            found[index] = self._words[proto.name] or f"{ops[index]}_{index}"
        if len(set(found)) < count:
            unique = Names().unique
            found = [unique(name) if name else "" for name in found]  # nameless are the literals
        return found

    def _plain(self, block: Block, names: list[str], frame: Frame, nodes: list[Node | None]) -> None:
        """Make the plain nodes of a block."""
        renamed = frame.scope.maps[0]
        called = self._functions.get
        functions = bool(self._functions)
        inputs, outputs = block.inputs, block.outputs
        if renamed:
            inputs = [renamed.get(name, name) for name in inputs]
            uses = self._shelf.uses
            block.stored = [at for at, name in enumerate(inputs) if name in uses]
        owners = np.repeat(np.arange(len(block.takes)), block.takes)[block.stored].tolist()
        begins = np.cumsum(block.takes) - block.takes
        for at, owner, begin in zip(block.stored, owners, begins[owners].tolist(), strict=True):
            self._shelf.use(inputs[at], block.ops[owner], at - begin)
        at = gone = 0
        domain = ""
        function: tuple[str, ...] = ()
        rows = zip(
            block.plain, block.ops, block.takes, block.gives, block.attributes, block.modules(names), strict=True
        )
        for index, op, takes, gives, attributes, module in rows:
            taken = (
                (inputs[at],)
                if takes == 1
                else (inputs[at], inputs[at + 1])
                if takes == 2
                else tuple(inputs[at : at + takes])
            )
            at += takes
            if block.domains:
                domain = block.domains.get(index, "")
            if functions:
                function = tuple(filter(None, [called((domain, op, ""))]))
            given = (outputs[gone],) if gives == 1 else tuple(outputs[gone : gone + gives])
            gone += gives
            nodes[index] = Node(names[index], op, taken, given, attributes, domain, module, (), function, "", "")
        block.inputs = block.outputs = block.ops = []

    def _initializers(self, proto: Any, graph: str, path: str, scope: Any) -> set[str]:
        many = proto.initializer
        if not isinstance(many, Many):
            return super()._initializers(proto, graph, path, scope)
        shelf, words = self._shelf, self._words
        layout: dict[str, Attribute] = {"field": "message"}
        tensors, uses = shelf.tensors, shelf.uses
        for first, data, where in many.blocks():
            for index, found in enumerate(_Cut(self, first, data, where).tensors(many), first):
                if found is None:
                    tensor = many[index]
                    name = words[tensor.name]
                    key = shelf.dense(tensor, name, graph, f"{path}.initializer[{index}]")
                else:
                    key = name = found[0]
                    place = Place("", f"{path}.initializer[{index}]", 0, found[3], layout)
                    if name in tensors:
                        key = shelf.put(name, graph, found[1], found[2], place)
                    else:
                        tensors[name] = Tensor(name, found[1], found[2], place)
                        uses[name] = UNUSED
                if key != name:  # a name that is the tensor's own need not be looked up
                    scope[name] = key
        for index, sparse in enumerate(proto.sparse_initializer):
            name = words[sparse.values.name]
            scope[name] = shelf.sparse(sparse, name, graph, f"{path}.sparse_initializer[{index}]")
        return {info.name for info in proto.input if info.name in tensors}

    def _values(self, infos: Iterable[Any], *ends: Iterable[Any]) -> dict[str, Value]:
        if not isinstance(infos, Many) or self._told:
            return super()._values(infos, *ends)
        values: dict[str, Value] = {}
        for first, data, where in infos.blocks():
            for index, found in enumerate(_Cut(self, first, data, where).values(), first):
                value = found or self._types.value_of(infos[index], self._words)
                values[value.name] = value
        return values | super()._values((), *ends)


class _Cut:
    """One block, cut into texts.

    Args:
        reader: For what it has seen before.
        first: Position of the first message among all of its kind.
        data: Bytes that hold the messages of the block.
        where: Where they lie therein.
    """

    def __init__(self, reader: VastReader, first: int, data: bytes, where: Spans) -> None:
        self._reader = reader
        self._first = first
        self._where = where
        array = np.frombuffer(data, np.uint8)
        self._text = data.decode("latin-1")
        self._high = np.flatnonzero(array >= 0x80)
        self._columns = columns(array, where)

    def nodes(self, many: Many) -> Block:
        """The nodes of the block."""
        made = self._columns
        count = len(self._where)
        odd = self._odd((INPUT, OUTPUT, NAME, OP, ATTRIBUTE, DOMAIN), {NAME: 0, OP: 1, DOMAIN: 0})
        odd[self._smaller(many)] = True
        attributes = self._attributes(odd)
        ops = self._texts(OP, ~odd[made.owner])
        if "Constant" in ops:
            literal = np.array([op == "Constant" for op in ops])
            odd[np.flatnonzero(~odd)[literal]] = True
            ops = [op for op in ops if op != "Constant"]
        keep = ~odd[made.owner]
        plain = np.flatnonzero(~odd)
        first = self._first
        block = Block((plain + first).tolist(), (np.flatnonzero(odd) + first).tolist())
        words = self._reader._words
        block.ops = [words.setdefault(op, op) for op in ops]
        block.outputs = self._texts(OUTPUT, keep)
        self._take(block, self._texts(INPUT, keep))
        for number, into in ((INPUT, "takes"), (OUTPUT, "gives")):
            counts = np.bincount(made.owner[keep & (made.number == number)], minlength=count)
            setattr(block, into, counts[plain].tolist())
        names = dict(zip(self._owners(NAME, keep), self._texts(NAME, keep), strict=True))
        block.names = [names.get(at) or f"{op}_{at + first}" for at, op in zip(plain.tolist(), block.ops, strict=True)]
        owners = [owner + first for owner in self._owners(DOMAIN, keep)]
        block.domains = dict(zip(owners, map(words.__getitem__, self._texts(DOMAIN, keep)), strict=True))
        none = self._reader._attributes.none
        block.attributes = [attributes.get(at, none) for at in plain.tolist()] if attributes else [none] * len(plain)
        return block

    def _take(self, block: Block, names: list[str]) -> None:
        """Keep the inputs, each text once where it is easy: a million copies take much."""
        near = dict(zip(block.outputs, block.outputs, strict=True)).get  # most values are made near who takes them
        found = [near(name, "") for name in names]
        tensors = self._reader.shelf.tensors.get
        for at in [at for at, name in enumerate(found) if not name]:
            tensor = tensors(names[at])
            if tensor is None:
                found[at] = names[at]
            else:
                found[at] = tensor.name
                block.stored.append(at)
        block.inputs = found

    def tensors(self, many: Many) -> list[tuple[str, str, tuple[int, ...], int] | None]:
        """Name, dtype, shape and bytes of each plain initializer, None for others.

        Plain is one that fits into the file beside its name and says its type before that, as all exporters write.
        """
        made = self._columns
        odd = self._odd((DIMS, DTYPE, TENSOR_NAME, RAW), {DTYPE: 1, TENSOR_NAME: 1}, texts=(TENSOR_NAME,), wire=None)
        odd[self._smaller(many)] = True
        named = np.zeros(len(odd), np.int64)
        mine = made.number == TENSOR_NAME
        named[made.owner[mine]] = made.begin[mine]
        late = (made.number < TENSOR_NAME) & (made.begin > named[made.owner])
        odd[made.owner[late]] = True
        plain = np.flatnonzero(~odd)
        at, stop = self._where.at[plain].tolist(), self._where.stop[plain].tolist()
        known = self._reader._kinds
        found: list[tuple[str, str, tuple[int, ...], int] | None] = [None] * len(odd)
        names = self._texts(TENSOR_NAME, ~odd[made.owner])
        for position, name, begin, till, end in zip(
            plain.tolist(), names, at, named[plain].tolist(), stop, strict=True
        ):
            head = self._text[begin:till]
            kind = known.get(head)
            if kind is None:
                proto = decoded(many.kind, head.encode("latin-1"))
                kind = known[head] = dtype_name(proto.data_type), tuple(proto.dims)
            if len(kind[1]) <= 8 and min(kind[1], default=0) >= 0:
                found[position] = name, *kind, end - begin
        return found

    def values(self) -> list[Value | None]:
        """The plain value infos, None for others."""
        import onnx

        made = self._columns
        odd = self._odd((VALUE_NAME, VALUE_TYPE), {VALUE_NAME: 1, VALUE_TYPE: 1}, texts=(VALUE_NAME,))
        keep = ~odd[made.owner]
        mine = keep & (made.number == VALUE_TYPE)
        found: list[Value | None] = [None] * len(odd)
        types = self._reader._types
        spans = zip(made.at[mine].tolist(), made.stop[mine].tolist(), strict=True)
        for position, name, (at, stop) in zip(
            np.flatnonzero(~odd).tolist(), self._texts(VALUE_NAME, keep), spans, strict=True
        ):
            raw = self._text[at:stop].encode("latin-1")
            known = types.get(raw)
            if known is None:
                known = types[raw] = type_of(decoded(onnx.TypeProto, raw))
            found[position] = Value(name, *known, "")
        return found

    def _smaller(self, many: Many) -> list[int]:
        """Messages of which something was left out."""
        here = range(self._first, self._first + len(self._where))
        return [index - self._first for index in many.smaller if index in here]

    def _odd(
        self,
        known: tuple[int, ...],
        counts: dict[int, int],
        texts: tuple[int, ...] = (INPUT, OUTPUT, NAME, OP, DOMAIN),
        wire: int | None = 2,
    ) -> Flags:
        """Messages that have other fields than these, some of them more than once or fewer times than said, or texts
        that are not ASCII."""
        made, count = self._columns, len(self._where)
        odd = np.zeros(count, bool)
        odd[made.long] = True
        strange = ~np.isin(made.number, known)
        if wire is not None:
            strange |= made.wire != wire
        is_text = np.isin(made.number, texts)
        strange |= is_text & ((made.wire != 2) | self._foreign())
        odd[made.owner[strange]] = True
        for number, least in counts.items():
            times = np.bincount(made.owner[made.number == number], minlength=count)
            odd |= (times > 1) | (times < least)
        return odd

    def _foreign(self) -> Flags:
        """Fields with bytes that are not ASCII."""
        before, after = (np.searchsorted(self._high, offsets) for offsets in (self._columns.at, self._columns.stop))
        return after > before

    def _attributes(self, odd: Flags) -> dict[int, dict[str, Attribute]]:
        """Attributes of plain nodes by their positions; nodes whose attributes hold graphs are odd."""
        made = self._columns
        where = np.flatnonzero(made.number == ATTRIBUTE)
        owners, begins, counts = np.unique(made.owner[where], return_index=True, return_counts=True)
        firsts, lasts = where[begins], where[begins + counts - 1]
        odd[owners[lasts - firsts + 1 != counts]] = True
        found: dict[int, dict[str, Attribute]] = {}
        read = self._reader._attributes.read
        spans = zip(owners.tolist(), made.begin[firsts].tolist(), made.stop[lasts].tolist(), strict=True)
        for owner, begin, stop in spans:
            if not odd[owner]:
                attributes = read(self._text[begin:stop])
                if attributes is None:
                    odd[owner] = True
                else:
                    found[owner] = attributes
        return found

    def _texts(self, number: int, keep: Flags) -> list[str]:
        """The texts of one field, of those messages."""
        made: Columns = self._columns
        mine = keep & (made.number == number)
        text = self._text
        return [text[at:stop] for at, stop in zip(made.at[mine].tolist(), made.stop[mine].tolist(), strict=True)]

    def _owners(self, number: int, keep: Flags) -> list[int]:
        made: Columns = self._columns
        owners: list[int] = made.owner[keep & (made.number == number)].tolist()
        return owners
