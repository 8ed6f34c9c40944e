"""The linter finds every fault that is planted, and none in a sound lesson."""

import json
from pathlib import Path
from typing import Any

import nbformat
import pytest

from nbtorch.course import lint, source
from nbtorch.course.build import notebook_path
from nbtorch.course.places import lesson_names


def stream(text: str, name: str = "stdout") -> dict[str, Any]:
    return {"output_type": "stream", "name": name, "text": text}


def shown(kind: str, data: Any) -> dict[str, Any]:
    return {"output_type": "display_data", "data": {kind: data}, "metadata": {}}


ERROR = {"output_type": "error", "ename": "ValueError", "evalue": "no", "traceback": ["ValueError: no"]}


def notebook_with(cell: dict[str, Any]) -> Any:
    whole = {"cell_type": "code", "id": "a", "metadata": {}, "source": "1", "execution_count": 1, "outputs": []} | cell
    if whole["cell_type"] == "markdown":
        del whole["outputs"], whole["execution_count"]
    return nbformat.from_dict({"cells": [whole], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ({"execution_count": None}, "execution count None, expected 1"),
        ({"execution_count": 7}, "execution count 7, expected 1"),
        ({"source": "plt.plot(x);\n"}, "ends in ';'"),
        ({"source": "x = 1\n" * 16}, "16 lines of code; at most 15"),
        ({"source": "%%time\nf()"}, "times"),
        ({"source": "  %timeit f()"}, "times"),
        ({"source": "clear_output()"}, "updates an output"),
        ({"source": "display(x, display_id=True)"}, "updates an output"),
        ({"source": "interact(f, x=1)"}, "interact"),
        ({"source": "# NBVAL_IGNORE_OUTPUT\nf()"}, "nbval comment"),
        ({"source": 'get("https://example.com/data.csv")'}, "web address"),
        ({"outputs": [stream("<object object at 0x7f3c2a90b0>")]}, "a memory address"),
        ({"outputs": [stream("saved to /home/me/model.npz")]}, "an absolute path"),
        ({"outputs": [stream(r"saved to C:\Users\me")]}, "an absolute path"),
        ({"outputs": [shown("text/plain", "np.float32(0.5)")]}, "a raw NumPy scalar"),
        ({"outputs": [shown("text/plain", "0.12345678")]}, "more than 6 decimals"),
        ({"outputs": [stream("careful!", "stderr")]}, "stderr"),
        ({"outputs": [ERROR]}, "without the tag raises-exception"),
        ({"outputs": [shown("application/vnd.jupyter.widget-view+json", {"model_id": "1"})]}, "widget's view"),
        ({"outputs": [stream("x" * 200_001)]}, "200,"),
        ({"outputs": [shown("text/html", '<img src="https://example.com/a.png">')]}, "text/html output loads"),
        ({"outputs": [shown("image/svg+xml", '<image href="//example.com/a.png"/>')]}, "image/svg+xml output loads"),
        ({"metadata": {"tags": ["nbval-ignore-output"]}}, "without a reason"),
        ({"cell_type": "markdown", "source": "![a](https://example.com/a.png)"}, "loads something from the web"),
        ({"cell_type": "markdown", "source": '<script src="https://cdn.example.com/x.js">'}, "from the web"),
    ],
)  # fmt: skip
def test_each_planted_fault_is_found(cell: dict[str, Any], expected: str) -> None:
    findings = lint.lint_notebook(notebook_with(cell), "x.ipynb")
    assert len(findings) == 1, findings
    assert expected in str(findings[0]) and str(findings[0]).startswith("x.ipynb, cell 0: ")


@pytest.mark.parametrize(
    "cell",
    [
        {},
        {"source": "x = 1; y = 2"},
        {"source": "# ends; like this\nf()"},
        {"outputs": [stream("loss 0.1235, and/or 3/4, shape (2, 3), 12.5 /step")]},
        {"outputs": [ERROR], "metadata": {"tags": ["raises-exception"]}},
        {"outputs": [shown("image/svg+xml", '<svg xmlns="http://www.w3.org/2000/svg"><use href="#a"/></svg>')]},
        {"outputs": [shown("image/png", "aGk=0x1234567")]},
        {"metadata": {"tags": ["nbval-ignore-output"], "why": "float32 sums differ between processors"}},
        {"cell_type": "markdown", "source": "See [the docs](https://example.com) and ends in ;"},
    ],
)
def test_sound_cells_are_left_alone(cell: dict[str, Any]) -> None:
    assert lint.lint_notebook(notebook_with(cell), "x.ipynb") == []


