"""Which animals a movie's blobs show, by a truth table: a true point belongs to the blob whose pixels hold it or lie nearest."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from herdbook.artifacts.propagate import Identities
from herdbook.artifacts.segment import Blobs, open_blob_images
from herdbook.artifacts.tracklets import SINGLE, Tracklets

NOBODY = -1


@dataclass(frozen=True)
class TrueBlobs:
    """The blobs of a movie, its tracklets, and who is in each blob.

    `blob` int64 (cells,): the blob of each true point, NOBODY where none is within the radius; `who` int64 (cells,): its animal; `frame`.
    """

    blobs: Blobs
    tracklets: Tracklets
    blob: np.ndarray
    who: np.ndarray
    frame: np.ndarray

    @property
    def count(self) -> np.ndarray:
        """How many animals are in each blob, (blobs,)."""
        return np.bincount(self.blob[self.blob >= 0], minlength=len(self.blobs))

    @property
    def alone(self) -> np.ndarray:
        """The animal of each blob, (blobs,), NOBODY where there is none or are several."""
        found = np.full(len(self.blobs), NOBODY)
        inside = self.blob >= 0
        found[self.blob[inside]] = self.who[inside]
        return np.where(self.count == 1, found, NOBODY)

    def main_animal(self, animals: int) -> tuple[np.ndarray, np.ndarray]:
        """The animal that is in most frames of each tracklet, (tracklets,), NOBODY for none, and the share of its frames."""
        inside = self.blob >= 0
        tracklet = self.tracklets.blob_tracklet[self.blob[inside]]
        frames = np.zeros((len(self.tracklets), animals))
        np.add.at(frames, (tracklet, self.who[inside]), 1)
        length = np.bincount(self.tracklets.blob_tracklet, minlength=len(self.tracklets))
        return np.where(frames.any(axis=1), frames.argmax(axis=1), NOBODY), frames.max(axis=1) / length


def find_blobs(results: Path, movie: str, truth: pd.DataFrame, names: list[str], radius_px: float) -> TrueBlobs:
    """Bring the truth of a movie together with the blobs and tracklets in a folder of results."""
    file = results / "segment" / f"{movie}.h5"
    blobs, tracklets = Blobs.load(file), Tracklets.load(results / "tracklets" / f"{movie}.h5")
    with open_blob_images(file) as images:
        runs, offsets = images.runs(0, len(blobs))
    owner = np.repeat(np.arange(len(blobs)), np.diff(offsets))
    mine = truth[truth["movie"] == movie].dropna(subset=["x", "y"]).sort_values("frame")
    frame, x, y = (mine[name].to_numpy() for name in ("frame", "x", "y"))
    found = np.full(len(mine), NOBODY)
    for rows in np.split(np.arange(len(mine)), np.flatnonzero(np.diff(frame)) + 1):
        first, last = np.searchsorted(blobs.frame, (frame[rows[0]], frame[rows[0]] + 1))
        part = slice(offsets[first], offsets[last])
        if first == last:
            continue
        row, left, right = runs[part].T
        beside = np.maximum(0, np.maximum(left - x[rows, None], x[rows, None] - right))
        distance = np.hypot(beside, row - y[rows, None])
        near = distance.min(axis=1) <= radius_px
        found[rows[near]] = owner[part][distance.argmin(axis=1)[near]]
    return TrueBlobs(blobs, tracklets, found, pd.Index(names).get_indexer(mine["individual"]), frame)


def tracklet_figures(true: TrueBlobs, animals: int, identities: Identities, movie: str) -> dict[str, int]:
    """Frames that the tracklets of a movie have, and how many of them are right; `recounted`: by the count over the whole recording."""
    tracklets, blob_tracklet = true.tracklets, true.tracklets.blob_tracklet
    main, share = true.main_animal(animals)
    recount = identities.animals_of(movie)
    figures = {"blobs": len(true.blobs)}
    for name, count, single in (
        ("counted", tracklets.animals, tracklets.tracklet_kind == SINGLE),
        ("recounted", recount, recount == 1),
    ):
        inside = single[blob_tracklet]
        figures |= {
            f"{name} right": int((count[blob_tracklet] == true.count).sum()),
            f"{name} single": int(inside.sum()),
            f"{name} pure": int((inside & (true.alone == main[blob_tracklet]) & (true.alone >= 0)).sum()),
            f"{name} throughout": int((inside & (share == 1)[blob_tracklet]).sum()),
        }
    return figures


def judge_names(true: TrueBlobs, identities: Identities, movie: str) -> pd.DataFrame:
    """Whether the animal of each true point is `named` anywhere in its frame, with which `confidence`, and `right`: where it is.

    Individuals are numbered as the animals of the truth.
    """
    mine = np.flatnonzero(identities.movie == identities.movies.index(movie))
    shape = true.tracklets.frames, len(identities.individuals)
    held, confidence = np.full(shape, NOBODY), np.zeros(shape)
    for tracklet, who, sure in zip(identities.tracklet[mine], identities.individual[mine], identities.confidence[mine], strict=True):
        frames = slice(true.tracklets.first[tracklet], true.tracklets.last[tracklet] + 1)
        held[frames, who], confidence[frames, who] = tracklet, sure
    here = np.where(true.blob >= 0, true.tracklets.blob_tracklet[true.blob], NOBODY)
    there = held[true.frame, true.who]
    right = (there == here) & (here >= 0)
    return pd.DataFrame({"named": there >= 0, "right": right, "confidence": confidence[true.frame, true.who]})
