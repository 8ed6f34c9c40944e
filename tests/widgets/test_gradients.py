from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from nbtorch_widgets.gradients import (
    FROZEN,
    INF,
    NAN,
    NO_GRAD,
    ZERO,
    GradientReader,
    host_norm,
    named_parameters,
    on_host,
    scalar,
)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.complex64, np.int64])
def test_the_norm_is_the_norm(dtype: Any) -> None:
    values = np.arange(-5, 7).reshape(3, 4).astype(dtype)
    assert host_norm(values) == pytest.approx(float(np.linalg.norm(values.astype(complex))), rel=1e-6)
    assert host_norm(values.T) == host_norm(values)
    assert host_norm(values[::2, 1:]) == pytest.approx(float(np.linalg.norm(values[::2, 1:].astype(complex))), rel=1e-6)


@pytest.mark.parametrize("size", [1e-38, 1e-30, 1e-20, 1.0, 1e20, 1e37])
def test_extreme_norms_neither_overflow_nor_vanish(size: float) -> None:
    values = np.full(100, size, np.float32)
    assert host_norm(values) == pytest.approx(10 * size, rel=1e-5)


def test_special_values_show_in_the_norm() -> None:
    assert math.isnan(host_norm(np.array([1, np.nan, np.inf], np.float32)))
    assert host_norm(np.array([1, -np.inf], np.float32)) == math.inf
    assert host_norm(np.zeros(3, np.float32)) == 0
    assert host_norm(np.zeros((0, 3), np.float32)) == 0
    assert host_norm(3.0) == 3


def parameter(grad: Any, **more: Any) -> SimpleNamespace:
    return SimpleNamespace(grad=grad, requires_grad=True, **more)


def test_marks() -> None:
    frozen = SimpleNamespace(grad=None, requires_grad=False)
    gradients = [np.array([3.0, 4.0]), np.array([np.nan]), np.array([np.inf]), np.zeros(2), None, np.array([1e300])]
    reader = GradientReader([(str(i), parameter(g)) for i, g in enumerate(gradients)] + [("frozen", frozen)])
    norms, flags = reader.take()
    assert flags.tolist() == [0, NAN, INF, ZERO, NO_GRAD, INF, NO_GRAD | FROZEN]
    assert norms[0] == 5 and norms.dtype == np.float32 and flags.dtype == np.uint8


def test_a_norm_too_small_for_float32_is_not_zero() -> None:
    _, flags = GradientReader([("w", parameter(np.array([1e-200])))]).take()
    assert flags.tolist() == [0]


def test_what_was_captured_counts_not_what_came_later() -> None:
    one, two = parameter(np.array([1.0])), parameter(np.array([2.0]))
    reader = GradientReader([("one", one), ("two", two)])
    reader.capture([0])
    one.grad = two.grad = np.array([7.0])
    assert reader.take()[0].tolist() == [1, 7]
    assert reader.take()[0].tolist() == [7, 7]


def test_positions_are_those_of_the_watched() -> None:
    one, two, other = parameter(None), parameter(None), parameter(None)
    reader = GradientReader([("one", one), ("two", two)])
    assert reader.positions([two, other]) == [1]


def test_gradients_of_a_library(lib: Any) -> None:
    model = lib.nn.Linear(2, 2)
    model(lib.ones(1, 2)).sum().backward()
    norms, flags = GradientReader(named_parameters(model)).take()
    np.testing.assert_allclose(norms, [2, math.sqrt(2)], rtol=1e-6)
    assert flags.tolist() == [0, 0]


def test_types_that_numpy_lacks() -> None:
    torch = pytest.importorskip("torch")
    half = parameter(torch.full((4,), 2.0, dtype=torch.bfloat16))
    table = torch.nn.Embedding(5, 2, sparse=True)
    table(torch.tensor([1, 1, 3])).sum().backward()
    graph = torch.ones(4, requires_grad=True)
    norms, flags = GradientReader([("half", half), ("table", table.weight), ("graph", parameter(graph * 1))]).take()
    np.testing.assert_allclose(norms, [4, math.sqrt(4 + 4 + 1 + 1), 2], rtol=1e-6)
    assert not flags.any()


class DeviceTensor:
    """A tensor that is not in host memory and counts how often it is fetched."""

    fetched = 0

    def __init__(self, values: Any) -> None:
        self.values = np.asarray(values, np.float32)
        self.device = SimpleNamespace(type="accelerator")
        self.dtype = self.values.dtype
        self.shape = self.values.shape

    def __mul__(self, other: DeviceTensor) -> DeviceTensor:
        with np.errstate(over="ignore"):
            return DeviceTensor(self.values * other.values)

    def sum(self) -> DeviceTensor:
        return DeviceTensor(self.values.sum())

    def abs(self) -> DeviceTensor:
        return DeviceTensor(np.abs(self.values))

    def max(self) -> DeviceTensor:
        return DeviceTensor(self.values.max())

    def detach(self) -> DeviceTensor:
        return self

    def float(self) -> DeviceTensor:
        return self

    def item(self) -> Any:
        return self.values.item()

    def cpu(self) -> Any:
        DeviceTensor.fetched += 1
        return self.values


def stack(tensors: list[DeviceTensor]) -> DeviceTensor:
    """What a library's `stack` does; the reader finds it through the module of the tensors' class."""
    return DeviceTensor([tensor.values for tensor in tensors])


def test_a_device_is_waited_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys
    from types import ModuleType

    library = ModuleType("accelerated")
    library.stack = stack  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "accelerated", library)
    monkeypatch.setattr(DeviceTensor, "__module__", "accelerated.tensors")
    values = [[3, 4], [0, 0], [np.nan], [np.inf], [1e30]]
    reader = GradientReader([(str(v), parameter(DeviceTensor(v))) for v in values])
    reader.capture()
    assert DeviceTensor.fetched == 0
    norms, flags = reader.take()
    assert DeviceTensor.fetched == 1
    assert flags.tolist() == [0, ZERO, NAN, INF, 0]
    assert norms[0] == 5 and norms[4] == np.float32(1e30)


def test_scalars(lib: Any) -> None:
    assert scalar(lib.tensor(2.5)) == 2.5
    assert scalar(lib.tensor([[2.5]], requires_grad=True)) == 2.5
    assert scalar(lib.ones(2)) is None
    assert [scalar(v) for v in (2, 0.5, np.float32(1.5), "2", None, [1])] == [2, 0.5, 1.5, None, None, None]


def test_arrays_of_things() -> None:
    assert on_host(SimpleNamespace(data=[1, 2])).tolist() == [1, 2]
    assert on_host(np.float32(2)).tolist() == 2


def test_models() -> None:
    assert named_parameters({"w": 1, "b": 2}) == [("w", 1), ("b", 2)]
    with pytest.raises(TypeError, match="dict of named tensors"):
        named_parameters([1, 2])
    with pytest.raises(ValueError, match="no parameters"):
        named_parameters({})
