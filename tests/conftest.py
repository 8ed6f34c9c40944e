"""What every test gets: the device to run on, real PyTorch to compare with, and hypothesis made repeatable.

Run the suite on a device with ``pytest --device cpu|strict|cuda``; the default is ``cpu``. Tests make their tensors on
the fixture ``device`` and compare with PyTorch through the fixture ``torch_ref``; ``tests/helpers.py`` moves numbers
between the two. A test that is about the host alone (memory shared with NumPy, for one) carries
``@pytest.mark.cpu_only`` and is skipped elsewhere.
"""

import os

# Two threads that wait for each other by spinning are many times slower than one: before NumPy is loaded.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import signal
from types import ModuleType

import helpers
import hypothesis
import pytest

hypothesis.settings.register_profile("nbtorch", max_examples=50, deadline=None)
hypothesis.settings.register_profile("nbtorch-ci", max_examples=50, deadline=None, derandomize=True, database=None)
hypothesis.settings.load_profile("nbtorch-ci" if helpers.in_ci() else "nbtorch")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--device",
        default="cpu",
        choices=helpers.DEVICES,
        help="where the tests make their tensors: cpu (NumPy), strict (refuses what CuPy refuses), cuda (CuPy)",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "cpu_only(reason): about the host's memory; skipped on other devices")
    helpers.use_device(config.getoption("--device"))
    # A shell starts what it puts in the background deaf to Ctrl-C, and so would be all that the tests start.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_report_header(config: pytest.Config) -> str:
    return f"nbtorch device: {helpers.device_name()}"


def pytest_runtest_setup(item: pytest.Item) -> None:
    marker = item.get_closest_marker("cpu_only")
    if marker is not None and helpers.device_name() != "cpu":
        reason = marker.args[0] if marker.args else marker.kwargs.get("reason", "about the host's memory")
        pytest.skip(f"on cpu only: {reason}")


@pytest.fixture(scope="session")
def device() -> str:
    """The name of the device to make tensors on."""
    return helpers.device_name()


@pytest.fixture(scope="session")
def torch_ref() -> ModuleType:
    """Real PyTorch, with one thread; the test is skipped where it is missing, and fails where that happens in CI."""
    return helpers.import_torch()
