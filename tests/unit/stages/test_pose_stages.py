"""From labelled frames to the body points of named animals: pose_trainset, pose_train, pose and smooth_points on drawn animals."""

import csv
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from herdbook.artifacts.pose import FoundPoints
from herdbook.artifacts.pose_trainset import PoseExamples
from herdbook.artifacts.smooth import FROM_SINGLE, NETWORK, POINT_SOURCES, BodyPoints, Trajectories
from herdbook.artifacts.store import Provenance
from herdbook.bodypoints.learned.cards import read_pose_card
from herdbook.errors import HerdbookError
from herdbook.movie.writing import MovieWriter
from herdbook.stages import pose, pose_train, pose_trainset, smooth_points
from tests.support.stage_chain import Chain
from tests.support.walking import BODY_PX, NAMES, in_contact, walk

FRAMES, SIZE, WHO = 90, (460, 400), ["red", "blue"]
LABELLED = range(0, FRAMES, 4)
# What a test has time for: pictures of half the size, and a quarter of the steps.
QUICK = {"size": 48, "steps": 110, "batch": 16}


def drawn(points: np.ndarray) -> np.ndarray:
    """A frame with dark animals on a bright ground: a body from nose to tail, a head that is darker, feet."""
    picture = np.full((SIZE[1], SIZE[0]), 200, np.uint8)
    for animal in points:
        place = {name: (round(float(x)), round(float(y))) for name, (x, y) in zip(NAMES, animal, strict=True)}
        cv2.line(picture, place["neck"], place["hip"], 110, 17)
        cv2.line(picture, place["hip"], place["tail"], 130, 5)
        cv2.line(picture, place["neck"], place["nose"], 60, 11)
        for foot in ("footL", "footR"):
            cv2.circle(picture, place[foot], 4, 90, -1)
    return cv2.GaussianBlur(picture, (0, 0), 0.8)


class Run:
    """The stages on one movie, and the truth."""

    def __init__(self, folder: Path) -> None:
        rng = np.random.default_rng(7)
        self.points, middle, heading = walk(rng, FRAMES, 2)
        self.contact = in_contact(middle)
        with MovieWriter(folder / "m.mp4", *SIZE, 25.0) as writer:
            for frame in self.points:
                writer.write(np.repeat(drawn(frame)[..., None], 3, axis=2))
        with (folder / "points.csv").open("w", newline="", encoding="utf-8") as file:
            table = csv.writer(file)
            table.writerow(("movie", "frame", "individual", "point", "x", "y"))
            for t in LABELLED:
                table.writerows(
                    ("m", t, who, name, *self.points[t, a, k].round(2)) for a, who in enumerate(WHO) for k, name in enumerate(NAMES)
                )
        keys = {"animals": {"marking": "marked", "identities": WHO, "labels": "labels.csv"}, "pose": {"labels": ["points.csv"], **QUICK}}
        self.chain = Chain(folder, folder / "m.mp4", segment={"area": [200, 20000], "difference": 30}, **keys)
        self.chain.run("index", "background", "segment")
        frame, who = (part.ravel().astype(np.int32) for part in np.mgrid[:FRAMES, :2])
        x, y = middle[frame, who].T
        angle = heading[frame, who].astype(np.float32)
        # One animal's heading is turned round for a while, as it is where an animal walks backwards.
        angle[(who == 1) & (frame >= 40) & (frame < 50)] += np.pi
        ones = np.ones(len(frame), np.float32)
        columns = (frame, who, x, y, x, y, angle, ones, np.full(len(frame), FROM_SINGLE, np.uint8), 0 * ones, ones < 0)
        (folder / "smooth").mkdir()
        Trajectories(WHO, FRAMES, *columns).save(folder / "smooth" / "m.h5", Provenance("smooth", 1))
        self.folder = folder

    def settings(self, stage: str) -> list[str]:
        return ["--settings", self.chain.experiment.settings(stage, "m"), "--threads", "1"]

    def options(self, **files: str) -> list[str]:
        return [word for name, path in files.items() for word in (f"--{name}", str(self.folder / path))]

    def gather(self, labels: str = "points.csv", out: str = "trainset.h5") -> Path:
        files = self.options(labels=labels, movie="m.mp4", index="index/m.h5", blobs="segment/m.h5", trajectories="smooth/m.h5", out=out)
        pose_trainset.main([*files, *self.settings("pose_trainset")])
        return self.folder / out

    def train(self) -> None:
        files = self.options(examples="trainset.h5", out="pose.keras", card="pose.json")
        pose_train.main([*files, *self.settings("pose_train")])

    def find(self, out: str = "found.h5", network: str = "pose") -> FoundPoints:
        files = self.options(
            **{"movie": "m.mp4", "index": "index/m.h5", "blobs": "segment/m.h5", "trajectories": "smooth/m.h5"},
            **{"network": f"{network}.keras", "pose_card": f"{network}.json", "out": out},
        )
        pose.main([*files, *self.settings("pose")])
        return FoundPoints.load(self.folder / out)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    made = Run(tmp_path_factory.mktemp("pose"))
    made.gather()
    made.train()
    return made


