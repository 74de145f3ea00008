"""Runs one loop in a process of its own, so that a file that ends it ends no test: `loop.py LABEL FOLDER`."""

from __future__ import annotations

import json
import os
import sys
import warnings
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
sys.path.insert(0, str(Path(__file__).parent))

from case import Loop, cases


def main(label: str, folder: str) -> None:
    """Print what was seen, or what is wrong; ends as a worker does, without the endings of native libraries."""
    warnings.simplefilter("error")
    case = cases()[label]
    assert isinstance(case, Loop)
    told = {"seen": "", "wrong": ""}
    try:
        told["seen"] = case.run(Path(folder))
    except AssertionError as error:
        told["wrong"] = str(error)[:3000] or "an assertion failed"
    print(json.dumps(told), flush=True)
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
