"""``autocast``: accepted, told to who asks, and without effect: products stay in the precision of their tensors."""

from __future__ import annotations

import functools
import threading
import warnings
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from ..backends.cupy import why_unavailable
from ..backends.dtypes import bfloat16, float16, float64
from ..backends.dtypes import dtype as DType
from ..tensor import Tensor

__all__ = [
    "autocast", "autocast_decorator", "clear_autocast_cache", "custom_bwd", "custom_fwd", "get_autocast_cpu_dtype",
    "get_autocast_dtype", "get_autocast_gpu_dtype", "is_autocast_available", "is_autocast_cache_enabled",
    "is_autocast_cpu_enabled", "is_autocast_enabled", "set_autocast_cache_enabled", "set_autocast_cpu_dtype",
    "set_autocast_cpu_enabled", "set_autocast_dtype", "set_autocast_enabled", "set_autocast_gpu_dtype",
]  # fmt: skip

F = TypeVar("F", bound=Callable[..., Any])


class _Settings(threading.local):
    """What ``autocast`` and the functions ``set_autocast_*`` have set in this thread, by type of device."""

    def __init__(self) -> None:
        self.enabled = dict.fromkeys(("cpu", "cuda", "strict"), False)
        self.dtype = {"cpu": bfloat16, "cuda": float16, "strict": float16}
        self.cache = True


_settings = _Settings()


def is_autocast_available(device_type: str) -> bool:
    """Whether ``autocast`` knows the type of device."""
    return device_type in _settings.enabled


def _known(device_type: str) -> str:
    if not is_autocast_available(device_type):
        raise RuntimeError(f"unknown device type for autocast: {device_type!r}; those known are cpu and cuda")
    return device_type


def is_autocast_enabled(device_type: str = "cuda") -> bool:
    """Whether this is a block of ``autocast`` for the type of device, in which PyTorch would cast."""
    return _settings.enabled[_known(device_type)]


def set_autocast_enabled(device_type: str | bool, enabled: bool | None = None) -> None:
    """Sets what :func:`is_autocast_enabled` says; one argument is for ``"cuda"``."""
    if isinstance(device_type, str):
        _settings.enabled[_known(device_type)] = bool(enabled)
    else:
        _settings.enabled["cuda"] = bool(device_type)


def get_autocast_dtype(device_type: str) -> DType:
    """The dtype to which PyTorch would cast; float16 for ``"cuda"``, bfloat16 for ``"cpu"`` unless set otherwise."""
    return _settings.dtype[_known(device_type)]


def set_autocast_dtype(device_type: str, dtype: DType) -> None:
    """Sets what :func:`get_autocast_dtype` says."""
    _settings.dtype[_known(device_type)] = dtype


def is_autocast_cpu_enabled() -> bool:
    """The older name of ``is_autocast_enabled("cpu")``."""
    return is_autocast_enabled("cpu")


def set_autocast_cpu_enabled(enabled: bool) -> None:
    """The older name of ``set_autocast_enabled("cpu", enabled)``."""
    set_autocast_enabled("cpu", enabled)


def get_autocast_cpu_dtype() -> DType:
    """The older name of ``get_autocast_dtype("cpu")``."""
    return get_autocast_dtype("cpu")


def set_autocast_cpu_dtype(dtype: DType) -> None:
    """The older name of ``set_autocast_dtype("cpu", dtype)``."""
    set_autocast_dtype("cpu", dtype)


def get_autocast_gpu_dtype() -> DType:
    """The older name of ``get_autocast_dtype("cuda")``."""
    return get_autocast_dtype("cuda")


def set_autocast_gpu_dtype(dtype: DType) -> None:
    """The older name of ``set_autocast_dtype("cuda", dtype)``."""
    set_autocast_dtype("cuda", dtype)


def is_autocast_cache_enabled() -> bool:
    """Whether PyTorch would keep the weights that it has cast."""
    return _settings.cache


def set_autocast_cache_enabled(enabled: bool) -> None:
    """Sets what :func:`is_autocast_cache_enabled` says."""
    _settings.cache = bool(enabled)


def clear_autocast_cache() -> None:
    """Accepted: nothing was cast, so there is nothing to forget."""


