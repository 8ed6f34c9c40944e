"""``backward`` and ``grad`` with every option, compared with PyTorch."""

from __future__ import annotations

from typing import Any

import helpers
import numpy as np
import pytest
from sides import as_torch

import nbtorch

X = np.array([[0.5, -1.5, 2.0], [3.0, 0.25, -0.75]])
V = np.array([1.0, -2.0, 0.5])


def leaf(lib: Any, array: Any = X) -> Any:
    return lib.make(array, requires_grad=True)


def accumulates(lib: Any) -> Any:
    x = leaf(lib)
    (x * x).sum().backward()
    (x * 3).sum().backward()
    return x.grad


def shared_leaf(lib: Any) -> Any:
    x = leaf(lib)
    (x * x + x.sin() * x).sum().backward()
    return x.grad


def given_gradient(lib: Any) -> Any:
    x = leaf(lib)
    (x.exp()).backward(lib.make(X * 2))
    return x.grad


def gradient_by_keyword(lib: Any) -> Any:
    x = leaf(lib)
    (x.exp()).backward(gradient=lib.make(X * 2))
    return x.grad


def several_roots(lib: Any) -> Any:
    x, v = leaf(lib), leaf(lib, V)
    lib.autograd.backward([(x * v).sum(), x @ v], [None, lib.make(np.array([1.0, 2.0]))])
    return x.grad, v.grad


def the_same_root_twice(lib: Any) -> Any:
    x = leaf(lib)
    y = (x * x).sum()
    lib.autograd.backward([y, y])
    return x.grad


def root_on_the_way(lib: Any) -> Any:
    x = leaf(lib)
    y = x * x
    z = (y * y).sum()
    lib.autograd.backward([z, y], [None, lib.make(np.ones_like(X))])
    return x.grad


def a_leaf_as_root(lib: Any) -> Any:
    x = leaf(lib, np.array(3.0))
    x.backward()
    x.backward()
    return x.grad


def retained_graph(lib: Any) -> Any:
    x = leaf(lib)
    y = (x**3).sum()
    y.backward(retain_graph=True)
    y.backward()
    return x.grad


def second_backward(lib: Any) -> Any:
    x = leaf(lib)
    y = (x**3).sum()
    y.backward()
    y.backward()


def second_backward_through_what_saves_nothing(lib: Any) -> Any:
    x = leaf(lib)
    y = (x + 1).sum()
    y.backward()
    y.backward()
    return x.grad


def second_backward_through_a_shared_part(lib: Any) -> Any:
    x = leaf(lib)
    y = x.exp()
    (y * 2).sum().backward()
    (y * 3).sum().backward()


def inputs_only(lib: Any) -> Any:
    x, v = leaf(lib), leaf(lib, V)
    (x * v).sum().backward(inputs=[v])
    return x.grad, v.grad


def inputs_on_the_way(lib: Any) -> Any:
    x = leaf(lib)
    y = x * 2
    (y * y).sum().backward(inputs=[y, x])
    return x.grad, y.grad


def no_inputs(lib: Any) -> Any:
    leaf(lib).sum().backward(inputs=[])


def not_a_scalar(lib: Any) -> Any:
    (leaf(lib) * 2).backward()


def one_element_in_two_dimensions(lib: Any) -> Any:
    x = leaf(lib, np.array([[3.0]]))
    (x * x).backward()
    return x.grad


def gradient_of_the_wrong_shape(lib: Any) -> Any:
    (leaf(lib) * 2).backward(lib.make(V))


def without_history(lib: Any) -> Any:
    lib.make(X).sum().backward()


def under_no_grad(lib: Any) -> Any:
    x = leaf(lib)
    with lib.no_grad():
        y = (x * 2).sum()
    y.backward()


def first_and_second(lib: Any) -> Any:
    x, v = leaf(lib), leaf(lib, V)
    y = ((x * v).sin() * x).sum()
    (g,) = lib.autograd.grad(y, x, create_graph=True)
    second = lib.autograd.grad((g * g).sum(), [x, v])
    return g.detach(), second


def third(lib: Any) -> Any:
    x = leaf(lib)
    y = (x**4).sum()
    for _ in range(3):
        (y,) = lib.autograd.grad(y.sum(), x, create_graph=True)
    return y.detach()


def create_graph_into_grad(lib: Any) -> Any:
    x = leaf(lib)
    (x**3).sum().backward(create_graph=True)
    first = x.grad
    x.grad = None
    (first * first).sum().backward()
    return first.detach(), x.grad


def create_graph_with_a_gradient_that_wants_one(lib: Any) -> Any:
    x, start = leaf(lib), leaf(lib)
    (g,) = lib.autograd.grad(x.sin(), x, start, create_graph=True)
    g.sum().backward()
    return x.grad, start.grad


def grad_leaves_grad_alone(lib: Any) -> Any:
    x = leaf(lib)
    lib.autograd.grad((x * x).sum(), x)
    return x.grad


def unused_input(lib: Any) -> Any:
    x, v = leaf(lib), leaf(lib, V)
    lib.autograd.grad((x * x).sum(), [x, v])


def unused_input_allowed(lib: Any) -> Any:
    x, v = leaf(lib), leaf(lib, V)
    return lib.autograd.grad((x * x).sum(), [x, v], allow_unused=True)


def unused_input_as_zeros(lib: Any) -> Any:
    x, v = leaf(lib), leaf(lib, V)
    return lib.autograd.grad((x * x).sum(), [x, v], materialize_grads=True)


def contradicting_options(lib: Any) -> Any:
    x = leaf(lib)
    lib.autograd.grad((x * x).sum(), x, allow_unused=False, materialize_grads=True)


def input_that_needs_none(lib: Any) -> Any:
    x, v = leaf(lib), lib.make(V)
    lib.autograd.grad((x * v).sum(), [x, v])


