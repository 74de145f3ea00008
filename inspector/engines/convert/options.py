"""Options as plain data, from a form, a command line or a wire, into the edge's own type."""

from __future__ import annotations

from typing import Any

import msgspec

from inspector.engines.convert.edge import Edge, Options
from inspector.errors import ConversionError


def decode(edge: Edge, plain: dict[str, Any]) -> Options:
    """The edge's options; texts are read as what the field wants ("18" as a number, "a,b" as a list).

    Raises:
        ConversionError: A name or value is not one that the edge takes.
    """
    known = {field.encode_name: field for field in msgspec.structs.fields(edge.options)}
    for name in plain:
        if name not in known:
            takes = f"It takes {', '.join(known)}." if known else "It takes none."
            raise ConversionError(f"{edge.id} has no option {name!r}.", takes)
    ready = {name: _listed(value, known[name].type) for name, value in plain.items()}
    try:
        return msgspec.convert(ready, edge.options, strict=False)
    except msgspec.ValidationError as error:
        message, _, place = str(error).partition(" - at ")
        name = place.strip("`").removeprefix("$.") or "options"
        raise ConversionError(
            f"The option {name} of {edge.id} does not fit: {message}.", _allowed(edge, name)
        ) from error


def _listed(value: Any, type_: Any) -> Any:
    """Texts as they are typed, for the fields that msgspec does not read from one."""
    if not isinstance(value, str):
        return value
    kind = msgspec.inspect.type_info(type_)
    while isinstance(kind, msgspec.inspect.Metadata):
        kind = kind.type
    if isinstance(kind, (msgspec.inspect.VarTupleType, msgspec.inspect.ListType)):
        return [part.strip() for part in value.split(",") if part.strip()]
    if isinstance(kind, msgspec.inspect.DictType):
        try:
            return msgspec.json.decode(value)
        except msgspec.DecodeError:
            return value
    if isinstance(kind, msgspec.inspect.LiteralType):
        return next((choice for choice in kind.values if str(choice) == value), value)
    return value


def _allowed(edge: Edge, name: str) -> str:
    """What the option takes, in words."""
    field = next((field for field in msgspec.structs.fields(edge.options) if field.encode_name == name), None)
    if field is None:
        return ""
    schema = msgspec.json.schema(field.type)
    if "enum" in schema:
        return f"Choose one of: {', '.join(map(str, schema['enum']))}."
    bounds = [f"at least {schema['minimum']}"] if "minimum" in schema else []
    bounds += [f"at most {schema['maximum']}"] if "maximum" in schema else []
    return f"It must be {' and '.join(bounds)}." if bounds else f"It is: {schema.get('description', name)}"
