"""Square brackets, reading and writing, over index expressions that hypothesis makes up, as in PyTorch."""

from __future__ import annotations

from typing import Any

import helpers
import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st
from sides import as_torch


@st.composite
def indexed(draw: st.DrawFn) -> tuple[tuple[int, ...], tuple[Any, ...]]:
    """A shape and an index for it; arrays stand for index tensors."""
    shape = tuple(draw(st.lists(st.integers(0, 4), min_size=0, max_size=4)))
    items: list[Any] = []
    dim = 0
    together = draw(st.integers(1, 3))  # how many positions the index tensors name
    while dim < len(shape) and draw(st.integers(0, 4)):
        n = shape[dim]
        kind = draw(st.sampled_from(["int", "slice", "none", "array", "mask", "list"]))
        if kind == "none":
            items.append(None)
            continue
        if kind in ("int", "array", "list") and n == 0:
            kind = "slice"
        if kind == "int":
            items.append(draw(st.integers(-n, n - 1)))
        elif kind == "slice":
            bound = st.none() | st.integers(-n - 1, n + 1)
            items.append(slice(draw(bound), draw(bound), draw(st.none() | st.integers(1, 3))))
        elif kind == "mask":
            items.append(np.array(draw(st.lists(st.booleans(), min_size=n, max_size=n)), np.bool_))
            dim += 1
            continue
        else:
            where = draw(st.lists(st.integers(-n, n - 1), min_size=together, max_size=together))
            items.append(where if kind == "list" else np.array(where))
        dim += 1
    # At the end or before the end: elsewhere it would move indices to dimensions that they were not drawn for.
    if draw(st.booleans()):
        items.append(Ellipsis)
    return shape, tuple(items)


def translated(lib: Any, items: tuple[Any, ...]) -> Any:
    """The index with its arrays as tensors of the library; one item alone stands without the tuple."""
    made = tuple(lib.make(i) if isinstance(i, np.ndarray) else i for i in items)
    return made[0] if len(made) == 1 else made


