"""The list of a dataset's pieces where it may grow along one dimension: HDF5's extensible array (specification, VII.D).

The first elements lie in the index itself, the next ones in blocks that it names, the rest in blocks that are named by
blocks; those become larger the farther they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from inspector.formats._hdf5_bytes import Bytes, Cursor, DamageError


@dataclass(frozen=True, slots=True)
class _Array:
    """What the header says.

    Attributes:
        file: Where it lies.
        width: Bytes of an element.
        places: Bytes of the number of an element.
        least: Elements of the smallest block.
        page: Elements of a page of a block.
    """

    file: Bytes
    width: int
    places: int
    least: int
    page: int


def elements(file: Bytes, address: int, count: int) -> tuple[bool, int, Iterator[Cursor | None]]:
    """Whether elements say sizes too, their bytes, and the elements one after another; None where one is not stored.

    Args:
        file: Where it lies.
        address: Of the header.
        count: How many elements are wanted.

    Raises:
        DamageError: It does not fit together.
    """
    head = file.checked(address, 16 + 6 * file.lengths + file.offsets, b"EAHD")
    head.take(1)
    packed, width, bits, inside, least, pointers, page = (head.number(1) for _ in range(7))
    head.take(6 * file.lengths)
    array = _Array(file, width, -(-bits // 8), least, 1 << page)
    powers = all(number and not number & number - 1 for number in (least, pointers))
    if not powers or bits > 64 or page > 32 or not width:
        raise DamageError("the list of its pieces does not fit together")
    return bool(packed), width, _each(array, head.address(), bits, inside, pointers, count)


def _each(array: _Array, address: int, bits: int, inside: int, pointers: int, count: int) -> Iterator[Cursor | None]:
    file = array.file
    levels, near = 1 + bits - (array.least.bit_length() - 1), 2 * (pointers.bit_length() - 1)
    direct = 2 * (pointers - 1)
    size = 6 + file.offsets + inside * array.width + (direct + max(0, levels - near)) * file.offsets + 4
    index = file.checked(address, size, b"EAIB")
    index.take(2 + file.offsets)
    yield from (file.within(index.take(array.width)) for _ in range(inside))
    done = inside
    for level in range(levels):
        if done >= count:
            return
        blocks, held = 1 << level // 2, array.least << (level + 1) // 2
        if level < near:
            addresses = [index.address() for _ in range(blocks)]
        else:
            addresses = _named(array, index.address(), blocks, held)
        for at in addresses:
            if done < count:
                yield from _block(array, at, held, count - done)
                done += held


def _named(array: _Array, address: int, blocks: int, held: int) -> list[int]:
    """The addresses of the blocks that a block names."""
    if address < 0:
        return [-1] * blocks
    pages = held // array.page if held > array.page else 0
    marks = blocks * (-(-pages // 8))
    head = 6 + array.file.offsets + array.places
    names = array.file.checked(address, head + marks + blocks * array.file.offsets + 4, b"EASB")
    names.at = head + marks
    return [names.address() for _ in range(blocks)]


def _block(array: _Array, address: int, held: int, wanted: int) -> Iterator[Cursor | None]:
    """The elements of a block, which is in pages where it is large."""
    file, head = array.file, 6 + array.file.offsets + array.places
    if address < 0:
        yield from (None for _ in range(min(held, wanted)))
        return
    if held <= array.page:
        block = file.checked(address, head + held * array.width + 4, b"EADB")
        block.at = head
        yield from (file.within(block.take(array.width)) for _ in range(min(held, wanted)))
        return
    at = address + head + 4
    for _ in range(-(-min(held, wanted) // array.page)):
        page = file.read(at, array.page * array.width)  # a page that was never written has no checksum
        at += len(page) + 4
        for here in range(0, len(page), array.width):
            entry = page[here : here + array.width]
            yield file.within(entry) if any(entry) else None
