"""The learner's own library: a package `mytorch` that grows with the lessons.

It is made of the saved cells of the lessons before the present one: the learner's code where its check has passed, else
the reference, each marked as what it is. A module holds one lesson's code, or what several lessons put into `nn` and
`optim`, and takes in everything that came before it. A file the learner has edited by hand is kept; the new one is
placed beside it and said so, as with the lessons' notebooks.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from nbtorch.course.checks import module_of
from nbtorch.course.exercises import Saved, saved_cells, without_marks
from nbtorch.course.handout import Handout, hand_out_one, read_record, write_whole
from nbtorch.course.places import CourseError

PACKAGE = "mytorch"
PROGRESS = "progress.json"
_RECORD = ".mytorch.json"

#: Lesson -> name -> the source of the learner's cell that passed.
Progress: TypeAlias = dict[str, dict[str, str]]


def read_progress(home: Path) -> Progress:
    """What the learner has done; empty where nothing has been saved or the file can't be read.

    A file that can't be read is set aside, so that the next save doesn't overwrite it.
    """
    path = home / PROGRESS
    try:
        text = path.read_text(encoding="utf-8")
    except OSError:
        return {}
    try:
        whole = json.loads(text)
        return {str(lesson): {str(k): str(v) for k, v in cells.items()} for lesson, cells in whole.items()}
    except (ValueError, AttributeError):
        path.replace(path.with_suffix(".unreadable.json"))
        return {}


def write_progress(home: Path, progress: Progress) -> None:
    """Keep what the learner has done.

    Raises:
        CourseError: the file can't be written.
    """
    home.mkdir(parents=True, exist_ok=True)
    write_whole(home / PROGRESS, json.dumps(progress, indent=1, sort_keys=True, ensure_ascii=False) + "\n")


class Piece(NamedTuple):
    """A cell in the library."""

    name: str
    origin: str
    """`yours`, `given in the lesson`, or `reference: this exercise is still open`."""
    source: str


def pieces(lessons: Iterable[str], progress: Progress) -> dict[str, list[Piece]]:
    """What the library's modules are made of, in the order in which they are imported."""
    modules: dict[str, list[Piece]] = {}
    for lesson in lessons:
        done = progress.get(lesson, {})
        for cell in saved_cells(lesson):
            target = modules.setdefault(cell.module or module_of(lesson), [])
            target.append(_piece(cell, done.get(cell.name)))
    return modules


def _piece(cell: Saved, own: str | None) -> Piece:
    if not cell.is_exercise:
        return Piece(cell.name, "given in the lesson", cell.solved)
    if own is None:
        return Piece(cell.name, "reference: this exercise is still open", cell.solved)
    return Piece(cell.name, "yours", without_marks(own))


def compose(home: Path, lessons: Iterable[str], progress: Progress) -> Handout:
    """Write the package from the saved cells of `lessons`.

    Raises:
        CourseError: the folder can't be written to.
    """
    modules = pieces(lessons, progress)
    folder = home / PACKAGE
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CourseError(f"The folder of your library can't be made: {folder} ({error.strerror})") from error
    record = read_record(home, _RECORD)
    report = Handout([], [], [], {})
    before: list[str] = []
    for module, parts in modules.items():
        _place(home, f"{PACKAGE}/{module}.py", module_source(before, parts), record, report)
        before.append(module)
    lines = [f"from . import {module}\nfrom .{module} import *\n" for module in before]
    front = '"""Your own library, made of the cells you wrote in the lessons."""\n\n' + "".join(lines)
    _place(home, f"{PACKAGE}/__init__.py", front, record, report)
    write_whole(home / _RECORD, json.dumps(record, indent=1, sort_keys=True) + "\n")
    return report


def module_source(before: list[str], parts: list[Piece]) -> str:
    """A module's text: it takes in the modules before it, then come its pieces."""
    head = ["import math\n", "\nimport numpy as np\n", "\nfrom nbtorch.course import method\n"]
    head += [f"from .{module} import *\n" for module in before]
    return "".join(head) + "".join(f"\n\n# %% {part.name} — {part.origin}\n{part.source}" for part in parts)


def _place(home: Path, place: str, text: str, record: dict[str, list[str]], report: Handout) -> None:
    hand_out_one(home, place, text, record.setdefault(place, []), report)


def enter(home: Path) -> None:
    """Make `import mytorch` find the package in `home`, fresh.

    Raises:
        CourseError: another package of that name has been imported already.
    """
    ours = str(home)
    present: Any = sys.modules.get(PACKAGE)
    file = getattr(present, "__file__", None)
    if file is not None and not Path(file).is_relative_to(home):
        raise CourseError(
            f"Another package named {PACKAGE} is in use here: {file}.\n"
            f"  expected: the one in {home / PACKAGE}, which the lessons write\n"
            "  to do:    restart the kernel and run the lesson's first cell before anything else"
        )
    if ours in sys.path:
        sys.path.remove(ours)
    sys.path.insert(0, ours)
    for name in [name for name in sys.modules if name == PACKAGE or name.startswith(f"{PACKAGE}.")]:
        del sys.modules[name]
    importlib.invalidate_caches()
