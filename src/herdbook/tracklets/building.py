"""Tracklets of one movie: blobs are linked from frame to frame, and the animals in each tracklet are counted."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from herdbook.artifacts.segment import BlobImages, Blobs
from herdbook.artifacts.tracklets import MULTIPLE, NOISE, SINGLE, Tracklets
from herdbook.geometry.intervals import interval_of
from herdbook.geometry.overlap import frame_overlaps
from herdbook.tracklets.counting import area_of_one, count_in_arenas
from herdbook.tracklets.linking import Chains, Links, chain_links, contract_chains, link_by_motion, link_overlapping, step_gate

# Number of blobs whose outlines are in memory at a time: 50,000 with forty rows each need 150 MB while they are unpacked.
BLOCK_BLOBS = 50_000


def build_tracklets(
    blobs: Blobs, links: Links, *, body_length_px: float, numbers: Sequence[int | None], max_step_px: float | None, bridge_frames: int
) -> Tracklets:
    """Tracklets of one movie from its blobs and their links by overlap, see `movie_links`; border edges are left empty.

    `numbers`: number of animals in each arena, None if unknown. `max_step_px`: longest step between two frames, None to learn it from the
    links. No tracklet or edge joins two arenas or two intervals.
    """
    gate = max_step_px or step_gate(links, blobs.x, blobs.y, body_length_px)
    group = blobs.arena.astype(np.int64) * len(blobs.intervals) + interval_of(blobs.frame, blobs.intervals)
    features = np.stack([np.log(blobs.area, dtype=np.float32), blobs.intensity], 1)
    links = link_by_motion(
        *(links, blobs.frame, blobs.x, blobs.y, blobs.area), max_step_px=gate, bridge_frames=bridge_frames, group=group, features=features
    )
    chains = chain_links(links, len(blobs))
    animals, _, _ = _count(blobs, chains, numbers)
    chains, _ = contract_chains(chains, animals)
    # Counted again: longer tracklets are better evidence.
    animals, margin, size = _count(blobs, chains, numbers)
    first, last, arena = _spans(blobs, chains)
    kind = np.select([animals == 0, animals == 1], [NOISE, SINGLE], MULTIPLE).astype(np.uint8)
    return Tracklets(
        frames=blobs.frames,
        blob_tracklet=chains.tracklet,
        first=first.astype(np.int32),
        last=last.astype(np.int32),
        animals=animals,
        animals_margin=margin,
        tracklet_kind=kind,
        arena=arena,
        size=size,
        edges=chains.edges.astype(np.int32).reshape(-1, 2),
        edge_weight=chains.weight.astype(np.float32),
        border_edges=np.zeros((0, 2), np.int64),
    )


def movie_links(blobs: Blobs, images: BlobImages) -> Links:
    """Links between blobs of consecutive frames that share pixels; outlines of some frames are read at a time."""
    offsets, first = blobs.frame_offsets, 0
    parts = [(np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros(0, np.float32))]
    while first < blobs.frames:
        # Up to the frame that completes a block, and one more, which is the first of the next block.
        last = int(np.clip(np.searchsorted(offsets, offsets[first] + BLOCK_BLOBS), first + 1, blobs.frames - 1))
        start, stop = int(offsets[first]), int(offsets[last + 1])
        runs, run_offsets = images.runs(start, stop)
        pairs = frame_overlaps(images.boxes(start, stop), runs, run_offsets, offsets[first : last + 2] - start)
        links = link_overlapping(pairs, blobs.area[start:stop])
        parts.append(((links.parent + start).astype(np.int32), (links.child + start).astype(np.int32), links.weight.astype(np.float32)))
        first = last if last < blobs.frames - 1 else blobs.frames
    parent, child, weight = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Links(parent, child, weight)


def _count(
    blobs: Blobs, chains: Chains, numbers: Sequence[int | None]
) -> tuple[NDArray[np.int16], NDArray[np.float32], NDArray[np.float32]]:
    """Number of animals in each tracklet, its margin, and the area of each tracklet in units of one animal's area in its arena."""
    first, last, arena = _spans(blobs, chains)
    order = np.argsort(chains.tracklet, kind="stable")
    offsets = np.searchsorted(chains.tracklet[order], np.arange(chains.count + 1))
    size = np.array([np.median(blobs.area[order[a:b]]) for a, b in pairwise(offsets)])
    for k, number in enumerate(numbers):
        here = blobs.arena == k
        size[arena == k] /= area_of_one(blobs.frame[here], blobs.area[here], number)
    ends = np.stack([order[offsets[:-1]], order[offsets[1:] - 1]], 1) if chains.count else np.zeros((0, 2), np.int64)
    animals, margin = count_in_arenas(
        size, first, last, chains.edges, blobs.border[ends], arena, numbers=numbers, intervals=blobs.intervals
    )
    return animals, margin, size.astype(np.float32)


def _spans(blobs: Blobs, chains: Chains) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int16]]:
    first = np.full(chains.count, np.iinfo(np.int64).max)
    last = np.full(chains.count, -1)
    np.minimum.at(first, chains.tracklet, blobs.frame)
    np.maximum.at(last, chains.tracklet, blobs.frame)
    arena = np.zeros(chains.count, np.int16)
    arena[chains.tracklet] = blobs.arena
    return first, last, arena
