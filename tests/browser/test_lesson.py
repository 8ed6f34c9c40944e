"""What a newcomer does: `nbtorch lab`, and lesson 00 from its first cell to its last, in a real JupyterLab."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from browser.support import ROOT
from playwright.sync_api import expect


@pytest.fixture(params=["en", "ko"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address that `nbtorch lab` prints, token included."""
    log = tmp_path / "log"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("JUPYTER")} | {
        "HOME": str(tmp_path / "home"),
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "widgets"), os.environ.get("PYTHONPATH", "")]),
    }
    command = [sys.executable, "-m", "nbtorch.notebook.cli", "lab", "--no-browser", "--lang", request.param]
    command += ["--dir", str(tmp_path / "course"), "--", "--LabApp.expose_app_in_browser=True"]
    with log.open("w") as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environment)
    try:
        found = None
        deadline = time.monotonic() + 90
        while found is None:
            assert process.poll() is None and time.monotonic() < deadline, log.read_text()
            time.sleep(0.2)
            found = re.search(r"http://127\.0\.0\.1:\S+token=\w+", log.read_text())
        yield found[0]
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def test_the_lesson_opens_and_runs_to_its_end(address: str, new_page: Callable[..., Any]) -> None:
    page = new_page()
    outside: list[str] = []
    page.on("request", lambda request: outside.append(request.url) if _leaves_home(request.url) else None)
    page.goto(address)
    page.wait_for_function(
        "() => window.jupyterapp?.shell.currentWidget?.context?.path.endsWith('00_start_here.ipynb')"
    )
    page.evaluate("async () => { await jupyterapp.restored; window.panel = jupyterapp.shell.currentWidget; }")
    page.wait_for_function("() => panel.sessionContext.session?.kernel?.status === 'idle'")
    expect(page.locator(".Toastify__toast")).to_have_count(0)  # nothing lies over the lesson

    page.evaluate(
        """() => { window.ended = false;
                   jupyterapp.commands.execute('notebook:run-all-cells').finally(() => { window.ended = true; }); }"""
    )
    page.wait_for_function("() => window.ended", timeout=120_000)
    cells = page.evaluate("() => [...panel.content.model.cells].map(cell => cell.toJSON())")
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    assert [output for output in outputs if output["output_type"] == "error" or output.get("name") == "stderr"] == []
    printed = "".join("".join(output.get("text", "")) for output in outputs)
    assert re.search(r"9[6-9]% of the test digits are right", printed)

    kinds = [kind for output in outputs for kind in output.get("data", {})]
    assert kinds.count("application/vnd.jupyter.widget-view+json") == 1 and kinds.count("image/png") == 3
    page.evaluate("() => document.querySelector('.nbt-root').scrollIntoView()")
    expect(page.locator(".nbt-root")).to_contain_text("460")
    assert outside == []  # works without the network


def _leaves_home(url: str) -> bool:
    return re.match(r"(https?|wss?)://(127\.0\.0\.1|localhost)[:/]|data:|blob:", url) is None
