"""Dtypes promote, print and measure as PyTorch's do."""

from __future__ import annotations

import copy
import pickle
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from nbtorch.backends import dtypes
from nbtorch.backends.dtypes import ALL, dtype, finfo, from_numpy_dtype, iinfo, promote_types

NAMES = [repr(d).removeprefix("torch.") for d in ALL]


@pytest.mark.parametrize("a", ALL, ids=repr)
@pytest.mark.parametrize("b", ALL, ids=repr)
def test_promotion_is_pytorch_s(a: dtype, b: dtype, torch_ref: ModuleType) -> None:
    theirs = torch_ref.promote_types(*(getattr(torch_ref, repr(d).removeprefix("torch.")) for d in (a, b)))
    assert repr(promote_types(a, b)) == repr(theirs)


@pytest.mark.parametrize("name", NAMES)
def test_a_dtype_is_pytorch_s(name: str, torch_ref: ModuleType) -> None:
    ours: Any = next(d for d in ALL if repr(d) == f"torch.{name}")
    theirs = getattr(torch_ref, name)
    for attribute in ("itemsize", "is_floating_point", "is_signed", "is_complex"):
        assert getattr(ours, attribute) == getattr(theirs, attribute), attribute
    assert repr(ours) == str(ours) == repr(theirs)


@pytest.mark.parametrize("d", ALL, ids=repr)
def test_numpy_and_back(d: dtype) -> None:
    if d is dtypes.bfloat16:
        pytest.importorskip("ml_dtypes")
    assert from_numpy_dtype(np.zeros(1, d.numpy).dtype) is d
    assert d.numpy.itemsize == d.itemsize


@pytest.mark.parametrize("d", ALL, ids=repr)
def test_a_copy_of_a_dtype_is_itself(d: dtype) -> None:
    assert copy.copy(d) is copy.deepcopy(d) is pickle.loads(pickle.dumps(d)) is d


@pytest.mark.parametrize("bad", ["U1", "O", "complex64", "uint16", "uint64", "M8[s]", ">f4"])
def test_foreign_numpy_dtypes_are_refused_with_a_way_out(bad: str) -> None:
    with pytest.raises(TypeError, match=r"can't[\s\S]*fix:[\s\S]*astype"):
        from_numpy_dtype(np.dtype(bad))


def test_bfloat16_without_ml_dtypes_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "ml_dtypes", None)
    fresh = dtype("bfloat16", None, dtypes.FLOATING, 2)
    with pytest.raises(TypeError, match="pip install ml_dtypes"):
        _ = fresh.numpy


FLOATING = [d for d in ALL if d.is_floating_point]
INTEGER = [d for d in ALL if d.category == dtypes.INTEGER]


@pytest.mark.parametrize("d", FLOATING, ids=repr)
def test_finfo_is_pytorch_s(d: dtype, torch_ref: ModuleType) -> None:
    if d is dtypes.bfloat16:
        pytest.importorskip("ml_dtypes")
    theirs = torch_ref.finfo(getattr(torch_ref, repr(d).removeprefix("torch.")))
    for attribute in ("bits", "eps", "max", "min", "tiny", "smallest_normal", "dtype"):
        assert getattr(finfo(d), attribute) == getattr(theirs, attribute), attribute


@pytest.mark.parametrize("d", INTEGER, ids=repr)
def test_iinfo_is_pytorch_s(d: dtype, torch_ref: ModuleType) -> None:
    theirs = torch_ref.iinfo(getattr(torch_ref, repr(d).removeprefix("torch.")))
    for attribute in ("bits", "max", "min", "dtype"):
        assert getattr(iinfo(d), attribute) == getattr(theirs, attribute), attribute


def test_limits_of_the_wrong_kind_are_refused() -> None:
    with pytest.raises(TypeError, match="use iinfo"):
        finfo(dtypes.int32)
    with pytest.raises(TypeError, match="use finfo"):
        iinfo(dtypes.float32)


def test_the_default_dtype_can_be_changed_to_a_floating_one() -> None:
    assert dtypes.get_default_dtype() is dtypes.float32
    try:
        dtypes.set_default_dtype(dtypes.float64)
        assert dtypes.get_default_dtype() is dtypes.float64
    finally:
        dtypes.set_default_dtype(dtypes.float32)
    for bad in (dtypes.int64, "float32", None):
        with pytest.raises(TypeError, match="floating-point"):
            dtypes.set_default_dtype(bad)  # type: ignore[arg-type]
