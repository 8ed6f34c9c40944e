"""Every family with parameters of the shapes that programs use: batched, scalar, Python numbers, broadcasting."""

from __future__ import annotations

from typing import Any

import numpy as np
from helpers import device_name, import_torch

import nbtorch

_MATRIX = [[2.0, 0.5, 0.1], [0.5, 1.0, -0.2], [0.1, -0.2, 1.5]]
_FACTOR = [[1.4, 0.0, 0.0], [0.35, 0.9, 0.0], [0.07, -0.2, 1.2]]
_SMALL = [[1.5, 0.3], [0.3, 0.8]]

# Lists become float64 leaves; everything else is passed as it is.
FAMILIES: dict[str, list[dict[str, Any]]] = {
    "Bernoulli": [{"probs": [0.2, 0.5, 0.9]}, {"logits": [[0.3], [-2.0]]}, {"probs": 0.3}, {"logits": 0.3}],
    "Beta": [
        {"concentration1": [0.5, 2.0, 40.0], "concentration0": [3.0, 2.0, 0.7]},
        {"concentration1": 2.0, "concentration0": [[1.5], [4.0]]},
        {"concentration1": 2.0, "concentration0": 1.5},
    ],
    "Binomial": [
        {"total_count": 10, "probs": [0.2, 0.4]},
        {"total_count": [3.0, 8.0], "logits": [[0.2], [-0.5]]},
        {"total_count": 4, "probs": 0.3},
    ],
    "Categorical": [
        {"probs": [[0.2, 0.3, 0.5], [0.1, 0.1, 0.8]]},
        {"logits": [1.0, 2.0, 3.0]},
        {"probs": [0.2, 0.6, 0.4]},
    ],
    "Cauchy": [
        {"loc": [0.0, 1.0], "scale": [1.0, 2.0]},
        {"loc": 0.5, "scale": [[2.0], [3.0]]},
        {"loc": 0, "scale": 1},
    ],
    "Chi2": [{"df": [1.0, 5.0]}, {"df": 3.0}],
    "ContinuousBernoulli": [
        {"probs": [0.2, 0.4995, 0.9]},
        {"logits": [[0.3], [-2.0]]},
        {"probs": 0.3},
        {"probs": [0.3, 0.45], "lims": (0.48, 0.52)},
    ],
    "Dirichlet": [{"concentration": [[0.5, 2.0, 3.0], [1.0, 1.0, 1.0]]}, {"concentration": [0.5, 2.0, 3.0, 4.0]}],
    "Exponential": [{"rate": [0.5, 2.0]}, {"rate": 2.0}],
    "FisherSnedecor": [
        {"df1": [3.0, 5.0], "df2": [[5.0], [9.0]]},
        {"df1": 3.0, "df2": 7.0},
        {"df1": [1.5], "df2": 2.0},
    ],
    "Gamma": [
        {"concentration": [0.5, 2.0, 30.0], "rate": [1.0, 2.0, 3.0]},
        {"concentration": 2.0, "rate": [[1.0], [3.0]]},
        {"concentration": 2.0, "rate": 3},
    ],
    "GeneralizedPareto": [
        {"loc": [0.0, 1.0, -1.0], "scale": [1.0, 2.0, 0.5], "concentration": [0.3, -0.4, 0.0]},
        {"loc": 1.0, "scale": 2.0, "concentration": [[0.7], [1.5]]},
        {"loc": 0.0, "scale": 1.0, "concentration": 0.2},
    ],
    "Geometric": [{"probs": [0.2, 0.8]}, {"logits": [[0.3], [-1.0]]}, {"probs": 0.4}],
    "Gumbel": [
        {"loc": [0.0, 1.0], "scale": [1.0, 0.5]},
        {"loc": 1.0, "scale": [[1.0], [0.5]]},
        {"loc": 1.0, "scale": 2.0},
    ],
    "HalfCauchy": [{"scale": [1.0, 2.0]}, {"scale": 2.0}],
    "HalfNormal": [{"scale": [1.0, 2.0]}, {"scale": 2.0}],
    "InverseGamma": [
        {"concentration": [0.5, 2.5, 8.0], "rate": [1.0, 2.0, 3.0]},
        {"concentration": 3.0, "rate": [[1.0], [2.0]]},
        {"concentration": 3.0, "rate": 2.0},
    ],
    "Kumaraswamy": [
        {"concentration1": [0.5, 2.0, 3.0], "concentration0": [3.0, 2.0, 0.7]},
        {"concentration1": 2.0, "concentration0": [[1.5], [4.0]]},
        {"concentration1": 2.0, "concentration0": 1.5},
    ],
    "LKJCholesky": [{"dim": 3, "concentration": [0.5, 2.0]}, {"dim": 2}, {"dim": 4, "concentration": 3.0}],
    "Laplace": [
        {"loc": [0.0, 1.0], "scale": [1.0, 2.0]},
        {"loc": 0.5, "scale": [[2.0], [3.0]]},
        {"loc": 0, "scale": 1},
    ],
    "LogNormal": [
        {"loc": [0.0, 1.0], "scale": [1.0, 0.5]},
        {"loc": 0.5, "scale": [[0.2], [0.3]]},
        {"loc": 0, "scale": 1},
    ],
    "LogisticNormal": [{"loc": [0.0, 1.0], "scale": [1.0, 0.5]}, {"loc": [[0.1, 0.2], [1.0, -1.0]], "scale": 0.5}],
    "LowRankMultivariateNormal": [
        {"loc": [0.0, 1.0, 2.0], "cov_factor": [[1.0], [0.5], [-0.3]], "cov_diag": [1.0, 2.0, 0.5]},
        {
            "loc": [[0.0, 1.0], [2.0, 3.0]],
            "cov_factor": [[1.0, 0.2, 0.3], [0.5, -0.4, 0.1]],
            "cov_diag": [[1.0, 2.0], [0.7, 0.6]],
        },
    ],
    "Multinomial": [{"total_count": 5, "probs": [[0.2, 0.3, 0.4], [0.1, 0.1, 0.8]]}, {"logits": [1.0, 2.0, 0.5]}],
    "MultivariateNormal": [
        {"loc": [0.0, 1.0, 2.0], "covariance_matrix": _MATRIX},
        {"loc": [[0.0, 1.0, 2.0], [3.0, 2.0, 1.0]], "precision_matrix": _MATRIX},
        {"loc": [0.0, 1.0, 2.0], "scale_tril": [_FACTOR, _FACTOR]},
    ],
    "NegativeBinomial": [
        {"total_count": [3.0, 0.5], "probs": [0.2, 0.5]},
        {"total_count": 4, "logits": [[0.2], [-0.5]]},
        {"total_count": 4.0, "probs": 0.3},
    ],
    "Normal": [
        {"loc": [0.0, 1.0], "scale": [1.0, 2.0]},
        {"loc": 0.5, "scale": [[2.0], [3.0]]},
        {"loc": 0, "scale": 1},
    ],
    "OneHotCategorical": [{"logits": [1.0, 2.0, 3.0]}, {"probs": [[0.2, 0.3, 0.5], [0.1, 0.1, 0.8]]}],
    "OneHotCategoricalStraightThrough": [{"logits": [1.0, 2.0, 3.0]}, {"probs": [[0.2, 0.3, 0.5], [0.1, 0.1, 0.8]]}],
    "Pareto": [
        {"scale": [1.0, 2.0], "alpha": [3.0, 0.8]},
        {"scale": 1.0, "alpha": [[3.0], [1.5]]},
        {"scale": 1.0, "alpha": 3},
    ],
    "Poisson": [{"rate": [0.5, 20.0]}, {"rate": 3.0}],
    "RelaxedBernoulli": [
        {"temperature": [0.7], "probs": [0.2, 0.7]},
        {"temperature": [2.0], "logits": [[0.3], [-1.0]]},
    ],
    "RelaxedOneHotCategorical": [
        {"temperature": [0.7], "probs": [[0.2, 0.3, 0.5], [0.1, 0.1, 0.8]]},
        {"temperature": [2.0], "logits": [1.0, 2.0, 3.0]},
    ],
    "StudentT": [
        {"df": [0.8, 1.5, 5.0], "loc": [0.0, 1.0, 2.0], "scale": [1.0, 0.5, 2.0]},
        {"df": [3.0, 5.0]},
        {"df": 4.0, "loc": 1.0, "scale": [[0.5], [1.5]]},
    ],
    "Uniform": [
        {"low": [0.0, 1.0], "high": [1.0, 3.0]},
        {"low": -1.0, "high": [[2.0], [3.0]]},
        {"low": 0, "high": 1},
    ],
    "VonMises": [
        {"loc": [0.0, 2.5], "concentration": [1.0, 30.0]},
        {"loc": 1.0, "concentration": [[0.1], [4.0]]},
        {"loc": 0.5, "concentration": 2.0},
    ],
    "Weibull": [
        {"scale": [1.0, 2.0], "concentration": [2.0, 3.0]},
        {"scale": 1.0, "concentration": [[1.0], [3.0]]},
        {"scale": 1.0, "concentration": 2.0},
    ],
    "Wishart": [
        {"df": [4.0, 5.5], "covariance_matrix": _SMALL},
        {"df": 4.0, "precision_matrix": [_SMALL, [[1.0, 0.0], [0.0, 2.0]]]},
        {"df": [6.0], "scale_tril": _FACTOR},
        {"df": 3.5, "covariance_matrix": _MATRIX},
    ],
}


