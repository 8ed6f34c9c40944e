"""Hooks on tensors and nodes, kept gradients, and whether operations are recorded."""

from __future__ import annotations

import threading
from typing import Any

import helpers
import numpy as np
import pytest
from sides import as_torch

import nbtorch

X = np.array([[0.5, -1.5], [2.0, 3.0]])


def hook_sees(lib: Any) -> Any:
    x = lib.make(X, requires_grad=True)
    y = x * 2
    seen: list[Any] = []
    y.register_hook(lambda g: seen.append(g.clone()))
    x.register_hook(lambda g: seen.append(g.clone()))
    (y * y).sum().backward()
    return seen, x.grad


def hook_replaces(lib: Any) -> Any:
    x = lib.make(X, requires_grad=True)
    y = x * 2
    y.register_hook(lambda g: g * 10)
    y.register_hook(lambda g: g + 1)
    x.register_hook(lambda g: -g)
    (y * y).sum().backward()
    return x.grad


def hook_removed(lib: Any) -> Any:
    x = lib.make(X, requires_grad=True)
    handle = x.register_hook(lambda g: g * 0)
    handle.remove()
    handle.remove()
    (x * x).sum().backward()
    return x.grad


def hook_as_context(lib: Any) -> Any:
    x = lib.make(X, requires_grad=True)
    with x.register_hook(lambda g: g * 0):
        (x * x).sum().backward()
    (x * x).sum().backward()
    return x.grad


def hook_runs_once_for_the_sum(lib: Any) -> Any:
    x = lib.make(X, requires_grad=True)
    y = x * 2
    calls: list[int] = []
    y.register_hook(lambda g: calls.append(1))
    (y * y + y.exp() + y).sum().backward()
    return len(calls), x.grad


def hook_with_create_graph(lib: Any) -> Any:
    x = lib.make(X, requires_grad=True)
    x.register_hook(lambda g: g * x)
    (g,) = lib.autograd.grad((x**3).sum(), x, create_graph=True)
    return g.detach(), lib.autograd.grad(g.sum(), x)


def hook_on_what_needs_no_gradient(lib: Any) -> Any:
    lib.make(X).register_hook(lambda g: g)


def hook_of_the_wrong_shape(lib: Any) -> Any:
    x = lib.make(X, requires_grad=True)
    x.register_hook(lambda g: g[0])
    (x * x).sum().backward()


def hook_that_raises(lib: Any) -> Any:
    x = lib.make(X, requires_grad=True)

    def hook(g: Any) -> Any:
        raise KeyError("from the hook")

    x.register_hook(hook)
    (x * x).sum().backward()


def hook_and_autograd_grad(lib: Any) -> Any:
    x = lib.make(X, requires_grad=True)
    y = x * 2
    x.register_hook(lambda g: g * 3)
    y.register_hook(lambda g: g * 5)
    z = (y * y).sum()
    return lib.autograd.grad(z, x, retain_graph=True), lib.autograd.grad(z, y)


def hook_after_in_place(lib: Any) -> Any:
    x = lib.make(X, requires_grad=True)
    y = x * 2
    y.mul_(3)
    y.register_hook(lambda g: g * 7)
    y.sum().backward()
    return x.grad


def node_hook(lib: Any) -> Any:
    x = lib.make(X, requires_grad=True)
    y = x.exp()
    seen: list[Any] = []

    def hook(grad_inputs: Any, grad_outputs: Any) -> Any:
        seen.append((grad_inputs[0].clone(), grad_outputs[0].clone()))
        return (grad_inputs[0] * 2,)

    y.grad_fn.register_hook(hook)
    (y * 3).sum().backward()
    return seen, x.grad


def node_prehook(lib: Any) -> Any:
    x = lib.make(X, requires_grad=True)
    y = x.exp()
    y.grad_fn.register_prehook(lambda grad_outputs: (grad_outputs[0] * 2,))
    (y * 3).sum().backward()
    return x.grad


def node_hook_with_several_inputs(lib: Any) -> Any:
    x, v = lib.make(X, requires_grad=True), lib.make(X[0])
    y = x * v
    shapes: list[Any] = []
    y.grad_fn.register_hook(lambda gi, go: shapes.append([None if g is None else tuple(g.shape) for g in gi]))
    y.sum().backward()
    return shapes


