"""Images that a person gives: the empty scene, instead of a background that is computed."""

import warnings
from pathlib import Path

import cv2
import numpy as np
import PIL.Image
from numpy.typing import NDArray

from herdbook.errors import HerdbookError


def read_scene(path: Path, width: int, height: int) -> NDArray[np.uint8]:
    """Colours (height, width, 3) BGR uint8 of an image file, grey or colour.

    Raises HerdbookError when the file is no image, or not one of the movie's size.
    """
    size = image_size(path)
    if size and size != (width, height):
        raise HerdbookError(
            f"{path}: the image is {size[0]} x {size[1]} px, but the movie is {width} x {height} px. "
            "background.file needs an image of the empty scene in the size of the movie."
        )
    image = cv2.imread(str(path), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION) if size else None
    if image is None or image.shape[:2] != (height, width):
        raise HerdbookError(f"{path}: cannot be read as an image. Give a PNG, TIFF or JPEG file as background.file.")
    return np.asarray(image, np.uint8)


def image_size(path: Path) -> tuple[int, int] | None:
    """Width and height (px) that an image file says it has, None if it is no image; what it holds is not decoded, whatever it says."""
    try:
        with warnings.catch_warnings(action="ignore"), PIL.Image.open(path) as image:
            return image.size
    except PIL.Image.DecompressionBombError as error:
        raise HerdbookError(f"{path}: an image of this size cannot be that of a movie ({error}). Give another one.") from error
    except (OSError, ValueError, SyntaxError):
        return None
