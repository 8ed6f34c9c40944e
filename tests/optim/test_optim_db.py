"""Every optimiser of PyTorch's database, in every configuration: the same trajectories, state, saving and errors."""

from __future__ import annotations

import copy
import math
from typing import Any

import helpers
import numpy as np
import pytest
from sides import nbtorch_side, torch_side

torch = helpers.import_torch()
from conformance import optimizer_report, optimizers  # noqa: E402


@pytest.mark.parametrize("info", optimizers.optim_db, ids=optimizers.name_of)
def test_as_the_page_says(info: Any) -> None:
    """Trajectories, state, files that cross over and refusals: the counts of docs/optimizers.md, made again."""
    score = optimizers.run(info)
    assert optimizers.row(info, score) == optimizer_report.rows()[optimizers.name_of(info)], "\n".join(score.failures)


def schedules() -> dict[str, Any]:
    """Schedules by name; each a function of the library's module of schedulers and an optimiser."""
    return {
        "LambdaLR": lambda s, o: s.LambdaLR(o, lambda e: 0.9**e),
        "MultiplicativeLR": lambda s, o: s.MultiplicativeLR(o, [lambda e: 0.95, lambda e: 1 - 0.01 * e]),
        "StepLR": lambda s, o: s.StepLR(o, 4, 0.5),
        "MultiStepLR": lambda s, o: s.MultiStepLR(o, [3, 3, 11], 0.3),
        "ConstantLR": lambda s, o: s.ConstantLR(o, 0.4, 6),
        "LinearLR": lambda s, o: s.LinearLR(o, 0.2, 0.8, 9),
        "ExponentialLR": lambda s, o: s.ExponentialLR(o, 0.93),
        "PolynomialLR": lambda s, o: s.PolynomialLR(o, 12, 2.0),
        "CosineAnnealingLR": lambda s, o: s.CosineAnnealingLR(o, 7, 0.01),
        "CosineAnnealingWarmRestarts": lambda s, o: s.CosineAnnealingWarmRestarts(o, 3, 2, 0.01),
        "CyclicLR": lambda s, o: s.CyclicLR(o, 0.01, 0.2, 3, 5, mode="triangular2"),
        "CyclicLR exp": lambda s, o: s.CyclicLR(o, [0.01, 0.02], [0.2, 0.3], 4, mode="exp_range", gamma=0.98),
        "OneCycleLR": lambda s, o: s.OneCycleLR(o, 0.3, total_steps=60),
        "OneCycleLR three": lambda s, o: s.OneCycleLR(
            o, [0.3, 0.2], epochs=12, steps_per_epoch=5, three_phase=True, anneal_strategy="linear"
        ),
        "SequentialLR": lambda s, o: s.SequentialLR(
            o, [s.LinearLR(o, 0.1, 1.0, 5), s.CosineAnnealingLR(o, 10), s.ExponentialLR(o, 0.8)], [5, 15]
        ),
        "SequentialLR of a chain": lambda s, o: s.SequentialLR(
            o, [s.ChainedScheduler([s.ConstantLR(o, 0.1, 7), s.ExponentialLR(o, 0.9)]), s.StepLR(o, 5, 0.7)], [12]
        ),
        "SequentialLR of restarts": lambda s, o: s.SequentialLR(
            o, [s.LinearLR(o, 0.1, 1.0, 5), s.CosineAnnealingWarmRestarts(o, 5)], [5]
        ),
        "OneCycleLR alone": lambda s, o: s.OneCycleLR(o, 0.3, 70, cycle_momentum=False, final_div_factor=100.0),
        "CyclicLR by a function": lambda s, o: s.CyclicLR(
            o, 0.01, 0.2, 5, scale_fn=lambda x: 0.99**x, scale_mode="iterations"
        ),
        "ChainedScheduler": lambda s, o: s.ChainedScheduler([s.ConstantLR(o, 0.5, 4), s.ExponentialLR(o, 0.9)]),
    }


def optimizer_of(lib: Any, name: str = "SGD") -> Any:
    groups = [{"params": [lib.arange(2).requires_grad_()], "lr": 0.1}, {"params": [lib.arange(3).requires_grad_()]}]
    kwargs = {"momentum": 0.9} if name == "SGD" else {}
    return getattr(lib.optim, name)(groups, lr=0.25, **kwargs)


