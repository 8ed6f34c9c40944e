from __future__ import annotations

import sys
import types
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell

import nbtorch
from nbtorch.notebook import extension


@pytest.fixture
def shell() -> Iterator[InteractiveShell]:
    InteractiveShell.clear_instance()
    shell = InteractiveShell.instance()
    shell.run_line_magic("config", "HistoryManager.enabled = False")
    yield shell
    extension.unload_ipython_extension(shell)
    InteractiveShell.clear_instance()


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    """A package that offers an extension, as the widgets do; by default nothing but it is installed."""
    module = types.ModuleType("an_nbtorch_extension")
    module.calls = []  # type: ignore[attr-defined]

    def load(ip: Any) -> None:
        module.calls.append("load")
        ip.register_magic_function(lambda line, cell: f"flow {line}", magic_kind="cell", magic_name="gradflow")

    def unload(ip: Any) -> None:
        module.calls.append("unload")
        ip.magics_manager.magics["cell"].pop("gradflow")

    module.load, module.unload = load, unload  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    offer(monkeypatch, EntryPoint("widgets", f"{module.__name__}:load", "nbtorch.extensions"))
    return module


def offer(monkeypatch: pytest.MonkeyPatch, *points: EntryPoint) -> None:
    monkeypatch.setattr(extension, "entry_points", lambda group: points if group == "nbtorch.extensions" else ())


def state(shell: InteractiveShell) -> Any:
    """Everything that the extension may touch."""
    html = shell.display_formatter.formatters["text/html"]
    magics = {kind: dict(table) for kind, table in shell.magics_manager.magics.items()}
    return magics, dict(html.type_printers), dict(html.deferred_printers), hasattr(shell, "_nbtorch_extension")


def html(shell: InteractiveShell, value: object) -> str | None:
    return shell.display_formatter.format(value)[0].get("text/html")


def test_load_ext_and_unload_ext_leave_no_trace(shell: InteractiveShell, installed: types.ModuleType) -> None:
    before = state(shell)
    for _ in range(2):
        shell.run_line_magic("load_ext", "nbtorch")
        assert state(shell) != before
        shell.run_line_magic("unload_ext", "nbtorch")
        assert state(shell) == before
    assert installed.calls == ["load", "unload"] * 2


def test_loading_and_unloading_twice_changes_nothing(shell: InteractiveShell, installed: types.ModuleType) -> None:
    before = state(shell)
    nbtorch.load_ipython_extension(shell)
    loaded = state(shell)
    nbtorch.load_ipython_extension(shell)
    assert state(shell) == loaded
    nbtorch.unload_ipython_extension(shell)
    nbtorch.unload_ipython_extension(shell)
    assert state(shell) == before
    assert installed.calls == ["load", "unload"]


def test_what_was_there_before_comes_back(shell: InteractiveShell, installed: types.ModuleType) -> None:
    formatter = shell.display_formatter.formatters["text/html"]
    formatter.for_type(nbtorch.Tensor, lambda t: "the user's own")
    shell.register_magic_function(lambda line: "the user's own", magic_name="graph")
    extension.load_ipython_extension(shell)
    assert "(2,)" in (html(shell, nbtorch.ones(2)) or "")
    extension.unload_ipython_extension(shell)
    assert html(shell, nbtorch.ones(2)) == "the user's own"
    assert shell.run_line_magic("graph", "") == "the user's own"


def test_displays_of_tensors_and_modules(shell: InteractiveShell, installed: types.ModuleType) -> None:
    x, model = nbtorch.ones(2), nbtorch.nn.Linear(2, 3)
    assert html(shell, x) is None and html(shell, model) is None
    extension.load_ipython_extension(shell)
    assert "<svg" in (html(shell, x) or "")
    assert "9 parameters" in (html(shell, model) or "")
    assert "Parameter" in (html(shell, model.weight) or "")  # subclasses too
    assert shell.display_formatter.format(x)[0]["text/plain"] == repr(x)


