"""The learner's folder: what the learner changed is never touched, everything else follows the course."""

import json
from pathlib import Path

import pytest

from nbtorch.course import handout, lesson_names, library, places
from nbtorch.course.build import notebook_path
from nbtorch.course.handout import hand_out, learner_edition
from nbtorch.course.places import CourseError


@pytest.fixture
def learner(tmp_path: Path) -> Path:
    return tmp_path / "my course"


def new_edition(text: str) -> None:
    """The course changes: the first cell of the English lesson now says `text`."""
    path = notebook_path("00_a_lesson", "en")
    notebook = json.loads(path.read_text(encoding="utf-8"))
    notebook["cells"][0]["source"] = text
    path.write_text(json.dumps(notebook), encoding="utf-8")


def edit(path: Path, text: str = "mine") -> bytes:
    """The learner changes a file."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    notebook["cells"][-1]["source"] = text
    path.write_text(json.dumps(notebook), encoding="utf-8")
    return path.read_bytes()


def first_text(path: Path) -> str:
    return "".join(json.loads(path.read_text(encoding="utf-8"))["cells"][0]["source"])


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_the_first_time_the_lessons_and_nothing_else_are_written(built: Path, learner: Path) -> None:
    report = handout.hand_out(learner, "en")
    assert report == (["en/00_a_lesson.ipynb"], [], [], {})
    assert files(learner) == [handout.RECORD, "en/00_a_lesson.ipynb"]


def test_the_learners_edition_has_nothing_run_and_no_solution(built: Path, learner: Path) -> None:
    handout.hand_out(learner, "en")
    text = (learner / "en/00_a_lesson.ipynb").read_text(encoding="utf-8")
    codes = [cell for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"]
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in codes)
    assert codes[1]["source"] == "def double(x):\n    raise NotImplementedError  # your code here"
    assert "SOLUTION" not in text and "2 * x" not in text


def test_a_second_visit_changes_nothing(built: Path, learner: Path) -> None:
    handout.hand_out(learner, "en")
    before = {name: (learner / name).read_bytes() for name in files(learner)}
    assert handout.hand_out(learner, "en") == ([], [], [], {})
    assert {name: (learner / name).read_bytes() for name in files(learner)} == before


def test_an_untouched_lesson_follows_the_course(built: Path, learner: Path) -> None:
    handout.hand_out(learner, "en")
    for text in ("# second edition", "# third edition"):
        new_edition(text)
        assert handout.hand_out(learner, "en") == ([], ["en/00_a_lesson.ipynb"], [], {})
        assert first_text(learner / "en/00_a_lesson.ipynb") == text


def test_opening_a_lesson_is_no_change(built: Path, learner: Path) -> None:
    handout.hand_out(learner, "en")
    path = learner / "en/00_a_lesson.ipynb"
    notebook = json.loads(path.read_text(encoding="utf-8"))
    notebook["metadata"]["language_info"]["version"] = "3.13.1"  # JupyterLab adds this when the kernel starts
    for cell in notebook["cells"]:
        cell["source"] = "".join(cell["source"]).splitlines(keepends=True)
    path.write_text(json.dumps(notebook, indent=4), encoding="utf-8")
    new_edition("# second edition")
    assert handout.hand_out(learner, "en").updated == ["en/00_a_lesson.ipynb"]


def test_a_changed_lesson_is_kept_and_the_new_edition_lies_beside_it(built: Path, learner: Path) -> None:
    handout.hand_out(learner, "en")
    path, beside = learner / "en/00_a_lesson.ipynb", learner / "en/00_a_lesson.new.ipynb"
    mine = edit(path)
    assert handout.hand_out(learner, "en") == ([], [], ["en/00_a_lesson.ipynb"], {})
    assert not beside.exists()  # no newer edition: nothing to offer

    new_edition("# second edition")
    report = handout.hand_out(learner, "en")
    assert report.kept == ["en/00_a_lesson.ipynb"]
    assert report.beside == {"en/00_a_lesson.ipynb": "en/00_a_lesson.new.ipynb"}
    assert path.read_bytes() == mine and first_text(beside) == "# second edition"

    assert handout.hand_out(learner, "en").beside == {}  # offered once
    new_edition("# third edition")
    handout.hand_out(learner, "en")
    assert path.read_bytes() == mine and first_text(beside) == "# third edition"


def test_a_changed_copy_beside_is_kept_too(built: Path, learner: Path) -> None:
    handout.hand_out(learner, "en")
    path, beside = learner / "en/00_a_lesson.ipynb", learner / "en/00_a_lesson.new.ipynb"
    mine = edit(path)
    new_edition("# second edition")
    handout.hand_out(learner, "en")
    also_mine = edit(beside, "also mine")
    new_edition("# third edition")
    report = handout.hand_out(learner, "en")
    assert report.beside == {"en/00_a_lesson.ipynb": "en/00_a_lesson.new-2.ipynb"}
    assert path.read_bytes() == mine and beside.read_bytes() == also_mine
    assert first_text(learner / "en/00_a_lesson.new-2.ipynb") == "# third edition"


def test_outputs_are_the_learners_work(built: Path, learner: Path) -> None:
    handout.hand_out(learner, "en")
    path = learner / "en/00_a_lesson.ipynb"
    notebook = json.loads(path.read_text(encoding="utf-8"))
    notebook["cells"][1]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "one\n"}]
    path.write_text(json.dumps(notebook), encoding="utf-8")
    before = path.read_bytes()
    new_edition("# second edition")
    assert handout.hand_out(learner, "en").kept == ["en/00_a_lesson.ipynb"]
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"", b"my notes", b"\xff\xfe not text", b'{"cells": 3}', b"[]"])
def test_whatever_lies_there_is_kept(built: Path, learner: Path, content: bytes) -> None:
    path = learner / "en/00_a_lesson.ipynb"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    report = handout.hand_out(learner, "en")
    assert report.kept == ["en/00_a_lesson.ipynb"]
    assert report.beside == {"en/00_a_lesson.ipynb": "en/00_a_lesson.new.ipynb"}
    assert path.read_bytes() == content


@pytest.mark.parametrize("record", ["", "not json", "[]", '{"en/00_a_lesson.ipynb": 3}'])
def test_without_a_memory_every_differing_file_counts_as_changed(built: Path, learner: Path, record: str) -> None:
    handout.hand_out(learner, "en")
    (learner / handout.RECORD).write_text(record, encoding="utf-8")
    before = (learner / "en/00_a_lesson.ipynb").read_bytes()
    new_edition("# second edition")
    report = handout.hand_out(learner, "en")
    assert report.kept == ["en/00_a_lesson.ipynb"]
    assert (learner / "en/00_a_lesson.ipynb").read_bytes() == before


def test_a_deleted_lesson_comes_back_fresh(built: Path, learner: Path) -> None:
    handout.hand_out(learner, "en")
    path = learner / "en/00_a_lesson.ipynb"
    edit(path)
    path.rename(path.with_name("my old one.ipynb"))
    assert handout.hand_out(learner, "en").written == ["en/00_a_lesson.ipynb"]
    assert files(learner) == [handout.RECORD, "en/00_a_lesson.ipynb", "en/my old one.ipynb"]


def test_languages_do_not_disturb_each_other(built: Path, learner: Path) -> None:
    handout.hand_out(learner, "en")
    mine = edit(learner / "en/00_a_lesson.ipynb")
    assert handout.hand_out(learner, "ko").written == ["ko/00_a_lesson.ipynb"]
    assert (learner / "en/00_a_lesson.ipynb").read_bytes() == mine
    assert first_text(learner / "ko/00_a_lesson.ipynb") == "# 수업"


def test_a_file_in_the_way_of_the_folder_is_an_error_that_teaches(built: Path, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    for folder in (tmp_path / "taken", tmp_path / "taken" / "below"):
        with pytest.raises(CourseError, match=r"can't be put into .*taken[\s\S]*expected: a folder[\s\S]*--dir FOLDER"):
            handout.hand_out(folder, "en")
    assert (tmp_path / "taken").read_text() == "a file"


def test_a_disk_that_refuses_is_an_error_and_leaves_no_half_file(
    built: Path, learner: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    handout.hand_out(learner, "en")
    before = (learner / "en/00_a_lesson.ipynb").read_bytes()
    new_edition("# second edition")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(handout.os, "replace", full)
    with pytest.raises(CourseError, match="No space left on device"):
        handout.hand_out(learner, "en")
    assert (learner / "en/00_a_lesson.ipynb").read_bytes() == before
    assert files(learner) == [handout.RECORD, "en/00_a_lesson.ipynb"]


def test_a_course_without_lessons_is_an_error_that_teaches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, learner: Path
) -> None:
    monkeypatch.setattr(places, "_CHECKOUT", tmp_path)
    monkeypatch.setattr(places, "_PACKAGED", tmp_path / "none")
    with pytest.raises(CourseError, match=r"lessons were not found[\s\S]*expected[\s\S]*to do"):
        handout.hand_out(learner, "en")
    (tmp_path / "none" / "ko").mkdir(parents=True)
    with pytest.raises(CourseError, match="no lessons for --lang en"):
        handout.hand_out(learner, "en")
    assert not learner.exists()


def test_a_half_done_folder_goes_through_an_update(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lesson with the learner's answer, progress and a module edited by hand, when the course brings new editions."""
    hand_out(tmp_path, "ko")
    library.write_progress(tmp_path, {"01_numbers_in_a_row": {"index_to_offset": "#@save index_to_offset\nmine = 1\n"}})
    library.compose(tmp_path, lesson_names("ko"), library.read_progress(tmp_path))
    mine, untouched = (tmp_path / f"ko/{name}.ipynb" for name in lesson_names("ko")[1:3])
    mine.write_text(
        mine.read_text(encoding="utf-8").replace("raise NotImplementedError", "return 42", 1), encoding="utf-8"
    )
    module = tmp_path / "mytorch/tensor.py"
    module.write_text(module.read_text(encoding="utf-8") + "\n# mine\n", encoding="utf-8")
    kept = {path: path.read_bytes() for path in (mine, module, tmp_path / library.PROGRESS)}
    newer = learner_edition
    monkeypatch.setattr(
        "nbtorch.course.handout.learner_edition",
        lambda notebook: newer({**notebook, "cells": [*notebook["cells"], {**notebook["cells"][0], "id": "new"}]}),
    )
    report = hand_out(tmp_path, "ko")
    again = library.compose(tmp_path, lesson_names("ko")[:-1], library.read_progress(tmp_path))
    assert all(path.read_bytes() == content for path, content in kept.items())
    assert f"ko/{mine.name}" in report.kept and f"ko/{untouched.name}" in report.updated
    assert (tmp_path / report.beside[f"ko/{mine.name}"]).is_file()
    assert "mytorch/tensor.py" in again.kept
    assert "— yours\nmine = 1" in (tmp_path / "mytorch/numbers.py").read_text(encoding="utf-8")
