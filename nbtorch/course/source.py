"""Reading a lesson's source, `lessons/src/NN_name.py`.

The source is a percent script, so that it is ordinary Python to editors, linters and reviewers:

    # %% [markdown] lang="en"
    # ## What is a slope?
    # %% [markdown] lang="ko" of="3f1c9a27"
    # ## 기울기란 무엇인가요?
    # %% tags=["setup"]
    # %load_ext nbtorch

Every English text is followed by its Korean one; code cells are shared. `of` is the fingerprint of the English text
the Korean was written for: when the English changes, the Korean counts as stale until somebody has read it again
(`nbtorch course confirm` then writes the new fingerprint). A text without `lang` goes into both languages.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from nbtorch.course.places import LANGUAGES, CourseError, sources_folder

_ENGLISH, _KOREAN = LANGUAGES


class Cell(NamedTuple):
    """One cell of a lesson, in every language."""

    kind: str
    """`"markdown"` or `"code"`."""
    text: dict[str, str]
    """Language -> source; the same for all languages in code cells."""
    metadata: dict[str, Any]
    """What goes into the notebook's cell metadata, such as `tags`."""


class Lesson(NamedTuple):
    """A lesson's source, read and found sound."""

    name: str
    cells: list[Cell]


def fingerprint(english: str) -> str:
    """What a translation's `of` must be: a short hash of the English text, spaces at the ends of lines ignored."""
    lines = (line.rstrip() for line in english.strip().splitlines())
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:8]


def find_sources(names: list[str]) -> list[Path]:
    """The sources of the named lessons (`"00"`, `"00_start_here"` or a path), of all when none is named.

    Raises:
        CourseError: there is no checkout, or no such lesson.
    """
    known = sorted(sources_folder().glob("[0-9][0-9]_*.py"))
    if not names:
        return known
    chosen = []
    for name in names:
        stem = Path(name).stem
        matching = [path for path in known if path.stem == stem or path.stem.split("_")[0] == stem]
        if not matching:
            raise CourseError(
                f"There is no lesson {name!r}.\n"
                f"  expected: one of {', '.join(path.stem for path in known) or 'none yet'}\n"
                "  to do:    name a lesson by its number or its full name"
            )
        chosen += matching
    return chosen


def read_lesson(path: Path) -> Lesson:
    """Read a source.

    Raises:
        CourseError: its texts are not paired, a Korean text is stale, or a solution is not closed. All are listed.
    """
    cells: list[Cell] = []
    faults: list[str] = []
    waiting: Cell | None = None  # an English text whose Korean has not come yet
    for block in _blocks(path):
        metadata = {key: value for key, value in block["metadata"].items() if not key.startswith("lines_to_")}
        language, of = metadata.pop("lang", None), metadata.pop("of", None)
        text: str = block["source"].rstrip()
        first_line = f"“{text.strip().splitlines()[0][:60]}”" if text.strip() else "an empty block"
        if waiting is not None and language != _KOREAN:
            faults.append(f'{_start(waiting)} is not followed by its Korean text (# %% [markdown] lang="ko")')
            waiting = None
        if block["cell_type"] == "code":
            if text.count("### BEGIN SOLUTION") != text.count("### END SOLUTION"):
                faults.append(f"{first_line} has a ### BEGIN SOLUTION without its ### END SOLUTION, or the reverse")
            cells.append(Cell("code", dict.fromkeys(LANGUAGES, text), metadata))
        elif language == _ENGLISH:
            waiting = Cell("markdown", {_ENGLISH: text}, metadata)
            cells.append(waiting)
        elif language == _KOREAN:
            if waiting is None:
                faults.append(f'{first_line} is Korean but follows no English text (# %% [markdown] lang="en")')
                continue
            expected = fingerprint(waiting.text[_ENGLISH])
            if of != expected:
                faults.append(
                    f"{first_line} was written for another English text: of={of!r}, but {_start(waiting)} has "
                    f"{expected!r}. Bring the Korean up to date, then run: nbtorch course confirm {path.stem}"
                )
            waiting.text[_KOREAN] = text
            waiting = None
        elif language is None:
            cells.append(Cell("markdown", dict.fromkeys(LANGUAGES, text), metadata))
        else:
            faults.append(f'{first_line} has lang="{language}"; expected one of {", ".join(LANGUAGES)}')
    if waiting is not None:
        faults.append(f'{_start(waiting)} is not followed by its Korean text (# %% [markdown] lang="ko")')
    if faults:
        raise CourseError("\n".join(f"{path.name}: {fault}" for fault in faults))
    return Lesson(path.stem, cells)


def confirm(path: Path) -> int:
    """Say that every Korean text of a source has been read against its English one: write the fingerprints anew.

    Returns:
        How many fingerprints changed.
    """
    expected: Iterator[str] = iter(_fingerprints(path))
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    changed = 0
    for number, line in enumerate(lines):
        if re.match(r'# %%.*\blang="ko"', line):
            bare = re.sub(r'\s+of="[^"]*"', "", line.rstrip())
            marked = re.sub(r'lang="ko"', f'lang="ko" of="{next(expected)}"', bare) + "\n"
            changed += marked != line
            lines[number] = marked
    if changed:
        path.write_text("".join(lines), encoding="utf-8", newline="\n")
    return changed


def _fingerprints(path: Path) -> Iterator[str]:
    english = ""
    for block in _blocks(path):
        if block["metadata"].get("lang") == _ENGLISH:
            english = block["source"]
        elif block["metadata"].get("lang") == _KOREAN:
            yield fingerprint(english)


def _blocks(path: Path) -> list[Any]:
    import jupytext

    return list(jupytext.reads(path.read_text(encoding="utf-8"), fmt="py:percent").cells)


def _start(cell: Cell) -> str:
    return f"“{cell.text[_ENGLISH].strip().splitlines()[0][:60]}”"
