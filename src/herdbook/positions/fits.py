"""Where each animal is inside a merged blob: all their templates are fitted to the blob together, frame after frame.

A pixel belongs to the blob because at least one animal covers it, and is outside because none does; where an image was kept, the colour of
a pixel is that of one of the animals that may cover it. Points are (x, y) px.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from herdbook.arrays import Bools, Floats, Ints, Runs
from herdbook.artifacts.segment import BlobImage
from herdbook.geometry.runs import runs_to_mask
from herdbook.positions.fitting import fit_templates, share_pixels
from herdbook.positions.templates import Template, Templates

# Poses (k, 3) x, y, angle of animals in a blob, from its outline, number, frame, the individuals, where they are looked for (k, 3), and
# whether it is known that they are near there (k,); None where there are no templates.
Fit = Callable[[Runs, int, int, Sequence[int], Floats, Bools], Floats | None]

# A blob is read on a grid with about so many points to an animal.
POINTS_PER_ANIMAL = 160
# Points are looked at this far around the blob (body lengths), for animals do not lie where there is nothing.
MARGIN = 0.3
# All pixels of an animal together count for so many nats, times what each says: pixels beside each other do not err independently.
NATS_PER_ANIMAL = 25.0
# Axes turn with this deviation (rad) from one frame to the next.
TURN = 0.3


def no_fit(runs: Runs, blob: int, frame: int, individuals: Sequence[int], poses: Floats, near: Bools) -> None:
    """There are no templates."""


class Fitter:
    """Fits the templates of animals to merged blobs.

    `image_of` reads the image of a blob; `variances` of an animal's pixels along and across its body, px²; `step_px` is the deviation of
    its steps inside a merge, from one frame to the next.
    """

    def __init__(
        self, templates: Templates, image_of: Callable[[int], BlobImage | None], variances: tuple[float, float], step_px: float
    ) -> None:
        self._templates, self._image_of, self._step = templates, image_of, step_px
        length, width = (4 * variance**0.5 for variance in variances)
        area = np.pi / 4 * length * width
        self._spacing = max(1, round((area / POINTS_PER_ANIMAL) ** 0.5))
        self._points = area / self._spacing**2
        self._margin = int(MARGIN * length)

    def fit(self, runs: Runs, blob: int, frame: int, individuals: Sequence[int], poses: Floats, near: Bools) -> Floats | None:
        """Poses (k, 3), as `Fit` says."""
        templates = self._of(individuals, frame)
        if templates is None:
            return None
        points, colours = self._read(runs, self._image_of(blob))
        fitted: Floats = fit_templates(
            points, colours, poses, near, self._templates.scale, *templates, NATS_PER_ANIMAL, self._points, self._step, TURN
        )
        return fitted

    def shares(self, runs: Runs, blob: int, frame: int, individuals: Sequence[int], poses: Floats) -> tuple[Ints, Floats] | None:
        """The points (p, 2) of a blob's grid, and the share (k, p) that each individual in its pose has in each: masks of the members."""
        templates = self._of(individuals, frame)
        if templates is None:
            return None
        points, colours = self._read(runs, self._image_of(blob))
        inside = points[:, 2] > 0
        points, colours = points[inside], colours[inside]
        return points[:, :2].astype(np.int64), share_pixels(points, colours, poses, self._templates.scale, *templates)

    def _of(self, individuals: Sequence[int], frame: int) -> tuple[NDArray[np.float32], NDArray[np.float32]] | None:
        found: list[Template] = [t for one in individuals if (t := self._templates.around(one, frame)) is not None]
        if len(found) < len(individuals):
            return None
        return np.stack([template.cells for template in found]), np.stack([template.precision for template in found])

    def _read(self, runs: Runs, image: BlobImage | None) -> tuple[Floats, NDArray[np.float32]]:
        """Points (p, 3) x, y, 1 inside and 0 outside of the blob, of a grid; B, G, R (p, 3) of each, or (0, 3) without an image."""
        x0, y0 = int(runs[:, 1].min()) - self._margin, int(runs[0, 0]) - self._margin
        mask = runs_to_mask(runs, x0, y0, int(runs[:, 2].max()) + self._margin + 1, int(runs[-1, 0]) + self._margin + 1)
        step = self._spacing
        row, column = np.mgrid[step // 2 : mask.shape[0] : step, step // 2 : mask.shape[1] : step].reshape(2, -1)
        points = np.stack([column + x0, row + y0, mask[row, column]], 1).astype(np.float64)
        if image is None:
            return points, np.zeros((0, 3), np.float32)
        colours = np.zeros((len(points), 3), np.float32)
        # The image shows at least the box of the blob.
        inside = np.flatnonzero(points[:, 2])
        colours[inside] = image.pixels[row[inside] + y0 - image.y0, column[inside] + x0 - image.x0]
        return points, colours
