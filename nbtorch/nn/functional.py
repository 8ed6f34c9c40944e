"""The functions behind the layers, with the signatures of ``torch.nn.functional``.

What computes is in :mod:`nbtorch.ops`; here are the arguments that only PyTorch's functions have (``inplace``, the
older ways to say ``reduction``, defaults), and the checks whose messages say how to go on.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

from .. import ops
from ..autograd import no_grad
from ..backends.dtypes import dtype as DType
from ..backends.dtypes import float64
from ..ops import (
    glu,
    hardshrink,
    linear,
    logsigmoid,
    normalization,
    one_hot,
    prelu,
    sigmoid,
    softplus,
    softsign,
    tanh,
    tanhshrink,
)
from ..ops.loss import reduce_loss
from ..ops.operands import broadcast_shapes
from ..tensor import Tensor, empty, empty_like, full_like, ones_like
from .reduction import resolve_reduction

__all__ = [
    "alpha_dropout", "bilinear", "binary_cross_entropy", "binary_cross_entropy_with_logits", "celu",
    "cosine_similarity", "cross_entropy", "dropout", "elu", "embedding", "gaussian_nll_loss", "gelu", "glu",
    "hardshrink", "hardsigmoid", "hardswish", "hardtanh", "huber_loss", "kl_div", "l1_loss", "layer_norm",
    "leaky_relu", "linear", "log_softmax", "logsigmoid", "mish", "mse_loss", "nll_loss", "normalize", "one_hot",
    "poisson_nll_loss", "prelu", "relu", "relu6", "relu_", "rms_norm", "rrelu", "selu", "sigmoid", "silu",
    "smooth_l1_loss", "softmax", "softmin", "softplus", "softshrink", "softsign", "tanh", "tanhshrink", "threshold",
]  # fmt: skip

_SELU_ALPHA = 1.6732632423543772848170429916717
_SELU_SCALE = 1.0507009873554804934193349852946


def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """``y[k] = x1 @ weight[k] @ x2 + bias[k]``: inputs ``(*, n)`` and ``(*, m)``, weight ``(out, n, m)``."""
    result = ops.einsum("...n,knm,...m->...k", input1, weight, input2)
    return result if bias is None else result + bias  # type: ignore[no-any-return]


# -- activations -------------------------------------------------------------------------------------------------------


def _store(input: Tensor, result: Tensor, inplace: bool) -> Tensor:
    """``result``, written over ``input`` if that is wanted; gradients go the way of the result."""
    return input.copy_(result) if inplace else result


def _free(input: Tensor, inplace: bool) -> Tensor:
    """What to compute from: the input, or a copy of it if it will be overwritten but is needed for the gradient."""
    return input.clone() if inplace else input


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """``max(x, 0)``; any shape."""
    return input.relu_() if inplace else ops.relu(input)


def relu_(input: Tensor) -> Tensor:
    """``max(x, 0)``, in place."""
    return input.relu_()


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """``x`` where it is positive, ``negative_slope · x`` elsewhere; any shape."""
    return _store(input, ops.leaky_relu(_free(input, inplace), negative_slope), inplace)


def rrelu(
    input: Tensor, lower: float = 1.0 / 8, upper: float = 1.0 / 3, training: bool = False, inplace: bool = False
) -> Tensor:
    """A leaky ReLU whose slope is drawn from [lower, upper] for each value in training, else their mean."""
    source = _free(input, inplace)
    if training:
        slopes = ones_like(source.detach())
        below = source.detach() <= 0
        count = int(below.sum().item())
        # Only the values that are bent draw a slope, in double precision, as in PyTorch.
        drawn = empty(count, dtype=float64, device=source.device).uniform_(lower, upper)
        slopes[below] = drawn.to(source.dtype)
        return _store(input, source * slopes, inplace)
    return _store(input, ops.leaky_relu(source, (lower + upper) / 2), inplace)


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """``x`` where it is positive, ``alpha · (exp(x) - 1)`` elsewhere; any shape."""
    return _store(input, ops.elu(_free(input, inplace), alpha), inplace)


def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """``x`` where it is positive, ``alpha · (exp(x / alpha) - 1)`` elsewhere; any shape."""
    return _store(input, ops.celu(_free(input, inplace), alpha), inplace)


def selu(input: Tensor, inplace: bool = False) -> Tensor:
    """A scaled ELU whose constants keep mean 0 and variance 1 (Klambauer et al. 2017); any shape."""
    return _store(input, ops.selu(_free(input, inplace)), inplace)


def gelu(input: Tensor, *, approximate: str = "none") -> Tensor:
    """``x · Φ(x)`` with the normal distribution function Φ, or its approximation by ``"tanh"``; any shape."""
    return ops.gelu(input, approximate)


def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """``x · sigmoid(x)``; any shape."""
    return _store(input, ops.silu(_free(input, inplace)), inplace)


def mish(input: Tensor, inplace: bool = False) -> Tensor:
    """``x · tanh(softplus(x))``; any shape."""
    return _store(input, ops.mish(_free(input, inplace)), inplace)


def softshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """``x`` moved towards 0 by ``lambd``, and 0 where it would pass it.

    Raises:
        RuntimeError: if ``lambd`` is negative.
    """
    if lambd < 0:
        raise RuntimeError(f"lambda must be greater or equal to 0, but found to be {lambd}.")
    return ops.softshrink(input, lambd)


def hardtanh(input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Tensor:
    """``clamp(x, min_val, max_val)``; any shape.

    Raises:
        ValueError: if the bounds are the wrong way round.
    """
    if min_val > max_val:
        raise ValueError(f"min_val cannot be greater than max_val, got {min_val} and {max_val}")
    return _store(input, ops.hardtanh(_free(input, inplace), min_val, max_val), inplace)


def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    """``clamp(x, 0, 6)``; any shape."""
    return hardtanh(input, 0.0, 6.0, inplace)


def hardsigmoid(input: Tensor, inplace: bool = False) -> Tensor:
    """``clamp(x / 6 + 1/2, 0, 1)``; any shape."""
    return _store(input, ops.hardsigmoid(_free(input, inplace)), inplace)


def hardswish(input: Tensor, inplace: bool = False) -> Tensor:
    """``x · hardsigmoid(x)``; any shape."""
    return _store(input, ops.hardswish(_free(input, inplace)), inplace)


def threshold(input: Tensor, threshold: float, value: float, inplace: bool = False) -> Tensor:
    """``x`` where it exceeds ``threshold``, and ``value`` elsewhere; any shape."""
    return _store(input, ops.threshold(_free(input, inplace), threshold, value), inplace)


def _softmax_dim(name: str, ndim: int, stacklevel: int) -> int:
    warnings.warn(
        f"Implicit dimension choice for {name} has been deprecated. Change the call to include dim=X as an argument.",
        stacklevel=stacklevel + 1,
    )
    return 0 if ndim in (0, 1, 3) else 1


def softmax(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: DType | None = None) -> Tensor:
    """``exp(x) / sum(exp(x))`` along ``dim``; the shape stays. ``dtype`` converts the input first."""
    return ops.softmax(input, _softmax_dim("softmax", input.dim(), _stacklevel) if dim is None else dim, dtype)


def softmin(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: DType | None = None) -> Tensor:
    """The softmax of ``-x`` along ``dim``; the shape stays."""
    return ops.softmax(-input, _softmax_dim("softmin", input.dim(), _stacklevel) if dim is None else dim, dtype)


def log_softmax(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: DType | None = None) -> Tensor:
    """The logarithm of the softmax along ``dim``, without overflow; the shape stays."""
    return ops.log_softmax(input, _softmax_dim("log_softmax", input.dim(), _stacklevel) if dim is None else dim, dtype)


# -- dropout -----------------------------------------------------------------------------------------------------------


def _check_probability(p: float) -> None:
    if p < 0.0 or p > 1.0:
        raise ValueError(
            f"dropout probability has to be between 0 and 1, but got {p}\n  expected: the share of elements to drop"
        )


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Sets each value to 0 with probability ``p`` and divides the others by ``1 - p``; the input if not ``training``.

    Raises:
        ValueError: unless ``0 ≤ p ≤ 1``.
    """
    _check_probability(p)
    return _store(input, ops.dropout(input, p, training), inplace)


