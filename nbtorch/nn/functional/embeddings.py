"""Tables of vectors, and classes as vectors."""

from __future__ import annotations

from ... import ops
from ...autograd import no_grad
from ...ops import (
    one_hot,
)
from ...tensor import Tensor

__all__ = [
    "embedding", "one_hot",
]  # fmt: skip


def embedding(
    input: Tensor,
    weight: Tensor,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:
    """The rows of ``weight`` ``(rows, n)`` at the indices ``input`` ``(*)``: ``(*, n)``.

    Args:
        input: integer indices.
        weight: the table.
        padding_idx: a row that gets no gradient.
        max_norm: rows that are looked up and are longer are shortened to this length first, in place.
        norm_type: which p-norm ``max_norm`` means.
        scale_grad_by_freq: divide a row's gradient by how often its index occurs.
        sparse: accepted; gradients are dense.

    Raises:
        IndexError: for an index outside the table.
        AssertionError: if ``padding_idx`` is outside the table.
    """
    if padding_idx is not None:
        rows = weight.size(0)
        if not -rows <= padding_idx < rows:
            raise AssertionError(f"Padding_idx must be within num_embeddings, got {padding_idx} for {rows} rows")
        padding_idx %= rows
    if max_norm is not None:
        _renormalize(weight, input, max_norm, norm_type)
    rows = ops.embedding(weight, input, padding_idx)
    if scale_grad_by_freq and rows.requires_grad:
        used = input.reshape(-1)
        counts = weight.new_zeros(weight.size(0)).index_add(0, used, weight.new_ones(used.numel()))
        share = (1 / counts[input]).unsqueeze(-1)
        rows.register_hook(lambda grad: grad * share)
    return rows


@no_grad()
def _renormalize(weight: Tensor, indices: Tensor, max_norm: float, norm_type: float) -> None:
    """Shorten, in place, the rows at ``indices`` that are longer than ``max_norm``."""
    used = indices.reshape(-1)
    rows = weight[used]
    lengths = (rows.abs() ** norm_type).sum(1, keepdim=True) ** (1 / norm_type)
    weight[used] = ops.where(lengths > max_norm, rows * (max_norm / (lengths + 1e-7)), rows)
