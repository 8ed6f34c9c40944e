"""The article's program on the library of the whole course prints PyTorch's losses."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from nbtorch.course import lesson_names, library

PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
import numpy as np
import torch as real
import mytorch

for seed, (count, inputs, outputs) in enumerate([(4, 1, 1), (8, 1, 1), (6, 3, 1), (5, 2, 4)]):
    draw = np.random.default_rng(seed)
    x, y, w, b = (
        draw.normal(size=shape).astype(np.float32)
        for shape in ((count, inputs), (count, outputs), (outputs, inputs), (outputs,))
    )
    printed = []
    for torch in (mytorch, real):
        model = torch.nn.Linear(inputs, outputs)
        criterion = torch.nn.MSELoss()
        with torch.no_grad():
            for parameter, start in zip(model.parameters(), (w, b)):
                parameter -= torch.tensor(np.asarray(parameter.detach().numpy()) - start)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
        losses = []
        for _ in range(100):
            optimizer.zero_grad()
            loss = criterion(model(torch.tensor(x)), torch.tensor(y))
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        printed.append(losses)
    assert len(printed[0]) == 100 and np.allclose(*printed, rtol=1e-5, atol=1e-6), seed
print("equal")
"""


def test_the_learners_library_prints_pytorchs_losses(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    library.compose(tmp_path, lesson_names("en"), {})
    done = subprocess.run([sys.executable, "-c", PROGRAM, str(tmp_path)], capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "equal", done.stderr
