"""Maps that act on one dimension after the other: average pooling, nearest, linear and cubic interpolation.

Along one dimension such a map is a sparse matrix. It is kept as a few steps, each of which takes one element for each
of the results it serves, weighs it and adds it, so that a step is a slice (or a gather) and a product; the transposed
matrix, which the gradient needs, is of the same kind.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

Array = Any
Host = np.ndarray[Any, Any]


class Step(NamedTuple):
    """``out[put] += in[take] * weight``, where ``put`` names no result twice.

    Attributes:
        put: a slice or indices of results; None for all of them.
        take: a slice or indices of the elements they get.
        weight: a number for each; None for 1.
    """

    put: slice | Host | None
    take: slice | Host
    weight: Host | None


class Along(NamedTuple):
    """A linear map along one dimension.

    Attributes:
        size: how many elements there are.
        out: how many results.
        steps: what is added up.
        before: a factor for all elements, or one for each; None for 1.
        after: a factor for the results in the same way.
    """

    size: int
    out: int
    steps: tuple[Step, ...]
    before: float | Host | None = None
    after: float | Host | None = None

    @classmethod
    def of(cls, size: int, out: int, results: Host, elements: Host, weights: Host | None = None) -> Along:
        """The map whose matrix has ``weights`` (1 for None) at ``(results, elements)``."""
        order = np.lexsort((elements, results))
        results, elements = results[order], elements[order]
        weights = None if weights is None else weights[order]
        starts = np.searchsorted(results, results)
        rank = np.arange(len(results)) - starts
        steps = []
        for r in range(int(rank.max()) + 1 if len(rank) else 0):
            chosen = rank == r
            put: Any = _progression(results[chosen])
            take = _progression(elements[chosen])
            if isinstance(put, slice) and put == slice(0, out, 1):
                put = None
            steps.append(Step(put, take, None if weights is None else weights[chosen]))
        return cls(size, out, tuple(steps))

    def transposed(self) -> Along:
        """The map of the gradient."""
        steps = self.steps
        if all(isinstance(s.take, slice) for s in steps):
            every = slice(0, self.size, 1)
            turned = []
            for put, take, weight in steps:
                assert isinstance(take, slice)
                there = slice(0, self.out, 1) if put is None else put
                turned.append(Step(None if take == every else take, there, weight))
            return Along(self.out, self.size, tuple(turned), self.after, self.before)
        counted = np.arange(max(self.size, self.out))
        results = np.concatenate([counted[: self.out] if s.put is None else counted[s.put] for s in steps])
        elements = np.concatenate([counted[s.take] for s in steps])
        weights = None
        if any(s.weight is not None for s in steps):
            weights = np.concatenate([np.ones(len(results)) if s.weight is None else s.weight for s in steps])
        back = Along.of(self.out, self.size, elements, results, weights)
        return back._replace(before=self.after, after=self.before)


def _progression(indices: Host) -> Any:
    """Indices that go up in equal steps as a slice, others as they are."""
    if not len(indices):
        return slice(0, 0, 1)
    first = int(indices[0])
    if len(indices) == 1:
        return slice(first, first + 1, 1)
    step = int(indices[1]) - first
    if step > 0 and (np.diff(indices) == step).all():
        return slice(first, int(indices[-1]) + 1, step)
    return np.asarray(indices, np.int64)


class ResamplingPrimitives:
    """The application of such maps on any array module."""

    xp: Any

    def resample(self, x: Array, maps: tuple[Along | None, ...], back: Any = None) -> Array:
        """``x`` with one map for each of its last dimensions; None leaves a dimension as it is.

        Args:
            x: any dtype; half precision is computed in float32.
            maps: the maps.
            back: the transposed maps, which only the derivative needs.
        """
        if x.dtype.itemsize == 2 and x.dtype.kind in "fV":
            return self.resample(x.astype(np.float32), maps).astype(x.dtype)
        out, first = x, x.ndim - len(maps)
        # What shrinks comes first, and among equals what steps over long rows.
        for i in sorted(range(len(maps)), key=lambda i: _growth(maps[i])):
            along = maps[i]
            if along is not None:
                out = self._map_along(out, first + i, along)
        return x.copy() if out is x else out

    def _map_along(self, x: Array, dim: int, along: Along) -> Array:
        x = self._scaled(x, dim, along.before)
        lead = (slice(None),) * dim
        out = None
        whole = all(s.put is None for s in along.steps)
        if not whole or not along.steps:
            out = self.xp.zeros((*x.shape[:dim], along.out, *x.shape[dim + 1 :]), x.dtype)
        owned = out is not None
        for put, take, weight in along.steps:
            part = x[(*lead, take)] if isinstance(take, slice) else self.xp.take(x, self._uploaded(take), dim)
            fresh = not isinstance(take, slice)
            if weight is not None:
                part, fresh = self._scaled(part, dim, weight), True
            if out is None:
                out, owned = part, fresh
            elif put is None:
                if owned:
                    out += part
                else:
                    out, owned = out + part, True
            else:
                out[(*lead, put if isinstance(put, slice) else self._uploaded(put))] += part
        if along.after is not None:
            return self._scaled(out, dim, along.after)
        return out if owned else out.copy()  # type: ignore[union-attr]

    def _scaled(self, x: Array, dim: int, factor: Any) -> Array:
        if factor is None:
            return x
        if isinstance(factor, float):
            return x * x.dtype.type(factor)
        factor = self._uploaded(factor.astype(x.dtype, copy=False))
        return x * factor.reshape(-1, *(1,) * (x.ndim - dim - 1))

    def _uploaded(self, host: Host) -> Array:
        return self.xp.asarray(host)


def _growth(along: Along | None) -> float:
    return 1.0 if along is None else along.out / max(along.size, 1)
