"""What the report says of blobs: arenas with fewer blobs than animals, animals too many, and blobs that were dropped."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from herdbook.arrays import Ints
from herdbook.artifacts.segment import Blobs, read_lost
from herdbook.artifacts.store import open_artifact, read_attributes, read_column
from herdbook.artifacts.tracklets import Tracklets
from herdbook.report.known import ratio
from herdbook.report.page import Cell, PageSection, Table, percent
from herdbook.segmentation.losses import lacks_animals, loss_words, sum_losses
from herdbook.tracklets.excess import excess_sentence, lasting_excess

# An arena has a row in the table if more than this share of its frames have fewer blobs than animals: animals that touch are one blob.
WORTH_A_ROW = 0.01
MOST_ROWS = 30


@dataclass(frozen=True)
class FoundBlobs:
    """What was found in one movie, in `tracked` frames: int64 (arenas,) frames with `fewer` blobs than animals, and with `more` blobs that
    last and are as large as an animal, both 0 where the number of animals is unknown; `warnings` are sentences.
    """

    movie: str
    tracked: int
    fewer: Ints
    more: Ints
    warnings: Sequence[str]


def read_found(movie: str, blobs: Path, tracklets: Tracklets, numbers: Sequence[int | None], names: Sequence[str]) -> FoundBlobs:
    """Count in the artifacts of a movie; numbers of animals in each arena, None where unknown, and names of the arenas, [] for none."""
    with open_artifact(blobs, Blobs.kind) as file:
        frame, arena, intervals = (read_column(file, name) for name in ("frame", "arena", "intervals"))
        fps, settings = float(file.attrs["fps"]), json.loads(read_attributes(file).get("settings", "{}"))
    lost, tracked = read_lost(blobs), int(np.diff(intervals).sum())
    known = [number for number in numbers if number is not None]
    counted = len(known) == len(numbers)
    lacking = lacks_animals(lost, frame, arena, known) if counted else None
    warnings = loss_words(sum_losses(lost, lacking), tracked, settings.get("area", (0, 0)), settings.get("min_contrast", 0.0))
    fewer, more = np.zeros(len(numbers), np.int64), np.zeros(len(numbers), np.int64)
    if counted:
        cells, counts = np.unique(frame.astype(np.int64) * len(known) + arena, return_counts=True)
        enough = counts >= np.array(known)[cells % len(known)]
        fewer = tracked - np.bincount(cells[enough] % len(known), minlength=len(known))
    spans = tracklets.first.astype(np.int64), tracklets.last.astype(np.int64), tracklets.arena.astype(np.int64)
    for excess in lasting_excess(*spans, tracklets.size.astype(np.float64), numbers=numbers, frames=tracklets.frames, fps=fps):
        more[excess.arena] = len(excess.frames)
        warnings.append(excess_sentence(excess, names[excess.arena] if names else "", tracked))
    return FoundBlobs(movie, tracked, fewer, more, warnings)


def found_warnings(found: Sequence[FoundBlobs]) -> list[str]:
    """All warnings, with the movies that they are about."""
    return [f"Movie {one.movie}: {warning}" for one in found for warning in one.warnings]


def found_section(found: Sequence[FoundBlobs], numbers: Sequence[int | None], names: Sequence[str]) -> PageSection:
    """The warnings, and the arenas in which there are often fewer or more blobs than animals, the worst first."""
    rows = []
    for one in found:
        for arena, number in enumerate(numbers):
            few, many = (ratio(int(counts[arena]), one.tracked) for counts in (one.fewer, one.more))
            if max(few, many) > WORTH_A_ROW:
                place = names[arena] if names else "whole frame"
                rows.append((-max(few, many), [Cell(one.movie), Cell(place), Cell(str(number)), Cell(percent(few)), Cell(percent(many))]))
    rows.sort(key=lambda row: row[0])
    header = ("movie", "arena", "animals", "fewer blobs", "more blobs")
    title = "Arenas with fewer or more blobs than animals" + (f", the worst {MOST_ROWS} of {len(rows)}" if len(rows) > MOST_ROWS else "")
    tables = [Table(header, [cells for _, cells in rows[:MOST_ROWS]], title)] if rows else []
    nothing = "No blob was dropped that could be an animal, and nowhere do more blobs last than there are animals."
    terms = [
        ("fewer blobs", "share of the frames with fewer blobs than animals: animals touch, hide, or are part of the background"),
        ("more blobs", "share of the frames with more blobs than animals that last a second and are as large as an animal"),
    ]
    return PageSection("What was found", found_warnings(found) or [nothing], tables, terms=terms if rows else ())
