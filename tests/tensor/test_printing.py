"""Tensors print byte for byte as PyTorch's do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import helpers
import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

torch = helpers.import_torch()

import nbtorch  # noqa: E402

pytestmark = pytest.mark.cpu_only("PyTorch prints other devices' names")

NUMPY_DTYPES = [np.float32, np.float64, np.float16, np.int64, np.int32, np.int16, np.int8, np.uint8, np.bool_]


def both(array: np.ndarray[Any, Any], requires_grad: bool = False) -> tuple[str, str]:
    return (
        repr(nbtorch.tensor(array).requires_grad_(requires_grad)),
        repr(torch.tensor(array).requires_grad_(requires_grad)),
    )


@st.composite
def tensors(draw: st.DrawFn) -> np.ndarray[Any, Any]:
    dtype = draw(st.sampled_from(NUMPY_DTYPES))
    shape = draw(arrays.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=6))
    return draw(arrays.arrays(dtype, shape))


@hypothesis.settings(max_examples=200)
@hypothesis.given(tensors(), st.booleans())
def test_any_tensor(array: np.ndarray[Any, Any], requires_grad: bool) -> None:
    ours, theirs = both(array, requires_grad and array.dtype.kind == "f")
    assert ours == theirs


everyday = st.one_of(
    st.floats(-1000, 1000, width=32),
    st.floats(0, 1, width=32),
    st.integers(-20, 20).map(float),
    st.sampled_from([0.0, -0.0, 1e-5, 1e10, float("nan"), float("inf"), -float("inf"), 1e8, 12345.678]),
)


@hypothesis.settings(max_examples=200)
@hypothesis.given(st.lists(everyday, max_size=30))
def test_everyday_numbers(values: list[float]) -> None:
    ours, theirs = both(np.array(values, np.float32))
    assert ours == theirs


@pytest.mark.parametrize(
    "shape",
    [(), (1,), (0,), (0, 3), (2, 0), (1001,), (1000,), (7, 150), (40, 40), (3, 40, 40), (12, 12, 12), (2, 1, 600)],
)
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "bool", "uint8"])
def test_shapes_large_and_small(shape: tuple[int, ...], dtype: str) -> None:
    values = np.random.default_rng(0).standard_normal(shape) * 100
    ours, theirs = both(np.asarray(values).astype(dtype))
    assert ours == theirs


def test_results_show_their_node() -> None:
    for program in (lambda x: x * 2, lambda x: x.sum(), lambda x: x[0], lambda x: (x * 1e10).exp().view(-1)):
        values = np.linspace(-1, 1, 6, dtype=np.float32).reshape(2, 3)
        ours = repr(program(nbtorch.tensor(values).requires_grad_()))
        assert ours == repr(program(torch.tensor(values).requires_grad_()))


@pytest.fixture
def options() -> Iterator[None]:
    yield
    for lib in (torch, nbtorch):
        lib.set_printoptions(profile="default")


@pytest.mark.parametrize(
    "chosen",
    [
        {"precision": 2},
        {"precision": 8, "linewidth": 120},
        {"threshold": 5, "edgeitems": 1},
        {"profile": "short"},
        {"profile": "full"},
        {"sci_mode": True},
        {"sci_mode": False},
        {"linewidth": 40},
        {"threshold": 10, "edgeitems": 2, "precision": 1, "linewidth": 30},
    ],
    ids=str,
)
def test_options(chosen: dict[str, Any], options: None) -> None:
    for lib in (torch, nbtorch):
        lib.set_printoptions(**chosen)
    rng = np.random.default_rng(1)
    for shape in ((), (3,), (30,), (4, 5), (2, 3, 20), (1200,)):
        for scale in (1.0, 1e-6, 1e7):
            ours, theirs = both((rng.standard_normal(shape) * scale).astype(np.float32))
            assert ours == theirs


def test_an_unknown_profile() -> None:
    with pytest.raises(ValueError, match="default, short, full"):
        nbtorch.set_printoptions(profile="long")


def test_the_default_dtype_is_not_named() -> None:
    for lib in (torch, nbtorch):
        lib.set_default_dtype(lib.float64)
    try:
        for array in (np.array([1.5]), np.array([1.5], np.float32), np.zeros(0), np.zeros((0, 2), np.float32)):
            ours, theirs = both(array)
            assert ours == theirs
    finally:
        for lib in (torch, nbtorch):
            lib.set_default_dtype(lib.float32)


SMALL = [
    "float32", "int64", "bool", "Size([2, 3])", "Size([])", "zeros(2, 3).shape", "device('cpu')", "strided",
    "finfo(lib.float32)", "iinfo(lib.int16)", "tensor([[3, 1]]).max(1)", "tensor([3.0, 1.0]).sort()",
    "zeros(2).topk(1)",
]  # fmt: skip


@pytest.mark.parametrize("text", SMALL)
def test_small_objects(text: str) -> None:
    ours, theirs = (repr(eval(f"lib.{text}", {"lib": lib})) for lib in (nbtorch, torch))
    assert ours == theirs


def test_bfloat16() -> None:
    pytest.importorskip("ml_dtypes")
    for values in ([1.0, 2.5], [0.1, 1000.0, 1e-5], [[1.0], [float("nan")]]):
        assert repr(nbtorch.tensor(values, dtype=nbtorch.bfloat16)) == repr(torch.tensor(values, dtype=torch.bfloat16))
