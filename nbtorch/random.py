"""``torch.random``: the state of the default generator, kept, set, and put back after a block."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from .ops.generator import (
    default_generator,
    get_rng_state,
    initial_seed,
    manual_seed,
    seed,
    set_rng_state,
)

__all__ = ["fork_rng", "get_rng_state", "initial_seed", "manual_seed", "seed", "set_rng_state"]


@contextmanager
def fork_rng(
    devices: Iterable[Any] | None = None, enabled: bool = True, device_type: str | None = None
) -> Iterator[None]:
    """Inside, random numbers can be drawn at will: at the end the default generator stands where it stood before.

    Args:
        devices: accepted for PyTorch's sake; one generator serves all devices.
        enabled: False makes this do nothing.
        device_type: accepted for PyTorch's sake.
    """
    if not enabled:
        yield
        return
    before = default_generator.get_state()
    try:
        yield
    finally:
        default_generator.set_state(before)
