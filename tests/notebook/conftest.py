"""The displays use PyTorch's public surface alone, so most tests here run on nbtorch and on PyTorch."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest


@pytest.fixture(params=["nbtorch", "pytorch"])
def lib(request: pytest.FixtureRequest) -> Any:
    return importlib.import_module({"nbtorch": "nbtorch", "pytorch": "torch"}[request.param])


@pytest.fixture
def outputs_in_new_processes(lib: Any) -> Callable[[str], set[str]]:
    """Run a program, which gets the library's name as its argument, under two hash seeds: its different outputs."""

    def run(program: str) -> set[str]:
        outputs = set()
        for seed in ("0", "1"):
            path = os.pathsep.join(filter(None, sys.path))
            environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": path, "PYTHONIOENCODING": "utf-8"}
            done = subprocess.run(
                [sys.executable, "-c", program, lib.__name__], env=environment, capture_output=True, check=True
            )
            outputs.add(done.stdout.decode())
        return outputs

    return run
