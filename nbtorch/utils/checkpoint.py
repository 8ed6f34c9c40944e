"""Memory for time: what a part of the forward pass saves is thrown away and computed again when backward needs it."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from ..annex import name_what_is_missing
from ..autograd import Function
from ..autograd import backward as run_backward
from ..autograd.graph import saved_tensors_hooks
from ..autograd.modes import enable_grad, grad_mode, is_grad_enabled, no_grad
from ..autograd.packing import Packed
from ..autograd.variable import Variable, shared_storage
from ..ops.generator import get_rng_state, set_rng_state

__all__ = [
    "CheckpointError", "CheckpointFunction", "check_backward_validity", "checkpoint", "checkpoint_sequential",
    "detach_variable", "get_device_states", "noop_context_fn", "set_checkpoint_debug_enabled",
    "set_checkpoint_early_stop", "set_device_states",
]  # fmt: skip


class CheckpointError(RuntimeError):
    """The second run of a checkpointed function saved other tensors than the first."""


_settings: dict[str, bool | None] = {"early_stop": None}


@contextlib.contextmanager
def set_checkpoint_early_stop(enable: bool) -> Iterator[None]:
    """Inside, the second run of a function stops (or doesn't) as soon as everything that was saved is there again."""
    before, _settings["early_stop"] = _settings["early_stop"], enable
    try:
        yield
    finally:
        _settings["early_stop"] = before


@contextlib.contextmanager
def set_checkpoint_debug_enabled(enabled: bool | None) -> Iterator[None]:
    """Accepted for PyTorch's sake: the errors here always say what differs."""
    yield


def noop_context_fn() -> tuple[Any, Any]:
    """Two contexts that do nothing, for the first run and for the second."""
    return contextlib.nullcontext(), contextlib.nullcontext()


def check_backward_validity(inputs: Iterable[Any]) -> None:
    """Warns where no input requires a gradient: nothing inside would get one, then."""
    if not any(t.requires_grad for t in inputs if isinstance(t, Variable)):
        warnings.warn("None of the inputs have requires_grad=True. Gradients will be None", stacklevel=2)


def detach_variable(inputs: Any) -> tuple[Any, ...]:
    """The tensors as leaves over the same memory.

    Raises:
        RuntimeError: for anything but a tuple.
    """
    if not isinstance(inputs, tuple):
        raise RuntimeError(f"Only tuple of tensors is supported. Got Unsupported input type: {type(inputs).__name__}")
    return tuple(
        t.detach().requires_grad_(t.requires_grad) if isinstance(t, Variable) else t  # type: ignore[attr-defined]
        for t in inputs
    )


def get_device_states(*args: Any) -> tuple[list[int], list[Any]]:
    """The GPUs of the tensors among ``args`` and the states of their generators: none, as the host draws for all."""
    return [], []


def set_device_states(devices: Sequence[int], states: Sequence[Any], *, device_type: str | None = None) -> None:
    """Sets what :func:`get_device_states` gave: nothing, as the host draws for every device."""


@contextlib.contextmanager
def _random_as(state: Any) -> Iterator[None]:
    """Inside, random numbers are drawn as from ``state`` on; None leaves them alone."""
    if state is None:
        yield
        return
    before = get_rng_state()
    set_rng_state(state)
    try:
        yield
    finally:
        set_rng_state(before)


def checkpoint(
    function: Callable[..., Any],
    *args: Any,
    use_reentrant: bool | None = None,
    context_fn: Callable[[], tuple[Any, Any]] = noop_context_fn,
    determinism_check: str = "default",
    debug: bool = False,
    early_stop: bool = True,
    **kwargs: Any,
) -> Any:
    """``function(*args, **kwargs)``, whose inner tensors are not kept for backward but computed again.

    Args:
        function: gives the same when it is run again.
        use_reentrant: False, the way to choose: what the function saves is replaced by a promise, and everything else
            works as without checkpoint. True: the function is one node, whose backward runs a backward of its own;
            tensors must then be positional arguments, and ``autograd.grad`` can't be used.
        context_fn: gives two contexts, for the first run and for the second.
        determinism_check: "default" compares shape, dtype and device of what the two runs save, "none" doesn't.
        debug: accepted for PyTorch's sake.
        early_stop: the second run ends as soon as everything that was saved is there again.
        preserve_rng_state: draw the same random numbers in the second run (the default).

    Raises:
        ValueError: for options that ``use_reentrant=True`` doesn't have.
        CheckpointError: in backward, where the second run saved other tensors than the first.
    """
    if use_reentrant is None:
        warnings.warn(
            "torch.utils.checkpoint: the use_reentrant parameter should be passed explicitly. use_reentrant=False is "
            "recommended; it is True now, as in PyTorch.",
            stacklevel=2,
        )
        use_reentrant = True
    preserve = kwargs.pop("preserve_rng_state", True)
    if use_reentrant:
        if kwargs:
            raise ValueError("Unexpected keyword arguments: " + ",".join(kwargs))
        if context_fn is not noop_context_fn or debug is not False:
            raise ValueError("Passing `context_fn` or `debug` is only supported when use_reentrant=False.")
        return CheckpointFunction.apply(function, preserve, *args)
    if determinism_check not in ("default", "none"):
        raise ValueError(f"determinism_check should be one of ['default', 'none'] but got {determinism_check}")
    first_context, second_context = context_fn()
    if not is_grad_enabled():
        return function(*args, **kwargs)
    frame = _Frame(function, args, kwargs, get_rng_state() if preserve else None, second_context)
    frame.compares = determinism_check == "default"
    chosen = _settings["early_stop"]
    frame.stops = early_stop if chosen is None else chosen
    with saved_tensors_hooks(frame.pack, _Slot.tensor), first_context:
        return function(*args, **kwargs)


class _Stop(Exception):
    """Everything is there again."""


class _Slot:
    """Stands in the graph for a tensor that will be computed again."""

    __slots__ = ("_frame", "_index")

    def __init__(self, frame: _Frame, index: int) -> None:
        self._frame, self._index = frame, index

    def tensor(self) -> Any:
        return self._frame.recomputed(self._index)


class _Frame:
    """One checkpointed call: how to run it again, and what it saved."""

    def __init__(
        self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], state: Any, context: Any
    ) -> None:
        self._function, self._kwargs, self._state, self._context = function, kwargs, state, context
        # Within another checkpoint the inputs are its to compute again.
        self._args = [Packed(a) if isinstance(a, Variable) and grad_mode.hooks else a for a in args]
        self._wanted = [isinstance(a, Variable) and a.requires_grad for a in args]
        self._guards = [
            (storage, storage.version) for a in self._args if isinstance(a, Variable) for storage in [shared_storage(a)]
        ]
        self._kinds: list[Any] = []
        self._found: dict[int, Any] = {}
        self._run: Any = None
        self.compares = self.stops = True

    def pack(self, t: Any) -> _Slot:
        """What the graph keeps in the first run."""
        self._kinds.append(_kind(t))
        return _Slot(self, len(self._kinds) - 1)

    def recomputed(self, index: int) -> Any:
        """The tensor saved as number ``index``, from a second run: one for each backward."""
        run = grad_mode.running
        if run is None or self._run is not run:
            self._run_again()
            self._run = run
        if index not in self._found:
            raise CheckpointError(
                "torch.utils.checkpoint: Unpack is being triggered for a tensor that was either never recomputed, or "
                "already unpacked once. If you are calling ctx.saved_tensors in backward, make sure to do so only once."
            )
        t = self._found.pop(index)
        if not self._found:
            self._run = None
        return t

    def _run_again(self) -> None:
        for storage, version in self._guards:
            storage.refresh()
            if storage.version != version:
                raise RuntimeError(
                    "one of the variables needed for gradient computation has been modified by an inplace operation\n"
                    "  tensor: an argument of a checkpointed function, which has to run again\n"
                    "  fix: change it after backward(), or give checkpoint a copy with x.clone()"
                )
        found: dict[int, Any] = {}
        expected = len(self._kinds)
        count = 0

        def pack(t: Any) -> Any:
            nonlocal count
            if count < expected:
                found[count] = t.detach()
            count += 1
            if count == expected and self.stops:
                raise _Stop
            return t.detach()

        def unpack(t: Any) -> Any:
            return t

        args = [
            a.tensor().detach().requires_grad_(wanted) if type(a) is Packed else a
            for a, wanted in zip(self._args, self._wanted, strict=True)
        ]
        hooks = saved_tensors_hooks(pack, unpack)
        with contextlib.suppress(_Stop), _random_as(self._state), enable_grad(), hooks, self._context:
            self._function(*args, **self._kwargs)
        if count != expected:
            raise CheckpointError(
                "torch.utils.checkpoint: A different number of tensors was saved during the original forward and "
                f"recomputation.\nNumber of tensors saved during forward: {expected}\n"
                f"Number of tensors saved during recomputation: {count}.\n"
                "  fix: the function must do the same in both runs; give what it depends on as arguments"
            )
        if self.compares:
            different = [(i, k, _kind(found[i])) for i, k in enumerate(self._kinds) if _kind(found[i]) != k]
            if different:
                lines = "".join(
                    f"tensor at position {i}:\nsaved metadata: {k}\nrecomputed metadata: {now}\n"
                    for i, k, now in different
                )
                raise CheckpointError(
                    "torch.utils.checkpoint: Recomputed values for the following tensors have different metadata than "
                    f"during the forward pass.\n{lines}"
                )
        self._found = found


