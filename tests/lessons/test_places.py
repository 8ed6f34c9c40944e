"""Lessons are found in an installed package first, then in a checkout, and nowhere else."""

from pathlib import Path

import pytest

from nbtorch.course import places


def test_a_package_comes_before_a_checkout(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert places.lessons_folder() == checkout / "lessons"
    packaged = checkout / "site-packages" / "nbtorch" / "course" / "lessons"
    packaged.mkdir(parents=True)
    monkeypatch.setattr(places, "_PACKAGED", packaged)
    assert places.lessons_folder() == packaged


def test_a_stranger_s_folder_named_lessons_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "lessons" / "src").mkdir(parents=True)  # as another package may put beside nbtorch
    monkeypatch.setattr(places, "_CHECKOUT", tmp_path)
    monkeypatch.setattr(places, "_PACKAGED", tmp_path / "none")
    with pytest.raises(places.CourseError, match="lessons were not found"):
        places.lessons_folder()
    with pytest.raises(places.CourseError, match=r"sources of the lessons[\s\S]*in a checkout"):
        places.sources_folder()
