"""The `nbtorch` command: what it prints, what it refuses, and a real JupyterLab started and stopped by it."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import SimpleNamespace

import pytest

import nbtorch.notebook.doctor as doctor
import nbtorch.notebook.lab as lab
from nbtorch.course import places
from nbtorch.notebook.cli import main
from nbtorch.notebook.doctor import Line, Verdict


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """JupyterLab's command lines, which are recorded instead of run."""
    monkeypatch.setattr(os, "environ", dict(os.environ))  # the lab sets variables for its kernels
    calls: list[list[str]] = []
    monkeypatch.setattr(lab, "serve", calls.append)
    return calls


def missing(monkeypatch: pytest.MonkeyPatch, *packages: str) -> None:
    """Make packages impossible to find."""
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name in packages else find(name, *rest)
    )


# --- nbtorch lab ------------------------------------------------------------------------------------------------------


def test_lab_hands_out_and_opens_lesson_00(
    served: list[list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "new" / "folder"
    assert main(["lab", "--no-browser", "--dir", str(folder), "--lang", "en", "--port", str(free_port())]) == 0
    (arguments,) = served
    assert f"--ServerApp.root_dir={folder}" in arguments
    assert "--LabApp.default_url=/lab/tree/en/00_start_here.ipynb" in arguments
    assert "--ServerApp.open_browser=False" in arguments and "--ServerApp.port_retries=0" in arguments
    assert not any("token" in argument or "password" in argument for argument in arguments)  # it stays on
    assert (folder / "en" / "00_start_here.ipynb").is_file() and not (folder / "ko").exists()
    printed = capsys.readouterr().out
    assert f"Your notebooks are in {folder}" in printed and "Opening JupyterLab on 00_start_here.ipynb" in printed


def test_lab_opens_a_browser_on_any_free_port_unless_told_otherwise(served: list[list[str]], tmp_path: Path) -> None:
    assert main(["lab", "--dir", str(tmp_path), "--lang", "ko"]) == 0
    assert not any("open_browser" in argument or "port" in argument for argument in served[0])
    assert "--LabApp.default_url=/lab/tree/ko/00_start_here.ipynb" in served[0]


def test_lab_passes_on_what_follows_two_dashes(served: list[list[str]], tmp_path: Path) -> None:
    assert main(["lab", "--dir", str(tmp_path), "--", "--ServerApp.ip=0.0.0.0", "--debug"]) == 0
    assert served[0][-2:] == ["--ServerApp.ip=0.0.0.0", "--debug"]


def test_lab_says_what_it_kept(served: list[list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "en").mkdir()
    (tmp_path / "en" / "00_start_here.ipynb").write_text("my own notes")
    assert main(["lab", "--dir", str(tmp_path), "--lang", "en"]) == 0
    printed = capsys.readouterr().out
    assert "en/00_start_here.ipynb: you changed it, so it was kept" in printed
    assert "beside it: en/00_start_here.new.ipynb" in printed
    assert (tmp_path / "en" / "00_start_here.ipynb").read_text() == "my own notes"


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, "en"),
        ({"LANG": "ko_KR.UTF-8"}, "ko"),
        ({"LANG": "ko"}, "ko"),
        ({"LANG": "en_US.UTF-8"}, "en"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "ko_KR.UTF-8", "LC_ALL": "en_GB"}, "en"),
        ({"LANG": "en_US", "LC_MESSAGES": "ko_KR"}, "ko"),
        ({"LANG": "ko_KR", "LC_ALL": ""}, "ko"),
        ({"LANG": "kok_IN"}, "en"),  # Konkani
    ],
)
def test_the_language_is_the_locales(environment: dict[str, str], language: str) -> None:
    if os.name == "posix" or environment:
        assert lab.language_of_locale(environment) == language


