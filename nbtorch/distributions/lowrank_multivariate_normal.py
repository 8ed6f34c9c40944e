"""The multivariate normal distribution with a covariance of low rank plus a diagonal."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from ..linalg import cholesky, solve_triangular
from ..ops import diag_embed, eye, matmul
from ..tensor.questions import broadcast_tensors
from . import constraints
from .distribution import Distribution
from .multivariate_normal import half_log_det, squared_distance
from .normal import standard_normal
from .utils import lazy_property

__all__ = ["LowRankMultivariateNormal"]


def _plus_one(square: Any) -> Any:
    return square + eye(square.shape[-1], dtype=square.dtype, device=square.device)


def capacitance_tril(factor: Any, diag: Any) -> Any:
    """The Cholesky factor of ``I + Wᵀ D⁻¹ W``: small, and all that has to be factored."""
    return cholesky(_plus_one(matmul(factor.mT / diag.unsqueeze(-2), factor)))


def low_rank_log_det(d: Any) -> Any:
    """log |W Wᵀ + D|, by the matrix determinant lemma."""
    return 2 * half_log_det(d._capacitance_tril) + d._unbroadcasted_cov_diag.log().sum(-1)


def low_rank_distance(d: Any, x: Any) -> Any:
    """``xᵀ (W Wᵀ + D)⁻¹ x``, by Woodbury's identity."""
    diag = d._unbroadcasted_cov_diag
    inner = matmul(d._unbroadcasted_cov_factor.mT / diag.unsqueeze(-2), x.unsqueeze(-1)).squeeze(-1)
    return (x.pow(2) / diag).sum(-1) - squared_distance(d._capacitance_tril, inner)


class LowRankMultivariateNormal(Distribution):
    """Normal vectors of mean ``loc`` (..., n) and covariance ``cov_factor @ cov_factor.mT + diag(cov_diag)``.

    ``cov_factor`` is (..., n, m), ``cov_diag`` (..., n). For m much smaller than n this costs n·m² instead of n³.
    """

    arg_constraints: ClassVar[Any] = {
        "loc": constraints.real_vector,
        "cov_factor": constraints.independent(constraints.real, 2),
        "cov_diag": constraints.independent(constraints.positive, 1),
    }
    support = constraints.real_vector
    has_rsample = True

    def __init__(self, loc: Any, cov_factor: Any, cov_diag: Any, validate_args: bool | None = None) -> None:
        if loc.dim() < 1:
            raise ValueError("loc must be at least one-dimensional.")
        event = loc.shape[-1:]
        if cov_factor.dim() < 2:
            raise ValueError("cov_factor must be at least two-dimensional, with optional leading batch dimensions")
        if cov_factor.shape[-2:-1] != event:
            raise ValueError(f"cov_factor must be a batch of matrices with shape {event[0]} x m")
        if cov_diag.shape[-1:] != event:
            raise ValueError(f"cov_diag must be a batch of vectors with shape {event}")
        try:
            columns = broadcast_tensors(loc.unsqueeze(-1), cov_factor, cov_diag.unsqueeze(-1))
        except RuntimeError as error:
            raise ValueError(
                f"Incompatible batch shapes: loc {loc.shape}, cov_factor {cov_factor.shape}, cov_diag {cov_diag.shape}"
            ) from error
        self.loc, self.cov_factor, self.cov_diag = columns[0][..., 0], columns[1], columns[2][..., 0]
        self._unbroadcasted_cov_factor, self._unbroadcasted_cov_diag = cov_factor, cov_diag
        self._capacitance_tril = capacitance_tril(cov_factor, cov_diag)
        super().__init__(self.loc.shape[:-1], event, validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        new = self._get_checked_instance(LowRankMultivariateNormal, _instance)
        new._unbroadcasted_cov_factor = self._unbroadcasted_cov_factor
        new._unbroadcasted_cov_diag = self._unbroadcasted_cov_diag
        new._capacitance_tril = self._capacitance_tril
        return super().expand(batch_shape, new)

    @property
    def mean(self) -> Any:
        return self.loc

    @property
    def mode(self) -> Any:
        return self.loc

    @lazy_property
    def variance(self) -> Any:
        variance = self._unbroadcasted_cov_factor.pow(2).sum(-1) + self._unbroadcasted_cov_diag
        return variance.expand(self._batch_shape + self._event_shape)

    def _matrix(self, matrix: Any) -> Any:
        return matrix.expand(self._batch_shape + self._event_shape + self._event_shape)

    @lazy_property
    def scale_tril(self) -> Any:
        root = self._unbroadcasted_cov_diag.sqrt().unsqueeze(-1)
        scaled = self._unbroadcasted_cov_factor / root
        return self._matrix(root * cholesky(_plus_one(matmul(scaled, scaled.mT))))

    @lazy_property
    def covariance_matrix(self) -> Any:
        factor = self._unbroadcasted_cov_factor
        return self._matrix(matmul(factor, factor.mT) + diag_embed(self._unbroadcasted_cov_diag))

    @lazy_property
    def precision_matrix(self) -> Any:
        diag = self._unbroadcasted_cov_diag
        scaled = self._unbroadcasted_cov_factor.mT / diag.unsqueeze(-2)
        part = solve_triangular(self._capacitance_tril, scaled, upper=False)
        return self._matrix(diag_embed(diag.reciprocal()) - matmul(part.mT, part))

    def rsample(self, sample_shape: Any = ()) -> Any:
        shape = self._extended_shape(sample_shape)
        low = standard_normal(shape[:-1] + self.cov_factor.shape[-1:], self.loc)
        own = standard_normal(shape, self.loc)
        shared = matmul(self._unbroadcasted_cov_factor, low.unsqueeze(-1)).squeeze(-1)
        return self.loc + shared + self._unbroadcasted_cov_diag.sqrt() * own

    def log_prob(self, value: Any) -> Any:
        if self._validate_args:
            self._validate_sample(value)
        distance = low_rank_distance(self, value - self.loc)
        return -0.5 * (self._event_shape[0] * math.log(2 * math.pi) + low_rank_log_det(self) + distance)

    def entropy(self) -> Any:
        n = self._event_shape[0]
        entropy = 0.5 * (n * (1.0 + math.log(2 * math.pi)) + low_rank_log_det(self))
        return entropy.expand(self._batch_shape) if self._batch_shape else entropy
