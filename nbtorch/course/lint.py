"""What comparing outputs doesn't catch: the ways a lesson's notebook goes wrong while its tests stay green.

nbval compares nothing where a cell was never run, runs cells in a way that makes a trailing `;` useless, and can only
find out on the second machine that an output holds an address or a path of the first. These rules look at the
notebook itself. Each is a function from a cell to the faults it finds there; add one to `CELL_RULES` to add a rule.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from nbtorch.course.build import instructor_notes, notebook_path, read_notebook
from nbtorch.course.exercises import saved_name
from nbtorch.course.places import LANGUAGES, CourseError
from nbtorch.course.source import Lesson, find_sources, read_lesson

MAX_OUTPUT_BYTES = 200_000
"""The largest a cell's stored outputs may be, as JSON text: a lesson is read on slow lines too."""

MAX_CELL_LINES = 15
"""The most lines of code in a cell: one new idea each. Blank lines, comments and docstrings aren't counted."""

MAX_LIBRARY_LINES = 60
"""The most lines that a lesson adds to the learner's library; decorators and lines of earlier lessons don't count."""

Cell = Any  # a notebook's cell: nbformat gives dictionaries with attributes
Rule = Callable[[Cell], Iterator[str]]


class Finding(NamedTuple):
    """One fault."""

    where: str
    """File and cell, as in `en/00_start_here.ipynb, cell 3`."""
    message: str

    def __str__(self) -> str:
        return f"{self.where}: {self.message}"


def lint(names: list[str]) -> list[Finding]:
    """Lint the named lessons (all, when none is named): their sources, their notebooks, and one against the other.

    Raises:
        CourseError: there is no checkout, or no such lesson.
    """
    findings: list[Finding] = []
    for source in find_sources(names):
        try:
            lesson = read_lesson(source)
            findings += lint_notes(lesson) + lint_library(
                lesson, [read_lesson(s) for s in find_sources([]) if s < source]
            )
        except CourseError as error:
            findings += [Finding("src", line) for line in str(error).splitlines()]
        notebooks = {}
        for language in LANGUAGES:
            path = notebook_path(source.stem, language)
            if path.is_file():
                notebooks[language] = read_notebook(path)
                findings += lint_notebook(notebooks[language], f"{language}/{path.name}")
            else:
                findings.append(Finding(f"{language}/{path.name}", "not built; run: nbtorch course build"))
        if len(notebooks) == len(LANGUAGES):
            findings += lint_parity(notebooks, source.stem)
    return findings


def lint_notebook(notebook: Any, name: str) -> list[Finding]:
    """Lint one notebook; `name` is how findings call it."""
    findings = []
    if "widgets" in notebook.metadata:
        findings.append(Finding(name, "widget state is stored in the notebook's metadata; build it without"))
    expected = 0
    for number, cell in enumerate(notebook.cells):
        where = f"{name}, cell {number}"
        if cell.cell_type == "code":
            expected += 1
            if cell.execution_count != expected:
                findings.append(
                    Finding(where, f"execution count {cell.execution_count}, expected {expected}: nbval compares "
                                   "nothing where a cell was not run; build the lesson again")
                )  # fmt: skip
        for rule in CELL_RULES:
            findings += [Finding(where, message) for message in rule(cell)]
    return findings


#: What the instructor's notes of a lesson must say something about.
NOTE_HEADINGS = {
    "en": ("Goals", "Three common errors", "A question to discuss", "What to skip"),
    "ko": ("목표", "흔한 오류 셋", "토론할 질문", "건너뛸 것"),
}


def lint_notes(lesson: Lesson) -> list[Finding]:
    """A lesson with exercises has notes for its teachers, with these headings."""
    codes = [cell.text[LANGUAGES[0]] for cell in lesson.cells if cell.kind == "code"]
    if not any(saved_name(code) and "### BEGIN SOLUTION" in code for code in codes):
        return []
    findings = []
    for language in LANGUAGES:
        have = re.findall(r"^## (.+)$", instructor_notes(lesson, language), re.MULTILINE)
        missing = [heading for heading in NOTE_HEADINGS[language] if heading not in have]
        if missing:
            what = f"the instructor's notes lack {', '.join(missing)}"
            findings.append(
                Finding(f"src/{lesson.name}.py, {language}", f"{what} (a block tagged instructor, ## headings)")
            )
    return findings


