"""Cases 21 to 27: what any file may be, whatever its name says."""

from __future__ import annotations

from case import Case, plain

CASES = (Case(21, "0 bytes called .onnx", plain(b"", "model.onnx"), "refused", "model.onnx is empty."),)
