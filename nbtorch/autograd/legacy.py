"""``Variable`` as programs from before PyTorch 0.4 use it: a tensor is its own variable now."""

from __future__ import annotations

import warnings
from typing import Any

from . import variable

__all__ = ["Variable"]


class _Called(type):
    """Calls give a tensor; ``isinstance`` asks whether something is one."""

    def __call__(cls, data: Any = None, requires_grad: bool = False, volatile: Any = None) -> Any:
        if volatile is not None:
            warnings.warn(
                "volatile was removed and now has no effect. Use `with torch.no_grad():` instead.", stacklevel=2
            )
        if not isinstance(data, variable.Variable):
            raise TypeError(f"Variable data has to be a tensor, but got {type(data).__name__}")
        tensor: Any = data.detach()  # type: ignore[attr-defined]
        return tensor.requires_grad_() if requires_grad else tensor

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, variable.Variable)


class Variable(metaclass=_Called):
    """``Variable(x, requires_grad=True)``: a leaf over the memory of ``x``, in the words of old programs.

    Raises:
        TypeError: unless ``data`` is a tensor.
        RuntimeError: where a gradient is asked for that its dtype can't have.
    """
