"""Crops: an animal's image, centred, head up, everything but the animal blanked. Images are (row, col, channel) BGR uint8."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from herdbook.arrays import Floats, Pixels
from herdbook.artifacts.background import Background
from herdbook.artifacts.segment import BlobImage, BlobImages, Blobs

# An edge of this width (px) fades from the animal into the blank.
FEATHER_PX = 1.5
# A crop is this many body lengths long, so that legs and a bent body stay inside.
LENGTH_BODY_LENGTHS = 1.25
# A channel of the background outside of these levels is too dark or too bright to tell the colour of the light.
WHITE_LEVELS = (25, 245)
# Sides of an image (px) that anybody's classifier may ask for; those of this experiment are bounded by its model.
MOST_SIDE = 1024


@dataclass(frozen=True)
class CropSpec:
    """How a crop is made: `length_px` of the movie are shown along its height; `size` (width, height) px; `blank` grey level of what is not
    the animal; `neighbours` whether other animals are shown, too; `white_balance` whether the colour of the light is taken out.
    """

    length_px: float
    size: tuple[int, int] = (32, 48)
    blank: int = 127
    neighbours: bool = False
    white_balance: bool = True

    def as_dict(self) -> dict[str, Any]:
        """The specification as JSON can hold it."""
        return asdict(self) | {"size": list(self.size)}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "CropSpec":
        """The specification that `as_dict` gave. Raises ValueError for one that cannot be, such as images larger than MOST_SIDE."""
        spec = cls(**values | {"size": (int(values["size"][0]), int(values["size"][1]))})
        if not (all(1 <= side <= MOST_SIDE for side in spec.size) and 0 < spec.length_px < np.inf and spec.blank in range(256)):
            raise ValueError(f"crops of {spec.size} px for a length of {spec.length_px} px on grey level {spec.blank}")
        return spec


@dataclass(frozen=True)
class Light:
    """Colour of the light in the windows of the background: `first_frame` int64 (k,), `gain` float64 (k, 3) that takes it out."""

    first_frame: NDArray[np.int64]
    gain: Floats

    def at(self, frame: int) -> Floats:
        """The gain (3,) in a frame."""
        return np.asarray(self.gain[np.searchsorted(self.first_frame, frame, side="right") - 1])


def light_of(background: Background, white_balance: bool = True) -> Light:
    """The light that makes the background grey, with the same mean; without `white_balance`, or where it is too dark or bright to tell,
    the gain is 1.
    """
    middle = np.array([np.median(window.reshape(-1, 3), axis=0) for window in background.bgr], np.float64)
    clear = ((middle > WHITE_LEVELS[0]) & (middle < WHITE_LEVELS[1])).all(axis=1, keepdims=True)
    gain = np.where(clear & white_balance, middle.mean(axis=1, keepdims=True) / np.maximum(middle, 1), 1.0)
    return Light(background.first_frame, gain)


def crop_length(body_length_px: float) -> float:
    """Length of the part of the movie that a crop shows, px, for animals of this length: even, at least 16."""
    return float(max(16, 2 * round(LENGTH_BODY_LENGTHS * body_length_px / 2)))


def make_crop(
    image: BlobImage, x: float, y: float, direction: float, gain: Floats, spec: CropSpec, neighbours: Sequence[BlobImage] = ()
) -> Pixels:
    """Crop of one blob, uint8 (height, width, 3) of `spec.size`.

    `x`, `y` centroid of the blob, `direction` of its head (rad), which points up in the crop; `gain` (3,) per channel; `neighbours` are
    shown beside it.
    """
    width, height = spec.size
    scale = height / spec.length_px
    cosine, sine = scale * np.cos(direction), scale * np.sin(direction)
    crop = np.full((height, width, 3), spec.blank, np.float32)
    for part in (*neighbours, image):
        u, v = x - part.x0, y - part.y0
        across, down = (width - 1) / 2 + sine * u - cosine * v, (height - 1) / 2 + cosine * u + sine * v
        matrix = np.array([[-sine, cosine, across], [-cosine, -sine, down]])
        mask = part.mask.view(np.uint8) * np.uint8(255)
        # The edge fades outside of the mask, where the image still shows what is around the animal.
        alpha = cv2.max(mask, cv2.convertScaleAbs(cv2.GaussianBlur(mask, (0, 0), FEATHER_PX), alpha=2))
        shown = cv2.warpAffine(part.pixels, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE).astype(np.float32)
        share = cv2.warpAffine(alpha, matrix, (width, height)).astype(np.float32)[:, :, None] / 255
        crop += share * (shown * gain.astype(np.float32) - crop)
    return np.asarray(np.clip(crop + 0.5, 0, 255), np.uint8)


def make_crops(
    images: BlobImages, blobs: Blobs, rows: Iterable[int], direction: NDArray[np.float32], light: Light, spec: CropSpec
) -> tuple[Pixels, NDArray[np.float32]]:
    """Crops of the blobs `rows`, each of which has an image, uint8 (n, height, width, 3), and how coloured each is, float32 (n,) levels.

    `direction` (blobs,) of the heads. How coloured an animal is: the mean over its pixels of the greatest less the least channel, as the
    movie shows it.
    """
    crops, chroma = [], []
    for row in rows:
        image = images.image(int(blobs.image[row]))
        frame = int(blobs.frame[row])
        others = [images.image(int(blobs.image[k])) for k in neighbours_of(blobs, int(row), spec)] if spec.neighbours else []
        crops.append(make_crop(image, blobs.x[row], blobs.y[row], float(direction[row]), light.at(frame), spec, others))
        blue, green, red = image.pixels[image.mask].T
        # Two of three at a time: a maximum along an axis of three takes five times as long.
        spread = np.maximum(np.maximum(blue, green), red) - np.minimum(np.minimum(blue, green), red)
        chroma.append(float(spread.mean()) if len(spread) else 0.0)
    stacked = np.stack(crops) if crops else np.zeros((0, spec.size[1], spec.size[0], 3), np.uint8)
    return stacked, np.array(chroma, np.float32)


def neighbours_of(blobs: Blobs, row: int, spec: CropSpec) -> list[int]:
    """Other blobs with images in the frame of the blob `row` that reach into its crop."""
    start, stop = np.searchsorted(blobs.frame, (blobs.frame[row], blobs.frame[row] + 1)).tolist()
    reach = spec.length_px / 2 * np.hypot(1, spec.size[0] / spec.size[1])
    x0, y0, x1, y1 = blobs.box[start:stop].T
    near = (x0 < blobs.x[row] + reach) & (x1 > blobs.x[row] - reach) & (y0 < blobs.y[row] + reach) & (y1 > blobs.y[row] - reach)
    found = start + np.flatnonzero(near & (blobs.image[start:stop] >= 0))
    return [int(k) for k in found if k != row]


def spread_rows(
    rows: NDArray[np.int64], offsets: NDArray[np.int64], usable: NDArray[np.bool_], count: int, done: int = 0
) -> list[NDArray[np.int64]]:
    """For each tracklet at most `count` of its usable blobs, spread over it, other than the `done` that were given before.

    `rows` and `offsets` are those of `Tracklets.blob_rows`; `usable` bool (blobs,).
    """
    chosen = []
    for start, stop in pairwise(offsets):
        mine = rows[start:stop]
        mine = mine[usable[mine]]
        chosen.append(np.sort(mine[spread_order(len(mine))[done : done + count]]) if len(mine) > done else mine[:0])
    return chosen


def spread_order(count: int) -> NDArray[np.int64]:
    """The order in which `count` places are taken so that every beginning of it is spread over them (van der Corput's sequence)."""
    digits = max(1, int(count - 1).bit_length())
    numbers = np.arange(1 << digits)
    turned = np.zeros_like(numbers)
    for digit in range(digits):
        turned |= ((numbers >> digit) & 1) << (digits - 1 - digit)
    places = (turned * count) >> digits
    first = np.unique(places, return_index=True)[1]
    return np.asarray(places[np.sort(first)], np.int64)
