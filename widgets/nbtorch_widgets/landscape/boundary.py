"""`DecisionBoundary`: which class a model gives to each point of a plane, live while it is trained."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Sequence
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import traitlets

from nbtorch_widgets.feed import Feed, Message
from nbtorch_widgets.gradients import on_host
from nbtorch_widgets.landscape.problems import Range
from nbtorch_widgets.landscape.sandbox import (
    RandomState,
    library_of,
    named_tensors,
    set_eval,
    twin,
    untouched,
    without_grad,
)
from nbtorch_widgets.probe import Probe, Watched
from nbtorch_widgets.telemetry import Telemetry
from nbtorch_widgets.views import RunView

Output = Literal["auto", "logits", "probability", "value"]

_RESOLUTION = 64
_MARGIN = 0.12
_POINTS = 1000  # at most that many are drawn
_PERIOD = 0.5  # seconds between two pictures
_SHARE = 0.02  # of the time goes into them


class Regions(NamedTuple):
    """A model's answer on a grid."""

    classes: npt.NDArray[np.uint8]
    """[R, R], rows are y, ascending"""
    confidence: npt.NDArray[np.float32]
    """[R, R], the probability of that class"""
    accuracy: float
    """the share of the data that the model puts into its class"""


class Judge:
    """Asks a model for the classes of points, in evaluation mode and without gradients, and leaves no trace in it.

    A copy is asked where there can be one, so that hooks on the model hear nothing; it takes over the model's state
    before it answers.
    """

    def __init__(self, model: Any, points: npt.NDArray[Any], labels: npt.NDArray[Any], output: Output) -> None:
        if not callable(model):
            raise TypeError(f"DecisionBoundary expected a model that can be called, got {type(model).__name__}")
        self._model = model
        self._output = output
        self.values, self.numbers = np.unique(labels, return_inverse=True)
        if not 2 <= len(self.values) <= 8:
            raise ValueError(f"DecisionBoundary expected 2 to 8 classes in y, got {len(self.values)}")
        self._points = points
        self._tensors = [tensor for _, tensor in named_tensors(model, "parameters")]
        self._library = library_of(self._tensors)
        self._copy = twin(model) if hasattr(model, "load_state_dict") else None

    def _input(self, points: npt.NDArray[Any]) -> Any:
        array = np.ascontiguousarray(points, np.float32)
        if self._library is None:
            return array
        like = self._tensors[0]
        return self._library.from_numpy(array).to(device=like.device, dtype=like.dtype)

    def answer(self, points: npt.NDArray[Any]) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]]:
        """Class numbers [N] and the probability of each [N] at points [N, 2]."""
        model = self._model if self._copy is None else self._copy
        if self._copy is not None:
            self._copy.load_state_dict(self._model.state_dict())
        randomness = RandomState()
        with untouched(model) if model is self._model else contextlib.nullcontext():
            set_eval(model)
            try:
                with without_grad(self._library), np.errstate(all="ignore"):
                    found = np.array(on_host(model(self._input(points))), np.float64)
            finally:
                randomness.restore()
        return self._decide(found.reshape(len(points), -1))

    def _decide(self, found: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]]:
        with np.errstate(all="ignore"):
            if found.shape[1] == 1:
                second = self._second(found[:, 0])
                share = np.stack([1 - second, second], 1)
            else:
                if found.shape[1] < len(self.values):
                    raise ValueError(f"the model gives {found.shape[1]} numbers a point for {len(self.values)} classes")
                share = found
                sums = np.allclose(found.sum(1), 1, atol=1e-3) and bool((found >= 0).all())
                if self._output == "logits" or (self._output == "auto" and not sums):
                    share = np.exp(found - found.max(1, keepdims=True))
                    share /= share.sum(1, keepdims=True)
        numbers = share.argmax(1)
        if found.shape[1] > 1 and found.shape[1] != len(self.values):
            # Outputs are counted from 0; classes that the data lacks are shown as the last one that it has.
            known = np.searchsorted(self.values.astype(float), np.arange(found.shape[1]))
            numbers = np.minimum(known, len(self.values) - 1)[numbers]
        return numbers.astype(np.uint8), share.max(1).astype(np.float32)

    def _second(self, found: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """The probability of the second class from one number a point."""
        kind = self._output
        if kind == "auto":
            finite = found[np.isfinite(found)]
            if not finite.size or finite.min() < 0 or finite.max() > 1:
                kind = "logits"
            else:
                kind = "probability"
            if float(self.values[0]) < 0 and (not finite.size or np.abs(finite).max() <= 1):
                kind = "value"
        if kind == "probability":
            return np.clip(found, 0, 1)
        if kind == "value":  # between the two labels, such as -1 and 1
            low, high = float(self.values[0]), float(self.values[1])
            return np.clip((found - low) / (high - low), 0, 1)
        second: npt.NDArray[np.float64] = 0.5 * (1 + np.tanh(found / 2))
        return second

    def regions(self, grid: npt.NDArray[Any]) -> Regions:
        """The answers on a grid [R * R, 2] and how many of the data's points are in their class."""
        classes, confidence = self.answer(np.concatenate([grid, self._points]))
        count = len(grid)
        side = math.isqrt(count)
        right = float((classes[count:] == self.numbers).mean())
        return Regions(classes[:count].reshape(side, side), confidence[:count].reshape(side, side), right)


class BoundaryProbe(Probe):
    """Asks the watched model at sampled steps, at most twice a second."""

    def __init__(self, judge: Judge, grid: npt.NDArray[Any]) -> None:
        super().__init__()
        self._judge, self._grid = judge, grid
        self.regions: Regions | None = None
        self.step = 0
        self._due = 0.0

    def install(self, watched: Watched) -> None:
        self._due = 0.0

    def after_step(self, step: int) -> None:
        now = time.perf_counter()
        if now < self._due:
            return
        self.look(step)
        cost = time.perf_counter() - now
        self._due = now + max(_PERIOD, cost / _SHARE)

    def look(self, step: int) -> None:
        """Ask now."""
        self.regions = self._judge.regions(self._grid)
        self.step = step


class BoundaryFeed(Feed):
    """The regions, whenever there are new ones."""

    name = "boundary"
    period = _PERIOD

    def __init__(self, telemetry: Telemetry) -> None:
        super().__init__(telemetry)
        self._sent: Regions | None = None
        self._finals = -1

    def news(self, *, everything: bool) -> Message | None:
        probe = self.probe
        if not isinstance(probe, BoundaryProbe):
            return None
        at_rest = self.telemetry.phase not in ("ready", "running")
        if probe.regions is None or (at_rest and everything and probe.step != self.telemetry.step):
            probe.look(self.telemetry.step)
        regions = probe.regions
        if regions is None or (regions is self._sent and not everything):
            return None
        self._sent = regions
        header = {"step": probe.step, "accuracy": regions.accuracy, "size": len(regions.classes)}
        return header, [regions.confidence.astype("<f4").tobytes() + regions.classes.tobytes()]


class DecisionBoundary(RunView):
    """The class that a model gives to each point of a plane, with the data on it.

        DecisionBoundary(model, X, y)               # as the model is now
        DecisionBoundary(model, X, y, run=run)      # and while `for ... in run` trains it, live

    Args:
        model: takes points [N, 2] and gives a number for each of the classes (logits or probabilities), or one number
            for two classes. It is asked in evaluation mode and stays as it is.
        X: points of the data, [N, 2].
        y: their classes, [N] or [N, 1]; 2 to 8 different ones.
        run: a run of `watch` that trains the model.
        output: what the model gives, if it can't be told from the numbers: "logits", "probability", or "value" (of the
            labels themselves, such as -1 and 1).
        names: of the classes, in the order of their labels.
        features: the names of the two columns of X.
    """

    kind = traitlets.Unicode("boundary").tag(sync=True)
    #: f32[N, 2] points, then u8[N] classes: at most a thousand.
    points = traitlets.Bytes(b"").tag(sync=True)
    feeds: ClassVar[tuple[type[Feed], ...]] = (BoundaryFeed,)

    def __init__(
        self,
        model: Any,
        X: Any,
        y: Any,
        *,
        run: Any = None,
        output: Output = "auto",
        names: Sequence[str] | None = None,
        features: Sequence[str] = ("x1", "x2"),
    ) -> None:
        data, labels = _checked(X, y)
        if output not in ("auto", "logits", "probability", "value"):
            raise ValueError(f"DecisionBoundary expected output auto, logits, probability or value; got {output!r}")
        self._judge = Judge(model, data, labels, output)
        self._x, self._y = (_around(data[:, axis]) for axis in (0, 1))
        across, up = np.meshgrid(np.linspace(*self._x, _RESOLUTION), np.linspace(*self._y, _RESOLUTION))
        self._probe = BoundaryProbe(self._judge, np.stack([across.ravel(), up.ravel()], 1))
        self._probe.look(getattr(run, "step", 0))
        still = run is None
        if still:
            run = Telemetry([])
            run.phase = "finished"
        self._names = [str(n) for n in names] if names is not None else [_plain(v) for v in self._judge.values]
        if len(self._names) != len(self._judge.values):
            raise ValueError(f"DecisionBoundary expected {len(self._judge.values)} names, got {len(self._names)}")
        super().__init__(run)
        feed = self._feeds["boundary"]
        feed.probe = self._probe
        self.telemetry.probes.append(self._probe)
        pick = np.linspace(0, len(data) - 1, min(len(data), _POINTS)).round().astype(int)
        self.points = data[pick].astype("<f4").tobytes() + self._judge.numbers[pick].astype(np.uint8).tobytes()
        self.meta = {
            **self.meta,
            "x": list(self._x),
            "y": list(self._y),
            "classes": self._names,
            "features": [str(f) for f in features][:2],
            "count": len(pick),
            "still": still,
        }
        if self.telemetry.phase not in ("ready", "running"):
            self.settle()

    @property
    def classes(self) -> npt.NDArray[np.uint8]:
        """The number of the class at each point of the grid, [64, 64]; rows are the second feature, ascending."""
        return self._regions.classes

    @property
    def confidence(self) -> npt.NDArray[np.float32]:
        """The probability that the model gives to that class, [64, 64]."""
        return self._regions.confidence

    @property
    def accuracy(self) -> float:
        """The share of the data whose class the model gives."""
        return self._regions.accuracy

    @property
    def history(self) -> dict[str, Any]:
        """Everything as arrays: `x`, `y`, `classes` and `confidence`."""
        return {
            "x": np.linspace(*self._x, _RESOLUTION),
            "y": np.linspace(*self._y, _RESOLUTION),
            "classes": self.classes,
            "confidence": self.confidence,
        }

    @property
    def _regions(self) -> Regions:
        """As the model is now, unless it is being trained: then as it was last seen."""
        if self.telemetry.phase != "running" or self._probe.regions is None:
            self._probe.look(self.telemetry.step)
        assert self._probe.regions is not None
        return self._probe.regions

    def to_svg(self) -> str:
        """A still picture of the regions as they are now."""
        from nbtorch_widgets.landscape.picture import boundary_svg

        return boundary_svg(
            self._regions, self._judge_points, self._x, self._y, self._names, self.meta["features"], repr(self)
        )

    @property
    def _judge_points(self) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
        return self._judge._points, self._judge.numbers

    def plot(self) -> Any:
        """The regions and the data as a matplotlib figure."""
        from nbtorch_widgets.landscape.figure import boundary_figure

        return boundary_figure(self.history, *self._judge_points, self._names, self.meta["features"])

    def __repr__(self) -> str:
        regions = self._probe.regions if self.telemetry.phase == "running" else self._regions
        right = math.nan if regions is None else regions.accuracy
        return f"DecisionBoundary({len(self._judge.numbers)} points, {len(self._names)} classes, accuracy {right:.3g})"

    @property
    def has_picture(self) -> bool:
        return True


def _checked(X: Any, y: Any) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    data = np.array(on_host(X) if hasattr(X, "shape") else X, np.float64)
    labels = np.asarray(on_host(y) if hasattr(y, "shape") else y).reshape(-1)
    if data.ndim != 2 or data.shape[1] != 2:
        raise ValueError(f"DecisionBoundary expected X of shape [N, 2], two features; got {list(data.shape)}")
    if len(labels) != len(data):
        raise ValueError(
            f"DecisionBoundary expected a class in y for each of the {len(data)} points; got {len(labels)}"
        )
    if not len(data) or not np.isfinite(data).all():
        raise ValueError("DecisionBoundary expected at least one point, and finite numbers in X")
    return data, labels


def _around(values: npt.NDArray[Any]) -> Range:
    low, high = float(values.min()), float(values.max())
    margin = _MARGIN * ((high - low) or 1.0)
    return low - margin, high + margin


def _plain(label: Any) -> str:
    """A label as text: 1 rather than 1.0."""
    value = label.item() if hasattr(label, "item") else label
    return str(int(value)) if isinstance(value, (int, float)) and float(value).is_integer() else str(value)
