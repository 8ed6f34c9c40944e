"""Certifies nbtorch by PyTorch's own database of optimisers and writes ``docs/optimizers.md``.

python tests/conformance/optimizer_report.py          # everything; writes the page (half a minute)
python tests/conformance/optimizer_report.py Adam     # these, without writing

What fails is printed.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT)]

from conformance import optimizers  # noqa: E402

PAGE = ROOT / "docs" / "optimizers.md"
_HEAD = """# Certified by PyTorch's own database of optimisers

PyTorch's wheel carries a database of its optimisers, `torch.testing._internal.common_optimizers.optim_db`, with
configurations and mistakes. Every configuration below trains parameters of several shapes (0-d, empty and of four
dimensions among them) in two groups with options of their own, one of them without a gradient at times and one always.
A count is *agreed/tried*.

- *float64*, *float32*: the parameters after {steps} steps in PyTorch and here (LBFGS: 3 steps of up to 20 each).
- *state*: `state_dict()` at the end: the same entries, of the same kinds, with the same numbers.
- *saved*: {half} steps, `save` and `load` of the state dict, and {half} more, from PyTorch to nbtorch, from nbtorch to
  PyTorch and from nbtorch to nbtorch: as all steps in PyTorch.
- *refused*: PyTorch's exception class for the mistakes.

This page is written by `python tests/conformance/optimizer_report.py` (PyTorch {version}). CI makes every count again
and fails when one differs.
"""


def rows() -> dict[str, str]:
    """The lines of the page as it is, by optimiser."""
    lines = PAGE.read_text(encoding="utf-8").splitlines() if PAGE.exists() else []
    return {line.split("`")[1]: line for line in lines if line.startswith("| `")}


def main(names: list[str]) -> None:
    """Certifies the optimisers of these names, or all; then the page is written."""
    lines, configurations, complete = [], 0, 0
    for info in optimizers.optim_db:
        if names and optimizers.name_of(info) not in names:
            continue
        score = optimizers.run(info)
        lines.append(optimizers.row(info, score))
        configurations += score.configurations
        complete += score.passed == score.tried
        print(lines[-1], *score.failures, sep="\n  ", flush=True)
    if names:
        return
    version = optimizers.torch.__version__.split("+")[0]
    page = [
        _HEAD.format(steps=optimizers.STEPS, half=optimizers.BOTH // 2, version=version),
        f"**{complete} of {len(lines)} optimisers, in {configurations} configurations, agree in everything.** "
        "Gradients are never sparse here: `SparseAdam` takes PyTorch's options and refuses to step.\n",
        f"| optimiser | configurations | {' | '.join(optimizers.COLUMNS)} |",
        f"|---|---|{'---|' * len(optimizers.COLUMNS)}",
    ]
    PAGE.write_text("\n".join([*page, *lines]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
