"""A learner at the desk: a course of two small lessons, answered wrong, right and not at all."""

from __future__ import annotations

import json
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from nbtorch import course
from nbtorch.course import checks, desk, library, places
from nbtorch.course.checking import Checks, Text, Wrong, at_most, call, close, defined, equal
from nbtorch.course.desk import Desk, Failed
from nbtorch.course.exercises import saved_cells, saved_name
from nbtorch.course.places import CourseError
from nbtorch.course.progress import ProgressMap

DOUBLE = "#@save double\ndef double(x):\n    ### BEGIN SOLUTION\n    return x * 2\n    ### END SOLUTION"
GIVEN = "#@save Box\nclass Box:\n    def __init__(self, value):\n        self.value = value"
SHOW = (
    "#@save Box.show\n@method(Box)\ndef show(self):\n    ### BEGIN SOLUTION\n"
    "    return str(double(self.value))\n    ### END SOLUTION"
)
LAYER = "#@save nn.layer\ndef layer(x):\n    ### BEGIN SOLUTION\n    return Box(double(x))\n    ### END SOLUTION"
LESSONS = {"01_first": [DOUBLE, "double(4)", GIVEN], "02_second": [SHOW, LAYER]}

FIRST, SECOND = Checks("first"), Checks("second")
HINTS = [Text(f"hint {n}", f"힌트 {n}") for n in (1, 2, 3)]


@FIRST.exercise("double", hints=HINTS, symptoms={"square": Text("2 * 2 is 2 ** 2 by accident.", "우연입니다.")})
def check_double(names: Any) -> None:
    double = defined(names, "double")
    equal("double(2)", call("double(2)", double, 2), 4)
    value = call("double(3)", double, 3)
    equal("double(3)", value, 6, Text("Is it squared?", "제곱했나요?"), "square" if value == 9 else "")
    close("double([1., 2.])", call("double(...)", double, __import__("numpy").array([1.0, 2.0])), [2.0, 4.0])


@SECOND.exercise("Box.show", hints=HINTS)
def check_show(names: Any) -> None:
    equal("Box(2).show()", call("Box(2).show()", names["Box"](2).show), "4")


@SECOND.exercise("layer", hints=HINTS)
def check_layer(names: Any) -> None:
    equal("layer(3).value", call("layer(3)", defined(names, "layer"), 3).value, 6)


class Shell:
    """As much of IPython's shell as the desk asks for."""

    def __init__(self) -> None:
        self.user_ns: dict[str, Any] = {"method": course.method}
        self.next = ""

    def set_next_input(self, text: str) -> None:
        self.next = text


class Learner:
    """Somebody who runs cells in a lesson."""

    def __init__(self, lesson: str, home: Path, language: str = "en") -> None:
        self.shell = Shell()
        self.desk = Desk(lesson, self.shell, home, language)
        self.said = self.desk.begin()

    def run(self, source: str) -> None:
        code = source.replace(course.handout.STUB, "raise NotImplementedError")  # type: ignore[attr-defined]
        exec(code, self.shell.user_ns)
        self.desk.cell_ran(SimpleNamespace(info=SimpleNamespace(raw_cell=source), success=True))

    def answer(self, source: str, name: str = "double") -> str:
        self.run(source)
        return self.desk.check(name)


