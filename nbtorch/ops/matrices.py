"""What the families of linear algebra share: checks of matrices, named results, and pieces of their derivatives."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd.variable import Variable, wrap
from .named import named as named_class
from .operands import broadcast_shapes, require_tensor
from .operands import type_name as type_name
from .record import check_same_device

__all__: list[str] = []


class LinAlgError(RuntimeError):
    """A matrix that the algorithm can't do without: not positive-definite, singular, or not finite."""


LinAlgError.__module__ = "nbtorch.linalg"

# -- checks ---


def require_matrix(function: str, A: Any, argument: str = "A", *, square: bool = False) -> None:
    """At least 2 dimensions, and as many rows as columns where ``square``.

    Raises:
        TypeError: for what is not a tensor.
        RuntimeError: for another shape.
    """
    require_tensor(function, argument, A)
    shape = A._array.shape
    if len(shape) < 2:
        raise RuntimeError(
            f"{function}: The input tensor {argument} must have at least 2 dimensions.\n  got: shape {tuple(shape)}"
        )
    if square and shape[-1] != shape[-2]:
        raise RuntimeError(
            f"{function}: {argument} must be batches of square matrices, but they are {shape[-2]} by {shape[-1]} "
            f"matrices\n  got: shape {tuple(shape)}"
        )


def require_real(function: str, A: Any, kernel: str | None = None, *, low: bool = False, ints: bool = False) -> None:
    """A floating dtype; of 32 or 64 bits unless ``low``.

    Args:
        kernel: PyTorch's name of what is missing for half precision (for integers too with ``ints``): there it raises
            NotImplementedError, and RuntimeError without.

    Raises:
        RuntimeError: for another dtype, or NotImplementedError.
    """
    kind = A._array.dtype.kind
    fix = "\n  expected: float32 or float64\n  fix: convert first, for example x.float()"
    if kind in "iub":
        if ints:
            raise NotImplementedError(f"\"{kernel}\" not implemented for '{type_name(A)}'{fix}")
        raise RuntimeError(f"{function}: Expected a floating point or complex tensor as input. Got {type_name(A)}{fix}")
    if not low and type_name(A) in ("Half", "BFloat16"):
        if kernel is not None:
            raise NotImplementedError(f"\"{kernel}\" not implemented for '{type_name(A)}'{fix}")
        raise RuntimeError(f"{function}: Low precision dtypes not supported. Got {type_name(A)}{fix}")


def require_same(function: str, A: Any, B: Any, first: str = "A", second: str = "B", sentence: str = "") -> None:
    """The two live on one device and have one dtype.

    Raises:
        RuntimeError: where they don't.
    """
    check_same_device(_Named(function), (A, B))  # type: ignore[arg-type]
    if A._array.dtype != B._array.dtype:
        raise RuntimeError(
            sentence
            or f"{function}: Expected {first} and {second} to have the same dtype, but found {first} of type "
            f"{type_name(A)} and {second} of type {type_name(B)} instead"
        )


class _Named:
    def __init__(self, name: str) -> None:
        self.name = name


def broadcast_batch(function: str, *matrices: Any) -> tuple[int, ...]:
    """The common batch shape.

    Raises:
        RuntimeError: where the batch dimensions don't fit.
    """
    return broadcast_shapes(function, *[tuple(x._array.shape[:-2]) for x in matrices])


def expand_batch(x: Any, batch: tuple[int, ...]) -> Any:
    """``x`` with its batch dimensions expanded."""
    shape = x._array.shape
    return x if tuple(shape[:-2]) == batch else x.expand((*batch, *shape[-2:]))


def first_failure(info: Any) -> tuple[int, int, int] | None:
    """The batch element that failed first, its ``info``, and the number of dimensions of the batch; None for none."""
    host = info._backend.to_host(info._array)
    failed = np.flatnonzero(host)
    return (int(failed[0]), int(host.reshape(-1)[failed[0]]), host.ndim) if len(failed) else None


def raise_where_failed(function: str, info: Any, sentence: str, error: type[Exception] = LinAlgError) -> None:
    """Raises ``sentence``, with ``{info}`` filled in, where ``info`` says that a matrix failed."""
    found = first_failure(info)
    if found is not None:
        element, code, ndim = found
        where = f"(Batch element {element}): " if ndim else ""
        raise error(f"{function}: {where}{sentence.format(info=code)}")


INVERSION = (
    "The diagonal element {info} is zero, the inversion could not be completed because the input matrix is singular."
    "\n  fix: torch.linalg.pinv(A) inverts what can be inverted"
)
SOLUTION = (
    "The solver failed because the input matrix is singular."
    "\n  fix: torch.linalg.lstsq(A, B) gives the X that comes closest"
)


# -- named results ---


def named(function: str, /, **fields: Any) -> Any:
    """The named results of a function."""
    return named_class(function, *fields)(fields.values())


# -- pieces of derivatives, for arrays and tensors ---


def mT(m: Any, x: Any) -> Any:
    """The matrices transposed."""
    return m.transpose(x, x.ndim - 2, x.ndim - 1)


def constant(like: Any, array: Any) -> Any:
    """A device array as a constant beside ``like``, be that an array or a tensor."""
    return wrap(array, like._backend) if isinstance(like, Variable) else array


def backend_of(m: Any, like: Any) -> Any:
    """The array primitives of where ``like`` lives."""
    return like._backend if isinstance(like, Variable) else m


def dtype_of(like: Any) -> Any:
    """The NumPy dtype of an array or a tensor."""
    return like._array.dtype if isinstance(like, Variable) else like.dtype


def eye_like(m: Any, like: Any, rows: int, columns: int | None = None) -> Any:
    """The identity of the dtype of ``like``, as a constant beside it."""
    made = backend_of(m, like).eye(rows, rows if columns is None else columns, dtype_of(like))
    return constant(like, made)


def diagonal_matrix(m: Any, d: Any) -> Any:
    """Square matrices with ``d`` on the diagonal."""
    n = d.shape[-1]
    return m.diagonal_backward(d, (*tuple(d.shape), n), 0, d.ndim - 1, d.ndim)


def permute_rows(m: Any, x: Any, order: Any) -> Any:
    """Row ``order[i]`` of the matrices at place i; ``order`` is an array, with the batch dimensions of ``x``."""
    index = backend_of(m, x).expand(order[..., None], tuple(x.shape))
    return m.gather(x, x.ndim - 2, constant(x, index))


def inverse_order(backend: Any, order: Any) -> Any:
    """The permutation that undoes another: an array."""
    return backend.xp.argsort(order, -1)