def numbers(shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
    return np.arange(1.0, np.prod(shape, dtype=int) + 1).reshape(shape)


@hypothesis.settings(max_examples=150)
@hypothesis.given(indexed())
def test_reading(case: tuple[tuple[int, ...], tuple[Any, ...]]) -> None:
    shape, items = case

    def read(lib: Any) -> Any:
        x = lib.make(numbers(shape), requires_grad=True)
        y = x[translated(lib, items)]
        (y * y).sum().backward()
        return y.detach(), x.grad

    as_torch(read)


@hypothesis.settings(max_examples=150)
@hypothesis.given(indexed(), st.sampled_from(["number", "tensor", "row", "wide"]))
def test_writing(case: tuple[tuple[int, ...], tuple[Any, ...]], what: str) -> None:
    shape, items = case

    def write(lib: Any) -> Any:
        leaf = lib.make(numbers(shape), requires_grad=True)
        x = leaf * 1
        index = translated(lib, items)
        region = tuple(x[index].shape)
        # Written twice at one place, the last wins in an order that PyTorch leaves open.
        hypothesis.assume(not repeated(items, shape))
        # An empty region takes anything in NumPy where the index is a mask.
        hypothesis.assume(what != "wide" or 0 not in region)
        value = {
            "number": lambda: 5.0,
            "tensor": lambda: lib.make(numbers(region) * 0.5, requires_grad=True),
            "row": lambda: lib.make(numbers(region[-1:]) * 0.5, requires_grad=True),
            "wide": lambda: lib.make(np.zeros((2, *region))),
        }[what]()
        x[index] = value
        (x * x).sum().backward()
        return x.detach(), leaf.grad, getattr(value, "grad", None)

    as_torch(write)


def repeated(items: tuple[Any, ...], shape: tuple[int, ...]) -> bool:
    """Whether one element is named twice."""
    seen = np.arange(np.prod(shape, dtype=int)).reshape(shape)[tuple(items)]
    return len(np.unique(seen)) < np.size(seen)


X = np.arange(24.0).reshape(2, 3, 4)

EXPRESSIONS = {
    "int": lambda x, lib: x[1],
    "negative": lambda x, lib: x[-1, -2],
    "all ints": lambda x, lib: x[1, 2, 3],
    "empty tuple": lambda x, lib: x[()],
    "ellipsis": lambda x, lib: x[..., 0],
    "nothing but ellipsis": lambda x, lib: x[...],
    "step": lambda x, lib: x[:, ::2, 1:],
    "new axes": lambda x, lib: x[None, :, None, 0],
    "beyond the end": lambda x, lib: x[5:, :100],
    "list": lambda x, lib: x[[1, 0, 1]],
    "nested list": lambda x, lib: x[[[0, 1], [1, 0]]],
    "two lists": lambda x, lib: x[[0, 1], [2, 0]],
    "list and slice": lambda x, lib: x[[0, 1], :, 2],
    "lists apart": lambda x, lib: x[[0, 1], :, [2, 3]],
    "lists together": lambda x, lib: x[:, [0, 1], [2, 3]],
    "int and list": lambda x, lib: x[0, [1, 2]],
    "int and list apart": lambda x, lib: x[0, :, [1, 2]],
    "list and int apart": lambda x, lib: x[[0, 1], :, 0],
    "tensor": lambda x, lib: x[lib.make(np.array([1, 1]))],
    "tensor of tensors": lambda x, lib: x[:, lib.make(np.array([[0, 1], [2, 2]]))],
    "0-d tensor": lambda x, lib: x[lib.make(np.array(1))],
    "list of 0-d tensors": lambda x, lib: x[[lib.make(np.array(1)), lib.make(np.array(0))]],
    "tuple of 0-d tensors": lambda x, lib: x[lib.make(np.array(1)), lib.make(np.array(0))],
    "int32": lambda x, lib: x[lib.make(np.array([1, 0], np.int32))],
    "uint8 as a mask": lambda x, lib: x[lib.make(np.array([1, 0], np.uint8))],
    "mask": lambda x, lib: x[x > 5],
    "mask of the first": lambda x, lib: x[lib.make(np.array([True, False]))],
    "mask and int": lambda x, lib: x[lib.make(np.array([True, False])), 1],
    "mask of two": lambda x, lib: x[lib.make(np.eye(2, 3) > 0)],
    "mask with nothing": lambda x, lib: x[x > 100],
    "list of bools": lambda x, lib: x[[True, False]],
    "True": lambda x, lib: x[True],
    "False": lambda x, lib: x[False],
    "numpy int": lambda x, lib: x[np.int64(1)],
    "numpy array": lambda x, lib: x[np.array([0, 1])],
    "numpy mask": lambda x, lib: x[np.array([True, False])],
    "range": lambda x, lib: x[range(2)],
    "empty list": lambda x, lib: x[[]],
    "0-d": lambda x, lib: x[0, 0, 0][()],
    "0-d new axis": lambda x, lib: x[0, 0, 0][None],
    "0-d mask": lambda x, lib: x[0, 0, 0][lib.make(np.array(True))],
    "too many": lambda x, lib: x[0, 0, 0, 0],
    "out of range": lambda x, lib: x[2],
    "out of range below": lambda x, lib: x[:, -4],
    "tensor out of range": lambda x, lib: x[lib.make(np.array([2]))],
    "of a 0-d": lambda x, lib: x[0, 0, 0][0],
    "float": lambda x, lib: x[1.0],
    "text": lambda x, lib: x["a"],
    "float tensor": lambda x, lib: x[lib.make(np.array([0.0]))],
    "step of 0": lambda x, lib: x[::0],
    "backwards": lambda x, lib: x[::-1],
    "mask of another shape": lambda x, lib: x[lib.make(np.array([True, False, True]))],
    "index tensors that don't broadcast": lambda x, lib: x[[0, 1], [0, 1, 2]],
    "huge": lambda x, lib: x[10**12],
    "larger than 64 bits": lambda x, lib: x[10**20],
}


@pytest.mark.parametrize("expression", EXPRESSIONS.values(), ids=EXPRESSIONS.keys())
def test_expressions(expression: Any, torch_ref: Any) -> None:
    def read(lib: Any) -> Any:
        x = lib.make(X, requires_grad=True)
        y = expression(x, lib)
        (y * 2).sum().backward()
        return y.detach(), x.grad

    as_torch(read)


ASSIGNMENTS = {
    "number": lambda x, lib: x.__setitem__(0, 7),
    "number into a mask": lambda x, lib: x.__setitem__(x > 4, -1.0),
    "bool": lambda x, lib: x.__setitem__((0, 0), True),
    "tensor": lambda x, lib: x.__setitem__((slice(None), 1), lib.make(np.arange(4.0))),
    "leading dimension of 1": lambda x, lib: x.__setitem__((0, 1), lib.make(np.arange(4.0).reshape(1, 4))),
    "other dtype": lambda x, lib: x.__setitem__(1, lib.make(np.arange(12).reshape(3, 4))),
    "0-d": lambda x, lib: x.__setitem__((0, 1), lib.make(np.array(3.0))),
    "itself": lambda x, lib: x.__setitem__(0, x[1]),
    "everything": lambda x, lib: x.__setitem__(..., 1.5),
    "empty region": lambda x, lib: x.__setitem__(slice(5, None), 3.0),
    "in place on a slice": lambda x, lib: x.__setitem__(0, x[0] * 2),
    "augmented": lambda x, lib: x[0].__iadd__(5),
    "too large": lambda x, lib: x.__setitem__(0, lib.make(np.zeros((5, 5)))),
    "number beside an index": lambda x, lib: x.__setitem__(
        (0, slice(None), [1, 2]), lib.make(np.arange(6.0).reshape(3, 2))
    ),
    "number beside a mask": lambda x, lib: x.__setitem__((lib.make(np.array([True, False])), slice(None), 1), 9.0),
    "text": lambda x, lib: x.__setitem__(0, "a"),
    "none": lambda x, lib: x.__setitem__(0, None),
    "out of range": lambda x, lib: x.__setitem__(9, 1.0),
    "mask of another shape": lambda x, lib: x.__setitem__(lib.make(np.array([True, False, True])), 1.0),
    "values for a mask": lambda x, lib: x.__setitem__(x > 20, lib.make(np.array([1.0, 2.0, 3.0]))),
    "too few values for a mask": lambda x, lib: x.__setitem__(x > 20, lib.make(np.array([1.0, 2.0]))),
}


@pytest.mark.parametrize("assignment", ASSIGNMENTS.values(), ids=ASSIGNMENTS.keys())
@pytest.mark.parametrize("recorded", [False, True])
def test_assignments(assignment: Any, recorded: bool, torch_ref: Any) -> None:
    def write(lib: Any) -> Any:
        leaf = lib.make(X, requires_grad=recorded)
        x = leaf * 1
        assignment(x, lib)
        if recorded:
            (x * x).sum().backward()
        return x.detach(), leaf.grad

    as_torch(write)


def test_lists_and_arrays_can_be_assigned(device: str) -> None:
    """PyTorch refuses them; numbers are numbers."""
    x = helpers.to_nbtorch(X)
    x[0, 0] = [1, 2, 3, 4]
    x[1, 1] = np.arange(4.0) * 2
    assert x[0, 0].tolist() == [1.0, 2.0, 3.0, 4.0]
    assert x[1, 1].tolist() == [0.0, 2.0, 4.0, 6.0]
    with pytest.raises(RuntimeError, match="shape mismatch"):
        x[0, 0] = [1.0, 2.0]


def test_a_basic_index_is_a_view_and_another_a_copy(device: str) -> None:
    x = helpers.to_nbtorch(X)
    views = [x[0], x[:, 1:2], x[..., 0], x[None], x[0, 0, 0]]
    copies = [x[[0, 1]], x[x > -1], x[helpers.to_nbtorch(np.array([0]))]]
    x.zero_()
    assert all(not bool(v.any()) for v in views)
    assert all(bool(c.any()) for c in copies)


def test_an_index_tensor_changed_later_does_no_harm(device: str) -> None:
    x = helpers.to_nbtorch(X, requires_grad=True)
    where = helpers.to_nbtorch(np.array([0, 0]))
    y = x[where].sum()
    where[:] = 1
    y.backward()
    assert x.grad[0].sum().item() == 24.0 and x.grad[1].sum().item() == 0.0
