"""PyTorch's database of optimisers, ``torch.testing._internal.common_optimizers.optim_db``, run on both libraries."""

from __future__ import annotations

import functools
import io
import math
import warnings
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from helpers import import_torch, same, to_numpy
from sides import nbtorch_side, torch_side

torch = import_torch()
from torch.testing._internal.common_optimizers import optim_db  # noqa: E402

STEPS = 50
BOTH = 20  # before and after a file together
COLUMNS = ("float64", "float32", "state", "saved", "refused")
# The last parameter never gets a gradient.
SHAPES: tuple[tuple[int, ...], ...] = ((3, 4), (5,), (), (0, 3), (2, 3, 3, 2), (1,), (2, 2))
MATRICES: tuple[tuple[int, ...], ...] = ((3, 4), (4, 3), (5, 5), (1, 6), (2, 2))
# Muon's iteration in bfloat16 rounds each product as the BLAS in use adds it up; LBFGS takes up to twenty steps in one,
# and its line search compares.
TOLERANCE = {"Muon": {"float64": 5e-2, "float32": 5e-2}, "LBFGS": {"float32": 2e-4}}
DEFAULT_TOLERANCE = {"float64": 1e-9, "float32": 2e-5}


@dataclass
class Score:
    """How often nbtorch agreed, and was asked, by column; and where it did not."""

    configurations: int = 0
    passed: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COLUMNS, 0))
    tried: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COLUMNS, 0))
    failures: list[str] = field(default_factory=list)

    def note(self, column: str, what: str, check: Any) -> None:
        """Counts one check: a function that raises AssertionError, or whatever the library raises."""
        self.tried[column] += 1
        try:
            check()
        except Exception as error:
            self.failures.append(f"{column}, {what}: {type(error).__name__}: {str(error)[:300]}")
        else:
            self.passed[column] += 1

    def text(self, column: str) -> str:
        """``agreed/tried``, or a dash where nothing was asked."""
        return f"{self.passed[column]}/{self.tried[column]}" if self.tried[column] else "–"


def name_of(info: Any) -> str:
    """The optimiser's name."""
    return str(info.optim_cls.__name__)


def options(lib: Any, given: Any) -> Any:
    """Options of the database for one of the libraries: a tensor becomes a number's tensor on the host."""
    if isinstance(given, torch.Tensor):
        return lib.library.tensor(given.tolist())
    if isinstance(given, dict):
        return {key: options(lib, value) for key, value in given.items()}
    return tuple(options(lib, value) for value in given) if isinstance(given, tuple) else given


class Training:
    """Parameters of several shapes and an optimiser, of one library; gradients depend on the parameters."""

    def __init__(self, lib: Any, name: str, kwargs: dict[str, Any], dtype: str = "float64") -> None:
        self.lib, self.name, self.dtype = lib, name, dtype
        rng = np.random.default_rng(0)
        shapes = MATRICES if name == "Muon" else SHAPES
        if name == "Adafactor":  # PyTorch divides by the number of elements
            shapes = tuple(shape for shape in shapes if 0 not in shape)
        self.targets = [self.make(rng.standard_normal(shape)) for shape in shapes]
        self.params = [self.make(rng.standard_normal(shape)).requires_grad_() for shape in shapes]
        groups: list[Any] = self.params
        if name != "LBFGS":
            groups = [{"params": self.params[:2]}, {"params": self.params[2:], "lr": 0.003}]
        self.optimizer = getattr(lib.optim, name)(groups, **options(lib, kwargs))
        self.taken = 0

    def make(self, array: Any) -> Any:
        return self.lib.make(np.asarray(array, dtype=self.dtype))

    def go(self, steps: int) -> Training:
        for _ in range(steps):
            if self.name == "LBFGS":
                self.optimizer.step(self.closure)
            else:
                self.gradients()
                self.optimizer.step()
            self.taken += 1
        return self

    def gradients(self) -> None:
        for place, (p, target) in enumerate(zip(self.params[:-1], self.targets, strict=False)):
            # At one step one of them has none: it stays as it is, and so does its count of steps.
            lacking = (self.taken, place) == (3, 1)
            p.grad = None if lacking else (p.detach() - target).mul_(1 + 0.8 * math.cos(self.taken + place))

    def closure(self) -> Any:
        self.optimizer.zero_grad()
        loss = sum(((p - t) ** 2).sum() for p, t in zip(self.params[:-1], self.targets, strict=False))
        for place, p in enumerate(self.params[:-1]):
            loss = loss + 0.1 * place * (p**4).sum()
        loss.backward()
        return loss

    def numbers(self) -> list[Any]:
        return [to_numpy(p) for p in self.params]


