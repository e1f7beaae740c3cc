"""A training set that somebody else may have made."""

from typing import Any

import numpy as np
import pytest

from herdbook.artifacts.trainset import TrainingSet


def two_images(**changes: Any) -> TrainingSet:
    columns = {name: np.zeros(2, np.float32) for name in ("time_s", "head", "chroma")}
    columns |= {name: np.zeros(2, np.int32) for name in ("label", "frame", "group")}
    columns |= {"images": np.zeros((2, 8, 6, 3), np.uint8), "coexisting": np.zeros((0, 2), np.int32)}
    columns |= {"group_movie": np.zeros(1, np.int32), "group_tracklet": np.zeros(1, np.int32)}
    return TrainingSet(classes=["A", "B"], movies=["m"], notes=[], crops="{}", body_length_px=8.0, **columns | changes)


@pytest.mark.parametrize(("name", "values"), [("label", [0, 1]), ("label", [-1, 0]), ("group", [0, 0])])
def test_images_may_have_any_of_the_labels_or_none(name: str, values: list[int]) -> None:
    two_images(**{name: np.array(values, np.int32)}).verify()


@pytest.mark.parametrize(
    ("name", "values", "told"),
    [("frame", [0], "their lengths are"),
     ("label", [0, 2], "label from 0 to 2, there are 2"), ("label", [-2, 0], "from -2"), ("group", [-1, 0], "group from -1 to 0"),
     ("group", [0, 1], "there are 1"), ("group_movie", [1], "group_movie from 1 to 1"), ("coexisting", [[-1, 0]], "coexisting from -1")],
)  # fmt: skip
def test_numbers_that_point_nowhere_are_refused(name: str, values: list[Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        two_images(**{name: np.array(values, np.int32)}).verify()
