"""Layered layout of a directed acyclic graph, in pure Python: no graphviz, no recursion, the same answer every time.

The method is that of Sugiyama, Tagawa and Toda (1981), in four steps:

1. every vertex gets a layer: the longest path from a source, and then as late as its consumers allow, so that a
   parameter stands just above the operation that uses it;
2. an edge that spans several layers is cut at *bend* vertices, one per layer it passes; edges from one source share
   their bends, so a weight used in every step of a loop becomes one line with branches instead of a curtain;
3. the order inside each layer is improved by barycentre sweeps, the order with the fewest crossings is kept;
4. x coordinates come from repeated least squares: each vertex wants to stand at the weighted mean of its neighbours,
   boxes of a layer may not overlap, and the best compromise is found exactly by pooling adjacent violators.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

Point = tuple[float, float]

_ORDER_SWEEPS = 8
_POSITION_SWEEPS = 16
_BEND_WIDTH = 2.0
_WOBBLE = 12.0
_PORT_GAP = 12.0
_PORT_MARGIN = 12.0
# How strongly an edge wants to be vertical (compare Gansner et al. 1993, section 4). The edge that continues the
# longest path into a vertex is the trunk of the drawing; what joins it (parameters, residuals) gives way.
_PULL_BETWEEN_BENDS = 16.0
_PULL_OF_BEND = 4.0
_PULL_OF_TRUNK = 16.0
_PULL_OF_BRANCH = 1.0


class Layout(NamedTuple):
    """Where everything stands, in the unit of the given sizes; the origin is the upper left corner."""

    centers: list[Point]
    """The centre of each vertex."""
    routes: list[list[Point]]
    """For each edge, in the given order: from the source's lower edge to the target's upper edge."""
    layers: list[int]
    """The layer of each vertex, 0 at the top."""
    width: float
    height: float


class _Layered(NamedTuple):
    """The graph after long edges were cut: vertices 0..n-1 are the boxes, the rest are bends."""

    layers: list[list[int]]
    above: list[list[int]]
    below: list[list[int]]
    chains: list[list[int]]
    trunk: set[tuple[int, int]]


def layered_layout(
    sizes: Sequence[tuple[float, float]],
    edges: Sequence[tuple[int, int]],
    *,
    gap_x: float = 22.0,
    gap_y: float = 30.0,
) -> Layout:
    """Place boxes of the given ``(width, height)`` so that every edge ``(source, target)`` points down.

    Where nothing else decides, the sources of a vertex stand in the order of its edges, so the arguments of an
    operation read from left to right. Parallel edges are kept apart. Raises ``ValueError`` if the edges form a cycle.
    """
    if not sizes:
        return Layout([], [], [], 0.0, 0.0)
    ranks, trunk = _ranks(len(sizes), edges)
    graph = _cut_long_edges(ranks, edges, trunk)
    _reduce_crossings(graph)
    widths = [width for width, _ in sizes] + [_BEND_WIDTH] * (len(graph.above) - len(sizes))
    xs = _positions(graph, widths, len(sizes), gap_x)

    left = min(x - width / 2 for x, width in zip(xs, widths, strict=True))
    xs = [round(x - left, 1) for x in xs]
    total_width = max(x + width / 2 for x, width in zip(xs, widths, strict=True))
    tops: list[float] = []
    heights: list[float] = []
    y = 0.0
    for layer in graph.layers:
        height = max((sizes[v][1] for v in layer if v < len(sizes)), default=0.0)
        tops.append(y)
        heights.append(height)
        y += height + gap_y
    centers = [(xs[v], tops[rank] + heights[rank] / 2) for v, rank in enumerate(ranks)]
    routes = _routes(sizes, edges, graph.chains, centers, xs, ranks, tops, heights)
    return Layout(centers, routes, ranks, total_width, y - gap_y)


def _ranks(count: int, edges: Sequence[tuple[int, int]]) -> tuple[list[int], set[tuple[int, int]]]:
    """The layer of each vertex, and the edges that continue the longest path into their target."""
    sources: list[list[int]] = [[] for _ in range(count)]
    targets: list[list[int]] = [[] for _ in range(count)]
    for source, target in edges:
        sources[target].append(source)
        targets[source].append(target)
    waiting = [len(s) for s in sources]
    order = [v for v in range(count) if not waiting[v]]
    ranks = [0] * count
    for v in order:  # grows while it is walked: Kahn's topological order
        for target in targets[v]:
            ranks[target] = max(ranks[target], ranks[v] + 1)
            waiting[target] -= 1
            if not waiting[target]:
                order.append(target)
    if len(order) < count:
        raise ValueError("layered_layout expected an acyclic graph, but the edges form a cycle")
    trunk = {(max(before, key=ranks.__getitem__), v) for v, before in enumerate(sources) if before}
    for v in reversed(order):
        if targets[v]:
            ranks[v] = min(ranks[target] for target in targets[v]) - 1
    return ranks, trunk


def _cut_long_edges(ranks: list[int], edges: Sequence[tuple[int, int]], trunk: set[tuple[int, int]]) -> _Layered:
    layers: list[list[int]] = [[] for _ in range(max(ranks) + 1)]
    for v, rank in enumerate(ranks):
        layers[rank].append(v)
    above: list[list[int]] = [[] for _ in ranks]
    below: list[list[int]] = [[] for _ in ranks]
    chains: list[list[int]] = []
    bends: dict[int, list[int]] = {}
    for source, target in edges:
        line = bends.setdefault(source, [])
        for rank in range(ranks[source] + 1 + len(line), ranks[target]):
            bend, upper = len(above), line[-1] if line else source
            line.append(bend)
            layers[rank].append(bend)
            below[upper].append(bend)
            above.append([upper])
            below.append([])
        chain = [source, *line[: ranks[target] - ranks[source] - 1], target]
        below[chain[-2]].append(target)
        above[target].append(chain[-2])
        chains.append(chain)
    return _Layered(layers, above, below, chains, trunk)


def _reduce_crossings(graph: _Layered) -> None:
    """Reorder the vertices of each layer in place; the best order seen wins, so a sweep can never harm."""
    visited = _upwards(graph)
    place = [0] * len(graph.above)
    for layer in graph.layers:
        layer.sort(key=visited.__getitem__)
        for k, v in enumerate(layer):
            place[v] = k
    best, best_layers = _crossings(graph, place), [list(layer) for layer in graph.layers]
    for sweep in range(_ORDER_SWEEPS):
        if not best:
            break
        downwards = sweep % 2 == 0
        neighbours = graph.above if downwards else graph.below
        for layer in graph.layers if downwards else reversed(graph.layers):
            # Vertices without neighbours on that side keep their slot; the others are sorted around them.
            movable = [v for v in layer if neighbours[v]]
            mean = {v: sum(place[u] for u in neighbours[v]) / len(neighbours[v]) for v in movable}
            movable.sort(key=mean.__getitem__)
            following = iter(movable)
            layer[:] = [next(following) if neighbours[v] else v for v in layer]
            for k, v in enumerate(layer):
                place[v] = k
        crossings = _crossings(graph, place)
        if crossings < best:
            best, best_layers = crossings, [list(layer) for layer in graph.layers]
    graph.layers[:] = best_layers


def _upwards(graph: _Layered) -> list[int]:
    """When a depth-first walk from the sinks, sources in the order of their edges, first meets each vertex."""
    visited = [-1] * len(graph.above)
    count = 0
    stack = [v for v in reversed(range(len(visited))) if not graph.below[v]]
    while stack:
        v = stack.pop()
        if visited[v] < 0:
            visited[v] = count
            count += 1
            stack.extend(reversed(graph.above[v]))
    return visited


def _crossings(graph: _Layered, place: list[int]) -> int:
    """Count edge crossings between neighbouring layers: inversions, by a Fenwick tree (Barth, Jünger, Mutzel 2002)."""
    total = 0
    for layer, following in pairwise(graph.layers):
        size = len(following)
        tree = [0] * (size + 1)
        inserted = 0
        for v in layer:
            ends = [place[w] for w in graph.below[v]]
            for end in ends:
                position, not_right = end + 1, 0
                while position:
                    not_right += tree[position]
                    position &= position - 1
                total += inserted - not_right
            for end in ends:
                position = end + 1
                while position <= size:
                    tree[position] += 1
                    position += position & -position
            inserted += len(ends)
    return total


def _positions(graph: _Layered, widths: list[float], boxes: int, gap: float) -> list[float]:
    """The x coordinate of every vertex, by alternating sweeps of exact least squares per layer."""

    def pull(upper: int, lower: int) -> float:
        if upper >= boxes and lower >= boxes:
            return _PULL_BETWEEN_BENDS
        if upper >= boxes or lower >= boxes:
            return _PULL_OF_BEND
        return _PULL_OF_TRUNK if (upper, lower) in graph.trunk else _PULL_OF_BRANCH

    up = [[(u, pull(u, v)) for u in upper] for v, upper in enumerate(graph.above)]
    down = [[(w, pull(v, w)) for w in lower] for v, lower in enumerate(graph.below)]
    both = [a + b for a, b in zip(up, down, strict=True)]
    gaps: list[list[float]] = []  # distance between the centres of neighbours in a layer
    xs = [0.0] * len(widths)
    for layer in graph.layers:
        steps = [0.0]
        for left, right in pairwise(layer):
            space = gap if left < boxes and right < boxes else 0.7 * gap
            steps.append((widths[left] + widths[right]) / 2 + space)
        gaps.append(steps)
        x = -sum(steps) / 2
        for v, step in zip(layer, steps, strict=True):
            x += step
            xs[v] = x
    order = list(range(len(graph.layers)))
    for sweep in range(_POSITION_SWEEPS):
        # Early sweeps carry information through the whole graph in one direction; late ones settle between both.
        settling = sweep >= _POSITION_SWEEPS // 3
        neighbours = both if settling else (up, down)[sweep % 2]
        for k in order if sweep % 2 == 0 else reversed(order):
            layer = graph.layers[k]
            wishes: list[float] = []
            weights: list[float] = []
            for v in layer:
                weight = total = 0.0
                for u, strength in neighbours[v]:
                    weight += strength
                    total += strength * xs[u]
                wishes.append(total / weight if weight else xs[v])
                weights.append(weight or 0.1)
            for v, x in zip(layer, _spread(wishes, weights, gaps[k]), strict=True):
                xs[v] = x
    _straighten(graph, xs, gaps, boxes)
    return xs


def _straighten(graph: _Layered, xs: list[float], gaps: list[list[float]], boxes: int) -> None:
    """Make lines vertical as far as their neighbours in the layers leave room: first the trunk, then the bends.

    The sweeps converge towards this slowly: what they leave is a wobble of a few pixels.
    """
    slot = {v: (k, i) for k, layer in enumerate(graph.layers) for i, v in enumerate(layer)}
    following: dict[int, int] = {}
    for upper, lowers in enumerate(graph.below):
        for lower in lowers:
            if (upper, lower) in graph.trunk if upper < boxes else lower >= boxes:
                following.setdefault(upper, lower)
    inner = set(following.values())

    for first in range(len(xs)):
        if first in inner:
            continue
        run: list[int] = []
        low, high = float("-inf"), float("inf")
        v: int | None = first
        while v is not None:
            k, i = slot[v]
            layer = graph.layers[k]
            own_low = xs[layer[i - 1]] + gaps[k][i] if i else float("-inf")
            own_high = xs[layer[i + 1]] - gaps[k][i + 1] if i + 1 < len(layer) else float("inf")
            wobble = v >= boxes or not run or abs(xs[v] - xs[run[-1]]) < _WOBBLE
            if run and (not wobble or max(low, own_low) > min(high, own_high)):
                _align(run, xs, low, high)
                run, low, high = [], own_low, own_high
            else:
                low, high = max(low, own_low), min(high, own_high)
            run.append(v)
            v = following.get(v)
        _align(run, xs, low, high)


def _align(run: list[int], xs: list[float], low: float, high: float) -> None:
    x = min(max(sum(xs[v] for v in run) / len(run), low), high)
    for v in run:
        xs[v] = x


def _spread(wishes: Sequence[float], weights: Sequence[float], gaps: Sequence[float]) -> list[float]:
    """The points nearest to ``wishes`` (weighted least squares) with at least ``gaps[i]`` between point i-1 and i.

    Subtracting the accumulated gaps turns this into isotonic regression, which pooling adjacent violators solves.
    """
    offsets: list[float] = []
    offset = 0.0
    for k, gap in enumerate(gaps):
        offset += gap if k else 0.0
        offsets.append(offset)
    means: list[float] = []
    masses: list[float] = []
    counts: list[int] = []
    for wish, weight, offset in zip(wishes, weights, offsets, strict=True):
        mean, mass, count = wish - offset, weight, 1
        while means and means[-1] > mean:
            other = masses.pop()
            mean = (mean * mass + means.pop() * other) / (mass + other)
            mass += other
            count += counts.pop()
        means.append(mean)
        masses.append(mass)
        counts.append(count)
    pooled = [mean for mean, count in zip(means, counts, strict=True) for _ in range(count)]
    return [mean + offset for mean, offset in zip(pooled, offsets, strict=True)]


def _routes(
    sizes: Sequence[tuple[float, float]],
    edges: Sequence[tuple[int, int]],
    chains: list[list[int]],
    centers: list[Point],
    xs: list[float],
    ranks: list[int],
    tops: list[float],
    heights: list[float],
) -> list[list[Point]]:
    leaving: list[list[int]] = [[] for _ in sizes]
    entering: list[list[int]] = [[] for _ in sizes]
    for k, (source, target) in enumerate(edges):
        leaving[source].append(k)
        entering[target].append(k)
    exits = [0.0] * len(edges)
    entries = [0.0] * len(edges)
    for v, (width, _) in enumerate(sizes):
        trunk = [k for k in leaving[v] if len(chains[k]) > 2]  # these leave as one line
        direct = [k for k in leaving[v] if len(chains[k]) == 2]
        ends = [(xs[chains[k][1]], k) for k in direct + trunk[:1]]
        _assign_ports(exits, ends, centers[v][0], width)
        for k in trunk[1:]:
            exits[k] = exits[trunk[0]]
        _assign_ports(entries, [(xs[chains[k][-2]], k) for k in entering[v]], centers[v][0], width)

    routes: list[list[Point]] = []
    for k, (source, target) in enumerate(edges):
        route: list[Point] = [(exits[k], centers[source][1] + sizes[source][1] / 2)]
        for rank, bend in enumerate(chains[k][1:-1], start=ranks[source] + 1):
            route += [(xs[bend], tops[rank]), (xs[bend], tops[rank] + heights[rank])]
        route.append((entries[k], centers[target][1] - sizes[target][1] / 2))
        routes.append(route)
    return routes


def _assign_ports(ports: list[float], ends: list[tuple[float, int]], center: float, width: float) -> None:
    """Give each edge that meets a box its own point on the box: near where the edge comes from, never crossing."""
    if not ends:
        return
    ends.sort()
    reach = max(0.0, width / 2 - _PORT_MARGIN)
    gap = min(_PORT_GAP, 2 * reach / max(1, len(ends) - 1))
    if len(ends) == 1:
        wishes = [center]
    else:
        wishes = [min(max(x, center - reach), center + reach) for x, _ in ends]
    spread = _spread(wishes, [1.0] * len(ends), [gap] * len(ends))
    # Pooling may have pushed the outermost points past the corner: shift the row back inside.
    shift = max(0.0, center - reach - spread[0]) + min(0.0, center + reach - spread[-1])
    for x, (_, k) in zip(spread, ends, strict=True):
        ports[k] = round(min(max(x + shift, center - reach), center + reach), 1)
