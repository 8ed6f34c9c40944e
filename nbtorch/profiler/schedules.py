"""Which steps of a training loop are profiled."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from enum import Enum

__all__ = ["ProfilerAction", "schedule"]


class ProfilerAction(Enum):
    """What a profiler does during a step."""

    NONE = 0
    WARMUP = 1
    RECORD = 2
    RECORD_AND_SAVE = 3
    DEVICE_STOPPED = 4


def schedule(
    *, wait: int, warmup: int, active: int, repeat: int = 0, skip_first: int = 0, skip_first_wait: int = 0
) -> Callable[[int], ProfilerAction]:
    """Steps in cycles: ``wait`` idle, ``warmup`` whose times are thrown away, ``active`` recorded.

    Args:
        repeat: how many cycles; 0 for as long as the program runs.
        skip_first: idle steps before the first cycle.
        skip_first_wait: other than 0: the first cycle begins without its ``wait``.

    Returns:
        A function from a step's number to what is done in it.

    Raises:
        AssertionError: for negative numbers, and where no step is active.
    """
    counts = {"wait": wait, "warmup": warmup, "active": active, "repeat": repeat, "skip_first": skip_first}
    if min(counts.values()) < 0 or active == 0:
        got = ", ".join(f"{name}={n} (need {'>' if name == 'active' else '>='} 0)" for name, n in counts.items())
        raise AssertionError(f"Invalid profiler schedule arguments. Got {got}.")
    if warmup == 0:
        warnings.warn("Profiler won't be using warmup, this can skew profiler results", stacklevel=2)
    length = wait + warmup + active

    def schedule_fn(step: int) -> ProfilerAction:
        if step < 0:
            raise AssertionError(f"Step must be non-negative. Got {step}.")
        step -= skip_first
        if step < 0:
            return ProfilerAction.NONE
        if skip_first_wait != 0:
            step += wait
        cycle, place = divmod(step, length)
        if (repeat > 0 and cycle >= repeat) or place < wait:
            return ProfilerAction.NONE
        if place < wait + warmup:
            return ProfilerAction.WARMUP
        return ProfilerAction.RECORD_AND_SAVE if place == length - 1 else ProfilerAction.RECORD

    return schedule_fn


def always(step: int) -> ProfilerAction:
    """Every step is recorded."""
    return ProfilerAction.RECORD
