"""The Gamma distribution."""

from __future__ import annotations

from typing import Any, ClassVar

from ..backends.dtypes import finfo
from ..ops import as_tensor, digamma, lgamma, log, xlogy
from ..special import gammainc
from . import constraints
from .exp_family import ExponentialFamily
from .sampling import standard_gamma
from .utils import broadcast_all, is_number

__all__ = ["Gamma"]


class Gamma(ExponentialFamily):
    """Sums of ``concentration`` waiting times of events that come at ``rate``."""

    arg_constraints: ClassVar[Any] = {"concentration": constraints.positive, "rate": constraints.positive}
    _mean_carrier_measure = 0
    support = constraints.nonnegative
    has_rsample = True

    def __init__(self, concentration: Any, rate: Any, validate_args: bool | None = None) -> None:
        self.concentration, self.rate = broadcast_all(concentration, rate)
        super().__init__(
            () if is_number(concentration, rate) else self.concentration.size(), validate_args=validate_args
        )

    @property
    def mean(self) -> Any:
        return self.concentration / self.rate

    @property
    def mode(self) -> Any:
        return ((self.concentration - 1) / self.rate).clamp(min=0)

    @property
    def variance(self) -> Any:
        return self.concentration / self.rate.pow(2)

    def rsample(self, sample_shape: Any = ()) -> Any:
        shape = self._extended_shape(sample_shape)
        value = standard_gamma(self.concentration.expand(shape)) / self.rate.expand(shape)
        # A density needs a positive number; the clamp has no part in the gradient.
        return value + (value.clamp(min=finfo(value.dtype).tiny) - value).detach()

    def log_prob(self, value: Any) -> Any:
        value = as_tensor(value, dtype=self.rate.dtype, device=self.rate.device)
        if self._validate_args:
            self._validate_sample(value)
        return (
            xlogy(self.concentration, self.rate)
            + xlogy(self.concentration - 1, value)
            - self.rate * value
            - lgamma(self.concentration)
        )

    def cdf(self, value: Any) -> Any:
        if self._validate_args:
            self._validate_sample(value)
        return gammainc(self.concentration, self.rate * value)

    def entropy(self) -> Any:
        return (
            self.concentration
            - log(self.rate)
            + lgamma(self.concentration)
            + (1.0 - self.concentration) * digamma(self.concentration)
        )

    @property
    def _natural_params(self) -> tuple[Any, ...]:
        return self.concentration - 1, -self.rate

    def _log_normalizer(self, x: Any, y: Any) -> Any:
        return lgamma(x + 1) + (x + 1) * (-y.reciprocal()).log()
