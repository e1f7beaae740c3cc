"""herdbook tune: proposals agree with the truth, which they do not use, and faults are reported."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pandas as pd
import pytest
import yaml
from click.testing import Result
from numpy.typing import NDArray
from scipy.spatial.distance import pdist
from typer.testing import CliRunner

from herdbook.commands import cli
from herdbook.commands.tuning import proposal as tuning
from herdbook.commands.tuning.ghosts import find_ghosts
from herdbook.commands.tuning.measure import Proposal, tune_movie
from herdbook.commands.tuning.plots import outline
from herdbook.errors import HerdbookError
from herdbook.experiment.editing.text import with_values
from herdbook.experiment.file import load_experiment
from herdbook.experiment.new import NewAnimals, experiment_text
from herdbook.movie.simulated.recording import simulate_recording
from herdbook.movie.writing import MovieWriter
from herdbook.segmentation.components import Labeller

# Bodies of the ants are 37 px long; farther apart than this they do not touch.
ANTS, APART_PX = 4, 60
ANT_FRAME = (480, 400)
SIZE = (160, 120)
UNKNOWN = np.nan


def herdbook(*arguments: object) -> Result:
    return CliRunner().invoke(cli.app, [str(argument) for argument in arguments])


def write_experiment(folder: Path, movie: Path, **sections: Any) -> Path:
    raw = {
        "experiment": "test",
        "movies": [{"name": "m", "file": str(movie)}],
        "animals": {"marking": "none"},
        "background": {"frames": 40},
    }
    path = folder / "test.yaml"
    path.write_text(yaml.safe_dump(raw | sections))
    return path


def propose(folder: Path, movie: Path, frames: int = 30, **sections: Any) -> Proposal:
    return tune_movie(load_experiment(write_experiment(folder, movie, **sections)), "m", frames)


@pytest.fixture(scope="module")
def ants(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A simulated movie of dark ants, its negative, the same with specks all over, and the truth."""
    folder = tmp_path_factory.mktemp("ants")
    simulate_recording(folder, movies=["dark"], frames=90, number=ANTS, size=ANT_FRAME, fps=8, labels_per_animal=0, leave=False, seed=7)
    rng, (width, height) = np.random.default_rng(0), ANT_FRAME
    with av.open(str(folder / "dark.mp4")) as container:
        images = [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]
    for name in ("bright", "specks"):
        with MovieWriter(folder / f"{name}.mp4", width, height, 8, crf=14, options={"preset": "ultrafast"}) as movie:
            for image in images:
                picture = 255 - image if name == "bright" else image.copy()
                if name == "specks":
                    places = rng.integers((0, 0, 1, 1, 40), (height - 4, width - 4, 5, 5, 160), (40, 5))
                    for row, column, high, wide, level in places.tolist():
                        picture[row : row + high, column : column + wide] = level
                movie.write(picture)
    return {name: folder / f"{name}.mp4" for name in ("dark", "bright", "specks")} | {"truth": folder / "truth.csv"}


def apart(truth: Path) -> NDArray[np.bool_]:
    """Frames in which all ants are visible, each far from all others."""
    frames = pd.read_csv(truth).groupby("frame")[["x", "y"]]
    return np.array([len(places) == ANTS and pdist(places).min() > APART_PX for _, places in frames])


def passing(draw: Callable[..., Any], animal: int = 60, ground: int = 160, frames: int = 40) -> list[NDArray[np.uint8]]:
    """Two animals that cross the frame, one above the other."""
    masks = [draw([(20 + 3 * t, 35, 10, 5, 0), (140 - 3 * t, 85, 10, 5, 0)], SIZE) for t in range(frames)]
    return [np.where(mask, animal, ground).astype(np.uint8) for mask in masks]


# --- proposals


