"""Open a model in a runtime on a device, and keep it open for the asks that follow."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from time import perf_counter

import msgspec

from inspector.errors import FormatError, RuntimeFailure
from inspector.formats import Source, formats, identify
from inspector.ir import BITS, Model, Role
from inspector.runtimes import Spec, runtimes
from inspector.worker.tasks._task import Context, Task

SESSION = "session"
"""Key of the open Runtime in the worker's state."""


class SessionOpenArgs(msgspec.Struct, frozen=True):
    """What to open where.

    Attributes:
        device: Id of a device, such as `torch:cpu`.
        format: Id of the file's format; found from its bytes when empty.
        again: Open the same model afresh; what our reader knows of it is not asked for a second time.
    """

    path: str
    runtime: str
    device: str
    threads: int = 0
    format: str = ""
    again: bool = False


class SessionOpened(msgspec.Struct, frozen=True):
    """An open model.

    Attributes:
        numbers: Format that most of its weights are stored in, such as float32 or int8; empty when unknown.
    """

    inputs: tuple[Spec, ...]
    outputs: tuple[Spec, ...]
    facts: dict[str, str]
    load_ms: float
    format: str
    numbers: str = ""


def run(args: SessionOpenArgs, context: Context) -> SessionOpened:
    """Open it, in place of what this worker may have open already."""
    kind = runtimes()[args.runtime]
    path = Path(args.path)
    format_id = args.format or identify(Source(path)).id
    if format_id not in kind.accepts:
        title = formats()[format_id].title if format_id in formats() else format_id
        raise RuntimeFailure(
            f"{kind.title} does not run {title} files.", hint=f"It runs: {', '.join(kind.accepts)}. Convert it first."
        )
    context.report(None, f"Opening {path.name} in {kind.title}")
    old = context.state.pop(SESSION, None)
    if old is not None:
        old.close()
    session = kind(path, args.device, args.threads, format_id)
    start = perf_counter()
    session.open()
    load_ms = (perf_counter() - start) * 1000
    context.state[SESSION] = session
    model = None if args.again else _read(path, format_id)
    if model is not None:
        session.inputs = _completed(session.inputs, model)
    return SessionOpened(
        session.inputs, session.outputs, session.facts(), load_ms, format_id, stored_as(model) if model else ""
    )


def _read(path: Path, format_id: str) -> Model | None:
    """The file as our reader sees it, for what the runtime does not tell; a runtime may run what it cannot read."""
    known = formats().get(format_id)
    try:
        return known.read(Source(path)) if known else None
    except FormatError:
        return None


def _completed(specs: tuple[Spec, ...], model: Model) -> tuple[Spec, ...]:
    """Shapes and dtypes that the runtime does not tell, from the file (TorchScript knows none but may hold traces)."""
    if not model.signatures:
        return specs
    values = model.signatures[0].inputs
    by_name = {value.name: value for value in values}
    if len(values) == len(specs):
        by_name = {spec.name: value for spec, value in zip(specs, values)} | by_name
    return tuple(
        Spec(spec.name, spec.dtype or by_name[spec.name].dtype, by_name[spec.name].shape)
        if spec.shape is None and spec.name in by_name
        else spec
        for spec in specs
    )


def stored_as(model: Model) -> str:
    """The format that most of the weights' bytes are in; whole numbers count where they are a byte or less."""
    bits: Counter[str] = Counter()
    for tensor in model.tensors.values():
        number = tensor.dtype.startswith(("float", "bfloat", "complex")) or 0 < BITS.get(tensor.dtype, 0) <= 8
        if tensor.role in (Role.WEIGHT, Role.BUFFER, Role.CONSTANT) and number and tensor.dtype != "bool":
            bits[tensor.dtype] += tensor.count
    return bits.most_common(1)[0][0] if bits else ""


TASK = Task("session_open", SessionOpenArgs, SessionOpened, run)
