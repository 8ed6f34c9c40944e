from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable

import pytest
from nbtorch_widgets import RunControl


def after(seconds: float, action: Callable[[], object]) -> threading.Thread:
    thread = threading.Timer(seconds, action)
    thread.start()
    return thread


def test_a_running_loop_is_not_held() -> None:
    control = RunControl()
    assert control.checkpoint()
    assert control.paused_seconds == 0
    assert repr(control) == "RunControl(running)"


def test_pause_holds_the_loop_until_resume() -> None:
    control = RunControl()
    control.command("pause")
    waits: list[float] = []
    after(0.25, lambda: control.command("resume")).name = "resume"
    began = time.monotonic()
    assert control.checkpoint(lambda: waits.append(time.monotonic()))
    assert 0.2 < time.monotonic() - began < 2
    assert waits and control.mode == "running"
    assert control.paused_seconds == pytest.approx(time.monotonic() - began, abs=0.1)


def test_steps_are_counted_one_by_one() -> None:
    control = RunControl()
    for _ in range(3):
        control.command("step")
    assert [control.checkpoint() for _ in range(3)] == [True] * 3
    after(0.1, lambda: control.command("step"))
    began = time.monotonic()
    assert control.checkpoint()
    assert time.monotonic() - began > 0.05
    assert control.mode == "paused"


def test_resume_takes_back_granted_steps() -> None:
    control = RunControl()
    control.command("step")
    control.command("resume")
    control.command("pause")
    after(0.1, lambda: control.command("stop"))
    assert not control.checkpoint()


def test_stop_ends_a_wait_and_lasts() -> None:
    control = RunControl()
    control.command("pause")
    after(0.1, lambda: control.command("stop"))
    assert not control.checkpoint()
    for op in ("resume", "pause", "step"):
        assert control.command(op)
    assert control.mode == "stopped" and not control.checkpoint()


@pytest.mark.parametrize("op", ["", "PAUSE", "run", "quit"])
def test_other_words_are_no_commands(op: str) -> None:
    control = RunControl()
    assert not control.command(op)
    assert control.mode == "running"


def test_an_interrupt_ends_a_wait_at_once() -> None:
    control = RunControl()
    control.command("pause")
    after(0.1, lambda: signal.raise_signal(signal.SIGINT))
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        control.checkpoint()
    assert time.monotonic() - began < 1


def test_commands_from_many_threads_leave_one_of_the_modes() -> None:
    control = RunControl()
    done = threading.Event()

    def press() -> None:
        while not done.is_set():
            for op in ("pause", "step", "resume"):
                control.command(op)

    threads = [threading.Thread(target=press) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(200):
        assert control.checkpoint()
    done.set()
    for thread in threads:
        thread.join()
    control.command("resume")
    assert control.checkpoint()
