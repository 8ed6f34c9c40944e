"""``assert_close``, with the rules, tolerances and messages of ``torch.testing.assert_close``."""

from __future__ import annotations

import cmath
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ..autograd.variable import Variable
from ..backends.dtypes import dtype as Dtype
from ..backends.dtypes import from_numpy_dtype

# (rtol, atol) of a dtype; of two dtypes the larger count. Integers and bools have to be equal.
_TOLERANCES = {
    "torch.float16": (1e-3, 1e-5),
    "torch.bfloat16": (1.6e-2, 1e-5),
    "torch.float32": (1.3e-6, 1e-5),
    "torch.float64": (1e-7, 1e-7),
}
_NUMBERS = (int, float, complex, np.number)
_BOOLS = (bool, np.bool_)
_Msg = str | Callable[[str], str] | None
_Where = tuple[Any, ...]


class _Mismatch(AssertionError):
    pass


def assert_close(
    actual: Any,
    expected: Any,
    *,
    allow_subclasses: bool = True,
    rtol: float | None = None,
    atol: float | None = None,
    equal_nan: bool = False,
    check_device: bool = True,
    check_dtype: bool = True,
    check_layout: bool = True,
    check_stride: bool = False,
    msg: _Msg = None,
) -> None:
    """Asserts that ``|actual - expected| <= atol + rtol * |expected|`` everywhere.

    Args:
        actual: a tensor, NumPy array, number, bool or None, or sequences and mappings of them.
        expected: the same kind of thing.
        allow_subclasses: whether tensors of a subclass may be compared with plain ones.
        rtol: relative tolerance; give both or neither. By dtype unless given: float16 1e-3, bfloat16 1.6e-2,
            float32 1.3e-6, float64 and Python floats 1e-7, integers and bools 0.
        atol: absolute tolerance; float16, bfloat16 and float32 1e-5, float64 and Python floats 1e-7, others 0.
        equal_nan: whether NaN equals NaN.
        check_device: whether tensors must live on the same device. If not they are compared on the host.
        check_dtype: whether dtypes must be the same. If not they are promoted; the larger tolerance counts.
        check_layout: accepted for PyTorch's sake; every tensor is dense.
        check_stride: whether tensors must walk through memory in the same steps.
        msg: an own message, or a function that makes one of the generated message.

    Raises:
        AssertionError: saying how much differs, where most, and what was allowed.
        ValueError: where one tolerance is given without the other.
        TypeError: for a pair that can't be compared, such as a tensor with a number.
    """
    __tracebackhide__ = True  # pytest shows the caller's line
    if (rtol is None) != (atol is None):
        missing = "atol" if atol is None else "rtol"
        raise ValueError(f"Both 'rtol' and 'atol' must be either specified or omitted, but got no {missing}.")
    tolerances = None if rtol is None or atol is None else (rtol, atol)
    check = _Check(tolerances, equal_nan, allow_subclasses, check_device, check_dtype, check_stride)
    try:
        check.anything(actual, expected, ())
    except _Mismatch as mismatch:
        text = str(mismatch)
    else:
        return
    raise AssertionError(text if msg is None else msg if isinstance(msg, str) else msg(text))


def _fail(text: str, where: _Where) -> _Mismatch:
    place = "".join(f"[{key!r}]" for key in where)
    return _Mismatch(f"{text}\n\nThe failure occurred for item {place}" if where else text)


