"""One layer of a recurrent network in one direction: all its time steps are one record.

The inputs of all steps are projected by one product of matrices, and so are the gradients of the weights; what is left
in the loop is one product for each step. A derivative first gathers, for all steps at once, what it needs of the gates.

Sequences of unequal lengths lie packed: the rows of step 0, then those of step 1 and so on, ``sizes[t]`` of them at
step t, longest sequence first. A state's rows beyond ``sizes[t]`` stay what they are at step t: the sequence has ended,
or, read backwards, not begun.

Source: Hochreiter and Schmidhuber 1997 (LSTM); Cho et al. 2014 (GRU); Elman 1990.
"""

from __future__ import annotations

from typing import Any

from ..autograd.variable import Variable
from ..backends.recurrence import RecurrentPrimitives, head, joined, of_weights, over, project, spans
from .operands import require_tensor
from .record import Op, apply, check_same_device

__all__ = ["gru_layer", "lstm_layer", "rnn_layer"]


def _rows(x: Any) -> Any:
    return x if x.ndim == 2 else x.reshape(-1, x.shape[-1])


# -- LSTM ---


def _lstm(
    m: Any, input: Any, hidden: Any, cell: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any, w_hr: Any, sizes: Any,
    backwards: bool, kept: list[Any],
) -> Any:  # fmt: skip
    out, h, c, found = m.lstm(_rows(input), hidden, cell, w_ih, w_hh, b_ih, b_hh, w_hr, sizes, backwards)
    kept.append(found)
    return out.reshape(*input.shape[:-1], out.shape[1]), h, c


def _lstm_inputs(
    m: Any, g: Any, input: Any, hidden: Any, cell: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any, w_hr: Any,
    sizes: Any, backwards: bool, kept: list[Any], needs: Any,
) -> tuple[Any, ...]:  # fmt: skip
    x, has_bias, given = _rows(input), b_ih is not None, (_rows(g[0]), g[1], g[2])
    if isinstance(g[0], Variable):  # its own derivative is asked for too
        found = RecurrentPrimitives.lstm(m, x, hidden, cell, w_ih, w_hh, b_ih, b_hh, w_hr, sizes, backwards)[3]
        of_x, *rest = RecurrentPrimitives.lstm_backward(
            m, *given, x, w_ih, w_hh, w_hr, has_bias, sizes, backwards, found, needs
        )
    else:
        of_x, *rest = m.lstm_backward(*given, x, w_ih, w_hh, w_hr, has_bias, sizes, backwards, kept[0], needs)
    return None if of_x is None else of_x.reshape(*input.shape), *rest


LSTM = Op(
    "lstm_layer",
    _lstm,
    tensors=8,
    outputs=3,
    joint=_lstm_inputs,
    formula=r"c' = f\odot c + i\odot \tilde c,\ h' = o\odot\tanh c':\quad \bar c' \mathrel{+}= \bar h'\odot o\odot"
    r"(1-\tanh^2 c'),\quad \bar z = \bar{(i, f, \tilde c, o)}\odot\sigma'(z),\quad \bar h = W_h^\top\bar z,\quad "
    r"\bar c = \bar c'\odot f",
)


@LSTM
def lstm_layer(
    input: Any, hidden: Any, cell: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any, w_hr: Any, sizes: tuple[int, ...],
    backwards: bool = False,
) -> tuple[Any, Any, Any]:  # fmt: skip
    """One layer of long short-term memory.

    Args:
        input: the steps, shape (T, N, I), or packed, shape (sum(sizes), I).
        hidden: the state before, shape (N, H), or (N, P) with a projection.
        cell: the cell before, shape (N, H).
        w_ih: shape (4 H, I): input gate, forget gate, content, output gate.
        w_hh: shape (4 H, H) or (4 H, P).
        b_ih: shape (4 H,), or None.
        b_hh: shape (4 H,), or None.
        w_hr: shape (P, H): projects each result; or None.
        sizes: how many sequences there are at each step.
        backwards: whether the last step comes first.

    Returns:
        The states after each step, the last states, and the last cells.
    """
    _check("lstm", input, w_ih, hidden, cell, w_hh, b_ih, b_hh, w_hr)
    result: tuple[Any, Any, Any] = apply(
        LSTM, (input, hidden, cell, w_ih, w_hh, b_ih, b_hh, w_hr), (tuple(sizes), backwards, [])
    )
    return result


