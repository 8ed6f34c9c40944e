"""Distributions beside PyTorch's: numbers, shapes, samples by seed and gradients."""

from __future__ import annotations

import numpy as np
import pytest

import nbtorch

torch = pytest.importorskip("torch")

VECTORS = {
    "Normal": {"loc": [0.0, 1.0], "scale": [1.0, 2.0]},
    "Uniform": {"low": [0.0, 1.0], "high": [1.0, 3.0]},
    "Bernoulli": {"probs": [0.2, 0.5]},
    "Categorical": {"probs": [[0.2, 0.3, 0.5], [0.1, 0.1, 0.8]]},
    "OneHotCategorical": {"logits": [1.0, 2.0, 3.0]},
    "Exponential": {"rate": [0.5, 2.0]},
    "Laplace": {"loc": [0.0, 1.0], "scale": [1.0, 2.0]},
    "Cauchy": {"loc": [0.0, 1.0], "scale": [1.0, 2.0]},
    "HalfCauchy": {"scale": [1.0, 2.0]},
    "HalfNormal": {"scale": [1.0, 2.0]},
    "LogNormal": {"loc": [0.0, 1.0], "scale": [1.0, 0.5]},
    "Poisson": {"rate": [0.5, 20.0]},
    "Gamma": {"concentration": [0.5, 2.0, 30.0], "rate": [1.0, 2.0, 3.0]},
    "Chi2": {"df": [1.0, 5.0]},
    "Beta": {"concentration1": [0.5, 2.0], "concentration0": [3.0, 2.0]},
    "Dirichlet": {"concentration": [[0.5, 2.0, 3.0], [1.0, 1.0, 1.0]]},
    "MultivariateNormal": {"loc": [0.0, 1.0], "covariance_matrix": [[2.0, 0.5], [0.5, 1.0]]},
    "Gumbel": {"loc": [0.0, 1.0], "scale": [1.0, 0.5]},
    "StudentT": {"df": [3.0, 5.0], "loc": [0.0, 1.0], "scale": [1.0, 0.5]},
    "Geometric": {"probs": [0.2, 0.8]},
    "Binomial": {"total_count": 10, "probs": [0.2, 0.5]},
    "Multinomial": {"total_count": 5, "probs": [[0.2, 0.3, 0.5], [0.1, 0.1, 0.8]]},
    "Pareto": {"scale": [1.0, 2.0], "alpha": [3.0, 4.0]},
    "Weibull": {"scale": [1.0, 2.0], "concentration": [2.0, 3.0]},
}
# PyTorch approximates the slopes of gamma and beta numbers.
LOOSE = {"Gamma", "Chi2", "Beta", "Dirichlet", "StudentT"}


def built(t, name):
    leaves, given = [], {}
    for key, value in VECTORS[name].items():
        if isinstance(value, list):
            value = t.tensor(value, dtype=t.float64, requires_grad=True)
            leaves.append(value)
        given[key] = value
    return getattr(t.distributions, name)(**given), leaves


def outcome(t, name, question):
    try:
        d, leaves = built(t, name)
        t.manual_seed(3)
        y = question(d)
        if not isinstance(y, t.Tensor):
            return [str(y)]
        y = y.double()
        # The square, since the sum of points of a simplex has no slope.
        grads = t.autograd.grad((y**2).sum(), leaves, allow_unused=True) if y.requires_grad else ()
        return [y.detach().numpy(), *(None if g is None else g.numpy() for g in grads)]
    except (NotImplementedError, ValueError) as error:
        return [type(error).__name__]


QUESTIONS = {
    "repr": repr,
    "mean": lambda d: d.mean,
    "variance": lambda d: d.variance,
    "mode": lambda d: d.mode,
    "sample": lambda d: d.sample((40,)),
    "rsample": lambda d: d.rsample((4,)),
    "log_prob": lambda d: d.log_prob(d.sample((4,))),
    "entropy": lambda d: d.entropy(),
    "cdf": lambda d: d.cdf(d.sample((4,))),
    "expanded": lambda d: d.expand((3, *d.batch_shape)).sample((2,)),
    "kl to itself": lambda d: (
        nbtorch.distributions if isinstance(d, nbtorch.distributions.Distribution) else torch.distributions
    ).kl_divergence(d, d),
}


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("name", VECTORS)
def test_as_in_torch(name: str, question: str) -> None:
    theirs, ours = (outcome(t, name, QUESTIONS[question]) for t in (torch, nbtorch))
    tol = 2e-3 if name in LOOSE and question == "rsample" else 1e-6
    assert len(theirs) == len(ours)
    for a, b in zip(theirs, ours, strict=True):
        if isinstance(a, np.ndarray):
            np.testing.assert_allclose(b, a, rtol=tol, atol=tol)
        else:
            assert a is b or str(a) == str(b)
