"""Every primitive on every backend gives what its generic body gives on plain NumPy, over shapes and dtypes."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import helpers
import hypothesis.extra.numpy as npst
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matrix_cases import MATRIX_CASES
from neural_cases import NEURAL_CASES
from window_cases import WINDOW_CASES

from nbtorch.backends import Backend, get_backend
from nbtorch.backends.base import UFUNCS
from nbtorch.backends.device import device

FLOATS = ["float16", "float32", "float64"]
INTS = ["uint8", "int8", "int16", "int32", "int64"]
NUMBERS = FLOATS + INTS
BACKENDS = ["cpu", "strict"] + (["cuda"] if helpers.device_name() == "cuda" else [])


class Oracle(Backend):
    """The generic bodies on NumPy, nothing overridden."""

    def __init__(self) -> None:
        super().__init__(np, device("cpu"))

    def to_host(self, array: Any) -> Any:
        return array


ORACLE = Oracle()


# -- what a primitive can be given ---------------------------------------------------------------------------------
def elements(dtype: str) -> st.SearchStrategy[Any]:
    if dtype == "bool":
        return st.booleans()
    if dtype == "uint8":
        return st.integers(0, 20)
    if dtype in INTS:
        return st.integers(-20, 20)
    return st.integers(-64, 64).map(lambda n: n / 8)


@st.composite
def array(draw: Any, dtypes: list[str] = NUMBERS, min_dims: int = 0, max_dims: int = 3, min_side: int = 0) -> Any:
    dtype = draw(st.sampled_from(dtypes))
    shape = draw(npst.array_shapes(min_dims=min_dims, max_dims=max_dims, min_side=min_side, max_side=4))
    x = draw(npst.arrays(dtype, shape, elements=elements(dtype)))
    if x.ndim > 1 and draw(st.booleans()):
        x = x.T  # primitives get views too
    return x


@st.composite
def several(draw: Any, count: int, dtypes: list[str] = NUMBERS, min_side: int = 0) -> list[Any]:
    """Arrays of one dtype that broadcast together."""
    dtype = draw(st.sampled_from(dtypes))
    shapes = draw(npst.mutually_broadcastable_shapes(num_shapes=count, max_dims=3, min_side=min_side, max_side=4))
    return [draw(npst.arrays(dtype, s, elements=elements(dtype))) for s in shapes.input_shapes]


@st.composite
def with_dims(draw: Any, dtypes: list[str] = NUMBERS, min_side: int = 0) -> tuple[Any, ...]:
    x = draw(array(dtypes, min_side=min_side))
    dims = draw(st.one_of(st.none(), st.sets(st.integers(0, max(x.ndim - 1, 0)), max_size=x.ndim).map(tuple)))
    return x, dims if x.ndim or dims is None else (), draw(st.booleans())


@st.composite
def with_dim(draw: Any, dtypes: list[str] = NUMBERS, min_side: int = 1) -> tuple[Any, int]:
    x = draw(array(dtypes, min_dims=1, min_side=min_side))
    return x, draw(st.integers(0, x.ndim - 1))


@st.composite
def indices_along(draw: Any, dtypes: list[str] = NUMBERS, unique: bool = False, same: bool = True) -> tuple[Any, ...]:
    """An array, one of its dims, and indices along it: of one shape with it but for that dim, or 1-D."""
    x, dim = draw(with_dim(dtypes))
    n = x.shape[dim]
    if unique:
        count = draw(st.integers(0, n))
        order = draw(st.permutations(range(n)))[:count]
        index = np.array(order, np.int64)
        shape = (*x.shape[:dim], count, *x.shape[dim + 1 :])
        if same:
            return x, dim, np.broadcast_to(index.reshape((1,) * dim + (-1,) + (1,) * (x.ndim - dim - 1)), shape).copy()
        return x, dim, index
    count = draw(st.integers(0, 4))
    shape = (*x.shape[:dim], count, *x.shape[dim + 1 :]) if same else (count,)
    return x, dim, draw(npst.arrays(np.int64, shape, elements=st.integers(0, n - 1)))


@st.composite
def matrices(draw: Any) -> tuple[Any, Any]:
    dtype = draw(st.sampled_from(["float32", "float64", "int64"]))
    n, k, m = (draw(st.integers(0, 4)) for _ in range(3))
    batch_a, batch_b = draw(
        st.sampled_from([((), ()), ((2,), ()), ((), (2,)), ((2,), (2,)), ((3, 1), (2,)), ((1,), (3,))])
    )
    a_shape = draw(st.sampled_from([(*batch_a, n, k), (k,)]))
    b_shape = draw(st.sampled_from([(*batch_b, k, m), (k,)]))
    a, b = (draw(npst.arrays(dtype, s, elements=elements(dtype))) for s in (a_shape, b_shape))
    if a.ndim > 1 and draw(st.booleans()):
        a = np.ascontiguousarray(a.swapaxes(-1, -2)).swapaxes(-1, -2)
    return a, b


def source_like(x: Any, dim: int, index: Any) -> Any:
    shape = (*x.shape[:dim], index.size, *x.shape[dim + 1 :]) if index.ndim == 1 and x.ndim > 1 else index.shape
    return (np.arange(np.prod(shape, dtype=int)).reshape(shape) % 5).astype(x.dtype)


def then(strategy: Any, f: Callable[..., tuple[Any, ...]]) -> Any:
    return strategy.map(lambda args: f(*args))


def unpacked(strategy: Any) -> Any:
    return strategy.map(tuple)


def alone(strategy: Any) -> Any:
    return strategy.map(lambda x: (x,))


floats, numbers = array(FLOATS), array()
shape = st.lists(st.integers(0, 3), max_size=3).map(tuple)

SPECIAL = [
    "digamma", "erf", "erfc", "erfcx", "erfinv", "i0", "i0e", "i1", "i1e", "lgamma", "log_ndtr", "ndtr", "ndtri",
    "sinc",
]  # fmt: skip

CASES: dict[str, Any] = {
    "empty": st.tuples(shape, st.sampled_from(NUMBERS)),
    "zeros": st.tuples(shape, st.sampled_from(NUMBERS)),
    "new_zeros": st.tuples(numbers, shape),
    "ones": st.tuples(shape, st.sampled_from(NUMBERS)),
    "full": st.tuples(shape, st.sampled_from([0, 3, 7.0]), st.sampled_from(NUMBERS)),
    "arange": st.tuples(st.integers(0, 3), st.integers(3, 9), st.sampled_from([1, 2]), st.sampled_from(NUMBERS)),
    "astype": st.tuples(numbers, st.sampled_from(["float32", "float64", "int64", "bool"])),
    "copy": alone(numbers),
    "contiguous": alone(numbers),
    "as_array": alone(numbers),
    "rsqrt": alone(array(FLOATS).map(np.abs)),
    "sigmoid": alone(floats),
    "relu": alone(numbers),
    **dict.fromkeys(SPECIAL, alone(array(["float32", "float64"]))),
    "polygamma": st.tuples(st.integers(0, 3), array(["float32", "float64"])),
    **dict.fromkeys(
        ["igamma", "igammac", "xlog1py", "xlogy", "zeta"], unpacked(several(2, ["float32", "float64"]))
    ),
    "frexp": alone(floats),
    "softplus": st.tuples(floats, st.sampled_from([0.5, 1.0, 2.0]), st.just(20.0)),
    "where": st.tuples(several(2), st.booleans()).map(
        lambda t: (np.asarray(t[0][0] > 0), t[0][0], t[0][1] if t[1] else 0)
    ),
    "clamp": st.tuples(numbers, st.sampled_from([None, 0, 1]), st.sampled_from([None, 2, 3])),
    "masked_fill": alone(numbers).map(lambda t: (t[0], np.asarray(t[0] > 0), 2)),
    "leaky_relu": st.tuples(floats, st.sampled_from([0.1, 1.5])),
    "elu": st.tuples(floats, st.sampled_from([0.5, 1.0]), st.just(1.5), st.sampled_from([1.0, 2.0])),
    **dict.fromkeys(["direction", "gelu_tanh", "logsigmoid", "silu"], alone(floats)),
    **dict.fromkeys(
        ["abs_backward", "gelu_tanh_backward", "relu_backward", "sigmoid_backward", "silu_backward", "tanh_backward"],
        floats.map(lambda x: (x + 1, x)),
    ),
    "leaky_relu_backward": st.tuples(floats, st.sampled_from([0.1, 1.5])).map(lambda t: (t[0] + 1, *t)),
    "elu_backward": st.tuples(floats, st.sampled_from([0.5, 1.0]), st.just(1.5), st.sampled_from([1.0, 2.0])).map(
        lambda t: (t[0] + 1, *t)
    ),
    "softplus_backward": st.tuples(floats, st.sampled_from([0.5, 1.0]), st.just(2.0)).map(lambda t: (t[0] + 1, *t)),
    "tril": st.tuples(array(min_dims=2), st.integers(-2, 2)),
    "triu": st.tuples(array(min_dims=2), st.integers(-2, 2)),
    "sum": with_dims([*NUMBERS, "bool"]),
    "prod": with_dims(["float64", "int64", "bool"]),
    "mean": with_dims(FLOATS, min_side=1),
    "amax": with_dims(min_side=1),
    "amin": with_dims(min_side=1),
    "argmax": st.one_of(with_dim(), alone(array(min_side=1))),
    "argmin": st.one_of(with_dim(), alone(array(min_side=1))),
    "any": with_dims([*NUMBERS, "bool"]),
    "all": with_dims([*NUMBERS, "bool"]),
    "cumsum": with_dim(["float64", "int32", "int64"]),
    "cumprod": with_dim(["float64", "int64"]),
    "running": st.tuples(st.sampled_from(["maximum", "minimum", "logaddexp"]), with_dim(FLOATS)).map(
        lambda t: (t[0], *t[1])
    ),
    "logcumsumexp": with_dim(["float32", "float64"]),
    "sort": st.tuples(
        st.one_of(with_dim(), array(max_dims=0).map(lambda x: (x, 0))), st.booleans()
    ).map(lambda t: (*t[0], t[1])),
    "topk": with_dim([*NUMBERS]).flatmap(
        lambda t: st.tuples(st.just(t[0]), st.integers(0, t[0].shape[t[1]]), st.just(t[1]), st.booleans())
    ),
    "gather_backward": indices_along().map(lambda t: (np.ones(t[2].shape, t[0].dtype), t[1], t[2], t[0].shape)),
    "nonzero": alone(array([*NUMBERS, "bool"])),
    "logsumexp": with_dims(["float32", "float64"], min_side=1).map(lambda t: (t[0], t[1] or (), t[2])),
    "matmul": matrices(),
    "einsum": st.sampled_from(["ij,jk->ik", "ij->ji", "ij,ij->", "ii->i", "ij->j"]).map(
        lambda eq: (eq, *(np.arange(9.0).reshape(3, 3) + i for i in range(eq.count(",") + 1)))
    ),
    "reshape": numbers.flatmap(lambda x: st.sampled_from([(-1,), (1, *x.shape), x.shape]).map(lambda s: (x, s)))
    .filter(lambda t: t[0].size > 0),
    "permute": numbers.flatmap(lambda x: st.permutations(range(x.ndim)).map(lambda dims: (x, tuple(dims)))),
    "transpose": array(min_dims=1).flatmap(
        lambda x: st.tuples(st.just(x), st.integers(0, x.ndim - 1), st.integers(0, x.ndim - 1))
    ),
    "expand": st.tuples(numbers, st.integers(1, 3)).map(lambda t: (t[0], (t[1], *t[0].shape))),
    "sum_to_size": several(2, min_side=1).map(lambda t: (np.zeros(np.broadcast(*t).shape, t[0].dtype) + 1, t[0].shape)),
    "cat": st.tuples(with_dim(), st.integers(1, 3)).map(lambda t: ([t[0][0]] * t[1], t[0][1])),
    "flip": with_dims().map(lambda t: (t[0], t[1] or ())),
    "roll": with_dim().flatmap(lambda t: st.integers(-3, 3).map(lambda n: (t[0], n, t[1]))),
    "index": st.one_of(
        with_dim().map(lambda t: (t[0], (slice(None),) * t[1] + (0,))),
        with_dim().map(lambda t: (t[0], t[0] > 0)),
        indices_along(same=False).map(lambda t: (t[0], (slice(None),) * t[1] + (t[2],))),
        with_dim().map(lambda t: (t[0], (None, ..., slice(None, None, 2)))),
    ),
    "index_put": indices_along(same=False).flatmap(
        lambda t: st.just((t[0], (slice(None),) * t[1] + (t[2],), source_like(*t)[(...,)].astype(t[0].dtype), True))
    ),
    "index_backward": indices_along(same=False).map(
        lambda t: (t[0].take(t[2], t[1]), (slice(None),) * t[1] + (t[2],), t[0].shape, False)
    ),
    "diagonal": st.sampled_from([-1, 0, 1]).map(lambda k: (np.arange(24.0).reshape(2, 3, 4), k, 1, 2)),
    "diagonal_backward": st.sampled_from([(0, 3), (1, 3), (-1, 2)]).map(
        lambda t: (np.arange(2.0 * t[1]).reshape(2, t[1]), (2, 3, 4), t[0], 1, 2)
    ),
    "add_at": indices_along(same=False).map(lambda t: (t[0], (slice(None),) * t[1] + (t[2],), 1)),
    "gather": indices_along(),
    "scatter_add": indices_along().map(lambda t: (*t, source_like(*t))),
    "scatter": indices_along(unique=True).map(lambda t: (*t, source_like(*t))),
    "take": indices_along(same=False).map(lambda t: (t[0], t[2], t[1])),
    "index_add": indices_along(same=False).map(lambda t: (*t, source_like(*t))),
    "norm": alone(array(["float32", "float64"])),
    "joined": array(["float32", "int64"], min_dims=1).map(lambda x: ([x, x[:1], x],)),
    "pieces": array(["float32", "int64"], min_dims=1).map(lambda x: (x.reshape(-1), ((0, 3), x.shape))),
    "axpby": array(["float32", "float64"]).map(lambda x: (0.5, x, 0.25, x + 1)),
    "new_ones": st.tuples(numbers, st.just((2, 3))),
    "stack": st.tuples(with_dim(), st.integers(1, 3)).map(lambda t: ([t[0][0]] * t[1], t[0][1])),
    "constant_pad": st.tuples(array(min_dims=2, max_dims=2), st.integers(-1, 2), st.integers(0, 2)).filter(
        lambda t: min(t[0].shape) > 0
    ).map(lambda t: (t[0], [(t[1], t[2]), (0, t[2])], 3)),
    "diagonal_scatter": st.sampled_from([(0, 3), (1, 3), (-1, 2)]).map(
        lambda t: (np.arange(24.0).reshape(2, 3, 4), -np.ones((2, t[1])), t[0], 1, 2)
    ),
    "index_fill": indices_along(same=False).map(lambda t: (*t, 2)),
    "scatter_reduce": st.tuples(indices_along(), st.sampled_from(["sum", "prod", "mean", "amax", "amin"])).map(
        lambda t: (*t[0], source_like(*t[0]), t[1])
    ),
    "reduce_at": st.tuples(indices_along(same=False), st.sampled_from(["multiply", "maximum", "minimum"])).map(
        lambda t: (t[0][0], (slice(None),) * t[0][1] + (t[0][2],), source_like(*t[0]), t[1])
    ),
    "as_strided": st.just((np.arange(12.0), (3, 2), (2, 3), 1)),
    "memory": alone(numbers),
}  # fmt: skip
CASES |= WINDOW_CASES | MATRIX_CASES | NEURAL_CASES
# Addresses mean nothing elsewhere; what takes arguments by name is in tests/ops/test_linalg.py, and what hands things
# of its own from the way there to the way back in test_neural.py.
NOT_ON_ARRAYS = {
    "from_host", "to_host", "synchronize", "shares_memory", "numel", "address", "layout", "storage_offset",
    "owns_memory", "linalg_cross", "linalg_ldl_solve", "linalg_solve_triangular",
    "attention", "attention_backward", "gru", "gru_backward", "lstm", "lstm_backward", "rnn", "rnn_backward",
}  # fmt: skip

# Floating-point primitives may round differently in an override; the rest has to be equal.
ROUGH = {"float16": 2e-2, "float32": 2e-5, "float64": 1e-11}


def call(backend: Backend, name: str, args: tuple[Any, ...], body: Callable[..., Any] | None = None) -> Any:
    """The result on the host of a primitive, given host arrays."""

    def up(x: Any) -> Any:
        if isinstance(x, np.ndarray):
            return backend.from_host(x.copy())
        return type(x)(up(y) for y in x) if type(x) in (tuple, list) else x

    there = [up(x) for x in args]
    primitive = getattr(backend, name) if body is None else lambda *a: body(backend, *a)
    with np.errstate(all="ignore"):
        result = primitive(*there)
    if name in ("add_at", "reduce_at"):
        result = there[0]
    if name == "axpby":
        result = there[3]
    if name == "frexp":
        result = result[0]
    if name == "empty":
        return result.shape, result.dtype
    if isinstance(result, (tuple, list)):
        return tuple(None if r is None else backend.to_host(backend.as_array(r)) for r in result)
    return backend.to_host(backend.as_array(result))


def agree(actual: Any, expected: Any) -> None:
    if isinstance(expected, tuple) and (expected[0] is None or isinstance(expected[0], np.ndarray)):
        for a, e in zip(actual, expected, strict=True):
            agree(a, e)
        return
    if not isinstance(expected, np.ndarray):
        assert actual == expected
        return
    assert type(actual) is np.ndarray
    assert actual.shape == expected.shape
    assert actual.dtype == expected.dtype
    rough = ROUGH.get(str(expected.dtype), 0)
    np.testing.assert_allclose(actual, expected, rtol=rough, atol=rough, equal_nan=True)


def public_methods(cls: type) -> set[str]:
    return {n for n, f in inspect.getmembers(cls) if not n.startswith("_") and callable(f)}


def test_every_primitive_has_a_case() -> None:
    assert public_methods(Backend) - set(UFUNCS) - NOT_ON_ARRAYS == set(CASES)


@pytest.mark.parametrize("where", BACKENDS)
def test_no_backend_has_a_primitive_that_the_base_has_not(where: str) -> None:
    assert public_methods(type(get_backend(where))) == public_methods(Backend)


def overrides(where: str) -> list[str]:
    """The primitives to try on a device: on NumPy what isn't the generic body itself, elsewhere all."""
    if where != "cpu":
        return sorted(CASES)
    return sorted(n for n in CASES if getattr(type(get_backend(where)), n) is not getattr(Backend, n))


