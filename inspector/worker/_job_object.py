"""A job object of Windows around this process: no second process, bounded memory, gone when its handle is.

Structures and numbers are those of `winnt.h`. A job is no barrier to files or to the network, and the level does not
say so: a restricted token or an AppContainer is made by whoever starts the process, which `QProcess` cannot.
"""

from __future__ import annotations

import ctypes

ACTIVE_PROCESS, PROCESS_MEMORY, DIE_ON_EXCEPTION, KILL_ON_CLOSE = 0x8, 0x100, 0x400, 0x2000
EXTENDED, UI = 9, 4
NO_UI = 0xFF
"""Handles of others, clipboard, system settings, display, atoms, desktops, logging off."""


class _Basic(ctypes.Structure):
    _fields_ = (
        ("process_time", ctypes.c_int64),
        ("job_time", ctypes.c_int64),
        ("flags", ctypes.c_uint32),
        ("least_working_set", ctypes.c_size_t),
        ("most_working_set", ctypes.c_size_t),
        ("processes", ctypes.c_uint32),
        ("affinity", ctypes.c_size_t),
        ("priority", ctypes.c_uint32),
        ("scheduling", ctypes.c_uint32),
    )


class Limits(ctypes.Structure):
    """JOBOBJECT_EXTENDED_LIMIT_INFORMATION."""

    _fields_ = (
        ("basic", _Basic),
        ("io", ctypes.c_uint64 * 6),
        ("process_memory", ctypes.c_size_t),
        ("job_memory", ctypes.c_size_t),
        ("most_process_memory", ctypes.c_size_t),
        ("most_job_memory", ctypes.c_size_t),
    )


def limits(memory: int) -> Limits:
    """One process and no other; so many bytes of committed memory, unlimited with 0."""
    made = Limits()
    made.basic.flags = ACTIVE_PROCESS | DIE_ON_EXCEPTION | KILL_ON_CLOSE | (PROCESS_MEMORY if memory else 0)
    made.basic.processes = 1
    made.process_memory = memory
    return made


def restrict(memory: int) -> bool:
    """Put this process into a job of its own, for good; whether the system did."""
    library = getattr(ctypes, "windll", None)
    if library is None:
        return False
    kernel = library.kernel32
    for call in (kernel.CreateJobObjectW, kernel.GetCurrentProcess):
        call.restype = ctypes.c_void_p
    job = kernel.CreateJobObjectW(None, None)  # never closed: closing it would end the process
    if not job:
        return False
    wanted, no_ui = limits(memory), ctypes.c_uint32(NO_UI)
    for kind, said in ((EXTENDED, wanted), (UI, no_ui)):
        if not kernel.SetInformationJobObject(ctypes.c_void_p(job), kind, ctypes.byref(said), ctypes.sizeof(said)):
            return False
    return bool(kernel.AssignProcessToJobObject(ctypes.c_void_p(job), ctypes.c_void_p(kernel.GetCurrentProcess())))
