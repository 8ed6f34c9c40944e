"""The line magics, typed as a user types them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from helpers import import_torch
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell

import nbtorch
from nbtorch.notebook import extension


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Iterator[InteractiveShell]:
    monkeypatch.setattr(extension, "entry_points", lambda group: ())
    InteractiveShell.clear_instance()
    shell = InteractiveShell.instance()
    shell.run_line_magic("config", "HistoryManager.enabled = False")
    nbtorch.load_ipython_extension(shell)
    yield shell
    extension.unload_ipython_extension(shell)
    InteractiveShell.clear_instance()


@pytest.fixture(params=["nbtorch", "torch"])
def lib(request: pytest.FixtureRequest) -> Any:
    return nbtorch if request.param == "nbtorch" else import_torch()


def put(shell: InteractiveShell, lib: Any, program: str) -> None:
    exec(program, shell.user_ns | {"torch": lib}, shell.user_ns)


def what(shell: InteractiveShell, line: str) -> list[str]:
    return repr(shell.run_line_magic("whatgrad", line)).splitlines()


TWICE = "w = torch.tensor([1.0, 2.0], requires_grad=True); h = w * w; loss = (h.exp() + w).sum(); u = torch.ones(2)"


def test_whatgrad_describes_a_gradient_and_its_way(shell: InteractiveShell, lib: Any) -> None:
    put(shell, lib, TWICE + "; loss.backward(retain_graph=True)")
    lines = what(shell, "w")
    assert lines[0] == "w: Tensor (2,) float32 on cpu, a leaf"
    # d/dw (exp(w^2) + w) = 2 w exp(w^2) + 1: 6.437 and 219.4
    assert lines[1] == "Its gradient: norm 219.5, from 6.437 to 219.4."
    assert lines[2] == "The gradient's way: loss → sum → add → w."
    assert lines[3] == "w is used 3 times: that many gradients arrive and are added up."


def test_whatgrad_says_why_there_is_none(shell: InteractiveShell, lib: Any) -> None:
    put(shell, lib, TWICE)
    computed = what(shell, "h")
    assert computed[0] == "h: Tensor (2,) float32 on cpu, computed by mul"
    assert (computed[1].startswith("No gradient. ") and "leaf" in computed[1]) or "leaves" in computed[1]
    assert computed[-1] == "The gradient's way: loss → sum → add → exp → h."
    assert any("requires_grad_()" in line for line in what(shell, "u"))
    assert what(shell, "u")[-1] == "loss doesn't depend on u: backward() on it brings u nothing."
    assert "No gradient" in what(shell, "-o h w")[1]
    assert what(shell, "-o u w")[-1] == "u has no graph: backward() on it brings w nothing."


def test_whatgrad_counts_what_is_broken(shell: InteractiveShell, lib: Any) -> None:
    put(shell, lib, "x = torch.zeros(3, requires_grad=True); loss = x.sqrt().sum() * 0; loss.backward()")
    assert what(shell, "x")[1] == "Its gradient: 3 of 3 are NaN or infinite."
    put(shell, lib, "x = torch.ones(3, requires_grad=True); loss = (x * 0).sum(); loss.backward()")
    assert what(shell, "x")[1] == "Its gradient: norm 0, from 0 to 0; all zero."
    put(shell, lib, "x = torch.ones(0, requires_grad=True); loss = x.sum(); loss.backward()")
    assert what(shell, "x")[1] == "The gradient is empty, like the tensor."


def test_whatgrad_walks_long_graphs_and_shows_markup_as_text(shell: InteractiveShell) -> None:
    put(shell, nbtorch, "w = y = torch.ones(1, requires_grad=True)")
    put(shell, nbtorch, "for _ in range(20_000): y = y * 1.0\nloss = y.sum()")
    way = what(shell, "w")[-1]
    assert way == f"The gradient's way: loss → sum{' → mul' * 5} → (19989 more){' → mul' * 6} → w."
    shell.user_ns["d"] = {"<b>": shell.user_ns["w"]}
    html = shell.run_line_magic("whatgrad", "d['<b>']")._repr_html_()
    assert "<b>'" not in html


@pytest.mark.parametrize(
    ("magic", "line", "message"),
    [
        ("whatgrad", "", r"usage: %whatgrad \[-o RESULT\] NAME"),
        ("whatgrad", "nowhere", "%whatgrad: name 'nowhere' is not defined"),
        ("whatgrad", "1 +", "'1 \\+' is not an expression"),
        ("whatgrad", "[1]", r"expected a tensor; \[1\] is of type list"),
        ("whatgrad", "-o 3 w", "-o: expected a tensor; 3 is of type int"),
        ("graph", "nowhere", "%graph: name 'nowhere' is not defined"),
        ("graph", "-p nowhere w", "%graph -p: name 'nowhere'"),
        ("seed", "many", "a whole number from 0 to 4,294,967,295, not 'many'"),
        ("seed", "4294967296", "not '4294967296'"),
        ("seed", "-1", "not '-1'"),
        ("device", "cuda", "no GPU can be used here"),
        ("device", "toaster", "usage: %device"),
    ],
)
def test_errors_of_the_line_are_usage_errors(shell: InteractiveShell, magic: str, line: str, message: str) -> None:
    put(shell, nbtorch, "w = torch.ones(1, requires_grad=True)")
    if line == "cuda" and nbtorch.cuda.is_available():
        pytest.skip("there is a GPU here")
    before = nbtorch.get_default_device()
    with pytest.raises(UsageError, match=message):
        shell.run_line_magic(magic, line)
    assert nbtorch.get_default_device() == before


def test_seed_seeds_everything(shell: InteractiveShell, capsys: pytest.CaptureFixture[str]) -> None:
    torch = import_torch()

    def drawn() -> list[float]:
        return [random.random(), float(np.random.rand()), float(nbtorch.rand(1)), float(torch.rand(1))]

    shell.run_line_magic("seed", "7")
    assert capsys.readouterr().out == "seeded nbtorch, random, NumPy, PyTorch with 7\n"
    first = drawn()
    shell.run_line_magic("seed", "")
    assert capsys.readouterr().out == "nbtorch's random numbers started from the seed 7\n"
    shell.run_line_magic("seed", "7")
    assert drawn() == first


def test_device_tells_and_sets(shell: InteractiveShell, capsys: pytest.CaptureFixture[str]) -> None:
    shell.run_line_magic("device", "")
    assert capsys.readouterr().out.startswith("new tensors live on cpu; usable devices: cpu")
    try:
        shell.run_line_magic("device", "cpu")
        assert str(nbtorch.ones(1).device) == "cpu"
    finally:
        nbtorch.set_default_device(None)


def test_the_overview_names_every_magic(shell: InteractiveShell, capsys: pytest.CaptureFixture[str]) -> None:
    shell.run_line_magic("nbtorch", "")
    out = capsys.readouterr().out
    for name in ("%graph", "%whatgrad", "%device", "%seed", "%nbtorch", "%%profile", "%%gradflow"):
        line = next(line for line in out.splitlines() if line.startswith(f"{name} "))
        assert len(line.split(maxsplit=1)[1]) > 20


def test_an_optimizer_as_a_table(shell: InteractiveShell, lib: Any) -> None:
    from nbtorch.notebook.display import optimizer_html

    put(
        shell,
        lib,
        "a, b = torch.nn.Linear(3, 4), torch.nn.Linear(4, 1)\n"
        "groups = [{'params': a.parameters()}, {'params': b.parameters(), 'lr': 0.01}]\n"
        "o = torch.optim.SGD(groups, lr=0.5, momentum=0.9)",
    )
    html = optimizer_html(shell.user_ns["o"])
    assert "21 parameters in 2 groups · no step yet" in html
    assert html.count(">0.9<") == 2 and ">0.5<" in html and ">0.01<" in html and ">all<" in html
    put(shell, lib, "a(torch.ones(1, 3)).sum().backward(); o.step()")
    html = optimizer_html(shell.user_ns["o"])
    assert "remembers momentum_buffer" in html and ">none<" in html
    if lib is nbtorch:
        assert shell.display_formatter.format(shell.user_ns["o"])[0]["text/html"] == html
