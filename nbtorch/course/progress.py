"""How far a learner has come: the map of lessons that lesson 00 shows and `nbtorch course status` prints."""

from __future__ import annotations

import json
import unicodedata
from contextlib import suppress
from html import escape
from pathlib import Path
from typing import NamedTuple

from nbtorch.course.checks import checks_of
from nbtorch.course.library import read_progress
from nbtorch.course.places import LANGUAGES, lesson_names, lessons_folder


class LessonProgress(NamedTuple):
    """One lesson's exercises."""

    lesson: str
    title: str
    done: list[str]
    open: list[str]


def title_of(lesson: str, language: str) -> str:
    """A lesson's title: its notebook's first line, `# 05 · Backwards through the graph`."""
    path = lessons_folder() / language / f"{lesson}.ipynb"
    with suppress(OSError, ValueError, KeyError, IndexError):
        first = "".join(json.loads(path.read_text(encoding="utf-8"))["cells"][0]["source"]).splitlines()[0]
        if first.startswith("# "):
            return first[2:].replace(" · ", "  ", 1)
    number, _, words = lesson.partition("_")
    return f"{number}  {words.replace('_', ' ')}"


class ProgressMap:
    """All lessons with what is done (●) and what is open (○); as text, and as a map in a notebook."""

    def __init__(self, home: Path, language: str = LANGUAGES[0]) -> None:
        self._language = language
        progress = read_progress(home)
        self.lessons = []
        for lesson in lesson_names(LANGUAGES[0]):
            checks = checks_of(lesson)
            names = list(checks.exercises) if checks is not None else []
            passed = progress.get(lesson, {})
            done = [name for name in names if name in passed]
            self.lessons.append(
                LessonProgress(lesson, title_of(lesson, language), done, [name for name in names if name not in passed])
            )

    def __repr__(self) -> str:
        width = max((_width(row.title) for row in self.lessons), default=0)
        lines = []
        for row in self.lessons:
            marks = "".join("●" if name in row.done else "○" for name in (*row.done, *row.open))
            none = "no exercises" if self._language != "ko" else "연습 문제 없음"
            count = f"{len(row.done)}/{len(row.done) + len(row.open)}" if marks else none
            lines.append(f"{row.title}{' ' * (width - _width(row.title))}  {marks or '·'}  {count}")
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


def _width(text: str) -> int:
    """Columns in a terminal; Korean letters take two."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
