"""``torch.overrides``: functions here don't look for ``__torch_function__``, and these questions say so."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from .annex import name_what_is_missing
from .tensor import Tensor

__all__ = ["handle_torch_function", "has_torch_function", "has_torch_function_unary", "has_torch_function_variadic",
           "is_tensor_like", "is_tensor_method_or_property", "resolve_name", "wrap_torch_function"]  # fmt: skip

F = TypeVar("F", bound=Callable[..., Any])


def has_torch_function(relevant_args: Iterable[Any]) -> bool:
    """Whether one of the arguments has a ``__torch_function__`` of its own."""
    return any(hasattr(type(x), "__torch_function__") for x in relevant_args)


def has_torch_function_unary(relevant_arg: Any) -> bool:
    """:func:`has_torch_function` of one."""
    return has_torch_function((relevant_arg,))


def has_torch_function_variadic(*relevant_args: Any) -> bool:
    """:func:`has_torch_function` of several."""
    return has_torch_function(relevant_args)


def handle_torch_function(
    public_api: Callable[..., Any], relevant_args: Iterable[Any], *args: Any, **kwargs: Any
) -> Any:
    """Asks the arguments' ``__torch_function__`` one after the other, for functions of a program's own.

    Raises:
        TypeError: where none of them has an answer.
    """
    found = [x for x in relevant_args if hasattr(type(x), "__torch_function__")]
    types = tuple(dict.fromkeys(type(x) for x in found))
    for x in found:
        result = x.__torch_function__(public_api, types, args, kwargs)
        if result is not NotImplemented:
            return result
    name = f"{public_api.__module__}.{public_api.__name__}"
    raise TypeError(f"no implementation found for '{name}' on types that implement __torch_function__: {list(types)}")


def wrap_torch_function(dispatcher: Callable[..., Iterable[Any]]) -> Callable[[F], F]:
    """A decorator for functions of a program's own: arguments with a ``__torch_function__`` are asked first.

    Args:
        dispatcher: from the function's arguments, those to be asked.
    """

    def decorator(func: F) -> F:
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            relevant = tuple(dispatcher(*args, **kwargs))
            if has_torch_function(relevant):
                return handle_torch_function(wrapped, relevant, *args, **kwargs)
            return func(*args, **kwargs)

        wrapped.__name__, wrapped.__module__, wrapped.__doc__ = func.__name__, func.__module__, func.__doc__
        return wrapped  # type: ignore[return-value]

    return decorator


def is_tensor_like(inp: Any) -> bool:
    """Whether ``inp`` is a tensor, or something that answers for one."""
    return isinstance(inp, Tensor) or hasattr(inp, "__torch_function__")


def is_tensor_method_or_property(func: Callable[..., Any]) -> bool:
    """Whether a function is a method of ``Tensor``."""
    return getattr(Tensor, getattr(func, "__name__", ""), None) is func


def resolve_name(f: Callable[..., Any]) -> str:
    """The name of a function, with its module."""
    return f"{f.__module__}.{f.__qualname__}".replace("nbtorch", "torch", 1)


name_what_is_missing(globals())
