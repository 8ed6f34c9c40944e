"""Probes: what measures a watched model beyond its gradients' norms.

A view that shows more than norms gives its run a probe (`telemetry.add_probe`). The run calls it at sampled steps, in
the loop's own thread. A probe may hold the model only between `install` and `remove`; what it measured it keeps as
numbers, for the view to send.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from nbtorch_widgets.table import Table


class Watched(NamedTuple):
    """What a run watches."""

    model: Any
    """Has `named_parameters()` or `parameters()`, or is a dict of tensors; with `named_modules()` it has layers too."""
    parameters: Sequence[tuple[str, Any]]
    optimizers: Sequence[Any]


class Probe:
    """Does nothing; a subclass overrides what it needs.

    Its hooks are put on and taken off with every pass, but the other methods are called only while somebody wants what
    it measures.
    """

    def __init__(self) -> None:
        #: Who wants it measured: the feeds of views that a page shows now.
        self.wanted_by: set[object] = set()
        #: Whether it wants every step sampled, for now.
        self.eager = False
        #: Whether it failed once; it is not called any more.
        self.failed = False
        self._seconds = 0.0

    def attempt(self, action: Callable[..., object], *arguments: Any) -> None:
        """Call `action`, a method or hook of this probe: its time counts as the sample's, and it can't end a training.

        What fails is told once; then the probe is taken off.
        """
        if self.failed:
            return
        began = time.perf_counter()
        try:
            action(*arguments)
        except Exception as error:
            self.failed = True
            try:
                self.remove()
            except Exception as second:
                error.add_note(f"and couldn't be taken off: {second!r}")
            warnings.warn(f"{type(self).__name__} failed and is left out of this run: {error!r}", stacklevel=2)
        finally:
            self._seconds += time.perf_counter() - began

    def spent(self) -> float:
        """Seconds spent in `attempt` since this was last asked."""
        seconds, self._seconds = self._seconds, 0.0
        return seconds

    def install(self, watched: Watched) -> None:
        """A pass of the run begins, or goes on and the probe is new: put the hooks on."""

    def before_step(self, step: int) -> None:
        """A step that will be sampled begins, before the loop's body."""

    def see_loss(self, loss: Any) -> None:
        """The loss of the sampled step as the loop left it, before `after_step`; only if the run knows it."""

    def before_update(self) -> None:
        """The optimizer's step begins: the gradients are complete, the weights still the old ones.

        Called only at sampled steps, and only if the optimizer has hooks.
        """

    def after_step(self, step: int) -> None:
        """A sampled step is over: the weights are the new ones. Gradients may be gone."""

    def rewound(self, step: int) -> None:
        """The run went back to where it stood after `step`, and steps are counted again: forget what came later.

        Feeds send everything after this. What lies in a `Table` named `table` is forgotten here.
        """
        table = getattr(self, "table", None)
        if isinstance(table, Table):
            table.cut(step)

    def remove(self) -> None:
        """The pass has ended: take every hook off and let go of the model."""
