"""Dependencies are listed in three places: pyproject.toml, the environment for conda, and the lock file."""

import tomllib
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.conftest import ROOT


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    """The section `project` of pyproject.toml."""
    section: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return section


@pytest.fixture(scope="module")
def conda() -> list[Any]:
    """The dependencies of the environment for conda."""
    listed: list[Any] = yaml.safe_load((ROOT / "envs" / "herdbook.yaml").read_text(encoding="utf-8"))["dependencies"]
    return listed


@pytest.fixture(scope="module")
def locked() -> dict[str, list[SpecifierSet]]:
    """What the lock file says of each package, by its name."""
    lines = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    entries = [Requirement(line) for line in lines if not line.startswith("#")]
    return {
        name: [e.specifier for e in entries if canonicalize_name(e.name) == name] for name in {canonicalize_name(e.name) for e in entries}
    }


def ranges(requirements: list[str]) -> dict[str, SpecifierSet]:
    """The versions that are allowed of each package."""
    return {canonicalize_name(Requirement(text).name): Requirement(text).specifier for text in requirements}


def test_the_environment_for_conda_allows_the_versions_of_the_project(project: dict[str, Any], conda: list[Any]) -> None:
    (by_pip,) = (entry["pip"] for entry in conda if isinstance(entry, dict))
    assert ranges(by_pip) == ranges(project["dependencies"])


def test_the_environment_for_conda_has_the_python_of_the_project(project: dict[str, Any], conda: list[Any]) -> None:
    by_conda = ranges([entry for entry in conda if isinstance(entry, str)])
    assert by_conda["python"] == SpecifierSet(project["requires-python"])


def test_the_lock_file_names_one_exact_version_of_each_package(locked: dict[str, list[SpecifierSet]]) -> None:
    unclear = {name for name, listed in locked.items() if [[s.operator for s in versions] for versions in listed] != [["=="]]}
    assert unclear == set()


@pytest.mark.parametrize("extra", ["", "test", "slurm"])
def test_the_lock_file_has_a_version_that_the_project_allows(
    project: dict[str, Any], locked: dict[str, list[SpecifierSet]], extra: str
) -> None:
    wanted = ranges(project["optional-dependencies"][extra] if extra else project["dependencies"])
    assert set(wanted) <= set(locked)
    versions = {name: Version(next(iter(locked[name][0])).version) for name in wanted}
    assert {name: str(version) for name, version in versions.items() if version not in wanted[name]} == {}
