"""Families that are loaded late: nothing shows that they were not there."""

from __future__ import annotations

import subprocess
import sys

from nbtorch import Tensor, ops
from nbtorch.ops import later


def test_the_names_are_those_of_the_families() -> None:
    for family, names in later.METHODS.items():
        methods = later.methods_of(family)
        found = [name for name in vars(methods) if not name.startswith("_")]
        assert found == names.split(), family
        for name in found:
            assert getattr(Tensor, name) is vars(methods)[name], "a second class has it"
            assert callable(vars(methods)[name]), "a property would need more than a place holder"


def test_every_family_with_late_methods_is_late() -> None:
    assert set(later.METHODS) <= set(ops._LATER)


PROGRAM = """
import inspect, sys
import nbtorch
late = [f"nbtorch.ops.{f}" for f in nbtorch.ops._LATER]
assert not [m for m in late if m in sys.modules], "loaded with nbtorch"
assert hasattr(nbtorch.Tensor, "__doc__") and "sort" in dir(nbtorch.Tensor)
assert not [m for m in late if m in sys.modules], "loaded by dir()"

class Mine(nbtorch.Tensor):
    def cumsum(self, dim):
        return super().cumsum(dim) + 1

x = nbtorch.tensor([3.0, 1.0, 2.0])
assert x.as_subclass(Mine).cumsum(0).tolist() == [4.0, 5.0, 7.0]
assert nbtorch.Tensor.sort.__doc__ and "descending" in inspect.signature(nbtorch.Tensor.sort).parameters
assert x.sort().values.tolist() == [1.0, 2.0, 3.0]
kept = nbtorch.Tensor.diff
nbtorch.Tensor.diff = lambda self: "patched"
assert x.diff() == "patched"
nbtorch.Tensor.diff = kept
assert x.diff().tolist() == [-2.0, 1.0]
assert nbtorch.topk(x, 1).values.tolist() == [3.0]
assert nbtorch.Tensor.erfc_ is nbtorch.Tensor.erfc_
y = nbtorch.tensor([1.0, 2.0], requires_grad=True)
nbtorch.autograd.grad(y.cumsum(0).max(), y, create_graph=True)
"""


def test_in_a_fresh_interpreter() -> None:
    subprocess.run([sys.executable, "-c", PROGRAM], check=True)
