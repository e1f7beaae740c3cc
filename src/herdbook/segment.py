"""Stage segment: decodes a movie once and keeps its blobs: features, outlines as runs, and images of some of them."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from herdbook import labelling
from herdbook.artifacts import Background, Blobs, Index
from herdbook.check import arena_faults
from herdbook.errors import HerdbookError
from herdbook.movie import Frame, read_frames
from herdbook.overlap import frame_overlaps
from herdbook.progress import progress
from herdbook.segmentation import Segmenter, blank_surroundings, image_box, one_to_one
from herdbook.stage import Job, run_stage
from herdbook.store import ColumnsWriter, columns_writer

STAGE = "segment"
STAGE_VERSION = 1

# Rows are written in batches: a write per frame would cost more than the segmentation.
BATCH_FRAMES = 256


class _Batch:
    """Collects the columns of many frames and writes them together; numbers blobs and images."""

    def __init__(self, writer: ColumnsWriter) -> None:
        self._writer = writer
        self._parts: dict[str, list[NDArray[Any]]] = {}
        self._frames = self._blobs = self._images = self._pixels = self._runs = 0
        for name in ("run_offsets", "image_offsets"):
            writer.append(name, np.zeros(1, np.int64))

    def add(self, columns: dict[str, NDArray[Any]], blobs: labelling.Blobs, images: list[tuple[int, NDArray[Any], NDArray[Any]]]) -> None:
        """One frame: its columns, its blobs, and its images as (blob, box, pixels)."""
        row = np.full(len(blobs), -1, np.int64)
        for blob, box, pixels in images:
            row[blob] = self._images
            self._pixels += pixels.size
            self._images += 1
            self._push("image_blob", np.array([self._blobs + blob]))
            self._push("image_box", box[None].astype(np.int32))
            self._push("image_offsets", np.array([self._pixels]))
            self._push("image_pixels", pixels.ravel())
        for name, values in columns.items():
            self._push(name, values)
        self._push("image", row)
        self._push("runs", blobs.runs.astype(np.int16))
        self._push("run_offsets", blobs.run_offsets[1:] + self._runs)
        self._runs += len(blobs.runs)
        self._blobs += len(blobs)
        self._frames += 1
        if self._frames % BATCH_FRAMES == 0:
            self.flush()

    def flush(self) -> None:
        """Write what was collected."""
        for name, parts in self._parts.items():
            self._writer.append(name, np.concatenate(parts))
        self._parts.clear()

    def _push(self, name: str, values: NDArray[Any]) -> None:
        self._parts.setdefault(name, []).append(values)


def segment_movie(frames: Iterator[Frame], segmenter: Segmenter, batch: _Batch, *, grey: bool, image_step: int) -> int:
    """Segment frame after frame; returns the number of blobs.

    A frame is written when the next one is known: a blob's image is kept every `image_step` frames, and wherever the blob is not the one
    and only partner of one blob before and after it, so that every tracklet has images whatever its length.
    """
    total = 0
    waiting: tuple[Frame, labelling.Blobs, NDArray[np.bool_]] | None = None
    for frame in frames:
        blobs = segmenter.blobs(frame.luma, frame.bgr() if segmenter.needs_colour else None)
        total += len(blobs)
        partner = np.zeros(len(blobs), bool)
        if waiting is not None:
            left, partner = _partners(waiting[1], blobs)
            _write(batch, segmenter, *waiting, left, grey, image_step)
        waiting = (frame, blobs, partner)
    if waiting is not None:
        _write(batch, segmenter, *waiting, np.zeros(len(waiting[1]), bool), grey, image_step)
    return total


def _partners(old: labelling.Blobs, new: labelling.Blobs) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    boxes = np.concatenate([np.stack([b.x0, b.y0, b.x1, b.y1], 1) for b in (old, new)])
    offsets = np.concatenate([old.run_offsets, new.run_offsets[1:] + len(old.runs)])
    overlaps = frame_overlaps(boxes, np.concatenate([old.runs, new.runs]), offsets, np.array([0, len(old), len(boxes)]))
    return one_to_one(overlaps, len(old), len(new))


def _write(
    batch: _Batch,
    segmenter: Segmenter,
    frame: Frame,
    blobs: labelling.Blobs,
    before: NDArray[np.bool_],
    after: NDArray[np.bool_],
    grey: bool,
    image_step: int,
) -> None:
    columns = segmenter.columns(frame.index, blobs)
    wanted = np.ones(len(blobs), bool) if frame.index % image_step == 0 else ~(before & after)
    height, width = segmenter.arena.shape
    images = []
    for blob in np.flatnonzero(wanted):
        box = image_box(columns["box"][blob], width, height)
        x0, y0, x1, y1 = box
        pixels = frame.luma[y0:y1, x0:x1, None] if grey else frame.bgr_patch(*box)
        images.append((int(blob), np.array(box), blank_surroundings(pixels, blobs.runs_of(int(blob)), x0, y0)))
    batch.add(columns, blobs, images)


def _work(job: Job) -> None:
    index, background = Index.load(job.file("index")), Background.load(job.file("background"))
    settings, movie = job.settings, job.file("movie")
    faults = arena_faults(settings["arenas"], index.width, index.height)
    if faults:
        raise HerdbookError(f"{movie}: the arenas do not fit the frame:\n  " + "\n  ".join(faults))
    segmenter = Segmenter(background.luma, background.bgr, settings, index.full_range)
    frames = progress(read_frames(movie, index.pts), total=len(index), stage=STAGE)
    step = max(1, round(index.fps / settings["images_per_s"]))
    with columns_writer(job.file("out"), Blobs.kind, job.provenance()) as writer:
        batch = _Batch(writer)
        total = segment_movie(frames, segmenter, batch, grey=index.grey, image_step=step)
        batch.flush()
        if total == 0:
            raise HerdbookError(
                f"{movie}: no blob was found in {len(index)} frames. Lower segment.difference ({settings['difference']}), check "
                f"segment.polarity ({settings['polarity']}) and segment.area ({settings['area']})."
            )
        for name, value in {"frames": len(index), "width": index.width, "height": index.height, "fps": index.fps}.items():
            writer.attribute(name, value)
        writer.attribute("channels", 1 if index.grey else 3)


def main(argv: Sequence[str] | None = None) -> None:
    """Run the stage from its command line."""
    run_stage(STAGE, STAGE_VERSION, _work, one=("movie", "index", "background", "out"), argv=argv)


if __name__ == "__main__":
    main()
