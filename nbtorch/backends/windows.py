"""Windows that slide over the last dimensions of an array: where they lie, and an array of all of them.

Convolution, pooling and ``unfold`` look at their input through the same windows; what is here is written once for any
number of dimensions.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Iterator
from typing import Any, NamedTuple

Array = Any


class Windows(NamedTuple):
    """Windows over an array, each field with one number per dimension.

    Attributes:
        size: of the array.
        out: how many windows there are.
        kernel: how many elements a window has.
        stride: the step from one window to the next.
        before: how far the first window begins before the array; beyond the end as far as the last one reaches.
        dilation: the step from one element of a window to the next.
    """

    size: tuple[int, ...]
    out: tuple[int, ...]
    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    before: tuple[int, ...]
    dilation: tuple[int, ...]

    @property
    def covered(self) -> tuple[int, ...]:
        """From the beginning of the first window to the end of the last."""
        return _covered(self)

    @property
    def number(self) -> int:
        return math.prod(self.out)

    @property
    def elements(self) -> int:
        """How many elements one window has."""
        return math.prod(self.kernel)

    @property
    def pointwise(self) -> bool:
        """Whether each element is a window of its own."""
        return self.elements == 1 and self.out == self.size and not any(self.before) and set(self.stride) <= {1}

    @property
    def inside(self) -> bool:
        """Whether no window reaches beyond the array."""
        return not any(self.before) and all(c <= n for c, n in zip(self.covered, self.size, strict=True))

    def overlap(self) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
        """What of the covered region lies in the array: where in that region, and where in the array."""
        there, here = [], []
        for n, b, c in zip(self.size, self.before, self.covered, strict=True):
            used = max(0, min(n, c - b))
            there.append(slice(b, b + used))
            here.append(slice(0, used))
        return tuple(there), tuple(here)

    def taps(self) -> Iterator[tuple[tuple[int, ...], tuple[slice, ...]]]:
        """Each element of a window, with the slices that take it from all windows of the covered region."""
        for tap in itertools.product(*map(range, self.kernel)):
            at = []
            for t, o, s, d in zip(tap, self.out, self.stride, self.dilation, strict=True):
                at.append(slice(t * d, t * d + (o - 1) * s + 1, s))
            yield tap, tuple(at)


@functools.lru_cache(256)
def _covered(at: Windows) -> tuple[int, ...]:
    return tuple(
        (o - 1) * s + d * (k - 1) + 1 for o, s, d, k in zip(at.out, at.stride, at.dilation, at.kernel, strict=True)
    )


class WindowPrimitives:
    """What every backend can do with windows."""

    xp: Any

    def covered(self, x: Array, at: Windows, fill: Any = 0) -> Array:
        """The region that the windows cover, ``fill`` where it is not of ``x``; a view where nothing is filled in."""
        there, here = at.overlap()
        if at.inside:
            return x[(..., *here)]
        out = self.xp.full((*x.shape[: x.ndim - len(at.size)], *at.covered), fill, x.dtype)
        out[(..., *there)] = x[(..., *here)]
        return out

    def uncovered(self, region: Array, at: Windows) -> Array:
        """An array of ``at.size`` that has what the region says of it, 0 where no window comes."""
        there, here = at.overlap()
        inner = region[(..., *there)]
        if inner.shape[inner.ndim - len(at.size) :] == at.size:
            return inner
        out = self.xp.zeros((*region.shape[: region.ndim - len(at.size)], *at.size), region.dtype)
        out[(..., *here)] = inner
        return out

    def sliding(self, region: Array, at: Windows) -> Array:
        """All windows of a covered region as a view: ``(..., *kernel, *out)``."""
        n = len(at.size)
        lead, steps = region.strides[:-n], region.strides[-n:]
        strides = [step * d for step, d in zip(steps, at.dilation, strict=True)]
        strides += [step * s for step, s in zip(steps, at.stride, strict=True)]
        shape = (*region.shape[:-n], *at.kernel, *at.out)
        return self.xp.lib.stride_tricks.as_strided(region, shape, (*lead, *strides))

    def im2col(self, x: Array, at: Windows) -> Array:
        """The windows of each plane as columns: ``(..., elements of a window, windows)``."""
        n = len(at.size)
        return self.sliding(self.covered(x, at), at).reshape(*x.shape[: x.ndim - n], at.elements, at.number)

    def col2im(self, columns: Array, at: Windows) -> Array:
        """Columns added up where they came from: the transpose of :meth:`im2col`."""
        lead = columns.shape[:-2]
        parts = columns.reshape(*lead, *at.kernel, *at.out)
        region = self.xp.zeros((*lead, *at.covered), columns.dtype)
        rest = (slice(None),) * len(at.out)
        for tap, where in at.taps():
            region[(..., *where)] += parts[(..., *tap, *rest)]
        return self.uncovered(region, at)
