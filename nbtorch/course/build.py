"""Making the notebooks that are committed: `lessons/src/NN_name.py` -> `lessons/{en,ko}/NN_name.ipynb`, executed.

A text tagged `instructor` is for teachers: it goes into `lessons/teaching/{en,ko}/NN_name.md` instead.

Building twice gives the same bytes: cell ids come from the text, nothing that depends on the hour, the machine or the
run is stored (times, versions, widget models, paths in tracebacks). What is stored is the *solved* edition, with its
solutions still between their marks; `handout.learner_edition` derives the learner's from it.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat

from nbtorch.course.places import LANGUAGES, NOTES, CourseError, sources_folder
from nbtorch.course.source import Cell, Lesson, find_sources, read_lesson

_WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"

# The plain kernel, so that a notebook runs wherever Jupyter does; no version, so that it is the same everywhere.
_NOTEBOOK_METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {
        "file_extension": ".py",
        "mimetype": "text/x-python",
        "name": "python",
        "nbconvert_exporter": "python",
        "pygments_lexer": "ipython3",
    },
}

_CELL_TIMEOUT = 300
"""Seconds a lesson's cell may take before the build gives up: far above any lesson's whole time."""


def notebook_path(name: str, language: str) -> Path:
    """Where the built notebook of a lesson lies in a checkout."""
    return sources_folder().parent / language / f"{name}.ipynb"


def notes_path(name: str, language: str) -> Path:
    """Where the instructor's notes of a lesson lie in a checkout."""
    return sources_folder().parent / NOTES / language / f"{name}.md"


def build(names: list[str]) -> Iterator[Path]:
    """Build and execute the named lessons (all, when none is named) in every language; yields each file written.

    Raises:
        CourseError: a source is unsound, or a cell of it raises.
    """
    for source in find_sources(names):
        lesson = read_lesson(source)
        for language in LANGUAGES:
            text = to_text(execute(unexecuted(lesson, language)))
            path = notebook_path(lesson.name, language)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
            yield path
            notes = instructor_notes(lesson, language)
            if notes:
                path = notes_path(lesson.name, language)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(notes, encoding="utf-8", newline="\n")
                yield path


def check(names: list[str]) -> list[str]:
    """Compare sources and committed notebooks without executing or writing anything.

    Returns:
        What is wrong, one line each; empty when they agree. Outputs are nbval's business and not compared, but a
        code cell that was never run is reported: nbval would compare nothing there.
    """
    faults = []
    sources = find_sources(names)
    for source in sources:
        try:
            lesson = read_lesson(source)
        except CourseError as error:
            faults += str(error).splitlines()
            continue
        for language in LANGUAGES:
            faults += _differences(lesson, language)
            faults += _note_differences(lesson, language)
    if not names:
        faults += _strays({source.stem for source in sources})
    return faults


def unexecuted(lesson: Lesson, language: str) -> nbformat.NotebookNode:
    """The lesson's notebook in one language, not yet run."""
    cells: list[dict[str, Any]] = []
    for cell, cell_id in zip(lesson.cells, _cell_ids(lesson), strict=True):
        if is_for_instructors(cell):
            continue
        made: dict[str, Any] = {
            "cell_type": cell.kind,
            "id": cell_id,
            "metadata": dict(cell.metadata),
            "source": cell.text[language],
        }
        if cell.kind == "code":
            made |= {"execution_count": None, "outputs": []}
        cells.append(made)
    metadata = {**_NOTEBOOK_METADATA, "nbtorch": {"lang": language, "lesson": lesson.name}}
    whole = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    notebook: nbformat.NotebookNode = nbformat.from_dict(whole)  # type: ignore[no-untyped-call]
    return notebook


def is_for_instructors(cell: Cell) -> bool:
    """Whether a cell is kept out of the learners' notebooks."""
    return "instructor" in cell.metadata.get("tags", ())


def instructor_notes(lesson: Lesson, language: str) -> str:
    """What a lesson's source tells its teachers, as Markdown; empty where it says nothing."""
    texts = [cell.text[language].strip() for cell in lesson.cells if is_for_instructors(cell)]
    return "\n\n".join(texts) + "\n" if texts else ""


