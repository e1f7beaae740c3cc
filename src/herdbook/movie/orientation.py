"""How a stored picture is turned before it is shown: the eight orientations of EXIF, and where movies and image files say theirs.

An orientation is the number that EXIF gives it: 1 as stored, 2 mirrored, 3 turned by 180 degrees, 4 upside down in a mirror, 5 rows and
columns exchanged, 6 turned clockwise by 90 degrees, 7 exchanged along the other diagonal, 8 turned anticlockwise by 90 degrees.
"""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import PIL.Image
from numpy.typing import NDArray

AS_STORED = 1
# By clockwise turn in degrees, as a person gives it.
OF_TURN = {0: AS_STORED, 90: 6, 180: 3, 270: 8}
IN_WORDS = {
    **{2: "mirrored", 3: "turned by 180 degrees", 4: "mirrored from top to bottom", 5: "mirrored and turned by 90 degrees"},
    **{6: "turned clockwise by 90 degrees", 7: "mirrored and turned by 270 degrees", 8: "turned clockwise by 270 degrees"},
}
# The number by which the tag is known in EXIF and TIFF.
EXIF_TAG = 0x0112
# Parts a, b, c, d of a display matrix: the shown x is a x + c y, the shown y is b x + d y, both up to a shift.
_OF_MATRIX = {
    **{(1, 0, 0, 1): AS_STORED, (-1, 0, 0, 1): 2, (-1, 0, 0, -1): 3, (1, 0, 0, -1): 4},
    **{(0, 1, 1, 0): 5, (0, 1, -1, 0): 6, (0, -1, -1, 0): 7, (0, -1, 1, 0): 8},
}
_FIXED_ONE = 1 << 16
_UNDOING = {6: 8, 8: 6}


def exchanges_sides(orientation: int) -> bool:
    """Whether the width of the stored picture is the height of the shown one."""
    return orientation >= 5


def turned(image: NDArray[Any], orientation: int) -> NDArray[Any]:
    """A picture (row, col[, channel]) as it is shown: the same array for orientation 1, otherwise a new one."""
    match orientation:
        case 2 | 3 | 4:
            return np.asarray(cv2.flip(image, {2: 1, 3: -1, 4: 0}[orientation]))
        case 5:
            return np.asarray(cv2.transpose(image))
        case 6 | 8:
            return np.asarray(cv2.rotate(image, cv2.ROTATE_90_CLOCKWISE if orientation == 6 else cv2.ROTATE_90_COUNTERCLOCKWISE))
        case 7:
            return np.asarray(cv2.flip(cv2.transpose(image), -1))
    return image


def undone(orientation: int) -> int:
    """The orientation that brings a shown picture back to the stored one."""
    return _UNDOING.get(orientation, orientation)


def orientation_of_frame(frame: Any) -> int | None:
    """The orientation that a movie asks for, from the display matrix of one of its frames; None for a matrix that is no such turn."""
    try:
        matrix = frame.side_data.get("DISPLAYMATRIX")
    except ValueError:
        # PyAV does not list the side data of a frame with kinds that it does not know. What it knows then is the angle, without mirroring.
        return OF_TURN.get(-frame.rotation % 360)
    if matrix is None:
        return AS_STORED
    a, b, _, c, d, *_ = np.frombuffer(bytes(matrix), np.int32).tolist()
    parts = tuple(round(part / _FIXED_ONE, 2) for part in (a, b, c, d))
    return _OF_MATRIX.get(parts)


def orientation_of_image(file: Path) -> int:
    """The orientation that an image file asks for in its EXIF data or its TIFF tag; 1 if it asks for none."""
    try:
        with PIL.Image.open(file) as image:
            # In PNG the data may follow the pixels, and looking for them there would decode every image.
            asked = image.info.get("exif") and image.getexif().get(EXIF_TAG) if image.format == "PNG" else image.getexif().get(EXIF_TAG)
    except (OSError, ValueError, SyntaxError, PIL.Image.DecompressionBombError):
        return AS_STORED  # whether the image can be read is found elsewhere
    return asked if asked in IN_WORDS else AS_STORED
