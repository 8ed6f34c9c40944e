"""Which dtype comes out, what data becomes a tensor, and the way between tensors, NumPy and Python numbers."""

from __future__ import annotations

import itertools
import operator
from typing import Any

import helpers
import numpy as np
import pytest
from sides import as_torch

import nbtorch

DTYPES = ["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64"]
PAIRS = list(itertools.product(DTYPES, DTYPES))
NUMBERS: list[Any] = [True, 3, 2.5]


@pytest.mark.parametrize(("a", "b"), PAIRS)
def test_two_tensors(a: str, b: str, torch_ref: Any) -> None:
    def dtypes(lib: Any) -> Any:
        found = [str(lib.promote_types(getattr(lib, a), getattr(lib, b)))]
        for shape_a, shape_b in (((2,), (2,)), ((2,), ()), ((), (2,)), ((), ())):
            x = lib.make(np.ones(shape_a, a))
            y = lib.make(np.ones(shape_b, b))
            found += [str((x + y).dtype), str((x * y).dtype), str((x / y).dtype), str((x == y).dtype)]
            found += [str(lib.result_type(x, y)), str(lib.can_cast(x.dtype, y.dtype))]
            if a != "bool" and b != "bool":
                found += [str((x // y).dtype), str((x % y).dtype), str((x - y).dtype), str((x**y).dtype)]
            found.append(str(lib.where(lib.make(np.array(True)), x, y).dtype))
        return found

    as_torch(dtypes)


@pytest.mark.parametrize("a", DTYPES)
@pytest.mark.parametrize("number", NUMBERS, ids=repr)
def test_a_tensor_and_a_number(a: str, number: Any, torch_ref: Any) -> None:
    def dtypes(lib: Any) -> Any:
        found = []
        for shape in ((2,), ()):
            x = lib.make(np.ones(shape, a))
            for name in ("add", "mul", "truediv", "floordiv", "pow", "eq", "lt"):
                op = getattr(operator, name)
                if not (name in ("floordiv", "pow") and a == "bool" and number is True):
                    found += [str(op(x, number).dtype), str(op(number, x).dtype)]
            found.append(str(lib.result_type(x, number)))
        return found

    as_torch(dtypes)


@pytest.mark.parametrize("a", DTYPES)
def test_functions_of_one_tensor(a: str, torch_ref: Any) -> None:
    def dtypes(lib: Any) -> Any:
        x = lib.make(np.ones((2, 2), a))
        functions = ["exp", "sqrt", "sin", "sigmoid", "sum", "cumsum", "prod", "any", "all", "isnan"]
        found = [str(getattr(x, f)(*([0] if f == "cumsum" else [])).dtype) for f in functions]
        return [*found, str(lib.cat([x, lib.make(np.ones((2, 2), "int16"))]).dtype), str(x.to(lib.float16).dtype)]

    as_torch(dtypes)


FLOAT32_STAYS = {
    "Python float": lambda lib, x: x * 2.0,
    "Python int": lambda lib, x: x * 2,
    "numpy float64": lambda lib, x: x * np.float64(2),
    "0-d float64 tensor": lambda lib, x: x * lib.make(np.array(2.0)),
    "int64 tensor": lambda lib, x: x * lib.make(np.array([1, 2])),
    "int32 tensor": lambda lib, x: x * lib.make(np.array([1, 2], np.int32)),
    "bool tensor": lambda lib, x: x * lib.make(np.array([True, False])),
    "numpy int64": lambda lib, x: x + np.int64(3),
    "mean": lambda lib, x: x.mean(),
    "power of a float": lambda lib, x: x**0.5,
    "power to a tensor": lambda lib, x: 2.0**x,
    "clamp": lambda lib, x: x.clamp(0.0, 1.0),
    "where with a number": lambda lib, x: lib.where(x > 1, x, 0.0),
    "masked_fill": lambda lib, x: x.masked_fill(x > 1, 1e-8),
    "linspace": lambda lib, x: x + lib.linspace(0, 1, 2, device=lib.device),
    "division by a count": lambda lib, x: x.sum() / len(x),
}


@pytest.mark.parametrize("program", FLOAT32_STAYS.values(), ids=FLOAT32_STAYS.keys())
def test_float32_stays_float32(program: Any, torch_ref: Any) -> None:
    def run(lib: Any) -> Any:
        x = lib.make(np.array([1.0, 2.0], np.float32), requires_grad=True)
        y = program(lib, x)
        y.sum().backward()
        return y.detach(), str(y.dtype), x.grad

    as_torch(run)


LEFT = {
    "ones times": lambda t: np.ones(2) * t,
    "plus": lambda t: np.array([1.0, 2.0]) + t,
    "minus": lambda t: np.array([1.0, 2.0]) - t,
    "divided": lambda t: np.array([1.0, 2.0]) / t,
    "power": lambda t: np.array([1.0, 2.0]) ** t,
    "floor": lambda t: np.array([1.0, 2.0]) // t,
    "matmul": lambda t: np.eye(2) @ t,
    "less": lambda t: np.array([1.0, 2.0]) < t,
    "equal": lambda t: np.array([1.0, 2.0]) == t,
    "scalar": lambda t: np.float64(3.0) * t,
    "float32 scalar": lambda t: np.float32(3.0) * t,
    "int scalar": lambda t: np.int64(3) - t,
    "sin": np.sin,
    "exp": np.exp,
    "maximum": lambda t: np.maximum(t, np.array([1.0, 5.0])),
    "add": lambda t: np.add(1.0, t),
}


@pytest.mark.cpu_only("arrays of the host")
@pytest.mark.parametrize("program", LEFT.values(), ids=LEFT.keys())
def test_numpy_on_the_left_gives_a_tensor(program: Any) -> None:
    values = np.array([0.5, 1.5])
    t = nbtorch.tensor(values, requires_grad=True)
    result = program(t)
    assert type(result) is nbtorch.Tensor
    helpers.same(result, np.asarray(program(values)), check_dtype=False)
    if result.dtype.is_floating_point:
        assert result.requires_grad
        result.sum().backward()
        assert t.grad is not None


@pytest.mark.cpu_only("arrays of the host")
def test_numpy_functions_without_a_tensor_counterpart() -> None:
    t = nbtorch.tensor([3.0, 1.0])
    assert np.asarray(t).tolist() == [3.0, 1.0]
    assert np.concatenate([np.asarray(t), [0.0]]).tolist() == [3.0, 1.0, 0.0]
    assert np.sort(t).tolist() == [1.0, 3.0]
    assert np.array(t, dtype=np.int64).tolist() == [3, 1]
    copied = np.array(t)
    copied[0] = 9
    assert t.tolist() == [3.0, 1.0]
    out = np.zeros(2)
    np.multiply(t, 2.0, out=out)
    assert out.tolist() == [6.0, 2.0]


DATA: dict[str, Any] = {
    "int": 3,
    "float": 2.5,
    "bool": True,
    "list": [1, 2, 3],
    "mixed": [1, 2.5],
    "bools and ints": [True, 2],
    "nested": [[1.0, 2.0], [3.0, 4.0]],
    "tuples": ((1, 2), (3, 4)),
    "empty": [],
    "nested empty": [[], []],
    "numpy float64": np.array([1.0, 2.0]),
    "numpy float32": np.array([1.0], np.float32),
    "numpy scalar": np.float64(2.0),
    "numpy int32 scalar": np.int32(2),
    "list of arrays": [np.array([1.0, 2.0]), np.array([3.0, 4.0])],
    "list of scalars": [np.float32(1.0), np.float32(2.0)],
    "range": range(4),
    "large": [2**62],
    "negative zero": [-0.0],
    "special": [float("inf"), float("nan")],
    "strided": np.arange(10)[::3],
    "transposed": np.arange(6).reshape(2, 3).T,
    "ragged": [[1], [2, 3]],
    "text": "abc",
    "texts": ["a"],
    "none": None,
    "nones": [None],
    "too large": 2**70,
    "dict": {"a": 1},
    "an object": object(),
    "array of text": np.array(["a"]),
}


@pytest.mark.parametrize("data", DATA.values(), ids=DATA.keys())
def test_data_becomes_a_tensor(data: Any, torch_ref: Any) -> None:
    as_torch(lambda lib: lib.tensor(data))


@pytest.mark.parametrize(
    "data", [[1, 2], [0.5, 2.7], [True, False], [0, 300], [-1, 5], [1e40], [float("nan")]], ids=repr
)
@pytest.mark.parametrize("dtype", DTYPES)
def test_data_with_a_dtype(data: Any, dtype: str, torch_ref: Any) -> None:
    if data in ([0, 300], [-1, 5]) and dtype in ("uint8", "int8"):
        with pytest.raises(RuntimeError, match="overflow"):
            nbtorch.tensor(data, dtype=getattr(nbtorch, dtype))
            assert data == [-1, 5] and dtype == "int8"
            raise RuntimeError("overflow")  # -1 and 5 fit
        return
    if dtype[0] in "iu" and not abs(data[0]) < 1e30:
        return  # what NaN is as an integer depends on the processor
    as_torch(lambda lib: lib.tensor(data, dtype=getattr(lib, dtype)))


@pytest.mark.parametrize(("a", "b"), PAIRS)
def test_from_dtype_to_dtype(a: str, b: str, torch_ref: Any) -> None:
    values = np.array([0, 1, 2, 100]).astype(a)

    def convert(lib: Any) -> Any:
        x = lib.make(values)
        y = x.to(getattr(lib, b))
        return y, y is x, x.type(getattr(lib, b)), x.to(lib.make(np.zeros(1, b)))

    as_torch(convert)


def test_methods_of_conversion(torch_ref: Any) -> None:
    def convert(lib: Any) -> Any:
        x = lib.make(np.array([0.0, 1.5, -2.5]))
        names = ["float", "double", "half", "long", "int", "short", "char", "bool"]
        return [getattr(x, n)() for n in names], x.type_as(lib.make(np.zeros(1, np.int16))), x.tolist(), x[1].item()

    as_torch(convert)


def test_conversion_is_recorded(torch_ref: Any) -> None:
    def convert(lib: Any) -> Any:
        x = lib.make(np.array([1.5, 2.5], np.float32), requires_grad=True)
        y = x.double() * x.half() + x.to(lib.float64, copy=True)
        y.sum().backward()
        return y.detach(), x.grad, x.long().requires_grad

    as_torch(convert)


WRONG_CONVERSIONS = {
    "item of many": lambda lib: lib.make(np.ones(2)).item(),
    "item of none": lambda lib: lib.make(np.ones(0)).item(),
    "unknown device": lambda lib: lib.make(np.ones(2)).to("mars"),
    "unknown keyword": lambda lib: lib.make(np.ones(2)).to(typo=1),
    "dtype as text": lambda lib: lib.make(np.ones(2)).to(dtype="float32"),
    "numpy of one that requires grad": lambda lib: lib.make(np.ones(2), requires_grad=True).numpy(),
    "from_numpy of a list": lambda lib: lib.from_numpy([1.0]),
    "from_numpy of negative strides": lambda lib: lib.from_numpy(np.arange(3)[::-1]),
    "from_numpy of text": lambda lib: lib.from_numpy(np.array(["a"])),
    "int of many": lambda lib: int(lib.make(np.ones(2))),
    "tensor of a wrong dtype": lambda lib: lib.tensor([1.0], dtype="float"),
    "difference of bools": lambda lib: lib.make(np.array([True])) - lib.make(np.array([True])),
    "difference with a bool": lambda lib: 1.5 - lib.make(np.array([True])),
    "bool in a difference": lambda lib: lib.make(np.ones(2)) - True,
    "difference in place": lambda lib: lib.make(np.ones(2)).sub_(lib.make(np.array([True]))),
    "argmax of bools": lambda lib: lib.make(np.array([True])).argmax(),
    "default dtype int": lambda lib: lib.set_default_dtype(lib.int64),
    "finfo of int": lambda lib: lib.finfo(lib.int64),
    "iinfo of float": lambda lib: lib.iinfo(lib.float32),
}


@pytest.mark.parametrize("program", WRONG_CONVERSIONS.values(), ids=WRONG_CONVERSIONS.keys())
def test_wrong_conversions(program: Any, torch_ref: Any) -> None:
    as_torch(program)


def test_default_dtype(torch_ref: Any) -> None:
    def run(lib: Any) -> Any:
        lib.set_default_dtype(lib.float64)
        try:
            made = [lib.tensor([1.5]), lib.zeros(2), lib.ones(1), lib.arange(0, 1, 0.5), lib.linspace(0, 1, 2)]
            return [str(t.dtype) for t in [*made, lib.tensor([1]) / 2, lib.tensor([1]).exp(), lib.full((2,), 1.0)]]
        finally:
            lib.set_default_dtype(lib.float32)

    as_torch(run)


LIMITS = ["eps", "max", "min", "tiny", "bits"]


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_limits_of_floats(dtype: str, torch_ref: Any) -> None:
    as_torch(lambda lib: [getattr(lib.finfo(getattr(lib, dtype)), name) for name in LIMITS])


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int16", "int32", "int64"])
def test_limits_of_integers(dtype: str, torch_ref: Any) -> None:
    as_torch(lambda lib: [getattr(lib.iinfo(getattr(lib, dtype)), name) for name in ("max", "min", "bits")])


def test_shares_or_copies(device: str) -> None:
    array = np.zeros(3)
    if device == "cpu":
        assert nbtorch.from_numpy(array).data_ptr() == array.ctypes.data
        assert nbtorch.as_tensor(array).data_ptr() == array.ctypes.data
    x = helpers.to_nbtorch(array)
    assert nbtorch.as_tensor(x) is x
    assert x.to(nbtorch.float64) is x and x.double() is x and x.contiguous() is x
    assert x.clone() is not x
    x.clone().add_(1)
    nbtorch.tensor(array).add_(1)
    assert x.tolist() == [0.0] * 3 and array.tolist() == [0.0] * 3


Z = np.float64(0.3)
NUMPY_ARGUMENTS = {
    "clamp": lambda lib, x: x.clamp(-Z, Z),
    "clamp_max": lambda lib, x: x.clamp(max=Z),
    "leaky_relu": lambda lib, x: lib.nn.functional.leaky_relu(x, Z),
    "elu": lambda lib, x: lib.nn.functional.elu(x, Z),
    "softplus": lambda lib, x: lib.nn.functional.softplus(x, Z),
    "hardtanh": lambda lib, x: lib.nn.functional.hardtanh(x, -Z, Z),
    "softshrink": lambda lib, x: lib.nn.functional.softshrink(x, Z),
    "threshold": lambda lib, x: lib.nn.functional.threshold(x, Z, Z),
    "layer_norm": lambda lib, x: lib.nn.functional.layer_norm(x, (2,), eps=Z),
    "power": lambda lib, x: x.abs() ** Z,
    "of a power": lambda lib, x: Z**x,
    "lerp": lambda lib, x: lib.lerp(x, x * 2, Z),
    "masked_fill": lambda lib, x: x.masked_fill(x > 0, Z),
    "where": lambda lib, x: lib.where(x > 0, x, Z),
    "alpha": lambda lib, x: lib.add(x, x, alpha=Z),
    "value": lambda lib, x: lib.addcmul(x, x, x, value=Z),
    "in place": lambda lib, x: (x * 1).mul_(Z).add_(Z).sub_(Z).div_(Z).clamp_(Z),
    "label smoothing": lambda lib, x: lib.nn.functional.cross_entropy(
        x[None], lib.make(np.array([1])), label_smoothing=Z
    ),
    "huber": lambda lib, x: lib.nn.functional.huber_loss(x, x.detach() + 1, delta=Z),
    "norm": lambda lib, x: x.norm(Z + 1),
}


@pytest.mark.parametrize("program", NUMPY_ARGUMENTS.values(), ids=NUMPY_ARGUMENTS.keys())
def test_numpy_numbers_as_arguments_leave_float32_alone(program: Any, torch_ref: Any) -> None:
    def run(lib: Any) -> Any:
        x = lib.make(np.array([0.5, -2.0], np.float32), requires_grad=True)
        y = program(lib, x)
        y.sum().backward()
        return y.detach(), str(y.dtype), x.grad

    as_torch(run)
