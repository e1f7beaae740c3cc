"""Movies and image folders: which frames they hold, and those frames, each under its right number.

A frame is known by its presentation time stamp (pts), never by counting from wherever a seek happened to land, and
what a container's header promises is never believed. Images are (row, col[, channel]), colour is BGR, dtype uint8.
"""

import re
import struct
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from av.error import FFmpegError
from av.video.reformatter import VideoReformatter
from numba import njit
from numpy.typing import NDArray

from herdbook.errors import HerdbookError

_REMEDY = "copy the file again from its source, or re-encode it (ffmpeg -i FILE NEWFILE)"
_NO_TIMESTAMPS = 0x80  # AVFMT_NOTIMESTAMPS, set for raw streams such as .h264
_MAX_REORDER = 16  # the most frames that H.264 and HEVC may hold back
_FULL_RANGE = 2  # AVCOL_RANGE_JPEG
_IMAGE_CODECS = {
    **{".png": "png", ".jpg": "mjpeg", ".jpeg": "mjpeg", ".pgm": "pgm", ".bmp": "bmp"},
    **{".tif": "tiff", ".tiff": "tiff"},
}
# log2 of the chroma subsampling (rows, cols) of the formats whose patches are computed from the planes.
_CHROMA_SHIFTS = {
    **{"yuv420p": (1, 1), "yuv422p": (0, 1), "yuv444p": (0, 0)},
    **{"yuvj420p": (1, 1), "yuvj422p": (0, 1), "yuvj444p": (0, 0)},
}
_Packet = tuple[int | None, int | None, bool, bool]  # pts, dts, keyframe, discard
# Weights of red and blue in luma by AVColorSpace; movies that name none are taken as BT.601, as swscale does.
_LUMA_WEIGHTS = {1: (0.2126, 0.0722), 4: (0.30, 0.11), 7: (0.212, 0.087), 9: (0.2627, 0.0593)}


@dataclass(frozen=True)
class MovieScan:
    """What a movie holds, one entry per displayed frame in display order.

    `pts` int64 (n,), in units of the stream's time base, strictly increasing; `time_s` float64 (n,), from the first
    frame; `keyframe` bool (n,). `fps` is the average rate. `grey`: the pixel format has no chroma. `full_range`: luma
    runs from 0 to 255 rather than from 16 to 235.
    """

    pts: NDArray[np.int64]
    time_s: NDArray[np.float64]
    keyframe: NDArray[np.bool_]
    width: int
    height: int
    fps: float
    codec: str
    pixel_format: str
    grey: bool
    full_range: bool

    @property
    def n_frames(self) -> int:
        """Number of displayed frames."""
        return len(self.pts)


class Frame:
    """One decoded frame; `index` is its number in display order.

    The arrays are made when asked for, so that a stage which needs luma and a few patches pays for no conversion.
    """

    __slots__ = ("_bgr", "_frame", "_reformatter", "index")

    def __init__(self, index: int, frame: Any, reformatter: Any) -> None:
        self.index = index
        self._frame = frame
        self._reformatter = reformatter  # shared by the frames of a reader: building its tables costs more than a use
        self._bgr: NDArray[np.uint8] | None = None

    @property
    def luma(self) -> NDArray[np.uint8]:
        """The Y plane, uint8 (height, width), read-only view of the decoder's memory where it has 8 bits.

        More bits are shifted down to 8; formats without a luma plane of their own are converted to full-range grey.
        """
        bits = _luma_bits(self._frame)
        if bits == 8:
            return _plane(self._frame, 0)
        if bits:
            return (_plane(self._frame, 0, np.uint16) >> (bits - 8)).astype(np.uint8)
        return self._converted("gray")

    def grey(self) -> NDArray[np.uint8]:
        """uint8 (height, width): exactly rgb24 -> cv2.COLOR_RGB2GRAY, the grey that LK-RSTC is defined on."""
        if self._has_grey_table():
            grey: NDArray[np.uint8] = cv2.LUT(self.luma, self._grey_table())
            return grey
        return np.asarray(cv2.cvtColor(self._converted("rgb24"), cv2.COLOR_RGB2GRAY), dtype=np.uint8)

    def bgr(self) -> NDArray[np.uint8]:
        """uint8 (height, width, 3)."""
        if self._bgr is None:
            self._bgr = self._converted("bgr24")
        return self._bgr

    def bgr_patch(self, x0: int, y0: int, x1: int, y1: int) -> NDArray[np.uint8]:
        """Columns x0 <= x < x1 of rows y0 <= y < y1, uint8 (y1 - y0, x1 - x0, 3), without converting the frame.

        Chroma comes from the nearest sample, so a pixel beside a chroma edge may differ from `bgr()`; others agree
        within 2 grey levels. Raises ValueError when the patch is not inside the frame.
        """
        if not (0 <= x0 < x1 <= self._frame.width and 0 <= y0 < y1 <= self._frame.height):
            size = f"{self._frame.width}x{self._frame.height}"
            raise ValueError(f"patch x {x0}..{x1}, y {y0}..{y1} is not inside the {size} frame")
        name = self._frame.format.name
        if name == "gray":
            return np.repeat(self.luma[y0:y1, x0:x1, None], 3, axis=2)
        if name not in _CHROMA_SHIFTS or _luma_bits(self._frame) != 8:
            return self.bgr()[y0:y1, x0:x1]
        blue, red = _plane(self._frame, 1), _plane(self._frame, 2)
        terms = _chroma_terms(self._frame.colorspace, _is_full_range(self._frame))
        box = (x0, y0, x1, y1)
        planes = (self.luma, blue, red)
        patch: NDArray[np.uint8] = _yuv_patch(*planes, self._grey_table(), terms, *_CHROMA_SHIFTS[name], *box)
        return patch

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
        # swscale dithers limited-range movies with subsampled chroma and an odd number of rows: no table fits those.
        if self._frame.height % 2 and not _is_full_range(self._frame) and _CHROMA_SHIFTS[name] != (0, 0):
            return False
        return bool((_plane(self._frame, 1) == 128).all() and (_plane(self._frame, 2) == 128).all())


