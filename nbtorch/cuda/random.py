"""Random numbers for a GPU: they are drawn on the host, from the one stream there is.

Without a GPU nothing is seeded, as in PyTorch: ``torch.cuda.manual_seed`` leaves the stream of the CPU alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..ops import generator
from ._gpu import Where, is_available, refuse_without_gpu

__all__ = [
    "get_rng_state", "get_rng_state_all", "initial_seed", "manual_seed", "manual_seed_all", "seed", "seed_all",
    "set_rng_state", "set_rng_state_all",
]  # fmt: skip


def manual_seed(seed: int) -> None:
    """Seeds random tensors on a GPU: ``torch.manual_seed`` where there is one, nothing where there is none."""
    if is_available():
        generator.manual_seed(int(seed))


def manual_seed_all(seed: int) -> None:
    """``manual_seed``, for every GPU."""
    manual_seed(seed)


def seed() -> None:
    """Seeds random tensors on a GPU from the operating system."""
    if is_available():
        generator.seed()


seed_all = seed


def initial_seed() -> int:
    """The seed that the stream was started with.

    Raises:
        RuntimeError: without a GPU.
    """
    refuse_without_gpu()
    return generator.initial_seed()


def get_rng_state(device: Where = "cuda") -> Any:
    """Where the stream stands.

    Raises:
        RuntimeError: without a GPU.
    """
    refuse_without_gpu()
    return generator.get_rng_state()


def get_rng_state_all() -> list[Any]:
    """Where the stream stands, once for each GPU."""
    from . import device_count

    return [generator.get_rng_state() for _ in range(device_count())]


def set_rng_state(new_state: Any, device: Where = "cuda") -> None:
    """Puts the stream where :func:`get_rng_state` found it; nothing happens without a GPU."""
    if is_available():
        generator.set_rng_state(new_state)


def set_rng_state_all(new_states: Iterable[Any]) -> None:
    """:func:`set_rng_state`, for every GPU."""
    for state in new_states:
        set_rng_state(state)
