"""The wire: what goes from a run to the front end, and back. `src/protocol.ts` is the other half.

A message is a JSON header and, for rows of samples, one little-endian buffer. The buffer holds the columns of `FIELDS`
one after another, each with `header["rows"]` rows; `norm` and `flag` have one number a parameter in each row.

To the front end:
    `snapshot`  header and every row kept: the answer to `hello`
    `frame`     header and the rows since the last message; a lost one costs its columns, nothing else
    `state`     header alone: the answer to a command
    the name of a feed: what `feed.py` sends beside the rows
From the front end:
    `hello`     a view was opened
    `beat`      once a second while a view is visible
    `want`      the feeds that are visible now
    `pause`, `step`, `resume`, `stop`
    `lr`, `clip`  with `value`: the learning rate, the norm to clip to (null: off), from the next checkpoint on
    `rewind`    with `step` and, if it isn't the newest, `branch`

A header has the counters. Where something of it has changed, it also has the run's `story`:
    `forks`      [branch, parent, step] for every branch but the first
    `changes`    [step, branch, "lr" or "clip", old, new]: what was changed by hand
    `snapshots`  [branch, step]: where the run can go back to
    `rewind`     "full", "model" (the loop's data stays where it is) or "no"
    `note`       null, or what was last done or went wrong: a word and its values
"""

from __future__ import annotations

import json
import math
from typing import Any, TypeAlias

import numpy as np

from nbtorch_widgets.history import Samples

VERSION = 1

#: Name, NumPy dtype and whether there is one number a parameter (else one a row).
FIELDS = (
    ("step", "<u4", False),
    ("loss", "<f4", False),
    ("norm", "<f4", True),
    ("flag", "|u1", True),
    ("branch", "<u4", False),
)

#: Bytes of a row beside those of its parameters, and bytes a parameter.
ROW_BYTES, CELL_BYTES = 12, 5

Header: TypeAlias = dict[str, Any]


def number(value: float | None) -> float | str | None:
    """A float as JSON can carry it: the three that JSON lacks become strings."""
    if value is None or math.isfinite(value):
        return value
    return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"


def pack_rows(samples: Samples) -> bytes:
    """The columns of `samples` in the order of `FIELDS`."""
    return b"".join(np.asarray(column, dtype).tobytes() for column, (_, dtype, _) in zip(samples, FIELDS, strict=True))


def pack_file(header: Header, payload: bytes) -> bytes:
    """Header and buffer as one value, for the trait that is saved with a notebook.

    Layout: the header's length as `<u4`, the header as UTF-8 JSON padded with spaces to a multiple of four, the buffer.
    """
    text = json.dumps(header, allow_nan=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    return len(text).to_bytes(4, "little") + text + payload
