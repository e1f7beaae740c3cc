"""Stage `overlay`: the movie again with names, trails, outlines, body points, the source of each position, frame and time."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import cv2

from herdbook.artifacts.index import Index
from herdbook.artifacts.segment import Blobs, open_blob_images
from herdbook.artifacts.smooth import open_body_points
from herdbook.drawing.overlay import Annotator, Canvas, ShownPoints, outlined
from herdbook.drawing.tracked_movie import ENCODER, caption, check_same_movie, load_tracks, shown_frames
from herdbook.geometry.ellipses import body_length
from herdbook.job import Job, run_stage
from herdbook.movie.reading import read_frame_samples
from herdbook.movie.writing import MovieWriter
from herdbook.system.progress import progress

STAGE = "overlay"
STAGE_VERSION = 2


@contextmanager
def _shown_points(job: Job, index: Index, individuals: Sequence[str]) -> Iterator[ShownPoints | None]:
    """The body points, if they are given."""
    if not job.files["points"]:
        yield None
        return
    with open_body_points(job.file("points")) as points:
        check_same_movie(index, job.file("index"), max(len(index), points.last + 1), job.file("points"))
        body_px = body_length(Blobs.load(job.file("blobs"), without=set(Blobs.columns) - {"moments"}).moments)
        yield ShownPoints(points, individuals, body_px, job.settings["skeleton"])


def _work(job: Job) -> None:
    cv2.setNumThreads(job.threads)
    settings = job.settings
    index, tracks = load_tracks(job.file("index"), job.file("trajectories"))
    blobs = Blobs.load(job.file("blobs"), without=set(Blobs.columns) - {"frame"})
    check_same_movie(index, job.file("index"), blobs.frames, job.file("blobs"))
    shown = shown_frames(index, settings, f"{job.file('movie')}: {STAGE}.intervals")
    canvas = Canvas.for_movie(index.width, index.height, len(tracks.individuals), settings["max_width"])
    trail, out = max(1, round(settings["trail_s"] * index.fps)), job.file("out")
    out.parent.mkdir(parents=True, exist_ok=True)
    coding = {"crf": settings["crf"], "threads": job.threads, "options": ENCODER, "timed": True}
    with (
        open_blob_images(job.file("blobs")) as images,
        _shown_points(job, index, tracks.individuals) as points,
        MovieWriter(out, canvas.width, canvas.height, shown.fps, **coding) as writer,
    ):
        annotator = Annotator(tracks, canvas, settings["show"], trail, points)
        frames = read_frame_samples(job.file("movie"), index, shown.frame.tolist())
        pictures = outlined(frames, blobs, images, canvas, outlines="outlines" in settings["show"])
        for (frame, image), time_s in zip(progress(pictures, total=len(shown), stage=STAGE), shown.shown_s.tolist(), strict=True):
            annotator.draw(image, frame, caption(index, frame))
            writer.write(image, time_s)


def main(argv: Sequence[str] | None = None) -> None:
    """Run the stage from the command line."""
    run_stage(STAGE, STAGE_VERSION, _work, one=("movie", "index", "blobs", "trajectories", "out"), many=("points",), argv=argv)


if __name__ == "__main__":
    main()
