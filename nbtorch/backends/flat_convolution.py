"""Convolution on the host, with long rows.

NumPy copies and adds long rows several times faster than short ones, and the lines of an image are short. So an image
is taken as one row, its lines one after the other: an element of all windows is then the whole row, moved. What moves
from the end of a line to the beginning of the next is set to 0 afterwards. Where windows jump, the elements that they
jump over are first put apart, as images of their own.

Where it costs less, only the elements of a window's lines become columns. One product gives the part that each line of
a kernel has in the results, and these parts, moved up and down, are added: for a kernel of three lines that is a third
of the copies, and a product of a better shape.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from .convolution import ConvolutionPrimitives
from .windows import Windows

Array = Any
Slices = tuple[Any, ...]

_PAGE = 4096  # bytes


class _Rows:
    """Images as rows, and what of a row each element of a window takes.

    Attributes:
        line: the sizes of an image in its row: those of all but the first dimension have room for the results.
        grid: the sizes of the results in their row, with useless ones at the ends of lines.
        length: of an image's row.
        count: of a row of results.
        whole: whether an image is such a row as it is.
        phases: which elements of the image make up a row, for each of the rows that windows with a stride look at.
        moves: for each element of a window: where it goes in the columns, of which row it is, and where in that row.
        wrapped: what of the columns was moved over the end of a line.
        keep: the slices that take the useful results.
    """

    def __init__(self, at: Windows) -> None:
        places = [
            [divmod(t * d - b, s) for t in range(k)]
            for k, s, b, d in zip(at.kernel, at.stride, at.before, at.dilation, strict=True)
        ]
        phases = [sorted({phase for _, phase in place}) for place in places]
        sizes = [max(len(range(p, n, s)) for p in some) for some, n, s in zip(phases, at.size, at.stride, strict=True)]
        self.line = (sizes[0], *map(max, at.out[1:], sizes[1:]))
        self.grid = (at.out[0], *self.line[1:])
        self.length, self.count = math.prod(self.line), math.prod(self.grid)
        self.whole = max(at.stride) == 1 and self.line == at.size
        self.phases: dict[tuple[int, ...], Slices] = {
            phase: (..., *(slice(p, None, s) for p, s in zip(phase, at.stride, strict=True)))
            for phase in itertools.product(*phases)
        }
        steps = [math.prod(self.line[i + 1 :]) for i in range(len(self.line))]
        self.moves = []
        for tap in itertools.product(*map(range, at.kernel)):
            chosen = [place[t] for place, t in zip(places, tap, strict=True)]
            by = sum(shift * step for (shift, _), step in zip(chosen, steps, strict=True))
            first, last = max(0, -by), min(self.count, self.length - by)
            if first < last:
                put, take = slice(first, last), slice(first + by, last + by)
                there = (slice(None), *tap, ..., put)
                self.moves.append((there, tuple(phase for _, phase in chosen), (..., take)))
        self.wrapped: list[Any] = []
        n = len(at.kernel)
        every = (slice(None),) * (3 + 2 * n)
        for i in range(1, n):
            for t, (shift, _) in enumerate(places[i]):
                # One at a time: NumPy then goes through all lines in one loop.
                for wrong in (*range(min(-shift, at.out[i])), *range(max(0, self.line[i] - shift), at.out[i])):
                    self.wrapped.append((*every[: 1 + i], t, *every[2 + i : 3 + n + i], wrong))
        self.keep: Slices = (..., *(slice(0, o) for o in at.out))


@functools.lru_cache(256)
def _rows(at: Windows) -> _Rows | None:
    """Images as rows; None where windows lie apart, or more of the results would be useless than not."""
    if not at.number or not at.elements or _apart(at):
        return None
    rows = _known_rows(at)
    return rows if rows.count <= 2 * at.number or min(at.before) < 0 else None


def _apart(at: Windows) -> bool:
    """Whether windows jump so far that no element is in two of them."""
    reach = (d * (k - 1) + 1 for d, k in zip(at.dilation, at.kernel, strict=True))
    return max(at.stride) > 1 and all(s >= r for s, r in zip(at.stride, reach, strict=True))


@functools.lru_cache(256)
def _known_rows(at: Windows) -> _Rows:
    return _Rows(at)


def _product_cost(planes: int, channels: int, images: int) -> float:
    """About how long a product of ``(planes, channels)`` with ``(channels, images)`` takes, in nanoseconds."""
    return planes * channels * images * (1 + 10 / planes + 170 / (channels * channels + 20)) / 42


def _zeros_beside(x: Array, shape: tuple[int, ...]) -> Array:
    """Zeros in memory that lies half a page off from that of ``x``.

    A processor that copies between places with nearly the same address in their pages takes one for the other and
    waits, which makes it six times slower; images of 32 times 32 numbers are a page each.
    """
    count, item = math.prod(shape), x.itemsize
    room = np.zeros(count + _PAGE // item, x.dtype)
    off = (x.__array_interface__["data"][0] + _PAGE // 2 - room.__array_interface__["data"][0]) % _PAGE // item
    return room[off : off + count].reshape(shape)


@functools.lru_cache(256)
def _as_lines(at: Windows) -> Windows | None:
    """The windows' lines as windows, whose parts in the results can be added up; None where they can't."""
    if _rows(at) is None or at.stride[0] > 1 or at.kernel[0] == 1:
        return None
    top = _line_parts(at)[1]
    if top < 0:
        return None
    out = (max(at.size[0], top + at.out[0]), *at.out[1:])
    return Windows(at.size, out, (1, *at.kernel[1:]), at.stride, (0, *at.before[1:]), at.dilation)


@functools.lru_cache(256)
def _lines(at: Windows, channels: int, planes: int) -> Windows | None:
    """The windows' lines as windows, where it pays to add up the parts that they have in the results.

    Args:
        at: the windows.
        channels: how many there are in a group.
        planes: the same of the results.
    """
    lines = _as_lines(at)
    if lines is None or (channels == planes == 1 and at.kernel[0] < 4):
        return None
    all, few = _known_rows(at).count, _known_rows(lines).count
    several, elements = at.kernel[0], at.elements // at.kernel[0]
    # A copied element takes about 0.15 ns, and a row of them 12; an added element takes 0.4.
    in_one = (at.elements * channels + planes) * (all * 0.15 + 12) + _product_cost(planes, at.elements * channels, all)
    in_lines = (elements * channels + planes) * (few * 0.15 + 12) + (several - 1) * planes * few * 0.4
    in_lines += _product_cost(several * planes, elements * channels, few)
    return lines if in_lines < in_one else None


@functools.lru_cache(256)
def _line_parts(at: Windows) -> tuple[int, int, list[tuple[int, int]]]:
    """How to add up the parts that the lines of a kernel have in the results.

    Returns:
        The line to whose part the others' are added, where the results begin in it, and for each of the others how many
        lines of the image it lies further down.
    """
    moved = [k * at.dilation[0] - at.before[0] for k in range(at.kernel[0])]
    first = min(range(len(moved)), key=lambda k: (moved[k] < 0, abs(moved[k])))
    top = moved[first]
    others = [(k, by - top) for k, by in enumerate(moved) if k != first and by < at.size[0] and by + at.out[0] > 0]
    return first, top, others


@functools.lru_cache(256)
def _turned(at: Windows) -> list[tuple[Slices, Slices, Windows | None]]:
    """The windows over the output in which the elements of the input find their gradients, the last one first.

    Where windows jump, the elements of the input fall into classes that meet different elements of the kernel. For
    each class: which elements of the input it is, which of the kernel, and the windows, None where it meets none.
    """
    found: list[tuple[Slices, Slices, Windows | None]] = []
    for phase in itertools.product(*map(range, at.stride)):
        where: list[Any] = []
        windows = []
        for p, n, o, k, s, b, d in zip(phase, *at, strict=True):
            met = [t for t in range(k) if (t * d - b) % s == p]
            where.append((slice(p, None, s), slice(met[-1], None, -(s // math.gcd(s, d))) if met else None))
            if met:
                windows.append((o, len(range(p, n, s)), len(met), 1, (met[-1] * d - b) // s, d // math.gcd(s, d)))
        here = (..., *(w[0] for w in where))
        if len(windows) == len(phase):
            found.append((here, (..., *(w[1] for w in where)), Windows(*zip(*windows, strict=True))))
        else:
            found.append((here, (), None))
    return found


class FlatConvolution(ConvolutionPrimitives):
    """The host's convolution: images as rows where windows overlap, the generic one where they don't."""

    columns_at_a_time = 1 << 20  # what stays in the cache of one core

    def _correlate(self, x: Array, w: Array, shift: Array | None, at: Windows) -> Array:
        rows = _rows(at)
        if rows is None:
            return super()._correlate(x, w, shift, at)
        n, (groups, planes) = x.shape[0], w.shape[:2]
        channels = w.shape[2] // at.elements
        lines = _lines(at, channels, planes)
        several = 1 if lines is None else at.kernel[0]
        first, top, others = (0, 0, []) if lines is None else _line_parts(at)
        inner = math.prod(rows.grid[1:])
        # A row of ones below the columns meets the bias.
        factors = np.zeros((groups, several, planes, w.shape[2] // several + (shift is not None)), w.dtype)
        if shift is not None:
            factors[:, first, :, -1] = shift.reshape(groups, planes)
        parted = w.reshape(groups, planes, channels, several, -1).transpose(0, 3, 1, 4, 2)
        factors[..., : w.shape[2] // several] = parted.reshape(*factors.shape[:3], -1)
        factors = factors.reshape(groups, several * planes, -1)
        out = np.empty((n, groups, planes, *at.out), x.dtype)
        parts: Any = None
        for a, b, columns in self._columns_of(x, groups, lines or at, several * planes, shift is not None):
            if parts is None or parts.shape[-1] != columns.shape[-1]:
                parts = np.empty((groups, several * planes, columns.shape[-1]), x.dtype)
                flat = parts.reshape(groups, several, -1)
                shaped = parts.reshape(groups, several, planes, b - a, -1, *rows.grid[1:])
            np.matmul(factors, columns, parts)
            total = flat[:, first]
            for k, by in others:
                # As one long row: what would come from another image's lines is 0.
                if by > 0:
                    shaped[:, k, :, :, :by] = 0
                    np.add(total[:, : -by * inner], flat[:, k, by * inner :], total[:, : -by * inner])
                else:
                    shaped[:, k, :, :, by:] = 0
                    np.add(total[:, -by * inner :], flat[:, k, : by * inner], total[:, -by * inner :])
            found = shaped[:, first, :, :, top : top + at.out[0]][rows.keep]
            out[a:b] = found.transpose(2, 0, 1, *range(3, found.ndim))
        return out.reshape(n, groups * planes, *at.out)

    def _correlate_back(self, g: Array, w: Array, channels: int, at: Windows) -> Array:
        if _apart(at):
            return super()._correlate_back(g, w, channels, at)
        n, planes = g.shape[:2]
        groups = w.shape[0]
        w = w.reshape(groups, planes // groups, channels // groups, *at.kernel).swapaxes(1, 2)
        out: Any = None
        for here, elements, windows in _turned(at):
            if windows is None or not windows.number:
                continue
            part = w[elements].reshape(groups, channels // groups, -1)
            found = self._correlate(g, part, None, windows).reshape(n, channels, *windows.out)
            if max(at.stride) == 1:
                return found
            if out is None:
                out = np.zeros((n, channels, *at.size), g.dtype)
            out[here] = found
        return np.zeros((n, channels, *at.size), g.dtype) if out is None else out

    def _correlate_weight(self, g: Array, x: Array, groups: int, at: Windows) -> Array:
        rows = _rows(at)
        if rows is None:
            return super()._correlate_weight(g, x, groups, at)
        n, planes, channels = g.shape[0], g.shape[1] // groups, x.shape[1] // groups
        lines = _lines(at, channels, planes)
        g = g.reshape(n, groups, planes, *at.out)
        several, height = (1, at.out[0]) if lines is None else (at.kernel[0], at.size[0])
        places = []
        for k in range(several):
            by = 0 if lines is None else k * at.dilation[0] - at.before[0]
            first, last = max(0, -by), min(at.out[0], height - by)
            if first < last:
                places.append((k, slice(first, last), slice(first + by, last + by)))
        ends = tuple(slice(0, o) for o in at.out[1:])
        total: Any = None
        moved: Any = None
        for a, b, columns in self._columns_of(x, groups, lines or at, several * planes):
            if moved is None or moved.shape[3] != b - a:
                moved = _zeros_beside(g, (groups, several, planes, b - a, (lines or at).out[0], *rows.grid[1:]))
            part = g[a:b].transpose((1, 2, 0, *range(3, g.ndim)))
            for k, results, there in places:
                moved[(slice(None), k, slice(None), slice(None), there, *ends)] = part[:, :, :, results]
            product = np.matmul(moved.reshape(groups, several * planes, -1), columns.swapaxes(1, 2))
            total = product if total is None else np.add(total, product, total)
        if not np.isfinite(total).all():
            # A useless result times 0 is 0, unless it holds an infinity.
            return super()._correlate_weight(g.reshape(n, -1, *at.out), x, groups, at)
        total = total.reshape(groups, several, planes, at.kernel[0] // several, -1, channels)
        return total.transpose(0, 2, 5, 1, 3, 4).reshape(groups, planes, -1)

    def _columns_of(
        self, x: Array, groups: int, at: Windows, planes: int, ones: bool = False
    ) -> Iterator[tuple[int, int, Array]]:
        """The windows of a few images at a time: ``(groups, elements * channels/groups, images * count)``.

        Args:
            x: ``(n, channels, *size)``.
            groups: the channels' groups.
            at: the windows.
            planes: for how many rows of results, or gradients, there is to be room beside the columns.
            ones: a row of ones below.
        """
        rows = _known_rows(at)
        n, channels = x.shape[0], x.shape[1] // groups
        height = at.elements * channels
        every: Any = None
        for a, b in self._chunks(n, (height + planes) * groups * rows.count * x.itemsize):
            part = x[a:b].reshape(b - a, groups, channels, *at.size).transpose((1, 2, 0, *range(3, x.ndim + 1)))
            if every is None or every.shape[2] != (b - a) * rows.count:
                stored = x if rows.whole else np.zeros((len(rows.phases), *part.shape[:3], rows.length), x.dtype)
                every = _zeros_beside(stored, (groups, height + ones, (b - a) * rows.count))
                every[:, height:] = 1
                columns = every[:, :height].reshape(groups, *at.kernel, channels, b - a, rows.count)
                lines = columns.reshape(*columns.shape[:-1], *rows.grid)
            sources = {}
            for i, (phase, chosen) in enumerate(rows.phases.items()):
                if rows.whole:
                    sources[phase] = part.reshape(*part.shape[:3], -1)
                    continue
                some: Any = part[chosen]
                source = sources[phase] = stored[i]
                source.reshape(*part.shape[:3], *rows.line)[(..., *(slice(0, s) for s in some.shape[3:]))] = some
            for there, phase, here in rows.moves:
                columns[there] = sources[phase][here]
            for wrong in rows.wrapped:
                lines[wrong] = 0
            yield a, b, every