def accumulate_grad_hook(lib: Any) -> Any:
    x = lib.make(X, requires_grad=True)
    y = x * 2
    accumulate = y.grad_fn.next_functions[0][0]
    calls: list[Any] = []
    accumulate.register_hook(lambda gi, go: calls.append(x.grad is not None))
    y.sum().backward()
    return type(accumulate).__name__, accumulate.variable is x, calls


def post_accumulate(lib: Any) -> Any:
    x = lib.make(X, requires_grad=True)
    seen: list[Any] = []

    def step(t: Any) -> None:
        seen.append((t is x, t.grad.clone()))
        t.grad = None

    x.register_post_accumulate_grad_hook(step)
    (x * x).sum().backward()
    (x * x).sum().backward()
    return seen, x.grad


def post_accumulate_on_a_result(lib: Any) -> Any:
    (lib.make(X, requires_grad=True) * 2).register_post_accumulate_grad_hook(lambda t: None)


def retained(lib: Any) -> Any:
    x = lib.make(X, requires_grad=True)
    y = x * 2
    z = y.exp()
    y.retain_grad()
    y.retain_grad()
    z.sum().backward()
    return y.grad, y.retains_grad, z.retains_grad, x.retains_grad


def retained_twice_accumulates(lib: Any) -> Any:
    x = lib.make(X, requires_grad=True)
    y = x * 2
    y.retain_grad()
    (y * y).sum().backward(retain_graph=True)
    y.sum().backward()
    return y.grad


def retained_with_hook(lib: Any) -> Any:
    x = lib.make(X, requires_grad=True)
    y = x * 2
    y.retain_grad()
    y.register_hook(lambda g: g * 3)
    y.sum().backward()
    return y.grad, x.grad


def retain_on_what_needs_none(lib: Any) -> Any:
    lib.make(X).retain_grad()


def grad_assigned(lib: Any) -> Any:
    x = lib.make(X, requires_grad=True)
    x.grad = lib.make(X)
    (x * x).sum().backward()
    first = x.grad.clone()
    del x.grad
    return first, x.grad


def grad_of_the_wrong_shape(lib: Any) -> Any:
    lib.make(X, requires_grad=True).grad = lib.make(X[0])


def grad_of_the_wrong_dtype(lib: Any) -> Any:
    lib.make(X, requires_grad=True).grad = lib.make(X.astype(np.float32))


def grad_that_is_no_tensor(lib: Any) -> Any:
    lib.make(X, requires_grad=True).grad = 1.0


def no_grad_as_context(lib: Any) -> Any:
    x = lib.make(X, requires_grad=True)
    with lib.no_grad():
        inside = (x * 2).requires_grad, lib.is_grad_enabled()
        with lib.enable_grad():
            deeper = (x * 2).requires_grad, lib.is_grad_enabled()
        after = lib.is_grad_enabled()
    return inside, deeper, after, lib.is_grad_enabled()


def no_grad_as_decorator(lib: Any) -> Any:
    x = lib.make(X, requires_grad=True)

    @lib.no_grad()
    def with_brackets() -> Any:
        """Says something."""
        return (x * 2).requires_grad

    @lib.no_grad
    def without() -> Any:
        return (x * 2).requires_grad

    @lib.enable_grad()
    def enabled() -> Any:
        return (x * 2).requires_grad

    with lib.no_grad():
        recorded = enabled()
    return with_brackets(), without(), recorded, with_brackets.__doc__, with_brackets.__name__, lib.is_grad_enabled()


def no_grad_on_a_generator(lib: Any) -> Any:
    @lib.no_grad()
    def numbers() -> Any:
        yield lib.is_grad_enabled()
        yield lib.is_grad_enabled()

    outside = []
    inside = []
    for enabled in numbers():
        inside.append(enabled)
        outside.append(lib.is_grad_enabled())
    return inside, outside


def no_grad_on_a_generator_that_is_talked_to(lib: Any) -> Any:
    closed = []

    @lib.no_grad()
    def talk() -> Any:
        try:
            try:
                got = yield 0
            except KeyError:
                got = "error"
            yield got, lib.is_grad_enabled()
        finally:
            closed.append(lib.is_grad_enabled())
        return "end"

    a, b = talk(), talk()
    first, second = next(a), next(b)
    said, thrown = a.send("hello"), b.throw(KeyError())
    a.close()
    try:
        next(b)
    except StopIteration as end:
        return first, second, said, thrown, closed, end.value, lib.is_grad_enabled()


