"""How many Python functions and C functions a warm step calls: the overhead of the parts, which can't creep unseen.

A count doesn't depend on the machine. The numbers stand a little above what is called today; where a change needs more
calls, either find a shorter way or raise the number knowingly. Ufuncs and operators on arrays are not counted: those
are the work. Counts of the operations themselves are in ``test_overhead.py``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from helpers import calls, device_name

import nbtorch
from nbtorch import nn

pytestmark = pytest.mark.skipif(device_name() != "cpu", reason="the stand-in for a device is made of Python calls")


def parameters(count: int, size: int = 5) -> list[Any]:
    made = [nn.Parameter(nbtorch.ones(size)) for _ in range(count)]
    for p in made:
        p.grad = nbtorch.ones(size)
    return made


# By optimiser: calls of a step with two parameters, and at most how many more for each further parameter.
STEPS: dict[str, tuple[int, float]] = {
    "SGD": (36, 1),
    "Adam": (74, 0.1),
    "AdamW": (75, 0.1),
    "RMSprop": (64, 0.1),
    "Adagrad": (62, 0.1),
    "Adadelta": (66, 0.1),
    "Adamax": (71, 0.1),
    "NAdam": (77, 0.1),
    "RAdam": (74, 0.1),
    "ASGD": (67, 0.1),
    "Rprop": (86, 0.1),
}


@pytest.mark.parametrize("name", STEPS)
def test_step(name: str) -> None:
    most, more = STEPS[name]
    two, fifty = (calls(getattr(nbtorch.optim, name)(parameters(n), lr=1e-3).step) for n in (2, 50))
    assert two <= most, f"{name}: {two} calls for two parameters"
    assert fifty - two <= more * 48, f"{name}: {two} calls for two parameters, {fifty} for fifty"


def test_step_with_momentum() -> None:
    two, fifty = (calls(nbtorch.optim.SGD(parameters(n), lr=1e-3, momentum=0.9).step) for n in (2, 50))
    assert two <= 58
    assert fifty - two <= 24


def test_step_of_large_parameters() -> None:
    """Each takes its step by itself."""
    one, five = (calls(nbtorch.optim.Adam(parameters(n, 20_000), lr=1e-3).step) for n in (1, 5))
    assert one <= 60
    assert five - one <= 4 * 32


def test_gradients_are_cleared() -> None:
    params = parameters(50)
    assert calls(nbtorch.optim.SGD(params, lr=1e-3).zero_grad) <= 3 + 50

    def to_zeros() -> None:
        nbtorch.optim.SGD.zero_grad(optimizer, set_to_none=False)

    params = parameters(50)
    optimizer = nbtorch.optim.SGD(params, lr=1e-3)
    assert calls(to_zeros) <= 12 + 3 * 50


def test_gradients_are_clipped() -> None:
    params = parameters(50)
    assert calls(lambda: nn.utils.clip_grad_norm_(params, 1.0)) <= 120 + 6 * 50
    assert calls(lambda: nn.utils.clip_grad_value_(params, 1.0)) <= 30 + 9 * 50


def test_schedule() -> None:
    optimizer = nbtorch.optim.SGD(parameters(2), lr=1e-3)
    scheduler = nbtorch.optim.lr_scheduler.StepLR(optimizer, 10)
    optimizer.step()
    assert calls(scheduler.step) <= 14


class Empty(nn.Module):
    def forward(self, x: Any) -> Any:
        return x


def test_a_module_is_called() -> None:
    x, empty = nbtorch.ones(3), Empty()
    assert calls(lambda: empty(x)) == 2  # __call__ and forward
    eight = nn.Sequential(*[Empty() for _ in range(8)])
    assert calls(lambda: eight(x)) <= 3 + 2 * 8


def test_what_a_layer_adds_to_its_operation() -> None:
    x, y = nbtorch.ones(4, 3), nbtorch.ones(4, 2)
    linear, relu, criterion = nn.Linear(3, 2), nn.ReLU(), nn.MSELoss()
    out = linear(x)
    functional = nbtorch.nn.functional
    assert calls(lambda: linear(x)) - calls(lambda: functional.linear(x, linear.weight, linear.bias)) <= 2
    assert calls(lambda: relu(x)) - calls(lambda: nbtorch.relu(x)) <= 3
    assert calls(lambda: criterion(out, y)) - calls(lambda: functional.mse_loss(out, y)) <= 5


def test_a_model_is_walked() -> None:
    model = nn.Sequential(*[nn.Linear(2, 2) for _ in range(20)])
    assert calls(lambda: list(model.parameters())) <= 8 + 14 * 20
    assert calls(lambda: model.train()) <= 8 + 8 * 20
    for p in model.parameters():
        p.grad = nbtorch.ones(p.shape)
    assert calls(model.zero_grad) <= 8 + 17 * 20


def test_steps_make_no_garbage() -> None:
    """With the collector off nothing piles up: a step leaves no cycles."""
    import gc

    params = parameters(6)
    optimizer = nbtorch.optim.Adam(params)
    for _ in range(4):
        optimizer.step()
    gc.collect()
    gc.disable()
    try:
        for _ in range(20):
            optimizer.step()
        assert gc.collect() == 0
    finally:
        gc.enable()
    assert np.isfinite(params[0].detach().numpy()).all()
