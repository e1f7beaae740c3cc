"""Body points found by Herdbook's own network, against true ones: the stages pose_trainset to smooth_points on a finished run.

    python benchmarks/pose_points.py --results RESULTS --movies FOLDER --truth truth_points.csv --frames labelled_frames.csv --work DIR

`--results` is the folder of an experiment that was run (index, segment and smooth are read), `--movies` that of its movies; the truth has
the columns movie,frame,identity,point,x,y, or is a file of a pose tool. The first n of the labelled frames are given as labels; scored are
the movies of `--score`, or, with one movie, its frames after those that have labels. `--anonymous` takes the animals of the results by
their place, frame by frame, for experiments without names. Prints the figures as JSON, which --out writes to a file.
"""

import argparse
import csv
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from herdbook.artifacts.pose import FoundPoints
from herdbook.artifacts.smooth import BodyPoints, Trajectories
from herdbook.artifacts.store import Provenance
from herdbook.formats.pose_files import read_poses
from herdbook.formats.poses import as_poses

# A point this near to another animal's same point, and farther than this from its own, is on the wrong animal; so much off is far (px).
WRONG_PX, FAR_PX = 6.0, 10.0
CONTACT_PX = 15.0
Truth = dict[str, np.ndarray]


def read_truth(path: Path) -> tuple[Truth, list[str], list[str]]:
    """Points (frames, animals, points, 2) of each movie, names of the animals and of the points; a file of a pose tool is of `movie`."""
    if path.suffix != ".csv":
        poses = read_poses([path])
        return {"movie": poses.xy}, list(poses.individuals), list(poses.points)
    rows = list(csv.DictReader(path.open(encoding="utf-8")))
    names = list(dict.fromkeys(row["identity"] for row in rows))
    points = list(dict.fromkeys(row["point"] for row in rows))
    frames: dict[str, int] = {}
    for row in rows:
        frames[row["movie"]] = max(frames.get(row["movie"], 0), int(row["frame"]) + 1)
    truth = {movie: np.full((count, len(names), len(points), 2), np.nan) for movie, count in frames.items()}
    for row in rows:
        if row["x"]:
            truth[row["movie"]][int(row["frame"]), names.index(row["identity"]), points.index(row["point"])] = row["x"], row["y"]
    return truth, names, points


def name_by_place(results: Path, movie: str, true: np.ndarray, names: list[str], out: Path) -> None:
    """Trajectories of an experiment without names under the true ones, each frame's by their places."""
    found = Trajectories.load(results / "smooth" / f"{movie}.h5")
    middle = np.nanmean(true, axis=2)
    away = np.hypot(found.x[:, None] - middle[found.frame, :, 0], found.y[:, None] - middle[found.frame, :, 1])
    who = away.argmin(axis=1)
    order = np.lexsort((away.min(axis=1), who, found.frame))
    first = np.append(True, (np.diff(found.frame[order]) != 0) | (np.diff(who[order]) != 0))
    keep = np.sort(order[first])
    keep = keep[np.lexsort((who[keep], found.frame[keep]))]
    columns = {
        name: getattr(found, name)[keep]
        for name in ("frame", "x", "y", "x_raw", "y_raw", "heading", "confidence", "source", "disagreement", "jump")
    }
    Trajectories(individuals=names, frames=found.frames, individual=who[keep].astype(np.int32), **columns).save(
        out, Provenance("smooth", 1)
    )


def stage(name: str, settings: dict[str, Any], **files: Any) -> float:
    """Run a stage; its CPU seconds."""
    words = [word for key, value in files.items() for word in (f"--{key}", *map(str, value if isinstance(value, list) else [value]))]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-m", f"herdbook.stages.{name}", *words, "--settings", json.dumps(settings)], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def find(out: Path, network: Path, card: Path, movie: list[Path], index: list[Path], blobs: list[Path], trajectories: list[Path]) -> float:
    """What the stage pose does, with no point refused; its CPU seconds without the start of Python and of Keras."""
    from herdbook.artifacts.index import Index
    from herdbook.bodypoints.learned.cards import read_pose_card
    from herdbook.bodypoints.learned.finding import find_points
    from herdbook.bodypoints.learned.network import Predictor, load_network
    from herdbook.classifier.network import use_threads
    from herdbook.movie.reading import read_frames

    use_threads(1)
    told, table = read_pose_card(card), Index.load(index[0])
    predictor = Predictor(load_network(network, told.size, len(told.points)))
    predictor.maps(np.zeros((256, told.size, told.size, 2), np.uint8))
    before = time.process_time()
    frames = (frame.grey() for frame in read_frames(movie[0], table))
    size = table.height, table.width
    found = find_points(frames, size, Trajectories.load(trajectories[0]), told, predictor, told.body_px, 1e9)
    spent = time.process_time() - before
    found.save(out, Provenance("pose", 1))
    return spent


