"""How right repaired body points are: errors are put into true points of flies, and handed back by what a finished run knows.

    python benchmarks/repair.py --data ../shared/data --tools ../shared/tools --flies2 RUN --painted RUN [--seeds 1 2 3]

RUN is the folder of the results of an experiment on that recording: of flies2 with `marking: unmarked`, of painted_flies with the names of
its truth. A point is wrong if it is farther than 6 px from its place. Nothing of the data folder is written or copied.
"""

import argparse
import sys
import time
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from herdbook.artifacts.propagate import Identities
from herdbook.artifacts.repair import DRIFTED, JUMPED, MISSING, REFUSED, SWITCHED
from herdbook.artifacts.segment import Blobs, open_blob_images
from herdbook.artifacts.smooth import Trajectories
from herdbook.artifacts.tracklets import Tracklets
from herdbook.bodypoints.movies import see_animals
from herdbook.bodypoints.repairing import hand_points, points_of
from herdbook.formats.pose_files import read_poses

WRONG_PX, LEAST = 6.0, 0.9
# Kinds of the injector, and as what each is told.
RIGHT, SWITCH, DRIFT, JUMP, MISS = range(5)
TOLD = {SWITCH: SWITCHED, DRIFT: DRIFTED, JUMP: JUMPED}
PAINTED = ("red", "green", "blue", "yellow")


def painted_truth(data: Path, movie: str) -> np.ndarray:
    """True points (frames, animals, points, 2) of a movie of painted flies."""
    table = pd.read_csv(data / "painted_flies" / "truth_points.csv").query("movie == @movie")
    points = list(dict.fromkeys(table["point"]))
    xy = np.full((table["frame"].max() + 1, len(PAINTED), len(points), 2), np.nan)
    at = table["frame"], table["identity"].map(PAINTED.index), table["point"].map(points.index)
    xy[at] = table[["x", "y"]]
    return xy


class Movie:
    """A movie of a finished run, its animals in the order of those of the truth."""

    def __init__(self, run: Path, movie: str, true: np.ndarray) -> None:
        self.true, self.name = true, f"{run.name} {movie}"
        self.path = run / "segment" / f"{movie}.h5"
        self.blobs, self.tracklets = Blobs.load(self.path), Tracklets.load(run / "tracklets" / f"{movie}.h5")
        found = (Identities.load(path) for path in (run / "propagate").glob("*.h5"))
        self.identities = next(one for one in found if movie in one.movies)
        self.trajectories, self.movie = Trajectories.load(run / "smooth" / f"{movie}.h5"), movie
        with open_blob_images(self.path) as images:
            place = self.seen(true, images).place
        names = self.trajectories.individuals
        if set(names) == set(PAINTED):
            self.order = [names.index(name) for name in PAINTED]
        else:
            middle = np.nanmean(true, axis=2)
            self.order = list(min(permutations(range(len(names))), key=lambda order: np.nanmedian(np.abs(place[:, list(order)] - middle))))

    def seen(self, xy: np.ndarray, images: Any) -> Any:
        return see_animals(xy, self.trajectories, self.blobs, images, self.tracklets, self.identities, self.movie)

    def repair(self, xy: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
        """Points under the names of the truth, the kind of each detection, and the CPU time (ms per frame) without reading outlines."""
        names = np.array(self.order)
        with open_blob_images(self.path) as images:
            seen = self.seen(xy, images)
            whole = seen.outlines(0, len(xy))
        began = time.process_time()
        handed = hand_points(xy, seen._replace(outlines=lambda first, end: whole[first:end]), names, LEAST)
        spent = time.process_time() - began
        return points_of(xy, handed.slot)[:, self.order], handed.kind, 1000 * spent / len(xy)


def figures(
    true: np.ndarray, given: np.ndarray, kind: np.ndarray, owner: np.ndarray, found: np.ndarray, told: np.ndarray
) -> dict[str, np.ndarray]:
    """Numbers of points, (part, whole) each, that add up over movies."""
    known = ~np.isnan(true[..., 0])
    before, after = (np.hypot(*np.moveaxis(points - true, -1, 0)) for points in (given, found))
    there = np.isin(kind, (RIGHT, SWITCH, JUMP)) & ~np.isnan(given[..., 0])
    can = known & np.stack([((owner == a) & there).any(axis=1) for a in range(true.shape[1])], axis=1)
    wrong, drifted = known & (after > WRONG_PX), known & (kind == DRIFT) & (before > WRONG_PX)
    pairs = {
        "wrong before": (known & (before > WRONG_PX), known),
        "wrong after": (wrong, known),
        "right kept": (can & (after <= WRONG_PX), can),
        "drift wrong": (wrong & drifted, drifted),
        "drift unknown": (np.isnan(found[..., 0]) & drifted, drifted),
        "refused": (told == REFUSED, told != MISSING),
    }
    off = before > WRONG_PX
    for injected, name in ((SWITCH, "switch"), (DRIFT, "drift"), (JUMP, "jump")):
        of_kind = (kind == injected) & off
        pairs[f"{name} told"] = (of_kind & (told == TOLD[injected]), of_kind)
        pairs[f"{name} count"] = (off & (told == TOLD[injected]), of_kind)
    of_drift = (kind == DRIFT) & off
    pairs["drift or unknown"] = (of_drift & np.isin(told, (DRIFTED, REFUSED)), of_drift)
    return {name: np.array([part.sum(), whole.sum()]) for name, (part, whole) in pairs.items()}


def measure(movies: list[Movie], seed: int, inject: Any) -> str:
    total: dict[str, np.ndarray] = {}
    spent = []
    for movie in movies:
        given, kind, owner = inject(movie.true, seed=seed) if seed else untouched(movie.true)
        found, told, ms = movie.repair(given)
        spent.append(ms)
        for name, pair in figures(movie.true, given, kind, owner, found, told).items():
            total[name] = total.get(name, 0) + pair
    shares = [f"{name} {100 * part / whole:.2f} %" for name, (part, whole) in total.items() if whole]
    return f"seed {seed}: " + ", ".join(shares) + f"; {np.mean(spent):.2f} CPU ms per frame"


def untouched(true: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    kind = np.where(np.isnan(true[..., 0]), MISS, RIGHT)
    return true.copy(), kind, np.broadcast_to(np.arange(true.shape[1])[None, :, None], kind.shape).copy()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("data", "tools", "flies2", "painted"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--seeds", type=int, nargs="*", default=[1, 2, 3])
    options = parser.parse_args()
    sys.path.insert(0, str(options.tools))
    from inject_pose_errors import inject

    flies = [Movie(options.flies2, "movie", read_poses([options.data / "flies2" / "pose.analysis.h5"]).xy)]
    painted = [Movie(options.painted, movie, painted_truth(options.data, movie)) for movie in ("movie01", "movie02")]
    # Compiles the kernels.
    flies[0].repair(flies[0].true)
    for title, movies in (("two flies", flies), ("four painted flies", painted)):
        print(title)
        for seed in (0, *options.seeds):
            print(" ", measure(movies, seed, inject), flush=True)


if __name__ == "__main__":
    main()
