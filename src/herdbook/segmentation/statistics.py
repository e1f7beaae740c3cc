"""The empty scene from a sample of frames, by statistics of each pixel's histogram.

Frames are (H, W) or (H, W, 3) uint8; the channels of a colour frame are treated separately. The whole sample is in memory, N bytes per
pixel and channel for N frames; histograms exist only for a block of rows at a time.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Literal, get_args

import cv2
import numpy as np
from numba import njit
from numpy.typing import NDArray

from herdbook.arrays import Image
from herdbook.errors import HerdbookError

Statistic = Literal["median", "mean", "mode", "min", "max"]
Foreground = Literal["dark", "bright", "either"]
Counts = NDArray[np.uint16]
Levels = NDArray[np.uint8]  # (5, H, W): plain statistic, dark and bright part, medians of the darkest and brightest tenth

_LEVELS = 256
_MAX_FRAMES = np.iinfo(np.uint16).max  # largest count
_BLOCK = 8192  # pixels whose histograms are in memory at a time, 4 MiB
OUTLIER_Z = 6.0
# Means of whole frames vary by less than a level without animals; a frame into which an animal walks must not count as broken.
_LEAST_SPREAD = 1.0
# Share of the frames that the rarer mode of a pixel needs to be accepted as the arena.
_LEAST_MASS = 0.1
# Distance of the modes divided by the sum of their standard deviations. It is 1.3 for the halves of a normal distribution, 1.7 for a
# uniform one, 2.1 for a sine; samples of 50 from a uniform one exceed 2.5 in 0.3 % of pixels, and 3 in none.
_LEAST_RATIO = 3.0
_SOFT_RATIO = 3.0  # the lightest tenth of normal noise is 1.6 standard deviations away: this requires 5
_LEAST_MARGIN = 8  # px
_LEAST_SHARE = 1e-6  # of steady pixels; below it, the surroundings are unknown


def background(frames: Iterable[Image], statistic: Statistic = "median") -> Image:
    """Return one statistic of each pixel over the frames.

    frames: each (H, W) or (H, W, 3) uint8, all of one shape; read once. Black and broken frames are skipped, see `drop_outlier_frames`.
    statistic: the median of an even number of frames is the lower of the two middle values, the mean is rounded to the nearest level, and
    the mode is the darkest of several equally frequent values.
    Returns uint8 of a frame's shape.
    Raises HerdbookError if there is no frame or more than 65,535, if shapes differ, or if the name is unknown.
    """
    _check_name("statistic", statistic, get_args(Statistic))
    sample = collect_frames(frames)
    image = np.empty_like(sample[0])
    identity = np.tile(np.arange(_LEVELS, dtype=np.uint8), (len(sample), 1))
    for rows, counts in _histograms(sample, identity):
        image[rows] = _summarise(counts, statistic).reshape(image[rows].shape)
    return image


def robust_background(
    frames: Iterable[Image],
    statistic: Statistic = "median",
    foreground: Foreground = "dark",
    separation: int = 20,
) -> Image:
    """Return a background without animals that rest for most of the time.

    A pixel on which an animal rests has two levels: arena and animal. Its histogram (with the same brightness for all frames, so that
    flicker does not look like an animal) is cut in two where the variance between the parts is largest (Otsu 1979, IEEE Trans. SMC 9:62).
    It is bimodal if the means of the parts are apart by at least `separation` levels and by 3 times the sum of their standard deviations,
    and if both parts have at least 10 % of the frames. There the background is the median of the lighter part if the animals are dark, of
    the darker part if they are bright. If they may be either, each connected group of bimodal pixels takes the part that is more similar to
    the steady pixels around it, if there are any.

    At the soft outline of an animal both levels merge. Therefore pixels that are connected to a group of bimodal ones, directly or through
    pixels like themselves, take the median of their lightest (darkest) tenth, if it differs from the plain statistic by at least
    `separation / 2` levels, and by 3 times the difference in the typical pixel of the frame. All other pixels get the plain statistic.

    frames, statistic, result, errors: as in `background`.
    foreground: animals are darker than the arena, brighter, or both occur.
    separation: smallest difference between animal and arena, in levels.
    """
    _check_name("statistic", statistic, get_args(Statistic))
    _check_name("foreground", foreground, get_args(Foreground))
    sample = collect_frames(frames)
    levels = np.empty((5, *sample[0].shape), np.uint8)
    identity = np.tile(np.arange(_LEVELS, dtype=np.uint8), (len(sample), 1))
    for rows, counts in _histograms(sample, identity):
        levels[0, rows] = _summarise(counts, statistic).reshape(levels[0, rows].shape)
    tenth = round(_LEAST_MASS / 2 * (len(sample) - 1))
    for rows, counts in _histograms(sample, _equal_brightness(sample)):
        parts = _split(counts, len(sample), separation, _LEAST_MASS, _LEAST_RATIO)
        extremes = _values_at_rank(counts, tenth), _values_at_rank(counts, len(sample) - 1 - tenth)
        levels[1:, rows] = np.stack([*parts, *extremes]).reshape(levels[1:, rows].shape)
    if levels.ndim == 3:
        return _without_resting(levels, foreground, separation)
    return np.stack([_without_resting(levels[..., c], foreground, separation) for c in range(levels.shape[3])], axis=2)


def drop_outlier_frames(means: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which frames to keep, bool (N,), by their mean brightness (N,) in levels: True for a frame like the others.

    A frame is dropped if it is more than 6 robust standard deviations (1.4826 times the median absolute deviation, but at least one level)
    away from the median of the means. At least half of the frames are always kept.
    """
    return np.asarray(np.abs(means - np.median(means)) <= OUTLIER_Z * brightness_spread(means))


