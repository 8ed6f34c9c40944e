"""Landscapes: functions with optimizers on them, and slices through a model's loss that leave no trace."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

pytest.importorskip("anywidget")

from nbtorch_widgets import Landscape, watch
from nbtorch_widgets.landscape import slices
from nbtorch_widgets.landscape.grid import Grid
from nbtorch_widgets.landscape.sandbox import RandomState


def state_of(model: Any) -> tuple[Any, ...]:
    """Everything of a model that a landscape must leave as it is, as bytes."""
    tensors = [*model.named_parameters(), *model.named_buffers()]
    return (
        [(name, id(t), t.detach().numpy().tobytes()) for name, t in tensors],
        [(id(p.grad), None if p.grad is None else p.grad.numpy().tobytes()) for p in model.parameters()],
        [module.training for module in model.modules()],
    )


def network(lib: Any, *extra: Any) -> tuple[Any, Any]:
    lib.manual_seed(0)
    model = lib.nn.Sequential(lib.nn.Linear(2, 6), lib.nn.BatchNorm1d(6), lib.nn.Tanh(), *extra, lib.nn.Linear(6, 1))
    data = np.random.default_rng(0).standard_normal((12, 2)).astype(np.float32)
    batch = (lib.tensor(data), lib.tensor(data.sum(1, keepdims=True)))
    lib.nn.MSELoss()(model(batch[0]), batch[1]).backward()
    return model, batch


@pytest.mark.parametrize("name", ["quadratic", "rosenbrock", "beale", "himmelblau", "saddle"])
def test_known_functions(name: str) -> None:
    shown = Landscape(name, resolution=16, steps=30)
    assert shown.grid.shape == (16, 16) and np.isfinite(shown.grid).all()
    assert list(shown.paths) == ["SGD", "momentum", "Nesterov", "RMSprop", "Adam"]
    for points, losses in zip(shown.paths.values(), shown.losses.values(), strict=True):
        assert points.shape == (shown.meta["settings"]["steps"] + 1, 2) and len(losses) == len(points)
        assert losses[-1] < losses[0]
    for x, y in shown.meta["minima"]:
        assert shown._oracle is not None and shown._oracle.value(x, y) < 1e-9
    assert repr(shown) == repr(Landscape(name, resolution=16, steps=30)) and "0x" not in repr(shown)


def test_paths_are_those_of_the_library(lib: Any) -> None:
    function = {
        "nbtorch": lambda x, y: (x - 1) ** 2 + lib.exp(y * y),
        "torch": lambda x, y: (x - 1) ** 2 + lib.exp(y * y),
    }
    shown = Landscape(function[lib.__name__], start=(-1.0, 0.5), steps=7, lr=0.05, optimizers=("adam", "sgd"))
    assert shown._oracle is not None and shown._oracle.library is lib and shown.meta["gradient"] == "autograd"
    x, y = (lib.tensor(at, dtype=lib.float64, requires_grad=True) for at in (-1.0, 0.5))
    optimizer = lib.optim.Adam([x, y], lr=0.05)
    for _ in range(7):
        optimizer.zero_grad()
        ((x - 1) ** 2 + lib.exp(y * y)).backward()
        optimizer.step()
    assert np.allclose(shown.paths["Adam"][-1], [x.item(), y.item()], atol=1e-12)


def test_a_function_that_leaves_the_graph_gets_measured_gradients() -> None:
    shown = Landscape(
        lambda x, y: x**2 + math.sin(y), start=(1.0, 1.0), steps=50, lr=0.1, optimizers="sgd", resolution=8
    )
    assert shown.meta["gradient"] == "differences"
    assert np.allclose(shown.paths["SGD"][-1], [0, -math.pi / 2], atol=0.1)
    other = Landscape(lambda x, y: float(x) ** 2 + y, resolution=8, optimizers={"my Adam": "adam"}, steps=3)
    assert other.meta["gradient"] == "differences" and list(other.paths) == ["my Adam"]


def test_own_optimizers_and_settings(lib: Any) -> None:
    shown = Landscape(
        "saddle",
        optimizers={"fixed": lambda p: lib.optim.SGD(p, lr=0.5), "free": lambda p, lr: lib.optim.SGD(p, lr=lr)},
        lr={"free": 0.25},
        start=(1.0, 1.0),
        steps=3,
        resolution=8,
    )
    assert np.allclose(shown.paths["fixed"][:, 0], [1, 0, 0, 0])
    assert np.allclose(shown.paths["free"][:, 0], [1, 0.5, 0.25, 0.125])
    assert "free leaves the picture at step 2" in repr(shown)
    broken = Landscape("saddle", optimizers={"broken": lambda p: 1 / 0}, resolution=8)
    assert broken.findings() == ["broken failed: ZeroDivisionError: division by zero"]
    assert np.allclose(shown.walk((0.5, 0.0), lr={"free": 0.5}).paths["free"][:, 0], [0.5, 0, 0, 0])


def test_divergence_is_said_and_ends_the_path() -> None:
    shown = Landscape("quadratic", lr=1.0, steps=400, optimizers=("sgd",), resolution=8)
    assert len(shown.paths["SGD"]) < 100
    assert shown.findings() == ["SGD leaves the picture at step 1"]
    assert shown.to_svg().count("<polyline") >= 2 and "NaN" not in json.dumps(shown.meta, allow_nan=False)


def test_a_slice_leaves_the_model_as_it_is(lib: Any) -> None:
    model, batch = network(lib)
    before, randomness = state_of(model), RandomState()
    shown = Landscape(model, lib.nn.MSELoss(), batch, resolution=9)
    grid = shown.grid
    assert state_of(model) == before and randomness.same_as(RandomState())
    assert grid.dtype == np.float32 and grid.shape == (9, 9)
    model.eval()
    assert grid[4, 4] == pytest.approx(lib.nn.MSELoss()(model(batch[0]), batch[1]).item(), rel=1e-5)
    assert np.ptp(grid) > 0.01
    assert (grid == Landscape(model, lib.nn.MSELoss(), [batch], resolution=9).grid).all()
    assert repr(shown).startswith("Landscape(Sequential, 37 weights, loss ")


class Noise:
    """A layer that draws random numbers and counts, even in evaluation mode."""

    def __new__(cls, lib: Any) -> Any:
        class Layer(lib.nn.Module):  # type: ignore[misc, name-defined]
            def __init__(self) -> None:
                super().__init__()
                self.register_buffer("calls", lib.zeros(1))

            def forward(self, x: Any) -> Any:
                self.calls += 1
                return x + 0.1 * lib.rand(x.shape)

        return Layer()


@pytest.mark.parametrize("error", [None, ValueError, KeyboardInterrupt])
def test_a_model_that_draws_is_put_back_whatever_happens(lib: Any, error: type[BaseException] | None) -> None:
    model, batch = network(lib, Noise(lib))
    loss, calls = lib.nn.MSELoss(), []

    def criterion(output: Any, target: Any) -> Any:
        calls.append(1)
        if error is not None and len(calls) == 9:
            raise error("in the middle")
        return loss(output, target)

    before, randomness = state_of(model), RandomState()
    shown = Landscape(model, criterion, batch, resolution=8)
    assert shown._plane is not None and shown._plane.in_place
    if error is not None:
        with pytest.raises((error, RuntimeError)):
            shown.wait()
    assert state_of(model) == before and randomness.same_as(RandomState())
    assert np.isfinite(shown.grid).all()  # it goes on where it was
    assert state_of(model) == before and randomness.same_as(RandomState())
    assert (shown.grid == Landscape(model, criterion, batch, resolution=8).grid).all()


def test_a_closure_and_a_dict_of_tensors(lib: Any) -> None:
    w = lib.tensor([1.0, 2.0], requires_grad=True)
    shown = Landscape({"w": w}, lambda: (w * w).sum(), resolution=9, x=(-2, 2))
    assert shown.grid[4, 4] == pytest.approx(5.0) and shown.grid.max() > 6
    assert w.detach().numpy().tolist() == [1.0, 2.0] and w.grad is None and w.requires_grad


def test_the_plane_of_a_path(lib: Any) -> None:
    model, batch = network(lib)
    path, criterion = [], lib.nn.MSELoss()
    optimizer = lib.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(6):
        path.append({name: t.detach().clone() for name, t in model.state_dict().items()})
        optimizer.zero_grad()
        criterion(model(batch[0]), batch[1]).backward()
        optimizer.step()
    path.append(model.state_dict())
    shown = Landscape(model, criterion, batch, path=path, resolution=8)
    points = shown.paths["path"]
    assert points.shape == (7, 2) and np.allclose(points[-1], 0, atol=1e-5)
    assert sum(shown.meta["shares"]) > 0.8
    (x0, x1), (y0, y1) = shown.meta["x"], shown.meta["y"]
    assert (
        (points[:, 0] >= x0).all() and (points[:, 0] <= x1).all() and y0 < points[:, 1].min() <= points[:, 1].max() < y1
    )
    assert np.isfinite(shown.losses["path"]).all()
    with pytest.raises(ValueError, match=r"lacks '0\.weight'"):
        Landscape(model, criterion, batch, path=[{}, {}])


def test_directions_are_normalised_filter_by_filter() -> None:
    weights = [np.arange(12.0).reshape(3, 4), np.ones(3)]
    matrix, bias = slices.filter_normalised(weights, np.random.default_rng(0))
    assert np.allclose(np.linalg.norm(matrix, axis=1), np.linalg.norm(weights[0], axis=1)) and not bias.any()
    (alone,) = slices.filter_normalised([np.array([3.0, 4.0])], np.random.default_rng(0))
    assert np.linalg.norm(alone) == pytest.approx(5)


def test_a_grid_comes_coarse_first_and_can_go_on() -> None:
    grid, asked = Grid((0.0, 1.0), (0.0, 2.0), 16), []

    def losses(points: Any) -> list[float]:
        asked.extend(points)
        return [x + 10 * y for x, y in points]

    steps = grid.fill(losses)
    next(steps)
    assert len(asked) == 4 and np.isfinite(grid.shown()).all() and not grid.complete
    for _ in grid.fill(losses):
        pass
    assert grid.complete and len(set(asked)) == len(asked) == 256
    assert np.allclose(grid.values, grid.xs[None] + 10 * grid.ys[:, None])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("banana",), "no function 'banana'. Expected one of quadratic"),
        ((3,), "expected the name of a function"),
        ((lambda x, y: "no",), r"one number; got str"),
        ((lambda x, y: x, print), "takes no loss_fn"),
    ],
)
def test_what_cannot_be_shown_is_refused(arguments: tuple[Any, ...], message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        Landscape(*arguments)
    with pytest.raises(ValueError, match="no optimizer 'banana'"):
        Landscape(optimizers=["banana"])
    with pytest.raises(ValueError, match="low < high"):
        Landscape(x=(1, 1))


def test_the_front_end_is_answered_and_the_latest_wish_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = Landscape("quadratic", resolution=8).wait()
    sent: list[dict[str, Any]] = []
    monkeypatch.setattr(
        shown, "send", lambda content, buffers=None: sent.append(json.loads(json.dumps(content, allow_nan=False)))
    )
    receive: Callable[[Any], None] = lambda message: shown._receive(shown, message, [])  # noqa: E731
    wish = {"op": "walk", "start": [1.0, 1.0], "rates": {"sgd": 0.05}, "momentum": 0.5, "steps": 4000}
    for sequence in range(1, 20):
        receive({**wish, "seq": sequence})
    receive({**wish, "seq": 20, "steps": 3, "start": [2.0, 0.5]})
    shown.wait()
    assert shown.paths["SGD"].shape == (4, 2) and shown.start == (2.0, 0.5)
    header = json.loads(bytes(shown.tracks)[4:].split(b"]}", 1)[0] + b"]}")
    assert header["seq"] == 20 and header["done"]
    sent.clear()
    for bad in (None, 3, {}, {"op": "x"}, {**wish, "start": 5}, {**wish, "steps": 1e9}, {**wish, "rates": {"sgd": -1}},
                {**wish, "start": [math.inf, 0]}, {**wish, "momentum": 2}, {"op": "walk"}):  # fmt: skip
        receive(bad)
    assert [message["op"] for message in sent] == ["error"] * 4 + ["failed"] * 6
    assert shown.start == (2.0, 0.5)


def test_pictures(lib: Any) -> None:
    model, batch = network(lib)
    for shown in (Landscape("beale", resolution=16), Landscape(model, lib.nn.MSELoss(), batch, resolution=8)):
        svg = shown.to_svg()
        assert svg == shown.to_svg() and svg.startswith("<svg") and "prefers-color-scheme:dark" in svg
        assert shown.field[4:] and shown.has_picture
        data, _ = shown._repr_mimebundle_()
        assert data["text/plain"] == repr(shown)
    hostile = Landscape("saddle", optimizers={"<script>alert(1)</script>": "sgd"}, resolution=8)
    assert "<script" not in hostile.to_svg()
    pytest.importorskip("matplotlib")
    assert len(hostile.plot().axes) == 2


def test_the_snapshots_of_a_run_are_its_path(lib: Any) -> None:
    model, (inputs, targets) = network(lib)
    optimizer = lib.optim.SGD(model.parameters(), lr=0.1)
    run, criterion = watch(model, optimizer, range(6), show=False, snapshots=2), lib.nn.MSELoss()
    for _ in run:
        optimizer.zero_grad()
        loss = criterion(model(inputs), targets)
        loss.backward()
        optimizer.step()
    shown = Landscape(run, criterion, (inputs, targets), resolution=8)
    assert len(shown.paths["path"]) == len(run.snapshots) > 2
    plain = watch(model, optimizer, range(2), show=False)
    assert Landscape(plain, criterion, (inputs, targets), resolution=8).paths == {}
