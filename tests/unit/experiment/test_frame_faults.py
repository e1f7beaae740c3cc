"""Arenas are inside the frame, and movies of a recording have one size."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from herdbook.experiment.frame_faults import arena_faults, recording_size_faults

ELLIPSE = {"centre": [50, 40], "axes": [30, 10]}


@pytest.mark.parametrize(
    ("region", "expected"),
    [
        ({"polygon": [[0, 0], [100, 0], [100, 80], [0, 80]]}, ""),
        ({"polygon": [[-1.5, 0], [100, 0], [100, 80.5]]}, ""),
        ({"polygon": [[-3, 0], [100, 0], [100, 80]]}, "2 px beyond the left edge"),
        ({"polygon": [[0, 0], [110, 0], [100, 95]]}, "10 px beyond the right edge, 16 px beyond the bottom edge"),
        ({"polygon": [[200, 200], [300, 200], [300, 300]]}, "lies outside the frame: x 200 to 300, y 200 to 300"),
        ({"ellipse": ELLIPSE}, ""),
        ({"ellipse": ELLIPSE | {"angle": 90}}, ""),
        ({"ellipse": {"centre": [50, 40], "axes": [45, 10], "angle": 90}}, "4 px beyond the top edge, 6 px beyond the bottom edge"),
        ({"ellipse": {"centre": [50, -30], "axes": [10, 10]}}, "lies outside the frame"),
    ],
)
def test_an_arena_lies_inside_the_frame(region: Mapping[str, Any], expected: str) -> None:
    for part in ("include", "exclude"):
        faults = arena_faults([{"name": "dish", part: [region]}], 100, 80)
        assert len(faults) == bool(expected)
        for fault in faults:
            assert expected in fault
            assert f"arena 'dish', {part} 1" in fault
            assert "100 x 80 px" in fault


def test_a_tilted_ellipse_extends_as_far_as_its_outline() -> None:
    angle = np.linspace(0, 2 * np.pi, 100_000)
    tilt = np.radians(35)
    reach = np.max(60 * np.cos(angle) * np.cos(tilt) - 20 * np.sin(angle) * np.sin(tilt))
    for beyond, faulty in ((0.9, False), (1.1, True)):
        centre = [199.5 - reach + beyond, 100]
        assert bool(arena_faults([{"include": [{"ellipse": {"centre": centre, "axes": [60, 20], "angle": 35}}]}], 200, 200)) == faulty


def test_the_whole_frame_is_an_arena() -> None:
    assert arena_faults([{}, {"name": "all"}], 10, 10) == []


def test_a_recording_has_one_size() -> None:
    sizes = {"a": (4, 3), "b": (4, 3), "c": (3, 4)}
    assert recording_size_faults({"r": ["a", "b", "unread"], "s": ["c"]}, sizes) == []
    (fault,) = recording_size_faults({"r": ["a", "b", "c"]}, sizes)
    assert "a is 4 x 3 px, but c is 3 x 4 px" in fault
