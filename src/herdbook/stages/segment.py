"""Stage segment: decodes a movie once and keeps its blobs: features, outlines as runs, and images of some of them."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from herdbook.arrays import Ints
from herdbook.artifacts.background import Background
from herdbook.artifacts.index import Index
from herdbook.artifacts.segment import Blobs
from herdbook.artifacts.store import columns_writer
from herdbook.errors import HerdbookError
from herdbook.experiment.frame_faults import arena_faults
from herdbook.geometry.intervals import tracked_intervals
from herdbook.job import Job, run_stage
from herdbook.segmentation.excess import count_excess, excess_table, first_frames
from herdbook.segmentation.losses import loss_words, sum_losses
from herdbook.segmentation.pieces import NO_LOST, Piece, PieceWriter
from herdbook.segmentation.segmenter import Segmenter, unread_images
from herdbook.segmentation.stretches import segment_movie
from herdbook.segmentation.transitions import arena_sentences
from herdbook.system.files import write_text
from herdbook.system.progress import progress
from herdbook.system.words import say

STAGE = "segment"
STAGE_VERSION = 5

# A job that stops at frames with more blobs than animals names this many of them at most.
ENOUGH_EXCESS = 10


def excess_words(excess: NDArray[np.int64]) -> str:
    """The frames (m, 3) with more blobs than animals, in a sentence."""
    _, blobs, animals = excess[0]
    frames = first_frames(excess[:, 0].tolist())
    return f"there are more blobs than animals in frames {frames} ({blobs} blobs and {animals} animals in the first)."


def broken_words(broken: Sequence[int], tracked: int) -> str:
    """The frames that were not segmented, in a sentence."""
    return (
        f"{len(broken)} of {tracked} frames were not segmented, because they are black or differ from the background as a whole: "
        f"frames {first_frames(broken)}."
    )


def _work(job: Job) -> None:
    settings, movie = job.settings, job.file("movie")
    index, background = Index.load(job.file("index")), Background.load(job.file("background"), without=unread_images(settings))
    index.check_movie(movie)
    faults = arena_faults(settings["arenas"], index.width, index.height)
    if faults:
        raise HerdbookError(f"{movie}: the arenas do not fit the frame:\n  " + "\n  ".join(faults))
    for sentence in arena_sentences(background, [arena.get("name", "arena") for arena in settings["arenas"]]):
        say(f"{STAGE}: {sentence}")
    intervals = tracked_intervals(settings["intervals"], len(index), movie)
    segmenter = Segmenter(background, settings, index.full_range, job.files["masks"])
    step = max(1, round(index.fps / settings["images_per_s"]))
    pieces = segment_movie(movie, index, intervals, segmenter, image_step=step, threads=job.threads)
    tracked = int(np.diff(intervals).sum())
    with columns_writer(job.file("out"), Blobs.kind, job.provenance()) as writer:
        store = PieceWriter(writer)
        broken, excess, lost = _store_pieces(progress(pieces, total=tracked, stage=STAGE, size=lambda piece: piece.frames), store, settings)
        _check(movie, settings, store.blobs, broken, excess, tracked)
        store.finish(intervals, frames=len(index), width=index.width, height=index.height, fps=index.fps)
        for line in loss_words(sum_losses(lost), tracked, settings["area"], settings["min_contrast"]):
            say(f"{STAGE}: {line}")
        table = job.file("out").with_suffix(".excess.csv")
        write_text(table, excess_table(excess, index.time_s))
        if len(excess):
            say(f"{STAGE}: {excess_words(excess)} All of them are in {table}.")


def _store_pieces(pieces: Iterable[Piece], store: PieceWriter, settings: dict[str, Any]) -> tuple[list[int], Ints, NDArray[np.int32]]:
    """Store the pieces as they come; the frames that were not segmented, those (m, 3) with more blobs than animals, if that matters, and
    what was dropped (k, 4).
    """
    broken: list[int] = []
    lost = [NO_LOST]
    excess = np.zeros((0, 3), np.int64)
    for piece in pieces:
        store.add(piece)
        broken += piece.broken
        lost.append(piece.lost)
        if settings["on_excess"] != "ignore":
            excess = np.concatenate([excess, count_excess(piece.columns["frame"], piece.columns["arena"], settings["numbers"])])
        if settings["on_excess"] == "stop" and len(excess) >= ENOUGH_EXCESS:
            break
    return broken, excess, np.concatenate(lost)


def _check(movie: Path, settings: dict[str, Any], blobs: int, broken: list[int], excess: NDArray[np.int64], tracked: int) -> None:
    """HerdbookError for more blobs than animals, if the settings say so, or no blob at all; a note on frames that were not segmented."""
    if settings["on_excess"] == "stop" and len(excess):
        raise HerdbookError(f"{movie}: {excess_words(excess)} Raise segment.area or segment.difference, or let on_excess be warn.")
    if broken:
        say(f"{STAGE}: {broken_words(broken, tracked)}")
    if blobs == 0:
        raise HerdbookError(
            f"{movie}: no blob was found in {tracked} frames. Lower segment.difference ({settings['difference']}), check "
            f"segment.polarity ({settings['polarity']}) and segment.area ({settings['area']})."
            + (f" {broken_words(broken, tracked)}" if broken else "")
        )


def main(argv: Sequence[str] | None = None) -> None:
    """Run the stage from its command line."""
    run_stage(STAGE, STAGE_VERSION, _work, one=("movie", "index", "background", "out"), many=("masks",), argv=argv)


if __name__ == "__main__":
    main()
