"""What a tensor is asked of itself and is always so here: kinds of tensors that there are none of, and memory."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

from ..autograd.variable import TensorT, Variable
from ..backends.layouts import memory_order
from ..ops.creation import empty, tensor
from ..ops.memory import Memory, UntypedStorage
from ..ops.writing import check_writable
from .size import Size


class AttributeMethods(Variable):
    """Attributes and small methods of ``Tensor``."""

    __slots__ = ()

    is_quantized = is_meta = is_nested = is_mkldnn = is_mps = is_sparse_csr = is_xpu = is_xla = volatile = False
    is_ipu = is_maia = is_mtia = is_vulkan = is_hpu = False
    name = None  # PyTorch keeps a name of its own for tensors that others' tracers make

    @property
    def is_cpu(self) -> bool:
        """Whether it lives on the CPU."""
        return self._backend.device.type == "cpu"

    def is_conj(self) -> bool:
        """Always False: there are no complex tensors."""
        return False

    def is_neg(self) -> bool:
        """Always False: signs are never kept apart from the numbers."""
        return False

    def is_inference(self) -> bool:
        """Always False: tensors made in inference mode are ordinary ones."""
        return False

    def is_pinned(self, device: Any = None) -> bool:
        """Always False: memory is not locked."""
        return False

    def is_shared(self) -> bool:
        """Whether the memory can be seen from another process: never on the CPU."""
        return self._backend.device.type == "cuda"

    def pin_memory(self: TensorT, device: Any = None) -> TensorT:
        """The tensor itself: memory is not locked."""
        return self

    def resolve_conj(self: TensorT) -> TensorT:
        """The tensor itself: there are no complex ones."""
        return self

    def resolve_neg(self: TensorT) -> TensorT:
        """The tensor itself: signs are never kept apart from the numbers."""
        return self

    def is_nonzero(self) -> bool:
        """Whether the only element is not 0.

        Raises:
            RuntimeError: where there is not exactly one element.
        """
        return bool(self)

    def dim_order(self) -> tuple[int, ...]:
        """The dimensions from the outermost in memory to the innermost."""
        return tuple(memory_order(self._array.shape, self._array.strides))

    def storage(self) -> Any:
        """The memory behind the tensor as a row of numbers, a ``TypedStorage``, which all its views share."""
        from .storage import TypedStorage  # few programs need it

        return TypedStorage(wrap_storage=UntypedStorage(self), dtype=self._dtype())

    def storage_type(self) -> Any:
        """The type of :meth:`storage`."""
        from .storage import NAMED

        return next(kind for kind in NAMED if kind.dtype is self._dtype())

    def share_memory_(self: TensorT) -> TensorT:
        """The tensor itself: other processes get copies (a process that was forked sees what was there)."""
        return self

    def record_stream(self, stream: Any) -> None:
        """Accepted: CuPy's memory pool keeps memory for the stream that it was made on."""

    def to_dense(self: TensorT, dtype: Any = None, *, masked_grad: bool = True) -> TensorT:
        """The tensor itself, or in another dtype: tensors here are dense."""
        return self if dtype is None else self.to(dtype)  # type: ignore[attr-defined]

    def dense_dim(self) -> int:
        """The number of dimensions: all are dense."""
        return self._array.ndim

    def sparse_dim(self) -> int:
        """0: no dimension is sparse."""
        return 0

    def is_distributed(self) -> bool:
        """Always False: there is one process."""
        return False

    def const_data_ptr(self) -> int:
        """The address of the first element."""
        return self._backend.address(self._array)

    def new(self, *args: Any, device: Any = None) -> Any:
        """A tensor of this dtype and device: ``x.new(2, 3)`` without initial values, ``x.new([1, 2])`` with these."""
        like: dict[str, Any] = {"dtype": self._dtype(), "device": self._backend.device if device is None else device}
        if len(args) == 1 and not isinstance(args[0], int):
            source = args[0]
            if isinstance(source, Memory):
                return source._tensor(self._dtype())
            if isinstance(source, Variable):
                return source.view_as(source)  # type: ignore[attr-defined]
            return empty(source, **like) if isinstance(source, Size) else tensor(source, **like)
        return empty(*(args or (0,)), **like)

    def resize(self, *sizes: Any) -> Any:
        """The elements in another shape of as many; PyTorch has deprecated it.

        Raises:
            RuntimeError: for a shape of another number of elements.
        """
        return self._reshaped("resize", sizes[0] if len(sizes) == 1 and not isinstance(sizes[0], int) else sizes)

    def resize_as(self, tensor: Variable) -> Any:
        """As :meth:`resize`, to the shape of another tensor."""
        return self._reshaped("resize_as", tuple(tensor._array.shape))

    def _reshaped(self, function: str, shape: Any) -> Any:
        warnings.warn(f"non-inplace {function} is deprecated", stacklevel=3)
        if math.prod(shape) != self._array.size:
            raise RuntimeError(
                f"requested resize to {'x'.join(map(str, shape))} ({math.prod(shape)} elements in total), but the "
                f"given tensor has a size of {'x'.join(map(str, self._array.shape))} ({self._array.size} elements). "
                "autograd's "
                "resize can only change the shape of a given tensor, while preserving the number of elements."
            )
        return self.reshape(shape)  # type: ignore[attr-defined]

    def apply_(self: TensorT, callable: Callable[[Any], Any]) -> TensorT:
        """Each element becomes ``callable(element)``, in place and one at a time: slow, and on the CPU only.

        Raises:
            TypeError: for a tensor on another device.
            RuntimeError: for a tensor that requires grad.
        """
        return self._each_("apply_", callable)  # type: ignore[attr-defined]

    def map_(self: TensorT, tensor: Variable, callable: Callable[[Any, Any], Any]) -> TensorT:
        """Each element becomes ``callable(element, other)`` with the elements of ``tensor``, as ``apply_``."""
        return self._each_("map_", callable, tensor)  # type: ignore[attr-defined]

    def _each_(self: Any, name: str, callable: Callable[..., Any], *others: Any) -> Any:
        if self.requires_grad or any(o.requires_grad for o in others):
            raise RuntimeError(
                f"Can't call {name}() on Variable that requires grad. Use var.detach().{name}() instead."
            )
        if self._backend.device.type != "cpu":
            raise TypeError(f"{name} is only implemented on CPU tensors")
        check_writable(self)
        columns = [x.expand(self._array.shape)._array.reshape(-1).tolist() for x in (self, *others)]
        values = [callable(*row) for row in zip(*columns, strict=True)]
        self._array[...] = self.new_tensor(values)._array.reshape(self._array.shape)
        self._touch()
        return self
