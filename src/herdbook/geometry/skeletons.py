"""Which body points are joined by lines: a tree over the points, learned from how they move."""

import numpy as np

from herdbook.arrays import Floats, Ints

# Distances of two points in fewer poses than this say nothing of how they are joined.
LEAST_POSES = 10


def join_points(xy: Floats) -> Ints:
    """Edges (k, 2) int64, numbers of points with the smaller first, of a minimum spanning tree over the points of poses (n, points, 2), NaN
    where missing; several trees if no pose has points of both.

    Two points on the same part of a body keep their distance while the body bends: its spread tells what is joined. Where the body is stiff
    all distances spread alike, by the error of the points. Relative to their mean the longest ones then spread least, and lines run across
    the body (from head to abdomen, and from wings to forelegs, on flies). So the length of an edge is the spread times the mean: of what is
    equally stiff, neighbours are joined. Both are medians, which points under a wrong name hardly change.
    """
    length = _lengths(xy)
    points = xy.shape[1]
    joined, edges = np.zeros(points, bool), []
    nearest, cost = np.full(points, -1), np.full(points, np.inf)
    for _ in range(points):
        # Prim's algorithm; a point without a finite edge begins a tree.
        new = int(np.where(joined, np.inf, cost).argmin()) if np.isfinite(cost[~joined]).any() else int(joined.argmin())
        joined[new] = True
        if nearest[new] >= 0:
            edges.append(sorted((int(nearest[new]), new)))
        closer = ~joined & (length[new] < cost)
        nearest[closer], cost[closer] = new, length[new, closer]
    return np.array(sorted(edges), np.int64).reshape(-1, 2)


def _lengths(xy: Floats) -> Floats:
    """Length (points, points) of each edge, infinite where it is not known."""
    points = xy.shape[1]
    length = np.full((points, points), np.inf)
    for one in range(points):
        for other in range(one):
            away = np.hypot(*(xy[:, one] - xy[:, other]).T)
            away = away[np.isfinite(away)]
            if len(away) >= LEAST_POSES:
                middle = np.median(away)
                length[one, other] = length[other, one] = np.median(np.abs(away - middle)) * middle
    return length
