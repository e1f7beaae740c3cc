"""A picture of each animal by which a person knows it: from the longest of the tracklets that are surely its own."""

from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from herdbook.app.watching.reviewed import result_of
from herdbook.artifacts.propagate import LABELLED, Identities
from herdbook.artifacts.segment import Blobs, open_blob_images
from herdbook.artifacts.tracklets import Tracklets
from herdbook.experiment.model import Experiment
from herdbook.report.strips import on_ground

# A tracklet shows an animal when it is this surely the animal's; without such a one, its longest tracklet does.
SURE = 0.99
# At most so large (px) is a picture on the longer side.
MOST_PX = 160


def portraits(experiment: Experiment, recording: str) -> dict[str, bytes]:
    """A JPEG by name for each animal of a recording that is anywhere alone."""
    identities = Identities.load(result_of(experiment, recording))
    best: dict[str, tuple[tuple[bool, bool, int], str, int]] = {}
    parts: dict[str, Tracklets] = {}
    for number, movie in enumerate(identities.movies):
        parts[movie] = Tracklets.load(experiment.artifact("tracklets", movie))
        mine = identities.movie == number
        tracklet, sure, how = identities.tracklet[mine], identities.confidence[mine] >= SURE, identities.how[mine] == LABELLED
        alone = identities.animals_of(movie)[tracklet] == 1
        long = (parts[movie].last - parts[movie].first)[tracklet]
        for k in np.flatnonzero(alone).tolist():
            name = identities.individuals[int(identities.individual[mine][k])]
            rank = (bool(sure[k]), bool(how[k]), int(long[k]))
            if name not in best or rank > best[name][0]:
                best[name] = (rank, movie, int(tracklet[k]))
    found: dict[str, bytes] = {}
    for movie, part in parts.items():
        wanted = {name: tracklet for name, (_, where, tracklet) in best.items() if where == movie}
        found |= _pictures(experiment.artifact("segment", movie), part, wanted) if wanted else {}
    return found


def _pictures(path: Path, tracklets: Tracklets, wanted: Mapping[str, int]) -> dict[str, bytes]:
    """The picture in the middle of each of the tracklets."""
    blobs = Blobs.load(path, without=set(Blobs.columns) - {"frame", "image"})
    found = {}
    with open_blob_images(path) as images:
        for name, tracklet in wanted.items():
            rows = np.flatnonzero((tracklets.blob_tracklet == tracklet) & (blobs.image >= 0))
            if len(rows):
                found[name] = as_jpeg(on_ground(images.image(int(blobs.image[rows[len(rows) // 2]]))))
    return found


def as_jpeg(image: NDArray[np.uint8]) -> bytes:
    """An image, made smaller if it is large."""
    scale = min(1.0, MOST_PX / max(image.shape[:2]))
    if scale < 1:
        image = np.asarray(cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
    return cv2.imencode(".jpg", image)[1].tobytes()
