"""Files that stand alone, opened in Chromium without a network."""

from __future__ import annotations

import pathlib
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import nbformat
import nbtorch_widgets
import numpy as np
import pytest
from ipywidgets.embed import dependency_state, embed_data
from nbtorch_widgets import Monitor, RunBar, Seismograph
from nbtorch_widgets.telemetry import Telemetry
from playwright.sync_api import Page, expect

NAME = "</script><img src=x onerror=window.hacked=1>"


@pytest.fixture
def telemetry() -> Telemetry:
    told = Telemetry(["0.weight", NAME])
    told.begin(50)
    for step in range(1, 31):
        told.step, told.loss = step, 1 / step
        told.record(np.array([1, 0.1], np.float32), np.zeros(2, np.uint8))
    return told


@pytest.fixture
def opened(new_page: Callable[..., Page]) -> Callable[[pathlib.Path], Page]:
    def open_file(path: pathlib.Path) -> Page:
        page = new_page(offline=True, color_scheme="dark")
        outside: list[str] = []
        page.on("request", lambda r: None if r.url.startswith(("file:", "blob:", "data:")) else outside.append(r.url))
        page.goto(path.as_uri())
        expect(page.locator(".nbt-root").first).to_have_attribute("data-columns", "30")
        assert outside == [] and page.evaluate("() => window.hacked") is None
        return page

    return open_file


def test_a_saved_page_works(telemetry: Telemetry, opened: Callable[..., Page], tmp_path: pathlib.Path) -> None:
    monitor, bar = Monitor(telemetry), RunBar(telemetry)
    nbtorch_widgets.save_html(tmp_path / "run.html", monitor, bar, title="My run")
    page = opened(tmp_path / "run.html")
    expect(page.locator("h1")).to_have_text("My run")
    roots = page.locator(".nbt-root")
    expect(roots).to_have_count(2)
    root = roots.first
    expect(root).to_have_attribute("data-theme", "dark")
    # The run goes on elsewhere; here nobody hears the buttons.
    expect(root).to_have_attribute("data-state", "running")
    expect(root.get_by_role("button", name="Pause")).to_have_attribute("aria-disabled", "true")
    root.locator(".nbt-plot").focus()
    for key in ("ArrowDown", "ArrowLeft", "Enter"):
        page.keyboard.press(key)
    expect(root.locator(".nbt-subtitle")).to_have_text("at step 29")
    expect(root.locator(".nbt-tip")).to_contain_text(NAME)
    root.get_by_role("searchbox").fill("*.weight")
    expect(root.locator(".nbt-subtitle")).to_contain_text("1 of 2 parameters")


def test_an_exported_notebook_works(telemetry: Telemetry, opened: Callable[..., Page], tmp_path: pathlib.Path) -> None:
    telemetry.end("finished")
    widgets: list[Any] = [Monitor(telemetry), Seismograph(telemetry)]
    data = embed_data(views=widgets, state=dependency_state(widgets, drop_defaults=False))
    outputs = []
    for widget in widgets:
        bundle, _ = widget._repr_mimebundle_()
        assert bundle["image/svg+xml"].startswith("<svg") and "at 0x" not in bundle["text/plain"]
        outputs.append(nbformat.v4.new_output("display_data", bundle))
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_markdown_cell("# A lesson"), nbformat.v4.new_code_cell("monitor", outputs=outputs)],
        metadata={"widgets": {"application/vnd.jupyter.widget-state+json": data["manager_state"]}},
    )
    nbformat.write(notebook, tmp_path / "lesson.ipynb")
    nbtorch_widgets.export_notebook(tmp_path / "lesson.ipynb", tmp_path / "lesson.html", theme="dark")
    page = opened(tmp_path / "lesson.html")
    expect(page.locator("h1")).to_contain_text("A lesson")
    expect(page.locator(".nbt-root")).to_have_count(2)
    expect(page.locator(".nbt-root").first).to_have_attribute("data-state", "finished")


def test_models_that_are_not_ours_are_left_alone(opened: Callable[..., Page], tmp_path: pathlib.Path) -> None:
    telemetry = Telemetry(["w"])
    for step in range(1, 31):
        telemetry.step = step
        telemetry.record(np.ones(1, np.float32), np.zeros(1, np.uint8))
    Seismograph(telemetry).save_html(tmp_path / "a.html")
    page = (tmp_path / "a.html").read_text(encoding="utf-8")
    other = SimpleNamespace(view='<script type="application/vnd.jupyter.widget-view+json">{"model_id": "x"}</script>')
    (tmp_path / "a.html").write_text(page.replace("<main>", "<main>" + other.view), encoding="utf-8")
    expect(opened(tmp_path / "a.html").locator(".nbt-root")).to_have_count(1)