def luma_to_grey_lut(full_range: bool) -> NDArray[np.uint8]:
    """Grey level of each luma value in a movie without colour, uint8 (256,): exactly what `Frame.grey` gives."""
    return _grey_table("yuv420p", _FULL_RANGE if full_range else 1, 2).copy()


def grey_to_luma_difference(difference: float, full_range: bool) -> float:
    """A difference of grey levels in units of luma, which spans only 219 steps in limited range."""
    return difference if full_range else difference * 219 / 255


def scan_movie(path: Path, on_broken: str = "stop", fps: float | None = None) -> MovieScan:
    """List the displayed frames of a movie file or a folder of images, and check that the file is whole.

    Packets are read, not decoded, but for those after the last keyframe. `on_broken`: "stop" raises HerdbookError for
    a broken movie, "keep" cuts the table after its last good frame (HerdbookError only when there is none). `fps` is
    the rate of an image folder (default 25, pts = index, files in natural order of their names); a movie file has
    its own.
    """
    if on_broken not in ("stop", "keep"):
        raise ValueError(f"on_broken is {on_broken!r}, expected 'stop' or 'keep'")
    scan, fault = _scan_folder(path, fps or 25.0) if path.is_dir() else _scan_file(path)
    if fault and on_broken == "stop":
        last = f"the last good frame is {scan.n_frames - 1}, at {scan.time_s[-1]:.3f} s"
        keep = "or keep the frames up to there (on_broken: keep)"
        raise HerdbookError(f"{path} is broken: {fault}; {last}. What to do: {_REMEDY}, {keep}.")
    return scan


def read_frames(path: Path, pts: NDArray[np.int64], start: int = 0, stop: int | None = None) -> Iterator[Frame]:
    """Frames start .. stop - 1 (stop: default all) of the movie whose `MovieScan.pts` is `pts`, each exactly once.

    Decoding begins at a keyframe at or before `start`, in one thread. Raises HerdbookError that names file and frame
    when a frame cannot be decoded, is missing, or is not in the table. Frames past the table's end are not read: a
    table of a broken movie is shorter than the movie.
    """
    stop = len(pts) if stop is None else stop
    if not 0 <= start <= stop <= len(pts):
        raise HerdbookError(f"{path} holds frames 0..{len(pts) - 1}; frames {start}..{stop - 1} were asked for")
    if start == stop:
        return
    if path.is_dir():
        yield from _read_images(path, len(pts), range(start, stop))
        return
    with closing(_Decoder(path, pts)) as decoder:
        decoder.start_at(start)
        expected = start
        for index, frame in decoder.frames():
            if index < start:
                continue
            yield decoder.checked(expected, index, frame)
            expected += 1
            if expected == stop:
                return
        raise decoder.missing(expected)


