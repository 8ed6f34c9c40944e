from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from nbtorch_widgets import Monitor, watch
from nbtorch_widgets.steering import LearningRates, clip
from widgets.support import OwnOptimizer, Training


def stepping(training: Training, actions: dict[int, Callable[[Any], Any]], **options: Any) -> Any:
    """Train; `actions` has what to do after a step."""
    run = watch(training.model, training.optimizer, training.batches, **options)
    for batch in run:
        training.loop([batch])
        if run.step + 1 in actions:
            actions[run.step + 1](run)
    return run


def test_a_learning_rate_holds_from_the_next_step_on(lib: Any) -> None:
    one, other = Training(lib), Training(lib)
    run = stepping(one, {5: lambda run: run.set_lr(0.02)})
    for index, batch in enumerate(other.batches):
        if index == 5:
            other.optimizer.param_groups[0]["lr"] = 0.02
        other.loop([batch])
    assert one.losses == other.losses
    [change] = run.telemetry.changes
    assert tuple(change) == (5, 0, "lr", 0.1, 0.02)
    assert run.telemetry.lr == 0.02


def test_groups_keep_their_ratios(lib: Any) -> None:
    training = Training(lib)
    model = training.model
    training.optimizer = lib.optim.SGD(
        [{"params": model[0].parameters(), "lr": 0.2}, {"params": model[2].parameters(), "lr": 0.05}], lr=1
    )
    run = watch(model, training.optimizer, training.batches)
    assert run.telemetry.lr == 0.2 and run.telemetry.lr_range == (0.05, 0.2)
    run.set_lr(0.1)  # at rest it holds at once
    assert [group["lr"] for group in training.optimizer.param_groups] == [0.1, 0.025]


def test_a_scheduler_starts_from_the_new_rate(lib: Any) -> None:
    training = Training(lib)
    scheduler = lib.optim.lr_scheduler.LambdaLR(training.optimizer, lambda epoch: 0.5**epoch)
    run = watch(training.model, training.optimizer, training.batches, scheduler=scheduler)
    training.optimizer.step()
    scheduler.step()
    run.set_lr(0.5)
    training.optimizer.step()
    scheduler.step()
    assert training.optimizer.param_groups[0]["lr"] == pytest.approx(0.25)


def test_a_scheduler_is_shown(lib: Any) -> None:
    training = Training(lib)
    scheduler = lib.optim.lr_scheduler.StepLR(training.optimizer, 1, gamma=0.5)
    run = watch(training.model, training.optimizer, training.batches)
    shown = []
    for batch in run:
        training.loop([batch])
        shown.append(run.telemetry.lr)
        scheduler.step()
    assert shown[:3] == [0.1, 0.05, 0.025] and run.telemetry.lr == pytest.approx(0.1 * 0.5**12)
    assert run.telemetry.changes == []  # only what is changed by hand


def test_rates_that_are_zero_or_tensors_or_attributes(lib: Any) -> None:
    training = Training(lib)
    optimizer = training.optimizer
    optimizer.param_groups[0]["lr"] = 0.0
    rates = LearningRates([optimizer])
    assert rates.read() == (0.0, (0.0, 0.0))
    rates.set(0.3)
    assert optimizer.param_groups[0]["lr"] == 0.3
    tensor = lib.tensor(0.25)
    optimizer.param_groups[0]["lr"] = tensor
    rates.set(0.125)
    assert optimizer.param_groups[0]["lr"] is tensor and float(tensor) == 0.125
    own = OwnOptimizer(training.model.parameters(), lr=0.5)
    LearningRates([own]).set(0.1)
    assert own.lr == 0.1


def test_clipping_is_that_of_the_library(lib: Any) -> None:
    one, other = Training(lib, momentum=0.9), Training(lib, momentum=0.9)
    run = stepping(one, {4: lambda run: run.set_clip(0.05), 9: lambda run: run.set_clip(None)})
    for index, batch in enumerate(other.batches):
        other.optimizer.zero_grad()
        loss = other.forward(batch)
        loss.backward()
        if 4 <= index < 9:
            lib.nn.utils.clip_grad_norm_(other.model.parameters(), 0.05)
        other.see(loss)
        other.optimizer.step()
    assert one.losses == other.losses
    total = np.sqrt((run.history.norms.astype(float) ** 2).sum(1))
    assert (total[4:9] <= 0.0501).all() and (total[:4] > 0.0501).all()
    assert [(c.step, c.what, c.old, c.new) for c in run.telemetry.changes] == [
        (4, "clip", None, 0.05),
        (9, "clip", 0.05, None),
    ]


