"""The frames that are in a movie file, a folder of images or a stack, as stored.

The number of frames in the header of a container is never used: packets are listed, and those after the last keyframe decoded.
"""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from av.error import FFmpegError
from numpy.typing import NDArray

from herdbook.errors import HerdbookError
from herdbook.movie.completeness import missing_bytes
from herdbook.movie.decoding import REMEDY, Decoder, Draft, is_counted, open_video
from herdbook.movie.images import (
    CODECS,
    check_images,
    decode_image,
    decode_page,
    image_files,
    is_stack,
    open_stack,
    stack_orientation,
    stack_pages,
)
from herdbook.movie.orientation import orientation_of_frame

_MAX_REORDER = 16  # largest number of frames that H.264 and HEVC may reorder
# Rate of movies that have neither times nor a rate.
USUAL_FPS = 25.0
_Packet = tuple[int | None, int | None, bool, bool]  # pts, dts, keyframe, discard


class Listing(NamedTuple):
    """The frames up to the last good one, and the `fault` after it, "" for none.

    `pts`, `keyframe` (n,), `counted` and `stream` as in `FrameTable`; `time_s` float64 (n,) and rate `fps` by the file's own clock, None
    and 0 if it has none; `frame`: the last good av.VideoFrame; `orientation` that the file asks for, None if it is no quarter turn;
    `pixel_aspect`: width of a pixel by its height.
    """

    pts: NDArray[np.int64]
    keyframe: NDArray[np.bool_]
    time_s: NDArray[np.float64] | None
    fps: float
    frame: Any
    codec: str
    orientation: int | None
    fault: str = ""
    counted: bool = False
    stream: int = 0
    pixel_aspect: float = 1.0


def list_movie(path: Path, number: int | None, *, has_clock: bool) -> Listing:
    """The frames of a movie file; `number` is that of the video stream, None for the only one.

    `has_clock`: the times of the frames are known from elsewhere, so that frames may be counted if the file has no usable time stamps.
    """
    lost = missing_bytes(path)
    fault = f"the file is cut short, {lost} bytes are missing" if lost else ""
    container, stream = open_video(path, number)
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
        codec, pixel_aspect = stream.codec_context.name, float(stream.sample_aspect_ratio or 1)
        number = list(container.streams.video).index(stream)
    if not any(key for _, _, key, _ in packets):
        raise HerdbookError(f"{path} is broken: it contains no frame that can be decoded. What to do: {REMEDY}.")

    if not counted and (unclear := _unclear_stamps(packets, tick_s)):
        if not has_clock:
            raise HerdbookError(
                f"{path}: {unclear}. Say when its frames were filmed: by their rate (movies[].fps), or by a file with the time of each "
                "frame (movies[].times). They are then counted, and none is lost."
            )
        counted = True
    stamps, keyframe = _count_frames(packets) if counted else _order_frames(packets)
    if fault and not counted:
        # Lost frames may belong between the last frames that are left, and would shift their numbers.
        times = [dts for _, dts, _, _ in packets if dts is not None]
        stamps = stamps[: np.searchsorted(stamps, max(times), "right") if times else 0]
    draft = Draft(np.arange(len(stamps)) if counted else stamps, counted, number)
    n_good, frame, reason = _decode_tail(path, draft, keyframe) if len(stamps) else (0, None, "")
    if frame is None:
        fault = fault or "decoding fails"
        raise HerdbookError(f"{path} is broken: {fault}; no frame is good. What to do: {REMEDY}.")
    if n_good < len(stamps):
        fault = fault or reason
    if fault and counted:
        n_good = max(n_good - _MAX_REORDER, 1)  # for the same reason; there are no times by which to decide
    if not counted and (change := _size_change(path, draft, keyframe[:n_good], frame)):
        n_good, frame, reason = change
        fault = fault or reason

    if packets[0][1] is None and counted:
        tick_s = 1 / (rate or USUAL_FPS)
    time_s = (stamps[:n_good] - stamps[0]) * tick_s
    measured = (n_good - 1) / float(time_s[-1]) if n_good > 1 and time_s[-1] > 0 else rate or USUAL_FPS
    return Listing(
        pts=draft.pts[:n_good],
        keyframe=keyframe[:n_good],
        time_s=time_s,
        # The rate in the header is exact (30000/1001) where time stamps are rounded, but it is often wrong.
        fps=rate if abs(rate - measured) <= 0.01 * measured else measured,
        frame=frame,
        codec=codec,
        orientation=orientation_of_frame(frame),
        fault=fault,
        counted=counted,
        stream=number,
        pixel_aspect=pixel_aspect,
    )


def list_images(path: Path, *, turns_as_asked: bool) -> Listing:
    """The images of a folder or the pages of a stack; `turns_as_asked`: images must agree in the orientation that they ask for."""
    if is_stack(path):
        with open_stack(path) as image:
            orientation = stack_orientation(image)
            pages, fault = stack_pages(path, image)
            frame, n_good, reason = _last_good(pages, lambda page: decode_page(path, image, page, orientation))
        codec = "tiff"
    else:
        files = image_files(path)
        orientation, fault = check_images(files, by_orientation=turns_as_asked), ""
        pages, codec = list(range(len(files))), CODECS[files[0].suffix.lower()]
        frame, n_good, reason = _last_good(pages, lambda number: decode_image(files[number]))
    pts = np.array(pages[:n_good], np.int64)
    return Listing(pts, np.ones(n_good, bool), None, 0.0, frame, codec, orientation, fault or reason)