def read_frame_samples(path: Path, pts: NDArray[np.int64], indices: Sequence[int]) -> Iterator[Frame]:
    """The frames at the strictly increasing `indices` only, by the same rules as `read_frames`.

    The reader jumps where a keyframe lies between two of them, and does not decode frames that no other refers to.
    """
    wanted = np.asarray(indices, dtype=np.int64)
    if (np.diff(wanted) <= 0).any():
        raise ValueError("the indices of sampled frames must be strictly increasing")
    if len(wanted) and not 0 <= wanted[0] <= wanted[-1] < len(pts):
        asked = f"frames {wanted[0]}..{wanted[-1]} were asked for"
        raise HerdbookError(f"{path} holds frames 0..{len(pts) - 1}; {asked}")
    if path.is_dir():
        yield from _read_images(path, len(pts), wanted.tolist())
        return
    if not len(wanted):
        return
    sampled = frozenset(pts[wanted].tolist())
    with closing(_Decoder(path, pts, sampled)) as decoder, closing(_Decoder(path, pts)) as scout:
        frames: Iterator[tuple[int, Any]] = iter(())
        last = -1
        for target in wanted.tolist():
            if last < 0 or (target > last + 1 and scout.start_at(target) > last):
                decoder.start_at(target)
                frames = decoder.frames()
            found = next((numbered for numbered in frames if numbered[0] >= target), None)
            if found is None:
                raise decoder.missing(target)
            yield decoder.checked(target, *found)
            last = target


class _Decoder:
    """Decoded frames of a movie file with their numbers, from any frame on."""

    def __init__(self, path: Path, pts: NDArray[np.int64], sampled: frozenset[int] | None = None) -> None:
        self._path = path
        self._pts = pts
        self._sampled = sampled
        self._reformatter = VideoReformatter()
        self._size: tuple[int, int] | None = None
        self._fault = ""
        self._open()

    def _open(self) -> None:
        self._container, self._stream = _open_video(self._path)
        self._counted = _is_counted(self._container, self._stream)

    def close(self) -> None:
        self._container.close()

    def start_at(self, index: int) -> int:
        """Go to a keyframe at or before frame `index`; return that keyframe's number."""
        back = 0
        while not self._counted and index > back:
            with suppress(FFmpegError):
                self._container.seek(int(self._pts[index - back]), stream=self._stream, backward=True)
                self._find_keyframe()
                if self._first_pts is not None and self._first_pts <= self._pts[index]:
                    return max(int(np.searchsorted(self._pts, self._first_pts, side="right")) - 1, 0)
            back = max(8 * back, 1)  # landed late, as transport streams do: try earlier
        self.close()
        self._open()
        self._find_keyframe()
        return 0

    def _find_keyframe(self) -> None:
        packets = self._container.demux(self._stream)
        first = next((p for p in packets if p.size and p.is_keyframe), None)
        self._first_pts = None if first is None else first.pts
        self._packets = packets if first is None else chain([first], packets)

    def frames(self) -> Iterator[tuple[int, Any]]:
        """(number, av.VideoFrame) in the order they come; ends early, with a reason for `missing`, at a fault."""
        if self._counted:
            yield from enumerate(self._decoded())
            return
        pts, index = self._pts, 0
        for frame in self._decoded():
            stamp = frame.pts
            # Frames before the first keyframe in display order lean on frames that were not decoded.
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
            # Good frames may still wait in the decoder for others that come after them.
            with suppress(FFmpegError):
                yield from context.decode(None)

    def checked(self, expected: int, index: int, frame: Any) -> Frame:
        """`frame` as a `Frame` when it is the expected one, whole, and of the same size as those before."""
        size = (frame.width, frame.height)
        self._size = self._size or size
        if index != expected:
            raise self.missing(expected)
        if frame.is_corrupt:
            raise self.missing(expected, "its data are damaged")
        if size != self._size:
            raise self.missing(expected, f"the frame size changes from {self._size} to {size}")
        return Frame(index, frame, self._reformatter)

    def missing(self, index: int, why: str = "") -> HerdbookError:
        """The error that says why frame `index` cannot be had."""
        seconds = float((self._pts[index] - self._pts[0]) * self._stream.time_base)
        when = "" if self._counted else f" (at {seconds:.3f} s)"
        why = why or self._fault or "the movie does not yield it"
        return HerdbookError(f"{self._path}: no frame {index}{when}: {why}. What to do: {_REMEDY}.")


