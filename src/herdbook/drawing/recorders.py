"""Close-ups of many animals written while the movie is read once: a recorder for each, fed frame by frame."""

from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress
from functools import partial
from pathlib import Path

from herdbook.arrays import Image
from herdbook.drawing.tracked_movie import ENCODER
from herdbook.drawing.views import View, cut_view
from herdbook.movie.writing import MovieWriter

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
