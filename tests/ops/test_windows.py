"""Window functions: the values, dtypes and refusals of PyTorch."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from sides import as_torch

WINDOWS: dict[str, dict[str, Any]] = {
    "bartlett": {}, "blackman": {}, "cosine": {}, "exponential": {"tau": 2.0}, "gaussian": {"std": 0.7},
    "general_cosine": {"a": [0.4, 0.3, 0.2, 0.1]}, "general_hamming": {"alpha": 0.6}, "hamming": {}, "hann": {},
    "kaiser": {"beta": 6.0}, "nuttall": {},
}  # fmt: skip


@pytest.mark.parametrize("name", WINDOWS)
def test_signal_windows(name: str, torch_ref: Any) -> None:
    for n, sym, dtype in itertools.product((0, 1, 2, 3, 10, 33), (True, False), (None, "float32", "float64")):

        def program(lib: Any) -> Any:
            d = dtype and getattr(lib, dtype)  # noqa: B023
            made = getattr(lib.signal.windows, name)(n, sym=sym, dtype=d, requires_grad=True, **WINDOWS[name])  # noqa: B023
            return made, made.requires_grad

        as_torch(program, atol=1e-12 if dtype == "float64" else 2e-6)


@pytest.mark.parametrize("name", ["hann", "hamming", "blackman", "bartlett", "kaiser"])
def test_older_windows(name: str, torch_ref: Any) -> None:
    for n, periodic, dtype in itertools.product((0, 1, 2, 3, 10), (True, False), (None, "float64", "float16")):

        def program(lib: Any) -> Any:
            d = dtype and getattr(lib, dtype)  # noqa: B023
            return getattr(lib, f"{name}_window")(n, periodic, dtype=d)  # noqa: B023

        as_torch(program, atol={"float64": 1e-12, "float16": 2e-3}.get(dtype or "", 2e-6))


CALLS: dict[str, Callable[[Any], Any]] = {
    "off center": lambda lib: lib.signal.windows.exponential(5, center=1.5, sym=False),
    "alpha and beta": lambda lib: lib.hamming_window(6, True, 0.6, 0.3),
    "sharp": lambda lib: lib.kaiser_window(6, False, 3.0),
    "negative": lambda lib: lib.hann_window(-1),
    "whole numbers": lambda lib: lib.hann_window(3, dtype=lib.int64),
    "negative M": lambda lib: lib.signal.windows.hann(-1),
    "half precision": lambda lib: lib.signal.windows.hann(3, dtype=lib.float16),
    "no weights": lambda lib: lib.signal.windows.general_cosine(3, a=[]),
    "one weight": lambda lib: lib.signal.windows.general_cosine(3, a=0.5),
    "no tau": lambda lib: lib.signal.windows.exponential(3, tau=0.0),
    "symmetric with a center": lambda lib: lib.signal.windows.exponential(3, center=1.0),
    "no width": lambda lib: lib.signal.windows.gaussian(3, std=-1.0),
    "negative beta": lambda lib: lib.signal.windows.kaiser(3, beta=-1.0),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
def test_calls(call: Any, torch_ref: Any) -> None:
    as_torch(call, atol=2e-6)
