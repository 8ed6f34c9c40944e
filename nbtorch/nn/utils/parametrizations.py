"""Ready-made parametrizations."""

from __future__ import annotations

from typing import Any

from ...autograd import no_grad
from ...backends.dtypes import finfo
from ...linalg import householder_product, solve
from ...ops import allclose, cat, eye, geqrf, matrix_exp, norm_except_dim, randn, where, zeros_like
from ...tensor import Tensor
from .. import functional as F
from ..modules.module import Module
from . import norms
from .parametrize import register_parametrization

__all__ = ["orthogonal", "spectral_norm", "weight_norm"]


_MAPS = ("matrix_exp", "cayley", "householder")


class _Orthogonal(Module):
    """A matrix with orthonormal columns (or rows, if there are fewer), as a function of any matrix.

    With ``use_trivialization`` the function is multiplied by ``base``, which is what was assigned last; so the way
    starts at minus the identity, where all three maps have the value of the identity.

    Source: Lezcano-Casado, Martínez-Rubio 2019 (exponential, Cayley map); Lezcano-Casado 2019 (trivialisations).
    """

    base: Any

    def __init__(self, weight: Any, orthogonal_map: str, *, use_trivialization: bool = True) -> None:
        super().__init__()
        self.shape = weight.shape
        self.orthogonal_map = orthogonal_map
        if use_trivialization:
            self.register_buffer("base", None)

    def forward(self, X: Tensor) -> Any:
        x: Any = X.mT if X.size(-2) < X.size(-1) else X
        n, k = x.size(-2), x.size(-1)
        if self.orthogonal_map == "householder":
            below = x.tril(diagonal=-1)
            # 2 / |v|², where v has a 1 on the diagonal that isn't stored.
            q = householder_product(below, 2.0 / (1.0 + (below * below).sum(dim=-2)))
            q = q * x.diagonal(dim1=-2, dim2=-1).int().unsqueeze(-2)
        else:
            below = x.tril()
            if n != k:
                below = cat([below, below.new_zeros(n, n - k).expand(*x.shape[:-2], -1, -1)], dim=-1)
            skew = below - below.mT
            if self.orthogonal_map == "matrix_exp":
                q = matrix_exp(skew)
            else:
                one = eye(n, dtype=skew.dtype, device=skew.device)
                q = solve(one - 0.5 * skew, one + 0.5 * skew)
            q = q[..., :k] if n != k else q
        if hasattr(self, "base"):
            q = self.base @ q
        return q.mT if X.size(-2) < X.size(-1) else q

    def right_inverse(self, Q: Tensor) -> Any:
        if Q.shape != self.shape:
            raise ValueError(
                f"Expected a matrix or batch of matrices of shape {self.shape}. Got a tensor of shape {Q.shape}."
            )
        with no_grad():
            q: Any = Q.mT if Q.size(-2) < Q.size(-1) else Q
            n, k = q.size(-2), q.size(-1)
            if hasattr(self, "base"):
                if n != k:  # completed to a square matrix
                    more = randn(*q.shape[:-2], n, n - k, dtype=q.dtype, device=q.device)
                    self.base = _orthonormal(cat([q, more], dim=-1))
                else:
                    self.base = q.clone() if _is_orthogonal(q) else _orthonormal(q)
                start = zeros_like(Q)
                start.diagonal(dim1=-2, dim2=-1).fill_(-1.0)
                return start
            if self.orthogonal_map != "householder":
                raise NotImplementedError(
                    "It is not possible to assign to the matrix exponential or the Cayley parametrizations when "
                    "use_trivialization=False."
                )
            reflections, tau = geqrf(q)
            diagonal = reflections.diagonal(dim1=-2, dim2=-1)
            # Signs that make the diagonal of R positive; LAPACK says by an exact 0 that there is no reflection.
            diagonal.copy_(diagonal.sign() * where(tau == 0.0, -1.0, 1.0).to(tau.dtype))
            return reflections.mT if Q.size(-2) < Q.size(-1) else reflections


def _is_orthogonal(q: Any) -> bool:
    n, k = q.size(-2), q.size(-1)
    one = eye(k, dtype=q.dtype, device=q.device)
    return bool(allclose(q.mT @ q, one, atol=10.0 * n * finfo(q.dtype).eps))


def _orthonormal(a: Any) -> Any:
    """The Q of a QR decomposition whose R has a positive diagonal."""
    reflections, tau = geqrf(a)
    return householder_product(reflections, tau) * reflections.diagonal(dim1=-2, dim2=-1).sign().unsqueeze(-2)


