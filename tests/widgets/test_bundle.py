"""The committed bundle, as far as it can be checked without Node; `npm run build -- --check` does the rest."""

from __future__ import annotations

import json
import pathlib
import re

import nbtorch_widgets

PACKAGE = pathlib.Path(nbtorch_widgets.__file__).parent
BUNDLE = PACKAGE / "static" / "nbtorch.js"
FRONT = PACKAGE.parent


def test_it_is_small_since_each_notebook_stores_it() -> None:
    assert 10_000 < BUNDLE.stat().st_size <= 320 * 1024
    assert (PACKAGE / "static" / "loader.js").stat().st_size <= 2 * 1024  # once for each widget


def test_it_loads_nothing_from_anywhere() -> None:
    text = BUNDLE.read_text(encoding="utf-8")
    assert not re.search(r"https?://", text)
    assert not re.search(r"\bimport\s*[({\"']|\bfetch\(|XMLHttpRequest|WebSocket|\beval\(|new Function", text)


def test_node_packages_are_pinned_and_for_building_only() -> None:
    package = json.loads((FRONT / "package.json").read_text(encoding="utf-8"))
    assert "dependencies" not in package
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in package["devDependencies"].values())
    lock = json.loads((FRONT / "package-lock.json").read_text(encoding="utf-8"))
    assert not [name for name, entry in lock["packages"].items() if "resolved" in entry]
