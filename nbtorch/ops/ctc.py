"""Connectionist temporal classification: the probability of a sequence of labels, summed over all ways to place them.

Source: Graves et al. 2006. Between the labels and around them stand blanks; a path may stay at its state, go to the
next, and pass over a blank between two different labels. Everything is in logarithms.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..autograd.variable import Variable, wrap
from .loss import check_kernel, check_reduction
from .operands import require_tensor
from .record import Op, apply
from .reduction import mean
from .reduction import sum as sum_over

__all__ = ["ctc_loss"]

# The logarithm of an impossible path: far below every real one, and finite, so that differences of it are 0.
_NEVER = -1e30
_IMPOSSIBLE = -1e29


def _later(m: Any, x: Any, steps: int) -> Any:
    """Each state gets what the state ``steps`` before it has."""
    if x.shape[1] <= steps:
        return _never(m, x)
    return m.cat([_never(m, x[:, :steps]), x[:, :-steps]], 1)


def _earlier(m: Any, x: Any, steps: int) -> Any:
    """Each state gets what the state ``steps`` after it has."""
    if x.shape[1] <= steps:
        return _never(m, x)
    return m.cat([x[:, steps:], _never(m, x[:, :steps])], 1)


def _never(m: Any, x: Any) -> Any:
    return m.new_zeros(x, tuple(x.shape)) + _NEVER


def _forwards(m: Any, log_probs: Any, index: Any, skip: Any, final: Any, last: Any) -> tuple[Any, Any, Any]:
    """The log-probabilities of the states, of all beginnings of paths that end there, and of all whole paths."""
    steps, batch, _ = log_probs.shape
    states = index.shape[1]
    emitted = m.gather(log_probs, 2, m.expand(m.reshape(index, (1, batch, states)), (steps, batch, states)))
    never = m.new_zeros(log_probs, ()) + _NEVER
    # Before the first step every path stands in front of state 0, and may pass over it to state 1.
    a = m.cat([emitted[0][:, :2], _never(m, emitted[0][:, 2:])], 1) if states > 2 else emitted[0]
    beginnings = [m.reshape(a, (1, batch, states))]
    for t in range(1, steps):
        passed = m.where(skip, _later(m, a, 2), never)
        a = emitted[t] + m.logaddexp(m.logaddexp(a, _later(m, a, 1)), passed)
        beginnings.append(m.reshape(a, (1, batch, states)))
    alpha = m.cat(beginnings, 0)
    return emitted, alpha, m.logsumexp(m.where(last & final, alpha, never), (0, 2))


def _backwards(m: Any, emitted: Any, skip: Any, final: Any, last: Any) -> Any:
    """The log-probabilities of all endings of paths that start behind each state."""
    steps, batch, states = emitted.shape
    zero = m.new_zeros(emitted, ())
    ended = m.where(final, zero, zero + _NEVER)
    b = m.where(last[steps - 1], ended, zero + _NEVER)
    endings = [m.reshape(b, (1, batch, states))]
    for t in range(steps - 2, -1, -1):
        h = b + emitted[t + 1]
        passed = _earlier(m, m.where(skip, h, zero + _NEVER), 2)
        b = m.where(last[t], ended, m.logaddexp(m.logaddexp(h, _earlier(m, h, 1)), passed))
        endings.append(m.reshape(b, (1, batch, states)))
    return m.cat(endings[::-1], 0)


def _ctc(
    m: Any, log_probs: Any, index: Any, skip: Any, final: Any, last: Any, zero_infinity: bool, kept: list[Any]
) -> Any:
    found = _forwards(m, log_probs, index, skip, final, last)
    kept.append(found)
    likelihood = found[2]
    worst = m.full((), 0.0 if zero_infinity else math.inf, log_probs.dtype)
    return m.where(likelihood < _IMPOSSIBLE, worst, -likelihood)


def _ctc_input(
    m: Any, g: Any, log_probs: Any, index: Any, skip: Any, final: Any, last: Any, zero_infinity: bool, kept: list[Any]
) -> Any:
    if isinstance(g, Variable):
        emitted, alpha, likelihood = _forwards(m, log_probs, index, skip, final, last)
    else:
        emitted, alpha, likelihood = kept[0]
    steps, batch, _ = log_probs.shape
    states = index.shape[1]
    beta = _backwards(m, emitted, skip, final, last)
    # The share of the paths that are in a state at a step.
    shares = m.exp(alpha + beta - m.reshape(likelihood, (1, batch, 1)))
    index = m.expand(m.reshape(index, (1, batch, states)), (steps, batch, states))
    expected = m.scatter_add(m.new_zeros(log_probs, tuple(log_probs.shape)), 2, index, shares)
    # As PyTorch: less by exp(log_probs), which log_softmax before this takes away again.
    slope = (m.exp(log_probs) - expected) * m.reshape(g, (1, batch, 1))
    lost = m.reshape(likelihood, (1, batch, 1)) < _IMPOSSIBLE
    zero = m.new_zeros(log_probs, ())
    slope = m.where(lost, zero if zero_infinity else zero + math.nan, slope)
    # last says where each input ends; what comes behind it has no part in the loss.
    return m.where(_until(m, last, steps), slope, zero)


def _until(m: Any, last: Any, steps: int) -> Any:
    """True up to the last step of each input: where its end is still to come."""
    array = last._array if isinstance(last, Variable) else last
    backend = last._backend if isinstance(last, Variable) else m
    ends = backend.astype(array, np.int64)
    seen = backend.cumsum(ends, 0) - ends  # 1 behind the end
    inside = (seen == 0) & (backend.sum(ends, (0,), True) > 0)
    return wrap(inside, backend) if isinstance(last, Variable) else inside


CTC = Op(
    "ctc_loss",
    _ctc,
    tensors=5,
    log_probs=_ctc_input,
    formula=r"\frac{\partial}{\partial \log p_{tc}}\bigl(-\ln P\bigr) = p_{tc} - "
    r"\frac1P\sum_{s:\, y_s = c}\alpha_t(s)\,\beta_t(s)",
)


def _lengths(name: str, lengths: Any, batch: int) -> list[int]:
    """Lengths given as a tensor, a list, a tuple or a number."""
    if isinstance(lengths, Variable):
        if lengths._array.dtype.kind not in "iu":
            raise RuntimeError(f"{name} must be integral\n  got: {lengths._dtype()!r}\n  fix: {name}.long()")
        lengths = lengths._backend.to_host(lengths._array).reshape(-1).tolist()
    found = [int(n) for n in lengths] if isinstance(lengths, (list, tuple)) else [int(lengths)]
    if len(found) != batch:
        raise RuntimeError(f"{name} must be of size batch_size\n  expected: {batch} lengths\n  got: {len(found)}")
    return found


@CTC
def ctc_loss(
    log_probs: Any,
    targets: Any,
    input_lengths: Any,
    target_lengths: Any,
    blank: int = 0,
    reduction: str = "mean",
    zero_infinity: bool = False,
) -> Any:
    """Minus the log-probability of each sequence of labels; ``mean`` divides by its length first.

    Args:
        log_probs: log-probabilities of the classes at each step, shape (T, N, C) or (T, C).
        targets: labels, integers: shape (N, S), or all of them one after the other.
        input_lengths: how many steps of each sample count, a tensor or a sequence of N.
        target_lengths: how many labels each sample has.
        blank: the class that says "no label".
        reduction: "mean", "sum" or "none".
        zero_infinity: a sample too short for its labels costs 0, and not infinity.

    Raises:
        RuntimeError: for lengths, labels and shapes that don't fit.
        ValueError: for an unknown reduction.
    """
    check_reduction(reduction)
    require_tensor("ctc_loss", "log_probs", log_probs)
    require_tensor("ctc_loss", "targets", targets)
    shape = tuple(log_probs._array.shape)
    if len(shape) not in (2, 3) or 0 in shape:
        raise RuntimeError(f"log_probs tensor must not be empty, of shape (T, N, C) or (T, C)\n  got: {shape}")
    if targets._array.dtype.kind != "i" or targets._array.dtype.itemsize < 4:
        raise RuntimeError(f"targets must be integral (int32 or int64)\n  got: {targets._dtype()!r}")
    check_kernel("ctc_loss_cpu", log_probs._dtype())
    batched = len(shape) == 3
    x = log_probs if batched else log_probs.unsqueeze(1)
    steps, batch, classes = x._array.shape
    if not 0 <= blank < classes:
        raise RuntimeError(f"blank must be in label range\n  got: {blank}\n  expected: 0 to {classes - 1}")
    inputs, counts = _lengths("input_lengths", input_lengths, batch), _lengths("target_lengths", target_lengths, batch)
    _check_lengths(steps, inputs, counts, targets)
    m = x._backend
    # The states are laid out on the host: they depend on the labels, which are few.
    index, skip = _states(m.to_host(targets._array), counts, blank, classes)
    ends = 2 * np.array(counts)[:, None]
    states = np.arange(index.shape[1])[None]
    final = (states == ends) | ((states == ends - 1) & (ends > 0))
    last = np.arange(steps)[:, None, None] == np.array(inputs)[None, :, None] - 1
    constants = tuple(wrap(m.from_host(a), m) for a in (index, skip, final, last))
    loss = apply(CTC, (x, *constants), (zero_infinity, []))
    nothing = [n == 0 == s for n, s in zip(inputs, counts, strict=True)]
    if any(nothing):  # no steps for no labels: certain
        loss = loss.masked_fill(wrap(m.from_host(np.array(nothing)), m), 0.0)
    if reduction == "mean":
        return mean(loss / wrap(m.from_host(np.maximum(counts, 1).astype(x._array.dtype)), m))
    if reduction == "sum":
        return sum_over(loss)
    return loss if batched else loss.reshape(())


def _check_lengths(steps: int, inputs: list[int], counts: list[int], targets: Any) -> None:
    for name, lengths, most in (("input_lengths", inputs, steps), ("target_lengths", counts, None)):
        if min(lengths) < 0:
            raise RuntimeError(f"Expected {name} to have value at least 0, but got value {min(lengths)}")
        if most is not None and max(lengths) > most:
            raise RuntimeError(f"Expected {name} to have value at most {most}, but got value {max(lengths)}")
    size = tuple(targets._array.shape)
    if len(size) == 1:
        if size[0] != sum(counts):
            raise RuntimeError(
                f"Expected tensor to have size {sum(counts)} at dimension 0, but got size {size[0]} for argument #2 "
                "'targets' (while checking arguments for ctc_loss)\n  expected: the labels of all samples, one after "
                "the other"
            )
    elif len(size) != 2 or size[0] != len(counts) or size[1] < max(counts):
        raise RuntimeError(
            f"Expected tensor to have size at least {max(counts)} at dimension 1, but got size {list(size)} for "
            "argument #2 'targets' (while checking arguments for ctc_loss)"
        )


def _states(targets: Any, counts: list[int], blank: int, classes: int) -> tuple[Any, Any]:
    """The class of each state, and whether it may be reached from the state before the blank in front of it."""
    index = np.full((len(counts), 2 * max(counts) + 1), blank, np.int64)
    begin = 0
    for n, count in enumerate(counts):
        labels = targets[begin : begin + count] if targets.ndim == 1 else targets[n, :count]
        begin += count
        if count and not (labels.min() >= 0 and labels.max() < classes):
            raise RuntimeError(
                f"ctc_loss: a label is out of range\n  got: {int(labels.min())} to {int(labels.max())}\n"
                f"  expected: 0 to {classes - 1}"
            )
        index[n, 1 : 2 * count : 2] = labels
    skip = np.zeros(index.shape, bool)
    skip[:, 2:] = (index[:, 2:] != blank) & (index[:, 2:] != index[:, :-2])
    return index, skip
