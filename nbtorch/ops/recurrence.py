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
from ..backends.recurrence import RecurrentPrimitives
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


def _gru(
    m: Any, input: Any, hidden: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any, sizes: Any, backwards: bool,
    kept: list[Any],
) -> Any:  # fmt: skip
    out, h, found = m.gru(_rows(input), hidden, w_ih, w_hh, b_ih, b_hh, sizes, backwards)
    kept.append(found)
    return out.reshape(*input.shape[:-1], out.shape[1]), h


def _gru_inputs(
    m: Any, g: Any, input: Any, hidden: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any, sizes: Any, backwards: bool,
    kept: list[Any], needs: Any,
) -> tuple[Any, ...]:  # fmt: skip
    x, given = _rows(input), (_rows(g[0]), g[1])
    rest = (x, w_ih, w_hh, b_ih is not None, sizes, backwards)
    if isinstance(g[0], Variable):
        found = RecurrentPrimitives.gru(m, x, hidden, w_ih, w_hh, b_ih, b_hh, sizes, backwards)[2]
        of_x, *others = RecurrentPrimitives.gru_backward(m, *given, *rest, found, needs)
    else:
        of_x, *others = m.gru_backward(*given, *rest, kept[0], needs)
    return None if of_x is None else of_x.reshape(*input.shape), *others


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


def _rnn(
    m: Any, input: Any, hidden: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any, relu: bool, sizes: Any,
    backwards: bool, kept: list[Any],
) -> Any:  # fmt: skip
    out, h, found = m.rnn(_rows(input), hidden, w_ih, w_hh, b_ih, b_hh, relu, sizes, backwards)
    kept.append(found)
    return out.reshape(*input.shape[:-1], out.shape[1]), h


def _rnn_inputs(
    m: Any, g: Any, input: Any, hidden: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any, relu: bool, sizes: Any,
    backwards: bool, kept: list[Any], needs: Any,
) -> tuple[Any, ...]:  # fmt: skip
    x, given = _rows(input), (_rows(g[0]), g[1])
    rest = (x, w_ih, w_hh, b_ih is not None, relu, sizes, backwards)
    if isinstance(g[0], Variable):
        found = RecurrentPrimitives.rnn(m, x, hidden, w_ih, w_hh, b_ih, b_hh, relu, sizes, backwards)[2]
        of_x, *others = RecurrentPrimitives.rnn_backward(m, *given, *rest, found, needs)
    else:
        of_x, *others = m.rnn_backward(*given, *rest, kept[0], needs)
    return None if of_x is None else of_x.reshape(*input.shape), *others


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
