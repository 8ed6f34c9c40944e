"""The Kullback-Leibler divergence of two distributions, by a table of pairs; those of one family stand here."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

from ..linalg import solve_triangular
from ..ops import diag_embed, digamma, lgamma, log, matmul, softplus, where
from .bernoulli import Bernoulli
from .beta import Beta
from .binomial import Binomial
from .categorical import Categorical
from .cauchy import Cauchy
from .continuous_bernoulli import ContinuousBernoulli
from .dirichlet import Dirichlet
from .distribution import Distribution
from .exp_family import ExponentialFamily, log_normalizer_slopes
from .exponential import Exponential
from .gamma import Gamma
from .geometric import Geometric
from .gumbel import Gumbel
from .half_normal import HalfNormal
from .independent import Independent
from .laplace import Laplace
from .lowrank_multivariate_normal import LowRankMultivariateNormal, low_rank_distance, low_rank_log_det
from .multivariate_normal import MultivariateNormal, half_log_det, squared_distance
from .normal import Normal
from .one_hot_categorical import OneHotCategorical
from .pareto import Pareto
from .poisson import Poisson
from .transformed_distribution import TransformedDistribution
from .uniform import Uniform
from .utils import EULER, common_shape, sum_rightmost

__all__ = ["kl_divergence", "register_kl"]

_KL_REGISTRY: dict[tuple[type, type], Callable[[Any, Any], Any]] = {}
# What was found for classes that came before.
_KL_MEMOIZE: dict[tuple[type, type], Callable[[Any, Any], Any]] = {}


def register_kl(type_p: type, type_q: type) -> Callable[[Any], Any]:
    """Enters a function of (p, q) for two classes of distributions and their subclasses.

    Raises:
        TypeError: for anything but subclasses of Distribution.
    """
    for name, cls in (("type_p", type_p), ("type_q", type_q)):
        if not isinstance(cls, type) or not issubclass(cls, Distribution):
            raise TypeError(f"Expected {name} to be a Distribution subclass but got {cls}")

    def enter(fun: Any) -> Any:
        _KL_REGISTRY[type_p, type_q] = fun
        _KL_MEMOIZE.clear()
        return fun

    return enter


def _found(type_p: type, type_q: type) -> Any:
    """The function of the nearest classes, that of p first; warns where that of q first would be another."""
    p_order, q_order = type_p.__mro__, type_q.__mro__
    fits = [
        (p_order.index(a), q_order.index(b), a, b)
        for a, b in _KL_REGISTRY
        if issubclass(type_p, a) and issubclass(type_q, b)
    ]
    if not fits:
        raise NotImplementedError(
            f"No KL(p || q) is implemented for p type {type_p.__name__} and q type {type_q.__name__}"
        )
    *_, left_p, left_q = min(fits, key=lambda fit: fit[:2])
    *_, right_p, right_q = min(fits, key=lambda fit: fit[1::-1])
    fun = _KL_REGISTRY[left_p, left_q]
    if fun is not _KL_REGISTRY[right_p, right_q]:
        warnings.warn(
            f"Ambiguous kl_divergence({type_p.__name__}, {type_q.__name__}). "
            f"Please register_kl({left_p.__name__}, {right_q.__name__})",
            RuntimeWarning,
            stacklevel=3,
        )
    return fun


def kl_divergence(p: Any, q: Any) -> Any:
    """The expected ``p.log_prob(x) - q.log_prob(x)`` for x drawn from ``p``, in closed form.

    Raises:
        NotImplementedError: for a pair without one.
    """
    pair = type(p), type(q)
    fun = _KL_MEMOIZE.get(pair)
    if fun is None:
        fun = _KL_MEMOIZE[pair] = _found(*pair)
    return fun(p, q)


@register_kl(Bernoulli, Bernoulli)
def _bernoulli(p: Any, q: Any) -> Any:
    # In log-odds, so that probabilities near 0 and 1 keep their digits.
    yes = p.probs * (softplus(-q.logits) - softplus(-p.logits))
    no = (1 - p.probs) * (softplus(q.logits) - softplus(p.logits))
    yes, no = where(q.probs == 0, math.inf, yes), where(q.probs == 1, math.inf, no)
    return where(p.probs == 0, 0.0, yes) + where(p.probs == 1, 0.0, no)


@register_kl(Categorical, Categorical)
def _categorical(p: Any, q: Any) -> Any:
    t = p.probs * (p.logits - q.logits)
    t = where((q.probs == 0).expand(t.shape), math.inf, t)
    return where((p.probs == 0).expand(t.shape), 0.0, t).sum(-1)


@register_kl(OneHotCategorical, OneHotCategorical)
def _one_hot(p: Any, q: Any) -> Any:
    return _categorical(p._categorical, q._categorical)


@register_kl(Normal, Normal)
def _normal(p: Any, q: Any) -> Any:
    ratio = (p.scale / q.scale).pow(2)
    return 0.5 * (ratio + ((p.loc - q.loc) / q.scale).pow(2) - 1 - ratio.log())


@register_kl(Laplace, Laplace)
def _laplace(p: Any, q: Any) -> Any:
    ratio, distance = p.scale / q.scale, (p.loc - q.loc).abs()
    return -log(ratio) + distance / q.scale + ratio * (-distance / p.scale).exp() - 1


@register_kl(Cauchy, Cauchy)
def _cauchy(p: Any, q: Any) -> Any:
    spread = (p.scale + q.scale).pow(2) + (p.loc - q.loc).pow(2)
    return spread.log() - (4 * p.scale * q.scale).log()


@register_kl(Exponential, Exponential)
def _exponential(p: Any, q: Any) -> Any:
    ratio = q.rate / p.rate
    return ratio - ratio.log() - 1


@register_kl(Poisson, Poisson)
def _poisson(p: Any, q: Any) -> Any:
    return p.rate * (p.rate.log() - q.rate.log()) - (p.rate - q.rate)


@register_kl(Gamma, Gamma)
def _gamma(p: Any, q: Any) -> Any:
    return (
        q.concentration * (p.rate / q.rate).log()
        + lgamma(q.concentration)
        - lgamma(p.concentration)
        + (p.concentration - q.concentration) * digamma(p.concentration)
        + (q.rate - p.rate) * (p.concentration / p.rate)
    )


@register_kl(Dirichlet, Dirichlet)
def _dirichlet(p: Any, q: Any) -> Any:
    a, b = p.concentration, q.concentration
    total = a.sum(-1)
    pull = ((a - b) * (digamma(a) - digamma(total).unsqueeze(-1))).sum(-1)
    return lgamma(total) - lgamma(b.sum(-1)) - (lgamma(a) - lgamma(b)).sum(-1) + pull


@register_kl(Beta, Beta)
def _beta(p: Any, q: Any) -> Any:
    return _dirichlet(p._dirichlet, q._dirichlet)


@register_kl(Uniform, Uniform)
def _uniform(p: Any, q: Any) -> Any:
    result = log((q.high - q.low) / (p.high - p.low))
    return where((q.low > p.low) | (q.high < p.high), math.inf, result)


@register_kl(MultivariateNormal, MultivariateNormal)
def _multivariate_normal(p: Any, q: Any) -> Any:
    n = _of_one_size(p, q, "Multivariate Normals")
    batch = common_shape(p._unbroadcasted_scale_tril.shape[:-2], q._unbroadcasted_scale_tril.shape[:-2])
    ours, theirs = (d._unbroadcasted_scale_tril.expand(*batch, n, n) for d in (p, q))
    trace = _square_sum(solve_triangular(theirs, ours, upper=False))
    distance = squared_distance(q._unbroadcasted_scale_tril, q.loc - p.loc)
    return half_log_det(theirs) - half_log_det(ours) + 0.5 * (trace + distance - n)


@register_kl(Independent, Independent)
def _independent(p: Any, q: Any) -> Any:
    if p.reinterpreted_batch_ndims != q.reinterpreted_batch_ndims:
        raise NotImplementedError(
            "the divergence of two Independent distributions needs equal reinterpreted_batch_ndims\n"
            f"  got: {p.reinterpreted_batch_ndims} and {q.reinterpreted_batch_ndims}"
        )
    return sum_rightmost(kl_divergence(p.base_dist, q.base_dist), p.reinterpreted_batch_ndims)


@register_kl(TransformedDistribution, TransformedDistribution)
def _transformed(p: Any, q: Any) -> Any:
    if p.transforms != q.transforms or p.event_shape != q.event_shape:
        raise NotImplementedError(
            "the divergence of two transformed distributions is known where both have the same transforms\n"
            f"  got: {p.transforms} and {q.transforms}, events of shape {p.event_shape} and {q.event_shape}"
        )
    return kl_divergence(p.base_dist, q.base_dist)


@register_kl(HalfNormal, HalfNormal)
def _of_base(p: Any, q: Any) -> Any:
    return kl_divergence(p.base_dist, q.base_dist)


@register_kl(Geometric, Geometric)
def _geometric(p: Any, q: Any) -> Any:
    return -p.entropy() - (-q.probs).log1p() / p.probs - q.logits


@register_kl(Binomial, Binomial)
def _binomial(p: Any, q: Any) -> Any:
    # p's counts above q's are impossible under q; below, no closed form is known.
    if (p.total_count < q.total_count).any():
        raise NotImplementedError("KL between Binomials where q.total_count > p.total_count is not implemented")
    per_trial = p.probs * (p.logits - q.logits) + (-p.probs).log1p() - (-q.probs).log1p()
    return where(p.total_count > q.total_count, math.inf, p.total_count * per_trial)


@register_kl(Pareto, Pareto)
def _pareto(p: Any, q: Any) -> Any:
    ratio = p.scale / q.scale
    alpha = q.alpha / p.alpha
    return where(p.scale < q.scale, math.inf, q.alpha * ratio.log() - alpha.log() + alpha - 1)


@register_kl(Gumbel, Gumbel)
def _gumbel(p: Any, q: Any) -> Any:
    ratio, p_loc, q_loc = p.scale / q.scale, p.loc / q.scale, q.loc / q.scale
    return -ratio.log() + p_loc - q_loc + ratio * EULER + (q_loc + (1 + ratio).lgamma() - p_loc).exp() - (1 + EULER)


@register_kl(ContinuousBernoulli, ContinuousBernoulli)
def _continuous_bernoulli(p: Any, q: Any) -> Any:
    ours, theirs = (d._cont_bern_log_norm() + (-d.probs).log1p() for d in (p, q))
    return p.mean * (p.logits - q.logits) + ours - theirs


@register_kl(ExponentialFamily, ExponentialFamily)
def _exponential_family(p: Any, q: Any) -> Any:
    """Bregman's divergence of the log-normalisers."""
    if type(p) is not type(q):
        raise NotImplementedError(
            "The cross KL-divergence between different exponential families cannot be computed using Bregman "
            "divergences"
        )
    params, normalizer, slopes = log_normalizer_slopes(p)
    others = q._natural_params
    result = q._log_normalizer(*others) - normalizer
    for ours, theirs, slope in zip(params, others, slopes, strict=True):
        term = (theirs - ours) * slope
        result = result - sum_rightmost(term, term.dim() - result.dim())
    return result


