"""`Landscape`: the widget."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import traitlets

from nbtorch_widgets import protocol
from nbtorch_widgets.landscape import slices
from nbtorch_widgets.landscape.grid import Grid
from nbtorch_widgets.landscape.paths import KNOWN, Racer, Settings, Track, fitting, racers, walk
from nbtorch_widgets.landscape.problems import RATES, Floats, Oracle, Problem, Range, named
from nbtorch_widgets.landscape.sandbox import library_of, named_tensors
from nbtorch_widgets.landscape.worker import Worker
from nbtorch_widgets.show import mode
from nbtorch_widgets.widget import NotebookWidget

_FIELD_PERIOD = 0.5  # seconds between two pictures of a growing field
_PATHS_PERIOD = 1 / 30
_PATIENCE = 1.5  # seconds that a display waits for a still picture of what is being computed
_MARGIN = 0.25  # of a path's extent, around it


class Landscape(NotebookWidget):
    """A loss as a map over two numbers, with optimizers walking on it.

        Landscape("rosenbrock")                         # or quadratic, beale, himmelblau, saddle
        Landscape(lambda x, y: (x * y - 1) ** 2 + 0.1 * x**2, x=(-3, 3), y=(-3, 3))
        Landscape(model, loss_fn, (inputs, targets))    # a slice through the loss of a model, around its weights
        Landscape(model, loss_fn, loader, path=[...])   # the plane in which a path of state_dicts moved most

    On a function of two parameters real optimizers walk, nbtorch's or PyTorch's; in the widget their start is dragged.
    A slice of a model is computed beside the cells, coarse first, on a copy: the model itself stays as it is.

    Args:
        what: the name of a function, a function f(x, y), a model, or a run of `watch` (then its model).
        loss_fn: for a model: `loss_fn(model(inputs), targets)`; without `data` it is called as `loss_fn()`.
        data: a pair (inputs, targets), or an iterable of such pairs, which is gone through once and kept.
        x, y: the ranges shown.
        start: where the optimizers begin.
        optimizers: names (sgd, momentum, nesterov, rmsprop, adam), classes, or functions of the parameters (and `lr`);
            a mapping gives them labels.
        lr: the learning rate of all, or a mapping of names to learning rates.
        momentum: of momentum and Nesterov, and Adam's first beta.
        steps: how many each makes.
        log: colours on a logarithmic scale; None lets the function decide.
        path: snapshots of the weights (state_dicts, models, or mappings of names to arrays), the oldest first. They
            choose the plane, by their principal directions, and are drawn on it.
        resolution: points along each side.
        seed: of a model's random directions.
    """

    kind = traitlets.Unicode("landscape").tag(sync=True)
    meta = traitlets.Dict().tag(sync=True)
    #: The field at rest: header and f32[R, R], so that a saved notebook shows it without a kernel.
    field = traitlets.Bytes(b"").tag(sync=True)
    #: The paths at rest: header and, for each path, f32[T + 1, 3]: x, y, loss.
    tracks = traitlets.Bytes(b"").tag(sync=True)

    def __init__(
        self,
        what: Any = "quadratic",
        loss_fn: Callable[..., Any] | None = None,
        data: Any = None,
        *,
        x: Range | None = None,
        y: Range | None = None,
        start: tuple[float, float] | None = None,
        optimizers: Any = tuple(KNOWN),
        lr: float | Mapping[str, float] | None = None,
        momentum: float = 0.9,
        steps: int | None = None,
        log: bool | None = None,
        path: Any = None,
        resolution: int = 64,
        seed: int = 0,
        language: str | None = None,
    ) -> None:
        if not 8 <= resolution <= 256:
            raise ValueError(f"Landscape expected a resolution from 8 to 256, got {resolution}")
        self._plane: slices.Plane | None = None
        self._oracle: Oracle | None = None
        self._racers: list[Racer] = []
        self._walked: list[Track] = []
        self._sequence = 0
        self._stopped = False
        self._error: Exception | None = None
        what, path = _unwrap(what, path)
        if isinstance(what, str) or not _is_model(what):
            problem = _problem(what, loss_fn, x, y, start)
            self._log: bool | None = problem.log if log is None else log
            rates = {**RATES, **problem.rates, **_rates(lr)}
            self._oracle = Oracle(problem)
            self._racers = racers(optimizers, rates)
            self._oracle = fitting(self._oracle, self._racers)
            chosen = {racer.key: racer.rate for racer in self._racers}
            self._settings = Settings(_pair(start or problem.start), chosen, momentum, steps or problem.steps)
            self._title, self._labels = problem.name, ("x", "y")
            x, y = problem.x, problem.y
            about: dict[str, Any] = {
                "builtin": what.lower() if isinstance(what, str) else None,
                "source": problem.source,
                "minima": [list(m) for m in problem.minima],
                "gradient": self._oracle.gradient_kind,
            }
        else:
            if loss_fn is None:
                raise TypeError(
                    "Landscape(model, loss_fn, data) expected a loss function, such as nn.MSELoss(), and data; got none"
                )
            self._plane = slices.Plane(what, loss_fn, data)
            self._title = type(what).__name__
            x, y, about = self._choose_plane(path, x, y, seed)
            self._log = log
        self._x, self._y = _range("x", x), _range("y", y)
        self._grid = Grid(self._x, self._y, resolution)
        self._worker = Worker(self._failed)
        super().__init__(**({} if language is None else {"language": language}))
        self.meta = self._describe(about)
        self.on_msg(self._receive)
        if self._plane is None or not self._plane.in_place:
            self._worker.submit(self._compute)

    def close(self) -> None:
        if hasattr(self, "_worker"):
            self._worker.cancel()
        super().close()

    # ---- what is shown ----

    def _choose_plane(
        self, path: Any, x: Range | None, y: Range | None, seed: int
    ) -> tuple[Range, Range, dict[str, Any]]:
        plane = self._plane
        assert plane is not None
        about: dict[str, Any] = {"centre": protocol.number(plane.centre_loss), "weights": plane.count}
        if path is None:
            rng = np.random.default_rng(seed)
            plane.span(slices.filter_normalised(plane.weights, rng), slices.filter_normalised(plane.weights, rng))
            self._labels = ("direction 1", "direction 2")
            return x or (-1.0, 1.0), y or (-1.0, 1.0), {**about, "directions": "random"}
        points = [plane.weights_of(point) for point in path]
        if len(points) < 2:
            raise ValueError(f"Landscape expected a path of at least 2 snapshots, got {len(points)}")
        first, second, coordinates, shares = slices.principal(points, plane.weights)
        losses = plane.losses_of(points)
        plane.span(first, second)
        track = Track("path", _pair(coordinates[0]))
        track.record(losses[0])
        for at, loss in zip(coordinates[1:], losses[1:], strict=True):
            track.move(*_pair(at))
            track.record(loss)
        self._walked = [track]
        self._labels = (f"component 1 ({shares[0]:.0%})", f"component 2 ({shares[1]:.0%})")
        around = [_around([*coordinates[:, axis].tolist(), 0.0]) for axis in (0, 1)]
        # Neither side so narrow that a straight path's other direction shows nothing.
        wide = max(high - low for low, high in around) / 4
        sides = [
            (low, high) if high - low >= wide else ((low + high - wide) / 2, (low + high + wide) / 2)
            for low, high in around
        ]
        return x or sides[0], y or sides[1], {**about, "directions": "path", "shares": list(shares)}

    def _describe(self, about: dict[str, Any]) -> dict[str, Any]:
        meta = {
            "v": protocol.VERSION,
            "mode": "slice" if self._oracle is None else "function",
            "title": self._title,
            "labels": list(self._labels),
            "x": list(self._x),
            "y": list(self._y),
            "resolution": len(self._grid.xs),
            "log": self._log,
            "builtin": None,
            "source": "",
            "minima": [],
            **about,
        }
        if self._oracle is not None:
            meta["racers"] = [
                {"key": r.key, "label": r.label, "rate": r.rate, "adjustable": r.adjustable, "heavy": r.heavy}
                for r in self._racers
            ]
            meta["settings"] = _settings_record(self._settings)
        elif self._walked:
            meta["racers"] = [{"key": "path", "label": "path", "rate": None, "adjustable": False, "heavy": False}]
        else:
            meta["racers"] = []
        return meta

    # ---- the work, in a thread of its own except where only the model itself can be used ----

    def _compute(self, cancelled: Callable[[], bool]) -> None:
        if self._oracle is not None and not self._walked:
            self._walk(self._settings, 0, cancelled)
        elif self._walked and not self.tracks:
            self._settle_tracks(0)
        if not cancelled() and not self._stopped:
            self._fill(cancelled)

    def _fill(self, cancelled: Callable[[], bool]) -> None:
        grid, oracle = self._grid, self._oracle
        if grid.complete:
            return
        if oracle is not None:
            values = oracle.grid(grid.xs, grid.ys)
            if values is not None:
                grid.take(values)
            losses: Any = lambda points: [oracle.value(*point) for point in points]  # noqa: E731
        else:
            assert self._plane is not None
            losses = self._plane.losses
        due = 0.0
        for _ in grid.fill(losses, 16 if self._plane is None or self._plane.in_place else 4):
            if cancelled() or self._stopped:
                break
            now = time.perf_counter()
            if now >= due:
                due = now + _FIELD_PERIOD
                self._send_field()
        self._settle_field()

    def _field_header(self) -> dict[str, Any]:
        return {
            "op": "field",
            "progress": round(self._grid.progress, 4),
            "log": self.log_scale if self._grid.complete else bool(self._log),
            "stopped": self._stopped,
        }

    def _send_field(self) -> None:
        self.send(self._field_header(), buffers=[self._grid.shown().astype("<f4").tobytes()])

    def _settle_field(self) -> None:
        self.field = protocol.pack_file(self._field_header(), self._grid.shown().astype("<f4").tobytes())

    def _walk(self, settings: Settings, sequence: int, cancelled: Callable[[], bool]) -> None:
        """All optimizers, step by step together; what they have so far is sent as they go."""
        assert self._oracle is not None
        walks = [walk(self._oracle, racer, settings) for racer in self._racers]
        tracks: list[Track] = [next(each) for each in walks]
        due = time.perf_counter() + _PATHS_PERIOD
        going = list(range(len(walks)))
        while going:
            if cancelled():
                return
            going = [index for index in going if next(walks[index], None) is not None]
            now = time.perf_counter()
            if going and now >= due:
                due = now + _PATHS_PERIOD
                header, payload = self._pack(tracks, settings, sequence, done=False)
                self.send(header, buffers=[payload])
        self._walked, self._settings = tracks, settings
        self._settle_tracks(sequence)

    def _settle_tracks(self, sequence: int) -> None:
        settings = self._settings if self._oracle is not None else None
        self.tracks = protocol.pack_file(*self._pack(self._walked, settings, sequence, done=True))

    def _pack(
        self, tracks: list[Track], settings: Settings | None, sequence: int, *, done: bool
    ) -> tuple[dict[str, Any], bytes]:
        header = {
            "op": "paths",
            "seq": sequence,
            "done": done,
            "settings": None if settings is None else _settings_record(settings),
            "tracks": [
                {
                    "key": track.key,
                    "points": len(track.points),
                    "left": track.left(self._x, self._y) if done and track.key != "path" else None,
                    "error": track.error[:200],
                }
                for track in tracks
            ],
        }
        with np.errstate(over="ignore"):
            parts = [np.column_stack([t.points, t.losses]).astype("<f4").tobytes() for t in tracks]
        return header, b"".join(parts)

    def _failed(self, error: Exception) -> None:
        self._error = error
        self.send({"op": "failed", "message": f"{type(error).__name__}: {error}"[:300]})

    # ---- the front end's side: another thread ----

    def _receive(self, _widget: Any, message: Any, _buffers: Any) -> None:
        op = message.get("op") if isinstance(message, dict) else None
        if op == "walk" and self._oracle is not None:
            try:
                settings = self._wish(message)
            except (KeyError, TypeError, ValueError) as error:
                self.send({"op": "failed", "message": f"{error}"[:300]})
                return
            sequence = message.get("seq")
            number = sequence if isinstance(sequence, int) and sequence >= 0 else 0

            def job(cancelled: Callable[[], bool]) -> None:
                self._walk(settings, number, cancelled)
                if not cancelled() and not self._stopped:
                    self._fill(cancelled)

            self._worker.submit(job)
        elif op == "stop":
            self.stop()
        elif op == "go":
            self._go()
        elif op == "hello":
            if not self._grid.complete and self._grid.known.any():
                self._send_field()
        else:
            self.send({"op": "error", "message": f"expected an operation, got {str(message)[:80]!r}"})

    def _wish(self, message: Mapping[str, Any]) -> Settings:
        start, rates = message["start"], message["rates"]
        if not isinstance(start, list) or not isinstance(rates, dict):
            raise TypeError("expected start as a list and rates as a mapping")
        known = {racer.key for racer in self._racers}
        return Settings(
            (start[0], start[1]),
            {**self._settings.rates, **{str(k): v for k, v in rates.items() if k in known}},
            message["momentum"],
            int(message["steps"]),
        )

    # ---- for those who program ----

    def walk(self, start: tuple[float, float] | None = None, **changes: Any) -> Landscape:
        """Walk again from `start`, with other `lr`, `momentum` or `steps`; waits until it is done."""
        if self._oracle is None:
            raise TypeError("a slice of a model has no optimizers to walk on it")
        self.wait()
        lr = changes.pop("lr", None)
        rates = dict(self._settings.rates)
        if lr is not None:
            rates.update(dict.fromkeys(rates, lr) if not isinstance(lr, Mapping) else lr)
        settings = Settings(
            _pair(start or self._settings.start),
            rates,
            changes.pop("momentum", self._settings.momentum),
            changes.pop("steps", self._settings.steps),
        )
        if changes:
            raise TypeError(f"walk() got an unexpected argument {next(iter(changes))!r}")
        self._walk(settings, 0, lambda: False)
        return self

    def stop(self) -> None:
        """Stop computing the field; what there is of it stays. `wait()` goes on with it."""
        self._stopped = True

    def _go(self) -> None:
        self._stopped = False
        if not self._grid.complete and (self._plane is None or not self._plane.in_place):
            self._worker.submit(self._compute)

    def wait(self) -> Landscape:
        """Until everything is computed. The kernel's interrupt ends the waiting, not the work beside the cells."""
        if not self._grid.complete and self._error is None:
            if self._plane is not None and self._plane.in_place:
                self._stopped = False
                self._compute(lambda: False)
            elif not self._worker.busy or self._stopped:
                self._go()
        self._worker.wait()
        if self._error is not None:
            raise RuntimeError(f"the landscape could not be computed: {self._error}") from self._error
        return self

    @property
    def grid(self) -> npt.NDArray[np.float32]:
        """The loss [R, R] at `ys` (rows) and `xs` (columns), both ascending. Waits until it is known everywhere."""
        return self.wait()._grid.values.copy()

    @property
    def xs(self) -> Floats:
        """The grid's first coordinate [R]."""
        return self._grid.xs.copy()

    @property
    def ys(self) -> Floats:
        """The grid's second coordinate [R]."""
        return self._grid.ys.copy()

    @property
    def paths(self) -> dict[str, Floats]:
        """Each optimizer's points [T + 1, 2], the start first."""
        return {self._label(track): track.points for track in self._paths()}

    @property
    def losses(self) -> dict[str, Floats]:
        """Each optimizer's loss [T + 1] at those points."""
        return {self._label(track): track.losses for track in self._paths()}

    @property
    def history(self) -> dict[str, Any]:
        """Everything as arrays: `x`, `y`, `grid`, `paths` and `losses`."""
        return {"x": self.xs, "y": self.ys, "grid": self.grid, "paths": self.paths, "losses": self.losses}

    @property
    def start(self) -> tuple[float, float] | None:
        """Where the optimizers begin; None for a slice of a model."""
        return self._settings.start if self._oracle is not None else None

    @property
    def centre_loss(self) -> float:
        """The loss of a slice's model with its own weights; NaN for a function."""
        return math.nan if self._plane is None else self._plane.centre_loss

    @property
    def minimum(self) -> tuple[float, float, float]:
        """The lowest point of the grid: x, y and the loss there."""
        return lowest(self)

    @property
    def log_scale(self) -> bool:
        """Whether the colours are on a logarithmic scale."""
        if self._log is not None:
            return self._log
        finite = self._grid.values[np.isfinite(self._grid.values)]
        if not finite.size:
            return False
        low, middle, high = np.percentile(finite, [0, 50, 100])
        return bool(high - low > 8 * (middle - low))

    def findings(self) -> list[str]:
        """What became of each optimizer, in words."""
        return [f"{self._label(track)} {self._outcome(track)}" for track in self._paths()]

    def _outcome(self, track: Track) -> str:
        left = track.left(self._x, self._y)
        if track.error:
            return f"failed: {track.error}"
        if left is not None and track.key != "path":
            return f"leaves the picture at step {left}"
        if track.diverged:
            return f"diverges at step {track.steps + 1}"
        last = float(track.losses[-1])
        return f"{last:.2g} after {track.steps} steps" if math.isfinite(last) else f"not finite at step {track.steps}"

    def _paths(self) -> list[Track]:
        if self._oracle is not None:
            self.wait()
        return list(self._walked)

    def _label(self, track: Track) -> str:
        return next((racer.label for racer in self._racers if racer.key == track.key), track.key)

    # ---- outside a live page ----

    def to_svg(self) -> str:
        """A still picture; waits until everything is computed."""
        from nbtorch_widgets.landscape.picture import landscape_svg

        return landscape_svg(self.wait())

    def plot(self) -> Any:
        """The landscape and the losses as a matplotlib figure."""
        from nbtorch_widgets.landscape.figure import landscape_figure

        return landscape_figure(self.wait())

    def __repr__(self) -> str:
        if self._oracle is None:
            assert self._plane is not None
            ways = "along its path" if self._walked else "in 2 random directions"
            return f"Landscape({self._title}, {self._plane.count} weights, loss {self._plane.centre_loss:.3g}, {ways})"
        x, y = self._settings.start
        found = ", ".join(self.findings())
        return f"Landscape({self._title} from ({x:.3g}, {y:.3g}){': ' if found else ''}{found})"

    @property
    def has_picture(self) -> bool:
        if self._plane is not None and self._plane.in_place:
            self.wait()
        if mode(True) == "static":
            self.wait()
        elif self._plane is not None:
            self._worker.wait(_PATIENCE)
        else:
            self._worker.wait(2 * _PATIENCE)
        return self._grid.complete and self._error is None


