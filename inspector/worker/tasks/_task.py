"""What a task is, and what it is given when it runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

import msgspec

A = TypeVar("A", bound=msgspec.Struct)
R = TypeVar("R", bound=msgspec.Struct)


@dataclass(frozen=True, slots=True)
class Context:
    """What a task may use besides its arguments.

    Attributes:
        folder: The worker's private folder; None where the worker may write nothing (document and layout workers).
        state: What the worker keeps between asks: the open model, the open runtime. Keys are the task module's own.
        report: Call it with a fraction (None: unknown) and a word of what is going on.
    """

    folder: Path | None = None
    state: dict[str, Any] = field(default_factory=dict)
    report: Callable[[float | None, str], None] = lambda fraction, text: None


@dataclass(frozen=True, slots=True)
class Task(Generic[A, R]):
    """Something a worker can be asked to do.

    Attributes:
        id: Its name on the wire.
        args: Type of the arguments.
        result: Type of the result.
        run: The work; raises InspectorError for what the user can act on.
    """

    id: str
    args: type[A]
    result: type[R]
    run: Callable[[A, Context], R]
