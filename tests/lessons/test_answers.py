"""Every check accepts different right answers, and rejects wrong ones with a sentence that names the mistake.

The answers stand in `answers/lNN.py`, one file a lesson. A lesson with checks has one; a check has at least two right
and three wrong answers.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from nbtorch.course import lesson_names, method
from nbtorch.course.checking import Names, Open, Wrong, at_most
from nbtorch.course.checks import checks_of
from nbtorch.course.exercises import saved_cells
from nbtorch.course.handout import STUB

FOLDER = Path(__file__).parent / "answers"
LESSONS = [name for name in lesson_names("en") if (checks := checks_of(name)) is not None and checks.exercises]


def answers_of(lesson: str) -> ModuleType:
    path = FOLDER / f"l{lesson.split('_')[0]}.py"
    spec = importlib.util.spec_from_file_location(f"answers_{path.stem}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def all_of(table: str) -> list[Any]:
    found = []
    for lesson in LESSONS:
        for name, answers in getattr(answers_of(lesson), table).items():
            pairs = answers.items() if isinstance(answers, dict) else enumerate(answers)
            found += [pytest.param(lesson, name, answer, id=f"{lesson[:2]} {name}: {key}") for key, answer in pairs]
    return found


def names_before(lesson: str, exercise: str) -> dict[str, Any]:
    """What a notebook holds when it comes to the exercise, everything before it solved."""
    names: dict[str, Any] = {"np": np, "method": method}
    for earlier in (name for name in lesson_names("en") if name <= lesson):
        for cell in saved_cells(earlier):
            if earlier == lesson and cell.name == exercise:
                return names
            exec(cell.solved, names)
    raise AssertionError(f"{lesson} has no cell that begins with #@save {exercise}")


def judge(lesson: str, exercise: str, answer: str) -> None:
    names = names_before(lesson, exercise)
    exec(answer, names)
    checks = checks_of(lesson)
    assert checks is not None
    check: Any = checks.exercises[exercise].check
    before: Names = dict(names)
    with at_most(10):
        check(names)
    assert set(names) == set(before), "a check must not change the notebook's names"


@pytest.mark.parametrize("lesson", LESSONS)
def test_every_exercise_has_its_answers_and_its_cell(lesson: str) -> None:
    checks = checks_of(lesson)
    assert checks is not None
    cells = {cell.name: cell for cell in saved_cells(lesson) if cell.is_exercise}
    assert list(cells) == list(checks.exercises)
    for name, exercise in checks.exercises.items():
        assert len(answers_of(lesson).RIGHT[name]) >= 2 and len(answers_of(lesson).WRONG[name]) >= 3
        assert STUB in cells[name].open and len(cells[name].solved.splitlines()) <= 16
        assert all(text.en and text.ko for text in (*exercise.hints, *exercise.symptoms.values()))


@pytest.mark.parametrize("lesson", LESSONS)
def test_the_reference_passes_and_the_open_cell_is_open(lesson: str) -> None:
    checks = checks_of(lesson)
    assert checks is not None
    for cell in saved_cells(lesson):
        if cell.name in checks.exercises:
            judge(lesson, cell.name, cell.solved)
            with pytest.raises((Open, NotImplementedError)):
                judge(lesson, cell.name, cell.open)


@pytest.mark.parametrize(("lesson", "exercise", "answer"), all_of("RIGHT"))
def test_a_right_answer_passes(lesson: str, exercise: str, answer: str) -> None:
    judge(lesson, exercise, answer)


@pytest.mark.parametrize(("lesson", "exercise", "answer"), all_of("WRONG"))
def test_a_wrong_answer_is_named(lesson: str, exercise: str, answer: tuple[str, str]) -> None:
    source, words = answer
    with pytest.raises(Wrong) as caught:
        judge(lesson, exercise, source)
    assert words in caught.value.text.en
    assert caught.value.text.ko and caught.value.text.ko != caught.value.text.en
