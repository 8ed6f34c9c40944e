"""Elementwise work in shares: the same bits, the same errors, and no thread left behind."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import nbtorch
from nbtorch.backends import get_backend, numpy, set_threads, threads
from nbtorch.backends.base import UFUNCS

N = 10_007  # not a multiple of anything


@pytest.fixture
def several(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A backend whose work is in four shares, however little it is."""
    before = threads.used_threads()
    threads.count_shares(4)
    monkeypatch.setattr(numpy, "shared", lambda function: threads.shared(function, 1))
    backend = numpy.NumpyBackend()
    numpy.share_work(backend, 4)
    yield backend
    threads.count_shares(before)


@pytest.mark.parametrize("name", threads.SHARED)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_shares_give_the_same_bits(several: Any, name: str, dtype: str) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=N).astype(dtype) * 3
    x[:3] = np.inf, np.nan, -0.0
    y = rng.uniform(0.1, 2, N).astype(dtype)
    static: dict[str, tuple[Any, ...]] = {
        "elu": (0.7, 1.1, 1.0), "elu_backward": (1.0, 1.0, 1.0), "softplus": (2.0, 1.0), "softplus_backward": (1.0, 2.0)
    }  # fmt: skip
    two = name.endswith("_backward") or (name in UFUNCS and getattr(np, UFUNCS[name]).nin == 2)
    shapes: list[Any] = [(N,), (-1, 1, N), (N, 1)]
    plain = get_backend("cpu")
    for shape in shapes:
        args = (x.reshape(shape), *((y.reshape(shape),) if two else ()), *static.get(name, ()))
        with np.errstate(all="ignore"):
            actual, expected = getattr(several, name)(*args), getattr(plain, name)(*args)
        assert actual.shape == expected.shape
        np.testing.assert_array_equal(actual.view(f"i{actual.itemsize}"), expected.view(f"i{actual.itemsize}"))


def test_what_is_no_plain_vector_is_left_to_one_thread(several: Any) -> None:
    x = np.linspace(0.1, 2, N, dtype=np.float32)
    with np.errstate(all="ignore"):
        for args in [(x[::2],), (x.astype(np.float16),), (np.arange(N),), (x.reshape(1, -1).T,), (x[:0],), (x[0],)]:
            np.testing.assert_array_equal(several.exp(*args), np.exp(*args))
        for args in [(x, 2.0), (2.0, x), (x, x.astype(np.float64)), (x, np.float64(2)), (x, x[:1]), (x, x, x.copy())]:
            expected = np.power(*args)
            actual = several.pow(*args)
            assert actual.dtype == expected.dtype
            np.testing.assert_array_equal(actual, expected)
    spread = np.broadcast_to(np.float32(0.5), x.shape)
    np.testing.assert_array_equal(several.silu_backward(spread, x), get_backend("cpu").silu_backward(spread, x))


@pytest.mark.parametrize("at", [0, N - 1])
def test_settings_for_errors_hold_in_every_share(several: Any, at: int) -> None:
    x = np.ones(N, np.float32)
    x[at] = -1
    with np.errstate(all="raise"), pytest.raises(FloatingPointError):
        several.log(x)
    with np.errstate(all="warn"), pytest.warns(RuntimeWarning, match="invalid value"):
        several.log(x)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("error")
        assert np.isnan(several.log(x)[at])


def test_an_interrupted_share_is_waited_for_and_the_next_call_works(several: Any) -> None:
    calls = []

    def interrupted(x: Any) -> Any:
        calls.append(len(x))
        if x[0] == 0:
            raise KeyboardInterrupt
        return x

    with pytest.raises(KeyboardInterrupt):
        threads.shared(interrupted, 1)(np.arange(N, dtype=np.float32))
    np.testing.assert_array_equal(threads.shared(np.exp, 1)(np.ones(N)), np.exp(np.ones(N)))
    inside = []
    nested = threads.shared(np.exp, 1)
    outer = threads.shared(lambda x: inside.append(threads._here.busy) or nested(x), 1)
    np.testing.assert_array_equal(outer(np.ones(N)), np.exp(np.ones(N)))
    assert inside == [True] * 4


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
def test_a_forked_process_and_the_end_of_the_interpreter() -> None:
    program = (
        "import os, atexit, nbtorch\n"
        "nbtorch.set_num_threads(3)\n"
        "x = nbtorch.ones(400_000)\n"
        "total = x.exp().sum().item()\n"
        "child = os.fork()\n"
        "assert x.exp().sum().item() == total\n"
        "nbtorch.set_num_threads(2)\n"
        "assert x.exp().sum().item() == total\n"
        "if child: assert os.waitpid(child, 0)[1] == 0; atexit.register(lambda: print(x.exp()[0].item() > 2.7))\n"
    )
    out = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert (out.returncode, out.stdout) == (0, "True\n"), out.stderr


@pytest.mark.parametrize(
    ("said", "cores", "expected"),
    [({}, 1, 1), ({}, 2, 1), ({}, 6, 6), ({"OMP_NUM_THREADS": "2"}, 1, 2), ({"OPENBLAS_NUM_THREADS": "x"}, 2, 1)],
)
def test_threads_to_begin_with(
    said: dict[str, str], cores: int, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_to = []
    for name in threads._SAID:
        monkeypatch.delenv(name, raising=False)
    for name, value in said.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(threads, "_cores", lambda: cores)
    monkeypatch.setattr(threads, "use_threads", set_to.append)
    monkeypatch.setattr(os, "cpu_count", lambda: 6)
    assert threads.default_threads() == expected
    assert set_to == ([] if expected == 6 or said.get("OMP_NUM_THREADS") else [expected])
    assert threads._cores() == cores


def test_the_number_of_threads_can_be_set_and_is_told() -> None:
    before = nbtorch.get_num_threads()
    try:
        nbtorch.set_num_threads(3)
        assert nbtorch.get_num_threads() == 3
        assert "3 threads" in nbtorch.__config__.parallel_info()
        assert get_backend("cpu").exp is not np.exp
    finally:
        set_threads(1)
    assert get_backend("cpu").exp is np.exp
    assert "sigmoid" not in vars(get_backend("cpu"))
    set_threads(before)
    for bad in (0, -1, True, 1.5, "2"):
        with pytest.raises(RuntimeError, match=r"set_num_threads expects an? (int|positive)"):
            nbtorch.set_num_threads(bad)
