"""Animals that rest are part of the background: `check` says where, and `tune` proposes a way to find them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from typer.testing import CliRunner

from herdbook.commands import cli
from herdbook.commands.check import check_experiment
from herdbook.commands.tuning import measure, reuse
from herdbook.commands.tuning.attempt import intensity_band
from herdbook.commands.tuning.lacking import few_words, lacking_arenas
from herdbook.commands.tuning.measure import compare_ways, newly_found
from herdbook.commands.tuning.proposal import split_areas
from herdbook.experiment.file import load_experiment
from tests.support.resting import SIZE, write_resting

NUMBER, RESTING, REACH_PX = 5, 2, 12.0


@pytest.fixture(scope="module")
def resting(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, np.ndarray]:
    """An experiment of five ants, two of which never move, and all places."""
    folder = tmp_path_factory.mktemp("resting")
    places = write_resting(folder / "m.mp4", number=NUMBER, resting=RESTING)
    return write_experiment(folder, {"marking": "none", "number": NUMBER}), places


def write_experiment(folder: Path, animals: dict[str, Any], **sections: Any) -> Path:
    dish = {"name": "dish", "include": [{"ellipse": {"centre": [(SIZE[0] - 1) / 2, (SIZE[1] - 1) / 2], "axes": [182, 182]}}]}
    raw = {"experiment": "e", "movies": [{"name": "m", "file": "m.mp4"}], "animals": animals, "arenas": [dish], **sections}
    path = folder / "e.yaml"
    path.write_text(yaml.safe_dump(raw | {"background": {"frames": 40}}))
    return path


def test_check_names_the_arena_and_the_places_of_animals_that_rest(resting: tuple[Path, np.ndarray]) -> None:
    path, places = resting
    notes = check_experiment(load_experiment(path), look=3).notes
    assert len(notes) == 1
    assert notes[0].startswith("movie m: There are fewer blobs than animals in arena dish in ")
    words = notes[0].partition("like an animal at ")[2].partition(":")[0]
    told = np.array([[float(word) for word in place.replace("x ", "").replace("y ", "").split()] for place in words.split(", ")])
    assert len(told) == RESTING
    assert np.hypot(*(told[:, None] - places[0, :RESTING]).T).min(axis=0).max() < REACH_PX


def test_tune_proposes_grey_levels_which_show_all_that_rest(resting: tuple[Path, np.ndarray]) -> None:
    path, places = resting
    found = compare_ways(load_experiment(path), "m", 20)
    first, chosen = found.tried[0], found.chosen
    assert chosen.way.method == "intensity"
    assert newly_found(first, chosen)[0] > RESTING - 0.5
    for proposal, least, most in ((first, 0.0, 0.8), (chosen, 0.99, 1.0)):
        hits = []
        for frame, blobs, kept in zip(proposal.frames, proposal.blobs, proposal.accepted, strict=True):
            seen = np.zeros(frame.luma.shape, bool)
            for blob in np.flatnonzero(kept):
                seen[measure.pixels_of(blobs.runs_of(int(blob)))] = True
            hits += [seen[int(y) - 4 : int(y) + 5, int(x) - 4 : int(x) + 5].any() for x, y in places[frame.index]]
        assert least <= np.mean(hits) <= most


def test_write_uses_what_was_just_computed_and_only_that(resting: tuple[Path, np.ndarray], tmp_path: Path, monkeypatch: Any) -> None:
    (tmp_path / "m.mp4").write_bytes((resting[0].parent / "m.mp4").read_bytes())
    path = write_experiment(tmp_path, {"marking": "none", "number": NUMBER})
    runs: list[str] = []
    real = measure.compare_ways
    monkeypatch.setattr(measure, "compare_ways", lambda *given: runs.append("tune") or real(*given))

    def tune(*options: str) -> Any:
        done = CliRunner().invoke(cli.app, ["tune", str(path), "--frames", "12", "--out", str(tmp_path / "out"), *options])
        assert done.exit_code == 0, done.output
        return done

    assert "intensity" in tune().stdout
    proposed = json.loads((tmp_path / "out" / "tune.json").read_text())["segment"]
    assert "was made of the same movie and settings" in tune("--write").stdout
    assert runs == ["tune"]
    written = yaml.safe_load(path.read_text())["segment"]
    assert written == proposed
    assert written["method"] == "intensity"
    assert load_experiment(path).segment.intensity == tuple(proposed["intensity"])
    # With other settings, such as those just written, or other frames it is not the same proposal.
    basis = reuse.proposal_basis(load_experiment(path), "m", 12)
    assert reuse.proposal_before(tmp_path / "out" / "tune.json", basis) is None
    (tmp_path / "out" / "tune.json").write_text(json.dumps({"made_of": basis}))
    assert reuse.proposal_before(tmp_path / "out" / "tune.json", basis) is not None
    assert reuse.proposal_before(tmp_path / "out" / "tune.json", reuse.proposal_basis(load_experiment(path), "m", 13)) is None


def test_without_a_number_grey_levels_are_a_warning_only(resting: tuple[Path, np.ndarray], tmp_path: Path) -> None:
    (tmp_path / "m.mp4").write_bytes((resting[0].parent / "m.mp4").read_bytes())
    path = write_experiment(tmp_path, {"marking": "none"})
    done = CliRunner().invoke(cli.app, ["tune", str(path), "--frames", "12", "--out", str(tmp_path / "out")])
    figures = json.loads((tmp_path / "out" / "tune.json").read_text())
    assert "method" not in figures["segment"]
    assert any("Grey levels alone" in warning and "animals.number" in warning for warning in figures["warnings"]), done.output


def test_a_tail_that_joins_animals_is_opened_but_animals_stay_whole(
    tmp_path: Path, draw: Callable[..., Any], write_movie: Callable[..., Path]
) -> None:
    images = []
    for frame in range(30):
        mask = draw([(40, 30 + 2 * frame, 14, 9, 0), (100, 30 + 2 * frame, 14, 9, 0)], (160, 120))
        mask[29 + 2 * frame : 31 + 2 * frame, 40:100] = True
        images.append(np.where(mask, 60, 160).astype(np.uint8))
    movie = write_movie("m.mp4", images)
    raw = {"experiment": "e", "movies": [{"name": "m", "file": str(movie)}], "animals": {"marking": "none", "number": 2}}
    (tmp_path / "e.yaml").write_text(yaml.safe_dump(raw | {"background": {"frames": 30}}))
    chosen = compare_ways(load_experiment(tmp_path / "e.yaml"), "m", 20).chosen
    assert 1 <= chosen.open_px <= 4
    assert (chosen.counts == 2).all()
    body = np.pi * 14 * 9
    assert 0.85 * body < np.median(np.concatenate([blobs.area for blobs in chosen.blobs])) < 1.15 * body


@pytest.mark.parametrize("known", [True, False])
def test_the_smallest_area_lies_between_specks_and_animals_that_often_touch(rng: np.random.Generator, known: bool) -> None:
    # As many specks as animals are missing because they touch: specks must not take their places.
    views = []
    for frame in range(60):
        animals = list(rng.integers(450, 1100, 15))
        pairs = frame % 4
        merged = [sum(animals[2 * k : 2 * k + 2]) for k in range(pairs)] + animals[2 * pairs :]
        views.append([*merged, *rng.integers(4, 12, pairs)])
    view = np.repeat(np.arange(60), [len(one) for one in views])
    split = split_areas(view, np.concatenate(views).astype(np.int64), np.full(60, 15.0 if known else np.nan))
    assert split is not None
    assert 40 < split.smallest < 450


def test_a_single_speck_in_the_gap_does_not_make_it_end_there(rng: np.random.Generator) -> None:
    sizes = [*rng.integers(1, 3, 40), 6, *rng.integers(2000, 4000, 200)]
    view = np.repeat(np.arange(50), 5)[: len(sizes)]
    split = split_areas(np.resize(view, len(sizes)), np.array(sizes, np.int64), np.full(50, 4.0))
    assert split is not None
    assert 125 < split.smallest < 2000


def test_arenas_that_lack_blobs_are_named_with_their_share() -> None:
    counts = np.array([[3, 1], [3, 2], [5, 2], [3, 2]] * 5)
    few = lacking_arenas(counts, [5, 2], ["left", "right"])
    assert [(one.arena, one.animals, one.blobs, one.share) for one in few] == [("left", 5, 3.0, 0.75), ("right", 2, 2.0, 0.25)]
    assert few_words(few[:1]) == "There are fewer blobs than animals in arena left in 75% of the frames (3 of 5 in the median)."
    assert lacking_arenas(counts, [3, None], ["left", "right"]) == []


def test_the_band_of_grey_levels_ends_at_black_or_white() -> None:
    assert intensity_band("dark", 200.4, 35) == (0, 165)
    assert intensity_band("bright", 20.4, 35) == (55, 255)