def lowest(landscape: Landscape) -> tuple[float, float, float]:
    """The lowest point of a landscape's grid: x, y, loss."""
    grid = landscape.grid
    if not np.isfinite(grid).any():
        return math.nan, math.nan, math.nan
    row, column = np.unravel_index(int(np.where(np.isfinite(grid), grid, np.inf).argmin()), grid.shape)
    return float(landscape.xs[column]), float(landscape.ys[row]), float(grid[row, column])


def _unwrap(what: Any, path: Any) -> tuple[Any, Any]:
    """A run's model, and its snapshots where it keeps some."""
    if not hasattr(what, "telemetry"):
        return what, path
    rewinder = getattr(what, "_rewinder", None)
    if path is None and rewinder is not None:
        found = [(step, rewinder.find(step, None)) for step in sorted({step for _, step in what.snapshots})]
        # Of the branch that the run is on: where it has none at a step, the one before is found again.
        states = [snapshot.state.model for step, snapshot in found if snapshot.step == step]
        path = states if len(states) > 1 and all(isinstance(state, Mapping) for state in states) else None
    return what._model, path


def _is_model(what: Any) -> bool:
    if isinstance(what, Mapping) or callable(getattr(what, "parameters", None)):
        if not named_tensors(what, "parameters"):
            raise ValueError(f"{type(what).__name__} has no parameters, so its loss has no landscape")
        return True
    if library_of([what]) is not None or not callable(what):
        raise TypeError(
            "Landscape expected the name of a function, a function f(x, y), a model with parameters(), or a run; "
            f"got {type(what).__name__}"
        )
    return False


