"""MatmulFlow in Chromium: the committed bundle and a real widget's state."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from browser.test_front import BUNDLE
from nbtorch_widgets import MatmulFlow
from playwright.sync_api import Page, expect

HOST = """async ({ bundle, state }) => {
    const listeners = {};
    window.state = state;
    const model = {
        get: key => state[key], set: (key, value) => { state[key] = value; }, save_changes() {}, send() {},
        on: (event, listener) => (listeners[event] ??= []).push(listener), off() {},
    };
    const module = await import(URL.createObjectURL(new Blob([bundle], { type: 'text/javascript' })));
    await module.default.render({ model, el: document.body });
}"""


def show(page: Page, widget: MatmulFlow, language: str = "en") -> Any:
    page.set_content("<body style='margin: 8px'></body>")
    state = {"kind": widget.kind, "language": language, "shown": widget.shown, "cell": widget.cell}
    page.evaluate(HOST, {"bundle": BUNDLE, "state": state})
    return page.locator(".nbt-root")


def test_a_cell_is_chosen_by_mouse_and_by_keys(new_page: Callable[..., Page]) -> None:
    page = new_page()
    a = np.array([[1.0, 2.0, 0.0], [0.0, 1.0, -1.0]])
    b = np.array([[1.0, 0.0], [2.0, 1.0], [0.0, 3.0]])
    root = show(page, MatmulFlow(a, b))
    expect(root.locator(".nbt-readout")).to_contain_text("(A @ B)[0, 0] = 1·1 + 2·2 + 0·0 = 5")
    expect(root.locator("[data-lit]")).to_have_count(6)
    root.get_by_role("gridcell", name="A [0, 1]").click()
    expect(root.locator(".nbt-readout")).to_contain_text("1·2 + 1·1 = 3")
    page.keyboard.press("ArrowDown")
    expect(root.locator(".nbt-readout")).to_contain_text("reaches row 1 of A @ B")
    assert page.evaluate("state.cell") == "a,1,1"
