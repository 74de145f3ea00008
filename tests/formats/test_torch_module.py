"""Whole modules: their tree, classes and tensors, and what loading them would run."""

from __future__ import annotations

import numpy as np
import pytest
from built import Built

from inspector.formats._globals import grade
from inspector.ir import Model, Role

CLOTHES = ("module.pt", "module_legacy.pt", "wrapped.pt")


def counted(model: Model, *roles: Role) -> int:
    return sum(t.count for t in model.tensors.values() if t.role in roles and not t.same_as)


@pytest.mark.parametrize("name", CLOTHES)
def test_parameters_and_modules_are_torchs_own(torch_weights: Built, name: str) -> None:
    model, facts = torch_weights.read(name), torch_weights.facts
    assert model.format == "torch.module"
    assert counted(model, Role.WEIGHT) == facts["parameters"]
    assert sum(t.count for t in model.tensors.values() if t.trainable and not t.same_as) == facts["trainable"]
    assert counted(model, Role.BUFFER) == facts["buffers"]
    assert list(model.tensors) == facts["names"]
    assert {module.path: module.type for module in model.modules} == facts["classes"]
    paths = [module.path for module in model.modules]
    assert all(path.rpartition(".")[0] in paths[:at] for at, path in enumerate(paths) if path)


@pytest.mark.parametrize("name", CLOTHES)
def test_values_are_torchs_own(torch_weights: Built, name: str) -> None:
    model = torch_weights.read(name)
    with np.load(torch_weights.folder / "state.npz") as want:
        for key in want.files:
            got = torch_weights.values(name, model.tensors[key])
            assert np.array_equal(np.asarray(got, np.float32), want[key]), key


def test_hyper_parameters_are_attributes(torch_weights: Built) -> None:
    modules = {module.path: module for module in torch_weights.read("module.pt").modules}
    assert modules[""].attributes["note"] == "for the tests"
    assert modules[""].attributes["sizes"] == (1, 2, (3, 4))
    assert modules["blocks.0"].attributes["width"] == 8
    stem = modules["stem"].attributes
    assert (stem["class"], stem["kernel_size"], stem["out_channels"]) == ("torch.nn.modules.conv.Conv2d", (3, 3), 8)
    assert not [name for name in stem if "hooks" in name or name == "_parameters"]


def test_the_class_that_loading_needs_is_named(torch_weights: Built) -> None:
    notes = torch_weights.read("module.pt").notes
    assert (notes[0].level, notes[0].text) == (
        "warning",
        "Loading this file needs, and runs, code that is no known part of PyTorch: __main__.Net, __main__.Block.",
    )
    assert [note.level for note in torch_weights.read("plain_module.pt").notes] == ["info"]


def test_legacy_files_keep_the_source_of_classes(torch_weights: Built) -> None:
    assert "class Block(nn.Module):" in torch_weights.read("module_legacy.pt").texts["source/__main__.Block.py"]


@pytest.mark.parametrize(
    ("path", "want"),
    [
        ("collections.OrderedDict", "known"),
        ("torch._utils._rebuild_tensor_v2", "known"),
        ("torch.nn.modules.linear.Linear", "known"),
        ("torch.nn.modules.linear.torch.os.system", "danger"),
        ("torch.nn.modules.linear.Linear.__init__", "danger"),
        ("torch.os.system", "danger"),
        ("torch.hub.load", "danger"),
        ("torch.storage._load_from_bytes", "unknown"),
        ("numpy.testing._private.utils.runstring", "danger"),
        ("__main__.Net", "unknown"),
        ("torchvision.models.resnet.ResNet", "unknown"),
        ("functools.partial", "unknown"),
        ("builtins.set", "known"),
        ("builtins.eval", "danger"),
        ("__builtin__.eval", "danger"),
        ("posix.system", "danger"),
        ("nt.system", "danger"),
        ("subprocess.Popen", "danger"),
        ("importlib.import_module", "danger"),
        ("pip.main", "danger"),
        ("os\n.system", "danger"),
        ("", "danger"),
    ],
)
def test_names_are_graded(path: str, want: str) -> None:
    assert grade(path) == want
