"""The feed of GradFlow: its graph, and the gradients in it."""

from __future__ import annotations

from typing import Any

import numpy as np

from nbtorch_widgets import protocol
from nbtorch_widgets.feed import Feed, Message
from nbtorch_widgets.flow.graph import Graph
from nbtorch_widgets.flow.probe import FlowProbe, owners_history
from nbtorch_widgets.history import Samples
from nbtorch_widgets.telemetry import Telemetry

_FRAME_ROWS = 16
# Bytes of a message with everything; less for what the parameters' own rows say too.
_BYTES, _LESS = 1 << 17, 1 << 14


class FlowFeed(Feed):
    """The graph when it has grown, and the rows since the last message."""

    name = "flow"
    period = 0.1

    def __init__(self, telemetry: Telemetry) -> None:
        super().__init__(telemetry)
        self.probe = self.flow = telemetry.add_probe(FlowProbe(telemetry))
        self._sent: tuple[object, int] = (None, 0)
        self._asked = False

    def want(self, wanted: bool) -> None:
        super().want(wanted)
        self._asked |= wanted

    def current(self) -> tuple[Graph, Samples, bool]:
        """The graph and its rows, and whether it was traced; else the parameters' owners stand for it."""
        if self.flow.traced:
            return self.flow.graph, self.flow.samples(), True
        return *owners_history(self.telemetry, self.telemetry.rows()), False

    def news(self, *, everything: bool) -> Message | None:
        traced = self.flow.traced
        if not traced and self.telemetry.phase == "running" and not self.flow.problem:
            return None  # the graph will be there after the first step
        if not traced and not self._asked:
            self._asked = True  # a view that doesn't show it comes to rest; who asks after that gets it
            return None
        graph, rows, _ = self.current()
        key = (traced, graph.version)
        whole = everything or self._sent[0] != key
        if whole:
            most = max(2, (_BYTES if traced else _LESS) // (protocol.ROW_BYTES + protocol.CELL_BYTES * graph.columns))
            if len(rows) > most:
                rows = rows.take(np.linspace(0, len(rows) - 1, most).round().astype(np.intp))
        else:
            rows = rows.take(np.flatnonzero(rows.steps > self._sent[1])[-_FRAME_ROWS:])
        if not whole and not len(rows):
            return None
        self._sent = (key, int(rows.steps[-1]) if len(rows) else self._sent[1])
        header: dict[str, Any] = {
            "version": graph.version,
            "traced": traced,
            "rows": len(rows),
            "columns": graph.columns,
        }
        if whole:
            header["graph"] = graph.to_json()
            header["problem"] = self.flow.problem
        return header, [protocol.pack_rows(rows)]
