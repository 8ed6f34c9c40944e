"""Numbers that the graph has saved and NumPy can reach: a write through NumPy is noticed, or does no harm."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import nbtorch

pytestmark = pytest.mark.cpu_only("memory shared with NumPy")

NOTICED = "modified by an inplace operation"


def saved() -> tuple[nbtorch.Tensor, nbtorch.Tensor, nbtorch.Tensor]:
    """A leaf, a tensor that the graph saves, and the loss."""
    x = nbtorch.tensor([3.0, 4.0], requires_grad=True)
    y = x * 1
    return x, y, (y * y * y).sum()


WRITES: dict[str, Callable[[nbtorch.Tensor], object]] = {
    "numpy()": lambda t: t.detach().numpy().__setitem__(0, 10.0),
    "temporary slice": lambda t: t.detach().numpy()[:1].__setitem__(0, 10.0),
    "temporary whole": lambda t: t.detach().numpy().fill(10.0),
    "ufunc with out": lambda t: np.multiply(t.detach().numpy(), 2.0, out=t.detach().numpy()),
    "asarray": lambda t: np.asarray(t.detach()).__setitem__(1, 5.0),
    "view of a slice of a view": lambda t: t.detach().view(2, 1)[1:].numpy().reshape(-1)[...].__setitem__(0, 7.0),
    "another dtype over the bytes": lambda t: t.detach().numpy().view(np.uint8).__setitem__(0, 255),
    "data": lambda t: t.data.numpy().__setitem__(0, 10.0),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES.keys())
def test_a_write_after_saving_is_noticed(write: Callable[[nbtorch.Tensor], object]) -> None:
    _, y, loss = saved()
    write(y)
    with pytest.raises(RuntimeError, match=NOTICED) as caught:
        loss.backward()
    assert "NumPy" in str(caught.value)


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES.keys())
def test_a_write_before_saving_is_part_of_the_value(write: Callable[[nbtorch.Tensor], object]) -> None:
    x = nbtorch.tensor([3.0, 4.0], requires_grad=True)
    y = x * 1
    write(y)
    (y * y).sum().backward()
    assert x.grad.tolist() == (y.detach() * 2).tolist()


def test_an_array_kept_from_before_is_watched() -> None:
    x = nbtorch.tensor([3.0, 4.0], requires_grad=True)
    y = x * 1
    array = y.detach().numpy()
    part = array[1:]
    del array
    loss = (y * y).sum()
    part[0] = 9.0
    with pytest.raises(RuntimeError, match=NOTICED):
        loss.backward()


def test_the_user_s_own_array_is_watched() -> None:
    array = np.array([3.0, 4.0])
    data = nbtorch.from_numpy(array)
    w = nbtorch.tensor([1.0, 2.0], dtype=nbtorch.float64, requires_grad=True)
    loss = (w * data).sum()
    array[0] = 100.0
    with pytest.raises(RuntimeError, match=NOTICED):
        loss.backward()


def test_a_slice_of_the_user_s_own_array_is_watched() -> None:
    array = np.arange(6.0).reshape(2, 3)
    w = nbtorch.ones(3, dtype=nbtorch.float64, requires_grad=True)
    loss = (w * nbtorch.from_numpy(array)[1]).sum()
    array[1, 2] = 100.0
    with pytest.raises(RuntimeError, match=NOTICED):
        loss.backward()


def test_as_tensor_shares_and_is_watched() -> None:
    array = np.array([3.0, 4.0])
    data = nbtorch.as_tensor(array)
    w = nbtorch.ones(2, dtype=nbtorch.float64, requires_grad=True)
    loss = (w * data).sum()
    array *= 2
    assert data.tolist() == [6.0, 8.0]
    with pytest.raises(RuntimeError, match=NOTICED):
        loss.backward()


def test_the_next_batch_in_the_same_array_is_fine() -> None:
    array = np.zeros(2)
    data = nbtorch.from_numpy(array)
    w = nbtorch.ones(2, dtype=nbtorch.float64, requires_grad=True)
    for step in range(3):
        array[:] = step
        loss = (w * data).sum()
        loss.backward()
        assert w.grad.tolist() == [float(step)] * 2
        w.grad = None


def test_a_parameter_updated_through_numpy_between_forward_and_backward() -> None:
    w = nbtorch.tensor([3.0], requires_grad=True)
    loss = (w * w).sum()
    w.detach().numpy()[:] = 2.0
    with pytest.raises(RuntimeError, match=NOTICED):
        loss.backward()


def test_a_parameter_updated_through_numpy_between_steps() -> None:
    w = nbtorch.tensor([3.0], requires_grad=True)
    for expected in (6.0, 4.0):
        w.grad = None
        (w * w).sum().backward()
        assert w.grad.item() == expected
        w.detach().numpy()[:] = 2.0


def test_the_same_numbers_written_again_are_no_change() -> None:
    x, y, loss = saved()
    y.detach().numpy()[:] = [3.0, 4.0]
    loss.backward()
    assert x.grad.tolist() == [27.0, 48.0]


def test_what_the_graph_did_not_save_may_be_written() -> None:
    x = nbtorch.tensor([3.0, 4.0], requires_grad=True)
    y = x * 1
    loss = (y + 1).sum()
    y.detach().numpy()[:] = 0
    loss.backward()
    assert x.grad.tolist() == [1.0, 1.0]


def test_numpy_of_a_tensor_that_requires_grad_is_refused() -> None:
    with pytest.raises(RuntimeError, match="detach"):
        nbtorch.ones(2, requires_grad=True).numpy()
    assert nbtorch.ones(2, requires_grad=True).numpy(force=True).tolist() == [1.0, 1.0]


def test_numpy_shares_memory_both_ways() -> None:
    t = nbtorch.zeros(2, 3)
    array = t.numpy()
    array[1] = 1
    t[0] = 2
    assert t.tolist() == array.tolist() == [[2.0] * 3, [1.0] * 3]


def test_an_operand_array_is_copied() -> None:
    array = np.array([1.0, 2.0])
    w = nbtorch.ones(2, dtype=nbtorch.float64, requires_grad=True)
    loss = (w * array).sum()
    array[:] = 100
    loss.backward()
    assert w.grad.tolist() == [1.0, 2.0]


def test_tensor_copies_its_data() -> None:
    array = np.array([1.0, 2.0])
    t = nbtorch.tensor(array)
    array[:] = 5
    assert t.tolist() == [1.0, 2.0]


def test_a_read_only_array_can_be_read() -> None:
    array = np.arange(3.0)
    array.flags.writeable = False
    t = nbtorch.from_numpy(array)
    assert (t * 2).tolist() == [0.0, 2.0, 4.0]
    with pytest.raises(RuntimeError, match="clone"):
        t.add_(1)
