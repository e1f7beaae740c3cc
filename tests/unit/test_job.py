import subprocess
import sys
from pathlib import Path

import pytest

from herdbook import stages
from herdbook.errors import HerdbookError
from herdbook.job import stage_version
from tests.conftest import ROOT


def test_a_version_is_read_without_importing_the_stage() -> None:
    code = "import sys; from herdbook.job import stage_version; print(stage_version('segment'), 'numba' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    version, imported = done.stdout.split()
    assert int(version) >= 1
    assert imported == "False"


def test_the_version_is_that_of_the_module() -> None:
    from herdbook.stages import index

    assert stage_version("index") == index.STAGE_VERSION


def test_an_unknown_stage_is_refused() -> None:
    with pytest.raises(HerdbookError, match=r"herdbook\.stages\.segmnt: there is no such stage"):
        stage_version("segmnt")


def test_a_stage_without_a_version_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "versionless.py").write_text("STAGE = 'versionless'\n")
    monkeypatch.setattr(stages, "__path__", [*stages.__path__, str(tmp_path)])
    with pytest.raises(HerdbookError, match="STAGE_VERSION = 1"):
        stage_version("versionless")


def test_every_stage_of_the_rules_has_a_version() -> None:
    rules = (ROOT / "workflow" / "rules").glob("*.smk")
    stages = {part.split('"')[0] for path in rules for part in path.read_text(encoding="utf-8").split('version("')[1:]}
    assert len(stages) == 20
    assert all(stage_version(stage) >= 1 for stage in stages)
