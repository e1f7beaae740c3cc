"""An image of the empty scene that a person took, instead of a background that is computed."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from herdbook.errors import HerdbookError


def read_scene(path: Path, width: int, height: int) -> NDArray[np.uint8]:
    """Colours (height, width, 3) BGR uint8 of an image file, grey or colour.

    Raises HerdbookError when the file is no image, or not one of the movie's size.
    """
    image = cv2.imread(str(path), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION) if path.is_file() else None
    if image is None:
        raise HerdbookError(f"{path}: cannot be read as an image. Give a PNG, TIFF or JPEG file as background.file.")
    if image.shape[:2] != (height, width):
        raise HerdbookError(
            f"{path}: the image is {image.shape[1]} x {image.shape[0]} px, but the movie is {width} x {height} px. "
            "background.file needs an image of the empty scene in the size of the movie."
        )
    return np.asarray(image, np.uint8)
