"""Hooks of modules, each case run on PyTorch and on nbtorch."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import numpy as np
import pytest
from sides import as_torch, nbtorch_side, set_weights

CASES: list[Any] = []


def case(function: Any) -> Any:
    CASES.append(pytest.param(function, id=function.__name__))
    return function


@pytest.mark.parametrize("function", CASES)
def test_as_torch(function: Any, torch_ref: Any) -> None:
    as_torch(function)


def linear(lib: Any, n: int = 3, m: int = 2) -> Any:
    return set_weights(lib.nn.Linear(n, m).to(lib.device))


@case
def forward_hook_sees_and_replaces(lib: Any) -> Any:
    m = linear(lib)
    seen: list[Any] = []
    m.register_forward_hook(lambda module, args, out: seen.append((module is m, len(args), out.clone())))
    m.register_forward_hook(lambda module, args, out: out * 10)
    m.register_forward_hook(lambda module, args, out: seen.append(out))
    return m(lib.arange(2, 3)), seen


@case
def forward_pre_hook_replaces(lib: Any) -> Any:
    m = linear(lib)
    m.register_forward_pre_hook(lambda module, args: args[0] * 2)
    m.register_forward_pre_hook(lambda module, args: (args[0] + 1,))
    return m(lib.arange(2, 3))


@case
def hooks_with_kwargs(lib: Any) -> Any:
    class Scale(lib.nn.Module):
        def forward(self, x: Any, *, by: float) -> Any:
            return x * by

    m = Scale()
    m.register_forward_pre_hook(lambda module, args, kwargs: (args, {"by": kwargs["by"] + 1}), with_kwargs=True)
    m.register_forward_hook(lambda module, args, kwargs, out: out + kwargs["by"], with_kwargs=True)
    return m(lib.arange(3), by=2.0)


@case
def order_and_prepend(lib: Any) -> Any:
    m = linear(lib)
    order: list[Any] = []
    for name in "abc":
        m.register_forward_hook(lambda *_, name=name: order.append(name), prepend=name == "c")
        m.register_forward_pre_hook(lambda *_, name=name: order.append(name.upper()), prepend=name == "c")
    m(lib.arange(1, 3))
    return order


@case
def removing(lib: Any) -> Any:
    m = linear(lib)
    calls: list[int] = []
    handle = m.register_forward_hook(lambda *_: calls.append(1), always_call=True, with_kwargs=True)
    m(lib.arange(1, 3))
    handle.remove()
    handle.remove()
    m(lib.arange(1, 3))
    with m.register_forward_hook(lambda *_: calls.append(2)):
        m(lib.arange(1, 3))
    m(lib.arange(1, 3))
    tables = (m._forward_hooks, m._forward_hooks_with_kwargs, m._forward_hooks_always_called)
    return calls, [len(t) for t in tables]


@case
def a_hook_may_remove_itself(lib: Any) -> Any:
    m = linear(lib)
    calls: list[int] = []

    def once(*_: Any) -> None:
        calls.append(1)
        handle.remove()

    handle = m.register_forward_hook(once)
    m(lib.arange(1, 3))
    m(lib.arange(1, 3))
    return calls


@case
def always_called(lib: Any) -> Any:
    class Fails(lib.nn.Module):
        def forward(self, x: Any) -> Any:
            raise KeyError("forward failed")

    m = Fails()
    calls: list[Any] = []
    m.register_forward_hook(lambda module, args, out: calls.append(("always", out)), always_call=True)
    m.register_forward_hook(lambda module, args, out: calls.append("never"))
    try:
        m(1)
    except KeyError as error:
        calls.append(str(error))
    return calls


@case
def pre_hook_with_wrong_result(lib: Any) -> Any:
    m = linear(lib)
    m.register_forward_pre_hook(lambda module, args, kwargs: (1, 2, 3), with_kwargs=True)
    return m(lib.arange(1, 3))


@case
def global_forward_hooks(lib: Any) -> Any:
    from_module = lib.nn.modules.module
    m = lib.nn.Sequential(linear(lib), lib.nn.ReLU())
    order: list[str] = []
    handles = [
        from_module.register_module_forward_pre_hook(lambda mod, args: order.append("pre " + type(mod).__name__)),
        from_module.register_module_forward_hook(lambda mod, args, out: order.append("post " + type(mod).__name__)),
    ]
    m.register_forward_hook(lambda *_: order.append("own"))
    m(lib.arange(1, 3))
    for handle in handles:
        handle.remove()
    m(lib.arange(1, 3))
    return order


# -- backward ----------------------------------------------------------------------------------------------------------


@case
def full_backward_hook(lib: Any) -> Any:
    m = linear(lib)
    seen: list[Any] = []
    m.register_full_backward_hook(lambda module, gi, go: seen.append((gi, go)))
    x = lib.arange(2, 3, requires_grad=True)
    y = m(x)
    (y * y).sum().backward()
    return seen, x.grad, m.weight.grad, type(y.grad_fn).__name__


@case
def full_backward_hook_replaces(lib: Any) -> Any:
    m = linear(lib)
    m.register_full_backward_hook(lambda module, gi, go: (gi[0] * 10,))
    m.register_full_backward_pre_hook(lambda module, go: (go[0] * 2,))
    x = lib.arange(2, 3, requires_grad=True)
    m(x).sum().backward()
    return x.grad, m.weight.grad


@case
def full_backward_hook_order(lib: Any) -> Any:
    m = lib.nn.Sequential(linear(lib), lib.nn.ReLU(), linear(lib, 2, 2))
    order: list[str] = []
    for name, child in m.named_children():
        child.register_full_backward_pre_hook(lambda *_, name=name: order.append("pre" + name))
        child.register_full_backward_hook(lambda *_, name=name: order.append("post" + name))
        child.register_full_backward_hook(lambda *_, name=name: order.append("first" + name), prepend=True)
    m(lib.arange(2, 3, requires_grad=True)).sum().backward()
    return order


@case
def hook_with_several_inputs_and_outputs(lib: Any) -> Any:
    class Two(lib.nn.Module):
        def forward(self, a: Any, number: Any, b: Any) -> Any:
            return a * number, b * 2, "text"

    m = Two()
    seen: list[Any] = []
    m.register_full_backward_hook(lambda module, gi, go: seen.append((gi, go)))
    a, b = lib.arange(2, requires_grad=True), lib.arange(2)
    first, _, text = m(a, 3.0, b)
    first.sum().backward()
    return seen, a.grad, text


@case
def hook_without_input_gradient(lib: Any) -> Any:
    m = linear(lib)
    seen: list[Any] = []
    m.register_full_backward_hook(lambda module, gi, go: seen.append((gi, go)))
    m(lib.arange(2, 3)).sum().backward()
    return seen


@case
def hook_under_no_grad(lib: Any) -> Any:
    m = linear(lib)
    m.register_full_backward_hook(lambda module, gi, go: None)
    with lib.no_grad():
        return m(lib.arange(2, 3)).requires_grad


@case
def hook_with_wrong_number_of_gradients(lib: Any) -> Any:
    m = linear(lib)
    m.register_full_backward_hook(lambda module, gi, go: (gi[0], gi[0]))
    m(lib.arange(2, 3, requires_grad=True)).sum().backward()


@case
def global_backward_hooks(lib: Any) -> Any:
    seen: list[Any] = []
    handles = [
        lib.nn.modules.module.register_module_full_backward_hook(lambda mod, gi, go: seen.append((gi, go))),
        lib.nn.modules.module.register_module_full_backward_pre_hook(lambda mod, go: seen.append(go)),
    ]
    linear(lib)(lib.arange(2, 3, requires_grad=True)).sum().backward()
    for handle in handles:
        handle.remove()
    return seen


@case
def older_backward_hook(lib: Any) -> Any:
    m = lib.nn.ReLU()
    seen: list[Any] = []
    m.register_backward_hook(lambda module, gi, go: seen.append((gi, go)))
    x = lib.arange(4, requires_grad=True)
    m(x * 1).sum().backward()
    return seen


@case
def second_derivative_through_hooks(lib: Any) -> Any:
    m = lib.nn.Tanh()
    m.register_full_backward_hook(lambda module, gi, go: None)
    x = lib.arange(4, requires_grad=True)
    (g,) = lib.autograd.grad(m(x).sum(), x, create_graph=True)
    g.sum().backward()
    return g, x.grad


@case
def gradient_capturing_as_widgets_do(lib: Any) -> Any:
    m = lib.nn.Sequential(linear(lib), lib.nn.Tanh(), linear(lib, 2, 1))
    norms: dict[str, float] = {}
    for name, p in m.named_parameters():
        p.register_hook(lambda g, name=name: norms.__setitem__(name, round(float((g * g).sum().sqrt()), 4)))
    m(lib.make(np.ones((4, 3), np.float32))).sum().backward()
    return sorted(norms.items())


def test_handles_and_hooks_do_not_keep_a_module_alive() -> None:
    lib = nbtorch_side()
    m = linear(lib)
    handle = m.register_forward_hook(lambda *_: None)
    m.register_full_backward_hook(lambda *_: None)
    m(lib.arange(2, 3, requires_grad=True)).sum().backward()
    gone = weakref.ref(m)
    gc.disable()
    try:
        del m
        assert gone() is None
    finally:
        gc.enable()
    handle.remove()
