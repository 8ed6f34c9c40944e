"""``torch.cpu``: the processor asked as if it were a GPU."""

from __future__ import annotations

from typing import Any

from . import amp as amp

__all__ = [
    "Event", "Stream", "StreamContext", "amp", "current_device", "current_stream", "device_count", "get_capabilities",
    "is_available", "is_initialized", "set_device", "stream", "synchronize",
]  # fmt: skip


class Stream:
    """A queue of work: here, everything is done at once."""

    def __init__(self, priority: int = -1, device: Any = None) -> None:
        self.priority = priority

    def wait_stream(self, stream: Any) -> None:
        """Everything is done."""

    wait_event = record_event = wait_stream

    def synchronize(self) -> None:
        """Everything is done."""

    def query(self) -> bool:
        """Everything is done."""
        return True


class Event:
    """A mark in a queue of work: here, everything is done at once."""

    def record(self, stream: Any = None) -> None:
        """Everything is done."""

    wait = record

    def synchronize(self) -> None:
        """Everything is done."""

    def query(self) -> bool:
        """Everything is done."""
        return True


class StreamContext:
    """``with torch.cpu.stream(s):`` changes nothing."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exc: Any) -> None:
        pass


_STREAM = Stream()


def stream(stream: Any) -> StreamContext:
    """A block that changes nothing."""
    return StreamContext(stream)


def current_stream(device: Any = None) -> Stream:
    """The only one."""
    return _STREAM


def is_available() -> bool:
    """There is always one."""
    return True


def is_initialized() -> bool:
    """It is always ready."""
    return True


def device_count() -> int:
    """One, whatever its cores."""
    return 1


def current_device() -> str:
    """Its name."""
    return "cpu"


def set_device(device: Any) -> None:
    """Accepted: there is one."""


def synchronize(device: Any = None) -> None:
    """Everything is done."""


def get_capabilities() -> dict[str, Any]:
    """NumPy chooses its instructions by itself."""
    return {}
