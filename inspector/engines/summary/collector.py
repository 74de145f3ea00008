"""The garbage collector, told to wait while a hundred thousand objects are made that all stay."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def waiting() -> Iterator[None]:
    """Nothing is collected inside; it would walk over everything made so far, again and again (a third of the time).

    What was made is not walked over later either. That is right for what holds no cycles: it goes when nobody holds
    it any more, without the collector.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
