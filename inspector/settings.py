"""What the user chose, declared once and typed, in one JSON file of the user's configuration folder.

Against QSettings: the command line and the tests read the same store without Qt, and JSON keeps types.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any, Generic, TypeVar, overload

import msgspec
from platformdirs import user_config_path

from inspector.log import topic

T = TypeVar("T")
LOG = topic("settings")


class Setting(Generic[T]):
    """One setting: a key, a default, what it means, and its type where the default alone does not tell it."""

    def __init__(self, key: str, default: T, what: str, kind: Any = None) -> None:
        self.key, self.default, self.what, self.kind = key, default, what, kind or type(default)

    @overload
    def __get__(self, owner: None, _type: type) -> Setting[T]: ...
    @overload
    def __get__(self, owner: Settings, _type: type) -> T: ...
    def __get__(self, owner: Settings | None, _type: type) -> Setting[T] | T:
        if owner is None:
            return self
        value: T = owner.stored(self.key, self.default, self.kind)
        return value

    def __set__(self, owner: Settings, value: T) -> None:
        owner.store(self.key, value)


class Settings:
    """The settings of one store."""

    theme = Setting("look.theme", "system", "system, light or dark")
    recent = Setting("files.recent", list[str](), "Files opened last, newest first", list[str])
    follow = Setting("files.follow", True, "Whether a file that changes on disk is read again by itself")
    session = Setting("files.session", list[str](), "Files open when the window closed", list[str])
    geometry = Setting("window.geometry", "", "Where the window was, as base64")
    docks = Setting("window.docks", "", "How the docks lay, as base64")
    orientation = Setting("graph.orientation", "vertical", "vertical or horizontal")
    columns = Setting(
        "layers.columns", list[str](), "Columns of the layer table; empty means the default ones", list[str]
    )
    weight_columns = Setting(
        "layers.weight_columns", list[str](), "The same of files that hold weights only", list[str]
    )
    column_order = Setting(
        "layers.column_order",
        dict[str, list[str]](),
        "Order that the user gave all columns, for tables of models and of weights",
        dict[str, list[str]],
    )
    column_widths = Setting(
        "layers.column_widths",
        dict[str, dict[str, int]](),
        "Pixels that the user gave columns, for the same two; the others are fitted",
        dict[str, dict[str, int]],
    )
    grouping = Setting("layers.grouping", "layers", "layers, operators or modules")
    depth = Setting("layers.depth", 0, "Levels of modules shown open in the layer table; 0 for all")
    shapes = Setting(
        "inputs.shapes",
        dict[str, dict[str, int]](),
        "Sizes chosen for named dimensions, by model file",
        dict[str, dict[str, int]],
    )
    input_shapes = Setting(
        "inputs.typed",
        dict[str, dict[str, list[int | str]]](),
        "Shapes typed for inputs that have none, by model file",
        dict[str, dict[str, list[int | str]]],
    )
    options = Setting(
        "convert.options", dict[str, dict[str, Any]](), "Options chosen last, by edge", dict[str, dict[str, Any]]
    )
    runs = Setting("latency.runs", 50, "Timed runs of each candidate")
    seed = Setting("parity.seed", 0, "Seed of the inputs")

    def __init__(self, file: Path | None = None) -> None:
        self._file = file or Path(
            os.environ.get("INSPECTOR_SETTINGS", "") or user_config_path("inspector") / "settings.json"
        )
        self._values: dict[str, Any] = {}
        if self._file.is_file():
            try:
                values = msgspec.json.decode(self._file.read_bytes())
                self._values = values if isinstance(values, dict) else {}
            except (msgspec.DecodeError, OSError):
                self._values = {}  # a damaged settings file must not keep the program from starting

    def stored(self, key: str, default: T, kind: Any) -> T:
        """The value under this key when it is of this type, else the default; a copy of what is kept."""
        try:
            value: T = msgspec.convert(self._values.get(key, default), kind)
        except msgspec.ValidationError:
            value = msgspec.convert(default, kind)
        return value

    def store(self, key: str, value: object) -> None:
        """Keep a value and write the store, whole or not at all; where it cannot be written it counts until the end."""
        try:
            text = msgspec.json.format(msgspec.json.encode({**self._values, key: value}))
        except UnicodeEncodeError:
            LOG.warning("%s is not kept: it holds a name that is no text", key)
            return
        self._values[key] = value
        try:
            self._write(text)
        except OSError as error:
            LOG.warning("The settings cannot be written to %s: %s", self._file, error)

    def _write(self, text: bytes) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=self._file.parent, prefix=".settings")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(text)
            Path(name).replace(self._file)
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise
