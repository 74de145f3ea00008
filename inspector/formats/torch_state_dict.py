"""Checkpoints of PyTorch: tensors by name, in zip archives and in the older sequence of pickles.

The pickle is read as data by an interpreter that imports and calls nothing. The model's weights, averaged copies of
them and the optimizer's slots are kept apart; what else training left is shown in words.
"""

from __future__ import annotations

from inspector.formats._documents import documented
from inspector.formats._format import Format, Glimpse, Support
from inspector.formats._source import Source
from inspector.formats._torch_model import fetch, fetch_part, kind, read_as
from inspector.ir import Model


def sniff(glimpse: Glimpse) -> Support:
    """A file of torch.save whose object is a dictionary of tensors."""
    return Support.YES if kind(glimpse) == "state" else Support.NO


def read(source: Source) -> Model:
    """The whole structure; weights as places."""
    return read_as(source, "torch.state_dict")


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
