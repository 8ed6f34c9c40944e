"""What PyTorch's files call things: storages by dtype, and the functions that rebuild tensors."""

from __future__ import annotations

import sys

from ..backends import dtypes
from ..backends.dtypes import dtype

__all__ = ["DTYPES", "STORAGES", "Global", "storage_name", "why_not"]

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


_OTHER_TENSORS = ("sparse", "qtensor", "nested", "meta_tensor", "Complex", "complex", "QInt", "QUInt", "float8", "uint")


def why_not(module: str, name: str, weights_only: bool) -> str:
    """What to say to somebody whose file names something that is not rebuilt."""
    full = f"{module}.{name}"
    if module.partition(".")[0] == "torch" and any(part in name for part in _OTHER_TENSORS):
        return "nbtorch has no complex, sparse, quantised, nested tensors, nor these dtypes\n  fix: convert in PyTorch"
    fix = "save model.state_dict() instead of the model; or, for a class of your own that you trust, "
    fix += f"torch.serialization.add_safe_globals([{name}])"
    if weights_only:
        why = "a pickle can run any code, and this could be such code; nothing was executed"
        fix += ". Models and their classes: import them first, then torch.load(..., weights_only=False)"
    else:
        why = (
            "no code of a file's choice is executed, also with weights_only=False: beside tensors and containers that "
            "allows nn.Modules, optimizers, and classes that are imported already and have no __setstate__, __new__ or "
            "__del__ of their own"
        )
        home = module.partition(".")[0]
        if home not in sys.modules:
            fix = f"import {module} before loading; or {fix}"
    return f"{full} could not be rebuilt\n  why: {why}\n  fix: {fix}"
