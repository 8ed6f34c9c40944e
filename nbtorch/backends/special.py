"""Special functions as array primitives: the part of every backend that neither NumPy nor CuPy has as a ufunc.

Each function's file is read when it is first called: programs that have no use for it don't wait for it. They compute
in float64 on every backend and answer in the dtype they were given.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .errorfunction import erf, in_double

Array = Any


class SpecialFunctions:
    """Primitives on arrays of one module, ``xp``."""

    xp: Any

    def erf(self, x: Array) -> Array:
        return erf(self.xp, x)

    def erfc(self, x: Array) -> Array:
        from .errorfunction import erfc

        return in_double(erfc, self.xp, x)

    def erfcx(self, x: Array) -> Array:
        from .errorfunction import erfcx

        return in_double(erfcx, self.xp, x)

    def erfinv(self, x: Array) -> Array:
        from .errorfunction import erfinv

        return in_double(erfinv, self.xp, x)

    def ndtr(self, x: Array) -> Array:
        from .errorfunction import ndtr

        return in_double(ndtr, self.xp, x)

    def ndtri(self, x: Array) -> Array:
        from .errorfunction import ndtri

        return in_double(ndtri, self.xp, x)

    def log_ndtr(self, x: Array) -> Array:
        from .errorfunction import log_ndtr

        return in_double(log_ndtr, self.xp, x)

    def i0(self, x: Array) -> Array:
        from .bessel import i0

        return in_double(i0, self.xp, x)

    def i0e(self, x: Array) -> Array:
        from .bessel import i0e

        return in_double(i0e, self.xp, x)

    def i1(self, x: Array) -> Array:
        from .bessel import i1

        return in_double(i1, self.xp, x)

    def i1e(self, x: Array) -> Array:
        from .bessel import i1e

        return in_double(i1e, self.xp, x)

    def lgamma(self, x: Array) -> Array:
        from .gamma import lgamma

        return in_double(lgamma, self.xp, x)

    def digamma(self, x: Array) -> Array:
        from .gamma import digamma

        return in_double(digamma, self.xp, x)

    def polygamma(self, n: int, x: Array) -> Array:
        from .gamma import polygamma

        if n != 1:
            return in_double(lambda xp, a: polygamma(xp, a, n), self.xp, x)
        from .gamma import trigamma

        # The sine in the dtype of x: at its zeros PyTorch's poles are only as high as that one's rounding lets them.
        angle = x.astype(np.float32) if x.dtype.itemsize < 4 else x
        return in_double(trigamma, self.xp, x, self.xp.sin(angle * angle.dtype.type(math.pi)))

    def zeta(self, s: Array, q: Array) -> Array:
        from .gamma import zeta

        return in_double(zeta, self.xp, *self._as_arrays(s, q))

    def igamma(self, a: Array, x: Array) -> Array:
        from .incomplete import igamma

        return in_double(igamma, self.xp, a, x)

    def igammac(self, a: Array, x: Array) -> Array:
        from .incomplete import igammac

        return in_double(igammac, self.xp, a, x)

    def xlogy(self, x: Array, y: Array) -> Array:
        x, y = self._as_arrays(x, y)
        return self.xp.where((x == 0) & ~self.xp.isnan(y), x * 0, x * self.xp.log(y))

    def xlog1py(self, x: Array, y: Array) -> Array:
        x, y = self._as_arrays(x, y)
        return self.xp.where((x == 0) & ~self.xp.isnan(y), x * 0, x * self.xp.log1p(y))

    def sinc(self, x: Array) -> Array:
        angle = x * x.dtype.type(math.pi)
        return self.xp.where(angle == 0, x.dtype.type(1), self.xp.sin(angle) / angle)

    def frexp(self, x: Array) -> tuple[Array, Array]:
        mantissa, exponent = self.xp.frexp(x)
        return mantissa, exponent

    def _as_arrays(self, a: Any, b: Any) -> tuple[Array, Array]:
        """Two operands, one of which may be a Python number, as arrays of one dtype."""
        if not hasattr(a, "dtype"):
            return self.xp.full((), a, b.dtype), b
        return a, b if hasattr(b, "dtype") else self.xp.full((), b, a.dtype)
