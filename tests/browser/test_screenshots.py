"""Pictures of the live widgets in JupyterLab, in both themes: for the README, and for eyes.

`NBTORCH_SCREENSHOTS=docs/images pytest tests/browser/test_screenshots.py` writes them there; without the variable they
go to a temporary folder, and the test checks that a real training is live while its picture is taken.
"""

from __future__ import annotations

import os
import pathlib
import re
from collections.abc import Callable

import pytest
from browser.support import ROOT, Notebook, step_of
from playwright.sync_api import expect

TRAINING = """
import time
import nbtorch as torch
from nbtorch import nn
from nbtorch.datasets import digits
from nbtorch.utils.data import DataLoader, TensorDataset
from nbtorch_widgets import watch

torch.manual_seed(0)
images, labels = digits("train")
loader = DataLoader(TensorDataset(images, labels), batch_size=32, shuffle=True)


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.up, self.act, self.down = nn.Linear(width, width), nn.Tanh(), nn.Linear(width, width)

    def forward(self, x):
        return x + self.down(self.act(self.up(x)))

model = nn.Sequential(nn.Linear(64, 32), Block(32), Block(32), nn.Linear(32, 10))
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
"""
LOOP = """for images, labels in watch(model, optimizer, loader, epochs=20, snapshots=100):
    optimizer.zero_grad()
    loss = criterion(model(images), labels)
    loss.backward()
    optimizer.step()"""

# So slow from step 420 on that its picture can be taken half-way on any machine.
SLOW = """
made = [0]
def slow_down(*_):
    made[0] += 1
    time.sleep(0.004 if made[0] < 420 else 0.05)
optimizer.register_step_post_hook(slow_down)
"""

THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}


def directory(fallback: pathlib.Path) -> pathlib.Path:
    """Where the pictures go; relative names are relative to the repository."""
    wish = os.environ.get("NBTORCH_SCREENSHOTS")
    path = ROOT / wish if wish else fallback
    path.mkdir(parents=True, exist_ok=True)
    return path


# One theme is enough to see that it works; the pictures are wanted in both.
@pytest.mark.parametrize("theme", ["light", "dark"] if "NBTORCH_SCREENSHOTS" in os.environ else ["dark"])
def test_a_live_training(lab: Callable[..., Notebook], tmp_path: pathlib.Path, theme: str) -> None:
    notebook = lab(TRAINING, SLOW, LOOP, device_scale_factor=2)
    page = notebook.page
    notebook.change_theme(THEMES[theme])
    assert "Error" not in notebook.run(0)
    notebook.run(1)
    notebook.start(2)
    root = notebook.widget()
    expect(root).to_have_attribute("data-theme", theme)
    expect(root).to_have_attribute("data-state", "running")
    page.wait_for_function("() => Number(document.querySelector('.nbt-root').dataset.step) >= 420")
    output = page.locator(".jp-Cell", has=root)
    canvas = root.locator(".nbt-base")
    box = canvas.bounding_box()
    assert box
    canvas.hover(position={"x": round(box["width"] * 0.34), "y": 60})
    expect(root.locator(".nbt-tip")).to_contain_text(re.compile(r"step \d+"))
    folder = directory(tmp_path)
    page.add_style_tag(content=".jp-cell-toolbar, .jp-Collapser { visibility: hidden }")
    output.screenshot(path=folder / f"watch-{theme}.png")
    page.screenshot(path=folder / f"watch-lab-{theme}.png")
    root.get_by_role("tab", name="Flow").click()
    page.wait_for_timeout(2000)  # some steps, for gradients to be seen on the graph
    output.screenshot(path=folder / f"flow-{theme}.png")
    assert root.get_attribute("data-state") == "running" and 420 <= step_of(root) < 920
    root.get_by_role("button", name="Stop").click()
    notebook.wait(10)
