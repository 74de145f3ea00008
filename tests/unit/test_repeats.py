"""The search for repeated weights: what counts as one, what is read for it, and where it stops."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest
from numpy.typing import NDArray

from inspector.engines.summary.repeats import PIECE, SAMPLE, Repeats, Search
from inspector.engines.summary.repeats_words import relation, repeated, sentence
from inspector.errors import FormatError
from inspector.ir import Place, Role, Tensor

Array = NDArray[Any]
RNG = np.random.default_rng(0)
PLENTY = 1 << 40


class File:
    """Tensors with their values, and what has been read of them."""

    def __init__(self, arrays: dict[str, Array], *, in_parts: bool = True, **roles: Role) -> None:
        self.arrays, self.in_parts, self.broken = arrays, in_parts, ""
        self.bytes: dict[str, int] = dict.fromkeys(arrays, 0)
        self.tensors: dict[str, Tensor] = {}
        offset = 0
        for name, array in arrays.items():
            place = Place(offset=offset, size=array.nbytes)
            self.tensors[name] = Tensor(name, array.dtype.name, array.shape, place, roles.get(name, Role.WEIGHT))
            offset += array.nbytes

    def part(self, tensor: Tensor, start: int, count: int) -> Array | None:
        if not self.in_parts:
            return None
        if tensor.name == self.broken:
            raise FormatError("The file ends inside it.")
        found = self.arrays[tensor.name].reshape(-1)[start : start + count]
        self.bytes[tensor.name] += found.nbytes
        return found

    def whole(self, tensor: Tensor) -> Array:
        found = self.arrays[tensor.name]
        self.bytes[tensor.name] += found.nbytes
        return found

    def search(self, most_bytes: int = PLENTY, most_seconds: float = 60.0) -> Repeats:
        found = Search(self.tensors, self.part, self.whole, most_bytes, most_seconds)
        while not found.go_on(0.001):
            assert 0 <= found.share <= 1
            assert found.doing
        return found.result(self.tensors)


def noise(*shape: int, dtype: str = "f4") -> Array:
    return RNG.normal(size=shape).astype(dtype)


def test_equal_weights_are_found_and_the_first_in_the_table_is_the_one_repeated() -> None:
    embedding, other = noise(500, 64), noise(40, 40)
    file = File({"head": embedding, "a": noise(500, 64), "b": other, "wte": embedding.copy(), "c": other.copy()})
    found = file.search()
    assert list(found.pairs.items()) == [("wte", "head"), ("c", "b")]  # the largest first
    assert (found.weights, found.parameters, found.parameter_bytes) == (2, 33_600, 134_400)
    assert found.beyond == found.unread == 0
    assert sentence(found, 100_000) == (
        "100,000 parameters, 66,400 distinct: 2 weights repeat the values of others (wte = head, c = b)."
    )


def test_one_element_makes_the_difference_wherever_it_stands() -> None:
    base = noise(300, 1000)
    arrays = {"base": base}
    for at in (0, 5000, 150_000, 299_999):
        arrays[str(at)] = base.copy()
        arrays[str(at)].reshape(-1)[at] += 1
    assert File(arrays).search() == Repeats(read=File(arrays).search().read)
    assert sentence(File(arrays).search(), 5) == "No weight repeats the values of another."


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (noise(2048), None),  # one dimension
        (noise(31, 33), None),  # 1,023 elements
        (np.zeros((64, 64), np.float32), None),
        (np.full((1000, 1000), 0.5, np.float16), None),
        (np.arange(2048, dtype="f4").reshape(64, 32), "shape"),
        (np.zeros((64, 32), np.float32), "turned"),
        (RNG.integers(0, 9, (64, 64)).astype("u1"), "dtype"),
    ],
)
def test_what_is_no_repeat(one: Array, two: str | None) -> None:
    other = {None: np.copy, "shape": lambda x: x.reshape(x.shape[::-1]), "turned": np.transpose,
             "dtype": lambda x: x.view("i1")}[two](one)  # fmt: skip
    assert File({"one": one, "two": np.ascontiguousarray(other)}).search().weights == 0


@pytest.mark.parametrize("role", [Role.CONSTANT, Role.OPTIMIZER, Role.COPY])
def test_roles_that_are_no_parameters_are_not_looked_at(role: Role) -> None:
    values = noise(64, 64)
    file = File({"one": values, "two": values.copy()}, two=role)
    assert (file.search().weights, sum(file.bytes.values())) == (0, 0)
    assert File({"one": values, "two": values.copy()}, two=Role.BUFFER).search().pairs == {"two": "one"}


@pytest.mark.parametrize("dtype", ["bfloat16", "float8_e4m3fn", "int4", "float16", ">f4", "complex64", "bool"])
def test_every_type_is_compared_as_bytes(dtype: str) -> None:
    kind = np.dtype(getattr(ml_dtypes, dtype, dtype))
    values = RNG.integers(-8, 8, (200, 300)).astype(kind)
    assert File({"one": values, "two": values.copy()}).search().pairs == {"two": "one"}


def test_not_a_number_equals_itself() -> None:
    values = noise(64, 64)
    values[3, 3] = np.nan
    assert File({"one": values, "two": values.copy()}).search().weights == 1


def test_of_weights_that_differ_only_a_sample_is_read() -> None:
    file = File({str(number): noise(1000, 1000) for number in range(5)} | {"alone": noise(999, 1000)})
    assert file.search().weights == 0
    spots = 2 * 4  # an element, as the matrix lies and as its transposed copy would have it
    assert file.bytes == {**{str(number): SAMPLE + spots for number in range(5)}, "alone": 0}


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "int4", ">f2", "complex64", "bool", "uint8"])
@pytest.mark.parametrize("shape", [(300, 2000), (2000, 300), (400, 400)])
@pytest.mark.parametrize("in_parts", [True, False])
def test_transposed_copies_are_found_and_marked(dtype: str, shape: tuple[int, int], in_parts: bool) -> None:
    kind = np.dtype(getattr(ml_dtypes, dtype, dtype))
    values = RNG.integers(0, 2 if dtype == "bool" else 8, shape).astype(kind)
    turned, other = np.ascontiguousarray(values.T), np.ascontiguousarray(values.T)
    other[-2, -3] = np.ones((), kind) if other[-2, -3] == np.zeros((), kind) else np.zeros((), kind)
    file = File({"wte": values, "other": other, "head": turned, "again": values.copy()}, in_parts=in_parts)
    found = file.search()
    assert (found.pairs, found.turned) == ({"head": "wte", "again": "wte"}, ("head",))
    assert (found.parameters, found.beyond, found.unread) == (2 * values.size, 0, 0)
    assert repeated(found) == "2 weights repeat the values of others (head = wte transposed, again = wte)"
    first = File({"head": turned, "wte": values, "again": values.copy()}).search()
    assert (set(first.pairs), first.turned) == ({"wte", "again"}, ("wte", "again"))
    assert relation("again", first) == "transposed copy of head"
    assert relation("again", found) == "same values as wte"


def test_transposed_copies_beyond_the_limits_are_said() -> None:
    values = noise(600, 1000)
    file = File({"one": values, "two": np.ascontiguousarray(values.T)})
    tight = file.search(most_bytes=values.nbytes)
    assert (tight.beyond, tight.read < 10_000) == (2, True)
    assert file.search(most_bytes=3 * values.nbytes).turned == ("two",)
    file.broken = "two"
    assert (file.search().weights, file.search().unread) == (0, 1)


def test_a_large_weight_is_read_a_piece_at_a_time() -> None:
    values = noise(1500, 1500)
    file = File({"one": values, "two": values.copy()})
    found = Search(file.tensors, file.part, file.whole, PLENTY, 60.0)
    before = steps = most = 0
    while not found.go_on(1e-9):
        steps, most, before = steps + 1, max(most, sum(file.bytes.values()) - before), sum(file.bytes.values())
    assert (found.result(file.tensors).weights, most) == (1, PIECE)
    assert steps > 2 * values.nbytes / PIECE


def test_tied_names_are_one_weight_and_no_repeat() -> None:
    values = noise(64, 64)
    file = File({"wte": values, "head": values, "copy": values.copy(), "again": values.copy()})
    file.tensors["head"].same_as = "wte"
    file.tensors["again"].place = file.tensors["copy"].place
    found = file.search()
    assert (found.pairs, found.parameters) == ({"copy": "wte"}, 64 * 64)
    assert repeated(found) == "1 weight repeats the values of another (copy = wte)"


def test_without_parts_a_weight_is_read_whole_or_said_not_to_be_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    small, large = noise(64, 64), noise(300, 300)
    file = File({"a": small, "b": small.copy(), "c": large, "d": large.copy()}, in_parts=False)
    assert file.search().pairs == {"d": "c", "b": "a"}
    monkeypatch.setattr("inspector.engines.summary.repeats_reading.LARGEST", large.nbytes - 1)
    found = file.search()
    assert (found.pairs, found.beyond) == ({"b": "a"}, 2)


def test_values_that_cannot_be_read_are_said_and_the_rest_is_compared() -> None:
    values = noise(200, 200)
    file = File({"a": values, "b": values.copy(), "c": values.copy()})
    file.broken = "b"
    found = file.search()
    assert (found.pairs, found.unread) == ({"c": "a"}, 1)
    assert sentence(found, 1).endswith("1 weight that may repeat was not compared: the values cannot be read.")


def test_limits_of_bytes_and_of_seconds_hold_and_what_is_left_is_said() -> None:
    large, small = noise(500, 1000), noise(100, 300)
    arrays = {f"large{n}": large for n in range(3)} | {"one": small, "two": small.copy()}
    file = File(arrays)
    found = file.search(2 * large.nbytes + 20 * SAMPLE + 2 * small.nbytes)
    assert (found.pairs, found.beyond) == ({"large1": "large0", "two": "one"}, 1)
    assert found.read == sum(file.bytes.values()) <= 2 * large.nbytes + 20 * SAMPLE + 2 * small.nbytes
    tight = File(arrays).search(large.nbytes)
    assert (tight.pairs, tight.beyond) == ({"two": "one"}, 3)
    assert sentence(tight, 1).endswith(
        "3 weights that may repeat were not compared: that takes longer than is done unasked."
    )
    late = File(arrays).search(most_seconds=0.0)
    assert (late.weights, late.beyond, late.read) == (0, 5, 0)
    assert sentence(late, 1).startswith("No weight that was compared repeats the values of another. 5 weights")
