"""Reductions, order statistics, counting and searching where PyTorch's database of operations does not reach."""

from __future__ import annotations

import copy
import pickle
import warnings
from typing import Any

import helpers
import pytest

torch = helpers.import_torch()

import nbtorch  # noqa: E402

NAN, INF = float("nan"), float("inf")

INPUTS: dict[str, Any] = {
    "0-d": 1.5,
    "nothing": [],
    "rows": [[1.0, NAN, 3.0, NAN], [INF, -INF, 2.0, 2.0], [1.0, 1.0, 0.0, -0.0]],
    "integers": [[3, -1, 2], [0, 5, 5]],
    "truths": [[True, False, True], [False, False, False]],
}
CALLS: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
    ("sum", (), {"dtype": "float64"}), ("sum", ((0, -1),), {"keepdim": True}), ("prod", (0,), {"dtype": "int32"}),
    ("any", ((),), {}), ("all", (-1,), {"keepdim": True}), ("nansum", (0,), {"dtype": "float64"}),
    ("nanmean", (-1,), {}), ("logsumexp", (0,), {}), ("logsumexp", ((0, -1),), {"keepdim": True}),
    ("norm", (0,), {}), ("norm", (INF, 0), {}), ("cummax", (-1,), {}), ("cummin", (0,), {}),
    ("logcumsumexp", (-1,), {}), ("cumsum", (0,), {"dtype": "bool"}), ("median", (), {}), ("median", (0, True), {}),
    ("nanmedian", (-1,), {}), ("nanmedian", (), {}), ("kthvalue", (2,), {}), ("kthvalue", (9,), {}),
    ("kthvalue", (True,), {}), ("topk", (2,), {"largest": False}), ("topk", (-1,), {}), ("quantile", (0.3, 0), {}),
    ("quantile", (1.5,), {}), ("nanquantile", (0.3, -1, True), {}), ("aminmax", (), {"dim": -1}),
    ("var", (0,), {"correction": 3}), ("std", (-1, True, True), {}), ("diff", (2,), {}), ("histc", (4,), {}),
    ("histc", (4, 0, 2), {}), ("histc", (4, 2, 1), {}), ("bincount", (), {}), ("unique_consecutive", (), {}),
    ("nonzero_static", (), {"size": 4, "fill_value": 7}), ("isin", (2,), {}), ("argmax", (1,), {}),
    ("max", (), {"keepdim": True}), ("mode", (0,), {}),
]  # fmt: skip


def both(name: str, x: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, Any]:
    """What PyTorch and nbtorch make of a call: a result or an exception."""
    found = []
    for library, tensor in ((torch, torch.tensor(x)), (nbtorch, helpers.to_nbtorch(torch.tensor(x)))):
        given = {k: getattr(library, v) if k == "dtype" else v for k, v in kwargs.items()}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                found.append(getattr(library, name)(tensor, *args, **given))
            except Exception as error:
                found.append(error)
    return found[0], found[1]


@pytest.mark.parametrize("x", INPUTS.values(), ids=INPUTS)
@pytest.mark.parametrize(("name", "args", "kwargs"), CALLS, ids=[f"{c[0]}{i}" for i, c in enumerate(CALLS)])
def test_as_pytorch_at_the_edges(name: str, args: tuple[Any, ...], kwargs: dict[str, Any], x: Any) -> None:
    if name == "mode" and x is INPUTS["rows"]:
        pytest.skip("PyTorch's own order of NaN is arbitrary here")
    theirs, ours = both(name, x, args, kwargs)
    if isinstance(theirs, Exception):
        assert type(ours) is type(theirs), f"{ours!r} where PyTorch raises {theirs!r}"
    else:
        assert not isinstance(ours, Exception), ours
        if name in ("kthvalue", "topk"):  # which of several equal elements is not said
            theirs, ours = theirs[0], ours[0]
        helpers.same(ours, theirs)


