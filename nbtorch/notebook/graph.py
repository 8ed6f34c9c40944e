"""``nbtorch.graph(loss)``: the computation behind a tensor, as a drawing in a notebook and as a listing elsewhere."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .graph_svg import graph_svg, path_lines, survey_svg
from .trace import Names, Survey, Trace, collect_names, is_module, is_tensor, scan, shape_text, survey, trace

_MAX_NODES = 200
_MAX_LISTED = 60


class Graph:
    """What ``graph()`` returns: a picture of a graph, taken when it was called.

    It holds plain text and numbers only; the autograd graph itself may be freed. A notebook shows the drawing
    (``image/svg+xml``), everything else the listing (``repr``).
    """

    def __init__(self, title: str, content: Trace | Survey, max_nodes: int) -> None:
        self._title = title
        self._content = content
        self._max_nodes = max_nodes

    @property
    def counts(self) -> dict[str, int]:
        """How often each operation occurs, the most frequent first."""
        if isinstance(self._content, Survey):
            counter = self._content.operations
        else:
            counter = Counter(node.label for node in self._content.nodes if node.kind == "operation")
        return dict(sorted(counter.items(), key=lambda item: (-item[1], item[0])))

    @property
    def leaves(self) -> int:
        """Number of different leaf tensors that will receive a gradient."""
        if isinstance(self._content, Survey):
            return self._content.leaves
        return sum(node.kind == "leaf" for node in self._content.nodes)

    @property
    def depth(self) -> int:
        """Number of operations on the longest path."""
        return self._content.depth

    @property
    def is_drawn(self) -> bool:
        """Whether there is a drawing of every node, or only a summary."""
        return isinstance(self._content, Trace)

    def save(self, path: str | Path) -> None:
        """Write the SVG to a file."""
        Path(path).write_text(self._repr_svg_(), encoding="utf-8")

    def _headline(self) -> str:
        operations = sum(self.counts.values())
        return (
            f"Graph of {self._title}: {_count(operations, 'operation')}, "
            f"{_count(self.leaves, 'leaf', 'leaves')}, depth {self.depth:,}"
        )

    def _note(self) -> str:
        return f"too large to draw: more than max_nodes={self._max_nodes:,} nodes"

    def _repr_svg_(self) -> str:
        if isinstance(self._content, Survey):
            headline, note = self._headline(), self._note()
            return survey_svg(self._content, headline, note, f"{headline}; {note}")
        return graph_svg(self._content, self._headline())

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {"text/plain": repr(self), "image/svg+xml": self._repr_svg_()}

    def __repr__(self) -> str:
        lines = [self._headline()]
        if isinstance(self._content, Survey):
            lines[0] += f" ({self._note()})"
            width = max(map(len, self.counts), default=0)
            lines += [f"  {name:<{width}}  {count:>9,}" for name, count in self.counts.items()]
            lines += [f"  {line}" for line in path_lines(self._content)]
        else:
            lines += _listing(self._content)
        return "\n".join(lines)


def graph(tensor: Any, *, params: Mapping[str, Any] | Any | None = None, max_nodes: int = _MAX_NODES) -> Graph:
    """Show the computation that produced a tensor.

    ``tensor``: a tensor with a ``grad_fn`` (of nbtorch or of PyTorch), or a dict from names to such tensors.
    ``params``: names for tensors: a dict from names to tensors or modules, or one module. Without it, a notebook's
    own variables give the names.
    ``max_nodes``: a graph with more nodes is summarised (operations by number, depth, longest path) instead of drawn.

    Data flows down, from the leaves to the result; gradients flow back up the same lines. The walk is iterative, each
    node is visited once, and the result keeps no reference to the graph.

    Raises ``TypeError`` if something else than tensors is given, ``ValueError`` if a tensor has no graph.
    """
    roots: dict[str, Any] = {}
    if isinstance(tensor, Mapping):
        for name, value in tensor.items():
            _check_root(f" for {name!r}", value)
            roots[str(name)] = value
    else:
        _check_root("", tensor)
    if isinstance(tensor, Mapping) and not roots:
        raise ValueError("graph() expected at least one tensor, but got an empty dict: pass for example {'loss': loss}")
    if max_nodes < 0:
        raise ValueError(f"graph() expected max_nodes >= 0, but got {max_nodes}")
    names = _names(params)
    if not roots:
        roots[_root_name(tensor, names)] = tensor
    scanned = scan(value.grad_fn for value in roots.values() if value.grad_fn is not None)
    content: Trace | Survey
    if len(scanned.functions) > max_nodes:
        content = survey(scanned, names)
    else:
        content = trace(roots, scanned, names)
    return Graph(", ".join(roots), content, max_nodes)


def _check_root(place: str, value: Any) -> None:
    subject = f"graph() expected a tensor{place}"
    if not is_tensor(value):
        hint = "call the module and pass its result" if is_module(value) else "pass a tensor or a dict of tensors"
        raise TypeError(f"{subject}, but got {type(value).__name__}: {hint}")
    if value.grad_fn is None and not value.requires_grad:
        raise ValueError(
            f"{subject} with a graph behind it, but got one of shape {tuple(value.shape)} with requires_grad=False "
            "and no grad_fn: compute it from a tensor with requires_grad=True, outside no_grad(), without detach()"
        )


def _names(params: Mapping[str, Any] | Any | None) -> Names:
    if params is None:
        return collect_names(_notebook_variables())
    if is_module(params):
        return collect_names({"": params})
    if not isinstance(params, Mapping):
        raise TypeError(
            f"graph() expected params to be a dict from names to tensors, or a module, but got {type(params).__name__}"
        )
    for name, value in params.items():
        if not is_tensor(value) and not is_module(value):
            raise TypeError(
                f"graph() expected params[{name!r}] to be a tensor or module, but got {type(value).__name__}"
            )
    return collect_names({str(name): value for name, value in params.items()})


def _notebook_variables() -> dict[str, Any]:
    """The variables of the notebook (without IPython's own, such as ``_`` and ``Out``); nothing outside IPython."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is None:
        return {}
    return {name: value for name, value in list(shell.user_ns.items()) if not name.startswith("_")}


def _root_name(tensor: Any, names: Names) -> str:
    known = names.leaves.get(id(tensor)) if tensor.grad_fn is None else names.outputs.get(id(tensor.grad_fn))
    return known or ("loss" if tuple(tensor.shape) in ((), (1,)) else "output")


def _count(number: int, singular: str, plural: str = "") -> str:
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"


def _listing(content: Trace) -> list[str]:
    """One line per node, in the order in which the computation ran: ``%2 = mul(x, w)``."""
    sources: list[list[int]] = [[] for _ in content.nodes]
    for source, target in content.edges:
        sources[target].append(source)
    called: list[str] = []
    lines: list[tuple[str, str]] = []
    for k, node in enumerate(content.nodes):
        shape = "" if node.shape is None else shape_text(node.shape)
        arguments = ", ".join(called[source] for source in sources[k])
        if node.kind == "constant":
            called.append("·")
            continue
        if node.kind == "result":
            name, text = node.label, f"{node.label} = {arguments}"
        elif node.kind == "leaf":
            name = node.label or f"%{len(lines) + 1}"
            text = f"{name}: leaf"
        else:
            name = node.alias or f"%{len(lines) + 1}"
            text = f"{name} = {node.label}({arguments})"
        called.append(name)
        lines.append((text, shape))
    if len(lines) > _MAX_LISTED:
        half = _MAX_LISTED // 2
        lines[half:-half] = [(f"… {len(lines) - 2 * half} more lines …", "")]
    width = max(len(text) for text, _ in lines)
    return [f"  {text:<{width}}  {shape}".rstrip() for text, shape in lines]
