"""The numba engine of the optical flow, compared with OpenCV and with a known motion."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from herdbook.smoothing.flow import ENGINES, build_pyramid

ROUNDING_PX = 0.001


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(3)


def texture(rng: np.random.Generator, shape: tuple[int, int]) -> NDArray[np.uint8]:
    noise = cv2.GaussianBlur(rng.standard_normal(shape), (0, 0), 2.5)
    return np.asarray(cv2.normalize(noise, None, 10, 245, cv2.NORM_MINMAX), np.uint8)


def waves(shift: tuple[float, float]) -> NDArray[np.uint8]:
    """A sum of plane waves moved by `shift`, exactly: cv2.warpAffine is 0.05 px off."""
    rng = np.random.default_rng(11)
    y, x = np.mgrid[:240, :320] - np.array(shift)[::-1, None, None]
    image = np.full(x.shape, 127.0)
    for angle, period_px, phase in zip(rng.uniform(0, np.pi, 40), rng.uniform(9, 60, 40), rng.uniform(0, 6.28, 40), strict=True):
        image += 20 * np.cos(2 * np.pi / period_px * (np.cos(angle) * x + np.sin(angle) * y) + phase)
    return np.clip(image, 0, 255).round().astype(np.uint8)


def moved_by(image: NDArray[np.uint8], shift: tuple[float, float]) -> NDArray[np.uint8]:
    matrix = np.column_stack([np.eye(2), shift])
    size = (image.shape[1], image.shape[0])
    return np.asarray(cv2.warpAffine(image, matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101), np.uint8)


def track(engine: str, origin: NDArray[np.uint8], target: NDArray[np.uint8], points: NDArray[np.float32]) -> NDArray[np.float32]:
    flow = ENGINES[engine]
    return flow.track(flow.prepare(origin), flow.prepare(target), points)


# The last three are too small for three levels, for two, and for one flow window.
@pytest.mark.parametrize("shape", [(240, 320), (201, 187), (130, 300), (60, 200), (30, 38)])
@pytest.mark.parametrize("shift", [(0.4, -0.3), (3.2, 2.7), (-9.0, 6.5)])
def test_numba_equals_opencv_everywhere_in_and_around_the_frame(
    rng: np.random.Generator, shape: tuple[int, int], shift: tuple[float, float]
) -> None:
    origin = texture(rng, shape)
    target = moved_by(origin, shift)
    low, high = np.array([-25.0, -25.0]), np.array([shape[1] + 25.0, shape[0] + 25.0])
    points = rng.uniform(low, high, (400, 2)).astype(np.float32)
    distance = np.linalg.norm(track("numba", origin, target, points) - track("opencv", origin, target, points), axis=1)
    assert np.percentile(distance, 99) < ROUNDING_PX
    assert distance.max() < 0.05


@pytest.mark.parametrize("engine", list(ENGINES))
@pytest.mark.parametrize("shift", [(0.4, -0.3), (4.25, -2.5), (-9.0, 6.5)])
def test_a_known_shift_is_found(rng: np.random.Generator, engine: str, shift: tuple[float, float]) -> None:
    points = rng.uniform([70, 70], [250, 170], (50, 2)).astype(np.float32)
    found = track(engine, waves((0, 0)), waves(shift), points) - points
    np.testing.assert_allclose(found, np.broadcast_to(shift, found.shape), rtol=0, atol=0.03)


@pytest.mark.parametrize("engine", list(ENGINES))
def test_no_motion_moves_no_point(rng: np.random.Generator, engine: str) -> None:
    image = texture(rng, (150, 170))
    points = (rng.integers(4 * 40, 4 * 110, (30, 2)) / 4).astype(np.float32)
    np.testing.assert_array_equal(track(engine, image, image, points), points)


@pytest.mark.parametrize("engine", list(ENGINES))
def test_where_there_is_no_texture_a_point_stays(engine: str) -> None:
    blank = np.full((150, 170), 90, np.uint8)
    points = np.array([[80.25, 70.5], [3.0, 149.0]], np.float32)
    np.testing.assert_array_equal(track(engine, blank, blank + 20, points), points)


@pytest.mark.parametrize("engine", list(ENGINES))
def test_the_points_given_are_left_as_they_were(rng: np.random.Generator, engine: str) -> None:
    image = texture(rng, (150, 170))
    points = np.array([[80.25, 70.5]], np.float32)
    track(engine, image, moved_by(image, (2.0, 1.0)), points)
    np.testing.assert_array_equal(points, [[80.25, 70.5]])


def test_noise_at_full_contrast_does_not_overflow(rng: np.random.Generator) -> None:
    stripes = np.where(np.arange(170) // 2 % 2, 255, 0).astype(np.uint8)
    origin = np.broadcast_to(stripes, (150, 170)).copy()
    origin[::7] = rng.integers(0, 256, (22, 170))
    points = rng.uniform([40, 40], [130, 110], (60, 2)).astype(np.float32)
    target = np.asarray(255 - origin, np.uint8)
    distance = np.linalg.norm(track("numba", origin, target, points) - track("opencv", origin, target, points), axis=1)
    assert np.percentile(distance, 90) < ROUNDING_PX


@pytest.mark.parametrize("shape", [(240, 320), (181, 180), (182, 181), (91, 91), (90, 120), (20, 300)])
def test_pyramid_has_the_levels_of_opencv(rng: np.random.Generator, shape: tuple[int, int]) -> None:
    image = texture(rng, shape)
    top, reference = cv2.buildOpticalFlowPyramid(image, (45, 45), 2, withDerivatives=False)
    levels = build_pyramid(image)
    assert len(levels) == top + 1
    for ours, theirs in zip(levels, reference, strict=False):
        np.testing.assert_array_equal(ours, theirs)
