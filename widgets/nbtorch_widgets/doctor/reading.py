"""Reading tensors for the doctor: little of them, cheaply, from any library with PyTorch's names."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from nbtorch_widgets.doctor.chart import Values
from nbtorch_widgets.gradients import on_host

MOST_WEIGHTS = 4096  # numbers of a parameter that are compared before and after a step
MOST_VALUES = 1 << 16  # numbers of an activation
_ROWS = 64  # examples of a batch

_RELU = ("ReluBackward", "Relu6Backward", "ThresholdBackward", "HardtanhBackward")
_PASS = ("View", "Reshape", "Unsafe", "Transpose", "Permute", "Squeeze", "Unsqueeze", "MaxPool", "Clone", "Dropout")
Nonlinearity = Literal["relu", "tanh", "sigmoid"]


def host(tensor: Any) -> npt.NDArray[Any]:
    """As an array of real floats (or whole numbers); float16 and smaller become float32."""
    array: npt.NDArray[Any]
    try:
        array = tensor.detach().numpy()  # by far the most frequent case
    except (TypeError, AttributeError, RuntimeError):  # on an accelerator, of a type NumPy lacks, or no tensor
        array = on_host(tensor)
    if array.dtype.kind == "c":
        array = np.abs(array)
    if array.dtype.kind == "f" and array.dtype.itemsize < 4:
        array = array.astype(np.float32)
    return array


def part(tensor: Any, most: int = MOST_WEIGHTS) -> npt.NDArray[np.float32]:
    """Evenly spread numbers of a tensor, copied: at most `most`."""
    if getattr(tensor, "is_sparse", False):
        tensor = tensor.coalesce().values()
    tensor = tensor.detach() if hasattr(tensor, "detach") else tensor
    shape = getattr(tensor, "shape", ())
    size = math.prod(shape)
    if size > most and hasattr(tensor, "reshape"):
        tensor = tensor.reshape(-1)[:: -(-size // most)]
    return np.array(host(tensor), np.float32).ravel()


def tensors(value: Any, depth: int = 0) -> Iterator[Any]:
    """The tensors and arrays in a batch: of tuples, lists and dicts, three levels deep."""
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        yield value
    elif depth < 3 and isinstance(value, Mapping):
        for each in list(value.values())[:16]:
            yield from tensors(each, depth + 1)
    elif depth < 3 and isinstance(value, (tuple, list)):
        for each in value[:16]:
            yield from tensors(each, depth + 1)


def first_tensor(value: Any) -> Any:
    """The first tensor of a layer's output."""
    return next((t for t in tensors(value) if hasattr(t, "detach")), None)


def finite(array: npt.NDArray[Any]) -> bool:
    """Whether all numbers are."""
    if array.dtype.kind != "f" or not array.size:
        return True
    flat = array.ravel("K")
    with np.errstate(all="ignore"):
        if math.isfinite(np.dot(flat, flat)):  # one pass; overflows only for numbers near the end of the range
            return True
    return bool(np.isfinite(array.min()) and np.isfinite(array.max()))


def summary(tensor: Any) -> Values | None:
    """What is in a batch; None if it can't be read."""
    shape = tuple(int(n) for n in tensor.shape)
    if not math.prod(shape):
        return None
    array = host(tensor)
    real = array.dtype.kind == "f"
    if array.dtype.kind not in "fiub":
        return None
    complete = finite(array)
    if array.ndim and array.shape[0] > _ROWS:
        array = array[:_ROWS]
    flat = array.ravel()
    if flat.size > MOST_VALUES:
        flat = flat[:: -(-flat.size // MOST_VALUES)]
    with np.errstate(all="ignore"):
        wide = flat.astype(np.float64)
        mean, square = float(wide.sum()) / wide.size, float(np.dot(wide, wide)) / wide.size
        constant = array.ndim >= 1 and array.shape[0] > 1 and bool((array == array[:1]).all())
        return Values(
            shape,
            complete,
            math.sqrt(square) if square >= 0 else math.nan,
            mean,
            math.sqrt(max(0.0, square - mean * mean)) if complete else math.nan,
            float(wide.min()),
            float(wide.max()),
            real,
            constant,
        )


def nonlinearity(tensor: Any) -> Nonlinearity | None:
    """Which function made a tensor, as its graph says; views and pooling after it don't matter."""
    node = getattr(tensor, "grad_fn", None)
    for _ in range(4):
        if node is None:
            return None
        name = node_name(node)
        if name.startswith(_RELU):
            return "relu"
        if name.startswith("TanhBackward"):
            return "tanh"
        if name.startswith("SigmoidBackward"):
            return "sigmoid"
        if not name.startswith(_PASS):
            return None
        node = next((n for n, _ in node.next_functions if n is not None), None)
    return None


def node_name(node: Any) -> str:
    """The name of a node of the graph."""
    name = getattr(node, "name", None)
    return str(name()) if callable(name) else type(node).__name__


def chain(tensor: Any, length: int = 6) -> list[str]:
    """The names of the nodes that made a tensor, from it backwards along the first inputs."""
    names: list[str] = []
    node = getattr(tensor, "grad_fn", None)
    while node is not None and len(names) < length:
        names.append(node_name(node))
        node = next((n for n, _ in getattr(node, "next_functions", ()) if n is not None), None)
    return names


def units(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """[examples, units] the values of an activation: channels of an image, else the last dimension."""
    if array.ndim <= 1:
        return array.reshape(1, -1)
    rows = array[:_ROWS]
    if array.ndim >= 4:
        while rows.size > MOST_VALUES and rows.shape[0] > 8:
            rows = rows[::2]
        return np.moveaxis(rows, 1, -1).reshape(-1, rows.shape[1])
    flat = rows.reshape(-1, rows.shape[-1])
    return flat[:: max(1, flat.size // MOST_VALUES)]


def flat_share(values: npt.NDArray[Any], kind: Nonlinearity) -> float:
    """The share of values where the function is flat: its slope is under 6 % of its greatest."""
    if kind == "relu":
        return float((values <= 0).mean())
    if kind == "tanh":
        return float((np.abs(values) > 0.97).mean())
    return float((np.abs(values - 0.5) > 0.485).mean())


def cosine(a: Sequence[npt.NDArray[Any]], b: Sequence[npt.NDArray[Any]]) -> float:
    """The cosine between two lists of arrays, taken as one vector each; NaN for zeros."""
    with np.errstate(all="ignore"):
        dot = sum(float(np.dot(x.astype(float), y.astype(float))) for x, y in zip(a, b, strict=True))
        size = math.sqrt(square(a) * square(b))
    return dot / size if size > 0 and math.isfinite(size) else math.nan


def square(arrays: Sequence[npt.NDArray[Any]]) -> float:
    """The sum of squares."""
    with np.errstate(all="ignore"):
        return sum(float(np.dot(x.astype(float), x.astype(float))) for x in arrays)


def rows_equal(tensor: Any) -> bool:
    """Whether all rows of a matrix or kernel are the same (it has two at least)."""
    shape = tensor.shape
    if len(shape) < 2 or shape[0] < 2 or math.prod(shape) > 1 << 20:
        return False
    array = host(tensor)
    near = 1e-5 * float(np.abs(array[0]).max())  # sums in another order leave their rounding
    return bool((np.abs(array[1] - array[0]) <= near).all()) and bool((np.abs(array - array[:1]) <= near).all())
