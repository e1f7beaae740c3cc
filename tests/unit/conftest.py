"""What several tests share: drawn animals, and the movies and segment artifacts that stages read."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from herdbook.arrays import Mask
from herdbook.artifacts.propagate import CLASSIFIED, Identities
from herdbook.artifacts.segment import Blobs, open_blob_images
from herdbook.artifacts.tracklets import Tracklets
from herdbook.experiment.model import Experiment
from herdbook.geometry.regions import ellipse_mask
from herdbook.movie.writing import MovieWriter
from herdbook.stages import background, index, segment
from tests.support.segment_files import runs_contain

# An animal: centre x, y and semi-axes in px, angle of the first axis in degrees.
Ellipse = tuple[float, float, float, float, float]

ANIMAL, GROUND = 60, 200
STAGES = {"index": index, "background": background, "segment": segment}


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


def settings_of(stage: str, *, number: int | None = None, **sections: Any) -> str:
    animals = {"marking": "none", "number": number}
    keys = {"experiment": "test", "movies": [{"name": "m", "file": "m.mp4"}], "animals": animals}
    return Experiment.model_validate(keys | sections).settings(stage, "m")


def run_stage(stage: str, **files_and_sections: Any) -> None:
    """Run a stage by its command line: paths are files by option, dictionaries sections of the experiment."""
    files = {name: value for name, value in files_and_sections.items() if isinstance(value, Path)}
    sections = {name: value for name, value in files_and_sections.items() if name not in files}
    options = [part for name, path in files.items() for part in (f"--{name}", str(path))]
    STAGES[stage].main([*options, "--settings", settings_of(stage, **sections)])


@pytest.fixture
def stage_settings() -> Callable[..., str]:
    """The settings that a stage gets in an experiment with these sections, as JSON; `number` is that of the animals."""
    return settings_of


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
def write_blobs(tmp_path: Path, write_movie: Callable[..., Path]) -> Callable[..., Path]:
    """Write the segment artifact of a movie, whose frames are masks or the animals to draw; every foreground pixel is in a blob."""

    def write(name: str, frames: Sequence[Any], size: tuple[int, int] = (160, 120)) -> Path:
        masks = [f if isinstance(f, np.ndarray) else draw_animals(f, size) for f in frames]
        images = [np.where(mask, ANIMAL, GROUND).astype(np.uint8) for mask in masks]
        movie = write_movie(f"{name}_drawn.mp4", images, pixel_format="gray")
        empty = write_movie(f"{name}_empty.mp4", [np.full(size[::-1], GROUND, np.uint8)], pixel_format="gray")
        times, empty_times, ground = (tmp_path / f"{name}_{part}.h5" for part in ("drawn", "empty", "background"))
        out = tmp_path / "segment" / f"{name}.h5"
        run_stage("index", movie=movie, out=times)
        run_stage("index", movie=empty, out=empty_times)
        run_stage("background", movie=empty, index=empty_times, reference=empty_times, out=ground)
        run_stage("segment", movie=movie, index=times, background=ground, out=out, segment={"area": (1, 100_000)})
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
        counts = tracklets.animals, np.array([0, len(tracklets)])
        return Identities([path.stem], [f"animal{k}" for k in range(truth.shape[1])], *columns, *counts, gap=0.0)

    return name
