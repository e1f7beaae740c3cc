"""Where each animal is inside a merged blob: as many ellipses as animals, fitted to the blob's pixels frame after frame.

The ellipses start where the animals entered and are followed forward; another set starts where they left and is followed backward;
`positions` joins both. The shape is that of an animal alone; place and angle are fitted by expectation maximisation with a pull towards the
place and angle of the frame before. Points are (x, y) px.
"""

from itertools import count
from math import gcd

import numpy as np
from numba import njit
from numpy.typing import NDArray

from herdbook.arrays import Floats

ITERATIONS = 6
# The pull of the frame before, as a share of the weight of an animal's pixels.
PULL = 0.15
# A large blob is fitted on a sample of its pixels of about this size per animal.
PIXELS_PER_ANIMAL = 250
GOLDEN_SECTION = (5**0.5 - 1) / 2


def blob_pixels(runs: NDArray[np.int32], most: int) -> Floats:
    """Pixels (n, 2) x, y of a blob from its runs (r, 3) row, first, last column (inclusive).

    All of them, or from twice `most` on an even sample of one to two times `most`.
    """
    row, first, last = runs.astype(np.int64).T
    step = max(1, int((last - first + 1).sum()) // max(1, most))
    # Every n-th pixel of each row, shifted from row to row by the golden section: a lattice that is even in all directions. Taking every
    # n-th pixel of the whole blob leaves its centre three times as uncertain, and falls on a few columns where all rows are equally long.
    shear = next(k for k in count(round(step * GOLDEN_SECTION)) if gcd(k, step) == 1)
    begin = first + (-first - shear * row) % step
    number = np.maximum(0, (last - begin) // step + 1)
    run = np.repeat(np.arange(len(runs)), number)
    nth = np.arange(len(run)) - np.repeat(np.cumsum(number) - number, number)
    return np.stack([begin[run] + nth * step, row[run]], 1).astype(np.float64)


def fit_ellipses(pixels: Floats, centres: Floats, angles: Floats, variances: tuple[float, float]) -> tuple[Floats, Floats]:
    """Place and angle of k animals in a blob.

    `pixels` (n, 2); `centres` (k, 2) and `angles` (k,) rad of the frame before (or a guess); `variances` of an animal's pixels along and
    across its body, px². Returns the new centres (k, 2) and angles (k,); the result does not depend on the order of the animals.
    """
    return _fit(pixels, centres, angles, float(variances[0]), float(variances[1]))  # type: ignore[no-any-return]


@njit(cache=True, nogil=True)
def _fit(pixels, centres, angles, along, across):  # type: ignore[no-untyped-def]
    k = len(centres)
    start, start_angle = centres.copy(), angles.copy()
    centres, angles = centres.copy(), angles.copy()
    pull = PULL * len(pixels) / k
    share = np.empty(k)
    for _ in range(ITERATIONS):
        weight = np.zeros(k)
        first = np.zeros((k, 2))
        second = np.zeros((k, 3))
        cosine, sine = np.cos(angles), np.sin(angles)
        for p in range(len(pixels)):
            nearest = np.inf
            for j in range(k):
                dx, dy = pixels[p, 0] - centres[j, 0], pixels[p, 1] - centres[j, 1]
                u, v = cosine[j] * dx + sine[j] * dy, cosine[j] * dy - sine[j] * dx
                share[j] = 0.5 * (u * u / along + v * v / across)
                nearest = min(nearest, share[j])
            total = 0.0
            for j in range(k):
                share[j] = np.exp(nearest - share[j])
                total += share[j]
            for j in range(k):
                w = share[j] / total
                dx, dy = pixels[p, 0] - centres[j, 0], pixels[p, 1] - centres[j, 1]
                weight[j] += w
                first[j, 0] += w * dx
                first[j, 1] += w * dy
                second[j, 0] += w * dx * dx
                second[j, 1] += w * dx * dy
                second[j, 2] += w * dy * dy
        for j in range(k):
            total = weight[j] + pull
            mx = (first[j, 0] + pull * (start[j, 0] - centres[j, 0])) / total
            my = (first[j, 1] + pull * (start[j, 1] - centres[j, 1])) / total
            lean = pull * (along - across)
            twice_x = second[j, 0] - second[j, 2] - weight[j] * (mx * mx - my * my) + lean * np.cos(2 * start_angle[j])
            twice_y = 2 * (second[j, 1] - weight[j] * mx * my) + lean * np.sin(2 * start_angle[j])
            centres[j, 0] += mx
            centres[j, 1] += my
            turned = 0.5 * np.arctan2(twice_y, twice_x)
            # An axis has no head: keep the turn nearest to the angle before.
            turned += np.pi * np.round((angles[j] - turned) / np.pi)
            angles[j] = turned
    return centres, angles


def spread_guess(pixels: Floats, taken: Floats, count: int) -> Floats:
    """Places (count, 2) for animals of which nothing is known: each where the blob is farthest from those before it and from `taken`."""
    places = list(taken)
    for _ in range(count):
        if places:
            away = np.min([np.hypot(*(pixels - p).T) for p in places], axis=0)
            places.append(pixels[int(np.argmax(away))])
        else:
            places.append(pixels.mean(axis=0))
    return np.array(places[len(taken) :], np.float64).reshape(count, 2)
