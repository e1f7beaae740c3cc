"""Open movie and image files, check whether they are complete, and decode frames with their numbers."""

import re
import struct
from collections.abc import Iterator
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.error import FFmpegError
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from herdbook.errors import HerdbookError
from herdbook.movie.frame import Frame

REMEDY = "copy the file again from its source, or re-encode it (ffmpeg -i FILE NEWFILE)"

MOST_PX = 1 << 28  # four times 16K; a damaged header may request any amount of memory

_NO_TIMESTAMPS = 0x80  # AVFMT_NOTIMESTAMPS, set for raw streams such as .h264

# Formats that refer to other files or network addresses. They are refused: only files named in the experiment file are read.
_LISTS = ("hls", "concat", "concatf", "dash", "webm_dash_manifest", "imf", "sdp", "rtsp")

IMAGE_CODECS = {
    **{".png": "png", ".jpg": "mjpeg", ".jpeg": "mjpeg", ".pgm": "pgm", ".bmp": "bmp"},
    **{".tif": "tiff", ".tiff": "tiff"},
}


class Decoder:
    """Decoded frames of a movie file with their numbers, beginning at any frame."""

    def __init__(self, path: Path, pts: NDArray[np.int64], sampled: frozenset[int] | None = None) -> None:
        self._path = path
        self._pts = pts
        self._sampled = sampled
        self._reformatter = VideoReformatter()
        self._size: tuple[int, int] | None = None
        self._fault = ""
        self._open()

    def _open(self) -> None:
        self._container, self._stream = open_video(self._path)
        self._counted = is_counted(self._container, self._stream)
        self._unread = True

    def close(self) -> None:
        """Close the file."""
        self._container.close()

    def start_at(self, index: int) -> int:
        """Seek to a keyframe at or before frame `index`; return the number of this keyframe."""
        back = 0
        while not self._counted and index > back:
            with suppress(FFmpegError):
                self._unread = False
                self._container.seek(int(self._pts[index - back]), stream=self._stream, backward=True)
                self._find_keyframe()
                if self._first_pts is not None and self._first_pts <= self._pts[index]:
                    return max(int(np.searchsorted(self._pts, self._first_pts, side="right")) - 1, 0)
            back = max(2 * back, 4)  # the seek ended after the frame, as in transport streams: try earlier
        if not self._unread:
            self.close()
            self._open()
        self._find_keyframe()
        return 0

    def _find_keyframe(self) -> None:
        self._unread = False
        packets = self._container.demux(self._stream)
        first = next((p for p in packets if p.size and p.is_keyframe), None)
        self._first_pts = None if first is None else first.pts
        self._packets = packets if first is None else chain([first], packets)

    def frames(self) -> Iterator[tuple[int, Any]]:
        """(number, av.VideoFrame) in display order; ends early at a fault, whose reason `missing` reports."""
        if self._counted:
            yield from enumerate(self._decoded())
            return
        pts, index = self._pts, 0
        for frame in self._decoded():
            stamp = frame.pts
            # Frames displayed before the first keyframe depend on frames that were not decoded.
            if stamp is None or stamp < self._first_pts or stamp < pts[0]:
                continue
            if stamp > pts[-1]:
                return
            if index >= len(pts) or pts[index] != stamp:
                index = int(np.searchsorted(pts, stamp))
                if pts[index] != stamp:
                    self._fault = f"the movie has a frame at pts {stamp} that is not in its frame table"
                    return
            yield index, frame
            index += 1

    def _decoded(self) -> Iterator[Any]:
        context = self._stream.codec_context
        sampled = None if self._counted else self._sampled
        try:
            for packet in self._packets:
                if sampled is not None:
                    context.skip_frame = "DEFAULT" if packet.pts in sampled else "NONREF"
                yield from packet.decode()
        except FFmpegError as error:
            self._fault = f"decoding fails ({error.strerror or error})"
            # The decoder may still hold good frames, waiting for later ones.
            with suppress(FFmpegError):
                yield from context.decode(None)

    def checked(self, expected: int, index: int, frame: Any) -> Frame:
        """`frame` as a `Frame`. Raises HerdbookError unless it is the expected one, complete, and of the same size as those before."""
        size = (frame.width, frame.height)
        self._size = self._size or size
        if index != expected:
            raise self.missing(expected)
        if frame.is_corrupt:
            raise self.missing(expected, "its data are damaged")
        if size != self._size:
            raise self.missing(expected, f"the frame size changes from {self._size} to {size}")
        return Frame(index, frame, self._reformatter)

    def missing(self, index: int, reason: str = "") -> HerdbookError:
        """The error for a frame that cannot be read, with the reason."""
        seconds = float((self._pts[index] - self._pts[0]) * self._stream.time_base)
        when = "" if self._counted else f" (at {seconds:.3f} s)"
        reason = reason or self._fault or "the movie does not contain it"
        return HerdbookError(f"{self._path}: no frame {index}{when}: {reason}. What to do: {REMEDY}.")


