"""Moves numbers between nbtorch, NumPy and real PyTorch, on the device that the tests run on.

    from helpers import import_torch, same, to_nbtorch, to_numpy, to_torch

    x = to_nbtorch(array)                       # an nbtorch tensor on the device of --device
    y = to_torch(array, requires_grad=True)     # a PyTorch tensor on the CPU
    same(nbtorch_result, torch_result)          # shape, dtype and numbers agree; either side may be any of the three

Everything is copied, so no test can change another's numbers. Dtypes are kept, bfloat16 included where ``ml_dtypes`` is
installed. ``same`` is for results; to test ``nbtorch.testing.assert_close`` itself, call that.
"""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest

DEVICES = ("cpu", "strict", "cuda")
_device = "cpu"


def in_ci() -> bool:
    """Whether this is a CI run, where a missing tool is a failure and not a reason to skip."""
    return os.environ.get("CI", "").lower() in ("1", "true", "yes")


def device_name() -> str:
    """The device that the tests run on: the option ``--device``."""
    return _device


def use_device(name: str) -> None:
    """Chooses the device of this test run.

    Raises:
        pytest.UsageError: for ``cuda`` where there is no usable GPU, with the reason.
    """
    global _device
    if name == "cuda":
        from nbtorch import cuda

        reason = cuda.why_unavailable()
        if reason is not None:
            raise pytest.UsageError(f"--device cuda: {reason}")
    _device = name


@functools.cache
def _torch() -> ModuleType | ImportError:
    try:
        import torch
    except ImportError as error:
        return error
    torch.set_num_threads(1)
    return torch


def import_torch() -> ModuleType:
    """Real PyTorch with one thread; also at a test module's top, where it skips the whole module.

    Where it is missing the test is skipped, but fails in CI: a comparison that never ran must not look green.
    """
    found = _torch()
    if isinstance(found, ModuleType):
        return found
    if in_ci():
        pytest.fail(f"PyTorch is needed for the comparison but can't be imported: {found}", pytrace=False)
    pytest.skip(f"no PyTorch to compare with: {found}", allow_module_level=True)


def is_torch(x: object) -> bool:
    """Whether ``x`` comes from real PyTorch."""
    return type(x).__module__.partition(".")[0] == "torch"


def to_numpy(x: Any) -> np.ndarray[Any, Any]:
    """A copy of the numbers of a tensor of either library, an array, a number or nested lists."""
    if is_torch(x):
        x = x.detach().cpu()
        if str(x.dtype) == "torch.bfloat16":
            import ml_dtypes

            return np.array(x.float().numpy().astype(ml_dtypes.bfloat16))
        return np.array(x.numpy())
    if hasattr(x, "detach"):
        return np.array(x.detach().cpu().numpy())
    return np.array(x)


def to_nbtorch(x: Any, *, device: str | None = None, dtype: Any = None, requires_grad: bool = False) -> Any:
    """An nbtorch leaf with the numbers of ``x``, on the device of this test run unless told otherwise."""
    import nbtorch

    where = _device if device is None else device
    return nbtorch.tensor(to_numpy(x), dtype=dtype, device=where, requires_grad=requires_grad)


def to_torch(x: Any, *, dtype: Any = None, requires_grad: bool = False) -> Any:
    """A PyTorch leaf on the CPU with the numbers of ``x``; ``dtype`` is one of PyTorch's."""
    torch = import_torch()
    array = to_numpy(x)
    if array.dtype.name == "bfloat16":
        made = torch.from_numpy(array.astype(np.float32)).to(dtype or torch.bfloat16)
    else:
        made = torch.tensor(array, dtype=dtype)
    return made.requires_grad_(requires_grad)


def dtype_name(x: Any) -> str:
    """``float32``, ``bool``, … of a tensor of either library or an array."""
    return str(x.dtype).removeprefix("torch.")


def same(
    actual: Any, expected: Any, rtol: float | None = None, atol: float | None = None, *, check_dtype: bool = True
) -> None:
    """Asserts that two results agree in shape, dtype and numbers (NaN equals NaN).

    Args:
        actual: tensors, arrays or numbers, or tuples, lists and dicts of them; None agrees with None.
        expected: the same structure.
        rtol: relative tolerance; by the coarser dtype unless given: float64 1e-7, float32 1.3e-6, float16 1e-3,
            bfloat16 1.6e-2, integers exact.
        atol: absolute tolerance, with the same rule: float64 1e-7, else 1e-5.
        check_dtype: False to compare numbers alone; Python numbers never have their dtype compared.
    """
    if expected is None or actual is None:
        assert actual is None and expected is None, f"only one side is None: {actual!r} and {expected!r}"
        return
    if isinstance(expected, dict):
        assert list(actual) == list(expected)
        for key in expected:
            same(actual[key], expected[key], rtol, atol, check_dtype=check_dtype)
        return
    if isinstance(expected, (tuple, list)) and not (isinstance(actual, np.ndarray) or hasattr(actual, "detach")):
        assert len(actual) == len(expected), f"{len(actual)} results where {len(expected)} were expected"
        for a, e in zip(actual, expected, strict=True):
            same(a, e, rtol, atol, check_dtype=check_dtype)
        return
    a, e = to_numpy(actual), to_numpy(expected)
    assert a.shape == e.shape, f"shape {a.shape} where {e.shape} was expected"
    if check_dtype and hasattr(actual, "dtype") and hasattr(expected, "dtype"):
        assert dtype_name(actual) == dtype_name(expected), (
            f"dtype {dtype_name(actual)} where {dtype_name(expected)} was expected"
        )
    default_rtol, default_atol = max(_tolerance(a.dtype), _tolerance(e.dtype))
    rtol = default_rtol if rtol is None else rtol
    atol = default_atol if atol is None else atol
    if a.dtype.kind in "iub" and e.dtype.kind in "iub" and rtol == atol == 0:
        np.testing.assert_array_equal(a, e)
    else:
        wide = np.float64
        np.testing.assert_allclose(a.astype(wide), e.astype(wide), rtol=rtol, atol=atol, equal_nan=True)


_TOLERANCES = {"float64": (1e-7, 1e-7), "float32": (1.3e-6, 1e-5), "float16": (1e-3, 1e-5), "bfloat16": (1.6e-2, 1e-5)}


def _tolerance(dtype: np.dtype[Any]) -> tuple[float, float]:
    return _TOLERANCES.get(dtype.name, (0.0, 0.0))


def calls(function: Callable[[], Any]) -> int:
    """Python and C functions called by ``function()`` once it is warm, without its own call."""
    for _ in range(4):
        function()
    count = 0

    def note(frame: Any, event: str, arg: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(note)
    try:
        function()
    finally:
        sys.setprofile(None)
    return count - 2  # function itself, and setprofile