@pytest.mark.parametrize(("where", "name"), [(where, name) for where in BACKENDS for name in overrides(where)])
@given(data=st.data())
def test_primitive_equals_the_generic_body_on_numpy(name: str, where: str, data: st.DataObject) -> None:
    args = data.draw(CASES[name])
    agree(call(get_backend(where), name, args), call(ORACLE, name, args))


BINARY = {n for n, numpy_name in UFUNCS.items() if getattr(np, numpy_name).nin == 2}
INTEGERS_ONLY = {n for n in UFUNCS if n.startswith("bitwise")} | {"gcd", "lcm"}
# NumPy and CuPy give one dtype for floats; for integers their answers differ, and ops convert before they ask.
FLOATS_ONLY = {"reciprocal", "round", "sign", "trunc", "floor", "ceil", "pow", "floor_divide", "remainder", "fmod"}


@pytest.mark.parametrize("where", [where for where in BACKENDS if where != "cpu"])
@pytest.mark.parametrize("name", sorted(UFUNCS))
@settings(max_examples=20)
@given(data=st.data())
def test_ufunc_equals_numpy(name: str, where: str, data: st.DataObject) -> None:
    dtypes = ["int32", "int64"] if name in INTEGERS_ONLY else FLOATS if name in FLOATS_ONLY else [*FLOATS, "int64"]
    args = tuple(data.draw(several(1 + (name in BINARY), dtypes)))
    if name.endswith("shift"):
        args = (args[0], np.abs(args[1]) % 8)
    agree(call(get_backend(where), name, args), call(ORACLE, name, args))


