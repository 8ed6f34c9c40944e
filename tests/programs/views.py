"""Programs of views, pieces and strides."""

from __future__ import annotations

from typing import Any

import helpers

import nbtorch
from programs.draw import Draw, Program


def _of_all(pieces: Any) -> Any:
    return sum((i + 1.5) * (p * p).sum() for i, p in enumerate(pieces))


def _strided_over_a_view(d: Draw) -> Any:
    x = d(4, 3) * 1
    x[1:].as_strided((2, 2), (3, 1), 4).mul_(d(2, 2))
    return x


def _two(a: int, b: int) -> Any:
    return nbtorch.tensor([a, b], device=helpers.device_name())


PROGRAMS: dict[str, Program] = {
    "split": lambda d: _of_all(d(5, 2).split(2)) + d(3, 2).split(3)[0],
    "split_with_sizes": lambda d: _of_all(d(5, 2).split([1, 0, 4])) + d(5, 2).split([1, 4])[1],
    "unbind": lambda d: _of_all(d(3, 2).unbind(1)) + d(1, 2).unbind(0)[0] + d(3, 2).unbind(1)[1].sum(),
    "as_strided": lambda d: d(3, 4).as_strided((3, 3), (2, 1), 1) + _strided_over_a_view(d)[:3]
    + d(3, 1).expand(3, 2).as_strided((3, 3), (1, 0)),
    "unsafe_split": lambda d: _of_all(nbtorch.unsafe_split(d(5, 2), 2)) + _of_all(nbtorch.unsafe_chunk(d(3, 2), 2, 1)),
    "as_strided_scatter": lambda d: nbtorch.as_strided_scatter(d(3, 4), d(2, 2), (2, 2), (1, 2), 1)
    + nbtorch.as_strided_scatter(d(4, 3).t(), d(2, 2), (2, 2), (1, 2)),
    "unfold": lambda d: d(5, 2).unfold(0, 3, 1) + d(2, 5).t().unfold(0, 3, 1),
    "diagonal_scatter": lambda d: nbtorch.diagonal_scatter(d(3, 4), d(3), 1),
    "select_scatter": lambda d: d(3, 2).select_scatter(d(3), 1, 1),
    "slice_scatter": lambda d: d(5, 2).slice_scatter(d(2, 2), 0, 1, None, 2),
    "index_copy": lambda d: d(4, 2).index_copy(0, _two(3, 1), d(2, 2)),
    "index_fill": lambda d: d(4, 2).index_fill(0, _two(3, 1), d.make(())),
    "constant_pad_nd": lambda d: nbtorch.constant_pad_nd(d(3, 2), (1, -1, 0, 2), 3.0),
    "put": lambda d: d(3, 2).put(_two(4, 1), d(2)) + d(3, 2).put(_two(1, 1), d(2), True),
    "masked_scatter": lambda d: d(3, 2).masked_scatter(d.mask(3, 2), d(3, 3)),
    "scatter_reduce": lambda d: sum(
        d(3, 2).scatter_reduce(0, d.whole(4, 2, below=3), d(4, 2), reduce, include_self=own)
        for reduce in ("sum", "mean", "prod", "amax", "amin") for own in (True, False)
    ),
}  # fmt: skip
