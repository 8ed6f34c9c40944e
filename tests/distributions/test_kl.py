"""Every registered divergence beside PyTorch's, and the table itself."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
from distribution_cases import FAMILIES, assert_same
from helpers import import_torch

import nbtorch

torch = import_torch()
NAMES = {getattr(torch.distributions, name): name for name in FAMILIES}
PAIRS = sorted((NAMES[p], NAMES[q]) for p, q in torch.distributions.kl._KL_REGISTRY if p in NAMES and q in NAMES)
# The first parameters of the table broadcast with one another only within a family.
OTHERS: dict[str, list[dict[str, Any]]] = {
    **{name: [{k: v[:2] if isinstance(v, list) else v for k, v in p.items()} for p in sets[:1]]
       for name, sets in FAMILIES.items()},
    "MultivariateNormal": FAMILIES["MultivariateNormal"],
    "LowRankMultivariateNormal": FAMILIES["LowRankMultivariateNormal"][:1],
    "Binomial": [{"total_count": 10, "probs": [0.2, 0.4]}, {"total_count": 8, "probs": [0.3, 0.6]}],
    "Uniform": [{"low": [0.2, 0.3], "high": [0.7, 0.9]}, {"low": [0.0, -1.0], "high": [1.0, 4.0]}],
    "Dirichlet": FAMILIES["Dirichlet"][:1],
}  # fmt: skip


@pytest.mark.parametrize(("p", "q"), PAIRS)
def test_as_in_torch(p: str, q: str) -> None:
    for ours in OTHERS[p]:
        for theirs in OTHERS[q]:
            changed = {k: [x * 0.9 for x in v] if _plain(k, v) else v for k, v in theirs.items()}
            assert_same(
                lambda s, a=ours, b=changed: s.library.distributions.kl_divergence(s.family(p, a), s.family(q, b)),
                second=True,
            )


def _plain(key: str, value: Any) -> bool:
    return key not in {"low", "high"} and isinstance(value, list) and not isinstance(value[0], list)


def test_the_same_pairs_are_known() -> None:
    def names(t: Any) -> set[tuple[str, str]]:
        return {(p.__name__, q.__name__) for p, q in t.distributions.kl._KL_REGISTRY}

    assert names(nbtorch) == names(torch)


@pytest.mark.parametrize(
    "program",
    [
        lambda d, n: d.kl_divergence(d.Independent(n, 1), d.Independent(n, 1)),
        lambda d, n: d.kl_divergence(d.Independent(n, 1), d.Independent(n, 0)),
        lambda d, n: d.kl_divergence(d.LogNormal(n.loc, n.scale), d.LogNormal(n.loc + 1, n.scale)),
        lambda d, n: d.kl_divergence(
            d.TransformedDistribution(n, d.ExpTransform()), d.TransformedDistribution(n, d.TanhTransform())
        ),
        lambda d, n: d.kl_divergence(n, d.Cauchy(n.loc, n.scale)),
        lambda d, n: d.kl_divergence(n, d.Poisson(n.scale)),
        lambda d, n: d.kl_divergence(n, n.expand((3, 2, 2))),
    ],
)
def test_of_composed_distributions(program: Any) -> None:
    assert_same(
        lambda s: program(s.library.distributions, s.family("Normal", {"loc": [[0.0], [1.0]], "scale": [1.0, 2.0]}))
    )


def test_wishart_divergence_by_bregman() -> None:
    p = FAMILIES["Wishart"][3]
    q = {"df": 5.0, "scale_tril": FAMILIES["MultivariateNormal"][2]["scale_tril"][0]}
    assert_same(lambda s: s.library.distributions.kl_divergence(s.family("Wishart", p), s.family("Wishart", q)))


def ambiguous(t: Any) -> Any:
    d = t.distributions

    class A(d.Normal):
        pass

    class B(d.Normal):
        pass

    d.register_kl(A, d.Normal)(lambda p, q: 1)
    d.register_kl(d.Normal, B)(lambda p, q: 2)
    a, b = A(0.0, 1.0), B(0.0, 1.0)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        first = d.kl_divergence(a, b)
    d.register_kl(A, B)(lambda p, q: 3)
    found = first, [(w.category, str(w.message)) for w in caught], d.kl_divergence(a, b), d.kl_divergence(a, a)
    for pair in ((A, d.Normal), (d.Normal, B), (A, B)):
        del d.kl._KL_REGISTRY[pair]
    return found


def test_the_nearest_classes_count() -> None:
    assert ambiguous(nbtorch) == ambiguous(torch)
    with pytest.raises(TypeError, match="Expected type_p to be a Distribution subclass"):
        nbtorch.distributions.register_kl(int, int)
