"""What layers compute by several operations, where PyTorch has it as a function of its own too."""

from __future__ import annotations

import math
from typing import Any

from ..autograd.modes import no_grad
from ..autograd.variable import TensorT, Variable
from ..backends.dtypes import bool_, float32, float64, int64
from .activation import leaky_relu, with_slopes
from .convolution import conv1d
from .creation import empty, ones_like
from .dropouts import dropout
from .joining import cat
from .linalg import einsum
from .loss import check_reduction, reduce_loss
from .norms import linalg_vector_norm
from .operands import broadcast_shapes, refuse_scalar, require_tensor, result_type
from .pointwise import where
from .rearranging import channel_shuffle
from .writing import become

__all__: list[str] = [
    "bilinear", "conv_tbc", "cosine_similarity", "embedding_renorm_", "native_channel_shuffle", "native_dropout",
    "norm_except_dim", "poisson_nll_loss", "rrelu", "rrelu_", "vander",
]  # fmt: skip


def bilinear(input1: TensorT, input2: Variable, weight: Any, bias: Variable | None = None) -> TensorT:
    """``y[k] = x1 @ weight[k] @ x2 + bias[k]``: inputs ``(*, n)`` and ``(*, m)``, weight ``(out, n, m)``.

    Raises:
        RuntimeError: where sizes don't fit.
    """
    inputs: tuple[tuple[str, Any], ...] = (("input1", input1), ("input2", input2))
    for (name, x), size in zip(inputs, (weight.shape[1:2], weight.shape[2:3]), strict=True):
        refuse_scalar("bilinear", name, x)
        if size and x.shape[-1] != size[0]:
            raise RuntimeError(
                f"bilinear(): {name} size does not match weight size: got {x.shape[-1]} but expected {size[0]}"
            )
    result: Any = einsum("...n,knm,...m->...k", input1, weight, input2)
    return result if bias is None else result + bias


def cosine_similarity(x1: TensorT, x2: Any, dim: int = 1, eps: float = 1e-8) -> TensorT:
    """The cosine of the angle between ``x1`` and ``x2`` along ``dim``, which disappears.

    Raises:
        RuntimeError: for integers.
    """
    a: Any = x1
    shape = broadcast_shapes("cosine_similarity", tuple(a.shape), tuple(x2.shape))
    common = result_type(a, x2)
    if not common.is_floating_point:
        raise RuntimeError(
            f"expected common dtype to be floating point, yet common dtype is {common!r}\n"
            "  operation: cosine_similarity\n  fix: x1.float(), x2.float()"
        )
    a, b = a.expand(shape), x2.expand(shape)
    squares = (a * a).sum(dim).clamp_min(eps * eps), (b * b).sum(dim).clamp_min(eps * eps)
    return (a * b).sum(dim) / (squares[0].sqrt() * squares[1].sqrt())


def poisson_nll_loss(
    input: TensorT, target: Any, log_input: bool, full: bool, eps: float, reduction: int | str
) -> TensorT:
    """Minus the log-likelihood of counts under a Poisson distribution with rate ``exp(input)``, or ``input``.

    Args:
        input: the rate or its logarithm, any shape.
        target: the counts.
        log_input: whether the input is a logarithm.
        full: whether Stirling's approximation of ``log(target!)`` is added for targets above 1.
        eps: keeps the logarithm finite where the input is the rate itself.
        reduction: 0 for none, 1 for the mean, 2 for the sum, or their names.

    Raises:
        ValueError: for another reduction.
    """
    kind = ("none", "mean", "sum")[reduction] if isinstance(reduction, int) else reduction
    check_reduction(kind)
    x: Any = input
    errors = x.exp() - target * x if log_input else x - target * (x + eps).log()
    if full:
        stirling = target * target.log() - target + 0.5 * (2 * math.pi * target).log()
        errors = errors + stirling.masked_fill(target <= 1, 0)
    return reduce_loss(errors, kind)


def rrelu(
    input: TensorT, lower: float = 1.0 / 8, upper: float = 1.0 / 3, training: bool = False, generator: Any = None
) -> TensorT:
    """A leaky ReLU whose slope is drawn from [lower, upper] for each value in training, else their mean.

    Raises:
        RuntimeError: where ``lower`` exceeds ``upper``.
    """
    if lower > upper:
        raise RuntimeError(
            "Lower bound should be less than or equal to the upper bound\n"
            f"  got: lower={lower}, upper={upper}\n  operation: rrelu"
        )
    if not training:
        return leaky_relu(input, (lower + upper) / 2)
    values: Any = input.detach()  # type: ignore[attr-defined]
    slopes: Any = ones_like(values)
    below = values <= 0
    # Only the values that are bent draw a slope, in double precision between bounds in single, as in PyTorch.
    if values.dtype != float64:
        lower, upper = (slopes.new_tensor(bound, dtype=float32).item() for bound in (lower, upper))
    drawn: Any = empty(int(below.sum().item()), dtype=float64, device=values.device)
    slopes[below] = (drawn.uniform_(generator=generator) * (upper - lower) + lower).to(values.dtype)
    return with_slopes(input, slopes)