def figures(xy: np.ndarray, true: np.ndarray, rows: np.ndarray, asked: np.ndarray) -> dict[str, float]:
    """Median and 95th percentile (px), share that is far off, on another animal and unknown, in percent, in frames (T,) `rows`; points with
    a truth count where `asked` (T, A) the animal has a position.
    """
    away = np.hypot(*np.moveaxis(xy - true, -1, 0))
    known = ~np.isnan(true[..., 0]) & rows[:, None, None] & asked[..., None]
    told = known & ~np.isnan(away)
    other = np.full(away.shape, np.inf)
    for a in range(true.shape[1]):
        for b in range(true.shape[1]):
            if a != b:
                near = np.hypot(*np.moveaxis(xy[:, a] - true[:, b], -1, 0))
                other[:, a] = np.fmin(other[:, a], near)
    values = away[told]
    return {
        "points": int(told.sum()),
        "median": float(np.median(values)),
        "p95": float(np.percentile(values, 95)),
        "far_percent": float(100 * (values > FAR_PX).mean()),
        "other_percent": float(100 * ((other < WRONG_PX) & (away > WRONG_PX))[told].mean()),
        "unknown_percent": float(100 * (1 - told.sum() / max(known.sum(), 1))),
    }


def contact(true: np.ndarray) -> np.ndarray:
    """Whether a point of another animal is nearer than CONTACT_PX to one of each animal (T, A)."""
    touching = np.zeros(true.shape[:2], bool)
    for a in range(true.shape[1]):
        for b in range(true.shape[1]):
            if a != b:
                away = np.hypot(*np.moveaxis(true[:, a, :, None] - true[:, b, None], -1, 0))
                touching[:, a] |= np.nanmin(np.where(np.isnan(away), np.inf, away), axis=(1, 2)) < CONTACT_PX
    return touching


