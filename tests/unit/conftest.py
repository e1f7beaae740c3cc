"""What several tests share: drawn animals, and the movies and segment artifacts that stages read."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from herdbook import index, segment
from herdbook.artifacts import CLASSIFIED, Background, Blobs, Identities, Tracklets, open_blob_images
from herdbook.experiment import IndexSection, SegmentSection
from herdbook.geometry import ellipse_mask
from herdbook.labelling import runs_contain
from herdbook.movie_write import MovieWriter
from herdbook.store import Provenance

Mask = NDArray[np.bool_]
# An animal: centre x, y and semi-axes in px, angle of the first axis in degrees.
Ellipse = tuple[float, float, float, float, float]

ANIMAL, GROUND = 60, 200


def draw_animals(animals: Sequence[Ellipse], size: tuple[int, int]) -> Mask:
    mask = np.zeros(size[::-1], bool)
    for x, y, along, across, angle in animals:
        mask |= ellipse_mask(mask.shape, (x, y), (along, across), angle)
    return mask


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20)


@pytest.fixture
def draw() -> Callable[..., Mask]:
    """The mask (height, width) of animals (x, y, semi-axis, semi-axis, degrees) in a frame of a size (width, height)."""
    return draw_animals


@pytest.fixture
def write_movie(tmp_path: Path) -> Callable[..., Path]:
    """Write images as a lossless movie of 20 frames per second; luma comes back as it was written."""

    def write(name: str, images: Sequence[NDArray[np.uint8]], **options: Any) -> Path:
        height, width = images[0].shape[:2]
        with MovieWriter(tmp_path / name, width, height, 20.0, crf=0, **options) as writer:
            for image in images:
                writer.write(image)
        return tmp_path / name

    return write


@pytest.fixture
def write_blobs(tmp_path: Path) -> Callable[..., Path]:
    """Write the segment artifact of a movie, whose frames are masks or the animals to draw; every foreground pixel is in a blob."""

    def write(name: str, frames: Sequence[Any], size: tuple[int, int] = (160, 120)) -> Path:
        masks = [f if isinstance(f, np.ndarray) else draw_animals(f, size) for f in frames]
        folder, out = tmp_path / "drawn", tmp_path / "segment" / f"{name}.h5"
        folder.mkdir(exist_ok=True)
        inputs = {part: folder / f"{name}.{part}" for part in ("mp4", "index", "background")}
        with MovieWriter(inputs["mp4"], *size, 20.0, crf=0, pixel_format="gray") as writer:
            for mask in masks:
                writer.write(np.where(mask, ANIMAL, GROUND).astype(np.uint8))
        index.main(["--movie", str(inputs["mp4"]), "--out", str(inputs["index"]), "--settings", IndexSection().model_dump_json()])
        ground = np.full((*size[::-1], 3), GROUND, np.uint8)
        Background(ground[:, :, 0].copy(), ground, 1).save(inputs["background"], Provenance("background", 1))
        settings = SegmentSection(area=(1, 100_000)).model_dump() | {"arenas": []}
        files = {"movie": inputs["mp4"], "index": inputs["index"], "background": inputs["background"], "out": out}
        segment.main([*(part for key, path in files.items() for part in (f"--{key}", str(path))), "--settings", json.dumps(settings)])
        return out

    return write


@pytest.fixture
def name_tracklets() -> Callable[..., Identities]:
    """Identities of a movie from the true positions (frames, animals, 2): each animal is in the tracklets whose blobs cover it."""

    def name(path: Path, tracklets: Tracklets, truth: NDArray[np.float64], confidence: float = 0.9) -> Identities:
        blobs = Blobs.load(path)
        with open_blob_images(path) as images:
            runs, offsets = images.runs(0, len(blobs))
        inside = {
            (int(tracklets.blob_tracklet[blob]), animal)
            for blob in range(len(blobs))
            for animal, (x, y) in enumerate(truth[blobs.frame[blob]])
            if runs_contain(runs[offsets[blob] : offsets[blob + 1]], x, y)
        }
        tracklet, individual = np.array(sorted(inside), np.int32).reshape(-1, 2).T
        n = len(tracklet)
        columns = (np.zeros(n, np.int32), tracklet, individual, np.full(n, confidence, np.float32), np.full(n, CLASSIFIED, np.uint8))
        return Identities([path.stem], [f"animal{k}" for k in range(truth.shape[1])], *columns, gap=0.0)

    return name
