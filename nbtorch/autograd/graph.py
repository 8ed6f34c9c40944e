"""Looking at the graph and into it: ``torch.autograd.graph``."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any

from .engine import will_reach
from .forward import pack_new
from .hooks import RemovableHandle
from .modes import grad_mode
from .node import AccumulateGrad, GradientEdge, Node
from .packing import pop_hooks, push_hooks
from .variable import Variable

__all__ = [
    "GradientEdge", "Node", "allow_mutation_on_saved_tensors", "disable_saved_tensors_hooks", "get_gradient_edge",
    "increment_version", "register_multi_grad_hook", "save_on_cpu", "saved_tensors_hooks",
]  # fmt: skip


def get_gradient_edge(tensor: Any) -> GradientEdge:
    """The place where the gradient of ``tensor`` arrives.

    Raises:
        RuntimeError: for a tensor that requires no gradient.
    """
    if not tensor.requires_grad:
        raise RuntimeError(
            "It is not possible to get the gradient edge for a Tensor that does not require gradients\n"
            "  fix: x.requires_grad_() before the forward pass"
        )
    node = tensor.grad_fn
    return GradientEdge(AccumulateGrad(tensor), 0) if node is None else GradientEdge(node, tensor.output_nr)


def increment_version(tensor: Any) -> None:
    """Says that the memory of a tensor (or of several) was changed in a way that can't be seen here.

    Backward then raises where it needs the old numbers.
    """
    for t in (tensor,) if isinstance(tensor, Variable) else tensor:
        t._touch()


class saved_tensors_hooks:
    """Inside, ``pack_hook(tensor)`` is called for each tensor that is saved for backward, and what it returns is kept.

    When backward needs the tensor, ``unpack_hook(kept)`` has to give a tensor with the same numbers. Where such blocks
    are nested the innermost counts. The hooks must not change their argument in place.
    """

    def __init__(self, pack_hook: Callable[[Any], Any], unpack_hook: Callable[[Any], Any]) -> None:
        self.pack_hook = pack_hook
        self.unpack_hook = unpack_hook

    def __enter__(self) -> None:
        push_hooks(self.pack_hook, self.unpack_hook, pack_new)

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        pop_hooks()


class save_on_cpu(saved_tensors_hooks):
    """Inside, what is saved for backward waits on the CPU, and returns to its device when it is needed.

    Args:
        pin_memory: accepted for PyTorch's sake.
        device_type: likewise.
    """

    def __init__(self, pin_memory: bool = False, device_type: str = "cuda") -> None:
        def pack(t: Any) -> Any:
            held = t.detach()
            return t.device, held.clone() if t.device.type == "cpu" else held.cpu()

        def unpack(kept: Any) -> Any:
            device, t = kept
            return t.to(device)

        super().__init__(pack, unpack)


class disable_saved_tensors_hooks:
    """Inside, setting hooks for saved tensors raises a RuntimeError with this message."""

    def __init__(self, error_message: str) -> None:
        self._message = error_message

    def __enter__(self) -> None:
        self._before = grad_mode.hooks_refused
        grad_mode.hooks_refused = self._message

    def __exit__(self, *exc: object) -> None:
        grad_mode.hooks_refused = self._before


class _Copies:
    """The copies that a block of :class:`allow_mutation_on_saved_tensors` holds."""

    def __init__(self) -> None:
        self.kept: dict[int, Any] = {}

    def clear(self) -> None:
        """Lets go of everything."""
        self.kept.clear()


class allow_mutation_on_saved_tensors:
    """Inside, tensors that were saved for backward may be changed in place: backward gets the numbers of before.

    The graph keeps copies for that, and backward has to run inside the block.
    """

    def __enter__(self) -> _Copies:
        self._copies = copies = _Copies()

        def pack(t: Any) -> int:
            key = len(copies.kept)
            copies.kept[key] = t.detach().clone()
            return key

        def unpack(key: int) -> Any:
            if key not in copies.kept:
                raise AssertionError(
                    "Trying to backward outside of the 'allow_mutation_on_saved_tensors' context in which the graph "
                    "was originally recorded."
                )
            return copies.kept[key]

        push_hooks(pack, unpack, pack_new)
        return copies

    def __exit__(self, *exc: object) -> None:
        pop_hooks()
        self._copies.clear()


class _Handles(RemovableHandle):
    """Removes several hooks at once."""

    __slots__ = ("_handles",)

    def __init__(self, handles: Sequence[RemovableHandle]) -> None:
        self._handles = tuple(handles)

    def remove(self) -> None:
        for handle in self._handles:
            handle.remove()


def register_multi_grad_hook(
    tensors: Sequence[Any], fn: Callable[[Any], None], *, mode: str = "all"
) -> RemovableHandle:
    """Calls ``fn`` when the gradients of several tensors are known.

    Args:
        tensors: all of them must require a gradient.
        fn: with mode "all" it gets the list of the gradients, None for tensors that this backward doesn't reach, when
            the last one is known; with "any" the first one that is known.
        mode: "all" or "any".

    Raises:
        ValueError: for another mode.
        RuntimeError: for a tensor that requires no gradient.
    """
    if mode not in ("all", "any"):
        raise ValueError(f"Expects mode to be one of ('all', 'any') but got {mode}")
    lock = threading.Lock()
    count = len(tensors)
    places = [get_gradient_edge(t) for t in tensors]
    state: dict[str, Any] = {"run": None}

    def make(i: int) -> Callable[[Any], None]:
        def on_grad(grad: Any) -> None:
            run = grad_mode.running
            with lock:
                if state["run"] is not run:
                    state.update(run=run, seen=0, done=False, grads=[None] * count)
                    state["expected"] = sum(will_reach(run, p.node) for p in places)
                state["grads"][i] = grad
                state["seen"] += 1
                ready = not state["done"] and (mode == "any" or state["seen"] == state["expected"])
                if ready:
                    state["done"] = True
            if ready:
                fn(grad if mode == "any" else state["grads"])

        return on_grad

    return _Handles([t.register_hook(make(i)) for i, t in enumerate(tensors)])
