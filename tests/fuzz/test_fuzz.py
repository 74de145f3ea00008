"""A minute of changed files of every format, each format's share in a process of its own; and what once broke a reader.

Longer runs: `make fuzz FORMAT=onnx N=100000`.
"""

from __future__ import annotations

import random
import subprocess
from pathlib import Path
from subprocess import DEVNULL, PIPE

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inspector.errors import InspectorError
from inspector.formats import formats as all_formats
from inspector.jobs.interpreters import command, environment
from inspector.worker import wire
from inspector.worker.tasks._document import KEY, Document
from inspector.worker.tasks._task import Context
from inspector.worker.tasks.open import TASK as OPEN
from inspector.worker.tasks.open import OpenArgs
from tests.fuzz.harness import formats as fuzzed
from tests.fuzz.harness import look, seeds
from tests.fuzz.mutate import fields, message, mutated, varint
from tests.fuzz.run import fuzz

SECONDS = 4.0
SEED = 72  # always the same files, however many a machine gets through; `make fuzz` is for looking for more
LEAST = 20
CRASHERS = Path(__file__).with_name("crashers")


def test_every_format_is_fuzzed() -> None:
    assert fuzzed() == sorted(all_formats())


@pytest.mark.parametrize("fmt", fuzzed())
def test_a_seed_opens(fmt: str) -> None:
    for main in seeds(fmt):
        assert look(main, random.Random(0)), main


@pytest.mark.parametrize("fmt", fuzzed())
def test_no_changed_file_breaks_a_reader(fmt: str) -> None:
    counts = fuzz(fmt, 100_000, seed=SEED, seconds=SECONDS)
    assert counts.count >= LEAST
    assert counts.opened
    assert counts.refused
    assert not counts.crashed + counts.died, f"see {counts.crashes}"


@pytest.mark.parametrize("name", ["export_not_utf8", "export_size_over_64_bits"])
def test_what_broke_a_reader_is_refused(name: str) -> None:
    with pytest.raises(InspectorError, match="cannot be understood"):
        OPEN.run(OpenArgs(path=str(crasher(name))), Context())


@pytest.mark.parametrize("name", sorted(folder.name for folder in CRASHERS.iterdir()))
def test_what_broke_a_reader_gives_a_model_or_a_sentence(name: str) -> None:
    for number in range(8):  # each looks at other rows and tensors
        look(crasher(name), random.Random(number))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("gguf_empty_but_vast", "cannot be shown"),
        ("tflite_empty_but_vast", "cannot be shown"),
        ("openvino_type_with_commas", "cannot be shown"),
        ("saved_model_fewer_texts", "fewer texts"),
        ("graph_two_of_one_name", "do not have its shape"),
    ],
)
def test_values_that_broke_a_reader_are_refused(name: str, words: str) -> None:
    context = Context()
    OPEN.run(OpenArgs(path=str(crasher(name))), context)
    opened: Document = context.state[KEY]
    said = []
    for tensor in opened.model.tensors.values():
        try:
            opened.format.fetch(opened.source, tensor)
        except InspectorError as error:
            said.append(error.what)
    assert [text for text in said if words in text]


def test_a_worker_that_read_cut_off_hdf5_ends_without_a_crash(tmp_path: Path) -> None:
    """One worker, fifty-two damaged files: it is there for each, and ends well."""
    chance, asks = random.Random(50), []
    for number, seed in enumerate((*seeds("keras.h5"), *seeds("keras")) * 13):
        path, data = tmp_path / f"{number}{''.join(seed.suffixes)}", seed.read_bytes()
        path.write_bytes(data[: chance.randrange(100, len(data))])
        asks.append(wire.Ask(number, OPEN.id, msgspec.Raw(msgspec.msgpack.encode(OpenArgs(path=str(path))))))
    program, arguments = command("document", None)
    told = b"".join(map(wire.frame, (wire.Grant((str(tmp_path),)), *asks)))
    with subprocess.Popen(
        [program, *arguments], stdin=PIPE, stdout=PIPE, stderr=DEVNULL, env=environment(None)
    ) as worker:
        assert worker.stdin is not None
        assert worker.stdout is not None
        worker.stdin.write(told)
        worker.stdin.flush()
        replies: list[wire.Failed] = []
        while len(replies) < len(asks) and (body := wire.read_frame(worker.stdout)) is not None:
            reply = msgspec.msgpack.decode(body, type=wire.Reply)
            assert not isinstance(reply, wire.Done)
            replies += [reply] if isinstance(reply, wire.Failed) else []
        worker.stdin.close()
        assert [reply.known for reply in replies] == [True] * len(asks)
        assert worker.wait(100) == 0


def crasher(name: str) -> Path:
    """A file that once broke a reader."""
    return CRASHERS / name / (CRASHERS / name / "MAIN").read_text()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    fmt=st.sampled_from([fmt for fmt in fuzzed() if fmt != "tf.saved_model"]),
    edits=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 40), st.binary(max_size=40)), min_size=1, max_size=6),
)
def test_any_edit_gives_a_model_or_a_sentence(fmt: str, edits: list[tuple[float, int, bytes]], tmp_path: Path) -> None:
    """Bytes replaced anywhere by any others; what fails is made small by hypothesis."""
    original = seeds(fmt)[0]
    data = original.read_bytes()
    for share, length, new in edits:
        at = int(share * len(data))
        data = data[:at] + new + data[at + length :]
    path = tmp_path / original.name
    path.write_bytes(data)
    look(path, random.Random(0))


def test_a_changed_field_leaves_a_protocol_buffer_whole() -> None:
    inner = varint(1 << 3) + varint(5) + varint(2 << 3 | 2) + varint(3) + b"abc"
    data = varint(7 << 3 | 2) + varint(len(inner)) + inner
    assert message(data) == [(7, 2, inner)]
    changed = {fields(data, random.Random(number)) for number in range(200)}
    assert len(changed) > 50
    whole = [made for made in changed if message(made)]
    assert len(whole) > 0.9 * len(changed)


def test_the_same_chance_gives_the_same_file() -> None:
    data = seeds("onnx")[0].read_bytes()
    first, second, other = (mutated(data, random.Random(seed), []) for seed in (1, 1, 2))
    assert first == second != other