@pytest.mark.parametrize("where", BACKENDS)
@given(x=array([*NUMBERS, "bool"]))
def test_numbers_survive_the_way_to_a_device_and_back(where: str, x: Any) -> None:
    backend = get_backend(where)
    there = backend.from_host(x)
    assert type(there) is backend.ndarray
    back = backend.to_host(there)
    assert back.dtype == x.dtype
    np.testing.assert_array_equal(back, x)


@pytest.mark.parametrize("where", BACKENDS)
def test_views_are_told_from_copies(where: str) -> None:
    backend = get_backend(where)
    x = backend.from_host(np.arange(12.0).reshape(3, 4))
    views = {
        "itself": x,
        "reshape": backend.reshape(x, (4, 3)),
        "permute": backend.permute(x, (1, 0)),
        "transpose": backend.transpose(x, 0, 1),
        "slice": backend.index(x, (slice(1, 3),)),
        "element": backend.index(x, (0, slice(None))),
        "expand": backend.expand(x, (2, 3, 4)),
        "flip": backend.flip(x, (0,)),
    }
    for name, view in views.items():
        assert backend.shares_memory(x, view), name
    views.pop("itself")
    for name, view in views.items():
        inner = backend.index(view, (slice(0, 1),))
        assert backend.shares_memory(view, inner), f"a slice of {name}"
    t = backend.permute(x, (1, 0))
    copies = {
        "copy": backend.copy(x),
        "reshape of a transposed": backend.reshape(t, (12,)),
        "advanced index": backend.index(x, (backend.from_host(np.array([0, 1])),)),
        "sum": backend.add(x, x),
    }
    for name, copied in copies.items():
        assert not backend.shares_memory(x, copied), name
        assert not backend.shares_memory(t, copied), name


