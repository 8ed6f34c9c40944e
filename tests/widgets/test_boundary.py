"""Decision boundaries: what a model answers on a plane, asked without a trace, live while it is trained."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from nbtorch_widgets import watch

pytest.importorskip("anywidget")

from nbtorch_widgets import DecisionBoundary
from nbtorch_widgets.landscape.sandbox import RandomState
from widgets.test_landscape import state_of

X = np.array([[-1.0, 0.0], [1.0, 0.1], [-0.8, 0.5], [0.9, -0.4]], np.float32)
Y = np.array([0, 1, 0, 1])


def linear(lib: Any, weight: list[list[float]]) -> Any:
    model = lib.nn.Linear(2, len(weight), bias=False)
    with lib.no_grad():
        model.weight.copy_(lib.tensor(weight))
    return model


@pytest.mark.parametrize("weight", [[[3.0, 0.0]], [[-3.0, 0.0], [3.0, 0.0]]])
def test_regions(lib: Any, weight: list[list[float]]) -> None:
    model = lib.nn.Sequential(lib.nn.Dropout(0.5), linear(lib, weight))
    model[1].weight.grad = lib.ones(len(weight), 2)
    before, randomness = state_of(model), RandomState()
    shown = DecisionBoundary(model, lib.tensor(X), lib.tensor(Y))
    assert shown.classes.shape == (64, 64) and (shown.classes[:, :32] == 0).all() and (shown.classes[:, 32:] == 1).all()
    assert shown.accuracy == 1 and repr(shown) == "DecisionBoundary(4 points, 2 classes, accuracy 1)"
    assert shown.confidence.min() >= 0.5 and shown.confidence[0, 0] > 0.95
    assert state_of(model) == before and randomness.same_as(RandomState())
    assert shown.saved["boundary"]["header"]["accuracy"] == 1
    assert shown.to_svg() == shown.to_svg() and len(shown.points) == 4 * 9


def test_what_a_model_gives() -> None:
    right = X[:, 0]
    for model, labels, output in (
        (lambda p: 1 / (1 + np.exp(-5 * p[:, 0])), Y, "auto"),  # a probability
        (lambda p: np.tanh(5 * p[:, :1]), np.where(right > 0, 1.0, -1.0), "auto"),  # the labels themselves
        (lambda p: 50 * p[:, 0], np.array(["left", "right"])[Y], "logits"),
    ):
        shown = DecisionBoundary(model, X, labels, output=output)  # type: ignore[arg-type]
        assert shown.accuracy == 1 and set(np.unique(shown.classes)) == {0, 1}


@pytest.mark.parametrize(
    ("data", "labels", "message"),
    [(np.ones((4, 3)), Y, r"shape \[N, 2\]"), (X, Y[:2], "each of the 4 points"), (X, Y * 0, "2 to 8 classes")],
)
def test_what_cannot_be_shown_is_refused(data: Any, labels: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        DecisionBoundary(lambda p: p[:, 0], data, labels)


def test_it_follows_a_run_while_a_page_wants_it(lib: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    model = linear(lib, [[-2.0, 0.0]])
    optimizer = lib.optim.SGD(model.parameters(), lr=1.0)
    run = watch(model, optimizer, range(12), show=False)
    shown = DecisionBoundary(model, X, Y, run=run)
    sent: list[dict[str, Any]] = []
    monkeypatch.setattr(shown, "send", lambda content, buffers=None: sent.append(content))
    looks: list[int] = []
    look = shown._probe.look
    monkeypatch.setattr(shown._probe, "look", lambda step: (looks.append(step), look(step))[1])
    assert shown.accuracy == 0
    looks.clear()
    targets = lib.tensor(Y.astype(np.float32))
    for step in run:
        if step == 6:
            assert not looks  # nobody wanted it
            shown._receive(shown, {"op": "hello"}, [])
            shown._receive(shown, {"op": "want", "feeds": ["boundary"]}, [])
        optimizer.zero_grad()
        loss = lib.nn.functional.binary_cross_entropy_with_logits(model(lib.tensor(X))[:, 0], targets)
        loss.backward()
        optimizer.step()
    assert looks and looks[-1] == 12 and len(looks) <= 4
    assert shown.accuracy == 1 and shown.saved["boundary"]["header"]["step"] == 12
    boundaries = [content for content in sent if content["op"] == "boundary"]
    assert boundaries and boundaries[-1]["accuracy"] == 1
