"""What a worker can still do, tried from within: one line an attempt, one column a role.

python tests/hostile/probes.py
"""

from __future__ import annotations

import importlib.util
import os
import platform
import sys
import tempfile
from pathlib import Path
from types import ModuleType

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
TOYS = Path(__file__).parents[1] / "toys"
WORDS = {
    "read-inside": "read a file of the model's folder",
    "read-outside": "read another file of the user",
    "read-passwd": "read /etc/passwd",
    "list-home": "list the home folder",
    "parent-environ": "read the window's environment",
    "write-inside": "write into the model's folder",
    "truncate-outside": "cut off a file of the user",
    "remove-outside": "remove a file of the user",
    "write-tmp": "write into /tmp",
    "chmod-outside": "change the rights of a file",
    "link-outside": "make a link",
    "tcp": "connect over TCP",
    "udp": "open a UDP socket",
    "unix": "open a Unix socket",
    "netlink": "open a netlink socket",
    "program": "start a program",
    "kill-parent": "signal the window",
    "user-namespace": "enter a user namespace",
    "ptrace": "trace a process",
    "io-uring": "open an io_uring",
    "memory": "take 64 GiB of memory",
}


def toy() -> ModuleType:
    """The task that tries; the program finds it in the folder of toys."""
    spec = importlib.util.spec_from_file_location("toy_types_probes", TOYS / "tasks" / "toy.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def probed(base: Path) -> dict[str, set[str]]:
    """What each role could do, with fresh files for each."""
    os.environ["INSPECTOR_PLUGINS"] = str(TOYS)
    from inspector.jobs.recipe import Ask, Recipe, Start
    from inspector.jobs.terminal import ask_worker, run
    from inspector.worker.tasks.open import TASK as OPEN
    from inspector.worker.tasks.open import OpenArgs

    task = toy()

    def files(role: str) -> tuple[Path, str]:
        folder = base / role / "model"
        folder.mkdir(parents=True)
        inside = folder / "model.onnx"
        inside.write_bytes((Path(__file__).parents[2] / "resources/samples/digits_cnn.onnx").read_bytes())
        outside = base / role / "secret"
        outside.write_bytes(b"secret")
        return inside, f"{inside}|{outside}"

    def recipe(text: str) -> Recipe[str]:
        worker = yield Start("Probing")
        return (yield Ask(worker, task.TASK, task.ToyArgs("probe", text))).text

    inside, text = files("document")
    asks = [(OPEN, OpenArgs(path=str(inside))), (task.TASK, task.ToyArgs("probe", text))]
    found = {"document": set(ask_worker("document", asks)[1].text.split())}
    found["layout"] = set(
        ask_worker("layout", [(task.TASK, task.ToyArgs("probe", files("layout")[1]))])[0].text.split()
    )
    found["run"] = set(run(recipe(files("run")[1])).split())
    found["no fence"] = {name for name, attempt in task.probes(files("none")[1]) if task.allowed(attempt)}
    return found


def main() -> int:
    """Print the table."""
    from inspector.jobs.terminal import ask_protection

    user = f", user {os.getuid()}" if hasattr(os, "getuid") else ""
    print(f"{platform.system()} {platform.release()} {platform.machine()}{user}")
    print(f"level of protection of a document worker: {ask_protection()}")
    with tempfile.TemporaryDirectory() as folder:
        found = probed(Path(folder))
    print(f"{'attempt':36}" + "".join(f"{role:>12}" for role in found))
    for name, words in WORDS.items():
        print(f"{words:36}" + "".join(f"{'ALLOWED' if name in can else 'denied':>12}" for can in found.values()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
