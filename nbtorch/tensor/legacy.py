"""``FloatTensor``, ``LongTensor`` and the like: PyTorch's constructors from before dtypes, which programs still use."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ..autograd.variable import Variable
from ..backends import dtypes
from ..backends.device import set_default_device
from ..ops.creation import empty
from ..ops.creation import tensor as make_tensor
from ..ops.memory import Memory
from .size import Size
from .tensor import Tensor

__all__ = [
    "BFloat16Tensor", "BoolTensor", "ByteTensor", "CharTensor", "DoubleTensor", "FloatTensor", "HalfTensor",
    "IntTensor", "LongTensor", "ShortTensor", "set_default_tensor_type",
]  # fmt: skip


class _Legacy(type):
    """Calls make tensors of one dtype on one kind of device; ``isinstance`` and ``x.type(…)`` ask for both."""

    dtype: dtypes.dtype
    is_cuda: bool

    def __call__(cls, *args: Any, size: Sequence[int] | None = None, **kwargs: Any) -> Any:
        where = cls._where(kwargs.pop("device", None))
        refuse_without_gpu(cls)
        if kwargs:
            raise TypeError(f"new() received an unexpected keyword argument {next(iter(kwargs))!r}")
        if size is not None:
            args = (Size(size),)
        if len(args) != 1 or (isinstance(args[0], (int, np.integer, Size)) and not isinstance(args[0], bool)):
            return empty(*args, dtype=cls.dtype, device=where) if args else empty(0, dtype=cls.dtype, device=where)
        source = args[0]
        if isinstance(source, Variable):
            if source._dtype() is not cls.dtype:
                raise TypeError(f"expected {cls.dtype!r} (got {source._dtype()!r})\n  fix: x.to({cls.dtype!r})")
            return source.view_as(source)  # type: ignore[attr-defined]
        if isinstance(source, Memory):
            return source._tensor(cls.dtype)
        if isinstance(source, str):
            raise TypeError("new(): invalid data type 'str'")
        if isinstance(source, (bool, np.generic, Iterator, dict)) or not hasattr(source, "__len__"):
            raise TypeError(f"new(): data must be a sequence (got {type(source).__name__})")
        return make_tensor(source, dtype=cls.dtype, device=where)

    def _where(cls, asked: Any) -> Any:
        return asked if asked is not None else "cuda" if cls.is_cuda else "cpu"

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, Tensor) and instance.dtype is cls.dtype and instance.is_cuda == cls.is_cuda

    def __repr__(cls) -> str:
        return f"<class '{cls.__module__}.{cls.__name__}'>"


def refuse_without_gpu(kind: _Legacy) -> None:
    """
    Raises:
        TypeError: for a type of tensors on a GPU where there is none.
    """
    if not kind.is_cuda:
        return
    from ..backends.cupy import why_unavailable

    reason = why_unavailable()
    if reason is not None:
        raise TypeError(
            f"type {kind.__module__}.{kind.__name__} not available. Torch not compiled with CUDA enabled.\n"
            f"  why: {reason}"
        )


def legacy_type(name: str, d: dtypes.dtype, is_cuda: bool = False) -> Any:
    """The constructor of one dtype, of ``torch`` or of ``torch.cuda``."""
    doc = f"A tensor of {d!r}: ``{name}(data)``, or ``{name}(2, 3)`` without initial values."
    module = "torch.cuda" if is_cuda else "torch"
    return _Legacy(name, (), {"dtype": d, "is_cuda": is_cuda, "__doc__": doc, "__module__": module})


def set_default_tensor_type(t: Any) -> None:
    """Dtype and device that floating-point tensors get where none is said, by an old name; PyTorch has deprecated it.

    Raises:
        TypeError: for a type that is not a floating-point one, or not available here.
    """
    warnings.warn(
        "torch.set_default_tensor_type() is deprecated as of PyTorch 2.1, please use torch.set_default_dtype() and "
        "torch.set_default_device() as alternatives.",
        UserWarning,
        stacklevel=2,
    )
    if t is Tensor:
        return
    found = t
    if isinstance(t, str):
        found = globals().get(t.removeprefix("torch.").removeprefix("cuda."))
        if isinstance(found, _Legacy) and t.startswith("torch.cuda."):
            found = legacy_type(found.__name__, found.dtype, is_cuda=True)
    if not isinstance(found, _Legacy):
        raise TypeError(f"invalid type object\n  got: {t!r}\n  fix: torch.set_default_dtype(torch.float64)")
    refuse_without_gpu(found)
    if not found.dtype.is_floating_point:
        raise TypeError(f"only floating-point types are supported as the default type, got {t}")
    dtypes.set_default_dtype(found.dtype)
    set_default_device("cuda" if found.is_cuda else None)


FloatTensor = legacy_type("FloatTensor", dtypes.float32)
DoubleTensor = legacy_type("DoubleTensor", dtypes.float64)
HalfTensor = legacy_type("HalfTensor", dtypes.float16)
BFloat16Tensor = legacy_type("BFloat16Tensor", dtypes.bfloat16)
LongTensor = legacy_type("LongTensor", dtypes.int64)
IntTensor = legacy_type("IntTensor", dtypes.int32)
ShortTensor = legacy_type("ShortTensor", dtypes.int16)
CharTensor = legacy_type("CharTensor", dtypes.int8)
ByteTensor = legacy_type("ByteTensor", dtypes.uint8)
BoolTensor = legacy_type("BoolTensor", dtypes.bool_)
