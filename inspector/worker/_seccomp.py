"""A seccomp filter in raw BPF: system calls that a worker has no business with fail with EPERM.

What Landlock leaves open is closed here: sockets of every kind, starting programs, other processes' memory, new user
namespaces, io_uring (which would go round the filter), file modes and owners. `clone3` says ENOSYS, so that the C
library falls back to `clone`, whose flags can be looked at. Numbers are those of `asm/unistd.h` for x86-64 and
AArch64; another machine has no filter and says so.
"""

from __future__ import annotations

import ctypes
import platform
import struct

PR_SET_NO_NEW_PRIVS = 38
SET_MODE_FILTER, ALL_THREADS = 1, 1
ALLOW, KILL, ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
EPERM, ENOSYS = 1, 38
LOAD, EQUAL, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
NUMBER, ARCHITECTURE, FIRST_ARGUMENT = 0, 4, 16
NEW_USER = 0x10000000
X32 = 0x40000000
"""Bit of the x32 calls of x86-64, which would go round the numbers."""

_X86 = {
    "seccomp": 317, "clone": 56, "clone3": 435,
    "socket": 41, "connect": 42, "accept": 43, "bind": 49, "listen": 50, "accept4": 288,
    "execve": 59, "execveat": 322, "ptrace": 101, "process_vm_readv": 310, "process_vm_writev": 311,
    "pidfd_open": 434, "pidfd_getfd": 438,
    "mount": 165, "umount2": 166, "pivot_root": 155, "chroot": 161, "unshare": 272, "setns": 308,
    "bpf": 321, "perf_event_open": 298, "add_key": 248, "request_key": 249, "keyctl": 250,
    "userfaultfd": 323, "io_uring_setup": 425, "init_module": 175, "finit_module": 313, "delete_module": 176,
    "open_by_handle_at": 304, "kexec_load": 246, "reboot": 169, "swapon": 167, "swapoff": 168,
    "mknod": 133, "mknodat": 259,
    "kill": 62, "chmod": 90, "fchmod": 91, "fchmodat": 268, "fchmodat2": 452, "chown": 92, "fchown": 93,
    "lchown": 94, "fchownat": 260, "setxattr": 188, "lsetxattr": 189, "fsetxattr": 190,
    "utime": 132, "utimes": 235, "utimensat": 280, "futimesat": 261,
}  # fmt: skip
_ARM = {
    "seccomp": 277, "clone": 220, "clone3": 435,
    "socket": 198, "connect": 203, "accept": 202, "bind": 200, "listen": 201, "accept4": 242,
    "execve": 221, "execveat": 281, "ptrace": 117, "process_vm_readv": 270, "process_vm_writev": 271,
    "pidfd_open": 434, "pidfd_getfd": 438,
    "mount": 40, "umount2": 39, "pivot_root": 41, "chroot": 51, "unshare": 97, "setns": 268,
    "bpf": 280, "perf_event_open": 241, "add_key": 217, "request_key": 218, "keyctl": 219,
    "userfaultfd": 282, "io_uring_setup": 425, "init_module": 105, "finit_module": 273, "delete_module": 106,
    "open_by_handle_at": 265, "kexec_load": 104, "reboot": 142, "swapon": 224, "swapoff": 225,
    "mknodat": 33,
    "kill": 129, "fchmod": 52, "fchmodat": 53, "fchmodat2": 452, "fchown": 55, "fchownat": 54,
    "setxattr": 5, "lsetxattr": 6, "fsetxattr": 7, "utimensat": 88,
}  # fmt: skip
TABLES = {"x86_64": (0xC000003E, _X86), "aarch64": (0xC00000B7, _ARM)}
FOR_WRITERS = frozenset(
    {"kill", "chmod", "fchmod", "fchmodat", "fchmodat2", "chown", "fchown", "lchown", "fchownat"}
    | {"setxattr", "lsetxattr", "fsetxattr", "utime", "utimes", "utimensat", "futimesat"}
)
"""Calls that a worker with a folder of its own may make: copying a file sets its mode and times."""


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def denied(machine: str, writes: bool) -> tuple[int, ...]:
    """Numbers of the calls that fail with EPERM."""
    special = {"seccomp", "clone", "clone3"}
    names = TABLES[machine][1]
    return tuple(n for name, n in names.items() if name not in special and not (writes and name in FOR_WRITERS))


def program(machine: str, writes: bool) -> bytes:
    """The filter: 8 bytes an instruction (code, jump if true, jump if false, operand)."""
    architecture, numbers = TABLES[machine]
    allow, refuse, absent = (ALLOW, ERRNO | EPERM, ERRNO | ENOSYS)
    steps = [
        (LOAD, 0, 0, ARCHITECTURE), (EQUAL, 1, 0, architecture), (RETURN, 0, 0, KILL), (LOAD, 0, 0, NUMBER)
    ]  # fmt: skip
    if machine == "x86_64":
        steps += [(AT_LEAST, 0, 1, X32), (RETURN, 0, 0, refuse)]
    for number in denied(machine, writes):
        steps += [(EQUAL, 0, 1, number), (RETURN, 0, 0, refuse)]
    steps += [(EQUAL, 0, 1, numbers["clone3"]), (RETURN, 0, 0, absent)]
    steps += [(EQUAL, 0, 3, numbers["clone"]), (LOAD, 0, 0, FIRST_ARGUMENT)]
    steps += [(ANY_BIT, 0, 1, NEW_USER), (RETURN, 0, 0, refuse), (RETURN, 0, 0, allow)]
    return b"".join(struct.pack("=HBBI", *step) for step in steps)


def install(writes: bool) -> bool:
    """Install the filter for this process and whatever it starts; gives whether the kernel took it."""
    machine = platform.machine()
    if machine not in TABLES:
        return False
    code = ctypes.create_string_buffer(program(machine, writes))
    filter = _Program((len(code) - 1) // 8, ctypes.addressof(code))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        return False
    number = ctypes.c_long(TABLES[machine][1]["seccomp"])
    return int(libc.syscall(number, SET_MODE_FILTER, ALL_THREADS, ctypes.byref(filter))) == 0
