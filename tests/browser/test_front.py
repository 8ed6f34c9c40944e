"""The front end by itself: the committed bundle in Chromium with a model made by the test, no Jupyter.

The packets come from the Python half, so both halves of the wire are tested against each other.
"""

from __future__ import annotations

import pathlib
import re
from collections.abc import Callable, Sequence
from typing import Any

import nbtorch_widgets
import numpy as np
import pytest
from nbtorch_widgets import protocol
from nbtorch_widgets.gradients import FROZEN, INF, NAN, NO_GRAD, ZERO
from nbtorch_widgets.history import Samples
from playwright.sync_api import Page, expect

BUNDLE = (pathlib.Path(nbtorch_widgets.__file__).parent / "static" / "nbtorch.js").read_text(encoding="utf-8")
NAMES = ["0.weight", "0.bias", "2.weight", "2.bias"]

# What anywidget gives to a module, as far as a view may use it.
MODEL = """async ({bundle, state}) => {
    const listeners = {};
    window.sent = [];
    window.listenerCount = () => Object.values(listeners).flat().length;
    window.emit = (event, ...values) => (listeners[event] ?? []).forEach(listener => listener(...values));
    window.state = state;
    const model = {
        get: key => state[key],
        send: message => sent.push(message),
        on: (event, listener) => (listeners[event] ??= []).push(listener),
        off: (event, listener) => { listeners[event] = (listeners[event] ?? []).filter(l => l !== listener); },
    };
    const url = URL.createObjectURL(new Blob([bundle], { type: 'text/javascript' }));
    const module = await import(url);
    const el = document.body.appendChild(document.createElement('div'));
    window.dispose = await module.default.render({ model, el });
}"""


def samples(steps: Sequence[int], parameters: int = len(NAMES)) -> Samples:
    """Rows whose norms are 10 ** -parameter, whatever the step."""
    rows = Samples.empty(len(steps), parameters)
    rows.steps[:] = steps
    rows.loss[:] = [1 / step for step in steps]
    rows.norms[:] = 10.0 ** -np.arange(parameters)
    return rows


class Front:
    """A view in a page, and its kernel played by the test."""

    def __init__(self, page: Page, names: Sequence[str] = NAMES, kind: str = "monitor", saved: bytes = b"") -> None:
        self.page = page
        page.set_content("<body style='margin: 8px'></body>")
        page.evaluate(
            MODEL, {"bundle": BUNDLE, "state": {"kind": kind, "meta": {"names": list(names), "loss": "loss"}}}
        )
        if saved:
            page.evaluate(
                "bytes => { state.snapshot = new DataView(Uint8Array.from(bytes).buffer); emit('change:snapshot') }",
                list(saved),
            )
        self.root = page.locator(".nbt-root")

    @staticmethod
    def header(**changes: Any) -> dict[str, Any]:
        return {
            "v": 1,
            "run": 1,
            "state": "running",
            "step": 0,
            "total": 100,
            "epoch": 1,
            "epochs": 2,
            "loss": 0.5,
            "metrics": {},
            "rate": 123.4,
            "seconds": 1.0,
            **changes,
        }

    def emit(self, op: str, rows: Samples | None = None, *, offset: int = 0, **changes: Any) -> None:
        """Send a message; `offset` bytes lie before the rows in their buffer."""
        packed = protocol.pack_rows(rows) if rows is not None else b""
        if rows is not None and len(rows):
            changes.setdefault("step", int(rows.steps[-1]))
        header = {"op": op, **self.header(**changes), "rows": 0 if rows is None else len(rows)}
        self.page.evaluate(
            """([header, bytes, offset]) => emit('msg:custom', header,
                [new DataView(Uint8Array.from(bytes).buffer, offset)])""",
            [header, [0] * offset + list(packed), offset],
        )

    def sent(self) -> list[str]:
        operations: list[str] = self.page.evaluate("() => sent.map(message => message.op).filter(op => op !== 'want')")
        return operations

    def painted(self) -> int:
        return int(self.root.get_attribute("data-painted") or 0)


@pytest.fixture
def front(new_page: Callable[..., Page]) -> Callable[..., Front]:
    def open_front(*arguments: Any, options: dict[str, Any] | None = None, **named: Any) -> Front:
        return Front(new_page(**(options or {})), *arguments, **named)

    return open_front


