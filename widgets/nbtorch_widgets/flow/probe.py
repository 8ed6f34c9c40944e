"""The probe of GradFlow: traces sampled steps, and keeps what was measured as rows of numbers."""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from nbtorch_widgets.flow.graph import Graph, chain
from nbtorch_widgets.flow.trace import Trace, hookable
from nbtorch_widgets.gradients import FROZEN, INF, NAN, NO_GRAD, ZERO, Norm, fetch_norms, norm_of
from nbtorch_widgets.history import Flags, Float32s, Samples
from nbtorch_widgets.probe import Probe, Watched
from nbtorch_widgets.table import Table
from nbtorch_widgets.telemetry import Telemetry

#: Marks of a vertex whose output wasn't finite in the forward pass.
FORWARD_NAN, FORWARD_INF = 32, 64

_BYTES = 1 << 23  # of history kept
# A trace costs as much as a step of a small model: the first steps are traced, and the last, and of the others as many
# as fit into this share of the time. The norms of the parameters, which cost less, are sampled more often than that.
_FIRST, _SHARE = 4, 0.01
_PATIENCE = 3  # sampled steps without a traced vertex after which a model counts as untraceable


class FlowProbe(Probe):
    """Finds a model's graph and the gradients in it. A row has one number a vertex, then one a measured edge."""

    def __init__(self, telemetry: Telemetry) -> None:
        super().__init__()
        self.graph = Graph(telemetry.loss_name)
        #: Why nothing can be traced, if so.
        self.problem = ""
        #: Whether the model's own hooks are used; else there is only the chain of its parameters' owners.
        self.traced = False
        self._telemetry = telemetry
        self._modules: list[tuple[str, Any]] = []
        self._named: Sequence[tuple[str, Any]] = ()
        self._trace: Trace | None = None
        self._direct: dict[int, Norm] = {}
        self._fruitless = 0
        self.table = self._new_table()
        self._began = self._seconds_traced = 0.0
        self._traces = 0
        self._repeated: set[str] = set()
        self._merged = 0  # of them when the graph was begun
        self._shape = (2, 0)  # vertices and edges that the history has columns for

    def install(self, watched: Watched) -> None:
        self._modules = hookable(watched.model)
        self._named = watched.parameters
        if not self._modules:
            self.problem = "hooks"

    def before_step(self, step: int) -> None:
        self._drop()
        if not self._modules or self._fruitless >= _PATIENCE:
            return
        began = time.perf_counter()
        rich = self._seconds_traced <= _SHARE * (began - self._began)
        asked = step == self._telemetry.total or self._telemetry.state != "running"  # the last, or one at a time
        if self._traces >= _FIRST and not asked and not rich:
            return
        if len(self._repeated) > self._merged:
            # Modules turned out to be called many times: each is one vertex of a new graph.
            self._merged = len(self._repeated)
            version = self.graph.version + 1
            self.graph, self._shape = Graph(self._telemetry.loss_name), (2, 0)
            self.graph.version = version
            self.table = self._new_table()
        self._began = self._began or began
        self._traces += 1
        self._trace = Trace(self.graph, self._modules, self._named, self._repeated)
        self._trace.install()
        self._seconds_traced += time.perf_counter() - began

    def before_update(self) -> None:
        for vertex in self.graph.vertices:
            if vertex.kind == "parameter":
                for index in vertex.parameters:
                    gradient = getattr(self._named[index][1], "grad", None)
                    if gradient is not None:
                        self._direct[index] = norm_of(gradient)

    def after_step(self, step: int) -> None:
        trace, self._trace = self._trace, None
        if trace is None:
            return
        began = time.perf_counter()
        try:
            self._take(step, trace)
        finally:
            self._seconds_traced += trace.seconds + time.perf_counter() - began

    def _take(self, step: int, trace: Trace) -> None:
        trace.finish()
        self._seconds += trace.seconds
        if trace.error is not None:
            self._give_up(trace.error)
            return
        if not trace.at_vertex:
            self._fruitless += not self.traced
            return
        self.traced = True
        if self._shape != (len(self.graph), len(self.graph.edges)):
            self.graph.assign(self._telemetry.names)
            self._widen()
        norms, flags = self._row(trace)
        self.table.append(step, norms, flags)

    def remove(self) -> None:
        self._drop()
        self._modules, self._named = [], ()

    def _drop(self) -> None:
        if self._trace is not None:
            self._trace.remove()
            self._trace = None
        self._direct.clear()

    def _give_up(self, error: Exception) -> None:
        self.problem = "trace"
        self._modules = []
        warnings.warn(f"GradFlow can't follow this model and shows its parameters alone: {error!r}", stacklevel=2)

    def samples(self) -> Samples:
        """All rows, at least those at the evenly spread steps of the run's overview."""
        steps, norms, flags = self.table.since()
        nothing = np.full(len(steps), np.nan, np.float32)
        return Samples(steps, nothing, norms, flags, np.zeros(len(steps), np.uint32))

    def _new_table(self) -> Table:
        columns = self.graph.columns
        return Table(
            [(np.float32, (columns,)), (np.uint8, (columns,))],
            max(128, min(512, _BYTES // (5 * columns))),
            landmarks=lambda: self._telemetry.overview_rows().steps,
        )

    def _widen(self) -> None:
        """The graph has grown: older rows have nothing in the new columns."""
        old, (vertices, edges) = self.table.since(), self._shape
        self._shape = (len(self.graph), len(self.graph.edges))
        table = self._new_table()
        for step, *row in zip(*old, strict=True):
            norms, flags = np.zeros(self.graph.columns, np.float32), np.full(self.graph.columns, NO_GRAD, np.uint8)
            wider: tuple[npt.NDArray[Any], ...] = (norms, flags)
            for values, before in zip(wider, row, strict=True):
                values[:vertices] = before[:vertices]
                values[len(self.graph) : len(self.graph) + edges] = before[vertices:]
            table.append(int(step), *wider)
        self.table = table

    def _row(self, trace: Trace) -> tuple[Float32s, Flags]:
        graph = self.graph
        count = len(graph)
        measured = dict(trace.at_vertex)
        measured.update({count + edge: norms for edge, norms in trace.on_edge.items()})
        for number, vertex in enumerate(graph.vertices):
            if vertex.kind == "parameter":
                measured[number] = [self._direct[i] for i in vertex.parameters if i in self._direct]
        forward = sorted(trace.forward.items())
        everything = [norm for norms in measured.values() for norm in norms]
        numbers = iter(fetch_norms([*everything, *(norm for _, norms in forward for norm in norms)]))
        norms_, flags = np.zeros(graph.columns, np.float32), np.full(graph.columns, NO_GRAD, np.uint8)
        with np.errstate(over="ignore", under="ignore"):
            for column, values in measured.items():
                if values:
                    norms_[column] = norm = math.hypot(*(next(numbers) for _ in values))
                    flags[column] = mark(norm)
        # An edge that starts where no other does carries its start's gradient.
        leaving = graph.outgoing()
        for edge, (source, _) in enumerate(graph.edges):
            if leaving[source] == 1 or count + edge not in measured:
                norms_[count + edge], flags[count + edge] = norms_[source], flags[source]
        for vertex_number, values in forward:
            total = math.hypot(*(next(numbers) for _ in values))
            flags[vertex_number] |= FORWARD_NAN if total != total else FORWARD_INF if math.isinf(total) else 0
        for number, vertex in enumerate(graph.vertices):
            if vertex.kind == "module" and number not in graph.warm:
                flags[number] |= FROZEN
        return norms_, flags


def mark(norm: float) -> int:
    """The flag of a norm, 0 for an ordinary one."""
    if norm != norm:
        return NAN
    with np.errstate(over="ignore", under="ignore"):
        short = np.float32(norm)
    return ZERO if short == 0 else INF if np.isinf(short) else 0


def owners_history(telemetry: Telemetry, samples: Samples) -> tuple[Graph, Samples]:
    """The graph of the parameters' owners, and the gradients of each one's parameters taken together."""
    graph = chain(telemetry.names, telemetry.loss_name)
    rows = Samples.empty(len(samples), graph.columns)
    rows.steps[:], rows.loss[:] = samples.steps, samples.loss
    rows.flags[:] = NO_GRAD
    for number, vertex in enumerate(graph.vertices):
        if not vertex.parameters:
            continue
        flags = samples.flags[:, vertex.parameters]
        known = (flags & NO_GRAD) == 0
        with np.errstate(all="ignore"):
            norms = np.sqrt(np.where(known, samples.norms[:, vertex.parameters].astype(float) ** 2, 0).sum(1))
        rows.norms[:, number] = norms
        rows.flags[:, number] = [mark(n) if any_ else NO_GRAD for n, any_ in zip(norms, known.any(1), strict=True)]
    for edge, (source, _) in enumerate(graph.edges):
        rows.norms[:, len(graph) + edge] = rows.norms[:, source]
        rows.flags[:, len(graph) + edge] = rows.flags[:, source]
    return graph, rows
