"""The findings on their way to the page: once a second at most, while a page shows them."""

from __future__ import annotations

from typing import ClassVar

from nbtorch_widgets.doctor.probe import DoctorProbe
from nbtorch_widgets.doctor.rules import examine
from nbtorch_widgets.feed import Feed, Message
from nbtorch_widgets.telemetry import Telemetry


class FindingsFeed(Feed):
    """Examines the run's chart when it has grown."""

    name: ClassVar[str] = "findings"
    period: ClassVar[float] = 1.0

    def __init__(self, telemetry: Telemetry) -> None:
        super().__init__(telemetry)
        self._seen = -1

    def news(self, *, everything: bool) -> Message | None:
        doctor = next((p for p in self.telemetry.probes if isinstance(p, DoctorProbe)), None)
        if doctor is None:
            return None
        chart = doctor.chart
        size = chart.iterations
        if size == self._seen and not everything:
            return None
        self._seen = size
        findings = [finding.message() for finding in examine(chart)]
        return {"findings": findings, "examined": len(chart.samples), "step": chart.steps_seen}, []
