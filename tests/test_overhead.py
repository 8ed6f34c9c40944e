"""What recording an operation and going back through it costs beyond the arrays' own work, counted.

Bytecode instructions and calls don't depend on the machine, so the overhead can't creep unseen. On a machine where an
addition of two small NumPy arrays takes 0.34 µs, 300 instructions of this code take about 2 µs. The limits stand a
little above what is counted today with Python 3.11; where a change needs more, either find a shorter way or raise them
knowingly. Counts of modules and optimizers are in ``test_call_counts.py``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest
from helpers import calls, device_name

import nbtorch

pytestmark = pytest.mark.skipif(device_name() != "cpu", reason="the stand-in for a device is made of Python calls")


def instructions(function: Callable[[], Any]) -> int:
    """Bytecode instructions that run inside ``function()`` once it is warm."""
    for _ in range(3):
        function()
    count = 0

    def trace(frame: Any, event: str, arg: Any) -> Any:
        nonlocal count
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        count += event == "opcode"
        return trace

    sys.settrace(trace)
    try:
        function()
    finally:
        sys.settrace(None)
    return count


def chain(length: int, op: Callable[[Any], Any], backward: bool) -> Callable[[], Any]:
    x = nbtorch.ones(3, 3, requires_grad=True)

    def run() -> None:
        x.grad = None
        z = x
        for _ in range(length):
            z = op(z)
        if backward:
            z.sum().backward()

    return run


other = nbtorch.full((3, 3), 0.5)
weight, bias = nbtorch.ones(3, 3, requires_grad=True), nbtorch.ones(3, requires_grad=True)

# By operation: the most instructions and calls for one recorded application forward, and the same for backward.
LIMITS: dict[str, tuple[Callable[[Any], Any], int, int, int, int]] = {
    "mul": (lambda z: z * other, 370, 16, 255, 9),
    "mul_number": (lambda z: z * 0.5, 355, 17, 240, 9),
    "add": (lambda z: z + other, 340, 15, 230, 9),
    "square": (lambda z: z * z, 415, 16, 430, 16),
    "tanh": (lambda z: z.tanh(), 300, 15, 285, 11),
    "relu": (lambda z: z.relu(), 345, 19, 285, 13),
    "matmul": (lambda z: z @ other, 565, 26, 300, 13),
    "transpose": (lambda z: z.T, 665, 34, 245, 13),
    "reshape": (lambda z: z.reshape(3, 3), 545, 30, 230, 11),
    "linear": (lambda z: nbtorch.nn.functional.linear(z, weight, bias), 565, 21, 745, 34),
}


@pytest.mark.parametrize("name", LIMITS)
def test_operation(name: str) -> None:
    op, *limits = LIMITS[name]
    found = []
    for count in (instructions, calls):
        for backward in (False, True):
            short, long = (count(chain(n, op, backward)) for n in (5, 15))
            found.append((long - short) / 10)
    forward, both, forward_calls, both_calls = found
    measured = (forward, forward_calls, both - forward, both_calls - forward_calls)
    slack = 1 if sys.version_info[:2] == (3, 11) else 1.25  # other versions have other instructions
    assert all(a <= b * slack for a, b in zip(measured, limits, strict=True)), f"{name}: {measured}, limits {limits}"