def _of_one_size(p: Any, q: Any, kind: str) -> Any:
    if p.event_shape != q.event_shape:
        raise ValueError(f"KL-divergence between two {kind} with different event shapes cannot be computed")
    return p.event_shape[0]


def _square_sum(matrix: Any) -> Any:
    return matrix.pow(2).sum((-2, -1))


def _inverse_root(d: Any) -> Any:
    """The matrix A of Woodbury's inverse ``D⁻¹ - AᵀA`` of a covariance of low rank."""
    scaled = d._unbroadcasted_cov_factor.mT / d._unbroadcasted_cov_diag.unsqueeze(-2)
    return solve_triangular(d._capacitance_tril, scaled, upper=False)


@register_kl(LowRankMultivariateNormal, LowRankMultivariateNormal)
def _low_rank(p: Any, q: Any) -> Any:
    n = _of_one_size(p, q, "Low Rank Multivariate Normals")
    root, factor = _inverse_root(q), p._unbroadcasted_cov_factor
    ours, theirs = p._unbroadcasted_cov_diag, q._unbroadcasted_cov_diag
    trace = (ours / theirs).sum(-1) + _square_sum(factor * theirs.rsqrt().unsqueeze(-1))
    trace = trace - _square_sum(root * ours.sqrt().unsqueeze(-2)) - _square_sum(matmul(root, factor))
    logs = low_rank_log_det(q) - low_rank_log_det(p)
    return 0.5 * (logs + trace + low_rank_distance(q, q.loc - p.loc) - n)


