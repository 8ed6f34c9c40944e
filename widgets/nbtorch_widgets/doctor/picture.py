"""A report as a still picture: findings below each other, readable on light and dark pages."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

from nbtorch_widgets.doctor.texts import HEADINGS
from nbtorch_widgets.svg import PAD, WIDTH, Canvas

_LINE = 17
_COLUMNS = 104  # of 12 px text


class Entry(NamedTuple):
    """A finding in words."""

    severity: str
    step: int | None
    layer: str | None
    title: str
    evidence: str
    remedy: str


def report_svg(entries: Sequence[Entry], summary: str, language: str) -> str:
    """The findings of a report, each with where it shows, its evidence and what helps."""
    words = HEADINGS["ko" if language.startswith("ko") else "en"]
    canvas = Canvas()
    y = PAD + 12
    if not entries:
        canvas.text(PAD, y, f"✓ {words['none']}", "t b")
        canvas.text(WIDTH - PAD, y, summary, "m e")
        y += _LINE
    for number, finding in enumerate(entries):
        if number:
            y += 9
        top = y - 12
        where = [words[finding.severity]]
        if finding.step is not None:
            where.append(f"{words['step']} {finding.step}")
        if finding.layer:
            where.append(_cut(finding.layer, 32))
        canvas.text(PAD + 14, y, _cut(finding.title, 60), "t b")
        canvas.text(WIDTH - PAD, y, " · ".join(where), "m e")
        y += _LINE
        for look, text in (("t", finding.evidence), ("m", "→ " + finding.remedy)):
            for line in wrapped(text, _COLUMNS):
                canvas.text(PAD + 14, y, line, look)
                y += _LINE
        colour = {"error": "x", "warning": "d", "note": "z"}[finding.severity]
        canvas.rect(PAD, top, 4, y - _LINE - top + 4, f'class="{colour}"')
    canvas.height = y - _LINE + 12
    return canvas.render("; ".join(entry.title for entry in entries) or words["none"])


def width(text: str) -> int:
    """Columns that a text takes: Korean letters take two."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def wrapped(text: str, columns: int) -> list[str]:
    """The lines of a text."""
    lines, line = [], ""
    for word in text.split():
        while width(word) > columns:  # a name without spaces
            lines += [line] if line else []
            lines.append(word[: columns // 2])
            line, word = "", word[columns // 2 :]
        if line and width(line) + 1 + width(word) > columns:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}" if line else word
    return [*lines, line] if line else lines


def _cut(text: str, columns: int) -> str:
    return text if len(text) <= columns else text[: columns - 1] + "…"