def _open_video(path: Path) -> tuple[Any, Any]:
    """The container and its first video stream, set to decode in one thread."""
    if not path.is_file():
        raise HerdbookError(f"{path}: there is no such movie file; correct the path in the experiment file")
    if not path.stat().st_size:
        raise HerdbookError(f"{path} is broken: the file is empty. What to do: {_REMEDY}.")
    try:
        container = av.open(str(path))
    except FFmpegError as error:
        why = "it is no movie, or its index is missing because recording or copying stopped early"
        said = error.strerror or error
        raise HerdbookError(f"{path} cannot be opened: {why} ({said}). What to do: {_REMEDY}.") from error
    if not container.streams.video or container.format.name == "tty":
        container.close()
        raise HerdbookError(f"{path} holds no video stream; name a movie file or a folder of images")
    stream = container.streams.video[0]
    stream.thread_type = "NONE"
    stream.codec_context.thread_count = 1
    return container, stream


def _is_counted(container: Any, stream: Any) -> bool:
    """Whether frames can only be told by counting from the beginning, for want of presentation times.

    Raw streams have no times. AVI stores none either: FFmpeg's guesses there are those of decoding, which name the
    right frame only in streams that do not reorder (measured on H.264 in AVI: 5 of the first 8 frames misnamed).
    """
    avi_reorders = container.format.name == "avi" and stream.codec_context.has_b_frames
    return bool(container.format.flags & _NO_TIMESTAMPS or avi_reorders)


def _scan_file(path: Path) -> tuple[MovieScan, str]:
    """The table up to the last good frame, and what is wrong after it ("" if nothing)."""
    lost = _missing_bytes(path)
    fault = f"the file is cut short, {lost} bytes are missing" if lost else ""
    container, stream = _open_video(path)
    with container:
        counted = _is_counted(container, stream)
        packets: list[_Packet] = []
        corrupt: list[bool] = []
        try:
            for packet in container.demux(stream):
                if packet.size:
                    packets.append((packet.pts, packet.dts, packet.is_keyframe, packet.is_discard))
                    corrupt.append(packet.is_corrupt)
        except FFmpegError as error:
            fault = fault or f"reading fails ({error.strerror or error})"
        while corrupt and corrupt[-1]:
            fault = fault or "its last data are damaged"
            corrupt.pop()
        del packets[len(corrupt) :]
        tick_s, rate = float(stream.time_base), float(stream.average_rate or 0)
        codec = stream.codec_context.name
    if not any(key for _, _, key, _ in packets):
        raise HerdbookError(f"{path} is broken: it holds no frame that can be decoded. What to do: {_REMEDY}.")

    pts, keyframe = _count_frames(packets) if counted else _order_frames(path, packets)
    if fault:
        # What is lost may belong between the last frames that are left, which would shift their numbers.
        times = [dts for _, dts, _, _ in packets if dts is not None]
        kept = len(pts) - _MAX_REORDER if counted else np.searchsorted(pts, max(times), "right") if times else 0
        pts = pts[: max(kept, 0)]
    n_good, frame = _decode_tail(path, pts, keyframe, counted) if len(pts) else (0, None)
    if frame is None:
        fault = fault or "decoding fails"
        raise HerdbookError(f"{path} is broken: {fault}; no frame is good. What to do: {_REMEDY}.")
    if n_good < len(pts):
        fault = fault or "its last frames cannot be decoded"
    pts = pts[:n_good]

    if packets[0][1] is None and counted:
        tick_s = 1 / (rate or 25.0)
    time_s = (pts - pts[0]) * tick_s
    measured = (n_good - 1) / float(time_s[-1]) if n_good > 1 else rate
    return MovieScan(
        pts=pts,
        time_s=time_s,
        keyframe=keyframe[:n_good],
        width=frame.width,
        height=frame.height,
        # The stated rate is exact (30000/1001) where the time stamps round, but often states something else.
        fps=rate if abs(rate - measured) <= 0.01 * measured else measured,
        codec=codec,
        pixel_format=frame.format.name,
        grey=frame.format.name.startswith("gray"),
        full_range=_is_full_range(frame),
    ), fault


