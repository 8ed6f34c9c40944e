"""The strict device refuses what CuPy 14 refuses, and what CuPy would take in silence though it is a mistake."""

from __future__ import annotations

import copy
import json
import math
import operator
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nbtorch.backends import get_backend
from nbtorch.backends.strict_array import UFUNCS
from nbtorch.backends.strict_memory import FACTS
from nbtorch.testing import SynchronizationError, count_syncs, forbid_sync

backend = get_backend("strict")
xp = backend.xp
host = np.arange(6, dtype=np.float32).reshape(2, 3)


@pytest.fixture
def a() -> Any:
    return xp.asarray(host)


@pytest.fixture
def i() -> Any:
    return xp.asarray(np.array([0, 1, 1]))


Refusals = dict[str, tuple[type[Exception], Callable[[Any, Any], Any]]]

MIXING: Refusals = {
    "array + host": (TypeError, lambda a, i: a + host),
    "array + host without dimensions": (TypeError, lambda a, i: a + np.array(2.0)),
    "host + array": (TypeError, lambda a, i: host + a),
    "host @ array": (TypeError, lambda a, i: host.T @ a),
    "array @ host": (TypeError, lambda a, i: a @ host.T),
    "array += host": (TypeError, lambda a, i: a.__iadd__(host)),
    "host *= array": (TypeError, lambda a, i: host.copy().__imul__(a)),
    "array > host": (TypeError, lambda a, i: a > host),
    "array + list": (TypeError, lambda a, i: operator.add(a, [1, 2, 3])),
    "where with a host branch": (TypeError, lambda a, i: xp.where(a > 0, a, host)),
    "where with a host condition": (TypeError, lambda a, i: xp.where(host > 0, a, a)),
    "where with a Python condition": (TypeError, lambda a, i: xp.where(True, a, a)),
    "concatenate with host": (TypeError, lambda a, i: xp.concatenate([a, host])),
    "concatenate with a number": (TypeError, lambda a, i: xp.concatenate([a, 1.0])),
    "out on the host": (TypeError, lambda a, i: xp.add(a, a, out=host.copy())),
    "maximum with a host array": (TypeError, lambda a, i: xp.maximum(a, host)),
    "take with host indices": (TypeError, lambda a, i: xp.take(a, np.array([0]), 1)),
    "einsum with host": (TypeError, lambda a, i: xp.einsum("ij,ij->", a, host)),
    "matmul with a number": (TypeError, lambda a, i: xp.matmul(a, 2.0)),
    "at with host values": (TypeError, lambda a, i: xp.add.at(a, (0, i), np.ones(3))),
}
CONVERSION: Refusals = {
    "np.asarray": (TypeError, lambda a, i: np.asarray(a)),
    "np.array of a list": (TypeError, lambda a, i: np.array([a[0, 0], a[0, 1]])),
    "np.exp": (TypeError, lambda a, i: np.exp(a)),
    "np.sum": (TypeError, lambda a, i: np.sum(a)),
    "np.concatenate": (TypeError, lambda a, i: np.concatenate([a, a])),
    "np.add.reduce": (TypeError, lambda a, i: np.add.reduce(a)),
    "np.testing": (TypeError, lambda a, i: np.testing.assert_array_equal(a, host)),
    "host[:] = array": (TypeError, lambda a, i: host.copy().__setitem__(slice(None), a)),
    "array[:] = host": (ValueError, lambda a, i: a.__setitem__(slice(None), host)),
    "array[:] = list": (TypeError, lambda a, i: a.__setitem__(slice(None), [1, 2, 3])),
    "range": (TypeError, lambda a, i: range(i[0])),
    "an index of a list": (TypeError, lambda a, i: [1, 2][i[0]]),
    "round()": (TypeError, lambda a, i: round(a[0, 0])),
    "math.isfinite of many": (TypeError, lambda a, i: math.isfinite(a)),
    "reshape to a device number": (TypeError, lambda a, i: a.reshape(i[0], 6)),
    "hash()": (TypeError, lambda a, i: hash(a)),
    "len() without dimensions": (TypeError, lambda a, i: len(a[0, 0])),
    "iter() without dimensions": (TypeError, lambda a, i: list(a[0, 0])),
    "bool() of many": (ValueError, lambda a, i: bool(a)),
    "strings": (ValueError, lambda a, i: xp.asarray(["a"])),
    "objects": (ValueError, lambda a, i: xp.asarray(np.array([None]))),
}
INDEXING: Refusals = {
    "a host index": (TypeError, lambda a, i: a[np.array([0, 1])]),
    "a list as index": (TypeError, lambda a, i: a[[0, 1]]),
    "a host index among others": (TypeError, lambda a, i: a[np.arange(2), xp.asarray([0, 1])]),
    "out of range by an array": (IndexError, lambda a, i: a[i + 1]),
    "out of range by take": (IndexError, lambda a, i: xp.take(a, i + 1, 0)),
    "out of range by an int": (IndexError, lambda a, i: a[2]),
    "out of range in setitem": (IndexError, lambda a, i: a.__setitem__(i + 1, 0)),
    "out of range in at": (IndexError, lambda a, i: xp.add.at(a, i + 1, 1)),
    "two values for one place": (RuntimeError, lambda a, i: a.__setitem__((0, i), xp.asarray([1.0, 2.0, 3.0]))),
    "a float index": (IndexError, lambda a, i: a[a]),
    "too many indices": (IndexError, lambda a, i: a[0, 0, 0]),
}
MISSING: Refusals = {
    "errstate": (AttributeError, lambda a, i: xp.errstate),
    "vecdot": (AttributeError, lambda a, i: xp.vecdot(a, a)),
    "geomspace": (AttributeError, lambda a, i: xp.geomspace),
    "block": (AttributeError, lambda a, i: xp.block),
    "unstack": (AttributeError, lambda a, i: xp.unstack),
    "linalg.vector_norm": (AttributeError, lambda a, i: xp.linalg.vector_norm),
    "a private name": (AttributeError, lambda a, i: xp._core),
    "ctypes": (AttributeError, lambda a, i: a.ctypes),
    "setflags": (AttributeError, lambda a, i: a.setflags(write=False)),
    "flags.writeable": (AttributeError, lambda a, i: a.flags.writeable),
    "to_device": (AttributeError, lambda a, i: a.to_device("cpu")),
    "sum(where=)": (TypeError, lambda a, i: a.sum(where=a > 0)),
    "sum(initial=)": (TypeError, lambda a, i: xp.sum(a, initial=1)),
    "max(initial=)": (TypeError, lambda a, i: xp.max(a, initial=1)),
    "mean(where=)": (TypeError, lambda a, i: a.mean(where=a > 0)),
    "var(correction=)": (TypeError, lambda a, i: a.var(correction=1)),
    "take(mode=)": (TypeError, lambda a, i: xp.take(a, i, mode="wrap")),
    "argsort(stable=)": (TypeError, lambda a, i: xp.argsort(a, stable=True)),
    "einsum(optimize=)": (TypeError, lambda a, i: xp.einsum("ij->i", a, optimize=True)),
    "zeros(device=)": (TypeError, lambda a, i: xp.zeros(3, device="cuda")),
    "add(where=)": (TypeError, lambda a, i: xp.add(a, a, where=a > 0)),
    "too many arguments": (TypeError, lambda a, i: xp.tril(a, 0, 1)),
    "maximum.reduce": (NotImplementedError, lambda a, i: xp.maximum.reduce(a)),
    "logical_and.reduce": (NotImplementedError, lambda a, i: xp.logical_and.reduce(a)),
    "multiply.at": (NotImplementedError, lambda a, i: xp.multiply.at(a, (0, i), 2)),
    "add.at of int8": (TypeError, lambda a, i: xp.add.at(a.astype("int8"), (0, i), 1)),
    "maximum.at of float16": (TypeError, lambda a, i: xp.maximum.at(a.astype("float16"), (0, i), 1)),
    "subtract.at of floats": (TypeError, lambda a, i: xp.subtract.at(a, (0, i), 1)),
    "sign of bool": (TypeError, lambda a, i: xp.sign(a > 0)),
    "bitwise_and of floats": (TypeError, lambda a, i: xp.bitwise_and(a, a)),
    "sort in place of a transposed": (NotImplementedError, lambda a, i: a.T.sort()),
    "long double": (ValueError, lambda a, i: a.astype(np.longdouble)),
    "an in-place result of a higher kind": (TypeError, lambda a, i: i.__iadd__(1.5)),
}


