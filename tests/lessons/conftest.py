"""A checkout in small, so that the course's tools can be tried on lessons with faults in them."""

from pathlib import Path

import pytest

from nbtorch.course import build, places, source

LESSON = """\
# %% [markdown] lang="en"
# # A lesson
# %% [markdown] lang="ko" of=""
# # 수업
# %% tags=["setup"]
import sys
print("one"); print("two")
# %% [markdown] lang="en"
# Double it.
# %% [markdown] lang="ko" of=""
# 두 배로 만드세요.
# %%
def double(x):
    ### BEGIN SOLUTION
    return 2 * x
    ### END SOLUTION
# %%
double(4)
# %% tags=["raises-exception"]
{}["missing"]
"""


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout whose only lesson is `LESSON`, confirmed but not built."""
    (tmp_path / "lessons" / "src").mkdir(parents=True)
    (tmp_path / "pyproject.toml").touch()
    monkeypatch.setattr(places, "_CHECKOUT", tmp_path)
    monkeypatch.setattr(places, "_PACKAGED", tmp_path / "no package here")
    path = tmp_path / "lessons" / "src" / "00_a_lesson.py"
    path.write_text(LESSON, encoding="utf-8")
    source.confirm(path)
    return tmp_path


@pytest.fixture
def lesson(checkout: Path) -> Path:
    """The source of the only lesson."""
    return checkout / "lessons" / "src" / "00_a_lesson.py"


@pytest.fixture
def built(checkout: Path) -> Path:
    """The same checkout with both notebooks written, not executed: as fast as a file copy."""
    for language in places.LANGUAGES:
        notebook = build.unexecuted(source.read_lesson(checkout / "lessons" / "src" / "00_a_lesson.py"), language)
        count = 0
        for cell in notebook.cells:
            if cell.cell_type == "code":
                count += 1
                cell.execution_count = count
        path = build.notebook_path("00_a_lesson", language)
        path.parent.mkdir(exist_ok=True)
        path.write_text(build.to_text(notebook), encoding="utf-8")
    return checkout