def test_a_subclass_with_a_display_of_its_own_keeps_it(shell: InteractiveShell, installed: types.ModuleType) -> None:
    class Own(nbtorch.nn.Module):
        def _repr_html_(self) -> str:
            return "<i>mine</i>"

    extension.load_ipython_extension(shell)
    assert html(shell, Own()) == "<i>mine</i>"


def test_graph_magic(shell: InteractiveShell, installed: types.ModuleType) -> None:
    extension.load_ipython_extension(shell)
    w = nbtorch.ones(2, requires_grad=True)
    shell.user_ns.update(w=w, objective=(w * 2).sum())
    drawn = shell.run_line_magic("graph", "objective")
    assert repr(drawn).startswith("Graph of objective: 2 operations, 1 leaf")
    assert "  w: leaf" in repr(drawn)
    assert not shell.run_line_magic("graph", "-n 1 objective * 3").is_drawn
    assert "v: leaf" in repr(shell.run_line_magic("graph", "-p {'v':w} objective"))


@pytest.mark.parametrize("line", ["%graph", "%graph -n few objective"])
def test_graph_magic_explains_its_usage(
    shell: InteractiveShell, installed: types.ModuleType, capsys: pytest.CaptureFixture[str], line: str
) -> None:
    extension.load_ipython_extension(shell)
    assert not shell.run_cell(line).success
    assert "usage: %graph [-p PARAMS] [-n MAX_NODES] EXPRESSION" in capsys.readouterr().err


def test_nbtorch_magic(
    shell: InteractiveShell, installed: types.ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    extension.load_ipython_extension(shell)
    shell.run_line_magic("nbtorch", "")
    printed = capsys.readouterr().out
    for word in (f"nbtorch {nbtorch.__version__}", "numpy", "cpu", "%graph loss", "%%gradflow"):
        assert word in printed


def test_installed_extension_brings_its_magic(shell: InteractiveShell, installed: types.ModuleType) -> None:
    extension.load_ipython_extension(shell)
    assert shell.run_cell_magic("gradflow", "now", "pass") == "flow now"


def test_missing_package_is_named_when_its_magic_is_used(
    shell: InteractiveShell, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    offer(monkeypatch, EntryPoint("widgets", "a_package_that_is_not_installed.extension:load", "nbtorch.extensions"))
    before = state(shell)
    extension.load_ipython_extension(shell)
    assert capsys.readouterr() == ("", "")  # loading is silent
    assert not shell.run_cell("%%gradflow\nraise SystemExit").success
    (note,) = capsys.readouterr().err.strip().splitlines()
    assert note.startswith("UsageError: %%gradflow needs the optional packages of nbtorch[widgets]")
    assert "No module named 'a_package_that_is_not_installed'" in note
    assert "%pip install 'nbtorch[widgets]'" in note
    extension.unload_ipython_extension(shell)
    assert state(shell) == before


def test_without_any_installed_extension_the_magic_still_explains_itself(
    shell: InteractiveShell, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    offer(monkeypatch)
    extension.load_ipython_extension(shell)
    shell.run_cell("%%gradflow\npass")
    assert "needs the optional packages of nbtorch[widgets]: run" in capsys.readouterr().err


def test_a_broken_extension_warns_and_does_not_stop_the_others(
    shell: InteractiveShell, installed: types.ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = types.ModuleType("a_broken_extension")
    broken.load = lambda ip: 1 / 0  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, broken.__name__, broken)
    good = EntryPoint("widgets", f"{installed.__name__}:load", "nbtorch.extensions")
    offer(monkeypatch, EntryPoint("broken", "a_broken_extension:load", "nbtorch.extensions"), good)
    with pytest.warns(UserWarning, match="the extension 'broken' .* failed to load: ZeroDivisionError"):
        extension.load_ipython_extension(shell)
    assert installed.calls == ["load"]


def test_the_real_entry_points_load_and_unload(shell: InteractiveShell) -> None:
    before = state(shell)
    extension.load_ipython_extension(shell)
    assert "gradflow" in shell.magics_manager.magics["cell"]
    extension.unload_ipython_extension(shell)
    assert state(shell) == before
