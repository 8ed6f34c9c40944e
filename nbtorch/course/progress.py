"""How far a learner has come: the map of lessons that lesson 00 shows and `nbtorch course status` prints."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import NamedTuple

from nbtorch.course.checks import checks_of
from nbtorch.course.library import read_progress
from nbtorch.course.places import LANGUAGES, lesson_names


class LessonProgress(NamedTuple):
    """One lesson's exercises."""

    lesson: str
    done: list[str]
    open: list[str]

    @property
    def title(self) -> str:
        number, _, words = self.lesson.partition("_")
        return f"{number} {words.replace('_', ' ')}"


class ProgressMap:
    """All lessons with what is done and what is open; as text, and as a map in a notebook."""

    def __init__(self, home: Path) -> None:
        progress = read_progress(home)
        self.lessons = []
        for lesson in lesson_names(LANGUAGES[0]):
            checks = checks_of(lesson)
            names = list(checks.exercises) if checks is not None else []
            passed = progress.get(lesson, {})
            done = [name for name in names if name in passed]
            self.lessons.append(LessonProgress(lesson, done, [name for name in names if name not in passed]))

    def __repr__(self) -> str:
        width = max((len(row.title) for row in self.lessons), default=0)
        lines = []
        for row in self.lessons:
            marks = "".join("●" if name in row.done else "○" for name in (*row.done, *row.open))
            count = f"{len(row.done)}/{len(row.done) + len(row.open)}" if marks else "no exercises"
            lines.append(f"{row.title:<{width}}  {marks or '·'}  {count}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        cell = "padding:2px 14px 2px 0;text-align:left;border:0;background:none"
        rows = []
        for row in self.lessons:
            marks = "".join(
                f'<span title="{escape(name)}" style="letter-spacing:2px">{"●" if name in row.done else "○"}</span>'
                for name in (*row.done, *row.open)
            )
            count = f"{len(row.done)} / {len(row.done) + len(row.open)}" if marks else ""
            rows.append(
                f'<tr style="background:none"><th style="{cell};font-weight:400">{escape(row.title)}</th>'
                f'<td style="{cell}">{marks or "·"}</td><td style="{cell};opacity:.75">{count}</td></tr>'
            )
        return f'<table style="border:0;border-collapse:collapse;font-size:13px">{"".join(rows)}</table>'
