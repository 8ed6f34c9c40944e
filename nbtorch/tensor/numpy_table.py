"""The table of NumPy's functions on tensors, and what its entries share.

The functions in ``numpy_reductions``, ``numpy_shapes``, ``numpy_choices`` and ``numpy_maths`` have NumPy's names and
signatures and are made of nbtorch's differentiable operations; ``numpy_protocol`` calls them in NumPy's place. Where
NumPy gives an array, they give a tensor; where it gives Python's numbers (``np.ndim``, ``np.allclose``), so do they.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

from .. import ops
from ..autograd.variable import Variable
from ..backends.dtypes import from_numpy_dtype
from ..ops.creation import as_tensor

# By NumPy's function, what takes its place. Filled by ``of``.
FUNCTIONS: dict[Any, Callable[..., Any]] = {}


class NoCounterpart(Exception):
    """Says which argument or function has no counterpart on tensors."""


class _Operations:
    """The operations of ``ops`` by name, those included that only a namespace like ``linalg`` shows."""

    def __getattr__(self, name: str) -> Any:
        found = getattr(ops, name, None)
        if not callable(found):
            modules = [m for m in vars(ops).values() if isinstance(m, ModuleType)]
            found = next((getattr(m, name) for m in modules if callable(getattr(m, name, None))), None)
        if found is None:
            raise NoCounterpart(f"the operation {name!r} is not there")
        setattr(self, name, found)
        return found


o = _Operations()


def of(*functions: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Says for which of NumPy's functions (by name, since versions differ) the decorated one stands."""

    def register(replacement: Callable[..., Any]) -> Callable[..., Any]:
        for name in functions:
            found: Any = np
            for part in name.split("."):
                found = getattr(found, part, None)
            if found is not None:
                FUNCTIONS[found] = replacement
        return replacement

    return register


def t(x: Any, like: Any = None) -> Any:
    """``x`` as a tensor, on the device of ``like``."""
    if isinstance(x, Variable):
        return x
    if isinstance(x, (list, tuple)) and any(isinstance(v, Variable) for v in _leaves(x)):
        return o.stack([t(v) for v in x])
    if isinstance(x, np.ndarray):
        x = x.copy()  # the graph may keep it, and the caller may write into the array later
    made = as_tensor(x, device=like._backend.device if isinstance(like, Variable) else None)
    if isinstance(x, (list, tuple, float)) and isinstance(like, Variable) and made._dtype().is_floating_point:
        # Python's numbers leave the dtype of the tensor beside them as it is.
        made = (
            as_tensor(x, dtype=like._dtype(), device=like._backend.device) if like._dtype().is_floating_point else made
        )
    return made


def _leaves(x: Any) -> Any:
    for v in x:
        if isinstance(v, (list, tuple)):
            yield from _leaves(v)
        else:
            yield v


def converted(x: Any, dtype: Any) -> Any:
    """``x`` in a dtype given in NumPy's way or in PyTorch's; as it is for None."""
    if dtype is None:
        return x
    numpy = getattr(dtype, "numpy", None)
    return x.to(from_numpy_dtype(np.dtype(numpy if isinstance(numpy, np.dtype) else dtype)))


def into(out: Any, result: Any) -> Any:
    """Writes ``result`` into ``out`` (a tensor, or an array), recorded where it is a tensor; returns ``out``."""
    if out is None:
        return result
    if isinstance(out, tuple):
        (out,) = out
    if isinstance(out, Variable):
        return out.copy_(converted(result, out._array.dtype))  # type: ignore[attr-defined]
    out[...] = result.numpy()
    return out


def refuse(**arguments: Any) -> None:
    """Raises for arguments of NumPy's that no operation here has; each is given as (value, default)."""
    for name, (value, default) in arguments.items():
        if value is not default and value is not np._NoValue and value != default:
            raise NoCounterpart(f"the argument {name}={value!r} is not there")
