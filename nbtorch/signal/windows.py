"""Window functions: ``torch.signal.windows``.

Each takes the number of points ``M``, and by keyword ``sym`` (symmetric, for filters; False makes it periodic, for
spectra), ``dtype`` (float32 or float64), ``device`` and ``requires_grad``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from ..annex import name_what_is_missing
from ..backends.dtypes import dtype as DType
from ..ops import windows as shapes
from ..tensor import Tensor

__all__ = [
    "bartlett", "blackman", "cosine", "exponential", "gaussian", "general_cosine", "general_hamming", "hamming",
    "hann", "kaiser", "nuttall",
]  # fmt: skip
__path__: list[str] = []  # PyTorch has a package here


def _window(
    function: str,
    M: int,
    shape: Callable[[int], Any],
    dtype: DType | None,
    layout: Any,
    device: Any,
    requires_grad: bool,
    one: bool = True,
) -> Tensor:
    """The window ``shape(M)``; of a single point it is 1 where ``one``."""
    d = shapes.checked_dtype(function, M, dtype, layout)
    array = np.ones(M) if M == 0 or (M == 1 and one) else shape(M)
    return shapes.finish(array, d, device, requires_grad)  # type: ignore[no-any-return]


def general_cosine(
    M: int,
    *,
    a: Iterable[float],
    sym: bool = True,
    dtype: DType | None = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """A sum of cosines: ``Σ (-1)^i a_i cos(2π i k / (M - 1))``.

    Raises:
        TypeError: where ``a`` is no sequence.
        ValueError: where it is empty, for a negative ``M``, and for other dtypes than float32 and float64.
    """
    shapes.checked_dtype("general_cosine", M, dtype, layout)
    if M > 1:
        if not isinstance(a, Iterable):
            raise TypeError(f"Coefficients must be a list/tuple\n  got: {type(a).__name__}")
        a = list(a)
        if not a:
            raise ValueError("Coefficients cannot be empty\n  expected: the weights of the cosines")
    return _window(
        "general_cosine",
        M,
        lambda n: shapes.cosines(n, n - 1 if sym else n, a),
        dtype,
        layout,
        device,
        requires_grad,
    )


def general_hamming(
    M: int,
    *,
    alpha: float = 0.54,
    sym: bool = True,
    dtype: DType | None = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """``alpha - (1 - alpha) · cos(2π k / (M - 1))``.

    Raises:
        ValueError: for a negative ``M``, and for other dtypes than float32 and float64.
    """
    return general_cosine(
        M, a=(alpha, 1.0 - alpha), sym=sym, dtype=dtype, layout=layout, device=device, requires_grad=requires_grad
    )


def hamming(
    M: int,
    *,
    sym: bool = True,
    dtype: DType | None = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """``0.54 - 0.46 · cos(2π k / (M - 1))``.

    Raises:
        ValueError: for a negative ``M``, and for other dtypes than float32 and float64.
    """
    return general_hamming(M, sym=sym, dtype=dtype, layout=layout, device=device, requires_grad=requires_grad)


def hann(
    M: int,
    *,
    sym: bool = True,
    dtype: DType | None = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """``sin²(π k / (M - 1))``.

    Raises:
        ValueError: for a negative ``M``, and for other dtypes than float32 and float64.
    """
    return general_hamming(
        M, alpha=0.5, sym=sym, dtype=dtype, layout=layout, device=device, requires_grad=requires_grad
    )


def blackman(
    M: int,
    *,
    sym: bool = True,
    dtype: DType | None = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """``0.42 - 0.5 cos(2π k / (M - 1)) + 0.08 cos(4π k / (M - 1))``.

    Raises:
        ValueError: for a negative ``M``, and for other dtypes than float32 and float64.
    """
    return general_cosine(
        M, a=(0.42, 0.5, 0.08), sym=sym, dtype=dtype, layout=layout, device=device, requires_grad=requires_grad
    )


def nuttall(
    M: int,
    *,
    sym: bool = True,
    dtype: DType | None = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Four cosines with side lobes as low as can be (Nuttall 1981).

    Raises:
        ValueError: for a negative ``M``, and for other dtypes than float32 and float64.
    """
    weights = (0.3635819, 0.4891775, 0.1365995, 0.0106411)
    return general_cosine(M, a=weights, sym=sym, dtype=dtype, layout=layout, device=device, requires_grad=requires_grad)


