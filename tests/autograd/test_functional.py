"""``autograd.functional`` beside PyTorch: every function with every option, its errors too."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sides import as_torch

X = np.array([0.7, -1.3, 0.4])
OPTIONS: list[dict[str, Any]] = [
    {}, {"vectorize": True}, {"vectorize": True, "strategy": "forward-mode"}, {"strategy": "forward-mode"},
    {"create_graph": True}, {"strict": True}, {"strict": True, "vectorize": True},
    {"create_graph": True, "vectorize": True}, {"strategy": "x"},
]  # fmt: skip


def one(a: Any) -> Any:
    return a.sin() * a


def two(a: Any, b: Any) -> Any:
    return (a * b).sum() * b, a.exp()


def scalar(a: Any) -> Any:
    return (a**3).sum()


def scalar_of_two(a: Any, b: Any) -> Any:
    return (a**2 * b).sum().exp() * 0.01


def ignores(a: Any, b: Any) -> Any:
    return a * 2


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("function, count", [(one, 1), (two, 2), (ignores, 2), (lambda a: [a], 1)])
def test_jacobian(function: Any, count: int, options: Any, torch_ref: Any) -> None:
    def case(lib: Any) -> Any:
        inputs = tuple(lib.make(X * (k + 1)) for k in range(count))
        return lib.autograd.functional.jacobian(function, inputs if count > 1 else inputs[0], **options)

    as_torch(case)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("function, count", [(scalar, 1), (scalar_of_two, 2), (lambda a: a.sum(), 1), (one, 1)])
def test_hessian(function: Any, count: int, options: Any, torch_ref: Any) -> None:
    renamed = {"outer_jacobian_strategy" if k == "strategy" else k: v for k, v in options.items()}

    def case(lib: Any) -> Any:
        inputs = tuple(lib.make(X * (k + 1)) for k in range(count))
        return lib.autograd.functional.hessian(function, inputs if count > 1 else inputs[0], **renamed)

    as_torch(case)


@pytest.mark.parametrize("options", [{}, {"create_graph": True}, {"strict": True}], ids=str)
@pytest.mark.parametrize("name", ["vjp", "jvp", "vhp", "hvp"])
@pytest.mark.parametrize(
    "function, count, vectors", [(one, 1, 1), (two, 2, 2), (scalar, 1, 0), (scalar, 1, 1), (scalar_of_two, 2, 2),
                                 (scalar_of_two, 2, 1), (ignores, 2, 2), (lambda a: a.sum(), 1, 1)],
)  # fmt: skip
def test_products(name: str, function: Any, count: int, vectors: int, options: Any, torch_ref: Any) -> None:
    def case(lib: Any) -> Any:
        inputs = tuple(lib.make(X * (k + 1)) for k in range(count))
        v = tuple(lib.make(X * 2) for _ in range(vectors))
        given = None if not v else v if count > 1 else v[0]
        return getattr(lib.autograd.functional, name)(function, inputs if count > 1 else inputs[0], given, **options)

    as_torch(case)
