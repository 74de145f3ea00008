"""`inspector doctor`: is this installation whole, and what does it offer?"""

from __future__ import annotations

import argparse
import platform
import sys

from inspector import __version__, needs
from inspector.cli.words import print_json, table
from inspector.needs import Need

FLOORS = {
    "PySide6_Essentials": "6.8",
    "onnx": "1.21",
    "onnxruntime": "1.31",
    "torch": "2.10",
    "tensorflow": "2.21",
    "keras": "3.15",
    "ai-edge-litert": "2.3",
    "safetensors": "0.8",
    "h5py": "3.14",
}
"""Lowest versions that we support; those below had known holes or other behaviour."""


def add(parser: argparse.ArgumentParser) -> None:
    """Add its arguments."""
    parser.add_argument("--json", action="store_true", help="one JSON object")


def run(args: argparse.Namespace) -> int:
    """Print the findings; the status is 0 when the viewer is whole."""
    from inspector.engines.convert.edge import edges
    from inspector.jobs.terminal import ask_protection

    wants = [v for v in vars(needs).values() if isinstance(v, Need)]
    packages = [{"name": n.package, "version": version(n), "missing": n.missing()} for n in wants]
    low = [
        f"{name} {v} is below {floor}"
        for name, floor in FLOORS.items()
        if (v := needs.version_of(name)) and older(v, floor)
    ]
    blocked = {edge.id: edge.missing() for edge in edges().values() if edge.missing()}
    report = {
        "inspector": __version__,
        "python": platform.python_version(),
        "system": platform.platform(),
        "protection": ask_protection(),
        "packages": packages,
        "below_floor": low,
        "converters_missing": blocked,
        "path": sys.executable,
    }
    if args.json:
        print_json(report)
    else:
        print(f"Inspector {__version__} on Python {report['python']}, {report['system']}")
        print(f"Protection while reading files: {report['protection']}\n")
        print(table(("package", "version", ""), [(p["name"], p["version"] or "–", p["missing"]) for p in packages]))
        for line in [*low, *(f"{id}: {why}" for id, why in blocked.items())]:
            print(line)
    return 2 if low else 0


def version(need: Need) -> str:
    """Its version, or "installed" where its package does not say."""
    return needs.version_of(need.package) or ("" if need.missing() else "installed")


def older(version: str, floor: str) -> bool:
    """Whether a version is below another, by its first two numbers."""

    def key(text: str) -> tuple[int, ...]:
        return tuple(int(part) for part in text.split("+")[0].split(".")[:2] if part.isdecimal())

    return key(version) < key(floor)
