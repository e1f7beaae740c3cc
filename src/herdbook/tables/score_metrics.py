"""Figures that compare tracks with true positions: verdicts on cells, CLEAR MOT, HOTA, lasting switches. Distances are px."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.optimize import linear_sum_assignment

from herdbook.arrays import Bools, Floats, Ints
from herdbook.tables.score_pairs import Pairs, Tables, find_contacts, near_pairs

_HOTA_ALPHAS = np.arange(0.05, 0.99, 0.05)
_EPS = np.finfo(float).eps


@dataclass(frozen=True)
class CellVerdicts:
    """One verdict per truth row, and the distance (px) of the correct ones."""

    assigned: Bools
    correct: Bools
    wrong: Bools
    distance: Floats


def judge_cells(tables: Tables, near: Pairs, match: Ints) -> CellVerdicts:
    """Judge each true position by the predicted individual that its animal is matched to.

    `near`: pairs within the radius, of all individuals. `match` int64 (animals,): number of the predicted individual, or -1.
    """
    true, tracks = tables.truth, tables.predicted
    own = match[true.who]
    cell = tracks.frame * tables.names[1] + tracks.who
    wanted = true.frame * tables.names[1] + own
    row = np.searchsorted(cell, wanted)
    assigned = own >= 0
    assigned[row == len(cell)] = False
    row[~assigned] = 0
    assigned[assigned] = cell[row[assigned]] == wanted[assigned]

    hit = tracks.who[near.predicted] == own[near.truth]
    correct = np.zeros(len(own), bool)
    correct[near.truth[hit]] = True
    near_somebody = np.zeros(len(cell), bool)
    near_somebody[near.predicted] = True
    wrong = assigned & ~correct
    wrong[wrong] = near_somebody[row[wrong]]
    return CellVerdicts(assigned, correct, wrong, near.distance[hit])


def _without_rival(pairs: Pairs) -> Bools:
    """Pairs whose two rows are in no other pair: every matching takes them, so only the others need solving."""
    if not len(pairs.distance):
        return np.zeros(0, bool)
    alone: Bools = np.bincount(pairs.truth)[pairs.truth] == 1
    alone &= np.bincount(pairs.predicted)[pairs.predicted] == 1
    return alone


def _heaviest_matching(rows: Ints, columns: Ints, weights: Floats) -> Bools:
    """Which of the pairs (row, column) form the one-to-one matching of the greatest sum of positive weights."""
    row_of, column_of = (np.unique(side, return_inverse=True)[1] for side in (rows, columns))
    dense = np.zeros((row_of.max() + 1, column_of.max() + 1))
    dense[row_of, column_of] = weights
    taken = np.zeros(dense.shape, bool)
    taken[linear_sum_assignment(dense, maximize=True)] = True
    return taken[row_of, column_of]


def match_clear(tables: Tables, near: Pairs) -> Bools:
    """Which of the `near` pairs, bool (pairs,), are matches of CLEAR MOT (Bernardin & Stiefelhagen 2008).

    Each animal keeps its last track while that is near; then most of the rest are matched, at the least distance.
    """
    who, track = tables.truth.who[near.truth], tables.predicted.who[near.predicted]
    start = np.searchsorted(tables.truth.frame[near.truth], np.arange(len(tables.number) + 1))
    chosen = _without_rival(near)
    last_track = np.full(tables.names[0], -1)
    for first, end in pairwise(start):
        rivals = first + np.flatnonzero(~chosen[first:end])
        if len(rivals):
            kept = rivals[last_track[who[rivals]] == track[rivals]]
            kept = kept[np.unique(track[kept], return_index=True)[1]]
            chosen[kept] = True
            free = ~np.isin(who[rivals], who[kept]) & ~np.isin(track[rivals], track[kept])
            rest = rivals[free]
            if len(rest):
                enough = 1 + len(rest) * near.distance[rest].max()  # one match more outweighs all distances
                chosen[rest] = _heaviest_matching(who[rest], track[rest], enough - near.distance[rest])
        now = first + np.flatnonzero(chosen[first:end])
        last_track[who[now]] = track[now]
    return chosen


def count_switches(tables: Tables, near: Pairs, matched: Bools) -> int:
    """How often an animal's match is another track than its last one; `matched` bool (pairs,) from `match_clear`."""
    rows = near.truth[matched]
    order = np.lexsort((rows, tables.truth.who[rows]))
    who, track = tables.truth.who[rows][order], tables.predicted.who[near.predicted[matched]][order]
    return int(np.sum((np.diff(who) == 0) & (np.diff(track) != 0)))


