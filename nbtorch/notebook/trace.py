"""Walk an autograd graph through PyTorch's public surface and describe it in plain data.

Only ``grad_fn``, ``next_functions``, ``name()`` and the ``variable`` of an ``AccumulateGrad`` node are relied on, so a
graph of nbtorch and one of PyTorch are read alike. The walk keeps its own stack: a graph may be a million deep.
"""

from __future__ import annotations

import gc
import re
from array import array
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Literal, NamedTuple

Kind = Literal["leaf", "operation", "constant", "result"]


class TracedNode(NamedTuple):
    """One box of the drawing."""

    kind: Kind
    label: str
    """Name of a leaf or result ("" if unknown), friendly name of an operation."""
    shape: tuple[int, ...] | None
    """Shape of the tensor that the box stands for, where the graph knows it."""
    alias: str = ""
    """The user's name for the output of an operation, where there is one."""


class Trace(NamedTuple):
    """A whole graph: boxes in an order in which inputs come before their consumers, edges in the direction of data."""

    nodes: list[TracedNode]
    edges: list[tuple[int, int]]
    depth: int


class Survey(NamedTuple):
    """What is said about a graph that is too large to draw."""

    operations: Counter[str]
    """How often each operation occurs, by friendly name."""
    leaves: int
    edges: int
    depth: int
    """Operations on the longest path."""
    path_start: list[str]
    path_end: list[str]
    """First and last labels on the longest path, in the direction of data."""


class Names(NamedTuple):
    """Names by identity; ``tensors`` holds what is named, so that no identity can be reused meanwhile."""

    leaves: dict[int, str]
    outputs: dict[int, str]
    tensors: list[Any]


class Scan(NamedTuple):
    """Every node reachable from the roots, inputs before consumers."""

    functions: list[Any]
    numbers: dict[Any, int]
    """The place of each node in ``functions``."""
    depths: array[int]
    deepest_inputs: array[int]
    edge_count: int


def is_tensor(value: object) -> bool:
    """Whether ``value`` is a tensor of any library with PyTorch's surface (looked up on the type: no side effects)."""
    return hasattr(type(value), "grad_fn") and hasattr(type(value), "requires_grad")


def is_module(value: object) -> bool:
    return not isinstance(value, type) and hasattr(type(value), "named_parameters")


def collect_names(*sources: Mapping[str, Any]) -> Names:
    """Names of the tensors and of the parameters of the modules in ``sources``.

    A module's parameter is named by the module before a plain variable may name it: after
    ``for p in model.parameters()`` the variable ``p`` is still there, and says less.
    """
    names = Names({}, {}, [])
    for source in sources:
        for name, value in source.items():
            if is_module(value):
                prefix = f"{name}." if name else ""
                for inner, tensor in value.named_parameters():
                    _name(names, prefix + inner, tensor)
        for name, value in source.items():
            if is_tensor(value):
                _name(names, name, value)
    return names


def _name(names: Names, name: str, tensor: Any) -> None:
    names.tensors.append(tensor)
    if tensor.grad_fn is None:
        names.leaves.setdefault(id(tensor), name)
    else:
        names.tensors.append(tensor.grad_fn)
        names.outputs.setdefault(id(tensor.grad_fn), name)


def scan(roots: Iterable[Any]) -> Scan:
    """Visit every node once, depth first, arguments from left to right; memory is linear with a small constant."""
    # The walk makes containers that all survive, which Python's collector would search again and again for garbage:
    # without it, a million nodes take half the time.
    collecting = gc.isenabled()
    gc.disable()
    try:
        return _scan(roots)
    finally:
        if collecting:
            gc.enable()


def _scan(roots: Iterable[Any]) -> Scan:
    # Keyed by the nodes, not by their ids: that keeps them alive, and a leaf may be met as several equal nodes.
    numbers: dict[Any, int] = {}
    functions: list[Any] = []
    depths, deepest_inputs = array("q"), array("q")
    edge_count = 0
    opened = -1
    for root in roots:
        stack = [root]
        while stack:
            function = stack[-1]
            state = numbers.get(function)
            if state is None:
                numbers[function] = opened
                for source, _ in reversed(function.next_functions):
                    if source is not None and source not in numbers:
                        stack.append(source)
                continue
            stack.pop()
            if state != opened:
                continue  # reached before, through another consumer
            depth, deepest = 0, -1
            for source, _ in function.next_functions:
                if source is not None:
                    edge_count += 1
                    k = numbers[source]
                    if depths[k] >= depth:
                        depth, deepest = depths[k] + 1, k
            numbers[function] = len(functions)
            functions.append(function)
            depths.append(depth)
            deepest_inputs.append(deepest)
    return Scan(functions, numbers, depths, deepest_inputs, edge_count)


