"""`nbtorch lab`: the learner's notebooks in the learner's folder, and JupyterLab open on the first of them."""

from __future__ import annotations

import importlib.util
import os
import signal
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from nbtorch.course.handout import Handout, hand_out
from nbtorch.course.places import LANGUAGES, CourseError

DEFAULT_FOLDER = Path("~/nbtorch-course")
"""Where the notebooks go unless `--dir` says otherwise: in the home folder, so that it is the same from whichever
folder the command is typed in, survives the removal of an environment, and stays out of a checkout."""

INSTALL = 'pip install "nbtorch[course]"  (in a checkout: pip install -e ".[course]")'


class Visit(NamedTuple):
    """What one `nbtorch lab` was asked for."""

    folder: Path
    language: str
    port: int | None
    browser: bool
    extra: list[str]
    """Arguments for JupyterLab itself."""


def language_of_locale(environment: Mapping[str, str]) -> str:
    """The course's language for a locale: Korean where messages are Korean, English everywhere else."""
    for variable in ("LC_ALL", "LC_MESSAGES", "LANG"):  # the order in which POSIX looks them up
        if value := environment.get(variable):
            code = value.split("_")[0].split(".")[0].lower()
            return code if code in LANGUAGES else LANGUAGES[0]
    if os.name == "nt":
        import locale

        return "ko" if (locale.getlocale()[0] or "").lower().startswith("ko") else LANGUAGES[0]
    return LANGUAGES[0]


def open_lab(visit: Visit) -> None:
    """Hand out the lessons and run JupyterLab until it is stopped.

    Raises:
        CourseError: JupyterLab is missing, the port is taken, the folder can't be written to, or there are no lessons.
    """
    require_jupyterlab()
    if visit.port is not None:
        require_free_port(visit.port)
    folder = visit.folder.expanduser().absolute()
    for line in report_lines(hand_out(folder, visit.language), folder):
        print(line)
    first = min((folder / visit.language).glob("[0-9][0-9]_*.ipynb")).name
    print(f"Opening JupyterLab on {first}; stop it with Ctrl-C.", flush=True)
    prepare_environment()
    serve(arguments(visit, folder, first))
    print(f"JupyterLab has stopped. Your notebooks are in {folder}; go on with: nbtorch lab")


def require_jupyterlab() -> None:
    """Raise an error that says what to install when JupyterLab or the Python kernel is missing."""
    missing = [name for name in ("jupyterlab", "ipykernel") if importlib.util.find_spec(name) is None]
    if missing:
        raise CourseError(
            f"{' and '.join(missing)} can't be imported, and without it the lessons can't be opened.\n"
            "  expected: JupyterLab and ipykernel in the same environment as nbtorch\n"
            f"  to do:    {INSTALL}"
        )


def require_free_port(port: int) -> None:
    """Raise an error that names another port when `port` can't be listened on."""
    if not 1 <= port <= 65535:
        raise CourseError(
            f"--port {port} is no port.\n  expected: a number from 1 to 65535\n  to do:    nbtorch lab --port 8888"
        )
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        if os.name != "nt":  # on Windows this option would let two programs share the port
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise CourseError(
                f"JupyterLab can't listen on port {port}.\n"
                "  expected: a free port\n"
                f"  found:    {error.strerror or error} (another JupyterLab, perhaps: jupyter lab list)\n"
                f"  to do:    choose another, e.g. nbtorch lab --port {port + 1 if 1024 <= port < 65535 else 8888}, "
                "or leave --port out"
            ) from error


def report_lines(handout: Handout, folder: Path) -> list[str]:
    """What was handed out, for people."""
    counts = [
        (len(handout.written), "new"),
        (len(handout.updated), "updated"),
        (len(handout.kept), "changed by you, kept"),
    ]
    news = ", ".join(f"{count} {what}" for count, what in counts if count) or "nothing new"
    lines = [f"Your notebooks are in {folder} ({news})."]
    for place, beside in handout.beside.items():
        lines.append(f"  {place}: you changed it, so it was kept; the new edition lies beside it: {beside}")
    return lines


def prepare_environment() -> None:
    """Set what JupyterLab and its kernels inherit from this process."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # small arrays gain nothing from threads
    # New defaults for settings (no question about news from the web); a learner's own settings still win.
    defaults = str(Path(__file__).parent / "jupyter_config")
    os.environ["JUPYTER_CONFIG_PATH"] = os.pathsep.join(filter(None, (defaults, os.environ.get("JUPYTER_CONFIG_PATH"))))


def arguments(visit: Visit, folder: Path, first: str) -> list[str]:
    """JupyterLab's command line. Authentication is left as it is: on, by a token that JupyterLab makes."""
    chosen = [
        f"--ServerApp.root_dir={folder}",
        f"--LabApp.default_url=/lab/tree/{visit.language}/{first}",
        "--ServerApp.answer_yes=True",  # one Ctrl-C ends it; the notebooks save themselves while one works
        "--Application.log_level=WARN",  # leaves the address, which is what a newcomer looks for
        # Nothing needs the network: no news of JupyterLab, no looking for its updates.
        "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]
    if visit.port is not None:
        chosen += [f"--ServerApp.port={visit.port}", "--ServerApp.port_retries=0"]
    if not visit.browser:
        chosen.append("--ServerApp.open_browser=False")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        chosen.append("--ServerApp.allow_root=True")  # in a container everybody is root, and JupyterLab refuses root
    return chosen + visit.extra


def serve(argv: list[str]) -> None:
    """Run JupyterLab in this process until it stops."""
    from jupyterlab.labapp import LabApp  # type: ignore[import-untyped]

    if os.name == "posix" and not (sys.stdin and sys.stdin.isatty()):
        # Jupyter handles Ctrl-C in a terminal only; elsewhere Python's exception would cut its shutdown short and leave
        # kernels behind. The other signal it always handles.
        signal.signal(signal.SIGINT, lambda *_: signal.raise_signal(signal.SIGTERM))
    LabApp.launch_instance(argv)
