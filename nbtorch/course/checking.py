"""What the lessons' checks are made of: they compare, and say in a sentence what is wrong.

A check is a function of the notebook's names. It tests type, then shape, then dtype, then values, and raises `Wrong`
with a text in both languages that says what was expected, what came and, where it recognises the mistake, its likely
cause. It uses nothing that is taught later, and what the learner's code raises becomes a sentence too.
"""

from __future__ import annotations

import _thread
import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt


class Text(NamedTuple):
    """A text in both languages."""

    en: str
    ko: str

    def in_language(self, language: str) -> str:
        """The text in `"en"` or `"ko"`."""
        return self.ko if language == "ko" else self.en


class Wrong(Exception):
    """An answer is wrong. `symptom` names the mistake where it was recognised, for the hints."""

    def __init__(self, en: str, ko: str, symptom: str = "") -> None:
        super().__init__(en)
        self.text = Text(en, ko)
        self.symptom = symptom


class Open(Exception):
    """The learner hasn't written this yet."""


@contextlib.contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Let what is inside run for so long; in the main thread only, the one that can be interrupted.

    Raises:
        Wrong: it was still running then. A loop in the learner's code may never end.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    lock, state = threading.Lock(), {"over": False, "fired": False}

    def fire() -> None:
        with lock:
            if not state["over"]:
                state["fired"] = True
                _thread.interrupt_main()

    timer = threading.Timer(seconds, fire)
    timer.daemon = True
    timer.start()
    try:
        try:
            yield
        finally:
            with lock:
                state["over"] = True
            timer.cancel()
            if state["fired"]:
                time.sleep(0.05)  # the interrupt is delivered here if it wasn't yet
    except KeyboardInterrupt:
        if not state["fired"]:
            raise
        raise Wrong(
            f"it was still running after {seconds:g} seconds. Is there a loop that never ends?",
            f"{seconds:g}초가 지나도 끝나지 않습니다. 끝나지 않는 반복문이 있지 않나요?",
            "endless",
        ) from None


Names: TypeAlias = Mapping[str, Any]


class Exercise(NamedTuple):
    """An exercise of a lesson: how it is checked, and what helps."""

    name: str
    check: Callable[[Names], None]
    hints: Sequence[Text]
    """Three, each saying more than the one before."""
    symptoms: Mapping[str, Text]
    """What to say first to somebody whose mistake was recognised."""


class Checks:
    """The exercises of one lesson, in their order; `module` is where their code goes in the learner's library."""

    def __init__(self, module: str) -> None:
        self.module = module
        self.exercises: dict[str, Exercise] = {}

    def exercise(
        self, name: str, *, hints: Sequence[Text], symptoms: Mapping[str, Text] | None = None
    ) -> Callable[[Callable[[Names], None]], Callable[[Names], None]]:
        """Makes the function below the check of the exercise `name`."""

        def register(check: Callable[[Names], None]) -> Callable[[Names], None]:
            if len(hints) != 3:
                raise ValueError(f"{name}: expected three hints, got {len(hints)}")
            self.exercises[name] = Exercise(name, check, hints, symptoms or {})
            return check

        return register


def defined(names: Names, name: str, kind: type | None = None) -> Any:
    """What the learner calls `name` (`Tensor.backward` is looked up in the class).

    Raises:
        Wrong: there is nothing of that name, or no function where one was expected.
    """
    first, *rest = name.split(".")
    value = names.get(first)
    for part in rest:
        value = getattr(value, part, None)
    if value is None:
        raise Wrong(
            f"there is no {name} yet: run the cell above that defines it.",
            f"{name}이(가) 아직 없습니다. 이것을 정의하는 위의 셀을 먼저 실행하세요.",
        )
    if kind is not None and not isinstance(value, kind):
        raise Wrong(
            f"{name} should be {_kind(kind)}, but it is of type {type(value).__name__}.",
            f"{name}은(는) {_kind(kind)}이어야 하는데 {type(value).__name__} 타입입니다.",
        )
    if kind is None and not callable(value):
        raise Wrong(
            f"{name} should be a function, but it is of type {type(value).__name__}. Was the name used for something "
            "else since?",
            f"{name}은(는) 함수여야 하는데 {type(value).__name__} 타입입니다. 그사이에 같은 이름을 다른 값에 "
            "쓰지 않았나요?",
        )
    return value


def _kind(kind: type) -> str:
    return f"a {kind.__name__}"


def call(shown: str, function: Callable[..., Any], *arguments: Any, **keywords: Any) -> Any:
    """What the learner's function returns; `shown` is how the call is written in a message.

    Raises:
        Open: it is still the line that was there.
        Wrong: it raised anything else.
    """
    try:
        return function(*arguments, **keywords)
    except (Wrong, Open):
        raise
    except NotImplementedError as error:
        if error.args:
            raise _raised(shown, error) from error
        raise Open from None
    except RecursionError as error:
        raise Wrong(
            f"{shown} called itself more often than Python allows.",
            f"{shown}이(가) 파이썬이 허용하는 횟수를 넘어 자기 자신을 계속 호출했습니다.",
            "recursion",
        ) from error
    except Exception as error:
        raise _raised(shown, error) from error


