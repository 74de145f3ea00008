"""What is done to an ONNX model before onnx-tf sees it, and what will not convert, said beforehand.

Operators that ONNX defines by simpler ones (attention, group normalisation, …) and functions of the model are inlined,
by ONNX's own inliner. Dropout is stripped: onnx-tf applies it at inference, and answers differ from run to run.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from inspector.engines.convert.onnx_file import all_nodes, graph_nodes, opset
from inspector.engines.convert.onnx_tf_pack.fuse import fuse_gelu

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, NodeProto

RANDOM = frozenset(
    {"RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Multinomial", "Bernoulli"}
)
"""Operators whose answer differs from run to run: no conversion of them can be proved."""


def prepared(model: ModelProto) -> ModelProto:
    """The model with functions inlined, GELUs put together and Dropout stripped."""
    from onnx import inliner

    if model.functions:
        model = inliner.inline_local_functions(model)
    for node in all_nodes(model):
        while node.input and not node.input[-1]:  # the inliner stumbles over inputs that are left out at the end
            del node.input[-1]
    strange = {node.op_type for node in all_nodes(model) if node.domain in ("", "ai.onnx")} & _inlinable(model)
    for op in sorted(strange):
        try:
            model = inliner.inline_selected_functions(model, [("", op)], inline_schema_functions=True)
        except (RuntimeError, ValueError):  # it wants types that the file does not give; the operator stays an obstacle
            continue
    fuse_gelu(model)
    strip_dropout(model.graph)
    return model


def _inlinable(model: ModelProto) -> set[str]:
    """Operators without a handler that ONNX defines by simpler ones."""
    from onnx import defs

    version = opset(model)
    known = handlers(model)
    result = set()
    for schema in defs.get_all_schemas():
        if schema.domain == "" and not _handled(known.get(schema.name)) and defs.has(schema.name, version):
            at = defs.get_schema(schema.name, version)
            if at.has_function or at.has_context_dependent_function:
                result.add(schema.name)
    return result


def handlers(model: ModelProto) -> dict[str, Any]:
    """onnx-tf's handlers for the model's opset, ours among them, by operator."""
    from inspector.engines.convert.onnx_tf_pack.shim import load

    found: dict[str, Any] = load().TensorflowBackend._get_handlers(_opsets(model)).get("", {})
    return found


def _opsets(model: ModelProto) -> list[Any]:
    from onnx import helper

    return [helper.make_opsetid("" if o.domain == "ai.onnx" else o.domain, o.version) for o in model.opset_import] or [
        helper.make_opsetid("", 1)
    ]


def _handled(handler: Any) -> bool:
    return handler is not None and hasattr(handler, f"version_{handler.SINCE_VERSION}")


def obstacles(model: ModelProto) -> tuple[str, ...]:
    """One sentence for each operator that will not convert; the model must be prepared."""
    known = handlers(model)
    version = opset(model)
    counts: Counter[tuple[str, str]] = Counter((node.domain, node.op_type) for node in all_nodes(model))
    sentences = []
    for (domain, op), count in sorted(counts.items()):
        times = f"{count} of the nodes" if count > 1 else "one node"
        if domain not in ("", "ai.onnx"):
            sentences.append(f"onnx-tf knows no operators of {domain}: {op}, {times}.")
        elif op in RANDOM:
            sentences.append(f"{op} ({times}) gives random numbers, so the result could not be proved.")
        elif not _handled(known.get(op)):
            sentences.append(f"onnx-tf has no handler for {op} of opset {version} ({times}).")
    return tuple(sentences)


def strip_dropout(graph: GraphProto) -> int:
    """Remove Dropout nodes whose mask nobody uses, and that are not told to train; gives how many."""
    constants = {tensor.name for tensor in graph.initializer} | {
        name for node in graph_nodes(graph.node) if node.op_type == "Constant" for name in node.output
    }
    used = {name for node in graph_nodes(graph.node) for name in node.input} | {value.name for value in graph.output}
    outputs = {value.name for value in graph.output}
    away = [node for node in graph.node if _is_idle(node, used, constants) and node.output[0] not in outputs]
    new = {node.output[0]: node.input[0] for node in away}
    for node in away:
        graph.node.remove(node)
    for node in graph_nodes(graph.node):
        node.input[:] = [_end(name, new) for name in node.input]
    return len(away)


def _is_idle(node: NodeProto, used: set[str], constants: set[str]) -> bool:
    """Whether a node is a Dropout that does nothing at inference: one without a training input."""
    if node.op_type != "Dropout" or node.domain not in ("", "ai.onnx"):
        return False
    trains = len(node.input) > 2 and bool(node.input[2])
    return not trains and not any(name in used for name in node.output[1:] if name)


def _end(name: str, new: dict[str, str]) -> str:
    while name in new:
        name = new[name]
    return name