def test_lab_takes_the_language_of_the_locale(
    served: list[list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "ko_KR.UTF-8")
    assert main(["lab", "--dir", str(tmp_path)]) == 0
    assert (tmp_path / "ko" / "00_start_here.ipynb").is_file()


def test_lab_without_jupyterlab_says_what_to_install(
    served: list[list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    missing(monkeypatch, "jupyterlab")
    assert main(["lab", "--dir", str(tmp_path / "x")]) == 1
    message = capsys.readouterr().err
    assert "jupyterlab can't be imported" in message and 'pip install "nbtorch[course]"' in message
    assert served == [] and not (tmp_path / "x").exists()


def test_lab_on_a_port_in_use_names_another(
    served: list[list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert main(["lab", "--port", str(port), "--dir", str(tmp_path)]) == 1
    message = capsys.readouterr().err
    assert f"can't listen on port {port}" in message and "expected: a free port" in message and "--port" in message
    assert served == []


@pytest.mark.parametrize("port", ["0", "-1", "65536"])
def test_lab_on_an_impossible_port(served: list[list[str]], port: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lab", "--port", port]) == 1
    assert "a number from 1 to 65535" in capsys.readouterr().err


def test_lab_in_a_folder_that_can_t_be_made(
    served: list[list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    assert main(["lab", "--dir", str(tmp_path / "file" / "below")]) == 1
    message = capsys.readouterr().err
    assert "can't be put into" in message and "expected: a folder in which you may write" in message


def test_lab_without_lessons(
    served: list[list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(places, "_CHECKOUT", tmp_path)
    monkeypatch.setattr(places, "_PACKAGED", tmp_path / "none")
    assert main(["lab", "--dir", str(tmp_path / "x")]) == 1
    assert "The lessons were not found." in capsys.readouterr().err


@pytest.mark.parametrize(("is_root", "expected"), [(True, True), (False, False)])
def test_root_in_a_container_can_open_the_lab(
    is_root: bool, expected: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0 if is_root else 1000, raising=False)
    arguments = lab.arguments(lab.Visit(tmp_path, "en", None, True, []), tmp_path, "00.ipynb")
    assert ("--ServerApp.allow_root=True" in arguments) is expected


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answer(url: str) -> tuple[int, str]:
    """Status and body of a GET."""
    try:
        with urllib.request.urlopen(url, timeout=10) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, ""


@pytest.mark.skipif(os.name == "nt", reason="SIGINT can't be sent to one process on Windows")
def test_a_real_lab_starts_with_authentication_and_ends_on_ctrl_c(tmp_path: Path) -> None:
    port, folder, log = free_port(), tmp_path / "course", tmp_path / "log"
    command = [sys.executable, "-m", "nbtorch.notebook.cli", "lab", "--no-browser", "--lang", "en"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("JUPYTER")} | {
        "HOME": str(tmp_path / "home"),
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
    }
    with log.open("w") as output:
        process = subprocess.Popen(
            [*command, "--port", str(port), "--dir", str(folder)], stdout=output, stderr=output, env=environment
        )
    try:
        address = None
        deadline = time.monotonic() + 60
        while address is None and time.monotonic() < deadline and process.poll() is None:
            time.sleep(0.1)
            address = re.search(rf"http://127\.0\.0\.1:{port}(/\S*)\?token=(\w+)", log.read_text())
        assert address, log.read_text()
        path, token = address.groups()
        assert path == "/lab/tree/en/00_start_here.ipynb"
        base = f"http://127.0.0.1:{port}"
        assert answer(f"{base}/api/contents/en")[0] == 403  # no token, no access
        status, body = answer(f"{base}/api/contents/en?token={token}")
        assert status == 200
        assert "00_start_here.ipynb" in [item["name"] for item in json.loads(body)["content"]]
        assert "python3" in json.loads(answer(f"{base}/api/kernelspecs?token={token}")[1])["kernelspecs"]
        status, page = answer(f"{base}{path}?token={token}")
        assert status == 200 and '"news": {"disabled": true}' in page  # nothing is fetched from the web
        notification = answer(f"{base}/lab/api/settings/@jupyterlab/apputils-extension:notification?token={token}")[1]
        assert json.loads(notification)["schema"]["properties"]["fetchNews"]["default"] == "false"  # nor asked for
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0, log.read_text()
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    said = log.read_text()
    assert "Traceback" not in said and said.rstrip().endswith("go on with: nbtorch lab")


# --- nbtorch doctor ---------------------------------------------------------------------------------------------------


@pytest.fixture
def healthy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Checks whose answer depends on how this environment was installed are replaced; each has a test of its own."""
    for name in ("kernelspec", "widget_bundle", "gpu"):
        monkeypatch.setattr(doctor, name, lambda name=name: Line(Verdict.OK, name, "fine"))


def test_doctor_lists_everything_and_leaves_nothing_behind(
    healthy: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["doctor", "--dir", str(tmp_path / "course")]) == 0
    printed = capsys.readouterr().out
    for name in ("nbtorch", "Python", "NumPy", "CuPy", "JupyterLab", "ipykernel", "anywidget", "PyTorch", "lessons"):
        assert re.search(rf"^ *(ok|note) +{name} ", printed, re.MULTILINE), name
    assert "course folder  can be made" in printed and "Everything the course needs is there." in printed
    assert list(tmp_path.iterdir()) == []


def test_doctor_fails_on_a_folder_that_refuses(
    healthy: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    assert main(["doctor", "--dir", str(tmp_path / "file")]) == 1
    printed = capsys.readouterr().out
    assert "FAIL  course folder" in printed and "1 of these must be put right first." in printed


def test_doctor_says_what_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.metadata as metadata

    def version(package: str) -> str:
        if package in ("jupyterlab", "cupy", "cupy-cuda12x", "cupy-cuda13x", "torch"):
            raise metadata.PackageNotFoundError(package)
        return "1.0"

    monkeypatch.setattr(metadata, "version", version)
    lines = {line.what: line for line in doctor.versions()}
    assert lines["JupyterLab"].verdict is Verdict.FAIL and "pip install" in lines["JupyterLab"].detail
    assert lines["CuPy"].verdict is Verdict.NOTE and "nbtorch[cuda12]" in lines["CuPy"].detail
    assert lines["PyTorch"].verdict is Verdict.NOTE


@pytest.mark.parametrize(
    ("reason", "verdict", "expected"),
    [
        (None, Verdict.OK, "usable"),
        (
            "CuPy is not installed.\n  to do: install it.",
            Verdict.NOTE,
            "CuPy is not installed; to do: install it; everything",
        ),
    ],
)
def test_doctor_says_why_there_is_no_gpu(
    reason: str | None, verdict: Verdict, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import nbtorch

    cuda = SimpleNamespace(why_unavailable=lambda: reason, is_available=lambda: reason is None)
    monkeypatch.setattr(nbtorch, "cuda", cuda, raising=False)
    line = doctor.gpu()
    assert line.verdict is verdict and expected in line.detail


@pytest.mark.parametrize(("names", "verdict"), [(["python3", "nbtorch"], Verdict.OK), (["python3"], Verdict.FAIL)])
def test_doctor_looks_for_the_kernel(names: list[str], verdict: Verdict, monkeypatch: pytest.MonkeyPatch) -> None:
    from jupyter_client.kernelspec import KernelSpecManager

    monkeypatch.setattr(KernelSpecManager, "find_kernel_specs", lambda self: dict.fromkeys(names, "a folder"))
    line = doctor.kernelspec()
    assert line.verdict is verdict
    assert verdict is Verdict.OK or "%load_ext nbtorch" in line.detail


@pytest.mark.parametrize("what", ["no package", "no bundle", "bundle"])
def test_doctor_looks_for_the_widgets(what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if what == "bundle":
        (tmp_path / "static").mkdir()
        (tmp_path / "static" / "widgets.js").write_text("x" * 31_000)
    spec = None if what == "no package" else SimpleNamespace(submodule_search_locations=[str(tmp_path)])
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: spec)
    line = doctor.widget_bundle()
    assert line.verdict is (Verdict.OK if what == "bundle" else Verdict.FAIL)
    assert {"no package": "not installed", "no bundle": "npm run build", "bundle": "31 kB"}[what] in line.detail


def test_doctor_looks_for_the_lessons(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert doctor.lessons().verdict is Verdict.OK
    monkeypatch.setattr(places, "_CHECKOUT", tmp_path)
    monkeypatch.setattr(places, "_PACKAGED", tmp_path / "none")
    line = doctor.lessons()
    assert line.verdict is Verdict.FAIL and "\n" not in line.detail


# --- the kernel -------------------------------------------------------------------------------------------------------


def test_the_kernelspec_uses_this_environments_python_and_loads_the_extension() -> None:
    from jupyter_client.kernelspec import KernelSpec
    from jupyter_client.manager import KernelManager

    folder = Path(lab.__file__).parent / "kernelspec"
    spec = KernelSpec.from_resource_dir(str(folder))
    assert spec.display_name == "nbtorch" and spec.env == {"OPENBLAS_NUM_THREADS": "1"}
    manager = KernelManager()
    manager._kernel_spec = spec
    command = manager.format_kernel_cmd()
    assert command[0] == sys.executable  # "python" would be whatever comes first in PATH
    assert "--IPKernelApp.extensions=nbtorch" in command
    assert (folder / "logo-svg.svg").is_file()


# --- nbtorch course ---------------------------------------------------------------------------------------------------


def test_course_check_and_lint_pass_on_the_real_course(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["course", "build", "--check"]) == 0
    assert main(["course", "lint"]) == 0
    assert capsys.readouterr().out == "Sources and notebooks agree.\nNo faults found.\n"


def test_course_commands_name_an_unknown_lesson(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["course", "build", "--check", "77"], ["course", "lint", "77"], ["course", "confirm", "77"]):
        assert main(words) == 1
        assert "There is no lesson '77'" in capsys.readouterr().err


def test_course_build_without_its_tools_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    missing(monkeypatch, "jupytext", "nbclient")
    assert main(["course", "build"]) == 1
    assert "jupytext, nbclient can't be imported" in capsys.readouterr().err


# --- the command itself -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", [[], ["train"], ["lab", "--lang", "fr"], ["lab", "--port", "x"], ["course"]])
def test_wrong_usage_exits_with_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(words)
    assert caught.value.code == 2 and "usage: nbtorch" in capsys.readouterr().err


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    from nbtorch._version import __version__

    with pytest.raises(SystemExit) as caught:
        main(["--version"])
    assert caught.value.code == 0 and capsys.readouterr().out == f"nbtorch {__version__}\n"


def test_ctrl_c_before_the_lab_runs_is_no_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(argv: list[str]) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(lab, "serve", interrupted)
    assert main(["lab", "--dir", str(tmp_path)]) == 130
    assert capsys.readouterr().err == "nbtorch: interrupted\n"