@pytest.mark.parametrize(
    ("movie", "polarity", "number"),
    [("dark", "dark", ANTS), ("dark", "dark", None), ("bright", "bright", ANTS), ("specks", "dark", ANTS), ("specks", "dark", None)],
)
def test_animals_that_are_apart_are_one_blob_each(
    ants: dict[str, Path], tmp_path: Path, movie: str, polarity: str, number: int | None
) -> None:
    animals = {"marking": "none", "number": number}
    found = propose(tmp_path, ants[movie], animals=animals, segment={"polarity": polarity})
    alone = apart(ants["truth"])[[frame.index for frame in found.frames]]
    assert alone.sum() >= 10
    assert (found.counts[alone] == ANTS).all()
    assert (found.counts <= ANTS).all()
    assert found.sureness != "not sure"
    assert found.polarity == polarity
    assert found.animals == number


@pytest.mark.parametrize("number", [ANTS, None])
def test_the_other_polarity_is_proposed_where_it_is_much_better(ants: dict[str, Path], tmp_path: Path, number: int | None) -> None:
    found = propose(tmp_path, ants["bright"], animals={"marking": "none", "number": number})
    assert found.polarity == "bright"
    assert np.median(found.counts) == ANTS


def test_each_arena_has_its_own_number(
    tmp_path: Path, draw: Callable[..., Any], write_movie: Callable[..., Path], rng: np.random.Generator
) -> None:
    masks = [draw([(25 + t, 30, 8, 4, 0), (60 - t, 90, 8, 4, 0), (120, 20 + 2 * t, 8, 4, 0)], SIZE) for t in range(40)]
    images = [np.where(mask, 70, 160) + rng.normal(0, 2, mask.shape) for mask in masks]
    movie = write_movie("m.mp4", [np.clip(image, 0, 255).astype(np.uint8) for image in images])
    left, right = ([[x, 0], [x + 80, 0], [x + 80, 119], [x, 119]] for x in (-1, 79))
    arenas = [
        {"name": "left", "number": 2, "include": [{"polygon": left}]},
        {"name": "right", "number": 1, "include": [{"polygon": right}]},
    ]
    found = propose(tmp_path, movie, arenas=arenas)
    assert (found.animals, found.arenas) == (3, 2)
    assert (found.counts == 3).all()
    assert found.area[1] > 2 * 100 > 100 > found.area[0]


def test_only_tracked_frames_are_analysed(tmp_path: Path, draw: Callable[..., Any], write_movie: Callable[..., Path]) -> None:
    movie = write_movie("m.mp4", passing(draw))
    found = propose(tmp_path, movie, segment={"intervals": [[5, 12], [20, 31]]})
    assert [frame.index for frame in found.frames] == [*range(5, 12), *range(20, 31)]


def test_black_frames_are_left_out(tmp_path: Path, draw: Callable[..., Any], write_movie: Callable[..., Path]) -> None:
    images = passing(draw)
    for frame in (3, 30):
        images[frame][:] = 0
    found = propose(tmp_path, write_movie("m.mp4", images))
    assert found.broken == [3, 30]
    assert (found.counts == 2).all()


def test_movies_of_a_recording_may_share_their_background(
    tmp_path: Path, draw: Callable[..., Any], write_movie: Callable[..., Path]
) -> None:
    # The lower animal rests in the first half, and would be part of the background without the other half.
    images = [np.where(draw([(20 + 3 * t, 35, 10, 5, 0), (80 if t < 20 else 120, 85, 10, 5, 0)], SIZE), 60, 160) for t in range(40)]
    movies = [write_movie(f"{name}.mp4", [i.astype(np.uint8) for i in part]) for name, part in (("a", images[:20]), ("b", images[20:]))]
    listed = [{"name": movie.stem, "file": str(movie), "recording": "day"} for movie in movies]
    path = write_experiment(tmp_path, movies[0], movies=listed, background={"scope": "recording"})
    for name in ("a", "b"):
        assert (tune_movie(load_experiment(path), name, 15).counts == 2).all()


# --- the algorithm