def set_as_function(lib: Any) -> Any:
    lib.set_grad_enabled(False)
    off = lib.is_grad_enabled()
    lib.set_grad_enabled(True)
    return off, lib.is_grad_enabled()


def set_as_context(lib: Any) -> Any:
    with lib.set_grad_enabled(False):
        inside = lib.is_grad_enabled()
    return inside, lib.is_grad_enabled()


def set_as_decorator(lib: Any) -> Any:
    @lib.set_grad_enabled(False)
    def f() -> Any:
        return lib.is_grad_enabled()

    return f(), lib.is_grad_enabled()


def restored_after_an_error(lib: Any) -> Any:
    for mode in (lib.no_grad(), lib.set_grad_enabled(False), lib.inference_mode()):
        try:
            with mode:
                raise KeyError
        except KeyError:
            pass
    return lib.is_grad_enabled(), lib.is_inference_mode_enabled()


def inference(lib: Any) -> Any:
    x = lib.make(X, requires_grad=True)
    with lib.inference_mode():
        y = x * 2
        inside = y.requires_grad, lib.is_grad_enabled(), lib.is_inference_mode_enabled()
        with lib.inference_mode(False):
            outside = lib.is_inference_mode_enabled()
    return inside, outside, y, lib.is_inference_mode_enabled()


def inference_as_decorator(lib: Any) -> Any:
    @lib.inference_mode()
    def f(x: Any) -> Any:
        return (x * 2).requires_grad

    return f(lib.make(X, requires_grad=True)), lib.is_inference_mode_enabled()


def created_under_no_grad(lib: Any) -> Any:
    with lib.no_grad():
        x = lib.make(X, requires_grad=True)
        y = lib.zeros(2, requires_grad=True)
    (x * x).sum().backward()
    return x.grad, y.requires_grad


def requires_grad_of_integers(lib: Any) -> Any:
    lib.make(np.array([1, 2])).requires_grad_()


def requires_grad_off_on_a_result(lib: Any) -> Any:
    (lib.make(X, requires_grad=True) * 2).requires_grad_(False)


def requires_grad_off_and_on(lib: Any) -> Any:
    x = lib.make(X, requires_grad=True)
    x.requires_grad = False
    off = (x * 2).requires_grad
    x.requires_grad_(True)
    return off, (x * 2).requires_grad


def detach_in_place(lib: Any) -> Any:
    x = lib.make(X, requires_grad=True)
    y = x * 2
    y.detach_()
    return y.requires_grad, y.is_leaf, y


CASES = [v for v in list(globals().values()) if getattr(v, "__module__", "") == __name__ and callable(v)]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_as_torch(case: Any, torch_ref: Any) -> None:
    as_torch(case)


def test_modes_belong_to_a_thread() -> None:
    inside: list[bool] = []
    with nbtorch.no_grad():
        thread = threading.Thread(target=lambda: inside.append(nbtorch.is_grad_enabled()))
        thread.start()
        thread.join()
        assert inside == [True]
        assert not nbtorch.is_grad_enabled()


def test_backward_in_threads(device: str) -> None:
    """Each thread differentiates graphs of its own; the weights are shared and read only."""
    w = nbtorch.tensor(np.linspace(-1, 1, 6).reshape(2, 3), device=device, requires_grad=True)
    results: dict[int, Any] = {}

    def work(k: int) -> None:
        for _ in range(20):
            x = helpers.to_nbtorch(X * k, requires_grad=True)
            h = (x @ w.detach()).tanh()
            (h * h).sum().backward()
            results[k] = x.grad

    threads = [threading.Thread(target=work, args=(k,)) for k in range(1, 5)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for k in range(1, 5):
        x = helpers.to_nbtorch(X * k, requires_grad=True)
        ((x @ w.detach()).tanh() ** 2).sum().backward()
        helpers.same(results[k], x.grad)


def test_the_hook_that_returns_no_tensor_is_named(device: str) -> None:
    def my_hook(g: nbtorch.Tensor) -> float:
        return 1.0

    x = nbtorch.ones(2, device=device, requires_grad=True)
    x.register_hook(my_hook)
    with pytest.raises(TypeError, match="my_hook"):
        (x * 2).sum().backward()


def test_an_error_in_backward_leaves_the_mode_as_it_was(device: str) -> None:
    x = nbtorch.ones(2, device=device, requires_grad=True)
    x.register_hook(lambda g: g[:1])
    with pytest.raises(RuntimeError):
        (x * 2).sum().backward()
    assert nbtorch.is_grad_enabled()
