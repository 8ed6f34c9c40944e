"""What can't be replayed is noticed: the step runs as it is, its results are its own, and one warning says why."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nbtorch as torch
from nbtorch import nn

sys.path.insert(0, str(Path(__file__).parent))

from steps import F, bits, floats, state

STEPS: dict[str, tuple[str, Callable[[Any], Any]]] = {}


class Parts:
    """A small module, its optimizer, data, and what a step may keep."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        self.module = nn.Linear(3, 2)
        self.optimizer = torch.optim.SGD(self.module.parameters(), lr=0.1)
        self.x, self.y = floats(4, 3), floats(4, 2, seed=1)
        self.kept: list[Any] = []
        self.numbers = np.random.default_rng(0)

    def loss(self) -> Any:
        """The loss, its gradients not yet computed."""
        self.optimizer.zero_grad()
        return F.mse_loss(self.module(self.x), self.y)

    def go(self, loss: Any) -> Any:
        """Gradients and a step; the loss."""
        loss.backward()
        self.optimizer.step()
        return loss


def falls_back(why: str) -> Callable[[Callable[[Any], Any]], Callable[[Any], Any]]:
    def note(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
        STEPS[function.__name__] = (why, function)
        return function

    return note


_USED = "a number read from a tensor is used before the step ends"
_ASKED = "the program asks for the numbers of a tensor"


@falls_back(_USED)
def branch_on_item(p: Any) -> Any:
    loss = p.loss()
    return p.go(loss * 2 if loss.item() > 1 else loss)


@falls_back(_USED)
def branch_on_float(p: Any) -> Any:
    loss = p.loss()
    return p.go(loss * 2 if float(loss) > 1 else loss)


@falls_back(_USED)
def rounded(p: Any) -> Any:
    return round(p.go(p.loss()).item(), 3)


@falls_back(_USED)
def text(p: Any) -> Any:
    return f"{p.go(p.loss()).item():.3f}"


@falls_back(_ASKED)
def branch_on_tensor(p: Any) -> Any:
    loss = p.loss()
    return p.go(loss * 2 if loss > 1 else loss)


@falls_back(_ASKED)
def search_for_nan(p: Any) -> Any:
    loss = p.loss()
    return p.go(loss * 2 if torch.isnan(loss).any() else loss)


@falls_back(_ASKED)
def listed(p: Any) -> Any:
    return p.go(p.loss() + sum(p.module.bias.tolist()))


@falls_back(_ASKED)
def printed(p: Any) -> Any:
    return str(p.go(p.loss()))


@falls_back("the step prints, which a replay would not do")
def prints(p: Any) -> Any:
    print("a step")
    return p.go(p.loss())


@falls_back("the memory of a tensor is handed to NumPy or to another library")
def numpy(p: Any) -> Any:
    return p.go(p.loss() + float(p.module.bias.detach().numpy().sum()))


@falls_back("the shape of what index gives depends on the numbers")
def mask(p: Any) -> Any:
    return p.go(p.loss() + p.module.weight[p.module.weight > 0].sum())


@falls_back("the shape of what nonzero gives depends on the numbers")
def nonzero(p: Any) -> Any:
    return p.go(p.loss() + (p.module.weight > 0).nonzero().sum())


@falls_back("the step changes p.kept, which a replay would not do")
def number_kept(p: Any) -> Any:
    loss = p.go(p.loss())
    p.kept.append(loss.item())
    return loss


@falls_back("the step changes p.last, which a replay would not do")
def tensor_kept(p: Any) -> Any:
    p.last = p.go(p.loss())
    return p.last.detach()


@falls_back("the step changes p.count, which a replay would not do")
def counter(p: Any) -> Any:
    p.count = getattr(p, "count", 0) + 1
    return p.go(p.loss() * p.count)


@falls_back("the step changes p.optimizer.param_groups[0].lr, which a replay would not do")
def learning_rate(p: Any) -> Any:
    p.optimizer.param_groups[0]["lr"] *= 0.9
    return p.go(p.loss())


@falls_back("a tensor's memory is replaced by other memory")
def data_replaced(p: Any) -> Any:
    loss = p.go(p.loss())
    p.module.weight.data = p.module.weight.data * 0.9
    return loss


@falls_back("a tensor is returned that can still be differentiated")
def backward_outside(p: Any) -> Any:
    return p.loss()


@falls_back("a view of a tensor that was there before is returned")
def view(p: Any) -> Any:
    p.go(p.loss())
    return p.module.weight.detach(), p.module.weight[0]


@falls_back("a generator of random numbers is seeded")
def seeded(p: Any) -> Any:
    torch.manual_seed(3)
    return p.go(p.loss() + torch.rand(()))


@falls_back("computed with other numbers in each call")
def numpy_random(p: Any) -> Any:
    return p.go(p.loss() * float(p.numbers.random()))


@falls_back("multiply is computed with another tensor in each call")
def new_tensor(p: Any) -> Any:
    return p.go(p.loss() * next(p.stream))


@falls_back("LBFGS.step is given arguments")
def closure(p: Any) -> Any:
    def again() -> Any:
        loss = F.mse_loss(p.module(p.x), p.y)
        loss.backward()
        return loss

    return p.lbfgs.step(again)


@falls_back("decides what is computed next, and it is another one in each call")
def running_mean(p: Any) -> Any:
    return p.norm(p.x).detach()


def parts() -> Any:
    p: Any = Parts()
    scales = [torch.tensor(1.0 + i) for i in range(40)]
    p.stream = iter(scales)
    p.scales = scales
    p.lbfgs = torch.optim.LBFGS(p.module.parameters(), max_iter=2)
    p.norm = nn.BatchNorm1d(3, momentum=None)
    return p


@pytest.mark.cpu_only("steps are captured on the host")
@pytest.mark.parametrize("name", STEPS)
def test_one_warning_and_the_steps_own_results(name: str) -> None:
    why, function = STEPS[name]
    runs = []
    for wrap in (lambda step: step, torch.capture):
        p = parts()
        step = wrap(lambda p=p: function(p))
        torch.manual_seed(1)
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            seen = [bits(step()) for _ in range(10)]
        runs.append((seen, state(p.module), bits(torch.get_rng_state())))
    assert runs[0] == runs[1]
    assert step.replays == 0
    assert len(told) == 1
    assert why in str(told[0].message)
    assert "capture: <lambda> can't be replayed faithfully, and runs as it is from now on\n  why: " in str(
        told[0].message
    )
    assert told[0].filename == __file__
    assert why in step.why_not


@pytest.mark.cpu_only("steps are captured on the host")
class TestArguments:
    def test_another_shape_is_told_once_and_gets_a_recording(self) -> None:
        module = nn.Linear(3, 2).requires_grad_(False)
        step = torch.capture(lambda x: module(x))
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            for call in range(24):
                x = floats(4 if call % 4 != 3 else 2, 3, seed=call)
                assert bits(step(x)) == bits(module(x))
        assert len(told) == 1
        assert str(told[0].message).startswith(
            "capture: <lambda> was recorded for other shapes, dtypes or numbers, and this call runs as it is\n"
            "  expected: (float32[4, 3])\n  got: (float32[2, 3])\n  fix: "
        )
        assert step.replays == 24 - 6
        assert step.why_not is None

    def test_too_many_kinds_run_as_they_are(self) -> None:
        step = torch.capture(lambda x, n: x * n)
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            for n in (*range(10), 0.0, -0.0, 0.0, -0.0):
                assert bits(step(floats(2), n)) == bits(floats(2) * n)
        assert len(told) == 1
        assert len(step._kinds) == 4

    def test_changed_in_place(self) -> None:
        step = torch.capture(lambda x: x.add_(1) * 2)
        x = floats(2)
        step(x)
        with pytest.warns(UserWarning, match="an argument of the step is changed in place"):
            step(x)
        step(x)
        assert bits(x) == bits(floats(2) + 1 + 1 + 1)
        assert x._version == 3

    @pytest.mark.parametrize(
        ("argument", "why"),
        [
            (lambda: [floats(2)], "it is called with a list"),
            (lambda: nn.Parameter(floats(2)), "it is called with a Parameter"),
            (lambda: floats(2).requires_grad_(), "it is called with a tensor that requires grad"),
        ],
    )
    def test_others_than_plain_tensors(self, argument: Any, why: str) -> None:
        step = torch.capture(lambda x: x)
        with pytest.warns(UserWarning, match=why):
            step(argument())
        assert step.why_not == why


def test_other_devices_run_as_they_are(device: str) -> None:
    where = "strict" if device == "cpu" else device
    module = nn.Linear(2, 2).to(where)
    x = floats(3, 2).to(where)
    step = torch.capture(lambda: module(x).sum().item())
    with pytest.warns(UserWarning, match=f"the step works with a tensor on {where}"):
        results = {step() for _ in range(4)}
    assert results == {module(x).sum().item()}
    other = torch.capture(lambda x: x * 2)
    with pytest.warns(UserWarning, match=f"it is called with a tensor on {where}"):
        other(x)
