"""Case 14: archives of PyTorch that carry code: TorchScript, exported programs, compiled packages. Text at most."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pickle_bytes as p
from case import Case, marker, plain
from pickle_files import RUN, has_parameters
from witness import Seen
from zip_bytes import Member, written

from inspector.worker.tasks.text import TASK as TEXT
from inspector.worker.tasks.text import TextArgs

SOURCE = """class M(Module):
  __parameters__ = ["w", ]
  __buffers__ = []
  w : Tensor
  def forward(self: __torch__.M, x: Tensor) -> Tensor:
    {}
    return torch.add(x, self.w)
"""


def script(code: str, data: bytes = b"") -> bytes:
    """A TorchScript archive with a module of one weight."""
    data = data or p.whole(p.instance("__torch__", "M", {"w": p.tensor()}))
    members = {"data.pkl": data, "constants.pkl": p.whole(b")"), "code/__torch__.py": code.encode(), "version": b"3\n"}
    members |= {"data/0": bytes(8)}
    return written(Member(f"m/{name}".encode(), content) for name, content in members.items())


def evil(folder: Path) -> bytes:
    """Code that would run something, if it were Python."""
    return script(SOURCE.format(f"_0 = __import__('os').system('touch {marker(folder)}')"))


def code_is_shown(seen: Seen) -> None:
    """The code can be read as text."""
    assert "__import__('os').system('touch" in seen.answers["text"].text


def gadget(folder: Path) -> bytes:
    """A pickle that runs something beside code."""
    return script(
        SOURCE.format(""),
        p.whole(p.shell(f"touch {marker(folder)}") + p.POP + p.instance("__torch__", "M", {"w": p.tensor()})),
    )


def constants(folder: Path) -> bytes:
    """The same in the table of constants."""
    return written(
        Member(f"m/{name}".encode(), content)
        for name, content in {
            "data.pkl": p.whole(p.instance("__torch__", "M", {"w": p.tensor()})),
            "constants.pkl": p.whole(p.row(p.shell(f"touch {marker(folder)}"))),
            "code/__torch__.py": SOURCE.format("").encode(),
            "data/0": bytes(8),
        }.items()
    )


def program(target: str, **more: Any) -> dict[str, Any]:
    """The JSON of an exported program of one operator."""
    tensor = {"dtype": 7, "sizes": [{"as_int": 2}], "requires_grad": False, "device": {"type": "cpu", "index": None},
              "strides": [{"as_int": 1}], "storage_offset": {"as_int": 0}, "layout": 7}  # fmt: skip
    node = {
        "target": target,
        "inputs": [{"name": "self", "arg": {"as_tensor": {"name": "x"}}, "kind": 1}],
        "outputs": [{"as_tensor": {"name": "y"}}],
        "metadata": {},
        "is_hop_single_tensor_return": None,
        "name": "y",
    }
    graph = {
        "inputs": [{"as_tensor": {"name": "x"}}],
        "outputs": [{"as_tensor": {"name": "y"}}],
        "nodes": [node],
        "tensor_values": {"x": tensor, "y": tensor},
        "sym_int_values": {},
        "sym_bool_values": {},
        "sym_float_values": {},
        "is_single_tensor_return": False,
        "custom_obj_values": {},
    }
    signature = {
        "input_specs": [{"user_input": {"arg": {"as_tensor": {"name": "x"}}}}],
        "output_specs": [{"user_output": {"arg": {"as_tensor": {"name": "y"}}}}],
    }
    module = {"graph": graph, "signature": signature, "module_call_graph": [], "metadata": {}}
    module["treespec_namedtuple_fields"] = {}
    version = {"major": 8, "minor": 14}
    return {"graph_module": module, "opset_version": {"aten": 10}, "range_constraints": {}, "schema_version": version,
            "verifiers": [], "torch_version": "2.13.0", "guards_code": [], **more}  # fmt: skip


def exported(body: dict[str, Any] | bytes, *more: Member) -> bytes:
    """A .pt2 archive."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    config = b'{"config": {}}'
    return written(
        [
            Member(b"m/archive_format", b"pt2"),
            Member(b"m/models/model.json", data),
            Member(b"m/data/weights/model_weights_config.json", config),
            Member(b"m/data/constants/model_constants_config.json", config),
            Member(b"m/byteorder", b"little"),
            *more,
        ]
    )


