"""How well animals are read and named with few labels per animal: labels of the recording first, then such drawn from its truth.

    python benchmarks/few_labels.py --data ../shared/data --work /tmp/labels --sets ants16 mice4 --plot labels.png

Tracklets are those of the last movie, labels those of the first. Prints a table in Markdown; times are CPU seconds of all stages.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import yaml
from measuring import markdown, run_chain
from numpy.typing import NDArray
from real_movies import RECORDINGS, experiment_file, machine

from herdbook.artifacts.classify import Evidence
from herdbook.artifacts.propagate import Identities
from herdbook.artifacts.segment import Blobs
from herdbook.artifacts.tracklets import SINGLE, Tracklets
from herdbook.classifier.calibration import reliability
from herdbook.experiment.file import load_experiment

RECORDING = "day1"
LABELS_PER_ANIMAL = (6, 3, 1)
LONG_FRAMES = 20


def draw_labels(truth: pd.DataFrame, blobs: Blobs, tracklets: Tracklets, radius_px: float, count: int, seed: int) -> pd.DataFrame:
    """`count` labels per animal, at random among its frames in single tracklets of the first movie, each in another tracklet."""
    rng = np.random.default_rng(seed)
    at_frame = {frame: np.flatnonzero(blobs.frame == frame) for frame in rng.permutation(blobs.frames)[:400]}
    labels = []
    for identity, rows in truth[truth.frame.isin(at_frame)].groupby("identity"):
        used: set[int] = set()
        for row in rows.sample(frac=1, random_state=seed).itertuples():
            here = at_frame[row.frame]
            away = np.hypot(blobs.x[here] - row.x, blobs.y[here] - row.y)
            if not len(here) or away.min() > radius_px / 2:
                continue
            tracklet = int(tracklets.blob_tracklet[here[away.argmin()]])
            if tracklet in used or tracklets.tracklet_kind[tracklet] != SINGLE:
                continue
            used.add(tracklet)
            labels.append((row.movie, row.frame, row.x, row.y, identity))
            if len(used) == count:
                break
    return pd.DataFrame(labels, columns=["movie", "frame", "x", "y", "label"])


def measure_labels(name: str, data: Path, work: Path, seeds: int) -> Iterator[dict[str, str]]:
    """One row per number of labels and choice of them: those of labels.csv first, then drawn from the truth."""
    recording = RECORDINGS[name]
    truth, given = (pd.read_csv(data / name / f"{table}.csv", dtype={"identity": str, "label": str}) for table in ("truth", "labels"))
    file = experiment_file(name, data, work)
    first = recording.movies[0]
    run_chain(file, 2, f"{name}/tracklets/{first}.h5")
    folder = load_experiment(file).folder
    blobs, tracklets = Blobs.load(folder / "segment" / f"{first}.h5"), Tracklets.load(folder / "tracklets" / f"{first}.h5")
    for count in LABELS_PER_ANIMAL:
        for seed in range(seeds):
            labels = given.groupby("label").head(count)
            if seed:
                labels = draw_labels(truth[truth.movie == first], blobs, tracklets, recording.radius_px, count, seed)
            yield measure_few(name, file, labels, count, seed, truth)


def measure_few(name: str, file: Path, labels: pd.DataFrame, count: int, seed: int, truth: pd.DataFrame) -> dict[str, str]:
    """The row of one choice of labels; the experiment file is changed to it."""
    recording, table = RECORDINGS[name], file.parent / f"{name}_{count}_{seed}.csv"
    labels.to_csv(table, index=False)
    values = yaml.safe_load(file.read_text(encoding="utf-8"))
    values["animals"]["labels"], values["seed"] = str(table), seed + 1
    file.write_text(yaml.safe_dump(values, sort_keys=False), encoding="utf-8")
    _, cpu_s = run_chain(file, 2, f"{name}/propagate/{RECORDING}.h5")
    folder, last = load_experiment(file).folder, recording.movies[-1]
    blobs = Blobs.load(folder / "segment" / f"{last}.h5")
    mine = truth[truth.movie == last]
    right, confidence = tracklet_answers(folder, blobs, mine, last, recording.radius_px)
    named, wrong = cells_apart(folder, blobs, mine, last, recording.radius_px, recording.apart_px or 0.0)
    return {
        "recording": name,
        "labels per animal": str(count),
        "labels": f"drawn, seed {seed}" if seed else "labels.csv",
        f"tracklets >= {LONG_FRAMES} frames": str(len(right)),
        "read rightly": f"{right.mean():.4f}",
        "ECE": f"{reliability(confidence, right)['ece']:.4f}",
        "apart: named": f"{named:.4f}",
        "apart: error": f"{wrong:.5f}",
        "CPU s": f"{cpu_s:.0f}",
    }


def tracklet_answers(
    folder: Path, blobs: Blobs, truth: pd.DataFrame, movie: str, radius_px: float
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Of the single tracklets of LONG_FRAMES or more that show one animal in nine of ten frames: whether each is read rightly, and how
    probable its answer is.
    """
    tracklets, evidence = Tracklets.load(folder / "tracklets" / f"{movie}.h5"), Evidence.load(folder / "classify" / f"{movie}.h5")
    names, place = true_places(truth, blobs.frames)
    away = np.hypot(place[blobs.frame, :, 0] - blobs.x[:, None], place[blobs.frame, :, 1] - blobs.y[:, None])
    seen = np.zeros((len(tracklets), len(names)))
    near = away.min(axis=1) < radius_px
    np.add.at(seen, (tracklets.blob_tracklet[near], away.argmin(axis=1)[near]), 1)
    length = np.bincount(tracklets.blob_tracklet, minlength=len(tracklets))
    clear = (tracklets.tracklet_kind == SINGLE) & (length >= LONG_FRAMES) & (seen.max(axis=1) > 0.9 * length) & (evidence.images > 0)
    answer = np.array(evidence.classes)[evidence.log_likelihood.argmax(axis=1)]
    right = answer == np.array(names)[seen.argmax(axis=1)]
    return right[clear], np.exp(evidence.log_likelihood.max(axis=1).astype(np.float64)[clear]) / len(evidence.classes)


