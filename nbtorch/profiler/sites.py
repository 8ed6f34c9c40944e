"""Which functions a profiler listens to, and under which names: PyTorch's, so that people's filters find them."""

from __future__ import annotations

import inspect
import os
import threading
from collections.abc import Callable, Iterator
from threading import get_ident
from time import perf_counter_ns
from types import FunctionType
from typing import Any

from .. import ops
from ..autograd import engine
from ..autograd.function import Function
from ..autograd.variable import Variable
from ..nn import Module
from ..ops import dispatch, record
from ..optim import Optimizer
from ..tensor import Tensor
from ..utils.data.passes import LoaderIterator
from ..utils.data.workers import InWorkers
from .flops import COUNTED_INSIDE, count_flops
from .recorder import FUNCTION, NODE, OP, USER, Recorder, Span, Wishes, note_bytes, recorder_here, recorders
from .swapping import Swap

__all__ = ["EVALUATE", "Session"]

Call = Callable[[Any, Any], Any]
EVALUATE = "autograd::engine::evaluate_function: "

# Records and functions whose operation has another name in PyTorch.
_NAMES = {
    "sum_dim": "sum", "mean_dim": "mean", "prod_dim": "prod", "max_dim": "max", "min_dim": "min",
    "median_dim": "median", "nanmedian_dim": "nanmedian", "median_index": "median", "squeeze_dim": "squeeze",
    "linear_no_bias": "linear", "to_copy": "_to_copy", "trunc_divide": "div", "clamp_by": "clamp",
    "gelu_tanh": "gelu", "logsigmoid": "log_sigmoid", "cross_entropy": "cross_entropy_loss", "sort_indices": "sort",
    "unique": "_unique2", "lstm_layer": "lstm", "gru_layer": "gru", "with_slope": "rrelu",
    "getitem_none": "unsqueeze", "set_slice": "copy_", "convolution_input": "convolution_backward",
    "convolution_weight": "convolution_backward", "constant_pad": "constant_pad_nd",
    **{f"{way}{n}d_aa": f"_{way}{n}d_aa" for way in ("upsample_bilinear", "upsample_bicubic") for n in (2,)},
    **{f"upsample_nearest_exact{n}d": f"_upsample_nearest_exact{n}d" for n in (1, 2, 3)},
    **{f"i{n}": f"special_i{n}" for n in ("0e", "1", "1e")},
    **{n: f"special_{n}" for n in ("zeta", "erfcx", "ndtr", "ndtri", "log_ndtr", "entr", "xlog1py")},
}  # fmt: skip
_METHODS = {
    "__add__": "add", "__radd__": "add", "__sub__": "sub", "__rsub__": "rsub", "__mul__": "mul", "__rmul__": "mul",
    "__truediv__": "div", "__rtruediv__": "div", "__floordiv__": "floor_divide", "__mod__": "remainder",
    "__pow__": "pow", "__rpow__": "pow", "__neg__": "neg", "__abs__": "abs", "__matmul__": "matmul",
    "__eq__": "eq", "__ne__": "ne", "__lt__": "lt", "__le__": "le", "__gt__": "gt", "__ge__": "ge",
    "__setitem__": "index_put_",
    "__invert__": "bitwise_not", "__iadd__": "add_", "__isub__": "sub_", "__imul__": "mul_", "__itruediv__": "div_",
    "__ifloordiv__": "floor_divide_", "__imod__": "remainder_", "__ipow__": "pow_",
    **dict.fromkeys(("cpu", "cuda", "float", "double", "half", "bfloat16", "long", "int", "short", "char", "byte",
                     "bool", "type_as"), "to"),
}  # fmt: skip
# Records that PyTorch's function of that name calls by another.
_RECORDS = {"layer_norm": "native_layer_norm"}
# Functions that compute nothing, and those that are no operation in PyTorch either: what they call is seen.
_SILENT = frozenset(
    (
        "as_tensor", "asarray", "broadcast_shapes", "can_cast", "from_numpy", "get_device", "get_rng_state",
        "initial_seed", "lu", "manual_seed", "new_tensor", "numel", "pca_lowrank", "promote_types", "requires_grad_",
        "result_type", "seed", "set_rng_state", "size", "softsign", "svd_lowrank", "tanhshrink", "tensor", "typename",
        "unravel_index", "untyped_storage",
    )
)  # fmt: skip


def _ours(name: str) -> bool:
    return not (name in _SILENT or name.startswith(("_", "is_")))


def _operations() -> Iterator[tuple[FunctionType, str]]:
    """The public operations and methods, each function once, with PyTorch's name."""
    late = ops.load_all()
    seen: set[int] = set()

    def fresh(function: Any) -> bool:
        if not isinstance(function, FunctionType) or id(function) in seen:
            return False
        seen.add(id(function))
        return True

    for name in sorted({*ops.__all__, *late}):
        function = getattr(ops, name)
        known = getattr(function, "__name__", name)
        if _ours(known) and fresh(function):
            yield function, f"aten::{_NAMES.get(known, known)}"
    for cls in Tensor.__mro__:
        for name in list(vars(cls)):
            if cls.__module__.startswith("nbtorch.ops.") or name in ("item", "detach"):
                listed = _METHODS.get(name, name)
                method = getattr(Tensor, name)  # some are loaded when they are first looked at
                if _ours(listed) and fresh(method):
                    yield method, f"aten::{_NAMES.get(listed, listed)}"