@pytest.mark.parametrize("name", ["max", "min", "median", "cummax", "sort", "mode", "aminmax"])
def test_results_have_names(name: str) -> None:
    args, kwargs = ((), {"dim": 0}) if name == "aminmax" else ((0,), {})
    theirs = getattr(torch, name)(torch.tensor([3.0, 1.0, 2.0]), *args, **kwargs)
    ours = getattr(nbtorch, name)(nbtorch.tensor([3.0, 1.0, 2.0]), *args, **kwargs)
    assert repr(ours) == repr(theirs)
    assert type(ours).__name__ == type(theirs).__name__
    assert isinstance(ours, tuple) and ours.n_fields == theirs.n_fields == len(ours)
    for field in ("min", "max") if name == "aminmax" else ("values", "indices"):
        helpers.same(getattr(ours, field), getattr(theirs, field))
    again = pickle.loads(pickle.dumps(ours))
    assert type(again) is type(ours) and repr(copy.deepcopy(ours)) == repr(ours)
    with pytest.raises(TypeError, match="takes a 2-sequence"):
        type(ours)((ours[0],))


def test_both_results_go_into_out() -> None:
    x = nbtorch.tensor([[3.0, 1.0], [2.0, 5.0]], device=helpers.device_name())
    values, indices = x.new_empty(0), x.new_empty(0).long()
    found = nbtorch.max(x, 1, out=(values, indices))
    assert found.values is values and found.indices is indices and type(found).__name__ == "max_out"
    helpers.same(values, [3.0, 5.0])
    with pytest.raises(RuntimeError, match="Expected out tensor to have dtype"):
        nbtorch.max(x, 1, out=(values.double(), indices))
    wide = x.new_zeros(2).double()
    assert nbtorch.sum(x, 0, out=wide) is wide
    helpers.same(wide, [5.0, 6.0], check_dtype=False)


def test_sums_of_narrow_floats_are_added_up_in_float32() -> None:
    x = nbtorch.ones(5000, dtype=nbtorch.float16, device=helpers.device_name())
    assert x.sum().item() == 5000 and x.mean().item() == 1 and x.cumsum(0)[-1].item() == 5000
    assert (x * 300).norm().item() == pytest.approx(300 * 5000**0.5, rel=1e-3)


@pytest.mark.parametrize("right", [False, True])
def test_searchsorted_walks_as_pytorch_where_nothing_is_sorted(right: bool) -> None:
    rows, values = torch.tensor([[3.0, 1.0, NAN], [2.0, 2.0, 2.0]]), torch.tensor([[2.0, NAN], [2.0, 9.0]])
    theirs = torch.searchsorted(rows, values, right=right)
    ours = nbtorch.searchsorted(helpers.to_nbtorch(rows), helpers.to_nbtorch(values), right=right)
    helpers.same(ours, theirs)


@pytest.mark.skipif("helpers.device_name() != 'cpu'")
def test_kthvalue_finds_the_same_one_of_equals_as_pytorch() -> None:
    torch.manual_seed(0)
    for shape, dim in (((3, 40), 1), ((17, 2), 0), ((2, 9, 3), -2)):
        for k in (1, 2, shape[dim] // 2, shape[dim]):
            x = torch.randint(0, 4, shape)
            theirs, ours = torch.kthvalue(x, k, dim), nbtorch.kthvalue(helpers.to_nbtorch(x), k, dim)
            helpers.same(ours.values, theirs.values)
            helpers.same(ours.indices, theirs.indices)


def test_masked_rows_without_an_element() -> None:
    x = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    mask = torch.tensor([[True, False], [False, False]])
    for name in ("sum", "prod", "amax", "amin", "mean", "median", "softmax", "logsumexp", "argmax"):
        theirs = getattr(torch.masked, name)(x, 1, mask=mask)
        ours = getattr(nbtorch.masked, name)(helpers.to_nbtorch(x), 1, mask=helpers.to_nbtorch(mask))
        helpers.same(ours, theirs)
