"""Stage `overlay`: the movie again with names, trails, outlines, the source of each position, frame and time."""

from collections.abc import Sequence

import cv2

from herdbook.artifacts.segment import Blobs, open_blob_images
from herdbook.drawing.overlay import Annotator, Canvas, outlined
from herdbook.drawing.tracked_movie import ENCODER, caption, check_same_movie, load_tracks, shown_frames
from herdbook.job import Job, run_stage
from herdbook.movie.reading import read_frame_samples
from herdbook.movie.writing import MovieWriter
from herdbook.system.progress import progress

STAGE = "overlay"
STAGE_VERSION = 2


def _work(job: Job) -> None:
    cv2.setNumThreads(job.threads)
    settings = job.settings
    index, tracks = load_tracks(job.file("index"), job.file("trajectories"))
    blobs = Blobs.load(job.file("blobs"), without=set(Blobs.columns) - {"frame"})
    check_same_movie(index, job.file("index"), blobs.frames, job.file("blobs"))
    shown = shown_frames(index, settings, f"{job.file('movie')}: {STAGE}.intervals")
    canvas = Canvas.for_movie(index.width, index.height, len(tracks.individuals), settings["max_width"])
    annotator = Annotator(tracks, canvas, settings["show"], max(1, round(settings["trail_s"] * index.fps)))
    out = job.file("out")
    out.parent.mkdir(parents=True, exist_ok=True)
    coding = {"crf": settings["crf"], "threads": job.threads, "options": ENCODER, "timed": True}
    with open_blob_images(job.file("blobs")) as images, MovieWriter(out, canvas.width, canvas.height, shown.fps, **coding) as writer:
        frames = read_frame_samples(job.file("movie"), index, shown.frame.tolist())
        pictures = outlined(frames, blobs, images, canvas, outlines="outlines" in settings["show"])
        for (frame, image), time_s in zip(progress(pictures, total=len(shown), stage=STAGE), shown.shown_s.tolist(), strict=True):
            annotator.draw(image, frame, caption(index, frame))
            writer.write(image, time_s)


def main(argv: Sequence[str] | None = None) -> None:
    """Run the stage from the command line."""
    run_stage(STAGE, STAGE_VERSION, _work, one=("movie", "index", "blobs", "trajectories", "out"), argv=argv)


if __name__ == "__main__":
    main()
