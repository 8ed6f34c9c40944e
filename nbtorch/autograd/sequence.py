"""The order in which nodes are made, one counter for the process."""

from itertools import count

next_sequence_nr = count().__next__
