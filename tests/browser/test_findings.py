"""The findings in the page: told, chosen, dismissed, and quiet where there are none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from browser.test_front import Front
from nbtorch_widgets.doctor.findings import Finding
from playwright.sync_api import Page, expect

HOSTILE = "<img src=x onerror=window.hacked=1>"


def show(view: Front, *findings: Finding) -> None:
    message = {"op": "findings", "findings": [f.message() for f in findings], "examined": 24, "step": 30}
    view.page.evaluate("message => emit('msg:custom', message, [])", message)


def test_findings_are_told_chosen_and_dismissed(new_page: Callable[..., Page]) -> None:
    view = Front(new_page())
    part = view.root.locator(".nbt-findings")
    show(view)
    expect(part).to_contain_text("No findings")
    numbers: dict[str, Any] = {"names": HOSTILE, "samples": 24, "layer": HOSTILE}
    show(
        view,
        Finding("evaluation", "error", 4, None, {"count": 24, "samples": 24}),
        Finding("unused", "warning", 1, HOSTILE, numbers),
    )
    items = part.get_by_role("listitem")
    expect(items).to_have_count(2)
    expect(items.first).to_contain_text("evaluation mode")
    expect(items.first).to_contain_text("error · step 4")
    expect(part.get_by_text("No findings")).to_be_hidden()
    head = items.nth(1).locator(".nbt-finding-head")
    head.press("Enter")
    expect(head).to_have_attribute("aria-pressed", "true")
    part.get_by_role("button", name="Dismiss: A layer").click()
    expect(items).to_have_count(1)
    part.get_by_role("button", name="Show 1 dismissed").click()
    expect(items).to_have_count(2)
    assert view.page.evaluate("() => window.hacked") is None
