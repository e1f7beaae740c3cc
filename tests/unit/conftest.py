"""What several tests share: drawn animals, and the movies and segment artifacts that stages read."""

from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from herdbook.artifacts import Blobs
from herdbook.experiment import SegmentSection
from herdbook.geometry import ellipse_mask
from herdbook.movie_write import MovieWriter
from herdbook.segment import _Batch, segment_movie
from herdbook.segmentation import Segmenter
from herdbook.store import Provenance, columns_writer

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
        ground = np.full(size[::-1], GROUND, np.uint8)
        settings = SegmentSection(area=(1, 100_000)).model_dump() | {"arenas": []}
        segmenter = Segmenter(ground, np.repeat(ground[:, :, None], 3, 2), settings, full_range=True)
        images = (SimpleNamespace(index=t, luma=np.where(mask, ANIMAL, ground).astype(np.uint8)) for t, mask in enumerate(masks))
        path = tmp_path / "segment" / f"{name}.h5"
        with columns_writer(path, Blobs.kind, Provenance("segment", 1)) as writer:
            batch = _Batch(writer)
            segment_movie(images, segmenter, batch, grey=True, image_step=10)  # type: ignore[arg-type]
            batch.flush()
            for key, value in {"frames": len(masks), "width": size[0], "height": size[1], "fps": 20.0, "channels": 1}.items():
                writer.attribute(key, value)
        return path

    return write
