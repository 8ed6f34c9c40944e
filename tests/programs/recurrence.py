"""Programs of recurrent layers."""

from __future__ import annotations

from typing import Any

from nbtorch import ops
from programs.draw import Draw, Program


def _lstm(d: Draw) -> Any:
    plain = ops.lstm_layer(d(2, 2, 2), d(2, 2), d(2, 2), d(8, 2), d(8, 2), d(8), d(8), None, (2, 2))
    small = {"low": -0.7, "high": 0.9}
    packed = ops.lstm_layer(
        d(3, 2), d(2, 1), d(2, 2), d(8, 2, **small), d(8, 1, **small), None, None, d(1, 2), (2, 1), True
    )
    return sum((o * o).sum() for o in (*plain, *packed))


def _gru(d: Draw) -> Any:
    plain = ops.gru_layer(d(2, 2, 2), d(2, 2), d(6, 2), d(6, 2), d(6), d(6), (2, 2))
    packed = ops.gru_layer(d(3, 2), d(2, 2), d(6, 2), d(6, 2), None, None, (2, 1), True)
    return sum((o * o).sum() for o in (*plain, *packed))


def _rnn(d: Draw) -> Any:
    plain = ops.rnn_layer(d(2, 2, 2), d(2, 2), d(2, 2), d(2, 2), d(2), d(2), False, (2, 2))
    packed = ops.rnn_layer(d(3, 2), d(2, 2), d(2, 2), d(2, 2), None, None, True, (2, 1), True)
    return sum((o * o).sum() for o in (*plain, *packed))


PROGRAMS: dict[str, Program] = {"lstm_layer": _lstm, "gru_layer": _gru, "rnn_layer": _rnn}
