"""Long short-term memory on the host: every step in memory laid out before, with as few calls as there are products."""

from __future__ import annotations

from typing import Any

import numpy as np

from .recurrence import RecurrentPrimitives, of_weights

Array = Any

_FLOATS = (np.dtype(np.float32), np.dtype(np.float64))


def _even(sizes: Any, x: Array, h: Array, w_hr: Any) -> bool:
    """Whether all sequences are of one length, and the numbers of a kind that is computed here."""
    return w_hr is None and len(sizes) > 0 and sizes[0] == sizes[-1] and x.dtype in _FLOATS and h.size > 0


class HostRecurrence(RecurrentPrimitives):
    """Overrides for sequences of one length without projection."""

    def lstm(
        self: Any, x: Array, h: Array, c: Array, w_ih: Array, w_hh: Array, b_ih: Any, b_hh: Any, w_hr: Any, sizes: Any,
        backwards: bool,
    ) -> tuple[Array, Array, Array, Any]:  # fmt: skip
        if not _even(sizes, x, h, w_hr):
            return super().lstm(x, h, c, w_ih, w_hh, b_ih, b_hh, w_hr, sizes, backwards)
        steps, (rows, n), d = len(sizes), h.shape, x.dtype
        # sigmoid(a) is 1 / (1 + exp(-a)) and tanh(a) is 2 / (1 + exp(-2 a)) - 1: one exponential serves all gates.
        sign = np.full(4 * n, -1, d)
        sign[2 * n : 3 * n] = -2
        z = x.dot((w_ih * sign[:, None]).T)
        if b_ih is not None:
            z += (b_ih + b_hh) * sign
        w = np.multiply(w_hh.T, sign, order="C")
        # What is multiplied lies together: for each step one matrix for each gate. States and cells have those before
        # the steps and those after them, one step apart.
        gates = np.empty((steps, 4, rows, n), d)
        states, cells = np.empty((steps + 1, rows, n), d), np.empty((steps + 1, rows, n), d)
        bounded, part = np.empty((steps, rows, n), d), np.empty((rows, n), d)
        first, last, order = (steps, 0, slice(None, None, -1)) if backwards else (0, steps, slice(None))
        before, after = (slice(1, None), slice(None, -1)) if backwards else (slice(None, -1), slice(1, None))
        states[first], cells[first] = h, c
        recurrent = np.empty((rows, 4 * n), d)
        turned = recurrent.reshape(rows, 4, n).transpose(1, 0, 2)
        one, two = d.type(1), d.type(2)
        every = (
            states[before], cells[before], z.reshape(steps, rows, 4 * n), gates, gates[:, 0], gates[:, 1], gates[:, 2],
            gates[:, 3], bounded, cells[after], states[after],
        )  # fmt: skip
        for h, c, a, all_gates, i, f, t, o, u, new, out in zip(*[e[order] for e in every], strict=True):
            np.dot(h, w, recurrent)
            np.add(a, recurrent, recurrent)
            np.exp(recurrent, recurrent)
            np.add(recurrent, one, recurrent)
            np.reciprocal(turned, all_gates)
            np.multiply(t, two, t)
            np.subtract(t, one, t)
            np.multiply(f, c, new)
            np.multiply(i, t, part)
            np.add(new, part, new)
            np.tanh(new, u)
            np.multiply(o, u, out)
        found = states[after].reshape(-1, n)
        return found.copy(), states[last].copy(), cells[last].copy(), (gates, cells, bounded, states)

    def lstm_backward(
        self: Any, g: Array, dh: Array, dc: Array, x: Array, w_ih: Array, w_hh: Array, w_hr: Any, has_bias: bool,
        sizes: Any, backwards: bool, kept: Any, needs: Any,
    ) -> tuple[Any, ...]:  # fmt: skip
        if type(kept) is list:
            return super().lstm_backward(g, dh, dc, x, w_ih, w_hh, w_hr, has_bias, sizes, backwards, kept, needs)
        gates, cells, bounded, states = kept
        steps, rows, n = bounded.shape
        d = bounded.dtype
        one = d.type(1)
        order = slice(None) if backwards else slice(None, None, -1)
        before = slice(1, None) if backwards else slice(None, -1)
        content, forget = gates[:, 2], gates[:, 1]
        # The slopes of the gates, times what each is multiplied by.
        slopes = np.subtract(one, gates)
        slopes *= gates
        slopes[:, 0] *= content
        slopes[:, 1] *= cells[before]
        slopes[:, 3] *= bounded
        bend = np.multiply(content, content)
        np.subtract(one, bend, bend)
        np.multiply(bend, gates[:, 0], slopes[:, 2])
        np.multiply(bounded, bounded, bend)
        np.subtract(one, bend, bend)
        bend *= gates[:, 3]
        dz = np.empty((steps, rows, 4 * n), d)
        turned = dz.reshape(steps, rows, 4, n).transpose(0, 2, 1, 3)
        dh, dc = dh.copy(), dc.copy()
        total, k = np.empty((rows, n), d), np.empty((rows, n), d)
        every = (
            g.reshape(steps, rows, n), bend, slopes[:, :3], turned[:, :3], slopes[:, 3], turned[:, 3], dz, forget,
        )  # fmt: skip
        for given, through, three, to_three, fourth, to_fourth, a, f in zip(*[e[order] for e in every], strict=True):
            np.add(given, dh, total)
            np.multiply(total, through, k)
            np.add(k, dc, k)
            np.multiply(three, k, to_three)
            np.multiply(fourth, total, to_fourth)
            np.dot(a, w_hh, dh)
            np.multiply(k, f, dc)
        flat = dz.reshape(-1, 4 * n)
        of_x, of_ih, of_hh, *_ = of_weights(
            self, x, states[before].reshape(-1, n), flat, flat, w_ih, False, (needs[0], needs[3], needs[4])
        )
        shift = np.ones(flat.shape[0], d).dot(flat) if has_bias and (needs[5] or needs[6]) else None
        both = shift if not needs[5] or shift is None else shift.copy()
        return of_x, dh, dc, of_ih, of_hh, shift if needs[5] else None, both if needs[6] else None, None
