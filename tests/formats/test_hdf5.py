"""HDF5 read without the library: it is what h5py reads, whatever way it was written; damage has a sentence."""

from __future__ import annotations

import gc
import io
import weakref
from typing import Any

import h5py
import numpy as np
import pytest

from inspector.errors import FormatError
from inspector.formats._hdf5 import Listing, hdf5, listing, values, values_part
from inspector.formats._hdf5_bytes import DamageError, checksum

X = np.random.default_rng(0).standard_normal((70, 33)).astype(np.float32)
PLAIN = {
    "float32": X, "big": X.astype(">f8"), "half": X.astype(np.float16), "truth": X > 0, "complex": X.astype("c8"),
    "number": np.int64(3), "int8": X.astype(np.int8), "uint64": np.arange(5, dtype=np.uint64), "none": np.zeros((0, 3)),
    "words": np.array([b"ab", b"c"]), "record": np.zeros(3, [("a", "i4"), ("b", "f4")]), "opaque": np.zeros(4, "V2"),
    "texts": np.array(["é", "", "bb"], object), "long": np.arange(5000.0),
    "listed": np.zeros(2, h5py.enum_dtype({"A": 1}, "i4")),
}  # fmt: skip
PACKED: dict[str, dict[str, Any]] = {
    "plain": {},
    "deflate": {"compression": "gzip"},
    "all": {"compression": "gzip", "shuffle": True, "fletcher32": True},
    "lzf": {"compression": "lzf"},
}
MADE = (5, 3, 12, 1, 9, 0, 7, 8, 2, 4, 11)


def write(file: h5py.File) -> None:
    """Groups, attributes and datasets in every way that h5py has."""
    file.attrs["large"] = "x" * 60_000
    file.attrs["fixed"] = np.bytes_(b"abc\0d")
    file.attrs["list"] = ["é"]
    file.attrs["numbers"] = np.arange(4)
    for number in range(30):  # more than a header holds
        file.attrs[f"a{number}"] = "v" * number
    for number in range(1200):
        file.create_group(f"many/g{number}").attrs["name"] = f"n{number}"
    ordered = file.create_group("ordered", track_order=True)
    for number in MADE:
        ordered[f"z{number}"] = number
    data = file.create_group("data")
    for name, array in PLAIN.items():
        data[name] = array
    for name, how in PACKED.items():
        data.create_dataset(f"pieces {name}", data=X, chunks=(16, 7), **how)
        data.create_dataset(f"one piece {name}", data=X, chunks=X.shape, **how)
        data.create_dataset(f"small pieces {name}", data=np.arange(5000.0), chunks=(3,), **how)
        data.create_dataset(f"growing {name}", data=X, chunks=(16, 7), maxshape=(None, None), **how)
        data.create_dataset(f"growing one way {name}", data=X, chunks=(16, 7), maxshape=(70, None), **how)
        data.create_dataset(f"growing far {name}", data=np.arange(9000.0), chunks=(3,), maxshape=(None,), **how)
    pages = data.create_dataset("pages", (40_000,), "f4", chunks=(1,), maxshape=(None,))
    pages[39_990:] = pages[20_000] = 5
    data.create_dataset("fixed pages", (9000,), "f4", chunks=(1,))[8990:] = 5
    data.create_dataset("unset", (50, 3), "f4", fillvalue=2.5)
    data.create_dataset("sparse", (50, 30), "f4", chunks=(10, 10), fillvalue=7)[12:15, 3] = 1
    file["type"] = np.dtype("f4")
    data.create_dataset("of a type with a name", (3,), file["type"])
    layout = h5py.VirtualLayout((70, 66), "f4")
    layout[:, :33] = h5py.VirtualSource(".", "/data/float32", X.shape)
    layout[:, 33:] = h5py.VirtualSource(".", "/data/pieces all", X.shape)
    data.create_virtual_dataset("view", layout)


@pytest.fixture(scope="module", params=["earliest", "v110", "latest"])
def stored(request: pytest.FixtureRequest) -> bytes:
    file = io.BytesIO()
    version = request.param if request.param == "earliest" else (request.param, "latest")
    with h5py.File(file, "w", libver=version) as opened:
        write(opened)
    return file.getvalue()


def listed(data: bytes) -> Listing:
    with hdf5(io.BytesIO(data), "x") as opened:
        return listing(opened)


def test_groups_and_attributes_are_those_of_h5py(stored: bytes) -> None:
    found = listed(stored)
    with h5py.File(io.BytesIO(stored)) as want, hdf5(io.BytesIO(stored), "x") as opened:
        told = {key: opened.root.attribute(key.encode()) for key in want.attrs}
        texts = {key: item.text(100_000) for key, item in told.items() if item is not None}
        assert texts.pop("numbers") is None
        assert texts.pop("fixed") == b"abc\0d"
        assert texts.pop("list") == "é".encode()
        assert texts == {key: want.attrs[key].encode() for key in texts}
        assert len(texts) == 31
        assert opened.root.attribute(b"a99") is None
        large = opened.root.attribute(b"large")
        assert large is not None
        with pytest.raises(OverflowError):
            large.text(59_999)
        assert list(found.names.items()) == [(f"many/{key}", want["many"][key].attrs["name"]) for key in want["many"]]
        assert [path for path in found.datasets if path.startswith("ordered/")] == [f"ordered/z{n}" for n in MADE]
        assert [path for path in found.datasets if path.startswith("data/")] == [f"data/{key}" for key in want["data"]]
    assert not found.refused
    assert not found.broken


