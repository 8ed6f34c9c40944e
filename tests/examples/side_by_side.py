"""Runs the examples under real PyTorch, in one process: side_by_side.py FOLDER, then NAME and options as JSON.

The only change to a source is the word that ``import nbtorch as torch`` begins with.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import ModuleType

EXAMPLES = Path(__file__).parents[2] / "examples"


def swapped(name: str) -> str:
    """The source of an example with the one line that tells changed."""
    source = (EXAMPLES / f"{name}.py").read_text(encoding="utf-8")
    assert source.count("nbtorch") == 1, f"{name}.py names nbtorch elsewhere than in its import"
    return source.replace("import nbtorch as torch\n", "import torch\n")


def main(runs: dict[str, list[str]]) -> None:
    import torch

    torch.set_num_threads(1)
    sys.path.insert(0, str(EXAMPLES))
    for name, options in runs.items():
        program = sys.modules["__main__"] = ModuleType("__main__")
        program.__file__ = str(EXAMPLES / f"{name}.py")
        sys.argv = [program.__file__, *options]
        exec(compile(swapped(name), program.__file__, "exec"), program.__dict__)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
