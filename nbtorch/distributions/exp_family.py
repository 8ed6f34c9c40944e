"""The base class of exponential families."""

from __future__ import annotations

from typing import Any

from ..autograd import grad
from .distribution import Distribution
from .utils import sum_rightmost

__all__ = ["ExponentialFamily"]


def log_normalizer_slopes(d: Any) -> tuple[list[Any], Any, Any]:
    """θ as leaves of its own, F(θ), and dF/dθ: the expectation of t(x), with its graph."""
    params = [p.detach().requires_grad_() for p in d._natural_params]
    normalizer = d._log_normalizer(*params)
    return params, normalizer, grad(normalizer.sum(), params, create_graph=True)


class ExponentialFamily(Distribution):
    """A distribution whose density is exp(θ·t(x) - F(θ) + k(x)).

    A subclass gives θ (``_natural_params``), F (``_log_normalizer``) and the mean of k (``_mean_carrier_measure``);
    entropy and divergence follow by Bregman's formulas (Nielsen and Nock 2010, doi:10.1109/icip.2010.5652054).
    """

    @property
    def _natural_params(self) -> tuple[Any, ...]:
        raise self._lacks("_natural_params")

    def _log_normalizer(self, *natural_params: Any) -> Any:
        raise self._lacks("_log_normalizer")

    @property
    def _mean_carrier_measure(self) -> Any:
        raise self._lacks("_mean_carrier_measure")

    def entropy(self) -> Any:
        params, normalizer, slopes = log_normalizer_slopes(self)
        result = normalizer - self._mean_carrier_measure
        for p, slope in zip(params, slopes, strict=True):
            result = result - sum_rightmost(p * slope, p.dim() - len(self._batch_shape))
        return result
