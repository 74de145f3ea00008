"""What is fed: seeded inputs made from the model's own shapes and dtypes, or arrays of the user's.

Rows alternate between uniform [0, 1) (what pixels and probabilities look like) and standard normal (what activations
look like), so that a model that ignores either still moves. Integers stay below eight, so that small embeddings hold
them; masks are ones. The first batch size is fed twice with different rows: without two different inputs of one shape
nobody can tell whether the output moves with the input.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from inspector.engines.parity.bundle import Arrays, load
from inspector.errors import InspectorError
from inspector.ir import Dim
from inspector.runtimes import Spec

ROWS = 1024
"""Rows of the user's file that are fed at most."""
CHUNKS = 64
"""Feeds that a file is cut into at most, for a model whose batch is fixed."""
SPATIAL, LENGTH = 64, 16
"""Sizes for dims that nobody chose: height and width of pictures, and everything else."""
SMALL = 8


class Fed(msgspec.Struct, frozen=True):
    """Feeds, and what they are in words."""

    feeds: tuple[Arrays, ...]
    words: str


def is_batch(spec: Spec, axis: int) -> bool:
    """Whether this dim is the batch: the first one when it is open, or one that is named so."""
    assert spec.shape is not None
    dim = spec.shape[axis]
    return not isinstance(dim, int) and (axis == 0 or (isinstance(dim, str) and "batch" in dim.lower()))


def shaped(
    specs: Sequence[Spec], batch: int, dims: Mapping[str, int], shapes: Mapping[str, Sequence[Dim]]
) -> dict[str, tuple[int, ...]]:
    """A size for every dim of every input.

    Args:
        specs: The inputs.
        batch: Size of the batch dimension, where it is open.
        dims: Sizes of named dims; they win over everything else.
        shapes: Shapes by input name; a name in them is looked up in `dims`.

    Raises:
        InspectorError: The rank of an input is not known and nobody gave its shape.
    """
    result = {}
    for spec in specs:
        given = shapes.get(spec.name)
        if given is None and spec.shape is None:
            raise InspectorError(
                f"The file does not say what shape its input {spec.name!r} has.",
                f"Give one: --input {spec.name}=1x3x224x224",
            )
        whole = Spec(spec.name, spec.dtype, _with_given(spec, given))
        assert whole.shape is not None
        result[spec.name] = tuple(_size(whole, axis, batch, dims) for axis in range(len(whole.shape)))
    return result


def _with_given(spec: Spec, given: Sequence[Dim] | None) -> tuple[Dim, ...]:
    """The file's own dims; the user's where the file leaves them open."""
    if given is None:
        assert spec.shape is not None
        return spec.shape
    if spec.shape is None:
        return tuple(given)
    if len(given) != len(spec.shape):
        raise InspectorError(
            f"The input {spec.name!r} has {len(spec.shape)} dimensions, {len(given)} were given.",
            f"Its shape in the file: {'×'.join(str(dim) for dim in spec.shape)}",
        )
    for own, theirs in zip(spec.shape, given):
        if isinstance(own, int) and isinstance(theirs, int) and own != theirs:
            raise InspectorError(
                f"The input {spec.name!r} has a dimension of {own} in the file; {theirs} was given.",
                f"Its shape in the file: {'×'.join(str(dim) for dim in spec.shape)}",
            )
    return tuple(own if isinstance(own, int) else theirs for own, theirs in zip(spec.shape, given))


def _size(spec: Spec, axis: int, batch: int, dims: Mapping[str, int]) -> int:
    assert spec.shape is not None
    dim = spec.shape[axis]
    if isinstance(dim, int):
        return dim
    if isinstance(dim, str) and dim in dims:
        return dims[dim]
    if is_batch(spec, axis):
        return batch
    return SPATIAL if len(spec.shape) == 4 else LENGTH