def _problem(what: Any, loss_fn: Any, x: Range | None, y: Range | None, start: tuple[float, float] | None) -> Problem:
    if loss_fn is not None:
        raise TypeError("Landscape(f) of a function takes no loss_fn; the function's value is the loss")
    if isinstance(what, str):
        known = named(what)
        ranges = (_range("x", x or known.x), _range("y", y or known.y))
        return Problem(
            known.name,
            known.function,
            *ranges,
            known.start,
            known.minima,
            known.rates,
            known.steps,
            known.log,
            known.source,
        )
    across, up = _range("x", x or (-2.0, 2.0)), _range("y", y or (-2.0, 2.0))
    name = getattr(what, "__name__", type(what).__name__)
    begin = start or (across[0] + 0.15 * (across[1] - across[0]), up[0] + 0.8 * (up[1] - up[0]))
    return Problem("f(x, y)" if name == "<lambda>" else str(name), what, across, up, (float(begin[0]), float(begin[1])))


def _range(name: str, ends: Any) -> Range:
    try:
        low, high = (float(end) for end in ends)
    except (TypeError, ValueError) as error:
        raise TypeError(f"Landscape expected {name} as a pair (low, high), got {ends!r}") from error
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise ValueError(f"Landscape expected {name} as a pair with low < high, got {ends!r}")
    return low, high


def _rates(lr: float | Mapping[str, float] | None) -> Mapping[str, float]:
    if lr is None:
        return {}
    if isinstance(lr, Mapping):
        return {key.lower() if key.lower() in KNOWN else key: float(rate) for key, rate in lr.items()}
    return dict.fromkeys(KNOWN, float(lr))


def _settings_record(settings: Settings) -> dict[str, Any]:
    return {
        "start": list(settings.start),
        "rates": dict(settings.rates),
        "momentum": settings.momentum,
        "steps": settings.steps,
    }


def _pair(point: Any) -> tuple[float, float]:
    return float(point[0]), float(point[1])


def _around(values: list[float]) -> Range:
    low, high = min(values), max(values)
    margin = _MARGIN * ((high - low) or 1.0)
    return low - margin, high + margin
