"""Values and derivatives where there is a kink, a tie, a zero or an infinity: PyTorch's choices."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sides import as_torch

INF, NAN = float("inf"), float("nan")
POINTS = np.array([0.0, -0.0, 1.0, -1.0, 0.5, 2.0, 3.0, -3.0, 6.0, 20.0, 100.0, -100.0, 1e-30, INF, -INF, NAN])

UNARY = [
    "abs", "sign", "square", "sqrt", "rsqrt", "reciprocal", "exp", "exp2", "expm1", "log", "log2", "log10", "log1p",
    "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "sigmoid", "erf",
    "floor", "ceil", "trunc", "round", "frac", "relu", "neg",
]  # fmt: skip
ACTIVATIONS = [
    "leaky_relu", "elu", "selu", "celu", "gelu", "silu", "softplus", "logsigmoid", "mish", "hardtanh", "relu6",
    "hardsigmoid", "hardswish", "softsign", "tanhshrink", "softshrink", "hardshrink",
]  # fmt: skip


def derivatives(program: Any, *arrays: np.ndarray[Any, Any], second: bool = False) -> Any:
    def run(lib: Any) -> Any:
        leaves = [lib.make(a, requires_grad=True) for a in arrays]
        y = program(lib, *leaves)
        grads = lib.autograd.grad(y.sum(), leaves, create_graph=second)
        if not second:
            return y.detach(), grads
        # What does not depend on the input at all has no second derivative in one library and zeros in the other.
        again = lib.autograd.grad(sum((g * 1.5).sum() for g in grads), leaves, materialize_grads=True)
        return y.detach(), [g.detach() for g in grads], again

    return run


@pytest.mark.parametrize("name", UNARY)
def test_functions_of_one_number(name: str, torch_ref: Any) -> None:
    # The sign of NaN is 0 in PyTorch, which hides it; here it is NaN.
    points = POINTS[:-1] if name in ("abs", "sign") else POINTS
    as_torch(derivatives(lambda lib, x: getattr(x, name)(), points), rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations(name: str, torch_ref: Any) -> None:
    as_torch(derivatives(lambda lib, x: getattr(lib.nn.functional, name)(x), POINTS), rtol=1e-6, atol=1e-12)


A, B = (
    grid.reshape(-1)
    for grid in np.meshgrid([0.0, 1.0, -1.0, 2.0, -2.5, INF, NAN], [0.0, 1.0, -1.0, 2.0, 0.5, 3.0, -INF])
)
FINITE = np.isfinite(A) & np.isfinite(B)

BINARY = {
    "add": lambda lib, a, b: a + b,
    "mul": lambda lib, a, b: a * b,
    "div": lambda lib, a, b: a / b,
    "pow": lambda lib, a, b: a**b,
    "maximum": lambda lib, a, b: lib.maximum(a, b),
    "minimum": lambda lib, a, b: lib.minimum(a, b),
    "atan2": lambda lib, a, b: lib.atan2(a, b),
    "logaddexp": lambda lib, a, b: lib.logaddexp(a, b),
    "clamp by tensors": lambda lib, a, b: a.clamp(b, b + 1),
    "where": lambda lib, a, b: lib.where(a > b, a, b),
    "fmod": lambda lib, a, b: lib.fmod(a, b),
    "remainder": lambda lib, a, b: lib.remainder(a, b),
}


@pytest.mark.parametrize("program", BINARY.values(), ids=BINARY.keys())
def test_functions_of_two_numbers(program: Any, torch_ref: Any) -> None:
    # A quotient of infinity, rounded, is infinity here and NaN in PyTorch; and clamp stops the gradient of a NaN there.
    finite = program in (BINARY["remainder"], BINARY["clamp by tensors"])
    a, b = (A[FINITE], B[FINITE]) if finite else (A, B)
    as_torch(derivatives(program, a, b), rtol=1e-6, atol=1e-12)


PROGRAMS = {
    "powers": lambda lib, x: sum(x**p for p in (0, 1, 2, 3, 0.5, -1, -2, 1.5)),
    "numbers to powers": lambda lib, x: 0 ** x.abs() + 2**x,
    "clamp": lambda lib, x: x.clamp(-1, 2) + x.clamp(min=0) + x.clamp(max=1),
    "max": lambda lib, x: x[:9].max() + x[:9].min(),
    "ties": lambda lib, x: (x[:3] * 0).amax() + (x[:3] * 0).max() + (x[:3] * 0).max(0)[0] + (x[:3] * 0).min(),
    "norm at 0": lambda lib, x: (x[:2] * 0).norm(),
    "norm of one": lambda lib, x: x[2:3].norm() + x[2:5].norm(1) + x[2:5].norm(INF) + x[2:5].norm(3),
    "std of equals": lambda lib, x: (x[:3] * 0 + 1).std() * 0 + (x[2:6]).std(),
    "var of one": lambda lib, x: x[2:3].var(correction=0),
    "prod with a zero": lambda lib, x: x[:6].prod() + x[1:6].prod(),
    "prod with one zero": lambda lib, x: x[1:6].prod(0),
    "cumprod with zeros": lambda lib, x: x[:6].cumprod(0),
    "logsumexp": lambda lib, x: x[:13].logsumexp(0),
    "logsumexp of minus infinities": lambda lib, x: lib.cat([x[14:15], x[14:15]]).logsumexp(0),
    "softmax": lambda lib, x: (x[:13].softmax(0) * x[:13]).sum(),
    "softmax with minus infinity": lambda lib, x: lib.cat([x[2:5], x[14:15]]).softmax(0)[0],
    "log_softmax": lambda lib, x: x[:13].log_softmax(0)[0],
    "log under a mask": lambda lib, x: lib.where(x > 0, x.log(), x),
    "sqrt under a mask": lambda lib, x: lib.where(x > 0, x.sqrt(), x * 0),
    "masked_fill over infinities": lambda lib, x: (x * 2).masked_fill(x.isinf() | x.isnan(), 0.0),
    "nothing": lambda lib, x: x[:0].sum() + x[:0].prod(),
    "mean of large": lambda lib, x: (x[2:6] * 1e308).mean(),
}


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS.keys())
def test_programs(program: Any, torch_ref: Any) -> None:
    as_torch(derivatives(program, POINTS), rtol=1e-6, atol=1e-12)


ROOTS = ("sqrt", "rsqrt", "log", "log2", "log10")
SMOOTH = np.array([0.5, 1.0, 2.0, -1.5, 0.25])


@pytest.mark.parametrize("name", [n for n in [*UNARY, *ACTIVATIONS] if n not in (*ROOTS, "hardsigmoid")])
def test_second_derivatives_at_ordinary_points(name: str, torch_ref: Any) -> None:
    def program(lib: Any, x: Any) -> Any:
        return (getattr(x, name) if name in UNARY else lambda: getattr(lib.nn.functional, name)(x))() + x**3

    as_torch(derivatives(program, SMOOTH, second=True), rtol=1e-6, atol=1e-9)
