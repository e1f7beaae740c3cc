"""Movies whose frames carry their numbers in the pixels: a bar code of sixteen bits that survives any coding, and can be read anywhere."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from herdbook.arrays import Pixels
from herdbook.movie.writing import MovieWriter

# The bar code lies in the top left corner: a white and a black bar, then sixteen bits, the highest first, each BAR x BAR px.
BITS, BAR, DARK, BRIGHT = 16, 8, 30, 225
SIZE = (192, 120)  # width, height


def numbered_frame(number: int, animals: Sequence[tuple[float, float]] = (), size: tuple[int, int] = SIZE, ground: int = 180) -> Pixels:
    """A grey frame (height, width) with its number, and a dark square of 7 x 7 px at each animal."""
    image = np.full(size[::-1], ground, np.uint8)
    bars = [1, 0, *(number >> bit & 1 for bit in range(BITS - 1, -1, -1))]
    for place, bar in enumerate(bars):
        image[:BAR, place * BAR : (place + 1) * BAR] = BRIGHT if bar else DARK
    for x, y in animals:
        image[round(y) - 3 : round(y) + 4, round(x) - 3 : round(x) + 4] = 60
    return image


def read_number(image: Pixels) -> int:
    """The number in a frame (height, width)."""
    centres = image[BAR // 2, BAR // 2 : (BITS + 2) * BAR : BAR].astype(int)
    middle = (centres[0] + centres[1]) / 2
    return int(sum(int(level > middle) << (BITS - 1 - bit) for bit, level in enumerate(centres[2:])))


def walk(animals: int, frame: int, size: tuple[int, int] = SIZE) -> list[tuple[float, float]]:
    """Where animals are in a frame: each walks to and fro in a lane of its own."""
    width, height = size
    room = width - 24
    places = []
    for animal in range(animals):
        along = (frame * 2 + animal * 37) % (2 * room)
        lane = 24 + (animal + 0.5) * (height - 34) / animals
        places.append((12.0 + (along if along < room else 2 * room - along), lane))
    return places


# How the movies of `write_numbered` are coded, by name: suffix and options of `MovieWriter`.
KINDS: dict[str, tuple[str, dict[str, object]]] = {
    "b_frames": (".mp4", {"options": {"bf": "3"}, "keyframe_interval": 30}),
    "long_gop": (".mp4", {"keyframe_interval": 1000}),
    "variable_rate": (".mkv", {"timed": True, "keyframe_interval": 25}),
    "avi": (".avi", {"codec": "mpeg4", "keyframe_interval": 20}),
    "mjpeg": (".avi", {"codec": "mjpeg", "pixel_format": "yuvj420p"}),
    "ten_bits": (".mkv", {"codec": "libx265", "pixel_format": "yuv420p10le", "keyframe_interval": 20}),
    "grey": (".mkv", {"codec": "ffv1", "pixel_format": "gray"}),
}


def write_numbered(folder: Path, kind: str, frames: int, animals: int = 2, size: tuple[int, int] = SIZE) -> Path:
    """A numbered movie of 20 frames per second of a kind of `KINDS`, or "images", a folder of PNG files; returns its path."""
    shown = (numbered_frame(number, walk(animals, number, size), size) for number in range(frames))
    if kind == "images":
        import cv2

        place = folder / "images"
        place.mkdir()
        for number, image in enumerate(shown):
            cv2.imwrite(str(place / f"image{number}.png"), image)
        return place
    suffix, options = KINDS[kind]
    path = folder / f"{kind}{suffix}"
    timed = bool(options.get("timed"))
    with MovieWriter(path, *size, 20.0, **options) as writer:  # type: ignore[arg-type]
        for number, image in enumerate(shown):
            # Every third frame stays twice as long.
            writer.write(image, (number + number // 3) / 20 if timed else None)
    return path


def write_experiment(folder: Path, kind: str = "b_frames", frames: int = 60, animals: int = 2, **sections: Any) -> Path:
    """The file of an experiment with a numbered movie, in which animals walk below the bar code."""
    movie = write_numbered(folder, kind, frames, animals)
    width, height = SIZE
    arena = {"name": "dish", "include": [{"polygon": [[0, 14], [width - 1, 14], [width - 1, height - 1], [0, height - 1]]}]}
    values = {
        "experiment": "test",
        "movies": [{"name": "m", "file": str(movie)}],
        "animals": {"marking": "none", "number": animals},
        "arenas": [arena],
        "segment": {"difference": 30, "area": [20, 400]},
    }
    path = folder / "experiment.yaml"
    path.write_text("# a comment that stays\n" + yaml.safe_dump(values | sections, sort_keys=False), encoding="utf-8")
    return path
