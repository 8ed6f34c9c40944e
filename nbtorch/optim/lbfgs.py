"""A quasi-Newton method: it evaluates the loss several times for each step."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

from ..autograd import enable_grad, no_grad
from ..ops import cat
from ..tensor import Tensor, zeros_like
from .optimizer import Optimizer

__all__ = ["LBFGS"]


class LBFGS(Optimizer):
    """Limited-memory BFGS (Nocedal 1980), with a line search for the strong Wolfe conditions if wanted.

    Args:
        params: parameters; one group only.
        lr: the step size along the direction, before the line search.
        max_iter: directions for each step.
        max_eval: evaluations of the loss for each step; ``max_iter * 5 // 4`` by default.
        tolerance_grad: stop when no element of the gradient is larger.
        tolerance_change: stop when the loss or the parameters change less.
        history_size: how many changes of gradient and parameters are remembered.
        line_search_fn: ``"strong_wolfe"`` (Nocedal & Wright, Numerical Optimization, algorithms 3.5 and 3.6) or None.

    Raises:
        ValueError: for several groups of parameters, or a negative learning rate.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        if isinstance(lr, Tensor) and lr.numel() != 1:
            raise ValueError(f"Tensor lr must be 1-element, got shape {tuple(lr.shape)}")
        if not lr >= 0.0:
            raise ValueError(f"Invalid learning rate: {lr}")
        defaults = {
            "lr": lr, "max_iter": max_iter, "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
            "tolerance_grad": tolerance_grad, "tolerance_change": tolerance_change, "history_size": history_size,
            "line_search_fn": line_search_fn,
        }  # fmt: skip
        super().__init__(params, defaults)
        if len(self.param_groups) != 1:
            raise ValueError("LBFGS doesn't support per-parameter options (parameter groups)")
        self._params: list[Tensor] = self.param_groups[0]["params"]

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self._params = self.param_groups[0]["params"]

    def _gradient(self) -> Any:
        """All gradients as one vector."""
        return cat([(zeros_like(p) if p.grad is None else p.grad).reshape(-1) for p in self._params])

    def _move(self, t: float, direction: Any) -> None:
        """Adds ``t * direction`` to the parameters."""
        start = 0
        for p in self._params:
            end = start + p.numel()
            p.add_(direction[start:end].view_as(p), alpha=t)
            start = end

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Minimise along up to ``max_iter`` directions.

        Args:
            closure: clears the gradients, computes the loss and its gradients, and returns the loss.

        Returns:
            The loss before the step.
        """
        if closure is None:
            raise TypeError("LBFGS.step() needs a closure that computes the loss anew\n  fix: optimizer.step(closure)")
        with no_grad():
            return self._minimize(closure)

    def _minimize(self, closure: Callable[[], Any]) -> Any:
        def evaluate() -> tuple[Any, Any]:
            with enable_grad():
                loss = closure()
            state["func_evals"] += 1
            return loss, self._gradient()

        group = self.param_groups[0]
        lr = float(group["lr"])
        state = self.state[self._params[0]]
        state.setdefault("func_evals", 0)
        state.setdefault("n_iter", 0)
        first_loss, gradient = evaluate()
        loss = float(first_loss)
        evaluations = 1
        if float(gradient.abs().max()) <= group["tolerance_grad"]:
            return first_loss
        direction, t = state.get("d"), state.get("t")
        changes, steps, curvatures = state.get("old_dirs"), state.get("old_stps"), state.get("ro")
        scale, before, loss_before = state.get("H_diag"), state.get("prev_flat_grad"), state.get("prev_loss")
        for turn in range(1, group["max_iter"] + 1):
            state["n_iter"] += 1
            if state["n_iter"] == 1:
                direction, changes, steps, curvatures, scale = -gradient, [], [], [], 1
            else:
                change, moved = gradient - before, direction * t
                curvature = float(change.dot(moved))
                if curvature > 1e-10:
                    if len(changes) == group["history_size"]:
                        for remembered in (changes, steps, curvatures):
                            remembered.pop(0)
                    changes.append(change)
                    steps.append(moved)
                    curvatures.append(1.0 / curvature)
                    scale = curvature / float(change.dot(change))
                direction = _two_loops(gradient, changes, steps, curvatures, scale)
            before = gradient.clone()
            loss_before = loss
            t = min(1.0, 1.0 / float(gradient.abs().sum())) * lr if state["n_iter"] == 1 else lr
            slope = float(gradient.dot(direction))
            if slope > -group["tolerance_change"]:
                break
            used = 0
            if group["line_search_fn"] is not None:
                if group["line_search_fn"] != "strong_wolfe":
                    raise RuntimeError("only 'strong_wolfe' is supported")
                start = [p.clone() for p in self._params]

                def at(t: float, start: list[Any] = start, direction: Any = direction) -> tuple[float, Any]:
                    self._move(t, direction)
                    value, slope_there = evaluate()
                    for p, old in zip(self._params, start, strict=True):
                        p.copy_(old)
                    return float(value), slope_there

                loss, gradient, t, used = _strong_wolfe(
                    at, t, direction, loss, gradient, slope, group["tolerance_change"]
                )
                self._move(t, direction)
            else:
                self._move(t, direction)
                if turn != group["max_iter"]:
                    value, gradient = evaluate()
                    loss, used = float(value), 1
            evaluations += used
            if (
                turn == group["max_iter"]
                or evaluations >= group["max_eval"]
                or float(gradient.abs().max()) <= group["tolerance_grad"]
                or float((direction * t).abs().max()) <= group["tolerance_change"]
                or abs(loss - loss_before) < group["tolerance_change"]
            ):
                break
        state.update(
            d=direction, t=t, old_dirs=changes, old_stps=steps, ro=curvatures, H_diag=scale, prev_flat_grad=before,
            prev_loss=loss_before,
        )  # fmt: skip
        return first_loss


def _two_loops(gradient: Any, changes: list[Any], steps: list[Any], curvatures: list[float], scale: float) -> Any:
    """Minus the gradient times the estimate of the inverse Hessian (Nocedal & Wright, algorithm 7.4)."""
    q = -gradient
    weights = [0.0] * len(changes)
    for i in range(len(changes) - 1, -1, -1):
        weights[i] = float(steps[i].dot(q)) * curvatures[i]
        q = q - weights[i] * changes[i]
    r = q * scale
    for i in range(len(changes)):
        r = r + steps[i] * (weights[i] - float(changes[i].dot(r)) * curvatures[i])
    return r


def _cubic_minimum(
    x1: float, f1: float, g1: float, x2: float, f2: float, g2: float, bounds: tuple[float, float] | None = None
) -> float:
    """Where the cubic through two points with their slopes is least, within the bounds (ib., equation 3.59)."""
    low, high = bounds if bounds is not None else (min(x1, x2), max(x1, x2))
    d1 = g1 + g2 - 3 * (f1 - f2) / (x1 - x2)
    square = d1 * d1 - g1 * g2
    if square < 0:
        return (low + high) / 2
    d2 = math.sqrt(square)
    if x1 <= x2:
        place = x2 - (x2 - x1) * ((g2 + d2 - d1) / (g2 - g1 + 2 * d2))
    else:
        place = x1 - (x1 - x2) * ((g1 + d2 - d1) / (g1 - g2 + 2 * d2))
    return min(max(place, low), high)


def _strong_wolfe(
    at: Callable[[float], tuple[float, Any]],
    t: float,
    direction: Any,
    loss: float,
    gradient: Any,
    slope: float,
    tolerance_change: float,
    c1: float = 1e-4,
    c2: float = 0.9,
    max_evaluations: int = 25,
) -> tuple[float, Any, float, int]:
    """A step along ``direction`` that satisfies the strong Wolfe conditions: its loss, gradient, size, evaluations."""
    largest = float(direction.abs().max())
    points: list[tuple[float, float, Any, float]] = []  # (step, loss, gradient, slope)
    previous = (0.0, loss, gradient, slope)
    value, there = at(t)
    evaluations = 1
    slope_there = float(there.dot(direction))
    tries = 0
    done = False
    while tries < max_evaluations:
        here = (t, value, there.clone(), slope_there)
        if value > loss + c1 * t * slope or (tries > 1 and value >= previous[1]):
            points = [previous, here]
            break
        if abs(slope_there) <= -c2 * slope:
            points, done = [here], True
            break
        if slope_there >= 0:
            points = [previous, here]
            break
        bounds = (t + 0.01 * (t - previous[0]), t * 10)
        following = _cubic_minimum(previous[0], previous[1], previous[3], t, value, slope_there, bounds)
        previous = here
        t = following
        value, there = at(t)
        evaluations += 1
        slope_there = float(there.dot(direction))
        tries += 1
    if not points:  # tries are used up
        points = [(0.0, loss, gradient, slope), (t, value, there.clone(), slope_there)]

    # Zoom: shrink the bracket until the conditions hold.
    stuck = False
    low, high = (0, 1) if points[0][1] <= points[-1][1] else (1, 0)
    while not done and tries < max_evaluations:
        first, last = points[0], points[1]
        if abs(last[0] - first[0]) * largest < tolerance_change:
            break
        t = _cubic_minimum(first[0], first[1], first[3], last[0], last[1], last[3])
        least, most = min(first[0], last[0]), max(first[0], last[0])
        margin = 0.1 * (most - least)
        if min(most - t, t - least) < margin:  # too near an end: next to it, or a tenth away if it was so before
            if stuck or t >= most or t <= least:
                t = most - margin if abs(t - most) < abs(t - least) else least + margin
                stuck = False
            else:
                stuck = True
        else:
            stuck = False
        value, there = at(t)
        evaluations += 1
        slope_there = float(there.dot(direction))
        tries += 1
        here = (t, value, there.clone(), slope_there)
        if value > loss + c1 * t * slope or value >= points[low][1]:
            points[high] = here
            low, high = (0, 1) if points[0][1] <= points[1][1] else (1, 0)
        else:
            if abs(slope_there) <= -c2 * slope:
                done = True
            elif slope_there * (points[high][0] - points[low][0]) >= 0:
                points[high] = points[low]
            points[low] = here
    best = points[low if len(points) > 1 else 0]
    return best[1], best[2], best[0], evaluations
