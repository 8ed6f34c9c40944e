"""The table of a profile, as text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

__all__ = ["build_table", "format_memory", "format_time"]

_WIDTH, _GAP = 12, 2
_UNITS = {"s": 1e6, "ms": 1e3, "us": 1.0}
_BYTES = (("GB", 1024**3), ("MB", 1024**2), ("KB", 1024))
_FLOPS = ("FLOPs", "KFLOPs", "MFLOPs", "GFLOPs", "TFLOPs", "PFLOPs")


def format_time(microseconds: float, unit: str | None = None) -> str:
    """Microseconds as text, in the unit that suits them or the one given."""
    if unit is None:
        unit = "s" if microseconds >= 1e6 else "ms" if microseconds >= 1e3 else "us"
    return f"{microseconds / _UNITS[unit]:.3f}{unit}"


def format_memory(count: int) -> str:
    """Bytes as text, in the unit that suits them."""
    for unit, size in _BYTES:
        if abs(count) >= size:
            return f"{count / size:.2f} {unit}"
    return f"{count} B"


def _share(part: float, whole: float) -> str:
    return f"{part * 100 / whole:.2f}%" if whole else "NaN"


def _cut(text: str, width: int | None) -> str:
    return text[: width - 3] + "..." if width is not None and len(text) >= width - 3 else text


def _column_width(texts: Sequence[str], most: int | None) -> int:
    width = max((len(text) for text in texts), default=0) + 4
    return width if most is None else min(width, most)


def _sort_value(event: Any, name: str) -> Any:
    name = name.replace("cuda", "device").replace("xpu", "device").replace("privateuse1", "device")
    try:
        return getattr(event, name)
    except AttributeError:
        raise AttributeError(
            f"'{type(event).__name__}' object has no attribute {name!r}\n  argument: sort_by\n"
            "  expected: cpu_time, cpu_time_total, self_cpu_time_total, cpu_memory_usage, self_cpu_memory_usage, count "
            "or flops"
        ) from None


def build_table(
    events: Any,
    *,
    sort_by: str | None,
    row_limit: int,
    max_src_column_width: int | None,
    max_name_column_width: int | None,
    max_shapes_column_width: int | None,
    header: str | None,
    top_level_events_only: bool,
    time_unit: str | None,
    profile_memory: bool,
    with_flops: bool,
) -> str:
    """See :meth:`nbtorch.profiler.events.EventList.table`."""
    if not len(events):
        return ""
    if time_unit is not None and time_unit not in _UNITS:
        raise ValueError(f"Unsupported time_unit {time_unit!r}. Expected one of 'us', 'ms', 's' or None.")
    whole = events.self_cpu_time_total
    if sort_by is not None:
        events = sorted(events, key=lambda event: _sort_value(event, sort_by), reverse=True)
    shapes = [str(event.input_shapes) for event in events]
    has_shapes = any(event.input_shapes for event in events)
    stacks = [line for event in events for line in event.stack]

    def time(microseconds: float) -> str:
        return format_time(microseconds, time_unit)

    # For each column its title, its width, its side, and what it shows of an event.
    columns: list[tuple[str, int, str, Callable[[Any], str]]] = [
        (
            "Name", _column_width([event.key for event in events], max_name_column_width), ">",
            lambda event: _cut(event.key, max_name_column_width),
        ),
        ("Self CPU %", _WIDTH, ">", lambda event: _share(event.self_cpu_time_total, whole)),
        ("Self CPU", _WIDTH, ">", lambda event: time(event.self_cpu_time_total)),
        ("CPU total %", _WIDTH, ">", lambda event: _share(event.cpu_time_total, whole)),
        ("CPU total", _WIDTH, ">", lambda event: time(event.cpu_time_total)),
        ("CPU time avg", _WIDTH, ">", lambda event: time(event.cpu_time)),
    ]  # fmt: skip
    if profile_memory:
        columns.append(("CPU Mem", _WIDTH, ">", lambda event: format_memory(event.cpu_memory_usage)))
        columns.append(("Self CPU Mem", _WIDTH, ">", lambda event: format_memory(event.self_cpu_memory_usage)))
    columns.append(("# of Calls", _WIDTH, ">", lambda event: str(event.count)))
    if has_shapes:
        width = _column_width(shapes, max_shapes_column_width)
        columns.append(
            ("Input Shapes", width, ">", lambda event: _cut_shapes(str(event.input_shapes), max_shapes_column_width))
        )
    if stacks:
        width = _column_width(stacks, max_src_column_width)
        columns.append(("Source Location", width, "<", lambda event: _first(event.stack, max_src_column_width)))
    if with_flops:
        scale = max((event.flops for event in events), default=0)
        power = next((p for p in range(len(_FLOPS) - 1, 0, -1) if scale >= 1000**p), 0)
        columns.append(
            (
                f"Total {_FLOPS[power]}", _WIDTH, ">",
                lambda event: f"{event.flops / 1000**power:.3f}" if event.flops > 0 else "--",
            )
        )  # fmt: skip

    gap = " " * _GAP
    rule = "".join("-" * width + gap for _, width, _, _ in columns)

    def row(texts: Sequence[str], centred: bool = False) -> str:
        return "".join(f"{text:{side}{width}}{gap}" for text, (_, width, side, _) in zip(texts, columns, strict=True))

    lines: list[str] = []
    if header is not None or top_level_events_only:
        lines.append("=" * (len(rule) - _GAP))
    if header is not None:
        lines.append(header)
    if top_level_events_only:
        lines += ["=" * (len(rule) - _GAP)] if header is not None else []
        lines.append("This report only display top-level ops statistics")
    lines += [rule, row([title for title, _, _, _ in columns]), rule]
    shown = 0
    for event in events:
        if shown == row_limit:
            break
        if top_level_events_only and event.cpu_parent is not None:
            continue
        shown += 1
        lines.append(row([show(event) for _, _, _, show in columns]))
        if stacks:
            place = next(i for i, column in enumerate(columns) if column[0] == "Source Location")
            rest = [_tail(line, max_src_column_width) for line in event.stack[1:]]
            lines += [row([line if i == place else "" for i in range(len(columns))]) for line in [*rest, ""]]
    lines += [rule, f"Self CPU time total: {time(whole)}", ""]
    return "\n".join(lines)


def _cut_shapes(text: str, width: int | None) -> str:
    return text if width is None else text[:width]


def _tail(text: str, width: int | None) -> str:
    """The end of a source line's name: the file and the function."""
    return text if width is None or len(text) <= width else "..." + text[-(width - 3) :]


def _first(stack: Sequence[str], width: int | None) -> str:
    return _tail(stack[0], width) if stack else ""
