"""Where a small graph's boxes and lines go: layers from the leaves down to the loss, with few crossings."""

from __future__ import annotations

from collections.abc import Sequence

BOX = (116, 44)
GAP = (18, 46)  # between boxes of a layer, and between layers
_SWEEPS = 8

Point = tuple[float, float]


def arrange(inputs: Sequence[Sequence[int]]) -> tuple[list[Point], dict[tuple[int, int], list[Point]], float, float]:
    """Place the nodes of a graph.

    Args:
        inputs: for each node the nodes it is computed from, all of them earlier.

    Returns:
        The upper left corners of the boxes; for each pair (input, node) the points of its line, from the lower edge of
        the input to the upper edge of the node; width and height of it all.
    """
    count = len(inputs)
    layer = [0] * count
    for node, sources in enumerate(inputs):
        layer[node] = 1 + max((layer[s] for s in sources), default=-1)
    users: list[list[int]] = [[] for _ in range(count)]
    for node, sources in enumerate(inputs):
        for source in sources:
            users[source].append(node)
    # A leaf stands right above where it is first needed.
    for node in range(count):
        if not inputs[node] and users[node]:
            layer[node] = min(layer[user] for user in users[node]) - 1
    # Lines that pass layers get a narrow place in each of them, so that no box lies over them.
    rows: list[list[int]] = [[] for _ in range(max(layer, default=0) + 1)]
    for node in range(count):
        rows[layer[node]].append(node)
    above: list[list[int]] = [[] for _ in range(count)]
    chains: dict[tuple[int, int], list[int]] = {}
    total = count
    for node, sources in enumerate(inputs):
        for source in dict.fromkeys(sources):
            chain = [source]
            for between in range(layer[source] + 1, layer[node]):
                rows[between].append(total)
                above.append([chain[-1]])
                chain.append(total)
                total += 1
            above[node].append(chain[-1])
            chains[source, node] = chain
    below: list[list[int]] = [[] for _ in range(total)]
    for place, sources in enumerate(above):
        for source in sources:
            below[source].append(place)
    widths = [BOX[0] if place < count else 10 for place in range(total)]
    _untangle(rows, above, below)
    centres = _spread(rows, above, below, widths)
    left = min((centres[p] - widths[p] / 2 for p in range(total)), default=0.0)
    centres = [c - left for c in centres]
    level = [0] * total
    for y, row in enumerate(rows):
        for place in row:
            level[place] = y
    pitch = BOX[1] + GAP[1]
    corners = [(round(centres[n] - BOX[0] / 2, 1), float(level[n] * pitch)) for n in range(count)]
    lines: dict[tuple[int, int], list[Point]] = {}
    for (source, node), chain in chains.items():
        points: list[Point] = [(round(centres[source], 1), corners[source][1] + BOX[1])]
        for place in chain[1:]:
            points += [
                (round(centres[place], 1), level[place] * pitch),
                (round(centres[place], 1), level[place] * pitch + BOX[1]),
            ]
        # Lines arrive beside each other, in the order of what they come from.
        arrivals = sorted(dict.fromkeys(inputs[node]), key=lambda s: (centres[chains[s, node][-1]], s))
        offset = (arrivals.index(source) - (len(arrivals) - 1) / 2) * min(24, 84 / len(arrivals))
        points.append((round(centres[node] + offset, 1), corners[node][1]))
        lines[source, node] = points
    width = max((centres[p] + widths[p] / 2 for p in range(total)), default=0.0)
    return corners, lines, round(width, 1), float(len(rows) * pitch - GAP[1])


def _untangle(rows: list[list[int]], above: list[list[int]], below: list[list[int]]) -> None:
    """Order each row by the middle of its neighbours, down and up again."""
    for sweep in range(_SWEEPS):
        down = sweep % 2 == 0
        neighbours = above if down else below
        for index in range(1, len(rows)) if down else range(len(rows) - 2, -1, -1):
            other = rows[index - 1 if down else index + 1]
            where = {place: at for at, place in enumerate(other)}
            now = {place: at for at, place in enumerate(rows[index])}

            def middle(place: int, where: dict[int, int] = where, now: dict[int, int] = now,
                       neighbours: list[list[int]] = neighbours) -> float:  # fmt: skip
                near = [where[n] for n in neighbours[place] if n in where]
                return sum(near) / len(near) if near else float(now[place])

            rows[index].sort(key=middle)


def _spread(rows: list[list[int]], above: list[list[int]], below: list[list[int]], widths: list[int]) -> list[float]:
    """The middle of each place: near those of its neighbours, with room between those of a row."""
    centres = [0.0] * len(widths)
    for row in rows:
        x = 0.0
        for place in row:
            centres[place] = x + widths[place] / 2
            x += widths[place] + GAP[0]
        for place in row:
            centres[place] -= (x - GAP[0]) / 2
    for sweep in range(_SWEEPS):
        for row in rows if sweep % 2 == 0 else rows[::-1]:
            wish = []
            for place in row:
                near = (above[place] if sweep % 2 == 0 else below[place]) or above[place] + below[place]
                wish.append(sum(centres[n] for n in near) / len(near) if near else centres[place])
            # Blocks of places that would overlap move together to the mean of their wishes.
            blocks: list[list[float]] = []  # sum of wishes minus offsets, count, width
            for place, at in zip(row, wish, strict=True):
                blocks.append([at - widths[place] / 2, 1, widths[place] + GAP[0]])
                while len(blocks) > 1 and blocks[-2][0] / blocks[-2][1] + blocks[-2][2] > blocks[-1][0] / blocks[-1][1]:
                    last = blocks.pop()
                    before = blocks[-1]
                    before[0] += last[0] - last[1] * before[2]
                    before[1] += last[1]
                    before[2] += last[2]
            places = iter(row)
            for total, number, _ in blocks:
                x = total / number
                for _ in range(int(number)):
                    place = next(places)
                    centres[place] = x + widths[place] / 2
                    x += widths[place] + GAP[0]
    return centres
