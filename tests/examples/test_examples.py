"""Each example beside the same program under real PyTorch: every loss of its first steps, its words and its picture."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import helpers
import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
SHORT = {
    "digits_mlp": ["--epochs", "1"],
    "digits_cnn": ["--epochs", "1"],
    "vae": ["--epochs", "1"],
    "names_lstm": ["--steps", "12"],
    "addition_transformer": ["--steps", "6"],
    "cartpole_reinforce": ["--steps", "3"],
    "ring_gan": ["--steps", "20"],
    "fine_tuning": ["--steps", "4"],
}
pytest.importorskip("matplotlib")
pytest.importorskip("tqdm")


def options(name: str, folder: Path) -> list[str]:
    return [*SHORT[name], "--seed", "3", "--figure", str(folder / f"{name}.png"), "--log", str(folder / f"{name}.json")]


def run(*command: str) -> str:
    done = subprocess.run(
        [sys.executable, *command], capture_output=True, text=True, env={**os.environ, "TQDM_DISABLE": "1"}
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which all examples have run under PyTorch."""
    helpers.import_torch()
    folder = tmp_path_factory.mktemp("torch")
    runs = {name: options(name, folder) for name in SHORT}
    (folder / "words").write_text(run(str(Path(__file__).with_name("side_by_side.py")), json.dumps(runs)))
    return folder


def test_every_example_is_compared() -> None:
    assert {path.stem for path in EXAMPLES.glob("*.py")} - {"common"} == set(SHORT)


@pytest.mark.cpu_only("real PyTorch computes there")
@pytest.mark.parametrize("name", SHORT)
def test_losses_are_pytorchs(name: str, theirs: Path, tmp_path: Path) -> None:
    words = run(str(EXAMPLES / f"{name}.py"), *options(name, tmp_path))
    mine, expected = (json.loads((folder / f"{name}.json").read_text()) for folder in (tmp_path, theirs))
    assert len(mine) == len(expected) > 2
    np.testing.assert_allclose(mine, expected, rtol=1e-4)
    assert words.splitlines()[0] in (theirs / "words").read_text().splitlines()
    assert (tmp_path / f"{name}.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


def test_the_checkpoint_is_what_pytorch_writes(torch_ref: Any, tmp_path: Path) -> None:
    """PyTorch writes the file byte by byte, its training gives these weights, and both libraries read them."""
    import nbtorch

    path = EXAMPLES / "data" / "clean_digits.pt"
    spec = importlib.util.spec_from_file_location("pretrain", EXAMPLES / "data" / "pretrain.py")
    assert spec is not None and spec.loader is not None
    program = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(program)

    read = torch_ref.load(path, weights_only=True)
    torch_ref.save(read, tmp_path / "clean_digits.pt")
    assert (tmp_path / "clean_digits.pt").read_bytes() == path.read_bytes()

    helpers.same(nbtorch.load(path)["model"], dict(read["model"]), rtol=0, atol=0)
    made = program.pretrain(read["epochs"])
    # Other processors round otherwise, and the epochs make much of it: the same network, not the same bits.
    for name, weights in made["model"].items():
        np.testing.assert_allclose(read["model"][name], weights, atol=0.05, err_msg=name)
