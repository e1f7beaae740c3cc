"""Scenes that change for good: is the change found, and are the animals found on both sides of it?

    python -m benchmarks.scene_changes                    all cases, as a table
    python -m benchmarks.scene_changes push lamp          only cases whose names contain one of these words
    python -m benchmarks.scene_changes --movies FILE...   only looks for changes in movies, which should have none

Small movies are drawn whose truth is known: dark animals that walk, pause or rest, on a plain ground, on bedding, or in a dish, in front of
a camera that is pushed, under a lamp that is switched. For each case: the frame in which the scene changes and the one that was found, the
share of true positions with a blob within 5 px before and after the change, and how many blobs there are for each animal.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.measuring import markdown
from herdbook.artifacts.index import Index
from herdbook.errors import HerdbookError
from herdbook.experiment.model import Experiment
from herdbook.movie.reading import read_frame_samples, read_frames
from herdbook.movie.writing import MovieWriter
from herdbook.segmentation.changes import find_changes
from herdbook.segmentation.scenes import make_background, spread_frames
from herdbook.segmentation.segmenter import Segmenter
from herdbook.segmentation.thresholds import LIMITED_BLACK
from herdbook.stages import index

Floats = NDArray[np.float64]

WIDTH, HEIGHT, FPS, FRAMES = 320, 240, 25, 240
NEAR_PX = 5.0
GROUND, ANIMAL = 200.0, 60.0
ALONG_PX = 10  # half of the length of an animal
MARGIN = 60  # px around the frame, into which a pushed camera looks


@dataclass(frozen=True)
class Case:
    """One movie: `ground` plain, bedding or dish; `change` at a `share` of the movie, and how long it takes (s); how the animals move."""

    change: str
    ground: str = "bedding"
    share: float = 0.8
    lasts_s: float = 0.0
    animals: str = "walk"
    number: int = 3
    seed: int = 1

    @property
    def frame(self) -> int:
        """First frame that is changed."""
        return round(self.share * FRAMES)

    @property
    def name(self) -> str:
        """All of it in words."""
        fade = f" over {self.lasts_s:g} s" if self.lasts_s else ""
        return f"{self.change}{fade} at {100 * self.share:g} %, {self.ground}, {self.number} animals {self.animals}"


CHANGES = ("push 7 px", "push 1 px", "push 40 px", "turned push", "dimmed lamp", "side lamp", "push and lamp", "lid", "shadow")
CASES = [
    *(Case(change, ground) for change in CHANGES for ground in ("plain", "bedding", "dish")),
    *(Case(change, "bedding", share) for change in ("push 7 px", "push 1 px", "side lamp") for share in (0.05, 0.2, 0.5, 0.95)),
    *(Case(change, "dish", share) for change in ("push 1 px", "shadow") for share in (0.05, 0.5, 0.95)),
    *(Case(change, ground, 0.5, 2.0) for change in ("dimmed lamp", "side lamp") for ground in ("plain", "bedding")),
    *(Case("side lamp", "bedding", share, 2.0) for share in (0.05, 0.85)),
    *(Case(change, "bedding", share, animals="pause") for change in ("push 7 px", "side lamp") for share in (0.05, 0.5, 0.95)),
    *(Case(change, "bedding", number=12) for change in ("push 7 px", "push 1 px", "side lamp")),
    *(Case("none", ground, animals=animals) for ground in ("plain", "bedding", "dish") for animals in ("walk", "pause", "start", "rest")),
    *(Case("none", ground, animals="start", number=12, seed=2) for ground in ("plain", "bedding", "dish")),
    Case("drift", "bedding", 0.0),
    Case("flicker", "bedding", 0.0),
]


@dataclass
class Result:
    """What was measured of a case: frames of changes that were found, share of positions found and blobs per animal on each side."""

    found: list[int] = field(default_factory=list)
    right: list[float] = field(default_factory=list)
    blobs: list[float] = field(default_factory=list)
    stopped: str = ""


def paths(case: Case) -> Floats:
    """Positions and headings (frames, animals, 3) of animals, each in a cell of the frame of its own."""
    rng = np.random.default_rng(case.seed)
    columns = int(np.ceil(np.sqrt(case.number * WIDTH / HEIGHT)))
    rows = -(-case.number // columns)
    cell = np.array([WIDTH / columns, HEIGHT / rows])
    clock = np.tile(np.arange(FRAMES, dtype=np.float64)[:, None], (1, case.number))
    if case.animals == "pause":
        # Each stands still for some seconds, twice.
        for animal, start in enumerate(rng.uniform(0, FRAMES / 2, case.number)):
            pausing = ((clock[:, animal] - start) % (FRAMES / 2)) < FRAMES / 6
            clock[:, animal] = np.cumsum(~pausing)
    elif case.animals == "start":
        clock = 200.0 * (clock >= case.frame) + np.clip(clock - case.frame, -2, 2)  # all rest, then all move to another place
    elif case.animals == "rest":
        clock[:] = clock[:1]
    found = np.empty((FRAMES, case.number, 3))
    for animal in range(case.number):
        middle = (np.array(divmod(animal, columns))[::-1] + 0.5) * cell
        reach = cell / 2 - np.minimum(30, 0.3 * cell)
        rate, phase = rng.uniform(0.6, 1.2, 2), rng.uniform(0, 2 * np.pi, 2)
        angle = 2 * np.pi * rate * clock[:, animal, None] / 60 + phase
        found[:, animal, :2] = middle + reach * np.sin(angle)
        speed = reach * rate * np.cos(angle)
        found[:, animal, 2] = np.arctan2(speed[:, 1], speed[:, 0])
    return found


def ground_of(case: Case) -> Floats:
    """The empty scene with a margin around the frame."""
    rng = np.random.default_rng(7)
    shape = (HEIGHT + 2 * MARGIN, WIDTH + 2 * MARGIN)
    scene = np.full(shape, GROUND)
    if case.ground == "bedding":
        grain = cv2.GaussianBlur(rng.normal(0, 1, shape), (0, 0), 3)
        scene += 25 * grain / grain.std()
    elif case.ground == "dish":
        middle = (shape[1] // 2, shape[0] // 2)
        outside = np.zeros(shape, np.uint8)
        cv2.ellipse(outside, middle, (WIDTH // 2 - 2, HEIGHT // 2 - 2), 0, 0, 360, 1, -1, cv2.LINE_AA)
        scene = np.where(outside == 1, GROUND, 110.0)
        cv2.ellipse(scene, middle, (WIDTH // 2 - 2, HEIGHT // 2 - 2), 0, 0, 360, 240.0, 2, cv2.LINE_AA)
    return scene


def draw(case: Case) -> Iterator[tuple[NDArray[np.uint8], Floats]]:
    """The frames, uint8 (height, width), and the true positions (animals, 2) in each."""
    rng, walks, ground = np.random.default_rng(case.seed), paths(case), ground_of(case)
    ramp = np.linspace(1.0, 0.45, WIDTH)[None, :]
    for number in range(FRAMES):
        steps = max(1, round(case.lasts_s * FPS))
        gone = float(np.clip((number - case.frame + 1) / steps, 0, 1))
        scene = ground.copy()
        for x, y, heading in walks[number]:
            centre = (round(16 * (x + MARGIN)), round(16 * (y + MARGIN)))
            cv2.ellipse(scene, centre, (160, 72), float(np.degrees(heading)), 0, 360, ANIMAL, -1, cv2.LINE_AA, 4)
        moved = camera(case.change, gone)
        view = cv2.warpAffine(scene, moved, scene.shape[::-1], flags=cv2.INTER_LINEAR)[MARGIN:-MARGIN, MARGIN:-MARGIN]
        truth = (walks[number, :, :2] + MARGIN) @ moved[:, :2].T + moved[:, 2] - MARGIN
        light = np.ones((HEIGHT, WIDTH))
        if "dimmed" in case.change:
            light *= 1 - 0.3 * gone
        elif "lamp" in case.change:
            light *= 1 + gone * (0.8 * ramp - 1)
        elif case.change == "lid":
            light[:, : int(0.4 * WIDTH)] *= 1 - 0.15 * gone
        elif case.change == "shadow":
            light[: HEIGHT // 3, : int(0.4 * WIDTH)] *= 1 - 0.35 * gone
        elif case.change == "drift":
            light *= 1 - 0.15 * number / FRAMES
        elif case.change == "flicker":
            light *= 1 + 0.02 * rng.normal()
        image = view * light + rng.normal(0, 1, view.shape)
        yield np.clip(np.rint(image), 0, 255).astype(np.uint8), truth


def camera(change: str, gone: float) -> Floats:
    """The matrix (2, 3) by which a push of the camera moves the picture."""
    x, y = {"push 7 px": (6, 4), "push 1 px": (1, 0), "push 40 px": (-36, 18), "turned push": (3, -5), "push and lamp": (6, 4)}.get(
        change, (0, 0)
    )
    middle = (WIDTH / 2 + MARGIN, HEIGHT / 2 + MARGIN)
    moved = cv2.getRotationMatrix2D(middle, 1.5 * gone if change == "turned push" else 0.0, 1.0)
    moved[:, 2] += gone * np.array([x, y])
    return np.asarray(moved)


def measure(case: Case, folder: Path) -> Result:
    """Draw a movie, make its background, find its blobs, and compare them with the truth."""
    movie, truths = folder / "m.mkv", []
    with MovieWriter(movie, WIDTH, HEIGHT, FPS, crf=14) as writer:
        for image, truth in draw(case):
            writer.write(image)
            truths.append(truth)
    listed = index_of(movie, folder)
    experiment = Experiment.model_validate(
        {"experiment": "e", "movies": [{"name": "m", "file": "m.mkv"}], "animals": {"marking": "none"}, "segment": {"area": [20, 2000]}}
    )
    try:
        background, _ = make_background([movie], [listed], [[]], settings_of(experiment, "background"), stage="background")
    except HerdbookError as error:
        return Result(stopped=str(error))
    result = Result([] if background.change is None else background.change[:, 0].tolist())
    segmenter = Segmenter(background, settings_of(experiment, "segment"), listed.full_range)
    right, blobs = np.zeros(FRAMES), np.zeros(FRAMES)
    for frame, truth in zip(read_frames(movie, listed), truths, strict=True):
        found = segmenter.blobs(frame)
        in_sight, clear = (((truth > edge) & (truth < [WIDTH - edge, HEIGHT - edge])).all(axis=1) for edge in (-ALONG_PX, ALONG_PX))
        truth = truth[clear]
        if found is not None and len(found.area) and len(truth):
            far = np.hypot(found.x[:, None] - truth[:, 0], found.y[:, None] - truth[:, 1])
            right[frame.index], blobs[frame.index] = (far.min(axis=0) <= NEAR_PX).mean(), len(found.area) / in_sight.sum()
    for start, end in pairwise([0, case.frame, FRAMES]):
        result.right.append(float(right[start:end].mean()) if end > start else 1.0)
        result.blobs.append(float(blobs[start:end].mean()) if end > start else 1.0)
    return result


def settings_of(experiment: Experiment, stage: str) -> dict[str, Any]:
    """What a stage is told."""
    settings: dict[str, Any] = json.loads(experiment.settings(stage, "m"))
    return settings


def index_of(movie: Path, folder: Path) -> Index:
    """The frames of a movie, listed in a file of the folder."""
    out = folder / "index.h5"
    experiment = Experiment.model_validate({"experiment": "e", "movies": [{"name": "m", "file": "m.mkv"}], "animals": {"marking": "none"}})
    index.main(["--movie", str(movie), "--out", str(out), "--settings", experiment.settings("index", "m")])
    return Index.load(out)


def judge(case: Case, result: Result) -> bool:
    """Whether the bar is met: 0.97 of the positions on both sides, no blobs of the ground; no change is found where there is none."""
    if case.change in ("none", "drift", "flicker"):
        return not result.found and not result.stopped
    return bool(result.right) and min(result.right) >= 0.97 and max(result.blobs) <= 1.1


def look_for_changes(movies: list[Path], folder: Path) -> list[dict[str, str]]:
    """The changes that are found in movies, and the CPU time of the search."""
    rows = []
    for movie in movies:
        listed = index_of(movie, folder)
        picks = spread_frames(0, len(listed), 100)
        sample = [frame.luma.copy() for frame in read_frame_samples(movie, listed, picks.tolist())]
        start = time.process_time()
        found = find_changes(sample, listed.time_s[picks], 0 if listed.full_range else LIMITED_BLACK)
        took = time.process_time() - start
        changes = [f"{picks[one.last_before]} to {picks[one.first_after]}" for one in found]
        rows.append({"movie": f"{movie.parent.name}/{movie.name}", "changes": ", ".join(changes) or "none", "CPU s": f"{took:.2f}"})
    return rows


def main() -> None:
    """Run the cases, or look for changes in movies."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("words", nargs="*", help="only cases whose names contain one of these")
    parser.add_argument("--movies", nargs="+", type=Path, help="look for changes in these movies instead")
    given = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as name:
        if given.movies:
            print(markdown(look_for_changes(given.movies, Path(name))))
            return
        for case in CASES:
            if given.words and not any(word in case.name for word in given.words):
                continue
            result = measure(case, Path(name))
            right, blobs = ([f"{value:.3f}" for value in values] for values in (result.right, result.blobs))
            found = ", ".join(map(str, result.found)) or result.stopped or "-"
            row = {"case": case.name, "changes at": str(case.frame), "found at": found, "right": " / ".join(right)}
            print(" | ".join(row.values()), file=sys.stderr, flush=True)
            rows.append(row | {"blobs per animal": " / ".join(blobs), "": "" if judge(case, result) else "FAILS"})
    print(markdown(rows))


if __name__ == "__main__":
    main()
