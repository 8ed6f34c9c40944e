"""What one operation saves and computes in backward: compiled once from its record.

Generic code that picks arguments by their names, and looks at each input to see whether a gradient is wanted, would
cost more than most operations do. So it is written out for each choice of inputs, as ``namedtuple`` writes out its
constructor.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from ..autograd import anomaly
from ..autograd.node import Node, saved_tensor
from ..autograd.sequence import next_sequence_nr
from ..autograd.variable import Storage, Variable, _new, is_ours, ours, outside, shared_storage, sync_view, wrap


def parameters(function: Callable[..., Any]) -> tuple[str, ...]:
    """The names of a function's parameters."""
    code = function.__code__
    return code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]


def _guard(t: Any, into: list[Any]) -> None:
    """Notes the memory of a tensor and how often it was changed; of a tuple of tensors each, of numbers nothing."""
    if isinstance(t, Variable):
        storage = shared_storage(t)
        storage.refresh()
        into.append((storage, storage.version))
    elif type(t) is tuple:
        for one in t:
            _guard(one, into)


def gatherer(count: int) -> Callable[..., Any]:
    """What looks at ``count`` tensor inputs of an operation at once, written out; all but the first may be None.

    Returns:
        ``gather(inputs, recording)``, which returns the backend, the class of the result (None where the inputs'
        differ), the mask of those that want a gradient, and the arrays; None where the devices differ. It raises
        AttributeError where a number is among them.
    """
    ts = [f"t{i}" for i in range(count)]
    lines = [
        f"{', '.join(ts)}, = inputs",
        "m, cls, mask = t0._backend, t0._result_class, 0",
        "if recording:",
        "    if t0._view is not None: _sync(t0)",
        "    if t0._requires_grad: mask = 1",
        "a0 = t0._array",
    ]
    for i, t in enumerate(ts[1:], 1):
        lines += [
            f"if {t} is None: a{i} = None",
            "else:",
            f"    if {t}._backend is not m: return None",
            f"    if {t}._result_class is not cls: cls = None",
            "    if recording:",
            f"        if {t}._view is not None: _sync({t})",
            f"        if {t}._requires_grad: mask |= {1 << i}",
            f"    a{i} = {t}._array",
        ]
    arrays = "".join(f"a{i}, " for i in range(count))
    source = "def gather(inputs, recording):\n" + "".join(f"    {line}\n" for line in lines)
    functions: dict[str, Any] = {"_sync": sync_view}
    exec(compile(f"{source}    return m, cls, mask, ({arrays})\n", "<inputs of an operation>", "exec"), functions)
    made: Callable[..., Any] = functions["gather"]
    return made


