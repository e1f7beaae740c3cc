"""The table of a movie's frames: which there are, when they were filmed, and how their pictures are meant."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from herdbook.errors import HerdbookError
from herdbook.movie.decoding import REMEDY
from herdbook.movie.frame import has_sixteen_bits, is_full_range
from herdbook.movie.images import is_of_images
from herdbook.movie.listing import USUAL_FPS, Listing, list_images, list_movie
from herdbook.movie.orientation import AS_STORED, IN_WORDS, OF_TURN, exchanges_sides
from herdbook.movie.reading import read_frame_samples

# Numbers of bits with which cameras are made.
_CAMERA_BITS = (8, 10, 12, 14, 16)
# Frames in which the largest value of a movie is looked for.
_BITS_FRAMES = 30
# If times are that many times as long as the movie's own: they are in ms, us or ns. The rate in a header is seldom exact.
_SMALL_UNITS = {1e3: "ms", 1e6: "us", 1e9: "ns"}
_UNIT_TOLERANCE = 0.05

Turn = Literal["auto", 0, 90, 180, 270]


@dataclass(frozen=True)
class MovieScan:
    """The table of a movie's frames, with one entry per displayed frame in display order, and the format of the movie.

    `pts` int64 (n,), in units of the stream's time base, strictly increasing; `time_s` float64 (n,), from the first frame; `keyframe` bool
    (n,): decoding can begin there, or shortly before. `width`, `height`: as shown, px. `fps`: average rate, 1/s. `grey`: the pixel format
    has no chroma. `full_range`: luma ranges from 0 to 255 instead of 16 to 235. `counted`, `every`, `stream`, `orientation` and `bits`: as
    in `decoding.FrameTable`. `notes`: what a user should know of how the movie is read.
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
    counted: bool = False
    every: int = 1
    stream: int = 0
    orientation: int = AS_STORED
    bits: int = 0
    notes: tuple[str, ...] = ()

    @property
    def n_frames(self) -> int:
        """Number of displayed frames."""
        return len(self.pts)


def scan_movie(
    path: Path,
    on_broken: str = "stop",
    *,
    fps: float | None = None,
    times_s: NDArray[np.float64] | None = None,
    rotate: Turn = "auto",
    stream: int | None = None,
    bits: int | None = None,
    every: int = 1,
) -> MovieScan:
    """List the displayed frames of a movie file, a folder of images or a TIFF file of pages, and check that it is complete.

    Packets are read but not decoded, except those after the last keyframe. Images are in natural order of their names.

    `on_broken`: "stop" raises HerdbookError for a broken movie, "keep" ends the table at its last good frame (HerdbookError only if there
    is none). `fps`: rate of the frames instead of their own times; `times_s` float64 (frames of the file,), strictly increasing: time of
    each frame instead of its own. `rotate`: degrees by which the stored picture is turned clockwise, "auto" as the file asks. `stream`:
    number of the video stream, None for the only one. `bits`: number of bits that values of 16 bits use, None: found from the pictures.
    `every`: only every n-th frame is in the table.
    """
    if on_broken not in ("stop", "keep"):
        raise ValueError(f"on_broken is {on_broken!r}, expected 'stop' or 'keep'")
    has_clock = fps is not None or times_s is not None
    of_images = is_of_images(path)
    listing = list_images(path, turns_as_asked=rotate == "auto") if of_images else list_movie(path, stream, has_clock=has_clock)
    time_s, rate = _clock(path, listing, fps, times_s)
    if listing.fault and on_broken == "stop":
        last = f"the last good frame is {len(time_s) - 1}, at {time_s[-1]:.3f} s"
        keep = "or keep the frames up to this one (on_broken: keep)"
        raise HerdbookError(f"{path} is broken: {listing.fault}; {last}. What to do: {REMEDY}, {keep}.")
    orientation = (listing.orientation or AS_STORED) if rotate == "auto" else OF_TURN[rotate]
    size = (listing.frame.width, listing.frame.height)
    notes = _notes_on_time(path, listing, every, has_clock=has_clock) + _notes_on_geometry(listing, rotate)
    if times_s is not None and len(time_s) > 1:
        longest = int(np.diff(time_s).argmax())
        step_s = time_s[longest + 1] - time_s[longest]
        notes.append(f"by its file of times it has {rate:.4g} frames/s; the longest step, {step_s:.4g} s, follows frame {longest}")
    scan = MovieScan(
        pts=listing.pts[::every],
        time_s=time_s[::every],
        keyframe=np.diff(np.cumsum(listing.keyframe)[::every], prepend=0) > 0,
        width=size[exchanges_sides(orientation)],
        height=size[not exchanges_sides(orientation)],
        fps=rate / every,
        codec=listing.codec,
        pixel_format=listing.frame.format.name,
        grey=listing.frame.format.name.startswith("gray"),
        full_range=is_full_range(listing.frame),
        counted=listing.counted,
        every=every,
        stream=listing.stream,
        orientation=orientation,
        notes=tuple(notes),
    )
    return _with_bits(path, scan, listing, bits)


