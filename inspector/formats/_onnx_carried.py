"""What the loops of an ONNX model carry from run to run, where their bodies do not say its shape.

onnx's inference takes for granted that a shape may change with every run, and then knows nothing of the whole body.
Here it is asked what a body gives where it gets what enters the first run: sizes that come out as they went in are
those of every run; others are left open, and it is asked again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from inspector.formats import _onnx_mistakes as mistakes
from inspector.formats._onnx_loops import taken_by
from inspector.formats._onnx_moves import as_tensor
from inspector.formats._onnx_open import UNKNOWN, every_dim
from inspector.formats._onnx_scope import Scope, shape_of, type_proto
from inspector.formats._onnx_steps import inferred
from inspector.formats._onnx_types import text
from inspector.ir import Shape

TRIALS = 3


def carry(node: Any, body: Any, here: Scope, model: Any, named: Callable[[], str], walk: Callable[[Any], bool]) -> bool:
    """Give a body the shapes of what it carries and all that follows; whether that was possible.

    Args:
        node: The Loop.
        body: Its GraphProto.
        here: What is known around it.
        model: The ModelProto that it belongs to.
        named: Gives a new name for a size of which nothing is known.
        walk: Finds what more follows in an inferred ModelProto; False where no more of that is done.
    """
    states = len(node.input) - 2
    if states < 1 or len(body.input) != states + 2 or len(body.output) <= states:
        return False
    kinds = [here.kind(name) for name in node.input[2:]]
    assumed = [here.shape(name) if kind else None for name, kind in zip(node.input[2:], kinds, strict=True)]
    declared = [shape_of(info.type) for info in body.input[2:]]
    if not any(a is not None and (d is None or None in d) for a, d in zip(assumed, declared, strict=True)):
        return False
    for _ in range(TRIALS):
        told = inferred(_alone(body, here, model, list(zip(kinds, assumed, strict=True))), follows=True)
        if told is None:
            return False
        mistakes.show(told)
        if not walk(told):
            return False
        types = {info.name: info.type for info in told.graph.output if info.type.WhichOneof("value")}
        given = [shape_of(types[info.name]) if info.name in types else None for info in body.output[1 : states + 1]]
        wider = [_wider(a, b) for a, b in zip(assumed, given, strict=True)]
        if wider == assumed:
            _rename(told.graph, body, here, assumed, named)
            _adopt(body, told.graph)
            return True
        assumed = wider
    return False


def _wider(taken: Shape | None, given: Shape | None) -> Shape | None:
    """What of a shape a run leaves as it is."""
    if taken is None or given is None or len(taken) != len(given):
        return None
    return tuple(a if a == b else None for a, b in zip(taken, given, strict=True))


def _alone(body: Any, here: Scope, model: Any, states: list[tuple[int, Shape | None]]) -> Any:
    """The body as a model of its own, which takes all that it uses."""
    import onnx

    made = onnx.ModelProto(ir_version=max(model.ir_version, 8))
    made.opset_import.extend(model.opset_import)
    made.functions.extend(model.functions)
    made.graph.CopyFrom(body)
    for info, (kind, shape) in zip(made.graph.input[2:], states, strict=True):
        if kind and shape is not None:
            info.type.CopyFrom(type_proto(kind, shape))
    for info, kind in zip(made.graph.input[:2], (onnx.TensorProto.INT64, onnx.TensorProto.BOOL), strict=True):
        info.type.CopyFrom(type_proto(kind, ()))
    for name in sorted(taken_by(body)):
        known, value = here.type(name) if name else None, here.value(name) if name else None
        tensor = None if known is None or value is None else as_tensor(value, here.kind(name), name)
        if tensor is not None:
            made.graph.initializer.append(tensor)
        elif known is not None:
            made.graph.input.add(name=name).type.CopyFrom(known)
    mistakes.hide(made)
    return made


def _rename(graph: Any, body: Any, here: Scope, assumed: list[Shape | None], named: Callable[[], str]) -> None:
    """Give names of unknown sizes that begin in a body others that nothing else in the model has."""
    known = {dim for name in taken_by(body) for dim in here.shape(name) or ()}
    known.update(dim for shape in assumed for dim in shape or ())
    known.update(text(dim.dim_param) for info in (*body.input, *body.output) for dim in _dims(info))
    new: dict[str, str] = {}
    for dim in every_dim(graph):
        name = text(dim.dim_param)
        if name not in known and UNKNOWN.fullmatch(name):
            new[name] = dim.dim_param = new.get(name) or named()


def _dims(info: Any) -> Any:
    return info.type.tensor_type.shape.dim if info.type.HasField("tensor_type") else ()


def _adopt(body: Any, told: Any) -> None:
    """Put what was found into the body."""
    for old, new in zip((*body.input, *body.output), (*told.input[: len(body.input)], *told.output), strict=True):
        old.type.CopyFrom(new.type)
    types = {info.name: info.type for info in body.output if info.type.WhichOneof("value")}
    for info in body.output:
        if info.name in types:  # the same may be given twice
            info.type.CopyFrom(types[info.name])
    for name in ("node", "value_info"):
        body.ClearField(name)
        getattr(body, name).extend(getattr(told, name))
