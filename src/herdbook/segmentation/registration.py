"""How far the static structure of a scene has moved between two images. Images are (row, col) uint8 luma."""

from dataclasses import dataclass

import cv2
import numpy as np

from herdbook.arrays import Bools, Floats, Image, Singles

# Frames are compared in images with at most this many pixels in width and height: a shift of 1 px of 4K video is still 1/8 px of them.
_LONGEST_PX = 480
# Structure is what differs from the surroundings within this distance (px of the reduced images): wide enough for the rim of a dish,
# narrow enough to be free of light that changes over the frame.
_SURROUNDINGS_PX = 8.0
_LEAST_WEIGHT = 1e-3
# The same blur for all images: a shift by part of a pixel blurs by itself, which must not look like a better match.
_BLUR_PX = 1.0
# Structure is the logarithm of the level, so that light changes nothing; this is added, because dark levels are mostly noise.
_DARK_LEVELS = 16.0
# Animals are of much higher contrast than the ground; beyond 20 % they count as much as the ground does.
_MOST_CONTRAST = 0.2
# The frame is divided into so many blocks in width and height. One animal is in at most 4 of them.
_BLOCKS = 8
# A block is active if the images differ there, with or without the movement, by so many times the typical remaining difference (mean
# squares), and by 0.3 % of the level. The movement explains it if at most half of the difference remains, and half of the structure: else a
# block that an animal has left would be explained by any movement. It contradicts the movement if the difference becomes twice as large:
# something that stood still.
_LEAST_CHANGE, _MOST_LEFT, _CONTRADICTS = 4.0, 0.5, 2.0
_LEAST_DIFFERENCE = 1e-5
# So many blocks must be explained, 0.3 of the active ones, since animals that moved are in the others, and twice as many as contradict.
_LEAST_BLOCKS, _LEAST_EXPLAINED, _MOST_CONTRADICT = 8, 0.3, 0.5
# Movements beyond this share of the frame are not sought: the scene has little in common then, and the light shows the change.
_FARTHEST = 0.25
# Explained blocks must reach over half of the frame in width and height, which a resting animal that turns does not.
_LEAST_REACH = _BLOCKS // 2
_QUANTILE = 0.65
_STEPS, _PRECISION = 40, 1e-4
# A guess after which the difference is larger by more than noise is not worth the search from it.
_LEFT_BY_GUESS = 1.05


@dataclass(frozen=True)
class Motion:
    """A movement of the whole scene: x' = matrix @ (x, y, 1), float64 (2, 3), from an earlier image to a later one, in px."""

    matrix: Floats

    @property
    def turn_deg(self) -> float:
        """Angle by which the scene has turned."""
        return float(np.degrees(np.arctan2(self.matrix[1, 0], self.matrix[0, 0])))

    def at(self, x: float, y: float) -> tuple[float, float]:
        """By how much the scene has moved at a point, px."""
        moved = self.matrix @ (x, y, 1.0)
        return float(moved[0] - x), float(moved[1] - y)

    def farthest(self, width: int, height: int) -> float:
        """Largest distance by which a corner of the frame has moved, px."""
        return max(float(np.hypot(*self.at(x, y))) for x in (0.0, width) for y in (0.0, height))

    def moved(self, image: Image, outside: int | None = None) -> Floats:
        """An image (h, w) moved like this, float64; where nothing moves in, the edge is repeated, or the value `outside` is set."""
        size, border = (image.shape[1], image.shape[0]), cv2.BORDER_REPLICATE if outside is None else cv2.BORDER_CONSTANT
        moved = cv2.warpAffine(
            image.astype(np.float64), self.matrix, size, flags=cv2.INTER_LINEAR, borderMode=border, borderValue=outside or 0
        )
        return np.asarray(moved)

    def reversed(self) -> "Motion":
        """The movement back."""
        return Motion(np.asarray(cv2.invertAffineTransform(self.matrix)))

    def times(self, factor: float, shape: tuple[int, ...]) -> "Motion":
        """So many times this movement, of images of this shape (h, w): the shift of the centre and the turn about it."""
        x, y = (shape[1] - 1) / 2, (shape[0] - 1) / 2
        shift = self.at(x, y)
        matrix = cv2.getRotationMatrix2D((x, y), -factor * self.turn_deg, 1.0)
        matrix[:, 2] += factor * shift[0], factor * shift[1]
        return Motion(matrix)

    def scaled(self, factor: float) -> "Motion":
        """The same movement in images that are larger by this factor."""
        # The centre of the first pixel is at 0, so that coordinates do not merely stretch.
        offset = (factor - 1) / 2
        matrix = self.matrix.copy()
        matrix[:, 2] = factor * matrix[:, 2] + offset - matrix[:, :2] @ (offset, offset)
        return Motion(matrix)


