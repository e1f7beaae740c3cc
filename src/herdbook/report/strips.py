"""Images for the review list: the animal of each doubtful span at several moments, and surely known images of those that it can be."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from herdbook.arrays import Image
from herdbook.artifacts.images import MARGIN_PX
from herdbook.artifacts.propagate import Identities
from herdbook.artifacts.segment import BlobImage, BlobImages, Blobs, open_blob_images
from herdbook.artifacts.tracklets import Tracklets
from herdbook.identity.doubts import Doubt

Files = Mapping[str, Mapping[str, Path]]

MOST_IMAGES, MOST_CANDIDATES = 7, 3
# An image shows a candidate when its tracklet is this surely the animal's.
LEAST_CONFIDENCE = 0.99
# What was there before and after is looked for within so many frames, and so many times the square root of the blob's area.
REACH_FRAMES, REACH_SIZES = 60, 2.0
GROUND = 235


@dataclass(frozen=True)
class Strip:
    """Images of a doubtful span, uint8 (height, width, 3) BGR of various sizes around the animal: `images` of it in the `frames` of its
    movie, that of the doubt at `place` among them (-1 for none); `inside` tells which are of the same blob throughout, the others are what
    was there before and after it. `candidates`: who it can be, with an image or None for each.
    """

    doubt: Doubt
    images: Sequence[Image]
    frames: Sequence[int]
    place: int
    inside: Sequence[bool]
    candidates: Sequence[tuple[str, Image | None]]


def read_strips(doubts: Sequence[Doubt], files: Files, recordings: Mapping[str, Sequence[str]]) -> list[Strip]:
    """A strip for each row of a review list; `files` are the paths of blobs and tracklets by movie, of identities by recording.

    `recordings`: movies by recording.
    """
    found: dict[int, Strip] = {}
    for recording, movies in recordings.items():
        mine = {movie: [k for k, doubt in enumerate(doubts) if doubt.movie == movie] for movie in movies}
        if not any(mine.values()):
            continue
        identities = Identities.load(files["identities"][recording])
        for movie, rows in mine.items():
            if rows:
                source = _Source(movie, files, identities)
                with open_blob_images(files["blobs"][movie]) as images:
                    found |= {k: source.strip(doubts[k], images) for k in rows}
    return [found[k] for k in sorted(found)]


def spread_rows(rows: NDArray[np.int64], frames: NDArray[np.int32], frame: int, most: int) -> tuple[NDArray[np.int64], int]:
    """At most `most` of the rows (n,), spread over them, with the one whose frame (n,) is nearest to `frame`; and its place among them."""
    if not len(rows):
        return rows, -1
    middle = int(np.abs(frames.astype(np.int64) - frame).argmin())
    chosen = np.unique(np.linspace(0, len(rows) - 1, min(most, len(rows))).round().astype(np.int64))
    chosen[np.abs(chosen - middle).argmin()] = middle
    return rows[chosen], int(np.flatnonzero(chosen == middle)[0])


def on_ground(image: BlobImage) -> Image:
    """The blob's image with what was blanked around it as a light ground."""
    near = cv2.dilate(image.mask.astype(np.uint8), np.ones((2 * MARGIN_PX + 1, 2 * MARGIN_PX + 1), np.uint8)) > 0
    return np.where(near[..., None], image.pixels, np.uint8(GROUND))


def candidates_of(doubt: Doubt, names: Sequence[str]) -> list[str]:
    """Those of the individuals `names` that a doubtful span can be, the most probable first."""
    listed = [doubt.name, *(part.rpartition(" ")[0] for part in doubt.others.split("; ")), *doubt.assigned.split()]
    return [name for name in dict.fromkeys(listed) if name in names][:MOST_CANDIDATES]


