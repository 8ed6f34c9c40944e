"""What a tensor is asked of itself and is always so here: kinds of tensors that there are none of, and memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..autograd.variable import TensorT, Variable
from ..backends.layouts import memory_order
from ..ops.memory import UntypedStorage
from ..ops.writing import check_writable


class AttributeMethods(Variable):
    """Attributes and small methods of ``Tensor``."""

    __slots__ = ()

    is_quantized = is_meta = is_nested = is_mkldnn = is_mps = is_sparse_csr = is_xpu = is_xla = False

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

    def storage(self) -> UntypedStorage:
        """The memory behind the tensor, as ``untyped_storage``."""
        return UntypedStorage(self)

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
