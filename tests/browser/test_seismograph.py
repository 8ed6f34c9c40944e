"""The map of norms in Chromium: choosing steps and parameters, filters, weights and updates."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from browser.test_front import NAMES, Front, samples
from nbtorch_widgets.updates import pack_updates
from playwright.sync_api import Page, expect


@pytest.fixture
def view(new_page: Callable[..., Page]) -> Front:
    """The map of a run of 100 steps."""
    view = Front(new_page(), kind="seismograph")
    view.emit("snapshot", samples(range(1, 101)), total=100)
    expect(view.root).to_have_attribute("data-columns", "100")
    return view


def chosen(view: Front) -> Any:
    """The step and the parameter that all widgets of the run have chosen."""
    return view.page.evaluate(
        """() => [...globalThis[Symbol.for('nbtorch.selections')].values()].map(s => [s.step, s.name])[0]"""
    )


def place(view: Front, step: float, row: int) -> tuple[float, float]:
    """The middle of a cell in the page, as the labels and the values leave room for the map."""
    box = view.root.locator(".nbt-base").bounding_box()
    left = float(view.root.locator(".nbt-foot").evaluate("foot => parseFloat(foot.style.paddingLeft)"))
    tip = view.root.locator(".nbt-tip")
    assert box
    # The right end of the map is found by asking it: beyond it there is no cursor.
    low, high = left, box["width"]
    for _ in range(12):
        middle = (low + high) / 2
        view.page.mouse.move(box["x"] + middle, box["y"] + 12)
        low, high = (middle, high) if tip.is_visible() else (low, middle)
    return box["x"] + left + (step - 0.5) / 100 * (low - left), box["y"] + row * 24 + 12


def test_a_click_chooses_a_step_and_a_parameter_and_a_drag_scrubs(view: Front) -> None:
    x, y = place(view, 30, 1)
    view.page.mouse.move(x, y)
    view.page.mouse.down()
    expect(view.root.locator(".nbt-subtitle")).to_contain_text("at step")
    step, name = chosen(view)
    assert name == "0.bias" and abs(step - 30) <= 2
    view.page.mouse.move(*place(view, 60, 3))
    assert abs(chosen(view)[0] - 60) <= 2 and chosen(view)[1] == "0.bias"
    view.page.mouse.up()
    view.root.get_by_role("button", name="Newest").click()
    assert chosen(view) == [None, "0.bias"]


def test_enter_chooses_arrows_take_the_choice_along_and_escape_leaves(view: Front) -> None:
    plot = view.root.locator(".nbt-plot")
    plot.focus()
    for key in ("ArrowDown", "ArrowLeft", "Enter", "ArrowLeft"):
        view.page.keyboard.press(key)
    assert chosen(view) == [98, "0.bias"]
    view.page.keyboard.press("Escape")
    assert chosen(view) == [None, "0.bias"]
    view.page.keyboard.press("Escape")
    assert chosen(view) == [None, None]
    expect(plot).to_be_focused()
    view.page.keyboard.press("Escape")
    expect(plot).not_to_be_focused()
    assert {"step", "pause"}.isdisjoint(view.sent())


def test_a_filter_keeps_what_matches(view: Front) -> None:
    field = view.root.get_by_role("searchbox")
    field.fill("*.weight !2.*")
    expect(view.root.locator(".nbt-subtitle")).to_have_text("1 of 4 parameters")
    field.press("Space")
    field.press("ArrowRight")
    view.root.get_by_role("button", name="Table").click()
    expect(view.root.get_by_role("rowheader")).to_have_text(["0.weight"])
    field.fill("nothing like it")
    expect(view.root.get_by_role("rowheader")).to_have_count(0)
    field.fill("")
    expect(view.root.get_by_role("rowheader")).to_have_text(NAMES)
    view.root.get_by_role("button", name="2.bias").click()
    expect(view.root.get_by_role("button", name="2.bias")).to_have_attribute("aria-pressed", "true")
    assert chosen(view) == [None, "2.bias"]
    assert {"step", "pause"}.isdisjoint(view.sent())


def test_weights_and_updates_are_asked_for_while_they_are_shown(view: Front) -> None:
    def wanted() -> Any:
        return view.page.evaluate("() => sent.filter(message => message.op === 'want').map(message => message.feeds)")

    assert wanted() == []
    view.root.get_by_role("button", name="Update").click()
    expect(view.root.locator(".nbt-empty")).to_contain_text("next sampled step")
    view.page.wait_for_function("() => sent.some(message => message.op === 'want')")
    assert wanted() == [["updates"]]
    steps = np.arange(1, 4, dtype=np.uint32)
    columns = [np.full((3, 4), value, np.float32) for value in (2.0, 1e-3, 5e-4)]
    columns[1][:, 3] = np.nan
    packed = list(pack_updates([steps, *columns]))
    view.page.evaluate(
        "([header, bytes]) => emit('msg:custom', header, [new DataView(Uint8Array.from(bytes).buffer)])",
        [{"op": "updates", "rows": 3, "all": True, "dimensions": [2, 1, 2, 1], "advice": None}, packed],
    )
    expect(view.root.locator(".nbt-empty")).to_be_hidden()
    expect(view.root.locator(".nbt-mark")).to_have_text(["NaN"])
    view.root.get_by_role("button", name="Table").click()
    expect(view.root.locator("tbody td:nth-child(2)")).to_have_text(["0.00100"] * 3 + ["NaN"])
    view.root.get_by_role("button", name="Weight", exact=True).click()
    expect(view.root.locator("tbody td:nth-child(2)").first).to_have_text("2.00")
    view.root.get_by_role("button", name="Gradient").click()
    view.page.wait_for_function("() => sent.filter(message => message.op === 'want').length === 2")
    assert wanted()[-1] == []


def test_it_speaks_korean(new_page: Callable[..., Page]) -> None:
    view = Front(new_page(locale="ko-KR"))
    view.emit("snapshot", samples(range(1, 11)), state="paused")
    expect(view.root.locator(".nbt-title")).to_have_text("그래디언트 노름")
    expect(view.root.get_by_role("button", name="계속")).to_be_visible()
    texts = view.root.evaluate(
        "root => root.innerText + [...root.querySelectorAll('[aria-label],[title],[placeholder]')]"
        ".map(e => [e.getAttribute('aria-label'), e.title, e.placeholder].join(' ')).join(' ')"
    )
    assert not {"Gradient", "Step", "Loss", "Whole", "Filter", "Run"} & set(texts.split())