def rates(lib: Any, make: Any, name: str, steps: int = 60) -> list[Any]:
    optimizer = optimizer_of(lib, name)
    scheduler = make(lib.optim.lr_scheduler, optimizer)
    found = []
    for _ in range(steps):
        momenta = [g.get("momentum", g.get("betas", (0,))[0]) for g in optimizer.param_groups]
        found.append([g["lr"] for g in optimizer.param_groups] + list(scheduler.get_last_lr()) + momenta)
        optimizer.step()
        scheduler.step()
    return found


@pytest.mark.parametrize("optimizer", ["SGD", "Adam"])
@pytest.mark.parametrize("schedule", schedules())
def test_learning_rates(schedule: str, optimizer: str) -> None:
    make = schedules()[schedule]
    ours, theirs = rates(nbtorch_side(), make, optimizer), rates(torch_side(), make, optimizer)
    for a, e in zip(ours, theirs, strict=True):
        assert all(math.isclose(x, y, rel_tol=1e-12, abs_tol=1e-15) for x, y in zip(a, e, strict=True)), (a, e)


@pytest.mark.parametrize("schedule", schedules())
def test_schedules_go_on_from_their_state(schedule: str) -> None:
    make, lib = schedules()[schedule], nbtorch_side()
    optimizer = optimizer_of(lib)
    scheduler = make(lib.optim.lr_scheduler, optimizer)
    theirs = make(torch.optim.lr_scheduler, optimizer_of(torch_side()))
    for _ in range(9):
        optimizer.step()
        scheduler.step()
    state, options = copy.deepcopy(scheduler.state_dict()), copy.deepcopy(optimizer.state_dict())
    assert set(theirs.state_dict()) <= set(state) | {"verbose", "_get_lr_called_within_step", "_is_initial"}

    def following(scheduler: Any, optimizer: Any) -> list[Any]:
        found = []
        for _ in range(9):
            optimizer.step()
            scheduler.step()
            found.append([g["lr"] for g in optimizer.param_groups])
        return found

    expected = following(scheduler, optimizer)
    other = optimizer_of(lib)
    again = make(lib.optim.lr_scheduler, other)
    other.load_state_dict(options)
    again.load_state_dict(state)
    assert following(again, other) == expected


@pytest.mark.parametrize("schedule", schedules())
def test_schedules_go_on_from_pytorchs_state_and_back(schedule: str) -> None:
    make, found = schedules()[schedule], []
    for first, second in ((torch_side(), nbtorch_side()), (nbtorch_side(), torch_side()), (torch_side(), torch_side())):
        optimizer = optimizer_of(first)
        scheduler = make(first.optim.lr_scheduler, optimizer)
        for _ in range(9):
            optimizer.step()
            scheduler.step()
        other = optimizer_of(second)
        again = make(second.optim.lr_scheduler, other)
        other.load_state_dict(copy.deepcopy(optimizer.state_dict()))
        again.load_state_dict(copy.deepcopy(scheduler.state_dict()))
        for _ in range(12):
            other.step()
            again.step()
            found.append([g["lr"] for g in other.param_groups])
    a, b, expected = found[:12], found[12:24], found[24:]
    for ours in (a, b):
        for x, y in zip(ours, expected, strict=True):
            assert all(math.isclose(p, q, rel_tol=1e-12, abs_tol=1e-15) for p, q in zip(x, y, strict=True)), (x, y)


RESUMED: dict[str, Any] = {
    "StepLR": lambda s, o, e: s.StepLR(o, 3, last_epoch=e),
    "ExponentialLR": lambda s, o, e: s.ExponentialLR(o, 0.9, last_epoch=e),
    "LinearLR": lambda s, o, e: s.LinearLR(o, 0.1, 1.0, 9, last_epoch=e),
    "ConstantLR": lambda s, o, e: s.ConstantLR(o, 0.3, 9, last_epoch=e),
    "PolynomialLR": lambda s, o, e: s.PolynomialLR(o, 20, last_epoch=e),
    "CosineAnnealingLR": lambda s, o, e: s.CosineAnnealingLR(o, 20, last_epoch=e),
    "OneCycleLR": lambda s, o, e: s.OneCycleLR(o, 0.3, 40, last_epoch=e),
    "CyclicLR": lambda s, o, e: s.CyclicLR(o, 0.1, 0.3, 5, last_epoch=e),
}


