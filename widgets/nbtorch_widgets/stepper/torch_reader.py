"""Reading the tape of a PyTorch or nbtorch tensor: the graph behind `grad_fn`, its values, and backward by its hooks.

Of PyTorch only the public surface is used: `next_functions`, the hooks and prehooks of nodes, the saved tensors
(`_saved_self`, documented under "Autograd mechanics") and `TorchFunctionMode`. nbtorch's nodes also know their records.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nbtorch_widgets.stepper.graph_reader import is_graph_tensor
from nbtorch_widgets.stepper.rules import RULES, Rule, library, snake
from nbtorch_widgets.stepper.tape import Array, Choose, Item, Products, StepperError, inputs_first

MOST = 240  # operations shown; what lies behind is cut off


def is_tensor(value: Any) -> bool:
    """Whether it is a tensor of PyTorch or nbtorch."""
    if not (hasattr(value, "grad_fn") and hasattr(value, "detach") and hasattr(value, "requires_grad")):
        return False
    return not is_graph_tensor(value)


def as_array(value: Any) -> Array:
    """Values as doubles, in memory of their own."""
    if is_tensor(value):
        value = value.detach()
        value = value.double() if value.dtype.is_floating_point else value
        value = value.cpu().numpy()
    return np.array(value, dtype=np.float64)


@dataclass
class Trace:
    """What was seen while the tape was recorded.

    Attributes:
        values: for each node its result.
        results: for each node its result as the tensor that later calls were given.
        operands: for nbtorch's nodes, the operands of its record, tensors and numbers.
        calls: how to do it again: (function of the operands, operands, results).
    """

    values: dict[Any, Any] = field(default_factory=dict)
    results: dict[Any, Any] = field(default_factory=dict)
    operands: dict[Any, tuple[Any, ...]] = field(default_factory=dict)
    calls: list[tuple[Any, Any, Any]] = field(default_factory=list)


@contextlib.contextmanager
def tracing(lib: Any) -> Iterator[Trace]:
    """Note the value of every operation that `lib` records meanwhile, in this thread."""
    trace = Trace()
    if lib.__name__ == "nbtorch":
        with _nbtorch_tracing(trace):
            yield trace
        return
    with _torch_mode(lib, trace):
        yield trace


def _torch_mode(lib: Any, trace: Trace) -> Any:
    class Mode(lib.overrides.TorchFunctionMode):  # type: ignore[misc]
        def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            out = func(*args, **(kwargs or {}))
            results = out if isinstance(out, (tuple, list)) else (out,)
            if any(is_tensor(r) and r.grad_fn is not None for r in results):
                trace.calls.append((func, (args, kwargs or {}), out))
                if is_tensor(out):
                    trace.values[out.grad_fn] = out.detach().clone()
                    trace.results[out.grad_fn] = out
            return out

    return Mode()


@contextlib.contextmanager
def _nbtorch_tracing(trace: Trace) -> Iterator[None]:
    from nbtorch.autograd.modes import grad_mode
    from nbtorch.ops.record import apply

    before = grad_mode.interceptor

    def intercept(make: Any, op: Any, mask: Any, inputs: Any, arrays: Any, out: Any, static: Any, result: Any) -> Any:
        grad_mode.interceptor = before
        try:
            node = make(op, mask, inputs, arrays, out, static, result)
        finally:
            grad_mode.interceptor = intercept
        if not isinstance(out, tuple):
            trace.values[node] = as_array(result.detach()) if is_tensor(result) else np.array(out, float)
            trace.results[node] = result
        trace.operands[node] = tuple(inputs)
        trace.calls.append((lambda *given: apply(op, given, static), (tuple(inputs), {}), result))
        return node

    grad_mode.interceptor = intercept
    try:
        yield
    finally:
        grad_mode.interceptor = before


def leading_to(trace: Trace, loss: Any) -> Trace:
    """The part of a trace that `loss` was computed by."""
    needed = {id(loss)}
    calls = []
    for call in reversed(trace.calls):
        _, (args, kwargs), out = call
        if any(id(made) in needed for made in _tensors(out)):
            calls.append(call)
            needed.update(id(given) for given in _tensors((args, list(kwargs.values()))))
    kept = {node for node, result in trace.results.items() if id(result) in needed}
    return Trace(
        {node: value for node, value in trace.values.items() if node in kept},
        {node: result for node, result in trace.results.items() if node in kept},
        {node: given for node, given in trace.operands.items() if node in kept},
        calls[::-1],
    )


def _tensors(value: Any) -> Iterator[Any]:
    if isinstance(value, (tuple, list)):
        for one in value:
            yield from _tensors(one)
    elif is_tensor(value):
        yield value


def replay(trace: Trace, loss: Any, replaced: dict[int, Any], double: bool) -> Any:
    """Do the recorded calls again with other leaves.

    Args:
        replaced: by the `id` of a leaf or a result what stands in its place.
        double: do it in double precision.
    """
    now: dict[int, Any] = dict(replaced)

    def renew(value: Any) -> Any:
        if id(value) in now:
            return now[id(value)]
        if isinstance(value, (tuple, list)):
            return type(value)(renew(v) for v in value)
        if is_tensor(value) and value.grad_fn is not None:
            raise StepperError("a part of this tape was made before the recording began")
        if double and is_tensor(value) and value.dtype.is_floating_point:
            now[id(value)] = value.detach().double()
            return now[id(value)]
        return value

    for function, (args, kwargs), out in trace.calls:
        made = function(*(renew(a) for a in args), **{name: renew(value) for name, value in kwargs.items()})
        pairs = zip(out, made, strict=True) if isinstance(out, (tuple, list)) else ((out, made),)
        for old, new in pairs:
            if id(old) not in replaced:
                now[id(old)] = new
    if id(loss) not in now:
        raise StepperError("the loss isn't the result of a recorded operation")
    return now[id(loss)]


class TorchReader:
    """The tape behind a scalar tensor."""

    def __init__(self, loss: Any, names: dict[int, str], trace: Trace | None = None) -> None:
        if not is_tensor(loss) or loss.grad_fn is None:
            raise StepperError(
                "there is no tape behind this value: nothing it was computed from requires a gradient. Make a leaf "
                "with requires_grad=True and compute the loss from it"
            )
        if loss.numel() != 1:
            raise StepperError(
                f"the stepper walks back from one number, and this tensor has the shape {tuple(loss.shape)}. "
                "Reduce it first, with .sum() or .mean()"
            )
        self._loss = loss
        self._lib = library(loss)
        self._trace = trace or Trace()
        self.items: list[Item] = []
        self._position: dict[Any, int] = {}
        self._read(names)
        self._fill_values()

    # ---- the graph ----

    @staticmethod
    def _edges(node: Any) -> list[Any]:
        """For each gradient of the node what it goes to: a node, or a leaf; None where it isn't wanted."""
        edges = getattr(node, "edges", None)
        if edges is not None:  # nbtorch: the operands of the record; PyTorch's node may show fewer
            return list(edges)
        targets = [target for target, _ in node.next_functions]
        return [getattr(target, "variable", target) if target is not None else None for target in targets]

    def _read(self, names: dict[int, str]) -> None:
        order = inputs_first(
            self._loss.grad_fn, lambda t: [] if is_tensor(t) else [edge for edge in self._edges(t) if edge is not None]
        )
        operations = [target for target in order if not is_tensor(target)]
        cut = {id(target) for target in operations[:-MOST]}
        kept = [t for t in order if not is_tensor(t) and id(t) not in cut]
        shown = {id(t) for node in kept for t in self._edges(node) if t is not None} | {id(t) for t in kept}
        self._named = names
        for target in order:
            if id(target) in shown:
                self._position[_key(target)] = len(self.items)
                self.items.append(self._item(target, names, id(target) in cut))

    def _item(self, target: Any, names: dict[int, str], cut: bool) -> Item:
        name = names.get(id(target), "")
        if is_tensor(target):
            return Item(name, "leaf", value=as_array(target), handle=target, named=bool(name))
        made_by = getattr(target, "op", None)
        op = snake(target.name())
        if made_by is not None and (made_by.name == "linear" or op == "rsub"):
            op = made_by.name  # nbtorch's records have their operands in the order of their own name
        item = Item(name, "cut" if cut else "op", op, handle=target, named=bool(name))
        value = self._trace.values.get(target)
        if value is None:
            value = _saved(target, "result", "out")
        if value is None and target is self._loss.grad_fn:
            value = self._loss
        item.value = None if value is None else as_array(value)
        if not cut:
            self._operands(item, target, made_by)
        return item

    def _operands(self, item: Item, node: Any, made_by: Any) -> None:
        edges = self._edges(node)
        traced = self._trace.operands.get(node)
        rule = RULES.get(item.op)
        for slot, target in enumerate(edges):
            item.slots.append(slot)
            if target is not None:
                item.operands.append(self._position.get(_key(target)))
                continue
            constant = traced[slot] if traced is not None and slot < len(traced) else None
            if constant is None:
                name = rule.names[slot] if rule is not None and slot < len(rule.names) else ""
                own = made_by.inputs[slot] if made_by is not None and slot < len(made_by.inputs) else ""
                constant = _saved(node, name, own)
            item.operands.append(None if constant is None else as_array(constant))
        if made_by is not None and item.op not in RULES:
            item.formula = made_by.formula
        if rule is not None:
            self._complete(item, node, rule)

    @staticmethod
    def _complete(item: Item, node: Any, rule: Rule) -> None:
        """Operands that have no slot for a gradient, such as a constant exponent."""
        while len(item.operands) > len(rule.names):
            if isinstance(item.operands[-1], int):
                return
            item.operands.pop()
            item.slots.pop()
        while len(item.operands) < len(rule.names):
            constant = _saved(node, rule.names[len(item.operands)])
            if item.op == "rsub" and len(item.operands) == 1:
                constant = None
            item.operands.append(None if constant is None else as_array(constant))
        while len(item.slots) < len(item.operands):
            item.slots.append(None)

    def _fill_values(self) -> None:
        """Find values that nobody kept: an operation's result is what the next one saved of its operand."""
        for item in self.items:
            rule = item.rule
            if item.kind != "op":
                continue
            for place, operand in enumerate(item.operands):
                if not isinstance(operand, int) or self.items[operand].value is not None:
                    continue
                own = getattr(getattr(item.handle, "op", None), "inputs", ())
                names = [rule.names[place]] if rule is not None and place < len(rule.names) else []
                names += [own[place]] if place < len(own) else []
                kept = _saved(item.handle, *names)
                if kept is not None and is_tensor(kept):
                    self.items[operand].value = as_array(kept)
        # What follows from what is known: an operand from the result, a result from the operands, a constant from both.
        for item in self.items[::-1]:
            if item.kind == "op" and item.rule is not None:
                self._solve(item, item.rule)
        for item in self.items:
            rule = item.rule
            if item.kind != "op" or rule is None:
                continue
            self._solve(item, rule)
            operands = [self.items[o].value if isinstance(o, int) else o for o in item.operands]
            if item.value is None and rule.run is not None and all(o is not None for o in operands):
                with contextlib.suppress(Exception):
                    tensors = [self._lib.tensor(o, dtype=self._lib.float64) for o in operands]
                    item.value = as_array(rule.run(*tensors))

    def _solve(self, item: Item, rule: Rule) -> None:
        values = [self.items[o].value if isinstance(o, int) else o for o in item.operands]
        unknown = [place for place, value in enumerate(values) if value is None]
        if len(unknown) != 1 or item.value is None or len(item.operands) != 2 or unknown[0] not in rule.solve:
            return
        other = values[1 - unknown[0]]
        if other is None or other.shape != item.value.shape:
            return
        with np.errstate(all="ignore"):
            found = np.asarray(rule.solve[unknown[0]](item.value, other), float)
        target = item.operands[unknown[0]]
        if isinstance(target, int):
            if np.isfinite(found).all() and self.items[target].kind == "op":
                self.items[target].value = found
        elif np.isfinite(found).all():
            # A constant number comes back as itself, without the last bits that the subtraction lost.
            rounded = np.round(found, 5)
            found = rounded if np.allclose(rounded, found, rtol=1e-6, atol=1e-6) else found
            same = found.size and np.all(found == found.flat[0])
            item.operands[unknown[0]] = np.array(found.flat[0]) if same else found

    # ---- backward ----

    def sweep(self, choose: Choose) -> Products:
        products: Products = {}
        handles: list[Any] = []
        leaves = [item.handle for item in self.items if item.kind == "leaf"]
        failure: list[BaseException] = []

        def attach(index: int, item: Item) -> None:
            def before(grads: Any) -> Any:
                # Only outputs that are used somewhere get a gradient; the first of them is what the walk shows.
                place = next((at for at, grad in enumerate(grads) if grad is not None), None)
                try:
                    wanted = choose(index, products)
                    if place is None or wanted is None:
                        return None
                    given = grads[place]
                    if wanted.shape != tuple(given.shape):
                        return None
                    made = self._lib.tensor(wanted, dtype=given.dtype, device=given.device)
                    return tuple(made if at == place else grad for at, grad in enumerate(grads))
                except Exception as error:
                    failure.append(error)
                    return None

            def after(grad_inputs: Any, grad_outputs: Any) -> None:
                edges = self._edges(item.handle)
                found = [None if grad is None else as_array(grad) for grad in grad_inputs]
                found = [None if grad is None else self._summed(item, slot, grad) for slot, grad in enumerate(found)]
                products[index] = (found + [None] * len(item.slots))[: max(len(edges), len(item.slots))]

            handles.append(item.handle.register_prehook(before))
            handles.append(item.handle.register_hook(after))

        try:
            for index, item in enumerate(self.items):
                if item.kind == "op":
                    attach(index, item)
            edge = self._lib.autograd.graph.GradientEdge
            targets = leaves + [edge(item.handle, 0) for item in self.items if item.kind == "cut"]
            ones = self._lib.ones_like(self._loss)
            self._lib.autograd.grad(self._loss, targets, ones, retain_graph=True, allow_unused=True)
        except RuntimeError as error:
            if "second time" in str(error):
                raise StepperError(
                    "backward() has used up this tape. Open the stepper before backward(), or call "
                    "loss.backward(retain_graph=True), or give a function: BackpropStepper(f, *leaves)"
                ) from error
            raise StepperError(f"backward over this tape fails: {error}") from error
        finally:
            for handle in handles:
                handle.remove()
        if failure:
            raise StepperError(f"the walk over this tape fails: {failure[0]}") from failure[0]
        return products

    def _summed(self, item: Item, slot: int, grad: Array) -> Array:
        """The gradient in the shape of the operand: nbtorch sums what was broadcast after its hooks have run."""
        operand = item.slots[slot] if slot < len(item.slots) else None
        target = item.operands[operand] if operand is not None else None
        value = self.items[target].value if isinstance(target, int) else None
        shape = getattr(self.items[target].handle, "shape", None) if isinstance(target, int) else None
        shape = value.shape if value is not None else shape if isinstance(shape, tuple) else None
        if shape is None or grad.shape == shape:
            return grad
        grad = grad.sum(axis=tuple(range(grad.ndim - len(shape))))
        axes = tuple(axis for axis, size in enumerate(shape) if size == 1 and grad.shape[axis] != 1)
        return np.asarray(grad.sum(axis=axes, keepdims=True) if axes else grad)


def _key(target: Any) -> Any:
    return ("leaf", id(target)) if is_tensor(target) else target


def _saved(node: Any, *names: str) -> Any:
    """The first of these that the node saved; None where there is none, or backward has freed it."""
    for name in names:
        if name:
            with contextlib.suppress(AttributeError, RuntimeError):
                found = getattr(node, f"_saved_{name}")
                if found is not None and (is_tensor(found) or isinstance(found, (int, float))):
                    return found
    return None
