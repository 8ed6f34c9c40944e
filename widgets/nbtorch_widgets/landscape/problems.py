"""Functions of two parameters: the well-known ones by name, and one's own with its derivative found out.

A problem is written in plain Python operations, so that nbtorch, PyTorch and NumPy all can evaluate it.
"""

from __future__ import annotations

import importlib
import math
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Function = Callable[[Any, Any], Any]
Range = tuple[float, float]

#: Learning rates of a function that nothing is known about.
RATES: Mapping[str, float] = {"sgd": 0.01, "momentum": 0.01, "nesterov": 0.01, "rmsprop": 0.02, "adam": 0.1}
_PROBES = ((0.31, 0.27), (0.5, 0.83), (0.77, 0.42))  # where derivatives are compared, in the unit square


@dataclass(frozen=True)
class Problem:
    """A function of two parameters and the part of the plane that its picture shows."""

    name: str
    function: Function
    x: Range
    y: Range
    start: tuple[float, float]
    minima: tuple[tuple[float, float], ...] = ()
    rates: Mapping[str, float] = field(default_factory=lambda: RATES)
    steps: int = 100
    log: bool = False
    #: Where the function comes from.
    source: str = ""


def _rates(sgd: float, momentum: float, rmsprop: float, adam: float) -> Mapping[str, float]:
    return {"sgd": sgd, "momentum": momentum, "nesterov": momentum, "rmsprop": rmsprop, "adam": adam}