def bartlett(
    M: int,
    *,
    sym: bool = True,
    dtype: DType | None = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """A triangle: ``1 - |2k / (M - 1) - 1|``.

    Raises:
        ValueError: for a negative ``M``, and for other dtypes than float32 and float64.
    """
    return _window(
        "bartlett", M, lambda n: shapes.triangle(n, n - 1 if sym else n), dtype, layout, device, requires_grad
    )


def cosine(
    M: int,
    *,
    sym: bool = True,
    dtype: DType | None = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Half a sine wave: ``sin(π (k + 1/2) / M)``.

    Raises:
        ValueError: for a negative ``M``, and for other dtypes than float32 and float64.
    """

    def shape(n: int) -> Any:
        return np.sin(math.pi / (n if sym or n < 2 else n + 1) * (np.arange(n) + 0.5))

    return _window("cosine", M, shape, dtype, layout, device, requires_grad, one=False)


def exponential(
    M: int,
    *,
    center: float | None = None,
    tau: float = 1.0,
    sym: bool = True,
    dtype: DType | None = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """``exp(-|k - center| / tau)``; the center is that of the window unless given.

    Raises:
        ValueError: for a ``tau`` that is not positive, a center of a symmetric window, a negative ``M``, and for other
            dtypes than float32 and float64.
    """
    shapes.checked_dtype("exponential", M, dtype, layout)
    if tau <= 0:
        raise ValueError(f"Tau must be positive, got: {tau} instead.")
    if sym and center is not None:
        raise ValueError("Center must be None for symmetric windows\n  fix: sym=False")
    middle = (M if not sym and M > 1 else M - 1) / 2.0 if center is None else center
    return _window(
        "exponential",
        M,
        lambda n: np.exp(-np.abs(np.arange(n) - middle) / tau),
        dtype,
        layout,
        device,
        requires_grad,
        one=False,
    )


def gaussian(
    M: int,
    *,
    std: float = 1.0,
    sym: bool = True,
    dtype: DType | None = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """``exp(-(k - center)² / (2 std²))``.

    Raises:
        ValueError: for an ``std`` that is not positive, a negative ``M``, and for other dtypes than float32 and
            float64.
    """
    shapes.checked_dtype("gaussian", M, dtype, layout)
    if std <= 0:
        raise ValueError(f"Standard deviation must be positive, got: {std} instead.")
    middle = (M if not sym and M > 1 else M - 1) / 2.0
    return _window(
        "gaussian",
        M,
        lambda n: np.exp(-(((np.arange(n) - middle) / std) ** 2) / 2),
        dtype,
        layout,
        device,
        requires_grad,
        one=False,
    )


def kaiser(
    M: int,
    *,
    beta: float = 12.0,
    sym: bool = True,
    dtype: DType | None = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """``I₀(beta · √(1 - (2k / (M - 1) - 1)²)) / I₀(beta)``: ``beta`` trades the width of the lobe for its leaks.

    Raises:
        ValueError: for a negative ``beta`` or ``M``, and for other dtypes than float32 and float64.
    """
    shapes.checked_dtype("kaiser", M, dtype, layout)
    if beta < 0:
        raise ValueError(f"beta must be non-negative, got: {beta} instead.")
    return _window(
        "kaiser",
        M,
        lambda n: shapes.kaiser_shape(n, n - 1 if sym else n, float(beta)),
        dtype,
        layout,
        device,
        requires_grad,
    )


name_what_is_missing(globals())
