"""The loops of drawing that NumPy is slow at on small pieces of a frame: blending texts, outlining blobs, finding free places."""

import numpy as np
from numba import njit

# Where a label's corner may lie from its anchor, the preferred ones first: x in gaps and widths, y in gaps and heights of the label.
_SIDES = ((1.0, 0.0), (-1.0, -1.0))
PLACES = np.array(
    [
        *((*side, 0.0, -0.5) for side in _SIDES),
        *((0.0, -0.5, 1.0, 0.0), (0.0, -0.5, -1.0, -1.0)),
        *((*side, 0.0, sign * row - 0.5) for row in range(1, 5) for sign in (1, -1) for side in _SIDES),
    ]
)


@njit(cache=True, nogil=True)
def blend_label(image, letters, halo, x0, y0, halo_ink, ink):  # type: ignore[no-untyped-def]
    """Blend a halo and letters upon it into an image (rows, columns, 3) uint8, upper left corner at x0, y0; what is outside is left out.

    `letters`, `halo` float32 (h, w, 1) opacities 0..1; `halo_ink`, `ink` float32 (3,).
    """
    height, width = letters.shape[:2]
    for row in range(max(0, -y0), min(height, image.shape[0] - y0)):
        for column in range(max(0, -x0), min(width, image.shape[1] - x0)):
            dark, light = halo[row, column, 0], letters[row, column, 0]
            if dark > 0 or light > 0:
                for k in range(3):
                    ground = np.float32(image[y0 + row, x0 + column, k])
                    ground += dark * (halo_ink[k] - ground)
                    ground += light * (ink[k] - ground)
                    image[y0 + row, x0 + column, k] = np.uint8(ground + np.float32(0.5))


@njit(cache=True, nogil=True)
def outline_runs(image, runs, scale):  # type: ignore[no-untyped-def]
    """Lighten or darken the rim of what runs int32 (r, 3) row, first, last column cover, by the ground that each of its pixels lies on.

    `scale` is the size of a full-frame pixel on the image. A pixel of a run is on the rim unless all of its four neighbours are covered.
    """
    top, left = runs[:, 0].min() - 1, runs[:, 1].min() - 1
    mask = np.zeros((runs[:, 0].max() - top + 2, runs[:, 2].max() - left + 2), np.bool_)
    for k in range(len(runs)):
        mask[runs[k, 0] - top, runs[k, 1] - left : runs[k, 2] - left + 1] = True
    # On a smaller image several pixels of the rim fall on one, whose ink must not be taken from what they have made of it.
    done = np.zeros(image.shape[:2], np.bool_)
    for k in range(len(runs)):
        row = runs[k, 0] - top
        y = min(max(int(np.rint((runs[k, 0] + 0.5) * scale - 0.5)), 0), image.shape[0] - 1)
        for column in range(runs[k, 1] - left, runs[k, 2] - left + 1):
            if mask[row - 1, column] and mask[row + 1, column] and mask[row, column - 1] and mask[row, column + 1]:
                continue
            x = min(max(int(np.rint((column + left + 0.5) * scale - 0.5)), 0), image.shape[1] - 1)
            if not done[y, x]:
                done[y, x] = True
                level = int(image[y, x, 0]) + int(image[y, x, 1]) + int(image[y, x, 2])
                ink = 153.0 if level < 384 else 0.0
                for c in range(3):
                    image[y, x, c] = np.uint8(0.4 * image[y, x, c] + ink)


@njit(cache=True, nogil=True)
def find_corners(anchors, sizes, order, gap, boxes, n_boxes, frame_width, frame_height, corners):  # type: ignore[no-untyped-def]
    """Put labels beside their anchors one after another, each into the first of the PLACES that covers least of the boxes.

    `anchors`, `sizes` float64 (n, 2); `order` int64 (n,): who comes first; `boxes` (m, 4) x0, y0, x1, y1, of which `n_boxes` are filled,
    with room for one of each label. Fills `corners` float64 (n, 2).
    """
    for row in order:
        width, height = sizes[row]
        least = np.inf
        for place in PLACES:
            x = anchors[row, 0] + place[0] * gap + place[1] * width
            y = anchors[row, 1] + place[2] * gap + place[3] * height
            x = max(0.0, min(x, frame_width - width))
            y = max(0.0, min(y, frame_height - height))
            covered = 0.0
            for k in range(n_boxes):
                wide = min(x + width, boxes[k, 2]) - max(x, boxes[k, 0])
                high = min(y + height, boxes[k, 3]) - max(y, boxes[k, 1])
                if wide > 0 and high > 0:
                    covered += wide * high
            if covered < least:
                least = covered
                corners[row, 0], corners[row, 1] = x, y
        boxes[n_boxes, 0], boxes[n_boxes, 1] = corners[row, 0], corners[row, 1]
        boxes[n_boxes, 2], boxes[n_boxes, 3] = corners[row, 0] + width, corners[row, 1] + height
        n_boxes += 1