def pickled_constant(folder: Path) -> bytes:
    """A constant that is a pickle which runs something."""
    entry = {"config": {"c": {"path_name": "custom_obj_0", "is_param": False, "use_pickle": True, "tensor_meta": None}}}
    data = p.whole(p.shell(f"touch {marker(folder)}"))
    return written(
        [
            Member(b"m/archive_format", b"pt2"),
            Member(b"m/models/model.json", json.dumps(program("torch.ops.aten.relu.default")).encode()),
            Member(b"m/data/weights/model_weights_config.json", b'{"config": {}}'),
            Member(b"m/data/constants/model_constants_config.json", json.dumps(entry).encode()),
            Member(b"m/data/constants/custom_obj_0", data),
            Member(b"m/data/sample_inputs/model.pt", p.zipped(data)),
        ]
    )


LIBRARY = b"\x7fELF\x02\x01\x01" + bytes(57)
COMPILED = Member(b"m/data/aotinductor/model/c1.so", LIBRARY)
UNREAD = "The code in __torch__.py could not be read; it is shown as text only."
DEEP = "(" * 50_000 + "x" + ")" * 50_000

CASES = (
    Case(
        14,
        "TorchScript whose code calls os.system",
        plain(evil, "model.pt"),
        "opened",
        "",
        check=code_is_shown,
        then=((TEXT, TextArgs("code/__torch__.py")),),
    ),
    Case(
        14,
        "TorchScript whose pickle runs something",
        plain(gadget, "model.pt"),
        "opened",
        RUN.format("posix.system"),
        "danger",
    ),
    Case(
        14,
        "TorchScript whose constants run something",
        plain(constants, "model.pt"),
        "opened",
        RUN.format("posix.system"),
        "danger",
    ),
    Case(
        14,
        "TorchScript with an operator of nobody's",
        plain(script(SOURCE.format("x = ops.evil.run(x)")), "model.pt"),
        "opened",
        "evil",
        check=lambda seen: has_parameters(seen, 2),
    ),
    Case(
        14,
        "TorchScript with 50,000 brackets",
        plain(script(SOURCE.format(f"_0 = {DEEP}")), "model.pt"),
        "opened",
        UNREAD,
        seconds=5,
        memory_mb=300,
    ),
    Case(
        14,
        "TorchScript with 500 nested conditions",
        plain(
            script(
                "class M(Module):\n  def forward(self, x):\n"
                + "".join("  " * (at + 2) + "if bool(x):\n" for at in range(500))
                + "  " * 503
                + "y = x\n    return x\n"
            ),
            "model.pt",
        ),
        "opened",
        UNREAD,
        seconds=8,
        memory_mb=600,
    ),
    Case(14, "TorchScript whose code is bytes", plain(script("\0\u202e\ud7ff" * 1000), "model.pt"), "opened", UNREAD),
    Case(
        14,
        "TorchScript whose pickle is broken behind a payload",
        plain(lambda f: script(SOURCE.format(""), b"\x80\x02" + p.shell(f"touch {marker(f)}") + b"\xff"), "model.pt"),
        "opened",
        RUN.format("posix.system"),
        "danger",
    ),
    Case(
        14,
        "an exported program with an operator of nobody's",
        plain(exported(program("torch.ops.evil.run.default")), "model.pt2"),
        "opened",
        "evil",
    ),
    Case(
        14,
        "an exported program whose operator is a path of Python",
        plain(exported(program("os.system")), "model.pt2"),
        "opened",
        "os.system",
    ),
    Case(
        14,
        "an exported program with a pickled constant and pickled inputs",
        plain(pickled_constant, "model.pt2"),
        "opened",
        "posix.system",
        "danger",
    ),
    Case(
        14,
        "an exported program with a compiled library beside it",
        plain(exported(program("torch.ops.aten.relu.default"), COMPILED), "model.pt2"),
        "opened",
        "machine code",
        "warning",
    ),
    Case(
        14,
        "a package of a compiled library alone (AOTInductor)",
        plain(written([Member(b"m/archive_format", b"pt2"), COMPILED]), "model.pt2"),
        "refused",
        "model.pt2 is a package of machine code (AOTInductor), in which there is no graph to show.",
    ),
    Case(
        14,
        "an exported program 100,000 brackets deep",
        plain(exported(b"[" * 100_000), "model.pt2"),
        "refused",
        "program",
    ),
    Case(
        14,
        "an exported program whose guards are code",
        plain(
            lambda f: exported(program("torch.ops.aten.relu.default", guards_code=[f"open({str(marker(f))!r}, 'w')"])),
            "model.pt2",
        ),
        "opened",
        "guards",
    ),
)