def measure_hota(tables: Tables, wide: Pairs, radius_px: float) -> tuple[float, float, float]:
    """HOTA, DetA and AssA (Luiten et al. 2021), means over the thresholds; `wide`: pairs within twice the radius."""
    true, tracks = tables.truth, tables.predicted
    who, track = true.who[wide.truth], tracks.who[wide.predicted]
    similarity = 1 - wide.distance / (2 * radius_px)
    around_true = np.bincount(wide.truth, similarity)[wide.truth]
    around_track = np.bincount(wide.predicted, similarity)[wide.predicted]
    competing = around_true + around_track - similarity
    jaccard = np.divide(similarity, competing, out=np.zeros_like(similarity), where=competing > _EPS)
    potential = count_pairs(who, track, tables.names, jaccard)
    n_true = np.bincount(true.who, minlength=tables.names[0])[:, np.newaxis]
    n_track = np.bincount(tracks.who, minlength=tables.names[1])
    weights = (potential / (n_true + n_track - potential))[who, track] * similarity

    chosen = _without_rival(wide)
    rivals = np.flatnonzero(~chosen)
    for pairs in np.split(rivals, np.flatnonzero(np.diff(true.frame[wide.truth[rivals]])) + 1):
        if len(pairs):
            chosen[pairs] = _heaviest_matching(who[pairs], track[pairs], weights[pairs])
    detection, association = np.zeros(len(_HOTA_ALPHAS)), np.zeros(len(_HOTA_ALPHAS))
    for k, alpha in enumerate(_HOTA_ALPHAS):
        hit = chosen & (similarity >= alpha - _EPS)
        hits = int(hit.sum())
        matches = count_pairs(who[hit], track[hit], tables.names)
        detection[k] = ratio(hits, len(true.who) + len(tracks.who) - hits)
        association[k] = ratio((matches**2 / np.maximum(1, n_true + n_track - matches)).sum(), hits)
    return float(np.sqrt(detection * association).mean()), float(detection.mean()), float(association.mean())


def count_lasting_switches(tables: Tables, radius_px: float, apart_px: float, fps: float) -> int:
    """How many contacts leave an animal with another nearest track than before: see `scoring.score_trajectories` for the rule."""
    true = tables.truth
    near = near_pairs(true, tables.predicted, radius_px)
    least = np.full(len(true.who), np.inf)
    np.minimum.at(least, near.truth, near.distance)
    nearest = near.distance == least[near.truth]
    track = tables.predicted.who[near.predicted[nearest]]
    start = np.searchsorted(near.truth[nearest], np.arange(len(true.who) + 1))

    # One line of time per animal and movie, laid end to end with more than a second between them.
    second = int(np.ceil(fps))
    line = true.who * (tables.movie.max() + 1) + tables.movie[true.frame]
    time = line * (tables.number.max() + second + 2) + tables.number[true.frame]
    order = np.argsort(time)
    line, time, contact = line[order], time[order], find_contacts(true, apart_px)[order]
    touching = np.flatnonzero(contact)
    contacts = np.split(touching, np.flatnonzero(np.diff(time[touching]) > second) + 1)
    begin = np.array([rows[0] for rows in contacts if len(rows)], dtype=np.int64)
    end = np.array([rows[-1] for rows in contacts if len(rows)], dtype=np.int64)
    before, after = begin - 1, np.searchsorted(time, time[end] + second)
    inside = (before >= 0) & (after < len(time))
    before, begin, after = before[inside], begin[inside], after[inside]
    comparable = (line[before] == line[begin]) & (line[after] == line[begin]) & ~contact[before] & ~contact[after]
    lasting = 0
    for then, now in zip(order[before[comparable]], order[after[comparable]], strict=True):
        old, new = track[start[then] : start[then + 1]], track[start[now] : start[now + 1]]
        lasting += bool(len(old) and len(new) and not np.isin(old, new).any())
    return lasting


def count_pairs(rows: Ints, columns: Ints, shape: tuple[int, int], weights: Floats | None = None) -> Floats:
    """How often (or with what sum of `weights`) each pair of numbers occurs, float64 of `shape`."""
    flat = np.bincount(rows * shape[1] + columns, weights, minlength=shape[0] * shape[1])
    return flat.reshape(shape).astype(np.float64)


def ratio(part: float, whole: float) -> float:
    """`part / whole`, where an empty whole counts as 1."""
    return float(part) / max(1.0, float(whole))
