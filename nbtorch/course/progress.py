"""How far a learner has come: the map of lessons that lesson 00 shows and `nbtorch course status` prints."""

from __future__ import annotations

import itertools
import json
import math
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
    """All lessons with what is done (●) and what is open (○); as text, and as a map (SVG) in a notebook."""

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

    def _repr_svg_(self) -> str:
        """The map: lessons along a path, in rows there and back. A ring shows how much of a lesson is done."""
        width = _COLUMNS * _ACROSS
        height = -(-len(self.lessons) // _COLUMNS) * _DOWN + 8
        upcoming = next((row.lesson for row in self.lessons if row.open), None)
        stations = [
            self._station(row, *_place(number), row.lesson == upcoming) for number, row in enumerate(self.lessons)
        ]
        done = sum(len(row.done) for row in self.lessons)
        label = f"{done} / {done + sum(len(row.open) for row in self.lessons)}"
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
            f'role="img" aria-label="{label}"><style>{_STYLE}</style>'
            f'<rect x=".5" y=".5" width="{width - 1}" height="{height - 1}" rx="8" class="card"/>'
            f'<path d="{_way(len(self.lessons))}" class="way"/>{"".join(stations)}</svg>'
        )

    def _station(self, row: LessonProgress, x: int, y: int, upcoming: bool) -> str:
        number, _, title = row.title.partition("  ")
        names = (*row.done, *row.open)
        marks = "".join("●" if name in row.done else "○" for name in names)
        around = 2 * math.pi * _RADIUS
        finished = bool(names) and not row.open
        ring = (
            f'<circle cx="{x}" cy="{y}" r="{_RADIUS}" class="done" transform="rotate(-90 {x} {y})" '
            f'stroke-dasharray="{around * len(row.done) / len(names):.1f} {around:.1f}"/>'
            if row.done
            else ""
        )
        kind = "full" if finished else "next" if upcoming else ""
        tip = "\n".join(f"{'●' if name in row.done else '○'} {name}" for name in names)
        return (
            f'<g class="{kind}"><title>{escape(row.title)}\n{escape(tip)}</title>'
            f'<circle cx="{x}" cy="{y}" r="{_RADIUS}" class="base"/>{ring}'
            f'<text x="{x}" y="{y + 5}" class="number">{escape(number)}</text>'
            f'<text x="{x}" y="{y + _RADIUS + 19}" class="title">{escape(title)}</text>'
            f'<text x="{x}" y="{y + _RADIUS + 37}" class="marks">{marks or "·"}</text></g>'
        )


_COLUMNS, _ACROSS, _DOWN, _RADIUS = 3, 232, 104, 18
_STYLE = (
    ".card{fill:#fff;stroke:#d5d9de}.way{fill:none;stroke:#d5d9de;stroke-width:3}"
    ".base{fill:#fff;stroke:#d5d9de;stroke-width:4}"
    ".next .base{stroke:#59636e;stroke-dasharray:3 3;stroke-width:2}.done{fill:none;stroke:#1769aa;stroke-width:4}"
    ".full .base{fill:#1769aa}text{text-anchor:middle;font:13px system-ui,sans-serif;fill:#1f2328}"
    ".number,.next .title{font-weight:600}.full .number{fill:#fff}"
    ".marks{letter-spacing:3px;font-size:11px;fill:#59636e}"
    "@media(prefers-color-scheme:dark){.card,.base{fill:#1c1f23;stroke:#3d444d}.way{stroke:#3d444d}text{fill:#e6e8eb}"
    ".next .base{stroke:#9aa4af}.done{stroke:#6cb6ff}.full .base{fill:#6cb6ff}.full .number{fill:#1c1f23}"
    ".marks{fill:#9aa4af}}"
)


def _way(count: int) -> str:
    """The line through so many stations: along a row, and by half a circle around its end into the next."""
    middles = [_place(number) for number in range(count)]
    steps = [f"M{x} {y}" for x, y in middles[:1]]
    for (x, y), (to_x, to_y) in itertools.pairwise(middles):
        if y == to_y:
            steps.append(f"H{to_x}")
        else:
            side = 1 if x > _ACROSS else -1
            out, turn = x + side * (_ACROSS - _DOWN - 16) // 2, _DOWN // 2
            steps.append(f"H{out}A{turn} {turn} 0 0 {int(side > 0)} {out} {to_y}H{to_x}")
    return "".join(steps)


def _place(number: int) -> tuple[int, int]:
    """The middle of a station: rows run there and back."""
    row, column = divmod(number, _COLUMNS)
    column = column if row % 2 == 0 else _COLUMNS - 1 - column
    return column * _ACROSS + _ACROSS // 2, row * _DOWN + _RADIUS + 14


def _width(text: str) -> int:
    """Columns in a terminal; Korean letters take two."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
