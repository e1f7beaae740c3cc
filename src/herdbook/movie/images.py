"""Folders of images and TIFF files of several pages as movies: their frames in order, and each of them decoded.

The `pts` of such a frame is its number among the images in natural order, or the number of its page, from 0.
"""

import re
import struct
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import PIL.Image
from av.error import FFmpegError

from herdbook.errors import HerdbookError
from herdbook.movie.decoding import MOST_PX, REMEDY, open_video, too_large
from herdbook.movie.orientation import AS_STORED, EXIF_TAG, IN_WORDS, orientation_of_image, turned, undone

CODECS = {
    **{".png": "png", ".jpg": "mjpeg", ".jpeg": "mjpeg", ".pgm": "pgm", ".bmp": "bmp"},
    **{".tif": "tiff", ".tiff": "tiff"},
}
_TIFF_MARKS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
# What Pillow raises for a damaged TIFF file.
_DAMAGED = (OSError, ValueError, SyntaxError, KeyError, TypeError, EOFError, struct.error, OverflowError)
# Pillow's names of grey levels of 16 bits; of the two values of a bitmap and of grey levels of 8 bits.
_GREY_16, _GREY_8 = ("I;16", "I;16L", "I;16B", "I;16N"), ("1", "L")
_SUBFILE_TYPE, _REDUCED = 254, 1
_BITS, _DESCRIPTION = 258, 270
# MetaMorph writes all frames behind the only page, and describes them in this tag.
_METAMORPH = 33629
# Counts that the writers of stacks leave in the description of the first page.
_IMAGEJ_COUNT = re.compile(r"^(images|channels)=(\d+)\s*$", re.MULTILINE)
_OME_CHANNELS = re.compile(r'\bSizeC="(\d+)"')


def is_of_images(path: Path) -> bool:
    """Whether a movie is a folder of images, or a file of pages."""
    return path.is_dir() or is_stack(path)


def is_stack(path: Path) -> bool:
    """Whether a movie is a TIFF file, whose pages are its frames, by its name or its first bytes: FFmpeg reads only the first page."""
    if path.is_dir():
        return False
    if CODECS.get(path.suffix.lower()) == "tiff" or not path.is_file():
        return CODECS.get(path.suffix.lower()) == "tiff"
    with path.open("rb") as file:
        return file.read(4) in _TIFF_MARKS


@contextmanager
def open_images(path: Path) -> Iterator[Callable[[int], Any]]:
    """A function from the pts of a frame to its av.VideoFrame, as stored, for a folder of images or a stack.

    The function raises HerdbookError, which names the image or page, if it cannot be decoded or does not exist any more.
    """
    if is_stack(path):
        with open_stack(path) as image:
            # Read before the first page is decoded: Pillow then turns the page and forgets the tag. All pages have the same one.
            asked = stack_orientation(image)
            yield lambda page: decode_page(path, image, page, asked)
        return
    files = image_files(path)

    def decode(number: int) -> Any:
        if number >= len(files):
            raise HerdbookError(f"{path} contains {len(files)} images, but its frame table image {number}: run the rule index again")
        return decode_image(files[number])

    yield decode


def image_name(path: Path, number: int) -> str:
    """The image or page with this pts, as messages name it."""
    return f"{path}, page {number}," if is_stack(path) else str(image_files(path)[number])


def image_files(folder: Path) -> list[Path]:
    """The folder's images in natural order: image2 before image10. Hidden files are left out: macOS writes some beside images."""
    files = [file for file in folder.iterdir() if file.suffix.lower() in CODECS and not file.name.startswith(".")]
    if not files:
        raise HerdbookError(f"{folder} contains no images ({', '.join(CODECS)}); name a folder with images, or a movie file")
    parts = {file: re.split(r"(\d+)", file.name.lower()) for file in files}
    return sorted(files, key=lambda file: [int(part) if part.isdigit() else part for part in parts[file]])


