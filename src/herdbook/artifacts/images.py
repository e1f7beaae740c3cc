"""Images of blobs as stored in the movie: luma and chroma samples around each blob; everything farther away is blanked.

Samples of the planes are kept, not colours: they are half as many, come straight from the decoder, and give the exact colours when needed.
A box is (x0, y0, x1, y1), x1 and y1 exclusive, px.
"""

from collections.abc import Sequence

import numpy as np
from numba import njit
from numpy.typing import NDArray

from herdbook.arrays import Pixels
from herdbook.movie.frame import Coding, planes_to_bgr

Boxes = NDArray[np.int32]

# An image keeps this much around its blob, so that a feathered edge has something to fade into.
MARGIN_PX = 3
# Luma of blanked pixels is 0 (black in either range); chroma is neutral.
NEUTRAL = 128


def image_boxes(boxes: Boxes, width: int, height: int) -> Boxes:
    """Boxes (n, 4) of the images of blobs with these boxes: larger by a margin, extended to even coordinates, clipped to the frame."""
    x0, y0, x1, y1 = boxes.T
    left, top = np.maximum(0, x0 - MARGIN_PX) & ~1, np.maximum(0, y0 - MARGIN_PX) & ~1
    right, bottom = (x1 + MARGIN_PX + 1) & ~1, (y1 + MARGIN_PX + 1) & ~1
    return np.stack([left, top, np.minimum(width, right), np.minimum(height, bottom)], 1).astype(np.int32)


def plane_shapes(box: Sequence[int], coding: Coding) -> list[tuple[int, int]]:
    """Rows and columns of each plane of an image with this box."""
    x0, y0, x1, y1 = (int(v) for v in box)
    full = (y1 - y0, x1 - x0)
    if coding.kind == "grey":
        return [full]
    rows, columns = coding.shifts
    chroma = (-(-full[0] >> rows), -(-full[1] >> columns))
    return [full, chroma, chroma]


def image_samples(boxes: Boxes, coding: Coding) -> NDArray[np.int64]:
    """Number of samples (n,) in images with these boxes (n, 4)."""
    width, height = (boxes[:, 2:] - boxes[:, :2]).astype(np.int64).T
    if coding.kind == "grey":
        return np.asarray(width * height)
    rows, columns = coding.shifts
    return np.asarray(width * height + 2 * ((height + (1 << rows) - 1) >> rows) * ((width + (1 << columns) - 1) >> columns))


def pack_images(planes: Sequence[Pixels], coding: Coding, boxes: Boxes, runs: NDArray[np.int32], run_offsets: NDArray[np.int64]) -> Pixels:
    """Samples of k blobs of one frame, uint8, image after image, plane after plane, as differences along both axes (modulo 256).

    Differences of neighbours compress better than the samples themselves.

    `planes` and `coding` of the frame; `boxes` int32 (k, 4) from `image_boxes`; `runs` int32 (r, 3) row, first, last column of the blobs,
    blob i from run_offsets[i] to run_offsets[i + 1].
    """
    samples = np.empty(int(image_samples(boxes, coding).sum()), np.uint8)
    first, second, third = planes if len(planes) == 3 else (planes[0], planes[0], planes[0])
    _pack(first, second, third, len(planes), coding.kind == "yuv", *coding.shifts, boxes, runs, run_offsets, samples)
    return samples


@njit(cache=True, nogil=True)
def _pack(  # type: ignore[no-untyped-def]
    first, second, third, planes, neutral, row_shift, col_shift, boxes, runs, run_offsets, samples
):
    place = 0
    for k in range(len(boxes)):
        x0, y0, x1, y1 = boxes[k]
        near = np.zeros((y1 - y0, x1 - x0), np.bool_)
        for r in range(run_offsets[k], run_offsets[k + 1]):
            left, right = max(x0, runs[r, 1] - MARGIN_PX), min(x1, runs[r, 2] + MARGIN_PX + 1)
            for y in range(max(y0, runs[r, 0] - MARGIN_PX), min(y1, runs[r, 0] + MARGIN_PX + 1)):
                near[y - y0, left - x0 : right - x0] = True
        for y in range(y0, y1):
            for x in range(x0, x1):
                samples[place] = first[y, x] if near[y - y0, x - x0] else 0
                place += 1
        _difference(samples[place - (y1 - y0) * (x1 - x0) : place], x1 - x0)
        if planes == 1:
            continue
        rows = (y1 - y0 + (1 << row_shift) - 1) >> row_shift
        columns = (x1 - x0 + (1 << col_shift) - 1) >> col_shift
        for plane in range(2):
            source = second if plane == 0 else third
            for y in range(rows):
                for x in range(columns):
                    inside = False
                    for dy in range(y << row_shift, min(y1 - y0, (y + 1) << row_shift)):
                        for dx in range(x << col_shift, min(x1 - x0, (x + 1) << col_shift)):
                            inside |= near[dy, dx]
                    blank = NEUTRAL if neutral else 0
                    samples[place] = source[(y0 >> row_shift) + y, (x0 >> col_shift) + x] if inside else blank
                    place += 1
            _difference(samples[place - rows * columns : place], columns)


@njit(cache=True, nogil=True)
def _difference(plane: Pixels, width: int) -> None:
    for k in range(len(plane) - 1, -1, -1):
        left = plane[k - 1] if k % width else 0
        above = plane[k - width] if k >= width else 0
        corner = plane[k - width - 1] if k >= width and k % width else 0
        plane[k] = np.uint8((plane[k] - left - above + corner) & 255)


def unpack_image(samples: Pixels, box: Sequence[int], coding: Coding) -> Pixels:
    """Colours uint8 (h, w, 3) BGR of one image from its samples."""
    planes, place = [], 0
    for rows, columns in plane_shapes(box, coding):
        steps = samples[place : place + rows * columns].reshape(rows, columns)
        planes.append(np.cumsum(np.cumsum(steps, axis=0, dtype=np.uint8), axis=1, dtype=np.uint8))
        place += rows * columns
    return planes_to_bgr(planes, coding)