def test_values_are_those_of_h5py(stored: bytes) -> None:
    found = listed(stored)
    with h5py.File(io.BytesIO(stored)) as want, hdf5(io.BytesIO(stored), "x") as opened:
        for key, item in want["data"].items():
            path, told = f"data/{key}", item[()]
            got, claim = values(opened, path), found.datasets[f"data/{key}"]
            assert (got.shape, claim.shape) == (told.shape, told.shape), key
            if key in ("record", "opaque"):
                assert got.tobytes() == told.tobytes()
            else:
                assert np.array_equal(got, told), key
            if key not in ("view", "texts"):
                assert (claim.offset, claim.size) == (item.id.get_offset() or 0, item.id.get_storage_size()), key
            if told.size > 100 and key != "view":
                assert np.array_equal(values_part(opened, path, 40, 90), told.reshape(-1)[40:130]), key
        assert values_part(opened, "data/view", 0, 9) is None


def test_what_is_not_read_is_said() -> None:
    file = io.BytesIO()
    with h5py.File(file, "w", libver="latest") as made:
        made.create_dataset("growing", data=X, chunks=(16, 7), maxshape=(None, 40))
        made.create_dataset("scaled", data=X.astype(int), chunks=(16, 7), scaleoffset=0)
        made.create_dataset("sequence", (2,), h5py.vlen_dtype(np.int8))[0] = [1, 2]
        made.create_dataset("address", (1,), h5py.ref_dtype)[0] = made["growing"].ref
        made["nothing"] = h5py.Empty("f4")
    assert listed(file.getvalue()).refused == [
        "address: its values are of a kind that is not read",
        "growing: it is stored in a way that is not read",
        "nothing: it is empty",
        "scaled: it is compressed by a filter that we do not know (6)",
        "sequence: its values are of a kind that is not read",
    ]


def small(libver: str = "earliest") -> bytes:
    file = io.BytesIO()
    with h5py.File(file, "w", libver=libver) as made:
        made.create_group("a").attrs["name"] = "text"
        made["a/b"] = np.arange(4.0)
    return file.getvalue()


def test_every_byte_of_a_small_file_may_be_damaged() -> None:
    """Each byte in turn is another one: what comes is a listing or a sentence, and a checksum sees most of it."""
    for libver in ("earliest", "latest"):
        data, said = small(libver), set()
        for at in range(len(data)):
            for byte in {0xFF, data[at] ^ 0x10} - {data[at]}:
                try:
                    found = listed(data[:at] + bytes([byte]) + data[at + 1 :])
                except FormatError as error:
                    said.add(error.what)
                else:
                    said.update([found.broken, *found.refused])
        assert "x is damaged or incomplete." in said
        assert any("the checksum" in text for text in said) == (libver == "latest")
        assert any("SNOD" in text for text in said) == (libver == "earliest")


def test_a_header_that_goes_on_in_circles_comes_to_an_end() -> None:
    data = bytearray(small())
    with h5py.File(io.BytesIO(bytes(data))) as made:
        at = h5py.h5o.get_info(made["a"].id).addr
    size = int.from_bytes(data[at + 8 : at + 12], "little")
    again = b"\x10\0\x10\0\0\0\0\0" + (at + 16).to_bytes(8, "little") + size.to_bytes(8, "little")
    data[at + 16 : at + 16 + size] = (again * size)[:size]
    assert listed(bytes(data)).refused == ["a: it is damaged (its structure has no end)"]


def test_a_text_longer_than_what_holds_it_is_not_read() -> None:
    data = small()
    at = data.index(b"GCOL")
    for size in (2**63, 5000):
        hurt = data[: at + 24] + size.to_bytes(8, "little") + data[at + 32 :]
        assert not listed(hurt).names
        with hdf5(io.BytesIO(hurt), "x") as opened, pytest.raises(DamageError, match="longer than what holds it"):
            opened.texts.get(at, 1)
    assert listed(data).names == {"a": "text"}


def test_two_parts_of_one_name_are_not_read() -> None:
    file = io.BytesIO()
    with h5py.File(file, "w") as made:
        for name in ("a1", "a2", "b"):
            made[name] = np.arange(4.0)
    data = file.getvalue().replace(b"a2\0", b"a1\0").replace(b"b\0\0", b"/\0\0")
    found = listed(data)
    assert not found.datasets
    assert found.refused == ["/: it has no name of its own", *["a1: it has no name of its own"] * 2]


def test_an_empty_shape_that_is_too_large_for_an_array_is_refused() -> None:
    file = io.BytesIO()
    with h5py.File(file, "w") as made:
        made.create_dataset("a", (0, 1 << 62), "f8", chunks=(1, 1), maxshape=(None, None))
    assert listed(file.getvalue()).refused == ["a: it is damaged (its shape makes no sense)"]


def test_what_was_read_is_let_go() -> None:
    """Nothing holds itself: the freezing of rubbish (as after large tables) would keep it for ever."""
    data = small()
    gc.collect()
    gc.disable()
    try:
        with hdf5(io.BytesIO(data), "x") as opened:
            listing(opened)
            gone = weakref.ref(opened)
        del opened
        assert gone() is None
    finally:
        gc.enable()


@pytest.mark.parametrize(("text", "number"), [(b"", 0xDEADBEEF), (b"Four score and seven years ago", 0x17770551)])
def test_the_checksum_is_that_of_its_author(text: bytes, number: int) -> None:
    assert checksum(text) == number
