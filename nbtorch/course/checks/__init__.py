"""The checks of the lessons: one module `lNN` a lesson, each with a `CHECKS`."""

from __future__ import annotations

import importlib
import importlib.util

from nbtorch.course.checking import Checks


def checks_of(lesson: str) -> Checks | None:
    """The checks of a lesson (its whole name); None if it has none."""
    module = f"{__name__}.l{lesson.split('_')[0]}"
    if importlib.util.find_spec(module) is None:
        return None
    checks: Checks = importlib.import_module(module).CHECKS
    return checks


def module_of(lesson: str) -> str:
    """The module of the learner's library that a lesson's code goes into."""
    checks = checks_of(lesson)
    return lesson.partition("_")[2] if checks is None else checks.module
