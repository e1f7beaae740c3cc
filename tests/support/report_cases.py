"""Artifacts of a drawn recording that the report is made from: every animal is a rectangle that goes right on its own row."""

import json
from pathlib import Path

import numpy as np

from herdbook.artifacts.background import Background
from herdbook.artifacts.index import Index
from herdbook.artifacts.propagate import ASSUMED, CLASSIFIED, Identities
from herdbook.artifacts.smooth import Trajectories
from herdbook.artifacts.store import Provenance
from herdbook.artifacts.tracklets import Tracklets
from herdbook.movie.scanning import scan_movie
from herdbook.movie.writing import MovieWriter
from tests.support.segment_files import write_segment

FPS, LONG, WIDE, STEP = 10.0, 8, 4, 2
MIDDLE = np.array([LONG - 1, WIDE - 1]) / 2
KINDS = {"index": "index", "background": "background", "blobs": "segment", "tracklets": "tracklets", "identities": "propagate"}
KINDS |= {"trajectories": "smooth"}


def corner_of(animal, frame):
    """The animal's left upper corner; it begins anew after 20 frames."""
    return 6 + 60 * (animal // 12) + STEP * (frame % 20), 6 + 12 * (animal % 12)


def place_of(animal, frame):
    x, y = corner_of(animal, frame)
    return x + MIDDLE[0], y + MIDDLE[1]


def grey_of(animal):
    """The grey level of all its images."""
    return 20 + 10 * int(animal % 20)


def write_recording(folder, names, frames=30, *, nobody=(), arenas=(), movie="m", more=(), filmed=False):
    """The movies of a recording `day`: `movie` and `more` of the same. The animals `nobody` (numbers) have blobs, but no name.

    The movies themselves are written only if they are `filmed`. Returns the paths as `read_recording` takes them.
    """
    movies, count = [movie, *more], len(names)
    known = np.array([k for k in range(count) if k not in set(nobody)], np.int32)
    origin = Provenance("test", 1, json.dumps({"arenas": list(arenas)}))
    for one in movies:
        _write_movie(folder, one, names, frames, known, filmed, origin)
    number, who = np.repeat(np.arange(len(movies), dtype=np.int32), len(known)), np.tile(known, len(movies))
    Identities(
        movies, list(names), number, who, who, np.ones(len(who), np.float32),
        np.where(who == 0, CLASSIFIED, ASSUMED).astype(np.uint8), np.ones(count * len(movies), np.int16),
        count * np.arange(len(movies) + 1), 0.0,
    ).save(folder / "propagate" / "day.h5", origin)  # fmt: skip
    files = {kind: {path.stem: path for path in sorted((folder / stage).glob("*.h5"))} for kind, stage in KINDS.items()}
    return files | {"evidence": {}, "movie": {one: folder / f"{one}.mp4" for one in movies if filmed}}


def _write_movie(folder, movie, names, frames, known, filmed, origin):
    count = len(names)
    width, height = 72 + 60 * (max(0, count - 1) // 12), 156
    frame, animal = (column.ravel() for column in np.meshgrid(np.arange(frames), np.arange(count), indexing="ij"))
    corners = np.array([corner_of(k, at) for at, k in zip(frame, animal, strict=True)]).reshape(-1, 2)
    pts = np.arange(frames)
    if filmed:
        _film(folder / f"{movie}.mp4", corners.reshape(frames, count, 2), width, height)
        pts = scan_movie(folder / f"{movie}.mp4").pts
    Index(pts, np.arange(frames) / FPS, np.arange(frames) % 10 == 0, width, height, FPS, "h264", False, False, movie).save(
        folder / "index" / f"{movie}.h5", origin
    )
    ground = np.full((1, height, width, 3), 200, np.uint8)
    Background(ground[..., 0], ground, np.zeros(1, np.int64), ground[..., 0], ground, np.ones(1), 10).save(
        folder / "background" / f"{movie}.h5", origin
    )
    _write_blobs(folder / "segment" / f"{movie}.h5", frame, animal, corners, (frames, width, height), origin)
    ones = np.ones(count, np.int32)
    Tracklets(
        frames, animal.astype(np.int32), 0 * ones, (frames - 1) * ones, ones.astype(np.int16), ones.astype(np.float32),
        np.zeros(count, np.uint8), np.zeros(count, np.int16), ones.astype(np.float32), np.zeros((0, 2), np.int32),
        np.zeros(0, np.float32), np.zeros((0, 2), np.int64),
    ).save(folder / "tracklets" / f"{movie}.h5", origin)  # fmt: skip
    kept = np.isin(animal, known)
    x, y = (corners[kept] + MIDDLE).T
    zero = np.zeros(int(kept.sum()), np.float32)
    Trajectories(
        list(names), frames, frame[kept].astype(np.int32), animal[kept].astype(np.int32), x, y, x, y, zero, zero + 0.9,
        np.zeros(len(zero), np.uint8), zero, zero > 0,
    ).save(folder / "smooth" / f"{movie}.h5", origin)  # fmt: skip


def _write_blobs(path, frame, animal, corners, shape, origin):
    """Every fifth frame has images."""
    n = len(frame)
    x0, y0 = corners.T
    middle = corners + MIDDLE
    columns = {
        **{"frame": frame.astype(np.int32), "x": middle[:, 0], "y": middle[:, 1], "area": np.full(n, LONG * WIDE, np.int32)},
        **{"box": np.stack([x0, y0, x0 + LONG, y0 + WIDE], 1).astype(np.int32), "arena": np.zeros(n, np.int16)},
        **{"moments": np.tile(np.array([LONG**2 / 16, 0, WIDE**2 / 16], np.float32), (n, 1)), "border": np.zeros(n, bool)},
        **{"contrast": np.ones(n, np.float32), "intensity": np.ones(n, np.float32)},
    }
    runs = np.array([(y + row, x, x + LONG - 1) for x, y in corners for row in range(WIDE)]).reshape(-1, 3)
    images = []
    for blob in np.flatnonzero(frame % 5 == 0).tolist():
        box = x0[blob] - 3, y0[blob] - 3, x0[blob] + LONG + 3, y0[blob] + WIDE + 3
        images.append((blob, box, np.full((WIDE + 6, LONG + 6, 3), grey_of(animal[blob]), np.uint8)))
    frames, width, height = shape
    write_segment(
        path, columns, runs, WIDE * np.arange(n + 1), images, frames=frames, width=width, height=height, fps=FPS, provenance=origin
    )


def _film(path: Path, corners, width, height):
    with MovieWriter(path, width, height, FPS, crf=0) as writer:
        for places in corners:
            image = np.full((height, width, 3), 200, np.uint8)
            for x, y in places:
                image[y : y + WIDE, x : x + LONG] = 60
            writer.write(image)
