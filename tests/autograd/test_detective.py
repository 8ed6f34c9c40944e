"""What nbtorch tells beyond PyTorch: why a gradient is missing, where a NaN was born, who wrote into saved memory."""

from __future__ import annotations

import inspect
from collections.abc import Callable

import numpy as np
import pytest

import nbtorch


def line(offset: int = 0) -> str:
    """The line that calls this, as messages name it."""
    frame = inspect.currentframe()
    assert frame is not None and frame.f_back is not None
    return f"line {frame.f_back.f_lineno + offset} "


def anomaly(program: Callable[[], nbtorch.Tensor]) -> str:
    with nbtorch.autograd.detect_anomaly():
        loss = program()
        with pytest.raises(RuntimeError, match="returned nan values") as caught:
            loss.backward()
    return str(caught.value)


def test_the_masked_branch_and_its_remedy(device: str) -> None:
    x = nbtorch.tensor([0.0, 2.0], device=device, requires_grad=True)

    def program() -> nbtorch.Tensor:
        y = x.log() * 2
        return nbtorch.where(x > 0, y, x).sum()

    text = anomaly(program)
    assert "LogBackward0" in text and "y = x.log() * 2" in text
    assert "return nbtorch.where(x > 0, y, x).sum()" in text
    assert "double where" in text and "safe = torch.where(mask, x, 1.0)" in text and "torch.log(safe)" in text
    assert "made -inf at [0] (1 of 2 elements) of input 0" in text
    assert "the gradient that arrived was 0" in text
    with nbtorch.autograd.detect_anomaly():
        safe = nbtorch.where(x > 0, x, 1.0)
        nbtorch.where(x > 0, safe.log() * 2, x).sum().backward()
    assert x.grad.tolist() == [1.0, 1.0]


def test_the_first_bad_value_of_the_forward_pass(device: str) -> None:
    x = nbtorch.tensor([-1.0, 4.0], device=device, requires_grad=True)

    def program() -> nbtorch.Tensor:
        bad = x.sqrt()
        return (bad * 3).sum()

    text = anomaly(program)
    assert "first bad value of the forward pass: Sqrt made nan at [0]" in text and "bad = x.sqrt()" in text


def test_a_nan_of_backward_alone(device: str) -> None:
    x = nbtorch.zeros(3, device=device, requires_grad=True)
    text = anomaly(lambda: (x.sqrt() * nbtorch.zeros(3, device=device)).sum())
    assert "SqrtBackward0" in text and "first bad value of the forward" not in text and "masked branch" in text


def test_notes_end_with_the_block(device: str) -> None:
    x = nbtorch.tensor([0.0], device=device, requires_grad=True)
    with nbtorch.autograd.detect_anomaly():
        x.log()
        assert nbtorch.autograd.anomaly.noting == 1
    assert nbtorch.autograd.anomaly.noting == 0
    x.log().sum().backward()


def test_why_no_grad_of_what_was_computed(device: str) -> None:
    x = nbtorch.ones(2, device=device, requires_grad=True)
    y, here = x * 2, line()
    assert y.why_no_grad().reason == "not_leaf"
    assert here in y.why_no_grad() and "MulBackward0" in y.why_no_grad() and "retain_grad" in y.why_no_grad()
    y.retain_grad()
    assert y.why_no_grad().reason == "retained"
    y.sum().backward()
    assert y.why_no_grad().reason == x.why_no_grad().reason == "has_grad"


def test_why_no_grad_of_constants(device: str) -> None:
    assert nbtorch.arange(3, device=device).why_no_grad().reason == "dtype"
    assert nbtorch.ones(3, device=device).why_no_grad().reason == "no_requires_grad"
    x = nbtorch.ones(3, device=device, requires_grad=True)
    y, here = (x * 2).detach(), line()
    assert y.why_no_grad().reason == "detached" and here in y.why_no_grad()
    with nbtorch.no_grad():
        assert (x * 2).why_no_grad().reason == "no_grad"
    with nbtorch.inference_mode():
        assert (x * 2).why_no_grad().reason == "inference_mode"


def test_why_no_grad_of_leaves(device: str) -> None:
    x, z = (nbtorch.ones(3, device=device, requires_grad=True) for _ in range(2))
    loss = (x * x).sum()
    assert x.why_no_grad(of=loss).reason == "connected"
    assert z.why_no_grad(of=loss).reason == "not_connected" and "SumBackward0" in z.why_no_grad(of=loss)
    assert z.why_no_grad(of=(z.detach() * 2).sum()).reason == "cut"
    loss.backward()
    assert z.why_no_grad().reason == "not_reached"
    x.grad = None
    assert x.why_no_grad().reason == "freed"
    assert repr(x.why_no_grad()).startswith("This tensor of shape (3,)")


def test_why_no_grad_before_any_backward() -> None:
    import threading

    found = []
    x = nbtorch.ones(3, requires_grad=True)
    thread = threading.Thread(target=lambda: found.append(x.why_no_grad().reason))
    thread.start()
    thread.join()
    assert found == ["not_called"]


@pytest.mark.cpu_only("memory shared with NumPy")
def test_a_numpy_write_names_the_tensor_and_the_lines() -> None:
    x = nbtorch.ones(2, 3, requires_grad=True)
    y = x * 1
    array, handed = y.detach().numpy(), line()
    loss, saved = (y * y).sum(), line()
    array[0] = 7
    with pytest.raises(RuntimeError) as caught:
        loss.backward()
    text = str(caught.value)
    assert "NumPy array" in text and "shape (2, 3)" in text
    assert f"handed out at {handed}" in text and f"saved for backward at {saved}" in text
    assert isinstance(array, np.ndarray)
