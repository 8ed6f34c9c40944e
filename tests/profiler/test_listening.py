"""Nothing is there while no profiler runs, and everything is as it was when one has ended, however it ended."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from types import CodeType
from typing import Any

import hypothesis.strategies as st
import pytest
from helpers import import_torch
from hypothesis import given, settings

import nbtorch
from nbtorch.autograd import engine
from nbtorch.ops import dispatch, load_all, record
from nbtorch.profiler import profile, record_function, sites
from nbtorch.profiler.recorder import recorders
from nbtorch.profiler.schedules import ProfilerAction

load_all()


def listened_to() -> dict[int, tuple[Any, CodeType, Any, Any]]:
    functions = [function for function, _ in sites._sites()]
    return {id(f): (f, f.__code__, f.__defaults__, f.__kwdefaults__) for f in functions}


BEFORE = listened_to()


@pytest.fixture(autouse=True)
def _left_as_found() -> Iterator[None]:
    yield
    assert not recorders and engine.listeners == 0
    for function, *state in BEFORE.values():
        assert [function.__code__, function.__defaults__, function.__kwdefaults__] == state


def step(x: Any) -> Any:
    (x * 2.0).exp().sum().backward()


def calls_of(work: Any) -> list[str]:
    """The Python functions that are called."""
    called: list[str] = []

    def note(frame: Any, event: str, arg: Any) -> None:
        if event == "call":
            called.append(frame.f_code.co_qualname)

    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(None)
    return called


def test_off_it_costs_nothing() -> None:
    x = nbtorch.ones(3, requires_grad=True)
    step(x)
    never = calls_of(lambda: step(x))
    with profile():
        step(x)
        during = calls_of(lambda: step(x))
    assert calls_of(lambda: step(x)) == never
    assert len(during) > len(never) and not any("profile" in name for name in never)
    assert not any("record" in name and "Recorder" in name for name in never)


def test_what_is_listened_to() -> None:
    names = {f.__qualname__ for f, *_ in BEFORE.values()}
    some = {"mul", "linear", "conv2d", "PointwiseMethods.__mul__", "InplaceMethods.add_", "randn", "cat", "cumsum"}
    assert some <= names
    known = {name.rpartition(".")[2] for name in names}
    missed = [n for n in dir(nbtorch.Tensor) if n in nbtorch.ops.registry and n not in known]
    assert missed == []
    for function in (record.apply, dispatch.unary, dispatch.binary, engine._run, engine.accumulate_grad):
        assert id(function) in BEFORE
    with profile():
        assert all(f.__code__.co_name == "profiled" for f, *_ in BEFORE.values())


def test_every_record_is_seen_through_the_three_ways_to_run_one() -> None:
    x = nbtorch.ones(2, 2)
    with profile() as prof:
        x + 1, 1 + x, nbtorch.exp(x), x.t(), x[0], x.sum(0), x.T, nbtorch.linalg.inv(x + nbtorch.eye(2))
        nbtorch.nn.functional.relu(x, inplace=True)
        x[0] = 3.0
    seen = {e.name for e in prof.events()}
    expected = {"add", "exp", "t", "select", "sum", "linalg_inv_ex", "relu_", "eye", "index_put_"}
    assert {f"aten::{name}" for name in expected} <= seen


def test_an_error_in_the_block() -> None:
    prof = profile()
    with pytest.raises(RuntimeError, match="must match"), prof, record_function("outer"):
        nbtorch.ones(2) + nbtorch.ones(3)
    assert [e.name for e in prof.events()][:2] == ["outer", "aten::ones"]
    assert all(e.time_range.end >= e.time_range.start for e in prof.events())


def test_what_a_function_says_of_itself_stays() -> None:
    with profile(), pytest.raises(TypeError, match="softmax"):
        nbtorch.softmax()  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="softmax"):
        nbtorch.softmax()  # type: ignore[call-arg]


def test_only_the_thread_that_asked() -> None:
    begun, done = threading.Event(), threading.Event()

    def other() -> None:
        begun.wait()
        nbtorch.ones(3).exp()
        done.set()

    thread = threading.Thread(target=other)
    thread.start()
    with profile() as prof:
        begun.set()
        done.wait()
        nbtorch.zeros(2)
    thread.join()
    assert [e.name for e in prof.events()] == ["aten::zeros"]


def test_two_threads_at_once() -> None:
    found: dict[int, list[str]] = {}
    barrier = threading.Barrier(2)

    def work(number: int) -> None:
        with profile() as prof:
            barrier.wait()
            for _ in range(20):
                nbtorch.ones(3).exp() if number else nbtorch.zeros(2).log()
        found[number] = sorted({e.name for e in prof.events()})

    threads = [threading.Thread(target=work, args=(n,)) for n in range(2)]
    [t.start() for t in threads], [t.join() for t in threads]
    assert found == {0: ["aten::log", "aten::zeros"], 1: ["aten::exp", "aten::ones"]}


def test_profilers_may_overlap() -> None:
    x = nbtorch.ones(2)
    a, b = profile(), profile(record_shapes=True)
    a.start()
    x.exp()
    b.start()
    x.log()
    a.stop()
    x.sqrt()
    b.stop()
    assert [e.name for e in a.events()] == ["aten::exp", "aten::log"]
    assert [(e.name, e.input_shapes) for e in b.events()] == [("aten::log", [[2]]), ("aten::sqrt", [[2]])]


def test_a_named_part_that_outlives_the_profile_or_came_before_it() -> None:
    early, late = record_function("early"), record_function("late")
    early.__enter__()
    with profile() as prof:
        late.__enter__()
        early.__exit__(None, None, None)
        nbtorch.ones(2)
    late.__exit__(None, None, None)
    assert [e.name for e in prof.events()] == ["late", "aten::ones"]
    assert prof.events()[0].time_range.end > 0


def test_record_function_as_a_decorator() -> None:
    @record_function("count")
    def count(n: int) -> int:
        return 0 if n == 0 else 1 + count(n - 1)

    assert count(2) == 2 and count.__name__ == "count"
    with profile() as prof:
        count(0), count(0)
    assert [(e.name, e.is_user_annotation, e.cpu_parent) for e in prof.events()] == [("count", True, None)] * 2
    with profile() as prof:
        count(3)
    assert len(prof.key_averages()) == 1


def test_the_older_profiler() -> None:
    from nbtorch.autograd.profiler import FunctionEvent, emit_nvtx
    from nbtorch.autograd.profiler import profile as classic
    from nbtorch.autograd.profiler_util import EventList

    prof = classic(profile_memory=True)
    assert str(prof) == "<unfinished torch.autograd.profile>"
    with prof as entered:
        assert entered is prof
        nbtorch.ones(2).exp()
    assert isinstance(prof.function_events, EventList) and isinstance(prof.function_events[0], FunctionEvent)
    assert "aten::exp" in str(prof) and "CPU Mem" in prof.key_averages().table()
    with pytest.raises(RuntimeError, match="Profiler context manager is not reentrant"):
        prof.__enter__()
    with classic(enabled=False) as off:
        assert off is None
    with emit_nvtx(enabled=False):
        pass
    with pytest.raises((RuntimeError, AssertionError)):
        emit_nvtx().__enter__()


def _wrong(lib: Any, case: str) -> Any:
    P = lib.profiler
    if case == "wait":
        return P.schedule(wait=-1, warmup=1, active=1)
    if case == "active":
        return P.schedule(wait=1, warmup=1, active=0)
    if case == "step":
        return P.schedule(wait=1, warmup=1, active=1)(-1)
    if case == "activities":
        return P.profile(activities=[])
    if case == "unfinished":
        return P.profile().events()
    if case == "averages":
        return P.profile().key_averages()
    if case == "trace":
        return P.profile().export_chrome_trace("nowhere")
    prof = P.profile()
    with prof:
        lib.ones(2) * 2
    if case == "sort":
        return prof.key_averages().table(sort_by="nonsense")
    if case == "stacks":
        return prof.export_stacks("nowhere")
    return prof.events().export_stacks("nowhere", metric="cpu_time")


@pytest.mark.parametrize(
    "case",
    ["wait", "active", "step", "activities", "unfinished", "averages", "trace", "sort", "stacks", "metric"],
)
def test_errors_as_in_torch(case: str) -> None:
    said = []
    for lib in (nbtorch, import_torch()):
        with pytest.raises((AssertionError, AttributeError, ValueError)) as info:
            _wrong(lib, case)
        said.append((info.type, str(info.value).splitlines()[0]))
    assert said[0] == said[1]


COUNT = st.integers(0, 4)


@given(wait=COUNT, warmup=COUNT, active=st.integers(1, 4), repeat=st.integers(0, 3), skip_first=COUNT, skip_wait=COUNT)
@pytest.mark.filterwarnings("ignore:Profiler won't be using warmup")
def test_schedules_are_torchs(
    wait: int, warmup: int, active: int, repeat: int, skip_first: int, skip_wait: int
) -> None:
    numbers = {"wait": wait, "warmup": warmup, "active": active, "repeat": repeat, "skip_first": skip_first}
    ours, theirs = (lib.profiler.schedule(**numbers, skip_first_wait=skip_wait) for lib in (nbtorch, import_torch()))
    assert [ours(n).name for n in range(40)] == [theirs(n).name for n in range(40)]


def _cycles(lib: Any, schedule: Any, steps: int, **options: Any) -> list[Any]:
    seen: list[Any] = []  # of accumulated cycles PyTorch mixes the order

    def ready(prof: Any) -> None:
        seen.append((prof.step_num, sorted(e.name for e in prof.events() if e.name in ("ProfilerStep*", "aten::exp"))))

    activities = [lib.profiler.ProfilerActivity.CPU]
    with lib.profiler.profile(activities=activities, schedule=schedule, on_trace_ready=ready, **options) as prof:
        for _ in range(steps):
            lib.ones(2).exp()
            prof.step()
    return seen


@pytest.mark.parametrize(
    ("numbers", "steps"),
    [
        ({"wait": 1, "warmup": 1, "active": 2, "repeat": 2}, 10),
        ({"wait": 0, "warmup": 1, "active": 1}, 5),
        ({"wait": 1, "warmup": 1, "active": 3}, 4),
        ({"wait": 2, "warmup": 2, "active": 1, "skip_first": 1}, 3),
    ],
)
@pytest.mark.parametrize("accumulate", [False, True])
@pytest.mark.filterwarnings("ignore:.*Profiler clears")
def test_cycles_as_in_torch(numbers: dict[str, int], steps: int, accumulate: bool) -> None:
    ours, theirs = (
        _cycles(lib, lib.profiler.schedule(**numbers), steps, acc_events=accumulate)
        for lib in (nbtorch, import_torch())
    )
    assert ours == theirs


@settings(max_examples=15)
@given(st.lists(st.sampled_from(list(ProfilerAction)[:4]), min_size=1, max_size=8))
@pytest.mark.filterwarnings("ignore:Incorrect schedule", "ignore:.*Profiler clears")
def test_any_sequence_of_actions_leaves_nothing_behind(actions: list[ProfilerAction]) -> None:
    with profile(schedule=lambda n: actions[n % len(actions)]) as prof:
        for n in range(1, len(actions)):
            assert bool(recorders) == (actions[n - 1] in (ProfilerAction.RECORD, ProfilerAction.RECORD_AND_SAVE))
            nbtorch.ones(1)
            prof.step()
    assert not recorders


def test_traces_of_cycles_in_a_folder(tmp_path: Any) -> None:
    handler = nbtorch.profiler.tensorboard_trace_handler(str(tmp_path / "log"), worker_name="me", use_gzip=True)
    with profile(schedule=nbtorch.profiler.schedule(wait=0, warmup=1, active=1), on_trace_ready=handler) as prof:
        for _ in range(4):
            prof.step()
    names = sorted(p.name for p in (tmp_path / "log").iterdir())
    assert len(names) == 2 and all(n.startswith("me.") and n.endswith(".pt.trace.json.gz") for n in names)
