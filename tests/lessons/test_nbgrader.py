"""The course for nbgrader, graded by nbgrader: full marks for the solved lesson, none for the blank one."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from nbtorch.course import lesson_names
from nbtorch.course.checks import checks_of
from nbtorch.course.nbgrader import export_nbgrader, instructor_edition
from nbtorch.course.places import LANGUAGES, NOTES, lessons_folder
from nbtorch.notebook.cli import main

from .test_answers import LESSONS, answers_of

LESSON = "03_the_graph_draws_itself"


def run(folder: Path, *arguments: str) -> None:
    environment = {k: v for k, v in os.environ.items() if k not in ("NBTORCH_COURSE_HOME", "NBTORCH_COURSE_STRICT")}
    command = [sys.executable, "-m", "nbgrader", *arguments]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]


def submit(folder: Path, student: str, lesson: str, answers: dict[str, str]) -> None:
    """The released notebook, handed in with some cells answered."""
    notebook = json.loads((folder / f"release/{lesson}/{lesson}.ipynb").read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        name = cell["metadata"].get("nbgrader", {}).get("grade_id", "")
        if name in answers:
            cell["source"] = answers[name]
    place = folder / f"submitted/{student}/{lesson}/{lesson}.ipynb"
    place.parent.mkdir(parents=True)
    place.write_text(json.dumps(notebook), encoding="utf-8")


def points(folder: Path) -> dict[str, dict[str, float]]:
    """Student -> check -> points, from the gradebook."""
    query = (
        "SELECT s.id, b.name, g.auto_score FROM grade g JOIN base_cell b ON g.cell_id = b.id "
        "JOIN submitted_notebook n ON g.notebook_id = n.id JOIN submitted_assignment a ON n.assignment_id = a.id "
        "JOIN student s ON a.student_id = s.id"
    )
    with sqlite3.connect(folder / "gradebook.db") as book:
        found: dict[str, dict[str, float]] = {}
        for student, cell, score in book.execute(query):
            found.setdefault(student, {})[cell] = score
    return found


def test_nbgrader_grades_the_solved_the_blank_and_the_wrong(tmp_path: Path) -> None:
    pytest.importorskip("nbgrader", reason="nbgrader isn't installed")
    report = export_nbgrader(tmp_path, "en")
    assert "nbgrader_config.py" in report.written and f"source/{LESSON}/{LESSON}.ipynb" in report.written
    run(tmp_path, "generate_assignment", LESSON, "--create")
    solved = {
        cell["metadata"]["nbgrader"]["grade_id"]: cell["source"]
        for cell in edition(LESSON)["cells"]
        if cell["metadata"].get("nbgrader", {}).get("solution")
    }
    assert len(solved) == 4
    wrong = next(iter(answers_of(LESSON).WRONG["Mul.forward"].values()))[0]
    submit(tmp_path, "solved", LESSON, solved)
    submit(tmp_path, "blank", LESSON, {})
    submit(tmp_path, "wrong", LESSON, {**solved, "answer-Mul-forward": f"#@save Mul.forward\n{wrong}"})
    run(tmp_path, "autograde", LESSON, "--create")
    scores = points(tmp_path)
    assert set(scores["solved"].values()) == {1.0} and len(scores["solved"]) == 4
    assert set(scores["blank"].values()) == {0.0} and len(scores["blank"]) == 4
    assert [name for name, score in scores["wrong"].items() if score == 0] == ["check-Mul-forward"]


def edition(lesson: str) -> Any:
    return instructor_edition(json.loads((lessons_folder() / "en" / f"{lesson}.ipynb").read_text(encoding="utf-8")))


@pytest.mark.parametrize("lesson", LESSONS)
def test_every_exercise_has_an_answer_and_a_check_worth_a_point(lesson: str) -> None:
    marks = [cell["metadata"]["nbgrader"] for cell in edition(lesson)["cells"] if "nbgrader" in cell["metadata"]]
    checks = checks_of(lesson)
    assert checks is not None
    ids = [mark["grade_id"] for mark in marks]
    assert len(ids) == len(set(ids)) and all(mark["schema_version"] == 3 for mark in marks)
    assert sum(mark["solution"] for mark in marks) == len(checks.exercises)
    assert sum(mark.get("points", 0) for mark in marks) == len(checks.exercises)


def test_where_it_cannot_write_it_names_its_own_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    assert main(["course", "export", "--nbgrader", str(tmp_path / "file")]) != 0
    assert "nbtorch course export --nbgrader FOLDER" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["course", "export", "--nbgrader", ""])
    assert "expected a folder's path" in capsys.readouterr().err


def test_a_file_that_a_teacher_changed_is_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["course", "export", "--nbgrader", str(tmp_path), "--lang", "ko"]) == 0
    config = tmp_path / "nbgrader_config.py"
    assert 'NBTORCH_LANGUAGE"] = "ko"' in config.read_text(encoding="utf-8")
    config.write_text("mine = True\n", encoding="utf-8")
    capsys.readouterr()
    assert main(["course", "export", "--nbgrader", str(tmp_path), "--lang", "ko"]) == 0
    assert "it is yours, or changed" in capsys.readouterr().out
    assert config.read_text(encoding="utf-8") == "mine = True\n"
    assert len(list(tmp_path.glob("source/*/*.ipynb"))) == len([n for n in lesson_names("ko") if n in LESSONS])


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("lesson", lesson_names("en"))
def test_every_lesson_has_notes_for_its_teacher(lesson: str, language: str) -> None:
    notes = (lessons_folder() / NOTES / language / f"{lesson}.md").read_text(encoding="utf-8")
    assert notes.startswith("# ") and notes.count("\n## ") == 4
    assert sum(notes.count(f"\n{number}. ") for number in (1, 2, 3)) == 3
    notebook = (lessons_folder() / language / f"{lesson}.ipynb").read_text(encoding="utf-8")
    assert notes.splitlines()[0] not in notebook, "the notes are not for the learner"
