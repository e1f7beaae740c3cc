"""Stage smooth: positions of everybody in every frame of a movie, smoothed by LK-RSTC."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray

from herdbook.artifacts import Blobs, Identities, Index, Tracklets, Trajectories, open_blob_images
from herdbook.errors import HerdbookError
from herdbook.geometry import orientation
from herdbook.lkrstc import smooth_points, window_frames
from herdbook.movie import read_frames
from herdbook.positions import Scene, Table, fill_gaps, head_directions, locate_animals
from herdbook.progress import progress
from herdbook.stage import Job, run_stage

STAGE = "smooth"
STAGE_VERSION = 2


def make_scene(blobs: Blobs, tracklets: Tracklets, identities: Identities, movie: str) -> Scene:
    """What positions need to know of a movie."""
    occupants: dict[int, list[tuple[int, float]]] = defaultdict(list)
    mine = identities.movie == identities.movies.index(movie)
    columns = (identities.tracklet[mine], identities.individual[mine], identities.confidence[mine])
    for tracklet, individual, confidence in zip(*columns, strict=True):
        occupants[int(tracklet)].append((int(individual), float(confidence)))
    parents, children = defaultdict(list), defaultdict(list)
    for parent, child in tracklets.edges:
        parents[int(child)].append(int(parent))
        children[int(parent)].append(int(child))
    xx, xy, yy = blobs.moments.T
    middle, half = (xx + yy) / 2, np.sqrt(((xx - yy) / 2) ** 2 + xy**2)
    animals = identities.animals_of(movie)
    alone = animals[tracklets.blob_tracklet] == 1
    if not alone.any():
        alone = np.ones(len(blobs), bool)
    variances = (float(np.median((middle + half)[alone])), float(np.median((middle - half)[alone])) + 1e-6) if len(blobs) else (1.0, 1.0)
    return Scene(
        frame=blobs.frame.astype(np.int64),
        x=blobs.x,
        y=blobs.y,
        angle=np.asarray(orientation(xx, xy, yy)),
        tracklet=tracklets.blob_tracklet.astype(np.int64),
        animals=animals.astype(np.int64),
        occupants=dict(occupants),
        parents=dict(parents),
        children=dict(children),
        variances=variances,
    )


def cut_scene(scene: Scene, start: int, stop: int) -> Scene:
    """The scene of the blobs start .. stop - 1 alone."""
    return replace(scene, **{name: getattr(scene, name)[start:stop] for name in ("frame", "x", "y", "angle", "tracklet")})


def slots_of(table: Table, pause_frames: int) -> NDArray[np.int64]:
    """A column for each row of the table such that individuals share one only with a pause of at least `pause_frames` between them.

    A few animals at a time make thousands of fragments; smoothing them in shared columns costs what the animals in view cost.
    """
    slot = np.zeros(int(table.individual.max(initial=-1)) + 1, np.int64)
    first = np.full(len(slot), np.iinfo(np.int64).max)
    last = np.full(len(slot), -1)
    np.minimum.at(first, table.individual, table.frame)
    np.maximum.at(last, table.individual, table.frame)
    free: list[int] = []
    for individual in np.argsort(first, kind="stable"):
        if last[individual] < 0:
            continue
        reusable = next((k for k, end in enumerate(free) if end + pause_frames < first[individual]), None)
        if reusable is None:
            free.append(0)
            reusable = len(free) - 1
        free[reusable] = int(last[individual])
        slot[individual] = reusable
    return slot[table.individual]


def smooth_places(
    table: Table, frames: Iterable[NDArray[np.uint8]], interval: tuple[int, int], size: tuple[int, int], window: int
) -> NDArray[np.float64]:
    """The places (n, 2) px of the table's rows, smoothed over windows of so many frames; `frames` are the grey images (h, w) uint8 of the
    interval, first frame and end, that all rows lie in, `size` their width and height.
    """
    slot = slots_of(table, window)
    points = np.full((interval[1] - interval[0], int(slot.max()) + 1, 2), np.nan)
    rows = table.frame - interval[0], slot
    points[rows] = np.clip(np.stack([table.x, table.y], 1), 0, np.array(size) - 1)
    return smooth_points(frames, points, window).smoothed[rows]


def _runs_of(runs: NDArray[np.int32], offsets: NDArray[np.int64], blob: int) -> NDArray[np.int32]:
    return runs[offsets[blob] : offsets[blob + 1]]


def _work(job: Job) -> None:
    cv2.setNumThreads(job.threads)
    settings, movie = job.settings, job.file("movie")
    index, blobs = Index.load(job.file("index")), Blobs.load(job.file("blobs"))
    identities = Identities.load(job.file("identities"))
    scene = make_scene(blobs, Tracklets.load(job.file("tracklets")), identities, job.file("blobs").stem)
    window = window_frames(settings["window_s"], index.fps)
    with open_blob_images(job.file("blobs")) as images:
        runs, offsets = images.runs(0, len(blobs))
    tables, places = [], []
    # Nothing is known between intervals: each is located, filled and smoothed on its own.
    for first, end in blobs.intervals.tolist():
        start, stop = np.searchsorted(blobs.frame, (first, end)).tolist()
        own_runs, own_offsets = runs[offsets[start] : offsets[stop]], offsets[start : stop + 1] - offsets[start]
        found = locate_animals(cut_scene(scene, start, stop), partial(_runs_of, own_runs, own_offsets))
        tables.append(fill_gaps(found, max(1, window)))
        if settings["method"] == "none" or end - first == 1 or not len(tables[-1]):
            places.append(np.stack([tables[-1].x, tables[-1].y], 1))
            continue
        if not 2 <= window <= end - first:
            raise HerdbookError(
                f"{movie}: smooth.window_s of {settings['window_s']} s is {window} frames at {index.fps:.3g} frames per second; it must be "
                f"at least 2 and at most the {end - first} frames of the "
                + ("movie." if len(blobs.intervals) == 1 else f"interval [{first}, {end}].")
            )
        frames = progress(read_frames(movie, index.pts, first, end), total=end - first, stage=STAGE)
        places.append(smooth_places(tables[-1], (frame.grey() for frame in frames), (first, end), (index.width, index.height), window))
    table = Table(*(np.concatenate([getattr(part, name) for part in tables]) for name in Table.__dataclass_fields__))
    x, y = np.concatenate(places).T
    Trajectories(
        individuals=identities.individuals,
        frames=len(index),
        frame=table.frame.astype(np.int32),
        individual=table.individual.astype(np.int32),
        x=x,
        y=y,
        x_raw=table.x,
        y_raw=table.y,
        heading=head_directions(table),
        confidence=table.confidence.astype(np.float32),
        source=table.source,
    ).save(job.file("out"), job.provenance())


def main(argv: Sequence[str] | None = None) -> None:
    """Run the stage from its command line."""
    run_stage(STAGE, STAGE_VERSION, _work, one=("movie", "index", "blobs", "tracklets", "identities", "out"), argv=argv)


if __name__ == "__main__":
    main()