@pytest.fixture(autouse=True)
def small_course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    folder = tmp_path / "lessons"
    for language in ("en", "ko"):
        (folder / language).mkdir(parents=True)
        for name, cells in LESSONS.items():
            notebook = {"cells": [{"cell_type": "code", "source": cell, "metadata": {}} for cell in cells]}
            (folder / language / f"{name}.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    monkeypatch.setattr(places, "_PACKAGED", folder)
    table: dict[str, Checks] = {"01_first": FIRST, "02_second": SECOND}
    for module in (checks, desk, sys.modules["nbtorch.course.progress"]):
        monkeypatch.setattr(module, "checks_of", table.get)
    path = list(sys.path)
    saved_cells.cache_clear()
    yield
    saved_cells.cache_clear()
    sys.path[:] = path
    for name in [name for name in sys.modules if name.split(".")[0] == "mytorch"]:
        del sys.modules[name]


@pytest.fixture
def learner(tmp_path: Path) -> Callable[..., Learner]:
    return lambda lesson="01_first", language="en": Learner(lesson, tmp_path / "home", language)


OPEN = saved_name(DOUBLE) and DOUBLE.split("    ###")[0] + "    raise NotImplementedError  # your code here"


def test_what_is_not_written_is_open_and_the_reference_stands_in(learner: Callable[..., Learner]) -> None:
    me = learner()
    said = me.answer(OPEN)
    assert said.splitlines()[0] == "○ double: not written yet. A hint: course.hint('double')"
    assert "goes on with the reference" in said
    assert me.shell.user_ns["double"](21) == 42
    # Checking again judges the learner's cell, not what stands in for it.
    assert me.desk.check("double").startswith("○ ")
    assert not (me.desk.home / library.PROGRESS).exists()


def test_a_cell_that_never_ran_is_open_too(learner: Callable[..., Learner]) -> None:
    me = learner()
    assert me.desk.check("double").startswith("○ double")
    assert me.shell.user_ns["double"](21) == 42


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("pass", "double(2) gave None. Does every way through the function end with return?"),
        ("return x + 2", "double(3) should be 6, but it is 5. Is it squared?"),
        ("return x ** 2", "double(3) should be 6, but it is 9. Is it squared?"),
        ("return str(x * 2)", "double(2) should be a int (4), but it is a str: 4"),
        ("return y * 2", "double(2) raised NameError: name 'y' is not defined"),
        ("return double(x)", "double(2) called itself more often than Python allows."),
        ("return x if hasattr(x, 'shape') else 2 * x", "double([1., 2.]) should be [2.0, 4.0], but it is [1.0, 2.0]."),
        ("raise NotImplementedError('half done')", "double(2) raised NotImplementedError: half done"),
        ("import sys; sys.settrace; raise KeyError", "double(2) raised KeyError"),
    ],
)  # fmt: skip
def test_a_wrong_answer_gets_a_sentence(learner: Callable[..., Learner], body: str, sentence: str) -> None:
    me = learner()
    said = me.answer(f"#@save double\ndef double(x):\n    {body}")
    assert said.splitlines()[0] == f"✗ double: {sentence}"
    assert me.shell.user_ns["double"](21) == 42


def test_a_name_used_for_something_else(learner: Callable[..., Learner]) -> None:
    me = learner()
    assert "should be a function, but it is of type int" in me.answer("#@save double\ndouble = 3")


def test_hints_come_in_three_levels_and_by_symptom_first(learner: Callable[..., Learner]) -> None:
    me = learner()
    me.answer("#@save double\ndef double(x):\n    return x ** 2")
    hints = [me.desk.hint("double") for _ in range(5)]
    assert hints[0] == "💡 2 * 2 is 2 ** 2 by accident."
    assert hints[1] == "💡 1/3 hint 1  (call it again for more)"
    assert hints[2].startswith("💡 2/3") and hints[3] == hints[4] == "💡 3/3 hint 3"


def test_what_is_right_is_saved_and_used_by_later_lessons(learner: Callable[..., Learner]) -> None:
    me = learner()
    assert me.answer(OPEN).startswith("○")
    mine = "#@save double\ndef double(x):\n    # my own way\n    return x + x"
    assert me.answer(mine) == "✓ double: right, and saved in mytorch/first.py"
    assert me.desk.title() == "Lesson 01: 1 of 1 exercises done"
    later = learner("02_second")
    text = (later.desk.home / "mytorch" / "first.py").read_text(encoding="utf-8")
    assert "# %% double — yours\ndef double(x):\n    # my own way" in text
    assert "# %% Box — given in the lesson\nclass Box:" in text and "SOLUTION" not in text and "#@save" not in text
    exec("from mytorch import Box, double", later.shell.user_ns)
    assert later.shell.user_ns["double"](4) == 8
    later.run(SHOW)
    assert later.desk.check("Box.show") == "✓ Box.show: right, and saved in mytorch/second.py"
    later.run(LAYER)
    assert later.desk.check("layer") == "✓ layer: right, and saved in mytorch/nn.py"


def test_an_open_exercise_is_filled_by_the_reference_and_marked(learner: Callable[..., Learner]) -> None:
    later = learner("02_second")
    text = (later.desk.home / "mytorch" / "first.py").read_text(encoding="utf-8")
    assert "# %% double — reference: this exercise is still open" in text
    exec("import mytorch.first as first", later.shell.user_ns)
    assert later.shell.user_ns["first"].double(4) == 8


def test_whole_library(tmp_path: Path) -> None:
    library.compose(tmp_path, LESSONS, {})
    library.enter(tmp_path)
    import mytorch
    from mytorch import nn

    assert nn.layer(4).show() == "16" and mytorch.Box(1).show() == "2"