def _order_frames(path: Path, packets: list[_Packet]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """pts and keyframe flags in display order."""
    # Frames shown before the first keyframe lean on others that the file does not hold. A keyframe that an edit list
    # hides counts: the frames after it can be decoded.
    first = min(pts for pts, _, key, _ in packets if key and pts is not None)
    shown = [(pts, key) for pts, _, key, discard in packets if not discard and (pts is None or pts >= first)]
    if any(pts is None for pts, _ in shown) or len({pts for pts, _ in shown}) < len(shown):
        remux = "write them anew: ffmpeg -fflags +genpts -i FILE NEWFILE"
        raise HerdbookError(f"{path}: frames without a time stamp, or several with the same one; {remux}")
    shown.sort()
    return np.array([pts for pts, _ in shown], dtype=np.int64), np.array([key for _, key in shown], dtype=bool)


def _count_frames(packets: list[_Packet]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Decoding times, or running numbers where there are none, in place of the missing pts."""
    timeless = packets[0][1] is None
    pts = [number if timeless else dts for number, (_, dts, _, _) in enumerate(packets)]
    return np.array(pts, dtype=np.int64), np.array([key for _, _, key, _ in packets], dtype=bool)


def _decode_tail(path: Path, pts: NDArray[np.int64], keyframe: NDArray[np.bool_], counted: bool) -> tuple[int, Any | None]:
    """Number of frames up to the last good one, and that one, from decoding what follows the last keyframe.

    When nothing after a keyframe is good, the keyframe before is tried.
    """
    # Frame 0 in any case: an edit list may begin between two keyframes.
    starts = [0] if counted else [*np.flatnonzero(keyframe[1 : len(pts)])[::-1] + 1, 0]
    stop = len(pts)
    for start in starts:
        n_good, last = start, None
        with closing(_Decoder(path, pts)) as decoder:
            decoder.start_at(start)
            for index, frame in decoder.frames():
                if index < start:
                    continue
                if index != n_good or frame.is_corrupt:
                    break
                n_good, last = n_good + 1, frame
                if n_good == stop:
                    break
        if last is not None:
            return n_good, last
        stop = start
    return 0, None


def _missing_bytes(path: Path) -> int:
    """How many bytes a movie file lacks by its outermost structure; 0 when whole or of an unknown kind.

    It tells of files cut between two frames, which a demuxer reads to the end in silence.
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
            segment, end = _ebml_size(head, end + length + 4)
            # A size of all ones: written live, open ended.
            return 0 if (segment + 1) & segment == 0 else max(end + segment - size, 0)
        if head[:1] == head[188:189] == head[376:377] == b"G":  # transport stream: packets of 188 bytes
            return -size % 188
    return 0


def _ebml_size(data: bytes, at: int) -> tuple[int, int]:
    """Matroska's variable-length size at a position, and the position behind it."""
    width = 9 - data[at].bit_length()
    return int.from_bytes(data[at : at + width]) & ((1 << 7 * width) - 1), at + width


def _scan_folder(path: Path, fps: float) -> tuple[MovieScan, str]:
    files = _image_files(path)
    sizes = [_image_size(file) for file in files]
    for file, size in zip(files, sizes, strict=True):
        if size != sizes[0]:
            raise HerdbookError(f"{file} is {size}, {files[0].name} is {sizes[0]}: all images must be of one size")
    n, fault = len(files), ""
    try:
        frame = _decode_image(files[-1])
    except HerdbookError as error:
        if n == 1:
            raise
        n, fault = n - 1, str(error)
        frame = _decode_image(files[-2])
    return MovieScan(
        pts=np.arange(n, dtype=np.int64),
        time_s=np.arange(n) / fps,
        keyframe=np.ones(n, dtype=bool),
        width=frame.width,
        height=frame.height,
        fps=fps,
        codec=_IMAGE_CODECS[files[0].suffix.lower()],
        pixel_format=frame.format.name,
        grey=frame.format.name.startswith("gray"),
        full_range=_is_full_range(frame),
    ), fault


def _image_files(folder: Path) -> list[Path]:
    """The folder's images in natural order: image2 before image10."""
    files = [file for file in folder.iterdir() if file.suffix.lower() in _IMAGE_CODECS]
    if not files:
        raise HerdbookError(f"{folder} holds no images ({', '.join(_IMAGE_CODECS)})")
    parts = {file: re.split(r"(\d+)", file.name.lower()) for file in files}
    return sorted(files, key=lambda file: [int(part) if part.isdigit() else part for part in parts[file]])


def _image_size(file: Path) -> tuple[int, int]:
    """(width, height) without decoding."""
    if file.suffix.lower() == ".png":  # FFmpeg would decode the whole image
        with file.open("rb") as opened:
            head = opened.read(24)
        if len(head) == 24 and head[12:16] == b"IHDR":
            width, height = struct.unpack(">II", head[16:])
            return width, height
    container, stream = _open_video(file)
    with container:
        return stream.codec_context.width, stream.codec_context.height


def _decode_image(file: Path) -> Any:
    data = file.read_bytes()
    codec = _IMAGE_CODECS[file.suffix.lower()]
    fault = ""
    # FFmpeg fills up a JPEG that lacks its end in silence.
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
    raise HerdbookError(f"{file} cannot be decoded ({fault or 'no image in it'}). What to do: {_REMEDY}.")


def _read_images(folder: Path, n_frames: int, indices: Iterable[int]) -> Iterator[Frame]:
    files = _image_files(folder)
    if len(files) < n_frames:
        raise HerdbookError(f"{folder} holds {len(files)} images, its frame table {n_frames}; scan it again")
    reformatter, size = VideoReformatter(), None
    for index in indices:
        frame = _decode_image(files[index])
        size = size or (frame.width, frame.height)
        if (frame.width, frame.height) != size:
            found = f"{frame.width}x{frame.height}"
            raise HerdbookError(f"{files[index]} is {found}, expected {size}: all images must be of one size")
        yield Frame(index, frame, reformatter)


def _luma_bits(frame: Any) -> int:
    """Bits per luma sample when plane 0 holds luma and nothing else, low byte first; else 0."""
    name = frame.format.name
    planar = name.startswith(("gray", "yuv4", "yuvj4", "yuva4", "nv12", "nv16", "nv21"))
    if not planar or name.endswith("be") or name.startswith("grayf") or frame.planes[0].line_size < 0:
        return 0
    return int(frame.format.components[0].bits)


def _plane(frame: Any, number: int, dtype: type[np.unsignedinteger[Any]] = np.uint8) -> NDArray[Any]:
    """A plane as a view without its padding; read-only, since the decoder predicts later frames from it."""
    plane = frame.planes[number]
    view = np.frombuffer(plane, dtype).reshape(plane.height, -1)[:, : plane.width]
    view.flags.writeable = False
    return view


def _is_full_range(frame: Any) -> bool:
    """Whether `Frame.luma` runs from 0 to 255; grey formats and converted ones do."""
    name = frame.format.name
    return name.startswith(("yuvj", "gray")) or frame.color_range == _FULL_RANGE or not _luma_bits(frame)


@lru_cache
def _grey_table(pixel_format: str, color_range: int, colorspace: int) -> NDArray[np.uint8]:
    """Grey of each luma value at neutral chroma, uint8 (256,), from the conversion that it stands for."""
    ramp = av.VideoFrame(256, 2, pixel_format)
    for number, plane in enumerate(ramp.planes):
        values = np.frombuffer(plane, np.uint8).reshape(plane.height, -1)
        values[:, : plane.width] = np.arange(256) if number == 0 else 128
    ramp.color_range, ramp.colorspace = color_range, colorspace
    table: NDArray[np.uint8] = cv2.cvtColor(ramp.to_ndarray(format="rgb24"), cv2.COLOR_RGB2GRAY)[0]
    table.flags.writeable = False
    return table


@lru_cache
def _chroma_terms(colorspace: int, full_range: bool) -> NDArray[np.float32]:
    """What one step of chroma adds: (blue from U, green from U, green from V, red from V), float32 (4,)."""
    red, blue = _LUMA_WEIGHTS.get(colorspace, (0.299, 0.114))
    green = 1 - red - blue
    of_v, of_u = 2 * (1 - red), 2 * (1 - blue)
    terms = np.array([of_u, -of_u * blue / green, -of_v * red / green, of_v])
    return (terms if full_range else terms * 255 / 224).astype(np.float32)


@njit(cache=True, nogil=True)
def _yuv_patch(luma, u, v, grey, terms, row_shift, col_shift, x0, y0, x1, y1):  # type: ignore[no-untyped-def]
    patch = np.empty((y1 - y0, x1 - x0, 3), np.uint8)
    for y in range(y0, y1):
        for x in range(x0, x1):
            level = grey[luma[y, x]] + 0.5
            cb = np.int32(u[y >> row_shift, x >> col_shift]) - 128
            cr = np.int32(v[y >> row_shift, x >> col_shift]) - 128
            blue = level + terms[0] * cb
            green = level + terms[1] * cb + terms[2] * cr
            red = level + terms[3] * cr
            patch[y - y0, x - x0, 0] = np.uint8(min(max(blue, 0.0), 255.0))
            patch[y - y0, x - x0, 1] = np.uint8(min(max(green, 0.0), 255.0))
            patch[y - y0, x - x0, 2] = np.uint8(min(max(red, 0.0), 255.0))
    return patch
