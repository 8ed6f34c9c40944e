"""The graph as a program sees it: names of nodes, ``next_functions``, saved values, as in PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sides import as_torch

import nbtorch

X = np.array([[0.5, -1.5], [2.0, 3.0], [1.0, -1.0]], np.float32)


def names(node: Any) -> Any:
    """The graph behind a node as nested names."""
    if node is None:
        return None
    return type(node).__name__, [names(n) for n, _ in node.next_functions]


def linear(lib: Any) -> Any:
    x, w, b = (lib.make(a, requires_grad=True) for a in (X, X[:2], X[0]))
    return lib.nn.functional.linear(x, w, b)


def linear_of_data(lib: Any) -> Any:
    w, b = (lib.make(a, requires_grad=True) for a in (X[:2], X[0]))
    return lib.nn.functional.linear(lib.make(X), w, b)


def linear_without_bias(lib: Any) -> Any:
    x, w = (lib.make(a, requires_grad=True) for a in (X, X[:2]))
    return lib.nn.functional.linear(x, w)


def mean_squared_error(lib: Any) -> Any:
    return lib.nn.functional.mse_loss(lib.make(X, requires_grad=True), lib.make(X))


def cross_entropy(lib: Any) -> Any:
    return lib.nn.functional.cross_entropy(lib.make(X, requires_grad=True), lib.make(np.array([0, 1, 1])))


def relu_network(lib: Any) -> Any:
    net = lib.nn.Sequential(lib.nn.Linear(2, 4), lib.nn.ReLU(), lib.nn.Linear(4, 1)).to(lib.device)
    return net(lib.make(X)).mean()


def by_hand(lib: Any) -> Any:
    w, b = lib.make(X[:2], requires_grad=True), lib.make(X[0], requires_grad=True)
    return ((lib.make(X) @ w + b - 1) ** 2).sum()


def arithmetic(lib: Any) -> Any:
    x = lib.make(X, requires_grad=True)
    return (-(x / 2 - 3 * x) + x**x).abs()


def functions(lib: Any) -> Any:
    x = lib.make(X, requires_grad=True)
    return x.exp().sin().cos().tanh().sigmoid().sqrt().log().log1p().square().reciprocal().clamp(0, 1).erf().sign()


def shapes(lib: Any) -> Any:
    x = lib.make(X, requires_grad=True)
    y = x.reshape(2, 3).t().unsqueeze(0).expand(4, 3, 2).permute(2, 0, 1).squeeze(0).transpose(0, 1)
    return y.view(4, 2, 3).flip(0)


def indices(lib: Any) -> Any:
    x = lib.make(X, requires_grad=True)
    where = lib.make(np.array([0, 2]))
    return x[0].sum() + x[1:].sum() + x[where].sum() + x.gather(1, where.view(2, 1) // 2).sum() + x.max(1)[0].sum()


def joined(lib: Any) -> Any:
    x = lib.make(X, requires_grad=True)
    return lib.cat([x, x * 2]).sum() + lib.stack([x, x]).mean()


def pieces(lib: Any) -> Any:
    x = lib.make(X, requires_grad=True)
    a, b = x.unbind(1)
    c, d = x.split(2)
    return a + b + c.sum() + d.sum()


def reductions(lib: Any) -> Any:
    x = lib.make(X, requires_grad=True)
    return x.sum(1) + x.mean(1) + x.var(1) + x.std(1) + x.prod(1) + x.logsumexp(1) + x.max() + x.min() + x.norm()


def normal_forms(lib: Any) -> Any:
    x = lib.make(X, requires_grad=True)
    return x.softmax(1) + x.log_softmax(1) + lib.nn.functional.relu(x) + lib.where(x > 0, x, 2 * x)


def batched(lib: Any) -> Any:
    x = lib.make(X, requires_grad=True)
    return lib.bmm(x.view(1, 3, 2), x.view(1, 2, 3))


def one_input_wanted(lib: Any) -> Any:
    return lib.make(X, requires_grad=True) * lib.make(X)


def dtypes(lib: Any) -> Any:
    return lib.make(X, requires_grad=True).double() * 2


def in_place(lib: Any) -> Any:
    x = lib.make(X, requires_grad=True)
    y = x * 1
    y.add_(1)
    y[0] = 2
    return y


GRAPHS = [
    value
    for value in list(globals().values())
    if getattr(value, "__module__", "") == __name__ and callable(value) and value is not names
]


@pytest.mark.parametrize("program", GRAPHS, ids=lambda program: program.__name__)
def test_graphs_as_torch(program: Any, device: str, torch_ref: Any) -> None:
    as_torch(lambda lib: names(program(lib).grad_fn))


def test_the_end_of_the_graph_is_the_leaf(device: str) -> None:
    x = nbtorch.ones(2, device=device, requires_grad=True)
    y = x * 2
    (accumulate, nr), (nothing, _) = y.grad_fn.next_functions
    assert type(accumulate).__name__ == "AccumulateGrad"
    assert accumulate.variable is x and nr == 0
    assert accumulate.next_functions == ()
    assert nothing is None


def test_one_leaf_has_one_end(device: str) -> None:
    x = nbtorch.ones(2, device=device, requires_grad=True)
    y = x * x
    (a, _), (b, _) = y.grad_fn.next_functions
    assert a == b and hash(a) == hash(b) and len({a, b}) == 1
    assert (x + 1).grad_fn.next_functions[0][0] == a


def test_nodes_are_the_same_objects_each_time(device: str) -> None:
    y = nbtorch.ones(2, device=device, requires_grad=True).exp()
    z = y * 2
    assert z.grad_fn is z.grad_fn
    assert z.grad_fn.next_functions[0][0] is y.grad_fn


def test_a_leaf_has_no_node(device: str) -> None:
    x = nbtorch.ones(2, device=device, requires_grad=True)
    assert x.grad_fn is None and x.is_leaf
    assert nbtorch.ones(2, device=device).is_leaf
    assert not (x * 2).is_leaf


def test_what_nodes_saved_can_be_looked_at(device: str) -> None:
    x = nbtorch.tensor([1.0, 2.0], device=device, requires_grad=True)
    assert x.exp().grad_fn._saved_result.tolist() == x.exp().tolist()
    assert (x * x).grad_fn._saved_self is x
    assert x.sin().grad_fn._saved_self is x
    with pytest.raises(AttributeError):
        (x + x).grad_fn._saved_self  # noqa: B018


def test_nodes_say_where_they_were_made(device: str) -> None:
    node = nbtorch.ones(2, device=device, requires_grad=True).exp().grad_fn
    code, _ = node.where
    assert code.co_filename.endswith("test_graph_as_seen.py")


def test_numbered_outputs(device: str) -> None:
    class Three(nbtorch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1, x * 2, x * 3

        @staticmethod
        def backward(ctx, a, b, c):
            return a + 2 * b + 3 * c

    parts = Three.apply(nbtorch.ones(2, device=device, requires_grad=True))
    assert [p.output_nr for p in parts] == [0, 1, 2]
    assert (parts[2] * 1).grad_fn.next_functions[0][1] == 2
