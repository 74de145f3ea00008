"""The folder is the registry: every module of a package that carries one constant.

Adding a format, an edge, a runtime or a task is adding one file; no list is edited. Modules are imported by name, so
that the import contracts hold: who asks the registry does not import the modules it finds.

Against entry points: built-ins listed in `pyproject.toml` would be a second place to edit. Other folders can be added
with the environment variable INSPECTOR_PLUGINS (folders separated like PATH, each with sub-folders named `formats`,
`edges`, `runtimes` or `tasks`), which is how the tests add toys without touching the tree.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType
from typing import Protocol

from inspector.errors import InspectorError

PLUGINS = "INSPECTOR_PLUGINS"
PREFIX = "inspector_plugin_"


class Registered(Protocol):
    """Anything with an identifier can be registered."""

    @property
    def id(self) -> str:
        """The name by which users and other modules refer to it."""


@cache
def found(package: str, constant: str) -> dict[str, Registered]:
    """Everything that the modules of `package` put in `constant`, by id and sorted by module name.

    Raises:
        ValueError: Two modules use the same id.
        InspectorError: A file of INSPECTOR_PLUGINS cannot be used.
    """
    result: dict[str, Registered] = {}
    for module in _modules(package):
        if not hasattr(module, constant) and module.__name__.startswith(PREFIX):
            raise InspectorError(
                f"The plug-in {module.__file__} has no {constant}.", f"Mend it, or take its folder out of {PLUGINS}."
            )
        item: Registered = getattr(module, constant)
        if item.id in result:
            raise ValueError(f"Two modules of {package} share the id {item.id!r}.")
        result[item.id] = item
    return result


def names(package: str) -> list[str]:
    """Full names of the modules that `found` would import, so that they can be imported one at a time."""
    paths = import_module(package).__path__
    return [f"{package}.{name}" for name in sorted(m.name for m in iter_modules(paths) if not m.name.startswith("_"))]


def _modules(package: str) -> Iterator[ModuleType]:
    for name in names(package):
        yield import_module(name)
    folder = package.rpartition(".")[2]
    for root in filter(None, os.environ.get(PLUGINS, "").split(os.pathsep)):
        for file in sorted(Path(root, folder).glob("[!_]*.py")):
            yield _from_file(f"{PREFIX}{folder}_{file.stem}", file)


def _from_file(name: str, file: Path) -> ModuleType:
    spec = spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ImportError(f"{file} is not a Python module.")
    module = module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise InspectorError(
            f"The plug-in {file} cannot be imported: {type(error).__name__}: {error}.",
            f"Mend it, or take its folder out of {PLUGINS}.",
        ) from error
    return module
