"""What weight and spectral normalisation compute, for their newer and older forms.

Source: Salimans and Kingma 2016 (weight); Miyato et al. 2018 (spectral).
"""

from __future__ import annotations

from typing import Any

from ...autograd import no_grad
from ...ops import dot, mv, norm_except_dim
from .. import functional as F
from ..modules.conv import ConvTranspose1d, ConvTranspose2d, ConvTranspose3d

__all__ = ["as_matrix", "channel_dim", "first_vectors", "power_steps", "spectral", "weighted"]


def weighted(direction: Any, length: Any, dim: int) -> Any:
    """``direction`` with the given length for each slice along ``dim``."""
    return direction * (length / norm_except_dim(direction, 2, dim))


def channel_dim(module: Any, dim: int | None) -> int:
    """The dimension of the output channels."""
    if dim is not None:
        return dim
    return int(isinstance(module, (ConvTranspose1d, ConvTranspose2d, ConvTranspose3d)))


def as_matrix(weight: Any, dim: int) -> Any:
    if dim != 0:
        weight = weight.permute(dim, *[d for d in range(weight.dim()) if d != dim])
    return weight.reshape(weight.shape[0], -1)


def first_vectors(matrix: Any, eps: float) -> tuple[Any, Any]:
    """Random unit vectors of the output and of the input side."""
    h, w = matrix.shape
    u, v = matrix.new_empty(h).normal_(0, 1), matrix.new_empty(w).normal_(0, 1)
    return F.normalize(u, dim=0, eps=eps), F.normalize(v, dim=0, eps=eps)


def power_steps(matrix: Any, u: Any, v: Any, steps: int, eps: float, v_first: bool) -> None:
    """Brings ``u`` and ``v`` closer to the first singular vectors of ``matrix``, in place."""
    with no_grad():
        for _ in range(steps):
            for side in "vu" if v_first else "uv":
                if side == "v":
                    v.copy_(F.normalize(mv(matrix.t(), u), dim=0, eps=eps))
                else:
                    u.copy_(F.normalize(mv(matrix, v), dim=0, eps=eps))


def spectral(weight: Any, matrix: Any, u: Any, v: Any) -> Any:
    """``weight`` over its largest singular value, as the two vectors see it. They are constants, and change later."""
    u, v = u.clone(), v.clone()
    return weight / dot(u, mv(matrix, v))
