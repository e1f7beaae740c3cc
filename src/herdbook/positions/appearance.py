"""How like each animal looks what is at a place: images inside a merged blob are compared with images of its animals alone.

An image of an animal is cut along its body axis; which end is the head stays open, so that both ways are tried. What an image says of an
animal is only ever relative to the other animals of the merge: what lies beside it in the blob spoils the image for all alike.
"""

from collections.abc import Callable, Sequence
from functools import cached_property, lru_cache, partial

import cv2
import numpy as np

from herdbook.arrays import Floats, Singles
from herdbook.artifacts.segment import BlobImage

# Images (n, 5) of an animal alone, in order of frame: blob, x, y, angle of the body axis (rad), frame.
Alone = Floats

# A body is looked at in this many pixels along its axis, one body length in all.
WIDTH = 40
BLUR_PX = 0.8
# The body's ellipse, a little widened, weighs the pixels.
WIDENED = 1.3
# A place is sought this far along the axis (px of the cut image), for ellipses are fitted loosely.
SHIFTS_PX = (-2.0, 0.0, 2.0)
# An animal is compared with so many of its images nearest in time, and so many from the whole movie.
NEAR, SPREAD = 15, 15
# Images that are used to learn what a difference means, from one animal at a time, and how far in time they keep from what they are
# compared with (frames).
TRIALS = 12
TRIAL_APART = 25
LEAST_IMAGES = 5
# Images of one merge follow each other closely and show animals half covered: each counts for so much of one of an animal alone. With half
# or twice as much, 16 small ants have 1.7 and 1.5 times as many wrong positions in contact; 15 large ants and mice the same.
WORTH = 0.3

# The image of a blob, or None where none was kept.
ImageOf = Callable[[int], BlobImage | None]


class Likeness:
    """Compares places in merged blobs with the animals that are known to be in there.

    `alone` of each animal are its images by itself, in order of frame; `image_of` reads the image of a blob; `variances` of an animal's
    pixels along and across its body, px². `useful` is false when animals cannot be told apart by their looks, or are never seen alone.
    """

    def __init__(self, alone: Sequence[Alone], image_of: ImageOf, variances: tuple[float, float]) -> None:
        self._alone = alone
        self._image_of = image_of
        self._cutter = _Cutter(variances)
        # Of a method it would hold this object, and all that this holds, until garbage is collected.
        self._example = lru_cache(maxsize=4096)(partial(_cut_example, self._cutter, alone, image_of))

    @property
    def useful(self) -> bool:
        """Whether looks tell animals apart at all."""
        return bool(np.isfinite(self._unit))

    def evidence(self, blob: int, frame: int, members: Sequence[int], places: Floats) -> Floats | None:
        """What the image of a blob says, (members, places) nats, for each member being at each place rather than another member.

        `places` (p, 3) x, y px and angle of the body axis. None where there is no image, or fewer than two members can be compared.
        """
        known = [k for k, member in enumerate(members) if 0 <= member < len(self._alone) and len(self._alone[member]) >= LEAST_IMAGES]
        image = self._image_of(blob) if self.useful and len(known) > 1 else None
        if image is None:
            return None
        distance = np.array([self._distances(image, places, self._examples(members[k], frame)) for k in known])
        others = (distance.sum(axis=0) - distance) / (len(known) - 1)
        found = np.zeros((len(members), len(places)))
        found[known] = WORTH * (others - distance) / self._unit
        return found

    @cached_property
    def _unit(self) -> float:
        """The difference of image distances that is worth one nat, by which animals alone are told apart best."""
        # A third of a second to import, which a movie without merges need not pay.
        from scipy.optimize import minimize_scalar

        usable = [k for k, images in enumerate(self._alone) if len(images) >= LEAST_IMAGES]
        if len(usable) < 2:
            return np.inf
        margins = []
        for place, animal in enumerate(usable):
            picks = np.unique(np.linspace(0, len(self._alone[animal]) - 1, TRIALS).round().astype(int))
            for turn, pick in enumerate(picks.tolist()):
                blob, x, y, angle, frame = self._alone[animal][pick].tolist()
                other = usable[(place + 1 + turn % (len(usable) - 1)) % len(usable)]
                image = self._image_of(int(blob))
                own = self._examples(animal, int(frame), TRIAL_APART)
                if image is None or not len(own):
                    continue
                spot = np.array([[x, y, angle]])
                margins.append(self._distances(image, spot, self._examples(other, int(frame)))[0] - self._distances(image, spot, own)[0])
        if not margins:
            return np.inf
        margin = np.array(margins)
        typical = float(np.median(np.abs(margin))) + 1e-6
        best = minimize_scalar(lambda log: np.logaddexp(0, -margin / (typical * np.exp(log))).mean(), bounds=(-4, 4), method="bounded")
        return float(typical * np.exp(best.x)) if best.fun < np.log(2) else np.inf

    def _examples(self, animal: int, frame: int, apart: int = 0) -> Singles:
        """Images (n, pixels * 3) of an animal alone, near in time and from the whole movie, more than `apart` frames away."""
        frames = self._alone[animal][:, 4]
        # Images before `stop` and from `start` on are far enough away.
        stop, start = int(np.searchsorted(frames, frame - apart, "right")), int(np.searchsorted(frames, frame + apart))
        start = max(start, stop)
        beside = np.concatenate([np.arange(max(0, stop - NEAR), stop), np.arange(start, min(len(frames), start + NEAR))])
        near = beside[np.argsort(np.abs(frames[beside] - frame), kind="stable")[:NEAR]]
        far = stop + len(frames) - start
        spread = np.linspace(0, far - 1, min(SPREAD, far)).round().astype(int)
        spread += np.where(spread >= stop, start - stop, 0)
        chosen = np.unique(np.concatenate([near, spread]))
        cut = [self._example(animal, int(k)) for k in chosen]
        return np.stack(cut) if cut else np.zeros((0, self._cutter.weight.size * 3), np.float32)

    def _distances(self, image: BlobImage, places: Floats, examples: Singles) -> Floats:
        """Least mean squared difference (places,) of an image around each place from the examples."""
        squares = examples**2
        found = np.full(len(places), np.inf)
        for number, (x, y, angle) in enumerate(places):
            for turn in (0.0, np.pi):
                for shift in SHIFTS_PX:
                    along = shift / self._cutter.scale
                    pixels, weight = self._cutter.cut(image, x + along * np.cos(angle), y + along * np.sin(angle), angle + turn)
                    heavy = np.repeat(weight.ravel(), 3)
                    flat = pixels.ravel()
                    distance = squares @ heavy - 2 * (examples @ (heavy * flat)) + float(heavy @ flat**2)
                    found[number] = min(found[number], float(distance.min()) / (float(heavy.sum()) + 1e-6))
        return found


