"""The learner's desk: what a lesson's cells call.

    from nbtorch import course
    course.start("05")          # in the first cell: the library of the lessons before, and an eye on `#@save` cells
    course.check("backward")    # ○ not written yet, ✗ what is wrong, or ✓ saved
    course.hint("backward")     # a little more each time
    course.solution("backward")
    course.reset("backward")
    course.assemble()           # this lesson's cells into the library, to import them (lesson 08)

None of them raises over what a learner wrote. Where an exercise is open, the reference stands in, so that the lesson
goes on: a lesson runs from its first cell to its last with nothing solved.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from nbtorch.course import library
from nbtorch.course.checking import Checks, Exercise, Open, Text, Wrong, at_most
from nbtorch.course.checks import checks_of, module_of
from nbtorch.course.exercises import Saved, lesson_named, saved_cells, saved_name, without_marks
from nbtorch.course.handout import RECORD
from nbtorch.course.places import LANGUAGES, CourseError, lesson_names

FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])

_HOME = "NBTORCH_COURSE_HOME"
_LANGUAGE = "NBTORCH_LANGUAGE"
#: With this variable set (by graders), a check that doesn't pass raises.
_STRICT = "NBTORCH_COURSE_STRICT"
#: That a check may take; the right answers need less than one.
_SECONDS = 10.0


def method(cls: type) -> Callable[[FunctionT], FunctionT]:
    """Gives the function below to a class that is there already: how `Tensor` grows from lesson to lesson.

    A function in `@property` or `@classmethod` works too.
    """

    def add(function: FunctionT) -> FunctionT:
        name = getattr(getattr(function, "fget", None) or getattr(function, "__func__", function), "__name__", "")
        if not name:
            raise TypeError(f"method() expected a function, got {type(function).__name__}")
        setattr(cls, name, function)
        return function

    return add


class Failed(AssertionError):
    """A check did not pass, under a grader."""


class Desk:
    """One lesson in one kernel."""

    def __init__(self, lesson: str, shell: Any, home: Path, language: str) -> None:
        self.lesson = lesson
        self.home = home
        self.language = language
        self.checks = checks_of(lesson) or Checks(module_of(lesson))
        self._shell = shell
        self._sources: dict[str, str] = {}  # what the learner ran last, by name
        self._stands_in: set[str] = set()  # names that hold the reference now
        self._failures: dict[str, str] = {}  # the symptom of the last ✗
        self._hinted: dict[str, int] = {}

    # ---- what the cells call ----

    def begin(self) -> str:
        """Write the library of the lessons before, and have it importable; what there is to say about that."""
        names = lesson_names(LANGUAGES[0])
        return self._compose([name for name in names if name < self.lesson])

    def assemble(self) -> str:
        """Write the library with this lesson's cells in it too, and have it imported afresh."""
        return self._compose([name for name in lesson_names(LANGUAGES[0]) if name <= self.lesson])

    def _compose(self, lessons: list[str]) -> str:
        report = library.compose(self.home, lessons, library.read_progress(self.home))
        library.enter(self.home)
        lines = []
        for place in report.kept:
            new = report.beside.get(place)
            lines.append(_KEPT.in_language(self.language).format(place=place))
            if new is not None:
                lines.append(_BESIDE.in_language(self.language).format(place=new))
        return "\n".join(lines)

    def title(self) -> str:
        """The lesson's number and how much of it is done."""
        exercises = self.checks.exercises
        saved = library.read_progress(self.home).get(self.lesson, {})
        text = (_STARTED if exercises else _NO_EXERCISES).in_language(self.language)
        done = sum(name in saved for name in exercises)
        return text.format(number=self.lesson.split("_")[0], done=done, all=len(exercises))

    def check(self, name: str) -> str:
        """Check an exercise; the sentence to print."""
        exercise = self.exercise(name)
        source = self._sources.get(name)
        try:
            with at_most(_SECONDS):
                if source is not None and name in self._stands_in:  # judge the answer, not what stands in for it
                    self._run(source)
                    self._stands_in.discard(name)
                if source is None and not self._is_defined(name):
                    raise Open
                exercise.check(self._shell.user_ns)
        except Open:
            return self._unsolved(name, _OPEN.in_language(self.language).format(name=name))
        except Wrong as wrong:
            self._failures[name] = wrong.symptom
            return self._unsolved(name, f"✗ {name}: {wrong.text.in_language(self.language)}")
        except NotImplementedError:
            return self._unsolved(name, _OPEN.in_language(self.language).format(name=name))
        except (Exception, SystemExit) as error:  # a check must never end a lesson
            said = f"{type(error).__name__}: {error}"
            return self._unsolved(name, f"✗ {name}: {_BROKEN.in_language(self.language).format(said=said)}")
        self._failures.pop(name, None)
        return self._save(name, source)

    def hint(self, name: str) -> str:
        """The next hint for an exercise: first what fits the last mistake, then the three, each saying more."""
        exercise = self.exercise(name)
        symptom = self._failures.pop(name, "")
        if symptom in exercise.symptoms:
            return f"💡 {exercise.symptoms[symptom].in_language(self.language)}"
        level = min(self._hinted.get(name, 0), len(exercise.hints) - 1)
        self._hinted[name] = level + 1
        more = "" if level == len(exercise.hints) - 1 else _MORE.in_language(self.language)
        text = exercise.hints[level].in_language(self.language)
        return f"💡 {level + 1}/{len(exercise.hints)} {text}{more}"

    def solution(self, name: str) -> str:
        """The reference for an exercise."""
        return self._reference(name).solved.rstrip()

    def reset(self, name: str) -> str:
        """Take an exercise back to where it began: nothing saved, and its cell as it was, in a new cell below."""
        self.exercise(name)
        progress = library.read_progress(self.home)
        if progress.get(self.lesson, {}).pop(name, None) is not None:
            library.write_progress(self.home, progress)
        self._sources.pop(name, None)
        self._hinted.pop(name, None)
        self._failures.pop(name, None)
        self._shell.set_next_input(self._reference(name).open)
        return _RESET.in_language(self.language).format(name=name)

    # ---- the notebook's side ----

    def cell_ran(self, result: Any) -> None:
        """A cell has been run: keep its source if it belongs into the library."""
        source = str(getattr(result.info, "raw_cell", "") or "")
        place = saved_name(source)
        if place is not None and result.success:
            self._sources[place[1]] = source
            self._stands_in.discard(place[1])

    def exercise(self, name: str) -> Exercise:
        """The exercise of this name.

        Raises:
            CourseError: the lesson has none.
        """
        if name not in self.checks.exercises:
            known = ", ".join(self.checks.exercises) or "none"
            raise CourseError(f"Lesson {self.lesson} has no exercise {name!r}.\n  expected: one of {known}")
        return self.checks.exercises[name]

    def _reference(self, name: str) -> Saved:
        self.exercise(name)
        for cell in saved_cells(self.lesson):
            if cell.name == name:
                return cell
        raise CourseError(f"The reference of {name!r} is not in the built lesson {self.lesson}.")

    def _is_defined(self, name: str) -> bool:
        first, *rest = name.split(".")
        value = self._shell.user_ns.get(first)
        for part in rest:
            value = getattr(value, part, None)
        return value is not None

    def _run(self, source: str) -> None:
        exec(compile(without_marks(source), f"<{self.lesson}>", "exec"), self._shell.user_ns)

    def _unsolved(self, name: str, message: str) -> str:
        strict = bool(os.environ.get(_STRICT))
        try:
            reference = self._reference(name)
        except CourseError:  # being written: its notebook hasn't been built yet
            if strict:
                raise Failed(message) from None
            return message
        exec(compile(reference.solved, f"<reference: {name}>", "exec"), self._shell.user_ns)
        self._stands_in.add(name)
        if strict:
            raise Failed(message)
        return f"{message}\n{_STANDS_IN.in_language(self.language)}"

    def _save(self, name: str, source: str | None) -> str:
        place = f"{library.PACKAGE}/{self._module(name, source)}.py"
        if source is None:  # made outside a marked cell: it is right, but there is no code to keep
            return _RIGHT.in_language(self.language).format(name=name)
        progress = library.read_progress(self.home)
        progress.setdefault(self.lesson, {})[name] = source
        try:
            library.write_progress(self.home, progress)
        except (CourseError, OSError) as error:
            return f"{_RIGHT.in_language(self.language).format(name=name)} ({error})"
        return _SAVED.in_language(self.language).format(name=name, place=place)

    def _module(self, name: str, source: str | None) -> str:
        place = saved_name(source or "")
        return place[0] if place is not None and place[0] else self.checks.module