@pytest.mark.parametrize("schedule", RESUMED)
@pytest.mark.parametrize("number", ["float", "tensor"])
def test_schedules_go_on_from_an_epoch(schedule: str, number: str) -> None:
    def run(lib: Any) -> list[Any]:
        make, schedulers, optimizer = RESUMED[schedule], lib.optim.lr_scheduler, optimizer_of(lib)
        if number == "tensor":
            for group in optimizer.param_groups:
                group["lr"] = lib.library.tensor(group["lr"], dtype=lib.float64)
        scheduler, found = make(schedulers, optimizer, -1), []
        for k in range(14):
            if k == 7:
                scheduler = make(schedulers, optimizer, scheduler.last_epoch)
            optimizer.step()
            scheduler.step()
            found += [float(g["lr"]) for g in optimizer.param_groups]
        return found

    np.testing.assert_allclose(run(nbtorch_side()), run(torch_side()), rtol=1e-12)


@pytest.mark.parametrize("kwargs", [{}, {"mode": "max", "patience": 1}, {"threshold_mode": "abs", "cooldown": 2}])
def test_plateau(kwargs: dict[str, Any]) -> None:
    def run(lib: Any) -> Any:
        optimizer = optimizer_of(lib)
        scheduler = lib.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.5, **{"patience": 2, **kwargs})
        found = []
        for k in range(30):
            scheduler.step(1 / (1 + min(k, 6)) + 0.3 * (k > 15))
            found.append([*scheduler.get_last_lr(), scheduler.num_bad_epochs, scheduler.best])
        return found

    assert run(nbtorch_side()) == run(torch_side())


WRONG_SCHEDULES: dict[str, Any] = {
    "no optimizer": lambda s, o: s.StepLR(o.param_groups, 2),
    "lambdas": lambda s, o: s.LambdaLR(o, [lambda e: 1.0]),
    "constant": lambda s, o: s.ConstantLR(o, 2.0),
    "linear start": lambda s, o: s.LinearLR(o, 0.0),
    "linear end": lambda s, o: s.LinearLR(o, 0.5, 1.5),
    "factor": lambda s, o: s.ReduceLROnPlateau(o, factor=1.0),
    "mode": lambda s, o: s.ReduceLROnPlateau(o, mode="least"),
    "cycle mode": lambda s, o: s.CyclicLR(o, 0.1, 0.2, mode="square"),
    "total": lambda s, o: s.OneCycleLR(o, 0.1),
    "pct": lambda s, o: s.OneCycleLR(o, 0.1, 10, pct_start=1.5),
    "T_0": lambda s, o: s.CosineAnnealingWarmRestarts(o, 0),
    "milestones": lambda s, o: s.SequentialLR(o, [s.StepLR(o, 2)], [3]),
    "resume": lambda s, o: s.StepLR(o, 2, last_epoch=3),
    "chained": lambda s, o: s.ChainedScheduler([]),
    "too many steps": lambda s, o: [x.step() for x in [s.OneCycleLR(o, 0.1, 3)] * 5],
}


@pytest.mark.parametrize("wrong", WRONG_SCHEDULES)
@pytest.mark.filterwarnings("ignore")
def test_refused_schedules(wrong: str) -> None:
    make, ours, theirs = WRONG_SCHEDULES[wrong], nbtorch_side(), torch_side()
    with pytest.raises(Exception) as expected:
        make(theirs.optim.lr_scheduler, optimizer_of(theirs))
    with pytest.raises(expected.type):
        make(ours.optim.lr_scheduler, optimizer_of(ours))


def test_order_of_calls_is_warned_of() -> None:
    lib = nbtorch_side()
    optimizer = optimizer_of(lib)
    scheduler = lib.optim.lr_scheduler.StepLR(optimizer, 2)
    with pytest.warns(UserWarning, match=r"before `optimizer.step\(\)`"):
        scheduler.step()
