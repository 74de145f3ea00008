"""What goes wrong in words a user can act on.

An `InspectorError` is for the user: one sentence that says what happened and one that says what to do.
A bug raises what Python raises and is shown with its details; it is never dressed up as an `InspectorError`.
"""

from __future__ import annotations


class InspectorError(Exception):
    """Something the user can do something about.

    Args:
        what: One sentence that says what happened.
        hint: What to do about it; may be empty where nothing can be done.
    """

    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint

    def __str__(self) -> str:
        return self.what


class FormatError(InspectorError):
    """A file is not what its format says, or not a model at all."""


class ConversionError(InspectorError):
    """A converter cannot do, or could not do, what was asked."""


class RuntimeFailure(InspectorError):  # noqa: N818 - what happened, not what it is
    """A runtime cannot open or run a model on a device."""


class WorkerDied(InspectorError):  # noqa: N818
    """A worker process ended without an answer: a crash, a kill, out of memory."""


class Cancelled(InspectorError):  # noqa: N818
    """The user stopped it."""

    def __init__(self) -> None:
        super().__init__("Cancelled.")
