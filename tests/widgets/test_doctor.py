"""The gradient doctor: named findings on broken trainings, silence on healthy ones, and how a report is shown."""

from __future__ import annotations

import importlib
import json
import warnings
import xml.etree.ElementTree
from typing import Any

import numpy as np
import pytest
from nbtorch_widgets import doctor, watch
from nbtorch_widgets.doctor.findings import Finding, Report
from nbtorch_widgets.doctor.rules import EXPLAINS
from nbtorch_widgets.doctor.texts import TEXTS
from widgets.doctor_broken import BROKEN
from widgets.doctor_healthy import HEALTHY
from widgets.doctor_heldout import BROKEN as UNSEEN
from widgets.doctor_heldout import HEALTHY as UNSEEN_HEALTHY
from widgets.doctor_support import Bench

LIBRARIES = [
    ("nbtorch", name, name in BROKEN) for name in (*BROKEN, *HEALTHY)
] + [("torch", name, name in BROKEN) for name in (*list(BROKEN)[::3], *list(HEALTHY)[::3])]  # fmt: skip


@pytest.mark.parametrize(("library", "name", "is_broken"), LIBRARIES)
def test_catalogue(library: str, name: str, is_broken: bool) -> None:
    lib = pytest.importorskip(library) if library == "torch" else importlib.import_module(library)
    codes, training = BROKEN[name] if is_broken else ((), HEALTHY[name])
    report = training(Bench(lib)).doctor()
    assert report.codes[:1] == [codes[0]] if is_broken else report.codes == [], repr(report)


def broken_run() -> Any:
    return BROKEN["left_in_evaluation"][1](Bench(importlib.import_module("nbtorch")))


def test_a_report_says_where_when_how_and_what_helps() -> None:
    run = broken_run()
    report = doctor(run)
    (finding,) = report
    assert (finding.code, finding.severity, finding.step) == ("evaluation", "error", 1)
    assert "24 of 24" in finding.evidence and "model.train()" in finding.remedy
    assert repr(report).splitlines()[0] == "error: The model trains in evaluation mode (step 1)"
    assert repr(report) == repr(doctor(broken_run()))
    assert "평가 모드" in finding.text("title", "ko")
    data = report._repr_mimebundle_()
    assert set(data) == {"text/plain", "text/html", "image/svg+xml"}
    xml.etree.ElementTree.fromstring(data["image/svg+xml"])


def test_a_healthy_run_has_no_findings() -> None:
    run = HEALTHY["plain_classifier"](Bench(importlib.import_module("nbtorch")))
    report = run.doctor()
    assert report.healthy and repr(report) == "no findings (24 of 30 steps examined)"
    assert "No findings" in report.to_svg() and "발견된 문제 없음" in Report([], language="ko")._repr_html_()


def test_texts_are_complete() -> None:
    assert all(set(text) == {"en", "ko"} and all(map(all, text.values())) for text in TEXTS.values())
    assert {*EXPLAINS, *(code for effects in EXPLAINS.values() for code in effects)} <= set(TEXTS)
    for name, (codes, _) in BROKEN.items():
        assert set(codes) <= set(TEXTS), name


def test_names_are_never_markup() -> None:
    finding = Finding("unused", "warning", 1, "<img src=x>", {"names": "<b>", "samples": 2, "layer": "<script>"})
    report = Report([finding])
    assert "<img" not in report._repr_html_() and "<script" not in report._repr_html_()
    assert "<img" not in report.to_svg()
    xml.etree.ElementTree.fromstring(report.to_svg())


def test_messages_are_json() -> None:
    run = BROKEN["rate_far_too_high"][1](Bench(importlib.import_module("nbtorch")))
    message = [finding.message() for finding in run.doctor()]
    assert message and json.dumps(message, allow_nan=False)


def test_a_model_at_rest(lib: Any) -> None:
    b = Bench(lib)
    model = b.mlp(4, 8, 2)
    assert doctor(model).codes == ["no-gradients-yet"]
    (x, y), *_ = b.classes(1, 8, 4, 2)
    b.F.cross_entropy(model[2](model[0](x).detach()), y).backward()
    assert doctor(model).codes == ["no-gradient"]
    b.fill(model[0].weight, 0.0)
    assert "symmetric-now" in doctor(model).codes
    b.fill(model[0].bias, float("nan"))
    assert doctor(model).codes[0] == "nan-weights"
    with pytest.raises(TypeError, match="expected a run"):
        doctor(3)


def test_hooks_are_gone_and_the_training_is_the_same(lib: Any) -> None:
    def weights(watched: bool) -> list[Any]:
        b = Bench(lib)
        model = b.mlp(8, 16, 3)
        optimizer = b.sgd(model, momentum=0.9)
        batches = b.classes(10)
        for x, y in watch(model, optimizer, batches, show=False) if watched else batches:
            optimizer.zero_grad()
            loss = b.F.cross_entropy(model(x), y)
            loss.backward()
            optimizer.step()
        assert not any(getattr(m, "_forward_hooks", None) for m in model.modules())
        return [p.detach().numpy().copy() for p in model.parameters()]

    assert all(np.array_equal(a, b) for a, b in zip(weights(True), weights(False), strict=True))


def test_a_doctor_that_fails_does_not_end_the_training(monkeypatch: pytest.MonkeyPatch, lib: Any) -> None:
    from nbtorch_widgets.doctor import reading

    def fail(*_: Any) -> None:
        raise ArithmeticError("broken stethoscope")

    monkeypatch.setattr(reading, "nonlinearity", fail)
    b = Bench(lib)
    model = b.mlp(8, 16, 3)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        run = watch(model, b.sgd(model), b.classes(5), show=False)
        for x, y in run:
            loss = b.F.cross_entropy(model(x), y)
            loss.backward()
    assert run.state == "finished"
    assert sum("stethoscope" in str(w.message) for w in told) == 1


def test_the_magic() -> None:
    pytest.importorskip("IPython")
    from IPython.core.interactiveshell import InteractiveShell
    from nbtorch_widgets import extension
    from nbtorch_widgets.doctor.magic import DoctorError

    shell = InteractiveShell()
    extension.load(shell)
    run = shell.user_ns["run"] = broken_run()
    for line in ("run", ""):
        assert repr(shell.run_line_magic("doctor", line)) == repr(run.doctor())
    assert "평가 모드" in shell.run_line_magic("doctor", "--korean run")._repr_html_()
    shell.user_ns["model"] = Bench(importlib.import_module("nbtorch")).mlp(2, 3, 1)
    assert shell.run_line_magic("doctor", "model").codes == ["no-gradients-yet"]
    shell.user_ns["three"] = 3
    for line, message in (("nothing", "no variable"), ("three", "expected a run or a model")):
        with pytest.raises(DoctorError, match=message):
            shell.run_line_magic("doctor", line)
    extension.unload(shell)
    assert "doctor" not in shell.magics_manager.magics["line"]
    InteractiveShell.clear_instance()


@pytest.mark.parametrize("name", ["lstm_detached", "log_of_a_relu", "lstm_frozen_by_accident"])
def test_a_broken_training_that_no_rule_was_tuned_on(name: str, lib: Any) -> None:
    codes, training = UNSEEN[name]
    assert training(Bench(lib)).doctor().codes[0] in codes


@pytest.mark.parametrize("name", ["two_towers_whole", "accumulation_of_three"])
def test_a_healthy_training_that_no_rule_was_tuned_on(name: str, lib: Any) -> None:
    assert UNSEEN_HEALTHY[name](Bench(lib)).doctor().codes == []
