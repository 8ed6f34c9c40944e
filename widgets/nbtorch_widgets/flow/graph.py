"""The graph that GradFlow draws: modules, the places where their outputs meet, and the loss.

Vertices and edges are only ever added, so a column of the history keeps its meaning while a run goes on.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, Literal, TypeAlias

Kind: TypeAlias = Literal["module", "join", "parameter", "input", "loss"]

#: What a join is called: the beginning of an autograd node's name, and a short sign for it.
_SIGNS = (
    ("Add", "+"),
    ("Sub", "−"),
    ("Mul", "×"),
    ("Div", "÷"),
    ("Cat", "cat"),
    ("Stack", "stack"),
    ("Bmm", "@"),
    ("Mm", "@"),
    ("Matmul", "@"),
    ("Addmm", "@"),
    ("UnsafeView", "@"),
    ("ScaledDotProduct", "attn"),
    ("Where", "where"),
    ("Maximum", "max"),
    ("Minimum", "min"),
)


def sign(name: str) -> str:
    """A short sign for an autograd node's name, such as "+" for "AddBackward0"."""
    for start, short in _SIGNS:
        if name.startswith(start):
            return short
    return name.split("Backward")[0].lower()[:8] or "op"


class Vertex:
    """One thing that gradients pass."""

    def __init__(self, kind: Kind, path: str, label: str) -> None:
        self.kind = kind
        #: The module's path ("layer1.0.conv1"), which for a join is that of the module it lies in.
        self.path = path
        #: The module's class, or a join's sign.
        self.label = label
        #: Shape of the last output, in words.
        self.shape = ""
        self.calls = 0
        #: Which call of a module that its container calls several times: 1, 2, ...
        self.ordinal = 1
        #: Positions of its parameters in the run's names.
        self.parameters: list[int] = []

    @property
    def name(self) -> str:
        """What tells it from others: its path, with the class where that ends in a number; a join's sign and place."""
        if self.kind == "join":
            return f"{self.label} in {self.path}" if self.path else self.label
        again = f" ({self.ordinal})" if self.ordinal > 1 else ""
        numbered = self.path.rpartition(".")[2].isdigit() and self.label
        return (f"{self.path} {self.label}" if numbered else self.path or self.label) + again


class Graph:
    """Vertices and directed edges in the order of the forward pass: an edge's gradient runs from its end to its start.

    Vertex 0 is the input, vertex 1 the loss.
    """

    INPUT = 0
    LOSS = 1

    def __init__(self, loss: str = "loss") -> None:
        self.vertices = [Vertex("input", "", "input"), Vertex("loss", "", loss)]
        self.edges: list[tuple[int, int]] = []
        #: Edges from the input and to the loss.
        self.ends: list[tuple[int, int]] = []
        #: The vertices that a gradient was ever measured at.
        self.warm: set[int] = set()
        #: Class names of the modules that aren't vertices, by their paths: they are drawn around what they contain.
        self.groups: dict[str, str] = {}
        self.version = 0
        self._ids: dict[Hashable, int] = {}
        self._edge_ids: dict[tuple[int, int], int] = {}

    def __len__(self) -> int:
        return len(self.vertices)

    @property
    def columns(self) -> int:
        """Numbers in a row of the history: one a vertex, then one an edge."""
        return len(self.vertices) + len(self.edges)

    def vertex(self, key: Hashable, kind: Kind, path: str, label: str) -> int:
        """The vertex with this key, made if it is new."""
        found = self._ids.get(key)
        if found is None:
            found = self._ids[key] = len(self.vertices)
            self.vertices.append(Vertex(kind, path, label))
            self.version += 1
        return found

    def find(self, key: Hashable) -> int | None:
        return self._ids.get(key)

    def edge(self, source: int, target: int) -> int:
        """The edge between two vertices, made if it is new."""
        key = (source, target)
        found = self._edge_ids.get(key)
        if found is None:
            found = self._edge_ids[key] = len(self.edges)
            self.edges.append(key)
            self.version += 1
        return found

    def close(self, last_frozen: int | None) -> None:
        """Find the edges from the input and to the loss; they have no column in the history.

        What comes after `last_frozen`, a vertex that no gradient reaches, and has no source, is taken to come from it.
        """
        reached = {target for _, target in self.edges}
        left = {source for source, _ in self.edges}
        if last_frozen is not None and last_frozen not in left:
            behind = [v for v in self.warm if self.vertices[v].kind == "module" and v not in reached]
            for vertex in behind:
                self.edge(last_frozen, vertex)
            reached.update(behind)
            left.add(last_frozen)
        ends = [
            (self.INPUT, number)
            for number, vertex in enumerate(self.vertices)
            if vertex.kind == "module" and vertex.calls and number not in reached
        ]
        ends += [(number, self.LOSS) for number in sorted(self.warm) if number not in left]
        if ends != self.ends:
            self.ends = ends
            self.version += 1

    def outgoing(self) -> list[int]:
        """How many edges leave each vertex."""
        count = [0] * len(self.vertices)
        for source, _ in self.edges:
            count[source] += 1
        return count

    def assign(self, names: Sequence[str]) -> None:
        """Give each parameter to the innermost vertex whose module's path its name begins with."""
        owners = {v.path: v for v in self.vertices if v.kind == "module" and v.ordinal == 1}
        for vertex in self.vertices:
            vertex.parameters = []
        direct = {v.path: v for v in self.vertices if v.kind == "parameter"}
        for index, name in enumerate(names):
            path = name
            owner = direct.get(name) or owners.get(name)
            while owner is None and path:
                path = path.rpartition(".")[0]
                owner = owners.get(path)
            if owner is not None:
                owner.parameters.append(index)

    def to_json(self) -> dict[str, Any]:
        """What the front end needs to draw it."""
        return {
            "vertices": [
                {"k": v.kind, "p": v.path, "t": v.label, "s": v.shape, "n": v.calls, "i": v.ordinal, "w": v.parameters}
                for v in self.vertices
            ],
            "edges": [end for edge in (*self.edges, *self.ends) for end in edge],
            "measured": len(self.edges),
            "groups": self.groups,
        }


def chain(names: Sequence[str], loss: str) -> Graph:
    """The owners of the parameters in their order: for models that can't be traced."""
    graph = Graph(loss)
    before = Graph.INPUT
    for name in names:
        path = name.rpartition(".")[0] or name
        known = graph.find(path) is not None
        here = graph.vertex(path, "module", path, "")
        if not known:
            graph.vertices[here].calls = 1
            graph.warm.add(here)
            if before != Graph.INPUT:
                graph.edge(before, here)
            before = here
    graph.close(None)
    graph.assign(names)
    return graph
