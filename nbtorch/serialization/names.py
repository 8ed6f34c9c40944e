"""What PyTorch's files call things: storages by dtype, and the functions that rebuild tensors."""

from __future__ import annotations

from ..backends import dtypes
from ..backends.dtypes import dtype

__all__ = ["DTYPES", "STORAGES", "Global", "storage_name"]

STORAGES: dict[str, dtype] = {
    "FloatStorage": dtypes.float32, "DoubleStorage": dtypes.float64, "HalfStorage": dtypes.float16,
    "BFloat16Storage": dtypes.bfloat16, "LongStorage": dtypes.int64, "IntStorage": dtypes.int32,
    "ShortStorage": dtypes.int16, "CharStorage": dtypes.int8, "ByteStorage": dtypes.uint8, "BoolStorage": dtypes.bool_,
}  # fmt: skip
DTYPES: dict[str, dtype] = {str(d).removeprefix("torch."): d for d in STORAGES.values()}


def storage_name(d: dtype) -> str:
    """PyTorch's name of a storage with elements of this dtype."""
    return next(name for name, known in STORAGES.items() if known is d)


class Global:
    """A name in a pickle, ``module name``, that stands for something of PyTorch's without PyTorch being there."""

    __slots__ = ("module", "name")

    def __init__(self, module: str, name: str) -> None:
        self.module = module
        self.name = name

    def __call__(self, *args: object) -> object:
        raise TypeError(f"{self.module}.{self.name} is written to files, not called")
