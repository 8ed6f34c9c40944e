"""The lessons as a course for nbgrader: `nbtorch course export --nbgrader DIR`.

nbgrader's instructor edition of a notebook is the solved one, with metadata (schema 3) that say of each cell what it
is: an exercise to be solved, a check that gives points, or text that must stay. Each `course.check(...)` is worth one
point; under a grader it raises where it doesn't pass, and the reference stands in so that one open exercise doesn't
cost the next. `nbgrader_config.py` sees to that. Files that a teacher has changed are kept, as with the lessons.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from nbtorch.course.checks import checks_of
from nbtorch.course.exercises import saved_name
from nbtorch.course.handout import STUB, Handout, hand_out_one, learner_source, prepare, read_record, write_whole
from nbtorch.course.places import NOTES, CourseError, lesson_names, lessons_folder

_RECORD = ".nbtorch-nbgrader.json"
_CHECK = re.compile(r"""^course\.check\(["'](.+?)["']\)$""")
_SCHEMA = 3

_CONFIG = '''"""Settings of nbgrader for nbtorch's course; written by: nbtorch course export --nbgrader"""

import os

c = get_config()  # noqa: F821

c.CourseDirectory.course_id = "nbtorch"
c.ClearSolutions.code_stub = {{"python": {stub!r}}}
c.ExecutePreprocessor.timeout = 120

# A check that doesn't pass raises, so that it gives no points; what it says is in this language.
os.environ["NBTORCH_COURSE_STRICT"] = "1"
os.environ["NBTORCH_LANGUAGE"] = "{language}"
os.environ.pop("NBTORCH_COURSE_HOME", None)  # each submission has a library of its own, beside it
'''


def export_nbgrader(folder: Path, language: str) -> Handout:
    """Write the lessons that have exercises as an nbgrader course, with the instructor's notes beside them.

    Args:
        folder: the course's root: `source/LESSON/LESSON.ipynb`, `nbgrader_config.py`, `notes/LESSON.md`.
        language: of the lessons and of what the checks say.

    Raises:
        CourseError: the folder can't be written to, or the course has no lessons in this language.
    """
    names = [name for name in lesson_names(language) if (checks := checks_of(name)) is not None and checks.exercises]
    if not names:
        raise CourseError(f"The course holds no lessons with exercises for --lang {language}.")
    prepare(folder, "nbtorch course export --nbgrader FOLDER")
    record = read_record(folder, _RECORD)
    report = Handout([], [], [], {})

    def place(name: str, text: str) -> None:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        hand_out_one(folder, name, text, record.setdefault(name, []), report)

    place("nbgrader_config.py", _CONFIG.format(stub=STUB, language=language))
    for name in names:
        solved = json.loads((lessons_folder() / language / f"{name}.ipynb").read_text(encoding="utf-8"))
        text = json.dumps(instructor_edition(solved), indent=1, sort_keys=True, ensure_ascii=False) + "\n"
        place(f"source/{name}/{name}.ipynb", text)
        notes = lessons_folder() / NOTES / language / f"{name}.md"
        if notes.is_file():
            place(f"notes/{name}.md", notes.read_text(encoding="utf-8"))
    write_whole(folder / _RECORD, json.dumps(record, indent=1, sort_keys=True) + "\n")
    return report


def instructor_edition(notebook: dict[str, Any]) -> dict[str, Any]:
    """The solved notebook with nbgrader's metadata; nothing run yet.

    Args:
        notebook: a solved edition, parsed from JSON; it is not modified.
    """
    cells = []
    for cell in notebook["cells"]:
        cell = {**cell, "metadata": dict(cell["metadata"]), "source": "".join(cell["source"])}
        if cell["cell_type"] == "code":
            cell.update(outputs=[], execution_count=None)
            role = _role(cell["source"])
            if role is not None:
                cell["metadata"]["nbgrader"] = {"schema_version": _SCHEMA, "task": False, **role}
        cells.append(cell)
    return {**notebook, "cells": cells}


def _role(source: str) -> dict[str, Any] | None:
    """What a code cell is to nbgrader; None for one with which a student may do as they like."""
    check, saved = _CHECK.match(source.strip()), saved_name(source)
    if check:
        return {"grade": True, "solution": False, "locked": True, "points": 1, "grade_id": _id("check", check[1])}
    if saved is not None and learner_source(source) != source:
        return {"grade": False, "solution": True, "locked": False, "grade_id": _id("answer", saved[1])}
    if saved is not None:
        return {"grade": False, "solution": False, "locked": True, "grade_id": _id("given", saved[1])}
    return None


def _id(kind: str, name: str) -> str:
    """nbgrader wants letters, digits, `_` and `-`, each only once in a notebook."""
    return f"{kind}-{re.sub(r'[^A-Za-z0-9_-]', '-', name)}"
