"""Whether suggested labels are worth twice as many random ones: tagged ants with known truth, labels taken from the truth.

    python benchmarks/suggested_labels.py --data ../shared/data --work /tmp/suggested --seeds 3

Random labels are points on single tracklets of the first movie, any animal in any frame, never two on one tracklet. Suggested ones are
asked for in rounds: the first before any training, the next with what was learned of those before. Both are judged in the last movie, as in
classifier.py. Prints a table in Markdown.
"""

import argparse
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from few_labels import RECORDING, measure_few, true_places
from measuring import run_chain
from real_movies import RECORDINGS, experiment_file

from herdbook.artifacts.segment import Blobs
from herdbook.artifacts.tracklets import SINGLE, Tracklets
from herdbook.commands.labelling.suggest import suggest_points
from herdbook.experiment.file import load_experiment

NAME = "ants16"
COLUMNS = ["movie", "frame", "x", "y", "label"]
ROUND = 16


def random_labels(truth: pd.DataFrame, blobs: Blobs, tracklets: Tracklets, radius_px: float, count: int, seed: int) -> pd.DataFrame:
    """`count` labels on blobs drawn at random, each in another single tracklet."""
    rng = np.random.default_rng(seed)
    single = np.flatnonzero((tracklets.tracklet_kind == SINGLE)[tracklets.blob_tracklet])
    rows: dict[int, tuple[int, float, float]] = {}
    for blob in rng.permutation(single).tolist():
        rows.setdefault(int(tracklets.blob_tracklet[blob]), (int(blobs.frame[blob]), float(blobs.x[blob]), float(blobs.y[blob])))
        if len(rows) == count:
            break
    points = pd.DataFrame([(blobs.path.stem, *place, "") for place in rows.values()], columns=COLUMNS)
    return with_names(points, truth, blobs.frames, radius_px)


def with_names(points: pd.DataFrame, truth: pd.DataFrame, frames: int, radius_px: float) -> pd.DataFrame:
    """The points with the name of the animal that is there; those beside every animal fall away."""
    names, place = true_places(truth, frames)
    away = np.hypot(*(place[points.frame] - points[["x", "y"]].to_numpy()[:, None]).transpose(2, 0, 1))
    return points.assign(label=np.array(names)[away.argmin(axis=1)])[away.min(axis=1) < radius_px]


def measure(data: Path, work: Path, seeds: int, rounds: int) -> Iterator[dict[str, str]]:
    """One row per way, number of labels and seed."""
    recording = RECORDINGS[NAME]
    truth = pd.read_csv(data / NAME / "truth.csv", dtype={"identity": str})
    first = recording.movies[0]
    mine = truth[truth.movie == first]
    file = experiment_file(NAME, data, work)
    run_chain(file, 2, *(f"{NAME}/{stage}/{movie}.h5" for stage in ("tracklets", "background") for movie in recording.movies))
    folder = load_experiment(file).folder
    blobs, tracklets = Blobs.load(folder / "segment" / f"{first}.h5"), Tracklets.load(folder / "tracklets" / f"{first}.h5")
    for seed in range(seeds):
        for stage in ("classify", "propagate"):
            shutil.rmtree(folder / stage, ignore_errors=True)
        labels = pd.DataFrame([], columns=COLUMNS)
        for done in range(rounds):
            table = work / "so_far.csv"
            labels.to_csv(table, index=False)
            experiment = load_experiment(file, {"animals": {"labels": str(table)}})
            found = suggest_points(experiment, ROUND, [first]).points
            asked = pd.DataFrame([(point.movie, point.frame, point.x, point.y, "") for point in found], columns=COLUMNS)
            labels = pd.concat([labels, with_names(asked, mine, blobs.frames, recording.radius_px)])
            yield row_of("suggested", file, labels, (done + 1) * ROUND, seed, truth)
        for done in range(rounds):
            count = 2 * (done + 1) * ROUND
            drawn = random_labels(mine, blobs, tracklets, recording.radius_px, count, seed)
            yield row_of("random", file, drawn, count, seed, truth)


def row_of(way: str, file: Path, labels: pd.DataFrame, count: int, seed: int, truth: pd.DataFrame) -> dict[str, str]:
    """The row of the table, with how many animals are labelled at all."""
    row = measure_few(NAME, file, labels, count, seed, truth)
    told = {"way": way, "labels": str(len(labels)), "seed": str(seed), "animals labelled": str(labels.label.nunique())}
    return told | {key: value for key, value in row.items() if key not in ("recording", "labels per animal", "labels")}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True, help=f"folder of the experiment; {RECORDING} is made there once")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=2)
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    for number, row in enumerate(measure(arguments.data.resolve(), arguments.work.resolve(), arguments.seeds, arguments.rounds)):
        if not number:
            print("| " + " | ".join(row) + " |\n|" + " --- |" * len(row), flush=True)
        print("| " + " | ".join(row.values()) + " |", flush=True)


if __name__ == "__main__":
    main()
