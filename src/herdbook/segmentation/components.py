"""Blobs of foreground pixels directly from a luma plane: runs, 8-connected components and their features.

Runs are joined by union-find (Wu, Otoo & Suzuki 2009, Pattern Analysis and Applications 12:117). There is no label image: the cost is one
pass over the frame, and time proportional to the number of runs. Points are (x, y), pixel centres at integer coordinates; images are (row,
col).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from herdbook.arrays import Ints, Pixels, Runs

Rows = tuple[Pixels, int]  # an image as one line of pixels, and the distance between its rows
Pair = tuple[Rows, Rows]

_NO_LIMIT = np.iinfo(np.int64).max
_NO_PIXELS = np.zeros(0, np.uint8)
_NO_PIXELS.flags.writeable = False
_WORD = 8  # pixels that are compared together, to skip those without a change


@dataclass(slots=True)
class FrameBlobs:
    """The n blobs of one frame as columns, in the order of their first pixels (row by row).

    area (n,) int32, px. x, y (n,) float64: centroid, px. x0, y0, x1, y1 (n,) int32: bounding box, x1 and y1 exclusive.
    mxx, mxy, myy (n,) float64: central second moments of the pixel centres divided by the area, px².
    intensity_sum (n,) float64: sum of luma. contrast_sum (n,) float64: sum of |luma - reference|. Both are NaN if the image that they need
    is not given.
    runs (R, 3) int32: row, first column, last column (inclusive), sorted by blob, row, column.
    run_offsets (n + 1,) int64: the runs of blob i are `runs[run_offsets[i]:run_offsets[i + 1]]`.
    """

    area: NDArray[np.int32]
    x0: NDArray[np.int32]
    y0: NDArray[np.int32]
    x1: NDArray[np.int32]
    y1: NDArray[np.int32]
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    mxx: NDArray[np.float64]
    mxy: NDArray[np.float64]
    myy: NDArray[np.float64]
    intensity_sum: NDArray[np.float64]
    contrast_sum: NDArray[np.float64]
    runs: Runs
    run_offsets: Ints

    def __len__(self) -> int:
        """Return the number of blobs."""
        return len(self.area)

    def runs_of(self, blob: int) -> Runs:
        """Return the runs (R, 3) int32 of one blob, as a view."""
        return self.runs[self.run_offsets[blob] : self.run_offsets[blob + 1]]


class Labeller:
    """Finds blobs in frames of one size. It reuses its buffers, so each thread needs its own."""

    def __init__(self, height: int, width: int) -> None:
        self._shape = (height, width)
        # Padding of at least one background pixel closes a run that touches the right border.
        self._line = np.zeros((width // _WORD + 1) * _WORD, np.uint8)
        self._zeros = np.zeros(width, np.uint8)
        self._zeros.flags.writeable = False
        self._grow(4096)

    def label(
        self,
        luma: Pixels,
        low: Pixels | Rows,
        high: Pixels | Rows,
        reference: Pixels | Rows | None = None,
        *,
        min_area: int = 1,
        max_area: int | None = None,
    ) -> FrameBlobs:
        """Find the blobs of pixels with luma < low or luma > high.

        luma, low, high, reference: (H, W) uint8; rows may be strided. Dark animals: low = background - difference and high = 255. Bright
        ones: low = 0 and high = background + difference. Pixels with low = 0 and high = 255 are excluded.
        reference: image for the contrast, usually the background. For an image that is used for many frames, give the result of `prepare`.
        min_area, max_area: blobs outside of these bounds (px, inclusive) are dropped.
        Raises ValueError if an image has another size or is not uint8.
        """
        rows = self._rows(luma, "luma")
        bounds = self._rows(low, "low"), self._rows(high, "high")
        return self._blobs(rows, bounds, (rows, self._rows(reference, "reference")), min_area, max_area)

    def label_mask(
        self,
        mask: NDArray[np.bool_] | Pixels,
        luma: Pixels | None = None,
        reference: Pixels | Rows | None = None,
        *,
        min_area: int = 1,
        max_area: int | None = None,
    ) -> FrameBlobs:
        """Find the blobs of nonzero pixels in a mask (H, W), bool or uint8; other parameters as in `label`."""
        rows = self._rows(mask.view(np.uint8) if mask.dtype == np.bool_ else mask, "mask")
        images = self._rows(luma, "luma"), self._rows(reference, "reference")
        zeros = self._zeros, 0
        return self._blobs(rows, (zeros, zeros), images, min_area, max_area)

    def prepare(self, image: Pixels) -> Rows:
        """Return an image (H, W) uint8 in the form that the kernels take, for use with many frames.

        An image of a single value becomes one row that is read repeatedly: a third less memory is read.
        """
        rows = self._rows(image, "image")
        return (image[0].copy(), 0) if image.min() == image.max() else rows

    def _blobs(self, plane: Rows, bounds: Pair, images: Pair, min_area: int, max_area: int | None) -> FrameBlobs:
        count = _find_runs(plane, *bounds, self._shape, self._line, self._runs)
        if count > len(self._runs):
            self._grow(2 * count)
            count = _find_runs(plane, *bounds, self._shape, self._line, self._runs)
        _join_runs(self._runs, count, self._blob)
        most = _NO_LIMIT if max_area is None else max_area
        blobs, kept = _select(self._runs, count, self._blob, self._area, min_area, most)
        sizes = np.empty((5, blobs), np.int32)
        values = np.empty((7, blobs), np.float64)
        runs = np.empty((kept, 3), np.int32)
        offsets = np.zeros(blobs + 1, np.int64)
        _sort_runs(self._runs, count, self._blob, runs, offsets)
        _measure(runs, offsets, images, sizes, values)
        columns: list[NDArray[Any]] = [*sizes, *values, runs, offsets]
        return FrameBlobs(*columns)

    def _grow(self, runs: int) -> None:
        self._runs = np.empty((runs, 3), np.int32)
        self._blob = np.empty(runs, np.int64)
        self._area = np.empty(runs, np.int64)

    def _rows(self, image: NDArray[Any] | Rows | None, name: str) -> Rows:
        """Return an image as one line of pixels and the distance between its rows; no pixels for None.

        All images have the same layout, read-only, so that there is one compiled kernel, with an inner loop that can be vectorised.
        """
        if image is None:
            return _NO_PIXELS, 0
        if isinstance(image, tuple):
            return image
        if image.shape != self._shape or image.dtype != np.uint8:
            expected = f"{self._shape} uint8"
            raise ValueError(f"{name} is {image.shape} {image.dtype}, but this labeller expects {expected}")
        height, width = self._shape
        stride = image.strides[0]
        if image.flags.c_contiguous or image.strides[1] != 1 or stride < width:
            flat = np.ascontiguousarray(image).reshape(-1).view()
            flat.flags.writeable = False
            return flat, width
        pixels = (height - 1) * stride + width
        return np.lib.stride_tricks.as_strided(image, (pixels,), (1,), writeable=False), stride


@njit(cache=True, nogil=True)
def _find_runs(plane: Rows, low: Rows, high: Rows, shape: tuple[int, int], line: Pixels, runs: Runs) -> int:
    """Write the runs of the frame and return their number; those beyond the end of the buffer are only counted."""
    height, width = shape
    luma, stride = plane
    lowest, low_stride = low
    highest, high_stride = high
    words = line.view(np.uint64)
    full = np.uint64(0x0101010101010101)
    count = 0
    for row in range(height):
        pixels = luma[row * stride :][:width]
        lows = lowest[row * low_stride :][:width]
        highs = highest[row * high_stride :][:width]
        for col in range(width):
            line[col] = (pixels[col] < lows[col]) | (pixels[col] > highs[col])
        inside = False
        first = 0
        for word in range(len(words)):
            if words[word] == (full if inside else np.uint64(0)):
                continue
            for col in range(word * _WORD, (word + 1) * _WORD):
                if (line[col] != 0) == inside:
                    continue
                if not inside:
                    first = col
                else:
                    if count < len(runs):
                        runs[count, 0] = row
                        runs[count, 1] = first
                        runs[count, 2] = col - 1
                    count += 1
                inside = not inside
    return count


@njit(cache=True, nogil=True)
def _root(parent: Ints, run: int) -> int:
    while parent[run] != run:
        parent[run] = parent[parent[run]]
        run = int(parent[run])
    return run


@njit(cache=True, nogil=True)
def _join_runs(runs: Runs, count: int, parent: Ints) -> None:
    """Set the parent of each run to the first run of its blob; a root always has the lowest index, which keeps the order."""
    above = 0
    for run in range(count):
        parent[run] = run
        row, first, last = runs[run, 0], runs[run, 1], runs[run, 2]
        while runs[above, 0] < row - 1 or (runs[above, 0] == row - 1 and runs[above, 2] < first - 1):
            above += 1
        other = above
        while runs[other, 0] == row - 1 and runs[other, 1] <= last + 1:
            a, b = _root(parent, run), _root(parent, other)
            parent[max(a, b)] = min(a, b)
            other += 1
    for run in range(count):
        parent[run] = parent[parent[run]]


@njit(cache=True, nogil=True)
def _select(runs: Runs, count: int, blob: Ints, area: Ints, min_area: int, max_area: int) -> tuple[int, int]:
    """Replace the root of each run by the number of its blob, -1 for a blob outside of the area limits; count blobs and their runs."""
    for run in range(count):
        if blob[run] == run:
            area[run] = 0
        area[blob[run]] += runs[run, 2] - runs[run, 1] + 1
    blobs = 0
    kept = 0
    for run in range(count):
        root = blob[run]
        if root == run:
            # The number replaces the area: a root is before all other runs of its blob.
            if min_area <= area[run] <= max_area:
                area[run] = blobs
                blobs += 1
            else:
                area[run] = -1
        blob[run] = area[root]
        if blob[run] >= 0:
            kept += 1
    return blobs, kept


@njit(cache=True, nogil=True)
def _sort_runs(runs: Runs, count: int, blob: Ints, ordered: Runs, offsets: Ints) -> None:
    """Counting sort by blob; the backward loop keeps rows and columns in order and leaves the offsets at the starts."""
    for run in range(count):
        if blob[run] >= 0:
            offsets[blob[run]] += 1
    for number in range(1, len(offsets)):
        offsets[number] += offsets[number - 1]
    for run in range(count - 1, -1, -1):
        if blob[run] >= 0:
            offsets[blob[run]] -= 1
            place = offsets[blob[run]]
            for column in range(3):
                ordered[place, column] = runs[run, column]


@njit(cache=True, nogil=True)
def _measure(runs: Runs, offsets: Ints, images: Pair, sizes: NDArray[np.int32], values: NDArray[np.float64]) -> None:
    (pixels, stride), (expected, expected_stride) = images
    for blob in range(len(offsets) - 1):
        begin, end = offsets[blob], offsets[blob + 1]
        top, left = int(runs[begin, 0]), int(runs[begin, 1])
        x0, x1 = left, left
        n, sx, sy, sxx, sxy, syy = 0, 0, 0, 0, 0, 0
        intensity, contrast = 0.0, 0.0
        for run in range(begin, end):
            row, first, last = int(runs[run, 0]), int(runs[run, 1]), int(runs[run, 2])
            x0, x1 = min(x0, first), max(x1, last + 1)
            # Integer sums relative to the blob's first pixel: they are exact, and no precision is lost by cancellation.
            a, b, y = first - left, last - left, row - top
            length = b - a + 1
            run_sx = (a + b) * length // 2
            n += length
            sx += run_sx
            sy += y * length
            sxx += (b * (b + 1) * (2 * b + 1) - (a - 1) * a * (2 * a - 1)) // 6
            sxy += y * run_sx
            syy += y * y * length
            if len(pixels) > 0:
                inside = pixels[row * stride + first :][:length]
                intensity += inside.sum()
                if len(expected) > 0:
                    contrast += _sum_differences(inside, expected[row * expected_stride + first :][:length])
        sizes[0, blob] = n
        sizes[1, blob], sizes[2, blob] = x0, top
        sizes[3, blob], sizes[4, blob] = x1, runs[end - 1, 0] + 1
        x, y_mean = sx / n, sy / n
        values[0, blob], values[1, blob] = left + x, top + y_mean
        values[2, blob] = sxx / n - x * x
        values[3, blob] = sxy / n - x * y_mean
        values[4, blob] = syy / n - y_mean * y_mean
        values[5, blob] = intensity if len(pixels) > 0 else np.nan
        values[6, blob] = contrast if len(pixels) > 0 and len(expected) > 0 else np.nan


@njit(cache=True, nogil=True)
def _sum_differences(pixels: Pixels, others: Pixels) -> np.int64:
    total = np.int64(0)
    for index in range(len(pixels)):
        total += abs(np.int64(pixels[index]) - np.int64(others[index]))
    return total
