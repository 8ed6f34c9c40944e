"""The run bar in Chromium: sliders, the curve that is scrubbed, the way back."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from browser.test_front import Front, samples
from nbtorch_widgets.history import Samples
from playwright.sync_api import Page, expect

STORY: dict[str, Any] = {
    "forks": [[1, 0, 60]],
    "changes": [[20, 0, "lr", 0.1, 0.03], [60, 1, "clip", None, 1.0]],
    "snapshots": [[0, 0], [0, 40], [0, 90], [1, 80]],
    "rewind": "full",
    "clip_problem": "",
    "note": None,
}
STATE: dict[str, Any] = {"step": 90, "branch": 1, "lr": 0.03, "lr_range": [0.03, 0.3], "clip": 1.0, "clip_norm": 3.7}


def two_branches() -> Samples:
    first, second = samples(range(1, 101)), samples(range(61, 91))
    second.branch[:] = 1
    return Samples(*(np.concatenate(pair) for pair in zip(first, second, strict=True)))  # type: ignore[arg-type]


@pytest.fixture
def bar(new_page: Callable[..., Page]) -> Callable[..., Front]:
    def open_bar(**options: Any) -> Front:
        view = Front(new_page(**options), kind="runbar")
        view.emit("snapshot", two_branches(), **STATE, story=STORY)
        expect(view.root).to_have_attribute("data-columns", "90")
        return view

    return open_bar


def requests(view: Front) -> list[Any]:
    sent: list[Any] = view.page.evaluate("() => sent.filter(m => !['hello', 'beat', 'want'].includes(m.op))")
    return sent


def test_sliders_show_and_send(bar: Callable[..., Front]) -> None:
    view = bar()
    rate, clip = view.root.get_by_label("Learning rate"), view.root.get_by_label("Clip gradients")
    expect(rate).to_have_attribute("aria-valuetext", "0.0300")
    expect(clip).to_have_attribute("aria-valuetext", "3.7 → 1.0")
    expect(view.root.locator(".nbt-steer").first).to_have_attribute("title", re.compile("from 0.030 to 0.30"))
    rate.focus()
    for _ in range(20):
        view.page.keyboard.press("ArrowRight")
    view.page.wait_for_function("() => sent.some(m => m.op === 'lr')")
    clip.focus()
    view.page.keyboard.press("Home")
    view.page.wait_for_function("() => sent.some(m => m.op === 'clip')")
    lr, off = requests(view)[-2:]  # few messages, however many keys; and the arrow key is no command
    assert len(requests(view)) <= 4
    assert lr["op"] == "lr" and math.isclose(lr["value"], 0.3) and off == {"op": "clip", "value": None}
    view.emit("state", **{**STATE, "lr": 0.3, "clip": None})  # the run has done it
    expect(clip).to_have_attribute("aria-valuetext", "off")
    view.emit("state", **{**STATE, "lr": 0.0042, "lr_range": [0.0042, 0.0042], "clip": None})  # a scheduler
    expect(rate).to_have_attribute("aria-valuetext", "0.00420")


def test_the_curve_is_scrubbed_and_rewound(bar: Callable[..., Front]) -> None:
    view = bar()
    box = view.root.locator(".nbt-timeline").bounding_box()
    assert box
    before = view.root.bounding_box()
    view.page.mouse.click(box["x"] + box["width"] * 0.5, box["y"] + 20)
    where = view.root.locator(".nbt-where")
    expect(where).to_contain_text(re.compile(r"^step (49|50|51) · Loss 0\.0"))
    assert view.root.bounding_box() == before  # nothing jumps
    view.root.get_by_role("button", name="Rewind to 40").click()
    [rewind] = requests(view)
    assert rewind["op"] == "rewind" and rewind["step"] in (49, 50, 51)
    slider = view.root.locator(".nbt-scrub")
    slider.focus()
    view.page.keyboard.press("Home")
    expect(slider).to_have_attribute("aria-valuetext", re.compile(r"^step 1, Loss 1\.00.*1 earlier branch"))
    view.page.keyboard.press("ArrowRight")
    expect(where).to_contain_text("step 2 ")
    view.page.keyboard.press("Escape")
    expect(where).to_have_text("Drag along the curve to look back.")
    assert len(requests(view)) == 1
    # The kernel went back: the rows after the fork are another branch's now, and the newest is followed again.
    view.emit("state", **{**STATE, "branch": 2, "step": 40}, story={**STORY, "forks": [*STORY["forks"], [2, 0, 40]]})
    expect(view.root).to_have_attribute("data-columns", "40")
    view.emit("frame", samples([41]), **{**STATE, "branch": 2, "step": 41})
    expect(view.root).to_have_attribute("data-columns", "41")


def test_what_can_not_be_done_is_said(bar: Callable[..., Front]) -> None:
    view = bar()
    view.emit("state", **STATE, story={**STORY, "clip_problem": "hooks", "note": ["not rewound", "<b>no</b>"]})
    expect(view.root.get_by_label("Clip gradients")).to_be_disabled()
    expect(view.root.locator(".nbt-steer").nth(1)).to_contain_text("not available")
    expect(view.root.locator(".nbt-note")).to_have_text("Not rewound, everything is as it was: <b>no</b>")
    for story in (3, {"forks": [["x"]]}, {"snapshots": [[0, -5]]}):
        view.emit("state", **{**STATE, "lr": 5.0}, story=story)
    expect(view.root.get_by_label("Learning rate")).to_have_attribute("aria-valuetext", "0.0300")
    view.emit("state", **{**STATE, "state": "finished"}, story=STORY)
    view.root.locator(".nbt-scrub").press("Home")
    expect(view.root.locator(".nbt-where")).to_contain_text("run.rewind(1) in a cell goes back")
    expect(view.root.get_by_label("Learning rate")).to_be_disabled()


@pytest.mark.parametrize("width", [280, 1000])
def test_nothing_is_clipped(bar: Callable[..., Front], width: int) -> None:
    view = bar(viewport={"width": width, "height": 600})
    view.root.locator(".nbt-scrub").press("Home")
    overflow = view.page.evaluate(
        """() => {
            const root = document.querySelector('.nbt-root');
            const inside = root.getBoundingClientRect();
            return [...root.querySelectorAll('*')].filter(element => {
                const box = element.getBoundingClientRect();
                return box.width > 0 && (box.right > inside.right + 1 || box.left < inside.left - 1);
            }).map(element => element.className);
        }"""
    )
    assert overflow == []
