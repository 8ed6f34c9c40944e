"""Recurrent networks of several layers and directions, and single cells, as functions of their weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..autograd.variable import Variable
from .dropouts import dropout as drop
from .joining import cat, stack
from .recurrence import gru_layer, lstm_layer, rnn_layer

__all__: list[str] = ["gru", "gru_cell", "lstm", "lstm_cell", "rnn_relu", "rnn_relu_cell", "rnn_tanh", "rnn_tanh_cell"]

# A layer: (input, its states, its four weights, projection, sizes, backwards) -> (results, last states).
Layer = Callable[[Any, list[Any], list[Any], Any, Any, bool], tuple[Any, ...]]


def _lstm(x: Any, states: list[Any], w: list[Any], projection: Any, sizes: Any, backwards: bool) -> tuple[Any, ...]:
    return lstm_layer(x, states[0], states[1], w[0], w[1], w[2], w[3], projection, sizes, backwards)


def _gru(x: Any, states: list[Any], w: list[Any], projection: Any, sizes: Any, backwards: bool) -> tuple[Any, ...]:
    return gru_layer(x, states[0], w[0], w[1], w[2], w[3], sizes, backwards)


def _tanh(x: Any, states: list[Any], w: list[Any], projection: Any, sizes: Any, backwards: bool) -> tuple[Any, ...]:
    return rnn_layer(x, states[0], w[0], w[1], w[2], w[3], False, sizes, backwards)


def _relu(x: Any, states: list[Any], w: list[Any], projection: Any, sizes: Any, backwards: bool) -> tuple[Any, ...]:
    return rnn_layer(x, states[0], w[0], w[1], w[2], w[3], True, sizes, backwards)


def _layers(
    layer: Layer, x: Any, states: Sequence[Any], params: Sequence[Any], has_biases: bool, num_layers: int,
    dropout: float, train: bool, bidirectional: bool, sizes: tuple[int, ...], projected: bool,
) -> tuple[Any, list[Any]]:  # fmt: skip
    """All layers in both directions.

    Raises:
        RuntimeError: where the number of weights isn't what layers and directions ask for, or there is no step.
    """
    directions = 2 if bidirectional else 1
    each = (4 if has_biases else 2) + projected
    if len(params) != each * num_layers * directions:
        raise RuntimeError(
            f"expected {each * num_layers * directions} weights for {num_layers} layers in {directions} directions, "
            f"got {len(params)}"
        )
    if not sizes:
        raise RuntimeError("Expected sequence length to be larger than 0 in RNN")
    ends: list[list[Any]] = [[] for _ in states]
    for number in range(num_layers):
        outs = []
        for direction in range(directions):
            place = number * directions + direction
            own = list(params[place * each : (place + 1) * each])
            projection = own.pop() if projected else None
            weights = own if has_biases else [*own, None, None]
            out, *last = layer(x, [s[place] for s in states], weights, projection, sizes, direction == 1)
            outs.append(out)
            for into, end in zip(ends, last, strict=True):
                into.append(end)
        x = outs[0] if directions == 1 else cat(outs, -1)
        if dropout and train and number < num_layers - 1:
            x = drop(x, dropout, True)
    return x, [stack(e, 0) if len(e) > 1 else e[0].unsqueeze(0) for e in ends]


def _network(layer: Layer, arguments: tuple[Any, ...], kwargs: dict[str, Any], names: tuple[str, ...]) -> Any:
    """Both signatures: ``(input, hx, …, batch_first)`` and, packed, ``(data, batch_sizes, hx, …)``."""
    # The second argument is the state, or else the sizes and the third is the state.
    second = arguments[1] if len(arguments) > 1 else None
    third = arguments[2] if len(arguments) > 2 else None
    pair = layer is _lstm
    packed = isinstance(second, Variable) and (pair or isinstance(third, Variable))
    order = ("data", "batch_sizes", *names[1:-1]) if packed or "data" in kwargs else names
    given = {**dict(zip(order, arguments, strict=False)), **kwargs}
    hx = given["hx"]
    states = tuple(hx) if layer is _lstm else (hx,)
    rest = (
        given["params"], given["has_biases"], given["num_layers"], given["dropout"], given["train"],
        given["bidirectional"],
    )  # fmt: skip
    projected = layer is _lstm and states[0].shape[-1] != states[1].shape[-1]
    if "data" in given:
        sizes = tuple(int(n) for n in given["batch_sizes"].tolist())
        out, ends = _layers(layer, given["data"], states, *rest, sizes, projected)
        return (out, *ends)
    x, first = given["input"], given["batch_first"]
    if first:
        x = x.transpose(0, 1)
    sizes = (x.shape[1],) * x.shape[0]
    out, ends = _layers(layer, x, states, *rest, sizes, projected)
    return (out.transpose(0, 1) if first else out, *ends)


_NAMES = ("input", "hx", "params", "has_biases", "num_layers", "dropout", "train", "bidirectional", "batch_first")


def lstm(*args: Any, **kwargs: Any) -> tuple[Any, Any, Any]:
    """Long short-term memory in several layers.

    ``lstm(input, hx, params, has_biases, num_layers, dropout, train, bidirectional, batch_first)``, or for packed
    sequences ``lstm(data, batch_sizes, hx, params, has_biases, num_layers, dropout, train, bidirectional)``. ``hx`` is
    the pair of hidden states and cells, of shape (layers * directions, N, H); ``params`` all weights in order.

    Returns:
        The last layer's states, and all layers' last states and last cells.

    Raises:
        RuntimeError: where shapes or the number of weights don't fit.
    """
    result: tuple[Any, Any, Any] = _network(_lstm, args, kwargs, _NAMES)
    return result


def gru(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
    """Gated recurrent units in several layers; arguments as for :func:`lstm`, with one tensor for ``hx``."""
    result: tuple[Any, Any] = _network(_gru, args, kwargs, _NAMES)
    return result


def rnn_tanh(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
    """A plain recurrent network with tanh; arguments as for :func:`gru`."""
    result: tuple[Any, Any] = _network(_tanh, args, kwargs, _NAMES)
    return result


def rnn_relu(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
    """A plain recurrent network with ReLU; arguments as for :func:`gru`."""
    result: tuple[Any, Any] = _network(_relu, args, kwargs, _NAMES)
    return result


# -- one step ---


def _check_cell(input: Any, hx: Any, name: str, w_ih: Any, w_hh: Any) -> None:
    if input.shape[1] != w_ih.shape[1]:
        raise RuntimeError(f"input has inconsistent input_size: got {input.shape[1]} expected {w_ih.shape[1]}")
    if input.shape[0] != hx.shape[0]:
        raise RuntimeError(f"Input batch size {input.shape[0]} doesn't match hidden{name} batch size {hx.shape[0]}")
    if hx.shape[1] != w_hh.shape[1]:
        raise RuntimeError(f"hidden{name} has inconsistent hidden_size: got {hx.shape[1]}, expected {w_hh.shape[1]}")


def lstm_cell(input: Any, hx: Any, w_ih: Any, w_hh: Any, b_ih: Any = None, b_hh: Any = None) -> tuple[Any, Any]:
    """One step of long short-term memory: the new state and cell, from ``input`` (N, I) and ``hx``, a pair of (N, H).

    Raises:
        RuntimeError: where shapes or dtypes don't fit.
    """
    if len(hx) != 2:
        raise RuntimeError("lstm_cell expects two hidden states")
    for name, state in (("[0]", hx[0]), ("[1]", hx[1])):
        _check_cell(input, state, name, w_ih, w_hh)
    return lstm_layer(input, hx[0], hx[1], w_ih, w_hh, b_ih, b_hh, None, (input.shape[0],))[1:]


def gru_cell(input: Any, hx: Any, w_ih: Any, w_hh: Any, b_ih: Any = None, b_hh: Any = None) -> Any:
    """One step of gated recurrent units: the new state, from ``input`` (N, I) and ``hx`` (N, H)."""
    _check_cell(input, hx, "0", w_ih, w_hh)
    return gru_layer(input, hx, w_ih, w_hh, b_ih, b_hh, (input.shape[0],))[1]


def rnn_tanh_cell(input: Any, hx: Any, w_ih: Any, w_hh: Any, b_ih: Any = None, b_hh: Any = None) -> Any:
    """One step of a plain recurrent network, ``tanh(W_ih x + b_ih + W_hh h + b_hh)``."""
    _check_cell(input, hx, "0", w_ih, w_hh)
    return rnn_layer(input, hx, w_ih, w_hh, b_ih, b_hh, False, (input.shape[0],))[1]


def rnn_relu_cell(input: Any, hx: Any, w_ih: Any, w_hh: Any, b_ih: Any = None, b_hh: Any = None) -> Any:
    """One step of a plain recurrent network with ReLU."""
    _check_cell(input, hx, "0", w_ih, w_hh)
    return rnn_layer(input, hx, w_ih, w_hh, b_ih, b_hh, True, (input.shape[0],))[1]
