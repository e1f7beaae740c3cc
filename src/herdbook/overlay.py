"""Stage `overlay`: the movie again with names, trails and the source of each position."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from herdbook import drawing
from herdbook.artifacts import BlobImages, Blobs, Index, Trajectories, open_blob_images
from herdbook.colours import as_bgr, individual_colours
from herdbook.errors import HerdbookError
from herdbook.movie import read_frame_samples
from herdbook.movie_write import MovieWriter
from herdbook.progress import progress
from herdbook.stage import Job, run_stage

STAGE = "overlay"
STAGE_VERSION = 1

MAX_WIDTH_PX = 1280
# Left-out frames make the movie shorter, not slower, once fewer than this many are left per second.
SLOWEST_FPS = 10.0
TRAIL_POINTS = 60
# The default preset takes 9 ms of CPU time per frame of 640x480, more than all the drawing.
ENCODER = {"preset": "veryfast"}
# More names than this are fragments without identity; their numbers are shown small.
MANY_NAMES = 48


@dataclass(frozen=True)
class Canvas:
    """How a movie's frames are shown: size and scale of the picture, sizes of marks and names."""

    width: int
    height: int
    scale: float
    style: drawing.Style
    name_font_px: int

    @classmethod
    def for_movie(cls, width: int, height: int, names: int) -> "Canvas":
        """The canvas for a movie of this size (px) with this many names."""
        scale = min(1.0, MAX_WIDTH_PX / width)
        shown_width, shown_height = round(width * scale), round(height * scale)
        style = drawing.Style.for_height(shown_height)
        name_font_px = style.font_px if names <= MANY_NAMES else max(8, round(0.75 * style.font_px))
        return cls(shown_width, shown_height, scale, style, name_font_px)

    def picture(self, frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The frame, scaled down if it is wider than the canvas; an own copy to draw on."""
        if self.scale < 1:
            return np.asarray(cv2.resize(frame, (self.width, self.height), interpolation=cv2.INTER_AREA), np.uint8)
        return frame.copy()

    def points(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
        """Places (n, 2) on the canvas of points in the movie."""
        return (np.stack([x, y], axis=1) + 0.5) * self.scale - 0.5


def draw_frame(
    image: NDArray[np.uint8],
    frame: int,
    time_s: float,
    tracks: Trajectories,
    offsets: NDArray[np.int64],
    trail_frames: int,
    colours: Sequence[drawing.Colour],
    canvas: Canvas,
) -> None:
    """Draw trails, marks, names, time and legend of one frame on its picture.

    `offsets` (frames + 1,): the rows of frame f in `tracks` are offsets[f]:offsets[f + 1]; `trail_frames` is the length of a trail.
    """
    style = canvas.style
    past = np.arange(offsets[max(0, frame - trail_frames)], offsets[frame + 1])
    stride = max(1, trail_frames // TRAIL_POINTS)
    # Points are thinned on a fixed grid of frames, so that a trail does not wobble from frame to frame.
    past = past[(tracks.frame[past] % stride == 0) | (tracks.frame[past] == frame)]
    past = past[np.argsort(tracks.individual[past], kind="stable")]
    for rows in np.split(past, np.flatnonzero(np.diff(tracks.individual[past])) + 1):
        if len(rows) > 1:
            points = canvas.points(tracks.x[rows], tracks.y[rows])
            colour = colours[tracks.individual[rows[0]]]
            drawing.draw_trail(image, points, tracks.frame[rows].astype(np.int64), colour, style, longest_gap=stride)

    clock = drawing.make_label(f"{clock_time(time_s)} · frame {frame}", style.font_px)
    drawing.draw_label(image, clock, (2, 2), drawing.WHITE)
    taken = [(0, 0, clock.size[0] + 2, clock.size[1] + 2), drawing.draw_legend(image, style)]
    now = np.arange(offsets[frame], offsets[frame + 1])
    anchors = canvas.points(tracks.x[now], tracks.y[now])
    for row, (x, y) in zip(now, anchors, strict=True):
        colour = colours[tracks.individual[row]]
        drawing.draw_mark(image, x, y, int(tracks.source[row]), colour, style, float(tracks.heading[row]))
    labels = [drawing.kept_label(tracks.individuals[tracks.individual[row]], canvas.name_font_px) for row in now]
    sizes = np.array([label.size for label in labels], np.int64).reshape(-1, 2)
    corners = drawing.place_labels(anchors, sizes, (canvas.width, canvas.height), 1.2 * style.radius + style.line + 1, taken)
    for row, label, (x, y) in zip(now, labels, corners, strict=True):
        drawing.draw_label(image, label, (int(x), int(y)), colours[tracks.individual[row]])


def clock_time(time_s: float) -> str:
    """h:mm:ss.s"""
    tenths = round(time_s * 10)
    return f"{tenths // 36000}:{tenths // 600 % 60:02d}:{tenths // 10 % 60:02d}.{tenths % 10}"


def _pictures(
    job: Job, index: Index, blobs: Blobs, images: BlobImages, tracks: Trajectories, canvas: Canvas
) -> Iterator[NDArray[np.uint8]]:
    colours = as_bgr(individual_colours(tracks.individuals))
    trail_frames = max(1, round(job.settings["trail_s"] * index.fps))
    offsets = np.searchsorted(tracks.frame, np.arange(len(index) + 1)).astype(np.int64)
    blob_offsets = blobs.frame_offsets
    for frame in read_frame_samples(job.file("movie"), index.pts, range(0, len(index), job.settings["overlay_every"])):
        image = canvas.picture(frame.bgr())
        first, last = blob_offsets[frame.index : frame.index + 2]
        if first < last:
            drawing.draw_outlines(image, images.runs(first, last)[0], canvas.scale)
        draw_frame(image, frame.index, float(index.time_s[frame.index]), tracks, offsets, trail_frames, colours, canvas)
        yield image


def _work(job: Job) -> None:
    cv2.setNumThreads(job.threads)
    index, blobs = Index.load(job.file("index")), Blobs.load(job.file("blobs"))
    tracks = Trajectories.load(job.file("trajectories"))
    if not len(index) == blobs.frames == tracks.frames:
        raise HerdbookError(
            f"{job.file('trajectories')}: {tracks.frames} frames, but {len(index)} in {job.file('index')} and {blobs.frames} in "
            f"{job.file('blobs')}. They belong to different versions of the movie: run snakemake again."
        )
    every = job.settings["overlay_every"]
    fps = max(index.fps / every, min(index.fps, SLOWEST_FPS))
    canvas = Canvas.for_movie(index.width, index.height, len(tracks.individuals))
    job.file("out").parent.mkdir(parents=True, exist_ok=True)
    with (
        open_blob_images(job.file("blobs")) as images,
        MovieWriter(job.file("out"), canvas.width, canvas.height, fps, threads=job.threads, options=ENCODER) as writer,
    ):
        pictures = _pictures(job, index, blobs, images, tracks, canvas)
        for image in progress(pictures, total=-(-len(index) // every), stage=STAGE):
            writer.write(image)


def main(argv: Sequence[str] | None = None) -> None:
    """Run the stage from the command line."""
    run_stage(STAGE, STAGE_VERSION, _work, one=("movie", "index", "blobs", "trajectories", "out"), argv=argv)


if __name__ == "__main__":
    main()
