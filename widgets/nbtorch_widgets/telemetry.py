"""What is known about a run while it runs: the one source that all views of it read.

It holds numbers only, never the model, so that a widget that stays in a notebook keeps no model alive.
"""

from __future__ import annotations

import itertools
import math
import threading
import time
import warnings
from collections.abc import Sequence
from typing import Literal, Protocol, TypeAlias, TypeVar

from nbtorch_widgets import protocol
from nbtorch_widgets.control import RunControl
from nbtorch_widgets.history import Flags, Float32s, History, Overview, Samples
from nbtorch_widgets.probe import Probe

#: ready: not begun · left: the loop was left early · failed, interrupted: by an exception, by the kernel's interrupt.
Phase: TypeAlias = Literal["ready", "running", "finished", "stopped", "left", "interrupted", "failed"]

NEVER = math.inf

ProbeT = TypeVar("ProbeT", bound=Probe)

_run_numbers = itertools.count(1)


class Viewer(Protocol):
    """Something that shows a run and wants to hear of it."""

    def begin(self, now: float) -> None:
        """A pass of the run begins."""

    def look(self, now: float) -> float:
        """Take what there is at `now`; the time (of `time.perf_counter`) of the next look, or NEVER until woken."""

    def settle(self) -> None:
        """The run has come to rest: take the final state."""