def input_on_the_way(lib: Any) -> Any:
    x = leaf(lib)
    y = x.exp()
    z = y * y
    return lib.autograd.grad(z.sum(), [y, x])


def input_is_the_output(lib: Any) -> Any:
    x = leaf(lib)
    y = (x * 2).sum()
    return lib.autograd.grad(y, y)


def several_outputs(lib: Any) -> Any:
    x = leaf(lib)
    return lib.autograd.grad([x.sum(), (x * x)], x, [None, lib.make(X)])


def a_batch_of_gradients(lib: Any) -> Any:
    x = leaf(lib, V)
    return lib.autograd.grad(x * x, x, lib.make(np.eye(3)), is_grads_batched=True)


def one_output_of_several(lib: Any) -> Any:
    x = leaf(lib)
    a, _, c = x.unbind(1)
    values, _ = x.max(1)
    (a * 2 + c * values).sum().backward()
    return x.grad


def split_outputs(lib: Any) -> Any:
    x = leaf(lib)
    a, b = lib.split(x, [1, 2], dim=1)
    return lib.autograd.grad((a * b).sum(), x)


def integer_loss(lib: Any) -> Any:
    x = lib.make(np.array([1, 2, 3]))
    x.sum().backward()


def detached(lib: Any) -> Any:
    x = leaf(lib)
    (x.detach() * x).sum().backward()
    return x.grad


def only_one_side_wants_it(lib: Any) -> Any:
    x, v = leaf(lib), lib.make(V)
    (x * v / v.exp() - v).sum().backward()
    return x.grad, v.grad


def broadcast_everywhere(lib: Any) -> Any:
    a, b, c = (leaf(lib, X[:, :1]), leaf(lib, V), leaf(lib, np.array(2.0)))
    ((a * b + c) / (c * b + 9) - a).pow(2).sum().backward()
    return a.grad, b.grad, c.grad


def mixed_dtypes(lib: Any) -> Any:
    x = lib.make(X.astype(np.float32), requires_grad=True)
    y = lib.make(X, requires_grad=True)
    h = lib.make(X.astype(np.float16), requires_grad=True)
    (x * y + h).sum().backward()
    return x.grad, y.grad, h.grad


CASES = [v for v in list(globals().values()) if getattr(v, "__module__", "") == __name__ and callable(v)]
CASES = [case for case in CASES if case is not leaf]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_as_torch(case: Any, torch_ref: Any) -> None:
    as_torch(case)


def test_second_backward_says_why_and_what_to_do(device: str) -> None:
    x = nbtorch.tensor([2.0], device=device, requires_grad=True)
    y = (x * x).sum()
    y.backward()
    with pytest.raises(RuntimeError) as caught:
        y.backward()
    message = str(caught.value)
    assert "second time" in message and "retain_graph=True" in message and "MulBackward0" in message
    assert "test_backward.py" in message


def test_a_gradient_on_another_device_is_refused() -> None:
    x = nbtorch.ones(2, device="strict", requires_grad=True)
    with pytest.raises(RuntimeError, match="same device"):
        (x * 2).backward(nbtorch.ones(2))


@pytest.mark.parametrize(("source", "target"), [("cpu", "strict"), ("strict", "cpu")])
def test_gradients_cross_devices_back(source: str, target: str) -> None:
    x = nbtorch.tensor([1.0, 2.0], device=source, requires_grad=True)
    y = x.to(target)
    y.retain_grad()
    y.register_hook(lambda g: g * 2)
    (y * y).sum().backward()
    assert str(x.grad.device).startswith(source) and x.grad.tolist() == [4.0, 8.0]
    assert str(y.grad.device).startswith(target) and y.grad.tolist() == [4.0, 8.0]
    (g,) = nbtorch.autograd.grad((x.to(target) ** 3).sum(), x, create_graph=True)
    (h,) = nbtorch.autograd.grad(g.to(target).sum(), x)
    assert h.tolist() == [6.0, 12.0]


def test_the_gradient_given_is_not_changed_nor_kept(device: str) -> None:
    x = nbtorch.zeros(3, device=device, requires_grad=True)
    start = nbtorch.ones(3, device=device)
    (x + 0).backward(start)
    (x + 0).backward(start)
    assert start.tolist() == [1.0] * 3
    assert x.grad.tolist() == [2.0] * 3
    x.grad.zero_()
    assert start.tolist() == [1.0] * 3


def test_leaves_that_get_the_same_gradient_do_not_share_it(device: str) -> None:
    a = nbtorch.zeros(3, device=device, requires_grad=True)
    b = nbtorch.zeros(3, device=device, requires_grad=True)
    (a + b).sum().backward()
    a.grad.mul_(5)
    assert b.grad.tolist() == [1.0] * 3
    (a + b.view(3)).backward(nbtorch.ones(3, device=device))
    assert b.grad.tolist() == [2.0] * 3


def test_gradients_are_contiguous_and_of_the_leaf_s_dtype(device: str) -> None:
    x = nbtorch.zeros(2, 3, device=device, requires_grad=True)
    x.t().expand(4, 3, 2).sum().backward()
    assert x.grad.shape == x.shape and x.grad.dtype == x.dtype
    x.grad.add_(1)
    helpers.same(x.grad, np.full((2, 3), 5.0, np.float32))


def test_a_leaf_that_wants_no_gradient_any_more_gets_none():
    for stop in (lambda w: w.detach_(), lambda w: w.requires_grad_(False)):
        w, v = nbtorch.ones(2, requires_grad=True), nbtorch.ones(2, requires_grad=True)
        y = (w * v).sum()
        stop(w)
        y.backward()
        assert w.grad is None and v.grad.tolist() == [1, 1]
