"""Stage `mosaic`: one movie with a tile for each animal, which stays in the middle of its tile."""

from collections.abc import Sequence

import cv2

from herdbook.drawing.mosaic import Mosaic
from herdbook.drawing.tracked_movie import ENCODER, caption, even_length, load_tracks, shown_frames
from herdbook.drawing.views import plan_views
from herdbook.job import Job, run_stage
from herdbook.movie.reading import read_frame_samples
from herdbook.movie.writing import MovieWriter
from herdbook.system.progress import progress

STAGE = "mosaic"
STAGE_VERSION = 1


def _work(job: Job) -> None:
    cv2.setNumThreads(job.threads)
    settings = job.settings
    index, tracks = load_tracks(job.file("index"), job.file("trajectories"))
    shown = shown_frames(index, settings, f"{job.file('movie')}: {STAGE}.intervals")
    size_px = even_length(settings["size_body"], settings["body_length"], job.file("reference"))
    views = plan_views(tracks, shown.frame, size_px, head_up=settings["head_up"])
    mosaic = Mosaic(views, tracks.individuals, size_px, settings["max_width"], lasting=settings["lasting"])
    out = job.file("out")
    out.parent.mkdir(parents=True, exist_ok=True)
    coding = {"crf": settings["crf"], "threads": job.threads, "options": ENCODER, "timed": True}
    with MovieWriter(out, *mosaic.grid.size, shown.fps, **coding) as writer:
        frames = read_frame_samples(job.file("movie"), index, shown.frame.tolist())
        for place, frame in enumerate(progress(frames, total=len(shown), stage=STAGE)):
            picture = mosaic.picture(frame.bgr(), place, caption(index, frame.index))
            writer.write(picture, float(shown.shown_s[place]))


def main(argv: Sequence[str] | None = None) -> None:
    """Run the stage from the command line."""
    run_stage(STAGE, STAGE_VERSION, _work, one=("movie", "index", "trajectories", "reference", "out"), argv=argv)


if __name__ == "__main__":
    main()
