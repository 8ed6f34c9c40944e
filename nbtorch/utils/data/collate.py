"""Putting samples together to a batch."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, MutableMapping, MutableSequence, Sequence
from typing import Any

import numpy as np

from ...backends.dtypes import float64
from ...ops.creation import as_tensor, tensor
from ...ops.joining import stack
from ...tensor import Tensor

__all__ = ["collate", "default_collate", "default_collate_fn_map", "default_convert"]

CollateMap = Mapping[Any, Callable[..., Any]]


def default_convert(data: Any) -> Any:
    """``data`` with its NumPy arrays and numbers turned into tensors, at any depth; text stays."""
    if isinstance(data, Tensor):
        return data
    if isinstance(data, (np.ndarray, np.generic)):
        return data if data.dtype.kind in "SUO" else as_tensor(data)
    if isinstance(data, Mapping):
        return _rebuilt_mapping(data, {key: default_convert(data[key]) for key in data})
    if isinstance(data, tuple):
        converted = [default_convert(item) for item in data]
        return type(data)(*converted) if hasattr(data, "_fields") else converted
    if isinstance(data, Sequence) and not isinstance(data, (str, bytes)):
        return _rebuilt_sequence(data, [default_convert(item) for item in data])
    return data


def collate(batch: Sequence[Any], *, collate_fn_map: CollateMap | None = None) -> Any:
    """Put samples of the same structure together; leaves are collated by the function given for their type.

    Args:
        batch: the samples, at least one.
        collate_fn_map: for a type, or a tuple of types, a function ``(batch, *, collate_fn_map)``.

    Raises:
        TypeError: for a leaf of a type that is not in the map.
        RuntimeError: if lists in the samples differ in length.
    """
    first = batch[0]
    if collate_fn_map is not None:
        function = collate_fn_map.get(type(first))
        if function is None:
            function = next((fn for kind, fn in collate_fn_map.items() if isinstance(first, kind)), None)
        if function is not None:
            return function(batch, collate_fn_map=collate_fn_map)

    def together(samples: Sequence[Any]) -> Any:
        return collate(samples, collate_fn_map=collate_fn_map)

    if isinstance(first, Mapping):
        return _rebuilt_mapping(first, {key: together([sample[key] for sample in batch]) for key in first})
    if isinstance(first, tuple) and hasattr(first, "_fields"):
        return type(first)(*(together(column) for column in zip(*batch, strict=True)))
    if isinstance(first, Sequence):
        lengths = {len(sample) for sample in batch}
        if len(lengths) > 1:
            raise RuntimeError(
                f"each element in list of batch should be of equal size, got lengths {sorted(lengths)}. "
                "Give the loader a collate_fn that pads them."
            )
        columns = [together(column) for column in zip(*batch, strict=True)]
        return columns if isinstance(first, tuple) else _rebuilt_sequence(first, columns)
    raise _cannot_collate(type(first))


def _rebuilt_mapping(original: Mapping[Any, Any], items: dict[Any, Any]) -> Any:
    """``items`` in a mapping of the same type where it can be made, keeping extra attributes; else in a dict."""
    try:
        if isinstance(original, MutableMapping):
            clone = copy.copy(original)
            clone.update(items)
            return clone
        return type(original)(items)  # type: ignore[call-arg]
    except TypeError:
        return items


def _rebuilt_sequence(original: Sequence[Any], items: list[Any]) -> Any:
    """``items`` in a sequence of the same type where it can be made; else in a list."""
    try:
        if isinstance(original, MutableSequence):
            clone = copy.copy(original)
            for place, item in enumerate(items):
                clone[place] = item
            return clone
        return type(original)(items)  # type: ignore[call-arg]
    except TypeError:
        return items


def _cannot_collate(kind: object) -> TypeError:
    return TypeError(
        f"default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found {kind}. "
        "Give the loader a collate_fn that says how such samples are put together."
    )


def _collate_tensors(batch: Sequence[Any], *, collate_fn_map: CollateMap | None = None) -> Tensor:
    shapes = {tuple(t.shape) for t in batch}
    if len(shapes) > 1:
        raise RuntimeError(
            f"stack expects each tensor to be equal size, but got samples of shapes {sorted(shapes)}. "
            "Give the loader a collate_fn that pads or crops them."
        )
    return stack(list(batch), 0)  # type: ignore[no-any-return]


def _collate_arrays(batch: Sequence[Any], *, collate_fn_map: CollateMap | None = None) -> Any:
    if batch[0].dtype.kind in "SUO":
        raise _cannot_collate(batch[0].dtype)
    return _collate_tensors([as_tensor(array) for array in batch])


def _collate_numpy_scalars(batch: Sequence[Any], *, collate_fn_map: CollateMap | None = None) -> Tensor:
    return as_tensor(np.asarray(batch))  # type: ignore[no-any-return]


def _collate_floats(batch: Sequence[Any], *, collate_fn_map: CollateMap | None = None) -> Tensor:
    return tensor(batch, dtype=float64)  # type: ignore[no-any-return]


def _collate_ints(batch: Sequence[Any], *, collate_fn_map: CollateMap | None = None) -> Tensor:
    return tensor(batch)  # type: ignore[no-any-return]


def _collate_text(batch: Sequence[Any], *, collate_fn_map: CollateMap | None = None) -> Any:
    return batch


#: How the leaves of samples are put together.
default_collate_fn_map: dict[Any, Callable[..., Any]] = {
    Tensor: _collate_tensors,
    np.ndarray: _collate_arrays,
    (np.bool_, np.number, np.object_): _collate_numpy_scalars,
    float: _collate_floats,
    int: _collate_ints,
    str: _collate_text,
    bytes: _collate_text,
}


def default_collate(batch: Sequence[Any]) -> Any:
    """Put samples together to a batch, as a loader does by default.

    Tensors and arrays are stacked along a new first dimension, Python floats become float64, ints int64; tuples become
    lists of batches; dictionaries, lists and named tuples keep their type; text stays a list.

    Example:
        >>> default_collate([(torch.zeros(2), 0), (torch.ones(2), 1)])
        [tensor([[0., 0.],
                [1., 1.]]), tensor([0, 1])]
    """
    return collate(batch, collate_fn_map=default_collate_fn_map)
