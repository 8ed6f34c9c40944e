"""Training in a thread: the notebook stays usable, and the buttons work in every front end."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from nbtorch_widgets.run import Run
from nbtorch_widgets.show import Show
from nbtorch_widgets.snapshots import Snapshots

Batch = TypeVar("Batch")

_WAIT_SECONDS = 0.1


class BackgroundRun(Run[Batch]):
    """A run whose loop is in a thread of its own; made by `train(..., background=True)`."""

    #: What the step function raised, once it has.
    error: BaseException | None = None
    _thread: threading.Thread | None = None

    def start(self, body: Callable[[Batch], Any]) -> None:
        """Begin; returns at once."""
        # What must be shown from the cell's own thread is shown now.
        self.prepare()
        self._thread = threading.Thread(target=self._work, args=(body,), name="nbtorch-train", daemon=True)
        self._thread.start()

    def _work(self, body: Callable[[Batch], Any]) -> None:
        try:
            with self:
                _loop(self, body)
        except BaseException as error:
            self.error = error

    @property
    def running(self) -> bool:
        """Whether the thread is still at work."""
        return self._thread is not None and self._thread.is_alive()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until the run has ended, at most `seconds`; True if it has.

        The kernel's interrupt while waiting stops the run. If the step function raised, so does this.
        """
        thread = self._thread
        if thread is None:
            return True
        deadline = None if seconds is None else time.monotonic() + seconds
        try:
            while thread.is_alive() and (deadline is None or time.monotonic() < deadline):
                # Short waits, because a signal doesn't end a wait on every system.
                thread.join(_WAIT_SECONDS)
        except KeyboardInterrupt:
            self.control.command("stop")
            thread.join(5.0)
            raise
        if self.error is not None:
            error, self.error = self.error, None
            raise error
        return not thread.is_alive()


def _loop(run: Run[Batch], body: Callable[[Batch], Any]) -> None:
    for batch in run:
        loss = body(batch)
        if loss is not None:
            run.log(loss=loss)


def train(
    body: Callable[[Batch], Any],
    model: Any,
    optimizer: Any = None,
    loader: Iterable[Batch] | None = None,
    *,
    epochs: int = 1,
    every: int = 1,
    background: bool = False,
    show: Show = True,
    snapshots: int | Snapshots | None = None,
    scheduler: Any = None,
) -> Run[Batch]:
    """Call `body(batch)` for every batch, under watch; what it returns is shown as the loss.

        def body(batch):
            inputs, targets = batch
            optimizer.zero_grad()
            loss = criterion(model(inputs), targets)
            loss.backward()
            optimizer.step()
            return loss

        run = train(body, model, optimizer, loader, epochs=20, background=True)

    With `background=True` this returns at once and the training goes on in a thread, while other cells can be run: for
    long runs, and for front ends whose buttons don't reach a busy kernel. The kernel's interrupt doesn't end such a
    run; its Stop button does, or `run.control.command("stop")`, or an interrupt of `run.wait()`, which waits for its
    end. While it trains, other cells should read the model only when the run is paused.

    The other arguments are those of `watch`.
    """
    if not callable(body):
        raise TypeError(f"train() expected a function of one batch as its first argument, got {type(body).__name__}")
    if loader is None:
        raise TypeError("train() expected a loader: train(body, model, optimizer, loader)")
    options: dict[str, Any] = {
        "epochs": epochs,
        "every": every,
        "loss": None,
        "show": show,
        "snapshots": snapshots,
        "scheduler": scheduler,
    }
    if background:
        run: BackgroundRun[Batch] = BackgroundRun(model, optimizer, loader, **options)
        run.start(body)
        return run
    with Run(model, optimizer, loader, **options) as plain:
        _loop(plain, body)
    return plain
