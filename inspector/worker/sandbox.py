"""Fencing the worker in before it sees a byte of a file; the levels are words shown in the window.

| role | may read | may write | sockets, programs |
|---|---|---|---|
| document | its libraries, the roots of its model | nothing | no |
| layout | its libraries | nothing | no |
| run | everything the user may | its folder of jobs, devices | no |

A run worker may read because a warm spare is fenced in long before its job, and with it its model, is known; without
sockets it cannot tell anybody, and what it writes stays in the private folder until the window has looked at it.

Linux gives two barriers (Landlock for files, seccomp for the rest) and resource limits. macOS gives one that is called
deprecated, so its doors are tried before it is believed. Windows limits memory and allows no second process, but keeps
files and the network in reach. What is not in force is not claimed.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]
SYSTEM = (
    "/usr", "/lib", "/lib64", "/lib32", "/opt/cuda", "/etc/ld.so.cache", "/etc/localtime", "/etc/timezone",
    "/proc/self", "/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/proc/version", "/proc/filesystems",
    "/proc/sys/vm/overcommit_memory", "/sys/devices/system", "/dev/urandom", "/dev/random", "/dev/zero",
)  # fmt: skip
"""What the interpreter and its libraries read of the system; nothing of it is the user's."""
DEVICES = ("/dev/null", "/dev/zero", "/dev/kfd", "/dev/nvidia*", "/dev/dri/*", "/dev/nvidia-caps/*")
FULL, FILES, CALLS = "full", "files only", "network and programs only"
PROGRAMS, NONE = "programs and memory only", "process only"


def fence(role: str, memory: int = 0, reads: Iterable[Path] = (), folder: Path | None = None) -> str:
    """Limit this process for its role, for good, and say how well it is protected.

    Args:
        role: document, layout or run.
        memory: Bytes of address space; 0 leaves it unlimited.
        reads: Roots of the model, for a document worker.
        folder: The private folder of a run worker; the folder that holds it and its siblings may be written.

    Returns:
        One of the levels: full, files only, network and programs only, programs and memory only, process only.
    """
    writes, system = role == "run", str(sys.platform)
    _limit(memory, writes)
    own = [folder.parent] if folder is not None else []
    readable = None if writes else [*libraries(), *reads]
    if system == "win32":
        from inspector.worker import _job_object

        return PROGRAMS if _job_object.restrict(memory) else NONE
    if system == "darwin":
        from inspector.worker import _seatbelt

        real = None if readable is None else [path.resolve() for path in readable]
        taken = _seatbelt.restrict(_seatbelt.profile(real, [path.resolve() for path in own]))
        return _level(*_doors(writes)) if taken else NONE
    if system != "linux" or _threads() > 1:
        return NONE  # Landlock binds only the calling thread: a promise for one of several would be none
    from inspector.worker import _landlock, _seccomp

    proc = [Path("/proc/self")] if own else []
    files = _landlock.restrict(readable, own + proc, devices() if writes else [Path("/dev/null")])
    return _level(files, _seccomp.install(writes))


def _level(files: bool, calls: bool) -> str:
    return {(True, True): FULL, (True, False): FILES, (False, True): CALLS}.get((files, calls), NONE)


def _doors(reads: bool) -> tuple[bool, bool]:
    """Whether files, and whether network and programs, are out of reach: by trying."""
    probe = Path("/tmp", f".inspector-{os.getpid()}.probe")  # noqa: S108 - made only where the fence does not hold
    files = _denied(lambda: os.close(os.open(probe, os.O_WRONLY | os.O_CREAT)))
    if not files:
        probe.unlink(missing_ok=True)
    files = files and (reads or _denied(lambda: next(Path.home().iterdir(), None)))
    return files, _denied(_call) and _denied(_start)


def _call() -> None:
    """Ask for a port."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.bind(("127.0.0.1", 0))


def _start() -> None:
    """Start a program that does nothing."""
    os.waitpid(os.posix_spawn("/usr/bin/true", ["true"], {}), 0)


def _denied(attempt: Callable[[], object]) -> bool:
    """Whether the system refuses it."""
    try:
        attempt()
    except PermissionError:
        return True
    except OSError:
        return False
    return False


def libraries() -> list[Path]:
    """The interpreter, the packages it sees, this package and its resources, and the system's libraries."""
    prefixes = {sys.prefix, sys.base_prefix, sys.exec_prefix}
    checkout = PACKAGE.parent
    plugins = filter(None, os.environ.get("INSPECTOR_PLUGINS", "").split(os.pathsep))
    paths = [Path(path) for path in (*prefixes, *sys.path, *plugins) if path]
    ours = [PACKAGE, checkout / "resources"]
    return [*ours, *(path for path in paths if path.resolve() != checkout), *map(Path, SYSTEM)]


def devices() -> list[Path]:
    """Devices that a framework opens, where they are there."""
    root = Path("/")
    return [path for pattern in DEVICES for path in root.glob(pattern.lstrip("/"))]


def _limit(memory: int, writes: bool) -> None:
    if sys.platform == "win32":
        return
    import resource

    wanted = {"CORE": 0} | ({"AS": memory} if memory else {}) | ({} if writes else {"FSIZE": 0, "NOFILE": 256})
    for name, value in wanted.items():
        kind = getattr(resource, f"RLIMIT_{name}")
        hard = resource.getrlimit(kind)[1]
        least = value if hard == resource.RLIM_INFINITY else min(value, hard)  # ours may not be above the user's own
        try:
            resource.setrlimit(kind, (least, least))
        except (ValueError, OSError) as error:  # macOS refuses some; a worker without the limit is better than none
            print(f"The limit {name} could not be set: {error}", file=sys.stderr)  # noqa: T201 - a worker's log


def _threads() -> int:
    """Threads of this process, those of native libraries included."""
    try:
        return sum(1 for _ in Path("/proc/self/task").iterdir())
    except OSError:
        return 1