def code_lines(code: str) -> list[str]:
    """The lines that count as code: no blank ones, comments or docstrings; without their indentation."""
    lines = (line.strip() for line in _DOCSTRING.sub("", code).splitlines())
    return [line for line in lines if line and not line.startswith("#")]


_DOCSTRING = re.compile(r'^\s*""".*?"""\s*$', re.MULTILINE | re.DOTALL)


def lint_library(lesson: Lesson, earlier: list[Lesson]) -> list[Finding]:
    """A lesson adds little to the learner's library. What it defines again, with a line or two more, is not new."""

    def saved(one: Lesson) -> list[str]:
        codes = [cell.text[LANGUAGES[0]] for cell in one.cells if cell.kind == "code"]
        return [line for code in codes if saved_name(code) for line in code_lines(code)]

    known = {line for one in earlier for line in saved(one)}
    count = sum(line not in known and not line.startswith("@") for line in saved(lesson))
    if count <= MAX_LIBRARY_LINES:
        return []
    message = f"adds {count} lines to the learner's library; at most {MAX_LIBRARY_LINES}: leave some to another lesson"
    return [Finding(f"src/{lesson.name}.py", message)]


def lint_parity(notebooks: dict[str, Any], lesson: str) -> list[Finding]:
    """The languages of a lesson must hold the same cells: same kinds, ids, code and tags in the same order."""
    first, *others = notebooks
    findings = []
    for other in others:
        cells, translated = notebooks[first].cells, notebooks[other].cells
        where = f"{first} and {other} of {lesson}"
        if len(cells) != len(translated):
            findings.append(Finding(where, f"{len(cells)} cells against {len(translated)}"))
            continue
        for number, (cell, twin) in enumerate(zip(cells, translated, strict=True)):
            if (cell.cell_type, cell.id, cell.metadata) != (twin.cell_type, twin.id, twin.metadata):
                findings.append(Finding(where, f"cell {number} differs in kind, id or tags"))
            elif cell.cell_type == "code" and cell.source != twin.source:
                findings.append(Finding(where, f"cell {number}: the code differs"))
    return findings


def trailing_semicolon(cell: Cell) -> Iterator[str]:
    """IPython hides a value behind `;` only in cells that enter the history, and nbval's don't."""
    if cell.cell_type == "code" and cell.source.rstrip().endswith(";"):
        yield "ends in ';', which hides nothing under nbval; assign to _, or end a plot with plt.show()"


_UNTESTABLE = [
    (r"\bclear_output\(|\.update_display\(|\bdisplay_id\s*=", "updates an output: nbval ignores updates; use a widget"),
    (r"\binteract\(|\bOutput\(\)", "ipywidgets' Output and interact: nbval would see every inner print"),
    (r"^\s*%%?time(it)?\b", "prints times, which differ from run to run"),
    (r"NBVAL_", "a nbval comment: nothing else understands those; use the cell tag"),
]


def untestable_code(cell: Cell) -> Iterator[str]:
    """Code whose outputs can't be compared."""
    if cell.cell_type == "code":
        for pattern, message in _UNTESTABLE:
            if re.search(pattern, cell.source, re.MULTILINE):
                yield message


_WEB = r"(?:https?:)?//(?!127\.0\.0\.1|localhost)[\w.-]+\.\w+"
_LOADS = re.compile(
    rf"!\[[^\]]*\]\(\s*{_WEB}|<(?:img|script|iframe|link|source|video|image|use)\b[^>]*?(?:src|href)\s*=\s*[\"']?{_WEB}"
    rf"|url\([\"']?{_WEB}|@import\s+[\"']{_WEB}",
    re.IGNORECASE,
)