def execute(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Run a notebook in a kernel of its own, in an empty folder, and drop from it what another run would change.

    Raises:
        CourseError: a cell raises that isn't tagged `raises-exception`.
    """
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    name = notebook.metadata["nbtorch"]["lesson"]
    with tempfile.TemporaryDirectory(prefix="nbtorch-build-") as folder:
        environment = {
            **os.environ,
            "OPENBLAS_NUM_THREADS": "1",
            "PYTHONHASHSEED": "0",
            "NBTORCH_COURSE_HOME": folder,
            "NBTORCH_LANGUAGE": notebook.metadata["nbtorch"]["lang"],
        }
        client = NotebookClient(
            notebook,
            timeout=_CELL_TIMEOUT,
            kernel_name="python3",
            record_timing=False,
            store_widget_state=False,
            resources={"metadata": {"path": folder}},
        )
        try:
            client.execute(env=environment)
        except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
            raise CourseError(f"{name}: a cell did not run through.\n{error}") from error
    return _without_traces(notebook)


def read_notebook(path: Path) -> nbformat.NotebookNode:
    """A notebook from disk."""
    notebook: nbformat.NotebookNode = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    return notebook


def to_text(notebook: nbformat.NotebookNode) -> str:
    """The notebook as it is written to disk."""
    text: str = nbformat.writes(notebook)  # type: ignore[no-untyped-call]
    return text.rstrip("\n") + "\n"


def _without_traces(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Drop what differs from run to run or from machine to machine."""
    notebook.metadata.pop("widgets", None)
    notebook.metadata["language_info"] = dict(_NOTEBOOK_METADATA["language_info"])
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        cell.metadata.pop("execution", None)
        for output in cell.outputs:
            data: dict[str, Any] = output.get("data", {})
            if len(data) > 1:  # a widget's model lives in a kernel; its picture and text stay
                data.pop(_WIDGET_VIEW, None)
                output.metadata.pop(_WIDGET_VIEW, None)
            if output.output_type == "error":  # frames name files of this machine; the sentence is what teaches
                output.traceback = [f"{output.ename}: {output.evalue}"]
        cell.outputs = _joined(cell.outputs)
    return notebook


def _joined(outputs: list[Any]) -> list[Any]:
    """Outputs with neighbouring pieces of one stream joined: how a stream is cut depends on timing."""
    joined: list[Any] = []
    for output in outputs:
        last = joined[-1] if joined else None
        if last is not None and output.output_type == "stream" == last.output_type and output.name == last.name:
            last.text += output.text
        else:
            joined.append(output)
    return joined


def _cell_ids(lesson: Lesson) -> list[str]:
    """Ids made from the English text, so that an edit changes the id of one cell and not of all that follow."""
    ids: list[str] = []
    for cell in lesson.cells:
        text, salt = cell.text[LANGUAGES[0]], 0
        while True:
            cell_id = hashlib.sha256(f"{lesson.name}\n{cell.kind}\n{salt}\n{text}".encode()).hexdigest()[:8]
            if cell_id not in ids:
                break
            salt += 1
        ids.append(cell_id)
    return ids


def _differences(lesson: Lesson, language: str) -> Iterator[str]:
    path = notebook_path(lesson.name, language)
    where, remedy = f"{language}/{path.name}", f"run: nbtorch course build {lesson.name}"
    if not path.is_file():
        yield f"{where}: not built; {remedy}"
        return
    built, expected = read_notebook(path), unexecuted(lesson, language)
    if built.metadata != expected.metadata:
        yield f"{where}: the notebook's metadata differ from what a build writes; {remedy}"
    if len(built.cells) != len(expected.cells):
        yield f"{where}: {len(built.cells)} cells, its source makes {len(expected.cells)}; {remedy}"
        return
    for number, (have, want) in enumerate(zip(built.cells, expected.cells, strict=True)):
        for part in ("cell_type", "id", "source", "metadata"):
            if have.get(part) != want.get(part):
                yield f"{where}: cell {number} has another {part} than its source; {remedy}"
                break
        else:
            if have.cell_type == "code" and have.execution_count is None:
                yield f"{where}: cell {number} was never run; {remedy}"


def _note_differences(lesson: Lesson, language: str) -> Iterator[str]:
    path, expected = notes_path(lesson.name, language), instructor_notes(lesson, language)
    have = path.read_text(encoding="utf-8") if path.is_file() else ""
    if have != expected:
        yield f"{NOTES}/{language}/{path.name}: differs from its source; run: nbtorch course build {lesson.name}"


def _strays(known: set[str]) -> Iterator[str]:
    for language in LANGUAGES:
        for path in sorted((sources_folder().parent / language).glob("*.ipynb")):
            if path.stem not in known:
                yield f"{language}/{path.name}: has no source; remove it or write lessons/src/{path.stem}.py"
        for path in sorted((sources_folder().parent / NOTES / language).glob("*.md")):
            if path.stem not in known:
                yield f"{NOTES}/{language}/{path.name}: has no source; remove it"
