"""The frames in which the scene of a movie changes, and the scene while it does.

Frames are numbered through the movies that share a background. Images are (row, col[, channel]) uint8.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from herdbook.arrays import Floats, Image, Ints
from herdbook.artifacts.background import Background
from herdbook.errors import HerdbookError
from herdbook.movie.frame import Frame
from herdbook.segmentation.changes import LEAST_SHIFT_PX, Change, change_ends
from herdbook.segmentation.registration import Motion, find_motion, quick_shift, reduced_by, reduction, structure, window_of
from herdbook.segmentation.thresholds import LIMITED_BLACK

# Frames that are looked at in one round of the search: the interval becomes as many times shorter, and a fade of 2 s at 30 frames/s is seen
# frame by frame.
_PROBES = 64
# A fade is divided into steps of so many levels: an error of half of it hides no animal, and makes none.
_STEP_LEVELS = 6.0
# From this change of light on (levels, half of the default difference between animals and background), one image cannot serve both sides.
_HARMFUL_LEVELS = 12.0
# Smaller turns, and light that changes in a smaller share of the picture, are not worth a word beside a movement.
_LEAST_TURN_DEG, _LEAST_SHARE = 0.1, 0.05


@dataclass(frozen=True)
class Transition:
    """A change with its frames: `last_before` is the last one of the scene before, `first_after` the first one of the scene after; `frames`
    int64 (n,) and `gone` float64 (n,): frames that were looked at between them, and how far the change had gone (0 to 1).
    """

    last_before: int
    first_after: int
    frames: Ints
    gone: Floats
    change: Change

    @property
    def first(self) -> int:
        """The first frame that is changed."""
        return self.last_before + 1

    @property
    def harmful(self) -> bool:
        """Whether a background of one side cannot be used for the other."""
        return self.change.motion is not None or self.change.largest >= _HARMFUL_LEVELS

    def shift(self, width: int, height: int) -> tuple[float, float]:
        """By how much the middle of the frame moved, px; NaN if the scene did not move, or if there is no telling."""
        motion = self.change.motion
        return (float("nan"), float("nan")) if motion is None else motion.at((width - 1) / 2, (height - 1) / 2)


def locate_change(change: Change, picks: Ints, read: Callable[[Ints], Iterable[Frame]]) -> Transition:
    """Find the frames of a change, which lies between two of the sampled frames `picks` (n,); `read` gives the frames of any numbers."""
    first, end = int(picks[change.last_before]), int(picks[change.first_after])
    frames, gone = np.array([first, end]), np.array([0.0, 1.0])
    while True:
        probes = np.unique(np.linspace(first, end, min(end - first + 1, _PROBES + 2)).round().astype(np.int64))
        probes = probes[~np.isin(probes, frames)]
        if not len(probes):
            break
        found = np.array([change.progress.of(frame.luma) for frame in read(probes)])
        order = np.argsort(np.concatenate([frames, probes]))
        frames, gone = np.concatenate([frames, probes])[order], np.concatenate([gone, found])[order]
        ends = change_ends(gone, change.noise)
        if ends is None:
            break
        spacing = int(np.diff(frames[ends[0] : ends[1] + 1]).max())
        longer = (end - first) > 2 * (frames[ends[1]] - frames[ends[0]])
        first, end = int(frames[ends[0]]), int(frames[ends[1]])
        if spacing == 1 or not longer:
            break
    inner = (frames > first) & (frames < end)
    return Transition(first, end, frames[inner], gone[inner], change)


def motion_between(before: Background, after: Background, full_range: bool) -> Motion | None:
    """How the scene moved from the last window of a movie to the first one of the next, px; None if it did not, or there is no telling."""
    one, other = before.luma[-1], after.luma[0]
    if one.shape != other.shape:
        return None
    factor = reduction(one.shape)
    images = [reduced_by(image, factor) for image in (one, other)]
    steady = np.ones(images[0].shape, np.bool_)
    early, late = (structure(image, 0 if full_range else LIMITED_BLACK, steady) for image in images)
    motion = find_motion(early, late, steady, quick_shift(early, late, window_of((early.shape[0], early.shape[1]))))
    if motion is None or motion.scaled(factor).farthest(one.shape[1], one.shape[0]) < LEAST_SHIFT_PX:
        return None
    return motion.scaled(factor)


def steps_between(transition: Transition, before: Image, after: Image) -> Iterator[tuple[int, float]]:
    """First frame and share of the scene after, 0 to 1, of each step of a fade between two scenes; one step if it is sudden."""
    change = np.abs(after.astype(np.int16) - before)
    number = max(1, int(np.ceil(np.percentile(change, 95) / _STEP_LEVELS)))
    frames = np.arange(transition.first, transition.first_after)
    known = np.concatenate([[transition.last_before], transition.frames, [transition.first_after]])
    gone = np.maximum.accumulate(np.clip(np.concatenate([[0.0], transition.gone, [1.0]]), 0, 1))
    levels = np.concatenate([[0], np.rint(np.interp(frames, known, gone) * number), [number]]).astype(np.int64)
    for frame in np.flatnonzero(np.diff(levels)).tolist():
        yield transition.first + frame, float(levels[frame + 1] / number)


def mixed(before: dict[str, Any], after: dict[str, Any], share: float) -> dict[str, Any]:
    """The columns of a scene between two others; `share` of the one after."""
    images = {
        name: np.rint(before[name] + share * (after[name].astype(np.float64) - before[name])).astype(np.uint8) for name in ("luma", "bgr")
    }
    wider = {name: np.maximum(before[name], after[name]) for name in ("luma_noise", "bgr_noise", "spread")}
    return images | wider


def change_columns(transitions: Sequence[Transition], width: int, height: int) -> dict[str, Any]:
    """The columns of the artifact on changes; none without changes."""
    if not transitions:
        return {}
    changes = [one.change for one in transitions]
    return {
        "change": np.array([(one.first, one.first_after) for one in transitions], np.int64),
        "change_shift": np.array([one.shift(width, height) for one in transitions], np.float64),
        "change_turn": np.array([np.nan if one.motion is None else one.motion.turn_deg for one in changes], np.float64),
        "change_light": np.array([one.largest for one in changes], np.float64),
        "change_share": np.array([one.share for one in changes], np.float64),
    }


def change_sentences(background: Background) -> list[str]:
    """What changes in the scene of a movie, in a sentence for each change."""
    if background.change is None:
        return []
    found = []
    for number, (first, end) in enumerate(background.change.tolist()):
        shift, turn, light, share = (getattr(background, f"change_{name}")[number] for name in ("shift", "turn", "light", "share"))
        over = f" until frame {end - 1}; blobs in these frames are less sure" if end > first else ""
        found.append(f"the scene changes at frame {first}{over}: {_what_changes(shift, turn, light, share)}.")
    return found


def _what_changes(shift: Floats, turn: float, light: float, share: float) -> str:
    parts = []
    if np.isfinite(shift).all():
        turned = f" and turns by {turn:.1f} degrees" if abs(turn) >= _LEAST_TURN_DEG else ""
        parts.append(f"the picture moves by {shift[0]:+.1f} px in x and {shift[1]:+.1f} px in y{turned}")
    if share >= _LEAST_SHARE or not parts:
        parts.append(f"{100 * share:.0f} % of the picture become lighter or darker, by {light:.0f} levels")
    return ", and ".join(parts)


def arena_sentences(background: Background, arenas: Sequence[str]) -> list[str]:
    """Which arenas do not fit any more after the picture of a movie has moved, in a sentence for each time."""
    if background.change is None or background.change_shift is None or not arenas:
        return []
    moved = [(frame, shift) for (frame, _), shift in zip(background.change.tolist(), background.change_shift, strict=True)]
    return [f"{arenas_stay(arenas)} from frame {frame} on" + _beside(shift) for frame, shift in moved if np.isfinite(shift).all()]


def arenas_stay(arenas: Sequence[str]) -> str:
    """The first words of a sentence on arenas that do not fit any more."""
    one = len(arenas) == 1
    return (
        f"the {'arena' if one else 'arenas'} {', '.join(arenas)} {'is' if one else 'are'} in pixels, and {'does' if one else 'do'} not fit"
    )


def _beside(shift: Floats) -> str:
    moved = f"the picture has moved by {shift[0]:+.1f} px in x and {shift[1]:+.1f} px in y"
    remedy = "Draw arenas that are wide enough for both, or track each part of the movie in an experiment of its own (segment.intervals)"
    return f": {moved}. {remedy}."


def refuse_changes(
    transitions: Sequence[Transition], name_frame: Callable[[int], str], why: str, remedy: str, size: tuple[int, int]
) -> None:
    """HerdbookError if one background cannot serve the scenes on both sides of a change, although it has to."""
    for one in transitions:
        if one.harmful:
            change = one.change
            turn = 0.0 if change.motion is None else change.motion.turn_deg
            what = _what_changes(np.array(one.shift(*size)), turn, change.largest, change.share)
            raise HerdbookError(f"{name_frame(one.first)}: the scene changes here for good: {what}. {why} {remedy}")


def spans_between(transitions: Sequence[Transition], first: int, end: int) -> list[tuple[int, int]]:
    """First frame and end (exclusive) of the scenes in first .. end - 1 that the transitions separate."""
    starts = [first, *(one.first_after for one in transitions)]
    stops = [*(one.last_before + 1 for one in transitions), end]
    return list(zip(starts, stops, strict=True))
