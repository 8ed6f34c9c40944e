"""`%doctor`: what is wrong with the last run, or with a model."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar, cast

from IPython.core import magic_arguments
from IPython.core.magic import Magics, line_magic, magics_class

from nbtorch_widgets.doctor import Report, doctor
from nbtorch_widgets.run import Run, last_run

Method = TypeVar("Method", bound=Callable[..., Any])


class DoctorError(ValueError):
    """What `%doctor` should examine isn't there."""


def _with_options(method: Method) -> Method:
    """Makes the method a line magic with these options, which `%doctor?` also shows."""
    arguments: Any = magic_arguments
    method = cast(Any, line_magic)(method)
    for option in (
        arguments.argument("--korean", action="store_true", help="in Korean"),
        arguments.argument("name", nargs="?", help="the variable of a run or a model (default: the last run)"),
    ):
        method = option(method)
    return cast(Method, arguments.magic_arguments()(method))


@magics_class
class DoctorMagics(Magics):
    """The doctor's magic."""

    @_with_options
    def doctor(self, line: str) -> Report:
        """What is wrong with a training: each finding with its step, its layer, the numbers and a remedy.

        Without a name it examines the last run that was watched in this notebook. Of a model it examines what lies in
        it now: parameters without gradients, numbers that are not finite, units that are all the same.
        """
        options = cast(Any, magic_arguments).parse_argstring(self.doctor, line)
        shell: Any = self.shell
        report = doctor(_subject(options.name, shell.user_ns))
        korean = options.korean or os.environ.get("NBTORCH_LANGUAGE", "").lower().startswith("ko")
        return Report(report.findings, report.summary, "ko" if korean else "en")


def _subject(name: str | None, namespace: dict[str, Any]) -> Any:
    if name is None:
        run = last_run()
        if run is None:
            raise DoctorError(
                "%doctor found no run. Watch a training first (%%gradflow, or watch(...)), or: %doctor MODEL"
            )
        return run
    if name not in namespace:
        raise DoctorError(f"%doctor {name}: there is no variable of that name")
    thing = namespace[name]
    if not isinstance(thing, Run) and not hasattr(thing, "parameters") and not hasattr(thing, "telemetry"):
        raise DoctorError(f"%doctor {name}: expected a run or a model, got {type(thing).__name__}")
    return thing