def _raised(shown: str, error: Exception) -> Wrong:
    said = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return Wrong(f"{shown} raised {said}", f"{shown}에서 오류가 났습니다. {said}", "raised")


def returned_something(shown: str, value: Any) -> None:
    """Refuse None, which a function without `return` gives."""
    if value is None:
        raise Wrong(
            f"{shown} gave None. Does every way through the function end with return?",
            f"{shown}의 결과가 None입니다. 함수의 모든 갈래가 return으로 끝나나요?",
            "no return",
        )


class Mistake(NamedTuple):
    """A mistake that is known by what comes out of it."""

    value: Any
    why: Text
    symptom: str = ""


def equal(
    shown: str,
    value: Any,
    expected: Any,
    why: Text | None = None,
    symptom: str = "",
    mistakes: Sequence[Mistake] = (),
) -> None:
    """Compare plain Python values: type, then value. A value that one of `mistakes` gives is told with its cause."""
    returned_something(shown, value)
    if value != expected:
        made = next((m for m in mistakes if type(m.value) is type(value) and m.value == value), None)
        why, symptom = (made.why, made.symptom) if made is not None else (why, symptom)
    have, want = type(value).__name__, type(expected).__name__
    if type(value) is not type(expected) and not _both_numbers(value, expected):
        raise Wrong(
            f"{shown} should be a {want} ({expected!r}), but it is a {have}: {_short(value)}",
            f"{shown}의 결과는 {want}({expected!r})이어야 하는데 {have}입니다: {_short(value)}",
            symptom or "type",
        )
    if value != expected:
        raise _different(shown, repr(_plain(value)), repr(expected), why, symptom)


def _plain(value: Any) -> Any:
    """NumPy's numbers as Python's, which are easier to read."""
    if isinstance(value, (tuple, list)):
        return type(value)(_plain(one) for one in value)
    return value.item() if isinstance(value, np.generic) else value


def _both_numbers(value: Any, expected: Any) -> bool:
    kinds = (int, float, np.integer, np.floating)
    return isinstance(value, kinds) and isinstance(expected, kinds) and not isinstance(value, bool)


def close(
    shown: str,
    value: Any,
    expected: npt.ArrayLike,
    *,
    dtype: npt.DTypeLike | None = None,
    tolerance: float = 1e-6,
    why: Text | None = None,
    symptom: str = "",
    mistakes: Sequence[Mistake] = (),
) -> None:
    """Compare arrays (or numbers): shape, then dtype, then every value within `tolerance`, relative and absolute.

    A value that one of `mistakes` gives, and the right way doesn't, is told with its cause.
    """
    returned_something(shown, value)
    try:
        have = np.asarray(value)
        numbers = have.astype(np.float64)
    except (TypeError, ValueError):
        raise Wrong(
            f"{shown} should be numbers, but it is a {type(value).__name__}: {_short(value)}",
            f"{shown}의 결과는 수여야 하는데 {type(value).__name__}입니다: {_short(value)}",
            symptom or "type",
        ) from None
    want = np.asarray(expected, np.float64)
    for made in mistakes:
        wrong = np.asarray(made.value, np.float64)
        if _alike(numbers, wrong, tolerance) and not _alike(numbers, want, tolerance):
            why, symptom = made.why, made.symptom
            break
    if have.shape != want.shape:
        raise Wrong(
            f"{shown} should have the shape {want.shape}, but it has {have.shape}.{_because(why, 'en')}",
            f"{shown}의 모양은 {want.shape}이어야 하는데 {have.shape}입니다.{_because(why, 'ko')}",
            symptom or "shape",
        )
    if dtype is not None and have.dtype != np.dtype(dtype):
        raise Wrong(
            f"{shown} should be of dtype {np.dtype(dtype)}, but it is {have.dtype}.{_because(why, 'en')}",
            f"{shown}의 dtype은 {np.dtype(dtype)}이어야 하는데 {have.dtype}입니다.{_because(why, 'ko')}",
            symptom or "dtype",
        )
    if not _alike(numbers, want, tolerance):
        raise _different(shown, _short(have), _short(np.asarray(expected)), why, symptom)


def _alike(a: npt.NDArray[Any], b: npt.NDArray[Any], tolerance: float) -> bool:
    return a.shape == b.shape and np.allclose(a, b, rtol=tolerance, atol=tolerance, equal_nan=True)


def _different(shown: str, value: str, expected: str, why: Text | None, symptom: str) -> Wrong:
    return Wrong(
        f"{shown} should be {expected}, but it is {value}.{_because(why, 'en')}",
        f"{shown}의 값은 {expected}이어야 하는데 {value}입니다.{_because(why, 'ko')}",
        symptom or "value",
    )


def _because(why: Text | None, language: str) -> str:
    return "" if why is None else f" {why.in_language(language)}"


def _short(value: Any) -> str:
    with np.printoptions(precision=6, suppress=True, threshold=12):
        text = str(value.tolist() if isinstance(value, np.ndarray) and value.size <= 12 else value)
    return text if len(text) <= 120 else text[:117] + "…"
