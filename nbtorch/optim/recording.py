"""Switching the recording of gradients around a step."""

from __future__ import annotations

from ..autograd.modes import switch_recording

__all__ = ["recording"]


class recording:
    """A context in which gradients are recorded, or not; what it costs is a few assignments."""

    __slots__ = ("_before", "_wanted")

    def __init__(self, wanted: bool) -> None:
        self._wanted = wanted

    def __enter__(self) -> None:
        self._before = switch_recording(self._wanted)

    def __exit__(self, *exc: object) -> None:
        switch_recording(self._before)
