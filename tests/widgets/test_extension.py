"""`%%gradflow` and the extension, in an IPython shell of the test."""

from __future__ import annotations

import ast
import contextlib
import io
import linecache
from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("IPython")

from IPython.core.interactiveshell import InteractiveShell
from nbtorch_widgets import extension, magics

SETUP = """
import {lib} as torch
torch.manual_seed(0)
model = torch.nn.Linear(3, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
batches = [torch.ones(2, 3) * i for i in range(1, 5)]
"""
LOOP = """
for epoch in range(3):
    for batch in batches:
        optimizer.zero_grad()
        loss = model(batch).square().mean()
        loss.backward()
        optimizer.step()
"""


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    shell = InteractiveShell()
    runs: list[Any] = []

    class RememberedRun(magics.Run):  # type: ignore[type-arg]
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            runs.append(self)

    monkeypatch.setattr(magics, "Run", RememberedRun)
    shell.user_ns["runs"] = shell.runs = runs
    extension.load(shell)
    yield shell
    InteractiveShell.clear_instance()


def run(shell: Any, cell: str, line: str = "") -> Any:
    shell.run_cell_magic("gradflow", line, cell)
    return shell.runs[-1] if shell.runs else None


@pytest.fixture
def ready(shell: Any, lib: Any) -> Any:
    shell.run_cell(SETUP.format(lib=lib.__name__)).raise_error()
    return shell


def test_an_ordinary_loop_is_watched(ready: Any) -> None:
    watched = run(ready, LOOP)
    assert (watched.state, watched.step, watched.telemetry.epoch, watched.telemetry.epochs) == ("finished", 12, 3, 3)
    assert watched.names == ["weight", "bias"] and watched.telemetry.total == 12
    assert watched.telemetry.loss == pytest.approx(float(ready.user_ns["loss"].item()))
    assert not [name for name in ready.user_ns if "watcher" in name]


def test_the_cell_may_make_everything_itself(shell: Any, lib: Any) -> None:
    assert run(shell, SETUP.format(lib=lib.__name__) + LOOP).step == 12


def test_a_loop_in_a_function_with_other_iterables(ready: Any) -> None:
    cell = """
def fit(count):
    for index, batch in enumerate(batches * count):
        optimizer.zero_grad()
        cost = model(batch).square().mean()
        cost.backward()
        optimizer.step()
    return cost
last = fit(2)
"""
    watched = run(ready, cell, "--loss cost")
    assert watched.step == 8 and watched.telemetry.loss == pytest.approx(float(ready.user_ns["last"].item()))


def test_the_last_expression_is_shown_and_errors_point_to_their_line(ready: Any) -> None:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        run(ready, LOOP + "\n'shown at the end'")
    assert "shown at the end" in out.getvalue()
    with pytest.raises(ZeroDivisionError) as caught:
        run(ready, LOOP.replace("loss.backward()", "loss.backward(); 1 / 0"))
    entry = caught.traceback[-1]
    assert linecache.getline(str(entry.path), entry.lineno + 1).endswith("; 1 / 0\n")


def test_cells_may_contain_magics(ready: Any) -> None:
    watched = run(ready, "%time x = 1\n" + LOOP)
    assert watched.step == 12 and ready.user_ns["x"] == 1


def test_stop_ends_all_loops_of_the_cell_and_what_follows_runs(ready: Any) -> None:
    cell = (
        LOOP.replace("optimizer.step()", "optimizer.step()\n        runs[-1].control.command('stop')") + "\ndone = True"
    )
    watched = run(ready, cell)
    assert watched.stopped and watched.step == 1 and ready.user_ns["done"]


def test_without_a_loop_in_the_cell_the_optimizers_steps_count(ready: Any) -> None:
    ready.run_cell("def train_once():" + LOOP.replace("\n", "\n    ")).raise_error()
    watched = run(ready, "train_once()")
    assert (watched.state, watched.step, watched.telemetry.total) == ("finished", 12, None)


def test_bare_tensors_are_watched_by_their_optimizer(shell: Any, lib: Any) -> None:
    cell = f"""
import {lib.__name__} as torch
w = torch.ones(2, requires_grad=True)
optimizer = torch.optim.SGD([w], lr=0.1)
for _ in range(4):
    optimizer.zero_grad()
    loss = (w * w).sum()
    loss.backward()
    optimizer.step()
"""
    watched = run(shell, cell)
    assert watched.step == 4 and watched.names == ["w"]


def test_names_may_be_given(ready: Any) -> None:
    ready.run_cell("other = torch.nn.Linear(3, 1); second = torch.optim.SGD(other.parameters(), lr=0.1)").raise_error()
    watched = run(ready, LOOP, "--model model -o optimizer --every 5")
    assert watched.history.steps.tolist() == [1, 6, 11, 12]


@pytest.mark.parametrize(
    ("setup", "cell", "line", "message"),
    [
        ("", LOOP, "--model nothing", "--model nothing: there is no variable"),
        (
            "twin = torch.optim.SGD(model.parameters(), lr=1.0)",
            "print()",
            "",
            "more than one optimizer.*--optimizer NAME",
        ),
        ("del optimizer", "print()", "", "found none"),
        (
            "class Wrapper(torch.nn.Module):\n    def __init__(self):\n        super().__init__(); self.inner = model\n"
            "one, two = Wrapper(), Wrapper()\nhidden = [model]; del model",
            LOOP.replace("model(batch)", "hidden[0](batch)"),
            "",
            "more than one model .one, two..*--model NAME",
        ),
    ],
)
def test_what_is_not_certain_is_asked_for(ready: Any, setup: str, cell: str, line: str, message: str) -> None:
    ready.run_cell(setup).raise_error()
    with pytest.raises(magics.GradFlowError, match=message):
        run(ready, cell, line)


def test_the_extension_comes_and_goes() -> None:
    shell = InteractiveShell()
    before = set(shell.magics_manager.magics["cell"])
    for _ in range(2):
        extension.load(shell)
        extension.load(shell)
        assert set(shell.magics_manager.magics["cell"]) == before | {"gradflow", "step"}
        extension.unload(shell)
        extension.unload(shell)
        assert set(shell.magics_manager.magics["cell"]) == before
    shell.run_line_magic("load_ext", "nbtorch_widgets")
    assert "gradflow" in shell.magics_manager.magics["cell"]
    shell.run_line_magic("unload_ext", "nbtorch_widgets")
    assert "gradflow" not in shell.magics_manager.magics["cell"]


def test_help_names_the_options() -> None:
    assert all(
        word in magics.GradFlowMagics.gradflow.__doc__ for word in ("--model", "--optimizer", "--loss", "--every")
    )


@pytest.mark.parametrize(
    ("source", "inner"),
    [
        ("for a in b: pass", None),
        ("for a in b: x.backward()", "a"),
        ("for a in b:\n for c in d: o.step()", "c"),
        ("for a in b:\n for c in d: pass\n o.step()", "a"),
        ("for a in b: pass\nwhile True:\n  for c in d: l.backward()", "c"),
        ("class A:\n def f(self):\n  for a in self.b: self.o.step()", "a"),
    ],
)
def test_which_loop_is_the_training_loop(source: str, inner: str | None) -> None:
    found = magics.find_training_loop(ast.parse(source))
    assert (found and found.inner.target.id) == inner  # type: ignore[attr-defined]
