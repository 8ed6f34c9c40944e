"""The von Mises distribution."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from ..autograd import no_grad
from ..backends.dtypes import float64
from ..ops import rand, where, zeros
from ..special import i0e, i1e
from . import constraints
from .distribution import Distribution
from .utils import broadcast_all, lazy_property

__all__ = ["VonMises"]


class VonMises(Distribution):
    """Angles between -π and π, the normal distribution of the circle.

    Samples are drawn by the rejection of Best and Fisher (1979, doi:10.2307/2346732), in double precision.
    """

    arg_constraints: ClassVar[Any] = {"loc": constraints.real, "concentration": constraints.positive}
    support = constraints.real
    has_rsample = False

    def __init__(self, loc: Any, concentration: Any, validate_args: bool | None = None) -> None:
        self.loc, self.concentration = broadcast_all(loc, concentration)
        super().__init__(self.loc.shape, (), validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        return super().expand(batch_shape, self._get_checked_instance(VonMises, _instance))

    @property
    def mean(self) -> Any:
        return self.loc

    @property
    def mode(self) -> Any:
        return self.loc

    @lazy_property
    def variance(self) -> Any:
        """The circular variance: 1 minus the length of the mean direction."""
        return 1 - i1e(self.concentration) / i0e(self.concentration)

    def sample(self, sample_shape: Any = ()) -> Any:
        with no_grad():
            loc, concentration = self.loc.double(), self.concentration.double()
            tau = 1 + (1 + 4 * concentration**2).sqrt()
            rho = (tau - (2 * tau).sqrt()) / (2 * concentration)
            r = where(concentration < 1e-5, 1 / concentration + concentration, (1 + rho**2) / (2 * rho))
            x = zeros(self._extended_shape(sample_shape), dtype=float64, device=loc.device)
            done = x != 0
            while not done.all():
                u1, u2, u3 = rand((3, *x.shape), dtype=float64, device=loc.device).unbind()
                z = (math.pi * u1).cos()
                f = (1 + r * z) / (r + z)
                c = concentration * (r - f)
                accept = (c * (2 - c) - u2 > 0) | ((c / u2).log() + 1 - c >= 0)
                x = where(accept, (u3 - 0.5).sign() * f.acos(), x)
                done = done | accept
            return ((x + math.pi + loc) % (2 * math.pi) - math.pi).to(self.loc.dtype)

    def log_prob(self, value: Any) -> Any:
        if self._validate_args:
            self._validate_sample(value)
        # log I₀(k) = k + log(I₀(k)·exp(-k)) doesn't overflow.
        k = self.concentration
        return k * (value - self.loc).cos() - math.log(2 * math.pi) - (k + i0e(k).log())
