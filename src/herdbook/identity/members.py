"""Names for the members of a group, which cannot be told apart: one name for as long as the animal is followed without doubt."""

from collections import deque

import numpy as np

from herdbook.arrays import Ints


def sure_parents(count: Ints, links: Ints) -> list[list[int]]:
    """The tracklets from which all members in a tracklet have come, for each of the n tracklets; none where that is in doubt.

    `count` int64 (n,) members in each tracklet; `links` int64 (e, 2) parent, child. All members of the parents have gone on there, and
    nowhere else, and nobody else has come.
    """
    linked = links[(count[links] > 0).all(axis=1)]
    children = np.bincount(linked[:, 0], minlength=len(count))
    parents: list[list[int]] = [[] for _ in count]
    for parent, child in linked.tolist():
        parents[child].append(parent)
    return [
        mine if mine and sum(count[p] for p in mine) == count[k] and all(children[p] == 1 for p in mine) else []
        for k, mine in enumerate(parents)
    ]


def name_members(first: Ints, last: Ints, count: Ints, links: Ints, members: int) -> list[list[int]]:
    """Which of the `members` names, numbers from 0, are in each of the n tracklets.

    `first`, `last` int64 (n,) frames, in order of `first`; `count` and `links` as in `sure_parents`. Where it cannot be known who has come,
    a name is given that is free; those that were never given come first, then those that have been free for the longest time, so that a
    name seldom returns soon. No name is in two tracklets at once. More names than `members` are given only if more are counted at once.
    """
    parents = sure_parents(count, links)
    names: list[list[int]] = [[] for _ in count]
    free = deque(range(members))
    held: dict[int, int] = {}  # name in use: frame in which its tracklet ends
    for k in np.flatnonzero(count).tolist():
        for name in sorted((n for n, end in held.items() if end < first[k]), key=lambda n: (held[n], n)):
            del held[name]
            free.append(name)
        came = sorted(name for parent in parents[k] for name in names[parent])
        # A name that was given away while its animal was lost is not taken back.
        kept = [name for name in came if name not in held] if len(came) == count[k] else []
        for name in kept:
            free.remove(name)
        while len(kept) < count[k]:
            kept.append(free.popleft() if free else max([members - 1, *held, *kept]) + 1)
        held |= dict.fromkeys(kept, int(last[k]))
        names[k] = sorted(kept)
    return names


def sure_gaps(count: Ints, links: Ints, gaps: Ints) -> Ints:
    """Those of the `gaps` int64 (g, 2), tracklet that ends and one that begins soon after nearby, that leave no choice to a group.

    No member is known to leave the first by a link or to enter the second, and no other gap leads from or to one of them.
    """
    if not len(gaps):
        return gaps
    linked = links[(count[links] > 0).all(axis=1)]
    leaves, enters = np.isin(np.arange(len(count)), linked[:, 0]), np.isin(np.arange(len(count)), linked[:, 1])
    gaps = gaps[(count[gaps] > 0).all(axis=1) & ~leaves[gaps[:, 0]] & ~enters[gaps[:, 1]]]
    ways_out, ways_in = (np.bincount(side, minlength=len(count)) for side in gaps.T)
    return np.asarray(gaps[(ways_out[gaps[:, 0]] == 1) & (ways_in[gaps[:, 1]] == 1)])