def test_a_library_edited_by_hand_is_kept(learner: Callable[..., Learner]) -> None:
    learner("02_second")
    me = learner("02_second")
    assert me.said == ""
    file = me.desk.home / "mytorch" / "first.py"
    file.write_text(file.read_text(encoding="utf-8") + "\nMINE = 1\n", encoding="utf-8")
    first = learner()
    first.answer("#@save double\ndef double(x):\n    return x + x")
    said = learner("02_second").said
    assert "mytorch/first.py has been changed by hand" in said and "mytorch/first.new.py" in said
    assert "MINE = 1" in file.read_text(encoding="utf-8")
    assert "return x + x" in file.with_name("first.new.py").read_text(encoding="utf-8")


def test_solution_and_reset(learner: Callable[..., Learner]) -> None:
    me = learner()
    assert me.desk.solution("double") == "def double(x):\n    return x * 2"
    me.answer(DOUBLE)
    assert "back to the beginning" in me.desk.reset("double")
    assert me.shell.next == OPEN
    assert library.read_progress(me.desk.home) == {"01_first": {}}


def test_unknown_names_are_told(learner: Callable[..., Learner]) -> None:
    for action in ("check", "hint", "solution", "reset"):
        with pytest.raises(CourseError, match=r"no exercise 'duble'\.\n  expected: one of double"):
            getattr(learner().desk, action)("duble")


def test_korean(learner: Callable[..., Learner]) -> None:
    me = learner(language="ko")
    assert me.answer(OPEN).startswith("○ double: 아직 작성하지 않았습니다.")
    assert "제곱했나요?" in me.answer("#@save double\ndef double(x):\n    return x ** 2")
    assert me.answer(DOUBLE) == "✓ double: 맞았습니다. mytorch/first.py에 저장했습니다"


def test_graders_get_an_error(learner: Callable[..., Learner], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NBTORCH_COURSE_STRICT", "1")
    me = learner()
    me.run(OPEN)
    with pytest.raises(Failed, match="not written yet"):
        me.desk.check("double")
    assert me.answer(DOUBLE).startswith("✓")


def test_unreadable_progress_is_set_aside(tmp_path: Path) -> None:
    (tmp_path / library.PROGRESS).write_text("{half a file", encoding="utf-8")
    assert library.read_progress(tmp_path) == {}
    assert (tmp_path / "progress.unreadable.json").read_text(encoding="utf-8") == "{half a file"


def test_another_mytorch_is_refused(learner: Callable[..., Learner], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mytorch", SimpleNamespace(__file__=str(Path(__file__))))
    with pytest.raises(CourseError, match="Another package named mytorch is in use"):
        learner()


def test_the_map_shows_what_is_done(learner: Callable[..., Learner]) -> None:
    me = learner()
    me.answer(DOUBLE)
    shown = ProgressMap(me.desk.home)
    assert repr(shown) == "01  first   ●  1/1\n02  second  ○○  0/2"
    picture = ET.fromstring(shown._repr_svg_())
    texts = [element.text for element in picture.iter("{http://www.w3.org/2000/svg}text")]
    assert texts == ["01", "first", "●", "02", "second", "○○"]
    assert picture.get("aria-label") == "1 / 3" and 'class="full"' in shown._repr_svg_()


@pytest.mark.parametrize(
    ("cell", "found"),
    [
        ("#@save add\nx", ("", "add")),
        ("\n#@save Tensor.backward", ("", "Tensor.backward")),
        ("#@save nn.Linear\n", ("nn", "Linear")),
        ("#@save optim.SGD.step", ("optim", "SGD.step")),
        ("# @save add", None),
        ("x = 1\n#@save add", None),
    ],
)
def test_names_of_saved_cells(cell: str, found: tuple[str, str] | None) -> None:
    assert saved_name(cell) == found


def test_method_takes_properties_and_class_methods() -> None:
    class Thing:
        pass

    @course.method(Thing)
    @property
    def size(self: Any) -> int:
        return 3

    @course.method(Thing)
    @classmethod
    def make(cls: Any) -> Any:
        return cls()

    assert Thing.make().size == 3  # type: ignore[attr-defined]
    with pytest.raises(TypeError, match="expected a function, got int"):
        course.method(Thing)(3)  # type: ignore[type-var]


def test_an_endless_loop_is_told_and_ends() -> None:
    with pytest.raises(Wrong, match="never ends"), at_most(0.2):
        while True:
            pass
    with at_most(0.2):
        pass
    time.sleep(0.3)  # no interrupt comes later
    with pytest.raises(KeyboardInterrupt), at_most(5):
        raise KeyboardInterrupt
