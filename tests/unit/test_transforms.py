"""Operations of Fourier transforms: 5 N log2 N, half of it for real numbers, whatever way they are spelled."""

from __future__ import annotations

from typing import Any

import pytest

from inspector.engines.summary.call import Call
from inspector.engines.summary.transforms import transforms
from inspector.ir.operators import canonical

LINES = 3
EIGHT, TABLE = LINES * 5 * 8 * 3, 5 * 32 * 5
"""Three transforms of eight numbers, and one of four by eight."""


@pytest.mark.parametrize(
    ("op", "shape", "output", "attributes", "want"),
    [
        ("aten.fft_fft.default", (3, 8), (3, 8), {}, EIGHT),
        ("aten::fft_ifft", (8, 3), (8, 3), {"dim": 0}, EIGHT),
        ("aten::fft_rfft", (3, 8), (3, 5), {}, EIGHT // 2),
        ("aten.fft_rfft.default", (3, 20), (3, 5), {"n": 8, "dim": -1}, EIGHT // 2),
        ("aten.fft_irfft.default", (3, 5), (3, 8), {"n": 8}, EIGHT // 2),
        ("aten._fft_r2c.default", (3, 8), (3, 5), {"dim": (1,), "normalization": 0, "onesided": True}, EIGHT // 2),
        ("aten._fft_c2r.default", (3, 5), (3, 8), {"dim": (1,), "last_dim_size": 8}, EIGHT // 2),
        ("aten.fft_fft2.default", (4, 8), (4, 8), {}, TABLE),
        ("aten.fft_fftn.default", (4, 8), (4, 8), {}, TABLE),
        ("aten.fft_fftn.default", (3, 8), (3, 8), {"s": (8,)}, EIGHT),
        ("aten.fft_rfft2.default", (2, 4, 8), (2, 4, 5), {"dim": (-2, -1)}, TABLE),
        ("aten::fft_fft", (3, 1), (3, 1), {}, 0),
        ("aten::fft_fft", (3, 8), None, {}, None),
        ("aten::fft_fft", (3, 8), (3, 8), {"dim": 7}, None),
        ("aten::fft_fftn", (3, 8), (3, 8), {"dim": (0, "x")}, None),
        ("aten::fft_fft", (3, 8), (2**62,) * 30, {}, None),
        ("aten::stft", (16,), (5, 3), {"n_fft": 8, "return_complex": True}, EIGHT // 2),
        ("aten::stft", (16,), (5, 3, 2), {"n_fft": 8}, EIGHT // 2),
        ("aten::istft", (5, 3), (16,), {"n_fft": 8}, EIGHT // 2),
        ("STFT", (1, 16, 1), (1, 3, 5, 2), {}, None),  # ONNX' has its length among the inputs
    ],
)
def test_transforms(
    op: str, shape: tuple[int, ...], output: tuple[int, ...] | None, attributes: dict[str, Any], want: int | None
) -> None:
    assert transforms(Call(canonical(op), op, (shape,), (output,), attributes=attributes)) == want
