"""Animals with tails: a place is then that of the body, for the centroid of the outline follows the tail.

Whether animals have tails is learned from those of the movie that are alone.
"""

from dataclasses import replace

import numpy as np

from herdbook.arrays import Ints, Runs
from herdbook.artifacts.segment import BlobImage, BlobImages, Blobs
from herdbook.geometry.bodies import body_mask, body_runs, half_width, run_moments
from herdbook.positions.scene import RunsOf

# What is thinner than this share of an animal's greatest half width is no part of its body. A mouse's tail has a sixth to a fifth of it, an
# ant's head more than a third. Bodies of mice have their places within 2 % of a body length for any share from a fifth to a half.
THIN = 0.25
# Animals have tails if what is thin draws their centroids this far (body lengths, median of all). It is .08 and .11 in two films of mice,
# and at most .02 in films of ants and flies, whose legs and wings draw to all sides.
TAIL = 0.04
SAMPLED = 200


def tail_radius(images: BlobImages, alone: Ints) -> float | None:
    """Radius (px) of the disc that leaves the tails out of outlines; None where animals have no tails.

    `alone` are the blobs of single animals.
    """
    chosen = alone[np.linspace(0, len(alone) - 1, min(SAMPLED, len(alone))).round().astype(int)]
    outlines = [images.runs(blob, blob + 1)[0] for blob in chosen.tolist()]
    if not outlines:
        return None
    radius = THIN * float(np.median([half_width(runs) for runs in outlines]))
    whole = np.array([run_moments(runs) for runs in outlines])
    bodies = np.array([run_moments(_or_whole(runs, radius)) for runs in outlines])
    _, _, xx, xy, yy = bodies.T
    length = 4 * np.sqrt((xx + yy) / 2 + np.hypot((xx - yy) / 2, xy))
    drawn = np.hypot(*(whole - bodies)[:, :2].T) / length
    return radius if np.median(drawn) > TAIL else None


def with_bodies(blobs: Blobs, runs_of: RunsOf) -> Blobs:
    """The blobs with the places and moments of their outlines as `runs_of` gives them."""
    found = np.array([run_moments(runs_of(blob)) for blob in range(len(blobs))]).reshape(-1, 5)
    return replace(blobs, x=found[:, 0], y=found[:, 1], moments=found[:, 2:].astype(np.float32))


def bodies_only(runs_of: RunsOf, radius: float) -> RunsOf:
    """Outlines without tails."""
    return lambda blob: _or_whole(runs_of(blob), radius)


def body_image(image: BlobImage | None, radius: float | None) -> BlobImage | None:
    """An image whose mask leaves tails out."""
    if image is None or radius is None:
        return image
    mask = body_mask(image.mask, radius)
    return replace(image, mask=mask) if mask.any() else image


def _or_whole(runs: Runs, radius: float) -> Runs:
    body = body_runs(runs, radius)
    return body if len(body) else runs