PROBLEMS: Mapping[str, Problem] = {
    problem.name: problem
    for problem in (
        Problem(
            "quadratic",
            lambda x, y: 0.5 * (x**2 + 20 * y**2),
            (-4.0, 4.0),
            (-2.0, 2.0),
            (-3.5, 1.5),
            ((0.0, 0.0),),
            _rates(0.09, 0.02, 0.05, 0.2),
            60,
            source="condition number 20; cf. G. Goh, Why Momentum Really Works, Distill, 2017",
        ),
        Problem(
            "rosenbrock",
            lambda x, y: (1 - x) ** 2 + 100 * (y - x**2) ** 2,
            (-2.0, 2.0),
            (-1.0, 3.0),
            (-1.2, 1.0),
            ((1.0, 1.0),),
            _rates(0.0015, 0.0006, 0.01, 0.05),
            300,
            True,
            "H. H. Rosenbrock, The Computer Journal 3 (1960), 175-184",
        ),
        Problem(
            "beale",
            lambda x, y: (1.5 - x + x * y) ** 2 + (2.25 - x + x * y**2) ** 2 + (2.625 - x + x * y**3) ** 2,
            (-4.5, 4.5),
            (-4.5, 4.5),
            (1.0, 1.5),
            ((3.0, 0.5),),
            _rates(0.01, 0.005, 0.05, 0.2),
            150,
            True,
            "E. M. L. Beale, Technical Report 25, Statistical Techniques Research Group, Princeton University, 1958",
        ),
        Problem(
            "himmelblau",
            lambda x, y: (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2,
            (-5.0, 5.0),
            (-5.0, 5.0),
            (-0.5, -1.0),
            ((3.0, 2.0), (-2.805118, 3.131312), (-3.779310, -3.283186), (3.584428, -1.848126)),
            _rates(0.01, 0.003, 0.1, 0.3),
            80,
            True,
            "D. M. Himmelblau, Applied Nonlinear Programming, McGraw-Hill, 1972",
        ),
        Problem(
            "saddle",
            lambda x, y: x**2 - y**2,
            (-2.0, 2.0),
            (-2.0, 2.0),
            (-1.7, 0.02),
            (),
            _rates(0.05, 0.02, 0.02, 0.1),
            80,
            source="a strict saddle; cf. Y. Dauphin et al., arXiv:1406.2572, 2014",
        ),
    )
}


def named(name: str) -> Problem:
    """The built-in problem of this name; ValueError lists them."""
    key = name.lower()
    if key not in PROBLEMS:
        raise ValueError(
            f"Landscape has no function {name!r}. Expected one of {', '.join(PROBLEMS)}, or a function f(x, y)."
        )
    return PROBLEMS[key]


class Oracle:
    """Value and gradient of a problem's function, by the library that the function is written for.

    nbtorch's autograd is tried first, then PyTorch's if it is loaded. A derivative that differs from the measured one
    (a function that leaves the graph, by `math.sin` or NumPy) isn't used: then central differences are.
    """

    def __init__(self, problem: Problem, libraries: Sequence[str] = ("nbtorch", "torch")) -> None:
        self.function = problem.function
        self.problem = problem
        self.library: Any = None
        for name in libraries:
            library: Any = importlib.import_module(name) if name == "nbtorch" else sys.modules.get(name)
            if library is not None and self._agrees(library):
                self.library = library
                break
        if self.library is None:
            self.value(*problem.start)  # what is wrong with it, in its own words

    @property
    def gradient_kind(self) -> str:
        """ "autograd" or "differences"."""
        return "differences" if self.library is None else "autograd"

    def value(self, x: float, y: float) -> float:
        """f(x, y) as a float."""
        if self.library is None:
            return _number(self.function(x, y))
        with self.library.no_grad():
            return _number(self.function(*self._leaves(self.library, x, y, False)))

    def leaves(self, x: float, y: float) -> tuple[Any, Any]:
        """Two parameters of no dimensions for an optimizer; nbtorch's where the function needs no library."""
        library = importlib.import_module("nbtorch") if self.library is None else self.library
        return self._leaves(library, x, y, True)

    def backward(self, x: Any, y: Any) -> float:
        """Set `x.grad` and `y.grad`; the loss."""
        if self.library is not None:
            loss = self.function(x, y)
            loss.backward()
            return _number(loss)
        library: Any = importlib.import_module("nbtorch")
        at = (float(x.item()), float(y.item()))
        slopes = self._differences(*at)
        x.grad, y.grad = (library.tensor(slope, dtype=library.float64) for slope in slopes)
        return _number(self.function(*at))

    def grid(self, xs: Floats, ys: Floats) -> Floats | None:
        """f at all points at once [len(ys), len(xs)], where the function can take arrays; else None."""
        across, up = np.meshgrid(xs, ys)
        try:
            with np.errstate(all="ignore"):
                if self.library is None:
                    found = self.function(across, up)
                else:
                    with self.library.no_grad():
                        found = self.function(self.library.from_numpy(across), self.library.from_numpy(up))
                        found = found.numpy()
            values = np.array(found, np.float64)
            if values.shape != across.shape:
                return None
            # A function may mean something else with arrays (a mean over them): a few single values decide.
            corners = [(0, 0), (len(ys) // 2, len(xs) // 3), (len(ys) - 1, len(xs) - 1)]
            single = [self.value(float(xs[j]), float(ys[i])) for i, j in corners]
            same = np.allclose([values[at] for at in corners], single, rtol=1e-6, atol=1e-12, equal_nan=True)
        except Exception:  # whatever it does with arrays, single numbers remain
            return None
        return values if same else None

    @staticmethod
    def _leaves(library: Any, x: float, y: float, grad: bool) -> tuple[Any, Any]:
        make = library.tensor
        return tuple(make(at, dtype=library.float64, requires_grad=grad) for at in (x, y))

    def _agrees(self, library: Any) -> bool:
        """Whether the library's derivative is the measured one, at a few points."""
        (x0, x1), (y0, y1) = self.problem.x, self.problem.y
        try:
            for u, v in _PROBES:
                at = (x0 + u * (x1 - x0), y0 + v * (y1 - y0))
                x, y = self._leaves(library, *at, True)
                with np.errstate(all="ignore"), warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # about leaving the graph, which is what is looked for
                    loss = self.function(x, y)
                    loss.backward()
                found = [0.0 if leaf.grad is None else float(leaf.grad.item()) for leaf in (x, y)]
                self.library = library
                measured = self._differences(*at)
                self.library = None
                scale = 1.0 + max(abs(m) for m in measured)
                if not all(abs(a - b) < 1e-3 * scale for a, b in zip(found, measured, strict=True) if math.isfinite(b)):
                    return False
        except Exception:  # not written for this library
            self.library = None
            return False
        return True

    def _differences(self, x: float, y: float) -> tuple[float, float]:
        """Central differences."""
        h, k = (1e-5 * max(1.0, abs(at)) for at in (x, y))
        value = self.value
        return (value(x + h, y) - value(x - h, y)) / (2 * h), (value(x, y + k) - value(x, y - k)) / (2 * k)


def _number(value: Any) -> float:
    """A scalar of any library as a float."""
    try:
        return float(value.item()) if hasattr(value, "item") else float(value)
    except OverflowError:
        return math.inf
    except (TypeError, ValueError, RuntimeError) as error:
        raise TypeError(f"Landscape expected f(x, y) to return one number; got {type(value).__name__}") from error
