"""The tables, as Markdown: printed while measuring, and stored in README.md between its two marks."""

from __future__ import annotations

import json
import math
import statistics
from pathlib import Path
from typing import Any

from beside import HERE, Pairs
from figure import draw

README, RESULTS = HERE / "README.md", HERE / "results.json"
BEGIN, END = "<!-- figures: written by run.py --write -->", "<!-- end of figures -->"
REACH_OF_MEAN, REACH_OF_MEMORY = 0.7, 1.2

TIME_HEAD = (
    "| workload | nbtorch | PyTorch | ratio, median (least to most) | reach |\n|---|--:|--:|---|--:|"
)  # fmt: skip
MEMORY_HEAD = (
    "| workload | peak of arrays, MB: nbtorch | PyTorch | ratio | process grows by, MB: nbtorch | PyTorch "
    "| allocations a step: nbtorch | PyTorch |\n|---|--:|--:|--:|--:|--:|--:|--:|"
)


def figure_of(device: str) -> Path:
    return HERE / ("sweeps.png" if device == "cpu" else f"sweeps_{device}.png")


def where_line(where: dict[str, str], rounds: int, device: str, threads: int) -> str:
    versions = f"Python {where['python']}, NumPy {where['numpy']}, PyTorch {where['torch']}"
    if "cupy" in where:
        versions += f", CuPy {where['cupy']}"
    how = "wall time" if threads > 1 or device != "cpu" else "one thread each, processor time"
    if threads > 1:
        how = f"{threads} threads each, {how}"
    return f"{where['machine']}; {versions}; {how}; {rounds} round{'s' * (rounds > 1)}; {where['date']}"


def time_row(row: dict[str, Any]) -> str:
    pairs = Pairs(row["ours"], row["theirs"])
    ratios = pairs.ratios
    said = f"**{pairs.ratio:.2f}** ({ratios[0]:.2f} to {ratios[-1]:.2f})"
    if not row["alike"]:
        said = f"the losses differ by {row['apart']:.1g}"
    ours, theirs = statistics.median(pairs.ours), statistics.median(pairs.theirs)
    return f"| {row['name']} | {_time(ours)} | {_time(theirs)} | {said} | {_reach(row['reach'])} |"


def mean_rows(rows: list[dict[str, Any]]) -> str:
    """The geometric mean of the ratios, of the rows that have a reach and of all."""
    lines = []
    rows = [row for row in rows if row["alike"]]
    aimed = [row for row in rows if row["reach"] is not None]
    for name, some, reach in (("rows with a reach", aimed, REACH_OF_MEAN), ("all rows", rows, None)):
        if len(some) > 1 and (some is aimed or len(aimed) < len(rows)):
            mean = math.exp(statistics.fmean(math.log(Pairs(r["ours"], r["theirs"]).ratio) for r in some))
            lines.append(f"| geometric mean, {name} | | | **{mean:.2f}** | {_reach(reach)} |")
    return "\n".join(lines)


def memory_row(row: dict[str, Any]) -> str:
    ours, theirs = row["ours"], row["theirs"]
    cells = [row["name"]]
    a, b = ours["counted"], theirs["counted"]
    cells += ["", "", ""] if a is None else [_mega(a["peak"]), _mega(b["peak"]), f"**{a['peak'] / b['peak']:.2f}**"]
    cells += [_mega(ours["process"]), _mega(theirs["process"])]
    cells += ["", ""] if a is None else [f"{a['allocations']:,}", f"{b['allocations']:,}"]
    return "| " + " | ".join(cells) + " |"


def _reach(reach: float | None) -> str:
    return "" if reach is None else f"{reach:g}"


def _time(us: float) -> str:
    return f"{us:,.0f} µs" if us < 1e5 else f"{us / 1e3:,.0f} ms"


def _mega(size: int | None) -> str:
    if size is None:
        return ""
    return f"{size / 1e6:.4f}" if size < 1e4 else f"{size / 1e6:.2f}"


def store(device: str, found: dict[str, Any]) -> None:
    """Stores what was measured so far, draws the figure, and writes README.md anew between its marks."""
    stored = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    stored[device] = found
    RESULTS.write_text(json.dumps(_rounded(stored), indent=1) + "\n")
    if "sweeps" in found:
        draw(found["sweeps"], figure_of(device))
    text = README.read_text()
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    README.write_text(before + BEGIN + "\n\n" + tables(stored) + "\n" + END + after)


def tables(stored: dict[str, Any]) -> str:
    parts = []
    for device, name in (("cpu", "On the processor"), ("cuda", "On a GPU")):
        found = stored.get(device)
        if found is None:
            continue
        where, rounds = found["where"], found["rounds"]
        parts += [f"## {name}", where_line(where, rounds, device, 1), _time_table(found["times"])]
        if "memory" in found:
            parts += ["### Memory of a step", "\n".join([MEMORY_HEAD, *map(memory_row, found["memory"])])]
        if "two_threads" in found:
            parts += ["### With two threads", where_line(where, rounds, device, 2), _time_table(found["two_threads"])]
        if "sweeps" in found:
            alt = "Time of a step and ratio to PyTorch over width, batch, depth, sequence length and image size"
            parts += ["### How the cost grows", f"![{alt}]({figure_of(device).name})"]
    return "\n\n".join(parts) + "\n"


def _time_table(rows: list[dict[str, Any]]) -> str:
    means = mean_rows([row for row in rows if not row["name"].startswith("import")])
    return "\n".join([TIME_HEAD, *map(time_row, rows), means])


def _rounded(value: Any) -> Any:
    """Microseconds to three places: what is stored is to be read."""
    if isinstance(value, dict):
        return {k: _rounded(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(v) for v in value]
    if isinstance(value, float):
        return float(f"{value:.5g}")
    return value
