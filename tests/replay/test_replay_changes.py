"""What is changed between two calls is seen by the next, be it a replay, a new recording or the step itself."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nbtorch as torch
from nbtorch import nn

sys.path.insert(0, str(Path(__file__).parent))

from steps import F, bits, classes, floats, state

pytestmark = pytest.mark.cpu_only("steps are captured on the host")
CALLS, TURN = 11, 6


class World:
    """A module, an optimizer and data, with a step that is captured or not."""

    def __init__(self, captured: bool, optimizer: str = "SGD", zero: bool = True) -> None:
        torch.manual_seed(0)
        self.module = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout(0.4), nn.Linear(4, 3))
        self.optimizer = getattr(torch.optim, optimizer)(self.module.parameters(), lr=0.1)
        self.x, self.y = floats(5, 3), classes(3, 5)
        module, made, target = self.module, self.optimizer, self.y
        self.scale = 1.0

        def step(x: Any) -> Any:
            if zero:
                made.zero_grad()
            loss = F.cross_entropy(module(x), target) * self.scale
            loss.backward()
            made.step()
            return loss

        self.step: Any = torch.capture(step) if captured else step

    @property
    def first(self) -> Any:
        """The first weight."""
        return self.module[0].weight


def _set(group: str, value: Any) -> Callable[[World, int], None]:
    def change(w: World, call: int) -> None:
        if call == TURN:
            w.optimizer.param_groups[0][group] = value

    return change


def at_turn(change: Callable[[World], object]) -> Callable[[World, int], object]:
    return lambda w, call: change(w) if call == TURN else None


def _new_data(w: World, call: int) -> None:
    w.x = floats(5, 3, seed=call)


def _replace_weight(w: World) -> None:
    w.first.data = w.first.data * 0.5


def _add_group(w: World) -> None:
    w.more = nn.Parameter(torch.ones(3))  # type: ignore[attr-defined]
    w.optimizer.add_param_group({"params": [w.more]})  # type: ignore[attr-defined]


def _double(w: World, call: int) -> None:
    torch.set_default_dtype(torch.float64 if call == TURN else torch.float32)


def _shrink(optimizer: Any, args: Any, kwargs: Any) -> None:
    for p in optimizer.param_groups[0]["params"]:
        p.data.mul_(0.9)


# What is done before each call, and how many replays there have to be at least.
CHANGES: dict[str, tuple[Callable[[World, int], object], int]] = {
    "nothing": (lambda w, call: None, 8),
    "new data": (_new_data, 8),
    "data in place": (lambda w, call: w.x.copy_(floats(5, 3, seed=call)), 8),
    "learning rate": (lambda w, call: w.optimizer.param_groups[0].update(lr=0.1 * 0.9**call), 8),
    "load_state_dict": (lambda w, call: w.module.load_state_dict(w.module.state_dict()), 8),
    "optimizer's load_state_dict": (lambda w, call: w.optimizer.load_state_dict(w.optimizer.state_dict()), 8),
    "gradients forgotten before": (lambda w, call: w.module.zero_grad() if call % 2 else None, 3),
    "evaluation now and then": (lambda w, call: w.module.train(call % 4 != 3), 3),
    "evaluation": (at_turn(lambda w: w.module.eval()), 6),
    "dropout": (at_turn(lambda w: setattr(w.module[2], "p", 0.1)), 6),
    "plain attribute": (at_turn(lambda w: setattr(w, "scale", 2.0)), 6),
    "maximize": (_set("maximize", True), 6),
    "weight decay": (_set("weight_decay", 0.1), 6),
    "weight replaced": (at_turn(_replace_weight), 6),
    "weight frozen": (at_turn(lambda w: w.first.requires_grad_(False)), 5),
    "hook on a weight": (at_turn(lambda w: w.first.register_hook(lambda g: g * 0.5)), 6),
    "hook on a layer": (at_turn(lambda w: w.module[0].register_forward_hook(lambda m, i, out: out * 0.5)), 6),
    "hook on the optimizer": (at_turn(lambda w: w.optimizer.register_step_post_hook(_shrink)), 6),
    "another layer": (at_turn(lambda w: w.module.append(nn.Linear(3, 3))), 5),
    "another group": (at_turn(_add_group), 6),
    "default dtype": (_double, 7),
    "another layout": (lambda w, call: setattr(w, "x", w.x.mT.clone().mT if call == TURN else floats(5, 3)), 7),
    "bad shape": (lambda w, call: setattr(w, "x", floats(5, 2 if call == TURN else 3)), 6),
}  # fmt: skip


def trained(captured: bool, change: Callable[[World, int], object], calls: int = CALLS, **options: Any) -> Any:
    w = World(captured, **options)
    seen: list[Any] = []
    torch.manual_seed(1)
    try:
        for call in range(calls):
            change(w, call)
            try:
                seen.append(bits(w.step(w.x)))
            except RuntimeError as error:
                seen.append(str(error))
    finally:
        torch.set_default_dtype(torch.float32)
    return [*seen, state(w.module), bits(torch.get_rng_state())], w.step


@pytest.mark.parametrize("name", CHANGES)
def test_changes_between_calls_are_seen(name: str) -> None:
    change, replays = CHANGES[name]
    expected, _ = trained(False, change)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore" if name in ("another layout", "bad shape") else "error")
        found, step = trained(True, change)
    assert found == expected
    assert step.replays >= replays
    assert step.why_not is None


def test_gradients_added_up_over_calls() -> None:
    change = lambda w, call: w.optimizer.zero_grad() if call % 3 == 0 else None  # noqa: E731
    expected, _ = trained(False, change, 16, zero=False)
    found, step = trained(True, change, 16, zero=False)
    assert found == expected
    assert step.replays >= 8


@pytest.mark.parametrize("block", [torch.no_grad, torch.autograd.detect_anomaly, torch.inference_mode])
def test_other_modes(block: Any) -> None:
    def run(wrap: Any) -> Any:
        torch.manual_seed(0)
        module = nn.Linear(3, 2)

        def step(x: Any) -> Any:
            out = module(x).sum()
            if out.requires_grad:
                out.backward()
            return out.detach()

        step, seen = wrap(step), []
        for call in range(9):
            if call == TURN:
                with warnings.catch_warnings(action="ignore"), block():
                    seen.append(bits(step(floats(2, 3))))
            else:
                seen.append(bits(step(floats(2, 3))))
        return seen, state(module), step

    expected, found = run(lambda step: step), run(torch.capture)
    assert found[:2] == expected[:2]
    assert found[2].replays >= 5


_ACTIONS = ("lr", "eval", "data", "frozen", "grads", "small", "dropout", "nothing", "nothing")


@settings(max_examples=6)
@given(st.lists(st.sampled_from(_ACTIONS), min_size=7, max_size=12), st.sampled_from(["SGD", "Adam"]))
def test_any_order_of_changes(actions: list[str], optimizer: str) -> None:
    def change(w: World, call: int) -> None:
        action = actions[call]
        w.x = floats(5, 3, seed=call % 3)
        if action == "lr":
            w.optimizer.param_groups[0]["lr"] *= 0.8
        elif action == "eval":
            w.module.train(not w.module.training)
        elif action == "data":
            _replace_weight(w)
        elif action == "frozen":
            w.first.requires_grad_(not w.first.requires_grad)
        elif action == "grads":
            w.module.zero_grad()
        elif action == "small":
            w.x = floats(5, 3).double().float().mT.clone().mT
        elif action == "dropout":
            w.module[2].p = 0.25 if w.module[2].p == 0.4 else 0.4

    expected, _ = trained(False, change, len(actions), optimizer=optimizer)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found, _ = trained(True, change, len(actions), optimizer=optimizer)
    assert found == expected
