"""Graphs that are deep, wide in paths, or long-lived: no recursion, no visit per path, nothing left behind."""

from __future__ import annotations

import copy
import gc
import time
import weakref
from collections.abc import Callable, Iterator

import numpy as np
import pytest

import nbtorch


@pytest.fixture
def no_collector() -> Iterator[None]:
    """Only reference counts free memory while the test runs."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def chain(length: int, device: str) -> tuple[nbtorch.Tensor, nbtorch.Tensor]:
    x = nbtorch.ones(2, device=device, requires_grad=True)
    y = x
    for _ in range(length):
        y = y * 1.0
    return x, y


@pytest.mark.cpu_only("the count is what matters, not the device")
def test_a_million_operations_in_a_chain() -> None:
    x, y = chain(1_000_000, "cpu")
    loss = y.sum()
    assert repr(loss) == "tensor(2., grad_fn=<SumBackward0>)"
    loss.backward()
    assert x.grad.tolist() == [1.0, 1.0]
    del y, loss


@pytest.mark.cpu_only("the count is what matters, not the device")
def test_a_graph_never_differentiated_is_deleted() -> None:
    _, y = chain(300_000, "cpu")
    alive = weakref.ref(y.grad_fn)
    del y
    assert alive() is None


def test_a_deep_graph_differentiated_twice(device: str) -> None:
    x = nbtorch.tensor([1.0], dtype=nbtorch.float64, device=device, requires_grad=True)
    y = x
    for _ in range(5_000):
        y = y * x
    (g,) = nbtorch.autograd.grad(y.sum(), x, create_graph=True)
    (h,) = nbtorch.autograd.grad(g.sum(), x)
    assert g.item() == 5_001.0
    assert h.item() == 5_001.0 * 5_000.0


def test_a_deep_graph_walked_by_hand(device: str) -> None:
    _, y = chain(50_000, device)
    node, steps = y.grad_fn, 0
    while node is not None:
        node = node.next_functions[0][0] if node.next_functions else None
        steps += 1
    assert steps == 50_001


def test_a_deep_chain_of_views(device: str) -> None:
    x = nbtorch.ones(4, device=device, requires_grad=True)
    y = x
    for _ in range(1_000):
        y = y.view(2, 2).view(4)
    y.sum().backward()
    assert x.grad.tolist() == [1.0] * 4


def test_sixty_doublings_visit_each_node_once(device: str) -> None:
    x = nbtorch.tensor(1.0, device=device, dtype=nbtorch.float64, requires_grad=True)
    y = x
    for _ in range(60):
        y = y + y
    started = time.perf_counter()
    y.backward()
    assert x.grad.item() == 2.0**60
    assert time.perf_counter() - started < 5.0


def test_a_leaf_copied_deep_has_no_graph(device: str) -> None:
    x, _ = chain(1000, device)
    twin = copy.deepcopy(x)
    assert twin.is_leaf and twin.requires_grad
    assert twin.tolist() == x.tolist()


class Cube(nbtorch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x * x

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return 3 * g * x * x


def train(w: nbtorch.Tensor, x: nbtorch.Tensor) -> nbtorch.Tensor:
    loss = ((x @ w).tanh() ** 2).mean()
    loss.backward()
    return loss


def train_to_second_order(w: nbtorch.Tensor, x: nbtorch.Tensor) -> nbtorch.Tensor:
    loss = ((x @ w).tanh() ** 2).mean()
    (g,) = nbtorch.autograd.grad(loss, w, create_graph=True)
    (g * g).sum().backward()
    return loss


def train_with_hooks(w: nbtorch.Tensor, x: nbtorch.Tensor) -> nbtorch.Tensor:
    hidden = x @ w
    hidden.register_hook(lambda g: g * 1.0)
    hidden.retain_grad()
    hidden.grad_fn.register_hook(lambda grad_inputs, grad_outputs: None)
    loss = (hidden**2).mean()
    loss.backward()
    return loss


def train_with_a_function(w: nbtorch.Tensor, x: nbtorch.Tensor) -> nbtorch.Tensor:
    loss = Cube.apply(x @ w).mean()
    loss.backward()
    return loss


def train_with_views_in_place(w: nbtorch.Tensor, x: nbtorch.Tensor) -> nbtorch.Tensor:
    hidden = x @ w
    hidden[0].mul_(2.0)
    hidden[:, 1:] = 0.5
    loss = (hidden.t() ** 2).mean()
    loss.backward()
    return loss


def train_and_look(w: nbtorch.Tensor, x: nbtorch.Tensor) -> nbtorch.Tensor:
    loss = ((x @ w).tanh() ** 2).mean()
    seen, stack = set(), [loss.grad_fn]
    while stack:
        node = stack.pop()
        if node is not None and node not in seen:
            seen.add(node)
            stack.extend(n for n, _ in node.next_functions)
    repr(loss)
    loss.backward()
    return loss


def forward_only(w: nbtorch.Tensor, x: nbtorch.Tensor) -> nbtorch.Tensor:
    return ((x @ w).tanh() ** 2).mean()


@pytest.mark.parametrize(
    "step",
    [
        train,
        train_to_second_order,
        train_with_hooks,
        train_with_a_function,
        train_with_views_in_place,
        train_and_look,
        forward_only,
    ],
)
def test_nothing_is_left_of_a_step(
    step: Callable[[nbtorch.Tensor, nbtorch.Tensor], nbtorch.Tensor], device: str, no_collector: None
) -> None:
    w = nbtorch.tensor(np.linspace(-1, 1, 6).reshape(3, 2), device=device, requires_grad=True)
    x = nbtorch.ones(4, 3, dtype=nbtorch.float64, device=device)

    def nodes() -> int:
        return sum(isinstance(o, (nbtorch.autograd.Node, nbtorch.Tensor)) for o in gc.get_objects())

    for _ in range(3):
        step(w, x)
    before = nodes()
    for _ in range(20):
        step(w, x)
    assert nodes() <= before


def test_the_loss_alone_keeps_the_graph(no_collector: None, device: str) -> None:
    x = nbtorch.ones(3, device=device, requires_grad=True)
    hidden = x * 2
    loss = (hidden * hidden).sum()
    node, tensor = weakref.ref(hidden.grad_fn), weakref.ref(hidden)
    del hidden
    assert tensor() is None, "the graph keeps what it saved, not the tensor"
    assert node() is not None
    del loss
    assert node() is None


def test_backward_frees_what_nodes_saved(device: str) -> None:
    x = nbtorch.ones(3, device=device, requires_grad=True)
    loss = (x.exp() * x).sum()
    product = loss.grad_fn.next_functions[0][0]
    loss.backward()
    with pytest.raises(RuntimeError, match="second time"):
        product._saved_input  # noqa: B018


def test_the_order_of_backward_is_the_reverse_of_forward(device: str) -> None:
    seen: list[str] = []
    x = nbtorch.ones(2, device=device, requires_grad=True)
    a, b = x * 2, x * 3
    c = a + b
    d = b * c
    for name, t in (("a", a), ("b", b), ("c", c), ("d", d)):
        t.register_hook(lambda g, name=name: seen.append(name))
    (d + a).sum().backward()
    assert seen == ["d", "c", "b", "a"]


def test_gradients_are_the_same_bits_every_time(device: str) -> None:
    def gradient() -> bytes:
        w = nbtorch.tensor(np.linspace(-1, 1, 12, dtype=np.float32).reshape(3, 4), device=device, requires_grad=True)
        x = nbtorch.tensor(np.linspace(-2, 1, 15, dtype=np.float32).reshape(5, 3), device=device)
        h = (x @ w).sigmoid()
        (h * h.exp() + h.cos() * w.sum() + (h @ w.t()).mean()).sum().backward()
        return w.grad.cpu().numpy().tobytes()

    first = gradient()
    assert all(gradient() == first for _ in range(5))
