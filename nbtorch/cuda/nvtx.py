"""Names for stretches of time, which NVIDIA's profilers show: ``torch.cuda.nvtx``, over CuPy's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..backends.cupy import load_cupy
from ._gpu import is_available

__all__ = ["mark", "range", "range_pop", "range_push"]


def _nvtx() -> Any:
    if not is_available():
        raise RuntimeError("NVTX functions not installed. Are you sure you have a CUDA build?")
    return load_cupy().cuda.nvtx


def range_push(msg: str) -> None:
    """A stretch begins.

    Raises:
        RuntimeError: without a GPU.
    """
    _nvtx().RangePush(msg)


def range_pop() -> None:
    """The stretch that began last ends.

    Raises:
        RuntimeError: without a GPU.
    """
    _nvtx().RangePop()


def mark(msg: str) -> None:
    """A moment.

    Raises:
        RuntimeError: without a GPU.
    """
    _nvtx().Mark(msg)


@contextmanager
def range(msg: str, *args: Any, **kwargs: Any) -> Iterator[None]:
    """A stretch as a block, or of a function as its decorator.

    Raises:
        RuntimeError: without a GPU.
    """
    range_push(msg.format(*args, **kwargs))
    try:
        yield
    finally:
        range_pop()
