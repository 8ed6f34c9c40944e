"""The Wishart distribution."""

from __future__ import annotations

import math
import warnings
from typing import Any

from ..backends.dtypes import finfo
from ..linalg import cholesky
from ..ops import (
    arange,
    cholesky_solve,
    diag_embed,
    digamma,
    eye,
    matmul,
    mvlgamma,
    randn,
    slogdet,
    tensor,
    tril_indices,
    where,
)  # fmt: skip
from ..tensor import Size
from . import constraints
from .chi2 import Chi2
from .exp_family import ExponentialFamily
from .multivariate_normal import half_log_det, precision_to_scale_tril
from .utils import common_shape, is_number, lazy_property

__all__ = ["Wishart"]


class Wishart(ExponentialFamily):
    """Sums of ``df`` outer products ``x xᵀ`` of normal vectors of mean 0, by their covariance, its inverse or its
    Cholesky factor; ``df`` may be any number above n - 1.

    Samples are drawn by Bartlett's decomposition (1933).
    """

    support = constraints.positive_definite
    has_rsample = True
    _mean_carrier_measure = 0

    @property
    def arg_constraints(self) -> Any:
        return {
            "covariance_matrix": constraints.positive_definite,
            "precision_matrix": constraints.positive_definite,
            "scale_tril": constraints.lower_cholesky,
            "df": constraints.greater_than(self.event_shape[-1] - 1),
        }

    def __init__(
        self,
        df: Any,
        covariance_matrix: Any = None,
        precision_matrix: Any = None,
        scale_tril: Any = None,
        validate_args: bool | None = None,
    ) -> None:
        given = {
            "covariance_matrix": covariance_matrix, "scale_tril": scale_tril, "precision_matrix": precision_matrix
        }  # fmt: skip
        given = {name: value for name, value in given.items() if value is not None}
        if len(given) != 1:
            raise AssertionError("Exactly one of covariance_matrix or precision_matrix or scale_tril may be specified.")
        ((name, matrix),) = given.items()
        if matrix.dim() < 2:
            raise ValueError("scale_tril must be at least two-dimensional, with optional leading batch dimensions")
        if is_number(df):
            batch = Size(matrix.shape[:-2])
            self.df = tensor(df, dtype=matrix.dtype, device=matrix.device)
        else:
            batch = common_shape(matrix.shape[:-2], df.shape)
            self.df = df.expand(batch)
        event = matrix.shape[-2:]
        n = event[-1]
        if (self.df <= n - 1).any():
            raise ValueError(f"Value of df={df} expected to be greater than ndim - 1 = {n - 1}.")
        setattr(self, name, matrix.expand(*batch, -1, -1))
        if (self.df < n).any():
            warnings.warn(
                "Low df values detected. Singular samples are highly likely to occur for ndim - 1 < df < ndim.",
                stacklevel=2,
            )
        super().__init__(batch, event, validate_args=validate_args)
        if name == "scale_tril":
            self._unbroadcasted_scale_tril = matrix
        elif name == "covariance_matrix":
            self._unbroadcasted_scale_tril = cholesky(matrix)
        else:
            self._unbroadcasted_scale_tril = precision_to_scale_tril(matrix)
        self._dist_chi2 = self._chi2()

    def _chi2(self) -> Any:
        """The squared lengths of the rows: one degree of freedom less for each."""
        rows = arange(self._event_shape[-1], dtype=self._unbroadcasted_scale_tril.dtype, device=self.df.device)
        return Chi2(self.df.unsqueeze(-1) - rows.expand(*self._batch_shape, -1))

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        new = self._get_checked_instance(Wishart, _instance)
        new._unbroadcasted_scale_tril = self._unbroadcasted_scale_tril.expand(*batch_shape, *self._event_shape)
        new = super().expand(batch_shape, new)
        new._dist_chi2 = new._chi2()
        return new

    def _matrix(self, matrix: Any) -> Any:
        return matrix.expand(self._batch_shape + self._event_shape)

    @lazy_property
    def scale_tril(self) -> Any:
        return self._matrix(self._unbroadcasted_scale_tril)

    @lazy_property
    def covariance_matrix(self) -> Any:
        factor = self._unbroadcasted_scale_tril
        return self._matrix(matmul(factor, factor.mT))

    @lazy_property
    def precision_matrix(self) -> Any:
        factor = self._unbroadcasted_scale_tril
        one = eye(self._event_shape[-1], dtype=factor.dtype, device=factor.device)
        return self._matrix(cholesky_solve(one, factor))

    def _per_matrix(self, value: Any) -> Any:
        return value.reshape(*self._batch_shape, 1, 1)

    @property
    def mean(self) -> Any:
        return self._per_matrix(self.df) * self.covariance_matrix

    @property
    def mode(self) -> Any:
        factor = self.df - self._event_shape[-1] - 1
        return self._per_matrix(where(factor <= 0, math.nan, factor)) * self.covariance_matrix

    @property
    def variance(self) -> Any:
        matrix = self.covariance_matrix
        diagonal = matrix.diagonal(dim1=-2, dim2=-1)
        return self._per_matrix(self.df) * (matrix.pow(2) + diagonal.unsqueeze(-1) * diagonal.unsqueeze(-2))

    def _bartlett(self, sample_shape: Any) -> Any:
        n = self._event_shape[-1]
        lengths = self._dist_chi2.rsample(sample_shape).sqrt()
        noise = diag_embed(lengths.clamp(min=finfo(lengths.dtype).eps))
        rows, columns = tril_indices(n, n, offset=-1, device=noise.device)
        shape = (*sample_shape, *self._batch_shape, n * (n - 1) // 2)
        noise[..., rows, columns] = randn(shape, dtype=noise.dtype, device=noise.device)
        factor = matmul(self._unbroadcasted_scale_tril, noise)
        return matmul(factor, factor.mT)

    def _of_draws(self, checks: Any) -> Any:
        batch = len(self._batch_shape)
        return checks.any(tuple(range(-batch, 0))) if batch else checks

    def rsample(self, sample_shape: Any = (), max_try_correction: int | None = None) -> Any:
        """Samples, singular ones drawn again up to ``max_try_correction`` (10) times."""
        sample = self._bartlett(sample_shape)
        # PyTorch 2.13 asks its first check the wrong way round and draws the sound samples again: equal seeds give
        # equal numbers only if that is done here too. The numbers are Wishart numbers either way.
        again = self._of_draws(self.support.check(sample))
        for _ in range(10 if max_try_correction is None else max_try_correction):
            if not again.any():
                break
            drawn = self._bartlett(again[again].shape)
            sample[again] = drawn
            again[again.clone()] = self._of_draws(~self.support.check(drawn))
        return sample

    def log_prob(self, value: Any) -> Any:
        if self._validate_args:
            self._validate_sample(value)
        df, n, factor = self.df, self._event_shape[-1], self._unbroadcasted_scale_tril
        trace = cholesky_solve(value, factor).diagonal(dim1=-2, dim2=-1).sum(-1)
        constant = df * (n * math.log(2) / 2 + half_log_det(factor)) + mvlgamma(df / 2, n)
        return (df - n - 1) / 2 * slogdet(value)[1] - trace / 2 - constant

    def entropy(self) -> Any:
        df, n = self.df, self._event_shape[-1]
        halves = arange(n, dtype=df.dtype, device=df.device) / 2
        psi = digamma((df / 2).unsqueeze(-1) - halves).sum(-1)
        scale = (n + 1) * (n * math.log(2) / 2 + half_log_det(self._unbroadcasted_scale_tril))
        return scale + mvlgamma(df / 2, n) - (df - n - 1) / 2 * psi + df * n / 2

    @property
    def _natural_params(self) -> tuple[Any, ...]:
        return -self.precision_matrix / 2, (self.df - self._event_shape[-1] - 1) / 2

    def _log_normalizer(self, x: Any, y: Any) -> Any:
        n = self._event_shape[-1]
        half = y + (n + 1) / 2
        return half * (n * math.log(2) - slogdet(-2 * x)[1]) + mvlgamma(half, n)
