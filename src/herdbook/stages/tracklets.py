"""Stage tracklets: blobs of one movie become tracklets with their merges, splits and numbers of animals."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from herdbook.artifacts.segment import Blobs, open_blob_images
from herdbook.artifacts.tracklets import Tracklets
from herdbook.geometry.ellipses import body_length
from herdbook.geometry.overlap import frame_overlaps
from herdbook.job import Job, run_stage
from herdbook.system.words import say
from herdbook.tracklets.building import build_tracklets, movie_links
from herdbook.tracklets.excess import excess_sentence, lasting_excess
from herdbook.tracklets.linking import link_by_motion, link_overlapping
from herdbook.tracklets.seams import compare_seam, seam_sentence

STAGE = "tracklets"
STAGE_VERSION = 6


def _work(job: Job) -> None:
    settings = job.settings
    blobs = Blobs.load(job.file("blobs"), without=("box", "contrast", "image"))
    body_length_px = body_length(blobs.moments)
    blobs.moments = blobs.moments[:0]
    with open_blob_images(job.file("blobs")) as images:
        links = movie_links(blobs, images)
    result = build_tracklets(
        blobs,
        links,
        body_length_px=body_length_px,
        numbers=settings["numbers"],
        max_step_px=settings["max_step"],
        bridge_frames=settings["bridge"],
    )
    if job.files["previous"]:
        _join_previous(job, blobs, body_length_px, result)
    result.save(job.file("out"), job.provenance())
    if settings.get("on_excess") != "ignore":
        _warn(result, blobs, settings["numbers"])


def _warn(tracklets: Tracklets, blobs: Blobs, numbers: Sequence[int | None]) -> None:
    spans = tracklets.first.astype(np.int64), tracklets.last.astype(np.int64), tracklets.arena.astype(np.int64)
    tracked = int(np.diff(blobs.intervals).sum())
    for excess in lasting_excess(*spans, tracklets.size.astype(np.float64), numbers=numbers, frames=blobs.frames, fps=blobs.fps):
        name = f"number {excess.arena + 1}" if len(numbers) > 1 else ""
        say(f"{STAGE}: {excess_sentence(excess, name, tracked)}")


def _join_previous(job: Job, blobs: Blobs, body_length_px: float, tracklets: Tracklets) -> None:
    """Link what is in the last frame of the previous movie to what is in the first of this one, if the seam between them is not broken."""
    before = Blobs.load(job.file("previous"), without=("box", "moments", "contrast", "intensity", "image"))
    seam = compare_seam(before, blobs, body_length_px)
    tracklets.seam_animals, tracklets.seam_moved, tracklets.seam_usual = seam
    tracklets.seam_broken = seam.broken
    if seam.broken:
        say(f"{STAGE}: {seam_sentence(job.file('previous').stem, job.file('blobs').stem, seam)}")
    else:
        tracklets.border_edges = _border_edges(job, before, blobs, body_length_px)


def _border_edges(job: Job, before: Blobs, blobs: Blobs, body_length_px: float) -> NDArray[np.int64]:
    """Links from the last frame of the previous movie to the first of this one."""
    tail = int(np.searchsorted(before.frame, before.frames - 1))
    head = int(np.searchsorted(blobs.frame, 1))
    with open_blob_images(job.file("previous")) as images:
        old_runs, old_offsets = images.runs(tail, len(before))
        boxes = [images.boxes(tail, len(before))]
    with open_blob_images(job.file("blobs")) as images:
        new_runs, new_offsets = images.runs(0, head)
        boxes.append(images.boxes(0, head))

    def joined(name: str) -> NDArray[Any]:
        return np.concatenate([getattr(before, name)[tail:], getattr(blobs, name)[:head]])

    old = len(before) - tail
    offsets = np.concatenate([old_offsets, new_offsets[1:] + len(old_runs)])
    overlaps = frame_overlaps(np.concatenate(boxes), np.concatenate([old_runs, new_runs]), offsets, np.array([0, old, old + head]))
    area, x, y = joined("area"), joined("x"), joined("y")
    frame = np.repeat([0, 1], [old, head]).astype(np.int32)
    links = link_overlapping(overlaps, area)
    gate = job.settings["max_step"] or 1.5 * body_length_px
    group = joined("arena").astype(np.int64)
    links = link_by_motion(links, frame, x, y, area, max_step_px=gate, bridge_frames=0, group=group)
    return np.stack([links.parent + tail, links.child - old], 1)


def main(argv: Sequence[str] | None = None) -> None:
    """Run the stage from its command line."""
    run_stage(STAGE, STAGE_VERSION, _work, one=("blobs", "out"), optional=("previous",), argv=argv)


if __name__ == "__main__":
    main()
