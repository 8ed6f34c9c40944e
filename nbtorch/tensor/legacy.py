"""``FloatTensor``, ``LongTensor`` and the like: PyTorch's constructors from before dtypes, which programs still use."""

from __future__ import annotations

from typing import Any

from ..autograd.variable import Variable
from ..backends import dtypes
from ..ops.creation import empty
from ..ops.creation import tensor as make_tensor
from .size import Size
from .tensor import Tensor

__all__ = [
    "BFloat16Tensor", "BoolTensor", "ByteTensor", "CharTensor", "DoubleTensor", "FloatTensor", "HalfTensor",
    "IntTensor", "LongTensor", "ShortTensor",
]  # fmt: skip


class _Legacy(type):
    """Calls make tensors of one dtype; ``isinstance`` asks for the dtype."""

    kept: dtypes.dtype

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        if len(args) == 1 and not isinstance(args[0], (int, Size)):
            source = args[0]
            if isinstance(source, Variable):
                if source._dtype() is not cls.kept:
                    raise TypeError(f"expected {cls.kept!r} (got {source._dtype()!r})\n  fix: x.to({cls.kept!r})")
                return source.view_as(source)  # type: ignore[attr-defined]
            return make_tensor(source, dtype=cls.kept)
        return empty(*args, dtype=cls.kept) if args else empty(0, dtype=cls.kept)

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, Tensor) and instance.dtype is cls.kept

    def __repr__(cls) -> str:
        return f"<class 'torch.{cls.__name__}'>"


def _legacy(name: str, d: dtypes.dtype) -> Any:
    doc = f"A tensor of {d!r}: ``{name}(data)``, or ``{name}(2, 3)`` without initial values."
    return _Legacy(name, (), {"kept": d, "__doc__": doc})


FloatTensor = _legacy("FloatTensor", dtypes.float32)
DoubleTensor = _legacy("DoubleTensor", dtypes.float64)
HalfTensor = _legacy("HalfTensor", dtypes.float16)
BFloat16Tensor = _legacy("BFloat16Tensor", dtypes.bfloat16)
LongTensor = _legacy("LongTensor", dtypes.int64)
IntTensor = _legacy("IntTensor", dtypes.int32)
ShortTensor = _legacy("ShortTensor", dtypes.int16)
CharTensor = _legacy("CharTensor", dtypes.int8)
ByteTensor = _legacy("ByteTensor", dtypes.uint8)
BoolTensor = _legacy("BoolTensor", dtypes.bool_)
