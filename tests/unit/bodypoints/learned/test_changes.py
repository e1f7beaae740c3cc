"""Changed crops keep what is in them: points stay on their marks, sides change their names, others stand in the second channel."""

import numpy as np
import pytest

from herdbook.bodypoints.learned import changes
from herdbook.bodypoints.learned.changes import Crops, changed_crops

WIDE, SIZE = 80, 48
POINTS = np.array([[39.5, 30.0], [34.0, 44.0], [47.0, 44.0]])


def marked() -> np.ndarray:
    """A picture with a dot of its own brightness at each point."""
    rows, columns = np.mgrid[:WIDE, :WIDE]
    picture = np.full((WIDE, WIDE), 20.0)
    for (x, y), level in zip(POINTS, (230, 90, 160), strict=True):
        picture += (level - 20) * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * 1.5**2))
    return np.clip(picture, 0, 255).astype(np.uint8)


def crops_with(others: np.ndarray | None = None, alone: bool = True) -> Crops:
    mask = np.zeros((2, WIDE, WIDE), bool)
    mask[:, 25:55, 30:50] = True
    shapes = np.zeros((0, 5)) if others is None else others
    offsets = np.array([0, len(shapes), len(shapes)])
    return Crops(np.stack([marked()] * 2), mask, np.full(2, alone), np.stack([POINTS] * 2), shapes, offsets, (14.0, 6.0))


def levels_at(picture: np.ndarray, points: np.ndarray) -> np.ndarray:
    return np.array([picture[round(float(y)), round(float(x))] for x, y in points], float)


@pytest.fixture(autouse=True)
def _same_light(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "LIGHT", 0.0)
    monkeypatch.setattr(changes, "NOISE", 0.0)


def test_points_stay_on_their_marks_and_sides_change_names_in_a_mirror(rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "PASTED", 0.0)
    pictures, points = changed_crops(crops_with(), np.zeros(60, np.int64), SIZE, np.array([0, 2, 1]), rng)
    assert np.ptp(points[:, 0], axis=0).min() > 3
    own, exchanged = np.array([230, 90, 160]), np.array([230, 160, 90])
    found = np.array([levels_at(picture[..., 0], at) for picture, at in zip(pictures, points, strict=True)])
    plain, mirrored = np.abs(found - own).max(axis=1) < 45, np.abs(found - exchanged).max(axis=1) < 45
    assert (plain | mirrored).all()
    # The left point stays on the left of the animal, whatever the picture shows there.
    assert 15 < mirrored.sum() < 45
    middle = points[:, 1:].mean(axis=1) - points[:, 0]
    side = points[:, 1] - points[:, 2]
    assert (middle[:, 0] * side[:, 1] - middle[:, 1] * side[:, 0] > 0).all()


def test_another_animal_is_laid_beside_and_drawn_where_it_lies(rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "PASTED", 1.0)
    monkeypatch.setattr(changes, "OTHER_PLACE", 0.0)
    rows = np.zeros(40, np.int64)
    beside, _ = changed_crops(crops_with(), rows, SIZE, None, rng)
    assert (beside[..., 1] > 0).any(axis=(1, 2)).mean() > 0.8
    monkeypatch.setattr(changes, "PASTED", 0.0)
    alone, _ = changed_crops(crops_with(), rows, SIZE, None, rng)
    assert (alone[..., 1] == 0).all()
    assert beside[..., 0].mean() > alone[..., 0].mean()


def test_only_animals_that_are_alone_are_laid_beside(rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "PASTED", 1.0)
    pictures, _ = changed_crops(crops_with(alone=False), np.zeros(10, np.int64), SIZE, None, rng)
    assert (pictures[..., 1] == 0).all()
