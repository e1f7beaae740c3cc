"""Stage segment: decodes a movie once and keeps its blobs: features, outlines as runs, and images of some of them."""

import sys
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from queue import Queue
from threading import Event, Thread

import numpy as np
from numpy.typing import NDArray

from herdbook.artifacts import Background, Blobs, Index
from herdbook.check import arena_faults
from herdbook.errors import HerdbookError
from herdbook.movie import read_frames
from herdbook.pieces import Piece, PieceWriter, segment_frames
from herdbook.progress import progress
from herdbook.segmentation import Segmenter
from herdbook.stage import Job, run_stage
from herdbook.store import columns_writer

STAGE = "segment"
STAGE_VERSION = 2

# A stretch is what one thread decodes at a time; it begins at a keyframe and has at least this many frames.
STRETCH_FRAMES = 500
# Pieces that wait for their turn to be written, per thread.
WAITING_PIECES = 16


def stretches(keyframe: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """First frame and end of each stretch, from the keyframe flags (frames,) of a movie; the same for any number of threads."""
    starts = [0]
    for frame in np.flatnonzero(keyframe):
        if frame - starts[-1] >= STRETCH_FRAMES:
            starts.append(int(frame))
    return list(pairwise([*starts, len(keyframe)]))


def segment_movie(movie: Path, index: Index, segmenter: Segmenter, *, image_step: int, threads: int) -> Iterator[Piece]:
    """Pieces of the whole movie in order; with several threads, that many stretches are decoded side by side."""
    parts = stretches(index.keyframe)

    def run(part: tuple[int, int], mine: Segmenter) -> Iterator[Piece]:
        return segment_frames(read_frames(movie, index.pts, *part), mine, image_step=image_step)

    if threads == 1 or len(parts) == 1:
        for part in parts:
            yield from run(part, segmenter)
        return

    stop = Event()
    queues: list[Queue[Piece | BaseException | None]] = [Queue(WAITING_PIECES) for _ in parts]

    def work(first: int) -> None:
        mine = segmenter.copy()
        for number in range(first, len(parts), threads):
            try:
                for piece in run(parts[number], mine):
                    queues[number].put(piece)
                    if stop.is_set():
                        return
                queues[number].put(None)
            except BaseException as error:
                queues[number].put(error)
                return

    # Threads hand over the interpreter often: each holds it only between the decoder and the kernels.
    interval = sys.getswitchinterval()
    sys.setswitchinterval(2e-4)
    workers = [Thread(target=work, args=(k,), daemon=True) for k in range(min(threads, len(parts)))]
    for worker in workers:
        worker.start()
    try:
        for queue in queues:
            while (piece := queue.get()) is not None:
                if isinstance(piece, BaseException):
                    raise piece
                yield piece
    finally:
        stop.set()
        for queue in queues:
            while not queue.empty():
                queue.get_nowait()
        sys.setswitchinterval(interval)


def _work(job: Job) -> None:
    index, background = Index.load(job.file("index")), Background.load(job.file("background"))
    settings, movie = job.settings, job.file("movie")
    faults = arena_faults(settings["arenas"], index.width, index.height)
    if faults:
        raise HerdbookError(f"{movie}: the arenas do not fit the frame:\n  " + "\n  ".join(faults))
    segmenter = Segmenter(background.luma, background.bgr, settings, index.full_range)
    step = max(1, round(index.fps / settings["images_per_s"]))
    pieces = segment_movie(movie, index, segmenter, image_step=step, threads=job.threads)
    with columns_writer(job.file("out"), Blobs.kind, job.provenance()) as writer:
        store = PieceWriter(writer)
        for piece in progress(pieces, total=len(index), stage=STAGE, size=lambda piece: piece.frames):
            store.add(piece)
        if store.blobs == 0:
            raise HerdbookError(
                f"{movie}: no blob was found in {len(index)} frames. Lower segment.difference ({settings['difference']}), check "
                f"segment.polarity ({settings['polarity']}) and segment.area ({settings['area']})."
            )
        store.finish(frames=len(index), width=index.width, height=index.height, fps=index.fps)


def main(argv: Sequence[str] | None = None) -> None:
    """Run the stage from its command line."""
    run_stage(STAGE, STAGE_VERSION, _work, one=("movie", "index", "background", "out"), argv=argv)


if __name__ == "__main__":
    main()
