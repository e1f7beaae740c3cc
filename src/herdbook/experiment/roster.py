"""The columns of the identity assignment: one for each individually named animal, and one for each group in an arena."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Roster:
    """The columns of the assignment.

    `classes`: classes of the classifier. `individuals`: names of all animals in the results. Per column: `name` int64 (into `classes`);
    `members` int64, number of its animals, 1 unless it is a group; `first` int64, index of its first animal in `individuals`. `allowed`
    bool (arenas, columns): whether the column's animals live in the arena.
    """

    classes: list[str]
    individuals: list[str]
    name: NDArray[np.int64]
    members: NDArray[np.int64]
    first: NDArray[np.int64]
    allowed: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.name)

    @property
    def names(self) -> list[str]:
        """The name of each column."""
        return [self.classes[k] for k in self.name]

    @property
    def is_group(self) -> NDArray[np.bool_]:
        """Whether each column is a group, bool (columns,); a group may have a single animal."""
        return np.array([self.individuals[first] != name for first, name in zip(self.first, self.names, strict=True)], bool)


def make_roster(classes: Sequence[str], homes: Sequence[Sequence[str]], groups: Sequence[Mapping[str, int]]) -> Roster:
    """The roster of an experiment.

    `classes`: names of identities and groups; `homes`: those of each arena; `groups`: number of animals of each group in each arena.
    Members of a group are numbered over all arenas: `worker.1`, `worker.2`.
    """
    numbers = {name: [home.get(name, 0) for home in groups] for name in classes if any(name in home for home in groups)}
    single = [name for name in classes if name not in numbers]
    name, members, first = [classes.index(n) for n in single], [1] * len(single), list(range(len(single)))
    allowed = [[n in home for home in homes] for n in single]
    individuals = list(single)
    for group, counts in numbers.items():
        for arena in np.flatnonzero(counts):
            name.append(classes.index(group))
            members.append(counts[arena])
            first.append(len(individuals))
            allowed.append([k == arena for k in range(len(homes))])
            done = sum(counts[:arena])
            individuals += [member_name(group, done + k + 1) for k in range(counts[arena])]
    return Roster(
        classes=list(classes),
        individuals=individuals,
        name=np.array(name, np.int64),
        members=np.array(members, np.int64),
        first=np.array(first, np.int64),
        allowed=np.array(allowed, bool).reshape(-1, len(homes)).T,
    )


def member_name(group: str, number: int) -> str:
    """The name of a member of a group, counted from 1."""
    return f"{group}.{number}"