def jitter(xy: np.ndarray) -> float:
    """Median length of the second difference of the points (px)."""
    return float(np.nanmedian(np.hypot(*np.moveaxis(np.diff(xy, 2, axis=0), -1, 0))))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("results", "movies", "truth", "work"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--frames", type=Path)
    parser.add_argument("-n", type=int, default=50)
    parser.add_argument("--score", nargs="*", default=[])
    parser.add_argument("--anonymous", action="store_true")
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--size", type=int, default=80)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    args.work.mkdir(parents=True, exist_ok=True)
    truth, names, points = read_truth(args.truth)
    if args.frames:
        chosen = [(row["movie"], int(row["frame"])) for row in csv.DictReader(args.frames.open(encoding="utf-8"))][: args.n]
    else:
        (only,) = truth
        chosen = [(only, int(t)) for t in np.linspace(0, len(truth[only]) // 2 - 1, args.n)]
    labelled = list(dict.fromkeys(movie for movie, _ in chosen))
    scored = args.score or [movie for movie in truth if movie not in labelled] or labelled
    smooth = {movie: args.results / "smooth" / f"{movie}.h5" for movie in truth}
    if args.anonymous:
        (args.work / "smooth").mkdir(exist_ok=True)
        for movie in truth:
            smooth[movie] = args.work / "smooth" / f"{movie}.h5"
            name_by_place(args.results, movie, truth[movie], names, smooth[movie])
    labels = args.work / "points.csv"
    with labels.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(("movie", "frame", "individual", "point", "x", "y"))
        for movie, t in chosen:
            for a, who in enumerate(names):
                for k, point in enumerate(points):
                    x, y = truth[movie][t, a, k]
                    table.writerow((movie, t, who, point, *(("", "") if np.isnan(x) else (x, y))))

    def of(movies: list[str]) -> dict[str, Any]:
        return {
            "movie": [args.movies / f"{movie}.mp4" for movie in movies],
            "index": [args.results / "index" / f"{movie}.h5" for movie in movies],
            "blobs": [args.results / "segment" / f"{movie}.h5" for movie in movies],
            "trajectories": [smooth[movie] for movie in movies],
        }

    examples, network, card = args.work / "trainset.h5", args.work / "pose.keras", args.work / "pose.json"
    section = {"points": None, "mirror": None, "crop_body": None, "size": args.size, "movies": list(truth), "individuals": names}
    stage("pose_trainset", section, labels=labels, out=examples, **of(labelled))
    cost = {
        "train_s": stage(
            "pose_train", {"steps": args.steps, "batch": 32, "rate": 3e-3, "seed": 1}, examples=examples, out=network, card=card
        )
    }
    result: dict[str, Any] = {"held_back": {key: json.loads(card.read_text())[key] for key in ("median_px", "p95_px", "calibration")}}
    for movie in scored:
        found_file, smoothed_file = args.work / f"{movie}.pose.h5", args.work / f"{movie}.points.h5"
        files = of([movie])
        spent = find(found_file, network, card, **files)
        del files["trajectories"]
        smoothing = {"method": "lkrstc", "window_s": None, "engine": "numba", "fill": 0, "jumps": "flag", "likelihood": 0.0}
        cost["smooth_s"] = stage("smooth_points", smoothing, found=found_file, out=smoothed_file, **files)
        found, true = FoundPoints.load(found_file), truth[movie]
        xy, told = np.full(true.shape, np.nan), np.full(true.shape[:3], np.nan)
        at = [names.index(name) for name in found.individuals]
        xy[:, at] = np.stack([found.x, found.y], -1)[: len(true)]
        told[:, at] = found.expected_error[: len(true)]
        smoothed = np.full(true.shape, np.nan)
        smoothed[:, at] = as_poses(BodyPoints.load(smoothed_file)).xy[: len(true)]
        asked = ~np.isnan(told).all(axis=2)
        rows = np.ones(len(true), bool)
        if movie in labelled:
            rows[: max(t for name, t in chosen if name == movie) + 1] = False
        near = contact(true)
        cost["predict_ms"] = 1000 * spent / max(int((~np.isnan(found.heading)).sum()), 1)
        result[movie] = {
            "all": figures(xy, true, rows, asked),
            "apart": figures(xy, true, rows, asked & ~near),
            "contact": figures(xy, true, rows, asked & near),
            "smoothed": figures(smoothed, true, rows, asked),
            "jitter": [jitter(xy[rows]), jitter(smoothed[rows])],
            "deciles": deciles(xy, told, true, rows),
            "kept_85": kept(xy, told, true, rows, 0.85),
        }
    result["cost"] = cost
    print(json.dumps(result, indent=1))
    if args.out:
        args.out.write_text(json.dumps(result, indent=1), encoding="utf-8")


def deciles(xy: np.ndarray, told: np.ndarray, true: np.ndarray, rows: np.ndarray) -> list[list[float]]:
    """Expected and real mean error (px) of each tenth of the points, by expected error."""
    away = np.hypot(*np.moveaxis(xy - true, -1, 0))[rows]
    known = ~np.isnan(away)
    expected, real = told[rows][known], away[known]
    order = np.argsort(expected, kind="stable")
    return [[round(float(expected[part].mean()), 2), round(float(real[part].mean()), 2)] for part in np.array_split(order, 10)]


def kept(xy: np.ndarray, told: np.ndarray, true: np.ndarray, rows: np.ndarray, share: float) -> dict[str, float]:
    """95th percentile (px) of this share of the points, those that are expected to be nearest."""
    away = np.hypot(*np.moveaxis(xy - true, -1, 0))[rows]
    known = ~np.isnan(away)
    limit = float(np.quantile(told[rows][known], share))
    return {"limit": limit, "p95": float(np.percentile(away[known & (told[rows] <= limit)], 95))}


if __name__ == "__main__":
    main()
