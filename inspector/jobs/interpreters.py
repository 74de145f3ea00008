"""How a worker is started: which interpreter, with which arguments, in which environment.

Workers run with `-I` and an environment of their own: nothing that the user's shell, a folder or a user site sets may
change what they import. Where our interpreter uses the user's site-packages, they are added explicitly.
"""

from __future__ import annotations

import os
import site
import sys
from pathlib import Path

PACKAGE_ROOT = Path(__file__).resolve().parents[2]
KEPT = (
    "PATH",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "SYSTEMROOT",
    "CUDA_VISIBLE_DEVICES",
    "LD_LIBRARY_PATH",
    "INSPECTOR_PLUGINS",
)
"""Variables that pass through; everything else of the user's environment stays behind."""


POOLS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
"""Threads that numpy's libraries would start when imported; a document worker must have one when it is fenced in."""


def command(role: str, folder: Path | None, memory: int = 0, warm: tuple[str, ...] = ()) -> tuple[str, list[str]]:
    """Program and arguments of a worker."""
    arguments = ["--worker", role]
    if folder is not None:
        arguments += ["--folder", str(folder)]
    if memory:
        arguments += ["--memory", str(memory)]
    if warm:
        arguments += ["--warm", ",".join(warm)]
    if getattr(sys, "frozen", False):
        return sys.executable, arguments
    paths = [str(PACKAGE_ROOT)]
    if site.ENABLE_USER_SITE and site.getusersitepackages() in sys.path:
        paths.append(site.getusersitepackages())
    start = f"import sys; sys.path[:0] = {paths!r}; from inspector.__main__ import main; sys.exit(main())"
    return sys.executable, ["-I", "-c", start, *arguments]


def environment(folder: Path | None) -> dict[str, str]:
    """The worker's environment: what it needs of ours, and its home in its private folder."""
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    home = str(folder) if folder is not None else os.devnull
    if folder is None:
        kept |= dict.fromkeys(POOLS, "1")
    return kept | {
        "HOME": home,
        "USERPROFILE": home,
        "TMPDIR": home,
        "TEMP": home,
        "KERAS_HOME": home,
        "XDG_CACHE_HOME": home,
        "TORCHINDUCTOR_CACHE_DIR": home,
        "KERAS_BACKEND": "tensorflow",
        "TF_CPP_MIN_LOG_LEVEL": "2",
        "TF_ENABLE_ONEDNN_OPTS": os.environ.get("TF_ENABLE_ONEDNN_OPTS", "1"),
        "PYTHONUTF8": "1",
    }
