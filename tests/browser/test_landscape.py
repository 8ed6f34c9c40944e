"""The landscape's front end: the committed bundle in Chromium with a model made by the test."""

from __future__ import annotations

import pathlib
import re
from collections.abc import Callable
from typing import Any

import nbtorch_widgets
import numpy as np
import pytest
from nbtorch_widgets import DecisionBoundary, Landscape
from playwright.sync_api import Locator, Page, expect

BUNDLE = (pathlib.Path(nbtorch_widgets.__file__).parent / "static" / "nbtorch.js").read_text(encoding="utf-8")

MODEL = """async ({bundle, state}) => {
    const revive = value => {
        if (value && value.bytes) return new DataView(Uint8Array.from(value.bytes).buffer);
        if (value && typeof value === 'object') for (const key in value) value[key] = revive(value[key]);
        return value;
    };
    const listeners = {};
    window.sent = [];
    window.emit = (event, ...values) => (listeners[event] ?? []).forEach(listener => listener(...values.map(revive)));
    const model = {
        get: key => state[key],
        send: message => sent.push(message),
        on: (event, listener) => (listeners[event] ??= []).push(listener),
        off: (event, listener) => { listeners[event] = (listeners[event] ?? []).filter(l => l !== listener); },
    };
    revive(state);
    const url = URL.createObjectURL(new Blob([bundle], { type: 'text/javascript' }));
    const module = await import(url);
    const el = document.body.appendChild(document.createElement('div'));
    window.dispose = await module.default.render({ model, el });
    window.listenerCount = () => Object.values(listeners).flat().length;
}"""


def plain(value: Any) -> Any:
    """A trait's value as JSON can carry it to the page."""
    if isinstance(value, (bytes, memoryview)):
        return {"bytes": list(value)}
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    return [plain(each) for each in value] if isinstance(value, (list, tuple)) else value


def show(page: Page, widget: Any, *traits: str, **changes: Any) -> Locator:
    """The widget as a page without a kernel shows it."""
    page.set_content("<body style='margin: 8px'></body>")
    names = ("kind", "meta", "language", *traits)
    state = {**{name: plain(getattr(widget, name)) for name in names}, **changes}
    page.evaluate(MODEL, {"bundle": BUNDLE, "state": state})
    return page.locator(".nbt-root")


@pytest.fixture(scope="module")
def saddle() -> Landscape:
    return Landscape("saddle", resolution=16, steps=30).wait()


def sent(page: Page, op: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = page.evaluate("op => sent.filter(message => message.op === op)", op)
    return found


def test_a_saved_landscape_walks_without_a_kernel(new_page: Callable[..., Page], saddle: Landscape) -> None:
    page = new_page()
    root = show(page, saddle, "field", "tracks")
    expect(root).to_have_attribute("data-paths", "5")
    outcomes = root.locator(".nbt-outcome")
    expect(outcomes).to_have_text([re.compile(r"loss|leaves the picture at step \d+")] * 5)
    expect(root.get_by_role("img").first).to_have_attribute("aria-label", re.compile("Start at −1.7, 0.02"))
    root.locator(".nbt-plane").focus()
    page.keyboard.press("Shift+ArrowUp")
    page.wait_for_function("() => sent.some(message => message.op === 'walk')")
    assert sent(page, "walk")[-1]["start"] == [-1.7, pytest.approx(0.34)]
    expect(outcomes.nth(4)).to_contain_text("leaves the picture")
    box = root.locator(".nbt-base").first.bounding_box()
    assert box
    page.mouse.move(box["x"] + 200, box["y"] + 100)
    page.mouse.down()
    page.mouse.move(box["x"] + 260, box["y"] + 120, steps=12)
    page.mouse.up()
    page.wait_for_timeout(60)
    walks = sent(page, "walk")
    assert [walk["seq"] for walk in walks] == list(range(1, len(walks) + 1))
    expect(root.locator(".nbt-note")).to_be_hidden()  # what is known here needs no kernel
    root.get_by_role("button", name="Table").click()
    expect(root.get_by_role("rowheader")).to_have_text(["lowest here", *saddle.paths])
    page.evaluate("() => dispose()")
    assert page.evaluate("() => listenerCount()") == 0


def test_the_kernel_walks_and_is_missed(new_page: Callable[..., Page]) -> None:
    widget = Landscape(lambda x, y: x * x + y * y, optimizers={"<b>mine</b>": "sgd"}, resolution=16, steps=5).wait()
    page = new_page(viewport={"width": 400, "height": 900})
    root = show(page, widget, "field", "tracks", language="ko")
    name = root.locator(".nbt-name")
    expect(name).to_have_text("<b>mine</b>")
    root.get_by_label("모멘텀 β").fill("0.5")
    page.wait_for_function("() => sent.some(message => message.op === 'walk')")
    assert sent(page, "walk")[-1]["momentum"] == 0.5
    expect(root.locator(".nbt-note").first).to_contain_text("커널이 응답하지 않습니다", timeout=4000)
    widget.walk((1.0, 1.0), momentum=0.5)
    header, payload = widget._pack(widget._walked, widget._settings, 1, done=True)
    page.evaluate("([h, b]) => emit('msg:custom', h, [b])", [header, plain(payload)])
    expect(root.locator(".nbt-note").first).to_be_hidden()
    for bad in ({"op": "paths", "tracks": 3}, {"op": "paths", "tracks": [{"points": 9}]}, {"op": "field"}, None):
        page.evaluate("bad => emit('msg:custom', bad, [])", bad)
    expect(root).to_have_attribute("data-paths", "1")
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")


def test_play_runs_to_the_end_and_space_stops_it(new_page: Callable[..., Page], saddle: Landscape) -> None:
    page = new_page(reduced_motion="reduce")
    root = show(page, saddle, "field", "tracks")
    step = root.locator(".nbt-play output")
    root.get_by_label("Step shown").fill("3")
    expect(step).to_have_text("step 3 / 30")
    root.focus()
    page.keyboard.press("Space")
    expect(step).to_have_text("step 30 / 30")


def test_regions_and_points_are_shown(new_page: Callable[..., Page]) -> None:
    points = np.array([[-1.0, 0.0], [1.0, 0.0], [0.9, 0.5]])
    widget = DecisionBoundary(lambda p: p[:, 0] * 9, points, [0, 1, 0], names=["<i>left", "right"])
    page = new_page(viewport={"width": 320, "height": 700})
    root = show(page, widget, "points", "saved", "snapshot")
    expect(root.locator(".nbt-subtitle")).to_have_text("66.7 % of 3 points right")
    expect(root.locator(".nbt-mark")).to_have_text(["<i>left", "right", "wrong class"])
    root.locator(".nbt-plane").focus()
    page.keyboard.press("Shift+ArrowRight")
    expect(root.locator(".nbt-tip")).to_contain_text("right")
    page.evaluate("() => emit('msg:custom', {op: 'boundary', size: 64}, [])")
    expect(root).to_have_attribute("data-problem", "expected regions")
    root.get_by_role("button", name="Table").click()
    expect(root.locator("tbody tr").first).to_have_text(re.compile(r"<i>left212\d|<i>left21"))
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    assert sent(page, "want")[-1]["feeds"] == ["boundary"]
