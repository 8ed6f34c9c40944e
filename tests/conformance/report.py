"""Certifies nbtorch by PyTorch's own database of operations and writes ``docs/conformance.md``.

python tests/conformance/report.py                    # everything; writes the page
python tests/conformance/report.py linalg.svd norm    # all samples of these (a prefix with * works); prints failures
"""

from __future__ import annotations

import fnmatch
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT)]

from conformance import certify, oracle, table  # noqa: E402

PAGE = ROOT / "docs" / "conformance.md"
_HEAD = """# Certified by PyTorch's own operator database

PyTorch's wheel carries a database of its operators, `torch.testing._internal.common_methods_invocations.op_db`, with
sample inputs, supported derivatives and wrong calls. Each operator below is run on both libraries with the same inputs.
*Values* compares numbers, shapes, dtypes and `requires_grad` in float64, float32, int64 and bool; *gradients* and
*second gradients* (`create_graph=True`) compare every input's; *errors* asks for PyTorch's exception class and for
arguments left as they were. A count is *agreed/tried*.
The layers of `torch.nn` are certified in the same way: [modules.md](modules.md).

This page is written by `python tests/conformance/report.py` (PyTorch {version}). CI makes every count again and fails
when one differs. Of a record with more than {most} samples in float64, {most} spread over all of them are taken, and
up to {few} in each other dtype; `python tests/conformance/report.py NAME` runs all.
"""


def row(info: Any, score: oracle.Score) -> str:
    """The page's line of one record."""
    counts = " | ".join(score.text(stage) for stage in oracle.STAGES)
    return f"| `{oracle.label(info)}` | {counts} |"


def rows() -> dict[str, str]:
    """The lines of the page as it is, by record."""
    found: dict[str, str] = {}
    if not PAGE.exists():
        return found
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if line.startswith("| `"):
            found[line.split("`")[1]] = line
    return found


def write() -> None:
    """Certifies everything and writes the page."""
    import torch

    lines, red, outside = [], [], {}
    passed, tried, complete = dict.fromkeys(oracle.STAGES, 0), dict.fromkeys(oracle.STAGES, 0), 0
    for info in sorted(oracle.database(), key=oracle.label):
        name = oracle.label(info)
        reason = certify.scope(info)
        if reason is not None:
            outside.setdefault(reason, []).append(name)
            continue
        score = certify.certify(info)
        print(name, *(score.text(s) for s in oracle.STAGES), flush=True)
        lines.append(row(info, score))
        complete += score.complete
        if not score.complete:
            red.append(f"- `{name}`: {table.RED.get(name, 'no reason is given: a bug')}")
        for stage in oracle.STAGES:
            passed[stage] += score.passed[stage]
            tried[stage] += score.tried[stage]
    most, few = certify.SAMPLES[torch.float64], certify.SAMPLES[torch.float32]
    page = [_HEAD.format(version=torch.__version__.split("+")[0], most=most, few=few)]
    page.append(f"**{complete} of {len(lines)} records in scope agree in everything.**\n")
    page.append("| | agreed | tried |\n|---|---|---|")
    page += [f"| {stage}s | {passed[stage]:,} | {tried[stage]:,} |" for stage in oracle.STAGES]
    page.append("\n## The red list\n\nRecords in scope that don't agree in everything, and why.\n")
    page += red or ["Empty."]
    page.append("\n## Out of scope\n")
    page += [f"- {reason}: {', '.join(f'`{n}`' for n in names)}" for reason, names in outside.items()]
    page.append(
        "\n## Record by record\n\n| record | values | gradients | second gradients | errors |\n|---|---|---|---|---|"
    )
    PAGE.write_text("\n".join([*page, *lines]) + "\n", encoding="utf-8")


def show(patterns: list[str]) -> None:
    """Runs all samples of the records that match, and prints what fails."""
    for info in oracle.database():
        name = oracle.label(info)
        if any(fnmatch.fnmatch(name, p) or fnmatch.fnmatch(info.name, p) for p in patterns):
            score = certify.certify(info, every=True)
            print(name, *(f"{stage} {score.text(stage)}" for stage in oracle.STAGES), sep="  ", flush=True)
            for failure in score.failures[:4]:
                print("  ", failure[:600])


if __name__ == "__main__":
    if len(sys.argv) > 1:
        show(sys.argv[1:])
    else:
        write()