@register_kl(MultivariateNormal, LowRankMultivariateNormal)
def _full_to_low_rank(p: Any, q: Any) -> Any:
    n = _of_one_size(p, q, "(Low Rank) Multivariate Normals")
    factor = p._unbroadcasted_scale_tril
    trace = _square_sum(factor * q._unbroadcasted_cov_diag.rsqrt().unsqueeze(-1))
    trace = trace - _square_sum(matmul(_inverse_root(q), factor))
    logs = low_rank_log_det(q) - 2 * half_log_det(factor)
    return 0.5 * (logs + trace + low_rank_distance(q, q.loc - p.loc) - n)


@register_kl(LowRankMultivariateNormal, MultivariateNormal)
def _low_rank_to_full(p: Any, q: Any) -> Any:
    n = _of_one_size(p, q, "(Low Rank) Multivariate Normals")
    factor = q._unbroadcasted_scale_tril
    logs = 2 * half_log_det(factor) - low_rank_log_det(p)
    trace = _square_sum(solve_triangular(factor, p._unbroadcasted_cov_factor, upper=False))
    own = diag_embed(p._unbroadcasted_cov_diag.sqrt())
    trace = trace + _square_sum(solve_triangular(factor, own, upper=False))
    return 0.5 * (logs + trace + squared_distance(factor, q.loc - p.loc) - n)
