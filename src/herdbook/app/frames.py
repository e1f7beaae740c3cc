"""Frames of one movie by number, in any order: exact ones, and near ones that are there at once while somebody drags through the movie."""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from av.video.reformatter import VideoReformatter

from herdbook.artifacts.index import Index
from herdbook.errors import HerdbookError
from herdbook.movie.decoding import Decoder, stored_size
from herdbook.movie.frame import Frame, in_eight_bits
from herdbook.movie.images import image_name, is_of_images, open_images

# Decoded frames that are kept, for steps back: 10 of 1080p.
KEPT_BYTES = 32 << 20
# A kept frame at most that many frames away is shown at once while somebody drags, instead of the last keyframe.
NEAR_FRAMES = 12
# More threads cost memory, and a person waits for one frame at a time.
DECODER_THREADS = 2


class Source:
    """The frames of a movie. It is not made for several threads at a time.

    Frames that are decoded on the way to another one are kept, the last ones within `kept_bytes`, at least two. Their `index` is always the
    number that their time stamp has in the index of the movie.
    """

    def __init__(self, path: Path, index: Index, kept_bytes: int = KEPT_BYTES, threads: int = DECODER_THREADS) -> None:
        self.path, self.index = path, index
        self._files = ExitStack()
        self._kept: OrderedDict[int, Frame] = OrderedDict()
        self._most = max(2, kept_bytes // (index.width * index.height * 3 // 2))
        self._keyframes = np.flatnonzero(index.keyframe)
        # What the stream gives next, and from where on it leaves no frame out.
        self._next, self._whole_from = -1, 0
        self._image: Callable[[int], Any] | None = None
        self._decoder: Decoder | None = None
        if is_of_images(path):
            self._image = self._files.enter_context(open_images(path))
            self._reformatter = VideoReformatter()
        else:
            self._decoder = Decoder(path, index, threads=threads)
            self._files.callback(self._decoder.close)

    def close(self) -> None:
        """Close the file."""
        self._files.close()
        self._kept.clear()

    def __len__(self) -> int:
        return len(self.index)

    def exact(self, number: int) -> Frame:
        """The frame of this number. Raises HerdbookError, which names file and frame, if it cannot be decoded or does not exist."""
        if not 0 <= number < len(self):
            raise HerdbookError(f"{self.path} has frames 0..{len(self) - 1}; frame {number} was requested")
        if number in self._kept:
            self._kept.move_to_end(number)
            return self._kept[number]
        if self._image is not None:
            return self._keep(self._read_image(number))
        assert self._decoder is not None
        if not self._is_ahead(number):
            self._seek(number)
        for index, frame in self._stream:
            # Another seek follows a frame that cannot be used.
            self._next = -1
            found = self._keep(self._decoder.checked(index, index, frame))
            if index > number:
                break
            self._next = index + 1
            if index == number:
                return found
        self._next = -1
        raise self._decoder.missing(number)

    def near(self, number: int) -> Frame:
        """A frame near this number that costs no more than one to decode: a kept one, or the last keyframe before it.

        Its `index` says which one it is. Movies that can only be counted from their beginning give the exact frame.
        """
        best = min(self._kept, key=lambda kept: abs(kept - number), default=None)
        if best is not None and abs(best - number) <= NEAR_FRAMES:
            return self._kept[best]
        if self._decoder is None or self.index.counted:
            return self.exact(number)
        self._seek(number)
        for index, frame in self._stream:
            self._next = index + 1
            return self._keep(self._decoder.checked(index, index, frame))
        return self.exact(number)

    def keyframe_before(self, number: int) -> int:
        """The last keyframe at or before a frame."""
        place = int(np.searchsorted(self._keyframes, number, side="right")) - 1
        return int(self._keyframes[place]) if place >= 0 else 0

    def _is_ahead(self, number: int) -> bool:
        """Whether decoding on is quicker than a seek: there is no keyframe between the next frame and this one."""
        return self._whole_from <= number and 0 <= self._next <= number and self.keyframe_before(number) <= self._next

    def _seek(self, number: int) -> None:
        assert self._decoder is not None
        self._next = -1
        # Of the frames on the way, only as many as are kept are of use.
        self._whole_from = 0 if self.index.counted else max(0, number - self._most + 1)
        self._decoder.start_at(number, self._whole_from)
        self._stream: Iterator[tuple[int, Any]] = self._decoder.frames()

    def _read_image(self, number: int) -> Frame:
        assert self._image is not None
        place = int(self.index.pts[number])
        frame, size = self._image(place), stored_size(self.index)
        if (frame.width, frame.height) != size:
            raise HerdbookError(f"{image_name(self.path, place)} is {frame.width}x{frame.height}, expected {size[0]}x{size[1]}")
        try:
            return Frame(number, in_eight_bits(frame, self.index.bits), self._reformatter, self.index.orientation)
        except OverflowError as error:
            raise HerdbookError(f"{image_name(self.path, place)}: {error}") from error

    def _keep(self, frame: Frame) -> Frame:
        self._kept[frame.index] = frame
        self._kept.move_to_end(frame.index)
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)
        return frame