def test_it_is_known_when_clipping_bites(lib: Any) -> None:
    seen: list[float | None] = []
    stepping(
        Training(lib),
        {2: lambda run: run.set_clip(0.05), 4: lambda run: seen.append(run.telemetry.clip_norm)},
    )
    assert seen[0] is not None and seen[0] > 0.05


def test_arrays_of_ones_own_are_clipped_alike() -> None:
    class P:
        def __init__(self, grad: Any) -> None:
            self.grad = grad

    ps = [P(np.array([3.0])), P(np.array([4.0])), P(None)]
    assert clip(ps, 1.0) == 5.0
    assert ps[0].grad[0] == pytest.approx(0.6) and ps[1].grad[0] == pytest.approx(0.8)
    assert clip(ps, 10.0) == pytest.approx(1.0) and ps[0].grad[0] == pytest.approx(0.6)


def test_what_can_not_be_done_is_said(lib: Any) -> None:
    training = Training(lib)
    run = watch(training.model, OwnOptimizer(training.model.parameters()), training.batches)
    assert run.telemetry.clip_problem == "hooks"
    with pytest.raises(ValueError, match="clipping isn't available"):
        run.set_clip(1.0)
    run = watch(training.model, None, training.batches)
    with pytest.raises(ValueError, match="no learning rate"):
        run.set_lr(0.1)
    assert run.telemetry.lr is None


@pytest.mark.parametrize("value", [0, -1, math.nan, math.inf, "0.1", True, [1], 10**400])
def test_other_values_change_nothing(lib: Any, value: Any) -> None:
    training = Training(lib)
    run = watch(training.model, training.optimizer, training.batches)
    for setter in (run.set_lr, run.set_clip):
        with pytest.raises((TypeError, ValueError, OverflowError)):
            setter(value)
    with pytest.raises((TypeError, ValueError)):
        run.set_lr(None)  # type: ignore[arg-type]
    assert training.optimizer.param_groups[0]["lr"] == 0.1 and run.telemetry.changes == []


def test_messages_are_obeyed_or_refused(lib: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    training = Training(lib)
    run = watch(training.model, training.optimizer, training.batches, snapshots=2, show=False)
    view = Monitor(run)
    sent: list[Any] = []
    monkeypatch.setattr(view, "send", lambda content, buffers=None: sent.append(content))

    def say(**message: Any) -> str:
        sent.clear()
        view._receive(view, message, [])
        return str(sent[-1]["op"])

    wrong: list[dict[str, Any]] = [
        {"op": op, **rest}
        for op in ("lr", "clip")
        for rest in ({}, {"value": "x"}, {"value": -1}, {"value": math.nan}, {"value": [1]}, {"value": True})
    ]
    places: list[dict[str, Any]] = [{}, {"step": "3"}, {"step": -1}, {"step": 2.5}, {"step": 1, "branch": []}]
    wrong += [{"op": "rewind", **place} for place in places]
    for batch in run:
        training.loop([batch])
        if run.step + 1 == 6 and run.telemetry.branch == 0:
            assert [say(**message) for message in wrong] == ["error"] * len(wrong)
            assert not run.control.requested
            assert say(op="rewind", step=5) == "state" and say(op="lr", value=0.2) == "state"
            assert say(op="clip", value=1e6) == "state"
    assert [b.start for b in run.branches] == [0, 4]
    assert [c.what for c in run.telemetry.changes] == ["lr", "clip"] and run.telemetry.changes[0].step == 4
    assert say(op="lr", value=0.5) == "state"  # the run has ended: nothing to obey
    assert training.optimizer.param_groups[0]["lr"] == pytest.approx(0.2)
