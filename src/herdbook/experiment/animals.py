"""The section of the experiment file on who is filmed, and the names of animals that have none of their own."""

import json
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, model_validator

from herdbook.experiment.base import MOST_ANIMALS, Count, FilePath, Name, Positive, Section
from herdbook.experiment.roster import member_name

ANIMAL = "animal"


class Animals(Section):
    """Who is filmed."""

    marking: Literal["marked", "unmarked", "none"] = Field(
        description="marked: identities are told by labels; unmarked: found without labels; none: trajectories without identity"
    )
    identities: list[Name] = Field(
        default_factory=list, description="names of the animals (marked; unmarked: of those that have one, the others are animal1, animal2)"
    )
    groups: dict[Name, Count] = Field(
        default_factory=dict, description="animals that nothing tells apart (marked): name of each group, and how many animals it has"
    )
    number: Count | None = Field(None, description="how many animals there are; by default the identities and members of groups")
    labels: FilePath | None = Field(None, description="CSV with columns movie, frame, x, y, label: points in the movies")
    facts: FilePath | None = Field(
        None, description="CSV with columns movie, frame, x, y, fact, name, last: who is, is not or is absent (marked)"
    )
    like: FilePath | None = Field(
        None, description="classifier (.keras, its card beside it) of an earlier experiment with the same animals: its names (unmarked)"
    )
    keep: bool = Field(False, description="each animal keeps its number through contacts, by its movement alone (none, needs number)")
    other_labels: list[Name] = Field(default_factory=list, description="labels that are no identity, such as dirt: not an animal")
    body_length: Positive | None = Field(None, description="length of an animal (px), the measure of segment.area_body")

    @model_validator(mode="after")
    def _complete(self) -> "Animals":
        if max(self.number or 0, sum(self.groups.values())) > MOST_ANIMALS:
            raise ValueError(f"there can be at most {MOST_ANIMALS} animals")
        if self.marking == "unmarked":
            if not self.identities:
                raise ValueError("unmarked animals need number: how many there are, here or in each arena")
            if self.groups or self.other_labels:
                raise ValueError("groups and other_labels need marking: marked")
        if self.like and self.marking != "unmarked":
            raise ValueError("like needs marking: unmarked")
        if self.keep and self.marking != "none":
            raise ValueError("keep needs marking: none")
        if self.marking == "marked":
            if not self.classes:
                raise ValueError("marked animals need identities: a list of their names, or groups")
        elif self.marking == "none" and (self.groups or self.facts):
            raise ValueError("groups and facts need marking: marked")
        # An earlier experiment may have had more animals than are here today.
        if self.number is not None and self.number < len(self.individuals) and not self.like:
            what = f"{len(self.identities)} identities" + (f" and {sum(self.groups.values())} members of groups" if self.groups else "")
            raise ValueError(f"number: {self.number} animals cannot have {what}")
        names = [*self.individuals, *self.groups, *self.other_labels]
        twice = sorted({n for n in names if names.count(n) > 1})
        if twice:
            raise ValueError(f"names given twice: {', '.join(twice)}")
        return self

    @property
    def classes(self) -> list[str]:
        """The names that images are read as: identities and groups."""
        return [*self.identities, *self.groups]

    @property
    def individuals(self) -> list[str]:
        """The names of all animals in the results: identities, and members of groups with a number each."""
        return [*self.identities, *(member_name(group, k + 1) for group, members in self.groups.items() for k in range(members))]


def with_unmarked_names(raw: Any) -> Any:
    """The content of an experiment file in which each unmarked animal has a name, in its arena if there are several.

    Beside those in `identities` as many are named animal1, animal2 and so on as `number` tells, of all animals or of an arena. With `like`
    the names are those of that classifier, first in first out of each arena. What is not as it should be is left as it is: the models
    tell it.
    """
    match raw:
        case {"animals": {"marking": "unmarked"} as animals}:
            arenas = raw.get("arenas")
        case _:
            return raw
    earlier = names_of(animals["like"]) if isinstance(animals.get("like"), str) else []
    given = animals.get("identities") if isinstance(animals.get("identities"), list) else []
    spare = [name for name in earlier if name not in given]
    taken = {name for name in [*given, *earlier] if isinstance(name, str)}

    def fill(known: list[Any], number: Any, every: bool) -> list[Any]:
        count = number if isinstance(number, int) and number <= MOST_ANIMALS else 0
        names = list(known)
        while spare and (every or len(names) < count):
            names.append(spare.pop(0))
        following = 1
        while len(names) < count:
            name = f"{ANIMAL}{following}"
            if name not in taken:
                names.append(name)
                taken.add(name)
            following += 1
        return names

    if isinstance(arenas, list) and len(arenas) > 1 and all(isinstance(arena, dict) for arena in arenas):
        filled = [arena | {"identities": fill(list(arena.get("identities") or []), arena.get("number"), False)} for arena in arenas]
        names = list(dict.fromkeys(name for arena in filled for name in arena["identities"]))
        return raw | {"animals": animals | {"identities": names}, "arenas": filled}
    inside = arenas[0] if isinstance(arenas, list) and arenas and isinstance(arenas[0], dict) else {}
    names = fill(list(given), inside.get("number", animals.get("number")), True)
    if inside.get("identities"):
        return raw | {"animals": animals | {"identities": names}, "arenas": [inside | {"identities": names}]}
    return raw | {"animals": animals | {"identities": names}}


def card_of(classifier: str) -> Path:
    """The card beside a classifier."""
    return Path(classifier).with_suffix(".json")


def names_of(classifier: str) -> list[str]:
    """Identities that a classifier knows by its card, none if it cannot be read; `read_card` reports the reason."""
    try:
        values = json.loads(card_of(classifier).read_text(encoding="utf-8"))
        return [name for name in values["classes"] if isinstance(name, str) and name not in values["others"]]
    except (OSError, ValueError, KeyError, TypeError):
        return []
