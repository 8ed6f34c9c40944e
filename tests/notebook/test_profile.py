"""``%%profile`` and what it shows."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from helpers import import_torch
from IPython.core.interactiveshell import InteractiveShell
from outline import Outline

import nbtorch
from nbtorch.notebook import extension
from nbtorch.notebook.profile_view import SORTS, ProfileView

STEP = "y = (x * 2).exp().sum()\ny.backward()\n'last'"


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[InteractiveShell]:
    InteractiveShell.clear_instance()
    shell = InteractiveShell.instance()
    shell.run_line_magic("config", "HistoryManager.enabled = False")
    monkeypatch.setattr(extension, "entry_points", lambda group: ())
    monkeypatch.chdir(tmp_path)
    extension.load_ipython_extension(shell)
    shell.user_ns["x"] = nbtorch.ones(100, requires_grad=True)
    yield shell
    extension.unload_ipython_extension(shell)
    InteractiveShell.clear_instance()


@pytest.fixture
def shown(shell: InteractiveShell, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What a cell displays beside its value."""
    views: list[Any] = []
    monkeypatch.setattr("IPython.display.display", views.append)
    shell.magics_manager.magics["cell"]["profile"] = extension.profile_magic(shell)
    return views


def rows(view: ProfileView) -> list[str]:
    return re.findall(r'title="([^"]*)"', view._repr_html_())


def test_a_cell_runs_as_ever_and_is_shown(shell: InteractiveShell, shown: list[Any], capsys: Any) -> None:
    assert shell.run_cell(f"%%profile --name kept\n{STEP}").success
    assert "'last'" in capsys.readouterr().out and shell.user_ns["y"].grad_fn is not None
    [view] = shown
    text = "\n".join(Outline(view._repr_html_()).texts)
    for part in ("Profile", "forward", "backward", "outside operations", "exp", "ExpBackward0", "calls"):
        assert part in text
    assert not any("evaluate_function" in row for row in rows(view))
    assert "aten::exp" in repr(view) and "Self CPU time total" in repr(view)
    assert isinstance(shell.user_ns["kept"], nbtorch.profiler.profile)
    assert "NaN" not in text and "<script" not in view._repr_html_()


@pytest.mark.parametrize("sort", SORTS)
def test_sorting_and_limiting(shell: InteractiveShell, shown: list[Any], sort: str) -> None:
    shell.run_cell(f"%%profile --sort {sort} --limit 3\nfor _ in range(3): x.detach().exp()\n{STEP}")
    [view] = shown
    assert len(rows(view)) == 3 and "more: %%profile --limit" in view._repr_html_()
    averages = {a.key: a for a in view.profile.key_averages()}
    values = [getattr(averages[name], SORTS[sort]) for name in rows(view)]
    assert values == sorted(values, reverse=sort != "name")
    if sort == "calls":
        assert rows(view)[0] == "aten::exp"


def test_a_trace_and_modules(shell: InteractiveShell, shown: list[Any], tmp_path: Path) -> None:
    shell.run_cell(
        "%%profile --trace 'a trace.json' --modules\nimport nbtorch\nnbtorch.nn.Linear(2, 2)(nbtorch.ones(2))"
    )
    names = {e["name"] for e in json.loads((tmp_path / "a trace.json").read_text(encoding="utf-8"))["traceEvents"]}
    assert {"aten::linear", "nn.Module: Linear"} <= names
    assert "trace written to a trace.json" in shown[0]._repr_html_() and "a trace.json" in repr(shown[0])


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("--limit 0", "%%profile --limit: a number of rows from 1 on, not 0"),
        ("--limit few", "argument --limit: invalid int value: 'few'"),
        ("--sort speed", "argument --sort: invalid choice: 'speed'"),
        ("--trace no/such/file", "%%profile --trace: 'no/such/file' is not a file in a folder that is there"),
        ("--trace .", "is not a file"),
        ("--name 1x", "%%profile --name: a variable's name, not '1x'"),
        ("--fast", "unrecognized arguments: --fast"),
    ],
)
def test_wrong_options_stop_before_the_cell_runs(
    shell: InteractiveShell, shown: list[Any], capsys: Any, line: str, said: str
) -> None:
    assert not shell.run_cell(f"%%profile {line}\nran = True").success
    assert said in capsys.readouterr().err
    assert "ran" not in shell.user_ns and not shown


def test_an_error_is_the_cells_own_and_what_ran_is_shown(
    shell: InteractiveShell, shown: list[Any], capsys: Any
) -> None:
    result = shell.run_cell("%%profile\nz = x.exp()\nz.nothing")
    assert isinstance(result.error_in_exec, AttributeError)
    assert "profile_magic.py" not in capsys.readouterr().out
    assert rows(shown[0]) == ["aten::exp"]


def test_nothing_ran(shell: InteractiveShell, shown: list[Any]) -> None:
    shell.run_cell("%%profile\n1 + 1")
    assert "no operations ran" in shown[0]._repr_html_() and repr(shown[0]) == "no operations ran"
    Outline(shown[0]._repr_html_())


def test_help(shell: InteractiveShell, capsys: Any) -> None:
    shell.run_cell("%%profile?")
    printed = capsys.readouterr().out
    for part in (
        "%%profile [--sort",
        "--limit N",
        "--trace FILE",
        "--name VAR",
        "Run a cell and show where its time went",
    ):
        assert part in printed
    shell.run_line_magic("nbtorch", "")
    assert "%%profile" in capsys.readouterr().out


def test_names_are_escaped_and_kinds_told_apart() -> None:
    x = nbtorch.ones(3, requires_grad=True)
    optimizer = nbtorch.optim.SGD([x], lr=0.1)
    with nbtorch.profiler.profile() as prof, nbtorch.profiler.record_function("<b>mine</b>"):
        (x * 2).sum().backward()
        optimizer.step()
        list(nbtorch.utils.data.DataLoader([1, 2]))
    view = ProfileView(prof)
    shares = view._shares
    assert all(shares[kind] > 0 for kind in ("data", "forward", "backward", "optimizer", "python"))
    assert "&lt;b&gt;mine&lt;/b&gt;" in view._repr_html_() and "<b>mine" not in view._repr_html_()
    assert sum(shares.values()) == pytest.approx(view._wall)
    assert "memory" not in "".join(re.findall(r"<th scope=\"col\".*?</th>", view._repr_html_()))


def test_a_profile_of_torch_can_be_shown() -> None:
    torch = import_torch()
    x = torch.ones(3, requires_grad=True)
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as prof:
        (x * 2).sum().backward()
    html = ProfileView(prof, limit=99)._repr_html_()
    assert "MulBackward0" in html and "> backward <" in html
    Outline(html)
