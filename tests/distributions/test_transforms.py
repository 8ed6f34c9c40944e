"""Transforms, constraints and the registries beside PyTorch's."""

from __future__ import annotations

import copy
import gc
import pickle
from typing import Any

import pytest
from distribution_cases import Side, assert_same
from helpers import device_name, import_torch

import nbtorch

torch = import_torch()

INPUTS = {
    "rows": [[0.3, -0.7, 1.1], [0.2, 0.5, -0.1], [1.0, 2.0, 0.1]],
    "positive": [0.3, 0.7, 1.2],
    "far": [[15.0, -20.0, 4.0]],
}


def transforms(side: Side) -> dict[str, Any]:
    f, d = side.library.distributions.transforms, side.library.distributions
    loc, scale = side.make([0.5, -1.5, 2.0]), side.make([1.0, 2.0, 0.5])
    affine, stick = f.AffineTransform(loc, scale), f.StickBreakingTransform()
    return {
        "exp": f.ExpTransform(),
        "power": f.PowerTransform(side.make([2.0, -0.5, 3.0])),
        "power, number": f.PowerTransform(2.0),
        "sigmoid": f.SigmoidTransform(),
        "softplus": f.SoftplusTransform(),
        "tanh": f.TanhTransform(),
        "abs": f.AbsTransform(),
        "affine": affine,
        "affine, numbers": f.AffineTransform(1.0, -2),
        "affine, events": f.AffineTransform(loc, scale, event_dim=1),
        "affine, numbers, events": f.AffineTransform(1.0, 2.0, event_dim=1),
        "softmax": f.SoftmaxTransform(),
        "stick": stick,
        "lower cholesky": f.LowerCholeskyTransform(),
        "positive definite": f.PositiveDefiniteTransform(),
        "correlations": f.CorrCholeskyTransform(),
        "identity": f.identity_transform,
        "composed": f.ComposeTransform([affine, f.ExpTransform()]),
        "composed, events": f.ComposeTransform([affine, stick, f.SoftplusTransform()]),
        "independent": f.IndependentTransform(affine, 2),
        "reshape": f.ReshapeTransform((3,), (3, 1)),
        "cat": f.CatTransform([f.ExpTransform(), f.AffineTransform(0.5, 2.0)], dim=-1, lengths=[1, 2]),
        "cat, events": f.CatTransform([f.IndependentTransform(f.ExpTransform(), 1)], dim=-1, lengths=[3]),
        "cat, of batches": f.CatTransform([f.IndependentTransform(f.ExpTransform(), 1), affine], dim=0, lengths=[2, 1]),
        "cat, elsewhere": f.CatTransform([f.ExpTransform()], dim=5),
        "stack": f.StackTransform([f.ExpTransform(), f.SigmoidTransform(), f.identity_transform], dim=-1),
        "stack, too few": f.StackTransform([f.ExpTransform()], dim=0),
        "cdf": f.CumulativeDistributionTransform(d.Normal(loc, scale)),
    }


QUESTIONS: dict[str, Any] = {
    "forward": lambda f, x: f(x),
    "inverse": lambda f, x: f.inv(f(x).detach()),
    "slope": lambda f, x: f.log_abs_det_jacobian(x, f(x)),
    "slope of the inverse": lambda f, x: f.inv.log_abs_det_jacobian(f(x).detach(), x),
    "cached": lambda f, x: f.with_cache()(x),
    "in the codomain": lambda f, x: f.codomain.check(f(x)),
    "repr": lambda f, x: (repr(f), repr(f.inv), f.bijective, f.inv.bijective),
    "sets": lambda f, x: (repr(f.domain), repr(f.codomain), f.domain.event_dim, f.codomain.event_dim),
    "discrete": lambda f, x: (f.domain.is_discrete, f.codomain.is_discrete),
    "event_dim": lambda f, x: f.event_dim,
    "sign": lambda f, x: f.sign.detach() if hasattr(f.sign, "detach") else f.sign,
    "equal": lambda f, x: (f == f, f == f.inv, f == f.with_cache(1), f == 1, f != f.inv),
    "inverse of the inverse": lambda f, x: (f.inv.inv is f, f.inv == f.inv),
    "kept pairs": lambda f, x: [(g(x) is g(x), g.inv(g(x)) is x, g._cache_size) for g in [f.with_cache()]],
    "shapes": lambda f, x: [tuple(f.forward_shape(x.shape)), tuple(f.inverse_shape(f(x).shape))],
    "no shape": lambda f, x: tuple(f.forward_shape(x.shape[:0])),
}


@pytest.mark.parametrize("name", transforms(Side(torch)))
def test_transform_as_in_torch(name: str) -> None:
    for label, question in QUESTIONS.items():
        for values in INPUTS.values():
            try:
                assert_same(lambda s, q=question, v=values: q(transforms(s)[name], s.make(v)), tolerance=1e-5)
            except AssertionError as error:
                raise AssertionError(f"{name}, {label}, {values}") from error


def constraints(side: Side) -> dict[str, Any]:
    c = side.library.distributions.constraints
    simple = (
        "real real_vector positive nonnegative unit_interval simplex lower_cholesky lower_triangular corr_cholesky "
        "positive_definite positive_semidefinite boolean one_hot nonnegative_integer positive_integer square symmetric"
    )
    return {
        **{name: getattr(c, name) for name in simple.split()},
        "dependent": c.dependent,
        "greater_than": c.greater_than(side.make([1.0, 2.0, 3.0])),
        "greater_than_eq": c.greater_than_eq(2),
        "less_than": c.less_than(1.5),
        "interval": c.interval(-1, 2.5),
        "interval of tensors": c.interval(side.make([0.0, 0.0, 0.0]), side.make([1.0, 2.0, 1.0])),
        "half_open_interval": c.half_open_interval(0.0, 1.0),
        "integer_interval": c.integer_interval(0, 3),
        "multinomial": c.multinomial(4),
        "independent": c.independent(c.positive, 1),
        "cat": c.cat([c.positive, c.real], -1, [1, 2]),
        "cat of simplexes": c.cat([c.simplex, c.real_vector], 0, [1, 2]),
        "stack": c.stack([c.positive, c.real, c.unit_interval], -1),
        "mixture": c.MixtureSameFamilyConstraint(c.positive),
    }


