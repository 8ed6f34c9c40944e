"""Whether operations are recorded: ``no_grad``, ``enable_grad``, ``set_grad_enabled``, ``inference_mode``.

The setting belongs to a thread, as in PyTorch: a data-loading thread under ``no_grad`` does not stop training.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Generator
from threading import get_ident
from types import TracebackType
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

_GENERATOR = 0x20  # the flag of a generator function's code object


# The threads that record nothing now, and those whose nodes are intercepted, by their numbers. Looking up what belongs
# to a thread costs as much as half an addition, so operations first ask whether one of these has anything in it. A
# number that an ended thread left behind only sends its successor the longer way.
off: set[int] = set()
intercepted: set[int] = set()


class _Mode(threading.local):
    """The settings of one thread.

    Attributes:
        enabled: operations are to be noted: for backward, or because a tangent has to follow them.
        backward: operations are recorded for backward, what ``is_grad_enabled`` says; see :func:`switch_recording`.
        levels: the forward-mode levels that are open, the outermost first.
        interceptor: what makes the node of an operation while tangents follow or saved tensors are packed; else None.
        hooks: the pairs (pack, unpack) for saved tensors, the innermost last.
        hooks_refused: why no such pair may be set now; None where it may.
        running: what the backward that runs now will reach: counts by node, and what is needed (None for all).
        batches: the calls of ``vmap`` that run now, the outermost first.
    """

    backward: bool = True
    inference: bool = False
    anomaly: bool = False
    births: tuple[Any, ...] = ()  # under anomaly detection: where bad values were made
    masks: tuple[Any, ...] = ()  # and the nodes that mask values
    backwards: int = 0  # how many have run in this thread
    levels: tuple[int, ...] = ()
    hooks: tuple[tuple[Any, Any], ...] = ()
    hooks_refused: str | None = None
    running: Any = None
    batches: tuple[Any, ...] = ()
    _enabled: bool = True
    _interceptor: Any = None

    @property
    def enabled(self) -> bool:
        return self._enabled

    @enabled.setter
    def enabled(self, value: bool) -> None:
        self._enabled = value
        (off.discard if value else off.add)(get_ident())

    @property
    def interceptor(self) -> Any:
        return self._interceptor

    @interceptor.setter
    def interceptor(self, value: Any) -> None:
        self._interceptor = value
        (intercepted.discard if value is None else intercepted.add)(get_ident())


grad_mode = _Mode()


def is_grad_enabled() -> bool:
    """Whether operations of this thread are recorded for backward."""
    return grad_mode.enabled and grad_mode.backward


def switch_recording(on: bool) -> bool:
    """Records for backward from now on, or doesn't; tangents follow either way. Returns what was before."""
    mine = grad_mode.__dict__  # of this thread; one look instead of four
    before: bool = mine.get("_enabled", True) and mine.get("backward", True)
    mine["backward"] = on
    mine["_enabled"] = enabled = on or bool(mine.get("levels"))
    (off.discard if enabled else off.add)(get_ident())
    return before


def is_inference_mode_enabled() -> bool:
    """Whether this thread is inside ``inference_mode``."""
    return grad_mode.inference


class _GradMode:
    """A context manager that also decorates functions; a generator has the mode while it runs, not in between."""

    _to: bool

    def __init__(self) -> None:
        self._before: list[bool] = []

    def __enter__(self) -> None:
        self._before.append(switch_recording(self._to))

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        switch_recording(self._before.pop())

    def _fresh(self) -> _GradMode:
        return type(self)()

    def __call__(self, function: F) -> F:
        code = getattr(function, "__code__", None)
        if code is not None and code.co_flags & _GENERATOR:
            return self._over_generator(function)

        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            with self._fresh():
                return function(*args, **kwargs)

        return wrapper  # type: ignore[return-value]

    def _over_generator(self, function: F) -> F:
        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
            generator = function(*args, **kwargs)
            resume: Callable[[], Any] = functools.partial(next, generator)
            while True:
                try:
                    with self._fresh():
                        value = resume()
                except StopIteration as end:
                    return end.value
                try:
                    resume = functools.partial(generator.send, (yield value))
                except GeneratorExit:
                    with self._fresh():
                        generator.close()
                    raise
                except BaseException as error:
                    resume = functools.partial(generator.throw, error)

        return wrapper  # type: ignore[return-value]


class no_grad(_GradMode):
    """Operations inside are not recorded. Use as ``with no_grad():`` or as a decorator, with or without brackets."""

    _to = False

    def __new__(cls, function: Callable[..., Any] | None = None) -> Any:
        self = super().__new__(cls)
        if function is None:
            return self
        self._before = []
        return self(function)

    def __init__(self, function: Callable[..., Any] | None = None) -> None:
        super().__init__()


class enable_grad(no_grad):
    """Operations inside are recorded, even within ``no_grad``."""

    _to = True


class set_grad_enabled(_GradMode):
    """Switches recording at once; as a context manager, until its end.

    Args:
        mode: record (True) or not (False).
    """

    def __init__(self, mode: bool) -> None:
        super().__init__()
        self._to = bool(mode)
        self._before.append(switch_recording(self._to))

    def __enter__(self) -> None:
        switch_recording(self._to)

    def _fresh(self) -> _GradMode:
        return set_grad_enabled(self._to)

    def __call__(self, function: F) -> F:
        # Used as a decorator it must not leave the switch thrown.
        switch_recording(self._before.pop())
        return super().__call__(function)


class inference_mode(_GradMode):
    """Like ``no_grad``; tensors made inside can't be recorded later either.

    Args:
        mode: enter it (True) or leave it for the block (False).
    """

    def __new__(cls, mode: bool | Callable[..., Any] = True) -> Any:
        self = super().__new__(cls)
        if callable(mode):
            self.__init__(True)  # type: ignore[misc]
            return self(mode)
        return self

    def __init__(self, mode: bool = True) -> None:
        super().__init__()
        self._inference = mode
        self._was: list[bool] = []

    def __enter__(self) -> None:
        self._before.append(is_grad_enabled())
        self._was.append(grad_mode.inference)
        grad_mode.inference = self._inference
        if self._inference:
            switch_recording(False)

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        grad_mode.inference = self._was.pop()
        super().__exit__(kind, value, tb)

    def _fresh(self) -> _GradMode:
        return inference_mode(self._inference)


class set_multithreading_enabled:
    """Accepted for PyTorch's sake: backward here runs in the thread that called it."""

    def __init__(self, mode: bool) -> None:
        self._mode = mode

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        pass
