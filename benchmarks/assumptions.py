"""Recordings in which an assumption fails: is it told, with its cause, and does the expected error that is told hold?

    python -m benchmarks.assumptions --work /tmp/assumptions                all cases, as a table
    python -m benchmarks.assumptions --work /tmp/assumptions base order     only cases whose names contain one of these words

Small movies are drawn whose truth is known: ants with two coloured dots, two movies of one recording, labels in the first. In each case
one thing is not as the experiment file says. The chain runs up to the positions, and the table tells the expected error as the report tells
it, its interval or that it cannot be told, and what fails; and the real one: the share of the positions of named animals that are farther
than 15 px from that animal.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import yaml
from numpy.typing import NDArray

from benchmarks.measuring import markdown
from herdbook.artifacts.smooth import Trajectories
from herdbook.experiment.file import load_experiment
from herdbook.experiment.layout import CARD
from herdbook.movie.simulated.bodies import Bodies, make_bodies, place_parts
from herdbook.movie.simulated.floor import make_floor
from herdbook.movie.simulated.paths import RoundArena, SimulatedPaths, simulate_paths
from herdbook.movie.simulated.rendering import render_frame
from herdbook.movie.writing import MovieWriter
from herdbook.report.assumptions import Assumption, Given, check_assumptions, failing, withheld
from herdbook.report.gist import expected_wrong
from herdbook.report.reading import read_recording
from herdbook.stages import background, classify, index, propagate, segment, smooth, tracklets, train, trainset

WIDTH, HEIGHT, FPS, FRAMES, LENGTH_PX = 480, 400, 20, 400, 37.0
NAMES = ("BB", "GG", "OO", "PP", "BO", "GP")
MOVIES = ("movie01", "movie02")
LABELS, LABEL_DISTANCE = 6, 1.5  # clicks on each animal in the first movie, so many body lengths from the next one
RIGHT_PX = 15.0
KINDS = {"index": "index", "background": "background", "blobs": "segment", "tracklets": "tracklets", "identities": "propagate"}
KINDS |= {"evidence": "classify", "trajectories": "smooth"}
ENCODER = {"preset": "veryfast", "x264-params": "mbtree=0"}


@dataclass(frozen=True)
class Case:
    """One recording: `animals` that are drawn, the `names` and the `number` of the experiment file, the names that have `labels`.

    `hidden`: names of animals that are not in the first movie; `order` in which the movies are listed; `dressed`: the colours that each
    animal wears in the second movie, by its name; `swapped`: red and blue are exchanged there; `push` (x, y; px) of the camera, from the
    middle of the first movie or with the second; `other`: the movie that is given twice.
    """

    name: str
    cause: str
    animals: tuple[str, ...] = NAMES
    names: tuple[str, ...] = NAMES
    number: int | None = None
    hidden: tuple[str, ...] = ()
    order: tuple[str, ...] = MOVIES
    dressed: tuple[tuple[str, str], ...] = ()
    swapped: bool = False
    push: tuple[float, float] = (0.0, 0.0)
    push_movie: int = -1
    twice: bool = False
    seed: int = 1


# By cause: the assumption that has to fail.
CAUSES = {
    "": "",
    "fewer": "no more animals than animals.number",
    "more": "no fewer animals than animals.number",
    "order": "movies follow each other in this order, without a break",
    "looks": "each animal looks the same in all movies",
    "scene": "camera and light stay",
    "names": "each animal has a name",
    "twice": "each movie was filmed once",
}

BASE = Case("base", "")
CASES = [
    *(replace(BASE, name=f"base, seed {seed}", seed=seed) for seed in (1, 2, 3)),
    replace(BASE, name="number -1", cause="fewer", names=NAMES[:-1]),
    replace(BASE, name="number +1", cause="more", names=(*NAMES, "PG")),
    replace(BASE, name="intruder", cause="fewer", animals=(*NAMES, "OP"), hidden=("OP",)),
    replace(BASE, name="order", cause="order", order=MOVIES[::-1]),
    replace(BASE, name="two exchanged", cause="looks", dressed=(("BB", "OO"), ("OO", "BB"))),
    replace(BASE, name="colours exchanged", cause="looks", swapped=True),
    replace(BASE, name="pushed within", cause="scene", push=(9.0, 6.0), push_movie=0),
    replace(BASE, name="pushed between", cause="scene", push=(25.0, 15.0), push_movie=1),
    replace(BASE, name="nameless", cause="names", names=NAMES[:-1], number=len(NAMES)),
    replace(BASE, name="twice", cause="twice", twice=True),
]


def draw(case: Case, folder: Path) -> None:
    """Write the movies, labels.csv and truth.csv of a case."""
    path_rng, body_rng, floor_rng, label_rng, frame_rng = np.random.default_rng(case.seed).spawn(5)
    arena = RoundArena((WIDTH - 1) / 2, (HEIGHT - 1) / 2, 0.40 * HEIGHT, None)
    paths = simulate_paths(len(case.animals), FRAMES * len(MOVIES), FPS, arena, path_rng, body_length_px=LENGTH_PX)
    bodies = make_bodies(list(case.animals), LENGTH_PX, "colour", body_rng)
    floor = make_floor(WIDTH, HEIGHT, arena, floor_rng)
    folder.mkdir(parents=True, exist_ok=True)
    truth = []
    for number, movie in enumerate(MOVIES):
        shown = np.array([number > 0 or name not in case.hidden for name in case.animals])
        wear = dict(case.dressed) if number else {}
        look = _take(bodies, [case.animals.index(wear.get(name, name)) for name in case.animals])
        with MovieWriter(folder / f"{movie}.mp4", WIDTH, HEIGHT, FPS, crf=24, options=ENCODER) as writer:
            for frame in range(FRAMES):
                pushed = np.array(case.push) * (number > case.push_movie >= 0 or (number == case.push_movie and _late(case, frame)))
                row = number * FRAMES + frame
                image = _picture(floor, look, paths, row, shown, frame_rng)
                writer.write(_changed(image, case, number, pushed))
                x, y = paths.x[row] + pushed[0], paths.y[row] + pushed[1]
                truth += [(movie, frame, name, x[k], y[k]) for k, name in enumerate(case.animals) if shown[k] and paths.present[row, k]]
    pd.DataFrame(truth, columns=["movie", "frame", "identity", "x", "y"]).round(2).to_csv(folder / "truth.csv", index=False)
    _write_labels(case, paths, folder / "labels.csv", label_rng)
    if case.twice:
        (folder / "movie02.mp4").write_bytes((folder / "movie01.mp4").read_bytes())


def _late(case: Case, frame: int) -> bool:
    return case.push_movie > 0 or frame >= FRAMES // 2


def _take(bodies: Bodies, rows: list[int]) -> Bodies:
    """The bodies with the paint of others."""
    return bodies._replace(paint=bodies.paint[rows])


def _picture(floor: Any, bodies: Bodies, paths: SimulatedPaths, row: int, shown: NDArray[np.bool_], rng: np.random.Generator) -> Any:
    pose = [getattr(paths, name)[row].copy() for name in ("x", "y", "heading", "phase", "bend")]
    pose[0][~shown] = -1000.0
    points = place_parts(bodies, *pose, row / FPS)
    return render_frame(floor, bodies, points, paths.layer[row], 1.0, rng)


def _changed(image: NDArray[np.uint8], case: Case, number: int, pushed: NDArray[np.float64]) -> NDArray[np.uint8]:
    if case.swapped and number:
        image = np.ascontiguousarray(image[..., ::-1])
    if pushed.any():
        image = np.roll(image, (round(pushed[1]), round(pushed[0])), (0, 1))
    return image


def _write_labels(case: Case, paths: SimulatedPaths, file: Path, rng: np.random.Generator) -> None:
    lines = ["movie,frame,x,y,label"]
    x, y = paths.x[:FRAMES], paths.y[:FRAMES]
    for k, name in enumerate(case.animals):
        if name not in case.names or name in case.hidden:
            continue
        distance = np.hypot(x - x[:, [k]], y - y[:, [k]])
        distance[:, k] = np.inf
        moments = np.flatnonzero(distance.min(axis=1) > LABEL_DISTANCE * LENGTH_PX)
        if case.push_movie == 0:
            moments = moments[moments < FRAMES // 2]
        for part in np.array_split(moments, LABELS):
            frame = int(rng.choice(part))
            lines.append(f"{MOVIES[0]},{frame},{x[frame, k]:.1f},{y[frame, k]:.1f},{name}")
    file.write_text("\n".join(lines) + "\n")


def write_experiment(case: Case, folder: Path) -> Path:
    """Write the experiment file of a case."""
    animals: dict[str, Any] = {"marking": "marked", "identities": list(case.names), "labels": str(folder / "labels.csv")}
    if case.number is not None:
        animals["number"] = case.number
    values = {
        "experiment": "e",
        "results": str(folder),
        "movies": [{"name": movie, "file": str(folder / f"{movie}.mp4"), "recording": "day"} for movie in case.order],
        "animals": animals,
        "segment": {"images_per_s": 5},
        "smooth": {"method": "none"},
    }
    file = folder / "e.yaml"
    file.write_text(yaml.safe_dump(values, sort_keys=False))
    return file


def run(file: Path) -> None:
    """Run the stages up to the positions, one after the other in this process; those whose output is there are not run again."""
    experiment = load_experiment(file)
    movies = [movie.name for movie in experiment.movies]
    (recording,) = experiment.recordings

    def at(stage: str, *units: str) -> list[Path]:
        return [experiment.folder / stage / f"{unit}.h5" for unit in units]

    def go(module: ModuleType, unit: str, out: Path, **inputs: Sequence[Path]) -> None:
        if out.exists():
            return
        options = [part for name, paths in inputs.items() if paths for part in (f"--{name}", *map(str, paths))]
        module.main([*options, "--out", str(out), "--settings", experiment.settings(module.STAGE, unit), "--threads", "1"])

    for k, movie in enumerate(movies):
        film, (scene,), (blobs,) = [Path(experiment.movie(movie).file)], at("background", movie), at("segment", movie)
        go(index, movie, at("index", movie)[0], movie=film)
        go(background, movie, scene, movie=film, index=at("index", movie), reference=at("index", movie))
        go(segment, movie, blobs, movie=film, index=at("index", movie), background=[scene])
        go(tracklets, movie, at("tracklets", movie)[0], blobs=[blobs], previous=at("segment", *movies[max(0, k - 1) : k]))
    found = {"blobs": at("segment", *movies), "tracklets": at("tracklets", *movies)}
    (examples,), network, card = at("trainset", "trainset"), experiment.folder / "train" / "classifier.keras", experiment.folder / CARD
    go(trainset, "", examples, labels=[file.parent / "labels.csv"], background=at("background", *movies), **found)
    go(train, "", network, trainset=[examples], card=[card])
    for movie in movies:
        mine = {"blobs": at("segment", movie), "tracklets": at("tracklets", movie), "background": at("background", movie)}
        go(classify, movie, at("classify", movie)[0], trainset=[examples], classifier=[network], card=[card], **mine)
    go(propagate, recording, at("propagate", recording)[0], evidence=at("classify", *movies), **found)
    for movie in movies:
        mine = {"index": at("index", movie), "blobs": at("segment", movie), "tracklets": at("tracklets", movie)}
        mine |= {"movie": [Path(experiment.movie(movie).file)], "points": [experiment.folder / "points" / f"{movie}.h5"]}
        go(smooth, movie, at("smooth", movie)[0], identities=at("propagate", recording), **mine)


def real_error(folder: Path, movies: Sequence[str], names: Sequence[str]) -> tuple[float, int]:
    """Share of the positions of named animals that are another's, and their number."""
    tables = []
    for movie in movies:
        tracks = Trajectories.load(folder / "e" / "smooth" / f"{movie}.h5")
        who = np.array(tracks.individuals)[tracks.individual]
        tables.append(pd.DataFrame({"movie": movie, "frame": tracks.frame, "identity": who, "x": tracks.x, "y": tracks.y}))
    table, truth = pd.concat(tables), pd.read_csv(folder / "truth.csv")
    told = table[table["identity"].isin(names)].merge(truth, on=["movie", "frame", "identity"], how="left", suffixes=("", "_true"))
    right = np.hypot(told["x"] - told["x_true"], told["y"] - told["y_true"]) <= RIGHT_PX
    return float(1 - right.mean()), len(told)


