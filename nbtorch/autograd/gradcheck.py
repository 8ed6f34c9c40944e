"""Derivatives checked against slopes: each input element nudged, the change of each output compared.

The numerical derivative is the central difference (f(x + h) - f(x - h)) / 2h, whose error is of order h squared plus
rounding; use float64 inputs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .api import grad
from .modes import enable_grad, no_grad
from .variable import Variable, wrap


class GradcheckError(RuntimeError):
    """An analytical derivative that is not the numerical one."""


def _differentiable(x: Any) -> bool:
    return isinstance(x, Variable) and x.requires_grad


def _outputs(result: Any) -> list[Any]:
    results = result if isinstance(result, (tuple, list)) else (result,)
    return [r for r in results if isinstance(r, Variable) and r._dtype().is_floating_point]


def _host(t: Variable) -> np.ndarray[Any, Any]:
    return t._backend.to_host(t._array).astype(np.float64)


def numerical_jacobian(
    func: Callable[..., Any], inputs: tuple[Any, ...], index: int, eps: float
) -> list[np.ndarray[Any, Any]]:
    """For each output, the slopes with respect to ``inputs[index]``: shape (input elements, output elements)."""
    x = inputs[index]
    start = x._backend.to_host(x._array).copy()
    columns: list[list[np.ndarray[Any, Any]]] = []
    with no_grad():
        for i in range(start.size):
            moved = []
            for sign in (1, -1):
                host = start.copy()
                host.reshape(-1)[i] += sign * eps
                nudged = wrap(x._backend.from_host(host), x._backend)
                arguments = tuple(nudged if k == index else a for k, a in enumerate(inputs))
                moved.append([_host(o).copy() for o in _outputs(func(*arguments))])
            columns.append([(up - down).reshape(-1) / (2 * eps) for up, down in zip(*moved, strict=True)])
    return [np.array(list(rows)) for rows in zip(*columns, strict=True)] if columns else []


def analytical_jacobian(func: Callable[..., Any], inputs: tuple[Any, ...], index: int) -> list[np.ndarray[Any, Any]]:
    """For each output, the derivatives with respect to ``inputs[index]``: shape (input elements, output elements)."""
    x = inputs[index]
    jacobians = []
    with enable_grad():
        outputs = _outputs(func(*inputs))
        for out in outputs:
            jacobian = np.zeros((x._array.size, out._array.size))
            if out.requires_grad:
                for j in range(out._array.size):
                    one = np.zeros(out._array.shape, out._array.dtype)
                    one.reshape(-1)[j] = 1
                    start = wrap(out._backend.from_host(one), out._backend)
                    (g,) = grad(out, x, start, retain_graph=True, allow_unused=True)
                    if g is not None:
                        if g._array.shape != x._array.shape:
                            raise GradcheckError(
                                f"gradient of shape {tuple(g._array.shape)} for an input of {tuple(x._array.shape)}"
                            )
                        jacobian[:, j] = _host(g).reshape(-1)
            jacobians.append(jacobian)
    return jacobians


def gradcheck(
    func: Callable[..., Any],
    inputs: Any,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    **ignored: Any,
) -> bool:
    """Compares the derivatives that backward gives with slopes measured by nudging each input element.

    Args:
        func: takes the inputs, returns a tensor or a tuple of them.
        inputs: tensors; those with ``requires_grad`` are checked, best in float64.
        eps: the size of the nudge.
        atol, rtol: how far the two may be apart, |a - n| <= atol + rtol * |n|.
        raise_exception: raise where they are further apart; else return False.

    Returns:
        True where all agree.

    Raises:
        GradcheckError: (a RuntimeError) naming the input, the output, and the largest difference.
        ValueError: where no input requires grad.
    """
    arguments = tuple(inputs) if isinstance(inputs, (tuple, list)) else (inputs,)
    if not any(_differentiable(x) for x in arguments):
        raise ValueError(
            "gradcheck expects at least one input tensor to require gradient, but none of the them have "
            "requires_grad=True."
        )
    try:
        for index, x in enumerate(arguments):
            if _differentiable(x):
                _compare(func, arguments, index, eps, atol, rtol)
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def _compare(
    func: Callable[..., Any], inputs: tuple[Any, ...], index: int, eps: float, atol: float, rtol: float
) -> None:
    analytical = analytical_jacobian(func, inputs, index)
    numerical = numerical_jacobian(func, inputs, index, eps)
    for which, (a, n) in enumerate(zip(analytical, numerical, strict=False)):
        close = np.isclose(a, n, rtol=rtol, atol=atol, equal_nan=True)
        if not close.all():
            i, j = np.unravel_index(int(np.argmax(np.where(close, 0, np.abs(a - n)))), a.shape)
            raise GradcheckError(
                f"Jacobian mismatch for output {which} with respect to input {index},\n"
                f"  largest difference at input element {i}, output element {j}: "
                f"backward gives {a[i, j]:.6g}, the measured slope is {n[i, j]:.6g}\n"
                f"numerical:{n}\nanalytical:{a}\n"
            )


def gradgradcheck(
    func: Callable[..., Any],
    inputs: Any,
    grad_outputs: Any = None,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    **ignored: Any,
) -> bool:
    """``gradcheck`` of the gradient itself: second derivatives.

    Args:
        grad_outputs: the gradients to start from, of the outputs' shapes; fixed pseudo-random ones unless given.
    """
    arguments = tuple(inputs) if isinstance(inputs, (tuple, list)) else (inputs,)
    with no_grad():
        outputs = _outputs(func(*arguments))
    if grad_outputs is None:
        numbers = np.random.default_rng(0)
        grad_outputs = []
        for out in outputs:
            host = numbers.uniform(0.5, 1.5, out._array.shape).astype(out._array.dtype)
            g = wrap(out._backend.from_host(np.asarray(host)), out._backend)
            grad_outputs.append(g.requires_grad_(True))
    starts = tuple(grad_outputs) if isinstance(grad_outputs, (tuple, list)) else (grad_outputs,)
    count = len(arguments)

    def first_derivative(*values: Any) -> tuple[Any, ...]:
        xs, gs = values[:count], values[count:]
        with enable_grad():
            # A nudged input arrives as a plain leaf; it has to be differentiated all the same.
            xs = tuple(
                x if not _differentiable(a) or x.requires_grad else x.requires_grad_(True)
                for x, a in zip(xs, arguments, strict=True)
            )
            outs = _outputs(func(*xs))
            wanted = [x for x in xs if _differentiable(x)]
            pairs = [(o, g) for o, g in zip(outs, gs, strict=True) if o.requires_grad]
            found = grad([o for o, _ in pairs], wanted, [g for _, g in pairs], create_graph=True, allow_unused=True)
        return tuple(g for g in found if g is not None)

    return gradcheck(
        first_derivative, (*arguments, *starts), eps=eps, atol=atol, rtol=rtol, raise_exception=raise_exception
    )


__all__ = ["GradcheckError", "gradcheck", "gradgradcheck"]
