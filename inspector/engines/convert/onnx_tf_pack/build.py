"""A prepared ONNX model as a TensorFlow function, and as a SavedModel.

onnx-tf's own `export_graph` reshapes outputs to the shapes that the file claims, turns every weight into a Python list
first, and takes only names that Python would take; so its handlers are called from here.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inspector.engines.convert.onnx_file import input_names
from inspector.engines.convert.onnx_tf_pack.prepare import _opsets
from inspector.engines.convert.onnx_tf_pack.shim import load
from inspector.engines.convert.quiet import in_short
from inspector.errors import ConversionError

if TYPE_CHECKING:
    import tensorflow as tf
    from onnx import ModelProto, NodeProto, TensorProto, ValueInfoProto

Progress = Callable[[float], None]
BIG = 1_500_000_000
"""Bytes of weights beyond which they become variables: a SavedModel's graph is a protobuf of at most 2 GiB.

Below it they are constants, which TensorFlow folds (transposed convolution kernels, say) and runs faster.
"""

FOLDED = 20_000_000
"""Numbers that a tensor may have for a node on it to be worked out beforehand."""
NOT_FOLDED = frozenset({"If", "Loop", "Scan"})
GROWING = frozenset({"Expand", "Tile", "ConstantOfShape"})
"""Operators whose result may be far larger than what it is made of; the sizes are their last input."""


class Program:
    """An ONNX model that TensorFlow can trace."""

    def __init__(self, model: ModelProto) -> None:
        """Make the weights.

        Args:
            model: Prepared (see `prepare`).
        """
        self._backend = load().TensorflowBackend
        self._opsets = _opsets(model)
        self._handlers = self._backend._get_handlers(self._opsets)
        self._graph = model.graph
        self._shapes = inferred(model)
        self.inputs = {value.name: value for value in model.graph.input if value.name in set(input_names(model))}
        self.outputs = {value.name: value for value in model.graph.output}
        self.weights = _weights(model)
        _subgraph_weights(model.graph, self.weights)
        self.weights |= _handler_variables(self._handlers, model.graph, self.weights)

    def __call__(self, feeds: Mapping[str, Any], progress: Progress = lambda share: None) -> dict[str, Any]:
        """The outputs by name; TensorFlow operations are made on the way.

        Raises:
            ConversionError: A node could not be translated; the message names it.
        """
        import tensorflow as tf
        from onnx_tf.pb_wrapper import OnnxNode

        tensors: dict[str, Any] = {**self.weights, **feeds}
        total = len(self._graph.node) or 1
        for place, proto in enumerate(self._graph.node):
            if place % 50 == 0:
                progress(place / total)
            node = OnnxNode(proto)
            node.shapes = [self._shapes.get(name) for name in proto.output]
            try:
                # What depends on constants alone is worked out now: it costs nothing later, and handlers that must know
                # axes and sizes beforehand get to know them.
                with tf.init_scope() if _constant(proto, tensors) else nullcontext():
                    results = self._translate(node, tensors)
                _tell(node.shapes, results)
            except ConversionError as error:
                raise ConversionError(f"{_called(proto)}: {error.what}", error.hint) from error
            except Exception as error:
                raise ConversionError(
                    f"onnx-tf could not translate {_called(proto)}: {in_short(error)}",
                    "Another opset of the ONNX file may avoid this operator.",
                ) from error
            tensors.update(zip(node.outputs, results, strict=False))
        return {name: tensors[name] for name in self.outputs}

    def _translate(self, node: Any, tensors: dict[str, Any]) -> Any:
        """The outputs of one node. Few of onnx-tf's handlers need AutoGraph; it is slow, so it comes last."""
        import tensorflow as tf

        def translated() -> Any:
            return self._backend._onnx_node_to_tensorflow_op(
                node, tensors, self._handlers, opset=self._opsets, strict=True
            )

        try:
            return translated()
        except tf.errors.OperatorNotAllowedInGraphError:
            return tf.function(translated, autograph=True)()


def _tell(shapes: list[list[int | None] | None], results: Any) -> None:
    """Tell TensorFlow the sizes that it did not work out itself: fixed ones let it unroll, and TFLite needs them."""
    for shape, result in zip(shapes, results, strict=False):
        if shape is not None and hasattr(result, "set_shape") and not hasattr(result, "numpy"):
            result.set_shape(result.shape.merge_with(shape))


def inferred(model: ModelProto) -> dict[str, list[int | None]]:
    """The shapes of values as ONNX infers them, with the contents of shape tensors followed.

    What the file itself claims of values between its ends is not believed: it may be stale.
    """
    from onnx import shape_inference

    copy = type(model)()
    copy.CopyFrom(model)
    del copy.graph.value_info[:]
    try:
        known = shape_inference.infer_shapes(copy, data_prop=True)
    except (RuntimeError, ValueError):  # too large for one message, or an operator it does not know: do without
        return {}
    return {
        value.name: [dim.dim_value if dim.HasField("dim_value") else None for dim in value.type.tensor_type.shape.dim]
        for value in known.graph.value_info
        if value.type.HasField("tensor_type") and value.type.tensor_type.HasField("shape")
    }


