"""Who is in which tracklet: one integer programme over the graph of a recording.

Every identity follows paths through the graph of tracklets: along merges and splits for free, across gaps, into and out of the graph at a
cost. A tracklet holds at most as many identities as animals, and no identity is in more tracklets at the same time than it has members. The
evidence of each tracklet for each identity is added up; "unknown" is an answer, since no identity has to be anywhere.

The graph falls into blocks at tracklets whose evidence leaves no doubt, the separators (`blocks`), and at first only likely identities are
candidates. The blocks are solved exactly (`programme`, `highs`). Then all that was left out is priced (`pricing`): identities that might
gain by it become candidates, separators that might be somebody else become ordinary tracklets, and the blocks concerned are solved again.
The bound that is reported holds for the whole problem. Last, each name gets its confidence (`confidence`).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from herdbook.arrays import Bools, Floats, Ints
from herdbook.identity.blocks import (
    Blocks,
    best_of_capacity,
    crowded,
    elsewhere,
    keep_candidates,
    path_losses,
    split_blocks,
    sure_identities,
)
from herdbook.identity.confidence import confidences
from herdbook.identity.graph import Costs, Graph, PathCosts
from herdbook.identity.highs import solve_programme
from herdbook.identity.pricing import ROUNDING, Prices, bound_blocks
from herdbook.identity.programme import BEGINNING, THERE, build_programme

# What a tracklet without evidence gains when it is named: less than any evidence, more than nothing.
NAMED_GAIN = 0.2
# A label or fact weighs more than all images of a tracklet together.
LABEL_GAIN = 60.0
# Candidates whose programme is built at a time.
PORTION = 200_000
# How often blocks are joined and solved again.
ROUNDS = 8
# Names that are less likely to be right than to be wrong are not given: each would cost more in error than it gains in what is known.
LEAST_CONFIDENCE = 0.5


@dataclass(frozen=True)
class Start:
    """What the rounds of one solution found out, from which a solution of a slightly different problem may begin; the optimum is the same.

    `let_in` bool (n, identities): who became a candidate; `opened` bool (n,): separators that are none; `joined` int64 (k, 2) tracklets
    whose blocks were joined.
    """

    let_in: Bools
    opened: Bools
    joined: Ints


@dataclass(frozen=True)
class Solution:
    """Who is where. `held` int16 (n, identities): how many of each identity are in each tracklet; `confidence` float32 (n, identities):
    posterior probability that this is right; `gap`: bound on the distance from the optimum, as a share of the objective, before names
    below LEAST_CONFIDENCE were taken back; `components`: number of blocks that were solved apart, tracklets in the largest; `start`: for
    the next one.
    """

    held: NDArray[np.int16]
    confidence: NDArray[np.float32]
    gap: float
    components: tuple[int, int]
    start: Start | None = None


@dataclass(frozen=True)
class _Problem:
    """The arguments of `solve_identities`, with what paths cost."""

    graph: Graph
    scores: NDArray[np.floating]
    members: Ints
    path_costs: PathCosts


@dataclass(frozen=True)
class _Round:
    """What one round found. Per block, 0 in those that were not solved: `value`, `bound`, `linear`, `lacks`, as in `Solved`. `left` bool
    (n,): separators with nobody at one of their ends. `prices` of all that was solved.
    """

    value: Floats
    bound: Floats
    linear: Floats
    lacks: Floats
    left: Bools
    prices: Prices


def solve_identities(
    graph: Graph,
    scores: NDArray[np.floating],
    gaps: Ints,
    gap_costs: Floats,
    *,
    informed: Bools,
    members: Ints,
    costs: Costs | None = None,
    start: Start | None = None,
) -> Solution:
    """The best assignment of identities to tracklets.

    `scores` (n, identities) gain in nats of naming a tracklet, -inf: never there; `gaps` (k, 2), `gap_costs` (k,) from `gap_edges`;
    `informed` bool (n,) whether the tracklet has evidence of its own; `members` int64 (identities,) how many animals share each identity;
    `costs` from `learn_costs`; `start` of a solution of the same graph.
    """
    if not len(graph) or not len(members):
        empty = np.zeros((len(graph), len(members)))
        return Solution(empty.astype(np.int16), empty.astype(np.float32), 0.0, (0, 0))
    problem = _Problem(graph, scores, members, (costs or Costs()).of_paths(graph, gaps, gap_costs))
    held, gap, blocks, start = _solve_in_rounds(problem, informed, start)
    confidence = confidences(graph, scores, held, problem.path_costs)
    # A tie is no answer either.
    unlikely = (held > 0) & (confidence < LEAST_CONFIDENCE + 1e-3)
    held[unlikely] = 0
    confidence[unlikely] = 0
    inside = np.bincount(blocks.block[blocks.sure < 0, 0], minlength=blocks.count)
    return Solution(held, confidence, gap, (blocks.count, int(inside.max(initial=0))), start)


def _solve_in_rounds(problem: _Problem, informed: Bools, start: Start | None) -> tuple[NDArray[np.int16], float, Blocks, Start]:
    """Who is held where, the bound as a share of the objective, the blocks of the last round, and a start for the next time."""
    graph, scores, members, path_costs = problem.graph, problem.scores, problem.members, problem.path_costs
    sure, _ = sure_identities(graph, scores, informed, members)
    total, least = best_of_capacity(scores, graph.animals, members)
    held = np.zeros(scores.shape, np.int16)
    # Value and excess of each block stand at the first half of a tracklet in it, so that blocks which stay as they are keep theirs.
    reached, excess = np.zeros(2 * len(graph)), np.zeros(2 * len(graph))
    start = start or Start(np.zeros(scores.shape, bool), np.zeros(len(graph), bool), np.zeros((0, 2), np.int64))
    # Who was let in before may be excluded now.
    let_in, never_sure, joined = start.let_in & np.isfinite(scores), start.opened.copy(), start.joined
    sure = np.where(never_sure, -1, sure)
    changed = np.ones((len(graph), 2), bool)
    for turn in range(ROUNDS):
        blocks = split_blocks(sure, path_costs.links, joined)
        active = np.zeros(blocks.count, bool)
        active[blocks.block[changed]] = True
        free = np.flatnonzero(sure < 0)
        taken = elsewhere(graph, sure, members, free)
        allowed = _choose_candidates(problem, least, sure, free, taken, let_in)
        # In the last round separators keep their identity, whatever the blocks beside them lose by it.
        firm = turn == ROUNDS - 1
        found = _solve_active(problem, blocks, active, allowed, held, firm=firm)

        gains, others = found.prices.gains(sure, path_costs)
        gains = gains[free]
        gains[allowed[free]] = -np.inf
        upper = np.bincount(blocks.block.T.ravel(), weights=np.tile(total / 2, 2), minlength=blocks.count)
        limit = np.minimum(bound_blocks(graph, blocks, free, gains.max(axis=1), others, found.bound, found.linear), upper)
        half = np.full(blocks.count, 2 * len(graph))
        np.minimum.at(half, blocks.block.ravel(), np.arange(2 * len(graph)))
        reached[half[active]], excess[half[active]] = found.value[active], np.maximum(limit - found.value, 0)[active]

        # Only what gains more than this could improve the solution, which lacks something of its relaxation.
        worth = np.where(active, ROUNDING - found.lacks, np.inf)
        gains -= worth[blocks.block[free, 0], None]
        wanted = (gains > 0) & ~taken
        clashes = _clashes(graph, held, members)
        opened = found.left | (others > worth[blocks.block]).any(axis=1)
        opened[clashes[(sure[clashes] >= 0).all(axis=1)]] = True
        in_the_way, barred = _in_the_way(graph, sure, free, np.where(taken, gains, 0), scores)
        opened[in_the_way] = True
        if firm or not (opened.any() or len(clashes) or wanted.any()):
            break
        let_in[free] |= wanted
        joined = np.concatenate([joined, clashes])
        concerned = np.concatenate([np.flatnonzero(opened), barred, clashes.ravel(), free[wanted.any(axis=1)]])
        changed = np.isin(blocks.block, blocks.block[concerned])
        never_sure |= opened
        sure = np.where(opened, -1, sure)
    # An identity that is taken from a tracklet leaves the graph before it and enters it again after it.
    removed = _remove_clashes(graph, held, members, scores, 2 * float(path_costs.away.max()))
    objective, over = reached[half].sum(), excess[half].sum()
    return held, float((over + removed) / max(abs(objective + over), 1.0)), blocks, Start(let_in, never_sure, joined)


def _choose_candidates(problem: _Problem, least: Floats, sure: Ints, free: Ints, taken: Bools, let_in: Bools) -> Bools:
    """Candidates bool (n, identities): the likely ones and those who were `let_in` (n, identities), but not who is `taken` (free,
    identities); in separators their identity.
    """
    losses = path_losses(problem.scores, least, sure, problem.path_costs)[free]
    allowed = let_in.copy()
    allowed[free] |= keep_candidates(losses, problem.graph.animals[free], taken)
    allowed[free] &= ~taken
    allowed[sure >= 0] = np.arange(len(problem.members)) == sure[sure >= 0, None]
    return allowed


def _solve_active(problem: _Problem, blocks: Blocks, active: Bools, allowed: Bools, held: NDArray[np.int16], *, firm: bool) -> _Round:
    """Solve the active blocks and write who is there into `held`."""
    certain = blocks.sure >= 0
    held[active[blocks.block].any(axis=1)] = 0
    held[certain, blocks.sure[certain]] = 1
    value, bound, linear, lacks = np.zeros((4, blocks.count))
    left, prices = np.zeros(len(problem.graph), bool), Prices(problem.scores)
    for some in _portions(blocks, active, allowed):
        programme = build_programme(*(problem.graph, problem.scores, blocks, some, allowed, problem.path_costs, problem.members), firm=firm)
        found = solve_programme(programme)
        for sums, part in zip((value, bound, linear, lacks), (found.value, found.bound, found.linear, found.lacks), strict=True):
            sums += part
        prices.take(programme, found)
        there = programme.kind == THERE
        held[programme.node[there], programme.identity[there]] = found.x[there].round()
        left[programme.node[(programme.kind <= BEGINNING) & ~there & (found.x < 0.5)]] = True
    return _Round(value, bound, linear, lacks, left, prices)


def _portions(blocks: Blocks, active: Bools, allowed: Bools) -> Iterator[Bools]:
    """The active blocks in portions that fit into memory."""
    size = np.bincount(blocks.block[:, 0], weights=allowed.sum(axis=1), minlength=blocks.count) * active
    portion = np.cumsum(size) // PORTION
    for k in np.unique(portion[active]):
        yield active & (portion == k)


def _in_the_way(graph: Graph, sure: Ints, free: Ints, gains: NDArray[np.float32], scores: NDArray[np.floating]) -> tuple[Ints, Ints]:
    """Separators whose identity would gain more in a simultaneous tracklet of `free` than they would lose, and those tracklets."""
    found, barred = [np.zeros(0, np.int64)], []
    for row, identity in np.argwhere(gains > 0).tolist():
        mine = np.flatnonzero(sure == identity)
        mine = mine[(graph.first[mine] <= graph.last[free[row]]) & (graph.last[mine] >= graph.first[free[row]])]
        if scores[mine, identity].sum() < gains[row, identity]:
            found.append(mine)
            barred.append(free[row])
    return np.concatenate(found), np.array(barred, np.int64)


def _clashes(graph: Graph, held: NDArray[np.int16], members: Ints) -> Ints:
    """Pairs (k, 2) of simultaneous tracklets that together hold more of an identity than it has members."""
    pairs = [np.zeros((0, 2), np.int64)]
    for identity, limit in enumerate(members):
        nodes = np.flatnonzero(held[:, identity])
        a, b = crowded(graph.first[nodes], graph.last[nodes], held[nodes, identity].astype(np.int64), int(limit))
        pairs.append(np.stack([nodes[a], nodes[b]], 1))
    return np.concatenate(pairs)


def _remove_clashes(graph: Graph, held: NDArray[np.int16], members: Ints, scores: NDArray[np.floating], cut: float) -> float:
    """Take identities away where they are too many at a time, from the tracklet with the weakest evidence for them.

    Returns the most that this loses, `cut` for each path that it cuts.
    """
    lost = 0.0
    for identity, limit in enumerate(members):
        while True:
            nodes = np.flatnonzero(held[:, identity])
            a, b = crowded(graph.first[nodes], graph.last[nodes], held[nodes, identity].astype(np.int64), int(limit))
            if not len(a):
                break
            involved = nodes[np.unique(np.concatenate([a[b == b[0]], b[:1]]))]
            weakest = involved[scores[involved, identity].argmin()]
            lost += max(float(scores[weakest, identity]), 0.0) + cut
            held[weakest, identity] -= 1
    return lost
