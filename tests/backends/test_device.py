"""Device names are read as PyTorch reads them, and a device that can't be used says why."""

from __future__ import annotations

import copy
import pickle
from types import ModuleType
from typing import Any

import pytest

from nbtorch.backends import device, get_backend, host

GOOD: list[tuple[Any, ...]] = [
    ("cpu",), ("cpu:0",), ("cuda",), ("cuda:0",), ("cuda:1",), ("cuda:12",), ("cpu", 0), ("cuda", 3), ("cuda", None),
]  # fmt: skip
BAD: list[tuple[Any, ...]] = [
    ("",), ("gpu",), ("cuda:",), (":0",), ("cuda:x",), ("cuda:-1",), ("cuda: 1",), ("cuda:1.0",), ("CPU",), ("cpu ",),
    (" cpu",), ("cuda:01",), ("cuda:1:2",), ("cuda:0", 1), ("cpu:+1",), ("cuda:²",), (None,), (1.5,), (-1,),
    ("cuda", -2), ("cuda", "0"), ([],), ("cpu", 1.0), (True, True), (True,),
    ("cuda", True), ("cuda:00",),
]  # fmt: skip


@pytest.mark.parametrize("args", GOOD, ids=repr)
def test_good_names(args: tuple[Any, ...], torch_ref: ModuleType) -> None:
    ours, theirs = device(*args), torch_ref.device(*args)
    assert (ours.type, ours.index) == (theirs.type, theirs.index)
    assert str(ours) == str(theirs)
    assert repr(ours) == repr(theirs)


@pytest.mark.parametrize("args", BAD, ids=repr)
def test_bad_names(args: tuple[Any, ...], torch_ref: ModuleType) -> None:
    with pytest.raises(Exception) as theirs:
        torch_ref.device(*args)
    with pytest.raises(type(theirs.value)):
        device(*args)


def test_a_device_of_a_device_and_of_a_number() -> None:
    assert device(device("cuda:1")) == device("cuda", 1) == device(1)


def test_equality_and_hash(torch_ref: ModuleType) -> None:
    names = ["cpu", "cpu:0", "cuda", "cuda:0", "cuda:1"]
    for a in names:
        for b in names:
            assert (device(a) == device(b)) == (torch_ref.device(a) == torch_ref.device(b)), (a, b)
    assert device("cpu") != "cpu"
    assert len({device("cuda:1"), device("cuda", 1), device("cuda")}) == 2


@pytest.mark.parametrize("way", [copy.copy, copy.deepcopy, lambda d: pickle.loads(pickle.dumps(d))])
def test_copies(way: Any) -> None:
    assert way(device("cuda:1")) == device("cuda:1")


def test_one_device_has_one_backend() -> None:
    assert get_backend(None) is get_backend("cpu") is get_backend(device("cpu")) is get_backend("cpu:0") is host
    assert get_backend("strict") is get_backend("strict:0") is get_backend(device("strict"))
    assert get_backend("strict:0") is not get_backend("strict:1")
    assert repr(get_backend("strict")) == "StrictBackend('strict:0')"


def test_an_unknown_device_says_which_there_are() -> None:
    with pytest.raises(RuntimeError, match=r"cpu, cuda[\s\S]*got: 'tpu'[\s\S]*fix:"):
        get_backend("tpu")
