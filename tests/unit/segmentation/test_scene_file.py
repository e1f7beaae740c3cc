"""An image of the empty scene that a person gives."""

import cv2
import numpy as np
import pytest

from herdbook.errors import HerdbookError
from herdbook.segmentation.scene_file import read_scene


@pytest.mark.parametrize("shape", [(6, 8), (6, 8, 3)])
def test_an_image_of_the_size_of_the_movie_is_read_in_colour(tmp_path, rng, shape):
    image = rng.integers(0, 255, shape).astype(np.uint8)
    cv2.imwrite(str(tmp_path / "empty.png"), image)
    assert np.array_equal(read_scene(tmp_path / "empty.png", 8, 6), np.broadcast_to(image.reshape(6, 8, -1), (6, 8, 3)))


@pytest.mark.parametrize(
    ("size", "told"), [((6, 8), "the image is 8 x 6 px, but the movie is 6 x 8 px"), (None, "cannot be read as an image")]
)
def test_an_image_of_another_size_and_no_image_are_refused(tmp_path, size, told):
    if size:
        cv2.imwrite(str(tmp_path / "empty.png"), np.zeros(size, np.uint8))
    else:
        (tmp_path / "empty.png").write_text("no image")
    with pytest.raises(HerdbookError, match=rf"empty\.png: {told}"):
        read_scene(tmp_path / "empty.png", 6, 8)
