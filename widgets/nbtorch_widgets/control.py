"""Pause, step, resume and stop: how a widget steers a loop that runs in another thread.

The front end's commands arrive on a thread of the kernel's own while the training loop is busy. They may not touch the
model; they only change what is asked for here, and the loop acts on it when it next comes to `RunControl.checkpoint`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, Literal, TypeAlias

Mode: TypeAlias = Literal["running", "paused", "stopped"]

COMMANDS = frozenset({"pause", "step", "resume", "stop"})

#: Something that the loop should do at its next checkpoint: a word and its value.
Request: TypeAlias = tuple[str, Any]

# A wait that can't be interrupted by a signal (Windows) must be short, or the kernel's interrupt would come late.
_WAIT_SECONDS = 0.1


class RunStopped(BaseException):
    """Raised at a checkpoint of a loop that has no loader of ours, to leave it after Stop was pressed.

    It derives from `BaseException`, like `KeyboardInterrupt`, so that a loop's own `except Exception` can't swallow it.
    `with watch(...)` catches it.
    """


class RunControl:
    """What the user wants of a run; safe to use from any thread.

    Commands are idempotent and are never an error, whatever the mode: a click may arrive twice or late.
    """

    __slots__ = ("_changed", "_granted", "_requests", "mode", "paused_seconds")

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._granted = 0
        self._requests: list[Request] = []
        #: "running", "paused" or "stopped". Read it freely; write it only through `command`.
        self.mode: Mode = "running"
        #: Time spent waiting in checkpoints, in seconds.
        self.paused_seconds = 0.0

    def command(self, op: str) -> bool:
        """Do as `op` says ("pause", "step", "resume" or "stop"); True if there is such a command.

        After "stop" nothing else has an effect.
        """
        if op not in COMMANDS:
            return False
        with self._changed:
            if self.mode == "stopped":
                return True
            if op == "pause":
                self.mode = "paused"
            elif op == "resume":
                self.mode, self._granted = "running", 0
            elif op == "step":
                self.mode = "paused"
                self._granted += 1
            else:
                self.mode = "stopped"
            self._changed.notify_all()
        return True

    def request(self, word: str, value: Any) -> None:
        """Have the loop do this at its next checkpoint, in its own thread. Requests are served in order."""
        with self._changed:
            self._requests.append((word, value))
            self._changed.notify_all()

    @property
    def requested(self) -> bool:
        """Whether a request waits for a checkpoint."""
        return bool(self._requests)

    def serve(self, obey: Callable[[Request], object]) -> None:
        """Have `obey` do what was requested; called by the loop."""
        while self._requests:
            with self._changed:
                request = self._requests.pop(0)
            obey(request)

    def reopen(self) -> None:
        """After a stop, let the run go on; called when it is rewound."""
        with self._changed:
            if self.mode == "stopped":
                self.mode, self._granted = "running", 0

    def checkpoint(
        self, on_wait: Callable[[], object] | None = None, obey: Callable[[Request], object] | None = None
    ) -> bool:
        """Wait here while paused; True if the loop may do its next step, False if it should end.

        `on_wait` is called when the wait begins and then about ten times a second, without the lock held; `obey` for
        each request, at once. A KeyboardInterrupt ends the wait at once.
        """
        if self.mode == "running" and not self._requests:  # the hot path: two attributes
            return True
        began = time.perf_counter()
        try:
            while True:
                if obey is not None and self.mode != "stopped":
                    self.serve(obey)
                if (answer := self._answer()) is not None:
                    return answer
                if on_wait is not None:
                    on_wait()
                with self._changed:
                    if self.mode == "paused" and not self._granted and not (self._requests and obey):
                        self._changed.wait(_WAIT_SECONDS)
        finally:
            self.paused_seconds += time.perf_counter() - began

    def _answer(self) -> bool | None:
        """Whether the loop may go on; None while it must wait. A granted step is used up."""
        with self._changed:
            if self.mode == "paused":
                if not self._granted:
                    return None
                self._granted -= 1
            return self.mode != "stopped"

    def __repr__(self) -> str:
        return f"RunControl({self.mode})"