def composed(t: Any, make: Any) -> dict[str, Any]:
    """Distributions made of others; ``make`` makes a leaf."""
    d, f = t.distributions, t.distributions.transforms
    normal = d.Normal(make([[0.0, 1.0, -1.0], [0.5, 2.0, 0.1]]), make([1.0, 2.0, 0.5]))
    weights = make([0.2, 0.3, 0.5])
    return {
        "independent": d.Independent(normal, 1),
        "independent of two": d.Independent(d.Bernoulli(logits=make([[0.1, 0.2], [1.0, -1.0]])), 2),
        "independent of none": d.Independent(d.Categorical(logits=make([[0.1, 0.2], [1.0, -1.0]])), 0),
        "mixture": d.MixtureSameFamily(d.Categorical(weights), normal),
        "mixture of vectors": d.MixtureSameFamily(
            d.Categorical(make([0.4, 0.6])), d.Independent(d.Normal(make([[0.0, 1.0], [2.0, 3.0]]), 1.0), 1)
        ),
        "mixture of counts": d.MixtureSameFamily(d.Categorical(weights), d.Poisson(make([1.0, 5.0, 9.0]))),
        "logistic": d.TransformedDistribution(
            d.Uniform(make([0.0, 0.0]), make([1.0, 1.0])),
            [f.SigmoidTransform().inv, f.AffineTransform(make([1.0, 2.0]), make([2.0, -3.0]))],
        ),
        "squashed": d.TransformedDistribution(normal, [f.TanhTransform(cache_size=1)]),
        "flow": d.TransformedDistribution(
            d.Independent(normal, 1),
            [
                f.AffineTransform(make([0.1, 0.2, 0.3]), make([1.0, 2.0, 0.5]), event_dim=1),
                f.ReshapeTransform((3,), (3, 1)),
                f.IndependentTransform(f.SoftplusTransform(), 2),
            ],
        ),
        "simplex": d.TransformedDistribution(normal, f.StickBreakingTransform()),
        "correlations": d.TransformedDistribution(normal, f.CorrCholeskyTransform()),
        "power": d.TransformedDistribution(d.Exponential(make([1.0, 2.0])), f.PowerTransform(make([2.0, -0.5]))),
        "plain": d.TransformedDistribution(normal, []),
    }