def alpha_dropout(input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False) -> Tensor:
    """Dropout that keeps the mean 0 and variance 1 of a :func:`selu` network (Klambauer et al. 2017).

    Dropped values become the value that SELU has at minus infinity; then all are scaled and shifted.

    Raises:
        ValueError: unless ``0 ≤ p ≤ 1``.
    """
    _check_probability(p)
    if not training or p == 0.0:
        return input
    if p == 1.0:
        return _store(input, input * 0, inplace)
    floor = -_SELU_ALPHA * _SELU_SCALE
    scale = 1 / math.sqrt((1 - p) * (1 + p * floor**2))
    kept = empty_like(input.detach()).bernoulli_(1 - p)
    result = (input * kept + floor * (1 - kept)) * scale - scale * floor * p
    return _store(input, result, inplace)


# -- tables and normalisation ------------------------------------------------------------------------------------------


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


def layer_norm(
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """Subtracts the mean and divides by the deviation over the last dimensions, then scales and shifts."""
    return normalization.layer_norm(input, normalized_shape, weight, bias, eps)


def rms_norm(
    input: Tensor, normalized_shape: Sequence[int], weight: Tensor | None = None, eps: float | None = None
) -> Tensor:
    """Divides by the root of the mean square over the last dimensions, then scales."""
    return normalization.rms_norm(input, normalized_shape, weight, eps)


def normalize(input: Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12) -> Tensor:
    """Divides by the p-norm along ``dim``, which is taken as ``eps`` where it is smaller; the shape stays."""
    return input / input.norm(p, dim, keepdim=True).clamp_min(eps)  # type: ignore[no-any-return]


def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """The cosine of the angle between ``x1`` and ``x2`` along ``dim``, which disappears."""
    shape = broadcast_shapes("cosine_similarity", tuple(x1.shape), tuple(x2.shape))
    x1, x2 = x1.expand(shape), x2.expand(shape)
    squares = (x1 * x1).sum(dim).clamp_min(eps * eps), (x2 * x2).sum(dim).clamp_min(eps * eps)
    return (x1 * x2).sum(dim) / (squares[0].sqrt() * squares[1].sqrt())


# -- losses ------------------------------------------------------------------------------------------------------------


def _weighted(errors: Tensor, weight: Tensor, reduction: str, input: Tensor) -> Tensor:
    """The reduction of weighted errors; their mean is over the sum of the weights."""
    _check_weight(weight, input)
    weighted = errors * weight
    return weighted.sum() / weight.sum() if reduction == "mean" else reduce_loss(weighted, reduction)


def _check_weight(weight: Tensor, input: Tensor) -> None:
    if weight.shape != input.shape:
        raise ValueError(
            f"Weights and input must have the same size: got {tuple(weight.shape)} and {tuple(input.shape)}."
        )


def mse_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """The mean (or sum, or each) of ``(input - target)²``, if wanted weighted; shapes that differ are warned of."""
    reduction = resolve_reduction(reduction, size_average, reduce)
    if weight is not None:
        return _weighted(ops.mse_loss(input, target, "none"), weight, reduction, input)
    return ops.mse_loss(input, target, reduction)  # type: ignore[no-any-return]


def l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """The mean (or sum, or each) of ``|input - target|``, if wanted weighted; shapes that differ are warned of."""
    reduction = resolve_reduction(reduction, size_average, reduce)
    if weight is not None:
        return _weighted(ops.l1_loss(input, target, "none"), weight, reduction, input)
    return ops.l1_loss(input, target, reduction)  # type: ignore[no-any-return]


def smooth_l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    beta: float = 1.0,
) -> Tensor:
    """``d² / (2·beta)`` where ``|d| < beta``, else ``|d| - beta/2``; shapes that differ are warned of.

    Raises:
        RuntimeError: if ``beta`` is negative.
    """
    return ops.smooth_l1_loss(input, target, resolve_reduction(reduction, size_average, reduce), beta)  # type: ignore[no-any-return]


