"""``python -m nbtorch script.py``: a program whose imports say ``torch``, under nbtorch."""

import sys

from .aliasing import run_script

# Another process of the program, started by multiprocessing, looks into this file for what it needs: nothing.
if __name__ == "__main__":
    run_script(sys.argv[1:])
