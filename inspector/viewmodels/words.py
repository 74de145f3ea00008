"""Numbers, sizes and shapes in the words of the window, the same everywhere."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from inspector.engines.summary.rows import Port, Shape

TIMES = "×"
UNKNOWN = "–"
OPEN = "?"
"""What could be known, and is not."""


def count(number: int | None) -> str:
    """`669,706`, or a dash where it is not known."""
    return UNKNOWN if number is None else f"{number:,}"


def short(number: int | None) -> str:
    """Three significant figures with a unit: `670 K`, `1.32 G`."""
    if number is None:
        return UNKNOWN
    return _scaled(number, 1000, ("", " K", " M", " G", " T", " P"))


def size(number: int | None) -> str:
    """Bytes in decimal units, as file managers count: `2.68 MB`."""
    if number is None:
        return UNKNOWN
    return _scaled(number, 1000, (" B", " kB", " MB", " GB", " TB", " PB"))


def _scaled(number: float, step: int, units: tuple[str, ...]) -> str:
    unit = 0
    while abs(number) >= step and unit < len(units) - 1:
        number /= step
        unit += 1
    if unit == 0:
        return f"{number:.0f}{units[0]}"
    digits = 0 if abs(number) >= 99.95 else 1 if abs(number) >= 9.995 else 2
    return f"{number:.{digits}f}{units[unit]}"


def shape(sizes: Shape) -> str:
    """`1×3×224×224`; names stand for themselves, `?` for what nobody knows."""
    if sizes is None:
        return "?"
    return TIMES.join("?" if dim is None else str(dim) for dim in sizes) or "scalar"


def shapes(ports: Iterable[Port]) -> str:
    """The shapes of several values, separated by commas."""
    return ", ".join(shape(port.shape) for port in ports)


def dtype(name: str) -> str:
    """The short form that tables use: `f32` for float32, other names unchanged."""
    return SHORT_DTYPES.get(name, name)


SHORT_DTYPES = {
    "float64": "f64", "float32": "f32", "float16": "f16", "bfloat16": "bf16",
    "int64": "i64", "int32": "i32", "int16": "i16", "int8": "i8", "int4": "i4",
    "uint64": "u64", "uint32": "u32", "uint16": "u16", "uint8": "u8", "uint4": "u4",
    "complex64": "c64", "complex128": "c128",
}  # fmt: skip


def port(value: Port) -> str:
    """`1×1×28×28 f32`."""
    return f"{shape(value.shape)} {dtype(value.dtype)}".strip()


def percent(part: float) -> str:
    """`60 %`, `0.4 %`, `< 0.1 %`."""
    if part <= 0:
        return "0 %"
    if part < 0.001:
        return "< 0.1 %"
    return f"{part * 100:.0f} %" if part >= 0.0995 else f"{part * 100:.1f} %"


def seconds(duration: float) -> str:
    """`12 ms`, `3.4 s`, `2 min 5 s`."""
    if duration < 1:
        return f"{duration * 1000:.0f} ms"
    if duration < 60:
        return f"{duration:.1f} s"
    return f"{int(duration // 60)} min {int(duration % 60)} s"


def ratio(value: float | None) -> str:
    """A quotient with three significant figures: `26.3`, `0.083`."""
    return UNKNOWN if value is None else f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def brief(name: str, most: int = 40) -> str:
    """A name of at most so many characters: what is too long loses its middle, since its end says what it is."""
    return name if len(name) <= most else f"{name[: most - most // 2 - 1]}…{name[-(most // 2) :]}"


def tip(text: str) -> str:
    """A text for a tooltip, which Qt would read as markup where it looks like it: names of a file may."""
    return f"<qt>{escape(text).replace(chr(10), '<br>')}</qt>" if "<" in text or "&" in text else text


def figure(value: float | int | None) -> str:
    """A statistic: whole numbers with separators, others with four significant figures."""
    if value is None:
        return UNKNOWN
    if isinstance(value, int) or (float(value).is_integer() and abs(value) < 1e15):
        return f"{int(value):,}"
    return f"{value:.4g}"
