"""The stepper's front end: the committed bundle in Chromium, with tapes made by the Python half."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from browser.test_front import BUNDLE, MODEL
from nbtorch_widgets import BackpropStepper
from playwright.sync_api import Page, expect

import nbtorch


def make(names: dict[str, Any] | None = None) -> BackpropStepper:
    def loss(a: Any, b: Any) -> Any:
        c = a * b
        return c * (c + 3) + a

    if names is None:
        return BackpropStepper(loss, nbtorch.tensor(2.0), nbtorch.tensor(-3.0))
    a, b = (nbtorch.tensor(v, requires_grad=True) for v in (2.0, -3.0))
    return BackpropStepper(loss(a, b), names=dict(zip(names, (a, b), strict=True)))


def show(page: Page, stepper: BackpropStepper, language: str = "en") -> Any:
    page.set_content("<!doctype html><body style='margin: 8px'></body>")
    state = {"kind": "stepper", "tape": stepper.tape, "position": 0, "language": language}
    page.evaluate(
        """([bundle, state, numbers, model]) => {
            state.numbers = new DataView(Uint8Array.from(numbers).buffer);
            return eval(model)({ bundle, state });
        }""",
        [BUNDLE, state, list(stepper.numbers), MODEL],
    )
    root = page.locator(".nbt-root")
    root.focus()
    return root


def walk(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def test_it_walks_forward_and_back_by_keys(new_page: Callable[..., Page]) -> None:
    page = new_page()
    root = show(page, make())
    expect(root).to_have_attribute("data-steps", "11")
    walk(page, "ArrowRight")
    expect(root.locator(".nbt-st-heading")).to_have_text("Compute c")
    expect(root.locator("math").first).to_contain_text("a")
    walk(page, *["ArrowRight"] * 5)  # past the 1 at the loss
    expect(root.locator(".nbt-st-card")).to_contain_text("Incoming gradient")
    walk(page, "End")
    expect(root).to_have_attribute("data-step", "10")
    expect(root.locator(".nbt-st-leaves")).to_contain_text("✓ 28")  # -3 * (2 * -6 + 3) + 1
    expect(root.locator(".nbt-st-graph .nbt-st-grad").first).to_have_text("∇ 28")
    walk(page, "ArrowLeft", "Home")
    expect(root).to_have_attribute("data-step", "0")
    root.get_by_role("button", name="Table").click()
    expect(root.locator(".nbt-st-steps tbody tr")).to_have_count(11)
    assert root.get_attribute("data-problem") is None


def test_mistakes_show_the_wrong_numbers_beside_the_right_ones(new_page: Callable[..., Page]) -> None:
    page = new_page()
    root = show(page, make())
    root.get_by_role("button", name="= for +=").click()
    walk(page, "End")
    expect(root).to_have_attribute("data-variant", "assign")
    wrong = root.locator(".nbt-st-wrong")
    expect(wrong.first).to_contain_text("✓ 28")
    expect(root.locator(".nbt-note").first).to_contain_text("should be ✓ 28")
    root.get_by_role("button", name="No topological order").click()
    expect(root).to_have_attribute("data-variant", "both")
    for name in ("= for +=", "No topological order"):
        root.get_by_role("button", name=name).click()
    expect(wrong).to_have_count(0)


def test_guesses_are_judged_before_the_numbers_are_shown(new_page: Callable[..., Page]) -> None:
    page = new_page()
    root = show(page, make())
    root.get_by_role("button", name="Guess first").click()
    walk(page, *["ArrowRight"] * 6)
    expect(root.locator(".nbt-st-hidden")).not_to_have_count(0)
    quiz = root.locator(".nbt-st-quiz").first
    expect(quiz).to_contain_text("Gradient of v2 after this step?")
    quiz.locator("input").fill("hello")
    quiz.locator("input").press("Enter")
    expect(quiz).to_contain_text("Type a number")
    quiz.locator("input").fill("1")
    quiz.locator("input").press("Enter")
    expect(quiz).to_contain_text("Right: 1.")
    expect(quiz.locator("input")).to_have_count(0)


def test_an_edit_goes_to_the_kernel_and_what_comes_back_is_shown(new_page: Callable[..., Page]) -> None:
    page = new_page()
    stepper = make()
    root = show(page, stepper)
    field = root.get_by_label("Value a")
    field.fill("0.5")
    field.press("Enter")
    message = page.evaluate("() => sent.at(-1)")
    assert message == {"op": "edit", "id": 1, "node": 0, "element": 0, "value": 0.5}
    stepper._receive(stepper, message, [])
    page.evaluate(
        """([tape, numbers]) => {
            state.tape = tape; state.numbers = new DataView(Uint8Array.from(numbers).buffer);
            emit('change:tape'); emit('change:numbers'); emit('msg:custom', { op: 'edited', id: 1 }, []);
        }""",
        [stepper.tape, list(stepper.numbers)],
    )
    expect(root.locator(".nbt-subtitle").first).to_have_text(re.compile(r" = −1\.75$"))
    page.evaluate("() => emit('msg:custom', { op: 'refused', id: 2, reason: '<b>no</b>' }, [])")
    expect(root).to_contain_text("<b>no</b>")


def test_hostile_names_and_broken_tapes_do_no_harm(new_page: Callable[..., Page]) -> None:
    page = new_page()
    root = show(page, make({"<img src=x onerror=alert(1)>": 0, r"\frac{1}{": 1}))
    walk(page, *["ArrowRight"] * 7)
    expect(root.locator("img")).to_have_count(0)
    expect(root.locator(".nbt-st-leaves")).to_contain_text("<img src=x onerror=alert(1)>")
    for broken in ({}, {"v": 1}, {"v": 1, "nodes": [{}]}, None, [], {"v": 2}):
        page.evaluate("tape => { state.tape = tape; emit('change:tape') }", broken)
    expect(root).to_have_attribute("data-problem", re.compile("."))
    walk(page, "Home")
    expect(root).to_have_attribute("data-step", "0")


@pytest.mark.parametrize("width", [280, 1200])
def test_nothing_sticks_out(new_page: Callable[..., Page], width: int) -> None:
    page = new_page(viewport={"width": width, "height": 700})
    root = show(page, make(), "ko")
    walk(page, *["ArrowRight"] * 7)
    expect(root).to_contain_text("들어온 그래디언트")
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
