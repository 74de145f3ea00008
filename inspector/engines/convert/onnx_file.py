"""What every edge that writes ONNX does to the file: name, tidy, write, and read back what was written."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inspector.errors import ConversionError

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, NodeProto

LIMIT = 1_900_000_000
"""Bytes a protobuf may have, with some air: beyond, weights go to a file beside the model."""

_SOURCE = re.compile(r"(?:[A-Za-z]:)?[/\\](?:[^\s\"'():,;]*[/\\])?([^\s\"'():,;/\\]+\.py)\b")
_PACKAGES = re.compile(r"(?:site-packages|dist-packages|python3\.\d+)[/\\]")


def relative(text: str) -> str:
    """The text with paths of Python files made relative: to the packages' folder, else only the file's name."""
    return _SOURCE.sub(lambda match: _PACKAGES.split(match[0])[-1] if _PACKAGES.search(match[0]) else match[1], text)


def write(model: ModelProto, target: Path) -> dict[str, str]:
    """Tidy the model, write it, and give the facts read back from the file."""
    import onnx

    tidy(model)
    if model.ByteSize() > LIMIT:
        onnx.save(model, target, save_as_external_data=True, location=f"{target.name}.data")
    else:
        onnx.save(model, target)
    return facts(target)


def facts(path: Path) -> dict[str, str]:
    """Opset, IR version, input and output names as the file has them."""
    import onnx

    model = onnx.load(path, load_external_data=False)
    return {
        "opset": str(opset(model)),
        "ir_version": str(model.ir_version),
        "inputs": ", ".join(input_names(model)),
        "outputs": ", ".join(value.name for value in model.graph.output),
    }


def opset(model: ModelProto, domain: str = "") -> int:
    """The version of an operator set that the model imports; 0 when it does not."""
    return max((int(o.version) for o in model.opset_import if o.domain in _same_domain(domain)), default=0)


def _same_domain(domain: str) -> tuple[str, ...]:
    return ("", "ai.onnx") if domain in ("", "ai.onnx") else (domain,)


def input_names(model: ModelProto) -> list[str]:
    """Names of the inputs that must be fed."""
    stored = {tensor.name for tensor in model.graph.initializer}
    return [value.name for value in model.graph.input if value.name not in stored]


def tidy(model: ModelProto) -> None:
    """Make paths of the machine that exported it relative, in documentation and metadata."""
    model.doc_string = relative(model.doc_string)
    for props in chain([model.metadata_props], _all_metadata(model)):
        for prop in props:
            prop.value = relative(prop.value)
    for node in all_nodes(model):
        if node.doc_string:
            node.doc_string = relative(node.doc_string)


def _all_metadata(model: ModelProto) -> Iterator[Any]:
    yield from (node.metadata_props for node in all_nodes(model))
    for graph in chain([model.graph], model.functions):
        yield graph.metadata_props
        yield from (value.metadata_props for value in graph.value_info)
    yield from (tensor.metadata_props for tensor in model.graph.initializer)


def all_nodes(model: ModelProto) -> Iterator[NodeProto]:
    """The nodes of the graph, its subgraphs and the model's functions."""
    yield from graph_nodes(model.graph.node)
    for function in model.functions:
        yield from graph_nodes(function.node)


def graph_nodes(nodes: Iterable[NodeProto]) -> Iterator[NodeProto]:
    """These nodes and those of the graphs they carry."""
    for node in nodes:
        yield node
        for graph in subgraphs(node):
            yield from graph_nodes(graph.node)


def subgraphs(node: NodeProto) -> Iterator[GraphProto]:
    """The graphs that a node carries: bodies and branches."""
    for attribute in node.attribute:
        if attribute.HasField("g"):
            yield attribute.g
        yield from attribute.graphs


def rename(model: ModelProto, inputs: Sequence[str] = (), outputs: Sequence[str] = ()) -> None:
    """Give the model's inputs and outputs these names, in order; an empty sequence leaves them.

    Raises:
        ConversionError: The numbers do not fit, or a name is used twice.
    """
    have_in, have_out = input_names(model), [value.name for value in model.graph.output]
    check_names(inputs, len(have_in), "inputs")
    check_names(outputs, len(have_out), "outputs")
    new = dict(zip(have_in, inputs, strict=False)) | dict(zip(have_out, outputs, strict=False))
    new = {old: name for old, name in new.items() if old != name}
    taken = {name for node in all_nodes(model) for name in chain(node.input, node.output)} - set(new)
    new |= {name: _free(name, taken) for name in new.values() if name in taken}
    _rename_values(model.graph, new)


def check_names(names: Sequence[str], count: int, what: str) -> None:
    """Raise ConversionError unless there are as many names as wanted, or none, and all differ."""
    if names and len(names) != count:
        raise ConversionError(f"{len(names)} names were given for {count} {what}.", f"Name all {what} or none.")
    if len(set(names)) != len(names):
        raise ConversionError(f"Two {what} were given the same name.", "Names must differ.")


def _free(name: str, taken: set[str]) -> str:
    return next(f"{name}_{number}" for number in range(1, len(taken) + 2) if f"{name}_{number}" not in taken)


def _rename_values(graph: GraphProto, new: dict[str, str]) -> None:
    for node in graph_nodes(graph.node):
        node.input[:] = [new.get(name, name) for name in node.input]
        node.output[:] = [new.get(name, name) for name in node.output]
    for value in chain(graph.input, graph.output, graph.value_info, graph.initializer):
        value.name = new.get(value.name, value.name)


def replace_erfc(model: ModelProto) -> int:
    """Write `Erfc(x)`, which tf2onnx emits and ONNX does not have, as `1 - Erf(x)`; gives how many there were."""
    import numpy as np
    from onnx import helper, numpy_helper

    graph, count = model.graph, 0
    nodes: list[NodeProto] = []
    for node in graph.node:
        if node.op_type != "Erfc":
            nodes.append(node)
            continue
        one, erf = f"{node.output[0]}/one", f"{node.output[0]}/erf"
        graph.initializer.append(numpy_helper.from_array(np.float32(1), one))
        nodes.append(helper.make_node("Erf", node.input, [erf], name=f"{node.name}/erf"))
        nodes.append(helper.make_node("Sub", [one, erf], node.output, name=f"{node.name}/sub"))
        count += 1
    if count:
        del graph.node[:]
        graph.node.extend(nodes)
    return count
