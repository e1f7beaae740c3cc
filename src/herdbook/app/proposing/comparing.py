"""What a proposal changes: blobs of the shown frame that come and go, and in how many sampled frames there are as many as animals."""

import base64
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from herdbook.app.live import LiveBlobs, LiveMovie
from herdbook.app.outlines import pack_outlines
from herdbook.app.proposing.clicks import SMALLER, Click, Hit, hit_at
from herdbook.app.samples import Samples
from herdbook.commands.tuning.attempt import pixels_of
from herdbook.errors import HerdbookError
from herdbook.movie.frame import Frame
from herdbook.segmentation.components import FrameBlobs
from herdbook.segmentation.segmenter import Segmenter
from herdbook.segmentation.tables import chosen_blobs

# Of blobs that nobody clicked, so many are taken for animals that must be kept.
MOST_PRESUMED = 12
# With this many blobs for each animal, most of them are specks.
MANY_BLOBS = 3


class ClickLook:
    """The blobs at clicks in the frames of a movie, with any settings.

    `frames`: those that are decoded already, by number; the clicked ones are put into it, and others taken out.
    """

    def __init__(self, movie: LiveMovie, clicks: Sequence[Click], frames: dict[int, Frame]) -> None:
        self._clicks, self._base = clicks, segmenter_of(movie)
        numbers = sorted({click.frame for click in clicks})
        self._frames = {number: frames.get(number) or movie.source.exact(number) for number in numbers}
        frames.clear()
        frames.update(self._frames)
        self._whole = [1, movie.index.width * movie.index.height]

    def __call__(self, settings: Mapping[str, Any]) -> list[Hit]:
        """What is at each click with these settings, whatever its area."""
        segmenter = self._base.retuned({**settings, "area": self._whole})
        found = {number: segmenter.judged(frame, 1) for number, frame in self._frames.items()}
        for frame in self._frames.values():
            frame.forget_colours()
        return [self._hit(click, found[click.frame]) for click in self._clicks]

    def fulfilled(self, settings: Mapping[str, Any]) -> list[bool]:
        """Whether each click is right with these settings."""
        low, high = settings["area"]
        hits = self(settings)
        owners = [(click.frame, hit.blob) for click, hit in zip(self._clicks, hits, strict=True)]
        kept = [hit.blob >= 0 and hit.reason < 0 and low <= hit.area <= high for hit in hits]
        return [
            here and owners.count(owner) == 1 if click.animal else not here
            for click, here, owner in zip(self._clicks, kept, owners, strict=True)
        ]

    def presumed(self, settings: Mapping[str, Any], number: int | None) -> list[Click]:
        """Blobs of the clicked frames that are probably animals, since they are kept and nobody clicked them: clicks on them.

        They are those about as large as a typical one: the median, or where there are far more blobs than animals, the one above which half
        of all area is.
        """
        low, high = settings["area"]
        clicked = {(click.frame, hit.blob) for click, hit in zip(self._clicks, self(settings), strict=True)}
        found = []
        for at, frame in self._frames.items():
            whole = self._base.retuned({**settings, "area": self._whole}).judged(frame, 1)
            frame.forget_colours()
            if whole is None:
                continue
            blobs, reason = whole
            kept = np.flatnonzero((reason < 0) & (blobs.area >= low) & (blobs.area <= high)).tolist()
            found += [(at, blobs, blob) for blob in kept if (at, blob) not in clicked]
        areas = np.array([blobs.area[blob] for _, blobs, blob in found], np.float64)
        if not len(areas):
            return []
        typical = float(np.median(areas))
        if number is not None and len(areas) > MANY_BLOBS * number * len(self._frames):
            ranked = np.sort(areas)
            typical = float(ranked[np.searchsorted(np.cumsum(ranked), ranked.sum() / 2)])
        alike = np.flatnonzero((areas >= typical / SMALLER) & (areas <= typical * SMALLER))
        nearest = alike[np.argsort(np.abs(np.log(areas[alike] / typical)), kind="stable")][:MOST_PRESUMED]
        return [_click_on(*found[k]) for k in nearest.tolist()]

    def _hit(self, click: Click, judged: tuple[FrameBlobs, NDArray[np.int64]] | None) -> Hit:
        blob = -1 if judged is None else hit_at(judged[0], click.x, click.y)
        if judged is None or blob < 0:
            return Hit()
        blobs, reason = judged
        contrast = float(blobs.contrast_sum[blob] / blobs.area[blob])
        return Hit(blob, int(blobs.area[blob]), contrast, int(reason[blob]))


def _click_on(frame: int, blobs: FrameBlobs, blob: int) -> Click:
    """A click on a pixel of a blob: its centre may be outside of it."""
    runs = blobs.runs_of(blob)
    row, first, last = runs[len(runs) // 2].tolist()
    return Click(frame, (first + last) / 2, float(row), True)


def segmenter_of(movie: LiveMovie) -> Segmenter:
    """What finds blobs now. Raises HerdbookError if there is no background yet, or if the arenas are at fault."""
    found = movie.segmenter()
    if found is None or movie.faults:
        raise HerdbookError("; ".join(movie.faults) or "The background of the movie is not there yet: try again in some seconds.")
    return found


def compare(movie: LiveMovie, samples: Samples | None, frame: Frame, settings: Mapping[str, Any]) -> dict[str, Any]:
    """What these settings change, for the page: `here` number of blobs before and after in the frame, with `outlines` of those after.

    `come`: whether each of these is where nothing was kept before; `gone`: outlines of those that are no longer kept; `right`: number of
    sampled frames with as many blobs as animals before and after, of `sampled`.
    """
    now = segmenter_of(movie)
    then = now.retuned(settings)
    before, after = _kept(movie.find(frame)), _kept(movie.find(frame, then))
    frame.forget_colours()
    shape = frame.luma.shape[:2]
    come, gone = ~_touched(after, before, shape), ~_touched(before, after, shape)
    answer: dict[str, Any] = {
        "here": [len(before), len(after)],
        "outlines": _coded(pack_outlines(after, shape)),
        "come": come.tolist(),
        "gone": _coded(pack_outlines(chosen_blobs(before, gone), shape)),
    }
    if samples is not None and all(number is not None for number in movie.numbers):
        counts = [samples.count(), samples.count(then)]
        if counts[0] is not None and counts[1] is not None:
            answer |= {"right": [int(one.right.sum()) for one in counts if one is not None], "sampled": len(counts[0].frame)}
    return answer


def _kept(found: LiveBlobs | None) -> FrameBlobs:
    if found is None:
        raise HerdbookError("The background of the movie is not there yet: try again in some seconds.")
    return chosen_blobs(found.blobs, found.reason < 0)


def _touched(blobs: FrameBlobs, others: FrameBlobs, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Whether each blob, bool (n,), has a pixel in common with any of the others."""
    mask = np.zeros(shape, bool)
    mask[pixels_of(others.runs)] = True
    return np.array([mask[pixels_of(blobs.runs_of(blob))].any() for blob in range(len(blobs))], bool)


def _coded(outlines: NDArray[np.int16]) -> str:
    return base64.b64encode(outlines.tobytes()).decode("ascii")
