"""Loading by worker processes: the same batches as PyTorch's, nothing that hangs, no process left behind."""

from __future__ import annotations

import contextlib
import ctypes
import faulthandler
import gc
import multiprocessing
import os
import pickle
import random
import signal
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import to_numpy
from sides import as_torch, nbtorch_side

pytestmark = [
    pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="worker processes are tested on POSIX systems"),
    # As on a machine with fewer processors than workers: said once, and tested below.
    pytest.mark.filterwarnings("ignore:This DataLoader will create"),
]
CASES: list[Any] = []
LIMIT = 60.0  # seconds for one test; far more than any takes, so that a hang fails and a slow machine doesn't


@pytest.fixture(autouse=True)
def in_time_and_without_leftovers() -> Iterator[None]:
    def too_late(*_: Any) -> None:
        raise TimeoutError(f"this test hangs: {LIMIT} seconds have passed")

    before = signal.signal(signal.SIGALRM, too_late)
    signal.setitimer(signal.ITIMER_REAL, LIMIT)
    try:
        yield
        gc.collect()
        assert multiprocessing.active_children() == []
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def case(function: Any) -> Any:
    CASES.append(pytest.param(function, id=function.__name__))
    return function


@pytest.mark.parametrize("function", CASES)
def test_as_torch(function: Any, torch_ref: Any) -> None:
    as_torch(function)


def numbers(lib: Any, n: int = 11) -> Any:
    class Numbers(lib.utils.data.Dataset):
        def __len__(self) -> int:
            return n

        def __getitem__(self, i: int) -> Any:
            return i, lib.utils.data.get_worker_info() is None

    return Numbers()


def per_worker(lib: Any, *lengths: int) -> Any:
    """A stream of which worker k gives ``lengths[k]`` samples."""

    class Shares(lib.utils.data.IterableDataset):
        def __iter__(self) -> Any:
            me = lib.utils.data.get_worker_info().id
            return iter([100 * me + k for k in range(lengths[me])])

    return Shares()


def told(lib: Any, item: Any) -> Any:
    class Told(lib.utils.data.Dataset):
        def __len__(self) -> int:
            return 6

        def __getitem__(self, i: int) -> Any:
            return item(lib, i)

    return Told()


# -- the same batches --------------------------------------------------------------------------------------------------


@case
def batches_in_order(lib: Any) -> Any:
    data = lib.utils.data
    return [
        list(loader)
        for loader in (
            data.DataLoader(numbers(lib), batch_size=4, num_workers=2),
            data.DataLoader(numbers(lib), batch_size=4, num_workers=3, drop_last=True, prefetch_factor=1),
            data.DataLoader(numbers(lib), batch_size=None, num_workers=2),
            data.DataLoader(numbers(lib), batch_sampler=[[3, 1], [2], [9, 9, 9]], num_workers=2, prefetch_factor=5),
            data.DataLoader(numbers(lib), num_workers=2, collate_fn=lambda samples: [s[0] for s in samples]),
            data.DataLoader(data.TensorDataset(lib.arange(7, 2)), batch_size=3, num_workers=1),
            data.DataLoader(numbers(lib, 0), num_workers=2),
            data.DataLoader(numbers(lib, 1), num_workers=2, multiprocessing_context="fork", pin_memory=False),
        )
    ]


@case
def shuffled_by_the_seed(lib: Any) -> Any:
    loader = lib.utils.data.DataLoader(numbers(lib), batch_size=4, shuffle=True, num_workers=2)
    lib.manual_seed(3)
    return list(loader), list(loader), lib.rand(2)


@case
def shuffled_by_a_generator(lib: Any) -> Any:
    generator = lib.Generator().manual_seed(5)
    loader = lib.utils.data.DataLoader(
        numbers(lib), batch_size=4, shuffle=True, num_workers=2, generator=generator, persistent_workers=True
    )
    return list(loader), list(loader), list(loader)


@case
def a_sampler_that_draws_at_once(lib: Any) -> Any:
    class Eager(lib.utils.data.Sampler):
        def __iter__(self) -> Any:
            return iter(lib.randperm(6).tolist())

    lib.manual_seed(1)
    loader = lib.utils.data.DataLoader(numbers(lib), sampler=Eager(), num_workers=1)
    return list(loader), list(loader)


@case
def random_numbers_of_workers(lib: Any) -> Any:
    def draw(lib: Any, i: int) -> Any:
        seed = lib.utils.data.get_worker_info().seed
        return seed, lib.initial_seed(), random.random(), np.random.rand(), lib.rand(2)

    lib.manual_seed(11)
    return list(lib.utils.data.DataLoader(told(lib, draw), num_workers=2)), lib.rand(1)


