"""Mutated checkpoints, weights and graphs: a reader gives a model or an error in words, whatever the bytes."""

from __future__ import annotations

import io
import random
import shutil
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest
from built import Built
from test_mutants import mutated

from inspector.errors import FormatError
from inspector.formats import Source, identify

MUTANTS = 60
WEIGHTS = ("state.pt", "legacy.pth", "module.pt", "module_legacy.pt", "lightning.ckpt", "one.safetensors")
GRAPHS = ("frozen.pb", "frozen.pbtxt", "sequential.h5", "functional.weights.h5", "js_graph/model.json")


def inside(data: bytes, chance: random.Random) -> bytes:
    """The pickle of an archive mutated, and the archive made anew: the table of a zip would hide the pickle."""
    if not data.startswith(b"PK") or chance.random() < 0.2:
        return mutated(data, chance)
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(made, "w") as new:
        for name in old.namelist():
            part = old.read(name)
            new.writestr(name, mutated(part, chance) if name.endswith("data.pkl") else part)
    return made.getvalue()


def check(original: Path, folder: Path) -> None:
    shutil.copytree(original.parent, folder)
    data, path, chance = original.read_bytes(), folder / original.name, random.Random(original.name)
    own, opened = identify(Source(original)), 0
    for _ in range(MUTANTS):
        path.write_bytes(inside(data, chance))
        source = Source(path)
        try:
            fmt = own
            with suppress(FormatError):
                fmt = identify(source)
            model = fmt.read(source)
        except FormatError as error:
            assert error.what  # noqa: PT017 - the loop goes on
            continue
        opened += 1
        for tensor in list(model.tensors.values())[:20]:
            with suppress(FormatError):
                assert fmt.fetch(source, tensor).shape == tensor.shape
    assert opened < MUTANTS


@pytest.mark.parametrize("name", WEIGHTS)
def test_no_mutant_breaks_a_reader_of_weights(torch_weights: Built, tmp_path: Path, name: str) -> None:
    check(torch_weights.folder / name, tmp_path / "m")


@pytest.mark.parametrize("name", GRAPHS)
def test_no_mutant_breaks_a_reader_of_graphs(tf_graphs: Built, tmp_path: Path, name: str) -> None:
    check(tf_graphs.folder / name, tmp_path / "m")
