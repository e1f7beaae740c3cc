"""Open movie files, and decode their frames with their numbers."""

from collections.abc import Iterator
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import av
import numpy as np
from av.error import FFmpegError
from av.stream import Disposition
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from herdbook.errors import HerdbookError
from herdbook.movie.frame import Frame, in_eight_bits
from herdbook.movie.orientation import AS_STORED, exchanges_sides

# Without -fps_mode, ffmpeg leaves out frames whose times are too near to each other for the new file.
REMEDY = "copy the file again from its source, or re-encode it (ffmpeg -i FILE -fps_mode passthrough NEWFILE)"

MOST_PX = 1 << 28  # four times 16K; a damaged header may request any amount of memory

_NO_TIMESTAMPS = 0x80  # AVFMT_NOTIMESTAMPS, set for raw streams such as .h264

# Formats that refer to other files or network addresses. They are refused: only files named in the experiment file are read.
_LISTS = ("hls", "concat", "concatf", "dash", "webm_dash_manifest", "imf", "sdp", "rtsp")

# Streams that are not the movie but belong to it, such as a cover.
_BESIDE = Disposition.attached_pic | Disposition.timed_thumbnails

# Decoders that heed for each packet which frames may be skipped. dav1d, for one, reads this once, when it is opened, and then leaves out
# all frames on which no other depends, also those that are asked for.
_SKIPPING = frozenset({"h264", "hevc", "mpeg1video", "mpeg2video", "mpeg4", "vp8", "vp9"})


class FrameTable(Protocol):
    """The frames of a movie, and how they are meant: what every reader of frames obeys. `MovieScan` and the artifact `Index` are such."""

    @property
    def pts(self) -> NDArray[np.int64]:
        """(n,), strictly increasing: by it a frame is identified in its file."""

    @property
    def counted(self) -> bool:
        """Whether `pts` is the number of the frame in the file, which has no usable time stamps."""

    @property
    def every(self) -> int:
        """Only every n-th frame of the file is in the table."""

    @property
    def stream(self) -> int:
        """Number of the video stream in the file."""

    @property
    def width(self) -> int:
        """Width as shown, px."""

    @property
    def height(self) -> int:
        """Height as shown, px."""

    @property
    def orientation(self) -> int:
        """How the stored picture is turned to be shown, see `movie.orientation`."""

    @property
    def bits(self) -> int:
        """Number of bits that values of 16 bits use, 0 for other values."""


class Draft(NamedTuple):
    """A table of frames whose format is not known yet: frames are read as they are stored, of any size."""

    pts: NDArray[np.int64]
    counted: bool = False
    stream: int = 0
    every: int = 1
    width: int = 0
    height: int = 0
    orientation: int = AS_STORED
    bits: int = 0


def stored_size(table: FrameTable) -> tuple[int, int]:
    """(width, height) in px of the frames of a table as they are stored; (0, 0) if it is not known yet."""
    size = (table.width, table.height)
    return size[::-1] if exchanges_sides(table.orientation) else size


