"""Profiles that a run may be started with."""

from herdbook.app.running.profiles import profile_folders
from tests.conftest import ROOT


def test_profiles_beside_the_workflow_and_those_of_the_person(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert profile_folders()["slurm"] == ROOT / "profiles" / "slurm"
    assert "default" not in profile_folders()
    (tmp_path / "snakemake" / "mylab").mkdir(parents=True)
    (tmp_path / "snakemake" / "mylab" / "config.yaml").write_text("jobs: 3\n")
    (tmp_path / "snakemake" / "empty").mkdir()
    assert profile_folders()["mylab"] == tmp_path / "snakemake" / "mylab"
    assert "empty" not in profile_folders()
