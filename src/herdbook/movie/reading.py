"""Movies and folders of images: the table of their frames, and the frames themselves, each with its exact number.

A frame is identified by its presentation time stamp (pts), never by counting from the position of a seek, and the number of frames in the
header of a container is never used. Images are (row, col[, channel]), colour is BGR, dtype uint8.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from av.error import FFmpegError
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from herdbook.errors import HerdbookError
from herdbook.movie.decoding import (
    IMAGE_CODECS,
    REMEDY,
    Decoder,
    decode_image,
    image_files,
    image_size,
    is_counted,
    missing_bytes,
    open_video,
)
from herdbook.movie.frame import Frame, is_full_range

_MAX_REORDER = 16  # largest number of frames that H.264 and HEVC may reorder
_Packet = tuple[int | None, int | None, bool, bool]  # pts, dts, keyframe, discard


@dataclass(frozen=True)
class MovieScan:
    """The table of a movie's frames, with one entry per displayed frame in display order, and the format of the movie.

    `pts` int64 (n,), in units of the stream's time base, strictly increasing; `time_s` float64 (n,), from the first frame; `keyframe` bool
    (n,): decoding can begin there. `fps`: average rate, 1/s. `grey`: the pixel format has no chroma. `full_range`: luma ranges from 0 to
    255 instead of 16 to 235.
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


def scan_movie(path: Path, on_broken: str = "stop", fps: float | None = None) -> MovieScan:
    """List the displayed frames of a movie file or a folder of images, and check that the file is complete.

    Packets are read but not decoded, except those after the last keyframe. `on_broken`: "stop" raises HerdbookError for a broken movie,
    "keep" ends the table at its last good frame (HerdbookError only if there is none). `fps` is the rate of a folder of images (default 25,
    pts = index, files in natural order of their names); for a movie file it is not used.
    """
    if on_broken not in ("stop", "keep"):
        raise ValueError(f"on_broken is {on_broken!r}, expected 'stop' or 'keep'")
    scan, fault = _scan_folder(path, fps or 25.0) if path.is_dir() else _scan_file(path)
    if fault and on_broken == "stop":
        last = f"the last good frame is {scan.n_frames - 1}, at {scan.time_s[-1]:.3f} s"
        keep = "or keep the frames up to this one (on_broken: keep)"
        raise HerdbookError(f"{path} is broken: {fault}; {last}. What to do: {REMEDY}, {keep}.")
    return scan


def read_frames(path: Path, pts: NDArray[np.int64], start: int = 0, stop: int | None = None) -> Iterator[Frame]:
    """Frames start .. stop - 1 (stop None: to the last) of the movie whose `MovieScan.pts` is `pts`, each exactly once.

    Decoding begins at a keyframe at or before `start`, in one thread. Raises HerdbookError, which names file and frame, if a frame cannot
    be decoded, is missing, or is not in the table. Frames after the end of the table are not read: the table of a broken movie is shorter
    than the movie.
    """
    stop = len(pts) if stop is None else stop
    if not 0 <= start <= stop <= len(pts):
        raise HerdbookError(f"{path} has frames 0..{len(pts) - 1}; frames {start}..{stop - 1} were requested")
    if start == stop:
        return
    if path.is_dir():
        yield from _read_images(path, len(pts), range(start, stop))
        return
    with closing(Decoder(path, pts)) as decoder:
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


class MovieReader:
    """Reads one interval of frames after another, as `read_frames`; there is no seek if an interval begins where the last one ended."""

    def __init__(self, path: Path, pts: NDArray[np.int64]) -> None:
        self._path, self._pts = path, pts
        self._ahead: Iterator[Frame] = iter(())
        self._next = -1

    def frames(self, start: int, stop: int) -> Iterator[Frame]:
        """Frames start .. stop - 1."""
        if start != self._next:
            self._ahead = read_frames(self._path, self._pts, start)
        self._next = start
        while self._next < stop:
            frame = next(self._ahead)
            self._next += 1
            yield frame


def read_frame_samples(path: Path, pts: NDArray[np.int64], indices: Sequence[int]) -> Iterator[Frame]:
    """The frames at the strictly increasing `indices` only; errors are those of `read_frames`.

    The reader seeks if there is a keyframe between two of them, and does not decode other frames on which no frame depends.
    """
    wanted = np.asarray(indices, dtype=np.int64)
    if (np.diff(wanted) <= 0).any():
        raise ValueError("the indices of sampled frames must be strictly increasing")
    if len(wanted) and not 0 <= wanted[0] <= wanted[-1] < len(pts):
        raise HerdbookError(f"{path} has frames 0..{len(pts) - 1}; frames {wanted[0]}..{wanted[-1]} were requested")
    if path.is_dir():
        yield from _read_images(path, len(pts), wanted.tolist())
        return
    if not len(wanted):
        return
    sampled = frozenset(pts[wanted].tolist())
    with closing(Decoder(path, pts, sampled)) as decoder, closing(Decoder(path, pts)) as scout:
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


