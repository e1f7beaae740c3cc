"""Movies and image folders: which frames they hold, and those frames, each under its right number.

A frame is known by its presentation time stamp (pts), never by counting from wherever a seek happened to land, and
what a container's header promises is never believed. Images are (row, col[, channel]), colour is BGR, dtype uint8.
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

_MAX_REORDER = 16  # the most frames that H.264 and HEVC may hold back
_Packet = tuple[int | None, int | None, bool, bool]  # pts, dts, keyframe, discard


@dataclass(frozen=True)
class MovieScan:
    """What a movie holds, one entry per displayed frame in display order.

    `pts` int64 (n,), in units of the stream's time base, strictly increasing; `time_s` float64 (n,), from the first
    frame; `keyframe` bool (n,): reading can begin there. `fps` is the average rate. `grey`: the pixel format has no chroma.
    `full_range`: luma runs from 0 to 255 rather than from 16 to 235.
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
        raise HerdbookError(f"{path} is broken: {fault}; {last}. What to do: {REMEDY}, {keep}.")
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
    """Reads one stretch of frames after another, as `read_frames`; one that begins where the last one ended goes on without a seek."""

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
    """The table up to the last good frame, and what is wrong after it ("" if nothing)."""
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
        raise HerdbookError(f"{path} is broken: it holds no frame that can be decoded. What to do: {REMEDY}.")

    pts, keyframe = _count_frames(packets) if counted else _order_frames(path, packets)
    if fault and not counted:
        # What is lost may belong between the last frames that are left, which would shift their numbers.
        times = [dts for _, dts, _, _ in packets if dts is not None]
        pts = pts[: np.searchsorted(pts, max(times), "right") if times else 0]
    n_good, frame = _decode_tail(path, pts, keyframe, counted) if len(pts) else (0, None)
    if frame is None:
        fault = fault or "decoding fails"
        raise HerdbookError(f"{path} is broken: {fault}; no frame is good. What to do: {REMEDY}.")
    if n_good < len(pts):
        fault = fault or "its last frames cannot be decoded"
    if fault and counted:
        n_good = max(n_good - _MAX_REORDER, 1)  # for the same reason, without times that could tell more
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
        # The stated rate is exact (30000/1001) where the time stamps round, but often states something else.
        fps=rate if abs(rate - measured) <= 0.01 * measured else measured,
        codec=codec,
        pixel_format=frame.format.name,
        grey=frame.format.name.startswith("gray"),
        full_range=is_full_range(frame),
    ), fault


def _order_frames(path: Path, packets: list[_Packet]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """pts and keyframe flags in display order."""
    # Frames shown before the first keyframe lean on others that the file does not hold. A keyframe that an edit list
    # hides counts: the frames after it can be decoded.
    first = min((pts for pts, _, key, _ in packets if key and pts is not None), default=0)
    shown = [(pts, key) for pts, _, key, discard in packets if not discard and (pts is None or pts >= first)]
    if any(pts is None for pts, _ in shown) or len({pts for pts, _ in shown}) < len(shown):
        remux = "write them anew: ffmpeg -fflags +genpts -i FILE NEWFILE"
        raise HerdbookError(f"{path}: frames without a time stamp, or several with the same one; {remux}")
    shown.sort()
    return np.array([pts for pts, _ in shown], dtype=np.int64), np.array([key for _, key in shown], dtype=bool)


def _count_frames(packets: list[_Packet]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Decoding times, or running numbers where there are none, in place of the missing pts; frames are counted from the first alone."""
    timeless = packets[0][1] is None
    pts = [number if timeless else dts for number, (_, dts, _, _) in enumerate(packets)]
    return np.array(pts, dtype=np.int64), np.arange(len(pts)) == 0


def _decode_tail(path: Path, pts: NDArray[np.int64], keyframe: NDArray[np.bool_], counted: bool) -> tuple[int, Any | None]:
    """Number of frames up to the last good one, and that one, from decoding what follows the last keyframe.

    When nothing after a keyframe is good, the keyframe before is tried.
    """
    # Frame 0 in any case: an edit list may begin between two keyframes.
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
            raise HerdbookError(f"{file} is {size}, {files[0].name} is {sizes[0]}: all images must be of one size")
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
        raise HerdbookError(f"{folder} holds {len(files)} images, its frame table {n_frames}; scan it again")
    reformatter, size = VideoReformatter(), None
    for index in indices:
        frame = decode_image(files[index])
        size = size or (frame.width, frame.height)
        if (frame.width, frame.height) != size:
            found = f"{frame.width}x{frame.height}"
            raise HerdbookError(f"{files[index]} is {found}, expected {size}: all images must be of one size")
        yield Frame(index, frame, reformatter)
