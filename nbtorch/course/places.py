"""Where the lessons lie: inside the package when it came as a wheel, beside it in a checkout."""

from __future__ import annotations

from pathlib import Path

LANGUAGES = ("en", "ko")
"""The languages every lesson exists in; the first is the one the others are translated from."""

NOTES = "teaching"
"""The folder of the instructor's notes, beside those of the languages; in it again one for each language."""

_PACKAGED = Path(__file__).parent / "lessons"
_CHECKOUT = Path(__file__).parents[2]


class CourseError(Exception):
    """Something a person can put right. Its message says what was expected, what was found and what to do."""


def lessons_folder() -> Path:
    """The folder that holds `en/` and `ko/` with the built notebooks.

    Raises:
        CourseError: neither the package nor a checkout around it holds lessons.
    """
    if _PACKAGED.is_dir():
        return _PACKAGED
    # A folder named `lessons` beside an installed package is somebody else's; only a checkout has this file too.
    if (_CHECKOUT / "pyproject.toml").is_file() and (_CHECKOUT / "lessons").is_dir():
        return _CHECKOUT / "lessons"
    raise CourseError(
        "The lessons were not found.\n"
        f"  expected: {_PACKAGED} (an installed nbtorch) or {_CHECKOUT / 'lessons'} (a checkout)\n"
        '  to do:    install nbtorch again, e.g. pip install --force-reinstall "nbtorch[course]", '
        'or pip install -e ".[course]" in a checkout'
    )


def sources_folder() -> Path:
    """The folder of the lessons' sources, `lessons/src`; only a checkout has it.

    Raises:
        CourseError: this nbtorch is an installed one, which holds the built notebooks only.
    """
    folder = _CHECKOUT / "lessons" / "src"
    if folder.is_dir() and (_CHECKOUT / "pyproject.toml").is_file():
        return folder
    raise CourseError(
        "The sources of the lessons were not found.\n"
        f"  expected: {folder}\n"
        "  to do:    lessons are built in a checkout of nbtorch, installed there with pip install -e "
        '".[course]"; an installed nbtorch holds the built notebooks only'
    )


def lesson_names(language: str) -> list[str]:
    """Names of the built lessons in `language`, in reading order: `["00_start_here", ...]`."""
    return sorted(path.stem for path in (lessons_folder() / language).glob("[0-9][0-9]_*.ipynb"))