@case
def what_a_worker_knows(lib: Any) -> Any:
    def start(worker: int) -> None:
        info = lib.utils.data.get_worker_info()
        info.dataset.mark = (worker, info.id, info.num_workers)

    data = told(lib, lambda lib, i: lib.utils.data.get_worker_info().dataset.mark)
    loader = lib.utils.data.DataLoader(data, num_workers=2, worker_init_fn=start)
    return list(loader), hasattr(data, "mark"), lib.utils.data.get_worker_info()


@case
def streams(lib: Any) -> Any:
    data = lib.utils.data
    return [
        list(loader)
        for loader in (
            data.DataLoader(per_worker(lib, 7), batch_size=3, num_workers=1),
            data.DataLoader(per_worker(lib, 1, 9, 4), batch_size=2, num_workers=3),
            data.DataLoader(per_worker(lib, 0, 5), batch_size=None, num_workers=2),
            data.DataLoader(per_worker(lib, 5, 5), batch_size=2, num_workers=2, drop_last=True),
            data.DataLoader(per_worker(lib, 0, 0), num_workers=2),
        )
    ]


@case
def streams_begin_again(lib: Any) -> Any:
    loader = lib.utils.data.DataLoader(per_worker(lib, 1, 3), num_workers=2, persistent_workers=True)
    return [list(loader) for _ in range(3)]


@case
def a_pass_broken_off(lib: Any) -> Any:
    loader = lib.utils.data.DataLoader(numbers(lib, 30), num_workers=2, persistent_workers=True)
    first = next(iter(loader))
    workers = [w.pid for w in loader._iterator._workers]
    rest = list(loader)
    return first, rest, workers == [w.pid for w in loader._iterator._workers], len(loader)


@case
def kinds_of_batches(lib: Any) -> Any:
    def sample(lib: Any, i: int) -> Any:
        return {"t": lib.arange(2, 3).t() + i, "text": f"t{i}", "half": lib.arange(3).half(), "empty": lib.arange(0),
                "0-d": np.float32(i), "pair": [(i, 2.5), [b"x"]]}  # fmt: skip

    batch = next(iter(lib.utils.data.DataLoader(told(lib, sample), batch_size=3, num_workers=1)))
    batch["t"] += 1  # a batch can be written to
    return batch, batch["t"].requires_grad


@case
def without_order_nothing_is_lost(lib: Any) -> Any:
    loader = lib.utils.data.DataLoader(numbers(lib, 20), num_workers=3, in_order=False)
    return sorted(int(i) for i, _ in loader), sorted(int(i) for i, _ in loader)


def test_a_slow_worker_holds_up_nobody_without_order(tmp_path: Path) -> None:
    lib = nbtorch_side()
    arrived = tmp_path / "another batch has arrived"

    def item(lib: Any, i: int) -> int:
        while i == 0 and not arrived.exists():
            time.sleep(0.01)
        return i

    order = []
    for i in lib.utils.data.DataLoader(told(lib, item), num_workers=2, in_order=False):
        order.append(int(i))
        arrived.touch()
    assert sorted(order) == list(range(6)) and order[0] != 0


def test_batches_are_made_ahead(tmp_path: Path) -> None:
    lib = nbtorch_side()

    def item(lib: Any, i: int) -> int:
        (tmp_path / str(i)).touch()
        return i

    iterator = iter(lib.utils.data.DataLoader(told(lib, item), num_workers=1, prefetch_factor=3))
    while len(list(tmp_path.iterdir())) < 3:
        time.sleep(0.01)
    next(iterator)
    while len(list(tmp_path.iterdir())) < 4:
        time.sleep(0.01)
    assert len(list(tmp_path.iterdir())) == 4


def test_large_batches_and_indices_do_not_block() -> None:
    lib = nbtorch_side()
    data = lib.utils.data.TensorDataset(lib.make(np.zeros((120_000, 16), dtype=np.float32)))
    loader = lib.utils.data.DataLoader(data, batch_size=50_000, num_workers=2, prefetch_factor=3)
    assert [len(x) for (x,) in loader] == [50_000, 50_000, 20_000]


def test_a_batch_may_be_changed_after_it_was_given_away() -> None:
    lib = nbtorch_side()
    buffer = np.zeros(100_000)

    def item(lib: Any, i: int) -> Any:
        buffer[:] = i
        return buffer

    loader = lib.utils.data.DataLoader(told(lib, item), batch_size=None, num_workers=1, prefetch_factor=6)
    for i, batch in enumerate(loader):
        assert (to_numpy(batch) == i).all()