@dataclass(frozen=True)
class Told:
    """What the report tells: the expected error with its interval, whether it is told, and the assumptions."""

    share: float
    low: float
    high: float
    told: bool
    assumptions: list[Assumption]

    @property
    def failing(self) -> list[str]:
        """The names of those that fail."""
        return [one.name for one in failing(self.assumptions)]


def read_told(file: Path) -> Told:
    """What the report of an experiment tells, without its pictures."""
    experiment = load_experiment(file)
    settings = json.loads(experiment.settings("report"))
    files: dict[str, dict[str, Path]] = {"movie": {}}
    for kind, stage in KINDS.items():
        files[kind] = {path.stem: path for path in sorted((experiment.folder / stage).glob("*.h5"))}
    given = Given(settings["recordings"], settings["numbers"], settings["arenas"], settings["individuals"])
    assumptions = check_assumptions(given, files)
    recordings = [read_recording(name, movies, files, numbers=given.numbers) for name, movies in given.recordings.items()]
    card = json.loads((experiment.folder / CARD).read_text(encoding="utf-8"))
    whole = expected_wrong(card, recordings).whole
    return Told(whole.share, whole.low, whole.high, not withheld(assumptions), assumptions)


def judge(case: Case, told: Told, real: float) -> str:
    """What is wrong with what was told, "" for nothing."""
    faults = []
    if CAUSES[case.cause] not in told.failing and case.cause:
        faults.append("cause not named")
    if not case.cause and told.failing:
        faults.append("false alarm")
    if told.told and not (told.low / 2 <= real <= 2 * told.high):
        faults.append("wrong error")
    return ", ".join(faults)


def main() -> None:
    """Run the cases and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("words", nargs="*", help="only cases whose names contain one of these words")
    parser.add_argument("--work", type=Path, default=Path("assumptions"))
    args = parser.parse_args()
    rows = []
    for case in CASES:
        if args.words and not any(word in case.name for word in args.words):
            continue
        folder = args.work.resolve() / case.name.replace(" ", "_").replace(",", "")
        if not (folder / "truth.csv").exists():
            draw(case, folder)
        run(write_experiment(case, folder))
        (real, number), told = real_error(folder, case.order, case.names), read_told(folder / "e.yaml")
        shown = f"{told.share:.2%} ({told.low:.2%} to {told.high:.2%})"
        rows.append(
            {
                **{"case": case.name, "told": shown if told.told else f"withheld, {shown}", "real": f"{real:.2%}"},
                **{"positions": f"{number:,}", "fails": "; ".join(told.failing) or "–", "judged": judge(case, told, real) or "right"},
            }
        )
        print(rows[-1], *(f"{one.name}: {one.state}. {one.cause}" for one in told.assumptions), sep="\n", file=sys.stderr, flush=True)
    print(markdown(rows))


if __name__ == "__main__":
    main()
