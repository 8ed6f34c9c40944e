"""Giving a learner copies of the lessons without ever touching the learner's work.

What was handed out is remembered in the learner's folder, as fingerprints, so that three cases can be told apart
when the course has a newer edition of a lesson:

* the learner's file is one that was handed out: it is replaced;
* the learner changed it: it stays, and the new edition is placed beside it under another name;
* there is no file: it is written (so deleting or renaming a lesson is the way to a fresh copy).

A fingerprint covers the cells and their outputs, not the notebook's own metadata: JupyterLab rewrites that on the
first opening, and a file nobody edited would count as changed from then on.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from nbtorch.course.places import CourseError, lesson_names, lessons_folder

RECORD = ".nbtorch-course.json"
"""The file in the learner's folder that remembers what was handed out."""

STUB = "raise NotImplementedError  # your code here"

_SOLUTION = re.compile(
    r"^([ \t]*)### BEGIN SOLUTION[^\n]*\n.*?^[ \t]*### END SOLUTION[^\n]*$", re.DOTALL | re.MULTILINE
)


class Handout(NamedTuple):
    """What `hand_out` did; names are paths below the learner's folder."""

    written: list[str]
    """New files."""
    updated: list[str]
    """Files replaced by a newer edition; the learner had not changed them."""
    kept: list[str]
    """Files the learner changed; untouched."""
    beside: dict[str, str]
    """Changed file -> the newer edition that was placed beside it just now."""


def learner_edition(notebook: dict[str, Any]) -> dict[str, Any]:
    """The notebook as a learner gets it: nothing run yet, and solutions replaced by a line that says so.

    Args:
        notebook: a solved edition, parsed from JSON; it is not modified.
    """
    cells = []
    for cell in notebook["cells"]:
        cell = dict(cell)
        if cell["cell_type"] == "code":
            cell.update(source=learner_source("".join(cell["source"])), outputs=[], execution_count=None)
        cells.append(cell)
    return {**notebook, "cells": cells}


def learner_source(source: str) -> str:
    """A code cell's source with its solutions replaced by a line that says so."""
    return _SOLUTION.sub(lambda found: found.group(1) + STUB, source)


def fingerprint(text: str) -> str:
    """A short hash of a notebook's cells and outputs; of the whole text where it isn't a notebook."""
    # What is no notebook (any more) was made by the learner, whatever it is: its text then counts as it stands.
    with suppress(ValueError, TypeError, KeyError):
        cells = json.loads(text)["cells"]
        for cell in cells:  # JSON allows a list of lines and a plain string for the same text
            cell["source"] = "".join(cell["source"])
        text = json.dumps(cells, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def hand_out(folder: Path, language: str) -> Handout:
    """Put the lessons in `language` into `folder/language`, keeping whatever the learner changed.

    Raises:
        CourseError: the folder can't be made or written to, or the course has no lessons in this language.
    """
    names = lesson_names(language)
    if not names:
        raise CourseError(
            f"The course holds no lessons for --lang {language}.\n"
            f"  expected: {lessons_folder() / language / '00_start_here.ipynb'}\n"
            "  to do:    choose another language, or build the lessons: nbtorch course build"
        )
    prepare(folder / language)
    record = read_record(folder)
    report = Handout([], [], [], {})
    for name in names:
        solved = json.loads((lessons_folder() / language / f"{name}.ipynb").read_text(encoding="utf-8"))
        text = json.dumps(learner_edition(solved), indent=1, sort_keys=True, ensure_ascii=False) + "\n"
        place = f"{language}/{name}.ipynb"
        hand_out_one(folder, place, text, record.setdefault(place, []), report)
        write_whole(folder / RECORD, json.dumps(record, indent=1, sort_keys=True) + "\n")
    return report


def prepare(folder: Path, remedy: str = "nbtorch lab --dir FOLDER") -> None:
    """Make `folder` and prove that files can be written there; `remedy` is the command that chooses another.

    Raises:
        CourseError: it can't be made, is a file, or refuses to be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise _cannot_write(folder, error, remedy) from error


def hand_out_one(folder: Path, place: str, text: str, handed: list[str], report: Handout) -> None:
    """Write one file where it may be written. `handed`: fingerprints of all editions given before; grows."""
    edition = fingerprint(text)
    first_time = edition not in handed
    target = folder / place
    if not _exists(target):
        write_whole(target, text)
        report.written.append(place)
    elif (present := _fingerprint_of(target)) == edition:
        pass
    elif present in handed:
        write_whole(target, text)
        report.updated.append(place)
    else:
        report.kept.append(place)
        if first_time:  # an edition is offered once; deleting the offered copy means no to it
            beside = _free_name(target, handed)
            write_whole(beside, text)
            report.beside[place] = beside.relative_to(folder).as_posix()
    if first_time:
        handed.append(edition)


def _free_name(target: Path, handed: list[str]) -> Path:
    """`NAME.new.ipynb` (or the file's own ending); numbered, the first that is free or holds an untouched edition."""
    number = 1
    while True:
        mark = "new" if number == 1 else f"new-{number}"
        candidate = target.with_name(f"{target.stem}.{mark}{target.suffix}")
        if not _exists(candidate) or _fingerprint_of(candidate) in handed:
            return candidate
        number += 1


def _exists(path: Path) -> bool:
    return path.exists() or path.is_symlink()  # a dangling link is the learner's too


def _fingerprint_of(path: Path) -> str:
    try:
        return fingerprint(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        return "unreadable"  # a folder, a broken link, other bytes: never one of ours


def read_record(folder: Path, name: str = RECORD) -> dict[str, list[str]]:
    try:
        record = json.loads((folder / name).read_text(encoding="utf-8"))
        return {str(place): [str(edition) for edition in editions] for place, editions in record.items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}  # without a memory every differing file counts as changed: safe, if a little untidy


def write_whole(path: Path, text: str) -> None:
    """Write the whole file or nothing, so that a full disk leaves no half a lesson.

    Raises:
        CourseError: the file can't be written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_text(text, encoding="utf-8", newline="\n")
        os.replace(temporary, path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise _cannot_write(path.parent, error) from error


def _cannot_write(folder: Path, error: OSError, remedy: str = "nbtorch lab --dir FOLDER") -> CourseError:
    return CourseError(
        f"The notebooks can't be put into {folder}.\n"
        "  expected: a folder in which you may write\n"
        f"  found:    {error.strerror or error}\n"
        f"  to do:    choose another folder: {remedy}"
    )
