"""What a profile holds, compared with PyTorch's of the same program."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from helpers import device_name, import_torch

import nbtorch


def convolutional(lib: Any) -> Any:
    nn = lib.nn
    layers = nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(36, 10)
    return nn.Sequential(*layers), (2, 1, 8, 8)


def dense(lib: Any) -> Any:
    nn = lib.nn
    layers = nn.Linear(8, 16), nn.Tanh(), nn.Dropout(0.5), nn.LayerNorm(16), nn.GELU(), nn.Linear(16, 10)
    return nn.Sequential(*layers), (4, 8)


def arithmetic(lib: Any) -> Any:
    class Model(lib.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.w = lib.nn.Parameter(lib.ones(3, 3))

        def forward(self, x: Any) -> Any:
            y = (x * self.w + 2.0 - self.w / 3.0) @ self.w
            a, b = y[0], y.t()[1]
            c = y.exp().log().neg().sqrt().clamp(min=0.1).permute(1, 0).unsqueeze(0).squeeze(0)
            d = lib.where(c > 0, c, y).softmax(-1)
            with lib.no_grad():
                d.argmax(1), lib.zeros(3).mul_(2.0)
            return lib.stack([a, b]).max() + d + y.var() + y.pow(2.0)

    return Model(), (3, 3)


# What PyTorch does in several operations, or by one of another name: see docs/profiler.md.
COMPOSED = {"aten::sum", "aten::view", "aten::reshape", "aten::add_", "aten::select", "aten::t", "aten::transpose",
            "aten::cat", "aten::to", "aten::abs", "aten::item"}  # fmt: skip


def counts(lib: Any, make: Any, device: str) -> Counter[str]:
    """How often each event occurred in a step; without the operations inside backward and the optimiser."""
    lib.manual_seed(0)
    model, shape = make(lib)
    model.to(device)
    x = lib.ones(*shape, device=device)
    optimizer = lib.optim.SGD(model.parameters(), lr=0.1)
    model(x)
    with lib.profiler.profile(activities=[lib.profiler.ProfilerActivity.CPU]) as prof:
        optimizer.zero_grad()
        model(x).sum().backward()
        optimizer.step()
    found: Counter[str] = Counter()
    for event in prof.events():
        above, parent = [], event.cpu_parent
        while parent is not None:
            above.append(parent)
            parent = parent.cpu_parent
        inside = any(e.scope == 1 or e.name.startswith("Optimizer") for e in above)
        if not (inside and event.name.startswith("aten")):
            found[event.name] += 1
    return found


@pytest.mark.parametrize("make", [convolutional, dense, arithmetic])
def test_the_same_operations_as_often_as_in_torch(make: Any) -> None:
    ours = counts(nbtorch, make, device_name())
    theirs = counts(import_torch(), make, "cpu")
    common = [name for name in ours if name in theirs and name not in COMPOSED]
    assert {n: ours[n] for n in common} == {n: theirs[n] for n in common}
    unknown = {"aten::reshape", "aten::norm"}
    assert {n for n in ours if n not in theirs} <= unknown
    missing = {n for n in theirs if n not in ours and "Backward" in n}
    assert all("TBackward0" in n or "UnsafeView" in n for n in missing), missing
    assert len(common) > 15


def program(lib: Any) -> Any:
    x = lib.ones(4, 8, requires_grad=True)
    w = lib.ones(8, 2)
    return lib, x, w


@pytest.mark.parametrize(
    ("name", "use"),
    [
        ("aten::mul", lambda lib, x, w: x * x),
        ("aten::matmul", lambda lib, x, w: x @ w),
        ("aten::view", lambda lib, x, w: x.view(-1)),
        ("aten::t", lambda lib, x, w: x.t()),
        ("aten::zeros", lambda lib, x, w: lib.zeros(100)),
        ("aten::relu", lambda lib, x, w: x.relu()),
        ("aten::softmax", lambda lib, x, w: x.softmax(0)),
        ("aten::add_", lambda lib, x, w: w.add_(1.0)),
        ("aten::exp", lambda lib, x, w: x.double().exp()),
    ],
)
def test_bytes_shapes_and_flops_as_in_torch(name: str, use: Any) -> None:
    found = []
    for lib in (nbtorch, import_torch()):
        lib, x, w = program(lib)
        with lib.profiler.profile(profile_memory=True, record_shapes=True, with_flops=True) as prof:
            use(lib, x, w)
        [event] = [e for e in prof.events() if e.name == name]
        # Of a matmul PyTorch's mm inside makes the result.
        flops = sum(e.flops for e in prof.events() if e is event or e.cpu_parent is event)
        taken = 0 if name == "aten::add_" else event.cpu_memory_usage
        sizes = [s for s in event.input_shapes if s]
        found.append((taken, sizes if name != "aten::zeros" else [], flops))
    assert found[0] == found[1]


def test_forward_and_backward_have_one_number() -> None:
    x = nbtorch.ones(3, requires_grad=True)
    with nbtorch.profiler.profile() as prof:
        (x * 2).exp().sum().backward()
    numbers = {e.name: e.sequence_nr for e in prof.events()}
    for op in ("mul", "exp", "sum"):
        node = f"{op.capitalize()}Backward0"
        assert numbers[f"aten::{op}"] == numbers[node] == numbers[f"autograd::engine::evaluate_function: {node}"] >= 0
    order = [e.name for e in prof.events() if e.name.endswith("Backward0") and ":" not in e.name]
    assert order == ["SumBackward0", "ExpBackward0", "MulBackward0"]


def test_self_times_add_up() -> None:
    x = nbtorch.randn(20, 20, requires_grad=True)
    with nbtorch.profiler.profile() as prof, nbtorch.profiler.record_function("all"):
        nbtorch.nn.functional.cross_entropy(x, nbtorch.arange(20)).backward()
    events = prof.events()
    assert all(e.self_cpu_time_total >= -0.001 for e in events)
    top = sum(e.cpu_time_total for e in events if e.cpu_parent is None)
    assert events.self_cpu_time_total == pytest.approx(top)
    assert top == pytest.approx(events[0].cpu_time_total)
    for event in events:
        assert all(c.cpu_parent is event for c in event.cpu_children)
        assert all(event.time_range.start <= c.time_range.start for c in event.cpu_children)
        assert all(c.time_range.end <= event.time_range.end for c in event.cpu_children)


def test_what_was_made_inside_counts_once() -> None:
    x = nbtorch.ones(4, 4)
    with nbtorch.profiler.profile(profile_memory=True) as prof:
        nbtorch.nn.functional.cross_entropy(x, nbtorch.arange(4))
    by_name = {e.name: e for e in prof.events()}
    whole = by_name["aten::cross_entropy_loss"]
    assert (whole.self_cpu_memory_usage, whole.cpu_memory_usage) == (0, 68)
    assert by_name["aten::log_softmax"].cpu_memory_usage == 64


def test_custom_functions_loaders_and_new_optimizers() -> None:
    class Double(nbtorch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * 2

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g * 2

    x = nbtorch.ones(3, requires_grad=True)
    with nbtorch.profiler.profile() as prof:

        class Still(nbtorch.optim.Optimizer):
            def step(self, closure: Any = None) -> None:
                pass

        optimizer = Still([x], {})
        Double.apply(x).sum().backward()
        optimizer.step()
        list(nbtorch.utils.data.DataLoader([1, 2, 3], batch_size=2))
    parents = {e.name: e.cpu_parent and e.cpu_parent.name for e in prof.events()}
    assert parents["DoubleBackward"] == "autograd::engine::evaluate_function: DoubleBackward"
    assert "Double" in parents and parents["aten::mul"] in ("Double", "DoubleBackward")
    assert parents["Optimizer.step#Still.step"] is None
    loads = [e.name for e in prof.events() if e.name.startswith("enumerate")]
    assert loads == ["enumerate(DataLoader)#_SingleProcessDataLoaderIter.__next__"] * 3


def test_modules_and_lines() -> None:
    model = nbtorch.nn.Sequential(nbtorch.nn.Linear(2, 2), nbtorch.nn.ReLU())
    with nbtorch.profiler.profile(with_modules=True, with_stack=True) as prof:
        model(nbtorch.ones(1, 2)).sum().backward()
    events = {e.name: e for e in prof.events()}
    assert events["aten::linear"].cpu_parent is events["nn.Module: Linear"]
    assert events["nn.Module: Linear"].cpu_parent is events["nn.Module: Sequential"]
    line = events["aten::linear"].stack[0]
    assert line.startswith(__file__) and line.endswith("test_modules_and_lines")
    assert events["AddmmBackward0"].stack == events["aten::linear"].stack


def test_groups() -> None:
    x = nbtorch.ones(2, 3)
    with nbtorch.profiler.profile(record_shapes=True, with_stack=True) as prof:
        for _ in range(3):
            x * 2
        x[0] * 2
    assert [(a.key, a.count) for a in prof.key_averages()] == [("aten::mul", 4), ("aten::select", 1)]
    shapes = [(a.key, a.count, a.input_shapes) for a in prof.key_averages(group_by_input_shape=True)]
    assert ("aten::mul", 3, [[2, 3], []]) in shapes and ("aten::mul", 1, [[3], []]) in shapes
    assert [a.count for a in prof.key_averages(group_by_stack_n=1)] == [3, 1, 1]
    total = prof.key_averages().total_average()
    assert (total.key, total.count) == ("Total", 5)
    assert total.self_cpu_time_total == pytest.approx(prof.events().self_cpu_time_total)


def _columns(text: str) -> list[str]:
    header = next(line for line in text.splitlines() if "# of Calls" in line)
    return [title for title in (part.strip() for part in header.split("  ")) if title]


@pytest.mark.parametrize(
    "options",
    [{}, {"profile_memory": True}, {"record_shapes": True}, {"with_flops": True},
     {"profile_memory": True, "record_shapes": True, "with_flops": True}],
)  # fmt: skip
def test_the_table_looks_like_torchs(options: dict[str, bool]) -> None:
    tables = []
    for lib in (nbtorch, import_torch()):
        x = lib.ones(4, 8)
        with lib.profiler.profile(**options) as prof:
            x @ x.t()
        averages = prof.key_averages(group_by_input_shape="record_shapes" in options)
        shown = {"sort_by": "count", "row_limit": 1, "header": "TITLE", "time_unit": "ms"}
        tables.append(averages.table(**shown))
        assert averages.table(top_level_events_only=True).splitlines()[1] == (
            "This report only display top-level ops statistics"
        )
    ours, theirs = (t.splitlines() for t in tables)
    assert _columns(tables[0]) == _columns(tables[1])
    assert ours[1] == theirs[1] == "TITLE"
    assert len(ours) == len(theirs)
    for text in (ours, theirs):
        assert len(text[0]) == len(text[2]) - 2 and set(text[0]) == {"="} and set(text[2]) == {"-", " "}
        assert text[-1].startswith("Self CPU time total: ") and text[-1].endswith("ms")
    assert tables[0].endswith("ms\n") and tables[1].endswith("ms\n")


def test_a_trace_opens_where_torchs_opens(tmp_path: Path) -> None:
    traces = []
    for lib in (nbtorch, import_torch()):
        x = lib.ones(4, 8, requires_grad=True)
        with lib.profiler.profile(record_shapes=True) as prof, lib.profiler.record_function("mine"):
            (x * 2.0).sum().backward()
        prof.add_metadata_json("note", '{"a": [1]}') if lib is nbtorch else None
        path = tmp_path / f"{lib.__name__}.json.gz"
        prof.export_chrome_trace(str(path))
        traces.append(json.loads(gzip.decompress(path.read_bytes())))
    ours, theirs = traces
    assert ours["note"] == {"a": [1]}
    assert {"schemaVersion", "traceEvents", "baseTimeNanoseconds", "displayTimeUnit", "traceName"} <= set(ours)
    assert set(ours) - {"note"} <= set(theirs)
    for name in ("mine", "aten::mul", "MulBackward0"):
        a, b = (next(e for e in t["traceEvents"] if e["name"] == name) for t in traces)
        assert set(a) == set(b) and set(a["args"]) <= set(b["args"]) and (a["ph"], a["cat"]) == (b["ph"], b["cat"])
        assert all(isinstance(a[key], (int, float)) for key in ("ts", "dur", "pid", "tid"))
        assert a["args"].get("Input Dims") == b["args"].get("Input Dims")
    complete = {e["name"]: e for e in ours["traceEvents"] if e["ph"] == "X"}
    arrows = [e for e in ours["traceEvents"] if e["ph"] in "sf"]
    assert len(arrows) == 4 and all(e["cat"] == "fwdbwd" for e in arrows)
    starts = {e["id"]: e["ts"] for e in arrows if e["ph"] == "s"}
    assert starts[complete["aten::mul"]["args"]["Sequence number"]] == complete["aten::mul"]["ts"]
    mine, mul = complete["mine"], complete["aten::mul"]
    assert mine["ts"] <= mul["ts"] and mul["ts"] + mul["dur"] <= mine["ts"] + mine["dur"] + 0.01


def test_stacks(tmp_path: Path) -> None:
    with nbtorch.profiler.profile(with_stack=True) as prof:
        nbtorch.ones(200, 200) @ nbtorch.ones(200, 200)
    prof.export_stacks(tmp_path / "stacks")
    lines = (tmp_path / "stacks").read_text(encoding="utf-8").splitlines()
    frames, _, number = lines[-1].rpartition(" ")
    assert int(number) > 0 and frames.split(";")[-1].endswith(":_test_stacks")
