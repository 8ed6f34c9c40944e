"""environment.yml, for conda users, asks for what pyproject.toml asks for."""

import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]


def normal(requirement: str) -> str:
    return requirement.replace(" ", "").lower().replace("_", "-")


def test_conda_and_pip_users_get_the_same_requirements() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"], *extras["widgets"], *extras["course"]]
    wanted = [normal(line) for line in wanted if not line.startswith("nbtorch[")]
    wanted.append("python" + project["requires-python"])

    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    listed = [normal(line) for line in environment["dependencies"] if isinstance(line, str) and line != "pip"]
    assert sorted(listed) == sorted(wanted)
    pip = [line["pip"] for line in environment["dependencies"] if isinstance(line, dict)]
    assert pip == [["-e .[course]"]]
    assert environment["name"] == project["name"]