def blobs_of(sizes: list[list[int]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """View and area of blobs, from the areas in each view."""
    return np.repeat(np.arange(len(sizes)), [len(view) for view in sizes]), np.concatenate([np.array(view, np.int64) for view in sizes])


@pytest.mark.parametrize("known", [True, False])
def test_the_cut_lies_between_specks_and_animals(rng: np.random.Generator, known: bool) -> None:
    sizes = [[*rng.integers(1, 15, 200), *rng.integers(300, 500, 6)] for _ in range(30)]
    split = tuning.split_areas(*blobs_of(sizes), np.full(30, 6 if known else UNKNOWN))
    assert split is not None
    assert 15 < split.smallest < 300
    assert (split.counts == 6).all()
    assert split.separation > 0.99


def test_a_known_number_separates_debris_from_animals(rng: np.random.Generator) -> None:
    sizes = [[*rng.integers(80, 110, 4), *rng.integers(700, 900, 2)] for _ in range(30)]
    blobs = blobs_of(sizes)
    two, six = (tuning.split_areas(*blobs, np.full(30, float(number))) for number in (2, 6))
    assert two is not None
    assert six is not None
    assert 110 < two.smallest < 700
    assert six.smallest < 80


def test_merged_animals_are_kept_and_cost_less_than_excess() -> None:
    animals = np.full(4, 3.0)
    merged, excess = np.array([[2], [3], [3], [3]]), np.array([[4], [3], [3], [3]])
    assert tuning.agree(np.full((4, 1), 3), animals) == 1
    assert 1 > tuning.agree(merged, animals)[0] > tuning.agree(excess, animals)[0] > 0


def test_blobs_are_counted_as_in_a_plain_loop(rng: np.random.Generator) -> None:
    view, area, cuts = rng.integers(0, 5, 100), rng.integers(1, 50, 100), np.array([1.0, 7.0, 7.5, 49.0, 60.0])
    expected = [[sum((view == v) & (area >= cut)) for cut in cuts] for v in range(5)]
    assert np.array_equal(tuning.count_from(view, area, 5, cuts), expected)


def test_the_plateau_is_where_the_count_holds(rng: np.random.Generator) -> None:
    difference = tuning.difference_ladder()
    steps = []
    for level in difference:
        specks, parts = (rng.integers(1, 600, (20, 40)) if level < 10 else rng.integers(1, 9, (20, 3))), (1 if level < 60 else 3)
        animals = rng.integers(400 // parts, 500 // parts, (20, 5 * parts))
        steps.append(blobs_of(np.concatenate([specks, animals], axis=1).tolist()))
    ladder = tuning.rate_ladder(difference, steps, np.full(20, 5.0))
    assert ladder is not None
    assert 10 <= difference[ladder.first] <= 12
    assert 50 <= difference[ladder.last] < 60
    assert difference[ladder.first] * 2 < ladder.middle < difference[ladder.last] / 2 + 5


def test_without_a_plateau_the_quality_is_low(rng: np.random.Generator) -> None:
    difference = tuning.difference_ladder()
    steps = [blobs_of([list(rng.integers(1, 400, max(1, int(300 / level)))) for _ in range(20)]) for level in difference]
    ladder = tuning.rate_ladder(difference, steps, np.full(20, 5.0))
    assert ladder is not None
    assert ladder.quality < 0.25


def test_no_blobs_give_no_proposal() -> None:
    none = np.zeros(0, np.int64), np.zeros(0, np.int64)
    assert tuning.split_areas(*none, np.full(3, 2.0)) is None
    assert tuning.rate_ladder(np.array([5.0, 10.0]), [none, none], np.full(3, UNKNOWN)) is None


@pytest.mark.parametrize("number", [8.0, UNKNOWN])
def test_the_largest_area_holds_a_merge_of_all(number: float) -> None:
    view, area = blobs_of([[400] * 8 for _ in range(20)])
    animals = np.full(20, number)
    split = tuning.split_areas(view, area, animals)
    assert split is not None
    least, most = tuning.area_bounds(view, area, split, animals)
    assert least < 400
    assert most > 8 * 400 * 1.5


@pytest.mark.parametrize(("value", "expected"), [(6.3, 6), (0.2, 0), (18.4, 18), (99.6, 100), (1234, 1200), (27950, 28000)])
def test_proposals_are_rounded(value: float, expected: float) -> None:
    assert tuning.two_digits(value) == expected


def test_what_only_the_background_shows_is_a_ghost(draw: Callable[..., Any]) -> None:
    here, gone = draw([(40, 40, 12, 6, 20)], SIZE), draw([(110, 80, 12, 6, 70)], SIZE)
    frame, background = (np.where(mask, 60, 160).astype(np.uint8) for mask in (here, gone))
    blobs = Labeller(*frame.shape).label_mask(here | gone)
    assert find_ghosts(blobs, frame, background).tolist() == [False, True]
    assert find_ghosts(blobs, background, frame).tolist() == [True, False]


def test_an_outline_encloses_the_pixels_of_the_blob(draw: Callable[..., Any]) -> None:
    mask = draw([(40, 40, 15, 8, 30)], SIZE)
    mask[39:42, 39:42] = False
    blobs = Labeller(*mask.shape).label_mask(mask)
    lines = outline(blobs.runs_of(0))
    areas = sorted(abs(np.sum(line[:-1, 0] * line[1:, 1] - line[1:, 0] * line[:-1, 1])) / 2 for line in lines)
    assert len(lines) == 2
    assert areas[1] - areas[0] == pytest.approx(mask.sum(), rel=0.06)
    outside = max(lines, key=len)
    assert outside.min(axis=0) == pytest.approx([blobs.x0[0] - 0.5, blobs.y0[0] - 0.5], abs=0.2)
    assert outside.max(axis=0) == pytest.approx([blobs.x1[0] - 0.5, blobs.y1[0] - 0.5], abs=0.2)


# --- writing into the experiment file

VALUES = {"difference": 17, "area": [80, 9000]}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a: 1 # one\nsegment:\n  difference: 25.0   # so\n  area: [1,  2] # px\nb: 2\n",
         "a: 1 # one\nsegment:\n  difference: 17   # so\n  area: [80,  9000] # px\nb: 2\n"),
        ("segment: {difference: 25, polarity: bright, area: [60, 20000]}  # x\n",
         "segment: {difference: 17, polarity: bright, area: [80, 9000]}  # x\n"),
        ("segment:\n    area:   # bounds\n    - 1 # low\n    - 2 # high\n    difference: 3\n",
         "segment:\n    area:   # bounds\n    - 80 # low\n    - 9000 # high\n    difference: 17\n"),
        ("segment:   # blobs\n   polarity: bright # x\nb: 2\n",
         "segment:   # blobs\n   area: [80, 9000]\n   difference: 17\n   polarity: bright # x\nb: 2\n"),
        ("segment: {}\nb: 2", "segment: {difference: 17, area: [80, 9000]}\nb: 2"),
        ("segment: { polarity: dark }\n", "segment: { polarity: dark, difference: 17, area: [80, 9000]}\n"),
        ("a: 1\n", "a: 1\n\nsegment:\n  area: [80, 9000]\n  difference: 17\n"),
        ("a: 1\r\nsegment:\r\n  difference: 2\r\n", "a: 1\r\nsegment:\r\n  area: [80, 9000]\r\n  difference: 17\r\n"),
        ("#segment:\n#  polarity: dark # p\n#  difference: 25.0  # d\n#  area: [1, 2]\n\nb: 2\n",
         "segment:\n#  polarity: dark # p\n  difference: 17     # d\n  area: [80, 9000]\n\nb: 2\n"),
    ],
)  # fmt: skip
def test_only_the_values_change_in_the_text(before: str, after: str) -> None:
    assert with_values(before, "segment", VALUES) == after


