"""The benchmarks run: every workload and every sweep takes a step, the tables and the figure come out, losses count."""

from __future__ import annotations

import importlib
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import nbtorch

pytestmark = pytest.mark.cpu_only("benchmarks choose their device themselves")

HERE = Path(__file__).parents[2] / "benchmarks"


def part(name: str) -> Any:
    return importlib.import_module(name)


@pytest.mark.parametrize("name", [n for n, row in part("workloads").WORKLOADS.items() if not row.graph_only])
def test_a_workload_takes_a_step(name: str) -> None:
    assert math.isfinite(part("workloads").WORKLOADS[name].make(nbtorch)())


@pytest.mark.parametrize("name", part("sweep").SWEEPS)
def test_a_sweep_takes_a_step_at_its_first_point(name: str) -> None:
    chosen = part("sweep").SWEEPS[name]
    assert math.isfinite(chosen.make(nbtorch, chosen.points[0])())
    assert list(chosen.points) == sorted(set(chosen.points))
    assert 1 < len(chosen.quick) <= 3


def test_the_command_measures_in_turn(torch_ref: Any) -> None:
    command = [sys.executable, str(HERE / "run.py"), "chain", "--rounds", "1", "--time-only"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    row = next(line for line in done.stdout.splitlines() if line.startswith("| chain |"))
    assert row.count("µs") == 2
    assert row.endswith("| 0.8 |")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(("chian",), "unknown workload 'chian'"), (("--rounds", "0"), "positive"), (("chain", "--write"), "--write")],
)
def test_what_the_command_refuses(
    arguments: tuple[str, ...], said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["run.py", *arguments])
    with pytest.raises(SystemExit) as ended:
        part("run").main()
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


@pytest.mark.skipif(nbtorch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_the_reason_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["run.py", "chain", "--device", "cuda"])
    with pytest.raises(SystemExit, match=r"^--device cuda can't be measured here: "):
        part("run").main()


def test_losses_that_went_apart_are_seen() -> None:
    difference = part("beside").difference
    assert difference([2.0, 1.0], [2.0, 1.001]) == pytest.approx(1e-3, rel=1e-2)
    assert difference([2.0, 0.0], [2.0, 1e-9]) < 1e-3  # both have come down to nothing
    row = {"name": "x", "ours": [1.0], "theirs": [2.0], "reach": 1.0, "apart": 0.02, "alike": False}
    assert "the losses differ by 0.02" in part("report").time_row(row)


def test_the_page_is_written_between_its_marks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    report, sweep = part("report"), part("sweep")
    monkeypatch.setattr(report, "README", tmp_path / "README.md")
    monkeypatch.setattr(report, "RESULTS", tmp_path / "results.json")
    monkeypatch.setattr(report, "figure_of", lambda device: tmp_path / f"{device}.png")
    report.README.write_text(f"before\n\n{report.BEGIN}\nold\n{report.END}\n\nafter\n")
    counted = {"peak": 1_200_000, "stays": 4, "allocations": 7, "process": None}
    known: dict[str, Any] = {"process": 5_000_000, "counted": counted}
    unknown = dict.fromkeys(known)
    time = {"name": "chain", "ours": [80.0, 90.0], "theirs": [100.0, 100.0], "reach": 0.8, "apart": 0.0, "alike": True}
    found = {
        "where": {"machine": "m", "python": "p", "numpy": "n", "torch": "t", "date": "d"},
        "rounds": 2,
        "times": [time, {**time, "name": "gpt"}],
        "two_threads": [time],
        "memory": [
            {"name": "chain", "ours": known, "theirs": known},
            {"name": "long_chain", "ours": unknown, "theirs": unknown},
        ],
        "sweeps": {
            name: {"points": sweep.SWEEPS[name].quick, "ours": [[1.0, 2.0, 3.0]] * 2, "theirs": [[2.0, 2.0, 2.0]] * 2}
            for name in ("width", "depth")
        },
    }
    for _ in range(2):  # a second time replaces the first
        report.store("cpu", found)
        page = report.README.read_text()
        assert page.startswith("before\n")
        assert page.endswith("after\n")
        assert "old" not in page
        assert page.count("| chain | 85 µs | 100 µs | **0.85** (0.80 to 0.90) | 0.8 |") == 2
        assert "| chain | 1.20 | 1.20 | **1.00** | 5.00 | 5.00 | 7 | 7 |" in page
        assert "| geometric mean, rows with a reach | | | **0.85** | 0.7 |" in page
    assert (tmp_path / "cpu.png").stat().st_size > 10_000
    assert (HERE / "README.md").read_text().count(part("report").BEGIN) == 1
