"""Where runs are shown, and what an executed notebook contains."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest
from nbtorch_widgets import show, watch
from widgets.support import OwnModel

SIGNS = (*show._SIGNS_OF_A_FRONT_END, show._VARIABLE)


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in SIGNS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(show, "kernel_shell", lambda: SimpleNamespace())


def test_outside_a_kernel_nothing_is_shown() -> None:
    assert [show.mode(wish) for wish in (True, False, "live", "static")] == ["off"] * 4


@pytest.mark.usefixtures("kernel")
def test_in_a_kernel_the_environment_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    assert show.mode(True) == "static"
    monkeypatch.setenv("JPY_SESSION_NAME", "a.ipynb")
    assert show.mode(True) == "live"
    assert [show.mode(wish) for wish in (False, "live", "static")] == ["off", "live", "static"]
    for word in ("static", "off", "live"):
        monkeypatch.setenv("NBTORCH_SHOW", word)
        assert show.mode(True) == word
    monkeypatch.setenv("NBTORCH_SHOW", "yes")
    with pytest.raises(ValueError, match="NBTORCH_SHOW should be live, static or off, got 'yes'"):
        show.mode(True)


def test_importing_and_watching_load_no_notebook_software() -> None:
    program = (
        "import sys, nbtorch_widgets as w\n"
        "from types import SimpleNamespace as N\n"
        "for _ in w.watch({'w': N(grad=1.0)}, None, range(3)): pass\n"
        "heavy = ('IPython', 'ipywidgets', 'anywidget', 'traitlets', 'torch', 'nbtorch')\n"
        "print([m for m in heavy if m in sys.modules])"
    )
    path = os.pathsep.join(filter(None, sys.path))
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"


def test_views_without_anywidget_say_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    import nbtorch_widgets

    monkeypatch.setitem(sys.modules, "nbtorch_widgets.views", None)
    monkeypatch.delattr(nbtorch_widgets, "views", raising=False)
    with pytest.raises(ImportError, match=r"RunBar needs anywidget.*pip install nbtorch\[widgets\]"):
        nbtorch_widgets.RunBar  # noqa: B018
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        nbtorch_widgets.Nothing  # noqa: B018
    assert {"RunBar", "Seismograph", "watch"} <= set(dir(nbtorch_widgets))


CELL = """
import numpy as np
from types import SimpleNamespace
from nbtorch_widgets import watch
model = {"w": SimpleNamespace(grad=None), "b": SimpleNamespace(grad=None)}
for epoch in range(2):
    for step in (run if epoch else (run := watch(model, None, range(30)))):
        model["w"].grad, model["b"].grad = np.ones(4) / (run.step + 1), np.zeros(2)
        loss = 1 / (run.step + 1)
print(run)
"""
BROKEN = """
for _ in watch(model, None, range(3)):
    1 / 0
"""


def execute(path: pathlib.Path) -> Any:
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    cells = [nbformat.v4.new_code_cell(source) for source in (CELL, BROKEN)]
    cells[1].metadata.tags = ["raises-exception"]
    notebook = nbformat.v4.new_notebook(cells=cells)
    nbclient.NotebookClient(
        notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": path}}
    ).execute()
    return notebook


@pytest.fixture
def kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in SIGNS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))


@pytest.mark.usefixtures("kernels")
def test_an_executed_notebook_has_the_picture_and_is_the_same_again(tmp_path: pathlib.Path) -> None:
    first, second = execute(tmp_path), execute(tmp_path)
    outputs = [[{k: v for k, v in o.items() if k != "traceback"} for o in c.outputs] for c in first.cells]
    assert outputs == [[{k: v for k, v in o.items() if k != "traceback"} for o in c.outputs] for c in second.cells]
    kinds = [output["output_type"] for output in outputs[0]]
    assert kinds == ["stream", "display_data"]  # one picture, however often the run was iterated
    assert outputs[0][0]["text"] == "Run(step 60/60, finished, loss 0.0167, 2 parameters)\n"
    data = outputs[0][1]["data"]
    assert set(data) == {"text/plain", "image/svg+xml"} and "Step 60 of 60" in data["image/svg+xml"]
    assert "widgets" not in first.metadata
    picture = next(output for output in outputs[1] if output["output_type"] == "display_data")
    assert "Run(step 0/3, failed" in picture["data"]["text/plain"]


@pytest.mark.usefixtures("kernels")
def test_live_widgets_in_an_executed_notebook_keep_their_last_state(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NBTORCH_SHOW", "live")
    notebook = execute(tmp_path)
    states = notebook.metadata.widgets["application/vnd.jupyter.widget-state+json"]["state"].values()
    saved = [state for state in states if state["model_name"] == "AnyModel"]
    assert [state["state"]["kind"] for state in saved] == ["monitor", "monitor"]
    assert all(any(buffer["path"] == ["snapshot"] for buffer in state["buffers"]) for state in saved)


def test_a_pass_shows_nothing_by_itself(capsys: pytest.CaptureFixture[str]) -> None:
    for _ in watch(OwnModel(), None, range(3)):
        pass
    assert capsys.readouterr() == ("", "")


@pytest.mark.usefixtures("kernel")
def test_a_view_that_cannot_be_made_keeps_nobody_from_training(monkeypatch: pytest.MonkeyPatch) -> None:
    from nbtorch_widgets.telemetry import Telemetry

    def fail(*_: Any) -> None:
        raise OSError("no comm")

    monkeypatch.setattr(show, "LivePresentation", fail)
    with pytest.warns(UserWarning, match="live view of this run can't be made.*no comm"):
        shown = show.present(Telemetry(["w"]), "live")
    assert isinstance(shown, show.StaticPresentation)
