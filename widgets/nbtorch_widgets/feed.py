"""Feeds: streams of data that a view sends beside the rows of gradient norms.

A part of the front end says which feeds it wants while it is visible (`RunStore.want` in `src/store.ts`); only those
are measured and sent.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, TypeAlias

from nbtorch_widgets.probe import Probe
from nbtorch_widgets.telemetry import Telemetry

#: A JSON header and the binary buffers that go with it.
Message: TypeAlias = tuple[dict[str, Any], list[bytes]]


class Feed(ABC):
    """One stream of one view. A subclass has a `name`, makes its probe, and packs its messages."""

    #: The operation of its messages, and its name in `want`.
    name: ClassVar[str]
    #: Seconds between two messages, at least.
    period: ClassVar[float] = 0.2

    def __init__(self, telemetry: Telemetry) -> None:
        self.telemetry = telemetry
        #: What measures for it, shared by all feeds of the run that need the same; None: it reads the telemetry alone.
        self.probe: Probe | None = None

    @abstractmethod
    def news(self, *, everything: bool) -> Message | None:
        """What is new since the last call, or `everything` for a page that has nothing yet; None: nothing to send."""

    def receive(self, message: dict[str, Any]) -> None:  # noqa: B027 - most feeds are told nothing
        """A message of the front end with this feed's name as its operation: what the user wants of it."""

    def want(self, wanted: bool) -> None:
        """Have it measured, or not any more."""
        if self.probe is None:
            return
        if wanted:
            self.probe.wanted_by.add(self)
        else:
            self.probe.wanted_by.discard(self)
