"""torch.func and vmap: the transforms, nested in each other, side by side with PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sides import as_torch

X = np.array([0.7, -1.3, 0.4])
M = np.linspace(-1.5, 2.0, 12).reshape(4, 3)
S = np.array(1.7)
CASES: list[Any] = []


def case(function: Any, *arrays: Any) -> None:
    """A program for both libraries, its arrays given as tensors."""
    CASES.append(pytest.param(function, arrays, id=str(len(CASES))))


def f1(t: Any) -> Any:
    return lambda a: (t.sin(a) * a**2).sum()


case(lambda t, a: t.func.grad(f1(t))(a), X)
case(lambda t, a: t.func.grad(t.func.grad(lambda z: z**4))(a), S)
case(lambda t, a: t.func.grad(lambda p, q: (p * q.exp()).sum(), argnums=(0, 1))(a, a * 2), X)
case(lambda t, a: t.func.grad(lambda p, q: (p * q.exp()).sum(), argnums=-1)(a, a * 2), X)
case(lambda t, a: t.func.grad(lambda d: (d["a"] * d["b"][0]).sum())({"a": a, "b": (a * 3,)}), X)
case(lambda t, a: t.func.grad_and_value(lambda z: ((z**2).sum(), z * 2), has_aux=True)(a), X)
case(lambda t, a: t.func.grad(lambda z: z**2)(a), X)
case(lambda t, a: t.func.grad(lambda z: 3.0)(a), X)
case(lambda t, a: t.func.grad(lambda z: t.tensor(3.0))(a), X)
case(lambda t, a: t.func.grad(f1(t), argnums=2)(a), X)
case(lambda t, a: t.func.vjp(lambda z: (z.sin(), z.exp().sum()), a)[1]((a, a.sum())), X)
case(lambda t, a: t.func.vjp(lambda z, w: z * w, a, a * 2)[1](a), X)
case(lambda t, a: t.func.vjp(lambda z: z * 2, a)[1]((a, a)), X)
case(lambda t, a: t.func.jvp(lambda z: z.sin() * z, (a,), (a,)), X)
case(lambda t, a: t.func.jvp(lambda z, w: (z * w, w.sum()), (a, a * 2), (a, a**2)), X)
case(lambda t, a: t.func.jvp(lambda z: z.sin(), a, a), X)
case(lambda t, a: t.func.jvp(lambda z: t.ones(3), (a,), (a,), strict=True), X)
case(lambda t, a: t.func.jvp(lambda z: t.ones(3), (a,), (a,)), X)
case(lambda t, a: t.func.jacrev(t.sin)(a), X)
case(lambda t, a: t.func.jacfwd(t.sin)(a), X)
case(lambda t, a, m: t.func.jacrev(lambda z: (m @ z).tanh())(a), X, M)
case(lambda t, a, m: t.func.jacfwd(lambda z: (m @ z).tanh())(a), X, M)
case(lambda t, a, m: t.func.jacrev(lambda z, k: {"u": (k @ z).tanh(), "v": z.sum()}, argnums=(0, 1))(a, m), X, M)
case(lambda t, a, m: t.func.jacfwd(lambda z, k: {"u": (k @ z).tanh(), "v": z.sum()}, argnums=(0, 1))(a, m), X, M)
case(lambda t, a, m: t.func.jacrev(lambda z, k: ((k @ z).tanh(), z), has_aux=True, argnums=1)(a, m), X, M)
case(lambda t, a, m: t.func.jacfwd(lambda z, k: ((k @ z).tanh(), z), has_aux=True, argnums=1)(a, m), X, M)
case(lambda t, a: t.func.hessian(f1(t))(a), X)
case(lambda t, a: t.func.jacrev(t.func.jacrev(f1(t)))(a), X)
case(lambda t, a: t.func.jacfwd(t.func.jacfwd(f1(t)))(a), X)
case(lambda t, a: t.func.jacrev(t.func.jacfwd(f1(t)))(a), X)
case(lambda t, a: t.func.jacfwd(t.func.jacrev(lambda z: z.exp() * z.sum()))(a), X)
case(lambda t, a: t.vmap(t.func.grad(f1(t)))(a), M)
case(lambda t, a: t.vmap(t.func.hessian(f1(t)))(a), M)
case(lambda t, a: t.func.grad(lambda z: t.vmap(f1(t))(z).sum())(a), M)
case(lambda t, a: t.func.jacrev(lambda z: t.vmap(f1(t))(z))(a), M)
case(lambda t, a: t.func.jacfwd(lambda z: t.vmap(f1(t))(z))(a), M)
case(lambda t, a: t.vmap(t.func.jacfwd(t.func.jacrev(f1(t))))(a), M)
case(lambda t, a: t.func.linearize(lambda z: z.sin() * z.sum(), a)[1](a * 2), X)
case(lambda t, a: t.func.linearize(lambda z, w: (z * w, w.exp()), a, a * 2)[1](a * 2, a), X)
case(lambda t, a: t.func.jvp(lambda z: t.func.grad(f1(t))(z), (a,), (a,)), X)
case(lambda t, a: t.func.grad(lambda z: t.func.jvp(f1(t), (z,), (a,))[1])(a), X)
case(lambda t, a: t.func.jvp(lambda z: t.func.jvp(f1(t), (z,), (a,))[1], (a,), (a * 2,)), X)
case(lambda t, a: t.func.jvp(lambda z: t.func.jvp(lambda w: (w * z).sum(), (a,), (z,))[1], (a,), (a * 2,)), X)
case(lambda t, a: t.func.grad(lambda z: z * t.func.grad(lambda w: w * z)(z))(a), S)
case(
    lambda t, a: t.func.grad(
        lambda z: z * t.func.jvp(lambda w: w * z, (t.tensor(2.0).double(),), (t.tensor(1.0).double(),))[1]
    )(a),
    S,
)


def closure(t: Any, a: Any) -> Any:
    w = a.clone().requires_grad_()
    g = t.func.grad(lambda z: (z * w).sin().sum())(a)
    g.sum().backward()
    return g, w.grad


case(closure, X)


def closure2(t: Any, a: Any) -> Any:
    w = a.clone().requires_grad_()
    g = t.vmap(t.func.grad(lambda z: (z * w).sin().sum()))(t.stack([a, a * 2]))
    g.sum().backward()
    return g, w.grad


case(closure2, X)


def closure3(t: Any, a: Any) -> Any:
    w = a.clone().requires_grad_()
    p, g = t.func.jvp(lambda z: (z * w).sin(), (a,), (a,))
    g.sum().backward()
    return p, g, w.grad


case(closure3, X)


def outer(t: Any, a: Any) -> Any:
    w = a.clone().requires_grad_()
    g = t.func.grad(f1(t))(w)
    h = t.func.jacfwd(t.sin)(w)
    (g.sum() + h.sum()).backward()
    return g, h, w.grad


case(outer, X)
case(lambda t, a: t.func.grad(lambda z: (z.detach() * z).sum())(a), X)


def ng(t: Any, a: Any) -> Any:
    def f(z):
        with t.no_grad():
            c = z**2
        return (z * 3 - c * z).sum()

    return t.func.grad(f)(a), t.func.jvp(f, (a,), (a,)), t.func.vjp(f, a)[1](a.sum())


case(ng, X)


def ng2(t: Any, a: Any) -> Any:
    w = a.clone().requires_grad_()
    with t.no_grad():
        return t.func.grad(f1(t))(w), t.func.vjp(t.sin, w)[0], t.func.jvp(t.sin, (w,), (a,))


case(ng2, X)
case(lambda t, a: t.func.grad(lambda z: t.func.vjp(lambda w: w**3, z)[1](z)[0].sum())(a), X)
case(lambda t, a: t.func.jacrev(lambda z: z, chunk_size=2)(a), X)
case(lambda t, a: t.func.jacrev(lambda z: t.stack([z[0] * z[1], z[2]]))(a), X)
case(lambda t, a: t.func.jacfwd(lambda z: t.stack([z[0] * z[1], z[2]]))(a), X)


def inpl(t: Any, a: Any) -> Any:
    def f(z):
        y = z * 1
        y.mul_(z)
        y[0] = y[1] * 2
        return y

    return t.func.jacfwd(f)(a), t.func.jacrev(f)(a)


case(inpl, X)


def dual(t: Any, a: Any) -> Any:

    fw = t.autograd.forward_ad
    with fw.dual_level():
        d = fw.make_dual(a, a * 2)
        with t.no_grad():
            y = (d * d).sin().sum()
        y2 = y * 2
        u = fw.unpack_dual(y2)
        r = (u.primal, u.tangent, y2.requires_grad, y2.grad_fn is None, y2.is_leaf)
    return (*r, y2.requires_grad)


case(dual, X)


def fwdrev(t: Any, a: Any) -> Any:
    fw = t.autograd.forward_ad
    w = a.clone().requires_grad_()
    with fw.dual_level():
        d = fw.make_dual(w, a * 2)
        y = (d**3).sum()
        (g,) = t.autograd.grad(y, w, create_graph=True)
        u = fw.unpack_dual(g)
        y = (d**3).sum()
        y.backward()
        v = fw.unpack_dual(w.grad)
        return u.primal, u.tangent, v.primal, v.tangent


case(fwdrev, X)


def model(t, m):
    t.manual_seed(0)
    net = t.nn.Sequential(t.nn.Linear(3, 4), t.nn.Tanh(), t.nn.Linear(4, 1)).double().to(m.device)
    with t.no_grad():
        for k, p in enumerate(net.parameters()):
            p.copy_((t.arange(p.numel()).double() / p.numel() - 0.5).reshape(p.shape) * (k + 1))
    params = {k: v.detach() for k, v in net.named_parameters()}

    def loss(params: Any, x: Any) -> Any:
        return t.func.functional_call(net, params, (x,)).pow(2).sum()

    per = t.vmap(t.func.grad(loss), in_dims=(None, 0))(params, m)
    st, _ = t.func.stack_module_state([net, net])
    o = t.vmap(lambda p, x: t.func.functional_call(net, p, (x,)), in_dims=(0, None))(st, m)
    hs = t.func.hessian(loss)(params, m)
    return per, o, hs


case(model, M)
case(lambda t, a: t.vmap(t.func.jvp, in_dims=(None, 0, 0))(t.sin, (a,), (a,)), M)
case(lambda t, a: t.vmap(lambda z: t.func.vjp(t.sin, z)[1](z))(a), M)
case(lambda t, a: t.vmap(lambda z: t.func.jacrev(lambda w: (w * z).sum())(z), in_dims=1)(a), M)
case(lambda t, a: t.func.jacrev(t.func.grad(lambda z: z.prod()))(a), X)
case(lambda t, a: t.func.hessian(lambda z: t.softmax(z, 0).max())(a), X)
case(lambda t, a: t.func.hessian(lambda z: z.norm())(a), X)
case(lambda t, a: t.func.hessian(lambda z: t.nn.functional.layer_norm(z, (3,)).exp().sum())(a), X)
case(lambda t, a: t.vmap(lambda z: z + t.rand(3, device=a.device), randomness="same")(a)[:, 0] * 0, M)
case(lambda t, a: t.vmap(lambda z: z.sum(), in_dims=3)(a), M)
case(lambda t, a: t.vmap(lambda z: z.sum(), in_dims=[0])(a), M)
case(lambda t, a: t.vmap(lambda z: z.sum(), in_dims=(0, 0))(a), M)
case(lambda t, a: t.vmap(lambda z: z.sum(), in_dims=None)(a), M)
case(lambda t, a: t.vmap(lambda z: z.sum(), in_dims=(None,))(a), M)
case(lambda t, a: t.vmap(lambda z: 3)(a), M)
case(lambda t, a: t.vmap(lambda z: z, out_dims=None)(a), M)
case(lambda t, a: t.vmap(lambda z: (z, z), out_dims=(0, 1))(a), M)
case(lambda t, a: t.vmap(lambda z: (z, z), out_dims=(0,))(a), M)
case(lambda t, a: t.vmap(lambda z, w: z + w)(a, a[:2]), M)
case(lambda t, a: t.vmap(lambda z, w: z + w, in_dims=(0, {"k": 0}))(a, a[:2]), M)
case(lambda t, a: t.vmap(lambda z, w: z + w["k"], in_dims=(0, {"k": 0}))(a, {"k": a}), M)
case(lambda t, a: t.vmap(lambda z: z.sum(), chunk_size=3)(a), M)
case(lambda t, a: t.vmap(lambda z: z * 2, chunk_size=2, out_dims=1)(a), M)
case(lambda t, a: t.vmap(lambda: 3)(), M)
case(lambda t, a: t.vmap(lambda z: z, randomness="x")(a), M)
case(lambda t, a: t.vmap(lambda z: t.func.grad(lambda w: (w * z).sum())(z.sum()))(a), M)


@pytest.mark.parametrize("function, arrays", CASES)
def test_as_torch(function: Any, arrays: Any, torch_ref: Any) -> None:
    as_torch(lambda lib: function(lib, *[lib.make(a) for a in arrays]), rtol=1e-6, atol=1e-9)