@pytest.mark.parametrize("where", BACKENDS)
def test_a_write_through_a_view_reaches_its_base(where: str) -> None:
    backend = get_backend(where)
    x = backend.zeros((2, 3), np.float32)
    view = backend.index(x, (0, 1))
    if view.ndim == 0 and hasattr(view, "base") and view.base is not None:
        view[...] = 5
        assert backend.to_host(x)[0, 1] == 5
    backend.permute(x, (1, 0))[2, 1] = 7
    assert backend.to_host(x)[1, 2] == 7


@pytest.mark.parametrize("where", BACKENDS)
@pytest.mark.parametrize("dtype", ["uint8", "int8", "int16", "bool", "float16", "bfloat16"])
def test_add_at_counts_duplicates_in_every_dtype(where: str, dtype: str) -> None:
    if dtype == "bfloat16":
        dtype = pytest.importorskip("ml_dtypes").bfloat16
    backend = get_backend(where)
    x = backend.zeros((3,), np.dtype(dtype))
    backend.add_at(x, backend.from_host(np.array([0, 2, 0])), backend.ones((3,), np.dtype(dtype)))
    assert x.dtype == np.dtype(dtype)
    assert backend.to_host(x).tolist() == [2, 0, 1] if dtype != "bool" else [True, False, True]


