"""``Tensor``: an array with a place in the graph, and PyTorch's methods."""

from __future__ import annotations

import copy
import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..autograd.api import tensor_backward
from ..autograd.explain import why_no_grad
from ..autograd.hooks import Hook, RemovableHandle, add_hook
from ..autograd.node import leaf_hooks
from ..autograd.variable import TensorT, Variable, alias, expose, register_tensor_class, unguarded, where_called, wrap
from ..backends import dtypes, get_backend
from ..backends.device import device as Device
from ..backends.dtypes import dtype as DType
from ..backends.dtypes import get_default_dtype
from ..backends.layouts import strided
from ..ops.activation import ActivationMethods
from ..ops.comparison import ComparisonMethods
from ..ops.conversion import ConversionMethods
from ..ops.creation import CreationMethods, empty
from ..ops.creation import tensor as make_tensor
from ..ops.elementary import ElementaryMethods
from ..ops.filling import RandomMethods
from ..ops.indexing import IndexingMethods
from ..ops.inplace import InplaceMethods
from ..ops.joining import JoiningMethods
from ..ops.later import LaterMethods
from ..ops.layouts import LayoutMethods
from ..ops.linalg import LinalgMethods
from ..ops.memory import Memory, MemoryMethods
from ..ops.numeric import NumericMethods
from ..ops.operands import normalize_dim
from ..ops.pieces import PiecesMethods
from ..ops.pointwise import PointwiseMethods
from ..ops.record import apply_view
from ..ops.reduction import ReductionMethods
from ..ops.shape import ALIAS, ShapeMethods
from .attributes import AttributeMethods
from .dlpack import dlpack, dlpack_device
from .numpy_protocol import array_function, array_ufunc
from .printing import tensor_text
from .refusals import AbsentMethods
from .size import Size

_LEGACY_NAMES = {
    "float32": "Float", "float64": "Double", "float16": "Half", "bfloat16": "BFloat16", "int64": "Long",
    "int32": "Int", "int16": "Short", "int8": "Char", "uint8": "Byte", "bool": "Bool",
}  # fmt: skip

_NO_GRADIENT = "{}\n  fix: x.requires_grad_() before the forward pass, outside no_grad()"


