"""Costs of entering and leaving the graph and of gaps, learned from the tracklets of a recording whose identity is beyond doubt."""

import numpy as np
from numpy.typing import NDArray

from herdbook.arrays import Bools, Floats, Ints
from herdbook.identity.blocks import split_blocks, sure_identities
from herdbook.identity.graph import Costs, Graph, loose_ends

# The prior weighs as much as this many events.
PRIOR_EVENTS = 10.0
# Means are at least this share of their unit.
SHORTEST = 0.1
# Costs stay within these, in nats, whatever a recording shows.
LEAST_AWAY, LEAST_GAP, MOST = 1.0, 0.1, 10.0


def learn_costs(
    graph: Graph,
    scores: NDArray[np.floating],
    informed: Bools,
    members: Ints,
    *,
    gap_frames: int,
    body_length_px: float,
    prior: Costs | None = None,
) -> Costs:
    """Costs that fit the recording; those of the prior where it shows too few events.

    The model: an animal is lost to the graph with a small probability wherever the graph goes on for all animals of a tracklet, and with
    another one at the border of the view; half of minus its logarithm is the cost of going and that of coming, `away` and
    `away_at_border`. Where the graph goes on for too few, it is found again within `gap_frames`, with a probability whose minus logarithm
    is `gap`, or stays away, and half of minus the logarithm of that is `away_at_end`. What is found is so after a wait and at a distance
    that are exponentially distributed: `gap_per_wait` and `gap_per_body_length` are the inverse means. The occasions are pairs of
    consecutive tracklets that are surely the same animal (no class with several members); it was lost where merges and splits do not lead
    from the one to the other. Rates and means are pooled with the prior's in the logarithm, the prior counting as PRIOR_EVENTS events.

    `scores` (n, identities), `informed` (n,), `members` (identities,) as for `solve_identities`; `gap_frames` the longest gap.
    """
    prior = prior or Costs()
    sure, _ = sure_identities(graph, scores, informed, members)
    sure[np.isin(sure, np.flatnonzero(members > 1))] = -1
    block = split_blocks(sure, graph.edges, np.zeros((0, 2), np.int64)).block
    node = np.flatnonzero(sure >= 0)
    node = node[np.lexsort((graph.first[node], sure[node]))]
    same = (sure[node[1:]] == sure[node[:-1]]) & (graph.part[node[1:]] == graph.part[node[:-1]])
    a, b = node[:-1][same], node[1:][same]
    lost = block[a, 1] != block[b, 0]
    at_border = graph.border[a, 1] | graph.border[b, 0]
    wait = (graph.first[b] - graph.last[a]) / gap_frames
    distance = np.hypot(*(graph.start_xy[b] - graph.end_xy[a]).T) / body_length_px
    found = lost & (wait <= 1)
    loose = loose_ends(graph)
    ends = np.zeros(block.max(initial=0) + 1, bool)
    ends[block[loose]] = True
    # An animal that was lost in a block in which the graph ends somewhere was lost there.
    ended = (loose[a, 1] | loose[b, 0] | lost & (ends[block[a, 1]] | ends[block[b, 0]])) & ~at_border
    goes_on = ~ended & ~at_border
    return Costs(
        away=_absence(int((lost & goes_on).sum()), int(goes_on.sum()), prior.away),
        away_at_end=_absence(int((lost & ~found & ended).sum()), int((lost & ended).sum()), prior.away_at_end),
        away_at_border=_absence(int((lost & at_border).sum()), int(at_border.sum()), prior.away_at_border),
        gap=_pooled(int(found.sum()), -np.log(max(found.sum(), 1) / max(lost.sum(), 1)), prior.gap, least=LEAST_GAP),
        gap_per_body_length=_inverse_mean(distance[found], prior.gap_per_body_length),
        gap_per_wait=_inverse_mean(wait[found], prior.gap_per_wait),
    )


def _absence(lost: int, occasions: int, prior: float) -> float:
    """Half of the cost of a whole absence: one is for going and one for coming."""
    return _pooled(lost, -np.log(max(lost, 1) / max(occasions, 1)) / 2, prior, least=LEAST_AWAY)


def _inverse_mean(values: Floats, prior: float) -> float:
    mean = float(values.mean()) if len(values) else 1.0
    return float(np.exp(_pooled(len(values), -np.log(max(mean, SHORTEST)), np.log(prior), least=-np.inf)))


def _pooled(events: int, learned: float, prior: float, *, least: float) -> float:
    return float(np.clip((events * learned + PRIOR_EVENTS * prior) / (events + PRIOR_EVENTS), least, MOST))
