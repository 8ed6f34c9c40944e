"""Building notebooks: the same bytes twice, agreement with the source, nothing of this machine stored."""

import json
from pathlib import Path

import pytest

from nbtorch.course import build
from nbtorch.course.places import CourseError


def test_building_twice_gives_the_same_bytes(checkout: Path) -> None:
    paths = list(build.build([]))
    assert [path.relative_to(checkout / "lessons").as_posix() for path in paths] == [
        "en/00_a_lesson.ipynb",
        "ko/00_a_lesson.ipynb",
    ]
    first = [path.read_bytes() for path in paths]
    assert [path.read_bytes() for path in build.build(["00"])] == first
    assert build.check([]) == []

    english, korean = (json.loads(text) for text in first)
    codes = [[cell for cell in book["cells"] if cell["cell_type"] == "code"] for book in (english, korean)]
    assert codes[0] == codes[1]  # ids, sources and outputs
    assert [cell["execution_count"] for cell in codes[0]] == [1, 2, 3, 4]
    assert codes[0][0]["outputs"] == [{"name": "stdout", "output_type": "stream", "text": ["one\n", "two\n"]}]
    assert codes[0][3]["outputs"][0]["traceback"] == ["KeyError: 'missing'"]  # no file of this machine
    assert "version" not in english["metadata"]["language_info"]
    assert english["cells"][0]["source"] == ["# A lesson"] and korean["cells"][0]["source"] == ["# 수업"]
    assert english["cells"][0]["id"] == korean["cells"][0]["id"]
    assert "### BEGIN SOLUTION\n" in "".join(codes[0][1]["source"])


def test_a_failing_cell_stops_the_build_and_is_shown(lesson: Path) -> None:
    lesson.write_text('# %%\nprint("fine")\n# %%\n1 / 0\n', encoding="utf-8")
    with pytest.raises(
        CourseError, match=r"00_a_lesson: a cell did not run through[\s\S]*1 / 0[\s\S]*ZeroDivisionError"
    ):
        list(build.build([]))


def test_an_edit_changes_the_id_of_one_cell_only(lesson: Path) -> None:
    from nbtorch.course.source import read_lesson

    before = [cell.id for cell in build.unexecuted(read_lesson(lesson), "en").cells]
    lesson.write_text(lesson.read_text(encoding="utf-8").replace("double(4)", "double(5)"), encoding="utf-8")
    after = [cell.id for cell in build.unexecuted(read_lesson(lesson), "en").cells]
    assert [old == new for old, new in zip(before, after, strict=True)] == [True, True, True, True, False, True]


def test_equal_cells_get_different_ids(lesson: Path) -> None:
    from nbtorch.course.source import read_lesson

    lesson.write_text("# %%\n1\n# %%\n1\n", encoding="utf-8")
    first, second = (cell.id for cell in build.unexecuted(read_lesson(lesson), "en").cells)
    assert first != second


def test_check_agrees_with_what_was_built(built: Path) -> None:
    assert build.check([]) == []
    assert build.check(["00_a_lesson"]) == []


def test_check_never_writes(checkout: Path) -> None:
    assert [fault.split(";")[0] for fault in build.check([])] == [
        "en/00_a_lesson.ipynb: not built",
        "ko/00_a_lesson.ipynb: not built",
    ]
    assert sorted(path.name for path in (checkout / "lessons").iterdir()) == ["src"]


@pytest.mark.parametrize(
    ("language", "old", "new", "fault"),
    [
        ("en", "double(4)", "double(5)", "en/00_a_lesson.ipynb: cell 4 has another source"),
        ("ko", "# 수업", "# 강의", "ko/00_a_lesson.ipynb: cell 0 has another source"),
        ("en", '"setup"', '"set-up"', "en/00_a_lesson.ipynb: cell 1 has another metadata"),
        ("en", '"execution_count": 2', '"execution_count": null', "en/00_a_lesson.ipynb: cell 3 was never run"),
        ("ko", '"lang": "ko"', '"lang": "en"', "ko/00_a_lesson.ipynb: the notebook's metadata differ"),
    ],
)
def test_check_finds_an_edited_notebook(built: Path, language: str, old: str, new: str, fault: str) -> None:
    path = build.notebook_path("00_a_lesson", language)
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    faults = build.check([])
    assert len(faults) == 1 and faults[0].startswith(fault) and "nbtorch course build" in faults[0]


def test_check_finds_an_edited_source_and_a_notebook_without_one(built: Path, lesson: Path) -> None:
    lesson.write_text(lesson.read_text(encoding="utf-8") + "# %%\n1\n", encoding="utf-8")
    assert [fault.split(":")[0] for fault in build.check([])] == ["en/00_a_lesson.ipynb", "ko/00_a_lesson.ipynb"]
    lesson.rename(lesson.with_name("01_renamed.py"))
    assert "en/00_a_lesson.ipynb: has no source; remove it or write lessons/src/00_a_lesson.py" in build.check([])