class Tensor(
    PointwiseMethods,
    ElementaryMethods,
    NumericMethods,
    ComparisonMethods,
    ReductionMethods,
    ShapeMethods,
    MemoryMethods,
    JoiningMethods,
    PiecesMethods,
    IndexingMethods,
    LinalgMethods,
    ActivationMethods,
    ConversionMethods,
    CreationMethods,
    LayoutMethods,
    RandomMethods,
    InplaceMethods,
    LaterMethods,
    AttributeMethods,
    AbsentMethods,
):
    """A multi-dimensional array whose operations are recorded where a gradient is wanted.

    Make one with ``tensor(data)``, ``zeros(2, 3)`` and the like. The methods are those of PyTorch's ``Tensor``.
    """

    __slots__ = ()
    __array_priority__ = 1000
    __hash__ = object.__hash__

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        return super().__new__(cls)

    def __init__(self, *args: Any, device: Any = None) -> None:
        # torch.Tensor(2, 3) is uninitialised, torch.Tensor([2, 3]) holds the data; always of the default dtype.
        if len(args) == 1 and isinstance(args[0], Variable):
            source = args[0]
        elif len(args) == 1 and isinstance(args[0], (list, tuple, np.ndarray)) and not isinstance(args[0], Size):
            source = make_tensor(args[0], dtype=get_default_dtype(), device=device or "cpu")
        elif len(args) == 1 and isinstance(args[0], Memory):
            source = args[0]._tensor(get_default_dtype())
        elif len(args) == 1 and isinstance(args[0], (str, float, bool)):
            name = type(args[0]).__name__
            raise TypeError(
                "new(): invalid data type 'str'" if name == "str" else f"new(): data must be a sequence (got {name})"
            )
        else:
            source = empty(*(args or (0,)), device=device or "cpu")
        for slot in (
            "_array",
            "_backend",
            "_grad",
            "_grad_fn",
            "_hooks",
            "_output_nr",
            "_requires_grad",
            "_storage",
            "_view",
        ):
            setattr(self, slot, getattr(source, slot))

    # -- what it is ---
    @property
    def shape(self) -> Size:
        """The sizes of the dimensions."""
        return tuple.__new__(Size, self._array.shape)  # an array's shape needs no checks

    @property
    def dtype(self) -> DType:
        """The type of the elements."""
        return self._dtype()

    @property
    def device(self) -> Device:
        """Where the numbers live."""
        return self._backend.device

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return self._array.ndim

    @property
    def itemsize(self) -> int:
        """Bytes per element."""
        return self._array.dtype.itemsize

    @property
    def nbytes(self) -> int:
        """Bytes of all elements."""
        return self.numel() * self.itemsize

    @property
    def is_cuda(self) -> bool:
        """Whether it lives on a GPU."""
        return self._backend.device.type == "cuda"

    @property
    def is_sparse(self) -> bool:
        """Always False: tensors here are dense."""
        return False

    @property
    def layout(self) -> Any:
        """Always ``torch.strided``."""
        return strided

    def size(self, dim: int | None = None) -> Any:
        """The shape, or the size of one dimension."""
        if dim is None:
            return self.shape
        return int(self._array.shape[normalize_dim(dim, self._array.ndim, "size")])

    def dim(self) -> int:
        """The number of dimensions."""
        return self._array.ndim

    ndimension = dim

    def numel(self) -> int:
        """The number of elements."""
        return int(self._array.size)

    nelement = numel

    def element_size(self) -> int:
        """Bytes per element."""
        return self.itemsize

    def stride(self, dim: int | None = None) -> Any:
        """For each dimension (or one) how many elements of memory lie between neighbours."""
        array = self._array
        strides = tuple(s // array.dtype.itemsize for s in array.strides)
        if 0 in strides:
            strides = _strides_as_told(array.shape, strides)
        return strides if dim is None else strides[normalize_dim(dim, self.ndim, "stride")]

    def storage_offset(self) -> int:
        """How many elements of its memory come before the first."""
        return self._backend.storage_offset(self._array)

    def data_ptr(self) -> int:
        """The address of the first element."""
        return self._backend.address(self._array)

    def is_contiguous(self, memory_format: Any = None) -> bool:
        """Whether the elements lie without gaps in row-major order, or in that of a memory format."""
        array = self._array
        if memory_format is None or memory_format.order is None:
            return bool(array.flags.c_contiguous)
        if array.ndim != len(memory_format.order):
            return False
        return bool(array.transpose(memory_format.order).flags.c_contiguous)

    def is_floating_point(self) -> bool:
        """Whether the dtype is a floating one."""
        return self._dtype().is_floating_point

    def is_complex(self) -> bool:
        """Always False: complex dtypes are not supported."""
        return False

    def is_signed(self) -> bool:
        """Whether the dtype can hold negative values."""
        return self._dtype().is_signed

    def is_same_size(self, other: Variable) -> bool:
        """Whether the shapes are equal."""
        return bool(self._array.shape == other._array.shape)

    def get_device(self) -> int:
        """The number of the GPU, -1 for the CPU."""
        index = self._backend.device.index
        return -1 if index is None else index

    def type(self, dtype: Any = None) -> Any:
        """The name of the tensor's type; with ``dtype`` (also an old name or type), the tensor converted to it.

        Raises:
            ValueError: for a name that is no tensor type.
            TypeError: for anything that says no dtype.
        """
        if dtype is Tensor:
            dtype = get_default_dtype()
        elif isinstance(dtype, str):
            return self._of_type(dtype)
        elif isinstance(dtype, type):  # FloatTensor and its kin
            old: Any = dtype
            return self.to("cuda" if old.is_cuda else "cpu", old.dtype)
        if dtype is not None:
            return self.to(dtype)
        kind = _LEGACY_NAMES[str(self._dtype()).removeprefix("torch.")]
        prefix = "torch.cuda." if self.is_cuda else "torch."
        return f"{prefix}{kind}Tensor"

    def _of_type(self, name: str) -> Any:
        where = "cuda" if name.startswith("torch.cuda.") else "cpu"
        kind = name.removeprefix("torch.").removeprefix("cuda.")
        for known, old in _LEGACY_NAMES.items():
            if kind == f"{old}Tensor" and name.startswith("torch."):
                return self.to(where, getattr(dtypes, "bool_" if known == "bool" else known))
        raise ValueError(f"invalid type: {name!r}")

    # -- its numbers ---
    def item(self) -> Any:
        """The only element, as a Python number.

        Raises:
            RuntimeError: where there is not exactly one.
        """
        array = self._array
        if array.size != 1:
            raise RuntimeError(
                f"a Tensor with {array.size} elements cannot be converted to Scalar\n  got: shape "
                f"{tuple(array.shape)}\n"
                "  fix: index one element first, reduce it (.mean(), .sum()), or take .tolist()"
            )
        return array.item()

    def tolist(self) -> Any:
        """Nested lists of Python numbers; a number for a 0-d tensor."""
        return self._backend.to_host(self._array).tolist()

    def numpy(self, *, force: bool = False) -> np.ndarray[Any, Any]:
        """A NumPy array over the same memory: writing to one is seen in the other.

        A write into it after the graph has saved this tensor is noticed, and backward raises.

        Args:
            force: detach and copy to the CPU first where needed.

        Raises:
            RuntimeError: for a tensor that requires grad.
            TypeError: for one that is not on the CPU.
        """
        if self.requires_grad and not force:
            raise RuntimeError(
                "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.\n"
                "  why: NumPy does not record, so no gradient would flow through what it computes"
            )
        if self._backend.device.type != "cpu":
            if not force:
                raise TypeError(
                    f"can't convert {self._backend.device} device type tensor to numpy. Use Tensor.cpu() to copy the "
                    "tensor "
                    "to host memory first."
                )
            return self._backend.to_host(self._array)
        return expose(self, self._array, lasting=False)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        array = self.numpy()
        if dtype is None or array.dtype == dtype:
            return array.copy() if copy else array
        if copy is False:
            raise ValueError(f"a tensor of {self.dtype!r} can't be seen as a {np.dtype(dtype)} array without a copy")
        return array.astype(dtype)

    __array_ufunc__ = array_ufunc
    __array_function__ = array_function

    __dlpack__ = dlpack
    __dlpack_device__ = dlpack_device

    def __bool__(self) -> bool:
        array = self._array
        if array.size != 1:
            if array.size == 0:
                raise RuntimeError(
                    "Boolean value of Tensor with no values is ambiguous\n  fix: x.numel() > 0 or x.any()"
                )
            raise RuntimeError(
                "Boolean value of Tensor with more than one value is ambiguous\n"
                f"  got: shape {tuple(array.shape)}\n  fix: ask for (x > 0).all() or (x > 0).any()"
            )
        return bool(array.item())

    def _number(self) -> Any:
        if self._array.size != 1:
            raise ValueError(
                "only one element tensors can be converted to Python scalars\n"
                f"  got: shape {tuple(self._array.shape)}\n"
                "  fix: index one element, reduce it (.mean()), or take .tolist()"
            )
        return self._array.item()

    def __float__(self) -> float:
        return float(self._number())

    def __int__(self) -> int:
        return int(self._number())

    def __index__(self) -> int:
        if self._array.dtype.kind not in "iub" or self._array.size != 1:
            raise TypeError("only integer tensors of a single element can be converted to an index")
        return int(self.item())

    def __complex__(self) -> complex:
        return complex(self._number())

    def __len__(self) -> int:
        if not self._array.ndim:
            raise TypeError("len() of a 0-d tensor")
        return int(self._array.shape[0])

    def __iter__(self) -> Iterator[Any]:
        if not self._array.ndim:
            raise TypeError("iteration over a 0-d tensor\n  fix: x.item() for the number itself")
        return iter(self.unbind(0))

    def __reversed__(self: TensorT) -> TensorT:
        return self.flip(0) if self._array.ndim else self  # type: ignore[attr-defined]

    def __contains__(self, element: Any) -> bool:
        if isinstance(element, (Variable, bool, int, float)):
            return bool((self == element).any())
        raise RuntimeError(f"Tensor.__contains__ only supports Tensor or scalar, but you passed in a {type(element)}.")

    # -- text ---
    def __repr__(self) -> str:
        return tensor_text(self)

    def __format__(self, spec: str) -> str:
        if not self._array.ndim and self._array.size:
            return format(self.item(), spec) if spec else str(self.item()) if type(self) is Tensor else repr(self)
        return object.__format__(self, spec)

    # -- the graph ---
    backward = tensor_backward

    def detach(self: TensorT) -> TensorT:
        """A leaf over the same memory that requires no gradient."""
        out = alias(self)
        if self._requires_grad and out._storage is not None:
            out._storage.detached = where_called(2)  # for why_no_grad()
        return out

    def why_no_grad(self, of: Variable | None = None) -> str:
        """Explains why ``.grad`` is None: an answer in words, with the lines of the program that are to blame.

        Args:
            of: the tensor that ``backward()`` is called on: with it, the way between the two is looked at.
        """
        return why_no_grad(self, of)

    @property
    def data(self) -> Any:
        """As ``detach``: the same memory, outside the graph. Assign a tensor to replace the numbers.

        A change through it is not seen by a graph that saved the numbers: its gradient comes out of the new ones, as in
        PyTorch. A change through ``detach()``, or through ``data.numpy()``, is.
        """
        return unguarded(self)

    @data.setter
    def data(self, value: Variable) -> None:
        if not isinstance(value, Variable):
            raise TypeError(
                f"Variable data has to be a tensor, but got {type(value).__name__}\n  fix: torch.tensor(...)"
            )
        if value._dtype().category != self._dtype().category and self._requires_grad:
            raise RuntimeError("data set to a tensor that requires gradients must be floating point or complex dtype")
        if self._view is not None:
            self._view = None
        if self._storage is not None:
            self._touch()
        self._array, self._backend, self._storage = value._array, value._backend, None

    def as_subclass(self, cls: Any) -> Any:
        """A view of the whole tensor, of the class ``cls`` (a subclass of ``Tensor``): same memory, in the graph.

        Raises:
            TypeError: where ``cls`` is no subclass of ``Tensor``.
        """
        if not (isinstance(cls, type) and issubclass(cls, Tensor)):
            raise TypeError(f"as_subclass: expected a subclass of Tensor, got {cls!r}")
        seen = apply_view(ALIAS, self)
        out = wrap(seen._array, self._backend, cls)
        for slot in ("_grad_fn", "_output_nr", "_requires_grad", "_storage", "_view"):
            setattr(out, slot, getattr(seen, slot))
        return out

    def register_hook(self, hook: Hook) -> RemovableHandle:
        """``hook(grad)`` runs when this tensor's gradient is known; what it returns replaces the gradient.

        Raises:
            RuntimeError: for a tensor that requires no gradient.
        """
        if not self.requires_grad:
            raise RuntimeError(_NO_GRADIENT.format("cannot register a hook on a tensor that doesn't require gradient"))
        node = self.grad_fn
        return (leaf_hooks(self) if node is None else node._hooks()).on_tensor(self._output_nr, hook)

    def register_post_accumulate_grad_hook(self, hook: Hook) -> RemovableHandle:
        """``hook(tensor)`` runs after this leaf's ``.grad`` was added to.

        Raises:
            RuntimeError: for a tensor that is not a leaf, or requires no gradient.
        """
        if not self.requires_grad:
            raise RuntimeError(_NO_GRADIENT.format("cannot register a hook on a tensor that doesn't require gradient"))
        if self.grad_fn is not None:
            raise RuntimeError("post accumulate grad hooks cannot be registered on non-leaf tensors")
        return add_hook(leaf_hooks(self).post, hook)

    def retain_grad(self) -> None:
        """Keeps the ``.grad`` of a computed tensor too.

        Raises:
            RuntimeError: for a tensor that requires no gradient.
        """
        if not self.requires_grad:
            raise RuntimeError(_NO_GRADIENT.format("can't retain_grad on Tensor that has requires_grad=False"))
        if self.grad_fn is not None:
            self.grad_fn._hooks().retain[self._output_nr] = weakref.ref(self)

    @property
    def retains_grad(self) -> bool:
        """Whether ``retain_grad`` was called on this computed tensor."""
        node = self.grad_fn
        return node is not None and node.hooks is not None and self._output_nr in node.hooks.retain

    # -- copies ---
    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        if not self.is_leaf:
            raise RuntimeError(
                "Only Tensors created explicitly by the user (graph leaves) support the deepcopy protocol at the "
                "moment.\n"
                f"  got: a tensor computed by {self.grad_fn.name()}\n  fix: copy x.detach(), or x.clone() to stay in "
                "the graph"
            )
        if id(self) in memo:
            return memo[id(self)]
        out = wrap(self._backend.copy(self._array), self._backend, type(self))
        out._requires_grad = self._requires_grad
        memo[id(self)] = out
        if self._grad is not None:
            out._grad = copy.deepcopy(self._grad, memo)
        if self.__dict__:
            out.__dict__.update(copy.deepcopy(self.__dict__, memo))
        return out

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        host = np.ascontiguousarray(self._backend.to_host(self._array)).reshape(self._array.shape)
        return (_rebuild, (type(self), host, str(self._backend.device), self._requires_grad, dict(self.__dict__)))


def _strides_as_told(shape: Any, strides: Any) -> tuple[int, ...]:
    """Array modules give 0 where no step is ever taken; PyTorch tells what it would be."""
    out = list(strides)
    empty = 0 in shape
    after = 1
    for d in range(len(shape) - 1, -1, -1):
        if out[d] == 0 and (empty or shape[d] == 1):
            out[d] = after
        after = max(shape[d], 1) * out[d]
    return tuple(out)


def _rebuild(
    cls: type[Any], host: np.ndarray[Any, Any], where: str, requires_grad: bool, attributes: dict[str, Any]
) -> Any:
    backend = get_backend(where)
    t = wrap(backend.from_host(host.copy()), backend, cls)
    t._requires_grad = requires_grad
    t.__dict__.update(attributes)
    return t


register_tensor_class(Tensor)
