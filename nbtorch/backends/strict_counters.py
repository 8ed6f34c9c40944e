"""What the strict device counts: kernel launches, transfers, and the moments when a GPU would have to be waited for."""

from __future__ import annotations

from types import TracebackType


class SynchronizationError(RuntimeError):
    """The host asked for a number of the device where that is forbidden."""


class Counters:
    """Counts over a stretch of a program on the strict device.

    Attributes:
        launches: operations that a GPU would run, one each.
        transfers: copies between host and device, either way.
        reasons: what asked, for each time that the host needed a number of the device and would have waited for it.
    """

    __slots__ = ("launches", "reasons", "transfers")

    def __init__(self) -> None:
        self.launches = 0
        self.transfers = 0
        self.reasons: list[str] = []

    @property
    def syncs(self) -> int:
        """How many times the host would have waited."""
        return len(self.reasons)

    def __repr__(self) -> str:
        return f"Counters(launches={self.launches}, transfers={self.transfers}, syncs={self.syncs})"


watched: list[Counters] = []  # by whom; kernels are noted only where this is not empty
_forbidden: list[str] = []


def launch() -> None:
    """Notes one kernel."""
    for counters in watched:
        counters.launches += 1


def transfer() -> None:
    """Notes one copy between host and device."""
    for counters in watched:
        counters.transfers += 1


def sync(reason: str) -> None:
    """Notes that the host waits for the device.

    Raises:
        SynchronizationError: inside ``forbid_sync``.
    """
    if _forbidden:
        raise SynchronizationError(
            f"the host would wait for the device here: {reason}\n"
            f"  expected: no synchronization inside {_forbidden[-1]}\n"
            "  fix: keep the number on the device, and read it once after the loop"
        )
    for counters in watched:
        counters.reasons.append(reason)


class count_syncs:
    """``with count_syncs() as counters:`` counts what the strict device does inside; all zeros on other devices.

    The counters can be read at any time inside, and keep their values after the end.
    """

    def __enter__(self) -> Counters:
        self._counters = Counters()
        watched.append(self._counters)
        return self._counters

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        watched.remove(self._counters)


class forbid_sync:
    """Inside, whatever would make the host wait for the strict device raises; other devices are not watched.

    Args:
        where: what the error calls the place.
    """

    def __init__(self, where: str = "forbid_sync()") -> None:
        self._where = where

    def __enter__(self) -> None:
        _forbidden.append(self._where)

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        _forbidden.pop()
