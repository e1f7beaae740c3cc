"""Stage `closeups`: a movie of each animal, which stays in its middle, with a table that leads back to the whole frame."""

from collections.abc import Sequence
from functools import partial

import cv2
import numpy as np

from herdbook.drawing.closeup_files import file_stems, replacing_folder, write_closeup_table
from herdbook.drawing.recorders import feed_recorders, record_view
from herdbook.drawing.tracked_movie import even_length, load_tracks, shown_frames
from herdbook.drawing.views import plan_views
from herdbook.job import Job, run_stage
from herdbook.movie.reading import read_frame_samples
from herdbook.system.progress import progress
from herdbook.system.words import say

STAGE = "closeups"
STAGE_VERSION = 1


def _work(job: Job) -> None:
    cv2.setNumThreads(1)
    settings = job.settings
    index, tracks = load_tracks(job.file("index"), job.file("trajectories"))
    shown = shown_frames(index, settings, f"{job.file('movie')}: {STAGE}.intervals")
    size_px = settings["size"] or even_length(settings["size_body"], settings["body_length"], job.file("reference"))
    views = plan_views(tracks, shown.frame, size_px, head_up=settings["head_up"], least_frames=settings["shortest_s"] * shown.fps)
    names = [tracks.individuals[view.individual] for view in views]
    fewer = len(np.unique(tracks.individual)) - len(views)
    say(f"closeups: {len(views)} of {size_px} px; {fewer} animals are seen for less than {settings['shortest_s']:g} s")
    with replacing_folder(job.file("out")) as folder:
        stems = file_stems(names)
        movies = zip((folder / f"{stem}.mp4" for stem in stems), views, strict=True)
        recorders = [partial(record_view, path, view, size_px, shown.fps, settings["crf"]) for path, view in movies]
        images = (frame.bgr() for frame in read_frame_samples(job.file("movie"), index, shown.frame.tolist()))
        feed_recorders(progress(images, total=len(shown), stage=STAGE), views, recorders, job.threads)
        for view, name, stem in zip(views, names, stems, strict=True):
            write_closeup_table(folder / f"{stem}.csv", view, name, shown.frame, index.time_s)


def main(argv: Sequence[str] | None = None) -> None:
    """Run the stage from the command line."""
    run_stage(STAGE, STAGE_VERSION, _work, one=("movie", "index", "trajectories", "reference", "out"), argv=argv)


if __name__ == "__main__":
    main()
