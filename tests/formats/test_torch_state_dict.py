"""Checkpoints in all their clothes: what is read without torch is what torch saved."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from built import Built

from inspector.errors import FormatError
from inspector.formats import Source, identify
from inspector.formats.torch_state_dict import FORMAT
from inspector.ir import Model, Role

CLOTHES = (
    *("state.pt", "legacy.pth", "zip.pth.tar", "training.bin", "lightning.ckpt", "before_archives.pth"),
    "pytorch_model.bin.index.json",
)


def counted(model: Model, *roles: Role) -> int:
    return sum(t.count for t in model.tensors.values() if t.role in roles and not t.same_as)


@pytest.mark.parametrize("name", CLOTHES)
def test_parameters_are_torchs_own(torch_weights: Built, name: str) -> None:
    model, facts = torch_weights.read(name), torch_weights.facts
    assert model.format == "torch.state_dict"
    assert counted(model, Role.WEIGHT, Role.BUFFER) == facts["parameters"] + facts["buffers"]
    assert set(facts["names"]) <= set(model.tensors)
    assert {tensor.name: tensor.same_as for tensor in model.tensors.values() if tensor.same_as} == {
        "head.weight": "embed.weight"
    }
    assert all(tensor.trainable is not True for tensor in model.tensors.values())


@pytest.mark.parametrize("name", CLOTHES)
def test_values_are_torchs_own(torch_weights: Built, name: str) -> None:
    model = torch_weights.read(name)
    with np.load(torch_weights.folder / "state.npz") as want:
        for key in want.files:
            got = torch_weights.values(name, model.tensors[key])
            assert got.flags.c_contiguous
            assert np.array_equal(np.asarray(got, np.float32), want[key]), key


def test_modules_without_weights_are_in_the_tree_too(torch_weights: Built) -> None:
    """PyTorch writes the version of every module, those without tensors too."""
    assert {module.path for module in torch_weights.read("state.pt").modules} == set(torch_weights.facts["modules"])


def test_optimizer_and_averaged_copy_stand_apart(torch_weights: Built) -> None:
    model, facts = torch_weights.read("training.bin"), torch_weights.facts
    slots = [t for name, t in model.tensors.items() if name.startswith("optimizer.")]
    assert sum(tensor.count for tensor in slots) == facts["slots"]
    assert {tensor.role for tensor in slots} == {Role.OPTIMIZER}
    copies = [t for name, t in model.tensors.items() if name.startswith("ema.")]
    assert len(copies) == len(facts["names"])
    assert {tensor.role for tensor in copies} == {Role.COPY}
    assert [note.text for note in model.notes] == [
        "The file holds a second copy of the weights under 'ema': averaged while training.",
        f"{len(slots)} tensors are the optimizer's: a checkpoint to go on training from.",
    ]
    assert (model.metadata["epoch"], model.metadata["arch"]) == ("7", "net")
    assert model.texts["args"] == "lr: 0.1"
    assert "lr: 0.01" in model.texts["optimizer settings"]


def test_averages_are_found_wherever_trainers_keep_them(torch_weights: Built) -> None:
    facts = torch_weights.facts
    for name, start in (("ema_inside.pt", "model_ema."), ("ema_list.pt", "ema_state.shadow_params.")):
        model = torch_weights.read(name)
        found = [tensor for tensor in model.tensors.values() if tensor.name.startswith(start)]
        assert {tensor.role for tensor in found} == {Role.COPY}
        assert counted(model, Role.WEIGHT, Role.BUFFER) == facts["parameters"] + facts["buffers"]
        assert sum(tensor.count for tensor in found if tensor.dtype == "float32") >= facts["parameters"]
        assert "averaged" in model.notes[0].text
    model = torch_weights.read("averaging.ckpt")  # as Lightning's EMAWeightAveraging writes it
    assert counted(model, Role.WEIGHT, Role.BUFFER) == facts["parameters"] + facts["buffers"]
    assert {model.tensors[name].role for name in facts["names"]} == {Role.WEIGHT, Role.BUFFER, Role.CONSTANT}
    assert [note.text for note in model.notes] == [
        "The weights are averages; as training left them they stand under 'current_model_state'."
    ]
    (note,) = torch_weights.read("averaged.pt").notes
    assert note.text == "These are averaged weights (SWA or EMA): the state of torch.optim.swa_utils.AveragedModel."


def test_types_of_few_bits_have_their_values(torch_weights: Built) -> None:
    tensors = torch_weights.read("small.pt").tensors
    want = {
        "float8_e5m2": [0.000732421875, 0.25, 96, 32768], "float8_e4m3fnuz": [0.01953125, 0.375, 7, 128],
        "float8_e5m2fnuz": [0.0003662109375, 0.125, 48, 16384], "uint16": [0x3412, 0x7856],
        "float8_e8m0fnu": [2.0**-109, 2.0**-75, 2.0**-41, 2.0**-7], "complex32": [1.5 - 2j],
        "float4_e2m1fn_x2": [1, 0.5, 2, 1.5, 4, 3, 0, 6],
    }  # fmt: skip
    for name, values in want.items():
        got = torch_weights.values("small.pt", tensors[name])
        assert got.shape == tensors[name].shape
        assert got.astype(complex).tolist() == values, name


def test_one_of_several_files_says_so_and_a_lost_one_is_named(torch_weights: Built, tmp_path: Path) -> None:
    (note,) = torch_weights.read("pytorch_model-00002-of-00002.bin").notes
    assert note.text == "This is part 2 of 2 of a checkpoint in several files."
    assert note.hint == "Open pytorch_model.bin.index.json to see all of it."
    index = "pytorch_model.bin.index.json"
    for name in (index, "pytorch_model-00001-of-00002.bin"):
        (tmp_path / name).write_bytes((torch_weights.folder / name).read_bytes())
    with pytest.raises(FormatError, match=r"^The side file 'pytorch_model-00002-of-00002.bin' is missing\.$"):
        FORMAT.read(Source(tmp_path / index))
    text = (tmp_path / index).read_text().replace("pytorch_model-00002-of-00002.bin", "../secret.bin")
    (tmp_path / index).write_text(text)
    with pytest.raises(FormatError, match=r"^The model names a side file outside its folder: '../secret.bin'\.$"):
        FORMAT.read(Source(tmp_path / index))


def test_lightning_says_what_it_trained_with(torch_weights: Built) -> None:
    model = torch_weights.read("lightning.ckpt")
    assert model.producer == "PyTorch Lightning 2.4.0"
    assert (model.metadata["epoch"], model.metadata["global_step"]) == ("3", "42")
    assert model.texts["hyper_parameters"] == "learning_rate: 0.01\nlayers: (1, 2)\nargs:\n  width: 8"
    assert "dirpath: /x" in model.texts["callbacks"]
    assert "ready: 3" in model.texts["loops"]


def test_a_wrapped_model_is_said_to_be_one(torch_weights: Built) -> None:
    model = torch_weights.read("ddp.pt")
    assert all(name.startswith("module.") for name in model.tensors)
    assert [note.text for note in model.notes] == [
        "All names begin with 'module.': the model was saved while it was wrapped by "
        "DataParallel or DistributedDataParallel."
    ]


def test_two_sets_of_weights_keep_their_keys(torch_weights: Built) -> None:
    model = torch_weights.read("gan.pt")
    assert "discriminator.w.weight" in model.tensors
    assert "generator.stem.weight" in model.tensors
    assert "The file holds 2 sets of weights: generator, discriminator." in [note.text for note in model.notes]


def test_tensors_in_lists_are_the_model_where_there_is_no_other(torch_weights: Built) -> None:
    model = torch_weights.read("listed.pt")
    roles = {name: (tensor.shape, tensor.role) for name, tensor in model.tensors.items()}
    assert roles == {
        "params.0": ((3, 4), Role.WEIGHT), "params.1": ((4,), Role.WEIGHT), "rng_states.0": ((5,), Role.CONSTANT)
    }  # fmt: skip
    assert model.metadata["epoch"] == "3"
    assert "params" not in model.texts
    beside = torch_weights.read("listed_beside.pt")
    assert beside.tensors["params.0"].role is Role.CONSTANT, "a state dict is there, so that is the model"


def test_tensors_without_values_are_named(torch_weights: Built) -> None:
    for name, named in (("lazy.pt", "1.weight, 1.bias, far"), ("lazy_module.pt", "1.weight, 1.bias")):
        model = torch_weights.read(name)
        assert counted(model, Role.WEIGHT) == 6
        assert f"These tensors have no values: {named}." in [note.text for note in model.notes]


def test_keys_that_are_no_names(torch_weights: Built) -> None:
    assert set(torch_weights.read("odd_keys.pt").tensors) == {"block.1", "…"}


def test_a_tensor_by_itself_and_odd_types(torch_weights: Built) -> None:
    model = torch_weights.read("tensor.pt")
    got = torch_weights.values("tensor.pt", model.tensors["tensor"])
    assert np.array_equal(got, np.arange(6.0, dtype=np.float32).reshape(2, 3).T)
    odd = torch_weights.read("odd.pt")
    kinds = {name: (tensor.dtype, tensor.shape) for name, tensor in odd.tensors.items()}
    assert kinds == {
        "b": ("bfloat16", (3,)), "q": ("float8_e4m3fn", (2, 2)), "e": ("float32", (0, 3)),
        "c": ("complex64", (2,)), "h": ("float16", (2,)),
    }  # fmt: skip
    for tensor in odd.tensors.values():
        got = torch_weights.values("odd.pt", tensor)
        assert (got.dtype.name, got.shape) == (tensor.dtype, tensor.shape)
        assert np.all(np.asarray(got, np.complex64) == 1)


@pytest.mark.parametrize("name", ["state.pt", "legacy.pth", "module_legacy.pt", "before_archives.pth"])
def test_cut_off_files_are_errors_or_said_to_be_incomplete(torch_weights: Built, tmp_path: Path, name: str) -> None:
    data = (torch_weights.folder / name).read_bytes().rstrip(b"\0")  # a tar archive ends in zeros that say nothing
    path, seen = tmp_path / name, set()
    for size in range(1, len(data) - 1, len(data) // 60):
        path.write_bytes(data[:size])
        try:
            source = Source(path)
            model = identify(source).read(source)
        except FormatError as error:
            assert error.what  # noqa: PT017 - the loop goes on
            seen.add("error")
            continue
        warned = [note for note in model.notes if note.level == "warning" and "incomplete" in note.hint]
        assert warned, size
        seen.add("incomplete")
    assert "error" in seen
    assert ("incomplete" in seen) == (name != "state.pt")  # a zip archive has its table at the end
