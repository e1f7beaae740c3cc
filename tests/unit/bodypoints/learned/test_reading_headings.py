"""Animals are read at the given heading where it fits, at others where it does not, and along a path over time."""

from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
import pytest

from herdbook.bodypoints.learned.crops import CropView, to_crop, turned_back
from herdbook.bodypoints.learned.movies import read_movie
from herdbook.bodypoints.learned.reading import READINGS, PoseReader, ShownAnimals

# Nose, left, right and tail: to the right of and below the animal's place, heading up; each is a dot of its own brightness.
SHAPE = np.array([[0.0, -14], [-8, 0], [8, 0], [0, 14]])
LEVELS = np.array([240, 180, 120, 60])
VIEW, USUAL = CropView(48.0, 48), -0.2
SIDE = 160


class DotReader:
    """In place of a network: the map of a point is where its dot is; the more an animal lies askew, the less it holds. It counts crops."""

    def __init__(self) -> None:
        self.asked = 0

    def maps(self, crops: np.ndarray) -> np.ndarray:
        self.asked += len(crops)
        maps = np.stack([[self._dot(crop[..., 0], int(level)) for level in LEVELS] for crop in crops]).transpose(0, 2, 3, 1) + 1e-9
        maps /= maps.sum(axis=(1, 2), keepdims=True)
        rows = np.arange(maps.shape[1])
        height = (maps.sum(axis=2) * rows[:, None]).sum(axis=1)
        upright = np.clip((height[:, 3] - height[:, 0]) / 14, 0.05, 1)[:, None, None, None]
        flat = np.full(maps.shape, 1 / (maps.shape[1] * maps.shape[2]))
        return np.asarray(upright * maps + (1 - upright) * flat, np.float32)

    @staticmethod
    def _dot(grey: np.ndarray, level: int) -> np.ndarray:
        """The cells in the middle of a dot: its edge has the brightness of others."""
        inside = cv2.erode((np.abs(grey.astype(int) - level) < 12).astype(np.uint8), np.ones((3, 3), np.uint8))
        return np.asarray(cv2.resize(inside.astype(np.float64), None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA))


def picture_of(place: np.ndarray, heading: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A picture with the dots of animals, and their places (n, 4, 2)."""
    points = turned_back(np.broadcast_to(SHAPE, (len(place), 4, 2)), heading[:, None]) + place[:, None]
    picture = np.zeros((SIDE, SIDE), np.uint8)
    for animal in points:
        for (x, y), level in zip(animal, LEVELS, strict=True):
            rows, columns = np.mgrid[:SIDE, :SIDE]
            picture[(columns - x) ** 2 + (rows - y) ** 2 < 9] = level
    return picture, points


def reader_of(dots: DotReader) -> PoseReader:
    stand_in: Any = dots
    return PoseReader(stand_in, VIEW, SHAPE, (16.0, 8.0))


def shown(place: np.ndarray, heading: np.ndarray, given: np.ndarray) -> tuple[ShownAnimals, np.ndarray]:
    picture, points = picture_of(place, heading)
    numbers = np.zeros(len(place), np.int64)
    return ShownAnimals([picture], numbers, place, given, place[None], given[None], np.arange(len(place))), points


def test_an_animal_that_fits_is_read_once_and_its_heading_is_what_its_points_tell() -> None:
    place, heading = np.array([[60.0, 60], [110, 100]]), np.array([0.3, -2.0])
    scene, points = shown(place, heading, heading + np.array([0.1, -0.1]))
    dots = DotReader()
    found = reader_of(dots).several(scene, np.zeros(2, bool), USUAL)
    assert dots.asked == 2
    assert np.isnan(found.fit[:, 1:]).all()
    np.testing.assert_allclose(found.points[:, 0], points, atol=1.6)
    np.testing.assert_allclose(found.heading[:, 0], heading, atol=0.1)
    np.testing.assert_allclose(found.place[:, 0], place, atol=1)


@pytest.mark.parametrize("turn", [np.pi, np.pi / 2, -np.pi / 2, 2.5])
def test_where_it_does_not_fit_other_headings_are_tried_and_the_right_one_fits_best(turn: float) -> None:
    place, heading = np.array([[80.0, 80]]), np.array([0.7])
    scene, points = shown(place, heading, heading + turn)
    found = reader_of(DotReader()).several(scene, np.zeros(1, bool), USUAL)
    best = int(np.nanargmax(found.fit[0]))
    assert 1 <= best < READINGS
    np.testing.assert_allclose(found.points[0, best], points[0], atol=1.6)
    assert found.fit[0, best] > USUAL


def test_in_a_contact_a_crop_that_fits_is_read_again_only_if_its_points_turn_it() -> None:
    place, heading = np.array([[60.0, 60], [110, 100]]), np.array([0.0, 0.0])
    scene, _ = shown(place, heading, np.array([0.1, 0.6]))
    dots = DotReader()
    found = reader_of(dots).several(scene, np.ones(2, bool), -5.0)
    assert dots.asked == 3
    assert np.isnan(found.fit[:, 1]).tolist() == [True, False]
    assert found.fit[1, 1] > found.fit[1, 0]


def test_a_movie_is_read_along_a_path_also_where_nobody_has_a_position() -> None:
    frames = 12
    place = np.full((frames, 2, 2), [[50.0, 60.0], [110.0, 100.0]])
    heading = np.zeros((frames, 2))
    given = heading.copy()
    given[5:8, 1] += np.pi
    given[3, 0] = np.nan
    pictures = [picture_of(place[t], heading[t]) for t in range(frames)]

    def film() -> Iterator[np.ndarray]:
        yield from (picture for picture, _ in pictures)

    read = read_movie(film(), (SIDE, SIDE), place, given, np.zeros((frames, 2), bool), reader_of(DotReader()), USUAL, 32.0)
    assert np.isnan(read.xy[3, 0]).all()
    assert np.isnan(read.heading[3, 0])
    known = ~np.isnan(given)
    truth = np.stack([points for _, points in pictures])
    np.testing.assert_allclose(read.xy[known], truth[known], atol=1.6)
    assert np.argwhere(read.turned).tolist() == [[5, 1], [6, 1], [7, 1]]


def test_a_crop_shows_where_the_other_animal_is() -> None:
    """The second channel is where `to_crop` puts the other one."""
    seen: list[np.ndarray] = []

    class Looking(DotReader):
        def maps(self, crops: np.ndarray) -> np.ndarray:
            seen.append(crops[..., 1].copy())
            return super().maps(crops)

    place, heading = np.array([[70.0, 80], [90, 80]]), np.array([0.0, 0.0])
    scene, _ = shown(place, heading, heading)
    reader_of(Looking()).several(scene, np.zeros(2, bool), -9.0)
    x, y = to_crop(place[None, 1:], place[:1], heading[:1], VIEW)[0, 0]
    assert seen[0][0, round(float(y)), round(float(x))] > 200
    assert seen[0][0, round(float(y)) + 24, round(float(x))] == 0
