"""Going back: a run's snapshots, taken while it runs, and the way to one of them."""

from __future__ import annotations

import warnings
from typing import Any

from nbtorch_widgets.batches import Batches, Place
from nbtorch_widgets.randomness import Randomness, generators_of
from nbtorch_widgets.snapshots import Keeper, RewindError, Snapshot, Snapshots, Subject
from nbtorch_widgets.telemetry import Rewind, Telemetry

NO_SNAPSHOTS = "this run keeps no snapshots to go back to. Expected: watch(model, optimizer, loader, snapshots=10)"
ONE_SHOT = (
    "this loop can't be rewound: its batches come from an iterator that can be gone through only once. Give watch() "
    "the loader itself (a DataLoader, a list), not enumerate(...), zip(...), iter(...) or a generator made from it"
)


class Rewinder:
    """Takes the snapshots of a run and goes back to them; everything in the loop's own thread."""

    def __init__(self, telemetry: Telemetry, subject: Subject, limits: Snapshots) -> None:
        self._telemetry = telemetry
        self._subject = subject
        self._generators: list[Any] = []
        self.keeper = Keeper(limits)
        #: Steps between two snapshots; the loop reads it at every step.
        self.every = limits.every
        #: The snapshot at which the next pass over its loader begins, after the run was rewound at rest.
        self.resume: Snapshot | None = None

    def begin(self, loader: Any, kind: Rewind) -> None:
        """A pass begins."""
        self._generators = generators_of(loader, self._subject.modules)
        if self._telemetry.rewind_kind != kind:
            self._telemetry.rewind_kind = kind
            self._telemetry.chapter += 1

    def resumes(self, loader: Any) -> bool:
        """Whether a pass over `loader` begins where the run was rewound to."""
        return self.resume is not None and self.resume.place is not None and self.resume.place.source is loader

    def randomness(self) -> Randomness:
        """The random streams now."""
        return Randomness(self._generators)

    def take(self, place: Place | None) -> None:
        """Keep a snapshot of the run as it is now. If that can't be done, this is told once and no more are taken."""
        telemetry = self._telemetry
        try:
            state = self._subject.copy(self._generators)
            fits = self.keeper.add(telemetry.branch, telemetry.counters(), state, place, telemetry.clip)
            problem = None if fits else f"one takes more than the {self.keeper.limits.megabytes:g} MB for all of them"
        except Exception as error:
            problem = str(error) or type(error).__name__
        if problem is not None:
            self.every = 1 << 62
            telemetry.tell("no snapshots", problem)
            warnings.warn(f"no snapshots of this run can be kept: {problem}", stacklevel=2)
        telemetry.snapshots = self.keeper.steps
        telemetry.chapter += 1

    def find(self, step: int, branch: int | None) -> Snapshot:
        """The snapshot to go back to; RewindError if there is none."""
        return self.keeper.find(step, self._telemetry.all_branches(), branch)

    def go(self, snapshot: Snapshot, batches: Batches[Any] | None) -> None:
        """Put everything back as it was at `snapshot`, the loop's `batches` too.

        Raises:
            RewindError: if that fails. Then everything is as it was before.
        """
        telemetry, subject, place = self._telemetry, self._subject, snapshot.place
        subject.check(snapshot.state)
        before = subject.copy(self._generators)
        moves = batches is not None and place is not None
        try:
            iterator = None
            if moves:
                assert batches is not None and place is not None
                if place.taken and not place.done:
                    telemetry.tell("rewinding", snapshot.step, place.taken)
                    telemetry.wait()
                iterator = batches.open(place)
            subject.put_back(snapshot.state)
        except BaseException as error:  # an interrupt, too
            if moves:
                assert batches is not None
                batches.stay()
            subject.put_back(before)
            if isinstance(error, Exception):
                raise RewindError(f"step {snapshot.step} could not be restored: {error}") from error
            telemetry.tell("not rewound", "interrupted")
            raise
        if moves:
            assert batches is not None and place is not None
            batches.use(place, iterator)
        telemetry.clip = snapshot.clip
        telemetry.rewind(snapshot.counters, snapshot.branch)


def limits_of(snapshots: object) -> Snapshots | None:
    """What `watch` was given as `snapshots`.

    Raises:
        TypeError, ValueError: if it is neither a count, nor None, nor `Snapshots`.
    """
    if snapshots is None or snapshots is False:
        return None
    limits = snapshots if isinstance(snapshots, Snapshots) else Snapshots(snapshots)  # type: ignore[arg-type]
    for name, value in (("snapshots", limits.every), ("keep", limits.keep)):
        if isinstance(value, bool) or not hasattr(value, "__index__"):
            raise TypeError(f"watch() expected {name} to be an int or None, got {type(value).__name__}: {value!r}")
        if value < 1:
            raise ValueError(f"watch() expected {name} to be at least 1, got {value}")
    if not limits.megabytes > 0:
        raise ValueError(f"watch() expected megabytes to be positive, got {limits.megabytes}")
    return limits
