"""The backprop stepper: the tape behind a loss (`tape.py`), where it comes from (`torch_reader.py`, `graph_reader.py`,
`own_reader.py`), how it is evaluated again (`program.py`), its formulas (`rules.py`) and its pictures (`layout.py`,
`picture.py`)."""
