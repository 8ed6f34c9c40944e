"""The steps of a layer of recurrent cells, and the way back through them.

Source: Hochreiter and Schmidhuber 1997 (LSTM); Cho et al. 2014 (GRU); Elman 1990.
"""

from __future__ import annotations

from typing import Any

Array = Any


def spans(sizes: Any, backwards: bool) -> list[tuple[int, int, int]]:
    """(first row, row after the last, how many) of each step, in the order of computation."""
    found, start = [], 0
    for n in sizes:
        found.append((start, start + n, n))
        start += n
    return found[::-1] if backwards else found


def joined(m: Any, parts: list[Any], backwards: bool) -> Any:
    """What each step found, in the order of the steps."""
    if len(parts) == 1:
        return parts[0]
    return m.cat(parts[::-1] if backwards else parts, 0)


def head(state: Any, n: int) -> Any:
    """The first ``n`` rows."""
    return state if state.shape[0] == n else state[:n]


def over(m: Any, new: Any, old: Any) -> Any:
    """``old`` with its first rows replaced."""
    return new if new.shape[0] == old.shape[0] else m.cat([new, old[new.shape[0] :]], 0)


def project(m: Any, x: Any, weight: Any, bias: Any) -> Any:
    out = m.matmul(x, m.transpose(weight, 0, 1))
    return out if bias is None else out + bias


def of_weights(m: Any, x: Any, h: Any, dx: Any, dh: Any, w_ih: Any, has_bias: bool, needs: Any) -> tuple[Any, ...]:
    """The gradients of the input and of the four weights, from those of the gates' two summands."""
    same = dx is dh
    turned = m.transpose(dx, 0, 1)
    of_x = m.matmul(dx, w_ih) if needs[0] else None
    of_ih = m.matmul(turned, x) if needs[1] else None
    of_hh = m.matmul(turned if same else m.transpose(dh, 0, 1), h) if needs[2] else None
    b_ih = m.sum(dx, (0,)) if has_bias and needs[3] else None
    b_hh = m.sum(dh, (0,)) if has_bias and needs[4] else None
    return of_x, of_ih, of_hh, b_ih, b_hh


def _halved(m: Any, weight: Any, n: int) -> Any:
    """The rows of the three gates halved: ``sigmoid(a) = (tanh(a / 2) + 1) / 2``, so that one tanh serves all four."""
    return m.cat([weight[: 2 * n] * 0.5, weight[2 * n : 3 * n], weight[3 * n :] * 0.5], 0)


