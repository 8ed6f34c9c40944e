"""Programs of attention."""

from __future__ import annotations

from typing import Any

import helpers
import numpy as np

from nbtorch.nn import functional as F
from programs.draw import Draw, Program


def _attention(d: Draw) -> Any:
    mask = helpers.to_nbtorch(np.array([[True, False], [False, False], [True, True]]))
    seen = F.scaled_dot_product_attention(d(1, 3, 2), d(2, 2, 2), d(2, 2, 2), mask)
    biased = F.scaled_dot_product_attention(d(3, 2), d(2, 2), d(2, 2), d(3, 2), dropout_p=0.3, scale=0.7)
    return seen + biased + F.scaled_dot_product_attention(d(3, 2), d(3, 2), d(3, 2), is_causal=True)


PROGRAMS: dict[str, Program] = {"scaled_dot_product_attention": _attention}

CONSTANT = {"scaled_dot_product_attention": {"alive", "drop"}}
