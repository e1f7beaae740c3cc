"""Write a movie from arrays, one frame at a time; the file gets its name only when it is complete."""

from contextlib import ExitStack, suppress
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import av
import cv2
import numpy as np
from av.error import FFmpegError
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from herdbook.errors import HerdbookError
from herdbook.system.files import full_disk_as_error, replacing

_CONTAINERS = {
    **{".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska"},
    **{".avi": "avi", ".ts": "mpegts", ".webm": "webm"},
}
# Time base of movies whose frames have individual times, as is usual in MP4.
_TICK_S = Fraction(1, 90_000)


class MovieWriter:
    """Context manager that encodes frames of one size, at a constant rate or at individual times.

    `path`: its suffix decides the container (.mp4, .m4v, .mov, .mkv, .avi, .ts, .webm). `width`, `height` in px; an odd one is made even by
    repeating the last column or row. `crf`: quality of the x264/x265/SVT-AV1/VP9 encoders, smaller is better. `keyframe_interval`: largest
    number of frames from keyframe to keyframe (None: default of the encoder). `threads`: number of encoder threads. `options`: further
    options of the encoder. `timed`: each frame is written with its time; `fps` is their average rate. After an exception inside the
    context, or without any frame, there is no file.
    """

    def __init__(
        self,
        path: Path,
        width: int,
        height: int,
        fps: float,
        *,
        crf: int = 23,
        pixel_format: str = "yuv420p",
        codec: str = "libx264",
        keyframe_interval: int | None = None,
        threads: int = 1,
        options: dict[str, str] | None = None,
        timed: bool = False,
    ) -> None:
        if path.suffix.lower() not in _CONTAINERS:
            raise HerdbookError(f"{path}: unknown kind of movie file; its name must end in one of {', '.join(_CONTAINERS)}")
        self._path = path
        self._shape = (height, width)
        self._rate = max(Fraction(fps).limit_denominator(1001), Fraction(1, 1001))
        self._timed, self._tick, self._last = timed, _TICK_S if timed else 1 / self._rate, -1
        self._codec, self._pixel_format = codec, pixel_format
        self._keyframe_interval, self._threads = keyframe_interval, threads
        quality = {"crf": str(crf)} if codec.startswith("lib") else {}
        own = {
            # Its macroblock tree is not reproducible: 4 different files in 6 runs on the same 40 frames of 480x360.
            "libx264": {"x264-params": "mbtree=0"},
            # It has a thread pool in addition to the encoder's threads.
            "libx265": {"x265-params": f"pools={threads}:frame-threads={threads}:log-level=error"},
        }
        self._options = quality | own.get(codec, {}) | (options or {})
        self._container: Any = None
        self._n_frames = 0

    def __enter__(self) -> Self:
        height, width = self._shape
        with ExitStack() as files:
            part = files.enter_context(replacing(self._path))
            try:
                with full_disk_as_error(self._path):
                    self._container = av.open(str(part), "w", format=_CONTAINERS[self._path.suffix.lower()])
                stream: Any = self._container.add_stream(self._codec, rate=self._rate, options=self._options)
            except (FFmpegError, ValueError, OSError) as error:
                raise HerdbookError(f"{self._path}: cannot write a movie with {self._codec}: {error}") from error
            self._files = files.pop_all()
        stream.width, stream.height = width + width % 2, height + height % 2
        stream.pix_fmt = self._pixel_format
        stream.codec_context.thread_count = self._threads
        if self._timed:
            stream.time_base = stream.codec_context.time_base = self._tick
        if self._pixel_format.startswith("gray"):
            stream.codec_context.color_range = 2  # grey levels are written without conversion, and must be read so
        if self._keyframe_interval is not None:
            stream.codec_context.gop_size = self._keyframe_interval
        self._stream = stream
        self._reformatter = VideoReformatter()
        return self

    def write(self, frame: NDArray[np.uint8], time_s: float | None = None) -> None:
        """Append a frame: uint8 (height, width) grey or (height, width, 3) BGR. Raises ValueError for any other shape.

        `time_s`: time at which a frame of a timed movie is shown, s; None for other movies. A time that is not after that of the frame
        before becomes the next possible one.
        """
        if (time_s is None) is self._timed:
            raise ValueError(f"frame {self._n_frames}: each frame of a timed movie needs a time, and no frame of other movies has one")
        if frame.shape[:2] != self._shape or frame.dtype != np.uint8 or frame.shape[2:] not in ((), (3,)):
            raise ValueError(f"frame is {frame.dtype} {frame.shape}, expected uint8 {self._shape} or the same with 3")
        height, width = self._shape
        if height % 2 or width % 2:
            frame = cv2.copyMakeBorder(frame, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
        pixels = np.ascontiguousarray(frame)
        picture = av.VideoFrame.from_numpy_buffer(pixels, format="gray" if pixels.ndim == 2 else "bgr24")
        picture = self._reformatter.reformat(picture, format=self._pixel_format, threads=1)
        ticks = self._n_frames if time_s is None else round(time_s / self._tick)
        picture.pts, picture.time_base = max(ticks, self._last + 1), self._tick
        self._last = picture.pts
        self._container.mux(self._stream.encode(picture))
        self._n_frames += 1

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        with self._files:
            if error is not None:
                with suppress(FFmpegError):
                    self._container.close()
                raise error
            if not self._n_frames:
                raise HerdbookError(f"{self._path}: no frame was written, so no movie was made")
            self._container.mux(self._stream.encode(None))
            self._container.close()