def _kind(t: Any) -> dict[str, Any]:
    return {"shape": tuple(t.shape), "dtype": t.dtype, "device": t.device}


class CheckpointFunction(Function):
    """The function of ``use_reentrant=True``: one node, whose backward runs it again and goes back through that."""

    @staticmethod
    def forward(ctx: Any, run_function: Callable[..., Any], preserve_rng_state: bool, *args: Any) -> Any:
        check_backward_validity(args)
        ctx.run_function = run_function
        ctx.state = get_rng_state() if preserve_rng_state else None
        ctx.others = [None if isinstance(a, Variable) else a for a in args]
        ctx.places = [i for i, a in enumerate(args) if isinstance(a, Variable)]
        ctx.save_for_backward(*[a for a in args if isinstance(a, Variable)])
        with no_grad():
            return run_function(*args)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        if grad_mode.running is None or grad_mode.running[1] is not None:
            raise RuntimeError(
                "When use_reentrant=True, torch.utils.checkpoint is incompatible with .grad() or passing an `inputs` "
                "parameter to .backward(). To resolve this error, you can either set use_reentrant=False, or call "
                ".backward() without passing the `inputs` argument."
            )
        inputs = list(ctx.others)
        for i, t in zip(ctx.places, ctx.saved_tensors, strict=True):
            inputs[i] = t
        leaves = detach_variable(tuple(inputs))
        with _random_as(ctx.state), enable_grad():
            outputs = ctx.run_function(*leaves)
        outputs = (outputs,) if isinstance(outputs, Variable) else outputs
        pairs = [
            (out, g) for out, g in zip(outputs, grads, strict=True) if isinstance(out, Variable) and out.requires_grad
        ]
        if not pairs:
            raise RuntimeError("none of output has requires_grad=True, this checkpoint() is not necessary")
        run_backward([out for out, _ in pairs], [g for _, g in pairs])
        return None, None, *[t.grad if isinstance(t, Variable) else None for t in leaves]