class Side:
    """One of the two libraries; remembers the leaves it makes."""

    def __init__(self, library: Any, device: str = "cpu") -> None:
        self.library, self.device, self.leaves = library, device, []

    def make(self, value: Any) -> Any:
        if not isinstance(value, list):
            return value
        leaf = self.library.tensor(value, dtype=self.library.float64, device=self.device, requires_grad=True)
        self.leaves.append(leaf)
        return leaf

    def family(self, name: str, parameters: dict[str, Any]) -> Any:
        made = {key: self.make(value) for key, value in parameters.items()}
        return getattr(self.library.distributions, name)(**made)


def plain(text: str) -> str:
    """A text on one line, without the device and the library's name."""
    return " ".join(text.split()).replace(f"device='{device_name()}:0', ", "").replace("nbtorch", "torch")


def outcome(side: Side, question: Any, second: bool = False) -> list[Any]:
    """What ``question`` of this side gives: its value and gradients by the leaves, or the error's class."""
    t = side.library
    t.manual_seed(3)
    try:
        y = question(side)
    except (NotImplementedError, ValueError, RuntimeError, AssertionError, IndexError) as error:
        return [type(error).__name__]
    if not isinstance(y, t.Tensor):
        return [plain(y) if isinstance(y, str) else y]
    results = [y]
    if y.requires_grad:
        # Infinities have no slope, and the square has one where a sum over a simplex would not.
        finite = t.where(t.isfinite(y), y, t.zeros_like(y))
        grads = t.autograd.grad((finite**2).sum(), side.leaves, allow_unused=True, create_graph=second)
        results += grads
        slopes = [(g**2).sum() for g in grads if g is not None and g.requires_grad]
        if second and slopes:
            results += t.autograd.grad(sum(slopes), side.leaves, allow_unused=True)
    return [v.detach().cpu().double().numpy() if isinstance(v, t.Tensor) else v for v in results]


def assert_same(question: Any, *, tolerance: float = 1e-6, second: bool = False) -> None:
    """Asserts that a question of a :class:`Side` has the same outcome on both."""
    theirs = outcome(Side(import_torch()), question, second)
    ours = outcome(Side(nbtorch, device_name()), question, second)
    if second and len(ours) > len(theirs):
        ours = ours[: len(theirs)]  # a slope that is 0 everywhere may have a graph here
    assert len(theirs) == len(ours)
    for a, b in zip(theirs, ours, strict=True):
        if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
            np.testing.assert_allclose(b, a, rtol=tolerance, atol=tolerance)
        elif isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
            assert not np.any(a if b is None else b), f"{a} and {b}"
        else:
            assert a == b
