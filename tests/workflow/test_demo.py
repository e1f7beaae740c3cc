"""The whole chain with its real stages, from simulated movies to the report."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from herdbook.movie.scanning import scan_movie
from tests.conftest import ROOT, Done
from tests.workflow.conftest import EXPERIMENT, FRAMES, MOVIES


def test_the_table_has_the_public_columns(finished: Path) -> None:
    with (finished / "trajectories.csv").open(encoding="utf-8") as table:
        assert table.readline() == "movie,frame,time,individual,x,y,heading,confidence,source\n"


def test_nearly_every_position_is_found_and_right(finished: Path) -> None:
    score = json.loads((finished / "report" / "score.json").read_text(encoding="utf-8"))
    assert score["individuals"] == 4
    assert score["assigned"] >= 0.95
    assert score["error"] <= 0.03


@pytest.mark.parametrize("movie", MOVIES)
def test_an_overlay_shows_every_frame(finished: Path, movie: str) -> None:
    overlay = scan_movie(finished / "overlay" / f"{movie}.mp4")
    assert (overlay.n_frames, overlay.width, overlay.height) == (FRAMES, 480, 360)


def test_the_report_needs_no_other_file(finished: Path) -> None:
    page = (finished / "report" / "report.html").read_text(encoding="utf-8")
    pictures = re.findall(r"""src\s*=\s*["']?([^"'>]*)""", page)
    assert len(pictures) >= 4
    assert all(picture.startswith("data:image/png;base64,") for picture in pictures)
    assert not re.search(r"<link|<script|<iframe|@import|url\(|https?:", page)


def test_a_second_run_has_nothing_to_do(finished: Path, snakemake: Callable[..., Done]) -> None:
    assert "Nothing to be done" in snakemake(finished.parents[1], EXPERIMENT).stdout


def test_the_demo_is_tracked_nearly_without_error(snakemake: Callable[..., Done], tmp_path: Path) -> None:
    text = (ROOT / "config" / "demo.yaml").read_text(encoding="utf-8")
    demo = yaml.safe_load(text.replace("../results", str(tmp_path / "results")))
    done = snakemake(tmp_path, demo | {"overlay": {"write": False}})
    assert done.returncode == 0, done.stdout
    score = json.loads((tmp_path / "results" / "demo" / "report" / "score.json").read_text(encoding="utf-8"))
    assert score["individuals"] == 8
    assert score["assigned"] >= 0.97
    assert score["error"] <= 0.005
