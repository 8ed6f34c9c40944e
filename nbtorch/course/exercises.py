"""The cells of a lesson that go into the learner's library: those that begin with `#@save NAME`.

A cell with a marked solution is an exercise: its check decides when the learner's code is saved. One without is given
by the lesson. A name says where the code goes: `#@save unbroadcast` into the lesson's own module, `#@save nn.Linear`
into the module `nn`. What is read here is the solved edition that came with the package, so it is the reference too.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from functools import cache
from typing import NamedTuple

from nbtorch.course.handout import learner_source
from nbtorch.course.places import LANGUAGES, CourseError, lesson_names, lessons_folder, sources_folder

_SAVE = re.compile(r"#@save[ \t]+(?:([a-z_][a-z0-9_]*)\.(?=[\w.]))?([A-Za-z_][\w.]*)[ \t]*(?:\n|$)")
_MARK = re.compile(r"^[ \t]*### (?:BEGIN|END) SOLUTION[^\n]*\n?", re.MULTILINE)


class Saved(NamedTuple):
    """A cell that goes into the learner's library."""

    name: str
    """As in `check(name)`: `backward`, `Linear`, `Tensor.backward`."""
    module: str
    """The module of the library that it goes into; empty: the lesson's own."""
    solved: str
    """The reference: the cell without its first line and without the marks of the solution."""
    open: str
    """What a learner finds in the cell, the solution taken out."""
    is_exercise: bool
    """Whether the learner writes a part of it."""


def saved_name(source: str) -> tuple[str, str] | None:
    """Module (may be empty) and name of a cell that begins with `#@save`; None for any other cell."""
    found = _SAVE.match(source.lstrip())
    return None if found is None else (found[1] or "", found[2])


def without_marks(source: str) -> str:
    """A cell's code as it goes into the library."""
    lines = source.lstrip().splitlines(keepends=True)
    return _MARK.sub("", "".join(lines[1:])).strip("\n") + "\n"


def lesson_named(number: str) -> str:
    """The whole name of a lesson: `"05"` or `"05_backwards"` -> `"05_backwards"`.

    Raises:
        CourseError: the course has no such lesson.
    """
    known = set(lesson_names(LANGUAGES[0]))
    with suppress(CourseError):  # in a checkout also those that are being written
        known |= {path.stem for path in sources_folder().glob("[0-9][0-9]_*.py")}
    for name in sorted(known):
        if number in (name, name.split("_")[0]):
            return name
    raise CourseError(f"There is no lesson {number!r}.\n  expected: one of {', '.join(sorted(known))}")


@cache
def saved_cells(lesson: str) -> tuple[Saved, ...]:
    """The saved cells of a lesson (its whole name), in their order; empty for a lesson that hasn't been built."""
    path = lessons_folder() / LANGUAGES[0] / f"{lesson}.ipynb"
    if not path.is_file():
        return ()
    cells = []
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        source = "".join(cell["source"])
        place = saved_name(source) if cell["cell_type"] == "code" else None
        if place is not None:
            learner = learner_source(source)
            cells.append(Saved(place[1], place[0], without_marks(source), learner, learner != source))
    return tuple(cells)
