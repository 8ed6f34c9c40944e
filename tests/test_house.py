"""The plan of the house, drawn from the imports: downwards only, no circles, and a light front door."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
# From the ground up. A file may import from its own floor's room or from a lower floor.
FLOORS: tuple[tuple[str, ...], ...] = (
    ("nbtorch._version", "nbtorch.absent", "nbtorch.absent_names", "nbtorch.backends", "nbtorch.course"),
    ("nbtorch.annex", "nbtorch.version"),
    ("nbtorch.autograd",),
    ("nbtorch.ops",),
    ("nbtorch.aliasing", "nbtorch.multiprocessing", "nbtorch.switches"),
    ("nbtorch.__config__", "nbtorch.compiler"),
    ("nbtorch.tensor", "nbtorch.testing"),
    ("nbtorch.amp", "nbtorch.overrides", "nbtorch.types"),
    ("nbtorch.cpu", "nbtorch.cuda"),
    ("nbtorch._utils", "nbtorch.accelerator"),
    (
        "nbtorch.utils",
        "nbtorch.datasets",
        "nbtorch.linalg",
        "nbtorch.special",
        "nbtorch.signal",
        "nbtorch.masked",
        "nbtorch.func",
        "nbtorch.random",
    ),
    ("nbtorch.nn",),
    ("nbtorch.optim", "nbtorch.serialization", "nbtorch.distributions"),
    ("nbtorch.profiler",),
    ("nbtorch.replay",),
    ("nbtorch.hub", "nbtorch.notebook", "nbtorch.__main__", "nbtorch.standin"),
    ("nbtorch",),
    ("nbtorch_widgets",),
)


def _files() -> dict[str, Path]:
    """Every module of the two packages by its dotted name."""
    found = {}
    for base in (ROOT / "nbtorch", ROOT / "widgets" / "nbtorch_widgets"):
        for path in sorted(base.rglob("*.py")):
            parts = path.relative_to(base.parent).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


FILES = _files()


def _imports(name: str) -> set[str]:
    """The modules of ours that a module imports, wherever in the file: at the top, in a function, for types only."""
    path = FILES[name]
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, *([base] if base else [])])
            for alias in node.names:
                found.add(f"{base}.{alias.name}" if f"{base}.{alias.name}" in FILES else base)
    return {m for m in found if m in FILES and m != name}


def _floor(name: str) -> int:
    for height in range(len(FLOORS) - 1, -1, -1):
        for room in FLOORS[height]:
            if name == room or (room != "nbtorch" and name.startswith(room + ".")):
                return height
    raise AssertionError(f"{name} stands in no room of the plan: put it into FLOORS and ARCHITECTURE.md")


def _room(name: str) -> str:
    return next(r for r in FLOORS[_floor(name)] if name == r or name.startswith(r + "."))


@pytest.mark.parametrize("name", sorted(FILES))
def test_imports_run_downwards(name: str) -> None:
    for imported in _imports(name):
        if imported == "nbtorch" and name.startswith("nbtorch."):
            continue  # the version and the like, from within; a circle would show in the next test
        same_room = _room(imported) == _room(name)
        assert same_room or _floor(imported) < _floor(name), f"{name} imports {imported}, which is not below it"


def test_no_circles_between_files() -> None:
    # A package's face imports its own files; what counts is whether they import each other in a circle.
    faces = {n for n, path in FILES.items() if path.name == "__init__.py"}
    graph = {n: sorted(_imports(n) - faces) for n in FILES if n not in faces}
    state: dict[str, int] = {}
    for start in graph:
        if start in state:
            continue
        path, stack = [], [(start, iter(graph[start]))]
        state[start] = 1
        path.append(start)
        while stack:
            node, rest = stack[-1]
            for following in rest:
                if state.get(following) == 1:
                    raise AssertionError(f"a circle: {' -> '.join([*path[path.index(following) :], following])}")
                if following not in state:
                    state[following] = 1
                    path.append(following)
                    stack.append((following, iter(graph[following])))
                    break
            else:
                state[node] = 2
                path.pop()
                stack.pop()


def test_no_room_is_too_large() -> None:
    sources = [
        *FILES.values(),
        *(ROOT / "widgets" / "src").glob("*.ts"),
        *(ROOT / "tests").rglob("*.py"),
        *(ROOT / "examples").rglob("*.py"),
    ]
    large = {str(p.relative_to(ROOT)): n for p in sources if (n := len(p.read_text("utf-8").splitlines())) > 700}
    assert not large


def _in_fresh_python(program: str, **env: str) -> str:
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env={**os.environ, **env}
    )
    return result.stdout


def test_importing_nbtorch_loads_nothing_heavy() -> None:
    loaded = _in_fresh_python("import sys, nbtorch; print(*sys.modules)").split()
    heavy = {"IPython", "ipywidgets", "anywidget", "matplotlib", "cupy", "torch", "inspect", "numpy.random"}
    allowed = set(_in_fresh_python("import sys, numpy; print(*sys.modules)").split())
    assert not heavy.intersection(loaded) - allowed


def test_importing_nbtorch_takes_little_longer_than_numpy(tmp_path: Path, record_property: object) -> None:
    """At most 1.5 times as long, files compiled beforehand, by processor time; the least of several counts."""
    env = {"PYTHONPYCACHEPREFIX": str(tmp_path), "PYTHONDONTWRITEBYTECODE": ""}
    program = (
        "import time; t = time.process_time(); import numpy; a = time.process_time(); import nbtorch; "
        "print((time.process_time() - t) / (a - t))"
    )
    _in_fresh_python(program, **env)
    ratio = min(float(_in_fresh_python(program, **env)) for _ in range(6))
    print(f"import nbtorch takes {ratio:.2f} times as long as import numpy")
    assert ratio <= 1.5


def test_the_faces_say_the_same_version() -> None:
    import nbtorch

    assert (
        nbtorch.__version__
        == _in_fresh_python("from importlib.metadata import version; print(version('nbtorch'))").strip()
    )


def test_the_bundle_reaches_for_nothing_on_the_web() -> None:
    bundle = (ROOT / "widgets" / "nbtorch_widgets" / "static" / "nbtorch.js").read_text("utf-8")
    assert "http://" not in bundle.replace("http://www.w3.org/", "") and "https://" not in bundle
    assert len(bundle.encode()) <= 320 * 1024
