"""GGUF: bytes written as ggml's document says; values against a block worked out by hand."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inspector.errors import FormatError
from inspector.formats import Source, identify
from inspector.formats._ggml import KINDS
from inspector.formats.gguf import FORMAT
from inspector.ir import Model, Role
from inspector.jobs.terminal import ask_document
from inspector.worker.tasks.tensor import TASK as TENSOR
from inspector.worker.tasks.tensor import TensorArgs

U32, F32, BOOL, STRING, ARRAY, U64 = 4, 6, 7, 8, 9, 10
Q4_0, Q4_K, IQ2_S = 2, 12, 22


class Writer:
    """Writes the format of any version and byte order."""

    def __init__(self, version: int = 3, *, big: bool = False) -> None:
        self.order, self.version = (">" if big else "<"), version
        self.pairs: list[bytes] = []
        self.infos: list[bytes] = []
        self.data = b""

    def size(self, number: int) -> bytes:
        return struct.pack(self.order + ("I" if self.version == 1 else "Q"), number)

    def text(self, words: str) -> bytes:
        return self.size(len(words.encode())) + words.encode()

    def value(self, kind: int, item: Any) -> bytes:
        if kind == STRING:
            return self.text(item)
        if kind == ARRAY:
            inner, items = item
            head = struct.pack(self.order + "I", inner) + self.size(len(items))
            return head + b"".join(self.value(inner, each) for each in items)
        return struct.pack(self.order + {U32: "I", F32: "f", BOOL: "?", U64: "Q"}[kind], item)

    def say(self, key: str, kind: int, item: Any) -> None:
        self.pairs.append(self.text(key) + struct.pack(self.order + "I", kind) + self.value(kind, item))

    def tensor(self, name: str, number: int, shape: tuple[int, ...], data: bytes) -> None:
        info = self.text(name) + struct.pack(self.order + "I", len(shape))
        info += b"".join(self.size(each) for each in reversed(shape))
        self.infos.append(info + struct.pack(self.order + "IQ", number, len(self.data)))
        self.data += data + bytes(-len(data) % 32)

    def write(self, path: Path) -> Path:
        head = b"GGUF" + struct.pack(self.order + "I", self.version) + self.size(len(self.infos))
        head += self.size(len(self.pairs)) + b"".join(self.pairs) + b"".join(self.infos)
        path.write_bytes(head + bytes(-len(head) % 32) + self.data)
        return path


def toy(version: int = 3, *, big: bool = False) -> Writer:
    made = Writer(version, big=big)
    made.say("general.architecture", STRING, "llama")
    made.say("general.license", STRING, "mit")
    made.say("general.file_type", U32, 15)
    made.say("llama.block_count", U32, 1)
    made.say("llama.rope.freq_base", F32, 10000.0)
    made.say("tokenizer.ggml.tokens", ARRAY, (STRING, [f"t{n}" for n in range(300)]))
    made.say("tokenizer.ggml.scores", ARRAY, (F32, [0.5] * 300))
    made.say("tokenizer.chat_template", STRING, "{{ x }}\n" * 40)
    order = made.order
    half = np.array([0.5], f"{order}f2").tobytes()
    made.tensor("token_embd.weight", 0, (3, 4), np.arange(12, dtype=f"{order}f4").tobytes())
    made.tensor("blk.0.attn_q.weight", Q4_0, (2, 32), (half + bytes(range(0x10, 0x20))) * 2)
    made.tensor("rope_freqs.weight", 0, (2,), np.ones(2, f"{order}f4").tobytes())
    return made


def read(path: Path) -> Model:
    return FORMAT.read(Source(path))


@pytest.mark.parametrize(("version", "big"), [(1, False), (2, False), (3, False), (3, True)])
def test_facts_tensors_and_values(tmp_path: Path, version: int, big: bool) -> None:
    path = toy(version, big=big).write(tmp_path / "m.gguf")
    assert identify(Source(path)) is FORMAT
    model = read(path)
    assert model.metadata["GGUF version"] == f"{version}{', big-endian' if big else ''}"
    assert model.metadata["general.file_type"] == "15 (Q4_K_M)"
    assert model.metadata["tokenizer.ggml.tokens"].startswith("300 values: 't0', 't1'")
    assert model.texts["tokenizer.chat_template"].count("\n") == 40
    root = model.modules[0]
    assert (root.type, root.attributes["block_count"]) == ("llama", 1)
    assert [m.path for m in model.modules] == ["", "token_embd", "blk", "blk.0", "blk.0.attn_q", "rope_freqs"]
    embedded, packed, rope = model.tensors.values()
    assert (embedded.shape, embedded.dtype, embedded.nbytes) == ((3, 4), "float32", 48)
    assert (packed.shape, packed.dtype, packed.nbytes, packed.role) == ((2, 32), "q4_0", 36, Role.WEIGHT)
    assert (rope.role, rope.trainable) == (Role.BUFFER, False)
    assert FORMAT.fetch(Source(path), embedded).tolist() == np.arange(12).reshape(3, 4).tolist()
    # Low halves of the bytes are the first 16 weights, high halves the others; eight is zero.
    want = [(n - 8) * 0.5 for n in range(16)] + [(1 - 8) * 0.5] * 16
    assert FORMAT.fetch(Source(path), packed).tolist() == [want, want]
    assert FORMAT.fetch_part is not None
    part = FORMAT.fetch_part(Source(path), packed, 30, 5)
    assert part is not None
    assert part.tolist() == (want + want)[30:35]


def test_every_type_has_its_size_and_most_have_values(tmp_path: Path) -> None:
    made = Writer()
    for number, kind in KINDS.items():
        made.tensor(f"{kind.name}.weight", number, (2, 256), bytes(2 * 256 // kind.block * kind.size))
    path = made.write(tmp_path / "all.gguf")
    model = read(path)
    assert not model.notes
    assert len(model.tensors) == len(KINDS)
    for tensor in model.tensors.values():
        if tensor.dtype.startswith(("iq1", "iq2", "iq3")):
            with pytest.raises(FormatError, match=f"^Values of type {tensor.dtype} cannot be shown.$"):
                FORMAT.fetch(Source(path), tensor)
        else:  # a scale of nothing
            assert FORMAT.fetch(Source(path), tensor).tolist() == np.zeros((2, 256)).tolist()


def test_a_block_of_256_has_scales_of_six_bits(tmp_path: Path) -> None:
    # d = 1, dmin = 2; of the eight scales and offsets only the first of the low and of the high half are not 0.
    scales = bytes([3, 0, 0, 0x40, 1, 0, 0, 0, 0, 0, 0, 0x25])
    block = np.array([1, 2], "<f2").tobytes() + scales + bytes([0x51]) * 32 + bytes(64) + bytes([0xF0]) * 32
    made = Writer()
    made.tensor("w", Q4_K, (256,), block)
    path = made.write(tmp_path / "k.gguf")
    got = FORMAT.fetch(Source(path), read(path).tensors["w"])
    assert got[:32].tolist() == [3 * 1 - 2 * 1] * 32  # scale 3, offset 1, low halves are 1
    assert got[32:224].tolist() == [0] * 192
    last = (0x25 & 15) | ((0x40 >> 2) & 48)
    assert got[224:].tolist() == [last * 15 - 2 * 2] * 32


def test_a_model_in_several_files_opens_from_each(tmp_path: Path) -> None:
    names = [f"m-0000{n}-of-00002.gguf" for n in (1, 2)]
    for at, name in enumerate(names):
        made = Writer()
        made.say("split.count", U32, 2)
        made.say("split.no", U32, at)
        made.tensor(f"blk.{at}.w.weight", 0, (2, 2), np.full((2, 2), at, "<f4").tobytes())
        made.write(tmp_path / name)
    for name in names:
        source = Source(tmp_path / name)
        model = FORMAT.read(source)
        assert not model.notes
        assert sorted(model.tensors) == ["blk.0.w.weight", "blk.1.w.weight"]
        assert FORMAT.fetch(source, model.tensors["blk.1.w.weight"]).tolist() == [[1, 1], [1, 1]]
    (tmp_path / names[1]).unlink()
    (note,) = read(tmp_path / names[0]).notes
    missing = f"1 of the 2 files of this model cannot be read: The side file '{names[1]}' is missing."
    assert (note.level, note.text) == ("warning", missing)


def test_a_document_worker_shows_values_behind_blocks_in_every_file(tmp_path: Path) -> None:
    for at, name in enumerate(("m-00001-of-00002.gguf", "m-00002-of-00002.gguf")):
        made = toy() if at == 0 else Writer()
        if at:
            made.tensor("blk.1.w.weight", Q4_0, (1, 32), np.array([2], "<f2").tobytes() + bytes([0x98] * 16))
        made.say("split.count", U32, 2)
        made.write(tmp_path / name)
    questions = [(TENSOR, TensorArgs(name)) for name in ("blk.0.attn_q.weight", "blk.1.w.weight")]
    overview, here, there = ask_document(tmp_path / "m-00001-of-00002.gguf", questions)
    assert (overview.title, overview.totals.parameters, overview.totals.parameter_bytes) == (
        "GGUF",
        110,
        48 + 36 + 8 + 18,
    )
    assert (here.dtype, here.nbytes, here.values[:3]) == ("q4_0", 36, ("-4", "-3.5", "-3"))
    assert there.values[15:17] == ("0", "2")


def test_words_that_lie_across_pieces_of_the_header_are_passed_over(tmp_path: Path) -> None:
    words = [f"{n}" * (n % 40) for n in range(200_000)]
    made = Writer()
    made.say("tokenizer.ggml.tokens", ARRAY, (STRING, words))
    made.say("after", STRING, "still here")
    model = read(made.write(tmp_path / "words.gguf"))
    assert (tmp_path / "words.gguf").stat().st_size > 3 * (4 << 20)
    assert model.metadata["tokenizer.ggml.tokens"].startswith("200,000 values: '', '1', '22'")
    assert model.metadata["after"] == "still here"


def test_a_file_still_being_written_says_so(tmp_path: Path) -> None:
    whole = toy().write(tmp_path / "m.gguf").read_bytes()
    path = tmp_path / "half.gguf"
    path.write_bytes(whole[:-40])
    (note,) = read(path).notes
    assert note.text == "The values of 1 tensors are not in the file, such as 'rope_freqs.weight'."
    for at in range(8, len(whole) - 250, 7):
        path.write_bytes(whole[:at])
        with pytest.raises(FormatError) as caught:
            read(path)
        assert caught.value.what == "half.gguf ends inside its header: it is incomplete."


def test_lies_are_refused_at_once(tmp_path: Path) -> None:
    head = b"GGUF\x03\x00\x00\x00"
    path = tmp_path / "x.gguf"
    many = struct.pack("<QQ", 1, 1) + struct.pack("<Q", 1) + b"a" + struct.pack("<II", ARRAY, STRING)
    deep = struct.pack("<QQ", 0, 1) + struct.pack("<Q", 1) + b"a" + struct.pack("<I", ARRAY)
    cases = [
        (head + struct.pack("<QQ", 1 << 60, 0), "x.gguf claims 1,152,921,504,606,846,976 tensors and 0 facts."),
        (b"GGUF\x09\x00\x00\x00" + bytes(16), "x.gguf is a GGUF file of version 9."),
        (head + many + struct.pack("<Q", 1 << 62), "The header of x.gguf lists more than 8,000,000 words."),
        (head + struct.pack("<QQQ", 0, 1, 1 << 63), "x.gguf ends inside its header: it is incomplete."),
        (head + deep + struct.pack("<IQ", ARRAY, 1) * 20, "x.gguf has a fact of the unknown type 9."),
    ]
    for data, what in cases:
        path.write_bytes(data)
        with pytest.raises(FormatError) as caught:
            read(path)
        assert caught.value.what == what
    for made, what in (
        ([("w", 99, (2,))], "The tensor 'w' has the unknown type 99."),
        ([("w", Q4_0, (33,))], "The tensor 'w' does not consist of whole blocks of q4_0."),
        ([("w", 0, (1 << 40, 1 << 40))], "The tensor 'w' claims an impossible shape."),
        ([("w", 0, (2,)), ("w", 0, (2,))], "x.gguf holds two tensors named 'w'."),
    ):
        writer = Writer()
        for name, number, shape in made:
            writer.tensor(name, number, shape, bytes(64))
        with pytest.raises(FormatError) as caught:
            read(writer.write(path))
        assert caught.value.what == what
