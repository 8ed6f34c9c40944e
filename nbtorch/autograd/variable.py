"""What the graph knows of a tensor: its array, its gradient, the node that made it, and the memory it shares.

``Variable`` is the base of ``nbtorch.Tensor``; the methods that compute are added above, by ``ops`` and ``tensor``.
"""

from __future__ import annotations

import os
import sys
import weakref
import zlib
from types import CodeType
from typing import Any, TypeVar

import numpy as np

from ..backends.base import Array, Backend
from ..backends.dtypes import dtype, from_numpy_dtype
from .modes import switch_recording

TensorT = TypeVar("TensorT", bound="Variable")

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
Where = tuple[CodeType, int]


# The files seen so far: nbtorch's own, and those of its users. A set is asked faster than a path is compared.
ours: set[str] = set()
outside: set[str] = set()


def is_ours(filename: str) -> bool:
    """Whether a file is nbtorch's; one that isn't is among ``outside`` from then on."""
    if filename in ours:
        return True
    if filename.startswith(_PACKAGE):
        ours.add(filename)
        return True
    if len(outside) > 10_000:  # a program that compiles code without end
        outside.clear()
    outside.add(filename)
    return False


def where_called(depth: int = 1) -> Where:
    """The place in the user's code that called into nbtorch: a code object and an offset, read only when needed.

    Args:
        depth: how many callers are nbtorch's for sure and need no look.
    """
    frame: Any = sys._getframe(depth)
    while (code := frame.f_code).co_filename not in outside:
        if frame.f_back is None or not is_ours(code.co_filename):
            break
        frame = frame.f_back
    return code, frame.f_lasti


def describe_where(where: Where | None) -> str:
    """``where`` as ``line 3 of step() in train.py``."""
    if where is None:
        return "a place that was not recorded"
    code, offset = where
    line = code.co_firstlineno
    for start, end, number in code.co_lines():
        if start <= offset < end and number is not None:
            line = number
    name = "" if code.co_name == "<module>" else f" of {code.co_name}()"
    return f"line {line}{name} in {code.co_filename}"


class Storage:
    """What all views of one block of memory share: how often it was changed, and which NumPy arrays can change it.

    Created only when needed: when a view is taken, when the graph saves the tensor, or when it is handed to NumPy.
    """

    __slots__ = ("__dict__", "changed", "exports", "version")

    # What is rare has its default here, so that making a storage costs no more than what every one needs.
    # Set once a base of this memory changed its own shape in place (``t_``): what its views replayed no longer fits it,
    # and ``relaid(base, view)`` gives the steps that find the view by its place in memory.
    relaid: Any = None
    # Where a NumPy array that was written to had been handed out.
    handed: Where | None = None
    # Where the last detached tensor over this memory was made, and whether a gradient was let go.
    detached: Where | None = None
    freed: bool = False
    # Of ``x.data``: the storage of ``x``. The two count changes apart, as PyTorch's do.
    origin: Storage | None = None

    def __init__(self) -> None:
        self.version = 0
        self.changed: Where | None = None
        self.exports: list[_Export] | None = None

    def refresh(self) -> None:
        """Counts a write made through a NumPy array that shares the memory as one more change."""
        if self.exports is None:
            return
        kept = []
        for export in self.exports:
            now = digest(export.region)
            if now != export.digest:
                export.digest = now
                self.version += 1
                self.changed, self.handed = None, export.where
            if export.alive is None or export.alive() is not None:
                kept.append(export)
        self.exports = kept or None


class _Export:
    """An array of the same memory in the user's hands; ``alive`` is None where its end can't be known."""

    __slots__ = ("alive", "digest", "region", "where")

    def __init__(self, region: np.ndarray[Any, Any], alive: weakref.ref[Any] | None) -> None:
        self.region = region
        self.alive = alive
        self.digest = digest(region)
        self.where = where_called(3)


def digest(region: np.ndarray[Any, Any]) -> int:
    """A checksum of the bytes of an array."""
    return zlib.crc32(np.ascontiguousarray(region).reshape(-1).view(np.uint8).data)


# Views whose history can't be made anew, as in PyTorch: one of several results, and one made under no_grad.
SEVERAL, UNRECORDED = 1, 2
Steps = tuple[tuple[Any, tuple[Any, ...]], ...]


class View:
    """How a view came from its base, so that its history can be made anew after the base was changed in place.

    Attributes:
        replay: the view operations that lead from the base to the view, each with its static arguments.
        seen: the base's node when the view's history was last made.
        kind: 0, or why the history can't be made anew: ``SEVERAL`` or ``UNRECORDED``.
    """

    __slots__ = ("base", "kind", "replay", "seen")

    def __init__(self, base: Variable, replay: Steps, kind: int) -> None:
        self.base = base
        self.replay = replay
        self.seen: Any = base._grad_fn
        self.kind = kind