def test_it_says_hello_and_paints_a_snapshot(front: Callable[..., Front]) -> None:
    view = front()
    assert view.sent() == ["hello"]
    view.emit("snapshot", samples(range(1, 31)))
    expect(view.root).to_have_attribute("data-columns", "30")
    expect(view.root).to_have_attribute("data-state", "running")
    expect(view.root.locator(".nbt-fact", has_text="Step").first).to_contain_text("30 / 100")
    expect(view.root.locator(".nbt-fact", has_text="Epoch")).to_contain_text("1 / 2")
    expect(view.root.locator(".nbt-fact", has_text="per second")).to_contain_text("123")
    expect(view.root.locator(".nbt-fact", has_text="Loss")).to_contain_text("0.500")
    expect(view.root.get_by_role("img")).to_have_attribute("aria-label", re.compile("4 parameters over 30 sampled"))


def test_many_messages_make_few_paints(front: Callable[..., Front]) -> None:
    view = front()
    view.emit("snapshot", samples([1]))
    expect(view.root).to_have_attribute("data-columns", "1")
    before = view.painted()
    view.page.evaluate(
        """([header, bytes]) => {
            for (let step = 2; step < 52; step++) {
                const buffer = Uint8Array.from(bytes).buffer;
                new DataView(buffer).setUint32(0, step, true);
                emit('msg:custom', { ...header, step }, [new DataView(buffer)]);
            }
        }""",
        [{"op": "frame", **Front.header(), "rows": 1}, list(protocol.pack_rows(samples([1])))],
    )
    expect(view.root).to_have_attribute("data-columns", "51")
    assert view.painted() <= before + 2  # one for the messages; one more if the description's timer fires just now


def test_rows_that_come_twice_or_late_are_taken_once(front: Callable[..., Front]) -> None:
    view = front()
    view.emit("frame", samples([1, 2, 3]))
    view.emit("frame", samples([2, 3, 4]))
    expect(view.root).to_have_attribute("data-columns", "4")
    view.emit("snapshot", samples([1, 2, 3, 4, 5]))
    expect(view.root).to_have_attribute("data-columns", "5")


@pytest.mark.parametrize("offset", [1, 2, 3])
def test_buffers_may_start_anywhere(front: Callable[..., Front], offset: int) -> None:
    view = front()
    view.emit("snapshot", samples([1, 2]), offset=offset)
    expect(view.root).to_have_attribute("data-columns", "2")
    assert view.root.get_attribute("data-problem") is None


def test_malformed_messages_change_nothing(front: Callable[..., Front]) -> None:
    view = front()
    view.emit("snapshot", samples([1, 2]))
    expect(view.root).to_have_attribute("data-columns", "2")
    for message in (None, 7, "frame", {}, {"op": "frame"}, {"op": "nothing"}, {"op": "snapshot", "rows": -1}):
        view.page.evaluate("message => emit('msg:custom', message)", message)
    view.emit("frame", samples([3]), state="<b>unheard of</b>")
    view.page.evaluate(
        "header => emit('msg:custom', header, [new DataView(new ArrayBuffer(3))])",
        {"op": "frame", **Front.header(), "rows": 1},
    )
    expect(view.root).to_have_attribute("data-problem", "expected 32 bytes for 1 rows, got 3")
    expect(view.root).to_have_attribute("data-columns", "2")
    view.emit("frame", samples([3]))
    expect(view.root).to_have_attribute("data-columns", "3")
    assert view.root.get_attribute("data-problem") is None


def test_buttons_and_keys_send_commands(front: Callable[..., Front]) -> None:
    view = front()
    view.emit("state", state="running")
    view.root.get_by_role("button", name="Pause").click()
    view.emit("state", state="paused")
    view.root.get_by_role("button", name="Step").click()
    view.root.get_by_role("button", name="Resume").click()
    view.emit("state", state="running")
    view.root.focus()
    view.page.keyboard.press("Space")
    view.page.keyboard.press("ArrowRight")
    # A focused button takes the space for itself, once.
    view.root.get_by_role("button", name="Stop").press("Space")
    commands = [op for op in view.sent() if op not in ("hello", "beat")]
    assert commands == ["pause", "step", "resume", "pause", "step", "stop"]


def test_nothing_is_sent_after_the_end(front: Callable[..., Front]) -> None:
    view = front()
    view.emit("snapshot", samples([1, 2]), state="finished", seconds=75.0)
    expect(view.root.locator(".nbt-state")).to_have_text("Finished · 1 min 15 s")
    view.root.get_by_role("button", name="Stop").dispatch_event("click")
    view.root.focus()
    view.page.keyboard.press("Space")
    view.page.wait_for_timeout(1500)
    assert view.sent() == ["hello"]


def test_a_kernel_that_does_not_answer_is_busy(front: Callable[..., Front]) -> None:
    view = front()
    view.emit("state", state="running")
    note = view.root.locator(".nbt-note")
    expect(note).to_be_hidden()
    view.root.get_by_role("button", name="Pause").click()
    view.emit("frame", samples([1]))  # frames go on coming; the command wasn't heard
    expect(note).to_be_visible()
    expect(note).to_contain_text("kernel is busy")
    view.emit("state", state="paused")
    expect(note).to_be_hidden()


