"""Recurrent layers on the host: every step in memory laid out before, gradients in the place of the slopes."""

from __future__ import annotations

from typing import Any

import numpy as np

from .recurrence import RecurrentPrimitives, of_weights

Array = Any

_FLOATS = (np.dtype(np.float32), np.dtype(np.float64))


def _even(sizes: Any, x: Array, h: Array, w_hr: Any) -> bool:
    """Whether all sequences are of one length, and the numbers of a kind that is computed here."""
    return w_hr is None and len(sizes) > 0 and sizes[0] == sizes[-1] and x.dtype in _FLOATS and h.size > 0


def _direction(steps: int, backwards: bool) -> tuple[int, int, slice, slice, slice]:
    """Of a memory of ``steps + 1`` states: the first and the last, those before and after the steps; their order."""
    if backwards:
        return steps, 0, slice(1, None), slice(None, -1), slice(None, None, -1)
    return 0, steps, slice(None, -1), slice(1, None), slice(None)


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
        first, last, before, after, order = _direction(steps, backwards)
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
        before, order = _direction(steps, backwards)[2], _direction(steps, not backwards)[4]
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
        of_shifts = [_sums(flat) if has_bias and need else None for need in needs[5:7]]
        return of_x, dh, dc, of_ih, of_hh, *of_shifts, None

    def gru(
        self: Any, x: Array, h: Array, w_ih: Array, w_hh: Array, b_ih: Any, b_hh: Any, sizes: Any, backwards: bool
    ) -> tuple[Array, Array, Any]:
        if not _even(sizes, x, h, None):
            return super().gru(x, h, w_ih, w_hh, b_ih, b_hh, sizes, backwards)
        steps, (rows, n), d = len(sizes), h.shape, x.dtype
        # The two gates are 1 / (1 + exp(-a)); the projection becomes gates and content.
        sign = np.ones(3 * n, d)
        sign[: 2 * n] = -1
        z = x.dot((w_ih * sign[:, None]).T)
        if b_ih is not None:
            z += b_ih * sign
        shift = None if b_hh is None else b_hh * sign
        w = np.multiply(w_hh.T, sign, order="C")
        z = z.reshape(steps, rows, 3 * n)
        summands, states = np.empty((steps, rows, n), d), np.empty((steps + 1, rows, n), d)
        first, last, before, after, order = _direction(steps, backwards)
        states[first] = h
        recurrent, part = np.empty((rows, 3 * n), d), np.empty((rows, n), d)
        to_gates, to_content = recurrent[:, : 2 * n], recurrent[:, 2 * n :]
        one = d.type(1)
        every = (
            states[before], z[..., : 2 * n], z[..., :n], z[..., n : 2 * n], z[..., 2 * n :], summands, states[after],
        )  # fmt: skip
        for h, both, r, u, t, s, out in zip(*[e[order] for e in every], strict=True):
            np.dot(h, w, recurrent)
            if shift is not None:
                np.add(recurrent, shift, recurrent)
            np.add(to_gates, both, to_gates)
            np.exp(to_gates, to_gates)
            np.add(to_gates, one, to_gates)
            np.reciprocal(to_gates, both)
            s[...] = to_content
            np.multiply(r, s, part)
            np.add(t, part, part)
            np.tanh(part, t)
            np.subtract(h, t, part)
            np.multiply(u, part, part)
            np.add(part, t, out)
        return states[after].reshape(-1, n).copy(), states[last].copy(), (z, summands, states)

    def gru_backward(
        self: Any, g: Array, dh: Array, x: Array, w_ih: Array, w_hh: Array, has_bias: bool, sizes: Any, backwards: bool,
        kept: Any, needs: Any,
    ) -> tuple[Any, ...]:  # fmt: skip
        if type(kept) is list:
            return super().gru_backward(g, dh, x, w_ih, w_hh, has_bias, sizes, backwards, kept, needs)
        z, summands, states = kept
        steps, rows, n = summands.shape
        d = z.dtype
        one = d.type(1)
        before, order = _direction(steps, backwards)[2], _direction(steps, not backwards)[4]
        r, u, content = z[..., :n], z[..., n : 2 * n], z[..., 2 * n :]
        dz = np.subtract(one, z)  # the slopes; then the gradients of the gates and of the recurrent summand
        inner = np.multiply(content, content)
        np.subtract(one, inner, inner)
        inner *= dz[..., n : 2 * n]
        dz[..., : 2 * n] *= z[..., : 2 * n]
        dz[..., :n] *= inner
        dz[..., :n] *= summands
        np.multiply(inner, r, dz[..., 2 * n :])
        apart = np.subtract(states[before], content)
        dz[..., n : 2 * n] *= apart
        del apart
        three, dh = dz.reshape(steps, rows, 3, n), dh.copy()
        total, part = np.empty((rows, 1, n), d), np.empty((rows, n), d)
        column = total[:, 0]
        every = (g.reshape(steps, rows, n), three, inner, dz, u)
        for given, slopes, of_content, a, update in zip(*[e[order] for e in every], strict=True):
            np.add(given, dh, column)
            np.multiply(slopes, total, slopes)
            np.multiply(of_content, column, of_content)
            np.dot(a, w_hh, dh)
            np.multiply(column, update, part)
            np.add(dh, part, dh)
        flat = dz.reshape(-1, 3 * n)
        of_hh = flat.T.dot(states[before].reshape(-1, n)) if needs[3] else None
        b_hh = _sums(flat) if has_bias and needs[5] else None
        dz[..., 2 * n :] = inner  # from here on the gradients of the input's summands
        of_x, of_ih, *_ = of_weights(self, x, None, flat, flat, w_ih, False, (needs[0], needs[2], False))
        return of_x, dh, of_ih, of_hh, _sums(flat) if has_bias and needs[4] else None, b_hh

    def rnn(
        self: Any, x: Array, h: Array, w_ih: Array, w_hh: Array, b_ih: Any, b_hh: Any, relu: bool, sizes: Any,
        backwards: bool,
    ) -> tuple[Array, Array, Any]:  # fmt: skip
        if not _even(sizes, x, h, None):
            return super().rnn(x, h, w_ih, w_hh, b_ih, b_hh, relu, sizes, backwards)
        steps, (rows, n), d = len(sizes), h.shape, x.dtype
        z = x.dot(w_ih.T)
        if b_ih is not None:
            z += b_ih + b_hh
        w = np.ascontiguousarray(w_hh.T)
        states, part = np.empty((steps + 1, rows, n), d), np.empty((rows, n), d)
        first, last, before, after, order = _direction(steps, backwards)
        states[first] = h
        every = (states[before], z.reshape(steps, rows, n), states[after])
        zero = np.zeros((rows, n), d)
        for h, a, out in zip(*[e[order] for e in every], strict=True):
            np.dot(h, w, part)
            np.add(a, part, part)
            if relu:
                np.maximum(part, zero, out=out)
            else:
                np.tanh(part, out)
        z.reshape(steps, rows, n)[...] = states[after]
        return z, states[last].copy(), states

    def rnn_backward(
        self: Any, g: Array, dh: Array, x: Array, w_ih: Array, w_hh: Array, has_bias: bool, relu: bool, sizes: Any,
        backwards: bool, kept: Any, needs: Any,
    ) -> tuple[Any, ...]:  # fmt: skip
        if type(kept) is tuple:
            return super().rnn_backward(g, dh, x, w_ih, w_hh, has_bias, relu, sizes, backwards, kept, needs)
        steps, (rows, n), d = len(sizes), dh.shape, kept.dtype
        before, after = _direction(steps, backwards)[2:4]
        order = _direction(steps, not backwards)[4]
        dz = np.empty((steps, rows, n), d)
        if not relu:
            np.multiply(kept[after], kept[after], dz)
            np.subtract(d.type(1), dz, dz)
        dh = dh.copy()
        for given, out, a in zip(g.reshape(steps, rows, n)[order], kept[after][order], dz[order], strict=True):
            np.add(given, dh, dh)
            if relu:
                a[...] = self.relu_backward(dh, out)
            else:
                np.multiply(a, dh, a)
            np.dot(a, w_hh, dh)
        flat = dz.reshape(-1, n)
        of_x, of_ih, of_hh, *_ = of_weights(
            self, x, kept[before].reshape(-1, n), flat, flat, w_ih, False, (needs[0], needs[2], needs[3])
        )
        of_shifts = [_sums(flat) if has_bias and need else None for need in needs[4:6]]
        return of_x, dh, of_ih, of_hh, *of_shifts


def _sums(x: Array) -> Array:
    """The sums of the columns."""
    return np.ones(x.shape[0], x.dtype).dot(x)
