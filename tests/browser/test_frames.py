"""Frame times of a large run: 500 parameters, 1000 steps of history, 30 messages a second, a step being scrubbed.

`pytest tests/browser/test_frames.py -s` prints them. What is checked is the time that scripts take of a frame, with
room for a busy machine: 60 frames a second leave 16.7 ms. The rest of a frame is the browser's, and its GPU's.
"""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import pytest
from browser.test_front import Front, samples
from nbtorch_widgets import protocol
from playwright.sync_api import expect

# Time every callback of requestAnimationFrame, from before the widget exists.
WATCH = """() => {
    window.frames_ = [];
    const ask = window.requestAnimationFrame.bind(window);
    window.requestAnimationFrame = callback => ask(now => {
        const began = performance.now();
        callback(now);
        frames_.push(performance.now() - began);
    });
}"""

# A message every 33 ms and a scrub every 16 ms for a second; resolves to the callbacks' times.
PLAY = """async ([header, bytes, scrub]) => {
    frames_.length = 0;
    const selection = [...globalThis[Symbol.for('nbtorch.selections')].values()][0];
    const packed = Uint8Array.from(bytes);
    let step = 1000;
    const began = performance.now();
    const messages = setInterval(() => {
        const buffer = packed.slice().buffer;
        new DataView(buffer).setUint32(0, ++step, true);
        emit('msg:custom', { ...header, step }, [new DataView(buffer)]);
    }, 33);
    const move = () => selection.choose({ step: 1 + Math.floor(performance.now() % 900) });
    const scrubbing = scrub && setInterval(move, 16);
    await new Promise(done => setTimeout(done, 1000));
    clearInterval(messages);
    clearInterval(scrubbing);
    return [frames_, performance.now() - began];
}"""


@pytest.mark.parametrize("scrub", [False, True])
def test_scripts_leave_time_for_the_frame(chromium: Any, scrub: bool) -> None:
    page = chromium.new_page()  # without a trace being taken, which costs time
    page.evaluate(WATCH)
    view = Front(page, names=[f"blocks.{index}.weight" for index in range(500)])
    rows = samples(range(1, 1001), 500)
    rows.norms[:] = 10 ** np.random.default_rng(0).uniform(-4, 0, rows.norms.shape)
    page.evaluate(
        """([header, text]) => {
            const bytes = Uint8Array.from(atob(text), character => character.charCodeAt(0));
            emit('msg:custom', header, [new DataView(bytes.buffer)]);
        }""",
        [
            {"op": "snapshot", **Front.header(step=1000, total=2000), "rows": 1000},
            base64.b64encode(protocol.pack_rows(rows)).decode(),
        ],
    )
    expect(view.root).to_have_attribute("data-columns", "1000")
    frame = {"op": "frame", **Front.header(total=2000), "rows": 1}
    times, elapsed = page.evaluate(PLAY, [frame, list(protocol.pack_rows(samples([1], 500))), scrub])
    times.sort()
    median, high = times[len(times) // 2], times[int(len(times) * 0.95)]
    print(f"\n{len(times)} frames in {elapsed:.0f} ms; scripts {median:.1f} ms (median), {high:.1f} ms (95 %)")
    page.close()
    assert len(times) > 5 and median < 12
