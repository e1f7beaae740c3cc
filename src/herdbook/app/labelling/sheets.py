"""Pictures of tracklets for the page, as JPEG: large images head up, a loop of consecutive frames, and small references."""

from collections.abc import Sequence

import cv2
import numpy as np

from herdbook.arrays import Floats, Image, Ints, Pixels
from herdbook.classifier.crops import CropSpec, crop_length
from herdbook.commands.labelling.candidates import LabelMovie

# Large images of a tracklet on one sheet, their size (width, height) px; and how many times as long as a body they are high.
HEADS, HEAD_PX, HEAD_LENGTHS = 5, (256, 288), 1.25
# Images of a loop, at most so many, over so much time; they are square and not turned, and the least and greatest side (px).
LOOP_IMAGES, LOOP_S, LOOP_LENGTHS, LOOP_PX = 24, 3.0, 1.7, (48, 160)
REFERENCE_PX = (48, 72)
# Colours are what tags differ in: they are coded as finely as brightness.
QUALITY = 88


def head_rows(movie: LabelMovie, tracklet: int, page: int) -> Ints:
    """Blobs of a tracklet for one page of large images, in order of time; pages after the last one begin anew."""
    spread = movie.spread(tracklet)
    pages = max(1, -(-len(spread) // HEADS))
    return np.sort(spread[HEADS * (page % pages) : HEADS * (page % pages + 1)])


def head_sheet(movie: LabelMovie, rows: Ints) -> bytes:
    """Large images of blobs, head up, side by side."""
    length = max(16.0, HEAD_LENGTHS * movie.length_px)
    return jpeg(_side_by_side(movie.crops(rows, CropSpec(length, HEAD_PX, neighbours=True))))


def loop_sheet(movie: LabelMovie, tracklet: int, frame: int) -> bytes:
    """Images of a tracklet in frames around one, side by side, north up; where there are no images nothing."""
    blobs = movie.blobs_of(tracklet)
    blobs = blobs[movie.blobs.image[blobs] >= 0]
    if not len(blobs):
        return b""
    span = min(len(blobs), max(2, round(LOOP_S * movie.blobs.fps)))
    first = int(np.clip(np.searchsorted(movie.blobs.frame[blobs], frame) - span // 2, 0, len(blobs) - span))
    part = blobs[first : first + span]
    part = part[:: max(1, -(-len(part) // LOOP_IMAGES))]
    length = max(16.0, LOOP_LENGTHS * movie.length_px)
    side = int(np.clip(round(length), *LOOP_PX))
    up = np.full(len(movie.blobs), -np.pi / 2, np.float32)
    return jpeg(_side_by_side(movie.crops(part, CropSpec(length, (side, side), neighbours=True), up)))


def small_heads(movie: LabelMovie, rows: Ints) -> Pixels:
    """Small images of blobs, head up, uint8 (n, height, width, 3)."""
    return movie.crops(rows, CropSpec(crop_length(movie.length_px), REFERENCE_PX))


def rows_sheet(rows: Sequence[Pixels], columns: int) -> bytes:
    """Rows of small images, each of `columns` places, of which the last ones may stay empty."""
    width, height = REFERENCE_PX
    sheet = np.full((max(1, len(rows)) * height, columns * width, 3), 127, np.uint8)
    for number, images in enumerate(rows):
        for place, image in enumerate(images[:columns]):
            sheet[number * height : (number + 1) * height, place * width : (place + 1) * width] = image
    return jpeg(sheet)


def frame_picture(image: Image, x: float, y: float, side_px: Floats | float, width: int) -> bytes:
    """A frame as JPEG of a width (px), with the corners of a square around a point."""
    zoom = width / image.shape[1]
    small = np.ascontiguousarray(cv2.resize(image, (width, max(1, round(image.shape[0] * zoom))), interpolation=cv2.INTER_AREA))
    half = max(9.0, float(side_px) * zoom)
    for ink, line in (((0, 0, 0), 4), ((0, 230, 255), 2)):
        for sx in (-1, 1):
            for sy in (-1, 1):
                corner = np.array([(x + 0.5) * zoom + sx * half, (y + 0.5) * zoom + sy * half])
                ends = np.rint([corner - (sx * half / 2, 0), corner, corner - (0, sy * half / 2)]).astype(np.int32)
                cv2.polylines(small, [ends], False, ink, line, cv2.LINE_AA)
    return jpeg(small)


def _side_by_side(images: Pixels) -> Image:
    return np.concatenate(list(images), axis=1) if len(images) else np.full((1, 1, 3), 127, np.uint8)


def jpeg(image: Image) -> bytes:
    """An image as JPEG."""
    options = [cv2.IMWRITE_JPEG_QUALITY, QUALITY, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
    coded: Pixels = cv2.imencode(".jpg", image, options)[1]
    return coded.tobytes()