class Telemetry:
    """Counters, measurements and history of one run."""

    def __init__(self, names: Sequence[str], *, every: int = 1, loss_name: str = "loss") -> None:
        self.run = next(_run_numbers)
        self.names = list(names)
        self.loss_name = loss_name
        self.control = RunControl()
        self.phase: Phase = "ready"
        self.step = 0
        self.total: int | None = None
        self.epoch = 0
        self.epochs: int | None = None
        self.loss: float | None = None
        self.metrics: dict[str, float] = {}
        self.rate: float | None = None
        self.overview = Overview(len(names), every=every)
        self.history = History(len(names))
        #: When some viewer wants to look next; a plain attribute because the loop reads it at every step.
        self.next_look = NEVER
        #: What measures at sampled steps, in the order in which it was asked for.
        self.probes: list[Probe] = []
        self._viewers: list[Viewer] = []
        self._lock = threading.Lock()
        self._active_seconds = 0.0
        self._clock = _Clock()

    @property
    def state(self) -> str:
        """The phase; while running, what the control asks for: running, paused or stopping."""
        if self.phase != "running":
            return self.phase
        return "stopping" if self.control.mode == "stopped" else self.control.mode

    # ---- for the run ----

    def begin(self, total: int | None) -> None:
        """The loop starts, or starts its next pass."""
        self.phase = "running"
        self.total = total
        if total is not None:
            self.overview.expect(total)
        now = time.perf_counter()
        self._clock.start(now, self.step, self.control.paused_seconds)
        for viewer in self._viewers:
            viewer.begin(now)
        self.wake()

    def record(self, norms: Float32s, flags: Flags) -> None:
        """Keep a row for the current step."""
        loss = math.nan if self.loss is None else self.loss
        with self._lock:
            self.history.append(self.step, loss, norms, flags)
            if self.overview.due(self.step) or self.step == self.total:
                self.overview.append(self.step, loss, norms, flags)

    def look(self, now: float) -> None:
        """Let the viewers take what is due."""
        self.rate = self._clock.rate(now, self.step, self.control.paused_seconds)
        self.next_look = NEVER
        self.next_look = min((self._ask(viewer, now) for viewer in tuple(self._viewers)), default=NEVER)

    def _ask(self, viewer: Viewer, now: float) -> float:
        # A display that fails must not end somebody's training: it is told once, then left out.
        try:
            return viewer.look(now)
        except Exception as error:
            self._drop(viewer, error)
            return NEVER

    def _drop(self, viewer: Viewer, error: Exception) -> None:
        self.detach(viewer)
        warnings.warn(f"{type(viewer).__name__} failed and was detached from its run: {error!r}", stacklevel=2)

    def wait(self) -> None:
        """Called while the loop waits in a checkpoint."""
        self.look(time.perf_counter())

    def end(self, phase: Phase) -> None:
        """The loop has ended; the viewers get the final state."""
        if self.phase == "running":
            self._active_seconds += self._clock.elapsed(time.perf_counter(), self.control.paused_seconds)
            if self._active_seconds > 0:
                self.rate = self.step / self._active_seconds
        self.phase = phase
        self.next_look = NEVER
        for viewer in tuple(self._viewers):
            try:
                viewer.settle()
            except Exception as error:
                self._drop(viewer, error)

    # ---- for the viewers ----

    def attach(self, viewer: Viewer) -> None:
        self._viewers.append(viewer)
        self.wake()

    def add_probe(self, probe: ProbeT) -> ProbeT:
        """The run's probe of this class: the one there is, else `probe`, from the next step on."""
        for other in self.probes:
            if type(other) is type(probe):
                return other
        self.probes.append(probe)
        return probe

    def detach(self, viewer: Viewer) -> None:
        if viewer in self._viewers:
            self._viewers.remove(viewer)

    @property
    def watched(self) -> bool:
        """Whether there is a viewer."""
        return bool(self._viewers)

    def wake(self) -> None:
        """Have the loop call `look` at its next step."""
        if self._viewers:
            self.next_look = 0.0

    def header(self) -> protocol.Header:
        """The counters as the wire carries them."""
        seconds = self._active_seconds
        if self.phase == "running":
            seconds += self._clock.elapsed(time.perf_counter(), self.control.paused_seconds)
        return {
            "v": protocol.VERSION,
            "run": self.run,
            "state": self.state,
            "step": self.step,
            "total": self.total,
            "epoch": self.epoch,
            "epochs": self.epochs,
            "loss": protocol.number(self.loss),
            "metrics": {name: protocol.number(value) for name, value in self.metrics.items()},
            "rate": self.rate,
            "seconds": round(seconds, 3),
        }

    def rows_since(self, step: int, limit: int) -> Samples:
        """The rows after `step`, at most the newest `limit`."""
        with self._lock:
            return self.history.since(step, limit)

    def rows(self) -> Samples:
        """All rows there are: the whole run sparsely, its recent past in full."""
        with self._lock:
            return self.overview.samples().merge(self.history.samples())

    def overview_rows(self) -> Samples:
        """The evenly spread rows, which depend on step numbers only."""
        with self._lock:
            return self.overview.samples()

    def summary(self) -> str:
        """Counters in words, without any time in them."""
        parts = [f"step {self.step}/{self.total}" if self.total is not None else f"step {self.step}", self.state]
        if self.loss is not None:
            parts.append(f"{self.loss_name} {self.loss:.3g}")
        return ", ".join(parts)


class _Clock:
    """Elapsed time and steps a second, the time spent paused left out."""

    _WINDOW = 0.5  # seconds over which a rate is measured before it is mixed into the one shown

    def __init__(self) -> None:
        self.start(0.0, 0, 0.0)

    def start(self, now: float, step: int, paused: float) -> None:
        self._began, self._paused_before = now, paused
        self._mark, self._mark_step, self._mark_paused = now, step, paused
        self._shown: float | None = None

    def elapsed(self, now: float, paused: float) -> float:
        return max(0.0, now - self._began - (paused - self._paused_before))

    def rate(self, now: float, step: int, paused: float) -> float | None:
        seconds = now - self._mark - (paused - self._mark_paused)
        if seconds >= self._WINDOW and step > self._mark_step:
            measured = (step - self._mark_step) / seconds
            self._shown = measured if self._shown is None else 0.4 * self._shown + 0.6 * measured
            self._mark, self._mark_step, self._mark_paused = now, step, paused
        return self._shown