def true_places(truth: pd.DataFrame, frames: int) -> tuple[list[str], NDArray[np.float64]]:
    """The names and where each animal is (frames, animals, 2), px, infinite where it is not known."""
    names = sorted(truth.identity.unique())
    place = np.full((frames, len(names), 2), np.inf)
    place[truth.frame, [names.index(name) for name in truth.identity]] = truth[["x", "y"]]
    return names, place


def cells_apart(folder: Path, blobs: Blobs, truth: pd.DataFrame, movie: str, radius_px: float, apart_px: float) -> tuple[float, float]:
    """Of the animals that are `apart_px` from all others, frame by frame: the share that has a name, and the share of those names that is
    wrong. An animal's name is that of the tracklet of the nearest blob within `radius_px`.
    """
    tracklets, identities = Tracklets.load(folder / "tracklets" / f"{movie}.h5"), Identities.load(folder / "propagate" / f"{RECORDING}.h5")
    names, place = true_places(truth, blobs.frames)
    here = identities.movie == identities.movies.index(movie)
    holds = np.zeros((len(tracklets), len(identities.individuals)), bool)
    holds[identities.tracklet[here], identities.individual[here]] = True
    column = [identities.individuals.index(name) for name in names]
    offsets, cells, named, wrong = blobs.frame_offsets, 0, 0, 0
    for frame in range(blobs.frames):
        start, stop = offsets[frame : frame + 2]
        between = np.hypot(*(place[frame][:, None] - place[frame]).transpose(2, 0, 1))
        np.fill_diagonal(between, np.inf)
        for k in np.flatnonzero(np.isfinite(place[frame, :, 0]) & ~(between.min(axis=1) < apart_px)):
            cells += 1
            away = np.hypot(blobs.x[start:stop] - place[frame, k, 0], blobs.y[start:stop] - place[frame, k, 1])
            if stop == start or away.min() > radius_px:
                continue
            tracklet = tracklets.blob_tracklet[start + away.argmin()]
            named += bool(holds[tracklet].any())
            wrong += bool(holds[tracklet].any() and not holds[tracklet, column[k]])
    return named / max(cells, 1), wrong / max(named, 1)


def plot_rows(rows: Sequence[dict[str, str]], path: Path) -> None:
    """Accuracy and errors against the number of labels: a dot for each choice of labels, a line through their means."""
    table = pd.DataFrame(rows).astype({"labels per animal": int, "read rightly": float, "apart: error": float})
    figure, axes = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    titles = (f"tracklets of at least {LONG_FRAMES} frames read rightly", "names that are wrong, of animals apart")
    for axis, column, title in zip(axes, ("read rightly", "apart: error"), titles, strict=True):
        for marker, (name, own) in zip("osv^", table.groupby("recording"), strict=False):
            means = own.groupby("labels per animal")[column].mean()
            (line,) = axis.plot(means.index, means, "-", label=name)
            axis.plot(own["labels per animal"], own[column], marker, color=line.get_color())
        axis.set(xscale="log", xlabel="labels per animal", title=title, xticks=LABELS_PER_ANIMAL, xticklabels=LABELS_PER_ANIMAL)
        axis.minorticks_off()
        axis.set_ylim(*((None, 1.001) if column == "read rightly" else (0.0, max(0.004, 1.1 * table[column].max()))))
        axis.grid(alpha=0.3)
        axis.legend()
    figure.savefig(path, dpi=110)


def main() -> None:
    """Print the table and draw the plot."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the recordings")
    parser.add_argument("--sets", nargs="+", default=["ants16", "mice4"], help="recordings")
    parser.add_argument("--seeds", type=int, default=3, help="choices of labels")
    parser.add_argument("--work", type=Path, help="keep all results in this folder")
    parser.add_argument("--plot", type=Path, help="PNG of accuracy against labels")
    given = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as temporary:
        work = (given.work or Path(temporary)).resolve()
        work.mkdir(parents=True, exist_ok=True)
        for name in given.sets:
            for row in measure_labels(name, given.data.resolve(), work, given.seeds):
                rows.append(row)
                print(row, file=sys.stderr, flush=True)
    print(machine())
    print(markdown(rows))
    if given.plot:
        plot_rows(rows, given.plot)


if __name__ == "__main__":
    main()
