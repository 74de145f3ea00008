"""Looking inside models of TensorFlow: one more model, function or fetch that gives the values that are wanted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from inspector.runtimes._runtime import Arrays

Given = Callable[[Arrays], dict[str, Any]]
Look = Callable[[tuple[str, ...]], Given]
"""From the names of values to what computes them; names that it does not know are left out."""


def of_keras(model: Any, names: tuple[str, ...]) -> Given:
    """Outputs of a Keras model's layers, by the layers' names; one that is called several times has no one output."""
    import keras
    import tensorflow as tf

    whole = getattr(model, "_functional", None) or model  # a Sequential model holds a functional one
    calls: dict[str, list[Any]] = {}
    for node in (node for nodes in whole._nodes_by_depth.values() for node in nodes):
        calls.setdefault(str(node.operation.name), []).append(node.outputs)
    outputs = {name: calls[name][0][0] for name in names if [len(each) for each in calls.get(name, ())] == [1]}
    inner = keras.Model(whole.inputs, outputs)

    def given(feeds: Arrays) -> dict[str, Any]:
        tensors = [tf.constant(feeds[tensor.name]) for tensor in model.inputs]
        result: dict[str, Any] = inner(tensors[0] if len(tensors) == 1 else tensors, training=False)
        return result

    return given


def of_function(function: Any, names: tuple[str, ...]) -> Given:
    """Values of a signature's operations, by their names within the function that it wraps."""
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    flat = convert_variables_to_constants_v2(function)  # functions inlined; names get the callers' before them
    graph = flat.graph.as_graph_def()
    shape = {tensor.op.name: name for name, tensor in _inputs(function, flat).items()}
    wrapped = tf.compat.v1.wrap_function(lambda: tf.import_graph_def(graph, name=""), [])
    inside = wrapped.graph
    fetches = _found(inside, names, {name: inside.get_tensor_by_name(of) for name, of in _outputs(function, flat)})
    feeds = {shape[op]: inside.get_tensor_by_name(f"{op}:0") for op in shape}
    pruned = wrapped.prune(list(feeds.values()), fetches)

    def given(arrays: Arrays) -> dict[str, Any]:
        result: dict[str, Any] = pruned(*(tf.constant(arrays[name]) for name in feeds))
        return result

    return given


def _inputs(function: Any, flat: Any) -> dict[str, Any]:
    """The placeholders of a flattened signature by the names of its inputs."""
    names = list(function.structured_input_signature[1])
    by_op = {tensor.op.name: tensor for tensor in flat.inputs}
    found = {name: by_op[name] for name in names if name in by_op}
    return found if len(found) == len(names) else dict(zip(sorted(names), flat.inputs, strict=True))


def _outputs(function: Any, flat: Any) -> list[tuple[str, str]]:
    """Names of a signature's outputs and of the tensors that they are."""
    return [(name, tensor.name) for name, tensor in zip(sorted(function.structured_outputs), flat.outputs, strict=True)]


def of_session(session: Any, takes: Mapping[str, Any], names: tuple[str, ...]) -> Given:
    """Values of a graph's operations by their names."""
    fetches = _found(session.graph, names, {})

    def given(feeds: Arrays) -> dict[str, Any]:
        result: dict[str, Any] = session.run(fetches, {takes[name]: feeds[name] for name in takes})
        return result

    return given


def _found(graph: Any, names: tuple[str, ...], known: Mapping[str, Any]) -> dict[str, Any]:
    """The tensors of these names; an operation of an inlined function has its callers' names before its own."""
    by_end: dict[str, Any] = {}
    operations = {operation.name: operation for operation in graph.get_operations()}
    for full, operation in operations.items():
        for at, letter in enumerate(full):
            if letter == "/" and len(full) < len(getattr(by_end.get(full[at + 1 :]), "name", full + " ")):
                by_end[full[at + 1 :]] = operation
    found = {}
    for name in names:
        op, _, number = name.partition(":")
        operation = operations.get(op) or by_end.get(op)
        outputs = operation.outputs if operation is not None else []
        index = int(number) if number.isdecimal() and len(number) < 6 else 0
        if name in known:
            found[name] = known[name]
        elif index < len(outputs) and outputs[index].dtype.is_floating:
            found[name] = outputs[index]
    return found
