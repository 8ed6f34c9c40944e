"""``assert_close`` accepts, refuses and says what PyTorch's does."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest
from helpers import device_name

import nbtorch
from nbtorch.testing import assert_close

inf, nan = float("inf"), float("nan")


class Side:
    """One of the two libraries, with its tensors made on the device of this run."""

    def __init__(self, library: Any, device: str) -> None:
        self.library = library
        self.device = device

    def __call__(self, values: Any, dtype: str | None = None) -> Any:
        return self.library.tensor(values, dtype=dtype and getattr(self.library, dtype), device=self.device)


# Each case makes the arguments with T, the tensor maker of one of the libraries.
CASES: dict[str, Any] = {
    "equal": lambda T: ((T([1.0, 2.0]), T([1.0, 2.0])), {}),
    "one of three": lambda T: ((T([1.0, 2, 3]), T([1.0, 2, 4])), {}),
    "matrix": lambda T: ((T([[1.0, 2], [3, 4]]), T([[1.0, 2], [0, 4]])), {}),
    "integers": lambda T: ((T([1, 2, 3]), T([1, 2, 4])), {}),
    "integers with tolerance": lambda T: ((T([1, 2]), T([1, 3])), {"rtol": 0, "atol": 1}),
    "large integers": lambda T: ((T([2**53 + 1]), T([2**53])), {}),
    "bools": lambda T: ((T([True, False]), T([True, True])), {}),
    "within float32": lambda T: ((T([1.000001]), T([1.0])), {}),
    "beyond float32": lambda T: ((T([1.00002]), T([1.0])), {}),
    "within float64": lambda T: ((T([1.0 + 1e-7], "float64"), T([1.0], "float64")), {}),
    "beyond float64": lambda T: ((T([1.0 + 1e-6], "float64"), T([1.0], "float64")), {}),
    "within float16": lambda T: ((T([1.001], "float16"), T([1.0], "float16")), {}),
    "beyond float16": lambda T: ((T([1.003], "float16"), T([1.0], "float16")), {}),
    "near zero": lambda T: ((T([1e-5]), T([0.0])), {}),
    "shapes": lambda T: ((T([1.0, 2.0]), T([1.0])), {}),
    "shapes that broadcast": lambda T: ((T([[1.0]]), T([1.0])), {}),
    "dtypes": lambda T: ((T([1.0]), T([1.0], "float64")), {}),
    "dtypes unchecked": lambda T: ((T([1.0]), T([1.000001], "float64")), {"check_dtype": False}),
    "integer and float unchecked": lambda T: ((T([1]), T([2.0])), {"check_dtype": False}),
    "no dimensions": lambda T: ((T(1.0), T(2.0)), {}),
    "no dimensions, integers": lambda T: ((T(1), T(2)), {}),
    "empty": lambda T: ((T([]), T([])), {}),
    "nan": lambda T: ((T([0.0, nan]), T([0.0, nan])), {}),
    "nan allowed": lambda T: ((T([0.0, nan]), T([0.0, nan])), {"equal_nan": True}),
    "nan against a number": lambda T: ((T([nan]), T([1.0])), {"equal_nan": True}),
    "inf": lambda T: ((T([inf, -inf]), T([inf, -inf])), {}),
    "inf against a number": lambda T: ((T([1.0, 5.0]), T([inf, 5.0])), {}),
    "signs of inf": lambda T: ((T([inf]), T([-inf])), {}),
    "inf within a tolerance of inf": lambda T: ((T([1.0]), T([2.0])), {"rtol": inf, "atol": 0}),
    "own tolerances": lambda T: ((T([1.0, 2.0]), T([1.0, 2.0005])), {"rtol": 1e-4, "atol": 0}),
    "rtol alone": lambda T: ((T([1.0]), T([1.0])), {"rtol": 1}),
    "atol alone": lambda T: ((T([1.0]), T([1.0])), {"atol": 1}),
    "numbers": lambda T: ((1.0, 2.0), {}),
    "equal numbers": lambda T: ((1.0, 1.0), {}),
    "whole numbers": lambda T: ((1, 2), {}),
    "kinds of numbers": lambda T: ((1, 1.0), {}),
    "kinds of numbers unchecked": lambda T: ((1, 1.0), {"check_dtype": False}),
    "NumPy scalars": lambda T: ((np.float64(1), 1.0), {}),
    "Python bools": lambda T: ((True, False), {}),
    "Nones": lambda T: ((None, None), {}),
    "None and a number": lambda T: ((None, 1), {}),
    "None and a tensor": lambda T: ((T([1.0]), None), {}),
    "a tensor and a number": lambda T: ((T(1.0), 1.0), {}),
    "a tensor and an array": lambda T: ((T([1.0]), np.ones(1, np.float32)), {}),
    "arrays": lambda T: ((np.ones(2), np.ones(2)), {}),
    "unequal arrays": lambda T: ((np.ones(2), np.zeros(2)), {}),
    "strings": lambda T: (("a", "a"), {}),
    "lists": lambda T: (([T(1.0), T(2.0)], [T(1.0), T(3.0)]), {}),
    "a list and a tuple": lambda T: (((T(1.0),), [T(1.0)]), {}),
    "lengths": lambda T: (([1.0], [1.0, 2.0]), {}),
    "keys": lambda T: (({"a": 1, "c": 1}, {"b": 1, "c": 1}), {}),
    "values": lambda T: (({"a": [T([1.0])]}, {"a": [T([2.0])]}), {}),
    "an own message": lambda T: ((T(1.0), T(2.0)), {"msg": "look here"}),
    "a message made of the message": lambda T: ((1.0, 2.0), {"msg": lambda m: f"<{m}>"}),
    "strides": lambda T: ((T([[1.0, 2], [3, 4]]).t(), T([[1.0, 3], [2, 4]])), {}),
    "strides checked": lambda T: ((T([[1.0, 2], [3, 4]]).t(), T([[1.0, 3], [2, 4]])), {"check_stride": True}),
}  # fmt: skip


def outcome(function: Any, made: tuple[tuple[Any, ...], dict[str, Any]]) -> tuple[type | None, str]:
    args, kwargs = made
    try:
        function(*args, **kwargs)
    except (AssertionError, TypeError, ValueError) as error:
        return type(error), str(error)
    return None, ""


@pytest.mark.parametrize("name", CASES)
def test_as_torch(name: str, torch_ref: ModuleType) -> None:
    expected, text = outcome(torch_ref.testing.assert_close, CASES[name](Side(torch_ref, "cpu")))
    error, said = outcome(assert_close, CASES[name](Side(nbtorch, device_name())))
    assert error is expected, said
    if expected is not TypeError:  # where our text goes on, with what to do
        assert said.replace(f", device='{nbtorch.ones(1, device=device_name()).device}'", "") == text


def test_a_pair_that_can_t_be_compared_says_what_can() -> None:
    with pytest.raises(TypeError, match=r"No comparison pair[\s\S]*at item \['a'\]\[0\][\s\S]*fix:"):
        assert_close({"a": [nbtorch.ones(1)]}, {"a": [1.0]})


def test_devices() -> None:
    here, there = nbtorch.ones(2), nbtorch.ones(2, device="strict")
    with pytest.raises(AssertionError, match="'device' do not match: cpu != strict:0"):
        assert_close(here, there)
    assert_close(here, there, check_device=False)


def test_subclasses() -> None:
    class Mine(nbtorch.Tensor):
        pass

    mine = nbtorch.ones(2).as_subclass(Mine)
    assert_close(mine, nbtorch.ones(2))
    with pytest.raises(TypeError, match="No comparison pair"):
        assert_close(mine, nbtorch.ones(2), allow_subclasses=False)


def test_gradients_are_left_alone() -> None:
    x = nbtorch.ones(2, requires_grad=True)
    assert_close(x, x * 1)
    assert x.grad is None


def test_it_is_where_pytorch_has_it() -> None:
    assert nbtorch.testing.assert_close is assert_close