def check_images(files: list[Path], *, by_orientation: bool) -> int:
    """The orientation that images ask for. Raises HerdbookError, which names the image, unless all are of one kind and size.

    `by_orientation`: they must also agree in their orientation.
    """
    kinds = Counter(CODECS[file.suffix.lower()] for file in files)
    if len(kinds) > 1:
        counted = ", ".join(f"{number} {kind}" for kind, number in kinds.items())
        raise HerdbookError(
            f"{files[0].parent} contains images of several kinds ({counted}), so that frames may be there twice. Put those that are the "
            "frames into a folder of their own."
        )
    size = image_size(files[0])
    orientation = orientation_of_image(files[0])
    for file in files:
        found = image_size(file)
        if found != size:
            raise HerdbookError(f"{file} is {found}, {files[0].name} is {size}: all images must have the same size")
        if by_orientation and orientation_of_image(file) != orientation:
            raise HerdbookError(
                f"{file} asks to be turned in another way than {files[0].name} does (EXIF). Say how all images are to be turned: "
                "movies[].rotate: 0, 90, 180 or 270"
            )
        pages = _page_count(file) if is_stack(file) else 1
        if pages > 1:
            raise HerdbookError(
                f"{file} has {pages} pages, but in a folder of images each file is a frame. Give the stack itself as the file of a movie "
                "(several of them as the movies of one recording), or save its pages as single images."
            )
    return orientation


def image_size(file: Path) -> tuple[int, int]:
    """(width, height) of an image file in px as it is stored, without decoding it."""
    if file.suffix.lower() == ".png":  # FFmpeg would decode the whole image
        with file.open("rb") as opened:
            head = opened.read(24)
        if len(head) == 24 and head[12:16] == b"IHDR":
            width, height = struct.unpack(">II", head[16:])
            if width * height > MOST_PX:
                raise too_large(file, width, height)
            return width, height
    container, stream = open_video(file)
    with container:
        return stream.codec_context.width, stream.codec_context.height


def decode_image(file: Path) -> Any:
    """The av.VideoFrame of an image file. Raises HerdbookError, which names the file, if it is damaged."""
    data = file.read_bytes()
    codec = CODECS[file.suffix.lower()]
    fault = ""
    # FFmpeg completes a truncated JPEG without an error.
    if codec == "mjpeg" and b"\xff\xd9" not in data[-4096:]:
        fault = "the file is cut short"
    context = av.CodecContext.create(codec, "r")
    context.thread_count = 1
    try:
        frames = context.decode(av.Packet(data)) if data and not fault else []
        if frames and not frames[0].is_corrupt:
            return frames[0]
    except FFmpegError as error:
        fault = str(error.strerror or error)
    raise HerdbookError(f"{file} cannot be decoded ({fault or 'no image in it'}). What to do: {REMEDY}.")


@contextmanager
def open_stack(path: Path) -> Iterator[Any]:
    """A TIFF file, opened by Pillow. Raises HerdbookError if it is none, or of a kind that is not read."""
    if not path.is_file():
        raise HerdbookError(f"{path}: there is no such movie file; correct the path in the experiment file")
    try:
        with warnings.catch_warnings(action="ignore"):
            image = PIL.Image.open(path, formats=["TIFF"])
    except PIL.Image.DecompressionBombError as error:
        raise HerdbookError(f"{path} is broken: its header gives an impossible size ({error}). What to do: {REMEDY}.") from error
    except _DAMAGED as error:
        raise HerdbookError(
            f"{path} cannot be opened as TIFF ({error}). Save its pages as grey levels of 8 or 16 bits or as colours of 8 bits."
        ) from error
    with image:
        yield image


