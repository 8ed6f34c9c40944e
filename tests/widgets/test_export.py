"""Widgets outside a live page: figures, arrays, files that stand alone, and what a notebook stores of them."""

from __future__ import annotations

import json
import pathlib
import re
from typing import Any

import nbtorch_widgets
import numpy as np
import pytest
from ipywidgets.embed import dependency_state
from nbtorch_widgets import Monitor, RunBar, Seismograph, save_html, watch
from nbtorch_widgets.svg import run_svg
from widgets.support import Training


@pytest.fixture
def run() -> Any:
    import nbtorch

    training = Training(nbtorch, steps=9)
    run = watch(training.model, training.optimizer, training.batches, show=False)
    training.loop(run)
    return run


def test_a_page_stands_alone(run: Any, tmp_path: pathlib.Path) -> None:
    path = tmp_path / "run.html"
    save_html(path, Monitor(run), Seismograph(run), title="a </script><script>alert(1)</script> & b")
    page = path.read_text(encoding="utf-8")
    assert "alert(1)</script>" not in page
    assert not re.search(r"(src|href)\s*=", page[: page.index("<main>")])
    assert page.count("</script>") == page.count("<script") == 4  # two views, the state, the script
    assert page.count("--nbt-surface: var(--jp-layout-color1") == 1  # the code is there once
    state = re.search(r'widget-state\+json">(.*?)</script>', page, re.S)
    assert state and len(json.loads(state[1])["state"]) >= 3


def test_what_cannot_be_saved_is_told(run: Any, tmp_path: pathlib.Path) -> None:
    with pytest.raises(TypeError, match="at least one widget"):
        save_html(tmp_path / "a.html")
    with pytest.raises(TypeError, match="got Run"):
        save_html(tmp_path / "a.html", run)
    closed = RunBar(run)
    closed.close()
    with pytest.raises(ValueError, match="was closed"):
        closed.save_html(tmp_path / "a.html")


def test_a_notebook_of_eight_widgets_stays_small(run: Any) -> None:
    widgets = [kind(run) for kind in (Monitor, RunBar, Seismograph, Monitor, RunBar, Seismograph, Monitor, RunBar)]
    state = dependency_state(widgets, drop_defaults=False)
    bundle = (pathlib.Path(nbtorch_widgets.__file__).parent / "static" / "nbtorch.js").stat().st_size
    stored = len(json.dumps(state, default=lambda buffer: "=" * (len(buffer) * 4 // 3)))
    assert bundle < stored < 1.2 * bundle + 8 * 6_000


def test_history_and_figures(run: Any) -> None:
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    for kind, axes in ((Monitor, 3), (RunBar, 1), (Seismograph, 2)):
        widget = kind(run)
        assert len(widget.history) == 9 and widget.history.norms.shape == (9, 4)
        figure = widget.plot()
        assert len(figure.axes) == axes  # the colour bar has its own
        figure.canvas.draw()
        widget.close()
    run.telemetry.history._table.flags[2:4] = [[1, 2, 4, 8]] * 2
    run.telemetry.history._table.norms[2:4] = np.nan
    run.plot().canvas.draw()


def test_a_figure_of_nothing() -> None:
    pytest.importorskip("matplotlib").use("Agg")
    from types import SimpleNamespace

    run = watch({"$w_$": SimpleNamespace(grad=None)}, None, [1], show=False)
    run.plot().canvas.draw()


def test_pictures_in_korean(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    english = run_svg(run.telemetry)
    korean = run_svg(run.telemetry, language="ko")
    assert "Step 9 of 9" in english and "finished" in english
    assert "스텝 9 / 9" in korean and "완료" in korean and "스텝 1부터 9까지" in korean
    monkeypatch.setenv("NBTORCH_LANGUAGE", "ko")
    assert run_svg(run.telemetry) == korean == Monitor(run).to_svg()
