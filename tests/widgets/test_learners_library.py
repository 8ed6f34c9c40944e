"""The widgets on the library that a learner builds in the course, at the end of its first part."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell
from nbtorch_widgets import GradFlow, Landscape, Monitor, Ridgelines, UpdateRatio, extension, watch
from nbtorch_widgets.stepper.magic import StepMagics
from nbtorch_widgets.stepper.widget import BackpropStepper, StepperError

from nbtorch.course import lesson_names
from nbtorch.course.library import PACKAGE, compose


@pytest.fixture(scope="module")
def mytorch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The library made of the reference cells of lessons 00 to 08."""
    home = tmp_path_factory.mktemp("home")
    compose(Path(home), [name for name in lesson_names("en") if name < "09"], {})
    sys.path.insert(0, str(home))
    try:
        import mytorch  # type: ignore[import-not-found, unused-ignore]

        yield mytorch
    finally:
        sys.path.remove(str(home))
        for name in [name for name in sys.modules if name.split(".")[0] == PACKAGE]:
            del sys.modules[name]


@pytest.fixture
def stepped(mytorch: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Runs a cell under %%step and gives the stepper."""
    shell = InteractiveShell()
    shown: list[Any] = []
    monkeypatch.setattr("nbtorch_widgets.stepper.magic.display", shown.append)
    shell.user_ns.update({"np": np, "Tensor": mytorch.Tensor, "tensor": mytorch.tensor, "mytorch": mytorch})

    def run(cell: str, line: str = "") -> BackpropStepper:
        StepMagics(shell).step(line, cell)
        return shown[-1]  # type: ignore[no-any-return]

    run.names = shell.user_ns  # type: ignore[attr-defined]
    yield run


def test_a_diamond_is_walked_with_its_formulas_and_measured_slopes(stepped: Any) -> None:
    stepper = stepped(
        "w = tensor(3.0, requires_grad=True)\nx = tensor(2.0)\na = w * x\nloss = (a * a + w).exp() * 0.01\n"
    )
    gradients = stepper.gradients()
    expected = 0.01 * np.exp(39.0) * (2 * 6 * 2 + 1)
    np.testing.assert_allclose(gradients["w"], expected, rtol=1e-6)
    assert {"a", "w"} <= set(stepper.mistaken("assign"))
    assert all(check.state == "agrees" for check in stepper._checks) and len(stepper._checks) >= 4
    formulas = [p["formula"] for step in stepper.history if step["phase"] == "backward" for p in step["passes"]]
    assert any("3" in formula for formula in formulas)
    stepper.edit("w", 0.5)
    np.testing.assert_allclose(stepper.gradients()["w"], 0.01 * np.exp(1.5) * (2 * 1 * 2 + 1), rtol=1e-6)
    assert stepped.names["w"].data == 3.0 and stepped.names["w"].grad is None


def test_the_program_of_the_course_is_walked_before_its_graph_is_freed(stepped: Any) -> None:
    stepper = stepped(
        "import mytorch.nn as nn, mytorch.optim as optim\n"
        "x = tensor([[1.0], [2.0]])\ny = tensor([[2.0], [4.0]])\n"
        "model = nn.Linear(1, 1)\nmodel.weight.data[:] = 0.5\nmodel.bias.data[:] = 0.25\n"
        "optimizer = optim.SGD(model.parameters(), lr=0.1)\n"
        "loss = nn.MSELoss()(model(x), y)\nloss.backward()\noptimizer.step()\n"
    )
    gradients = stepper.gradients()
    model = stepped.names["model"]
    np.testing.assert_allclose(gradients["model.weight"], model.weight.grad.data, rtol=1e-6)
    np.testing.assert_allclose(gradients["model.bias"], model.bias.grad.data, rtol=1e-6)
    assert not stepper.tape["reason"] and stepper._checks and all(c.state == "agrees" for c in stepper._checks)
    assert "mm" in {item.op for item in stepper._items} and stepper.to_svg().startswith("<svg")
    apply = vars(stepped.names["mytorch"].Function)["apply"]
    assert "noted" not in apply.__func__.__qualname__


def test_apply_is_put_back_when_the_cell_fails(stepped: Any, mytorch: Any) -> None:
    before = vars(mytorch.Function)["apply"]
    with pytest.raises(ZeroDivisionError):
        stepped("w = tensor(3.0, requires_grad=True)\nloss = w * w\n1 / 0\n")
    assert vars(mytorch.Function)["apply"] is before


def test_a_function_and_a_loss_that_was_there_before(mytorch: Any) -> None:
    a, b = mytorch.tensor(2.0, requires_grad=True), mytorch.tensor([1.0, -1.0], requires_grad=True)
    stepper = BackpropStepper(lambda a, b: (a * b + b).exp().sum(), a, b)
    assert stepper._checks and all(check.state == "agrees" for check in stepper._checks)
    assert a.grad is None and b.grad is None
    loss = (a * a).exp()
    there = BackpropStepper(loss, names={"a": a, "loss": loss})
    np.testing.assert_allclose(there.gradients()["a"], np.exp(4.0) * 4, rtol=1e-6)
    loss.backward()
    with pytest.raises(StepperError, match="used up"):
        BackpropStepper(loss, names={})


def test_an_operation_without_a_rule_shows_its_numbers(stepped: Any) -> None:
    stepper = stepped(
        "class Cube(mytorch.Function):\n"
        "    @staticmethod\n    def forward(ctx, a):\n        ctx.save_for_backward(a)\n        return a**3\n"
        "    @staticmethod\n    def backward(ctx, gradient):\n"
        "        return (gradient * 3 * ctx.saved_tensors[0] ** 2,)\n"
        "w = tensor(2.0, requires_grad=True)\nloss = Cube.apply(w)\n"
    )
    np.testing.assert_allclose(stepper.gradients()["w"], 12.0)
    assert stepper._checks and all(check.state == "agrees" for check in stepper._checks)


def test_a_training_is_watched_with_every_view_open(mytorch: Any) -> None:
    nn, optim, tensor = mytorch.nn, mytorch.optim, mytorch.tensor

    class Net(nn.Module):  # type: ignore[misc, name-defined, unused-ignore]
        def __init__(self) -> None:
            self.first, self.last = nn.Linear(1, 4), nn.Linear(4, 1)

        def forward(self, x: Any) -> Any:
            return self.last((self.first(x) * 0.1).exp())

    model = Net()
    optimizer = optim.SGD(model.parameters(), lr=0.01)
    x, y = tensor([[1.0], [2.0]]), tensor([[2.0], [4.0]])
    run = watch(model, optimizer, range(30))
    views = [view(run) for view in (Monitor, GradFlow, UpdateRatio, Ridgelines)]
    for probe in run.telemetry.probes:
        probe.wanted_by.add("a test")
    for _ in run:
        optimizer.zero_grad()
        loss = nn.MSELoss()(model(x), y)
        loss.backward()
        optimizer.step()
    assert run.names == ["first.weight", "first.bias", "last.weight", "last.bias"]
    assert np.isfinite(run.history.norms).all() and not any(probe.failed for probe in run.telemetry.probes)
    assert "median" in repr(views[2]) and "4 tensors" in repr(views[3]) and all(v.to_svg() for v in views)
    before = [p.data.copy() for p in model.parameters()]
    assert "13 weights" in repr(Landscape(model, lambda: nn.MSELoss()(model(x), y)))
    assert all(np.array_equal(p.data, b) for p, b in zip(model.parameters(), before, strict=True))


def test_gradflow_finds_the_learners_model_and_optimizer(mytorch: Any) -> None:
    shell = InteractiveShell()
    extension.load(shell)
    shell.user_ns["torch"] = mytorch
    setup = (
        "model = torch.nn.Linear(1, 1)\noptimizer = torch.optim.SGD(model.parameters(), lr=0.01)\n"
        "criterion = torch.nn.MSELoss()\n"
    )
    loop = (
        "for k in range(5):\n    optimizer.zero_grad()\n"
        "    loss = criterion(model(torch.tensor([[1.0]])), torch.tensor([[2.0]]))\n"
        "    loss.backward()\n    optimizer.step()\n"
    )
    shell.run_cell(setup).raise_error()
    before = shell.user_ns["model"].weight.data.copy()
    shell.run_cell_magic("gradflow", "", loop)
    assert not np.array_equal(shell.user_ns["model"].weight.data, before)
    for line in ("--model criterion", "--optimizer missing"):
        with pytest.raises((TypeError, ValueError)):
            shell.run_cell_magic("gradflow", line, loop)
