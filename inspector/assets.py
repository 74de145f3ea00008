"""Where our own icons, palettes and samples lie: in a checkout, in a wheel, in a frozen bundle."""

from __future__ import annotations

from functools import cache
from pathlib import Path


@cache
def resources() -> Path:
    """The folder of our resources.

    A wheel carries it inside the package as `_resources`; a checkout (also an editable install) has it beside the
    package; PyInstaller unpacks the wheel's layout.
    """
    package = Path(__file__).resolve().parent
    for folder in (package / "_resources", package.parent / "resources"):
        if folder.is_dir():
            return folder
    raise FileNotFoundError("The resources of inspector are missing: the installation is damaged.")


def resource(*parts: str) -> Path:
    """One file of ours, such as `resource("icons", "inspector.svg")`."""
    return resources().joinpath(*parts)
