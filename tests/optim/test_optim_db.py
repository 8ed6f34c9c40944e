"""Every optimiser of PyTorch's database, in every configuration: the same trajectories, state, saving and errors."""

from __future__ import annotations

import copy
import math
import warnings
from typing import Any

import helpers
import pytest
from sides import nbtorch_side, set_weights, torch_side

torch = helpers.import_torch()
from torch.testing._internal.common_optimizers import optim_db  # noqa: E402

STEPS = 50
# The iteration in bfloat16 rounds each product as the BLAS in use adds it up.
TOLERANCE = {"Muon": {"rtol": 5e-2, "atol": 2e-2}}


def configurations() -> list[Any]:
    found = []
    for info in optim_db:
        for k, given in enumerate(info.optim_inputs_func("cpu")):
            found.append(pytest.param(info.optim_cls.__name__, given.kwargs, id=f"{info.optim_cls.__name__}-{k}"))
    return found


def translated(lib: Any, kwargs: dict[str, Any]) -> dict[str, Any]:
    def ours(x: Any) -> Any:
        if isinstance(x, tuple):
            return tuple(map(ours, x))
        return lib.library.tensor(x.tolist()) if isinstance(x, torch.Tensor) else x

    return {name: ours(value) for name, value in kwargs.items()}


def model(lib: Any, name: str) -> Any:
    nn = lib.nn
    made = nn.Sequential(nn.Linear(3, 5, bias=name != "Muon"), nn.Tanh(), nn.Linear(5, 2, bias=name != "Muon"))
    # In float64, so that what differs is the rule and not the rounding.
    return set_weights(made.to(lib.device).double())


def train(lib: Any, m: Any, optimizer: Any, steps: int, start: int = 0) -> list[float]:
    losses = []
    for k in range(start, start + steps):
        x = lib.arange(6, 3).double() + 0.1 * (k % 7)

        def closure(x: Any = x) -> Any:
            optimizer.zero_grad()
            loss = ((m(x) - 1) ** 2).mean()
            loss.backward()
            return loss

        losses.append(float(optimizer.step(closure)))
    return losses


def run(lib: Any, name: str, kwargs: dict[str, Any]) -> Any:
    m = model(lib, name)
    optimizer = getattr(lib.optim, name)(m.parameters(), **translated(lib, kwargs))
    # Each step of LBFGS is up to twenty, and rounding grows with each.
    return train(lib, m, optimizer, 3 if name == "LBFGS" else STEPS), list(m.parameters()), optimizer


@pytest.mark.parametrize(("name", "kwargs"), configurations())
def test_trajectory_and_state(name: str, kwargs: dict[str, Any]) -> None:
    if name == "SparseAdam":
        with pytest.raises(RuntimeError, match="does not support dense gradients"):
            run(nbtorch_side(), name, kwargs)
        return
    if kwargs.get("capturable") or any(isinstance(v, torch.Tensor) for v in kwargs.values()):
        kwargs = {k: v for k, v in kwargs.items() if k != "capturable"}  # PyTorch allows it on a GPU only
    losses, parameters, optimizer = run(nbtorch_side(), name, kwargs)
    expected_losses, expected_parameters, expected = run(torch_side(), name, kwargs)
    tolerance = TOLERANCE.get(name, {"rtol": 1e-4, "atol": 1e-5})
    helpers.same(losses, expected_losses, **tolerance)
    helpers.same([p.detach() for p in parameters], [p.detach() for p in expected_parameters], **tolerance)
    ours, theirs = optimizer.state_dict(), expected.state_dict()
    assert ours["param_groups"] == theirs["param_groups"] or any(
        isinstance(v, torch.Tensor) for group in theirs["param_groups"] for v in group.values()
    )
    assert set(ours["state"]) == set(theirs["state"])
    if name == "LBFGS":
        assert ours["state"][0]["n_iter"] == theirs["state"][0]["n_iter"]
        return
    for key, state in theirs["state"].items():
        assert set(ours["state"][key]) == set(state)
        for entry, value in state.items():
            if value is None:
                assert ours["state"][key][entry] is None
            else:
                helpers.same(ours["state"][key][entry], value, rtol=1e-3, atol=tolerance["atol"])


