"""Dropout: values, or whole channels, set to zero at random."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..autograd.variable import TensorT, Variable, wrap
from ..backends.layouts import like_first
from . import distributions
from .distributions import F32, Array
from .generator import default_generator
from .operands import require_tensor
from .pointwise import add
from .random import along_memory
from .record import Op, apply
from .writing import become

__all__: list[str] = [
    "alpha_dropout", "alpha_dropout_", "dropout", "dropout_", "feature_alpha_dropout", "feature_alpha_dropout_",
    "feature_dropout", "feature_dropout_",
]  # fmt: skip

# What SELU gives at minus infinity, with its sign turned: its scale times its alpha.
_SELU_FLOOR = 1.7580993408473766

DROPOUT = Op(
    "dropout",
    lambda m, input, mask: m.mul(input, mask),
    tensors=2,
    node="MulBackward0",
    input=lambda g, mask: g * mask,
    formula=r"\frac{\partial L}{\partial x} = g \cdot \mathrm{mask}/(1-p)",
    layout=like_first,
)


def _drop(function: str, input: Any, p: float, train: bool, features: bool, alpha: bool) -> Any:
    """What the dropouts share: ``input · noise``, plus what alpha dropout adds.

    Raises:
        ValueError: for a probability outside [0, 1].
        RuntimeError: where features are dropped of a tensor with less than two dimensions.
    """
    require_tensor(function, "input", input)
    if not 0.0 <= p <= 1.0:
        raise ValueError(
            f"dropout probability has to be between 0 and 1, but got {p}\n  expected: the share of elements to drop"
        )
    array, m = input._array, input._backend
    if not train or p == 0.0 or not array.size:
        return input
    if not input._dtype().is_floating_point:
        raise RuntimeError(
            f"result type Float can't be cast to the desired output type {input._dtype()!r}\n  operation: {function}\n"
            "  fix: x.float()"
        )
    if p == 1.0:
        return apply(DROPOUT, (input, wrap(m.zeros((), array.dtype), m)))
    noise, dtype = _kept(function, array, p, features), array.dtype

    # Computed in the tensor's dtype, one step after the other (half precision: in single, and rounded).
    def rounded(x: Array) -> Array:
        return x.astype(dtype, copy=False)

    wide = dtype if dtype == np.float64 else F32
    number = wide.type
    if not alpha:
        noise = noise.astype(wide, copy=False)
        noise /= number(1 - p)  # it is nobody else's
        return apply(DROPOUT, (input, wrap(m.from_host(rounded(noise)), m)))
    a = 1.0 / math.sqrt((_SELU_FLOOR * _SELU_FLOOR * p + 1) * (1 - p))
    shift = rounded(rounded(noise - dtype.type(1)).astype(wide) * number(_SELU_FLOOR * a))
    shift = rounded(shift.astype(wide) + number(_SELU_FLOOR * a * p))
    scaled = apply(DROPOUT, (input, wrap(m.from_host(rounded(noise.astype(wide) * number(a))), m)))
    return add(scaled, wrap(m.from_host(shift), m))


def _kept(function: str, array: Any, p: float, features: bool) -> Array:
    """1 where a value (or a feature) is kept, 0 where it is dropped."""
    if features:
        if array.ndim < 2:
            raise RuntimeError(
                f"Feature dropout requires at least 2 dimensions in the input\n  operation: {function}\n"
                f"  got: shape {tuple(array.shape)}\n  expected: (batch, features, ...)"
            )
        shape = tuple(array.shape[:2]) + (1,) * (array.ndim - 2)
        return distributions.unit_below(default_generator, math.prod(shape), 1 - p).reshape(shape).astype(array.dtype)
    kept = distributions.unit_below(default_generator, math.prod(array.shape), 1 - p)
    return along_memory(kept.astype(array.dtype), array)


def dropout(input: TensorT, p: float = 0.5, train: bool = True) -> TensorT:
    """Sets elements to 0 with probability ``p`` and scales the rest by 1 / (1 - p) (Srivastava et al. 2014).

    Raises:
        ValueError: for a probability outside [0, 1].
    """
    return _drop("dropout", input, p, train, False, False)


DROPOUT(dropout)


def feature_dropout(input: TensorT, p: float = 0.5, train: bool = True) -> TensorT:
    """As :func:`dropout`, for whole features: shape (batch, features, ...) (Tompson et al. 2015).

    Raises:
        ValueError: for a probability outside [0, 1].
        RuntimeError: for a tensor with less than two dimensions.
    """
    return _drop("feature_dropout", input, p, train, True, False)


def alpha_dropout(input: TensorT, p: float = 0.5, train: bool = False) -> TensorT:
    """Dropout that keeps the mean 0 and variance 1 of a network of :func:`selu` (Klambauer et al. 2017).

    Dropped values become the value that SELU has at minus infinity; then all are scaled and shifted.

    Raises:
        ValueError: for a probability outside [0, 1].
    """
    return _drop("alpha_dropout", input, p, train, False, True)


def feature_alpha_dropout(input: TensorT, p: float = 0.5, train: bool = False) -> TensorT:
    """As :func:`alpha_dropout`, for whole features: shape (batch, features, ...).

    Raises:
        ValueError: for a probability outside [0, 1].
        RuntimeError: for a tensor with less than two dimensions.
    """
    return _drop("feature_alpha_dropout", input, p, train, True, True)


def dropout_(input: Variable, p: float = 0.5, train: bool = True) -> Any:
    """:func:`dropout` in place."""
    return become(input, dropout, p, train) if train and p else input


def feature_dropout_(input: Variable, p: float = 0.5, train: bool = True) -> Any:
    """:func:`feature_dropout` in place."""
    return become(input, feature_dropout, p, train) if train and p else input


def alpha_dropout_(input: Variable, p: float = 0.5, train: bool = False) -> Any:
    """:func:`alpha_dropout` in place."""
    return become(input, alpha_dropout, p, train) if train and p else input


def feature_alpha_dropout_(input: Variable, p: float = 0.5, train: bool = False) -> Any:
    """:func:`feature_alpha_dropout` in place."""
    return become(input, feature_alpha_dropout, p, train) if train and p else input
