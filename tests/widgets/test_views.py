"""The widgets' Python half, with a front end played by the test."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from nbtorch_widgets import watch

pytest.importorskip("anywidget")

from nbtorch_widgets import Monitor, RunBar, Seismograph, protocol
from nbtorch_widgets.widget import keep_comm_route
from widgets.support import OwnModel


class Wire:
    """What a view sends, and a way to answer it."""

    def __init__(self, view: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        self.view = view
        self.messages: list[tuple[dict[str, Any], bytes]] = []
        monkeypatch.setattr(view, "send", self._take)

    def _take(self, content: dict[str, Any], buffers: Any = None) -> None:
        json.dumps(content, allow_nan=False)  # what JSON can't carry, the front end can't read
        if content["op"] not in {feed.name for feed in self.view.feeds}:  # those come beside the rows, at the end too
            self.messages.append((content, bytes(buffers[0]) if buffers else b""))

    def receive(self, message: Any) -> None:
        self.view._receive(self.view, message, [])

    def operations(self) -> list[str]:
        return [content["op"] for content, _ in self.messages]


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], Wire]:
    return lambda view: Wire(view, monkeypatch)


def run_of(steps: int = 5, **options: Any) -> Any:
    return watch(OwnModel(), None, range(steps), **options)


def train(run: Any, seconds: float = 0.0) -> None:
    for _ in run:
        run.log(loss=0.5)
        if seconds:
            time.sleep(seconds)


@pytest.mark.parametrize(
    ("view", "kind", "text"),
    [
        (Monitor, "monitor", "Monitor(step 5/5, finished, loss 0.5)"),
        (RunBar, "runbar", "RunBar(step 5/5, finished, loss 0.5)"),
        (Seismograph, "seismograph", "Seismograph(2 parameters, step 5/5, finished, loss 0.5, no gradients)"),
    ],
)
def test_views(view: Any, kind: str, text: str) -> None:
    run = run_of()
    train(run)
    shown = view(run)
    assert shown.kind == kind and repr(shown) == text
    data, _ = shown._repr_mimebundle_()
    assert data["text/plain"] == text and data["image/svg+xml"].startswith("<svg")
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"]
    assert shown.meta["names"] == ["w", "b"]


def test_a_view_needs_a_run() -> None:
    with pytest.raises(TypeError, match=r"RunBar expected a run.*got OwnModel"):
        RunBar(OwnModel())


def test_an_unheard_front_end_gets_everything_a_few_times_a_second(wire: Callable[[Any], Wire]) -> None:
    run = run_of(60)
    front = wire(Monitor(run))
    train(run, 0.01)
    assert set(front.operations()) == {"snapshot"}
    assert 2 <= len(front.messages) <= 6
    content, buffer = front.messages[-1]
    assert content["state"] == "finished" and content["rows"] == 60
    assert len(buffer) == 60 * (12 + 5 * 2)


def test_a_heard_front_end_gets_what_is_new(wire: Callable[[Any], Wire]) -> None:
    run = run_of(40)
    front = wire(Monitor(run))
    front.receive({"op": "hello"})
    train(run, 0.01)
    assert front.operations()[0] == "snapshot" and set(front.operations()[1:]) == {"frame"}
    assert 5 <= len(front.messages) <= 35  # thirty a second
    steps: list[int] = []
    for content, buffer in front.messages:
        steps += np.frombuffer(buffer, "<u4", content["rows"]).tolist()
    assert steps == list(range(1, 41))
    assert [content["seq"] for content, _ in front.messages] == list(range(1, len(front.messages) + 1))
    assert front.messages[-1][0]["state"] == "finished"


def test_a_page_that_is_gone_gets_nothing_until_it_is_back(wire: Callable[[Any], Wire]) -> None:
    run = run_of(30)
    front = wire(Monitor(run))
    front.receive({"op": "hello"})
    for step in run:
        if step == 10:
            front.view._beat -= 10
            sent = len(front.messages)
        if step == 20:
            assert len(front.messages) <= sent + 1
            front.receive({"op": "beat", "step": 3})
            assert front.operations()[-1] == "snapshot"
        time.sleep(0.005)
    assert front.messages[-1][0]["step"] == 30


def test_commands_are_obeyed_and_answered(wire: Callable[[Any], Wire]) -> None:
    run = run_of()
    front = wire(Monitor(run))
    front.receive({"op": "hello"})
    seen = []
    for step in run:
        seen.append(step)
        if step == 2:
            for op, state in (("pause", "paused"), ("resume", "running"), ("stop", "stopping")):
                front.receive({"op": op})
                assert front.messages[-1][0]["op"] == "state" and front.messages[-1][0]["state"] == state
    assert seen == [0, 1, 2] and run.stopped
    assert front.messages[-1][0]["state"] == "stopped"


@pytest.mark.parametrize(
    "message", [None, 3, "pause", [], {}, {"op": None}, {"op": "quit"}, {"op": ["pause"]}, {"x": 1}]
)
def test_malformed_messages_change_nothing(wire: Callable[[Any], Wire], message: Any) -> None:
    run = run_of()
    front = wire(Monitor(run))
    front.receive(message)
    assert front.operations() == ["error"]
    train(run)
    assert run.state == "finished"


def test_a_view_that_fails_does_not_end_the_training(monkeypatch: pytest.MonkeyPatch) -> None:
    run = run_of()
    view = Monitor(run)

    def fail(*_: Any, **__: Any) -> None:
        raise OSError("the socket is closed")

    monkeypatch.setattr(view, "send", fail)
    with pytest.warns(UserWarning, match="detached from its run.*socket is closed"):
        train(run)
    assert run.state == "finished" and not run.telemetry.watched


def test_losses_that_json_lacks_arrive(wire: Callable[[Any], Wire]) -> None:
    run = run_of(2)
    front = wire(Monitor(run))
    for _ in run:
        run.log(loss=float("nan"), worst=float("inf"))
    assert front.messages[-1][0]["loss"] == "NaN"
    assert front.messages[-1][0]["metrics"] == {"worst": "Infinity"}


def test_the_final_state_is_saved_in_one_value(wire: Callable[[Any], Wire]) -> None:
    run = run_of(1000)
    view = Monitor(run)
    assert view.snapshot == b""
    train(run)
    length = int.from_bytes(view.snapshot[:4], "little")
    header = json.loads(view.snapshot[4 : 4 + length])
    assert header["state"] == "finished" and header["step"] == 1000
    assert view.snapshot[4 + length :] == protocol.pack_rows(run.telemetry.rows())
    assert len(view.snapshot) < 1 << 15


def test_what_is_saved_of_a_big_model_is_bounded() -> None:
    model = {f"layer.{index}": SimpleNamespace(grad=1.0) for index in range(500)}
    run = watch(model, None, range(300))
    view = Monitor(run)
    train(run, 0.001)
    assert len(run.history) >= 60 and len(view.snapshot) < 64 * (8 + 5 * 500) + 1024


def test_a_view_made_after_the_run_shows_it() -> None:
    run = run_of()
    train(run)
    assert Monitor(run).snapshot
    assert not Monitor(run_of()).snapshot


def test_a_closed_view_is_forgotten() -> None:
    run = run_of()
    view = Monitor(run)
    assert run.telemetry.watched
    view.close()
    assert not run.telemetry.watched


def test_the_remedy_touches_only_kernels_that_need_it() -> None:
    old, new = SimpleNamespace(), SimpleNamespace(_reply_subshell_for=lambda data, default: "busy")
    keep_comm_route(old)
    keep_comm_route(new)
    assert not vars(old)
    assert new._reply_subshell_for({}, "default") == "default"
    keep_comm_route(None)
