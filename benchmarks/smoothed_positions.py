"""What smoothing does to the positions of animals: error against the truth and jitter, before and after.

    python benchmarks/smoothed_positions.py RESULTS TRUTH.csv

RESULTS is the folder of a finished experiment (`real_movies.py --work` keeps one). Error is the distance to the truth (px) of the same
individual; jitter the median size of the second difference over time (px). Where the truth has the direction of the head (theta, rad), the
share of headings that point to the other end of the body is told, too.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from herdbook.artifacts.smooth import Trajectories

FAR_PX = 20.0


def places_of(
    frame: NDArray[np.int64], individual: NDArray[np.int64], xy: NDArray[np.float64], shape: tuple[int, int]
) -> NDArray[np.float64]:
    """Places (frames, individuals, 2), NaN where there is none."""
    places = np.full((*shape, 2), np.nan)
    places[frame, individual] = xy
    return places


def row(places: NDArray[np.float64], truth: NDArray[np.float64]) -> str:
    """Errors and jitter in the columns of the table."""
    error = np.hypot(*np.moveaxis(places - truth, -1, 0))
    error = error[np.isfinite(error)]
    jitter = np.nanmedian(np.hypot(*np.moveaxis(np.diff(places, 2, axis=0), -1, 0)))
    figures = error.mean(), np.median(error), np.sqrt(np.mean(error**2)), np.mean(error > FAR_PX), jitter
    return " | ".join(f"{figure:.5f}" if k == 3 else f"{figure:.4f}" for k, figure in enumerate(figures))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path)
    parser.add_argument("truth", type=Path)
    arguments = parser.parse_args()
    table = pd.read_csv(arguments.truth)
    print(f"| movie | window (frames) | | mean px | median px | root mean square px | beyond {FAR_PX:g} px | jitter px |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    files = [file for file in sorted((arguments.results / "smooth").glob("*.h5")) if not file.stem.endswith(".points")]
    for file in files:
        tracks = Trajectories.load(file)
        own = table[(table["movie"] == file.stem) & table["identity"].isin(tracks.individuals)]
        shape = max(tracks.frames, int(own["frame"].max()) + 1), len(tracks.individuals)
        who = own["identity"].map({name: k for k, name in enumerate(tracks.individuals)}).to_numpy()
        truth = places_of(own["frame"].to_numpy(), who, own[["x", "y"]].to_numpy(), shape)
        for name, x, y in (("before", tracks.x_raw, tracks.y_raw), ("after", tracks.x, tracks.y)):
            places = places_of(tracks.frame.astype(np.int64), tracks.individual.astype(np.int64), np.stack([x, y], 1), shape)
            print(f"| {file.stem} | {tracks.windows} | {name} | {row(places, truth)} |")
        if "theta" in own:
            theta = np.full(shape, np.nan)
            theta[own["frame"], who] = own["theta"]
            turned = np.cos(tracks.heading - theta[tracks.frame, tracks.individual])
            print(f"| {file.stem} | | heads at the wrong end: {np.mean(turned[np.isfinite(turned)] < 0):.4f} | | | | | |")


if __name__ == "__main__":
    main()
