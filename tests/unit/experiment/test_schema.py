import json
import subprocess
import sys
import tomllib
from typing import Any

import jsonschema
import pytest
import yaml

from herdbook.experiment.model import OVERRIDABLE, Experiment
from herdbook.experiment.schema import experiment_schema, schema_text
from tests.conftest import ROOT


def valid(**changes: Any) -> bool:
    raw = {"experiment": "e", "movies": [{"name": "m", "file": "m.mp4"}], "animals": {"marking": "none"}, **changes}
    return bool(jsonschema.Draft202012Validator(experiment_schema()).is_valid(raw))


def test_the_committed_schema_is_that_of_the_model() -> None:
    committed = (ROOT / "workflow" / "schemas" / "experiment.schema.json").read_text(encoding="utf-8")
    assert committed == schema_text(), "run: python -m herdbook.experiment.schema > workflow/schemas/experiment.schema.json"


def test_the_module_prints_the_schema() -> None:
    done = subprocess.run([sys.executable, "-m", "herdbook.experiment.schema"], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == experiment_schema()


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(experiment_schema())


def test_every_committed_experiment_fits_the_schema() -> None:
    files = sorted((ROOT / "config").glob("*.yaml"))
    assert files
    for path in files:
        jsonschema.validate(yaml.safe_load(path.read_text(encoding="utf-8")), experiment_schema())


def test_every_section_has_a_described_place_in_the_schema() -> None:
    assert set(experiment_schema()["properties"]) == set(Experiment.model_fields)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"movies": "movies.tsv"},
        {"segment": {"area": [50, 900]}},
        {"arenas": [{"include": [{"polygon": [[0, 0], [9, 0], [9, 9]]}]}]},
        *({"movies": [{"name": "m", "file": "m.mp4", "override": {stage: {}}}]} for stage in OVERRIDABLE),
    ],
)
def test_what_the_model_takes_fits_the_schema(changes: dict[str, Any]) -> None:
    assert valid(**changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"segmnt": {}},
        {"segment": {"diference": 30}},
        {"segment": {"difference": -1}},
        {"movies": []},
        {"movies": 3},
        {"movies": [{"name": "m", "file": "m.mp4", "override": {"train": {}}}]},
        {"movies": [{"name": "m", "file": "m.mp4", "override": {"segment": {"diference": 30}}}]},
        {"animals": {"marking": "some"}},
    ],
)
def test_what_the_model_refuses_does_not_fit_the_schema(changes: dict[str, Any]) -> None:
    assert not valid(**changes)


def test_the_conda_environment_has_the_bounds_of_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    environment = yaml.safe_load((ROOT / "envs" / "herdbook.yaml").read_text(encoding="utf-8"))["dependencies"]
    assert f"python{project['requires-python']}" in environment
    assert [part["pip"] for part in environment if isinstance(part, dict)] == [project["dependencies"]]