@case
def a_stream_longer_than_it_said(lib: Any) -> Any:
    class Says(lib.utils.data.IterableDataset):
        def __iter__(self) -> Any:
            return iter(range(3))

        def __len__(self) -> int:
            return 3

    found = []
    for workers in (0, 2):
        loader = lib.utils.data.DataLoader(Says(), num_workers=workers)
        with warnings.catch_warnings(record=True) as silent:
            warnings.simplefilter("always")
            list(loader)
        assert len(loader) == 3
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            list(loader)
        said = [str(w.message) for w in caught if "reported to be 3" in str(w.message)]
        found.append((len([w for w in silent if "reported to be" in str(w.message)]), len(said)))
    return found


def test_more_workers_than_processors_are_warned_of(torch_ref: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        as_torch(lambda lib: lib.utils.data.DataLoader(numbers(lib), num_workers=999).num_workers, warn=True)


# -- errors ------------------------------------------------------------------------------------------------------------


class TwoArguments(Exception):
    def __init__(self, a: int, b: int) -> None:
        super().__init__(a, b)


class WithMessage(Exception):
    message = "yes"

    def __init__(self, message: str) -> None:
        super().__init__(message)


def fails(error: Any) -> Any:
    def item(lib: Any, i: int) -> int:
        if i == 3:
            raise error
        return i

    return item


@pytest.mark.parametrize(
    "error",
    [ValueError("why"), KeyError("key"), IndexError(3), OSError(2, "no file"), TwoArguments(1, 2), WithMessage("m"),
     UnicodeDecodeError("utf-8", b"x", 0, 1, "bad"), AssertionError(), ZeroDivisionError("0")],
    ids=lambda e: type(e).__name__,
)  # fmt: skip
def test_exceptions_arrive(error: Exception, torch_ref: Any) -> None:
    def run(lib: Any) -> Any:
        got = []
        iterator = iter(lib.utils.data.DataLoader(told(lib, fails(error)), num_workers=2))
        while True:
            try:
                got.append(int(next(iterator)))
            except StopIteration:
                return got
            except Exception as caught:
                text = str(caught)
                got.append((type(caught).__name__, text.splitlines()[:2]))
                assert "in item" in text and text.rstrip().endswith(f"{type(error).__name__}: {error}".rstrip(": "))

    def comparable(lib: Any) -> Any:
        with contextlib.suppress(AttributeError):
            return run(lib)

    as_torch(comparable)


def test_exceptions_that_are_defined_in_a_function_arrive_as_their_base() -> None:
    lib = nbtorch_side()

    class Local(ValueError):
        pass

    with pytest.raises(ValueError, match=r"Caught Local in DataLoader worker process 1\.\nOriginal Traceback"):
        list(lib.utils.data.DataLoader(told(lib, fails(Local("why"))), num_workers=2))


def raising(*_: Any) -> Any:
    raise ValueError("broken")


class BrokenStart:
    def __init__(self, lib: Any) -> None:
        self.stream = type("S", (lib.utils.data.IterableDataset,), {"__iter__": raising})()


# PyTorch's classes, written down: its iterators take five seconds each to give up their workers after an error.
IN_A_WORKER = {
    "init": (ValueError, lambda lib, d: d.DataLoader(numbers(lib), num_workers=2, worker_init_fn=raising)),
    "collate": (ValueError, lambda lib, d: d.DataLoader(numbers(lib), num_workers=1, collate_fn=raising)),
    "iter": (ValueError, lambda lib, d: d.DataLoader(BrokenStart(lib).stream, num_workers=2)),
    "graph": (
        RuntimeError,
        lambda lib, d: d.DataLoader(told(lib, lambda lib, i: lib.arange(1, requires_grad=True) * 2), num_workers=1),
    ),
    "shapes": (
        RuntimeError,
        lambda lib, d: d.DataLoader(told(lib, lambda lib, i: lib.arange(i)), 2, num_workers=1),
    ),
}


@pytest.mark.parametrize("name", IN_A_WORKER)
def test_errors_in_a_worker(name: str) -> None:
    lib = nbtorch_side()
    kind, make = IN_A_WORKER[name]
    loader = make(lib, lib.utils.data)
    with pytest.raises(kind, match=r"(?s)Caught \w+ in DataLoader worker process 0\..*Original Traceback"):
        list(loader)


ERRORS = {
    "context name": lambda lib, d: d.DataLoader(numbers(lib), num_workers=1, multiprocessing_context="thread"),
    "context kind": lambda lib, d: d.DataLoader(numbers(lib), num_workers=1, multiprocessing_context=3),
    "context alone": lambda lib, d: d.DataLoader(numbers(lib), multiprocessing_context="fork"),
    "prefetch": lambda lib, d: d.DataLoader(numbers(lib), num_workers=1, prefetch_factor=-1),
    "timeout alone": lambda lib, d: list(d.DataLoader(numbers(lib), timeout=1)),
    "sampler": lambda lib, d: list(d.DataLoader(numbers(lib), num_workers=1, sampler=map(raising, [1]))),
    "info is fixed": lambda lib, d: setattr(d.dataloader.WorkerInfo(0, 1, 2, None), "id", 3)
    if hasattr(d, "dataloader") and hasattr(d.dataloader, "WorkerInfo")
    else setattr(d._utils.worker.WorkerInfo(0, 1, 2, None), "id", 3),
}  # fmt: skip


@pytest.mark.parametrize("name", ERRORS)
def test_errors_as_torch(name: str, torch_ref: Any) -> None:
    as_torch(lambda lib: ERRORS[name](lib, lib.utils.data))


def test_what_cannot_be_given_to_a_spawned_worker_says_so() -> None:
    # Not beside PyTorch, whose spawning shares Python's resource tracker with all that ran in this process before.
    data = nbtorch_side().utils.data
    loader = data.DataLoader([1, 2], num_workers=1, collate_fn=lambda b: b, multiprocessing_context="spawn")
    with pytest.raises((AttributeError, pickle.PicklingError), match="can't be given"):
        list(loader)


def test_a_batch_that_cannot_travel_says_so() -> None:
    lib = nbtorch_side()
    loader = lib.utils.data.DataLoader(told(lib, lambda lib, i: lambda: i), num_workers=1, batch_size=None, timeout=30)
    with pytest.raises(Exception, match="can't be sent to the main process"):
        list(loader)


# -- workers that die or hang ------------------------------------------------------------------------------------------


def dies(how: Any) -> Any:
    def item(lib: Any, i: int) -> int:
        if i == 4:
            how()
        return i

    return item


def segfault() -> None:
    faulthandler.disable()  # pytest's, which would print
    ctypes.string_at(0)


@pytest.mark.parametrize(
    ("how", "message"),
    [
        (lambda: os.kill(os.getpid(), signal.SIGKILL), r"worker \(pid \d+\) is killed by signal: Killed"),
        (lambda: os.kill(os.getpid(), signal.SIGTERM), r"worker \(pid \d+\) is killed by signal: Terminated"),
        (lambda: os._exit(3), r"worker \(pid\(s\) \d+\) exited unexpectedly with exit code 3"),
        (lambda: sys.exit(2), r"worker \(pid\(s\) \d+\) exited unexpectedly with exit code 2"),
        (
            lambda: (faulthandler.disable(), ctypes.string_at(0)),
            r"worker \(pid \d+\) is killed by signal: Segmentation fault",
        ),
    ],
    ids=["killed", "terminated", "exits", "sys.exit", "segfault"],
)
@pytest.mark.parametrize("persistent", [False, True])
def test_a_worker_that_dies_is_reported(how: Any, message: str, persistent: bool) -> None:
    lib = nbtorch_side()
    loader = lib.utils.data.DataLoader(told(lib, dies(how)), num_workers=2, persistent_workers=persistent)
    iterator = iter(loader)
    with pytest.raises(RuntimeError, match=message):
        list(iterator)
    with pytest.raises(RuntimeError):
        next(iterator)
    assert multiprocessing.active_children() == []


def test_a_worker_killed_from_outside_is_reported() -> None:
    lib = nbtorch_side()
    iterator = iter(lib.utils.data.DataLoader(numbers(lib, 1000), num_workers=2, prefetch_factor=4))
    next(iterator)
    os.kill(iterator._workers[1].pid, signal.SIGKILL)
    with pytest.raises(RuntimeError, match="is killed by signal: Killed"):
        list(iterator)


def test_a_worker_killed_in_the_middle_of_a_message_is_reported() -> None:
    lib = nbtorch_side()
    big = told(lib, lambda lib, i: np.zeros(4_000_000))  # far more than a pipe holds: the worker waits in the middle
    iterator = iter(lib.utils.data.DataLoader(big, num_workers=2))
    while not iterator._pool.connections[0].poll(0.01):
        pass
    os.kill(iterator._workers[0].pid, signal.SIGKILL)
    with pytest.raises(RuntimeError, match="is killed by signal: Killed"):
        list(iterator)


def test_persistent_workers_come_back_after_one_was_killed() -> None:
    lib = nbtorch_side()
    loader = lib.utils.data.DataLoader(numbers(lib), num_workers=2, persistent_workers=True)
    assert len(list(loader)) == 11
    victim = loader._iterator._workers[0]
    os.kill(victim.pid, signal.SIGKILL)
    victim.join()
    with pytest.raises(RuntimeError, match="killed"):
        list(loader)
    assert len(list(loader)) == 11


def hangs(lib: Any, i: int) -> int:
    if i == 1:
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
        time.sleep(1000)
    return i


def test_a_worker_that_hangs_runs_out_of_time() -> None:
    lib = nbtorch_side()
    iterator = iter(lib.utils.data.DataLoader(told(lib, hangs), num_workers=2, timeout=LIMIT))
    assert int(next(iterator)) == 0
    iterator._timeout = 0.5  # only now: the start of a worker may take longer on a busy machine
    with pytest.raises(RuntimeError, match=r"timed out after 0\.5 seconds"):
        next(iterator)
    workers = list(iterator._workers)
    del iterator
    assert not any(w.is_alive() for w in workers)


def test_a_worker_that_will_not_end_is_killed() -> None:
    lib = nbtorch_side()

    def stubborn(lib: Any, i: int) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        time.sleep(1000)

    iterator = iter(lib.utils.data.DataLoader(told(lib, stubborn), num_workers=1, timeout=0.5))
    with pytest.raises(RuntimeError, match="timed out"):
        next(iterator)


# -- nothing is left behind --------------------------------------------------------------------------------------------


def test_workers_end_with_the_pass_the_break_and_the_deletion() -> None:
    lib = nbtorch_side()
    loader = lib.utils.data.DataLoader(numbers(lib, 100), num_workers=2)
    gc.disable()  # reference counts alone have to do it
    try:
        iterator = iter(loader)
        list(iterator)
        assert multiprocessing.active_children() == []
        for _ in loader:
            break
        assert multiprocessing.active_children() == []
        iterator = iter(loader)
        next(iterator)
        assert len(multiprocessing.active_children()) == 2
        del iterator
        assert multiprocessing.active_children() == []
        lasting = lib.utils.data.DataLoader(numbers(lib), num_workers=2, persistent_workers=True)
        list(lasting)
        assert len(multiprocessing.active_children()) == 2
        del lasting
        assert multiprocessing.active_children() == []
    finally:
        gc.enable()


def test_an_exception_that_is_kept_does_not_keep_the_workers() -> None:
    lib = nbtorch_side()
    with pytest.raises(ValueError, match="why") as kept:  # as a notebook keeps the last traceback
        for _ in lib.utils.data.DataLoader(told(lib, fails(ValueError("why"))), num_workers=2):
            pass
    assert multiprocessing.active_children() == []
    assert kept.tb is not None


def test_workers_are_forked_beside_other_threads() -> None:
    """A fork takes no thread along, and no lock that a thread may hold just then."""
    lib = nbtorch_side()
    stop = threading.Event()

    def busy() -> None:
        while not stop.is_set():
            lib.ones(100).sum().item()
            random.random()

    threads = [threading.Thread(target=busy, daemon=True) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(3):
            loader = lib.utils.data.DataLoader(told(lib, lambda lib, i: lib.rand(3) + i), 2, num_workers=2)
            assert [len(batch) for batch in loader] == [2, 2, 2]
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def test_a_loader_inside_another_and_one_abandoned() -> None:
    lib = nbtorch_side()
    outer = lib.utils.data.DataLoader(numbers(lib, 3), num_workers=1)
    seen = []
    for a, _ in outer:
        for b, _ in lib.utils.data.DataLoader(numbers(lib, 50), num_workers=2):
            seen.append((int(a), int(b)))
            if b == 1:
                break
    assert seen == [(a, b) for a in range(3) for b in range(2)]
    iterator = iter(outer)  # never asked for anything
    del iterator
    assert multiprocessing.active_children() == []


def test_two_passes_at_once() -> None:
    lib = nbtorch_side()
    loader = lib.utils.data.DataLoader(numbers(lib, 3), num_workers=1)
    assert [(int(a), int(b)) for a, _ in loader for b, _ in loader] == [(a, b) for a in range(3) for b in range(3)]