class _Source:
    """Blobs, tracklets and identities of one movie, to find images in."""

    def __init__(self, movie: str, files: Files, identities: Identities) -> None:
        kept = ("frame", "x", "y", "area", "image")
        self.blobs = Blobs.load(files["blobs"][movie], without=[name for name in Blobs.columns if name not in kept])
        self.tracklets = Tracklets.load(files["tracklets"][movie])
        self.names = identities.individuals
        mine = identities.movie == identities.movies.index(movie)
        self.tracklet, self.individual = identities.tracklet[mine], identities.individual[mine]
        self.sure = (identities.confidence[mine] >= LEAST_CONFIDENCE) & (identities.animals_of(movie)[self.tracklet] == 1)
        self.length = (self.tracklets.last - self.tracklets.first)[self.tracklet]

    def strip(self, doubt: Doubt, images: BlobImages) -> Strip:
        first, last = np.searchsorted(self.blobs.frame, [doubt.frame, doubt.frame + 1])
        tracklet = -1
        if first < last:
            apart = np.hypot(self.blobs.x[first:last] - doubt.x, self.blobs.y[first:last] - doubt.y)
            tracklet = int(self.tracklets.blob_tracklet[first + int(apart.argmin())])
        rows, place = self._images(tracklet, doubt.frame, MOST_IMAGES)
        lacking = MOST_IMAGES - len(rows)
        before = self._follow(rows[:1], -1, lacking // 2)[::-1]
        after = self._follow(rows[-1:], 1, lacking - len(before))
        inside = [False] * len(before) + [True] * len(rows) + [False] * len(after)
        rows, place = np.concatenate([before, rows, after]), place + len(before) if len(rows) else -1
        candidates = [(name, self._sure_image(name, tracklet, images)) for name in candidates_of(doubt, self.names)]
        shown = [on_ground(images.image(int(self.blobs.image[row]))) for row in rows]
        return Strip(doubt, shown, self.blobs.frame[rows].tolist(), place, inside, candidates)

    def _images(self, tracklet: int, frame: int, most: int) -> tuple[NDArray[np.int64], int]:
        rows = np.flatnonzero((self.tracklets.blob_tracklet == tracklet) & (self.blobs.image >= 0)) if tracklet >= 0 else np.zeros(0, int)
        return spread_rows(rows, self.blobs.frame[rows], frame, most)

    def _follow(self, start: NDArray[np.int64], way: int, most: int) -> NDArray[np.int64]:
        """At most `most` rows with an image in frames before (`way` -1) or after (1) a row, each near the one before it."""
        followed: list[int] = []
        at = int(start[0]) if len(start) else -1
        while at >= 0 and len(followed) < most:
            frame = int(self.blobs.frame[at])
            window = (frame + 1, frame + 1 + REACH_FRAMES) if way > 0 else (frame - REACH_FRAMES, frame)
            rows = np.arange(*np.searchsorted(self.blobs.frame, window))
            apart = np.hypot(self.blobs.x[rows] - self.blobs.x[at], self.blobs.y[rows] - self.blobs.y[at])
            near = rows[(self.blobs.image[rows] >= 0) & (apart <= REACH_SIZES * np.sqrt(self.blobs.area[at]))]
            away = np.abs(self.blobs.frame[near] - frame)
            near = near[away == away.min(initial=REACH_FRAMES + 1)]
            place = np.hypot(self.blobs.x[near] - self.blobs.x[at], self.blobs.y[near] - self.blobs.y[at])
            at = int(near[place.argmin()]) if len(near) else -1
            followed += [at] if at >= 0 else []
        return np.array(followed, np.int64)

    def _sure_image(self, name: str, other_than: int, images: BlobImages) -> Image | None:
        """An image of the individual in the longest of the tracklets that are surely its own."""
        rows = np.flatnonzero(self.sure & (self.individual == self.names.index(name)) & (self.tracklet != other_than))
        for row in rows[np.argsort(-self.length[rows], kind="stable")]:
            tracklet = int(self.tracklet[row])
            middle = (int(self.tracklets.first[tracklet]) + int(self.tracklets.last[tracklet])) // 2
            found, _ = self._images(tracklet, middle, 1)
            if len(found):
                return on_ground(images.image(int(self.blobs.image[found[0]])))
        return None
