"""The activation functions."""

from __future__ import annotations

import warnings

from ... import ops
from ...backends.dtypes import dtype as DType
from ...ops import (
    glu,
    hardshrink,
    logsigmoid,
    prelu,
    sigmoid,
    softplus,
    softsign,
    tanh,
    tanhshrink,
)
from ...tensor import Tensor, empty_like

__all__ = [
    "celu", "celu_", "elu", "elu_", "gelu", "glu", "gumbel_softmax", "hardshrink", "hardsigmoid", "hardswish",
    "hardtanh", "hardtanh_", "leaky_relu", "leaky_relu_", "log_softmax", "logsigmoid", "mish", "prelu", "relu",
    "relu6", "relu_", "rrelu", "rrelu_", "selu", "selu_", "sigmoid", "silu", "softmax", "softmin", "softplus",
    "softshrink", "softsign", "tanh", "tanhshrink", "threshold", "threshold_",
]  # fmt: skip

SELU_ALPHA = 1.6732632423543772848170429916717
SELU_SCALE = 1.0507009873554804934193349852946


def store(input: Tensor, result: Tensor, inplace: bool) -> Tensor:
    """``result``, written over ``input`` if that is wanted; gradients go the way of the result."""
    return input.copy_(result) if inplace else result


def free(input: Tensor, inplace: bool) -> Tensor:
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
    return store(input, ops.leaky_relu(free(input, inplace), negative_slope), inplace)


def rrelu(
    input: Tensor, lower: float = 1.0 / 8, upper: float = 1.0 / 3, training: bool = False, inplace: bool = False
) -> Tensor:
    """A leaky ReLU whose slope is drawn from [lower, upper] for each value in training, else their mean.

    Raises:
        RuntimeError: where ``lower`` exceeds ``upper``.
    """
    function = ops.rrelu_ if inplace else ops.rrelu
    return function(input, lower, upper, training)


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """``x`` where it is positive, ``alpha · (exp(x) - 1)`` elsewhere; any shape."""
    return store(input, ops.elu(free(input, inplace), alpha), inplace)


def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """``x`` where it is positive, ``alpha · (exp(x / alpha) - 1)`` elsewhere; any shape."""
    return store(input, ops.celu(free(input, inplace), alpha), inplace)


def selu(input: Tensor, inplace: bool = False) -> Tensor:
    """A scaled ELU whose constants keep mean 0 and variance 1 (Klambauer et al. 2017); any shape."""
    return store(input, ops.selu(free(input, inplace)), inplace)


def gelu(input: Tensor, *, approximate: str = "none", out: Tensor | None = None) -> Tensor:
    """``x · Φ(x)`` with the normal distribution function Φ, or its approximation by ``"tanh"``; any shape."""
    return ops.gelu(input, approximate, out=out)


def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """``x · sigmoid(x)``; any shape."""
    return store(input, ops.silu(free(input, inplace)), inplace)


def mish(input: Tensor, inplace: bool = False) -> Tensor:
    """``x · tanh(softplus(x))``; any shape."""
    return store(input, ops.mish(free(input, inplace)), inplace)


def softshrink(input: Tensor, lambd: float = 0.5, *, out: Tensor | None = None) -> Tensor:
    """``x`` moved towards 0 by ``lambd``, and 0 where it would pass it.

    Raises:
        RuntimeError: if ``lambd`` is negative.
    """
    if lambd < 0:
        raise RuntimeError(f"lambda must be greater or equal to 0, but found to be {lambd}.")
    return ops.softshrink(input, lambd, out=out)


def hardtanh(input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Tensor:
    """``clamp(x, min_val, max_val)``; any shape.

    Raises:
        ValueError: if the bounds are the wrong way round.
    """
    if min_val > max_val:
        raise ValueError(f"min_val cannot be greater than max_val, got {min_val} and {max_val}")
    return store(input, ops.hardtanh(free(input, inplace), min_val, max_val), inplace)


def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    """``clamp(x, 0, 6)``; any shape."""
    return hardtanh(input, 0.0, 6.0, inplace)


def hardsigmoid(input: Tensor, inplace: bool = False) -> Tensor:
    """``clamp(x / 6 + 1/2, 0, 1)``; any shape."""
    return store(input, ops.hardsigmoid(free(input, inplace)), inplace)


def hardswish(input: Tensor, inplace: bool = False) -> Tensor:
    """``x · hardsigmoid(x)``; any shape."""
    return store(input, ops.hardswish(free(input, inplace)), inplace)


def threshold(input: Tensor, threshold: float, value: float, inplace: bool = False) -> Tensor:
    """``x`` where it exceeds ``threshold``, and ``value`` elsewhere; any shape."""
    return store(input, ops.threshold(free(input, inplace), threshold, value), inplace)


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


def gumbel_softmax(
    logits: Tensor, tau: float = 1, hard: bool = False, eps: float = 1e-10, dim: int = -1
) -> Tensor:  # fmt: skip
    """Samples from a categorical distribution, relaxed so that gradients flow (Jang et al. 2017, Maddison et al. 2017).

    Args:
        logits: unnormalised log-probabilities, of any shape.
        tau: the temperature: small is close to one-hot.
        hard: return one-hot vectors, whose gradients are those of the relaxed samples.
        eps: accepted.
        dim: the dimension of the categories.
    """
    gumbels = -empty_like(logits.detach()).exponential_().log()
    soft = ops.softmax((logits + gumbels) / tau, dim)
    if not hard:
        return soft  # type: ignore[no-any-return]
    index = soft.max(dim, keepdim=True)[1]
    one_hot = empty_like(logits.detach()).zero_().scatter_(dim, index, 1.0)
    return one_hot - soft.detach() + soft  # type: ignore[no-any-return]


def celu_(input: Tensor, alpha: float = 1.0) -> Tensor:
    """:func:`celu` in place."""
    return celu(input, alpha, inplace=True)


def elu_(input: Tensor, alpha: float = 1.0) -> Tensor:
    """:func:`elu` in place."""
    return elu(input, alpha, inplace=True)


def hardtanh_(input: Tensor, min_val: float = -1.0, max_val: float = 1.0) -> Tensor:
    """:func:`hardtanh` in place."""
    return hardtanh(input, min_val, max_val, inplace=True)


def leaky_relu_(input: Tensor, negative_slope: float = 0.01) -> Tensor:
    """:func:`leaky_relu` in place."""
    return leaky_relu(input, negative_slope, inplace=True)


def rrelu_(input: Tensor, lower: float = 1.0 / 8, upper: float = 1.0 / 3, training: bool = False) -> Tensor:
    """:func:`rrelu` in place."""
    return rrelu(input, lower, upper, training, inplace=True)


def selu_(input: Tensor) -> Tensor:
    """:func:`selu` in place."""
    return selu(input, inplace=True)


def threshold_(input: Tensor, threshold: float, value: float) -> Tensor:
    """:func:`threshold` in place."""
    return store(input, ops.threshold(free(input, True), threshold, value), True)
