"""The course: where its lessons lie, how their notebooks are built and checked, how a learner gets copies.

| module    | does                                                                      | needs              |
|-----------|---------------------------------------------------------------------------|--------------------|
| `places`  | finds the built lessons, in an installed package or in a checkout         | standard library   |
| `handout` | copies them for the learner, never overwriting the learner's work         | standard library   |
| `source`  | reads `lessons/src/NN_name.py`: two languages, one code, marked solutions | jupytext           |
| `build`   | makes the executed notebooks in `lessons/en` and `lessons/ko`             | nbformat, nbclient |
| `lint`    | finds what comparing outputs doesn't: unrun cells, stale translations     | nbformat           |
"""

from nbtorch.course.places import LANGUAGES, CourseError, lesson_names, lessons_folder, sources_folder

__all__ = ["LANGUAGES", "CourseError", "lesson_names", "lessons_folder", "sources_folder"]
