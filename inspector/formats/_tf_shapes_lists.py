"""Shapes of TensorFlow's lists and arrays of tensors, and of the switches and frames of its first loops."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from inspector.formats._rules import named
from inspector.formats._tf_shapes_calls import meet
from inspector.formats._tf_shapes_dims import NOTHING, Fact, Step, plus, same
from inspector.ir import Dim, Shape

Rule = Callable[[Step], Any]


def _said(fact: Fact) -> Shape | None:
    """An element's shape as an input says it; a scalar -1 stands for any."""
    sizes = fact.sizes
    return None if sizes is None else tuple(None if size == -1 else size for size in sizes)


def _both(first: Shape | None, second: Shape | None) -> Shape | None:
    if first is None or second is None or len(first) != len(second):
        return second if first is None else first
    return tuple(map(same, first, second))


def _reserved(step: Step) -> Fact:
    number = step.at(1).number
    count: Dim = number if isinstance(number, int | str) else None
    count = count if step.node.op == "TensorListReserve" else 0
    return Fact("variant", (), inner=Fact(step.text("element_dtype"), _said(step.at(0))), count=count, fresh=True)


def _from_tensor(step: Step) -> Fact:
    x = step.shape()
    said = _said(step.at(1))
    inner = Fact(step.dtype, said if x is None or not x else _both(tuple(x[1:]), said))
    return Fact("variant", (), inner=inner, count=x[0] if x else None)


def _put(step: Step, item: Fact, count: Dim) -> Fact:
    """A list with one more item; where items differ, what all have in common."""
    old = step.at(0)
    inner = old.inner or NOTHING
    plain = Fact(item.dtype or inner.dtype, item.shape)
    if old.fresh:
        inner = Fact(plain.dtype, _both(inner.shape, plain.shape))
    else:
        inner = meet(inner, plain)
    return Fact("variant", (), inner=inner, count=count)


def _set_item(step: Step) -> Fact:
    return _put(step, step.at(2), step.at(0).count)


def _pushed(step: Step) -> Fact:
    return _put(step, step.at(1), plus(step.at(0).count, 1))


def _popped(step: Step) -> list[Fact]:
    return [replace(step.at(0), dtype="variant", shape=(), count=None), _element(step, 1)]


def _element(step: Step, at: int) -> Fact:
    inner = step.at(0).inner or NOTHING
    return Fact(step.text("element_dtype") or inner.dtype, _both(inner.shape, _said(step.at(at))))


def _get_item(step: Step) -> Fact:
    return _element(step, 2)


def _stacked(step: Step) -> Fact:
    item = _element(step, 1)
    number = step.integer("num_elements", -1)
    count = number if number >= 0 else step.at(0).count
    return Fact(item.dtype, None if item.shape is None else (count, *item.shape))


def _joined(step: Step) -> list[Fact]:
    item = _element(step, 1)
    lengths = Fact("int64", (step.at(0).count,))
    return [Fact(item.dtype, (None, *item.shape[1:]) if item.shape else None), lengths]


def _length(step: Step) -> Fact:
    count = step.at(0).count
    return Fact("int32", (), None if count is None else (count,))


def _array(step: Step) -> list[Fact]:
    """A TensorArray of TensorFlow 1: a handle and a flow."""
    shape = step.shaped("element_shape")
    number = step.at(0).number
    inner = Fact(step.text("dtype"), shape or None)  # an empty shape is how none is written
    return [
        Fact("resource", (2,), inner=inner, count=number if isinstance(number, int | str) else None),
        Fact("float32", ()),
    ]


def _gathered(step: Step) -> Fact:
    inner, places = step.at(0).inner or NOTHING, step.shape(1)
    shape = _both(inner.shape, step.shaped("element_shape") or None)
    return Fact(step.text("dtype") or inner.dtype, (places[0], *shape) if places and shape is not None else None)


def _read(step: Step) -> Fact:
    inner = step.at(0).inner or NOTHING
    return Fact(step.text("dtype") or inner.dtype, inner.shape)


def _flow(step: Step) -> Fact:
    return Fact("float32", ())


def _array_size(step: Step) -> Fact:
    count = step.at(0).count
    return Fact("int32", (), None if count is None else (count,))


def _through(step: Step) -> Fact:
    """Into, out of or around a frame; what is known of the value may change on the way."""
    return replace(step.at(0), value=step.at(0).value if step.flag("is_constant") else None)


def _switched(step: Step) -> list[Fact]:
    return [step.at(0), step.at(0)]


def _flag(step: Step) -> Fact:
    return Fact("bool", ())


LISTS: dict[str, Rule] = {
    **named(_reserved, "TensorListReserve EmptyTensorList"),
    "TensorListFromTensor": _from_tensor,
    "TensorListSetItem": _set_item,
    "TensorListPushBack": _pushed,
    "TensorListPopBack": _popped,
    "TensorListGetItem": _get_item,
    "TensorListStack": _stacked,
    "TensorListConcatV2": _joined,
    "TensorListLength": _length,
    "TensorArrayV3": _array,
    "TensorArrayGatherV3": _gathered,
    "TensorArrayReadV3": _read,
    "TensorArraySizeV3": _array_size,
    **named(_flow, "TensorArrayWriteV3 TensorArrayScatterV3"),
    **named(_through, "Enter RefEnter Exit RefExit NextIteration RefNextIteration"),
    **named(_switched, "Switch RefSwitch"),
    "LoopCond": _flag,
}