def open_video(path: Path) -> tuple[Any, Any]:
    """The container and its first video stream, set to decode in one thread. Raises HerdbookError if the file cannot be used."""
    if not path.is_file():
        raise HerdbookError(f"{path}: there is no such movie file; correct the path in the experiment file")
    if not path.stat().st_size:
        raise HerdbookError(f"{path} is broken: the file is empty. What to do: {REMEDY}.")
    try:
        # Metadata such as titles may be in any encoding, or damaged.
        container = av.open(str(path), metadata_errors="replace", options={"protocol_whitelist": "file"})
    except FFmpegError as error:
        reason = "it is not a movie, or its index is missing because recording or copying stopped early or is not finished"
        raise HerdbookError(f"{path} cannot be opened: {reason} ({error.strerror or error}). What to do: {REMEDY}.") from error
    if container.format.name in _LISTS:
        container.close()
        raise HerdbookError(f"{path} is not a movie but a list of other files ({container.format.name}); name the movies themselves.")
    if not container.streams.video or container.format.name == "tty":
        container.close()
        raise HerdbookError(f"{path} contains no video stream; name a movie file or a folder of images")
    stream = container.streams.video[0]
    if stream.codec_context is None:
        container.close()
        raise HerdbookError(f"{path} cannot be opened: FFmpeg does not know its video codec. What to do: {REMEDY}.")
    context = stream.codec_context
    if context.width * context.height > MOST_PX:
        container.close()
        raise _too_large(path, context.width, context.height)
    stream.thread_type = "NONE"
    stream.codec_context.thread_count = 1
    return container, stream


def _too_large(path: Path, width: int, height: int) -> HerdbookError:
    return HerdbookError(f"{path} is broken: its header gives an impossible frame size, {width} x {height} px. What to do: {REMEDY}.")


def is_counted(container: Any, stream: Any) -> bool:
    """Whether frames can only be identified by counting from the beginning, because they have no presentation times.

    Raw streams have no times. AVI stores none either: FFmpeg guesses them from the order of decoding, which is right only in streams
    without reordered frames (measured on H.264 in AVI: 6 of the first 8 frames had wrong numbers).
    """
    avi_reorders = container.format.name == "avi" and stream.codec_context.has_b_frames
    return bool(container.format.flags & _NO_TIMESTAMPS or avi_reorders)


def missing_bytes(path: Path) -> int:
    """Number of bytes missing at the end of a movie file, by its outermost structure; 0 if it is complete or of an unknown format.

    This finds files cut between two frames, which a demuxer reads to the end without an error.
    """
    if not path.is_file():
        return 0
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(377)
        if head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"):  # ISO: boxes
            end = 0
            while end < size:
                file.seek(end)
                box = file.read(16).ljust(16, b"\0")
                length = int.from_bytes(box[8:] if box[:4] == b"\0\0\0\1" else box[:4])
                if length < 8:  # 0: up to the end of the file
                    return 0
                end += length
            return end - size
        if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
            end = 0
            while end < size and head[:4] == b"RIFF":
                end += 8 + int.from_bytes(head[4:8], "little")
                end += end % 2
                file.seek(end)
                head = file.read(8)
            return max(end - 1 - size, 0)  # the last padding byte may be absent
        if head[:4] == b"\x1aE\xdf\xa3":  # Matroska: a header element, then one segment
            length, end = _ebml_size(head, 4)
            if head[end + length : end + length + 4] != b"\x18S\x80g":
                return 0
            segment, end = _ebml_size(head, end + length + 4)
            # A size of all ones is unknown: the file was written live.
            return 0 if (segment + 1) & segment == 0 else max(end + segment - size, 0)
        if head[:1] == head[188:189] == head[376:377] == b"G":  # transport stream: packets of 188 bytes
            return -size % 188
    return 0


def _ebml_size(data: bytes, at: int) -> tuple[int, int]:
    """Matroska's variable-length size at a position, and the position after it."""
    width = 9 - data[at].bit_length()
    return int.from_bytes(data[at : at + width]) & ((1 << 7 * width) - 1), at + width


def image_files(folder: Path) -> list[Path]:
    """The folder's images in natural order: image2 before image10."""
    files = [file for file in folder.iterdir() if file.suffix.lower() in IMAGE_CODECS]
    if not files:
        raise HerdbookError(f"{folder} contains no images ({', '.join(IMAGE_CODECS)}); name a folder with images, or a movie file")
    parts = {file: re.split(r"(\d+)", file.name.lower()) for file in files}
    return sorted(files, key=lambda file: [int(part) if part.isdigit() else part for part in parts[file]])


def image_size(file: Path) -> tuple[int, int]:
    """(width, height) of an image file in px, without decoding it."""
    if file.suffix.lower() == ".png":  # FFmpeg would decode the whole image
        with file.open("rb") as opened:
            head = opened.read(24)
        if len(head) == 24 and head[12:16] == b"IHDR":
            width, height = struct.unpack(">II", head[16:])
            if width * height > MOST_PX:
                raise _too_large(file, width, height)
            return width, height
    container, stream = open_video(file)
    with container:
        return stream.codec_context.width, stream.codec_context.height


def decode_image(file: Path) -> Any:
    """The av.VideoFrame of an image file. Raises HerdbookError, which names the file, if it is damaged."""
    data = file.read_bytes()
    codec = IMAGE_CODECS[file.suffix.lower()]
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
