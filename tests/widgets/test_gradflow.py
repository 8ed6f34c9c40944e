"""GradFlow, Python's half: the graph that is traced from models of nbtorch, of PyTorch and of one's own."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from typing import Any

import nbtorch_widgets
import numpy as np
import pytest
from nbtorch_widgets.flow.graph import Graph
from nbtorch_widgets.flow.origins import origins
from nbtorch_widgets.flow.svg import collapse
from nbtorch_widgets.flow.view import GradFlow
from nbtorch_widgets.gradients import NO_GRAD
from widgets.support import OwnModel, Training


def flow_of(lib: Any, model: Any, loss: Callable[[], Any], steps: int = 3, lr: float = 0.05) -> GradFlow:
    run = nbtorch_widgets.watch(model, lib.optim.SGD(model.parameters(), lr=lr), range(steps), show=False)
    view = GradFlow(run)
    for _ in run:
        run._optimizers[0].zero_grad()
        value = loss()
        value.backward()
        run._optimizers[0].step()
    return view


def numbers(lib: Any, *shape: int) -> Any:
    return lib.tensor(np.random.default_rng(0).standard_normal(shape).astype(np.float32))


def graph_of(view: GradFlow) -> tuple[Graph, set[tuple[str, str]]]:
    graph, _, traced = view._flow.current()
    assert traced
    names = [v.name for v in graph.vertices]
    return graph, {(names[a], names[b]) for a, b in (*graph.edges, *graph.ends)}


def residual(lib: Any) -> Any:
    """One block with a parameter of its own, a skip connection and one activation that is called twice."""
    nn = lib.nn

    class Block(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.scale = nn.Parameter(lib.ones(4))
            self.first = nn.Linear(4, 4)
            self.act = nn.ReLU(inplace=True)
            self.unused = nn.Linear(4, 4)

        def forward(self, x: Any, *, gain: float = 1.0) -> dict[str, Any]:
            return {"out": self.act(x + gain * self.scale * self.act(self.first(x)))}

    class Model(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.stem = nn.Linear(3, 4)
            self.block = Block()
            self.head = nn.Linear(4, 1)

        def forward(self, x: Any) -> Any:
            return self.head(self.block(self.stem(x), gain=0.5)["out"])

    return Model()


def test_modules_and_the_places_where_branches_meet(lib: Any) -> None:
    lib.manual_seed(0)
    model, inputs = residual(lib), numbers(lib, 5, 3)
    view = flow_of(lib, model, lambda: (model(inputs) ** 2).mean())
    graph, edges = graph_of(view)
    assert edges == {
        ("input", "stem"),
        ("stem", "block.first"),
        ("block.first", "block.act"),
        ("block.scale", "× in block"),
        ("block.act", "× in block"),
        ("× in block", "+ in block"),
        ("stem", "+ in block"),
        ("+ in block", "block.act (2)"),
        ("block.act (2)", "head"),
        ("head", "loss"),
    }
    assert graph.groups == {"block": "Block", "block.unused": "Linear"}
    by_name = {v.name: v for v in graph.vertices}
    assert by_name["stem"].shape == "5×4"
    assert [view.telemetry.names[k] for k in by_name["block.first"].parameters] == [
        "block.first.weight",
        "block.first.bias",
    ]


def test_norms_are_those_that_backward_gives(lib: Any) -> None:
    lib.manual_seed(0)
    model, inputs = residual(lib), numbers(lib, 5, 3)
    view = flow_of(lib, model, lambda: (model(inputs) ** 2).mean(), steps=1, lr=0.0)
    stem = model.stem(inputs)
    stem.retain_grad()
    first = model.block.first(stem)
    first.retain_grad()
    half = model.block.act(stem + 0.5 * model.block.scale * model.block.act(first + 0))
    (model.head(half) ** 2).mean().backward()
    graph, rows, _ = view._flow.current()
    names = [v.name for v in graph.vertices]

    def norm(tensor: Any) -> float:
        return float(np.linalg.norm(tensor.numpy()))

    assert rows.norms[0, names.index("stem")] == pytest.approx(norm(stem.grad), rel=1e-5)
    assert rows.norms[0, names.index("block.first")] == pytest.approx(norm(first.grad), rel=1e-5)
    # What reaches the stem through the block alone is what its first layer sends back.
    edge = graph.edges.index((names.index("stem"), names.index("block.first")))
    weight = model.block.first.weight.detach().numpy()
    assert rows.norms[0, len(graph) + edge] == pytest.approx(
        float(np.linalg.norm(first.grad.numpy() @ weight)), rel=1e-5
    )


def test_a_module_called_many_times_is_one_vertex(lib: Any) -> None:
    nn = lib.nn

    class Recurrent(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.cell = nn.Linear(4, 4)

        def forward(self, x: Any) -> Any:
            for _ in range(9):
                x = lib.tanh(self.cell(x))
            return x

    model, inputs = Recurrent(), numbers(lib, 2, 4)
    graph, edges = graph_of(flow_of(lib, model, lambda: model(inputs).sum()))
    assert edges == {("input", "cell"), ("cell", "loss")}
    assert graph.vertices[2].calls == 9


def test_frozen_modules_lead_to_those_that_learn(lib: Any) -> None:
    nn = lib.nn
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
    for parameter in model[0].parameters():
        parameter.requires_grad_(False)
    inputs = numbers(lib, 5, 3)
    view = flow_of(lib, model, lambda: (model(inputs) ** 2).mean())
    graph, edges = graph_of(view)
    assert edges == {("input", "0 Linear"), ("0 Linear", "1 Tanh"), ("1 Tanh", "2 Linear"), ("2 Linear", "loss")}
    history = view.history
    assert history.names == [v.name for v in graph.vertices[2:]]
    assert (history.flags[:, history.names.index("0 Linear")] & NO_GRAD).all()


@pytest.mark.parametrize("kind", ["forward", "backward"])
def test_the_origin_of_nan(lib: Any, kind: str) -> None:
    nn = lib.nn

    class Odd(nn.Module):  # type: ignore[misc, name-defined]
        def forward(self, x: Any) -> Any:
            # The root of zero is finite; its derivative is not.
            return lib.log(x - 100.0) if kind == "forward" else lib.sqrt(x * 0.0)

    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), Odd(), nn.Linear(4, 1))
    inputs = numbers(lib, 5, 3)
    with np.errstate(all="ignore"):
        view = flow_of(lib, model, lambda: model(inputs).sum(), steps=4)
    expected = "not finite from 2 Odd on since step 1" if kind == "forward" else "gradient not finite from 1 Tanh back"
    assert expected in repr(view)
    assert "not finite from here" in view.to_svg()


def test_the_origin_of_vanishing(lib: Any) -> None:
    lib.manual_seed(0)
    nn = lib.nn
    layers = [layer for _ in range(30) for layer in (nn.Linear(8, 8), nn.Sigmoid())]
    model, inputs = nn.Sequential(*layers, nn.Linear(8, 1)), numbers(lib, 5, 8)
    view = flow_of(lib, model, lambda: (model(inputs) ** 2).mean(), steps=2)
    graph, rows, _ = view._flow.current()
    (found,) = origins(graph, rows.norms[-1], rows.flags[-1]).vanished
    number = int(graph.vertices[found].path)
    before = next(k for k, v in enumerate(graph.vertices) if v.path == str(number + 1))
    last = next(k for k, v in enumerate(graph.vertices) if v.path == "60")
    assert rows.norms[-1, found] < 1e-5 * rows.norms[-1, last] <= rows.norms[-1, before]
    assert f"gradient vanished from {graph.vertices[found].name} back" in repr(view)


def test_a_model_without_hooks_shows_the_owners_of_its_parameters() -> None:
    model = OwnModel()
    run = nbtorch_widgets.watch(model, None, range(3), show=False)
    view = GradFlow(run)
    for _ in run:
        for name, parameter in model.named_parameters():
            parameter.grad = np.full(3, 2.0 if name == "w" else 1.0)
    assert repr(view).startswith("GradFlow(2 parameter owners, step 3/3, finished")
    assert view.history.names == ["w", "b"]
    assert view.history.norms[-1] == pytest.approx(np.sqrt([12.0, 3.0]))
    assert ">w<" in view.to_svg()


def test_nothing_stays_on_the_model_and_training_is_unchanged(lib: Any) -> None:
    plain, watched = Training(lib), Training(lib)
    before = watched.hooks()
    plain.loop(plain.batches)
    run = nbtorch_widgets.watch(watched.model, watched.optimizer, watched.batches, show=False)
    view = GradFlow(run)
    watched.loop(run)
    assert watched.hooks() == before
    for mine, theirs in zip(watched.weights(), plain.weights(), strict=True):
        np.testing.assert_array_equal(mine, theirs)
    message = view.saved["flow"]
    columns = message["header"]["columns"]
    assert len(message["buffers"][0]) == message["header"]["rows"] * (12 + 5 * columns)
    json.dumps(message["header"], allow_nan=False)
    assert view.to_svg() == view.to_svg()
    assert view.plot().axes


def test_a_model_that_defeats_the_trace_goes_on_training(lib: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from nbtorch_widgets.flow.trace import Trace

    def fail(*_: Any, **__: Any) -> None:
        raise LookupError("odd graph")

    monkeypatch.setattr(Trace, "_connect", fail)
    training = Training(lib)
    run = nbtorch_widgets.watch(training.model, training.optimizer, training.batches, show=False)
    view = GradFlow(run)
    with pytest.warns(UserWarning, match="can't follow this model.*odd graph"):
        training.loop(run)
    assert run.state == "finished"
    assert "2 parameter owners" in repr(view)


def test_validation_without_gradients_draws_nothing(lib: Any) -> None:
    training = Training(lib)
    run = nbtorch_widgets.watch(training.model, training.optimizer, training.batches, show=False)
    view = GradFlow(run)
    for batch in run:
        with lib.no_grad():
            training.model(batch[0])
        training.loop([batch])
    _, edges = graph_of(view)
    assert edges == {("input", "0 Linear"), ("0 Linear", "1 Tanh"), ("1 Tanh", "2 Linear"), ("2 Linear", "loss")}


def test_compiled_and_scripted_modules_are_boxes_without_an_inside() -> None:
    torch = pytest.importorskip("torch")
    from nbtorch_widgets.flow.trace import hookable

    inner = torch.nn.Sequential(torch.nn.Linear(3, 3), torch.nn.Tanh())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = torch.nn.Sequential(torch.compile(inner, backend="eager"), torch.jit.script(torch.nn.Linear(3, 1)))
    assert [path for path, _ in hookable(model)] == ["", "0", "1"]


def test_boxes_of_a_picture_are_few() -> None:
    graph = Graph()
    for block in range(9):
        for layer in range(5):
            graph.vertex((block, layer), "module", f"blocks.{block}.{layer}", "Linear")
    boxes, of = collapse(graph)
    assert [box.name for box in boxes] == ["input", "loss", *(f"blocks.{k}" for k in range(9))]
    assert len(of) == len(graph)
