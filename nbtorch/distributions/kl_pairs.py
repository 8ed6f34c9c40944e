"""The Kullback-Leibler divergences of two distributions of different families.

Each is -(entropy of p) - E[log q(x)] for x drawn from p, with the moments of p put in.
"""

from __future__ import annotations

import math
from typing import Any

from ..ops import digamma, erf, exp, full_like, lgamma, log, log1p, where, xlogy
from .bernoulli import Bernoulli
from .beta import Beta
from .binomial import Binomial
from .continuous_bernoulli import ContinuousBernoulli
from .exponential import Exponential
from .gamma import Gamma
from .gumbel import Gumbel
from .kl import register_kl
from .laplace import Laplace
from .normal import Normal
from .pareto import Pareto
from .poisson import Poisson
from .uniform import Uniform
from .utils import EULER

_ON_AN_INTERVAL = (Beta, ContinuousBernoulli, Pareto, Uniform)
_ON_A_HALF_LINE = (*_ON_AN_INTERVAL, Exponential, Gamma)
# Where p has values that q can't have.
_INFINITE: dict[type, tuple[type, ...]] = {
    Beta: (Pareto,),
    ContinuousBernoulli: (Pareto,),
    Exponential: _ON_AN_INTERVAL,
    Gamma: _ON_AN_INTERVAL,
    Gumbel: _ON_A_HALF_LINE,
    Laplace: _ON_A_HALF_LINE,
    Normal: _ON_A_HALF_LINE,
    Pareto: (Beta, ContinuousBernoulli, Uniform),
    Poisson: (Bernoulli, Binomial),
}


def _infinite(p: Any, q: Any) -> Any:
    return full_like(p.mean, math.inf)


for _p, _others in _INFINITE.items():
    for _q in _others:
        register_kl(_p, _q)(_infinite)


def _gamma_normalizer(q: Any) -> Any:
    return lgamma(q.concentration) - q.concentration * log(q.rate)


@register_kl(Bernoulli, Poisson)
def _bernoulli_poisson(p: Any, q: Any) -> Any:
    return q.rate - p.entropy() - p.probs * log(q.rate)


@register_kl(Beta, ContinuousBernoulli)
def _beta_continuous_bernoulli(p: Any, q: Any) -> Any:
    return -p.entropy() - p.mean * q.logits - log1p(-q.probs) - q._cont_bern_log_norm()


@register_kl(Beta, Exponential)
@register_kl(ContinuousBernoulli, Exponential)
@register_kl(Gamma, Exponential)
def _to_exponential(p: Any, q: Any) -> Any:
    return q.rate * p.mean - p.entropy() - log(q.rate)


@register_kl(Beta, Normal)
@register_kl(ContinuousBernoulli, Normal)
@register_kl(Exponential, Normal)
@register_kl(Gamma, Normal)
@register_kl(Laplace, Normal)
@register_kl(Gumbel, Normal)
@register_kl(Uniform, Normal)
def _to_normal(p: Any, q: Any) -> Any:
    """A normal q takes no more of p than its mean and variance."""
    distance = p.variance + (p.mean - q.loc).pow(2)
    return 0.5 * math.log(2 * math.pi) + log(q.scale) + 0.5 * distance / q.scale.pow(2) - p.entropy()


@register_kl(Beta, Gamma)
def _beta_gamma(p: Any, q: Any) -> Any:
    mean_log = digamma(p.concentration1) - digamma(p.concentration1 + p.concentration0)
    return q.rate * p.mean + _gamma_normalizer(q) - p.entropy() - (q.concentration - 1) * mean_log


@register_kl(Beta, Uniform)
def _beta_uniform(p: Any, q: Any) -> Any:
    return where((q.low > 0) | (q.high < 1), math.inf, log(q.high - q.low) - p.entropy())


@register_kl(ContinuousBernoulli, Uniform)
def _continuous_bernoulli_uniform(p: Any, q: Any) -> Any:
    # PyTorch counts the unit interval itself as too small.
    return where((q.low >= 0) | (q.high <= 1), math.inf, log(q.high - q.low) - p.entropy())


@register_kl(Exponential, Gamma)
def _exponential_gamma(p: Any, q: Any) -> Any:
    ratio = q.rate / p.rate
    return ratio - q.concentration * log(ratio) + lgamma(q.concentration) + q.concentration * EULER - (1 + EULER)


@register_kl(Exponential, Gumbel)
def _exponential_gumbel(p: Any, q: Any) -> Any:
    product, shift = p.rate * q.scale, q.loc / q.scale
    return log(product) - 1 - shift + exp(shift) * product / (product + 1) + product.reciprocal()


