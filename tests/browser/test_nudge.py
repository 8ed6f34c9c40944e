"""Nudge in Chromium: the committed bundle and a real widget's state; the kernel's part is done by the widget itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from browser.test_front import BUNDLE
from browser.test_matmulflow import HOST
from nbtorch_widgets import Nudge
from playwright.sync_api import Page, expect


def cube(x: Any) -> Any:
    return x * x * x


def test_x_and_h_are_set_by_keys_and_mouse_and_the_kernel_is_asked(new_page: Callable[..., Page]) -> None:
    page = new_page()
    page.set_content("<body style='margin: 8px'></body>")
    widget = Nudge(cube, 2.0, 1.0, rule=lambda x: 3 * x * x)
    state = {"kind": widget.kind, "language": "en"} | {
        name: getattr(widget, name) for name in ("curve", "wish", "measured")
    }
    page.evaluate(HOST, {"bundle": BUNDLE, "state": state})
    root = page.locator(".nbt-root")
    readout = root.locator(".nbt-readout")
    expect(readout).to_contain_text("slope 19")
    expect(readout).to_contain_text("error 7")
    root.get_by_role("slider", name="size of the nudge").focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    assert abs(page.evaluate("state.wish.h") - 0.1) < 1e-12
    # Before the kernel has answered, the samples of the curve say about what comes.
    expect(readout).to_contain_text("slope ≈ 12.6")
    root.get_by_role("button", name="both sides", exact=True).click()
    point = root.get_by_role("slider", name="x", exact=True)
    point.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(point).to_be_focused()
    asked = page.evaluate("state.wish")
    assert asked["method"] == "both" and abs(asked["x"] - 2.2) < 1e-9
    widget.wish = asked
    page.evaluate("measured => { state.measured = measured; }", widget.measured)
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowRight")
    expect(readout).to_contain_text("slope 14.53")
    box = point.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] - 60, box["y"])
    page.mouse.up()
    assert page.evaluate("state.wish.x") < 1.7