def make(
    specs: Sequence[Spec],
    *,
    batches: Sequence[int] = (1, 5),
    dims: Mapping[str, int] | None = None,
    shapes: Mapping[str, Sequence[Dim]] | None = None,
    seed: int = 0,
) -> Fed:
    """Seeded feeds, one for each batch size and one more of the first."""
    dims, shapes = dims or {}, shapes or {}
    wanted = list(dict.fromkeys(batches)) or [1]
    sized = [shaped(specs, batch, dims, shapes) for batch in wanted]
    distinct = [s for i, s in enumerate(sized) if s not in sized[:i]]
    random = np.random.default_rng(seed)
    feeds, row = [], 0
    for sizes in [*distinct, distinct[0]]:
        feeds.append({spec.name: _values(spec, sizes[spec.name], random, row) for spec in specs})
        row += max([size[0] for size in sizes.values() if size], default=1)
    if len(distinct) > 1:
        words = f"seed {seed}, batch {_and([str(batch) for batch in wanted])}"
    else:
        words = f"seed {seed}, twice"
    return Fed(tuple(feeds), f"{words}: {_shapes_in_words(distinct[-1])}")


def _values(spec: Spec, shape: tuple[int, ...], random: np.random.Generator, row: int) -> NDArray[Any]:
    dtype, name = spec.dtype or "float32", spec.name.lower()
    if dtype in {"string", "object"}:
        raise InspectorError(
            f"The input {spec.name!r} is text, for which no inputs can be made up.",
            "Give some: --feeds FILE.npz",
        )
    if dtype == "bool":
        return random.random(shape) < 0.5
    if dtype.startswith(("float", "bfloat")):
        return _floats(shape, random, row, spec.limits).astype(_numpy(dtype))
    if dtype.startswith("complex"):
        return (_floats(shape, random, row) + 1j * _floats(shape, random, row)).astype(dtype)
    kind = np.dtype(_numpy(dtype))
    if "mask" in name:
        return np.ones(shape, kind)
    if kind.itemsize == 1:
        limits = np.iinfo(kind)
        return random.integers(limits.min, limits.max, shape, kind, endpoint=True)
    return random.integers(0, 2 if "type" in name or "segment" in name else SMALL, shape, kind)


def _floats(
    shape: tuple[int, ...], random: np.random.Generator, row: int, limits: tuple[float, float] | None = None
) -> NDArray[Any]:
    """Rows of the two kinds in turn; where a quantised input can express only a range, both kinds fill that range."""
    uniform, normal = random.random(shape), random.standard_normal(shape)
    if limits is not None:
        low, width = limits[0], limits[1] - limits[0]
        uniform, normal = low + width * uniform, low + width * np.clip(0.5 + normal / 6, 0, 1)
    if not shape:
        return uniform if row % 2 == 0 else normal
    odd = (np.arange(shape[0]) + row) % 2 == 1
    return np.where(odd.reshape(-1, *(1,) * (len(shape) - 1)), normal, uniform)


def _numpy(dtype: str) -> str:
    """The dtype that carries it: numpy has no bfloat16; runtimes that want one take float32 feeds for it."""
    return "float32" if dtype == "bfloat16" else dtype


def from_file(file: Path, specs: Sequence[Spec], *, batches: Sequence[int] = ()) -> Fed:
    """Feeds from a .npz of the user's: by name, else in order of those whose shape and kind of dtype fit.

    Where the batch is open, the first rows of each batch size and then all of them; where it is fixed, as many feeds
    as it gives.

    Raises:
        InspectorError: An input finds no array.
    """
    arrays = _chosen(load(file), specs, file.name)
    rows = {len(array) for spec, array in zip(specs, arrays.values()) if array.ndim and _leads(spec)}
    if len(rows) != 1:
        return Fed((arrays,), f"{file.name}: {_shapes_in_words({n: a.shape for n, a in arrays.items()})}")
    count = min(rows.pop(), ROWS)
    fixed = {spec.shape[0] for spec in specs if spec.shape and isinstance(spec.shape[0], int) and _leads(spec)}
    if fixed:
        step = int(next(iter(fixed)))
        cuts = [slice(i, i + step) for i in range(0, count - step + 1, step)][:CHUNKS]
        if not cuts:
            raise InspectorError(f"{file.name} has {count} rows; the model wants {step} at a time.")
    else:
        cuts = [*(slice(0, batch) for batch in dict.fromkeys(batches) if batch < count), slice(0, count)]
    feeds = tuple({s.name: arrays[s.name][cut] if _leads(s) else arrays[s.name] for s in specs} for cut in cuts)
    return Fed(feeds, f"{file.name}, {cuts[-1].stop} rows")