def test_the_value_under_the_pointer_is_exact(front: Callable[..., Front]) -> None:
    view = front()
    rows = samples(range(1, 33))
    rows.norms[:, 1] = 0.12345678
    view.emit("snapshot", rows)
    tip = view.root.locator(".nbt-tip")
    box = view.root.locator(".nbt-base").bounding_box()
    assert box
    view.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 24 + 12)
    expect(tip).to_be_visible()
    expect(tip).to_contain_text("0.bias")
    expect(tip).to_contain_text("0.123457")
    view.page.mouse.move(box["x"] + 2, box["y"] + 2)
    expect(tip).to_be_hidden()


def test_the_keyboard_moves_a_cursor_over_the_map(front: Callable[..., Front]) -> None:
    view = front()
    view.emit("snapshot", samples([1, 2, 3]))
    expect(view.root).to_have_attribute("data-columns", "3")
    view.root.locator(".nbt-plot").focus()
    tip = view.root.locator(".nbt-tip")
    for key, name, step in (
        ("ArrowDown", "0.bias", 3),
        ("ArrowLeft", "0.bias", 2),
        ("Home", "0.bias", 1),
        ("ArrowRight", "0.bias", 2),
        ("End", "0.bias", 3),
        ("ArrowUp", "0.weight", 3),
    ):
        view.page.keyboard.press(key)
        expect(tip).to_contain_text(name)
        expect(tip).to_contain_text(f"step {step} ")
    view.page.keyboard.press("Escape")
    expect(tip).to_be_hidden()
    assert [op for op in view.sent() if op == "step"] == []


def test_marks_are_named(front: Callable[..., Front]) -> None:
    view = front()
    rows = samples(range(1, 11))
    for column, flag in enumerate((NAN, INF, ZERO, NO_GRAD | FROZEN)):
        rows.flags[5:, column] = flag
    rows.norms[5:] = [np.nan, np.inf, 0, 0]
    view.emit("snapshot", rows, loss="NaN")
    marks = view.root.locator(".nbt-mark")
    expect(marks).to_have_text(["NaN", "infinite", "zero", "no gradient"])
    expect(view.root.locator(".nbt-fact", has_text="Loss")).to_contain_text("NaN")
    described = re.compile(r"Not finite now: 0\.weight, 0\.bias")
    expect(view.root.get_by_role("img")).to_have_attribute("aria-label", described)
    view.root.get_by_role("button", name="Table").click()
    latest = view.root.locator("tbody td:nth-child(2)")
    expect(latest).to_have_text(["NaN", "∞", "0", "frozen"])


def test_the_table_has_the_numbers(front: Callable[..., Front]) -> None:
    view = front()
    view.emit("snapshot", samples([1, 2]))
    view.root.get_by_role("button", name="Table").click()
    expect(view.root.get_by_role("rowheader")).to_have_text(NAMES)
    expect(view.root.locator("tbody tr").nth(2)).to_contain_text("0.0100")
    expect(view.root.locator(".nbt-plot")).to_be_hidden()
    view.root.get_by_role("button", name="Table").click()
    expect(view.root.locator(".nbt-plot")).to_be_visible()


def test_recent_shows_the_last_columns(front: Callable[..., Front]) -> None:
    view = front()
    rows = samples(range(1, 301))
    rows.norms[:100] = 1e6
    view.emit("snapshot", rows)
    high = view.root.locator(".nbt-legend > span").last
    expect(high).to_have_text("10⁶")
    view.root.get_by_role("button", name="Recent").click()
    expect(high).to_have_text("1")
    view.root.get_by_label("Colours fit").select_option("whole run")
    expect(high).to_have_text("10⁶")
    expect(view.root.get_by_role("button", name="Recent")).to_have_attribute("aria-pressed", "true")


def test_a_saved_run_shows_without_a_kernel(front: Callable[..., Front]) -> None:
    rows = samples(range(1, 21))
    header = Front.header(state="finished", step=20, total=20, rows=20, loss="Infinity")
    view = front(saved=protocol.pack_file(header, protocol.pack_rows(rows)))
    expect(view.root).to_have_attribute("data-state", "finished")
    expect(view.root).to_have_attribute("data-columns", "20")
    expect(view.root.locator(".nbt-fact", has_text="Loss")).to_contain_text("∞")