def steps_of(name: str, steps: int) -> int:
    """One step of LBFGS is up to twenty."""
    return min(steps // 10 + 1, 3) if name == "LBFGS" else steps


def compare_states(ours: Any, theirs: Any, tolerance: float) -> None:
    """Asserts that two state dicts have the same entries, of the same kinds, with the same numbers."""
    if isinstance(theirs, dict):
        # Memory that PyTorch's LBFGS reuses inside of a step.
        assert [k for k in theirs if k != "al"] == list(ours), (list(ours), list(theirs))
        for key in ours:
            compare_states(ours[key], theirs[key], tolerance)
    elif isinstance(theirs, (list, tuple)):
        assert len(ours) == len(theirs)
        for a, e in zip(ours, theirs, strict=True):
            compare_states(a, e, tolerance)
    elif isinstance(theirs, (torch.Tensor, float)):
        same(ours, theirs, tolerance, tolerance)
    else:
        assert ours == theirs, (ours, theirs)


def through_a_file(state: Any, save: Any, load: Any) -> Any:
    file = io.BytesIO()
    save(state, file)
    file.seek(0)
    return load(file)


def goes_on(first: Any, second: Any, name: str, kwargs: dict[str, Any], expected: list[Any], tolerance: float) -> None:
    """Ten steps in one library, saved to a file, and ten more in the other: as twenty in PyTorch."""
    half = steps_of(name, BOTH) // 2
    before = Training(first, name, kwargs).go(half)
    state = {"optimizer": before.optimizer.state_dict(), "params": [p.detach().cpu() for p in before.params]}
    state = through_a_file(state, first.save, second.load)
    after = Training(second, name, {})
    with after.lib.no_grad():
        for p, saved in zip(after.params, state["params"], strict=True):
            p.copy_(saved)
    after.optimizer.load_state_dict(state["optimizer"])
    after.taken = half
    same(after.go(steps_of(name, BOTH) - half).numbers(), expected, tolerance, tolerance)


def refuses(info: Any, wrong: Any) -> None:
    """Asserts that what PyTorch's database says is wrong is refused in PyTorch's class of exception."""
    lib, given, made = nbtorch_side(), wrong.optimizer_error_input, {}

    def ours(x: Any) -> Any:
        if isinstance(x, torch.Tensor):
            if id(x) not in made:  # the same tensor twice stays the same
                made[id(x)] = lib.make(to_numpy(x)).requires_grad_(x.requires_grad)
            return made[id(x)]
        if isinstance(x, dict):
            return {key: ours(value) for key, value in x.items()}
        return type(x)(ours(value) for value in x) if isinstance(x, (list, tuple)) else x

    params = [lib.arange(2, 2)] if given.params is None else ours(given.params)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # a group with a parameter twice is warned of
            optimizer = getattr(lib.optim, name_of(info))(params, **options(lib, given.kwargs))
            optimizer.step()
    except wrong.error_type:
        return
    raise AssertionError(f"accepted: {given.kwargs}")


def run(info: Any) -> Score:
    """All configurations of one optimiser, and all wrong ones."""
    score, name = Score(), name_of(info)
    ours, theirs = nbtorch_side(), torch_side()
    tolerance = {**DEFAULT_TOLERANCE, **TOLERANCE.get(name, {})}
    for given in info.optim_inputs_func("cpu"):
        kwargs = {k: v for k, v in given.kwargs.items() if k != "capturable"}  # PyTorch allows it on a GPU only
        score.configurations += 1
        if name == "SparseAdam":
            continue  # no gradients are sparse
        for dtype in ("float64", "float32"):
            expected = Training(theirs, name, kwargs, dtype).go(steps_of(name, BOTH))
            numbers = expected.numbers()
            expected.go(steps_of(name, STEPS) - expected.taken)

            def check(dtype: str = dtype, expected: Any = expected, kwargs: Any = kwargs) -> None:
                actual = Training(ours, name, kwargs, dtype).go(steps_of(name, STEPS))
                same(actual.numbers(), expected.numbers(), tolerance[dtype], tolerance[dtype])
                if dtype == "float64":
                    states = actual.optimizer.state_dict(), expected.optimizer.state_dict()
                    score.note("state", str(kwargs), lambda: compare_states(*states, max(tolerance[dtype], 1e-6)))

            score.note(dtype, str(kwargs), check)
            if dtype == "float64":
                loose = max(tolerance[dtype], 1e-6)  # counters in the state are float32
                for way in ((theirs, ours), (ours, theirs), (ours, ours)):
                    given_on = functools.partial(goes_on, *way, name, kwargs, numbers, loose)
                    score.note("saved", str(kwargs), given_on)
    for wrong in info.optim_error_inputs_func("cpu", torch.float32):
        if "dense parameter" in wrong.error_regex or "complex" in wrong.error_regex:
            continue  # nbtorch has no such tensors
        score.note("refused", str(wrong.optimizer_error_input.kwargs), functools.partial(refuses, info, wrong))
    return score


def row(info: Any, score: Score) -> str:
    """The page's line of one optimiser."""
    counts = " | ".join(score.text(column) for column in COLUMNS)
    return f"| `{name_of(info)}` | {score.configurations} | {counts} |"


__all__ = ["COLUMNS", "Score", "Training", "name_of", "optim_db", "row", "run"]
