"""The reader of torch.export's archives against torch itself, in every layout that torch has written."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from built import dangling

from inspector.engines.summary.summary import Summary
from inspector.errors import FormatError
from inspector.formats import Source, formats, identify
from inspector.formats._export_graph import module_path
from inspector.formats._export_symbols import plain
from inspector.ir import Model, Role

PT2 = formats()["torch.export"]
QUIET = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")


def read(path: Path) -> Model:
    source = Source(path)
    assert identify(source).id == "torch.export"
    return PT2.read(source)


def network() -> tuple[Any, tuple[Any, ...]]:
    """A network with batch norm, a skip, a tied and a frozen weight, bfloat16, an unsaved buffer, a literal."""
    import torch
    from torch import nn

    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(8, 8, 3, padding=1)
            self.norm = nn.BatchNorm2d(8)
            self.register_buffer("anchor", torch.arange(8.0).reshape(1, 8, 1, 1))
            self.register_buffer("fleeting", torch.ones(1), persistent=False)

        def forward(self, x: Any) -> Any:
            return torch.relu(self.norm(self.conv(x)) + x * self.anchor + self.fleeting)

    class Network(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.stem = nn.Conv2d(1, 8, 3)
            self.blocks = nn.Sequential(Block(), Block())
            self.table = nn.Embedding(5, 8).to(torch.bfloat16)
            self.head, self.tied = nn.Linear(8, 10), nn.Linear(8, 10)
            self.tied.weight = self.head.weight
            self.head.bias.requires_grad_(False)
            self.turned = nn.Parameter(torch.arange(32.0).reshape(4, 8).t())
            self.x = nn.Parameter(torch.ones(8))

        def forward(self, x: Any, index: Any) -> Any:
            h = self.blocks(self.stem(x)).mean((2, 3)) + self.table(index).float() * self.x
            h = h + torch.tensor([1.0, 2, 3, 4, 5, 6, 7, 8])
            return {"logits": self.head(h), "more": (self.tied(h), h @ self.turned)}

    return Network().eval(), (torch.randn(2, 1, 12, 12), torch.tensor([1, 2]))


@pytest.fixture(scope="module")
def program() -> Any:
    import warnings

    import torch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model, inputs = network()
        batch, height = torch.export.Dim("batch", max=64), torch.export.Dim("height", min=8, max=512)
        return torch.export.export(model, inputs, dynamic_shapes={"x": {0: batch, 2: height}, "index": {0: batch}})


def save_flat(program: Any, path: Path) -> None:
    """As torch up to 2.7 saved it."""
    from torch._export.serde.schema import SCHEMA_VERSION
    from torch._export.serde.serialize import serialize

    parts = serialize(program)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("version", ".".join(map(str, SCHEMA_VERSION)))
        archive.writestr("serialized_exported_program.json", parts.exported_program)
        archive.writestr("serialized_state_dict.pt", parts.state_dict)
        archive.writestr("serialized_constants.pt", parts.constants)
        archive.writestr("serialized_example_inputs.pt", parts.example_inputs)


def save_pickled(program: Any, path: Path) -> None:
    """As torch 2.8 saved it: an archive with the weights as one pickle."""
    from torch._export.serde.serialize import serialize
    from torch.export.pt2_archive._package import PT2ArchiveWriter

    parts = serialize(program)
    with PT2ArchiveWriter(str(path)) as writer:
        writer.write_bytes("models/model.json", parts.exported_program)
        writer.write_bytes("data/weights/model.pt", parts.state_dict)
        writer.write_bytes("data/constants/model.pt", parts.constants)
        writer.write_bytes("data/sample_inputs/model.pt", parts.example_inputs)


def save_now(program: Any, path: Path) -> None:
    import torch

    torch.export.save(program, path)


def save_packed(program: Any, path: Path) -> None:
    """Compressed afterwards, as people do."""
    save_now(program, path.with_suffix(".tmp.pt2"))
    with zipfile.ZipFile(path.with_suffix(".tmp.pt2")) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))


@QUIET
@pytest.mark.parametrize("save", [save_flat, save_pickled, save_now, save_packed])
def test_every_layout_holds_what_torch_holds(tmp_path: Path, program: Any, save: Any) -> None:
    import torch

    path = tmp_path / "network.pt2"
    save(program, path)
    model, source = read(path), Source(path)
    state = {**program.state_dict, **program.constants}
    names = {name: ("p_x" if name == "x" else name) for name in state}  # x is also an input
    assert set(model.tensors) == set(names.values())
    for name, want in state.items():
        tensor = model.tensors[names[name]]
        got = PT2.fetch(source, tensor)
        assert (tensor.shape, f"torch.{tensor.dtype}") == (tuple(want.shape), str(want.dtype))
        assert got.dtype.name == tensor.dtype
        assert torch.equal(torch.tensor(got.astype("float32")), want.detach().float())
        if isinstance(want, torch.nn.Parameter):
            assert (tensor.role, tensor.trainable) == (Role.WEIGHT, want.requires_grad)


@QUIET
@pytest.mark.parametrize("save", [save_flat, save_pickled, save_now])
def test_sums_equal_those_of_torch(tmp_path: Path, program: Any, save: Any) -> None:
    path = tmp_path / "network.pt2"
    save(program, path)
    network_, _ = network()
    tensors = [tensor for tensor in read(path).tensors.values() if not tensor.same_as]
    weights = [tensor for tensor in tensors if tensor.role is Role.WEIGHT]
    assert sum(t.count for t in weights) == sum(p.numel() for p in network_.parameters())
    assert sum(t.count for t in weights if t.trainable) == sum(
        p.numel() for p in network_.parameters() if p.requires_grad
    )
    buffers = sum(b.numel() for b in network_.buffers() if b.is_floating_point())
    literal = 8
    assert sum(t.count for t in tensors if t.role is Role.BUFFER) == buffers + literal
    assert sum(t.role is Role.CONSTANT for t in tensors) == 2  # num_batches_tracked


@QUIET
def test_the_graph_has_modules_shapes_and_sources(tmp_path: Path, program: Any) -> None:
    path = tmp_path / "network.pt2"
    save_now(program, path)
    model = read(path)
    assert model.main is not None
    (signature,) = model.signatures
    batch, height = signature.inputs[0].shape[0], signature.inputs[0].shape[2]  # type: ignore[index]
    assert [(v.name, v.dtype, v.shape) for v in signature.inputs] == [
        ("x", "float32", (batch, 1, height, 12)),
        ("index", "int64", (batch,)),
    ]
    assert [(v.name, v.shape) for v in signature.outputs] == [
        ("logits", (batch, 10)),
        ("more.0", (batch, 10)),
        ("more.1", (batch, 4)),
    ]
    conv = next(node for node in model.main.nodes if node.module == "blocks.1.conv")
    assert conv.op == "aten.conv2d.default"
    assert conv.inputs[1:] == ("blocks.1.conv.weight", "blocks.1.conv.bias")
    assert conv.attributes["padding"] == (1, 1)
    assert model.main.values[conv.outputs[0]].shape == (batch, 8, f"{height} - 2", 10)
    assert conv.source.rpartition(":")[0].endswith("test_torch_export.py")
    tree = [(module.path, module.type) for module in model.modules]
    assert tree[:4] == [("", "Network"), ("stem", "Conv2d"), ("blocks", "Sequential"), ("blocks.0", "Block")]
    assert model.modules[1].attributes["class"] == "torch.nn.modules.conv.Conv2d"
    assert model.metadata[f"dimension {height}"] == f"8 ≤ {height} ≤ 512"
    known = model.main.values
    assert all(known[name].shape is not None for node in model.main.nodes for name in node.outputs)


def test_the_samples_read_as_they_were_trained(samples: Path) -> None:
    model = read(samples / "digits_mlp.pt2")
    assert sum(tensor.count for tensor in model.tensors.values()) == 669_706
    assert [value.name for value in model.signatures[0].inputs] == ["input"]
    assert [(value.name, value.shape[1:]) for value in model.signatures[0].outputs if value.shape] == [
        ("output", (10,))
    ]
    assert [node.op for node in model.main.nodes] == [  # type: ignore[union-attr]
        "aten.flatten.using_ints",
        *["aten.linear.default", "aten.relu.default"] * 2,
        "aten.linear.default",
    ]


@QUIET
def test_branches_are_graphs(tmp_path: Path) -> None:
    import torch

    class Branch(torch.nn.Module):
        def forward(self, x: Any) -> Any:
            return torch.cond(x.sum() > 0, lambda x: x.sin(), lambda x: x.cos() + 1, (x,))

    path = tmp_path / "branch.pt2"
    save_now(torch.export.export(Branch(), (torch.randn(3),)), path)
    model = read(path)
    assert model.main is not None
    node = next(node for node in model.main.nodes if node.op == "higher_order.cond")
    assert len(node.graphs) == 2
    inner = [[n.op for n in graph.nodes] for graph in model.graphs if graph.name in node.graphs]
    assert inner == [["aten.sin.default"], ["aten.cos.default", "aten.add.Tensor"]]
    assert sorted(str(value) for value in node.attributes.values()) == sorted(f"graph:{name}" for name in node.graphs)


@QUIET
def test_what_is_mapped_over_slices_runs_as_often_as_there_are(tmp_path: Path) -> None:
    import torch
    from torch._higher_order_ops import map as each
    from torch._higher_order_ops import scan

    class Mapped(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = torch.nn.Linear(8, 4, bias=False)
            self.square = torch.nn.Linear(8, 8, bias=False)

        def forward(self, x: Any) -> Any:
            mapped = each(lambda part: self.linear(part), x)
            return mapped, scan(lambda last, part: (self.square(last) + part, last.clone()), x[0] * 2, x)

    path = tmp_path / "mapped.pt2"
    save_now(torch.export.export(Mapped(), (torch.randn(6, 2, 8),)), path)
    totals = Summary(read(path)).totals
    assert (totals.macs, totals.complete) == (6 * 2 * 8 * (4 + 8), True)


@QUIET
def test_what_vmap_runs_for_each_slice_is_a_graph_of_its_own(tmp_path: Path) -> None:
    """The file has it as a bracket among the other nodes, whose shapes are those of one slice."""
    import torch

    class Ensemble(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.last = torch.nn.Linear(8, 6), torch.nn.Linear(5, 3)
            self.members = torch.nn.Parameter(torch.randn(7, 5, 6))

        def forward(self, x: Any) -> Any:
            inner = torch.vmap(torch.vmap(self.first))(x)  # x is (batch, 2, 8)
            each = torch.vmap(lambda w, y: y.relu() @ w.T, in_dims=(0, None))(self.members, inner)
            return torch.vmap(self.last, in_dims=1)(each)

    model, path = Ensemble(), tmp_path / "vmapped.pt2"
    size = torch.export.Dim("batch", min=2, max=99)
    save_now(torch.export.export(model, (torch.randn(4, 2, 8),), dynamic_shapes=({0: size},)), path)
    found = read(path)
    assert not dangling(found)
    assert not [node for graph in found.graphs for node in graph.nodes if "functorch" in node.op]
    assert [node.op for node in found.graphs[0].nodes].count("higher_order.vmap") == 3
    (name,) = [value.shape[0] for value in found.graphs[0].inputs if value.shape]
    totals = Summary(found, {str(name): 4}).totals
    assert (totals.macs, totals.complete) == (4 * 2 * 8 * 6 + 7 * 4 * 2 * 6 * 5 + 2 * 7 * 4 * 5 * 3, True)
    assert totals.parameters == sum(item.numel() for item in model.parameters())


def rewritten(samples: Path, path: Path, change: Any) -> Path:
    """The sample with its members changed."""
    with zipfile.ZipFile(samples / "digits_mlp.pt2") as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            data = change(name, old.read(name))
            if data is not None:
                new.writestr(name, data)
    return path


@pytest.mark.parametrize(
    ("part", "data", "words"),
    [
        ("models/model.json", b"", "program of this file cannot be understood"),
        ("models/model.json", b"[" * 100_000, "program of this file cannot be understood"),
        ("models/model.json", b'{"graph_module": {"graph": 7}}', "program of this file cannot be understood"),
        ("models/model.json", None, "holds no program"),
        ("model_weights_config.json", b'{"config": {"a": {}}}', "list of weights of this file cannot be understood"),
    ],
)
def test_damaged_archives_are_errors_in_words(
    samples: Path, tmp_path: Path, part: str, data: bytes | None, words: str
) -> None:
    path = rewritten(samples, tmp_path / "m.pt2", lambda name, old: data if name.endswith(part) else old)
    with pytest.raises(FormatError, match=words):
        PT2.read(Source(path))


def test_missing_and_short_weights_open_and_say_so_when_asked(samples: Path, tmp_path: Path) -> None:
    def change(name: str, data: bytes) -> bytes | None:
        return None if name.endswith("weight_0") else data[:7] if name.endswith("weight_1") else data

    path = rewritten(samples, tmp_path / "m.pt2", change)
    model = read(path)
    for name in ("linear_relu_stack.0.weight", "linear_relu_stack.0.bias"):
        with pytest.raises(FormatError, match="not in the file"):
            PT2.fetch(Source(path), model.tensors[name])


def test_pickled_weights_are_never_run(samples: Path, tmp_path: Path) -> None:
    marker = tmp_path / "ran"

    def change(name: str, data: bytes) -> bytes:
        if name.endswith("weights_config.json"):
            config = json.loads(data)
            next(iter(config["config"].values()))["use_pickle"] = True
            return json.dumps(config).encode()
        return f"cos\nsystem\n(S'touch {marker}'\ntR.".encode() if name.endswith("weight_0") else data

    path = rewritten(samples, tmp_path / "m.pt2", change)
    with pytest.raises(FormatError):
        PT2.read(Source(path))
    assert not marker.exists()


def test_machine_code_packages_are_named(tmp_path: Path) -> None:
    path = tmp_path / "m.pt2"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("m/archive_format", "pt2")
        archive.writestr("m/data/aotinductor/model/x.so", b"\x7fELF")
    assert identify(Source(path)).id == "torch.export"
    with pytest.raises(FormatError, match="machine code"):
        PT2.read(Source(path))


@pytest.mark.parametrize("cut", [0.2, 0.6, 0.9, 0.999])
def test_truncated_archives_are_errors(samples: Path, tmp_path: Path, cut: float) -> None:
    data = (samples / "digits_mlp.pt2").read_bytes()
    path = tmp_path / "m.pt2"
    path.write_bytes(data[: int(len(data) * cut)])
    with pytest.raises(FormatError, match="damaged"):
        PT2.read(Source(path))


@pytest.mark.parametrize(
    ("notation", "words"),
    [
        ("Symbol('s31', positive=True, integer=True)", "s31"),
        ("Add(Symbol('s53', integer=True), Integer(-2))", "s53 - 2"),
        ("Mul(Integer(80), Max(Integer(1), Add(Symbol('a'), Integer(-2))))", "80*Max(1, a - 2)"),
        ("FloorDiv(Add(Symbol('a'), Integer(1)), Integer(2))", "(a + 1)//2"),
        ("Add(Integer(3), FloorDiv(Mul(Integer(-1), Symbol('a')), Integer(4)))", "3 + (-a)//4"),
        ("Mul(FloorDiv(Symbol('a'), Integer(2)), FloorDiv(Symbol('b'), Integer(3)))", "a//2*(b//3)"),
        ("2*s0 + 1", "2*s0 + 1"),
        ("Add(", "Add("),
        ("Add(" * 500, "Add(" * 500),
    ],
)
def test_symbolic_sizes_in_plain_arithmetic(notation: str, words: str) -> None:
    assert plain(notation) == words


def test_symbolic_sizes_mean_what_they_meant() -> None:
    """Random expressions, evaluated before and after."""
    import random

    import sympy
    from torch.utils._sympy.functions import FloorDiv, Max, PythonMod

    chance = random.Random(1)
    symbols = [sympy.Symbol(name, positive=True, integer=True) for name in ("a", "b", "s7")]
    sizes = {"a": 5, "b": 13, "s7": 8}

    def expression(depth: int) -> Any:
        if not depth:
            return chance.choice([*symbols, sympy.Integer(chance.randint(-4, 9))])
        x, y, number = expression(depth - 1), expression(depth - 1), sympy.Integer(chance.randint(2, 5))
        return chance.choice([x + y, x - y, x * y, FloorDiv(x, number), Max(x, y), PythonMod(x, number)])

    for _ in range(200):
        wanted = expression(3)
        words = plain(sympy.srepr(wanted))
        value = eval(words, {"Max": max}, dict(sizes))
        assert value == int(wanted.subs({s: sizes[s.name] for s in symbols})), words


@pytest.mark.parametrize(
    ("written", "path"),
    [
        ("", ""),
        ("L['self']", ""),
        ("stack.0", "stack.0"),
        ("stack.0@1", "stack.0"),
        ("L['self'].stack[0].linear", "stack.0.linear"),
        ("L['self']._modules['layers']._modules['0']", "layers.0"),
    ],
)
def test_module_paths_of_every_exporter(written: str, path: str) -> None:
    assert module_path(written) == path


def test_values_are_read_alone(samples: Path) -> None:
    model = read(samples / "digits_cnn.pt2")
    tensor = model.tensors["head.bias"]
    values = PT2.fetch(Source(samples / "digits_cnn.pt2"), tensor)
    assert (values.shape, values.dtype) == ((10,), np.dtype("float32"))
    assert tensor.place.size == 40


@QUIET
@pytest.mark.parametrize(
    ("save", "part"),
    [(save_flat, "serialized_state_dict.pt"), (save_now, "whole/data/sample_inputs/model.pt")],
)
def test_a_file_cut_off_behind_an_archive_within_it_is_incomplete(
    program: Any, save: Any, part: str, tmp_path: Path
) -> None:
    """Programs that look for the list of a zip archive at its end would find that of the inner one."""
    save(program, tmp_path / "whole.pt2")
    with zipfile.ZipFile(tmp_path / "whole.pt2") as archive:
        starts = [info.header_offset for info in archive.infolist()]
        following = starts[archive.namelist().index(part) + 1]
    cut = tmp_path / "cut.pt2"
    for more in (0, 20):
        cut.write_bytes((tmp_path / "whole.pt2").read_bytes()[: following + more])
        with pytest.raises(FormatError) as seen:
            identify(Source(cut)).read(Source(cut))
        assert (
            str(seen.value) == f"cut.pt2 is incomplete: it ends behind {part!r}, a part of it that is an archive too."
        )
