"""Programs of the losses."""

from __future__ import annotations

from typing import Any

import helpers
import numpy as np

from nbtorch.nn import functional as F
from programs.draw import Draw, Program


def _reductions(d: Draw, loss: Any, *shapes: tuple[int, ...], low: float = -2.0, high: float = 2.0) -> Any:
    """The loss of new leaves with each reduction."""

    def made() -> list[Any]:
        return [d.make(shape, low, high) for shape in shapes]

    return loss(*made()) + loss(*made(), reduction="sum") + loss(*made(), reduction="none")


def _weights(count: int) -> Any:
    return helpers.to_nbtorch(np.linspace(0.5, 2.0, count))


def _labels() -> Any:
    return helpers.to_nbtorch(np.array([[2, 0, -1], [1, -1, 0]]))


def _nll(d: Draw) -> Any:
    weighted = F.nll_loss(d(4, 3), d.whole(4, below=3), _weights(3), ignore_index=1)
    return (
        weighted
        + F.nll_loss(d(3, 2), d.whole(3, below=2))
        + F.nll_loss(d(3, 2), d.whole(3, below=2), reduction="none").sum()
    )


def _nll_2d(d: Draw) -> Any:
    target = d.whole(2, 2, below=3)
    return F.nll_loss(d(2, 3, 2), target, _weights(3)) + F.nll_loss(d(2, 3, 2), target, reduction="none").sum()


PROGRAMS: dict[str, Program] = {
    "mse_loss": lambda d: _reductions(d, F.mse_loss, (2, 3), (2, 3)),
    "smooth_l1_loss": lambda d: _reductions(d, F.smooth_l1_loss, (2, 3), (2, 3)),
    "huber_loss": lambda d: _reductions(d, F.huber_loss, (2, 3), (2, 3)),
    "nll_loss": _nll,
    "nll_loss2d": _nll_2d,
    "binary_cross_entropy": lambda d: _reductions(d, F.binary_cross_entropy, (2, 3), (2, 3), (3,), low=0.2, high=0.8),
    "binary_cross_entropy_with_logits": lambda d: (
        _reductions(d, F.binary_cross_entropy_with_logits, (2, 3), (2, 3), (3,))
        + F.binary_cross_entropy_with_logits(d(2, 3), d(2, 3), d(3), pos_weight=d(3))
    ),
    "soft_margin_loss": lambda d: _reductions(d, F.soft_margin_loss, (2, 3), (2, 3)),
    "multi_margin_loss": lambda d: (
        F.multi_margin_loss(d(3, 4), d.whole(3, below=4), margin=0.9, weight=_weights(4))
        + F.multi_margin_loss(d(3, 4), d.whole(3, below=4), p=2, margin=0.9, reduction="none")
    ),
    "multilabel_margin_loss": lambda d: (
        F.multilabel_margin_loss(d(2, 3), _labels()) + F.multilabel_margin_loss(d(2, 3), _labels(), reduction="none")
    ),
}

# Classes, and what they weigh.
CONSTANT = {name: {"target", "weight"} for name in ("nll_loss", "nll_loss2d")} | {
    "multi_margin_loss": {"right", "each"},
    "multilabel_margin_loss": {"index", "valid", "wanted"},
}
