"""Linear algebra where PyTorch's own samples don't reach: large matrices, singular ones, errors, empty shapes."""

from __future__ import annotations

from typing import Any

import helpers
import numpy as np
import pytest

import nbtorch

torch = helpers.import_torch()


def numbers(*shape: int, dtype: str = "float64", seed: int = 0) -> np.ndarray[Any, Any]:
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


def both(array: np.ndarray[Any, Any]) -> tuple[Any, Any]:
    return helpers.to_nbtorch(array), torch.from_numpy(array.copy())


@pytest.mark.parametrize("shape", [(90, 90), (2, 70, 40), (2, 40, 70), (3, 0, 3), (0, 3, 3), (1, 1)])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_lu_keeps_lapacks_pivots(shape: tuple[int, ...], dtype: str) -> None:
    mine, theirs = both(numbers(*shape, dtype=dtype))
    got, expected = nbtorch.linalg.lu_factor_ex(mine), torch.linalg.lu_factor_ex(theirs)
    helpers.same(got.pivots, expected.pivots)
    helpers.same(got.info, expected.info)
    helpers.same(got.LU, expected.LU, *((1e-9, 1e-11) if dtype == "float64" else (1e-3, 1e-3)))
    P, L, U = nbtorch.linalg.lu(mine)
    helpers.same(P @ L @ U, theirs, *((1e-9, 1e-11) if dtype == "float64" else (1e-3, 1e-3)))


@pytest.mark.parametrize("n", [1, 2, 7, 60])
def test_ldl_keeps_lapacks_pivots(n: int) -> None:
    A = numbers(3, n, n)
    mine, theirs = both(A + A.swapaxes(1, 2))
    got, expected = nbtorch.linalg.ldl_factor_ex(mine), torch.linalg.ldl_factor_ex(theirs)
    helpers.same(got.pivots, expected.pivots)
    helpers.same(got.LD, expected.LD, 1e-7, 1e-8)
    b = helpers.to_nbtorch(numbers(3, n, 2, seed=1))
    helpers.same(mine @ nbtorch.linalg.ldl_solve(got.LD, got.pivots, b), b, 1e-7, 1e-8)


@pytest.mark.parametrize("options", [{"upper": u, "left": s, "unitriangular": t} for u in (0, 1) for s in (0, 1)
                                     for t in (0, 1)])  # fmt: skip
def test_triangular_systems_of_several_blocks(options: dict[str, Any]) -> None:
    # Small off the diagonal: a random unit triangle of this size is too ill-conditioned to compare.
    options = {k: bool(v) for k, v in options.items()}
    A, theirs_A = both(numbers(60, 60) * 0.1 + 3 * np.eye(60))
    B, theirs_B = both(numbers(2, 60, 60, seed=1))
    helpers.same(
        nbtorch.linalg.solve_triangular(A, B, **options), torch.linalg.solve_triangular(theirs_A, theirs_B, **options),
        1e-9, 1e-9,
    )  # fmt: skip


def test_an_exponential_of_large_norm_is_scaled_and_squared() -> None:
    A, theirs = both(np.stack([numbers(4, 4) * 9, numbers(4, 4) * 1e-3]))
    helpers.same(nbtorch.matrix_exp(A), torch.matrix_exp(theirs), 1e-9, 1e-12)


@pytest.mark.parametrize("call", ["linalg.inv(A)", "linalg.cholesky(A)", "linalg.solve(A, A)", "inverse(A)",
                                  "linalg.tensorinv(A, 1)", "cholesky(A)", "linalg.matrix_power(A, -1)"])  # fmt: skip
def test_singular_matrices_raise(call: str) -> None:
    names = {"A": helpers.to_nbtorch(np.zeros((2, 2)))}
    with pytest.raises(nbtorch.linalg.LinAlgError, match=r"could not be completed|solver failed"):
        eval(f"nbtorch.{call}", {"nbtorch": nbtorch}, names)
    assert issubclass(nbtorch.linalg.LinAlgError, RuntimeError)


def test_info_tells_which_pivot_failed() -> None:
    A = helpers.to_nbtorch(np.stack([np.eye(3), np.diag([1.0, 2.0, 0.0]), np.diag([1.0, -1.0, 3.0])]))
    assert nbtorch.linalg.inv_ex(A).info.tolist() == [0, 3, 0]
    assert nbtorch.linalg.solve_ex(A, A).info.tolist() == [0, 3, 0]
    assert nbtorch.linalg.lu_factor_ex(A).info.tolist() == [0, 3, 0]
    assert nbtorch.linalg.cholesky_ex(A).info.tolist() == [0, 3, 2]
    with pytest.raises(nbtorch.linalg.LinAlgError, match=r"Batch element 1"):
        nbtorch.linalg.inv(A)


def test_what_is_not_finite_raises() -> None:
    A = helpers.to_nbtorch(np.full((2, 2), np.nan))
    for function in (nbtorch.linalg.svd, nbtorch.linalg.svdvals, nbtorch.linalg.pinv, nbtorch.linalg.cholesky):
        with pytest.raises(nbtorch.linalg.LinAlgError):
            function(A)