def _clock(path: Path, listing: Listing, fps: float | None, times_s: NDArray[np.float64] | None) -> tuple[NDArray[np.float64], float]:
    """Time of each frame from the first, s, and their average rate, 1/s."""
    n = len(listing.pts)
    if times_s is None:
        if fps is None and listing.time_s is not None:
            return listing.time_s, listing.fps
        return np.arange(n) / (fps or USUAL_FPS), fps or USUAL_FPS
    # A camera goes on counting where its movie is damaged.
    if len(times_s) != n and not (listing.fault and len(times_s) > n):
        raise HerdbookError(
            f"{path} has {n} frames, but its file of times (movies[].times) has {len(times_s)} times: expected one for each frame. If the "
            "camera lost frames, remove their times; if it is another movie's file, name the right one."
        )
    time_s = times_s[:n] - times_s[0]
    rate = (n - 1) / float(time_s[-1]) if n > 1 else listing.fps or USUAL_FPS
    for factor, unit in _SMALL_UNITS.items():
        if listing.fps and n > 1 and abs(listing.fps / rate / factor - 1) < _UNIT_TOLERANCE:
            raise HerdbookError(
                f"{path} has {listing.fps:g} frames/s, but by its file of times (movies[].times) {rate:g}: they seem to be in {unit}. "
                f"Times are in s; for others, the table needs a header that names the unit, such as time_{unit}."
            )
    return time_s, rate


def _notes_on_time(path: Path, listing: Listing, every: int, *, has_clock: bool) -> list[str]:
    notes = []
    if not has_clock and listing.time_s is None:
        notes.append(
            f"images have no times: {USUAL_FPS:g} frames/s are assumed, by which all times and speeds are computed. Give their rate "
            "(movies[].fps) or the time of each (movies[].times)"
        )
    if every > 1:
        notes.append(
            f"one in {every} of its {len(listing.pts):,} frames is read: frame 1 of all tables is frame {every} of the file (index.every)"
        )
    return notes


def _notes_on_geometry(listing: Listing, rotate: Turn) -> list[str]:
    notes = []
    if rotate == "auto" and listing.orientation is None:
        notes.append("it asks to be shown turned by an angle that is no quarter turn: it is read as stored (movies[].rotate)")
    if rotate == "auto" and listing.orientation in IN_WORDS:
        notes.append(f"it is read {IN_WORDS[listing.orientation]}, as the file asks (movies[].rotate: 0 reads it as stored)")
    if listing.pixel_aspect != 1:
        notes.append(
            f"its pixels are {listing.pixel_aspect:.4g} times as wide as high: positions, lengths and speeds are in stored pixels, so that "
            "their scale differs along x and y. To make pixels square: "
            "ffmpeg -i FILE -fps_mode passthrough -vf scale=iw*sar:ih,setsar=1 NEWFILE"
        )
    return notes


def _with_bits(path: Path, scan: MovieScan, listing: Listing, bits: int | None) -> MovieScan:
    """The table of a movie whose values have 16 bits completed with how many of them are used."""
    if not has_sixteen_bits(listing.frame):
        return scan
    notes = scan.notes
    if bits is None:
        picks = np.unique(np.linspace(0, scan.n_frames - 1, _BITS_FRAMES).round().astype(np.int64)).tolist()
        largest = max(frame.largest_value() for frame in read_frame_samples(path, replace(scan, bits=16), picks))
        bits = next(bits for bits in _CAMERA_BITS if largest < 1 << bits)
        if bits < 16:
            notes += (f"its pictures use {bits} of their 16 bits (largest value {largest}), and are read as such (movies[].bits)",)
    return replace(scan, bits=bits, notes=notes)
