"""Landlock by raw system calls: which files this process, and whatever it starts, can still touch.

Structures and numbers are those of `linux/landlock.h` (ABI 1 of Linux 5.13 to ABI 7 of 6.15). No dependency, no root:
0.4 ms as a normal user. Landlock binds the calling thread and its later children only, so it must come before the first
thread, and so before numpy.

It does not stop `stat`, `chmod`, UDP, sockets with a path, or ptrace; `_seccomp` does.
"""

from __future__ import annotations

import ctypes
import os
import stat
from collections.abc import Iterable
from pathlib import Path

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
VERSION_FLAG, PATH_BENEATH = 1, 1
PR_SET_NO_NEW_PRIVS = 38

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1, 1 << 1, 1 << 2, 1 << 3
MAKE_AND_REMOVE = sum(1 << bit for bit in range(4, 13))
REFER, TRUNCATE, IOCTL_DEVICE = 1 << 13, 1 << 14, 1 << 15
READ = READ_FILE | READ_DIR
ON_FILES = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEVICE
"""Rights that mean something for a file; a rule on a file may hold no others."""
TCP = 0b11
SCOPES = 0b11
"""Abstract sockets, and signals to processes outside."""


class _Ruleset(ctypes.Structure):
    _fields_ = (("fs", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("access", ctypes.c_uint64), ("parent", ctypes.c_int32))


def _system_call(number: int, *arguments: object) -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    return int(libc.syscall(ctypes.c_long(number), *arguments))


def version() -> int:
    """The kernel's Landlock ABI; 0 where there is none."""
    return max(_system_call(CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(VERSION_FLAG)), 0)


def rights(abi: int) -> tuple[int, int]:
    """What can be read and what can be changed under this ABI; together what is handled."""
    change = WRITE_FILE | MAKE_AND_REMOVE
    if abi >= 2:
        change |= REFER
    if abi >= 3:
        change |= TRUNCATE
    return EXECUTE | READ, change


def restrict(reads: Iterable[Path] | None, writes: Iterable[Path], devices: Iterable[Path] = ()) -> bool:
    """Give up every file but these, for good.

    Args:
        reads: What may still be read, with all beneath it; None leaves reading free.
        writes: What may still be read and changed, with all beneath it.
        devices: Devices that may be opened for reading and writing.

    Returns:
        Whether the kernel took it.
    """
    abi = version()
    if not abi:
        return False
    read, change = rights(abi)
    handled = change if reads is None else read | change
    rules = _Ruleset(handled, TCP if abi >= 4 else 0, SCOPES if abi >= 6 else 0)
    size = 8 if abi < 4 else 16 if abi < 6 else 24
    ruleset = _system_call(CREATE_RULESET, ctypes.byref(rules), ctypes.c_size_t(size), ctypes.c_uint32(0))
    if ruleset < 0:
        return False
    try:
        for path in reads or ():
            _allow(ruleset, path, READ & handled)
        for path in writes:
            _allow(ruleset, path, (READ | change) & handled)
        for path in devices:
            _allow(ruleset, path, (READ_FILE | WRITE_FILE) & handled)
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
            return False
        return _system_call(RESTRICT_SELF, ctypes.c_int(ruleset), ctypes.c_uint32(0)) == 0
    finally:
        os.close(ruleset)


def _allow(ruleset: int, path: Path, access: int) -> None:
    """One rule; a path that is not there needs none."""
    try:
        handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not stat.S_ISDIR(os.fstat(handle).st_mode):
            access &= ON_FILES
        if access:
            rule = _Beneath(access, handle)
            _system_call(
                ADD_RULE, ctypes.c_int(ruleset), ctypes.c_int(PATH_BENEATH), ctypes.byref(rule), ctypes.c_uint32(0)
            )
    finally:
        os.close(handle)
