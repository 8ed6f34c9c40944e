"""Tensors in programs: copied, pickled, subclassed, given attributes, their methods patched."""

from __future__ import annotations

import copy
import io
import pickle
from typing import Any

import helpers
import numpy as np
import pytest
from sides import as_torch

import nbtorch

X = np.array([[0.5, -1.5], [2.0, 3.0]])


def deep_copy(lib: Any) -> Any:
    x = lib.make(X, requires_grad=True)
    (x * x).sum().backward()
    y = copy.deepcopy(x)
    with lib.no_grad():
        y.add_(1)
        y.grad.zero_()
    return x, x.grad, y, y.grad, y.requires_grad, y.is_leaf


def deep_copy_of_shared_things(lib: Any) -> Any:
    x = lib.make(X)
    a, b = copy.deepcopy([x, x])
    return a is b, a is x


def deep_copy_of_a_result(lib: Any) -> Any:
    copy.deepcopy(lib.make(X, requires_grad=True) * 2)


def shallow_copy(lib: Any) -> Any:
    x = lib.make(X)
    y = copy.copy(x)
    return y is x, y


def pickled(lib: Any) -> Any:
    x = lib.make(X.astype(np.float32), requires_grad=True)
    y = pickle.loads(pickle.dumps(x))
    return y, y.requires_grad, y.dtype == lib.float32


def pickled_view(lib: Any) -> Any:
    x = lib.make(X)
    return pickle.loads(pickle.dumps(x.t()[1:]))


def pickled_things(lib: Any) -> Any:
    return [pickle.loads(pickle.dumps(thing)) == thing for thing in (lib.float32, lib.Size([2, 3]), lib.device("cpu"))]


def attributes(lib: Any) -> Any:
    x = lib.make(X)
    x.note = "mine"
    y = x * 2
    return x.note, hasattr(y, "note"), hasattr(x.detach(), "note"), copy.deepcopy(x).note


def hashing(lib: Any) -> Any:
    x, y = lib.make(X), lib.make(X)
    return len({x, y, x}), x in {x: 1}, {x: "a"}[x]


def subclass_is_kept(lib: Any) -> Any:
    class Special(lib.Tensor):
        def double(self) -> Any:
            return self * 2

    x = lib.make(X).as_subclass(Special)
    y = x.double() + 1
    z = lib.ones(2, dtype=lib.float64, device=lib.device) * x
    return [type(t).__name__ for t in (x, y, y[0], z, y.exp().sum(), y.detach())], y.sum().item()


def subclass_differentiates(lib: Any) -> Any:
    class Special(lib.Tensor):
        pass

    leaf = lib.make(X, requires_grad=True)
    x = leaf.as_subclass(Special)
    (x * x).sum().backward()
    return leaf.grad


def truth_of_one_element(lib: Any) -> Any:
    return bool(lib.make(np.array([[2.0]]))), bool(lib.make(np.array(0.0)))


def truth_of_many(lib: Any) -> Any:
    bool(lib.make(X))


def numbers(lib: Any) -> Any:
    x = lib.make(np.array([[2.75]]))
    return float(x), int(x), x.item(), [10, 20, 30][lib.make(np.array(2))], range(5)[lib.make(np.array([3]))]


def index_of_a_float(lib: Any) -> Any:
    [10, 20][lib.make(np.array(1.0))]


def iteration(lib: Any) -> Any:
    x = lib.make(X, requires_grad=True)
    rows = list(x)
    a, b = x
    (a * b).sum().backward()
    return len(x), [r.detach() for r in rows], x.grad


def iteration_over_a_number(lib: Any) -> Any:
    list(lib.make(np.array(1.0)))


def length_of_a_number(lib: Any) -> Any:
    len(lib.make(np.array(1.0)))


def contains(lib: Any) -> Any:
    x = lib.make(X)
    return 2.0 in x, 5.0 in x, x[0] in x


def contains_text(lib: Any) -> Any:
    return "a" in lib.make(X)


def formatted(lib: Any) -> Any:
    x = lib.make(np.array(2.5))
    return f"{x:.3f}", f"{x}", f"{lib.make(np.array([1.0])).cpu()}", "%.2f" % x, str(x.cpu())  # noqa: UP031


def formatted_many(lib: Any) -> Any:
    return f"{lib.make(X):.2f}"


def python_sum_and_max(lib: Any) -> Any:
    x = lib.make(X[0])
    return sum(x), max(x), sum([x, x, x])


def reversed_operators(lib: Any) -> Any:
    x = lib.make(X)
    n = lib.make(np.array([5, 3]))
    return 2 + x, 2 - x, 2 * x, 2 / x, 2**x, 7 // n, 7 % n, 1 | n, 3 & n, 3 ^ n, x**2, -x, +x, abs(x), ~n


def comparisons(lib: Any) -> Any:
    x = lib.make(X)
    return x > 1, 1 < x, x >= 2, x == 2, x != 2, 2 == x, x <= x, x < 0.5  # noqa: SIM300


def compared_with_none(lib: Any) -> Any:
    x = lib.make(X)
    return x == None, x != None, x is None  # noqa: E711


def added_to_text(lib: Any) -> Any:
    lib.make(X) + "a"


def added_to_none(lib: Any) -> Any:
    None + lib.make(X)


def data_assigned(lib: Any) -> Any:
    w = lib.make(X, requires_grad=True)
    w.data = lib.make(X * 2)
    (w * w).sum().backward()
    return w.detach(), w.grad, w.is_leaf


def data_changed_in_place(lib: Any) -> Any:
    w = lib.make(X, requires_grad=True)
    w.data -= 0.5
    w.data[0] = 1
    return w.detach(), w.requires_grad, w.data.requires_grad


CASES = [v for v in list(globals().values()) if getattr(v, "__module__", "") == __name__ and callable(v)]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_as_torch(case: Any, torch_ref: Any) -> None:
    as_torch(case)


def test_pickled_to_a_file(device: str) -> None:
    file = io.BytesIO()
    pickle.dump({"w": helpers.to_nbtorch(X)}, file)
    file.seek(0)
    loaded = pickle.load(file)["w"]
    assert str(loaded.device).startswith(device)
    helpers.same(loaded, X)


def test_a_method_can_be_patched(device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Any] = []
    original = nbtorch.Tensor.exp

    def exp(self: Any) -> Any:
        calls.append(self)
        return original(self)

    monkeypatch.setattr(nbtorch.Tensor, "exp", exp)
    x = nbtorch.ones(2, device=device)
    assert x.exp().shape == (2,) and calls == [x]


def test_an_operator_can_be_patched(device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    original = nbtorch.Tensor.__mul__
    seen: list[str] = []

    def mul(self: Any, other: Any) -> Any:
        seen.append("mul")
        return original(self, other)

    monkeypatch.setattr(nbtorch.Tensor, "__mul__", mul)
    assert (nbtorch.ones(2, device=device) * 3).tolist() == [3.0, 3.0]
    assert seen == ["mul"]


def test_a_method_can_be_added(device: str) -> None:
    nbtorch.Tensor.twice = lambda self: self * 2
    try:
        assert nbtorch.ones(1, device=device).twice().item() == 2.0
    finally:
        del nbtorch.Tensor.twice


def test_a_typo_is_an_attribute_error(device: str) -> None:
    with pytest.raises(AttributeError):
        nbtorch.ones(1, device=device).sumx()
    with pytest.raises(AttributeError):
        nbtorch.onse(1)
