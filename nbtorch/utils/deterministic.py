"""Settings for runs that repeat; see :func:`nbtorch.use_deterministic_algorithms`."""

#: Whether memory that is not initialised is filled when only repeatable algorithms are allowed. Accepted and read by
#: nobody: `empty` gives what is there.
fill_uninitialized_memory = True
