"""Settings for `pytest --nbval lessons`: the kernels that run the notebooks inherit this process's environment."""

import os
import tempfile
from pathlib import Path

import pytest

# The stored outputs were made with one thread; with more, sums are added up in another order, and slower.
os.environ["OPENBLAS_NUM_THREADS"] = "1"

_homes = tempfile.TemporaryDirectory(prefix="nbtorch-lessons-")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """What a lesson saves for a learner (progress, the package mytorch) goes to a folder of its own."""
    home = Path(_homes.name, item.path.parent.name, item.path.stem)
    home.mkdir(parents=True, exist_ok=True)
    os.environ["NBTORCH_COURSE_HOME"] = str(home)
    os.environ["NBTORCH_LANGUAGE"] = item.path.parent.name  # as the build did