def reduction(shape: tuple[int, int]) -> int:
    """The factor by which frames of this shape are reduced."""
    return max(1, -(-max(shape) // _LONGEST_PX))


def reduced_by(luma: Image, factor: int) -> Image:
    """A frame reduced by averaging areas."""
    height, width = luma.shape
    size = (width // factor, height // factor)
    return luma if factor == 1 else np.asarray(cv2.resize(luma, size, interpolation=cv2.INTER_AREA), np.uint8)


def structure(image: Image, black: int, steady: Bools) -> Singles:
    """Relative differences of each pixel from its surroundings, float32 (h, w), independent of the light.

    black: the level of black; steady: pixels (h, w) without animals that move, which do not count as surroundings (normalised convolution,
    Knutsson & Westin 1993, CVPR).
    """
    levels = np.log(np.arange(256, dtype=np.float32).clip(black) - black + _DARK_LEVELS)
    logarithm = cv2.GaussianBlur(levels[image], (0, 0), _BLUR_PX)
    weight = steady.astype(np.float32)
    around, share = (cv2.GaussianBlur(values, (0, 0), _SURROUNDINGS_PX) for values in (logarithm * weight, weight))
    difference = logarithm - around / np.maximum(share, _LEAST_WEIGHT)
    return np.asarray(np.clip(difference, -_MOST_CONTRAST, _MOST_CONTRAST) * (share > _LEAST_WEIGHT), np.float32)


def window_of(shape: tuple[int, int]) -> Singles:
    """The window of `quick_shift` for images of this shape: it is 1 but for the outer tenth, since a dish fills the frame."""
    rows, columns = (np.clip(np.minimum(np.arange(side) + 0.5, np.arange(side)[::-1] + 0.5) / (0.1 * side), 0, 1) for side in shape)
    return np.asarray(np.outer(np.sin(rows * np.pi / 2) ** 2, np.sin(columns * np.pi / 2) ** 2), np.float32)


def quick_shift(before: Singles, after: Singles, window: Singles) -> tuple[float, float]:
    """Shift (x, y) px of the later structure against the earlier one, by phase correlation: a first guess, which may be anything for images
    without structure.
    """
    (x, y), _ = cv2.phaseCorrelate(before, after, window)
    return x, y


def block_change(before: Singles, after: Singles, steady: Bools) -> float:
    """By how much structure (h, w) changes in the blocks of a frame: most of them change less, some more.

    steady: pixels (h, w) without animals that move. The rim of a dish lies in 0.4 of the blocks.
    """
    changes = _by_block((after - before) ** 2, steady)
    return float(np.nanquantile(changes, _QUANTILE)) if np.isfinite(changes).any() else 0.0


def find_motion(before: Singles, after: Singles, steady: Bools, guess: tuple[float, float]) -> Motion | None:
    """How the whole scene moved and turned between two structures (h, w); None if it stands, or if there is no telling.

    The movement that maximises the correlation (Evangelidis & Psarakis 2008, IEEE Trans. PAMI 30:1858) is sought from `guess` on, and from
    none. It counts if it explains enough blocks of the frame, and if these lie all over the frame: animals that move explain neither.
    steady: pixels (h, w) without animals that move, in either image.
    """
    starts = [guess, (0.0, 0.0)] if max(abs(guess[0]) / before.shape[1], abs(guess[1]) / before.shape[0]) <= _FARTHEST else [(0.0, 0.0)]
    for x, y in starts:
        found = _refined(before, after, steady, np.array([[1, 0, -x], [0, 1, -y]], np.float32))
        if found is not None:
            return found
    return None


def left_by(motion: Motion, before: Singles, after: Singles, steady: Bools) -> float:
    """Mean square of what differs between two structures (h, w) where a movement brings the pixels `steady` of the earlier one."""
    moved, seen = _moved(before, steady, motion.reversed().matrix.astype(np.float32))
    return float(((after - moved)[seen] ** 2).mean()) if seen.any() else np.inf


def _refined(before: Singles, after: Singles, steady: Bools, start: Singles) -> Motion | None:
    guessed, seen = _moved(before, steady, start)
    if not seen.any() or ((after - guessed) ** 2)[seen].sum() > _LEFT_BY_GUESS * ((after - before) ** 2)[seen].sum():
        return None
    criteria = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, _STEPS, _PRECISION)
    try:
        _, back = cv2.findTransformECC(after, before, start, cv2.MOTION_EUCLIDEAN, criteria, steady.astype(np.uint8), 1)
    except cv2.error:
        return None  # not converged: nothing in common
    moved, seen = _moved(before, steady, np.asarray(back, np.float32))
    unmoved, remaining, content = (_by_block(image**2, seen) for image in (after - before, after - moved, after))
    if not np.isfinite(remaining).any():
        return None
    active = np.fmax(unmoved, remaining) > max(_LEAST_CHANGE * float(np.nanmedian(remaining)), _LEAST_DIFFERENCE)
    rows, columns = np.nonzero(active & (remaining < _MOST_LEFT * np.minimum(unmoved, content)))
    contradict = np.count_nonzero(active & (remaining > _CONTRADICTS * unmoved))
    enough = len(rows) >= max(_LEAST_BLOCKS, _LEAST_EXPLAINED * np.count_nonzero(active), contradict / _MOST_CONTRADICT)
    if not enough or min(np.ptp(rows), np.ptp(columns)) < _LEAST_REACH:
        return None
    return Motion(cv2.invertAffineTransform(np.asarray(back, np.float64)))


def _moved(image: Singles, steady: Bools, back: Singles) -> tuple[Singles, Bools]:
    """An image moved by the inverse of a matrix (2, 3), and which pixels are steady before and after, were inside of the frame, and are not
    at its edge, where half of the surroundings is unknown.
    """
    size, flags = image.shape[::-1], cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    seen = (cv2.warpAffine(steady.astype(np.float32), back, size, flags=flags) > 0.99) & steady
    edge = round(_SURROUNDINGS_PX)
    seen[:edge], seen[-edge:], seen[:, :edge], seen[:, -edge:] = False, False, False, False
    return np.asarray(cv2.warpAffine(image, back, size, flags=flags), np.float32), np.asarray(seen)


def _by_block(values: Singles, seen: Bools) -> Floats:
    """Mean of the seen values (h, w) in each block, (_BLOCKS, _BLOCKS); NaN where less than a quarter is seen."""
    size = (_BLOCKS, _BLOCKS)
    share = cv2.resize(seen.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    total = cv2.resize(np.where(seen, values, 0).astype(np.float32), size, interpolation=cv2.INTER_AREA)
    return np.where(share > 0.25, total / np.maximum(share, 0.25), np.nan).astype(np.float64)