def test_widget_state_is_found() -> None:
    notebook = notebook_with({})
    notebook.metadata["widgets"] = {}
    assert ["widget state" in str(finding) for finding in lint.lint_notebook(notebook, "x.ipynb")] == [True]


def test_a_sound_lesson_is_clean(built: Path) -> None:
    assert lint.lint([]) == []


def test_a_missing_notebook_and_a_stale_translation_are_found(built: Path, lesson: Path) -> None:
    notebook_path("00_a_lesson", "ko").unlink()
    lesson.write_text(lesson.read_text(encoding="utf-8").replace("Double it.", "Double x."), encoding="utf-8")
    findings = [str(finding) for finding in lint.lint([])]
    assert len(findings) == 2
    assert "was written for another English text" in findings[0] and "ko/00_a_lesson.ipynb: not built" in findings[1]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda cells: cells[1].update(source="import os"), "cell 1: the code differs"),
        (lambda cells: cells[3].update(id="other"), "cell 3 differs in kind, id or tags"),
        (lambda cells: cells.pop(), "6 cells against 5"),
    ],
)
def test_languages_that_drift_apart_are_found(built: Path, change: Any, expected: str) -> None:
    path = notebook_path("00_a_lesson", "ko")
    notebook = json.loads(path.read_text(encoding="utf-8"))
    change(notebook["cells"])
    path.write_text(json.dumps(notebook), encoding="utf-8")
    assert [str(finding) for finding in lint.lint([])] == [f"en and ko of 00_a_lesson: {expected}"]


@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_real_course_holds_the_same_lessons_in_every_language(language: str) -> None:
    assert lesson_names(language) == lesson_names("en") != []


def test_the_real_course_is_clean() -> None:
    from nbtorch.course.build import check

    assert check([]) == []
    assert [str(finding) for finding in lint.lint([])] == []


def test_an_exercise_without_notes_for_teachers_is_found(built: Path, lesson: Path) -> None:
    text = lesson.read_text(encoding="utf-8").replace("def double", "#@save double\ndef double")
    lesson.write_text(text, encoding="utf-8")
    faults = [str(finding) for finding in lint.lint([]) if "instructor" in str(finding)]
    assert len(faults) == 2 and "Goals" in faults[0] and "목표" in faults[1]
    english = "".join(f"# ## {heading}\n" for heading in lint.NOTE_HEADINGS["en"])
    korean = "".join(f"# ## {heading}\n" for heading in lint.NOTE_HEADINGS["ko"][:-1])
    first, second = (
        '# %% [markdown] lang="en" tags=["instructor"]',
        '# %% [markdown] lang="ko" of="" tags=["instructor"]',
    )
    notes = f"{first}\n{english}{second}\n{korean}"
    lesson.write_text(text + notes, encoding="utf-8")
    source.confirm(lesson)
    assert ["건너뛸 것" in str(f) for f in lint.lint([]) if "instructor" in str(f)] == [True]


def test_what_a_lesson_adds_to_the_library_is_counted(lesson: Path, built: Path) -> None:
    def saved(lines: range) -> str:
        return "# %%\n#@save f\n@method(A)\ndef f():\n" + "".join(f"    x{i} = {i}  # why\n\n" for i in lines)

    first = lesson.read_text(encoding="utf-8")
    lesson.write_text(first + saved(range(59)), encoding="utf-8")
    assert not lint.lint_library(source.read_lesson(lesson), [])
    longer = lesson.with_name("01_more.py")
    longer.write_text(first + saved(range(119)), encoding="utf-8")
    earlier = [source.read_lesson(lesson)]
    assert not lint.lint_library(source.read_lesson(longer), earlier)
    (finding,) = lint.lint_library(source.read_lesson(longer), [])
    assert finding.message.startswith("adds 120 lines to the learner's library; at most 60")


def test_comments_and_docstrings_are_not_lines_of_code() -> None:
    code = '#@save f\ndef f():\n    """One.\n\n    Two."""\n\n    # why\n    return 1\n'
    assert lint.code_lines(code) == ["def f():", "return 1"]
