from __future__ import annotations

import random
import signal
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from nbtorch_widgets import RewindError, Snapshots, train, watch
from nbtorch_widgets.history import Branch, lineage
from nbtorch_widgets.probe import Probe
from nbtorch_widgets.randomness import generators_of
from nbtorch_widgets.snapshots import Keeper, State
from nbtorch_widgets.table import Table
from nbtorch_widgets.telemetry import Counters
from widgets.support import OwnOptimizer, Training


class Noisy:
    """Everything that makes a replay hard: dropout, batch norm, a shuffling loader with its generator, noise from four
    random streams, gradients that pile up over two batches, momentum or Adam, a scheduler.
    """

    def __init__(self, lib: Any, optimizer: str = "Adam", shuffle: bool = True, noise: bool = True) -> None:
        lib.manual_seed(3)
        random.seed(3)
        np.random.seed(3)
        nn, data = lib.nn, lib.utils.data
        self.lib = lib
        self.model = nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Dropout(0.4), nn.Linear(6, 1))
        options: dict[str, Any] = {"lr": 0.02, **({"momentum": 0.9} if optimizer == "SGD" else {})}
        self.optimizer = getattr(lib.optim, optimizer)(self.model.parameters(), **options)
        self.scheduler = lib.optim.lr_scheduler.StepLR(self.optimizer, step_size=4, gamma=0.7)
        self.generator = lib.Generator().manual_seed(5) if noise else None
        inputs = lib.randn(24, 4)
        self.loader = data.DataLoader(
            data.TensorDataset(inputs, inputs.sum(1, keepdim=True)),
            batch_size=4,
            shuffle=shuffle,
            generator=self.generator,
        )
        self.seen: list[tuple[int, float]] = []

    def step(self, batch: Any, number: int) -> Any:
        inputs, targets = batch
        inputs = inputs + 0.01 * random.random() + 0.01 * float(np.random.rand())
        loss = ((self.model(inputs) - targets) ** 2).mean()
        loss.backward()
        if number % 2 == 0:
            self.optimizer.step()
            self.optimizer.zero_grad()
            self.scheduler.step()
        self.seen.append((number, float(loss.item())))
        return loss

    def run(self, **options: Any) -> Any:
        options = {"epochs": 3, "snapshots": 5, **options}
        return watch(self.model, self.optimizer, self.loader, scheduler=self.scheduler, **options)

    def numbers(self) -> list[bytes]:
        """Everything there is, bit for bit."""
        tensors = [*self.model.state_dict().values()]
        for state in self.optimizer.state_dict()["state"].values():
            tensors += [each for each in state.values() if hasattr(each, "numpy")]
        return [np.asarray(tensor.detach().numpy()).tobytes() for tensor in tensors]


def losses(seen: list[tuple[int, float]]) -> dict[int, list[float]]:
    found: dict[int, list[float]] = {}
    for number, loss in seen:
        found.setdefault(number, []).append(loss)
    return found


@pytest.mark.parametrize("optimizer", ["SGD", "Adam"])
@pytest.mark.parametrize("noise", [True, False])
def test_a_branch_done_again_unchanged_is_the_same_bit_for_bit(lib: Any, optimizer: str, noise: bool) -> None:
    training = Noisy(lib, optimizer, noise=noise)
    run = training.run()
    ends = []
    for batch in run:
        training.step(batch, run.step + 1)
        if run.step + 1 == 18 and len(ends) < 2:  # the last step: from epoch 3 into epoch 2, then to the beginning
            ends.append(training.numbers())
            assert run.rewind([11, 4][len(ends) - 1]) == [10, 0][len(ends) - 1]
    ends.append(training.numbers())
    assert ends[0] == ends[1] == ends[2]
    found = losses(training.seen)
    assert [len(found[step]) for step in (1, 10, 11, 18)] == [2, 2, 3, 3]
    assert all(len(set(again)) == 1 for again in found.values())
    assert run.state == "finished" and run.step == 18 and run.telemetry.epoch == 3
    assert run.branches == [Branch(0, None, 0, 18), Branch(1, 0, 10, 18), Branch(2, 0, 0, 18)]


def test_another_learning_rate_makes_another_branch(lib: Any) -> None:
    training = Noisy(lib)
    run = training.run()
    for batch in run:
        training.step(batch, run.step + 1)
        if run.step + 1 == 14 and run.telemetry.branch == 0:
            run.rewind(10)
            run.set_lr(0.3)
    found = losses(training.seen)
    assert found[11][0] == found[11][1]  # the step that leads to the next is the same
    assert found[13][0] != found[13][1]
    [change] = run.telemetry.changes
    assert (change.step, change.branch, change.what) == (10, 1, "lr") and change.new == pytest.approx(0.3)
    rows = run.history
    assert sorted(set(rows.branch.tolist())) == [0, 1]
    assert rows.steps[rows.branch == 0].tolist() == list(range(2, 15, 2))  # the optimizer makes every other step
    assert rows.steps[rows.branch == 1].tolist() == list(range(12, 19, 2))
    assert rows.lineage(run.branches).steps.tolist() == list(range(2, 19, 2))


