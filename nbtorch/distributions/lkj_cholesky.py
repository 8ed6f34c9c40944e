"""The distribution of correlation matrices of Lewandowski, Kurowicka and Joe (2009)."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from ..backends.dtypes import finfo
from ..ops import arange, cat, diag_embed, lgamma, mvlgamma, randn
from . import constraints
from .beta import Beta
from .distribution import Distribution
from .utils import broadcast_all

__all__ = ["LKJCholesky"]


class LKJCholesky(Distribution):
    """Cholesky factors of correlation matrices of ``dim`` rows, their density a power of the determinant.

    A ``concentration`` of 1 makes all correlation matrices equally likely, more pulls to the identity. Samples are
    drawn by the onion method: row by row, a beta number for the length and a point of a sphere for the direction
    (section 3.2 of doi:10.1016/j.jmva.2009.04.008).
    """

    arg_constraints: ClassVar[Any] = {"concentration": constraints.positive}
    support = constraints.corr_cholesky

    def __init__(self, dim: int, concentration: Any = 1.0, validate_args: bool | None = None) -> None:
        if dim < 2:
            raise ValueError(f"Expected dim to be an integer greater than or equal to 2. Found dim={dim}.")
        self.dim = dim
        (self.concentration,) = broadcast_all(concentration)
        rows = arange(dim - 1, dtype=self.concentration.dtype, device=self.concentration.device)
        rows = cat([rows.new_zeros((1,)), rows])
        marginal = self.concentration + 0.5 * (dim - 2)
        self._beta = Beta(rows + 0.5, marginal.unsqueeze(-1) - 0.5 * rows)
        super().__init__(self.concentration.size(), (dim, dim), validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        new = self._get_checked_instance(LKJCholesky, _instance)
        new.dim = self.dim
        new._beta = self._beta.expand((*batch_shape, self.dim))
        return super().expand(batch_shape, new)

    def sample(self, sample_shape: Any = ()) -> Any:
        y = self._beta.sample(sample_shape).unsqueeze(-1)
        points = randn(self._extended_shape(sample_shape), dtype=y.dtype, device=y.device).tril(-1)
        points = points / points.norm(dim=-1, keepdim=True)
        points[..., 0, :].fill_(0.0)
        below = y.sqrt() * points
        diagonal = (1 - (below**2).sum(-1)).clamp(min=finfo(below.dtype).tiny).sqrt()
        return below + diag_embed(diagonal)

    def log_prob(self, value: Any) -> Any:
        """The density of the factor: a power of each diagonal element, by page 1999 of the paper."""
        if self._validate_args:
            self._validate_sample(value)
        diagonal = value.diagonal(dim1=-1, dim2=-2)[..., 1:]
        rows = arange(2, self.dim + 1, device=self.concentration.device)
        powers = 2 * (self.concentration - 1).unsqueeze(-1) + self.dim - rows
        n = self.dim - 1
        alpha = self.concentration + 0.5 * n
        constant = 0.5 * n * math.log(math.pi) + mvlgamma(alpha - 0.5, n) - lgamma(alpha) * n
        return (powers * diagonal.log()).sum(-1) - constant
