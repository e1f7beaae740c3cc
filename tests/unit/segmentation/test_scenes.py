"""The windows of time of a background."""

import numpy as np
import pytest

from herdbook.artifacts.background import Background
from herdbook.segmentation.scenes import _without_resting


def test_a_scene_that_does_not_change_has_one_window_from_frame_0_on(write_blobs, tmp_path):
    write_blobs("m", [[(40, 40, 8, 4, 0)]] * 3)
    found = Background.load(tmp_path / "m_background.h5")
    assert found.first_frame.tolist() == [0]
    assert found.change is None


@pytest.mark.parametrize("settings", [{"resting": False, "statistic": "median"}, {"resting": True, "statistic": "max"}])
def test_a_scene_stays_as_it_is_unless_animals_that_rest_are_to_be_taken_out(settings):
    scenes = [(0, {"luma": np.zeros((4, 4))}), (50, {"luma": np.ones((4, 4))})]
    assert _without_resting(scenes, [], settings | {"polarity": "dark"}, 0) is scenes