def test_after_the_end_it_goes_on_from_there(lib: Any) -> None:
    training = Noisy(lib)
    run = training.run()
    for batch in run:
        training.step(batch, run.step + 1)
    end, seen = training.numbers(), dict(training.seen)
    weights = [id(parameter) for parameter in training.model.parameters()]
    assert run.rewind(8) == 5
    assert (run.step, run.state, run.telemetry.epoch) == (5, "left", 1)
    assert training.numbers() != end and [id(p) for p in training.model.parameters()] == weights
    lib.randn(7)  # what is drawn in between changes nothing
    training.seen.clear()
    for batch in run:
        training.step(batch, run.step + 1)
    assert [number for number, _ in training.seen] == list(range(6, 19))
    assert dict(training.seen) == {number: loss for number, loss in seen.items() if number > 5}
    assert training.numbers() == end and run.telemetry.total == 18


def test_a_stopped_run_can_be_rewound_and_goes_on(lib: Any) -> None:
    training = Noisy(lib)
    run = training.run()
    for batch in run:
        training.step(batch, run.step + 1)
        if run.step + 1 == 7:
            run.control.command("stop")
    assert run.state == "stopped"
    run.rewind(5)
    for batch in run:
        training.step(batch, run.step + 1)
    assert run.state == "finished" and run.step == 18


def test_an_older_branch_can_be_gone_back_to(lib: Any) -> None:
    training = Noisy(lib)
    run = training.run()
    for batch in run:
        training.step(batch, run.step + 1)
    run.rewind(5)
    run.set_lr(0.5)
    for batch in run:
        training.step(batch, run.step + 1)
    assert run.rewind(18, branch=0) == 15
    assert run.branches[-1] == Branch(2, 0, 15, 15)
    assert lineage(run.branches) == {2: 0xFFFFFFFF, 0: 15}
    with pytest.raises(RewindError, match="branch from 0 to 2"):
        run.rewind(3, branch=7)


def test_a_pass_ends_where_it_ended(lib: Any) -> None:
    """An outer loop over epochs: the replayed pass ends with its epoch, so that what comes after it is done again."""
    training = Noisy(lib)
    run = training.run(epochs=1, snapshots=2)
    passes = []
    for number in range(4):
        for batch in run:
            training.step(batch, run.step + 1)
            if number == 2 and run.step + 1 == 15 and run.telemetry.branch == 0:
                run.rewind(8)
        passes.append(run.step)
    assert passes == [6, 12, 12, 18]
    assert all(len(set(again)) == 1 for again in losses(training.seen).values())


def test_while_paused_it_goes_back_and_stays_paused(lib: Any) -> None:
    training = Noisy(lib)
    run = training.run(epochs=40)
    states: list[Any] = []

    def user() -> None:
        wait(lambda: run.step >= 7)
        run.control.command("pause")
        wait(lambda: run.state == "paused")
        time.sleep(0.05)
        run.rewind(6)
        wait(lambda: run.telemetry.branch == 1)
        states.append((run.step, run.state))
        run.set_lr(0.123)
        wait(lambda: run.telemetry.lr == pytest.approx(0.123))
        run.control.command("step")
        wait(lambda: run.step == 6)
        time.sleep(0.05)
        states.append((run.step, run.state))
        run.control.command("stop")

    thread = threading.Thread(target=user)
    thread.start()
    for batch in run:
        training.step(batch, run.step + 1)
        time.sleep(0.005)
    thread.join()
    assert states == [(5, "paused"), (6, "paused")]


def wait(condition: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.002)


def test_in_the_background(lib: Any) -> None:
    training = Noisy(lib)
    run: Any = None
    numbers: list[int] = []

    def body(batch: Any) -> Any:
        time.sleep(0.005)
        numbers.append(run.step + 1)
        return training.step(batch, run.step + 1)

    gate = threading.Event()
    run = train(
        lambda batch: (gate.wait(5), body(batch))[1],
        training.model,
        training.optimizer,
        training.loader,
        epochs=4,
        background=True,
        snapshots=3,
        scheduler=training.scheduler,
    )
    gate.set()
    wait(lambda: run.step >= 8)
    back = run.rewind(5)
    assert back == 3
    assert run.wait(20) and run.state == "finished" and run.step == 24
    assert run.telemetry.branch == 1 and numbers.count(4) == 2 and numbers.count(3) == 1
    assert all(len(set(again)) == 1 for again in losses(training.seen).values())


