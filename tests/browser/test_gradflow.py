"""GradFlow in Chromium: the built bundle with a model made by the test, and a run that Python traced."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import nbtorch_widgets
import numpy as np
import pytest
from browser.test_front import Front
from nbtorch_widgets.flow.view import GradFlow
from playwright.sync_api import Page, expect

import nbtorch
from nbtorch import nn

STEPS = 4


class Residual(nn.Module):
    """One residual block between two layers; a name of the user's holds markup."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Linear(3, 4)
        self.block = nn.Sequential(nn.Linear(4, 4), nn.Tanh())
        self.add_module("<b>head</b>", nn.Linear(4, 1))

    def forward(self, x: Any) -> Any:
        x = self.stem(x)
        return self.get_submodule("<b>head</b>")(x + self.block(x))


@pytest.fixture(scope="module")
def view() -> GradFlow:
    nbtorch.manual_seed(0)
    model = Residual()
    inputs = nbtorch.tensor(np.random.default_rng(0).standard_normal((5, 3)).astype(np.float32))
    optimizer = nbtorch.optim.SGD(model.parameters(), lr=0.1)
    run = nbtorch_widgets.watch(model, optimizer, range(STEPS), show=False)
    made = GradFlow(run)
    for _ in run:
        optimizer.zero_grad()
        loss = (model(inputs) ** 2).mean()
        loss.backward()
        optimizer.step()
    return made


@pytest.fixture
def front(new_page: Callable[..., Page], view: GradFlow) -> Callable[..., Front]:
    def open_front(**options: Any) -> Front:
        made = Front(new_page(**options), view.telemetry.names, "gradflow", bytes(view.snapshot))
        saved = view.saved["flow"]
        made.page.evaluate(
            "([header, bytes]) => emit('msg:custom', { op: 'flow', ...header },"
            " [new DataView(Uint8Array.from(bytes).buffer)])",
            [saved["header"], list(saved["buffers"][0])],
        )
        expect(made.root.locator(".nbt-gf")).to_have_attribute("data-boxes", "7")
        return made

    return open_front


def test_it_asks_for_its_feed_and_says_what_it_shows(front: Callable[..., Front]) -> None:
    page = front()
    assert page.page.evaluate("() => sent.filter(m => m.op === 'want').at(-1).feeds") == ["flow"]
    expect(page.root.get_by_role("img").first).to_have_attribute("aria-label", re.compile("Graph of 4 modules"))
    painted = page.page.evaluate(
        """() => { const canvas = document.querySelector('.nbt-gf-plot canvas');
            const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
            return data.filter((value, k) => k % 4 === 3 && value > 0).length; }"""
    )
    assert painted > 1000


def test_the_keyboard_walks_opens_and_shows_the_weakest_path(front: Callable[..., Front]) -> None:
    page = front(reduced_motion="reduce")
    plot, inspector = page.root.locator(".nbt-gf-plot"), page.root.locator(".nbt-gf-inspector")
    plot.focus()
    expect(inspector).to_be_hidden()
    for key in ("Home", "ArrowRight"):
        page.page.keyboard.press(key)
    expect(inspector).to_contain_text("stem")
    expect(inspector).to_contain_text("Linear")
    expect(inspector).to_contain_text("weight")
    page.page.keyboard.press("ArrowRight")
    expect(inspector).to_contain_text("block.0")
    page.page.keyboard.press("Backspace")  # closes the group around it
    expect(page.root.locator(".nbt-gf")).to_have_attribute("data-boxes", "6")
    expect(inspector.get_by_role("button")).to_have_text("Open")
    page.page.keyboard.press("Enter")
    expect(page.root.locator(".nbt-gf")).to_have_attribute("data-boxes", "7")
    page.page.keyboard.press("p")
    expect(page.root.locator(".nbt-gf-finding[data-tone=path]")).to_contain_text("Weakest path, 7 boxes")
    assert [op for op in page.sent() if op not in ("hello", "beat", "want")] == []


def test_a_table_a_search_and_names_that_stay_text(front: Callable[..., Front]) -> None:
    page = front()
    page.root.get_by_role("searchbox").fill("head")
    expect(page.root.locator(".nbt-gf-path")).to_have_text("<b>head</b>")
    assert page.root.locator("b").evaluate_all("all => all.every(each => each.childElementCount === 0)")
    page.root.get_by_role("button", name="Table").click()
    rows = page.root.locator(".nbt-table tbody tr")
    expect(rows).to_have_count(5)
    expect(rows.filter(has_text="block.1")).to_contain_text("Tanh")


def test_malformed_messages_change_nothing(front: Callable[..., Front]) -> None:
    page = front()
    for header in ({}, {"version": 9, "columns": 3, "rows": 0, "graph": {}}, {"rows": 2, "columns": 10**9}):
        page.page.evaluate("header => emit('msg:custom', { op: 'flow', ...header }, [])", header)
    expect(page.root.locator(".nbt-gf")).to_have_attribute("data-boxes", "7")
    page.page.evaluate("() => dispose()")
    assert page.page.evaluate("() => listenerCount()") == 0
