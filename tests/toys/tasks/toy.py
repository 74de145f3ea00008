"""Tasks that misbehave on request: one file, found without another edit."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import platform
import socket
import stat
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from inspector.errors import InspectorError
from inspector.worker.tasks import Context, Task


class ToyArgs(msgspec.Struct, frozen=True):
    what: str
    text: str = ""


class ToyResult(msgspec.Struct, frozen=True):
    text: str
    pid: int = 0


def private_stdout() -> int:
    """The worker's copy of its stdout: the one pipe above 2 that can be written."""
    for fd in range(3, 256):
        try:
            mode, flags = os.fstat(fd).st_mode, fcntl.fcntl(fd, fcntl.F_GETFL)
        except OSError:
            continue
        if (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)) and flags & os.O_ACCMODE != os.O_RDONLY:
            return fd
    raise AssertionError("no private stdout")


def probes(text: str) -> list[tuple[str, Callable[[], object]]]:
    """What a worker may try; `text` is a file of the model's folder and one outside, apart by a bar."""
    inside, outside = map(Path, text.split("|"))
    return [
        ("read-inside", inside.read_bytes),
        ("read-outside", outside.read_bytes),
        ("read-passwd", Path("/etc/passwd").read_bytes),
        ("list-home", lambda: list(Path("/root").iterdir())),
        ("parent-environ", Path(f"/proc/{os.getppid()}/environ").read_bytes),
        ("write-inside", lambda: inside.with_name("written").write_bytes(b"x")),
        ("truncate-outside", lambda: os.truncate(outside, 0)),
        ("remove-outside", outside.unlink),
        ("write-tmp", lambda: Path("/tmp/inspector-probe").write_bytes(b"x")),
        ("chmod-outside", lambda: outside.chmod(0o600)),
        ("link-outside", lambda: inside.with_name("link").symlink_to(outside)),
        ("tcp", lambda: socket.create_connection(("127.0.0.1", 9), 1)),
        ("udp", lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM)),
        ("unix", lambda: socket.socket(socket.AF_UNIX)),
        ("netlink", lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)),
        ("program", lambda: subprocess.run(["/bin/true"], check=True)),
        ("kill-parent", lambda: os.kill(os.getppid(), 0)),
        ("user-namespace", lambda: unshare(0x10000000)),
        ("ptrace", lambda: system_call("ptrace", 0, 0, 0, 0)),
        ("io-uring", lambda: system_call("io_uring_setup", 1, 0)),
        ("memory", lambda: bytearray(64 << 30)),
    ]


def unshare(flags: int) -> None:
    system_call("unshare", flags)


def system_call(name: str, *arguments: int) -> None:
    from inspector.worker._seccomp import TABLES

    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syscall(ctypes.c_long(TABLES[platform.machine()][1][name]), *arguments) < 0:
        error = ctypes.get_errno()
        if error == errno.EPERM:
            raise PermissionError(name)


def allowed(attempt: Callable[[], object]) -> bool:
    try:
        attempt()
    except (PermissionError, MemoryError):
        return False
    except OSError as error:
        return error.errno not in {errno.EPERM, errno.EACCES}
    return True


def run(args: ToyArgs, context: Context) -> ToyResult:
    match args.what:
        case "echo":
            context.report(0.5, "half way")
            return ToyResult(args.text, os.getpid())
        case "noise":
            print("a framework prints this on stdout")
            os.write(1, b"and C++ prints this\n")
            return ToyResult("quiet", os.getpid())
        case "fail":
            raise InspectorError("It cannot be done.", "Do something else.")
        case "bug":
            raise KeyError("lost")
        case "segfault":
            ctypes.string_at(0)
        case "abort":
            os.abort()
        case "exit":
            os._exit(3)
        case "memory":
            return ToyResult(str(len(bytearray(64 << 30))))
        case "hold":
            context.report(None, "holding the GIL")
            ctypes.PyDLL(None).sleep(60)  # PyDLL keeps the GIL: nothing in this process can run
        case "sleep":
            context.report(None, "sleeping")
            time.sleep(60)
        case "child":
            child = os.fork()
            if child == 0:
                time.sleep(60)
                os._exit(0)
            context.report(None, f"has the child {child}")
            time.sleep(60)
        case "flood":
            for _ in range(2000):
                sys.stderr.write("x" * 50_000)
            return ToyResult("flooded")
        case "large":
            return ToyResult("x" * (65 << 20))
        case "lie":
            os.write(private_stdout(), b"\xff\xff\xff\xffnot the protocol")
            time.sleep(60)
        case "nonsense":
            os.write(private_stdout(), struct.pack(">I", 5) + b"\x01\x02\x03\x04\x05")
            time.sleep(60)
        case "probe":
            return ToyResult(" ".join(name for name, attempt in probes(args.text) if allowed(attempt)))
        case "home":
            return ToyResult(os.environ["HOME"] + "|" + os.environ.get("SECRET_TOKEN", "none"))
    return ToyResult("")


TASK = Task("toy", ToyArgs, ToyResult, run)