def _leads(spec: Spec) -> bool:
    return spec.shape is None or len(spec.shape) > 0


def _chosen(arrays: Arrays, specs: Sequence[Spec], file: str) -> Arrays:
    left, result = dict(arrays), {}
    for spec in specs:
        if spec.name in left:
            result[spec.name] = left.pop(spec.name)
    for spec in specs:
        if spec.name in result:
            continue
        name = next((name for name, array in left.items() if _fits(array, spec)), None)
        if name is None:
            raise InspectorError(
                f"{file} has no array for the input {spec.name!r}.",
                f"It has: {', '.join(arrays) or 'nothing'}. The input is {spec.dtype or 'a tensor'} {_dims(spec)}.",
            )
        result[spec.name] = left.pop(name)
    return {spec.name: _cast(result[spec.name], spec) for spec in specs}


def _fits(array: NDArray[Any], spec: Spec) -> bool:
    if spec.dtype and spec.dtype != "string" and (array.dtype.kind == "f") != ("float" in spec.dtype):
        return False
    if spec.shape is None:
        return True
    if array.ndim != len(spec.shape):
        return _reshaped(array, spec) is not None
    sizes = [(dim, size) for dim, size in zip(spec.shape[1:], array.shape[1:]) if isinstance(dim, int)]
    return all(dim == size for dim, size in sizes)


def _reshaped(array: NDArray[Any], spec: Spec) -> NDArray[Any] | None:
    """The same rows with dims of one left out or put in, where that is all that differs: the channel of a picture."""
    wanted = [dim for dim in (spec.shape or ())[1:] if isinstance(dim, int)]
    if not spec.shape or len(wanted) != len(spec.shape) - 1 or not array.ndim:
        return None
    if [size for size in array.shape[1:] if size != 1] != [size for size in wanted if size != 1]:
        return None
    return array.reshape(len(array), *wanted)


def _cast(array: NDArray[Any], spec: Spec) -> NDArray[Any]:
    if spec.shape is not None and array.ndim != len(spec.shape):
        turned = _reshaped(array, spec)
        array = array if turned is None else turned
    if not spec.dtype or spec.dtype == "string":
        return array
    with np.errstate(invalid="ignore"):
        fed = array.astype(_numpy(spec.dtype))
    if fed.dtype.kind in "iu" and not np.array_equal(fed, array):
        raise InspectorError(
            f"The input {spec.name!r} takes {spec.dtype}, and the file holds numbers that are none.",
            "Give them as the model takes them: whole, and neither too large nor too small.",
        )
    return fed


def nudged(feeds: Arrays, seed: int) -> Arrays | None:
    """The same feeds with each float moved by its last bit, up or down; None where there is no float to move."""
    random = np.random.default_rng(seed + 1)
    if not any(array.dtype.kind == "f" for array in feeds.values()):
        return None

    def nudge(array: NDArray[Any]) -> NDArray[Any]:
        if array.dtype.kind != "f":
            return array
        towards = np.where(random.random(array.shape) < 0.5, -np.inf, np.inf).astype(array.dtype)
        moved: NDArray[Any] = np.nextafter(array, towards)
        return moved

    return {name: nudge(array) for name, array in feeds.items()}


def _shapes_in_words(shapes: Mapping[str, Sequence[int]]) -> str:
    parts = [f"{name} {'×'.join(str(size) for size in shape) or 'scalar'}" for name, shape in shapes.items()]
    return ", ".join(parts[:4]) + (" …" if len(parts) > 4 else "")


def _dims(spec: Spec) -> str:
    return "×".join("?" if dim is None else str(dim) for dim in spec.shape) if spec.shape is not None else ""


def _and(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
