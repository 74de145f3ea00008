"""ONNX files, cases 36 to 45: graphs that make no sense, that are too large or too deep, and names chosen to harm."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

from case import Case
from onnx_files import save
from witness import Seen

from inspector.jobs.terminal import ask_worker
from inspector.worker.tasks.place import TASK as PLACE
from inspector.worker.tasks.place import PlaceArgs
from inspector.worker.tasks.search import TASK as SEARCH
from inspector.worker.tasks.search import SearchArgs
from inspector.worker.tasks.tensor import TASK as TENSOR
from inspector.worker.tasks.tensor import TensorArgs

REFUSED = " Runtimes will refuse it."
MANY = 100_000


def field(number: int, data: bytes) -> bytes:
    """A field of a protocol buffer that holds bytes."""
    return varint(number << 3 | 2) + varint(len(data)) + data


def varint(value: int) -> bytes:
    """A number of a protocol buffer."""
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def value(name: bytes, dims: Iterable[int] = (2, 3)) -> bytes:
    """A ValueInfoProto of float32."""
    shape = b"".join(field(1, b"\x08" + varint(dim)) for dim in dims)
    return field(1, name) + field(2, field(1, b"\x08\x01" + field(2, shape)))


def model(graph: bytes, opset: int = 21) -> bytes:
    """A ModelProto of IR version 10."""
    return b"\x08\x0a" + field(7, graph) + field(8, b"\x10" + varint(opset))


def nodes(*lines: str, **parts: Any) -> Callable[[Path], Path]:
    """A graph of nodes written as `op input,input output,output name`."""

    def build(folder: Path) -> Path:
        from onnx import helper

        made = []
        for line in lines:
            op, inputs, outputs, name = line.split(" ")
            made.append(helper.make_node(op, inputs.split(","), outputs.split(","), name=name))
        return save(folder / "m.onnx", made, **parts)

    return build


def drawn(seen: Seen) -> None:
    """The picture is placed, every link with a route."""
    folded = seen.answers["fold"]
    (placed,) = ask_worker("layout", [(PLACE, PlaceArgs(folded=folded))])
    assert len(placed.rects) == 16 * len(folded.boxes)
    assert len(placed.starts) == 4 * (len(folded.links) + 1)
    assert placed.points or not folded.links
    assert placed.seconds < 10


def too_wide(seen: Seen) -> None:
    """A picture of so many boxes is not drawn, and that is said."""
    assert seen.answers["fold"].startswith("This view has 100,002 boxes; at most 60,000 can be laid out.")


def circle(*links: tuple[str, str]) -> Callable[[Seen], None]:
    """These links are in the picture, also those that run backwards."""

    def check(seen: Seen) -> None:
        folded = seen.answers["fold"]
        found = {(folded.boxes[link.source].text, folded.boxes[link.target].text) for link in folded.links}
        assert set(links) <= found, found
        drawn(seen)

    return check


def names(*wanted: str) -> Callable[[Seen], None]:
    """The table has these rows."""

    def check(seen: Seen) -> None:
        found = [row.name for row in seen.answers["rows"].rows]
        assert found == list(wanted), found
        drawn(seen)

    return check


def twice(folder: Path) -> Path:
    """Every kind of name stands twice: inputs, weights, values, nodes, outputs."""
    from numpy import float32, ones
    from onnx import helper, numpy_helper

    weight = numpy_helper.from_array(ones((2, 3), float32), "w")
    made = [
        helper.make_node("Add", ["x", "w"], ["a"], name="same"),
        helper.make_node("Relu", ["a"], ["a"], name="same"),
    ]
    return save(folder / "m.onnx", made, inputs="x x", outputs="a a", initializer=[weight, weight])


def million(folder: Path) -> Path:
    """A chain of a million nodes."""
    chain = [field(1, field(1, b"v%d" % at) + field(2, b"v%d" % (at + 1)) + field(4, b"Relu")) for at in range(10**6)]
    graph = b"".join(chain) + field(11, value(b"v0")) + field(12, value(b"v1000000"))
    path = folder / "m.onnx"
    path.write_bytes(model(graph))
    return path


def found(seen: Seen) -> None:
    """The search finds one of a million."""
    assert seen.answers["rows"].total == 10**6
    assert [hit.name for hit in seen.answers["search"].hits] == ["Relu_765432"]


def deep(folder: Path) -> Path:
    """If in If, 10,000 times."""
    graph = field(1, field(1, b"c") + field(2, b"y") + field(4, b"Relu")) + field(12, field(1, b"y"))
    for _ in range(10_000):
        branch = field(5, field(1, b"then_branch") + field(6, graph) + b"\xa0\x01\x05")
        graph = field(1, field(1, b"c") + field(2, b"y") + field(4, b"If") + branch) + field(12, field(1, b"y"))
    path = folder / "m.onnx"
    path.write_bytes(model(graph))
    return path


def wide(folder: Path) -> Path:
    """One node takes 100,000 inputs of the model."""
    inputs = b"".join(field(11, value(b"x%d" % at)) for at in range(MANY))
    node = b"".join(field(1, b"x%d" % at) for at in range(MANY)) + field(2, b"y") + field(4, b"Sum")
    path = folder / "m.onnx"
    path.write_bytes(model(field(1, node) + inputs + field(12, value(b"y"))))
    return path


def popular(folder: Path) -> Path:
    """100,000 nodes take one value."""
    made = b"".join(field(1, field(1, b"x") + field(2, b"y%d" % at) + field(4, b"Relu")) for at in range(MANY))
    path = folder / "m.onnx"
    path.write_bytes(model(made + field(11, value(b"x")) + field(12, value(b"y0"))))
    return path


def sizes(folder: Path, dims: list[int], flow: tuple[int, ...] = (2, 3)) -> Path:
    """A weight of these sizes and 16 bytes, and inputs of those."""
    tensor = (
        b"".join(b"\x08" + varint(dim % 2**64) for dim in dims) + b"\x10\x01" + field(8, b"w") + field(9, bytes(16))
    )
    node = field(1, b"x") + field(1, b"w") + field(2, b"y") + field(4, b"MatMul")
    path = folder / "m.onnx"
    ends = field(11, value(b"x", (dim % 2**64 for dim in flow))) + field(12, value(b"y"))
    path.write_bytes(model(field(1, node) + field(5, tensor) + ends))
    return path


def swelling(folder: Path) -> Path:
    """300 bytes that ask shape inference to note a million million elements: a shape of that many dimensions."""
    from onnx import helper

    made = [
        helper.make_node("ConstantOfShape", ["s"], ["zeros"]),
        helper.make_node("Add", ["zeros", "zeros"], ["shape"]),
        helper.make_node("Reshape", ["x", "shape"], ["y"]),
    ]
    return save(folder / "m.onnx", made, initializer=[helper.make_tensor("s", 7, [1], [10**12])])


def negative(folder: Path) -> Path:
    """20,000 weights of a negative size, all of one name."""
    tensor = field(5, b"\x08" + varint(2**64 - 1) + b"\x10\x01" + field(8, b"w") + field(9, bytes(4)))
    node = field(1, b"x") + field(1, b"w") + field(2, b"y") + field(4, b"Add")
    path = folder / "m.onnx"
    path.write_bytes(model(field(1, node) + tensor * 20_000 + field(11, value(b"x")) + field(12, value(b"y"))))
    return path


def few(seen: Seen) -> None:
    """Not each of them is a remark."""
    assert len(seen.notes) <= 105, len(seen.notes)


def withheld(seen: Seen) -> None:
    """The values are refused in words."""
    said = seen.answers["tensor"]
    assert isinstance(said, str), said
    assert "'w'" in said or "A tensor of" in said, said


def called(folder: Path, name: bytes) -> Path:
    """Every name of a file is this one: model, graph, values, node, operator, attribute, domain, documentation."""
    attribute = field(1, name) + field(4, name) + b"\xa0\x01\x03"
    node = field(1, name) + field(2, name + b"2") + field(3, name) + field(4, name) + field(5, attribute)
    node += field(6, name) + field(7, name)
    graph = field(1, node) + field(2, name) + field(10, name) + field(11, value(name)) + field(12, value(name + b"2"))
    path = folder / "m.onnx"
    path.write_bytes(b"\x08\x0a" + field(2, name) + field(3, name) + model(graph)[2:] + field(14, field(1, name) * 2))
    return path


def recursive(folder: Path) -> Path:
    """F calls G, G calls F."""
    from onnx import helper

    imports = [helper.make_opsetid("", 21), helper.make_opsetid("mine", 1)]
    functions = [
        helper.make_function(
            "mine", name, ["a"], ["b"], [helper.make_node(other, ["a"], ["b"], domain="mine")], imports
        )
        for name, other in (("F", "G"), ("G", "F"))
    ]
    main = [helper.make_node("F", ["x"], ["y"], domain="mine")]
    return save(folder / "m.onnx", main, functions=functions, imports=imports)


def calling(folder: Path, levels: int, times: int) -> Path:
    """Functions of which each calls the one before so many times."""
    from onnx import helper

    imports = [helper.make_opsetid("", 21), helper.make_opsetid("mine", 1)]
    first = helper.make_function("mine", "F0", ["a"], ["b"], [helper.make_node("Relu", ["a"], ["b"])], imports)
    functions = [first]
    for level in range(1, levels):
        steps = ["a", *(f"s{step}" for step in range(1, times)), "b"]
        made = [helper.make_node(f"F{level - 1}", [taken], [given], domain="mine") for taken, given in pairwise(steps)]
        functions.append(helper.make_function("mine", f"F{level}", ["a"], ["b"], made, imports))
    main = [helper.make_node(f"F{levels - 1}", ["x"], ["y"], domain="mine")]
    return save(folder / "m.onnx", main, functions=functions, imports=imports)


def custom(folder: Path) -> Path:
    from onnx import helper

    made = [helper.make_node("Frobnicate", ["x"], ["y"], domain="no.such.domain", library="./evil.so")]
    return save(
        folder / "m.onnx", made, imports=[helper.make_opsetid("", 21), helper.make_opsetid("no.such.domain", 7)]
    )


def opset(folder: Path, number: int | None, version: int = 10) -> Path:
    from onnx import helper

    imports = [] if number is None else [helper.make_opsetid("", number)]
    path = save(folder / "m.onnx", [helper.make_node("Relu", ["x"], ["y"])], imports=imports or None)
    proto = path.read_bytes()
    if number is None:  # the helper puts one in
        import onnx

        parsed = onnx.ModelProto.FromString(proto)
        del parsed.opset_import[:]
        proto = parsed.SerializeToString()
    path.write_bytes(b"\x08" + bytes([version]) + proto[2:])
    return path


ODD = {
    "no text at all": (b"\xff\xfe\x80bad", "\\xff\\xfe\\x80bad"),
    "turned around": ("\u202egnp.exe\u2066".encode(), "gnp.exe"),
    "with NUL and bells": (b"a\0b\x07\x1b[31mc\r\nd", "ab[31mc d"),
    "markup": (b"<img src=http://127.0.0.1/x><b>&amp;", "<img src=http://127.0.0.1/x><b>&amp;"),
    "10 MB long": (b"n" * 10_000_000, "n" * 499 + "\u2026"),
}  # fmt: skip
VALUES = ((TENSOR, TensorArgs("w")),)

CASES = [
    Case(
        36, "two nodes that wait for each other",
        nodes("Relu b a first", "Relu a b second", "Add x,b y last"), "opened",
        "The graph runs in a circle: 'first' and 'second' wait for each other." + REFUSED, "warning",
        check=circle(("first", "second"), ("second", "first"), ("second", "last")),
    ),
    Case(
        36, "a node that waits for itself", nodes("Add x,a a self", "Relu a y last"), "opened",
        "The graph runs in a circle: 'self' waits for itself." + REFUSED, "warning",
        check=circle(("self", "self"), ("self", "last")),
    ),
    Case(
        36, "nodes in the wrong order", nodes("Relu a y second", "Relu x a first"), "opened",
        "The nodes do not stand in the order in which they can run." + REFUSED, "warning", check=drawn,
    ),
    Case(
        37, "a value that nothing makes", nodes("Add x,nowhere y add"), "opened",
        "The value 'nowhere' is taken by nodes, but nothing makes it." + REFUSED, "warning", check=drawn,
    ),
    Case(
        37, "an output that nothing makes", nodes("Relu x y a", outputs="y nowhere"), "opened",
        "The output 'nowhere' is made by nothing." + REFUSED, "warning", check=drawn,
    ),
    Case(
        38, "names that stand twice", twice, "opened", "The value 'a' is written twice." + REFUSED, "warning",
        check=drawn,
    ),
    Case(
        39, "nodes without names", nodes("Relu x a ", "Relu a b ", "Relu b y "), "opened",
        check=names("Relu_0", "Relu_1", "Relu_2"),
    ),
    Case(
        40, "1,000,000 nodes", million, "opened", "Relu_765432", check=found,
        then=((SEARCH, SearchArgs("Relu_765432")),), seconds=150, memory_mb=2048, slow=True,
    ),
    Case(
        41, "10,000 graphs inside each other", deep, "refused",
        "Graphs are nested too deep (limit 100). No exporter writes this; it is not read.", seconds=2,
    ),
    Case(42, "a node with 100,000 inputs", wide, "opened", "Sum", check=too_wide, memory_mb=1000),
    Case(42, "a value that 100,000 nodes take", popular, "opened", "Relu", seconds=15, memory_mb=1000),
    *(
        Case(43, f"a weight of {dims}", partial(sizes, dims=dims), "opened", "w", check=withheld, then=VALUES)
        for dims in ([2**62, 2**62], [10**6, 10**6])
    ),
    Case(
        43, "a weight of -1", partial(sizes, dims=[-1, 4]), "opened",
        "The tensor 'w' has a negative size.", "warning", check=withheld, then=VALUES,
    ),
    Case(
        43, "a weight of 2^63", partial(sizes, dims=[2**63]), "opened",
        "The tensor 'w' has a negative size.", "warning", check=withheld, then=VALUES,
    ),
    Case(43, "20,000 weights of -1, of one name", negative, "opened", "19,900 more remarks are not shown.", check=few),
    Case(
        43, "a weight of 100,000 dimensions", partial(sizes, dims=[2**62] * 100_000), "opened",
        "The tensor 'w' has 100,000 dimensions.", "warning", seconds=5, memory_mb=900,
    ),
    Case(
        43, "an input of 100,000 dimensions", partial(sizes, dims=[2, 2], flow=(2**62,) * 100_000), "opened", "x",
        seconds=5, memory_mb=900,
    ),
    Case(
        43, "a shape of 1e12 dimensions", swelling, "opened",
        "Shapes between the layers could not be worked out.", "warning", memory_mb=900,
    ),
    Case(43, "an input of (2^63-1)^4", partial(sizes, dims=[2, 2], flow=(2**63 - 1,) * 4), "opened", "x"),
    Case(43, "an input of -2^63", partial(sizes, dims=[2, 2], flow=(-(2**63), -7)), "opened", "x"),
    *(
        Case(44, f"names that are {what}", partial(called, name=name), "opened", shown, memory_mb=800)
        for what, (name, shown) in ODD.items()
    ),
    Case(
        45, "operator set 999", partial(opset, number=999), "opened",
        "The file uses operator set 999 of ONNX; the newest that we know is ", "warning",
    ),
    Case(
        45, "no operator set", partial(opset, number=None), "opened",
        "The file does not say which operator set it uses." + REFUSED, "warning",
    ),
    Case(
        45, "IR version 99", partial(opset, number=21, version=99), "opened",
        "The file is of IR version 99; the newest that we know is ", "warning",
    ),
    Case(
        45, "an operator of a domain that nobody knows", custom, "opened",
        "The model uses operators that are not ONNX's own: no.such.domain.Frobnicate. "
        "It runs only where they are registered.", "warning",
    ),
    *(
        Case(
            45, name, partial(calling, levels=levels, times=times), "opened",
            "Shapes inside functions could not be worked out.", "warning",
        )
        for name, levels, times in (("2^60 calls of functions", 60, 2), ("3,000 functions in a row", 3000, 1))
    ),
    Case(45, "functions that call each other", recursive, "opened", "The function 'mine:F' calls itself.", "warning"),
]  # fmt: skip
