"""A movie of a dish with animals and dirt of every kind, whose places and grey levels are known."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from herdbook.arrays import Pixels
from herdbook.movie.writing import MovieWriter
from tests.support.numbered import BAR, SIZE, numbered_frame, walk

GROUND = 180
# What lies about and drifts to and fro, so that it is no part of the background: level, sides and first place x, y (px).
FAINT = (150, (7, 7), (20, 100))
SMALL = (60, (3, 3), (60, 100))
LARGE = (60, (21, 15), (100, 95))
# Over so many of its widths it drifts: each place is free for most of the time.
DRIFT = 3


def place_of(thing: tuple[int, tuple[int, int], tuple[int, int]], frame: int) -> tuple[int, int]:
    """Centre of dirt in a frame: it drifts to the right and comes back."""
    room = DRIFT * thing[1][0]
    along = 3 * frame % (2 * room)
    return thing[2][0] + (along if along < room else 2 * room - along), thing[2][1]


def animals_at(frame: int) -> list[tuple[float, float]]:
    """Centres of both animals in a frame; they walk above the dirt."""
    return [(x, 20 + 0.55 * (y - 20)) for x, y in walk(2, frame)]


def littered_frame(frame: int, resting: tuple[int, int] | None = None, until: int = 0) -> Pixels:
    """A numbered frame with two animals of 7 x 7 px and all dirt; a third animal rests at a place up to a frame."""
    animals = animals_at(frame) + ([(float(resting[0]), float(resting[1]))] if resting and frame < until else [])
    image = numbered_frame(frame, animals, ground=GROUND)
    for thing in (FAINT, SMALL, LARGE):
        level, (width, height), _ = thing
        x, y = place_of(thing, frame)
        image[y - height // 2 : y + height // 2 + 1, x - width // 2 : x + width // 2 + 1] = level
    return image


def write_littered(
    folder: Path, frames: int = 60, segment: Mapping[str, Any] | None = None, resting: tuple[int, int] | None = None, until: int = 0
) -> Path:
    """The experiment file of such a movie, "m", with these settings of the section segment."""
    movie = folder / "littered.mkv"
    with MovieWriter(movie, *SIZE, 20.0, codec="ffv1", pixel_format="gray") as writer:
        for frame in range(frames):
            writer.write(littered_frame(frame, resting, until))
    width, height = SIZE
    below = [[0, BAR + 4], [width - 1, BAR + 4], [width - 1, height - 1], [0, height - 1]]
    values = {
        "experiment": "test",
        "movies": [{"name": "m", "file": movie.name}],
        "animals": {"marking": "none", "number": 2},
        "arenas": [{"name": "dish", "include": [{"polygon": below}]}],
        "background": {"resting": False},
        "segment": dict(segment or {"difference": 15, "area": [5, 2000]}),
    }
    path = folder / "experiment.yaml"
    path.write_text("# a comment that stays\n" + yaml.safe_dump(values, sort_keys=False), encoding="utf-8")
    return path
