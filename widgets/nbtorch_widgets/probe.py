"""Probes: what measures a watched model beyond its gradients' norms.

A view that shows more than norms gives its run a probe (`telemetry.add_probe`). The run calls it at sampled steps, in
the loop's own thread. A probe may hold the model only between `install` and `remove`; what it measured it keeps as
numbers, for the view to send.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple


class Watched(NamedTuple):
    """What a run watches."""

    model: Any
    """Has `named_parameters()`, or is a dict of named tensors; with `named_modules()` it has layers too."""
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

    def install(self, watched: Watched) -> None:
        """A pass of the run begins, or goes on and the probe is new: put the hooks on."""

    def before_step(self, step: int) -> None:
        """A step that will be sampled begins, before the loop's body."""

    def before_update(self) -> None:
        """The optimizer's step begins: the gradients are complete, the weights still the old ones.

        Called only at sampled steps, and only if the optimizer has hooks.
        """

    def after_step(self, step: int) -> None:
        """A sampled step is over: the weights are the new ones. Gradients may be gone."""

    def remove(self) -> None:
        """The pass has ended: take every hook off and let go of the model."""
