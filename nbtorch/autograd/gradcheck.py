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
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_batched_forward_grad: bool = False,
    check_forward_ad: bool = False,
    check_backward_ad: bool = True,
    fast_mode: bool = False,
    masked: bool | None = None,
) -> bool:
    """Compares the derivatives that backward gives with slopes measured by nudging each input element.

    Args:
        func: takes the inputs, returns a tensor or a tuple of them.
        inputs: tensors; those with ``requires_grad`` are checked, best in float64.
        eps: the size of the nudge.
        atol, rtol: how far the two may be apart, |a - n| <= atol + rtol * |n|.
        raise_exception: raise where they are further apart; else return False.
        nondet_tol: how far two runs of backward may be apart.
        check_forward_ad: compare the derivatives of forward mode too.
        check_backward_ad: compare those of backward; one of the two is needed.
        check_batched_grad: backward must give the same under ``vmap``.
        check_batched_forward_grad: forward mode must.
        check_undefined_grad, check_grad_dtypes, fast_mode, masked: accepted for PyTorch's sake; the check is always the
            whole one.

    Returns:
        True where all agree.

    Raises:
        GradcheckError: (a RuntimeError) naming the input, the output, and the largest difference.
        ValueError: where no input requires grad.
        AssertionError: for options that contradict each other.
    """
    if not (check_forward_ad or check_backward_ad):
        raise AssertionError("Expected at least one of check_forward_ad or check_backward_ad to be True")
    if check_batched_grad and not check_backward_ad:
        raise AssertionError("Setting check_batched_grad=True requires check_backward_ad to be True")
    if check_batched_forward_grad and not check_forward_ad:
        raise AssertionError("Setting check_batched_forward_grad=True requires check_forward_ad to be True")
    arguments = tuple(inputs) if isinstance(inputs, (tuple, list)) else (inputs,)
    if not any(_differentiable(x) for x in arguments):
        raise ValueError(
            "gradcheck expects at least one input tensor to require gradient, but none of the them have "
            "requires_grad=True."
        )
    try:
        for index, x in enumerate(arguments):
            if not _differentiable(x):
                continue
            numerical = numerical_jacobian(func, arguments, index, eps)
            if check_backward_ad:
                analytical = analytical_jacobian(func, arguments, index)
                _compare("Jacobian", analytical, numerical, index, atol, rtol)
                again = analytical_jacobian(func, arguments, index)
                if any(np.abs(a - b).max(initial=0) > nondet_tol for a, b in zip(analytical, again, strict=True)):
                    raise GradcheckError(
                        "Backward is not reentrant, i.e., running backward with same input and grad_output multiple "
                        f"times gives different values, although analytical gradient matches numerical gradient. The "
                        f"tolerance for nondeterminism was {nondet_tol}."
                    )
            if check_forward_ad:
                found = forward_jacobian(func, arguments, index, False)
                _compare("Jacobian computed with forward mode", found, numerical, index, atol, rtol)
            if check_batched_forward_grad:
                found = forward_jacobian(func, arguments, index, True)
                _compare("Jacobian computed with batched forward mode", found, numerical, index, atol, rtol)
            if check_batched_grad:
                found = batched_jacobian(func, arguments, index)
                _compare("Jacobian computed with batched gradients", found, numerical, index, atol, rtol)
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def forward_jacobian(
    func: Callable[..., Any], inputs: tuple[Any, ...], index: int, batched: bool
) -> list[np.ndarray[Any, Any]]:
    """As :func:`analytical_jacobian`, from the tangents of forward mode; with ``batched`` all columns at once."""
    from .transforms import jvp, unit_vectors
    from .vmap import vmap

    x = inputs[index]
    (units,) = unit_vectors([x])

    def along(tangent: Any) -> tuple[Any, ...]:
        found = jvp(lambda z: tuple(_outputs(func(*inputs[:index], z, *inputs[index + 1 :]))), (x,), (tangent,))[1]
        return tuple(found)

    if batched:
        return [_host(rows).reshape(x._array.size, -1) for rows in vmap(along)(units)]
    columns = [along(units[i]) for i in range(x._array.size)]
    return [np.array([_host(t).reshape(-1) for t in rows]) for rows in zip(*columns, strict=True)]


def batched_jacobian(func: Callable[..., Any], inputs: tuple[Any, ...], index: int) -> list[np.ndarray[Any, Any]]:
    """As :func:`analytical_jacobian`, all rows at once."""
    from .transforms import unit_vectors

    x = inputs[index]
    with enable_grad():
        outputs = _outputs(func(*inputs))
    jacobians = []
    for out in outputs:
        (units,) = unit_vectors([out])
        g = None
        if out.requires_grad:
            (g,) = grad(out, x, units, retain_graph=True, allow_unused=True, is_grads_batched=True)
        size = (out._array.size, x._array.size)
        jacobians.append(np.zeros(size).T if g is None else _host(g).reshape(size).T)
    return jacobians


def _compare(
    what: str, found: list[np.ndarray[Any, Any]], numerical: list[np.ndarray[Any, Any]], index: int, atol: float,
    rtol: float,
) -> None:  # fmt: skip
    for which, (a, n) in enumerate(zip(found, numerical, strict=False)):
        close = np.isclose(a, n, rtol=rtol, atol=atol, equal_nan=True)
        if not close.all():
            i, j = np.unravel_index(int(np.argmax(np.where(close, 0, np.abs(a - n)))), a.shape)
            raise GradcheckError(
                f"{what} mismatch for output {which} with respect to input {index},\n"
                f"  largest difference at input element {i}, output element {j}: "
                f"the derivative is {a[i, j]:.6g}, the measured slope is {n[i, j]:.6g}\n"
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
    gen_non_contig_grad_outputs: bool = False,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_fwd_over_rev: bool = False,
    check_rev_over_rev: bool = True,
    fast_mode: bool = False,
    masked: bool = False,
) -> bool:
    """``gradcheck`` of the gradient itself: second derivatives.

    Args:
        grad_outputs: the gradients to start from, of the outputs' shapes; fixed pseudo-random ones unless given.
        check_fwd_over_rev: compare forward mode over backward too.
        check_rev_over_rev: compare backward over backward.

    The other options are those of :func:`gradcheck`.
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
        first_derivative, (*arguments, *starts), eps=eps, atol=atol, rtol=rtol, raise_exception=raise_exception,
        nondet_tol=nondet_tol, check_batched_grad=check_batched_grad, check_forward_ad=check_fwd_over_rev,
        check_backward_ad=check_rev_over_rev,
    )  # fmt: skip


__all__ = ["GradcheckError", "gradcheck", "gradgradcheck"]