@pytest.mark.parametrize("name", MIXING | CONVERSION | INDEXING | MISSING)
def test_refused(name: str, a: Any, i: Any) -> None:
    error, action = (MIXING | CONVERSION | INDEXING | MISSING)[name]
    with pytest.raises(error):
        action(a, i)


def test_a_refused_mixture_says_how_to_go_on(a: Any) -> None:
    with pytest.raises(TypeError, match=r"add got a NumPy array of shape \(2, 3\)[\s\S]*from_host"):
        a + host
    with pytest.raises(TypeError, match=r"use xp\.exp"):
        np.exp(a)


ALLOWED: dict[str, tuple[Any, Callable[[Any], Any]]] = {
    "a Python number": (host + 2, lambda a: a + 2),
    "a Python number on the left": (2 - host, lambda a: 2 - a),
    "a NumPy scalar": (host * np.float32(2), lambda a: a * np.float32(2)),
    "a NumPy scalar on the left": (np.float32(2) * host, lambda a: np.float32(2) * a),
    "a wider NumPy scalar widens": (host * np.float64(2), lambda a: a * np.float64(2)),
    "out as the third argument": (host + host, lambda a: xp.add(a, a, xp.empty_like(a))),
    "where with numbers": (np.where(host > 1, host, np.float32(0)), lambda a: xp.where(a > 1, a, 0)),
    "a scalar in boolean setitem": (np.where(host > 1, np.float32(9), host), lambda a: _set(a, a > 1, 9)),
    "equal values in one place": (
        np.where(np.arange(3) > 0, np.float32(7), host),
        lambda a: _set(a, (slice(None), xp.asarray([1, 2, 1])), xp.full(3, 7.0)),
    ),
    "a NumPy scalar without dimensions assigned": (np.full_like(host, 3), lambda a: _set(a, ..., np.array(3.0))),
    "in place": (host * 2 + 1, lambda a: _in_place(a)),
    "cumulative": (host.cumsum(1), lambda a: xp.cumsum(a, 1)),
    "argmax has CuPy's order of parameters": (host.argmax(1).astype(np.int64), lambda a: xp.argmax(a, 1, None)),
    "sort": (np.sort(-host), lambda a: xp.sort(-a)),
    "stack": (np.stack([host, host]), lambda a: xp.stack([a, a])),
    "asarray of device arrays": (np.array([0, 1], np.float32), lambda a: xp.asarray([a[0, 0], a[0, 1]])),
    "as_strided": (host.T, lambda a: xp.lib.stride_tricks.as_strided(a, (3, 2), (4, 12))),
    "astype": (host.astype(np.int8), lambda a: a.astype("int8")),
    "add.at": (np.array([1, 2], np.float32), lambda a: _added(xp.zeros(2, "float32"), xp.asarray([0, 1, 1]))),
    "linalg": (np.linalg.inv(np.eye(2) * 2), lambda a: xp.linalg.inv(xp.eye(2) * 2)),
    "divmod": (host // 2, lambda a: divmod(a, 2)[0]),
    "swapaxes": (host.T, lambda a: xp.swapaxes(a, 0, 1)),
    "repeat": (host.repeat(2, 1), lambda a: xp.repeat(a, 2, 1)),
    "split": (host[:, :1], lambda a: xp.split(a, 3, 1)[0]),
    "clip": (host.clip(1, 3), lambda a: xp.clip(a, 1, 3)),
    "arange": (np.arange(0, 4, 2, np.float32), lambda a: xp.arange(0, 4, 2, np.float32)),
    "tri": (np.tri(2, 3), lambda a: xp.tri(2, 3)),
}  # fmt: skip


def _set(a: Any, index: Any, value: Any) -> Any:
    a[index] = value
    return a


def _in_place(a: Any) -> Any:
    a *= 2
    a += 1
    return a


def _added(x: Any, index: Any) -> Any:
    xp.add.at(x, index, 1)
    return x


@pytest.mark.parametrize("name", ALLOWED)
def test_allowed(name: str, a: Any) -> None:
    expected, action = ALLOWED[name]
    result = action(a)
    assert type(result) is xp.ndarray
    assert result.dtype == np.asarray(expected).dtype
    np.testing.assert_array_equal(result.get(), expected)


def test_results_without_dimensions_are_arrays(a: Any) -> None:
    for result in (
        a.sum(),
        a.max(),
        a[0, 0],
        a[0, 0] + 1,
        xp.argmax(a),
        a.mean(),
        a @ a.T @ xp.ones(2),
        xp.sqrt(a[0, 0]),
    ):
        assert type(result) is xp.ndarray
    assert a.sum().shape == ()


def test_an_element_is_a_view_and_one_chosen_by_an_array_is_not(a: Any) -> None:
    element = a[1, 2]
    element[...] = 50
    assert float(a[1, 2]) == 50
    chosen = a[xp.asarray(1), xp.asarray(2)]
    chosen[...] = 60
    assert float(a[1, 2]) == 50


def test_argsort_without_dimensions_has_one(a: Any) -> None:
    assert xp.argsort(a[0, 0]).shape == (1,)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "complex64", "bfloat16"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_new_floating_memory_is_nan(dtype: str, order: str) -> None:
    if dtype == "bfloat16":
        dtype = pytest.importorskip("ml_dtypes").bfloat16
    for x in (xp.empty((2, 3), dtype, order), xp.ndarray((2, 3), dtype), xp.empty_like(xp.ones((2, 3), dtype))):
        assert np.isnan(x.get()).all()
    assert xp.empty((), dtype).ndim == 0
    assert xp.empty((0, 2), dtype).size == 0


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int16", "int32", "int64"])
def test_new_integer_memory_is_garbage(dtype: str) -> None:
    for x in (xp.empty((2, 3), dtype), xp.empty((2, 3), dtype, "F"), xp.empty_like(xp.zeros((2, 3), dtype))):
        assert set(x.get().tobytes()) == {0xA5}
    assert xp.empty(0, dtype).size == 0
    assert set(xp.empty((), dtype).get().tobytes()) == {0xA5}


def test_new_bool_memory_is_not_all_false() -> None:
    assert xp.empty(3, bool).get().any()


SYNCS: dict[str, Callable[[Any], Any]] = {
    "bool()": lambda a: bool(a[0, 0]),
    "float()": lambda a: float(a[0, 0]),
    "int()": lambda a: int(a[0, 0]),
    "if": lambda a: 1 if a[0, 0] > 0 else 2,
    "item()": lambda a: a.sum().item(),
    "tolist()": lambda a: a.tolist(),
    "tobytes()": lambda a: a.tobytes(),
    "get()": lambda a: a.get(),
    "to_host()": backend.to_host,
    "nonzero()": lambda a: a.nonzero(),
    "xp.nonzero": xp.nonzero,
    "xp.where of a condition alone": lambda a: xp.where(a > 0),
    "xp.unique": lambda a: xp.unique(a),
    "xp.argwhere": lambda a: xp.argwhere(a),
    "a boolean mask": lambda a: a[a > 0],
    "a boolean mask in setitem": lambda a: _set(a, a > 0, 1),
}
NO_SYNCS: dict[str, Callable[[Any], Any]] = {
    "arithmetic": lambda a: (a * 2 + a) / 3 - a**2,
    "reductions": lambda a: a.sum(0) + a.max() + a.mean(1).sum(),
    "matmul": lambda a: a.T @ a,
    "where": lambda a: xp.where(a > 0, a, 0),
    "indexing by integers": lambda a: a[xp.asarray([0, 1]), :2],
    "setitem": lambda a: _set(a, (0, slice(None)), a[1]),
    "shape": lambda a: (a.shape, a.dtype, a.size, len(a)),
    "repeat": lambda a: xp.repeat(a, 2, 0),
    "upload": lambda a: xp.asarray(host),
}


@pytest.mark.parametrize("name", SYNCS)
def test_waiting_is_counted_and_can_be_forbidden(name: str, a: Any) -> None:
    with count_syncs() as counts:
        SYNCS[name](a)
    assert counts.syncs >= 1
    assert counts.reasons
    with pytest.raises(SynchronizationError, match="no synchronization inside the step"), forbid_sync("the step"):
        SYNCS[name](a)
    SYNCS[name](a)  # allowed again


@pytest.mark.parametrize("name", NO_SYNCS)
def test_the_rest_does_not_wait(name: str, a: Any) -> None:
    with count_syncs() as counts, forbid_sync():
        NO_SYNCS[name](a)
    assert counts.syncs == 0


def test_launches_and_transfers_are_counted(a: Any) -> None:
    with count_syncs() as counts:
        b = xp.asarray(host)
        c = (a + b) * 2
        c.sum()
        c.reshape(6).T[:2]  # views launch nothing
        with count_syncs() as inner:
            c.get()
    assert (counts.launches, counts.transfers, counts.syncs) == (3, 2, 1)
    assert (inner.launches, inner.transfers, inner.syncs) == (0, 1, 1)
    a + b
    assert counts.launches == 3
    assert repr(counts) == "Counters(launches=3, transfers=2, syncs=1)"


def test_what_an_array_is(a: Any) -> None:
    assert (a.shape, a.ndim, a.size, a.dtype, a.itemsize, a.nbytes) == ((2, 3), 2, 6, np.float32, 4, 24)
    assert a.strides == (12, 4) and a.T.strides == (4, 12)
    assert a.flags.c_contiguous and not a.T.flags.c_contiguous and a.T.flags.f_contiguous
    assert a.flags["C_CONTIGUOUS"] and a.flags.owndata and not a.T.flags.owndata
    assert a.base is None and a.T.base is a and a.T[0].base is a and a.copy().base is None
    assert a.T.reshape(-1).base is None
    assert a[1:].data.ptr == a.data.ptr + 12
    assert "strict" in repr(a) and "[3. 4. 5.]" in str(a)
    assert [row.tolist() for row in a] == host.tolist()
    assert xp.get_array_module(a) is xp and xp.get_array_module(host) is np


def test_set_and_get(a: Any) -> None:
    a.set(host + 1)
    np.testing.assert_array_equal(a.get(), host + 1)
    with pytest.raises(ValueError, match="Shape mismatch"):
        a.set(host[0])
    with pytest.raises(TypeError, match="float64"):
        a.set(host.astype(float))
    given = np.zeros_like(host)
    assert a.get(out=given) is given
    assert given[0, 0] == 1


def test_uploads_and_downloads_are_copies() -> None:
    source = np.zeros(2)
    there = backend.from_host(source)
    source[0] = 1
    assert float(there[0]) == 0
    back = backend.to_host(there)
    back[0] = 2
    assert float(there[0]) == 0


@pytest.mark.parametrize("way", [copy.copy, copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_copies_are_on_the_device(way: Callable[[Any], Any], a: Any) -> None:
    b = way(a.T)
    assert type(b) is xp.ndarray
    b += 1
    np.testing.assert_array_equal(a.get(), host)
    np.testing.assert_array_equal(b.get(), host.T + 1)


# CuPy's loops decide result dtypes; each was found with the real front end (CuPy 14.2).
@pytest.mark.parametrize(
    ("name", "dtypes", "expected"),
    [
        ("sqrt", ["int8"], "float16"),
        ("sqrt", ["int64"], "float64"),
        ("floor", ["int64"], "int64"),
        ("power", ["bool", "bool"], "int8"),
        ("true_divide", ["int8", "int8"], "float64"),
        ("absolute", ["bool"], "bool"),
        ("add", ["float32", "int64"], "float64"),
        ("equal", ["float16", "float16"], "bool"),
        ("arctan2", ["int8", "int8"], "float16"),
    ],
)
def test_result_dtypes_are_those_of_cupy_s_loops(name: str, dtypes: list[str], expected: str) -> None:
    assert getattr(xp, name)(*[xp.ones(2, d) for d in dtypes]).dtype == expected


def test_every_ufunc_that_both_have_is_imitated() -> None:
    assert set(UFUNCS) == {n for n in FACTS["ufuncs"] if isinstance(getattr(np, n, None), np.ufunc)}
    assert len(UFUNCS) > 90


def test_the_facts_are_those_of_the_installed_cupy() -> None:
    cupy = pytest.importorskip("cupy", reason="no CuPy whose front end could be compared")
    pytest.importorskip("ml_dtypes", reason="without it CuPy has no loops for bfloat16")
    if cupy.__version__ != FACTS["version"]:
        pytest.skip(f"the facts are of CuPy {FACTS['version']}, here is {cupy.__version__}")
    import importlib.util

    path = Path(__file__).with_name("write_cupy_facts.py")
    spec = importlib.util.spec_from_file_location("write_cupy_facts", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert json.loads(json.dumps(module.facts())) == FACTS
