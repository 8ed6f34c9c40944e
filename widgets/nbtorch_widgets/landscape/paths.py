"""Optimizers on a function of two parameters: real ones, of nbtorch or PyTorch, step by step."""

from __future__ import annotations

import importlib
import inspect
import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nbtorch_widgets.landscape.problems import Floats, Oracle, Range

_FAR = 1e12  # where a coordinate has surely diverged

#: Key, label, class in `optim`, and what `momentum` is called there (None: it has none).
KNOWN: Mapping[str, tuple[str, str, str | None, Mapping[str, Any]]] = {
    "sgd": ("SGD", "SGD", None, {}),
    "momentum": ("momentum", "SGD", "momentum", {}),
    "nesterov": ("Nesterov", "SGD", "momentum", {"nesterov": True}),
    "rmsprop": ("RMSprop", "RMSprop", None, {}),
    "adam": ("Adam", "Adam", "betas", {}),
}

Factory = Callable[..., Any]


@dataclass
class Racer:
    """One optimizer of the comparison."""

    key: str
    label: str
    rate: float
    make: Callable[[Sequence[Any], Any, float, float], Any]
    #: Whether the learning rate can be changed from outside.
    adjustable: bool = True
    #: Whether momentum means something to it.
    heavy: bool = False


class Track:
    """The path of one optimizer."""

    def __init__(self, key: str, start: tuple[float, float]) -> None:
        self.key = key
        self.error = ""
        #: Whether a number stopped being finite.
        self.diverged = False
        self._points = [start]
        self._losses: list[float] = []

    @property
    def points(self) -> Floats:
        """[T + 1, 2]: the start, and where it stood after each step."""
        return np.array(self._points, float)

    @property
    def losses(self) -> Floats:
        """[T + 1]: the loss at each point; NaN where it isn't known yet."""
        return np.array([*self._losses, math.nan][: len(self._points)], float)

    @property
    def steps(self) -> int:
        return len(self._points) - 1

    @property
    def best(self) -> int:
        """The step with the lowest loss."""
        losses = self.losses
        return int(np.where(np.isfinite(losses), losses, np.inf).argmin())

    def left(self, x: Range, y: Range) -> int | None:
        """The step at which it leaves this picture for good; None: it is inside at the end."""
        points = self.points
        inside = (points[:, 0] >= x[0]) & (points[:, 0] <= x[1]) & (points[:, 1] >= y[0]) & (points[:, 1] <= y[1])
        if inside[-1]:
            return len(points) if self.diverged else None
        return int(np.flatnonzero(inside)[-1]) + 1 if inside.any() else 0

    def record(self, loss: float) -> None:
        """The loss where it stands."""
        self._losses.append(loss)

    def move(self, x: float, y: float) -> bool:
        """A step to (x, y); False if that is nowhere."""
        self.diverged = not all(math.isfinite(at) and abs(at) < _FAR for at in (x, y))
        if not self.diverged:
            self._points.append((x, y))
        return not self.diverged


@dataclass(frozen=True)
class Settings:
    """What the paths depend on."""

    start: tuple[float, float]
    rates: Mapping[str, float] = field(default_factory=dict)
    momentum: float = 0.9
    steps: int = 100

    def __post_init__(self) -> None:
        numbers = [*self.start, *self.rates.values(), self.momentum]
        if len(self.start) != 2 or not all(isinstance(n, (int, float)) and math.isfinite(n) for n in numbers):
            raise ValueError("expected finite numbers for start, learning rates and momentum")
        if not all(rate > 0 for rate in self.rates.values()) or not 0 <= self.momentum < 1:
            raise ValueError("expected learning rates above 0 and momentum in [0, 1)")
        if not 1 <= self.steps <= 5000:
            raise ValueError("expected 1 to 5000 steps")


