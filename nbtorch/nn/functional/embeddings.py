"""Tables of vectors, and classes as vectors."""

from __future__ import annotations

from ... import ops
from ...backends.dtypes import int64
from ...ops import (
    one_hot,
)
from ...tensor import Tensor

__all__ = [
    "embedding", "embedding_bag", "one_hot",
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
        ops.embedding_renorm_(weight, input, max_norm, norm_type)
    rows = ops.embedding(weight, input, padding_idx)
    if scale_grad_by_freq and rows.requires_grad:
        used = input.reshape(-1)
        counts = weight.new_zeros(weight.size(0)).index_add(0, used, weight.new_ones(used.numel()))
        share = (1 / counts[input]).unsqueeze(-1)
        rows.register_hook(lambda grad: grad * share)
    return rows


_MODES = {"sum": 0, "mean": 1, "max": 2}


def embedding_bag(
    input: Tensor,
    weight: Tensor,
    offsets: Tensor | None = None,
    max_norm: float | None = None,
    norm_type: float = 2,
    scale_grad_by_freq: bool = False,
    mode: str = "mean",
    sparse: bool = False,
    per_sample_weights: Tensor | None = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Tensor:
    """For each bag the sum, mean or largest of the rows of ``weight`` that it names: ``(bags, n)``.

    Args:
        input: integer indices: ``(bags, size)``, or all bags one after the other.
        weight: the table ``(rows, n)``.
        offsets: where each bag begins, for an ``input`` of one dimension.
        max_norm: rows that are looked up and are longer are shortened to this length first, in place.
        norm_type: which p-norm ``max_norm`` means.
        scale_grad_by_freq: divide a row's gradient by how often its index occurs.
        mode: ``"sum"``, ``"mean"`` or ``"max"``.
        sparse: accepted; gradients are dense.
        per_sample_weights: what each row is multiplied by, of the shape of ``input``; with ``"sum"`` only.
        include_last_offset: whether the last offset is the end of the last bag.
        padding_idx: a row that is passed over.

    Raises:
        ValueError: for shapes that don't fit, and an unknown mode.
        RuntimeError: for indices and offsets out of range, and dtypes that don't fit.
        NotImplementedError: for weights with another mode than ``"sum"``.
    """
    if per_sample_weights is not None and per_sample_weights.shape != input.shape:
        raise ValueError(
            f"embedding_bag: If per_sample_weights ({per_sample_weights.shape}) is not None, then it must have the "
            f"same shape as the input ({input.shape})"
        )
    if weight.dim() != 2:
        raise ValueError(f"weight has to be a 2D Tensor, but got Tensor of dimension {weight.dim()}")
    if input.dim() not in (1, 2):
        raise ValueError(f"input has to be 1D or 2D Tensor, but got Tensor of dimension {input.dim()}")
    if input.dim() == 2:
        if offsets is not None:
            raise ValueError(
                "if input is 2D, then offsets has to be None, as input is treated is a mini-batch of fixed length "
                f"sequences. However, found offsets of type {type(offsets)}"
            )
        bags, size = input.shape
        offsets = ops.arange(bags, dtype=int64, device=input.device) * size
        include_last_offset = False
        input = input.reshape(-1)
        per_sample_weights = None if per_sample_weights is None else per_sample_weights.reshape(-1)
    if offsets is None or offsets.dim() != 1:
        raise ValueError(f"offsets has to be a 1D Tensor{' but got None' if offsets is None else ''}")
    if mode not in _MODES:
        raise ValueError(f"mode has to be one of sum, mean or max\n  got: {mode!r}")
    if mode == "max" and scale_grad_by_freq:
        raise ValueError("max mode does not support scaling the gradient by the frequency")
    if mode == "max" and sparse:
        raise ValueError("max mode does not support sparse weights")
    if max_norm is not None:
        ops.embedding_renorm_(weight, input, max_norm, norm_type)
    if per_sample_weights is not None and mode != "sum":
        raise NotImplementedError(
            "embedding_bag: per_sample_weights was not None. per_sample_weights is only supported for mode='sum' (got "
            f"mode='{mode}'). Please open a feature request on GitHub."
        )
    return ops.embedding_bag(  # type: ignore[no-any-return]
        weight, input, offsets, scale_grad_by_freq, _MODES[mode], sparse, per_sample_weights, include_last_offset,
        padding_idx,
    )[0]  # fmt: skip
