"""Learning rate and clipping, changed by hand while a loop runs. All of it happens in the loop's own thread."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from nbtorch_widgets.gradients import host_norm, on_host, scalar

# Where PyTorch's schedulers keep what they compute learning rates from, beside the rate itself.
_KEPT_IN_GROUPS = ("initial_lr", "max_lr", "min_lr")
_KEPT_IN_SCHEDULERS = ("base_lrs", "min_lrs", "max_lrs", "_last_lr")


def checked_lr(value: object) -> float:
    """A learning rate: a positive finite number.

    Raises:
        TypeError, ValueError: if it is none.
    """
    return _positive("a learning rate", value)


def checked_clip(value: object) -> float | None:
    """A norm to clip to: a positive finite number, or None for no clipping.

    Raises:
        TypeError, ValueError: if it is neither.
    """
    return None if value is None else _positive("a norm to clip gradients to (or None)", value)


def checked(what: str, message: Mapping[str, Any]) -> Any:
    """The value of a front end's request: of "lr" and "clip" the number, of "rewind" the step and the branch.

    Raises:
        TypeError, ValueError: if the message isn't one.
    """
    if what == "rewind":
        branch = message.get("branch")
        return _count("a step", message.get("step")), None if branch is None else _count("a branch", branch)
    if "value" not in message:
        raise ValueError("expected a value")
    return checked_lr(message["value"]) if what == "lr" else checked_clip(message["value"])


def _positive(what: str, value: object) -> float:
    if isinstance(value, (bool, str)) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise TypeError(f"expected {what} to be a number, got {type(value).__name__}: {value!r}"[:200])
    number = float(value)
    if not (math.isfinite(number) and number > 0):
        raise ValueError(f"expected {what} to be positive and finite, got {number}")
    return number


def _count(what: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"expected {what} to be an int, got {type(value).__name__}: {value!r}"[:200])
    if not 0 <= value < 1 << 32:
        raise ValueError(f"expected {what} to be at least 0, got {value}")
    return int(value)


class _Rate:
    """One place that holds a learning rate: a group's entry, or the attribute of an optimizer without groups."""

    def __init__(self, get: Callable[[], Any], put: Callable[[float], None]) -> None:
        self._get, self._put = get, put

    @property
    def value(self) -> float | None:
        return scalar(self._get())

    def set(self, value: float) -> None:
        held = self._get()
        if hasattr(held, "fill_"):  # a tensor that a captured step reads
            held.fill_(value)
        else:
            self._put(value)


class LearningRates:
    """The learning rates of all groups of all optimizers, as one: scaled together they keep their ratios."""

    def __init__(self, optimizers: Sequence[Any], schedulers: Sequence[Any] = ()) -> None:
        self._optimizers = optimizers
        self._schedulers = schedulers

    def _rates(self) -> list[_Rate]:
        rates = []
        for optimizer in self._optimizers:
            groups = getattr(optimizer, "param_groups", None)
            if isinstance(groups, (list, tuple)):
                rates += [_entry(g, "lr") for g in groups if isinstance(g, dict) and "lr" in g]
            elif scalar(getattr(optimizer, "lr", None)) is not None:
                rates.append(_attribute(optimizer, "lr"))
        return [rate for rate in rates if rate.value is not None]

    def read(self) -> tuple[float | None, tuple[float, float] | None]:
        """The first rate that isn't zero, and the least and greatest; None where there is none."""
        values = [value for rate in self._rates() if (value := rate.value) is not None]
        if not values:
            return None, None
        return next((value for value in values if value > 0), values[0]), (min(values), max(values))

    def set(self, value: float) -> None:
        """Scale all rates so that the one that `read` gives becomes `value`.

        What given schedulers compute rates from is scaled too, or their next step would take the change back.

        Raises:
            ValueError: if there is no learning rate, or one would leave the range of numbers.
        """
        rates = self._rates()
        current, _ = self.read()
        if current is None:
            raise ValueError("there is no learning rate to set: the optimizer has neither param_groups nor lr")
        if current <= 0:
            new = [value for _ in rates]
            factor = 1.0
        else:
            factor = value / current
            new = [value if rate.value == current else (rate.value or 0.0) * factor for rate in rates]
        if not all(map(math.isfinite, new)):
            raise ValueError(f"a learning rate would not be finite: {new}")
        for rate, each in zip(rates, new, strict=True):
            rate.set(each)
        for optimizer in self._optimizers:
            for group in getattr(optimizer, "param_groups", None) or ():
                for name in _KEPT_IN_GROUPS:
                    if name in group and scalar(group[name]) is not None:
                        _entry(group, name).set(float(scalar(group[name]) or 0.0) * factor)
        for scheduler in self._schedulers:
            _scale_scheduler(scheduler, factor)


def _entry(group: Any, name: str) -> _Rate:
    return _Rate(lambda: group[name], lambda value: group.__setitem__(name, value))


def _attribute(owner: Any, name: str) -> _Rate:
    return _Rate(lambda: getattr(owner, name), lambda value: setattr(owner, name, value))


def _scale_scheduler(scheduler: Any, factor: float) -> None:
    for name in _KEPT_IN_SCHEDULERS:
        kept = getattr(scheduler, name, None)
        if isinstance(kept, list) and all(isinstance(value, (int, float)) for value in kept):
            setattr(scheduler, name, [value * factor for value in kept])
    for inner in getattr(scheduler, "_schedulers", None) or ():
        _scale_scheduler(inner, factor)


def clip(parameters: Sequence[Any], max_norm: float) -> Any:
    """Scale the gradients so that all together have at most this L2 norm, as `clip_grad_norm_` does; the norm before.

    PyTorch's and nbtorch's parameters are clipped by their own library, so exactly as a call in the loop would.
    """
    having = [p for p in parameters if getattr(p, "grad", None) is not None]
    if not having:
        return 0.0
    library = sys.modules.get(type(having[0].grad).__module__.partition(".")[0])
    function = getattr(getattr(getattr(library, "nn", None), "utils", None), "clip_grad_norm_", None)
    if function is not None:
        return function(having, max_norm)
    total = host_norm([host_norm(on_host(p.grad)) for p in having])
    factor = max_norm / (total + 1e-6)
    if not factor >= 1:
        for parameter in having:
            parameter.grad = parameter.grad * factor
    return total
