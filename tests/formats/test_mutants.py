"""Mutated samples: a reader gives a model or an error in words, whatever the bytes."""

from __future__ import annotations

import random
from contextlib import suppress
from pathlib import Path

import pytest

from inspector.errors import FormatError
from inspector.formats import Source, formats

MUTANTS = 150


def mutated(data: bytes, chance: random.Random) -> bytes:
    """A few bytes changed, taken out or put in; sometimes the end cut off."""
    new = bytearray(data)
    if chance.random() < 0.2:
        del new[chance.randrange(1, len(new)) :]
    for _ in range(chance.choice([1, 2, 5, 30])):
        at = chance.randrange(len(new) + 1)
        match chance.randrange(3):
            case 0:
                new[at : at + 1] = chance.randbytes(1)
            case 1:
                del new[at : at + chance.randrange(1, 9)]
            case _:
                new[at:at] = chance.randbytes(chance.randrange(1, 9))
    return bytes(new)


@pytest.mark.parametrize("sample", ["digits_cnn.onnx", "digits_cnn.pt2"])
def test_no_mutant_breaks_a_reader(samples: Path, tmp_path: Path, sample: str) -> None:
    data, chance, opened = (samples / sample).read_bytes(), random.Random(sample), 0
    fmt = next(fmt for fmt in formats().values() if Path(sample).suffix in fmt.suffixes)
    path = tmp_path / sample
    for _ in range(MUTANTS):
        path.write_bytes(mutated(data, chance))
        source = Source(path)
        fmt.sniff(source.glimpse())
        try:
            model = fmt.read(source)
        except FormatError as error:
            assert str(error)  # noqa: PT017 - the loop goes on
            continue
        opened += 1
        for tensor in model.tensors.values():
            with suppress(FormatError):
                assert fmt.fetch(source, tensor).shape == tensor.shape
    assert 0 < opened < MUTANTS