def huber_loss(
    input: Tensor, target: Tensor, reduction: str = "mean", delta: float = 1.0, weight: Tensor | None = None
) -> Tensor:
    """``d² / 2`` where ``|d| ≤ delta``, else ``delta · (|d| - delta/2)``; shapes that differ are warned of.

    Raises:
        RuntimeError: unless ``delta`` is positive.
    """
    if weight is None:
        return ops.huber_loss(input, target, reduction, delta)  # type: ignore[no-any-return]
    _check_weight(weight, input)
    return reduce_loss(ops.huber_loss(input, target, "none", delta) * weight, reduction)  # type: ignore[no-any-return]


def nll_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Minus the log-probability ``input`` of the right class ``target``; see :class:`nbtorch.nn.NLLLoss`."""
    return ops.nll_loss(input, target, weight, ignore_index, resolve_reduction(reduction, size_average, reduce))  # type: ignore[no-any-return]


def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """The cross-entropy of logits and classes, or probabilities; see :class:`nbtorch.nn.CrossEntropyLoss`."""
    reduction = resolve_reduction(reduction, size_average, reduce)
    return ops.cross_entropy(input, target, weight, ignore_index, reduction, label_smoothing)  # type: ignore[no-any-return]


def binary_cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """``-(t · log(x) + (1-t) · log(1-x))``, where the logarithms are at least -100.

    Raises:
        ValueError: if the shapes differ.
        RuntimeError: if a value of the input is not between 0 and 1.
    """
    return ops.binary_cross_entropy(input, target, weight, resolve_reduction(reduction, size_average, reduce))  # type: ignore[no-any-return]


def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    pos_weight: Tensor | None = None,
) -> Tensor:
    """The binary cross-entropy of ``sigmoid(input)``, without overflow.

    Raises:
        ValueError: if the shapes differ.
    """
    reduction = resolve_reduction(reduction, size_average, reduce)
    return ops.binary_cross_entropy_with_logits(input, target, weight, reduction, pos_weight)  # type: ignore[no-any-return]


def kl_div(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    log_target: bool = False,
) -> Tensor:
    """``target · (log target - input)``; see :class:`nbtorch.nn.KLDivLoss`."""
    reduction = resolve_reduction(reduction, size_average, reduce)
    if reduction == "mean":
        warnings.warn(
            "reduction: 'mean' divides the total loss by both the batch size and the support size. 'batchmean' "
            "divides only by the batch size, and aligns with the KL div math definition.",
            stacklevel=2,
        )
    return ops.kl_div(input, target, reduction, log_target)  # type: ignore[no-any-return]


def poisson_nll_loss(
    input: Tensor,
    target: Tensor,
    log_input: bool = True,
    full: bool = False,
    size_average: bool | None = None,
    eps: float = 1e-8,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Minus the log-likelihood of counts; see :class:`nbtorch.nn.PoissonNLLLoss`."""
    reduction = resolve_reduction(reduction, size_average, reduce)
    errors = input.exp() - target * input if log_input else input - target * (input + eps).log()
    if full:  # Stirling's approximation of log(target!)
        stirling = target * target.log() - target + 0.5 * (2 * math.pi * target).log()
        errors = errors + stirling.masked_fill(target <= 1, 0)
    return reduce_loss(errors, reduction)  # type: ignore[no-any-return]