class Variable:
    """An array in a graph: the state behind ``nbtorch.Tensor``.

    Attributes:
        _array: the numbers, an array of ``_backend``.
        _grad_fn: the node whose output this is; None for a leaf.
        _output_nr: which output of that node.
        _view: set for a view of another tensor.
    """

    __slots__ = (
        "__dict__", "__weakref__", "_array", "_backend", "_grad", "_grad_fn", "_hooks", "_output_nr",
        "_requires_grad", "_storage", "_view",
    )  # fmt: skip
    _is_node = False
    _result_class: type[Variable]

    _array: Array
    _backend: Backend
    _grad: Variable | None
    _grad_fn: Any
    _hooks: Any
    _output_nr: int
    _requires_grad: bool
    _storage: Storage | None
    _view: View | None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        # What an operation on this class gives. A class whose results are plain tensors says so in its body.
        if "_result_class" not in cls.__dict__:
            cls._result_class = cls

    __hash__ = object.__hash__

    # -- the graph's side ---
    @property
    def requires_grad(self) -> bool:
        """Whether gradients flow to this tensor. Set it on leaves of floating dtype only."""
        if self._view is not None:
            sync_view(self)
        return self._requires_grad and (self._grad_fn is None or self._grad_fn.receives)

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        self.requires_grad_(value)

    def requires_grad_(self: TensorT, requires_grad: bool = True) -> TensorT:
        """Starts (or stops) recording what is done with this leaf; returns the tensor itself.

        Raises:
            RuntimeError: on a tensor that was computed, and on one of integer or bool dtype.
        """
        if self.grad_fn is not None and not requires_grad:
            raise RuntimeError(
                "you can only change requires_grad flags of leaf variables. This tensor was computed by "
                f"{self.grad_fn.name()}.\n  fix: to use its value without gradient, take x.detach()"
            )
        if requires_grad and not self._dtype().is_floating_point:
            raise RuntimeError(
                "only Tensors of floating point dtype can require gradients\n"
                f"  got: a tensor of shape {tuple(self._array.shape)} and dtype {self._dtype()!r}\n"
                "  fix: make it with dtype=torch.float32, or convert with x.float()"
            )
        if self.grad_fn is None:
            self._requires_grad = bool(requires_grad)
        return self

    @property
    def grad(self) -> Any:
        """The gradient that backward has added up so far; None before the first backward."""
        return self._grad

    @grad.setter
    def grad(self, value: Variable | None) -> None:
        if value is not None:
            if not isinstance(value, Variable):
                raise TypeError(
                    f"assigned grad expected to be a Tensor or None but got grad of type {type(value).__name__}\n"
                    "  fix: wrap the numbers with torch.tensor(...)"
                )
            if value._array.shape != self._array.shape:
                raise RuntimeError(
                    "assigned grad has data of a different size\n"
                    f"  expected: shape {tuple(self._array.shape)}\n  got: shape {tuple(value._array.shape)}"
                )
            if value._array.dtype != self._array.dtype:
                raise RuntimeError(
                    "assigned grad has data of a different type\n"
                    f"  expected: {self._dtype()!r}\n  got: {value._dtype()!r}"
                )
            if value._backend is not self._backend:
                raise RuntimeError(
                    "assigned grad has data located on a different device\n"
                    f"  expected: {self._backend.device}\n  got: {value._backend.device}"
                )
        elif self._grad is not None and self._storage is not None:
            self._storage.freed = True
        self._grad = value

    @grad.deleter
    def grad(self) -> None:
        self._grad = None

    @property
    def grad_fn(self) -> Any:
        """The node that computed this tensor; None for a leaf."""
        if self._view is not None:
            sync_view(self)
        node = self._grad_fn
        return node if node is None or node.receives else None

    @property
    def output_nr(self) -> int:
        """Which output of ``grad_fn`` this is."""
        return self._output_nr

    @property
    def is_leaf(self) -> bool:
        """Whether no recorded operation made this tensor; only leaves get a ``grad`` by themselves."""
        return self.grad_fn is None

    @property
    def _version(self) -> int:
        """How many times this tensor's memory was changed in place."""
        if self._storage is None:
            return 0
        self._storage.refresh()
        return self._storage.version

    @property
    def _base(self) -> Variable | None:
        """The tensor that this one is a view of."""
        return None if self._view is None else self._view.base

    def _dtype(self) -> dtype:
        return from_numpy_dtype(self._array.dtype)

    def _touch(self) -> None:
        """Records that the memory was just changed in place."""
        storage = shared_storage(self)
        storage.version += 1
        storage.changed = where_called()


