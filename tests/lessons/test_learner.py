"""A learner runs a lesson from its first cell to its last, with exercises open, wrong and right in turn."""

from __future__ import annotations

import json
import re
from typing import Any

import nbformat
import pytest

from nbtorch.course.build import execute, notebook_path
from nbtorch.course.exercises import saved_name
from nbtorch.course.handout import learner_edition

from .test_answers import LESSONS, answers_of


def answered(lesson: str, language: str, answers: dict[str, str]) -> Any:
    """The learner's edition with some of its exercises answered."""
    solved = json.loads(notebook_path(lesson, language).read_text(encoding="utf-8"))
    edition = learner_edition(solved)
    for cell in edition["cells"]:
        cell["source"] = "".join(cell["source"])
        place = saved_name(cell["source"]) if cell["cell_type"] == "code" else None
        if place is not None and place[1] in answers:
            first = cell["source"].splitlines()[0]
            cell["source"] = f"{first}\n{answers[place[1]].strip()}"
    return nbformat.from_dict(edition)


def verdicts(notebook: Any) -> dict[str, str]:
    """The first line that each check printed, by exercise."""
    found = {}
    for cell in notebook.cells:
        called = re.match(r'course\.check\("(.+?)"\)', cell.source)
        if called:
            found[called[1]] = cell.outputs[0].text.splitlines()[0]
    return found


@pytest.mark.parametrize("lesson", LESSONS)
def test_open_wrong_and_right_in_turn(lesson: str) -> None:
    answers = answers_of(lesson)
    given, expected = {}, {}
    for number, name in enumerate(answers.RIGHT):
        expected[name] = "○✗✓"[number % 3]
        if expected[name] == "✗":
            given[name] = next(iter(answers.WRONG[name].values()))[0]
        elif expected[name] == "✓":
            given[name] = answers.RIGHT[name][0]
    shown = verdicts(execute(answered(lesson, "en", given)))
    assert {name: text[0] for name, text in shown.items()} == expected


@pytest.mark.parametrize("lesson", LESSONS[1:])  # 00 takes long, and its only check is run above
def test_the_untouched_lesson_runs_through_in_korean(lesson: str) -> None:
    notebook = execute(answered(lesson, "ko", {}))
    shown = verdicts(notebook)
    assert set(shown) == set(answers_of(lesson).RIGHT)
    assert all(text.startswith("○") and "아직" in text for text in shown.values())
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            assert output.output_type != "error" or "raises-exception" in cell.metadata.get("tags", ())
            assert output.get("name") != "stderr", output.text
