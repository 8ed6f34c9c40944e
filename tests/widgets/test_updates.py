"""How far a step moves the weights: measured on nbtorch and PyTorch, compared with NumPy's own numbers."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from nbtorch_widgets import gradients, updates, watch
from nbtorch_widgets.table import Table
from nbtorch_widgets.updates import UpdateProbe, UpdatesFeed, advise, host_moments
from widgets.support import OwnOptimizer, Training


def probed(run: Any) -> UpdateProbe:
    probe: UpdateProbe = run.telemetry.add_probe(UpdateProbe(run.telemetry))
    probe.wanted_by.add("a test")
    return probe


def as_arrays(parameters: Any) -> list[Any]:
    return [gradients.on_host(parameter).astype(np.float64) for parameter in parameters]


def expected(before: list[Any], after: list[Any]) -> tuple[list[float], list[float], list[float]]:
    weight = [float(np.linalg.norm(a)) for a in after]
    update = [float(np.linalg.norm(a - b)) for a, b in zip(after, before, strict=True)]
    ratio = [
        float((a - b).std() / b.std()) if b.size > 1 and b.std() > 0 else np.nan
        for a, b in zip(after, before, strict=True)
    ]
    return weight, update, ratio


def check(row: Any, wanted: Any, tolerance: float = 1e-5) -> None:
    for measured, value in zip(row, wanted, strict=True):
        np.testing.assert_allclose(measured, value, rtol=tolerance)


@pytest.mark.parametrize("optimizer", ["SGD", "Adam", "own"])
def test_norms_and_ratios_are_those_of_numpy(lib: Any, optimizer: str) -> None:
    training = Training(lib)
    parameters = list(training.model.parameters())
    if optimizer == "own":
        training.optimizer = OwnOptimizer(parameters)
    elif optimizer == "Adam":
        training.optimizer = lib.optim.Adam(parameters, lr=0.01)
    run = watch(training.model, training.optimizer, training.batches, show=False)
    probe = probed(run)
    wanted = []

    def loop() -> Iterator[Any]:
        for batch in run:
            before = as_arrays(parameters)
            yield batch
            wanted.append(expected(before, as_arrays(parameters)))

    training.loop(loop())
    rows = probe.updates()
    assert rows.steps.tolist() == list(range(1, 13))
    for row in range(12):
        check((rows.weight[row], rows.update[row], rows.ratio[row]), wanted[row])
    assert np.isnan(rows.ratio[:, 3]).all()  # a single number has no deviation
    assert np.isfinite(rows.ratio[:, :3]).all()
    assert probe.rates == ([] if optimizer == "own" else [0.1 if optimizer == "SGD" else 0.01])
    assert probe._tensors == [] and probe._before is None
    assert training.hooks() == 0


def test_moments_of_arrays_that_need_care() -> None:
    draw = np.random.default_rng(0)
    shifted = draw.standard_normal(300_000).astype(np.float32) * 1e-3 + 1e3
    assert host_moments(shifted)[1] == pytest.approx(shifted.astype(np.float64).std(), rel=1e-9)
    tiny = np.full(10, 1e-30, np.float32)
    assert host_moments(tiny)[0] == pytest.approx(np.sqrt(10) * 1e-30, rel=1e-6)
    big = draw.standard_normal(200_000) + 1j * draw.standard_normal(200_000)
    norm, deviation = host_moments(big, big / 2)
    assert norm == pytest.approx(np.linalg.norm(big) / 2) and deviation == pytest.approx(big.std() / 2)
    assert np.isnan(host_moments(np.zeros(0))[1]) and np.isnan(host_moments(np.array([np.nan, 1.0]))[0])


def test_frozen_shared_and_idle_parameters(lib: Any) -> None:
    training = Training(lib)
    names = dict(training.model.named_parameters())
    names["0.bias"].requires_grad = False
    names["again"] = names["0.weight"]
    names["idle"] = lib.nn.Parameter(lib.ones(3, 2) * lib.arange(2).float())
    run = watch(names, training.optimizer, training.batches, show=False)
    probe = probed(run)
    training.loop(run)
    rows = probe.updates()
    column = {name: index for index, name in enumerate(names)}
    assert np.isnan(rows.update[:, column["0.bias"]]).all() and np.isfinite(rows.weight[:, column["0.bias"]]).all()
    np.testing.assert_array_equal(rows.update[:, column["again"]], rows.update[:, column["0.weight"]])
    assert (rows.update[:, column["idle"]] == 0).all() and (rows.ratio[:, column["idle"]] == 0).all()


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_other_dtypes(lib: Any, dtype: str) -> None:
    weight = lib.nn.Parameter(lib.tensor(np.linspace(-1, 1, 50, dtype=np.float32)).to(getattr(lib, dtype)))
    optimizer = lib.optim.SGD([weight], lr=0.5)
    run = watch({"w": weight}, optimizer, range(3), show=False)
    probe = probed(run)
    for _ in run:
        before = as_arrays([weight])
        weight.grad = lib.ones_like(weight) * weight.detach()
        optimizer.step()
        wanted = expected(before, as_arrays([weight]))
    rows = probe.updates()
    check((rows.weight[-1], rows.update[-1], rows.ratio[-1]), wanted)


def test_sparse_gradients_and_parameters() -> None:
    torch = pytest.importorskip("torch")
    table = torch.nn.Embedding(20, 4, sparse=True)
    optimizer = torch.optim.SparseAdam(list(table.parameters()), lr=0.1)
    sparse = torch.eye(4).to_sparse().requires_grad_()
    run = watch({"table": table.weight, "sparse": sparse}, optimizer, range(2), show=False)
    probe = probed(run)
    for _ in run:
        before = as_arrays([table.weight])
        optimizer.zero_grad()
        table(torch.tensor([1, 2])).sum().backward()
        optimizer.step()
        wanted = expected(before, as_arrays([table.weight]))
    rows = probe.updates()
    check((rows.weight[-1, :1], rows.update[-1, :1], rows.ratio[-1, :1]), wanted)
    assert rows.weight[-1].tolist()[1] == 2.0 and rows.update[-1].tolist()[1] == 0.0


def test_numbers_of_a_device_are_the_same(lib: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def rows() -> Any:
        training = Training(lib)
        next(iter(training.model.parameters())).requires_grad = False
        run = watch(training.model, training.optimizer, training.batches, show=False)
        probe = probed(run)
        training.loop(run)
        return probe.updates()

    on_host = rows()
    monkeypatch.setattr(updates, "is_on_device", lambda tensor: True)
    fetched = []
    monkeypatch.setattr(updates, "fetch", lambda pending: fetched.append(1) or gradients.fetch(pending))
    for ours, theirs in zip(rows(), on_host, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4)
    assert len(fetched) == 12 + 1  # one a sample, and one for what is frozen


def test_closures_and_iterations_without_a_step(lib: Any) -> None:
    training = Training(lib)
    optimizer = lib.optim.LBFGS(training.model.parameters(), lr=0.1, max_iter=2)
    run = watch(training.model, optimizer, training.batches[:3], show=False)
    probe = probed(run)
    for batch in run:

        def closure(batch: Any = batch) -> Any:
            optimizer.zero_grad()
            loss = training.forward(batch)
            loss.backward()
            return loss

        optimizer.step(closure)
    assert len(probe.updates()) == 3 and (probe.updates().update > 0).all()

    training = Training(lib)
    run = watch(training.model, training.optimizer, training.batches, show=False)
    probe = probed(run)
    for number, batch in enumerate(run):
        training.forward(batch).backward()
        if number % 4 == 3:
            training.optimizer.step()
            training.optimizer.zero_grad()
    assert probe.updates().steps.tolist() == [4, 8, 12]


def test_nothing_is_measured_for_nobody(lib: Any) -> None:
    training = Training(lib)
    run = watch(training.model, training.optimizer, training.batches, show=False)
    run.telemetry.probes.clear()  # the doctor, who has hooks of its own
    feed = UpdatesFeed(run.telemetry)
    for number, batch in enumerate(run):
        if number in (4, 6):
            feed.want(number == 4)
        assert training.hooks() == (1 if number in (0, 1, 2, 3, 4) else 2)  # the run's own is one
        training.loop([batch])
        assert (feed.probe._before is not None) == (number == 5)
    assert training.hooks() == 0
    assert feed.probe.updates().steps.tolist() == [6]


def test_a_probe_that_fails_does_not_end_the_training(lib: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    training = Training(lib)
    run = watch(training.model, training.optimizer, training.batches, show=False)
    probe = probed(run)
    monkeypatch.setattr(updates, "_copy", lambda tensor: 1 / 0)
    with pytest.warns(UserWarning, match="UpdateProbe failed and is left out of this run.*division"):
        training.loop(run)
    assert run.state == "finished" and not len(probe.updates()) and training.hooks() == 0


def test_the_feed_packs_what_is_new(lib: Any) -> None:
    training = Training(lib)
    run = watch(training.model, training.optimizer, training.batches, show=False)
    feed = UpdatesFeed(run.telemetry)
    assert feed.news(everything=True) is None
    feed.want(True)
    seen = []
    for number, batch in enumerate(run):
        training.loop([batch])
        if number in (5, 8):
            message = feed.news(everything=number == 5)
            assert message is not None
            seen.append(message)
    (first, [_]), (second, [buffer]) = seen
    assert (first["rows"], first["all"], first["dimensions"]) == (5, True, [2, 1, 2, 1])
    assert (second["rows"], second["all"]) == (3, False) and "dimensions" not in second
    rows = feed.probe.updates()
    assert np.frombuffer(buffer, "<u4", 3).tolist() == [6, 7, 8]
    columns = np.frombuffer(buffer, "<f4", offset=12).reshape(3, 3, 4)
    for column, own in zip(columns, rows[1:], strict=True):
        np.testing.assert_array_equal(column, own[5:8])
    advice = second["advice"]
    assert advice["rate"] == 0.1 and advice["wanted"] == pytest.approx(0.1 * 10 ** (-3 - advice["median"]))
    assert feed.news(everything=False) is not None and feed.news(everything=False) is None


def test_advice() -> None:
    ratio = np.array([[1e-3, 1e-1, 1e-6, 0.5, np.nan, 0.0]] * 5)
    said = advise(ratio, [2, 2, 3, 1, 2, 2], [0.1, 0.1])
    assert said is not None
    assert said.median == pytest.approx(-3) and said.wanted == pytest.approx(0.1) and said.rate == 0.1
    assert said.fast == [1] and said.slow == [2]
    vectors = advise(ratio[:, 3:4], [1], [0.1, 0.2])
    assert vectors is not None and vectors.fast == [0] and vectors.rate is None and vectors.wanted is None
    assert advise(ratio[:, 4:], [2, 2], []) is None
    assert advise(np.zeros((0, 2)), [], []) is None


def test_tables_are_bounded_and_keep_their_landmarks() -> None:
    marks = [1, 501, 1001, 1501]
    table = Table([(np.float32, (2,))], capacity=64, landmarks=lambda: marks)
    for step in range(1, 2001):
        table.append(step, [step, -step])
        table.append(step, [0, 0])  # a step comes once
    steps, values = table.since()
    assert len(table) <= 64 and steps[0] == 1 and steps[-16:].tolist() == list(range(1985, 2001))
    assert set(marks) <= set(steps.tolist()) and (np.diff(steps.astype(int)) > 0).all()
    np.testing.assert_array_equal(values, np.stack([steps, -steps.astype(float)], axis=1))
    assert table.landmarks()[0].tolist() == marks
    spread = table.spread(10)[0].tolist()
    assert len(spread) == 10 and set(marks) <= set(spread) and spread[-1] == 2000
    assert table.since(1998)[0].tolist() == [1999, 2000] and table.since(0, 3)[0].tolist() == [1998, 1999, 2000]
    full = Table([], capacity=8, landmarks=lambda: range(100))
    for step in range(1, 100):
        full.append(step)
    assert len(full) <= 8


def test_a_model_of_arrays_without_a_framework() -> None:
    weight = SimpleNamespace(data=np.arange(6.0).reshape(2, 3), grad=np.ones((2, 3)))
    optimizer = OwnOptimizer([weight], lr=1e-3)
    run = watch({"w": weight}, optimizer, range(2), show=False)
    probe = probed(run)
    for _ in run:
        optimizer.step()
    np.testing.assert_allclose(probe.updates().update, np.sqrt(6) * 1e-3, rtol=1e-5)
    assert probe.dimensions == [2]


def trained(lib: Any, **options: Any) -> Any:
    from nbtorch_widgets import UpdateRatio

    training = Training(lib, **options)
    run = watch(training.model, training.optimizer, training.batches, show=False)
    view = UpdateRatio(run)
    assert repr(view).startswith("UpdateRatio(4 parameters, step 0") and not view.has_picture
    training.loop(run)
    return view


def test_the_widget_without_a_page(lib: Any) -> None:
    pytest.importorskip("anywidget")
    view, again = trained(lib), trained(lib)
    assert len(view.history) == 12 and view.history.ratio.shape == (12, 4)
    assert repr(view) == repr(again) and repr(view).startswith("UpdateRatio(4 parameters, step 12/12, finished, loss")
    picture = view.to_svg()
    assert picture == again.to_svg() and picture.count('class="t l e"') == 4
    assert view.advice.startswith("Median −") and "a learning rate near" in view.advice and "(now 0.1)" in view.advice
    assert view.has_picture and view.kind == "updateratio"
    saved = view.saved["updates"]
    assert saved["header"]["rows"] == 12 and saved["header"]["all"] is True
    view.close()
    assert not view._feed.probe.wanted_by


def test_plots(lib: Any) -> None:
    pytest.importorskip("anywidget")
    pytest.importorskip("matplotlib")
    view = trained(lib)
    axes = view.plot().axes[0]
    assert [line.get_label() for line in axes.lines] == ["rule of thumb", "0.weight", "0.bias", "2.weight"]


def test_pictures_of_many_and_hostile_names() -> None:
    from xml.etree import ElementTree

    pytest.importorskip("anywidget")
    from nbtorch_widgets.updateratio import ratio_svg

    names = ["<script>x</script>", "&", *(f"layer.{index}.weight" for index in range(100))]
    nothing = updates.Updates(*Table([(np.float32, (102,))] * 3).since())
    for rows in (nothing, updates.Updates(np.arange(1, 3, dtype=np.uint32), *np.full((3, 2, 102), 1e-3, np.float32))):
        ElementTree.fromstring(ratio_svg(names, rows, "<b>&"))