def test_the_file_of_herdbook_new_stays_as_it_is_but_for_three_lines() -> None:
    before = experiment_text("ants", {"m": "m.mp4"}, NewAnimals("none", number=3))
    after = with_values(before, "segment", VALUES)
    changed = [(a, b) for a, b in zip(before.splitlines(), after.splitlines(), strict=True) if a != b]
    assert [b.split("#")[0].strip() for _, b in changed] == ["segment:", "difference: 17", "area: [80, 9000]"]
    assert [a.partition(" # ")[2] for a, _ in changed] == [b.partition(" # ")[2] for _, b in changed]


@pytest.mark.parametrize("text", ["x: &v 3\nsegment: {difference: *v}\n", "{a: 1}\n"])
def test_what_cannot_be_edited_safely_is_refused(text: str) -> None:
    with pytest.raises(HerdbookError, match=r"by hand: difference: 17; area: \[80, 9000\]"):
        with_values(text, "segment", VALUES)


# --- the command


@pytest.fixture
def movie(draw: Callable[..., Any], write_movie: Callable[..., Path]) -> Path:
    return write_movie("m.mp4", passing(draw))


def test_tune_writes_pictures_and_figures_but_leaves_the_file_alone(tmp_path: Path, movie: Path) -> None:
    path = write_experiment(tmp_path, movie, animals={"marking": "none", "number": 2})
    before = path.read_bytes()
    result = herdbook("tune", path, "--frames", 12)
    assert result.exit_code == 0, result.output
    folder = tmp_path / "results" / "test" / "tune"
    pictures = {"counts.png", "areas.png", *(f"frames_{k}.png" for k in range(1, 7))}
    assert {file.name for file in folder.iterdir()} == {*pictures, "tune.json"}
    figures = json.loads((folder / "tune.json").read_text())
    assert f"  difference: {figures['segment']['difference']}\n" in result.stdout
    assert f"  area: {figures['segment']['area']}\n" in result.stdout
    assert figures["blobs"] == [2] * 12
    assert figures["animals"] == 2
    assert path.read_bytes() == before


