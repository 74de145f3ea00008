"""What a converter says about itself, and what it is given when it runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import msgspec

from inspector.ir import Dim
from inspector.needs import Need
from inspector.registry import found


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Options of an edge: a subclass with typed fields and defaults; the form is made from them.

    Titles, help and bounds stand in the annotation:
    `opset: Annotated[int, msgspec.Meta(title="Opset", description="…", ge=11, le=23)] = 18`; choices are `Literal`s.
    """


@dataclass(frozen=True, slots=True)
class Step:
    """One run of an edge, inside a worker.

    Attributes:
        source: File or folder to convert; read only.
        target: Where the result goes: a path in the private folder that does not exist yet. What is written beside it
            under names beginning with the target's name (external data) belongs to the result.
        options: An instance of the edge's `options` type.
        shapes: Sizes for inputs whose dynamic dims must be known, by input name.
        report: Call it with a fraction (None: unknown) and a word of what is going on.
    """

    source: Path
    target: Path
    options: Any
    shapes: dict[str, tuple[Dim, ...]] = field(default_factory=dict)
    report: Callable[[float | None, str], None] = lambda fraction, text: None


def nothing_in_the_way(source: Path, options: Any) -> tuple[str, ...]:
    """A preflight that finds nothing: the converter says by itself what it cannot do."""
    return ()


@dataclass(frozen=True, slots=True)
class Edge:
    """A converter from one format to another.

    Attributes:
        id: Module name, such as `torch_export_to_onnx`; used with `--via`.
        source: Id of the format read.
        target: Id of the format written.
        tool: The package that does it, for people: "torch.onnx".
        run: Converts; returns facts worth recording (what was renamed, the opset read back). Raises ConversionError.
        options: Type of its options.
        needs: Packages that must be installed.
        cost: What the planner adds up: 1 for a faithful converter; more for a lossy, slow or brittle one.
        suffix: Suffix of the result; empty for a folder.
        preflight: Sentences that say what it cannot convert, found before it starts, in a worker; empty when all is
            well.
        packages: Distributions whose versions are recorded with the result.
    """

    id: str
    source: str
    target: str
    tool: str
    run: Callable[[Step], dict[str, str]]
    options: type[Options] = Options
    needs: tuple[Need, ...] = ()
    cost: float = 1.0
    suffix: str = ""
    preflight: Callable[[Path, Any], tuple[str, ...]] = nothing_in_the_way
    packages: tuple[str, ...] = ()

    def missing(self) -> str:
        """Why it cannot run here, or an empty string."""
        return next((reason for need in self.needs if (reason := need.missing())), "")


def edges() -> dict[str, Edge]:
    """Every edge by id."""
    return cast("dict[str, Edge]", found("inspector.engines.convert.edges", "EDGE"))