@pytest.fixture(scope="module")
def found(run: Run) -> FoundPoints:
    return run.find()


def off(run: Run, found: FoundPoints) -> np.ndarray:
    """How far each point (frames, animals, points) is from the truth, px, in frames that are not labelled."""
    order = [found.points.index(name) for name in NAMES]
    xy = np.stack([found.x, found.y], -1)[:, :, order]
    away: np.ndarray = np.hypot(*np.moveaxis(xy - run.points, -1, 0))
    return away[np.setdiff1d(np.arange(FRAMES), np.array(LABELLED))]


def test_the_training_set_holds_each_labelled_animal_head_up(run: Run) -> None:
    examples = PoseExamples.load(run.folder / "trainset.h5")
    assert (len(examples.pictures), sorted(examples.points)) == (2 * len(LABELLED), sorted(NAMES))
    middle = (examples.pictures.shape[1] - 1) / 2
    nose, tail = (examples.xy[:, examples.points.index(name)] for name in ("nose", "tail"))
    # Also where the heading of the trajectory was turned round.
    assert (nose[:, 1] < middle - 5).all()
    assert (tail[:, 1] > middle + 5).all()
    left, right = (examples.points.index(name) for name in ("footL", "footR"))
    assert examples.mirrored[left] == right
    assert 0.5 < examples.alone.mean() <= 1
    assert examples.side_px > 2 * 26


def test_points_of_frames_without_labels_are_found_on_their_animals(run: Run, found: FoundPoints) -> None:
    away = off(run, found)
    known = ~np.isnan(away)
    assert known.mean() > 0.8
    assert np.median(away[known]) < 0.06 * BODY_PX
    other = np.stack([found.x, found.y], -1)[:, ::-1]
    order = [found.points.index(name) for name in NAMES]
    swapped = np.hypot(*np.moveaxis(other[:, :, order] - run.points, -1, 0)) < 3
    assert swapped.mean() < 0.01


def test_a_heading_that_was_turned_round_is_put_right(found: FoundPoints) -> None:
    # In some of these frames the quick network takes the tail for a nose.
    assert found.turned[40:50, 1].mean() > 0.5
    assert found.turned[:40].mean() < 0.1


def test_the_expected_error_is_the_real_one_in_the_mean(run: Run, found: FoundPoints) -> None:
    away = off(run, found)
    order = [found.points.index(name) for name in NAMES]
    told = found.expected_error[np.setdiff1d(np.arange(FRAMES), np.array(LABELLED))][:, :, order]
    known = ~np.isnan(away)
    assert 0.5 < told[known].mean() / away[known].mean() < 2
    sure = told < np.nanmedian(told[known])
    assert away[known & sure].mean() < away[known & ~sure].mean()


def test_the_card_tells_how_good_the_network_is(run: Run) -> None:
    values = json.loads((run.folder / "pose.json").read_text(encoding="utf-8"))
    assert 0 < values["median_px"] < 8
    assert values["held_back"] > 0
    assert values["by_point"].keys() == set(NAMES)
    assert values["history"]["loss"][-1] < values["history"]["loss"][0]
    card = read_pose_card(run.folder / "pose.json")
    assert card.body_px == pytest.approx(PoseExamples.load(run.folder / "trainset.h5").body_px)


