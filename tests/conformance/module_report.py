"""Certifies nbtorch by PyTorch's own database of modules and writes ``docs/modules.md``.

python tests/conformance/module_report.py                 # everything (five minutes)
python tests/conformance/module_report.py LSTM Conv2d     # these classes anew, the others as they stand on the page

What fails is printed.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT)]

from conformance import modules, oracle  # noqa: E402

PAGE = ROOT / "docs" / "modules.md"
_HEAD = """# Certified by PyTorch's own database of modules

PyTorch's wheel carries a database of its layers, `torch.testing._internal.common_modules.module_db`, with inputs for
their constructors and their forward, and with mistakes. Every class below is made and run on both libraries, on **all**
of its inputs, each in float64 and float32, in training and in evaluation. A count is *agreed/tried*.

- *made*: from equal seeds the same weights; the same `repr`; the same `state_dict`, parameters, buffers and modules in
  names, order, shapes and dtypes.
- *result*: numbers, shapes, dtypes and `requires_grad` of what forward returns, and the buffers after it.
- *gradient*: of every input and every parameter.
- *training*: the losses, parameters, inputs and buffers over {steps} steps of SGD with momentum.
- *copy*: a deep copy, a pickled copy and one that loaded the state dict compute what the module computes.
- *error*: PyTorch's exception class, and arguments left as they were.

This page is written by `python tests/conformance/module_report.py` (PyTorch {version}). CI checks that it names every
class with as many inputs as the database has, and makes a part of the comparisons of every class again.
"""


def row(name: str, count: int, score: oracle.Score) -> str:
    """The page's line of one class."""
    return f"| `{name}` | {count} | {' | '.join(score.text(stage) for stage in modules.STAGES)} |"


def rows() -> dict[str, str]:
    """The lines of the page as it is, by class."""
    lines = PAGE.read_text(encoding="utf-8").splitlines() if PAGE.exists() else []
    return {line.split("`")[1]: line for line in lines if line.startswith("| `")}


def counts(line: str) -> tuple[int, list[tuple[int, int]]]:
    """The inputs of a class, and (agreed, tried) of each stage, as its line has them."""
    _, _, examples, *stages, _ = (part.strip() for part in line.split("|"))
    return int(examples), [(0, 0) if s == "–" else (int(s.split("/")[0]), int(s.split("/")[1])) for s in stages]


def complete(line: str) -> bool:
    """Whether everything that was tried agreed."""
    return all(agreed == tried for agreed, tried in counts(line)[1])


def page(lines: dict[str, str]) -> str:
    """The whole page around the lines of the classes."""
    red = [
        f"- `{name}`: {modules.RED.get(name, 'no reason is given: a bug')}"
        for name, line in lines.items()
        if not complete(line)
    ]
    found = [counts(line) for line in lines.values()]
    inputs = sum(examples for examples, _ in found)
    text = [_HEAD.format(version=modules.torch.__version__.split("+")[0], steps=modules.STEPS)]
    text.append(f"**{len(lines) - len(red)} of {len(lines)} classes agree in everything, on {inputs:,} inputs.**\n")
    text.append("| | agreed | tried |\n|---|---|---|")
    for i, stage in enumerate(modules.STAGES):
        agreed, tried = (sum(stages[i][j] for _, stages in found) for j in (0, 1))
        text.append(f"| {stage} | {agreed:,} | {tried:,} |")
    text.append("\n## The red list\n\nClasses in scope that don't agree in everything, and why.\n")
    text += red or ["Empty."]
    text.append("\n## Out of scope\n")
    text += [f"- `{name}`: {reason}" for name, reason in modules.OUT_OF_SCOPE.items()] or ["Nothing."]
    text.append(f"\n## Class by class\n\n| class | inputs | {' | '.join(modules.STAGES)} |")
    text.append("|---|---" + "|---" * len(modules.STAGES) + "|")
    return "\n".join([*text, *(lines[name] for name in sorted(lines))]) + "\n"


def write(names: list[str]) -> None:
    """Certifies these classes, prints what fails, and writes the page."""
    lines = rows()
    for name in names:
        score = modules.certify(name)
        lines[name] = row(name, modules.count(name), score)
        print(name, *(f"{stage} {score.text(stage)}" for stage in modules.STAGES), sep="  ", flush=True)
        for failure in score.failures[:4]:
            print("  ", failure[:600], flush=True)
        PAGE.write_text(page(lines), encoding="utf-8")


if __name__ == "__main__":
    write(sys.argv[1:] or sorted(set(modules.database()) - set(modules.OUT_OF_SCOPE)))
