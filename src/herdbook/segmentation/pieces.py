"""Pieces of the segment artifact: blobs, their columns, and selected images, of a few frames at a time.

Each stretch of frames gives a series of pieces; those of consecutive stretches are appended to the artifact in order. Stretches begin at
keyframes of the movie and do not depend on the number of threads, and therefore neither does the artifact.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from herdbook.artifacts.images import image_boxes, image_samples, pack_images
from herdbook.artifacts.outlines import RUN_COLUMNS, pack_runs
from herdbook.artifacts.store import ColumnsWriter
from herdbook.geometry.overlap import frame_overlaps
from herdbook.movie.frame import Coding, Frame
from herdbook.segmentation import components
from herdbook.segmentation.segmenter import Segmenter
from herdbook.segmentation.tables import joined_blobs, no_blobs, runs_of

# Frames whose blobs are compared and measured together. Their pixels are kept in memory: 16 frames of 1080p are 50 MB.
BATCH_FRAMES = 16
NO_LOST = np.zeros((0, 4), np.int32)


@dataclass
class Piece:
    """Blobs of some consecutive frames.

    `columns` as in the artifact; `runs` (r, 3) with `run_offsets` (n + 1,); per image `image_blob` (m,), its blob, and `image_box` (m, 4);
    `samples` of all images with `image_offsets` (m + 1,); `lost` int32 (k, 4) as in the artifact.
    Numbers of blobs and offsets begin at 0 in each piece. `broken`: frames that were
    not segmented.
    """

    frames: int
    broken: list[int]
    columns: dict[str, NDArray[Any]]
    runs: NDArray[np.int32]
    run_offsets: NDArray[np.int64]
    image_blob: NDArray[np.int64]
    image_box: NDArray[np.int32]
    image_offsets: NDArray[np.int64]
    samples: NDArray[np.uint8]
    coding: Coding
    lost: NDArray[np.int32] = field(default_factory=lambda: NO_LOST)

    def __len__(self) -> int:
        return len(self.run_offsets) - 1


def segment_frames(frames: Iterable[Frame], segmenter: Segmenter, *, image_step: int) -> Iterator[Piece]:
    """Segment a stretch of frames and yield its pieces.

    The image of a blob is kept in every `image_step`-th frame, and wherever it does not overlap exactly one blob in the frames before and
    after (also at both ends of the stretch), so that every tracklet has images, whatever its length.
    """
    held: list[tuple[Frame, components.FrameBlobs]] = []
    broken: list[int] = []
    lost: list[NDArray[np.int32]] = []
    known = np.zeros(0, bool)
    for frame in frames:
        found = segmenter.separate(frame)
        if found is None:
            broken.append(frame.index)
        elif len(found[1]):
            lost.append(np.insert(found[1], 0, frame.index, axis=1))
        held.append((frame, no_blobs() if found is None else found[0]))
        if len(held) == 1 and not len(known):
            known = np.zeros(len(held[0][1]), bool)
        if len(held) > BATCH_FRAMES:
            piece, known = _measure(held[:-1], held[-1][1], known, segmenter, image_step, broken)
            piece.lost = np.concatenate([NO_LOST, *lost])
            yield piece
            held, broken, lost = held[-1:], [], []
    if held:
        piece = _measure(held, None, known, segmenter, image_step, broken)[0]
        piece.lost = np.concatenate([NO_LOST, *lost])
        yield piece


def joined_pieces(pieces: Iterable[Piece], frames: int) -> Iterator[Piece]:
    """Consecutive pieces joined to pieces of at least `frames` frames: a few large ones are faster to transfer than many small ones."""
    waiting: list[Piece] = []
    for piece in pieces:
        waiting.append(piece)
        if sum(part.frames for part in waiting) >= frames:
            yield _join(waiting)
            waiting = []
    if waiting:
        yield _join(waiting)


def _join(pieces: list[Piece]) -> Piece:
    blobs, images, runs = (np.cumsum([0, *counts]) for counts in _counts(pieces))

    def offsets(name: str, starts: NDArray[np.int64]) -> NDArray[np.int64]:
        later = [getattr(piece, name)[1:] + start for piece, start in zip(pieces, starts, strict=False)]
        return np.concatenate([np.zeros(1, np.int64), *later])

    return Piece(
        frames=sum(piece.frames for piece in pieces),
        broken=[frame for piece in pieces for frame in piece.broken],
        columns={name: np.concatenate([piece.columns[name] for piece in pieces]) for name in pieces[0].columns},
        runs=np.concatenate([piece.runs for piece in pieces]),
        run_offsets=offsets("run_offsets", runs),
        image_blob=np.concatenate([piece.image_blob + start for piece, start in zip(pieces, blobs, strict=False)]),
        image_box=np.concatenate([piece.image_box for piece in pieces]),
        image_offsets=offsets("image_offsets", images),
        samples=np.concatenate([piece.samples for piece in pieces]),
        coding=pieces[0].coding,
        lost=np.concatenate([piece.lost for piece in pieces]),
    )


def _counts(pieces: list[Piece]) -> tuple[list[int], list[int], list[int]]:
    """Numbers of blobs, samples and runs of each piece."""
    return [len(p) for p in pieces], [len(p.samples) for p in pieces], [len(p.runs) for p in pieces]


def _measure(
    held: list[tuple[Frame, components.FrameBlobs]],
    ahead: components.FrameBlobs | None,
    known: NDArray[np.bool_],
    segmenter: Segmenter,
    image_step: int,
    broken: list[int],
) -> tuple[Piece, NDArray[np.bool_]]:
    """The piece of the frames `held`, and whether each blob of the next frame `ahead` has a unique partner in the frame before it.

    `known` is the latter for the blobs of the first frame.
    """
    parts = [blobs for _, blobs in held] + ([ahead] if ahead is not None else [])
    counts = np.array([len(blobs) for blobs in parts])
    frame_offsets = np.concatenate([[0], np.cumsum(counts)])
    here = int(frame_offsets[len(held)])
    table = joined_blobs(parts)
    boxes = np.stack([table.x0, table.y0, table.x1, table.y1], 1)
    before, after = unique_partners(frame_overlaps(boxes, table.runs, table.run_offsets, frame_offsets), len(table))
    before[: counts[0]] = known
    numbers = np.array([frame.index for frame, _ in held], np.int32)
    frame = np.repeat(numbers, counts[: len(held)])
    wanted = (frame % image_step == 0) | ~(before & after)[:here]
    columns = segmenter.columns(frame, table)

    height, width = segmenter.shape
    image_blob = np.flatnonzero(wanted)
    image_box = image_boxes(boxes[:here][image_blob], width, height)
    coding = held[0][0].coding
    samples = [np.zeros(0, np.uint8)]
    place = np.searchsorted(image_blob, frame_offsets)
    for k, (picture, blobs) in enumerate(held):
        mine = image_blob[place[k] : place[k + 1]] - frame_offsets[k]
        if len(mine):
            runs, offsets = runs_of(blobs.runs, blobs.run_offsets, mine)
            samples.append(pack_images(picture.planes(), coding, image_box[place[k] : place[k + 1]], runs, offsets))
    piece = Piece(
        frames=len(held),
        broken=broken,
        columns=columns,
        runs=table.runs[: table.run_offsets[here]],
        run_offsets=table.run_offsets[: here + 1],
        image_blob=image_blob.astype(np.int64),
        image_box=image_box,
        image_offsets=np.concatenate([[0], np.cumsum(image_samples(image_box, coding))]).astype(np.int64),
        samples=np.concatenate(samples),
        coding=coding,
    )
    return piece, before[here:]


def unique_partners(overlaps: NDArray[np.int64], blobs: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Whether each blob, bool (n,), overlaps exactly one blob of the frame before, and of the frame after, which overlaps no other blob.

    `overlaps` int64 (m, 3): blob, blob of the next frame, number of shared pixels.
    """
    a, b = overlaps[:, 0], overlaps[:, 1]
    unique = (np.bincount(a, minlength=blobs)[a] == 1) & (np.bincount(b, minlength=blobs)[b] == 1)
    before, after = np.zeros(blobs, bool), np.zeros(blobs, bool)
    after[a[unique]] = True
    before[b[unique]] = True
    return before, after