class RecurrentPrimitives:
    """Recurrent layers. The bodies run on tensors too, where ``self`` is the mathematics of tensors."""

    def lstm(
        self: Any, x: Array, h: Array, c: Array, w_ih: Array, w_hh: Array, b_ih: Any, b_hh: Any, w_hr: Any, sizes: Any,
        backwards: bool,
    ) -> tuple[Array, Array, Array, Any]:  # fmt: skip
        """All steps.

        Args:
            x: the steps one after the other, ``sizes[t]`` rows for step t.
            h: the state before.
            c: the cell before.
            w_ih: the weights of the input: input gate, forget gate, content, output gate.
            w_hh: those of the state.
            b_ih: a shift, or None.
            b_hh: another, or None.
            w_hr: projects each result, or None.
            sizes: how many sequences there are at each step.
            backwards: whether the last step comes first.

        Returns:
            The states after each step, the last states and cells, and what :meth:`lstm_backward` needs.
        """
        n = w_hh.shape[0] // 4
        bias = None if b_ih is None else _halved(self, b_ih + b_hh, n)
        z = project(self, x, _halved(self, w_ih, n), bias)
        w = self.transpose(_halved(self, w_hh, n), 0, 1)
        kept: list[list[Any]] = [[], [], [], [], [], []]
        for start, end, rows in spans(sizes, backwards):
            before, cell = head(h, rows), head(c, rows)
            found = self.tanh(z[start:end] + self.matmul(before, w))
            gates, content = 0.5 * found + 0.5, found[:, 2 * n : 3 * n]
            after = gates[:, n : 2 * n] * cell + gates[:, :n] * content
            bounded = self.tanh(after)
            out = gates[:, 3 * n :] * bounded
            if w_hr is not None:
                out = self.matmul(out, self.transpose(w_hr, 0, 1))
            for into, part in zip(kept, (gates, content, cell, bounded, before, out), strict=True):
                into.append(part)
            h, c = over(self, out, h), over(self, after, c)
        *states, results = [joined(self, parts, backwards) for parts in kept]
        return results, h, c, states

    def lstm_backward(
        self: Any, g: Array, dh: Array, dc: Array, x: Array, w_ih: Array, w_hh: Array, w_hr: Any, has_bias: bool,
        sizes: Any, backwards: bool, kept: Any, needs: Any,
    ) -> tuple[Any, ...]:  # fmt: skip
        """The gradients of what :meth:`lstm` was given, from those of what it returned.

        Args:
            g: the gradient of the states after each step.
            dh: that of the last states.
            dc: that of the last cells.
            x: as it was given, and so ``w_ih``, ``w_hh``, ``w_hr``, ``sizes``, ``backwards``.
            has_bias: whether there were shifts.
            kept: what :meth:`lstm` left for this.
            needs: for each of ``lstm``'s first eight arguments whether its gradient is wanted.

        Returns:
            A gradient, or None, for each of them.
        """
        gates, content, before, bounded, state = kept
        n = content.shape[1]
        i, f, o = gates[:, :n], gates[:, n : 2 * n], gates[:, 3 * n :]
        slopes = self.cat(
            [content * i * (1 - i), before * f * (1 - f), i * (1 - content * content), bounded * o * (1 - o)], 1
        )
        through = o * (1 - bounded * bounded)
        of_gates, of_results = [], []
        for start, end, rows in reversed(spans(sizes, backwards)):
            d = g[start:end] + head(dh, rows)
            if w_hr is not None:
                of_results.append(d)
                d = self.matmul(d, w_hr)
            k = head(dc, rows) + d * through[start:end]
            of_gates.append(slopes[start:end] * self.cat([k, k, k, d], 1))
            dh = over(self, self.matmul(of_gates[-1], w_hh), dh)
            dc = over(self, k * f[start:end], dc)
        dz = joined(self, of_gates, not backwards)
        of_x, *weights = of_weights(self, x, state, dz, dz, w_ih, has_bias, (needs[0], *needs[3:7]))
        of_hr = None
        if w_hr is not None and needs[7]:
            of_hr = self.matmul(self.transpose(joined(self, of_results, not backwards), 0, 1), o * bounded)
        return of_x, dh, dc, *weights, of_hr

    def gru(
        self: Any, x: Array, h: Array, w_ih: Array, w_hh: Array, b_ih: Any, b_hh: Any, sizes: Any, backwards: bool
    ) -> tuple[Array, Array, Any]:
        """All steps of gated recurrent units (reset, update, content); arguments and results as for :meth:`lstm`."""
        n = w_hh.shape[0] // 3
        z = project(self, x, w_ih, b_ih)
        kept: list[list[Any]] = [[], [], [], [], []]
        for start, end, rows in spans(sizes, backwards):
            before = head(h, rows)
            recurrent = project(self, before, w_hh, b_hh)
            now = z[start:end]
            gates = self.sigmoid(now[:, : 2 * n] + recurrent[:, : 2 * n])
            summand = recurrent[:, 2 * n :]
            content = self.tanh(now[:, 2 * n :] + gates[:, :n] * summand)
            out = content + gates[:, n:] * (before - content)
            for into, found in zip(kept, (gates, content, summand, before, out), strict=True):
                into.append(found)
            h = over(self, out, h)
        *states, results = [joined(self, parts, backwards) for parts in kept]
        return results, h, states

    def gru_backward(
        self: Any, g: Array, dh: Array, x: Array, w_ih: Array, w_hh: Array, has_bias: bool, sizes: Any, backwards: bool,
        kept: Any, needs: Any,
    ) -> tuple[Any, ...]:  # fmt: skip
        """As :meth:`lstm_backward`, for :meth:`gru`."""
        gates, content, summand, before = kept
        n = content.shape[1]
        r, u = gates[:, :n], gates[:, n:]
        inner = (1 - u) * (1 - content * content)
        of_reset, of_update = inner * summand * r * (1 - r), (before - content) * u * (1 - u)
        slopes = self.cat([of_reset, of_update, inner * r], 1)
        recurrent, steps = [], []
        for start, end, rows in reversed(spans(sizes, backwards)):
            d = g[start:end] + head(dh, rows)
            steps.append(d)
            recurrent.append(slopes[start:end] * self.cat([d, d, d], 1))
            dh = over(self, self.matmul(recurrent[-1], w_hh) + d * u[start:end], dh)
        of_recurrent = joined(self, recurrent, not backwards)
        of_input = self.cat([of_recurrent[:, : 2 * n], joined(self, steps, not backwards) * inner], 1)
        of_x, *weights = of_weights(self, x, before, of_input, of_recurrent, w_ih, has_bias, (needs[0], *needs[2:]))
        return of_x, dh, *weights

    def rnn(
        self: Any, x: Array, h: Array, w_ih: Array, w_hh: Array, b_ih: Any, b_hh: Any, relu: bool, sizes: Any,
        backwards: bool,
    ) -> tuple[Array, Array, Any]:  # fmt: skip
        """All steps of plain cells, with ReLU or tanh; arguments and results as for :meth:`lstm`."""
        z = project(self, x, w_ih, None if b_ih is None else b_ih + b_hh)
        w = self.transpose(w_hh, 0, 1)
        befores, results = [], []
        for start, end, rows in spans(sizes, backwards):
            before = head(h, rows)
            a = z[start:end] + self.matmul(before, w)
            results.append(self.relu(a) if relu else self.tanh(a))
            befores.append(before)
            h = over(self, results[-1], h)
        after = joined(self, results, backwards)
        return after, h, (joined(self, befores, backwards), after)

    def rnn_backward(
        self: Any, g: Array, dh: Array, x: Array, w_ih: Array, w_hh: Array, has_bias: bool, relu: bool, sizes: Any,
        backwards: bool, kept: Any, needs: Any,
    ) -> tuple[Any, ...]:  # fmt: skip
        """As :meth:`lstm_backward`, for :meth:`rnn`."""
        before, after = kept
        slopes = None if relu else 1 - after * after
        zero = g[:1] * 0
        steps = []
        for start, end, rows in reversed(spans(sizes, backwards)):
            d = g[start:end] + head(dh, rows)
            steps.append(self.where(after[start:end] > 0, d, zero) if slopes is None else d * slopes[start:end])
            dh = over(self, self.matmul(steps[-1], w_hh), dh)
        dz = joined(self, steps, not backwards)
        of_x, *weights = of_weights(self, x, before, dz, dz, w_ih, has_bias, (needs[0], *needs[2:]))
        return of_x, dh, *weights
