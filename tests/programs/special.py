"""Programs of the numeric operations, the special functions and the gamma function's family."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import nbtorch
from nbtorch import special
from programs.draw import Draw, Program

_ONE: dict[str, tuple[float, float]] = {
    **dict.fromkeys(["frac", "angle", "sgn", "deg2rad", "rad2deg", "nan_to_num", "erfc", "i0", "sinc"], (-2.0, 2.0)),
    **dict.fromkeys(["erfcx", "ndtr", "log_ndtr", "i0e", "i1", "i1e"], (-2.0, 2.0)),
    "erfinv": (-0.8, 0.8),
    **dict.fromkeys(["ndtri", "logit"], (0.2, 0.8)),
    **dict.fromkeys(["entr", "lgamma", "digamma"], (0.4, 3.0)),
}


def _one(name: str, low: float, high: float) -> Callable[[Draw], object]:
    function = getattr(nbtorch, name, None) or getattr(special, name)
    return lambda d: function(d(low=low, high=high))


def _constant(d: Draw) -> Any:
    return d.whole(*d.shape, below=3) + 1.5


PROGRAMS: dict[str, Program] = {name: _one(name, *bounds) for name, bounds in _ONE.items()} | {
    "copysign": lambda d: nbtorch.copysign(d(), d()),
    "fmax": lambda d: nbtorch.fmax(d(), d(1, low=-1.5)),
    "fmin": lambda d: nbtorch.fmin(d(), d(1, low=-1.5)),
    "nextafter": lambda d: nbtorch.nextafter(d(), d()),
    "heaviside": lambda d: nbtorch.heaviside(d(), d()),
    "hypot": lambda d: nbtorch.hypot(d(), d()),
    "logaddexp2": lambda d: nbtorch.logaddexp2(d(), d(1)),
    "ldexp": lambda d: nbtorch.ldexp(d(), d()),
    "frexp": lambda d: nbtorch.frexp(d()).mantissa,
    "polygamma": lambda d: nbtorch.polygamma(2, d(low=0.4, high=3.0)),
    "mvlgamma": lambda d: nbtorch.mvlgamma(d(low=1.2, high=3.0), 3),
    "zeta": lambda d: special.zeta(_constant(d), d(low=0.5, high=3.0)),
    "igamma": lambda d: nbtorch.igamma(_constant(d), d(low=0.5, high=3.0)),
    "igammac": lambda d: nbtorch.igammac(_constant(d), d(low=0.5, high=3.0)),
    "xlogy": lambda d: nbtorch.xlogy(d(), d(low=0.5, high=3.0)) + nbtorch.xlogy(d(), 2.0) + nbtorch.xlogy(2, d(low=1)),
    "xlog1py": lambda d: special.xlog1py(d(), d(low=-0.5, high=3.0)),
}

CONSTANT = {"frexp": {"exponent"}}
