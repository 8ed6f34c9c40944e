"""The Bernoulli distribution, and what distributions with ``probs`` or ``logits`` share."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from ..autograd import no_grad
from ..ops import arange, bernoulli, logaddexp, where, zeros_like
from ..tensor import Size
from . import constraints
from .exp_family import ExponentialFamily
from .utils import broadcast_all, is_number, lazy_property, logits_to_probs, probs_to_logits

__all__ = ["Bernoulli"]


def either(probs: Any, logits: Any) -> None:
    """Raises ValueError unless one of the two is given."""
    if (probs is None) == (logits is None):
        raise ValueError("Either `probs` or `logits` must be specified, but not both.")


def binary_cross_entropy_with_logits(logits: Any, value: Any) -> Any:
    """``-log_prob`` of 0 and 1 under log-odds, stable for large ones."""
    return logaddexp(logits, zeros_like(logits)) - logits * value


class BinaryLogits:
    """``probs`` and ``logits`` of a binary choice, the one given and the other computed from it when asked for."""

    @lazy_property
    def logits(self: Any) -> Any:
        return probs_to_logits(self.probs, is_binary=True)

    @lazy_property
    def probs(self: Any) -> Any:
        return logits_to_probs(self.logits, is_binary=True)

    @property
    def _param(self: Any) -> Any:
        return self.__dict__["probs" if "probs" in self.__dict__ else "logits"]

    @property
    def param_shape(self: Any) -> Size:
        return self._param.size()


class Bernoulli(BinaryLogits, ExponentialFamily):
    """1 with probability ``probs``, or log-odds ``logits``; else 0."""

    arg_constraints: ClassVar[Any] = {"probs": constraints.unit_interval, "logits": constraints.real}
    _mean_carrier_measure = 0
    support = constraints.boolean
    has_enumerate_support = True

    def __init__(self, probs: Any = None, logits: Any = None, validate_args: bool | None = None) -> None:
        either(probs, logits)
        if probs is not None:
            (self.probs,) = broadcast_all(probs)
        else:
            (self.logits,) = broadcast_all(logits)
        given = logits if probs is None else probs
        super().__init__(() if is_number(given) else self._param.size(), validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        return super().expand(batch_shape, self._get_checked_instance(Bernoulli, _instance))

    @property
    def mean(self) -> Any:
        return self.probs

    @property
    def mode(self) -> Any:
        mode = (self.probs >= 0.5).to(self.probs)
        return where(self.probs == 0.5, mode * math.nan, mode)

    @property
    def variance(self) -> Any:
        return self.probs * (1 - self.probs)

    def sample(self, sample_shape: Any = ()) -> Any:
        with no_grad():
            return bernoulli(self.probs.expand(self._extended_shape(sample_shape)))

    def log_prob(self, value: Any) -> Any:
        if self._validate_args:
            self._validate_sample(value)
        logits, value = broadcast_all(self.logits, value)
        return -binary_cross_entropy_with_logits(logits, value)

    def entropy(self) -> Any:
        return binary_cross_entropy_with_logits(self.logits, self.probs)

    def enumerate_support(self, expand: bool = True) -> Any:
        values = arange(2, dtype=self._param.dtype, device=self._param.device)
        values = values.reshape(-1, *(1,) * len(self._batch_shape))
        return values.expand(-1, *self._batch_shape) if expand else values

    @property
    def _natural_params(self) -> tuple[Any, ...]:
        return (self.logits,)

    def _log_normalizer(self, x: Any) -> Any:
        return logaddexp(x, zeros_like(x))
