"""Options of a converter as fields of a form, read off the types that declare them.

An edge's `Options` is a msgspec Struct; what msgspec checks when the options arrive in the worker is what the form
offers, so the two cannot differ. Titles, help and bounds stand in the annotations.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import msgspec
from msgspec import inspect

Kind = Literal["switch", "choice", "whole", "number", "text", "words", "table"]


@dataclass(frozen=True, slots=True)
class Field:
    """One field.

    Attributes:
        name: Of the option.
        kind: switch (bool), choice (Literal), whole (int), number (float), text (str), words (several, comma
            separated), table (a mapping, as JSON).
        title: For people.
        help: One or two sentences; may be empty.
        default: The option's default.
        low, high: Bounds of whole and number; None where there is none.
        choices: What a choice offers, in order.
        optional: Whether None is allowed: an empty field means it.
    """

    name: str
    kind: Kind
    title: str
    help: str
    default: Any
    low: float | None = None
    high: float | None = None
    choices: tuple[Any, ...] = ()
    optional: bool = False


def fields_of(options: type[msgspec.Struct]) -> tuple[Field, ...]:
    """The fields of an options type in the order of their declaration, without those a form cannot ask for."""
    info = inspect.type_info(options)
    assert isinstance(info, inspect.StructType)
    hints = get_type_hints(options, include_extras=True)
    made = (_field(field, hints[field.name]) for field in info.fields)
    return tuple(field for field in made if field is not None)


def with_defaults(fields: tuple[Field, ...], chosen: dict[str, Any]) -> dict[str, Any]:
    """A value for every field: the chosen one where it fits, else the default."""
    return {
        field.name: chosen[field.name] if fits(field, chosen.get(field.name)) else field.default for field in fields
    }


def fits(field: Field, value: Any) -> bool:
    """Whether a value may stand in a field: remembered options may be of another version."""
    if value is None:
        return False
    match field.kind:
        case "switch":
            return isinstance(value, bool)
        case "choice":
            return value in field.choices
        case "whole" | "number":
            numeric = isinstance(value, int | float) and not isinstance(value, bool)
            return numeric and (field.low is None or value >= field.low) and (field.high is None or value <= field.high)
        case "text":
            return isinstance(value, str)
        case "words":
            return isinstance(value, list | tuple) and all(isinstance(word, str) for word in value)
        case "table":
            return isinstance(value, dict)


def changed(fields: tuple[Field, ...], values: dict[str, Any]) -> dict[str, Any]:
    """Those values that are not the default: what is sent and remembered."""
    return {
        field.name: list(values[field.name]) if field.kind == "words" else values[field.name]
        for field in fields
        if field.name in values and not _same(values[field.name], field.default)
    }


def _same(value: Any, default: Any) -> bool:
    return (
        tuple(value) == tuple(default) if isinstance(default, tuple | list) and value is not None else value == default
    )


def _field(field: inspect.Field, hint: Any) -> Field | None:
    kind = field.type
    extra: dict[str, Any] = {}
    optional = False
    while isinstance(kind, inspect.Metadata | inspect.UnionType):
        if isinstance(kind, inspect.Metadata):
            extra |= kind.extra_json_schema or {}
            kind = kind.type
            continue
        rest = [part for part in kind.types if not isinstance(part, inspect.NoneType)]
        optional = len(rest) < len(kind.types)
        if len(rest) != 1:
            return None
        kind = rest[0]
    default = _default(field)
    found = _kind(kind)
    if found is None:
        return None
    name, low, high, choices = found
    choices = _as_written(hint) or choices
    title = extra.get("title") or field.name.replace("_", " ").capitalize()
    return Field(field.name, name, title, extra.get("description", ""), default, low, high, choices, optional)


def _as_written(hint: Any) -> tuple[Any, ...]:
    """The choices of a Literal in the order of the source, which msgspec does not keep; empty for other types."""
    if get_origin(hint) is Literal:
        return get_args(hint)
    parts = get_args(hint)[:1] if get_origin(hint) is Annotated else get_args(hint)
    return next((found for part in parts if (found := _as_written(part))), ())


def _kind(kind: inspect.Type) -> tuple[Kind, float | None, float | None, tuple[Any, ...]] | None:
    match kind:
        case inspect.BoolType():
            return "switch", None, None, ()
        case inspect.LiteralType():
            return "choice", None, None, tuple(kind.values)
        case inspect.EnumType():
            return "choice", None, None, tuple(member.value for member in kind.cls)
        case inspect.IntType():
            low = kind.ge if kind.ge is not None else None if kind.gt is None else kind.gt + 1
            high = kind.le if kind.le is not None else None if kind.lt is None else kind.lt - 1
            return "whole", low, high, ()
        case inspect.FloatType():
            return (
                "number",
                kind.ge if kind.ge is not None else kind.gt,
                kind.le if kind.le is not None else kind.lt,
                (),
            )
        case inspect.StrType():
            return "text", None, None, ()
        case inspect.VarTupleType() | inspect.ListType() if isinstance(_bare(kind.item_type), inspect.StrType):
            return "words", None, None, ()
        case inspect.DictType():
            return "table", None, None, ()
        case _:
            return None


def _bare(kind: inspect.Type) -> inspect.Type:
    return _bare(kind.type) if isinstance(kind, inspect.Metadata) else kind


def _default(field: inspect.Field) -> Any:
    if field.default is not msgspec.NODEFAULT:
        return field.default
    return field.default_factory() if field.default_factory is not msgspec.NODEFAULT else None
