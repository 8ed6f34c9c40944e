"""Settings for `pytest --nbval lessons`: the kernels that run the notebooks inherit this process's environment."""

import os

# The stored outputs were made with one thread; with more, sums are added up in another order, and slower.
os.environ["OPENBLAS_NUM_THREADS"] = "1"
