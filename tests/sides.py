"""Runs one piece of code on both libraries and asserts that it does the same.

    @pytest.mark.parametrize("case", CASES)
    def test_as_torch(case, torch_ref):
        as_torch(case)

A case is a function of one argument, the library: ``nbtorch`` with tensors on the device of the test run, or real
``torch``. It returns what is to be compared (tensors, text, numbers, containers of them) or raises; then nbtorch has to
raise an exception of the same class.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np
from helpers import device_name, import_torch, is_torch, same, to_nbtorch, to_torch


def nbtorch_side() -> Any:
    """nbtorch, with ``lib.make(array)`` for a leaf on the device of this run."""
    import nbtorch

    return _Side(nbtorch, to_nbtorch, device_name())


def torch_side() -> Any:
    """PyTorch, with ``lib.make(array)``."""
    return _Side(import_torch(), to_torch, "cpu")


class _Side(SimpleNamespace):
    def __init__(self, library: Any, make: Callable[..., Any], device: str) -> None:
        super().__init__(library=library, make=make, device=device)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.library, name)

    def arange(self, *shape: int, scale: float = 0.1, requires_grad: bool = False) -> Any:
        """Distinct small numbers of both signs, float32."""
        n = int(np.prod(shape))
        values = ((np.arange(n) * 37 % 23) - 11.0) * scale
        return self.make(values.reshape(shape).astype(np.float32), requires_grad=requires_grad)


def set_weights(module: Any, seed: int = 0) -> Any:
    """Gives a module of either library the same parameters and buffers, drawn by NumPy; returns the module."""
    rng = np.random.default_rng(seed)
    state = {}
    for name, value in module.state_dict().items():
        drawn = (rng.standard_normal(tuple(value.shape)) * 0.3).astype(str(value.dtype).removeprefix("torch."))
        state[name] = to_torch(drawn) if is_torch(value) else to_nbtorch(drawn)
    module.load_state_dict(state)
    return module


def outcome(case: Callable[[Any], Any], lib: Any) -> tuple[Any, BaseException | None, list[type[Warning]]]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            return case(lib), None, [w.category for w in caught]
        except Exception as error:
            return None, error, [w.category for w in caught]


def as_torch(case: Callable[[Any], Any], *, warn: bool = False, **tolerance: Any) -> None:
    """Asserts that ``case`` returns the same, or raises the same class, and with ``warn`` warns in the same classes."""
    expected, expected_error, expected_warnings = outcome(case, torch_side())
    actual, error, got_warnings = outcome(case, nbtorch_side())
    if expected_error is not None:
        assert error is not None, f"torch raised {expected_error!r}; nbtorch returned {actual!r}"
        assert isinstance(error, type(expected_error)), f"torch raised {expected_error!r}; nbtorch {error!r}"
        return
    if error is not None:
        raise error
    compare(actual, expected, **tolerance)
    if warn:
        assert set(got_warnings) == set(expected_warnings)


def compare(actual: Any, expected: Any, **tolerance: Any) -> None:
    """Equal values; tensors by :func:`helpers.same`, everything else by ``==``."""
    if is_torch(expected) and hasattr(expected, "detach"):
        same(actual, expected, **tolerance)
    elif isinstance(expected, Mapping):
        assert list(actual) == list(expected)
        for key in expected:
            compare(actual[key], expected[key], **tolerance)
    elif isinstance(expected, (tuple, list)):
        assert len(actual) == len(expected), f"{actual!r} is not as long as {expected!r}"
        for a, e in zip(actual, expected, strict=True):
            compare(a, e, **tolerance)
    elif isinstance(expected, float):
        np.testing.assert_allclose(actual, expected, **{"rtol": 1e-6, **tolerance})
    else:
        assert actual == expected
