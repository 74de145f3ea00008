"""Fencing the worker in before it imports anything heavy; the levels are words shown in the window.

Only resource limits are set so far, so the level says "process only": the worker is a process of its own with bounded
memory and no core dumps, but the system's file and network barriers are not drawn yet.
"""

from __future__ import annotations

import sys

GIB = 1 << 30


def fence(role: str, memory: int = 0) -> str:
    """Limit this process for its role and say how well it is protected.

    Args:
        role: document, layout or run.
        memory: Bytes of address space; 0 leaves it unlimited.
    """
    if sys.platform == "win32":
        return "process only"
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if memory:
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    return "process only"