@pytest.mark.parametrize("where", BACKENDS)
def test_bfloat16_stays_bfloat16(where: str) -> None:
    bfloat16 = pytest.importorskip("ml_dtypes").bfloat16
    backend = get_backend(where)
    x = np.array([[0.5, 1], [2, 3]]).astype(bfloat16)
    cube = np.arange(8).reshape(2, 2, 2).astype(bfloat16)
    cases: dict[str, list[tuple[Any, ...]]] = {
        "sigmoid": [(x,)],
        "rsqrt": [(x,)],
        "relu": [(x,)],
        "erf": [(x,)],
        "softplus": [(x, 1.0, 20.0)],
        "masked_fill": [(x, x > 1, 0.5)],
        "clamp": [(x, 0, 1)],
        "sum": [(x, (0,), True)],
        "mean": [(x, (0,), False)],
        "softmax": [(x, 1)],
        "log_softmax": [(x, 1)],
        "logsumexp": [(x, (1,), False)],
        "matmul": [(x, x), (cube, cube), (cube, x)],
        "einsum": [("ij,jk->ik", x, x)],
        "norm": [(x,)],
    }
    for name, calls in cases.items():
        for args in calls:
            result = call(backend, name, args)
            assert result.dtype == bfloat16, name
            wide = [a.astype(np.float32) if hasattr(a, "astype") and a.dtype == bfloat16 else a for a in args]
            expected = call(ORACLE, name, tuple(wide))
            np.testing.assert_allclose(result.astype(np.float32), expected, rtol=3e-2, atol=3e-2, err_msg=name)