def test_names_are_never_markup(front: Callable[..., Front]) -> None:
    hostile = ["<img src=x onerror=window.hacked=1>", "a" * 400, "", "&amp;\u202e", "層.重み"]
    view = front(names=hostile)
    view.emit("snapshot", samples([1, 2], len(hostile)), metrics={"<script>window.hacked=1</script>": 1.0})
    expect(view.root).to_have_attribute("data-columns", "2")
    view.root.locator(".nbt-plot").focus()
    view.page.keyboard.press("ArrowUp")
    expect(view.root.locator(".nbt-tip")).to_contain_text("<img")
    view.root.get_by_role("button", name="Table").click()
    expect(view.root.get_by_role("rowheader").first).to_have_text(hostile[0])
    assert view.page.evaluate("() => window.hacked") is None
    assert view.page.evaluate("() => document.images.length") == 0


@pytest.mark.parametrize(
    ("kind", "parts"),
    [("runbar", [True, False]), ("seismograph", [False, True]), ("monitor", [True, True])],
)
def test_kinds(front: Callable[..., Front], kind: str, parts: list[bool]) -> None:
    view = front(kind=kind)
    view.emit("snapshot", samples([1]))
    expect(view.root).to_have_attribute("data-kind", kind)
    assert [view.root.locator(selector).count() > 0 for selector in (".nbt-bar", ".nbt-map")] == parts


def test_an_unknown_kind_says_so(front: Callable[..., Front]) -> None:
    view = front(kind="crystal-ball")
    expect(view.page.locator("body")).to_contain_text("no view of kind crystal-ball")


def test_dispose_leaves_nothing_behind(front: Callable[..., Front]) -> None:
    view = front()
    view.emit("snapshot", samples([1]))
    view.page.evaluate("() => dispose()")
    assert view.page.evaluate("() => listenerCount()") == 0
    assert view.root.count() == 0
    before = len(view.sent())
    view.page.wait_for_timeout(1500)
    assert len(view.sent()) == before


def test_beats_come_while_the_run_is_active(front: Callable[..., Front]) -> None:
    view = front()
    view.emit("state", state="running")
    view.page.wait_for_function("() => sent.some(message => message.op === 'beat')")


@pytest.mark.parametrize("width", [280, 420, 700, 1200])
def test_nothing_is_clipped(front: Callable[..., Front], width: int) -> None:
    view = front(options={"viewport": {"width": width, "height": 800}})
    view.emit("snapshot", samples(range(1, 60)), metrics={"validation_accuracy": 0.91234})
    expect(view.root).to_have_attribute("data-columns", "59")
    view.page.wait_for_timeout(100)
    overflow = view.page.evaluate(
        """() => {
            const root = document.querySelector('.nbt-root');
            const inside = root.getBoundingClientRect();
            const wide = [...root.querySelectorAll('*')].filter(element => {
                const box = element.getBoundingClientRect();
                return box.width > 0 && (box.right > inside.right + 1 || box.left < inside.left - 1);
            });
            return [document.documentElement.scrollWidth > innerWidth, ...wide.map(element => element.className)];
        }"""
    )
    assert overflow == [False]


def test_it_follows_the_size_of_its_place(front: Callable[..., Front]) -> None:
    view = front()
    view.emit("snapshot", samples(range(1, 60)))
    canvas = view.root.locator(".nbt-base")
    expect(view.root).to_have_attribute("data-columns", "59")
    wide = canvas.evaluate("canvas => canvas.clientWidth")
    view.page.set_viewport_size({"width": 640, "height": 800})
    view.page.wait_for_function("wide => document.querySelector('.nbt-base').clientWidth < wide - 200", arg=wide)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_outside_jupyter_it_follows_the_system(front: Callable[..., Front], scheme: str) -> None:
    view = front(options={"color_scheme": scheme})
    expect(view.root).to_have_attribute("data-theme", scheme)


def test_less_motion_means_few_paints(front: Callable[..., Front]) -> None:
    view = front(options={"reduced_motion": "reduce"})
    view.emit("state", state="running")
    view.page.wait_for_timeout(600)
    before = view.painted()
    for step in range(1, 41):
        view.emit("frame", samples([step]))
        view.page.wait_for_timeout(10)
    expect(view.root).to_have_attribute("data-columns", "40")
    # Two a second, however long the messages took on a busy machine.
    elapsed = view.page.evaluate("() => performance.now()") / 1000
    assert view.painted() - before <= 2 * elapsed + 2
    state = view.root.locator(".nbt-state")
    assert state.evaluate("state => getComputedStyle(state, '::before').animationName") == "none"


def test_five_hundred_parameters_are_painted_in_time(front: Callable[..., Front]) -> None:
    names = [f"blocks.{index}.weight" for index in range(500)]
    view = front(names=names)
    view.emit("snapshot", samples(range(1, 41), 500))
    expect(view.root).to_have_attribute("data-columns", "40")
    height = view.root.evaluate("root => root.clientHeight")
    assert height < 800  # the map scrolls
