"""Programs of running results, order statistics and moments."""

from __future__ import annotations

import nbtorch
from programs.draw import Program

PROGRAMS: dict[str, Program] = {
    "cummax": lambda d: d(3, 2).cummax(0)[0],
    "cummin": lambda d: d(3, 2).cummin(1)[0],
    "logcumsumexp": lambda d: d(3, 2).logcumsumexp(0) * nbtorch.logcumsumexp(d(2), -1),
    "median": lambda d: d(3, 2).median(),
    "nanmedian": lambda d: d(3, 2).nanmedian(),
    "median_dim": lambda d: d(3, 2).median(0)[0],
    "nanmedian_dim": lambda d: d(3, 2).nanmedian(1, keepdim=True)[0],
    "kthvalue": lambda d: d(3, 2).kthvalue(2, 0)[0],
    "mode": lambda d: d(3, 2).mode(1)[0],
}
