"""Graphs of an exported program as the IR's: nodes with their modules and source lines, values with symbolic sizes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from inspector.formats._export_schema import (
    DTYPES,
    LAYOUTS,
    MEMORY,
    Union,
    converted,
    strange,
)
from inspector.formats._export_schema import Graph as GraphJson
from inspector.formats._export_schema import Node as NodeJson
from inspector.formats._modules import author_line
from inspector.formats._unique import Numbered
from inspector.ir import Attribute, Graph, Node, Value

OPTIONAL = frozenset({"bias", "weight", "running_mean", "running_var", "attn_mask", "offset", "per_sample_weights"})
"""Names of arguments that are tensors where they are given."""

DEPTH = 50
INDEX = re.compile(r"\[['\"]?([^\[\]'\"]*)['\"]?\]")
NAMED = ("as_tensor", "as_sym_int", "as_sym_bool", "as_sym_float", "as_custom_obj", "as_token")


class Reader:
    """Turns graphs of the JSON into the IR's.

    Args:
        tensors: Name of the stored tensor by name of the graph input that stands for it.
    """

    def __init__(self, tensors: Mapping[str, str]) -> None:
        self._tensors = tensors
        self.graphs: dict[str, Graph] = {}
        self.classes: dict[str, str] = {}
        self._free = Numbered()

    def graph(
        self, source: GraphJson, name: str, inputs: tuple[str, ...], outputs: tuple[str, ...], depth: int = 0
    ) -> None:
        """Read one graph and those inside it.

        Args:
            source: The JSON.
            name: What it is called.
            inputs: Names of the inputs to show.
            outputs: Names of the outputs to show.
            depth: Of nesting.
        """
        if depth > DEPTH:
            raise strange("graph", f"nested deeper than {DEPTH}")
        self.graphs[name] = Graph(name)
        values = {
            item: Value(item, meta.dtype_name(), meta.shape())
            for item, meta in source.tensor_values.items()
            if depth or item not in self._tensors
        }
        values |= {item: Value(item, "int64", ()) for item in source.sym_int_values}
        nodes, taken = [], set[str]()
        for index, node in enumerate(source.nodes):
            label = node.name or next(iter(names(node.outputs)), "") or f"{_operator(node.target)}_{index}"
            label = label if label not in taken else f"{label}#{index}"
            taken.add(label)
            nodes.append(self._node(node, label, depth))
        self.graphs[name] = Graph(
            name,
            tuple(values.get(item) or Value(item) for item in inputs),
            tuple(values.get(item) or Value(item) for item in outputs),
            tuple(nodes),
            values,
        )

    def _node(self, source: NodeJson, name: str, depth: int) -> Node:
        inputs: list[str] = []
        attributes: dict[str, Attribute] = {}
        graphs: list[str] = []
        for index, argument in enumerate(source.inputs):
            label = argument.name or f"argument {index}"  # higher-order operators have no names for them
            if "as_graph" in argument.arg:
                graphs.append(self._inner(argument.arg["as_graph"], name, depth))
                attributes[label] = f"graph:{graphs[-1]}"
            else:
                _argument(label, argument.arg, inputs, attributes)
        module = self._module(str(source.metadata.get("nn_module_stack", "")))
        line = author_line(str(source.metadata.get("stack_trace", "")))
        return Node(
            name,
            _operator(source.target),
            tuple(inputs if depth else (self._tensors.get(item, item) for item in inputs)),
            tuple(names(source.outputs)),
            attributes,
            module=module,
            graphs=tuple(graphs),
            source=line,
        )

    def _inner(self, item: Any, owner: str, depth: int) -> str:
        """Read a graph that is an argument; the name it goes by."""
        inner = converted(item.get("graph") if isinstance(item, dict) else None, GraphJson, "graph")
        name = self._free.free(f"{owner}/{item.get('name', 'body')}", self.graphs)
        self.graph(inner, name, tuple(names(inner.inputs)), tuple(names(inner.outputs)), depth + 1)
        return name

    def _module(self, stack: str) -> str:
        """Path of the innermost module in a module stack, whose classes are kept on the way."""
        path = ""
        for entry in stack.split(";") if stack else ():
            parts = _split(entry)
            if len(parts) != 3 or parts[0].startswith("_empty_nn_module_stack"):
                continue
            path = module_path(parts[1])
            self.classes.setdefault(path, parts[2])
        return path


def _argument(name: str, argument: Union, inputs: list[str], attributes: dict[str, Attribute]) -> None:
    """Sort an argument into the values that flow in and the settings."""
    kind, item = next(iter(argument.items()), ("as_none", True))
    inputs += names([argument])
    if kind == "as_none" and name in OPTIONAL:
        inputs.append("")
    elif kind not in ("as_tensor", "as_tensors", "as_optional_tensors", "as_nested_tensors"):
        attributes[name] = setting(kind, item)


def _split(entry: str) -> list[str]:
    """Parts between commas that stand outside brackets."""
    parts, start, open_ = [], 0, 0
    for at, sign in enumerate(entry):
        open_ += (sign in "([") - (sign in ")]")
        if sign == "," and open_ == 0:
            parts.append(entry[start:at])
            start = at + 1
    return [*parts, entry[start:]]


def module_path(path: str) -> str:
    """`L['self'].stack[0]` and `stack.0@1` (a second call) as `stack.0`."""
    path = path.removeprefix("L['self']").removeprefix("L__self__")
    path = INDEX.sub(r".\1", path.replace("._modules", "")).partition("@")[0]
    return path.strip(".")


def _operator(target: str) -> str:
    return target.removeprefix("torch.ops.").removeprefix("torch._ops.")


def names(arguments: list[Union]) -> list[str]:
    """Names of the values in arguments, in order; constants have none."""
    found: list[str] = []
    for argument in arguments:
        for kind, item in argument.items():
            found += _names(kind, item)
    return found


def _names(kind: str, item: Any) -> list[str]:
    if kind in NAMED:
        name = item.get("name", item.get("as_name", "")) if isinstance(item, dict) else ""
        return [name] if isinstance(name, str) and name else []
    if kind in ("as_tensors", "as_sym_ints", "as_sym_bools", "as_sym_floats") and isinstance(item, list):
        return [name for part in item for name in _names("as_tensor", part)]
    if kind == "as_optional_tensor" and isinstance(item, dict):
        return _names("as_tensor", item.get("as_tensor")) or [""]
    if kind == "as_optional_tensors" and isinstance(item, list):
        return [name for part in item for name in _names("as_optional_tensor", part)]
    if kind == "as_nested_tensors" and isinstance(item, list):
        return [name for part in item for name in _names("as_tensors", part)]
    return []


def setting(kind: str, item: Any, depth: int = 0) -> Attribute:
    """An argument that is no tensor, as plain data."""
    if kind == "as_none" or depth > DEPTH:
        return None
    if kind == "as_scalar_type":
        return DTYPES.get(item, str(item))
    if kind in ("as_memory_format", "as_layout"):
        words = MEMORY if kind == "as_memory_format" else LAYOUTS
        return words[item] if isinstance(item, int) and 0 <= item < len(words) else str(item)
    if kind == "as_device" and isinstance(item, dict):
        index = item.get("index")
        return str(item.get("type", "")) + (f":{index}" if index is not None else "")
    if kind == "as_complex" and isinstance(item, dict):
        return f"{item.get('real')}+{item.get('imag')}j"
    if kind == "as_string_to_argument" and isinstance(item, dict):
        return {str(key): _union(part, depth) for key, part in item.items()}
    return _data(item, depth)


def _union(item: Any, depth: int) -> Attribute:
    if isinstance(item, dict) and len(item) == 1:
        return setting(*next(iter(item.items())), depth + 1)
    return _data(item, depth)


def _data(item: Any, depth: int) -> Attribute:
    """JSON as attribute data; a symbolic number stands by its name."""
    if isinstance(item, dict):
        inner = item.get("as_name", item.get("as_int", item.get("as_float", item.get("as_bool", item.get("name")))))
        return inner if isinstance(inner, bool | int | float | str) else str(item)[:200]
    if isinstance(item, list) and depth < DEPTH:
        return tuple(_data(part, depth + 1) for part in item[:1000])
    return item if isinstance(item, bool | int | float | str) or item is None else str(item)[:200]
