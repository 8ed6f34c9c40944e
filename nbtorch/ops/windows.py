"""Window functions: what a stretch of a signal is multiplied with before its spectrum is taken.

All are computed on the host in double precision and rounded once.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from ..autograd.variable import wrap
from ..backends import new_on
from ..backends.dtypes import dtype as DType
from ..backends.dtypes import float32, float64, get_default_dtype
from ..backends.layouts import strided
from .creation import as_numpy_dtype
from .writing import takes_out

__all__ = ["bartlett_window", "blackman_window", "hamming_window", "hann_window", "kaiser_window"]

Array = np.ndarray[Any, Any]


# -- the shapes, from the numbers 0 to n - 1 and the period ---


def cosines(n: int, period: int, weights: Iterable[float]) -> Array:
    """``Σ (-1)^i a_i cos(2π i k / period)``."""
    angle = 2 * math.pi / period * np.arange(n)
    terms = [(-1) ** i * a * np.cos(i * angle) for i, a in enumerate(weights)]
    return np.sum(terms, 0)


def triangle(n: int, period: int) -> Array:
    return 1 - np.abs(2 / period * np.arange(n) - 1)


def kaiser_shape(n: int, period: int, beta: float) -> Array:
    k = np.minimum(2 * beta / period * np.arange(n) - beta, beta)
    return np.i0(np.sqrt(np.maximum(beta * beta - k * k, 0))) / np.i0(beta)


def finish(array: Array, d: Any, device: Any, requires_grad: bool) -> Any:
    backend = new_on(device)
    t = wrap(backend.from_host(array.astype(d)), backend)
    return t.requires_grad_(True) if requires_grad else t


# -- torch.hann_window and its kin ---


def _window(
    function: str, n: int, periodic: bool, dtype: DType | None, device: Any, requires_grad: bool, shape: Any
) -> Any:
    d = get_default_dtype() if dtype is None else dtype
    if not isinstance(d, DType) or not d.is_floating_point:
        raise RuntimeError(f"{function} expects floating point dtypes, got: {d!r}\n  fix: dtype=torch.float32")
    if n < 0:
        raise RuntimeError(f"{function} requires non-negative window_length, got window_length={n}")
    array = np.ones(n) if n < 2 else shape(n, n if periodic else n - 1)
    return finish(array, d.numpy, device, requires_grad)


@takes_out
def hann_window(
    window_length: int,
    periodic: bool = True,
    *,
    out: Any = None,
    dtype: DType | None = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Any:
    """``sin²(π k / N)``; ``periodic`` for spectra (N is the length), else symmetric (N is one less).

    Raises:
        RuntimeError: for a negative length, or a dtype that isn't floating.
    """
    return _window(
        "hann_window", window_length, periodic, dtype, device, requires_grad, lambda n, p: cosines(n, p, (0.5, 0.5))
    )


@takes_out
def hamming_window(
    window_length: int,
    periodic: bool = True,
    alpha: float = 0.54,
    beta: float = 0.46,
    *,
    out: Any = None,
    dtype: DType | None = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Any:
    """``alpha - beta · cos(2π k / N)``; see :func:`hann_window`.

    Raises:
        RuntimeError: for a negative length, or a dtype that isn't floating.
    """
    return _window(
        "hamming_window",
        window_length,
        periodic,
        dtype,
        device,
        requires_grad,
        lambda n, p: cosines(n, p, (alpha, beta)),
    )


@takes_out
def blackman_window(
    window_length: int,
    periodic: bool = True,
    *,
    out: Any = None,
    dtype: DType | None = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Any:
    """``0.42 - 0.5 cos(2π k / N) + 0.08 cos(4π k / N)``; see :func:`hann_window`.

    Raises:
        RuntimeError: for a negative length, or a dtype that isn't floating.
    """
    return _window(
        "blackman_window",
        window_length,
        periodic,
        dtype,
        device,
        requires_grad,
        lambda n, p: cosines(n, p, (0.42, 0.5, 0.08)),
    )


@takes_out
def bartlett_window(
    window_length: int,
    periodic: bool = True,
    *,
    out: Any = None,
    dtype: DType | None = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Any:
    """A triangle from 0 to 1 and back; see :func:`hann_window`.

    Raises:
        RuntimeError: for a negative length, or a dtype that isn't floating.
    """
    return _window("bartlett_window", window_length, periodic, dtype, device, requires_grad, triangle)


@takes_out
def kaiser_window(
    window_length: int,
    periodic: bool = True,
    beta: float = 12.0,
    *,
    out: Any = None,
    dtype: DType | None = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Any:
    """``I₀(beta · √(1 - (2k / N - 1)²)) / I₀(beta)``; see :func:`hann_window`.

    Raises:
        RuntimeError: for a negative length, or a dtype that isn't floating.
    """
    return _window(
        "kaiser_window",
        window_length,
        periodic,
        dtype,
        device,
        requires_grad,
        lambda n, p: kaiser_shape(n, p, float(beta)),
    )


# -- what torch.signal.windows builds on ---


def checked_dtype(function: str, length: int, dtype: DType | None, layout: Any) -> Any:
    """The dtype of one of ``torch.signal.windows``.

    Raises:
        ValueError: for a negative length, a dtype other than float32 and float64, or a layout that isn't strided.
    """
    d = get_default_dtype() if dtype is None else dtype
    if length < 0:
        raise ValueError(f"{function} requires non-negative window length, got M={length}")
    if layout is not None and layout is not strided:
        raise ValueError(f"{function} is implemented for strided tensors only, got: {layout}")
    if d not in (float32, float64):
        raise ValueError(f"{function} expects float32 or float64 dtypes, got: {d!r}")
    return as_numpy_dtype(d)