_new = object.__new__
_tensor_class: type[Variable] = Variable


def register_tensor_class(cls: type[Variable]) -> None:
    """Says which class new tensors are of; called once, by ``nbtorch.tensor``."""
    global _tensor_class
    _tensor_class = cls


def wrap(array: Array, backend: Backend, cls: type[Any] | None = None) -> Any:
    """A tensor around ``array``, which must be an array of ``backend``; nothing is copied."""
    t = _new(_tensor_class if cls is None else cls)
    t._array = array
    t._backend = backend
    t._grad = t._grad_fn = t._hooks = t._storage = t._view = None
    t._output_nr = 0
    t._requires_grad = False
    return t


def shared_storage(t: Variable) -> Storage:
    """The storage record of a tensor, made at the first call."""
    storage = t._storage
    if storage is None:
        storage = t._storage = Storage()
    return storage


def alias(t: TensorT) -> TensorT:
    """A new leaf over the same memory, sharing the version counter: what ``detach`` gives."""
    out: TensorT = wrap(t._array, t._backend, t._result_class)
    out._storage = shared_storage(t)
    return out


def unguarded(t: TensorT) -> TensorT:
    """A new leaf over the same memory whose changes the graph doesn't see: what ``data`` gives."""
    out: TensorT = wrap(t._array, t._backend, t._result_class)
    out._storage = Storage()
    shared = shared_storage(t)
    out._storage.origin = shared.origin or shared
    return out


def expose(t: Variable, array: np.ndarray[Any, Any], lasting: bool) -> np.ndarray[Any, Any]:
    """Hands the memory of ``t`` to the user as a NumPy array, noted so that writes through it are noticed.

    Args:
        t: a tensor on the host.
        array: its array.
        lasting: the user's own array, whose end can't be known (``from_numpy``).
    """
    storage = shared_storage(t)
    if lasting:
        handed, alive = array, None
    else:
        # A base that is not an ndarray keeps NumPy from collapsing the chain: slices of ``handed`` hold ``handed``.
        handed = np.asarray(_Interface(array))
        if handed.dtype != array.dtype:  # a dtype that the protocol can't name, such as bfloat16
            handed = handed.view(array.dtype)
        alive = weakref.ref(handed)
    for watched in (storage, storage.origin):
        if watched is not None:
            if watched.exports is None:
                watched.exports = []
            watched.exports.append(_Export(array, alive))
    return handed


class _Interface:
    __slots__ = ("__array_interface__", "_keep")

    def __init__(self, array: np.ndarray[Any, Any]) -> None:
        self.__array_interface__ = array.__array_interface__
        self._keep = array


def sync_view(t: Variable) -> None:
    """Makes a view's history anew if its base was changed in place since it was last looked at."""
    view: Any = t._view
    base = view.base
    if base._grad_fn is view.seen:
        return
    view.seen = base._grad_fn
    if base._grad_fn is None:
        return
    if view.kind:
        view.seen = None
        raise RuntimeError(why_not_rebased(t, "its base or another view of its base has been modified inplace"))
    before = switch_recording(True)
    try:
        fresh = base
        for op, static in steps_to(t):
            fresh = op.run(fresh, static)
    finally:
        switch_recording(before)
    t._grad_fn, t._output_nr, t._requires_grad = fresh._grad_fn, fresh._output_nr, True


def steps_to(t: Variable) -> Steps:
    """The view operations that lead from the base of the view ``t``, as the base is now, to it."""
    view: Any = t._view
    relaid = None if t._storage is None else t._storage.relaid
    return view.replay if relaid is None else relaid(view.base, t)


def why_not_rebased(t: Variable, what: str) -> str:
    """Why the view ``t`` of a kind of its own can't get a new history after ``what`` happened."""
    view: Any = t._view
    if view.kind == UNRECORDED:
        return (
            f"A view was created in no_grad mode and {what} with grad mode enabled. Given that this use case is "
            "ambiguous and error-prone, it is forbidden.\n"
            "  fix: put both the view and the change inside no_grad (it is not recorded then), or both outside"
        )
    name = "a function" if t._grad_fn is None else t._grad_fn.name().removesuffix("Backward0")
    return (
        f"Output {t._output_nr} of {name} is a view and {what}. This view is the output of a function that returns "
        "multiple views. Such functions do not allow the output views to be modified inplace.\n"
        "  fix: use the out-of-place form, or take the piece alone with narrow(), select() or square brackets"
    )