def test_smoothed_points_come_from_the_network_with_their_expected_error(run: Run, found: FoundPoints) -> None:
    files = run.options(movie="m.mp4", index="index/m.h5", blobs="segment/m.h5", found="found.h5", out="smoothed.h5")
    smooth_points.main([*files, *run.settings("smooth_points")])
    points = BodyPoints.load(run.folder / "smoothed.h5")
    assert points.individuals == WHO
    own = points.source == NETWORK
    assert own.mean() > 0.8
    assert points.expected_error is not None
    assert (np.isfinite(points.expected_error) == own).all()
    assert POINT_SOURCES[NETWORK] == "network"


def test_a_network_of_another_experiment_is_used_as_it_is(run: Run, found: FoundPoints) -> None:
    files = run.options(model="pose.keras", out="given.keras", card="given.json")
    words = [*files[:2], str(run.folder / "pose.json"), *files[2:]]
    pose_train.main([*words, "--settings", json.dumps({"points": ["nose", "tail"]})])
    assert (run.folder / "given.keras").read_bytes() == (run.folder / "pose.keras").read_bytes()
    again = run.find("again.h5", "given")
    # The size of the animals is measured in this movie, which is that of the labels.
    np.testing.assert_allclose(again.x, found.x, atol=1e-6)
    with pytest.raises(SystemExit):
        pose_train.main([*words, "--settings", json.dumps({"points": ["snout"]})])


def test_labels_of_too_few_animals_are_refused(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    lines = (run.folder / "points.csv").read_text(encoding="utf-8").splitlines()
    (run.folder / "few.csv").write_text("\n".join(lines[: 1 + 3 * 2 * len(NAMES)]) + "\n", encoding="utf-8")
    with pytest.raises(SystemExit):
        run.gather("few.csv", "few.h5")
    assert "at least 8 animals" in capsys.readouterr().err


def test_points_with_few_labels_are_left_out_and_exchanged_sides_are_told(run: Run) -> None:
    lines = (run.folder / "points.csv").read_text(encoding="utf-8").splitlines()
    kept = [line for k, line in enumerate(lines) if ",hip," not in line or k < 26]
    swapped = [
        line.replace("footL", "?").replace("footR", "footL").replace("?", "footR") if line.startswith("m,20,red,foot") else line
        for line in kept
    ]
    (run.folder / "odd.csv").write_text("\n".join(swapped) + "\n", encoding="utf-8")
    examples = PoseExamples.load(run.gather("odd.csv", "odd.h5"))
    assert "hip" not in examples.points
    assert any(note.startswith("hip: left out, it has 4 labels") for note in examples.notes)
    assert any(note.startswith("m, frame 20: left and right seem to be exchanged") for note in examples.notes)


def test_a_crop_that_does_not_hold_the_labels_is_made_larger(run: Run) -> None:
    section = json.loads(run.chain.experiment.settings("pose_trainset", "m")) | {"crop_body": 0.3}
    files = run.options(
        labels="points.csv", movie="m.mp4", index="index/m.h5", blobs="segment/m.h5", trajectories="smooth/m.h5", out="s.h5"
    )
    pose_trainset.main([*files, "--settings", json.dumps(section)])
    examples = PoseExamples.load(run.folder / "s.h5")
    assert examples.side_px > 0.3 * examples.body_px
    assert any("0.3 does not hold the labelled points" in note for note in examples.notes)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"size": 50}, "do not fit together"),
        ({"shape": [[0, 0]]}, "do not fit together"),
        ({"finds": "names"}, "expected 1 of 'body points'"),
        ({"half_axes": [1]}, "not the card of a network"),
    ],
)
def test_a_card_that_is_none_is_refused(run: Run, tmp_path: Path, change: dict[str, object], words: str) -> None:
    values = json.loads((run.folder / "pose.json").read_text(encoding="utf-8"))
    (tmp_path / "pose.json").write_text(json.dumps(values | change), encoding="utf-8")
    with pytest.raises(HerdbookError, match=words):
        read_pose_card(tmp_path / "pose.json")


def test_animals_of_quite_another_size_are_refused(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    values = json.loads((run.folder / "pose.json").read_text(encoding="utf-8"))
    (run.folder / "large.json").write_text(json.dumps(values | {"body_px": 400.0, "given": True}), encoding="utf-8")
    (run.folder / "large.keras").write_bytes((run.folder / "pose.keras").read_bytes())
    with pytest.raises(SystemExit):
        run.find("large.h5", "large")
    assert "learned animals of 400 px" in capsys.readouterr().err