def trace(roots: Mapping[str, Any], scanned: Scan, names: Names) -> Trace:
    """Describe a scanned graph box by box; ``roots`` maps a name to each tensor that the graph computes."""
    nodes: list[TracedNode] = []
    edges: list[tuple[int, int]] = []
    box_of_function: list[int] = []
    box_of_leaf: dict[int, int] = {}

    def leaf(variable: Any) -> int:
        if id(variable) not in box_of_leaf:
            box_of_leaf[id(variable)] = len(nodes)
            nodes.append(TracedNode("leaf", names.leaves.get(id(variable), ""), tuple(variable.shape)))
        return box_of_leaf[id(variable)]

    root_functions = {id(tensor.grad_fn): tensor for tensor in roots.values() if tensor.grad_fn is not None}
    for function in scanned.functions:
        variable = leaf_variable(function)
        if variable is not None:
            box_of_function.append(leaf(variable))
            continue
        sources: list[int] = []
        for source, _ in function.next_functions:
            if source is None:
                sources.append(len(nodes))
                nodes.append(TracedNode("constant", "", None))
            else:
                sources.append(box_of_function[scanned.numbers[source]])
        root = root_functions.get(id(function))
        shape = _output_shape(function) if root is None else tuple(root.shape)
        alias = names.outputs.get(id(function), "") if root is None else ""
        edges += [(source, len(nodes)) for source in sources]
        box_of_function.append(len(nodes))
        nodes.append(TracedNode("operation", friendly_name(function_name(function)), shape, alias))
    for name, tensor in roots.items():
        function = tensor.grad_fn
        source = leaf(tensor) if function is None else box_of_function[scanned.numbers[function]]
        edges.append((source, len(nodes)))
        nodes.append(TracedNode("result", name, tuple(tensor.shape)))
    return Trace(nodes, edges, max(scanned.depths, default=0))


def survey(scanned: Scan, names: Names, *, ends: int = 5) -> Survey:
    """Count a scanned graph, and follow its longest path from both ends."""
    operations: Counter[str] = Counter()
    leaves = 0
    for function in scanned.functions:
        if leaf_variable(function) is not None:
            leaves += 1
        else:
            operations[friendly_name(function_name(function))] += 1
    k = max(range(len(scanned.functions)), key=scanned.depths.__getitem__)
    path = array("q")
    while k >= 0:
        path.append(k)
        k = scanned.deepest_inputs[k]
    path.reverse()
    split = ends if len(path) > 2 * ends else len(path)
    start = [_path_label(scanned.functions[k], names) for k in path[:split]]
    end = [_path_label(scanned.functions[k], names) for k in path[max(split, len(path) - ends) :]]
    return Survey(operations, leaves, scanned.edge_count, max(scanned.depths), start, end)


def _path_label(function: Any, names: Names) -> str:
    variable = leaf_variable(function)
    if variable is None:
        return friendly_name(function_name(function))
    return names.leaves.get(id(variable)) or f"leaf {shape_text(tuple(variable.shape))}"


def _output_shape(function: Any) -> tuple[int, ...] | None:
    """The shape of what a node computed (the first of several), where the node tells.

    nbtorch's nodes have ``shape``; PyTorch's have ``_input_metadata``, which describes what their backward receives.
    """
    try:
        shape = function.shape if hasattr(function, "shape") else function._input_metadata[0].shape
        if shape and isinstance(shape[0], tuple):
            shape = shape[0]
        return tuple(int(size) for size in shape)
    except (AttributeError, IndexError, TypeError, RuntimeError):
        return None


def leaf_variable(function: Any) -> Any:
    """The leaf tensor at which an ``AccumulateGrad`` node ends the graph; None for every other node."""
    return function.variable if function_name(function).endswith("AccumulateGrad") else None


def function_name(function: Any) -> str:
    return str(function.name()) if hasattr(function, "name") else type(function).__name__


_RENAMED = {"mm": "matmul", "bmm": "matmul", "t": "transpose", "unsafe_view": "view", "rsub": "sub"}


@lru_cache(maxsize=1024)
def friendly_name(name: str) -> str:
    """``"MseLossBackward0"`` as the user wrote it: ``"mse_loss"``. A custom Function keeps its class's name."""
    name = name.rpartition("::")[2]
    built_in = re.fullmatch(r"(.+?)Backward\d+", name)
    if not built_in:
        return name.removesuffix("Backward") or name
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", built_in[1]).lower()
    return _RENAMED.get(words, words)


def shape_text(shape: tuple[int, ...]) -> str:
    """``(4, 1)``, or ``scalar`` for the shape ``()``."""
    return str(tuple(shape)) if shape else "scalar"
