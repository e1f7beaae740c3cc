"""The section of the experiment file on the animals, and the names for unmarked animals: generated, or taken from an earlier classifier."""

from pathlib import Path
from typing import Any, Literal

from pydantic import Field, model_validator

from herdbook.experiment.base import MOST_ANIMALS, Count, FilePath, Name, Positive, Section
from herdbook.experiment.roster import member_name
from herdbook.experiment.sheets.text import composed
from herdbook.system.files import read_json

ANIMAL = "animal"


class Animals(Section):
    """The animals in the movies."""

    marking: Literal["marked", "unmarked", "none"] = Field(
        description="marked: identities are learned from labels; unmarked: found without labels; none: trajectories without identity"
    )
    identities: list[Name] = Field(
        default_factory=list, description="names of the animals; unmarked animals without a name here are called animal1, animal2"
    )
    groups: dict[Name, Count] = Field(
        default_factory=dict, description="groups of animals that cannot be told apart (marked): number of animals by name of the group"
    )
    number: Count | None = Field(None, description="number of animals; by default that of the identities and the members of groups")
    labels: FilePath | None = Field(None, description="CSV with columns movie, frame, x, y, label: points in the movies")
    facts: FilePath | None = Field(
        None, description="CSV with columns movie, frame, x, y, fact, name, last: which animal is, is not or is absent there (marked)"
    )
    answers: FilePath | None = Field(
        None,
        description="answers.csv of `herdbook validate`: names of random positions, judged by a person, which correct the expected error",
    )
    events: FilePath | None = Field(
        None, description="CSV with columns movie, first, last, individuals, event, note: what a person saw, exported as noted_events.csv"
    )
    like: FilePath | None = Field(
        None, description="classifier (.keras, with its card) of an earlier experiment, whose animals are found again by name (unmarked)"
    )
    keep: bool = Field(False, description="each animal keeps its number through contacts, by movement alone (marking none; needs number)")
    other_labels: list[Name] = Field(default_factory=list, description="labels that are not identities, such as dirt")
    body_length: Positive | None = Field(None, description="length of an animal (px), the unit of segment.area_body")

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
        elif self.marking == "none" and (self.groups or self.facts or self.answers):
            raise ValueError("groups and facts need marking: marked")
        # The earlier experiment may have had more animals than this one.
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
        """Classes of the classifier: identities and groups."""
        return [*self.identities, *self.groups]

    @property
    def individuals(self) -> list[str]:
        """The names of all animals in the results: identities, and numbered members of groups."""
        return [*self.identities, *(member_name(group, k + 1) for group, members in self.groups.items() for k in range(members))]


def with_unmarked_names(raw: Any) -> Any:
    """The content of an experiment file, with a name for each unmarked animal, by arena if there are several.

    Names animal1, animal2 and so on are added to `identities` until there are as many as `number`, of all animals or of each arena. With
    `like`, names of that classifier are used first, in order, arena after arena. An animal that lives alone in an arena with a name has
    that name. Invalid content is not changed: the models report it.
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

    def fill(known: list[Any], number: Any, every: bool, arena: Any) -> list[Any]:
        count = number if isinstance(number, int) and number <= MOST_ANIMALS else 0
        names = list(known)
        while spare and (every or len(names) < count):
            names.append(spare.pop(0))
        if count == 1 and not names and isinstance(arena, str) and arena not in taken:
            names.append(arena)
            taken.add(arena)
        following = 1
        while len(names) < count:
            name = f"{ANIMAL}{following}"
            if name not in taken:
                names.append(name)
                taken.add(name)
            following += 1
        return names

    if isinstance(arenas, list) and len(arenas) > 1 and all(isinstance(arena, dict) for arena in arenas):
        filled = [
            arena | {"identities": fill(list(arena.get("identities") or []), arena.get("number"), False, arena.get("name"))}
            for arena in arenas
        ]
        names = list(dict.fromkeys(name for arena in filled for name in arena["identities"]))
        return raw | {"animals": animals | {"identities": names}, "arenas": filled}
    inside = arenas[0] if isinstance(arenas, list) and arenas and isinstance(arenas[0], dict) else {}
    names = fill(list(given), inside.get("number", animals.get("number")), True, inside.get("name"))
    if inside.get("identities"):
        return raw | {"animals": animals | {"identities": names}, "arenas": [inside | {"identities": names}]}
    return raw | {"animals": animals | {"identities": names}}


def card_of(classifier: str) -> Path:
    """Path of the card that belongs to a classifier."""
    return Path(classifier).with_suffix(".json")


def names_of(classifier: str) -> list[str]:
    """Identities of a classifier, from its card; none if that cannot be read: `read_card` reports the reason."""
    try:
        values = read_json(card_of(classifier))
        return [composed(name) for name in values["classes"] if isinstance(name, str) and name not in values["others"]]
    except Exception:
        return []
