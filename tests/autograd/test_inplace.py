"""Changes in place: what the graph makes of them, in all orders of views and bases, as in PyTorch."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import helpers
import numpy as np
import pytest
from sides import as_torch

import nbtorch

X = np.arange(1.0, 13.0).reshape(3, 4) / 4


def zero_at_an_index(lib: Any) -> Any:
    x = lib.make(X, requires_grad=True)
    y = x * x
    y[0] = 0
    y.sum().backward()
    return y.detach(), x.grad


def a_tensor_at_an_index(lib: Any) -> Any:
    x, v = lib.make(X, requires_grad=True), lib.make(X[0], requires_grad=True)
    y = x * x
    y[1] = v * v
    (y * y).sum().backward()
    return x.grad, v.grad


def a_mask(lib: Any) -> Any:
    x = lib.make(X, requires_grad=True)
    y = x * x
    y[y > 2] = y[y > 2] * 3
    (y * y).sum().backward()
    return x.grad


def an_index_twice(lib: Any) -> Any:
    x = lib.make(X, requires_grad=True)
    y = x * 1
    y[0] = y[1] * y[2]
    y[1] = y[0] * 2
    (y * y).sum().backward()
    return y.detach(), x.grad


def copy_broadcast(lib: Any) -> Any:
    x, v = lib.make(X, requires_grad=True), lib.make(X[0], requires_grad=True)
    y = x * 2
    y.copy_(v)
    (y * x).sum().backward()
    return x.grad, v.grad


def copy_other_dtype(lib: Any) -> Any:
    v = lib.make(X[0].astype(np.float32), requires_grad=True)
    y = lib.make(X)
    y[0].copy_(v)
    y.sum().backward()
    return v.grad, y.grad_fn is not None


def plain_base_gets_history(lib: Any) -> Any:
    x = lib.make(X[0], requires_grad=True)
    buffer = lib.make(np.zeros((3, 4)))
    for i in range(3):
        buffer[i] = x * i
    (buffer * buffer).sum().backward()
    return buffer.requires_grad, x.grad


def view_taken_before(lib: Any) -> Any:
    x = lib.make(X, requires_grad=True)
    y = x * 1
    row = y[0]
    y.mul_(3)
    (row * row).sum().backward()
    return row.detach(), x.grad


def change_of_a_view_of_a_view(lib: Any) -> Any:
    x = lib.make(X, requires_grad=True)
    y = x * 1
    y.view(4, 3)[1:3].t()[0].mul_(5)
    (y * y).sum().backward()
    return y.detach(), x.grad


def under_no_grad(lib: Any) -> Any:
    x = lib.make(X, requires_grad=True)
    with lib.no_grad():
        x.mul_(2)
        x[0] = 1
    (x * x).sum().backward()
    return x.detach(), x.grad


def leaf(lib: Any) -> Any:
    lib.make(X, requires_grad=True).add_(1)


def view_of_a_leaf(lib: Any) -> Any:
    lib.make(X, requires_grad=True)[0].add_(1)


def view_of_a_leaf_under_no_grad(lib: Any) -> Any:
    x = lib.make(X, requires_grad=True)
    with lib.no_grad():
        x[0].add_(1)
    (x * x).sum().backward()
    return x.grad


def assignment_to_a_leaf(lib: Any) -> Any:
    lib.make(X, requires_grad=True)[0] = 1


def expanded(lib: Any) -> Any:
    lib.make(X[:1]).expand(3, 4).add_(1)


def saved_then_changed(lib: Any) -> Any:
    x = lib.make(X, requires_grad=True)
    y = x.exp()
    y.mul_(2)
    y.sum().backward()


def saved_input_then_changed(lib: Any) -> Any:
    x = lib.make(X, requires_grad=True)
    y = x * 1
    z = y * y
    y[0, 0] = 0
    z.sum().backward()


def saved_base_changed_through_a_view(lib: Any) -> Any:
    x = lib.make(X, requires_grad=True)
    y = x * 1
    row = y[0]
    z = y.sin()
    row.zero_()
    z.sum().backward()


def saved_view_changed_through_its_base(lib: Any) -> Any:
    x = lib.make(X, requires_grad=True)
    y = x * 1
    z = y[0].sin()
    y.zero_()
    z.sum().backward()


def saved_view_changed_beside_it(lib: Any) -> Any:
    x = lib.make(X, requires_grad=True)
    y = x * 1
    z = y[0].sin()
    y[1].zero_()
    z.sum().backward()


def not_needed_then_changed(lib: Any) -> Any:
    x = lib.make(X, requires_grad=True)
    y = x * 1
    z = (y + 1).sum()
    y.zero_()
    z.backward()
    return x.grad


def changed_after_backward(lib: Any) -> Any:
    x = lib.make(X, requires_grad=True)
    y = x.exp()
    y.sum().backward()
    y.zero_()
    return x.grad


def parameter_updated_before_backward(lib: Any) -> Any:
    w = lib.make(X, requires_grad=True)
    loss = (w * w).sum()
    with lib.no_grad():
        w -= 0.1
    loss.backward()


def through_data(lib: Any) -> Any:
    w = lib.make(X, requires_grad=True)
    w.data.mul_(2)
    (w * w).sum().backward()
    return w.detach(), w.grad


def through_data_of_what_was_saved(lib: Any) -> Any:
    w = lib.make(X, requires_grad=True)
    y = w * 1
    loss = (y * y).sum()
    y.data.mul_(2)
    y.data[0] = 5
    loss.backward()
    return w.grad, y.detach(), y._version, y.data._version


def detached_shares_memory(lib: Any) -> Any:
    x = lib.make(X, requires_grad=True)
    y = x * 2
    y.detach()[0] = 7
    return y.detach()


def detached_change_is_noticed(lib: Any) -> Any:
    x = lib.make(X, requires_grad=True)
    y = x.exp()
    y.detach().zero_()
    y.sum().backward()


def larger_result(lib: Any) -> Any:
    lib.make(X[:1]).add_(lib.make(X))


def float_into_integers(lib: Any) -> Any:
    lib.make(np.arange(3)).add_(0.5)


def versions(lib: Any) -> Any:
    x = lib.make(X)
    counts = [x._version]
    view = x[0]
    view.add_(1)
    counts.append(x._version)
    x.zero_()
    counts += [x._version, view._version]
    x[1] = 3
    return [*counts, x._version, view._version]


def requires_grad_later(lib: Any) -> Any:
    x = lib.make(X)
    x.mul_(2)
    x.requires_grad_()
    (x * x).sum().backward()
    return x.grad


def relu_in_place(lib: Any) -> Any:
    x = lib.make(X - 1.5, requires_grad=True)
    y = (x * 2).relu_()
    (y * y).sum().backward()
    return x.grad


def index_put_accumulating(lib: Any) -> Any:
    x, v = lib.make(X, requires_grad=True), lib.make(X[:2, 0], requires_grad=True)
    y = x * 1
    where = (lib.make(np.array([0, 0])), lib.make(np.array([1, 1])))
    y.index_put_(where, v, accumulate=True)
    (y * y).sum().backward()
    return y.detach(), x.grad, v.grad


def diagonal_filled(lib: Any) -> Any:
    x = lib.make(X, requires_grad=True)
    y = x * 1
    y.diagonal().mul_(3)
    y.diagonal(1)[0] = 7
    plain = lib.make(np.zeros((3, 3)))
    plain.diagonal().fill_(1)
    (y * y).sum().backward()
    return y.detach(), x.grad, plain


def history_of_a_changed_tensor(lib: Any) -> Any:
    x = lib.make(X, requires_grad=True)
    y = x * 1
    row = y[0]
    row.mul_(2)
    y.add_(1)
    return y.grad_fn.name(), y.is_leaf, row.is_leaf


CASES = [v for v in list(globals().values()) if getattr(v, "__module__", "") == __name__ and callable(v)]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_as_torch(case: Any, torch_ref: Any) -> None:
    as_torch(case)


# Steps that a program can take on a tensor y, its row and a transposed view of it; every order of three is tried.
STEPS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "base*=": lambda t: t["y"].mul_(1.5),
    "row=": lambda t: t["row"].fill_(0.5),
    "row*=": lambda t: t["row"].mul_(2.0),
    "turned+=": lambda t: t["turned"].add_(t["v"]),
    "y[1]=": lambda t: t["y"].__setitem__(1, t["v"] * t["v"]),
    "y[:,2]*=": lambda t: t["y"][:, 2].mul_(t["v"][:3]),
}


@pytest.mark.parametrize("order", itertools.permutations(STEPS, 3), ids="-".join)
def test_views_and_bases_changed_in_every_order(order: tuple[str, ...], torch_ref: Any) -> None:
    def program(lib: Any) -> Any:
        x, v = lib.make(X, requires_grad=True), lib.make(X[2], requires_grad=True)
        y = x * 1
        t = {"y": y, "row": y[0], "turned": y.t().t(), "v": v}
        for step in order:
            STEPS[step](t)
        loss = (t["y"] ** 2).sum() + (t["row"] * 3).sum() + (t["turned"] * t["y"]).sum()
        loss.backward()
        return t["y"].detach(), t["row"].detach(), t["turned"].detach(), x.grad, v.grad

    as_torch(program)


def test_the_error_names_the_tensor_and_both_lines(device: str) -> None:
    x = nbtorch.ones(2, 3, device=device, requires_grad=True)
    y = x * 2
    z = (y * y).sum()  # saves y
    y.add_(1)  # changes y
    with pytest.raises(RuntimeError) as caught:
        z.backward()
    message = str(caught.value)
    here = test_the_error_names_the_tensor_and_both_lines.__code__
    assert "modified by an inplace operation" in message
    assert "MulBackward0" in message and "(2, 3)" in message and "version 1; expected version 0" in message
    assert f"line {here.co_firstlineno + 3} of {here.co_name}() in {here.co_filename}" in message
    assert f"line {here.co_firstlineno + 4} of {here.co_name}() in {here.co_filename}" in message
    assert "fix:" in message


RESULTS = {
    "div": lambda lib, x: x / (x * x),
    "max_pool2d": lambda lib, x: lib.nn.functional.max_pool2d(x[None], 2),
    "normalize": lambda lib, x: lib.nn.functional.normalize(x),
    "cosine_similarity": lambda lib, x: lib.nn.functional.cosine_similarity(x, x * x),
    "softsign": lambda lib, x: lib.nn.functional.softsign(x),
    "local_response_norm": lambda lib, x: lib.nn.functional.local_response_norm(x[None], 2),
    "max": lambda lib, x: x.max(1)[0],
}


@pytest.mark.parametrize("name", RESULTS)
def test_results_that_no_derivative_of_pytorch_needs_may_be_changed(name: str) -> None:
    def run(lib: Any) -> Any:
        x = lib.tensor(X.tolist(), requires_grad=True)
        y = RESULTS[name](lib, x)
        y.add_(1.5)
        y.pow(2).sum().backward()
        return x.grad

    torch = pytest.importorskip("torch")
    np.testing.assert_allclose(run(nbtorch).numpy(), run(torch).numpy(), rtol=1e-5, atol=1e-5)


def test_results_that_a_derivative_needs_are_kept_apart_from_the_tensor(device: str) -> None:
    """PyTorch refuses this: exp_ and sqrt_ need their results, which the next step overwrites. Here they are copies."""
    x = helpers.to_nbtorch(X, requires_grad=True)
    y = x.clone()
    y.mul_(2).add_(1).pow_(2).sub_(x).div_(3).exp_().sqrt_().neg_().sin_()
    y.sum().backward()
    again = helpers.to_nbtorch(X, requires_grad=True)
    (-(((again * 2 + 1) ** 2 - again) / 3).exp().sqrt()).sin().sum().backward()
    helpers.same(x.grad, again.grad)

    base = again * 1
    corner = base[1:].t()[2]
    base.exp_()
    base[2] = 1
    again.grad = None
    (corner * 2).sum().backward()
    expected = np.zeros_like(X)
    expected[1, 2] = 2 * np.exp(X[1, 2])
    helpers.same(again.grad, expected)


def test_a_failed_change_leaves_the_tensor_as_it_was(device: str) -> None:
    x = nbtorch.arange(6.0, device=device).reshape(2, 3)
    before, version = helpers.to_numpy(x), x._version
    wrong: list[Callable[[], Any]] = [
        lambda: x.add_(nbtorch.ones(3, 2, 3, device=device)),
        lambda: x.mul_(nbtorch.ones(4, device=device)),
        lambda: x.copy_(nbtorch.ones(2, device=device)),
        lambda: x.__setitem__(5, 1.0),
        lambda: x.__setitem__(0, nbtorch.ones(7, device=device)),
        lambda: x.masked_fill_(nbtorch.ones(3, device=device), 1.0),
        lambda: x.fill_(nbtorch.ones(2, device=device)),
    ]
    for call in wrong:
        with pytest.raises((RuntimeError, IndexError)):
            call()
    helpers.same(x, before)
    assert x._version == version


def test_gradients_in_a_graph_are_tensors_of_their_own() -> None:
    x, y = (nbtorch.ones(2, 3, requires_grad=True) for _ in range(2))
    ((x + y).t() ** 2).sum().backward(create_graph=True)
    assert x.grad is not y.grad
    x.grad.detach_().zero_()
    assert y.grad.requires_grad
    assert y.grad.sum().item() == 24
    (again,) = nbtorch.autograd.grad(y.grad.sum(), y)
    assert again.sum().item() == 12
