"""Memory crosses to NumPy and PyTorch and back without a copy."""

from __future__ import annotations

from typing import Any

import helpers
import numpy as np
import pytest

import nbtorch

pytestmark = pytest.mark.cpu_only("memory on the host")

DTYPES = ["float32", "float64", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8", "bool"]


@pytest.mark.parametrize("dtype", DTYPES)
def test_to_and_from_pytorch(dtype: str, torch_ref: Any) -> None:
    ours = nbtorch.zeros(2, 3, dtype=getattr(nbtorch, dtype))
    theirs = torch_ref.from_dlpack(ours.t())
    assert str(theirs.dtype) == str(ours.dtype) and tuple(theirs.shape) == (3, 2) and theirs.stride() == (1, 3)
    theirs[1, 0] = 1
    assert ours[0, 1].item() == 1
    back = nbtorch.from_dlpack(theirs)
    assert back.dtype is ours.dtype and back.stride() == (1, 3)
    back[2, 1] = 1
    assert theirs[2, 1].item() == 1 and ours[1, 2].item() == 1
    for make in (nbtorch.utils.dlpack.to_dlpack, lambda t: t.__dlpack__()):
        again = torch_ref.utils.dlpack.from_dlpack(make(ours))
        again[0, 0] = 1
        assert ours[0, 0].item() == 1
    taken = nbtorch.utils.dlpack.from_dlpack(torch_ref.utils.dlpack.to_dlpack(theirs))
    taken[0, 1] = 1
    assert theirs[0, 1].item() == 1


@pytest.mark.parametrize("dtype", [d for d in DTYPES if d != "bfloat16"])
def test_to_and_from_numpy(dtype: str) -> None:
    ours = nbtorch.zeros(3, dtype=getattr(nbtorch, dtype))
    array = np.from_dlpack(ours)
    array[0] = 1
    assert ours[0].item() == 1 and array.dtype.name == dtype
    source = np.zeros((2, 3), dtype)
    tensor = nbtorch.from_dlpack(source)
    tensor[1, 1] = 1
    assert source[1, 1] == 1


def test_memory_lives_as_long_as_its_last_user(torch_ref: Any) -> None:
    ours = nbtorch.from_dlpack(torch_ref.arange(1000.0))
    theirs = torch_ref.from_dlpack(nbtorch.arange(1000.0) * 1)
    halves = nbtorch.from_dlpack(torch_ref.arange(1000).to(torch_ref.bfloat16))
    junk = [np.zeros(1000) for _ in range(50)]
    assert ours.sum().item() == theirs.sum().item() == 499500 and halves[3].item() == 3 and len(junk) == 50


def test_copy_and_device(torch_ref: Any) -> None:
    source = np.zeros(2)
    nbtorch.from_dlpack(source, copy=True)[0] = 1
    assert source[0] == 0
    nbtorch.from_dlpack(source, device="cpu", copy=False)[0] = 1
    assert source[0] == 1
    assert nbtorch.from_dlpack(source, device="strict").device.type == "strict"
    with pytest.raises(ValueError, match="without a copy"):
        nbtorch.from_dlpack(source, device="strict", copy=False)
    ours = nbtorch.zeros(2)
    torch_ref.from_dlpack(ours, copy=True)[0] = 1
    assert ours.tolist() == [0.0, 0.0] and ours.__dlpack_device__() == (1, 0)


def test_a_read_only_array_stays_so() -> None:
    source = np.zeros(2)
    source.flags.writeable = False
    tensor = nbtorch.from_dlpack(source)
    with pytest.raises(RuntimeError):
        tensor[0] = 1
    assert (tensor + 1).tolist() == [1.0, 1.0]


def test_a_write_by_another_library_is_noticed(torch_ref: Any) -> None:
    x = nbtorch.ones(3, requires_grad=True)
    y = x * 1
    loss = (y * y).sum()
    torch_ref.from_dlpack(y.detach())[0] = 5
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


def test_refusals(torch_ref: Any) -> None:
    leaf = nbtorch.ones(2, requires_grad=True)
    for take in (np.from_dlpack, torch_ref.from_dlpack, nbtorch.from_dlpack):
        with pytest.raises(BufferError, match="require gradient"):
            take(leaf)
    capsule = nbtorch.ones(2).__dlpack__()
    nbtorch.from_dlpack(capsule)
    with pytest.raises(RuntimeError, match="only once"):
        nbtorch.from_dlpack(capsule)
    with pytest.raises(RuntimeError, match="DLPack"):
        nbtorch.from_dlpack(3)
    with pytest.raises(AssertionError, match="stream"):
        nbtorch.ones(2).__dlpack__(stream=1)
    with pytest.raises(BufferError):
        nbtorch.ones(2).__dlpack__(dl_device=(2, 0))
    with pytest.raises(ValueError, match="negative"):
        nbtorch.from_dlpack(np.zeros(4)[::-1])
    with pytest.raises(TypeError):
        nbtorch.from_dlpack(np.zeros(2, np.complex64))
    np.testing.assert_array_equal(helpers.to_numpy(nbtorch.from_dlpack(nbtorch.arange(3))), [0, 1, 2])
