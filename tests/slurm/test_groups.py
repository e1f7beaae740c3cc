"""What of a movie is one job of a cluster's queue; told by a run that does nothing, so that no cluster is needed."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Done


@pytest.fixture
def grouped(snakemake: Callable[..., Done], tmp_path: Path) -> Callable[..., dict[str, set[str]]]:
    """The rules of each group, by its name, for two movies."""

    def run(**changes: Any) -> dict[str, set[str]]:
        recording = changes.pop("recording", None)
        for name in ("a", "b"):
            (tmp_path / f"{name}.mp4").touch()
        movies = [{"name": n, "file": f"{n}.mp4"} | ({"recording": recording} if recording else {}) for n in ("a", "b")]
        done = snakemake(tmp_path, {"experiment": "two", "movies": movies, "animals": {"marking": "none"}} | changes, "--dry-run")
        assert done.returncode == 0, done.stdout
        shown = re.findall(r"Group job (\S+) .*\n((?:\n| .*\n)+)", done.stdout)
        return {name: set(re.findall(r"^ +rule (\w+):", jobs, flags=re.MULTILINE)) for name, jobs in shown}

    return run


def test_a_movie_by_itself_is_one_job_up_to_its_tracklets(grouped: Callable[..., dict[str, set[str]]]) -> None:
    stages = {"index", "background", "segment", "tracklets"}
    assert grouped() == {"frames-a": stages, "frames-b": stages}


def test_movies_of_one_recording_do_not_wait_for_each_other(grouped: Callable[..., dict[str, set[str]]]) -> None:
    stages = {"background", "segment"}
    assert grouped(recording="day") == {"frames-a": stages, "frames-b": stages}


def test_movies_that_share_a_background_are_in_no_group(grouped: Callable[..., dict[str, set[str]]]) -> None:
    assert grouped(recording="day", background={"scope": "recording"}) == {}
