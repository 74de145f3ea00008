"""Inputs: made from specs, read from files, moved by a bit, kept in bundles."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from inspector.engines.parity import bundle
from inspector.engines.parity.feeds import from_file, make, nudged
from inspector.errors import InspectorError
from inspector.runtimes import Spec

IMAGE = Spec("x", "float32", ("batch", 1, 28, 28))


def test_one_feed_for_each_batch_and_a_second_of_the_first():
    fed = make((IMAGE,), batches=(1, 5))
    assert [feed["x"].shape[0] for feed in fed.feeds] == [1, 5, 1]
    assert not np.array_equal(fed.feeds[0]["x"], fed.feeds[2]["x"])
    assert "batch 1 and 5" in fed.words


def test_seeds_repeat_and_differ():
    one, same, other = (make((IMAGE,), seed=seed).feeds[1]["x"] for seed in (3, 3, 4))
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)


def test_a_fixed_batch_is_fed_twice():
    fed = make((Spec("x", "float32", (2, 4)),), batches=(1, 5))
    assert [feed["x"].shape for feed in fed.feeds] == [(2, 4), (2, 4)]


def test_kinds_of_input():
    specs = (
        Spec("input_ids", "int64", ("n", "seq")),
        Spec("attention_mask", "int32", ("n", "seq")),
        Spec("token_type_ids", "int64", ("n", "seq")),
        Spec("flag", "bool", (50,)),
        Spec("picture", "uint8", ("n", 8, 8, 3)),
        Spec("half", "float16", ("n", 4)),
    )
    feed = make(specs, batches=(3,), dims={"seq": 40}).feeds[0]
    assert feed["input_ids"].shape == (3, 40)
    assert 0 <= feed["input_ids"].min() < feed["input_ids"].max() < 8
    assert (feed["attention_mask"] == 1).all()
    assert feed["token_type_ids"].max() <= 1
    assert feed["flag"].dtype == bool
    assert feed["picture"].max() > 200
    assert feed["half"].dtype == np.float16


def test_shapes_of_the_user_fill_what_the_file_leaves_open():
    assert make((Spec("x", "", None),), shapes={"x": (1, 4)}).feeds[0]["x"].shape == (1, 4)
    assert make((Spec("x", "float32", ("n", 3, None, None)),), shapes={"x": (2, 3, 32, 32)}).feeds[0]["x"].shape == (
        2, 3, 32, 32,
    )  # fmt: skip
    with pytest.raises(InspectorError, match="dimension of 3"):
        make((Spec("x", "float32", ("n", 3)),), shapes={"x": (1, 4)})


def test_an_unknown_shape_is_asked_for():
    with pytest.raises(InspectorError, match="'x'") as error:
        make((Spec("x", "float32", None),))
    assert "--input x=" in error.value.hint


def test_text_is_refused_with_a_way_out():
    with pytest.raises(InspectorError, match="text") as error:
        make((Spec("x", "string", (1,)),))
    assert "--feeds" in error.value.hint


def test_a_last_bit_is_the_smallest_step():
    feed = make((IMAGE, Spec("i", "int64", (4,)))).feeds[1]
    moved = nudged(feed, 0)
    assert moved is not None
    gap = np.abs(moved["x"] - feed["x"])
    assert (gap > 0).all()
    assert (gap <= np.spacing(np.abs(feed["x"]))).all()
    np.testing.assert_array_equal(moved["i"], feed["i"])
    assert nudged({"i": feed["i"]}, 0) is None


def test_bundles_keep_names_order_and_values(tmp_path: Path):
    arrays = {"file": np.arange(3.0), "a/b:0": np.array(7), "text": np.array(["x", b"y"], dtype=object)}
    bundle.save(tmp_path / "b.npz", arrays)
    back = bundle.load(tmp_path / "b.npz")
    assert list(back) == list(arrays)
    np.testing.assert_array_equal(back["file"], arrays["file"])
    assert back["a/b:0"].shape == ()
    assert back["text"].tolist() == ["x", "y"]


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no archive", b"\x93NUMPY", b"hello"])
def test_what_is_no_npz_is_said_so(tmp_path: Path, content: bytes):
    (tmp_path / "x.npz").write_bytes(content)
    with pytest.raises(InspectorError, match=r"not a \.npz"):
        bundle.load(tmp_path / "x.npz")


def test_pickled_objects_are_not_loaded(tmp_path: Path):
    np.savez(tmp_path / "x.npz", x=np.array([{"a": 1}], dtype=object))
    with pytest.raises(InspectorError, match="plain arrays"):
        bundle.load(tmp_path / "x.npz")


def test_a_file_of_the_user_is_matched_by_what_fits(samples: Path):
    fed = from_file(samples / "digits.npz", (Spec("input", "float32", ("batch", 1, 28, 28)),), batches=(1, 5))
    counts = [feed["input"].shape[0] for feed in fed.feeds]
    assert counts[:2] == [1, 5]
    assert counts[2] > 50
    assert fed.feeds[2]["input"].dtype == np.float32


def test_a_grey_picture_needs_no_channel(samples: Path):
    fed = from_file(samples / "digits.npz", (Spec("input", "float32", (None, 28, 28)),))
    assert fed.feeds[0]["input"].shape[1:] == (28, 28)


def test_a_quantised_input_gets_what_it_can_express():
    feed = make((Spec("x", "float32", (40, 6), (-3.0, 1.0)),)).feeds[0]["x"]
    assert -3 <= feed.min() < -2
    assert 0 < feed.max() <= 1


def test_a_fixed_batch_takes_the_file_in_pieces(tmp_path: Path):
    np.savez(tmp_path / "x.npz", x=np.arange(14.0).reshape(7, 2))
    fed = from_file(tmp_path / "x.npz", (Spec("x", "float32", (2, 2)),))
    assert [feed["x"].tolist() for feed in fed.feeds] == [[[0, 1], [2, 3]], [[4, 5], [6, 7]], [[8, 9], [10, 11]]]


def test_a_file_without_the_input_is_an_error(samples: Path):
    with pytest.raises(InspectorError, match="'tokens'") as error:
        from_file(samples / "digits.npz", (Spec("tokens", "float32", (1, 7)),))
    assert "It has: x, y" in error.value.hint


@pytest.mark.parametrize("values", [[0.5, 1.0], [300.0, 1.0], [np.nan, 1.0], [-1.0, 1.0]])
def test_numbers_that_the_input_cannot_hold_are_refused_and_not_bent(tmp_path: Path, values: list[float]):
    bundle.save(tmp_path / "f.npz", {"x": np.array(values)})
    with pytest.raises(InspectorError, match="takes uint8, and the file holds numbers that are none"):
        from_file(tmp_path / "f.npz", (Spec("x", "uint8", ("batch",)),))
    bundle.save(tmp_path / "f.npz", {"x": np.array([7.0, 255.0])})
    (feed,) = from_file(tmp_path / "f.npz", (Spec("x", "uint8", ("batch",)),)).feeds
    assert (feed["x"].dtype, feed["x"].tolist()) == (np.dtype("uint8"), [7, 255])
