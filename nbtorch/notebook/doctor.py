"""`nbtorch doctor`: what is installed, what works, and what to do about the rest."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import platform
import sys
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import NamedTuple

from nbtorch._version import __version__
from nbtorch.course.handout import prepare
from nbtorch.course.places import LANGUAGES, CourseError, lesson_names, lessons_folder
from nbtorch.notebook.lab import INSTALL


class Verdict(Enum):
    """How a check ended."""

    OK = "ok"
    NOTE = "note"
    """Something optional is missing; everything else works without it."""
    FAIL = "FAIL"


class Line(NamedTuple):
    """One line of the report."""

    verdict: Verdict
    what: str
    detail: str

    def __str__(self) -> str:
        return f"{self.verdict.value:>4}  {self.what:<14} {self.detail}"


def examine(folder: Path) -> Iterator[Line]:
    """Examine this environment; `folder` is where the learner's notebooks are or will be."""
    yield from versions()
    yield gpu()
    yield kernelspec()
    yield widget_bundle()
    yield lessons()
    yield writable(folder)


def versions() -> Iterator[Line]:
    """What is installed. NumPy is there, or nbtorch would not have come this far."""
    yield Line(Verdict.OK, "nbtorch", f"{__version__}  ({Path(__file__).parents[1]})")
    yield Line(Verdict.OK, "Python", f"{platform.python_version()}  ({sys.executable})")
    yield _version("numpy", "NumPy", needed=True)
    for package, name in (("jupyterlab", "JupyterLab"), ("ipykernel", "ipykernel"), ("anywidget", "anywidget"),
                          ("matplotlib", "Matplotlib")):  # fmt: skip
        yield _version(package, name, needed=True)
    yield _cupy_version()
    yield _version("torch", "PyTorch", needed=False, without="not installed; only the comparison tests need it")


def gpu() -> Line:
    """Whether tensors can live on a GPU and, if not, why."""
    from nbtorch import cuda

    reason = cuda.why_unavailable()
    if reason is None:
        return Line(Verdict.OK, "GPU", 'usable: torch.tensor(..., device="cuda")')
    return Line(Verdict.NOTE, "GPU", f"not usable: {_in_one_line(reason)}; everything works on the CPU")


def kernelspec() -> Line:
    """Whether Jupyter offers the kernel named nbtorch, which has the extension loaded."""
    if importlib.util.find_spec("jupyter_client") is None:
        return Line(Verdict.FAIL, "kernel", f"jupyter_client is not installed; {INSTALL}")
    from jupyter_client.kernelspec import KernelSpecManager

    found = KernelSpecManager().find_kernel_specs()
    if "nbtorch" in found:
        return Line(Verdict.OK, "kernel", f"nbtorch  ({found['nbtorch']})")
    return Line(
        Verdict.FAIL, "kernel", "Jupyter doesn't list the kernel nbtorch; install nbtorch again with the pip of this "
        "environment (in a lesson, %load_ext nbtorch does the same)"
    )  # fmt: skip


def widget_bundle() -> Line:
    """Whether the widgets' front end, one built JavaScript file, is there."""
    spec = importlib.util.find_spec("nbtorch_widgets")
    if spec is None or not spec.submodule_search_locations:
        return Line(Verdict.FAIL, "widgets", f"the package nbtorch_widgets is not installed; {INSTALL}")
    for place in spec.submodule_search_locations:
        for bundle in sorted(Path(place).rglob("*.js")):
            return Line(Verdict.OK, "widgets", f"{bundle.stat().st_size / 1000:.0f} kB  ({bundle})")
    return Line(
        Verdict.FAIL, "widgets", "nbtorch_widgets lacks its built front end; install nbtorch again, or in a checkout "
        "run npm ci && npm run build in widgets/"
    )  # fmt: skip


def lessons() -> Line:
    """Whether the lessons are there, in every language."""
    try:
        folder = lessons_folder()
    except CourseError as error:
        return Line(Verdict.FAIL, "lessons", _in_one_line(error))
    counts = {language: len(lesson_names(language)) for language in LANGUAGES}
    detail = ", ".join(f"{count} in {language}" for language, count in counts.items())
    verdict = Verdict.OK if all(counts.values()) else Verdict.FAIL
    return Line(verdict, "lessons", f"{detail}  ({folder})")


def writable(folder: Path) -> Line:
    """Whether the learner's notebooks can be saved. The folder is made, as `nbtorch lab` would make it."""
    folder = folder.expanduser().absolute()
    existed = folder.exists()
    try:
        prepare(folder)
    except CourseError as error:
        return Line(Verdict.FAIL, "course folder", _in_one_line(error))
    if not existed:
        folder.rmdir()  # asking must not leave things behind
        return Line(Verdict.OK, "course folder", f"can be made  ({folder})")
    return Line(Verdict.OK, "course folder", f"writable  ({folder})")


def _version(package: str, name: str, *, needed: bool, without: str = f"not installed; {INSTALL}") -> Line:
    try:
        return Line(Verdict.OK, name, importlib.metadata.version(package))
    except importlib.metadata.PackageNotFoundError:
        return Line(Verdict.FAIL if needed else Verdict.NOTE, name, without)


def _cupy_version() -> Line:
    for package in ("cupy-cuda13x", "cupy-cuda12x", "cupy"):  # one library, a distribution per CUDA version
        try:
            return Line(Verdict.OK, "CuPy", f"{importlib.metadata.version(package)}  ({package})")
        except importlib.metadata.PackageNotFoundError:
            continue
    return Line(
        Verdict.NOTE, "CuPy", 'not installed; for an NVIDIA GPU: pip install "nbtorch[cuda12]" or "nbtorch[cuda13]"'
    )


def _in_one_line(message: object) -> str:
    return "; ".join(line.strip().rstrip(".") for line in str(message).splitlines())
