"""What the window and the command line ask for, and what they get: one vocabulary for both."""

from __future__ import annotations

from typing import Any

import msgspec

from inspector.engines.parity.verdict import Parity
from inspector.runtimes import Device


class ConvertRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One conversion.

    Attributes:
        source: File or folder to convert.
        target: Where the result goes.
        to: Id of the target format.
        via: Ids of the edges to use, in order; empty leaves it to the planner.
        options: Options by edge id, as plain data.
        shapes: Sizes of inputs by name, for models that do not say.
        dims: Sizes of named dims, for the proof.
        prove: Whether to prove the result.
        require_proof: Discard the result unless its verdict is same or precision.
        overwrite: Replace an existing target.
    """

    source: str
    target: str
    to: str
    via: tuple[str, ...] = ()
    options: dict[str, dict[str, Any]] = {}
    shapes: dict[str, tuple[int | str, ...]] = {}
    dims: dict[str, int] = {}
    prove: bool = True
    require_proof: bool = False
    overwrite: bool = False
    seed: int = 0


class StepDone(msgspec.Struct, frozen=True, kw_only=True):
    """One finished edge of a route; facts are what the edge found worth recording."""

    edge: str
    tool: str
    version: str
    seconds: float
    source: str = ""
    target: str = ""
    options: dict[str, Any] = {}
    facts: dict[str, str] = {}


class Tried(msgspec.Struct, frozen=True):
    """A route that was tried before the one that worked, and why it failed or was left out."""

    route: tuple[str, ...]
    edge: str
    what: str
    hint: str = ""


class Conversion(msgspec.Struct, frozen=True, kw_only=True):
    """A finished conversion: how it was made and what it is worth."""

    source: str
    target: str
    to: str
    route: tuple[StepDone, ...]
    files: tuple[str, ...]
    seconds: float
    source_sha256: str = ""
    target_sha256: str = ""
    proof: Parity | None = None
    proof_note: str = ""
    """Why there is no proof, where there is none."""
    tried: tuple[Tried, ...] = ()


class CompareRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Run the same inputs through two models.

    Attributes:
        device_a, device_b: Ids of devices; empty takes the first runtime of the format that is there, on its CPU.
        feeds: A .npz file with inputs; empty makes seeded ones.
        batches: Sizes for the batch dimension.
        rtol, atol: Tolerances of the user; None leaves them to the noise floor.
        layers: Compare what is computed inside as well, and find where the two part.
    """

    a: str
    b: str
    device_a: str = ""
    device_b: str = ""
    feeds: str = ""
    dims: dict[str, int] = {}
    shapes: dict[str, tuple[int | str, ...]] = {}
    batches: tuple[int, ...] = (1, 5)
    seed: int = 0
    rtol: float | None = None
    atol: float | None = None
    layers: bool = False


class BenchRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Measure models on devices; an empty `devices` takes every available one that accepts the model."""

    models: tuple[str, ...]
    devices: tuple[str, ...] = ()
    runs: int = 50
    batch: int = 1
    dims: dict[str, int] = {}
    shapes: dict[str, tuple[int | str, ...]] = {}
    feeds: str = ""
    threads: int = 0
    seed: int = 0


class DeviceList(msgspec.Struct, frozen=True):
    """All devices of all runtimes, the missing ones with their reasons."""

    devices: tuple[Device, ...]
