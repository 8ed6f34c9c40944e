"""Reading lesson sources: pairing of languages, stale translations, solutions."""

from pathlib import Path

import pytest

from nbtorch.course import source
from nbtorch.course.places import CourseError


def test_cells_come_in_both_languages_and_share_code(lesson: Path) -> None:
    read = source.read_lesson(lesson)
    assert read.name == "00_a_lesson"
    assert [cell.kind for cell in read.cells] == ["markdown", "code", "markdown", "code", "code", "code"]
    assert read.cells[0].text == {"en": "# A lesson", "ko": "# 수업"}
    assert read.cells[1].text["en"] == read.cells[1].text["ko"]
    assert read.cells[1].metadata == {"tags": ["setup"]}
    assert read.cells[3].metadata == {}


def test_a_text_without_language_goes_into_both(lesson: Path) -> None:
    lesson.write_text(lesson.read_text(encoding="utf-8") + "# %% [markdown]\n# $E = mc^2$\n", encoding="utf-8")
    assert source.read_lesson(lesson).cells[-1].text == {"en": "$E = mc^2$", "ko": "$E = mc^2$"}


def test_korean_goes_stale_when_the_english_changes_and_confirming_heals_it(lesson: Path) -> None:
    edited = lesson.read_text(encoding="utf-8").replace("Double it.", "Double it, please.")
    lesson.write_text(edited, encoding="utf-8")
    with pytest.raises(CourseError) as caught:
        source.read_lesson(lesson)
    message = str(caught.value)
    assert "두 배로 만드세요." in message and "Double it, please." in message
    assert source.fingerprint("Double it, please.") in message and "nbtorch course confirm 00_a_lesson" in message
    assert "# 수업" not in message  # the other text is still good
    assert source.confirm(lesson) == 1
    source.read_lesson(lesson)
    assert source.confirm(lesson) == 0


def test_spaces_at_line_ends_do_not_make_korean_stale() -> None:
    assert source.fingerprint("one  \ntwo\n") == source.fingerprint("one\ntwo")
    assert source.fingerprint("one\ntwo") != source.fingerprint("one two")


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            '# %% [markdown] lang="ko" of="{of}"\n# 두 배로 만드세요.\n',
            "",
            "“Double it.” is not followed by its Korean text",
        ),
        ('# %% [markdown] lang="en"\n# Double it.\n', "", "“두 배로 만드세요.” is Korean but follows no English text"),
        ("    ### END SOLUTION\n", "", "without its ### END SOLUTION"),
        ('lang="en"\n# Double', 'lang="fr"\n# Double', 'has lang="fr"'),
    ],
)
def test_unsound_sources_are_refused(lesson: Path, old: str, new: str, expected: str) -> None:
    text = lesson.read_text(encoding="utf-8")
    old = old.replace("{of}", source.fingerprint("Double it."))
    assert old in text
    lesson.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(CourseError, match=expected):
        source.read_lesson(lesson)


def test_a_last_text_without_its_korean_is_refused(lesson: Path) -> None:
    lesson.write_text(lesson.read_text(encoding="utf-8") + '# %% [markdown] lang="en"\n# Bye.\n', encoding="utf-8")
    with pytest.raises(CourseError, match=r"“Bye\.” is not followed"):
        source.read_lesson(lesson)


def test_lessons_are_named_by_number_name_or_path(lesson: Path) -> None:
    for name in ("00", "00_a_lesson", "lessons/src/00_a_lesson.py", str(lesson)):
        assert source.find_sources([name]) == [lesson]
    assert source.find_sources([]) == [lesson]
    with pytest.raises(CourseError, match=r"no lesson '7'.*\n.*00_a_lesson"):
        source.find_sources(["7"])
