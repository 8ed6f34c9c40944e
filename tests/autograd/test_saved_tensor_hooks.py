"""``autograd.graph``: hooks on what is saved, on several gradients, edges of the graph; beside PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sides import as_torch

X = np.array([0.7, -1.3, 0.4])


def through_numpy(lib: Any) -> Any:
    w = lib.make(X, requires_grad=True)
    with lib.autograd.graph.saved_tensors_hooks(lambda s: s.detach() * 2, lambda s: s / 2):
        y = (w * w).exp().sum()
    y.backward()
    return w.grad


def not_a_tensor(lib: Any) -> Any:
    w = lib.make(X, requires_grad=True)
    with lib.autograd.graph.saved_tensors_hooks(lambda s: s, lambda s: 3):
        y = w.exp().sum()
    y.backward()


def changes_its_argument(lib: Any) -> Any:
    w = lib.make(X, requires_grad=True)
    with lib.autograd.graph.saved_tensors_hooks(lambda s: s.mul_(2), lambda s: s):
        return (w * 1).sin()


def refused(lib: Any) -> Any:
    graph = lib.autograd.graph
    with graph.disable_saved_tensors_hooks("no"), graph.saved_tensors_hooks(lambda s: s, lambda s: s):
        pass


def on_cpu(lib: Any) -> Any:
    w = lib.make(X, requires_grad=True)
    with lib.autograd.graph.save_on_cpu():
        y = (w * w).exp().sum()
    y.backward()
    return w.grad


def mutation_allowed(lib: Any) -> Any:
    w = lib.make(X, requires_grad=True)
    with lib.autograd.graph.allow_mutation_on_saved_tensors():
        b = w * 1
        y = (b**2).sum()
        b.sin_()
        y.backward()
    return w.grad


def of_a_function(lib: Any) -> Any:
    calls: list[int] = []

    class Exp(lib.autograd.Function):  # type: ignore[misc]
        @staticmethod
        def forward(ctx: Any, i: Any) -> Any:
            o = i.exp()
            ctx.save_for_backward(i, o)
            return o

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            i, o = ctx.saved_tensors
            return g * o + 0 * i

    w = lib.make(X, requires_grad=True)
    with lib.autograd.graph.saved_tensors_hooks(lambda s: (calls.append(1), s + 1)[1], lambda s: s - 1):
        y = Exp.apply(w)
    y.sum().backward()
    return w.grad, len(calls)


def several_gradients(lib: Any) -> Any:
    tensors = [lib.make(X * k, requires_grad=True) for k in (1, 2, 3)]
    log: list[Any] = []
    register = lib.autograd.graph.register_multi_grad_hook
    register(tensors, lambda grads: log.append([None if g is None else g.clone() for g in grads]))
    register(tensors, lambda g: log.append("any"), mode="any")
    sum((t * t).sum() for t in tensors[:2]).backward()  # type: ignore[union-attr]
    sum((t * 3).sum() for t in tensors).backward()  # type: ignore[union-attr]
    full = [entry for entry in log if entry != "any"]
    return len(log), [[g is None for g in entry] for entry in full], full[1]


def edges(lib: Any) -> Any:
    w = lib.make(X, requires_grad=True)
    y = w * w
    z = y.exp().sum()
    at_y, at_w, at_z = (lib.autograd.graph.get_gradient_edge(t) for t in (y, w, z))
    first = lib.autograd.grad(z, [at_y, at_w], retain_graph=True)
    second = lib.autograd.grad(at_z, w, retain_graph=True)
    lib.autograd.backward(at_z, inputs=[at_w])
    return first, second, w.grad, at_y.node.name(), at_w.node.name()


def version_raised(lib: Any) -> Any:
    b = lib.make(X, requires_grad=True) * 1
    z = (b * b).sum()
    lib.autograd.graph.increment_version(b)
    z.backward()


def batch_of_gradients(lib: Any) -> Any:
    w = lib.make(X, requires_grad=True)
    return lib.autograd.grad(w.sin() * w, w, lib.make(np.eye(3)), is_grads_batched=True)


def hooks_of_a_leaf_in_order(lib: Any) -> Any:
    w = lib.make(X, requires_grad=True)
    log: list[Any] = []
    node = (w * 2).grad_fn.next_functions[0][0]
    node.register_hook(lambda gi, go: log.append(("after", go[0].clone())))
    node.register_prehook(lambda go: (log.append(("before", go[0].clone())), (go[0] * 3,))[1])
    w.register_hook(lambda g: (log.append(("tensor", g.clone())), g * 2)[1])
    w.register_post_accumulate_grad_hook(lambda p: log.append(("added", p.grad.clone())))
    (w * 2).sum().backward()
    (w * 5).sum().backward()
    return w.grad, [name for name, _ in log], [g for _, g in log]


def captured_before_the_hooks(lib: Any) -> Any:
    w = lib.make(X, requires_grad=True)
    y = w * 2
    y.register_hook(lambda g: g * 2)
    y.grad_fn.register_prehook(lambda g: (g[0] * 10,))
    w.register_hook(lambda g: g * 7)
    z = (y * y).sum()
    return lib.autograd.grad(z, [y], retain_graph=True), lib.autograd.grad(z, [w, y])


CASES = [
    through_numpy, not_a_tensor, changes_its_argument, refused, on_cpu, mutation_allowed, of_a_function,
    several_gradients, edges, version_raised, batch_of_gradients, hooks_of_a_leaf_in_order, captured_before_the_hooks,
]  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_as_torch(case: Any, torch_ref: Any) -> None:
    as_torch(case)
