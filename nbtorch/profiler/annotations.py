"""Names that a program gives to stretches of its own."""

from __future__ import annotations

import contextlib
from typing import Any

from .recorder import USER, Recorder, Span, recorder_here

__all__ = ["record_function"]


class record_function(contextlib.ContextDecorator):
    """Names a block, or a function as its decorator, in whatever profile is being made; else it does nothing.

    Args:
        name: as tables and traces show it.
        args: taken for PyTorch's sake.
    """

    def __init__(self, name: str, args: str | None = None) -> None:
        self.name, self.args = name, args
        self._open: list[tuple[Recorder, Span] | None] = []

    def _recreate_cm(self) -> record_function:
        return type(self)(self.name, self.args)

    def __enter__(self) -> record_function:
        recorder = recorder_here()
        self._open.append(None if recorder is None else (recorder, recorder.open(self.name, USER)))
        return self

    def __exit__(self, *exc: Any) -> None:
        opened = self._open.pop()
        if opened is not None:
            opened[0].close(opened[1])