@register_kl(Gamma, Gumbel)
def _gamma_gumbel(p: Any, q: Any) -> Any:
    a, product, shift = p.concentration, p.rate * q.scale, q.loc / q.scale
    ours = (a - 1) * digamma(a) - lgamma(a) - a
    return ours + log(product) + a / product + exp(shift) * (1 + product.reciprocal()).pow(-a) - shift


@register_kl(Normal, Gumbel)
def _normal_gumbel(p: Any, q: Any) -> Any:
    distance, ratio = (p.loc - q.loc) / q.scale, (p.scale / q.scale).pow(2)
    return distance + exp(0.5 * ratio - distance) - 0.5 * log(ratio) - 0.5 * (1 + math.log(2 * math.pi))


@register_kl(Normal, Laplace)
def _normal_laplace(p: Any, q: Any) -> Any:
    distance = p.loc - q.loc
    z = distance / p.scale
    spread = math.sqrt(2 / math.pi) * p.scale * exp(-0.5 * z.pow(2)) + distance * erf(math.sqrt(0.5) * z)
    return spread / q.scale - log(p.scale / q.scale) - 0.5 * (1 + math.log(0.5 * math.pi))


@register_kl(Pareto, Exponential)
def _pareto_exponential(p: Any, q: Any) -> Any:
    product = p.scale * q.rate
    result = log(p.alpha / product) - p.alpha.reciprocal() + p.alpha * product / (p.alpha - 1) - 1
    return where(p.alpha <= 1, math.inf, result)


@register_kl(Pareto, Gamma)
def _pareto_gamma(p: Any, q: Any) -> Any:
    mean_log = log(p.scale) + p.alpha.reciprocal()
    mean = p.alpha * p.scale / (p.alpha - 1)
    result = log(p.alpha) - q.concentration * mean_log + _gamma_normalizer(q) + q.rate * mean - 1
    return where(p.alpha <= 1, math.inf, result)


@register_kl(Pareto, Normal)
def _pareto_normal(p: Any, q: Any) -> Any:
    unit = p.scale / (p.alpha - 1)
    distance = p.alpha * unit.pow(2) / (p.alpha - 2) + (p.alpha * unit - q.loc).pow(2)
    start = log(math.sqrt(2 * math.pi) * q.scale * p.alpha / p.scale) - p.alpha.reciprocal()
    return where(p.alpha <= 2, math.inf, start + distance / (2 * q.scale.pow(2)) - 1)


def _mean_log(low: Any, high: Any) -> Any:
    """E[log x] of a uniform x."""
    return (xlogy(high, high) - xlogy(low, low)) / (high - low) - 1


@register_kl(Uniform, Beta)
def _uniform_beta(p: Any, q: Any) -> Any:
    a, b = q.concentration1, q.concentration0
    logs = (a - 1) * _mean_log(p.low, p.high) + (b - 1) * _mean_log(1 - p.high, 1 - p.low)
    result = lgamma(a) + lgamma(b) - lgamma(a + b) - log(p.high - p.low) - logs
    return where((p.high > 1) | (p.low < 0), math.inf, result)


@register_kl(Uniform, ContinuousBernoulli)
def _uniform_continuous_bernoulli(p: Any, q: Any) -> Any:
    result = -p.entropy() - p.mean * q.logits - log1p(-q.probs) - q._cont_bern_log_norm()
    return where((p.high >= 1) | (p.low <= 0), math.inf, result)


@register_kl(Uniform, Exponential)
def _uniform_exponential(p: Any, q: Any) -> Any:
    return where(p.low < 0, math.inf, q.rate * (p.high + p.low) / 2 - log((p.high - p.low) * q.rate))


@register_kl(Uniform, Gamma)
def _uniform_gamma(p: Any, q: Any) -> Any:
    logs = (1 - q.concentration) * _mean_log(p.low, p.high)
    result = logs + _gamma_normalizer(q) + q.rate * (p.high + p.low) / 2 - log(p.high - p.low)
    return where(p.low < 0, math.inf, result)


@register_kl(Uniform, Gumbel)
def _uniform_gumbel(p: Any, q: Any) -> Any:
    share = q.scale / (p.high - p.low)
    high, low = (p.high - q.loc) / q.scale, (p.low - q.loc) / q.scale
    return log(share) + 0.5 * (high + low) - share * (exp(-high) - exp(-low))


@register_kl(Uniform, Pareto)
def _uniform_pareto(p: Any, q: Any) -> Any:
    logs = log(q.alpha * q.scale.pow(q.alpha) * (p.high - p.low))
    return where(p.low < q.scale, math.inf, (q.alpha + 1) * _mean_log(p.low, p.high) - logs)
