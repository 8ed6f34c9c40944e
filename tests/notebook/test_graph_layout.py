from __future__ import annotations

import random
import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nbtorch.notebook.layout import Layout, _crossings, _spread, layered_layout
from nbtorch.notebook.layout import _cut_long_edges as cut
from nbtorch.notebook.layout import _ranks as ranks

Edge = tuple[int, int]


def boxes(n: int, size: tuple[float, float] = (60.0, 38.0)) -> list[tuple[float, float]]:
    return [size] * n


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[tuple[float, float]], list[Edge]]:
    n = draw(st.integers(1, 25))
    sizes = [(float(draw(st.integers(10, 200))), float(draw(st.integers(10, 60)))) for _ in range(n)]
    pair = st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)).filter(lambda e: e[0] != e[1])
    edges = [(min(e), max(e)) for e in draw(st.lists(pair, max_size=40))] if n > 1 else []
    return sizes, edges


@settings(max_examples=150, deadline=None)
@given(graphs())
def test_any_acyclic_graph_is_laid_out_without_overlap(graph: tuple[list[tuple[float, float]], list[Edge]]) -> None:
    sizes, edges = graph
    layout = layered_layout(sizes, edges)
    for source, target in edges:
        assert layout.layers[source] < layout.layers[target]
    for v, ((x, y), (width, height)) in enumerate(zip(layout.centers, sizes, strict=True)):
        assert x - width / 2 >= -0.1 and x + width / 2 <= layout.width + 0.1
        assert y - height / 2 >= -0.1 and y + height / 2 <= layout.height + 0.1
        for u in range(v):
            if layout.layers[u] == layout.layers[v]:
                assert abs(layout.centers[u][0] - x) >= (sizes[u][0] + width) / 2 + 10  # a gap remains between boxes
    for (source, target), route in zip(edges, layout.routes, strict=True):
        (first_x, first_y), (last_x, last_y) = route[0], route[-1]
        assert first_y == pytest.approx(layout.centers[source][1] + sizes[source][1] / 2)
        assert last_y == pytest.approx(layout.centers[target][1] - sizes[target][1] / 2)
        assert abs(first_x - layout.centers[source][0]) <= sizes[source][0] / 2
        assert abs(last_x - layout.centers[target][0]) <= sizes[target][0] / 2
        assert all(a[1] <= b[1] for a, b in pairwise(route))  # edges never turn back
    assert layered_layout(sizes, edges) == layout


def test_nothing_to_lay_out() -> None:
    assert layered_layout([], []) == Layout([], [], [], 0.0, 0.0)


def test_cycle_is_an_error() -> None:
    with pytest.raises(ValueError, match="cycle"):
        layered_layout(boxes(3), [(0, 1), (1, 2), (2, 1)])


def test_a_parameter_stands_just_above_its_consumer() -> None:
    chain = [(k, k + 1) for k in range(9)]
    layout = layered_layout(boxes(12), [*chain, (10, 11), (11, 9)])  # parameter 10 -> transpose 11 -> last operation 9
    assert layout.layers[11] == layout.layers[9] - 1
    assert layout.layers[10] == layout.layers[9] - 2


def test_the_trunk_is_straight_and_branches_give_way() -> None:
    edges: list[Edge] = []
    for k in range(6):  # 0 -> 1 -> ... -> 6, each step with a parameter
        edges += [(k, k + 1), (7 + k, k + 1)]
    layout = layered_layout(boxes(13), edges)
    assert len({layout.centers[k][0] for k in range(1, 7)}) == 1


def test_arguments_stand_in_their_order() -> None:
    layout = layered_layout(boxes(4), [(2, 3), (0, 3), (1, 3)])
    assert layout.centers[2][0] < layout.centers[0][0] < layout.centers[1][0]


def test_parallel_edges_are_kept_apart() -> None:
    one, two = layered_layout(boxes(2), [(0, 1), (0, 1)]).routes
    assert abs(one[0][0] - two[0][0]) >= 8 and abs(one[-1][0] - two[-1][0]) >= 8


def test_a_skip_connection_goes_round_the_boxes_it_passes() -> None:
    sizes = boxes(5)
    layout = layered_layout(sizes, [(0, 1), (1, 2), (2, 3), (3, 4), (0, 4)])
    for x, y in layout.routes[-1][1:-1]:
        for v in (1, 2, 3):
            center_x, center_y = layout.centers[v]
            assert abs(x - center_x) > sizes[v][0] / 2 or abs(y - center_y) >= sizes[v][1] / 2


def test_sweeps_remove_crossings_of_a_tangled_tree() -> None:
    # Two trees whose vertices are numbered so that they interleave: drawn in the order given, they cross.
    edges = [(k, 8 + k % 2) for k in range(8)] + [(8, 10), (9, 10)]
    layout = layered_layout(boxes(11), edges)
    left = [layout.centers[k][0] for k in range(0, 8, 2)]
    right = [layout.centers[k][0] for k in range(1, 8, 2)]
    assert max(left) < min(right) or max(right) < min(left)


@settings(deadline=None)
@given(st.integers(1, 6), st.integers(1, 6), st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=15))
def test_crossings_are_counted_right(upper: int, lower: int, pairs: list[Edge]) -> None:
    edges = [(a % upper, upper + b % lower) for a, b in pairs]
    count = upper + lower
    levels = [0] * upper + [1] * lower
    graph = cut(levels, edges, set())
    expected = sum((a[0] - b[0]) * (a[1] - b[1]) < 0 for k, a in enumerate(edges) for b in edges[:k])
    assert _crossings(graph, [*range(upper), *range(lower)]) == expected
    assert len(ranks(count, edges)[0]) == count


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.floats(-50, 50), st.floats(0.1, 9), st.floats(0, 30)), min_size=1, max_size=12),
    st.integers(0, 10**6),
)
def test_spread_is_the_least_squares_optimum(points: list[tuple[float, float, float]], seed: int) -> None:
    wishes, weights, gaps = zip(*points, strict=True)
    placed = _spread(wishes, weights, gaps)
    assert all(b - a >= gap - 1e-6 for (a, b), gap in zip(pairwise(placed), gaps[1:], strict=True))

    def cost(xs: list[float]) -> float:
        return sum(w * (x - wish) ** 2 for x, wish, w in zip(xs, wishes, weights, strict=True))

    rng = random.Random(seed)
    for _ in range(20):  # no permitted neighbour of the solution is better
        other = [x + rng.uniform(-1, 1) for x in placed]
        if all(b - a >= gap for (a, b), gap in zip(pairwise(other), gaps[1:], strict=True)):
            assert cost(other) >= cost(placed) - 1e-6


def test_five_hundred_nodes_take_a_moment_and_a_shared_weight_makes_no_curtain() -> None:
    rng = random.Random(0)
    edges: list[Edge] = []
    for k in range(1, 480):
        edges.append((k - 1, k))
        if rng.random() < 0.25 and k > 8:
            edges.append((k - 8, k))
    edges += [(480 + k % 20, k) for k in range(1, 480)]  # 20 weights, each used in 24 places
    start = time.process_time()
    layout = layered_layout(boxes(500), edges)
    assert time.process_time() - start < 3  # about 0.25 s; a generous bound for a busy machine
    assert layout.width < 2500


def test_layout_needs_no_recursion() -> None:
    n = 5000
    assert len(layered_layout(boxes(n), [(k, k + 1) for k in range(n - 1)]).centers) == n
