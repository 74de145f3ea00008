"""Tasks that misbehave on request: one file, found without another edit."""

from __future__ import annotations

import ctypes
import fcntl
import os
import signal
import stat
import struct
import sys
import time
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
            os.kill(os.getpid(), signal.SIGSEGV)
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
            Path(args.text).write_text(str(child))
            context.report(None, "has a child")
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
        case "home":
            return ToyResult(os.environ["HOME"] + "|" + os.environ.get("SECRET_TOKEN", "none"))
    return ToyResult("")


TASK = Task("toy", ToyArgs, ToyResult, run)
