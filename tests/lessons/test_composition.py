"""The learner's library is a part of nbtorch, and of PyTorch: the same programs, on all three, give the same.

`mytorch` is composed of the reference cells of all lessons, so course and library can't drift apart.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import sys
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nbtorch.course import lesson_names
from nbtorch.course.library import PACKAGE, compose

LIBRARIES = ("mytorch", "nbtorch", "torch")


@pytest.fixture(scope="module")
def libraries(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    home = tmp_path_factory.mktemp("home")
    compose(Path(home), lesson_names("en"), {})
    sys.path.insert(0, str(home))
    try:
        found = {}
        for name in LIBRARIES:
            with contextlib.suppress(ModuleNotFoundError):
                found[name] = __import__(name)
        yield found
    finally:
        sys.path.remove(str(home))
        for name in [name for name in sys.modules if name.split(".")[0] == PACKAGE]:
            del sys.modules[name]


@pytest.fixture(params=LIBRARIES)
def torch(libraries: dict[str, Any], request: pytest.FixtureRequest) -> Any:
    if request.param not in libraries:
        pytest.skip(f"{request.param} isn't installed")
    return libraries[request.param]


def numbers(tensor: Any) -> Any:
    return np.array(tensor.detach().numpy())


X = [[1.0, -2.0, 3.0], [0.5, 4.0, -1.5]]
ROW, COLUMN = [2.0, -1.0, 0.5], [[3.0], [-2.0]]

#: Formulas of three leaves: a matrix, a row and a column.
FORMULAS: dict[str, Callable[[Any, Any, Any], Any]] = {
    "sum": lambda x, r, c: x + r + c,
    "difference": lambda x, r, c: 2 - x - r - (c - 1),
    "product": lambda x, r, c: x * r * c * 2,
    "quotient": lambda x, r, c: x / r + 1 / c + r / 4,
    "power": lambda x, r, c: x**2 + c**3 - (r * r) ** 0.5,
    "negative": lambda x, r, c: -(x * -r) + -c,
    "exponential": lambda x, r, c: (x * 0.1).exp() * (r + c).exp(),
    "sums": lambda x, r, c: x.sum(0) * x.sum(1, keepdim=True) + r.sum() * c.sum(dim=0),
    "means": lambda x, r, c: x.mean(1) + x.mean() * r.mean() + c.mean(0),
    "reshaped": lambda x, r, c: x.reshape(3, 2) * c.reshape(2) + r.reshape(3, 1),
    "transposed": lambda x, r, c: x.T * c.T + x.transpose(0, 1) * r.reshape(3, 1),
    "picked": lambda x, r, c: x[0] * r[1] + x[:, 1:].sum() + c[[0, 0, 1]].sum() * x[1, 2],
    "matrix product": lambda x, r, c: (x @ x.T) @ c + (x @ r).reshape(2, 1),
    "vector products": lambda x, r, c: (r @ r) * (c.T @ x) + x.T @ c[:, 0],
    "stacked": lambda x, r, c: (x.reshape(2, 3, 1) @ r.reshape(1, 3)).sum(0) @ r + c.sum(),
    "diamond": lambda x, r, c: (x * r + x) * (x * r) + x * c,
    "squared error": lambda x, r, c: ((x @ r.reshape(3, 1) - c) ** 2).mean(),
}


@pytest.mark.parametrize("name", FORMULAS)
def test_values_and_gradients_are_pytorchs(libraries: dict[str, Any], name: str) -> None:
    results = {}
    for library, torch in libraries.items():
        leaves = [torch.tensor(value, requires_grad=True) for value in (X, ROW, COLUMN)]
        out = FORMULAS[name](*leaves)
        (out * out).sum().backward()
        grads = [None if leaf.grad is None else numbers(leaf.grad) for leaf in leaves]
        assert numbers(out).dtype == np.float32 and all(g is None or g.dtype == np.float32 for g in grads)
        results[library] = [numbers(out), *(np.zeros(1) if g is None else g for g in grads)]
    for library, found in results.items():
        for mine, theirs in zip(found, results["nbtorch"], strict=True):
            assert mine.shape == theirs.shape, library
            np.testing.assert_allclose(mine, theirs, rtol=2e-5, atol=1e-5, err_msg=library)


def test_plain_numbers_take_the_tensors_dtype(torch: Any) -> None:
    for value in (torch.tensor([1.0, 2.0]) + 1, 2 - torch.tensor([1.0]), torch.tensor([4]) / 2):
        assert numbers(value).dtype == np.float32
    assert numbers(torch.tensor([1, 2]) + 1).dtype == np.int64
    assert torch.tensor([1.5]).item() == 1.5 and tuple(torch.tensor(X).shape) == (2, 3)


def test_the_graph_has_pytorchs_names_and_arrows(torch: Any) -> None:
    w, x = torch.tensor(3.0, requires_grad=True), torch.tensor(2.0)
    loss = (w * x + w).exp()
    assert loss.grad_fn.name().startswith("ExpBackward") and not loss.is_leaf and w.is_leaf
    (add,) = [node for node, _ in loss.grad_fn.next_functions]
    assert add.name().startswith("AddBackward")
    mul, leaf = [node for node, _ in add.next_functions]
    assert mul.name().startswith("MulBackward") and leaf.name().endswith("AccumulateGrad") and leaf.variable is w
    assert [node is None for node, _ in mul.next_functions] == [False, True]
    assert x.grad_fn is None and not (x * 2).requires_grad


def test_leaves_accumulate_and_keep_numbers_of_their_own(torch: Any) -> None:
    w, v = torch.tensor([1.0, 2.0], requires_grad=True), torch.tensor([3.0, 4.0], requires_grad=True)
    for times in (1.0, 2.0):
        (w + v).sum().backward()
        assert numbers(w.grad).tolist() == [times, times]
    w.grad.zero_()
    assert numbers(v.grad).tolist() == [2.0, 2.0]


def test_a_chain_of_thousands(torch: Any) -> None:
    y = start = torch.tensor(1.0, requires_grad=True)
    for _ in range(3000):
        y = y + start * 0.001
    y.backward()
    assert start.grad.item() == pytest.approx(4.0, rel=1e-3)


def test_without_grad_nothing_is_recorded(torch: Any) -> None:
    w = torch.tensor([1.0], requires_grad=True)
    with torch.no_grad():
        with torch.no_grad():
            pass
        quiet = w * 2
    assert quiet.grad_fn is None and not quiet.requires_grad and (w * 2).requires_grad
    with pytest.raises(KeyError), torch.no_grad():
        raise KeyError
    assert (w * 2).requires_grad
    cut = (w * 2).detach()
    assert cut.grad_fn is None and not cut.requires_grad


def test_a_step_in_place_keeps_the_leaf(torch: Any) -> None:
    w = torch.tensor([1.0, 2.0], requires_grad=True)
    same = w
    (w * w).sum().backward()
    with torch.no_grad():
        w -= 0.5 * w.grad
    assert w is same and w.requires_grad and numbers(w).tolist() == [0.0, 0.0]
    with pytest.raises(RuntimeError, match="a leaf Variable that requires grad is being used in an in-place operation"):
        w -= 1.0


def test_what_is_refused(torch: Any) -> None:
    w = torch.tensor([1.0, 2.0], requires_grad=True)
    with pytest.raises(RuntimeError, match="grad can be implicitly created only for scalar outputs"):
        (w * 2).backward()
    with pytest.raises(RuntimeError, match="does not require grad"):
        torch.tensor(1.0).backward()
    with pytest.raises(RuntimeError, match=r"[Oo]nly Tensors of floating point"):
        torch.tensor([1], requires_grad=True)
    loss = (w * w).sum()
    loss.backward()
    with pytest.raises(RuntimeError, match="backward through the graph a second time"):
        loss.backward()
    kept = (w * w).sum()
    kept.backward(retain_graph=True)
    kept.backward()
    assert numbers(w.grad).tolist() == [6.0, 12.0]


def test_a_view_shares_its_numbers(torch: Any) -> None:
    x = torch.tensor([1.0, 2.0, 3.0, 4.0])
    view, turned = x.reshape(2, 2), x.reshape(2, 2).T
    with torch.no_grad():
        x -= 1.0
    assert numbers(view).tolist() == [[0.0, 1.0], [2.0, 3.0]] and numbers(turned).tolist() == [[0.0, 2.0], [1.0, 3.0]]
    array = np.ones(2, np.float32)
    copy = torch.tensor(array)
    array[0] = 5
    assert numbers(copy).tolist() == [1.0, 1.0]


def test_the_graph_dies_with_its_result(libraries: dict[str, Any]) -> None:
    torch = libraries["mytorch"]  # PyTorch's nodes can't be referenced weakly; nbtorch's are seen to in tests/autograd
    w = torch.tensor([1.0], requires_grad=True)
    loss = (w * w).exp().sum()
    node = weakref.ref(loss.grad_fn)
    gc.collect()
    gc.disable()
    try:
        del loss
        assert node() is None
    finally:
        gc.enable()


def test_a_network_trains_to_the_same_losses(libraries: dict[str, Any]) -> None:
    inputs = np.linspace(-1, 1, 24, dtype=np.float32).reshape(8, 3)
    targets = (inputs**2).sum(1, keepdims=True)
    random = np.random.default_rng(0)
    start = [random.normal(size=shape).astype(np.float32) for shape in ((5, 3), (5,), (1, 5), (1,))]
    losses = {}
    for library, torch in libraries.items():
        nn, optim = (importlib.import_module(f"{library}.{part}") for part in ("nn", "optim"))
        first, last, criterion = nn.Linear(3, 5), nn.Linear(5, 1), nn.MSELoss()
        parameters = [*first.parameters(), *last.parameters()]
        with torch.no_grad():
            for parameter, value in zip(parameters, start, strict=True):
                assert tuple(parameter.shape) == value.shape
                parameter -= parameter - torch.tensor(value)
        optimizer = optim.SGD(parameters, lr=0.05)
        x, y = torch.tensor(inputs), torch.tensor(targets)
        losses[library] = []
        for _ in range(30):
            optimizer.zero_grad()
            loss = criterion(last((first(x) * 0.5).exp()), y)
            loss.backward()
            optimizer.step()
            losses[library].append(loss.item())
    assert losses["nbtorch"][-1] < losses["nbtorch"][0] / 2
    for library, found in losses.items():
        np.testing.assert_allclose(found, losses["nbtorch"], rtol=1e-4, err_msg=library)
