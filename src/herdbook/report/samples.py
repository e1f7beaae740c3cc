"""A few frames of a recording with the outlines of the blobs, to see what was found in them and what was not.

The frames are decoded, and not put together from the background and the images of blobs: an animal that was missed has no blob, and only
the frame itself shows it. They lie shortly after keyframes, so that few others must be decoded on the way.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from herdbook.arrays import Floats
from herdbook.artifacts.index import Index
from herdbook.artifacts.propagate import Identities
from herdbook.artifacts.segment import Blobs, open_blob_images
from herdbook.artifacts.smooth import Trajectories
from herdbook.artifacts.store import open_artifact, read_column
from herdbook.artifacts.tracklets import Tracklets
from herdbook.movie.reading import read_frame_samples

# A frame this far after a keyframe costs at most about 0.2 s of decoding at 1920 x 1080.
REACH_FRAMES = 60
NOBODY, SEVERAL = "", "\0several"


@dataclass(frozen=True)
class SampleFrame:
    """Frame `frame` of a movie: `image` uint8 (height, width, 3) BGR; `outlines`, points (k, 2) px of each closed line and whose it is: the
    animal's name, SEVERAL, or NOBODY where no name is known; `names` and places `xy` (n, 2) px of the animals that have a position.
    """

    movie: str
    frame: int
    time_s: float
    image: NDArray[np.uint8]
    outlines: Sequence[tuple[Floats, str]]
    names: Sequence[str]
    xy: Floats


def pick_frames(keyframe: NDArray[np.bool_], intervals: NDArray[np.int64], targets: Sequence[int]) -> list[int]:
    """The frames nearest to the targets that are tracked and lie at most REACH_FRAMES after a keyframe, in order, each once.

    `keyframe` (frames,); `intervals` (k, 2) first and end of the tracked frames.
    """
    frames = np.arange(len(keyframe))
    since = frames - np.maximum.accumulate(np.where(keyframe, frames, -len(frames)))
    tracked = np.zeros(len(frames), bool)
    for first, end in intervals.tolist():
        tracked[first:end] = True
    near = np.flatnonzero(tracked & (since <= REACH_FRAMES))
    return sorted({int(near[np.abs(near - target).argmin()]) for target in targets}) if len(near) else []


def read_samples(movie: str, files: dict[str, Path], identities: Identities, targets: Sequence[int], start_s: float) -> list[SampleFrame]:
    """Frames of one movie near the targets; `files` are the paths of movie, index, blobs, tracklets and trajectories.

    `start_s`: when the movie begins in its recording.
    """
    index = Index.load(files["index"])
    with open_artifact(files["blobs"], Blobs.kind) as file:
        intervals, blob_frame = read_column(file, "intervals"), read_column(file, "frame")
    chosen = pick_frames(index.keyframe, intervals, targets)
    if not chosen:
        return []
    tracklets = Tracklets.load(files["tracklets"])
    owners = tracklet_owners(movie, len(tracklets), identities)
    tracks = Trajectories.load(files["trajectories"], without=("x_raw", "y_raw", "heading", "confidence", "disagreement", "jump"))
    samples = []
    with open_blob_images(files["blobs"]) as images:
        for picture in read_frame_samples(files["movie"], index, chosen):
            first, last = np.searchsorted(blob_frame, [picture.index, picture.index + 1])
            outlines: list[tuple[Floats, str]] = []
            if first < last:
                runs, offsets = images.runs(int(first), int(last))
                for k, tracklet in enumerate(tracklets.blob_tracklet[first:last].tolist()):
                    owner = owners[tracklet] if tracklet >= 0 else NOBODY
                    outlines += [(line, owner) for line in outline_runs(runs[offsets[k] : offsets[k + 1]])]
            rows = np.flatnonzero(tracks.frame == picture.index)
            samples.append(
                SampleFrame(
                    movie=movie,
                    frame=picture.index,
                    time_s=start_s + float(index.time_s[picture.index]),
                    image=picture.bgr().copy(),
                    outlines=outlines,
                    names=[tracks.individuals[k] for k in tracks.individual[rows]],
                    xy=np.stack([tracks.x[rows], tracks.y[rows]], axis=1),
                )
            )
    return samples


def tracklet_owners(movie: str, tracklets: int, identities: Identities) -> list[str]:
    """Whose the outline of each tracklet of a movie is: the one animal in it, SEVERAL, or NOBODY."""
    animals = identities.animals_of(movie)
    owners = [SEVERAL if animals[k] > 1 else NOBODY for k in range(tracklets)]
    mine = identities.movie == identities.movies.index(movie)
    for tracklet, individual in zip(identities.tracklet[mine].tolist(), identities.individual[mine].tolist(), strict=True):
        if animals[tracklet] == 1:
            owners[tracklet] = identities.individuals[individual]
    return owners


def outline_runs(runs: NDArray[np.int32]) -> list[Floats]:
    """The closed lines (k, 2) px around the pixels of a blob, from its runs (r, 3) row, first, last column."""
    top, left = int(runs[:, 0].min()), int(runs[:, 1].min())
    mask = np.zeros((int(runs[:, 0].max()) - top + 1, int(runs[:, 2].max()) - left + 1), np.uint8)
    for row, first, last in runs.tolist():
        mask[row - top, first - left : last - left + 1] = 1
    lines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    return [line.reshape(-1, 2) + np.array([left, top], np.float64) for line in lines]