class Decoder:
    """Decoded frames of a movie file with their numbers, beginning at any frame.

    Frames on which no other depends are left out if their time stamps are not in `sampled`. `threads`: number of decoder threads.
    """

    def __init__(self, path: Path, table: FrameTable, sampled: frozenset[int] | None = None, threads: int = 1) -> None:
        self._path = path
        self._table, self._pts = table, table.pts
        self._sampled, self._threads = sampled, threads
        self._whole_from: int | None = None
        self._reformatter = VideoReformatter()
        self._size = stored_size(table)
        self._fault = ""
        self._open()

    def _open(self) -> None:
        self._container, self._stream = open_video(self._path, self._table.stream)
        if self._threads > 1:
            self._stream.thread_type = "FRAME"
            self._stream.codec_context.thread_count = self._threads
        self._counted = self._table.counted or is_counted(self._container, self._stream)
        self._unread = True

    def close(self) -> None:
        """Close the file."""
        self._container.close()

    def start_at(self, index: int, whole_from: int = 0) -> int:
        """Seek to a keyframe at or before frame `index`; return the number of this keyframe.

        Of the frames before `whole_from`, those on which no other depends may be left out, which saves their decoding.
        """
        self._whole_from = int(self._pts[whole_from]) if whole_from else None
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
        pts, index = self._pts, 0
        first = pts[0] if self._counted or self._first_pts is None else max(pts[0], self._first_pts)
        for count, frame in enumerate(self._decoded()):
            stamp = count if self._counted else frame.pts
            # Frames displayed before the first keyframe depend on frames that were not decoded.
            if stamp is None or stamp < first:
                continue
            if stamp > pts[-1]:
                return
            if index >= len(pts) or pts[index] != stamp:
                index = int(np.searchsorted(pts, stamp))
                if pts[index] != stamp:
                    if self._table.every > 1:
                        continue
                    self._fault = f"the movie has a frame at pts {stamp} that is not in its frame table"
                    return
            yield index, frame
            index += 1

    def _decoded(self) -> Iterator[Any]:
        context = self._stream.codec_context
        can_skip = not self._counted and context.name in _SKIPPING
        sampled, whole_from = (self._sampled, self._whole_from) if can_skip else (None, None)
        try:
            for packet in self._packets:
                if sampled is not None:
                    context.skip_frame = "DEFAULT" if packet.pts in sampled else "NONREF"
                elif whole_from is not None:
                    early = packet.pts is not None and packet.pts < whole_from
                    context.skip_frame = "NONREF" if early else "DEFAULT"
                yield from packet.decode()
        except FFmpegError as error:
            self._fault = f"decoding fails ({error.strerror or error})"
            # The decoder may still hold good frames, waiting for later ones.
            with suppress(FFmpegError):
                yield from context.decode(None)

    def checked(self, expected: int, index: int, frame: Any) -> Frame:
        """`frame` as a `Frame`. Raises HerdbookError unless it is the expected one, complete, and of the size of the movie."""
        size = (frame.width, frame.height)
        if index != expected:
            raise self.missing(expected)
        if frame.is_corrupt:
            raise self.missing(expected, "its data are damaged")
        if size != self._size:
            raise self.missing(expected, f"the frame size changes from {self._size} to {size}")
        try:
            return Frame(index, in_eight_bits(frame, self._table.bits), self._reformatter, self._table.orientation)
        except OverflowError as error:
            raise HerdbookError(f"{self._path}: frame {index}: {error}") from error

    def missing(self, index: int, reason: str = "") -> HerdbookError:
        """The error for a frame that cannot be read, with the reason."""
        seconds = float((self._pts[index] - self._pts[0]) * self._stream.time_base)
        when = "" if self._counted else f" (at {seconds:.3f} s)"
        reason = reason or self._fault or "the movie does not contain it"
        return HerdbookError(f"{self._path}: no frame {index}{when}: {reason}. What to do: {REMEDY}.")


def open_video(path: Path, number: int | None = 0) -> tuple[Any, Any]:
    """The container and its video stream of this number (None: the only one), set to decode in one thread.

    Raises HerdbookError if the file cannot be used, or has no such stream. Pictures that belong to a movie, such as its cover, count among
    the streams, but are never the only one beside another.
    """
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
    try:
        stream = _chosen_stream(path, container, number)
    except HerdbookError:
        container.close()
        raise
    stream.thread_type = "NONE"
    stream.codec_context.thread_count = 1
    return container, stream


def _chosen_stream(path: Path, container: Any, number: int | None) -> Any:
    if container.format.name in _LISTS:
        raise HerdbookError(f"{path} is not a movie but a list of other files ({container.format.name}); name the movies themselves.")
    streams = container.streams.video
    if not streams or container.format.name == "tty":
        raise HerdbookError(f"{path} contains no video stream; name a movie file or a folder of images")
    if number is None:
        movies = [k for k, stream in enumerate(streams) if not stream.disposition & _BESIDE] or [0]
        if len(movies) > 1:
            found = "; ".join(f"{k}: {_described(streams[k])}" for k in movies)
            raise HerdbookError(f"{path} has {len(movies)} video streams ({found}). Say which is meant: movies[].stream: {movies[0]}")
        number = movies[0]
    if number >= len(streams):
        found = "; ".join(f"{k}: {_described(stream)}" for k, stream in enumerate(streams))
        raise HerdbookError(f"{path} has no video stream {number} (movies[].stream), but {found}")
    stream = streams[number]
    if stream.codec_context is None:
        raise HerdbookError(f"{path} cannot be opened: FFmpeg does not know its video codec. What to do: {REMEDY}.")
    context = stream.codec_context
    if context.width * context.height > MOST_PX:
        raise too_large(path, context.width, context.height)
    return stream


def _described(stream: Any) -> str:
    context = stream.codec_context
    return "an unknown codec" if context is None else f"{context.width} x {context.height} px, {context.name}"


def too_large(path: Path, width: int, height: int) -> HerdbookError:
    """The error for a file whose header gives a size that no movie has, in px."""
    return HerdbookError(f"{path} is broken: its header gives an impossible frame size, {width} x {height} px. What to do: {REMEDY}.")


def is_counted(container: Any, stream: Any) -> bool:
    """Whether frames can only be identified by counting from the beginning, because they have no presentation times.

    Raw streams have no times. AVI stores none either: FFmpeg guesses them from the order of decoding, which is right only in streams
    without reordered frames (measured on H.264 in AVI: 6 of the first 8 frames had wrong numbers).
    """
    avi_reorders = container.format.name == "avi" and stream.codec_context.has_b_frames
    return bool(container.format.flags & _NO_TIMESTAMPS or avi_reorders)
