"""Covariance and correlation of several variables."""

from __future__ import annotations

import warnings
from typing import Any

from ..autograd.variable import Variable
from .linalg import mm
from .matrices import type_name
from .operands import require_tensor

__all__ = ["corrcoef", "cov"]


def _weights(name: str, weights: Any, observations: int, kind: str, integral: bool) -> Any:
    """Weights of the observations, checked."""
    require_tensor("cov", name, weights)
    array = weights._array
    if array.ndim > 1:
        raise RuntimeError(
            f"cov(): expected {name} to have one or fewer dimensions but got {name} with {array.ndim} dimensions"
        )
    if (array.dtype.kind in "iu") != integral or array.dtype.kind == "b":
        raise RuntimeError(
            f"cov(): expected {name} to have {kind} dtype but got {name} with {type_name(weights)} dtype"
        )
    if array.size != observations:
        raise RuntimeError(
            f"cov(): expected {name} to have the same numel as there are observations in the input but got "
            f"{array.size} != {observations}"
        )
    if array.size and bool((weights.detach() < 0).any()):
        raise RuntimeError(f"cov(): {name} cannot be negative")
    return weights


def cov(input: Any, *, correction: int = 1, fweights: Any = None, aweights: Any = None) -> Any:
    """The covariances of the rows of a matrix, its columns being observations: (n, k) gives (n, n).

    Args:
        correction: what the sum of the weights is lessened by: 1 for a sample, 0 for a whole population.
        fweights: how often each observation counts; integers.
        aweights: how much each observation counts.

    Raises:
        RuntimeError: for more than 2 dimensions, bools, and weights that don't fit.
    """
    require_tensor("cov", "input", input)
    ndim = input._array.ndim
    if ndim > 2:
        raise RuntimeError(
            f"cov(): expected input to have two or fewer dimensions but got an input with {ndim} dimensions"
        )
    if input._array.dtype.kind == "b":
        raise RuntimeError("cov(): bool dtype is not supported for input")
    x = input if ndim == 2 else input.reshape(1, -1)
    observations = x._array.shape[1]
    weights = None
    if fweights is not None:
        weights = _weights("fweights", fweights, observations, "integral", True)
    if aweights is not None:
        checked = _weights("aweights", aweights, observations, "floating point", False)
        weights = checked if weights is None else weights * checked
    total: Any = observations if weights is None else weights.sum()
    if weights is not None and bool(total == 0):
        raise RuntimeError("cov(): weights sum to zero, can't be normalized")
    centre = (x if weights is None else x * weights).sum(1) / total
    if weights is not None and aweights is not None and correction != 0:
        norm = total - correction * (weights * aweights).sum() / total
    else:
        norm = total - correction
    if bool(norm <= 0):
        warnings.warn("cov(): degrees of freedom is <= 0. Correction should be strictly less than the number of "
                      "observations.", stacklevel=2)  # fmt: skip
        norm = norm * 0
    x = x - centre.unsqueeze(1)
    return (mm(x, (x if weights is None else x * weights).t()) / norm).squeeze()


def corrcoef(input: Any) -> Any:
    """The correlation coefficients of the rows of a matrix, its columns being observations: (n, k) gives (n, n)."""
    require_tensor("corrcoef", "input", input)
    if input._array.ndim > 2:
        raise RuntimeError(
            "corrcoef(): expected input to have two or fewer dimensions but got an input with "
            f"{input._array.ndim} dimensions"
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        c = cov(input)
    if not c._array.ndim:
        return c / c
    deviation = c.diagonal().sqrt()
    return (c / deviation.reshape(-1, 1) / deviation.reshape(1, -1)).clamp(-1, 1)


class CovarianceMethods(Variable):
    """The functions of this file as methods of ``Tensor``."""

    __slots__ = ()

    cov = cov
    corrcoef = corrcoef