# -- GRU ---


def _gru_states(
    m: Any, x: Any, h: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any, sizes: Any, backwards: bool
) -> tuple[Any, ...]:
    """What each step found: the two gates, new content, its recurrent summand, state before; results; end."""
    n = w_hh.shape[0] // 3
    z = project(m, _rows(x), w_ih, b_ih)
    kept: list[list[Any]] = [[], [], [], [], []]
    for start, end, rows in spans(sizes, backwards):
        before = head(h, rows)
        recurrent = project(m, before, w_hh, b_hh)
        now = z[start:end]
        gates = m.sigmoid(now[:, : 2 * n] + recurrent[:, : 2 * n])
        summand = recurrent[:, 2 * n :]
        content = m.tanh(now[:, 2 * n :] + gates[:, :n] * summand)
        out = content + gates[:, n:] * (before - content)
        for into, found in zip(kept, (gates, content, summand, before, out), strict=True):
            into.append(found)
        h = over(m, out, h)
    return (*[joined(m, parts, backwards) for parts in kept], h)


def _gru(
    m: Any, input: Any, hidden: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any, sizes: Any, backwards: bool,
    kept: list[Any],
) -> Any:  # fmt: skip
    states = _gru_states(m, input, hidden, w_ih, w_hh, b_ih, b_hh, sizes, backwards)
    kept.append(states)
    return states[4].reshape(*input.shape[:-1], states[4].shape[1]), states[5]


def _gru_inputs(
    m: Any, g: Any, input: Any, hidden: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any, sizes: Any, backwards: bool,
    kept: list[Any], needs: Any,
) -> tuple[Any, ...]:  # fmt: skip
    states = (
        _gru_states(m, input, hidden, w_ih, w_hh, b_ih, b_hh, sizes, backwards)
        if isinstance(g[0], Variable)
        else kept[0]
    )
    gates, content, summand, before = states[:4]
    n = content.shape[1]
    r, u = gates[:, :n], gates[:, n:]
    inner = (1 - u) * (1 - content * content)
    of_reset, of_update = inner * summand * r * (1 - r), (before - content) * u * (1 - u)
    slopes = m.cat([of_reset, of_update, inner * r], 1)
    of_out, dh = _rows(g[0]), g[1]
    recurrent, steps = [], []
    for start, end, rows in reversed(spans(sizes, backwards)):
        d = of_out[start:end] + head(dh, rows)
        steps.append(d)
        recurrent.append(slopes[start:end] * m.cat([d, d, d], 1))
        dh = over(m, m.matmul(recurrent[-1], w_hh) + d * u[start:end], dh)
    of_recurrent = joined(m, recurrent, not backwards)
    of_input = m.cat([of_recurrent[:, : 2 * n], joined(m, steps, not backwards) * inner], 1)
    of_x, *weights = of_weights(
        m, _rows(input), before, of_input, of_recurrent, w_ih, b_ih is not None, (needs[0], *needs[2:])
    )
    return None if of_x is None else of_x.reshape(*input.shape), dh, *weights


GRU = Op(
    "gru_layer",
    _gru,
    tensors=6,
    outputs=2,
    joint=_gru_inputs,
    formula=r"n = \tanh(x_n + r\odot W_n h),\ h' = (1-u)\odot n + u\odot h:\quad \bar n = \bar h'\odot(1-u),\quad "
    r"\bar u = \bar h'\odot(h-n),\quad \bar h = \bar h'\odot u + W_h^\top \bar z",
)


@GRU
def gru_layer(
    input: Any, hidden: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any, sizes: tuple[int, ...],
    backwards: bool = False,
) -> tuple[Any, Any]:  # fmt: skip
    """One layer of gated recurrent units; arguments as for :func:`lstm_layer`, gates: reset, update, content.

    Returns:
        The states after each step, and the last states.
    """
    _check("gru", input, w_ih, hidden, w_hh, b_ih, b_hh)
    result: tuple[Any, Any] = apply(GRU, (input, hidden, w_ih, w_hh, b_ih, b_hh), (tuple(sizes), backwards, []))
    return result