def gaussian_nll_loss(
    input: Tensor,
    target: Tensor,
    var: Tensor | float,
    full: bool = False,
    eps: float = 1e-6,
    reduction: str = "mean",
) -> Tensor:
    """Minus the log-likelihood under normal distributions; see :class:`nbtorch.nn.GaussianNLLLoss`.

    Raises:
        ValueError: if a variance is negative, or its shape does not fit.
    """
    variance: Any = var if isinstance(var, Tensor) else full_like(input.detach(), var)
    if (variance < 0).any():
        raise ValueError("var has negative entry/entries")
    if variance.shape != input.shape:
        sizes, wanted = tuple(variance.shape), tuple(input.shape)
        if sizes == wanted[:-1]:
            variance = variance.unsqueeze(-1)
        elif len(sizes) != len(wanted) or sum(v for v, n in zip(sizes, wanted, strict=True) if v != n) != 1:
            raise ValueError(f"var is of incorrect size: got {sizes} for an input of {wanted}")
    variance = variance.clone()
    with no_grad():
        variance.clamp_(min=eps)
    errors = 0.5 * (variance.log() + (input - target) ** 2 / variance)
    return reduce_loss(errors + 0.5 * math.log(2 * math.pi) if full else errors, reduction)  # type: ignore[no-any-return]
