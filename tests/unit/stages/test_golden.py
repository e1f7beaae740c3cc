"""No stage's output changes unless its STAGE_VERSION does: results made before would be taken for new ones."""

import json
from pathlib import Path

import pytest

from herdbook.job import stage_version
from tests.conftest import ROOT
from tests.support.golden import CASES, GOLDEN, Figures, differences, is_silent, run_stage
from tests.support.golden_inputs import draw_recording

KEPT: dict[str, Figures] = json.loads(GOLDEN.read_text(encoding="utf-8"))
ANEW = "run: python -m tests.support.golden"


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("golden")
    draw_recording(folder)
    return folder


@pytest.mark.parametrize("stage", CASES)
def test_an_output_changes_only_with_the_version_of_its_stage(drawn: Path, stage: str) -> None:
    found, kept = run_stage(stage, drawn), KEPT[stage]
    changed = differences(found, kept)
    assert not is_silent(found, kept), f"herdbook.stages.{stage} makes other {changed}: raise its STAGE_VERSION, then {ANEW}"
    assert found["version"] == kept["version"], f"herdbook.stages.{stage} has a new version: {ANEW}"
    assert (found["settings"], found["inputs"]) == (kept["settings"], kept["inputs"]), f"{stage} is told or given something else: {ANEW}"


def test_every_stage_of_the_rules_has_golden_figures() -> None:
    rules = (ROOT / "workflow" / "rules").glob("*.smk")
    stages = {part.split('"')[0] for path in rules for part in path.read_text(encoding="utf-8").split('version("')[1:]}
    assert stages == set(CASES) == set(KEPT)
    assert all(stage_version(stage) >= KEPT[stage]["version"] for stage in stages)
