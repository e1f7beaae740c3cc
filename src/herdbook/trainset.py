"""Stage trainset: points that a person named become example images of whole tracklets."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from herdbook.artifacts import SINGLE, Blobs, Tracklets, TrainingSet, open_blob_images
from herdbook.check import label_place_faults
from herdbook.crops import crop_width, make_crops, spread_rows
from herdbook.errors import HerdbookError
from herdbook.intervals import interval_of
from herdbook.linking import body_length
from herdbook.sheets import Label, read_labels
from herdbook.stage import Job, run_stage

STAGE = "trainset"
STAGE_VERSION = 2

# A click this far (px) beside a blob is still meant for it when it is the nearest one.
REACH_PX = 10.0


def labelled_tracklets(
    labels: Sequence[Label], blobs: Blobs, tracklets: Tracklets, runs_of: "RunsOf", homes: Mapping[str, int]
) -> tuple[dict[int, str], list[str]]:
    """The label of each labelled single tracklet of one movie, and the notes on labels that could not be used.

    A point belongs to the blob under it, or else to the nearest one within REACH_PX. `homes` tells the number of each identity's arena.
    """
    found: dict[int, dict[str, Label]] = defaultdict(dict)
    notes = []
    offsets = blobs.frame_offsets
    for label in labels:
        where = f"line {label.line} ({label.movie}, frame {label.frame}, {label.label})"
        if interval_of(label.frame, blobs.intervals) < 0:
            notes.append(f"{where}: the frame is outside of segment.intervals")
            continue
        blob = _blob_at(label, blobs, int(offsets[label.frame]), int(offsets[label.frame + 1]), runs_of)
        if blob is None:
            notes.append(f"{where}: there is no blob at ({label.x:g}, {label.y:g})")
            continue
        if homes.get(label.label, blobs.arena[blob]) != blobs.arena[blob]:
            notes.append(f"{where}: the animal lives in another arena")
            continue
        tracklet = int(tracklets.blob_tracklet[blob])
        if tracklets.tracklet_kind[tracklet] != SINGLE:
            notes.append(f"{where}: the blob holds {tracklets.animals[tracklet]} animals, not one")
            continue
        found[tracklet][label.label] = label
    for named in found.values():
        if len(named) > 1:
            lines = ", ".join(f"line {label.line} says {name}" for name, label in named.items())
            notes.append(f"contradictory labels on one tracklet of {next(iter(named.values())).movie}: {lines}; none is used")
    return {tracklet: next(iter(named)) for tracklet, named in found.items() if len(named) == 1}, notes


class RunsOf:
    """Outline of a blob, read from the segment artifact when it is asked for."""

    def __init__(self, images: object) -> None:
        self._images = images

    def __call__(self, blob: int) -> NDArray[np.int32]:
        """Runs (r, 3) int32 of one blob."""
        runs: NDArray[np.int32] = self._images.runs(blob, blob + 1)[0]  # type: ignore[attr-defined]
        return runs


def _blob_at(label: Label, blobs: Blobs, start: int, stop: int, runs_of: RunsOf) -> int | None:
    x0, y0, x1, y1 = blobs.box[start:stop].T
    away = np.hypot(np.maximum(0, np.maximum(x0 - label.x, label.x - x1 + 1)), np.maximum(0, np.maximum(y0 - label.y, label.y - y1 + 1)))
    near = {start + int(blob): _distance(runs_of(start + int(blob)), label.x, label.y) for blob in np.flatnonzero(away <= REACH_PX)}
    nearest = min(near, key=near.__getitem__, default=None)
    return nearest if nearest is not None and near[nearest] <= REACH_PX else None


def _distance(runs: NDArray[np.int32], x: float, y: float) -> float:
    """Distance (px) from a point to the nearest pixel of a blob."""
    row, first, last = runs.T
    return float(np.hypot(np.maximum(0, np.maximum(first - x, x - last)), row - y).min())


def coexisting_pairs(movie: NDArray[np.int32], first: NDArray[np.int32], last: NDArray[np.int32]) -> NDArray[np.int32]:
    """Pairs (p, 2) of groups of one movie that share a frame, hence show two animals."""
    together = (movie[:, None] == movie) & (first[:, None] <= last) & (first <= last[:, None])
    return np.argwhere(np.triu(together, 1)).astype(np.int32)


def _work(job: Job) -> None:
    settings = job.settings
    classes = [*settings["identities"], *settings["other_labels"]]
    labels = read_labels(job.file("labels"), [path.stem for path in job.files["blobs"]], classes)
    all_blobs = {path.stem: Blobs.load(path) for path in job.files["blobs"]}
    places = label_place_faults(
        labels,
        {name: blobs.frames for name, blobs in all_blobs.items()},
        {name: (blobs.width, blobs.height) for name, blobs in all_blobs.items()},
    )
    if places:
        more = [f"and {len(places) - 10} more"] if len(places) > 10 else []
        title = f"{job.file('labels')}: these labels lie outside of their movie; correct or delete their lines:"
        raise HerdbookError("\n  ".join([title, *places[:10], *more]))
    homes = {name: number for number, names in enumerate(settings["homes"]) for name in names}
    width = settings["crop_width"] or crop_width(float(np.median([body_length(b.moments) for b in all_blobs.values()])))
    notes: list[str] = []
    images, label_of, frames, groups = [], [], [], []
    group_movie: list[int] = []
    group_tracklet: list[int] = []
    spans: list[tuple[int, int]] = []
    movies = list(all_blobs)
    for number, (path, tracklets_path) in enumerate(zip(job.files["blobs"], job.files["tracklets"], strict=True)):
        blobs, tracklets = all_blobs[path.stem], Tracklets.load(tracklets_path)
        with open_blob_images(path) as blob_images:
            mine = [label for label in labels if label.movie == path.stem]
            named, problems = labelled_tracklets(mine, blobs, tracklets, RunsOf(blob_images), homes)
            notes += problems
            chosen = spread_rows(*tracklets.blob_rows(), blobs.image >= 0, settings["images_per_tracklet"])
            for tracklet, name in sorted(named.items()):
                rows = chosen[tracklet]
                images.append(make_crops(blob_images, blobs, rows, width))
                label_of.append(np.full(len(rows), classes.index(name), np.int32))
                frames.append(blobs.frame[rows])
                groups.append(np.full(len(rows), len(group_movie), np.int32))
                group_movie.append(number)
                group_tracklet.append(tracklet)
                spans.append((int(tracklets.first[tracklet]), int(tracklets.last[tracklet])))
    _check(settings["identities"], classes, label_of, job, notes)
    movie = np.array(group_movie, np.int32)
    first, last = np.array(spans, np.int32).reshape(-1, 2).T
    TrainingSet(
        classes=classes,
        movies=movies,
        notes=notes,
        crop_width=width,
        images=np.concatenate(images),
        label=np.concatenate(label_of),
        frame=np.concatenate(frames),
        group=np.concatenate(groups),
        group_movie=movie,
        group_tracklet=np.array(group_tracklet, np.int32),
        coexisting=coexisting_pairs(movie, first, last),
    ).save(job.file("out"), job.provenance())
    for note in notes:
        print(f"label not used: {note}")


def _check(identities: list[str], classes: list[str], labels: list[NDArray[np.int32]], job: Job, notes: list[str]) -> None:
    seen = {classes[k] for part in labels for k in part}
    missing = [name for name in identities if name not in seen]
    for name in missing:
        notes.append(f"{name}: no usable label; this animal can only be found by elimination")
    needed, found = min(2, len(identities)), len(seen & set(identities))
    if found < needed:
        reasons = "\n  ".join(notes[:10])
        raise HerdbookError(
            f"{job.file('labels')}: at least {needed} of the identities must have usable labels, found {found}. "
            f"Label points on animals that are apart from others.\n  {reasons}"
        )


def main(argv: Sequence[str] | None = None) -> None:
    """Run the stage from its command line."""
    run_stage(STAGE, STAGE_VERSION, _work, one=("labels", "out"), many=("blobs", "tracklets"), argv=argv)


if __name__ == "__main__":
    main()
