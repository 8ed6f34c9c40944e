"""A replayed step gives what the step gives, bit for bit: results, parameters, gradients, buffers, random numbers."""

from __future__ import annotations

import gc
import sys
import threading
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nbtorch as torch
from nbtorch import nn
from nbtorch.replay.arrays import Recorded

sys.path.insert(0, str(Path(__file__).parent))

from steps import STEPS, bits, classes, floats, mlp, state, training

pytestmark = pytest.mark.cpu_only("steps are captured on the host")
CALLS = 6


@pytest.fixture(autouse=True)
def no_warning() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def run(step: Any, module: Any, calls: int) -> Any:
    torch.manual_seed(5)
    seen = [bits(step()) for _ in range(calls)]
    return seen, state(module), bits(torch.get_rng_state())


@pytest.mark.parametrize("name", STEPS)
def test_equal_to_the_step_itself(name: str) -> None:
    torch.manual_seed(0)
    step, module = STEPS[name]()
    expected = run(step, module, CALLS)
    torch.manual_seed(0)
    step, module = STEPS[name]()
    captured = torch.capture(step)
    assert run(captured, module, CALLS) == expected
    assert captured.why_not is None
    assert captured.replays >= CALLS - 4


def test_results_are_new_at_each_call() -> None:
    step, _ = mlp(lr=0.1)
    captured = torch.capture(step)
    losses = [captured() for _ in range(8)]
    assert captured.replays == 5
    assert len({loss.item() for loss in losses}) == 8
    assert len({id(loss) for loss in losses}) == 8


def test_gradients_that_were_kept_stay_as_they_were() -> None:
    step, module = mlp(lr=0.1)
    captured = torch.capture(step)
    for _ in range(4):
        captured()
    kept = module[0].weight.grad
    before = bits(kept)
    captured()
    assert captured.replays == 2
    assert bits(kept) == before != bits(module[0].weight.grad)


def test_the_graph_behind_a_result_is_used_up_as_after_the_step() -> None:
    step, _ = mlp(lr=0.1)
    captured = torch.capture(step)
    for _ in range(4):
        loss = captured()
    assert captured.replays == 1
    assert repr(loss.grad_fn).startswith("<NllLossBackward0")
    with pytest.raises(RuntimeError, match="Trying to backward through the graph a second time"):
        loss.backward()


class TestKindsOfSteps:
    def test_with_arguments(self) -> None:
        def make() -> Any:
            torch.manual_seed(0)
            module = nn.Sequential(nn.Linear(4, 3), nn.Dropout(0.2))
            optimizer = torch.optim.Adam(module.parameters())

            def step(x: Any, y: Any, scale: float = 1.0) -> Any:
                optimizer.zero_grad()
                loss = nn.functional.cross_entropy(module(x) * scale, y)
                loss.backward()
                optimizer.step()
                return loss

            return step, module

        seen = []
        for wrap in (lambda f: f, torch.capture):
            step, module = make()
            step = wrap(step)
            seen.append([bits(step(floats(5, 4, seed=i), y=classes(3, 5, seed=i), scale=2.0)) for i in range(8)])
            seen.append(state(module))
        assert seen[:2] == seen[2:]
        assert step.replays == 5

    def test_arguments_that_are_the_same_tensor_or_reached_otherwise(self) -> None:
        x, z = floats(3, 2), floats(3, 2, seed=1)
        for step in (lambda a, b: (a * 2 + b, b), lambda a, b: (a * b + x, a)):
            captured = torch.capture(step)
            for pair in [(x, x)] * 5 + [(x, z)] * 5 + [(z, z)] * 5:
                with warnings.catch_warnings(action="ignore"):
                    out, given = captured(*pair)
                assert bits(out) == bits(step(*pair)[0])
                assert given is step(*pair)[1]
            assert captured.replays >= 5

    def test_arrays_of_numpy_s(self) -> None:
        small, large = np.ones(2, np.float32), np.ones((600, 600), np.float32)
        x = floats(3, 2)
        for step in (
            lambda: x * torch.tensor(small),
            lambda: x * torch.from_numpy(small),
            lambda: x * (torch.from_numpy(large[:3, :2]) * 2),
        ):
            captured = torch.capture(step)
            for call in range(12):
                small[0] = large[0] = call // 6
                assert bits(captured()) == bits(step())
            assert captured.replays >= 3

    def test_method(self) -> None:
        class Trainer:
            def __init__(self) -> None:
                self.module = nn.Linear(2, 1)
                self.optimizer = torch.optim.SGD(self.module.parameters(), lr=0.1)

            @torch.capture
            def step(self, x: Any) -> Any:
                """One step."""
                self.optimizer.zero_grad()
                loss = self.module(x).square().mean()
                loss.backward()
                self.optimizer.step()
                return loss.item()

        one, other = Trainer(), Trainer()
        assert Trainer.step.__doc__ == "One step."
        losses = [(one.step(floats(3, 2)), other.step(floats(3, 2))) for _ in range(6)]
        assert one.step.replays == other.step.replays == 3
        assert all(a != b for a, b in losses)
        assert sorted(losses, reverse=True) == losses

    def test_module_and_repr(self) -> None:
        captured = torch.capture(nn.Sequential(nn.Linear(2, 2), nn.Tanh()).requires_grad_(False))
        outs = [captured(floats(3, 2)) for _ in range(5)]
        assert captured.replays == 2
        assert bits(outs[0]) == bits(outs[-1])
        assert repr(captured) == "<captured Sequential, replayed 2 times>"

    def test_step_within_a_step(self) -> None:
        step, _ = mlp(lr=0.1)
        inner = torch.capture(step)
        outer = torch.capture(lambda: inner().detach() + 1)
        for _ in range(6):
            outer()
        assert outer.replays == 3
        assert inner.replays == 0

    def test_not_a_function(self) -> None:
        with pytest.raises(TypeError, match=r"capture\(\) expects a function, got Tensor"):
            torch.capture(floats(1))


