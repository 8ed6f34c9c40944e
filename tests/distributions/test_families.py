"""Every family beside PyTorch's: numbers, shapes, samples by seed, gradients, errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from distribution_cases import FAMILIES, Side, assert_same, composed, outcome, plain
from helpers import device_name, import_torch

import nbtorch

torch = import_torch()

# PyTorch approximates the slopes of gamma and beta numbers, and refuses to go on from a Wishart sample.
LOOSE = {"Beta", "Chi2", "Dirichlet", "FisherSnedecor", "Gamma", "InverseGamma", "StudentT"}
# PyTorch compares the concentration with a float32 zero.
NEEDS_FLOAT32 = {"GeneralizedPareto"}

QUESTIONS: dict[str, Any] = {
    "repr": repr,
    "shapes": lambda d: (tuple(d.batch_shape), tuple(d.event_shape), d.has_rsample, d.has_enumerate_support),
    "support": lambda d: (type(d.support).__name__, d.support.event_dim, d.support.is_discrete),
    "arg_constraints": lambda d: list(d.arg_constraints),
    "mean": lambda d: d.mean,
    "variance": lambda d: d.variance,
    "stddev": lambda d: d.stddev,
    "mode": lambda d: d.mode,
    "sample": lambda d: d.sample((2, 3)),
    "rsample": lambda d: d.rsample((4,)),
    "log_prob": lambda d: d.log_prob(d.sample((4,))),
    "entropy": lambda d: d.entropy(),
    "cdf": lambda d: d.cdf(d.sample((4,))),
    "icdf": lambda d: d.icdf(d.sample((4,)) * 0 + 0.3),
    "enumerate_support": lambda d: d.enumerate_support(),
    "expand": lambda d: d.expand((3, *d.batch_shape)).sample((2,)),
    "expanded log_prob": lambda d: d.expand((3, *d.batch_shape)).log_prob(d.sample()),
    "expanded repr": lambda d: repr(d.expand((3, *d.batch_shape))),
}
SECOND = {"log_prob", "entropy"}


def walk(name: str, build: Any) -> None:
    for label, question in QUESTIONS.items():
        if label == "rsample" and name == "Wishart":
            continue
        if name in NEEDS_FLOAT32 and label in {"log_prob", "cdf", "expanded log_prob"}:
            continue
        if label == "cdf" and name in {"Gamma", "Chi2", "InverseGamma"}:
            continue  # no gradient by the concentration, as in PyTorch
        tolerance = 3e-3 if label == "rsample" and name in LOOSE else 1e-6
        try:
            assert_same(lambda side, q=question: q(build(side)), tolerance=tolerance, second=label in SECOND)
        except AssertionError as error:
            raise AssertionError(f"{name}, {label}") from error


@pytest.mark.parametrize("name", FAMILIES)
def test_as_in_torch(name: str) -> None:
    for parameters in FAMILIES[name]:
        walk(name, lambda side, p=parameters: side.family(name, p))


@pytest.mark.parametrize("name", composed(torch, lambda v: torch.tensor(v) if isinstance(v, list) else v))
def test_composed_as_in_torch(name: str) -> None:
    walk(name, lambda side: composed(side.library, side.make)[name])


def test_no_name_is_missing() -> None:
    theirs, ours = torch.distributions, nbtorch.distributions
    for module in ("", "constraints", "transforms", "kl", "utils", "constraint_registry"):
        a, b = (getattr(m, module) if module else m for m in (theirs, ours))
        assert set(a.__all__) <= set(dir(b)), module


def test_every_family_is_in_the_table() -> None:
    general = {
        "Distribution", "ExponentialFamily", "Independent", "MixtureSameFamily", "TransformedDistribution"
    }  # fmt: skip
    names = {n for n in torch.distributions.__all__ if isinstance(getattr(torch.distributions, n), type)}
    families = {n for n in names if issubclass(getattr(torch.distributions, n), torch.distributions.Distribution)}
    assert families - general == set(FAMILIES)


def test_generalized_pareto_in_float32() -> None:
    for parameters in FAMILIES["GeneralizedPareto"]:
        results = []
        for t in (torch, nbtorch):
            made = {k: t.tensor(v) if isinstance(v, list) else v for k, v in parameters.items()}
            d = t.distributions.GeneralizedPareto(**made)
            x = t.tensor(0.5) * d.scale + d.loc
            results.append([f(x).numpy() for f in (d.log_prob, d.cdf, d.log_cdf, d.log_survival_function)])
        np.testing.assert_allclose(results[1], results[0], rtol=1e-5, atol=1e-6)


def test_wishart_samples_have_slopes() -> None:
    def program(factor: Any) -> Any:
        nbtorch.manual_seed(0)
        return nbtorch.distributions.Wishart(nbtorch.tensor(4.0).double(), scale_tril=factor.tril()).rsample((2,))

    factor = nbtorch.tensor([[1.2, 0.0], [0.3, 0.9]], dtype=nbtorch.float64, requires_grad=True)
    assert nbtorch.autograd.gradcheck(program, (factor,))


BAD = {
    "scale": -1.0, "rate": -1.0, "probs": 1.5, "concentration": -1.0, "concentration1": -1.0, "concentration0": 0.0,
    "df": -2.0, "df1": -1.0, "df2": 0.0, "alpha": -1.0, "loc": float("nan"), "logits": float("nan"), "low": 5.0,
    "scale_tril": -1.0, "covariance_matrix": -1.0, "precision_matrix": -1.0, "cov_diag": -1.0, "total_count": -1.0,
}  # fmt: skip


def spoilt(value: Any, bad: float) -> Any:
    return [spoilt(value[0], bad), *value[1:]] if isinstance(value, list) else bad


def message(side: Side, program: Any) -> str:
    side.library.manual_seed(0)
    try:
        program(side)
    except Exception as error:
        said = plain(str(error)).partition("invalid values")[0]
        return f"{type(error).__name__.lstrip('_')}: {said}"
    return "nothing"


def both_say_the_same(program: Any) -> None:
    theirs, ours = message(Side(torch), program), message(Side(nbtorch, device_name()), program)
    assert ours.startswith(theirs), f"{ours}\n{theirs}"


@pytest.mark.parametrize("name", FAMILIES)
def test_bad_parameters_and_values(name: str) -> None:
    def build(side: Side, parameters: dict[str, Any], **options: Any) -> Any:
        return getattr(side.library.distributions, name)(**{k: side.make(v) for k, v in parameters.items()}, **options)

    for parameters in FAMILIES[name]:
        for key in parameters.keys() & BAD.keys():
            worse = {**parameters, key: spoilt(parameters[key], BAD[key])}
            both_say_the_same(lambda s, w=worse: build(s, w))
    first = FAMILIES[name][0]
    if name not in NEEDS_FLOAT32:
        for change in (lambda x: -x - 1, lambda x: x * float("nan"), lambda x: x + 0.5, lambda x: 0.5):
            both_say_the_same(lambda s, c=change: build(s, first).log_prob(c(build(s, first).sample())))
        both_say_the_same(lambda s: build(s, first).log_prob(s.library.ones(7, 7, 7).double().to(s.device)))
    both_say_the_same(lambda s: build(s, {}))
    off = outcome(Side(nbtorch, device_name()), lambda s: build(s, first, validate_args=False)._validate_args)
    assert off == [False]
