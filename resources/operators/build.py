"""Writes signatures.json: how the operators that the texts beside it name are called, from the frameworks' own schemas.

Run it where torch, TensorFlow, Keras, ONNX Runtime or OpenVINO are installed, after changing a text:
`python resources/operators/build.py`; signatures of what is not installed stay as they are. The texts are ours;
signatures are facts: ATen's schemas, TensorFlow's operator definitions, the options of TensorFlow Lite's schema, the
constructors of Keras' layers, ONNX Runtime's own schemas, OpenVINO's functions and nodes.
"""

from __future__ import annotations

import ast
import inspect
import json
import os
import re
import textwrap
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
MOST = 4
"""Overloads of an operator that are written down."""
OPSETS = 16
"""The newest of OpenVINO's operator sets that is finished."""
SPACES = {
    "aten",
    "quantized",
    "prepacked",
    "quantized_decomposed",
    "_quantized",
    "onednn",
    "mkldnn",
    "mkldnn_prepacked",
}
"""Namespaces of torch's operators that torch has schemas of."""
STATES = ("Assign", "ReadValue")
"""Those of OpenVINO's that cannot be asked for their attributes before they have a state."""
POOLS = {"AVERAGE_POOL_2D": "Pool2DOptions", "MAX_POOL_2D": "Pool2DOptions", "L2_POOL_2D": "Pool2DOptions"}
SAME = {
    "SPLIT_V": "SplitVOptions", "BATCH_MATMUL": "BatchMatMulOptions", "LSTM": "LSTMOptions", "RNN": "RNNOptions",
    "CONCATENATION": "ConcatenationOptions", "SVDF": "SVDFOptions", "L2_NORMALIZATION": "L2NormOptions",
    "UNIDIRECTIONAL_SEQUENCE_RNN": "SequenceRNNOptions", "TOPK_V2": "TopKV2Options", "GELU": "GeluOptions",
    "UNIDIRECTIONAL_SEQUENCE_LSTM": "UnidirectionalSequenceLSTMOptions", "CONV_3D_TRANSPOSE": "Conv3DOptions",
    "BIDIRECTIONAL_SEQUENCE_LSTM": "BidirectionalSequenceLSTMOptions", "LEAKY_RELU": "LeakyReluOptions",
    "BIDIRECTIONAL_SEQUENCE_RNN": "BidirectionalSequenceRNNOptions",
    **dict.fromkeys(("MEAN", "SUM", "REDUCE_MAX", "REDUCE_MIN", "REDUCE_PROD", "REDUCE_ANY", "REDUCE_ALL"),
                    "ReducerOptions"),
}  # fmt: skip
"""Tables of options whose names do not follow from the operator's."""


def names(file: str) -> list[str]:
    """The operators that a text names."""
    lines = (HERE / file).read_text(encoding="utf-8").splitlines()
    return [name for line in lines if line and not line.startswith("#") for name in _head(line).split()]


def _head(line: str) -> str:
    return line.partition(": ")[0]


def keras_layers(wanted: list[str]) -> dict[str, list[str]]:
    """Constructors of Keras' layers."""
    import keras

    found = {}
    for name in wanted:
        kind = getattr(keras.layers, name, None)
        if not isinstance(kind, type):
            continue
        parameters = list(inspect.signature(kind.__init__).parameters.values())[1:]
        said = [str(_bare(each)) for each in parameters if each.kind is not inspect.Parameter.VAR_KEYWORD]
        found[name] = [f"{name}({', '.join(said)})"]
    return found


def _bare(parameter: inspect.Parameter) -> inspect.Parameter:
    """Without its type, and with a function that it is by default by name instead of by its place in memory."""
    default = parameter.default
    if inspect.isfunction(default):
        default = _Name(default.__name__)
    return parameter.replace(annotation=inspect.Parameter.empty, default=default)


class _Name(str):
    """Text that is shown without quotes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def torch_operators(wanted: list[str]) -> dict[str, list[str]]:
    """Schemas of ATen, and constructors of the modules of torch.nn."""
    import torch
    import torch.ao.quantization.fx._decomposed  # its operators are there once it is imported

    schemas: dict[str, list[str]] = {}
    for schema in torch._C._jit_get_all_schemas():
        if schema.name.partition("::")[0] in SPACES and "out" not in schema.overload_name.split("_"):
            schemas.setdefault(schema.name.removeprefix("aten::"), []).append(str(schema).removeprefix("aten::"))
    found = {}
    for name in wanted:
        kind = getattr(torch.nn, name, None)
        if isinstance(kind, type):
            parameters = list(inspect.signature(kind.__init__).parameters.values())[1:]
            shown = [str(_bare(each)) for each in parameters if each.name not in {"device", "dtype", "args", "kwargs"}]
            found[name] = [f"{name}({', '.join(shown)})"]
        elif name in schemas:
            plain = [each for each in schemas[name] if "Tensor(a!) out" not in each and "*, str dim" not in each]
            found[name] = [each for each in plain if "Dimname" not in each and ".out(" not in each][:MOST]
    return {name: lines for name, lines in found.items() if lines}


def tensorflow_operators(wanted: list[str]) -> dict[str, list[str]]:
    """Definitions of TensorFlow's operators, and options of TensorFlow Lite's."""
    import tflite
    from tensorflow.python.framework import op_def_registry

    found = {}
    for name in wanted:
        if name.upper() == name and hasattr(tflite.BuiltinOperator, name):
            options = _options(tflite, name)
            if options:
                found[name] = [f"Options: {', '.join(options)}"]
        elif (definition := op_def_registry.get(name)) is not None:
            found[name] = [_definition(definition)]
    return found


def _options(tflite: Any, name: str) -> list[str]:
    guess = "".join(part if re.fullmatch(r"\d?D|V\d", part) else part.title() for part in name.split("_")) + "Options"
    kind = getattr(tflite, POOLS.get(name) or SAME.get(name) or guess, None)
    if not isinstance(kind, type):
        return []
    hidden = ("Length", "AsNumpy", "IsNone", "BufferHasIdentifier")
    plain = [each for each in vars(kind) if each[0].isupper() and not each.endswith(hidden)]
    return [each for each in plain if each != "Init" and "GetRootAs" not in each]


def onnxruntime_operators(wanted: list[str]) -> dict[str, list[str]]:
    """Schemas of ONNX Runtime's own domains."""
    from onnxruntime.capi.onnxruntime_pybind11_state import get_all_operator_schema

    before = {"com.microsoft": "", "com.microsoft.nchwc": "nchwc::"}
    found = {}
    for schema in get_all_operator_schema():
        name = f"{before.get(schema.domain, '?')}{schema.name}"
        if name in wanted:
            ends = [", ".join(map(_formal, side)) for side in (schema.inputs, schema.outputs)]
            attributes = ", ".join(sorted(schema.attributes))
            found[name] = [f"{schema.name}({ends[0]}) → {ends[1]}{f'; {attributes}' if attributes else ''}"]
    return found


