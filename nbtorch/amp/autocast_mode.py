"""``autocast``: accepted everywhere, and without effect where half precision would only be slower."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

from ..backends.dtypes import dtype as DType

__all__ = ["autocast", "custom_bwd", "custom_fwd", "is_autocast_available"]

F = TypeVar("F", bound=Callable[..., Any])


class autocast:
    """A context (or decorator) in which PyTorch computes products in half precision; here they stay as they are.

    Args:
        device_type: ``"cpu"`` or ``"cuda"``.
        dtype: accepted.
        enabled: accepted.
        cache_enabled: accepted.

    Raises:
        RuntimeError: for an unknown device type.
    """

    def __init__(
        self, device_type: str = "cuda", dtype: DType | None = None, enabled: bool = True,
        cache_enabled: bool | None = None,
    ) -> None:  # fmt: skip
        if not isinstance(device_type, str):
            raise ValueError(f"Expected `device_type` of type `str`, got: `{type(device_type)}`")
        if not is_autocast_available(device_type):
            raise RuntimeError(f"User specified an unsupported autocast device_type '{device_type}'")
        self.device = device_type
        self.fast_dtype = dtype
        self._enabled = enabled

    def __enter__(self) -> autocast:
        return self

    def __exit__(self, *exc: object) -> None:
        pass

    def __call__(self, function: F) -> F:
        return function


def is_autocast_available(device_type: str) -> bool:
    """Whether ``autocast`` knows the type of device."""
    return device_type in ("cpu", "cuda", "strict")


def custom_fwd(function: F | None = None, *, device_type: str = "cuda", cast_inputs: DType | None = None) -> Any:
    """Marks the ``forward`` of a ``Function`` for autocast: returns it."""
    return function if function is not None else functools.partial(custom_fwd, device_type=device_type)


def custom_bwd(function: F | None = None, *, device_type: str = "cuda") -> Any:
    """Marks the ``backward`` of a ``Function`` for autocast: returns it."""
    return function if function is not None else functools.partial(custom_bwd, device_type=device_type)
