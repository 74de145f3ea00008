"""Runs ONNX's own backend cases through the onnx-tf pack and prints what came of each, as JSON; run as a script.

    python tests/worker/onnx_cases.py REGEX

A case is `ok`, `obstacle` (the preflight refuses it), `refused` (the conversion refuses it), or `wrong`: the one thing
that may not happen. Anything else ends the script.
"""

from __future__ import annotations

import json
import re
import sys
import warnings
from typing import Any

import numpy as np

from inspector.engines.convert.onnx_tf_pack import build, prepare, shim
from inspector.errors import ConversionError

COARSE = {"float16": 2e-3, "bfloat16": 2e-2}
"""Relative tolerance for the types in which TensorFlow and ONNX round sums at different places."""


def array(value: Any) -> Any:
    """The values of a case, which are arrays or protocol buffers."""
    from onnx import TensorProto, numpy_helper

    return numpy_helper.to_array(value) if isinstance(value, TensorProto) else np.asarray(value)


def frozen(model: Any, inputs: list[Any]) -> tuple[Any, list[int]]:
    """The model with its small later inputs stored in it, as exporters do; and which inputs are left."""
    import onnx
    from onnx import numpy_helper

    made = onnx.ModelProto()
    made.CopyFrom(model)
    left = []
    for place, (value, given) in enumerate(zip(model.graph.input, inputs, strict=True)):
        if place and array(given).size < 300:
            made.graph.initializer.append(numpy_helper.from_array(array(given), value.name))
            made.graph.input.remove(next(one for one in made.graph.input if one.name == value.name))
        else:
            left.append(place)
    return made, left


def tried(model: Any, sets: list[Any], case: Any) -> tuple[str, str]:
    """Convert and run on every set of inputs."""
    import tensorflow as tf

    model = prepare.prepared(model)
    if problems := prepare.obstacles(model):
        return "obstacle", problems[0]
    if not all(value.type.HasField("tensor_type") for value in (*model.graph.input, *model.graph.output)):
        return "obstacle", "an input or output is not a tensor"
    program = build.Program(model)
    safe = build.safe_names(list(program.inputs))
    function = tf.function(lambda **feeds: program({name: feeds[safe[name]] for name in safe}), autograph=False)
    concrete = function.get_concrete_function(
        **{safe[name]: build.spec(value, safe[name]) for name, value in program.inputs.items()}
    )
    for inputs, outputs in sets:
        feeds = {safe[name]: tf.constant(array(value)) for name, value in zip(safe, inputs, strict=False)}
        results = concrete(**feeds)
        for value, wanted in zip(model.graph.output, outputs, strict=False):
            if word := differs(results[value.name].numpy(), array(wanted), case):
                return "wrong", f"{value.name}: {word}"
    return "ok", ""


def differs(got: Any, wanted: Any, case: Any) -> str:
    """How two arrays differ, or an empty string."""
    if got.shape != wanted.shape:
        return f"shape {got.shape} instead of {wanted.shape}"
    if wanted.dtype.kind in "OUS":
        texts = [text if isinstance(text, bytes) else str(text).encode() for text in wanted.reshape(-1)]
        return "" if texts == list(got.reshape(-1)) else "other texts"
    if got.dtype != wanted.dtype:
        return f"{got.dtype} instead of {wanted.dtype}"
    if wanted.dtype.kind == "b":
        return "" if (got == wanted).all() else "other truth"
    rtol = COARSE.get(wanted.dtype.name, max(case.rtol, 1e-3))
    if "bf16" in case.name or "bfloat16" in case.name:
        rtol = COARSE["bfloat16"]
    elif "fp16" in case.name or "float16" in case.name:
        rtol = COARSE["float16"]
    exact = [np.asarray(one, np.complex128 if one.dtype.kind == "c" else np.float64) for one in (got, wanted)]
    if np.allclose(*exact, rtol=rtol, atol=max(case.atol or 0, 1e-5, rtol * 1e-2), equal_nan=True):
        return ""
    return f"{np.nanmax(np.abs(exact[0] - exact[1])):.3g} apart"


def outcome(case: Any) -> tuple[str, str]:
    """What comes of one case, as it is or with its small inputs stored."""
    try:
        return tried(case.model, case.data_sets, case)
    except ConversionError as error:
        inputs, outputs = case.data_sets[0]
        model, left = frozen(case.model, inputs)
        if len(left) < len(inputs):
            try:
                return tried(model, [([inputs[place] for place in left], outputs)], case)
            except ConversionError:
                pass
        return "refused", error.what


def main(pattern: str) -> None:
    """Run the cases whose names match."""
    from onnx.backend.test.loader import load_model_tests

    warnings.simplefilter("ignore")
    shim.load()
    wanted = re.compile(pattern)
    cases = {case.name: case for case in load_model_tests(kind="node") if wanted.search(case.name)}
    found = {}
    for name, case in cases.items():
        try:
            found[name] = outcome(case)
        except Exception as error:  # a converted model that TensorFlow refuses to run is loud, not wrong
            found[name] = ("broken", f"{type(error).__name__}: {str(error)[:300]}")
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1])
