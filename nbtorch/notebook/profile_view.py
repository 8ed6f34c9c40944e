"""What ``%%profile`` shows: where the time of a cell went, as one bar, and a row for each operation.

It reads a profile through PyTorch's public surface (``events()``, ``key_averages()``), so that a profile made with
``torch.profiler.profile`` can be shown as well: ``ProfileView(prof)``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .markup import escape, number_text

__all__ = ["SORTS", "ProfileView"]

# Options of ``--sort``: the attribute of an average, and the heading of its column.
SORTS = {
    "self": "self_cpu_time_total",
    "total": "cpu_time_total",
    "calls": "count",
    "each": "cpu_time",
    "memory": "self_cpu_memory_usage",
    "name": "key",
}
_EVALUATE = "autograd::engine::evaluate_function: "
# Kinds of work, in the order of a training step; the colours keep a contrast of 3 on white and on dark grey.
_KINDS = {
    "data": ("data", "#8a63c4"),
    "forward": ("forward", "#3e7cb1"),
    "backward": ("backward", "#cf6f1d"),
    "optimizer": ("optimizer", "#3f8f5b"),
    "python": ("outside operations", "#8a8a8a"),
}
_MUTED = "opacity:.75"
_CODE = "font-family:var(--jp-code-font-family,monospace)"
_LINE = "1px solid var(--jp-border-color2,rgba(128,128,128,.35))"


def _kind(event: Any) -> str:
    """Which part of a training step an event belongs to; "" for names that a program gave and for modules."""
    name = event.name if hasattr(event, "name") else event.key
    if name.startswith("Optimizer."):
        return "optimizer"
    if name.startswith("enumerate(DataLoader)"):
        return "data"
    if event.scope == 1 or name.startswith(_EVALUATE):
        return "backward"
    return "" if event.is_user_annotation or name.startswith("nn.Module: ") else "forward"


def _time(microseconds: float) -> str:
    for unit, size in (("s", 1e6), ("ms", 1e3)):
        if microseconds >= size * 0.9995:
            return f"{number_text(microseconds / size, 3)} {unit}"
    return f"{number_text(microseconds, 3)} µs"


def _bytes(count: float) -> str:
    for unit, size in (("GB", 1024**3), ("MB", 1024**2), ("KB", 1024)):
        if abs(count) >= size:
            return f"{number_text(count / size, 3)} {unit}"
    return f"{count:,.0f} B"


class ProfileView:
    """A profile as a picture: in a notebook as HTML for both themes, elsewhere as PyTorch's table.

    Args:
        profile: one that has ended.
        sort: a key of ``SORTS``.
        limit: how many rows.
        wall: how long the whole took, in microseconds; else what the events span.
        note: a sentence below.

    Attributes:
        profile: as given, with ``key_averages()``, ``export_chrome_trace(path)`` and the rest.
    """

    def __init__(
        self, profile: Any, *, sort: str = "self", limit: int = 15, wall: float | None = None, note: str = ""
    ) -> None:
        self.profile = profile
        self._limit, self._note = limit, note
        self._averages = profile.key_averages()
        rows = [a for a in self._averages if not a.key.startswith(_EVALUATE)]
        rows.sort(key=lambda a: a.key)
        if sort != "name":
            rows.sort(key=lambda a: getattr(a, SORTS[sort]), reverse=True)
        self._rows = rows
        self._sort = sort
        events = profile.events()
        ends = [event.time_range.end for event in events]
        starts = [event.time_range.start for event in events]
        spanned = max(ends) - min(starts) if ends else 0.0
        self._wall = max(spanned, wall or 0.0)
        self._shares = self._by_kind(events)

    def _by_kind(self, events: Any) -> dict[str, float]:
        """Microseconds by kind of work, each counted where its outermost operation belongs."""
        shares = dict.fromkeys(_KINDS, 0.0)
        for event in events:
            kind = _kind(event)
            above = event.cpu_parent
            while kind and above is not None:
                if _kind(above):
                    kind = ""
                above = above.cpu_parent
            if kind:
                shares[kind] += event.cpu_time_total
        shares["python"] = max(0.0, self._wall - sum(shares.values()))
        return shares

    def __repr__(self) -> str:
        sort = SORTS[self._sort]
        table = str(self._averages.table(sort_by=None if sort == "key" else sort, row_limit=self._limit)).rstrip()
        return "\n".join(part for part in (table or "no operations ran", self._note) if part)

    def _repr_html_(self) -> str:
        calls = sum(row.count for row in self._rows)
        made = sum(row.self_cpu_memory_usage for row in self._rows)
        facts = [_time(self._wall), f"{calls:,} call{'' if calls == 1 else 's'}"]
        facts += [f"{_bytes(made)} of results"] if made else []
        head = f'<div><b>Profile</b> <span style="{_MUTED}">· {" · ".join(facts)}</span></div>'
        if not self._rows:
            return f'<div style="{_FONT}">{head}<div style="{_MUTED}">no operations ran</div>{self._footer()}</div>'
        return f'<div style="{_FONT}">{head}{self._bar()}{self._table()}{self._footer()}</div>'

    def _bar(self) -> str:
        """One bar for the whole time, and below it what its parts are."""
        whole = sum(self._shares.values()) or 1.0
        parts, legend = [], []
        for kind, (title, color) in _KINDS.items():
            share = self._shares[kind] / whole
            if share <= 0:
                continue
            parts.append(f'<div style="flex:{share:.4f} 1 0;min-width:1px;background:{color}"></div>')
            legend.append(
                f"<span>{_chip(color)} {title} "
                f'<span style="{_MUTED}">{_time(self._shares[kind])} · {_percent(share)}</span></span>'
            )
        return (
            '<div aria-hidden="true" style="display:flex;gap:1px;height:10px;margin:6px 0 4px;border-radius:3px;'
            f'overflow:hidden;max-width:720px">{"".join(parts)}</div>'
            f'<div style="display:flex;flex-wrap:wrap;gap:0 18px;font-size:12px">{"".join(legend)}</div>'
        )

    def _table(self) -> str:
        titles = {"name": "operation", "self": "self", "share": "", "total": "with inner", "calls": "calls",
                  "each": "a call", "memory": "memory"}  # fmt: skip
        memory = any(row.self_cpu_memory_usage for row in self._rows)
        if not memory:
            del titles["memory"]
        heads = []
        for key, title in titles.items():
            side = "left" if key in ("name", "share") else "right"
            mark = " ↓" if key == self._sort and key != "name" else ""
            heads.append(
                f'<th scope="col" style="{_cell(side)};border-bottom:{_LINE};font-weight:600">{title}{mark}</th>'
            )
        largest = max(row.self_cpu_time_total for row in self._rows)
        body = [self._row(row, largest, memory) for row in self._rows[: self._limit]]
        return (
            '<div style="overflow-x:auto"><table style="border-collapse:collapse;margin:8px 0 0;font-size:12px;'
            f'border:none"><thead><tr>{"".join(heads)}</tr></thead><tbody>{"".join(body)}</tbody></table></div>'
        )

    def _row(self, row: Any, largest: float, memory: bool) -> str:
        kind = _kind(row)
        color = _KINDS[kind][1] if kind else "transparent"
        prefix, _, name = row.key.rpartition("::") if not row.is_user_annotation else ("", "", row.key)
        shown = f'<span style="opacity:.6">{escape(prefix)}::</span>{escape(name)}' if prefix else escape(name)
        width = round(72 * row.self_cpu_time_total / largest) if largest > 0 else 0
        bar = (
            f'<span style="display:inline-block;vertical-align:middle;height:8px;width:{max(width, 1)}px;'
            f'background:{color if kind else _KINDS["python"][1]};border-radius:2px"></span> '
            f'<span style="{_MUTED}">{_percent(row.self_cpu_time_total / (self._wall or 1.0))}</span>'
        )
        cells = [
            f'<th scope="row" style="{_cell("left")};font-weight:normal">{_chip(color)} '
            f'<span style="{_NAME}" title="{escape(row.key)}">{shown}</span></th>',
            f'<td style="{_cell("right")}">{_time(row.self_cpu_time_total)}</td>',
            f'<td style="{_cell("left")};min-width:120px">{bar}</td>',
            f'<td style="{_cell("right")}">{_time(row.cpu_time_total)}</td>',
            f'<td style="{_cell("right")}">{row.count:,}</td>',
            f'<td style="{_cell("right")}">{_time(row.cpu_time)}</td>',
        ]
        if memory:
            taken = _bytes(row.self_cpu_memory_usage) if row.self_cpu_memory_usage else ""
            cells.append(f'<td style="{_cell("right")}">{taken}</td>')
        return f"<tr>{''.join(cells)}</tr>"

    def _footer(self) -> str:
        lines = list(self._notes())
        return f'<div style="{_MUTED};font-size:11px;margin-top:4px">{"<br>".join(map(escape, lines))}</div>'

    def _notes(self) -> Iterator[str]:
        rest = len(self._rows) - self._limit
        if rest > 0:
            yield f"… and {rest:,} more: %%profile --limit {len(self._rows)}"
        if self._rows:
            yield "self: without the operations called inside; memory: what the results take up"
        if self._note:
            yield self._note


_NAME = f"{_CODE};display:inline-block;max-width:300px;overflow:hidden;text-overflow:ellipsis;vertical-align:bottom"
_FONT = "font-size:13px;line-height:1.6;margin:2px 0"


def _cell(side: str) -> str:
    return f"text-align:{side};padding:1px 14px 1px 0;white-space:nowrap;font-variant-numeric:tabular-nums"


def _chip(color: str) -> str:
    return f'<span style="display:inline-block;width:8px;height:8px;border-radius:2px;background:{color}"></span>'


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.0095 else "&lt; 1 %"
