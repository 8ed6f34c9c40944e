"""What the browser tests share: Chromium, a JupyterLab of our own, and a notebook in it.

A JupyterLab is driven through `window.jupyterapp`, not by clicking in its interface: the tests are of our widgets, and
that interface changes.
"""

from __future__ import annotations

import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import nbformat
from playwright.sync_api import Locator, Page, expect

ROOT = pathlib.Path(__file__).resolve().parents[2]

_SOME_NUMBER = re.compile(r"^[1-9]\d*$")

CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]

_SETTINGS = {
    "@jupyterlab/apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "@jupyterlab/docmanager-extension/plugin": {"autosave": False},
    "@jupyter-widgets/jupyterlab-manager/plugin": {"saveState": True},
}


def find_chromium() -> str | None:
    """The browser to test in: `$CHROMIUM`, or one of the usual names on the path."""
    named = os.environ.get("CHROMIUM")
    if named:
        return shutil.which(named)
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def lab_server(directory: pathlib.Path) -> Iterator[str]:
    """A JupyterLab that serves `directory/notebooks`, with settings of its own; yields its address."""
    notebooks = directory / "notebooks"
    notebooks.mkdir()
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    for variable in (
        "JUPYTER_CONFIG_DIR",
        "JUPYTER_DATA_DIR",
        "JUPYTER_RUNTIME_DIR",
        "JUPYTERLAB_SETTINGS_DIR",
        "JUPYTERLAB_WORKSPACES_DIR",
        "IPYTHONDIR",
    ):
        environment[variable] = str(directory / variable.lower())
        pathlib.Path(environment[variable]).mkdir()
    # The checkout is tested, whether it is installed or not.
    paths = [str(ROOT), str(ROOT / "widgets"), *filter(None, [environment.get("PYTHONPATH")])]
    environment["PYTHONPATH"] = os.pathsep.join(paths)
    for name, values in _SETTINGS.items():
        file = pathlib.Path(environment["JUPYTERLAB_SETTINGS_DIR"]) / f"{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(values), encoding="utf-8")
    port = _free_port()
    command = [sys.executable, "-m", "jupyter", "lab", "--no-browser", "--allow-root"]
    command += [f"--ServerApp.port={port}", "--ServerApp.port_retries=0", "--ServerApp.ip=127.0.0.1"]
    command += ["--IdentityProvider.token=", "--ServerApp.password=", "--ServerApp.disable_check_xsrf=True"]
    command += [f"--ServerApp.root_dir={notebooks}", "--LabApp.expose_app_in_browser=True", "--LabApp.news_url="]
    command += ["--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
    log = (directory / "lab.log").open("wb")
    process = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 90
        while True:
            try:
                urllib.request.urlopen(f"{url}/api", timeout=2).close()
                break
            except OSError:
                if process.poll() is not None or time.monotonic() > deadline:
                    tail = (directory / "lab.log").read_text(encoding="utf-8", errors="replace")[-3000:]
                    raise RuntimeError(f"JupyterLab did not start:\n{tail}") from None
                time.sleep(0.2)
        yield url
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        log.close()


class Notebook:
    """A notebook open in JupyterLab."""

    def __init__(self, page: Page, url: str, directory: pathlib.Path, name: str) -> None:
        self.page = page
        self._url = url
        self.name = name
        self.file = directory / f"{name}.ipynb"

    def write(self, *cells: str) -> None:
        """Make the notebook's file."""
        notebook = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(cell) for cell in cells],
            metadata={"kernelspec": {"name": "python3", "display_name": "Python 3 (ipykernel)"}},
        )
        nbformat.write(notebook, self.file)

    def open(self) -> None:
        """Open the file in a workspace of its own, and wait for the kernel."""
        page = self.page
        page.goto(f"{self._url}/lab/workspaces/{self.name}?reset", wait_until="domcontentloaded")
        page.wait_for_function("() => window.jupyterapp !== undefined")
        page.evaluate("async () => { await jupyterapp.restored }")
        page.evaluate(
            """async path => {
                const panel = await jupyterapp.commands.execute('docmanager:open', {path, factory: 'Notebook'});
                await panel.context.ready; await panel.sessionContext.ready; window.panel = panel;
            }""",
            self.file.name,
        )
        page.wait_for_function("() => panel.sessionContext.session?.kernel?.status === 'idle'")

    def start(self, cell: int) -> None:
        """Run a cell without waiting for it."""
        # A click in an output makes its cell the active one, so it is set each time.
        self.page.evaluate(
            """cell => {
                const notebook = panel.content;
                notebook.deselectAll(); notebook.activeCellIndex = cell; window.cellDone = false;
                jupyterapp.commands.execute('notebook:run-cell').finally(() => { window.cellDone = true; });
            }""",
            cell,
        )

    def wait(self, seconds: float = 60) -> None:
        """Wait for the cell that was started."""
        self.page.wait_for_function("() => window.cellDone", timeout=seconds * 1000)

    def run(self, cell: int) -> str:
        """Run a cell to its end; what it printed."""
        self.start(cell)
        self.wait()
        return self.printed(cell)

    def json(self, cell: int) -> dict[str, Any]:
        """A cell with its outputs as they would be saved."""
        saved: dict[str, Any] = self.page.evaluate("cell => panel.content.model.cells.get(cell).toJSON()", cell)
        return saved

    def printed(self, cell: int) -> str:
        """The text a cell printed, and its traceback if it failed."""
        parts = []
        for output in self.json(cell)["outputs"]:
            for key in ("text", "traceback"):
                parts += [output[key]] if isinstance(output.get(key), str) else output.get(key, [])
        return "".join(parts)

    def cells(self) -> int:
        """How many cells there are."""
        count: int = self.page.evaluate("() => panel.content.model.cells.length")
        return count

    def command(self, name: str, **arguments: Any) -> None:
        """Execute one of JupyterLab's commands."""
        self.page.evaluate("([name, args]) => jupyterapp.commands.execute(name, args)", [name, arguments])

    def change_theme(self, theme: str) -> None:
        """Switch JupyterLab's theme and wait until it has: while one loads, a command for the old one does nothing."""
        self.command("apputils:change-theme", theme=theme)
        self.page.wait_for_function("theme => document.body.dataset.jpThemeName === theme", arg=theme)
        # JupyterLab removes the old style sheet after it says so, and loses its way when the next switch comes before.
        self.page.wait_for_timeout(500)

    def shut_down(self) -> None:
        """End the kernel."""
        self.page.evaluate("async () => { await window.panel?.sessionContext.shutdown() }")

    def widget(self, number: int = 0) -> Locator:
        """The root of one of our widgets, once it has painted."""
        root = self.page.locator(".nbt-root").nth(number)
        expect(root).to_have_attribute("data-painted", _SOME_NUMBER)
        return root


def step_of(root: Locator) -> int:
    """The step a widget shows."""
    return int(root.get_attribute("data-step") or 0)
