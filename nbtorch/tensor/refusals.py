"""Methods of PyTorch's tensors that tensors here have not: each says so, and what to do instead."""

from __future__ import annotations

from typing import Any

from ..absent import AbsentFeature
from ..absent_names import METHODS
from ..autograd.variable import Variable

__all__ = ["AbsentMethods"]


def _refusal(name: str, instead: str) -> Any:
    feature = AbsentFeature(f"Tensor.{name}", instead)

    def refuse(self: Any, *args: Any, **kwargs: Any) -> Any:
        return feature()

    refuse.__name__ = name
    refuse._left_out = True  # type: ignore[attr-defined]
    refuse.__doc__ = f"Not part of nbtorch: {instead}."
    return refuse


class AbsentMethods(Variable):
    """The methods that refuse."""

    __slots__ = ()


for _why, _names in METHODS.items():
    for _name in _names.split():
        setattr(AbsentMethods, _name, _refusal(_name, _why))
