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
from typing import Any, Literal, NamedTuple, Protocol, TypeAlias, TypeVar

from nbtorch_widgets import protocol
from nbtorch_widgets.control import RunControl
from nbtorch_widgets.history import Branch, Flags, Float32s, History, Overview, Samples
from nbtorch_widgets.probe import Probe

#: ready: not begun · left: the loop was left early · failed, interrupted: by an exception, by the kernel's interrupt.
Phase: TypeAlias = Literal["ready", "running", "finished", "stopped", "left", "interrupted", "failed"]

#: How far a run can go back: with its data; the model and optimizer alone; not at all.
Rewind: TypeAlias = Literal["full", "model", "no"]

NEVER = math.inf

_MAX_CHANGES = 64  # the newest are kept
_MAX_FORKS = 64

ProbeT = TypeVar("ProbeT", bound=Probe)

_run_numbers = itertools.count(1)


class Change(NamedTuple):
    """Something that was changed by hand between two steps."""

    step: int
    """The step after which it was changed."""
    branch: int
    what: Literal["lr", "clip"]
    old: float | None
    new: float | None
    """None: no clipping."""


class Counters(NamedTuple):
    """Where a run stands, as a snapshot keeps it."""

    step: int
    total: int | None
    epoch: int
    epochs: int | None
    loss: float | None
    metrics: dict[str, float]


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
        #: The learning rate of the optimizer's first group that learns, and the least and greatest of all groups.
        self.lr: float | None = None
        self.lr_range: tuple[float, float] | None = None
        #: The norm to which gradients are clipped, None for none; whether that is possible, else why not.
        self.clip: float | None = None
        self.clip_problem: Literal["", "hooks", "closure"] = ""
        #: The norm before clipping at the last sampled step.
        self.clip_norm: float | None = None
        #: How often the run was rewound, and each way it went.
        self.branch = 0
        self.branches = [Branch(0, None, 0, 0)]
        self.changes: list[Change] = []
        #: [branch, step] of every snapshot there is, in the order in which they were taken.
        self.snapshots: list[tuple[int, int]] = []
        self.rewind_kind: Rewind = "no"
        self.note: list[Any] | None = None
        #: Counts the changes of what `story` tells.
        self.chapter = 0
        self.overview = Overview(len(names), every=every)
        self.history = History(len(names))
        #: When some viewer wants to look next; a plain attribute because the loop reads it at every step.
        self.next_look = NEVER
        #: What measures at sampled steps, in the order in which it was asked for.
        self.probes: list[Probe] = []
        self._viewers: list[Viewer] = []
        self._lock = threading.Lock()
        self._active_seconds = 0.0
        self._undone = 0  # steps gone back
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
            self.history.append(self.step, loss, norms, flags, self.branch)
            if self.overview.due(self.step) or self.step == self.total:
                self.overview.append(self.step, loss, norms, flags, self.branch)

    def counters(self) -> Counters:
        """Where the run stands."""
        return Counters(self.step, self.total, self.epoch, self.epochs, self.loss, dict(self.metrics))

    def rewind(self, to: Counters, parent: int) -> None:
        """The run goes on from `to`, a step of the branch `parent`, as a new branch."""
        with self._lock:
            self.branches[-1] = self.branches[-1]._replace(end=self.step)
            self.branch += 1
            self.branches.append(Branch(self.branch, parent, to.step, to.step))
            self.overview.rewind(to.step)
            self._undone += self.step - to.step
            self.step, self.total, self.epoch, self.epochs, self.loss, metrics = to
            self.metrics = dict(metrics)
        self.clip_norm = None
        self._clock.mark(time.perf_counter(), self.step, self.control.paused_seconds)
        for probe in self.probes:
            probe.attempt(probe.rewound, to.step)
        self.tell("rewound", to.step)

    def change(self, what: Literal["lr", "clip"], old: float | None, new: float | None) -> None:
        """Remember that something was changed by hand at the current step."""
        if self.changes and self.changes[-1][:3] == (self.step, self.branch, what):
            old = self.changes.pop().old
        if old != new:
            self.changes.append(Change(self.step, self.branch, what, old, new))
            del self.changes[:-_MAX_CHANGES]
        self.chapter += 1
        self.wake()

    def tell(self, *note: Any) -> None:
        """Have the viewers say what was done or went wrong: a word and its values; nothing clears it."""
        self.note = list(note) or None
        self.chapter += 1
        self.wake()

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
                self.rate = (self.step + self._undone) / self._active_seconds
        self.phase = phase
        self._settle()

    def rest(self) -> None:
        """The run was changed while it was at rest: rewound."""
        self.phase = "left"
        self._settle()

    def _settle(self) -> None:
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
            "branch": self.branch,
            "lr": protocol.number(self.lr),
            "lr_range": None if self.lr_range is None else [protocol.number(lr) for lr in self.lr_range],
            "clip": self.clip,
            "clip_norm": protocol.number(self.clip_norm),
        }

    def story(self) -> protocol.Header:
        """What changes seldom, as the wire carries it."""
        forks = [[b.number, b.parent, b.start] for b in self.all_branches()[1:]]
        return {
            "forks": forks[-_MAX_FORKS:],
            "changes": [list(change) for change in self.changes],
            "snapshots": [list(snapshot) for snapshot in self.snapshots],
            "rewind": self.rewind_kind,
            "clip_problem": self.clip_problem,
            "note": self.note,
        }

    def all_branches(self) -> list[Branch]:
        """Every way that the run went, the present one last."""
        with self._lock:
            return [*self.branches[:-1], self.branches[-1]._replace(end=self.step)]

    def rows_since(self, added: int, limit: int) -> tuple[Samples, int]:
        """The rows added after the first `added` ones, at most the newest `limit`; and how many were ever added."""
        with self._lock:
            return self.history.since(added, limit), self.history.added

    def rows(self) -> Samples:
        """All rows there are, of all branches: the whole run sparsely, its recent past in full."""
        with self._lock:
            return self.overview.samples().merge(self.history.samples())

    def overview_rows(self) -> Samples:
        """The evenly spread rows of the run's own past, which depend on step numbers only."""
        return self.all_overview_rows().lineage(self.all_branches())

    def all_overview_rows(self) -> Samples:
        """The evenly spread rows of all branches."""
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
        self._shown: float | None = None
        self.mark(now, step, paused)

    def mark(self, now: float, step: int, paused: float) -> None:
        """Count the rate from here."""
        self._mark, self._mark_step, self._mark_paused = now, step, paused

    def elapsed(self, now: float, paused: float) -> float:
        return max(0.0, now - self._began - (paused - self._paused_before))

    def rate(self, now: float, step: int, paused: float) -> float | None:
        seconds = now - self._mark - (paused - self._mark_paused)
        if seconds >= self._WINDOW and step > self._mark_step:
            measured = (step - self._mark_step) / seconds
            self._shown = measured if self._shown is None else 0.4 * self._shown + 0.6 * measured
            self._mark, self._mark_step, self._mark_paused = now, step, paused
        return self._shown
