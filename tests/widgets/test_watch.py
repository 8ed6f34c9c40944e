"""`watch` on ordinary loops, without a front end: the loop must run the same, and what was seen must be right."""

from __future__ import annotations

import gc
import itertools
import signal
import threading
import time
import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from nbtorch_widgets import RunStopped, watch
from nbtorch_widgets.gradients import NO_GRAD
from widgets.support import OwnModel, OwnOptimizer, Training


def check_history(run: Any, training: Training) -> None:
    """Every sample is what the loop saw at that step."""
    samples = run.history
    assert len(samples)
    for step, loss, norms in zip(samples.steps, samples.loss, samples.norms, strict=True):
        assert loss == pytest.approx(training.losses[step - 1], rel=1e-6)
        np.testing.assert_allclose(norms, training.norms[step - 1], rtol=1e-5)


@pytest.mark.parametrize("set_to_none", [True, False])
@pytest.mark.parametrize("zero", ["top", "bottom"])
def test_gradients_and_loss_are_those_of_the_step(lib: Any, zero: str, set_to_none: bool) -> None:
    training = Training(lib)
    run = watch(training.model, training.optimizer, training.batches)
    training.loop(run, zero, set_to_none)
    assert run.state == "finished" and run.step == 12 and not run.stopped
    assert list(run.history.steps) == list(range(1, 13))
    assert run.names == ["0.weight", "0.bias", "2.weight", "2.bias"]
    check_history(run, training)