_OPEN = Text(
    "○ {name}: not written yet. A hint: course.hint({name!r})",
    "○ {name}: 아직 작성하지 않았습니다. 힌트: course.hint({name!r})",
)
_SAVED = Text("✓ {name}: right, and saved in {place}", "✓ {name}: 맞았습니다. {place}에 저장했습니다")
_RIGHT = Text("✓ {name}: right", "✓ {name}: 맞았습니다")
_STANDS_IN = Text(
    "  Until it is yours, the lesson goes on with the reference.",
    "  완성할 때까지 이 수업은 참고 답안으로 계속 진행합니다.",
)
_BROKEN = Text(
    "the check stumbled over your answer ({said}).",
    "검사하는 도중 예상하지 못한 오류가 났습니다({said}).",
)
_MORE = Text("  (call it again for more)", "  (다시 호출하면 더 알려 줍니다)")
_RESET = Text(
    "{name}: back to the beginning; the cell below is new.",
    "{name}: 처음으로 되돌렸습니다. 아래에 새 셀이 생겼습니다.",
)
_KEPT = Text(
    "{place} has been changed by hand, so it stays as it is.",
    "{place}은(는) 직접 고친 파일이라 그대로 두었습니다.",
)
_BESIDE = Text(
    "  What the lessons make of it now is beside it: {place}",
    "  수업이 만든 새 파일은 옆에 두었습니다: {place}",
)
_STARTED = Text(
    "Lesson {number}: {done} of {all} exercises done",
    "{number}강: 연습 문제 {all}개 가운데 {done}개 완료",
)
_NO_EXERCISES = Text("Lesson {number}", "{number}강")
_NO_START = Text(
    'Run the lesson\'s first cell before this one: it has course.start("NN").',
    '먼저 이 수업의 첫 셀을 실행하세요. 그 셀에 course.start("NN")이 있습니다.',
)

