"""The pixels of one decoded frame: luma, grey, colour, and the planes from which colours are computed.

Arrays are uint8 (row, col[, channel]), colour is BGR.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import av
import cv2
import numpy as np
from numba import njit
from numpy.typing import NDArray

from herdbook.movie.orientation import AS_STORED, exchanges_sides, turned

_FULL_RANGE = 2  # AVCOL_RANGE_JPEG

# log2 of the chroma subsampling (rows, cols), for formats whose colours are computed from the planes.
_CHROMA_SHIFTS = {
    **{"yuv420p": (1, 1), "yuv422p": (0, 1), "yuv444p": (0, 0)},
    **{"yuvj420p": (1, 1), "yuvj422p": (0, 1), "yuvj444p": (0, 0)},
}

# Weights of red and blue in luma by AVColorSpace; movies without one are read as BT.601, as swscale does.
_LUMA_WEIGHTS = {1: (0.2126, 0.0722), 4: (0.30, 0.11), 7: (0.212, 0.087), 9: (0.2627, 0.0593)}


class Coding(NamedTuple):
    """How colours are computed from planes of samples.

    `kind`: "grey" (one plane of grey values), "bgr" (three planes of colour values) or "yuv" (luma, and two chroma planes that are smaller
    by `shifts`, log2 of rows and columns); `grey` uint8 (256,): grey value of each luma; `terms` float32 (4,): see `_chroma_terms`.
    """

    kind: str
    shifts: tuple[int, int]
    grey: NDArray[np.uint8]
    terms: NDArray[np.float32]


_NO_COLOUR = Coding("grey", (0, 0), np.arange(256, dtype=np.uint8), np.zeros(4, np.float32))
_PLAIN_COLOUR = Coding("bgr", (0, 0), np.arange(256, dtype=np.uint8), np.zeros(4, np.float32))


class Frame:
    """One decoded frame; `index` is its number in display order. All arrays are turned by `orientation` (see `movie.orientation`).

    The arrays are made when they are accessed: a stage that needs only luma and a few patches causes no conversion.
    """

    __slots__ = ("_bgr", "_frame", "_orientation", "_reformatter", "index")

    def __init__(self, index: int, frame: Any, reformatter: Any, orientation: int = AS_STORED) -> None:
        self.index = index
        self._frame = frame
        self._orientation = orientation
        self._reformatter = reformatter  # shared by the frames of a reader: making its tables takes longer than one conversion
        self._bgr: NDArray[np.uint8] | None = None

    @property
    def luma(self) -> NDArray[np.uint8]:
        """The luma plane, uint8 (height, width); a read-only view of the decoder's memory if it has 8 bits and is not turned.

        Samples of more bits are shifted to 8; formats without a separate luma plane are converted to full-range grey.
        """
        return turned(self._stored_luma(), self._orientation)

    def grey(self) -> NDArray[np.uint8]:
        """Grey values, uint8 (height, width), exactly those of rgb24 -> cv2.COLOR_RGB2GRAY, for which LK-RSTC is defined."""
        if self._has_grey_table():
            grey = np.asarray(cv2.LUT(self._stored_luma(), self._grey_table()), np.uint8)
        else:
            grey = np.asarray(cv2.cvtColor(self._converted("rgb24"), cv2.COLOR_RGB2GRAY), dtype=np.uint8)
        return turned(grey, self._orientation)

    def bgr(self) -> NDArray[np.uint8]:
        """Colours, uint8 (height, width, 3) BGR."""
        if self._bgr is None:
            self._bgr = turned(self._converted("bgr24"), self._orientation)
        return self._bgr

    def forget_colours(self) -> None:
        """Release the converted colours, which are three bytes per pixel, of a frame that is kept; they are made again when accessed."""
        self._bgr = None

    def bgr_scaled(self, width: int, height: int) -> NDArray[np.uint8]:
        """The frame reduced to this size by averaging areas, uint8 (height, width, 3) BGR; computed in every call."""
        # Five times as fast as cv2.INTER_AREA for a reduction to two thirds.
        width, height = (height, width) if exchanges_sides(self._orientation) else (width, height)
        keys = {"width": width, "height": height, "format": "bgr24", "interpolation": "AREA", "threads": 1}
        return turned(np.asarray(self._reformatter.reformat(self._frame, **keys).to_ndarray(), np.uint8), self._orientation)

    def largest_value(self) -> int:
        """The largest value of a frame of 16 bits."""
        return int(_sixteen_bits(self._frame).max())

    @property
    def coding(self) -> "Coding":
        """How colours are computed from the planes; the same for all frames of a movie."""
        name = self._frame.format.name
        if name.startswith("gray"):
            return _NO_COLOUR
        if name not in _CHROMA_SHIFTS or _luma_bits(self._frame) != 8:
            return _PLAIN_COLOUR
        frame, shifts = self._frame, _CHROMA_SHIFTS[name]
        # In a turned frame, a sample of chroma at the edge of an odd number of rows or columns would lie beside its pixels.
        if self._orientation != AS_STORED and (frame.width % (1 << shifts[1]) or frame.height % (1 << shifts[0])):
            return _PLAIN_COLOUR
        coding = _yuv_coding(name, int(frame.color_range), int(frame.colorspace), is_full_range(frame))
        return coding._replace(shifts=shifts[::-1]) if exchanges_sides(self._orientation) else coding

    def planes(self) -> tuple[NDArray[np.uint8], ...]:
        """The planes described by `coding`: luma alone, or blue, green, red, or luma and both chroma planes, uint8 (rows, cols) each."""
        kind = self.coding.kind
        if kind == "grey":
            return (self.luma,)
        if kind == "bgr":
            return tuple(np.ascontiguousarray(channel) for channel in np.moveaxis(self.bgr(), 2, 0))
        return self.luma, *(turned(_plane(self._frame, number), self._orientation) for number in (1, 2))

    def _stored_luma(self) -> NDArray[np.uint8]:
        bits = _luma_bits(self._frame)
        if bits == 8:
            return _plane(self._frame, 0)
        if bits:
            return (_plane(self._frame, 0, np.uint16) >> (bits - 8)).astype(np.uint8)
        return self._converted("gray")

    def _converted(self, pixel_format: str) -> NDArray[np.uint8]:
        converted = self._reformatter.reformat(self._frame, format=pixel_format, threads=1).to_ndarray()
        return np.asarray(converted, dtype=np.uint8)

    def _grey_table(self) -> NDArray[np.uint8]:
        frame = self._frame
        return _grey_table(frame.format.name, int(frame.color_range), int(frame.colorspace))

    def _has_grey_table(self) -> bool:
        name = self._frame.format.name
        if name == "gray":
            return _luma_bits(self._frame) == 8
        if name not in _CHROMA_SHIFTS or _luma_bits(self._frame) != 8:
            return False
        # swscale dithers limited-range movies with subsampled chroma and an odd number of rows: they cannot be converted by a table.
        if self._frame.height % 2 and not is_full_range(self._frame) and _CHROMA_SHIFTS[name] != (0, 0):
            return False
        return bool((_plane(self._frame, 1) == 128).all() and (_plane(self._frame, 2) == 128).all())


def has_sixteen_bits(frame: Any) -> bool:
    """Whether an av.VideoFrame has grey levels or colours of 16 bits, of which a camera may use fewer."""
    return frame.format.name.startswith(("gray", "ya", "rgb", "bgr", "gbr")) and int(frame.format.components[0].bits) == 16


def in_eight_bits(frame: Any, bits: int) -> Any:
    """An av.VideoFrame of 16 bits, of which only the lowest `bits` are used, as grey levels or RGB of 8 bits.

    Other frames, and all if `bits` is 0 or 16, are returned as they are. Raises OverflowError if a value is too large for so many bits.
    """
    if bits in (0, 16) or not has_sixteen_bits(frame):
        return frame
    values = _sixteen_bits(frame)
    if values.max() >> bits:
        raise OverflowError(
            f"it has a value of {values.max()}, but the pictures of this movie were found to use {bits} of their 16 bits. Say how many "
            "they use: movies[].bits"
        )
    return av.VideoFrame.from_ndarray((values >> (bits - 8)).astype(np.uint8), format="gray" if values.ndim == 2 else "rgb24")


def _sixteen_bits(frame: Any) -> NDArray[np.uint16]:
    """Values (height, width) of a grey frame, or (height, width, 3) RGB."""
    is_grey = frame.format.name.startswith(("gray", "ya16"))
    return np.asarray(frame.reformat(format="gray16le" if is_grey else "rgb48le", threads=1).to_ndarray(), np.uint16)


def _luma_bits(frame: Any) -> int:
    """Bits per luma sample if plane 0 contains luma and nothing else, low byte first; otherwise 0."""
    name = frame.format.name
    planar = name.startswith(("gray", "yuv4", "yuvj4", "yuva4", "nv12", "nv16", "nv21"))
    if not planar or name.endswith("be") or name.startswith("grayf") or frame.planes[0].line_size < 0:
        return 0
    return int(frame.format.components[0].bits)


def _plane(frame: Any, number: int, dtype: type[np.unsignedinteger[Any]] = np.uint8) -> NDArray[Any]:
    """A plane as a view without its padding; read-only, because the decoder predicts later frames from it."""
    plane = frame.planes[number]
    view = np.frombuffer(plane, dtype).reshape(plane.height, -1)[:, : plane.width]
    view.flags.writeable = False
    return view


def is_full_range(frame: Any) -> bool:
    """Whether the range of `Frame.luma` is 0 to 255, as it is for grey and converted formats."""
    name = frame.format.name
    return name.startswith(("yuvj", "gray")) or frame.color_range == _FULL_RANGE or not _luma_bits(frame)


@lru_cache
def _grey_table(pixel_format: str, color_range: int, colorspace: int) -> NDArray[np.uint8]:
    """Grey of each luma value at neutral chroma, uint8 (256,), determined by converting a ramp of luma values."""
    ramp = av.VideoFrame(256, 2, pixel_format)
    for number, plane in enumerate(ramp.planes):
        values = np.frombuffer(plane, np.uint8).reshape(plane.height, -1)
        values[:, : plane.width] = np.arange(256) if number == 0 else 128
    ramp.color_range, ramp.colorspace = color_range, colorspace
    table: NDArray[np.uint8] = cv2.cvtColor(ramp.to_ndarray(format="rgb24"), cv2.COLOR_RGB2GRAY)[0]
    table.flags.writeable = False
    return table


def planes_to_bgr(planes: Sequence[NDArray[np.uint8]], coding: Coding) -> NDArray[np.uint8]:
    """Colours uint8 (height, width, 3) BGR from the planes of `Frame.planes`, or from parts of them cut at even coordinates.

    Chroma is that of the nearest sample: pixels next to a chroma edge may differ from `Frame.bgr`; others agree within 2 grey levels.
    """
    if coding.kind == "yuv":
        image: NDArray[np.uint8] = _yuv_to_bgr(*planes, coding.grey, coding.terms, *coding.shifts)
        return image
    return np.stack([planes[0]] * 3 if coding.kind == "grey" else list(planes), axis=2)


@lru_cache
def _yuv_coding(pixel_format: str, color_range: int, colorspace: int, full_range: bool) -> Coding:
    grey = _grey_table(pixel_format, color_range, colorspace)
    return Coding("yuv", _CHROMA_SHIFTS[pixel_format], grey, _chroma_terms(colorspace, full_range))


@lru_cache
def _chroma_terms(colorspace: int, full_range: bool) -> NDArray[np.float32]:
    """Change of colour per step of chroma: (blue by U, green by U, green by V, red by V), float32 (4,)."""
    red, blue = _LUMA_WEIGHTS.get(colorspace, (0.299, 0.114))
    green = 1 - red - blue
    of_v, of_u = 2 * (1 - red), 2 * (1 - blue)
    terms = np.array([of_u, -of_u * blue / green, -of_v * red / green, of_v])
    return (terms if full_range else terms * 255 / 224).astype(np.float32)


@njit(cache=True, nogil=True)
def _yuv_to_bgr(luma, u, v, grey, terms, row_shift, col_shift):  # type: ignore[no-untyped-def]
    height, width = luma.shape
    image = np.empty((height, width, 3), np.uint8)
    for y in range(height):
        for x in range(width):
            level = grey[luma[y, x]] + 0.5
            cb = np.int32(u[y >> row_shift, x >> col_shift]) - 128
            cr = np.int32(v[y >> row_shift, x >> col_shift]) - 128
            blue = level + terms[0] * cb
            green = level + terms[1] * cb + terms[2] * cr
            red = level + terms[3] * cr
            image[y, x, 0] = np.uint8(min(max(blue, 0.0), 255.0))
            image[y, x, 1] = np.uint8(min(max(green, 0.0), 255.0))
            image[y, x, 2] = np.uint8(min(max(red, 0.0), 255.0))
    return image
