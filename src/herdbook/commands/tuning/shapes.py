"""Opening and closing: radii at which animals that hang together by legs or tails come apart, and parts of one animal come together."""

from collections.abc import Iterator
from functools import partial

import numpy as np

from herdbook.arrays import Floats
from herdbook.commands.tuning.attempt import Proposal, animals_of_views, measured, pixels_of
from herdbook.commands.tuning.footage import Footage
from herdbook.geometry.ellipses import axis_lengths

# A radius is proposed if so much more of the animals are one blob each, which is one of 16 in every second frame; and of those nearly as
# good as the best one the smallest. Legs and antennae are lost for it.
WORTH_IT, NEARLY = 0.03, 0.01
# At least this share of the animals that are apart already must stay one blob: otherwise animals fall apart, or join.
UNHARMED = 0.98
# Blobs whose area is that of the median blob times something between these are taken for single animals.
SINGLE = 0.5, 1.5
# A disc fits into a body up to half of its width; legs and tails are thinner than half of it.
MOST_OF_WIDTH = 0.25
# Parts of one animal are apart by less than its width.
MOST_APART = 0.5
_RADII = (1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 25, 32, 40, 50)


def with_shapes(footage: Footage, proposal: Proposal) -> Proposal:
    """The proposal with radii of opening and closing, if these let more blobs be one animal each; as it is if the number is not known.

    Closing is tried where there are more blobs than animals, opening where there are fewer.
    """
    if proposal.animals is None:
        return proposal
    animals = animals_of_views(proposal.numbers, len(proposal.frames)).reshape(proposal.view_counts.shape)
    excess = float(np.maximum(proposal.view_counts / animals - 1, 0).mean())
    if excess > WORTH_IT:
        proposal = _best(footage, proposal, animals, "close_px", MOST_APART)
    lacking = float(np.maximum(1 - proposal.view_counts / animals, 0).mean())
    return _best(footage, proposal, animals, "open_px", MOST_OF_WIDTH) if lacking > WORTH_IT else proposal


def _best(footage: Footage, proposal: Proposal, animals: Floats, key: str, most: float) -> Proposal:
    before = getattr(proposal, key)
    tried = [found for radius in _radii(proposal, most) if radius > before and (found := measured(footage, proposal, **{key: radius}))]
    harmless = _still_single if key == "open_px" else partial(_still_counted, animals=animals)
    worth = [found for found in tried if found.agreement >= proposal.agreement + WORTH_IT and harmless(proposal, found) >= UNHARMED]
    best = max((found.agreement for found in worth), default=0.0)
    return next((found for found in worth if found.agreement >= best - NEARLY), proposal)


def _still_counted(before: Proposal, after: Proposal, animals: Floats) -> float:
    """Share of the views with as many blobs as animals that still have them."""
    exact = before.view_counts == animals
    return float((after.view_counts == animals)[exact].mean()) if exact.any() else 1.0


def _area_of_one(proposal: Proposal) -> float:
    """Typical area of one animal, px: the median in frames with as many blobs as animals, or else the mean of the total area."""
    animals = proposal.animals or 1
    areas = [blobs.area[kept] for blobs, kept in zip(proposal.blobs, proposal.accepted, strict=True)]
    exact = [area for area in areas if len(area) == animals]
    return float(np.median(np.concatenate(exact)) if exact else np.median([area.sum() / animals for area in areas]))


def _still_single(before: Proposal, after: Proposal) -> float:
    """Share of the blobs of single animals of which exactly one accepted blob is left after opening."""
    typical = _area_of_one(before)
    single = whole = 0
    rows = zip(before.frames, before.blobs, before.accepted, after.blobs, after.accepted, strict=True)
    for frame, blobs, kept, opened, left in rows:
        number = np.full(frame.luma.shape, -1, np.int32)
        for blob in range(len(blobs)):
            number[pixels_of(blobs.runs_of(blob))] = blob
        # Opening only takes pixels away: all of a blob that is left were of one blob.
        heads = opened.runs[opened.run_offsets[:-1]][left]
        parts = np.bincount(number[heads[:, 0], heads[:, 1]] + 1, minlength=len(blobs) + 1)[1:]
        alone = kept & (blobs.area >= SINGLE[0] * typical) & (blobs.area <= SINGLE[1] * typical)
        single, whole = single + int(alone.sum()), whole + int((parts[alone] == 1).sum())
    return whole / single if single else 1.0


def _radii(proposal: Proposal, most: float) -> Iterator[int]:
    """Radii up to a share of the width of the animals, px."""
    widths = [np.zeros(0)]
    for blobs, kept in zip(proposal.blobs, proposal.accepted, strict=True):
        widths.append(axis_lengths(blobs.mxx[kept], blobs.mxy[kept], blobs.myy[kept])[1])
    width = np.concatenate(widths)
    widest = most * float(np.median(width)) if len(width) else 0.0
    return (radius for radius in _RADII if radius <= widest)
