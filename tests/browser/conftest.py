"""Fixtures of the browser tests: one Chromium and one JupyterLab a session, one page a test.

A missing browser skips the tests on a developer's machine and fails them where the variable CI is "true". On failure a
screenshot and a Playwright trace are left in `test-results/` (`playwright show-trace FILE`).
"""

from __future__ import annotations

import os
import pathlib
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from browser.support import CHROMIUM_ARGUMENTS, ROOT, Notebook, find_chromium, lab_server
from playwright.sync_api import sync_playwright


def _unavailable(reason: str) -> None:
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    path = find_chromium()
    if path is None:
        _unavailable("no Chromium: install the package chromium, or name one by the environment variable CHROMIUM")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def lab_directory(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    return tmp_path_factory.mktemp("lab")


@pytest.fixture(scope="session")
def lab_url(chromium: Any, lab_directory: pathlib.Path) -> Iterator[str]:
    with lab_server(lab_directory) as url:
        yield url


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    report = yield
    setattr(item, f"report_{report.when}", report)
    return report


def _failed(request: pytest.FixtureRequest) -> bool:
    report = getattr(request.node, "report_call", None)
    return report is not None and bool(report.failed)


def _slug(request: pytest.FixtureRequest) -> str:
    return re.sub(r"\W+", "-", request.node.name).strip("-")


@pytest.fixture
def new_page(chromium: Any, request: pytest.FixtureRequest) -> Iterator[Callable[..., Any]]:
    """Make pages; keyword arguments are those of a browser context. Errors in a page fail the test."""
    contexts: list[Any] = []
    errors: list[str] = []

    def make(**options: Any) -> Any:
        context = chromium.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        context.set_default_timeout(30_000)
        context.tracing.start(screenshots=True, snapshots=True)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        return page

    yield make
    failed = _failed(request) or bool(errors)
    results = ROOT / "test-results"
    for number, context in enumerate(contexts):
        if failed:
            results.mkdir(exist_ok=True)
            for page in context.pages:
                page.screenshot(path=results / f"{_slug(request)}-{number}.png")
            context.tracing.stop(path=results / f"{_slug(request)}-{number}.zip")
        else:
            context.tracing.stop()
        context.close()
    assert not errors, f"errors in the page: {errors}"


@pytest.fixture
def lab(
    lab_url: str,
    lab_directory: pathlib.Path,
    new_page: Callable[..., Any],
    request: pytest.FixtureRequest,
) -> Iterator[Callable[..., Notebook]]:
    """Open a notebook of the given cells in JupyterLab: `lab(cell, cell, ...)`."""
    opened: list[Notebook] = []

    def open_notebook(*cells: str, **options: Any) -> Notebook:
        notebook = Notebook(new_page(**options), lab_url, lab_directory / "notebooks", _slug(request))
        opened.append(notebook)
        notebook.write(*cells)
        notebook.open()
        return notebook

    yield open_notebook
    for notebook in opened:
        notebook.shut_down()  # kernels would pile up in memory
