"""Arrays that note what is done with them: what stands in the place of every array while a step is recorded.

A recorded array computes at once, on the array inside, and tells the tape: the recorded step is a real step. Once its
tape has ended, or in another thread, it computes and tells nobody.
"""

from __future__ import annotations

import operator
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["ReadFloat", "ReadInt", "Recorded", "RecordedArray", "RecordedScalar", "plain", "read_by_user"]

_HERE = Path(__file__).resolve().parent
_PACKAGE = str(_HERE.parent) + "/"
# Whose frames say nothing about who asked for a number: this room, the tensor's own methods, NumPy.
_BETWEEN = (str(_HERE) + "/", _PACKAGE + "tensor/", str(Path(np.__file__).resolve().parent) + "/")

# What is the same at each replay, since shapes and strides are.
_FIXED = frozenset(("base", "dtype", "flags", "itemsize", "nbytes", "ndim", "shape", "size", "strides"))
_VIEWS = frozenset(("T", "imag", "mT", "real"))
_NUMBERS = frozenset(("item", "tobytes", "tolist"))
_WRITING = frozenset(("fill", "itemset", "partition", "put", "setfield", "sort"))


def read_by_user() -> bool:
    """Whether the program itself, not the library on its way, asked for the number that is being read."""
    frame: Any = sys._getframe(2)
    while frame is not None and frame.f_code.co_filename.startswith(_BETWEEN):
        frame = frame.f_back
    return frame is None or not frame.f_code.co_filename.startswith(_PACKAGE)


def plain(x: Any) -> Any:
    """``x`` with the arrays themselves in the place of recorded ones, inside tuples, lists, dicts and slices too."""
    kind = type(x)
    if kind is RecordedArray or kind is RecordedScalar:
        return x._real
    if kind is tuple or kind is list:
        return kind([plain(i) for i in x])
    if kind is dict:
        return {k: plain(v) for k, v in x.items()}
    if kind is slice:
        return slice(plain(x.start), plain(x.stop), plain(x.step))
    if isinstance(x, tuple) and hasattr(x, "_make"):
        return kind._make([plain(i) for i in x])
    if kind is ReadFloat or kind is ReadInt:
        return x.number()
    return x


class Recorded:
    """What recorded arrays and recorded NumPy scalars have in common.

    Attributes:
        _real: the array or scalar itself.
        _value: its number on the tape.
        _tape: where to note.
    """

    __slots__ = ("__weakref__", "_real", "_tape", "_value")
    __hash__ = None  # type: ignore[assignment]
    _real: Any
    _tape: Any
    _value: int

    def __init__(self, real: Any, tape: Any, value: int) -> None:
        self._real, self._tape, self._value = real, tape, value

    def __repr__(self) -> str:
        return f"<recorded {self._real!r}>"

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        outs = tuple(o for o in kwargs.pop("out", ()) if o is not None)
        if method == "__call__" and not kwargs:
            return self._tape.call("ufunc", ufunc.__name__, ufunc, (*inputs, *outs), {}, outs)
        function = ufunc if method == "__call__" else getattr(ufunc, method)
        if outs:
            kwargs["out"] = outs if len(outs) > 1 else outs[0]
        writes = inputs[:1] if method == "at" else outs
        return self._tape.call("numpy", f"{ufunc.__name__}.{method}", function, inputs, kwargs, writes)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        written: list[Any] = []
        if function.__name__ in ("copyto", "fill_diagonal", "place", "put", "put_along_axis", "putmask"):
            written.append(args[0])
        out = kwargs.get("out")
        if out is not None:
            written += out if isinstance(out, tuple) else (out,)
        return self._tape.call("numpy", function.__name__, function, args, kwargs, tuple(written))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        self._tape.broken("an array was handed to a function that can't be followed", "array")
        return np.array(self._real, dtype, copy=copy)

    def __getattr__(self, name: str) -> Any:
        real, tape = self._real, self._tape
        if name in _FIXED:
            return getattr(real, name)
        if name in _VIEWS:
            return tape.call("attribute", name, operator.attrgetter(name), (self,), {})
        found = getattr(real, name)
        if not callable(found):
            tape.broken("the memory of a tensor is handed to NumPy or to another library", "array")
            return found
        if name in _NUMBERS:
            return lambda *args: tape.read(self, name, args)

        def method(*args: Any, **kwargs: Any) -> Any:
            out = kwargs.get("out")
            writes = (self,) if name in _WRITING else () if out is None else (out,)
            return tape.call("method", name, getattr(type(real), name), (self, *args), kwargs, writes)

        return method

    def __len__(self) -> int:
        return len(self._real)

    def __iter__(self) -> Iterator[Any]:
        for i in range(len(self._real)):
            yield self[i]

    def __getitem__(self, index: Any) -> Any:
        return self._tape.call("operator", "getitem", operator.getitem, (self, index), {})

    def __bool__(self) -> bool:
        return bool(self._tape.read(self, "__bool__", ()))

    def __float__(self) -> float:
        return float(self._tape.read(self, "__float__", ()))

    def __int__(self) -> int:
        return int(self._tape.read(self, "__int__", ()))

    def __index__(self) -> int:
        return int(self._tape.read(self, "__index__", ()))

    def __contains__(self, item: Any) -> bool:
        return bool((self == item).any())


