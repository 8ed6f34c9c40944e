"""``torch.profiler``: time, calls and bytes of each operation, forward and backward.

Nothing is slower while no profiler runs: the functions that it listens to are then the ones that were written (see
``swapping``), and backward looks once at ``engine.listeners``.
"""

from ..annex import name_what_is_missing
from .annotations import record_function
from .events import DeviceType
from .profiler import (
    ProfilerActivity,
    kineto_available,
    profile,
    supported_activities,
    tensorboard_trace_handler,
)
from .profiler import (
    _KinetoProfile as _KinetoProfile,
)
from .schedules import ProfilerAction, schedule

__all__ = [
    "DeviceType",
    "ProfilerAction",
    "ProfilerActivity",
    "kineto_available",
    "profile",
    "record_function",
    "schedule",
    "supported_activities",
    "tensorboard_trace_handler",
]

name_what_is_missing(globals())
