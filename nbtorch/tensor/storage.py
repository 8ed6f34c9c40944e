"""``FloatStorage`` and the like: memory as a row of numbers of one dtype, PyTorch's view of it from before 2.0."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..backends import dtypes
from ..backends.device import device
from ..ops.creation import empty
from ..ops.creation import tensor as make_tensor
from ..ops.memory import Memory, UntypedStorage

__all__ = [
    "BFloat16Storage", "BoolStorage", "ByteStorage", "CharStorage", "DoubleStorage", "FloatStorage", "HalfStorage",
    "IntStorage", "LongStorage", "ShortStorage", "TypedStorage", "UntypedStorage",
]  # fmt: skip


class TypedStorage(Memory):
    """The memory behind a tensor as a row of numbers; writing to one is seen in the other.

    Args:
        args: how many numbers, or the numbers; nothing for none.
        wrap_storage: memory to show.
        dtype: the type of the numbers.
        device: where new memory lives.
    """

    def __init__(
        self, *args: Any, wrap_storage: UntypedStorage | None = None, dtype: Any = None, device: Any = None
    ) -> None:
        kept = (dtypes.get_default_dtype() if dtype is None else dtype) if args or dtype else dtypes.get_default_dtype()
        if wrap_storage is not None:
            self._flat = wrap_storage._tensor(kept)
        elif len(args) == 1 and isinstance(args[0], UntypedStorage):
            self._flat = args[0]._tensor(kept)
        elif len(args) == 1 and not isinstance(args[0], int):
            self._flat = make_tensor(list(args[0]), dtype=kept, device=device)
        else:
            self._flat = empty(*(args or (0,)), dtype=kept, device=device)

    def _tensor(self, dtype: Any) -> Any:
        if dtype is not self.dtype:
            raise RuntimeError(f"Expected a Storage of type {dtype!r} or an UntypedStorage, but got {self.dtype!r}")
        return self._flat

    @property
    def dtype(self) -> dtypes.dtype:
        """The type of the numbers."""
        return self._flat.dtype

    @property
    def device(self) -> device:
        """Where the memory is."""
        return self._flat.device

    @property
    def is_cuda(self) -> bool:
        """Whether the memory is a GPU's."""
        return self.device.type == "cuda"

    def untyped(self) -> UntypedStorage:
        """The same memory as bytes."""
        return UntypedStorage(self._flat)

    def __len__(self) -> int:
        return int(self._flat.numel())

    size = __len__

    def nbytes(self) -> int:
        """How many bytes there are."""
        return int(self._flat.nbytes)

    def element_size(self) -> int:
        """Bytes per number."""
        return int(self._flat.element_size())

    def data_ptr(self) -> int:
        """The address of the first number."""
        return int(self._flat.data_ptr())

    def tolist(self) -> list[Any]:
        """The numbers."""
        return list(self._flat.tolist())

    def __iter__(self) -> Iterator[Any]:
        return iter(self.tolist())

    def __getitem__(self, index: Any) -> Any:
        found = self._flat[index]
        return found.item() if isinstance(index, int) else type(self)(found.tolist(), dtype=self.dtype)

    def __setitem__(self, index: Any, value: Any) -> None:
        self._flat[index] = value

    def fill_(self, value: Any) -> TypedStorage:
        """``value`` in every place."""
        self._flat.fill_(value)
        return self

    def copy_(self, source: TypedStorage, non_blocking: bool = False) -> TypedStorage:
        """The numbers of another storage."""
        self._flat.copy_(source._flat)
        return self

    def clone(self) -> TypedStorage:
        """A copy."""
        return TypedStorage(wrap_storage=UntypedStorage(self._flat.clone()), dtype=self.dtype)

    def cpu(self) -> TypedStorage:
        """The storage, on the CPU."""
        return self if self.device.type == "cpu" else TypedStorage(UntypedStorage(self._flat.cpu()), dtype=self.dtype)

    def is_pinned(self) -> bool:
        """Always False: memory is not locked."""
        return False

    def pin_memory(self) -> TypedStorage:
        """The storage itself: memory is not locked."""
        return self

    def is_shared(self) -> bool:
        """Whether other processes see the memory: only a GPU's."""
        return self.is_cuda

    def share_memory_(self) -> TypedStorage:
        """The storage itself: other processes get copies."""
        return self

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TypedStorage) and (self.data_ptr(), self.dtype) == (other.data_ptr(), other.dtype)

    def __hash__(self) -> int:
        return hash(self.data_ptr())

    def __repr__(self) -> str:
        numbers = "\n ".join(map(str, self.tolist()))
        return (
            f" {numbers}\n[torch.storage.TypedStorage(dtype={self.dtype!r}, device={self.device}) of size {len(self)}]"
        )


class _Named(type):
    """Calls make storages of one dtype; ``isinstance`` asks for the dtype."""

    dtype: dtypes.dtype

    def __call__(cls, *args: Any, **options: Any) -> Any:
        return TypedStorage(*args, **{"dtype": cls.dtype, **options})

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, TypedStorage) and instance.dtype is cls.dtype

    def __repr__(cls) -> str:
        return f"<class 'torch.{cls.__name__}'>"


def _storage(name: str, d: dtypes.dtype) -> Any:
    return _Named(name, (), {"dtype": d, "__doc__": f"Memory as numbers of {d!r}."})


FloatStorage = _storage("FloatStorage", dtypes.float32)
DoubleStorage = _storage("DoubleStorage", dtypes.float64)
HalfStorage = _storage("HalfStorage", dtypes.float16)
BFloat16Storage = _storage("BFloat16Storage", dtypes.bfloat16)
LongStorage = _storage("LongStorage", dtypes.int64)
IntStorage = _storage("IntStorage", dtypes.int32)
ShortStorage = _storage("ShortStorage", dtypes.int16)
CharStorage = _storage("CharStorage", dtypes.int8)
ByteStorage = _storage("ByteStorage", dtypes.uint8)
BoolStorage = _storage("BoolStorage", dtypes.bool_)
NAMED = (
    FloatStorage, DoubleStorage, HalfStorage, BFloat16Storage, LongStorage, IntStorage, ShortStorage, CharStorage,
    ByteStorage, BoolStorage,
)  # fmt: skip