def rrelu_(
    input: TensorT, lower: float = 1.0 / 8, upper: float = 1.0 / 3, training: bool = False, generator: Any = None
) -> TensorT:
    """:func:`rrelu` in place."""
    return become(input, rrelu, lower, upper, training, generator)


def embedding_renorm_(input: TensorT, indices: Any, max_norm: float, norm_type: float) -> TensorT:
    """Shortens, in place, the rows of ``input`` ``(rows, n)`` at ``indices`` that are longer than ``max_norm``.

    Raises:
        RuntimeError: for indices that are no integers.
        IndexError: for an index outside the table.
    """
    require_tensor("embedding_renorm_", "input", input)
    if str(indices.dtype) not in ("torch.int64", "torch.int32"):
        raise RuntimeError(
            "Expected tensor for argument #2 'indices' to have one of the following scalar types: Long, Int; but got "
            f"{indices.type()} instead (while checking arguments for embedding_renorm_)"
        )
    table: Any = input
    with no_grad():
        used = indices.reshape(-1)
        rows = table[used]
        lengths = linalg_vector_norm(rows, norm_type, 1, True)
        table[used] = where(lengths > max_norm, rows * (max_norm / (lengths + 1e-7)), rows)
    return input


def native_channel_shuffle(input: TensorT, groups: int) -> TensorT:
    """:func:`channel_shuffle`."""
    return channel_shuffle(input, groups)


def native_dropout(input: TensorT, p: float, train: bool | None) -> tuple[TensorT, TensorT]:
    """:func:`dropout`, and the mask of what it kept.

    Raises:
        RuntimeError: for a probability outside [0, 1].
    """
    if not 0 <= p <= 1:
        raise RuntimeError(f"bernoulli_ expects p to be in [0, 1], but got p={1 - p}")
    if train is False or p == 0:
        x: Any = input
        return x.clone(), x.new_ones(x.shape, dtype=bool_)
    # The share that is kept stands for the values, so that zeros among them are known as kept.
    kept: Any = dropout(ones_like(input.detach()), p)  # type: ignore[attr-defined]
    return input * kept, kept != 0


def norm_except_dim(v: TensorT, pow: int = 2, dim: int = 0) -> TensorT:
    """The norm of each slice of ``v`` along ``dim``, with the others kept as 1; of the whole where ``dim`` is -1."""
    x: Any = v
    dims = None if dim == -1 else [d for d in range(x.dim()) if d != dim]
    if dims == []:
        return x.abs()
    return linalg_vector_norm(v, pow, dims, dims is not None)


def conv_tbc(input: TensorT, weight: Any, bias: Any, pad: int = 0) -> TensorT:
    """A convolution over time of ``input`` ``(time, batch, channels)`` with ``weight`` ``(width, channels, out)``.

    Raises:
        RuntimeError: where numbers of dimensions or sizes don't fit.
    """
    x: Any = input
    for what, t, dims in (
        ("Input must have 3 dims: time, batch, in_channel", x, 3),
        ("Weight tensor must have 3 dims: kernel_width, in_channels, out_channels.", weight, 3),
        ("Bias must be 1-D", bias, 1),
    ):
        if t.dim() != dims:
            raise RuntimeError(f"{what}\n  got: shape {tuple(t.shape)}")
    if x.size(2) != weight.size(1):
        raise RuntimeError("Input dim 2 (input channels) is not == dim 1 in the weight tensor")
    if bias.size(0) != weight.size(2):
        raise RuntimeError("Bias size must equal dim 2 in the weight tensor (output channels).")
    return conv1d(x.permute(1, 2, 0), weight.permute(2, 1, 0), bias, padding=pad).permute(2, 0, 1)


def vander(x: TensorT, N: int | None = None, increasing: bool = False) -> TensorT:
    """The powers of the elements of ``x`` ``(n,)`` as a matrix ``(n, N)``, the highest first unless ``increasing``.

    Raises:
        RuntimeError: unless ``x`` has one dimension and ``N`` is not negative.
    """
    values: Any = x
    if values.dim() != 1:
        raise RuntimeError("x must be a one-dimensional tensor.")
    count = len(values) if N is None else N
    if count < 0:
        raise RuntimeError("N must be non-negative.")
    base = values if values.dtype.is_floating_point else values.to(int64)
    column = base[:, None].expand(-1, max(count - 1, 0))
    powers: Any = cat((base.new_ones((len(values), min(count, 1))), column.cumprod(1)), 1)
    return powers if increasing else powers.flip(1)