def _finish(recorder: Recorder, span: Any, args: Any, kwargs: Any, result: Any) -> None:
    """What is known of an operation when it is done."""
    if type(result) is tuple:
        first = next((t for t in result if isinstance(t, Variable)), None)
    else:
        first = result if isinstance(result, Variable) else None
    if first is not None and first._grad_fn is not None:
        span.sequence_nr = first._grad_fn.sequence_nr
    if recorder.memory:
        note_bytes(span, result, (*args, *kwargs.values()))
    if recorder.flops and first is not None:
        if span.flops != COUNTED_INSIDE:
            span.flops = count_flops(span.name, args, first)
        if span.flops and span.parent is not None:
            span.parent.flops = COUNTED_INSIDE


def _operation(name: str) -> Callable[[FunctionType], Call]:
    def wrap(plain: FunctionType) -> Call:
        def call(args: Any, kwargs: Any) -> Any:
            recorder = recorder_here()
            # A method that calls the function of its name is one operation with it.
            if recorder is None or ((top := recorder.top) is not None and top.name is name):
                return plain(*args, **kwargs)
            span = recorder.open(name, OP)
            if recorder.shapes:
                recorder.note_inputs(span, args, kwargs)
            try:
                result = plain(*args, **kwargs)
            finally:
                recorder.close(span)
            _finish(recorder, span, args, kwargs, result)
            return result

        return call

    return wrap


_names: dict[str, str] = {}  # of a record, its event's: one string each, so that comparing them is quick


def _recorded(spread: bool) -> Callable[[FunctionType], Call]:
    """``apply``, ``unary``, ``binary``: how records are run. ``spread``: whether the inputs come as one tuple."""

    def wrap(plain: FunctionType) -> Call:
        def call(args: Any, kwargs: Any) -> Any:
            recorder = recorder_here()
            if recorder is None:
                return plain(*args, **kwargs)
            op = args[0]
            name = _names.get(op.name)
            if name is None:
                name = _names[op.name] = _intern(f"aten::{_RECORDS.get(op.name) or _NAMES.get(op.name, op.name)}")
            if (top := recorder.top) is not None and top.name is name:
                return plain(*args, **kwargs)
            inputs = args[1] if spread else args[1:]
            span = recorder.open(name, OP)
            if recorder.shapes:
                recorder.note_inputs(span, inputs, {})
            try:
                result = plain(*args, **kwargs)
            finally:
                recorder.close(span)
            _finish(recorder, span, inputs, {}, result)
            return result

        return call

    return wrap


_interned: dict[str, str] = {}


def _intern(name: str) -> str:
    return _interned.setdefault(name, name)


def _gradient(g: Any) -> Any:
    g = getattr(g, "_array", g)
    return (g.shape, g.strides, g.dtype) if hasattr(g, "strides") else type(g)


def _node(plain: FunctionType) -> Call:
    """``_run`` of the engine: one node of the graph."""

    def call(args: Any, kwargs: Any) -> Any:
        recorder = recorder_here()
        if recorder is None:
            return plain(*args, **kwargs)
        node, g = args[0], args[1]
        span = recorder.open(node.name(), NODE)
        span.sequence_nr = node.sequence_nr
        if recorder.shapes:
            span.inputs = [_gradient(x) for x in (g if type(g) in (list, tuple) else (g,))]
        saved = node.saved
        try:
            result = plain(*args, **kwargs)
        finally:
            recorder.close(span)
        if recorder.memory:
            note_bytes(span, result, (g, *saved) if type(saved) is tuple else (g,))
        return result

    return call


def _accumulate(plain: FunctionType) -> Call:
    """``accumulate_grad`` of the engine: a gradient arrives at its leaf."""

    def call(args: Any, kwargs: Any) -> Any:
        recorder = recorder_here()
        if recorder is None:
            return plain(*args, **kwargs)
        leaf, grad = args[0], args[1]
        held = leaf._grad
        span = recorder.open("torch::autograd::AccumulateGrad", NODE)
        if recorder.shapes:
            span.inputs = [_gradient(grad)]
        try:
            result = plain(*args, **kwargs)
        finally:
            recorder.close(span)
        if recorder.memory and held is None:
            note_bytes(span, leaf._grad, (grad,))
        return result

    return call


