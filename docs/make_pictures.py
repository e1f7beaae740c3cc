"""Draw the pictures of the documents from simulated ants: `python docs/make_pictures.py` writes docs/images/segmentation_controls.png.

Each column is one scene, each row one setting; each blob that is found has an outline of another colour.
"""

import io
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import PIL.Image
from numpy.typing import NDArray

from herdbook.artifacts.background import Background
from herdbook.experiment.model import Experiment
from herdbook.geometry.runs import runs_to_mask
from herdbook.movie.simulated.bodies import make_bodies, place_parts
from herdbook.movie.simulated.floor import make_floor
from herdbook.movie.simulated.paths import RoundArena
from herdbook.movie.simulated.rendering import render_frame
from herdbook.segmentation.segmenter import Segmenter
from herdbook.segmentation.statistics import background, robust_background

OUT = Path(__file__).parent / "images" / "segmentation_controls.png"
WIDTH, HEIGHT, CAPTION, GAP = 260, 190, 26, 6
COLOURS = 255  # of the palette: small enough for a document, too many to see
OUTLINES = ((40, 40, 255), (255, 80, 0), (0, 140, 255), (200, 0, 200))

Image = NDArray[np.uint8]


class Theatre:
    """An empty arena and some ants that can be put into it."""

    def __init__(self, names: list[str], seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        self._floor = make_floor(WIDTH, HEIGHT, RoundArena(WIDTH / 2, HEIGHT / 2, 230, None), self._rng)
        self._bodies = make_bodies(names, 58.0, "colour", self._rng)

    def frame(self, places: list[tuple[float, float, float]]) -> Image:
        """A frame with the ants at x, y (px) and heading (rad)."""
        x, y, heading = np.array(places).T
        points = place_parts(self._bodies, x, y, heading, np.linspace(0, 3, len(x)), np.zeros(len(x)), 0.3)
        return render_frame(self._floor, self._bodies, points, np.arange(len(x)), 1.0, self._rng)


def outlined(frame: Image, empty: Image, **segment: Any) -> Image:
    """The frame with the blobs that these settings find."""
    grey = cv2.cvtColor(empty, cv2.COLOR_BGR2GRAY)
    quiet = np.zeros((1, *grey.shape, 3), np.uint8)
    scene = Background(grey[None], empty[None], np.zeros(1, np.int64), quiet[..., 0], quiet, np.ones(1), 1)
    keys = {"experiment": "picture", "movies": [{"name": "m", "file": "m.mp4"}], "animals": {"marking": "none"}}
    settings = json.loads(Experiment.model_validate(keys | {"segment": {"area": [40, 100_000]} | segment}).settings("segment"))
    still = SimpleNamespace(index=0, luma=cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY), bgr=lambda: frame)
    blobs = Segmenter(scene, settings, full_range=True).blobs(still)  # type: ignore[arg-type]
    drawn = frame.copy()
    for blob in range(len(blobs or ())):
        mask = runs_to_mask(blobs.runs_of(blob), 0, 0, WIDTH, HEIGHT).astype(np.uint8)
        outlines, _ = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(drawn, outlines, -1, OUTLINES[blob % len(OUTLINES)], 1)
    return drawn


def captioned(image: Image, text: str) -> Image:
    """The image with a line of text above it."""
    strip = np.full((CAPTION, WIDTH, 3), 255, np.uint8)
    cv2.putText(strip, text, (4, CAPTION - 9), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (40, 40, 40), 1, cv2.LINE_AA)
    return np.vstack([strip, image])


def resting() -> tuple[Image, Image]:
    """An ant that rests for 60 % of the movie, and one that walks."""
    theatre = Theatre(["BG", "OP"], seed=3)
    walk = [(40 + 9.0 * t, 150 - 2.0 * t, -0.2) for t in range(20)]
    here, gone = (190.0, 60.0, 2.4), (80.0, 50.0, 0.4)
    sample = [theatre.frame([here if t < 12 else gone, walk[t]]) for t in range(20)]
    frame = theatre.frame([here, walk[6]])
    return outlined(frame, background(sample)), outlined(frame, robust_background(sample))


def flat_field() -> tuple[Image, Image]:
    """A lamp on the left."""
    theatre = Theatre(["BG", "OP", "GO"], seed=4)
    light = np.linspace(1.15, 0.22, WIDTH)[None, :, None]
    places = [(50.0, 50.0, 0.5), (130.0, 130.0, -0.7), (215.0, 80.0, 1.9)]
    frame, empty = (
        np.clip(image * light, 0, 255).astype(np.uint8) for image in (theatre.frame(places), theatre.frame([(-99, -99, 0)] * 3))
    )
    return outlined(frame, empty, difference=45), outlined(frame, empty, difference=45, flat_field=True)


def opening() -> tuple[Image, Image]:
    """Legs and antennae that join two ants."""
    theatre = Theatre(["BG", "OP", "GO"], seed=5)
    frame = theatre.frame([(60.0, 65.0, 0.1), (123.0, 78.0, 0.1), (195.0, 120.0, 1.2)])
    empty = theatre.frame([(-99, -99, 0)] * 3)
    return outlined(frame, empty, difference=18), outlined(frame, empty, difference=18, open=4)


def holes() -> tuple[Image, Image]:
    """White paint that is as bright as the ground."""
    theatre = Theatre(["WW", "YW", "WY"], seed=6)
    frame = theatre.frame([(60.0, 55.0, 0.6), (110.0, 135.0, -0.4), (205.0, 90.0, 2.2)])
    empty = theatre.frame([(-99, -99, 0)] * 3)
    return outlined(frame, empty, difference=35), outlined(frame, empty, difference=35, fill_holes=True)


def main() -> None:
    """Write the picture."""
    columns = {
        ("resting: false", "resting: true"): resting(),
        ("flat_field: false", "flat_field: true"): flat_field(),
        ("open: 0", "open: 4"): opening(),
        ("fill_holes: false", "fill_holes: true"): holes(),
    }
    sheet = np.full((2 * (HEIGHT + CAPTION) + GAP, len(columns) * (WIDTH + GAP) - GAP, 3), 255, np.uint8)
    for number, (texts, images) in enumerate(columns.items()):
        for row, (text, image) in enumerate(zip(texts, images, strict=True)):
            top, left = row * (HEIGHT + CAPTION + GAP), number * (WIDTH + GAP)
            sheet[top : top + HEIGHT + CAPTION, left : left + WIDTH] = captioned(image, text)
    packed = io.BytesIO()
    picture = PIL.Image.fromarray(sheet[:, :, ::-1])
    few = picture.quantize(COLOURS, method=PIL.Image.Quantize.MAXCOVERAGE, dither=PIL.Image.Dither.NONE)
    few.save(packed, "PNG", optimize=True)
    OUT.write_bytes(packed.getvalue())


if __name__ == "__main__":
    main()
