"""NumPy's functions on tensors give the tensors of NumPy's numbers, and gradients flow through them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import helpers
import numpy as np
import pytest

import nbtorch

A = np.random.default_rng(0).standard_normal((3, 4))
B = np.random.default_rng(1).standard_normal((3, 4))
S = np.random.default_rng(2).standard_normal((3, 3)) + 3 * np.eye(3)
V = np.array([0.3, -1.2, 2.1, 0.7])
C = np.random.default_rng(3).standard_normal((2, 3, 4))
N = np.where(A > 1, np.nan, A)
I = np.array([[2, 0, 1], [1, 1, 0]])

# Each takes a function that makes a tensor of an array (or leaves it one): the same text runs on both.
CASES: list[Any] = []


def case(text: str, *, grad: bool = True) -> None:
    """``text`` is an expression of arrays in ``t(...)``; ``grad`` where a gradient flows to them."""
    CASES.append(pytest.param(text, grad, id=text))


for _text in (
    # ufuncs
    "np.sin(t(A))",
    "np.exp(t(A))",
    "np.log(np.abs(t(A)))",
    "np.tanh(t(A)) * 2",
    "np.sqrt(np.square(t(A)) + 1)",
    "np.add(t(A), B)",
    "np.multiply(B, t(A))",
    "np.subtract(2.0, t(A))",
    "np.true_divide(t(A), t(B))",
    "np.power(np.abs(t(A)), 1.5)",
    "np.maximum(t(A), t(B))",
    "np.minimum(t(A), 0.1)",
    "np.hypot(t(A), t(B))",
    "np.arctan2(t(A), t(B))",
    "np.logaddexp(t(A), t(B))",
    "np.cbrt(t(A))",
    "np.fabs(t(A))",
    "np.absolute(t(A))",
    "np.deg2rad(t(A))",
    "np.degrees(t(A))",
    "np.reciprocal(t(A))",
    "np.negative(t(A))",
    "np.positive(t(A))",
    "np.float_power(np.abs(t(A)), 2)",
    "np.fmod(t(A), 0.3)",
    "np.mod(t(A), 0.3)",
    "np.modf(t(A))[0]",
    "np.divmod(t(A), 0.3)[1]",
    "np.expm1(t(A))",
    "np.log1p(np.abs(t(A)))",
    "np.sinh(t(A))",
    "np.arcsinh(t(A))",
    "np.matmul(t(A), t(B).T)",
    "B @ t(A).T",
    "t(A) @ B.T",
    "np.copysign(t(A), B)",
    "np.exp2(t(A))",
    "np.log2(np.abs(t(A)))",
    "np.add(t(A), 1, dtype=np.float64)",
    "np.float64(2.0) * t(A)",
    "np.multiply.outer(t(V), t(V))",
    "np.add.outer(t(V), B)",
    "np.add.reduce(t(A))",
    "np.add.reduce(t(A), axis=None)",
    "np.multiply.reduce(t(A), axis=1)",
    "np.maximum.reduce(t(A), axis=1, keepdims=True)",
    "np.logaddexp.reduce(t(A), axis=0)",
    "np.hypot.reduce(t(A), axis=0)",
    "np.add.accumulate(t(A))",
    "np.multiply.accumulate(t(A), axis=1)",
    "np.maximum.accumulate(t(A), 1)",
    "np.subtract.accumulate(t(V))",
    # reductions
    "np.sum(t(A))",
    "np.sum(t(A), axis=0)",
    "np.sum(t(A), axis=(0, 1), keepdims=True)",
    "np.sum(t(A), -1, initial=2.0)",
    "np.sum(t(A), where=A > 0)",
    "np.prod(t(A))",
    "np.prod(t(C), axis=(0, 2))",
    "np.mean(t(A))",
    "np.mean(t(A), 1)",
    "np.mean(t(A), axis=0, where=A > -1)",
    "np.max(t(A))",
    "np.amax(t(A), axis=1)",
    "np.min(t(A), 0, keepdims=True)",
    "np.max(t(A), initial=0.5)",
    "np.ptp(t(A), axis=0)",
    "np.var(t(A))",
    "np.var(t(A), axis=0, ddof=1)",
    "np.std(t(A), axis=1, keepdims=True)",
    "np.nansum(t(N))",
    "np.nanmean(t(N), axis=1)",
    "np.nanmax(t(N), axis=0)",
    "np.nanmin(t(N))",
    "np.nanvar(t(N), axis=1)",
    "np.nanstd(t(N))",
    "np.nanprod(t(N))",
    "np.average(t(A), axis=0)",
    "np.average(t(A), axis=1, weights=t(V))",
    "np.median(t(A))",
    "np.median(t(A), axis=1)",
    "np.quantile(t(A), 0.3)",
    "np.percentile(t(A), [10, 60], axis=0)",
    "np.quantile(t(C), 0.25, axis=(0, 2))",
    "np.nanmedian(t(N), axis=0)",
    "np.cumsum(t(A))",
    "np.cumsum(t(A), axis=1)",
    "np.cumprod(t(A), 0)",
    "np.nancumsum(t(N), 1)",
    "np.linalg.norm(t(A))",
    "np.linalg.norm(t(A), axis=1)",
    "np.linalg.norm(t(V))",
    "np.linalg.norm(t(S), 1)",
    "np.linalg.inv(t(S))",
    "np.linalg.det(t(S))",
    "np.linalg.solve(t(S), V[:3])",
    "np.linalg.solve(t(S), t(A))",
    "np.linalg.slogdet(t(S))[1]",
    "np.linalg.svd(t(A), compute_uv=False)",
    "np.linalg.eigvalsh(t(S) + t(S).T)",
    "np.linalg.matrix_power(t(S), 3)",
    "np.linalg.pinv(t(A))",
    "np.linalg.qr(t(S))[1]",
    "np.trace(t(S))",
    "np.trace(t(C), axis1=1, axis2=2)",
    # shape
    "np.reshape(t(A), (2, 6))",
    "np.reshape(t(A), -1, order='F')",
    "np.ravel(t(A))",
    "np.transpose(t(C))",
    "np.transpose(t(C), (1, 0, 2))",
    "np.swapaxes(t(C), 0, 2)",
    "np.moveaxis(t(C), 0, -1)",
    "np.rollaxis(t(C), 2)",
    "np.expand_dims(t(A), (0, 2))",
    "np.squeeze(t(A)[None])",
    "np.squeeze(t(A)[None], axis=0)",
    "np.broadcast_to(t(V), (2, 4))",
    "np.broadcast_arrays(t(V), A)[0]",
    "np.flip(t(A))",
    "np.flip(t(A), 1)",
    "np.fliplr(t(A))",
    "np.rot90(t(A))",
    "np.roll(t(A), 2)",
    "np.roll(t(A), 1, axis=0)",
    "np.roll(t(A), (1, 2), (0, 1))",
    "np.tile(t(V), 2)",
    "np.tile(t(V), (2, 2))",
    "np.repeat(t(A), 2)",
    "np.repeat(t(A), 2, axis=1)",
    "np.repeat(t(V), [1, 0, 2, 1])",
    "np.atleast_2d(t(V))",
    "np.concatenate([t(A), t(B)])",
    "np.concatenate([t(A), B], axis=1)",
    "np.concatenate((t(A), t(V)), axis=None)",
    "np.stack([t(A), t(B)], axis=1)",
    "np.hstack([t(V), V])",
    "np.vstack((t(A), t(V)))",
    "np.dstack([t(A), t(B)])",
    "np.column_stack([t(V), t(V)])",
    "np.append(t(A), 3.0)",
    "np.split(t(A), 2, axis=1)[1]",
    "np.array_split(t(V), 3)[0]",
    "np.hsplit(t(A), [1, 3])[1]",
    "np.vsplit(t(A), 3)[2]",
    "np.dsplit(t(C), 2)[0]",
    "np.meshgrid(t(V), t(V))[1]",
    "np.block([[t(A), t(B)], [t(B), t(A)]])",
    "np.block([t(V), 2.0 * t(V)])",
    "np.insert(t(A), 1, 5.0, axis=0)",
    "np.insert(t(A), -1, t(A)[:, 0], axis=1)",
    "np.insert(t(V), 2, t(V))",
    # choosing
    "np.where(A > 0, t(A), t(B))",
    "np.where(t(A) > 0, t(A), 0.0)",
    "np.clip(t(A), -0.5, 0.5)",
    "np.clip(t(A), None, V)",
    "np.clip(t(A), a_min=0.1, a_max=None)",
    "np.take(t(A), I)",
    "np.take(t(A), [2, 0], axis=1)",
    "np.take_along_axis(t(A), np.argsort(A, 1), 1)",
    "np.compress([True, False, True], t(A), axis=0)",
    "np.extract(A > 0, t(A))",
    "np.choose([0, 1, 0, 1], [t(V), 2 * t(V)])",
    "np.select([A > 1, A > 0], [t(A), 2 * t(A)], 0.5)",
    "np.delete(t(A), 1, axis=0)",
    "np.diag(t(S))",
    "np.diag(t(V), 1)",
    "np.diagflat(t(V))",
    "np.diagonal(t(C), 0, 1, 2)",
    "np.tril(t(S))",
    "np.triu(t(S), 1)",
    "np.pad(t(A), 1)",
    "np.pad(t(A), ((0, 1), (2, 0)), constant_values=3.0)",
    "np.pad(t(A), 2, mode='reflect')",
    "np.pad(t(V), (1, 2), 'edge')",
    "np.pad(t(V), 2, 'wrap')",
    "np.sort(t(A))",
    "np.sort(t(A), axis=0)",
    "np.sort(t(A), axis=None)",
    # products and calculus
    "np.dot(t(A), t(V))",
    "np.dot(t(V), t(V))",
    "np.dot(t(A), B.T)",
    "np.dot(t(C), t(A).T)",
    "np.inner(t(A), t(B))",
    "np.vdot(t(A), B)",
    "np.outer(t(V), t(A))",
    "np.tensordot(t(C), t(A), axes=([1, 2], [0, 1]))",
    "np.tensordot(t(A), t(B).T, 1)",
    "np.einsum('ij,kj->ik', t(A), B)",
    "np.einsum('ij->j', t(A), optimize=True)",
    "np.kron(t(A), t(V))",
    "np.cross(t(S), t(S)[::-1])".replace("[::-1]", "[[1, 2, 0]]"),
    "np.vander(t(V), 3)",
    "np.linalg.multi_dot([t(A), B.T, t(S)])",
    "np.diff(t(A))",
    "np.diff(t(A), 2, axis=0)",
    "np.diff(t(V), prepend=0.0)",
    "np.ediff1d(t(V))",
    "np.gradient(t(V))",
    "np.gradient(t(A), 0.5, axis=1)",
    "np.trapezoid(t(A), dx=0.1)",
    "np.trapezoid(t(V), [0.0, 1.0, 3.0, 4.0])",
    "np.cov(t(A))",
    "np.cov(t(A), rowvar=False, bias=True)",
    "np.corrcoef(t(A))",
    "np.convolve(t(V), [1.0, 0.5, 0.2])",
    "np.convolve(t(V), [1.0, 0.5], 'same')",
    "np.correlate(t(V), [1.0, 0.5, 0.1])",
    "np.polyval([1.0, 2.0, 0.5], t(V))",
    "np.polyval(t(V), 0.5)",
    "np.interp([0.5, 1.5], [0.0, 1.0, 2.0, 3.0], t(V))",
    "np.apply_along_axis(np.sum, 1, t(A))",
    "np.nan_to_num(t(N), nan=1.5)",
    "np.real(t(A))",
    "np.sinc(t(A))",
):
    case(_text)

for _text in (
    "np.linalg.cholesky(t(S) @ t(S).T + np.eye(3))",
    "np.argmax(t(A))",
    "np.argmax(t(A), axis=1)",
    "np.argmin(t(A), 0)",
    "np.nanargmax(t(N), 1)",
    "np.argsort(t(A), axis=0)",
    "np.isnan(t(N))",
    "np.isfinite(t(N))",
    "np.greater(t(A), B)",
    "np.logical_and(t(A) > 0, B > 0)",
    "np.sign(t(A))",
    "np.floor(t(A))",
    "np.ceil(t(A))",
    "np.rint(t(A))",
    "np.trunc(t(A))",
    "np.floor_divide(t(A), 0.3)",
    "np.signbit(t(A))",
    "np.all(t(A) > -9)",
    "np.any(t(A) > 0, axis=0)",
    "np.count_nonzero(t(A) > 0)",
    "np.nonzero(t(A) > 0)",
    "np.argwhere(t(A) > 0)",
    "np.flatnonzero(t(A) > 0)",
    "np.where(t(A) > 0)",
    "np.round(t(A), 1)",
    "np.around(t(A))",
    "np.fix(t(A))",
    "np.zeros_like(t(A))",
    "np.ones_like(t(A), dtype=np.int64)",
    "np.full_like(t(A), 2.5)",
    "np.shape(t(A))",
    "np.ndim(t(A))",
    "np.size(t(A))",
    "np.size(t(A), 1)",
    "np.isclose(t(A), B)",
    "np.allclose(t(A), A)",
    "np.array_equal(t(A), A)",
    "np.array_equiv(t(V), A)",
    "np.searchsorted(np.sort(t(V)), 0.5)",
    "np.digitize(t(V), [-1.0, 0.0, 1.0])",
    "np.unique(t(I))",
    "np.unique(t(I), return_counts=True)",
    "np.bincount(t(I).reshape(-1))",
    "np.isin(t(I), [1, 2])",
    "np.logical_not(t(A) > 0)",
    "np.bitwise_and(t(I), 1)",
    "np.left_shift(t(I), 2)",
    "np.gcd(t(I), 4)",
    "np.sum(t(I))",
    "np.mean(t(I))",
    "np.sum(t(A) > 0)",
    "np.heaviside(t(A), 0.5)",
    "np.maximum.reduce(t(I))",
    "np.equal.outer(t(I), I)",
    "np.histogram(t(V), bins=3)",
    "np.isreal(t(A))",
    "np.iscomplexobj(t(A))",
    "np.copy(t(A))",
    "np.partition(t(V), 3)[3]",
    "np.array2string(t(V), precision=1)",
    "np.result_type(t(A), np.float32)",
):
    case(_text, grad=False)


def evaluate(text: str, make: Callable[[Any], Any]) -> Any:
    return eval(text, {"np": np, "t": make, "A": A, "B": B, "C": C, "N": N, "S": S, "V": V, "I": I})


def check_same(ours: Any, theirs: Any) -> None:
    if isinstance(theirs, (tuple, list)) and not isinstance(theirs, np.ndarray):
        assert len(ours) == len(theirs)
        for a, b in zip(ours, theirs, strict=True):
            check_same(a, b)
    elif isinstance(theirs, (np.ndarray, np.generic)):
        assert isinstance(ours, nbtorch.Tensor), type(ours)
        mine = helpers.to_numpy(ours)
        assert mine.shape == np.shape(theirs)
        assert mine.dtype.kind == theirs.dtype.kind
        np.testing.assert_allclose(mine, theirs, rtol=1e-10, atol=1e-12)
    else:
        assert type(ours) is type(theirs)
        assert ours == theirs


@pytest.mark.cpu_only("arrays of NumPy among the arguments")
@pytest.mark.parametrize(("text", "grad"), CASES)
def test_as_numpy(text: str, grad: bool) -> None:
    leaves: list[Any] = []

    def leaf(array: Any) -> Any:
        leaves.append(nbtorch.tensor(array, requires_grad=grad))
        return leaves[-1]

    result = evaluate(text, leaf)
    with np.errstate(all="ignore"):
        check_same(result.detach() if isinstance(result, nbtorch.Tensor) else result, evaluate(text, lambda a: a))
    if not grad:
        return
    found = nbtorch.autograd.grad(result.sum(), leaves, allow_unused=True, materialize_grads=True)

    def value(replaced: Any) -> float:
        given = iter(replaced)
        return float(np.nansum(evaluate(text, lambda a: next(given))))

    rng = np.random.default_rng(5)
    arrays = [helpers.to_numpy(x.detach()) for x in leaves]
    steps = [rng.standard_normal(a.shape) for a in arrays]
    eps = 1e-6
    measured = (
        value([a + eps * s for a, s in zip(arrays, steps, strict=True)])
        - value([a - eps * s for a, s in zip(arrays, steps, strict=True)])
    ) / (2 * eps)
    gradient = sum(float((helpers.to_numpy(g) * s).sum()) for g, s in zip(found, steps, strict=True))
    assert measured == pytest.approx(gradient, rel=1e-5, abs=1e-6)


@pytest.mark.cpu_only("arrays of NumPy")
def test_writing_into_out() -> None:
    x = nbtorch.tensor([1.0, 2.0], requires_grad=True)
    y = x * 1
    assert np.add(y, 1, out=y) is y
    y.sum().backward()
    assert x.grad.tolist() == [1.0, 1.0] and y.tolist() == [2.0, 3.0]
    with pytest.raises(RuntimeError, match="leaf Variable"):
        np.add(x, 1, out=x)
    z = nbtorch.zeros(2)
    assert np.multiply(nbtorch.ones(2), 3, out=z, where=np.array([True, False])) is z
    assert z.tolist() == [3.0, 0.0]
    total = nbtorch.zeros(())
    assert np.sum(nbtorch.ones(3), out=total) is total and total.item() == 3
    array = np.ones(2)
    array += nbtorch.ones(2)
    assert array.tolist() == [2.0, 2.0]
    with pytest.raises(RuntimeError, match="requires grad"):
        array += x


def test_at_changes_in_place_and_counts_duplicates(device: str) -> None:
    x = nbtorch.zeros(3, device=device)
    np.add.at(x, [0, 0, 2], 1.0)
    assert x.tolist() == [2.0, 0.0, 1.0]
    np.subtract.at(x, [2], 3.0)
    assert x.tolist() == [2.0, 0.0, -2.0]


@pytest.mark.cpu_only("arrays of NumPy")
def test_at_of_other_ufuncs_is_recorded() -> None:
    leaf = nbtorch.tensor([2.0, 3.0], requires_grad=True)
    x = leaf * 1
    np.multiply.at(x, [0, 0], 5.0)
    x.sum().backward()
    assert x.tolist() == [50.0, 3.0] and leaf.grad.tolist() == [25.0, 1.0]


@pytest.mark.parametrize(
    "call",
    [
        lambda x: np.fft.fft(x), lambda x: np.roots(x), lambda x: np.spacing(x), lambda x: np.add.reduceat(x, [0]),
        lambda x: np.piecewise(x, [x > 0], [1.0]), lambda x: np.take(x, [0], mode="wrap"),
    ],
)  # fmt: skip
def test_what_is_missing_is_named_with_a_way_out(call: Any) -> None:
    with pytest.raises(TypeError, match=r"np\.") as caught:
        call(nbtorch.ones(3, requires_grad=True))
    assert "x.detach().numpy()" in str(caught.value)


def test_asarray_gives_an_array_and_refuses_a_tensor_that_is_recorded() -> None:
    x = nbtorch.ones(2)
    array = np.asarray(x)
    array[0] = 5
    assert type(array) is np.ndarray and x.tolist() == [5.0, 1.0]
    with pytest.raises(RuntimeError, match="requires grad"):
        np.asarray(nbtorch.ones(2, requires_grad=True))


def test_subclasses_and_float32_are_kept() -> None:
    x = nbtorch.ones(3)
    assert np.sin(x).dtype is nbtorch.float32 and np.mean(x).dtype is nbtorch.float32
    p = nbtorch.nn.Parameter(nbtorch.ones(3))
    assert type(np.sum(p * 2)) is nbtorch.Tensor and np.concatenate([p, p]).requires_grad
