"""Checkpoints of PyTorch: tensors by name, in zip archives and in the older sequence of pickles.

The pickle is read as data by an interpreter that imports and calls nothing. The model's weights, averaged copies of
them and the optimizer's slots are kept apart; what else training left is shown in words.
"""

from __future__ import annotations

from dataclasses import replace

from inspector.formats._documents import documented
from inspector.formats._format import Format, Glimpse, Support
from inspector.formats._source import Source
from inspector.formats._tensors import Array
from inspector.formats._torch_model import fetch as fetch_one
from inspector.formats._torch_model import fetch_part as fetch_part_of_one
from inspector.formats._torch_model import kind, read_as
from inspector.formats._torch_sharded import is_index, part_note, read_sharded, shard
from inspector.ir import Model, Tensor


def sniff(glimpse: Glimpse) -> Support:
    """A file of torch.save whose object is a dictionary of tensors; or an index of such files."""
    return Support.YES if is_index(glimpse) or kind(glimpse) == "state" else Support.NO


def read(source: Source) -> Model:
    """The whole structure; weights as places."""
    if is_index(source.glimpse()):
        return read_sharded(source, "torch.state_dict")
    model = read_as(source, "torch.state_dict")
    return replace(model, notes=(*part_note(source.name), *model.notes))


def fetch(source: Source, tensor: Tensor) -> Array:
    """The values of one tensor, in whichever file it lies."""
    return fetch_one(*_within(source, tensor))


def fetch_part(source: Source, tensor: Tensor, start: int, count: int) -> Array | None:
    """Some values of one tensor; see `Format.fetch_part`."""
    return fetch_part_of_one(*_within(source, tensor), start, count)


def _within(source: Source, tensor: Tensor) -> tuple[Source, Tensor]:
    """The file of a tensor, and the tensor as that file has it."""
    file = tensor.place.file
    return (shard(source, file), replace(tensor, place=replace(tensor.place, file=""))) if file else (source, tensor)


FORMAT = Format(
    id="torch.state_dict",
    title="PyTorch checkpoint",
    suffixes=(".pth", ".pt", ".ckpt"),  # `.bin` and `.tar` are recognised too, but are not claimed from the desktop
    sniff=sniff,
    read=read,
    fetch=fetch,
    document=documented("torch"),
    fetch_part=fetch_part,
    mime="application/x-pytorch-checkpoint",
    magic=((0, b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."),),
)
