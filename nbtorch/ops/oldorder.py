"""Calls in the order of arguments that PyTorch had before version 1.5, and its masks of that time.

Factors stood before the tensors: ``p.add_(-lr, grad)``, ``v.addcmul_(1 - beta, g, g)``, ``addmm(1, dist, -2, x, y)``.
PyTorch accepts them with a warning, and so do the functions that this file decorates.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any, TypeVar

from ..autograd.variable import Variable
from ..backends.dtypes import bool_, uint8
from .conversion import to_dtype

__all__ = ["old_mask", "once_took"]

F = TypeVar("F", bound=Callable[..., Any])


def once_took(tensors: int, *factors: str) -> Callable[[F], F]:
    """Decorates a function, or a method in place, whose factors came before the tensors.

    Args:
        tensors: how many positional arguments it has now.
        factors: the options that were positional, in the order they had.
    """

    def decorate(function: F) -> F:
        @functools.wraps(function)
        def call(*args: Any, **options: Any) -> Any:
            if len(args) <= tensors:
                return function(*args, **options)
            values = [x for x in args if isinstance(x, Variable)]
            numbers = [x for x in args if not isinstance(x, Variable)]
            # Only products of matrices had a factor before the tensor itself: addmm(beta, input, alpha, mat1, mat2).
            before = not isinstance(args[0], Variable) and len(factors) == 1
            if len(values) != tensors or len(numbers) > len(factors) or before or isinstance(args[-1], (int, float)):
                return function(*args, **options)
            name = function.__name__
            warnings.warn(
                f"This overload of {name} is deprecated:\n\t{name}(Number {', Number '.join(factors)}, ...)\n"
                f"Consider using one of the following signatures instead:\n\t{name}(..., *, {', '.join(factors)})",
                stacklevel=2,
            )
            return function(*values, **dict(zip(factors, numbers, strict=False)), **options)

        return call  # type: ignore[return-value]

    return decorate


def old_mask(condition: Any) -> Any:
    """The condition of ``where`` as bools where it is of uint8, PyTorch's masks of old; with a warning."""
    if condition._dtype() is not uint8:
        return condition
    warnings.warn(
        "where received a uint8 condition tensor. This behavior is deprecated and will be removed in a future version "
        "of PyTorch. Use a boolean condition instead.",
        stacklevel=3,
    )
    return to_dtype(condition, bool_)
