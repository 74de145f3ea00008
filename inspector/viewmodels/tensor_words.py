"""What is said of a tensor beside its figures."""

from __future__ import annotations

from inspector.viewmodels import words
from inspector.worker.tasks.tensor import TensorView

TRAINS = {True: ", trainable", False: ", not trained", None: ""}


def facts(view: TensorView) -> str:
    """Shape, type, size and role in a line."""
    shown = view.shown or view.dtype
    same = shown in (view.dtype, view.dtype.removeprefix("q"))  # qint8 is int8 with a scale
    kind = view.dtype if same else f"{view.dtype}, shown as {shown}"
    parts = (words.shape(view.shape), kind, words.size(view.nbytes), f"{view.role}{TRAINS[view.trainable]}")
    return "  ·  ".join(parts)


def quantized_words(view: TensorView) -> str:
    """Scale and zero point; empty where the tensor is not quantized."""
    found = view.quantized
    if found is None:
        return ""
    if found.count == 1:
        scale = f"scale {found.scales[0]:.6g}"
    else:
        low, high = f"{found.low:.4g}", f"{found.high:.4g}"
        scale = f"{found.count:,} scales{f', {low} … {high}' if low != high else f' of {low}'}"
    if len(found.zero_points) == 1:
        zero = f"zero point {words.figure(found.zero_points[0])}"
    else:
        zero = f"zero points {', '.join(words.figure(each) for each in found.zero_points)}"
        zero += ", …" if found.count > len(found.zero_points) else ""
    if found.offset:
        zero = f"offset {found.offset:.6g}"
    return f"Quantized {found.how}: {scale}, {zero} ({found.source})"


def sample_words(view: TensorView) -> str:
    """That the figures are of a sample or of magnitudes, or that there are none; empty where they are of all values."""
    if not view.total:
        return "It holds no values."
    of = "magnitudes" if (view.shown or view.dtype).startswith("complex") else "values"
    if view.looked_at >= view.total:
        return "Statistics and colours are of magnitudes." if of == "magnitudes" else ""
    return f"Statistics of a sample: {words.count(view.looked_at)} of {words.count(view.total)} {of}"