def brightness_spread(means: NDArray[np.float64]) -> float:
    """Robust standard deviation of the mean brightness (N,) of frames: 1.4826 times the median absolute deviation, at least 1 level."""
    return max(1.4826 * float(np.median(np.abs(means - np.median(means)))), _LEAST_SPREAD)


def collect_frames(frames: Iterable[Image]) -> list[Image]:
    """The frames, each (H, W) or (H, W, 3) uint8, without black and broken ones, see `drop_outlier_frames`; copies, unless they are a list.

    Raises HerdbookError if there is no frame, or more than 65,535, or if shapes differ.
    """
    sample: list[Image] = []
    held = isinstance(frames, list)
    for number, frame in enumerate(frames):
        if frame.dtype != np.uint8 or (sample and frame.shape != sample[0].shape):
            expected = f"{sample[0].shape} uint8" if sample else "uint8"
            raise HerdbookError(
                f"background: sampled frame {number} is {frame.shape} {frame.dtype}, expected {expected};"
                " all movies that share a background need the same frame size"
            )
        # Copied, because a decoder may write its next frame into the same memory.
        sample.append(frame if held else np.array(frame, order="C"))
    if not 0 < len(sample) <= _MAX_FRAMES:
        raise HerdbookError(
            f"background: got {len(sample)} frames, expected 1 to {_MAX_FRAMES}; check the intervals and the number of frames to sample"
        )
    keep = drop_outlier_frames(np.array([frame.mean() for frame in sample]))
    return [frame for frame, good in zip(sample, keep, strict=True) if good]


def _check_name(what: str, name: str, known: tuple[str, ...]) -> None:
    if name not in known:
        raise HerdbookError(f"unknown background {what} '{name}': choose one of {', '.join(known)}")


