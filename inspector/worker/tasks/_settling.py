"""Working out the figures of a very large model beside the asks that the worker answers meanwhile.

A thread of its own does it: it gives way to the worker's main thread every few milliseconds, so that the graph can be
looked at and searched in the time that shapes and multiply-adds take.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from inspector.engines.summary.summary import Summary
from inspector.engines.summary.trips import Fetch
from inspector.errors import InspectorError
from inspector.formats import Format, Source
from inspector.ir import Model
from inspector.ir.text import inert

SHAPES = 0.5
"""Share of the work that the shapes are."""


class Settling:
    """The figures of one sketched model in the making.

    Args:
        source: The file.
        fmt: Its format, which has `settle`.
        model: What its `sketch` gave.
        dims: Sizes of named dimensions.
        fetch: Reads small constants.
    """

    def __init__(self, source: Source, fmt: Format, model: Model, dims: dict[str, int], fetch: Fetch) -> None:
        self.source, self.format, self.model, self.dims, self._fetch = source, fmt, model, dims, fetch
        self.share = 0.0
        """How much is done, 0 … 1."""
        self.trouble = ""
        """Why it failed; empty where it did not."""
        self.result: Summary | None = None
        """The figures, once they are known."""
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._free = threading.Event()
        self._free.set()

    def wait(self, seconds: float) -> bool:
        """Begin where it has not begun; whether it has ended after at most this time."""
        if self._thread.ident is None:
            self._thread.start()
        self._thread.join(seconds)
        return not self._thread.is_alive()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """It goes no further than it must while somebody waits for something else."""
        self._free.clear()
        try:
            yield
        finally:
            self._free.set()

    def _run(self) -> None:
        try:
            assert self.format.settle is not None
            model = self.format.settle(self.source, self.model, self.dims, self._report)
            summary = Summary(model, self.dims, self._fetch)
            self.share = (1 + SHAPES) / 2
            _ = summary.totals, summary.modules  # worked out here, that nobody waits for them later
            self.result = summary
        except InspectorError as error:
            self.trouble = error.what
        except MemoryError:
            self.trouble = "There is not enough memory for the shapes and figures of this model."
        except Exception as error:  # noqa: BLE001 - a thread has nobody to raise it to
            self.trouble = f"{type(error).__name__}: {inert(str(error), 500)}"

    def _report(self, share: float) -> None:
        self.share = share * SHAPES
        self._free.wait()
