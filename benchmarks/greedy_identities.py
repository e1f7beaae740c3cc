"""A greedy baseline for the identities of a recording, by the rules of anTraX (Gal, Saragosti & Kronauer 2020, eLife 9:e58145).

Single tracklets that the classifier names are sources, taken by their score. Where an identity is taken it is eliminated from all tracklets
at the same time, and a tracklet that is full takes nobody else; it is passed on to a parent or a child when that is the only one it can
be in. A source whose identity has been eliminated is a contradiction and is passed over.
"""

import numpy as np

from herdbook.identity.graph import Graph
from herdbook.identity.how_known import own_probability

# A tracklet is a source when one identity is more likely than all others together. With 0.9 the baseline names a tenth less of ants16 by
# weak evidence, at two thirds of the error.
SOURCE_FROM = 0.5


class Greedy:
    """Who is `assigned` to each tracklet of a graph, and who is still `possible` there, bool (n, identities)."""

    def __init__(self, graph: Graph, identities: int) -> None:
        self.assigned = np.zeros((len(graph), identities), bool)
        self.possible = np.ones((len(graph), identities), bool)
        self._graph = graph
        self._parents, self._children = (_neighbours(graph.edges[:, side], graph.edges[:, 1 - side], len(graph)) for side in (1, 0))

    def take(self, node: int, identity: int) -> None:
        """Assign an identity to a tracklet where it is possible, and all that follows from it."""
        waiting = [node]
        while waiting:
            node = waiting.pop()
            if self.assigned[node, identity] or not self.possible[node, identity]:
                continue
            self.assigned[node, identity] = True
            if self.assigned[node].sum() == self._graph.animals[node]:
                self.possible[node] = self.assigned[node]
            meanwhile = (self._graph.first <= self._graph.last[node]) & (self._graph.last >= self._graph.first[node])
            meanwhile[node] = False
            self.possible[meanwhile & ~self.assigned[:, identity], identity] = False
            waiting += self.only_neighbours(node, identity)

    def only_neighbours(self, node: int, identity: int) -> list[int]:
        """Parents and children of a tracklet, one of each at most, which are the only ones that its identity can be in."""
        found = []
        for neighbours in (self._parents[node], self._children[node]):
            if not self.assigned[neighbours, identity].any():
                can = neighbours[self.possible[neighbours, identity]]
                found += can.tolist() if len(can) == 1 else []
        return found

    def pass_on(self) -> None:
        """Pass all identities on to only possible neighbours until nothing changes: eliminations leave fewer of them."""
        before = -1
        while before != self.assigned.sum():
            before = int(self.assigned.sum())
            for node, identity in np.argwhere(self.assigned):
                for neighbour in self.only_neighbours(node, identity):
                    self.take(neighbour, identity)


def _neighbours(of: np.ndarray, others: np.ndarray, nodes: int) -> list[np.ndarray]:
    order = np.argsort(of, kind="stable")
    return np.split(others[order], np.searchsorted(of[order], np.arange(1, nodes)))


def assign_greedily(graph: Graph, evidence: np.ndarray, informed: np.ndarray, labelled: np.ndarray) -> np.ndarray:
    """Who is in each tracklet, bool (n, identities).

    `evidence` (n, identities) nats; `informed` bool (n,) whether there is any; `labelled` int64 (n,) the identity that a person named,
    -1 for none: these are sources before all others.
    """
    greedy = Greedy(graph, evidence.shape[1])
    own = own_probability(evidence)
    label = (labelled >= 0) & (labelled < evidence.shape[1])
    own[label] = 0
    own[label, labelled[label]] = 2
    source = np.flatnonzero(label | (informed & (graph.animals == 1) & (own.max(axis=1) >= SOURCE_FROM)))
    for node in source[np.argsort(-own[source].max(axis=1), kind="stable")]:
        greedy.take(int(node), int(own[node].argmax()))
    greedy.pass_on()
    return greedy.assigned
