"""Makes the files of ``benchmarks/`` importable, as they are for one another."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))
