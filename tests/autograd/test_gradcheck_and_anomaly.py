"""The checks themselves: they pass what is right, find what is wrong and say where."""

from __future__ import annotations

from typing import Any

import helpers
import numpy as np
import pytest

import nbtorch
from nbtorch.autograd import gradcheck, gradgradcheck

X = np.array([[0.5, -1.5], [2.0, 3.0]])


class WrongCube(nbtorch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return x * x * x

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (x,) = ctx.saved_tensors
        return 2 * x * x * g  # ought to be 3


class WrongSecond(nbtorch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return x * x * x

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (x,) = ctx.saved_tensors
        return 3 * x * x.detach() * g  # right, but its own derivative is not


@pytest.fixture
def x() -> Any:
    return helpers.to_nbtorch(X, requires_grad=True)


def test_right_derivatives_pass(x: Any) -> None:
    assert gradcheck(lambda t: t.sin() * t, (x,))
    assert gradgradcheck(lambda t: t.sin() * t, (x,))
    assert gradcheck(lambda t: (t.exp(), t * 2), x)


def test_a_wrong_derivative_is_found(x: Any) -> None:
    with pytest.raises(RuntimeError, match="Jacobian mismatch for output 0 with respect to input 0"):
        gradcheck(WrongCube.apply, (x,))
    assert not gradcheck(WrongCube.apply, (x,), raise_exception=False)


def test_a_wrong_second_derivative_is_found(x: Any) -> None:
    assert gradcheck(WrongSecond.apply, (x,))
    with pytest.raises(RuntimeError, match="mismatch"):
        gradgradcheck(WrongSecond.apply, (x,))


def test_inputs_without_gradient_are_left_alone(x: Any) -> None:
    constant = helpers.to_nbtorch(X)
    assert gradcheck(lambda a, b: a * b, (x, constant))
    assert constant.tolist() == X.tolist()


def test_the_inputs_are_as_before(x: Any) -> None:
    gradcheck(lambda t: t * t, (x,))
    gradgradcheck(lambda t: t * t, (x,))
    assert x.tolist() == X.tolist()
    assert x.grad is None


def test_without_any_gradient_wanted() -> None:
    with pytest.raises(ValueError, match="requires_grad=True"):
        gradcheck(lambda t: t, (helpers.to_nbtorch(X),))


def test_as_torch_decides(torch_ref: Any) -> None:
    for function in (lambda t: t.abs(), lambda t: t.detach() * t, lambda t: t.floor() + t):
        theirs = torch_ref.autograd.gradcheck(
            function, (helpers.to_torch(X, requires_grad=True),), raise_exception=False
        )
        ours = gradcheck(function, (helpers.to_nbtorch(X, requires_grad=True),), raise_exception=False)
        assert ours == theirs


def nan_in_backward(x: Any) -> Any:
    return (x * 0).sqrt().sum()  # the derivative of sqrt at 0 is infinite, and times 0 that is NaN


def test_anomaly_names_the_node_and_the_line(device: str) -> None:
    x = nbtorch.ones(2, device=device, requires_grad=True)
    with nbtorch.autograd.detect_anomaly():
        loss = nan_in_backward(x)
        with pytest.raises(RuntimeError) as caught:
            loss.backward()
    message = str(caught.value)
    assert "MulBackward0" in message and "nan values in its 0th output" in message
    line = nan_in_backward.__code__.co_firstlineno + 1
    assert f"line {line} of nan_in_backward()" in message


def test_anomaly_is_off_by_default_and_restored(device: str) -> None:
    x = nbtorch.ones(2, device=device, requires_grad=True)
    nan_in_backward(x).backward()
    assert bool(x.grad.isnan().all())
    assert not nbtorch.autograd.is_anomaly_enabled()
    with nbtorch.autograd.detect_anomaly():
        assert nbtorch.autograd.is_anomaly_enabled()
        with nbtorch.autograd.set_detect_anomaly(False):
            assert not nbtorch.autograd.is_anomaly_enabled()
    assert not nbtorch.autograd.is_anomaly_enabled()


def test_anomaly_leaves_healthy_graphs_alone(device: str) -> None:
    x = nbtorch.ones(2, device=device, requires_grad=True)
    with nbtorch.autograd.detect_anomaly():
        (x.exp() / x).sum().backward()
    assert x.grad.tolist() == [0.0, 0.0]


def test_nan_already_in_the_forward_pass_may_stay(device: str) -> None:
    x = nbtorch.tensor([1.0, float("nan")], device=device, requires_grad=True)
    with nbtorch.autograd.detect_anomaly():
        (x + 1).sum().backward()
    assert x.grad.tolist() == [1.0, 1.0]
