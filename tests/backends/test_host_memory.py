"""Freed memory stays with the process: asked for once, at import, and not against the user's own settings."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="glibc's malloc has these parameters")


@pytest.mark.parametrize(
    ("environment", "asked"),
    [
        ({}, True),
        ({"NBTORCH_KEEP_MEMORY": "0"}, False),
        ({"MALLOC_TRIM_THRESHOLD_": "1000000"}, False),
        ({"GLIBC_TUNABLES": "glibc.malloc.top_pad=0"}, False),
    ],
)
def test_the_users_own_settings_stand(environment: dict[str, str], asked: bool) -> None:
    program = "from nbtorch.backends.host_memory import keep_freed_memory; print(keep_freed_memory())"
    names = ("NBTORCH_KEEP_MEMORY", "MALLOC_TRIM_THRESHOLD_", "GLIBC_TUNABLES")
    env = {k: v for k, v in os.environ.items() if k not in names} | environment
    out = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, env=env)
    assert out.stdout.strip() == str(asked)
