"""Probes and feeds: what is measured, when, and that nothing of it can hurt a training."""

from __future__ import annotations

from typing import Any

import pytest
from helpers import import_torch
from nbtorch_widgets import watch
from nbtorch_widgets.probe import Probe, Watched
from widgets.support import Training

import nbtorch


class Recorder(Probe):
    def __init__(self, fails: str = "") -> None:
        super().__init__()
        self.events: list[str] = []
        self.fails = fails

    def note(self, event: str) -> None:
        self.events.append(event)
        if self.fails and event.startswith(self.fails):
            raise OSError("the probe is broken")

    def install(self, watched: Watched) -> None:
        self.note(f"install {len(watched.parameters)}")

    def before_step(self, step: int) -> None:
        self.note(f"before {step}")

    def before_update(self) -> None:
        self.note("update")

    def after_step(self, step: int) -> None:
        self.note(f"after {step}")

    def remove(self) -> None:
        self.note("remove")


@pytest.fixture(params=["nbtorch", "torch"])
def lib(request: pytest.FixtureRequest) -> Any:
    return nbtorch if request.param == "nbtorch" else import_torch()


def test_a_wanted_probe_hears_of_every_sampled_step(lib: Any) -> None:
    training = Training(lib, steps=3)
    run = watch(training.model, training.optimizer, training.batches, show=False)
    probe = run.telemetry.add_probe(Recorder())
    assert run.telemetry.add_probe(Recorder()) is probe
    probe.wanted_by.add("a test")
    training.loop(run)
    steps = [event for step in (1, 2, 3) for event in (f"before {step}", "update", f"after {step}")]
    assert probe.events == ["install 4", *steps, "remove"]


def test_nobody_wants_it_then_nothing_is_measured(lib: Any) -> None:
    training = Training(lib, steps=3)
    run = watch(training.model, training.optimizer, training.batches, show=False)
    probe = run.telemetry.add_probe(Recorder())
    training.loop(run)
    assert probe.events == ["install 4", "remove"]


@pytest.mark.parametrize("fails", ["install", "before", "update", "after", "remove"])
def test_a_broken_probe_is_told_once_and_training_goes_on(lib: Any, fails: str) -> None:
    plain, training = Training(lib, steps=4), Training(lib, steps=4)
    plain.loop(plain.batches)
    run = watch(training.model, training.optimizer, training.batches, show=False)
    broken, sound = Recorder(fails), type("Sound", (Recorder,), {})()
    for probe in (broken, sound):
        run.telemetry.add_probe(probe)
        probe.wanted_by.add("a test")
    with pytest.warns(UserWarning, match="Recorder failed and is left out of this run.*the probe is broken") as told:
        training.loop(run)
    assert len(told) == 1 and training.losses == plain.losses
    assert sound.events[-2:] == ["after 4", "remove"] and "remove" in broken.events
