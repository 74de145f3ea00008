"""Keeping what converters print out of the way, and saying what went wrong in their words.

Converters print whole graphs (hundreds of kilobytes) on failure, warn about their own internals and log to stdout. What
they print is kept aside and shown, shortened, in the log when they fail.
"""

from __future__ import annotations

import io
import logging
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout

TAIL = 20_000
"""How much of what a failed converter printed goes to the log."""


@contextmanager
def quiet() -> Iterator[None]:
    """Hold back what is printed on stdout, and warnings; the last of it reaches the log when the body fails."""
    printed = io.StringIO()
    try:
        with redirect_stdout(printed), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except BaseException:
        sys.stderr.write(printed.getvalue()[-TAIL:])
        raise


def quiet_tensorflow() -> None:
    """Ask TensorFlow for errors only and for its CPU; to be called before it is imported for the first time."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    for name in ("tensorflow", "absl", "tf2onnx", "onnx-tf"):
        logging.getLogger(name).setLevel(logging.ERROR)


def in_short(error: BaseException, limit: int = 300) -> str:
    """The first telling line of an exception's message, without the machine's paths."""
    from inspector.engines.convert.onnx_file import relative

    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = relative(lines[0] if lines else type(error).__name__)
    return text if len(text) <= limit else text[: limit - 1] + "…"
