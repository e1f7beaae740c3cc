"""Share of true positions that lie in or near a blob, and blobs that are no animal, per animal and frame.

    python benchmarks/truth_covered.py --data ../shared/data

A true position is covered when a blob's outline or centroid lies within the radius; a blob without any true position within the radius of
its outline is no animal. Of mice4, animals of which at least half is visible must be covered. For guppies8, whose reference has gaps, blobs
are only counted in frames with all animals.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree
from segmentation import MOVIES, prepared

CASES = {
    "ants16": (["movie01.mp4", "movie02.mp4"], 10.0, 16),
    "mice4": (["movie01.mp4", "movie02.mp4"], 15.0, 4),
    "flies2": (["movie.mp4"], 20.0, 2),
    "guppies8": (["movie.mp4"], 40.0, 8),
}


def outline_points(runs: np.ndarray, offsets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Points (n, 2) x, y along the runs, at least every 3 px, and the blob of each."""
    blob = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    count = (runs[:, 2] - runs[:, 1]) // 3 + 2
    run = np.repeat(np.arange(len(runs)), count)
    nth = np.arange(len(run)) - np.repeat(np.cumsum(count) - count, count)
    x = runs[run, 1] + (runs[run, 2] - runs[run, 1]) * nth / (count[run] - 1)
    return np.stack([x, runs[run, 0]], 1), blob[run]


def cover(movie: Path, truth: pd.DataFrame, overrides: dict, radius: float, animals: int) -> dict:
    """Counts of one movie: true positions, covered ones, blobs judged, blobs without an animal."""
    from herdbook.artifacts.segment import Blobs, open_blob_images
    from herdbook.stages import segment

    with prepared(movie, overrides) as (command, _, folder):
        segment.main(command)
        blobs = Blobs.load(folder / "segment.h5")
        with open_blob_images(folder / "segment.h5") as images:
            runs, offsets = images.runs(0, len(blobs))
    points, owner = outline_points(runs, offsets)
    points = np.concatenate([points, np.stack([blobs.x, blobs.y], 1)])
    owner = np.concatenate([owner, np.arange(len(blobs))])
    # Frames far apart on a third axis let one tree answer for the whole movie.
    spread = 10 * radius
    tree = cKDTree(np.column_stack([points, blobs.frame[owner] * spread]))
    places = truth[["x", "y"]].to_numpy(float)
    distance, _ = tree.query(np.column_stack([places, truth["frame"] * spread]), distance_upper_bound=radius)
    needed = truth["visible_share"].to_numpy() >= 0.5 if "visible_share" in truth else np.ones(len(truth), bool)
    known = cKDTree(np.column_stack([places, truth["frame"] * spread]))
    near, _ = known.query(np.column_stack([points, blobs.frame[owner] * spread]), distance_upper_bound=radius)
    claimed = np.zeros(len(blobs), bool)
    np.logical_or.at(claimed, owner, np.isfinite(near))
    complete = truth.groupby("frame").size() == animals
    judged = np.isin(blobs.frame, complete.index[complete])
    return {
        "cells": int(needed.sum()),
        "covered": int((needed & np.isfinite(distance)).sum()),
        "frames": int(complete.sum()),
        "none": int((judged & ~claimed).sum()),
    }


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    data = parser.parse_args().data
    print(f"{'movie':10} {'covered':>9} {'no animal, per animal and frame':>34}")
    for name, (files, radius, animals) in CASES.items():
        table = pd.read_csv(data / name / "truth.csv").dropna(subset=["x", "y"])
        total = {"cells": 0, "covered": 0, "frames": 0, "none": 0}
        for file in files:
            movie = data / name / file
            mine = table[table["movie"] == movie.stem] if "movie" in table else table
            found = cover(movie, mine, MOVIES[name][1], radius, animals)
            total = {key: value + found[key] for key, value in total.items()}
        share = total["covered"] / total["cells"]
        print(f"{name:10} {share:9.5f} {total['none'] / max(1, total['frames'] * animals):34.5f}   {json.dumps(total)}", flush=True)


if __name__ == "__main__":
    main()