def test_probes_forget_what_came_later(lib: Any) -> None:
    class Recorder(Probe):
        def __init__(self) -> None:
            super().__init__()
            self.table = Table([(np.float32, ())])

        def after_step(self, step: int) -> None:
            self.table.append(step, float(step))

    training = Training(lib)
    run = watch(training.model, training.optimizer, training.batches, snapshots=4)
    probe = run.telemetry.add_probe(Recorder())
    probe.wanted_by.add(run)
    training.loop(run)
    run.rewind(5)
    assert probe.table.last_step == 4
    training.loop(run)
    assert probe.table.since()[0].tolist() == list(range(1, 13))


# ---- what can't be done, and failures ----


def test_without_snapshots_it_says_so(lib: Any) -> None:
    training = Training(lib)
    run = watch(training.model, training.optimizer, training.batches)
    training.loop(run)
    with pytest.raises(RewindError, match=r"keeps no snapshots.*snapshots=10"):
        run.rewind(3)
    assert run.snapshots == [] and run.telemetry.rewind_kind == "no"


def test_an_iterator_can_not_be_gone_through_again(lib: Any) -> None:
    training = Training(lib)
    run = watch(training.model, training.optimizer, iter(training.batches), snapshots=2)
    for batch in run:
        training.loop([batch])
        if run.step == 6:
            with pytest.raises(RewindError, match="only once"):
                run.rewind(4)
    weights = training.weights()
    run.rewind(4)  # at rest the model can be put back
    assert run.step == 4 and not np.array_equal(training.weights()[0], weights[0])


def test_a_loop_of_ones_own_goes_back_without_its_data(lib: Any) -> None:
    training = Training(lib)
    with watch(training.model, training.optimizer, snapshots=2) as run:
        training.loop(training.batches[:6])
        weights = training.weights()
        run.rewind(4)
        training.loop(training.batches[6:7])  # after its step the run goes back
        assert run.step == 4 and run.telemetry.rewind_kind == "model"
        training.loop(training.batches[4:6])
        for mine, before in zip(training.weights(), weights, strict=True):
            np.testing.assert_array_equal(mine, before)
    assert run.telemetry.branch == 1


@pytest.mark.parametrize("failing", ["replaced", "grown", "state"])
def test_a_failed_rewind_changes_nothing(lib: Any, failing: str) -> None:
    training = Noisy(lib)
    run = training.run()
    broken = False
    for batch in run:
        if run.step == 8 and not broken:
            broken = True
            if failing == "replaced":
                training.model[4].weight = lib.nn.Parameter(lib.randn(1, 6))
            elif failing == "grown":
                training.model.append(lib.nn.Linear(1, 1))
            else:
                training.optimizer.load_state_dict = fails_once(training.optimizer.load_state_dict)
            before = training.numbers()
            stream = lib.get_rng_state().numpy().copy()
            run.rewind(5)
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                run.control.serve(run._obey)
            assert "nothing was changed" in str(caught[0].message)
            assert training.numbers() == before
            np.testing.assert_array_equal(lib.get_rng_state().numpy(), stream)
            assert run.step == 8 and run.telemetry.branch == 0
            assert run.telemetry.note is not None and run.telemetry.note[0] == "not rewound"
        training.step(batch, run.step + 1)
    assert run.step == 18 and len(losses(training.seen)) == len(training.seen)


def fails_once(load: Callable[[Any], None]) -> Callable[[Any], None]:
    calls: list[int] = []

    def failing(state: Any) -> None:
        calls.append(1)
        if len(calls) == 1:
            raise ValueError("half way")
        load(state)

    return failing


def test_a_loader_that_fails_on_the_way_changes_nothing(lib: Any) -> None:
    class Loader:
        passes = 0

        def __iter__(self) -> Iterator[Any]:
            self.passes += 1
            for number in range(10):
                if self.passes == 2 and number == 3:
                    raise OSError("disk")
                yield number

    training = Training(lib, steps=10)
    loader = Loader()
    run = watch(training.model, training.optimizer, loader, snapshots=1)
    given = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for number in run:
            given.append(number)
            training.loop([training.batches[number]])
            if number == 6:
                run.rewind(5)
    assert given == list(range(10)) and run.telemetry.branch == 0
    assert "could not be restored: disk" in str(caught[0].message)


def test_an_interrupt_while_rewinding_leaves_all_as_it_was(lib: Any) -> None:
    class Loader(list[Any]):
        slow = False

        def __iter__(self) -> Iterator[Any]:
            for batch in list.__iter__(self):
                if self.slow:
                    time.sleep(0.1)
                yield batch

    training = Training(lib)
    loader = Loader(training.batches)
    run = watch(training.model, training.optimizer, loader, snapshots=2)
    before: list[Any] = []
    with pytest.raises(KeyboardInterrupt):
        for batch in run:
            training.loop([batch])
            if run.step + 1 == 9:
                before = training.weights()
                loader.slow = True
                run.rewind(8)
                threading.Timer(0.15, lambda: signal.raise_signal(signal.SIGINT)).start()
    assert run.state == "interrupted" and run.step == 9 and run.telemetry.branch == 0
    for mine, then in zip(training.weights(), before, strict=True):
        np.testing.assert_array_equal(mine, then)
    loader.slow = False
    assert run.rewind(8) == 8  # and it can still be done


