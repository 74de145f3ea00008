"""ONE FILE A TASK: a module here with a constant `TASK = Task(...)` is something a worker can be asked to do.

The types of arguments and result stand in the task's own file, import no framework and are imported by whoever asks.
"""

from __future__ import annotations

from typing import Any, cast

from inspector.registry import found
from inspector.worker.tasks._task import Context, Task

__all__ = ["Context", "Task", "tasks"]


def tasks() -> dict[str, Task[Any, Any]]:
    """Every task by id."""
    return cast("dict[str, Task[Any, Any]]", found("inspector.worker.tasks", "TASK"))
