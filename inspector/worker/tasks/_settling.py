"""Working out the figures of a large model beside the asks that the worker answers meanwhile.

A thread of its own does it: it gives way to the worker's main thread every few milliseconds, so that the graph can be
looked at and searched in the time that shapes and multiply-adds take.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from inspector.engines.summary.summary import Summary
from inspector.errors import Cancelled, InspectorError
from inspector.ir.text import inert

Report = Callable[[float], None]
"""Is told how much is done, 0 … 1, every few milliseconds; waits where somebody waits for something else, and raises
where the figures are not wanted any more."""


class Settling:
    """Figures in the making.

    Args:
        work: Works them out.
        dims: Sizes of named dimensions that they are for.
    """

    def __init__(self, work: Callable[[Report], Summary], dims: dict[str, int]) -> None:
        self.dims, self._work = dims, work
        self.share = 0.0
        """How much is done, 0 … 1."""
        self.trouble = ""
        """Why it failed; empty where it did not."""
        self.result: Summary | None = None
        """The figures, once they are known."""
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._stopped = False
        self._free = threading.Event()
        self._free.set()

    def wait(self, seconds: float) -> bool:
        """Begin where it has not begun; whether it has ended after at most this time."""
        if self._thread.ident is None:
            self._thread.start()
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def stop(self) -> None:
        """Nobody wants them any more: it ends at its next report."""
        self._stopped = True

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
            self.result = self._work(self._report)
        except Cancelled:
            self.trouble = "It was stopped."
        except InspectorError as error:
            self.trouble = error.what
        except MemoryError:
            self.trouble = "There is not enough memory for the shapes and figures of this model."
        except Exception as error:  # noqa: BLE001 - a thread has nobody to raise it to
            self.trouble = f"{type(error).__name__}: {inert(str(error), 500)}"

    def _report(self, share: float) -> None:
        self.share = share
        self._free.wait()
        if self._stopped:
            raise Cancelled