_desk: Desk | None = None


def find_home(start: Path) -> Path:
    """The learner's folder: the variable `NBTORCH_COURSE_HOME`, else the nearest that lessons were handed out to."""
    wish = os.environ.get(_HOME)
    if wish:
        return Path(wish).expanduser().absolute()
    for folder in (start, *start.parents):
        if (folder / RECORD).is_file():
            return folder
    return start


def find_language(folder: Path) -> str:
    """That of the notebook's folder (`en`, `ko`), else the variable `NBTORCH_LANGUAGE`, else English."""
    for wish in (folder.name, os.environ.get(_LANGUAGE, "")):
        if wish in LANGUAGES:
            return wish
    return LANGUAGES[0]


def start(number: str) -> None:
    """Begin a lesson: `course.start("05")`. What the learner wrote in earlier ones can be imported from `mytorch`."""
    global _desk
    from IPython import get_ipython

    shell: Any = get_ipython()
    if shell is None:
        raise CourseError("course.start() works in a notebook: open the lesson with nbtorch lab.")
    folder = Path.cwd()
    if _desk is not None:
        shell.events.unregister("post_run_cell", _desk.cell_ran)
        _desk = None
    desk = Desk(
        lesson_named(number) if lesson_names(LANGUAGES[0]) else number, shell, find_home(folder), find_language(folder)
    )
    said = desk.begin()
    shell.events.register("post_run_cell", desk.cell_ran)
    _desk = desk
    print(desk.title())
    if said:
        print(said)


def _at_work() -> Desk | None:
    if _desk is None:
        print(_NO_START.in_language(find_language(Path.cwd())))
    return _desk


def _say(action: Callable[[Desk], str]) -> None:
    desk = _at_work()
    if desk is None:
        return
    try:
        print(action(desk))
    except CourseError as error:
        print(error)


def check(name: str) -> None:
    """Check an exercise: print ○ (not written yet), ✗ (what is wrong) or ✓ (saved)."""
    _say(lambda desk: desk.check(name))


def assemble() -> None:
    """Write this lesson's cells into `mytorch` now, so that it can be imported with them."""
    desk = _at_work()
    if desk is not None and (said := desk.assemble()):
        print(said)


def hint(name: str) -> None:
    """Print the next hint for an exercise."""
    _say(lambda desk: desk.hint(name))


def solution(name: str) -> None:
    """Print the reference for an exercise."""
    _say(lambda desk: desk.solution(name))


def reset(name: str) -> None:
    """Begin an exercise anew."""
    _say(lambda desk: desk.reset(name))
