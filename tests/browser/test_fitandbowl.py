"""FitAndBowl in Chromium: the committed bundle and a real widget's state."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from browser.test_front import BUNDLE
from browser.test_matmulflow import HOST
from nbtorch_widgets import FitAndBowl
from playwright.sync_api import Page, expect

X = np.array([1.0, 2.0, 3.0, 4.0])


def test_points_move_by_keys_and_mouse_and_the_run_comes_back(new_page: Callable[..., Page]) -> None:
    page = new_page()
    page.set_content("<body style='margin: 8px'></body>")
    widget = FitAndBowl(X, 2 * X, [(0.0, 0.0), (0.3, 0.1), (0.558, 0.184)], lr=0.01)
    state = {"kind": widget.kind, "language": "en", "fit": widget.fit, "step": -1}
    page.evaluate(HOST, {"bundle": BUNDLE, "state": state})
    root = page.locator(".nbt-root")
    readout = root.locator(".nbt-readout")
    expect(readout).to_contain_text("step 2 / 2")
    expect(readout).to_contain_text("y = 0.558 x + 0.184")
    slider = root.get_by_role("slider", name="step")
    slider.focus()
    page.keyboard.press("ArrowLeft")
    expect(readout).to_contain_text("step 1 / 2")
    assert page.evaluate("state.step") == 1
    point = root.get_by_role("slider", name="point 4")
    before = float(point.get_attribute("aria-valuenow") or 0)
    point.focus()
    page.keyboard.press("ArrowUp")
    expect(root.get_by_text("run again here with lr = 0.01")).to_be_visible()
    box = point.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] - 30)
    page.mouse.up()
    page.wait_for_timeout(50)
    assert float(point.get_attribute("aria-valuenow") or 0) > before + 0.4
    root.get_by_role("button", name="Your own run").click()
    expect(readout).to_contain_text("y = 0.3 x + 0.1")
