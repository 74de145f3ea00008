"""Whole modules pickled by torch.save: the module tree with classes, hyper-parameters and tensors.

Loading such a file with PyTorch runs what it names. Here its objects are inert: nothing is imported, nothing is
called, and what the file asks for is listed, graded.
"""

from __future__ import annotations

from dataclasses import replace

from inspector.formats._documents import documented
from inspector.formats._format import Format, Glimpse, Support
from inspector.formats._globals import known
from inspector.formats._source import Source
from inspector.formats._torch_file import open_torch
from inspector.formats._torch_model import fetch, fetch_part, kind, read_as
from inspector.ir import Model, Note

NAMES = 20


def sniff(glimpse: Glimpse) -> Support:
    """A file of torch.save whose object is an instance, or a dictionary that holds a module."""
    return Support.YES if kind(glimpse) == "module" else Support.NO


def read(source: Source) -> Model:
    """The whole structure; weights as places."""
    names = sorted(set(known(open_torch(source).pickles)))
    model = read_as(source, "torch.module")
    if not names:
        return model
    more = f" and {len(names) - NAMES:,} more" if len(names) > NAMES else ""
    text = f"Known parts of PyTorch and plain containers that the file asks for: {', '.join(names[:NAMES])}{more}."
    return replace(model, notes=(*model.notes, Note("info", text, "None of them was imported.")))


FORMAT = Format(
    id="torch.module",
    title="PyTorch module",
    suffixes=(),  # those of checkpoints; nothing is written in this form
    sniff=sniff,
    read=read,
    fetch=fetch,
    document=documented("torch"),
    fetch_part=fetch_part,
)