def _named(name_of: Callable[[Any], str], kind: int = USER) -> Callable[[FunctionType], Call]:
    """A method whose name depends on the object; a call of the same name within is part of it."""

    def wrap(plain: FunctionType) -> Call:
        def call(args: Any, kwargs: Any) -> Any:
            recorder = recorder_here()
            if recorder is None or (kind == FUNCTION and not recorder.modules):
                return plain(*args, **kwargs)
            name = name_of(args[0])
            if (top := recorder.top) is not None and top.name == name and kind != FUNCTION:
                return plain(*args, **kwargs)
            span = recorder.open(name, kind)
            if recorder.shapes:
                recorder.note_inputs(span, args[1:], kwargs)
            try:
                result = plain(*args, **kwargs)
            finally:
                recorder.close(span)
            if kind == OP:
                _finish(recorder, span, args[1:], kwargs, result)
            return result

        return call

    return wrap


def _of_optimizer(method: str) -> Callable[[FunctionType], Call]:
    return _named(lambda optimizer: f"Optimizer.{method}#{type(optimizer).__name__}.{method}")


def _made(plain: FunctionType) -> Call:
    """``Optimizer.__init__``: classes written since the profiler started are listened to as well."""

    def call(args: Any, kwargs: Any) -> Any:
        _listen_to(_optimizer_methods([type(args[0])]))
        return plain(*args, **kwargs)

    return call


def _optimizer_methods(classes: list[type]) -> Iterator[tuple[FunctionType, Callable[[FunctionType], Call]]]:
    for cls in classes:
        for method in ("step", "zero_grad"):
            function = inspect.getattr_static(cls, method, None)
            if isinstance(function, FunctionType):
                yield function, _of_optimizer(method)


def _subclasses(root: type) -> list[type]:
    found, stack = [], [root]
    while stack:
        cls = stack.pop()
        found.append(cls)
        stack += cls.__subclasses__()
    return found


def _name_of_pass(iterator: Any) -> str:
    kind = "_MultiProcessingDataLoaderIter" if isinstance(iterator, InWorkers) else "_SingleProcessDataLoaderIter"
    return f"enumerate(DataLoader)#{kind}.__next__"


def _sites() -> Iterator[tuple[FunctionType, Callable[[FunctionType], Call]]]:
    for function, name in _operations():
        yield function, _operation(_intern(name))
    yield _function(record.apply), _recorded(True)
    yield _function(dispatch.unary), _recorded(False)
    yield _function(dispatch.binary), _recorded(False)
    yield _function(engine._run), _node
    yield _function(engine.accumulate_grad), _accumulate
    yield Function.apply.__func__, _named(lambda cls: cls.__name__, OP)  # type: ignore[attr-defined]
    yield from _optimizer_methods(_subclasses(Optimizer)[1:])
    yield _function(Optimizer.zero_grad), _of_optimizer("zero_grad")
    yield _function(Optimizer.__init__), _made
    yield _function(LoaderIterator.__next__), _named(_name_of_pass)
    yield _function(Module.__call__), _named(lambda module: f"nn.Module: {type(module).__name__}", FUNCTION)


def _function(function: Any) -> FunctionType:
    assert isinstance(function, FunctionType)
    return function


_lock = threading.RLock()
_swapped: dict[int, Swap] = {}


def _listen_to(sites: Iterator[tuple[FunctionType, Callable[[FunctionType], Call]]]) -> None:
    with _lock:
        for function, wrap in sites:
            if id(function) not in _swapped:
                _swapped[id(function)] = Swap(function, wrap)


def _forget() -> None:
    """In a forked process nobody is profiled: a worker that makes batches is as fast as ever."""
    recorders.clear()
    _unlisten()


def _unlisten() -> None:
    if _swapped:
        engine.listeners -= 1
    for swap in _swapped.values():
        swap.undo()
    _swapped.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


class Session:
    """A look at what this thread does, from now until :meth:`end`. Sessions may overlap in any way.

    Attributes:
        spans: what was noted, in the order of beginning; complete after the end.
        begin, end_time: in nanoseconds of ``time.perf_counter_ns``.
    """

    def __init__(self, wishes: Wishes) -> None:
        self._wishes = wishes
        self.spans: list[Span] = []
        self.end_time = 0
        with _lock:
            if not _swapped:
                _listen_to(_sites())
                engine.listeners += 1
            recorder = recorder_here()
            if recorder is None:
                recorder = recorders[get_ident()] = Recorder()
            recorder.wishes.append(wishes)
            recorder.heed()
        self.recorder = recorder
        self._first = len(recorder.spans)
        self.begin = perf_counter_ns()

    def end(self) -> None:
        """Stops. With the last session of a thread it is no longer listened to, and with the last thread all functions
        are as they were. A second call does nothing."""
        if self.end_time:
            return
        self.end_time = perf_counter_ns()
        recorder = self.recorder
        self.spans = recorder.spans[self._first :]
        with _lock:
            recorder.wishes.remove(self._wishes)
            recorder.heed()
            if recorder.wishes:
                return
            recorder.top = None
            recorder.spans = []
            if recorders.get(recorder.thread) is recorder:
                del recorders[recorder.thread]
            if not recorders:
                _unlisten()