def _constant(node: NodeProto, tensors: Mapping[str, Any]) -> bool:
    """Whether a node's result is known beforehand, and not too large to keep."""
    import tensorflow as tf

    values = [tensors[name] for name in node.input if name]
    if node.op_type in NOT_FOLDED or not all(isinstance(value, tf.Tensor) for value in values):
        return False
    if not all(hasattr(value, "numpy") and value.shape.num_elements() <= FOLDED for value in values):
        return False
    return node.op_type not in GROWING or prod(int(size) for size in values[-1].numpy().reshape(-1)) <= 10_000


def _called(node: Any) -> str:
    return f"the node {node.name!r} ({node.op_type})" if node.name else f"a node without a name ({node.op_type})"


def _weights(model: ModelProto) -> dict[str, Any]:
    import tensorflow as tf

    total = sum(len(tensor.raw_data) for tensor in model.graph.initializer)
    weights: dict[str, Any] = {}
    for tensor in model.graph.initializer:
        value = constant(tensor)
        big = total > BIG and len(tensor.raw_data) > 1024 and value.dtype.is_floating
        weights[tensor.name] = tf.Variable(value, trainable=True, name=safe(tensor.name)) if big else value
    return weights


def _handler_variables(handlers: Any, graph: Any, weights: dict[str, Any]) -> dict[str, Any]:
    """What a few of onnx-tf's handlers keep their results in."""
    from onnx_tf.backend_tf_module import TFModuleHelper

    found: dict[str, Any] = TFModuleHelper._create_handlers_variables_for_graph(handlers, graph, dict(weights))
    return found


def _subgraph_weights(graph: Any, weights: dict[str, Any]) -> None:
    """The initializers of branches and bodies: onnx-tf expects all of them in one place."""
    from inspector.engines.convert.onnx_file import subgraphs

    for node in graph.node:
        for inner in subgraphs(node):
            for tensor in inner.initializer:
                weights.setdefault(tensor.name, constant(tensor))
            _subgraph_weights(inner, weights)


def constant(tensor: TensorProto) -> Any:
    """A stored tensor as a TensorFlow constant."""
    import tensorflow as tf
    from onnx import numpy_helper

    try:
        return tf.constant(numpy_helper.to_array(tensor))
    except (TypeError, ValueError) as error:
        raise ConversionError(
            f"TensorFlow has no type for the weight {tensor.name!r}: {in_short(error)}", "Store it as float32."
        ) from error


def spec(value: ValueInfoProto, name: str) -> tf.TensorSpec:
    """What TensorFlow is told of an input; dims that are names, or unknown, stay open."""
    import tensorflow as tf
    from onnx import helper

    kind = value.type.tensor_type
    dtype = tf.as_dtype(helper.tensor_dtype_to_np_dtype(kind.elem_type))
    if not kind.HasField("shape"):
        return tf.TensorSpec(None, dtype, name)
    return tf.TensorSpec([dim.dim_value if dim.HasField("dim_value") else None for dim in kind.shape.dim], dtype, name)


def safe(name: str) -> str:
    """A name for an input: TensorFlow passes them as Python keyword arguments. Outputs may have any name."""
    plain = re.sub(r"\W", "_", name, flags=re.ASCII)
    if not plain or plain[0].isdigit() or plain[0] == "_":
        plain = f"x{plain}"
    return f"{plain}_" if keyword.iskeyword(plain) else plain


def safe_names(names: list[str]) -> dict[str, str]:
    """Safe and different names, by the names they stand for."""
    result: dict[str, str] = {}
    for name in names:
        plain = base = safe(name)
        number = 1
        while plain in result.values():
            plain, number = f"{base}_{number}", number + 1
        result[name] = plain
    return result


def save(model: ModelProto, folder: Path, progress: Progress = lambda share: None) -> dict[str, str]:
    """Write a prepared model as a SavedModel with the signature `serving_default`; gives the renamed inputs."""
    import tensorflow as tf

    program = Program(model)
    names = safe_names(list(program.inputs))

    def serve(**feeds: Any) -> dict[str, Any]:
        results = program({name: feeds[names[name]] for name in names}, progress)
        return {name: _shaped(results[name], value) for name, value in program.outputs.items()}

    specs = {names[name]: spec(value, names[name]) for name, value in program.inputs.items()}
    concrete = tf.function(serve, autograph=False).get_concrete_function(**specs)
    # The function itself is not kept on the module: saving would trace it a second time.
    module = tf.Module()
    module.kept = {safe(name): value for name, value in program.weights.items() if isinstance(value, tf.Variable)}
    tf.saved_model.save(module, str(folder), signatures={"serving_default": concrete})
    return {old: new for old, new in names.items() if old != new}


def _shaped(tensor: Any, value: ValueInfoProto) -> Any:
    """The output with the sizes that the file knows, where TensorFlow lost them; a wrong claim fails when it runs."""
    import tensorflow as tf

    tensor = tf.identity(tensor, name=safe(value.name))
    kind = value.type.tensor_type
    if not kind.HasField("shape") or tensor.shape.is_fully_defined():
        return tensor
    claimed = tf.TensorShape([dim.dim_value if dim.HasField("dim_value") else None for dim in kind.shape.dim])
    return (
        tensor
        if tensor.shape.rank is not None and claimed.rank != tensor.shape.rank
        else tf.ensure_shape(tensor, claimed)
    )