def stack_pages(path: Path, image: Any) -> tuple[list[int], str]:
    """The numbers of the pages that are frames, and the fault after the last of them, "" for none.

    Pages that repeat another one in small are left out. Raises HerdbookError if the file holds other frames than its pages, and for pages
    of different sizes or orientations.
    """
    if _METAMORPH in image.tag_v2:
        raise HerdbookError(
            f"{path} is a stack of MetaMorph, whose frames are not pages. Save it as a TIFF file with a page for each frame."
        )
    counts = _counts(str(image.tag_v2.get(_DESCRIPTION, "")))
    if counts.get("channels", 1) > 1:
        raise HerdbookError(
            f"{path} has {counts['channels']} channels, so that its pages are not the frames of one movie. Save one channel as a stack, "
            "or all of them as one page in colour for each time."
        )
    pages: list[int] = []
    size, fault = image.size, ""
    try:
        for number in _seek_pages(image):
            if not pages:
                size, orientation = image.size, _orientation(image)
            if image.size != size or _orientation(image) != orientation:
                shown = f"{image.size[0]} x {image.size[1]} px, orientation {_orientation(image)}"
                first = f"{size[0]} x {size[1]} px, orientation {orientation}"
                raise HerdbookError(f"{path}: page {number} is {shown}, page {pages[0]} is {first}: all pages must be alike")
            pages.append(number)
    except _DAMAGED as error:
        fault = f"the page after page {image.tell()} cannot be found ({error})"
    if counts.get("images", 0) > len(pages) and not fault:
        raise HerdbookError(
            f"{path} says that it holds {counts['images']} images, but has {len(pages)} pages: ImageJ writes files over 4 GB so. Save "
            "it as a folder of images, or as several smaller stacks."
        )
    return pages, fault


def _seek_pages(image: Any) -> Iterator[int]:
    """Seek one page after another, without those that repeat another one in small, and yield its number."""
    number = 0
    while True:
        # Pillow warns of tags that are cut off; what that means for the pages is found by seeking them.
        with warnings.catch_warnings(action="ignore"):
            try:
                image.seek(number)
            except EOFError:
                return
        if not int(image.tag_v2.get(_SUBFILE_TYPE, 0)) & _REDUCED:
            yield number
        number += 1


def _page_count(file: Path) -> int:
    """Number of pages of a TIFF file of any kind."""
    try:
        with open_stack(file) as image:
            return sum(1 for _ in _seek_pages(image))
    except (HerdbookError, *_DAMAGED):
        # A kind that Pillow does not know, such as colours of 16 bits, or a damaged file, which is found elsewhere.
        return int(cv2.imcount(str(file)))


def stack_orientation(image: Any) -> int:
    """The orientation that the first page of a stack asks for."""
    image.seek(0)
    orientation = _orientation(image)
    return orientation if orientation in IN_WORDS else AS_STORED


def decode_page(path: Path, image: Any, page: int, asked: int) -> Any:
    """The av.VideoFrame of a page, as stored; `asked` is the orientation that the pages ask for.

    Raises HerdbookError, which names file and page, if it cannot be decoded.
    """
    try:
        image.seek(page)
        if image.width * image.height > MOST_PX:
            raise too_large(path, image.width, image.height)
        bits = max(image.tag_v2.get(_BITS, (1,)))
        if bits > 8 and image.mode not in _GREY_16:  # of colours of 16 bits, Pillow keeps the upper 8, of which a camera may use none
            raise HerdbookError(
                f"{path}: page {page} has values of {bits} bits ({image.mode}). Save the stack with grey levels of 8 or 16 bits, or with "
                "colours of 8 bits."
            )
        if image.mode in _GREY_16:
            pixels, name = np.asarray(image).astype(np.uint16), "gray16le"
        elif image.mode in _GREY_8:
            pixels, name = np.asarray(image.convert("L")), "gray"
        else:
            pixels, name = np.asarray(image.convert("RGB")), "rgb24"
    except (*_DAMAGED, PIL.Image.DecompressionBombError) as error:
        raise HerdbookError(f"{path}: page {page} cannot be decoded ({error}). What to do: {REMEDY}.") from error
    # Pillow turns pages as they ask.
    return av.VideoFrame.from_ndarray(np.ascontiguousarray(turned(pixels, undone(asked))), format=name)


def _orientation(image: Any) -> int:
    return int(image.tag_v2.get(EXIF_TAG, AS_STORED))


def _counts(description: str) -> dict[str, int]:
    """Number of `images` and `channels` that the description of a stack gives, if it does."""
    if description.startswith("ImageJ="):
        return {name: int(number) for name, number in _IMAGEJ_COUNT.findall(description)}
    channels = _OME_CHANNELS.search(description) if "<OME" in description else None
    return {"channels": int(channels[1])} if channels else {}
