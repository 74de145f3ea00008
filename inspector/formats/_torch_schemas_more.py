"""Names of the arguments of torch's less common operators, in the notation of `_torch_schemas`."""

from __future__ import annotations

MORE = """
narrow_copy self:T dim:I start:I length:I
to_sparse self:T sparse_dim:I
"""
