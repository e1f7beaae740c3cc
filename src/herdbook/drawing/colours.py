"""Colours of individuals and of the sources of positions: the same ones in every picture and movie."""

import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

# Chosen by a search over the sRGB cube for the largest least distance in CIELAB, under normal sight and under protanopia and
# deuteranopia (Machado et al. 2009, IEEE TVCG 15:1291): 33.6 and 19.8. All are light enough (L* > 45) to stand on a dark ground.
# Each next colour is the one farthest from those before it, so that small groups get the most different ones.
PALETTE = np.array(
    [
        (240, 15, 135),
        (225, 240, 0),
        (15, 90, 255),
        (180, 90, 15),
        (0, 255, 255),
        (150, 255, 135),
        (60, 195, 255),
        (255, 225, 195),
        (210, 165, 15),
        (150, 180, 90),
        (150, 105, 75),
        (195, 15, 195),
        (240, 165, 195),
        (135, 135, 255),
        (30, 120, 120),
        (210, 105, 195),
    ],
    np.uint8,
)

# single, resolved, interpolated, merged (Okabe & Ito 2008, Color Universal Design), corrected and, last, missing, in light grey.
SOURCE_COLOURS = np.array([(0, 114, 178), (0, 158, 115), (240, 228, 66), (213, 94, 0), (160, 32, 240), (232, 232, 232)], np.uint8)

# With more names than this, names are fragments without identity: their colour must not depend on how many others there are.
_COUNTED = 3 * len(PALETTE)


def individual_colours(names: Sequence[str]) -> NDArray[np.uint8]:
    """Colours (n, 3) RGB of the individuals of an experiment or recording, which `names` lists in its fixed order.

    The first 16 differ from each other for all kinds of colour sight but achromatopsia; further ones repeat in the same order. Of
    more than 48 names each gets the colour that the hash of its name picks.
    """
    if len(names) <= _COUNTED:
        picks = np.arange(len(names)) % len(PALETTE)
    else:
        picks = np.array([zlib.crc32(name.encode()) % len(PALETTE) for name in names])
    return PALETTE[picks]


def as_bgr(colours: NDArray[np.uint8]) -> list[tuple[int, int, int]]:
    """The colours (n, 3) RGB as OpenCV takes them."""
    return [(int(blue), int(green), int(red)) for red, green, blue in colours]


def as_css(colours: NDArray[np.uint8]) -> list[str]:
    """The colours (n, 3) RGB as #rrggbb, for Matplotlib and style sheets."""
    return [f"#{red:02x}{green:02x}{blue:02x}" for red, green, blue in colours.tolist()]