def _last_good(pages: Sequence[int], decode: Any) -> tuple[Any, int, str]:
    """The last image that can be decoded, the number of images up to it, and the fault of the one after it."""
    fault = ""
    for n_good in range(len(pages), 0, -1):
        try:
            return decode(pages[n_good - 1]), n_good, fault
        except HerdbookError as error:
            if n_good == 1:
                raise
            fault = str(error)
    raise AssertionError("there is at least one image")


def _unclear_stamps(packets: Sequence[_Packet], tick_s: float) -> str:
    """What is wrong with the time stamps of the shown frames, "" if each has its own."""
    stamps = sorted(pts for pts, _ in _shown(packets) if pts is not None)
    if len(stamps) < len(_shown(packets)):
        return "it has frames without a time stamp"
    equal = np.flatnonzero(np.diff(stamps) == 0)
    if len(equal):
        frame = int(equal[0])
        seconds = (stamps[frame] - stamps[0]) * tick_s
        return f"{len(equal)} frames have the time stamp of the one before, such as frame {frame + 1} ({seconds:.3f} s)"
    return ""


def _shown(packets: Sequence[_Packet]) -> list[tuple[int | None, bool]]:
    """pts and keyframe flag of each packet that is shown."""
    # Frames shown before the first keyframe depend on others that the file does not contain. A keyframe hidden by an edit list counts: the
    # frames after it can be decoded.
    first = min((pts for pts, _, key, _ in packets if key and pts is not None), default=0)
    return [(pts, key) for pts, _, key, discard in packets if not discard and (pts is None or pts >= first)]


def _order_frames(packets: Sequence[_Packet]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """pts and keyframe flags in display order."""
    shown = sorted((pts, key) for pts, key in _shown(packets) if pts is not None)
    return np.array([pts for pts, _ in shown], dtype=np.int64), np.array([key for _, key in shown], dtype=bool)


def _count_frames(packets: Sequence[_Packet]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Decoding times, or running numbers if there are none, instead of the missing pts; the first frame is the only keyframe."""
    shown = [dts for _, dts, _, discard in packets if not discard]
    pts = range(len(shown)) if any(dts is None for dts in shown) else shown
    return np.array(pts, dtype=np.int64), np.arange(len(shown)) == 0


def _decode_tail(path: Path, draft: Draft, keyframe: NDArray[np.bool_]) -> tuple[int, Any | None, str]:
    """Number of frames up to the last good one, this frame, and why the next is not good, found by decoding those after the last keyframe.

    If none of these is good, decoding begins at the keyframe before.
    """
    # Frame 0 is always tried: an edit list may begin between two keyframes.
    starts = [0] if draft.counted else [*np.flatnonzero(keyframe[1 : len(draft.pts)])[::-1] + 1, 0]
    stop = len(draft.pts)
    for start in starts:
        n_good, last, reason = start, None, "its last frames cannot be decoded"
        with closing(Decoder(path, draft)) as decoder:
            decoder.start_at(start)
            for index, frame in decoder.frames():
                if index < start:
                    continue
                if index != n_good or frame.is_corrupt:
                    break
                if last is not None and _size(frame) != _size(last):
                    reason = _size_words(_size(last), _size(frame), index)
                    break
                n_good, last = n_good + 1, frame
                if n_good == stop:
                    break
        if last is not None:
            return n_good, last, reason
        stop = start
    return 0, None, ""


def _size_change(path: Path, draft: Draft, keyframe: NDArray[np.bool_], last: Any) -> tuple[int, Any, str] | None:
    """If the last frame has another size than the first: number of frames before the change, one of them, and the fault in words."""
    first = _decoded(path, draft, 0)
    if first is None or _size(first) == _size(last):
        return None  # a first frame that cannot be decoded is found when it is read
    # Sizes change at keyframes.
    starts = [0, *(np.flatnonzero(keyframe[1:]) + 1).tolist()]
    before, after = 0, len(starts) - 1
    while after - before > 1:
        middle = (before + after) // 2
        frame = _decoded(path, draft, starts[middle])
        if frame is None or _size(frame) == _size(first):
            before = middle
        else:
            after = middle
    return starts[after], first, _size_words(_size(first), _size(last), starts[after])


def _decoded(path: Path, draft: Draft, number: int) -> Any | None:
    """The av.VideoFrame of one frame, None if it cannot be decoded."""
    with closing(Decoder(path, draft)) as decoder:
        decoder.start_at(number)
        return next((frame for index, frame in decoder.frames() if index >= number), None)


def _size(frame: Any) -> tuple[int, int]:
    return frame.width, frame.height


def _size_words(before: tuple[int, int], after: tuple[int, int], frame: int) -> str:
    return f"the frame size changes from {before[0]} x {before[1]} to {after[0]} x {after[1]} px at frame {frame}"
