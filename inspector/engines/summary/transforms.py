"""Floating-point operations of Fourier transforms, which are no products of matrices and have no multiply-adds.

A transform of N complex numbers counts 5 · N · log2 N, one of real numbers half of it: not what an implementation does,
but what all are measured by (Frigo and Johnson, The Design and Implementation of FFTW3, 2005; `benchFFT`). Along
several dimensions N is the product of their lengths, and all that lies beside is as many transforms.
"""

from __future__ import annotations

from math import log2, prod

from inspector.engines.summary.call import Call, Numbers
from inspector.ir import Attribute

NAMES = frozenset({"fft", "stft"})
"""Canonical names of what is counted here."""
COMPLEX, REAL = 5.0, 2.5
TAKES_REAL = ("fft_rfft", "fft_ihfft", "fft_r2c")
GIVES_REAL = ("fft_irfft", "fft_hfft", "fft_c2r")


def transforms(call: Call) -> int | None:
    """Operations of one call; None where shapes or lengths are not known."""
    try:
        return _windows(call) if call.name == "stft" else _whole(call)
    except (IndexError, TypeError, ValueError, OverflowError):  # attributes that make no sense
        return None


def _windows(call: Call) -> int | None:
    """As many real transforms as there are frames; of PyTorch's operators, which say how long one is."""
    back = "istft" in call.op
    frames, length = call.input(0) if back else call.output, call.number("n_fft")
    if not frames or not length or len(frames) < 2:
        return None
    pair = not back and call.attributes.get("return_complex") is not True  # real and imaginary parts stand last
    sizes = frames[:-1] if pair else frames
    return int(REAL * prod((*sizes[:-2], sizes[-1])) * length * log2(length))


def _whole(call: Call) -> int | None:
    op = call.op.rpartition("::")[2].removeprefix("aten.").removesuffix(".default").strip("_")
    real = op.startswith((*TAKES_REAL, *GIVES_REAL))
    shape = call.input(0) if op.startswith(TAKES_REAL) else call.output
    if shape is None:
        return None
    lengths, dims = _asked(call, op, shape)
    sizes = list(shape)
    for dim, length in zip(dims, lengths, strict=False):
        if isinstance(length, int) and length > 0 and op.startswith(TAKES_REAL):
            sizes[dim] = length
    along = prod(sizes[dim] for dim in dims)
    return int((REAL if real else COMPLEX) * prod(sizes) * log2(along)) if along > 0 else 0


def _asked(call: Call, op: str, shape: Numbers) -> tuple[tuple[Attribute, ...], tuple[int, ...]]:
    """The lengths that are asked for, and along which dimensions."""
    given = call.attributes.get("s", call.attributes.get("n"))
    lengths = given if isinstance(given, tuple) else (given,)
    said = call.attributes.get("dim")
    if said is not None and said != ():
        dims = said if isinstance(said, tuple) else (said,)
        whole = tuple(dim for dim in dims if isinstance(dim, int))
        if len(whole) != len(dims):
            raise TypeError("a dimension that is no number")
        return lengths, whole
    if op.endswith("2"):
        return lengths, (-2, -1)
    if op.endswith("n"):
        return lengths, tuple(range(-len(given) if isinstance(given, tuple) and given else -len(shape), 0))
    return lengths, (-1,)
