from __future__ import annotations

import signal
import threading
import time
from typing import Any

import pytest
from nbtorch_widgets import train
from widgets.support import OwnModel, Training


def test_in_the_main_thread(lib: Any) -> None:
    training = Training(lib)

    def body(batch: Any) -> Any:
        training.optimizer.zero_grad()
        loss = training.forward(batch)
        loss.backward()
        training.optimizer.step()
        return loss

    run = train(body, training.model, training.optimizer, training.batches, epochs=2)
    assert (run.state, run.step) == ("finished", 24) and len(run.history) == 24
    assert run.telemetry.loss is not None and training.hooks() == 0


def test_in_a_thread(lib: Any) -> None:
    training = Training(lib, steps=4)
    threads = set()

    def body(batch: Any) -> Any:
        threads.add(threading.current_thread().name)
        training.optimizer.zero_grad()
        loss = training.forward(batch)
        loss.backward()
        training.optimizer.step()
        return loss

    run: Any = train(body, training.model, training.optimizer, training.batches, background=True)
    assert run.wait(30) and not run.running
    assert threads == {"nbtorch-train"} and (run.state, run.step) == ("finished", 4)
    assert len(run.history) == 4 and training.hooks() == 0


def slow_run(**options: Any) -> Any:
    return train(lambda _: time.sleep(0.01), OwnModel(), None, range(10_000), background=True, **options)


def test_it_returns_at_once_and_can_be_stopped() -> None:
    run = slow_run()
    assert run.running and not run.wait(0.1)
    run.control.command("stop")
    assert run.wait(5) and run.state == "stopped"


def test_an_interrupt_of_wait_stops_it() -> None:
    run = slow_run()
    threading.Timer(0.2, lambda: signal.raise_signal(signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        run.wait()
    assert not run.running and run.stopped


def test_an_error_is_raised_by_wait() -> None:
    def body(step: int) -> None:
        if step == 3:
            raise ValueError("bad batch")

    run: Any = train(body, OwnModel(), None, range(10), background=True)
    with pytest.raises(ValueError, match="bad batch"):
        run.wait(10)
    assert run.state == "failed" and run.step == 3
    assert run.wait(1)  # once


def test_wrong_calls_teach() -> None:
    with pytest.raises(TypeError, match=r"function of one batch.*got OwnModel"):
        train(OwnModel(), OwnModel(), None, [1])  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="expected a loader"):
        train(len, OwnModel())
