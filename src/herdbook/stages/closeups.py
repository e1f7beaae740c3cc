"""Stage `closeups`: a movie of each animal, which stays in its middle, with a table that leads back to the whole frame."""

import sys
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from herdbook.arrays import Image
from herdbook.drawing.closeup_files import file_stems, replacing_folder, write_closeup_table
from herdbook.drawing.tracked_movie import ENCODER, even_length, load_tracks, shown_frames
from herdbook.drawing.views import View, cut_view, plan_views
from herdbook.job import Job, run_stage
from herdbook.movie.reading import read_frame_samples
from herdbook.movie.writing import MovieWriter
from herdbook.system.progress import progress

STAGE = "closeups"
STAGE_VERSION = 1

Recorder = Generator[None, Image, None]


def record_view(path: Path, view: View, size_px: int, fps: float, crf: int) -> Recorder:
    """Write the close-up of a view; each shown frame of the movie from its first to its last is sent in, uint8 (height, width, 3) BGR.

    At a constant rate, because tools for poses count frames.
    """
    with MovieWriter(path, size_px, size_px, fps, crf=crf, options=ENCODER) as writer:
        for x0, y0, angle in zip(view.x0.tolist(), view.y0.tolist(), view.angle.tolist(), strict=True):
            image = yield
            writer.write(cut_view(image, x0, y0, angle, size_px))


def feed_recorders(images: Iterable[Image], views: Sequence[View], recorders: Sequence[Callable[[], Recorder]], threads: int) -> None:
    """Send each image to the recorders of all views that it belongs to; each is started when its view begins."""
    waiting = sorted(range(len(views)), key=lambda number: views[number].first, reverse=True)
    running: dict[int, Recorder] = {}
    with ExitStack() as started, ThreadPoolExecutor(threads) as pool:
        for place, image in enumerate(images):
            while waiting and views[waiting[-1]].first == place:
                number = waiting.pop()
                running[number] = started.enter_context(closing(recorders[number]()))
                next(running[number])
            list(pool.map(partial(_send, image), running.values()))
            running = {number: recorder for number, recorder in running.items() if views[number].end > place + 1}


def _send(image: Image, recorder: Recorder) -> None:
    with suppress(StopIteration):
        recorder.send(image)


def _work(job: Job) -> None:
    cv2.setNumThreads(1)
    settings = job.settings
    index, tracks = load_tracks(job)
    shown = shown_frames(job, index)
    size_px = settings["size"] or even_length(job, settings["size_body"])
    views = plan_views(tracks, shown.frame, size_px, head_up=settings["head_up"], least_frames=settings["shortest_s"] * shown.fps)
    names = [tracks.individuals[view.individual] for view in views]
    fewer = len(np.unique(tracks.individual)) - len(views)
    print(f"closeups: {len(views)} of {size_px} px; {fewer} animals are seen for less than {settings['shortest_s']:g} s", file=sys.stderr)
    with replacing_folder(job.file("out")) as folder:
        stems = file_stems(names)
        movies = zip((folder / f"{stem}.mp4" for stem in stems), views, strict=True)
        recorders = [partial(record_view, path, view, size_px, shown.fps, settings["crf"]) for path, view in movies]
        images = (frame.bgr() for frame in read_frame_samples(job.file("movie"), index.pts, shown.frame.tolist()))
        feed_recorders(progress(images, total=len(shown), stage=STAGE), views, recorders, job.threads)
        for view, name, stem in zip(views, names, stems, strict=True):
            write_closeup_table(folder / f"{stem}.csv", view, name, shown.frame, index.time_s)


def main(argv: Sequence[str] | None = None) -> None:
    """Run the stage from the command line."""
    run_stage(STAGE, STAGE_VERSION, _work, one=("movie", "index", "trajectories", "reference", "out"), argv=argv)


if __name__ == "__main__":
    main()
