"""What the distributions share: parameters broadcast together, probabilities and logits, properties computed once."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Number
from typing import Any

from ..autograd import enable_grad
from ..backends.dtypes import finfo, get_default_dtype
from ..ops import log, log1p, sigmoid, softmax, tensor, zeros
from ..ops.operands import broadcast_shapes
from ..tensor import Size, Tensor

__all__ = [
    "broadcast_all", "clamp_probs", "lazy_property", "logits_to_probs", "probs_to_logits", "tril_matrix_to_vec",
    "vec_to_tril_matrix",
]  # fmt: skip

EULER = 0.57721566490153286060


def broadcast_all(*values: Any) -> tuple[Any, ...]:
    """Numbers and tensors as tensors of one shape; numbers take the dtype and device of the first tensor.

    Raises:
        ValueError: for anything else.
    """
    if not all(isinstance(v, (Tensor, Number)) for v in values):
        raise ValueError(
            "Input arguments must all be instances of Number, torch.Tensor or objects implementing __torch_function__."
        )
    tensors = [v for v in values if isinstance(v, Tensor)]
    if len(tensors) < len(values):
        options: dict[str, Any] = {"dtype": get_default_dtype()}
        if tensors:
            options = {"dtype": tensors[0].dtype, "device": tensors[0].device}
        values = tuple(v if isinstance(v, Tensor) else tensor(v, **options) for v in values)
    shape = common_shape(*(v.shape for v in values))
    return tuple(v if v.shape == shape else v.expand(shape) for v in values)


def common_shape(*shapes: Any) -> Size:
    """The shape that ``shapes`` broadcast to.

    Raises:
        RuntimeError: where they don't.
    """
    return Size(broadcast_shapes("broadcast_tensors", *map(tuple, shapes)))


def is_number(*values: Any) -> bool:
    return all(isinstance(v, Number) for v in values)


def sum_rightmost(value: Any, n: int) -> Any:
    """The sum over the last ``n`` dimensions."""
    return value.sum(tuple(range(-n, 0))) if n else value


def clamp_probs(probs: Any) -> Any:
    """``probs`` kept one rounding step away from 0 and 1, so that their logarithms are finite."""
    eps = finfo(probs.dtype).eps
    return probs.clamp(min=eps, max=1 - eps)


def logits_to_probs(logits: Any, is_binary: bool = False) -> Any:
    """Probabilities from logits: by the sigmoid if ``is_binary``, else by the softmax of the last dimension."""
    return sigmoid(logits) if is_binary else softmax(logits, -1)


def probs_to_logits(probs: Any, is_binary: bool = False) -> Any:
    """Log-odds of probabilities if ``is_binary``, else their logarithms."""
    inside = clamp_probs(probs)
    return log(inside) - log1p(-inside) if is_binary else log(inside)


class lazy_property:
    """A property computed when first asked for (with its graph, whatever the grad mode), then kept."""

    def __init__(self, wrapped: Callable[[Any], Any]) -> None:
        self.wrapped = wrapped
        self.__doc__ = wrapped.__doc__

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None:
            return self
        with enable_grad():
            value = self.wrapped(instance)
        setattr(instance, self.wrapped.__name__, value)
        return value


def vec_to_tril_matrix(vec: Any, diag: int = 0) -> Any:
    """The lower triangular matrix that holds ``vec`` row by row, up to diagonal ``diag``.

    Raises:
        ValueError: where no square matrix has that many elements there.
    """
    count = vec.shape[-1]
    n = (-(1 + 2 * diag) + ((1 + 2 * diag) ** 2 + 8 * count + 4 * abs(diag) * (diag + 1)) ** 0.5) / 2
    if abs(round(n) - n) > finfo(vec.dtype).eps:
        raise ValueError(
            f"The size of last dimension is {count} which cannot be expressed as the lower triangular part of a "
            "square D x D matrix."
        )
    size = round(n)
    mask = zeros(size, size, device=vec.device).add(1).tril(diag).bool()
    matrix = zeros(*vec.shape[:-1], size, size, dtype=vec.dtype, device=vec.device)
    return matrix.masked_scatter(mask.expand(matrix.shape), vec)


def tril_matrix_to_vec(mat: Any, diag: int = 0) -> Any:
    """The lower triangle of ``mat`` row by row; ``vec_to_tril_matrix`` undoes it.

    Raises:
        ValueError: for a diagonal outside the matrix.
    """
    n = mat.shape[-1]
    if not -n <= diag < n:
        raise ValueError(f"diag ({diag}) provided is outside [{-n}, {n - 1}].")
    rows = zeros(n, n, device=mat.device).add(1).tril(diag).bool()
    return mat[..., rows]