def network(cell: Cell) -> Iterator[str]:
    """A lesson works without the network: addresses in code, and pictures, scripts and fonts from the web."""
    if cell.cell_type == "code":
        if re.search(r"https?://(?!127\.0\.0\.1|localhost)", cell.source):
            yield "the code holds a web address; a lesson must work without the network"
    elif _LOADS.search(cell.source):
        yield "the text loads something from the web; a link is fine, a picture or script is not"
    for kind, text in _output_texts(cell):
        if kind in ("text/html", "image/svg+xml", "text/markdown") and _LOADS.search(text):
            yield f"the {kind} output loads something from the web"


_UNSTABLE = [
    (r"\b0x[0-9a-fA-F]{6,}", "a memory address"),
    (r"(?<![\w.])/(?:home|work|tmp|root|Users|usr|opt|var|mnt)/\w|\b[A-Z]:\\\w", "an absolute path"),
    (r"\bnp\.(?:float|int|uint|bool|complex)\d*_?\(", "a raw NumPy scalar; convert it with float() or .item()"),
]
_LONG_DECIMALS = re.compile(r"\d\.\d{7,}")


def unstable_output(cell: Cell) -> Iterator[str]:
    """Outputs that another run or another machine would print differently."""
    for kind, text in _output_texts(cell):
        for pattern, what in _UNSTABLE:
            if re.search(pattern, text):
                yield f"the {kind} output holds {what}"
        if kind in ("stream", "text/plain", "error") and _LONG_DECIMALS.search(text):
            yield f"the {kind} output has more than 6 decimals: the last ones differ between processors"


def stray_output(cell: Cell) -> Iterator[str]:
    """Warnings, errors nobody announced, live widget models, and too much of anything."""
    if cell.cell_type != "code":
        return
    tags = cell.metadata.get("tags", [])
    if any(output.get("name") == "stderr" for output in cell.outputs):
        yield "writes to stderr; a lesson shows no warnings"
    if any(output.output_type == "error" for output in cell.outputs) and "raises-exception" not in tags:
        yield "raises an error without the tag raises-exception"
    if any("application/vnd.jupyter.widget-view+json" in output.get("data", {}) for output in cell.outputs):
        yield "stores a widget's view, whose model is gone; give the widget a picture or a text and build again"
    if (size := len(json.dumps(cell.outputs))) > MAX_OUTPUT_BYTES:
        yield f"its outputs take {size:,} bytes; at most {MAX_OUTPUT_BYTES:,}"


def unexplained_tag(cell: Cell) -> Iterator[str]:
    """A cell that nbval is told to skip must say why, in its metadata: `why="..."`."""
    skipping = {"nbval-ignore-output", "nbval-skip"} & set(cell.metadata.get("tags", []))
    if skipping and not cell.metadata.get("why"):
        yield f'is tagged {", ".join(sorted(skipping))} without a reason; add why="..." beside the tags'


def long_cell(cell: Cell) -> Iterator[str]:
    """A cell holds one idea, and fits on a page with its output."""
    if cell.cell_type == "code" and (count := len(code_lines(cell.source))) > MAX_CELL_LINES:
        yield f"has {count} lines of code; at most {MAX_CELL_LINES}: make two cells of it"


CELL_RULES: list[Rule] = [
    long_cell, trailing_semicolon, untestable_code, network, unstable_output, stray_output, unexplained_tag,
]  # fmt: skip


def _output_texts(cell: Cell) -> Iterator[tuple[str, str]]:
    """(kind, text) of every textual output of a code cell."""
    for output in cell.get("outputs", []):
        if output.output_type == "stream":
            yield "stream", output.text
        elif output.output_type == "error":
            yield "error", "\n".join([f"{output.ename}: {output.evalue}", *output.traceback])
        else:
            for kind, data in output.data.items():
                if isinstance(data, str) and (kind.startswith("text/") or kind.endswith(("+xml", "+json"))):
                    yield kind, data
