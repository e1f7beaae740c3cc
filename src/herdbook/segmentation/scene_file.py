"""Reader of a given image of the empty scene, instead of a computed background."""

import warnings
from pathlib import Path

import cv2
import numpy as np
import PIL.Image
from numpy.typing import NDArray

from herdbook.errors import HerdbookError, parsing


def read_scene(path: Path, width: int, height: int) -> NDArray[np.uint8]:
    """Colours (height, width, 3) BGR uint8 of an image file, grey or colour.

    Raises HerdbookError if the file is not an image, or not of the size of the movie.
    """
    size = image_size(path)
    if size and size != (width, height):
        raise HerdbookError(
            f"{path}: the image is {size[0]} x {size[1]} px, but the movie is {width} x {height} px. "
            "background.file needs an image of the empty scene in the size of the movie."
        )
    with parsing(path, "cannot be read as an image", "Give a PNG, TIFF or JPEG file as background.file."):
        image = cv2.imread(str(path), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION) if size else None
    if image is None or image.shape[:2] != (height, width):
        raise HerdbookError(f"{path}: cannot be read as an image. Give a PNG, TIFF or JPEG file as background.file.")
    return np.asarray(image, np.uint8)


def image_size(path: Path) -> tuple[int, int] | None:
    """Width and height (px) in the header of an image file, None if it is not an image; pixels are not decoded."""
    try:
        with warnings.catch_warnings(action="ignore"), PIL.Image.open(path) as image:
            return image.size
    except PIL.Image.DecompressionBombError as error:
        raise HerdbookError(f"{path}: the image is larger than any movie ({error}). Give an image in the size of the movie.") from error
    except Exception:  # each format has errors of its own
        return None