class Plan:
    """How to record one operation and go back through it, for one choice of inputs that want a gradient.

    Attributes:
        record: makes the node; called as ``make_node`` is.
        run: ``run(m, g, saved)``, the tuple of gradients.
        names: what is saved, by its names in the derivatives.
        guarded: the saved tensors whose memory must not change, by input number; None is the result.
        tensors: the positions in ``saved`` that hold arrays, and of which input: None for the result, -1 for all.
    """

    __slots__ = ("guarded", "names", "op", "record", "run", "tensors")

    def __init__(self, op: Any, mask: int, count: int) -> None:
        self.op = op
        functions: dict[str, Any] = {}
        names: list[str] = []

        def call(key: str, function: Callable[..., Any]) -> str:
            functions[key] = function
            arguments = []
            for p in parameters(function):
                if p in ("m", "g"):
                    arguments.append(p)
                elif p == "needs":
                    arguments.append(repr(tuple(bool(mask >> i & 1) for i in range(count))))
                else:
                    if p not in names:
                        names.append(p)
                    arguments.append(f"s[{names.index(p)}]")
            return f"{key}({', '.join(arguments)})"

        if op.joint is not None:
            body = call("joint", op.joint)
        else:
            parts = []
            for i, name in enumerate(op.inputs):
                derivative = op.derivatives.get(name)
                parts.append(call(f"d{i}", derivative) if derivative is not None and mask >> i & 1 else "None")
            body = f"({', '.join(parts)},)"

        sources = []
        self.tensors: list[tuple[int, int | None]] = []
        for position, name in enumerate(names):
            if name == "out":
                sources.append("out")
                self.tensors.append((position, None))
            elif name in op.inputs:
                sources.append(f"a[{op.inputs.index(name)}]")
                self.tensors.append((position, op.inputs.index(name)))
            elif name == "inputs" and op.variadic:
                sources.append("tuple(a)")
                self.tensors.append((position, -1))
            elif name == "shape" and name not in op.static:
                sources.append("a[0].shape")
            elif name in op.static:
                sources.append(f"k[{op.static.index(name)}]")
            else:
                raise TypeError(f"the derivative of {op.name} asks for {name!r}; it has {op.inputs} and {op.static}")
        self.names = tuple(names)
        self.guarded: tuple[int | None, ...] = tuple(
            i for _, which in self.tensors for i in (range(count) if which == -1 else (which,))
        )
        functions.update(
            _new=_new, _class=op.base_class(), _class_of=op.class_of, _class_for=op.class_for, _plan=self,
            _number=next_sequence_nr, _frame=sys._getframe, _outside=outside, _is_ours=is_ours, _ours=ours,
            _Storage=Storage, _anomaly=anomaly, _guard=_guard,
        )  # fmt: skip
        source = f"def run(m, g, s): return {body}\n" + self._recorder(mask, sources)
        exec(compile(source, f"<plan of {op.name}>", "exec"), functions)
        self.run: Callable[..., Any] = functions["run"]
        self.record: Callable[..., Node] = functions["record"]

    def _recorder(self, mask: int, sources: list[str]) -> str:
        """The source of ``record``."""
        op = self.op
        cls = "_class"
        if op.outputs == 0:
            cls = "_class_of(len(out))"
        elif op.number_nodes is not None:
            cls = "_class_for(inputs) or _class"
        lines = [
            f"node = _new({cls})",
            "node.op = op",
            "node.plan = _plan",
            "node.sequence_nr = _number()",
            "node.hooks = node._next = None",
            # The user's line: the first caller beyond the functions that are nbtorch's for sure.
            "frame = _frame(3)",
            "while (name := frame.f_code.co_filename) not in _outside:",
            "    if name not in _ours and not _is_ours(name) or frame.f_back is None: break",
            "    frame = frame.f_back",
            "node.where = (frame.f_code, frame.f_lasti)",
        ]
        if op.variadic:
            lines += [
                "edges, numbered, bit = [], False, 1",
                "for t in inputs:",
                "    e = None",
                f"    if {mask} & bit:",
                "        node.backend, e = t._backend, t._grad_fn",
                "        if e is None: e = t",
                "        elif t._output_nr: numbered = True",
                "    edges.append(e)",
                "    bit <<= 1",
                "node.edges = tuple(edges)",
                "node.nrs = tuple([getattr(t, '_output_nr', 0) for t in inputs]) if numbered else None",
            ]
        else:
            wanted = [i for i in range(len(op.inputs)) if mask >> i & 1]
            for i in wanted:
                lines += [f"t{i} = inputs[{i}]", f"e{i} = t{i}._grad_fn", f"if e{i} is None: e{i} = t{i}"]
            numbers = [f"t{i}._output_nr" if i in wanted else "0" for i in range(len(op.inputs))]
            edges = [f"e{i}" if i in wanted else "None" for i in range(len(op.inputs))]
            lines += [
                f"node.backend = t{wanted[0]}._backend",
                f"node.edges = ({', '.join(edges)},)",
                f"if {' or '.join(numbers[i] for i in wanted)}: node.nrs = ({', '.join(numbers)},)",
                "else: node.nrs = None",
            ]
        if op.outputs == 1:
            lines += ["node.shape, node.dtype = out.shape, out.dtype"]
        else:
            lines += [
                "if len(out) == 1: node.shape, node.dtype = out[0].shape, out[0].dtype",
                "else: node.shape, node.dtype = tuple([o.shape for o in out]), tuple([o.dtype for o in out])",
            ]
        lines += ["if _anomaly.noting: _anomaly.note(node, a, out)"]
        lines += [f"node.saved = ({', '.join(sources)},)" if sources else "node.saved = None"]
        lines += self._guards(mask)
        body = "".join(f"    {line}\n" for line in [*lines, "return node"])
        return f"def record(op, mask, inputs, a, out, k, result):\n{body}"

    def _guards(self, mask: int) -> list[str]:
        """The source that notes the versions of what is saved, for the memory of one tensor written out."""
        if not self.guarded:
            return ["node.guards = ()"]
        if not self.op.variadic and self.op.outputs == 1:
            lines = []
            for nr, which in enumerate(self.guarded):
                noted = [
                    "s = t._storage",
                    "if s is None: s = t._storage = _Storage()",
                    "elif s.exports is not None: s.refresh()",
                    f"s{nr} = ((s, s.version),)",
                ]
                lines += [f"t = {'result' if which is None else f'inputs[{which}]'}"]
                if which is not None and mask >> which & 1:
                    lines += noted
                else:  # perhaps a number, or nobody's memory but the node's
                    lines += [f"s{nr} = ()", "if hasattr(t, '_storage'):", *[f"    {line}" for line in noted]]
            return [*lines, f"node.guards = {' + '.join(f's{nr}' for nr in range(len(self.guarded)))}"]
        guarded = ["result" if which is None else f"inputs[{which}]" for which in self.guarded]
        return ["guards = []", *[f"_guard({t}, guards)" for t in guarded], "node.guards = tuple(guards)"]

    def _edge(self, node: Node, which: int) -> tuple[Any, int]:
        return node.edges[which], 0 if node.nrs is None else node.nrs[which]

    def saved_tensors(self, node: Node, saved: Any = None) -> Any:
        """What the node saved (or ``saved``, the same unpacked), with arrays as tensors in the graph."""
        if not self.names:
            return None
        saved = list(node.saved if saved is None else saved)
        backend = node.backend

        def tensor(array: Any, which: int) -> Any:
            if not hasattr(array, "dtype"):
                return array  # a Python number
            return saved_tensor(array, backend, *self._edge(node, which))

        for position, which in self.tensors:
            if which is None and self.op.outputs != 1:
                saved[position] = tuple(
                    saved_tensor(a, backend, node, nr) if a.dtype.kind not in "iub" else wrap(a, backend)
                    for nr, a in enumerate(saved[position])
                )
            elif which is None:
                saved[position] = saved_tensor(saved[position], backend, node, 0)
            elif which < 0:
                saved[position] = tuple(tensor(a, i) for i, a in enumerate(saved[position]))
            else:
                saved[position] = tensor(saved[position], which)
        return tuple(saved)

    def plain_tensors(self, node: Node) -> Any:
        """What the node saved, with arrays as tensors that have no history."""
        return None if not self.names else self.mapped(node.saved, lambda a, _: wrap(a, node.backend))

    def mapped(self, saved: Any, function: Callable[[Any, int | None], Any]) -> tuple[Any, ...]:
        """``saved`` with ``function(array, which)`` for each tensor's array; ``which`` is None for the result."""
        out = list(saved)
        for position, which in self.tensors:
            value = out[position]
            if which is not None and which < 0:
                out[position] = tuple(function(a, i) if hasattr(a, "dtype") else a for i, a in enumerate(value))
            elif which is None and isinstance(value, tuple):
                out[position] = tuple(function(a, None) for a in value)
            elif hasattr(value, "dtype"):
                out[position] = function(value, which)
        return tuple(out)

    def saved_attribute(self, node: Node, name: str) -> Any:
        """``_saved_self``, ``_saved_result``, ``_saved_dim``: what PyTorch shows of a node."""
        node.check()
        return self.saved_tensors(node)[self.position(node, name)]

    def position(self, node: Node, name: str) -> int:
        """Where the saved thing of PyTorch's name stands.

        Raises:
            AttributeError: where it isn't saved.
        """
        wanted = {"self": self.op.inputs[0] if self.op.inputs else name, "result": "out"}.get(name, name)
        if wanted not in self.names:
            raise AttributeError(f"{node.name()} saves {', '.join(self.names) or 'nothing'}, not {name}")
        return self.names.index(wanted)

    def describe_saved(self, node: Node, which: int) -> tuple[str, Any]:
        """The name and shape of the ``which``-th guarded tensor, for an error message."""
        guarded = []
        for position, source in self.tensors:
            entry = node.saved[position]
            if source is None:
                results = entry if isinstance(entry, tuple) else (entry,)
                guarded += [("result", tuple(a.shape)) for a in results]
            elif source < 0:
                guarded += [(f"input {i}", tuple(a.shape)) for i, a in enumerate(entry)]
            elif hasattr(entry, "shape"):
                guarded.append((f"input {self.names[position]!r}", tuple(entry.shape)))
        return guarded[which] if which < len(guarded) else ("index", "?")