class _Cutter:
    """Cuts animals of these variances of pixels (px²) out of images: `scale` pixels of what is cut for each px, their `weight` (h, w)."""

    def __init__(self, variances: tuple[float, float]) -> None:
        length, across = 4 * variances[0] ** 0.5, 4 * variances[1] ** 0.5
        self.scale = WIDTH / max(1.0, length)
        height = int(np.clip(2 * round(WIDENED * self.scale * across / 2), 12, WIDTH))
        y, x = np.mgrid[:height, :WIDTH].astype(np.float32)
        sigma = WIDENED * self.scale * np.sqrt(variances)
        distance = ((x - (WIDTH - 1) / 2) / sigma[0]) ** 2 + ((y - (height - 1) / 2) / sigma[1]) ** 2
        self.weight: Singles = np.exp(-distance / 2).astype(np.float32)

    def cut(self, image: BlobImage, x: float, y: float, angle: float) -> tuple[Singles, Singles]:
        """Pixels (h, w, 3) around a place, the body axis level, and their weights (h, w): nothing outside of the blob counts."""
        height, width = self.weight.shape
        cosine, sine = self.scale * np.cos(angle), self.scale * np.sin(angle)
        u, v = x - image.x0, y - image.y0
        across, down = (width - 1) / 2, (height - 1) / 2
        matrix = np.array([[cosine, sine, across - cosine * u - sine * v], [-sine, cosine, down + sine * u - cosine * v]])
        inside = image.mask.astype(np.float32)
        pixels = np.where(image.mask[:, :, None], image.pixels, 0).astype(np.float32)
        turned = cv2.GaussianBlur(cv2.warpAffine(pixels, matrix, (width, height)), (0, 0), BLUR_PX)
        return np.asarray(turned, np.float32), self.weight * cv2.warpAffine(inside, matrix, (width, height))


def _cut_example(cutter: _Cutter, alone: Sequence[Alone], image_of: ImageOf, animal: int, number: int) -> Singles:
    blob, x, y, angle, _ = alone[animal][number].tolist()
    image = image_of(int(blob))
    assert image is not None
    return cutter.cut(image, x, y, angle)[0].ravel()