class _Check:
    """One comparison with its settings."""

    def __init__(
        self,
        tolerances: tuple[float, float] | None,
        equal_nan: bool,
        allow_subclasses: bool,
        check_device: bool,
        check_dtype: bool,
        check_stride: bool,
    ) -> None:
        self.tolerances = tolerances
        self.equal_nan = equal_nan
        self.allow_subclasses = allow_subclasses
        self.check_device = check_device
        self.check_dtype = check_dtype
        self.check_stride = check_stride

    def anything(self, actual: Any, expected: Any, where: _Where) -> None:
        """Compares by what the two are."""
        if isinstance(actual, Variable) and isinstance(expected, Variable):
            related = isinstance(actual, type(expected)) or isinstance(expected, type(actual))
            if not related or (not self.allow_subclasses and type(actual) is not type(expected)):
                raise _no_pair(actual, expected, where)
            self.tensors(actual, expected, where)
        elif isinstance(actual, np.ndarray) and isinstance(expected, np.ndarray):
            self.shapes_and_dtypes(actual, expected, where)
            self.arrays(actual, expected, where)
        elif actual is None or expected is None:
            if actual is not expected:
                raise _fail(f"None mismatch: {actual} is not {expected}", where)
        elif isinstance(actual, _BOOLS) and isinstance(expected, _BOOLS):
            if bool(actual) is not bool(expected):
                raise _fail(f"Booleans mismatch: {bool(actual)} is not {bool(expected)}", where)
        elif isinstance(actual, (*_NUMBERS, *_BOOLS)) and isinstance(expected, (*_NUMBERS, *_BOOLS)):
            self.numbers(actual, expected, where)
        elif isinstance(actual, Mapping) and isinstance(expected, Mapping):
            self.mappings(actual, expected, where)
        elif _is_sequence(actual) and _is_sequence(expected):
            if len(actual) != len(expected):
                raise _fail(f"The length of the sequences mismatch: {len(actual)} != {len(expected)}", where)
            for i, (a, e) in enumerate(zip(actual, expected, strict=True)):
                self.anything(a, e, (*where, i))
        else:
            raise _no_pair(actual, expected, where)

    def mappings(self, actual: Mapping[Any, Any], expected: Mapping[Any, Any], where: _Where) -> None:
        missing = [key for key in expected if key not in actual]
        additional = [key for key in actual if key not in expected]
        if missing or additional:
            text = "The keys of the mappings do not match:"
            if missing:
                text += f"\nMissing keys in the actual mapping: {missing}"
            if additional:
                text += f"\nAdditional keys in the actual mapping: {additional}"
            raise _fail(text, where)
        for key in expected:
            self.anything(actual[key], expected[key], (*where, key))

    def numbers(self, actual: Any, expected: Any, where: _Where) -> None:
        a, e = (x.item() if isinstance(x, np.generic) else x for x in (actual, expected))
        if self.check_dtype and type(a) is not type(e):
            raise _fail(f"The (d)types do not match: {type(a)} != {type(e)}.", where)
        default = (1e-7, 1e-7) if isinstance(a, (float, complex)) or isinstance(e, (float, complex)) else (0.0, 0.0)
        self.scalars(a, e, self.tolerances or default, where)

    def scalars(self, a: Any, e: Any, tolerances: tuple[float, float], where: _Where) -> None:
        rtol, atol = tolerances
        difference = abs(a - e)
        both_nan = self.equal_nan and cmath.isnan(a) and cmath.isnan(e)
        if a == e or both_nan or (cmath.isfinite(difference) and difference <= atol + rtol * abs(e)):
            return
        relative = difference / abs(e) if e else float("inf")
        exact = rtol == 0 and atol == 0
        text = f"Scalars are not {'equal' if exact else 'close'}!\n\nExpected {e} but got {a}.\n"
        text += f"Absolute difference: {difference}{'' if exact else f' (up to {atol} allowed)'}\n"
        text += f"Relative difference: {relative}{'' if exact else f' (up to {rtol} allowed)'}"
        raise _fail(text, where)

    def tensors(self, actual: Variable, expected: Variable, where: _Where) -> None:
        if self.check_device and actual._backend.device != expected._backend.device:
            raise _attribute("device", actual._backend.device, expected._backend.device, where)
        a, e = (x._backend.to_host(x._array) for x in (actual, expected))
        self.shapes_and_dtypes(a, e, where)
        if self.check_stride:
            steps = [tuple(n // x._array.dtype.itemsize for n in x._array.strides) for x in (actual, expected)]
            if steps[0] != steps[1]:
                raise _attribute("stride()", steps[0], steps[1], where)
        self.arrays(a, e, where)

    def shapes_and_dtypes(self, a: Any, e: Any, where: _Where) -> None:
        if a.shape != e.shape:
            raise _attribute("shape", f"torch.Size({list(a.shape)})", f"torch.Size({list(e.shape)})", where)
        if self.check_dtype and a.dtype != e.dtype:
            raise _attribute("dtype", from_numpy_dtype(a.dtype), from_numpy_dtype(e.dtype), where)

    def arrays(self, actual: Any, expected: Any, where: _Where) -> None:
        """Compares host arrays of one shape."""
        defaults = [_TOLERANCES.get(repr(_dtype(x)), (0.0, 0.0)) for x in (actual, expected)]
        rtol, atol = self.tolerances or (max(d[0] for d in defaults), max(d[1] for d in defaults))
        a, e = _comparable(actual, expected)
        with np.errstate(all="ignore"):
            difference = np.abs(a - e)
            close = (a == e) | (np.isfinite(difference) & (difference <= atol + np.abs(rtol * e)))
            if self.equal_nan:
                close |= (a != a) & (e != e)
            if close.all():
                return
            relative = difference / np.abs(e)
        if not close.ndim:
            self.scalars(a.item(), e.item(), (rtol, atol), where)
        exact = rtol == 0 and atol == 0
        wrong = int((~close).sum())
        text = f"Tensor-likes are not {'equal' if exact else 'close'}!\n\n"
        text += f"Mismatched elements: {wrong} / {close.size} ({wrong / close.size:.1%})"
        for kind, values, allowed in (("absolute", difference, atol), ("relative", relative, rtol)):
            seen = np.where(close, 0, values)
            at = np.unravel_index(int(np.argmax(seen)), seen.shape)
            text += f"\nGreatest {kind} difference: {seen[at].item()} at index {tuple(int(i) for i in at)}"
            text += "" if exact else f" (up to {allowed} allowed)"
        raise _fail(text, where)


def _dtype(array: Any) -> Dtype:
    return from_numpy_dtype(array.dtype)


def _is_sequence(x: Any) -> bool:
    return isinstance(x, Sequence) and not isinstance(x, (str, bytes))


def _no_pair(actual: Any, expected: Any, where: _Where) -> TypeError:
    place = f"\n  at item {''.join(f'[{key!r}]' for key in where)}" if where else ""
    return TypeError(
        f"No comparison pair was able to handle inputs of type {type(actual)} and {type(expected)}.{place}\n"
        "  expected: two tensors, two NumPy arrays, two numbers, or sequences or mappings of them\n"
        "  fix: make both the same kind of thing, for example with torch.tensor(...) or x.item()"
    )


def _attribute(name: str, actual: Any, expected: Any, where: _Where) -> _Mismatch:
    return _fail(f"The values for attribute '{name}' do not match: {actual} != {expected}.", where)


def _comparable(actual: Any, expected: Any) -> tuple[Any, Any]:
    """The two in a dtype that differences can be taken in: float32 or float64, or int64 for integers and bools."""
    kinds = {x.dtype.kind for x in (actual, expected)}
    if kinds <= set("iub"):
        wide: Any = np.int64
    elif all(x.dtype == np.float32 or (x.dtype.itemsize == 2 and x.dtype.kind not in "iu") for x in (actual, expected)):
        wide = np.float32
    else:
        wide = np.float64
    return actual.astype(wide), expected.astype(wide)
