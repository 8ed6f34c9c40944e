"""Tensors in Chromium: the committed bundle, real widgets' bytes, and the widget itself as the kernel."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from typing import Any

import numpy as np
from browser.test_front import BUNDLE
from nbtorch_widgets import BroadcastBoard, StrideTape, TensorView
from playwright.sync_api import Locator, Page, expect

HOST = """async ({ bundle, kind, shown, language }) => {
    const bytes = text => new DataView(Uint8Array.from(atob(text), c => c.charCodeAt(0)).buffer);
    const state = { kind, language, shown: bytes(shown), colours: 'sign', backward: false };
    const listeners = {};
    const tell = (event, ...values) => (listeners[event] ?? []).forEach(listener => listener(...values));
    window.change = text => { state.shown = bytes(text); tell('change:shown'); };
    const model = {
        get: key => state[key], set: (key, value) => { state[key] = value; }, save_changes() {},
        on: (event, listener) => (listeners[event] ??= []).push(listener),
        off: (event, listener) => { listeners[event] = (listeners[event] ?? []).filter(l => l !== listener); },
        send: async message => {
            for (const [content, buffer] of window.kernel ? await kernel(message) : [])
                tell('msg:custom', content, [bytes(buffer)]);
        },
    };
    const module = await import(URL.createObjectURL(new Blob([bundle], { type: 'text/javascript' })));
    window.dispose = await module.default.render({ model, el: document.body });
    window.left = () => Object.values(listeners).flat().length;
}"""


def text_of(value: bytes) -> str:
    return base64.b64encode(value).decode()


def show(page: Page, widget: Any, kernel: bool = False, language: str = "en") -> Locator:
    def answer(message: Any) -> list[Any]:
        sent: list[Any] = []
        widget.send = lambda content, buffers=(): sent.append([content, text_of(b"".join(buffers))])
        widget._receive(widget, message, [])
        return sent

    if kernel:
        page.expose_function("kernel", answer)
    page.set_content("<body style='margin: 8px'></body>")
    page.evaluate(HOST, {"bundle": BUNDLE, "kind": widget.kind, "shown": text_of(widget.shown), "language": language})
    root = page.locator(".nbt-root")
    expect(root).to_have_attribute("data-painted", re.compile("[1-9]"))
    return root


def test_value_and_gradient_share_an_exact_cursor(new_page: Callable[..., Page]) -> None:
    own = type("Own", (), {"data": np.float32([[0.1, 2], [3, np.nan]]), "grad": np.float32([[5, 6], [7, 8]])})()
    root = show(new_page(), TensorView({"<b>w</b>": own}))
    readout = root.locator(".nbt-readout")
    root.locator(".nbt-grid").nth(1).focus()
    root.page.keyboard.press("Home")
    expect(readout).to_contain_text("<b>w</b>[0, 0]")
    expect(readout).to_contain_text("value 0.1exactly 0.10000000149011612gradient 5.0offset 0")
    root.page.keyboard.press("ArrowDown")
    root.page.keyboard.press("ArrowRight")
    expect(readout).to_contain_text("[1, 1]value nangradient 8.0offset 3")
    own.data[0, 0] = 9
    root.page.evaluate("text => change(text)", text_of(TensorView({"<b>w</b>": own}).shown))
    root.get_by_role("button", name="Table").click()
    expect(root.get_by_role("row", name="[0, 0]")).to_contain_text("9.05.0")
    root.page.evaluate("text => change(text)", text_of(b"\x01\x00\x00\x00{"))
    expect(root).to_have_attribute("data-problem", re.compile("JSON"))
    expect(root.get_by_role("row", name="[0, 0]")).to_contain_text("9.05.0")  # what was there stays
    root.page.evaluate("dispose()")
    assert root.page.evaluate("left()") == 0


def test_zoom_asks_the_kernel_and_says_when_there_is_none(new_page: Callable[..., Page]) -> None:
    array = np.arange(300 * 400, dtype=np.float32).reshape(300, 400)
    root = show(new_page(), TensorView(array), kernel=True)
    expect(root).to_contain_text("each cell shows")
    for _ in range(3):
        root.get_by_role("button", name="Zoom in").click()
    # The cursor may come before the region does; it stands in it all the same.
    root.locator(".nbt-grid").focus()
    root.page.keyboard.press("Home")
    expect(root).to_contain_text("rows 147–154, columns 197–204")
    expect(root.locator(".nbt-readout")).to_contain_text("tensor[147, 197]value 58997.0")
    alone = show(new_page(), TensorView(array))
    alone.get_by_role("button", name="Zoom in").click()
    expect(alone).to_contain_text("need a running kernel")


def test_tape_and_grid_show_each_other(new_page: Callable[..., Page]) -> None:
    x = np.arange(12.0).reshape(3, 4)
    root = show(new_page(viewport={"width": 420, "height": 900}), StrideTape(x, x.T, np.broadcast_to(x[0], (3, 4))))
    readout = root.locator(".nbt-readout")
    root.locator(".nbt-grid").nth(2).focus()
    root.page.keyboard.press("Home")
    root.page.keyboard.press("ArrowRight")
    expect(readout).to_contain_text("view 1[0, 1]cell 0 + 0·1 + 1·4 = 4value 4.0")
    root.get_by_role("button", name="view 2").click()
    root.locator(".nbt-grid").first.focus()
    root.page.keyboard.press("ArrowLeft")
    expect(readout).to_contain_text("3 elements in this one cell")


def test_board_forward_backward_and_korean(new_page: Callable[..., Page]) -> None:
    root = show(new_page(), BroadcastBoard(np.arange(6.0).reshape(3, 2), np.array([10.0, 20]), op="*"))
    root.locator(".nbt-grid").last.focus()
    root.page.keyboard.press("End")
    root.page.keyboard.press("End")
    expect(root.locator(".nbt-readout")).to_contain_text("1 * 20 = 20")
    root.get_by_role("button", name="Backward").click()
    root.locator(".nbt-grid").last.focus()
    root.page.keyboard.press("Home")
    expect(root.locator(".nbt-readout")).to_contain_text("the sum of 3 cells: 0 + 2 + 4 = 6")
    korean = show(new_page(), BroadcastBoard((2, 3), (4,)), language="ko")
    expect(korean.locator(".nbt-verdict")).to_contain_text("축 −1의 크기가 3과 4입니다")
