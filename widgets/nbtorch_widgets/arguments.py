"""What `watch` is given, checked; and the loop's loss, found by the name of its variable."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from types import FrameType
from typing import Any, TypeVar

import numpy as np

from nbtorch_widgets.telemetry import Phase

Batch = TypeVar("Batch")

_MAX_FRAMES = 8
_OURS = frozenset({__name__, "nbtorch_widgets.run"})
CO_OPTIMIZED = 0x1  # inspect.CO_OPTIMIZED: the code of a function


def phase_of(kind: type[BaseException]) -> Phase:
    return "interrupted" if issubclass(kind, KeyboardInterrupt) else "failed"


def has_hooks(optimizer: Any) -> bool:
    return hasattr(optimizer, "register_step_pre_hook") and hasattr(optimizer, "register_step_post_hook")


def length(batches: Iterable[Any]) -> int | None:
    """`len(batches)` where it has one."""
    try:
        return len(batches)  # type: ignore[arg-type]
    except TypeError:
        return None


def positive(name: str, value: int) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"watch() expected {name} to be an int, got {type(value).__name__}: {value!r}")
    if value < 1:
        raise ValueError(f"watch() expected {name} to be at least 1, got {value}")
    return int(value)


def optimizers_of(optimizer: Any) -> list[Any]:
    if optimizer is None:
        return []
    optimizers = list(optimizer) if isinstance(optimizer, (list, tuple)) else [optimizer]
    for each in optimizers:
        if not callable(getattr(each, "step", None)):
            raise TypeError(
                "watch() expected an optimizer with a step() method (or a list of them, or None) as its second "
                f"argument; got {type(each).__name__}. The order is watch(model, optimizer, loader)."
            )
    return optimizers


def schedulers_of(scheduler: Any) -> list[Any]:
    schedulers = [] if scheduler is None else list(scheduler) if isinstance(scheduler, (list, tuple)) else [scheduler]
    for each in schedulers:
        if not (hasattr(each, "state_dict") and hasattr(each, "load_state_dict")):
            raise TypeError(
                "watch() expected scheduler to have state_dict() and load_state_dict(), as PyTorch's have; got "
                f"{type(each).__name__}"
            )
    return schedulers


def checked_loader(loader: Iterable[Batch] | None, epochs: int) -> Iterable[Batch] | None:
    if loader is None:
        return None
    if isinstance(loader, (int, np.integer)):
        raise TypeError(f"watch() expected an iterable of batches as loader, got the number {loader}: range({loader})?")
    if not hasattr(loader, "__iter__") and not hasattr(loader, "__getitem__"):
        raise TypeError(
            "watch() expected an iterable of batches (a DataLoader, a list, a range) as its third argument; "
            f"got {type(loader).__name__}. The order is watch(model, optimizer, loader)."
        )
    if hasattr(loader, "__next__") and epochs > 1:
        raise TypeError(
            f"watch() expected a loader that can be iterated {epochs} times; got {type(loader).__name__}, which is "
            "used up after the first. Give a DataLoader or a list, or use epochs=1."
        )
    return loader


def loss_source(loss: Any) -> tuple[str | None, Any]:
    """The name of the loss's variable and the module whose output it is; one of them at most."""
    if loss is None:
        return None, None
    if isinstance(loss, str):
        return loss, None
    if hasattr(loss, "register_forward_hook"):
        return None, loss
    raise TypeError(
        "watch() expected loss to be the name of a variable in the loop, a criterion module, or None; got "
        f"{type(loss).__name__}. For a plain function, call run.log(loss=loss) in the loop."
    )


def variable(name: str | None, frame: FrameType | None) -> Any:
    """The nearest variable of this name in the frames outside this package: a local of a function, or a global."""
    depth = 0
    while name is not None and frame is not None and depth < _MAX_FRAMES:
        if frame.f_globals.get("__name__") not in _OURS:
            depth += 1
            value = _local(frame, name)
            if value is not None:
                return value
        frame = frame.f_back
    return None


def _local(frame: FrameType, name: str) -> Any:
    code = frame.f_code
    if not code.co_flags & CO_OPTIMIZED:  # a module, a notebook's cell or a class body: the names are a real dict
        return frame.f_locals.get(name, frame.f_globals.get(name))
    if name not in code.co_varnames and name not in code.co_cellvars and name not in code.co_freevars:
        return frame.f_globals.get(name)
    names = frame.f_locals
    value = names.get(name)
    if sys.version_info < (3, 13):
        # Before Python 3.13 this is a copy that the frame keeps, and the copy would keep every tensor in it alive.
        names.clear()
    return value
