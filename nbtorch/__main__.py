"""``python -m nbtorch script.py``: a program whose imports say ``torch``, under nbtorch."""

import sys

from .aliasing import run_script

run_script(sys.argv[1:])