def _formal(parameter: Any) -> str:
    mark = {"Optional": "?", "Variadic": "…"}.get(parameter.option.name, "")
    return f"{parameter.name}{mark}"


def _definition(definition: Any) -> str:
    def typed(argument: Any) -> str:
        kind = argument.type_attr or argument.type_list_attr or _type(argument.type)
        return f"{argument.name}: {f'{argument.number_attr}·' if argument.number_attr else ''}{kind}"

    inputs = ", ".join(typed(each) for each in definition.input_arg)
    outputs = ", ".join(typed(each) for each in definition.output_arg)
    attributes = ", ".join(f"{each.name}: {each.type}" for each in definition.attr if not each.name.startswith("_"))
    return f"{definition.name}({inputs}){f' → {outputs}' if outputs else ''}{f'; {attributes}' if attributes else ''}"


def _type(number: int) -> str:
    from tensorflow.python.framework import dtypes

    return dtypes.as_dtype(number).name if number else ""


def openvino_operators(wanted: list[str]) -> dict[str, list[str]]:
    """Inputs; attributes of OpenVINO's operators, each as the newest operator set has it."""
    from openvino.utils.node_factory import _get_node_factory

    makers: dict[str, tuple[str, Any]] = {}  # names in files differ from those in the program by capitals
    for number in range(OPSETS, 0, -1):
        for function in vars(import_module(f"openvino.opset{number}")).values():
            if inspect.isfunction(function):
                for name in _creations(inspect.unwrap(function)):
                    makers.setdefault(name.lower(), (name, inspect.unwrap(function)))
    factory, found = _get_node_factory(f"opset{OPSETS}"), {}
    for name in wanted:
        if name.lower() in makers:
            known, function = makers[name.lower()]
            attributes = [] if name in STATES else list(factory.create(known).get_attributes())
            inputs = [each for each in _taken(function) if each.removesuffix("?") not in attributes]
            found[name] = [f"{name}({', '.join(inputs)})" + ("; " if attributes else "") + ", ".join(attributes)]
    return found


def _creations(function: Any) -> Iterator[str]:
    """The operators that a function of OpenVINO makes."""
    for node in ast.walk(ast.parse(textwrap.dedent(inspect.getsource(function)))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "create":
            first = node.args[0] if node.args else None
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                yield first.value


def _taken(function: Any) -> list[str]:
    """The parameters that are inputs, by their annotations."""
    said = []
    for name, parameter in inspect.signature(function).parameters.items():
        words = str(parameter.annotation)
        if "Node" in words or "ndarray" in words:
            given = parameter.default is inspect.Parameter.empty
            said.append(name + ("…" if "list" in words.lower() else "" if given else "?"))
    return said


def _lines(found: dict[str, list[str]]) -> str:
    """An operator a line, so that a change is seen as what it is."""
    return ",\n".join(
        f"{json.dumps(name)}: {json.dumps(said, ensure_ascii=False)}" for name, said in sorted(found.items())
    )


FAMILIES: dict[str, Callable[[list[str]], dict[str, list[str]]]] = {
    "keras": keras_layers,
    "torch": torch_operators,
    "tensorflow": tensorflow_operators,
    "onnxruntime": onnxruntime_operators,
    "openvino": openvino_operators,
}


def main() -> None:
    """Write the file."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    target = HERE / "signatures.json"
    before = json.loads(target.read_text(encoding="utf-8")) if target.exists() else {}
    written = []
    for family, signatures in FAMILIES.items():
        wanted = names(f"{family}.txt")
        try:
            found, said = signatures(wanted), ""
        except ModuleNotFoundError as error:
            found = {name: lines for name, lines in before.get(family, {}).items() if name in wanted}
            said = f", as they were: {error.name} is not installed"
        written.append(f"{json.dumps(family)}: {{\n{_lines(found)}\n}}")
        print(f"{family}: {len(wanted)} names, {len(found)} signatures{said}")
    target.write_text("{\n" + ",\n".join(written) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