def test_written_values_are_in_force_and_comments_stay(tmp_path: Path, movie: Path) -> None:
    path = write_experiment(tmp_path, movie)
    path.write_text(path.read_text() + "# my notes\nsegment:\n  difference: 3  # too low\n")
    assert herdbook("tune", path, "--frames", 12, "--write", "--out", tmp_path / "out").exit_code == 0
    figures = json.loads((tmp_path / "out" / "tune.json").read_text())["segment"]
    segment = load_experiment(path).segment
    assert segment.difference == figures["difference"] > 3
    assert list(segment.area) == figures["area"]
    assert "# my notes\n" in path.read_text()
    assert "  # too low\n" in path.read_text()


def test_a_polarity_that_is_proposed_is_written_too(tmp_path: Path, draw: Callable[..., Any], write_movie: Callable[..., Path]) -> None:
    path = write_experiment(tmp_path, write_movie("m.mp4", passing(draw, animal=200, ground=60)))
    result = herdbook("tune", path, "--frames", 12, "--write")
    assert result.exit_code == 0, result.output
    assert "warning: With polarity bright" in result.stdout
    assert load_experiment(path).segment.polarity == "bright"


@pytest.mark.parametrize(
    ("changes", "arguments", "expected"),
    [
        ({"movies": [{"name": "m", "file": "gone.mp4"}]}, [], "there is no such movie file"),
        ({}, ["--movie", "n"], "there is no movie 'n'"),
        ({"arenas": [{"include": [{"ellipse": {"centre": [900, 40], "axes": [9, 9]}}]}]}, [], "outside the frame"),
        ({"arenas": [{"include": [{"polygon": [[0, 110], [159, 110], [159, 119], [0, 119]]}]}]}, [], "gives blobs that could be animals"),
        ({"segment": {"difference_noise": 6}}, ["--write"], "segment.difference_noise must be removed"),
    ],
)
def test_faults_are_reported_without_a_traceback(
    tmp_path: Path, movie: Path, changes: dict[str, Any], arguments: list[str], expected: str
) -> None:
    path = write_experiment(tmp_path, movie, **changes)
    before = path.read_bytes()
    result = herdbook("tune", path, "--frames", 12, "--out", tmp_path / "out", *arguments)
    assert result.exit_code == 2
    assert expected in " ".join(result.stderr.split())
    assert "Traceback" not in result.output
    assert path.read_bytes() == before


def test_values_of_a_single_movie_are_not_written_over(tmp_path: Path, movie: Path) -> None:
    path = write_experiment(tmp_path, movie, movies=[{"name": "m", "file": str(movie), "override": {"segment": {"area": [9, 900]}}}])
    result = herdbook("tune", path, "--frames", 12, "--write")
    assert result.exit_code == 2
    assert "settings of its own (override of segment: area)" in result.stderr