@pytest.mark.parametrize(("name", "kwargs"), configurations())
def test_saving_and_going_on(name: str, kwargs: dict[str, Any]) -> None:
    """Twenty steps at once, and ten, saved into another optimiser, and ten more: the same."""
    if name == "SparseAdam":
        pytest.skip("no gradients are sparse here")
    lib = nbtorch_side()
    m = model(lib, name)
    optimizer = getattr(lib.optim, name)(m.parameters(), **translated(lib, kwargs))
    train(lib, m, optimizer, 10)
    state, weights = copy.deepcopy(optimizer.state_dict()), copy.deepcopy(m.state_dict())
    expected = train(lib, m, optimizer, 10, start=10)

    again = model(lib, name)
    again.load_state_dict(weights)
    other = getattr(lib.optim, name)(again.parameters(), **translated(lib, kwargs))
    other.load_state_dict(state)
    # Scalars of the state take the dtype of the parameters when loaded, as in PyTorch.
    helpers.same(train(lib, again, other, 10, start=10), expected, rtol=1e-6)


@pytest.mark.parametrize("info", optim_db, ids=lambda info: info.optim_cls.__name__)
def test_refused_options(info: Any) -> None:
    lib = nbtorch_side()
    for wrong in info.optim_error_inputs_func("cpu", torch.float32):
        given = wrong.optimizer_error_input
        if "dense parameter" in wrong.error_regex or "complex" in wrong.error_regex:
            continue  # nbtorch has no such tensors
        made: dict[int, Any] = {}

        def ours(x: Any, made: dict[int, Any] = made) -> Any:
            if isinstance(x, torch.Tensor):
                if id(x) not in made:  # the same tensor twice stays the same
                    made[id(x)] = lib.make(helpers.to_numpy(x.detach())).requires_grad_(x.requires_grad)
                return made[id(x)]
            if isinstance(x, dict):
                return {k: ours(v) for k, v in x.items()}
            return type(x)(ours(v) for v in x) if isinstance(x, (list, tuple)) else x

        if wrong.error_on.name == "CONSTRUCTION_ERROR":
            params = ours(given.params) if given.params is not None else [lib.arange(2, 2)]
            with pytest.raises(wrong.error_type), warnings.catch_warnings():
                warnings.simplefilter("error")
                getattr(lib.optim, info.optim_cls.__name__)(params, **translated(lib, given.kwargs))


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
        "OneCycleLR": lambda s, o: s.OneCycleLR(o, 0.3, total_steps=30),
        "OneCycleLR three": lambda s, o: s.OneCycleLR(
            o, [0.3, 0.2], epochs=6, steps_per_epoch=5, three_phase=True, anneal_strategy="linear"
        ),
        "SequentialLR": lambda s, o: s.SequentialLR(
            o, [s.LinearLR(o, 0.1, 1.0, 5), s.CosineAnnealingLR(o, 10), s.ExponentialLR(o, 0.8)], [5, 15]
        ),
        "ChainedScheduler": lambda s, o: s.ChainedScheduler([s.ConstantLR(o, 0.5, 4), s.ExponentialLR(o, 0.9)]),
    }


def optimizer_of(lib: Any, name: str = "SGD") -> Any:
    groups = [{"params": [lib.arange(2).requires_grad_()], "lr": 0.1}, {"params": [lib.arange(3).requires_grad_()]}]
    kwargs = {"momentum": 0.9} if name == "SGD" else {}
    return getattr(lib.optim, name)(groups, lr=0.25, **kwargs)


def rates(lib: Any, make: Any, name: str, steps: int = 28) -> list[Any]:
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
