"""Sections of the experiment file on arenas: their regions, and the animals in each of them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, model_validator

from herdbook.errors import nearest
from herdbook.experiment.base import MOST_ANIMALS, Count, FilePath, Name, Point, Positive, Section


class EllipseShape(Section):
    """An ellipse: centre (x, y), semi-axes and the angle of the first axis."""

    centre: Point = Field(description="centre x, y (px)")
    axes: tuple[Positive, Positive] = Field(description="semi-axes (px)")
    angle: float = Field(0.0, description="angle of the first axis (degrees, image axes: x right, y down)")


class Region(Section):
    """A part of the frame: either an ellipse or a polygon."""

    ellipse: EllipseShape | None = Field(None, description="an ellipse")
    polygon: Annotated[list[Point], Field(min_length=3)] | None = Field(None, description="corners x, y (px)")

    @model_validator(mode="after")
    def _one_shape(self) -> "Region":
        if (self.ellipse is None) == (self.polygon is None):
            raise ValueError("a region is either an ellipse or a polygon: give exactly one of them")
        return self


class Step(Section):
    """A region added to an arena, or cut out of it."""

    include: Region | None = Field(None, description="a region to add")
    exclude: Region | None = Field(None, description="a region to cut out")

    @model_validator(mode="after")
    def _one_region(self) -> "Step":
        if (self.include is None) == (self.exclude is None):
            raise ValueError("a step includes or excludes one region: give exactly one of them")
        return self


class Arena(Section):
    """A region to which animals are confined, and the animals in it. No animal ever leaves its arena."""

    name: Name = Field("arena", description="name of the arena")
    include: list[Region] = Field(default_factory=list, description="regions that belong to the arena; none means the whole frame")
    exclude: list[Region] = Field(default_factory=list, description="regions cut out of it")
    regions: list[Step] = Field(
        default_factory=list,
        description="instead of include and exclude: regions added and cut out in this order; from the whole frame if it begins with a cut",
    )
    mask: FilePath | None = Field(
        None, description="image of the movie's size, black outside the arena; regions are added to it and cut out of it"
    )
    identities: list[Name] = Field(default_factory=list, description="names of the animals that live here; all if there is one arena")
    groups: dict[Name, Count] = Field(
        default_factory=dict, description="groups of animals.groups that live here: number of animals by name"
    )
    number: Count | None = Field(None, description="number of animals that live here; by default that of identities and members of groups")

    @model_validator(mode="after")
    def _one_way(self) -> "Arena":
        if max(self.number or 0, sum(self.groups.values())) > MOST_ANIMALS:
            raise ValueError(f"there can be at most {MOST_ANIMALS} animals")
        if self.regions and (self.include or self.exclude):
            raise ValueError("give either regions, which are applied in their order, or include and exclude")
        return self

    @property
    def size(self) -> int | None:
        """Number of animals, if it is given."""
        return self.number or self.known or None

    @property
    def known(self) -> int:
        """Number of animals here that have a name or belong to a group."""
        return len(self.identities) + sum(self.groups.values())


def with_names_of_arenas(raw: Any) -> Any:
    """The content of an experiment file, with identities and groups of the arenas added to `animals` where it has none."""
    match raw:
        case {"animals": dict(animals), "arenas": list(arenas)}:
            found: dict[str, Any] = {}
            given = [arena for arena in arenas if isinstance(arena, dict)]
            if not animals.get("identities"):
                lists = [arena["identities"] for arena in given if isinstance(arena.get("identities"), list)]
                found["identities"] = list(dict.fromkeys(name for names in lists for name in names if isinstance(name, str)))
            if not animals.get("groups"):
                groups = [arena["groups"] for arena in given if isinstance(arena.get("groups"), dict)]
                numbers = [(name, n) for group in groups for name, n in group.items() if isinstance(name, str) and isinstance(n, int)]
                found["groups"] = {name: sum(n for other, n in numbers if other == name) for name, _ in numbers}
            return raw | {"animals": animals | {key: value for key, value in found.items() if value}}
    return raw


def faults_of_arenas(arenas: Sequence[Arena], identities: Sequence[str], groups: Mapping[str, int], number: int | None) -> list[str]:
    """Contradictions between the arenas and the animals of an experiment, one message each; `number` is animals.number."""
    names = [arena.name for arena in arenas]
    faults = [
        f"the arena {name!r} is named twice: give each arena a name of its own" for name in sorted({n for n in names if names.count(n) > 1})
    ]
    for arena in arenas:
        for key, given, known in (("identities", arena.identities, identities), ("groups", arena.groups, groups)):
            faults += [f"arena {arena.name!r}: animals.{key} have no {n!r}; {nearest(n, known)}" for n in given if n not in known]
        if arena.number is not None and arena.number < arena.known:
            what = f"{len(arena.identities)} identities" + (f" and {sum(arena.groups.values())} members of groups" if arena.groups else "")
            faults.append(f"arena {arena.name!r}: number: {arena.number} animals cannot have {what}")
    if len(arenas) > 1 or any(arena.identities for arena in arenas):
        for identity in identities:
            homes = [repr(arena.name) for arena in arenas for name in arena.identities if name == identity]
            if len(homes) != 1:
                found = f"is in {len(homes)} arenas ({', '.join(homes)})" if homes else "is in no arena"
                faults.append(f"the identity {identity!r} {found}: name it in the identities of exactly one")
    if len(arenas) > 1 or any(arena.groups for arena in arenas):
        for group, members in groups.items():
            living = sum(arena.groups.get(group, 0) for arena in arenas)
            if living != members:
                faults.append(
                    f"the group {group!r} has {members} members, but {living} live in the arenas: list all members in the groups of arenas"
                )
    return faults + _faults_of_numbers(arenas, bool(identities or groups), number)


def population(arenas: Sequence[Arena], known: int, number: int | None) -> list[int | None]:
    """Number of animals in each arena, None where it is unknown; without arenas the whole frame is one.

    `known` is the number of animals that have a name or belong to a group, `number` is animals.number.
    """
    if len(arenas) > 1:
        return [arena.size for arena in arenas]
    first = arenas[0].number if arenas else None
    return [first or number or known or None]


def homes(arenas: Sequence[Arena], classes: Sequence[str]) -> list[list[str]]:
    """Names of the identities and groups in each arena, in the order of `classes`; without arenas the whole frame is one."""
    if len(arenas) > 1:
        return [[name for name in classes if name in arena.identities or name in arena.groups] for arena in arenas]
    return [list(classes)]


def group_homes(arenas: Sequence[Arena], groups: Mapping[str, int]) -> list[dict[str, int]]:
    """Number of animals of each group in each arena, by name of the group; without arenas the whole frame is one."""
    return [dict(arena.groups) for arena in arenas] if len(arenas) > 1 else [dict(groups)]


def lone_names(arenas: Sequence[Arena]) -> list[str]:
    """The name of the only animal in each arena, "" where several animals live, where their number is unknown, or where they have names.

    One animal that lives alone in an arena needs no other name than that of its arena, if the experiment file gives one.
    """
    alone = [arena.size == 1 and not arena.known and "name" in arena.model_fields_set for arena in arenas]
    return [arena.name if lone else "" for arena, lone in zip(arenas, alone, strict=True)]


def region_settings(arenas: Sequence[Arena]) -> list[dict[str, Any]]:
    """The arena settings passed to stage segment: regions, and the file name of a mask."""
    values = [arena.model_dump(mode="json", exclude_defaults=True, exclude={"identities", "groups", "number"}) for arena in arenas]
    return [arena | ({"mask": Path(arena["mask"]).name} if "mask" in arena else {}) for arena in values]


def _faults_of_numbers(arenas: Sequence[Arena], identified: bool, number: int | None) -> list[str]:
    lacking = [repr(arena.name) for arena in arenas if arena.size is None]
    if len(arenas) > 1 and lacking and (identified or number is not None or len(lacking) < len(arenas)):
        return [f"the number of animals is not given for the arenas {', '.join(lacking)}: give each of them identities, groups or a number"]
    sizes = [arena.size for arena in arenas if arena.size is not None]
    if number is not None and sizes and not lacking and sum(sizes) != number:
        sizes_by_name = ", ".join(f"{arena.name}: {arena.size}" for arena in arenas)
        return [
            f"animals.number is {number}, but {sum(sizes)} live in the arenas ({sizes_by_name}): correct one, or leave animals.number out"
        ]
    return []
