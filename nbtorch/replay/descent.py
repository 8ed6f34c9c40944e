"""Plain gradient descent written out: of a small model's replay, an optimizer's own step would be the larger part."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..backends import host
from ..optim import SGD
from ..optim.optimizer import _GLOBAL_POST_HOOKS, _GLOBAL_PRE_HOOKS

__all__ = ["written_out"]

_LARGE = 1 << 15  # from here on the time goes into the numbers, and the optimizer's own step is as good
_OFF = ("momentum", "weight_decay", "nesterov", "maximize", "differentiable")


def written_out(
    optimizer: Any, gradients: dict[int, tuple[str, Any]], present: set[int], give: Callable[[Any], str]
) -> tuple[list[str], list[str]] | None:
    """The step ``p = p - g * lr`` as conditions and lines; None where the optimizer does more than that.

    Args:
        gradients: by a parameter's id, what its gradient's array is called, and its dtype.
        present: the ids of the parameters that have a gradient.
        give: names an object.
    """
    if type(optimizer) is not SGD or optimizer._optimizer_step_pre_hooks or optimizer._optimizer_step_post_hooks:
        return None
    before, after = optimizer._optimizer_step_pre_hooks, optimizer._optimizer_step_post_hooks
    conditions = [f"not any({give([before, after, _GLOBAL_PRE_HOOKS, _GLOBAL_POST_HOOKS])})"]
    lines = []
    for group in optimizer.param_groups:
        options = give(group)
        if any(group[name] for name in _OFF) or type(group["lr"]) is not float:
            return None
        off = " or ".join(f"{options}[{name!r}]" for name in _OFF)
        conditions.append(f"not ({off}) and type({options}['lr']) is float")
        lines.append(f"lr = {options}['lr']")
        for p in group["params"]:
            array, storage = p._array, p._storage
            if id(p) not in present:
                continue
            gradient, dtype = gradients.get(id(p), (None, None))
            plain = p._backend is host and array.dtype.kind == "f" and array.size < _LARGE and array.flags.writeable
            if gradient is None or storage is None or not plain or dtype is not array.dtype:
                return None
            change = give(np.empty_like(array))
            lines.append(f"{give(np.multiply)}({gradient}, lr, {change})")
            lines.append(f"{give(np.subtract)}({give(array)}, {change}, {give(array)})")
            lines.append(f"{give(storage)}.version += 1")
            lines.append(f"{give(storage)}.changed = {give(storage.changed)}")
            conditions.append(f"{give(p)}._array is {give(array)}")
    return conditions, lines
