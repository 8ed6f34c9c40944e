"""Histograms of gradients, weights and activations, on nbtorch and PyTorch; the numbers are NumPy's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from nbtorch_widgets import histograms, watch
from nbtorch_widgets.gradients import on_host
from nbtorch_widgets.histograms import HistogramProbe, HistogramsFeed, evenly, histogram, unit_shares
from widgets.support import OwnOptimizer, Training


def probed(run: Any, *picks: tuple[Any, Any]) -> HistogramProbe:
    probe: HistogramProbe = run.telemetry.add_probe(HistogramProbe(run.telemetry))
    for number, pick in enumerate(picks):
        probe.picks[number] = pick
        probe.wanted_by.add(number)
    return probe


def check(rows: Any, row: int, values: Any) -> None:
    counts, edges = np.histogram(values, 64)
    np.testing.assert_array_equal(rows.counts[row], counts)
    np.testing.assert_array_equal(rows.ranges[row], edges[[0, -1]].astype(np.float32))
    assert rows.odd[row] == 0


@pytest.mark.parametrize("own", [False, True])
def test_counts_are_those_of_numpy(lib: Any, own: bool) -> None:
    training = Training(lib)
    parameters = dict(training.model.named_parameters())
    if own:
        training.optimizer = OwnOptimizer(parameters.values())
    run = watch(training.model, training.optimizer, training.batches, show=False)
    probe = probed(run, ("gradients", None), ("weights", ("0.weight",)), ("activations", None))
    seen: list[tuple[Any, ...]] = []
    outputs: list[Any] = []
    hook = training.model[1].register_forward_hook(lambda _m, _i, output: outputs.append(on_host(output).copy()))
    for batch in run:
        training.optimizer.zero_grad()
        training.forward(batch).backward()
        gradient = on_host(parameters["2.weight"].grad).copy()
        training.optimizer.step()
        seen.append((gradient, on_host(parameters["0.weight"]).copy(), outputs[-1]))
    hook.remove()
    assert [layer.name for layer in probe.layers] == ["0", "1", "2"]
    items = [("gradients", "2.weight"), ("weights", "0.weight"), ("activations", "1")]
    for position, item in enumerate(items):
        rows = probe.histograms(item)  # type: ignore[arg-type]
        assert rows.steps.tolist() == list(range(1, 13))
        for row in range(12):
            check(rows, row, seen[row][position])
    units = probe.units("1")
    assert units is not None and units.kind == "saturated" and units.share.shape == (4,)
    recent = np.stack([(np.abs(each[2]) > 0.97).mean(axis=0) for each in seen[-8:]]).mean(axis=0)
    np.testing.assert_allclose(units.share, recent, rtol=1e-6)
    assert set(probe.tables) == {("gradients", name) for name in parameters} | set(items[1:])
    assert training.hooks() == 0 and not probe._parameters and not probe._modules


def test_histograms_of_odd_values() -> None:
    counts, ends, odd = histogram(np.array([np.nan, np.inf, -1.0, 1.0, 3.0], np.float16))
    np.testing.assert_array_equal(counts, np.histogram([-1, 1, 3], 64)[0])
    assert ends == (-1.0, 3.0) and odd == 2
    counts, ends, odd = histogram(np.zeros(7, np.float32))
    assert counts[32] == counts.sum() == 7 and ends == (0.0, 0.0)
    counts, ends, odd = histogram(np.array([np.nan]))
    assert counts.sum() == 0 and np.isnan(ends).all() and odd == 1
    assert histogram(np.zeros((0, 3)))[0].sum() == 0
    assert histogram(np.array([1.0, np.nextafter(1.0, 2)]))[0].sum() == 2
    assert histogram(np.array([-1e308, 1e308]))[0].sum() == 2
    assert histogram(np.array([3 + 4j, 0]))[1] == (0.0, 5.0)


def test_dead_and_saturated_units(lib: Any) -> None:
    model = lib.nn.Sequential(lib.nn.Linear(2, 3), lib.nn.ReLU(), lib.nn.Linear(3, 2), lib.nn.Sigmoid())
    weights = ([[1.0, 0], [0, 1.0], [0, 0]], [0.0, 0.0, -1.0], [[9.0, 9, 9], [0, 0, 0]], [9.0, 0.0])
    for parameter, values in zip(model.parameters(), weights, strict=True):
        parameter.data = lib.tensor(values)
    run = watch(model, None, range(3), show=False)
    probe = probed(run, ("activations", None))
    for _ in run:
        model(lib.tensor([[1.0, -1.0], [2.0, 3.0]]))
    dead, saturated = probe.units("1"), probe.units("3")
    assert dead is not None and saturated is not None
    assert (dead.kind, dead.bad, dead.share.tolist()) == ("dead", 1, [0.0, 0.5, 1.0])
    assert (saturated.kind, saturated.bad, saturated.share.tolist()) == ("saturated", 1, [1.0, 0.0])
    assert probe.units("0") is None


def test_where_units_are(lib: Any) -> None:
    draw = np.random.default_rng(0)
    for shape, axis, units, others in (
        ((4, 3), None, 3, (0,)),
        ((4, 5, 3), None, 3, (0, 1)),
        ((4, 3, 5), 1, 3, (0, 2)),
        ((4, 3, 5, 6), None, 3, (0, 2, 3)),
    ):
        values = np.maximum(draw.standard_normal(shape), 0).astype(np.float32)
        shares = unit_shares(lib.tensor(values), "relu", axis)
        assert shares is not None and shares.shape == (units,)
        np.testing.assert_allclose(shares, (values == 0).mean(axis=others), rtol=1e-6)
    assert unit_shares(lib.tensor(1.0), "relu") is None


def test_modules_that_are_called_often_or_return_more_than_a_tensor(lib: Any) -> None:
    nn = lib.nn

    class SlowTanh(nn.Module):  # type: ignore[misc]
        def forward(self, x: Any) -> Any:
            return x.tanh()

    class Net(nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.rnn = nn.LSTM(3, 4, batch_first=True)
            self.act = SlowTanh()
            self.out = nn.Linear(4, 1)

        def forward(self, x: Any) -> Any:
            hidden, _ = self.rnn(x)
            return self.out(self.act(hidden) + self.act(2 * hidden))

    model = Net()
    optimizer = lib.optim.SGD(model.parameters(), lr=0.1)
    run = watch(model, optimizer, range(2), show=False)
    probe = probed(run, ("activations", ("rnn", "act", "out")))
    seen: list[Any] = []
    model.act.register_forward_hook(lambda _m, _i, output: seen.append(on_host(output).copy()))
    for _ in run:
        model(lib.ones(2, 5, 3) * lib.arange(3)).sum().backward()
        optimizer.step()
    check(probe.histograms(("activations", "act")), 1, np.concatenate([each.reshape(-1) for each in seen[-2:]]))
    assert probe.histograms(("activations", "rnn")).counts[-1].sum() == 2 * 5 * 4
    units = probe.units("act")
    assert units is not None and units.kind == "saturated" and len(units.share) == 4


def test_numbers_of_a_device_are_the_same(lib: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def measured() -> HistogramProbe:
        training = Training(lib)
        run = watch(training.model, training.optimizer, training.batches, show=False)
        probe = probed(run, *((kind, None) for kind in histograms.KINDS))
        training.loop(run)
        return probe

    on_this, on_that = measured(), None
    monkeypatch.setattr(histograms, "is_on_device", lambda tensor: not isinstance(tensor, np.ndarray))
    on_that = measured()
    for item in on_this.tables:
        for ours, theirs in zip(on_this.histograms(item), on_that.histograms(item), strict=True):
            np.testing.assert_array_equal(ours, theirs)
    one, other = on_this.units("1"), on_that.units("1")
    assert one is not None and other is not None and one.share.tolist() == pytest.approx(other.share.tolist())


def test_large_tensors_are_sampled_and_defaults_are_few(lib: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(histograms, "_SAMPLE", 10)
    big = lib.nn.Parameter(lib.arange(25).float())
    model = {f"layer.{index}": lib.nn.Parameter(lib.ones(2, 2)) for index in range(30)}
    run = watch({"big": big, **model}, None, range(1), show=False)
    probe = probed(run, ("weights", ("big",)), ("gradients", None))
    for _ in run:
        pass
    assert probe.histograms(("weights", "big")).counts.sum() == 9
    assert len(probe.items(1)) == 12 and probe.items(1)[0] == ("gradients", "layer.0")
    assert evenly(list("abc"), 2) == ["a", "c"]


def test_the_feed_follows_what_is_picked(lib: Any) -> None:
    training = Training(lib)
    run = watch(training.model, training.optimizer, training.batches, show=False)
    feed = HistogramsFeed(run.telemetry)
    feed.want(True)
    for number, batch in enumerate(run):
        training.loop([batch])
        if number == 3:
            message = feed.news(everything=False)
            assert message is not None and message[0]["show"] == "activations" and message[0]["all"] is True
            assert message[0]["names"] == ["1"]
            assert message[0]["layers"] == [["0", "Linear"], ["1", "Tanh"], ["2", "Linear"]]
            assert message[0]["units"][0]["total"] == message[0]["units"][0]["shown"] == 4
            assert len(message[1][0]) == 3 * (4 + 64 * 4 + 8 + 4) + 4
            for wrong in ({"show": "x"}, {"show": "weights", "names": 3}, {"show": "weights", "names": [3]}, {}):
                feed.receive(wrong)
            feed.receive({"show": "weights", "names": ["2.bias", "0.weight", "unknown"]})
    message = feed.news(everything=False)
    assert message is not None and message[0]["names"] == ["0.weight", "2.bias"] and message[0]["picked"] is True
    rows = message[0]["rows"]
    assert rows == 9 and message[0]["units"] == []
    steps = np.frombuffer(message[1][0], "<u4", rows)
    counts = np.frombuffer(message[1][0], "<u4", rows * 2 * 64, 4 * rows).reshape(rows, 2, 64)
    assert steps.tolist() == list(range(4, 13)) and (counts.sum(axis=2) == [12, 1]).all()
    assert feed.news(everything=False) is None


def trained(lib: Any, **options: Any) -> Any:
    from nbtorch_widgets import Ridgelines

    training = Training(lib)
    run = watch(training.model, training.optimizer, training.batches, show=False)
    view = Ridgelines(run, **options)
    assert not view.has_picture
    training.loop(run)
    return view


def test_the_widget_without_a_page(lib: Any) -> None:
    from xml.etree import ElementTree

    pytest.importorskip("anywidget")
    view, again = trained(lib), trained(lib)
    assert repr(view).startswith("Ridgelines(activations of 1 tensor, step 12/12, finished, loss")
    assert repr(view) == repr(again) and view.to_svg() == again.to_svg() and view.has_picture
    assert view.to_svg().count("<polygon") == 12
    ElementTree.fromstring(view.to_svg())
    assert list(view.history) == ["1"] and view.history["1"].counts.shape == (12, 64) and list(view.units) == ["1"]
    assert view.saved["histograms"]["header"]["rows"] == 12
    gradients = trained(lib, show="gradients", names=["0.weight", "2.bias"])
    assert list(gradients.history) == ["0.weight", "2.bias"] and not gradients.units
    pytest.importorskip("matplotlib")
    assert len(gradients.plot().axes) == 2


def test_wrong_arguments(lib: Any) -> None:
    pytest.importorskip("anywidget")
    from nbtorch_widgets import Ridgelines

    run = watch(Training(lib).model, None, range(1), show=False)
    with pytest.raises(ValueError, match="one of gradients, weights, activations"):
        Ridgelines(run, show="outputs")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"such as '0.weight'; got 'nope'"):
        Ridgelines(run, show="weights", names=["nope"])
