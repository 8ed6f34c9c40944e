"""Lesson 00 keeps what it promises."""

import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from nbtorch.course.build import notebook_path, read_notebook
from nbtorch.course.places import LANGUAGES
from nbtorch.course.progress import ProgressMap
from nbtorch.course.source import find_sources

NAME = "00_start_here"


@pytest.fixture(params=LANGUAGES)
def notebook(request: pytest.FixtureRequest) -> Any:
    return read_notebook(notebook_path(NAME, request.param))


def outputs(notebook: Any, kind: str) -> str:
    """All outputs of one kind, joined: `stream` or a MIME type."""
    found = []
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            text = output.text if output.output_type == kind == "stream" else output.get("data", {}).get(kind, "")
            found.append(text)
    return "\n".join(found)


def test_the_stored_lesson_shows_losses_graph_gradients_and_pictures(notebook: Any) -> None:
    printed, drawn = outputs(notebook, "stream"), outputs(notebook, "image/svg+xml")
    losses = [float(loss) for loss in re.findall(r"Epoch \d+/100, Loss: ([\d.]+)", printed)]
    assert len(losses) == 8 and losses == sorted(losses, reverse=True)
    slopes = re.findall(r"by (?:nudging|backward): +(-?[\d.]+)", printed)
    assert slopes == ["-15.00", "-15.00"]
    (accuracy,) = re.findall(r"(\d+)% of the test digits are right", printed)
    assert int(accuracy) > 95
    assert drawn.count("<svg") == 3  # the graph, the run with its gradients, the map of lessons
    assert outputs(notebook, "image/png").count("iVBOR") == 3


def test_the_numbers_in_the_text_are_true(notebook: Any) -> None:
    import nbtorch.nn as nn
    from nbtorch.datasets import digits

    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
    for number in (len(digits("train")[0]), len(digits("test")[0]), sum(p.numel() for p in model.parameters())):
        assert f"{number:,}" in text
    assert "nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))" in Path(find_sources([NAME])[0]).read_text(
        encoding="utf-8"
    )


def test_it_is_short_cells_and_asks_before_it_tells(notebook: Any) -> None:
    codes = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    assert max(len(code.splitlines()) for code in codes) <= 15
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    assert text.count("**Predict.**") + text.count("**예측.**") >= 4
    minutes = sum(int(n) for n in re.findall(r"^## .*\((\d+)(?: minutes?|분)\)$", text, re.MULTILINE))
    assert minutes == 12


def test_the_map_of_the_course_is_in_both_languages_and_has_a_way_through_every_lesson(tmp_path: Path) -> None:
    for language, title in (("en", "Start here"), ("ko", "여기서 시작하세요")):
        shown = ProgressMap(tmp_path, language)
        picture = ET.fromstring(shown._repr_svg_())
        circles = list(picture.iter("{http://www.w3.org/2000/svg}circle"))
        assert len(circles) == len(shown.lessons) and title in shown._repr_svg_()
        (way,) = picture.iter("{http://www.w3.org/2000/svg}path")
        assert (way.get("d") or "").count("H") + 1 >= len(circles)
