"""Importing onnx-tf 1.10, whose last release is older than everything it stands on.

It wants `onnx.mapping`, which ONNX dropped, and two packages that do not import beside Keras 3, of which it uses one
function each. Stand-ins take their names while it is imported; `onnx.mapping` stays, because handlers look there.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from types import ModuleType
from typing import Any

from inspector.engines.convert.quiet import quiet, quiet_tensorflow


@cache
def load() -> ModuleType:
    """The module `onnx_tf.backend`, with our handlers installed."""
    quiet_tensorflow()
    import onnx
    import onnx.helper

    if not hasattr(onnx, "mapping"):
        tables = _mapping()
        onnx.mapping = onnx.helper.mapping = tables
        sys.modules["onnx.mapping"] = tables
    with quiet(), _standing_in({"tensorflow_addons": _addons(), "tensorflow_probability": _probability()}):
        from onnx_tf import backend, common
    common.logger.setLevel("ERROR")
    from inspector.engines.convert.onnx_tf_pack.handlers import install

    install()
    module: ModuleType = backend
    return module


@contextmanager
def _standing_in(modules: dict[str, ModuleType]) -> Iterator[None]:
    before = {name: sys.modules.get(name) for name in modules}
    sys.modules.update(modules)
    try:
        yield
    finally:
        for name, module in before.items():
            del sys.modules[name]
            if module is not None:
                sys.modules[name] = module


def _mapping() -> Any:
    """The four tables of `onnx.mapping`, made from what took their place."""
    from onnx import TensorProto, helper

    tables: Any = ModuleType("onnx.mapping")
    kinds = [kind for kind in helper.get_all_tensor_dtypes() if kind != TensorProto.UNDEFINED]
    numpy_of = {kind: helper.tensor_dtype_to_np_dtype(kind) for kind in kinds}
    tables.TENSOR_TYPE_TO_NP_TYPE = numpy_of
    tables.NP_TYPE_TO_TENSOR_TYPE = {numpy_of[kind]: kind for kind in reversed(kinds)}
    storage = {kind: helper.tensor_dtype_to_storage_tensor_dtype(kind) for kind in kinds}
    tables.TENSOR_TYPE_TO_STORAGE_TENSOR_TYPE = storage
    tables.STORAGE_TENSOR_TYPE_TO_FIELD = {
        stored: helper.tensor_dtype_to_field(kind) for kind, stored in storage.items()
    }
    return tables


def _addons() -> ModuleType:
    """`tensorflow_addons.seq2seq.hardmax`."""
    import tensorflow as tf

    def hardmax(logits: Any, name: str | None = None) -> Any:
        """One where a row is largest, else zero."""
        return tf.one_hot(tf.argmax(logits, -1), tf.shape(logits)[-1], dtype=logits.dtype, name=name)

    module: Any = ModuleType("tensorflow_addons")
    module.seq2seq = ModuleType("seq2seq")
    module.seq2seq.hardmax = hardmax
    result: ModuleType = module
    return result


def _probability() -> ModuleType:
    """`tensorflow_probability.distributions`, whose Bernoulli is random and therefore refused before it is reached."""
    module: Any = ModuleType("tensorflow_probability")
    module.distributions = ModuleType("distributions")
    result: ModuleType = module
    return result
