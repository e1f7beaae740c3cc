"""Where the scene of a movie changes once and for good: the camera is pushed, a lamp is switched, a lid is put on.

A change is sought in frames sampled over the movie. Images are (row, col) uint8 luma, in the range of the movie.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from herdbook.arrays import Bools, Floats, Image, Ints, Singles
from herdbook.segmentation.registration import (
    Motion,
    block_change,
    find_motion,
    left_by,
    quick_shift,
    reduced_by,
    reduction,
    structure,
    window_of,
)

# The median of three successive samples shows the scene without most of the animals that move.
_GROUP = 3
# A plateau is the median of so many groups before or after a change.
_PLATEAU = 3
# Where three samples differ by so many levels, an animal moves: more than the noise and flicker of cameras. Pixels around it (px of the
# reduced images) are blurred by it. If more than a third of the frame changes, it is not an animal.
_MOVING_LEVELS, _AROUND_PX, _MOST_MOVING = 16, 5, 0.33
# Light is compared as the median level of tiles (px of the reduced images), so that an animal does not count unless it fills half of one.
_TILE_PX = 16
# Smallest change of light, in levels: a fifth of the smallest difference by default between animals and background.
_LEAST_LIGHT = 5.0
# The share of tiles that change by this at the same time, all to the same side, or to either. Animals that all move at once change 0.02 and
# 0.05 in recordings of ants, flies, mice, fish and worms, the largest of which cover a tenth of the frame.
_LEAST_SAME, _LEAST_EITHER = 0.08, 0.25
# Smallest shift of the scene in px of the movie: pixels at an edge of full contrast, 200 levels, change by half of the default difference
# per 1/16 px, but blurred as edges are, by 1/4 of that or less.
LEAST_SHIFT_PX = 0.4
# A guess of a shift (px of the reduced images) worth a closer look; it is usually below 0.05 where nothing moved.
_LEAST_GUESS_PX = 0.08
# Of each kind of sign that the scene has moved, the clearest are looked at closer, which takes 0.1 s for each.
_MOST_CUTS = 3
# Lamps, filters and the exposure of cameras settle within seconds, whereas daylight drifts for minutes; see background.scope: window.
LONGEST_FADE_S = 5.0
# Progress of a change, 0 before and 1 after, at which it has begun: 5 %, but 3 times the noise (robust standard deviations) of the frames
# on both sides, such as flicker, and at most 40 %.
_BEGUN, _NOISES, _MOST_NOISE = 0.05, 3.0, 0.4
# By how much more the scene may change from the first to the last third of a plateau: in a drift, these differ by 0.4 of what the plateaus
# on both sides differ by if they are one group apart, by 0.2 if they are six. Both plateaus together must have so many frames to tell.
_MOST_DRIFT, _LEAST_SAMPLES = 0.1, 12
# Pace of the scene within a plateau, in relation to that of the change: 0 beside a fade, 1 in a drift.
_MOST_PACE = 0.3
# A fade has ended where plateaus that are farther apart differ by less than this factor.
_GROWTH = 1.03
# Largest flicker of single frames, as a part of the change: the medians of two plateaus then differ by 5 times their standard error.
_MOST_FLICKER = 0.3
# A change that takes longer than any fade must happen between two sampled frames, or in one that lies between them.
_MOST_BETWEEN = 2
# Pixels from which the progress of a change is read: the median over some thousands is not moved by animals. They must change by this.
_PROGRESS_PIXELS, _LEAST_STEP, _LEAST_PLACES = 8192, 3, 64
# Nothing can be seen in a frame none of whose pixels is lighter than this above black.
_DARK_LEVELS = 12


@dataclass(frozen=True)
class Progress:
    """Reads how far a change has gone in a frame: `places` int64 (p,) of the flat reduced image, levels there `before` and `after`, float64
    (p,); `factor` by which frames are reduced.
    """

    places: Ints
    before: Floats
    after: Floats
    factor: int

    @classmethod
    def between(cls, before: Image, after: Image, expected: Floats, factor: int) -> "Progress | None":
        """From two reduced images of the scene, before and after the change, and what is expected after it (h, w), without the animals that
        came and went meanwhile; None if hardly any pixel changes as expected.
        """
        steps = np.abs(after.astype(np.int16) - before)
        steps[np.abs(after - expected) > steps / 2] = 0
        ranked = np.argsort(steps, axis=None, kind="stable")[-_PROGRESS_PIXELS:]
        places = np.sort(ranked[steps.ravel()[ranked] >= _LEAST_STEP])
        if len(places) < _LEAST_PLACES:
            return None
        return cls(places, before.ravel()[places].astype(np.float64), after.ravel()[places].astype(np.float64), factor)

    def of_reduced(self, image: Image) -> float:
        """Progress in a reduced frame: 0 before the change, 1 after it."""
        return float(np.median((image.ravel()[self.places] - self.before) / (self.after - self.before)))

    def of(self, luma: Image) -> float:
        """Progress in a frame of the movie."""
        return self.of_reduced(reduced_by(luma, self.factor))


@dataclass(frozen=True)
class Change:
    """A change between two sampled frames: `last_before` and `first_after` are their numbers in the sample.

    `light`: median change of the level; `largest`: change of all but a twentieth of the frame; `share`: of the frame that became lighter or
    darker; `motion`: how the scene moved in px of the movie, None if it did not, or if there is no telling; `noise`: standard deviation of
    the progress in single frames.
    """

    last_before: int
    first_after: int
    light: float
    largest: float
    share: float
    motion: Motion | None
    progress: Progress
    noise: float

    @property
    def size(self) -> float:
        """Mean change of the pixels from which progress is read, levels."""
        return float(np.abs(self.progress.after - self.progress.before).mean())


def find_changes(sample: Sequence[Image], time_s: Floats, black: int) -> list[Change]:
    """All changes of the scene in a sample of frames, in order.

    sample: at least one frame, evenly spread over the movie; time_s: float64 (n,), time of each; black: level of black.
    A change is seen if it lasts for three sampled frames, and is over within `LONGEST_FADE_S`, or between two sampled frames. Frames in
    which nothing can be seen are passed over. Animals that move, all at once as well, are not a change; a slow drift of light is none.
    """
    factor = reduction(sample[0].shape)
    images = [reduced_by(luma, factor) for luma in sample]
    seen = [number for number, image in enumerate(images) if int(image.max()) > black + _DARK_LEVELS]
    if len(seen) < 2 * _GROUP:
        return []
    scenes = _Scenes([images[number] for number in seen], time_s[seen], factor, black)
    found = sorted(scenes.changes(0, len(scenes.groups)), key=lambda change: change.last_before)
    return [replace(one, last_before=seen[one.last_before], first_after=seen[one.first_after]) for one in found]


class _Scenes:
    """The sampled frames of a movie in groups, and what can be compared between them."""

    def __init__(self, images: list[Image], time_s: Floats, factor: int, black: int) -> None:
        self.images, self._time_s, self._factor, self._black = images, time_s, factor, black
        # The first frames that are left over go into no group.
        first = len(images) % _GROUP
        self.starts = list(range(first, len(images), _GROUP))
        self.groups = [_middle(images[start : start + _GROUP]) for start in self.starts]
        self._tiles = np.stack([_tile_levels(group) for group in self.groups])
        self._steady = [_steady(images[start : start + _GROUP]) for start in self.starts]
        self._structures = [structure(group, black, steady) for group, steady in zip(self.groups, self._steady, strict=True)]
        self._window = window_of(images[0].shape)
        steps_s = np.diff(time_s[self.starts])
        self._group_s = float(np.median(steps_s)) if len(steps_s) else 0.0

    def changes(self, first: int, end: int) -> Iterator[Change]:
        """Changes in the groups first .. end - 1: one of them, and those on both sides of it."""
        for cut in [*self._cuts_by_light(first, end), *self._cuts_by_motion(first, end)]:
            found = self._change_at(cut, first, end)
            if found is None:
                continue
            yield found
            before = sum(start + _GROUP <= found.last_before + 1 for start in self.starts)
            after = sum(start < found.first_after for start in self.starts)
            yield from self.changes(first, max(first, before))
            yield from self.changes(min(after, end), end)
            return

    def _cuts_by_light(self, first: int, end: int) -> list[int]:
        """Groups with which a new light may begin, the clearest first."""
        cuts = range(first + 1, end)
        steps = {
            cut: _light_step(self._level(cut - _PLATEAU, cut, first, end), self._level(cut, cut + _PLATEAU, first, end)) for cut in cuts
        }
        return _peaks({cut: step for cut, step in steps.items() if step >= 1.0})

    def _cuts_by_motion(self, first: int, end: int) -> list[int]:
        """Groups with which the scene may begin to stand elsewhere: where structure changes all over the frame, or seems to move."""
        changed, moved = {}, {}
        for cut in range(first + 1, end):
            pair = (self._structure(max(first, cut - _PLATEAU), cut), self._structure(cut, min(end, cut + _PLATEAU)))
            changed[cut] = block_change(*pair, self._steady_in(max(first, cut - _PLATEAU), min(end, cut + _PLATEAU)))
            moved[cut] = float(np.hypot(*quick_shift(*pair, self._window)))
        cuts = [
            *_peaks(changed)[:_MOST_CUTS],
            *_peaks({cut: shift for cut, shift in moved.items() if shift >= _LEAST_GUESS_PX})[:_MOST_CUTS],
        ]
        return list(dict.fromkeys(cuts))

    def _change_at(self, cut: int, first: int, end: int) -> Change | None:
        """The change about a group, if there is one: between the nearest plateaus that are level."""
        most = max(1, int(LONGEST_FADE_S / 2 / max(self._group_s, 1e-9)))
        motion = self._motion(max(first + 1, cut - 1), min(end - 1, cut + 1), first, end)
        best = None
        for gap in range(most + 1):
            start, stop = max(first + 1, cut - gap), min(end - 1, cut + gap)
            found = self._change_between(start, stop, first, end, motion)
            # The foot of a fade may look level: plateaus that are farther apart then differ by more.
            if best is not None and (found is None or found.size < _GROWTH * best.size):
                break
            best = found
            if cut - gap <= first and cut + gap >= end:
                break
        return best

    def _change_between(self, start: int, stop: int, first: int, end: int, motion: Motion | None) -> Change | None:
        """The change between the plateau of groups that ends before `start`, and the one that begins with `stop`."""
        before, after = (max(first, start - _PLATEAU), start), (stop, min(end, stop + _PLATEAU))
        levels = [self._level(*span, first, end) for span in (before, after)]
        lit = _light_step(*levels) >= 1.0
        if not lit and motion is None:
            return None
        earlier, later = self._scene(*before), self._scene(*after)
        moved = earlier if motion is None else np.rint(motion.moved(earlier)).astype(np.uint8)
        lighter = _spread_tiles(levels[1] - (levels[0] if motion is None else _tile_levels(moved)), moved.shape)
        progress = Progress.between(earlier, later, moved + lighter, self._factor)
        if progress is None:
            return None
        gone = np.array([progress.of_reduced(image) for image in self.images])
        inner = slice(self.starts[before[0]], self.starts[after[1] - 1] + _GROUP)
        noise = _noise(gone[inner])
        ends = change_ends(gone[inner], noise)
        if ends is None:
            return None
        last_before, first_after = ends[0] + inner.start, ends[1] + inner.start
        if self._time_s[first_after] - self._time_s[last_before] > LONGEST_FADE_S and first_after - last_before > _MOST_BETWEEN:
            return None
        sides = (gone[inner.start : last_before + 1], gone[first_after : inner.stop])
        if (
            len(sides[0]) + len(sides[1]) < _LEAST_SAMPLES
            or noise > _MOST_FLICKER
            or any(_drifts(side, first_after - last_before) for side in sides)
        ):
            return None
        steps = np.abs(lighter)
        light = (float(np.median(lighter)), float(np.percentile(steps, 95)), float((steps > _LEAST_LIGHT).mean()))
        return Change(last_before, first_after, *light, None if motion is None else motion.scaled(self._factor), progress, noise)

    def _motion(self, start: int, stop: int, first: int, end: int) -> Motion | None:
        """How the scene moved between two plateaus, in px of the reduced images."""
        earliest, last = max(first, start - _PLATEAU), min(end, stop + _PLATEAU)
        before, after = self._structure(earliest, start), self._structure(stop, last)
        steady = self._steady_in(earliest, start) & self._steady_in(stop, last)
        motion = find_motion(before, after, steady, quick_shift(before, after, self._window))
        if motion is None or self._factor * motion.farthest(*before.shape[::-1]) < LEAST_SHIFT_PX:
            return None
        return motion if self._lasts(motion, start, stop, first, end) else None

    def _lasts(self, motion: Motion, start: int, stop: int, first: int, end: int) -> bool:
        """Whether plateaus as far apart as the film allows show the same movement: a pushed scene stands still, animals go on moving."""
        spans = (max(first, start - _PLATEAU), start), (stop, min(end, stop + _PLATEAU))
        earliest = max(first + min(_PLATEAU, start - first - 1), start - _PLATEAU)
        latest = min(end - min(_PLATEAU, end - stop - 1), stop + _PLATEAU)
        earlier, later = (max(first, earliest - _PLATEAU), earliest), (latest, min(end, latest + _PLATEAU))
        for before, after in ((earlier, spans[1]), (spans[0], later)):
            if before[1] <= first or after[0] >= end or (before, after) == spans:
                continue
            farther = (sum(after) - sum(before)) / (sum(spans[1]) - sum(spans[0]))
            pair, steady = (self._structure(*before), self._structure(*after)), self._steady_in(*before) & self._steady_in(*after)
            if left_by(motion.times(farther, pair[0].shape), *pair, steady) < left_by(motion, *pair, steady):
                return False
        return True

    def _scene(self, start: int, stop: int) -> Image:
        return _middle(self.images[self.starts[start] : self.starts[stop - 1] + _GROUP])

    def _level(self, start: int, stop: int, first: int, end: int) -> Floats:
        """Levels of the tiles in the groups start .. stop - 1, as far as these are in first .. end - 1."""
        return np.asarray(np.median(self._tiles[max(first, start) : min(end, stop)], axis=0))

    def _steady_in(self, start: int, stop: int) -> Bools:
        return np.asarray(np.logical_and.reduce(self._steady[start:stop]))

    def _structure(self, start: int, stop: int) -> Singles:
        parts = self._structures[start:stop]
        return _middle_of_three(*parts) if len(parts) == _PLATEAU else parts[len(parts) // 2]


def _steady(images: Sequence[Image]) -> Bools:
    """Pixels (h, w) of three images without animals that move, and without their surroundings; all pixels if everything changes."""
    low, high = (function(function(images[0], images[1]), images[2]) for function in (np.minimum, np.maximum))
    moving = cv2.dilate((cv2.subtract(high, low) >= _MOVING_LEVELS).astype(np.uint8), np.ones((_AROUND_PX, _AROUND_PX), np.uint8)) > 0
    return np.ones(moving.shape, np.bool_) if moving.mean() > _MOST_MOVING else np.logical_not(moving)


def _light_step(before: Floats, after: Floats) -> float:
    """How clearly the light of tiles changes: 1 is just enough."""
    step = after - before
    up, down = float((step > _LEAST_LIGHT).mean()), float((step < -_LEAST_LIGHT).mean())
    return max(abs(float(np.median(step))) / _LEAST_LIGHT, abs(up - down) / _LEAST_SAME, (up + down) / _LEAST_EITHER)


def _drifts(gone: Floats, lasts: int) -> bool:
    """Whether a change goes on in the frames of a plateau, from the progress (n,) in these; `lasts` is its own number of frames."""
    third = len(gone) // 3
    if third < 1:
        return False  # too few to tell; then there are enough on the other side
    step = abs(float(np.median(gone[-third:]) - np.median(gone[:third])))
    pace = step / (len(gone) - third) * lasts
    return bool(step > min(_MOST_DRIFT + _NOISES * _noise(gone), _MOST_NOISE) or (step > _BEGUN and pace > _MOST_PACE))


def _noise(gone: Floats) -> float:
    """Robust standard deviation of progress (n,) in single frames, from differences of differences, in which a fade or drift cancels."""
    return 1.4826 * float(np.median(np.abs(np.diff(gone, 2)))) / 6**0.5 if len(gone) > 2 else 0.0


def change_ends(gone: Floats, noise: float) -> tuple[int, int] | None:
    """The last frame before a change, and the first after it, from the progress (n,) in each frame; None if there is no such frame.

    A frame is before or after the change if its progress differs from 0 or 1 by little more than `noise`, its standard deviation.
    """
    late = gone >= 0.5
    wrong = np.concatenate([[0], np.cumsum(late)]) + np.concatenate([np.cumsum(~late[::-1])[::-1], [0]])
    cut = int(wrong.argmin())
    room = float(np.clip(_NOISES * noise, _BEGUN, _MOST_NOISE))
    before, after = np.flatnonzero(gone[:cut] < room), np.flatnonzero(gone[cut:] > 1 - room)
    return (int(before[-1]), cut + int(after[0])) if len(before) and len(after) else None


def _peaks(values: dict[int, float]) -> list[int]:
    """The cuts whose value is not below that of a neighbour, the largest first."""
    tops = [cut for cut, value in values.items() if value >= max(values.get(cut - 1, 0.0), values.get(cut + 1, 0.0))]
    return sorted(tops, key=lambda cut: -values[cut])


def _middle_of_three(one: Singles, two: Singles, three: Singles) -> Singles:
    return np.asarray(np.maximum(np.minimum(one, two), np.minimum(np.maximum(one, two), three)))


def _middle(images: Sequence[Image]) -> Image:
    """The median of some images, the lower one of two."""
    if len(images) == _GROUP:
        return np.maximum(np.minimum(images[0], images[1]), np.minimum(np.maximum(images[0], images[1]), images[2]))
    return np.asarray(np.partition(np.stack(images), (len(images) - 1) // 2, axis=0)[(len(images) - 1) // 2], np.uint8)


def _tile_levels(image: Image) -> Floats:
    """Median levels of the tiles of an image, float64 (rows, columns); pixels left over at the right and bottom belong to none."""
    height, width = (max(1, side // _TILE_PX) for side in image.shape)
    rows, columns = (min(side, _TILE_PX) for side in image.shape)
    tiles = image[: height * rows, : width * columns].reshape(height, rows, width, columns).swapaxes(1, 2)
    return np.asarray(np.median(tiles.reshape(height, width, -1), axis=2), np.float64)


def _spread_tiles(values: Floats, shape: tuple[int, ...]) -> Floats:
    """Values of tiles (rows, columns) as an image (h, w), linear between the middles of the tiles."""
    return np.asarray(cv2.resize(values, shape[::-1], interpolation=cv2.INTER_LINEAR))