class PieceWriter:
    """Appends pieces to a segment artifact. Rows are collected first: a write per piece would take longer than the segmentation."""

    FLUSH_FRAMES = 512

    def __init__(self, writer: ColumnsWriter) -> None:
        self._writer = writer
        self._parts: dict[str, list[NDArray[Any]]] = {}
        self._frames = self.blobs = self._images = self._runs = self._samples = 0
        self._coding: Coding | None = None
        self._push(run_offsets=np.zeros(1, np.int64), image_offsets=np.zeros(1, np.int64))

    def add(self, piece: Piece) -> None:
        """Append one piece."""
        image = np.full(len(piece), -1, np.int64)
        image[piece.image_blob] = self._images + np.arange(len(piece.image_blob))
        self._push(
            **piece.columns,
            image=image,
            **dict(zip(RUN_COLUMNS, pack_runs(piece.runs, piece.run_offsets), strict=True)),
            run_offsets=piece.run_offsets[1:] + self._runs,
            image_blob=piece.image_blob + self.blobs,
            image_box=piece.image_box,
            image_offsets=piece.image_offsets[1:] + self._samples,
            image_pixels=piece.samples,
            lost=piece.lost,
        )
        self._coding = self._coding or piece.coding
        self.blobs += len(piece)
        self._images += len(piece.image_blob)
        self._runs += len(piece.runs)
        self._samples += len(piece.samples)
        before = self._frames // self.FLUSH_FRAMES
        self._frames += piece.frames
        if self._frames // self.FLUSH_FRAMES > before:
            self._flush()

    def finish(self, intervals: NDArray[np.int64], **attributes: Any) -> None:
        """Write the collected rows, the segmented intervals (k, 2), and the attributes of the file."""
        self._flush()
        self._writer.put("intervals", intervals)
        assert self._coding is not None
        self._writer.put("image_grey", self._coding.grey)
        self._writer.put("image_terms", self._coding.terms)
        self._writer.attribute("image_coding", json.dumps([self._coding.kind, *self._coding.shifts]))
        for name, value in attributes.items():
            self._writer.attribute(name, value)

    def _flush(self) -> None:
        for name, parts in self._parts.items():
            self._writer.append(name, np.concatenate(parts))
        self._parts.clear()

    def _push(self, **columns: NDArray[Any]) -> None:
        for name, values in columns.items():
            self._parts.setdefault(name, []).append(values)
