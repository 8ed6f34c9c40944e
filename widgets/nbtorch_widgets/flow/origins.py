"""Where trouble begins: the first place, in the order in which it arises, of NaN, infinity or a vanished gradient.

`src/gradflow/origins.ts` is the same for the front end.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from nbtorch_widgets.flow.graph import Graph
from nbtorch_widgets.flow.probe import FORWARD_INF, FORWARD_NAN
from nbtorch_widgets.gradients import INF, NAN, NO_GRAD, ZERO
from nbtorch_widgets.history import Flags, Float32s, Samples

#: A gradient this much smaller than the one at the loss has vanished.
VANISHED = 1e-5


class Origins(NamedTuple):
    """Vertices of the graph."""

    forward: list[int]
    """Whose output isn't finite though what they were given is."""
    backward: list[int]
    """Whose gradient isn't finite though those nearer to the loss are."""
    vanished: list[int]
    """The nearest to the loss whose gradient has vanished."""


def origins(graph: Graph, norms: Float32s, flags: Flags) -> Origins:
    """The origins in one row of the history."""
    count = len(graph)
    sources: list[list[int]] = [[] for _ in range(count)]
    targets: list[list[int]] = [[] for _ in range(count)]
    for source, target in graph.edges:
        sources[target].append(source)
        targets[source].append(target)
    broken = [bool(flags[v] & (NAN | INF)) for v in range(count)]
    output = [bool(flags[v] & (FORWARD_NAN | FORWARD_INF)) for v in range(count)]
    for v in range(count):  # a join passes on what it is given
        if graph.vertices[v].kind == "join":
            output[v] = any(output[s] for s in sources[v])
    ends = [norms[s] for s, t in graph.ends if t == graph.LOSS and not flags[s] & (NAN | INF | NO_GRAD)]
    least = VANISHED * float(max(ends, default=np.float32(0)))
    ordinary = [not flags[v] & (NAN | INF | NO_GRAD) for v in range(count)]
    faint = [ordinary[v] and (bool(flags[v] & ZERO) or float(norms[v]) < least) for v in range(count)]
    return Origins(
        [v for v in range(count) if output[v] and not any(output[s] for s in sources[v])],
        [v for v in range(count) if broken[v] and not any(broken[t] for t in targets[v])],
        [v for v in range(count) if faint[v] and not any(faint[t] or not ordinary[t] for t in targets[v])],
    )


def since(rows: Samples, vertices: int, row: int) -> int:
    """The first row of those up to `row` that are not finite without a break; `row` if it is finite itself."""
    marks = NAN | INF | FORWARD_NAN | FORWARD_INF
    broken = np.any(rows.flags[: row + 1, :vertices] & marks, axis=1)
    if not broken[row]:
        return row
    whole = np.flatnonzero(~broken)
    return int(whole[-1]) + 1 if len(whole) else 0


def describe(graph: Graph, rows: Samples) -> str:
    """The most important finding about the last row in words, or nothing."""
    if not len(rows):
        return ""
    first = since(rows, len(graph), len(rows) - 1)
    found = origins(graph, rows.norms[first], rows.flags[first])
    when = f" since step {int(rows.steps[first])}" if first < len(rows) - 1 else ""

    def name(vertices: list[int]) -> str:
        more = f" and {len(vertices) - 1} more" if len(vertices) > 1 else ""
        return graph.vertices[vertices[0]].name + more

    if found.forward:
        return f"not finite from {name(found.forward)} on{when}"
    if found.backward:
        return f"gradient not finite from {name(found.backward)} back{when}"
    if found.vanished:
        return f"gradient vanished from {name(found.vanished)} back"
    return ""
