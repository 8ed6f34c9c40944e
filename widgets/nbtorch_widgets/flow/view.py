"""GradFlow, the widget: Python's half."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt
import traitlets

from nbtorch_widgets.feed import Feed
from nbtorch_widgets.flow.feed import FlowFeed
from nbtorch_widgets.flow.origins import describe
from nbtorch_widgets.flow.svg import flow_svg
from nbtorch_widgets.gradients import NO_GRAD
from nbtorch_widgets.history import Flags, Float32s
from nbtorch_widgets.views import RunView


class FlowHistory(NamedTuple):
    """The gradients' norms at the vertices of the graph, for R sampled steps and N vertices."""

    names: list[str]
    """[N] paths of the modules, with the class where a path ends in a number; "+ in layer1.0" for a join."""
    steps: npt.NDArray[np.uint32]
    """[R]"""
    norms: Float32s
    """[R, N] the L2 norm of the loss's gradient with respect to the module's output."""
    flags: Flags
    """[R, N] the marks of `gradients`, and of outputs that weren't finite (32 NaN, 64 infinite)."""


class GradFlow(RunView):
    """The graph of a run's model with the gradients that flow back through it, live.

    Widths and colours show each gradient's norm on a logarithmic scale; groups of modules open and close. A model whose
    modules take forward hooks is traced by what autograd records of its steps. For others the owners of the parameters
    stand in a chain.
    """

    kind = traitlets.Unicode("gradflow").tag(sync=True)
    feeds: ClassVar[tuple[type[Feed], ...]] = (FlowFeed,)
    always: ClassVar[tuple[str, ...]] = ("flow",)

    @property
    def _flow(self) -> FlowFeed:
        feed = self._feeds["flow"]
        assert isinstance(feed, FlowFeed)
        return feed

    @property
    def history(self) -> FlowHistory:
        """The gradient norms at every vertex that were measured."""
        graph, rows, _ = self._flow.current()
        shown = range(2, len(graph))  # without the input and the loss
        names = [graph.vertices[k].name for k in shown]
        return FlowHistory(names, rows.steps, rows.norms[:, 2 : len(graph)], rows.flags[:, 2 : len(graph)])

    def to_svg(self) -> str:
        graph, rows, _ = self._flow.current()
        return flow_svg(graph, rows, self.telemetry, self.language)

    def plot(self, step: int | None = None) -> Any:
        """A matplotlib figure: each vertex's gradient norm at `step` (the last by default), from the loss backwards."""
        try:
            from matplotlib.figure import Figure
        except ImportError as error:
            raise ImportError("plot() needs matplotlib. Install it with: pip install matplotlib") from error
        history = self.history
        if not len(history.steps):
            raise ValueError("this run has no gradients yet. Run the training loop first, then plot().")
        row = len(history.steps) - 1 if step is None else int(np.searchsorted(history.steps, step, "right")) - 1
        if row < 0:
            raise ValueError(f"the first sampled step is {history.steps[0]}; got step={step}")
        shown = [k for k in range(len(history.names)) if not history.flags[row, k] & NO_GRAD][::-1]
        figure = Figure(figsize=(7, max(2.0, 0.24 * len(shown) + 1)), layout="constrained")
        axes = figure.subplots()
        norms = np.array([history.norms[row, k] for k in shown], float)
        norms[~np.isfinite(norms) | (norms <= 0)] = np.nan
        axes.plot(norms, np.arange(len(shown)), "o-", markersize=4, linewidth=1)
        axes.set_yticks(np.arange(len(shown)), [history.names[k] for k in shown], fontsize=8)
        axes.invert_yaxis()
        if np.isfinite(norms).any():
            axes.set_xscale("log")
        axes.set_xlabel(f"gradient norm at the output, step {int(history.steps[row])}")
        axes.grid(True, axis="x", alpha=0.3)
        return figure

    def __repr__(self) -> str:
        graph, rows, traced = self._flow.current()
        modules = sum(v.kind == "module" for v in graph.vertices)
        words = f"GradFlow({modules} {'modules' if traced else 'parameter owners'}, {self.telemetry.summary()}"
        trouble = describe(graph, rows)
        return f"{words}, {trouble})" if trouble else f"{words})"