def _scan_file(path: Path) -> tuple[MovieScan, str]:
    """The table up to the last good frame, and the fault after it ("" for none)."""
    lost = missing_bytes(path)
    fault = f"the file is cut short, {lost} bytes are missing" if lost else ""
    container, stream = open_video(path)
    with container:
        counted = is_counted(container, stream)
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
        raise HerdbookError(f"{path} is broken: it contains no frame that can be decoded. What to do: {REMEDY}.")

    pts, keyframe = _count_frames(packets) if counted else _order_frames(path, packets)
    if fault and not counted:
        # Lost frames may belong between the last frames that are left, and would shift their numbers.
        times = [dts for _, dts, _, _ in packets if dts is not None]
        pts = pts[: np.searchsorted(pts, max(times), "right") if times else 0]
    n_good, frame = _decode_tail(path, pts, keyframe, counted) if len(pts) else (0, None)
    if frame is None:
        fault = fault or "decoding fails"
        raise HerdbookError(f"{path} is broken: {fault}; no frame is good. What to do: {REMEDY}.")
    if n_good < len(pts):
        fault = fault or "its last frames cannot be decoded"
    if fault and counted:
        n_good = max(n_good - _MAX_REORDER, 1)  # for the same reason; there are no times by which to decide
    pts = pts[:n_good]

    if packets[0][1] is None and counted:
        tick_s = 1 / (rate or 25.0)
    time_s = (pts - pts[0]) * tick_s
    measured = (n_good - 1) / float(time_s[-1]) if n_good > 1 else rate or 25.0
    return MovieScan(
        pts=pts,
        time_s=time_s,
        keyframe=keyframe[:n_good],
        width=frame.width,
        height=frame.height,
        # The rate in the header is exact (30000/1001) where time stamps are rounded, but it is often wrong.
        fps=rate if abs(rate - measured) <= 0.01 * measured else measured,
        codec=codec,
        pixel_format=frame.format.name,
        grey=frame.format.name.startswith("gray"),
        full_range=is_full_range(frame),
    ), fault


def _order_frames(path: Path, packets: list[_Packet]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """pts and keyframe flags in display order."""
    # Frames shown before the first keyframe depend on others that the file does not contain. A keyframe hidden by an edit list counts: the
    # frames after it can be decoded.
    first = min((pts for pts, _, key, _ in packets if key and pts is not None), default=0)
    shown = [(pts, key) for pts, _, key, discard in packets if not discard and (pts is None or pts >= first)]
    if any(pts is None for pts, _ in shown) or len({pts for pts, _ in shown}) < len(shown):
        remux = "rewrite the time stamps: ffmpeg -fflags +genpts -i FILE NEWFILE"
        raise HerdbookError(f"{path}: frames without a time stamp, or several with the same one; {remux}")
    shown.sort()
    return np.array([pts for pts, _ in shown], dtype=np.int64), np.array([key for _, key in shown], dtype=bool)


def _count_frames(packets: list[_Packet]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Decoding times, or running numbers if there are none, instead of the missing pts; the first frame is the only keyframe."""
    timeless = packets[0][1] is None
    pts = [number if timeless else dts for number, (_, dts, _, _) in enumerate(packets)]
    return np.array(pts, dtype=np.int64), np.arange(len(pts)) == 0


def _decode_tail(path: Path, pts: NDArray[np.int64], keyframe: NDArray[np.bool_], counted: bool) -> tuple[int, Any | None]:
    """Number of frames up to the last good one, and this frame, found by decoding all frames after the last keyframe.

    If none of these is good, decoding begins at the keyframe before.
    """
    # Frame 0 is always tried: an edit list may begin between two keyframes.
    starts = [0] if counted else [*np.flatnonzero(keyframe[1 : len(pts)])[::-1] + 1, 0]
    stop = len(pts)
    for start in starts:
        n_good, last = start, None
        with closing(Decoder(path, pts)) as decoder:
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


def _scan_folder(path: Path, fps: float) -> tuple[MovieScan, str]:
    files = image_files(path)
    sizes = [image_size(file) for file in files]
    for file, size in zip(files, sizes, strict=True):
        if size != sizes[0]:
            raise HerdbookError(f"{file} is {size}, {files[0].name} is {sizes[0]}: all images must have the same size")
    n, fault = len(files), ""
    try:
        frame = decode_image(files[-1])
    except HerdbookError:
        if n == 1:
            raise
        n, fault = n - 1, f"{files[-1].name} cannot be decoded"
        frame = decode_image(files[-2])
    return MovieScan(
        pts=np.arange(n, dtype=np.int64),
        time_s=np.arange(n) / fps,
        keyframe=np.ones(n, dtype=bool),
        width=frame.width,
        height=frame.height,
        fps=fps,
        codec=IMAGE_CODECS[files[0].suffix.lower()],
        pixel_format=frame.format.name,
        grey=frame.format.name.startswith("gray"),
        full_range=is_full_range(frame),
    ), fault


def _read_images(folder: Path, n_frames: int, indices: Iterable[int]) -> Iterator[Frame]:
    files = image_files(folder)
    if len(files) < n_frames:
        raise HerdbookError(f"{folder} contains {len(files)} images, but its frame table {n_frames}: run the rule index again")
    reformatter, size = VideoReformatter(), None
    for index in indices:
        frame = decode_image(files[index])
        size = size or (frame.width, frame.height)
        if (frame.width, frame.height) != size:
            found = f"{frame.width}x{frame.height}"
            raise HerdbookError(f"{files[index]} is {found}, expected {size}: all images must have the same size")
        yield Frame(index, frame, reformatter)