def orthogonal(
    module: Module, name: str = "weight", orthogonal_map: str | None = None, *, use_trivialization: bool = True
) -> Module:
    """Keeps the columns (or rows, if there are fewer) of a matrix orthonormal.

    Args:
        module: the owner.
        name: a parameter or buffer, ``(*, n, k)``.
        orthogonal_map: ``"matrix_exp"``, ``"cayley"`` or ``"householder"``; the first for square matrices and the
            last for others when left out.
        use_trivialization: multiply by what was assigned last; without it only ``"householder"`` can be assigned to.

    Raises:
        ValueError: where there is no such tensor, it has fewer than 2 dimensions, or for another map.
    """
    weight: Any = getattr(module, name, None)
    if not isinstance(weight, Tensor):
        raise ValueError(f"Module '{module}' has no parameter or buffer with name '{name}'")
    if weight.dim() < 2:
        raise ValueError(f"Expected a matrix or batch of matrices. Got a tensor of {weight.dim()} dimensions.")
    if orthogonal_map is None:
        orthogonal_map = "matrix_exp" if weight.size(-2) == weight.size(-1) else "householder"
    if orthogonal_map not in _MAPS:
        raise ValueError(
            f'orthogonal_map has to be one of "matrix_exp", "cayley", "householder". Got: {orthogonal_map}'
        )
    made = _Orthogonal(weight, orthogonal_map, use_trivialization=use_trivialization)
    return register_parametrization(module, name, made, unsafe=True)


class _WeightNorm(Module):
    def __init__(self, dim: int | None = 0) -> None:
        super().__init__()
        self.dim = -1 if dim is None else dim

    def forward(self, weight_g: Tensor, weight_v: Tensor) -> Any:
        return norms.weighted(weight_v, weight_g, self.dim)

    def right_inverse(self, weight: Tensor) -> tuple[Any, Tensor]:
        return norm_except_dim(weight, 2, self.dim), weight


def weight_norm(module: Module, name: str = "weight", dim: int | None = 0) -> Module:
    """Trains length and direction of a weight's slices along ``dim`` apart (of the whole, where ``dim`` is None)."""
    register_parametrization(module, name, _WeightNorm(dim), unsafe=True)

    def older_names(state_dict: Any, prefix: str, *others: Any) -> None:
        old = [f"{prefix}{name}_{end}" for end in "gv"]
        if all(key in state_dict for key in old):
            for i, key in enumerate(old):
                state_dict[f"{prefix}parametrizations.{name}.original{i}"] = state_dict.pop(key)

    module._register_load_state_dict_pre_hook(older_names)
    return module


class _SpectralNorm(Module):
    def __init__(self, weight: Tensor, n_power_iterations: int = 1, dim: int = 0, eps: float = 1e-12) -> None:
        super().__init__()
        ndim = weight.dim()
        if not -ndim <= dim < ndim:
            raise IndexError(f"Dimension out of range (expected to be in range of [-{ndim}, {ndim - 1}] but got {dim})")
        if n_power_iterations <= 0:
            raise ValueError(
                f"Expected n_power_iterations to be positive, but got n_power_iterations={n_power_iterations}"
            )
        self.dim = dim % ndim
        self.eps = eps
        if ndim > 1:
            self.n_power_iterations = n_power_iterations
            matrix = norms.as_matrix(weight.detach(), self.dim)
            u, v = norms.first_vectors(matrix, eps)
            self.register_buffer("_u", u)
            self.register_buffer("_v", v)
            norms.power_steps(matrix, u, v, 15, eps, v_first=False)

    def forward(self, weight: Tensor) -> Any:
        if weight.dim() == 1:
            return F.normalize(weight, dim=0, eps=self.eps)
        matrix = norms.as_matrix(weight, self.dim)
        if self.training:
            norms.power_steps(matrix, self._u, self._v, self.n_power_iterations, self.eps, v_first=False)
        return norms.spectral(weight, matrix, self._u, self._v)

    def right_inverse(self, value: Tensor) -> Tensor:
        return value


def spectral_norm(
    module: Module, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12, dim: int | None = None
) -> Module:
    """Keeps the largest singular value of a weight at 1, found by steps of the power method.

    Raises:
        ValueError: where the module has no such weight.
    """
    weight = getattr(module, name, None)
    if not isinstance(weight, Tensor):
        raise ValueError(f"Module '{module}' has no parameter or buffer with name '{name}'")
    made = _SpectralNorm(weight, n_power_iterations, norms.channel_dim(module, dim), eps)
    return register_parametrization(module, name, made)