# -- Elman's ---


def _rnn_states(
    m: Any, x: Any, h: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any, relu: bool, sizes: Any, backwards: bool
) -> tuple[Any, ...]:
    """The states before and after each step, and at the end."""
    z = project(m, _rows(x), w_ih, None if b_ih is None else b_ih + b_hh)
    w = m.transpose(w_hh, 0, 1)
    befores, results = [], []
    for start, end, rows in spans(sizes, backwards):
        before = head(h, rows)
        a = z[start:end] + m.matmul(before, w)
        results.append(m.relu(a) if relu else m.tanh(a))
        befores.append(before)
        h = over(m, results[-1], h)
    return joined(m, befores, backwards), joined(m, results, backwards), h


def _rnn(
    m: Any, input: Any, hidden: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any, relu: bool, sizes: Any,
    backwards: bool, kept: list[Any],
) -> Any:  # fmt: skip
    states = _rnn_states(m, input, hidden, w_ih, w_hh, b_ih, b_hh, relu, sizes, backwards)
    kept.append(states)
    return states[1].reshape(*input.shape[:-1], states[1].shape[1]), states[2]


def _rnn_inputs(
    m: Any, g: Any, input: Any, hidden: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any, relu: bool, sizes: Any,
    backwards: bool, kept: list[Any], needs: Any,
) -> tuple[Any, ...]:  # fmt: skip
    states = (
        _rnn_states(m, input, hidden, w_ih, w_hh, b_ih, b_hh, relu, sizes, backwards)
        if isinstance(g[0], Variable)
        else kept[0]
    )
    before, after = states[:2]
    of_out, dh = _rows(g[0]), g[1]
    slopes = None if relu else 1 - after * after
    zero = of_out[:1] * 0
    steps = []
    for start, end, rows in reversed(spans(sizes, backwards)):
        d = of_out[start:end] + head(dh, rows)
        steps.append(m.where(after[start:end] > 0, d, zero) if slopes is None else d * slopes[start:end])
        dh = over(m, m.matmul(steps[-1], w_hh), dh)
    dz = joined(m, steps, not backwards)
    of_x, *weights = of_weights(m, _rows(input), before, dz, dz, w_ih, b_ih is not None, (needs[0], *needs[2:]))
    return None if of_x is None else of_x.reshape(*input.shape), dh, *weights


RNN = Op(
    "rnn_layer",
    _rnn,
    tensors=6,
    outputs=2,
    joint=_rnn_inputs,
    formula=r"h' = \sigma(W_x x + W_h h + b):\quad \bar z = \bar h'\odot\sigma'(z),\quad \bar h = W_h^\top\bar z",
)


@RNN
def rnn_layer(
    input: Any, hidden: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any, relu: bool, sizes: tuple[int, ...],
    backwards: bool = False,
) -> tuple[Any, Any]:  # fmt: skip
    """One plain recurrent layer, with tanh or ReLU; arguments as for :func:`lstm_layer`.

    Returns:
        The states after each step, and the last states.
    """
    _check("rnn_relu" if relu else "rnn_tanh", input, w_ih, hidden, w_hh, b_ih, b_hh)
    result: tuple[Any, Any] = apply(RNN, (input, hidden, w_ih, w_hh, b_ih, b_hh), (relu, tuple(sizes), backwards, []))
    return result


def _check(function: str, input: Any, w_ih: Any, *others: Any) -> None:
    given = [input, w_ih, *[x for x in others if x is not None]]
    for x in given:
        require_tensor(function, "input", x)
    check_same_device(LSTM, given)
    dtype = input._array.dtype
    for x in given:
        if x._array.dtype != dtype:
            raise RuntimeError(
                f"{function}: expected input, states and weights of one dtype, but got {input._dtype()!r} and "
                f"{x._dtype()!r}\n  fix: convert the input, x.to(w.dtype), or the module, model.to(x.dtype)"
            )
    if input._array.shape[-1] != w_ih._array.shape[-1]:
        raise RuntimeError(
            f"{function}: mat1 and mat2 shapes cannot be multiplied: the input has {input._array.shape[-1]} features, "
            f"the weights take {w_ih._array.shape[-1]}"
        )