class RecordedArray(Recorded):
    """In the place of a NumPy array; what a backend's ``ndarray`` is while a step is recorded."""

    __slots__ = ()

    def __setitem__(self, index: Any, value: Any) -> None:
        self._tape.call("operator", "setitem", operator.setitem, (self, index, value), {}, (self,))


class RecordedScalar(Recorded):
    """In the place of a NumPy scalar, which reductions and arithmetic without dimensions give."""

    __slots__ = ()


_BINARY: dict[str, np.ufunc | None] = {
    "add": np.add, "and": np.bitwise_and, "eq": np.equal, "floordiv": np.floor_divide, "ge": np.greater_equal,
    "gt": np.greater, "le": np.less_equal, "lshift": np.left_shift, "lt": np.less, "matmul": np.matmul,
    "mod": np.remainder, "mul": np.multiply, "ne": np.not_equal, "or": np.bitwise_or, "pow": None,
    "rshift": np.right_shift, "sub": np.subtract, "truediv": np.true_divide, "xor": np.bitwise_xor,
}  # fmt: skip
_OPERANDS = (Recorded, np.ndarray, np.generic, bool, int, float)


def _define_operators() -> None:
    def binary(name: str, ufunc: np.ufunc | None, reflected: bool) -> Callable[[Any, Any], Any]:
        plain_operator = getattr(operator, name + "_" if name in ("and", "or") else name)

        def method(self: Any, other: Any) -> Any:
            if not isinstance(other, _OPERANDS):
                return NotImplemented
            operands = (other, self) if reflected else (self, other)
            # NumPy gives its scalars an arithmetic of their own, and a power with a number as the exponent, too.
            if ufunc is None or (not isinstance(plain(self), np.ndarray) and not isinstance(plain(other), np.ndarray)):
                return self._tape.call("operator", name, plain_operator, operands, {})
            return self._tape.call("ufunc", ufunc.__name__, ufunc, operands, {})

        return method

    def in_place(ufunc: np.ufunc) -> Callable[[Any, Any], Any]:
        def method(self: Any, other: Any) -> Any:
            if not isinstance(other, _OPERANDS):
                return NotImplemented
            self._tape.call("ufunc", ufunc.__name__, ufunc, (self, other, self), {}, (self,))
            return self

        return method

    def unary(name: str, ufunc: np.ufunc) -> Callable[[Any], Any]:
        function = getattr(operator, name)

        def method(self: Any) -> Any:
            if isinstance(plain(self), np.ndarray):
                return self._tape.call("ufunc", ufunc.__name__, ufunc, (self,), {})
            return self._tape.call("operator", name, function, (self,), {})

        return method

    for name, ufunc in _BINARY.items():
        setattr(Recorded, f"__{name}__", binary(name, ufunc, False))
        if name not in ("eq", "ge", "gt", "le", "lt", "ne"):
            setattr(Recorded, f"__r{name}__", binary(name, ufunc, True))
            if ufunc is not None and name != "matmul":
                setattr(RecordedArray, f"__i{name}__", in_place(ufunc))

    def power_in_place(self: Any, other: Any) -> Any:
        self._tape.call("operator", "ipow", operator.ipow, (self, other), {}, (self,))
        return self

    RecordedArray.__ipow__ = power_in_place  # type: ignore[attr-defined]
    for name, ufunc in {"neg": np.negative, "pos": np.positive, "abs": np.absolute, "invert": np.invert}.items():
        setattr(Recorded, f"__{name}__", unary(name, ufunc))


_define_operators()


class _Read:
    """A number that the program read. It may be returned by the step; used otherwise, it decides what happens next."""

    __slots__ = ()
    tape: Any
    value: int

    def number(self) -> Any:
        """The number itself."""
        raise NotImplementedError(f"{type(self).__name__} has to define number()")


class ReadFloat(float, _Read):
    """A ``float`` read from a tensor during a recording."""

    def number(self) -> float:
        return float.__pos__(self)

    def __float__(self) -> float:
        number = float.__pos__(self)
        self.tape.exact.append((number, self.value))
        return number


class ReadInt(int, _Read):
    """An ``int`` read from a tensor during a recording."""

    def number(self) -> int:
        return int.__pos__(self)

    def __int__(self) -> int:
        number = int.__pos__(self)
        self.tape.exact.append((number, self.value))
        return number


def _watch_use(cls: type, base: type, names: str) -> None:
    def watched(name: str) -> Callable[..., Any]:
        function = getattr(base, name)

        def method(self: Any, *args: Any) -> Any:
            self.tape.broken("a number read from a tensor is used before the step ends", "number")
            return function(self, *args)

        return method

    for name in names.split():
        setattr(cls, f"__{name}__", watched(f"__{name}__"))


_SHARED = """abs add bool divmod eq floordiv format ge gt hash le lt mod mul ne neg pow radd rdivmod repr rfloordiv rmod
    rmul round rpow rsub rtruediv str sub truediv trunc"""
_watch_use(ReadFloat, float, _SHARED + " int")
_watch_use(ReadInt, int, _SHARED + " float index and or xor lshift rshift invert")