def test_a_model_that_can_not_be_copied_trains_on(lib: Any) -> None:
    training = Training(lib)

    def state_dict(**_: Any) -> None:
        raise RuntimeError("not today")

    training.model.state_dict = state_dict
    run = watch(training.model, training.optimizer, training.batches, snapshots=1)
    with pytest.warns(UserWarning, match="no snapshots of this run can be kept: not today"):
        training.loop(run)
    assert run.state == "finished" and run.snapshots == []


def test_an_optimizer_of_ones_own_goes_back(lib: Any) -> None:
    class Momentum(OwnOptimizer):
        def __init__(self, parameters: Any, lr: float) -> None:
            super().__init__(parameters, lr)
            self.speed = [0.0 * p.detach() for p in self.parameters]
            self.count = 0

        def step(self) -> None:
            self.count += 1
            for index, p in enumerate(self.parameters):
                self.speed[index] = 0.9 * self.speed[index] + p.grad
                p.data = p.data - self.lr * self.speed[index]

    training = Training(lib)
    training.optimizer = Momentum(training.model.parameters(), lr=0.05)
    run = watch(training.model, training.optimizer, training.batches, snapshots=4)
    training.loop(run)
    end = training.weights()
    run.rewind(4)
    assert training.optimizer.count == 4
    assert training.optimizer.parameters[0] is next(iter(training.model.parameters()))
    training.loop(run)
    for mine, then in zip(training.weights(), end, strict=True):
        np.testing.assert_array_equal(mine, then)


# ---- keeping few ----


def fill(keeper: Keeper, steps: range, size: int = 10) -> None:
    nothing: Any = None
    for step in steps:
        state = State(np.zeros(size, np.uint8), [], [], [], [], nothing)
        keeper.add(0, Counters(step, None, 0, None, None, {}), state, None, None)


def test_snapshots_are_bounded_in_number() -> None:
    keeper = Keeper(Snapshots(1, keep=12))
    fill(keeper, range(1000))
    steps = [step for _, step in keeper.steps]
    assert len(steps) == 12 and steps == sorted(steps) and steps[0] == 0 and steps[-1] == 999
    gaps = np.diff(steps)
    assert gaps[-1] <= 2 and gaps[0] > 50  # dense at the end
    assert max(gaps[:-1] / np.maximum(1, gaps[1:])) < 12


def test_snapshots_are_bounded_in_bytes() -> None:
    keeper = Keeper(Snapshots(1, keep=1000, megabytes=1.0))
    fill(keeper, range(50), size=100_000)
    assert len(keeper) == 10 and keeper.size <= 1e6
    fill(keeper, range(50, 51), size=2_000_000)  # one that is too large by itself
    assert keeper.steps[-1] == (0, 49)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"snapshots": 0}, ValueError, "snapshots to be at least 1"),
        ({"snapshots": 2.5}, TypeError, "snapshots to be an int"),
        ({"snapshots": True}, TypeError, "snapshots to be an int"),
        ({"snapshots": Snapshots(5, keep=0)}, ValueError, "keep to be at least 1"),
        ({"snapshots": Snapshots(5, megabytes=0)}, ValueError, "megabytes to be positive"),
        ({"scheduler": 3}, TypeError, "state_dict"),
    ],
)
def test_wrong_options_teach(lib: Any, options: Any, error: type[Exception], message: str) -> None:
    training = Training(lib)
    with pytest.raises(error, match=message):
        watch(training.model, training.optimizer, training.batches, **options)


def test_generators_are_found_where_loaders_keep_them() -> None:
    class Thing:
        def __init__(self, **attributes: Any) -> None:
            self.__dict__.update(attributes)

    one, two, three = np.random.default_rng(0), random.Random(0), np.random.RandomState(0)
    transform = Thing(rng=three)
    loader = Thing(
        generator=one, sampler=Thing(generator=one), dataset=Thing(dataset=Thing(rng=two, transform=transform))
    )
    assert generators_of(loader) == [one, two, three]


def test_off_it_costs_nothing(lib: Any) -> None:
    training = Training(lib)
    run = watch(training.model, training.optimizer, training.batches)
    assert run._rewinder is None
    training.loop(run)
    assert set(run.history.branch.tolist()) == {0}
    assert run.branches == [Branch(0, None, 0, 12)]