def test_complex_results_are_explained() -> None:
    A = helpers.to_nbtorch(np.eye(2))
    for function in (nbtorch.linalg.eig, nbtorch.linalg.eigvals):
        with pytest.raises(NotImplementedError, match=r"complex numbers"):
            function(A)


@pytest.mark.parametrize("create_graph", [False, True])
def test_the_gradient_of_a_singular_determinant_is_the_adjugate(create_graph: bool) -> None:
    """PyTorch gives zeros here, unless a graph is made of the gradient."""
    A = helpers.to_nbtorch(np.array([[1.0, 2.0], [2.0, 4.0]]), requires_grad=True)
    (g,) = nbtorch.autograd.grad(nbtorch.linalg.det(A), A, create_graph=create_graph)
    helpers.same(g, np.array([[4.0, -2.0], [-2.0, 1.0]]))
    batch = helpers.to_nbtorch(np.stack([np.ones((2, 2)), np.diag([2.0, 3.0])]), requires_grad=True)
    (g,) = nbtorch.autograd.grad(nbtorch.det(batch).sum(), batch, create_graph=create_graph)
    helpers.same(g, np.array([[[1.0, -1.0], [-1.0, 1.0]], [[3.0, 0.0], [0.0, 2.0]]]))


def test_results_changed_in_place_are_noticed_by_backward() -> None:
    A = helpers.to_nbtorch(numbers(3, 3), requires_grad=True)
    Q, R = nbtorch.linalg.qr(A)
    with nbtorch.no_grad():
        R.mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        (Q.sum() + R.sum()).backward()


def test_what_has_no_derivative_says_so_in_backward() -> None:
    A = helpers.to_nbtorch(np.eye(3) * 2, requires_grad=True)
    a, _ = nbtorch.geqrf(A)
    assert a.requires_grad
    with pytest.raises(NotImplementedError, match=r"linalg\.qr"):
        a.sum().backward()
    r = nbtorch.linalg.qr(A, mode="r").R
    with pytest.raises(RuntimeError, match="mode='r'"):
        r.sum().backward()


def test_beta_zero_does_not_look_at_the_input() -> None:
    nothing = helpers.to_nbtorch(np.full((2, 2), np.nan), requires_grad=True)
    A = helpers.to_nbtorch(numbers(2, 2))
    out = nbtorch.addmm(nothing, A, A, beta=0)
    helpers.same(out, A @ A)
    out.sum().backward()
    helpers.same(nothing.grad, np.zeros((2, 2)))
    assert nbtorch.addmm(A.long(), A.long(), A.long(), alpha=0.5).equal(A.long())


@pytest.mark.parametrize("p", [0.0, 1.0, 1.5, 2.0, 3.0, float("inf")])
def test_distances_of_many_rows(p: float) -> None:
    x, theirs_x = both(numbers(40, 3))
    y, theirs_y = both(numbers(2, 50, 3, seed=1))
    helpers.same(nbtorch.cdist(x, y, p), torch.cdist(theirs_x, theirs_y, p), 1e-7, 1e-7)
    helpers.same(nbtorch.nn.functional.pdist(x, p), torch.nn.functional.pdist(theirs_x, p), 1e-9, 1e-9)


@pytest.mark.parametrize("rtol", [None, 0.5])
def test_small_singular_values_do_not_count(rtol: float | None) -> None:
    A, theirs = both(np.diag([4.0, 1.0, 1e-20]))
    helpers.same(nbtorch.linalg.pinv(A, rtol=rtol), torch.linalg.pinv(theirs, rtol=rtol))
    assert nbtorch.linalg.matrix_rank(A, rtol=rtol).item() == torch.linalg.matrix_rank(theirs, rtol=rtol).item()
    atol = helpers.to_nbtorch(np.array(2.0))
    assert nbtorch.linalg.matrix_rank(A, atol=atol).item() == 1


def test_low_rank_approximations_find_the_rank() -> None:
    nbtorch.manual_seed(0)
    A = helpers.to_nbtorch(numbers(2, 9, 2) @ numbers(2, 2, 6, seed=1))
    for U, S, V in (nbtorch.svd_lowrank(A, q=3), nbtorch.pca_lowrank(A, q=3, center=False)):
        helpers.same(U * S.unsqueeze(-2) @ V.mT, A, 1e-7, 1e-7)
    with pytest.raises(ValueError, match="q"):
        nbtorch.pca_lowrank(A, q=7)


def test_results_have_names_and_print_as_pytorchs() -> None:
    A = helpers.to_nbtorch(np.eye(2))
    assert repr(nbtorch.linalg.slogdet(A)).startswith("torch.return_types.linalg_slogdet(\nsign=")
    values, vectors = nbtorch.linalg.eigh(A)
    assert nbtorch.linalg.eigh(A).eigenvalues.equal(values) and vectors.shape == (2, 2)
    out = (nbtorch.empty(0, dtype=nbtorch.float64), nbtorch.empty(0, dtype=nbtorch.float64))
    if A.device.type == "cpu":
        assert nbtorch.linalg.qr(A, out=out).Q is out[0]
        with pytest.raises(RuntimeError, match="dtype"):
            nbtorch.linalg.inv(A, out=nbtorch.empty(0))
