"""The course: what a lesson's cells call (`course.start`, `check`, `hint`, …), and how lessons are made and handed out.

| module    | does                                                                      | needs              |
|-----------|---------------------------------------------------------------------------|--------------------|
| `desk`    | a lesson at work: checks answers, gives hints, saves what is right        | IPython            |
| `library` | composes the learner's own package `mytorch` from saved cells             | standard library   |
| `checks`  | one module a lesson: what is checked, hints; made of `checking`           | NumPy              |
| `exercises` | finds the cells that go into the library                                | standard library   |
| `progress`| the map of what is done                                                   | standard library   |
| `places`  | finds the built lessons, in an installed package or in a checkout         | standard library   |
| `handout` | copies them for the learner, never overwriting the learner's work         | standard library   |
| `source`  | reads `lessons/src/NN_name.py`: two languages, one code, marked solutions | jupytext           |
| `build`   | makes the executed notebooks in `lessons/en` and `lessons/ko`             | nbformat, nbclient |
| `nbgrader`| writes the lessons as a course for nbgrader                               | standard library   |
| `lint`    | finds what comparing outputs doesn't: unrun cells, stale translations     | nbformat           |
"""

from pathlib import Path

from nbtorch.course.desk import assemble, check, find_home, find_language, hint, method, reset, solution, start
from nbtorch.course.places import LANGUAGES, CourseError, lesson_names, lessons_folder, sources_folder
from nbtorch.course.progress import ProgressMap

__all__ = [
    "LANGUAGES",
    "CourseError",
    "assemble",
    "check",
    "hint",
    "lesson_names",
    "lessons_folder",
    "method",
    "progress",
    "reset",
    "solution",
    "sources_folder",
    "start",
]


def progress() -> ProgressMap:
    """The map of all lessons with what is done in them."""
    return ProgressMap(find_home(Path.cwd()), find_language(Path.cwd()))