def _histograms(sample: list[Image], tables: Image) -> Iterator[tuple[slice, Counts]]:
    """Yield (rows, counts (P, 256)) block by block; values of frame n are converted by tables[n], (N, 256)."""
    height = len(sample[0])
    per_row = sample[0][0].size
    step = max(_BLOCK // per_row, 1)
    counts = np.empty((step * per_row, _LEVELS), np.uint16)
    for top in range(0, height, step):
        rows = slice(top, min(top + step, height))
        block = counts[: (rows.stop - top) * per_row]
        block[:] = 0
        for frame, table in zip(sample, tables, strict=True):
            _count(frame[rows].reshape(-1), table, block)
        yield rows, block


def _summarise(counts: Counts, statistic: Statistic) -> Image:
    frames = int(counts[0].sum())
    if statistic == "mean":
        return _levels(np.rint(counts @ np.arange(_LEVELS, dtype=np.float64) / frames))
    if statistic == "mode":
        return _levels(counts.argmax(axis=1))
    rank = {"min": 0, "median": (frames - 1) // 2, "max": frames - 1}[statistic]
    return _levels(_values_at_rank(counts, rank))


def _levels(values: NDArray[Any]) -> Image:
    levels: Image = values.astype(np.uint8)
    return levels


def _equal_brightness(sample: list[Image]) -> Image:
    """Return a table for each frame, (N, 256), which gives all frames the same mean brightness."""
    means = np.array([max(frame.mean(), 1.0) for frame in sample])
    gains = np.median(means) / means
    levels = np.rint(gains[:, None] * np.arange(_LEVELS))
    return _levels(np.minimum(levels, _LEVELS - 1))


def _without_resting(levels: Levels, foreground: Foreground, separation: int) -> Image:
    """Replace resting animals by the arena in one plane (H, W)."""
    plain, dark, bright, darkest, brightest = levels
    # A pixel with one level has both parts at zero; with two, the brighter part is above zero.
    bimodal = bright > 0
    drops = _far(plain.astype(np.int16) - darkest, separation / 2)
    rises = _far(brightest.astype(np.int16) - plain, separation / 2)
    if foreground == "either":
        expected = _surroundings(plain, bimodal, ~(bimodal | drops | rises))
        balance = _balance(expected, dark, bright, bimodal)
        # The outer tenth may be the level of an animal of the other polarity.
        drops &= np.abs(darkest - expected) < np.abs(plain - expected)
        rises &= np.abs(brightest - expected) < np.abs(plain - expected)
    else:
        balance = np.full(plain.shape, 1.0 if foreground == "dark" else -1.0)
    result: Image = plain.copy()
    for seeds, part, soft, outer in ((bimodal & (balance > 0), bright, rises, brightest), (bimodal & (balance < 0), dark, drops, darkest)):
        outline = _connected_to(seeds, soft & ~bimodal)
        result[seeds], result[outline] = part[seeds], outer[outline]
    return result


def _far(distance: NDArray[np.int16], least: float) -> NDArray[np.bool_]:
    return np.asarray(distance >= max(least, _SOFT_RATIO * float(np.median(distance))))


def _connected_to(seeds: NDArray[np.bool_], others: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the pixels of `others` that are 8-connected to a seed through pixels of `others`."""
    _, groups = cv2.connectedComponents((seeds | others).astype(np.uint8), connectivity=8)
    reached = np.zeros(groups.max() + 1, np.bool_)
    reached[groups[seeds]] = True
    return np.asarray(others & reached[groups])


def _balance(expected: NDArray[np.float64], dark: Image, bright: Image, bimodal: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Which part of each group of bimodal pixels is more similar to the expected levels: above 0 the bright one, below 0 the dark one."""
    _, groups = cv2.connectedComponents(bimodal.astype(np.uint8), connectivity=8)
    nearer = np.abs(expected - dark) - np.abs(expected - bright)
    return np.asarray(np.bincount(groups.ravel(), np.where(bimodal, nearer, 0.0).ravel())[groups])


def _surroundings(image: Image, bimodal: NDArray[np.bool_], steady: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Expected levels in and around each group of bimodal pixels: a weighted mean of steady pixels nearby; NaN elsewhere.

    The mean is a normalised convolution (Knutsson & Westin 1993, CVPR).
    """
    expected = np.full(image.shape, np.nan)
    count, _, boxes, _ = cv2.connectedComponentsWithStats(bimodal.astype(np.uint8), connectivity=8)
    for left, top, width, height, _ in boxes[1:count]:
        # A margin as wide as the group: enough pixels of the arena on all sides.
        margin = max(width, height, _LEAST_MARGIN)
        window = np.s_[max(top - margin, 0) : top + height + margin, max(left - margin, 0) : left + width + margin]
        weight = steady[window].astype(np.float64)
        sigma = margin / 3
        total, share = (cv2.GaussianBlur(values, (0, 0), sigma) for values in (image[window] * weight, weight))
        np.divide(total, share, out=expected[window], where=share > _LEAST_SHARE)
    return expected


@njit(cache=True, nogil=True)
def _count(pixels: Image, table: Image, counts: Counts) -> None:
    for pixel in range(len(pixels)):
        counts[pixel, table[pixels[pixel]]] += 1


@njit(cache=True, nogil=True)
def _value_at_rank(histogram: Counts, rank: int) -> int:
    """Return the value at index `rank` of the sorted values."""
    value = 0
    seen = np.int64(histogram[0])
    while seen <= rank:
        value += 1
        seen += histogram[value]
    return value


@njit(cache=True, nogil=True)
def _values_at_rank(counts: Counts, rank: int) -> Image:
    values = np.empty(len(counts), np.uint8)
    for pixel in range(len(counts)):
        values[pixel] = _value_at_rank(counts[pixel], rank)
    return values


@njit(cache=True, nogil=True)
def _split(counts: Counts, frames: int, separation: int, least_mass: float, least_ratio: float) -> Image:
    """Return the medians of the dark and the bright part of each bimodal histogram, (2, P), and zeros for the others."""
    parts = np.zeros((2, len(counts)), np.uint8)
    for pixel in range(len(counts)):
        histogram = counts[pixel]
        lowest, highest = 0, _LEVELS - 1
        while histogram[lowest] == 0:
            lowest += 1
        while histogram[highest] == 0:
            highest -= 1
        if highest - lowest < separation:
            continue
        total, squares = 0.0, 0.0
        for level in range(lowest, highest + 1):
            total += level * histogram[level]
            squares += level * level * histogram[level]
        n, s, q = 0.0, 0.0, 0.0
        best, cut_n, cut_s, cut_q = -1.0, 0.0, 0.0, 0.0
        for level in range(lowest, highest):
            n += histogram[level]
            s += level * histogram[level]
            q += level * level * histogram[level]
            between = n * (frames - n) * (s / n - (total - s) / (frames - n)) ** 2
            if between > best:
                best, cut_n, cut_s, cut_q = between, n, s, q
        rest = frames - cut_n
        dark, bright = cut_s / cut_n, (total - cut_s) / rest
        spread = np.sqrt(max(cut_q / cut_n - dark**2, 0.0))
        spread += np.sqrt(max((squares - cut_q) / rest - bright**2, 0.0))
        distance = bright - dark
        if min(cut_n, rest) < least_mass * frames or distance < max(separation, least_ratio * spread):
            continue
        parts[0, pixel] = _value_at_rank(histogram, int(cut_n - 1) // 2)
        parts[1, pixel] = _value_at_rank(histogram, int(cut_n + (rest - 1) // 2))
    return parts
