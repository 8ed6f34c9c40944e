"""Still pictures and reprs: the same for the same numbers, whatever the time."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from nbtorch_widgets import watch
from nbtorch_widgets.svg import Picture, run_svg, seismograph_svg
from nbtorch_widgets.telemetry import Telemetry
from widgets.support import Training


def telemetry(names: list[str], steps: int = 60, spoil: bool = False) -> Telemetry:
    told = Telemetry(names)
    told.begin(steps)
    draw = np.random.default_rng(0)
    for step in range(1, steps + 1):
        told.step = step
        told.loss = 1 / step
        norms = (10.0 ** -np.arange(len(names)) * (1 + 0.1 * draw.random())).astype(np.float32)
        flags = np.zeros(len(names), np.uint8)
        if spoil and step > steps // 2:
            norms[:3] = [np.nan, np.inf, 0]
            flags[:4] = [1, 2, 4, 8]
        told.record(norms, flags)
    told.end("finished")
    return told


def words(svg: str) -> str:
    texts = (element for element in ET.fromstring(svg).iter() if element.tag.endswith("text"))
    return " ".join(" ".join(element.itertext()) for element in texts)


def test_a_picture_is_the_same_again(lib: Any) -> None:
    def picture(pause: bool) -> str:
        training = Training(lib, steps=9)
        run = watch(training.model, training.optimizer, training.batches)
        if pause:
            run.control.command("step")
            run.control.command("resume")
        training.loop(run)
        return run_svg(run.telemetry) + repr(run) + repr(Picture(run.telemetry))

    assert picture(False) == picture(True)


def test_a_picture_says_what_there_was() -> None:
    told = telemetry(["0.weight", "0.bias"])
    svg = run_svg(told)
    assert "Step 60 of 60 finished loss 0.0167 0.weight 0.bias step 1 to 60" in words(svg)
    assert words(seismograph_svg(told)).startswith("0.weight")
    assert "polyline" in svg and "polyline" not in seismograph_svg(told)
    assert repr(Picture(told)) == "Run(step 60/60, finished, loss 0.0167, |grad| 1.0e-01 to 1.1e+00)"


def test_no_time_and_no_network_in_a_picture() -> None:
    told = telemetry(["w"])
    told.rate = 1234.5
    svg = run_svg(told)
    assert "1234" not in svg
    assert re.findall(r"https?://[^\"' ]+", svg) == ["http://www.w3.org/2000/svg"]


def test_last_bits_do_not_show() -> None:
    one, other = telemetry(["a", "b", "c"]), telemetry(["a", "b", "c"])
    for column in (other.overview._table.norms, other.overview._table.loss):
        column *= np.float32(1 + 3e-7)
    assert run_svg(one) == run_svg(other)


def test_marks_are_drawn_and_named() -> None:
    svg = run_svg(telemetry(["a", "b", "c", "d", "e"], spoil=True))
    assert all(word in words(svg) for word in ("NaN", "infinite", "zero", "no gradient"))
    assert 'fill="url(#nan)"' in svg and 'class="z"' in svg


@pytest.mark.parametrize("names", [["w"], ["layer." * 30 + "weight"], [f"blocks.{i}" for i in range(200)], ["<b>&\"'"]])
def test_any_names_make_a_sound_picture(names: list[str]) -> None:
    svg = run_svg(telemetry(names))
    root = ET.fromstring(svg)
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    assert width == 720 and height < 1100 and len(svg) < 250_000
    for box in root.iter("{http://www.w3.org/2000/svg}rect"):
        assert float(box.attrib.get("x", 0)) + float(box.attrib["width"]) <= width + 0.5
        assert float(box.attrib.get("y", 0)) + float(box.attrib["height"]) <= height + 0.5
    if len(names) == 200:
        assert "and 136 more parameters" in words(svg)
    if "<" in names[0]:
        assert names[0] in words(svg)


def test_a_run_that_has_not_begun() -> None:
    run = watch({"w": SimpleNamespace(grad=None)}, None, [1])
    bundle = run._repr_mimebundle_()
    assert bundle["text/plain"] == "Run(step 0, ready, 1 parameter)"
    assert "Step 0 ready" in words(bundle["image/svg+xml"])


def test_picture_and_front_end_share_their_colours() -> None:
    import json
    import pathlib

    import nbtorch_widgets

    folder = pathlib.Path(nbtorch_widgets.__file__).parent
    palette = json.loads((folder / "palette.json").read_text(encoding="utf-8"))
    bundle = (folder / "static" / "nbtorch.js").read_text(encoding="utf-8")
    picture = run_svg(telemetry(["w"]))
    for theme in ("light", "dark"):
        assert all(colour in bundle for colour in palette[theme])
        assert palette[theme][-1] in picture
