"""Programs of the bags of rows."""

from __future__ import annotations

from typing import Any

import helpers
import numpy as np

from nbtorch.nn import functional as F
from programs.draw import Draw, Program


def _bags(d: Draw) -> Any:
    offsets = helpers.to_nbtorch(np.array([0, 2, 2]))
    added = F.embedding_bag(d.whole(5, below=4), d(4, 2), offsets, mode="sum", per_sample_weights=d(5))
    return added + F.embedding_bag(d.whole(5, below=4), d(4, 2), offsets, padding_idx=1)


PROGRAMS: dict[str, Program] = {
    "embedding_bag": _bags,
    "embedding_bag_max": lambda d: F.embedding_bag(d.whole(3, 2, below=4), d(4, 2), mode="max"),
}

CONSTANT = {"embedding_bag_max": {"position", "filled"}}