def checkpoint_sequential(
    functions: Any, segments: int, input: Any, use_reentrant: bool | None = None, **kwargs: Any
) -> Any:
    """Functions applied one after the other, in ``segments`` checkpointed pieces; the last piece is not checkpointed.

    Args:
        functions: a list of functions, or a ``nn.Sequential``.
        segments: how many pieces.
        input: what the first one gets.
        use_reentrant: as in :func:`checkpoint`.
        preserve_rng_state: likewise.
    """
    if use_reentrant is None:
        warnings.warn(
            "torch.utils.checkpoint.checkpoint_sequential: the use_reentrant parameter should be passed explicitly. "
            "use_reentrant=False is recommended; it is True now, as in PyTorch.",
            stacklevel=2,
        )
        use_reentrant = True
    preserve = kwargs.pop("preserve_rng_state", True)
    if kwargs:
        raise ValueError("Unexpected keyword arguments: " + ",".join(kwargs))
    steps: Sequence[Any] = list(functions.children()) if hasattr(functions, "children") else functions

    def piece(start: int, end: int) -> Callable[[Any], Any]:
        def run(x: Any) -> Any:
            for step in steps[start:end]:
                x = step(x)
            return x

        return run

    size = len(steps) // segments
    end = 0
    for start in range(0, size * (segments - 1), size):
        end = start + size
        input = checkpoint(piece(start, end), input, use_reentrant=use_reentrant, preserve_rng_state=preserve)
    return piece(end, len(steps))(input)


name_what_is_missing(globals())