VALUES = {
    **INPUTS,
    "simplex": [[0.2, 0.3, 0.5], [0.1, 0.1, 0.8], [0.0, 0.0, 1.0]],
    "matrix": [[2.0, 0.5, 0.0], [0.5, 1.0, 0.0], [0.0, 0.0, 3.0]],
    "factor": [[1.0, 0.0, 0.0], [0.6, 0.8, 0.0], [0.0, 0.6, 0.8]],
    "counts": [0.0, 1.0, 3.0],
    "nan": [float("nan"), 1.0, 2.0],
}


@pytest.mark.parametrize("name", constraints(Side(torch)))
def test_constraint_as_in_torch(name: str) -> None:
    def of(t: Any) -> Any:
        return t.distributions.biject_to, t.distributions.transform_to

    for question in (
        lambda s: type(constraints(s)[name]).__name__,
        lambda s: (constraints(s)[name].is_discrete, constraints(s)[name].event_dim),
        lambda s: repr(of(s.library)[0](constraints(s)[name])),
        lambda s: repr(of(s.library)[1](constraints(s)[name])),
    ):
        assert_same(question)
    for values in VALUES.values():
        assert_same(lambda s, v=values: constraints(s)[name].check(s.make(v)))
    for values in INPUTS.values():
        for which in (0, 1):
            assert_same(lambda s, v=values, w=which: of(s.library)[w](constraints(s)[name])(s.make(v)), tolerance=1e-5)


@pytest.mark.parametrize(
    "program",
    [
        lambda d: d.constraints.independent(3, 1),
        lambda d: d.constraints.independent(d.constraints.real, -1),
        lambda d: d.constraints.cat([d.constraints.real], 0, [1, 2]),
        lambda d: d.constraints.stack([1]),
        lambda d: d.CatTransform([1]),
        lambda d: d.ExpTransform(cache_size=2),
        lambda d: d.ReshapeTransform((2,), (3,)),
        lambda d: d.CorrCholeskyTransform().forward_shape((4,)),
        lambda d: d.CorrCholeskyTransform().inverse_shape((3, 2)),
        lambda d: d.biject_to(d.constraints.boolean),
        lambda d: d.biject_to.register(3, None)(3),
        lambda d: d.constraints.dependent.is_discrete,
        lambda d: d.constraints.dependent.check(1),
        lambda d: d.utils.tril_matrix_to_vec(nbtorch.ones(2, 2), 5),
    ],
)
def test_errors_as_in_torch(program: Any) -> None:
    raised = []
    for t in (torch, nbtorch):
        with pytest.raises(Exception) as caught:
            program(t.distributions)
        raised.append(caught.value)
    assert type(raised[1]) is type(raised[0])
    assert str(raised[1]).startswith(str(raised[0]).replace("torch.", "nbtorch."))


def test_matrices_to_vectors_and_back() -> None:
    for diag in (-1, 0):
        assert_same(lambda s, d=diag: s.library.distributions.utils.vec_to_tril_matrix(s.make([1.0, 2.0, 3.0]), d))
        assert_same(lambda s, d=diag: s.library.distributions.utils.tril_matrix_to_vec(s.make(VALUES["matrix"]), d))
    with pytest.raises(ValueError, match="cannot be expressed as the lower triangular part"):
        nbtorch.distributions.utils.vec_to_tril_matrix(nbtorch.ones(4))


def test_an_own_transform_and_constraint() -> None:
    def program(side: Side) -> Any:
        t, d = side.library, side.library.distributions

        class Cube(d.Transform):
            domain = codomain = d.constraints.real
            bijective = True
            sign = +1

            def _call(self, x: Any) -> Any:
                return x**3

            def _inverse(self, y: Any) -> Any:
                return y.sign() * y.abs() ** (1 / 3)

            def log_abs_det_jacobian(self, x: Any, y: Any) -> Any:
                return (3 * x * x).log()

        class Cubes(d.constraints.Constraint):
            def check(self, value: Any) -> Any:
                return value == value

        d.biject_to.register(Cubes, lambda c: Cube(cache_size=1))
        flow = d.TransformedDistribution(d.Normal(side.make([0.0, 1.0]), 1.0), [d.biject_to(Cubes()), d.ExpTransform()])
        return t.stack([flow.log_prob(flow.sample()), flow.cdf(side.make([0.3, 2.0])), flow.rsample()])

    assert_same(program)


def test_copies_and_memory() -> None:
    d = nbtorch.distributions
    f = d.ComposeTransform([d.AffineTransform(1.0, 2.0), d.TanhTransform()])
    inverse = f.inv
    for other in (copy.deepcopy(f), pickle.loads(pickle.dumps(f)), pickle.loads(pickle.dumps(inverse)).inv):
        assert other == f
    assert f.inv is inverse
    del inverse
    gc.collect()
    gc.disable()
    try:
        for _ in range(3):
            x = nbtorch.ones(2, requires_grad=True, device=device_name())
            flow = d.TransformedDistribution(d.Normal(x, 1.0), d.TanhTransform(cache_size=1))
            flow.log_prob(flow.rsample()).sum().backward()
        del x, flow
        assert gc.collect() == 0
    finally:
        gc.enable()
