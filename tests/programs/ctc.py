"""Program of the CTC loss."""

from __future__ import annotations

from typing import Any

from nbtorch.nn import functional as F
from programs.draw import Draw, Program


def _ctc(d: Draw) -> Any:
    # The derivative is meant for what comes out of log_softmax, as PyTorch's is.
    targets = d.whole(2, 2, below=2) + 1
    each = F.ctc_loss(d(4, 2, 3).log_softmax(2), targets, (4, 3), (1, 2), reduction="none", zero_infinity=True)
    return each + F.ctc_loss(d(3, 3).log_softmax(1), targets[0, :1], (3,), (1,), blank=0)


PROGRAMS: dict[str, Program] = {"ctc_loss": _ctc}

CONSTANT = {"ctc_loss": {"index", "skip", "final", "last"}}
