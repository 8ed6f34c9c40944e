"""The `nbtorch` command.

Every subcommand imports what it needs when it runs, so that `nbtorch --help` answers at once and `nbtorch doctor`
works where half of the packages are missing.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from nbtorch._version import __version__
from nbtorch.course.places import LANGUAGES, CourseError
from nbtorch.notebook.lab import DEFAULT_FOLDER


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code: 0 fine, 1 something is wrong, 2 wrong usage, 130 interrupted."""
    words = list(sys.argv[1:] if argv is None else argv)
    extra: list[str] = []
    if words[:1] == ["lab"] and "--" in words:  # what follows is JupyterLab's business
        cut = words.index("--")
        words, extra = words[:cut], words[cut + 1 :]
    options = parser().parse_args(words)
    options.extra = extra
    try:
        code: int = options.run(options)
    except CourseError as error:
        print(f"nbtorch: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("nbtorch: interrupted", file=sys.stderr)
        return 130
    return code


def parser() -> argparse.ArgumentParser:
    """The command line's grammar."""
    root = argparse.ArgumentParser(prog="nbtorch", description="PyTorch's principle, made visible, in Jupyter.")
    root.add_argument("--version", action="version", version=f"nbtorch {__version__}")
    commands = root.add_subparsers(required=True, metavar="COMMAND")

    lab = commands.add_parser(
        "lab",
        help="open the course in JupyterLab",
        description="Copy the lessons into your folder, keeping every file you changed, and open JupyterLab on the "
        "first. What follows a lone -- goes to JupyterLab as it is.",
    )
    lab.add_argument("--no-browser", action="store_true", help="print the address instead of opening a browser")
    lab.add_argument("--port", type=int, metavar="N", help="listen on this port (default: the first free from 8888)")
    _add_folder(lab)
    lab.add_argument("--lang", choices=LANGUAGES, help="the lessons' language (default: your system's, else en)")
    lab.set_defaults(run=_lab)

    doctor = commands.add_parser("doctor", help="say what is installed, what works, and what to do about the rest")
    _add_folder(doctor)
    doctor.set_defaults(run=_doctor)

    course = commands.add_parser(
        "course", help="your progress; for teachers, an nbgrader course; in a checkout, building the lessons"
    )
    actions = course.add_subparsers(required=True, metavar="ACTION")
    build = actions.add_parser("build", help="make and execute the notebooks from lessons/src")
    build.add_argument("--check", action="store_true", help="write nothing; fail if sources and notebooks disagree")
    build.set_defaults(run=_course_build)
    lint = actions.add_parser("lint", help="find what comparing outputs doesn't catch")
    lint.set_defaults(run=_course_lint)
    confirm = actions.add_parser("confirm", help="mark the Korean texts as read against the present English ones")
    confirm.set_defaults(run=_course_confirm)
    status = actions.add_parser("status", help="print how far you have come")
    _add_folder(status)
    status.set_defaults(run=_course_status)
    export = actions.add_parser("export", help="write the lessons as a course for nbgrader")
    export.add_argument("--nbgrader", type=_folder, required=True, metavar="DIR", help="the course's folder")
    export.add_argument("--lang", choices=LANGUAGES, default=LANGUAGES[0], help="the lessons' language (default: en)")
    export.set_defaults(run=_course_export)
    for action in (build, lint, confirm):
        action.add_argument("names", nargs="*", metavar="NAME", help="lessons, e.g. 00 (default: all)")
    return root


def _add_folder(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--dir", type=Path, default=DEFAULT_FOLDER, metavar="DIR", help=f"your folder (default: {DEFAULT_FOLDER})"
    )


def _folder(text: str) -> Path:
    if not text.strip():
        raise argparse.ArgumentTypeError("expected a folder's path, got nothing")
    return Path(text)


def _lab(options: argparse.Namespace) -> int:
    from nbtorch.notebook.lab import Visit, language_of_locale, open_lab

    language = options.lang or language_of_locale(os.environ)
    open_lab(Visit(options.dir, language, options.port, not options.no_browser, options.extra))
    return 0


def _doctor(options: argparse.Namespace) -> int:
    from nbtorch.notebook.doctor import Verdict, examine

    failed = 0
    for line in examine(options.dir):
        print(line, flush=True)
        failed += line.verdict is Verdict.FAIL
    print("Everything the course needs is there." if not failed else f"{failed} of these must be put right first.")
    return 1 if failed else 0


def _course_build(options: argparse.Namespace) -> int:
    _require_course_tools()
    from nbtorch.course.build import build, check

    if options.check:
        faults = check(options.names)
        print("\n".join(faults) or "Sources and notebooks agree.")
        return 1 if faults else 0
    for path in build(options.names):
        print(f"built {path}", flush=True)
    return 0


def _course_lint(options: argparse.Namespace) -> int:
    _require_course_tools()
    from nbtorch.course.lint import lint

    findings = lint(options.names)
    print("\n".join(map(str, findings)) or "No faults found.")
    return 1 if findings else 0


def _course_confirm(options: argparse.Namespace) -> int:
    _require_course_tools()
    from nbtorch.course.source import confirm, find_sources

    for path in find_sources(options.names):
        print(f"{path.name}: {confirm(path)} Korean texts newly confirmed")
    return 0


def _course_status(options: argparse.Namespace) -> int:
    from nbtorch.course.progress import ProgressMap

    print(ProgressMap(options.dir.expanduser()))
    return 0


def _course_export(options: argparse.Namespace) -> int:
    from nbtorch.course.nbgrader import export_nbgrader

    folder = options.nbgrader.expanduser()
    report = export_nbgrader(folder, options.lang)
    for place in (*report.written, *report.updated):
        print(f"written {folder / place}")
    for place in report.kept:
        beside = report.beside.get(place)
        print(f"kept    {folder / place}: it is yours, or changed" + (f"; the new one is {beside}" if beside else ""))
    print(f"To hand the first lesson out: cd {folder} && nbgrader generate_assignment LESSON")
    return 0


def _require_course_tools() -> None:
    import importlib.util

    missing = [name for name in ("jupytext", "nbformat", "nbclient") if importlib.util.find_spec(name) is None]
    if missing:
        raise CourseError(
            f"{', '.join(missing)} can't be imported, and lessons are built with it.\n"
            '  to do:    pip install -e ".[course]" in a checkout of nbtorch'
        )


if __name__ == "__main__":
    sys.exit(main())
