"""The blob that a person means by a click."""

from pathlib import Path

import numpy as np
import pytest

from herdbook.artifacts.segment import REACH_PX, Blobs, blob_at, open_blob_images
from tests.support.segment_files import write_segment

# Two bars, one row high: columns 20 to 40 of row 30, and columns 60 to 62 of row 30.
BARS = np.array([[30, 20, 40], [30, 60, 62]])


@pytest.fixture
def bars(tmp_path: Path) -> Path:
    columns = {name: np.zeros(2, np.int32) for name in ("frame", "arena")}
    columns |= {name: np.zeros(2) for name in ("x", "y", "contrast", "intensity")}
    box = np.column_stack([BARS[:, 1], BARS[:, 0], BARS[:, 2] + 1, BARS[:, 0] + 1]).astype(np.int32)
    columns |= {"area": np.array([21, 3], np.int32), "box": box, "moments": np.ones((2, 3)), "border": np.zeros(2, bool)}
    write_segment(tmp_path / "m.h5", columns, BARS, np.array([0, 1, 2]), frames=2, width=100, height=80, fps=25.0)
    return tmp_path / "m.h5"


@pytest.mark.parametrize(
    ("frame", "x", "y", "blob"),
    [
        (0, 30, 30, 0),
        (0, 30, 30 - REACH_PX, 0),
        (0, 30, 30 - REACH_PX - 0.1, None),
        (0, 20 - REACH_PX, 30, 0),
        (0, 20 - REACH_PX - 0.1, 30, None),
        (0, 49, 30, 0),
        (0, 51.5, 30, 1),
        (0, 70, 38, None),
        (1, 30, 30, None),
    ],
)
def test_a_click_means_the_nearest_blob_of_its_frame_within_reach(bars: Path, frame: int, x: float, y: float, blob: int | None) -> None:
    with open_blob_images(bars) as images:
        assert blob_at(frame, x, y, Blobs.load(bars), images) == blob