def test_training_is_not_changed(lib: Any) -> None:
    plain, watched = Training(lib, momentum=0.9, nesterov=True), Training(lib, momentum=0.9, nesterov=True)
    plain.loop(plain.batches)
    watched.loop(watch(watched.model, watched.optimizer, watched.batches))
    assert plain.losses == watched.losses
    for one, other in zip(plain.weights(), watched.weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_plain_loop_at_module_level_needs_nothing_more(lib: Any) -> None:
    program = """
for inputs, targets in watch(model, optimizer, batches):
    optimizer.zero_grad()
    loss = criterion(model(inputs), targets)
    loss.backward()
    optimizer.step()
"""
    training = Training(lib)
    runs: list[Any] = []

    def remembered(*arguments: Any) -> Any:
        runs.append(watch(*arguments))
        return runs[0]

    names = {**vars(training), "watch": remembered, "loss": lib.tensor(99.0)}
    exec(program, names)
    assert runs[0].telemetry.loss == pytest.approx(names["loss"].item())
    assert 99 not in runs[0].history.loss


def test_epochs_go_over_the_loader_again(lib: Any) -> None:
    training = Training(lib, steps=4)
    run = watch(training.model, training.optimizer, training.batches, epochs=3)
    assert len(run) == 12
    training.loop(run)
    assert (run.step, run.telemetry.epoch, run.telemetry.epochs, run.telemetry.total) == (12, 3, 3, 12)
    check_history(run, training)


def test_an_outer_loop_goes_on_with_the_same_run(lib: Any) -> None:
    training = Training(lib, steps=4)
    run = watch(training.model, training.optimizer, training.batches)
    for epoch in range(3):
        training.loop(run)
        assert (run.state, run.step, run.telemetry.epoch) == ("finished", 4 * (epoch + 1), epoch + 1)
    check_history(run, training)
    assert training.hooks() == 0


def test_enumerate_and_other_wrappers(lib: Any) -> None:
    training = Training(lib)
    run = watch(training.model, training.optimizer, training.batches)
    training.loop(batch for _, batch in zip(itertools.count(), run, strict=False))
    assert run.step == 12
    check_history(run, training)


def test_an_optimizer_without_hooks(lib: Any) -> None:
    training = Training(lib)
    training.optimizer = OwnOptimizer(training.model.parameters())
    run = watch(training.model, training.optimizer, training.batches)
    run.telemetry.probes.clear()  # the doctor, who has hooks of its own
    hooks = []
    for batch in run:
        loss = training.forward(batch)
        hooks.append(training.hooks())
        loss.backward()
        training.see(loss)
        training.optimizer.step()
        training.optimizer.zero_grad()
    assert max(hooks) == 4  # one a parameter, at a sampled step
    assert training.hooks() == 0
    check_history(run, training)


def test_a_model_without_any_framework() -> None:
    model = OwnModel()
    run = watch(model, None, range(5))
    for step in run:
        model.parameters["w"].grad = np.array([3.0, 4.0]) * step
        loss = 1.0 / (step + 1)
    assert loss == run.telemetry.loss == 0.2
    assert run.history.norms[:, 0].tolist() == [0, 5, 10, 15, 20]
    assert (run.history.flags[:, 1] == NO_GRAD).all()


def test_named_tensors_are_a_model(lib: Any) -> None:
    w, b = lib.ones(2, requires_grad=True), lib.zeros(1, requires_grad=True)
    optimizer = lib.optim.SGD([w, b], lr=0.1)
    run = watch({"w": w, "b": b}, optimizer, range(3))
    for _ in run:
        optimizer.zero_grad()
        loss = (w * 2 + b).sum()
        loss.backward()
        optimizer.step()
    np.testing.assert_allclose(run.history.norms, [[8**0.5, 2]] * 3, rtol=1e-6)


# ---- where the loss comes from ----


def test_the_loss_of_a_criterion(lib: Any) -> None:
    training = Training(lib)
    run = watch(training.model, training.optimizer, training.batches, loss=training.criterion)
    training.loop(run)
    check_history(run, training)
    assert training.hooks() == 0


def test_the_loss_of_another_variable(lib: Any) -> None:
    training = Training(lib, steps=3)
    run = watch(training.model, training.optimizer, training.batches, loss="cost")
    for batch in run:
        training.optimizer.zero_grad()
        cost = training.forward(batch)
        cost.backward()
        training.see(cost)
        training.optimizer.step()
    check_history(run, training)
    assert "cost" in repr(run)


def test_logged_values_go_first(lib: Any) -> None:
    training = Training(lib, steps=3)
    with watch(training.model, training.optimizer, training.batches, loss=training.criterion) as run:
        for step, batch in enumerate(run):
            loss = training.forward(batch)
            loss.backward()
            training.optimizer.step()
            run.log(loss=lib.tensor(float(step)), accuracy=0.25 * step, name="not a number", many=lib.ones(2))
    assert run.history.loss.tolist() == [0, 1, 2]
    assert run.telemetry.metrics == {"accuracy": 0.5}


def test_no_loss(lib: Any) -> None:
    training = Training(lib, steps=3)
    run = watch(training.model, training.optimizer, training.batches, loss=None)
    training.loop(run)
    assert np.isnan(run.history.loss).all() and run.telemetry.loss is None


def test_looking_at_a_functions_variables_keeps_none_of_them_alive(lib: Any) -> None:
    training = Training(lib, steps=4)
    alive: list[weakref.ref[Any]] = []

    class Marker:
        pass

    def loop() -> None:
        for batch in watch(training.model, training.optimizer, training.batches):
            marker = Marker()
            alive.append(weakref.ref(marker))
            loss = training.forward(batch)
            loss.backward()
            training.optimizer.step()
            del marker
            assert sum(ref() is not None for ref in alive) == 0

    gc.disable()
    try:
        loop()
    finally:
        gc.enable()


# ---- which steps are sampled ----


def test_long_runs_are_sampled_evenly_and_the_same_each_time(lib: Any) -> None:
    def steps() -> list[int]:
        training = Training(lib, steps=3)
        run = watch(training.model, training.optimizer, training.batches * 200)
        training.loop(run)
        check_history(run, training)
        return run.history.steps.tolist()

    first = steps()
    assert len(first) <= 64 and first[0] == 1 and first[-1] == 600
    assert set(np.diff(first[:-1])) == {10}
    assert steps() == first


def test_losses_of_steps_that_are_not_sampled_are_not_fetched() -> None:
    class Loss:
        shape = ()
        fetched = 0

        def item(self) -> float:
            Loss.fetched += 1
            return 1.0

    run = watch({"w": OwnModel().parameters["w"]}, None, range(1000))
    for _ in run:
        run.log(loss=Loss())
    assert Loss.fetched == len(run.history) <= 64


def test_every_limits_the_samples(lib: Any) -> None:
    training = Training(lib, steps=20)
    run = watch(training.model, training.optimizer, training.batches, every=6)
    training.loop(run)
    assert run.history.steps.tolist() == [1, 7, 13, 19, 20]


def test_accumulating_steps_get_no_column(lib: Any) -> None:
    training = Training(lib, steps=12)
    run = watch(training.model, training.optimizer, training.batches)
    for index, batch in enumerate(run):
        loss = training.forward(batch)
        loss.backward()
        training.see(loss)
        if index % 4 == 3:
            training.optimizer.step()
            training.optimizer.zero_grad()
    assert run.history.steps.tolist() == [4, 8, 12]
    check_history(run, training)


def test_a_closure_is_read_after_the_step() -> None:
    torch = pytest.importorskip("torch")
    training = Training(torch, steps=3)
    optimizer = torch.optim.LBFGS(training.model.parameters(), max_iter=2)
    run = watch(training.model, optimizer, training.batches)
    for batch in run:

        def closure() -> Any:
            optimizer.zero_grad()
            loss = training.forward(batch)  # noqa: B023
            loss.backward()
            return loss

        loss = optimizer.step(closure)
        training.see(loss)
    check_history(run, training)


def test_several_optimizers_each_read_their_own(lib: Any) -> None:
    one, two = lib.ones(1, requires_grad=True), lib.ones(1, requires_grad=True)
    optimizers = [lib.optim.SGD([one], lr=0.1), lib.optim.SGD([two], lr=0.1)]
    run = watch({"one": one, "two": two}, optimizers, range(2))
    for _ in run:
        for factor, optimizer in zip((2, 3), optimizers, strict=True):
            for each in optimizers:
                each.zero_grad()
            loss = (one * factor + two * factor).sum()
            loss.backward()
            optimizer.step()
    assert run.history.norms.tolist() == [[2, 3], [2, 3]]


# ---- how a run ends ----


def test_stop_ends_the_loop_and_outer_loops(lib: Any) -> None:
    training = Training(lib)
    run = watch(training.model, training.optimizer, training.batches)
    seen = 0
    for _ in range(5):
        for _ in run:
            seen += 1
            if seen == 3:
                run.control.command("stop")
    assert seen == 3 and run.stopped and run.state == "stopped" and run.step == 3
    assert training.hooks() == 0


def test_pause_and_step_from_another_thread(lib: Any) -> None:
    training = Training(lib)
    run = watch(training.model, training.optimizer, training.batches)
    seen: list[int] = []

    def user() -> None:
        while run.step < 5:  # the step in which pause was pressed is finished first
            time.sleep(0.01)
        for _ in range(2):
            at = run.step
            run.control.command("step")
            while run.step == at:
                time.sleep(0.01)
            time.sleep(0.15)
            seen.append(run.step - at)
        run.control.command("resume")

    def body() -> Iterator[Any]:
        for index, batch in enumerate(run):
            if index == 4:
                run.control.command("pause")
            yield batch

    thread = threading.Thread(target=user)
    thread.start()
    training.loop(body())
    thread.join()
    assert seen == [1, 1] and run.state == "finished" and run.step == 12
    assert run.control.paused_seconds > 0.25


def test_break_leaves_a_consistent_run(lib: Any) -> None:
    training = Training(lib)
    run = watch(training.model, training.optimizer, training.batches)
    for batch in run:
        training.optimizer.zero_grad()
        loss = training.forward(batch)
        loss.backward()
        training.see(loss)
        training.optimizer.step()
        if run.step == 4:
            break
    assert (run.state, run.step) == ("left", 5)  # the fifth step was made
    assert training.hooks() == 0
    check_history(run, training)


def test_break_before_the_optimizer_does_not_count(lib: Any) -> None:
    training = Training(lib)
    run = watch(training.model, training.optimizer, training.batches)
    for _ in run:
        break
    assert (run.state, run.step, len(run.history)) == ("left", 0, 0)


def test_an_exception_leaves_nothing_behind(lib: Any) -> None:
    training = Training(lib)
    run = watch(training.model, training.optimizer, training.batches)
    with pytest.raises(ZeroDivisionError):
        for _ in run:
            _ = 1 / 0
    assert run.state == "left" and training.hooks() == 0


@pytest.mark.parametrize(("error", "state"), [(ValueError, "failed"), (KeyboardInterrupt, "interrupted")])
def test_with_knows_how_the_loop_ended(lib: Any, error: type[BaseException], state: str) -> None:
    training = Training(lib)
    with pytest.raises(error), watch(training.model, training.optimizer, training.batches) as run:
        for _ in run:
            raise error
    assert run.state == state and training.hooks() == 0


def test_a_failing_loader(lib: Any) -> None:
    training = Training(lib)

    def loader() -> Iterator[Any]:
        yield training.batches[0]
        raise OSError("no more")

    run = watch(training.model, training.optimizer, loader())
    with pytest.raises(OSError, match="no more"):
        training.loop(run)
    assert (run.state, run.step) == ("failed", 1) and training.hooks() == 0


def test_an_interrupt_while_paused(lib: Any) -> None:
    training = Training(lib)
    run = watch(training.model, training.optimizer, training.batches)
    run.control.command("pause")
    threading.Timer(0.1, lambda: signal.raise_signal(signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        training.loop(run)
    assert run.state == "interrupted" and training.hooks() == 0


# ---- loops without a loader ----


def test_with_counts_the_optimizers_steps(lib: Any) -> None:
    training = Training(lib)
    with watch(training.model, training.optimizer) as run:
        training.loop(training.batches)
    assert (run.state, run.step) == ("finished", 12) and training.hooks() == 0
    np.testing.assert_allclose(run.history.norms, training.norms, rtol=1e-5)
    np.testing.assert_allclose(run.history.loss, training.losses, rtol=1e-6)


def test_stop_leaves_a_loop_of_ones_own(lib: Any) -> None:
    training = Training(lib)
    after = []
    with watch(training.model, training.optimizer) as run:
        while True:
            try:
                training.loop(training.batches)
                if run.step > 20:
                    run.control.command("stop")
            except Exception:
                raise AssertionError("Stop must not look like an error") from None
        after.append("unreachable")
    assert run.stopped and run.state == "stopped" and not after and training.hooks() == 0
    assert not issubclass(RunStopped, Exception)


def test_a_loop_of_ones_own_needs_hooks(lib: Any) -> None:
    training = Training(lib)
    own = OwnOptimizer(training.model.parameters())
    with pytest.raises(TypeError, match=r"register_step_pre_hook.*OwnOptimizer"), watch(training.model, own):
        pass


# ---- wrong calls ----


@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        ((3,), {}, TypeError, r"a model with parameters\(\).*got int"),
        (({},), {}, ValueError, "no parameters"),
        (({"w": 1}, [1, 2, 3]), {}, TypeError, r"optimizer with a step.*watch\(model, optimizer, loader\)"),
        (({"w": 1}, None, 10), {}, TypeError, r"range\(10\)"),
        (({"w": 1}, None, object()), {}, TypeError, "iterable of batches.*got object"),
        (({"w": 1}, None, iter([1])), {"epochs": 2}, TypeError, "iterated 2 times.*list_iterator"),
        (({"w": 1}, None, [1]), {"epochs": 0}, ValueError, "epochs to be at least 1, got 0"),
        (({"w": 1}, None, [1]), {"every": 1.5}, TypeError, "every to be an int, got float"),
        (({"w": 1}, None, [1]), {"every": True}, TypeError, "every to be an int, got bool"),
        (({"w": 1}, None, [1]), {"loss": len}, TypeError, r"run.log\(loss=loss\)"),
    ],
)
def test_wrong_calls_teach(arguments: Any, options: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        watch(*arguments, **options)


def test_a_wrong_wish_for_the_display() -> None:
    with pytest.raises(ValueError, match="'live' or 'static', got 'big'"):
        watch({"w": 1}, None, [1], show="big")  # type: ignore[arg-type]


def test_one_loop_at_a_time() -> None:
    run = watch({"w": OwnModel().parameters["w"]}, None, [1, 2])
    for _ in run:
        with pytest.raises(RuntimeError, match="already being iterated"):
            next(iter(run))
    assert run.state == "finished" and run.step == 2


def test_a_run_without_a_loader_has_no_length() -> None:
    run = watch({"w": OwnModel().parameters["w"]})
    with pytest.raises(TypeError, match="no loader"):
        iter(run)
    with pytest.raises(TypeError, match="no loader"):
        len(run)


# ---- cost ----


def test_a_device_is_waited_for_at_sampled_steps_only() -> None:
    """On nbtorch's strict device, which counts: once for all gradients of a sample, and once for its loss."""
    import nbtorch
    from nbtorch.testing import count_syncs

    model = nbtorch.nn.Linear(4, 3).to("strict")
    optimizer = nbtorch.optim.SGD(model.parameters(), lr=0.1)
    run = watch(model, optimizer, range(500))
    run.telemetry.probes.clear()  # the doctor, who reads more
    with count_syncs() as counts:
        for _ in run:
            optimizer.zero_grad()
            loss = model(nbtorch.ones(2, 4, device="strict")).square().mean()
            loss.backward()
            optimizer.step()
    assert len(run.history) <= 64
    assert counts.syncs == 2 * len(run.history)
    assert not run.history.flags.any() and (run.history.norms > 0).all()


def test_a_step_that_is_not_sampled_costs_little() -> None:
    """Per step of an empty loop, in the best of several tries on a busy machine."""

    def seconds(batches: Any) -> float:
        began = time.perf_counter()
        for _ in batches:
            pass
        return time.perf_counter() - began

    steps = 20_000
    model = {"w": OwnModel().parameters["w"]}
    bare = min(seconds(range(steps)) for _ in range(5))
    watched = min(seconds(watch(model, None, range(steps))) for _ in range(5))
    assert (watched - bare) / steps < 10e-6


def test_a_run_keeps_no_model_alive_through_its_telemetry(lib: Any) -> None:
    training = Training(lib, steps=2)
    run = watch(training.model, training.optimizer, training.batches)
    training.loop(run)
    model = weakref.ref(training.model)
    telemetry = run.telemetry
    del run, training
    gc.collect()
    assert model() is None and telemetry.step == 2
