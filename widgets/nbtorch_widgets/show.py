"""Where a run is shown: as live widgets, as a picture at the end of the cell, or nowhere.

The environment decides unless `show=` or the variable `NBTORCH_SHOW` (live, static or off) does:

- outside a Jupyter kernel: nowhere;
- in a kernel that a notebook application started: live widgets;
- in a kernel that a program started to execute a notebook (nbclient, nbval, papermill): a picture, since nobody can
  press a button, and a saved notebook should show the whole run and be the same when executed again.
"""

from __future__ import annotations

import os
import sys
import warnings
from typing import Any, Literal, TypeAlias

from nbtorch_widgets.telemetry import Telemetry

Show: TypeAlias = bool | Literal["live", "static"]
Mode: TypeAlias = Literal["live", "static", "off"]

_VARIABLE = "NBTORCH_SHOW"

# What notebook applications leave in their kernels' environment: Jupyter's server, VS Code, Colab, Kaggle, PyCharm.
_SIGNS_OF_A_FRONT_END = (
    "JPY_SESSION_NAME",
    "VSCODE_PID",
    "VSCODE_CWD",
    "COLAB_RELEASE_TAG",
    "KAGGLE_KERNEL_RUN_TYPE",
    "PYCHARM_HOSTED",
)


def kernel_shell() -> Any:
    """The IPython shell of a Jupyter kernel we run in, or None."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None and hasattr(ipython, "get_ipython") else None
    return shell if getattr(shell, "kernel", None) is not None else None


def mode(show: Show) -> Mode:
    """How a run asked to be shown as `show` will be shown here.

    Raises:
        ValueError: if `show` or the environment variable is none of the known words.
    """
    if show not in (True, False, "live", "static"):
        raise ValueError(f"watch() expected show to be True, False, 'live' or 'static', got {show!r}")
    if show is False or kernel_shell() is None:
        return "off"
    if show is not True:
        return show
    wish = os.environ.get(_VARIABLE, "")
    if wish:
        if wish not in ("live", "static", "off"):
            raise ValueError(f"the environment variable {_VARIABLE} should be live, static or off, got {wish!r}")
        return wish  # type: ignore[return-value]
    return "live" if any(sign in os.environ for sign in _SIGNS_OF_A_FRONT_END) else "static"


def present(telemetry: Telemetry, chosen: Mode) -> Presentation:
    """Prepare to show a run; nothing is displayed before its first pass begins."""
    if chosen == "live":
        try:
            return LivePresentation(telemetry)
        except ImportError:  # anywidget isn't installed
            chosen = "static"
        except Exception as error:  # a display that fails must not keep anybody from training
            warnings.warn(f"the live view of this run can't be made: {error!r}", stacklevel=2)
            chosen = "static"
    return StaticPresentation(telemetry) if chosen == "static" else Presentation(telemetry)


class Presentation:
    """Shows nothing; in a kernel it still finds out how a loop that was left early came to its end."""

    def __init__(self, telemetry: Telemetry) -> None:
        self.telemetry = telemetry
        self._waiting = False

    def begin(self) -> None:
        """A pass of the run begins."""

    def end(self) -> None:
        """A pass of the run has ended."""
        if self.telemetry.phase == "left":
            self._after_cell()

    def _after_cell(self) -> None:
        """Have `cell_ended` called once, when the cell that runs now has ended."""
        shell = kernel_shell()
        if shell is None or self._waiting:
            return

        def callback(result: Any) -> None:
            shell.events.unregister("post_run_cell", callback)
            self._waiting = False
            self.cell_ended(getattr(result, "error_in_exec", None))

        self._waiting = True
        shell.events.register("post_run_cell", callback)

    def cell_ended(self, error: BaseException | None) -> None:
        """The cell has ended, with `error` if it failed."""
        if self.telemetry.phase == "left" and error is not None:
            self.telemetry.end("interrupted" if isinstance(error, KeyboardInterrupt) else "failed")


class LivePresentation(Presentation):
    """A `Monitor` above the rest of the cell's output."""

    def __init__(self, telemetry: Telemetry) -> None:
        super().__init__(telemetry)
        from nbtorch_widgets.views import Monitor

        self._monitor: Any = Monitor(telemetry)
        self._shown = False

    def begin(self) -> None:
        if not self._shown:
            _display(self._monitor)
            self._shown = True


class StaticPresentation(Presentation):
    """A picture of the run when the cell has ended."""

    def end(self) -> None:
        self._after_cell()

    def cell_ended(self, error: BaseException | None) -> None:
        super().cell_ended(error)
        from nbtorch_widgets.svg import Picture

        _display(Picture(self.telemetry))


def _display(thing: Any) -> None:
    from IPython.display import display

    display(thing)  # type: ignore[no-untyped-call]
