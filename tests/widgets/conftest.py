from __future__ import annotations

import importlib
from typing import Any

import pytest


@pytest.fixture(params=["nbtorch", "torch"])
def lib(request: pytest.FixtureRequest) -> Any:
    """The library that the test's model is made with."""
    return pytest.importorskip(request.param) if request.param == "torch" else importlib.import_module(request.param)


@pytest.fixture(autouse=True)
def no_warnings() -> Any:
    """A display that fails is detached with a warning; here that is a failure."""
    import warnings

    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=".*detached from its run.*")
        yield
