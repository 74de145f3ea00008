"""The hostile list: what each file tries, what was expected, what was seen, how long it took, how much memory.

python tests/hostile/table.py [NUMBER …]
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
sys.path.insert(0, str(Path(__file__).parent))

from case import Loop, cases
from witness import Witness, interrupt_as_always, tried

WIDE = 78


def main(arguments: list[str]) -> int:
    """Print it; the status says whether all is as expected."""
    interrupt_as_always()
    quick = "--quick" in arguments
    wanted = {int(argument) for argument in arguments if argument != "--quick"}
    chosen = {
        label: case
        for label, case in cases().items()
        if (not wanted or case.number in wanted) and not (quick and case.slow)
    }
    witness, good = Witness(), 0
    print(f"{'':5}{'the file':{WIDE}} {'expected':8} {'seen':8} {'s':>6} {'MB':>5}  what was said")
    with tempfile.TemporaryDirectory() as folder:
        for label, case in chosen.items():
            seen, wrong = tried(label, case, Path(folder) / label, witness)
            good += not wrong
            expected = "as said" if isinstance(case, Loop) else case.outcome
            said = seen.what or next((text for _, text, _ in seen.notes if case.says in text), case.says)
            line = f"{label:5}{_cut(case.name):{WIDE}} {expected:8} {seen.outcome:8} {seen.seconds:6.2f}"
            print(f"{line} {seen.memory_mb:5}  {'NOT AS EXPECTED: ' + wrong if wrong else said[:110]}", flush=True)
    witness.close()
    missing = [] if wanted else sorted(set(range(1, 73)) - {case.number for case in chosen.values()})
    if missing:
        print(f"No case for {', '.join(map(str, missing))}.")
    print(f"{good} of {len(chosen)} as expected")
    return 0 if good == len(chosen) and not missing else 1


def _cut(text: str) -> str:
    return text if len(text) <= WIDE else text[: WIDE - 1] + "…"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