class autocast:
    """A context or decorator in which PyTorch computes products in half precision; here they stay as they are.

    On a CPU half precision is emulated by NumPy and slower than single. Numbers are therefore those of the program
    without ``autocast``: more exact, and not equal to PyTorch's under it. ``is_autocast_enabled`` and
    ``get_autocast_dtype`` answer as in PyTorch.

    Args:
        device_type: ``"cpu"`` or ``"cuda"``.
        dtype: float16 or bfloat16; by default what :func:`get_autocast_dtype` says.
        enabled: whether PyTorch would cast.
        cache_enabled: whether it would keep the weights that it has cast.

    Raises:
        RuntimeError: for an unknown type of device.

    Warns:
        UserWarning: for another dtype, or for ``"cuda"`` without a GPU; then it is as with ``enabled=False``.
    """

    def __init__(
        self, device_type: str, dtype: DType | None = None, enabled: bool = True, cache_enabled: bool | None = None
    ) -> None:
        if not isinstance(device_type, str):
            raise ValueError(f"Expected `device_type` of type `str`, got: `{type(device_type)}`")
        if not is_autocast_available(device_type):
            raise RuntimeError(f"User specified an unsupported autocast device_type '{device_type}'")
        self.device = device_type
        self.fast_dtype = get_autocast_dtype(device_type) if dtype is None else dtype
        self._cache_enabled = _settings.cache if cache_enabled is None else cache_enabled
        if enabled and device_type == "cuda" and why_unavailable() is not None:
            warnings.warn("CUDA is not available or torch_xla is imported. Disabling autocast.", stacklevel=2)
            enabled = False
        elif enabled and self.fast_dtype not in (bfloat16, float16):
            warnings.warn(
                f"In {device_type.upper()} autocast, but the target dtype is not supported. Disabling autocast.\n"
                f"{device_type.upper()} Autocast only supports dtypes of torch.bfloat16, torch.float16 currently.",
                stacklevel=2,
            )
            enabled = False
        self._enabled = enabled
        self._before: list[tuple[bool, DType, bool]] = []  # one instance may be entered again inside itself

    def __enter__(self) -> autocast:
        self._before.append((_settings.enabled[self.device], _settings.dtype[self.device], _settings.cache))
        _settings.enabled[self.device] = self._enabled
        _settings.dtype[self.device] = self.fast_dtype
        _settings.cache = self._cache_enabled
        return self

    def __exit__(self, *exc: object) -> None:
        _settings.enabled[self.device], _settings.dtype[self.device], _settings.cache = self._before.pop()

    def __call__(self, func: F) -> F:
        if not callable(func):
            raise TypeError(
                f"autocast()(func) requires a callable, but got {type(func).__name__}. Did you mean to use autocast as "
                "a context manager? For example:\n    with torch.autocast(device_type=...):\n"
                "        output = model(input)"
            )
        return autocast_decorator(self, func)


def autocast_decorator(autocast_instance: autocast, func: F) -> F:
    """``func``, run inside the block."""

    @functools.wraps(func)
    def decorate_autocast(*args: Any, **kwargs: Any) -> Any:
        with autocast_instance:
            return func(*args, **kwargs)

    return decorate_autocast  # type: ignore[return-value]


def _cast(value: Any, device_type: str, dtype: DType) -> Any:
    """Tensors of the type of device, inside lists, tuples and dictionaries too, in another floating dtype."""
    if isinstance(value, Tensor):
        wanted = value.is_floating_point() and value.device.type == device_type and value.dtype is not float64
        return value.to(dtype) if wanted else value
    if isinstance(value, Mapping):
        return {_cast(k, device_type, dtype): _cast(v, device_type, dtype) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_cast(v, device_type, dtype) for v in value)
    return value


def custom_fwd(fwd: Any = None, *, device_type: str, cast_inputs: DType | None = None) -> Any:
    """For the ``forward`` of a ``Function``: runs it as under the ``autocast`` that it is called in.

    Args:
        fwd: the method; without one, a decorator is returned.
        device_type: ``"cpu"`` or ``"cuda"``.
        cast_inputs: under ``autocast``, the dtype to which floating tensors are cast first; it is then off inside.
    """
    if not isinstance(device_type, str):
        raise ValueError(f"Expected `device_type` of type `str`, got: `{type(device_type)}`")
    if fwd is None:
        return functools.partial(custom_fwd, device_type=device_type, cast_inputs=cast_inputs)

    @functools.wraps(fwd)
    def decorate_fwd(ctx: Any, *args: Any, **kwargs: Any) -> Any:
        enabled = is_autocast_enabled(device_type)
        ctx._dtype = get_autocast_dtype(device_type)
        ctx._fwd_used_autocast = enabled and cast_inputs is None
        if cast_inputs is None or not enabled:
            return fwd(ctx, *args, **kwargs)
        with autocast(device_type, enabled=False):
            return fwd(ctx, *_cast(args, device_type, cast_inputs), **_cast(kwargs, device_type, cast_inputs))

    return decorate_fwd


def custom_bwd(bwd: Any = None, *, device_type: str) -> Any:
    """For the ``backward`` of a ``Function`` whose ``forward`` has :func:`custom_fwd`: runs it in the same way.

    Args:
        bwd: the method; without one, a decorator is returned.
        device_type: ``"cpu"`` or ``"cuda"``.
    """
    if not isinstance(device_type, str):
        raise ValueError(f"Expected `device_type` of type `str`, got: `{type(device_type)}`")
    if bwd is None:
        return functools.partial(custom_bwd, device_type=device_type)

    @functools.wraps(bwd)
    def decorate_bwd(ctx: Any, *args: Any, **kwargs: Any) -> Any:
        with autocast(device_type, enabled=ctx._fwd_used_autocast, dtype=ctx._dtype):
            return bwd(ctx, *args, **kwargs)

    return decorate_bwd
