"""What tests and users share: ``assert_close``, and the counters of the strict device.

The strict device stands in for a GPU on a machine without one; ``device="strict"`` makes a tensor there. Around a
training step on it, ``forbid_sync()`` finds what would stall a GPU and ``count_syncs()`` counts it, the kernel
launches and the transfers.
"""

from ..annex import name_what_is_missing
from ..backends.strict_counters import Counters, SynchronizationError, count_syncs, forbid_sync
from .comparison import assert_close

__all__ = ["Counters", "SynchronizationError", "assert_close", "count_syncs", "forbid_sync"]

name_what_is_missing(globals())