def test_lazily_loaded_and_documented() -> None:
    assert torch.capture.__module__ == "nbtorch.replay.step"
    assert "capture" in dir(torch)


def test_errors_in_recordings_and_replays_are_the_steps_own() -> None:
    """The second call would be recorded, the seventh replayed."""

    def run(wrap: Any) -> Any:
        torch.manual_seed(0)
        module = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.Dropout(0.1))
        optimizer = torch.optim.Adam(module.parameters())

        def step(x: Any, y: Any) -> Any:
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(module(x), y)
            loss.backward()
            optimizer.step()
            return loss

        step, seen = wrap(step), []
        for i in range(9):
            y = torch.tensor([0, 1, 2, 3 if i in (1, 6) else 0])
            try:
                seen.append(bits(step(floats(4, 2, seed=i), y)))
            except IndexError as error:
                seen.append(str(error))
        return [*seen, state(module), bits(torch.get_rng_state())]

    assert run(torch.capture) == run(lambda step: step)
    left = [t for t in gc.get_objects() if isinstance(t, torch.Tensor) and isinstance(t._array, Recorded)]
    assert not left
    assert type(torch.zeros(2)._array) is np.ndarray


def test_no_memory_is_gathered() -> None:
    step, _ = mlp(lr=0.1)
    captured = torch.capture(step)
    for _ in range(5):
        captured()
    gc.collect()
    before = len(gc.get_objects())
    for _ in range(50):
        captured()
    gc.collect()
    assert len(gc.get_objects()) - before < 20


def test_another_thread_computes_while_a_step_is_recorded() -> None:
    done, stop = [], threading.Event()

    def work() -> None:
        torch.manual_seed(1)
        while not stop.is_set():
            done.append(bits((floats(3, 3) @ floats(3, 3, seed=1)).tanh().sum()))

    thread = threading.Thread(target=work)
    thread.start()
    try:
        step, _ = training_of_a_linear_layer()
        captured = torch.capture(step)
        for _ in range(6):
            captured()
    finally:
        stop.set()
        thread.join()
    assert captured.replays >= 2
    assert len(set(map(str, done))) == 1


def training_of_a_linear_layer() -> Any:
    module = nn.Linear(3, 2)
    optimizer = torch.optim.SGD(module.parameters(), lr=0.1)
    return training(module, nn.MSELoss(), optimizer, floats(4, 3), floats(4, 2, seed=1))