def racers(optimizers: Any, rates: Mapping[str, float]) -> list[Racer]:
    """The optimizers that a user names, or makes by a factory, or gives as classes.

    A mapping's values are names, classes of optimizers (called with `lr`) or functions of the parameters; a function
    that takes `lr` too can have its learning rate changed.
    """
    pairs = optimizers.items() if isinstance(optimizers, Mapping) else ((None, each) for each in _listed(optimizers))
    found = []
    for label, each in pairs:
        if isinstance(each, str):
            found.append(_known(each, label, rates))
        elif callable(each):
            found.append(_own(label or str(getattr(each, "__name__", "optimizer")), each, rates))
        else:
            raise TypeError(
                "Landscape expected optimizers as names, classes or functions of the parameters; "
                f"got {type(each).__name__}. For settings of your own: {{'Adam': lambda p, lr: optim.Adam(p, lr=lr)}}"
            )
    if len({racer.key for racer in found}) < len(found):
        raise ValueError("Landscape expected each optimizer to have a name of its own")
    return found


def _listed(optimizers: Any) -> Sequence[Any]:
    return [optimizers] if isinstance(optimizers, str) or callable(optimizers) else list(optimizers)


def _known(name: str, label: str | None, rates: Mapping[str, float]) -> Racer:
    key = name.lower()
    if key not in KNOWN:
        raise ValueError(
            f"Landscape has no optimizer {name!r}. Expected one of {', '.join(KNOWN)}, or a function of the parameters."
        )
    title, kind, momentum, options = KNOWN[key]

    def make(parameters: Sequence[Any], optim: Any, rate: float, beta: float) -> Any:
        extra = {} if momentum is None else {momentum: (beta, 0.999) if momentum == "betas" else beta}
        if extra.get("momentum") == 0:  # Nesterov's method is plain descent then
            return getattr(optim, kind)(parameters, lr=rate)
        return getattr(optim, kind)(parameters, lr=rate, **options, **extra)

    return Racer(label or key, label or title, float(rates.get(key, 0.01)), make, heavy=momentum is not None)


def _own(label: str, factory: Factory, rates: Mapping[str, float]) -> Racer:
    try:
        names = inspect.signature(factory).parameters
    except (TypeError, ValueError):
        names = {}  # type: ignore[assignment]
    adjustable = "lr" in names

    def make(parameters: Sequence[Any], _optim: Any, rate: float, _beta: float) -> Any:
        return factory(parameters, lr=rate) if adjustable else factory(parameters)

    default = names["lr"].default if adjustable else None
    rate = rates.get(label, default if isinstance(default, (int, float)) else 0.01)
    return Racer(label, label, float(rate), make, adjustable)


def fitting(oracle: Oracle, wanted: Sequence[Racer]) -> Oracle:
    """The oracle, or another for the same function whose tensors the optimizers take (PyTorch's take only its own)."""
    candidates: list[Callable[[], Oracle]] = [lambda: oracle]
    if oracle.library is not None and oracle.library.__name__ != "torch" and "torch" in sys.modules:
        # The function may be written for the first library alone: then making the other oracle raises.
        candidates.append(lambda: Oracle(oracle.problem, ("torch",)))
    for candidate in candidates:
        try:
            each = candidate()
            for racer in wanted:
                leaves = each.leaves(*oracle.problem.start)
                racer.make(leaves, _optim_of(leaves[0]), racer.rate, 0.9)
        except Exception:  # a wrong factory fails with all of them, and is shown with its message when it walks
            continue
        if each is oracle or each.library is not None:
            return each
    return oracle


def walk(oracle: Oracle, racer: Racer, settings: Settings) -> Iterator[Track]:
    """The path of one optimizer, growing: it is yielded after each step, the same object every time.

    It ends early where a number isn't finite any more. An exception of the function or the optimizer ends it too, and
    is named in `error`.
    """
    track = Track(racer.key, settings.start)
    try:
        x, y = oracle.leaves(*settings.start)
        rate = settings.rates.get(racer.key, racer.rate)
        optimizer = racer.make([x, y], _optim_of(x), rate, settings.momentum)
        with np.errstate(all="ignore"):
            for _ in range(settings.steps):
                optimizer.zero_grad()
                track.record(oracle.backward(x, y))
                optimizer.step()
                if not track.move(float(x.item()), float(y.item())):
                    break
                yield track
            else:
                track.record(oracle.value(float(x.item()), float(y.item())))
    except Exception as error:  # a function or factory of the user's: shown with its path, not raised in a thread
        track.error = f"{type(error).__name__}: {error}"
    yield track


def _optim_of(leaf: Any) -> Any:
    return importlib.import_module(f"{type(leaf).__module__.partition('.')[0]}.optim")
