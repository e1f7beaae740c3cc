"""What each animal looks like from above, learned from images of it alone: its silhouette and its colours, in a frame that turns
with it.

A template is a square of SIDE x SIDE cells, CELLS of them to a body length, centred on the animal's place, with the body axis along its
rows. Which end is the head stays open; images of one animal are all turned the same way.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np

from herdbook.arrays import Singles
from herdbook.artifacts.segment import BlobImage
from herdbook.positions.appearance import Alone

CELLS, SIDE = 32, 53
# A template is made of so many images nearest in time and so many from the whole movie, and is used for so many frames.
NEAR, SPREAD, LASTING = 12, 12, 50
# Images of which the common direction is learned, and without which an animal has no template of its own.
LEARNED, FEWEST = 80, 3
# The same place of an animal differs by at least so many grey levels between two images.
LEAST_DEVIATION = 12.0
# A cell belongs to the animal at most this surely; where it hardly ever does, the animal ends.
SUREST, LEAST_SHARE = 0.97, 0.03
BLUR = 0.8

ImageOf = Callable[[int], BlobImage | None]


class Template(NamedTuple):
    """`cells` (SIDE, SIDE, 4) float32: mean B, G, R and the chance that the cell belongs to the animal.

    `precision` (SIDE, SIDE, 3) float32: inverse variances of B, G, R.
    """

    cells: Singles
    precision: Singles


class Templates:
    """Templates of the animals of a movie.

    `alone` of each animal are its images by itself, in order of frame; `image_of` reads the image of a blob; `variances` of an animal's
    pixels along and across its body, px². `scale` is the number of cells for each px.
    """

    def __init__(self, alone: Sequence[Alone], image_of: ImageOf, variances: tuple[float, float]) -> None:
        self.scale = CELLS / max(1.0, 4 * variances[0] ** 0.5)
        self._alone, self._image_of = alone, image_of
        # Of methods they would hold this object until garbage is collected; the object holds them.
        self._cut = lru_cache(maxsize=2048)(self._cut_image)
        self._mean = lru_cache(maxsize=None)(self._mean_cut)
        self._made = lru_cache(maxsize=512)(self._make)
        self._known = [animal for animal, images in enumerate(alone) if len(images) >= FEWEST]

    def around(self, animal: int, frame: int) -> Template | None:
        """The template of an animal near a frame; that of animals in general for one that is never alone; None if none ever is."""
        if not self._known:
            return None
        return self._made(animal, frame // LASTING) if animal in self._known else self._made(-1, 0)

    def _make(self, animal: int, period: int) -> Template:
        if animal < 0:
            means = np.stack([self._mean(known) for known in self._known])
            return _template(np.concatenate([means, means[:, ::-1, ::-1]]))
        frames = self._alone[animal][:, 4]
        near = np.argsort(np.abs(frames - (period + 0.5) * LASTING), kind="stable")[:NEAR]
        spread = np.linspace(0, len(frames) - 1, min(SPREAD, len(frames))).round().astype(int)
        mean, cuts = self._mean(animal), []
        for number in np.unique(np.concatenate([near, spread])).tolist():
            cut = self._cut(animal, number)
            back = cut[::-1, ::-1]
            cuts.append(cut if ((cut - mean) ** 2).sum() <= ((back - mean) ** 2).sum() else back)
        return _template(np.stack(cuts))

    def _mean_cut(self, animal: int) -> Singles:
        """Mean image (SIDE, SIDE, 4) of an animal, all turned the same way.

        Turning an image changes the sign of what is odd in it, so the common direction is the first principal component of that.
        """
        number = len(self._alone[animal])
        chosen = np.unique(np.linspace(0, number - 1, min(number, LEARNED)).round().astype(int))
        cuts = np.stack([self._cut(animal, k) for k in chosen.tolist()])
        odd = (cuts - cuts[:, ::-1, ::-1]).reshape(len(cuts), -1).astype(np.float64)
        turned = np.linalg.eigh(odd @ odd.T)[1][:, -1] < 0
        cuts[turned] = cuts[turned, ::-1, ::-1]
        return np.asarray(cuts.mean(axis=0), np.float32)

    def _cut_image(self, animal: int, number: int) -> Singles:
        """Colours and mask (SIDE, SIDE, 4), 0 to 255, of an animal alone; colours outside of the mask are 0."""
        blob, x, y, angle, _ = self._alone[animal][number].tolist()
        image = self._image_of(int(blob))
        assert image is not None
        cosine, sine = self.scale * np.cos(angle), self.scale * np.sin(angle)
        u, v, half = x - image.x0, y - image.y0, (SIDE - 1) / 2
        matrix = np.array([[cosine, sine, half - cosine * u - sine * v], [-sine, cosine, half + sine * u - cosine * v]])
        inside = image.mask[..., None].astype(np.float32)
        pixels = np.concatenate([image.pixels * inside, inside * 255], axis=2)
        if self.scale < 1:
            pixels = cv2.GaussianBlur(pixels, (0, 0), 0.4 / self.scale)
        return np.asarray(cv2.warpAffine(pixels, matrix, (SIDE, SIDE)), np.float32)


def _template(cuts: Singles) -> Template:
    """The template of images (n, SIDE, SIDE, 4) that are turned the same way."""
    mask = cuts[..., 3:] / 255
    total = mask.sum(axis=0) + 1e-3
    colour = cuts[..., :3].sum(axis=0) / total
    variance = (mask * (cuts[..., :3] / np.maximum(mask, 0.3) - colour) ** 2).sum(axis=0) / total
    share = cv2.GaussianBlur(np.ascontiguousarray(mask.mean(axis=0)[..., 0]), (0, 0), BLUR)
    share = np.where(share < LEAST_SHARE, 0, np.minimum(share, SUREST))
    return Template(np.dstack([colour, share]).astype(np.float32), (1 / (variance + LEAST_DEVIATION**2)).astype(np.float32))
